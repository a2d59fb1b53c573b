/* SPDX-License-Identifier: MIT */
/*
 * Fibers and groups by the public interface: spawn, await, cancel, scopes.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "context.h"

static void *return_data (void *data, EddyError **error)
{
    (void) error;
    return data;
}

static void *fail_with_data (void *data, EddyError **error)
{
    eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_FAILED, "%s", (const char *) data);
    return data;
}

static void *sleep_long (void *data, EddyError **error)
{
    eddy_fiber_sleep (INT64_MAX, error);
    return data;
}

static void mark (void *data)
{
    *(bool *) data = true;
}

/* --- await ----------------------------------------------------------------------------------- */

static void *await_each_type (void *data, EddyError **error)
{
    EddyTask *task = eddy_task_new (NULL, NULL, NULL, NULL);
    EDDY_AUTO (EddyFuture) boolean = eddy_task_get_future (task);
    eddy_task_return_boolean (task, true);
    eddy_task_unref (task);
    task = eddy_task_new (NULL, NULL, NULL, NULL);
    EDDY_AUTO (EddyFuture) integer = eddy_task_get_future (task);
    eddy_task_return_int (task, 12);
    eddy_task_unref (task);
    EDDY_AUTO (EddyFuture) pointer = eddy_spawn_local (return_data, data, NULL);
    EDDY_AUTO (EddyFuture) failed = eddy_spawn_local (fail_with_data, "as told", NULL);
    ck_assert (eddy_await_boolean (boolean, error));
    ck_assert_int_eq (eddy_await_int (integer, error), 12);
    ck_assert_ptr_eq (eddy_await (pointer, error), data);
    ck_assert_ptr_eq (eddy_await (pointer, error), data);
    ck_assert_ptr_null (*error);
    ck_assert (!eddy_await_complete (failed, error));
    ck_assert_str_eq (eddy_error_get_message (*error), "as told");
    eddy_clear_error (error);
    ck_assert_str_eq (eddy_error_get_message (eddy_future_get_error (failed)), "as told");
    return data;
}

EDDY_TEST (D_fiber_awaits_every_type)
{
    EddyContext *context = eddy_test_context_begin ();
    int data = 0;
    ck_assert_ptr_eq (eddy_test_run_fiber (context, await_each_type, &data), &data);
    eddy_test_context_end (context);
}

static void *spawner (void *data, EddyError **error)
{
    bool *started = data;
    EDDY_AUTO (EddyFuture) child = eddy_spawn_local (return_data, data, mark);
    ck_assert (!*started);
    eddy_fiber_yield ();
    ck_assert (*started);
    return eddy_await (child, error);
}

EDDY_TEST (D_fiber_starts_from_the_loop)
{
    EddyContext *context = eddy_test_context_begin ();
    bool started = false;
    eddy_test_run_fiber (context, spawner, &started);
    eddy_test_context_end (context);
}

static void *spawn_from_thread (void *data)
{
    void **arguments = data;
    eddy_spawn_detached (arguments[0], return_data, arguments[1], mark);
    return NULL;
}

EDDY_TEST (D_fiber_detached_from_another_thread)
{
    EddyContext *context = eddy_test_context_begin ();
    bool ended = false;
    void *arguments[] = { context, &ended };
    pthread_t thread;
    pthread_create (&thread, NULL, spawn_from_thread, arguments);
    while (!ended)
        eddy_context_iteration (context, true);
    pthread_join (thread, NULL);
    eddy_test_context_end (context);
}

static void *tell_name (void *data, EddyError **error)
{
    (void) error;
    ck_assert_str_eq (eddy_fiber_get_name (), data);
    ck_assert (eddy_in_fiber ());
    ck_assert (!eddy_cancellable_is_cancelled (eddy_fiber_get_cancellable ()));
    return NULL;
}

EDDY_TEST (D_fiber_knows_its_name)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    EddyFiberOptions options = { .name = "tell", .stack_size = 1 << 20, .priority = -7 };
    EddyFuture *fiber = eddy_spawn_full (context, tell_name, "tell", NULL, &options, EDDY_PLACE);
    ck_assert (eddy_block_on_complete (context, fiber, &error));
    eddy_unref (fiber);
    ck_assert (!eddy_in_fiber ());
    ck_assert_ptr_null (eddy_fiber_get_name ());
    ck_assert_ptr_null (eddy_fiber_get_cancellable ());
    eddy_fiber_yield ();
    eddy_test_context_end (context);
}

