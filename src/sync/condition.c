/* SPDX-License-Identifier: MIT */
/* EddyCondition.
 *
 * A waiter is in the list before it gives the mutex back, so whoever has the mutex next and signals
 * finds it there. Lock order: the condition's, then the mutex's. */
#include <eddy/condition-bodies.h>

#include "base/compiler-private.h"
#include "sync/sync-private.h"
#include "fiber/wakers-private.h"

struct EddyCondition {
    EddyObject object;
    EddyLock lock;
    EddyList waiters; /* EddyParking */
    const char *name; /* atomic */
};

static const EddyClass condition_class = { .name = "EddyCondition",
                                           .size = sizeof (EddyCondition) };

EddyCondition *eddy_condition_new (void)
{
    EddyCondition *condition = eddy_object_new (&condition_class);
    if (condition == NULL)
        return NULL;
    eddy__lock_init (&condition->lock);
    eddy__list_init (&condition->waiters);
    return condition;
}

void eddy_condition_set_name (EddyCondition *condition, const char *name)
{
    EDDY__EXPECT (condition != NULL);
    __atomic_store_n (&condition->name, name, __ATOMIC_RELAXED);
}

static const char *condition_get_name (const void *on)
{
    const EddyCondition *condition = on;
    return __atomic_load_n (&condition->name, __ATOMIC_RELAXED);
}

/* Whoever can reach it may signal. */
static void condition_find_wakers (const void *on, EddyWakers *wakers)
{
    (void) on;
    eddy__wakers_add_unknown (wakers);
}

static const EddyWaitKind condition_wait_kind = { "a condition", condition_get_name,
                                                  condition_find_wakers };

/* Without the mutex from the time that it is in the list. */
static int condition_wait (EddyCondition *condition, EddyMutex *mutex, EddyFiber *fiber,
                           EddyCancellable *cancellable)
{
    EddyParking parking;
    int answer = eddy__parking_begin (&parking, fiber, cancellable);
    if (answer < 0)
        return answer;
    bool locked = eddy__lock (&condition->lock);
    eddy__list_append (&condition->waiters, &parking.member);
    eddy_mutex_unlock (mutex);
    answer = eddy__parking_wait (&parking, &condition->lock, locked, cancellable,
                                 &condition_wait_kind, condition);
    eddy__mutex_lock_shielded (mutex, fiber);
    return answer;
}

bool eddy_condition_wait_body (EddyCondition *condition, EddyMutex *mutex,
                               EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (condition != NULL && mutex != NULL, false);
    EddyFiber *fiber = eddy__fiber_current ();
    int answer = condition_wait (condition, mutex, fiber, cancellable);
    if (answer == 0 && eddy__sync_is_unwanted (fiber)) {
        eddy_condition_signal (condition);
        answer = -ECANCELED;
    }
    return eddy__sync_conclude (answer, fiber, cancellable, "waiting for a condition", error);
}

/* Under the lock; whether there was one. */
static bool condition_wake_first (EddyCondition *condition)
{
    EddyList *first = eddy__list_pop (&condition->waiters);
    if (first != NULL)
        eddy__parking_grant (EDDY__CONTAINER (first, EddyParking, member));
    return first != NULL;
}

void eddy_condition_signal (EddyCondition *condition)
{
    EDDY__EXPECT (condition != NULL);
    bool locked = eddy__lock (&condition->lock);
    (void) condition_wake_first (condition);
    eddy__unlock (&condition->lock, locked);
}

void eddy_condition_broadcast (EddyCondition *condition)
{
    EDDY__EXPECT (condition != NULL);
    bool locked = eddy__lock (&condition->lock);
    while (condition_wake_first (condition))
        ;
    eddy__unlock (&condition->lock, locked);
}
