/* SPDX-License-Identifier: MIT */
/* EddyLock: a mutex for a few steps at a time, free of cost while the process has one thread.
 *
 * Never held while code of a program runs, nor while a fiber waits. A word, not a pthread_mutex_t:
 * whoever has it gives it back within nanoseconds, by a plain store, where the mutex takes a second
 * atomic exchange. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler-private.h"
#include "base/object-private.h"

typedef struct EddyLock {
    uint32_t held; /* atomic */
} EddyLock;

#define EDDY__LOCK_INIT                                                                            \
    {                                                                                              \
        0                                                                                          \
    }

static inline void eddy__lock_init (EddyLock *lock)
{
    *lock = (EddyLock) EDDY__LOCK_INIT;
}

/* Somebody else has it: takes it when he has given it back. */
void eddy__lock_wait (EddyLock *lock);

/* Whether there was anything to lock: to be handed to eddy__unlock(), for the process may have
 * become one of several threads, or of one, in between. */
static inline bool eddy__lock (EddyLock *lock)
{
    if (eddy__single_threaded ())
        return false;
    if (EDDY__UNLIKELY (__atomic_exchange_n (&lock->held, 1, __ATOMIC_ACQUIRE) != 0))
        eddy__lock_wait (lock);
    return true;
}

static inline void eddy__unlock (EddyLock *lock, bool locked)
{
    if (locked)
        __atomic_store_n (&lock->held, 0, __ATOMIC_RELEASE);
}
