/* SPDX-License-Identifier: MIT */
/* EddyContext from the inside. Owner: the one thread that has acquired it. */
#pragma once

#include <eddy/context.h>
#include <sys/types.h>

#include "base/compiler-private.h"
#include "base/list-private.h"
#include "base/roster-private.h"
#include "engine/engine-private.h"
#include "loop/queue-private.h"
#include "loop/spin-private.h"
#include "loop/timer-private.h"
#include "sys/clock-private.h"

typedef struct EddySourceTable EddySourceTable;

/* A pass with work in hand looks at the kernel, and at the clock, every so many entries. Fibers
 * that go on by themselves ask every so many whether the loop should come first. */
enum {
    EDDY__LOOK_EVERY = 64,
    EDDY__CLOCK_EVERY = 16,
    EDDY__PEEK_EVERY = 16,
    EDDY__STAMP_EVERY = 256
};

/* Who is told of each step of a context, and while he is, no fiber goes on without the loop
 * (testing.c). */
typedef struct EddyPassObserver EddyPassObserver;
struct EddyPassObserver {
    void (*stepped) (EddyPassObserver *observer); /* something has run, or is about to */
};

struct EddyContext {
    EddyObject object;
    EddyPort *port;
    EddyEngine *engine;  /* NULL before the first pass */
    void *engine_thread; /* that opened it; atomic */
    EddyReadyQueue ready;
    EddyTimers timers;
    int64_t now_ns;       /* the clock as this pass read it */
    void *owner;          /* the owning thread's identity; atomic */
    unsigned depth;       /* acquired so many times */
    unsigned dispatching; /* passes that are dispatching, nested in one another */
    unsigned n_run;       /* entries run, ever; and how many had been */
    unsigned look_run;    /* … when the kernel was last asked */
    unsigned clock_run;   /* … when the clock was last read */
    unsigned peek_run;    /* … at the last peek */
    bool helps;
    bool disposed;
    bool parked;           /* a foreign loop waits in our place: it must be told of an entry */
    unsigned entered;      /* by eddy__context_enter(), nested */
    struct EddyHost *host; /* of a context that has a foreign loop (host.c); else NULL */
    /* Sources: */
    EddySourceTable *table;    /* all that are attached, by id */
    EddyList sources;          /* those that it has taken in */
    EddyList signals;          /* the signal sources */
    EddyList hooked;           /* those with prepare or check hooks */
    int64_t prepared_ns;       /* how long the hooks let the last pass wait; -1: no limit */
    EddyList *hook_next;       /* where the walk through them goes on */
    EddyList polls;            /* of their fds, under way in the engine */
    EddyList unarmed;          /* watches of fds that wait for an engine */
    unsigned in_hooks;         /* hooks under way, in which nothing may iterate */
    unsigned n_queued_sources; /* entries of sources in the ready queue */
    unsigned n_stale_sources;  /* of those, of destroyed ones that lie deep */
    unsigned n_dispatched;     /* sources dispatched, ever */
    unsigned n_skipped;        /* of n_run, sources' entries that dispatched nothing */
    bool source_time_is_fresh; /* it was read in this pass */
    int64_t source_time_ns;
    uint64_t signals_seen;
    EddyReadyLevel *pass_level; /* that the current pass dispatches */
    uint32_t pass_turn;
    unsigned live_futures; /* pending ones made by its thread: together they hold one reference */
    bool kept;             /* there is that reference */
    unsigned live_fibers;
    /* Of the fiber room: all fibers that have let others run and have not ended; and what is asked,
     * before a sleep of so many nanoseconds (-1: for ever), how long to sleep at most. */
    EddyList fibers;
    int64_t (*before_sleep) (int64_t timeout_ns);
    EddyPassObserver *observer; /* NULL but in tests */
    bool expects_mail;          /* another thread has lately given a fiber what it waited for … */
    EddySpin spin;              /* … and so the loop looks a little longer before it sleeps */
    struct EddyAlarms *alarms;  /* made when somebody sets one; atomic */
    /* For dumps: */
    uint32_t stamp;     /* the time, coarsely, for who notes when he was made */
    unsigned stamp_run; /* of n_run: when it was last refreshed */
    /* Of the future room: tasks that have not ended, for a dump. Those that its owner made; and
     * those that other threads made, under the table's lock. */
    EddyRoster tasks;
    EddyRoster foreign_tasks;
};

/* This thread's identity: a number, since an address would come back with another thread, which
 * the kernel refuses the ring of the former one. */
