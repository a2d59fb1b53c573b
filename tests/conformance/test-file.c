/* SPDX-License-Identifier: MIT */
/*
 * Every operation on files in every form, on every engine: the same result, the same error, and
 * done where the form says: in place for a plain thread, by a worker of the context otherwise.
 */
#include <pthread.h>

#include "file-forms.h"

static const EddyFileCopyFlags all_flags =
    EDDY_FILE_COPY_NOFOLLOW_SYMLINKS | EDDY_FILE_COPY_ALL_METADATA;

/* ---- The operations, each in four forms and with what must be true afterwards ---------------- */

/* copy */

static bool copy_call (EddyCancellable *cancellable, EddyError **error)
{
    return eddy_file_copy (from, to, all_flags, cancellable, NULL, NULL, error);
}

static void copy_start (EddyCancellable *cancellable, EddyAsyncReadyCallback ready, void *user_data)
{
    eddy_file_copy_async (from, to, all_flags, EDDY_PRIORITY_DEFAULT, cancellable, NULL, NULL,
                          ready, user_data);
}

static bool copy_finish (EddyAsyncResult *result, EddyError **error)
{
    return eddy_file_copy_finish (from, result, error);
}

static EddyFuture *copy_future (EddyCancellable *cancellable)
{
    return eddy_file_copy_future (from, to, all_flags, EDDY_PRIORITY_DEFAULT, cancellable, NULL,
                                  NULL);
}

static void copy_assert_done (void)
{
    char found[16] = "";
    int fd = open (to_path, O_RDONLY | O_CLOEXEC);
    ck_assert_int_eq (read (fd, found, sizeof found), 8);
    ck_assert_str_eq (found, "one file");
    close (fd);
    ck_assert_uint_eq (place_mode (to_path), S_IFREG | 0640);
}

/* copy_attributes */

static bool attributes_call (EddyCancellable *cancellable, EddyError **error)
{
    return eddy_file_copy_attributes (from, folder, all_flags, cancellable, error);
}

static void attributes_start (EddyCancellable *cancellable, EddyAsyncReadyCallback ready,
                              void *user_data)
{
    eddy_file_copy_attributes_async (from, folder, all_flags, EDDY_PRIORITY_DEFAULT, cancellable,
                                     ready, user_data);
}

static bool attributes_finish (EddyAsyncResult *result, EddyError **error)
{
    return eddy_file_copy_attributes_finish (from, result, error);
}

static EddyFuture *attributes_future (EddyCancellable *cancellable)
{
    return eddy_file_copy_attributes_future (from, folder, all_flags, EDDY_PRIORITY_DEFAULT,
                                             cancellable);
}

static void attributes_assert_done (void)
{
    ck_assert_uint_eq (place_mode (eddy_test_directory ()), S_IFDIR | 0640);
    ck_assert_int_eq (chmod (eddy_test_directory (), 0700), 0);
}

/* query_info */

static bool info_check (EddyFileInfo *info)
{
    if (info == NULL)
        return false;
    ck_assert_int_eq (eddy_file_info_get_size (info), 8);
    ck_assert_str_eq (eddy_file_info_get_name (info), "from");
    eddy_unref (info);
    return true;
}

static bool info_call (EddyCancellable *cancellable, EddyError **error)
{
    return info_check (eddy_file_query_info (from, 0, cancellable, error));
}

static void info_start (EddyCancellable *cancellable, EddyAsyncReadyCallback ready, void *user_data)
{
    eddy_file_query_info_async (from, 0, EDDY_PRIORITY_DEFAULT, cancellable, ready, user_data);
}

static bool info_finish (EddyAsyncResult *result, EddyError **error)
{
    return info_check (eddy_file_query_info_finish (from, result, error));
}

static EddyFuture *info_future (EddyCancellable *cancellable)
{
    return eddy_file_query_info_future (from, 0, EDDY_PRIORITY_DEFAULT, cancellable);
}

/* list_children */

static bool list_check (EddyFileInfoList *infos)
{
    if (infos == NULL)
        return false;
    ck_assert_uint_eq (eddy_file_info_list_get_length (infos), 1);
    ck_assert_str_eq (eddy_file_info_get_name (eddy_file_info_list_get (infos, 0)), "from");
    eddy_unref (infos);
    return true;
}

static bool list_call (EddyCancellable *cancellable, EddyError **error)
{
    return list_check (eddy_file_list_children (folder, cancellable, error));
}

