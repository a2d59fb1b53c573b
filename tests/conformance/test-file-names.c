/* SPDX-License-Identifier: MIT */
/*
 * What is promised of operations on files by name: where they run and complete, what they say of
 * what is in the way, moving, measuring, folders with parents, attributes.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <eddy/testing.h>

#include "task.h"

/* ---- Files by name --------------------------------------------------------------------------- */

static void file_write (const char *path, const char *text)
{
    int fd = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    ck_assert_int_ge (fd, 0);
    ck_assert_int_eq (write (fd, text, strlen (text)), (ssize_t) strlen (text));
    close (fd);
}

static void file_expect (const char *path, const char *text)
{
    char found[64] = "";
    int fd = open (path, O_RDONLY | O_CLOEXEC);
    ck_assert_msg (fd >= 0, "%s: %s", path, strerror (errno));
    ck_assert_int_ge (read (fd, found, sizeof found - 1), 0);
    ck_assert_str_eq (found, text);
    close (fd);
}

static bool is_there (const char *path)
{
    struct stat status;
    return lstat (path, &status) == 0;
}

static struct stat status_of (const char *path)
{
    struct stat status;
    ck_assert_msg (lstat (path, &status) == 0, "%s: %s", path, strerror (errno));
    return status;
}

/* Asserts what an error is, and that its message begins with the path; gives it up. */
static void expect_about (EddyError **error, EddyIOErrorCode code, const char *path)
{
    ck_assert_ptr_nonnull (*error);
    ck_assert_msg (strncmp (eddy_error_get_message (*error), path, strlen (path)) == 0,
                   "not about %s: %s", path, eddy_error_get_message (*error));
    eddy_test_expect_error (error, code);
}

/* ---- Where they run, and when they are cancelled --------------------------------------------- */

typedef struct Told {
    pthread_t thread;
    EddyContext *context; /* thread-default where it was told */
    int calls;
    bool is_done;
} Told;

static void delete_told (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Told *told = user_data;
    told->calls++;
    told->thread = pthread_self ();
    told->context = eddy_context_get_thread_default ();
    told->is_done = eddy_file_delete_finish (source_object, result, NULL);
}

EDDY_TEST (F1_completes_in_the_context_where_it_began_while_the_global_one_rests)
{
    EddyContext *context = eddy_test_context_begin ();
    Told told = { 0 };
    EDDY_AUTO (EddyFile) file = eddy_test_file ("file");
    file_write (eddy_file_get_path (file), "");
    eddy_file_delete_async (file, EDDY_PRIORITY_LOW, NULL, delete_told, &told);
    ck_assert_int_eq (told.calls, 0);
    while (told.calls == 0)
        eddy_context_iteration (context, /* may_block= */ true);
    ck_assert (told.is_done && !is_there (eddy_file_get_path (file)));
    ck_assert (pthread_equal (told.thread, pthread_self ()));
    ck_assert_ptr_eq (told.context, context);
    eddy_test_context_end (context);
}

