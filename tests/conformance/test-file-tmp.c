/* SPDX-License-Identifier: MIT */
/*
 * Temporary files and folders.
 */
#include <stdlib.h>
#include <sys/stat.h>

#include "stream.h"

/* In the test's own folder. */
static void use_own_folder (void)
{
    ck_assert_int_eq (setenv ("TMPDIR", eddy_test_directory (), 1), 0);
}

static void expect_name (EddyFile *file, const char *before, const char *behind)
{
    char *name = eddy_file_get_basename (file);
    const char *folder = eddy_test_directory ();
    ck_assert_int_eq (strncmp (eddy_file_get_path (file), folder, strlen (folder)), 0);
    ck_assert_uint_eq (strlen (name), strlen (before) + 6 + strlen (behind));
    ck_assert_int_eq (strncmp (name, before, strlen (before)), 0);
    ck_assert_str_eq (name + strlen (before) + 6, behind);
    ck_assert_int_ne (strncmp (name + strlen (before), "XXXXXX", 6), 0);
    eddy_free (name);
}

static mode_t mode_of (EddyFile *file)
{
    struct stat info;
    ck_assert_int_eq (stat (eddy_file_get_path (file), &info), 0);
    return info.st_mode & 07777;
}

static void expect_open (EddyFileIOStream *stream)
{
    EddyOutputStream *output = eddy_io_stream_get_output_stream (EDDY_IO_STREAM (stream));
    EddyInputStream *input = eddy_io_stream_get_input_stream (EDDY_IO_STREAM (stream));
    EddyError *error = NULL;
    char bytes[4] = "";
    ck_assert_int_eq (eddy_output_stream_write (output, "abc", 3, NULL, &error), 3);
    ck_assert (eddy_seekable_seek (EDDY_SEEKABLE (stream), 0, EDDY_SEEK_SET, NULL, &error));
    ck_assert_int_eq (eddy_input_stream_read (input, bytes, 4, NULL, &error), 3);
    ck_assert_str_eq (bytes, "abc");
    ck_assert (eddy_io_stream_close (EDDY_IO_STREAM (stream), NULL, &error));
}

EDDY_TEST (F14_temporary_file_comes_with_its_stream)
{
    EddyFileIOStream *stream = NULL;
    EddyError *error = NULL;
    use_own_folder ();
    EddyFile *file = eddy_file_new_tmp ("XXXXXX-a-XXXXXX.txt", &stream, NULL, &error);
    ck_assert_ptr_nonnull (file);
    expect_name (file, "XXXXXX-a-", ".txt");
    ck_assert_uint_eq (mode_of (file), 0600);
    expect_open (stream);
    eddy_unref (stream);
    EDDY_AUTO (EddyFile) other = eddy_file_new_tmp (NULL, NULL, NULL, &error);
    expect_name (other, ".", "");
    eddy_unref (file);
}

EDDY_TEST (F14_temporary_file_in_other_forms)
{
    EddyContext *context = eddy_test_context_begin ();
    StreamCall call = { 0 };
    EddyError *error = NULL;
    EddyFileIOStream *stream = NULL;
    use_own_folder ();
    eddy_file_new_tmp_async ("one-XXXXXX", 0, NULL, stream_called, &call);
    EDDY_AUTO (EddyFile)
    file = eddy_file_new_tmp_finish (stream_await (context, &call), &stream, &error);
    expect_name (file, "one-", "");
    expect_open (stream);
    eddy_unref (stream);
    stream_call_clear (&call);
    EDDY_AUTO (EddyFuture) future = eddy_file_new_tmp_future ("two-XXXXXX", 0, NULL);
    expect_name (eddy_block_on (context, future, &error), "two-", "");
    eddy_test_context_end (context);
}

static void *folder_awaited (void *data, EddyError **error)
{
    EDDY_AUTO (EddyFile) folder = eddy_file_new_tmp_dir ("fiber-XXXXXX", NULL, error);
    EddyFileIOStream *stream = NULL;
    EDDY_AUTO (EddyFile) file = eddy_file_new_tmp ("fiber-XXXXXX", &stream, NULL, error);
    expect_name (folder, "fiber-", "");
    expect_name (file, "fiber-", "");
    ck_assert_uint_eq (mode_of (folder), 0700);
    expect_open (stream);
    eddy_unref (stream);
    return data;
}

EDDY_TEST (F14_temporary_folder_in_every_form)
{
    EddyContext *context = eddy_test_context_begin ();
    StreamCall call = { 0 };
    EddyError *error = NULL;
    use_own_folder ();
    EDDY_AUTO (EddyFile) folder = eddy_file_new_tmp_dir (NULL, NULL, &error);
    expect_name (folder, ".", "");
    ck_assert_uint_eq (mode_of (folder), 0700);
    eddy_test_run_fiber (context, folder_awaited, NULL);
    eddy_file_new_tmp_dir_async ("callback-XXXXXX", 0, NULL, stream_called, &call);
    EDDY_AUTO (EddyFile)
    other = eddy_file_new_tmp_dir_finish (stream_await (context, &call), &error);
    expect_name (other, "callback-", "");
    stream_call_clear (&call);
    EDDY_AUTO (EddyFuture) future = eddy_file_new_tmp_dir_future ("future-XXXXXX", 0, NULL);
    expect_name (eddy_block_on (context, future, &error), "future-", "");
    eddy_test_context_end (context);
}

EDDY_TEST (F14_template_must_have_its_letters)
{
    static const char *const wrong[] = { "", "name", "XXXXX", "XXXXXx", "folder/XXXXXX" };
    EddyFileIOStream *stream = NULL;
    EddyError *error = NULL;
    use_own_folder ();
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_ptr_null (eddy_file_new_tmp (wrong[i], &stream, NULL, &error));
        eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
        ck_assert_ptr_null (eddy_file_new_tmp_dir (wrong[i], NULL, &error));
        eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
        ck_assert_ptr_null (stream);
    }
}

EDDY_TEST (F14_temporary_file_names_the_folder_that_fails)
{
    EddyError *error = NULL;
    ck_assert_int_eq (setenv ("TMPDIR", eddy_test_path ("none"), 1), 0);
    ck_assert_ptr_null (eddy_file_new_tmp (NULL, NULL, NULL, &error));
    ck_assert_ptr_nonnull (strstr (eddy_error_get_message (error), eddy_test_path ("none")));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_FOUND);
}
