/* SPDX-License-Identifier: MIT */
/*
 * Places where nothing can be written: what fails says so, with its path; what was there stays, and
 * nothing is left beside it.
 *
 * File systems that are full or cannot be written are made for the test, in a namespace of its own
 * process that ends with it; where that is not allowed, it says so.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "context.h"

enum { OLD_SIZE = 1000, BIG_SIZE = 1 << 20 };

static char big[BIG_SIZE];

/* ---- A file system of the test's own --------------------------------------------------------- */

static bool write_map (const char *path, unsigned id)
{
    char text[32];
    int length = snprintf (text, sizeof text, "0 %u 1", id);
    int fd = open (path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool is_written = write (fd, text, (size_t) length) == length;
    close (fd);
    return is_written;
}

/* Without root, in a namespace where this user is root. */
static bool namespace_begin (void)
{
    unsigned user = geteuid (), group = getegid ();
    if (user == 0)
        return unshare (CLONE_NEWNS) == 0 &&
               mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
    if (unshare (CLONE_NEWUSER | CLONE_NEWNS) != 0)
        return false;
    int fd = open ("/proc/self/setgroups", O_WRONLY | O_CLOEXEC);
    bool is_denied = fd >= 0 && write (fd, "deny", 4) == 4;
    close (fd);
    return is_denied && write_map ("/proc/self/uid_map", user) &&
           write_map ("/proc/self/gid_map", group);
}

/* Mounts one at "disk", with a file "disk/old". The context comes after it: threads would keep the
 * process out of a namespace. */
static void disk_begin (const char *options)
{
    ck_assert_int_eq (mkdir (eddy_test_path ("disk"), 0700), 0);
    if (!namespace_begin () ||
        mount ("eddy-test", eddy_test_path ("disk"), "tmpfs", 0, options) != 0)
        EDDY_TEST_SKIP ("no file system can be mounted here");
    int fd = open (eddy_test_path ("disk/old"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_eq (write (fd, big, OLD_SIZE), OLD_SIZE);
    close (fd);
    fd = open (eddy_test_path ("big"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_eq (write (fd, big, BIG_SIZE), BIG_SIZE);
    close (fd);
}

static EddyFile *file_of (const char *name)
{
    return eddy_file_new_for_path (name[0] == '/' ? name : eddy_test_path (name));
}

/* The error is of this code and about this file; gives it up. */
static void expect (bool is_done, EddyError **error, EddyIOErrorCode code, const char *name)
{
    const char *path = name[0] == '/' ? name : eddy_test_path (name);
    ck_assert_msg (!is_done, "%s: it was done", name);
    ck_assert_ptr_nonnull (*error);
    ck_assert_msg (strncmp (eddy_error_get_message (*error), path, strlen (path)) == 0,
                   "\"%s\" is not about %s", eddy_error_get_message (*error), name);
    eddy_test_expect_error (error, code);
}

/* ---- What is tried --------------------------------------------------------------------------- */

static void save_fails (const char *name, size_t size, EddyIOErrorCode code)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddyFile) file = file_of (name);
    bool is_done = eddy_file_replace_contents (file, big, size, NULL, /* make_backup= */ true,
                                               EDDY_FILE_CREATE_NONE, NULL, NULL, &error);
    expect (is_done, &error, code, name);
}

static void copy_fails (const char *name, EddyIOErrorCode code)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddyFile) source = file_of ("big");
    EDDY_AUTO (EddyFile) file = file_of (name);
    bool is_done =
        eddy_file_copy (source, file, EDDY_FILE_COPY_OVERWRITE, NULL, NULL, NULL, &error);
    expect (is_done, &error, code, name);
}

/* Appends; what the count says has been written is there. */
static void append_fails (const char *name, EddyIOErrorCode code)
{
    EddyError *error = NULL;
    size_t count = 0;
    struct stat before, after;
    EDDY_AUTO (EddyFile) file = file_of (name);
    const char *path = eddy_file_get_path (file);
    ck_assert_int_eq (stat (path, &before), 0);
    EddyFileOutputStream *stream = eddy_file_append_to (file, 0, NULL, &error);
    if (stream == NULL) {
        expect (false, &error, code, name);
        return;
    }
    bool is_done = eddy_output_stream_write_all (EDDY_OUTPUT_STREAM (stream), big, BIG_SIZE, &count,
                                                 NULL, &error);
    expect (is_done, &error, code, name);
    ck_assert (eddy_output_stream_close (EDDY_OUTPUT_STREAM (stream), NULL, &error));
    eddy_unref (stream);
    ck_assert_int_eq (stat (path, &after), 0);
    ck_assert_int_eq (after.st_size - before.st_size, S_ISREG (after.st_mode) ? (off_t) count : 0);
}

static void write_fails (const char *name, EddyIOErrorCode code)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddyFile) file = file_of (name);
    int fd = open (eddy_file_get_path (file), O_WRONLY | O_CLOEXEC);
    ck_assert_int_ge (fd, 0);
    ck_assert_int_eq (eddy_fd_write (fd, big, 4096, 1 << 30, NULL, &error), -1);
    eddy_test_expect_error (&error, code);
    close (fd);
}