static void *set_errno (void *data, EddyError **error)
{
    int number = *(int *) data;
    (void) error;
    for (int i = 0; i < 10; i++) {
        errno = number;
        eddy_fiber_yield ();
        ck_assert_int_eq (errno, number);
    }
    return NULL;
}

EDDY_TEST (D_fiber_has_its_own_errno)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    int numbers[] = { EIO, ENOSPC };
    EddyFuture *one = eddy_spawn (context, set_errno, &numbers[0], NULL);
    EddyFuture *other = eddy_spawn (context, set_errno, &numbers[1], NULL);
    ck_assert (eddy_block_on_complete (context, one, &error));
    ck_assert (eddy_block_on_complete (context, other, &error));
    eddy_unref (one);
    eddy_unref (other);
    eddy_test_context_end (context);
}

/* --- a deadline that the await itself notices ------------------------------------------------- */

typedef struct Late {
    EddyTask *task;
    EddyFuture *last;
    int n_run;
} Late;

static void *run_late_one (void *data, EddyError **error)
{
    (void) error;
    ((Late *) data)->n_run++;
    return NULL;
}

/* A handler: what the fiber is about to wait for is there now, and another fiber is to run. */
static void complete_late (EddyCancellable *cancellable, void *data)
{
    Late *late = data;
    (void) cancellable;
    eddy_task_return_boolean (late->task, true);
    late->last = eddy_spawn (NULL, run_late_one, late, NULL);
}

static void *await_late (void *data, EddyError **error)
{
    Late *late = data;
    EDDY_AUTO_TASK task = eddy_task_new (NULL, NULL, NULL, NULL);
    EDDY_AUTO (EddyFuture) future = eddy_task_get_future (task);
    EddyCancellable *scope = eddy_fiber_get_cancellable ();
    late->task = task;
    ck_assert_uint_ne (eddy_cancellable_connect (scope, complete_late, late, NULL), 0);
    EDDY_AUTO (EddyFuture) first = eddy_spawn (NULL, run_late_one, late, NULL);
    ck_assert (!eddy_future_is_complete (first));
    while (eddy_get_monotonic_time_ns () < eddy_cancellable_get_deadline (scope))
        continue;
    ck_assert (eddy_await_boolean (future, error));
    /* It has not waited, and so it is not woken later, in the place of others. */
    for (int i = 0; i < 10; i++)
        eddy_fiber_yield ();
    ck_assert_int_eq (late->n_run, 2);
    eddy_clear (&late->last);
    return NULL;
}

static void *run_late (void *data, EddyError **error)
{
    Late late = { .task = NULL };
    EDDY_AUTO (EddyGroup) group = eddy_group_new_with_timeout (INT64_C (2000000));
    ck_assert (eddy_group_spawn (group, await_late, &late, NULL, error));
    ck_assert (eddy_group_wait (group, error));
    return data;
}

EDDY_TEST (D_fiber_is_not_woken_before_it_waits)
{
    EddyContext *context = eddy_test_context_begin ();
    eddy_test_run_fiber (context, run_late, NULL);
    eddy_test_context_end (context);
}

/* --- cancel ---------------------------------------------------------------------------------- */

static void *cancel_child (void *data, EddyError **error)
{
    EDDY_AUTO (EddyFuture) child = eddy_spawn_local (sleep_long, data, NULL);
    eddy_fiber_yield ();
    eddy_future_cancel (child);
    ck_assert (!eddy_await_complete (child, error));
    eddy_test_expect_error (error, EDDY_IO_ERROR_CANCELLED);
    EddyFuture *dropped = eddy_spawn_local (sleep_long, data, NULL);
    eddy_fiber_yield ();
    eddy_unref (dropped);
    eddy_fiber_yield ();
    return NULL;
}

EDDY_TEST (D_fiber_cancelled_or_dropped_ends)
{
    EddyContext *context = eddy_test_context_begin ();
    eddy_test_run_fiber (context, cancel_child, NULL);
    while (eddy_context_iteration (context, false))
        ;
    eddy_test_context_end (context);
}

