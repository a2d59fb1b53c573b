/* SPDX-License-Identifier: MIT */
/*
 * Reading a folder some files at a time: in the folder's order, nothing twice and nothing lost,
 * whatever is cancelled meanwhile; by one operation at a time, until it is closed.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <eddy/testing.h>

#include "context.h"

enum { MOST_FILES = 256, NAME_SIZE = 256 };

/* What the C library reads from the test's folder: names in its order. */
typedef struct Names {
    size_t length;
    char names[MOST_FILES][NAME_SIZE];
} Names;

static Names expected;

static void names_add (Names *names, const char *name)
{
    ck_assert_uint_lt (names->length, MOST_FILES);
    snprintf (names->names[names->length++], NAME_SIZE, "%s", name);
}

static void folder_fill (size_t n_files)
{
    char name[NAME_SIZE];
    for (size_t i = 0; i < n_files; i++) {
        snprintf (name, sizeof name, "file-%zu", i);
        int fd = open (eddy_test_path (name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        ck_assert_int_ge (fd, 0);
        ck_assert_int_eq (ftruncate (fd, (off_t) i), 0);
        close (fd);
    }
    DIR *folder = opendir (eddy_test_directory ());
    expected.length = 0;
    for (const struct dirent *entry; (entry = readdir (folder)) != NULL;)
        if (entry->d_name[0] != '.')
            names_add (&expected, entry->d_name);
    closedir (folder);
    ck_assert_uint_eq (expected.length, n_files);
}

static void names_expect (const Names *names)
{
    ck_assert_uint_eq (names->length, expected.length);
    for (size_t i = 0; i < expected.length; i++)
        ck_assert_str_eq (names->names[i], expected.names[i]);
}

static EddyFileEnumerator *enumerator_open (EddyFileQueryInfoFlags flags)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddyFile) folder = eddy_file_new_for_path (eddy_test_directory ());
    EddyFileEnumerator *enumerator = eddy_file_enumerate_children (folder, flags, NULL, &error);
    ck_assert_ptr_null (error);
    ck_assert_ptr_eq (eddy_file_enumerator_get_container (enumerator), folder);
    return enumerator;
}

/* Adds the names of a list, and gives it up; whether it had any. */
static bool names_take (Names *names, EddyFileInfoList *list)
{
    size_t length = eddy_file_info_list_get_length (list);
    for (size_t i = 0; i < length; i++) {
        const EddyFileInfo *info = eddy_file_info_list_get (list, i);
        long size = strtol (eddy_file_info_get_name (info) + 5, NULL, 10);
        ck_assert_int_eq (eddy_file_info_get_size (info), size);
        names_add (names, eddy_file_info_get_name (info));
    }
    eddy_unref (list);
    return length > 0;
}

/* ---- One operation at a time, and the end ---------------------------------------------------- */

EDDY_TEST (F16_gives_as_many_as_asked_for_and_none_at_the_end)
{
    EddyError *error = NULL;
    folder_fill (10);
    EDDY_AUTO (EddyFileEnumerator) enumerator = enumerator_open (0);
    static const size_t asked[] = { 0, 1, 4, 4, 4, 4, SIZE_MAX };
    static const size_t given[] = { 0, 1, 4, 4, 1, 0, 0 };
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        EDDY_AUTO (EddyFileInfoList)
        list = eddy_file_enumerator_next_files (enumerator, asked[i], NULL, &error);
        ck_assert_ptr_nonnull (list);
        ck_assert_uint_eq (eddy_file_info_list_get_length (list), given[i]);
    }
}

typedef struct Ended {
    EddyFileInfoList *list;
    EddyError *error;
    int calls;
} Ended;

static void next_ended (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Ended *ended = user_data;
    ended->calls++;
    ended->list = eddy_file_enumerator_next_files_finish (source_object, result, &ended->error);
}

EDDY_TEST (F16_a_second_operation_is_refused_and_the_first_not_disturbed)
{
    EddyContext *context = eddy_test_context_begin ();
    Ended first = { 0 }, second = { 0 };
    folder_fill (10);
    EddyFileEnumerator *enumerator = enumerator_open (0);
    eddy_file_enumerator_next_files_async (enumerator, 4, EDDY_PRIORITY_DEFAULT, NULL, next_ended,
                                           &first);
    eddy_file_enumerator_next_files_async (enumerator, 4, EDDY_PRIORITY_DEFAULT, NULL, next_ended,
                                           &second);
    while (second.calls == 0)
        eddy_context_iteration (context, /* may_block= */ true);
    ck_assert_ptr_null (second.list);
    ck_assert_int_eq (strncmp (eddy_error_get_message (second.error), eddy_test_directory (),
                               strlen (eddy_test_directory ())),
                      0);
    eddy_test_expect_error (&second.error, EDDY_IO_ERROR_PENDING);
    while (first.calls == 0)
        eddy_context_iteration (context, /* may_block= */ true);
    ck_assert_uint_eq (eddy_file_info_list_get_length (first.list), 4);
    ck_assert (!eddy_file_enumerator_has_pending (enumerator));
    eddy_unref (first.list);
    eddy_unref (enumerator);
    eddy_test_context_end (context);
}

