/* SPDX-License-Identifier: MIT */
/*
 * What a cancel does to tasks whose function runs on a worker.
 */
#include "task-job.h"

/* --- cancelling ------------------------------------------------------------------------------- */

EDDY_TEST (T31_cancel_does_not_interrupt_and_the_answer_stands)
{
    EddyContext *context = eddy_test_context_begin ();
    Job job = JOB_INIT;
    job.value = 31;
    EddyTask *task = job_start (&job, run_until_told);
    gate_wait (&job.begun, 1);
    eddy_cancellable_cancel (eddy_task_get_cancellable (task));
    run_all (context);
    ck_assert (!eddy_task_get_completed (task));
    eddy_task_unref (task);
    job_end (context, &job);
    ck_assert (job.sees_cancel);
    ck_assert_int_eq (job.answer.integer, 31);
    ck_assert_ptr_null (job.answer.error);
    eddy_test_context_end (context);
}

static void expect_never_run (EddyContext *context, Job *job)
{
    run_until_called (context, &job->answer);
    eddy_test_expect_error (&job->answer.error, EDDY_IO_ERROR_CANCELLED);
    ck_assert_int_eq (job->begun.count, 0);
}

EDDY_TEST (T31_cancelled_before_it_is_run)
{
    EddyContext *context = eddy_test_context_begin ();
    Job job = JOB_INIT;
    EddyTask *task = job_task (&job);
    eddy_cancellable_cancel (eddy_task_get_cancellable (task));
    eddy_task_run_in_thread (task, run_at_once);
    eddy_task_unref (task);
    expect_never_run (context, &job);
    eddy_test_context_end (context);
}

static void *cancel_in_thread (void *cancellable)
{
    eddy_cancellable_cancel (cancellable);
    return NULL;
}

/* While all threads are held: it ends at once, without one. */
EDDY_TEST_TIMEOUT (T31_cancelled_before_it_began, 60)
{
    EddyContext *context = eddy_test_context_begin ();
    static Crowd crowd;
    Job here = JOB_INIT, elsewhere = JOB_INIT;
    crowd_begin (&crowd);
    EddyTask *task = job_start (&here, run_at_once);
    eddy_cancellable_cancel (eddy_task_get_cancellable (task));
    eddy_task_unref (task);
    expect_never_run (context, &here);
    task = job_start (&elsewhere, run_at_once);
    run_thread (cancel_in_thread, eddy_task_get_cancellable (task));
    eddy_task_unref (task);
    expect_never_run (context, &elsewhere);
    crowd_end (context, &crowd);
    ck_assert_int_eq (here.begun.count + elsewhere.begun.count, 0);
    eddy_test_context_end (context);
}

/* Whoever wins, the callback runs once, and says what happened. */
EDDY_TEST (T31_cancel_races_with_the_begin)
{
    EddyContext *context = eddy_test_context_begin ();
    int n_run = 0, rounds = eddy_test_sanitized () ? 100 : 1000;
    for (int i = 0; i < rounds; i++) {
        Job job = JOB_INIT;
        job.value = 5;
        EddyTask *task = job_start (&job, run_at_once);
        eddy_cancellable_cancel (eddy_task_get_cancellable (task));
        eddy_task_unref (task);
        run_until_called (context, &job.answer);
        n_run += job.begun.count;
        ck_assert_int_eq (job.answer.integer, job.begun.count == 1 ? 5 : -1);
        ck_assert_int_eq (job.begun.count == 0, job.answer.error != NULL);
        if (job.answer.error != NULL)
            eddy_test_expect_error (&job.answer.error, EDDY_IO_ERROR_CANCELLED);
    }
    ck_assert_int_le (n_run, rounds);
    eddy_test_context_end (context);
}

/* --- return-on-cancel ------------------------------------------------------------------------- */

/* Data of a function that is left behind: its own. */
typedef struct Left {
    Gate begun;
    Gate go_on;
    Gate over;
    int cleared; /* what clearing the flag said; -1: it was not tried */
    int set_again;
    bool ended; /* and so has its task */
} Left;

static Left *left_new (void)
{
    static Left left;
    left = (Left){ GATE_INIT, GATE_INIT, GATE_INIT, -1, -1, false };
    return &left;
}

static void left_over (void *data)
{
    Left *left = data;
    left->ended = true;
}

/* Until the task has ended, after its function. */
static void left_end (EddyContext *context, const Left *left)
{
    while (!left->ended)
        eddy_context_iteration (context, false);
}

