/* SPDX-License-Identifier: MIT */
/* Talking to children, also to those that do not listen, and being cancelled meanwhile. */
#include <eddy/testing.h>

#include "subprocess.h"

/* More than two pipes hold. */
enum { MUCH = 1 << 20 };

static EddyBytes *make_much (void)
{
    char *text = malloc (MUCH);
    ck_assert_ptr_nonnull (text);
    for (size_t i = 0; i < MUCH; i++)
        text[i] = (char) ('a' + (i * 7 + i / 251) % 26);
    EddyBytes *bytes = eddy_bytes_new (text, MUCH);
    free (text);
    return bytes;
}

static EddySubprocessOutput *talk (EddySubprocess *subprocess, EddyBytes *input)
{
    EddyError *error = NULL;
    EddySubprocessOutput *output = eddy_subprocess_communicate (subprocess, input, 0, NULL, &error);
    ck_assert_msg (output != NULL, "%s", eddy_error_get_message (error));
    return output;
}

/* --- what comes and goes ---------------------------------------------------------------------- */

SUBPROCESS_TEST (P9_communicate_feeds_and_collects)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddySubprocess)
    subprocess = subprocess_start ("cat; echo done >&2", SUBPROCESS_ALL_PIPES);
    EDDY_AUTO (EddySubprocessOutput)
    output = eddy_subprocess_communicate_utf8 (subprocess, "a word", 0, NULL, &error);
    ck_assert_msg (output != NULL, "%s", eddy_error_get_message (error));
    subprocess_expect_bytes (eddy_subprocess_output_get_stdout (output), "a word");
    subprocess_expect_bytes (eddy_subprocess_output_get_stderr (output), "done\n");
    ck_assert (eddy_subprocess_get_successful (subprocess));
    ck_assert_ptr_null (eddy_subprocess_communicate (subprocess, NULL, 0, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
}

/* Either side would stop for ever, were the two done one after the other. */
SUBPROCESS_TEST (P9_communicate_goes_both_ways_at_once)
{
    EDDY_AUTO (EddyBytes) much = make_much ();
    EDDY_AUTO (EddySubprocess)
    subprocess = subprocess_start ("tee /dev/stderr", SUBPROCESS_ALL_PIPES);
    EDDY_AUTO (EddySubprocessOutput) output = talk (subprocess, much);
    EddyBytes *const got[] = { eddy_subprocess_output_get_stdout (output),
                               eddy_subprocess_output_get_stderr (output) };
    for (int i = 0; i < 2; i++) {
        ck_assert_uint_eq (eddy_bytes_get_size (got[i]), MUCH);
        ck_assert (memcmp (eddy_bytes_get_data (got[i]), eddy_bytes_get_data (much), MUCH) == 0);
    }
}

SUBPROCESS_TEST (P9_the_first_error_leaves_the_child)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddySubprocess)
    subprocess =
        subprocess_start ("trap '' PIPE; echo too much; read line; exit 3", SUBPROCESS_ALL_PIPES);
    ck_assert_ptr_null (eddy_subprocess_communicate (subprocess, NULL, 3, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_LIMIT_EXCEEDED);
    subprocess_wait (subprocess);
    ck_assert_int_eq (eddy_subprocess_get_exit_status (subprocess), 3);
}

SUBPROCESS_TEST (P10_no_pipe_no_output)
{
    EDDY_AUTO (EddySubprocess) subprocess = subprocess_start ("exit 0", 0);
    ck_assert_ptr_null (eddy_subprocess_get_stdin_pipe (subprocess));
    ck_assert_ptr_null (eddy_subprocess_get_stdout_pipe (subprocess));
    ck_assert_ptr_null (eddy_subprocess_get_stderr_pipe (subprocess));
    EDDY_AUTO (EddySubprocessOutput) output = talk (subprocess, NULL);
    ck_assert_ptr_null (eddy_subprocess_output_get_stdout (output));
    ck_assert_ptr_null (eddy_subprocess_output_get_stderr (output));
    EDDY_AUTO (EddySubprocess)
    silent = subprocess_start ("exit 0", EDDY_SUBPROCESS_FLAGS_STDOUT_PIPE);
    EDDY_AUTO (EddySubprocessOutput) nothing = talk (silent, NULL);
    subprocess_expect_bytes (eddy_subprocess_output_get_stdout (nothing), "");
    ck_assert_ptr_null (eddy_subprocess_output_get_stderr (nothing));
}

