/* SPDX-License-Identifier: MIT */
/*
 * Streams of files opened, and asked what they are of, by callback and as futures.
 */
#include "stream.h"

/* What an operation as a future has made: as long as the future. */
static void *made_by (EddyContext *context, EddyFuture *future)
{
    EddyError *error = NULL;
    void *made = eddy_block_on (context, future, &error);
    ck_assert_msg (made != NULL, "%s", error == NULL ? "" : eddy_error_get_message (error));
    return made;
}

static void write_and_close (void *stream)
{
    EddyError *error = NULL;
    ck_assert_int_eq (
        eddy_output_stream_write (EDDY_OUTPUT_STREAM (stream), "abc", 3, NULL, &error), 3);
    ck_assert (eddy_output_stream_close (EDDY_OUTPUT_STREAM (stream), NULL, &error));
}

static void expect_size (EddyFileInfo *info, int64_t size)
{
    ck_assert_ptr_nonnull (info);
    ck_assert_int_eq (eddy_file_info_get_size (info), size);
}

EDDY_TEST (D_filestream_opened_as_futures)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyFile) file = eddy_test_file ("one");
    EDDY_AUTO (EddyFile) other = eddy_test_file ("other");
    EddyError *error = NULL;
    EDDY_AUTO (EddyFuture) created = eddy_file_create_future (file, 0, 0, NULL);
    write_and_close (made_by (context, created));
    EDDY_AUTO (EddyFuture) replaced = eddy_file_replace_future (file, NULL, false, 0, 0, NULL);
    write_and_close (made_by (context, replaced));
    EDDY_AUTO (EddyFuture) both = eddy_file_create_readwrite_future (other, 0, 0, NULL);
    EddyIOStream *stream = made_by (context, both);
    write_and_close (eddy_io_stream_get_output_stream (stream));
    EDDY_AUTO (EddyFuture) again = eddy_file_open_readwrite_future (other, 0, NULL);
    EddyFileIOStream *opened = made_by (context, again);
    EDDY_AUTO (EddyFuture) asked = eddy_file_io_stream_query_info_future (opened, 0, NULL);
    expect_size (made_by (context, asked), 3);
    EDDY_AUTO (EddyFuture) read = eddy_file_read_future (file, 0, NULL);
    EddyFileInputStream *input = made_by (context, read);
    EDDY_AUTO (EddyFuture) asked_too = eddy_file_input_stream_query_info_future (input, 0, NULL);
    expect_size (made_by (context, asked_too), 3);
    ck_assert (eddy_input_stream_close (EDDY_INPUT_STREAM (input), NULL, &error));
    eddy_test_context_end (context);
}

EDDY_TEST (D_filestream_opened_by_callback)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyFile) file = eddy_test_file ("file");
    StreamCall call = { 0 };
    EddyError *error = NULL;
    eddy_file_append_to_async (file, EDDY_FILE_CREATE_PRIVATE, 0, NULL, stream_called, &call);
    EDDY_AUTO (EddyFileOutputStream)
    output = eddy_file_append_to_finish (file, stream_await (context, &call), &error);
    ck_assert_ptr_nonnull (output);
    stream_call_clear (&call);
    eddy_file_output_stream_query_info_async (output, 0, NULL, stream_called, &call);
    EDDY_AUTO (EddyFileInfo)
    info =
        eddy_file_output_stream_query_info_finish (output, stream_await (context, &call), &error);
    expect_size (info, 0);
    stream_call_clear (&call);
    write_and_close (output);
    eddy_file_replace_readwrite_async (file, NULL, false, 0, 0, NULL, stream_called, &call);
    EDDY_AUTO (EddyFileIOStream)
    both = eddy_file_replace_readwrite_finish (file, stream_await (context, &call), &error);
    write_and_close (eddy_io_stream_get_output_stream (EDDY_IO_STREAM (both)));
    stream_call_clear (&call);
    ck_assert (eddy_io_stream_close (EDDY_IO_STREAM (both), NULL, &error));
    eddy_test_context_end (context);
}

/* An answer that nobody waits for is given up with its future. */
EDDY_TEST (D_filestream_dropped_futures_leave_nothing)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyFile) file = eddy_test_file ("file");
    EddyContextStatistics statistics;
    for (int i = 0; i < 50; i++) {
        EddyFuture *future =
            i % 2 == 0 ? eddy_file_append_to_future (file, 0, 0, NULL)
                       : eddy_file_replace_readwrite_future (file, NULL, false, 0, 0, NULL);
        for (int j = 0; j < i % 5; j++)
            eddy_context_iteration (context, /* may_block= */ false);
        eddy_unref (future);
    }
    do {
        eddy_context_iteration (context, /* may_block= */ false);
        eddy_context_get_statistics (context, &statistics);
    } while (statistics.live_operations > 0);
    eddy_test_context_end (context);
}