static void *close_while_reading (void *data, EddyError **error)
{
    EddyFileEnumerator *enumerator = data;
    EddyFuture *next =
        eddy_file_enumerator_next_files_future (enumerator, 4, EDDY_PRIORITY_DEFAULT, NULL);
    while (!eddy_file_enumerator_has_pending (enumerator))
        eddy_fiber_yield ();
    EddyError *refused = NULL;
    ck_assert (!eddy_file_enumerator_close (enumerator, NULL, &refused));
    eddy_test_expect_error (&refused, EDDY_IO_ERROR_PENDING);
    ck_assert (!eddy_file_enumerator_is_closed (enumerator));
    EddyFileInfoList *list = eddy_await (next, error);
    ck_assert_uint_eq (eddy_file_info_list_get_length (list), 4);
    eddy_unref (next); /* with the list */
    ck_assert (eddy_file_enumerator_close (enumerator, NULL, error));
    return data;
}

EDDY_TEST (F16_is_not_closed_while_an_operation_is_under_way)
{
    EddyContext *context = eddy_test_context_begin ();
    folder_fill (10);
    EddyFileEnumerator *enumerator = enumerator_open (0);
    eddy_test_run_fiber (context, close_while_reading, enumerator);
    ck_assert (eddy_file_enumerator_is_closed (enumerator));
    eddy_unref (enumerator);
    eddy_test_context_end (context);
}

