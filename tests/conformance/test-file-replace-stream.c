/* SPDX-License-Identifier: MIT */
/*
 * Streams that replace a file when they are closed, and only then.
 */
#include <dirent.h>
#include <eddy/testing.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "stream.h"

static void save (EddyFile *file, const char *text)
{
    FILE *out = fopen (eddy_file_get_path (file), "we");
    ck_assert_ptr_nonnull (out);
    ck_assert_int_ge (fputs (text, out), 0);
    ck_assert_int_eq (fclose (out), 0);
}

/* A file with the contents "old". */
static EddyFile *make_old (const char *name)
{
    EddyFile *file = eddy_test_file (name);
    save (file, "old");
    return file;
}

static void expect_contents (EddyFile *file, const char *text)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddyBytes) bytes = eddy_file_load_contents (file, NULL, &error);
    ck_assert_ptr_nonnull (bytes);
    ck_assert_str_eq (eddy_bytes_get_data (bytes), text);
}

/* How many files the test's folder has: nothing is left beside. */
static int count_files (void)
{
    DIR *folder = opendir (eddy_test_directory ());
    int count = 0;
    ck_assert_ptr_nonnull (folder);
    for (struct dirent *entry; (entry = readdir (folder)) != NULL;)
        count += strcmp (entry->d_name, ".") != 0 && strcmp (entry->d_name, "..") != 0;
    closedir (folder);
    return count;
}

static EddyOutputStream *replace (EddyFile *file, const char *etag, bool make_backup)
{
    EddyError *error = NULL;
    EddyFileOutputStream *stream =
        eddy_file_replace (file, etag, make_backup, EDDY_FILE_CREATE_NONE, NULL, &error);
    ck_assert_msg (stream != NULL, "%s", error == NULL ? "" : eddy_error_get_message (error));
    return EDDY_OUTPUT_STREAM (stream);
}

static void write_text (EddyOutputStream *output, const char *text)
{
    EddyError *error = NULL;
    ck_assert (eddy_output_stream_write_all (output, text, strlen (text), NULL, NULL, &error));
}

static char *query_etag (EddyFile *file)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddyFileInfo) info = eddy_file_query_info (file, 0, NULL, &error);
    ck_assert_ptr_nonnull (info);
    return eddy_file_info_get_etag (info);
}

/* ---- the commit ------------------------------------------------------------------------------ */

static void *replace_and_close (void *data, EddyError **error)
{
    EDDY_AUTO (EddyOutputStream) output = replace (data, NULL, /* make_backup= */ false);
    EddyFileOutputStream *stream = (EddyFileOutputStream *) (void *) output;
    write_text (output, "newer");
    expect_contents (data, "old");
    ck_assert_ptr_null (eddy_file_output_stream_get_etag (stream));
    ck_assert (eddy_output_stream_close (output, NULL, error));
    expect_contents (data, "newer");
    EDDY_AUTO_FREE (char) etag = eddy_file_output_stream_get_etag (stream);
    EDDY_AUTO_FREE (char) asked = query_etag (data);
    ck_assert_str_eq (etag, asked);
    ck_assert_int_eq (count_files (), 1);
    save (data, "old");
    return NULL;
}

EDDY_TEST (F4_stream_replaces_when_it_is_closed)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyFile) file = make_old ("file");
    EddyError *error = NULL;
    replace_and_close (file, &error);
    eddy_test_run_fiber (context, replace_and_close, file);
    eddy_test_context_end (context);
}

EDDY_TEST (F4_stream_replaces_in_other_forms)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyFile) file = make_old ("file");
    StreamCall call = { 0 };
    EddyError *error = NULL;
    eddy_file_replace_async (file, NULL, false, 0, 0, NULL, stream_called, &call);
    EDDY_AUTO (EddyFileOutputStream)
    stream = eddy_file_replace_finish (file, stream_await (context, &call), &error);
    stream_call_clear (&call);
    write_text (EDDY_OUTPUT_STREAM (stream), "newer");
    eddy_output_stream_close_async (EDDY_OUTPUT_STREAM (stream), 0, NULL, stream_called, &call);
    ck_assert (eddy_output_stream_close_finish (EDDY_OUTPUT_STREAM (stream),
                                                stream_await (context, &call), &error));
    stream_call_clear (&call);
    expect_contents (file, "newer");
    EDDY_AUTO (EddyFuture)
    future = eddy_file_replace_readwrite_future (file, NULL, true, 0, 0, NULL);
    EddyIOStream *io = EDDY_IO_STREAM (eddy_block_on (context, future, &error));
    write_text (eddy_io_stream_get_output_stream (io), "newest");
    ck_assert (eddy_io_stream_close (io, NULL, &error));
    expect_contents (file, "newest");
    ck_assert_int_eq (count_files (), 2);
    eddy_test_context_end (context);
}

/* From now on no file of this process gets larger than that. */
static void limit_files (rlim_t most)
{
    struct rlimit limit = { most, RLIM_INFINITY };
    signal (SIGXFSZ, SIG_IGN);
    ck_assert_int_eq (setrlimit (RLIMIT_FSIZE, &limit), 0);
}

