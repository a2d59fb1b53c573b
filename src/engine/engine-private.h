/* SPDX-License-Identifier: MIT */
/* The engine: an operation is data, and an engine is six verbs on it.
 *
 * engine.c decides who serves an operation, so that everything above sees one engine with one
 * behaviour: what needs no waiting is done at once, what waits for a peer waits for readiness,
 * blocking file calls go to the workers, and the ring carries what it serves better (see route.c).
 * uring.c and epoll.c serve the rest. All calls are the owner thread's unless they say otherwise.
 */
#pragma once

#include <stddef.h>

#include "base/compiler-private.h"
#include "engine/operation-private.h"
#include "sys/now-private.h"
#include "sys/process-private.h"

typedef struct EddyEngine EddyEngine;

/* Is shown an operation that is under way; starts and ends none. */
typedef void (*EddyOpVisit) (EddyOp *op, void *data);

/* What an engine can be asked. */
typedef struct EddyEngineVerbs {
    const char *name;
    /* Opens the kernel's side, or returns -errno with a reason in `reason`. */
    int (*open) (EddyEngine **engine, EddyPort *port, char *reason, size_t reason_len);
    /* Takes a request whose route is RING or POLL. */
    void (*submit) (EddyEngine *engine, EddyOp *op);
    /* Whether the socket of a request is still as its last operation left it, drained: nothing has
     * been seen to come. NULL: `submit` finds out itself. */
    bool (*is_quiet) (EddyEngine *engine, const EddyOp *op);
    /* Asks for the end of a request that it has; the request still completes by itself. */
    void (*cancel) (EddyEngine *engine, EddyOp *op);
    /* Whether `wait` would find or hand over something now. Costs no system call. */
    bool (*pending) (EddyEngine *engine);
    /* Whether `pending` knows without a system call all that `wait` could find; not once an epoll
     * has a part in it. */
    bool pending_is_exact;
    /* Hands everything staged to the kernel, waits (0: only looks, -1: for ever), and completes
     * what has ended. 0 or -errno; an interrupted wait is 0. */
    int (*wait) (EddyEngine *engine, int64_t timeout_ns);
    /* From now on a foreign loop may wait in our place: for `event_fd`, an eventfd that is written
     * while the engine is told to listen, and for *poll_fd (-1: none). 0 or -errno. */
    int (*host) (EddyEngine *engine, int event_fd, int *poll_fd);
    /* Whether the eventfd is to be written: not while our own loop runs. May be NULL. */
    void (*listen) (EddyEngine *engine, bool listens);
    /* Shows all requests that it has. */
    void (*each) (EddyEngine *engine, EddyOpVisit visit, void *data);
    void (*close) (EddyEngine *engine);
} EddyEngineVerbs;

extern const EddyEngineVerbs eddy__uring_verbs;
extern const EddyEngineVerbs eddy__epoll_verbs;

/* How often each way served an operation: how tests know that the engine they name did the work. */
typedef struct EddyEngineCounters {
    uint64_t immediate; /* done at once, without waiting */
    uint64_t ring;      /* completed by the ring */
    uint64_t polled;    /* became ready, then done */
    uint64_t workers;   /* done by a worker */
    uint64_t helped;    /* a worker's, done by the loop's own thread */
    uint64_t fallbacks; /* refused by the ring, repeated by system call */
    uint64_t waits;     /* times the kernel was asked */
} EddyEngineCounters;

/* The part that all engines begin with. */
struct EddyEngine {
    const EddyEngineVerbs *verbs;
    EddyPort *port;
    char reason[128]; /* why this engine is in use */
    EddyList jobs;    /* staged for the workers, published at the next wait */
    unsigned n_jobs;
    unsigned live;         /* operations not yet done */
    unsigned background;   /* … and polls that do not count among them */
    bool staged;           /* something for the kernel, since the last wait */
    bool pending_is_exact; /* as the verbs say, at first */
    bool hosted;           /* a foreign loop waits in our place */
    bool parked;           /* … and must be told of what is staged */
    int event_fd;          /* … by this */
    bool helps;            /* the loop's thread runs jobs when it would sleep */
    bool force_ring;       /* tests: whatever the ring can do, it does */
    bool answered;         /* by a test in the ring's place, see below */
    uint64_t denied_kinds;
    unsigned interruptions;
    int interruption;
    uint64_t ring_kinds;                  /* kinds the ring can serve, one bit each */
    uint8_t ring_refusals[EDDY_OP_KINDS]; /* repeats that succeeded in a row */
    EddyEngineCounters counters;
};

