/* SPDX-License-Identifier: MIT */
/* Operations done by plain system calls: on workers, in plain threads, and where a ring refused. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/uio.h>

#include "engine/operation-private.h"
#include "sys/file-private.h"
#include "sys/poll-private.h"
#include "sys/signal-private.h"

enum { PIPE_ATOMIC = 4096 }; /* PIPE_BUF: a writable pipe takes this much without waiting */

/* Writes to what may be a pipe without a reader, without SIGPIPE for the process: by RWF_NOSIGNAL
 * where the kernel has it (Linux 6.14); else the signal is blocked in this thread, and taken away
 * again if this write caused it. */
static int64_t perform_write_stream (int fd, const struct iovec *vector, int flags)
{
    int64_t written = eddy__sys_pwritev2 (fd, vector, 1, -1, flags | RWF_NOSIGNAL);
    if (written != -EOPNOTSUPP)
        return written;
    sigset_t pipe_set, former, pending;
    sigemptyset (&pipe_set);
    sigaddset (&pipe_set, SIGPIPE);
    sigpending (&pending);
    eddy__sys_sigmask (SIG_BLOCK, &pipe_set, &former);
    written = flags == 0 ? eddy__sys_write (fd, vector->iov_base, vector->iov_len)
                         : eddy__sys_pwritev2 (fd, vector, 1, -1, flags);
    if (written == -EPIPE && !sigismember (&pending, SIGPIPE))
        eddy__sys_sigtimedwait (&pipe_set, NULL, 0);
    eddy__sys_sigmask (SIG_SETMASK, &former, NULL);
    return written;
}

static int64_t perform_read (EddyOp *op)
{
    int64_t count;
    do
        count = op->as.transfer.offset == -1
                    ? eddy__sys_read (op->fd, op->as.transfer.buf, op->as.transfer.len)
                    : eddy__sys_pread (op->fd, op->as.transfer.buf, op->as.transfer.len,
                                       op->as.transfer.offset);
    while (count == -EINTR);
    return count;
}

static int64_t perform_write (EddyOp *op)
{
    struct iovec vector = { op->as.transfer.buf, op->as.transfer.len };
    int64_t count;
    do
        count = op->as.transfer.offset == -1
                    ? perform_write_stream (op->fd, &vector, 0)
                    : eddy__sys_pwrite (op->fd, vector.iov_base, vector.iov_len,
                                        op->as.transfer.offset);
    while (count == -EINTR);
    return count;
}

static int64_t perform_open (EddyOp *op)
{
    return eddy__sys_openat (op->fd, op->as.name.path, (int) op->flags, op->as.name.mode);
}

static int64_t perform_close (EddyOp *op)
{
    return eddy__sys_close (op->fd);
}

static int64_t perform_stat (EddyOp *op)
{
    return eddy__sys_statx (op->fd, op->as.name.path, (int) op->flags, op->as.name.len,
                            op->as.name.buf);
}

static int64_t perform_mkdir (EddyOp *op)
{
    return eddy__sys_mkdirat (op->fd, op->as.name.path, op->as.name.mode);
}

static int64_t perform_unlink (EddyOp *op)
{
    return eddy__sys_unlinkat (op->fd, op->as.name.path, (int) op->flags);
}

static int64_t perform_rename (EddyOp *op)
{
    return eddy__sys_renameat2 (op->fd, op->as.name.path, op->as.name.other_fd, op->as.name.other,
                                op->flags);
}

static int64_t perform_link (EddyOp *op)
{
    return eddy__sys_linkat (op->fd, op->as.name.path, op->as.name.other_fd, op->as.name.other,
                             (int) op->flags);
}

static int64_t perform_symlink (EddyOp *op)
{
    return eddy__sys_symlinkat (op->as.name.other, op->fd, op->as.name.path);
}

static int64_t perform_readlink (EddyOp *op)
{
    return eddy__sys_readlinkat (op->fd, op->as.name.path, op->as.name.buf, op->as.name.len);
}

static int64_t perform_mknod (EddyOp *op)
{
    return eddy__sys_mknodat (op->fd, op->as.name.path, op->as.name.mode, 0);
}

static int64_t perform_read_directory (EddyOp *op)
{
    return eddy__sys_getdents64 (op->fd, op->as.transfer.buf, op->as.transfer.len);
}

static int64_t perform_sync (EddyOp *op)
{
    return op->flags != 0 ? eddy__sys_fdatasync (op->fd) : eddy__sys_fsync (op->fd);
}

static int64_t perform_allocate (EddyOp *op)
{
    return eddy__sys_fallocate (op->fd, (int) op->flags, op->as.transfer.offset,
                                (int64_t) op->as.transfer.len);
}

static int64_t perform_truncate (EddyOp *op)
{
    return eddy__sys_ftruncate (op->fd, op->as.transfer.offset);
}

static int64_t perform_set_times (EddyOp *op)
{
    if (op->as.name.path == NULL)
        return eddy__sys_futimens (op->fd, op->as.name.buf);
    return eddy__sys_utimensat (op->fd, op->as.name.path, op->as.name.buf, (int) op->flags);
}

