/* SPDX-License-Identifier: MIT */
/* Operations done by plain system calls: on workers, in plain threads, and where a ring refused. */
#include <errno.h>
#include <poll.h>
#include <sys/uio.h>

#include "base/bytes-private.h"
#include "engine/operation-private.h"
#include "sys/file-private.h"
#include "sys/poll-private.h"
#include "sys/signal-private.h"
#include "sys/socket-private.h"

enum { PIPE_ATOMIC = 4096 /* PIPE_BUF: a writable pipe takes this much without waiting */ };

/* Writes to what may be a pipe without a reader, without SIGPIPE for the process: by RWF_NOSIGNAL
 * where the kernel has it (Linux 6.14); else the signal is blocked in this thread, and taken away
 * again if this write caused it. */
static int64_t perform_write_stream (int fd, const struct iovec *vectors, int n_vectors, int flags)
{
    int64_t written = eddy__sys_pwritev2 (fd, vectors, n_vectors, -1, flags | RWF_NOSIGNAL);
    if (written != -EOPNOTSUPP)
        return written;
    EddySysPipeGuard guard;
    eddy__sys_pipe_guard_begin (&guard);
    written = eddy__sys_pwritev2 (fd, vectors, n_vectors, -1, flags);
    eddy__sys_pipe_guard_end (&guard, written);
    return written;
}

/* The runs of bytes of a transfer; of those that know of one only, it is put into `single`. */
static const struct iovec *perform_get_vectors (const EddyOp *op, struct iovec *single,
                                                int *n_vectors)
{
    bool is_one = op->kind == EDDY_OP_READ || op->kind == EDDY_OP_WRITE;
    *single = (struct iovec){ op->as.transfer.buf, op->as.transfer.len };
    *n_vectors = is_one ? 1 : (int) op->as.transfer.len;
    return is_one ? single : op->as.transfer.buf;
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
                    ? perform_write_stream (op->fd, &vector, 1, 0)
                    : eddy__sys_pwrite (op->fd, vector.iov_base, vector.iov_len,
                                        op->as.transfer.offset);
    while (count == -EINTR);
    return count;
}

static int64_t perform_readv (EddyOp *op)
{
    int64_t count;
    do
        count = eddy__sys_preadv2 (op->fd, op->as.transfer.buf, (int) op->as.transfer.len,
                                   op->as.transfer.offset, 0);
    while (count == -EINTR);
    return count;
}

