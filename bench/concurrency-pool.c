/* SPDX-License-Identifier: MIT */
/*
 * concurrency-pool N: N fibers on a pool with a thread for each processor, 500 at a time, each
 * joined and its result taken; prints nanoseconds each. Peers: `uv-work`, which has a pool of
 * threads for functions, and `go-concurrency spawn-batch` with all processors.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <eddy/eddy.h>

#include "bench-clock.h"

#define POOL_BATCH 500

static void *pool_increment (void *data, EddyError **error)
{
    (void) error;
    return (void *) ((uintptr_t) data + 1);
}

/* Returns what all came to. */
static uint64_t pool_run (EddyPool *pool, uint64_t count)
{
    EddyFuture *fibers[POOL_BATCH];
    uint64_t sum = 0;
    for (uint64_t i = 0; i < count; i += POOL_BATCH) {
        for (uintptr_t j = 0; j < POOL_BATCH; j++)
            fibers[j] = eddy_pool_spawn (pool, pool_increment, (void *) j, NULL);
        for (int j = 0; j < POOL_BATCH; j++) {
            sum += (uintptr_t) eddy_await (fibers[j], NULL);
            eddy_unref (fibers[j]);
        }
    }
    return sum;
}

static int pool_main (int argc, char **argv)
{
    uint64_t count = argc == 2 ? strtoull (argv[1], NULL, 10) : 0;
    if (count == 0 || count % POOL_BATCH != 0) {
        fprintf (stderr, "usage: concurrency-pool N (a multiple of %d)\n", POOL_BATCH);
        return 2;
    }
    EDDY_AUTO (EddyPool) pool = eddy_pool_new (0, NULL);
    if (!pool)
        return 1;
    /* A tenth first, so that stacks are warm. */
    pool_run (pool, (count / 10 / POOL_BATCH + 1) * POOL_BATCH);
    double begin_ns = bench_now_ns ();
    uint64_t sum = pool_run (pool, count);
    double elapsed_ns = bench_now_ns () - begin_ns;
    if (!eddy_pool_close (pool, NULL, NULL) ||
        sum != count / POOL_BATCH * (POOL_BATCH * (POOL_BATCH + 1) / 2)) {
        fputs ("concurrency-pool: not every fiber ran once\n", stderr);
        return 1;
    }
    printf ("%.3f\n", elapsed_ns / (double) count);
    return 0;
}

int main (int argc, char **argv)
{
    return eddy_run (pool_main, argc, argv);
}
