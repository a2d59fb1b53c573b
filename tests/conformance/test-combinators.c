/* SPDX-License-Identifier: MIT */
/*
 * Futures made of futures, on one thread: what they answer, whom they cancel, when they call, and
 * what becomes of what they were given.
 */
#include "combinators.h"

#include <poll.h>
#include <unistd.h>

/* --- then, catch, finally, map ---------------------------------------------------------------- */

EDDY_TEST (D_combinators_then_runs_on_success)
{
    EddyContext *context = eddy_test_context_begin ();
    Step step = { .kind = STEP_NUMBER, .number = 7 };
    EddyFuture *future = eddy_future_then (number (3), step_run, &step, step_destroy);
    ck_assert_int_eq (step.calls, 0); /* never inside the maker */
    ck_assert_int_eq (eddy_block_on_int (context, future, NULL), 7);
    ck_assert_int_eq (step.calls, 1);
    ck_assert_int_eq (step.destroyed, 1);
    ck_assert_int_eq (step.seen, 3);
    eddy_unref (future);

    /* NULL: the answer goes on. */
    step = (Step){ .kind = STEP_NOTHING };
    future = eddy_future_then (number (3), step_run, &step, step_destroy);
    ck_assert_int_eq (eddy_block_on_int (context, future, NULL), 3);
    eddy_unref (future);

    /* It fails. */
    EddyError *error = NULL;
    step = (Step){ .kind = STEP_FAILS };
    future = eddy_future_then (number (3), step_run, &step, step_destroy);
    ck_assert (!eddy_block_on_complete (context, future, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_BUSY);
    eddy_unref (future);

    /* An error goes on, and the function does not run. */
    step = (Step){ .kind = STEP_NUMBER };
    future = eddy_future_then (failed (EDDY_IO_ERROR_EXISTS), step_run, &step, step_destroy);
    ck_assert (!eddy_block_on_complete (context, future, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_EXISTS);
    ck_assert_int_eq (step.calls, 0);
    ck_assert_int_eq (step.destroyed, 1);
    eddy_unref (future);
    eddy_test_context_end (context);
}

EDDY_TEST (D_combinators_catch_runs_on_error)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    Step step = { .kind = STEP_NUMBER, .number = 7 };
    EddyFuture *future =
        eddy_future_catch (failed (EDDY_IO_ERROR_EXISTS), step_run, &step, step_destroy);
    ck_assert_int_eq (eddy_block_on_int (context, future, NULL), 7);
    ck_assert_int_eq (step.seen_code, EDDY_IO_ERROR_EXISTS);
    eddy_unref (future);

    step = (Step){ .kind = STEP_NOTHING };
    future = eddy_future_catch (failed (EDDY_IO_ERROR_EXISTS), step_run, &step, step_destroy);
    ck_assert (!eddy_block_on_complete (context, future, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_EXISTS);
    eddy_unref (future);

    step = (Step){ .kind = STEP_NUMBER, .number = 7 };
    future = eddy_future_catch (number (3), step_run, &step, step_destroy);
    ck_assert_int_eq (eddy_block_on_int (context, future, NULL), 3);
    ck_assert_int_eq (step.calls, 0);
    ck_assert_int_eq (step.destroyed, 1);
    eddy_unref (future);
    eddy_test_context_end (context);
}

EDDY_TEST (D_combinators_finally_keeps_the_answer)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    Step step = { .kind = STEP_NUMBER, .number = 7 };
    EddyFuture *future = eddy_future_finally (number (3), step_run, &step, step_destroy);
    ck_assert_int_eq (eddy_block_on_int (context, future, NULL), 3);
    ck_assert_int_eq (step.calls, 1);
    ck_assert_int_eq (step.destroyed, 1);
    eddy_unref (future);

    step = (Step){ .kind = STEP_NOTHING };
    future = eddy_future_finally (failed (EDDY_IO_ERROR_EXISTS), step_run, &step, step_destroy);
    ck_assert (!eddy_block_on_complete (context, future, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_EXISTS);
    ck_assert_int_eq (step.calls, 1);
    eddy_unref (future);

    step = (Step){ .kind = STEP_FAILS };
    future = eddy_future_finally (number (3), step_run, &step, step_destroy);
    ck_assert (!eddy_block_on_complete (context, future, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_BUSY);
    eddy_unref (future);
    eddy_test_context_end (context);
}

/* Whatever becomes of it: cancelled, or dropped; and what cleans up is not cancelled. */
EDDY_TEST (D_combinators_finally_cleans_up_after_a_cancel)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    for (int dropped = 0; dropped < 2; dropped++) {
        Sleep sleeping = { 0 }, cleaning = { .duration_ns = 1000000 };
        Step step = { .kind = STEP_SLEEP, .sleep = &cleaning };
        EddyFuture *future =
            eddy_future_finally (sleep_future (&sleeping), step_run, &step, step_destroy);
        run_all (context);
        eddy_future_cancel (future);
        if (dropped)
            eddy_clear (&future);
        while (!cleaning.began)
            eddy_context_iteration (context, true);
        eddy_future_cancel (future); /* again: no matter */
        if (dropped)
            while (step.destroyed == 0 || !cleaning.ended)
                eddy_context_iteration (context, true);
        else
            ck_assert (!eddy_block_on_complete (context, future, &error));
        if (!dropped)
            eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
        eddy_unref (future);
        run_all (context);
        ck_assert_int_eq (step.calls, 1);
        ck_assert_int_eq (step.destroyed, 1);
        ck_assert (sleeping.cancelled);
        ck_assert (cleaning.ended);
        ck_assert (!cleaning.cancelled);
    }
    eddy_test_context_end (context);
}

/* The input that is let go of, since somebody else has it, is another one to the function. */
EDDY_TEST (D_combinators_finally_of_a_future_that_goes_on)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    Sleep sleeping = { 0 };
    EddyFuture *shared = sleep_future (&sleeping);
    Step step = { .kind = STEP_NOTHING };
    EddyFuture *future = eddy_future_finally (eddy_ref (shared), step_run, &step, step_destroy);
    run_all (context);
    eddy_future_cancel (future);
    ck_assert (!eddy_block_on_complete (context, future, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    ck_assert_int_eq (step.seen_code, EDDY_IO_ERROR_CANCELLED);
    run_all (context);
    ck_assert (!eddy_future_is_complete (shared));
    ck_assert (!sleeping.cancelled);
    eddy_unref (future);
    eddy_unref (shared);
    run_all (context);
    ck_assert (sleeping.cancelled);
    eddy_test_context_end (context);
}

/* After a cancel nothing new begins. */
EDDY_TEST (D_combinators_a_cancelled_then_does_not_go_on)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    Step step = { .kind = STEP_NUMBER };
    EddyFuture *then = eddy_future_then (number (1), step_run, &step, step_destroy);
    eddy_future_cancel (then); /* its input is complete already */
    ck_assert (!eddy_block_on_complete (context, then, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    eddy_unref (then);
    EddyFuture *caught =
        eddy_future_catch (eddy_future_delay (INT64_MAX), step_run, &step, step_destroy);
    run_all (context);
    eddy_future_cancel (caught);
    ck_assert (!eddy_block_on_complete (context, caught, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    eddy_unref (caught);
    ck_assert_int_eq (step.calls, 0);
    ck_assert_int_eq (step.destroyed, 2);
    eddy_test_context_end (context);
}

/* A cancel reaches what the function began. */
EDDY_TEST (D_combinators_a_cancel_reaches_the_second_future)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    Sleep sleeping = { 0 };
    Step step = { .kind = STEP_SLEEP, .sleep = &sleeping };
    EddyFuture *future = eddy_future_then (number (1), step_run, &step, step_destroy);
    while (!sleeping.began)
        eddy_context_iteration (context, true);
    eddy_future_cancel (future);
    ck_assert (!eddy_block_on_complete (context, future, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    ck_assert (sleeping.cancelled);
    eddy_unref (future);
    eddy_test_context_end (context);
}

static void map_fail (const EddyValue *value, EddyValue *result, EddyError **error, void *data)
{
    int *calls = data;
    ++*calls;
    eddy_value_set_int (result, value->as.integer);
    eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_BUSY, "not now");
}

static void count_destroyed (void *data)
{
    ++*(int *) data;
}

EDDY_TEST (D_combinators_map_makes_another_value)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    int calls = 0;
    EddyFuture *future = eddy_future_map (number (21), map_double, &calls, NULL);
    ck_assert_int_eq (calls, 0);
    ck_assert_int_eq (eddy_block_on_int (context, future, NULL), 42);
    ck_assert_int_eq (calls, 1);
    eddy_unref (future);
    future = eddy_future_map (number (21), map_fail, &calls, count_destroyed);
    ck_assert_int_eq (eddy_block_on_int (context, future, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_BUSY);
    ck_assert_int_eq (calls, 3);
    eddy_unref (future);
    future = eddy_future_map (failed (EDDY_IO_ERROR_EXISTS), map_double, &calls, count_destroyed);
    ck_assert_int_eq (eddy_block_on_int (context, future, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_EXISTS);
    ck_assert_int_eq (calls, 4); /* destroyed, not called */
    eddy_unref (future);
    eddy_test_context_end (context);
}

/* --- several ---------------------------------------------------------------------------------- */

EDDY_TEST (D_combinators_all_waits_for_all)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyFuture *futures[3] = { eddy_future_delay (1000000), number (5), eddy_future_delay (0) };
    EddyFuture *all = eddy_future_all (futures, 3);
    ck_assert (eddy_block_on_boolean (context, all, NULL));
    ck_assert_uint_eq (eddy_future_get_n_inputs (all), 3);
    for (size_t i = 0; i < 3; i++)
        ck_assert_ptr_eq (eddy_future_get_input (all, i), futures[i]);
    ck_assert_int_eq (eddy_block_on_int (context, eddy_future_get_input (all, 1), NULL), 5);
    eddy_unref (all);
    all = eddy_future_all (NULL, 0);
    ck_assert (eddy_block_on_boolean (context, all, NULL));
    eddy_unref (all);
    eddy_test_context_end (context);
}

/* The first error is its own, and the others have ended when it completes; but who is wanted by
   somebody else goes on. */
EDDY_TEST (D_combinators_all_cancels_at_the_first_error)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    Sleep lonely = { .dies_ns = 1000000 }, wanted = { 0 };
    EddyFuture *kept = sleep_future (&wanted);
    EddyFuture *slow = sleep_future (&lonely);
    EddyFuture *first = eddy_future_then (eddy_future_delay (1000000), step_fail, NULL, NULL);
    EddyFuture *futures[4] = { slow, eddy_ref (kept), number (1), first };
    EddyFuture *all = eddy_future_all (futures, 4);
    ck_assert (!eddy_block_on_complete (context, all, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_BUSY);
    ck_assert (lonely.cancelled);
    ck_assert (lonely.ended); /* and it took its time */
    ck_assert (!wanted.ended);
    ck_assert_ptr_eq (eddy_future_get_input (all, 0), slow);
    const EddyError *left = eddy_future_get_error (eddy_future_get_input (all, 1));
    ck_assert (eddy_error_is_cancelled (left));
    ck_assert_ptr_eq (eddy_future_get_input (all, 3), first);
    eddy_unref (all);
    ck_assert (!wanted.cancelled);
    eddy_unref (kept);
    run_all (context);
    eddy_test_context_end (context);
}

EDDY_TEST (D_combinators_all_settled_never_fails)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyFuture *futures[3] = { failed (EDDY_IO_ERROR_EXISTS), number (5),
                               eddy_future_then (eddy_future_delay (1000000), step_fail, NULL,
                                                 NULL) };
    EddyFuture *all = eddy_future_all_settled (futures, 3);
    ck_assert (eddy_block_on_boolean (context, all, NULL));
    ck_assert (eddy_error_matches (eddy_future_get_error (eddy_future_get_input (all, 2)),
                                   EDDY_IO_ERROR, EDDY_IO_ERROR_BUSY));
    ck_assert_ptr_null (eddy_future_get_error (eddy_future_get_input (all, 1)));
    eddy_unref (all);
    /* Also when it is cancelled: they all have ended. */
    futures[0] = eddy_future_delay (INT64_MAX);
    futures[1] = number (5);
    all = eddy_future_all_settled (futures, 2);
    run_all (context);
    eddy_future_cancel (all);
    ck_assert (eddy_block_on_boolean (context, all, NULL));
    ck_assert (eddy_error_is_cancelled (eddy_future_get_error (eddy_future_get_input (all, 0))));
    eddy_unref (all);
    eddy_test_context_end (context);
}

EDDY_TEST (D_combinators_any_is_the_first_value)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    Sleep sleeping = { .duration_ns = 1000000000 };
    EddyFuture *futures[3] = { failed (EDDY_IO_ERROR_EXISTS), sleep_future (&sleeping),
                               eddy_future_map (eddy_future_delay (1000000), map_double,
                                                &(int){ 0 }, NULL) };
    EddyFuture *any = eddy_future_any (futures, 3);
    ck_assert_int_eq (eddy_block_on_int (context, any, NULL), 2);
    ck_assert (sleeping.cancelled);
    eddy_unref (any);
    futures[0] = eddy_future_then (eddy_future_delay (1000000), step_fail, NULL, NULL);
    futures[1] = failed (EDDY_IO_ERROR_EXISTS);
    any = eddy_future_any (futures, 2);
    ck_assert (!eddy_block_on_complete (context, any, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_EXISTS);
    eddy_unref (any);
    any = eddy_future_any (NULL, 0);
    ck_assert (!eddy_block_on_complete (context, any, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
    eddy_unref (any);
    eddy_test_context_end (context);
}

EDDY_TEST (D_combinators_race_is_the_first_answer)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    Sleep sleeping = { .dies_ns = 1000000 };
    EddyFuture *futures[2] = { sleep_future (&sleeping),
                               eddy_future_then (eddy_future_delay (1000000), step_fail, NULL,
                                                 NULL) };
    EddyFuture *race = eddy_future_race (futures, 2);
    ck_assert (!eddy_block_on_complete (context, race, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_BUSY);
    ck_assert (sleeping.cancelled);
    ck_assert (sleeping.ended);
    eddy_unref (race);
    race = eddy_future_race (NULL, 0);
    ck_assert (!eddy_block_on_complete (context, race, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
    eddy_unref (race);
    eddy_test_context_end (context);
}

/* An operation of the kernel's that loses has been taken back from it when the race completes: what
   it would have read is still there. */
EDDY_TEST (D_combinators_losers_are_cancelled_in_the_kernel)
{
    EddyContext *context = eddy_test_context_begin ();
    int fds[2];
    ck_assert_int_eq (pipe (fds), 0);
    EddyFuture *futures[2] = { eddy_fd_wait_future (fds[0], POLLIN, 0, NULL),
                               eddy_future_delay (1000000) };
    EddyFuture *race = eddy_future_race (futures, 2);
    ck_assert (eddy_block_on_complete (context, race, NULL));
    ck_assert (eddy_error_is_cancelled (eddy_future_get_error (eddy_future_get_input (race, 0))));
    EddyContextStatistics statistics;
    eddy_context_get_statistics (context, &statistics);
    ck_assert_uint_eq (statistics.live_operations, 0);
    eddy_unref (race);
    close (fds[0]);
    close (fds[1]);
    eddy_test_context_end (context);
}

/* A task's own references are nobody's who wants its answer; its callback is. */
EDDY_TEST (D_combinators_a_task_that_loses_is_cancelled)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { 0 };
    for (int has_callback = 0; has_callback < 2; has_callback++) {
        EddyTask *task = eddy_task_new (NULL, NULL, has_callback ? take_boolean : NULL, &answer);
        EddyFuture *futures[2] = { eddy_task_get_future (task), number (1) };
        EddyFuture *race = eddy_future_race (futures, 2);
        run_all (context);
        ck_assert_int_eq (eddy_cancellable_is_cancelled (eddy_task_get_cancellable (task)),
                          !has_callback);
        ck_assert_int_eq (eddy_future_is_complete (race), has_callback);
        eddy_task_return_boolean (task, true);
        eddy_task_unref (task);
        ck_assert_int_eq (eddy_block_on_int (context, race, NULL), 1);
        eddy_unref (race);
        run_all (context);
    }
    ck_assert_int_eq (answer.calls, 1);
    ck_assert (answer.boolean);
    eddy_test_context_end (context);
}

/* --- values ----------------------------------------------------------------------------------- */

/* A pointer that has one owner comes through a chain and goes to one taker. */
EDDY_TEST (D_combinators_a_single_value_has_one_owner)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    EddyValue value = EDDY_VALUE_INIT;
    ends[0] = '\0';
    Step step = { .kind = STEP_NOTHING };
    EddyFuture *future = eddy_future_then (string ("s"), step_run, &step, step_destroy);
    future = eddy_future_finally (eddy_future_with_timeout (future, INT64_MAX), step_run, &step,
                                  step_destroy);
    future = eddy_future_race (&future, 1);
    ck_assert (eddy_block_on_complete (context, future, NULL));
    ck_assert_str_eq (ends, "");
    ck_assert (eddy_future_take (future, &value, NULL));
    ck_assert_str_eq (value.as.pointer, "s");
    eddy_log_set_handler (note_message, NULL);
    EddyValue second = EDDY_VALUE_INIT;
    ck_assert (!eddy_future_take (future, &second, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_TAKEN);
    eddy_unref (future);
    ck_assert_str_eq (ends, "");
    eddy_value_clear (&value);
    ck_assert_str_eq (ends, "s");

    /* Nobody takes it: it ends with the future. The loser's ends, too. */
    EddyFuture *futures[2] = { string ("w"), string ("l") };
    future = eddy_future_race (futures, 2);
    ck_assert (eddy_block_on_complete (context, future, NULL));
    eddy_unref (future);
    ck_assert_str_eq (ends, "slw");

    /* Somebody has taken it before. */
    EddyFuture *shared = string ("x");
    ck_assert (eddy_future_take (shared, &value, NULL));
    future = eddy_future_then (shared, step_run, &step, step_destroy);
    ck_assert (!eddy_block_on_complete (context, future, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_TAKEN);
    eddy_unref (future);
    eddy_value_clear (&value);
    ck_assert_str_eq (ends, "slwx");
    eddy_log_set_handler (NULL, NULL);
    eddy_test_context_end (context);
}

/* --- time ------------------------------------------------------------------------------------- */

EDDY_TEST (D_combinators_delay_takes_its_time)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    int64_t before_ns = eddy_get_monotonic_time_ns ();
    EddyFuture *delay = eddy_future_delay (5000000);
    ck_assert (eddy_block_on_boolean (context, delay, NULL));
    ck_assert_int_ge (eddy_get_monotonic_time_ns () - before_ns, 5000000);
    eddy_unref (delay);
    delay = eddy_future_delay (INT64_MAX);
    eddy_future_cancel (delay);
    ck_assert (!eddy_block_on_boolean (context, delay, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    eddy_unref (delay);
    eddy_unref (eddy_future_delay (INT64_MAX));
    run_all (context);
    eddy_test_context_end (context);
}

EDDY_TEST (D_combinators_with_timeout)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    Sleep sleeping = { .dies_ns = 1000000 };
    EddyFuture *future = eddy_future_with_timeout (sleep_future (&sleeping), 1000000);
    ck_assert (!eddy_block_on_complete (context, future, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_TIMED_OUT);
    ck_assert (sleeping.ended); /* only then */
    eddy_unref (future);
    /* In time. */
    future = eddy_future_with_timeout (number (5), 0);
    ck_assert_int_eq (eddy_block_on_int (context, future, NULL), 5);
    eddy_unref (future);
    /* It came all the same. */
    sleeping = (Sleep){ .stands = true };
    future = eddy_future_with_timeout (sleep_future (&sleeping), 1000000);
    ck_assert_ptr_eq (eddy_block_on (context, future, NULL), &sleeping);
    ck_assert (sleeping.cancelled);
    eddy_unref (future);
    /* A cancel is no timeout. */
    future = eddy_future_with_timeout (eddy_future_delay (INT64_MAX), INT64_MAX);
    run_all (context);
    eddy_future_cancel (future);
    ck_assert (!eddy_block_on_complete (context, future, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    eddy_unref (future);
    eddy_test_context_end (context);
}

/* One that somebody else has goes on, and is not waited for. */
EDDY_TEST (D_combinators_with_timeout_of_a_future_that_goes_on)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    Sleep sleeping = { 0 };
    EddyFuture *shared = sleep_future (&sleeping);
    EddyFuture *future = eddy_future_with_timeout (eddy_ref (shared), 1000000);
    ck_assert (!eddy_block_on_complete (context, future, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_TIMED_OUT);
    run_all (context);
    ck_assert (!sleeping.cancelled);
    eddy_unref (future);
    eddy_unref (shared);
    run_all (context);
    ck_assert (sleeping.cancelled);
    eddy_test_context_end (context);
}
