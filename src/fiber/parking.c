/* SPDX-License-Identifier: MIT */
/* Fibers in lists of waiters: the wait, the grant from any thread, the cancel. */
#include "fiber/parking-private.h"

/* Another thread's grant has come home. */
static void parking_arrived (EddyEntry *entry)
{
    EddyParking *parking = EDDY__CONTAINER (entry, EddyParking, arrival);
    parking->wait.fiber->future.context->expects_mail = true;
    parking->granted = true;
    eddy__fiber_wake (&parking->wait);
}

void eddy__parking_grant (EddyParking *parking)
{
    EddyContext *context = parking->wait.fiber->future.context;
    if (EDDY__LIKELY (eddy__context_is_owned (context))) {
        parking->granted = true;
        eddy__fiber_wake (&parking->wait);
        return;
    }
    parking->arrival = (EddyEntry){ .run = parking_arrived, .priority = EDDY__PRIORITY_NOW };
    (void) eddy__context_post_last (context, &parking->arrival);
}

/* Gives up: `answer`, unless a grant was first. That may be on its way here. */
int eddy__parking_withdraw (EddyParking *parking, EddyLock *lock, int answer,
                            const EddyWaitKind *kind, const void *on)
{
    bool locked = eddy__lock (lock);
    bool waiting = eddy__list_is_linked (&parking->member);
    eddy__list_remove (&parking->member);
    eddy__unlock (lock, locked);
    parking->wait.fiber->wait = NULL;
    if (waiting)
        return answer;
    while (!parking->granted) {
        parking->wait.woken = false;
        eddy__fiber_park (&parking->wait, kind, on);
    }
    return 0;
}

static void parking_cancelled (EddyCancelWatch *watch)
{
    EddyParking *parking = EDDY__CONTAINER (watch, EddyParking, watch);
    parking->wait.was_cancelled = true;
    eddy__fiber_wake (&parking->wait);
}

int eddy__parking_wait_watched (EddyParking *parking, EddyLock *lock, EddyCancellable *cancellable,
                                const EddyWaitKind *kind, const void *on)
{
    EddyContext *context = parking->wait.fiber->future.context;
    parking->watch.cancelled = parking_cancelled;
    int answer = eddy__cancellable_follow (cancellable, context, &parking->watch);
    if (answer == 0) {
        eddy__fiber_park (&parking->wait, kind, on);
        eddy__cancellable_unwatch (&parking->watch);
        answer = parking->wait.was_cancelled ? -ECANCELED : 0;
    }
    return answer == 0 ? 0 : eddy__parking_withdraw (parking, lock, answer, kind, on);
}

EddyError *eddy__parking_make_error (int answer, EddyFiber *fiber, EddyCancellable *cancellable,
                                     const char *what)
{
    if (answer == -ECANCELED)
        return eddy__fiber_make_cancel_error (fiber, cancellable);
    return eddy_error_new_errno (-answer, "%s", what);
}
