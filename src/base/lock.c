/* SPDX-License-Identifier: MIT */
/* Waiting for a lock that somebody has. */
#include "base/lock-private.h"

#include <time.h>

/* So many looks, half a microsecond apart, before it sleeps between two: nobody who has a processor
 * holds a lock for that long. With a look at each step two threads would hand the lock and what it
 * guards to and fro for each of their steps; so one of them gets many done at once. */
#define LOCK_LOOKS 100
#define LOCK_RELAX 40
#define LOCK_SLEEP_NS 50000

void eddy__lock_wait (EddyLock *lock)
{
    const struct timespec moment = { .tv_nsec = LOCK_SLEEP_NS };
    unsigned looks = 0;
    do {
        if (++looks >= LOCK_LOOKS)
            /* check-allow: nanosleep: a lock of this room cannot wait by a higher one */
            nanosleep (&moment, NULL);
        for (int i = 0; i < LOCK_RELAX; i++)
            eddy__relax ();
    } while (__atomic_load_n (&lock->taken, __ATOMIC_RELAXED) != 0 ||
             __atomic_exchange_n (&lock->taken, 1, __ATOMIC_ACQUIRE) != 0);
}