/* Waits again and again after its cancel. */
static void *wait_on (void *data, EddyError **error)
{
    for (int i = 0; i < 3; i++) {
        ck_assert (!eddy_fiber_sleep (INT64_C (3600000000000), error));
        eddy_test_expect_error (error, EDDY_IO_ERROR_CANCELLED);
        ++*(int *) data;
    }
    return data;
}

EDDY_TEST (D_fiber_cancelled_fails_every_wait)
{
    EddyContext *context = eddy_test_context_begin ();
    int waits = 0;
    EddyFuture *fiber = eddy_spawn (context, wait_on, &waits, NULL);
    eddy_context_iteration (context, /* may_block= */ false);
    ck_assert_int_eq (waits, 0);
    eddy_future_cancel (fiber);
    ck_assert_ptr_eq (eddy_block_on (context, fiber, NULL), &waits);
    ck_assert_int_eq (waits, 3);
    eddy_unref (fiber);
    eddy_test_context_end (context);
}

static void *await_one (void *data, EddyError **error)
{
    return eddy_await_boolean (data, error) ? data : NULL;
}

/* What a fiber waits for comes, and so does a cancel, before it runs again. */
EDDY_TEST (D_fiber_answered_and_cancelled_in_one_turn)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    for (int i = 0; i < 2; i++) {
        EddyTask *task = eddy_task_new (NULL, NULL, NULL, NULL);
        EddyFuture *future = eddy_task_get_future (task);
        EddyFuture *fiber = eddy_spawn (context, await_one, future, NULL);
        eddy_context_iteration (context, /* may_block= */ false);
        if (i == 0)
            eddy_task_return_boolean (task, true);
        eddy_future_cancel (fiber);
        if (i == 1)
            eddy_task_return_boolean (task, true);
        ck_assert_ptr_eq (eddy_block_on (context, fiber, &error), future);
        ck_assert_ptr_null (error);
        eddy_unref (fiber);
        eddy_unref (future);
        eddy_task_unref (task);
    }
    while (eddy_context_iteration (context, /* may_block= */ false))
        ;
    eddy_test_context_end (context);
}

static void *cancel_own (void *data, EddyError **error)
{
    eddy_cancellable_cancel_with_cause (eddy_fiber_get_cancellable (),
                                        eddy_error_new ("weather", 1, "storm"));
    ck_assert (!eddy_fiber_sleep (0, error));
    ck_assert (eddy_error_matches (*error, "weather", 1));
    eddy_clear_error (error);
    return data;
}

EDDY_TEST (D_fiber_reports_the_cause_of_its_cancel)
{
    EddyContext *context = eddy_test_context_begin ();
    eddy_test_run_fiber (context, cancel_own, NULL);
    eddy_test_context_end (context);
}

static void *cancel_from_thread (void *future)
{
    eddy_future_cancel (future);
    return NULL;
}