static int64_t perform_set_mode (EddyOp *op)
{
    if (op->as.name.path == NULL)
        return eddy__sys_fchmod (op->fd, op->as.name.mode);
    return eddy__sys_fchmodat (op->fd, op->as.name.path, op->as.name.mode, (int) op->flags);
}

static int64_t perform_set_owner (EddyOp *op)
{
    if (op->as.name.path == NULL)
        return eddy__sys_fchown (op->fd, op->as.name.mode, op->as.name.group);
    return eddy__sys_fchownat (op->fd, op->as.name.path, op->as.name.mode, op->as.name.group,
                               (int) op->flags);
}

static int64_t perform_list_xattr (EddyOp *op)
{
    return eddy__sys_flistxattr (op->fd, op->as.transfer.buf, op->as.transfer.len);
}

static int64_t perform_get_xattr (EddyOp *op)
{
    return eddy__sys_fgetxattr (op->fd, op->as.name.other, op->as.name.buf, op->as.name.len);
}

static int64_t perform_set_xattr (EddyOp *op)
{
    return eddy__sys_fsetxattr (op->fd, op->as.name.other, op->as.name.buf, op->as.name.len,
                                (int) op->flags);
}

static int64_t perform_copy_range (EddyOp *op)
{
    int64_t from = op->as.copy.offset, to = op->as.copy.to_offset;
    return eddy__sys_copy_file_range (op->fd, &from, op->as.copy.to_fd, &to, op->as.copy.len, 0);
}

static int64_t perform_poll (EddyOp *op)
{
    struct pollfd fds[2] = { { op->fd, (short) op->as.poll.events, 0 },
                             { op->as.poll.cancel_fd, POLLIN, 0 } };
    int ready;
    do
        ready = eddy__sys_ppoll (fds, 2, -1);
    while (ready == -EINTR);
    if (ready < 0)
        return ready;
    return fds[0].revents != 0 ? fds[0].revents : -ECANCELED;
}

static int64_t perform_call (EddyOp *op)
{
    op->as.call.function (op->as.call.data);
    return 0;
}

static int64_t (*const performers[EDDY_OP_KINDS]) (EddyOp *op) = {
    [EDDY_OP_READ] = perform_read,
    [EDDY_OP_WRITE] = perform_write,
    [EDDY_OP_OPEN] = perform_open,
    [EDDY_OP_CLOSE] = perform_close,
    [EDDY_OP_STAT] = perform_stat,
    [EDDY_OP_MKDIR] = perform_mkdir,
    [EDDY_OP_UNLINK] = perform_unlink,
    [EDDY_OP_RENAME] = perform_rename,
    [EDDY_OP_LINK] = perform_link,
    [EDDY_OP_SYMLINK] = perform_symlink,
    [EDDY_OP_READLINK] = perform_readlink,
    [EDDY_OP_MKNOD] = perform_mknod,
    [EDDY_OP_READ_DIRECTORY] = perform_read_directory,
    [EDDY_OP_SYNC] = perform_sync,
    [EDDY_OP_ALLOCATE] = perform_allocate,
    [EDDY_OP_TRUNCATE] = perform_truncate,
    [EDDY_OP_SET_TIMES] = perform_set_times,
    [EDDY_OP_SET_MODE] = perform_set_mode,
    [EDDY_OP_SET_OWNER] = perform_set_owner,
    [EDDY_OP_LIST_XATTR] = perform_list_xattr,
    [EDDY_OP_GET_XATTR] = perform_get_xattr,
    [EDDY_OP_SET_XATTR] = perform_set_xattr,
    [EDDY_OP_COPY_RANGE] = perform_copy_range,
    [EDDY_OP_POLL] = perform_poll,
    [EDDY_OP_CALL] = perform_call,
    [EDDY_OP_LONG_CALL] = perform_call,
};

int64_t eddy__op_perform (EddyOp *op)
{
    return performers[op->kind](op);
}

/* A file that knows no RWF_NOWAIT (a terminal, say) is asked by poll. */
static int64_t try_by_poll (EddyOp *op, struct iovec *vector)
{
    struct pollfd poll = { op->fd, (short) eddy__op_events (op), 0 };
    int ready = eddy__sys_ppoll (&poll, 1, 0);
    if (ready <= 0)
        return ready == 0 || ready == -EINTR ? -EAGAIN : ready;
    if (op->kind == EDDY_OP_READ)
        return perform_read (op);
    if (vector->iov_len > PIPE_ATOMIC)
        vector->iov_len = PIPE_ATOMIC;
    return perform_write_stream (op->fd, vector, 0);
}

int64_t eddy__op_try (EddyOp *op)
{
    struct iovec vector = { op->as.transfer.buf, op->as.transfer.len };
    int64_t count;
    do {
        if (op->kind == EDDY_OP_READ)
            count = eddy__sys_preadv2 (op->fd, &vector, 1, op->as.transfer.offset, RWF_NOWAIT);
        else if (eddy__op_is_stream (op))
            count = perform_write_stream (op->fd, &vector, RWF_NOWAIT);
        else
            return -EOPNOTSUPP;
    } while (count == -EINTR);
    if (count == -EOPNOTSUPP && eddy__op_is_stream (op))
        return try_by_poll (op, &vector);
    return count;
}
