/* SPDX-License-Identifier: MIT */
/*
 * Several runs of bytes read and written at once, in every form; and files at their position.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stream.h"

static int make_file (void)
{
    int fd = open (eddy_test_path ("file"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_int_ge (fd, 0);
    return fd;
}

static void close_both (int fds[2])
{
    close (fds[0]);
    close (fds[1]);
}

/* --- each form ------------------------------------------------------------------------------- */

/* Three runs, one of them empty. */
typedef struct Runs {
    int fd;
    char first[3];
    char last[8];
    EddyInputVector input[3];
} Runs;

static void runs_init (Runs *self, int fd)
{
    memset (self, '#', sizeof *self);
    self->fd = fd;
    self->input[0] = (EddyInputVector){ self->first, 2 };
    self->input[1] = (EddyInputVector){ NULL, 0 };
    self->input[2] = (EddyInputVector){ self->last, 7 };
}

static const EddyOutputVector written[3] = { { "ab", 2 }, { NULL, 0 }, { "cdefg", 5 } };

static void runs_expect (const Runs *self)
{
    ck_assert_mem_eq (self->first, "ab#", 3);
    ck_assert_mem_eq (self->last, "cdefg###", 8);
}

static void *runs_move (void *data, EddyError **error)
{
    Runs *self = data;
    ck_assert_int_eq (eddy_fd_writev (self->fd, written, 3, 100, NULL, error), 7);
    ck_assert_int_eq (eddy_fd_readv (self->fd, self->input, 3, 100, NULL, error), 7);
    runs_expect (self);
    ck_assert_int_eq (eddy_fd_readv (self->fd, self->input, 3, 107, NULL, error), 0);
    ck_assert_int_eq (eddy_fd_readv (self->fd, NULL, 0, 0, NULL, error), 0);
    ck_assert_int_eq (eddy_fd_writev (self->fd, NULL, 0, 0, NULL, error), 0);
    return NULL;
}

EDDY_TEST (D_fd_vectors_awaited_and_blocking)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    Runs runs;
    int fd = make_file ();
    runs_init (&runs, fd);
    runs_move (&runs, &error);
    ck_assert_ptr_null (error);
    runs_init (&runs, fd);
    eddy_test_run_fiber (context, runs_move, &runs);
    close (fd);
    eddy_test_context_end (context);
}

EDDY_TEST (D_fd_vectors_by_callback)
{
    EddyContext *context = eddy_test_context_begin ();
    StreamCall reading = { 0 }, writing = { 0 };
    EddyError *error = NULL;
    Runs runs;
    int fds[2];
    ck_assert_int_eq (pipe2 (fds, O_CLOEXEC), 0);
    runs_init (&runs, fds[0]);
    eddy_fd_readv_async (fds[0], runs.input, 3, -1, 0, NULL, stream_called, &reading);
    eddy_context_iteration (context, /* may_block= */ false);
    ck_assert_int_eq (reading.calls, 0);
    eddy_fd_writev_async (fds[1], written, 3, -1, 0, NULL, stream_called, &writing);
    ck_assert_int_eq (eddy_fd_writev_finish (stream_await (context, &writing), &error), 7);
    ck_assert_int_eq (eddy_fd_readv_finish (stream_await (context, &reading), &error), 7);
    runs_expect (&runs);
    stream_call_clear (&reading);
    stream_call_clear (&writing);
    close_both (fds);
    eddy_test_context_end (context);
}

