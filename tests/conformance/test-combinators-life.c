/* SPDX-License-Identifier: MIT */
/*
 * The life of futures made of futures: dropped, cancelled, in long chains, from callbacks and with
 * them.
 */
#include "combinators.h"

#include <eddy/testing.h>
#include <poll.h>
#include <unistd.h>

/* --- dropping --------------------------------------------------------------------------------- */

static EddyFuture *combine (int kind, EddyFuture *future, Step *step)
{
    switch (kind) {
    case 0:
        return eddy_future_then (future, step_run, step, step_destroy);
    case 1:
        return eddy_future_catch (future, step_run, step, step_destroy);
    case 2:
        return eddy_future_map (future, map_double, &step->calls, NULL);
    case 3:
        return eddy_future_with_timeout (future, INT64_MAX);
    case 4:
        return eddy_future_all (&future, 1);
    case 5:
        return eddy_future_all_settled (&future, 1);
    case 6:
        return eddy_future_any (&future, 1);
    case 7:
        return eddy_future_race (&future, 1);
    default:
        return eddy_future_finally (future, step_run, step, step_destroy);
    }
}

enum { COMBINATORS = 9 };

/* Dropped in each way: at once, when it has begun, when its input has ended but nobody has looked;
   the input that nobody else has is cancelled, the other one not. */
EDDY_TEST (D_combinators_dropping_one_drops_its_inputs)
{
    EddyContext *context = eddy_test_context_begin ();
    for (int kind = 0; kind < COMBINATORS; kind++) {
        for (int when = 0; when < 4; when++) {
            Sleep lonely = { 0 }, wanted = { .duration_ns = 1000000 };
            Step steps[2] = { { .kind = STEP_NOTHING }, { .kind = STEP_NOTHING } };
            EddyFuture *kept = sleep_future (&wanted);
            EddyFuture *one = combine (kind, sleep_future (&lonely), &steps[0]);
            EddyFuture *other = combine (kind, eddy_ref (kept), &steps[1]);
            for (int i = 0; i < when; i++)
                eddy_context_iteration (context, false);
            eddy_unref (one);
            eddy_unref (other);
            ck_assert (eddy_block_on_complete (context, kept, NULL));
            run_all (context);
            ck_assert (lonely.cancelled == lonely.began);
            ck_assert (!wanted.cancelled);
            eddy_unref (kept);
        }
    }
    eddy_test_context_end (context);
}

/* Neither begins nor ends inside something else; a chain of ten thousand needs no stack. */
EDDY_TEST (D_combinators_chains_need_no_stack)
{
    enum { LINKS = 10000 };
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    for (int kind = 0; kind < COMBINATORS; kind++) {
        for (int way = 0; way < 4; way++) {
            Step step = { .kind = STEP_NOTHING };
            EddyFuture *future = way == 0   ? number (0)
                                 : way == 1 ? failed (EDDY_IO_ERROR_EXISTS)
                                            : eddy_future_delay (INT64_MAX);
            for (int i = 0; i < LINKS; i++)
                future = combine (kind, future, &step);
            if (way == 2)
                eddy_future_cancel (future);
            if (way < 3) {
                bool good = eddy_block_on_complete (context, future, &error);
                bool settles = kind == 5;
                ck_assert_int_eq (good, way == 0 || settles);
                if (!good)
                    eddy_test_expect_error (&error, way == 1 ? EDDY_IO_ERROR_EXISTS
                                                             : EDDY_IO_ERROR_CANCELLED);
            }
            eddy_unref (future);
            run_all (context);
            if (kind != 2 && step.destroyed > 0)
                ck_assert_int_eq (step.destroyed, LINKS);
        }
    }
    eddy_test_context_end (context);
}

/* The same from a fiber, whose stack is small. */
static void *chain_in_fiber (void *data, EddyError **error)
{
    enum { LINKS = 10000 };
    (void) data;
    static Step step; /* what the dropped chain runs at last may come after the fiber's end */
    step = (Step){ .kind = STEP_NOTHING };
    for (int dropped = 0; dropped < 2; dropped++) {
        EddyFuture *future = eddy_future_delay (dropped ? INT64_MAX : 1000000);
        for (int i = 0; i < LINKS; i++)
            future = combine (i % COMBINATORS, future, &step);
        if (!dropped)
            ck_assert (eddy_await_complete (future, error) || *error != NULL);
        eddy_unref (future);
        eddy_fiber_yield ();
    }
    eddy_clear_error (error);
    while (!eddy_fiber_sleep (1000, NULL))
        ;
    return NULL;
}

EDDY_TEST (D_combinators_chains_in_a_fiber)
{
    EddyContext *context = eddy_test_context_begin ();
    eddy_test_run_fiber (context, chain_in_fiber, NULL);
    run_all (context);
    eddy_test_context_end (context);
}

/* What a function does to its own combinator in the middle: cancels it, drops it, runs the loop. */
typedef struct Meddler {
    EddyContext *context;
    EddyFuture *future;
    int way;
    int calls;
} Meddler;

