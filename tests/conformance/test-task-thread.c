/* SPDX-License-Identifier: MIT */
/*
 * Tasks whose function runs on a worker: when they complete, in which order they start, what a
 * cancel does to them.
 */
#include "task.h"

#include <time.h>

#include <eddy/system.h>

/* --- functions for workers -------------------------------------------------------------------- */

typedef struct Job {
    Answer answer;
    Gate begun;
    Gate go_on;
    int64_t value;
    char letter; /* noted when it runs; 0: none */
    bool sees_cancel;
} Job;

#define JOB_INIT                                                                                   \
    {                                                                                              \
        .begun = GATE_INIT, .go_on = GATE_INIT                                                     \
    }

static void run_at_once (EddyTask *task, void *source_object, void *task_data,
                         EddyCancellable *cancellable)
{
    Job *job = task_data;
    (void) source_object;
    (void) cancellable;
    if (job->letter != 0)
        note_end (job->letter);
    gate_step (&job->begun);
    eddy_task_return_int (task, job->value);
}

static void run_until_told (EddyTask *task, void *source_object, void *task_data,
                            EddyCancellable *cancellable)
{
    Job *job = task_data;
    (void) source_object;
    eddy_task_return_int (task, job->value);
    gate_step (&job->begun);
    gate_wait (&job->go_on, 1);
    job->sees_cancel = eddy_cancellable_is_cancelled (cancellable);
}

static void run_without_returning (EddyTask *task, void *source_object, void *task_data,
                                   EddyCancellable *cancellable)
{
    (void) task;
    (void) source_object;
    (void) task_data;
    (void) cancellable;
}

static EddyTask *job_task (Job *job)
{
    EddyTask *task = eddy_task_new (NULL, NULL, take_int, &job->answer);
    eddy_task_set_task_data (task, job, NULL);
    return task;
}

static EddyTask *job_start (Job *job, EddyTaskThreadFunc function)
{
    EddyTask *task = job_task (job);
    eddy_task_run_in_thread (task, function);
    return task;
}

/* Starts a job and lets go of its task. */
static void job_launch (Job *job, EddyTaskThreadFunc function)
{
    eddy_task_unref (job_start (job, function));
}

static void job_end (EddyContext *context, Job *job)
{
    gate_step (&job->go_on);
    run_until_called (context, &job->answer);
}

/* Every thread that Eddy may have for its workers, held in a job of this test's. Then nothing else
 * begins before one of them is let go. */
enum { THREADS = 64 };

typedef struct Crowd {
    Job jobs[THREADS];
} Crowd;

static void crowd_begin (Crowd *crowd)
{
    for (int i = 0; i < THREADS; i++) {
        crowd->jobs[i] = (Job) JOB_INIT;
        job_launch (&crowd->jobs[i], run_until_told);
    }
    for (int i = 0; i < THREADS; i++)
        gate_wait (&crowd->jobs[i].begun, 1);
}

static void crowd_end (EddyContext *context, Crowd *crowd)
{
    for (int i = 0; i < THREADS; i++)
        job_end (context, &crowd->jobs[i]);
}

/* --- when they complete ----------------------------------------------------------------------- */

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
    EDDY_AUTO (EddyFuture) second = eddy_spawn (context, let_go_on, &job, NULL);
    ck_assert_ptr_eq (eddy_block_on (context, first, NULL), &job);
    ck_assert_int_eq (job.answer.calls, 0);
    ck_assert (!job.sees_cancel);
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