extern EDDY__THREAD uintptr_t eddy__thread_identity; /* 0: nobody has asked yet */
void *eddy__thread_identify (void);
static inline void *eddy__thread_self (void)
{
    uintptr_t identity = eddy__thread_identity;
    return EDDY__LIKELY (identity != 0) ? (void *) identity : eddy__thread_identify ();
}

/* The kernel's number of the thread that has an identity; 0: it is nobody's. */
static inline pid_t eddy__thread_get_number (const void *identity)
{
    return (pid_t) (uint32_t) (uintptr_t) identity;
}

static inline bool eddy__context_is_owned (const EddyContext *context)
{
    return __atomic_load_n (&context->owner, __ATOMIC_RELAXED) == eddy__thread_self ();
}

/* Whether this thread is the context's: it owns it, or, while nobody does, it ran it last, or
 * nobody ever did. Any thread that keeps the context. */
static inline bool eddy__context_is_home (const EddyContext *context)
{
    const void *thread = __atomic_load_n (&context->owner, __ATOMIC_RELAXED);
    if (thread == NULL)
        thread = __atomic_load_n (&context->engine_thread, __ATOMIC_RELAXED);
    return thread == NULL || thread == eddy__thread_self ();
}

/* The reference that a context's pending futures have together. It is taken with the first; after
 * the last one it stays until the pass ends: taking it for one fiber at a time would cost more than
 * the fiber. Owner only. */
static inline void eddy__context_keep (EddyContext *context)
{
    if (!context->kept)
        eddy_ref (context);
    context->kept = true;
}
static inline void eddy__context_let_go (EddyContext *context)
{
    if (context->dispatching > 0 || !context->kept || context->live_futures > 0)
        return;
    context->kept = false;
    eddy_unref (context);
}

/* No context goes while this is held: for who finds one through what keeps it only for now, as a
 * pending future does. For a moment, and not while the program's functions run. */
void eddy__contexts_lock (void);
void eddy__contexts_unlock (void);

/* The context that is dispatching on this thread, or NULL. */
EddyContext *eddy__context_current (void);

/* Has the foreign loop that waits in this context's place wake up (host.c). */
void eddy__host_tell (EddyContext *context);

/* Adds an entry to those that run in a coming pass. Owner only. */
static inline void eddy__context_queue (EddyContext *context, EddyEntry *entry)
{
    if (EDDY__UNLIKELY (context->parked))
        eddy__host_tell (context);
    eddy__ready_push (&context->ready, entry);
}

/* Queues an entry from any thread; false when the context is gone. */
static inline bool eddy__context_post (EddyContext *context, EddyEntry *entry)
{
    return eddy__port_post (context->port, entry);
}

/* The same where the entry's arrival may let go of what keeps the context: it may go as soon as
 * that has come, but not the port. */
static inline bool eddy__context_post_last (EddyContext *context, EddyEntry *entry)
{
    EddyPort *port = context->port;
    eddy__port_add_posters (port, 1);
    bool posted = eddy__port_post (port, entry);
    eddy__port_remove_posters (port, 1);
    return posted;
}

/* Set by the fiber room: whether this thread runs a fiber, on whose stack no loop can run. */
extern bool (*eddy__context_in_fiber) (void);

/* Set by the fiber room when it is loaded: called with each new context. */
extern void (*eddy__context_made) (void);

/* What `owner` says while a caretaker has the context (source.c): a thread that would acquire it
 * waits, for it is never long. */
extern void *eddy__context_caretaker;

/* eddy_context_new(); NULL with -errno in `answer`. */
EddyContext *eddy__context_new (int *answer);

/* Acquires the context and opens its engine; 0 or -errno (-EBUSY: another thread has it; -EDEADLK:
 * in a fiber, or in a source's prepare or check; -EXDEV: it has operations under way in another
 * thread). */
int eddy__context_enter (EddyContext *context);
/* Waits until the context can be entered, or `*given_up`, unless NULL, becomes true: -EINTR.
 * Whoever sets that calls eddy__context_wake_waiters(). */
int eddy__context_wait_enter (EddyContext *context, const bool *given_up);
void eddy__context_wake_waiters (void);
void eddy__context_leave (EddyContext *context);

/* A thread's default contexts, innermost first. Callbacks run with their own context pushed. */
typedef struct EddyThreadDefault {
    struct EddyThreadDefault *outer;
    EddyContext *context;
} EddyThreadDefault;
void eddy__thread_default_push (EddyThreadDefault *pushed, EddyContext *context);
void eddy__thread_default_pop (EddyThreadDefault *pushed);

extern EDDY__THREAD EddyThreadDefault *eddy__thread_defaults;

/* The innermost of them, or the default context; not a reference. */
static inline EddyContext *eddy__context_thread_default (void)
{
    const EddyThreadDefault *innermost = eddy__thread_defaults;
    return innermost != NULL ? innermost->context : eddy_context_default ();
}

