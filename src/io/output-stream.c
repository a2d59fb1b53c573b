/* SPDX-License-Identifier: MIT */
/* EddyOutputStream: what all kinds of output streams do alike. */
#include <eddy/output-stream-bodies.h>

#include <eddy/fd-bodies.h>
#include <limits.h>

#include "base/object-private.h"
#include "engine/operation-private.h"
#include "fiber/fiber-private.h"
#include "io/stream-private.h"

const char *eddy__output_stream_get_name (EddyOutputStream *stream)
{
    const EddyOutputStreamClass *self = eddy__output_stream_get_class (stream);
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
        eddy__output_stream_get_class (stream)->write (stream, buffer, count, cancellable, error);
    eddy__stream_end (&stream->stream);
    return answer;
}

/* Has the stream pending for one request to its fd, at *offset where it has positions; or -1: it
 * has none, or the body tells why. */
static int output_stream_claim_fd (EddyOutputStream *stream, int64_t *offset, EddyError **error)
{
    const EddyOutputStreamClass *self = eddy__output_stream_get_class (stream);
    *offset = -1;
    if (!eddy__stream_claim (&stream->stream, error))
        return -1;
    int fd = self->get_fd == NULL ? -1 : self->get_fd (stream, offset);
    if (fd < 0)
        eddy__stream_end (&stream->stream);
    return fd;
}

/* Has the stream pending for a write that need not wait; or false: it would have to, or the body
 * tells why not. */
static bool output_stream_claim_ready (EddyOutputStream *stream, size_t count)
{
    const EddyOutputStreamClass *self = eddy__output_stream_get_class (stream);
    if (self->is_ready == NULL || !eddy__stream_claim (&stream->stream, NULL))
        return false;
    bool is_ready = self->is_ready (stream, count);
    if (!is_ready)
        eddy__stream_end (&stream->stream);
    return is_ready;
}

/* Begins a request to the fd of a stream that has been claimed, or lets go of the stream. */
static bool output_stream_begin_request (EddyOutputStream *stream, EddyOp *op, EddyError **error)
{
    const EddyStreamRequests *requests = eddy__output_stream_get_class (stream)->requests;
    if (requests == NULL || requests->begin (stream, op, error))
        return true;
    eddy__stream_end (&stream->stream);
    return false;
}

static ssize_t output_stream_request_result (const EddyOp *op, EddyOutputStream *stream,
                                             EddyError **error)
{
    const EddyOutputStreamClass *self = eddy__output_stream_get_class (stream);
    int64_t answer = op->result;
    if (self->requests != NULL)
        answer = self->requests->end (stream, op, error);
    else if (answer < 0)
        eddy_error_set_errno (error, (int) -answer, "%s", eddy__output_stream_get_name (stream));
    if (answer > 0 && self->advance != NULL)
        self->advance (stream, (size_t) answer);
    eddy__stream_end (&stream->stream);
    return answer < 0 ? -1 : (ssize_t) answer;
}

bool eddy_output_stream_write_request (EddyOp *op, EddyOutputStream *stream, const void *buffer,
                                       size_t count, EddyError **error)
{
    EDDY__EXPECT (stream != NULL && (buffer != NULL || count == 0), false);
    if (count == 0 || !eddy__stream_check_count (count, error))
        return false;
    if (output_stream_claim_ready (stream, count)) {
        eddy__op_init_ready (op);
        return true;
    }
    int64_t offset;
    int fd = output_stream_claim_fd (stream, &offset, error);
    if (fd < 0)
        return false;
    eddy_fd_write_prepare (op, fd, buffer, count, offset);
    return output_stream_begin_request (stream, op, error);
}

ssize_t eddy_output_stream_write_result (const EddyOp *op, EddyOutputStream *stream,
                                         const void *buffer, size_t count, EddyError **error)
{
    if (op->result < 0 || (op->op_flags & EDDY_OP_READY) == 0)
        return output_stream_request_result (op, stream, error);
    ssize_t answer =
        eddy__output_stream_get_class (stream)->write (stream, buffer, count, NULL, error);
    eddy__stream_end (&stream->stream);
    return answer;
}

ssize_t eddy_output_stream_write_bytes_body (EddyOutputStream *stream, EddyBytes *bytes,
                                             EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (bytes != NULL, -1);
    return eddy_output_stream_write_body (stream, eddy_bytes_get_data (bytes),
                                          eddy_bytes_get_size (bytes), cancellable, error);
}

