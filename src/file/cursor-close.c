/* SPDX-License-Identifier: MIT */
/* The end of a stream that writes a file: what replaces another file takes its name, the etag is
 * noted, the file is closed. All of that may wait for a disk, so it is one job, on a worker.
 *
 * Up to the moment in which the file is replaced a cancel leaves the old one. From then on, and
 * where nothing is replaced, nothing is left that a cancel could undo, and it is done. */
#include "file/cursor-private.h"

#include <errno.h>

#include "base/alloc-private.h"
#include "base/log-private.h"
#include "base/object-private.h"
#include "engine/engine-private.h"
#include "fiber/fiber-private.h"
#include "file/replace-private.h"
#include "sys/file-private.h"

/* --- replacing -------------------------------------------------------------------------------- */

static void cursor_end_replace (EddyFileReplace *replace)
{
    eddy__replace_end (replace);
    eddy__free (replace);
}

bool eddy__file_cursor_replace (EddyFileCursor *self, const EddyFileReplaceHow *how,
                                EddyError **error)
{
    EddyFileHandle *handle = self->handle;
    EddyFileReplace *replace = eddy__alloc (sizeof *replace);
    if (replace == NULL) {
        eddy_error_set_errno (error, ENOMEM, "%s", handle->file->path);
        return false;
    }
    int result = eddy__replace_begin (replace, handle->file, how->etag, how->make_backup,
                                      how->flags, /* durable= */ true);
    /* The handle's fd is its own: it may be read from after the commit. */
    if (result == 0)
        result = eddy__sys_dup (replace->fd);
    if (result < 0) {
        eddy__replace_report (replace, result, NULL, error);
        cursor_end_replace (replace);
        return false;
    }
    handle->fd = result;
    self->replace = replace;
    self->is_open = eddy__file_handle_begin (handle, 0, NULL);
    return true;
}

/* --- closing ---------------------------------------------------------------------------------- */

typedef struct CursorClose {
    EddyFileCursor *cursor;
    EddyCancellable *cancellable; /* that the commit looks at; NULL: none */
    bool is_done;
    EddyError *error; /* the first; before it has begun: the cancel, and nothing is committed */
} CursorClose;

static void close_commit (CursorClose *self)
{
    EddyFileCursor *cursor = self->cursor;
    EddyFileReplace *replace = EDDY_TAKE (cursor->replace);
    int result = self->error != NULL ? 0 : eddy__replace_commit (replace, self->cancellable);
    if (result < 0)
        eddy__replace_report (replace, result, self->cancellable, &self->error);
    if (self->error == NULL)
        eddy__file_etag_of (&replace->info, cursor->etag);
    cursor_end_replace (replace);
}

static void close_run (void *data)
{
    CursorClose *self = data;
    EddyFileCursor *cursor = self->cursor;
    struct statx info;
    self->is_done = true;
    if (cursor->replace != NULL)
        close_commit (self);
    else if (eddy__sys_fstatx (cursor->handle->fd, STATX_BASIC_STATS, &info) == 0)
        eddy__file_etag_of (&info, cursor->etag);
    if (cursor->n_streams > 0)
        return;
    cursor->is_open = false;
    (void) eddy__file_handle_close (cursor->handle, self->error == NULL ? &self->error : NULL);
}

/* One try to have a worker do it; a cancel comes before it or not at all. */
static void close_try (CursorClose *self, EddyCancellable *cancellable)
{
    EddyOp op;
    eddy__op_init (&op, EDDY_OP_CALL, -1);
    op.as.call.function = close_run;
    op.as.call.data = self;
    (void) eddy__do_op (&op, cancellable);
}

/* The same whatever is cancelled, and also where no worker could: late is better than never. */
static void close_surely (CursorClose *self)
{
    EddyFiber *fiber = eddy__fiber_current ();
    if (fiber != NULL) {
        fiber->shielded++;
        close_try (self, NULL);
        fiber->shielded--;
    }
    if (!self->is_done)
        close_run (self);
}

bool eddy__file_cursor_close_written (EddyFileCursor *self, EddyCancellable *cancellable,
                                      EddyError **error)
{
    EddyFiber *fiber = eddy__fiber_current ();
    CursorClose closing = { .cursor = self, .cancellable = cancellable };
    self->n_streams--;
    if (self->replace != NULL) {
        if (cancellable == NULL && fiber != NULL && fiber->shielded == 0)
            closing.cancellable = eddy__fiber_get_scope (fiber);
        close_try (&closing, cancellable);
        if (!closing.is_done)
            (void) eddy__may_go_on (cancellable, &closing.error);
    }
    if (!closing.is_done)
        close_surely (&closing);
    bool good = closing.error == NULL;
    eddy_error_take (error, closing.error);
    return good;
}

/* --- giving up -------------------------------------------------------------------------------- */

typedef struct CursorDiscard {
    EddyOp op;
    EddyFileReplace *replace;
} CursorDiscard;

static void discard_run (void *data)
{
    cursor_end_replace (((CursorDiscard *) data)->replace);
}

static void discard_complete (EddyOp *op)
{
    CursorDiscard *self = EDDY__CONTAINER (op, CursorDiscard, op);
    eddy__block_free (self, sizeof *self);
}

void eddy__file_cursor_discard (EddyFileCursor *self)
{
    EddyFileReplace *replace = EDDY_TAKE (self->replace);
    if (replace == NULL)
        return;
    eddy__log (EDDY_LOG_WARNING, "%s was to be replaced by a stream that was not closed: it stays",
               self->handle->file->path);
    CursorDiscard *discard = eddy__block_alloc (sizeof *discard);
    if (discard == NULL) {
        cursor_end_replace (replace);
        return;
    }
    discard->replace = replace;
    eddy__op_init (&discard->op, EDDY_OP_CALL, -1);
    discard->op.as.call.function = discard_run;
    discard->op.as.call.data = discard;
    discard->op.complete = discard_complete;
    eddy__workers_publish_one (&discard->op);
}
