/* SPDX-License-Identifier: MIT */
/*
 * Copying one file: every kind, its errors, and what it costs.
 */
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "files.h"

/* ---- Regular files --------------------------------------------------------------------------- */

EDDY_TEST (copy_of_every_size)
{
    const size_t chunk = (size_t) 128 * 1024, large = (size_t) 1 << 20;
    const size_t sizes[] = { 0,     1,         4095,  4096,      4097,      chunk - 1,
                             chunk, chunk + 1, large, large + 1, 3 * large, 2 * chunk };

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        files_write_pattern ("from", sizes[i]);
        files_copy ("from", "to", EDDY_FILE_COPY_NONE);
        files_assert_same ("from", "to");
        ck_assert_int_eq (unlink (eddy_test_path ("to")), 0);
    }
    ck_assert_int_eq (files_count (), 1);
}

EDDY_TEST (copy_keeps_permissions_without_being_asked)
{
    files_write ("from", "x", 1);
    umask (077);
    ck_assert_int_eq (chmod (eddy_test_path ("from"), 0647), 0);
    files_copy ("from", "to", EDDY_FILE_COPY_NONE);
    ck_assert_int_eq (files_stat ("to").st_mode, S_IFREG | 0647);
    ck_assert_int_eq (chmod (eddy_test_path ("from"), 0400), 0);
    files_copy ("from", "closed", EDDY_FILE_COPY_NONE);
    ck_assert_int_eq (files_stat ("closed").st_mode, S_IFREG | 0400);
}

EDDY_TEST (copy_reads_files_that_say_they_are_empty)
{
    EDDY_AUTO (EddyFile) source = eddy_file_new_for_path ("/proc/version");
    EDDY_AUTO (EddyFile) destination = files_new ("to");
    EddyError *error = NULL;

    ck_assert (eddy_file_copy (source, destination, 0, NULL, NULL, NULL, &error));
    ck_assert_int_gt (files_stat ("to").st_size, 10);
}

EDDY_TEST (copy_takes_names_as_bytes)
{
    const char *names[] = {
        "two\nlines", "\xff\xfe not UTF-8 \x80", "tab\tand \"quotes\"", "-r", " blanks ", "\x01"
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char copy[64];
        snprintf (copy, sizeof copy, "%s 2", names[i]);
        files_write (names[i], names[i], strlen (names[i]));
        files_copy (names[i], copy, FILES_KEEP_ALL);
        files_assert_same (names[i], copy);
    }
}

/* ---- Links, fifos, and what is not copied ---------------------------------------------------- */

EDDY_TEST (copy_follows_a_link_unless_told_not_to)
{
    char target[64];

    files_write ("file", "text", 4);
    ck_assert_int_eq (symlink ("file", eddy_test_path ("link")), 0);
    files_copy ("link", "followed", EDDY_FILE_COPY_NONE);
    ck_assert (S_ISREG (files_stat ("followed").st_mode));
    files_assert_contents ("followed", "text", 4);
    files_copy ("link", "itself", FILES_KEEP_ALL);
    ck_assert_int_eq (readlink (eddy_test_path ("itself"), target, sizeof target), 4);
    ck_assert_mem_eq (target, "file", 4);
    ck_assert_int_eq (files_stat ("itself").st_mtim.tv_nsec, files_stat ("link").st_mtim.tv_nsec);
}

EDDY_TEST (copy_of_links_to_nothing_and_of_any_length)
{
    char target[4096], found[4096];

    for (size_t len = 1; len <= 4095; len = len < 64 ? len + 13 : len * 2 + 1) {
        memset (target, 'x', len);
        target[len] = '\0';
        ck_assert_int_eq (symlink (target, eddy_test_path ("link")), 0);
        files_copy ("link", "copy", FILES_KEEP_ALL);
        ck_assert_int_eq (readlink (eddy_test_path ("copy"), found, sizeof found), (int) len);
        ck_assert_mem_eq (found, target, len);
        ck_assert_int_eq (unlink (eddy_test_path ("link")), 0);
        ck_assert_int_eq (unlink (eddy_test_path ("copy")), 0);
    }
    ck_assert_int_eq (symlink ("nowhere", eddy_test_path ("link")), 0);
    files_copy_fails ("link", "copy", EDDY_FILE_COPY_NONE, EDDY_IO_ERROR_NOT_FOUND, "link");
}

