/* SPDX-License-Identifier: MIT */
/*
 * Walking trees: what comes and in which order, folders that are skipped or cannot be read, cancels
 * and walks that are let go of.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <eddy/testing.h>

#include "context.h"

enum { N_FOLDERS = 20, N_FILES = 30, N_MANY = 2500 };

static void walk_touch (const char *name)
{
    int fd = open (eddy_test_path (name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ck_assert_int_ge (fd, 0);
    close (fd);
}

static void walk_make_folder (const char *name)
{
    ck_assert_int_eq (mkdir (eddy_test_path (name), 0700), 0);
}

/* "tree/folder-N/file-N" and "tree/folder-N/inner/file", with a link that leads back up. */
static void walk_make (unsigned n_folders)
{
    char name[200];
    walk_make_folder ("tree");
    for (unsigned i = 0; i < n_folders; i++) {
        snprintf (name, sizeof name, "tree/folder-%u", i);
        walk_make_folder (name);
        for (unsigned k = 0; k < N_FILES; k++) {
            snprintf (name, sizeof name, "tree/folder-%u/file-%u", i, k);
            walk_touch (name);
        }
        snprintf (name, sizeof name, "tree/folder-%u/inner", i);
        walk_make_folder (name);
        snprintf (name, sizeof name, "tree/folder-%u/inner/file", i);
        walk_touch (name);
        snprintf (name, sizeof name, "tree/folder-%u/inner/up", i);
        ck_assert_int_eq (symlink ("../..", eddy_test_path (name)), 0);
    }
}

static EddySequence *walk_new (const char *name, EddyFileWalkFlags flags)
{
    EDDY_AUTO (EddyFile) file = eddy_file_new_for_path (eddy_test_path (name));
    EddySequence *sequence = eddy_file_walk (file, flags);
    ck_assert_ptr_nonnull (sequence);
    return sequence;
}

/* Waits for what was read ahead in vain. */
static void walk_settle (EddyContext *context)
{
    EddyContextStatistics statistics;
    do {
        eddy_context_iteration (context, /* may_block= */ false);
        eddy_context_get_statistics (context, &statistics);
    } while (statistics.live_operations > 0);
}

/* What a walk has come by. */
typedef struct Seen {
    unsigned n_entries;
    unsigned n_folders;
    unsigned n_links;
    unsigned n_errors;
    char folder[4096]; /* the path of the one that came last */
} Seen;

/* Each file comes behind its folder, with no other folder of its depth between. */
static void seen_note (Seen *seen, EddyFileWalkEntry *entry)
{
    const EddyFileInfo *info = eddy_file_walk_entry_get_info (entry);
    const char *path = eddy_file_get_path (eddy_file_walk_entry_get_file (entry));
    unsigned depth = 0;
    for (const char *at = path + strlen (eddy_test_directory ()) + 1; *at != '\0'; at++)
        depth += *at == '/';
    ck_assert_uint_eq (eddy_file_walk_entry_get_depth (entry), depth);
    ck_assert_ptr_nonnull (strstr (path, eddy_file_info_get_name (info)));
    if (eddy_file_walk_entry_get_error (entry) != NULL) {
        seen->n_errors++;
        return;
    }
    seen->n_entries++;
    EddyFileType type = eddy_file_info_get_file_type (info);
    seen->n_links += type == EDDY_FILE_TYPE_SYMBOLIC_LINK;
    seen->n_folders += type == EDDY_FILE_TYPE_DIRECTORY;
    size_t parent = (size_t) (strrchr (path, '/') - path);
    if (depth > 0)
        ck_assert_int_eq (strncmp (seen->folder, path, parent), 0);
    if (type == EDDY_FILE_TYPE_DIRECTORY)
        snprintf (seen->folder, sizeof seen->folder, "%s", path);
}

static void *walk_all (void *data, EddyError **error)
{
    Seen *seen = data;
    EDDY_AUTO (EddySequence) walk = walk_new ("tree", EDDY_FILE_WALK_NONE);
    EddyFileWalkEntry *entry;
    *seen = (Seen){ 0 };
    while ((entry = eddy_sequence_next (walk, NULL, error)) != NULL) {
        seen_note (seen, entry);
        eddy_unref (entry);
    }
    ck_assert (*error != NULL || eddy_sequence_has_ended (walk));
    return *error == NULL ? data : NULL;
}

