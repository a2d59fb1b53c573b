/* SPDX-License-Identifier: MIT */
/*
 * Contents saved as a whole: the file is the old one or the new one, keeps what it should, and
 * nothing is left beside it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <eddy/testing.h>

#include "context.h"

enum { BIG = 3 << 20 };

/* ---- What there is to work on ---------------------------------------------------------------- */

static void write_file (const char *name, const char *text)
{
    int fd = open (eddy_test_path (name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    ck_assert_int_ge (fd, 0);
    ck_assert_int_eq (write (fd, text, strlen (text)), (ssize_t) strlen (text));
    close (fd);
}

static void expect_file (const char *name, const char *text)
{
    char found[64] = "";
    int fd = open (eddy_test_path (name), O_RDONLY | O_CLOEXEC);
    ck_assert_msg (fd >= 0, "%s is not there", name);
    ck_assert_int_eq (read (fd, found, sizeof found - 1), (ssize_t) strlen (text));
    ck_assert_str_eq (found, text);
    close (fd);
}

static struct stat stat_file (const char *name)
{
    struct stat status;
    ck_assert_int_eq (lstat (eddy_test_path (name), &status), 0);
    return status;
}

static bool save_full (const char *name, const char *text, const char *etag, bool make_backup,
                       EddyFileCreateFlags flags, char **new_etag, EddyError **error)
{
    EDDY_AUTO (EddyFile) file = eddy_test_file (name);
    return eddy_file_replace_contents (file, text, strlen (text), etag, make_backup, flags,
                                       new_etag, NULL, error);
}

static void save (const char *name, const char *text)
{
    EddyError *error = NULL;
    bool saved = save_full (name, text, NULL, false, EDDY_FILE_CREATE_NONE, NULL, &error);
    ck_assert_msg (saved, "%s", error == NULL ? "?" : eddy_error_get_message (error));
}

static void save_fails (const char *name, EddyFileCreateFlags flags, EddyIOErrorCode code)
{
    EddyError *error = NULL;
    int names = eddy_test_count_names (eddy_test_directory ());
    ck_assert (!save_full (name, "new", NULL, false, flags, NULL, &error));
    const char *path = eddy_test_path (name);
    ck_assert_msg (strncmp (eddy_error_get_message (error), path, strlen (path)) == 0,
                   "\"%s\" is not about %s", eddy_error_get_message (error), path);
    eddy_test_expect_error (&error, code);
    ck_assert_int_eq (eddy_test_count_names (eddy_test_directory ()), names);
}

/* ---- In every form --------------------------------------------------------------------------- */

typedef struct Save {
    int calls;
    bool is_done;
    char *etag;
    EddyError *error;
} Save;

static void save_ready (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Save *done = user_data;
    done->calls++;
    done->is_done =
        eddy_file_replace_contents_finish (source_object, result, &done->etag, &done->error);
}

static void save_bytes_ready (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Save *done = user_data;
    done->calls++;
    done->is_done =
        eddy_file_replace_contents_bytes_finish (source_object, result, &done->etag, &done->error);
}

static void save_wait (EddyContext *context, Save *done)
{
    while (done->calls == 0)
        eddy_context_iteration (context, true);
    ck_assert_msg (done->is_done, "%s", done->error ? eddy_error_get_message (done->error) : "?");
    ck_assert_ptr_nonnull (done->etag);
    eddy_free (done->etag);
    *done = (Save){ 0 };
}

static void *save_awaited (void *data, EddyError **error)
{
    EDDY_AUTO_FREE (char) etag = NULL;
    (void) data;
    ck_assert (save_full ("file", "awaited", NULL, false, EDDY_FILE_CREATE_NONE, &etag, error));
    ck_assert_ptr_nonnull (etag);
    return NULL;
}

EDDY_TEST (F4_saved_in_every_form)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    Save done = { 0 };
    EDDY_AUTO (EddyFile) file = eddy_test_file ("file");
    save ("file", "blocking");
    expect_file ("file", "blocking");
    eddy_test_run_fiber (context, save_awaited, NULL);
    expect_file ("file", "awaited");
    eddy_file_replace_contents_async (file, "callback", 8, NULL, false, EDDY_FILE_CREATE_NONE,
                                      EDDY_PRIORITY_DEFAULT, NULL, save_ready, &done);
    save_wait (context, &done);
    expect_file ("file", "callback");
    EDDY_AUTO (EddyBytes) bytes = eddy_bytes_new ("future", 6);
    EddyFuture *future = eddy_file_replace_contents_bytes_future (
        file, bytes, NULL, false, EDDY_FILE_CREATE_NONE, EDDY_PRIORITY_DEFAULT, NULL);
    ck_assert (eddy_block_on_boolean (context, future, &error));
    eddy_unref (future);
    expect_file ("file", "future");
    ck_assert (eddy_file_replace_contents_bytes (file, bytes, NULL, false, EDDY_FILE_CREATE_NONE,
                                                 NULL, NULL, &error));
    ck_assert_int_eq (eddy_test_count_names (eddy_test_directory ()), 1);
    eddy_test_context_end (context);
}

/* The caller gives his bytes up at once; the operation has a reference. */
EDDY_TEST (F5_bytes_are_kept)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyFile) file = eddy_test_file ("file");
    Save done = { 0 };
    char *text = calloc (1, BIG);
    memset (text, 'b', BIG);
    EddyBytes *bytes = eddy_bytes_new (text, BIG);
    eddy_file_replace_contents_bytes_async (file, bytes, NULL, false, EDDY_FILE_CREATE_NONE,
                                            EDDY_PRIORITY_DEFAULT, NULL, save_bytes_ready, &done);
    eddy_unref (bytes);
    save_wait (context, &done);
    ck_assert_int_eq (stat_file ("file").st_size, BIG);
    /* The caller's memory, which stays his. */
    eddy_file_replace_contents_async (file, text, BIG - 1, NULL, false, EDDY_FILE_CREATE_NONE,
                                      EDDY_PRIORITY_DEFAULT, NULL, save_ready, &done);
    save_wait (context, &done);
    free (text);
    ck_assert_int_eq (stat_file ("file").st_size, BIG - 1);
    eddy_test_context_end (context);
}

