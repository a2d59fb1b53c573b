/* SPDX-License-Identifier: MIT */
/*
 * The fork server: counts what can fail in a case, then forks once for each fault.
 * For tests/torture only.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "torture.h"

typedef struct TortureOptions {
    unsigned jobs;   /* processes at once */
    unsigned sample; /* runs for each case; 0: every one */
    unsigned limit;  /* of runs for one kind and mode of a test of the suite; 0: none */
    uint64_t seed;   /* chooses the sample */
    bool shows_each; /* a line for each run */
} TortureOptions;

typedef struct TortureTotals {
    unsigned points; /* calls that could fail */
    unsigned runs;
    unsigned failed; /* runs that were wrong */
} TortureTotals;

/* Once. False when processes cannot share what they need to. */
bool torture_server_open (const TortureOptions *options);
/* All of a case; tells what is wrong on stdout. */
void torture_server_run (const TortureCase *scenario, TortureTotals *totals);
void torture_server_close (void);
