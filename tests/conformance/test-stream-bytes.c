/* SPDX-License-Identifier: MIT */
/*
 * Reading, writing and splicing: counts, ends, errors and cancels.
 */
#include <limits.h>
#include <sys/socket.h>

#include <eddy/testing.h>

#include "stream.h"

enum { MANY = 300000 };

/* --- reading ---------------------------------------------------------------------------------- */

EDDY_TEST (S13_read_gives_what_is_there)
{
    StreamPipe pipe = stream_pipe_new ();
    EddyError *error = NULL;
    char buffer[16];
    ck_assert_int_eq (eddy_output_stream_write (pipe.output, "hello", 5, NULL, &error), 5);
    ck_assert_int_eq (eddy_input_stream_read (pipe.input, buffer, 2, NULL, &error), 2);
    ck_assert_int_eq (eddy_input_stream_read (pipe.input, buffer + 2, 14, NULL, &error), 3);
    ck_assert_int_eq (memcmp (buffer, "hello", 5), 0);
    eddy_clear (&pipe.output);
    ck_assert_int_eq (eddy_input_stream_read (pipe.input, buffer, 16, NULL, &error), 0);
    ck_assert_ptr_null (error);
    ck_assert_int_eq (
        eddy_input_stream_read (pipe.input, buffer, (size_t) SSIZE_MAX + 1, NULL, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
    stream_pipe_clear (&pipe);
}

EDDY_TEST (S14_bytes_are_there_when_the_callback_is)
{
    EddyContext *context = eddy_test_context_begin ();
    StreamPipe pipe = stream_pipe_new ();
    StreamCall call = { 0 };
    EddyError *error = NULL;
    char buffer[4] = "";
    ck_assert_int_eq (eddy_output_stream_write (pipe.output, "abc", 3, NULL, &error), 3);
    eddy_input_stream_read_async (pipe.input, buffer, 3, 0, NULL, stream_called, &call);
    ck_assert_int_eq (call.calls, 0); /* even where the bytes are in the buffer by now */
    EddyAsyncResult *result = stream_await (context, &call);
    ck_assert_int_eq (eddy_input_stream_read_finish (pipe.input, result, &error), 3);
    ck_assert_str_eq (buffer, "abc");
    stream_call_clear (&call);
    stream_pipe_clear (&pipe);
    eddy_test_context_end (context);
}

static void *write_slowly (void *data, EddyError **error)
{
    EddyOutputStream *output = data;
    char bytes[7];
    for (size_t done = 0; done < 70; done += sizeof bytes) {
        stream_fill (bytes, sizeof bytes, done);
        if (!eddy_output_stream_write_all (output, bytes, sizeof bytes, NULL, NULL, error))
            return NULL;
        eddy_fiber_yield ();
    }
    (void) eddy_output_stream_close (output, NULL, error);
    return NULL;
}

static void *read_all_of_it (void *data, EddyError **error)
{
    StreamPipe *pipe = data;
    EddyFuture *writer = eddy_spawn_local (write_slowly, pipe->output, NULL);
    char buffer[100];
    size_t count = 0;
    ck_assert (eddy_input_stream_read_all (pipe->input, buffer, 40, &count, NULL, error));
    ck_assert_uint_eq (count, 40);
    stream_expect (buffer, 40, 0);
    /* The end comes first: that is no error here, and one there. */
    ck_assert (eddy_input_stream_read_all (pipe->input, buffer, 20, &count, NULL, error));
    ck_assert_uint_eq (count, 20);
    EddyError *failure = NULL;
    ck_assert (!eddy_input_stream_read_exactly (pipe->input, buffer, 11, &count, NULL, &failure));
    ck_assert_uint_eq (count, 10);
    stream_expect (buffer, 10, 60);
    eddy_test_expect_error (&failure, EDDY_IO_ERROR_PARTIAL_INPUT);
    ck_assert (eddy_input_stream_read_all (pipe->input, buffer, 5, &count, NULL, error));
    ck_assert_uint_eq (count, 0);
    ck_assert (eddy_await_complete (writer, error));
    eddy_unref (writer);
    return NULL;
}

EDDY_TEST (S15_read_all_ends_at_the_end)
{
    EddyContext *context = eddy_test_context_begin ();
    StreamPipe pipe = stream_pipe_new ();
    eddy_test_run_fiber (context, read_all_of_it, &pipe);
    stream_pipe_clear (&pipe);
    eddy_test_context_end (context);
}

EDDY_TEST (S15_count_is_told_on_failure)
{
    EddyContext *context = eddy_test_context_begin ();
    StreamPipe pipe = stream_pipe_new ();
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    StreamCall call = { 0 };
    EddyError *error = NULL;
    char buffer[10];
    size_t count = 77;
    ck_assert_int_eq (eddy_output_stream_write (pipe.output, "abcd", 4, NULL, &error), 4);
    eddy_input_stream_read_all_async (pipe.input, buffer, 10, 0, cancellable, stream_called, &call);
    while (eddy_context_iteration (context, /* may_block= */ false))
        ;
    eddy_cancellable_cancel (cancellable);
    EddyAsyncResult *result = stream_await (context, &call);
    ck_assert (!eddy_input_stream_read_all_finish (pipe.input, result, &count, &error));
    ck_assert_uint_eq (count, 4);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    stream_call_clear (&call);
    stream_pipe_clear (&pipe);
    eddy_test_context_end (context);
}

/* --- writing ---------------------------------------------------------------------------------- */

static void *read_and_check (void *data, EddyError **error)
{
    EddyInputStream *input = data;
    static char buffer[4096];
    size_t done = 0;
    ssize_t count;
    while ((count = eddy_input_stream_read (input, buffer, sizeof buffer, NULL, error)) > 0) {
        stream_expect (buffer, (size_t) count, done);
        done += (size_t) count;
    }
    return (void *) done;
}

static void *write_all_of_it (void *data, EddyError **error)
{
    StreamPipe *pipe = data;
    static char bytes[MANY];
    size_t count = 0;
    stream_fill (bytes, sizeof bytes, 0);
    EddyFuture *reader = eddy_spawn_local (read_and_check, pipe->input, NULL);
    ck_assert (
        eddy_output_stream_write_all (pipe->output, bytes, sizeof bytes, &count, NULL, error));
    ck_assert_uint_eq (count, sizeof bytes);
    ck_assert (eddy_output_stream_close (pipe->output, NULL, error));
    ck_assert_uint_eq ((uintptr_t) eddy_await (reader, error), sizeof bytes);
    eddy_unref (reader);
    return NULL;
}

EDDY_TEST (S16_write_all_writes_all)
{
    EddyContext *context = eddy_test_context_begin ();
    StreamPipe pipe = stream_pipe_new ();
    eddy_test_run_fiber (context, write_all_of_it, &pipe);
    stream_pipe_clear (&pipe);
    eddy_test_context_end (context);
}

EDDY_TEST (S16_reader_that_has_gone_is_an_error)
{
    StreamPipe pipe = stream_pipe_new ();
    EddyError *error = NULL;
    size_t count = 77;
    eddy_clear (&pipe.input);
    ck_assert (!eddy_output_stream_write_all (pipe.output, "abc", 3, &count, NULL, &error));
    ck_assert_uint_eq (count, 0);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_BROKEN_PIPE);
    stream_pipe_clear (&pipe);
}

EDDY_TEST (S17_runs_of_bytes)
{
    StreamPipe pipe = stream_pipe_new ();
    EddyError *error = NULL;
    EddyOutputVector vectors[] = { { NULL, 0 }, { "ab", 2 }, { NULL, 0 }, { "cde", 3 } };
    char buffer[16] = "";
    size_t count = 77;
    ck_assert_int_eq (eddy_output_stream_writev (pipe.output, vectors, 0, NULL, &error), 0);
    ck_assert_int_eq (eddy_output_stream_writev (pipe.output, vectors, 1, NULL, &error), 0);
    ck_assert (eddy_output_stream_writev_all (pipe.output, vectors, 4, &count, NULL, &error));
    ck_assert_uint_eq (count, 5);
    ck_assert_int_eq (eddy_input_stream_read (pipe.input, buffer, 16, NULL, &error), 5);
    ck_assert_str_eq (buffer, "abcde");
    for (int i = 0; i < 4; i++)
        ck_assert_uint_eq (vectors[i].size, 0);
    EddyOutputVector huge[] = { { "a", SIZE_MAX }, { "b", 2 } };
    ck_assert_int_eq (eddy_output_stream_writev (pipe.output, huge, 2, NULL, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
    ck_assert (!eddy_output_stream_writev_all (pipe.output, huge, 2, &count, NULL, &error));
    ck_assert_uint_eq (count, 0);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
    stream_pipe_clear (&pipe);
}

/* A memory stream with a limit takes some of the second run, and then fails. */
EDDY_TEST (S18_error_after_some_bytes_is_a_short_success)
{
    EDDY_AUTO (EddyOutputStream) output = eddy_memory_output_stream_new (4);
    EddyError *error = NULL;
    EddyOutputVector vectors[] = { { "abc", 3 }, { "def", 3 } };
    size_t count = 77;
    ck_assert_int_gt (eddy_output_stream_writev (output, vectors, 2, NULL, &error), 0);
    ck_assert_ptr_null (error);
    EDDY_AUTO (EddyOutputStream) other = eddy_memory_output_stream_new (4);
    ck_assert (!eddy_output_stream_writev_all (other, vectors, 2, &count, NULL, &error));
    ck_assert_uint_eq (count, 4);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NO_SPACE);
    ck_assert_int_eq (memcmp (eddy_memory_output_stream_get_data (other), "abcd", 4), 0);
}

EDDY_TEST (S19_streams_are_tried_first)
{
    EddyContext *context = eddy_test_context_begin ();
    StreamPipe pipe = stream_pipe_new ();
    StreamCall call = { 0 };
    EddyError *error = NULL;
    EddyContextStatistics before, after;
    char byte;
    eddy_context_iteration (context, /* may_block= */ false);
    ck_assert_int_eq (eddy_output_stream_write (pipe.output, "x", 1, NULL, &error), 1);
    eddy_context_get_statistics (context, &before);
    eddy_input_stream_read_async (pipe.input, &byte, 1, 0, NULL, stream_called, &call);
    stream_await (context, &call);
    eddy_context_get_statistics (context, &after);
    ck_assert_uint_eq (after.workers, before.workers);
    stream_call_clear (&call);
    stream_pipe_clear (&pipe);
    eddy_test_context_end (context);
}

/* What has moved is told, and nothing is lost, whenever the cancel comes. */
EDDY_TEST (S20_cancel_loses_no_bytes)
{
    EddyContext *context = eddy_test_context_begin ();
    StreamPipe pipe = stream_pipe_new ();
    EddyError *error = NULL;
    size_t sent = 0, received = 0;
    for (int i = 0; i < 2000; i++) {
        EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
        StreamCall call = { 0 };
        char bytes[3], buffer[8];
        eddy_input_stream_read_async (pipe.input, buffer, 8, 0, cancellable, stream_called, &call);
        if (i % 3 == 0)
            eddy_context_iteration (context, /* may_block= */ false);
        if (i % 2 == 0) {
            stream_fill (bytes, 3, sent);
            sent += (size_t) eddy_output_stream_write (pipe.output, bytes, 3, NULL, &error);
        }
        if (i % 5 == 0)
            eddy_context_iteration (context, /* may_block= */ false);
        eddy_cancellable_cancel (cancellable);
        EddyAsyncResult *result = stream_await (context, &call);
        ssize_t count = eddy_input_stream_read_finish (pipe.input, result, &error);
        if (count < 0)
            eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
        else
            stream_expect (buffer, (size_t) count, received);
        received += count > 0 ? (size_t) count : 0;
        stream_call_clear (&call);
    }
    eddy_clear (&pipe.output);
    char buffer[64];
    ssize_t count;
    while ((count = eddy_input_stream_read (pipe.input, buffer, 64, NULL, &error)) > 0) {
        stream_expect (buffer, (size_t) count, received);
        received += (size_t) count;
    }
    ck_assert_uint_eq (received, sent);
    stream_pipe_clear (&pipe);
    eddy_test_context_end (context);
}

EDDY_TEST (S21_skip_tells_what_it_passed_over)
{
    EddyContext *context = eddy_test_context_begin ();
    StreamPipe pipe = stream_pipe_new ();
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    StreamCall call = { 0 };
    EddyError *error = NULL;
    ck_assert_int_eq (eddy_output_stream_write (pipe.output, "abcdef", 6, NULL, &error), 6);
    ck_assert_int_eq (eddy_input_stream_skip (pipe.input, 2, NULL, &error), 2);
    eddy_input_stream_skip_async (pipe.input, 100, 0, cancellable, stream_called, &call);
    while (eddy_context_iteration (context, /* may_block= */ false))
        ;
    eddy_cancellable_cancel (cancellable);
    EddyAsyncResult *result = stream_await (context, &call);
    ck_assert_int_eq (eddy_input_stream_skip_finish (pipe.input, result, &error), 4);
    ck_assert_ptr_null (error);
    ck_assert_int_eq (eddy_input_stream_skip (pipe.input, 1, cancellable, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    stream_call_clear (&call);
    stream_pipe_clear (&pipe);
    eddy_test_context_end (context);
}

/* --- splicing --------------------------------------------------------------------------------- */

static EddyInputStream *make_input (size_t count)
{
    char *bytes = malloc (count);
    stream_fill (bytes, count, 0);
    EDDY_AUTO (EddyBytes) copy = eddy_bytes_new (bytes, count);
    free (bytes);
    return eddy_memory_input_stream_new_from_bytes (copy);
}

EDDY_TEST (S23_splice_copies_and_closes)
{
    for (unsigned flags = 0; flags < 4; flags++) {
        EDDY_AUTO (EddyInputStream) input = make_input (MANY);
        EDDY_AUTO (EddyOutputStream) output = eddy_memory_output_stream_new (0);
        EddyError *error = NULL;
        size_t count = 77;
        ck_assert (eddy_output_stream_splice (output, input, flags, &count, NULL, &error));
        ck_assert_uint_eq (count, MANY);
        ck_assert_uint_eq (eddy_memory_output_stream_get_size (output), MANY);
        stream_expect (eddy_memory_output_stream_get_data (output), MANY, 0);
        ck_assert_int_eq (eddy_input_stream_is_closed (input), (flags & 1) != 0);
        ck_assert_int_eq (eddy_output_stream_is_closed (output), (flags & 2) != 0);
    }
}

EDDY_TEST (S24_splice_of_closed_or_cancelled)
{
    EDDY_AUTO (EddyInputStream) input = make_input (10);
    EDDY_AUTO (EddyOutputStream) output = eddy_memory_output_stream_new (0);
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    EddyError *error = NULL;
    size_t count = 77;
    eddy_cancellable_cancel (cancellable);
    ck_assert (!eddy_output_stream_splice (output, input, 3, &count, cancellable, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    ck_assert_uint_eq (count, 0);
    ck_assert (eddy_input_stream_is_closed (input));
    ck_assert (eddy_output_stream_is_closed (output));
    ck_assert (!eddy_output_stream_splice (output, input, 0, &count, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
}

EDDY_TEST (S25_splice_tells_its_count_on_failure)
{
    EDDY_AUTO (EddyInputStream) input = make_input (MANY);
    EDDY_AUTO (EddyOutputStream) output = eddy_memory_output_stream_new (200001);
    EddyError *error = NULL;
    size_t count = 77;
    ck_assert (!eddy_output_stream_splice (output, input, 0, &count, NULL, &error));
    ck_assert_uint_eq (count, 200001);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NO_SPACE);
    stream_expect (eddy_memory_output_stream_get_data (output), 200001, 0);
}

/* --- both ways -------------------------------------------------------------------------------- */

typedef struct Proxy {
    int near[2]; /* a client, and the end that is spliced */
    int far[2];
    EddyIOStream *streams[2];
    EddyIOStreamSpliceFlags flags;
} Proxy;

static EddyIOStream *proxy_stream (int fd)
{
    EDDY_AUTO (EddyInputStream) input = eddy_fd_input_stream_new (fd, /* close_fd= */ false);
    EDDY_AUTO (EddyOutputStream) output = eddy_fd_output_stream_new (fd, /* close_fd= */ true);
    return eddy_simple_io_stream_new (input, output);
}

static void proxy_begin (Proxy *proxy)
{
    ck_assert_int_eq (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, proxy->near), 0);
    ck_assert_int_eq (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, proxy->far), 0);
    proxy->streams[0] = proxy_stream (proxy->near[1]);
    proxy->streams[1] = proxy_stream (proxy->far[0]);
}

static void proxy_end (Proxy *proxy)
{
    eddy_unref (proxy->streams[0]);
    eddy_unref (proxy->streams[1]);
    close (proxy->near[0]);
    close (proxy->far[1]);
}

EDDY_TEST (S27_first_end_ends_both)
{
    EddyContext *context = eddy_test_context_begin ();
    Proxy proxy;
    StreamCall call = { 0 };
    EddyError *error = NULL;
    proxy_begin (&proxy);
    eddy_io_stream_splice_async (proxy.streams[0], proxy.streams[1],
                                 EDDY_IO_STREAM_SPLICE_CLOSE_STREAM1 |
                                     EDDY_IO_STREAM_SPLICE_CLOSE_STREAM2,
                                 0, NULL, stream_called, &call);
    ck_assert_int_eq (write (proxy.near[0], "there", 5), 5);
    ck_assert_int_eq (write (proxy.far[1], "back", 4), 4);
    shutdown (proxy.near[0], SHUT_WR);
    EddyAsyncResult *result = stream_await (context, &call);
    ck_assert (eddy_io_stream_splice_finish (proxy.streams[0], result, &error));
    ck_assert (eddy_io_stream_is_closed (proxy.streams[0]));
    ck_assert (eddy_io_stream_is_closed (proxy.streams[1]));
    char buffer[8] = "";
    ck_assert_int_eq (read (proxy.far[1], buffer, 8), 5);
    ck_assert_str_eq (buffer, "there");
    stream_call_clear (&call);
    proxy_end (&proxy);
    eddy_test_context_end (context);
}

EDDY_TEST (S27_waits_for_both_where_asked)
{
    EddyContext *context = eddy_test_context_begin ();
    Proxy proxy;
    StreamCall call = { 0 };
    EddyError *error = NULL;
    proxy_begin (&proxy);
    eddy_io_stream_splice_async (proxy.streams[0], proxy.streams[1],
                                 EDDY_IO_STREAM_SPLICE_WAIT_FOR_BOTH, 0, NULL, stream_called,
                                 &call);
    shutdown (proxy.near[0], SHUT_WR);
    while (eddy_context_iteration (context, /* may_block= */ false))
        ;
    ck_assert_int_eq (call.calls, 0);
    ck_assert_int_eq (write (proxy.far[1], "later", 5), 5);
    shutdown (proxy.far[1], SHUT_WR);
    EddyAsyncResult *result = stream_await (context, &call);
    ck_assert (eddy_io_stream_splice_finish (proxy.streams[0], result, &error));
    char buffer[8] = "";
    ck_assert_int_eq (read (proxy.near[0], buffer, 8), 5);
    ck_assert_str_eq (buffer, "later");
    stream_call_clear (&call);
    proxy_end (&proxy);
    eddy_test_context_end (context);
}

static void *splice_fiber (void *data, EddyError **error)
{
    Proxy *proxy = data;
    (void) eddy_io_stream_splice (proxy->streams[0], proxy->streams[1], proxy->flags, NULL, error);
    return NULL;
}

EDDY_TEST (S27_cancel_ends_both)
{
    EddyContext *context = eddy_test_context_begin ();
    Proxy proxy = { .flags = EDDY_IO_STREAM_SPLICE_WAIT_FOR_BOTH };
    proxy_begin (&proxy);
    EddyFuture *fiber = eddy_spawn_local (splice_fiber, &proxy, NULL);
    while (eddy_context_iteration (context, /* may_block= */ false))
        ;
    eddy_future_cancel (fiber);
    EddyError *error = NULL;
    ck_assert (!eddy_block_on_complete (context, fiber, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    ck_assert (!eddy_io_stream_has_pending (proxy.streams[0]));
    ck_assert (!eddy_io_stream_has_pending (proxy.streams[1]));
    eddy_unref (fiber);
    proxy_end (&proxy);
    eddy_test_context_end (context);
}

/* One that cannot begin closes what it is to close, too. */
EDDY_TEST (S27_cancelled_before_it_begins)
{
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    EddyError *error = NULL;
    Proxy proxy = { .flags = 0 };
    proxy_begin (&proxy);
    eddy_cancellable_cancel (cancellable);
    ck_assert (!eddy_io_stream_splice (proxy.streams[0], proxy.streams[1],
                                       EDDY_IO_STREAM_SPLICE_CLOSE_STREAM1 |
                                           EDDY_IO_STREAM_SPLICE_CLOSE_STREAM2,
                                       cancellable, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    ck_assert (eddy_io_stream_is_closed (proxy.streams[0]));
    ck_assert (eddy_io_stream_is_closed (proxy.streams[1]));
    proxy_end (&proxy);
}

/* --- how splicing moves ----------------------------------------------------------------------- */

/* Gives as much as is asked for, and keeps how much that was. */
typedef struct Source {
    EddyInputStream stream;
    size_t largest;
    size_t left;
} Source;

static ssize_t source_read (EddyInputStream *stream, void *buffer, size_t count,
                            EddyCancellable *cancellable, EddyError **error)
{
    Source *source = (Source *) (void *) stream;
    (void) cancellable;
    (void) error;
    size_t given = count < source->left ? count : source->left;
    memset (buffer, 'x', given);
    source->left -= given;
    if (count > source->largest)
        source->largest = count;
    return (ssize_t) given;
}

static const EddyInputStreamClass source_class = {
    .stream.object = { .name = "Source", .size = sizeof (Source) },
    .read = source_read,
};

EDDY_TEST (S26_splice_moves_much_at_a_time)
{
    Source *source = eddy_object_new (&source_class.stream.object);
    EDDY_AUTO (EddyOutputStream) output = eddy_memory_output_stream_new (0);
    EddyError *error = NULL;
    size_t count = 0;
    source->left = MANY;
    ck_assert (eddy_output_stream_splice (output, &source->stream, 0, &count, NULL, &error));
    ck_assert_uint_eq (count, MANY);
    ck_assert_uint_ge (source->largest, 65536);
    eddy_unref (source);
}

/* --- cancelled everywhere --------------------------------------------------------------------- */

typedef struct Channelled {
    EddyInputStream *from;
    StreamPipe pipe;
    EddyOutputStream *to;
} Channelled;

static void *channel_in (void *data, EddyError **error)
{
    Channelled *channelled = data;
    (void) eddy_output_stream_splice (channelled->pipe.output, channelled->from,
                                      EDDY_OUTPUT_STREAM_SPLICE_CLOSE_TARGET, NULL, NULL, error);
    return NULL;
}

static void *channel_out (void *data, EddyError **error)
{
    Channelled *channelled = data;
    (void) eddy_output_stream_splice (channelled->to, channelled->pipe.input,
                                      EDDY_OUTPUT_STREAM_SPLICE_CLOSE_SOURCE, NULL, NULL, error);
    return NULL;
}

static void *channel_all (void *data, EddyError **error)
{
    Channelled *channelled = data;
    channelled->from = make_input (MANY);
    channelled->pipe = stream_pipe_new ();
    channelled->to = eddy_memory_output_stream_new (0);
    EddyGroup *group = eddy_group_new ();
    if (eddy_group_spawn (group, channel_in, channelled, NULL, error) &&
        eddy_group_spawn (group, channel_out, channelled, NULL, error))
        (void) eddy_group_wait (group, error);
    eddy_group_leave (group);
    /* A stream that is only let go of is closed a little later, by a worker. */
    ck_assert (eddy_output_stream_close (channelled->pipe.output, NULL, NULL));
    eddy_clear (&channelled->from);
    stream_pipe_clear (&channelled->pipe);
    return NULL;
}

/* What has arrived is the beginning of what was sent, whole where nothing was cancelled. */
static void channel_check (void *data, bool cancelled, uint32_t point)
{
    Channelled *channelled = data;
    (void) point;
    size_t size = eddy_memory_output_stream_get_size (channelled->to);
    stream_expect (eddy_memory_output_stream_get_data (channelled->to), size, 0);
    if (!cancelled)
        ck_assert_uint_eq (size, MANY);
    eddy_clear (&channelled->to);
}

EDDY_TEST (D_stream_cancelled_everywhere)
{
    EddyTestCancelReport report;
    Channelled channelled;
    ck_assert_msg (eddy_test_cancel_everywhere (channel_all, &channelled, channel_check, &report),
                   "%s", report.failure);
    ck_assert_uint_ge (report.cancelled, 5);
}
