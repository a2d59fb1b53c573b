/* SPDX-License-Identifier: MIT */
/* EddyOp: one request, as data. It lives in the frame or the future that waits for it, and stays
 * there until it is done.
 *
 *   NEW ──► STAGED ──► INFLIGHT (the kernel has it) ──┐
 *             │   └──► POLLING  (waits for its fd) ───┼──► DONE
 *             └──────► QUEUED ──► RUNNING (a worker) ─┘
 *
 * ENDING stands before DONE where the end is on its way through the inbox.
 * "Cancel asked" is a flag, not a state: done is done when whoever has the request lets go. STAGED
 * and QUEUED operations end at once when cancelled, RUNNING ones when their call returns. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list-private.h"
#include "engine/port-private.h"

typedef enum EddyOpKind {
    EDDY_OP_READ,           /* transfer; offset -1: the current position, or a stream */
    EDDY_OP_WRITE,          /* transfer; likewise */
    EDDY_OP_READV,          /* transfer; likewise; buf: struct iovec[], len: how many */
    EDDY_OP_WRITEV,         /* transfer; likewise */
    EDDY_OP_OPEN,           /* name: flags, mode */
    EDDY_OP_CLOSE,          /* fd */
    EDDY_OP_STAT,           /* name: flags; buf: struct statx, len: its mask */
    EDDY_OP_MKDIR,          /* name: mode */
    EDDY_OP_UNLINK,         /* name: flags */
    EDDY_OP_RENAME,         /* name, other_fd, other: flags */
    EDDY_OP_LINK,           /* name, other_fd, other: flags */
    EDDY_OP_SYMLINK,        /* name: path is the new link, other the target */
    EDDY_OP_READLINK,       /* name: buf, len */
    EDDY_OP_MKNOD,          /* name: mode */
    EDDY_OP_READ_DIRECTORY, /* transfer: buf, len (EddySysDirent records) */
    EDDY_OP_SYNC,           /* fd; flags: 1 for data only */
    EDDY_OP_ALLOCATE,       /* transfer: len, offset; flags */
    EDDY_OP_TRUNCATE,       /* transfer: offset is the new size */
    EDDY_OP_SET_TIMES,      /* name: buf: struct timespec[2]; path NULL: of fd */
    EDDY_OP_SET_MODE,       /* name: mode; path NULL: of fd */
    EDDY_OP_SET_OWNER,      /* name: user in mode, group in group; path NULL: of fd */
    EDDY_OP_LIST_XATTR,     /* transfer: fd, buf, len */
    EDDY_OP_GET_XATTR,      /* name: other is the attribute; of fd */
    EDDY_OP_SET_XATTR,      /* name: other is the attribute; of fd; flags */
    EDDY_OP_COPY_RANGE,     /* copy */
    EDDY_OP_POLL,           /* poll */
    EDDY_OP_READ_BYTES,     /* transfer: len, of a stream; buf: EddyBytes, made when it is there */
    EDDY_OP_RECV,           /* transfer: buf, len; flags: MSG_… */
    EDDY_OP_SEND,           /* transfer: buf, len; flags: MSG_… */
    EDDY_OP_RECVMSG,        /* transfer: buf: struct msghdr; flags: MSG_… */
    EDDY_OP_SENDMSG,        /* transfer: buf: struct msghdr; flags: MSG_… */
    EDDY_OP_ACCEPT,         /* fd; the result is an fd */
    EDDY_OP_CONNECT,        /* transfer: buf: struct sockaddr, len; non-blocking */
    EDDY_OP_CALL,           /* call: a function, on a worker; flags: EDDY_OP_CALL_… */
    EDDY_OP_LONG_CALL,      /* the same; a program's function, which may take any time */
    EDDY_OP_KINDS
} EddyOpKind;

typedef enum EddyOpState {
    EDDY_OP_NEW,
    EDDY_OP_STAGED,
    EDDY_OP_INFLIGHT,
    EDDY_OP_POLLING,
    EDDY_OP_QUEUED,
    EDDY_OP_RUNNING,
    EDDY_OP_ENDING,
    EDDY_OP_DONE
} EddyOpState;

/* Who serves an operation. */
typedef enum EddyOpRoute {
    EDDY_ROUTE_NONE,
    EDDY_ROUTE_RING,
    EDDY_ROUTE_POLL,
    EDDY_ROUTE_WORKER
} EddyOpRoute;

