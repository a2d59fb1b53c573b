/* SPDX-License-Identifier: MIT */
/*
 * File descriptors: pipes, sockets and files, read, written and waited for in each form.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "torture.h"

enum { PIECE = 1500, TOTAL = 30000, ROOM = 4096, LITTLE = 64 };

static void pipe_make (int fds[2])
{
    torture_require (pipe2 (fds, O_CLOEXEC) == 0);
    /* So small that the writer has to wait. */
    torture_require (fcntl (fds[1], F_SETPIPE_SZ, ROOM) >= ROOM);
}

static void pipe_close (int fds[2])
{
    for (int i = 0; i < 2; i++)
        if (fds[i] >= 0)
            close (fds[i]);
}

/* ---- Two fibers at the ends of a pipe ------------------------------------------------------ */

typedef struct Stream {
    int fds[2];
    size_t written;
    size_t read;
    bool was_ended; /* the reader saw the end */
    bool is_slow;   /* waits for readiness before each piece */
    bool in_runs;   /* moves each piece as two runs of bytes */
} Stream;

static ssize_t stream_write_piece (const Stream *stream, const char *buffer, size_t n,
                                   EddyError **error)
{
    const EddyOutputVector runs[2] = { { buffer, n / 3 }, { buffer + n / 3, n - n / 3 } };
    return stream->in_runs ? eddy_fd_writev (stream->fds[1], runs, 2, -1, NULL, error)
                           : eddy_fd_write (stream->fds[1], buffer, n, -1, NULL, error);
}

static ssize_t stream_read_piece (const Stream *stream, char *buffer, EddyError **error)
{
    const EddyInputVector runs[2] = { { buffer, PIECE / 2 }, { buffer + PIECE / 2, PIECE / 2 } };
    return stream->in_runs ? eddy_fd_readv (stream->fds[0], runs, 2, -1, NULL, error)
                           : eddy_fd_read (stream->fds[0], buffer, PIECE, -1, NULL, error);
}

static void *stream_write (void *data, EddyError **error)
{
    Stream *stream = data;
    char buffer[PIECE];
    while (stream->written < TOTAL) {
        size_t n = TOTAL - stream->written < PIECE ? TOTAL - stream->written : PIECE;
        for (size_t i = 0; i < n; i++)
            buffer[i] = torture_byte (stream->written + i);
        ssize_t len = stream_write_piece (stream, buffer, n, error);
        if (len < 0)
            break;
        stream->written += (size_t) len;
    }
    return NULL;
}

/* Whether a fiber has run or not, its end of the pipe is closed, so that the other one ends too. */
static void stream_close (Stream *stream, int which)
{
    torture_require (stream->fds[which] >= 0);
    close (stream->fds[which]);
    stream->fds[which] = -1;
}

static void stream_close_writer (void *data)
{
    stream_close (data, 1);
}

static void stream_close_reader (void *data)
{
    stream_close (data, 0);
}

static void *stream_read (void *data, EddyError **error)
{
    Stream *stream = data;
    char buffer[PIECE];
    ssize_t len = 1;
    while (len > 0) {
        if (stream->is_slow && eddy_fd_wait (stream->fds[0], POLLIN, NULL, error) < 0)
            break;
        len = stream_read_piece (stream, buffer, error);
        for (ssize_t i = 0; i < len; i++)
            torture_require (buffer[i] == torture_byte (stream->read++));
    }
    stream->was_ended = len == 0;
    return NULL;
}

static bool stream_join (EddyFuture *fiber, const char *what, bool other_failed)
{
    EddyError *error = NULL;
    if (eddy_block_on_complete (NULL, fiber, &error))
        return true;
    /* A reader that gave up breaks the writer's pipe. */
    if (other_failed && eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_BROKEN_PIPE))
        eddy_clear_error (&error);
    else
        torture_error (what, &error);
    return false;
}

static void stream_run (Stream *stream)
{
    pipe_make (stream->fds);
    torture_begin ();
    EddyContext *context = torture_context_begin ();
    if (context != NULL) {
        EddyFuture *reader = eddy_spawn (context, stream_read, stream, stream_close_reader);
        EddyFuture *writer = eddy_spawn (context, stream_write, stream, stream_close_writer);
        bool has_read = stream_join (reader, "reader", false);
        bool has_written = stream_join (writer, "writer", !has_read);
        torture_require (stream->read <= stream->written);
        if (has_read && has_written)
            torture_require (stream->was_ended && stream->read == TOTAL);
        torture_end ();
        eddy_unref (reader);
        eddy_unref (writer);
    }
    torture_context_end (context);
    pipe_close (stream->fds);
}

TORTURE_SCENARIO (fd_stream)
{
    Stream stream = { .is_slow = false };
    stream_run (&stream);
}

