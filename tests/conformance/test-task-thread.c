/* SPDX-License-Identifier: MIT */
/*
 * Tasks whose function runs on a worker: when they complete, and in which order they start. What a
 * cancel does to them is in test-task-cancel.c.
 */
#include <time.h>

#include "task-job.h"

/* --- when they complete ----------------------------------------------------------------------- */

static void run_without_returning (EddyTask *task, void *source_object, void *task_data,
                                   EddyCancellable *cancellable)
{
    (void) task;
    (void) source_object;
    (void) task_data;
    (void) cancellable;
}

static void compare_threads (EddyTask *task, void *source_object, void *task_data,
                             EddyCancellable *cancellable)
{
    ck_assert_ptr_eq (source_object, eddy_task_get_source_object (task));
    ck_assert_ptr_eq (task_data, eddy_task_get_task_data (task));
    ck_assert_ptr_eq (cancellable, eddy_task_get_cancellable (task));
    ck_assert (!eddy_task_get_completed (task));
    eddy_task_return_boolean (task, !pthread_equal (*(pthread_t *) task_data, pthread_self ()));
    ck_assert (!eddy_task_get_completed (task));
}

EDDY_TEST (T26_function_runs_in_a_thread_callback_at_home)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    pthread_t here = pthread_self ();
    Thing *thing = thing_new (0, 's');
    EddyTask *task = eddy_task_new (thing, NULL, take_boolean, &answer);
    eddy_unref (thing);
    eddy_task_set_task_data (task, &here, NULL);
    eddy_task_run_in_thread (task, compare_threads);
    eddy_task_unref (task);
    run_until_called (context, &answer);
    ck_assert (answer.boolean);
    ck_assert (pthread_equal (answer.thread, here));
    ck_assert_str_eq (ends, "s");
    ck_assert (pthread_equal (end_thread, here));
    eddy_test_context_end (context);
}

EDDY_TEST (T26_return_is_kept_until_the_function_ends)
{
    EddyContext *context = eddy_test_context_begin ();
    Job job = JOB_INIT;
    job.value = 26;
    EddyTask *task = job_start (&job, run_until_told);
    gate_wait (&job.begun, 1); /* it has returned its value */
    run_all (context);
    ck_assert (!eddy_task_get_completed (task));
    ck_assert_int_eq (job.answer.calls, 0);
    job_end (context, &job);
    ck_assert (eddy_task_get_completed (task));
    ck_assert_int_eq (job.answer.integer, 26);
    eddy_task_unref (task);
    eddy_test_context_end (context);
}

static void return_twice (EddyTask *task, void *source_object, void *task_data,
                          EddyCancellable *cancellable)
{
    (void) source_object;
    (void) task_data;
    (void) cancellable;
    eddy_task_return_int (task, 1);
    eddy_task_return_pointer (task, eddy_strdup ("second"), end_string);
}

EDDY_TEST (T26_second_return_is_misuse)
{
    EddyContext *context = eddy_test_context_begin ();
    Job job = JOB_INIT;
    eddy_log_set_handler (note_message, NULL);
    job_launch (&job, return_twice);
    run_until_called (context, &job.answer);
    ck_assert_int_eq (job.answer.integer, 1);
    ck_assert_int_eq (criticals, 1);
    ck_assert_str_eq (ends, "s");
    eddy_test_context_end (context);
}

static void *start_in_thread (void *data)
{
    Job *job = data;
    EddyTask *task = job->answer.pointer;
    eddy_task_run_in_thread (task, run_at_once);
    eddy_task_unref (task);
    return NULL;
}

EDDY_TEST (T26_started_from_another_thread)
{
    EddyContext *context = eddy_test_context_begin ();
    Job job = JOB_INIT;
    job.value = 27;
    job.answer.pointer = job_task (&job);
    run_thread (start_in_thread, &job);
    gate_wait (&job.begun, 1); /* without its loop having run */
    run_until_called (context, &job.answer);
    ck_assert_int_eq (job.answer.integer, 27);
    eddy_test_context_end (context);
}

