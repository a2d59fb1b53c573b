/* SPDX-License-Identifier: MIT */
/*
 * contract-task batch|one N: N round trips of a task: it is made with a callback, returned, its
 * callback runs in the loop and takes the result, and it is freed. Prints nanoseconds each. A batch
 * queues 500 tasks and then dispatches them; otherwise each begins in the callback of the one
 * before. The peer is `gio-task`, which does the same in the same order. Both run in a process of
 * one thread, where GLib and Eddy alike could do without atomic instructions.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <eddy/eddy.h>

#include "bench-clock.h"

#define TASK_BATCH 500

typedef struct {
    EddyMainLoop *loop;
    int64_t begun;
    int64_t done;
    int64_t count;
    int64_t sum; /* of the numbers that were returned */
} TaskRun;

static void task_begin (TaskRun *run, EddyAsyncReadyCallback callback)
{
    EddyTask *task = eddy_task_new (NULL, NULL, callback, run);
    eddy_task_return_int (task, run->begun++);
    eddy_task_unref (task);
}

static void task_finish (TaskRun *run, EddyAsyncResult *result)
{
    run->sum += eddy_task_propagate_int (result, NULL);
    run->done++;
}

static void task_batched_done (void *source_object, EddyAsyncResult *result, void *user_data)
{
    (void) source_object;
    task_finish (user_data, result);
}

static void task_chained_done (void *source_object, EddyAsyncResult *result, void *user_data)
{
    (void) source_object;
    TaskRun *run = user_data;
    task_finish (run, result);
    if (run->done < run->count)
        task_begin (run, task_chained_done);
    else
        eddy_main_loop_quit (run->loop);
}

static void task_run_batch (TaskRun *run)
{
    while (run->done < run->count) {
        for (int i = 0; i < TASK_BATCH; i++)
            task_begin (run, task_batched_done);
        while (run->done < run->begun)
            eddy_context_iteration (NULL, true);
    }
}

static void task_run_one (TaskRun *run)
{
    run->loop = eddy_main_loop_new (NULL);
    task_begin (run, task_chained_done);
    eddy_main_loop_run (run->loop);
    eddy_unref (run->loop);
}

/* Whether each task returned its own number. */
static bool task_is_right (const TaskRun *run)
{
    return run->done == run->count && run->sum == run->count * (run->count - 1) / 2;
}

int main (int argc, char **argv)
{
    int64_t count = argc == 3 ? strtoll (argv[2], NULL, 10) : 0;
    if (count <= 0 || count % TASK_BATCH != 0) {
        fprintf (stderr, "usage: contract-task batch|one N (a multiple of %d)\n", TASK_BATCH);
        return 2;
    }
    void (*run) (TaskRun *) = strcmp (argv[1], "one") == 0 ? task_run_one : task_run_batch;
    TaskRun warm_up = { .count = (count / 10 / TASK_BATCH + 1) * TASK_BATCH };
    TaskRun timed = { .count = count };
    eddy_context_acquire (NULL); /* as a running loop has it */
    run (&warm_up);
    double begin_ns = bench_now_ns ();
    run (&timed);
    double elapsed_ns = bench_now_ns () - begin_ns;
    if (!task_is_right (&timed)) {
        fprintf (stderr, "contract-task: %" PRId64 " done of %" PRId64 ", their sum %" PRId64 "\n",
                 timed.done, count, timed.sum);
        return 1;
    }
    printf ("%.3f\n", elapsed_ns / (double) count);
    return 0;
}
