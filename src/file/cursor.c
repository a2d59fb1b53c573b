/* SPDX-License-Identifier: MIT */
/* A file's handle and a position in it. */
#include "file/cursor-private.h"

#include <eddy/fd-bodies.h>
#include <eddy/file-handle-bodies.h>
#include <errno.h>
#include <unistd.h>

#include "base/object-private.h"
#include "fiber/fiber-private.h"
#include "file/file-info-private.h"
#include "io/stream-private.h"
#include "sys/file-private.h"

/* --- life ------------------------------------------------------------------------------------- */

static void cursor_dispose (void *object)
{
    EddyFileCursor *self = object;
    eddy__file_cursor_discard (self);
    if (self->is_open) /* whoever else has the handle may go on */
        eddy__file_handle_end (self->handle);
    eddy_clear (&self->handle);
}

static const EddyClass cursor_class = { .name = "EddyFileCursor",
                                        .size = sizeof (EddyFileCursor),
                                        .dispose = cursor_dispose };

EddyFileCursor *eddy__file_cursor_new (EddyFile *file, unsigned flags)
{
    EddyFileCursor *self = eddy_object_new (&cursor_class);
    if (self == NULL)
        return NULL;
    self->handle = eddy__file_handle_new (file, (EddyFileOpenFlags) flags);
    return self->handle == NULL ? eddy_unref (self) : self;
}

int eddy__file_cursor_open_file (EddyFileCursor *self)
{
    EddyFileHandle *handle = self->handle;
    int result = eddy__file_handle_open (handle);
    if (result < 0)
        return result;
    if (handle->is_device && eddy__sys_lseek (handle->fd, 0, SEEK_CUR) < 0)
        self->position = -1;
    self->is_open = eddy__file_handle_begin (handle, 0, NULL);
    return 0;
}

bool eddy__file_cursor_open (EddyFileCursor *self, EddyCancellable *cancellable, EddyError **error)
{
    if (eddy_cancellable_set_error_if_cancelled (cancellable, error))
        return false;
    int result = eddy__file_cursor_open_file (self);
    if (result < 0)
        eddy__file_open_error (self->handle->file, result, error);
    return result == 0;
}

/* --- reading and writing ---------------------------------------------------------------------- */

void eddy__file_cursor_advance (EddyFileCursor *self, size_t count)
{
    if (self->position >= 0)
        self->position += (int64_t) count;
}

ssize_t eddy__file_cursor_read (EddyFileCursor *self, void *buffer, size_t count,
                                EddyCancellable *cancellable, EddyError **error)
{
    ssize_t answer =
        eddy__file_handle_read (self->handle, buffer, count, self->position, cancellable, error);
    if (answer > 0)
        eddy__file_cursor_advance (self, (size_t) answer);
    return answer;
}

static ssize_t cursor_write (EddyFileCursor *self, EddyOp *op, EddyCancellable *cancellable,
                             EddyError **error)
{
    ssize_t answer = (ssize_t) eddy__file_handle_do (self->handle, op, cancellable, error);
    if (answer > 0)
        eddy__file_cursor_advance (self, (size_t) answer);
    return answer;
}

ssize_t eddy__file_cursor_write (EddyFileCursor *self, const void *buffer, size_t count,
                                 EddyCancellable *cancellable, EddyError **error)
{
    EddyOp op;
    eddy_fd_write_prepare (&op, self->handle->fd, buffer, count, self->position);
    return cursor_write (self, &op, cancellable, error);
}

ssize_t eddy__file_cursor_writev (EddyFileCursor *self, const EddyOutputVector *vectors,
                                  size_t n_vectors, EddyCancellable *cancellable, EddyError **error)
{
    EddyOp op;
    eddy_fd_writev_prepare (&op, self->handle->fd, vectors, n_vectors, self->position);
    return cursor_write (self, &op, cancellable, error);
}

/* --- positions -------------------------------------------------------------------------------- */

static bool cursor_appends (const EddyFileCursor *self)
{
    return (self->handle->flags & EDDY_FILE_OPEN_APPEND) != 0;
}

int64_t eddy__file_cursor_end (const EddyFileCursor *self)
{
    return eddy__sys_lseek (self->handle->fd, 0, SEEK_END);
}

int64_t eddy__file_cursor_tell (EddyFileCursor *self)
{
    if (self->position < 0)
        return 0;
    int64_t end = cursor_appends (self) ? eddy__file_cursor_end (self) : -1;
    if (end >= 0)
        self->position = end;
    return self->position;
}

bool eddy__file_cursor_can_seek (const EddyFileCursor *self)
{
    return self->position >= 0 && !cursor_appends (self);
}

bool eddy__file_cursor_seek (EddyFileCursor *self, int64_t offset, EddySeekType type,
                             EddyError **error)
{
    int64_t end = type == EDDY_SEEK_END ? eddy__file_cursor_end (self) : 0;
    if (end < 0) {
        eddy_error_set_errno (error, (int) -end, "%s", self->handle->file->path);
        return false;
    }
    int64_t target;
    if (!eddy__stream_target (offset, type, self->position, end, &target, error))
        return false;
    self->position = target;
    return true;
}

/* --- close ------------------------------------------------------------------------------------ */

bool eddy__file_cursor_close (EddyFileCursor *self, EddyError **error)
{
    if (--self->n_streams > 0)
        return true;
    self->is_open = false;
    return eddy__file_handle_close (self->handle, error);
}

/* --- asking ----------------------------------------------------------------------------------- */

static void ask_run (void *data)
{
    EddyFileAsk *self = data;
    self->result = eddy__file_info_ask (self->handle->fd, self->handle->file, &self->info);
}

bool eddy__file_ask_begin (EddyFileAsk *self, EddyOp *op, const EddyFileCursor *cursor,
                           EddyStream *stream, EddyError **error)
{
    if (!eddy__stream_claim (stream, error))
        return false;
    *self = (EddyFileAsk){ .handle = cursor->handle };
    eddy__op_init (op, EDDY_OP_CALL, -1);
    op->flags = EDDY_OP_CALL_ASKS;
    op->as.call.function = ask_run;
    op->as.call.data = self;
    return true;
}

EddyFileInfo *eddy__file_ask_end (EddyFileAsk *self, const EddyOp *op, EddyStream *stream,
                                  EddyError **error)
{
    eddy__stream_end (stream);
    int result = op->result < 0 ? (int) op->result : self->result;
    if (result < 0)
        eddy_error_set_errno (error, -result, "%s", self->handle->file->path);
    return self->info;
}

EddyFileInfo *eddy__file_ask (EddyFileAsk *self, const EddyFileCursor *cursor, EddyStream *stream,
                              EddyCancellable *cancellable, EddyError **error)
{
    EddyOp op;
    if (!eddy__file_ask_begin (self, &op, cursor, stream, error))
        return NULL;
    op.result = eddy__file_handle_do (cursor->handle, &op, cancellable, error);
    if (op.result >= 0)
        return eddy__file_ask_end (self, &op, stream, error);
    eddy__stream_end (stream);
    return NULL;
}