EDDY_TEST (T26_run_or_returned_before_is_misuse)
{
    EddyContext *context = eddy_test_context_begin ();
    Job job = JOB_INIT;
    eddy_log_set_handler (note_message, NULL);
    EddyTask *task = job_start (&job, run_at_once);
    eddy_task_run_in_thread (task, run_at_once);
    ck_assert_int_eq (criticals, 1);
    run_until_called (context, &job.answer);
    eddy_task_run_in_thread (task, run_at_once);
    eddy_task_run_in_thread_sync (task, run_at_once);
    ck_assert_int_eq (criticals, 3);
    eddy_task_unref (task);
    run_all (context);
    eddy_test_context_end (context);
}

EDDY_TEST (T20_function_without_a_return_abandons)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    eddy_log_set_handler (note_message, NULL);
    EddyTask *task = eddy_task_new (NULL, NULL, take_int, &answer);
    eddy_task_run_in_thread (task, run_without_returning);
    eddy_task_unref (task);
    run_until_called (context, &answer);
    ck_assert_int_eq (answer.integer, -1);
    eddy_test_expect_error (&answer.error, EDDY_IO_ERROR_ABANDONED);
    ck_assert_int_eq (warnings, 1);
    ck_assert_msg (strstr (last_message, __FILE__) != NULL, "message: %s", last_message);
    eddy_test_context_end (context);
}

EDDY_TEST (T16_data_of_a_threaded_task_end_at_home)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    eddy_log_set_handler (note_message, NULL);
    for (int i = 0; i < 50; i++) {
        answer.calls = 0;
        ends[0] = '\0';
        EddyTask *task = eddy_task_new (NULL, NULL, take_nothing, &answer);
        eddy_task_set_task_data (task, eddy_strdup ("data"), end_string);
        eddy_task_run_in_thread (task, run_without_returning);
        eddy_task_unref (task);
        while (ends[0] == '\0')
            eddy_context_iteration (context, true);
        ck_assert_int_eq (answer.calls, 1);
        ck_assert (pthread_equal (end_thread, pthread_self ()));
    }
    eddy_test_context_end (context);
}

/* --- the synchronous variant ------------------------------------------------------------------ */

static void expect_int (EddyTask *task, int64_t value)
{
    EDDY_AUTO (EddyFuture) future = eddy_task_get_future (task);
    EddyError *error = NULL;
    ck_assert (eddy_task_get_completed (task));
    ck_assert_int_eq (eddy_task_propagate_int (future, &error), value);
    ck_assert_ptr_null (error);
}

EDDY_TEST (T27_sync_blocks_and_never_calls_back)
{
    EddyContext *context = eddy_test_context_begin ();
    Job job = JOB_INIT;
    job.value = 28;
    EddyTask *task = job_task (&job);
    eddy_task_run_in_thread_sync (task, run_at_once);
    expect_int (task, 28);
    eddy_task_unref (task);
    run_all (context);
    ck_assert_int_eq (job.answer.calls, 0);
    eddy_test_context_end (context);
}

/* A task of a context that nobody runs, before or after. */
static EddyTask *task_without_loop (void *task_data)
{
    EddyContext *context = eddy_context_new ();
    ck_assert (eddy_context_push_thread_default (context));
    EddyTask *task = eddy_task_new (NULL, NULL, NULL, NULL);
    eddy_task_set_task_data (task, task_data, NULL);
    eddy_context_pop_thread_default (context);
    eddy_unref (context);
    return task;
}

EDDY_TEST (T27_sync_without_a_loop)
{
    Job job = JOB_INIT;
    job.value = 29;
    EddyTask *task = task_without_loop (&job);
    eddy_task_run_in_thread_sync (task, run_at_once);
    expect_int (task, 29);
    eddy_task_unref (task);
}

EDDY_TEST (T27_sync_without_a_return_is_abandoned)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    eddy_log_set_handler (note_message, NULL);
    EddyTask *task = eddy_task_new (NULL, NULL, NULL, NULL);
    eddy_task_run_in_thread_sync (task, run_without_returning);
    EDDY_AUTO (EddyFuture) future = eddy_task_get_future (task);
    ck_assert_int_eq (eddy_task_propagate_int (future, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_ABANDONED);
    ck_assert_int_eq (warnings, 1);
    eddy_task_unref (task);
    run_all (context);
    eddy_test_context_end (context);
}

static void *sync_in_fiber (void *data, EddyError **error)
{
    Job *job = data;
    (void) error;
    EddyTask *task = job_task (job);
    eddy_task_run_in_thread_sync (task, run_until_told);
    expect_int (task, job->value);
    eddy_task_unref (task);
    return job;
}

