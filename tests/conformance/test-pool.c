/* SPDX-License-Identifier: MIT */
/*
 * Pools by the public interface: who runs where, spawning from anywhere, the ways to end.
 */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <eddy/testing.h>

#include "context.h"

#define MILLISECOND INT64_C (1000000)

enum {
    THREADS = 3,
    PATIENCE = 20000 /* times 0.1 ms, for what takes no time */
};

static void *return_data (void *data, EddyError **error)
{
    (void) error;
    return data;
}

static void *sleep_long (void *data, EddyError **error)
{
    eddy_fiber_sleep (INT64_MAX, error);
    return data;
}

static void *sleep_and_count (void *data, EddyError **error)
{
    (void) error;
    eddy_fiber_sleep (INT64_MAX, NULL);
    __atomic_add_fetch ((int *) data, 1, __ATOMIC_ACQ_REL);
    return NULL;
}

static void count (void *data)
{
    __atomic_add_fetch ((int *) data, 1, __ATOMIC_ACQ_REL);
}

static EddyPool *pool_new (unsigned n_threads)
{
    EddyError *error = NULL;
    EddyPool *pool = eddy_pool_new (n_threads, &error);
    ck_assert_msg (pool != NULL, "no pool: %s",
                   error == NULL ? "" : eddy_error_get_message (error));
    return pool;
}

static void pool_end (EddyPool *pool)
{
    EddyError *error = NULL;
    ck_assert (eddy_pool_close (pool, NULL, &error));
    eddy_unref (pool);
}

/* Threads of pools. */
static int count_threads (void)
{
    DIR *tasks = opendir ("/proc/self/task");
    int n = 0;
    for (struct dirent *entry; (entry = readdir (tasks)) != NULL;) {
        char path[300], name[16] = "";
        snprintf (path, sizeof path, "/proc/self/task/%s/comm", entry->d_name);
        FILE *file = fopen (path, "re");
        if (file == NULL)
            continue;
        n += fgets (name, sizeof name, file) != NULL && strncmp (name, "eddy-pool-", 10) == 0;
        fclose (file);
    }
    closedir (tasks);
    return n;
}

/* One that has ended, or was joined, is still among the tasks for a moment, and the kernel's list
 * may pass over another one meanwhile: so twice none. */
static void wait_for_no_threads (void)
{
    int n_none = 0;
    for (int i = 0; i < PATIENCE && n_none < 2; i++) {
        n_none = count_threads () == 0 ? n_none + 1 : 0;
        usleep (100);
    }
    ck_assert_int_eq (n_none, 2);
}

static void wait_until (const int *counted, int n)
{
    for (int i = 0; i < PATIENCE && __atomic_load_n (counted, __ATOMIC_ACQUIRE) < n; i++)
        usleep (100);
    ck_assert_int_ge (__atomic_load_n (counted, __ATOMIC_ACQUIRE), n);
}

/* --- where fibers run ------------------------------------------------------------------------- */

typedef struct Seen {
    EddyContext *contexts[12];
    EddyPool *pool;
    int n; /* atomic */
} Seen;

static void *look_around (void *data, EddyError **error)
{
    Seen *seen = data;
    char name[16] = "", expected[16];
    sigset_t blocked;
    EDDY_AUTO (EddyContext) own = eddy_context_ref_thread_default ();
    ck_assert_int_eq (pthread_getname_np (pthread_self (), name, sizeof name), 0);
    pthread_sigmask (SIG_SETMASK, NULL, &blocked);
    ck_assert (sigismember (&blocked, SIGTERM) && sigismember (&blocked, SIGUSR1));
    ck_assert (sigismember (&blocked, SIGRTMIN));
    ck_assert (!sigismember (&blocked, SIGSEGV) && !sigismember (&blocked, SIGBUS));
    unsigned index = 0;
    while (eddy_pool_get_context (seen->pool, index) != own)
        index++;
    snprintf (expected, sizeof expected, "eddy-pool-%u", index);
    ck_assert_str_eq (name, expected);
    seen->contexts[__atomic_fetch_add (&seen->n, 1, __ATOMIC_ACQ_REL)] = own;
    for (int i = 0; i < PATIENCE / 4 && __atomic_load_n (&seen->n, __ATOMIC_ACQUIRE) < 12; i++)
        ck_assert (eddy_fiber_sleep (MILLISECOND / 10, error)); /* all are alive at once */
    EDDY_AUTO (EddyContext) same = eddy_context_ref_thread_default ();
    ck_assert_ptr_eq (same, own);
    return NULL;
}

