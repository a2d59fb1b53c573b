/* SPDX-License-Identifier: MIT */
/* EddyBufferedOutputStream: collecting what is written. */
#include <eddy/buffered-output-stream.h>

#include <errno.h>
#include <string.h>

#include "base/alloc-private.h"
#include "base/log-private.h"
#include "base/object-private.h"
#include "io/stream-private.h"

enum { BUFFERED_OUTPUT_SIZE = 4096 };

struct EddyBufferedOutputStream {
    EddyFilterOutputStream filter;
    char *buffer; /* NULL: not needed so far */
    size_t size;
    size_t used;
};

static EddyBufferedOutputStream *buffered_output_of (void *stream)
{
    return stream;
}

static EddyOutputStream *buffered_output_base (EddyBufferedOutputStream *self)
{
    return self->filter.base_stream;
}

/* --- handing on ------------------------------------------------------------------------------- */

/* So many of the first bytes have been handed on. */
static void buffered_output_drop (EddyBufferedOutputStream *self, size_t count)
{
    self->used -= count;
    if (self->used > 0)
        memmove (self->buffer, self->buffer + count, self->used);
}

/* Hands on all that is held; what could not be stays. */
static bool buffered_output_drain (EddyBufferedOutputStream *self, EddyCancellable *cancellable,
                                   EddyError **error)
{
    if (self->used == 0)
        return true;
    size_t written = 0;
    bool done = eddy_output_stream_write_all (buffered_output_base (self), self->buffer, self->used,
                                              &written, cancellable, error);
    buffered_output_drop (self, written);
    return done;
}

/* Hands on what is held and, in the same step, what is too much for the buffer. How much of that
 * was taken; -1 when nothing was. */
static ssize_t buffered_output_write_through (EddyBufferedOutputStream *self, const void *bytes,
                                              size_t count, EddyCancellable *cancellable,
                                              EddyError **error)
{
    while (self->used > 0) {
        const EddyOutputVector vectors[] = { { self->buffer, self->used }, { bytes, count } };
        ssize_t answer =
            eddy_output_stream_writev (buffered_output_base (self), vectors, 2, cancellable, error);
        if (answer <= 0)
            return answer;
        size_t held = self->used;
        if ((size_t) answer > held) {
            self->used = 0;
            return answer - (ssize_t) held;
        }
        buffered_output_drop (self, (size_t) answer);
    }
    return eddy_output_stream_write (buffered_output_base (self), bytes, count, cancellable, error);
}

static bool buffered_output_make_buffer (EddyBufferedOutputStream *self, EddyError **error)
{
    if (self->buffer == NULL)
        self->buffer = eddy__alloc (self->size);
    if (EDDY__LIKELY (self->buffer != NULL))
        return true;
    eddy_error_set_errno (error, ENOMEM, "%s: a buffer",
                          eddy__output_stream_get_name (&self->filter.stream));
    return false;
}

/* Takes what fits. */
static size_t buffered_output_take (EddyBufferedOutputStream *self, const char *bytes, size_t count)
{
    size_t room = self->size - self->used;
    size_t taken = count < room ? count : room;
    memcpy (self->buffer + self->used, bytes, taken);
    self->used += taken;
    return taken;
}

/* Bytes that were taken are never given back: where the rest of them finds no room because the
 * buffer could not be handed on, the count is short, and the next call tells why. */
static ssize_t buffered_output_write (EddyOutputStream *stream, const void *buffer, size_t count,
                                      EddyCancellable *cancellable, EddyError **error)
{
    EddyBufferedOutputStream *self = buffered_output_of (stream);
    if (count >= self->size)
        return buffered_output_write_through (self, buffer, count, cancellable, error);
    if (!buffered_output_make_buffer (self, error))
        return -1;
    size_t taken = buffered_output_take (self, buffer, count);
    if (taken == count)
        return (ssize_t) count;
    if (!buffered_output_drain (self, cancellable, taken == 0 ? error : NULL) && taken == 0)
        return -1;
    return (ssize_t) (taken +
                      buffered_output_take (self, (const char *) buffer + taken, count - taken));
}

static bool buffered_output_is_ready (EddyOutputStream *stream, size_t count)
{
    const EddyBufferedOutputStream *self = buffered_output_of (stream);
    return count < self->size && count <= self->size - self->used;
}

static bool buffered_output_flush (EddyOutputStream *stream, EddyCancellable *cancellable,
                                   EddyError **error)
{
    return buffered_output_drain (buffered_output_of (stream), cancellable, error) &&
           eddy_filter_output_stream_flush_base (stream, cancellable, error);
}

/* --- positions -------------------------------------------------------------------------------- */

static EddySeekable *buffered_output_base_seekable (EddySeekable *seekable)
{
    return EDDY_SEEKABLE (buffered_output_base (buffered_output_of (seekable)));
}