static void list_start (EddyCancellable *cancellable, EddyAsyncReadyCallback ready, void *user_data)
{
    eddy_file_list_children_async (folder, EDDY_PRIORITY_DEFAULT, cancellable, ready, user_data);
}

static bool list_finish (EddyAsyncResult *result, EddyError **error)
{
    return list_check (eddy_file_list_children_finish (folder, result, error));
}

static EddyFuture *list_future (EddyCancellable *cancellable)
{
    return eddy_file_list_children_future (folder, EDDY_PRIORITY_DEFAULT, cancellable);
}

/* load_contents */

static bool load_check (EddyBytes *bytes)
{
    if (bytes == NULL)
        return false;
    ck_assert_uint_eq (eddy_bytes_get_size (bytes), 8);
    ck_assert_str_eq (eddy_bytes_get_data (bytes), "one file");
    eddy_unref (bytes);
    return true;
}

static bool load_call (EddyCancellable *cancellable, EddyError **error)
{
    return load_check (eddy_file_load_contents (from, cancellable, error));
}

static void load_start (EddyCancellable *cancellable, EddyAsyncReadyCallback ready, void *user_data)
{
    eddy_file_load_contents_async (from, EDDY_PRIORITY_DEFAULT, cancellable, ready, user_data);
}

static bool load_finish (EddyAsyncResult *result, EddyError **error)
{
    return load_check (eddy_file_load_contents_finish (from, result, error));
}

static EddyFuture *load_future (EddyCancellable *cancellable)
{
    return eddy_file_load_contents_future (from, EDDY_PRIORITY_DEFAULT, cancellable);
}

/* delete */

static bool delete_call (EddyCancellable *cancellable, EddyError **error)
{
    return eddy_file_delete (from, cancellable, error);
}

static void delete_start (EddyCancellable *cancellable, EddyAsyncReadyCallback ready,
                          void *user_data)
{
    eddy_file_delete_async (from, EDDY_PRIORITY_DEFAULT, cancellable, ready, user_data);
}

static bool delete_finish (EddyAsyncResult *result, EddyError **error)
{
    return eddy_file_delete_finish (from, result, error);
}

static EddyFuture *delete_future (EddyCancellable *cancellable)
{
    return eddy_file_delete_future (from, EDDY_PRIORITY_DEFAULT, cancellable);
}

static void delete_assert_done (void)
{
    ck_assert_uint_eq (place_mode (from_path), 0);
}

/* make_directory, make_private_directory */

static bool directory_call (EddyCancellable *cancellable, EddyError **error)
{
    return eddy_file_make_directory (to, cancellable, error);
}

static void directory_start (EddyCancellable *cancellable, EddyAsyncReadyCallback ready,
                             void *user_data)
{
    eddy_file_make_directory_async (to, EDDY_PRIORITY_DEFAULT, cancellable, ready, user_data);
}

static bool directory_finish (EddyAsyncResult *result, EddyError **error)
{
    return eddy_file_make_directory_finish (to, result, error);
}

static EddyFuture *directory_future (EddyCancellable *cancellable)
{
    return eddy_file_make_directory_future (to, EDDY_PRIORITY_DEFAULT, cancellable);
}

static void directory_assert_done (void)
{
    ck_assert (S_ISDIR (place_mode (to_path)));
}

static bool private_call (EddyCancellable *cancellable, EddyError **error)
{
    return eddy_file_make_private_directory (to, cancellable, error);
}

static void private_start (EddyCancellable *cancellable, EddyAsyncReadyCallback ready,
                           void *user_data)
{
    eddy_file_make_private_directory_async (to, EDDY_PRIORITY_DEFAULT, cancellable, ready,
                                            user_data);
}

static bool private_finish (EddyAsyncResult *result, EddyError **error)
{
    return eddy_file_make_private_directory_finish (to, result, error);
}

static EddyFuture *private_future (EddyCancellable *cancellable)
{
    return eddy_file_make_private_directory_future (to, EDDY_PRIORITY_DEFAULT, cancellable);
}

static void private_assert_done (void)
{
    ck_assert_uint_eq (place_mode (to_path), S_IFDIR | 0700);
}

/* make_symbolic_link, make_hard_link */

static bool symlink_call (EddyCancellable *cancellable, EddyError **error)
{
    return eddy_file_make_symbolic_link (to, "no\nwhere", cancellable, error);
}

