/* SPDX-License-Identifier: MIT */
/*
 * One run of one case in a process, and what it reports. For tests/torture only.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>

#include "fault.h"
#include "torture.h"

typedef struct TortureReport {
    bool is_finished;
    bool has_failed; /* told an error or a refusal, or a test's assertion failed */
    bool uses_directory;
    unsigned counts[TORTURE_KINDS];
    unsigned hits;
    char hit[64];
    char first_failure[160]; /* what was told first */
    char complaint[1024];    /* why the run is wrong; empty: it is not */
    char directory[PATH_MAX / 4];
} TortureReport;

extern TortureReport *torture_report;
/* In this very process, for a debugger: what is wrong stops it there. */
extern bool torture_in_debugger;

/* Runs a case under a fault and judges it; does not return when it was wrong. */
void torture_run (const TortureCase *scenario, const TortureFault *fault);
/* Ends the run in the middle: a test of the suite that is skipped, or whose assertion failed. */
_Noreturn void torture_leave (bool has_failed);
