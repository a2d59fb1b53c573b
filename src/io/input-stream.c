/* SPDX-License-Identifier: MIT */
/* EddyInputStream: what all kinds of input streams do alike. */
#include <eddy/input-stream-bodies.h>

#include <eddy/fd-bodies.h>
#include <errno.h>
#include <limits.h>

#include "base/bytes-private.h"
#include "base/object-private.h"
#include "engine/operation-private.h"
#include "fiber/fiber-private.h"
#include "io/stream-private.h"

enum { SKIP_BUFFER_SIZE = 8192 };

static const EddyInputStreamClass *input_stream_class (EddyInputStream *stream)
{
    return (const EddyInputStreamClass *) (const void *) stream->stream.object.object_class;
}

static const char *input_stream_name (EddyInputStream *stream)
{
    const EddyInputStreamClass *self = input_stream_class (stream);
    return self->get_name != NULL ? self->get_name (stream) : self->stream.object.name;
}

/* --- read ------------------------------------------------------------------------------------- */

ssize_t eddy_input_stream_read_body (EddyInputStream *stream, void *buffer, size_t count,
                                     EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (stream != NULL && (buffer != NULL || count == 0), -1);
    if (count == 0)
        return 0;
    if (!eddy__stream_check_count (count, error) ||
        !eddy__stream_begin (&stream->stream, cancellable, error))
        return -1;
    ssize_t answer = input_stream_class (stream)->read (stream, buffer, count, cancellable, error);
    eddy__stream_end (&stream->stream);
    return answer;
}

bool eddy_input_stream_read_request (EddyOp *op, EddyInputStream *stream, void *buffer,
                                     size_t count, EddyError **error)
{
    EDDY__EXPECT (stream != NULL && (buffer != NULL || count == 0), false);
    const EddyInputStreamClass *self = input_stream_class (stream);
    if (count == 0 || !eddy__stream_check_count (count, error) ||
        !eddy__stream_claim (&stream->stream, error))
        return false;
    int fd = self->get_fd == NULL ? -1 : self->get_fd (stream);
    if (fd < 0) {
        eddy__stream_end (&stream->stream);
        return false;
    }
    eddy_fd_read_prepare (op, fd, buffer, count, -1);
    return true;
}

ssize_t eddy_input_stream_read_result (const EddyOp *op, EddyInputStream *stream, void *buffer,
                                       size_t count, EddyError **error)
{
    (void) buffer;
    (void) count;
    eddy__stream_end (&stream->stream);
    if (op->result >= 0)
        return (ssize_t) op->result;
    eddy_error_set_errno (error, (int) -op->result, "%s", input_stream_name (stream));
    return -1;
}

/* --- more than one read ----------------------------------------------------------------------- */

/* Reads until the buffer is full, or the end; the stream has begun. */
static bool input_stream_fill (EddyInputStream *stream, char *buffer, size_t count,
                               size_t *bytes_read, EddyCancellable *cancellable, EddyError **error)
{
    const EddyInputStreamClass *self = input_stream_class (stream);
    *bytes_read = 0;
    while (*bytes_read < count) {
        ssize_t answer =
            self->read (stream, buffer + *bytes_read, count - *bytes_read, cancellable, error);
        if (answer <= 0)
            return answer == 0;
        *bytes_read += (size_t) answer;
    }
    return true;
}

bool eddy_input_stream_read_all_body (EddyInputStream *stream, void *buffer, size_t count,
                                      size_t *bytes_read, EddyCancellable *cancellable,
                                      EddyError **error)
{
    size_t unasked;
    size_t *done = bytes_read == NULL ? &unasked : bytes_read;
    *done = 0;
    EDDY__EXPECT (stream != NULL && (buffer != NULL || count == 0), false);
    if (count == 0)
        return true;
    if (!eddy__stream_check_count (count, error) ||
        !eddy__stream_begin (&stream->stream, cancellable, error))
        return false;
    bool filled = input_stream_fill (stream, buffer, count, done, cancellable, error);
    eddy__stream_end (&stream->stream);
    return filled;
}