static EddyFuture *meddle (EddyFuture *completed, void *data)
{
    Meddler *meddler = data;
    (void) completed;
    meddler->calls++;
    if (meddler->way & 1)
        eddy_future_cancel (meddler->future);
    if (meddler->way & 2)
        eddy_clear (&meddler->future);
    if (meddler->way & 4)
        run_all (meddler->context);
    return meddler->way & 8 ? eddy_future_delay (0) : NULL;
}

EDDY_TEST (D_combinators_functions_may_do_anything)
{
    EddyContext *context = eddy_test_context_begin ();
    for (int kind = 0; kind < 3; kind++) {
        for (int way = 0; way < 16; way++) {
            Meddler meddler = { .context = context, .way = way };
            EddyFuture *input = kind == 1 ? failed (EDDY_IO_ERROR_BUSY) : number (1);
            meddler.future = kind == 0   ? eddy_future_then (input, meddle, &meddler, NULL)
                             : kind == 1 ? eddy_future_catch (input, meddle, &meddler, NULL)
                                         : eddy_future_finally (input, meddle, &meddler, NULL);
            run_all (context);
            if (meddler.future != NULL)
                eddy_block_on_complete (context, meddler.future, NULL);
            run_all (context);
            ck_assert_int_eq (meddler.calls, 1);
            eddy_unref (meddler.future);
        }
    }
    eddy_test_context_end (context);
}

/* --- callbacks -------------------------------------------------------------------------------- */

static void begin_wait (void *source_object, EddyCancellable *cancellable,
                        EddyAsyncReadyCallback callback, void *user_data, void *data)
{
    (void) source_object;
    eddy_fd_wait_async (*(int *) data, POLLIN, 0, cancellable, callback, user_data);
}

static bool finish_wait (void *source_object, EddyAsyncResult *result, EddyValue *value,
                         EddyError **error, void *data)
{
    (void) source_object;
    (void) data;
    int events = (int) eddy_fd_wait_finish (result, error);
    if (events < 0)
        return false;
    eddy_value_set_int (value, events);
    return true;
}

EDDY_TEST (D_combinators_from_a_callback_pair)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    int fds[2];
    ck_assert_int_eq (pipe (fds), 0);
    EddyFuture *future =
        eddy_future_from_callback_pair (NULL, begin_wait, finish_wait, &fds[0], NULL);
    run_all (context);
    ck_assert (!eddy_future_is_complete (future));
    ck_assert_int_eq (write (fds[1], "x", 1), 1);
    ck_assert_int_eq (eddy_block_on_int (context, future, NULL), POLLIN);
    eddy_unref (future);
    ck_assert_int_eq (read (fds[0], &(char){ 0 }, 1), 1);

    future = eddy_future_from_callback_pair (NULL, begin_wait, finish_wait, &fds[0], NULL);
    run_all (context);
    eddy_future_cancel (future);
    ck_assert_int_eq (eddy_block_on_int (context, future, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    eddy_unref (future);

    /* Dropped: its operation ends. */
    eddy_unref (eddy_future_from_callback_pair (NULL, begin_wait, finish_wait, &fds[0], NULL));
    EddyContextStatistics statistics;
    do {
        eddy_context_iteration (context, true);
        eddy_context_get_statistics (context, &statistics);
    } while (statistics.live_operations > 0);
    run_all (context);
    close (fds[0]);
    close (fds[1]);
    eddy_test_context_end (context);
}

EDDY_TEST (D_combinators_any_future_has_callbacks)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answers[3] = { { 0 } };
    Thing *thing = thing_new ('d', 'f');
    EddyTask *task = eddy_task_new (thing, NULL, NULL, NULL);
    EddyFuture *future = eddy_task_get_future (task);
    for (int i = 0; i < 2; i++)
        ck_assert (eddy_future_add_callback (future, take_boolean, &answers[i]));
    run_all (context);
    ck_assert_int_eq (answers[0].calls, 0);
    eddy_task_return_boolean (task, true);
    ck_assert_int_eq (answers[0].calls, 0);
    run_all (context);
    ck_assert (eddy_future_add_callback (future, take_boolean, &answers[2]));
    ck_assert_int_eq (answers[2].calls, 0);
    eddy_task_unref (task);
    eddy_unref (future);
    run_all (context);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq (answers[i].calls, 1);
        ck_assert (answers[i].boolean);
        ck_assert_ptr_eq (answers[i].source_object, thing);
    }
    eddy_unref (thing);
    /* It wants the answer: nothing is cancelled. */
    Sleep sleeping = { .duration_ns = 1000000 };
    Answer answer = { 0 };
    future = sleep_future (&sleeping);
    ck_assert (eddy_future_add_callback (future, take_nothing, &answer));
    eddy_unref (future);
    run_until_called (context, &answer);
    ck_assert (!sleeping.cancelled);
    eddy_test_context_end (context);
}

/* --- cancelled everywhere --------------------------------------------------------------------- */

typedef struct Everywhere {
    int kind;
    Sleep sleep;
    Sleep second;
    Step step;
    int done;
} Everywhere;