static void expect_old (const char *name)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddyFile) file = file_of (name);
    EDDY_AUTO (EddyBytes) bytes = eddy_file_load_contents (file, NULL, &error);
    ck_assert_ptr_nonnull (bytes);
    ck_assert_uint_eq (eddy_bytes_get_size (bytes), OLD_SIZE);
}

/* ---- Full ------------------------------------------------------------------------------------ */

static void *use_full_device (void *data, EddyError **error)
{
    (void) data;
    (void) error;
    append_fails ("/dev/full", EDDY_IO_ERROR_NO_SPACE);
    write_fails ("/dev/full", EDDY_IO_ERROR_NO_SPACE);
    save_fails ("/dev/full", 1, EDDY_IO_ERROR_NOT_REGULAR_FILE);
    copy_fails ("/dev/full", EDDY_IO_ERROR_NOT_SUPPORTED);
    return NULL;
}

/* A device is written to, and never replaced. */
EDDY_TEST (D_places_full_device)
{
    struct stat status;
    EddyContext *context = eddy_test_context_begin ();
    int fd = open (eddy_test_path ("big"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    close (fd);
    eddy_test_run_fiber (context, use_full_device, NULL);
    use_full_device (NULL, NULL);
    ck_assert_int_eq (stat ("/dev/full", &status), 0);
    ck_assert (S_ISCHR (status.st_mode));
    eddy_test_context_end (context);
}

static void *use_full_disk (void *data, EddyError **error)
{
    (void) data;
    (void) error;
    save_fails ("disk/old", BIG_SIZE, EDDY_IO_ERROR_NO_SPACE);
    save_fails ("disk/new", BIG_SIZE, EDDY_IO_ERROR_NO_SPACE);
    copy_fails ("disk/old", EDDY_IO_ERROR_NO_SPACE);
    copy_fails ("disk/new", EDDY_IO_ERROR_NO_SPACE);
    expect_old ("disk/old");
    ck_assert_int_eq (eddy_test_count_names (eddy_test_path ("disk")), 1);
    append_fails ("disk/old", EDDY_IO_ERROR_NO_SPACE);
    append_fails ("disk/old", EDDY_IO_ERROR_NO_SPACE);
    /* And again as it was, now that there is room. */
    ck_assert_int_eq (truncate (eddy_test_path ("disk/old"), OLD_SIZE), 0);
    return NULL;
}

EDDY_TEST (D_places_full_disk)
{
    disk_begin ("size=128k");
    EddyContext *context = eddy_test_context_begin ();
    eddy_test_run_fiber (context, use_full_disk, NULL);
    use_full_disk (NULL, NULL);
    expect_old ("disk/old");
    eddy_test_context_end (context);
}

/* Folders until there is no room for one more; returns how many. */
static int fill_with_folders (void)
{
    EddyError *error = NULL;
    for (int n_made = 0;; n_made++) {
        char name[32];
        snprintf (name, sizeof name, "disk/folder %d", n_made);
        EDDY_AUTO (EddyFile) file = file_of (name);
        ck_assert_int_lt (n_made, 8);
        if (!eddy_file_make_directory (file, NULL, &error)) {
            expect (false, &error, EDDY_IO_ERROR_NO_SPACE, name);
            return n_made;
        }
    }
}

static void *use_without_room_for_names (void *data, EddyError **error)
{
    (void) data;
    (void) error;
    save_fails ("disk/old", 1, EDDY_IO_ERROR_NO_SPACE);
    save_fails ("disk/new", 1, EDDY_IO_ERROR_NO_SPACE);
    copy_fails ("disk/old", EDDY_IO_ERROR_NO_SPACE);
    expect_old ("disk/old");
    return NULL;
}

/* No room for a further file: what there is cannot be replaced, nor lost. */
EDDY_TEST (D_places_no_further_file)
{
    disk_begin ("size=1m,nr_inodes=8");
    EddyContext *context = eddy_test_context_begin ();
    int n_made = fill_with_folders ();
    eddy_test_run_fiber (context, use_without_room_for_names, NULL);
    use_without_room_for_names (NULL, NULL);
    ck_assert_int_eq (eddy_test_count_names (eddy_test_path ("disk")), n_made + 1);
    eddy_test_context_end (context);
}

/* ---- Not to be written ----------------------------------------------------------------------- */

static void names_fail (EddyIOErrorCode code)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddyFile) old = file_of ("disk/old");
    EDDY_AUTO (EddyFile) fresh = file_of ("disk/new");
    EDDY_AUTO (EddyFile) outside = file_of ("big");
    expect (eddy_file_delete (old, NULL, &error), &error, code, "disk/old");
    expect (eddy_file_make_directory (fresh, NULL, &error), &error, code, "disk/new");
    expect (eddy_file_make_symbolic_link (fresh, "x", NULL, &error), &error, code, "disk/new");
    expect (eddy_file_make_hard_link (old, fresh, NULL, &error), &error, code, "disk/new");
    expect (eddy_file_copy_attributes (outside, old, EDDY_FILE_COPY_ALL_METADATA, NULL, &error),
            &error, code, "disk/old");
    EddyFileOutputStream *stream = eddy_file_create (fresh, 0, NULL, &error);
    expect (stream != NULL, &error, code, "disk/new");
}