SUBPROCESS_TEST (P10_text_is_checked)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddySubprocess)
    subprocess = subprocess_start ("printf '\\377' >&2", SUBPROCESS_ALL_PIPES);
    ck_assert_ptr_null (eddy_subprocess_communicate_utf8 (subprocess, NULL, 0, NULL, &error));
    ck_assert_ptr_nonnull (strstr (eddy_error_get_message (error), "stderr"));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_DATA);
    EDDY_AUTO (EddySubprocess)
    text = subprocess_start ("printf '\\303\\244'", SUBPROCESS_ALL_PIPES);
    EDDY_AUTO (EddySubprocessOutput)
    output = eddy_subprocess_communicate_utf8 (text, "", 0, NULL, &error);
    ck_assert_ptr_nonnull (output);
    subprocess_expect_bytes (eddy_subprocess_output_get_stdout (output), "\303\244");
}

SUBPROCESS_TEST (P11_nothing_to_write_is_an_empty_stdin)
{
    EddyError *error = NULL;
    subprocess_expect_output (subprocess_start ("cat; echo end", SUBPROCESS_ALL_PIPES), "end\n");
    /* And what has no pipe reads nothing, and is given nothing. */
    EDDY_AUTO (EddySubprocess)
    subprocess = subprocess_start ("cat; echo end", EDDY_SUBPROCESS_FLAGS_STDOUT_PIPE);
    EDDY_AUTO (EddyBytes) word = eddy_bytes_new ("word", 4);
    ck_assert_ptr_null (eddy_subprocess_communicate (subprocess, word, 0, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
    EDDY_AUTO (EddySubprocessOutput) output = talk (subprocess, NULL);
    subprocess_expect_bytes (eddy_subprocess_output_get_stdout (output), "end\n");
}

SUBPROCESS_TEST (D_subprocess_limit_is_what_may_come)
{
    EddyError *error = NULL;
    for (size_t limit = 3; limit <= 6; limit++) {
        EDDY_AUTO (EddySubprocess)
        subprocess = subprocess_start ("printf hello", SUBPROCESS_ALL_PIPES);
        EDDY_AUTO (EddySubprocessOutput)
        output = eddy_subprocess_communicate (subprocess, NULL, limit, NULL, &error);
        if (limit >= 5)
            subprocess_expect_bytes (eddy_subprocess_output_get_stdout (output), "hello");
        else
            eddy_test_expect_error (&error, EDDY_IO_ERROR_LIMIT_EXCEEDED);
        subprocess_wait (subprocess);
    }
}

/* --- children that do not do their part ------------------------------------------------------- */

/* It never reads: what was to be written is left when it goes. */
SUBPROCESS_TEST (D_subprocess_that_never_reads)
{
    EDDY_AUTO (EddyBytes) much = make_much ();
    EDDY_AUTO (EddySubprocess)
    subprocess = subprocess_start ("sleep 0.05; echo gone", SUBPROCESS_ALL_PIPES);
    EDDY_AUTO (EddySubprocessOutput) output = talk (subprocess, much);
    subprocess_expect_bytes (eddy_subprocess_output_get_stdout (output), "gone\n");
}

/* It closes its ends, and lives on. */
SUBPROCESS_TEST (D_subprocess_that_closes_early)
{
    EDDY_AUTO (EddyBytes) much = make_much ();
    EDDY_AUTO (EddySubprocess)
    subprocess =
        subprocess_start ("echo all; exec <&- >&- 2>&-; sleep 0.05; exit 4", SUBPROCESS_ALL_PIPES);
    EDDY_AUTO (EddySubprocessOutput) output = talk (subprocess, much);
    subprocess_expect_bytes (eddy_subprocess_output_get_stdout (output), "all\n");
    ck_assert_int_eq (eddy_subprocess_get_exit_status (subprocess), 4);
}

/* It writes without end: the limit closes its pipe, which ends it. */
SUBPROCESS_TEST (D_subprocess_that_never_stops_writing)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddySubprocess)
    subprocess = subprocess_start ("exec yes", SUBPROCESS_ALL_PIPES);
    ck_assert_ptr_null (eddy_subprocess_communicate (subprocess, NULL, 100000, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_LIMIT_EXCEEDED);
    subprocess_wait (subprocess);
    ck_assert_int_eq (eddy_subprocess_get_term_sig (subprocess), SIGPIPE);
}

/* It neither reads nor writes nor ends: a deadline ends the talk, and the child where that is
 * wanted. */
SUBPROCESS_TEST (D_subprocess_that_does_nothing)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddyBytes) much = make_much ();
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new_with_timeout (NULL, 10000000);
    EDDY_AUTO (EddySubprocess)
    subprocess = subprocess_start ("exec sleep 100", SUBPROCESS_ALL_PIPES);
    eddy_subprocess_set_kill_on_cancel (subprocess, INT64_C (100000000000));
    ck_assert_ptr_null (eddy_subprocess_communicate (subprocess, much, 0, cancellable, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_TIMED_OUT);
    ck_assert_int_eq (eddy_subprocess_get_term_sig (subprocess), SIGTERM);
}

