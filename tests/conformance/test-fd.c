/* SPDX-License-Identifier: MIT */
/*
 * Reads, writes and waits on file descriptors, in every form, on every engine.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "context.h"

static const char text[] = "straight-line C, called in four forms";

/* A file with the text in it, open for reading and writing. */
static int make_file (void)
{
    int fd = open (eddy_test_path ("file"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_int_ge (fd, 0);
    ck_assert_int_eq (write (fd, text, sizeof text), sizeof text);
    return fd;
}

static void make_pipe (int fds[2])
{
    ck_assert_int_eq (pipe2 (fds, O_CLOEXEC), 0);
}

static void close_pipe (int fds[2])
{
    close (fds[0]);
    close (fds[1]);
}

/* --- a file -------------------------------------------------------------------------------- */

EDDY_TEST (D_fd_read_blocking)
{
    char buffer[64] = "";
    EddyError *error = NULL;
    int fd = make_file ();
    ck_assert_int_eq (eddy_fd_read (fd, buffer, sizeof buffer, 0, NULL, &error), sizeof text);
    ck_assert_str_eq (buffer, text);
    ck_assert_int_eq (eddy_fd_read (fd, buffer, sizeof buffer, 9, NULL, &error), sizeof text - 9);
    ck_assert_str_eq (buffer, text + 9);
    ck_assert_int_eq (eddy_fd_read (fd, buffer, sizeof buffer, sizeof text, NULL, &error), 0);
    ck_assert_ptr_null (error);
    close (fd);
}

static void *read_in_fiber (void *data, EddyError **error)
{
    static char buffer[64];
    int *fd = data;
    ck_assert (eddy_in_fiber ());
    ck_assert_int_eq (eddy_fd_read (*fd, buffer, sizeof buffer, 0, NULL, error), sizeof text);
    return buffer;
}

EDDY_TEST (D_fd_read_awaited)
{
    EddyContext *context = eddy_test_context_begin ();
    int fd = make_file ();
    ck_assert_str_eq (eddy_test_run_fiber (context, read_in_fiber, &fd), text);
    close (fd);
    eddy_test_context_end (context);
}

typedef struct ReadCall {
    EddyMainLoop *loop;
    ssize_t count;
    int calls;
    EddyError *error;
} ReadCall;

static void read_ready (void *source_object, EddyAsyncResult *result, void *user_data)
{
    ReadCall *call = user_data;
    ck_assert_ptr_null (source_object);
    call->count = eddy_fd_read_finish (result, &call->error);
    call->calls++;
    eddy_main_loop_quit (call->loop);
}

EDDY_TEST (D_fd_read_by_callback)
{
    EddyContext *context = eddy_test_context_begin ();
    ReadCall call = { .loop = eddy_main_loop_new (context) };
    char buffer[64] = "";
    int fd = make_file ();
    eddy_fd_read_async (fd, buffer, sizeof buffer, 0, EDDY_PRIORITY_DEFAULT, NULL, read_ready,
                        &call);
    ck_assert_int_eq (call.calls, 0);
    eddy_main_loop_run (call.loop);
    ck_assert_int_eq (call.calls, 1);
    ck_assert_int_eq (call.count, sizeof text);
    ck_assert_str_eq (buffer, text);
    close (fd);
    eddy_unref (call.loop);
    eddy_test_context_end (context);
}

EDDY_TEST (D_fd_sync_as_a_future)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    int fd = make_file ();
    EddyFuture *future = eddy_fd_sync_future (fd, EDDY_PRIORITY_DEFAULT, NULL);
    ck_assert (eddy_block_on_complete (context, future, &error));
    eddy_unref (future);
    close (fd);
    EddyContextStatistics statistics;
    eddy_context_get_statistics (context, &statistics);
    if (strcmp (statistics.engine, "uring") == 0)
        ck_assert_uint_eq (statistics.ring, 1);
    else
        ck_assert_uint_eq (statistics.workers, 1);
    eddy_test_context_end (context);
}

static void *read_bad_fd (void *data, EddyError **error)
{
    char buffer[8];
    ck_assert_int_eq (eddy_fd_read (-1, buffer, sizeof buffer, 0, NULL, error), -1);
    ck_assert_ptr_nonnull (*error);
    ck_assert_int_eq (eddy_error_get_errno (*error), EBADF);
    eddy_clear_error (error);
    return data;
}

EDDY_TEST (D_fd_bad_fd_is_an_error)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    eddy_test_run_fiber (context, read_bad_fd, NULL);
    read_bad_fd (NULL, &error);
    eddy_test_context_end (context);
}