EDDY_TEST (D_fd_vectors_cancelled)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyCancellable *cancellable = eddy_cancellable_new ();
    StreamCall reading = { 0 };
    EddyError *error = NULL;
    Runs runs;
    int fds[2];
    ck_assert_int_eq (pipe2 (fds, O_CLOEXEC), 0);
    runs_init (&runs, fds[0]);
    eddy_fd_readv_async (fds[0], runs.input, 3, -1, 0, cancellable, stream_called, &reading);
    eddy_context_iteration (context, /* may_block= */ false);
    eddy_cancellable_cancel (cancellable);
    ck_assert_int_eq (eddy_fd_readv_finish (stream_await (context, &reading), &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    stream_call_clear (&reading);
    ck_assert_int_eq (eddy_fd_writev (fds[1], written, 3, -1, cancellable, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    eddy_unref (cancellable);
    close_both (fds);
    eddy_test_context_end (context);
}

static void *runs_fail (void *data, EddyError **error)
{
    const int *fds = data;
    EddyInputVector nowhere[2] = { { NULL, 4 }, { NULL, 4 } };
    ck_assert_int_eq (eddy_fd_writev (fds[1], written, 3, -1, NULL, error), -1);
    eddy_test_expect_error (error, EDDY_IO_ERROR_BROKEN_PIPE);
    ck_assert_int_eq (eddy_fd_readv (-1, nowhere, 2, -1, NULL, error), -1);
    ck_assert_int_eq (eddy_error_get_errno (*error), EBADF);
    eddy_clear_error (error);
    ck_assert_int_eq (eddy_fd_readv (fds[2], nowhere, 2, 0, NULL, error), -1);
    ck_assert_int_eq (eddy_error_get_errno (*error), EFAULT);
    eddy_clear_error (error);
    return NULL;
}

EDDY_TEST (D_fd_vectors_fail)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    int fds[3];
    ck_assert_int_eq (pipe2 (fds, O_CLOEXEC), 0);
    close (fds[0]);
    fds[2] = make_file ();
    ck_assert_int_eq (write (fds[2], "text", 4), 4);
    runs_fail (fds, &error);
    eddy_test_run_fiber (context, runs_fail, fds);
    close_both (fds + 1);
    eddy_test_context_end (context);
}

/* --- many, and large ------------------------------------------------------------------------- */

enum { MANY = 3000, PIECE = 700, BULK = MANY * PIECE };

typedef struct Bulk {
    int fds[2];
    char *sent;
    char *received;
} Bulk;

/* More runs than the kernel takes at once, of more than a socket holds. */
static void *bulk_write (void *data, EddyError **error)
{
    Bulk *bulk = data;
    EDDY_AUTO (EddyOutputStream) stream = eddy_fd_output_stream_new (bulk->fds[1], true);
    EddyOutputVector *runs = calloc (MANY, sizeof *runs);
    size_t count;
    for (size_t i = 0; i < MANY; i++)
        runs[i] = (EddyOutputVector){ bulk->sent + i * PIECE, PIECE };
    ck_assert (eddy_output_stream_writev_all (stream, runs, MANY, &count, NULL, error));
    ck_assert_uint_eq (count, BULK);
    free (runs);
    return NULL;
}

static void *bulk_read (void *data, EddyError **error)
{
    const Bulk *bulk = data;
    size_t done = 0;
    ssize_t count = 1;
    while (count > 0) {
        EddyInputVector runs[2] = { { bulk->received + done, (BULK - done) / 2 },
                                    { bulk->received + done + (BULK - done) / 2,
                                      BULK - done - (BULK - done) / 2 } };
        count = done == BULK ? 0 : eddy_fd_readv (bulk->fds[0], runs, 2, -1, NULL, error);
        ck_assert_int_ge (count, 0);
        done += (size_t) count;
    }
    ck_assert_uint_eq (done, BULK);
    return NULL;
}

static void bulk_run (Bulk *bulk)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    bulk->sent = malloc (BULK);
    bulk->received = malloc (BULK);
    stream_fill (bulk->sent, BULK, 0);
    EddyFuture *writer = eddy_spawn (context, bulk_write, bulk, NULL);
    EddyFuture *reader = eddy_spawn (context, bulk_read, bulk, NULL);
    ck_assert (eddy_block_on_complete (context, writer, &error));
    ck_assert (eddy_block_on_complete (context, reader, &error));
    stream_expect (bulk->received, BULK, 0);
    eddy_unref (writer);
    eddy_unref (reader);
    free (bulk->sent);
    free (bulk->received);
    close (bulk->fds[0]);
    eddy_test_context_end (context);
}

EDDY_TEST (D_fd_vectors_beyond_what_is_taken_at_once)
{
    Bulk bulk;
    ck_assert_int_eq (pipe2 (bulk.fds, O_CLOEXEC), 0);
    bulk_run (&bulk);
    ck_assert_int_eq (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, bulk.fds), 0);
    bulk_run (&bulk);
}