EDDY_TEST (F2_cancelled_before_it_begins_it_does_nothing)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyContextStatistics before, after;
    EddyError *error = NULL;
    EDDY_AUTO (EddyFile) file = eddy_test_file ("file");
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    file_write (eddy_file_get_path (file), "");
    eddy_context_get_statistics (context, &before);
    eddy_cancellable_cancel (cancellable);
    EddyFuture *future = eddy_file_delete_future (file, EDDY_PRIORITY_DEFAULT, cancellable);
    ck_assert (!eddy_block_on_complete (context, future, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    ck_assert (is_there (eddy_file_get_path (file)));
    eddy_unref (future);
    eddy_context_get_statistics (context, &after);
    ck_assert_uint_le (after.workers - before.workers, 1);
    eddy_test_context_end (context);
}

EDDY_TEST (F2_what_was_done_is_never_called_cancelled)
{
    EDDY_AUTO (EddyFile) file = eddy_test_file ("file");
    EddyContext *context = eddy_test_context_begin ();
    for (int i = 0; i < 200; i++) {
        EddyError *error = NULL;
        EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
        file_write (eddy_file_get_path (file), "");
        EddyFuture *future = eddy_file_delete_future (file, EDDY_PRIORITY_DEFAULT, cancellable);
        for (int spins = 0; spins < i % 20; spins++)
            eddy_context_iteration (context, /* may_block= */ false);
        eddy_cancellable_cancel (cancellable);
        bool is_done = eddy_block_on_complete (context, future, &error);
        ck_assert_int_eq (is_done, !is_there (eddy_file_get_path (file)));
        ck_assert_int_eq (is_done, error == NULL);
        eddy_clear_error (&error);
        eddy_unref (future);
    }
    eddy_test_context_end (context);
}

EDDY_TEST (F3_exists_not_found_and_an_empty_path_are_errors)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddyFile) file = eddy_test_file ("file");
    EDDY_AUTO (EddyFile) empty = eddy_file_new_for_path ("");
    const char *path = eddy_file_get_path (file);
    ck_assert (!eddy_file_delete (file, NULL, &error));
    expect_about (&error, EDDY_IO_ERROR_NOT_FOUND, path);
    file_write (path, "");
    ck_assert (!eddy_file_make_directory (file, NULL, &error));
    expect_about (&error, EDDY_IO_ERROR_EXISTS, path);
    ck_assert (!eddy_file_make_directory_with_parents (empty, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_FOUND);
    ck_assert (!eddy_file_move (empty, file, 0, NULL, NULL, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_FOUND);
    ck_assert (!eddy_file_move (file, empty, 0, NULL, NULL, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_FOUND);
    ck_assert_ptr_null (eddy_file_enumerate_children (empty, 0, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_FOUND);
    ck_assert_ptr_null (eddy_file_query_filesystem_info (empty, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_FOUND);
    ck_assert (!eddy_file_query_exists (empty, NULL));
}

/* ---- Contents -------------------------------------------------------------------------------- */

EDDY_TEST (F7_loaded_contents_have_a_zero_byte_behind_them)
{
    EDDY_AUTO (EddyFile) file = eddy_test_file ("file");
    for (size_t size = 0; size < 20000; size = size * 2 + 1) {
        EddyError *error = NULL;
        int fd = open (eddy_file_get_path (file), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        char *text = malloc (size + 1);
        memset (text, 'x', size);
        ck_assert_int_eq (write (fd, text, size), (ssize_t) size);
        close (fd);
        EDDY_AUTO (EddyBytes) bytes = eddy_file_load_contents (file, NULL, &error);
        ck_assert_ptr_null (error);
        ck_assert_uint_eq (eddy_bytes_get_size (bytes), size);
        ck_assert_int_eq (((const char *) eddy_bytes_get_data (bytes))[size], '\0');
        free (text);
    }
}

EDDY_TEST (F7_the_info_has_the_etag_of_the_contents)
{
    EDDY_AUTO (EddyFile) file = eddy_test_file ("file");
    char *etags[3];
    for (int i = 0; i < 3; i++) {
        if (i != 1)
            file_write (eddy_file_get_path (file), i == 0 ? "one" : "another");
        EDDY_AUTO (EddyFileInfo) info = eddy_file_query_info (file, 0, NULL, NULL);
        etags[i] = eddy_file_info_get_etag (info);
    }
    ck_assert_str_eq (etags[0], etags[1]);
    ck_assert_str_ne (etags[0], etags[2]);
    for (int i = 0; i < 3; i++)
        eddy_free (etags[i]);
    EDDY_AUTO (EddyFileInfo) nothing = eddy_file_info_new ();
    ck_assert_ptr_null (eddy_file_info_get_etag (nothing));
}

typedef struct Enough {
    int64_t bytes; /* that are enough */
    int calls;
    pthread_t thread;
} Enough;

static bool is_not_enough (const char *file_contents, int64_t file_size, void *callback_data)
{
    Enough *enough = callback_data;
    enough->calls++;
    enough->thread = pthread_self ();
    for (int64_t i = 0; i < file_size; i += 1000)
        ck_assert_int_eq (file_contents[i], 'x');
    return file_size < enough->bytes;
}

static void make_long_file (const char *path, size_t size)
{
    char *text = malloc (size);
    int fd = open (path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    memset (text, 'x', size);
    ck_assert_int_eq (write (fd, text, size), (ssize_t) size);
    close (fd);
    free (text);
}

enum { LONG_FILE = 1000000 };

EDDY_TEST (F8_reads_on_while_it_is_told_to)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddyFile) file = eddy_test_file ("file");
    make_long_file (eddy_file_get_path (file), LONG_FILE);
    for (int64_t bytes = 1; bytes < 3 * LONG_FILE; bytes *= 7) {
        Enough enough = { .bytes = bytes };
        EDDY_AUTO (EddyBytes)
        loaded = eddy_file_load_partial_contents (file, NULL, is_not_enough, &enough, &error);
        ck_assert_ptr_null (error);
        int64_t size = (int64_t) eddy_bytes_get_size (loaded);
        ck_assert_int_ge (size, bytes < LONG_FILE ? bytes : LONG_FILE);
        ck_assert_int_lt (size, bytes + 65536);
        ck_assert_int_eq (enough.calls, (int) ((size + 65535) / 65536));
        ck_assert_int_eq (((const char *) eddy_bytes_get_data (loaded))[size], '\0');
    }
}

EDDY_TEST (F8_asks_in_the_context_and_with_data_of_its_own)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    Enough enough = { .bytes = LONG_FILE / 2 };
    EDDY_AUTO (EddyFile) file = eddy_test_file ("file");
    make_long_file (eddy_file_get_path (file), LONG_FILE);
    EddyFuture *future = eddy_file_load_partial_contents_future (file, EDDY_PRIORITY_DEFAULT, NULL,
                                                                 is_not_enough, &enough);
    EddyBytes *bytes = eddy_block_on (context, future, &error);
    ck_assert_uint_lt (eddy_bytes_get_size (bytes), LONG_FILE);
    ck_assert_int_gt (enough.calls, 1);
    ck_assert (pthread_equal (enough.thread, pthread_self ()));
    eddy_unref (future); /* with the bytes */
    eddy_test_context_end (context);
}

/* More than 4 GiB where somebody wants to wait for it: EDDY_LARGE=1. */
EDDY_TEST_TIMEOUT (F9_contents_of_any_length_are_loaded, 120)
{
    EddyError *error = NULL;
    const size_t size = getenv ("EDDY_LARGE") != NULL ? (UINT64_C (4) << 30) + 5 : (8 << 20) + 5;
    EDDY_AUTO (EddyFile) file = eddy_test_file ("file");
    file_write (eddy_file_get_path (file), "beginning");
    ck_assert_int_eq (truncate (eddy_file_get_path (file), (off_t) size), 0);
    int fd = open (eddy_file_get_path (file), O_WRONLY | O_CLOEXEC);
    ck_assert_int_eq (pwrite (fd, "end", 3, (off_t) size - 3), 3);
    close (fd);
    EDDY_AUTO (EddyBytes) bytes = eddy_file_load_contents (file, NULL, &error);
    ck_assert_ptr_null (error);
    ck_assert_uint_eq (eddy_bytes_get_size (bytes), size);
    const char *data = eddy_bytes_get_data (bytes);
    ck_assert_str_eq (data, "beginning");
    ck_assert_str_eq (data + size - 3, "end");
    ck_assert_int_eq (data[size / 2], 0);
}

/* ---- What is in the way ---------------------------------------------------------------------- */

EDDY_TEST (F11_a_copy_says_what_is_in_the_way)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddyFile) file = eddy_test_file ("file");
    EDDY_AUTO (EddyFile) other = eddy_test_file ("other");
    EDDY_AUTO (EddyFile) folder = eddy_test_file ("folder");
    EDDY_AUTO (EddyFile) further = eddy_test_file ("further");
    const char *path = eddy_file_get_path (file);
    ck_assert (!eddy_file_copy (file, other, 0, NULL, NULL, NULL, &error));
    expect_about (&error, EDDY_IO_ERROR_NOT_FOUND, path);
    file_write (path, "one");
    file_write (eddy_file_get_path (other), "other");
    ck_assert (eddy_file_make_directory (folder, NULL, NULL));
    ck_assert (eddy_file_make_directory (further, NULL, NULL));
    ck_assert (!eddy_file_copy (file, other, 0, NULL, NULL, NULL, &error));
    expect_about (&error, EDDY_IO_ERROR_EXISTS, eddy_file_get_path (other));
    for (int flags = 0; flags <= EDDY_FILE_COPY_OVERWRITE; flags++) {
        ck_assert (
            !eddy_file_copy (file, folder, (EddyFileCopyFlags) flags, NULL, NULL, NULL, &error));
        expect_about (&error, EDDY_IO_ERROR_IS_DIRECTORY, eddy_file_get_path (folder));
    }
    ck_assert (!eddy_file_copy (folder, other, 0, NULL, NULL, NULL, &error));
    expect_about (&error, EDDY_IO_ERROR_WOULD_RECURSE, eddy_file_get_path (folder));
    ck_assert (!eddy_file_copy (folder, further, 0, NULL, NULL, NULL, &error));
    expect_about (&error, EDDY_IO_ERROR_WOULD_MERGE, eddy_file_get_path (folder));
    file_expect (eddy_file_get_path (other), "other");
}

EDDY_TEST (F11_permissions_go_with_a_copy_unless_the_defaults_are_asked_for)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddyFile) file = eddy_test_file ("file");
    EDDY_AUTO (EddyFile) to = eddy_test_file ("to");
    const char *path = eddy_file_get_path (to);
    file_write (eddy_file_get_path (file), "one");
    ck_assert_int_eq (chmod (eddy_file_get_path (file), 0751), 0);
    umask (027);
    ck_assert (eddy_file_copy (file, to, 0, NULL, NULL, NULL, &error));
    ck_assert_uint_eq (status_of (path).st_mode & 07777, 0751);
    for (int i = 0; i < 2; i++) {
        EddyFileCopyFlags flags = EDDY_FILE_COPY_TARGET_DEFAULT_PERMS | EDDY_FILE_COPY_OVERWRITE;
        ck_assert (eddy_file_copy (file, to, flags, NULL, NULL, NULL, &error));
        ck_assert_uint_eq (status_of (path).st_mode & 07777, 0640);
        ck_assert_int_eq (unlink (path), 0);
    }
}

