/* SPDX-License-Identifier: MIT */
/*
 * contract-task batch|one N: N round trips of a task: it is made with a callback, returned, its
 * callback runs in the loop and takes the result, and it is freed. Prints nanoseconds each. A batch
 * queues 500 tasks and then dispatches them; otherwise each begins in the callback of the one
 * before. The peer is `gio-task`, which does the same in the same order. Both run in a process of
 * one thread, where GLib and Eddy alike could do without atomic instructions.
 */
#include <eddy/eddy.h>

#include "bench-task.h"

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

int main (int argc, char **argv)
{
    eddy_context_acquire (NULL); /* as a running loop has it */
    return task_main (argc, argv, "contract-task", task_run_one, task_run_batch);
}
