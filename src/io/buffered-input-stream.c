/* SPDX-License-Identifier: MIT */
/* EddyBufferedInputStream: reading ahead. */
#include <eddy/buffered-input-stream-bodies.h>

#include <errno.h>
#include <eddy/input-stream-bodies.h>
#include <string.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "io/buffered-private.h"
#include "io/stream-private.h"

/* A buffer that one long line has made larger than this is not kept. */
enum { BUFFERED_KEPT = 64 * 1024 };

static EddyBufferedInputStream *buffered_input_of (void *stream)
{
    return stream;
}

static EddyInputStream *buffered_input_base (EddyBufferedInputStream *self)
{
    return self->filter.base_stream;
}

/* Whether a stream is of one of the kinds that buffer. */
static bool buffered_input_is (EddyBufferedInputStream *stream)
{
    return stream != NULL && stream->filter.stream.stream.object.object_class->dispose ==
                                 eddy__buffered_input_dispose;
}

/* --- the buffer ------------------------------------------------------------------------------- */

/* Forgets what was read before: what is buffered lies at the beginning. */
static void buffered_input_compact (EddyBufferedInputStream *self)
{
    if (self->start == 0)
        return;
    size_t count = eddy__buffered_input_get_count (self);
    memmove (self->buffer, eddy__buffered_input_get_bytes (self), count);
    self->start = 0;
    self->end = count;
}

/* Gives the buffer another capacity, which what is buffered fits into; false when memory is out. */
static bool buffered_input_resize (EddyBufferedInputStream *self, size_t capacity)
{
    buffered_input_compact (self);
    char *buffer = eddy__realloc (self->buffer, capacity);
    if (buffer == NULL)
        return false;
    self->buffer = buffer;
    self->capacity = capacity;
    return true;
}

/* Has room for at least one byte behind what is buffered, and for `most` where they fit without
 * growing: how many; 0 when memory is out. */
static size_t buffered_input_make_room (EddyBufferedInputStream *self, size_t most)
{
    bool is_too_large = self->capacity > self->size && self->capacity > BUFFERED_KEPT &&
                        eddy__buffered_input_get_count (self) < self->size;
    if ((self->buffer == NULL || is_too_large) && !buffered_input_resize (self, self->size) &&
        self->buffer == NULL)
        return 0;
    if (self->capacity - self->end < most)
        buffered_input_compact (self);
    if (self->end == self->capacity && !buffered_input_resize (self, self->capacity * 2))
        return 0;
    size_t room = self->capacity - self->end;
    return most < room ? most : room;
}

/* Takes into account what the base has put behind the end; how much of it counts. */
static size_t buffered_input_add (EddyBufferedInputStream *self, size_t count)
{
    bool drops = count > 0 && self->drops_line_feed && self->buffer[self->end] == '\n';
    if (count > 0)
        self->drops_line_feed = false;
    self->end += count;
    if (drops) /* only where nothing was buffered */
        self->start++;
    return drops ? count - 1 : count;
}

ssize_t eddy__buffered_input_fill (EddyBufferedInputStream *self, size_t most,
                                   EddyCancellable *cancellable, EddyError **error)
{
    for (;;) {
        size_t room = buffered_input_make_room (self, most);
        if (room == 0) {
            eddy_error_set_errno (error, ENOMEM, "%s: a buffer",
                                  eddy__input_stream_get_name (&self->filter.stream));
            return -1;
        }
        ssize_t answer = eddy_input_stream_read (
            buffered_input_base (self), self->buffer + self->end, room, cancellable, error);
        if (answer <= 0)
            return answer;
        size_t added = buffered_input_add (self, (size_t) answer);
        if (added > 0)
            return (ssize_t) added;
    }
}

/* Nothing of the buffer is of use any more: the base goes on elsewhere. */
static void buffered_input_forget (EddyBufferedInputStream *self)
{
    self->start = 0;
    self->end = 0;
}

/* --- reading and skipping --------------------------------------------------------------------- */

static size_t buffered_input_take (EddyBufferedInputStream *self, void *buffer, size_t count)
{
    size_t buffered = eddy__buffered_input_get_count (self);
    size_t taken = count < buffered ? count : buffered;
    if (buffer != NULL && taken > 0)
        memcpy (buffer, eddy__buffered_input_get_bytes (self), taken);
    self->start += taken;
    return taken;
}