static void run_left_behind (EddyTask *task, void *source_object, void *task_data,
                             EddyCancellable *cancellable)
{
    Left *left = task_data;
    (void) source_object;
    (void) cancellable;
    gate_step (&left->begun);
    gate_wait (&left->go_on, 1);
    eddy_task_return_pointer (task, eddy_strdup ("late"), end_string);
    gate_step (&left->over);
}

EDDY_TEST (T32_cancel_completes_while_the_function_runs)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    Left *left = left_new ();
    EddyTask *task = eddy_task_new (NULL, NULL, take_pointer, &answer);
    ck_assert (!eddy_task_get_return_on_cancel (task));
    ck_assert (eddy_task_set_return_on_cancel (task, true));
    ck_assert (eddy_task_get_return_on_cancel (task));
    eddy_task_set_task_data (task, left, left_over);
    eddy_task_run_in_thread (task, run_left_behind);
    gate_wait (&left->begun, 1);
    eddy_cancellable_cancel (eddy_task_get_cancellable (task));
    ck_assert (eddy_task_get_completed (task));
    eddy_task_unref (task);
    run_until_called (context, &answer);
    eddy_test_expect_error (&answer.error, EDDY_IO_ERROR_CANCELLED);
    ck_assert_int_eq (left->over.count, 0);
    gate_step (&left->go_on);
    left_end (context, left);
    ck_assert_str_eq (ends, "l");
    ck_assert_int_eq (left->over.count, 1);
    eddy_test_context_end (context);
}

EDDY_TEST (T32_not_begun_it_never_runs)
{
    EddyContext *context = eddy_test_context_begin ();
    Job job = JOB_INIT;
    EddyTask *task = job_task (&job);
    ck_assert (eddy_task_set_return_on_cancel (task, true));
    eddy_cancellable_cancel (eddy_task_get_cancellable (task));
    eddy_task_run_in_thread (task, run_at_once);
    eddy_task_unref (task);
    expect_never_run (context, &job);
    eddy_test_context_end (context);
}

typedef struct Canceller {
    EddyCancellable *cancellable;
    Left *left;
} Canceller;

static void *cancel_when_begun (void *data)
{
    Canceller *canceller = data;
    gate_wait (&canceller->left->begun, 1);
    eddy_cancellable_cancel (canceller->cancellable);
    return NULL;
}

EDDY_TEST (T32_sync_returns_at_the_cancel)
{
    EddyContext *context = eddy_test_context_begin ();
    Left *left = left_new ();
    EddyError *error = NULL;
    EddyTask *task = eddy_task_new (NULL, NULL, NULL, NULL);
    ck_assert (eddy_task_set_return_on_cancel (task, true));
    eddy_task_set_task_data (task, left, left_over);
    Canceller canceller = { eddy_task_get_cancellable (task), left };
    pthread_t thread;
    pthread_create (&thread, NULL, cancel_when_begun, &canceller);
    eddy_task_run_in_thread_sync (task, run_left_behind);
    pthread_join (thread, NULL);
    ck_assert_int_eq (left->over.count, 0);
    EddyFuture *future = eddy_task_get_future (task);
    ck_assert_ptr_null (eddy_task_propagate_pointer (future, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    eddy_unref (future);
    eddy_task_unref (task);
    gate_step (&left->go_on);
    left_end (context, left);
    eddy_test_context_end (context);
}

/* Clears the flag before it goes on, and says what that said. */
static void run_and_clear (EddyTask *task, void *source_object, void *task_data,
                           EddyCancellable *cancellable)
{
    Left *left = task_data;
    (void) source_object;
    (void) cancellable;
    left->cleared = eddy_task_set_return_on_cancel (task, false);
    gate_step (&left->begun);
    gate_wait (&left->go_on, 1);
    left->set_again = eddy_task_set_return_on_cancel (task, true);
    gate_step (&left->begun);
    gate_wait (&left->go_on, 2);
    eddy_task_return_int (task, 33);
    gate_step (&left->over);
}

EDDY_TEST (T33_cleared_in_time_the_cancel_waits)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    Left *left = left_new ();
    EddyTask *task = eddy_task_new (NULL, NULL, take_int, &answer);
    ck_assert (eddy_task_set_return_on_cancel (task, true));
    eddy_task_set_task_data (task, left, left_over);
    eddy_task_run_in_thread (task, run_and_clear);
    gate_wait (&left->begun, 1);
    ck_assert_int_eq (left->cleared, 1);
    ck_assert (!eddy_task_get_return_on_cancel (task));
    eddy_cancellable_cancel (eddy_task_get_cancellable (task));
    run_all (context);
    ck_assert (!eddy_task_get_completed (task));
    gate_step (&left->go_on); /* it sets the flag again */
    gate_wait (&left->begun, 2);
    ck_assert_int_eq (left->set_again, 0);
    ck_assert (eddy_task_get_completed (task));
    run_until_called (context, &answer);
    eddy_test_expect_error (&answer.error, EDDY_IO_ERROR_CANCELLED);
    gate_step (&left->go_on);
    eddy_task_unref (task);
    left_end (context, left);
    eddy_test_context_end (context);
}

static void run_and_clear_late (EddyTask *task, void *source_object, void *task_data,
                                EddyCancellable *cancellable)
{
    Left *left = task_data;
    (void) source_object;
    (void) cancellable;
    gate_step (&left->begun);
    gate_wait (&left->go_on, 1);
    left->cleared = eddy_task_set_return_on_cancel (task, false);
    gate_step (&left->over);
    eddy_task_return_int (task, 0);
}

EDDY_TEST (T33_clearing_fails_after_the_cancel)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    Left *left = left_new ();
    EddyTask *task = eddy_task_new (NULL, NULL, take_int, &answer);
    ck_assert (eddy_task_set_return_on_cancel (task, true));
    eddy_task_set_task_data (task, left, left_over);
    eddy_task_run_in_thread (task, run_and_clear_late);
    gate_wait (&left->begun, 1);
    eddy_cancellable_cancel (eddy_task_get_cancellable (task));
    run_until_called (context, &answer);
    eddy_test_expect_error (&answer.error, EDDY_IO_ERROR_CANCELLED);
    gate_step (&left->go_on);
    gate_wait (&left->over, 1);
    ck_assert_int_eq (left->cleared, 0);
    ck_assert (eddy_task_get_return_on_cancel (task));
    eddy_task_unref (task);
    left_end (context, left);
    eddy_test_context_end (context);
}

