/* SPDX-License-Identifier: MIT */
/* EddyOutputStream: what all kinds of output streams do alike. */
#include <eddy/output-stream-bodies.h>

#include <eddy/fd-bodies.h>
#include <limits.h>

#include "base/object-private.h"
#include "engine/operation-private.h"
#include "fiber/fiber-private.h"
#include "io/stream-private.h"

static const EddyOutputStreamClass *output_stream_class (EddyOutputStream *stream)
{
    return (const EddyOutputStreamClass *) (const void *) stream->stream.object.object_class;
}

static const char *output_stream_name (EddyOutputStream *stream)
{
    const EddyOutputStreamClass *self = output_stream_class (stream);
    return self->get_name != NULL ? self->get_name (stream) : self->stream.object.name;
}

/* --- write ------------------------------------------------------------------------------------ */

ssize_t eddy_output_stream_write_body (EddyOutputStream *stream, const void *buffer, size_t count,
                                       EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (stream != NULL && (buffer != NULL || count == 0), -1);
    if (count == 0)
        return 0;
    if (!eddy__stream_check_count (count, error) ||
        !eddy__stream_begin (&stream->stream, cancellable, error))
        return -1;
    ssize_t answer =
        output_stream_class (stream)->write (stream, buffer, count, cancellable, error);
    eddy__stream_end (&stream->stream);
    return answer;
}

bool eddy_output_stream_write_request (EddyOp *op, EddyOutputStream *stream, const void *buffer,
                                       size_t count, EddyError **error)
{
    EDDY__EXPECT (stream != NULL && (buffer != NULL || count == 0), false);
    const EddyOutputStreamClass *self = output_stream_class (stream);
    if (count == 0 || !eddy__stream_check_count (count, error) ||
        !eddy__stream_claim (&stream->stream, error))
        return false;
    int fd = self->get_fd == NULL ? -1 : self->get_fd (stream);
    if (fd < 0) {
        eddy__stream_end (&stream->stream);
        return false;
    }
    eddy_fd_write_prepare (op, fd, buffer, count, -1);
    return true;
}

ssize_t eddy_output_stream_write_result (const EddyOp *op, EddyOutputStream *stream,
                                         const void *buffer, size_t count, EddyError **error)
{
    (void) buffer;
    (void) count;
    eddy__stream_end (&stream->stream);
    if (op->result >= 0)
        return (ssize_t) op->result;
    eddy_error_set_errno (error, (int) -op->result, "%s", output_stream_name (stream));
    return -1;
}

ssize_t eddy_output_stream_write_bytes_body (EddyOutputStream *stream, EddyBytes *bytes,
                                             EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (bytes != NULL, -1);
    return eddy_output_stream_write_body (stream, eddy_bytes_get_data (bytes),
                                          eddy_bytes_get_size (bytes), cancellable, error);
}

/* --- all of it -------------------------------------------------------------------------------- */

/* A kind that takes nothing and calls it done would have us try for ever. */
static bool output_stream_advanced (EddyOutputStream *stream, ssize_t answer, EddyError **error)
{
    if (EDDY__UNLIKELY (answer == 0))
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_FAILED, "%s: nothing was written",
                        output_stream_name (stream));
    return answer > 0;
}

bool eddy_output_stream_write_all_body (EddyOutputStream *stream, const void *buffer, size_t count,
                                        size_t *bytes_written, EddyCancellable *cancellable,
                                        EddyError **error)
{
    size_t unasked;
    size_t *done = bytes_written == NULL ? &unasked : bytes_written;
    *done = 0;
    EDDY__EXPECT (stream != NULL && (buffer != NULL || count == 0), false);
    if (count == 0)
        return true;
    if (!eddy__stream_check_count (count, error) ||
        !eddy__stream_begin (&stream->stream, cancellable, error))
        return false;
    const EddyOutputStreamClass *self = output_stream_class (stream);
    ssize_t answer = 1;
    while (*done < count && answer > 0) {
        answer =
            self->write (stream, (const char *) buffer + *done, count - *done, cancellable, error);
        *done += output_stream_advanced (stream, answer, error) ? (size_t) answer : 0;
    }
    eddy__stream_end (&stream->stream);
    return *done == count;
}

/* --- several runs of bytes -------------------------------------------------------------------- */

/* The bytes of all runs; false with INVALID_ARGUMENT when they are too many to count. */
static bool vectors_count (const EddyOutputVector *vectors, size_t n_vectors, size_t *count,
                           EddyError **error)
{
    *count = 0;
    for (size_t i = 0; i < n_vectors; i++)
        if (__builtin_add_overflow (*count, vectors[i].size, count))
            *count = SIZE_MAX;
    return eddy__stream_check_count (*count, error);
}

