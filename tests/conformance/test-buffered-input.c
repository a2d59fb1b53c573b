/* SPDX-License-Identifier: MIT */
/*
 * Reading ahead.
 */
#include "pieces.h"

static EddyBufferedInputStream *buffered (EddyInputStream *stream)
{
    return EDDY_BUFFERED_INPUT_STREAM (stream);
}

static size_t available (EddyInputStream *stream)
{
    return eddy_buffered_input_stream_get_available (buffered (stream));
}

static ssize_t fill (EddyInputStream *stream, ssize_t count)
{
    EddyError *error = NULL;
    ssize_t answer = eddy_buffered_input_stream_fill (buffered (stream), count, NULL, &error);
    ck_assert_ptr_null (error);
    return answer;
}

static void expect_read (EddyInputStream *stream, size_t count, const char *expected)
{
    EddyError *error = NULL;
    char buffer[64] = "";
    ck_assert_int_eq (eddy_input_stream_read (stream, buffer, count, NULL, &error),
                      (ssize_t) strlen (expected));
    ck_assert_ptr_null (error);
    ck_assert_str_eq (buffer, expected);
}

/* --- the buffer ------------------------------------------------------------------------------- */

EDDY_TEST (S28_buffer_is_filled_as_far_as_it_goes)
{
    Pieces *base = pieces_new_string ("abcdefghijklmnopqrstuvwxyz");
    EDDY_AUTO (EddyInputStream) plain = eddy_buffered_input_stream_new (&base->stream);
    EDDY_AUTO (EddyInputStream) input = eddy_buffered_input_stream_new_sized (&base->stream, 8);
    EddyError *error = NULL;
    ck_assert_uint_eq (eddy_buffered_input_stream_get_buffer_size (buffered (plain)), 4096);
    ck_assert_uint_eq (eddy_buffered_input_stream_get_buffer_size (buffered (input)), 8);
    ck_assert_uint_eq (available (input), 0);
    ck_assert_int_eq (fill (input, 3), 3);
    ck_assert_int_eq (fill (input, 0), 0);
    ck_assert_int_eq (fill (input, 100), 5);
    ck_assert_int_eq (fill (input, 1), 0); /* it is full */
    ck_assert_uint_eq (available (input), 8);
    expect_read (input, 6, "abcdef");
    ck_assert_int_eq (fill (input, -1), 6);
    expect_read (input, 60, "ghijklmn");
    ck_assert_int_eq (eddy_buffered_input_stream_fill (buffered (input), -2, NULL, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
    eddy_unref (base);
}

EDDY_TEST (S28_peek_leaves_everything_there)
{
    Pieces *base = pieces_new_string ("abcdefgh");
    EDDY_AUTO (EddyInputStream) input = eddy_buffered_input_stream_new (&base->stream);
    char peeked[8] = "";
    size_t count = 77;
    ck_assert_ptr_null (eddy_buffered_input_stream_peek_buffer (buffered (input), &count));
    ck_assert_uint_eq (count, 0);
    ck_assert_uint_eq (eddy_buffered_input_stream_peek (buffered (input), peeked, 0, 8), 0);
    ck_assert_int_eq (fill (input, 6), 6);
    expect_read (input, 1, "a");
    ck_assert_uint_eq (eddy_buffered_input_stream_peek (buffered (input), peeked, 2, 8), 3);
    ck_assert_str_eq (peeked, "def");
    ck_assert_uint_eq (eddy_buffered_input_stream_peek (buffered (input), peeked, 1, 2), 2);
    ck_assert_str_eq (peeked, "cdf");
    ck_assert_uint_eq (eddy_buffered_input_stream_peek (buffered (input), peeked, 5, 2), 0);
    ck_assert_uint_eq (eddy_buffered_input_stream_peek (buffered (input), NULL, 0, 0), 0);
    const char *bytes = eddy_buffered_input_stream_peek_buffer (buffered (input), &count);
    ck_assert_uint_eq (count, 5);
    ck_assert_int_eq (memcmp (bytes, "bcdef", 5), 0);
    expect_read (input, 8, "bcdef");
    expect_read (input, 8, "gh");
    eddy_unref (base);
}

EDDY_TEST (S28_size_grows_and_shrinks)
{
    Pieces *base = pieces_new_string ("abcdefghijkl");
    EDDY_AUTO (EddyInputStream) input = eddy_buffered_input_stream_new_sized (&base->stream, 4);
    ck_assert (eddy_buffered_input_stream_set_buffer_size (buffered (input), 6)); /* not made yet */
    ck_assert_int_eq (fill (input, -1), 6);
    expect_read (input, 1, "a");
    ck_assert (eddy_buffered_input_stream_set_buffer_size (buffered (input), 2));
    ck_assert_uint_eq (eddy_buffered_input_stream_get_buffer_size (buffered (input)), 5);
    ck_assert (eddy_buffered_input_stream_set_buffer_size (buffered (input), 8));
    ck_assert_int_eq (fill (input, -1), 3);
    expect_read (input, 20, "bcdefghi");
    ck_assert (eddy_buffered_input_stream_set_buffer_size (buffered (input), 1));
    ck_assert_uint_eq (eddy_buffered_input_stream_get_buffer_size (buffered (input)), 1);
    ck_assert_int_eq (fill (input, -1), 1);
    expect_read (input, 20, "j");
    eddy_unref (base);
}

EDDY_TEST (S28_size_stays_while_reading)
{
    EddyContext *context = eddy_test_context_begin ();
    StreamPipe pipe = stream_pipe_new ();
    EDDY_AUTO (EddyInputStream) input = eddy_buffered_input_stream_new (pipe.input);
    StreamCall call = { 0 };
    EddyError *error = NULL;
    eddy_buffered_input_stream_fill_async (buffered (input), -1, 0, NULL, stream_called, &call);
    ck_assert (!eddy_buffered_input_stream_set_buffer_size (buffered (input), 8192));
    ck_assert_int_eq (eddy_output_stream_write (pipe.output, "abc", 3, NULL, &error), 3);
    ck_assert_int_eq (eddy_buffered_input_stream_fill_finish (
                          buffered (input), stream_await (context, &call), &error),
                      3);
    ck_assert (eddy_buffered_input_stream_set_buffer_size (buffered (input), 8192));
    expect_read (input, 8, "abc");
    stream_call_clear (&call);
    stream_pipe_clear (&pipe);
    eddy_test_context_end (context);
}

/* --- reading ---------------------------------------------------------------------------------- */

EDDY_TEST (S29_read_gives_what_is_there)
{
    const size_t pieces[] = { 3, 100 };
    Pieces *base = pieces_new ("abcdefghijklmnop", 16, pieces, 2);
    EDDY_AUTO (EddyInputStream) input = eddy_buffered_input_stream_new_sized (&base->stream, 4);
    expect_read (input, 1, "a");
    expect_read (input, 3, "bc"); /* and asks for no more */
    ck_assert_int_eq (base->reads, 1);
    expect_read (input, 3, "def");
    ck_assert_uint_eq (base->largest, 4);
    expect_read (input, 20, "g");
    expect_read (input, 20, "hij"); /* goes past the buffer */
    ck_assert_uint_eq (base->largest, 20);
    ck_assert_uint_eq (available (input), 0);
    expect_read (input, 20, "klmnop");
    expect_read (input, 20, "");
    expect_read (input, 1, "");
    eddy_unref (base);
}

EDDY_TEST (S29_error_comes_after_the_bytes_before_it)
{
    const size_t pieces[] = { 3, 0 };
    Pieces *base = pieces_new ("abcdef", 6, pieces, 2);
    EDDY_AUTO (EddyInputStream) input = eddy_buffered_input_stream_new (&base->stream);
    EddyError *error = NULL;
    char buffer[8];
    size_t count;
    for (int i = 0; i < 2; i++) {
        ck_assert (!eddy_input_stream_read_all (input, buffer, 8, &count, NULL, &error));
        eddy_test_expect_error (&error, EDDY_IO_ERROR_FAILED);
        ck_assert_uint_eq (count, 3);
        ck_assert_int_eq (memcmp (buffer, i == 0 ? "abc" : "def", 3), 0);
    }
    ck_assert (eddy_input_stream_read_all (input, buffer, 8, &count, NULL, &error));
    ck_assert_uint_eq (count, 0);
    eddy_unref (base);
}

EDDY_TEST (S29_bytes_one_at_a_time)
{
    const size_t pieces[] = { 2, 0 };
    Pieces *base = pieces_new ("a\xff", 2, pieces, 2);
    EDDY_AUTO (EddyInputStream) input = eddy_buffered_input_stream_new (&base->stream);
    EddyError *error = NULL;
    ck_assert_int_eq (eddy_buffered_input_stream_read_byte (buffered (input), NULL, &error), 'a');
    ck_assert_int_eq (eddy_buffered_input_stream_read_byte (buffered (input), NULL, &error), 255);
    ck_assert_int_eq (eddy_buffered_input_stream_read_byte (buffered (input), NULL, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_FAILED);
    ck_assert_int_eq (eddy_buffered_input_stream_read_byte (buffered (input), NULL, &error), -1);
    ck_assert_ptr_null (error); /* the end */
    ck_assert (eddy_input_stream_close (input, NULL, &error));
    ck_assert_int_eq (eddy_buffered_input_stream_read_byte (buffered (input), NULL, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
    eddy_unref (base);
}

/* --- positions -------------------------------------------------------------------------------- */

static void seek_to (EddyInputStream *input, int64_t offset, EddySeekType type, int64_t expected)
{
    EddyError *error = NULL;
    ck_assert (eddy_seekable_seek (EDDY_SEEKABLE (input), offset, type, NULL, &error));
    ck_assert_int_eq (eddy_seekable_tell (EDDY_SEEKABLE (input)), expected);
}

EDDY_TEST (S30_seek_within_the_buffer)
{
    Pieces *base = pieces_new_string ("abcdefghijklmnopqrstuvwxyz");
    EDDY_AUTO (EddyInputStream) input = eddy_buffered_input_stream_new_sized (&base->stream, 10);
    EddyError *error = NULL;
    ck_assert (eddy_seekable_can_seek (EDDY_SEEKABLE (input)));
    ck_assert (!eddy_seekable_can_truncate (EDDY_SEEKABLE (input)));
    ck_assert_int_eq (eddy_seekable_tell (EDDY_SEEKABLE (input)), 0);
    expect_read (input, 4, "abcd");
    ck_assert_int_eq (eddy_seekable_tell (EDDY_SEEKABLE (input)), 4);
    seek_to (input, 3, EDDY_SEEK_CURRENT, 7);
    expect_read (input, 2, "hi");
    seek_to (input, -8, EDDY_SEEK_CURRENT, 1);
    expect_read (input, 2, "bc");
    seek_to (input, 10, EDDY_SEEK_SET, 10);
    seek_to (input, 0, EDDY_SEEK_SET, 0);
    expect_read (input, 1, "a");
    ck_assert_int_eq (base->reads, 1); /* all of it without asking */
    seek_to (input, 11, EDDY_SEEK_SET, 11);
    ck_assert_uint_eq (available (input), 0);
    expect_read (input, 3, "lmn");
    seek_to (input, -2, EDDY_SEEK_END, 24);
    expect_read (input, 3, "yz");
    seek_to (input, 4, EDDY_SEEK_SET, 4);
    expect_read (input, 10, "efghijklmn"); /* past the buffer */
    seek_to (input, 12, EDDY_SEEK_SET, 12);
    expect_read (input, 1, "m");
    ck_assert (!eddy_seekable_seek (EDDY_SEEKABLE (input), -1, EDDY_SEEK_SET, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
    ck_assert (!eddy_seekable_seek (EDDY_SEEKABLE (input), 99, EDDY_SEEK_SET, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
    expect_read (input, 1, "n"); /* where it was */
    eddy_unref (base);
}

EDDY_TEST (S30_seek_where_the_base_cannot)
{
    StreamPipe pipe = stream_pipe_new ();
    EDDY_AUTO (EddyInputStream) input = eddy_buffered_input_stream_new (pipe.input);
    EddyError *error = NULL;
    ck_assert (!eddy_seekable_can_seek (EDDY_SEEKABLE (input)));
    ck_assert_int_eq (eddy_output_stream_write (pipe.output, "abc", 3, NULL, &error), 3);
    expect_read (input, 1, "a");
    ck_assert_int_eq (eddy_seekable_tell (EDDY_SEEKABLE (input)), 0);
    ck_assert (!eddy_seekable_seek (EDDY_SEEKABLE (input), 0, EDDY_SEEK_SET, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_SUPPORTED);
    stream_pipe_clear (&pipe);
}

/* --- forms ------------------------------------------------------------------------------------ */

static ssize_t skip_with_callback (EddyContext *context, EddyInputStream *input, size_t count)
{
    StreamCall call = { 0 };
    EddyError *error = NULL;
    eddy_input_stream_skip_async (input, count, 0, NULL, stream_called, &call);
    ssize_t skipped = eddy_input_stream_skip_finish (input, stream_await (context, &call), &error);
    ck_assert_ptr_null (error);
    stream_call_clear (&call);
    return skipped;
}

/* A callback for what is buffered needs no turn of a fiber's: the stream is free again at once. */
EDDY_TEST (S31_what_is_there_needs_no_fiber)
{
    EddyContext *context = eddy_test_context_begin ();
    StreamPipe pipe = stream_pipe_new ();
    EDDY_AUTO (EddyInputStream) input = eddy_buffered_input_stream_new (pipe.input);
    StreamCall call = { 0 };
    EddyError *error = NULL;
    char buffer[4] = "";
    ck_assert_int_eq (eddy_output_stream_write (pipe.output, "abcdefghij", 10, NULL, &error), 10);
    eddy_context_iteration (context, /* may_block= */ false); /* the engine is there */
    ck_assert_int_eq (fill (input, -1), 10);
    eddy_input_stream_read_async (input, buffer, 3, 0, NULL, stream_called, &call);
    ck_assert (!eddy_input_stream_has_pending (input));
    ck_assert_int_eq (call.calls, 0); /* … but the callback waits for its turn */
    ck_assert_int_eq (eddy_input_stream_read_finish (input, stream_await (context, &call), &error),
                      3);
    ck_assert_str_eq (buffer, "abc");
    stream_call_clear (&call);
    eddy_buffered_input_stream_read_byte_async (buffered (input), 0, NULL, stream_called, &call);
    ck_assert (!eddy_input_stream_has_pending (input));
    ck_assert_int_eq (eddy_buffered_input_stream_read_byte_finish (
                          buffered (input), stream_await (context, &call), &error),
                      'd');
    stream_call_clear (&call);
    ck_assert_int_eq (skip_with_callback (context, input, 2), 2);
    expect_read (input, 8, "ghij");
    stream_pipe_clear (&pipe);
    eddy_test_context_end (context);
}

/* Nor does a fill from a base that has all its bytes, which is to give no more than fit. */
EDDY_TEST (S31_fill_from_memory_needs_no_fiber)
{
    static const char text[20000];
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyBytes) bytes = eddy_bytes_new (text, sizeof text);
    EDDY_AUTO (EddyInputStream) memory = eddy_memory_input_stream_new_from_bytes (bytes);
    EDDY_AUTO (EddyInputStream) input = eddy_buffered_input_stream_new_sized (memory, 100);
    static const struct {
        ssize_t count;
        ssize_t filled;
    } fills[] = { { 30, 30 }, { 100, 70 }, { -1, 0 } };
    EddyError *error = NULL;
    eddy_context_iteration (context, /* may_block= */ false); /* the engine is there */
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 3; i++) {
            StreamCall call = { 0 };
            eddy_buffered_input_stream_fill_async (buffered (input), fills[i].count, 0, NULL,
                                                   stream_called, &call);
            ck_assert (!eddy_input_stream_has_pending (input));
            ck_assert_int_eq (eddy_buffered_input_stream_fill_finish (
                                  buffered (input), stream_await (context, &call), &error),
                              fills[i].filled);
            stream_call_clear (&call);
        }
        ck_assert_int_eq (eddy_seekable_tell (EDDY_SEEKABLE (memory)), (round + 1) * 100);
        ck_assert_int_eq (eddy_input_stream_skip (input, 100, NULL, &error), 100);
    }
    EDDY_AUTO (EddyFuture)
    whole = eddy_buffered_input_stream_fill_future (buffered (input), -1, 0, NULL);
    ck_assert_int_eq (eddy_block_on_int (context, whole, &error), 100);
    eddy_test_context_end (context);
}

EDDY_TEST (S31_what_is_not_there_is_waited_for)
{
    EddyContext *context = eddy_test_context_begin ();
    StreamPipe pipe = stream_pipe_new ();
    EDDY_AUTO (EddyInputStream) input = eddy_buffered_input_stream_new (pipe.input);
    StreamCall call = { 0 };
    EddyError *error = NULL;
    eddy_buffered_input_stream_read_byte_async (buffered (input), 0, NULL, stream_called, &call);
    eddy_context_iteration (context, /* may_block= */ false);
    ck_assert (eddy_input_stream_has_pending (input));
    EDDY_AUTO (EddyFuture)
    second = eddy_buffered_input_stream_fill_future (buffered (input), -1, 0, NULL);
    ck_assert_int_eq (eddy_block_on_int (context, second, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_PENDING);
    ck_assert_int_eq (eddy_output_stream_write (pipe.output, "xy", 2, NULL, &error), 2);
    ck_assert_int_eq (eddy_buffered_input_stream_read_byte_finish (
                          buffered (input), stream_await (context, &call), &error),
                      'x');
    stream_call_clear (&call);
    EDDY_AUTO (EddyFuture)
    byte = eddy_buffered_input_stream_read_byte_future (buffered (input), 0, NULL);
    ck_assert_int_eq (eddy_block_on_int (context, byte, &error), 'y');
    eddy_clear (&pipe.output);
    eddy_buffered_input_stream_read_byte_async (buffered (input), 0, NULL, stream_called, &call);
    ck_assert_int_eq (eddy_buffered_input_stream_read_byte_finish (
                          buffered (input), stream_await (context, &call), &error),
                      -1);
    ck_assert_ptr_null (error); /* the end */
    stream_call_clear (&call);
    stream_pipe_clear (&pipe);
    eddy_test_context_end (context);
}

/* What was cancelled has taken nothing. */
EDDY_TEST (S31_cancelled_callbacks_take_nothing)
{
    EddyContext *context = eddy_test_context_begin ();
    StreamPipe pipe = stream_pipe_new ();
    EDDY_AUTO (EddyInputStream) input = eddy_buffered_input_stream_new (pipe.input);
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    EDDY_AUTO (EddyCancellable) later = eddy_cancellable_new ();
    StreamCall calls[3] = { { 0 } };
    EddyError *error = NULL;
    char buffer[4];
    ck_assert_int_eq (eddy_output_stream_write (pipe.output, "abc", 3, NULL, &error), 3);
    ck_assert_int_eq (fill (input, -1), 3);
    eddy_cancellable_cancel (cancellable);
    eddy_input_stream_read_async (input, buffer, 4, 0, cancellable, stream_called, &calls[0]);
    ck_assert_int_eq (
        eddy_input_stream_read_finish (input, stream_await (context, &calls[0]), &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    eddy_buffered_input_stream_read_byte_async (buffered (input), 0, cancellable, stream_called,
                                                &calls[1]);
    ck_assert_int_eq (eddy_buffered_input_stream_read_byte_finish (
                          buffered (input), stream_await (context, &calls[1]), &error),
                      -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    eddy_buffered_input_stream_fill_async (buffered (input), -1, 0, later, stream_called,
                                           &calls[2]);
    eddy_context_iteration (context, /* may_block= */ false);
    eddy_cancellable_cancel (later);
    ck_assert_int_eq (eddy_buffered_input_stream_fill_finish (
                          buffered (input), stream_await (context, &calls[2]), &error),
                      -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    expect_read (input, 4, "abc");
    for (int i = 0; i < 3; i++)
        stream_call_clear (&calls[i]);
    stream_pipe_clear (&pipe);
    eddy_test_context_end (context);
}
