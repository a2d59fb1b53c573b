/* SPDX-License-Identifier: MIT */
/*
 * Whole trees: copied and removed in every form, what fails on the way, and cancels.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <eddy/testing.h>

#include "context.h"

static const EddyFileCopyFlags all_flags = EDDY_FILE_COPY_ALL_METADATA;

/* ---- What there is to work on ---------------------------------------------------------------- */

enum { N_FILES = 7 };

/* Fewer where everything is done over and over. */
static int n_folders = 6;

/* The file at a path within the test's folder. */
static EddyFile *tree_file (const char *name)
{
    return eddy_file_new_for_path (eddy_test_path (name));
}

static void tree_write (const char *name, const char *text)
{
    int fd = open (eddy_test_path (name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    ck_assert_int_ge (fd, 0);
    ck_assert_int_eq (write (fd, text, strlen (text)), (ssize_t) strlen (text));
    close (fd);
}

static bool tree_exists (const char *name)
{
    struct stat status;
    return lstat (eddy_test_path (name), &status) == 0;
}

/* "NAME/folder-N/file-N", in each folder another one that is deeper, and a link to "outside". */
static void tree_make (const char *root)
{
    char name[300];
    ck_assert_int_eq (mkdir (eddy_test_path (root), 0755), 0);
    for (int i = 0; i < n_folders; i++) {
        snprintf (name, sizeof name, "%s/folder-%d", root, i);
        ck_assert_int_eq (mkdir (eddy_test_path (name), 0750), 0);
        snprintf (name, sizeof name, "%s/folder-%d/inner", root, i);
        ck_assert_int_eq (mkdir (eddy_test_path (name), 0700), 0);
        for (int k = 0; k < N_FILES; k++) {
            snprintf (name, sizeof name, "%s/folder-%d/%sfile-%d", root, i, k % 2 ? "inner/" : "",
                      k);
            tree_write (name, "contents");
        }
        snprintf (name, sizeof name, "%s/folder-%d/link", root, i);
        ck_assert_int_eq (symlink (eddy_test_path ("outside"), eddy_test_path (name)), 0);
    }
}

static void tree_make_outside (void)
{
    ck_assert_int_eq (mkdir (eddy_test_path ("outside"), 0755), 0);
    tree_write ("outside/kept", "kept");
}

/* How many of the files of a tree are there; each must be whole. */
static int tree_count (const char *root)
{
    char name[300], found[16];
    int n_files = 0;
    for (int i = 0; i < n_folders; i++) {
        for (int k = 0; k < N_FILES; k++) {
            snprintf (name, sizeof name, "%s/folder-%d/%sfile-%d", root, i, k % 2 ? "inner/" : "",
                      k);
            int fd = open (eddy_test_path (name), O_RDONLY | O_CLOEXEC);
            if (fd < 0)
                continue;
            ck_assert_int_eq (read (fd, found, sizeof found), 8);
            ck_assert_int_eq (memcmp (found, "contents", 8), 0);
            close (fd);
            n_files++;
        }
    }
    return n_files;
}

static int tree_remove_entry (const char *path, const struct stat *status, int kind,
                              struct FTW *where)
{
    (void) status;
    (void) kind;
    (void) where;
    return remove (path);
}

/* By other means than those that are tested. */
static void tree_remove (const char *root)
{
    nftw (eddy_test_path (root), tree_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- Every form ------------------------------------------------------------------------------ */

typedef struct Told {
    int64_t current;
    int64_t total;
    int n_calls;
} Told;

static void told (int64_t current, int64_t total, void *user_data)
{
    Told *self = user_data;
    ck_assert_int_ge (current, self->current);
    ck_assert_int_ge (total, current);
    *self = (Told){ current, total, self->n_calls + 1 };
}

/* The files of the test. */
static EddyFile *source, *copy;

static void forms_begin (void)
{
    tree_make_outside ();
    tree_make ("source");
    source = tree_file ("source");
    copy = tree_file ("copy");
}

static void forms_end (void)
{
    ck_assert (tree_exists ("outside/kept"));
    tree_remove ("source");
    tree_remove ("copy");
    tree_remove ("outside");
    eddy_clear (&source);
    eddy_clear (&copy);
}

static void *forms_call (void *data, EddyError **error)
{
    EddyCancellable *cancellable = data;
    Told copied = { 0 }, removed = { 0 };
    if (!eddy_file_copy_tree (source, copy, all_flags, cancellable, told, &copied, error))
        return NULL;
    ck_assert_int_eq (tree_count ("copy"), n_folders * N_FILES);
    ck_assert_int_eq (copied.current, 8 * n_folders * N_FILES);
    ck_assert_int_eq (copied.total, copied.current);
    if (!eddy_file_delete_tree (source, cancellable, told, &removed, error))
        return NULL;
    /* The links count, too. */
    ck_assert_int_eq (removed.current, n_folders * (N_FILES + 1));
    ck_assert_int_eq (removed.total, removed.current);
    ck_assert (!tree_exists ("source"));
    return copy;
}

EDDY_TEST (D_tree_blocking)
{
    EddyError *error = NULL;
    forms_begin ();
    ck_assert_ptr_nonnull (forms_call (NULL, &error));
    /* What is missing, and what is cancelled before it began. */
    ck_assert (!eddy_file_delete_tree (source, NULL, NULL, NULL, &error));
    ck_assert_ptr_nonnull (strstr (eddy_error_get_message (error), "source: No such file"));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_FOUND);
    ck_assert (!eddy_file_copy_tree (source, copy, all_flags, NULL, NULL, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_FOUND);
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    eddy_cancellable_cancel (cancellable);
    ck_assert (!eddy_file_delete_tree (copy, cancellable, NULL, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    ck_assert_int_eq (tree_count ("copy"), n_folders * N_FILES);
    forms_end ();
}

EDDY_TEST (D_tree_awaited)
{
    EddyContext *context = eddy_test_context_begin ();
    forms_begin ();
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    eddy_test_run_fiber (context, forms_call, cancellable);
    forms_end ();
    eddy_test_context_end (context);
}

typedef struct Ready {
    EddyMainLoop *loop;
    bool is_done;
} Ready;

static void copy_ready (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Ready *ready = user_data;
    EddyError *error = NULL;
    ready->is_done = eddy_file_copy_tree_finish (source_object, result, &error);
    ck_assert_ptr_null (error);
    eddy_main_loop_quit (ready->loop);
}

static void delete_ready (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Ready *ready = user_data;
    EddyError *error = NULL;
    ready->is_done = eddy_file_delete_tree_finish (source_object, result, &error);
    ck_assert_ptr_null (error);
    eddy_main_loop_quit (ready->loop);
}

EDDY_TEST (D_tree_by_callback)
{
    EddyContext *context = eddy_test_context_begin ();
    Ready ready = { eddy_main_loop_new (context), false };
    Told copied = { 0 }, removed = { 0 };
    forms_begin ();
    eddy_file_copy_tree_async (source, copy, all_flags, EDDY_PRIORITY_DEFAULT, NULL, told, &copied,
                               copy_ready, &ready);
    eddy_main_loop_run (ready.loop);
    ck_assert (ready.is_done);
    ck_assert_int_eq (tree_count ("copy"), n_folders * N_FILES);
    ck_assert_int_ge (copied.n_calls, 1);
    ready.is_done = false;
    eddy_file_delete_tree_async (source, EDDY_PRIORITY_DEFAULT, NULL, told, &removed, delete_ready,
                                 &ready);
    eddy_main_loop_run (ready.loop);
    ck_assert (ready.is_done);
    ck_assert (!tree_exists ("source"));
    ck_assert_int_ge (removed.n_calls, 1);
    eddy_unref (ready.loop);
    forms_end ();
    eddy_test_context_end (context);
}

static void work_ready (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Ready *ready = user_data;
    EddyError *error = NULL;
    ready->is_done = eddy_tree_work_run_finish (source_object, result, &error);
    ck_assert_ptr_null (error);
    eddy_main_loop_quit (ready->loop);
}

EDDY_TEST (D_tree_work_by_callback_on_several)
{
    EddyContext *context = eddy_test_context_begin ();
    Ready ready = { eddy_main_loop_new (context), false };
    forms_begin ();
    tree_make ("second");
    EDDY_AUTO (EddyFile) second = tree_file ("second");
    EDDY_AUTO (EddyFile) outside_link = tree_file ("source/folder-0/link");
    EDDY_AUTO (EddyTreeWork) work = eddy_tree_work_new_delete (EDDY_TREE_NONE);
    ck_assert (eddy_tree_work_add_delete (work, outside_link));
    ck_assert (eddy_tree_work_add_delete (work, second));
    ck_assert (eddy_tree_work_add_delete (work, source));
    eddy_tree_work_run_async (work, EDDY_PRIORITY_DEFAULT, NULL, work_ready, &ready);
    eddy_main_loop_run (ready.loop);
    ck_assert (ready.is_done);
    ck_assert (!tree_exists ("source"));
    ck_assert (!tree_exists ("second"));
    eddy_unref (ready.loop);
    forms_end ();
    eddy_test_context_end (context);
}

EDDY_TEST (D_tree_as_futures)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    forms_begin ();
    EddyFuture *future = eddy_file_copy_tree_future (source, copy, all_flags, EDDY_PRIORITY_DEFAULT,
                                                     NULL, NULL, NULL);
    ck_assert (eddy_block_on_complete (context, future, &error));
    eddy_unref (future);
    ck_assert_int_eq (tree_count ("copy"), n_folders * N_FILES);
    future = eddy_file_delete_tree_future (copy, EDDY_PRIORITY_DEFAULT, NULL, NULL, NULL);
    ck_assert (eddy_block_on_complete (context, future, &error));
    eddy_unref (future);
    ck_assert (!tree_exists ("copy"));
    forms_end ();
    eddy_test_context_end (context);
}

/* ---- What fails ------------------------------------------------------------------------------ */

typedef struct Failures {
    int n;
    int n_allowed; /* and then it is to stop */
} Failures;

static bool failure_told (EddyTreeWork *work, const EddyError *error, void *user_data)
{
    Failures *failures = user_data;
    ck_assert_ptr_nonnull (work);
    ck_assert_ptr_nonnull (strstr (eddy_error_get_message (error), eddy_test_directory ()));
    return ++failures->n < failures->n_allowed;
}

/* In each folder of the copy a file is in the way already. */
static void occupy_copy (void)
{
    char name[300];
    ck_assert_int_eq (mkdir (eddy_test_path ("copy"), 0755), 0);
    for (int i = 0; i < n_folders; i++) {
        snprintf (name, sizeof name, "copy/folder-%d", i);
        ck_assert_int_eq (mkdir (eddy_test_path (name), 0755), 0);
        snprintf (name, sizeof name, "copy/folder-%d/file-0", i);
        tree_write (name, "contents");
    }
}

static EddyTreeCounts work_run_copy (Failures *failures, EddyTreeFlags flags, bool succeeds)
{
    EddyTreeCounts counts;
    EddyError *error = NULL;
    EDDY_AUTO (EddyTreeWork) work = eddy_tree_work_new_copy (all_flags, flags);
    ck_assert (eddy_tree_work_add_copy (work, source, copy));
    eddy_tree_work_set_failure_func (work, failure_told, failures);
    ck_assert (eddy_tree_work_run (work, NULL, &error) == succeeds);
    eddy_tree_work_get_counts (work, &counts);
    ck_assert_uint_eq (eddy_tree_work_get_n_failures (work), (uint64_t) failures->n);
    ck_assert_ptr_null (eddy_tree_work_get_failure (work, (uint64_t) failures->n));
    if (succeeds)
        return counts;
    ck_assert_str_eq (eddy_error_get_message (error),
                      eddy_error_get_message (eddy_tree_work_get_failure (work, 0)));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_EXISTS);
    /* It runs once. */
    ck_assert (!eddy_tree_work_run (work, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
    return counts;
}

EDDY_TEST (D_tree_goes_on_after_failures_and_tells_each)
{
    Failures failures = { 0, 1000 };
    forms_begin ();
    occupy_copy ();
    EddyTreeCounts counts = work_run_copy (&failures, EDDY_TREE_NONE, /* succeeds= */ false);
    ck_assert_int_eq (failures.n, n_folders);
    ck_assert_int_eq ((int) counts.files_found, n_folders * (N_FILES + 1));
    ck_assert_int_eq ((int) counts.files_failed, n_folders);
    ck_assert_int_eq ((int) counts.files_done, n_folders * N_FILES);
    ck_assert_int_eq ((int) counts.folders_done, 1 + 2 * n_folders);
    ck_assert_int_eq (counts.bytes_found, 8 * n_folders * N_FILES);
    ck_assert_int_eq (counts.bytes_settled, counts.bytes_found);
    ck_assert_int_eq (counts.bytes_done, 8 * n_folders * (N_FILES - 1));
    ck_assert (counts.all_found);
    ck_assert_int_eq (tree_count ("copy"), n_folders * N_FILES);
    forms_end ();
}

EDDY_TEST (D_tree_passes_over_when_told_to)
{
    Failures failures = { 0, 1000 };
    forms_begin ();
    occupy_copy ();
    EddyTreeCounts counts = work_run_copy (&failures, EDDY_TREE_PASS_OVER, /* succeeds= */ true);
    ck_assert_int_eq ((int) counts.files_passed_over, n_folders);
    ck_assert_uint_eq (counts.files_failed, 0);
    EddyError *error = NULL;
    EDDY_AUTO (EddyFile) missing = tree_file ("missing");
    EDDY_AUTO (EddyTreeWork) work = eddy_tree_work_new_delete (EDDY_TREE_PASS_OVER);
    ck_assert (eddy_tree_work_add_delete (work, missing));
    ck_assert (eddy_tree_work_add_delete (work, copy));
    ck_assert (eddy_tree_work_run (work, NULL, &error));
    eddy_tree_work_get_counts (work, &counts);
    ck_assert_uint_eq (counts.files_passed_over, 1);
    ck_assert (!tree_exists ("copy"));
    forms_end ();
}

/* Each file of a folder is in the way already, so that no order of them lets many be copied before
 * one fails; and there are more than are under way at a time. */
EDDY_TEST (D_tree_stops_when_a_failure_is_not_to_be_followed)
{
    enum { N_MORE = 1000 };
    Failures failures = { 0, 1 };
    char name[64];
    n_folders = 0;
    forms_begin ();
    occupy_copy ();
    for (int i = 0; i < N_MORE; i++) {
        snprintf (name, sizeof name, "source/more-%d", i);
        tree_write (name, "contents");
        snprintf (name, sizeof name, "copy/more-%d", i);
        tree_write (name, "before");
    }
    EddyTreeCounts counts = work_run_copy (&failures, EDDY_TREE_NONE, /* succeeds= */ false);
    ck_assert_uint_eq (counts.files_found, N_MORE);
    ck_assert_uint_eq (counts.files_done, 0);
    ck_assert_uint_ge (counts.files_failed, 1);
    ck_assert_uint_lt (counts.files_failed, N_MORE / 2);
    forms_end ();
}

static void tree_make_socket (const char *folder)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq (chdir (eddy_test_path (folder)), 0);
    snprintf (address.sun_path, sizeof address.sun_path, "a-socket");
    ck_assert_int_eq (bind (fd, (struct sockaddr *) &address, sizeof address), 0);
    ck_assert_int_eq (chdir ("/"), 0);
    close (fd);
}

/* One of several names of a file is a socket's where they are copied to: that stays, as it does
 * when it is the name of a file that has one only. */
EDDY_TEST (D_tree_replaces_no_socket_by_a_link)
{
    EddyError *error = NULL;
    char name[64], first[256];
    struct stat info;
    EDDY_AUTO (EddyFile) from = tree_file ("from");
    EDDY_AUTO (EddyFile) to = tree_file ("to");
    ck_assert_int_eq (mkdir (eddy_test_path ("from"), 0700), 0);
    ck_assert_int_eq (mkdir (eddy_test_path ("to"), 0700), 0);
    tree_make_socket ("to");
    snprintf (first, sizeof first, "%s", eddy_test_path ("from/a-socket"));
    int fd = open (first, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_ge (fd, 0);
    close (fd);
    for (int i = 0; i < 20; i++) {
        snprintf (name, sizeof name, "from/name-%d", i);
        ck_assert_int_eq (link (first, eddy_test_path (name)), 0);
    }
    ck_assert (!eddy_file_copy_tree (from, to, all_flags | EDDY_FILE_COPY_OVERWRITE, NULL, NULL,
                                     NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_SUPPORTED);
    ck_assert_int_eq (lstat (eddy_test_path ("to/a-socket"), &info), 0);
    ck_assert (S_ISSOCK (info.st_mode));
    ck_assert_int_eq (lstat (eddy_test_path ("to/name-7"), &info), 0);
    ck_assert_uint_eq (info.st_nlink, 20);
    tree_remove ("from");
    tree_remove ("to");
}

EDDY_TEST (D_tree_leaves_out_what_is_no_file)
{
    EddyError *error = NULL;
    forms_begin ();
    tree_make_socket ("source");
    ck_assert (!eddy_file_copy_tree (source, copy, all_flags, NULL, NULL, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_SUPPORTED);
    ck_assert_int_eq (tree_count ("copy"), n_folders * N_FILES);
    ck_assert (!tree_exists ("copy/a-socket"));
    ck_assert (eddy_file_delete_tree (source, NULL, NULL, NULL, &error));
    forms_end ();
}

EDDY_TEST (D_tree_is_not_copied_into_itself)
{
    EddyError *error = NULL;
    forms_begin ();
    EDDY_AUTO (EddyFile) within = tree_file ("source/folder-1/copy");
    ck_assert (!eddy_file_copy_tree (source, within, all_flags, NULL, NULL, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_WOULD_RECURSE);
    ck_assert (!tree_exists ("source/folder-1/copy"));
    /* By a link, too; and a folder within that is the destination's. */
    ck_assert_int_eq (symlink ("source/folder-1", eddy_test_path ("by-link")), 0);
    EDDY_AUTO (EddyFile) by_link = tree_file ("by-link/copy");
    ck_assert (!eddy_file_copy_tree (source, by_link, all_flags, NULL, NULL, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_WOULD_RECURSE);
    /* A slash behind the name says that a link may stand there. */
    ck_assert_int_eq (mkdir (eddy_test_path ("elsewhere"), 0755), 0);
    ck_assert_int_eq (symlink ("elsewhere", eddy_test_path ("link-to-folder")), 0);
    EDDY_AUTO (EddyFile) link = tree_file ("link-to-folder");
    EDDY_AUTO (EddyFile) slashed = tree_file ("link-to-folder/");
    ck_assert (!eddy_file_copy_tree (source, link, all_flags, NULL, NULL, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_EXISTS);
    ck_assert (eddy_file_copy_tree (source, slashed, all_flags, NULL, NULL, NULL, &error));
    ck_assert_int_eq (tree_count ("elsewhere"), n_folders * N_FILES);
    tree_remove ("elsewhere");
    forms_end ();
}

EDDY_TEST (D_tree_files_only_refuses_folders)
{
    EddyError *error = NULL;
    forms_begin ();
    EDDY_AUTO (EddyTreeWork) copying = eddy_tree_work_new_copy (all_flags, EDDY_TREE_FILES_ONLY);
    ck_assert (eddy_tree_work_add_copy (copying, source, copy));
    ck_assert (!eddy_tree_work_run (copying, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_WOULD_RECURSE);
    EDDY_AUTO (EddyTreeWork) removing = eddy_tree_work_new_delete (EDDY_TREE_FILES_ONLY);
    ck_assert (eddy_tree_work_add_delete (removing, source));
    ck_assert (!eddy_tree_work_run (removing, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_WOULD_RECURSE);
    ck_assert_int_eq (tree_count ("source"), n_folders * N_FILES);
    forms_end ();
}

/* ---- Removing -------------------------------------------------------------------------------- */

EDDY_TEST (D_tree_removes_links_and_never_follows_them)
{
    EddyError *error = NULL;
    forms_begin ();
    ck_assert_int_eq (symlink ("outside", eddy_test_path ("link")), 0);
    EDDY_AUTO (EddyFile) link = tree_file ("link");
    EDDY_AUTO (EddyFile) slashed = tree_file ("link/");
    ck_assert (!eddy_file_delete_tree (slashed, NULL, NULL, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_DIRECTORY);
    ck_assert (tree_exists ("link"));
    ck_assert (eddy_file_delete_tree (link, NULL, NULL, NULL, &error));
    ck_assert (!tree_exists ("link"));
    /* With a slash a folder is a folder. */
    EDDY_AUTO (EddyFile) folder = tree_file ("source///");
    ck_assert (eddy_file_delete_tree (folder, NULL, NULL, NULL, &error));
    ck_assert (!tree_exists ("source"));
    forms_end ();
}

EDDY_TEST (D_tree_never_removes_what_has_no_name)
{
    static const char *const names[] = { "source/.", "source/folder-1/..", "source/./", "." };
    EddyError *error = NULL;
    forms_begin ();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        EDDY_AUTO (EddyFile) file = tree_file (names[i]);
        ck_assert (!eddy_file_delete_tree (file, NULL, NULL, NULL, &error));
        eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
    }
    ck_assert_int_eq (tree_count ("source"), n_folders * N_FILES);
    EDDY_AUTO (EddyFile) root = eddy_file_new_for_path ("///");
    ck_assert (!eddy_file_delete_tree (root, NULL, NULL, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
    EDDY_AUTO (EddyFile) empty = eddy_file_new_for_path ("");
    ck_assert (!eddy_file_delete_tree (empty, NULL, NULL, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_FOUND);
    forms_end ();
}

/* A chain of folders whose path is longer than any path may be, with a file in each. */
static void deep_make (int depth)
{
    int fd = open (eddy_test_directory (), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < depth; i++) {
        ck_assert_int_eq (mkdirat (fd, i == 0 ? "deep" : "a-folder-in-a-folder", 0755), 0);
        int next = openat (fd, i == 0 ? "deep" : "a-folder-in-a-folder",
                           O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge (next, 0);
        close (fd);
        fd = next;
        int file = openat (fd, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        ck_assert_int_ge (file, 0);
        close (file);
        ck_assert_int_eq (mkdirat (fd, "beside", 0755), 0);
    }
    close (fd);
}

EDDY_TEST (D_tree_removes_what_is_deeper_than_paths_go)
{
    enum { DEPTH = 600 };
    EddyContext *context = eddy_test_context_begin ();
    EddyTreeCounts counts;
    EddyError *error = NULL;
    deep_make (DEPTH);
    EDDY_AUTO (EddyFile) deep = tree_file ("deep");
    EDDY_AUTO (EddyTreeWork) work = eddy_tree_work_new_delete (EDDY_TREE_NONE);
    ck_assert (eddy_tree_work_add_delete (work, deep));
    EddyFuture *future = eddy_tree_work_run_future (work, EDDY_PRIORITY_DEFAULT, NULL);
    bool is_done = eddy_block_on_complete (context, future, &error);
    ck_assert_msg (is_done, "%.200s", error == NULL ? "" : eddy_error_get_message (error));
    eddy_unref (future);
    eddy_tree_work_get_counts (work, &counts);
    ck_assert_uint_eq (counts.files_done, DEPTH);
    ck_assert_uint_eq (counts.folders_done, 2 * DEPTH);
    ck_assert (!tree_exists ("deep"));
    eddy_test_context_end (context);
}

/* Puts a link to "outside" in a folder's place and takes it away again, all the time. */
typedef struct Swapper {
    pthread_t thread;
    bool stop;
} Swapper;

static void *swapper_run (void *data)
{
    Swapper *swapper = data;
    char folder[400], aside[400], link[400];
    snprintf (folder, sizeof folder, "%s", eddy_test_path ("source/folder-2"));
    snprintf (aside, sizeof aside, "%s", eddy_test_path ("aside"));
    snprintf (link, sizeof link, "%s", eddy_test_path ("outside"));
    while (!__atomic_load_n (&swapper->stop, __ATOMIC_ACQUIRE)) {
        if (rename (folder, aside) == 0 && symlink (link, folder) == 0 && unlink (folder) == 0)
            rename (aside, folder);
    }
    return NULL;
}

EDDY_TEST (D_tree_is_removed_without_following_a_link_put_in_its_way)
{
    Swapper swapper = { .stop = false };
    tree_make_outside ();
    EDDY_AUTO (EddyFile) doomed = tree_file ("source");
    for (int i = 0; i < 40; i++) {
        tree_make ("source");
        swapper.stop = false;
        ck_assert_int_eq (pthread_create (&swapper.thread, NULL, swapper_run, &swapper), 0);
        /* Its outcome is as it happens: the folder may be elsewhere while it is looked for. */
        (void) eddy_file_delete_tree (doomed, NULL, NULL, NULL, NULL);
        __atomic_store_n (&swapper.stop, true, __ATOMIC_RELEASE);
        pthread_join (swapper.thread, NULL);
        ck_assert (tree_exists ("outside/kept"));
        tree_remove ("source");
        tree_remove ("aside");
    }
    tree_remove ("outside");
}

EDDY_TEST (D_tree_within_an_open_folder)
{
    EddyError *error = NULL;
    forms_begin ();
    EDDY_AUTO (EddyFile) root = eddy_file_new_for_path (eddy_test_directory ());
    EDDY_AUTO (EddyDir) dir = eddy_dir_open (root, NULL, &error);
    EDDY_AUTO (EddyFile) from = eddy_dir_get_file (dir, "source");
    EDDY_AUTO (EddyFile) to = eddy_dir_get_file (dir, "copy/");
    EDDY_AUTO (EddyFile) within = eddy_dir_get_file (dir, "source/folder-0/copy");
    ck_assert (eddy_file_copy_tree (from, to, all_flags, NULL, NULL, NULL, &error));
    ck_assert_int_eq (tree_count ("copy"), n_folders * N_FILES);
    ck_assert (!eddy_file_copy_tree (from, within, all_flags, NULL, NULL, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_WOULD_RECURSE);
    ck_assert (eddy_file_delete_tree (to, NULL, NULL, NULL, &error));
    ck_assert (!tree_exists ("copy"));
    /* What leads out of it is neither read, nor written, nor removed. */
    EDDY_AUTO (EddyFile) inner = eddy_file_new_for_path (eddy_test_path ("source"));
    EDDY_AUTO (EddyDir) source_dir = eddy_dir_open (inner, NULL, &error);
    EDDY_AUTO (EddyFile) out = eddy_dir_get_file (source_dir, "../outside");
    EDDY_AUTO (EddyFile) by_link = eddy_dir_get_file (source_dir, "folder-0/link/kept");
    EDDY_AUTO (EddyFile) folder = eddy_dir_get_file (source_dir, "folder-0");
    ck_assert (!eddy_file_delete_tree (out, NULL, NULL, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_PERMISSION_DENIED);
    ck_assert (!eddy_file_delete_tree (by_link, NULL, NULL, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_PERMISSION_DENIED);
    ck_assert (!eddy_file_copy_tree (folder, out, all_flags, NULL, NULL, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_PERMISSION_DENIED);
    ck_assert_int_eq (tree_count ("source"), n_folders * N_FILES);
    forms_end ();
}

/* ---- Cancelled everywhere -------------------------------------------------------------------- */

static void *cancelled_copy (void *data, EddyError **error)
{
    (void) data;
    return eddy_file_copy_tree (source, copy, all_flags, NULL, NULL, NULL, error) ? source : NULL;
}

static void cancelled_copy_check (void *data, bool cancelled, uint32_t point)
{
    int n_files = tree_count ("copy");
    (void) data;
    (void) point;
    if (!cancelled)
        ck_assert_int_eq (n_files, n_folders * N_FILES);
    ck_assert_int_eq (tree_count ("source"), n_folders * N_FILES);
    tree_remove ("copy");
}

EDDY_TEST (D_tree_copy_cancelled_everywhere)
{
    EddyTestCancelReport report;
    n_folders = 1;
    forms_begin ();
    ck_assert_msg (
        eddy_test_cancel_everywhere (cancelled_copy, NULL, cancelled_copy_check, &report), "%s",
        report.failure);
    ck_assert_uint_gt (report.cancelled, 0);
    forms_end ();
}

static void *cancelled_delete (void *data, EddyError **error)
{
    (void) data;
    return eddy_file_delete_tree (source, NULL, NULL, NULL, error) ? source : NULL;
}

static void cancelled_delete_check (void *data, bool cancelled, uint32_t point)
{
    (void) data;
    (void) point;
    ck_assert_int_eq (tree_exists ("source"), cancelled);
    ck_assert (tree_exists ("outside/kept"));
    tree_remove ("source");
    tree_make ("source");
}

EDDY_TEST (D_tree_delete_cancelled_everywhere)
{
    EddyTestCancelReport report;
    n_folders = 1;
    forms_begin ();
    ck_assert_msg (
        eddy_test_cancel_everywhere (cancelled_delete, NULL, cancelled_delete_check, &report), "%s",
        report.failure);
    ck_assert_uint_gt (report.cancelled, 0);
    forms_end ();
}
