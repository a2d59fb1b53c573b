/* SPDX-License-Identifier: MIT */
/*
 * What a fiber has: data by key, a name, a priority, a result that nobody takes.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "context.h"

static void count (void *data)
{
    ++*(int *) data;
}

static void sleep_and_count (void *data)
{
    EddyError *error = NULL;
    ck_assert (eddy_in_fiber ());
    ck_assert (eddy_fiber_sleep (1000, &error));
    count (data);
}

static const EddyFiberLocal plain_key = { NULL };
static const EddyFiberLocal counted_key = { count };
static const EddyFiberLocal sleeping_key = { sleep_and_count };

/* --- fiber-local data ------------------------------------------------------------------------- */

static void *use_locals (void *data, EddyError **error)
{
    int first = 0, second = 0;
    ck_assert_ptr_null (eddy_fiber_local_get (&counted_key));
    ck_assert (eddy_fiber_local_set (&counted_key, NULL));
    ck_assert (eddy_fiber_local_set (&plain_key, data));
    ck_assert (eddy_fiber_local_set (&counted_key, &first));
    ck_assert (eddy_fiber_sleep (1000, error));
    ck_assert_ptr_eq (eddy_fiber_local_get (&counted_key), &first);
    ck_assert_ptr_eq (eddy_fiber_local_get (&plain_key), data);
    ck_assert (eddy_fiber_local_set (&counted_key, &second));
    ck_assert_int_eq (first, 1);
    ck_assert_ptr_eq (eddy_fiber_local_get (&counted_key), &second);
    ck_assert (eddy_fiber_local_set (&counted_key, NULL));
    ck_assert_int_eq (second, 1);
    ck_assert_ptr_null (eddy_fiber_local_get (&counted_key));
    ck_assert (eddy_fiber_local_set (&counted_key, data));
    return data;
}

/* Many at once, each with its own. What is set is given up once, at the end. */
EDDY_TEST (D_local_each_fiber_has_its_own)
{
    enum { N = 20 };
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    EddyFuture *fibers[N];
    int ended[N] = { 0 };
    for (int i = 0; i < N; i++)
        fibers[i] = eddy_spawn (context, use_locals, &ended[i], NULL);
    for (int i = 0; i < N; i++) {
        ck_assert (eddy_block_on_complete (context, fibers[i], &error));
        ck_assert_int_eq (ended[i], 1);
        eddy_unref (fibers[i]);
    }
    ck_assert_ptr_null (eddy_fiber_local_get (&plain_key));
    eddy_test_context_end (context);
}

static void *set_and_end (void *data, EddyError **error)
{
    (void) error;
    ck_assert (eddy_fiber_local_set (&sleeping_key, data));
    return data;
}

static void set_once_more (void *data)
{
    ck_assert (eddy_fiber_local_set (&counted_key, data));
}

static void *set_by_destroy (void *data, EddyError **error)
{
    static const EddyFiberLocal again_key = { set_once_more };
    (void) error;
    ck_assert (eddy_fiber_local_set (&again_key, data));
    return data;
}

/* Again and again: on records and stacks of those that have ended, by the shortest way there is. */
static void *spawn_and_join (void *data, EddyError **error)
{
    for (int i = 1; i <= 20; i++) {
        EDDY_AUTO (EddyFuture)
        child = eddy_spawn_local (i % 2 == 0 ? set_and_end : set_by_destroy, data, NULL);
        ck_assert (eddy_await_complete (child, error));
        ck_assert_int_eq (*(int *) data, i);
    }
    return NULL;
}

/* What gives it up may wait, and set anew. */
EDDY_TEST (D_local_given_up_in_the_fiber)
{
    EddyContext *context = eddy_test_context_begin ();
    int ended = 0;
    eddy_test_run_fiber (context, spawn_and_join, &ended);
    ck_assert_int_eq (ended, 20);
    eddy_test_context_end (context);
}

static int criticals;

static void count_criticals (EddyLogLevel level, const char *message, void *data)
{
    (void) message;
    (void) data;
    criticals += level == EDDY_LOG_CRITICAL;
}

EDDY_TEST (D_local_outside_a_fiber_is_misuse)
{
    int data = 0;
    eddy_log_set_handler (count_criticals, NULL);
    ck_assert (!eddy_fiber_local_set (&counted_key, &data));
    eddy_fiber_set_name ("nobody");
    eddy_fiber_set_priority (3);
    ck_assert_int_eq (criticals, 3);
    ck_assert_int_eq (data, 0);
}

/* --- name, priority, time --------------------------------------------------------------------- */

static void *rename_self (void *data, EddyError **error)
{
    (void) error;
    ck_assert_str_eq (eddy_fiber_get_name (), "eddy_test_D_fiber_renames_itself");
    eddy_fiber_set_name ("somebody");
    eddy_fiber_yield ();
    ck_assert_str_eq (eddy_fiber_get_name (), "somebody");
    eddy_fiber_set_name (NULL);
    ck_assert_str_eq (eddy_fiber_get_name (), "eddy_test_D_fiber_renames_itself");
    return data;
}

EDDY_TEST (D_fiber_renames_itself)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    EddyFuture *fiber = eddy_spawn (context, rename_self, NULL, NULL);
    ck_assert (eddy_block_on_complete (context, fiber, &error));
    eddy_unref (fiber);
    eddy_test_context_end (context);
}

typedef struct Runner {
    int priority;
    int *order;
    int place;
} Runner;

