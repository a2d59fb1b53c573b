/* SPDX-License-Identifier: MIT */
/* What the programs of bench/ that start programs have in common: the program, how many at once,
 * and the clock around it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench-clock.h"

#define SPAWN_PROGRAM "/bin/true"
#define SPAWN_AT_ONCE 64

/* Starts and awaits so many, so many at once; false when one could not be started, or failed. */
typedef bool (*BenchSpawn) (uint64_t count, unsigned at_once);

/* Measures `one|batch N`; prints nanoseconds for each program. A tenth is run before: what is read
 * from the disk is cached, and threads that will be needed are there. Returns an exit status. */
static inline int bench_spawn_measure (const char *name, int argc, char **argv, BenchSpawn spawn)
{
    uint64_t count = argc == 3 ? strtoull (argv[2], NULL, 10) : 0;
    bool one = argc == 3 && strcmp (argv[1], "one") == 0;
    if (count == 0 || count % SPAWN_AT_ONCE != 0 || (!one && strcmp (argv[1], "batch") != 0)) {
        fprintf (stderr, "usage: %s one|batch N (a multiple of %d)\n", name, SPAWN_AT_ONCE);
        return 2;
    }
    unsigned at_once = one ? 1 : SPAWN_AT_ONCE;
    uint64_t first = (count / (10 * (uint64_t) SPAWN_AT_ONCE) + 1) * SPAWN_AT_ONCE;
    bool right = spawn (first, at_once);
    double begin_ns = bench_now_ns ();
    right = right && spawn (count, at_once);
    double elapsed_ns = bench_now_ns () - begin_ns;
    if (right)
        printf ("%.1f\n", elapsed_ns / (double) count);
    else
        fprintf (stderr, "%s: not every program was started and ended well\n", name);
    return right ? 0 : 1;
}