ssize_t eddy__buffered_input_read (EddyInputStream *stream, void *buffer, size_t count,
                                   EddyCancellable *cancellable, EddyError **error)
{
    EddyBufferedInputStream *self = buffered_input_of (stream);
    if (self->start == self->end) {
        if (count >= self->size && !self->drops_line_feed) {
            buffered_input_forget (self);
            return eddy_input_stream_read (buffered_input_base (self), buffer, count, cancellable,
                                           error);
        }
        ssize_t answer = eddy__buffered_input_fill (self, self->size, cancellable, error);
        if (answer <= 0)
            return answer;
    }
    return (ssize_t) buffered_input_take (self, buffer, count);
}

bool eddy__buffered_input_is_ready (EddyInputStream *stream)
{
    const EddyBufferedInputStream *self = buffered_input_of (stream);
    return self->start < self->end;
}

ssize_t eddy__buffered_input_skip (EddyInputStream *stream, size_t count,
                                   EddyCancellable *cancellable, EddyError **error)
{
    EddyBufferedInputStream *self = buffered_input_of (stream);
    if (self->start == self->end && self->drops_line_feed) {
        ssize_t answer = eddy__buffered_input_fill (self, self->size, cancellable, error);
        if (answer <= 0)
            return answer;
    }
    if (self->start < self->end)
        return (ssize_t) buffered_input_take (self, NULL, count);
    buffered_input_forget (self);
    return eddy_input_stream_skip (buffered_input_base (self), count, cancellable, error);
}

bool eddy__buffered_input_end_ready (EddyBufferedInputStream *self, const EddyOp *op,
                                     EddyError **error)
{
    eddy__stream_end (eddy__buffered_input_get_stream (self));
    if (op->result >= 0)
        return true;
    eddy_error_set_errno (error, (int) -op->result, "%s",
                          eddy__input_stream_get_name (&self->filter.stream));
    return false;
}

int eddy_buffered_input_stream_read_byte_body (EddyBufferedInputStream *stream,
                                               EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (buffered_input_is (stream), -1);
    if (!eddy__stream_begin (eddy__buffered_input_get_stream (stream), cancellable, error))
        return -1;
    ssize_t answer = 1;
    if (stream->start == stream->end)
        answer = eddy__buffered_input_fill (stream, stream->size, cancellable, error);
    eddy__stream_end (eddy__buffered_input_get_stream (stream));
    return answer > 0 ? (unsigned char) stream->buffer[stream->start++] : -1;
}

bool eddy_buffered_input_stream_read_byte_request (EddyOp *op, EddyBufferedInputStream *stream,
                                                   EddyError **error)
{
    EDDY__EXPECT (buffered_input_is (stream), false);
    if (stream->start == stream->end ||
        !eddy__stream_claim (eddy__buffered_input_get_stream (stream), error))
        return false;
    eddy__op_init_ready (op);
    return true;
}

int eddy_buffered_input_stream_read_byte_result (const EddyOp *op, EddyBufferedInputStream *stream,
                                                 EddyError **error)
{
    if (!eddy__buffered_input_end_ready (stream, op, error))
        return -1;
    return (unsigned char) stream->buffer[stream->start++];
}

/* --- filling ---------------------------------------------------------------------------------- */

/* How many bytes a fill may ask for: none when the buffer is full. */
static size_t buffered_input_fill_count (const EddyBufferedInputStream *self, ssize_t count)
{
    size_t buffered = eddy__buffered_input_get_count (self);
    size_t room = self->size > buffered ? self->size - buffered : 0;
    return count >= 0 && (size_t) count < room ? (size_t) count : room;
}

static bool buffered_input_check_fill (ssize_t count, EddyError **error)
{
    if (count >= -1)
        return true;
    eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_ARGUMENT,
                    "a buffer cannot be filled with %zd bytes", count);
    return false;
}

