/* SPDX-License-Identifier: MIT */
/*
 * Streams of files: positions of their own, and one operation at a time.
 */
#include <limits.h>
#include <sys/stat.h>

#include "stream.h"

enum { SIZE = 10000 };

static EddyInputStream *open_input (EddyFile *file)
{
    EddyError *error = NULL;
    EddyFileInputStream *stream = eddy_file_read (file, NULL, &error);
    ck_assert_msg (stream != NULL, "%s", error == NULL ? "" : eddy_error_get_message (error));
    return EDDY_INPUT_STREAM (stream);
}

static void expect_contents (EddyFile *file, const char *text)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddyBytes) bytes = eddy_file_load_contents (file, NULL, &error);
    ck_assert_ptr_nonnull (bytes);
    ck_assert_uint_eq (eddy_bytes_get_size (bytes), strlen (text));
    ck_assert_int_eq (memcmp (eddy_bytes_get_data (bytes), text, strlen (text)), 0);
}

static void write_text (EddyOutputStream *output, const char *text)
{
    EddyError *error = NULL;
    ck_assert (eddy_output_stream_write_all (output, text, strlen (text), NULL, NULL, &error));
}

/* ---- reading --------------------------------------------------------------------------------- */

static void *read_to_the_end (void *data, EddyError **error)
{
    EDDY_AUTO (EddyInputStream) input = open_input (data);
    char bytes[SIZE + 1];
    size_t count;
    ck_assert_int_eq (eddy_input_stream_read (input, bytes, 100, NULL, error), 100);
    ck_assert_int_eq (eddy_seekable_tell (EDDY_SEEKABLE (input)), 100);
    ck_assert (eddy_input_stream_read_all (input, bytes + 100, sizeof bytes, &count, NULL, error));
    ck_assert_uint_eq (count, SIZE - 100);
    stream_expect (bytes, SIZE, 0);
    ck_assert_int_eq (eddy_input_stream_read (input, bytes, 1, NULL, error), 0);
    ck_assert (eddy_input_stream_close (input, NULL, error));
    return NULL;
}

EDDY_TEST (D_filestream_reads_to_the_end)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyFile) file = stream_make_file ("file", SIZE);
    EddyError *error = NULL;
    read_to_the_end (file, &error);
    eddy_test_run_fiber (context, read_to_the_end, file);
    eddy_test_context_end (context);
}