/* The last step fails: what stands beside the file is a folder, which nobody removes. */
EDDY_TEST (F6_failed_rename_is_told)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyFile) file = eddy_test_file ("file");
    Save done = { 0 };
    write_file ("file", "old");
    ck_assert_int_eq (mkdir (eddy_test_path (".file.eddy~"), 0700), 0);
    eddy_file_replace_contents_async (file, "new", 3, NULL, false, EDDY_FILE_CREATE_NONE,
                                      EDDY_PRIORITY_DEFAULT, NULL, save_ready, &done);
    while (done.calls == 0)
        eddy_context_iteration (context, true);
    ck_assert (!done.is_done);
    ck_assert_ptr_null (done.etag);
    eddy_test_expect_error (&done.error, EDDY_IO_ERROR_EXISTS);
    expect_file ("file", "old");
    eddy_test_context_end (context);
}

/* ---- What is kept ---------------------------------------------------------------------------- */

EDDY_TEST (F4_permissions_are_kept)
{
    write_file ("file", "old");
    ck_assert_int_eq (chmod (eddy_test_path ("file"), 0604), 0);
    ino_t inode = stat_file ("file").st_ino;
    save ("file", "new");
    ck_assert_uint_eq (stat_file ("file").st_mode, S_IFREG | 0604);
    ck_assert_uint_ne (stat_file ("file").st_ino, inode);
    umask (0022);
    ck_assert (save_full ("file", "as new", NULL, false, EDDY_FILE_CREATE_REPLACE_DESTINATION, NULL,
                          NULL));
    ck_assert_uint_eq (stat_file ("file").st_mode, S_IFREG | 0644);
    save ("other", "new");
    ck_assert_uint_eq (stat_file ("other").st_mode, S_IFREG | 0644);
    ck_assert (save_full ("private", "new", NULL, false, EDDY_FILE_CREATE_PRIVATE, NULL, NULL));
    ck_assert_uint_eq (stat_file ("private").st_mode, S_IFREG | 0600);
}

