/* SPDX-License-Identifier: MIT */
/* The io_uring engine: one ring for each loop, used by its thread alone.
 *
 * Everything that a turn of the loop stages goes to the kernel in one call. Requests wait on a list
 * until there is room in the submission queue, and cancel requests are staged before them: the
 * operation's own link is the entry, so no full queue can lose one.
 *
 * A request's user_data is a slot and its generation, never an address: a cancel that comes late
 * finds nothing, and a stale completion is dropped.
 *
 * Sockets wait with an epoll, the poller: an echo of 64 bytes takes 4.7 µs of 50 connections' and
 * 6.4 µs of 1,000's, where the ring, which watches a socket anew for each receive, takes 5.1 and
 * 7.3. From the first of them on, the poller sleeps while no request is in the ring; else the ring
 * does, with a poll of the poller among its requests. */
#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc-private.h"
#include "base/compiler-private.h"
#include "engine/engine-private.h"
#include "sys/poll-private.h"
#include "sys/uring-private.h"

unsigned eddy__uring_entries = 256;

enum {
    ENTRIES_LEAST = 32,
    COMPLETIONS = 4 /* completion entries for each submission entry */
};

/* user_data of what is no operation; a slot never has this generation. */
#define URING_CANCEL UINT64_MAX
#define URING_WAKE (UINT64_MAX - 1)
#define URING_POLLER (UINT64_MAX - 2)

typedef struct Slot {
    EddyOp *op;
    uint32_t generation;
    uint32_t next_free;
} Slot;

typedef struct UringEngine {
    EddyEngine engine;
    struct io_uring ring;
    EddyList staged;
    EddyList cancels;
    Slot *slots;
    uint32_t n_slots;
    uint32_t first_free; /* UINT32_MAX: none */
    uint32_t n_taken;    /* slots: requests that the kernel has */
    EddyEngine *poller;  /* an epoll for sockets, and once hosted for all that waits */
    int poller_fd;
    bool poller_used;  /* by a socket, or hosted */
    bool wake_armed;   /* the port's eventfd ends the ring's sleep … */
    bool poller_armed; /* … or, once the poller is used, which has that eventfd, too, its fd */
} UringEngine;

static UringEngine *uring_of (EddyEngine *engine)
{
    return (UringEngine *) engine;
}

/* The opcode that serves a kind, or -1. */
static int uring_opcode (EddyOpKind kind)
{
    switch (kind) {
    case EDDY_OP_READ:
        return IORING_OP_READ;
    case EDDY_OP_WRITE:
        return IORING_OP_WRITE;
    case EDDY_OP_READV:
        return IORING_OP_READV;
    case EDDY_OP_WRITEV:
        return IORING_OP_WRITEV;
    case EDDY_OP_CLOSE:
        return IORING_OP_CLOSE;
    case EDDY_OP_STAT:
        return IORING_OP_STATX;
    case EDDY_OP_MKDIR:
        return IORING_OP_MKDIRAT;
    case EDDY_OP_UNLINK:
        return IORING_OP_UNLINKAT;
    case EDDY_OP_RENAME:
        return IORING_OP_RENAMEAT;
    case EDDY_OP_LINK:
        return IORING_OP_LINKAT;
    case EDDY_OP_SYMLINK:
        return IORING_OP_SYMLINKAT;
    case EDDY_OP_SYNC:
        return IORING_OP_FSYNC;
    case EDDY_OP_ALLOCATE:
        return IORING_OP_FALLOCATE;
    case EDDY_OP_GET_XATTR:
        return IORING_OP_FGETXATTR;
    case EDDY_OP_SET_XATTR:
        return IORING_OP_FSETXATTR;
    case EDDY_OP_POLL:
        return IORING_OP_POLL_ADD;
    case EDDY_OP_RECV:
        return IORING_OP_RECV;
    case EDDY_OP_SEND:
        return IORING_OP_SEND;
    case EDDY_OP_RECVMSG:
        return IORING_OP_RECVMSG;
    case EDDY_OP_SENDMSG:
        return IORING_OP_SENDMSG;
    default:
        return -1;
    }
}