/* Flags of an operation. */
enum {
    EDDY_OP_CANCEL_ASKED = 1 << 0,
    EDDY_OP_REPEATED = 1 << 1,   /* the ring refused it, a system call decides */
    EDDY_OP_BACKGROUND = 1 << 2, /* a poll that nobody waits for: not live, and may be forgotten */
    EDDY_OP_FORGOTTEN = 1 << 3,  /* it was */
    EDDY_OP_OF_FILE = 1 << 4,    /* a transfer at the position of a file, which is always ready */
    EDDY_OP_READY = 1 << 5,      /* what it asks for is there: no engine is asked */
    EDDY_OP_TRIED = 1 << 6,      /* it would wait, and need not be tried to find that out */
    EDDY_OP_FD_GONE = 1 << 7     /* its fd was closed meanwhile: it ends with -EBADF */
};

/* Of an EDDY_OP_CALL, in `flags`. */
#define EDDY_OP_CALL_BRIEF 1u /* it takes a moment, a tenth of a millisecond, say */
#define EDDY_OP_CALL_WAITS 2u /* it mostly waits for a disk, which does more when asked for more */
#define EDDY_OP_CALL_ASKS 4u  /* it changes nothing, and no job waits for another one of these */

typedef struct EddyOp EddyOp;

/* What is known of a socket's readiness between its operations, so that each costs no call of the
 * system but its own. The socket's thread's; zeroed when the socket is new. */
typedef struct EddyReadiness {
    /* Of its operations that wait, the latest one to read and the latest one to write; NULL: that
     * has ended. Whoever closes the socket finds them here. */
    EddyOp *reader;
    EddyOp *writer;
    uint32_t watcher;    /* who watches its fd, and goes on doing so … */
    uint32_t watch : 30; /* … by which watch of his */
    bool is_short : 1;   /* where a count below what was asked for is all that there was */
    bool is_drained : 1; /* it was: the next read would wait, as far as is known */
} EddyReadiness;

#define EDDY__READINESS_WATCH_MAX ((UINT32_C (1) << 30) - 1)

/* 96 bytes: a callback operation that waits is one cache line more than twice that. */
struct EddyOp {
    union {
        /* Until it ends: staged, queued, polling, or to be cancelled. */
        struct {
            EddyList link;
            uint32_t slot; /* the ring's name for it */
        };
        EddyEntry entry; /* ENDING: brings it back to its own thread */
    };
    void (*complete) (EddyOp *op); /* called on the owner's thread when it is done */
    struct EddyEngine *engine;     /* submitted to; NULL: to none, see engine-private.h */
    int64_t result;                /* a count, an fd or 0; or -errno */
    uint8_t kind;
    uint8_t state;
    uint8_t route;
    uint8_t op_flags;
    bool published;   /* to the workers: from then on their lock guards link and state */
    bool claimed;     /* by a worker; their lock guards it */
    int16_t priority; /* among those that wait for a worker; lower is more urgent */
    int fd;           /* of the file, or the folder that paths begin at */
    uint32_t flags;
    union {
        struct {
            void *buf;
            size_t len;
            union {
                int64_t offset;
                EddyReadiness *readiness; /* of a socket's; NULL: nothing is known */
            };
        } transfer;
        struct {
            const char *path;
            const char *other;
            void *buf;
            union {
                uint32_t len;
                int other_fd;
                uint32_t group;
            };
            uint32_t mode;
        } name;
        struct {
            int64_t offset;
            int64_t to_offset;
            size_t len;
            int to_fd;
        } copy;
        struct {
            uint32_t events;
            int cancel_fd; /* while a worker polls: an eventfd that ends it */
        } poll;
        struct {
            void (*function) (void *data);
            void *data;
        } call;
    } as;
};

_Static_assert(sizeof (EddyOp) == 96, "EddyOp is as small as it is said to be");

/* Begins an operation; the caller then fills in what its kind needs, and `complete`. */
static inline void eddy__op_init (EddyOp *op, EddyOpKind kind, int fd)
{
    __builtin_memset (op, 0, sizeof *op);
    eddy__list_init (&op->link);
    op->kind = (uint8_t) kind;
    op->fd = fd;
}

/* A request for what is there already: it completes without an engine, with the result 0, unless it
 * is cancelled. */
static inline void eddy__op_init_ready (EddyOp *op)
{
    eddy__op_init (op, EDDY_OP_READ, -1);
    op->op_flags = EDDY_OP_READY;
}

