/* SPDX-License-Identifier: MIT */
/*
 * Everything that takes more than one step, cancelled at each point that it has. What it was to do
 * is done or undone, never half: no file of its own is left, the old one is whole, no fd, no lock.
 */
#include <eddy/testing.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "context.h"

static void expect_good (EddyFiberFunc function, void *data, EddyTestCheckFunc check,
                         EddyTestCancelReport *report)
{
    bool good = eddy_test_cancel_everywhere (function, data, check, report);
    ck_assert_msg (good, "%s", report->failure);
    ck_assert_uint_ge (report->points, 1);
    ck_assert_uint_eq (report->points, report->cancelled + report->completed);
}

/* ---- the harness itself ---------------------------------------------------------------------- */

typedef struct Waits {
    int fds[2];
    int started;
    int done;
    int checked;
} Waits;

static void *wait_twice (void *data, EddyError **error)
{
    Waits *waits = data;
    waits->started++;
    if (eddy_fiber_sleep (1000, error) && eddy_fiber_sleep (1000, error))
        waits->done++;
    return NULL;
}

static void check_waits (void *data, bool cancelled, uint32_t point)
{
    Waits *waits = data;
    ck_assert_int_eq (waits->started, 1);
    ck_assert_int_eq (waits->done, cancelled ? 0 : 1);
    ck_assert (point != EDDY_TEST_NO_POINT || !cancelled);
    waits->started = waits->done = 0;
    waits->checked++;
}

/* Two waits: before the first turn, then parked, about to go on, parked, about to go on; and the
 * look that the fiber takes when it begins to follow what it was started with. */
EDDY_TEST (D_testing_comes_to_every_point_once)
{
    Waits waits = { .done = 0 };
    EddyTestCancelReport report;
    expect_good (wait_twice, &waits, check_waits, &report);
    ck_assert_uint_eq (report.points, 6);
    ck_assert_uint_ge (report.cancelled, 3);
    /* Each point, once without a cancel, and once more to see that there is no further one. */
    ck_assert_uint_eq ((unsigned) waits.checked, report.points + 2);
}

static void *leave_fd (void *data, EddyError **error)
{
    int fd = dup (0);
    if (!eddy_fiber_sleep (1000, error) && *(int *) data == 0)
        *(int *) data = fd;
    else
        close (fd);
    return NULL;
}

static void *say_something_else (void *data, EddyError **error)
{
    (void) data;
    if (!eddy_fiber_sleep (1000, NULL))
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_FAILED, "it did not work");
    return NULL;
}

EDDY_TEST (D_testing_tells_what_is_wrong)
{
    EddyTestCancelReport report;
    int left = 0;
    ck_assert (!eddy_test_cancel_everywhere (leave_fd, &left, NULL, &report));
    ck_assert_ptr_nonnull (strstr (report.failure, "fds are open"));
    ck_assert_int_eq (close (left), 0);
    ck_assert (!eddy_test_cancel_everywhere (say_something_else, NULL, NULL, &report));
    ck_assert_ptr_nonnull (strstr (report.failure, "it did not work"));
    ck_assert (!eddy_test_cancel_everywhere (say_something_else, NULL, NULL, NULL));
}

/* ---- operations that are no compounds -------------------------------------------------------- */

/* A byte is read or still there: no cancel takes one away. */
static void *read_byte (void *data, EddyError **error)
{
    Waits *waits = data;
    char byte;
    ssize_t count = eddy_fd_read (waits->fds[0], &byte, 1, -1, NULL, error);
    ck_assert (count == 1 || *error != NULL);
    waits->done += (int) (count == 1);
    return NULL;
}

static void *write_byte (void *data, EddyError **error)
{
    const Waits *waits = data;
    if (!eddy_fiber_sleep (200000, error))
        return NULL;
    (void) !write (waits->fds[1], "x", 1);
    return NULL;
}