EDDY_TEST (D_filestream_positions_of_input)
{
    EDDY_AUTO (EddyFile) file = stream_make_file ("file", SIZE);
    EDDY_AUTO (EddyInputStream) input = open_input (file);
    EddySeekable *seekable = EDDY_SEEKABLE (input);
    EddyError *error = NULL;
    char bytes[8];
    ck_assert (eddy_seekable_can_seek (seekable));
    ck_assert (!eddy_seekable_can_truncate (seekable));
    ck_assert (eddy_seekable_seek (seekable, -4, EDDY_SEEK_END, NULL, &error));
    ck_assert_int_eq (eddy_input_stream_read (input, bytes, 8, NULL, &error), 4);
    stream_expect (bytes, 4, SIZE - 4);
    ck_assert (eddy_seekable_seek (seekable, 5000, EDDY_SEEK_SET, NULL, &error));
    ck_assert (eddy_seekable_seek (seekable, 7, EDDY_SEEK_CURRENT, NULL, &error));
    ck_assert_int_eq (eddy_input_stream_read (input, bytes, 8, NULL, &error), 8);
    stream_expect (bytes, 8, 5007);
    ck_assert (!eddy_seekable_seek (seekable, -1, EDDY_SEEK_SET, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
    ck_assert_int_eq (eddy_seekable_tell (seekable), 5015);
    ck_assert (eddy_seekable_seek (seekable, SIZE + 5, EDDY_SEEK_SET, NULL, &error));
    ck_assert_int_eq (eddy_input_stream_read (input, bytes, 8, NULL, &error), 0);
}

/* What is passed over is not read: of a file of a terabyte it would take a while. */
EDDY_TEST (S21_skip_in_a_file_reads_nothing)
{
    EDDY_AUTO (EddyFile) file = stream_make_file ("file", SIZE);
    EddyError *error = NULL;
    ck_assert_int_eq (truncate (eddy_file_get_path (file), INT64_C (1) << 40), 0);
    EDDY_AUTO (EddyInputStream) input = open_input (file);
    ck_assert_int_eq (eddy_input_stream_skip (input, 500, NULL, &error), 500);
    ck_assert_int_eq (eddy_input_stream_skip (input, SSIZE_MAX, NULL, &error),
                      (INT64_C (1) << 40) - 500);
    ck_assert_int_eq (eddy_input_stream_skip (input, 1, NULL, &error), 0);
}

/* Files of /proc say that they have no bytes, and have. */
EDDY_TEST (S21_skip_in_a_file_that_lies)
{
    EDDY_AUTO (EddyFile) file = eddy_file_new_for_path ("/proc/self/status");
    EDDY_AUTO (EddyInputStream) input = open_input (file);
    EddyError *error = NULL;
    char bytes[5] = "";
    ck_assert_int_eq (eddy_input_stream_skip (input, 2, NULL, &error), 2);
    ck_assert_int_eq (eddy_input_stream_read (input, bytes, 3, NULL, &error), 3);
    ck_assert_str_eq (bytes, "me:");
}

/* ---- by callback ----------------------------------------------------------------------------- */

static void open_by_callback (EddyContext *context, EddyFile *file, EddyInputStream **input)
{
    StreamCall call = { 0 };
    EddyError *error = NULL;
    eddy_file_read_async (file, 0, NULL, stream_called, &call);
    *input =
        EDDY_INPUT_STREAM (eddy_file_read_finish (file, stream_await (context, &call), &error));
    ck_assert_ptr_nonnull (*input);
    stream_call_clear (&call);
}

/* A callback's read is one request, which moves the position when it has ended. */
EDDY_TEST (D_filestream_reads_by_callback)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyFile) file = stream_make_file ("file", SIZE);
    EddyContextStatistics statistics;
    StreamCall call = { 0 };
    EddyError *error = NULL;
    EddyInputStream *input;
    char bytes[16];
    open_by_callback (context, file, &input);
    for (size_t at = 0; at < 160; at += 16) {
        eddy_input_stream_read_async (input, bytes, 16, 0, NULL, stream_called, &call);
        eddy_context_get_statistics (context, &statistics);
        ck_assert_uint_eq (statistics.live_fibers, 0);
        ck_assert_int_eq (
            eddy_input_stream_read_finish (input, stream_await (context, &call), &error), 16);
        stream_expect (bytes, 16, at);
        stream_call_clear (&call);
    }
    ck_assert_int_eq (eddy_seekable_tell (EDDY_SEEKABLE (input)), 160);
    eddy_unref (input);
    eddy_test_context_end (context);
}

