/* SPDX-License-Identifier: MIT */
/*
 * spine-spawn one|batch N: spawns fibers and joins them, one at a time or a hundred at once;
 * prints nanoseconds each. The limit beside it is `bare-fiber spawn-one` and `spawn-batch`. Both
 * run in a process of one thread; where there are more, Eddy's costs one atomic exchange more.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <eddy/eddy.h>

#include "bench-clock.h"

#define SPAWN_BATCH 100

/* Returns what it was given plus one, so that the sum of all tells that each ran. */
static void *spawn_increment (void *data, EddyError **error)
{
    (void) error;
    return (void *) ((uintptr_t) data + 1);
}

static uint64_t spawn_one (uint64_t count)
{
    void *value = NULL;
    for (uint64_t i = 0; i < count; i++) {
        EddyFuture *fiber = eddy_spawn_local (spawn_increment, value, NULL);
        value = eddy_await (fiber, NULL);
        eddy_unref (fiber);
    }
    return (uintptr_t) value;
}

static uint64_t spawn_batch (uint64_t count)
{
    EddyFuture *fibers[SPAWN_BATCH];
    uint64_t value = 0;
    for (uint64_t i = 0; i < count; i += SPAWN_BATCH) {
        for (int j = 0; j < SPAWN_BATCH; j++)
            fibers[j] = eddy_spawn_local (spawn_increment, NULL, NULL);
        for (int j = 0; j < SPAWN_BATCH; j++) {
            value += (uintptr_t) eddy_await (fibers[j], NULL);
            eddy_unref (fibers[j]);
        }
    }
    return value;
}

static int spawn_main (int argc, char **argv)
{
    uint64_t count = argc == 3 ? strtoull (argv[2], NULL, 10) : 0;
    if (count == 0 || count % SPAWN_BATCH != 0) {
        fprintf (stderr, "usage: spine-spawn one|batch N (a multiple of %d)\n", SPAWN_BATCH);
        return 2;
    }
    uint64_t (*run) (uint64_t) = strcmp (argv[1], "one") == 0 ? spawn_one : spawn_batch;
    /* A tenth first, so that stacks are warm. */
    run ((count / 1000 + 1) * SPAWN_BATCH);
    double begin_ns = bench_now_ns ();
    uint64_t done = run (count);
    double elapsed_ns = bench_now_ns () - begin_ns;
    if (done != count) {
        fprintf (stderr, "spine-spawn: %" PRIu64 " ran, not %" PRIu64 "\n", done, count);
        return 1;
    }
    printf ("%.3f\n", elapsed_ns / (double) count);
    return 0;
}

int main (int argc, char **argv)
{
    return eddy_run (spawn_main, argc, argv);
}
