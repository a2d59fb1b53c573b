/* SPDX-License-Identifier: MIT */
/*
 * The tests of the suite as cases: linked in place of tests/support/test.c and of libcheck, of
 * which the tests' objects need these few functions.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "run.h"
#include "test.h"

enum { SUITE_TIMEOUT_SECONDS = 3 };

static EddyTestReport test_report;
EddyTestReport *eddy_test_report = &test_report;

void eddy_test_register (EddyTest *test)
{
    TortureCase *scenario = calloc (1, sizeof *scenario);
    if (scenario == NULL)
        abort ();
    scenario->name = test->name;
    scenario->run = test->function;
    scenario->timeout_seconds = SUITE_TIMEOUT_SECONDS;
    torture_register (scenario);
}

void eddy_test_skip (const char *reason)
{
    fprintf (stderr, "skipped: %s\n", reason);
    torture_leave (/* has_failed= */ false);
}

/* Counts may shrink, for each test is run many times. */
bool eddy_test_sanitized (void)
{
    return true;
}

long eddy_test_reduced (long full, long reduced, const char *what)
{
    (void) full, (void) what;
    return reduced;
}

/* What a test leaves behind when it fails in the middle is no leak. */
void eddy_test_add_counter (const char *name, long (*function) (void))
{
    (void) name, (void) function;
}

void eddy_test_add_settle (void (*function) (void))
{
    (void) function;
}

/* ---- Of libcheck ----------------------------------------------------------------------------- */

void _mark_point (const char *file, int line)
{
    (void) file, (void) line;
}

/* A failed assertion: the test has noticed the fault, which is what it is for. */
void _ck_assert_failed (const char *file, int line, const char *expression, const char *message,
                        ...)
{
    (void) message;
    snprintf (torture_report->first_failure, sizeof torture_report->first_failure, "%s:%d: %s",
              file, line, expression);
    torture_leave (/* has_failed= */ true);
}