EDDY_TEST (F18_query_info_is_the_pending_operation)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyFile) file = stream_make_file ("file", SIZE);
    EDDY_AUTO (EddyInputStream) input = open_input (file);
    EddyFileInputStream *stream = (EddyFileInputStream *) (void *) input;
    StreamCall call = { 0 };
    EddyError *error = NULL;
    char byte;
    eddy_file_input_stream_query_info_async (stream, 0, NULL, stream_called, &call);
    ck_assert (eddy_input_stream_has_pending (input));
    ck_assert_int_eq (eddy_input_stream_read (input, &byte, 1, NULL, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_PENDING);
    EDDY_AUTO (EddyFileInfo)
    info = eddy_file_input_stream_query_info_finish (stream, stream_await (context, &call), &error);
    ck_assert_int_eq (eddy_file_info_get_size (info), SIZE);
    ck_assert_str_eq (eddy_file_info_get_name (info), "file");
    stream_call_clear (&call);
    ck_assert (eddy_input_stream_set_pending (input, &error));
    ck_assert_ptr_null (eddy_file_input_stream_query_info (stream, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_PENDING);
    eddy_input_stream_clear_pending (input);
    EDDY_AUTO (EddyFileInfo) again = eddy_file_input_stream_query_info (stream, NULL, &error);
    ck_assert_int_eq (eddy_file_info_get_size (again), SIZE);
    ck_assert (eddy_input_stream_close (input, NULL, &error));
    ck_assert_ptr_null (eddy_file_input_stream_query_info (stream, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
    eddy_test_context_end (context);
}

static void *query_and_be_cancelled (void *data, EddyError **error)
{
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    EddyFileOutputStream *stream = data;
    eddy_cancellable_cancel (cancellable);
    ck_assert_ptr_null (eddy_file_output_stream_query_info (stream, cancellable, error));
    eddy_test_expect_error (error, EDDY_IO_ERROR_CANCELLED);
    ck_assert (!eddy_output_stream_has_pending (EDDY_OUTPUT_STREAM (stream)));
    EDDY_AUTO (EddyFileInfo) info = eddy_file_output_stream_query_info (stream, NULL, error);
    ck_assert_int_eq (eddy_file_info_get_size (info), 3);
    return NULL;
}

EDDY_TEST (F18_query_info_of_what_is_written)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyFile) file = eddy_test_file ("file");
    EddyError *error = NULL;
    EDDY_AUTO (EddyFileOutputStream) stream = eddy_file_create (file, 0, NULL, &error);
    write_text (EDDY_OUTPUT_STREAM (stream), "abc");
    eddy_test_run_fiber (context, query_and_be_cancelled, stream);
    EDDY_AUTO (EddyFuture) future = eddy_file_output_stream_query_info_future (stream, 0, NULL);
    ck_assert_int_eq (eddy_file_info_get_size (eddy_block_on (context, future, &error)), 3);
    eddy_test_context_end (context);
}

/* One hop where there is something to wait for, and none for what the page cache has: there is no
   pool that a read goes through. */
EDDY_TEST (F19_cached_read_makes_no_hop)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyFile) file = stream_make_file ("file", SIZE);
    EddyContextStatistics before, after;
    StreamCall call = { 0 };
    EddyError *error = NULL;
    EddyInputStream *input;
    char bytes[SIZE];
    open_by_callback (context, file, &input);
    eddy_context_get_statistics (context, &before);
    eddy_input_stream_read_async (input, bytes, SIZE, 0, NULL, stream_called, &call);
    ck_assert_int_eq (eddy_input_stream_read_finish (input, stream_await (context, &call), &error),
                      SIZE);
    stream_call_clear (&call);
    eddy_context_get_statistics (context, &after);
    struct stat info;
    ck_assert_int_eq (stat (eddy_file_get_path (file), &info), 0);
    if (after.immediate == before.immediate) /* this file system cannot say what it has */
        ck_assert_uint_eq (after.ring + after.workers, before.ring + before.workers + 1);
    else
        ck_assert_uint_eq (after.workers, before.workers);
    eddy_unref (input);
    eddy_test_context_end (context);
}

EDDY_TEST (F20_cancelled_writev_writes_nothing)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyFile) file = eddy_test_file ("file");
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    EddyError *error = NULL;
    EDDY_AUTO (EddyFileOutputStream) stream = eddy_file_create (file, 0, NULL, &error);
    EddyOutputStream *output = EDDY_OUTPUT_STREAM (stream);
    EddyOutputVector vectors[] = { { "abc", 3 }, { "def", 3 } };
    StreamCall call = { 0 };
    size_t count = 77;
    eddy_cancellable_cancel (cancellable);
    ck_assert (!eddy_output_stream_writev_all (output, vectors, 2, &count, cancellable, &error));
    ck_assert_uint_eq (count, 0);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    count = 77;
    eddy_output_stream_writev_all_async (output, vectors, 2, 0, cancellable, stream_called, &call);
    ck_assert (!eddy_output_stream_writev_all_finish (output, stream_await (context, &call), &count,
                                                      &error));
    ck_assert_uint_eq (count, 0);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    stream_call_clear (&call);
    expect_contents (file, "");
    eddy_test_context_end (context);
}