/* Opens the engine that EDDY_ENGINE=auto|uring|epoll asks for; 0, or -errno with a reason. */
int eddy__engine_open (EddyEngine **engine, EddyPort *port, char *reason, size_t reason_len);
/* Whether this is a child of a process that had begun to use engines and workers; asked by whoever
 * is about to begin. */
bool eddy__engine_is_orphaned (void);
/* No operation may be live. */
void eddy__engine_close (EddyEngine *engine);

/* Starts an operation. True when it is done already: the result is there, and `complete` is not
 * called. Otherwise `complete` is called later, from `wait` or from the inbox. */
bool eddy__engine_submit (EddyEngine *engine, EddyOp *op);
/* Asks an operation to end; it completes all the same, later, never inside this call. */
void eddy__engine_cancel (EddyEngine *engine, EddyOp *op);
/* Takes a background poll back from an engine that is about to be closed. True: the record is the
 * caller's. False: it is on its way through the inbox, where `forgotten` is called. */
bool eddy__engine_forget (EddyEngine *engine, EddyOp *op, void (*forgotten) (EddyOp *op));
/* The fd of a socket is about to be closed: ends all that waits for it, at most `n_ops` operations,
 * with -EBADF, later, as a cancel does. Those that its readiness knows cost no search. */
void eddy__engine_give_up_fd (EddyEngine *engine, int fd, const EddyReadiness *readiness,
                              unsigned n_ops);
/* As the verb; publishes jobs first, and does one of them instead of sleeping when told to help,
 * or when it is a brief one and there is nothing else to wait for. */
int eddy__engine_wait (EddyEngine *engine, int64_t timeout_ns);
static inline bool eddy__engine_pending (EddyEngine *engine)
{
    return engine->n_jobs != 0 || engine->verbs->pending (engine);
}

/* Shows all operations that are under way, but those that have just ended. Owner only; what it has
 * been shown stays as long as he does not go on with his loop, but may come to run meanwhile. */
void eddy__engine_each (EddyEngine *engine, EddyOpVisit visit, void *data);

/* As the verb; only once. */
int eddy__engine_host (EddyEngine *engine, int event_fd, int *poll_fd);
/* A foreign loop is about to wait, or ours runs again. */
void eddy__engine_park (EddyEngine *engine, bool parked);

/* Whether the owner's thread runs jobs when it would sleep. */
void eddy__engine_set_helps (EddyEngine *engine, bool helps);

/* For uring.c and epoll.c. */

/* Shows all operations of a list. */
static inline void eddy__ops_each (EddyList *ops, EddyOpVisit visit, void *data)
{
    for (EddyList *link = ops->next; link != ops; link = link->next)
        visit (EDDY__CONTAINER (link, EddyOp, link), data);
}

/* Chooses the way of a request, and sends it there. */
void eddy__engine_route (EddyEngine *engine, EddyOp *op);
/* A request's fd is ready, or its poll failed with -errno: does it, or asks to wait again. */
void eddy__engine_ready (EddyEngine *engine, EddyOp *op, int64_t revents);
/* An operation is done: counts it and tells whoever waits. */
void eddy__engine_complete (EddyEngine *engine, EddyOp *op, int64_t result);
/* A request ended before anything was asked of the kernel: it completes by way of the inbox. */
void eddy__engine_fail (EddyEngine *engine, EddyOp *op, int64_t result);
/* epoll's word for a regular file: always ready, so a worker reads it. */
void eddy__engine_not_pollable (EddyEngine *engine, EddyOp *op);
/* An operation that nobody had begun was cancelled: it completes by way of the inbox. */
void eddy__engine_end_unbegun (EddyOp *op);
/* Makes the operation's entry, which brings it back to its own thread. */
void eddy__op_make_entry (EddyOp *op);
/* The ring refused an operation: a worker repeats it, and its answer is the result. */
void eddy__engine_repeat (EddyEngine *engine, EddyOp *op);