/* --- slots ------------------------------------------------------------------------------------ */

static bool uring_grow_slots (UringEngine *self)
{
    uint32_t n = self->n_slots == 0 ? 64 : self->n_slots * 2;
    Slot *grown = eddy__realloc (self->slots, n * sizeof *grown);
    if (grown == NULL)
        return false;
    self->slots = grown;
    for (uint32_t i = self->n_slots; i < n; i++)
        self->slots[i] = (Slot){ .next_free = i + 1 < n ? i + 1 : UINT32_MAX };
    self->first_free = self->n_slots;
    self->n_slots = n;
    return true;
}

static bool uring_take_slot (UringEngine *self, EddyOp *op)
{
    if (self->first_free == UINT32_MAX && !uring_grow_slots (self))
        return false;
    op->slot = self->first_free;
    Slot *slot = &self->slots[op->slot];
    self->first_free = slot->next_free;
    self->n_taken++;
    slot->op = op;
    return true;
}

static void uring_give_slot (UringEngine *self, uint32_t index)
{
    Slot *slot = &self->slots[index];
    slot->op = NULL;
    /* The top bit stays clear, so that no user_data of a slot is URING_CANCEL or its like. */
    slot->generation = (slot->generation + 1) & 0x7fffffffu;
    slot->next_free = self->first_free;
    self->first_free = index;
    self->n_taken--;
}

static uint64_t uring_user_data (const UringEngine *self, const EddyOp *op)
{
    return (uint64_t) self->slots[op->slot].generation << 32 | op->slot;
}

/* The operation that a completion is of; NULL when it has long gone. */
static EddyOp *uring_find (const UringEngine *self, uint64_t user_data)
{
    uint32_t index = (uint32_t) user_data;
    if (index >= self->n_slots || self->slots[index].generation != user_data >> 32)
        return NULL;
    return self->slots[index].op;
}

/* --- filling entries -------------------------------------------------------------------------- */

static unsigned uring_clamp (size_t len)
{
    return len > 0x7ffff000u ? 0x7ffff000u : (unsigned) len;
}

static void uring_fill_name (struct io_uring_sqe *sqe, const EddyOp *op)
{
    const char *path = op->as.name.path, *other = op->as.name.other;
    switch ((EddyOpKind) op->kind) {
    case EDDY_OP_STAT:
        io_uring_prep_statx (sqe, op->fd, path, (int) op->flags, op->as.name.len, op->as.name.buf);
        break;
    case EDDY_OP_MKDIR:
        io_uring_prep_mkdirat (sqe, op->fd, path, op->as.name.mode);
        break;
    case EDDY_OP_UNLINK:
        io_uring_prep_unlinkat (sqe, op->fd, path, (int) op->flags);
        break;
    case EDDY_OP_RENAME:
        io_uring_prep_renameat (sqe, op->fd, path, op->as.name.other_fd, other, op->flags);
        break;
    case EDDY_OP_LINK:
        io_uring_prep_linkat (sqe, op->fd, path, op->as.name.other_fd, other, (int) op->flags);
        break;
    case EDDY_OP_SYMLINK:
        io_uring_prep_symlinkat (sqe, other, op->fd, path);
        break;
    case EDDY_OP_GET_XATTR:
        io_uring_prep_fgetxattr (sqe, op->fd, other, op->as.name.buf, op->as.name.len);
        break;
    case EDDY_OP_SET_XATTR:
        io_uring_prep_fsetxattr (sqe, op->fd, other, op->as.name.buf, (int) op->flags,
                                 op->as.name.len);
        break;
    default:
        __builtin_unreachable ();
    }
}

