/* SPDX-License-Identifier: MIT */
/*
 * What scenarios call.
 */
#include "torture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "run.h"

enum { RUN_UNTIL_SECONDS = 2 };

void torture_begin (void)
{
    torture_fault_arm ();
}

void torture_end (void)
{
    torture_fault_disarm ();
}

/* ---- Telling a failure --------------------------------------------------------------------- */

static void failure_note (const char *what, const char *message)
{
    TortureReport *report = torture_report;
    /* Several threads may fail at once; which of them is shown does not matter. */
    if (!__atomic_exchange_n (&report->has_failed, true, __ATOMIC_RELAXED))
        snprintf (report->first_failure, sizeof report->first_failure, "%s: %s", what, message);
}

/* Whether an error may come of the fault. */
static bool error_is_explained (const EddyError *error)
{
    int code = eddy_error_get_code (error), number = eddy_error_get_errno (error);
    if (strcmp (eddy_error_get_domain (error), EDDY_IO_ERROR) != 0)
        return false;
    if (code == EDDY_IO_ERROR_NO_MEMORY)
        return torture_fault_had (ENOMEM);
    /* This code says which step has failed, and the errno why. */
    bool says_step = code == EDDY_IO_ERROR_CANT_CREATE_BACKUP;
    return torture_fault_had (number) &&
           (says_step || code == (int) eddy_io_error_from_errno (number));
}

static void error_judge (const char *what, EddyError **error, bool may_be_cancelled)
{
    if (*error == NULL)
        torture_fail ("%s: failed without an error", what);
    if (may_be_cancelled && eddy_error_is_cancelled (*error)) {
        eddy_clear_error (error);
        return;
    }
    failure_note (what, eddy_error_get_message (*error));
    if (torture_fault_hits () == 0)
        torture_fail ("%s: failed without a fault: %s", what, eddy_error_get_message (*error));
    if (eddy_error_get_message (*error) == NULL || eddy_error_get_message (*error)[0] == '\0')
        torture_fail ("%s: an error without a message", what);
    if (!error_is_explained (*error))
        torture_fail ("%s: %s failed, and the error is code %d, errno %d: %s", what,
                      torture_fault_hit (), eddy_error_get_code (*error),
                      eddy_error_get_errno (*error), eddy_error_get_message (*error));
    eddy_clear_error (error);
}

void torture_error (const char *what, EddyError **error)
{
    error_judge (what, error, /* may_be_cancelled= */ false);
}

void torture_error_or_cancelled (const char *what, EddyError **error)
{
    error_judge (what, error, /* may_be_cancelled= */ true);
}

void torture_refused (const char *what)
{
    failure_note (what, "refused");
    if (torture_fault_hits () == 0)
        torture_fail ("%s: refused without a fault", what);
}

bool torture_has_failed (void)
{
    return __atomic_load_n (&torture_report->has_failed, __ATOMIC_RELAXED);
}

bool torture_was_hit (void)
{
    return torture_fault_hits () > 0;
}

bool torture_cannot_remove (void)
{
    return torture_fault_hits_of (EDDY_SYS_UNLINKAT) > 0;
}

void *torture_made (const char *what, void *object)
{
    if (object == NULL)
        torture_refused (what);
    return object;
}

/* ---- Files --------------------------------------------------------------------------------- */

const char *torture_path (const char *name)
{
    static char paths[16][PATH_MAX];
    static unsigned next;
    char *path = paths[__atomic_fetch_add (&next, 1, __ATOMIC_RELAXED) % 16];
    if (!torture_report->uses_directory) {
        torture_report->uses_directory = true;
        if (mkdir (torture_report->directory, 0755) < 0)
            torture_fail ("%s: %s", torture_report->directory, strerror (errno));
    }
    snprintf (path, PATH_MAX, "%s/%s", torture_report->directory, name);
    return path;
}

static char *bytes_make (size_t size)
{
    char *bytes = malloc (size + 1);
    if (bytes == NULL)
        torture_fail ("no memory for the test itself");
    for (size_t i = 0; i < size; i++)
        bytes[i] = torture_byte (i);
    return bytes;
}

const char *torture_make_file (const char *name, size_t size)
{
    const char *path = torture_path (name);
    char *bytes = bytes_make (size);
    int fd = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || write (fd, bytes, size) != (ssize_t) size)
        torture_fail ("%s: %s", path, strerror (errno));
    close (fd);
    free (bytes);
    return path;
}

