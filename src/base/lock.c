/* SPDX-License-Identifier: MIT */
/* Waiting for a lock that somebody has. */
#include "base/lock-private.h"

#include <time.h>

/* So long does nobody hold one who has a processor. */
#define LOCK_LOOKS 200
#define LOCK_SLEEP_NS 50000

void eddy__lock_wait (EddyLock *lock)
{
    const struct timespec moment = { .tv_nsec = LOCK_SLEEP_NS };
    unsigned looks = 0;
    do {
        while (__atomic_load_n (&lock->taken, __ATOMIC_RELAXED) != 0) {
            if (++looks < LOCK_LOOKS)
                eddy__relax ();
            else
                /* check-allow: nanosleep: a lock of this room cannot wait by a higher one */
                nanosleep (&moment, NULL);
        }
    } while (__atomic_exchange_n (&lock->taken, 1, __ATOMIC_ACQUIRE) != 0);
}