EDDY_TEST (F4_owner_is_kept)
{
    if (geteuid () != 0)
        EDDY_TEST_SKIP ("only root can give a file away");
    write_file ("file", "old");
    ck_assert_int_eq (chown (eddy_test_path ("file"), 1234, 4321), 0);
    ck_assert_int_eq (chmod (eddy_test_path ("file"), 0640), 0);
    save ("file", "new");
    ck_assert_uint_eq (stat_file ("file").st_uid, 1234);
    ck_assert_uint_eq (stat_file ("file").st_gid, 4321);
    ck_assert_uint_eq (stat_file ("file").st_mode, S_IFREG | 0640);
}

static void save_as_nobody (void *data)
{
    (void) data;
    save ("file", "new");
}

/* The file becomes ours; its group's rights are not given to our group. */
EDDY_TEST (F4_group_rights_stay_with_the_group)
{
    if (geteuid () != 0)
        EDDY_TEST_SKIP ("only root can give a file away");
    write_file ("file", "old");
    ck_assert_int_eq (chmod (eddy_test_path ("file"), 0666), 0);
    ck_assert_int_eq (chmod (eddy_test_path ("file"), 02662), 0);
    eddy_test_run_as_nobody (save_as_nobody, NULL);
    expect_file ("file", "new");
    ck_assert_uint_eq (stat_file ("file").st_uid, 65534);
    ck_assert_uint_eq (stat_file ("file").st_mode, S_IFREG | 0622);
}

EDDY_TEST (F4_backup)
{
    EddyError *error = NULL;
    write_file ("file", "first");
    ck_assert (save_full ("file", "second", NULL, true, 0, NULL, &error));
    expect_file ("file", "second");
    expect_file ("file~", "first");
    ck_assert (save_full ("file", "third", NULL, true, 0, NULL, &error));
    expect_file ("file~", "second");
    ck_assert_int_eq (eddy_test_count_names (eddy_test_directory ()), 2);
    /* Of what is not there, there is none; and a former one stays. */
    ck_assert_int_eq (unlink (eddy_test_path ("file")), 0);
    ck_assert (save_full ("file", "fourth", NULL, true, 0, NULL, &error));
    expect_file ("file~", "second");
    ck_assert_int_eq (eddy_test_count_names (eddy_test_directory ()), 2);
}

/* Who was killed between the two steps of a backup has left a further name of the file. */
EDDY_TEST (F4_backup_of_a_killed_process_is_taken_over)
{
    EddyError *error = NULL;
    write_file ("file", "old");
    ck_assert_int_eq (link (eddy_test_path ("file"), eddy_test_path (".file~.eddy~")), 0);
    ck_assert_int_eq (link (eddy_test_path ("file"), eddy_test_path ("file~")), 0);
    ck_assert (save_full ("file", "new", NULL, true, 0, NULL, &error));
    expect_file ("file", "new");
    expect_file ("file~", "old");
    ck_assert_int_eq (eddy_test_count_names (eddy_test_directory ()), 2);
}