static void uring_fill (struct io_uring_sqe *sqe, const EddyOp *op)
{
    if (op->route == EDDY_ROUTE_POLL || op->kind == EDDY_OP_POLL) {
        io_uring_prep_poll_add (sqe, op->fd, eddy__op_events (op));
        return;
    }
    switch ((EddyOpKind) op->kind) {
    case EDDY_OP_READ:
        io_uring_prep_read (sqe, op->fd, op->as.transfer.buf, uring_clamp (op->as.transfer.len),
                            (uint64_t) op->as.transfer.offset);
        break;
    case EDDY_OP_WRITE:
        io_uring_prep_write (sqe, op->fd, op->as.transfer.buf, uring_clamp (op->as.transfer.len),
                             (uint64_t) op->as.transfer.offset);
        break;
    case EDDY_OP_READV:
        io_uring_prep_readv (sqe, op->fd, op->as.transfer.buf, (unsigned) op->as.transfer.len,
                             (uint64_t) op->as.transfer.offset);
        break;
    case EDDY_OP_WRITEV:
        io_uring_prep_writev (sqe, op->fd, op->as.transfer.buf, (unsigned) op->as.transfer.len,
                              (uint64_t) op->as.transfer.offset);
        break;
    case EDDY_OP_RECV:
        io_uring_prep_recv (sqe, op->fd, op->as.transfer.buf, uring_clamp (op->as.transfer.len),
                            (int) op->flags);
        sqe->ioprio |= IORING_RECVSEND_POLL_FIRST; /* it would wait: that is known */
        break;
    case EDDY_OP_SEND:
        io_uring_prep_send (sqe, op->fd, op->as.transfer.buf, uring_clamp (op->as.transfer.len),
                            (int) op->flags | MSG_NOSIGNAL);
        break;
    case EDDY_OP_RECVMSG:
        io_uring_prep_recvmsg (sqe, op->fd, op->as.transfer.buf, op->flags | MSG_CMSG_CLOEXEC);
        break;
    case EDDY_OP_SENDMSG:
        io_uring_prep_sendmsg (sqe, op->fd, op->as.transfer.buf, op->flags | MSG_NOSIGNAL);
        break;
    case EDDY_OP_CLOSE:
        io_uring_prep_close (sqe, op->fd);
        break;
    case EDDY_OP_SYNC:
        io_uring_prep_fsync (sqe, op->fd, op->flags != 0 ? IORING_FSYNC_DATASYNC : 0);
        break;
    case EDDY_OP_ALLOCATE:
        /* io_uring_prep_fallocate, whose length is an off_t here and an int in some headers */
        io_uring_prep_rw (IORING_OP_FALLOCATE, sqe, op->fd, NULL, op->flags,
                          (uint64_t) op->as.transfer.offset);
        sqe->addr = op->as.transfer.len;
        break;
    default:
        uring_fill_name (sqe, op);
    }
}

/* An entry to fill; hands what is staged to the kernel when the queue is full. NULL: still full. */
static struct io_uring_sqe *uring_get_entry (UringEngine *self)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe (&self->ring);
    if (sqe != NULL)
        return sqe;
    self->engine.counters.waits++;
    eddy__sys_uring_enter (&self->ring, 0, 0);
    return io_uring_get_sqe (&self->ring);
}

/* A standing poll of the port's eventfd: how other threads end our sleep. */
static void uring_arm_wake (UringEngine *self)
{
    if (self->wake_armed || self->poller_used)
        return;
    struct io_uring_sqe *sqe = uring_get_entry (self);
    if (sqe == NULL)
        return; /* armed at the next wait, which is before any sleep */
    io_uring_prep_poll_multishot (sqe, self->engine.port->wake_fd, POLLIN);
    sqe->user_data = URING_WAKE;
    self->wake_armed = true;
}