EDDY_TEST (copy_of_a_fifo_opens_neither_end)
{
    struct timespec times[2] = { { 1000000000, 123456789 }, { 1000000001, 987654321 } };

    ck_assert_int_eq (mkfifo (eddy_test_path ("fifo"), 0600), 0);
    ck_assert_int_eq (chmod (eddy_test_path ("fifo"), 0624), 0);
    ck_assert_int_eq (utimensat (AT_FDCWD, eddy_test_path ("fifo"), times, 0), 0);
    eddy_test_count_calls ();
    files_copy ("fifo", "copy", FILES_KEEP_ALL);
    ck_assert_uint_eq (eddy_test_call_count (EDDY_SYS_OPENAT), 0);
    eddy_test_no_faults ();
    struct stat status = files_stat ("copy");
    ck_assert_int_eq (status.st_mode, S_IFIFO | 0624);
    ck_assert_int_eq (status.st_mtim.tv_sec, 1000000001);
    ck_assert_int_eq (status.st_mtim.tv_nsec, 987654321);
    ck_assert_int_eq (status.st_atim.tv_nsec, 123456789);
}

EDDY_TEST (copy_refuses_devices_and_sockets_unopened)
{
    EDDY_AUTO (EddyFile) device = eddy_file_new_for_path ("/dev/null");
    EDDY_AUTO (EddyFile) copy = files_new ("copy");
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    EddyError *error = NULL;
    int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf (address.sun_path, sizeof address.sun_path, "%s", eddy_test_path ("socket"));
    ck_assert_int_eq (bind (fd, (struct sockaddr *) &address, sizeof address), 0);
    close (fd);
    files_copy_fails ("socket", "copy", EDDY_FILE_COPY_NONE, EDDY_IO_ERROR_NOT_SUPPORTED, "socket");
    eddy_test_count_calls ();
    ck_assert (!eddy_file_copy (device, copy, 0, NULL, NULL, NULL, &error));
    ck_assert_uint_eq (eddy_test_call_count (EDDY_SYS_OPENAT), 0);
    ck_assert_int_eq (eddy_error_get_code (error), EDDY_IO_ERROR_NOT_SUPPORTED);
    ck_assert_str_eq (eddy_error_get_message (error), "/dev/null: Operation not supported");
    eddy_clear_error (&error);
    ck_assert (!files_exists ("copy"));
}

/* ---- A name that changes hands --------------------------------------------------------------- */

typedef enum Successor { SUCCESSOR_FIFO, SUCCESSOR_FOLDER, SUCCESSOR_LINK } Successor;

/* Between the question what the source is and its opening, the name goes to another file. */
static int successor_ask (EddySysCall call, void *data)
{
    Successor *successor = data;
    const char *path = eddy_test_path ("from");
    if (call != EDDY_SYS_OPENAT || unlink (path) != 0)
        return 0;
    if (*successor == SUCCESSOR_FIFO)
        ck_assert_int_eq (mkfifo (path, 0600), 0);
    else if (*successor == SUCCESSOR_FOLDER)
        ck_assert_int_eq (mkdir (path, 0700), 0);
    else
        ck_assert_int_eq (symlink ("elsewhere", path), 0);
    return 0;
}

static bool copy_with_successor (Successor successor, EddyError **error)
{
    files_write ("from", "text", 4);
    eddy__sys_set_fault (successor_ask, &successor);
    bool is_copied = files_copy_full ("from", "to", FILES_KEEP_ALL, NULL, error);
    eddy__sys_set_fault (NULL, NULL);
    return is_copied;
}

