/* SPDX-License-Identifier: MIT */
/* Waiting for a lock.
 *
 * Not eagerly: whoever looks takes the cache line away from the one who works, and whoever takes
 * the lock at once finds all of the object's lines elsewhere. Two threads that share a channel get
 * more done by doing a few messages each in turn. */
#include "base/lock-private.h"

#include <sched.h>
#include <time.h>

enum {
    LOCK_PAUSES = 40, /* between two looks: a microsecond */
    LOCK_SPINS = 32, /* looks, then it lets others run: the holder may have lost his processor … */
    LOCK_YIELDS =
        64, /* … and after so many it sleeps, for he may be less urgent than this thread */
    LOCK_SLEEP_NS = 50000
};

static void lock_pause (unsigned round)
{
    if (round < LOCK_SPINS) {
        for (int i = 0; i < LOCK_PAUSES; i++)
            EDDY__RELAX ();
    } else if (round < LOCK_YIELDS) {
        sched_yield (); /* check-allow: sched_yield: no room below has it */
    } else {
        const struct timespec duration = { 0, LOCK_SLEEP_NS };
        nanosleep (&duration, NULL); /* check-allow: nanosleep: as above */
    }
}

void eddy__lock_wait (EddyLock *lock)
{
    unsigned round = 0;
    do {
        lock_pause (round++);
    } while (__atomic_load_n (&lock->held, __ATOMIC_RELAXED) != 0 ||
             __atomic_exchange_n (&lock->held, 1, __ATOMIC_ACQUIRE) != 0);
}