TORTURE_SCENARIO (fd_stream_waited_for)
{
    Stream stream = { .is_slow = true };
    stream_run (&stream);
}

TORTURE_SCENARIO (fd_stream_in_runs)
{
    Stream stream = { .in_runs = true };
    stream_run (&stream);
}

/* ---- In plain threads ---------------------------------------------------------------------- */

static void *thread_write (void *data)
{
    EddyError *error = NULL;
    Stream *stream = data;
    stream_write (stream, &error);
    stream_close_writer (stream);
    if (error != NULL && !eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_BROKEN_PIPE))
        torture_error ("write", &error);
    eddy_clear_error (&error);
    return NULL;
}

TORTURE_SCENARIO (fd_stream_between_threads)
{
    Stream stream = { .is_slow = true };
    EddyError *error = NULL;
    pthread_t writer;
    pipe_make (stream.fds);
    torture_require (pthread_create (&writer, NULL, thread_write, &stream) == 0);
    torture_begin ();
    stream_read (&stream, &error);
    stream_close_reader (&stream);
    if (error != NULL)
        torture_error ("read", &error);
    pthread_join (writer, NULL);
    torture_end ();
    if (!torture_has_failed ())
        torture_require (stream.was_ended && stream.read == TOTAL);
    pipe_close (stream.fds);
}

/* A blocking read with a cancellable, whose data are there. */
TORTURE_SCENARIO (fd_read_with_cancellable)
{
    int fds[2];
    char byte = 0;
    EddyError *error = NULL;
    pipe_make (fds);
    torture_require (write (fds[1], "x", 1) == 1);
    torture_begin ();
    EddyCancellable *cancellable = torture_made ("a cancellable", eddy_cancellable_new ());
    ssize_t len = eddy_fd_read (fds[0], &byte, 1, -1, cancellable, &error);
    torture_end ();
    if (len < 0)
        torture_error ("read", &error);
    else
        torture_require (len == 1 && byte == 'x');
    eddy_unref (cancellable);
    pipe_close (fds);
}

static void *thread_cancel (void *data)
{
    usleep (1000);
    eddy_cancellable_cancel (data);
    return NULL;
}

/* A blocking read of nothing, which only the cancel ends. */
TORTURE_SCENARIO (fd_read_cancelled_by_thread)
{
    int fds[2];
    char byte;
    pthread_t thread;
    EddyError *error = NULL;
    pipe_make (fds);
    torture_begin ();
    EddyCancellable *cancellable = torture_made ("a cancellable", eddy_cancellable_new ());
    if (cancellable != NULL) {
        torture_require (pthread_create (&thread, NULL, thread_cancel, cancellable) == 0);
        torture_require (eddy_fd_read (fds[0], &byte, 1, -1, cancellable, &error) == -1);
        pthread_join (thread, NULL);
        torture_end ();
        torture_require (error != NULL);
        if (!eddy_error_is_cancelled (error))
            torture_error ("read", &error);
        eddy_clear_error (&error);
    }
    eddy_unref (cancellable);
    pipe_close (fds);
}

/* ---- By callback --------------------------------------------------------------------------- */

typedef struct Call {
    int calls;
    ssize_t len;
    int events;
    bool is_done;
    EddyError *error;
} Call;

static void read_ready (void *source_object, EddyAsyncResult *result, void *data)
{
    Call *call = data;
    torture_require (source_object == NULL && call->calls == 0);
    call->len = eddy_fd_read_finish (result, &call->error);
    call->calls++;
}

static void write_ready (void *source_object, EddyAsyncResult *result, void *data)
{
    Call *call = data;
    torture_require (source_object == NULL && call->calls == 0);
    call->len = eddy_fd_write_finish (result, &call->error);
    call->calls++;
}

static void wait_ready (void *source_object, EddyAsyncResult *result, void *data)
{
    Call *call = data;
    torture_require (source_object == NULL && call->calls == 0);
    call->events = eddy_fd_wait_finish (result, &call->error);
    call->calls++;
}

static void sync_ready (void *source_object, EddyAsyncResult *result, void *data)
{
    Call *call = data;
    torture_require (source_object == NULL && call->calls == 0);
    call->is_done = eddy_fd_sync_finish (result, &call->error);
    call->calls++;
}

/* After a wait that gave up: there is a result or an error, and no second call. */
static bool call_end (Call *call, const char *what)
{
    torture_require (call->calls == 1);
    if (call->error == NULL)
        return true;
    torture_error_or_cancelled (what, &call->error);
    return false;
}

