/* SPDX-License-Identifier: MIT */
/* EddyMutex.
 *
 *   FREE ◄──► HELD ──► AWAITED      HELD and back without the lock: two exchanges, or none while
 *     ▲         ▲         │         the process has one thread
 *     └─────────┴─────────┘         from AWAITED under the lock: to the first waiter
 *
 * AWAITED says that somebody may wait; the lock guards the list of those who do. */
#include <eddy/mutex-bodies.h>

#include "base/compiler-private.h"
#include "sync/sync-private.h"
#include "fiber/wakers-private.h"

enum { MUTEX_FREE, MUTEX_HELD, MUTEX_AWAITED };

struct EddyMutex {
    EddyObject object;
    uint32_t state; /* atomic */
    EddyLock lock;
    EddyList waiters; /* EddyParking */
    uint64_t holder;  /* an identity; atomic; only to be told. 0: nobody knows */
    const char *name; /* atomic */
};

static const EddyClass mutex_class = { .name = "EddyMutex", .size = sizeof (EddyMutex) };

EddyMutex *eddy_mutex_new (void)
{
    EddyMutex *mutex = eddy_object_new (&mutex_class);
    if (mutex == NULL)
        return NULL;
    eddy__lock_init (&mutex->lock);
    eddy__list_init (&mutex->waiters);
    return mutex;
}

void eddy_mutex_set_name (EddyMutex *mutex, const char *name)
{
    EDDY__EXPECT (mutex != NULL);
    __atomic_store_n (&mutex->name, name, __ATOMIC_RELAXED);
}

/* --- who waits for whom ----------------------------------------------------------------------- */

static const char *mutex_get_name (const void *on)
{
    const EddyMutex *mutex = on;
    return __atomic_load_n (&mutex->name, __ATOMIC_RELAXED);
}

static void mutex_find_wakers (const void *on, EddyWakers *wakers)
{
    const EddyMutex *mutex = on;
    uint64_t holder = __atomic_load_n (&mutex->holder, __ATOMIC_RELAXED);
    if (holder != 0)
        eddy__wakers_add_identity (wakers, holder);
    else
        eddy__wakers_add_unknown (wakers);
}

static const EddyWaitKind mutex_wait_kind = { "a mutex", mutex_get_name, mutex_find_wakers };

static inline void mutex_set_holder (EddyMutex *mutex, EddyFiber *fiber)
{
    __atomic_store_n (&mutex->holder, eddy__sync_identity (fiber), __ATOMIC_RELAXED);
}

/* --- taking ----------------------------------------------------------------------------------- */

/* From one state to another, if it is in that. */
static inline bool mutex_change (EddyMutex *mutex, uint32_t from, uint32_t to)
{
    if (eddy__single_threaded ()) {
        if (__atomic_load_n (&mutex->state, __ATOMIC_RELAXED) != from)
            return false;
        __atomic_store_n (&mutex->state, to, __ATOMIC_RELAXED);
        return true;
    }
    return __atomic_compare_exchange_n (&mutex->state, &from, to, /* weak= */ false,
                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/* Waits for one that somebody had; 0 or -errno. */
static int mutex_wait (EddyMutex *mutex, EddyParking *parking, EddyCancellable *cancellable)
{
    bool locked = eddy__lock (&mutex->lock);
    uint32_t before = __atomic_exchange_n (&mutex->state, MUTEX_AWAITED, __ATOMIC_ACQ_REL);
    if (before == MUTEX_FREE) { /* which nobody waits for */
        __atomic_store_n (&mutex->state, MUTEX_HELD, __ATOMIC_RELAXED);
        mutex_set_holder (mutex, parking->wait.fiber);
        eddy__unlock (&mutex->lock, locked);
        return 0;
    }
    eddy__list_append (&mutex->waiters, &parking->member);
    return eddy__parking_wait (parking, &mutex->lock, locked, cancellable, &mutex_wait_kind, mutex);
}

static inline int mutex_lock (EddyMutex *mutex, EddyFiber *fiber, EddyCancellable *cancellable)
{
    EddyParking parking;
    int answer = eddy__parking_begin (&parking, fiber, cancellable);
    if (EDDY__UNLIKELY (answer < 0))
        return answer;
    if (EDDY__UNLIKELY (!mutex_change (mutex, MUTEX_FREE, MUTEX_HELD)))
        return mutex_wait (mutex, &parking, cancellable);
    mutex_set_holder (mutex, fiber);
    return 0;
}

bool eddy_mutex_lock_body (EddyMutex *mutex, EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (mutex != NULL, false);
    EddyFiber *fiber = eddy__fiber_current ();
    int answer = mutex_lock (mutex, fiber, cancellable);
    if (answer == 0 && eddy__sync_is_unwanted (fiber)) {
        eddy_mutex_unlock (mutex);
        answer = -ECANCELED;
    }
    return eddy__sync_conclude (answer, fiber, cancellable, "locking a mutex", error);
}

void eddy__mutex_lock_shielded (EddyMutex *mutex, EddyFiber *fiber)
{
    fiber->shielded++;
    (void) mutex_lock (mutex, fiber, NULL);
    fiber->shielded--;
}

bool eddy_mutex_trylock (EddyMutex *mutex)
{
    EDDY__EXPECT (mutex != NULL, false);
    if (!mutex_change (mutex, MUTEX_FREE, MUTEX_HELD))
        return false;
    mutex_set_holder (mutex, eddy__fiber_current ());
    return true;
}

/* --- giving back ------------------------------------------------------------------------------ */

/* To the first who waits, if there still is one. */
static void mutex_hand_over (EddyMutex *mutex)
{
    EddyParking *next = NULL;
    bool locked = eddy__lock (&mutex->lock);
    EddyList *first = eddy__list_pop (&mutex->waiters);
    if (first != NULL) {
        next = EDDY__CONTAINER (first, EddyParking, member);
        mutex_set_holder (mutex, next->wait.fiber);
    }
    if (eddy__list_is_empty (&mutex->waiters))
        __atomic_store_n (&mutex->state, next == NULL ? MUTEX_FREE : MUTEX_HELD, __ATOMIC_RELEASE);
    eddy__unlock (&mutex->lock, locked);
    if (next != NULL)
        eddy__parking_grant (next);
}

void eddy_mutex_unlock (EddyMutex *mutex)
{
    EDDY__EXPECT (mutex != NULL && __atomic_load_n (&mutex->state, __ATOMIC_RELAXED) != MUTEX_FREE);
    __atomic_store_n (&mutex->holder, 0, __ATOMIC_RELAXED);
    if (EDDY__UNLIKELY (!mutex_change (mutex, MUTEX_HELD, MUTEX_FREE)))
        mutex_hand_over (mutex);
}