EDDY_TEST (F4_backup_that_cannot_be_made)
{
    EddyError *error = NULL;
    write_file ("file", "old");
    ck_assert_int_eq (mkdir (eddy_test_path ("file~"), 0700), 0);
    ck_assert (!save_full ("file", "new", NULL, true, 0, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANT_CREATE_BACKUP);
    expect_file ("file", "old");
    ck_assert_int_eq (eddy_test_count_names (eddy_test_directory ()), 2);
}

/* ---- Etags ----------------------------------------------------------------------------------- */

EDDY_TEST (F4_wrong_etag)
{
    EddyError *error = NULL;
    EDDY_AUTO_FREE (char) first = NULL;
    EDDY_AUTO_FREE (char) second = NULL;
    ck_assert (save_full ("file", "one", NULL, false, 0, &first, &error));
    ck_assert (save_full ("file", "two", first, false, 0, &second, &error));
    ck_assert_str_ne (first, second);
    ck_assert (!save_full ("file", "three", first, false, 0, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_WRONG_ETAG);
    ck_assert (!save_full ("other", "three", first, false, 0, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_WRONG_ETAG);
    expect_file ("file", "two");
    ck_assert_int_eq (eddy_test_count_names (eddy_test_directory ()), 1);
    /* The same length, written in place, but not at the same time. */
    write_file ("file", "TWO");
    const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { 1000, 1 } };
    ck_assert_int_eq (utimensat (AT_FDCWD, eddy_test_path ("file"), times, 0), 0);
    ck_assert (!save_full ("file", "three", second, false, 0, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_WRONG_ETAG);
    expect_file ("file", "TWO");
}

EDDY_TEST (F4_etag_is_that_of_the_info)
{
    EddyError *error = NULL;
    EDDY_AUTO_FREE (char) etag = NULL;
    EDDY_AUTO (EddyFile) file = eddy_test_file ("file");
    ck_assert (save_full ("file", "one", NULL, false, 0, &etag, &error));
    EDDY_AUTO (EddyFileInfo)
    info = eddy_file_query_info (file, EDDY_FILE_QUERY_INFO_NONE, NULL, &error);
    EDDY_AUTO_FREE (char) asked = eddy_file_info_get_etag (info);
    ck_assert_str_eq (asked, etag);
    ck_assert (save_full ("file", "two", asked, false, 0, NULL, &error));
}

/* ---- Links and other kinds ------------------------------------------------------------------- */

EDDY_TEST (F4_symbolic_links_stay)
{
    write_file ("file", "old");
    ck_assert_int_eq (mkdir (eddy_test_path ("folder"), 0700), 0);
    ck_assert_int_eq (symlink ("folder/second", eddy_test_path ("first")), 0);
    ck_assert_int_eq (symlink ("../file", eddy_test_path ("folder/second")), 0);
    ck_assert_int_eq (symlink ("to be", eddy_test_path ("dangling")), 0);
    ck_assert_int_eq (symlink (eddy_test_path ("file"), eddy_test_path ("absolute")), 0);
    save ("first", "new");
    expect_file ("file", "new");
    ck_assert (S_ISLNK (stat_file ("first").st_mode));
    ck_assert (S_ISLNK (stat_file ("folder/second").st_mode));
    save ("absolute", "newer");
    expect_file ("file", "newer");
    save ("dangling", "made");
    expect_file ("to be", "made");
    ck_assert (save_full ("first", "instead", NULL, false, EDDY_FILE_CREATE_REPLACE_DESTINATION,
                          NULL, NULL));
    ck_assert (S_ISREG (stat_file ("first").st_mode));
    expect_file ("first", "instead");
    expect_file ("file", "newer");
    ck_assert_int_eq (eddy_test_count_names (eddy_test_directory ()), 6);
}

EDDY_TEST (F4_further_names_keep_the_old_contents)
{
    write_file ("file", "old");
    ck_assert_int_eq (link (eddy_test_path ("file"), eddy_test_path ("other")), 0);
    save ("file", "new");
    expect_file ("other", "old");
    expect_file ("file", "new");
}

static void save_refused_as_nobody (void *data)
{
    (void) data;
    save_fails ("read only", 0, EDDY_IO_ERROR_PERMISSION_DENIED);
    save_fails ("closed/file", 0, EDDY_IO_ERROR_PERMISSION_DENIED);
}

EDDY_TEST (F4_what_cannot_be_replaced)
{
    ck_assert_int_eq (mkdir (eddy_test_path ("folder"), 0700), 0);
    ck_assert_int_eq (mkfifo (eddy_test_path ("fifo"), 0600), 0);
    ck_assert_int_eq (symlink ("loop", eddy_test_path ("loop")), 0);
    ck_assert_int_eq (symlink ("folder", eddy_test_path ("to folder")), 0);
    write_file ("file", "old");
    for (int i = 0; i < 2; i++) {
        EddyFileCreateFlags flags = i == 0 ? 0 : EDDY_FILE_CREATE_REPLACE_DESTINATION;
        save_fails ("folder", flags, EDDY_IO_ERROR_IS_DIRECTORY);
        save_fails ("folder/", flags, EDDY_IO_ERROR_IS_DIRECTORY);
        save_fails ("folder/..", flags, EDDY_IO_ERROR_IS_DIRECTORY);
        save_fails ("new/", flags, EDDY_IO_ERROR_IS_DIRECTORY);
        save_fails ("fifo", flags, EDDY_IO_ERROR_NOT_REGULAR_FILE);
        save_fails ("none/file", flags, EDDY_IO_ERROR_NOT_FOUND);
        save_fails ("file/file", flags, EDDY_IO_ERROR_NOT_DIRECTORY);
        save_fails ("file/", flags, EDDY_IO_ERROR_NOT_DIRECTORY);
    }
    save_fails ("loop", 0, eddy_io_error_from_errno (ELOOP));
    write_file ("read only", "old");
    ck_assert_int_eq (chmod (eddy_test_path ("read only"), 0444), 0);
    ck_assert_int_eq (mkdir (eddy_test_path ("closed"), 0555), 0);
    eddy_test_run_as_nobody (save_refused_as_nobody, NULL);
    expect_file ("file", "old");
}

EDDY_TEST (F3_nothing_is_saved_under_an_empty_path)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddyFile) source = eddy_test_file ("file");
    EDDY_AUTO (EddyFile) file = eddy_file_new_for_path ("");
    write_file ("file", "old");
    ck_assert_int_eq (chdir (eddy_test_directory ()), 0);
    ck_assert (!eddy_file_replace_contents (file, "x", 1, NULL, false, 0, NULL, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_FOUND);
    for (int i = 0; i < 3; i++) {
        EddyFileCopyFlags flags = i == 0   ? EDDY_FILE_COPY_NONE
                                  : i == 1 ? EDDY_FILE_COPY_OVERWRITE
                                           : EDDY_FILE_COPY_IN_PLACE;
        ck_assert (!eddy_file_copy (source, file, flags, NULL, NULL, NULL, &error));
        eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_FOUND);
    }
    ck_assert_int_eq (eddy_test_count_names (eddy_test_directory ()), 1);
    ck_assert_int_eq (chdir ("/"), 0);
}

EDDY_TEST (F4_names_of_any_length)
{
    char name[256];
    EddyError *error = NULL;
    memset (name, 'n', sizeof name);
    name[255] = '\0';
    save (name, "one");
    save (name, "two");
    expect_file (name, "two");
    ck_assert (!save_full (name, "three", NULL, true, 0, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANT_CREATE_BACKUP);
    name[254] = '\0';
    save (name, "one");
    ck_assert (save_full (name, "two", NULL, true, 0, NULL, &error));
    ck_assert_int_eq (eddy_test_count_names (eddy_test_directory ()), 3);
}

/* In a folder that the process is in, by a name alone. */
EDDY_TEST (F4_relative_names)
{
    EddyError *error = NULL;
    ck_assert_int_eq (chdir (eddy_test_directory ()), 0);
    EDDY_AUTO (EddyFile) file = eddy_file_new_for_path ("file");
    for (int i = 0; i < 2; i++)
        ck_assert (eddy_file_replace_contents (file, "here", 4, NULL, true, 0, NULL, NULL, &error));
    expect_file ("file", "here");
    expect_file ("file~", "here");
    ck_assert_int_eq (eddy_test_count_names (eddy_test_directory ()), 2);
    ck_assert_int_eq (chdir ("/"), 0);
}

EDDY_TEST (D_replace_within_a_dir)
{
    EddyError *error = NULL;
    ck_assert_int_eq (mkdir (eddy_test_path ("root"), 0700), 0);
    ck_assert_int_eq (mkdir (eddy_test_path ("root/sub"), 0700), 0);
    write_file ("secret", "old");
    ck_assert_int_eq (symlink ("../secret", eddy_test_path ("root/out")), 0);
    ck_assert_int_eq (symlink (eddy_test_path ("secret"), eddy_test_path ("root/absolute")), 0);
    ck_assert_int_eq (symlink ("sub/file", eddy_test_path ("root/in")), 0);
    EDDY_AUTO (EddyFile) root = eddy_test_file ("root");
    EDDY_AUTO (EddyDir) dir = eddy_dir_open (root, NULL, &error);
    for (int i = 0; i < 3; i++) {
        const char *names[] = { "out", "absolute", "../secret" };
        EDDY_AUTO (EddyFile) file = eddy_dir_get_file (dir, names[i]);
        ck_assert (!eddy_file_replace_contents (file, "new", 3, NULL, true, 0, NULL, NULL, &error));
        eddy_clear_error (&error);
    }
    expect_file ("secret", "old");
    EDDY_AUTO (EddyFile) in = eddy_dir_get_file (dir, "in");
    for (int i = 0; i < 2; i++)
        ck_assert (eddy_file_replace_contents (in, "new", 3, NULL, true, 0, NULL, NULL, &error));
    expect_file ("root/sub/file", "new");
    expect_file ("root/sub/file~", "new");
    ck_assert (S_ISLNK (stat_file ("root/in").st_mode));
}

/* ---- Cancelled, and many at once ------------------------------------------------------------- */

EDDY_TEST (F4_cancelled_before_it_begins)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddyFile) file = eddy_test_file ("file");
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    write_file ("file", "old");
    eddy_cancellable_cancel (cancellable);
    ck_assert (
        !eddy_file_replace_contents (file, "new", 3, NULL, true, 0, NULL, cancellable, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    expect_file ("file", "old");
    ck_assert_int_eq (eddy_test_count_names (eddy_test_directory ()), 1);
}

static char big[BIG];

static void *save_cancelled (void *data, EddyError **error)
{
    EDDY_AUTO (EddyFile) file = eddy_test_file ("file");
    (void) data;
    eddy_file_replace_contents (file, big, sizeof big, NULL, true, 0, NULL, NULL, error);
    return NULL;
}

static void save_cancelled_check (void *data, bool cancelled, uint32_t point)
{
    bool has_backup = access (eddy_test_path ("file~"), F_OK) == 0;
    (void) data;
    (void) point;
    if (cancelled) {
        expect_file ("file", "old");
    } else {
        ck_assert_int_eq (stat_file ("file").st_size, BIG);
        expect_file ("file~", "old");
    }
    ck_assert_int_eq (eddy_test_count_names (eddy_test_directory ()), has_backup ? 2 : 1);
    ck_assert_int_eq (has_backup, !cancelled);
    unlink (eddy_test_path ("file~"));
    write_file ("file", "old");
}

EDDY_TEST (F4_cancelled_everywhere)
{
    EddyTestCancelReport report;
    write_file ("file", "old");
    bool good = eddy_test_cancel_everywhere (save_cancelled, NULL, save_cancelled_check, &report);
    ck_assert_msg (good, "%s", report.failure);
    ck_assert_uint_gt (report.cancelled, 3);
}

enum { MANY = 8, MANY_ROUNDS = 25, MANY_SIZE = 20000 };

static void *save_many (void *data, EddyError **error)
{
    EDDY_AUTO (EddyFile) file = eddy_test_file ("file");
    char text[MANY_SIZE];
    memset (text, 'a' + (int) (intptr_t) data, sizeof text);
    for (int i = 0; i < MANY_ROUNDS; i++)
        if (!eddy_file_replace_contents (file, text, sizeof text, NULL, i % 2 == 0, 0, NULL, NULL,
                                         error))
            return NULL;
    return NULL;
}

/* Whoever is last wins; everybody is done, and the file is somebody's, whole. */
EDDY_TEST_TIMEOUT (D_replace_by_many_at_once, 60)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyFuture *savers[MANY];
    char found[MANY_SIZE + 1];
    for (intptr_t i = 0; i < MANY; i++)
        savers[i] = eddy_spawn (context, save_many, (void *) i, NULL);
    for (int i = 0; i < MANY; i++) {
        EddyError *error = NULL;
        eddy_block_on (context, savers[i], &error);
        ck_assert_msg (error == NULL, "%s", error == NULL ? "" : eddy_error_get_message (error));
        eddy_unref (savers[i]);
    }
    int fd = open (eddy_test_path ("file"), O_RDONLY | O_CLOEXEC);
    ck_assert_int_eq (read (fd, found, sizeof found), MANY_SIZE);
    close (fd);
    ck_assert_mem_eq (found, found + 1, MANY_SIZE - 1);
    ck_assert_int_eq (eddy_test_count_names (eddy_test_directory ()), 2);
    eddy_test_context_end (context);
}