/* Empty runs in front, more than the kernel looks at: what is behind them is written. */
EDDY_TEST (S17_many_empty_runs_come_first)
{
    EddyContext *context = eddy_test_context_begin ();
    StreamPipe pipe = stream_pipe_new ();
    StreamCall call = { 0 };
    EddyError *error = NULL;
    char buffer[8] = "";
    EddyOutputVector *runs = calloc (MANY + 1, sizeof *runs);
    runs[MANY] = (EddyOutputVector){ "end", 3 };
    ck_assert_int_eq (eddy_output_stream_writev (pipe.output, runs, MANY + 1, NULL, &error), 3);
    eddy_output_stream_writev_async (pipe.output, runs, MANY + 1, 0, NULL, stream_called, &call);
    ck_assert_int_eq (
        eddy_output_stream_writev_finish (pipe.output, stream_await (context, &call), &error), 3);
    ck_assert_int_eq (eddy_input_stream_read (pipe.input, buffer, sizeof buffer, NULL, &error), 6);
    ck_assert_str_eq (buffer, "endend");
    free (runs);
    stream_call_clear (&call);
    stream_pipe_clear (&pipe);
    eddy_test_context_end (context);
}

/* A callback's writev of a pipe that is full waits as one request, and no fiber. */
EDDY_TEST (D_fd_callback_writev_is_one_request)
{
    EddyContext *context = eddy_test_context_begin ();
    StreamPipe pipe = stream_pipe_new ();
    StreamCall call = { 0 };
    EddyContextStatistics statistics;
    EddyError *error = NULL;
    static char block[65536];
    const EddyOutputVector runs[2] = { { "ab", 2 }, { "cd", 2 } };
    int fd = eddy_fd_output_stream_get_fd (pipe.output);
    ck_assert_int_eq (fcntl (fd, F_SETPIPE_SZ, 65536), 65536);
    ck_assert_int_eq (write (fd, block, sizeof block), sizeof block);
    eddy_output_stream_writev_async (pipe.output, runs, 2, 0, NULL, stream_called, &call);
    eddy_context_iteration (context, /* may_block= */ false);
    eddy_context_get_statistics (context, &statistics);
    ck_assert_uint_eq (statistics.live_fibers, 0);
    ck_assert_uint_eq (statistics.live_operations, 1);
    ck_assert (eddy_output_stream_has_pending (pipe.output));
    ck_assert (
        eddy_input_stream_read_exactly (pipe.input, block, sizeof block, NULL, NULL, &error));
    ck_assert_int_eq (
        eddy_output_stream_writev_finish (pipe.output, stream_await (context, &call), &error), 4);
    ck_assert (!eddy_output_stream_has_pending (pipe.output));
    stream_call_clear (&call);
    stream_pipe_clear (&pipe);
    eddy_test_context_end (context);
}

/* --- bytes ------------------------------------------------------------------------------------ */

enum { MUCH = 64 << 20 };

static void *bytes_wait (void *data, EddyError **error)
{
    StreamPipe *pipe = data;
    return eddy_input_stream_read_bytes (pipe->input, MUCH, NULL, error);
}

/* A stream that nothing comes from holds no memory for it. */
EDDY_TEST (D_stream_waiting_read_of_bytes_holds_none)
{
    EddyContext *context = eddy_test_context_begin ();
    StreamPipe pipe = stream_pipe_new ();
    EddyError *error = NULL;
    EddyFuture *fiber = eddy_spawn (context, bytes_wait, &pipe, NULL);
    eddy_context_iteration (context, /* may_block= */ false);
    eddy_context_iteration (context, /* may_block= */ false);
    ck_assert (eddy_input_stream_has_pending (pipe.input));
    ck_assert_uint_lt (mallinfo2 ().hblkhd, MUCH); /* 0 under a sanitizer's malloc */
    ck_assert_int_eq (eddy_output_stream_write (pipe.output, "text", 4, NULL, &error), 4);
    EddyBytes *bytes = eddy_block_on (context, fiber, &error);
    ck_assert_uint_eq (eddy_bytes_get_size (bytes), 4);
    ck_assert_mem_eq (eddy_bytes_get_data (bytes), "text", 4);
    eddy_unref (bytes);
    eddy_unref (fiber);
    stream_pipe_clear (&pipe);
    eddy_test_context_end (context);
}

