/* SPDX-License-Identifier: MIT */
/*
 * Listing folders.
 */
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc-private.h"
#include "files.h"

static EddyFileInfoList *list (const char *name, EddyCancellable *cancellable, EddyError **error)
{
    EDDY_AUTO (EddyFile) folder = files_new (name);

    return eddy_file_list_children (folder, cancellable, error);
}

static const EddyFileInfo *list_find (const EddyFileInfoList *infos, const char *name)
{
    for (size_t i = 0; i < eddy_file_info_list_get_length (infos); i++)
        if (strcmp (eddy_file_info_get_name (eddy_file_info_list_get (infos, i)), name) == 0)
            return eddy_file_info_list_get (infos, i);
    return NULL;
}

EDDY_TEST (list_of_an_empty_folder)
{
    EDDY_AUTO (EddyFileInfoList) infos = list ("", NULL, NULL);

    ck_assert_ptr_nonnull (infos);
    ck_assert_uint_eq (eddy_file_info_list_get_length (infos), 0);
    ck_assert_ptr_null (eddy_file_info_list_get (infos, 0));
}

EDDY_TEST (list_has_every_file_once)
{
    const size_t n_files = eddy_test_sanitized () ? 1000 : 10000;
    char name[64];

    for (size_t i = 0; i < n_files; i++) {
        snprintf (name, sizeof name, "file number %zu", i);
        files_write (name, name, i % 50);
    }
    EDDY_AUTO (EddyFileInfoList) infos = list ("", NULL, NULL);
    ck_assert_uint_eq (eddy_file_info_list_get_length (infos), n_files);
    bool *seen = calloc (n_files, sizeof *seen);
    for (size_t i = 0; i < n_files; i++) {
        const EddyFileInfo *info = eddy_file_info_list_get (infos, i);
        size_t number = n_files;
        ck_assert_int_eq (sscanf (eddy_file_info_get_name (info), "file number %zu", &number), 1);
        ck_assert_uint_lt (number, n_files);
        ck_assert (!seen[number]);
        seen[number] = true;
        ck_assert_int_eq (eddy_file_info_get_size (info), (int64_t) number % 50);
    }
    free (seen);
    ck_assert_ptr_null (eddy_file_info_list_get (infos, n_files));
}

EDDY_TEST (list_follows_no_links_and_takes_names_as_bytes)
{
    files_write ("two\nlines", "x", 1);
    files_write ("\xff\xfe", "yy", 2);
    files_write (".hidden", "", 0);
    files_write ("...", "", 0);
    ck_assert_int_eq (symlink ("two\nlines", eddy_test_path ("link")), 0);
    ck_assert_int_eq (mkdir (eddy_test_path ("folder"), 0700), 0);
    ck_assert_int_eq (mkfifo (eddy_test_path ("fifo"), 0600), 0);
    EDDY_AUTO (EddyFileInfoList) infos = list ("", NULL, NULL);
    ck_assert_uint_eq (eddy_file_info_list_get_length (infos), 7);
    ck_assert_int_eq (eddy_file_info_get_size (list_find (infos, "\xff\xfe")), 2);
    ck_assert_int_eq (eddy_file_info_get_size (list_find (infos, "two\nlines")), 1);
    ck_assert_ptr_nonnull (list_find (infos, "..."));
    ck_assert_int_eq (eddy_file_info_get_file_type (list_find (infos, "link")),
                      EDDY_FILE_TYPE_SYMBOLIC_LINK);
    ck_assert_int_eq (eddy_file_info_get_file_type (list_find (infos, "folder")),
                      EDDY_FILE_TYPE_DIRECTORY);
    ck_assert_int_eq (eddy_file_info_get_file_type (list_find (infos, "fifo")),
                      EDDY_FILE_TYPE_FIFO);
}

