/* SPDX-License-Identifier: MIT */
/*
 * Eddy's tests: Check (libcheck), with a thin layer above it.
 *
 *   EDDY_TEST (list_keeps_its_order)
 *   {
 *       ck_assert_int_eq (…, …);
 *   }
 *
 * A test registers itself; the binary needs nothing else, main is here. Each test runs in a process
 * of its own (CK_FORK=no runs them in one, for a debugger) under a watchdog, and fails when it ends
 * with more open fds than it began with, or more of anything else that has a counter.
 *
 *   test-ROOM             runs all, TAP on stdout; what tests print goes to stderr
 *   test-ROOM NAME…       runs these
 *   test-ROOM --list      prints the names
 */
#pragma once

#include <check.h>
#include <stdbool.h>

/* ---- Writing tests -------------------------------------------------------------------------- */

/* `EDDY_TEST (name) { … }`: stopped after 20 s, five times that under sanitizers or valgrind. */
#define EDDY_TEST(name) EDDY_TEST_TIMEOUT (name, 20)

#define EDDY_TEST_TIMEOUT(name, seconds)                                                           \
    static void eddy_test_##name (void);                                                           \
    __attribute__ ((constructor)) static void eddy_test_register_##name (void)                     \
    {                                                                                              \
        static EddyTest test = { #name, __FILE__, __LINE__, seconds, eddy_test_##name, NULL };     \
        eddy_test_register (&test);                                                                \
    }                                                                                              \
    static void eddy_test_##name (void)

/* Ends the test here, as neither passed nor failed: `ok … # SKIP reason` in TAP. Not for tests that
   could be made to run. */
#define EDDY_TEST_SKIP(reason) eddy_test_skip (reason)

/* Under a sanitizer, or valgrind: slower, so that counts may shrink. */
bool eddy_test_sanitized (void);
/* How often to do something: `full`, or `reduced` under a sanitizer, which is then reported. */
long eddy_test_reduced (long full, long reduced, const char *what);

/* A directory of this test's own, made at the first call under $TMPDIR or /tmp, and removed after
   the test however it ends. */
const char *eddy_test_directory (void);
/* The path of `name` in it, in a ring of eight buffers. */
const char *eddy_test_path (const char *name);

/* How many names a folder has, hidden ones too. */
int eddy_test_count_names (const char *path);

/* Runs the function in a child process without root's powers (uid, gid 65534, no groups) and waits
   for it; its failed assertions are the test's. The test directory is given to that user. Without
   root to drop it runs as who we are. */
void eddy_test_run_as_nobody (void (*function) (void *data), void *data);

/* ---- What a test must not leave behind ------------------------------------------------------ */

/* `function` tells how many of `name` live now; a test that ends with more than it began with
   fails. */
void eddy_test_add_counter (const char *name, long (*function) (void));
/* Runs after each test, before its counters are read: ends what may live on (idle threads, default
   contexts), so that only leaks are counted. */
void eddy_test_add_settle (void (*function) (void));

/* Weak: what defines it (counters.c of a room) adds its counters and settles there; runs once. */
void eddy_test_register_counters (void) __attribute__ ((weak));

/* ---- For the macros -------------------------------------------------------------------------- */

typedef struct EddyTest EddyTest;
struct EddyTest {
    const char *name;
    const char *file;
    int line;
    int timeout_seconds;
    void (*function) (void);
    EddyTest *next;
};

void eddy_test_register (EddyTest *test);
void eddy_test_skip (const char *reason) __attribute__ ((noreturn));
