/* SPDX-License-Identifier: MIT */
/* Locks of open files. */
#include <eddy/fd.h>
#include <eddy/file-handle-bodies.h>
#include <errno.h>
#include <poll.h>

#include "base/object-private.h"
#include "fiber/fiber-private.h"
#include "file/handle-private.h"
#include "sys/lock-private.h"

/* What a lock is called by the system, and what the file must be open for. */
static int lock_type (EddyFileLock lock)
{
    return lock == EDDY_FILE_LOCK_EXCLUSIVE ? F_WRLCK : F_RDLCK;
}

static unsigned lock_needs (EddyFileLock lock)
{
    return lock == EDDY_FILE_LOCK_EXCLUSIVE ? EDDY__HANDLE_WRITES : EDDY__HANDLE_READS;
}

/* Begins a call about the handle's lock, which is the only one meanwhile. */
static bool lock_begin (EddyFileHandle *self, unsigned needed, EddyError **error)
{
    if (!eddy__file_handle_begin (self, needed, error))
        return false;
    if (!__atomic_exchange_n (&self->lock_pending, true, __ATOMIC_ACQUIRE))
        return true;
    eddy__file_handle_end (self);
    eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_PENDING,
                    "%s: another call is about its lock", self->file->path);
    return false;
}

static void lock_end (EddyFileHandle *self)
{
    __atomic_store_n (&self->lock_pending, false, __ATOMIC_RELEASE);
    eddy__file_handle_end (self);
}

/* Sets the lock at once; 0 or -errno. */
static int lock_set (EddyFileHandle *self, int type)
{
    int result = eddy__sys_ofd_lock (self->fd, type);
    if (result == 0)
        self->lock_type = type;
    return result == -EACCES ? -EAGAIN : result; /* POSIX lets a system say either */
}

/* --- waiting ---------------------------------------------------------------------------------- */

/* Waits for others to give theirs up; 0, or -errno with the error of what ended the wait in
 * `*failure`, if that was a cancel. */
static int lock_wait (EddyFileHandle *self, int type, EddyCancellable *cancellable,
                      EddyError **failure)
{
    EddySysLockWait wait;
    int result = eddy__sys_lock_wait_begin (&wait, self->fd, type);
    if (result < 0)
        return result;
    (void) eddy_fd_wait (wait.event_fd, POLLIN, cancellable, failure);
    result = eddy__sys_lock_wait_end (&wait);
    if (result == 0)
        self->lock_type = type;
    else if (result == -ECANCELED) /* perhaps granted, and nobody would know: back to what it was */
        (void) eddy__sys_ofd_lock (self->fd, self->lock_type);
    return result;
}

bool eddy_file_handle_lock_body (EddyFileHandle *handle, EddyFileLock lock,
                                 EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (handle != NULL, false);
    if (!eddy__may_go_on (cancellable, error) || !lock_begin (handle, lock_needs (lock), error))
        return false;
    EddyError *failure = NULL;
    int result = lock_set (handle, lock_type (lock));
    if (result == -EAGAIN)
        result = lock_wait (handle, lock_type (lock), cancellable, &failure);
    lock_end (handle);
    if (result == 0)
        eddy_clear_error (&failure); /* a cancel that came too late */
    else if (failure == NULL)
        eddy_error_set_errno (&failure, -result, "%s", handle->file->path);
    eddy_error_take (error, failure);
    return result == 0;
}

/* --- at once ---------------------------------------------------------------------------------- */

bool eddy_file_handle_try_lock (EddyFileHandle *handle, EddyFileLock lock, EddyError **error)
{
    EDDY__EXPECT (handle != NULL, false);
    if (!lock_begin (handle, lock_needs (lock), error))
        return false;
    int result = lock_set (handle, lock_type (lock));
    lock_end (handle);
    if (result < 0)
        eddy_error_set_errno (error, -result, "%s", handle->file->path);
    return result == 0;
}

bool eddy_file_handle_unlock (EddyFileHandle *handle, EddyError **error)
{
    EDDY__EXPECT (handle != NULL, false);
    if (!lock_begin (handle, 0, error))
        return false;
    int result = lock_set (handle, F_UNLCK);
    lock_end (handle);
    if (result < 0)
        eddy_error_set_errno (error, -result, "%s", handle->file->path);
    return result == 0;
}