/* Whether it is an EDDY_OP_CALL of which this flag says something. */
static inline bool eddy__op_is_call (const EddyOp *op, uint32_t flag)
{
    return op->kind == EDDY_OP_CALL && (op->flags & flag) != 0;
}

/* Among those that wait for a worker, from a priority of the loop's; past 16 bits all are one. */
static inline void eddy__op_set_priority (EddyOp *op, int priority)
{
    int at_most = priority < INT16_MAX ? priority : INT16_MAX;
    op->priority = (int16_t) (at_most > INT16_MIN ? at_most : INT16_MIN);
}

/* Does the operation by system calls, now, however long it takes; returns its result. Any thread.
 * The operation itself is not changed. */
int64_t eddy__op_perform (EddyOp *op);

/* What eddy__op_try() says of a file that cannot say whether it would wait: no error number. */
#define EDDY__TRY_IS_FILE INT64_C (-5000)
/* The answer where no readiness tells when to try again: to a CONNECT to a UNIX path, or a SENDMSG
 * to one that is not the socket's own peer, where too much is waiting already. */
#define EDDY__TRY_LATER INT64_C (-5001)

/* Does a transfer or what is a socket's if it needs no waiting; -EAGAIN when it would wait,
 * EDDY__TRY_IS_FILE when this file cannot say so; one without an offset is then a file's. Any
 * thread. */
int64_t eddy__op_try (EddyOp *op);

/* Whether an fd is of a file that poll always calls ready, while it may wait for its disk. */
bool eddy__op_is_file (int fd);

/* Whether it reads into memory, or writes from it: one run of bytes, or several. */
static inline bool eddy__op_is_read (const EddyOp *op)
{
    return op->kind == EDDY_OP_READ || op->kind == EDDY_OP_READV;
}

static inline bool eddy__op_is_write (const EddyOp *op)
{
    return op->kind == EDDY_OP_WRITE || op->kind == EDDY_OP_WRITEV;
}

/* Whether it is a socket's: it never blocks, and waits until its fd is ready. */
static inline bool eddy__op_is_socket (const EddyOp *op)
{
    return op->kind >= EDDY_OP_RECV && op->kind <= EDDY_OP_CONNECT;
}

/* The events of poll(2) that a transfer, what is a socket's, or a POLL waits for. */
static inline uint32_t eddy__op_events (const EddyOp *op)
{
    if (op->kind == EDDY_OP_POLL)
        return op->as.poll.events;
    bool reads = eddy__op_is_read (op) || op->kind == EDDY_OP_READ_BYTES ||
                 op->kind == EDDY_OP_RECV || op->kind == EDDY_OP_RECVMSG ||
                 op->kind == EDDY_OP_ACCEPT;
    return reads ? 0x001u /* POLLIN */ : 0x004u /* POLLOUT */;
}

/* Whether a transfer is of a stream, as far as is known: it has no offset, and may wait for a peer;
 * or it is a socket's. */
static inline bool eddy__op_is_stream (const EddyOp *op)
{
    if (eddy__op_is_socket (op))
        return true;
    if (op->kind == EDDY_OP_READ_BYTES)
        return (op->op_flags & EDDY_OP_OF_FILE) == 0;
    return (eddy__op_is_read (op) || eddy__op_is_write (op)) && op->as.transfer.offset == -1 &&
           (op->op_flags & EDDY_OP_OF_FILE) == 0;
}

/* What is known of the readiness of the socket that it is of; NULL: nothing, or of none. */
static inline EddyReadiness *eddy__op_get_readiness (const EddyOp *op)
{
    bool may_know = eddy__op_is_socket (op) || op->kind == EDDY_OP_READ_BYTES;
    return may_know ? op->as.transfer.readiness : NULL;
}

/* Something was read of a socket, so many bytes or -errno: notes whether the next read would have
 * to wait. A stream's that gave fewer than there was room for has given all. */
static inline void eddy__op_note_count (const EddyOp *op, int64_t count)
{
    EddyReadiness *readiness = eddy__op_get_readiness (op);
    if (readiness != NULL)
        readiness->is_drained = readiness->is_short && op->kind == EDDY_OP_RECV && op->flags == 0 &&
                                count > 0 && (size_t) count < op->as.transfer.len;
}

/* Whether it waits until its fd is ready, rather than for the file's contents. */
static inline bool eddy__op_waits_for_readiness (const EddyOp *op)
{
    return op->kind == EDDY_OP_POLL || eddy__op_is_stream (op);
}
