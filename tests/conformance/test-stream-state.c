/* SPDX-License-Identifier: MIT */
/*
 * One operation at a time, and the end of a stream.
 */
#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>

#include "stream.h"

/* --- pending ---------------------------------------------------------------------------------- */

EDDY_TEST (S1_second_read_is_pending)
{
    EddyContext *context = eddy_test_context_begin ();
    StreamPipe pipe = stream_pipe_new ();
    StreamCall first = { 0 }, second = { 0 };
    EddyError *error = NULL;
    char buffer[8], other[8];
    eddy_input_stream_read_async (pipe.input, buffer, sizeof buffer, 0, NULL, stream_called,
                                  &first);
    ck_assert (eddy_input_stream_has_pending (pipe.input));
    eddy_input_stream_read_async (pipe.input, other, sizeof other, 0, NULL, stream_called, &second);
    ck_assert_int_eq (second.calls, 0);
    ck_assert_int_eq (
        eddy_input_stream_read_finish (pipe.input, stream_await (context, &second), &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_PENDING);
    ck_assert_int_eq (eddy_input_stream_read (pipe.input, other, sizeof other, NULL, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_PENDING);
    /* The first is not disturbed. */
    ck_assert_int_eq (first.calls, 0);
    ck_assert_int_eq (eddy_output_stream_write (pipe.output, "abc", 3, NULL, &error), 3);
    ck_assert_int_eq (
        eddy_input_stream_read_finish (pipe.input, stream_await (context, &first), &error), 3);
    ck_assert_int_eq (memcmp (buffer, "abc", 3), 0);
    stream_call_clear (&first);
    stream_call_clear (&second);
    stream_pipe_clear (&pipe);
    eddy_test_context_end (context);
}

EDDY_TEST (S1_directions_are_independent)
{
    EddyContext *context = eddy_test_context_begin ();
    int fds[2];
    ck_assert_int_eq (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    EDDY_AUTO (EddyInputStream) input = eddy_fd_input_stream_new (fds[0], /* close_fd= */ true);
    EDDY_AUTO (EddyOutputStream) output = eddy_fd_output_stream_new (fds[0], false);
    EDDY_AUTO (EddyIOStream) stream = eddy_simple_io_stream_new (input, output);
    StreamCall call = { 0 };
    EddyError *error = NULL;
    char buffer[8];
    ck_assert_ptr_eq (eddy_io_stream_get_input_stream (stream), input);
    ck_assert_ptr_eq (eddy_io_stream_get_output_stream (stream), output);
    eddy_input_stream_read_async (input, buffer, sizeof buffer, 0, NULL, stream_called, &call);
    ck_assert_int_eq (eddy_output_stream_write (output, "to", 2, NULL, &error), 2);
    ck_assert_int_eq (write (fds[1], "from", 4), 4);
    ck_assert_int_eq (eddy_input_stream_read_finish (input, stream_await (context, &call), &error),
                      4);
    stream_call_clear (&call);
    close (fds[1]);
    eddy_test_context_end (context);
}

EDDY_TEST (S2_closed_stream_refuses)
{
    StreamPipe pipe = stream_pipe_new ();
    EddyError *error = NULL;
    char buffer[4];
    size_t count = 77;
    ck_assert (eddy_input_stream_close (pipe.input, NULL, &error));
    ck_assert (eddy_output_stream_close (pipe.output, NULL, &error));
    ck_assert (eddy_input_stream_is_closed (pipe.input));
    ck_assert (eddy_output_stream_is_closed (pipe.output));
    ck_assert_int_eq (eddy_input_stream_read (pipe.input, buffer, 4, NULL, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
    ck_assert (!eddy_input_stream_read_all (pipe.input, buffer, 4, &count, NULL, &error));
    ck_assert_uint_eq (count, 0);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
    ck_assert_int_eq (eddy_input_stream_skip (pipe.input, 4, NULL, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
    ck_assert_ptr_null (eddy_input_stream_read_bytes (pipe.input, 4, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
    ck_assert_int_eq (eddy_output_stream_write (pipe.output, "x", 1, NULL, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
    ck_assert (!eddy_output_stream_flush (pipe.output, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
    /* Nothing at all can be read, skipped or written anywhere. */
    ck_assert_int_eq (eddy_input_stream_read (pipe.input, buffer, 0, NULL, &error), 0);
    ck_assert_int_eq (eddy_input_stream_skip (pipe.input, 0, NULL, &error), 0);
    ck_assert_int_eq (eddy_output_stream_write (pipe.output, buffer, 0, NULL, &error), 0);
    ck_assert_ptr_null (error);
    stream_pipe_clear (&pipe);
}

typedef struct Again {
    StreamCall call;
    EddyInputStream *input;
    char buffer[4];
    int left;
} Again;

static void read_again (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Again *again = user_data;
    EddyError *error = NULL;
    ck_assert (!eddy_input_stream_has_pending (source_object));
    ck_assert_int_eq (eddy_input_stream_read_finish (source_object, result, &error), 1);
    if (--again->left > 0)
        eddy_input_stream_read_async (again->input, again->buffer, 1, 0, NULL, read_again, again);
    else
        again->call.calls++;
}

EDDY_TEST (S3_callback_may_start_the_next)
{
    EddyContext *context = eddy_test_context_begin ();
    StreamPipe pipe = stream_pipe_new ();
    EddyError *error = NULL;
    Again again = { .input = pipe.input, .left = 5 };
    ck_assert_int_eq (eddy_output_stream_write (pipe.output, "abcde", 5, NULL, &error), 5);
    eddy_input_stream_read_async (pipe.input, again.buffer, 1, 0, NULL, read_again, &again);
    (void) stream_await (context, &again.call);
    stream_pipe_clear (&pipe);
    eddy_test_context_end (context);
}

EDDY_TEST (S4_pending_ends_without_finish)
{
    EddyContext *context = eddy_test_context_begin ();
    StreamPipe pipe = stream_pipe_new ();
    StreamCall call = { 0 };
    EddyError *error = NULL;
    const EddyOutputVector vectors[] = { { NULL, 0 }, { "abcd", 4 } };
    eddy_output_stream_writev_async (pipe.output, vectors, 2, 0, NULL, stream_called, &call);
    stream_await (context, &call); /* and nobody asks for the count */
    ck_assert (!eddy_output_stream_has_pending (pipe.output));
    ck_assert_int_eq (eddy_output_stream_write (pipe.output, "ef", 2, NULL, &error), 2);
    stream_call_clear (&call);
    eddy_output_stream_write_async (pipe.output, "g", 1, 0, NULL, NULL, NULL);
    while (eddy_output_stream_has_pending (pipe.output))
        eddy_context_iteration (context, /* may_block= */ true);
    char buffer[8] = "";
    ck_assert_int_eq (eddy_input_stream_read (pipe.input, buffer, 7, NULL, &error), 7);
    ck_assert_str_eq (buffer, "abcdefg");
    stream_pipe_clear (&pipe);
    eddy_test_context_end (context);
}

EDDY_TEST (S5_running_operation_keeps_the_stream)
{
    EddyContext *context = eddy_test_context_begin ();
    StreamPipe pipe = stream_pipe_new ();
    StreamCall call = { 0 };
    EddyError *error = NULL;
    char buffer[8];
    EddyInputStream *input = pipe.input;
    eddy_input_stream_read_async (input, buffer, 8, 0, NULL, stream_called, &call);
    eddy_clear (&pipe.input);
    ck_assert_int_eq (eddy_output_stream_write (pipe.output, "abc", 3, NULL, &error), 3);
    EddyAsyncResult *result = stream_await (context, &call);
    ck_assert_int_eq (eddy_input_stream_read_finish (input, result, &error), 3);
    stream_call_clear (&call);
    stream_pipe_clear (&pipe);
    eddy_test_context_end (context);
}

/* --- close ------------------------------------------------------------------------------------ */

static void close_twice_by_callback (EddyContext *context, StreamPipe *pipe)
{
    StreamCall calls[2] = { { 0 } };
    EddyError *error = NULL;
    eddy_output_stream_close_async (pipe->output, 0, NULL, stream_called, &calls[0]);
    ck_assert (
        eddy_output_stream_close_finish (pipe->output, stream_await (context, &calls[0]), &error));
    eddy_output_stream_close_async (pipe->output, 0, NULL, stream_called, &calls[1]);
    ck_assert (
        eddy_output_stream_close_finish (pipe->output, stream_await (context, &calls[1]), &error));
    stream_call_clear (&calls[0]);
    stream_call_clear (&calls[1]);
}

EDDY_TEST (S6_second_close_succeeds)
{
    EddyContext *context = eddy_test_context_begin ();
    StreamPipe pipe = stream_pipe_new ();
    EddyError *error = NULL;
    EDDY_AUTO (EddyIOStream) stream = eddy_simple_io_stream_new (pipe.input, pipe.output);
    close_twice_by_callback (context, &pipe);
    for (int i = 0; i < 2; i++) {
        ck_assert (eddy_input_stream_close (pipe.input, NULL, &error));
        ck_assert (eddy_output_stream_close (pipe.output, NULL, &error));
        ck_assert (eddy_io_stream_close (stream, NULL, &error));
    }
    ck_assert (eddy_io_stream_is_closed (stream));
    stream_pipe_clear (&pipe);
    eddy_test_context_end (context);
}

EDDY_TEST (S7_close_while_pending_is_refused)
{
    EddyContext *context = eddy_test_context_begin ();
    StreamPipe pipe = stream_pipe_new ();
    EDDY_AUTO (EddyIOStream) stream = eddy_simple_io_stream_new (pipe.input, pipe.output);
    StreamCall call = { 0 };
    EddyError *error = NULL;
    char buffer[4];
    eddy_input_stream_read_async (pipe.input, buffer, 4, 0, NULL, stream_called, &call);
    ck_assert (!eddy_input_stream_close (pipe.input, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_PENDING);
    ck_assert (!eddy_io_stream_close (stream, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_PENDING);
    ck_assert (!eddy_input_stream_is_closed (pipe.input));
    ck_assert (!eddy_io_stream_is_closed (stream));
    ck_assert_int_eq (eddy_output_stream_write (pipe.output, "x", 1, NULL, &error), 1);
    stream_await (context, &call);
    ck_assert (eddy_io_stream_close (stream, NULL, &error));
    ck_assert (eddy_input_stream_is_closed (pipe.input));
    stream_call_clear (&call);
    stream_pipe_clear (&pipe);
    eddy_test_context_end (context);
}

/* A stream whose flush and close fail on demand, and that counts them. */
typedef struct Sink {
    EddyOutputStream stream;
    bool flush_fails;
    bool close_fails;
    int flushes;
    int closes;
} Sink;

static ssize_t sink_write (EddyOutputStream *stream, const void *buffer, size_t count,
                           EddyCancellable *cancellable, EddyError **error)
{
    (void) stream;
    (void) buffer;
    (void) cancellable;
    (void) error;
    return count > 3 ? 3 : (ssize_t) count;
}

static bool sink_step (bool fails, const char *what, EddyError **error)
{
    if (fails)
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_FAILED, "%s fails", what);
    return !fails;
}

static bool sink_flush (EddyOutputStream *stream, EddyCancellable *cancellable, EddyError **error)
{
    Sink *sink = (Sink *) (void *) stream;
    (void) cancellable;
    sink->flushes++;
    return sink_step (sink->flush_fails, "flush", error);
}

static bool sink_close (EddyOutputStream *stream, EddyCancellable *cancellable, EddyError **error)
{
    Sink *sink = (Sink *) (void *) stream;
    (void) cancellable;
    sink->closes++;
    return sink_step (sink->close_fails, "close", error);
}

static const EddyOutputStreamClass sink_class = {
    .stream.object = { .name = "Sink", .size = sizeof (Sink) },
    .write = sink_write,
    .flush = sink_flush,
    .close = sink_close,
};

EDDY_TEST (S8_close_flushes_and_its_error_wins)
{
    for (int fails = 0; fails < 4; fails++) {
        EddyError *error = NULL;
        Sink *sink = eddy_object_new (&sink_class.stream.object);
        sink->flush_fails = (fails & 1) != 0;
        sink->close_fails = (fails & 2) != 0;
        bool closed = eddy_output_stream_close (&sink->stream, NULL, &error);
        ck_assert_int_eq (closed, fails == 0);
        if (!closed)
            ck_assert_str_eq (eddy_error_get_message (error),
                              sink->flush_fails ? "flush fails" : "close fails");
        eddy_clear_error (&error);
        ck_assert_int_eq (sink->flushes, 1);
        ck_assert_int_eq (sink->closes, 1);
        ck_assert (eddy_output_stream_is_closed (&sink->stream));
        eddy_unref (sink);
    }
}

EDDY_TEST (S9_dispose_closes_without_waiting)
{
    StreamPipe pipe = stream_pipe_new ();
    int fd = eddy_fd_input_stream_get_fd (pipe.input);
    EddyError *error = NULL;
    char byte;
    eddy_clear (&pipe.output);
    ck_assert_int_eq (eddy_input_stream_read (pipe.input, &byte, 1, NULL, &error), 0);
    eddy_clear (&pipe.input);
    ck_assert_int_eq (fcntl (fd, F_GETFD), -1);
    ck_assert_int_eq (errno, EBADF);
}

EDDY_TEST (S10_io_stream_closes_output_then_input)
{
    EddyError *error = NULL;
    Sink *sink = eddy_object_new (&sink_class.stream.object);
    EDDY_AUTO (EddyInputStream) input = eddy_memory_input_stream_new ();
    EDDY_AUTO (EddyIOStream) stream = eddy_simple_io_stream_new (input, &sink->stream);
    sink->close_fails = true;
    ck_assert (!eddy_io_stream_close (stream, NULL, &error));
    ck_assert_str_eq (eddy_error_get_message (error), "close fails");
    eddy_clear_error (&error);
    ck_assert (eddy_input_stream_is_closed (input));
    ck_assert (eddy_output_stream_is_closed (&sink->stream));
    ck_assert (eddy_io_stream_is_closed (stream));
    eddy_unref (sink);
}

/* --- threads and priorities ------------------------------------------------------------------- */

static void *read_elsewhere (void *data)
{
    EddyInputStream *input = data;
    EddyError *error = NULL;
    char byte = 0;
    ck_assert_int_eq (eddy_input_stream_read (input, &byte, 1, NULL, &error), 1);
    return (void *) (intptr_t) byte;
}

EDDY_TEST (S12_threads_take_turns)
{
    StreamPipe pipe = stream_pipe_new ();
    EddyError *error = NULL;
    ck_assert_int_eq (eddy_output_stream_write (pipe.output, "abc", 3, NULL, &error), 3);
    for (char expected = 'a'; expected <= 'c'; expected++) {
        pthread_t thread;
        void *byte;
        ck_assert_int_eq (pthread_create (&thread, NULL, read_elsewhere, pipe.input), 0);
        ck_assert_int_eq (pthread_join (thread, &byte), 0);
        ck_assert_int_eq ((intptr_t) byte, expected);
    }
    stream_pipe_clear (&pipe);
}

typedef struct Order {
    char names[8];
    int n;
} Order;

typedef struct Ranked {
    Order *order;
    char name;
} Ranked;

static void ranked_called (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Ranked *ranked = user_data;
    (void) source_object;
    (void) result;
    ranked->order->names[ranked->order->n++] = ranked->name;
}

/* Both are ready before the loop looks; the one that was started last is more urgent. In memory a
 * fiber does the work, on a pipe a request. */
static void expect_urgent_first (EddyContext *context, EddyInputStream *one, EddyInputStream *other)
{
    char buffer[2];
    Order order = { "", 0 };
    Ranked late = { &order, 'l' }, urgent = { &order, 'u' };
    eddy_input_stream_read_async (one, &buffer[0], 1, EDDY_PRIORITY_LOW, NULL, ranked_called,
                                  &late);
    eddy_input_stream_read_async (other, &buffer[1], 1, EDDY_PRIORITY_HIGH, NULL, ranked_called,
                                  &urgent);
    while (order.n < 2)
        eddy_context_iteration (context, /* may_block= */ true);
    ck_assert_str_eq (order.names, "ul");
}

EDDY_TEST (S22_priority_is_honoured)
{
    EddyContext *context = eddy_test_context_begin ();
    StreamPipe pipes[2] = { stream_pipe_new (), stream_pipe_new () };
    EddyError *error = NULL;
    EDDY_AUTO (EddyBytes) bytes = eddy_bytes_new ("x", 1);
    EDDY_AUTO (EddyInputStream) one = eddy_memory_input_stream_new_from_bytes (bytes);
    EDDY_AUTO (EddyInputStream) other = eddy_memory_input_stream_new_from_bytes (bytes);
    expect_urgent_first (context, one, other);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq (eddy_output_stream_write (pipes[i].output, "x", 1, NULL, &error), 1);
    expect_urgent_first (context, pipes[0].input, pipes[1].input);
    for (int i = 0; i < 2; i++)
        stream_pipe_clear (&pipes[i]);
    eddy_test_context_end (context);
}