EDDY_TEST (F15_a_link_needs_a_target_and_a_free_name)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    EDDY_AUTO (EddyFile) link = eddy_test_file ("link");
    EddyFuture *empty = eddy_file_make_symbolic_link_future (link, "", EDDY_PRIORITY_DEFAULT, NULL);
    ck_assert (!eddy_block_on_complete (context, empty, &error));
    expect_about (&error, EDDY_IO_ERROR_INVALID_ARGUMENT, eddy_file_get_path (link));
    ck_assert (!is_there (eddy_file_get_path (link)));
    ck_assert (eddy_file_make_symbolic_link (link, "nowhere", NULL, &error));
    ck_assert (!eddy_file_make_symbolic_link (link, "elsewhere", NULL, &error));
    expect_about (&error, EDDY_IO_ERROR_EXISTS, eddy_file_get_path (link));
    eddy_unref (empty);
    eddy_log_set_handler (note_message, NULL);
    ck_assert (!eddy_file_make_symbolic_link (link, NULL, NULL, NULL));
    eddy_log_set_handler (NULL, NULL);
    ck_assert_int_eq (criticals + warnings, 1);
    eddy_test_context_end (context);
}

/* ---- Moving ---------------------------------------------------------------------------------- */

typedef struct Progress {
    int64_t current;
    int64_t total;
    int calls;
} Progress;

