/* SPDX-License-Identifier: MIT */
/*
 * Every operation on streams by callback and as a future, on streams of one kind and another; and
 * positions.
 */
#include <errno.h>
#include <sys/socket.h>

#include "stream.h"

/* --- reading ---------------------------------------------------------------------------------- */

EDDY_TEST (D_stream_input_by_callback)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyBytes) bytes = eddy_bytes_new ("abcdefghij", 10);
    EDDY_AUTO (EddyInputStream) input = eddy_memory_input_stream_new_from_bytes (bytes);
    StreamCall call = { 0 };
    EddyError *error = NULL;
    char buffer[8] = "";
    size_t count = 0;
    eddy_input_stream_read_exactly_async (input, buffer, 3, 0, NULL, stream_called, &call);
    ck_assert (eddy_input_stream_read_exactly_finish (input, stream_await (context, &call), &count,
                                                      &error));
    ck_assert_uint_eq (count, 3);
    ck_assert_str_eq (buffer, "abc");
    stream_call_clear (&call);
    eddy_input_stream_read_bytes_async (input, 4, 0, NULL, stream_called, &call);
    EddyBytes *read =
        eddy_input_stream_read_bytes_finish (input, stream_await (context, &call), &error);
    ck_assert_uint_eq (eddy_bytes_get_size (read), 4);
    ck_assert_str_eq (eddy_bytes_get_data (read), "defg");
    eddy_unref (read);
    stream_call_clear (&call);
    /* More than there is. */
    eddy_input_stream_read_exactly_async (input, buffer, 8, 0, NULL, stream_called, &call);
    ck_assert (!eddy_input_stream_read_exactly_finish (input, stream_await (context, &call), &count,
                                                       &error));
    ck_assert_uint_eq (count, 3);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_PARTIAL_INPUT);
    stream_call_clear (&call);
    eddy_input_stream_close_async (input, 0, NULL, stream_called, &call);
    ck_assert (eddy_input_stream_close_finish (input, stream_await (context, &call), &error));
    ck_assert (eddy_input_stream_is_closed (input));
    stream_call_clear (&call);
    eddy_test_context_end (context);
}

EDDY_TEST (D_stream_input_as_futures)
{
    EddyContext *context = eddy_test_context_begin ();
    StreamPipe pipe = stream_pipe_new ();
    EddyError *error = NULL;
    ck_assert_int_eq (eddy_output_stream_write (pipe.output, "abcdef", 6, NULL, &error), 6);
    EDDY_AUTO (EddyFuture) skipped = eddy_input_stream_skip_future (pipe.input, 2, 0, NULL);
    ck_assert_int_eq (eddy_block_on_int (context, skipped, &error), 2);
    EDDY_AUTO (EddyFuture) read = eddy_input_stream_read_bytes_future (pipe.input, 100, 0, NULL);
    EddyBytes *bytes = eddy_block_on (context, read, &error);
    ck_assert_uint_eq (eddy_bytes_get_size (bytes), 4);
    ck_assert_str_eq (eddy_bytes_get_data (bytes), "cdef");
    EDDY_AUTO (EddyFuture) closed = eddy_input_stream_close_future (pipe.input, 0, NULL);
    ck_assert (eddy_block_on_boolean (context, closed, &error));
    stream_pipe_clear (&pipe);
    eddy_test_context_end (context);
}

