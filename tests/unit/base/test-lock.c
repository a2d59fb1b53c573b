/* SPDX-License-Identifier: MIT */
/*
 * The lock for a few steps: one at a time, whoever is made to leave the processor with it.
 */
#include <pthread.h>
#include <time.h>

#include "base/lock-private.h"
#include "test.h"

enum { THREADS = 4, STEPS = 20000, NAPS = 20 };

typedef struct Shared {
    EddyLock lock;
    int inside;
    long steps;
} Shared;

/* Now and then the holder sleeps, longer than the others look. */
static void *step_often (void *data)
{
    static const struct timespec nap = { .tv_nsec = 300000 };
    Shared *shared = data;
    for (int i = 0; i < STEPS; i++) {
        bool locked = eddy__lock (&shared->lock);
        ck_assert (locked);
        ck_assert_int_eq (shared->inside++, 0);
        shared->steps++;
        if (i % (STEPS / NAPS) == 0)
            nanosleep (&nap, NULL);
        shared->inside--;
        eddy__unlock (&shared->lock, locked);
    }
    return NULL;
}

EDDY_TEST (lock_is_had_by_one_at_a_time)
{
    Shared shared = { .lock = EDDY__LOCK_INIT };
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq (pthread_create (&threads[i], NULL, step_often, &shared), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join (threads[i], NULL);
    ck_assert_int_eq (shared.steps, (long) THREADS * STEPS);
}