static void progress_told (int64_t current_num_bytes, int64_t total_num_bytes, void *user_data)
{
    Progress *progress = user_data;
    ck_assert_int_ge (current_num_bytes, progress->current);
    *progress = (Progress){ current_num_bytes, total_num_bytes, progress->calls + 1 };
}

EDDY_TEST (F12_a_move_is_a_new_name)
{
    EddyError *error = NULL;
    Progress progress = { 0 };
    EDDY_AUTO (EddyFile) from = eddy_test_file ("from");
    EDDY_AUTO (EddyFile) to = eddy_test_file ("to");
    file_write (eddy_file_get_path (from), "contents");
    ino_t inode = status_of (eddy_file_get_path (from)).st_ino;
    ck_assert (eddy_file_move (from, to, 0, NULL, progress_told, &progress, &error));
    ck_assert (!is_there (eddy_file_get_path (from)));
    ck_assert_uint_eq (status_of (eddy_file_get_path (to)).st_ino, inode);
    ck_assert_int_eq (progress.calls, 1);
    ck_assert_int_eq (progress.current, 8);
    ck_assert_int_eq (progress.total, 8);
}

EDDY_TEST (F12_a_move_spares_what_is_there)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddyFile) from = eddy_test_file ("from");
    EDDY_AUTO (EddyFile) to = eddy_test_file ("to");
    const char *from_path = eddy_file_get_path (from), *to_path = eddy_file_get_path (to);
    ck_assert (!eddy_file_move (from, to, 0, NULL, NULL, NULL, &error));
    expect_about (&error, EDDY_IO_ERROR_NOT_FOUND, from_path);
    file_write (from_path, "new");
    file_write (to_path, "old");
    ck_assert (!eddy_file_move (from, to, 0, NULL, NULL, NULL, &error));
    expect_about (&error, EDDY_IO_ERROR_EXISTS, to_path);
    file_expect (to_path, "old");
    ck_assert (eddy_file_move (from, to, EDDY_FILE_COPY_OVERWRITE, NULL, NULL, NULL, &error));
    file_expect (to_path, "new");
    ck_assert (!is_there (from_path));
    /* Two names of one file: Linux would do nothing and call that done. */
    ck_assert_int_eq (link (to_path, from_path), 0);
    ck_assert (!eddy_file_move (from, to, EDDY_FILE_COPY_OVERWRITE, NULL, NULL, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
}

EDDY_TEST (F12_a_move_of_folders_merges_none)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddyFile) folder = eddy_test_file ("folder");
    EDDY_AUTO (EddyFile) other = eddy_test_file ("other");
    EDDY_AUTO (EddyFile) inside = eddy_test_file ("folder/inside");
    EDDY_AUTO (EddyFile) file = eddy_test_file ("file");
    const EddyFileCopyFlags over = EDDY_FILE_COPY_OVERWRITE;
    ck_assert (eddy_file_make_directory (folder, NULL, NULL));
    ck_assert (!eddy_file_move (folder, inside, 0, NULL, NULL, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
    ck_assert (eddy_file_make_directory (other, NULL, NULL));
    ck_assert (!eddy_file_move (folder, other, over, NULL, NULL, NULL, &error));
    expect_about (&error, EDDY_IO_ERROR_WOULD_MERGE, eddy_file_get_path (other));
    file_write (eddy_file_get_path (file), "");
    ck_assert (!eddy_file_move (file, other, over, NULL, NULL, NULL, &error));
    expect_about (&error, EDDY_IO_ERROR_IS_DIRECTORY, eddy_file_get_path (other));
    ck_assert (!eddy_file_move (folder, file, over, NULL, NULL, NULL, &error));
    expect_about (&error, EDDY_IO_ERROR_NOT_DIRECTORY, eddy_file_get_path (file));
    ck_assert_int_eq (rmdir (eddy_file_get_path (other)), 0);
    ck_assert (eddy_file_move (folder, other, 0, NULL, NULL, NULL, &error));
    ck_assert (!is_there (eddy_file_get_path (folder)));
}

/* A folder of this test's on another file system; NULL: there is none. */
static char *elsewhere_make (void)
{
    static const char *const places[] = { "/dev/shm", "/tmp", "/var/tmp", "/run" };
    static char path[64];
    dev_t here = status_of (eddy_test_directory ()).st_dev;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        struct stat status;
        if (stat (places[i], &status) != 0 || status.st_dev == here)
            continue;
        snprintf (path, sizeof path, "%s/eddy-test-XXXXXX", places[i]);
        if (mkdtemp (path) != NULL)
            return path;
    }
    return NULL;
}