/* The context that an argument of NULL stands for: the thread's default one … */
static inline EddyContext *eddy__context_or_thread_default (EddyContext *context)
{
    return context != NULL ? context : eddy__context_thread_default ();
}
/* … or the process's. */
EddyContext *eddy__context_or_default (EddyContext *context);

/* One pass by the owner; whether something was dispatched. */
bool eddy__context_pass (EddyContext *context, bool may_block);
/* Its two halves: finds what is ready; dispatches the most urgent level of it. */
void eddy__context_collect (EddyContext *context, bool may_block);
bool eddy__context_dispatch (EddyContext *context);

/* Has the next pass look at the clock and the kernel, however much there is to run. */
static inline void eddy__context_look_next (EddyContext *context)
{
    context->look_run = context->n_run - EDDY__LOOK_EVERY;
    context->clock_run = context->n_run - EDDY__CLOCK_EVERY;
    context->peek_run = context->n_run - EDDY__PEEK_EVERY;
}

/* Before a sleep for so long, -1: for ever: whether mail has come while it looked. */
bool eddy__context_spin (EddyContext *context, int64_t timeout_ns);

/* Runs what others have posted meanwhile. Before a thread lets go of a context: a future that it
 * has completed may have been asked for by then, and nobody may run the context again. */
void eddy__context_take_late_mail (EddyContext *context);
/* Whether entries may go on without the loop, as far as its rarer duties are concerned. */
bool eddy__context_peek (EddyContext *context);

/* eddy__context_queue() by what the context dispatches: mostly it joins the level of the pass. */
static inline void eddy__context_queue_running (EddyContext *context, EddyEntry *entry)
{
    EddyReadyLevel *level = context->pass_level;
    if (EDDY__LIKELY (level->priority == entry->priority))
        eddy__ready_join (&context->ready, level, entry);
    else
        eddy__ready_push (&context->ready, entry);
}

/* Begins the next turn without going back to the loop; false when the loop would find something
 * else to do first. The pass's level has entries. */
static inline bool eddy__context_next_turn (EddyContext *context)
{
    if (EDDY__UNLIKELY (context->pass_level != context->ready.order[0]) &&
        context->pass_level != eddy__ready_most_urgent (&context->ready))
        return false;
    if (EDDY__UNLIKELY (context->engine->staged || eddy__port_has_mail (context->port)))
        return false;
    if (EDDY__UNLIKELY (context->n_run - context->peek_run >= EDDY__PEEK_EVERY) &&
        !eddy__context_peek (context))
        return false;
    context->pass_turn = ++context->ready.turn;
    return true;
}

/* Takes the entry that the loop would run next, if that runs `run`; NULL: back to the loop. While
 * its context dispatches. */
static inline EddyEntry *eddy__context_take_running (EddyContext *context,
                                                     void (*run) (EddyEntry *entry))
{
    EddyReadyLevel *level = context->pass_level;
    EddyEntry *entry = level->first;
    if (EDDY__UNLIKELY (entry == NULL || entry->run != run))
        return NULL;
    if ((int32_t) (entry->turn - context->pass_turn) >= 0 && !eddy__context_next_turn (context))
        return NULL;
    level->first = entry->next;
    context->n_run++;
    return entry;
}

/* Coarse times, for ages: steps of 8.4 ms, which come again after 417 days. */
enum { EDDY__STAMP_SHIFT = 23 };
static inline uint32_t eddy__stamp (int64_t time_ns)
{
    return (uint32_t) (time_ns >> EDDY__STAMP_SHIFT);
}
/* How long ago, at most. */
static inline int64_t eddy__stamp_age_ns (uint32_t stamp, int64_t now_ns)
{
    return (int64_t) (uint32_t) (eddy__stamp (now_ns) - stamp) << EDDY__STAMP_SHIFT;
}
/* Reads the coarse clock, which a busy loop does every EDDY__STAMP_EVERY entries: even that one is
 * not read for each fiber. Owner only. */
uint32_t eddy__context_refresh_stamp (EddyContext *context);

/* The current time of a context: exact, since waiting for a deadline begins now. */
int64_t eddy__context_read_clock (EddyContext *context);

/* The stamp of something made now, by any thread; in the loop, that of the pass. */
static inline uint32_t eddy__context_make_stamp (EddyContext *context)
{
    if (EDDY__LIKELY (eddy__context_is_owned (context)))
        return context->dispatching > 0 ? context->stamp : eddy__context_refresh_stamp (context);
    return eddy__stamp (eddy__sys_coarse_ns ());
}