EDDY_TEST (copy_of_a_name_that_another_file_takes)
{
    EddyError *error = NULL;

    /* No waiting for its writer: what was opened is no longer a file to be read. */
    ck_assert (copy_with_successor (SUCCESSOR_FIFO, &error));
    ck_assert (S_ISFIFO (files_stat ("to").st_mode));
    ck_assert_int_eq (unlink (eddy_test_path ("from")), 0);
    ck_assert_int_eq (unlink (eddy_test_path ("to")), 0);
    ck_assert (!copy_with_successor (SUCCESSOR_LINK, &error));
    files_assert_error (&error, EDDY_IO_ERROR_TOO_MANY_LINKS, ELOOP, "from");
    ck_assert_int_eq (unlink (eddy_test_path ("from")), 0);
    ck_assert (!copy_with_successor (SUCCESSOR_FOLDER, &error));
    files_assert_error (&error, EDDY_IO_ERROR_WOULD_RECURSE, EISDIR, "from");
    ck_assert_int_eq (files_count (), 1);
}

/* ---- What stands in the way ------------------------------------------------------------------ */

EDDY_TEST (copy_says_what_is_wrong)
{
    files_write ("file", "new", 3);
    files_write ("other", "old", 3);
    ck_assert_int_eq (mkdir (eddy_test_path ("folder"), 0700), 0);
    ck_assert_int_eq (link (eddy_test_path ("file"), eddy_test_path ("hard")), 0);

    files_copy_fails ("none", "to", 0, EDDY_IO_ERROR_NOT_FOUND, "none");
    files_copy_fails ("file", "none/to", 0, EDDY_IO_ERROR_NOT_FOUND, "none/to");
    files_copy_fails ("file", "other/to", 0, EDDY_IO_ERROR_NOT_DIRECTORY, "other/to");
    files_copy_fails ("file", "other", 0, EDDY_IO_ERROR_EXISTS, "other");
    files_copy_fails ("folder", "to", 0, EDDY_IO_ERROR_WOULD_RECURSE, "folder");
    files_copy_fails ("file", "folder", 0, EDDY_IO_ERROR_IS_DIRECTORY, "folder");
    files_copy_fails ("file", "folder", EDDY_FILE_COPY_OVERWRITE, EDDY_IO_ERROR_IS_DIRECTORY,
                      "folder");
    files_copy_fails ("file", "new/", 0, EDDY_IO_ERROR_IS_DIRECTORY, "new/");
    files_copy_fails ("file", "file", 0, EDDY_IO_ERROR_INVALID_ARGUMENT, "file");
    files_copy_fails ("file", "hard", EDDY_FILE_COPY_OVERWRITE, EDDY_IO_ERROR_INVALID_ARGUMENT,
                      "file");
    files_assert_contents ("other", "old", 3);
    files_assert_contents ("hard", "new", 3);
}

EDDY_TEST (copy_onto_itself_is_named_so)
{
    EddyError *error = NULL;
    char expected[2 * 4096];

    files_write ("a", "text", 4);
    ck_assert_int_eq (symlink ("a", eddy_test_path ("link")), 0);
    ck_assert (!files_copy_full ("link", "a", EDDY_FILE_COPY_OVERWRITE, NULL, &error));
    snprintf (expected, sizeof expected, "%s and %s are the same file", eddy_test_path ("link"),
              eddy_test_path ("a"));
    ck_assert_str_eq (eddy_error_get_message (error), expected);
    ck_assert_int_eq (eddy_error_get_errno (error), EINVAL);
    eddy_clear_error (&error);
    files_assert_contents ("a", "text", 4);
}

static void copy_as_nobody (void *data)
{
    (void) data;
    files_copy_fails ("closed", "to", 0, EDDY_IO_ERROR_PERMISSION_DENIED, "closed");
    files_copy_fails ("open", "folder/to", 0, EDDY_IO_ERROR_PERMISSION_DENIED, "folder/to");
    files_copy ("open", "to", FILES_KEEP_ALL);
    files_assert_same ("open", "to");
    /* Somebody else's file: the copy is ours, and keeps the rest. */
    ck_assert_int_eq (files_stat ("to").st_uid, geteuid ());
    ck_assert_int_eq (files_stat ("to").st_mode, S_IFREG | 0755);
    ck_assert_int_eq (files_stat ("to").st_mtim.tv_nsec, files_stat ("open").st_mtim.tv_nsec);
}