static char many_bytes[3000];

/* The bytes that a buffer still has cannot all be written when it is closed. */
EDDY_TEST (F4_stream_keeps_the_old_file_when_a_buffer_cannot_be_emptied)
{
    EDDY_AUTO (EddyFile) file = make_old ("file");
    EDDY_AUTO (EddyOutputStream) output = replace (file, NULL, /* make_backup= */ false);
    EDDY_AUTO (EddyOutputStream) inner = eddy_buffered_output_stream_new_sized (output, 100);
    EDDY_AUTO (EddyOutputStream) buffered = eddy_buffered_output_stream_new (inner);
    EddyError *error = NULL;
    limit_files (1000);
    ck_assert (
        eddy_output_stream_write_all (buffered, many_bytes, sizeof many_bytes, NULL, NULL, &error));
    ck_assert (!eddy_output_stream_close (buffered, NULL, &error));
    limit_files (RLIM_INFINITY);
    ck_assert_int_eq (eddy_error_get_errno (error), EFBIG);
    eddy_clear_error (&error);
    ck_assert (eddy_output_stream_is_closed (output));
    expect_contents (file, "old");
    ck_assert_int_eq (count_files (), 1);
}

EDDY_TEST (F4_stream_keeps_the_old_file_when_a_splice_fails)
{
    EDDY_AUTO (EddyFile) file = make_old ("file");
    EDDY_AUTO (EddyOutputStream) output = replace (file, NULL, /* make_backup= */ false);
    EDDY_AUTO (EddyBytes) bytes = eddy_bytes_new (many_bytes, sizeof many_bytes);
    EDDY_AUTO (EddyInputStream)
    source = eddy_memory_input_stream_new_from_bytes (bytes);
    EddyError *error = NULL;
    size_t spliced = 0;
    limit_files (1000);
    ck_assert (!eddy_output_stream_splice (output, source, EDDY_OUTPUT_STREAM_SPLICE_CLOSE_TARGET,
                                           &spliced, NULL, &error));
    limit_files (RLIM_INFINITY);
    ck_assert_int_eq (eddy_error_get_errno (error), EFBIG);
    eddy_clear_error (&error);
    ck_assert_uint_eq (spliced, 1000);
    ck_assert (eddy_output_stream_is_closed (output));
    expect_contents (file, "old");
    ck_assert_int_eq (count_files (), 1);
}

EDDY_TEST (F4_stream_makes_a_backup)
{
    EDDY_AUTO (EddyFile) file = make_old ("file");
    EDDY_AUTO (EddyFile) backup = eddy_test_file ("file~");
    EDDY_AUTO (EddyOutputStream) output = replace (file, NULL, /* make_backup= */ true);
    EddyError *error = NULL;
    write_text (output, "newer");
    ck_assert (eddy_output_stream_close (output, NULL, &error));
    expect_contents (file, "newer");
    expect_contents (backup, "old");
}

EDDY_TEST (F4_stream_of_another_etag)
{
    EDDY_AUTO (EddyFile) file = make_old ("file");
    EDDY_AUTO_FREE (char) etag = query_etag (file);
    EddyError *error = NULL;
    ck_assert_ptr_null (eddy_file_replace (file, "another", false, 0, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_WRONG_ETAG);
    EDDY_AUTO (EddyOutputStream) output = replace (file, etag, false);
    write_text (output, "newer");
    save (file, "changed meanwhile");
    ck_assert (!eddy_output_stream_close (output, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_WRONG_ETAG);
    ck_assert (eddy_output_stream_is_closed (output));
    expect_contents (file, "changed meanwhile");
    ck_assert_int_eq (count_files (), 1);
}

EDDY_TEST (F4_stream_replaces_behind_a_link)
{
    EDDY_AUTO (EddyFile) file = make_old ("file");
    EDDY_AUTO (EddyFile) link = eddy_test_file ("link");
    EddyError *error = NULL;
    struct stat info;
    ck_assert_int_eq (symlink ("file", eddy_file_get_path (link)), 0);
    EDDY_AUTO (EddyOutputStream) output = replace (link, NULL, false);
    write_text (output, "newer");
    ck_assert (eddy_output_stream_close (output, NULL, &error));
    expect_contents (file, "newer");
    ck_assert_int_eq (lstat (eddy_file_get_path (link), &info), 0);
    ck_assert (S_ISLNK (info.st_mode));
}

EDDY_TEST (F4_stream_reads_what_it_has_written)
{
    EDDY_AUTO (EddyFile) file = eddy_test_file ("new");
    EddyError *error = NULL;
    char bytes[16] = "";
    EDDY_AUTO (EddyFileIOStream)
    stream =
        eddy_file_replace_readwrite (file, NULL, false, EDDY_FILE_CREATE_PRIVATE, NULL, &error);
    EddyIOStream *io = EDDY_IO_STREAM (stream);
    write_text (eddy_io_stream_get_output_stream (io), "written");
    ck_assert (eddy_seekable_seek (EDDY_SEEKABLE (io), 0, EDDY_SEEK_SET, NULL, &error));
    ck_assert (!eddy_file_query_exists (file, NULL));
    ck_assert (eddy_output_stream_close (eddy_io_stream_get_output_stream (io), NULL, &error));
    expect_contents (file, "written");
    /* The other half goes on. */
    ck_assert_int_eq (
        eddy_input_stream_read (eddy_io_stream_get_input_stream (io), bytes, 15, NULL, &error), 7);
    ck_assert_str_eq (bytes, "written");
    EDDY_AUTO_FREE (char) etag = eddy_file_io_stream_get_etag (stream);
    EDDY_AUTO_FREE (char) asked = query_etag (file);
    ck_assert_str_eq (etag, asked);
    ck_assert (eddy_io_stream_close (io, NULL, &error));
}

/* ---- no commit ------------------------------------------------------------------------------- */

static void *close_cancelled (void *data, EddyError **error)
{
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    EDDY_AUTO (EddyOutputStream) output = replace (data, NULL, /* make_backup= */ true);
    write_text (output, "newer");
    eddy_cancellable_cancel (cancellable);
    ck_assert (!eddy_output_stream_close (output, cancellable, error));
    eddy_test_expect_error (error, EDDY_IO_ERROR_CANCELLED);
    ck_assert (eddy_output_stream_is_closed (output));
    ck_assert (eddy_output_stream_close (output, NULL, error));
    expect_contents (data, "old");
    ck_assert_int_eq (count_files (), 1);
    return NULL;
}

EDDY_TEST (F4_cancelled_close_keeps_the_old_file)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyFile) file = make_old ("file");
    EddyError *error = NULL;
    close_cancelled (file, &error);
    eddy_test_run_fiber (context, close_cancelled, file);
    eddy_test_context_end (context);
}

