/* SPDX-License-Identifier: MIT */
/*
 * What the tests of tasks in threads share: functions for workers, held until a test lets them go.
 */
#pragma once

#include "task.h"

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

static inline void run_at_once (EddyTask *task, void *source_object, void *task_data,
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

static inline void run_until_told (EddyTask *task, void *source_object, void *task_data,
                                   EddyCancellable *cancellable)
{
    Job *job = task_data;
    (void) source_object;
    eddy_task_return_int (task, job->value);
    gate_step (&job->begun);
    gate_wait (&job->go_on, 1);
    job->sees_cancel = eddy_cancellable_is_cancelled (cancellable);
}

static inline EddyTask *job_task (Job *job)
{
    EddyTask *task = eddy_task_new (NULL, NULL, take_int, &job->answer);
    eddy_task_set_task_data (task, job, NULL);
    return task;
}

static inline EddyTask *job_start (Job *job, EddyTaskThreadFunc function)
{
    EddyTask *task = job_task (job);
    eddy_task_run_in_thread (task, function);
    return task;
}

/* Starts a job and lets go of its task. */
static inline void job_launch (Job *job, EddyTaskThreadFunc function)
{
    eddy_task_unref (job_start (job, function));
}

static inline void job_end (EddyContext *context, Job *job)
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

static inline void crowd_begin (Crowd *crowd)
{
    for (int i = 0; i < THREADS; i++) {
        crowd->jobs[i] = (Job) JOB_INIT;
        job_launch (&crowd->jobs[i], run_until_told);
    }
    for (int i = 0; i < THREADS; i++)
        gate_wait (&crowd->jobs[i].begun, 1);
}

static inline void crowd_end (EddyContext *context, Crowd *crowd)
{
    for (int i = 0; i < THREADS; i++)
        job_end (context, &crowd->jobs[i]);
}