/* A socket pair: one end waits and reads, then the other writes. */
TORTURE_SCENARIO (fd_socket_by_callback)
{
    int fds[2];
    char sent[LITTLE], received[LITTLE];
    Call reading = { .calls = 0 }, waiting = { .calls = 0 }, writing = { .calls = 0 };
    torture_require (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    for (size_t i = 0; i < sizeof sent; i++)
        sent[i] = torture_byte (i);
    torture_begin ();
    EddyContext *context = torture_context_begin ();
    EddyCancellable *cancellable = eddy_cancellable_new ();
    if (context != NULL && cancellable != NULL) {
        eddy_fd_read_async (fds[0], received, sizeof received, -1, EDDY_PRIORITY_DEFAULT,
                            cancellable, read_ready, &reading);
        eddy_fd_wait_async (fds[0], POLLIN, EDDY_PRIORITY_DEFAULT, cancellable, wait_ready,
                            &waiting);
        eddy_fd_write_async (fds[1], sent, sizeof sent, -1, EDDY_PRIORITY_DEFAULT, cancellable,
                             write_ready, &writing);
        torture_run_until (context, &writing.calls, 1);
        if (writing.error != NULL || writing.len < (ssize_t) sizeof sent)
            eddy_cancellable_cancel (cancellable);
        torture_run_until (context, &reading.calls, 1);
        eddy_cancellable_cancel (cancellable);
        torture_run_until (context, &waiting.calls, 1);
        torture_end ();
        bool has_written = call_end (&writing, "write"), has_read = call_end (&reading, "read");
        torture_require (!has_written || writing.len > 0);
        if (has_written && has_read)
            torture_require (reading.len > 0 && memcmp (sent, received, (size_t) reading.len) == 0);
        eddy_clear_error (&waiting.error);
    } else if (cancellable == NULL) {
        torture_refused ("a cancellable");
    }
    eddy_unref (cancellable);
    torture_context_end (context);
    pipe_close (fds);
}

/* A file, written, synced and read at offsets. */
TORTURE_SCENARIO (fd_file_by_callback)
{
    char sent[LITTLE], received[LITTLE];
    Call reading = { .calls = 0 }, syncing = { .calls = 0 }, writing = { .calls = 0 };
    int fd = open (torture_make_file ("file", LITTLE), O_RDWR | O_CLOEXEC);
    memset (sent, 'z', sizeof sent);
    torture_begin ();
    EddyContext *context = torture_context_begin ();
    if (context != NULL) {
        eddy_fd_write_async (fd, sent, sizeof sent, 100, EDDY_PRIORITY_DEFAULT, NULL, write_ready,
                             &writing);
        torture_run_until (context, &writing.calls, 1);
        eddy_fd_sync_async (fd, EDDY_PRIORITY_DEFAULT, NULL, sync_ready, &syncing);
        eddy_fd_read_async (fd, received, sizeof received, 100, EDDY_PRIORITY_DEFAULT, NULL,
                            read_ready, &reading);
        torture_run_until (context, &syncing.calls, 1);
        torture_run_until (context, &reading.calls, 1);
        torture_end ();
        bool has_written = call_end (&writing, "write"), has_read = call_end (&reading, "read");
        torture_require (call_end (&syncing, "sync") == syncing.is_done);
        if (has_written && has_read)
            torture_require (writing.len > 0 && reading.len > 0 && received[0] == 'z');
    }
    torture_context_end (context);
    close (fd);
}

/* ---- As futures ---------------------------------------------------------------------------- */

static void *cancel_soon (void *data, EddyError **error)
{
    if (eddy_fiber_sleep (1000000, error))
        eddy_cancellable_cancel (data);
    return NULL;
}

/* Nothing ever comes: the waits end by a cancel, and by letting their future go. */
TORTURE_SCENARIO (fd_wait_cancelled)
{
    int fds[2];
    EddyError *error = NULL;
    pipe_make (fds);
    torture_begin ();
    EddyContext *context = torture_context_begin ();
    EddyCancellable *cancellable = eddy_cancellable_new ();
    if (context != NULL && cancellable != NULL) {
        EddyFuture *dropped = eddy_fd_wait_future (fds[0], POLLIN, EDDY_PRIORITY_DEFAULT, NULL);
        EddyFuture *waited =
            eddy_fd_wait_future (fds[0], POLLIN, EDDY_PRIORITY_DEFAULT, cancellable);
        EddyFuture *timer = eddy_spawn (context, cancel_soon, cancellable, NULL);
        eddy_unref (dropped);
        if (!eddy_block_on_complete (context, timer, &error)) {
            torture_error ("a fiber", &error);
            eddy_cancellable_cancel (cancellable);
        }
        torture_require (!eddy_block_on_complete (context, waited, &error));
        torture_require (error != NULL);
        if (!eddy_error_is_cancelled (error))
            torture_error ("wait", &error);
        eddy_clear_error (&error);
        eddy_unref (timer);
        eddy_unref (waited);
    } else if (cancellable == NULL) {
        torture_refused ("a cancellable");
    }
    eddy_unref (cancellable);
    torture_context_end (context);
    pipe_close (fds);
}