/* --- all of it -------------------------------------------------------------------------------- */

bool eddy__output_stream_advanced (EddyOutputStream *stream, ssize_t answer, EddyError **error)
{
    if (EDDY__UNLIKELY (answer == 0))
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_FAILED, "%s: nothing was written",
                        eddy__output_stream_get_name (stream));
    return answer > 0;
}

bool eddy__output_stream_write_begun (EddyOutputStream *stream, const void *buffer, size_t count,
                                      size_t *bytes_written, EddyCancellable *cancellable,
                                      EddyError **error)
{
    const EddyOutputStreamClass *self = eddy__output_stream_get_class (stream);
    ssize_t answer = 1;
    *bytes_written = 0;
    while (*bytes_written < count && answer > 0) {
        answer = self->write (stream, (const char *) buffer + *bytes_written,
                              count - *bytes_written, cancellable, error);
        if (eddy__output_stream_advanced (stream, answer, error))
            *bytes_written += (size_t) answer;
    }
    return *bytes_written == count;
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
    bool all = eddy__output_stream_write_begun (stream, buffer, count, done, cancellable, error);
    eddy__stream_end (&stream->stream);
    return all;
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

/* Passes over the empty runs in front of one that is not; how many are left. Else more of them than
 * the kernel takes at once would be nothing written. */
static size_t vectors_skip_empty (const EddyOutputVector **vectors, size_t n_vectors)
{
    while ((*vectors)->size == 0) {
        ++*vectors;
        n_vectors--;
    }
    return n_vectors;
}

/* Some of runs that are not all empty; the stream has begun. */
static ssize_t output_stream_writev_once (EddyOutputStream *stream, const EddyOutputVector *vectors,
                                          size_t n_vectors, EddyCancellable *cancellable,
                                          EddyError **error)
{
    const EddyOutputStreamClass *self = eddy__output_stream_get_class (stream);
    n_vectors = vectors_skip_empty (&vectors, n_vectors);
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

bool eddy_output_stream_writev_request (EddyOp *op, EddyOutputStream *stream,
                                        const EddyOutputVector *vectors, size_t n_vectors,
                                        EddyError **error)
{
    EDDY__EXPECT (stream != NULL && (vectors != NULL || n_vectors == 0), false);
    size_t count;
    if (!vectors_count (vectors, n_vectors, &count, error) || count == 0)
        return false;
    int64_t offset;
    int fd = output_stream_claim_fd (stream, &offset, error);
    if (fd < 0)
        return false;
    n_vectors = vectors_skip_empty (&vectors, n_vectors);
    eddy_fd_writev_prepare (op, fd, vectors, n_vectors, offset);
    return output_stream_begin_request (stream, op, error);
}

ssize_t eddy_output_stream_writev_result (const EddyOp *op, EddyOutputStream *stream,
                                          const EddyOutputVector *vectors, size_t n_vectors,
                                          EddyError **error)
{
    (void) vectors;
    (void) n_vectors;
    return output_stream_request_result (op, stream, error);
}

/* Takes bytes off the front of the runs. */
static void vectors_advance (EddyOutputVector *vectors, size_t n_vectors, size_t count)
{
    for (size_t i = 0; i < n_vectors && count > 0; i++) {
        size_t taken = count < vectors[i].size ? count : vectors[i].size;
        if (taken == 0) /* perhaps without a buffer */
            continue;
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
        if (eddy__output_stream_advanced (stream, answer, error)) {
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
    const EddyOutputStreamClass *self = eddy__output_stream_get_class (stream);
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
    const EddyOutputStreamClass *self = eddy__output_stream_get_class (stream);
    EddyError *failure = NULL;
    bool flushed = self->flush == NULL || self->flush (stream, cancellable, &failure);
    /* Not flushed: it is closed all the same, and the flush's error is the one that is told. But
     * what lies beneath must not take for whole what has come so far. */
    EDDY_AUTO (EddyCancellable) given_up = flushed ? NULL : eddy__stream_give_up ();
    bool closed = self->close == NULL ||
                  self->close (stream, flushed ? cancellable : given_up, flushed ? &failure : NULL);
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

bool eddy_output_stream_is_closing (EddyOutputStream *stream)
{
    EDDY__EXPECT (stream != NULL, false);
    return stream->stream.closing && !stream->stream.closed;
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