EDDY_TEST (list_of_what_changes_meanwhile)
{
    files_write ("a", "", 0);
    files_write ("b", "", 0);
    files_write ("c", "", 0);
    eddy_test_fail_call (EDDY_SYS_STATX, 2, ENOENT, false);
    EDDY_AUTO (EddyFileInfoList) gone = list ("", NULL, NULL);
    ck_assert_uint_eq (eddy_file_info_list_get_length (gone), 2);
    /* A file that cannot be asked is there all the same, for its own operation to say why. */
    eddy_test_fail_call (EDDY_SYS_STATX, 2, EACCES, false);
    EDDY_AUTO (EddyFileInfoList) closed = list ("", NULL, NULL);
    eddy_test_no_faults ();
    ck_assert_uint_eq (eddy_file_info_list_get_length (closed), 3);
    const EddyFileInfo *info = eddy_file_info_list_get (closed, 1);
    ck_assert_int_eq (eddy_file_info_get_file_type (info), EDDY_FILE_TYPE_REGULAR);
    ck_assert_uint_eq (eddy_file_info_get_inode (info),
                       files_stat (eddy_file_info_get_name (info)).st_ino);
}

EDDY_TEST (list_fails_at_every_call)
{
    const EddySysCall calls[] = { EDDY_SYS_OPENAT, EDDY_SYS_GETDENTS64, EDDY_SYS_GETDENTS64 };
    EddyError *error = NULL;

    files_write ("a", "", 0);
    for (unsigned i = 0; i < 3; i++) {
        eddy_test_fail_call (calls[i], i == 2 ? 2 : 1, EIO, false);
        ck_assert_ptr_null (list ("", NULL, &error));
        ck_assert_uint_eq (eddy_test_fault_hits (calls[i]), 1);
        eddy_test_no_faults ();
        files_assert_error (&error, EDDY_IO_ERROR_FAILED, EIO, "");
    }
    ck_assert_ptr_null (list ("a", NULL, &error));
    files_assert_error (&error, EDDY_IO_ERROR_NOT_DIRECTORY, ENOTDIR, "a");
    ck_assert_ptr_null (list ("none", NULL, &error));
    files_assert_error (&error, EDDY_IO_ERROR_NOT_FOUND, ENOENT, "none");
}

static int n_allocations, allocation_that_fails;

static int allocation_fails (size_t size, void *data)
{
    (void) size, (void) data;
    return ++n_allocations == allocation_that_fails;
}

EDDY_TEST (list_without_memory)
{
    char name[64];

    for (int i = 0; i < 100; i++) {
        snprintf (name, sizeof name, "a file with a name that takes room, number %d", i);
        files_write (name, "", 0);
    }
    EDDY_AUTO (EddyFile) folder = files_new ("");
    EddyFileInfoList *infos = NULL;
    for (allocation_that_fails = 1; infos == NULL; allocation_that_fails++) {
        EddyError *error = NULL;
        n_allocations = 0;
        eddy__alloc_set_fault (allocation_fails, NULL);
        infos = eddy_file_list_children (folder, NULL, &error);
        eddy__alloc_set_fault (NULL, NULL);
        if (infos == NULL)
            ck_assert_int_eq (eddy_error_get_code (error), EDDY_IO_ERROR_NO_MEMORY);
        eddy_clear_error (&error);
    }
    /* The list, the thread's buffer, and each growth of infos and names. */
    ck_assert_int_ge (allocation_that_fails, 7);
    ck_assert_uint_eq (eddy_file_info_list_get_length (infos), 100);
    eddy_unref (infos);
}

typedef struct CancelAt {
    EddyCancellable *cancellable;
    unsigned n_asked;
} CancelAt;

static int cancel_at_statx (EddySysCall call, void *data)
{
    CancelAt *at = data;
    if (call == EDDY_SYS_STATX && ++at->n_asked == 50)
        eddy_cancellable_cancel (at->cancellable);
    return 0;
}

