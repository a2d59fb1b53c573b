/* SPDX-License-Identifier: MIT */
/* EddyFileHandle: opening, who uses it, closing. */
#include "file/handle-private.h"

#include <eddy/file-handle-bodies.h>
#include <errno.h>

#include "base/error-private.h"
#include "base/lock-private.h"
#include "base/object-private.h"
#include "fiber/fiber-private.h"
#include "file/at-private.h"
#include "file/file-info-private.h"
#include "io/stream-private.h"
#include "sys/file-private.h"
#include "sys/thread-private.h"

/* --- opening ---------------------------------------------------------------------------------- */

bool eddy__file_open_flags_check (EddyFileOpenFlags flags, const EddyFile *file, EddyError **error)
{
    const char *wrong = NULL;
    if ((flags & (EDDY_FILE_OPEN_READ | EDDY__HANDLE_WRITES)) == 0)
        wrong = "neither to be read nor to be written";
    else if ((flags & EDDY_FILE_OPEN_TRUNCATE) != 0 && (flags & EDDY__HANDLE_WRITES) == 0)
        wrong = "to be emptied and not to be written";
    else if ((flags & EDDY_FILE_OPEN_EXCLUSIVE) != 0 && (flags & EDDY_FILE_OPEN_CREATE) == 0)
        wrong = "to be new and not to be made";
    if (wrong != NULL)
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_ARGUMENT, "%s: %s", file->path,
                        wrong);
    return wrong == NULL;
}

static int open_system_flags (EddyFileOpenFlags flags)
{
    static const struct {
        EddyFileOpenFlags flag;
        int system;
    } table[] = {
        { EDDY_FILE_OPEN_APPEND, O_APPEND },  { EDDY_FILE_OPEN_CREATE, O_CREAT },
        { EDDY_FILE_OPEN_EXCLUSIVE, O_EXCL }, { EDDY_FILE_OPEN_TRUNCATE, O_TRUNC },
        { EDDY_FILE_OPEN_DIRECT, O_DIRECT },  { EDDY_FILE_OPEN_NOFOLLOW, O_NOFOLLOW },
    };
    bool writes = (flags & EDDY__HANDLE_WRITES) != 0;
    bool reads = (flags & EDDY_FILE_OPEN_READ) != 0;
    int system = O_NOCTTY | (!writes ? O_RDONLY : reads ? O_RDWR : O_WRONLY);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if ((flags & table[i].flag) != 0)
            system |= table[i].system;
    return system;
}

/* Whether it is of a kind that has no offsets and may have a peer who waits; or a folder. */
static int open_refused (const struct statx *info)
{
    if (S_ISDIR (info->stx_mode))
        return -EISDIR;
    return S_ISFIFO (info->stx_mode) || S_ISSOCK (info->stx_mode) ? -EMEDIUMTYPE : 0;
}

/* Asked before it is opened, since opening a fifo wakes its writer. */
static int open_ask (const EddyFile *file, EddyFileOpenFlags flags)
{
    struct statx info;
    if ((flags & EDDY_FILE_OPEN_EXCLUSIVE) != 0)
        return 0;
    bool follow = (flags & EDDY_FILE_OPEN_NOFOLLOW) == 0;
    int result = eddy__file_statx (file, follow, STATX_TYPE, &info);
    if (result == -ENOENT && (flags & EDDY_FILE_OPEN_CREATE) != 0)
        return 0;
    return result < 0 ? result : open_refused (&info);
}

int eddy__file_handle_open (EddyFileHandle *self)
{
    int result = open_ask (self->file, self->flags);
    if (result < 0)
        return result;
    mode_t mode = (self->flags & EDDY_FILE_OPEN_PRIVATE) != 0 ? 0600 : 0666;
    int flags = open_system_flags (self->flags);
    /* O_NONBLOCK is for a fifo that has taken the name meanwhile; for a lease of another process we
     * do wait. */
    int fd = eddy__file_open (self->file, flags | O_NONBLOCK, mode);
    if (fd == -EAGAIN)
        fd = eddy__file_open (self->file, flags, mode);
    if (fd < 0)
        return fd;
    self->fd = fd;
    if ((self->flags & EDDY_FILE_OPEN_EXCLUSIVE) != 0)
        return 0; /* it has been made here and now, so it is a regular file */
    struct statx info;
    result = eddy__sys_fstatx (fd, STATX_TYPE, &info);
    if (result == 0)
        result = open_refused (&info);
    if (result == 0)
        self->is_device = S_ISCHR (info.stx_mode);
    return result;
}