static int64_t buffered_output_tell (EddySeekable *seekable)
{
    EddySeekable *base = buffered_output_base_seekable (seekable);
    bool has_positions = eddy__seekable_has_positions (base);
    return has_positions ? eddy_seekable_tell (base) + (int64_t) buffered_output_of (seekable)->used
                         : 0;
}

static bool buffered_output_can_seek (EddySeekable *seekable)
{
    return eddy_seekable_can_seek (buffered_output_base_seekable (seekable));
}

static bool buffered_output_seek (EddySeekable *seekable, int64_t offset, EddySeekType type,
                                  EddyCancellable *cancellable, EddyError **error)
{
    return buffered_output_drain (buffered_output_of (seekable), cancellable, error) &&
           eddy_seekable_seek (buffered_output_base_seekable (seekable), offset, type, cancellable,
                               error);
}

static bool buffered_output_can_truncate (EddySeekable *seekable)
{
    return eddy_seekable_can_truncate (buffered_output_base_seekable (seekable));
}

static bool buffered_output_truncate (EddySeekable *seekable, int64_t size,
                                      EddyCancellable *cancellable, EddyError **error)
{
    return buffered_output_drain (buffered_output_of (seekable), cancellable, error) &&
           eddy_seekable_truncate (buffered_output_base_seekable (seekable), size, cancellable,
                                   error);
}

static const EddySeekableFuncs buffered_output_seekable = {
    .tell = buffered_output_tell,
    .can_seek = buffered_output_can_seek,
    .seek = buffered_output_seek,
    .can_truncate = buffered_output_can_truncate,
    .truncate = buffered_output_truncate,
};

/* --- life ------------------------------------------------------------------------------------- */

static void buffered_output_free (EddyBufferedOutputStream *self)
{
    eddy__free (self->buffer);
    self->buffer = NULL;
    self->used = 0;
}

static bool buffered_output_close (EddyOutputStream *stream, EddyCancellable *cancellable,
                                   EddyError **error)
{
    buffered_output_free (buffered_output_of (stream));
    return eddy_filter_output_stream_close_base (stream, cancellable, error);
}

static void buffered_output_dispose (void *object)
{
    EddyBufferedOutputStream *self = object;
    if (self->used > 0)
        eddy__log (EDDY_LOG_WARNING,
                   "a buffered output stream is let go of that was not closed: %zu bytes are lost",
                   self->used);
    buffered_output_free (self);
    eddy_filter_output_stream_dispose (object);
}

static const EddyOutputStreamClass buffered_output_class = {
    .stream = { .object = { .name = "EddyBufferedOutputStream",
                            .size = sizeof (EddyBufferedOutputStream),
                            .dispose = buffered_output_dispose },
                .seekable = &buffered_output_seekable },
    .write = buffered_output_write,
    .flush = buffered_output_flush,
    .close = buffered_output_close,
    .is_ready = buffered_output_is_ready,
    .get_name = eddy_filter_output_stream_get_name,
};

static bool buffered_output_is (const EddyBufferedOutputStream *stream)
{
    return stream != NULL &&
           stream->filter.stream.stream.object.object_class == &buffered_output_class.stream.object;
}

EddyOutputStream *eddy_buffered_output_stream_new_sized (EddyOutputStream *base_stream, size_t size)
{
    EDDY__EXPECT (base_stream != NULL && size > 0, NULL);
    EddyBufferedOutputStream *self =
        eddy_filter_output_stream_new (&buffered_output_class, base_stream);
    if (self == NULL)
        return NULL;
    self->size = size;
    return &self->filter.stream;
}

EddyOutputStream *eddy_buffered_output_stream_new (EddyOutputStream *base_stream)
{
    return eddy_buffered_output_stream_new_sized (base_stream, BUFFERED_OUTPUT_SIZE);
}

size_t eddy_buffered_output_stream_get_buffer_size (EddyBufferedOutputStream *stream)
{
    EDDY__EXPECT (buffered_output_is (stream), 0);
    return stream->size;
}

bool eddy_buffered_output_stream_set_buffer_size (EddyBufferedOutputStream *stream, size_t size)
{
    EDDY__EXPECT (buffered_output_is (stream) && size > 0, false);
    if (stream->filter.stream.stream.pending) /* it may be writing out of the buffer */
        return false;
    size_t wanted = size > stream->used ? size : stream->used;
    if (stream->buffer != NULL) {
        char *buffer = eddy__realloc (stream->buffer, wanted);
        if (buffer == NULL)
            return false;
        stream->buffer = buffer;
    }
    stream->size = wanted;
    return true;
}

size_t eddy_buffered_output_stream_get_buffered (EddyBufferedOutputStream *stream)
{
    EDDY__EXPECT (buffered_output_is (stream), 0);
    return stream->used;
}