EDDY_TEST (F16_says_closed_and_may_be_closed_again)
{
    EddyError *error = NULL;
    folder_fill (3);
    EDDY_AUTO (EddyFileEnumerator) enumerator = enumerator_open (0);
    ck_assert (!eddy_file_enumerator_is_closed (enumerator));
    for (int i = 0; i < 2; i++)
        ck_assert (eddy_file_enumerator_close (enumerator, NULL, &error));
    ck_assert (eddy_file_enumerator_is_closed (enumerator));
    ck_assert_ptr_null (eddy_file_enumerator_next_files (enumerator, 1, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
}

static bool has_open_folder (void)
{
    char target[4096];
    DIR *folder = opendir ("/proc/self/fd");
    bool found = false;
    for (const struct dirent *entry; (entry = readdir (folder)) != NULL;) {
        ssize_t length = readlinkat (dirfd (folder), entry->d_name, target, sizeof target - 1);
        target[length < 0 ? 0 : length] = '\0';
        found = found || strcmp (target, eddy_test_directory ()) == 0;
    }
    closedir (folder);
    return found;
}

EDDY_TEST (F16_is_closed_when_it_is_let_go_of)
{
    folder_fill (3);
    EddyFileEnumerator *enumerator = enumerator_open (0);
    ck_assert (has_open_folder ());
    eddy_unref (enumerator);
    /* By a worker: the watchdog ends this when it never is. */
    while (has_open_folder ())
        usleep (1000);
}

EDDY_TEST (F16_opens_folders_only)
{
    EddyError *error = NULL;
    folder_fill (1);
    EDDY_AUTO (EddyFile) file = eddy_file_new_for_path (eddy_test_path ("file-0"));
    ck_assert_ptr_null (eddy_file_enumerate_children (file, 0, NULL, &error));
    ck_assert_int_eq (strncmp (eddy_error_get_message (error), eddy_file_get_path (file),
                               strlen (eddy_file_get_path (file))),
                      0);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_DIRECTORY);
}

/* ---- Order, and what is not lost ------------------------------------------------------------- */

EDDY_TEST (F17_files_come_in_the_order_of_the_folder)
{
    for (size_t batch = 1; batch < 300; batch = batch * 3 + 1) {
        EddyError *error = NULL;
        Names names = { 0 };
        folder_fill (200);
        EDDY_AUTO (EddyFileEnumerator) enumerator = enumerator_open (0);
        while (
            names_take (&names, eddy_file_enumerator_next_files (enumerator, batch, NULL, &error)))
            ;
        ck_assert_ptr_null (error);
        names_expect (&names);
    }
}

/* Reads by so many at once to the end; false on failure. */
static bool read_on (EddyFileEnumerator *enumerator, size_t batch, Names *names, EddyError **error)
{
    EddyFileInfoList *list;
    do
        list = eddy_file_enumerator_next_files (enumerator, batch, NULL, error);
    while (list != NULL && names_take (names, list));
    return list != NULL;
}

/* Whoever comes after a cancelled reader finds the rest. */
static void *read_and_be_cancelled (void *data, EddyError **error)
{
    Names *names = data;
    names->length = 0;
    EDDY_AUTO (EddyFile) folder = eddy_file_new_for_path (eddy_test_directory ());
    EDDY_AUTO (EddyFileEnumerator)
    enumerator = eddy_file_enumerate_children (folder, 0, NULL, error);
    if (enumerator == NULL)
        return NULL;
    bool is_whole = read_on (enumerator, 40, names, error);
    EDDY_SHIELD (-1)
    {
        ck_assert (!eddy_file_enumerator_has_pending (enumerator));
        ck_assert (is_whole || read_on (enumerator, 7, names, NULL));
        ck_assert (eddy_file_enumerator_close (enumerator, NULL, NULL));
    }
    names_expect (names);
    return is_whole ? data : NULL;
}

EDDY_TEST (F17_a_cancel_loses_nothing)
{
    Names names;
    EddyTestCancelReport report;
    folder_fill (200);
    bool good = eddy_test_cancel_everywhere (read_and_be_cancelled, &names, NULL, &report);
    ck_assert_msg (good, "%s", report.failure);
    ck_assert_uint_gt (report.cancelled, 10);
}

/* ---- What the infos say ---------------------------------------------------------------------- */

static EddyFileType link_type (EddyFileQueryInfoFlags flags, const char *target)
{
    EddyError *error = NULL;
    ck_assert_int_eq (symlink (target, eddy_test_path ("link")), 0);
    EDDY_AUTO (EddyFileEnumerator) enumerator = enumerator_open (flags);
    EDDY_AUTO (EddyFileInfoList)
    list = eddy_file_enumerator_next_files (enumerator, 9, NULL, &error);
    ck_assert_uint_eq (eddy_file_info_list_get_length (list), 1);
    ck_assert_int_eq (unlink (eddy_test_path ("link")), 0);
    return eddy_file_info_get_file_type (eddy_file_info_list_get (list, 0));
}

EDDY_TEST (D_file_enumerator_follows_links_as_asked)
{
    ck_assert_int_eq (link_type (0, "."), EDDY_FILE_TYPE_DIRECTORY);
    ck_assert_int_eq (link_type (0, "nowhere"), EDDY_FILE_TYPE_SYMBOLIC_LINK);
    ck_assert_int_eq (link_type (EDDY_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS, "."),
                      EDDY_FILE_TYPE_SYMBOLIC_LINK);
}

EDDY_TEST (D_file_enumerator_gives_its_files)
{
    EddyError *error = NULL;
    folder_fill (1);
    EDDY_AUTO (EddyFileEnumerator) enumerator = enumerator_open (0);
    EDDY_AUTO (EddyFileInfoList)
    list = eddy_file_enumerator_next_files (enumerator, 9, NULL, &error);
    EDDY_AUTO (EddyFile)
    child = eddy_file_enumerator_get_child (enumerator, eddy_file_info_list_get (list, 0));
    ck_assert_str_eq (eddy_file_get_path (child), eddy_test_path ("file-0"));
}

/* ---- As a sequence --------------------------------------------------------------------------- */

static void *read_sequence (void *data, EddyError **error)
{
    Names *names = data;
    EDDY_AUTO (EddyFileEnumerator) enumerator = enumerator_open (0);
    EDDY_AUTO (EddySequence) sequence = eddy_file_enumerator_to_sequence (enumerator);
    EddyFileInfo *info;
    while ((info = eddy_sequence_next (sequence, NULL, error)) != NULL) {
        names_add (names, eddy_file_info_get_name (info));
        eddy_unref (info);
    }
    ck_assert (eddy_sequence_has_ended (sequence));
    return data;
}

EDDY_TEST (D_file_enumerator_is_a_sequence)
{
    EddyContext *context = eddy_test_context_begin ();
    Names names = { 0 };
    folder_fill (200);
    eddy_test_run_fiber (context, read_sequence, &names);
    names_expect (&names);
    eddy_test_context_end (context);
}

EDDY_TEST (D_file_enumerator_ends_with_a_dropped_sequence)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    folder_fill (3);
    EddyFileEnumerator *enumerator = enumerator_open (0);
    EddySequence *sequence = eddy_file_enumerator_to_sequence (enumerator);
    eddy_unref (enumerator);
    EddyFileInfo *info = eddy_sequence_next (sequence, NULL, &error);
    ck_assert_ptr_nonnull (info);
    eddy_unref (info);
    eddy_unref (sequence);
    while (has_open_folder ())
        usleep (1000);
    eddy_test_context_end (context);
}
