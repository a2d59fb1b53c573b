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
    EDDY_OP_CALL,           /* call: a function, on a worker */
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
    EDDY_OP_FORGOTTEN = 1 << 3   /* it was */
};

typedef struct EddyOp EddyOp;

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
            int64_t offset;
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

/* Among those that wait for a worker, from a priority of the loop's; past 16 bits all are one. */
static inline void eddy__op_set_priority (EddyOp *op, int priority)
{
    int at_most = priority < INT16_MAX ? priority : INT16_MAX;
    op->priority = (int16_t) (at_most > INT16_MIN ? at_most : INT16_MIN);
}

/* Does the operation by system calls, now, however long it takes; returns its result. Any thread.
 * The operation itself is not changed. */
int64_t eddy__op_perform (EddyOp *op);

/* Does a READ or WRITE if it needs no waiting; -EAGAIN when it would wait, -EOPNOTSUPP when this
 * file cannot say so. Any thread. */
int64_t eddy__op_try (EddyOp *op);

/* The events of poll(2) that a READ, WRITE or POLL waits for. */
static inline uint32_t eddy__op_events (const EddyOp *op)
{
    if (op->kind == EDDY_OP_POLL)
        return op->as.poll.events;
    return op->kind == EDDY_OP_READ ? 0x001u /* POLLIN */ : 0x004u /* POLLOUT */;
}

/* Whether a READ or WRITE is of a stream: it has no offset, and may wait for a peer. */
static inline bool eddy__op_is_stream (const EddyOp *op)
{
    return (op->kind == EDDY_OP_READ || op->kind == EDDY_OP_WRITE) && op->as.transfer.offset == -1;
}

/* Whether it waits until its fd is ready, rather than for the file's contents. */
static inline bool eddy__op_waits_for_readiness (const EddyOp *op)
{
    return op->kind == EDDY_OP_POLL || eddy__op_is_stream (op);
}