EDDY_TEST (D_walk_comes_by_everything_once)
{
    EddyContext *context = eddy_test_context_begin ();
    Seen seen;
    walk_make (N_FOLDERS);
    eddy_test_run_fiber (context, walk_all, &seen);
    ck_assert_uint_eq (seen.n_folders, 1 + 2 * N_FOLDERS);
    ck_assert_uint_eq (seen.n_links, N_FOLDERS);
    ck_assert_uint_eq (seen.n_entries, 1 + N_FOLDERS * (N_FILES + 4));
    ck_assert_uint_eq (seen.n_errors, 0);
    eddy_test_context_end (context);
}

EDDY_TEST (D_walk_reads_large_folders_in_parts)
{
    EddyContext *context = eddy_test_context_begin ();
    char name[64];
    Seen seen;
    walk_make_folder ("tree");
    for (unsigned i = 0; i < N_MANY; i++) {
        snprintf (name, sizeof name, "tree/name-%u", i);
        if (i % 100 == 0)
            walk_make_folder (name);
        else
            walk_touch (name);
    }
    eddy_test_run_fiber (context, walk_all, &seen);
    ck_assert_uint_eq (seen.n_entries, 1 + N_MANY);
    ck_assert_uint_eq (seen.n_folders, 1 + N_MANY / 100);
    eddy_test_context_end (context);
}

static void *walk_skipping (void *data, EddyError **error)
{
    EDDY_AUTO (EddySequence) walk = walk_new ("tree", EDDY_FILE_WALK_ONE_FILE_SYSTEM);
    EddyFileWalkEntry *entry;
    unsigned *n_entries = data;
    while ((entry = eddy_sequence_next (walk, NULL, error)) != NULL) {
        ck_assert_uint_le (eddy_file_walk_entry_get_depth (entry), 1);
        if (eddy_file_walk_entry_get_depth (entry) == 1)
            eddy_file_walk_entry_skip (entry);
        ++*n_entries;
        eddy_unref (entry);
    }
    return data;
}

EDDY_TEST (D_walk_skips_what_it_is_told_to)
{
    EddyContext *context = eddy_test_context_begin ();
    unsigned n_entries = 0;
    walk_make (N_FOLDERS);
    eddy_test_run_fiber (context, walk_skipping, &n_entries);
    walk_settle (context);
    ck_assert_uint_eq (n_entries, 1 + N_FOLDERS);
    eddy_test_context_end (context);
}

/* Puts a link in the place of a folder. */
static void walk_replace (const char *path)
{
    ck_assert_int_eq (rename (path, eddy_test_path ("aside")), 0);
    ck_assert_int_eq (symlink ("aside", path), 0);
}

/* The first folder that comes in the tree is replaced before it is read: it is not read ahead. */
static void *walk_replacing (void *data, EddyError **error)
{
    Seen *seen = data;
    EDDY_AUTO (EddySequence) walk = walk_new ("tree", EDDY_FILE_WALK_NONE);
    EddyFileWalkEntry *entry;
    while ((entry = eddy_sequence_next (walk, NULL, error)) != NULL) {
        const EddyError *failure = eddy_file_walk_entry_get_error (entry);
        const char *path = eddy_file_get_path (eddy_file_walk_entry_get_file (entry));
        if (++seen->n_entries == 2)
            walk_replace (path);
        if (failure != NULL) {
            seen->n_errors++;
            ck_assert_uint_eq (seen->n_entries, 3);
            ck_assert_int_eq (strncmp (eddy_error_get_message (failure), path, strlen (path)), 0);
        }
        eddy_unref (entry);
    }
    return *error == NULL ? data : NULL;
}

EDDY_TEST (D_walk_goes_on_behind_a_folder_that_cannot_be_read)
{
    EddyContext *context = eddy_test_context_begin ();
    Seen seen = { 0 };
    walk_make (2);
    eddy_test_run_fiber (context, walk_replacing, &seen);
    ck_assert_uint_eq (seen.n_errors, 1);
    ck_assert_uint_eq (seen.n_entries, 3 + N_FILES + 4);
    eddy_test_context_end (context);
}

static void *walk_missing (void *data, EddyError **error)
{
    EDDY_AUTO (EddySequence) walk = walk_new ("missing", EDDY_FILE_WALK_NONE);
    ck_assert_ptr_null (eddy_sequence_next (walk, NULL, error));
    eddy_test_expect_error (error, EDDY_IO_ERROR_NOT_FOUND);
    ck_assert (eddy_sequence_has_ended (walk));
    return data;
}

static void *walk_file (void *data, EddyError **error)
{
    EDDY_AUTO (EddySequence) walk = walk_new ("file", EDDY_FILE_WALK_NONE);
    EddyFileWalkEntry *entry = eddy_sequence_next (walk, NULL, error);
    ck_assert_ptr_nonnull (entry);
    eddy_unref (entry);
    ck_assert_ptr_null (eddy_sequence_next (walk, NULL, error));
    return data;
}

