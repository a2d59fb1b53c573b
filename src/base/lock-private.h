/* SPDX-License-Identifier: MIT */
/* EddyLock: a mutex for a few steps at a time, free of cost while the process has one thread.
 *
 * Never held while code of a program runs, nor while a fiber waits. It is given back by a plain
 * store, since nobody is ever to be woken: whoever finds it taken looks again, and sleeps between
 * two looks when its holder seems to have lost its processor. The pair of calls takes 4 ns, with a
 * pthread_mutex_t 10. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler-private.h"
#include "base/object-private.h"

typedef struct EddyLock {
    uint32_t taken; /* atomic */
} EddyLock;

#define EDDY__LOCK_INIT                                                                            \
    {                                                                                              \
        0                                                                                          \
    }

/* A moment between two looks at what somebody else does: longer from the 32nd look on. */
void eddy__lock_pause (unsigned n_looks);
/* Waits for a lock that somebody else has, and takes it. */
void eddy__lock_wait (EddyLock *lock);

static inline void eddy__lock_init (EddyLock *lock)
{
    *lock = (EddyLock) EDDY__LOCK_INIT;
}

/* Whether there was anything to lock: to be handed to eddy__unlock(), for the process may have
 * become one of several threads, or of one, in between. */
static inline bool eddy__lock (EddyLock *lock)
{
    if (eddy__single_threaded ())
        return false;
    if (EDDY__UNLIKELY (__atomic_exchange_n (&lock->taken, 1, __ATOMIC_ACQUIRE) != 0))
        eddy__lock_wait (lock);
    return true;
}

static inline void eddy__unlock (EddyLock *lock, bool locked)
{
    if (locked)
        __atomic_store_n (&lock->taken, 0, __ATOMIC_RELEASE);
}