/* ---- writing --------------------------------------------------------------------------------- */

EDDY_TEST (F3_create_fails_where_a_file_is)
{
    EDDY_AUTO (EddyFile) file = stream_make_file ("there", SIZE);
    EDDY_AUTO (EddyFile) none = eddy_test_file ("none");
    EDDY_AUTO (EddyFile) empty = eddy_file_new_for_path ("");
    EddyError *error = NULL;
    ck_assert_ptr_null (eddy_file_create (file, 0, NULL, &error));
    ck_assert_ptr_nonnull (strstr (eddy_error_get_message (error), "there"));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_EXISTS);
    ck_assert_ptr_null (eddy_file_create_readwrite (file, 0, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_EXISTS);
    ck_assert_ptr_null (eddy_file_read (none, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_FOUND);
    ck_assert_ptr_null (eddy_file_open_readwrite (none, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_FOUND);
    ck_assert_ptr_null (eddy_file_create (empty, 0, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_FOUND);
}

static void *write_and_close (void *data, EddyError **error)
{
    EDDY_AUTO (EddyFileOutputStream)
    stream = eddy_file_create (data, EDDY_FILE_CREATE_PRIVATE, NULL, error);
    EddyOutputStream *output = EDDY_OUTPUT_STREAM (stream);
    EddySeekable *seekable = EDDY_SEEKABLE (stream);
    struct stat info;
    ck_assert_ptr_nonnull (stream);
    write_text (output, "abcdef");
    ck_assert (eddy_seekable_seek (seekable, 2, EDDY_SEEK_SET, NULL, error));
    write_text (output, "X");
    ck_assert_int_eq (eddy_seekable_tell (seekable), 3);
    ck_assert (eddy_seekable_truncate (seekable, 4, NULL, error));
    ck_assert (eddy_output_stream_flush (output, NULL, error));
    ck_assert (eddy_output_stream_close (output, NULL, error));
    expect_contents (data, "abXd");
    ck_assert_int_eq (stat (eddy_file_get_path (data), &info), 0);
    ck_assert_int_eq (info.st_mode & 0777, 0600);
    ck_assert_int_eq (unlink (eddy_file_get_path (data)), 0);
    return NULL;
}

EDDY_TEST (D_filestream_writes_where_it_is)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyFile) file = eddy_test_file ("file");
    EddyError *error = NULL;
    write_and_close (file, &error);
    eddy_test_run_fiber (context, write_and_close, file);
    eddy_test_context_end (context);
}

EDDY_TEST (D_filestream_writes_by_callback)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyFile) file = eddy_test_file ("file");
    StreamCall call = { 0 };
    EddyError *error = NULL;
    eddy_file_create_async (file, 0, 0, NULL, stream_called, &call);
    EddyOutputStream *output =
        EDDY_OUTPUT_STREAM (eddy_file_create_finish (file, stream_await (context, &call), &error));
    stream_call_clear (&call);
    for (int i = 0; i < 3; i++) {
        eddy_output_stream_write_async (output, "abc", 3, 0, NULL, stream_called, &call);
        ck_assert_int_eq (
            eddy_output_stream_write_finish (output, stream_await (context, &call), &error), 3);
        stream_call_clear (&call);
    }
    EDDY_AUTO (EddyFuture) closed = eddy_output_stream_close_future (output, 0, NULL);
    ck_assert (eddy_block_on_boolean (context, closed, &error));
    expect_contents (file, "abcabcabc");
    eddy_unref (output);
    eddy_test_context_end (context);
}