static int64_t perform_writev (EddyOp *op)
{
    const struct iovec *vectors = op->as.transfer.buf;
    int n_vectors = (int) op->as.transfer.len;
    int64_t count;
    do
        count = op->as.transfer.offset == -1
                    ? perform_write_stream (op->fd, vectors, n_vectors, 0)
                    : eddy__sys_pwritev2 (op->fd, vectors, n_vectors, op->as.transfer.offset, 0);
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

static int64_t perform_recv (EddyOp *op)
{
    int64_t count =
        eddy__sys_recv (op->fd, op->as.transfer.buf, op->as.transfer.len, (int) op->flags);
    eddy__op_note_count (op, count);
    return count;
}

static int64_t perform_send (EddyOp *op)
{
    return eddy__sys_send (op->fd, op->as.transfer.buf, op->as.transfer.len, (int) op->flags);
}

static int64_t perform_recvmsg (EddyOp *op)
{
    eddy__op_note_count (op, /* count= */ 0);
    return eddy__sys_recvmsg (op->fd, op->as.transfer.buf, (int) op->flags);
}

/* Whether poll calls an fd writable; also where it cannot be asked. */
static bool perform_is_writable (int fd)
{
    struct pollfd poll = { fd, POLLOUT, 0 };
    int ready;
    do
        ready = eddy__sys_ppoll (&poll, 1, 0);
    while (ready == -EINTR);
    return ready != 0;
}

/* A UNIX socket is writable as long as it has room itself; whether the receiver of a message has
 * any is told only of its own peer. */
static int64_t perform_sendmsg (EddyOp *op)
{
    const struct msghdr *message = op->as.transfer.buf;
    const struct sockaddr *to = message->msg_name;
    int64_t count = eddy__sys_sendmsg (op->fd, message, (int) op->flags);
    bool is_to_path = to != NULL && to->sa_family == AF_UNIX;
    return count == -EAGAIN && is_to_path && perform_is_writable (op->fd) ? EDDY__TRY_LATER : count;
}

static int64_t perform_accept (EddyOp *op)
{
    return eddy__sys_accept (op->fd);
}

/* How it went. Who is woken for nothing finds no error either, so it is asked whether it has ended:
 * a registration that outlives its socket in another process tells of whatever has the number. */
static int64_t connect_ask (EddyOp *op)
{
    if (!perform_is_writable (op->fd))
        return -EAGAIN;
    int error_number = 0;
    socklen_t len = sizeof error_number;
    int answer = eddy__sys_getsockopt (op->fd, SOL_SOCKET, SO_ERROR, &error_number, &len);
    return answer < 0 ? answer : -error_number;
}

/* Begins to connect; or, once begun, asks how that went. */
static int64_t perform_connect (EddyOp *op)
{
    if (op->flags != 0)
        return connect_ask (op);
    int answer = eddy__sys_connect (op->fd, op->as.transfer.buf, (socklen_t) op->as.transfer.len);
    if (answer == -EAGAIN)
        return EDDY__TRY_LATER;
    if (answer != -EINPROGRESS && answer != -EALREADY && answer != -EINTR)
        return answer;
    op->flags = 1;
    return -EAGAIN;
}

/* Takes memory for what is there, and only then: by `how`, which is one of the functions that do
 * an operation. */
static int64_t read_bytes_by (EddyOp *op, int64_t (*how) (EddyOp *op))
{
    size_t room = op->as.transfer.len;
    EddyBytes *bytes = eddy__bytes_new_roomy (room);
    if (bytes == NULL) {
        eddy__op_note_count (op, -ENOMEM); /* what has come is there, and is not told again */
        return -ENOMEM;
    }
    EddyOp single = { .kind = op->as.transfer.readiness != NULL ? EDDY_OP_RECV : EDDY_OP_READ,
                      .fd = op->fd,
                      .as.transfer = op->as.transfer };
    single.as.transfer.buf = eddy__bytes_get_writable (bytes);
    if (single.kind == EDDY_OP_READ)
        single.as.transfer.offset = -1;
    int64_t count = how (&single);
    if (count >= 0)
        op->as.transfer.buf = eddy__bytes_fit (bytes, room, (size_t) count);
    else
        eddy__bytes_drop_roomy (bytes, room);
    return count;
}

static int64_t perform_read_bytes (EddyOp *op)
{
    return read_bytes_by (op, eddy__op_perform);
}

static int64_t perform_call (EddyOp *op)
{
    op->as.call.function (op->as.call.data);
    return 0;
}

static int64_t (*const performers[EDDY_OP_KINDS]) (EddyOp *op) = {
    [EDDY_OP_READ] = perform_read,
    [EDDY_OP_WRITE] = perform_write,
    [EDDY_OP_READV] = perform_readv,
    [EDDY_OP_WRITEV] = perform_writev,
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
    [EDDY_OP_READ_BYTES] = perform_read_bytes,
    [EDDY_OP_RECV] = perform_recv,
    [EDDY_OP_SEND] = perform_send,
    [EDDY_OP_RECVMSG] = perform_recvmsg,
    [EDDY_OP_SENDMSG] = perform_sendmsg,
    [EDDY_OP_ACCEPT] = perform_accept,
    [EDDY_OP_CONNECT] = perform_connect,
    [EDDY_OP_CALL] = perform_call,
    [EDDY_OP_LONG_CALL] = perform_call,
};

int64_t eddy__op_perform (EddyOp *op)
{
    return performers[op->kind](op);
}

bool eddy__op_is_file (int fd)
{
    struct statx info;
    return eddy__sys_fstatx (fd, STATX_TYPE, &info) == 0 &&
           (S_ISREG (info.stx_mode) || S_ISBLK (info.stx_mode));
}

/* What knows no RWF_NOWAIT (a terminal, say) is asked by poll. */
static int64_t try_by_poll (EddyOp *op, const struct iovec *vectors, int n_vectors)
{
    if (eddy__op_is_file (op->fd))
        return EDDY__TRY_IS_FILE;
    struct pollfd poll = { op->fd, (short) eddy__op_events (op), 0 };
    int ready = eddy__sys_ppoll (&poll, 1, 0);
    if (ready <= 0)
        return ready == 0 || ready == -EINTR ? -EAGAIN : ready;
    if (eddy__op_is_read (op))
        return eddy__op_perform (op);
    /* The first run that is not empty, or so much of it. */
    while (n_vectors > 1 && vectors->iov_len == 0) {
        vectors++;
        n_vectors--;
    }
    struct iovec first = n_vectors > 0 ? *vectors : (struct iovec){ NULL, 0 };
    if (first.iov_len > PIPE_ATOMIC)
        first.iov_len = PIPE_ATOMIC;
    return perform_write_stream (op->fd, &first, 1, 0);
}

int64_t eddy__op_try (EddyOp *op)
{
    if (eddy__op_is_socket (op))
        return performers[op->kind](op);
    if (op->kind == EDDY_OP_READ_BYTES) {
        int64_t count = read_bytes_by (op, eddy__op_try);
        /* A file waits for its disk, which no readiness tells. */
        bool is_file =
            count == -EAGAIN && op->as.transfer.readiness == NULL && eddy__op_is_file (op->fd);
        return is_file ? EDDY__TRY_IS_FILE : count;
    }
    struct iovec single;
    int n_vectors;
    const struct iovec *vectors = perform_get_vectors (op, &single, &n_vectors);
    int64_t count;
    do {
        if (eddy__op_is_read (op))
            count =
                eddy__sys_preadv2 (op->fd, vectors, n_vectors, op->as.transfer.offset, RWF_NOWAIT);
        else if (eddy__op_is_stream (op))
            count = perform_write_stream (op->fd, vectors, n_vectors, RWF_NOWAIT);
        else
            return EDDY__TRY_IS_FILE;
    } while (count == -EINTR);
    if (count == -EOPNOTSUPP && eddy__op_is_stream (op))
        return try_by_poll (op, vectors, n_vectors);
    return count == -EOPNOTSUPP ? EDDY__TRY_IS_FILE : count;
}