static void *write_in_fiber (void *data, EddyError **error)
{
    int *fd = data;
    ck_assert_int_eq (eddy_fd_write (*fd, "await", 5, 100, NULL, error), 5);
    return data;
}

EDDY_TEST (D_fd_write_awaited)
{
    EddyContext *context = eddy_test_context_begin ();
    char buffer[8] = "";
    int fd = make_file ();
    eddy_test_run_fiber (context, write_in_fiber, &fd);
    ck_assert_int_eq (pread (fd, buffer, 5, 100), 5);
    ck_assert_str_eq (buffer, "await");
    close (fd);
    eddy_test_context_end (context);
}

/* --- a pipe --------------------------------------------------------------------------------- */

static void *pipe_reader (void *data, EddyError **error)
{
    static char buffer[64];
    int *fds = data;
    memset (buffer, 0, sizeof buffer);
    ck_assert_int_eq (eddy_fd_read (fds[0], buffer, sizeof buffer, -1, NULL, error), 5);
    return buffer;
}

static void *pipe_writer (void *data, EddyError **error)
{
    int *fds = data;
    eddy_fiber_yield ();
    ck_assert_int_eq (eddy_fd_write (fds[1], "eddy\n", 5, -1, NULL, error), 5);
    return NULL;
}

EDDY_TEST (D_fd_read_waits_for_its_writer)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    int fds[2];
    make_pipe (fds);
    EddyFuture *reader = eddy_spawn (context, pipe_reader, fds, NULL);
    EddyFuture *writer = eddy_spawn (context, pipe_writer, fds, NULL);
    ck_assert_str_eq (eddy_block_on (context, reader, &error), "eddy\n");
    ck_assert (eddy_block_on_complete (context, writer, &error));
    eddy_unref (reader);
    eddy_unref (writer);
    close_pipe (fds);
    eddy_test_context_end (context);
}

/* More than a pipe holds: the writer waits for the reader again and again. */
enum { BULK = 1 << 20 };

static void bulk_fill (char *bytes, size_t count, size_t offset)
{
    for (size_t i = 0; i < count; i++)
        bytes[i] = (char) ((offset + i) * 31 >> 3);
}

static void *bulk_writer (void *data, EddyError **error)
{
    int *fds = data;
    static char bytes[BULK];
    bulk_fill (bytes, BULK, 0);
    for (size_t done = 0; done < BULK;) {
        ssize_t n = eddy_fd_write (fds[1], bytes + done, BULK - done, -1, NULL, error);
        ck_assert_int_gt (n, 0);
        done += (size_t) n;
    }
    close (fds[1]);
    return NULL;
}

static void *bulk_reader (void *data, EddyError **error)
{
    int *fds = data;
    static char buffer[9000], expected[9000];
    size_t done = 0;
    ssize_t n;
    while ((n = eddy_fd_read (fds[0], buffer, sizeof buffer, -1, NULL, error)) > 0) {
        bulk_fill (expected, (size_t) n, done);
        ck_assert_mem_eq (buffer, expected,
                          (size_t) n); /* one assertion, since each costs a write */
        done += (size_t) n;
    }
    ck_assert_int_eq (n, 0);
    ck_assert_uint_eq (done, BULK);
    close (fds[0]);
    return NULL;
}

EDDY_TEST (D_fd_pipe_carries_more_than_it_holds)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    int fds[2];
    make_pipe (fds);
    EddyFuture *writer = eddy_spawn (context, bulk_writer, fds, NULL);
    EddyFuture *reader = eddy_spawn (context, bulk_reader, fds, NULL);
    ck_assert (eddy_block_on_complete (context, reader, &error));
    ck_assert (eddy_block_on_complete (context, writer, &error));
    eddy_unref (reader);
    eddy_unref (writer);
    EddyContextStatistics statistics;
    eddy_context_get_statistics (context, &statistics);
    ck_assert_uint_gt (statistics.polled, 0);
    eddy_test_context_end (context);
}

