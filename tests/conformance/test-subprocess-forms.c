/* SPDX-License-Identifier: MIT */
/* Child processes by callback, as futures, in plain threads, and a thousand of them at once. */
#include "stream.h"
#include "subprocess.h"

enum { MANY = 1000, MANY_SANITIZED = 200 };

static const char word[] = "a word";

static void expect_talk (EddySubprocessOutput *output, EddyError *error)
{
    ck_assert_msg (output != NULL, "%s", eddy_error_get_message (error));
    subprocess_expect_bytes (eddy_subprocess_output_get_stdout (output), word);
    subprocess_expect_bytes (eddy_subprocess_output_get_stderr (output), "done\n");
    eddy_unref (output);
}

static EddySubprocess *start_cat (void)
{
    return subprocess_start ("cat; echo done >&2", SUBPROCESS_ALL_PIPES);
}

EDDY_TEST (D_subprocess_by_callback)
{
    EddyError *error = NULL;
    StreamCall call = { 0 };
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyBytes) bytes = eddy_bytes_new (word, strlen (word));
    eddy_subprocess_newv_async (SHELL ("exit 7"), 0, 0, NULL, stream_called, &call);
    EddySubprocess *subprocess =
        eddy_subprocess_newv_finish (stream_await (context, &call), &error);
    ck_assert_msg (subprocess != NULL, "%s", eddy_error_get_message (error));
    stream_call_clear (&call);
    eddy_subprocess_wait_async (subprocess, 0, NULL, stream_called, &call);
    ck_assert (eddy_subprocess_wait_finish (subprocess, stream_await (context, &call), &error));
    stream_call_clear (&call);
    eddy_subprocess_wait_check_async (subprocess, 0, NULL, stream_called, &call);
    ck_assert (
        !eddy_subprocess_wait_check_finish (subprocess, stream_await (context, &call), &error));
    ck_assert (eddy_error_matches (error, EDDY_SPAWN_EXIT_ERROR, 7));
    eddy_clear_error (&error);
    stream_call_clear (&call);
    eddy_unref (subprocess);
    subprocess = start_cat ();
    eddy_subprocess_communicate_async (subprocess, bytes, 0, 0, NULL, stream_called, &call);
    expect_talk (
        eddy_subprocess_communicate_finish (subprocess, stream_await (context, &call), &error),
        error);
    stream_call_clear (&call);
    eddy_unref (subprocess);
    subprocess = start_cat ();
    eddy_subprocess_communicate_utf8_async (subprocess, word, 0, 0, NULL, stream_called, &call);
    expect_talk (
        eddy_subprocess_communicate_utf8_finish (subprocess, stream_await (context, &call), &error),
        error);
    stream_call_clear (&call);
    eddy_unref (subprocess);
    eddy_test_context_end (context);
    subprocess_expect_none ();
}

EDDY_TEST (D_subprocess_as_futures)
{
    EddyError *error = NULL;
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyBytes) bytes = eddy_bytes_new (word, strlen (word));
    EDDY_AUTO (EddyFuture)
    missing =
        eddy_subprocess_newv_future ((const char *const[]){ "/nowhere/at/all", NULL }, 0, 0, NULL);
    ck_assert_ptr_null (eddy_block_on (context, missing, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_FOUND);
    EDDY_AUTO (EddyFuture) started = eddy_subprocess_newv_future (SHELL ("exit 0"), 0, 0, NULL);
    EddySubprocess *subprocess = eddy_ref (eddy_block_on (context, started, &error));
    EDDY_AUTO (EddyFuture) ended = eddy_subprocess_wait_future (subprocess, 0, NULL);
    EDDY_AUTO (EddyFuture) checked = eddy_subprocess_wait_check_future (subprocess, 0, NULL);
    ck_assert (eddy_block_on_boolean (context, ended, &error));
    ck_assert (eddy_block_on_boolean (context, checked, &error));
    eddy_unref (subprocess);
    subprocess = start_cat ();
    EDDY_AUTO (EddyFuture)
    talk = eddy_subprocess_communicate_future (subprocess, bytes, 0, 0, NULL);
    expect_talk (eddy_ref (eddy_block_on (context, talk, &error)), error);
    eddy_unref (subprocess);
    subprocess = start_cat ();
    EDDY_AUTO (EddyFuture)
    text = eddy_subprocess_communicate_utf8_future (subprocess, word, 0, 0, NULL);
    expect_talk (eddy_ref (eddy_block_on (context, text, &error)), error);
    eddy_unref (subprocess);
    eddy_test_context_end (context);
    subprocess_expect_none ();
}

