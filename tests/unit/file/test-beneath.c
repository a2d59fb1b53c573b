/* SPDX-License-Identifier: MIT */
/*
 * Names beneath an open folder: which lead where, by the kernel's own lookup and without it.
 */
#include "file/at-private.h"
#include "files.h"

/* "root" is the open folder; "secret" lies beside it, where no name may lead. */
static EddyDir *root;

static void link_make (const char *target, const char *name)
{
    ck_assert_int_eq (symlink (target, eddy_test_path (name)), 0);
}

static void root_make (void)
{
    EDDY_AUTO (EddyFile) folder = files_new ("root");
    EddyError *error = NULL;

    files_write ("secret", "secret", 6);
    ck_assert_int_eq (mkdir (eddy_test_path ("root"), 0700), 0);
    ck_assert_int_eq (mkdir (eddy_test_path ("root/a"), 0700), 0);
    ck_assert_int_eq (mkdir (eddy_test_path ("root/a/b"), 0700), 0);
    files_write ("root/inside", "inside", 6);
    files_write ("root/a/b/deep", "deep", 4);
    link_make ("inside", "root/link");
    link_make ("../inside", "root/a/up");
    link_make ("a/up", "root/chain");
    link_make ("a/b", "root/folder");
    link_make ("a//b/", "root/slash");
    link_make ("inside/", "root/slash-file");
    link_make ("nowhere", "root/dangling");
    link_make ("loop", "root/loop");
    link_make ("../secret", "root/out");
    link_make ("../../secret", "root/a/out");
    link_make ("..", "root/above");
    link_make (eddy_test_path ("root/inside"), "root/absolute");
    link_make ("/proc/self/root", "root/proc");
    root = eddy_dir_open (folder, NULL, &error);
    ck_assert_ptr_nonnull (root);
}

typedef struct NameCase {
    const char *name;
    int error_number; /* as eddy_error_get_errno() gives it */
    const char *contents;
} NameCase;

static const NameCase cases[] = {
    { "inside", 0, "inside" },
    { "./inside", 0, "inside" },
    { "a/../inside", 0, "inside" },
    { "a/b/../../inside", 0, "inside" },
    { "a/./b//deep", 0, "deep" },
    { "inside///", 0, "inside" },
    { "link", 0, "inside" },
    { "a/up", 0, "inside" },
    { "chain", 0, "inside" },
    { "folder/deep", 0, "deep" },
    { "folder/../up", 0, "inside" },
    { "slash/deep", 0, "deep" },
    { "..", EXDEV, NULL },
    { "../secret", EXDEV, NULL },
    { "../root/inside", EXDEV, NULL },
    { "a/../../secret", EXDEV, NULL },
    { "a/b/../../../root/inside", EXDEV, NULL },
    { "out", EXDEV, NULL },
    { "a/out", EXDEV, NULL },
    { "above/secret", EXDEV, NULL },
    { "above/root/inside", EXDEV, NULL },
    { "absolute", EXDEV, NULL },
    { "proc/etc/passwd", EXDEV, NULL },
    { "/", EXDEV, NULL },
    { "/etc/passwd", EXDEV, NULL },
    { "//inside", EXDEV, NULL },
    { "", ENOENT, NULL },
    { "nowhere", ENOENT, NULL },
    { "nowhere/..", ENOENT, NULL },
    { "dangling", ENOENT, NULL },
    { "inside/x", ENOTDIR, NULL },
    { "inside/..", ENOTDIR, NULL },
    { "slash-file", ENOTDIR, NULL },
    { "loop", ELOOP, NULL },
    { "loop/x", ELOOP, NULL },
    { ".", EISDIR, NULL },
    { "a/..", EISDIR, NULL },
    { "slash", EISDIR, NULL },
};

static void case_check (const NameCase *one)
{
    EDDY_AUTO (EddyFile) file = eddy_dir_get_file (root, one->name);
    EddyError *error = NULL;

    ck_assert_ptr_nonnull (file);
    EddyBytes *bytes = eddy_file_load_contents (file, NULL, &error);
    if (one->contents != NULL) {
        ck_assert_msg (bytes != NULL, "%s: %s", one->name,
                       error == NULL ? "" : eddy_error_get_message (error));
        size_t length = strlen (one->contents);
        ck_assert_uint_eq (eddy_bytes_get_size (bytes), length);
        ck_assert_mem_eq (eddy_bytes_get_data (bytes), one->contents, length);
        eddy_unref (bytes);
        return;
    }
    ck_assert_msg (bytes == NULL, "\"%s\" was loaded", one->name);
    ck_assert_msg (eddy_error_get_errno (error) == one->error_number, "\"%s\": %s", one->name,
                   eddy_error_get_message (error));
    if (one->error_number == EXDEV) {
        ck_assert_int_eq (eddy_error_get_code (error), EDDY_IO_ERROR_PERMISSION_DENIED);
        ck_assert_str_eq (strrchr (eddy_error_get_message (error), ':'),
                          ": Leads out of its folder");
    }
    eddy_clear_error (&error);
}

static void cases_check (void)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        case_check (&cases[i]);
}

EDDY_TEST (beneath_by_the_kernel)
{
    root_make ();
    eddy_test_count_calls ();
    cases_check ();
    ck_assert_uint_gt (eddy_test_call_count (EDDY_SYS_OPENAT2), 0);
    eddy_clear (&root);
}

/* A kernel without openat2, a filter that knows it not, and a kernel that cannot tell. */
EDDY_TEST (beneath_part_by_part)
{
    static const int errors[] = { ENOSYS, EPERM, EAGAIN };

    root_make ();
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        eddy_test_fail_call (EDDY_SYS_OPENAT2, 1, errors[i], true);
        cases_check ();
        ck_assert_uint_gt (eddy_test_fault_hits (EDDY_SYS_OPENAT2), 0);
    }
    eddy_clear (&root);
}
