/* SPDX-License-Identifier: MIT */
/*
 * What a test's process tells the runner: memory that both share. For tests/support only.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>

typedef struct EddyTestReport {
    bool is_finished; /* the body and the leak check came to their end */
    char skipped[256];
    char reduced[256];
    char directory[PATH_MAX];
} EddyTestReport;

extern EddyTestReport *eddy_test_report;
