/* SPDX-License-Identifier: MIT */
/* EddyLock: a mutex for a few steps at a time, free of cost while the process has one thread.
 *
 * Never held while code of a program runs, nor while a fiber waits. */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "base/object-private.h"

/* Spins for a moment before it sleeps: whoever has it gives it back within nanoseconds. */
typedef struct EddyLock {
    pthread_mutex_t mutex;
} EddyLock;

#define EDDY__LOCK_INIT                                                                            \
    {                                                                                              \
        PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP                                                      \
    }

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
    pthread_mutex_lock (&lock->mutex);
    return true;
}

static inline void eddy__unlock (EddyLock *lock, bool locked)
{
    if (locked)
        pthread_mutex_unlock (&lock->mutex);
}