/* What tests put between operations and those who serve them; a program has none of it. Each is
 * atomic. */
typedef struct EddyEngineHooks {
    /* Before anything is done for an operation: 0, or the -errno that it ends with, unbegun. */
    int64_t (*begin) (EddyOp *op);
    /* Before it goes to the kernel or a worker: its buffer may be another from now on. */
    void (*send) (EddyOp *op);
    /* With its result, before anybody is told. */
    void (*done) (EddyOp *op);
} EddyEngineHooks;
extern EddyEngineHooks eddy__engine_hooks;
/* A hook that a test has set, or NULL. It is set while no other thread is in here. */
#define EDDY__ENGINE_HOOK(name) __atomic_load_n (&eddy__engine_hooks.name, __ATOMIC_ACQUIRE)

/* --- without an operation --------------------------------------------------------------------- */

/* Whether what needs no waiting may be done without an operation. */
EDDY__NOW_INLINE bool eddy__engine_does_now (const EddyEngine *engine)
{
    return EDDY__LIKELY (!engine->force_ring && EDDY__ENGINE_HOOK (begin) == NULL &&
                         !eddy__sys_forked ());
}

/* A read at an offset: what is there, 0 at the end; or -errno, and an operation is to find out why.
 * -EAGAIN: which need not try (EDDY_OP_TRIED). `in_memory`: the file has no disk to wait for. */
EDDY__NOW_INLINE int64_t eddy__engine_read_now (EddyEngine *engine, int fd, void *buf, size_t len,
                                                int64_t offset, bool in_memory)
{
    if (!eddy__engine_does_now (engine))
        return -EINPROGRESS;
    int64_t count = EDDY__UNLIKELY (in_memory) ? eddy__sys_pread (fd, buf, len, offset)
                                               : eddy__sys_read_now (fd, buf, len, offset);
    engine->counters.immediate += count >= 0;
    return count;
}

/* The same of a send by a socket. */
EDDY__NOW_INLINE int64_t eddy__engine_send_now (EddyEngine *engine, int fd, const void *buf,
                                                size_t len)
{
    if (!eddy__engine_does_now (engine))
        return -EINPROGRESS;
    int64_t count = eddy__sys_send_now (fd, buf, len);
    engine->counters.immediate += count >= 0;
    return count;
}

/* Of a ring's submission queue; tests ask for fewer. */
extern unsigned eddy__uring_entries;

/* For tests: from now on the ring answers -EACCES to this kind, as a filter that came late makes it
 * do. */
void eddy__uring_deny_for_test (EddyEngine *engine, EddyOpKind kind);
/* The next requests are interrupted so many times, with this answer. */
void eddy__uring_interrupt_for_test (EddyEngine *engine, unsigned times, int answer);

/* Which way serves an operation (route.c). */
EddyOpRoute eddy__route (const EddyEngine *engine, const EddyOp *op);

/* The workers, for the doctor: threads that run, and how many may (workers.c). */
typedef struct EddyWorkersStatistics {
    unsigned threads;
    unsigned running_limit;
    unsigned thread_limit;
} EddyWorkersStatistics;
EddyWorkersStatistics eddy__workers_get_statistics (void);

/* The workers, for jobs that belong to no engine. Any thread. */

/* Hands over an operation whose `engine` is NULL, to be run by its priority; when it has run,
 * `complete` is called on the worker. */
void eddy__workers_publish_one (EddyOp *op);
/* Takes a job that no worker has begun back; false when one has. */
bool eddy__workers_cancel (EddyOp *op);
/* Whether this thread is a worker. */
bool eddy__workers_inside (void);