EDDY_TEST (D_fiber_is_cancelled_from_another_thread)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    pthread_t thread;
    EddyFuture *fiber = eddy_spawn (context, sleep_long, NULL, NULL);
    eddy_context_iteration (context, false);
    pthread_create (&thread, NULL, cancel_from_thread, fiber);
    ck_assert (!eddy_block_on_complete (context, fiber, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    pthread_join (thread, NULL);
    eddy_unref (fiber);
    eddy_test_context_end (context);
}

/* --- time ------------------------------------------------------------------------------------ */

typedef struct Sleeper {
    int64_t duration_ns;
    int *order;
    int turn;
} Sleeper;

static void *sleep_in_order (void *data, EddyError **error)
{
    Sleeper *sleeper = data;
    ck_assert (eddy_fiber_sleep (sleeper->duration_ns, error));
    sleeper->turn = (*sleeper->order)++;
    return NULL;
}

/* Each begins to sleep later than the one before, and for longer: so in order, however slow this is
 * run. One that sleeps from before all of them does not wake. */
EDDY_TEST (D_fiber_sleepers_wake_in_order)
{
    enum { N = 50 };
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    EddyFuture *fibers[N];
    Sleeper sleepers[N];
    int order = 0;
    EddyFuture *longest = eddy_spawn (context, sleep_long, NULL, NULL);
    for (int i = 0; i < N; i++) {
        sleepers[i] = (Sleeper){ i * INT64_C (1000000), &order, -1 };
        fibers[i] = eddy_spawn (context, sleep_in_order, &sleepers[i], NULL);
    }
    for (int i = 0; i < N; i++) {
        ck_assert (eddy_block_on_complete (context, fibers[i], &error));
        ck_assert_int_eq (sleepers[i].turn, i);
        eddy_unref (fibers[i]);
    }
    ck_assert (!eddy_future_is_complete (longest));
    eddy_unref (longest); /* which cancels it */
    while (eddy_context_iteration (context, false))
        ;
    eddy_test_context_end (context);
}

/* --- groups ----------------------------------------------------------------------------------- */

typedef struct Counted {
    int *running;
    int *most;
} Counted;

static void *count_running (void *data, EddyError **error)
{
    Counted *counted = data;
    if (++*counted->running > *counted->most)
        *counted->most = *counted->running;
    eddy_fiber_yield ();
    ck_assert (eddy_fiber_sleep (100000, error));
    --*counted->running;
    return NULL;
}

static void *run_limited (void *data, EddyError **error)
{
    EDDY_AUTO (EddyGroup) group = eddy_group_new ();
    (void) data;
    int running = 0, most = 0;
    Counted counted = { &running, &most };
    eddy_group_set_limit (group, 3);
    for (int i = 0; i < 20; i++)
        ck_assert (eddy_group_spawn (group, count_running, &counted, NULL, error));
    ck_assert (eddy_group_wait (group, error));
    ck_assert_int_eq (most, 3);
    ck_assert_int_eq (running, 0);
    return NULL;
}

EDDY_TEST (D_group_keeps_its_limit)
{
    EddyContext *context = eddy_test_context_begin ();
    eddy_test_run_fiber (context, run_limited, NULL);
    eddy_test_context_end (context);
}

static void *run_failing (void *data, EddyError **error)
{
    EDDY_AUTO (EddyGroup) group = eddy_group_new ();
    bool destroyed = false;
    (void) data;
    ck_assert (eddy_group_spawn (group, sleep_long, NULL, NULL, error));
    ck_assert (eddy_group_spawn (group, fail_with_data, "first", NULL, error));
    ck_assert (eddy_group_spawn (group, fail_with_data, "second", NULL, error));
    ck_assert (!eddy_group_wait (group, error));
    ck_assert_str_eq (eddy_error_get_message (*error), "first");
    eddy_clear_error (error);
    ck_assert_uint_eq (eddy_group_get_n_errors (group), 2);
    ck_assert_str_eq (eddy_error_get_message (eddy_group_get_error (group, 1)), "second");
    ck_assert (!eddy_group_spawn (group, return_data, &destroyed, mark, error));
    ck_assert (eddy_error_is_cancelled (*error));
    eddy_clear_error (error);
    ck_assert (destroyed);
    return NULL;
}

EDDY_TEST (D_group_first_error_cancels_and_all_are_kept)
{
    EddyContext *context = eddy_test_context_begin ();
    eddy_test_run_fiber (context, run_failing, NULL);
    eddy_test_context_end (context);
}

static void *run_until_cancelled (void *data, EddyError **error)
{
    EDDY_AUTO (EddyGroup) group = eddy_group_new ();
    int *ended = data;
    for (int i = 0; i < 5; i++)
        ck_assert (eddy_group_spawn (group, sleep_long, NULL, NULL, error));
    ck_assert (!eddy_group_wait (group, error));
    ++*ended;
    return NULL;
}

EDDY_TEST (D_group_is_waited_for_by_its_cancelled_maker)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    int ended = 0;
    EddyFuture *fiber = eddy_spawn (context, run_until_cancelled, &ended, NULL);
    eddy_context_iteration (context, false);
    eddy_context_iteration (context, false);
    eddy_future_cancel (fiber);
    ck_assert_int_eq (ended, 0);
    ck_assert (!eddy_block_on_complete (context, fiber, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    ck_assert_int_eq (ended, 1);
    eddy_unref (fiber);
    eddy_test_context_end (context);
}

static void *wait_for_group (void *data, EddyError **error)
{
    eddy_group_wait (data, error);
    return NULL;
}

/* Of a group that another has made. */
EDDY_TEST (D_group_is_cancelled_by_who_waits_for_it)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    EddyGroup *group = eddy_group_new ();
    ck_assert (eddy_group_spawn (group, sleep_long, NULL, NULL, &error));
    EddyFuture *fiber = eddy_spawn (context, wait_for_group, group, NULL);
    while (eddy_context_iteration (context, /* may_block= */ false))
        ;
    ck_assert (!eddy_future_is_complete (fiber));
    eddy_future_cancel (fiber);
    ck_assert (!eddy_block_on_complete (context, fiber, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    ck_assert (!eddy_group_spawn (group, sleep_long, NULL, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    eddy_unref (fiber);
    eddy_unref (group);
    eddy_test_context_end (context);
}

static void *return_group (void *data, EddyError **error)
{
    (void) data, (void) error;
    return eddy_group_new ();
}

EDDY_TEST (D_group_outlives_its_maker)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    EddyFuture *fiber = eddy_spawn (context, return_group, NULL, NULL);
    EddyGroup *group = eddy_block_on (context, fiber, &error);
    eddy_unref (fiber);
    ck_assert (eddy_group_spawn (group, return_data, NULL, NULL, &error));
    ck_assert (eddy_group_wait (group, &error));
    eddy_unref (group);
    eddy_test_context_end (context);
}

EDDY_TEST (D_group_of_a_plain_thread_is_cancelled)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    EddyGroup *group = eddy_group_new ();
    for (int i = 0; i < 5; i++)
        ck_assert (eddy_group_spawn (group, sleep_long, NULL, NULL, &error));
    eddy_context_iteration (context, false);
    eddy_group_cancel (group);
    ck_assert (eddy_group_wait (group, &error));
    eddy_unref (group);
    eddy_test_context_end (context);
}

/* --- misuse ----------------------------------------------------------------------------------- */

static int criticals;

static void count_criticals (EddyLogLevel level, const char *message, void *data)
{
    (void) message;
    (void) data;
    criticals += level == EDDY_LOG_CRITICAL;
}

EDDY_TEST (D_fiber_await_outside_is_misuse)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    EddyFuture *fiber = eddy_spawn (context, return_data, NULL, NULL);
    eddy_log_set_handler (count_criticals, NULL);
    ck_assert (!eddy_await_complete (fiber, &error));
    ck_assert_int_eq (criticals, 1);
    ck_assert (eddy_block_on_complete (context, fiber, &error));
    eddy_unref (fiber);
    eddy_test_context_end (context);
}

static void *iterate_in_fiber (void *data, EddyError **error)
{
    EddyMainLoop *loop = eddy_main_loop_new (data);
    (void) error;
    ck_assert (!eddy_context_iteration (data, false));
    eddy_main_loop_run (loop);
    eddy_unref (loop);
    return NULL;
}

EDDY_TEST (D_fiber_loop_inside_is_misuse)
{
    EddyContext *context = eddy_test_context_begin ();
    eddy_log_set_handler (count_criticals, NULL);
    eddy_test_run_fiber (context, iterate_in_fiber, context);
    ck_assert_int_eq (criticals, 2);
    eddy_test_context_end (context);
}

/* --- run -------------------------------------------------------------------------------------- */

static int run_three (int argc, char **argv)
{
    ck_assert (eddy_in_fiber ());
    ck_assert_ptr_null (argv[argc]);
    return 3;
}

static int run_signalled (int argc, char **argv)
{
    (void) argv;
    kill (getpid (), SIGTERM);
    ck_assert (!eddy_fiber_sleep (INT64_MAX, NULL));
    return argc;
}

/* The default context lives as long as the process, and keeps its fds. */
static void in_child (int (*function) (int argc, char **argv), int argc, int expected)
{
    char *argv[] = { NULL };
    pid_t child = fork ();
    if (child == 0)
        _exit (eddy_run (function, argc, argv));
    int status = -1;
    ck_assert_int_eq (waitpid (child, &status, 0), child);
    ck_assert_int_eq (WIFEXITED (status), 1);
    ck_assert_int_eq (WEXITSTATUS (status), expected);
}

EDDY_TEST (D_run_gives_the_exit_status)
{
    in_child (run_three, 0, 3);
}

EDDY_TEST (D_run_is_cancelled_by_a_signal)
{
    in_child (run_signalled, 0, 128 + SIGTERM);
    in_child (run_signalled, 1, 128 + SIGTERM);
    in_child (run_signalled, 5, 5);
}