static void symlink_start (EddyCancellable *cancellable, EddyAsyncReadyCallback ready,
                           void *user_data)
{
    char target[] = "no\nwhere";
    eddy_file_make_symbolic_link_async (to, target, EDDY_PRIORITY_DEFAULT, cancellable, ready,
                                        user_data);
    /* The operation has its own copy. */
    memset (target, 'x', sizeof target);
}

static bool symlink_finish (EddyAsyncResult *result, EddyError **error)
{
    return eddy_file_make_symbolic_link_finish (to, result, error);
}

static EddyFuture *symlink_future (EddyCancellable *cancellable)
{
    return eddy_file_make_symbolic_link_future (to, "no\nwhere", EDDY_PRIORITY_DEFAULT,
                                                cancellable);
}

static void symlink_assert_done (void)
{
    char target[16] = "";
    ck_assert_int_eq (readlink (to_path, target, sizeof target), 8);
    ck_assert_str_eq (target, "no\nwhere");
}

static bool link_call (EddyCancellable *cancellable, EddyError **error)
{
    return eddy_file_make_hard_link (from, to, cancellable, error);
}

static void link_start (EddyCancellable *cancellable, EddyAsyncReadyCallback ready, void *user_data)
{
    eddy_file_make_hard_link_async (from, to, EDDY_PRIORITY_DEFAULT, cancellable, ready, user_data);
}

static bool link_finish (EddyAsyncResult *result, EddyError **error)
{
    return eddy_file_make_hard_link_finish (from, result, error);
}

static EddyFuture *link_future (EddyCancellable *cancellable)
{
    return eddy_file_make_hard_link_future (from, to, EDDY_PRIORITY_DEFAULT, cancellable);
}

static void link_assert_done (void)
{
    struct stat status;
    ck_assert_int_eq (lstat (to_path, &status), 0);
    ck_assert_uint_eq (status.st_nlink, 2);
}

/* The folder is a file. */
static void replace_folder (void)
{
    eddy_unref (folder);
    folder = eddy_ref (from);
}

static const Operation operations[] = {
    OPERATION ("copy", copy, copy_assert_done, remove_from, ENOENT),
    OPERATION ("copy to a name that is taken", copy, copy_assert_done, occupy_to, EEXIST),
    OPERATION ("copy_attributes", attributes, attributes_assert_done, remove_from, ENOENT),
    OPERATION ("query_info", info, nothing_to_assert, remove_from, ENOENT),
    OPERATION ("list_children", list, nothing_to_assert, replace_folder, ENOTDIR),
    OPERATION ("load_contents", load, nothing_to_assert, remove_from, ENOENT),
    OPERATION ("delete", delete, delete_assert_done, remove_from, ENOENT),
    OPERATION ("make_directory", directory, directory_assert_done, occupy_to, EEXIST),
    OPERATION ("make_private_directory", private, private_assert_done, occupy_to, EEXIST),
    OPERATION ("make_symbolic_link", symlink, symlink_assert_done, occupy_to, EEXIST),
    OPERATION ("make_hard_link", link, link_assert_done, occupy_to, EEXIST),
};

static const Operations all = { operations, sizeof operations / sizeof operations[0] };

EDDY_TEST (D_file_all_blocking)
{
    form_succeeds (form_blocking, &all, NULL, 0);
    form_fails (form_blocking, &all);
    form_is_cancelled_before (form_blocking, &all);
}

EDDY_TEST (D_file_all_awaited)
{
    form_in_a_context (form_awaited, &all);
}

EDDY_TEST (D_file_all_by_callback)
{
    form_in_a_context (form_callback, &all);
}

EDDY_TEST (D_file_all_as_futures)
{
    form_in_a_context (form_future, &all);
}

/* ---- A long copy ----------------------------------------------------------------------------- */

enum { LONG_COPY = 32 << 20 };

static void place_make_large (void)
{
    char *zeros = calloc (1, LONG_COPY);
    place_begin ();
    place_write (from_path, zeros, LONG_COPY);
    free (zeros);
}

typedef struct Progress {
    pthread_t thread;
    int n_calls;
    int64_t current;
    int64_t total;
    EddyCancellable *cancellable; /* cancelled at the first call; or NULL */
    bool has_ended;
} Progress;

static void progress_told (int64_t current_num_bytes, int64_t total_num_bytes, void *user_data)
{
    Progress *progress = user_data;
    ck_assert (pthread_equal (progress->thread, pthread_self ()));
    ck_assert (!progress->has_ended);
    ck_assert_int_ge (current_num_bytes, progress->current);
    progress->n_calls++;
    progress->current = current_num_bytes;
    progress->total = total_num_bytes;
    eddy_cancellable_cancel (progress->cancellable);
}