EDDY_TEST (F12_a_move_to_another_file_system_copies_and_removes)
{
    EddyError *error = NULL;
    Progress progress = { 0 };
    char *elsewhere = elsewhere_make ();
    if (elsewhere == NULL)
        EDDY_TEST_SKIP ("there is one file system that can be written to");
    EDDY_AUTO (EddyFile) there = eddy_file_new_for_path (elsewhere);
    EDDY_AUTO (EddyFile) to = eddy_file_get_child (there, "to");
    EDDY_AUTO (EddyFile) from = eddy_test_file ("from");
    EDDY_AUTO (EddyFile) folder = eddy_test_file ("folder");
    const char *from_path = eddy_file_get_path (from);
    file_write (from_path, "contents");
    ck_assert_int_eq (chmod (from_path, 0604), 0);
    bool forbidden =
        eddy_file_move (from, to, EDDY_FILE_COPY_NO_FALLBACK_FOR_MOVE, NULL, NULL, NULL, &error);
    EddyError *forbidden_error = EDDY_TAKE (error);
    bool is_done = eddy_file_move (from, to, 0, NULL, progress_told, &progress, &error);
    struct stat status = status_of (eddy_file_get_path (to));
    bool is_gone = !is_there (from_path);
    unlink (eddy_file_get_path (to));
    EddyError *folder_error = NULL;
    ck_assert (eddy_file_make_directory (folder, NULL, NULL));
    bool moved_folder = eddy_file_move (folder, to, 0, NULL, NULL, NULL, &folder_error);
    rmdir (elsewhere);
    ck_assert (!forbidden && is_done && is_gone && !moved_folder);
    expect_about (&forbidden_error, EDDY_IO_ERROR_NOT_SUPPORTED, from_path);
    expect_about (&folder_error, EDDY_IO_ERROR_WOULD_RECURSE, eddy_file_get_path (folder));
    ck_assert_int_eq (status.st_size, 8);
    ck_assert_uint_eq (status.st_mode & 07777, 0604);
    ck_assert_int_eq (progress.current, 8);
}

/* ---- Measuring ------------------------------------------------------------------------------- */

enum { MEASURED_FOLDERS = 30, MEASURED_FILES = 7 };

/* Folders in a chain and beside each other, with files of known sizes; a link that leads out. */
static uint64_t measure_make_tree (void)
{
    char name[64], folder[64];
    uint64_t usage = 0;
    for (int i = 0; i < MEASURED_FOLDERS; i++) {
        snprintf (folder, sizeof folder, i % 3 == 0 ? "top/%d" : "top/%d/%d", i - i % 3, i);
        if (i == 0)
            ck_assert_int_eq (mkdir (eddy_test_path ("top"), 0700), 0);
        ck_assert_int_eq (mkdir (eddy_test_path (folder), 0700), 0);
        usage += (uint64_t) status_of (eddy_test_path (folder)).st_blocks * 512;
        for (int k = 0; k < MEASURED_FILES; k++) {
            snprintf (name, sizeof name, "%.40s/file-%d", folder, k);
            file_write (eddy_test_path (name), "12345");
            usage += (uint64_t) status_of (eddy_test_path (name)).st_blocks * 512;
        }
    }
    ck_assert_int_eq (symlink ("/", eddy_test_path ("top/root")), 0);
    usage += (uint64_t) status_of (eddy_test_path ("top/root")).st_blocks * 512;
    return usage;
}

