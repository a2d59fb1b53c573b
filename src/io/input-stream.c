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

const char *eddy__input_stream_get_name (EddyInputStream *stream)
{
    const EddyInputStreamClass *self = eddy__input_stream_get_class (stream);
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
    ssize_t answer =
        eddy__input_stream_get_class (stream)->read (stream, buffer, count, cancellable, error);
    eddy__stream_end (&stream->stream);
    return answer;
}

/* Claims the stream for a request that reads; false: it cannot be one. `*is_ready`: what it asks
 * for is there, and the request is made. */
static bool input_stream_claim_request (EddyInputStream *stream, EddyOp *op, size_t count,
                                        bool *is_ready, EddyError **error)
{
    const EddyInputStreamClass *self = eddy__input_stream_get_class (stream);
    *is_ready = false;
    if (count == 0 || !eddy__stream_check_count (count, error) ||
        !eddy__stream_claim (&stream->stream, error))
        return false;
    *is_ready = self->is_ready != NULL && self->is_ready (stream);
    if (*is_ready)
        eddy__op_init_ready (op);
    return true;
}

/* Begins a request to the fd of a stream that has been claimed, or lets go of the stream. */
static bool input_stream_begin_request (EddyInputStream *stream, EddyOp *op, EddyError **error)
{
    const EddyStreamRequests *requests = eddy__input_stream_get_class (stream)->requests;
    if (requests == NULL || requests->begin (stream, op, error))
        return true;
    eddy__stream_end (&stream->stream);
    return false;
}

/* It has ended: its result, or -1 with the error. */
static int64_t input_stream_end_request (EddyInputStream *stream, const EddyOp *op,
                                         EddyError **error)
{
    const EddyStreamRequests *requests = eddy__input_stream_get_class (stream)->requests;
    if (requests != NULL && (op->op_flags & EDDY_OP_READY) == 0)
        return requests->end (stream, op, error);
    if (op->result >= 0)
        return op->result;
    eddy_error_set_errno (error, (int) -op->result, "%s", eddy__input_stream_get_name (stream));
    return -1;
}

bool eddy_input_stream_read_request (EddyOp *op, EddyInputStream *stream, void *buffer,
                                     size_t count, EddyError **error)
{
    EDDY__EXPECT (stream != NULL && (buffer != NULL || count == 0), false);
    const EddyInputStreamClass *self = eddy__input_stream_get_class (stream);
    bool is_ready;
    if (!input_stream_claim_request (stream, op, count, &is_ready, error) || is_ready)
        return is_ready;
    int64_t offset = -1;
    int fd = self->get_fd == NULL ? -1 : self->get_fd (stream, &offset);
    if (fd < 0) {
        eddy__stream_end (&stream->stream);
        return false;
    }
    eddy_fd_read_prepare (op, fd, buffer, count, offset);
    return input_stream_begin_request (stream, op, error);
}

ssize_t eddy_input_stream_read_result (const EddyOp *op, EddyInputStream *stream, void *buffer,
                                       size_t count, EddyError **error)
{
    const EddyInputStreamClass *self = eddy__input_stream_get_class (stream);
    ssize_t answer = (ssize_t) op->result;
    if (answer >= 0 && (op->op_flags & EDDY_OP_READY) != 0)
        answer = self->read (stream, buffer, count, NULL, error);
    else
        answer = (ssize_t) input_stream_end_request (stream, op, error);
    if (answer > 0 && (op->op_flags & EDDY_OP_READY) == 0 && self->advance != NULL)
        self->advance (stream, (size_t) answer);
    eddy__stream_end (&stream->stream);
    return answer;
}

/* --- more than one read ----------------------------------------------------------------------- */

/* Reads until the buffer is full, or the end; the stream has begun. */
static bool input_stream_fill (EddyInputStream *stream, char *buffer, size_t count,
                               size_t *bytes_read, EddyCancellable *cancellable, EddyError **error)
{
    const EddyInputStreamClass *self = eddy__input_stream_get_class (stream);
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
                    "%s: the end came after %zu of %zu bytes", eddy__input_stream_get_name (stream),
                    *done, count);
    return false;
}

/* The fd of which one read is all, whatever its position; -1: there is none that can be told. */
static int input_stream_get_waiting_fd (EddyInputStream *stream)
{
    const EddyInputStreamClass *self = eddy__input_stream_get_class (stream);
    int64_t offset = -1;
    int fd = self->get_fd == NULL ? -1 : self->get_fd (stream, &offset);
    return offset == -1 ? fd : -1;
}