void eddy__file_open_error (const EddyFile *file, int result, EddyError **error)
{
    if (result == -EMEDIUMTYPE)
        eddy__error_set_code (error, EDDY_IO_ERROR_NOT_REGULAR_FILE, EOPNOTSUPP,
                              "%s: Not a regular file", file->path);
    else
        eddy_error_set_errno (error, -result, "%s", file->path);
}

EddyFileHandle *eddy_file_open_body (EddyFile *file, EddyFileOpenFlags flags,
                                     EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (file != NULL, NULL);
    if (eddy_cancellable_set_error_if_cancelled (cancellable, error) ||
        !eddy__file_open_flags_check (flags, file, error))
        return NULL;
    EddyFileHandle *self = eddy__file_handle_new (file, flags);
    int result = self == NULL ? -ENOMEM : eddy__file_handle_open (self);
    if (result == 0)
        return self;
    eddy__file_open_error (file, result, error);
    return eddy_unref (self);
}

/* --- life ------------------------------------------------------------------------------------- */

/* Nobody is at work on it: whoever began an operation has a reference. */
static void handle_dispose (void *object)
{
    EddyFileHandle *self = object;
    if (self->fd >= 0)
        eddy__stream_close_fd_later (self->fd, eddy__file_handle_may_wait (self));
    self->fd = -1;
    eddy_clear (&self->file);
}

static const EddyClass handle_class = { .name = "EddyFileHandle",
                                        .size = sizeof (EddyFileHandle),
                                        .dispose = handle_dispose };

EddyFileHandle *eddy__file_handle_new (EddyFile *file, EddyFileOpenFlags flags)
{
    EddyFileHandle *self = eddy_object_new (&handle_class);
    if (self == NULL)
        return NULL;
    self->fd = -1;
    self->flags = flags;
    self->lock_type = F_UNLCK;
    self->file = eddy_ref (file);
    return self;
}

/* --- use -------------------------------------------------------------------------------------- */

static bool handle_refuse (const EddyFileHandle *self, EddyIOErrorCode code, const char *why,
                           EddyError **error)
{
    eddy_error_set (error, EDDY_IO_ERROR, (int) code, "%s %s", self->file->path, why);
    return false;
}

/* Sets the state from what it was; false: it is another one by now. Costs no atomic exchange while
 * the process has one thread. */