/* Something that comes to the poller is to end the ring's sleep. */
static void uring_arm_poller (UringEngine *self)
{
    struct io_uring_sqe *sqe = self->poller_armed ? NULL : uring_get_entry (self);
    if (sqe == NULL)
        return;
    io_uring_prep_poll_add (sqe, self->poller_fd, POLLIN);
    sqe->user_data = URING_POLLER;
    self->poller_armed = true;
}

static void uring_stage_cancels (UringEngine *self)
{
    while (!eddy__list_is_empty (&self->cancels)) {
        struct io_uring_sqe *sqe = uring_get_entry (self);
        if (sqe == NULL)
            return;
        EddyOp *op = EDDY__CONTAINER (eddy__list_pop (&self->cancels), EddyOp, link);
        io_uring_prep_cancel64 (sqe, uring_user_data (self, op), 0);
        sqe->user_data = URING_CANCEL;
    }
}

static void uring_finish (UringEngine *self, EddyOp *op, int64_t result);

/* What a test has the ring answer at once; 0: nothing. */
static int uring_answer_of_test (UringEngine *self, const EddyOp *op)
{
    EddyEngine *engine = &self->engine;
    unsigned kind = op->route == EDDY_ROUTE_POLL ? EDDY_OP_POLL : op->kind;
    if (engine->interruptions > 0) {
        engine->interruptions--;
        return engine->interruption;
    }
    return (engine->denied_kinds >> kind & 1) != 0 ? -EACCES : 0;
}

static void uring_stage_requests (UringEngine *self)
{
    while (!eddy__list_is_empty (&self->staged)) {
        EddyOp *op = EDDY__CONTAINER (self->staged.next, EddyOp, link);
        int answer = EDDY__UNLIKELY (self->engine.answered) ? uring_answer_of_test (self, op) : 0;
        if (EDDY__UNLIKELY (answer < 0)) {
            eddy__list_remove (&op->link);
            uring_finish (self, op, answer);
            continue;
        }
        if (!uring_take_slot (self, op)) {
            eddy__list_remove (&op->link);
            eddy__engine_fail (&self->engine, op, -ENOMEM);
            continue;
        }
        struct io_uring_sqe *sqe = uring_get_entry (self);
        if (sqe == NULL) {
            uring_give_slot (self, op->slot);
            return;
        }
        eddy__list_remove (&op->link);
        uring_fill (sqe, op);
        sqe->user_data = uring_user_data (self, op);
        op->state = EDDY_OP_INFLIGHT;
    }
}

/* --- completions ------------------------------------------------------------------------------ */

/* Answers that mean that the request had no effect and was not wanted by the ring. */
static bool uring_is_refusal (int64_t result)
{
    return result == -EACCES || result == -EPERM || result == -EINVAL || result == -ENOSYS ||
           result == -EOPNOTSUPP;
}

/* Answers of an interrupted request: -EINTR, and the kernel's own restart codes, which leak. */
static bool uring_is_interruption (int64_t result)
{
    return result == -EINTR || (result <= -512 && result >= -516);
}

/* Whether a request waits for readiness, and that is no longer the ring's business. */
static bool uring_leaves_to_poller (const UringEngine *self, const EddyOp *op)
{
    return self->engine.hosted && eddy__op_waits_for_readiness (op);
}

static void uring_finish (UringEngine *self, EddyOp *op, int64_t result)
{
    EddyEngine *engine = &self->engine;
    bool cancel_asked = (op->op_flags & EDDY_OP_CANCEL_ASKED) != 0;
    if (uring_is_interruption (result)) {
        if (!cancel_asked) {
            engine->verbs->submit (engine, op);
            return;
        }
        result = -ECANCELED;
    }
    if (result == -ECANCELED && !cancel_asked && uring_leaves_to_poller (self, op)) {
        eddy__engine_route (engine, op); /* uring_host() has cancelled it */
    } else if (uring_is_refusal (result) && !cancel_asked) {
        eddy__engine_repeat (engine, op);
    } else if (op->route == EDDY_ROUTE_POLL) {
        eddy__engine_ready (engine, op, result);
    } else {
        engine->counters.ring++;
        eddy__op_note_count (op, result);
        if (result >= 0)
            engine->ring_refusals[op->kind] = 0;
        eddy__engine_complete (engine, op, result);
    }
}