static void *let_go_on (void *data, EddyError **error)
{
    Job *job = data;
    (void) error;
    gate_step (&job->go_on);
    return NULL;
}

/* The job ends only when the other fiber of the same thread has run. */
EDDY_TEST (T27_sync_in_a_fiber_parks_it)
{
    EddyContext *context = eddy_test_context_begin ();
    Job job = JOB_INIT;
    job.value = 30;
    EDDY_AUTO (EddyFuture) first = eddy_spawn (context, sync_in_fiber, &job, NULL);
    EddyFuture *second = eddy_spawn (context, let_go_on, &job, NULL);
    ck_assert_ptr_eq (eddy_block_on (context, first, NULL), &job);
    ck_assert_int_eq (job.answer.calls, 0);
    ck_assert (!job.sees_cancel);
    eddy_unref (second);
    run_all (context);
    eddy_test_context_end (context);
}

EDDY_TEST (T27_cancel_of_the_fiber_is_told_to_the_function)
{
    EddyContext *context = eddy_test_context_begin ();
    Job job = JOB_INIT;
    EDDY_AUTO (EddyFuture) fiber = eddy_spawn (context, sync_in_fiber, &job, NULL);
    while (!eddy_future_is_complete (fiber) && job.begun.count == 0) {
        eddy_context_iteration (context, false);
        gate_wait (&job.begun, 1);
    }
    eddy_future_cancel (fiber);
    run_all (context);
    ck_assert (!eddy_future_is_complete (fiber));
    gate_step (&job.go_on);
    ck_assert_ptr_eq (eddy_block_on (context, fiber, NULL), &job);
    ck_assert (job.sees_cancel);
    eddy_test_context_end (context);
}

/* --- which comes first ------------------------------------------------------------------------ */

EDDY_TEST_TIMEOUT (T28_more_urgent_jobs_first_equal_ones_as_they_came, 60)
{
    EddyContext *context = eddy_test_context_begin ();
    static Crowd crowd;
    static const int priorities[] = { EDDY_PRIORITY_LOW,  EDDY_PRIORITY_DEFAULT,
                                      EDDY_PRIORITY_HIGH, EDDY_PRIORITY_DEFAULT,
                                      INT32_MAX - 1,      EDDY_PRIORITY_LOW };
    Job jobs[6];
    crowd_begin (&crowd);
    for (int i = 0; i < 6; i++) {
        jobs[i] = (Job) JOB_INIT;
        jobs[i].letter = "LDHdXl"[i];
        EddyTask *task = job_task (&jobs[i]);
        eddy_task_set_priority (task, priorities[i]);
        eddy_task_run_in_thread (task, run_at_once);
        eddy_task_unref (task);
    }
    ck_assert_str_eq (ends, "");
    job_end (context, &crowd.jobs[0]); /* one thread is free, and runs them all */
    gate_wait (&jobs[4].begun, 1);
    ck_assert_str_eq (ends, "HDdLlX");
    gate_step (&crowd.jobs[0].go_on);
    for (int i = 1; i < THREADS; i++)
        job_end (context, &crowd.jobs[i]);
    for (int i = 0; i < 6; i++)
        while (jobs[i].answer.calls == 0)
            eddy_context_iteration (context, true);
    eddy_test_context_end (context);
}

typedef struct Starter {
    Job job;
    Job inner;
} Starter;

/* Held like the others; then it starts another job, of the least urgency. */
static void start_another (EddyTask *task, void *source_object, void *task_data,
                           EddyCancellable *cancellable)
{
    Starter *starter = task_data;
    run_until_told (task, source_object, &starter->job, cancellable);
    eddy_task_set_priority (starter->inner.answer.pointer, EDDY_PRIORITY_LOW);
    eddy_task_run_in_thread (starter->inner.answer.pointer, run_at_once);
}

