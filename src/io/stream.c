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
#include "loop/cancellable-private.h"
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
    stream->closing = true;
    return 0;
}

EddyCancellable *eddy__stream_give_up (void)
{
    EddyCancellable *cancelled = eddy_cancellable_new ();
    if (cancelled == NULL)
        return eddy_ref (eddy__cancellable_no_memory ());
    eddy_cancellable_cancel (cancelled);
    return cancelled;
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

bool eddy__seekable_has_positions (EddySeekable *seekable)
{
    return seekable_funcs (seekable) != NULL;
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

bool eddy_seekable_seek_body (EddySeekable *seekable, int64_t offset, EddySeekType type,
                              EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (seekable != NULL, false);
    EddyStream *stream = seekable_stream (seekable);
    if (!eddy__stream_begin (stream, cancellable, error))
        return false;
    bool done = eddy_seekable_can_seek (seekable)
                    ? seekable_funcs (seekable)->seek (seekable, offset, type, cancellable, error)
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

typedef struct FdClose {
    EddyOp op;
    int fd;
    bool is_done;
    int answer;
} FdClose;

static void fd_close_run (void *data)
{
    FdClose *self = data;
    self->answer = eddy__sys_close (self->fd);
    self->is_done = true;
}

static void fd_close_prepare (FdClose *self, int fd)
{
    *self = (FdClose){ .fd = fd };
    eddy__op_init (&self->op, EDDY_OP_CALL, -1);
    self->op.as.call.function = fd_close_run;
    self->op.as.call.data = self;
}

bool eddy__stream_close_fd (int fd, bool may_wait, const char *name, EddyError **error)
{
    FdClose self;
    EddyFiber *fiber = may_wait ? eddy__fiber_current () : NULL;
    fd_close_prepare (&self, fd);
    if (fiber != NULL) {
        fiber->shielded++;
        (void) eddy__do_op (&self.op, NULL);
        fiber->shielded--;
    }
    if (!self.is_done) /* also where no worker could: late is better than never */
        fd_close_run (&self);
    /* When it was interrupted, the fd is gone all the same. */
    if (self.answer >= 0 || self.answer == -EINTR)
        return true;
    eddy_error_set_errno (error, -self.answer, "%s", name);
    return false;
}

static void fd_close_complete (EddyOp *op)
{
    FdClose *self = EDDY__CONTAINER (op, FdClose, op);
    eddy__block_free (self, sizeof *self);
}

void eddy__stream_close_fd_later (int fd, bool may_wait)
{
    /* In the child of a fork there are no workers. */
    bool by_worker = may_wait && !eddy__engine_is_orphaned ();
    FdClose *self = by_worker ? eddy__block_alloc (sizeof *self) : NULL;
    if (self == NULL) {
        (void) eddy__sys_close (fd);
        return;
    }
    fd_close_prepare (self, fd);
    self->op.complete = fd_close_complete;
    eddy__workers_publish_one (&self->op);
}
