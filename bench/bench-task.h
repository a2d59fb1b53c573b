/* SPDX-License-Identifier: MIT */
/*
 * What measuring a task's round trip has in common for Eddy and its peer: the counts, the warm-up,
 * the clock and the check. Each brings the two ways of running.
 */
#pragma once

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench-clock.h"

#define TASK_BATCH 500

typedef struct {
    void *loop; /* the main loop, of whichever library */
    int64_t begun;
    int64_t done;
    int64_t count;
    int64_t sum; /* of the numbers that were returned */
} TaskRun;

/* Whether each task returned its own number. */
static inline bool task_is_right (const TaskRun *run)
{
    return run->done == run->count && run->sum == run->count * (run->count - 1) / 2;
}

static inline int task_main (int argc, char **argv, const char *name, void (*run_one) (TaskRun *),
                             void (*run_batch) (TaskRun *))
{
    int64_t count = argc == 3 ? strtoll (argv[2], NULL, 10) : 0;
    if (count <= 0 || count % TASK_BATCH != 0) {
        fprintf (stderr, "usage: %s batch|one N (a multiple of %d)\n", name, TASK_BATCH);
        return 2;
    }
    void (*run) (TaskRun *) = strcmp (argv[1], "one") == 0 ? run_one : run_batch;
    TaskRun warm_up = { .count = (count / 10 / TASK_BATCH + 1) * TASK_BATCH };
    TaskRun timed = { .count = count };
    run (&warm_up);
    double begin_ns = bench_now_ns ();
    run (&timed);
    double elapsed_ns = bench_now_ns () - begin_ns;
    if (!task_is_right (&timed)) {
        fprintf (stderr, "%s: %" PRId64 " done of %" PRId64 ", their sum %" PRId64 "\n", name,
                 timed.done, count, timed.sum);
        return 1;
    }
    printf ("%.3f\n", elapsed_ns / (double) count);
    return 0;
}
