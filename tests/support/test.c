/* SPDX-License-Identifier: MIT */
/*
 * The runner: collects the tests, hands each to Check in turn, and says TAP.
 *
 * Check has no word for a skipped test and prints its TAP when a whole suite has run; so Check is
 * silent here, runs one test at a time, and its result is printed by us. What a child process has
 * to tell beyond passed and failed (a reason to skip, its directory, that it reached its end) goes
 * through a page shared with it.
 */
#include "test.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "leaks.h"
#include "report.h"

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#endif

#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__ ||                                 \
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define EDDY_TEST_IS_SANITIZED true
#else
#define EDDY_TEST_IS_SANITIZED false
#endif

/* Every test of the binary, and in the order of their lines. */
static EddyTest *registered;
static EddyTest **tests;
static int n_tests;

EddyTestReport *eddy_test_report;

bool eddy_test_sanitized (void)
{
    return EDDY_TEST_IS_SANITIZED || RUNNING_ON_VALGRIND;
}

long eddy_test_reduced (long full, long reduced, const char *what)
{
    char *text = eddy_test_report->reduced;
    size_t used = strlen (text);

    if (!eddy_test_sanitized ())
        return full;
    snprintf (text + used, sizeof eddy_test_report->reduced - used, "%s%s: %ld instead of %ld",
              used > 0 ? ", " : "", what, reduced, full);
    return reduced;
}

/* ---- Collecting ----------------------------------------------------------------------------- */

void eddy_test_register (EddyTest *test)
{
    test->next = registered;
    registered = test;
    n_tests++;
}

static int test_compare (const void *left, const void *right)
{
    const EddyTest *a = *(EddyTest *const *) left, *b = *(EddyTest *const *) right;
    int files = strcmp (a->file, b->file);

    return files != 0 ? files : a->line - b->line;
}

/* Constructors run in the linker's order, which is nobody's. */
static void test_collect (void)
{
    int i = 0;

    tests = calloc ((size_t) n_tests + 1, sizeof *tests);
    if (tests == NULL)
        abort ();
    for (EddyTest *test = registered; test != NULL; test = test->next)
        tests[i++] = test;
    qsort (tests, (size_t) n_tests, sizeof *tests, test_compare);
    for (i = 0; i < n_tests; i++)
        for (int j = 0; j < i; j++)
            if (strcmp (tests[i]->name, tests[j]->name) == 0) {
                fprintf (stderr, "Two tests are named %s\n", tests[i]->name);
                exit (2);
            }
}

/* ---- Running one, in its own process --------------------------------------------------------- */

static void test_body (int index)
{
    leaks_begin ();
    tests[index]->function ();
    leaks_end ();
    eddy_test_report->is_finished = true;
}

void eddy_test_skip (const char *reason)
{
    snprintf (eddy_test_report->skipped, sizeof eddy_test_report->skipped, "%s", reason);
    exit (EXIT_SUCCESS);
}

static int directory_remove_entry (const char *path, const struct stat *status, int type,
                                   struct FTW *walk)
{
    (void) status, (void) type, (void) walk;
    return remove (path);
}

static int directory_open_entry (const char *path, const struct stat *status, int type,
                                 struct FTW *walk)
{
    (void) status, (void) walk;
    return type == FTW_D || type == FTW_DNR ? chmod (path, 0700) : 0;
}