bool torture_file_is_whole (const char *path, size_t size)
{
    char *expected = bytes_make (size), *found = malloc (size + 1);
    int fd = open (path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 || found == NULL ? -1 : read (fd, found, size + 1);
    bool is_whole = len == (ssize_t) size && memcmp (expected, found, size) == 0;
    if (fd >= 0)
        close (fd);
    free (expected);
    free (found);
    return is_whole;
}

bool torture_exists (const char *path)
{
    struct stat status;
    return lstat (path, &status) == 0;
}

/* ---- Contexts ------------------------------------------------------------------------------ */

EddyContext *torture_context_begin (void)
{
    EddyContext *context = torture_made ("a context", eddy_context_new ());
    if (context == NULL || eddy_context_push_thread_default (context))
        return context;
    torture_refused ("to push a context");
    eddy_unref (context);
    return NULL;
}

static bool context_has_engine (EddyContext *context)
{
    EddyContextStatistics statistics;
    eddy_context_get_statistics (context, &statistics);
    return statistics.engine != NULL;
}

static bool context_is_busy (EddyContext *context)
{
    EddyContextStatistics statistics;
    eddy_context_get_statistics (context, &statistics);
    return statistics.live_operations > 0 || statistics.live_fibers > 0;
}

static int64_t now_seconds (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/* A pass, with the faults paused when the engine cannot be had: then nothing would ever run. */
static void context_iterate (EddyContext *context)
{
    eddy_context_iteration (context, true);
    if (context_has_engine (context))
        return;
    torture_refused ("to iterate a context");
    torture_end ();
    eddy_context_iteration (context, false);
    torture_begin ();
}

bool torture_run_until (EddyContext *context, const int *counter, int value)
{
    int64_t end = now_seconds () + RUN_UNTIL_SECONDS;
    while (__atomic_load_n (counter, __ATOMIC_ACQUIRE) < value) {
        context_iterate (context);
        if (now_seconds () <= end)
            continue;
        /* Where no wait can succeed at all, what was promised comes when one can. */
        bool must_go_on = torture_fault_hits () < 16;
        torture_end ();
        if (must_go_on)
            torture_fail ("%d of %d callbacks came", *counter, value);
        torture_refused ("to wait");
        while (__atomic_load_n (counter, __ATOMIC_ACQUIRE) < value)
            eddy_context_iteration (context, true);
        torture_begin ();
    }
    return true;
}

void torture_run_out (EddyContext *context)
{
    do
        while (eddy_context_iteration (context, context_is_busy (context)))
            ;
    while (context_is_busy (context));
}

void torture_context_end (EddyContext *context)
{
    if (context == NULL)
        return;
    torture_end ();
    torture_run_out (context);
    eddy_context_pop_thread_default (context);
    eddy_unref (context);
}

/* ---- A step in a fiber --------------------------------------------------------------------- */

typedef struct Step {
    void (*function) (void *data);
    void *data;
} Step;

static void *step_run (void *data, EddyError **error)
{
    Step *step = data;
    (void) error;
    step->function (step->data);
    return NULL;
}

void torture_await (void (*function) (void *data), void *data)
{
    EddyError *error = NULL;
    Step step = { function, data };
    EddyContext *context = torture_context_begin ();
    if (context == NULL)
        return;
    EddyFuture *fiber = eddy_spawn (context, step_run, &step, NULL);
    if (!eddy_block_on_complete (context, fiber, &error))
        torture_error ("a fiber", &error);
    torture_end ();
    torture_run_out (context);
    eddy_unref (fiber);
    torture_context_end (context);
}

void torture_run_ends (EddyContext *context, const TortureEnds *ends, void *data)
{
    EddyFuture *fibers[] = { eddy_spawn (context, ends->write, data, ends->end_writing),
                             eddy_spawn (context, ends->read, data, ends->end_reading) };
    for (int i = 0; i < 2; i++) {
        EddyError *error = NULL;
        if (!eddy_block_on_complete (context, fibers[i], &error)) {
            if (eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_BROKEN_PIPE) ||
                (ends->tells_cut &&
                 eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_PARTIAL_INPUT)))
                eddy_clear_error (&error);
            else
                torture_error ("a pipe's end", &error);
        }
        eddy_unref (fibers[i]);
    }
}