EDDY_TEST (D_launcher_in_every_form)
{
    EddyError *error = NULL;
    StreamCall call = { 0 };
    EddyContext *context = eddy_test_context_begin ();
    EddySubprocessLauncher *launcher =
        eddy_subprocess_launcher_new (EDDY_SUBPROCESS_FLAGS_STDOUT_PIPE);
    eddy_subprocess_launcher_spawnv_async (launcher, SHELL ("echo a"), 0, NULL, stream_called,
                                           &call);
    EDDY_AUTO (EddyFuture)
    future = eddy_subprocess_launcher_spawnv_future (launcher, SHELL ("echo b"), 0, NULL);
    subprocess_expect_output (
        eddy_subprocess_launcher_spawnv_finish (launcher, stream_await (context, &call), &error),
        "a\n");
    subprocess_expect_output (eddy_ref (eddy_block_on (context, future, &error)), "b\n");
    stream_call_clear (&call);
    eddy_unref (launcher);
    eddy_test_context_end (context);
    subprocess_expect_none ();
}

EDDY_TEST (D_subprocess_in_a_plain_thread)
{
    EddyError *error = NULL;
    EddySubprocess *subprocess = start_cat ();
    EddySubprocessOutput *output =
        eddy_subprocess_communicate_utf8 (subprocess, word, 0, NULL, &error);
    expect_talk (output, error);
    ck_assert (eddy_subprocess_wait_check (subprocess, NULL, NULL));
    eddy_unref (subprocess);
    subprocess = subprocess_start ("read line", EDDY_SUBPROCESS_FLAGS_STDIN_PIPE);
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new_with_timeout (NULL, 5000000);
    ck_assert (!eddy_subprocess_wait (subprocess, cancellable, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_TIMED_OUT);
    eddy_unref (subprocess);
    subprocess_expect_none ();
}

/* A child that was started for nobody: its future has been given up. */
EDDY_TEST (D_subprocess_started_and_given_up)
{
    EddyContext *context = eddy_test_context_begin ();
    for (int i = 0; i < 50; i++) {
        EddyFuture *future =
            eddy_subprocess_newv_future (SHELL ("exit 0"), SUBPROCESS_ALL_PIPES, 0, NULL);
        for (int turn = 0; turn < i % 5; turn++)
            eddy_context_iteration (context, /* may_block= */ false);
        eddy_unref (future);
    }
    EddyContextStatistics statistics;
    do {
        eddy_context_iteration (context, /* may_block= */ false);
        eddy_context_get_statistics (context, &statistics);
    } while (statistics.live_operations > 0);
    eddy_test_context_end (context);
    subprocess_expect_none ();
}

static void *many_talk (void *data, EddyError **error)
{
    int *done = data;
    EDDY_AUTO (EddySubprocess)
    subprocess = eddy_subprocess_newv (
        (const char *const[]){ "cat", NULL },
        EDDY_SUBPROCESS_FLAGS_STDIN_PIPE | EDDY_SUBPROCESS_FLAGS_STDOUT_PIPE, NULL, error);
    if (subprocess == NULL)
        return NULL;
    /* All of them are alive before the first one ends. */
    ++*done;
    while (*done < 0)
        if (!eddy_fiber_sleep (1000000, error))
            return NULL;
    EDDY_AUTO (EddySubprocessOutput)
    output = eddy_subprocess_communicate_utf8 (subprocess, word, 0, NULL, error);
    if (output != NULL)
        subprocess_expect_bytes (eddy_subprocess_output_get_stdout (output), word);
    return NULL;
}

static void *many_run (void *data, EddyError **error)
{
    int n = (int) eddy_test_reduced (MANY, MANY_SANITIZED, "children at once");
    int done = -n;
    (void) data;
    EDDY_AUTO (EddyGroup) group = eddy_group_new ();
    for (int i = 0; i < n; i++)
        if (!eddy_group_spawn (group, many_talk, &done, NULL, error))
            return NULL;
    eddy_group_wait (group, error);
    return NULL;
}

EDDY_TEST_TIMEOUT (D_subprocess_thousand_at_once, 60)
{
    subprocess_run (many_run);
}