EDDY_TEST (D_filestream_appends_at_the_end)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyFile) file = eddy_test_file ("file");
    EddyError *error = NULL;
    EDDY_AUTO (EddyFuture) future = eddy_file_append_to_future (file, 0, 0, NULL);
    EddyOutputStream *output = EDDY_OUTPUT_STREAM (eddy_block_on (context, future, &error));
    EDDY_AUTO (EddyFileOutputStream) other = eddy_file_append_to (file, 0, NULL, &error);
    write_text (output, "one ");
    write_text (EDDY_OUTPUT_STREAM (other), "other ");
    write_text (output, "one");
    ck_assert_int_eq (eddy_seekable_tell (EDDY_SEEKABLE (output)), 13);
    ck_assert_int_eq (eddy_seekable_tell (EDDY_SEEKABLE (other)), 13);
    ck_assert (!eddy_seekable_can_seek (EDDY_SEEKABLE (output)));
    ck_assert (!eddy_seekable_seek (EDDY_SEEKABLE (output), 0, EDDY_SEEK_SET, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_SUPPORTED);
    expect_contents (file, "one other one");
    eddy_test_context_end (context);
}

/* ---- both ways ------------------------------------------------------------------------------- */

static void expect_at (EddyIOStream *stream, int64_t position, const char *text)
{
    EddyInputStream *input = eddy_io_stream_get_input_stream (stream);
    EddyError *error = NULL;
    char bytes[16] = "";
    ck_assert (eddy_seekable_seek (EDDY_SEEKABLE (stream), position, EDDY_SEEK_SET, NULL, &error));
    ck_assert (eddy_input_stream_read_all (input, bytes, 15, NULL, NULL, &error));
    ck_assert_str_eq (bytes, text);
}

EDDY_TEST (D_filestream_both_ways_with_one_position)
{
    EDDY_AUTO (EddyFile) file = eddy_test_file ("file");
    EddyError *error = NULL;
    EDDY_AUTO (EddyFileIOStream) made = eddy_file_create_readwrite (file, 0, NULL, &error);
    EddyIOStream *stream = EDDY_IO_STREAM (made);
    write_text (eddy_io_stream_get_output_stream (stream), "abcdef");
    ck_assert_int_eq (eddy_seekable_tell (EDDY_SEEKABLE (stream)), 6);
    expect_at (stream, 2, "cdef");
    write_text (eddy_io_stream_get_output_stream (stream), "gh");
    expect_at (stream, 5, "fgh");
    ck_assert (eddy_seekable_truncate (EDDY_SEEKABLE (stream), 3, NULL, &error));
    expect_at (stream, 0, "abc");
    EDDY_AUTO (EddyFileInfo) info = eddy_file_io_stream_query_info (made, NULL, &error);
    ck_assert_int_eq (eddy_file_info_get_size (info), 3);
    int fd = eddy_file_handle_get_fd (eddy_file_io_stream_get_handle (made));
    /* Either half may end before the other. */
    ck_assert (eddy_output_stream_close (eddy_io_stream_get_output_stream (stream), NULL, &error));
    expect_at (stream, 1, "bc");
    ck_assert (eddy_io_stream_close (stream, NULL, &error));
    ck_assert_int_eq (fcntl (fd, F_GETFD), -1);
    expect_contents (file, "abc");
}

