/* SPDX-License-Identifier: MIT */
/* Child processes: their start, their end, signals, and cancels of the wait for them. */
#include <fcntl.h>
#include <stdio.h>

#include "subprocess.h"

/* --- start ------------------------------------------------------------------------------------ */

SUBPROCESS_TEST (P1_missing_program_is_an_error)
{
    EddyError *error = NULL;
    const char *const argv[] = { "no-such-program-anywhere", "an argument", NULL };
    ck_assert_ptr_null (eddy_subprocess_newv (argv, SUBPROCESS_ALL_PIPES, NULL, &error));
    ck_assert_ptr_nonnull (strstr (eddy_error_get_message (error), argv[0]));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_FOUND);
    const char *const refused[] = { "/etc/passwd", NULL };
    ck_assert_ptr_null (eddy_subprocess_newv (refused, 0, NULL, &error));
    ck_assert_ptr_nonnull (strstr (eddy_error_get_message (error), refused[0]));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_PERMISSION_DENIED);
    ck_assert_int_eq (waitpid (-1, NULL, WNOHANG), -1); /* no zombie */
}

SUBPROCESS_TEST (P1_cancelled_before_starts_nothing)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    eddy_cancellable_cancel (cancellable);
    ck_assert_ptr_null (eddy_subprocess_newv (SHELL ("exit 0"), 0, cancellable, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    ck_assert_int_eq (waitpid (-1, NULL, WNOHANG), -1);
}

typedef struct Turns {
    int count;
    bool done;
} Turns;

static void *count_turns (void *data, EddyError **error)
{
    Turns *turns = data;
    (void) error;
    for (; !turns->done; turns->count++)
        eddy_fiber_yield ();
    return NULL;
}

/* Another fiber goes on while the child is made. */
SUBPROCESS_TEST (P1_start_leaves_the_loop_alone)
{
    Turns turns = { .count = 0 };
    EddyFuture *other = eddy_spawn (NULL, count_turns, &turns, NULL);
    eddy_fiber_yield ();
    int before = turns.count;
    EddySubprocess *subprocess = subprocess_start ("exit 0", 0);
    ck_assert_int_gt (turns.count, before);
    turns.done = true;
    (void) eddy_await (other, NULL);
    eddy_unref (other);
    subprocess_wait (subprocess);
    eddy_unref (subprocess);
}

/* --- end -------------------------------------------------------------------------------------- */

SUBPROCESS_TEST (P3_children_without_objects_are_reaped)
{
    for (int i = 0; i < 100; i++)
        eddy_unref (subprocess_start (i % 2 == 0 ? "sleep 0.1" : "exit 0", 0));
}

SUBPROCESS_TEST (P4_wait_check_tells_the_status)
{
    EddyError *error = NULL;
    EddySubprocess *subprocess = subprocess_start ("exit 7", 0);
    subprocess_wait (subprocess);
    ck_assert (!eddy_subprocess_wait_check (subprocess, NULL, &error));
    ck_assert (eddy_error_matches (error, EDDY_SPAWN_EXIT_ERROR, 7));
    eddy_clear_error (&error);
    ck_assert (eddy_subprocess_get_if_exited (subprocess));
    ck_assert (!eddy_subprocess_get_if_signaled (subprocess));
    ck_assert_int_eq (eddy_subprocess_get_exit_status (subprocess), 7);
    ck_assert_int_eq (WEXITSTATUS (eddy_subprocess_get_status (subprocess)), 7);
    ck_assert (!eddy_subprocess_get_successful (subprocess));
    eddy_unref (subprocess);
    subprocess = subprocess_start ("kill -QUIT $$", 0);
    ck_assert (!eddy_subprocess_wait_check (subprocess, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_FAILED);
    ck_assert (eddy_subprocess_get_if_signaled (subprocess));
    ck_assert_int_eq (eddy_subprocess_get_term_sig (subprocess), SIGQUIT);
    eddy_unref (subprocess);
    subprocess = subprocess_start ("exit 0", 0);
    ck_assert (eddy_subprocess_wait_check (subprocess, NULL, &error));
    eddy_unref (subprocess);
}

/* The kernel reaps it by itself: it has ended all the same, with a status that nobody knows. */
SUBPROCESS_TEST (P4_ignored_SIGCHLD_leaves_no_status)
{
    EddyError *error = NULL;
    signal (SIGCHLD, SIG_IGN);
    EddySubprocess *subprocess = subprocess_start ("exit 0", 0);
    subprocess_wait (subprocess);
    ck_assert_int_eq (eddy_subprocess_get_status (subprocess), -1);
    ck_assert (!eddy_subprocess_wait_check (subprocess, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_FAILED);
    eddy_unref (subprocess);
    signal (SIGCHLD, SIG_DFL);
}

/* In the child of a fork, children that are given up are reaped by nobody, and nothing is kept of
 * them. */
EDDY_TEST (L54_child_of_a_fork_leaves_children_alone)
{
    EddySubprocess *subprocess = subprocess_start ("echo ready; read line", SUBPROCESS_ALL_PIPES);
    EDDY_AUTO (EddyOutputStream) pipe = eddy_ref (eddy_subprocess_get_stdin_pipe (subprocess));
    subprocess_expect_ready (subprocess);
    eddy_unref (subprocess); /* from here on a worker waits for it */
    pid_t forked = fork ();
    ck_assert_int_ge (forked, 0);
    if (forked == 0) {
        int status = -1, first_free = fcntl (0, F_DUPFD, 0);
        close (first_free);
        eddy_unref (subprocess_start ("sleep 0.05; exit 3", EDDY_SUBPROCESS_FLAGS_STDIN_INHERIT));
        ck_assert_int_eq (fcntl (0, F_DUPFD, 0), first_free);
        _exit (waitpid (-1, &status, 0) > 0 && WIFEXITED (status) ? WEXITSTATUS (status) : 1);
    }
    int status = -1;
    ck_assert_int_eq (waitpid (forked, &status, 0), forked);
    ck_assert_int_eq (status, 3 << 8);
    ck_assert (eddy_output_stream_close (pipe, NULL, NULL));
    subprocess_expect_none ();
}

/* What is let go of there is closed there: whoever closes for us is our parent's. */
SUBPROCESS_TEST (L54_child_of_a_fork_closes_its_own_fds)
{
    EddySubprocess *subprocess = subprocess_start ("cat", EDDY_SUBPROCESS_FLAGS_STDIN_PIPE |
                                                              EDDY_SUBPROCESS_FLAGS_STDOUT_PIPE);
    int fd = eddy_fd_output_stream_get_fd (eddy_subprocess_get_stdin_pipe (subprocess));
    pid_t forked = fork ();
    if (forked == 0) {
        eddy_unref (subprocess);
        _exit (fcntl (fd, F_GETFD) < 0 ? 0 : 1);
    }
    int status;
    ck_assert_int_eq (waitpid (forked, &status, 0), forked);
    ck_assert_int_eq (status, 0);
    subprocess_expect_output (subprocess, "");
}

typedef struct Waits {
    int done;
    int failed;
    bool begun; /* the call that started the last one has returned */
} Waits;

static void wait_ended (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Waits *waits = user_data;
    EddyError *error = NULL;
    ck_assert (waits->begun);
    if (eddy_subprocess_wait_finish (source_object, result, &error))
        waits->done++;
    else
        waits->failed++;
    eddy_clear_error (&error);
}

EDDY_TEST (P5_any_number_of_waits_end)
{
    Waits waits = { .begun = true };
    EddyContext *context = eddy_test_context_begin ();
    EddySubprocess *subprocess = subprocess_start ("read line", EDDY_SUBPROCESS_FLAGS_STDIN_PIPE);
    for (int i = 0; i < 100; i++)
        eddy_subprocess_wait_async (subprocess, 0, NULL, wait_ended, &waits);
    ck_assert (eddy_output_stream_close (eddy_subprocess_get_stdin_pipe (subprocess), NULL, NULL));
    while (waits.done < 100)
        eddy_context_iteration (context, /* may_block= */ true);
    ck_assert_int_eq (waits.failed, 0);
    waits.begun = false;
    eddy_subprocess_wait_async (subprocess, 0, NULL, wait_ended, &waits);
    waits.begun = true;
    while (waits.done < 101)
        eddy_context_iteration (context, /* may_block= */ true);
    eddy_unref (subprocess);
    eddy_test_context_end (context);
    subprocess_expect_none ();
}

/* --- cancels ---------------------------------------------------------------------------------- */

EDDY_TEST (P6_a_cancelled_wait_leaves_the_child)
{
    Waits waits = { .begun = true };
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    EddySubprocess *subprocess = subprocess_start ("read line", EDDY_SUBPROCESS_FLAGS_STDIN_PIPE);
    eddy_subprocess_wait_async (subprocess, 0, cancellable, wait_ended, &waits);
    eddy_cancellable_cancel (cancellable);
    while (waits.failed == 0)
        eddy_context_iteration (context, /* may_block= */ true);
    ck_assert_int_eq (waits.done, 0);
    ck_assert_ptr_nonnull (eddy_subprocess_get_identifier (subprocess));
    ck_assert (eddy_output_stream_close (eddy_subprocess_get_stdin_pipe (subprocess), NULL, NULL));
    subprocess_wait (subprocess);
    ck_assert (eddy_subprocess_get_if_exited (subprocess));
    eddy_unref (subprocess);
    eddy_test_context_end (context);
    subprocess_expect_none ();
}

static void wait_kept (void *source_object, EddyAsyncResult *result, void *user_data)
{
    EddyAsyncResult **kept = user_data;
    (void) source_object;
    *kept = eddy_ref (result);
}

EDDY_TEST (P6_a_cancel_after_the_end_changes_nothing)
{
    EddyAsyncResult *kept = NULL;
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    EddySubprocess *subprocess = subprocess_start ("exit 0", 0);
    eddy_subprocess_wait_async (subprocess, 0, cancellable, wait_kept, &kept);
    while (kept == NULL)
        eddy_context_iteration (context, /* may_block= */ true);
    eddy_cancellable_cancel (cancellable);
    ck_assert (eddy_subprocess_wait_finish (subprocess, kept, NULL));
    eddy_unref (kept);
    eddy_unref (subprocess);
    eddy_test_context_end (context);
    subprocess_expect_none ();
}

static EddySubprocess *start_deaf (void)
{
    EddySubprocess *subprocess =
        subprocess_start ("trap '' TERM; echo ready; while :; do sleep 0.01; done",
                          EDDY_SUBPROCESS_FLAGS_STDOUT_PIPE);
    subprocess_expect_ready (subprocess);
    return subprocess;
}

static void expect_killed (EddySubprocess *subprocess, int signal_number)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new_with_timeout (NULL, 1000000);
    ck_assert (!eddy_subprocess_wait (subprocess, cancellable, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_TIMED_OUT);
    ck_assert (eddy_subprocess_get_if_signaled (subprocess));
    ck_assert_int_eq (eddy_subprocess_get_term_sig (subprocess), signal_number);
}

SUBPROCESS_TEST (D_kill_on_cancel_ends_who_ignores_it)
{
    EDDY_AUTO (EddySubprocess) subprocess = start_deaf ();
    eddy_subprocess_set_kill_on_cancel (subprocess, 20000000);
    expect_killed (subprocess, SIGKILL);
}

SUBPROCESS_TEST (D_kill_on_cancel_asks_first)
{
    EDDY_AUTO (EddySubprocess) subprocess = subprocess_start ("exec sleep 100", 0);
    eddy_subprocess_set_kill_on_cancel (subprocess, INT64_C (100000000000));
    expect_killed (subprocess, SIGTERM);
}

/* The cancel is there before the wait has begun. */
EDDY_TEST (D_kill_on_cancel_that_came_first)
{
    EddyError *error = NULL;
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    eddy_cancellable_cancel (cancellable);
    EddySubprocess *subprocess = subprocess_start ("exec sleep 100", 0);
    eddy_subprocess_set_kill_on_cancel (subprocess, INT64_C (100000000000));
    EddyFuture *future = eddy_subprocess_wait_future (subprocess, 0, cancellable);
    ck_assert (!eddy_block_on_boolean (context, future, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    ck_assert_int_eq (eddy_subprocess_get_term_sig (subprocess), SIGTERM);
    eddy_unref (future);
    eddy_unref (subprocess);
    eddy_test_context_end (context);
    subprocess_expect_none ();
}

/* The same in a thread without fibers. */
EDDY_TEST (D_kill_on_cancel_in_a_plain_thread)
{
    EddySubprocess *subprocess = start_deaf ();
    eddy_subprocess_set_kill_on_cancel (subprocess, 20000000);
    expect_killed (subprocess, SIGKILL);
    eddy_unref (subprocess);
    subprocess_expect_none ();
}

SUBPROCESS_TEST (D_kill_with_the_last_reference)
{
    EddySubprocess *subprocess = subprocess_start ("exec sleep 100", 0);
    eddy_subprocess_set_kill_on_cancel (subprocess, 0);
    eddy_unref (subprocess);
}

/* A fork's other side has the object, and no part in the child. */
SUBPROCESS_TEST (D_kill_is_not_a_forked_child_s)
{
    EddySubprocess *subprocess = subprocess_start ("cat", EDDY_SUBPROCESS_FLAGS_STDIN_PIPE |
                                                              EDDY_SUBPROCESS_FLAGS_STDOUT_PIPE);
    eddy_subprocess_set_kill_on_cancel (subprocess, 0);
    pid_t forked = fork ();
    if (forked == 0) {
        eddy_unref (subprocess);
        _exit (0);
    }
    int status;
    ck_assert_int_eq (waitpid (forked, &status, 0), forked);
    ck_assert_int_eq (status, 0);
    subprocess_expect_output (subprocess, "");
}

/* --- what is known of it, signals ------------------------------------------------------------- */

static int n_criticals;

static void count_critical (EddyLogLevel level, const char *message, void *data)
{
    (void) message;
    (void) data;
    n_criticals += level == EDDY_LOG_CRITICAL;
}

SUBPROCESS_TEST (P7_status_is_asked_for_after_the_end)
{
    EddySubprocess *subprocess = subprocess_start ("read line", EDDY_SUBPROCESS_FLAGS_STDIN_PIPE);
    const char *identifier = eddy_subprocess_get_identifier (subprocess);
    ck_assert_ptr_nonnull (identifier);
    ck_assert_int_eq (kill ((pid_t) strtol (identifier, NULL, 10), 0), 0);
    eddy_log_set_handler (count_critical, NULL);
    ck_assert_int_eq (eddy_subprocess_get_status (subprocess), -1);
    ck_assert_int_eq (n_criticals, 1);
    eddy_log_set_handler (NULL, NULL);
    eddy_subprocess_force_exit (subprocess);
    subprocess_wait (subprocess);
    ck_assert_int_eq (eddy_subprocess_get_term_sig (subprocess), SIGKILL);
    ck_assert_ptr_null (eddy_subprocess_get_identifier (subprocess));
    eddy_unref (subprocess);
}

SUBPROCESS_TEST (P8_signals_meet_the_child)
{
    EddySubprocess *subprocess =
        subprocess_start ("trap 'exit 5' USR1; echo ready; while :; do sleep 0.01; done",
                          EDDY_SUBPROCESS_FLAGS_STDOUT_PIPE);
    subprocess_expect_ready (subprocess);
    eddy_subprocess_send_signal (subprocess, SIGUSR1);
    subprocess_wait (subprocess);
    ck_assert_int_eq (eddy_subprocess_get_exit_status (subprocess), 5);
    eddy_unref (subprocess);
}

/* The number of the child that has ended is given to another one: the kernel is told by
 * ns_last_pid which number comes next, where it lets us choose. */
static bool next_number_is (int number)
{
    int fd = open ("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
    char text[16];
    int length = snprintf (text, sizeof text, "%d", number - 1);
    bool done = fd >= 0 && write (fd, text, (size_t) length) == length;
    if (fd >= 0)
        close (fd);
    return done;
}

SUBPROCESS_TEST (P8_signals_miss_who_has_got_the_number)
{
    EddySubprocess *first = subprocess_start ("read line", EDDY_SUBPROCESS_FLAGS_STDIN_PIPE);
    int number = (int) strtol (eddy_subprocess_get_identifier (first), NULL, 10);
    ck_assert (eddy_output_stream_close (eddy_subprocess_get_stdin_pipe (first), NULL, NULL));
    subprocess_wait (first);
    EddySubprocess *second = NULL;
    bool same = false;
    for (int i = 0; i < 100 && !same; i++) {
        if (second != NULL)
            eddy_subprocess_force_exit (second);
        eddy_unref (second);
        bool is_chosen = next_number_is (number);
        second = subprocess_start ("exec sleep 100", 0);
        same = strtol (eddy_subprocess_get_identifier (second), NULL, 10) == number;
        if (!is_chosen)
            break; /* a signal that goes astray meets nobody here */
    }
    eddy_subprocess_send_signal (first, SIGTERM);
    eddy_subprocess_force_exit (first);
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new_with_timeout (NULL, 20000000);
    ck_assert (!eddy_subprocess_wait (second, cancellable, NULL));
    eddy_subprocess_send_signal (second, SIGINT);
    subprocess_wait (second);
    ck_assert_int_eq (eddy_subprocess_get_term_sig (second), SIGINT);
    eddy_unref (first);
    eddy_unref (second);
}

/* --- threads and pipes ------------------------------------------------------------------------ */

static bool count_post (void *data)
{
    ++*(int *) data;
    return EDDY_SOURCE_REMOVE;
}

EDDY_TEST (P12_blocking_calls_dispatch_nothing)
{
    int dispatched = 0;
    EddyContext *context = eddy_test_context_begin ();
    eddy_idle_add (count_post, &dispatched);
    subprocess_expect_output (subprocess_start ("echo a; sleep 0.02", SUBPROCESS_ALL_PIPES), "a\n");
    ck_assert_int_eq (dispatched, 0);
    while (dispatched == 0)
        eddy_context_iteration (context, /* may_block= */ true);
    eddy_test_context_end (context);
    subprocess_expect_none ();
}

SUBPROCESS_TEST (P13_closed_stdin_is_the_end)
{
    EddySubprocess *subprocess = subprocess_start ("cat", SUBPROCESS_ALL_PIPES);
    EddyOutputStream *to = eddy_subprocess_get_stdin_pipe (subprocess);
    EddyInputStream *from = eddy_subprocess_get_stdout_pipe (subprocess);
    char word[8];
    ck_assert (eddy_output_stream_write_all (to, "ready\n", 6, NULL, NULL, NULL));
    subprocess_expect_ready (subprocess);
    ck_assert (eddy_output_stream_close (to, NULL, NULL));
    ck_assert_int_eq (eddy_input_stream_read (from, word, sizeof word, NULL, NULL), 0);
    subprocess_wait (subprocess);
    eddy_unref (subprocess);
}

/* A write to who has gone is an error, and SIGPIPE, left at its default, comes to nobody. */
SUBPROCESS_TEST (P13_no_signal_for_who_has_gone)
{
    struct sigaction action;
    EddyError *error = NULL;
    EddySubprocess *subprocess = subprocess_start ("exit 0", SUBPROCESS_ALL_PIPES);
    EddyOutputStream *to = eddy_subprocess_get_stdin_pipe (subprocess);
    subprocess_wait (subprocess);
    ck_assert (!eddy_output_stream_write_all (to, "x", 1, NULL, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_BROKEN_PIPE);
    ck_assert_int_eq (sigaction (SIGPIPE, NULL, &action), 0);
    ck_assert (action.sa_handler == SIG_DFL);
    eddy_unref (subprocess);
}

static void *cancel_later (void *data, EddyCancellable *cancellable, EddyError **error)
{
    (void) cancellable;
    (void) error;
    usleep (5000);
    eddy_cancellable_cancel (data);
    return NULL;
}

SUBPROCESS_TEST (P13_a_read_is_cancelled_from_another_thread)
{
    EddyError *error = NULL;
    char byte;
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    EddySubprocess *subprocess = subprocess_start ("cat", SUBPROCESS_ALL_PIPES);
    EDDY_AUTO (EddyFuture)
    job = eddy_run_blocking_future (cancel_later, cancellable, NULL, 0, NULL);
    ck_assert_int_eq (eddy_input_stream_read (eddy_subprocess_get_stdout_pipe (subprocess), &byte,
                                              1, cancellable, &error),
                      -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    (void) eddy_await (job, NULL);
    eddy_unref (subprocess);
}