static void *take_place (void *data, EddyError **error)
{
    Runner *runner = data;
    (void) error;
    eddy_fiber_set_priority (runner->priority);
    eddy_fiber_yield ();
    runner->place = (*runner->order)++;
    return NULL;
}

/* They begin in one order, and go on in another. */
EDDY_TEST (D_fiber_priority_holds_from_the_next_turn)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    int order = 0;
    Runner runners[3] = { { 10, &order, -1 }, { 0, &order, -1 }, { -10, &order, -1 } };
    EddyFuture *fibers[3];
    for (int i = 0; i < 3; i++)
        fibers[i] = eddy_spawn (context, take_place, &runners[i], NULL);
    for (int i = 0; i < 3; i++) {
        ck_assert (eddy_block_on_complete (context, fibers[i], &error));
        eddy_unref (fibers[i]);
    }
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq (runners[i].place, 2 - i);
    eddy_test_context_end (context);
}

static void *sleep_until (void *data, EddyError **error)
{
    int64_t deadline_ns = eddy_get_monotonic_time_ns () + 2000000;
    ck_assert (eddy_fiber_sleep_until (deadline_ns, error));
    ck_assert_int_ge (eddy_get_monotonic_time_ns (), deadline_ns);
    ck_assert (eddy_fiber_sleep_until (deadline_ns, error));
    ck_assert (eddy_fiber_sleep_until (-1, error));
    eddy_cancellable_cancel (eddy_fiber_get_cancellable ());
    ck_assert (!eddy_fiber_sleep_until (INT64_MAX, error));
    eddy_test_expect_error (error, EDDY_IO_ERROR_CANCELLED);
    return data;
}

EDDY_TEST (D_fiber_sleeps_until_a_time)
{
    EddyContext *context = eddy_test_context_begin ();
    eddy_test_run_fiber (context, sleep_until, NULL);
    eddy_test_context_end (context);
}

/* --- a result that nobody takes --------------------------------------------------------------- */

static void *return_data (void *data, EddyError **error)
{
    (void) error;
    return data;
}

static void *return_nothing (void *data, EddyError **error)
{
    (void) data;
    (void) error;
    return NULL;
}

static void *fail_as_told (void *data, EddyError **error)
{
    eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_FAILED, "as told");
    return data;
}

static const EddyFiberOptions counted = { .destroy_result = count };

static EddyFuture *spawn_counted (EddyContext *context, EddyFiberFunc function, int *data)
{
    return eddy_spawn_full (context, function, data, NULL, &counted, EDDY_PLACE);
}

/* Awaited, it is lent; taken, it is the taker's; else it is given up with the future. */
EDDY_TEST (D_fiber_result_is_taken_or_given_up)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    int lent = 0, taken = 0, failed = 0, dropped = 0;
    EddyFuture *fiber = spawn_counted (context, return_data, &lent);
    ck_assert_ptr_eq (eddy_block_on (context, fiber, &error), &lent);
    ck_assert_int_eq (lent, 0);
    eddy_unref (fiber);
    ck_assert_int_eq (lent, 1);

    EddyValue value = EDDY_VALUE_INIT;
    fiber = spawn_counted (context, return_data, &taken);
    ck_assert (eddy_block_on_complete (context, fiber, &error));
    ck_assert (eddy_future_take (fiber, &value, &error));
    eddy_unref (fiber);
    ck_assert_int_eq (taken, 0);
    eddy_value_clear (&value);
    ck_assert_int_eq (taken, 1);

    fiber = spawn_counted (context, fail_as_told, &failed);
    ck_assert (!eddy_block_on_complete (context, fiber, &error));
    eddy_clear_error (&error);
    eddy_unref (fiber);
    ck_assert_int_eq (failed, 0);

    fiber = spawn_counted (context, return_nothing, &failed);
    ck_assert_ptr_null (eddy_block_on (context, fiber, &error));
    eddy_unref (fiber);
    ck_assert_int_eq (failed, 0);

    eddy_unref (spawn_counted (context, return_data, &dropped));
    eddy_spawn_detached_full (context, return_data, &dropped, NULL, &counted, EDDY_PLACE);
    while (dropped < 2)
        eddy_context_iteration (context, /* may_block= */ true);
    eddy_test_context_end (context);
}

EDDY_TEST (D_fiber_result_is_an_object)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    EddyFiberOptions options = { .destroy_result = eddy_destroy };
    EddyCancellable *object = eddy_cancellable_new ();
    EddyFuture *fiber =
        eddy_spawn_full (context, return_data, eddy_ref (object), NULL, &options, EDDY_PLACE);
    ck_assert_ptr_eq (eddy_block_on (context, fiber, &error), object);
    eddy_unref (fiber);
    eddy_unref (object);
    eddy_test_context_end (context);
}

/* --- run -------------------------------------------------------------------------------------- */

static int run_with_data (int argc, char **argv, void *data)
{
    ck_assert_ptr_null (argv[argc]);
    ck_assert_str_eq (eddy_fiber_get_name (), "my program");
    return *(int *) data + argc;
}

/* The default context lives as long as the process, and keeps its fds. */
EDDY_TEST (D_run_has_data_and_options)
{
    static const EddyFiberOptions options = { .name = "my program" };
    char one[] = "one";
    char *argv[] = { one, NULL };
    int status = 40;
    pid_t child = fork ();
    if (child == 0)
        _exit (eddy_run_full (run_with_data, 1, argv, &status, &options));
    ck_assert_int_eq (waitpid (child, &status, 0), child);
    ck_assert_int_eq (WIFEXITED (status), 1);
    ck_assert_int_eq (WEXITSTATUS (status), 41);
}