static int warnings;

static void count_warning (EddyLogLevel level, const char *message, void *data)
{
    (void) data;
    ck_assert_int_eq (level, EDDY_LOG_WARNING);
    ck_assert_ptr_nonnull (strstr (message, "was not closed"));
    warnings++;
}

/* Until the worker has given up what was not committed. */
static void wait_for_one_file (void)
{
    for (int i = 0; i < 1000 && count_files () > 1; i++)
        usleep (1000);
    ck_assert_int_eq (count_files (), 1);
}

EDDY_TEST (F4_dropped_stream_keeps_the_old_file)
{
    EDDY_AUTO (EddyFile) file = make_old ("file");
    eddy_log_set_handler (count_warning, NULL);
    EddyOutputStream *output = replace (file, NULL, false);
    write_text (output, "newer");
    eddy_unref (output);
    EddyError *error = NULL;
    EddyFileIOStream *io = eddy_file_replace_readwrite (file, NULL, false, 0, NULL, &error);
    eddy_unref (io);
    eddy_log_set_handler (NULL, NULL);
    ck_assert_int_eq (warnings, 2);
    wait_for_one_file ();
    expect_contents (file, "old");
}

EDDY_TEST (F4_stream_that_cannot_begin)
{
    EDDY_AUTO (EddyFile) folder = eddy_file_new_for_path (eddy_test_directory ());
    EDDY_AUTO (EddyFile) none = eddy_test_file ("none/file");
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    EddyError *error = NULL;
    ck_assert_ptr_null (eddy_file_replace (folder, NULL, false, 0, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_IS_DIRECTORY);
    ck_assert_ptr_null (eddy_file_replace_readwrite (none, NULL, false, 0, NULL, &error));
    ck_assert_ptr_nonnull (strstr (eddy_error_get_message (error), "none/file"));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_FOUND);
    eddy_cancellable_cancel (cancellable);
    ck_assert_ptr_null (eddy_file_replace (none, NULL, false, 0, cancellable, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
}

/* ---- cancelled anywhere ---------------------------------------------------------------------- */

static void *replace_by_fiber (void *data, EddyError **error)
{
    EDDY_AUTO (EddyFileOutputStream)
    stream = eddy_file_replace (data, NULL, false, 0, NULL, error);
    EddyOutputStream *output = EDDY_OUTPUT_STREAM (stream);
    bool good =
        stream != NULL && eddy_output_stream_write_all (output, "newer", 5, NULL, NULL, error);
    if (good)
        (void) eddy_output_stream_close (output, NULL, error);
    else if (stream != NULL)
        (void) eddy_output_stream_close (output, NULL,
                                         NULL); /* cancelled, so nothing is committed */
    return NULL;
}

static void check_replaced (void *data, bool cancelled, uint32_t point)
{
    (void) point;
    expect_contents (data, cancelled ? "old" : "newer");
    ck_assert_int_eq (count_files (), 1);
    save (data, "old");
}

EDDY_TEST (F4_stream_cancelled_at_every_point)
{
    EDDY_AUTO (EddyFile) file = make_old ("file");
    EddyTestCancelReport report;
    bool good = eddy_test_cancel_everywhere (replace_by_fiber, file, check_replaced, &report);
    ck_assert_msg (good, "%s", report.failure);
    ck_assert_uint_ge (report.cancelled, 5);
}