EDDY_TEST (copy_without_permission)
{
    if (geteuid () != 0)
        EDDY_TEST_SKIP ("only root can make files that are somebody else's");
    files_write ("closed", "x", 1);
    files_write ("open", "y", 1);
    ck_assert_int_eq (chmod (eddy_test_path ("closed"), 0600), 0);
    ck_assert_int_eq (chmod (eddy_test_path ("open"), 06755), 0);
    ck_assert_int_eq (mkdir (eddy_test_path ("folder"), 0755), 0);
    eddy_test_run_as_nobody (copy_as_nobody, NULL);
}

/* ---- Progress -------------------------------------------------------------------------------- */

typedef struct Progress {
    int calls;
    int64_t current;
    int64_t total;
} Progress;

static void progress_told (int64_t current_num_bytes, int64_t total_num_bytes, void *user_data)
{
    Progress *progress = user_data;

    ck_assert_int_ge (current_num_bytes, progress->current);
    ck_assert_int_ge (total_num_bytes, current_num_bytes);
    progress->calls++;
    progress->current = current_num_bytes;
    progress->total = total_num_bytes;
}

static Progress progress_of_copy (const char *from, const char *to)
{
    EDDY_AUTO (EddyFile) source = files_new (from);
    EDDY_AUTO (EddyFile) destination = files_new (to);
    Progress progress = { 0, 0, 0 };

    ck_assert (
        eddy_file_copy (source, destination, FILES_KEEP_ALL, NULL, progress_told, &progress, NULL));
    ck_assert_int_eq (progress.current, progress.total);
    return progress;
}

EDDY_TEST (copy_tells_progress_of_large_files_and_the_end_of_all)
{
    const int64_t large = 8 << 20;

    files_write_pattern ("large", (size_t) large);
    Progress progress = progress_of_copy ("large", "large 2");
    ck_assert_int_eq (progress.current, large);
    ck_assert_int_gt (progress.calls, 1);
    files_write_pattern ("small", 5000);
    progress = progress_of_copy ("small", "small 2");
    ck_assert_int_eq (progress.current, 5000);
    ck_assert_int_eq (progress.calls, 1);
    ck_assert_int_eq (mkfifo (eddy_test_path ("fifo"), 0600), 0);
    progress = progress_of_copy ("fifo", "fifo 2");
    ck_assert_int_eq (progress.current, 0);
    ck_assert_int_eq (progress.calls, 1);
}

/* ---- What it costs --------------------------------------------------------------------------- */

static unsigned count_all_calls (void)
{
    unsigned count = 0;

    for (int call = 0; call < EDDY_SYS_N_CALLS; call++)
        count += eddy_test_call_count ((EddySysCall) call);
    return count;
}

EDDY_TEST (copy_of_a_small_file_costs_eleven_system_calls)
{
    files_write_pattern ("from", 5000);
    eddy_test_count_calls ();
    files_copy ("from", "to", FILES_KEEP_ALL | EDDY_FILE_COPY_IN_PLACE);
    ck_assert_uint_eq (count_all_calls (), 11);
    ck_assert_uint_eq (eddy_test_call_count (EDDY_SYS_STATX), 3);
    ck_assert_uint_eq (eddy_test_call_count (EDDY_SYS_READ), 1);
    ck_assert_uint_eq (eddy_test_call_count (EDDY_SYS_WRITE), 1);
    eddy_test_no_faults ();
}

/* Further ones: a look at the destination, a second fd to close before it has its name, the name,
 * and whatever it takes to find out how names can be given. */
EDDY_TEST (copy_that_is_whole_or_absent_costs_four_more)
{
    files_write_pattern ("from", 5000);
    eddy_test_count_calls ();
    files_copy ("from", "to", FILES_KEEP_ALL);
    unsigned n_naming =
        eddy_test_call_count (EDDY_SYS_LINKAT) + eddy_test_call_count (EDDY_SYS_FACCESSAT);
    if (eddy_test_call_count (EDDY_SYS_LINKAT) == 0)
        EDDY_TEST_SKIP ("the temporary directory has no files without a name");
    ck_assert_uint_eq (count_all_calls () - n_naming, 14);
    eddy_test_no_faults ();
}