static void *await_combined (void *data, EddyError **error)
{
    Everywhere *everywhere = data;
    EDDY_AUTO (EddyFuture)
    future = combine (everywhere->kind, sleep_future (&everywhere->sleep), &everywhere->step);
    everywhere->done = eddy_await_complete (future, error);
    return NULL;
}

static void check_combined (void *data, bool cancelled, uint32_t point)
{
    Everywhere *everywhere = data;
    (void) point;
    ck_assert_int_ne (everywhere->done, cancelled);
    ck_assert (!everywhere->sleep.began || everywhere->sleep.ended);
    ck_assert (!everywhere->second.began || everywhere->second.ended);
    bool has_step = everywhere->kind < 2 || everywhere->kind == 8;
    ck_assert_int_eq (everywhere->step.destroyed, has_step);
    if (everywhere->kind == 8) {
        ck_assert_int_eq (everywhere->step.calls, 1);
        ck_assert (!everywhere->second.cancelled);
    }
    everywhere->sleep = everywhere->second = (Sleep){ .duration_ns = 20000 };
    everywhere->step = (Step){ .kind = STEP_SLEEP, .sleep = &everywhere->second };
    everywhere->done = false;
}

EDDY_TEST (D_combinators_cancelled_everywhere)
{
    for (int kind = 0; kind < COMBINATORS; kind++) {
        Everywhere everywhere = { .kind = kind };
        everywhere.sleep = everywhere.second = (Sleep){ .duration_ns = 20000 };
        everywhere.step = (Step){ .kind = STEP_SLEEP, .sleep = &everywhere.second };
        EddyTestCancelReport report;
        bool good =
            eddy_test_cancel_everywhere (await_combined, &everywhere, check_combined, &report);
        ck_assert_msg (good, "%d: %s", kind, report.failure);
        ck_assert_uint_ge (report.points, 6);
        ck_assert_uint_eq (report.points, report.cancelled + report.completed);
    }
}

static void *await_race (void *data, EddyError **error)
{
    Everywhere *everywhere = data;
    EddyFuture *futures[3] = { sleep_future (&everywhere->sleep),
                               eddy_future_with_timeout (sleep_future (&everywhere->second), 10000),
                               eddy_future_delay (40000) };
    EDDY_AUTO (EddyFuture) future = eddy_future_any (futures, 3);
    everywhere->done = eddy_await_complete (future, error);
    return NULL;
}

static void check_race (void *data, bool cancelled, uint32_t point)
{
    Everywhere *everywhere = data;
    (void) point;
    ck_assert_int_ne (everywhere->done, cancelled);
    ck_assert (!everywhere->sleep.began || everywhere->sleep.ended);
    ck_assert (!everywhere->second.began || everywhere->second.ended);
    everywhere->sleep = everywhere->second = (Sleep){ .duration_ns = 20000, .dies_ns = 1000 };
    everywhere->done = false;
}

EDDY_TEST (D_combinators_a_race_cancelled_everywhere)
{
    Everywhere everywhere = { .sleep = { .duration_ns = 20000, .dies_ns = 1000 },
                              .second = { .duration_ns = 20000, .dies_ns = 1000 } };
    EddyTestCancelReport report;
    bool good = eddy_test_cancel_everywhere (await_race, &everywhere, check_race, &report);
    ck_assert_msg (good, "%s", report.failure);
    ck_assert_uint_ge (report.points, 8);
}

EDDY_TEST (D_combinators_misuse)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyFuture *none[1] = { NULL };
    eddy_log_set_handler (note_message, NULL);
    criticals = 0;
    ck_assert_ptr_null (eddy_future_then (NULL, step_run, NULL, NULL));
    ck_assert_ptr_null (eddy_future_catch (NULL, step_run, NULL, NULL));
    ck_assert_ptr_null (eddy_future_finally (NULL, step_run, NULL, NULL));
    ck_assert_ptr_null (eddy_future_map (NULL, map_double, NULL, NULL));
    ck_assert_ptr_null (eddy_future_all (none, 1));
    ck_assert_ptr_null (eddy_future_all_settled (none, 1));
    ck_assert_ptr_null (eddy_future_any (none, 1));
    ck_assert_ptr_null (eddy_future_race (NULL, 1));
    ck_assert_ptr_null (eddy_future_delay (-1));
    ck_assert_ptr_null (eddy_future_with_timeout (NULL, 1));
    ck_assert_ptr_null (eddy_future_resolved (NULL));
    ck_assert_ptr_null (eddy_future_rejected (NULL));
    ck_assert_int_eq (criticals, 12);
    EddyFuture *all = eddy_future_all (NULL, 0);
    ck_assert_ptr_null (eddy_future_get_input (all, 0)); /* not complete yet */
    ck_assert (eddy_block_on_complete (context, all, NULL));
    ck_assert_ptr_null (eddy_future_get_input (all, 0));
    ck_assert_int_eq (criticals, 14);
    EddyFuture *one = number (1);
    ck_assert_uint_eq (eddy_future_get_n_inputs (one), 0);
    eddy_unref (one);
    eddy_unref (all);
    eddy_log_set_handler (NULL, NULL);
    eddy_test_context_end (context);
}
