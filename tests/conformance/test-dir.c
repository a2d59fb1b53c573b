/* SPDX-License-Identifier: MIT */
/*
 * Open folders: opened in every form, every operation on their files, and no way out of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "context.h"

/* ---- What there is to work on ---------------------------------------------------------------- */

/* The test's directory has "secret" and the folder "root", which is opened; in that are "inside"
 * and the folder "folder". */
static void text_write (const char *name, const char *text)
{
    int fd = open (eddy_test_path (name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    ck_assert_int_ge (fd, 0);
    ck_assert_int_eq (write (fd, text, strlen (text)), (ssize_t) strlen (text));
    close (fd);
}

static EddyFile *root_make (void)
{
    ck_assert_int_eq (mkdir (eddy_test_path ("root"), 0700), 0);
    ck_assert_int_eq (mkdir (eddy_test_path ("root/folder"), 0700), 0);
    text_write ("secret", "secret");
    text_write ("root/inside", "inside");
    EddyFile *root = eddy_file_new_for_path (eddy_test_path ("root"));
    ck_assert_ptr_nonnull (root);
    return root;
}

static EddyFile *child_new (EddyFile *folder, const char *name)
{
    EddyFile *child = eddy_file_get_child (folder, name);
    ck_assert_ptr_nonnull (child);
    return child;
}

static void dir_check (EddyDir *dir)
{
    EddyError *error = NULL;
    ck_assert_ptr_nonnull (dir);
    EDDY_AUTO (EddyFile) file = eddy_dir_get_file (dir, "folder/../inside");
    ck_assert_ptr_nonnull (file);
    ck_assert_ptr_eq (eddy_file_get_dir (file), dir);
    EDDY_AUTO (EddyBytes) bytes = eddy_file_load_contents (file, NULL, &error);
    ck_assert_ptr_nonnull (bytes);
    ck_assert_uint_eq (eddy_bytes_get_size (bytes), 6);
    ck_assert_mem_eq (eddy_bytes_get_data (bytes), "inside", 6);
    EDDY_AUTO (EddyFile) out = eddy_dir_get_file (dir, "../secret");
    ck_assert_ptr_nonnull (out);
    ck_assert_ptr_null (eddy_file_load_contents (out, NULL, &error));
    ck_assert_int_eq (eddy_error_get_errno (error), EXDEV);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_PERMISSION_DENIED);
}

/* ---- Opening, in every form ------------------------------------------------------------------ */

static void dir_missing (EddyDir *dir, EddyError **error)
{
    ck_assert_ptr_null (dir);
    eddy_test_expect_error (error, EDDY_IO_ERROR_NOT_FOUND);
}

EDDY_TEST (D_dir_open_blocking)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddyFile) folder = root_make ();
    EDDY_AUTO (EddyFile) missing = child_new (folder, "missing");
    EDDY_AUTO (EddyFile) file = child_new (folder, "inside");
    EDDY_AUTO (EddyDir) dir = eddy_dir_open (folder, NULL, &error);
    dir_check (dir);
    dir_missing (eddy_dir_open (missing, NULL, &error), &error);
    ck_assert_ptr_null (eddy_dir_open (file, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_DIRECTORY);
    ck_assert_ptr_null (eddy_file_get_dir (folder));
}

static void *awaited (void *data, EddyError **error)
{
    EDDY_AUTO (EddyDir) dir = eddy_dir_open (data, NULL, error);
    dir_check (dir);
    EDDY_AUTO (EddyFile) missing = child_new (data, "missing");
    dir_missing (eddy_dir_open (missing, NULL, error), error);
    return NULL;
}

EDDY_TEST (D_dir_open_awaited)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyFile) folder = root_make ();
    eddy_test_run_fiber (context, awaited, folder);
    eddy_test_context_end (context);
}

static void opened (void *source_object, EddyAsyncResult *result, void *user_data)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddyDir) dir = eddy_dir_open_finish (source_object, result, &error);
    dir_check (dir);
    eddy_main_loop_quit (user_data);
}

EDDY_TEST (D_dir_open_by_callback)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyFile) folder = root_make ();
    EDDY_AUTO (EddyMainLoop) loop = eddy_main_loop_new (context);
    eddy_dir_open_async (folder, EDDY_PRIORITY_DEFAULT, NULL, opened, loop);
    eddy_main_loop_run (loop);
    eddy_test_context_end (context);
}

EDDY_TEST (D_dir_open_as_a_future)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    EDDY_AUTO (EddyFile) folder = root_make ();
    EddyFuture *future = eddy_dir_open_future (folder, EDDY_PRIORITY_DEFAULT, NULL);
    /* The future's, as long as there is one. */
    dir_check (eddy_block_on (context, future, &error));
    eddy_unref (future);
    /* One that nobody takes is closed. */
    eddy_unref (eddy_dir_open_future (folder, EDDY_PRIORITY_DEFAULT, NULL));
    EddyContextStatistics statistics;
    do {
        eddy_context_iteration (context, true);
        eddy_context_get_statistics (context, &statistics);
    } while (statistics.live_operations > 0);
    eddy_test_context_end (context);
}
