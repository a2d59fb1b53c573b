/* SPDX-License-Identifier: MIT */
/* EddyFuture: completion, watchers, and the two counts. */
#include "future/future-private.h"

#include <errno.h>
#include <string.h>

#include "base/alloc-private.h"
#include "base/compiler-private.h"
#include "base/log-private.h"
#include "base/object-private.h"
#include "base/value-private.h"

static void future_come_home (EddyEntry *entry);
static void future_run_callback (EddyEntry *entry);

static const EddyFutureClass *future_class_of (const EddyFuture *future)
{
    return (const EddyFutureClass *) (const void *) future->object.object_class;
}

void eddy__future_init (EddyFuture *future, const EddyFutureClass *future_class,
                        EddyContext *context, int priority)
{
    if (eddy__context_is_owned (context)) {
        eddy__context_keep (context);
        eddy__future_init_at_home (future, future_class, context, priority);
        return;
    }
    eddy__object_init_shared (future, &future_class->object, /* holds= */ 2);
    future->context = eddy_ref (context);
    future->entry.priority = priority;
    future->makers = 1;
}

void eddy__future_dispose (void *object)
{
    EddyFuture *future = object;
    if (!eddy__future_is_done (future))
        eddy_future_cancel (future);
    else if (future->value.kind == EDDY_VALUE_INT)
        future->value.destroy = NULL; /* it may have been asked for */
}

void eddy__future_set_callback (EddyFuture *future, void *source_object,
                                EddyAsyncReadyCallback callback, void *user_data)
{
    eddy_ref (future);
    future->has_callback = true;
    future->callback = callback;
    future->user_data = user_data;
    if (source_object != NULL)
        future->source_object = eddy_ref (source_object);
}

void eddy__future_watch_too (EddyFuture *future, EddyWatcher *watcher)
{
    EddyWatcher *first = future->watcher;
    EddyWatcher *last = first->previous == NULL ? first : first->previous;
    last->next = watcher;
    watcher->previous = last;
    first->previous = watcher;
}

void eddy__future_unwatch_one (EddyFuture *future, EddyWatcher *watcher)
{
    EddyWatcher *first = future->watcher;
    EddyWatcher *last = first->previous;
    EddyWatcher *previous = watcher->previous;
    EddyWatcher *next = watcher->next;
    watcher->previous = NULL;
    watcher->next = NULL;
    if (watcher == first) {
        future->watcher = next;
        if (next != NULL)
            next->previous = next == last ? NULL : last;
        return;
    }
    previous->next = next;
    if (next != NULL)
        next->previous = previous;
    else
        first->previous = previous == first ? NULL : previous;
}

void eddy__future_notify_all (EddyFuture *future)
{
    for (EddyWatcher *watcher; (watcher = future->watcher) != NULL;) {
        eddy__future_unwatch_one (future, watcher);
        watcher->completed (watcher);
    }
}

void eddy__future_queue_callback (EddyFuture *future, bool is_watched)
{
    /* Where nobody is called the queue would only keep the context, which may never be iterated
     * again. Who was told just now finds the future when he goes on, though he kept no handle. */
    if (future->callback == NULL && !is_watched) {
        eddy_unref (future);
        return;
    }
    future->entry.run = future_run_callback;
    eddy__context_queue (future->context, &future->entry);
}

static void future_run_callback (EddyEntry *entry)
{
    EddyFuture *future = EDDY__CONTAINER (entry, EddyFuture, entry);
    EddyContext *current = eddy__context_current ();
    if (future->callback != NULL && current != NULL)
        future->callback (future->source_object, future, future->user_data);
    eddy_unref (future);
}

/* A completion that another thread made has arrived; it held the object. */
static void future_come_home (EddyEntry *entry)
{
    EddyFuture *future = EDDY__CONTAINER (entry, EddyFuture, entry);
    __atomic_store_n (&future->state, EDDY_FUTURE_DONE, __ATOMIC_RELEASE);
    eddy__future_notify (future);
    eddy_object_release (future);
}

static inline void future_store (EddyFuture *future, EddyValue *value, EddyError *error)
{
    if (error != NULL) {
        future->error = error;
        if (value != NULL)
            eddy_value_clear (value);
    } else if (value != NULL) {
        future->value = *value;
        *value = (EddyValue) EDDY_VALUE_INIT;
    }
}

void eddy__future_complete_sole (EddyFuture *future, EddyValue *value, EddyError *error)
{
    future_store (future, value, error);
    eddy__future_finish_sole (future);
}