/* From outside, because a test that is killed cannot clean up. */
static void test_remove_directory (void)
{
    const char *path = eddy_test_report->directory;

    if (path[0] == '\0')
        return;
    /* Who is not root cannot empty a folder that a test has closed. */
    if (geteuid () != 0)
        nftw (path, directory_open_entry, 16, FTW_PHYS);
    if (nftw (path, directory_remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0)
        fprintf (stderr, "Could not remove %s\n", path);
}

/* ---- TAP ------------------------------------------------------------------------------------- */

/* The real stdout; fd 1 is stderr from then on, so that no test's output mixes with TAP. */
static FILE *tap;

static void tap_open (void)
{
    int fd = dup (STDOUT_FILENO);

    tap = fd >= 0 ? fdopen (fd, "w") : NULL;
    if (tap == NULL || dup2 (STDERR_FILENO, STDOUT_FILENO) < 0) {
        perror ("stdout");
        exit (2);
    }
}

/* A diagnostic may have several lines; each gets its mark. */
static void tap_diagnose (const char *text)
{
    while (*text != '\0') {
        int len = (int) strcspn (text, "\n");

        fprintf (tap, "# %.*s\n", len, text);
        text += len + (text[len] == '\n');
    }
}

static void tap_result (int number, const EddyTest *test, TestResult *result)
{
    const EddyTestReport *report = eddy_test_report;
    bool is_passed = tr_rtype (result) == CK_PASS;

    if (report->reduced[0] != '\0')
        fprintf (tap, "# reduced: %s\n", report->reduced);
    if (is_passed && report->skipped[0] != '\0')
        fprintf (tap, "ok %d - %s # SKIP %s\n", number, test->name, report->skipped);
    else if (is_passed && report->is_finished)
        fprintf (tap, "ok %d - %s\n", number, test->name);
    else
        fprintf (tap, "not ok %d - %s\n", number, test->name);
    if (!is_passed) {
        fprintf (tap, "# %s:%d: in or after this line:\n", tr_lfile (result), tr_lno (result));
        tap_diagnose (tr_msg (result));
    } else if (!report->is_finished && report->skipped[0] == '\0') {
        tap_diagnose ("the process exited with status 0 before the end of the test");
    }
    fflush (tap);
}

/* ---- The runner ------------------------------------------------------------------------------ */

static bool test_is_chosen (const EddyTest *test, int n_names, char **names)
{
    for (int i = 0; i < n_names; i++)
        if (strcmp (names[i], test->name) == 0)
            return true;
    return n_names == 0;
}

/* One suite with one test of it, so that each result can be told as soon as it is known. */
static bool test_run (int number, int index)
{
    const EddyTest *test = tests[index];
    const TTest check_test = { test->name, test_body, test->file, test->line };
    Suite *suite = suite_create ("eddy");
    TCase *group = tcase_create (test->name);
    SRunner *runner;
    TestResult **results;
    bool is_good;

    memset (eddy_test_report, 0, sizeof *eddy_test_report);
    tcase_set_timeout (group, test->timeout_seconds * (eddy_test_sanitized () ? 5.0 : 1.0));
    _tcase_add_test (group, &check_test, 0, 0, index, index + 1);
    suite_add_tcase (suite, group);
    runner = srunner_create (suite);
    srunner_run_all (runner, CK_SILENT);
    results = srunner_results (runner);
    tap_result (number, test, results[0]);
    is_good = tr_rtype (results[0]) == CK_PASS &&
              (eddy_test_report->is_finished || eddy_test_report->skipped[0] != '\0');
    free (results);
    srunner_free (runner);
    test_remove_directory ();
    return is_good;
}

static int test_run_chosen (int n_names, char **names)
{
    int n_chosen = 0, n_run = 0, n_failed = 0;

    for (int i = 0; i < n_tests; i++)
        n_chosen += test_is_chosen (tests[i], n_names, names);
    if (n_chosen < (n_names > 0 ? n_names : 1)) {
        fprintf (stderr, "No such test; --list prints their names\n");
        return 2;
    }
    tap_open ();
    fprintf (tap, "1..%d\n", n_chosen);
    fflush (tap);
    for (int i = 0; i < n_tests; i++)
        if (test_is_chosen (tests[i], n_names, names))
            n_failed += !test_run (++n_run, i);
    fclose (tap);
    return n_failed > 0;
}

int main (int argc, char **argv)
{
    test_collect ();
    if (argc == 2 && strcmp (argv[1], "--list") == 0) {
        for (int i = 0; i < n_tests; i++)
            puts (tests[i]->name);
        return 0;
    }
    if (argc > 1 && argv[1][0] == '-') {
        fprintf (stderr, "Usage: %s [--list | NAME...]\n", argv[0]);
        return 2;
    }
    eddy_test_report = mmap (NULL, sizeof *eddy_test_report, PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (eddy_test_report == MAP_FAILED)
        return 2;
    leaks_register ();
    return test_run_chosen (argc - 1, argv + 1);
}
