/* SPDX-License-Identifier: MIT */
/*
 * The open folder of the tests.
 */
#include "dirs.h"

EddyDir *dir_root;

void dir_begin (bool has_openat2)
{
    EDDY_AUTO (EddyFile) folder = files_new ("root");
    EddyError *error = NULL;

    ck_assert_int_eq (mkdir (eddy_test_path ("root"), 0700), 0);
    ck_assert_int_eq (mkdir (eddy_test_path ("root/a"), 0700), 0);
    ck_assert_int_eq (mkdir (eddy_test_path ("root/a/b"), 0700), 0);
    ck_assert_int_eq (symlink ("a/b", eddy_test_path ("root/folder")), 0);
    ck_assert_int_eq (symlink ("file", eddy_test_path ("root/a/b/link")), 0);
    ck_assert_int_eq (symlink ("../outside", eddy_test_path ("root/out")), 0);
    ck_assert_int_eq (mkdir (eddy_test_path ("outside"), 0700), 0);
    files_write ("outside/file", "secret", 6);
    files_write ("root/a/b/file", "file", 4);
    if (has_openat2)
        eddy_test_count_calls ();
    else
        eddy_test_fail_call (EDDY_SYS_OPENAT2, 1, ENOSYS, true);
    dir_root = eddy_dir_open (folder, NULL, &error);
    ck_assert_ptr_nonnull (dir_root);
}

void dir_end (void)
{
    eddy_test_no_faults ();
    eddy_clear (&dir_root);
}

EddyFile *dir_file (const char *name)
{
    EddyFile *file = eddy_dir_get_file (dir_root, name);

    ck_assert_ptr_nonnull (file);
    return file;
}

EddyFile *dir_child (EddyFile *folder, const char *name)
{
    EddyFile *file = eddy_file_get_child (folder, name);

    ck_assert_ptr_nonnull (file);
    return file;
}
