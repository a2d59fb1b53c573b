/* SPDX-License-Identifier: MIT */
/*
 * spine-yield N: two fibers that yield to each other, N switches in all; prints nanoseconds each.
 * The limit beside it is `bare-fiber yield`, which does the same in the same order.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <eddy/eddy.h>

#include "bench-clock.h"

typedef struct {
    uint64_t count;
    uint64_t done;
} Yielder;

static void *yielder_run (void *data, EddyError **error)
{
    (void) error;
    Yielder *yielder = data;
    for (; yielder->done < yielder->count; yielder->done++)
        eddy_fiber_yield ();
    return yielder;
}

/* Runs both to their end; false when one failed or did not do its share. */
static bool yield_pair (uint64_t count)
{
    Yielder first = { .count = count / 2 }, second = { .count = count - count / 2 };
    EDDY_AUTO (EddyFuture) one = eddy_spawn_local (yielder_run, &first, NULL);
    EDDY_AUTO (EddyFuture) other = eddy_spawn_local (yielder_run, &second, NULL);
    bool ended = eddy_await (one, NULL) == &first;
    ended = eddy_await (other, NULL) == &second && ended;
    return ended && first.done + second.done == count;
}

static int yield_main (int argc, char **argv)
{
    uint64_t count = argc == 2 ? strtoull (argv[1], NULL, 10) : 0;
    if (count < 10) {
        fputs ("usage: spine-yield N\n", stderr);
        return 2;
    }
    /* A tenth first, so that stacks are warm. */
    if (!yield_pair (count / 10))
        return 1;
    double begin_ns = bench_now_ns ();
    if (!yield_pair (count))
        return 1;
    printf ("%.3f\n", (bench_now_ns () - begin_ns) / (double) count);
    return 0;
}

int main (int argc, char **argv)
{
    return eddy_run (yield_main, argc, argv);
}
