/* SPDX-License-Identifier: MIT */
/*
 * processes-talk N: sends 64 MiB through cat(1) and gets them back, N times, by
 * eddy_subprocess_communicate(); prints milliseconds each. The peer is `gio-talk`.
 */
#include <eddy/eddy.h>

#include "bench-talk.h"

/* The text, as the first talk, which is not measured, has made it. */
static EddyBytes *talk_input;

static EddySubprocessOutput *talk_once (EddyError **error)
{
    static const char *const argv[] = { TALK_PROGRAM, NULL };
    EDDY_AUTO (EddySubprocess)
    subprocess = eddy_subprocess_newv (
        argv, EDDY_SUBPROCESS_FLAGS_STDIN_PIPE | EDDY_SUBPROCESS_FLAGS_STDOUT_PIPE, NULL, error);
    return subprocess == NULL
               ? NULL
               : eddy_subprocess_communicate (subprocess, talk_input, 0, NULL, error);
}

static bool talk (const char *text, size_t size)
{
    EddyError *error = NULL;
    if (talk_input == NULL)
        talk_input = eddy_bytes_new (text, size);
    EDDY_AUTO (EddySubprocessOutput) output = talk_input == NULL ? NULL : talk_once (&error);
    EddyBytes *answer = output == NULL ? NULL : eddy_subprocess_output_get_stdout (output);
    if (error != NULL)
        fprintf (stderr, "processes-talk: %s\n", eddy_error_get_message (error));
    eddy_unref (error);
    return answer != NULL && eddy_bytes_get_size (answer) == size &&
           memcmp (eddy_bytes_get_data (answer), text, size) == 0;
}

static int talk_main (int argc, char **argv)
{
    int status = bench_talk_measure ("processes-talk", argc, argv, talk);
    eddy_clear (&talk_input);
    return status;
}

int main (int argc, char **argv)
{
    return eddy_run (talk_main, argc, argv);
}