EDDY_TEST (D_filestream_both_ways_in_other_forms)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyFile) file = eddy_test_file ("file");
    StreamCall call = { 0 };
    EddyError *error = NULL;
    eddy_file_create_readwrite_async (file, 0, 0, NULL, stream_called, &call);
    EddyFileIOStream *made =
        eddy_file_create_readwrite_finish (file, stream_await (context, &call), &error);
    stream_call_clear (&call);
    write_text (eddy_io_stream_get_output_stream (EDDY_IO_STREAM (made)), "text");
    eddy_unref (made);
    eddy_file_open_readwrite_async (file, 0, NULL, stream_called, &call);
    EddyFileIOStream *stream =
        eddy_file_open_readwrite_finish (file, stream_await (context, &call), &error);
    stream_call_clear (&call);
    expect_at (EDDY_IO_STREAM (stream), 0, "text");
    eddy_file_io_stream_query_info_async (stream, 0, NULL, stream_called, &call);
    EDDY_AUTO (EddyFileInfo)
    info = eddy_file_io_stream_query_info_finish (stream, stream_await (context, &call), &error);
    ck_assert_int_eq (eddy_file_info_get_size (info), 4);
    stream_call_clear (&call);
    eddy_unref (stream);
    eddy_test_context_end (context);
}

/* ---- the end --------------------------------------------------------------------------------- */

EDDY_TEST (D_filestream_has_its_handle_to_itself)
{
    EDDY_AUTO (EddyFile) file = stream_make_file ("file", SIZE);
    EDDY_AUTO (EddyInputStream) input = open_input (file);
    EddyFileHandle *handle =
        eddy_ref (eddy_file_input_stream_get_handle ((EddyFileInputStream *) (void *) input));
    EddyError *error = NULL;
    char bytes[8];
    ck_assert_int_eq (eddy_file_handle_read_at (handle, bytes, 8, 99, NULL, &error), 8);
    stream_expect (bytes, 8, 99);
    ck_assert_int_eq (eddy_seekable_tell (EDDY_SEEKABLE (input)), 0);
    ck_assert (!eddy_file_handle_close (handle, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_PENDING);
    ck_assert (eddy_input_stream_close (input, NULL, &error));
    ck_assert (eddy_file_handle_is_closed (handle));
    ck_assert (eddy_file_handle_close (handle, NULL, &error));
    eddy_unref (handle);
}

/* The stream is closed; its file, when what the handle does has ended. */
EDDY_TEST (S7_close_while_the_handle_is_at_work)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyFile) file = eddy_test_file ("file");
    StreamCall call = { 0 };
    EddyError *error = NULL;
    EDDY_AUTO (EddyFileOutputStream) stream = eddy_file_create (file, 0, NULL, &error);
    EddyFileHandle *handle = eddy_file_output_stream_get_handle (stream);
    int fd = eddy_file_handle_get_fd (handle);
    eddy_file_handle_write_at_async (handle, "abc", 3, 0, 0, NULL, stream_called, &call);
    ck_assert (!eddy_output_stream_close (EDDY_OUTPUT_STREAM (stream), NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_PENDING);
    ck_assert (eddy_output_stream_is_closed (EDDY_OUTPUT_STREAM (stream)));
    ck_assert (eddy_file_handle_is_closed (handle));
    ck_assert_int_ge (fcntl (fd, F_GETFD), 0);
    ck_assert_int_eq (
        eddy_file_handle_write_at_finish (handle, stream_await (context, &call), &error), 3);
    stream_call_clear (&call);
    expect_contents (file, "abc");
    eddy_test_context_end (context);
}

/* A stream that is let go of leaves the file to who else has the handle. */
EDDY_TEST (S9_handle_outlives_a_dropped_stream)
{
    EDDY_AUTO (EddyFile) file = stream_make_file ("file", SIZE);
    EddyInputStream *input = open_input (file);
    EddyFileHandle *handle =
        eddy_ref (eddy_file_input_stream_get_handle ((EddyFileInputStream *) (void *) input));
    EddyError *error = NULL;
    char byte;
    eddy_unref (input);
    ck_assert_int_eq (eddy_file_handle_read_at (handle, &byte, 1, 0, NULL, &error), 1);
    ck_assert (eddy_file_handle_close (handle, NULL, &error));
    eddy_unref (handle);
}