static void *read_what_another_fiber_writes (void *data, EddyError **error)
{
    EddyFuture *writer = eddy_spawn_local (write_byte, data, NULL);
    read_byte (data, error);
    eddy_unref (writer);
    return NULL;
}

static void check_byte (void *data, bool cancelled, uint32_t point)
{
    Waits *waits = data;
    int left = 0;
    char byte;
    (void) point;
    while (read (waits->fds[0], &byte, 1) == 1)
        left++;
    ck_assert_int_le (left + waits->done, 1);
    ck_assert_int_eq (waits->done, cancelled ? 0 : 1);
    waits->done = 0;
}

EDDY_TEST (D_testing_no_byte_is_lost)
{
    Waits waits = { .done = 0 };
    EddyTestCancelReport report;
    ck_assert_int_eq (pipe2 (waits.fds, O_NONBLOCK | O_CLOEXEC), 0);
    expect_good (read_what_another_fiber_writes, &waits, check_byte, &report);
    ck_assert_uint_ge (report.cancelled, 3);
    close (waits.fds[0]);
    close (waits.fds[1]);
}

static void *group_child (void *data, EddyError **error)
{
    Waits *waits = data;
    waits->started++;
    eddy_fiber_sleep (1000, error);
    waits->done++;
    return NULL;
}

static void *run_group (void *data, EddyError **error)
{
    EddyGroup *group = eddy_group_new ();
    eddy_group_set_limit (group, 2);
    for (int i = 0; i < 4; i++)
        if (!eddy_group_spawn (group, group_child, data, NULL, NULL))
            break;
    eddy_group_wait (group, error);
    eddy_unref (group);
    if (*error == NULL)
        eddy_fiber_sleep (0, error);
    return NULL;
}

static void check_group (void *data, bool cancelled, uint32_t point)
{
    Waits *waits = data;
    (void) point;
    ck_assert_int_eq (waits->started, waits->done);
    ck_assert (cancelled || waits->done == 4);
    waits->started = waits->done = 0;
}

EDDY_TEST (D_testing_group_waits_for_every_child)
{
    Waits waits = { .done = 0 };
    EddyTestCancelReport report;
    expect_good (run_group, &waits, check_group, &report);
    ck_assert_uint_ge (report.cancelled, 4);
}

typedef struct Call {
    bool done;
    EddyError *error;
    EddyFuture *told;
} Call;

static void call_ready (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Call *call = user_data;
    eddy_unref (eddy_file_query_info_finish (source_object, result, &call->error));
    call->done = true;
}

/* By callback, from a fiber that waits for something else meanwhile. */
static void *call_back (void *data, EddyError **error)
{
    Call call = { .done = false };
    EddyFile *file = eddy_file_new_for_path (data);
    eddy_file_query_info_async (file, EDDY_FILE_QUERY_INFO_NONE, EDDY_PRIORITY_DEFAULT, NULL,
                                call_ready, &call);
    while (!call.done)
        eddy_fiber_yield ();
    eddy_error_take (error, call.error);
    eddy_unref (file);
    return NULL;
}

EDDY_TEST (D_testing_callbacks_are_points)
{
    EddyTestCancelReport report;
    char path[] = "/";
    ck_assert_msg (eddy_test_cancel_everywhere (call_back, path, NULL, &report), "%s",
                   report.failure);
    ck_assert_uint_ge (report.points, 3);
}

/* ---- files ----------------------------------------------------------------------------------- */

enum { LARGE = 3 << 20 }; /* so that a body looks at its cancellable more than once */

typedef struct Place {
    EddyFile *folder, *from, *to;
    char from_path[4096], to_path[4096];
    EddyFileCopyFlags flags;
    bool replaces;
    off_t length; /* of what is copied */
} Place;