EDDY_TEST (F13_all_below_a_folder_is_measured)
{
    EddyError *error = NULL;
    Progress progress = { 0 };
    uint64_t usage = 0, dirs = 0, files = 0;
    uint64_t expected = measure_make_tree ();
    EDDY_AUTO (EddyFile) top = eddy_test_file ("top");
    expected += (uint64_t) status_of (eddy_file_get_path (top)).st_blocks * 512;
    ck_assert (eddy_file_measure_disk_usage (top, 0, NULL, progress_told, &progress, &usage, &dirs,
                                             &files, &error));
    ck_assert_uint_eq (dirs, MEASURED_FOLDERS + 1);
    ck_assert_uint_eq (files, MEASURED_FOLDERS * MEASURED_FILES + 1);
    ck_assert_uint_eq (usage, expected);
    ck_assert_int_ge (progress.calls, 1);
    ck_assert_int_eq (progress.current, (int64_t) usage);
    /* A file is measured alone, and nobody has to want an answer. */
    EDDY_AUTO (EddyFile) file = eddy_test_file ("top/0/file-0");
    ck_assert (eddy_file_measure_disk_usage (file, EDDY_FILE_MEASURE_APPARENT_SIZE, NULL, NULL,
                                             NULL, &usage, NULL, &files, &error));
    ck_assert_uint_eq (usage, 5);
    ck_assert_uint_eq (files, 1);
}

static void measure_told (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Told *told = user_data;
    uint64_t usage = 0, dirs = 0, files = 0;
    told->calls++;
    told->is_done =
        eddy_file_measure_disk_usage_finish (source_object, result, &usage, &dirs, &files, NULL);
    ck_assert_uint_eq (dirs, MEASURED_FOLDERS + 1);
    ck_assert_uint_eq (files, MEASURED_FOLDERS * MEASURED_FILES + 1);
}

EDDY_TEST (F13_measures_by_callback)
{
    EddyContext *context = eddy_test_context_begin ();
    Told told = { 0 };
    measure_make_tree ();
    EDDY_AUTO (EddyFile) top = eddy_test_file ("top");
    eddy_file_measure_disk_usage_async (top, 0, EDDY_PRIORITY_DEFAULT, NULL, NULL, NULL,
                                        measure_told, &told);
    while (told.calls == 0)
        eddy_context_iteration (context, /* may_block= */ true);
    ck_assert (told.is_done);
    eddy_test_context_end (context);
}

static void measure_closed_folder (void *data)
{
    EddyError *error = NULL;
    uint64_t dirs = 0, files = 0;
    EDDY_AUTO (EddyFile) top = eddy_test_file ("top");
    EDDY_AUTO (EddyFile) closed = eddy_test_file ("top/closed");
    (void) data;
    ck_assert (
        eddy_file_measure_disk_usage (top, 0, NULL, NULL, NULL, NULL, &dirs, &files, &error));
    ck_assert_uint_eq (dirs, 2);
    ck_assert_uint_eq (files, 1);
    ck_assert (!eddy_file_measure_disk_usage (top, EDDY_FILE_MEASURE_REPORT_ANY_ERROR, NULL, NULL,
                                              NULL, NULL, &dirs, &files, &error));
    expect_about (&error, EDDY_IO_ERROR_PERMISSION_DENIED, eddy_file_get_path (closed));
    ck_assert (
        !eddy_file_measure_disk_usage (closed, 0, NULL, NULL, NULL, NULL, NULL, NULL, &error));
    expect_about (&error, EDDY_IO_ERROR_PERMISSION_DENIED, eddy_file_get_path (closed));
}

EDDY_TEST (F13_what_cannot_be_read_is_passed_over_unless_it_is_to_be_told)
{
    EDDY_AUTO (EddyFile) closed = eddy_test_file ("top/closed");
    EDDY_AUTO (EddyFile) file = eddy_test_file ("top/file");
    ck_assert (eddy_file_make_directory_with_parents (closed, NULL, NULL));
    file_write (eddy_file_get_path (file), "");
    ck_assert_int_eq (chmod (eddy_test_path ("top"), 0755), 0);
    ck_assert_int_eq (chmod (eddy_file_get_path (closed), 0), 0);
    eddy_test_run_as_nobody (measure_closed_folder, NULL);
    ck_assert_int_eq (chmod (eddy_file_get_path (closed), 0700), 0);
}

static void *measure_all (void *data, EddyError **error)
{
    uint64_t dirs = 0;
    if (!eddy_file_measure_disk_usage (data, 0, NULL, NULL, NULL, NULL, &dirs, NULL, error))
        return NULL;
    ck_assert_uint_eq (dirs, MEASURED_FOLDERS + 1);
    return data;
}

EDDY_TEST (F13_is_cancelled_everywhere)
{
    EddyTestCancelReport report;
    EDDY_AUTO (EddyFile) top = eddy_test_file ("top");
    measure_make_tree ();
    bool good = eddy_test_cancel_everywhere (measure_all, top, NULL, &report);
    ck_assert_msg (good, "%s", report.failure);
    ck_assert_uint_gt (report.cancelled, 10);
}

/* ---- Folders with parents -------------------------------------------------------------------- */

