/* SPDX-License-Identifier: MIT */
/* What all streams share: one operation at a time, positions, the end of an fd. */
#include <eddy/stream-bodies.h>

#include <errno.h>
#include <limits.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "engine/engine-private.h"
#include "fiber/fiber-private.h"
#include "io/stream-private.h"
#include "sys/file-private.h"

/* --- one operation at a time ------------------------------------------------------------------ */

bool eddy__stream_claim (EddyStream *stream, EddyError **error)
{
    const char *name = stream->object.object_class->name;
    if (EDDY__UNLIKELY (stream->closed)) {
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_CLOSED, "%s is closed", name);
        return false;
    }
    if (EDDY__UNLIKELY (stream->pending)) {
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_PENDING,
                        "%s has another operation under way", name);
        return false;
    }
    stream->pending = true;
    return true;
}

bool eddy__stream_begin (EddyStream *stream, EddyCancellable *cancellable, EddyError **error)
{
    if (!eddy__stream_claim (stream, error))
        return false;
    if (EDDY__LIKELY (eddy__may_go_on (cancellable, error)))
        return true;
    stream->pending = false;
    return false;
}

int eddy__stream_begin_close (EddyStream *stream, EddyError **error)
{
    if (stream->closed)
        return 1;
    if (stream->pending) {
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_PENDING,
                        "%s cannot be closed: it has an operation under way",
                        stream->object.object_class->name);
        return -1;
    }
    stream->pending = true;
    return 0;
}

bool eddy__stream_check_count (size_t count, EddyError **error)
{
    if (EDDY__LIKELY (count <= SSIZE_MAX))
        return true;
    eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_ARGUMENT,
                    "%zu bytes are more than one operation can count", count);
    return false;
}

/* --- positions -------------------------------------------------------------------------------- */

static EddyStream *seekable_stream (EddySeekable *seekable)
{
    return (EddyStream *) (void *) seekable;
}

static const EddySeekableFuncs *seekable_funcs (EddySeekable *seekable)
{
    const EddyClass *object_class = seekable_stream (seekable)->object.object_class;
    return ((const EddyStreamClass *) (const void *) object_class)->seekable;
}

static bool seekable_refuse (EddySeekable *seekable, const char *what, EddyError **error)
{
    eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_NOT_SUPPORTED, "%s cannot be %s",
                    seekable_stream (seekable)->object.object_class->name, what);
    return false;
}

int64_t eddy_seekable_tell (EddySeekable *seekable)
{
    EDDY__EXPECT (seekable != NULL, 0);
    const EddySeekableFuncs *funcs = seekable_funcs (seekable);
    return funcs == NULL ? 0 : funcs->tell (seekable);
}

bool eddy_seekable_can_seek (EddySeekable *seekable)
{
    EDDY__EXPECT (seekable != NULL, false);
    const EddySeekableFuncs *funcs = seekable_funcs (seekable);
    return funcs != NULL && !seekable_stream (seekable)->closed && funcs->can_seek (seekable);
}

bool eddy_seekable_seek (EddySeekable *seekable, int64_t offset, EddySeekType type,
                         EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (seekable != NULL, false);
    EddyStream *stream = seekable_stream (seekable);
    if (!eddy__stream_begin (stream, cancellable, error))
        return false;
    bool done = eddy_seekable_can_seek (seekable)
                    ? seekable_funcs (seekable)->seek (seekable, offset, type, error)
                    : seekable_refuse (seekable, "positioned", error);
    eddy__stream_end (stream);
    return done;
}

bool eddy_seekable_can_truncate (EddySeekable *seekable)
{
    EDDY__EXPECT (seekable != NULL, false);
    const EddySeekableFuncs *funcs = seekable_funcs (seekable);
    return funcs != NULL && !seekable_stream (seekable)->closed && funcs->can_truncate (seekable);
}

bool eddy_seekable_truncate_body (EddySeekable *seekable, int64_t size,
                                  EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (seekable != NULL, false);
    EddyStream *stream = seekable_stream (seekable);
    if (!eddy__stream_begin (stream, cancellable, error))
        return false;
    bool done = false;
    if (size < 0)
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_ARGUMENT,
                        "a size of %lld bytes is below 0", (long long) size);
    else if (eddy_seekable_can_truncate (seekable))
        done = seekable_funcs (seekable)->truncate (seekable, size, cancellable, error);
    else
        done = seekable_refuse (seekable, "given a size", error);
    eddy__stream_end (stream);
    return done;
}

bool eddy__stream_target (int64_t offset, EddySeekType type, int64_t position, int64_t end,
                          int64_t *target, EddyError **error)
{
    int64_t base = type == EDDY_SEEK_SET ? 0 : type == EDDY_SEEK_END ? end : position;
    if (!__builtin_add_overflow (base, offset, target) && *target >= 0)
        return true;
    eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_ARGUMENT,
                    "offset %lld leads to no position of the stream", (long long) offset);
    return false;
}

/* --- the end of an fd ------------------------------------------------------------------------- */

bool eddy__stream_close_fd (int fd, bool may_wait, const char *name, EddyError **error)
{
    int64_t answer;
    EddyFiber *fiber = may_wait ? eddy__fiber_current () : NULL;
    if (fiber != NULL) {
        EddyOp op;
        eddy__op_init (&op, EDDY_OP_CLOSE, fd);
        fiber->shielded++;
        answer = eddy__do_op (&op, NULL);
        fiber->shielded--;
    } else {
        answer = eddy__sys_close (fd);
    }
    /* The fd is gone, even so. */
    if (answer >= 0 || answer == -EINTR)
        return true;
    eddy_error_set_errno (error, (int) -answer, "%s", name);
    return false;
}

typedef struct CloseJob {
    EddyOp op;
} CloseJob;

static void close_job_run (void *data)
{
    CloseJob *job = data;
    (void) eddy__sys_close (job->op.fd);
}

static void close_job_complete (EddyOp *op)
{
    CloseJob *job = EDDY__CONTAINER (op, CloseJob, op);
    eddy__block_free (job, sizeof *job);
}

void eddy__stream_close_fd_later (int fd, bool may_wait)
{
    CloseJob *job = may_wait ? eddy__block_alloc (sizeof *job) : NULL;
    /* Without memory: late is better than never. */
    if (job == NULL) {
        (void) eddy__sys_close (fd);
        return;
    }
    eddy__op_init (&job->op, EDDY_OP_CALL, fd);
    job->op.as.call.function = close_job_run;
    job->op.as.call.data = job;
    job->op.complete = close_job_complete;
    eddy__workers_publish_one (&job->op);
}