EDDY_TEST (D_pool_spreads_fibers_over_its_threads)
{
    EddyPool *pool = pool_new (THREADS);
    Seen seen = { .pool = pool };
    ck_assert_uint_eq (eddy_pool_get_n_threads (pool), THREADS);
    for (int i = 0; i < 12; i++)
        eddy_pool_spawn_detached (pool, look_around, &seen, NULL);
    EddyError *error = NULL;
    ck_assert (eddy_pool_close (pool, NULL, &error));
    ck_assert_int_eq (seen.n, 12);
    for (unsigned index = 0; index < THREADS; index++) {
        int here = 0;
        for (int i = 0; i < 12; i++)
            here += seen.contexts[i] == eddy_pool_get_context (pool, index);
        ck_assert_int_eq (here, 12 / THREADS);
    }
    eddy_unref (pool);
}

EDDY_TEST (D_pool_has_a_thread_for_each_processor)
{
    EddyPool *pool = pool_new (0);
    unsigned n_threads = eddy_pool_get_n_threads (pool);
    ck_assert_uint_ge (n_threads, 1);
    ck_assert_int_eq (count_threads (), (int) n_threads);
    for (unsigned i = 0; i < n_threads; i++)
        ck_assert_ptr_nonnull (eddy_pool_get_context (pool, i));
    pool_end (pool);
}

EDDY_TEST (D_pool_futures_have_values)
{
    EddyPool *pool = pool_new (2);
    EddyFuture *futures[20];
    int data[20] = { 0 };
    EddyError *error = NULL;
    for (int i = 0; i < 20; i++)
        futures[i] = eddy_pool_spawn (pool, return_data, &data[i], count);
    ck_assert (eddy_pool_close (pool, NULL, &error));
    for (int i = 0; i < 20; i++) {
        EddyValue value = EDDY_VALUE_INIT;
        ck_assert (eddy_future_is_complete (futures[i]));
        ck_assert (eddy_future_take (futures[i], &value, &error));
        ck_assert_ptr_eq (value.as.pointer, &data[i]);
        ck_assert_int_eq (data[i], 1);
        eddy_value_clear (&value);
    }
    /* Futures may outlive the pool. */
    eddy_unref (pool);
    for (int i = 0; i < 20; i++)
        eddy_unref (futures[i]);
}

/* A fiber, and then a plain thread, waits for fibers of the pool. */
static void *await_elsewhere (void *data, EddyError **error)
{
    int value = 0;
    for (int i = 0; i < 100; i++) {
        EDDY_AUTO (EddyFuture) future = eddy_pool_spawn (data, return_data, &value, NULL);
        ck_assert_ptr_eq (eddy_await (future, error), &value);
    }
    EDDY_AUTO (EddyFuture) sleeper = eddy_pool_spawn (data, sleep_long, NULL, NULL);
    eddy_future_cancel (sleeper);
    ck_assert (!eddy_await_complete (sleeper, error));
    eddy_test_expect_error (error, EDDY_IO_ERROR_CANCELLED);
    return data;
}

EDDY_TEST (D_pool_futures_are_awaited_elsewhere)
{
    EddyPool *pool = pool_new (2), *other = pool_new (1);
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    eddy_test_run_fiber (context, await_elsewhere, pool);
    EddyFuture *future = eddy_pool_spawn (other, await_elsewhere, pool, NULL);
    ck_assert_ptr_eq (eddy_block_on (NULL, future, &error), pool);
    eddy_unref (future);
    pool_end (other);
    pool_end (pool);
    eddy_test_context_end (context);
}