bool eddy__future_answer (EddyFuture *future, EddyValue *value, EddyError *error)
{
    uint8_t state = EDDY_FUTURE_PENDING;
    while (!__atomic_compare_exchange_n (&future->state, &state, EDDY_FUTURE_COMPLETING,
                                         /* weak= */ false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
        if (state == EDDY_FUTURE_BOUND)
            continue;
        if (value != NULL)
            eddy_value_clear (value);
        eddy_unref (error);
        return false;
    }
    future_store (future, value, error);
    if (state == EDDY_FUTURE_BOUND)
        eddy__future_settle (future);
    /* Once the state is seen, the last handle may go; who announces it keeps the memory, and the
     * context is there until the future has come home. */
    eddy_object_hold (future);
    state = eddy__context_is_owned (future->context) ? EDDY_FUTURE_DONE : EDDY_FUTURE_AWAY;
    __atomic_store_n (&future->state, state, __ATOMIC_RELEASE);
    return true;
}

void eddy__future_announce (EddyFuture *future)
{
    EddyContext *context = future->context;
    if (eddy__context_is_owned (context)) {
        eddy__future_notify (future);
        eddy_object_release (future);
        return;
    }
    future->entry.run = future_come_home;
    if (!eddy__context_post_last (context, &future->entry))
        eddy_object_release (future);
}

bool eddy__future_complete (EddyFuture *future, EddyValue *value, EddyError *error)
{
    if (!eddy__future_answer (future, value, error))
        return false;
    eddy__future_announce (future);
    return true;
}

bool eddy_future_is_complete (EddyFuture *future)
{
    EDDY__EXPECT (future != NULL, false);
    return eddy__future_is_done (future);
}

const EddyError *eddy_future_get_error (EddyFuture *future)
{
    EDDY__EXPECT (future != NULL, NULL);
    return eddy__future_is_done (future) ? future->error : NULL;
}

void eddy_future_cancel (EddyFuture *future)
{
    if (future == NULL || eddy__future_is_done (future))
        return;
    const EddyFutureClass *future_class = future_class_of (future);
    if (future_class->request_cancel != NULL)
        future_class->request_cancel (future);
}

/* --- futures that could not begin ------------------------------------------------------------- */

static void failed_future_finalize (void *object)
{
    eddy__future_finalize (object);
    eddy__reserve_free (object, sizeof (EddyFuture));
}

static const EddyFutureClass failed_future_class = {
    .object = { .name = "EddyFuture", .size = 0, .finalize = failed_future_finalize }
};

EddyFuture *eddy__future_new_failed (EddyContext *context, const void *tag, int priority,
                                     const char *what)
{
    EddyFuture *future = eddy__reserve_alloc (sizeof *future);
    memset (future, 0, sizeof *future);
    eddy__object_init (future, &failed_future_class.object);
    future->context = context;
    future->entry.priority = priority;
    future->state = EDDY_FUTURE_DONE;
    future->tag = tag;
    future->error = eddy_error_new_errno (ENOMEM, "%s", what);
    return future;
}

bool eddy__future_has_failed_to_begin (const EddyFuture *future)
{
    return future->object.object_class == &failed_future_class.object;
}

static void future_delivered (EddyEntry *entry)
{
    EddyContext *context = EDDY__CONTAINER (entry, EddyFuture, entry)->context;
    future_run_callback (entry);
    eddy_unref (context);
}

void eddy__future_deliver (EddyFuture *future)
{
    EddyContext *context = eddy_ref (future->context);
    future->entry.run = future_delivered;
    if (eddy__context_is_owned (context))
        eddy__context_queue (context, &future->entry);
    else if (!eddy__context_post (context, &future->entry))
        future_delivered (&future->entry);
}

/* Whether this is the first to take a value that has one owner. */
static bool future_claim (EddyFuture *future)
{
    if (!eddy__single_threaded ())
        return !__atomic_exchange_n (&future->taken, true, __ATOMIC_ACQ_REL);
    bool first = !future->taken;
    future->taken = true;
    return first;
}

bool eddy_future_take (EddyFuture *future, EddyValue *value, EddyError **error)
{
    EDDY__EXPECT (future != NULL && value != NULL, false);
    EDDY__EXPECT (eddy__future_is_done (future), false);
    if (future->error != NULL) {
        eddy_error_take (error, eddy_ref (future->error));
        return false;
    }
    if (future->value.kind == EDDY_VALUE_POINTER && !future_claim (future)) {
        eddy__log (EDDY_LOG_WARNING, "the value of a future, which has one owner, was taken twice");
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_TAKEN,
                        "the value was taken by somebody else");
        return false;
    }
    eddy__value_copy_for_taker (&future->value, value);
    return true;
}