EDDY_TEST (D_walk_of_what_is_missing_and_of_a_file)
{
    EddyContext *context = eddy_test_context_begin ();
    walk_touch ("file");
    eddy_test_run_fiber (context, walk_missing, NULL);
    eddy_test_run_fiber (context, walk_file, NULL);
    eddy_test_context_end (context);
}

static void *walk_dropped (void *data, EddyError **error)
{
    unsigned n = *(unsigned *) data;
    EDDY_AUTO (EddySequence) walk = walk_new ("tree", EDDY_FILE_WALK_NONE);
    for (unsigned i = 0; i < n; i++) {
        EddyFileWalkEntry *entry = eddy_sequence_next (walk, NULL, error);
        ck_assert_ptr_nonnull (entry);
        eddy_unref (entry);
    }
    return data;
}

EDDY_TEST (D_walk_that_is_let_go_of_leaves_nothing)
{
    EddyContext *context = eddy_test_context_begin ();
    walk_make (N_FOLDERS);
    for (unsigned n = 0; n < 80; n += 3) {
        eddy_test_run_fiber (context, walk_dropped, &n);
        walk_settle (context);
    }
    eddy_test_context_end (context);
}

EDDY_TEST (D_walk_within_an_open_folder)
{
    EddyError *error = NULL;
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyFile) root = eddy_file_new_for_path (eddy_test_directory ());
    EDDY_AUTO (EddyDir) dir = eddy_dir_open (root, NULL, &error);
    EDDY_AUTO (EddyFile) tree = eddy_dir_get_file (dir, "tree");
    unsigned n_entries = 0;
    walk_make (2);
    EDDY_AUTO (EddySequence) walk = eddy_file_walk (tree, EDDY_FILE_WALK_NONE);
    EddyFileWalkEntry *entry;
    while ((entry = eddy_sequence_next (walk, NULL, &error)) != NULL) {
        ck_assert_ptr_eq (eddy_file_get_dir (eddy_file_walk_entry_get_file (entry)), dir);
        n_entries++;
        eddy_unref (entry);
    }
    ck_assert_ptr_null (error);
    ck_assert_uint_eq (n_entries, 1 + 2 * (N_FILES + 4));
    eddy_test_context_end (context);
}

typedef struct Asking {
    EddySequence *walk;
    Seen seen;
} Asking;

static void *walk_ask (void *data, EddyError **error)
{
    Asking *asking = data;
    EddyFileWalkEntry *entry = eddy_sequence_next (asking->walk, NULL, error);
    if (entry != NULL)
        seen_note (&asking->seen, entry);
    return eddy_unref (entry);
}

/* Who asks is cancelled again and again, sooner or later; who asks next gets what was to come. */
EDDY_TEST (D_walk_loses_nothing_by_a_cancel)
{
    EddyContext *context = eddy_test_context_begin ();
    walk_make (N_FOLDERS);
    Asking asking = { .walk = walk_new ("tree", EDDY_FILE_WALK_NONE) };
    unsigned n_cancelled = 0;
    for (unsigned i = 0; !eddy_sequence_has_ended (asking.walk); i++) {
        EddyFuture *fiber = eddy_spawn (context, walk_ask, &asking, NULL);
        for (unsigned k = 0; k < i % 4; k++)
            eddy_context_iteration (context, /* may_block= */ false);
        if (i % 5 != 0)
            eddy_future_cancel (fiber);
        bool was_cancelled = !eddy_block_on_complete (context, fiber, NULL);
        ck_assert (i % 5 != 0 || !was_cancelled);
        n_cancelled += was_cancelled;
        eddy_unref (fiber);
    }
    ck_assert_uint_gt (n_cancelled, 0);
    ck_assert_uint_eq (asking.seen.n_errors, 0);
    ck_assert_uint_eq (asking.seen.n_entries, 1 + N_FOLDERS * (N_FILES + 4));
    eddy_unref (asking.walk);
    eddy_test_context_end (context);
}

static void walk_check (void *data, bool cancelled, uint32_t point)
{
    const Seen *seen = data;
    (void) point;
    if (!cancelled)
        ck_assert_uint_eq (seen->n_entries, 1 + N_FILES + 4);
}

EDDY_TEST (D_walk_cancelled_everywhere)
{
    EddyTestCancelReport report;
    Seen seen;
    walk_make (1);
    ck_assert_msg (eddy_test_cancel_everywhere (walk_all, &seen, walk_check, &report), "%s",
                   report.failure);
    ck_assert_uint_gt (report.cancelled, 0);
}
