/* SPDX-License-Identifier: MIT */
/*
 * contract-worker N: N round trips of an empty blocking function through the workers, queued 500 at
 * a time and then waited for; prints nanoseconds each. The peer is `uv-work`.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <eddy/eddy.h>

#include "bench-clock.h"

#define WORK_BATCH 500

/* Returns what it was given plus one, so that the sum of all tells that each ran. */
static void *work_increment (void *data, EddyCancellable *cancellable, EddyError **error)
{
    (void) cancellable;
    (void) error;
    return (void *) ((uintptr_t) data + 1);
}

typedef struct {
    uint64_t done;
    uint64_t sum;
} WorkRun;

static void work_done (void *source_object, EddyAsyncResult *result, void *user_data)
{
    (void) source_object;
    WorkRun *run = user_data;
    run->sum += (uintptr_t) eddy_run_blocking_finish (result, NULL);
    run->done++;
}

/* Whether each of them ran and came back. */
static bool work_run (uint64_t count)
{
    WorkRun run = { 0, 0 };
    while (run.done < count) {
        for (uint64_t i = 0; i < WORK_BATCH; i++)
            eddy_run_blocking_async (work_increment, (void *) (uintptr_t) i, NULL,
                                     EDDY_PRIORITY_DEFAULT, NULL, work_done, &run);
        uint64_t wanted = run.done + WORK_BATCH;
        while (run.done < wanted)
            eddy_context_iteration (NULL, true);
    }
    return run.done == count && run.sum == count / WORK_BATCH * (WORK_BATCH * (WORK_BATCH + 1) / 2);
}

int main (int argc, char **argv)
{
    uint64_t count = argc == 2 ? strtoull (argv[1], NULL, 10) : 0;
    if (count == 0 || count % WORK_BATCH != 0) {
        fprintf (stderr, "usage: contract-worker N (a multiple of %d)\n", WORK_BATCH);
        return 2;
    }
    eddy_context_acquire (NULL); /* as a running loop has it */
    bool right = work_run ((count / 10 / WORK_BATCH + 1) * WORK_BATCH);
    double begin_ns = bench_now_ns ();
    right = work_run (count) && right;
    double elapsed_ns = bench_now_ns () - begin_ns;
    if (!right) {
        fputs ("contract-worker: not every function ran once\n", stderr);
        return 1;
    }
    printf ("%.3f\n", elapsed_ns / (double) count);
    return 0;
}
