/* SPDX-License-Identifier: MIT */
/* EddyFuture from the inside.
 *
 * Two counts, in one block. Handles are the object's references: who may still want the answer.
 * Makers: who will deliver it. The last handle gone while pending: cancel is requested, and the end
 * is unseen. The last maker gone while pending: it completes with ABANDONED. All makers together
 * own one hold of the object, so it is freed when both counts are zero. */
#pragma once

#include <eddy/future.h>

#include "base/list-private.h"
#include "base/object-private.h"
#include "loop/context-private.h"

typedef struct EddyWatcher EddyWatcher;
/* Told once when a future has completed, on its home context's thread, from the loop or from what
 * completed it; it must only queue something. */
struct EddyWatcher {
    /* The first one's `previous` is the last one; NULL: it is the only one. */
    EddyWatcher *previous;
    EddyWatcher *next;
    void (*completed) (EddyWatcher *watcher);
};

/* What kind of future it is. */
typedef struct EddyFutureClass {
    EddyClass object;
    /* Asks what is under way to end. Any thread; NULL: it cannot be asked. */
    void (*request_cancel) (EddyFuture *future);
} EddyFutureClass;

typedef enum EddyFutureState {
    EDDY_FUTURE_PENDING,
    EDDY_FUTURE_BOUND, /* pending, and bound to an object's life (bind.c) */
    EDDY_FUTURE_COMPLETING,
    EDDY_FUTURE_AWAY, /* done, and another thread tells its home thread, which has not heard yet */
    EDDY_FUTURE_DONE
} EddyFutureState;

/* What a switch between fibers touches stands first, in one cache line. */
struct EddyFuture {
    EddyObject object;
    EddyContext *context; /* home; kept alive while the future is pending */
    EddyEntry entry;      /* brings the completion home, then runs the callback */
    uint32_t makers;      /* atomic */
    uint8_t state;        /* atomic */
    bool counted;         /* its context is kept by the count of its pending futures */
    bool taken;
    bool has_callback;
    EddyWatcher *watcher; /* the first; the home thread's, while it is pending */
    EddyValue value;
    EddyError *error;
    void *source_object; /* a reference */
    const void *tag;     /* what made it: a form, or NULL */
    /* The callback that it was started with, if it has one: */
    EddyAsyncReadyCallback callback;
    void *user_data;
};

/* Begins a future in zeroed memory: one handle, one maker. Its class's dispose and finalize must
 * call the two below.
 *
 * A context outlives its pending futures. Those that its own thread makes share one reference: an
 * atomic count each would cost more than a fiber. */
void eddy__future_init (EddyFuture *future, const EddyFutureClass *future_class,
                        EddyContext *context, int priority);
/* The same on the home thread of a context that is kept already. */
static inline void eddy__future_init_at_home (EddyFuture *future,
                                              const EddyFutureClass *future_class,
                                              EddyContext *context, int priority)
{
    /* Two holds: the handles', the makers'. */
    eddy__object_init_shared (future, &future_class->object, /* holds= */ 2);
    future->context = context;
    future->counted = true;
    context->live_futures++;
    if (priority != 0)
        future->entry.priority = priority;
    future->makers = 1;
}
void eddy__future_dispose (void *object);
static inline void eddy__future_finalize (EddyFuture *future)
{
    if (future->value.kind == EDDY_VALUE_OBJECT || future->value.destroy != NULL)
        eddy_value_clear (&future->value);
    if (EDDY__UNLIKELY (future->error != NULL))
        eddy_clear (&future->error);
    if (future->source_object != NULL)
        eddy_clear (&future->source_object);
}

/* Sets the callback: from now on the future holds a handle to itself until it has run. */
void eddy__future_set_callback (EddyFuture *future, void *source_object,
                                EddyAsyncReadyCallback callback, void *user_data);

/* A future that has failed from the start, for want of memory: it comes from the reserve, and is
 * complete. A callback that is set afterwards is queued by the last of these; the caller keeps the
 * context alive until then. */
EddyFuture *eddy__future_new_failed (EddyContext *context, const void *tag, int priority,
                                     const char *what);
bool eddy__future_has_failed_to_begin (const EddyFuture *future);
/* Queues the callback of a future that was complete before it had one. Any thread. */
void eddy__future_deliver (EddyFuture *future);