/* --- churn ------------------------------------------------------------------------------------ */

typedef struct Churn {
    EddyPool *pool;
    long to_spawn;
    long spawned; /* by this thread */
    int ended;    /* atomic */
} Churn;

static void *churn_fiber (void *data, EddyError **error)
{
    Churn *churn = data;
    (void) error;
    if (__atomic_add_fetch (&churn->ended, 1, __ATOMIC_ACQ_REL) % 3 == 0)
        eddy_fiber_yield ();
    return NULL;
}

static void *churn_thread (void *data)
{
    Churn *churn = data;
    EddyFuture *last = NULL;
    for (; churn->spawned < churn->to_spawn; churn->spawned++) {
        if (churn->spawned % 2 == 0) {
            eddy_pool_spawn_detached (churn->pool, churn_fiber, churn, NULL);
            continue;
        }
        eddy_unref (last); /* it may be cancelled, but runs all the same */
        last = eddy_pool_spawn (churn->pool, churn_fiber, churn, NULL);
    }
    eddy_unref (last);
    return NULL;
}

EDDY_TEST_TIMEOUT (D_pool_churn_of_many_threads, 120)
{
    EddyPool *pool = pool_new (2);
    long n = eddy_test_reduced (100000, 10000, "spawns");
    Churn churns[THREADS];
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        churns[i] = (Churn){ .pool = pool, .to_spawn = n / THREADS };
        pthread_create (&threads[i], NULL, churn_thread, &churns[i]);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join (threads[i], NULL);
    EddyError *error = NULL;
    ck_assert (eddy_pool_close (pool, NULL, &error));
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq (churns[i].ended, churns[i].spawned);
    eddy_unref (pool);
}

/* Groups in fibers of pool threads, whose fibers run on the same pool. */
static void *churn_group (void *data, EddyError **error)
{
    Churn *churn = data;
    EDDY_AUTO_GROUP (group) = eddy_group_new_on_pool (churn->pool);
    for (int i = 0; i < 100; i++)
        ck_assert (eddy_group_spawn (group, churn_fiber, churn, NULL, error));
    ck_assert (eddy_group_wait (group, error));
    return NULL;
}

EDDY_TEST (D_pool_groups_of_its_own_fibers)
{
    Churn churn = { .pool = pool_new (2) };
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    EddyGroup *group = eddy_group_new_on_pool (churn.pool);
    for (int i = 0; i < 20; i++)
        ck_assert (eddy_group_spawn (group, churn_group, &churn, NULL, &error));
    ck_assert (eddy_group_wait (group, &error));
    ck_assert_int_eq (churn.ended, 2000);
    eddy_unref (group);
    pool_end (churn.pool);
    eddy_test_context_end (context);
}

/* It goes on for a while after its cancel. */
static void *end_late (void *data, EddyError **error)
{
    sleep_long (NULL, error);
    EDDY_SHIELD (-1)
    {
        ck_assert (eddy_fiber_sleep (2 * MILLISECOND, NULL));
    }
    __atomic_add_fetch ((int *) data, 1, __ATOMIC_ACQ_REL);
    return NULL;
}

typedef struct Careless {
    EddyPool *pool;
    int spawned;
    int ended;
} Careless;

static void *drop_group (void *data, EddyError **error)
{
    Careless *careless = data;
    EddyGroup *group = eddy_group_new_on_pool (careless->pool);
    for (int i = 0; i < 6; i++)
        ck_assert (eddy_group_spawn (group, end_late, &careless->ended, NULL, error));
    __atomic_add_fetch (&careless->spawned, 6, __ATOMIC_ACQ_REL);
    ck_assert (eddy_fiber_sleep (MILLISECOND, error));
    eddy_unref (group);
    return NULL;
}