static void uring_handle (UringEngine *self, const struct io_uring_cqe *cqe)
{
    uint64_t user_data = cqe->user_data;
    int32_t result = cqe->res;
    if (user_data == URING_CANCEL)
        return; /* the cancelled operation's own completion is the truth */
    if (user_data == URING_POLLER) {
        self->poller_armed = false;
        return;
    }
    if (user_data == URING_WAKE) {
        self->wake_armed = (cqe->flags & IORING_CQE_F_MORE) != 0;
        if (!self->poller_used)
            eddy__port_drain (self->engine.port);
        return;
    }
    EddyOp *op = uring_find (self, user_data);
    if (op == NULL)
        return;
    eddy__list_remove (&op->link); /* a cancel that is not yet sent has nothing to cancel now */
    uring_give_slot (self, op->slot);
    uring_finish (self, op, result);
}

/* Not io_uring_peek_cqe(), which enters the kernel by itself. */
static bool uring_take (UringEngine *self, struct io_uring_cqe *taken)
{
    struct io_uring_cqe *cqe;
    unsigned head;
    io_uring_for_each_cqe (&self->ring, head, cqe)
    {
        *taken = *cqe;
        io_uring_cqe_seen (&self->ring, cqe);
        return true;
    }
    return false;
}

static void uring_reap (UringEngine *self)
{
    struct io_uring_cqe taken;
    while (uring_take (self, &taken))
        uring_handle (self, &taken);
}

/* --- the verbs -------------------------------------------------------------------------------- */

static int uring_open_ring (UringEngine *self)
{
    /* TASKRUN_FLAG: the kernel says in shared memory when completions wait for us to enter. */
    unsigned best = IORING_SETUP_CLAMP | IORING_SETUP_CQSIZE | IORING_SETUP_SINGLE_ISSUER |
                    IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG;
    int answer = -EINVAL;
    for (unsigned entries = eddy__uring_entries; entries >= ENTRIES_LEAST; entries /= 2) {
        struct io_uring_params params = { .flags = best, .cq_entries = entries * COMPLETIONS };
        answer = eddy__sys_uring_open (&self->ring, entries, &params);
        if (answer == -EINVAL) { /* Linux before 6.1 knows no deferred task work */
            params = (struct io_uring_params){ .flags = IORING_SETUP_CLAMP | IORING_SETUP_CQSIZE,
                                               .cq_entries = entries * COMPLETIONS };
            answer = eddy__sys_uring_open (&self->ring, entries, &params);
        }
        if (answer == 0 && !(params.features & IORING_FEAT_EXT_ARG)) {
            eddy__sys_uring_close (&self->ring);
            return -ENOSYS;
        }
        if (answer == 0 && entries < eddy__uring_entries)
            snprintf (self->engine.reason, sizeof self->engine.reason,
                      "memory allowed a ring of %u entries instead of %u", entries,
                      eddy__uring_entries);
        if (answer != -ENOMEM)
            break;
    }
    return answer;
}

static int uring_probe (UringEngine *self)
{
    EddySysUringProbe probe;
    int answer = eddy__sys_uring_probe (&self->ring, &probe);
    if (answer < 0)
        return answer;
    for (int kind = 0; kind < EDDY_OP_KINDS; kind++) {
        int opcode = uring_opcode ((EddyOpKind) kind);
        if (opcode >= 0 && eddy__sys_uring_probe_has (&probe, (unsigned) opcode))
            self->engine.ring_kinds |= UINT64_C (1) << kind;
    }
    return 0;
}