static void read_bytes_prepare (EddyOp *op, int fd, size_t count)
{
    eddy__op_init (op, EDDY_OP_READ_BYTES, fd);
    op->as.transfer.len = count;
}

/* By a read of the kind's own, which may wait for what is not an fd's. */
static EddyBytes *input_stream_read_bytes_by_read (EddyInputStream *stream, size_t count,
                                                   EddyCancellable *cancellable, EddyError **error)
{
    EddyBytes *bytes = eddy__bytes_new_uninitialised (count);
    if (bytes == NULL) {
        eddy_error_set_errno (error, ENOMEM, "%s: %zu bytes", eddy__input_stream_get_name (stream),
                              count);
        return NULL;
    }
    ssize_t answer = eddy__input_stream_get_class (stream)->read (
        stream, eddy__bytes_get_writable (bytes), count, cancellable, error);
    if (answer >= 0)
        return eddy__bytes_shrink (bytes, (size_t) answer);
    eddy_unref (bytes);
    return NULL;
}

/* Waits where the caller stands; holds no memory meanwhile. */
static EddyBytes *input_stream_read_bytes_of_fd (EddyInputStream *stream, int fd, size_t count,
                                                 EddyCancellable *cancellable, EddyError **error)
{
    EddyOp op;
    const EddyStreamRequests *requests = eddy__input_stream_get_class (stream)->requests;
    read_bytes_prepare (&op, fd, count);
    if (requests != NULL)
        return requests->run (stream, &op, cancellable, error) < 0 ? NULL : op.as.transfer.buf;
    int64_t answer = eddy__do_op (&op, cancellable);
    if (answer >= 0)
        return op.as.transfer.buf;
    if (answer != -ECANCELED || eddy__may_go_on (cancellable, error))
        eddy_error_set_errno (error, (int) -answer, "%s", eddy__input_stream_get_name (stream));
    return NULL;
}

EddyBytes *eddy__input_stream_read_bytes_begun (EddyInputStream *stream, size_t count,
                                                EddyCancellable *cancellable, EddyError **error)
{
    bool is_more = eddy__input_stream_get_class (stream)->requests != NULL;
    int fd = is_more ? -1 : input_stream_get_waiting_fd (stream);
    if (fd < 0 && !is_more)
        return input_stream_read_bytes_by_read (stream, count, cancellable, error);
    return input_stream_read_bytes_of_fd (stream, fd, count, cancellable, error);
}

EddyBytes *eddy_input_stream_read_bytes_body (EddyInputStream *stream, size_t count,
                                              EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (stream != NULL, NULL);
    if (count == 0)
        return eddy__bytes_new_uninitialised (0);
    if (!eddy__stream_check_count (count, error) ||
        !eddy__stream_begin (&stream->stream, cancellable, error))
        return NULL;
    EddyBytes *bytes = eddy__input_stream_read_bytes_begun (stream, count, cancellable, error);
    eddy__stream_end (&stream->stream);
    return bytes;
}

bool eddy_input_stream_read_bytes_request (EddyOp *op, EddyInputStream *stream, size_t count,
                                           EddyError **error)
{
    EDDY__EXPECT (stream != NULL, false);
    bool is_ready;
    if (!input_stream_claim_request (stream, op, count, &is_ready, error) || is_ready)
        return is_ready;
    int fd = input_stream_get_waiting_fd (stream);
    if (fd < 0) {
        eddy__stream_end (&stream->stream);
        return false;
    }
    read_bytes_prepare (op, fd, count);
    return input_stream_begin_request (stream, op, error);
}

EddyBytes *eddy_input_stream_read_bytes_result (const EddyOp *op, EddyInputStream *stream,
                                                size_t count, EddyError **error)
{
    EddyBytes *bytes = NULL;
    if (op->result >= 0 && (op->op_flags & EDDY_OP_READY) != 0)
        bytes = input_stream_read_bytes_by_read (stream, count, NULL, error);
    else if (input_stream_end_request (stream, op, error) >= 0)
        bytes = op->as.transfer.buf;
    eddy__stream_end (&stream->stream);
    return bytes;
}

/* --- skip ------------------------------------------------------------------------------------- */

static ssize_t input_stream_skip_once (EddyInputStream *stream, size_t count,
                                       EddyCancellable *cancellable, EddyError **error)
{
    const EddyInputStreamClass *self = eddy__input_stream_get_class (stream);
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
    const EddyInputStreamClass *self = eddy__input_stream_get_class (stream);
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