/* The thread that made the group waits for the ends of its fibers to come home. */
EDDY_TEST (D_pool_close_waits_for_groups_that_were_dropped)
{
    Careless careless = { .pool = pool_new (3) };
    eddy_pool_spawn_detached (careless.pool, drop_group, &careless, NULL);
    wait_until (&careless.spawned, 6);
    pool_end (careless.pool);
    ck_assert_int_eq (careless.ended, 6);
}

/* --- closing ---------------------------------------------------------------------------------- */

static void *close_it (void *data, EddyError **error)
{
    ck_assert (!eddy_pool_close (data, NULL, error));
    ck_assert_int_eq (eddy_error_get_errno (*error), EDEADLK);
    eddy_clear_error (error);
    return data;
}

EDDY_TEST (D_pool_close_from_its_own_fiber_is_an_error)
{
    EddyPool *pool = pool_new (1);
    EddyFuture *closer = eddy_pool_spawn (pool, close_it, pool, NULL);
    while (!eddy_future_is_complete (closer))
        usleep (100);
    EddyFuture *later = eddy_pool_spawn (pool, return_data, pool, NULL); /* nothing was closed */
    pool_end (pool);
    ck_assert_ptr_null (eddy_future_get_error (closer));
    ck_assert_ptr_null (eddy_future_get_error (later));
    eddy_unref (closer);
    eddy_unref (later);
}

static void *spawn_on_closed (void *data, EddyError **error)
{
    EddyPool *pool = data;
    int destroyed = 0;
    ck_assert (eddy_pool_close (pool, NULL, error));
    ck_assert (eddy_pool_close (pool, NULL, error));
    EDDY_AUTO (EddyFuture) refused = eddy_pool_spawn (pool, return_data, &destroyed, count);
    ck_assert (!eddy_await_complete (refused, error));
    eddy_test_expect_error (error, EDDY_IO_ERROR_CLOSED);
    eddy_pool_spawn_detached (pool, return_data, &destroyed, count);
    EDDY_AUTO (EddyGroup) group = eddy_group_new_on_pool (pool);
    ck_assert (!eddy_group_spawn (group, return_data, &destroyed, count, error));
    eddy_test_expect_error (error, EDDY_IO_ERROR_CLOSED);
    ck_assert (eddy_group_wait (group, error));
    ck_assert_int_eq (destroyed, 3);
    return NULL;
}

EDDY_TEST (D_pool_closed_starts_nothing)
{
    EDDY_AUTO (EddyPool) pool = pool_new (2);
    EddyContext *context = eddy_test_context_begin ();
    eddy_test_run_fiber (context, spawn_on_closed, pool);
    eddy_test_context_end (context);
}

typedef struct Closing {
    EddyPool *pool;
    EddyCancellable *cancellable;
    bool closed;
} Closing;

static void *close_for (void *data, EddyError **error)
{
    Closing *closing = data;
    closing->closed = eddy_pool_close (closing->pool, closing->cancellable, error);
    return NULL;
}

