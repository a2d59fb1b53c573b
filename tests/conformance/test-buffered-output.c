/* SPDX-License-Identifier: MIT */
/*
 * Collecting what is written.
 */
#include <stdio.h>

#include "pieces.h"

static EddyBufferedOutputStream *buffered (EddyOutputStream *stream)
{
    return EDDY_BUFFERED_OUTPUT_STREAM (stream);
}

static size_t get_buffered (EddyOutputStream *stream)
{
    return eddy_buffered_output_stream_get_buffered (buffered (stream));
}

static ssize_t put (EddyOutputStream *stream, const char *string, EddyError **error)
{
    return eddy_output_stream_write (stream, string, strlen (string), NULL, error);
}

static void expect (const Slow *base, const char *expected)
{
    ck_assert_uint_eq (base->size, strlen (expected));
    ck_assert_int_eq (memcmp (base->bytes, expected, base->size), 0);
}

EDDY_TEST (D_buffered_small_writes_are_collected)
{
    Slow *base = slow_new (0);
    EDDY_AUTO (EddyOutputStream) output = eddy_buffered_output_stream_new_sized (&base->stream, 8);
    EddyError *error = NULL;
    ck_assert_int_eq (put (output, "abc", &error), 3);
    ck_assert_int_eq (put (output, "defgh", &error), 5);
    ck_assert_int_eq (base->writes, 0);
    ck_assert_uint_eq (get_buffered (output), 8);
    ck_assert_int_eq (put (output, "ij", &error), 2);
    expect (base, "abcdefgh");
    ck_assert_int_eq (put (output, "klmnopq", &error), 7); /* in whole buffers */
    expect (base, "abcdefghijklmnop");
    ck_assert_int_eq (base->writes, 2);
    ck_assert (eddy_output_stream_flush (output, NULL, &error));
    expect (base, "abcdefghijklmnopq");
    ck_assert_int_eq (base->flushes, 1);
    ck_assert_int_eq (put (output, "r", &error), 1);
    ck_assert (eddy_output_stream_close (output, NULL, &error));
    expect (base, "abcdefghijklmnopqr");
    ck_assert (eddy_output_stream_is_closed (&base->stream));
    eddy_unref (base);
}

EDDY_TEST (D_buffered_large_writes_go_with_what_is_held)
{
    Slow *base = slow_new (0);
    EDDY_AUTO (EddyOutputStream) output = eddy_buffered_output_stream_new_sized (&base->stream, 4);
    EddyError *error = NULL;
    ck_assert_int_eq (put (output, "ab", &error), 2);
    ck_assert_int_eq (put (output, "cdefgh", &error), 6);
    ck_assert_int_eq (base->writes, 1);
    ck_assert_int_eq (base->vectors, 1);
    ck_assert_int_eq (put (output, "ijkl", &error), 4);
    expect (base, "abcdefghijkl");
    ck_assert_uint_eq (get_buffered (output), 0);
    /* A base that takes a little at a time. */
    base->most = 3;
    ck_assert_int_eq (put (output, "mno", &error), 3);
    ck_assert_int_eq (put (output, "pqrst", &error), 3);
    ck_assert (eddy_output_stream_write_all (output, "stuvwxyz", 8, NULL, NULL, &error));
    ck_assert (eddy_output_stream_close (output, NULL, &error));
    expect (base, "abcdefghijklmnopqrstuvwxyz");
    eddy_unref (base);
}

