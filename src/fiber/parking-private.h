/* SPDX-License-Identifier: MIT */
/* A fiber in the list of those that wait for an object which fibers of many threads use: a mutex, a
 * channel. Whoever takes a waiter off the list, under the object's lock, grants it what it waits
 * for; a waiter that is cancelled takes itself off. So it is decided in one place who was first,
 * and a grant that was first always wins: what was handed over is never lost.
 *
 *     if (eddy__parking_begin (&parking, fiber, cancellable) < 0) …
 *     locked = eddy__lock (&object->lock);
 *     if (… it has to wait) {
 *         eddy__list_append (&object->waiters, &parking.member);
 *         answer = eddy__parking_wait (&parking, &object->lock, locked, cancellable, &kind,
 *                                      object);
 *     } */
#pragma once

#include "base/lock-private.h"
#include "fiber/turn-private.h"

/* On the waiting fiber's stack. */
typedef struct EddyParking {
    EddyList member; /* of the object's waiters; under its lock */
    EddyFiberWait wait;
    bool granted;          /* the grant has arrived; its thread's */
    EddyEntry arrival;     /* carries a grant of another thread home */
    EddyCancelWatch watch; /* of the cancellable that was given */
    /* For the object and its waiters, under its lock until the grant, and the waiter's then: */
    void *slot;
    size_t count;
} EddyParking;

/* Before the lock is taken: 0, or -ECANCELED when the wait need not begin, since the fiber or
 * `cancellable` (which may be NULL) is cancelled. There is nothing to undo when it does not wait
 * then. May run handlers of a deadline that has passed. */
static inline int eddy__parking_begin (EddyParking *parking, EddyFiber *fiber,
                                       EddyCancellable *cancellable)
{
    if (EDDY__UNLIKELY (eddy__cancellable_is_cancelled (cancellable) ||
                        eddy__fiber_is_cancelled (fiber)))
        return -ECANCELED;
    parking->wait = (EddyFiberWait){ .fiber = fiber };
    parking->granted = false;
    return 0;
}

/* What eddy__parking_wait() goes on with: besides the fiber's own, another cancellable is watched;
 * the wait has been cancelled, with `answer`, unless a grant was first. */
int eddy__parking_wait_watched (EddyParking *parking, EddyLock *lock, EddyCancellable *cancellable,
                                const EddyWaitKind *kind, const void *on);
int eddy__parking_withdraw (EddyParking *parking, EddyLock *lock, int answer,
                            const EddyWaitKind *kind, const void *on);

/* Waits, with the lock held and the parking in the object's list; the lock is given back. Returns 0
 * when it was granted, also when it was cancelled as well; -ECANCELED or -ENOMEM when it was not:
 * it is off the list. In the fiber. Inlined as a whole, as turn-private.h says. */
EDDY__FIBER_INLINE int eddy__parking_wait (EddyParking *parking, EddyLock *lock, bool locked,
                                           EddyCancellable *cancellable, const EddyWaitKind *kind,
                                           const void *on)
{
    EddyFiber *fiber = parking->wait.fiber;
    fiber->wait = &parking->wait;
    eddy__unlock (lock, locked);
    if (EDDY__UNLIKELY (cancellable != NULL && cancellable != fiber->scope))
        return eddy__parking_wait_watched (parking, lock, cancellable, kind, on);
    fiber_park (&parking->wait, kind, on);
    if (EDDY__LIKELY (!parking->wait.was_cancelled))
        return 0;
    return eddy__parking_withdraw (parking, lock, -ECANCELED, kind, on);
}

/* Lets the waiter go on, after taking it off the list, with or without the lock. Any thread. From
 * now on the parking is the waiter's. */
void eddy__parking_grant (EddyParking *parking);

/* The error of a wait that was not granted. `what` begins a message: "locking a mutex". */
EddyError *eddy__parking_make_error (int answer, EddyFiber *fiber, EddyCancellable *cancellable,
                                     const char *what);