static void *use_read_only (void *data, EddyError **error)
{
    (void) data;
    (void) error;
    save_fails ("disk/old", 1, EDDY_IO_ERROR_READ_ONLY);
    save_fails ("disk/new", 1, EDDY_IO_ERROR_READ_ONLY);
    copy_fails ("disk/old", EDDY_IO_ERROR_READ_ONLY);
    copy_fails ("disk/new", EDDY_IO_ERROR_READ_ONLY);
    append_fails ("disk/old", EDDY_IO_ERROR_READ_ONLY);
    names_fail (EDDY_IO_ERROR_READ_ONLY);
    expect_old ("disk/old");
    ck_assert_int_eq (eddy_test_count_names (eddy_test_path ("disk")), 1);
    return NULL;
}

EDDY_TEST (D_places_read_only_disk)
{
    disk_begin ("size=1m");
    if (mount (NULL, eddy_test_path ("disk"), NULL, MS_REMOUNT | MS_RDONLY, NULL) != 0)
        EDDY_TEST_SKIP ("no file system can be made read-only here");
    EddyContext *context = eddy_test_context_begin ();
    eddy_test_run_fiber (context, use_read_only, NULL);
    use_read_only (NULL, NULL);
    eddy_test_context_end (context);
}

static void use_read_only_folder (void *data)
{
    (void) data;
    save_fails ("disk/old", 1, EDDY_IO_ERROR_PERMISSION_DENIED);
    save_fails ("disk/new", 1, EDDY_IO_ERROR_PERMISSION_DENIED);
    copy_fails ("disk/old", EDDY_IO_ERROR_PERMISSION_DENIED);
    copy_fails ("disk/new", EDDY_IO_ERROR_PERMISSION_DENIED);
    expect_old ("disk/old");
    ck_assert_int_eq (eddy_test_count_names (eddy_test_path ("disk")), 1);
}

EDDY_TEST (D_places_read_only_folder)
{
    ck_assert_int_eq (mkdir (eddy_test_path ("disk"), 0755), 0);
    const char *names[] = { "disk/old", "big" };
    for (int i = 0; i < 2; i++) {
        int fd = open (eddy_test_path (names[i]), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
        ck_assert_int_eq (write (fd, big, OLD_SIZE), OLD_SIZE);
        ck_assert_int_eq (fchmod (fd, 0666), 0);
        close (fd);
    }
    ck_assert_int_eq (chmod (eddy_test_path ("disk"), 0555), 0);
    eddy_test_run_as_nobody (use_read_only_folder, NULL);
    ck_assert_int_eq (chmod (eddy_test_path ("disk"), 0755), 0);
}

/* ---- Gone ------------------------------------------------------------------------------------ */

/* Every operation on a file of a folder that is no longer anywhere. */
static void *gone_fail (void *data, EddyError **fiber_error)
{
    EddyFile *file = data;
    EddyError *error = NULL;
    (void) fiber_error;
    EDDY_AUTO (EddyFile) source = file_of ("big");
    ck_assert_ptr_null (eddy_file_load_contents (file, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_FOUND);
    ck_assert (!eddy_file_replace_contents (file, "x", 1, NULL, true, 0, NULL, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_FOUND);
    ck_assert (!eddy_file_copy (source, file, 0, NULL, NULL, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_FOUND);
    ck_assert (!eddy_file_make_directory (file, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_FOUND);
    ck_assert_ptr_null (eddy_file_append_to (file, 0, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_FOUND);
    ck_assert (!eddy_file_delete (file, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_FOUND);
    return NULL;
}

EDDY_TEST (D_places_vanished_folder)
{
    EddyError *error = NULL;
    EddyContext *context = eddy_test_context_begin ();
    int fd = open (eddy_test_path ("big"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    close (fd);
    ck_assert_int_eq (mkdir (eddy_test_path ("folder"), 0700), 0);
    EDDY_AUTO (EddyFile) folder = file_of ("folder");
    EDDY_AUTO (EddyDir) dir = eddy_dir_open (folder, NULL, &error);
    EDDY_AUTO (EddyFile) of_dir = eddy_dir_get_file (dir, "file");
    EDDY_AUTO (EddyFile) by_name = eddy_file_new_for_path ("file");
    EDDY_AUTO (EddyFile) by_path = file_of ("folder/file");
    ck_assert_int_eq (chdir (eddy_test_path ("folder")), 0);
    ck_assert_int_eq (rmdir (eddy_test_path ("folder")), 0);
    EddyFile *files[] = { of_dir, by_name, by_path };
    for (int i = 0; i < 3; i++) {
        gone_fail (files[i], NULL);
        eddy_test_run_fiber (context, gone_fail, files[i]);
    }
    ck_assert_int_eq (chdir ("/"), 0);
    ck_assert_int_eq (eddy_test_count_names (eddy_test_path (".")), 1);
    eddy_test_context_end (context);
}