EDDY_TEST (D_buffered_failure_keeps_what_was_taken)
{
    Slow *base = slow_new (3);
    EDDY_AUTO (EddyOutputStream) output = eddy_buffered_output_stream_new_sized (&base->stream, 8);
    EddyError *error = NULL;
    ck_assert_int_eq (put (output, "abcdef", &error), 6);
    base->fails = 1;
    ck_assert_int_eq (put (output, "ghijk", &error), 2); /* as far as there was room */
    ck_assert_ptr_null (error);
    base->fails = 1;
    ck_assert_int_eq (put (output, "ijk", &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_FAILED);
    ck_assert_uint_eq (get_buffered (output), 8);
    base->fails = 1;
    ck_assert_int_eq (put (output, "ijklmnop", &error), -1); /* past the buffer */
    eddy_test_expect_error (&error, EDDY_IO_ERROR_FAILED);
    base->fails = 1;
    ck_assert (!eddy_output_stream_flush (output, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_FAILED);
    ck_assert_int_eq (put (output, "ijk", &error), 3);
    base->fails = 1;
    ck_assert (!eddy_output_stream_close (output, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_FAILED);
    ck_assert (eddy_output_stream_is_closed (&base->stream));
    expect (base, "abcdefgh");
    eddy_unref (base);
}

/* A callback for a write that fits into the buffer: the stream is free again at once. */
EDDY_TEST (D_buffered_what_fits_needs_no_fiber)
{
    EddyContext *context = eddy_test_context_begin ();
    Slow *base = slow_new (0);
    EDDY_AUTO (EddyOutputStream) output = eddy_buffered_output_stream_new_sized (&base->stream, 8);
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    StreamCall calls[3] = { { 0 } };
    EddyError *error = NULL;
    eddy_context_iteration (context, /* may_block= */ false); /* the engine is there */
    eddy_output_stream_write_async (output, "abcde", 5, 0, NULL, stream_called, &calls[0]);
    ck_assert (!eddy_output_stream_has_pending (output));
    ck_assert_int_eq (calls[0].calls, 0);
    eddy_cancellable_cancel (cancellable);
    eddy_output_stream_write_async (output, "no", 2, 0, cancellable, stream_called, &calls[1]);
    ck_assert_int_eq (
        eddy_output_stream_write_finish (output, stream_await (context, &calls[1]), &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    eddy_output_stream_write_async (output, "fghi", 4, 0, NULL, stream_called,
                                    &calls[2]); /* does not fit */
    ck_assert_int_eq (
        eddy_output_stream_write_finish (output, stream_await (context, &calls[0]), &error), 5);
    ck_assert_int_eq (
        eddy_output_stream_write_finish (output, stream_await (context, &calls[2]), &error), 4);
    ck_assert (eddy_output_stream_close (output, NULL, &error));
    expect (base, "abcdefghi");
    for (int i = 0; i < 3; i++)
        stream_call_clear (&calls[i]);
    eddy_unref (base);
    eddy_test_context_end (context);
}

EDDY_TEST (D_buffered_size_grows_and_shrinks)
{
    Slow *base = slow_new (0);
    EDDY_AUTO (EddyOutputStream) output = eddy_buffered_output_stream_new (&base->stream);
    EddyError *error = NULL;
    ck_assert_uint_eq (eddy_buffered_output_stream_get_buffer_size (buffered (output)), 4096);
    ck_assert (eddy_buffered_output_stream_set_buffer_size (buffered (output), 4));
    ck_assert_int_eq (put (output, "abc", &error), 3);
    ck_assert (eddy_buffered_output_stream_set_buffer_size (buffered (output), 2));
    ck_assert_uint_eq (eddy_buffered_output_stream_get_buffer_size (buffered (output)), 3);
    ck_assert (eddy_buffered_output_stream_set_buffer_size (buffered (output), 8));
    ck_assert_int_eq (put (output, "defgh", &error), 5);
    ck_assert_int_eq (base->writes, 0);
    ck_assert (eddy_output_stream_set_pending (output, &error));
    ck_assert (!eddy_buffered_output_stream_set_buffer_size (buffered (output), 16));
    eddy_output_stream_clear_pending (output);
    ck_assert (eddy_output_stream_close (output, NULL, &error));
    expect (base, "abcdefgh");
    eddy_unref (base);
}

EDDY_TEST (D_buffered_positions_flush)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyOutputStream) memory = eddy_memory_output_stream_new (0);
    EDDY_AUTO (EddyOutputStream) output = eddy_buffered_output_stream_new (memory);
    EddySeekable *seekable = EDDY_SEEKABLE (output);
    StreamCall call = { 0 };
    EddyError *error = NULL;
    ck_assert (eddy_seekable_can_seek (seekable));
    ck_assert (eddy_seekable_can_truncate (seekable));
    ck_assert_int_eq (put (output, "abcdef", &error), 6);
    ck_assert_int_eq (eddy_seekable_tell (seekable), 6);
    ck_assert_uint_eq (eddy_memory_output_stream_get_size (memory), 0);
    ck_assert (eddy_seekable_seek (seekable, 2, EDDY_SEEK_SET, NULL, &error));
    ck_assert_uint_eq (eddy_memory_output_stream_get_size (memory), 6);
    ck_assert_int_eq (put (output, "CD", &error), 2);
    eddy_seekable_seek_async (seekable, -1, EDDY_SEEK_CURRENT, 0, NULL, stream_called, &call);
    ck_assert (eddy_seekable_seek_finish (seekable, stream_await (context, &call), &error));
    ck_assert_int_eq (put (output, "x", &error), 1);
    ck_assert (eddy_seekable_truncate (seekable, 5, NULL, &error));
    ck_assert_int_eq (memcmp (eddy_memory_output_stream_get_data (memory), "abCxe", 5), 0);
    ck_assert_uint_eq (eddy_memory_output_stream_get_size (memory), 5);
    ck_assert (eddy_output_stream_close (output, NULL, &error));
    stream_call_clear (&call);
    eddy_test_context_end (context);
}

EDDY_TEST (D_buffered_positions_where_the_base_has_none)
{
    Slow *base = slow_new (0);
    EDDY_AUTO (EddyOutputStream) output = eddy_buffered_output_stream_new (&base->stream);
    EddyError *error = NULL;
    ck_assert_int_eq (put (output, "abc", &error), 3);
    ck_assert_int_eq (eddy_seekable_tell (EDDY_SEEKABLE (output)), 0);
    ck_assert (!eddy_seekable_can_seek (EDDY_SEEKABLE (output)));
    ck_assert (!eddy_seekable_can_truncate (EDDY_SEEKABLE (output)));
    ck_assert (!eddy_seekable_seek (EDDY_SEEKABLE (output), 0, EDDY_SEEK_SET, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_SUPPORTED);
    ck_assert (eddy_output_stream_close (output, NULL, &error));
    eddy_unref (base);
}

static void note_message (EddyLogLevel level, const char *message, void *user_data)
{
    (void) level;
    snprintf (user_data, 128, "%s", message);
}

EDDY_TEST (D_buffered_dropped_with_bytes_warns)
{
    Slow *base = slow_new (0);
    EddyOutputStream *output = eddy_buffered_output_stream_new (&base->stream);
    EddyError *error = NULL;
    char message[128] = "";
    ck_assert_int_eq (put (output, "abc", &error), 3);
    eddy_log_set_handler (note_message, message);
    eddy_unref (output);
    eddy_log_set_handler (NULL, NULL);
    ck_assert_ptr_nonnull (strstr (message, "3 bytes are lost"));
    ck_assert_uint_eq (base->size, 0);
    ck_assert_int_eq (base->writes, 0);
    eddy_unref (base);
}
