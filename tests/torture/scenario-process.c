/* SPDX-License-Identifier: MIT */
/*
 * Child processes: started, talked to, waited for and given up. However it goes, none is left.
 */
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "torture.h"

/* It ends by itself also where a fault has kept its stdin open. */
static const char *const copying[] = { "timeout", "1", "cat", NULL };
static const char *const failing[] = { "sh", "-c", "exit 3", NULL };

static const int64_t TALK_AT_MOST_NS = INT64_C (2000000000);

static const char text[] = "some words";

/* What a fault has kept Eddy from reaping is reaped here. */
static void processes_end (void)
{
    while (waitpid (-1, NULL, 0) >= 0 || errno == EINTR) {
    }
    torture_require (errno == ECHILD);
}

/* Unknown where a fault has struck the question for it. */
static void process_require_exit (EddySubprocess *subprocess, int status)
{
    torture_require (eddy_subprocess_get_status (subprocess) == status << 8 ||
                     (torture_was_hit () && eddy_subprocess_get_status (subprocess) == -1));
}

/* ---- Talking ------------------------------------------------------------------------------- */

typedef struct Talk {
    EddySubprocess *subprocess;
    EddySubprocessOutput *output;
    EddyCancellable *cancellable;
} Talk;

/* A close that has not happened, by a fault that no kernel has for pipes, leaves the output without
 * an end: the deadline is for that alone. */
static void talk_failed (EddyError **error)
{
    if (torture_was_hit () && eddy_error_matches (*error, EDDY_IO_ERROR, EDDY_IO_ERROR_TIMED_OUT)) {
        eddy_clear_error (error);
        torture_refused ("an end of the output");
    } else {
        torture_error ("the talk", error);
    }
}

static void talk_step (void *data)
{
    Talk *talk = data;
    EddyError *error = NULL;
    talk->subprocess = eddy_subprocess_newv (
        copying, EDDY_SUBPROCESS_FLAGS_STDIN_PIPE | EDDY_SUBPROCESS_FLAGS_STDOUT_PIPE, NULL,
        &error);
    if (talk->subprocess == NULL) {
        torture_error ("the start", &error);
        return;
    }
    talk->output =
        eddy_subprocess_communicate_utf8 (talk->subprocess, text, 0, talk->cancellable, &error);
    if (talk->output == NULL)
        talk_failed (&error);
}

TORTURE_SCENARIO (process_talk)
{
    Talk talk = { .cancellable = eddy_cancellable_new_with_timeout (NULL, TALK_AT_MOST_NS) };
    torture_begin ();
    torture_await (talk_step, &talk);
    torture_end ();
    if (talk.output != NULL) {
        EddyBytes *bytes = eddy_subprocess_output_get_stdout (talk.output);
        torture_require (eddy_bytes_get_size (bytes) == strlen (text) &&
                         memcmp (eddy_bytes_get_data (bytes), text, strlen (text)) == 0);
        process_require_exit (talk.subprocess, 0);
    }
    eddy_unref (talk.output);
    eddy_unref (talk.subprocess);
    eddy_unref (talk.cancellable);
    processes_end ();
}

/* ---- A launcher, in a plain thread --------------------------------------------------------- */

static EddySubprocess *launch_with (EddySubprocessLauncher *launcher)
{
    EddyError *error = NULL;
    if (!eddy_subprocess_launcher_setenv (launcher, "TORTURE", "1", true) ||
        !eddy_subprocess_launcher_set_cwd (launcher, "/") ||
        !eddy_subprocess_launcher_take_fd (launcher, dup (1), 9)) {
        torture_refused ("what the child begins with");
        return NULL;
    }
    EddySubprocess *subprocess = eddy_subprocess_launcher_spawnv (launcher, failing, NULL, &error);
    if (subprocess == NULL)
        torture_error ("the start", &error);
    return subprocess;
}

TORTURE_SCENARIO (process_launch)
{
    EddyError *error = NULL;
    torture_begin ();
    EddySubprocessLauncher *launcher = torture_made (
        "a launcher", eddy_subprocess_launcher_new (EDDY_SUBPROCESS_FLAGS_STDERR_SILENCE));
    EddySubprocess *subprocess = launcher == NULL ? NULL : launch_with (launcher);
    bool has_ended = subprocess != NULL && eddy_subprocess_wait (subprocess, NULL, &error);
    if (subprocess != NULL && !has_ended)
        torture_error ("the wait", &error);
    torture_end ();
    if (has_ended)
        process_require_exit (subprocess, 3);
    eddy_unref (subprocess);
    eddy_unref (launcher);
    processes_end ();
}

/* ---- Given up ------------------------------------------------------------------------------ */

TORTURE_SCENARIO (process_orphans)
{
    torture_begin ();
    for (int i = 0; i < 3; i++) {
        EddyError *error = NULL;
        EddySubprocess *subprocess =
            eddy_subprocess_newv (copying, EDDY_SUBPROCESS_FLAGS_STDIN_PIPE, NULL, &error);
        if (subprocess == NULL)
            torture_error ("the start", &error);
        eddy_unref (subprocess); /* its stdin closes, so it ends */
    }
    torture_end ();
    processes_end ();
}