/* Either the function could clear the flag, and its answer stands, or the cancel completed it. */
static void run_and_race (EddyTask *task, void *source_object, void *task_data,
                          EddyCancellable *cancellable)
{
    (void) source_object;
    (void) cancellable;
    Left *left = task_data;
    gate_step (&left->begun);
    eddy_task_return_int (task, eddy_task_set_return_on_cancel (task, false) ? 1 : 0);
}

EDDY_TEST (T33_clearing_races_with_the_cancel)
{
    EddyContext *context = eddy_test_context_begin ();
    int rounds = eddy_test_sanitized () ? 100 : 1000;
    for (int i = 0; i < rounds; i++) {
        Answer answer = { .calls = 0 };
        Left *left = left_new ();
        EddyTask *task = eddy_task_new (NULL, NULL, take_int, &answer);
        eddy_task_set_return_on_cancel (task, true);
        eddy_task_set_task_data (task, left, left_over);
        eddy_task_run_in_thread (task, run_and_race);
        gate_wait (&left->begun, 1);
        eddy_cancellable_cancel (eddy_task_get_cancellable (task));
        run_until_called (context, &answer);
        ck_assert_int_eq (answer.integer, answer.error == NULL ? 1 : -1);
        eddy_unref (answer.error);
        eddy_task_unref (task);
        left_end (context, left);
    }
    eddy_test_context_end (context);
}

/* The flag alone decides; a cancel needs no other permission. */
EDDY_TEST (T34_return_on_cancel_needs_no_other_switch)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyCancellable *cancellable = eddy_cancellable_new ();
    Answer with = { .calls = 0 };
    Job without = JOB_INIT;
    without.value = 34;
    Left *left = left_new ();
    EddyTask *task = eddy_task_new (NULL, cancellable, take_pointer, &with);
    ck_assert (eddy_task_set_return_on_cancel (task, true));
    eddy_task_set_task_data (task, left, left_over);
    eddy_task_run_in_thread (task, run_left_behind);
    gate_wait (&left->begun, 1);
    EddyTask *plain = eddy_task_new (NULL, cancellable, take_int, &without.answer);
    eddy_task_set_task_data (plain, &without, NULL);
    eddy_task_run_in_thread (plain, run_until_told);
    gate_wait (&without.begun, 1);
    eddy_cancellable_cancel (cancellable);
    ck_assert (eddy_task_get_completed (task));
    ck_assert (!eddy_task_get_completed (plain));
    eddy_task_unref (task);
    eddy_task_unref (plain);
    job_end (context, &without);
    ck_assert_int_eq (without.answer.integer, 34);
    eddy_test_expect_error (&with.error, EDDY_IO_ERROR_CANCELLED);
    gate_step (&left->go_on);
    left_end (context, left);
    eddy_unref (cancellable);
    eddy_test_context_end (context);
}
