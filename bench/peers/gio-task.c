/* SPDX-License-Identifier: MIT */
/*
 * gio-task batch|one N: what contract-task does, with GTask.
 *
 * Why it is the fair way: no source object, no cancellable, no name and no source tag, each of
 * which costs GTask more; the loop is the default context, which needs no look-up. A task that is
 * returned in the iteration in which it was made completes by an idle source; so it goes for every
 * function that has its answer at once.
 */
#include <gio/gio.h>

#include "bench-task.h"

static void task_begin (TaskRun *run, GAsyncReadyCallback callback)
{
    GTask *task = g_task_new (NULL, NULL, callback, run);
    g_task_return_int (task, run->begun++);
    g_object_unref (task);
}

static void task_finish (TaskRun *run, GAsyncResult *result)
{
    run->sum += g_task_propagate_int (G_TASK (result), NULL);
    run->done++;
}

static void task_batched_done (GObject *source_object, GAsyncResult *result, gpointer user_data)
{
    (void) source_object;
    task_finish (user_data, result);
}

static void task_chained_done (GObject *source_object, GAsyncResult *result, gpointer user_data)
{
    (void) source_object;
    TaskRun *run = user_data;
    task_finish (run, result);
    if (run->done < run->count)
        task_begin (run, task_chained_done);
    else
        g_main_loop_quit (run->loop);
}

static void task_run_batch (TaskRun *run)
{
    while (run->done < run->count) {
        for (int i = 0; i < TASK_BATCH; i++)
            task_begin (run, task_batched_done);
        while (run->done < run->begun)
            g_main_context_iteration (NULL, TRUE);
    }
}

static void task_run_one (TaskRun *run)
{
    run->loop = g_main_loop_new (NULL, FALSE);
    task_begin (run, task_chained_done);
    g_main_loop_run (run->loop);
    g_main_loop_unref (run->loop);
}

int main (int argc, char **argv)
{
    g_main_context_acquire (NULL); /* as a running loop has it */
    return task_main (argc, argv, "gio-task", task_run_one, task_run_batch);
}
