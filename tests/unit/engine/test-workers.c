/* SPDX-License-Identifier: MIT */
/*
 * The threads of the workers: how they come and go.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <time.h>

#include "engine.h"

#if defined __SANITIZE_THREAD__
#define HAS_TSAN 1
#elif defined __has_feature
#if __has_feature(thread_sanitizer)
#define HAS_TSAN 1
#endif
#endif

/* --- a job that comes when the threads have just given up ------------------------------------- */

static bool late_armed;
static sem_t late_came, late_go;

#ifndef HAS_TSAN /* which has to see the waits itself */

enum { LATE_LEAST_NS = 50000000 };

/* A thread whose long wait is over stays here, without the mutex, until the test lets it go on. */
int pthread_cond_timedwait (pthread_cond_t *condition, pthread_mutex_t *mutex,
                            const struct timespec *until)
{
    int (*next) (pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
    struct timespec now;
    *(void **) &next = dlsym (RTLD_NEXT, "pthread_cond_timedwait");
    clock_gettime (CLOCK_MONOTONIC, &now);
    int64_t wait_ns =
        (until->tv_sec - now.tv_sec) * INT64_C (1000000000) + until->tv_nsec - now.tv_nsec;
    int answer = next (condition, mutex, until);
    if (answer != ETIMEDOUT || wait_ns < LATE_LEAST_NS ||
        !__atomic_load_n (&late_armed, __ATOMIC_SEQ_CST))
        return answer;
    pthread_mutex_unlock (mutex);
    sem_post (&late_came);
    while (sem_wait (&late_go) < 0)
        ;
    pthread_mutex_lock (mutex);
    return answer;
}

#endif

static void count_job (void *data)
{
    ++*(int *) data;
}

static void job_init (EddyOp *op, int *count)
{
    eddy__op_init (op, EDDY_OP_CALL, -1);
    op->as.call.function = count_job;
    op->as.call.data = count;
}

EDDY_TEST (job_that_comes_when_the_threads_are_about_to_end)
{
#ifdef HAS_TSAN
    EDDY_TEST_SKIP ("the sanitizer has to see the threads' waits itself");
#endif
    enum { THREADS = 2 }; /* one that has worked, and the watcher */
    EddyOp op;
    int count = 0;
    TestEngine self = test_engine_open ();
    sem_init (&late_came, 0, 0);
    sem_init (&late_go, 0, 0);
    __atomic_store_n (&late_armed, true, __ATOMIC_SEQ_CST);
    job_init (&op, &count);
    test_engine_run (&self, &op);
    for (int i = 0; i < THREADS; i++)
        while (sem_wait (&late_came) < 0)
            ;
    __atomic_store_n (&late_armed, false, __ATOMIC_SEQ_CST);
    job_init (&op, &count);
    ck_assert (!test_engine_start (&self, &op));
    test_engine_turn (&self, 0);
    for (int i = 0; i < THREADS; i++)
        sem_post (&late_go);
    test_engine_finish (&self, &op);
    ck_assert_int_eq (count, 2);
    test_engine_close (&self);
}