/* Some of runs that are not all empty; the stream has begun. */
static ssize_t output_stream_writev_once (EddyOutputStream *stream, const EddyOutputVector *vectors,
                                          size_t n_vectors, EddyCancellable *cancellable,
                                          EddyError **error)
{
    const EddyOutputStreamClass *self = output_stream_class (stream);
    while (vectors->size == 0) {
        vectors++;
        n_vectors--;
    }
    if (self->writev != NULL && n_vectors > 1)
        return self->writev (stream, vectors, n_vectors, cancellable, error);
    return self->write (stream, vectors->buffer, vectors->size, cancellable, error);
}

ssize_t eddy_output_stream_writev_body (EddyOutputStream *stream, const EddyOutputVector *vectors,
                                        size_t n_vectors, EddyCancellable *cancellable,
                                        EddyError **error)
{
    EDDY__EXPECT (stream != NULL && (vectors != NULL || n_vectors == 0), -1);
    size_t count;
    if (!vectors_count (vectors, n_vectors, &count, error))
        return -1;
    if (count == 0)
        return 0;
    if (!eddy__stream_begin (&stream->stream, cancellable, error))
        return -1;
    ssize_t answer = output_stream_writev_once (stream, vectors, n_vectors, cancellable, error);
    eddy__stream_end (&stream->stream);
    return answer;
}

/* Takes bytes off the front of the runs. */
static void vectors_advance (EddyOutputVector *vectors, size_t n_vectors, size_t count)
{
    for (size_t i = 0; i < n_vectors && count > 0; i++) {
        size_t taken = count < vectors[i].size ? count : vectors[i].size;
        vectors[i].buffer = (const char *) vectors[i].buffer + taken;
        vectors[i].size -= taken;
        count -= taken;
    }
}

bool eddy_output_stream_writev_all_body (EddyOutputStream *stream, EddyOutputVector *vectors,
                                         size_t n_vectors, size_t *bytes_written,
                                         EddyCancellable *cancellable, EddyError **error)
{
    size_t unasked, count;
    size_t *done = bytes_written == NULL ? &unasked : bytes_written;
    *done = 0;
    EDDY__EXPECT (stream != NULL && (vectors != NULL || n_vectors == 0), false);
    if (!vectors_count (vectors, n_vectors, &count, error))
        return false;
    if (count == 0)
        return true;
    if (!eddy__stream_begin (&stream->stream, cancellable, error))
        return false;
    ssize_t answer = 1;
    while (*done < count && answer > 0) {
        answer = output_stream_writev_once (stream, vectors, n_vectors, cancellable, error);
        if (output_stream_advanced (stream, answer, error)) {
            *done += (size_t) answer;
            vectors_advance (vectors, n_vectors, (size_t) answer);
        }
    }
    eddy__stream_end (&stream->stream);
    return *done == count;
}

/* --- flush and close -------------------------------------------------------------------------- */

bool eddy_output_stream_flush_body (EddyOutputStream *stream, EddyCancellable *cancellable,
                                    EddyError **error)
{
    EDDY__EXPECT (stream != NULL, false);
    if (!eddy__stream_begin (&stream->stream, cancellable, error))
        return false;
    const EddyOutputStreamClass *self = output_stream_class (stream);
    bool flushed = self->flush == NULL || self->flush (stream, cancellable, error);
    eddy__stream_end (&stream->stream);
    return flushed;
}

bool eddy_output_stream_close_body (EddyOutputStream *stream, EddyCancellable *cancellable,
                                    EddyError **error)
{
    EDDY__EXPECT (stream != NULL, false);
    int begun = eddy__stream_begin_close (&stream->stream, error);
    if (begun != 0)
        return begun > 0;
    const EddyOutputStreamClass *self = output_stream_class (stream);
    EddyError *failure = NULL;
    bool flushed = self->flush == NULL || self->flush (stream, cancellable, &failure);
    /* Not flushed: it is closed all the same, and the flush's error is the one that is told. */
    bool closed =
        self->close == NULL || self->close (stream, cancellable, flushed ? &failure : NULL);
    stream->stream.closed = true;
    eddy__stream_end (&stream->stream);
    eddy_error_take (error, failure);
    return flushed && closed;
}

bool eddy_output_stream_is_closed (EddyOutputStream *stream)
{
    EDDY__EXPECT (stream != NULL, true);
    return stream->stream.closed;
}

bool eddy_output_stream_has_pending (EddyOutputStream *stream)
{
    EDDY__EXPECT (stream != NULL, false);
    return stream->stream.pending;
}

bool eddy_output_stream_set_pending (EddyOutputStream *stream, EddyError **error)
{
    EDDY__EXPECT (stream != NULL, false);
    return eddy__stream_claim (&stream->stream, error);
}

void eddy_output_stream_clear_pending (EddyOutputStream *stream)
{
    EDDY__EXPECT (stream != NULL);
    eddy__stream_end (&stream->stream);
}