typedef struct LongCopy {
    Progress progress;
    EddyMainLoop *loop;
    EddyError *error;
    bool is_done;
} LongCopy;

static void long_copy_ready (void *source_object, EddyAsyncResult *result, void *user_data)
{
    LongCopy *copy = user_data;
    copy->progress.has_ended = true;
    copy->is_done = eddy_file_copy_finish (source_object, result, &copy->error);
    eddy_main_loop_quit (copy->loop);
}

static LongCopy long_copy_run (EddyContext *context, EddyCancellable *cancellable)
{
    LongCopy copy = { .loop = eddy_main_loop_new (context) };
    copy.progress.thread = pthread_self ();
    copy.progress.cancellable = cancellable;
    eddy_file_copy_async (from, to, all_flags, EDDY_PRIORITY_DEFAULT, cancellable, progress_told,
                          &copy.progress, long_copy_ready, &copy);
    eddy_main_loop_run (copy.loop);
    eddy_unref (copy.loop);
    return copy;
}

EDDY_TEST (F10_progress_is_told_in_the_context_and_before_the_end)
{
    EddyContext *context = eddy_test_context_begin ();
    place_make_large ();
    LongCopy copy = long_copy_run (context, NULL);
    ck_assert (copy.is_done);
    ck_assert_int_ge (copy.progress.n_calls, 1);
    ck_assert_int_eq (copy.progress.current, LONG_COPY);
    ck_assert_int_eq (copy.progress.total, LONG_COPY);
    place_end ();
    eddy_test_context_end (context);
}

EDDY_TEST (F2_copy_cancelled_in_the_middle_leaves_nothing)
{
    EddyContext *context = eddy_test_context_begin ();
    int n_cancelled = 0;
    place_make_large ();
    for (int i = 0; i < 10; i++) {
        EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
        LongCopy copy = long_copy_run (context, cancellable);
        /* The cancel may come when the last byte is written; then the copy is whole. */
        if (copy.is_done) {
            ck_assert_int_eq (copy.progress.current, LONG_COPY);
            ck_assert_int_eq (unlink (to_path), 0);
        } else {
            eddy_test_expect_error (&copy.error, EDDY_IO_ERROR_CANCELLED);
            ck_assert_uint_eq (place_mode (to_path), 0);
            n_cancelled++;
        }
    }
    ck_assert_int_gt (n_cancelled, 0);
    place_end ();
    eddy_test_context_end (context);
}

static void *copy_for_ever (void *data, EddyError **error)
{
    (void) data;
    while (eddy_file_copy (from, to, EDDY_FILE_COPY_OVERWRITE, NULL, NULL, NULL, error))
        ;
    return NULL;
}

static void *cancel_later (void *data, EddyError **error)
{
    ck_assert (eddy_fiber_sleep (5000000, error));
    eddy_future_cancel (data);
    return NULL;
}

EDDY_TEST (D_file_copy_ends_with_its_fiber)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    place_make_large ();
    EddyFuture *copier = eddy_spawn (context, copy_for_ever, NULL, NULL);
    EddyFuture *canceller = eddy_spawn (context, cancel_later, copier, NULL);
    ck_assert (!eddy_block_on_complete (context, copier, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    ck_assert (eddy_block_on_complete (context, canceller, &error));
    ck_assert (access (eddy_test_path (".to.eddy~"), F_OK) != 0);
    if (place_mode (to_path) != 0) {
        struct stat status;
        ck_assert_int_eq (stat (to_path, &status), 0);
        ck_assert_int_eq (status.st_size, LONG_COPY);
    }
    eddy_unref (canceller);
    eddy_unref (copier);
    place_end ();
    eddy_test_context_end (context);
}

EDDY_TEST (D_file_unwanted_future_leaves_no_half_file)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyContextStatistics statistics;
    place_make_large ();
    eddy_unref (
        eddy_file_copy_future (from, to, all_flags, EDDY_PRIORITY_DEFAULT, NULL, NULL, NULL));
    do {
        eddy_context_iteration (context, /* may_block= */ false);
        eddy_context_get_statistics (context, &statistics);
    } while (statistics.live_operations > 0);
    struct stat status;
    if (stat (to_path, &status) == 0)
        ck_assert_int_eq (status.st_size, LONG_COPY);
    place_end ();
    eddy_test_context_end (context);
}