ssize_t eddy_buffered_input_stream_fill_body (EddyBufferedInputStream *stream, ssize_t count,
                                              EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (buffered_input_is (stream), -1);
    if (!buffered_input_check_fill (count, error) ||
        !eddy__stream_begin (eddy__buffered_input_get_stream (stream), cancellable, error))
        return -1;
    size_t wanted = buffered_input_fill_count (stream, count);
    ssize_t answer =
        wanted == 0 ? 0 : eddy__buffered_input_fill (stream, wanted, cancellable, error);
    eddy__stream_end (eddy__buffered_input_get_stream (stream));
    return answer;
}

/* One request where the base's read is one, straight into the buffer. */
bool eddy_buffered_input_stream_fill_request (EddyOp *op, EddyBufferedInputStream *stream,
                                              ssize_t count, EddyError **error)
{
    EDDY__EXPECT (buffered_input_is (stream), false);
    EddyStream *self = eddy__buffered_input_get_stream (stream);
    if (!buffered_input_check_fill (count, error) || !eddy__stream_claim (self, error))
        return false;
    size_t wanted = buffered_input_fill_count (stream, count);
    size_t room = wanted == 0 ? 0 : buffered_input_make_room (stream, wanted);
    /* A fill that brings one byte of which none counts would have to be begun again. */
    if (room > 0 && !stream->drops_line_feed &&
        eddy_input_stream_read_request (op, buffered_input_base (stream),
                                        stream->buffer + stream->end, room, error))
        return true;
    eddy__stream_end (self);
    return false;
}

ssize_t eddy_buffered_input_stream_fill_result (const EddyOp *op, EddyBufferedInputStream *stream,
                                                ssize_t count, EddyError **error)
{
    /* The room that the request has made: a base that was ready reads only now. */
    size_t wanted = buffered_input_fill_count (stream, count);
    size_t room = stream->capacity - stream->end;
    ssize_t answer = eddy_input_stream_read_result (op, buffered_input_base (stream),
                                                    stream->buffer + stream->end,
                                                    wanted < room ? wanted : room, error);
    eddy__stream_end (eddy__buffered_input_get_stream (stream));
    return answer > 0 ? (ssize_t) buffered_input_add (stream, (size_t) answer) : answer;
}

/* --- positions -------------------------------------------------------------------------------- */

static int64_t buffered_input_tell (EddySeekable *seekable)
{
    EddyBufferedInputStream *self = buffered_input_of (seekable);
    EddySeekable *base = EDDY_SEEKABLE (buffered_input_base (self));
    int64_t ahead = (int64_t) eddy__buffered_input_get_count (self);
    return eddy__seekable_has_positions (base) ? eddy_seekable_tell (base) - ahead : 0;
}

static bool buffered_input_can_seek (EddySeekable *seekable)
{
    return eddy_seekable_can_seek (
        EDDY_SEEKABLE (buffered_input_base (buffered_input_of (seekable))));
}

/* Moves within the buffer; false: it does not lead there. */
static bool buffered_input_seek_within (EddyBufferedInputStream *self, int64_t target)
{
    int64_t end = eddy_seekable_tell (EDDY_SEEKABLE (buffered_input_base (self)));
    if (target > end || end - target > (int64_t) self->end)
        return false;
    self->start = self->end - (size_t) (end - target);
    return true;
}

static bool buffered_input_seek (EddySeekable *seekable, int64_t offset, EddySeekType type,
                                 EddyCancellable *cancellable, EddyError **error)
{
    EddyBufferedInputStream *self = buffered_input_of (seekable);
    EddySeekable *base = EDDY_SEEKABLE (buffered_input_base (self));
    int64_t target = offset;
    /* Only the base knows its end. */
    if (type != EDDY_SEEK_END) {
        if (!eddy__stream_target (offset, type, buffered_input_tell (seekable), 0, &target, error))
            return false;
        type = EDDY_SEEK_SET;
        if (buffered_input_seek_within (self, target)) {
            self->drops_line_feed = false;
            return true;
        }
    }
    if (!eddy_seekable_seek (base, target, type, cancellable, error))
        return false;
    buffered_input_forget (self);
    self->drops_line_feed = false;
    return true;
}

static bool buffered_input_can_truncate (EddySeekable *seekable)
{
    (void) seekable;
    return false;
}

const EddySeekableFuncs eddy__buffered_input_seekable = {
    .tell = buffered_input_tell,
    .can_seek = buffered_input_can_seek,
    .seek = buffered_input_seek,
    .can_truncate = buffered_input_can_truncate,
};

