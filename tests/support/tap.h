/* SPDX-License-Identifier: MIT */
/*
 * TAP for tests that run where the Check library is not: cross-compiled, under an emulator. One
 * program is one list of checks, run in order in one process; what may crash runs in a child of the
 * test's own.
 *
 *     tap_ok (length == 3, "length %zu, expected 3", length);
 *     tap_skip ("what", "why it cannot run here");
 *     return tap_end ();
 *
 * The text of a check names what is checked and its values, and is printed also when it holds.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int tap_n_checks;
static int tap_n_failed;

/* Returns CONDITION, for the checks that make no sense after a failure. */
__attribute__ ((format (printf, 4, 5))) static inline bool tap_check (bool condition,
                                                                      const char *file, int line,
                                                                      const char *format, ...)
{
    va_list arguments;

    tap_n_checks++;
    printf ("%s %d - ", condition ? "ok" : "not ok", tap_n_checks);
    va_start (arguments, format);
    vprintf (format, arguments);
    va_end (arguments);
    printf ("\n");
    if (!condition) {
        tap_n_failed++;
        printf ("# failed at %s:%d\n", file, line);
    }
    fflush (stdout);
    return condition;
}

#define tap_ok(condition, ...) tap_check ((condition), __FILE__, __LINE__, __VA_ARGS__)

/* A check that cannot be made here; it counts as skipped, with its reason. */
static inline void tap_skip (const char *what, const char *reason)
{
    tap_n_checks++;
    printf ("ok %d - %s # SKIP %s\n", tap_n_checks, what, reason);
    fflush (stdout);
}

/* A test that hangs is a failure, and is ended: alarm's signal kills the program. */
static inline void tap_begin (unsigned int seconds_at_most)
{
    alarm (seconds_at_most);
}

/* Prints the plan; what main() returns. */
static inline int tap_end (void)
{
    printf ("1..%d\n", tap_n_checks);
    fflush (stdout);
    return tap_n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