EDDY_TEST_TIMEOUT (T28_jobs_started_on_a_worker_come_first, 60)
{
    EddyContext *context = eddy_test_context_begin ();
    static Crowd crowd;
    Starter starter = { .job = JOB_INIT, .inner = JOB_INIT };
    Job other = JOB_INIT;
    EddyTask *inner = job_task (&starter.inner);
    starter.inner.answer.pointer = inner;
    starter.inner.letter = 'i';
    other.letter = 'o';
    EddyTask *task = eddy_task_new (NULL, NULL, take_int, &starter.job.answer);
    eddy_task_set_task_data (task, &starter, NULL);
    eddy_task_run_in_thread (task, start_another);
    eddy_task_unref (task);
    gate_wait (&starter.job.begun, 1);
    for (int i = 1; i < THREADS; i++) {
        crowd.jobs[i] = (Job) JOB_INIT;
        job_launch (&crowd.jobs[i], run_until_told);
    }
    for (int i = 1; i < THREADS; i++)
        gate_wait (&crowd.jobs[i].begun, 1);
    task = job_task (&other);
    eddy_task_set_priority (task, EDDY_PRIORITY_HIGH);
    eddy_task_run_in_thread (task, run_at_once);
    eddy_task_unref (task);
    gate_step (&starter.job.go_on);
    gate_wait (&other.begun, 1);
    ck_assert_str_eq (ends, "io");
    for (int i = 1; i < THREADS; i++)
        job_end (context, &crowd.jobs[i]);
    while (other.answer.calls == 0 || starter.inner.answer.calls == 0)
        eddy_context_iteration (context, true);
    eddy_task_unref (inner);
    eddy_test_context_end (context);
}

/* --- blocked jobs ----------------------------------------------------------------------------- */

static int64_t now_ms (void)
{
    struct timespec time;
    clock_gettime (CLOCK_MONOTONIC, &time);
    return (int64_t) time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void run_behind_blocked (int n_blocked)
{
    EddyContext *context = eddy_test_context_begin ();
    static Job blocked[THREADS];
    Job quick = JOB_INIT;
    int64_t begun_ms = now_ms ();
    for (int i = 0; i < n_blocked; i++) {
        blocked[i] = (Job) JOB_INIT;
        job_launch (&blocked[i], run_until_told);
    }
    job_launch (&quick, run_at_once);
    run_until_called (context, &quick.answer);
    int64_t took_ms = now_ms () - begun_ms;
    ck_assert_msg (eddy_test_sanitized () || took_ms < 1000, "%d blocked jobs delayed it %ld ms",
                   n_blocked, (long) took_ms);
    for (int i = 0; i < n_blocked; i++)
        job_end (context, &blocked[i]);
    eddy_test_context_end (context);
}

EDDY_TEST (T29_11_blocked_jobs_do_not_delay_another)
{
    run_behind_blocked (11);
}

EDDY_TEST (T29_40_blocked_jobs_do_not_delay_another)
{
    run_behind_blocked (40);
}

typedef struct Chain {
    int depth;
    bool leave_behind;
} Chain;

/* Waits for another task like this one, and so on. */
static void wait_for_another (EddyTask *task, void *source_object, void *task_data,
                              EddyCancellable *cancellable)
{
    const Chain *chain = task_data;
    (void) source_object;
    (void) cancellable;
    if (chain->depth == 0) {
        eddy_task_return_int (task, 0);
        return;
    }
    Chain next = { chain->depth - 1, chain->leave_behind };
    EddyTask *inner = task_without_loop (&next);
    eddy_task_set_return_on_cancel (inner, chain->leave_behind);
    eddy_task_run_in_thread_sync (inner, wait_for_another);
    EDDY_AUTO (EddyFuture) future = eddy_task_get_future (inner);
    eddy_task_return_int (task, 1 + eddy_task_propagate_int (future, NULL));
    eddy_task_unref (inner);
}

/* More than there may be threads. */
EDDY_TEST (T30_jobs_that_wait_for_jobs_do_not_starve)
{
    Chain chain = { 100, false };
    EddyTask *task = task_without_loop (&chain);
    eddy_task_run_in_thread_sync (task, wait_for_another);
    expect_int (task, 100);
    eddy_task_unref (task);
}

/* Those that a cancel may leave behind need a thread each. */
EDDY_TEST (T30_and_neither_do_chains_of_threads)
{
    Chain chain = { 10, true };
    EddyTask *task = task_without_loop (&chain);
    eddy_task_run_in_thread_sync (task, wait_for_another);
    expect_int (task, 10);
    eddy_task_unref (task);
}