static void *broken_pipe (void *data, EddyError **error)
{
    int *fds = data;
    ck_assert_int_eq (eddy_fd_write (fds[1], "x", 1, -1, NULL, error), -1);
    eddy_test_expect_error (error, EDDY_IO_ERROR_BROKEN_PIPE);
    return NULL;
}

EDDY_TEST (D_fd_write_without_reader_raises_no_signal)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    int fds[2];
    make_pipe (fds);
    close (fds[0]);
    signal (SIGPIPE, SIG_DFL);
    eddy_test_run_fiber (context, broken_pipe, fds);
    broken_pipe (fds, &error);
    close (fds[1]);
    eddy_test_context_end (context);
}

/* --- cancel ---------------------------------------------------------------------------------- */

static void *read_until_cancelled (void *data, EddyError **error)
{
    int *fds = data;
    char buffer[8];
    ck_assert_int_eq (eddy_fd_read (fds[0], buffer, sizeof buffer, -1, NULL, error), -1);
    ck_assert (eddy_error_is_cancelled (*error));
    /* Level-triggered: the next wait fails too. */
    EddyError *again = NULL;
    ck_assert (!eddy_fiber_sleep (1000000000, &again));
    eddy_test_expect_error (&again, EDDY_IO_ERROR_CANCELLED);
    return NULL;
}

static void *cancel_other (void *data, EddyError **error)
{
    (void) error;
    eddy_future_cancel (data);
    return NULL;
}

EDDY_TEST (D_fd_cancelled_fiber_leaves_its_read)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    int fds[2];
    make_pipe (fds);
    EddyFuture *reader = eddy_spawn (context, read_until_cancelled, fds, NULL);
    EddyFuture *killer = eddy_spawn (context, cancel_other, reader, NULL);
    ck_assert (!eddy_block_on_complete (context, reader, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    eddy_unref (killer);
    eddy_unref (reader);
    close_pipe (fds);
    eddy_test_context_end (context);
}

EDDY_TEST (D_fd_callback_read_is_cancelled)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyCancellable *cancellable = eddy_cancellable_new ();
    ReadCall call = { .loop = eddy_main_loop_new (context) };
    char buffer[8];
    int fds[2];
    make_pipe (fds);
    eddy_fd_read_async (fds[0], buffer, sizeof buffer, -1, EDDY_PRIORITY_DEFAULT, cancellable,
                        read_ready, &call);
    eddy_context_iteration (context, /* may_block= */ false);
    eddy_cancellable_cancel (cancellable);
    ck_assert_int_eq (call.calls, 0);
    eddy_main_loop_run (call.loop);
    ck_assert_int_eq (call.calls, 1);
    ck_assert_int_eq (call.count, -1);
    eddy_test_expect_error (&call.error, EDDY_IO_ERROR_CANCELLED);
    close_pipe (fds);
    eddy_unref (cancellable);
    eddy_unref (call.loop);
    eddy_test_context_end (context);
}

EDDY_TEST (D_fd_cancelled_before_it_started)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyCancellable *cancellable = eddy_cancellable_new ();
    ReadCall call = { .loop = eddy_main_loop_new (context) };
    char buffer[64] = "";
    int fd = make_file ();
    eddy_cancellable_cancel (cancellable);
    eddy_fd_read_async (fd, buffer, sizeof buffer, 0, EDDY_PRIORITY_DEFAULT, cancellable,
                        read_ready, &call);
    eddy_main_loop_run (call.loop);
    eddy_test_expect_error (&call.error, EDDY_IO_ERROR_CANCELLED);
    ck_assert_str_eq (buffer, "");
    close (fd);
    eddy_unref (cancellable);
    eddy_unref (call.loop);
    eddy_test_context_end (context);
}

static void *cancel_from_thread (void *data)
{
    eddy_cancellable_cancel (data);
    return NULL;
}