/* The poll that ends our sleep must work, or the ring is of no use: tried before it is trusted. */
static int uring_check_wake (UringEngine *self)
{
    uring_arm_wake (self);
    int answer = eddy__sys_uring_enter (&self->ring, 0, 0);
    if (answer < 0)
        return answer;
    /* A wakeup that came first stays for the first wait to handle. */
    struct io_uring_cqe *cqe;
    bool answered = io_uring_peek_cqe (&self->ring, &cqe) == 0 && cqe != NULL;
    return answered && cqe->res < 0 ? cqe->res : 0;
}

/* The ring that has been opened must work, and have its poller. */
static int uring_prepare (UringEngine *self, char *reason, size_t reason_len)
{
    EddyPort *port = self->engine.port;
    int answer = uring_probe (self);
    if (answer == 0)
        answer = uring_check_wake (self);
    if (answer < 0) {
        snprintf (reason, reason_len, "a first request: %s", strerror (-answer));
        return answer;
    }
    answer = eddy__epoll_verbs.open (&self->poller, port, reason, reason_len);
    if (answer < 0)
        return answer;
    self->poller->port = port;
    return eddy__epoll_verbs.host (self->poller, -1, &self->poller_fd);
}

static int uring_open (EddyEngine **engine, EddyPort *port, char *reason, size_t reason_len)
{
    UringEngine *self = eddy__alloc0 (sizeof *self);
    if (self == NULL)
        return -ENOMEM;
    self->engine.port = port;
    self->first_free = UINT32_MAX;
    eddy__list_init (&self->staged);
    eddy__list_init (&self->cancels);
    int answer = uring_open_ring (self);
    if (answer < 0) {
        snprintf (reason, reason_len, "io_uring_setup: %s", strerror (-answer));
        eddy__free (self);
        return answer;
    }
    answer = uring_prepare (self, reason, reason_len);
    if (answer < 0) {
        eddy__sys_uring_close (&self->ring);
        eddy__free (self);
        return answer;
    }
    *engine = &self->engine;
    return 0;
}

/* From now on what ends our sleep is the poller's business. */
static void uring_use_poller (UringEngine *self)
{
    if (self->poller_used)
        return;
    self->poller_used = true;
    self->engine.pending_is_exact = false;
    struct io_uring_sqe *sqe = uring_get_entry (self);
    if (sqe != NULL) { /* else the eventfd wakes twice, which does no harm */
        io_uring_prep_poll_remove (sqe, URING_WAKE);
        sqe->user_data = URING_CANCEL;
    }
}

/* Whether an operation is for the poller. */
static bool uring_is_polled (const UringEngine *self, const EddyOp *op)
{
    return op->route == EDDY_ROUTE_POLL &&
           (self->engine.hosted || eddy__op_get_readiness (op) != NULL);
}

static void uring_submit (EddyEngine *engine, EddyOp *op)
{
    UringEngine *self = uring_of (engine);
    if (uring_is_polled (self, op)) {
        uring_use_poller (self);
        eddy__epoll_verbs.submit (self->poller, op);
        return;
    }
    op->state = EDDY_OP_STAGED;
    eddy__list_append (&self->staged, &op->link);
    engine->staged = true;
}

static bool uring_is_quiet (EddyEngine *engine, const EddyOp *op)
{
    return eddy__epoll_verbs.is_quiet (uring_of (engine)->poller, op);
}

static void uring_cancel (EddyEngine *engine, EddyOp *op)
{
    if (op->state == EDDY_OP_POLLING) {
        eddy__epoll_verbs.cancel (uring_of (engine)->poller, op);
    } else if (op->state == EDDY_OP_STAGED) {
        eddy__list_remove (&op->link);
        eddy__engine_end_unbegun (op);
    } else if (op->state == EDDY_OP_INFLIGHT && !eddy__list_is_linked (&op->link)) {
        eddy__list_append (&uring_of (engine)->cancels, &op->link);
        engine->staged = true;
    }
}