/* Completes it, taking value and error; false when it was complete already. Any thread that counts
 * as a maker. */
bool eddy__future_complete (EddyFuture *future, EddyValue *value, EddyError *error);
/* The same in two steps, for who gives up what it has of the future in between: nobody hears of the
 * answer before. */
bool eddy__future_answer (EddyFuture *future, EddyValue *value, EddyError *error);
void eddy__future_announce (EddyFuture *future);
/* The same for a future that nobody else can complete, on its home thread. */
void eddy__future_complete_sole (EddyFuture *future, EddyValue *value, EddyError *error);

static inline bool eddy__future_is_done (const EddyFuture *future)
{
    return __atomic_load_n (&future->state, __ATOMIC_ACQUIRE) >= EDDY_FUTURE_AWAY;
}

/* Whether it is done and its home thread knows. Who has its context waits for that: he may let go
 * of the context next, and what was still to come would find nobody, and keep the context for good.
 */
static inline bool eddy__future_is_home (const EddyFuture *future)
{
    return __atomic_load_n (&future->state, __ATOMIC_ACQUIRE) == EDDY_FUTURE_DONE;
}

/* Whether nobody has begun to complete it. */
static inline bool eddy__future_is_pending (const EddyFuture *future)
{
    return __atomic_load_n (&future->state, __ATOMIC_ACQUIRE) < EDDY_FUTURE_COMPLETING;
}

/* A bound future has its answer, and is about to be done: its bonds end, and the answer becomes
 * CANCELLED when its source object is gone. */
void eddy__future_settle (EddyFuture *future);
/* A reference to the source object, or NULL; home thread. */
void *eddy__future_ref_source_object (EddyFuture *future);

/* Several watchers, in the order in which they came. */
void eddy__future_notify_all (EddyFuture *future);
void eddy__future_queue_callback (EddyFuture *future, bool is_watched);

/* Tells the watchers, and queues the callback; the future is no longer pending. Home thread. */
static inline void eddy__future_notify (EddyFuture *future)
{
    EddyWatcher *first = future->watcher;
    if (first != NULL && EDDY__LIKELY (first->next == NULL)) {
        future->watcher = NULL;
        first->completed (first);
    } else if (first != NULL) {
        eddy__future_notify_all (future);
    }
    if (EDDY__UNLIKELY (future->has_callback))
        eddy__future_queue_callback (future, first != NULL);
    if (EDDY__UNLIKELY (!future->counted))
        eddy_unref (future->context);
    else if (--future->context->live_futures == 0)
        eddy__context_let_go (future->context);
}

/* Completes it with what was put into it before, as complete_sole does. */
static inline void eddy__future_finish_sole (EddyFuture *future)
{
    if (EDDY__UNLIKELY (__atomic_load_n (&future->state, __ATOMIC_RELAXED) == EDDY_FUTURE_BOUND))
        eddy__future_settle (future);
    __atomic_store_n (&future->state, EDDY_FUTURE_DONE, __ATOMIC_RELEASE);
    eddy__future_notify (future);
}

/* The only maker's, after completion. */
static inline void eddy__future_drop_sole_maker (EddyFuture *future)
{
    eddy__object_release (future);
}

/* Beside another watcher. */
void eddy__future_watch_too (EddyFuture *future, EddyWatcher *watcher);
void eddy__future_unwatch_one (EddyFuture *future, EddyWatcher *watcher);

/* The watcher's links are NULL. Home thread only. False when the future has completed already, and
 * is home: the watcher is not in use. */
static inline bool eddy__future_watch (EddyFuture *future, EddyWatcher *watcher)
{
    if (eddy__future_is_home (future))
        return false;
    /* Another thread may complete it meanwhile: its entry comes to this thread later. */
    if (EDDY__LIKELY (future->watcher == NULL))
        future->watcher = watcher;
    else
        eddy__future_watch_too (future, watcher);
    return true;
}
/* Nothing happens when the watcher has been told. */
static inline void eddy__future_unwatch (EddyFuture *future, EddyWatcher *watcher)
{
    if (future->watcher == watcher && EDDY__LIKELY (watcher->next == NULL))
        future->watcher = NULL;
    else if (future->watcher == watcher || watcher->previous != NULL)
        eddy__future_unwatch_one (future, watcher);
}