EDDY_TEST (D_fd_blocking_read_is_cancelled_from_another_thread)
{
    EddyCancellable *cancellable = eddy_cancellable_new ();
    EddyError *error = NULL;
    char buffer[8];
    int fds[2];
    pthread_t thread;
    make_pipe (fds);
    ck_assert_int_eq (pthread_create (&thread, NULL, cancel_from_thread, cancellable), 0);
    ck_assert_int_eq (eddy_fd_read (fds[0], buffer, sizeof buffer, -1, cancellable, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    pthread_join (thread, NULL);
    eddy_unref (cancellable);
    close_pipe (fds);
}

/* --- waiting --------------------------------------------------------------------------------- */

static void *wait_for_pipe (void *data, EddyError **error)
{
    int *fds = data;
    ck_assert_int_eq (eddy_fd_wait (fds[1], POLLOUT, NULL, error), POLLOUT);
    int events = eddy_fd_wait (fds[0], POLLIN, NULL, error);
    ck_assert_int_eq (events, POLLIN);
    return NULL;
}

EDDY_TEST (D_fd_wait_tells_what_is_ready)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    int fds[2];
    make_pipe (fds);
    EddyFuture *waiter = eddy_spawn (context, wait_for_pipe, fds, NULL);
    EddyFuture *writer = eddy_spawn (context, pipe_writer, fds, NULL);
    ck_assert (eddy_block_on_complete (context, waiter, &error));
    ck_assert (eddy_block_on_complete (context, writer, &error));
    eddy_unref (waiter);
    eddy_unref (writer);
    close_pipe (fds);
    eddy_test_context_end (context);
}

EDDY_TEST (D_fd_dropped_future_is_cancelled)
{
    EddyContext *context = eddy_test_context_begin ();
    int fds[2];
    make_pipe (fds);
    EddyFuture *wait = eddy_fd_wait_future (fds[0], POLLIN, EDDY_PRIORITY_DEFAULT, NULL);
    eddy_context_iteration (context, /* may_block= */ false);
    eddy_unref (wait);
    EddyContextStatistics statistics;
    do {
        eddy_context_iteration (context, /* may_block= */ true);
        eddy_context_get_statistics (context, &statistics);
    } while (statistics.live_operations > 0);
    close_pipe (fds);
    eddy_test_context_end (context);
}

/* Before its context has ever run: the request has not even been handed over. */
EDDY_TEST (D_fd_future_cancelled_before_the_first_iteration)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    int fds[2];
    make_pipe (fds);
    EddyFuture *wait = eddy_fd_wait_future (fds[0], POLLIN, EDDY_PRIORITY_DEFAULT, NULL);
    eddy_future_cancel (wait);
    ck_assert (!eddy_block_on_complete (context, wait, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    eddy_unref (wait);
    close_pipe (fds);
    eddy_test_context_end (context);
}

/* A cancellable outlives what it could have cancelled. */
EDDY_TEST (D_fd_cancel_after_the_end_reaches_nobody)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyCancellable *cancellable = eddy_cancellable_new ();
    char bytes[2];
    ReadCall calls[2] = { { .calls = 0 }, { .calls = 0 } };
    int fds[2][2];
    for (int i = 0; i < 2; i++) {
        make_pipe (fds[i]);
        eddy_fd_read_async (fds[i][0], &bytes[i], 1, -1, EDDY_PRIORITY_DEFAULT, cancellable,
                            read_ready, &calls[i]);
    }
    eddy_context_iteration (context, /* may_block= */ false);
    ck_assert_int_eq (write (fds[0][1], "x", 1), 1);
    while (calls[0].calls == 0)
        eddy_context_iteration (context, /* may_block= */ true);
    ck_assert_int_eq (calls[0].count, 1);
    eddy_cancellable_cancel (cancellable);
    while (calls[1].calls == 0)
        eddy_context_iteration (context, /* may_block= */ true);
    eddy_test_expect_error (&calls[1].error, EDDY_IO_ERROR_CANCELLED);
    ck_assert_int_eq (calls[0].calls, 1);
    eddy_unref (cancellable);
    close_pipe (fds[0]);
    close_pipe (fds[1]);
    eddy_test_context_end (context);
}

/* --- the other forms ---------------------------------------------------------------------------
 */

static void write_ready (void *source_object, EddyAsyncResult *result, void *user_data)
{
    ReadCall *call = user_data;
    (void) source_object;
    call->count = eddy_fd_write_finish (result, &call->error);
    call->calls++;
    eddy_main_loop_quit (call->loop);
}

static void sync_ready (void *source_object, EddyAsyncResult *result, void *user_data)
{
    ReadCall *call = user_data;
    (void) source_object;
    call->count = eddy_fd_sync_finish (result, &call->error);
    call->calls++;
    eddy_main_loop_quit (call->loop);
}

static void wait_ready (void *source_object, EddyAsyncResult *result, void *user_data)
{
    ReadCall *call = user_data;
    (void) source_object;
    call->count = eddy_fd_wait_finish (result, &call->error);
    call->calls++;
    eddy_main_loop_quit (call->loop);
}

EDDY_TEST (D_fd_write_sync_and_wait_by_callback)
{
    EddyContext *context = eddy_test_context_begin ();
    ReadCall call = { .loop = eddy_main_loop_new (context) };
    int fd = make_file ();
    eddy_fd_write_async (fd, "callback", 8, 3, EDDY_PRIORITY_HIGH, NULL, write_ready, &call);
    eddy_main_loop_run (call.loop);
    ck_assert_int_eq (call.count, 8);
    eddy_fd_sync_async (fd, EDDY_PRIORITY_DEFAULT, NULL, sync_ready, &call);
    eddy_main_loop_run (call.loop);
    ck_assert_int_eq (call.count, 1);
    eddy_fd_wait_async (fd, POLLIN, EDDY_PRIORITY_DEFAULT, NULL, wait_ready, &call);
    eddy_main_loop_run (call.loop);
    ck_assert_int_eq (call.count, POLLIN);
    ck_assert_int_eq (call.calls, 3);
    ck_assert_ptr_null (call.error);
    close (fd);
    eddy_unref (call.loop);
    eddy_test_context_end (context);
}

EDDY_TEST (D_fd_write_sync_and_wait_blocking)
{
    EddyError *error = NULL;
    int fd = make_file ();
    int fds[2];
    make_pipe (fds);
    ck_assert_int_eq (eddy_fd_write (fd, "block", 5, 0, NULL, &error), 5);
    ck_assert (eddy_fd_sync (fd, NULL, &error));
    ck_assert_int_eq (eddy_fd_wait (fds[1], POLLOUT, NULL, &error), POLLOUT);
    ck_assert (!eddy_fd_sync (fds[0], NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
    close_pipe (fds);
    close (fd);
}

/* --- whose answers are at hand ---------------------------------------------------------------- */

typedef struct AtHand {
    int fd;
    bool is_over;
} AtHand;

/* Never waits: the file is cached. */
static void *at_hand_read (void *data, EddyError **error)
{
    AtHand *run = data;
    char byte;
    while (!run->is_over && eddy_fd_read (run->fd, &byte, 1, 0, NULL, error) == 1) {
    }
    return NULL;
}

static void *at_hand_signal (void *data, EddyError **error)
{
    (void) data;
    (void) error;
    raise (SIGUSR1);
    return NULL;
}

static bool at_hand_end (void *data)
{
    ((AtHand *) data)->is_over = true;
    return EDDY_SOURCE_REMOVE;
}

static void at_hand_run (bool by_signal)
{
    AtHand run = { .fd = make_file () };
    EddyError *error = NULL;
    EDDY_AUTO (EddyGroup) group = eddy_group_new ();
    if (by_signal)
        eddy_signal_add (SIGUSR1, at_hand_end, &run);
    else
        eddy_timeout_add (1, at_hand_end, &run);
    ck_assert (eddy_group_spawn (group, at_hand_read, &run, NULL, &error));
    if (by_signal)
        ck_assert (eddy_group_spawn (group, at_hand_signal, NULL, NULL, &error));
    ck_assert (eddy_group_wait (group, &error));
    close (run.fd);
}

/* Who finds all that he reads at hand lets other fibers, timers and the kernel have their turns all
 * the same: without any of them this would go on for ever. */
EDDY_TEST (D_fd_what_is_at_hand_starves_nobody)
{
    EddyContext *context = eddy_test_context_begin ();
    at_hand_run (/* by_signal= */ false);
    at_hand_run (/* by_signal= */ true);
    eddy_test_context_end (context);
}
