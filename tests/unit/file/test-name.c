/* SPDX-License-Identifier: MIT */
/*
 * Making folders and links, and removing.
 */
#include "files.h"

EDDY_TEST (make_directory_with_and_without_umask)
{
    EDDY_AUTO (EddyFile) folder = files_new ("folder");
    EDDY_AUTO (EddyFile) private = files_new ("private");
    EddyError *error = NULL;

    umask (027);
    ck_assert (eddy_file_make_directory (folder, NULL, &error));
    ck_assert_uint_eq (files_stat ("folder").st_mode, S_IFDIR | 0750);
    ck_assert (eddy_file_make_private_directory (private, NULL, &error));
    ck_assert_uint_eq (files_stat ("private").st_mode, S_IFDIR | 0700);
    ck_assert (!eddy_file_make_directory (folder, NULL, &error));
    files_assert_error (&error, EDDY_IO_ERROR_EXISTS, EEXIST, "folder");
    ck_assert (!eddy_file_make_private_directory (folder, NULL, &error));
    files_assert_error (&error, EDDY_IO_ERROR_EXISTS, EEXIST, "folder");
}

EDDY_TEST (make_symbolic_link)
{
    EDDY_AUTO (EddyFile) file = files_new ("link");
    EddyError *error = NULL;
    char target[64];

    ck_assert (eddy_file_make_symbolic_link (file, "../no\nwhere", NULL, &error));
    ck_assert_int_eq (readlink (eddy_test_path ("link"), target, sizeof target), 11);
    ck_assert_mem_eq (target, "../no\nwhere", 11);
    ck_assert (!eddy_file_make_symbolic_link (file, "x", NULL, &error));
    files_assert_error (&error, EDDY_IO_ERROR_EXISTS, EEXIST, "link");
}

EDDY_TEST (make_hard_link)
{
    EDDY_AUTO (EddyFile) file = files_new ("file");
    EDDY_AUTO (EddyFile) name = files_new ("name");
    EDDY_AUTO (EddyFile) link = files_new ("link");
    EDDY_AUTO (EddyFile) other = files_new ("other");
    EddyError *error = NULL;

    ck_assert (!eddy_file_make_hard_link (file, name, NULL, &error));
    files_assert_error (&error, EDDY_IO_ERROR_NOT_FOUND, ENOENT, "name");
    files_write ("file", "x", 1);
    ck_assert (eddy_file_make_hard_link (file, name, NULL, &error));
    ck_assert_uint_eq (files_stat ("name").st_ino, files_stat ("file").st_ino);
    ck_assert (!eddy_file_make_hard_link (file, name, NULL, &error));
    files_assert_error (&error, EDDY_IO_ERROR_EXISTS, EEXIST, "name");
    /* A symbolic link itself gets the name. */
    ck_assert_int_eq (symlink ("file", eddy_test_path ("link")), 0);
    ck_assert (eddy_file_make_hard_link (link, other, NULL, &error));
    ck_assert (S_ISLNK (files_stat ("other").st_mode));
    eddy_test_fail_call (EDDY_SYS_LINKAT, 1, EXDEV, true);
    ck_assert_int_eq (unlink (eddy_test_path ("name")), 0);
    ck_assert (!eddy_file_make_hard_link (file, name, NULL, &error));
    files_assert_error (&error, EDDY_IO_ERROR_NOT_SUPPORTED, EXDEV, "name");
}

static bool delete (const char *name, EddyError **error)
{
    EDDY_AUTO (EddyFile) file = files_new (name);

    return eddy_file_delete (file, NULL, error);
}

EDDY_TEST (delete_of_files_links_and_folders)
{
    EddyError *error = NULL;

    files_write ("file", "x", 1);
    ck_assert_int_eq (symlink ("file", eddy_test_path ("link")), 0);
    ck_assert_int_eq (mkdir (eddy_test_path ("folder"), 0700), 0);
    files_write ("folder/inside", "x", 1);
    ck_assert (delete ("link", &error));
    ck_assert (files_exists ("file"));
    ck_assert (!delete ("folder", &error));
    files_assert_error (&error, EDDY_IO_ERROR_NOT_EMPTY, ENOTEMPTY, "folder");
    ck_assert (delete ("folder/inside", &error));
    ck_assert (delete ("folder", &error));
    ck_assert (delete ("file", &error));
    ck_assert (!delete ("file", &error));
    files_assert_error (&error, EDDY_IO_ERROR_NOT_FOUND, ENOENT, "file");
    ck_assert_int_eq (files_count (), 0);
}

EDDY_TEST (delete_where_folders_say_eperm)
{
    EddyError *error = NULL;

    ck_assert_int_eq (mkdir (eddy_test_path ("folder"), 0700), 0);
    eddy_test_fail_call (EDDY_SYS_UNLINKAT, 1, EPERM, false);
    ck_assert (delete ("folder", &error));
    ck_assert_int_eq (files_count (), 0);
    /* A file that may not be removed is no folder, and says what it said first. */
    files_write ("file", "x", 1);
    eddy_test_fail_call (EDDY_SYS_UNLINKAT, 1, EPERM, false);
    ck_assert (!delete ("file", &error));
    files_assert_error (&error, EDDY_IO_ERROR_PERMISSION_DENIED, EPERM, "file");
    /* Some file systems call a full folder EEXIST. */
    ck_assert_int_eq (mkdir (eddy_test_path ("folder"), 0700), 0);
    eddy_test_fail_call (EDDY_SYS_UNLINKAT, 2, EEXIST, false);
    ck_assert (!delete ("folder", &error));
    files_assert_error (&error, EDDY_IO_ERROR_NOT_EMPTY, ENOTEMPTY, "folder");
}