/* A file is always ready, also when it has to wait for its disk: that is not waited for by asking
 * again and again. */
enum { COLD_SIZE = 32 << 20, COLD_READ = 1 << 20 };

static void *bytes_of_cold_file (void *data, EddyError **error)
{
    size_t *reads = data;
    const char *path = eddy_test_path ("cold");
    char *block = calloc (1, COLD_SIZE);
    int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_eq (pwrite (fd, block, COLD_SIZE, 0), COLD_SIZE);
    free (block);
    ck_assert_int_eq (fsync (fd), 0);
    ck_assert_int_eq (posix_fadvise (fd, 0, 0, POSIX_FADV_RANDOM), 0);
    ck_assert_int_eq (posix_fadvise (fd, 0, 0, POSIX_FADV_DONTNEED), 0);
    EDDY_AUTO (EddyInputStream) stream = eddy_fd_input_stream_new (fd, /* close_fd= */ true);
    for (size_t done = 0; done < COLD_SIZE; ++*reads) {
        EDDY_AUTO (EddyBytes) bytes = eddy_input_stream_read_bytes (stream, COLD_READ, NULL, error);
        ck_assert_ptr_nonnull (bytes);
        ck_assert_uint_gt (eddy_bytes_get_size (bytes), 0);
        done += eddy_bytes_get_size (bytes);
    }
    return data;
}

EDDY_TEST (D_stream_uncached_read_of_bytes_waits_for_the_disk)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyContextStatistics statistics;
    size_t reads = 0;
    eddy_test_run_fiber (context, bytes_of_cold_file, &reads);
    eddy_context_get_statistics (context, &statistics);
    uint64_t operations =
        statistics.immediate + statistics.ring + statistics.polled + statistics.workers;
    ck_assert_uint_le (operations, reads + 10);
    eddy_test_context_end (context);
}

/* --- a file at its position ------------------------------------------------------------------- */

enum { FILE_SIZE = 1 << 20 };

static void *file_write (void *data, EddyError **error)
{
    EddyOutputStream *stream = data;
    char *bytes = malloc (FILE_SIZE);
    stream_fill (bytes, FILE_SIZE, 0);
    EddyOutputVector runs[2] = { { bytes, FILE_SIZE / 3 },
                                 { bytes + FILE_SIZE / 3, FILE_SIZE / 3 } };
    ssize_t at = FILE_SIZE / 3 * 2;
    ck_assert_int_eq (eddy_output_stream_writev (stream, runs, 2, NULL, error), at);
    ck_assert_int_eq (
        eddy_output_stream_write (stream, bytes + at, (size_t) (FILE_SIZE - at), NULL, error),
        FILE_SIZE - at);
    free (bytes);
    return NULL;
}

static void file_expect (int fd)
{
    char *bytes = malloc (FILE_SIZE + 1);
    ck_assert_int_eq (pread (fd, bytes, FILE_SIZE + 1, 0), FILE_SIZE);
    stream_expect (bytes, FILE_SIZE, 0);
    free (bytes);
}

/* Whole, and where its file system cannot say that a write needs no waiting, on a worker: what a
 * program's standard output is when it goes to a file. */
EDDY_TEST (D_fd_file_is_written_at_its_position)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyContextStatistics statistics;
    EddyError *error = NULL;
    int fd = make_file ();
    EDDY_AUTO (EddyOutputStream) stream = eddy_fd_output_stream_new (fd, /* close_fd= */ false);
    eddy_test_run_fiber (context, file_write, stream);
    file_expect (fd);
    eddy_context_get_statistics (context, &statistics);
    ck_assert_uint_eq (statistics.polled, 0);
    ck_assert_uint_eq (statistics.workers + statistics.immediate, 2);
    ck_assert_int_eq (ftruncate (fd, 0), 0);
    ck_assert_int_eq (lseek (fd, 0, SEEK_SET), 0);
    file_write (stream, &error);
    ck_assert_ptr_null (error);
    file_expect (fd);
    close (fd);
    eddy_test_context_end (context);
}
