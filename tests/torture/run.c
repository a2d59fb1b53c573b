/* SPDX-License-Identifier: MIT */
/*
 * One run: the case on a thread of its own, then what it has left behind.
 */
#include "run.h"

#include <dirent.h>
#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "memory.h"

enum { SETTLE_ROUNDS = 400, SETTLE_NS = 2500000, STOOD_FRAMES = 32, STOOD_FIRST_PAGE = 4096 };

/* By the linker: where the program begins, and its code ends. */
extern const char __executable_start, etext;

TortureReport *torture_report;
bool torture_in_debugger;

static const TortureCase *current;

/* ---- Wrong --------------------------------------------------------------------------------- */

void torture_fail (const char *format, ...)
{
    va_list arguments;
    torture_fault_disarm ();
    va_start (arguments, format);
    vsnprintf (torture_report->complaint, sizeof torture_report->complaint, format, arguments);
    va_end (arguments);
    if (torture_in_debugger) {
        fprintf (stderr, "WRONG: %s\n", torture_report->complaint);
        abort ();
    }
    _exit (EXIT_FAILURE);
}

/* ---- What is left behind ------------------------------------------------------------------- */

/* Calls `each` for every name in a folder but "." and ".."; how many there were. */
static long names_walk (const char *path, void (*each) (const char *path, const char *name))
{
    DIR *folder = opendir (path);
    struct dirent *entry;
    long count = 0;
    if (folder == NULL)
        return 0;
    while ((entry = readdir (folder)) != NULL) {
        if (strcmp (entry->d_name, ".") == 0 || strcmp (entry->d_name, "..") == 0)
            continue;
        count++;
        if (each != NULL)
            each (path, entry->d_name);
    }
    closedir (folder);
    return count;
}

static long fds_count (void)
{
    return names_walk ("/proc/self/fd", NULL);
}

static void fd_tell (const char *path, const char *name)
{
    char link[300], target[256];
    snprintf (link, sizeof link, "%s/%s", path, name);
    ssize_t len = readlink (link, target, sizeof target - 1);
    fprintf (stderr, "open: fd %s -> %.*s\n", name, len > 0 ? (int) len : 0, target);
}

/* Threads may still be letting go of what they have handed back: waits for that, not for long. */
static bool settles (bool (*is_settled) (void))
{
    const struct timespec pause = { 0, SETTLE_NS };
    for (int i = 0; i < SETTLE_ROUNDS; i++) {
        if (is_settled ())
            return true;
        nanosleep (&pause, NULL);
    }
    return false;
}

static long fds_before, blocks_before;

static bool fds_are_settled (void)
{
    return fds_count () <= fds_before;
}

static bool blocks_are_settled (void)
{
    return torture_live_blocks () <= blocks_before;
}

/* A name that an unfinished replacement has. */
static void name_check (const char *path, const char *name)
{
    bool unremovable = torture_fault_hits_of (EDDY_SYS_UNLINKAT) > 0;
    if (strstr (name, ".eddy") != NULL && !unremovable)
        torture_fail ("left behind: %s/%s", path, name);
}

static void run_check_leaks (void)
{
    if (!settles (fds_are_settled)) {
        names_walk ("/proc/self/fd", fd_tell);
        torture_fail ("fds left open: %ld -> %ld", fds_before, fds_count ());
    }
    if (!settles (blocks_are_settled)) {
        torture_tell_leaks ();
        torture_fail ("memory left behind: %ld -> %ld blocks", blocks_before,
                      torture_live_blocks ());
    }
    if (torture_report->uses_directory)
        names_walk (torture_report->directory, name_check);
}

/* ---- The run ------------------------------------------------------------------------------- */

static void run_report (void)
{
    for (int i = 0; i < TORTURE_KINDS; i++)
        torture_report->counts[i] = torture_fault_count ((TortureKind) i);
    torture_report->hits = torture_fault_hits ();
    snprintf (torture_report->hit, sizeof torture_report->hit, "%s", torture_fault_hit ());
}