/* --- cancelled everywhere --------------------------------------------------------------------- */

static void *talk_once (void *data, EddyError **error)
{
    const int64_t *grace_ns = data;
    EDDY_AUTO (EddyBytes) word = eddy_bytes_new ("word", 4);
    EDDY_AUTO (EddySubprocess)
    subprocess = eddy_subprocess_newv (SHELL ("cat; echo done >&2"),
                                       (EddySubprocessFlags) SUBPROCESS_ALL_PIPES, NULL, error);
    if (subprocess == NULL)
        return NULL;
    eddy_subprocess_set_kill_on_cancel (subprocess, *grace_ns);
    EDDY_AUTO (EddySubprocessOutput)
    output = eddy_subprocess_communicate (subprocess, word, 0, NULL, error);
    if (output != NULL)
        subprocess_expect_bytes (eddy_subprocess_output_get_stdout (output), "word");
    else if (*grace_ns >= 0)
        ck_assert_ptr_null (eddy_subprocess_get_identifier (subprocess));
    /* However far it came, the pipes are closed: so the child ends. */
    EDDY_SHIELD (-1)
    {
        subprocess_wait (subprocess);
    }
    return NULL;
}

static void check_nobody (void *data, bool cancelled, uint32_t point)
{
    (void) data;
    (void) cancelled;
    (void) point;
    subprocess_expect_none ();
}

static void cancel_everywhere (int64_t grace_ns)
{
    EddyTestCancelReport report;
    bool good = eddy_test_cancel_everywhere (talk_once, &grace_ns, check_nobody, &report);
    ck_assert_msg (good, "%s", report.failure);
    ck_assert_uint_ge (report.points, 4);
    ck_assert_uint_ge (report.cancelled, 2);
}

EDDY_TEST_TIMEOUT (D_subprocess_communicate_cancelled_everywhere, 60)
{
    cancel_everywhere (-1);
}

EDDY_TEST_TIMEOUT (D_kill_communicate_cancelled_everywhere, 60)
{
    cancel_everywhere (0);
    cancel_everywhere (INT64_C (100000000000));
}