EDDY_TEST (list_cancelled_in_the_middle)
{
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    CancelAt at = { cancellable, 0 };
    EddyError *error = NULL;
    char name[16];

    for (int i = 0; i < 500; i++) {
        snprintf (name, sizeof name, "%d", i);
        files_write (name, "", 0);
    }
    eddy__sys_set_fault (cancel_at_statx, &at);
    ck_assert_ptr_null (list ("", cancellable, &error));
    eddy__sys_set_fault (NULL, NULL);
    ck_assert (eddy_error_is_cancelled (error));
    eddy_clear_error (&error);
    ck_assert_uint_lt (at.n_asked, 100);
}

static void list_as_nobody (void *data)
{
    EddyError *error = NULL;

    (void) data;
    ck_assert_ptr_null (list ("closed", NULL, &error));
    files_assert_error (&error, EDDY_IO_ERROR_PERMISSION_DENIED, EACCES, "closed");
    EddyFileInfoList *infos = list ("unsearchable", NULL, &error);
    ck_assert_ptr_nonnull (infos);
    ck_assert_uint_eq (eddy_file_info_list_get_length (infos), 1);
    eddy_unref (infos);
}

EDDY_TEST (list_without_permission)
{
    if (geteuid () != 0)
        EDDY_TEST_SKIP ("only root can make folders that are somebody else's");
    ck_assert_int_eq (mkdir (eddy_test_path ("closed"), 0700), 0);
    ck_assert_int_eq (mkdir (eddy_test_path ("unsearchable"), 0755), 0);
    files_write ("unsearchable/file", "", 0);
    ck_assert_int_eq (chmod (eddy_test_path ("unsearchable"), 0744), 0);
    eddy_test_run_as_nobody (list_as_nobody, NULL);
}

/* ---- Files that a listing has told of -------------------------------------------------------- */

/* What is copied is what has the name now, whatever the listing said. */
EDDY_TEST (listed_file_that_became_another_kind)
{
    EddyError *error = NULL;
    files_write ("one", "text", 4);
    files_write ("other", "text", 4);
    EDDY_AUTO (EddyFile) folder = eddy_file_new_for_path (eddy_test_directory ());
    EDDY_AUTO (EddyFileInfoList) infos = list ("", NULL, &error);
    ck_assert_ptr_nonnull (infos);
    EDDY_AUTO (EddyFile) one = eddy_file_get_child_for_info (folder, list_find (infos, "one"));
    EDDY_AUTO (EddyFile) other = eddy_file_get_child_for_info (folder, list_find (infos, "other"));
    EDDY_AUTO (EddyFile) copy = files_new ("copy");
    ck_assert_ptr_nonnull (one);
    eddy_test_count_calls ();
    ck_assert (eddy_file_copy (one, copy, FILES_KEEP_ALL | EDDY_FILE_COPY_IN_PLACE, NULL, NULL,
                               NULL, &error));
    ck_assert_uint_eq (eddy_test_call_count (EDDY_SYS_STATX), 2);
    eddy_test_no_faults ();
    ck_assert_int_eq (unlink (eddy_test_path ("copy")), 0);
    ck_assert_int_eq (unlink (eddy_test_path ("one")), 0);
    ck_assert_int_eq (symlink ("elsewhere", eddy_test_path ("one")), 0);
    ck_assert (eddy_file_copy (one, copy, FILES_KEEP_ALL, NULL, NULL, NULL, &error));
    ck_assert_uint_eq (files_stat ("copy").st_mode & S_IFMT, S_IFLNK);
    ck_assert_int_eq (unlink (eddy_test_path ("other")), 0);
    ck_assert_int_eq (mkdir (eddy_test_path ("other"), 0700), 0);
    ck_assert (!eddy_file_copy (other, copy, FILES_KEEP_ALL, NULL, NULL, NULL, &error));
    ck_assert_int_eq (eddy_error_get_code (error), EDDY_IO_ERROR_WOULD_RECURSE);
    eddy_clear_error (&error);
}