/* Messages are part of what is tested, and of what is shown of a run that is wrong. */
static void run_log (EddyLogLevel level, const char *message, void *data)
{
    (void) data;
    if (level != EDDY_LOG_DEBUG)
        fprintf (stderr, "eddy: %s\n", message);
}

/* Tells where it stands, in offsets of the program, from which tests/torture/run learns whether the
 * library is to blame, or the test that did not expect to be refused something. */
static void run_stands (int number, siginfo_t *info, void *data)
{
    void *frames[STOOD_FRAMES];
    char text[64];
    int n = backtrace (frames, STOOD_FRAMES);
    (void) data;
    int len = snprintf (text, sizeof text, "%s:",
                        number == SIGQUIT                              ? "stuck"
                        : (uintptr_t) info->si_addr < STOOD_FIRST_PAGE ? "null"
                                                                       : "wild");
    for (int i = 0; i < n; i++) {
        uintptr_t address = (uintptr_t) frames[i];
        if (address < (uintptr_t) &__executable_start || address >= (uintptr_t) &etext)
            continue;
        (void) !write (STDERR_FILENO, text, (size_t) len);
        len = snprintf (text, sizeof text, " %zx",
                        (size_t) (address - (uintptr_t) &__executable_start));
    }
    (void) !write (STDERR_FILENO, text, (size_t) len);
    (void) !write (STDERR_FILENO, "\n", 1);
    signal (number, SIG_DFL);
    raise (number);
}

static void run_tell_where (void)
{
    struct sigaction action = { .sa_sigaction = run_stands, .sa_flags = SA_SIGINFO | SA_NODEFER };
    void *frame;
    /* The first call may load what it needs. */
    backtrace (&frame, 1);
    if (torture_in_debugger)
        return;
    sigaction (SIGSEGV, &action, NULL);
    sigaction (SIGQUIT, &action, NULL);
}

/* Once the library has said that something went badly wrong, a test that goes on does not know. */
static void run_log_of_test (EddyLogLevel level, const char *message, void *data)
{
    (void) data;
    fprintf (stderr, "eddy: %s\n", message);
    if (level != EDDY_LOG_CRITICAL || torture_fault_hits () == 0 || torture_in_debugger)
        return;
    snprintf (torture_report->first_failure, sizeof torture_report->first_failure, "%s", message);
    torture_leave (/* has_failed= */ true);
}

static void *run_thread (void *data)
{
    (void) data;
    current->run ();
    return NULL;
}

void torture_leave (bool has_failed)
{
    torture_fault_disarm ();
    run_report ();
    torture_report->has_failed = has_failed;
    torture_report->is_finished = true;
    _exit (EXIT_SUCCESS);
}

void torture_run (const TortureCase *scenario, const TortureFault *fault)
{
    pthread_t thread;
    current = scenario;
    torture_fault_install (fault);
    if (!scenario->is_scenario) {
        /* What it makes there goes with the run, however that ends. */
        setenv ("TMPDIR", torture_path ("."), /* overwrite= */ 1);
        run_tell_where ();
        eddy_log_set_handler (run_log_of_test, NULL);
        torture_fault_arm ();
        scenario->run ();
        torture_leave (/* has_failed= */ false);
    }
    eddy_log_set_handler (run_log, NULL);
    fds_before = fds_count ();
    blocks_before = torture_live_blocks ();
    /* What a thread keeps for itself goes with it, so that nothing needs to be left. */
    if (pthread_create (&thread, NULL, run_thread, NULL) != 0)
        torture_fail ("no thread");
    pthread_join (thread, NULL);
    torture_fault_disarm ();
    run_report ();
    if (torture_report->has_failed && torture_report->hits == 0)
        torture_fail ("failed without a fault: %s", torture_report->first_failure);
    run_check_leaks ();
    torture_report->is_finished = true;
}