static bool handle_set_state (EddyFileHandle *self, uint32_t *state, uint32_t next)
{
    if (!eddy__single_threaded ())
        return __atomic_compare_exchange_n (&self->state, state, next, /* weak= */ true,
                                            __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
    __atomic_store_n (&self->state, next, __ATOMIC_RELAXED);
    return true;
}

bool eddy__file_handle_begin (EddyFileHandle *self, unsigned needed, EddyError **error)
{
    uint32_t state = __atomic_load_n (&self->state, __ATOMIC_RELAXED);
    do {
        if (EDDY__UNLIKELY ((state & EDDY__HANDLE_CLOSED) != 0))
            return handle_refuse (self, EDDY_IO_ERROR_CLOSED, "is closed", error);
        if (EDDY__UNLIKELY (needed != 0 && (self->flags & needed) == 0))
            return handle_refuse (self, EDDY_IO_ERROR_NOT_SUPPORTED,
                                  needed == EDDY__HANDLE_READS ? "is not open for reading"
                                                               : "is not open for writing",
                                  error);
    } while (!handle_set_state (self, &state, state + 1));
    return true;
}

/* Waits until the home of a handle that is closed is at no read; false: nobody can tell, for a
 * filter forbids fences by now. The fd is then closed when nobody has the handle any more. */
static bool handle_wait_for_home (const EddyFileHandle *self)
{
    const void *home = __atomic_load_n (&self->home, __ATOMIC_ACQUIRE);
    if (home == NULL || home == eddy__thread_self ())
        return true;
    if (eddy__sys_fence () < 0)
        return false;
    for (unsigned i = 0; __atomic_load_n (&self->home_reads, __ATOMIC_ACQUIRE); i++)
        eddy__lock_pause (i);
    return true;
}

void eddy__file_handle_end (EddyFileHandle *self)
{
    uint32_t state = __atomic_load_n (&self->state, __ATOMIC_RELAXED);
    while (!handle_set_state (self, &state, state - 1))
        ;
    if (EDDY__LIKELY (state - 1 != EDDY__HANDLE_CLOSED))
        return;
    /* Its stream was closed meanwhile, and has been told PENDING. */
    if (!handle_wait_for_home (self))
        return;
    eddy__stream_close_fd_later (self->fd, eddy__file_handle_may_wait (self));
    self->fd = -1;
}

int64_t eddy__file_handle_do (EddyFileHandle *self, EddyOp *op, EddyCancellable *cancellable,
                              EddyError **error)
{
    op->result = eddy__do_op (op, cancellable);
    if (EDDY__LIKELY (op->result >= 0))
        return op->result;
    if (op->result != -ECANCELED || eddy__may_go_on (cancellable, error))
        eddy_error_set_errno (error, (int) -op->result, "%s", self->file->path);
    return -1;
}

/* --- close ------------------------------------------------------------------------------------ */

static bool handle_close_fd (EddyFileHandle *self, EddyError **error)
{
    int fd = self->fd;
    if (!handle_wait_for_home (self))
        return true;
    self->fd = -1;
    return eddy__stream_close_fd (fd, eddy__file_handle_may_wait (self), self->file->path, error);
}

static bool handle_refuse_close (const EddyFileHandle *self, EddyError **error)
{
    return handle_refuse (self, EDDY_IO_ERROR_PENDING,
                          "cannot be closed: operations are under way on it", error);
}

bool eddy__file_handle_close (EddyFileHandle *self, EddyError **error)
{
    __atomic_or_fetch (&self->state, EDDY__HANDLE_CLOSED, __ATOMIC_ACQ_REL);
    if (__atomic_sub_fetch (&self->state, 1, __ATOMIC_ACQ_REL) == EDDY__HANDLE_CLOSED)
        return handle_close_fd (self, error);
    return handle_refuse_close (self, error);
}

bool eddy_file_handle_close_body (EddyFileHandle *handle, EddyCancellable *cancellable,
                                  EddyError **error)
{
    (void) cancellable;
    EDDY__EXPECT (handle != NULL, false);
    uint32_t state = 0;
    if (__atomic_compare_exchange_n (&handle->state, &state, EDDY__HANDLE_CLOSED, /* weak= */ false,
                                     __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return handle_close_fd (handle, error);
    return (state & EDDY__HANDLE_CLOSED) != 0 || handle_refuse_close (handle, error);
}

/* --- what is known of it ---------------------------------------------------------------------- */

EddyFileInfo *eddy_file_handle_query_info_body (EddyFileHandle *handle,
                                                EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (handle != NULL, NULL);
    if (eddy_cancellable_set_error_if_cancelled (cancellable, error) ||
        !eddy__file_handle_begin (handle, 0, error))
        return NULL;
    EddyFileInfo *info = NULL;
    int result = eddy__file_info_ask (handle->fd, handle->file, &info);
    if (result < 0)
        eddy_error_set_errno (error, -result, "%s", handle->file->path);
    eddy__file_handle_end (handle);
    return info;
}

bool eddy_file_handle_is_closed (EddyFileHandle *handle)
{
    EDDY__EXPECT (handle != NULL, true);
    return (__atomic_load_n (&handle->state, __ATOMIC_ACQUIRE) & EDDY__HANDLE_CLOSED) != 0;
}

int eddy_file_handle_get_fd (EddyFileHandle *handle)
{
    EDDY__EXPECT (handle != NULL, -1);
    return eddy_file_handle_is_closed (handle) ? -1 : handle->fd;
}

EddyFile *eddy_file_handle_get_file (EddyFileHandle *handle)
{
    EDDY__EXPECT (handle != NULL, NULL);
    return handle->file;
}