static void place_write (const char *path, char byte, size_t length)
{
    static char buffer[1 << 16];
    int fd = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_int_ge (fd, 0);
    memset (buffer, byte, sizeof buffer);
    for (size_t done = 0; done < length;) {
        size_t wanted = length - done < sizeof buffer ? length - done : sizeof buffer;
        ck_assert_int_eq (write (fd, buffer, wanted), (ssize_t) wanted);
        done += wanted;
    }
    close (fd);
}

/* Whether a file is whole, all of one byte; one that does not exist is not. */
static bool place_is_whole (const char *path, char byte, off_t length)
{
    struct stat status;
    char first = 0, last = 0;
    int fd = open (path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool whole = fstat (fd, &status) == 0 && status.st_size == length &&
                 pread (fd, &first, 1, 0) == 1 && pread (fd, &last, 1, length - 1) == 1 &&
                 first == byte && last == byte;
    /* Nobody holds a lock on it. */
    ck_assert_int_eq (flock (fd, LOCK_EX | LOCK_NB), 0);
    close (fd);
    return whole;
}

static void place_begin (Place *place, off_t length)
{
    *place = (Place){ .flags = EDDY_FILE_COPY_NONE, .length = length };
    snprintf (place->from_path, sizeof place->from_path, "%s", eddy_test_path ("from"));
    snprintf (place->to_path, sizeof place->to_path, "%s", eddy_test_path ("to"));
    place->folder = eddy_file_new_for_path (eddy_test_directory ());
    place->from = eddy_file_get_child (place->folder, "from");
    place->to = eddy_file_get_child (place->folder, "to");
    place_write (place->from_path, 'n', (size_t) length);
}

static void place_end (Place *place)
{
    eddy_unref (place->folder);
    eddy_unref (place->from);
    eddy_unref (place->to);
}

static void *copy (void *data, EddyError **error)
{
    const Place *place = data;
    eddy_file_copy (place->from, place->to, place->flags, NULL, NULL, NULL, error);
    return NULL;
}

static void check_copy (void *data, bool cancelled, uint32_t point)
{
    Place *place = data;
    (void) point;
    ck_assert (place_is_whole (place->from_path, 'n', place->length));
    if (!cancelled)
        ck_assert (place_is_whole (place->to_path, 'n', place->length));
    else if (place->replaces)
        ck_assert (place_is_whole (place->to_path, 'o', 1000));
    ck_assert_int_eq (eddy_test_count_names (eddy_test_directory ()),
                      1 + (place->replaces || !cancelled ? 1 : 0));
    if (place->replaces)
        place_write (place->to_path, 'o', 1000);
    else
        unlink (place->to_path);
}

EDDY_TEST (D_testing_copy_of_a_new_file)
{
    Place place;
    EddyTestCancelReport report;
    place_begin (&place, LARGE);
    expect_good (copy, &place, check_copy, &report);
    ck_assert_uint_ge (report.cancelled, 5);
    place_end (&place);
}

EDDY_TEST (D_testing_copy_over_a_file)
{
    Place place;
    EddyTestCancelReport report;
    place_begin (&place, LARGE);
    place.flags = EDDY_FILE_COPY_OVERWRITE | EDDY_FILE_COPY_ALL_METADATA;
    place.replaces = true;
    place_write (place.to_path, 'o', 1000);
    expect_good (copy, &place, check_copy, &report);
    ck_assert_uint_ge (report.cancelled, 6);
    place_end (&place);
}

/* Two threads copy; which of them looks first is chance, but every look is reached. */
EDDY_TEST_TIMEOUT (D_testing_copy_of_a_huge_file, 60)
{
    Place place;
    EddyTestCancelReport report;
    place_begin (&place, 33 << 20);
    expect_good (copy, &place, check_copy, &report);
    ck_assert_uint_ge (report.cancelled, 20);
    place_end (&place);
}

/* ---- a tree, which a program copies by operations of its own --------------------------------- */

typedef struct Tree {
    EddyFile *from, *to;
} Tree;

static void tree_free (void *data)
{
    Tree *tree = data;
    eddy_unref (tree->from);
    eddy_unref (tree->to);
    free (tree);
}

static Tree *tree_new (const Tree *parent, const char *name)
{
    Tree *tree = malloc (sizeof *tree);
    ck_assert_ptr_nonnull (tree);
    *tree =
        (Tree){ eddy_file_get_child (parent->from, name), eddy_file_get_child (parent->to, name) };
    return tree;
}

static void *tree_copy_file (void *data, EddyError **error)
{
    const Tree *tree = data;
    eddy_file_copy (tree->from, tree->to, EDDY_FILE_COPY_ALL_METADATA, NULL, NULL, NULL, error);
    return NULL;
}

/* Everything in a folder at once; the folder is done when all of that is. */
static void *tree_copy (void *data, EddyError **error)
{
    const Tree *tree = data;
    if (!eddy_file_make_directory (tree->to, NULL, error))
        return NULL;
    EddyFileInfoList *list = eddy_file_list_children (tree->from, NULL, error);
    if (list == NULL)
        return NULL;
    EddyGroup *group = eddy_group_new ();
    for (size_t i = 0; i < eddy_file_info_list_get_length (list); i++) {
        const EddyFileInfo *info = eddy_file_info_list_get (list, i);
        bool is_folder = eddy_file_info_get_file_type (info) == EDDY_FILE_TYPE_DIRECTORY;
        if (!eddy_group_spawn (group, is_folder ? tree_copy : tree_copy_file,
                               tree_new (tree, eddy_file_info_get_name (info)), tree_free, NULL))
            break;
    }
    eddy_group_wait (group, error);
    eddy_unref (group);
    eddy_unref (list);
    if (*error == NULL)
        eddy_cancellable_set_error_if_cancelled (eddy_fiber_get_cancellable (), error);
    return NULL;
}

static const char *const tree_files[] = { "one", "below/two", "below/three", "below/deep/four" };
static const char *const tree_folders[] = { "below/deep", "below", "" };

/* Each file of the copy is whole or not there; then all of the copy is removed. */
static void check_tree (void *data, bool cancelled, uint32_t point)
{
    char path[64];
    (void) data, (void) point;
    for (size_t i = 0; i < sizeof tree_files / sizeof *tree_files; i++) {
        snprintf (path, sizeof path, "tree-copy/%s", tree_files[i]);
        bool whole = place_is_whole (eddy_test_path (path), 't', 1000);
        ck_assert (whole || cancelled);
        ck_assert_int_eq (unlink (eddy_test_path (path)) == 0, whole);
    }
    /* Whatever else were there would keep a folder from going. */
    for (size_t i = 0; i < sizeof tree_folders / sizeof *tree_folders; i++) {
        snprintf (path, sizeof path, "tree-copy/%s", tree_folders[i]);
        bool gone = rmdir (eddy_test_path (path)) == 0;
        ck_assert (gone || cancelled);
    }
    ck_assert_int_ne (access (eddy_test_path ("tree-copy"), F_OK), 0);
}

EDDY_TEST (D_testing_copy_of_a_tree)
{
    EddyTestCancelReport report;
    ck_assert_int_eq (mkdir (eddy_test_path ("tree"), 0700), 0);
    ck_assert_int_eq (mkdir (eddy_test_path ("tree/below"), 0700), 0);
    ck_assert_int_eq (mkdir (eddy_test_path ("tree/below/deep"), 0700), 0);
    for (size_t i = 0; i < sizeof tree_files / sizeof *tree_files; i++) {
        char path[64];
        snprintf (path, sizeof path, "tree/%s", tree_files[i]);
        place_write (eddy_test_path (path), 't', 1000);
    }
    Tree tree = { eddy_file_new_for_path (eddy_test_path ("tree")),
                  eddy_file_new_for_path (eddy_test_path ("tree-copy")) };
    expect_good (tree_copy, &tree, check_tree, &report);
    ck_assert_uint_ge (report.cancelled, 20);
    eddy_unref (tree.from);
    eddy_unref (tree.to);
}

static void *load (void *data, EddyError **error)
{
    const Place *place = data;
    EddyBytes *bytes = eddy_file_load_contents (place->from, NULL, error);
    ck_assert (bytes == NULL || eddy_bytes_get_size (bytes) == LARGE);
    eddy_unref (bytes);
    return NULL;
}

EDDY_TEST (D_testing_load_contents)
{
    Place place;
    EddyTestCancelReport report;
    place_begin (&place, LARGE);
    expect_good (load, &place, NULL, &report);
    ck_assert_uint_ge (report.cancelled, 5);
    place_end (&place);
}

static void *list_and_ask (void *data, EddyError **error)
{
    const Place *place = data;
    EddyFileInfoList *list = eddy_file_list_children (place->folder, NULL, error);
    if (list != NULL)
        eddy_unref (eddy_file_query_info (place->from, EDDY_FILE_QUERY_INFO_NONE, NULL, error));
    eddy_unref (list);
    return NULL;
}

EDDY_TEST (D_testing_list_and_query_info)
{
    Place place;
    EddyTestCancelReport report;
    place_begin (&place, LARGE);
    for (int i = 0; i < 100; i++) {
        char name[32];
        snprintf (name, sizeof name, "many-%d", i);
        place_write (eddy_test_path (name), 'x', 1);
    }
    expect_good (list_and_ask, &place, NULL, &report);
    ck_assert_uint_ge (report.cancelled, 6);
    place_end (&place);
}

static void *delete_it (void *data, EddyError **error)
{
    eddy_file_delete (((Place *) data)->from, NULL, error);
    return NULL;
}

static void check_delete (void *data, bool cancelled, uint32_t point)
{
    Place *place = data;
    (void) point;
    ck_assert_int_eq (place_is_whole (place->from_path, 'n', LARGE), cancelled);
    place_write (place->from_path, 'n', LARGE);
}

EDDY_TEST (D_testing_delete)
{
    Place place;
    EddyTestCancelReport report;
    place_begin (&place, LARGE);
    expect_good (delete_it, &place, check_delete, &report);
    place_end (&place);
}

/* Names: made or not made, and nothing but the truth told. */
static void *make_things (void *data, EddyError **error)
{
    const Place *place = data;
    if (!eddy_file_make_directory (place->to, NULL, error))
        return NULL;
    EddyFile *link = eddy_file_get_child (place->to, "link");
    EddyFile *name = eddy_file_get_child (place->to, "name");
    if (eddy_file_make_symbolic_link (link, "nowhere", NULL, error) &&
        eddy_file_make_hard_link (place->from, name, NULL, error))
        eddy_file_copy_attributes (place->from, name, EDDY_FILE_COPY_ALL_METADATA, NULL, error);
    eddy_unref (link);
    eddy_unref (name);
    return NULL;
}

static void check_things (void *data, bool cancelled, uint32_t point)
{
    Place *place = data;
    char path[4200];
    (void) point;
    struct stat status;
    if (!cancelled) {
        ck_assert_int_eq (eddy_test_count_names (place->to_path), 2);
        ck_assert_int_eq (stat (place->from_path, &status), 0);
        ck_assert_uint_eq (status.st_nlink, 2);
    }
    snprintf (path, sizeof path, "%s/link", place->to_path);
    unlink (path);
    snprintf (path, sizeof path, "%s/name", place->to_path);
    unlink (path);
    rmdir (place->to_path);
    ck_assert_int_eq (eddy_test_count_names (eddy_test_directory ()), 1);
    ck_assert (place_is_whole (place->from_path, 'n', LARGE));
}

EDDY_TEST (D_testing_names_in_a_row)
{
    Place place;
    EddyTestCancelReport report;
    place_begin (&place, LARGE);
    expect_good (make_things, &place, check_things, &report);
    ck_assert_uint_ge (report.cancelled, 4);
    place_end (&place);
}
