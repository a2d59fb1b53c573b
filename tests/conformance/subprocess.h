/* SPDX-License-Identifier: MIT */
/* For the tests of child processes: shells started, outputs looked at, and nobody left behind. */
#pragma once

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "context.h"

#define SHELL(script) ((const char *const[]){ "sh", "-c", script, NULL })

#define SUBPROCESS_ALL_PIPES                                                                       \
    (EDDY_SUBPROCESS_FLAGS_STDIN_PIPE | EDDY_SUBPROCESS_FLAGS_STDOUT_PIPE |                        \
     EDDY_SUBPROCESS_FLAGS_STDERR_PIPE)

static inline EddySubprocess *subprocess_start (const char *script, unsigned flags)
{
    EddyError *error = NULL;
    EddySubprocess *subprocess =
        eddy_subprocess_newv (SHELL (script), (EddySubprocessFlags) flags, NULL, &error);
    ck_assert_msg (subprocess != NULL, "%s", eddy_error_get_message (error));
    return subprocess;
}

static inline EddySubprocess *subprocess_launch (EddySubprocessLauncher *launcher,
                                                 const char *script)
{
    EddyError *error = NULL;
    EddySubprocess *subprocess =
        eddy_subprocess_launcher_spawnv (launcher, SHELL (script), NULL, &error);
    ck_assert_msg (subprocess != NULL, "%s", eddy_error_get_message (error));
    return subprocess;
}

static inline void subprocess_wait (EddySubprocess *subprocess)
{
    EddyError *error = NULL;
    ck_assert (eddy_subprocess_wait (subprocess, NULL, &error));
    ck_assert_ptr_null (error);
}

static inline void subprocess_expect_bytes (EddyBytes *bytes, const char *text)
{
    ck_assert_ptr_nonnull (bytes);
    ck_assert_str_eq (eddy_bytes_get_data (bytes), text);
    ck_assert_uint_eq (eddy_bytes_get_size (bytes), strlen (text));
}

/* Talks to the child without giving it anything, and gives it up: it wrote this, and ended well. */
static inline void subprocess_expect_output (EddySubprocess *subprocess, const char *text)
{
    EddyError *error = NULL;
    EddySubprocessOutput *output = eddy_subprocess_communicate (subprocess, NULL, 0, NULL, &error);
    ck_assert_msg (output != NULL, "%s", eddy_error_get_message (error));
    subprocess_expect_bytes (eddy_subprocess_output_get_stdout (output), text);
    ck_assert (eddy_subprocess_get_successful (subprocess));
    eddy_unref (output);
    eddy_unref (subprocess);
}

/* The first bytes that a child writes: it has come so far. */
static inline void subprocess_expect_ready (EddySubprocess *subprocess)
{
    char word[6];
    ck_assert (eddy_input_stream_read_exactly (eddy_subprocess_get_stdout_pipe (subprocess), word,
                                               sizeof word, NULL, NULL, NULL));
    ck_assert_mem_eq (word, "ready\n", sizeof word);
}

/* All children have ended and been reaped; those whose object has gone may take a moment. */
static inline void subprocess_expect_none (void)
{
    siginfo_t info;
    while (waitid (P_ALL, 0, &info, WEXITED | WNOWAIT | WNOHANG) == 0)
        usleep (1000);
    ck_assert_int_eq (errno, ECHILD);
}

/* Runs a function as a fiber of a context of its own; no child is left. */
static inline void subprocess_run (EddyFiberFunc function)
{
    EddyContext *context = eddy_test_context_begin ();
    eddy_test_run_fiber (context, function, NULL);
    eddy_test_context_end (context);
    subprocess_expect_none ();
}

/* The body of a test, in a fiber. */
#define SUBPROCESS_TEST(name)                                                                      \
    EDDY_TEST_FIBER (name);                                                                        \
    EDDY_TEST (name)                                                                               \
    {                                                                                              \
        subprocess_run (name##_fiber);                                                             \
    }                                                                                              \
    static void name##_run (void)