/* --- looking ---------------------------------------------------------------------------------- */

size_t eddy_buffered_input_stream_get_available (EddyBufferedInputStream *stream)
{
    EDDY__EXPECT (buffered_input_is (stream), 0);
    return eddy__buffered_input_get_count (stream);
}

size_t eddy_buffered_input_stream_peek (EddyBufferedInputStream *stream, void *buffer,
                                        size_t offset, size_t count)
{
    EDDY__EXPECT (buffered_input_is (stream) && (buffer != NULL || count == 0), 0);
    size_t buffered = eddy__buffered_input_get_count (stream);
    size_t left = offset < buffered ? buffered - offset : 0;
    size_t copied = count < left ? count : left;
    if (copied > 0)
        memcpy (buffer, eddy__buffered_input_get_bytes (stream) + offset, copied);
    return copied;
}

const void *eddy_buffered_input_stream_peek_buffer (EddyBufferedInputStream *stream, size_t *count)
{
    if (count != NULL)
        *count = 0;
    EDDY__EXPECT (buffered_input_is (stream), NULL);
    size_t buffered = eddy__buffered_input_get_count (stream);
    if (count != NULL)
        *count = buffered;
    return buffered > 0 ? eddy__buffered_input_get_bytes (stream) : NULL;
}

size_t eddy_buffered_input_stream_get_buffer_size (EddyBufferedInputStream *stream)
{
    EDDY__EXPECT (buffered_input_is (stream), 0);
    return stream->size;
}

bool eddy_buffered_input_stream_set_buffer_size (EddyBufferedInputStream *stream, size_t size)
{
    EDDY__EXPECT (buffered_input_is (stream) && size > 0, false);
    if (stream->filter.stream.stream.pending) /* it may be reading into the buffer */
        return false;
    size_t buffered = eddy__buffered_input_get_count (stream);
    size_t wanted = size > buffered ? size : buffered;
    if (stream->buffer != NULL && !buffered_input_resize (stream, wanted))
        return false;
    stream->size = wanted;
    return true;
}

/* --- life ------------------------------------------------------------------------------------- */

static void buffered_input_free (EddyBufferedInputStream *self)
{
    buffered_input_forget (self);
    eddy__free (self->buffer);
    self->buffer = NULL;
    self->capacity = 0;
}

bool eddy__buffered_input_close (EddyInputStream *stream, EddyCancellable *cancellable,
                                 EddyError **error)
{
    buffered_input_free (buffered_input_of (stream));
    return eddy_filter_input_stream_close_base (stream, cancellable, error);
}

void eddy__buffered_input_dispose (void *object)
{
    buffered_input_free (object);
    eddy_filter_input_stream_dispose (object);
}

static const EddyInputStreamClass buffered_input_class = {
    .stream = { .object = { .name = "EddyBufferedInputStream",
                            .size = sizeof (EddyBufferedInputStream),
                            .dispose = eddy__buffered_input_dispose },
                .seekable = &eddy__buffered_input_seekable },
    .read = eddy__buffered_input_read,
    .skip = eddy__buffered_input_skip,
    .close = eddy__buffered_input_close,
    .is_ready = eddy__buffered_input_is_ready,
    .get_name = eddy_filter_input_stream_get_name,
};

EddyBufferedInputStream *eddy__buffered_input_new (const EddyInputStreamClass *input_class,
                                                   EddyInputStream *base_stream, size_t size)
{
    EddyBufferedInputStream *self = eddy_filter_input_stream_new (input_class, base_stream);
    if (self != NULL)
        self->size = size;
    return self;
}

EddyInputStream *eddy_buffered_input_stream_new_sized (EddyInputStream *base_stream, size_t size)
{
    EDDY__EXPECT (base_stream != NULL && size > 0, NULL);
    return EDDY_INPUT_STREAM (eddy__buffered_input_new (&buffered_input_class, base_stream, size));
}

EddyInputStream *eddy_buffered_input_stream_new (EddyInputStream *base_stream)
{
    return eddy_buffered_input_stream_new_sized (base_stream, EDDY__BUFFERED_SIZE);
}