/* Names of strangers: whatever is opened by one is beneath the folder. */
EDDY_TEST (D_filestream_beneath_a_folder)
{
    EDDY_AUTO (EddyFile) folder = eddy_test_file ("folder");
    EddyError *error = NULL;
    ck_assert_int_eq (mkdir (eddy_file_get_path (folder), 0700), 0);
    eddy_unref (stream_make_file ("outside", SIZE));
    EDDY_AUTO (EddyDir) dir = eddy_dir_open (folder, NULL, &error);
    EDDY_AUTO (EddyFile) inside = eddy_dir_get_file (dir, "inside");
    EDDY_AUTO (EddyFile) escape = eddy_dir_get_file (dir, "../outside");
    EDDY_AUTO (EddyFileOutputStream) made = eddy_file_create (inside, 0, NULL, &error);
    write_text (EDDY_OUTPUT_STREAM (made), "made");
    ck_assert (eddy_output_stream_close (EDDY_OUTPUT_STREAM (made), NULL, &error));
    EDDY_AUTO (EddyFileOutputStream)
    replaced = eddy_file_replace (inside, NULL, false, 0, NULL, &error);
    write_text (EDDY_OUTPUT_STREAM (replaced), "replaced");
    ck_assert (eddy_output_stream_close (EDDY_OUTPUT_STREAM (replaced), NULL, &error));
    expect_contents (inside, "replaced");
    ck_assert_ptr_null (eddy_file_read (escape, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_PERMISSION_DENIED);
    ck_assert_ptr_null (eddy_file_append_to (escape, 0, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_PERMISSION_DENIED);
    ck_assert_ptr_null (eddy_file_replace (escape, NULL, false, 0, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_PERMISSION_DENIED);
    ck_assert_ptr_null (eddy_file_open (escape, EDDY_FILE_OPEN_READ, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_PERMISSION_DENIED);
}

EDDY_TEST (D_filestream_of_a_device)
{
    EDDY_AUTO (EddyFile) zero = eddy_file_new_for_path ("/dev/zero");
    EDDY_AUTO (EddyFile) full = eddy_file_new_for_path ("/dev/full");
    EDDY_AUTO (EddyInputStream) input = open_input (zero);
    EddyError *error = NULL;
    char bytes[4] = "abc";
    ck_assert_int_eq (eddy_input_stream_read (input, bytes, 4, NULL, &error), 4);
    ck_assert_int_eq (bytes[0], 0);
    EDDY_AUTO (EddyFileOutputStream) stream = eddy_file_append_to (full, 0, NULL, &error);
    ck_assert_int_eq (eddy_output_stream_write (EDDY_OUTPUT_STREAM (stream), "x", 1, NULL, &error),
                      -1);
    ck_assert_ptr_nonnull (strstr (eddy_error_get_message (error), "/dev/full"));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NO_SPACE);
}

/* A terminal has no positions: it is read and written where it is. */
EDDY_TEST (D_filestream_of_a_terminal)
{
    EDDY_AUTO (EddyFile) file = eddy_file_new_for_path ("/dev/ptmx");
    EddyError *error = NULL;
    EDDY_AUTO (EddyFileOutputStream) stream = eddy_file_append_to (file, 0, NULL, &error);
    EddyOutputStream *output = EDDY_OUTPUT_STREAM (stream);
    eddy_clear_error (&error);
    if (stream == NULL)
        EDDY_TEST_SKIP ("there is no /dev/ptmx");
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq (eddy_output_stream_write (output, "x", 1, NULL, &error), 1);
        ck_assert_int_eq (eddy_seekable_tell (EDDY_SEEKABLE (stream)), 0);
        ck_assert (!eddy_seekable_can_seek (EDDY_SEEKABLE (stream)));
    }
    ck_assert (eddy_output_stream_close (output, NULL, &error));
}
