/* SPDX-License-Identifier: MIT */
/*
 * Tests that end in every way a test can; check-runner.py reads what the runner says of them.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

static long n_things;
static long n_settled;

static long things_count (void)
{
    return n_things;
}

static void things_settle (void)
{
    n_things -= n_settled;
}

void eddy_test_register_counters (void)
{
    eddy_test_add_counter ("things", things_count);
    eddy_test_add_settle (things_settle);
}

EDDY_TEST (passes)
{
    printf ("not TAP: this line belongs to stderr\n");
    ck_assert_int_eq (n_things, 0);
}

EDDY_TEST (fails)
{
    ck_assert_int_eq (1 + 1, 3);
}

EDDY_TEST (skips)
{
    eddy_test_path ("nothing");
    EDDY_TEST_SKIP ("no such thing here");
}

EDDY_TEST (leaves_an_fd)
{
    ck_assert_int_ge (open ("/dev/null", O_RDONLY), 0);
}

EDDY_TEST (leaves_things)
{
    n_things += 2;
    ck_assert_int_eq (n_things, 2);
}

EDDY_TEST (leaves_things_that_settle)
{
    n_things = n_settled = 5;
    ck_assert_int_eq (n_things, 5);
}

EDDY_TEST (exits_early)
{
    exit (EXIT_SUCCESS);
}

EDDY_TEST (crashes)
{
    abort ();
}

EDDY_TEST_TIMEOUT (hangs, 1)
{
    for (;;)
        pause ();
}

/* Its directory is removed from outside, with everything in it. */
EDDY_TEST (dies_with_a_directory)
{
    ck_assert_int_eq (mkdir (eddy_test_path ("a"), 0700), 0);
    ck_assert_int_eq (mkdir (eddy_test_path ("a/b"), 0700), 0);
    ck_assert_int_eq (chmod (eddy_test_path ("a"), 0), 0);
    abort ();
}

static void nobody_check (void *data)
{
    ck_assert_str_eq (data, "data");
    ck_assert_uint_ne (geteuid (), 0);
    ck_assert_int_eq (mkdir (eddy_test_path ("mine"), 0700), 0);
}

EDDY_TEST (nobody_passes)
{
    eddy_test_run_as_nobody (nobody_check, (void *) "data");
    ck_assert_int_eq (access (eddy_test_path ("mine"), F_OK), 0);
}

static void nobody_fail (void *data)
{
    ck_assert_str_eq (data, "other data");
}

EDDY_TEST (nobody_fails)
{
    eddy_test_run_as_nobody (nobody_fail, (void *) "data");
}

static void nobody_crash (void *data)
{
    (void) data;
    abort ();
}

EDDY_TEST (nobody_crashes)
{
    eddy_test_run_as_nobody (nobody_crash, NULL);
}
