/* SPDX-License-Identifier: MIT */
/* EddyContext from the inside. Owner: the one thread that has acquired it. */
#pragma once

#include <eddy/context.h>

#include "base/compiler-private.h"
#include "base/list-private.h"
#include "engine/engine-private.h"
#include "loop/queue-private.h"
#include "loop/timer-private.h"

/* A pass with work in hand looks at the kernel, and at the clock, every so many entries. */
enum { EDDY__LOOK_EVERY = 64, EDDY__CLOCK_EVERY = 16 };

struct EddyContext {
    EddyObject object;
    EddyPort *port;
    EddyEngine *engine;  /* NULL before the first pass */
    void *engine_thread; /* that opened it */
    EddyReadyQueue ready;
    EddyTimers timers;
    int64_t now_ns;       /* the clock as this pass read it */
    void *owner;          /* the owning thread's identity; atomic */
    unsigned depth;       /* acquired so many times */
    unsigned dispatching; /* passes that are dispatching, nested in one another */
    unsigned since_look;  /* entries run since the kernel was last asked */
    unsigned since_clock; /* entries run since the clock was last read */
    bool helps;
    bool disposed;
    EddyList sources; /* attached, not destroyed */
    EddyList signals; /* of those, the signal sources */
    uint64_t signals_seen;
    int pass_priority; /* level that the current pass dispatches */
    uint32_t pass_turn;
    unsigned live_futures; /* pending ones made by its thread: together they hold one reference */
    unsigned live_fibers;
    EddyList fibers; /* of the fiber room: all that have not ended */
};

/* This thread's identity. */
extern EDDY__THREAD char eddy__thread_identity;
static inline void *eddy__thread_self (void)
{
    return &eddy__thread_identity;
}

static inline bool eddy__context_is_owned (const EddyContext *context)
{
    return __atomic_load_n (&context->owner, __ATOMIC_RELAXED) == eddy__thread_self ();
}

/* The context that is dispatching on this thread, or NULL. */
EddyContext *eddy__context_current (void);

/* Adds an entry to those that run in a coming pass. Owner only. */
static inline void eddy__context_queue (EddyContext *context, EddyEntry *entry)
{
    eddy__ready_push (&context->ready, entry);
}

/* Queues an entry from any thread; false when the context is gone. */
static inline bool eddy__context_post (EddyContext *context, EddyEntry *entry)
{
    return eddy__port_post (context->port, entry);
}

/* Acquires the context and opens its engine; 0 or -errno (-EBUSY: another thread has it). */
int eddy__context_enter (EddyContext *context);
void eddy__context_leave (EddyContext *context);

/* A thread's default contexts, innermost first. Callbacks run with their own context pushed. */
typedef struct EddyThreadDefault {
    struct EddyThreadDefault *outer;
    EddyContext *context;
} EddyThreadDefault;
void eddy__thread_default_push (EddyThreadDefault *pushed, EddyContext *context);
void eddy__thread_default_pop (EddyThreadDefault *pushed);

/* The innermost of them, or the default context; not a reference. */
EddyContext *eddy__context_thread_default (void);

/* The context that an argument of NULL stands for. */
EddyContext *eddy__context_or_default (EddyContext *context);

/* One pass by the owner; whether something was dispatched. */
bool eddy__context_pass (EddyContext *context, bool may_block);

/* Begins the next turn without going back to the loop, for entries that run `run`: only when the
 * loop would do just that, having nothing else to look at first. */
static inline bool eddy__context_next_turn (EddyContext *context, void (*run) (EddyEntry *entry))
{
    const EddyReadyLevel *level = eddy__ready_most_urgent (&context->ready);
    if (level == NULL || level->priority != context->pass_priority || level->first->run != run)
        return false;
    if (context->since_look >= EDDY__LOOK_EVERY || eddy__port_has_mail (context->port) ||
        (context->timers.n > 0 && context->since_clock >= EDDY__CLOCK_EVERY) ||
        eddy__engine_pending (context->engine))
        return false;
    context->pass_turn = ++context->ready.turn;
    return true;
}

/* The current time of a context: exact, since waiting for a deadline begins now. */
int64_t eddy__context_read_clock (EddyContext *context);