EDDY_TEST (D_file_folders_are_made_with_their_parents)
{
    static const char *const names[] = { "a/b/c/d", "a/b/x", "one", "p//q//r//", "a/./s/t" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        EddyError *error = NULL;
        EDDY_AUTO (EddyFile) folder = eddy_test_file (names[i]);
        ck_assert_msg (eddy_file_make_directory_with_parents (folder, NULL, &error), "%s",
                       names[i]);
        ck_assert (S_ISDIR (status_of (eddy_file_get_path (folder)).st_mode));
        ck_assert (!eddy_file_make_directory_with_parents (folder, NULL, &error));
        expect_about (&error, EDDY_IO_ERROR_EXISTS, eddy_file_get_path (folder));
    }
}

EDDY_TEST (D_file_folders_are_not_made_below_files_and_dead_links)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddyFile) below_file = eddy_test_file ("file/a/b");
    EDDY_AUTO (EddyFile) below_link = eddy_test_file ("link/a/b");
    file_write (eddy_test_path ("file"), "");
    ck_assert_int_eq (symlink ("nowhere", eddy_test_path ("link")), 0);
    ck_assert (!eddy_file_make_directory_with_parents (below_file, NULL, &error));
    expect_about (&error, EDDY_IO_ERROR_NOT_DIRECTORY, eddy_test_path ("file/a"));
    ck_assert (!eddy_file_make_directory_with_parents (below_link, NULL, &error));
    expect_about (&error, EDDY_IO_ERROR_NOT_FOUND, eddy_test_path ("link/a"));
}

EDDY_TEST (D_dir_folders_are_made_with_their_parents_beneath)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddyFile) root = eddy_test_file ("root");
    ck_assert (eddy_file_make_directory (root, NULL, NULL));
    ck_assert_int_eq (symlink ("..", eddy_test_path ("root/out")), 0);
    EDDY_AUTO (EddyDir) dir = eddy_dir_open (root, NULL, &error);
    EDDY_AUTO (EddyFile) inside = eddy_dir_get_file (dir, "a/b/c");
    EDDY_AUTO (EddyFile) outside = eddy_dir_get_file (dir, "out/a/b");
    ck_assert (eddy_file_make_directory_with_parents (inside, NULL, &error));
    ck_assert (is_there (eddy_test_path ("root/a/b/c")));
    ck_assert (!eddy_file_make_directory_with_parents (outside, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_PERMISSION_DENIED);
    ck_assert (!is_there (eddy_test_path ("a")));
    EDDY_AUTO (EddyFile) moved = eddy_dir_get_file (dir, "out/moved");
    ck_assert (!eddy_file_move (inside, moved, 0, NULL, NULL, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_PERMISSION_DENIED);
    ck_assert (is_there (eddy_test_path ("root/a/b/c")));
}

/* ---- Attributes ------------------------------------------------------------------------------ */

EDDY_TEST (D_file_attributes_are_set_as_told_and_no_others)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddyFile) file = eddy_test_file ("file");
    EDDY_AUTO (EddyFileInfo) info = eddy_file_info_new ();
    const char *path = eddy_file_get_path (file);
    file_write (path, "");
    const struct stat before = status_of (path);
    ck_assert (eddy_file_set_attributes (file, info, 0, NULL, &error));
    eddy_file_info_set_mode (info, 0604);
    eddy_file_info_set_modification_time_ns (info, -1500000000);
    ck_assert_int_eq (eddy_file_info_get_fields_to_set (info),
                      EDDY_FILE_INFO_MODE | EDDY_FILE_INFO_MODIFICATION_TIME);
    ck_assert (eddy_file_set_attributes (file, info, 0, NULL, &error));
    struct stat after = status_of (path);
    ck_assert_uint_eq (after.st_mode & 07777, 0604);
    ck_assert_int_eq (after.st_mtim.tv_sec, -2);
    ck_assert_int_eq (after.st_mtim.tv_nsec, 500000000);
    ck_assert_int_eq (after.st_atim.tv_sec, before.st_atim.tv_sec);
    ck_assert_int_eq (after.st_atim.tv_nsec, before.st_atim.tv_nsec);
    eddy_file_info_set_access_time_ns (info, 7000000005);
    eddy_file_info_set_owner (info, (uint32_t) getuid ());
    eddy_file_info_set_group (info, (uint32_t) getgid ());
    ck_assert (eddy_file_set_attributes (file, info, 0, NULL, &error));
    EDDY_AUTO (EddyFileInfo) told = eddy_file_query_info (file, 0, NULL, &error);
    ck_assert_int_eq (eddy_file_info_get_access_time_ns (told), 7000000005);
    ck_assert_int_eq (eddy_file_info_get_modification_time_ns (told), -1500000000);
    ck_assert_uint_eq (eddy_file_info_get_owner (told), (uint32_t) getuid ());
    ck_assert_int_eq (eddy_file_info_get_fields_to_set (told), 0);
}

