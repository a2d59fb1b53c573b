/* SPDX-License-Identifier: MIT */
/*
 * What lives before and after a test: open fds always, and whatever else adds a counter.
 * Calls libc, not sys/: the faults that a test set may still stand.
 */
#include "leaks.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

enum { LEAKS_MAX_COUNTERS = 32, LEAKS_MAX_FDS = 1024, LEAKS_SETTLE_MS = 2000 };

static struct {
    const char *name;
    long (*function) (void);
    long before;
} counters[LEAKS_MAX_COUNTERS];
static int n_counters;

static void (*settles[LEAKS_MAX_COUNTERS]) (void);
static int n_settles;

/* Which fds were open when the test began: a leak is named by what it points to. */
static bool fds_before[LEAKS_MAX_FDS];

/* In the runner, where Check takes no assertion. */
static void leaks_check_room (int count)
{
    if (count < LEAKS_MAX_COUNTERS)
        return;
    fprintf (stderr, "More than %d counters\n", LEAKS_MAX_COUNTERS);
    abort ();
}

void eddy_test_add_counter (const char *name, long (*function) (void))
{
    leaks_check_room (n_counters);
    counters[n_counters].name = name;
    counters[n_counters++].function = function;
}

void eddy_test_add_settle (void (*function) (void))
{
    leaks_check_room (n_settles);
    settles[n_settles++] = function;
}

/* ---- Open fds -------------------------------------------------------------------------------- */

/* Calls `each` for every open fd but its own; returns how many there are. */
static long fds_walk (void (*each) (int fd))
{
    DIR *directory = opendir ("/proc/self/fd");
    struct dirent *entry;
    long count = 0;

    ck_assert_msg (directory != NULL, "/proc/self/fd cannot be read");
    while ((entry = readdir (directory)) != NULL) {
        int fd = (int) strtol (entry->d_name, NULL, 10);

        if (entry->d_name[0] == '.' || fd == dirfd (directory))
            continue;
        count++;
        if (each != NULL)
            each (fd);
    }
    closedir (directory);
    return count;
}

static void fds_remember (int fd)
{
    if (fd < LEAKS_MAX_FDS)
        fds_before[fd] = true;
}

static void fds_print_new (int fd)
{
    char link[64], target[256];
    ssize_t len;

    if (fd < LEAKS_MAX_FDS && fds_before[fd])
        return;
    snprintf (link, sizeof link, "/proc/self/fd/%d", fd);
    len = readlink (link, target, sizeof target - 1);
    fprintf (stderr, "left open: fd %d -> %.*s\n", fd, len > 0 ? (int) len : 0, target);
}

static long fds_count (void)
{
    return fds_walk (NULL);
}

/* ---- Around a test --------------------------------------------------------------------------- */

void leaks_register (void)
{
    eddy_test_add_counter ("fds", fds_count);
    if (eddy_test_register_counters != NULL)
        eddy_test_register_counters ();
}

void leaks_begin (void)
{
    memset (fds_before, 0, sizeof fds_before);
    fds_walk (fds_remember);
    for (int i = 0; i < n_counters; i++)
        counters[i].before = counters[i].function ();
}

static bool leaks_are_none (void)
{
    for (int i = 0; i < n_counters; i++)
        if (counters[i].function () > counters[i].before)
            return false;
    return true;
}

/* What another thread was the last to hold goes a moment after the test's own end: a leak stays. */
static void leaks_settle (void)
{
    const struct timespec moment = { 0, 1000000 };

    for (int i = 0; i < n_settles; i++)
        settles[i]();
    for (int i = 0; i < LEAKS_SETTLE_MS && !leaks_are_none (); i++)
        nanosleep (&moment, NULL);
}

void leaks_end (void)
{
    char text[512] = "";
    size_t used = 0;

    leaks_settle ();
    for (int i = 0; i < n_counters; i++) {
        long after = counters[i].function ();

        if (after <= counters[i].before || used >= sizeof text)
            continue;
        used +=
            (size_t) snprintf (text + used, sizeof text - used, "%s %s: %ld -> %ld",
                               used > 0 ? "," : "", counters[i].name, counters[i].before, after);
    }
    if (used == 0)
        return;
    fds_walk (fds_print_new);
    ck_abort_msg ("the test left behind%s", text);
}
