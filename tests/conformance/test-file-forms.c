/* SPDX-License-Identifier: MIT */
/*
 * The operations on names in every form: moving, folders with parents, attributes, enumerators,
 * measuring, file systems, beginnings of files.
 */
#include "file-forms.h"

/* What most forms are: the names of the four functions, then the object and the arguments. */
#define FORMS_OF(prefix, call, async, finish, future, file, ...)                                   \
    static bool prefix##_call (EddyCancellable *cancellable, EddyError **error)                    \
    {                                                                                              \
        return prefix##_check (call (file, ##__VA_ARGS__, cancellable, error));                    \
    }                                                                                              \
    static void prefix##_start (EddyCancellable *cancellable, EddyAsyncReadyCallback ready,        \
                                void *user_data)                                                   \
    {                                                                                              \
        async (file, ##__VA_ARGS__, EDDY_PRIORITY_DEFAULT, cancellable, ready, user_data);         \
    }                                                                                              \
    static bool prefix##_finish (EddyAsyncResult *result, EddyError **error)                       \
    {                                                                                              \
        return prefix##_check (finish (file, result, error));                                      \
    }                                                                                              \
    static EddyFuture *prefix##_future (EddyCancellable *cancellable)                              \
    {                                                                                              \
        return future (file, ##__VA_ARGS__, EDDY_PRIORITY_DEFAULT, cancellable);                   \
    }

/* move */

static bool move_call (EddyCancellable *cancellable, EddyError **error)
{
    return eddy_file_move (from, to, 0, cancellable, NULL, NULL, error);
}

static void move_start (EddyCancellable *cancellable, EddyAsyncReadyCallback ready, void *user_data)
{
    eddy_file_move_async (from, to, 0, EDDY_PRIORITY_DEFAULT, cancellable, NULL, NULL, ready,
                          user_data);
}

static bool move_finish (EddyAsyncResult *result, EddyError **error)
{
    return eddy_file_move_finish (from, result, error);
}

static EddyFuture *move_future (EddyCancellable *cancellable)
{
    return eddy_file_move_future (from, to, 0, EDDY_PRIORITY_DEFAULT, cancellable, NULL, NULL);
}

static void move_assert_done (void)
{
    ck_assert_uint_eq (place_mode (from_path), 0);
    ck_assert_uint_eq (place_mode (to_path), S_IFREG | 0640);
}

/* make_directory_with_parents */

static bool parents_check (bool is_made)
{
    return is_made;
}

FORMS_OF (parents, eddy_file_make_directory_with_parents,
          eddy_file_make_directory_with_parents_async, eddy_file_make_directory_with_parents_finish,
          eddy_file_make_directory_with_parents_future, to)

static void parents_assert_done (void)
{
    ck_assert (S_ISDIR (place_mode (to_path)));
}

/* set_attributes */

static EddyFileInfo *mode_info (void)
{
    static EddyFileInfo *info;
    if (info == NULL) {
        info = eddy_file_info_new ();
        eddy_file_info_set_mode (info, 0604);
    }
    return info;
}

static bool set_check (bool is_set)
{
    return is_set;
}

FORMS_OF (set, eddy_file_set_attributes, eddy_file_set_attributes_async,
          eddy_file_set_attributes_finish, eddy_file_set_attributes_future, from, mode_info (), 0)

static void set_assert_done (void)
{
    ck_assert_uint_eq (place_mode (from_path), S_IFREG | 0604);
}

/* query_filesystem_info */

static bool filesystem_check (EddyFilesystemInfo *info)
{
    if (info == NULL)
        return false;
    ck_assert_uint_gt (eddy_filesystem_info_get_size (info), 0);
    eddy_unref (info);
    return true;
}

FORMS_OF (filesystem, eddy_file_query_filesystem_info, eddy_file_query_filesystem_info_async,
          eddy_file_query_filesystem_info_finish, eddy_file_query_filesystem_info_future, from)

/* enumerate_children */

static bool enumerate_check (EddyFileEnumerator *enumerator)
{
    if (enumerator == NULL)
        return false;
    ck_assert (eddy_file_enumerator_close (enumerator, NULL, NULL));
    eddy_unref (enumerator);
    return true;
}

FORMS_OF (enumerate, eddy_file_enumerate_children, eddy_file_enumerate_children_async,
          eddy_file_enumerate_children_finish, eddy_file_enumerate_children_future, folder, 0)

/* The folder is a file. */
static void replace_folder (void)
{
    eddy_unref (folder);
    folder = eddy_ref (from);
}

static const Operation jobs[] = {
    OPERATION ("move", move, move_assert_done, remove_from, ENOENT),
    OPERATION ("move to a name that is taken", move, move_assert_done, occupy_to, EEXIST),
    OPERATION ("make_directory_with_parents", parents, parents_assert_done, occupy_to, EEXIST),
    OPERATION ("set_attributes", set, set_assert_done, remove_from, ENOENT),
    OPERATION ("query_filesystem_info", filesystem, nothing_to_assert, remove_from, ENOENT),
};

static const Operations all = { jobs, sizeof jobs / sizeof jobs[0] };

EDDY_TEST (D_file_names_blocking)
{
    form_succeeds (form_blocking, &all, NULL, 0);
    form_fails (form_blocking, &all);
    form_is_cancelled_before (form_blocking, &all);
    eddy_unref (mode_info ());
}

static void in_a_context (Form form)
{
    form_in_a_context (form, &all);
    eddy_unref (mode_info ());
}

EDDY_TEST (D_file_names_awaited)
{
    in_a_context (form_awaited);
}

EDDY_TEST (D_file_names_by_callback)
{
    in_a_context (form_callback);
}

EDDY_TEST (D_file_names_as_futures)
{
    in_a_context (form_future);
}

/* ---- Those that are no single job ------------------------------------------------------------ */

static bool goes_on (const char *file_contents, int64_t file_size, void *callback_data)
{
    (void) callback_data;
    return file_contents[file_size - 1] != 'e';
}

static bool partial_check (EddyBytes *bytes)
{
    if (bytes == NULL)
        return false;
    ck_assert_str_eq (eddy_bytes_get_data (bytes), "one file");
    eddy_unref (bytes);
    return true;
}

static bool partial_call (EddyCancellable *cancellable, EddyError **error)
{
    return partial_check (
        eddy_file_load_partial_contents (from, cancellable, goes_on, NULL, error));
}

static void partial_start (EddyCancellable *cancellable, EddyAsyncReadyCallback ready,
                           void *user_data)
{
    eddy_file_load_partial_contents_async (from, EDDY_PRIORITY_DEFAULT, cancellable, goes_on, NULL,
                                           ready, user_data);
}

static bool partial_finish (EddyAsyncResult *result, EddyError **error)
{
    return partial_check (eddy_file_load_partial_contents_finish (from, result, error));
}

static EddyFuture *partial_future (EddyCancellable *cancellable)
{
    return eddy_file_load_partial_contents_future (from, EDDY_PRIORITY_DEFAULT, cancellable,
                                                   goes_on, NULL);
}

/* measure_disk_usage */

static bool measure_call (EddyCancellable *cancellable, EddyError **error)
{
    uint64_t dirs = 0;
    bool is_done =
        eddy_file_measure_disk_usage (from, 0, cancellable, NULL, NULL, NULL, &dirs, NULL, error);
    ck_assert_uint_eq (dirs, 0);
    return is_done;
}

static void measure_start (EddyCancellable *cancellable, EddyAsyncReadyCallback ready,
                           void *user_data)
{
    eddy_file_measure_disk_usage_async (from, 0, EDDY_PRIORITY_DEFAULT, cancellable, NULL, NULL,
                                        ready, user_data);
}

static bool measure_finish (EddyAsyncResult *result, EddyError **error)
{
    uint64_t files = 0;
    bool is_done = eddy_file_measure_disk_usage_finish (from, result, NULL, NULL, &files, error);
    ck_assert_uint_eq (files, is_done);
    return is_done;
}

static EddyFuture *measure_future (EddyCancellable *cancellable)
{
    return eddy_file_measure_disk_usage_future (from, 0, EDDY_PRIORITY_DEFAULT, cancellable, NULL,
                                                NULL);
}

/* The close of an enumerator: it cannot fail, and is not cancelled. */

static EddyFileEnumerator *opened;

static bool close_check (bool is_closed)
{
    ck_assert (eddy_file_enumerator_is_closed (opened));
    eddy_clear (&opened);
    return is_closed;
}

static EddyFileEnumerator *enumerator_open (void)
{
    opened = eddy_file_enumerate_children (folder, 0, NULL, NULL);
    return opened;
}

static bool close_call (EddyCancellable *cancellable, EddyError **error)
{
    return close_check (eddy_file_enumerator_close (enumerator_open (), cancellable, error));
}

static void close_start (EddyCancellable *cancellable, EddyAsyncReadyCallback ready,
                         void *user_data)
{
    eddy_file_enumerator_close_async (enumerator_open (), EDDY_PRIORITY_DEFAULT, cancellable, ready,
                                      user_data);
}

static bool close_finish (EddyAsyncResult *result, EddyError **error)
{
    return close_check (eddy_file_enumerator_close_finish (opened, result, error));
}

static EddyFuture *close_future (EddyCancellable *cancellable)
{
    return eddy_file_enumerator_close_future (enumerator_open (), EDDY_PRIORITY_DEFAULT,
                                              cancellable);
}

static void close_assert_done (void)
{
    eddy_clear (&opened);
}

static const Operation waiting[] = {
    /* It is closed again, which is a job of its own in a fiber. */
    OPERATION ("enumerate_children", enumerate, nothing_to_assert, replace_folder, ENOTDIR),
    OPERATION ("load_partial_contents", partial, nothing_to_assert, remove_from, ENOENT),
    OPERATION ("measure_disk_usage", measure, nothing_to_assert, remove_from, ENOENT),
};

static const Operation closing[] = {
    OPERATION ("close", close, close_assert_done, nothing_to_assert, 0),
};

static void in_every_way (Form form)
{
    const Operations some = { waiting, sizeof waiting / sizeof waiting[0] };
    const Operations close = { closing, 1 };
    form_succeeds (form, &some, NULL, 0);
    form_fails (form, &some);
    form_is_cancelled_before (form, &some);
    form_succeeds (form, &close, NULL, 0);
}

EDDY_TEST (D_file_names_that_wait_in_every_form)
{
    const Form forms[] = { form_awaited, form_callback, form_future };
    in_every_way (form_blocking);
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        EddyContext *context = eddy_test_context_begin ();
        in_every_way (forms[i]);
        eddy_test_context_end (context);
    }
}
