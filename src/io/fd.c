/* SPDX-License-Identifier: MIT */
/* Operations on file descriptors: each is one request. */
#include <eddy/fd-bodies.h>

#include <limits.h>
#include <sys/uio.h>

#include "base/compiler-private.h"
#include "engine/operation-private.h"

/* The most that Linux moves by one call; a longer request would be cut there anyway. */
enum { TRANSFER_MOST = 0x7ffff000 };

/* A count, or the error of `name`. */
static ssize_t fd_count_result (const EddyOp *op, const char *name, EddyError **error)
{
    if (op->result >= 0)
        return (ssize_t) op->result;
    eddy_error_set_errno (error, (int) -op->result, "%s of file descriptor %d", name, op->fd);
    return -1;
}

static void fd_transfer_prepare (EddyOp *op, EddyOpKind kind, int fd, void *buffer, size_t count,
                                 int64_t offset)
{
    eddy__op_init (op, kind, fd);
    op->as.transfer.buf = buffer;
    op->as.transfer.len = count < TRANSFER_MOST ? count : TRANSFER_MOST;
    op->as.transfer.offset = offset;
}

void eddy_fd_read_prepare (EddyOp *op, int fd, void *buffer, size_t count, int64_t offset)
{
    fd_transfer_prepare (op, EDDY_OP_READ, fd, buffer, count, offset);
}

ssize_t eddy_fd_read_result (const EddyOp *op, EddyError **error)
{
    return fd_count_result (op, "read", error);
}

void eddy_fd_write_prepare (EddyOp *op, int fd, const void *buffer, size_t count, int64_t offset)
{
    /* The request only reads what it writes. */
    fd_transfer_prepare (op, EDDY_OP_WRITE, fd, (void *) (uintptr_t) buffer, count, offset);
}

ssize_t eddy_fd_write_result (const EddyOp *op, EddyError **error)
{
    return fd_count_result (op, "write", error);
}

/* --- several runs of bytes -------------------------------------------------------------------- */

/* A program's runs are handed to the kernel as they are. */
#define VECTOR_IS_IOVEC(type)                                                                      \
    _Static_assert(sizeof (type) == sizeof (struct iovec) &&                                       \
                       offsetof (type, buffer) == offsetof (struct iovec, iov_base) &&             \
                       offsetof (type, size) == offsetof (struct iovec, iov_len),                  \
                   #type " is laid out as a struct iovec")
VECTOR_IS_IOVEC (EddyInputVector);
VECTOR_IS_IOVEC (EddyOutputVector);

static void fd_vectors_prepare (EddyOp *op, EddyOpKind kind, int fd, const void *vectors,
                                size_t n_vectors, int64_t offset)
{
    eddy__op_init (op, kind, fd);
    op->as.transfer.buf = (void *) (uintptr_t) vectors; /* only read */
    op->as.transfer.len = n_vectors < IOV_MAX ? n_vectors : IOV_MAX;
    op->as.transfer.offset = offset;
}

void eddy_fd_readv_prepare (EddyOp *op, int fd, const EddyInputVector *vectors, size_t n_vectors,
                            int64_t offset)
{
    fd_vectors_prepare (op, EDDY_OP_READV, fd, vectors, n_vectors, offset);
}

ssize_t eddy_fd_readv_result (const EddyOp *op, EddyError **error)
{
    return fd_count_result (op, "read", error);
}

void eddy_fd_writev_prepare (EddyOp *op, int fd, const EddyOutputVector *vectors, size_t n_vectors,
                             int64_t offset)
{
    fd_vectors_prepare (op, EDDY_OP_WRITEV, fd, vectors, n_vectors, offset);
}

ssize_t eddy_fd_writev_result (const EddyOp *op, EddyError **error)
{
    return fd_count_result (op, "write", error);
}

/* --- the rest --------------------------------------------------------------------------------- */

void eddy_fd_sync_prepare (EddyOp *op, int fd)
{
    eddy__op_init (op, EDDY_OP_SYNC, fd);
}

bool eddy_fd_sync_result (const EddyOp *op, EddyError **error)
{
    return fd_count_result (op, "sync", error) >= 0;
}

void eddy_fd_wait_prepare (EddyOp *op, int fd, int events)
{
    eddy__op_init (op, EDDY_OP_POLL, fd);
    op->as.poll.events = (uint32_t) events;
}

int eddy_fd_wait_result (const EddyOp *op, EddyError **error)
{
    return (int) fd_count_result (op, "wait", error);
}