EDDY_TEST (D_pool_close_waits_and_can_be_cancelled)
{
    EddyPool *pool = pool_new (2);
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    EDDY_AUTO (EddyCancellable) limit = eddy_cancellable_new_with_timeout (NULL, MILLISECOND);
    Closing early = { pool, limit, false }, late = { pool, NULL, false };
    int ended = 0;
    EddyFuture *sleeper = eddy_pool_spawn (pool, sleep_and_count, &ended, NULL);
    EddyFuture *first = eddy_spawn (NULL, close_for, &early, NULL);
    EddyFuture *second = eddy_spawn (NULL, close_for, &late, NULL);
    ck_assert (!eddy_block_on_complete (NULL, first, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_TIMED_OUT);
    ck_assert (!eddy_future_is_complete (second));
    ck_assert_int_eq (__atomic_load_n (&ended, __ATOMIC_ACQUIRE), 0);
    eddy_future_cancel (sleeper);
    ck_assert (eddy_block_on_complete (NULL, second, &error));
    ck_assert (late.closed && !early.closed);
    ck_assert_int_eq (ended, 1);
    eddy_unref (first);
    eddy_unref (second);
    eddy_unref (sleeper);
    eddy_unref (pool);
    eddy_test_context_end (context);
}

static void pool_closed (void *source_object, EddyAsyncResult *result, void *data)
{
    EddyError *error = NULL;
    ck_assert (eddy_pool_close_finish (source_object, result, &error));
    *(bool *) data = true;
}

EDDY_TEST (D_pool_closes_in_every_form)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    bool closed = false;
    int ended = 0;
    EddyPool *pool = pool_new (1);
    eddy_pool_spawn_detached (pool, return_data, &ended, count);
    eddy_pool_close_async (pool, EDDY_PRIORITY_DEFAULT, NULL, pool_closed, &closed);
    while (!closed)
        eddy_context_iteration (context, true);
    ck_assert_int_eq (ended, 1);
    eddy_unref (pool);
    pool = pool_new (1);
    EddyFuture *future = eddy_pool_close_future (pool, EDDY_PRIORITY_DEFAULT, NULL);
    eddy_unref (pool); /* the operation has a reference */
    ck_assert (eddy_block_on_complete (NULL, future, &error));
    eddy_unref (future);
    eddy_test_context_end (context);
}

static void *close_pool (void *data, EddyError **error)
{
    EddyPool *pool = pool_new (1);
    EddyFuture *sleeper = eddy_pool_spawn (pool, sleep_and_count, data, NULL);
    eddy_unref (sleeper); /* so it is cancelled */
    if (eddy_pool_close (pool, NULL, error))
        eddy_fiber_sleep (0, error);
    EDDY_SHIELD (-1)
    ck_assert (eddy_pool_close (pool, NULL, NULL));
    eddy_unref (pool);
    return NULL;
}

EDDY_TEST (D_pool_close_cancelled_everywhere)
{
    EddyTestCancelReport report;
    int ended = 0;
    ck_assert_msg (eddy_test_cancel_everywhere (close_pool, &ended, NULL, &report), "%s",
                   report.failure);
    ck_assert_uint_ge (report.cancelled, 2);
    ck_assert_int_ge (ended, (int) report.points);
}

/* What fibers have spawned beside themselves is waited for, too. */
static void *spawn_others (void *data, EddyError **error)
{
    (void) error;
    for (int i = 0; i < 10; i++)
        eddy_spawn_detached (NULL, return_data, data, count);
    return NULL;
}

EDDY_TEST (D_pool_close_waits_for_fibers_of_fibers)
{
    EddyPool *pool = pool_new (2);
    int counted = 0;
    for (int i = 0; i < 10; i++)
        eddy_pool_spawn_detached (pool, spawn_others, &counted, NULL);
    pool_end (pool);
    ck_assert_int_eq (counted, 100);
}

/* --- the last reference ----------------------------------------------------------------------- */

static void *spawn_sleepers (void *data, EddyError **error)
{
    (void) error;
    eddy_spawn_detached (NULL, sleep_and_count, data, NULL);
    eddy_fiber_yield ();
    return sleep_and_count (data, error);
}

EDDY_TEST (D_pool_last_reference_cancels_all)
{
    EddyPool *pool = pool_new (2);
    int ended = 0;
    for (int i = 0; i < 10; i++)
        eddy_pool_spawn_detached (pool, spawn_sleepers, &ended, NULL);
    eddy_unref (pool);
    wait_until (&ended, 20);
    wait_for_no_threads ();
}

typedef struct Owner {
    EddyPool *pool;
    int *ended;
} Owner;

static void *drop_pool (void *data, EddyError **error)
{
    Owner *owner = data;
    eddy_clear (&owner->pool);
    ck_assert (!eddy_fiber_sleep (INT64_MAX, error)); /* it is cancelled itself */
    ck_assert (eddy_error_is_cancelled (*error));
    __atomic_add_fetch (owner->ended, 1, __ATOMIC_ACQ_REL);
    return NULL;
}

