/* SPDX-License-Identifier: MIT */
/*
 * Removing trees with hardly a folder kept open: folders that were closed are found again.
 */
#include <eddy/file-tree.h>
#include <sys/resource.h>

#include "file/tree-delete-private.h"
#include "files.h"

/* Folders within folders: in each of the depth a file, and several folders of the next depth. */
static unsigned doomed_make (int parent_fd, const char *name, unsigned depth, unsigned n_folders)
{
    unsigned n = 1;
    ck_assert_int_eq (mkdirat (parent_fd, name, 0700), 0);
    int fd = openat (parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int file = openat (fd, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_ge (file, 0);
    close (file);
    for (unsigned i = 0; i < n_folders && depth > 0; i++) {
        char inner[32];
        snprintf (inner, sizeof inner, "folder-%u", i);
        n += doomed_make (fd, inner, depth - 1, n_folders);
    }
    close (fd);
    return n;
}

static void doomed_remove (size_t most_opened, unsigned depth, unsigned n_folders)
{
    EddyError *error = NULL;
    EddyTreeCounts counts;
    int fd = open (eddy_test_directory (), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    unsigned n = doomed_make (fd, "doomed", depth, n_folders);
    int n_fds = files_count_fds ();
    eddy__tree_delete_most_opened = most_opened;
    EDDY_AUTO (EddyFile) doomed = files_new ("doomed");
    EDDY_AUTO (EddyTreeWork) work = eddy_tree_work_new_delete (EDDY_TREE_NONE);
    ck_assert (eddy_tree_work_add_delete (work, doomed));
    bool done = eddy_tree_work_run (work, NULL, &error);
    ck_assert_msg (done, "%s", done ? "" : eddy_error_get_message (error));
    eddy_tree_work_get_counts (work, &counts);
    ck_assert_uint_eq (counts.files_done, n);
    ck_assert_uint_eq (counts.folders_done, n);
    ck_assert (!files_exists ("doomed"));
    ck_assert_int_eq (files_count_fds (), n_fds);
    close (fd);
}

EDDY_TEST (tree_delete_with_no_folder_kept_open)
{
    doomed_remove (0, 4, 4);
    doomed_remove (0, 100, 1);
}

EDDY_TEST (tree_delete_with_few_folders_kept_open)
{
    doomed_remove (2, 3, 6);
    doomed_remove (3, 100, 1);
    doomed_remove (1, 8, 2);
}

/* Fewer fds than jobs that run at once would need: then fewer run at once. */
EDDY_TEST (tree_delete_with_few_fds)
{
    EddyError *error = NULL;
    EddyTreeCounts counts;
    struct rlimit former, limit;
    int fd = open (eddy_test_directory (), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_eq (mkdirat (fd, "doomed", 0700), 0);
    unsigned n = doomed_make (fd, "doomed/deep", 200, 1) + doomed_make (fd, "doomed/wide", 5, 4);
    EDDY_AUTO (EddyFile) doomed = files_new ("doomed");
    EDDY_AUTO (EddyTreeWork) work = eddy_tree_work_new_delete (EDDY_TREE_NONE);
    ck_assert (eddy_tree_work_add_delete (work, doomed));
    ck_assert_int_eq (getrlimit (RLIMIT_NOFILE, &former), 0);
    limit = former;
    limit.rlim_cur = (rlim_t) fd + 16;
    ck_assert_int_eq (setrlimit (RLIMIT_NOFILE, &limit), 0);
    bool done = eddy_tree_work_run (work, NULL, &error);
    ck_assert_int_eq (setrlimit (RLIMIT_NOFILE, &former), 0);
    ck_assert_msg (done, "%.200s", done ? "" : eddy_error_get_message (error));
    eddy_tree_work_get_counts (work, &counts);
    ck_assert_uint_eq (counts.files_done, n);
    ck_assert_uint_eq (counts.folders_done, n + 1);
    ck_assert (!files_exists ("doomed"));
    close (fd);
}

/* The folder that is found again by its name must be the one that was there. */
EDDY_TEST (tree_delete_tells_when_it_cannot_open_a_folder_again)
{
    EddyError *error = NULL;
    int fd = open (eddy_test_directory (), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    doomed_make (fd, "doomed", 3, 2);
    close (fd);
    eddy__tree_delete_most_opened = 0;
    /* From some call on no folder opens. */
    eddy_test_fail_call (EDDY_SYS_OPENAT, 6, EACCES, true);
    EDDY_AUTO (EddyFile) doomed = files_new ("doomed");
    ck_assert (!eddy_file_delete_tree (doomed, NULL, NULL, NULL, &error));
    ck_assert_int_eq (eddy_error_get_errno (error), EACCES);
    ck_assert_ptr_nonnull (strstr (eddy_error_get_message (error), "/doomed/"));
    eddy_clear_error (&error);
    ck_assert (files_exists ("doomed"));
}
