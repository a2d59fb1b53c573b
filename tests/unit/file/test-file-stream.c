/* SPDX-License-Identifier: MIT */
/*
 * Streams of files whose system calls fail: what is told, and what is left.
 */
#include <eddy/file-stream.h>

#include "files.h"

static EddyOutputStream *create (const char *name)
{
    EDDY_AUTO (EddyFile) file = files_new (name);
    EddyError *error = NULL;
    EddyFileOutputStream *stream = eddy_file_create (file, EDDY_FILE_CREATE_NONE, NULL, &error);
    ck_assert_ptr_nonnull (stream);
    ck_assert_int_eq (
        eddy_output_stream_write (EDDY_OUTPUT_STREAM (stream), "new", 3, NULL, &error), 3);
    return EDDY_OUTPUT_STREAM (stream);
}

static EddyOutputStream *replace (const char *name)
{
    EDDY_AUTO (EddyFile) file = files_new (name);
    EddyError *error = NULL;
    EddyFileOutputStream *stream =
        eddy_file_replace (file, NULL, false, EDDY_FILE_CREATE_NONE, NULL, &error);
    ck_assert_ptr_nonnull (stream);
    ck_assert_int_eq (
        eddy_output_stream_write (EDDY_OUTPUT_STREAM (stream), "new", 3, NULL, &error), 3);
    return EDDY_OUTPUT_STREAM (stream);
}

/* Some file systems say no earlier that there is no room. */
EDDY_TEST (file_stream_tells_of_a_failed_close)
{
    EddyOutputStream *output = create ("file");
    EddyError *error = NULL;
    int fd = eddy_file_handle_get_fd (
        eddy_file_output_stream_get_handle ((EddyFileOutputStream *) (void *) output));
    eddy_test_fail_call (EDDY_SYS_CLOSE, 1, ENOSPC, /* from_then_on= */ false);
    ck_assert (!eddy_output_stream_close (output, NULL, &error));
    eddy_test_no_faults ();
    files_assert_error (&error, EDDY_IO_ERROR_NO_SPACE, ENOSPC, "file");
    ck_assert (eddy_output_stream_is_closed (output));
    ck_assert_int_eq (fcntl (fd, F_GETFD), -1); /* it is gone all the same */
    eddy_unref (output);
}

static void replace_fails (EddySysCall call, int error_number)
{
    EddyOutputStream *output = replace ("file");
    EddyError *error = NULL;
    eddy_test_fail_call (call, 1, error_number, /* from_then_on= */ false);
    ck_assert (!eddy_output_stream_close (output, NULL, &error));
    ck_assert_uint_eq (eddy_test_fault_hits (call), 1);
    eddy_test_no_faults ();
    ck_assert_int_eq (eddy_error_get_errno (error), error_number);
    eddy_clear_error (&error);
    ck_assert_ptr_null (
        eddy_file_output_stream_get_etag ((EddyFileOutputStream *) (void *) output));
    eddy_unref (output);
    files_assert_contents ("file", "old", 3);
    ck_assert_int_eq (files_count (), 1);
}

EDDY_TEST (file_stream_that_fails_to_replace_leaves_the_old_file)
{
    files_write ("file", "old", 3);
    replace_fails (EDDY_SYS_FSYNC, EIO);
    replace_fails (EDDY_SYS_RENAMEAT2, EACCES);
    replace_fails (EDDY_SYS_FCHMOD, EPERM);
}

/* A file that has become a fifo between the question and the call is not read from. */
EDDY_TEST (file_stream_asks_what_it_has_opened)
{
    files_write ("file", "old", 3);
    EDDY_AUTO (EddyFile) file = files_new ("file");
    EddyError *error = NULL;
    int fds = files_count_fds ();
    eddy_test_fail_call (EDDY_SYS_STATX, 2, EIO, /* from_then_on= */ false);
    ck_assert_ptr_null (eddy_file_read (file, NULL, &error));
    eddy_test_no_faults ();
    files_assert_error (&error, EDDY_IO_ERROR_FAILED, EIO, "file");
    ck_assert_int_eq (files_count_fds (), fds);
}
