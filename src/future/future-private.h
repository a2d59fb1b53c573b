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
#include "loop/context-private.h"

typedef struct EddyWatcher EddyWatcher;
/* Told once when a future has completed, on its home context's thread, from the loop or from what
 * completed it; it must only queue something. */
struct EddyWatcher {
    EddyList member;
    void (*completed) (EddyWatcher *watcher);
};

typedef enum EddyFutureState {
    EDDY_FUTURE_PENDING,
    EDDY_FUTURE_COMPLETING,
    EDDY_FUTURE_DONE
} EddyFutureState;

struct EddyFuture {
    EddyObject object;
    void (*request_cancel) (EddyFuture *future); /* any thread; NULL: cannot be cancelled */
    EddyContext *context;                        /* home; kept alive while the future is pending */
    EddyEntry entry;   /* brings the completion home, then runs the callback */
    EddyList watchers; /* the home thread's */
    EddyValue value;
    EddyError *error;
    uint32_t makers; /* atomic */
    uint8_t state;   /* atomic */
    bool counted;    /* its context is kept by the count of its pending futures */
    bool taken;
    /* The callback that it was started with: */
    bool has_callback;
    EddyAsyncReadyCallback callback;
    void *user_data;
    void *source_object; /* a reference */
    const void *tag;     /* what made it: a form, or NULL */
    const char *name;    /* static; for messages */
};

/* Begins a future in zeroed memory: one handle, one maker. Its class's dispose and finalize must
 * call the two below. */
void eddy__future_init (EddyFuture *future, const EddyClass *object_class, EddyContext *context,
                        int priority);
void eddy__future_dispose (void *object);
void eddy__future_finalize (void *object);

/* Sets the callback: from now on the future holds a handle to itself until it has run. */
void eddy__future_set_callback (EddyFuture *future, void *source_object,
                                EddyAsyncReadyCallback callback, void *user_data);

/* Completes it, taking value and error; false when it was complete already. Any thread that counts
 * as a maker. */
bool eddy__future_complete (EddyFuture *future, EddyValue *value, EddyError *error);
/* The same for a future that nobody else can complete, on its home thread. */
void eddy__future_complete_sole (EddyFuture *future, EddyValue *value, EddyError *error);

static inline bool eddy__future_is_done (const EddyFuture *future)
{
    return __atomic_load_n (&future->state, __ATOMIC_ACQUIRE) == EDDY_FUTURE_DONE;
}

/* The only maker's, after completion. */
static inline void eddy__future_drop_sole_maker (EddyFuture *future)
{
    eddy_object_release (future);
}
void eddy__future_ref_maker (EddyFuture *future);
/* The last maker completes a pending future with ABANDONED. */
void eddy__future_unref_maker (EddyFuture *future);

/* Home thread only. False when the future has completed already: the watcher is not in use. */
bool eddy__future_watch (EddyFuture *future, EddyWatcher *watcher);
static inline void eddy__future_unwatch (EddyWatcher *watcher)
{
    eddy__list_remove (&watcher->member);
}