EDDY_TEST (D_file_attributes_of_links_and_of_nothing)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddyFile) link = eddy_test_file ("link");
    EDDY_AUTO (EddyFileInfo) info = eddy_file_info_new ();
    const EddyFileQueryInfoFlags itself = EDDY_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS;
    ck_assert (eddy_file_make_symbolic_link (link, "file", NULL, &error));
    eddy_file_info_set_modification_time_ns (info, 3000000000);
    ck_assert (!eddy_file_set_attributes (link, info, 0, NULL, &error));
    expect_about (&error, EDDY_IO_ERROR_NOT_FOUND, eddy_file_get_path (link));
    ck_assert (eddy_file_set_attributes (link, info, itself, NULL, &error));
    ck_assert_int_eq (status_of (eddy_file_get_path (link)).st_mtim.tv_sec, 3);
    eddy_file_info_set_mode (info, 0600);
    ck_assert (!eddy_file_set_attributes (link, info, itself, NULL, &error));
    expect_about (&error, EDDY_IO_ERROR_NOT_SUPPORTED, eddy_file_get_path (link));
    file_write (eddy_test_path ("file"), "");
    ck_assert (eddy_file_set_attributes (link, info, 0, NULL, &error));
    ck_assert_uint_eq (status_of (eddy_test_path ("file")).st_mode & 07777, 0600);
}

EDDY_TEST (D_file_infos_tell_what_they_know)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddyFile) link = eddy_test_file ("link");
    ck_assert (eddy_file_make_symbolic_link (link, "some\nwhere", NULL, &error));
    EDDY_AUTO (EddyFileInfo)
    info = eddy_file_query_info (link, EDDY_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS, NULL, &error);
    EDDY_AUTO (EddyFileInfo) copy = eddy_file_info_dup (info);
    EDDY_AUTO (EddyFileInfo) nothing = eddy_file_info_new ();
    struct stat status = status_of (eddy_file_get_path (link));
    ck_assert_str_eq (eddy_file_info_get_symlink_target (copy), "some\nwhere");
    ck_assert_str_eq (eddy_file_info_get_name (copy), "link");
    ck_assert_int_eq (eddy_file_info_get_change_time_ns (copy),
                      status.st_ctim.tv_sec * INT64_C (1000000000) + status.st_ctim.tv_nsec);
    EddyFileInfoFields fields = eddy_file_info_get_fields (copy);
    ck_assert_int_eq (fields & (EDDY_FILE_INFO_TYPE | EDDY_FILE_INFO_SYMLINK_TARGET),
                      EDDY_FILE_INFO_TYPE | EDDY_FILE_INFO_SYMLINK_TARGET);
    ck_assert_int_eq ((fields & EDDY_FILE_INFO_BIRTH_TIME) != 0,
                      eddy_file_info_get_birth_time_ns (copy) != 0);
    ck_assert_int_eq (eddy_file_info_get_fields (nothing), 0);
    ck_assert_ptr_null (eddy_file_info_get_symlink_target (nothing));
    ck_assert (!eddy_file_query_exists (link, NULL)); /* it leads nowhere */
    ck_assert_int_eq (
        eddy_file_query_file_type (link, EDDY_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS, NULL),
        EDDY_FILE_TYPE_SYMBOLIC_LINK);
    ck_assert_int_eq (eddy_file_query_file_type (link, 0, NULL), EDDY_FILE_TYPE_UNKNOWN);
}

EDDY_TEST (D_file_filesystems_tell_their_size_and_kind)
{
    EddyError *error = NULL;
    struct statvfs status;
    EDDY_AUTO (EddyFile) here = eddy_file_new_for_path (eddy_test_directory ());
    EDDY_AUTO (EddyFile) proc = eddy_file_new_for_path ("/proc");
    EDDY_AUTO (EddyFilesystemInfo) info = eddy_file_query_filesystem_info (here, NULL, &error);
    EDDY_AUTO (EddyFilesystemInfo) other = eddy_file_query_filesystem_info (proc, NULL, &error);
    ck_assert_int_eq (statvfs (eddy_test_directory (), &status), 0);
    ck_assert_uint_eq (eddy_filesystem_info_get_size (info), status.f_blocks * status.f_frsize);
    ck_assert_uint_ge (eddy_filesystem_info_get_size (info),
                       eddy_filesystem_info_get_used (info) + eddy_filesystem_info_get_free (info));
    ck_assert_uint_eq (eddy_filesystem_info_get_n_files (info), status.f_files);
    ck_assert_uint_le (eddy_filesystem_info_get_n_free_files (info), status.f_files);
    ck_assert (!eddy_filesystem_info_is_read_only (info));
    ck_assert_str_eq (eddy_filesystem_info_get_type (other), "proc");
    ck_assert_uint_eq (eddy_filesystem_info_get_type_number (other), 0x9fa0);
}