EDDY_TEST (D_stream_pending_by_hand)
{
    StreamPipe pipe = stream_pipe_new ();
    EDDY_AUTO (EddyIOStream) stream = eddy_simple_io_stream_new (pipe.input, pipe.output);
    EddyError *error = NULL;
    char byte;
    ck_assert (eddy_input_stream_set_pending (pipe.input, &error));
    ck_assert (eddy_output_stream_set_pending (pipe.output, &error));
    ck_assert (eddy_io_stream_set_pending (stream, &error));
    ck_assert (!eddy_input_stream_set_pending (pipe.input, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_PENDING);
    ck_assert_int_eq (eddy_input_stream_read (pipe.input, &byte, 1, NULL, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_PENDING);
    ck_assert_int_eq (eddy_output_stream_write (pipe.output, "x", 1, NULL, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_PENDING);
    eddy_input_stream_clear_pending (pipe.input);
    eddy_output_stream_clear_pending (pipe.output);
    ck_assert (!eddy_io_stream_close (stream, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_PENDING);
    eddy_io_stream_clear_pending (stream);
    ck_assert_int_eq (eddy_output_stream_write (pipe.output, "x", 1, NULL, &error), 1);
    ck_assert (eddy_io_stream_close (stream, NULL, &error));
    stream_pipe_clear (&pipe);
}

/* --- writing ---------------------------------------------------------------------------------- */

EDDY_TEST (D_stream_output_by_callback)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyOutputStream) output = eddy_memory_output_stream_new (0);
    EDDY_AUTO (EddyBytes) bytes = eddy_bytes_new ("ij", 2);
    EDDY_AUTO (EddyInputStream) input = eddy_memory_input_stream_new_from_bytes (bytes);
    EddyOutputVector vectors[] = { { "cd", 2 }, { "ef", 2 } };
    StreamCall call = { 0 };
    EddyError *error = NULL;
    size_t count = 0;
    eddy_output_stream_write_async (output, "ab", 2, 0, NULL, stream_called, &call);
    ck_assert_int_eq (
        eddy_output_stream_write_finish (output, stream_await (context, &call), &error), 2);
    stream_call_clear (&call);
    eddy_output_stream_writev_async (output, vectors, 1, 0, NULL, stream_called, &call);
    ck_assert_int_eq (
        eddy_output_stream_writev_finish (output, stream_await (context, &call), &error), 2);
    stream_call_clear (&call);
    vectors[0] = (EddyOutputVector){ NULL, 0 };
    eddy_output_stream_writev_all_async (output, vectors, 2, 0, NULL, stream_called, &call);
    ck_assert (eddy_output_stream_writev_all_finish (output, stream_await (context, &call), &count,
                                                     &error));
    ck_assert_uint_eq (count, 2);
    stream_call_clear (&call);
    eddy_output_stream_write_all_async (output, "gh", 2, 0, NULL, stream_called, &call);
    ck_assert (eddy_output_stream_write_all_finish (output, stream_await (context, &call), &count,
                                                    &error));
    stream_call_clear (&call);
    eddy_output_stream_write_bytes_async (output, bytes, 0, NULL, stream_called, &call);
    ck_assert_int_eq (
        eddy_output_stream_write_bytes_finish (output, stream_await (context, &call), &error), 2);
    stream_call_clear (&call);
    eddy_output_stream_flush_async (output, 0, NULL, stream_called, &call);
    ck_assert (eddy_output_stream_flush_finish (output, stream_await (context, &call), &error));
    stream_call_clear (&call);
    eddy_output_stream_splice_async (output, input, EDDY_OUTPUT_STREAM_SPLICE_CLOSE_TARGET, 0, NULL,
                                     stream_called, &call);
    ck_assert (
        eddy_output_stream_splice_finish (output, stream_await (context, &call), &count, &error));
    ck_assert_uint_eq (count, 2);
    stream_call_clear (&call);
    EddyBytes *whole = eddy_memory_output_stream_steal_as_bytes (output);
    ck_assert_str_eq (eddy_bytes_get_data (whole), "abcdefghijij");
    ck_assert_uint_eq (eddy_bytes_get_size (whole), 12);
    ck_assert_ptr_null (eddy_memory_output_stream_steal_as_bytes (output));
    eddy_unref (whole);
    eddy_test_context_end (context);
}

EDDY_TEST (D_stream_output_as_futures)
{
    EddyContext *context = eddy_test_context_begin ();
    StreamPipe pipe = stream_pipe_new ();
    EDDY_AUTO (EddyBytes) bytes = eddy_bytes_new ("abc", 3);
    EDDY_AUTO (EddyInputStream) input = eddy_memory_input_stream_new ();
    EddyError *error = NULL;
    char buffer[16] = "";
    ck_assert_int_ge (eddy_fd_output_stream_get_fd (pipe.output), 0);
    EDDY_AUTO (EddyFuture)
    written = eddy_output_stream_write_bytes_future (pipe.output, bytes, 0, NULL);
    ck_assert_int_eq (eddy_block_on_int (context, written, &error), 3);
    ck_assert_int_eq (eddy_output_stream_write_bytes (pipe.output, bytes, NULL, &error), 3);
    EDDY_AUTO (EddyFuture) flushed = eddy_output_stream_flush_future (pipe.output, 0, NULL);
    ck_assert (eddy_block_on_boolean (context, flushed, &error));
    ck_assert (eddy_memory_input_stream_add_bytes (input, bytes));
    ck_assert (eddy_memory_input_stream_add_bytes (input, bytes));
    EDDY_AUTO (EddyFuture)
    spliced = eddy_output_stream_splice_future (pipe.output, input, 0, 0, NULL);
    ck_assert (eddy_block_on_boolean (context, spliced, &error));
    EDDY_AUTO (EddyFuture) closed = eddy_output_stream_close_future (pipe.output, 0, NULL);
    ck_assert (eddy_block_on_boolean (context, closed, &error));
    ck_assert (eddy_input_stream_read_all (pipe.input, buffer, 16, NULL, NULL, &error));
    ck_assert_str_eq (buffer, "abcabcabcabc");
    stream_pipe_clear (&pipe);
    eddy_test_context_end (context);
}

/* --- both ways -------------------------------------------------------------------------------- */

static EddyIOStream *make_pair (int *other)
{
    int fds[2];
    ck_assert_int_eq (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    EDDY_AUTO (EddyInputStream) input = eddy_fd_input_stream_new (fds[0], /* close_fd= */ false);
    EDDY_AUTO (EddyOutputStream) output = eddy_fd_output_stream_new (fds[0], /* close_fd= */ true);
    *other = fds[1];
    return eddy_simple_io_stream_new (input, output);
}

EDDY_TEST (D_stream_both_ways_in_other_forms)
{
    EddyContext *context = eddy_test_context_begin ();
    int others[2];
    EDDY_AUTO (EddyIOStream) one = make_pair (&others[0]);
    EDDY_AUTO (EddyIOStream) other = make_pair (&others[1]);
    StreamCall call = { 0 };
    EddyError *error = NULL;
    ck_assert_int_eq (write (others[0], "there", 5), 5);
    shutdown (others[0], SHUT_WR);
    EDDY_AUTO (EddyFuture) spliced = eddy_io_stream_splice_future (one, other, 0, 0, NULL);
    ck_assert (eddy_block_on_boolean (context, spliced, &error));
    eddy_io_stream_close_async (one, 0, NULL, stream_called, &call);
    ck_assert (eddy_io_stream_close_finish (one, stream_await (context, &call), &error));
    stream_call_clear (&call);
    EDDY_AUTO (EddyFuture) closed = eddy_io_stream_close_future (other, 0, NULL);
    ck_assert (eddy_block_on_boolean (context, closed, &error));
    char buffer[8] = "";
    ck_assert_int_eq (read (others[1], buffer, 8), 5);
    ck_assert_str_eq (buffer, "there");
    close (others[0]);
    close (others[1]);
    eddy_test_context_end (context);
}

/* --- standard streams ------------------------------------------------------------------------- */

EDDY_TEST (D_stream_standard_ones_stay_open)
{
    EddyError *error = NULL;
    EddyInputStream *input = eddy_stdin_stream_new ();
    EddyOutputStream *outputs[] = { eddy_stdout_stream_new (), eddy_stderr_stream_new () };
    ck_assert_int_eq (eddy_fd_input_stream_get_fd (input), STDIN_FILENO);
    ck_assert_int_eq (eddy_fd_output_stream_get_fd (outputs[0]), STDOUT_FILENO);
    ck_assert_int_eq (eddy_fd_output_stream_get_fd (outputs[1]), STDERR_FILENO);
    ck_assert (eddy_input_stream_close (input, NULL, &error));
    eddy_unref (input);
    for (int i = 0; i < 2; i++) {
        ck_assert (eddy_output_stream_close (outputs[i], NULL, &error));
        eddy_unref (outputs[i]);
    }
    for (int fd = 0; fd < 3; fd++)
        ck_assert_int_ge (fcntl (fd, F_GETFD), 0);
}

/* --- positions -------------------------------------------------------------------------------- */

EDDY_TEST (D_stream_positions_of_input)
{
    EDDY_AUTO (EddyBytes) bytes = eddy_bytes_new ("abcdef", 6);
    EDDY_AUTO (EddyInputStream) input = eddy_memory_input_stream_new_from_bytes (bytes);
    EddySeekable *seekable = EDDY_SEEKABLE (input);
    EddyContext *context = eddy_test_context_begin ();
    StreamCall call = { 0 };
    EddyError *error = NULL;
    char byte = 0;
    ck_assert (eddy_memory_input_stream_add_bytes (input, bytes));
    ck_assert (eddy_seekable_can_seek (seekable));
    ck_assert (!eddy_seekable_can_truncate (seekable));
    ck_assert (eddy_seekable_seek (seekable, 7, EDDY_SEEK_SET, NULL, &error));
    ck_assert_int_eq (eddy_input_stream_read (input, &byte, 1, NULL, &error), 1);
    ck_assert_int_eq (byte, 'b');
    ck_assert (eddy_seekable_seek (seekable, -4, EDDY_SEEK_CURRENT, NULL, &error));
    ck_assert_int_eq (eddy_seekable_tell (seekable), 4);
    ck_assert (eddy_seekable_seek (seekable, -1, EDDY_SEEK_END, NULL, &error));
    ck_assert_int_eq (eddy_input_stream_read (input, &byte, 1, NULL, &error), 1);
    ck_assert_int_eq (byte, 'f');
    ck_assert (!eddy_seekable_seek (seekable, 13, EDDY_SEEK_SET, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
    ck_assert (!eddy_seekable_seek (seekable, INT64_MAX, EDDY_SEEK_CURRENT, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
    ck_assert_int_eq (eddy_seekable_tell (seekable), 12);
    eddy_seekable_seek_async (seekable, 3, EDDY_SEEK_SET, 0, NULL, stream_called, &call);
    ck_assert (eddy_seekable_seek_finish (seekable, stream_await (context, &call), &error));
    ck_assert_int_eq (eddy_seekable_tell (seekable), 3);
    stream_call_clear (&call);
    EDDY_AUTO (EddyFuture) sought = eddy_seekable_seek_future (seekable, 0, EDDY_SEEK_END, 0, NULL);
    ck_assert (eddy_block_on_boolean (context, sought, &error));
    ck_assert_int_eq (eddy_seekable_tell (seekable), 12);
    ck_assert (!eddy_seekable_truncate (seekable, 1, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_SUPPORTED);
    eddy_test_context_end (context);
}

EDDY_TEST (D_stream_positions_of_output)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyOutputStream) output = eddy_memory_output_stream_new (10);
    EddySeekable *seekable = EDDY_SEEKABLE (output);
    StreamCall call = { 0 };
    EddyError *error = NULL;
    ck_assert (eddy_seekable_can_seek (seekable));
    ck_assert (eddy_seekable_can_truncate (seekable));
    ck_assert (eddy_seekable_seek (seekable, 3, EDDY_SEEK_SET, NULL, &error));
    ck_assert_int_eq (eddy_output_stream_write (output, "d", 1, NULL, &error), 1);
    ck_assert_uint_eq (eddy_memory_output_stream_get_size (output), 4);
    ck_assert_int_eq (memcmp (eddy_memory_output_stream_get_data (output), "\0\0\0d", 4), 0);
    eddy_seekable_truncate_async (seekable, 2, 0, NULL, stream_called, &call);
    ck_assert (eddy_seekable_truncate_finish (seekable, stream_await (context, &call), &error));
    stream_call_clear (&call);
    ck_assert_uint_eq (eddy_memory_output_stream_get_size (output), 2);
    EDDY_AUTO (EddyFuture) grown = eddy_seekable_truncate_future (seekable, 10, 0, NULL);
    ck_assert (eddy_block_on_boolean (context, grown, &error));
    ck_assert_uint_eq (eddy_memory_output_stream_get_size (output), 10);
    ck_assert (!eddy_seekable_truncate (seekable, 11, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NO_SPACE);
    ck_assert (!eddy_seekable_truncate (seekable, -1, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
    ck_assert (eddy_output_stream_close (output, NULL, &error));
    ck_assert (!eddy_seekable_can_seek (seekable));
    ck_assert (!eddy_seekable_seek (seekable, 0, EDDY_SEEK_SET, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
    eddy_test_context_end (context);
}

EDDY_TEST (D_stream_without_positions)
{
    StreamPipe pipe = stream_pipe_new ();
    EddyError *error = NULL;
    ck_assert (!eddy_seekable_can_seek (EDDY_SEEKABLE (pipe.input)));
    ck_assert_int_eq (eddy_seekable_tell (EDDY_SEEKABLE (pipe.input)), 0);
    ck_assert (!eddy_seekable_seek (EDDY_SEEKABLE (pipe.input), 0, EDDY_SEEK_SET, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_SUPPORTED);
    stream_pipe_clear (&pipe);
}

/* --- kinds whose requests have positions ------------------------------------------------------ */

/* Both directions of a file, which read and write at a position of their own. */
typedef struct Place {
    EddyStream stream;
    int fd;
    int64_t position;
    int bodies; /* reads and writes that were no request */
} Place;

static Place *place_of (void *stream)
{
    return stream;
}

static ssize_t place_read (EddyInputStream *stream, void *buffer, size_t count,
                           EddyCancellable *cancellable, EddyError **error)
{
    Place *place = place_of (stream);
    ssize_t answer = eddy_fd_read (place->fd, buffer, count, place->position, cancellable, error);
    place->position += answer > 0 ? answer : 0;
    place->bodies++;
    return answer;
}

static int place_input_get_fd (EddyInputStream *stream, int64_t *offset)
{
    ck_assert_int_eq (*offset, -1);
    *offset = place_of (stream)->position;
    return place_of (stream)->fd;
}

static void place_input_advance (EddyInputStream *stream, size_t count)
{
    ck_assert (eddy_input_stream_has_pending (stream));
    place_of (stream)->position += (int64_t) count;
}

static const EddyInputStreamClass place_input_class = {
    .stream.object = { .name = "PlaceInput", .size = sizeof (Place) },
    .read = place_read,
    .get_fd = place_input_get_fd,
    .advance = place_input_advance,
};

static ssize_t place_write (EddyOutputStream *stream, const void *buffer, size_t count,
                            EddyCancellable *cancellable, EddyError **error)
{
    Place *place = place_of (stream);
    ssize_t answer = eddy_fd_write (place->fd, buffer, count, place->position, cancellable, error);
    place->position += answer > 0 ? answer : 0;
    place->bodies++;
    return answer;
}

static int place_output_get_fd (EddyOutputStream *stream, int64_t *offset)
{
    ck_assert_int_eq (*offset, -1);
    *offset = place_of (stream)->position;
    return place_of (stream)->fd;
}

static void place_output_advance (EddyOutputStream *stream, size_t count)
{
    ck_assert (eddy_output_stream_has_pending (stream));
    place_of (stream)->position += (int64_t) count;
}

static const EddyOutputStreamClass place_output_class = {
    .stream.object = { .name = "PlaceOutput", .size = sizeof (Place) },
    .write = place_write,
    .get_fd = place_output_get_fd,
    .advance = place_output_advance,
};

static void place_write_twice (EddyContext *context, int fd)
{
    Place *place = eddy_object_new (&place_output_class.stream.object);
    EddyOutputStream *output = EDDY_OUTPUT_STREAM (place);
    StreamCall call = { 0 };
    EddyError *error = NULL;
    place->fd = fd;
    eddy_output_stream_write_async (output, "abc", 3, 0, NULL, stream_called, &call);
    ck_assert_int_eq (
        eddy_output_stream_write_finish (output, stream_await (context, &call), &error), 3);
    stream_call_clear (&call);
    ck_assert_int_eq (place->bodies, 0);
    ck_assert_int_eq (eddy_output_stream_write (output, "de", 2, NULL, &error), 2);
    eddy_output_stream_write_async (output, "f", 1, 0, NULL, stream_called, &call);
    ck_assert_int_eq (
        eddy_output_stream_write_finish (output, stream_await (context, &call), &error), 1);
    stream_call_clear (&call);
    ck_assert_int_eq (place->bodies, 1);
    ck_assert_int_eq (place->position, 6);
    eddy_unref (place);
}

EDDY_TEST (D_stream_requests_at_positions)
{
    EddyContext *context = eddy_test_context_begin ();
    int fd = open (eddy_test_path ("place"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_ge (fd, 0);
    place_write_twice (context, fd);
    Place *place = eddy_object_new (&place_input_class.stream.object);
    EddyInputStream *input = EDDY_INPUT_STREAM (place);
    StreamCall call = { 0 };
    EddyError *error = NULL;
    char buffer[8] = "";
    static const ssize_t counts[] = { 4, 2, 0 };
    place->fd = fd;
    for (int i = 0; i < 3; i++) {
        eddy_input_stream_read_async (input, buffer, 4, 0, NULL, stream_called, &call);
        ck_assert_int_eq (
            eddy_input_stream_read_finish (input, stream_await (context, &call), &error),
            counts[i]);
        stream_call_clear (&call);
        ck_assert_int_eq (memcmp (buffer, i == 0 ? "abcd" : "efcd", 4), 0);
    }
    ck_assert_int_eq (place->bodies, 0);
    ck_assert_int_eq (place->position, 6);
    ck_assert_int_eq (lseek (fd, 0, SEEK_CUR), 0); /* the fd's own position is nobody's */
    eddy_unref (place);
    close (fd);
    eddy_test_context_end (context);
}