/* Whether the kernel has completions that only a call of ours brings out. */
static bool uring_kernel_calls (const UringEngine *self)
{
    unsigned flags = __atomic_load_n (self->ring.sq.kflags, __ATOMIC_RELAXED);
    return (flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0;
}

static bool uring_pending (EddyEngine *engine)
{
    UringEngine *self = uring_of (engine);
    return !eddy__list_is_empty (&self->staged) || !eddy__list_is_empty (&self->cancels) ||
           io_uring_sq_ready (&self->ring) != 0 || io_uring_cq_ready (&self->ring) != 0 ||
           uring_kernel_calls (self);
}

/* Hands over what is staged; sleeps if it may and nothing is there to be handled. */
static int uring_enter (UringEngine *self, int64_t timeout_ns)
{
    EddyEngine *engine = &self->engine;
    uring_arm_wake (self);
    uring_stage_cancels (self);
    uring_stage_requests (self);
    if (timeout_ns == 0 && io_uring_sq_ready (&self->ring) == 0 && !uring_kernel_calls (self)) {
        uring_reap (self);
        return 0;
    }
    bool more = !eddy__list_is_empty (&self->staged) || !eddy__list_is_empty (&self->cancels);
    bool is_armed = self->poller_used ? self->poller_armed : self->wake_armed;
    bool sleep = timeout_ns != 0 && !more && engine->n_jobs == 0 && is_armed &&
                 io_uring_cq_ready (&self->ring) == 0;
    int answer = eddy__sys_uring_enter (&self->ring, sleep ? 1 : 0, sleep ? timeout_ns : 0);
    uring_reap (self);
    /* Interrupted, no room for completions, no memory just now: what was not taken stays staged,
     * and the loop comes back after it has handled what was reaped. */
    if (answer < 0 && answer != -EINTR && answer != -EBUSY && answer != -EAGAIN)
        return answer;
    return 0;
}

static void uring_listen (EddyEngine *engine, bool listens)
{
    unsigned *flags = uring_of (engine)->ring.cq.kflags;
    /* The order matters: listen, then look whether anything is there. */
    if (flags != NULL && listens)
        __atomic_fetch_and (flags, ~IORING_CQ_EVENTFD_DISABLED, __ATOMIC_SEQ_CST);
    else if (flags != NULL)
        __atomic_fetch_or (flags, IORING_CQ_EVENTFD_DISABLED, __ATOMIC_RELAXED);
}

/* Once hosted: sleeps in the epoll, which has the ring's eventfd, too. */
static int uring_wait_hosted (UringEngine *self, int64_t timeout_ns)
{
    uint64_t ring = self->engine.counters.ring;
    int answer = uring_enter (self, 0);
    if (answer < 0)
        return answer;
    if (timeout_ns != 0) {
        eddy__sys_eventfd_read (self->engine.event_fd, NULL);
        uring_listen (&self->engine, true);
        if (self->engine.counters.ring != ring || eddy__engine_pending (&self->engine))
            timeout_ns = 0;
    }
    answer = eddy__epoll_verbs.wait (self->poller, timeout_ns);
    uring_listen (&self->engine, false);
    return answer < 0 || timeout_ns == 0 ? answer : uring_enter (self, 0);
}

/* With a poller, whichever of the two has something to wait for sleeps. While the poller is armed,
 * nothing has come to it. */
static int uring_wait_both (UringEngine *self, int64_t timeout_ns)
{
    if (self->n_taken == 0 && !uring_pending (&self->engine))
        return eddy__epoll_verbs.wait (self->poller, timeout_ns);
    if (timeout_ns != 0)
        uring_arm_poller (self);
    int answer = uring_enter (self, timeout_ns);
    if (answer < 0 || self->poller_armed)
        return answer;
    return eddy__epoll_verbs.wait (self->poller, 0);
}

static int uring_wait (EddyEngine *engine, int64_t timeout_ns)
{
    UringEngine *self = uring_of (engine);
    if (!self->poller_used)
        return uring_enter (self, timeout_ns);
    if (EDDY__UNLIKELY (engine->hosted))
        return uring_wait_hosted (self, timeout_ns);
    return uring_wait_both (self, timeout_ns);
}

void eddy__uring_deny_for_test (EddyEngine *engine, EddyOpKind kind)
{
    engine->answered = true;
    engine->denied_kinds |= UINT64_C (1) << kind;
}

void eddy__uring_interrupt_for_test (EddyEngine *engine, unsigned times, int answer)
{
    engine->answered = true;
    engine->interruptions = times;
    engine->interruption = answer;
}

/* Those not yet sent go there at once, those in flight when the ring has let go of them. */
static void uring_move_to_poller (UringEngine *self)
{
    EddyList staged;
    eddy__list_init (&staged);
    eddy__list_splice (&staged, &self->staged);
    for (EddyList *link; (link = eddy__list_pop (&staged)) != NULL;)
        eddy__engine_route (&self->engine, EDDY__CONTAINER (link, EddyOp, link));
    for (uint32_t i = 0; i < self->n_slots; i++) {
        EddyOp *op = self->slots[i].op;
        if (op != NULL && uring_leaves_to_poller (self, op) && !eddy__list_is_linked (&op->link))
            eddy__list_append (&self->cancels, &op->link);
    }
}

/* The poller sleeps for both, so that the ring's eventfd is one of its own. */
static int uring_tell_poller (UringEngine *self, int event_fd)
{
    struct epoll_event event = { .events = EPOLLIN, .data.fd = event_fd };
    int answer = eddy__sys_epoll_ctl (self->poller_fd, EPOLL_CTL_ADD, event_fd, &event);
    if (answer < 0)
        return answer;
    self->poller->event_fd = event_fd;
    answer = eddy__sys_uring_register_eventfd (&self->ring, event_fd);
    if (answer < 0) {
        (void) eddy__sys_epoll_ctl (self->poller_fd, EPOLL_CTL_DEL, event_fd, NULL);
        self->poller->event_fd = -1;
    }
    return answer;
}

/* The ring's eventfd tells the foreign loop: an epoll on a ring with deferred task work never
 * wakes. But the kernel does not write an eventfd from inside a write to another one: it does so
 * milliseconds later, and Linux 6.18 only once in a ring's life. So whatever waits for readiness,
 * which may be an eventfd's, and the port's is, moves to an epoll. */
static int uring_host (EddyEngine *engine, int event_fd, int *poll_fd)
{
    UringEngine *self = uring_of (engine);
    int answer = uring_tell_poller (self, event_fd);
    if (answer < 0)
        return answer;
    uring_use_poller (self);
    *poll_fd = self->poller_fd;
    engine->hosted = true;
    uring_listen (engine, false);
    uring_move_to_poller (self);
    return 0;
}

static void uring_each (EddyEngine *engine, EddyOpVisit visit, void *data)
{
    UringEngine *self = uring_of (engine);
    eddy__ops_each (&self->staged, visit, data);
    for (uint32_t i = 0; i < self->n_slots; i++)
        if (self->slots[i].op != NULL)
            visit (self->slots[i].op, data);
    eddy__epoll_verbs.each (self->poller, visit, data);
}

static void uring_close (EddyEngine *engine)
{
    UringEngine *self = uring_of (engine);
    eddy__epoll_verbs.close (self->poller);
    eddy__sys_uring_close (&self->ring);
    eddy__free (self->slots);
    eddy__free (self);
}

const EddyEngineVerbs eddy__uring_verbs = {
    .name = "uring",
    .open = uring_open,
    .submit = uring_submit,
    .is_quiet = uring_is_quiet,
    .cancel = uring_cancel,
    .pending = uring_pending,
    .pending_is_exact = true,
    .wait = uring_wait,
    .host = uring_host,
    .listen = uring_listen,
    .each = uring_each,
    .close = uring_close,
};