EDDY_TEST (D_pool_last_reference_in_its_own_fiber)
{
    EddyPool *pool = pool_new (2);
    int ended = 0;
    Owner owner = { eddy_ref (pool), &ended };
    eddy_pool_spawn_detached (pool, sleep_and_count, &ended, NULL);
    EddyContext *context = eddy_pool_get_context (pool, 0);
    eddy_ref (context);
    eddy_unref (pool);
    eddy_spawn_detached (context, drop_pool, &owner, NULL);
    eddy_unref (context);
    wait_until (&ended, 2);
    wait_for_no_threads ();
}

/* --- nothing to be had ------------------------------------------------------------------------ */

EDDY_TEST (D_pool_without_fds_leaves_nothing)
{
    EddyError *error = NULL;
    struct rlimit former, limit;
    EddyPool *warm = pool_new (1); /* what is made once for the process */
    pool_end (warm);
    ck_assert_int_eq (getrlimit (RLIMIT_NOFILE, &former), 0);
    int first_free = dup (0), failures = 0;
    close (first_free);
    limit = former;
    for (int n = 0; n < 64; n++) {
        limit.rlim_cur = (rlim_t) (first_free + n);
        ck_assert_int_eq (setrlimit (RLIMIT_NOFILE, &limit), 0);
        EddyPool *pool = eddy_pool_new (4, &error);
        ck_assert_int_eq (setrlimit (RLIMIT_NOFILE, &former), 0);
        if (pool != NULL) {
            ck_assert_int_gt (failures, 3);
            pool_end (pool);
            return;
        }
        failures++;
        eddy_test_expect_error (&error, EDDY_IO_ERROR_TOO_MANY_OPEN_FILES);
        wait_for_no_threads ();
        int now_free = dup (0);
        close (now_free);
        ck_assert_int_eq (now_free, first_free);
    }
    ck_abort_msg ("no pool although there are fds");
}

/* --- fork ------------------------------------------------------------------------------------- */

static int use_in_child (EddyPool *pool)
{
    EddyError *error = NULL;
    EddyFuture *refused = eddy_pool_spawn (pool, return_data, pool, NULL);
    bool told = eddy_future_is_complete (refused) &&
                eddy_error_get_errno (eddy_future_get_error (refused)) == ECHILD;
    eddy_unref (refused);
    if (!told || eddy_pool_close (pool, NULL, &error))
        return 1;
    eddy_clear_error (&error);
    eddy_unref (pool);
    return 0;
}

EDDY_TEST (D_pool_is_the_parents_after_a_fork)
{
    EddyPool *pool = pool_new (2);
    int status;
    pid_t child = fork ();
    if (child == 0)
        _exit (use_in_child (pool));
    ck_assert_int_eq (waitpid (child, &status, 0), child);
    ck_assert_int_eq (status, 0);
    EddyFuture *future = eddy_pool_spawn (pool, return_data, pool, NULL);
    pool_end (pool);
    ck_assert_ptr_null (eddy_future_get_error (future));
    eddy_unref (future);
}

/* Signals come to the program's own threads. */
static volatile sig_atomic_t signalled_in_main;
static pthread_t main_thread;

static void take_signal (int number)
{
    (void) number;
    signalled_in_main = pthread_equal (pthread_self (), main_thread) ? 1 : -1;
}

EDDY_TEST (D_pool_leaves_signals_to_the_program)
{
    EddyPool *pool = pool_new (2);
    struct sigaction action = { .sa_handler = take_signal };
    main_thread = pthread_self ();
    sigaction (SIGUSR1, &action, NULL);
    kill (getpid (), SIGUSR1);
    ck_assert_int_eq (signalled_in_main, 1);
    EddyFuture *sleeper = eddy_pool_spawn (pool, sleep_long, NULL, NULL);
    eddy_unref (sleeper); /* cancelled, so that the close has an end */
    pool_end (pool);
}