bool eddy_input_stream_read_exactly_body (EddyInputStream *stream, void *buffer, size_t count,
                                          size_t *bytes_read, EddyCancellable *cancellable,
                                          EddyError **error)
{
    size_t unasked;
    size_t *done = bytes_read == NULL ? &unasked : bytes_read;
    if (!eddy_input_stream_read_all_body (stream, buffer, count, done, cancellable, error))
        return false;
    if (*done == count)
        return true;
    eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_PARTIAL_INPUT,
                    "%s: the end came after %zu of %zu bytes", input_stream_name (stream), *done,
                    count);
    return false;
}

EddyBytes *eddy_input_stream_read_bytes_body (EddyInputStream *stream, size_t count,
                                              EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (stream != NULL, NULL);
    EddyBytes *bytes =
        eddy__stream_check_count (count, error) ? eddy__bytes_new_uninitialised (count) : NULL;
    if (bytes == NULL) {
        if (count <= SSIZE_MAX)
            eddy_error_set_errno (error, ENOMEM, "%s: %zu bytes", input_stream_name (stream),
                                  count);
        return NULL;
    }
    ssize_t answer = eddy_input_stream_read_body (stream, eddy__bytes_get_writable (bytes), count,
                                                  cancellable, error);
    if (answer < 0)
        return eddy_unref (bytes);
    return eddy__bytes_shrink (bytes, (size_t) answer);
}

/* --- skip ------------------------------------------------------------------------------------- */

static ssize_t input_stream_skip_once (EddyInputStream *stream, size_t count,
                                       EddyCancellable *cancellable, EddyError **error)
{
    const EddyInputStreamClass *self = input_stream_class (stream);
    if (self->skip != NULL)
        return self->skip (stream, count, cancellable, error);
    char buffer[SKIP_BUFFER_SIZE];
    size_t wanted = count < sizeof buffer ? count : sizeof buffer;
    return self->read (stream, buffer, wanted, cancellable, error);
}

ssize_t eddy_input_stream_skip_body (EddyInputStream *stream, size_t count,
                                     EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (stream != NULL, -1);
    if (count == 0)
        return 0;
    if (!eddy__stream_check_count (count, error) ||
        !eddy__stream_begin (&stream->stream, cancellable, error))
        return -1;
    size_t skipped = 0;
    ssize_t answer = 1;
    EddyError *failure = NULL;
    while (skipped < count && answer > 0) {
        answer = input_stream_skip_once (stream, count - skipped, cancellable, &failure);
        skipped += answer > 0 ? (size_t) answer : 0;
    }
    eddy__stream_end (&stream->stream);
    if (answer >= 0 || skipped > 0) { /* what has been passed over cannot be told otherwise */
        eddy_clear_error (&failure);
        return (ssize_t) skipped;
    }
    eddy_error_take (error, failure);
    return -1;
}

/* --- close ------------------------------------------------------------------------------------ */

bool eddy_input_stream_close_body (EddyInputStream *stream, EddyCancellable *cancellable,
                                   EddyError **error)
{
    EDDY__EXPECT (stream != NULL, false);
    int begun = eddy__stream_begin_close (&stream->stream, error);
    if (begun != 0)
        return begun > 0;
    const EddyInputStreamClass *self = input_stream_class (stream);
    bool closed = self->close == NULL || self->close (stream, cancellable, error);
    stream->stream.closed = true;
    eddy__stream_end (&stream->stream);
    return closed;
}

bool eddy_input_stream_is_closed (EddyInputStream *stream)
{
    EDDY__EXPECT (stream != NULL, true);
    return stream->stream.closed;
}

bool eddy_input_stream_has_pending (EddyInputStream *stream)
{
    EDDY__EXPECT (stream != NULL, false);
    return stream->stream.pending;
}

bool eddy_input_stream_set_pending (EddyInputStream *stream, EddyError **error)
{
    EDDY__EXPECT (stream != NULL, false);
    return eddy__stream_claim (&stream->stream, error);
}

void eddy_input_stream_clear_pending (EddyInputStream *stream)
{
    EDDY__EXPECT (stream != NULL);
    eddy__stream_end (&stream->stream);
}
