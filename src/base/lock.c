/* SPDX-License-Identifier: MIT */
/* Waiting for a lock that somebody has.
 *
 * Not eagerly: whoever looks takes the cache line away from the one who works, and whoever takes
 * the lock at once finds all of the object's lines elsewhere. Two threads that share a channel get
 * more done by doing a few messages each in turn. */
#include "base/lock-private.h"

#include <time.h>

enum {
    LOCK_PAUSES = 40, /* between two looks: a microsecond */
    LOCK_LOOKS = 32,  /* so long does nobody hold one who has a processor */
    LOCK_SLEEP_NS = 50000
};

void eddy__lock_pause (unsigned n_looks)
{
    const struct timespec moment = { .tv_nsec = LOCK_SLEEP_NS };
    if (n_looks >= LOCK_LOOKS)
        /* check-allow: nanosleep: a lock of this room cannot wait by a higher one */
        nanosleep (&moment, NULL);
    for (int i = 0; n_looks < LOCK_LOOKS && i < LOCK_PAUSES; i++)
        eddy__relax ();
}

void eddy__lock_wait (EddyLock *lock)
{
    unsigned n_looks = 0;
    do {
        eddy__lock_pause (n_looks++);
    } while (__atomic_load_n (&lock->taken, __ATOMIC_RELAXED) != 0 ||
             __atomic_exchange_n (&lock->taken, 1, __ATOMIC_ACQUIRE) != 0);
}
