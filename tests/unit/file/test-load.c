/* SPDX-License-Identifier: MIT */
/*
 * Loading whole files.
 */
#include "base/alloc-private.h"
#include "files.h"

static EddyBytes *load (const char *name, EddyCancellable *cancellable, EddyError **error)
{
    EDDY_AUTO (EddyFile) file = files_new (name);

    return eddy_file_load_contents (file, cancellable, error);
}

static void load_assert_same (const char *name)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddyBytes) bytes = load (name, NULL, &error);

    ck_assert_msg (error == NULL, "%s", error == NULL ? "" : eddy_error_get_message (error));
    const char *data = eddy_bytes_get_data (bytes);
    files_assert_contents (name, data, eddy_bytes_get_size (bytes));
    ck_assert_int_eq (data[eddy_bytes_get_size (bytes)], '\0');
}

EDDY_TEST (load_of_every_size)
{
    const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 1 << 20, (1 << 20) + 1, 5 << 20 };

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        files_write_pattern ("file", sizes[i]);
        load_assert_same ("file");
    }
}

EDDY_TEST (load_of_a_known_size_reads_once)
{
    files_write_pattern ("file", 10000);
    eddy_test_count_calls ();
    load_assert_same ("file");
    ck_assert_uint_eq (eddy_test_call_count (EDDY_SYS_READ), 1);
}

/* Asked, opened, read, closed. */
EDDY_TEST (load_of_a_small_file_makes_four_calls)
{
    files_write_pattern ("file", 10000);
    eddy_test_count_calls ();
    load_assert_same ("file");
    ck_assert_uint_eq (eddy_test_call_count (EDDY_SYS_STATX), 1);
    ck_assert_uint_eq (eddy_test_call_count (EDDY_SYS_OPENAT), 1);
    ck_assert_uint_eq (eddy_test_call_count (EDDY_SYS_CLOSE), 1);
}

EDDY_TEST (load_of_files_that_say_they_are_empty)
{
    EDDY_AUTO (EddyFile) file = eddy_file_new_for_path ("/proc/self/status");
    EddyError *error = NULL;
    EDDY_AUTO (EddyBytes) bytes = eddy_file_load_contents (file, NULL, &error);

    ck_assert_ptr_null (error);
    ck_assert_uint_gt (eddy_bytes_get_size (bytes), 100);
    ck_assert_ptr_nonnull (strstr (eddy_bytes_get_data (bytes), "Pid:"));
}

EDDY_TEST (load_goes_on_after_interruptions_and_short_answers)
{
    files_write_pattern ("file", 10000);
    eddy_test_fail_call (EDDY_SYS_READ, 2, EINTR, false);
    eddy_test_shorten_call (EDDY_SYS_READ, 999);
    load_assert_same ("file");
    ck_assert_uint_eq (eddy_test_fault_hits (EDDY_SYS_READ), 1);
    ck_assert_uint_gt (eddy_test_short_hits (EDDY_SYS_READ), 9);
}

/* ---- Files that change ----------------------------------------------------------------------- */

static int64_t change_size;

static int change_ask (EddySysCall call, void *data)
{
    (void) data;
    if (call == EDDY_SYS_READ && change_size >= 0) {
        ck_assert_int_eq (truncate (eddy_test_path ("file"), change_size), 0);
        change_size = -1;
    }
    return 0;
}

static void load_while_it_becomes (int64_t size)
{
    files_write_pattern ("file", 10000);
    change_size = size;
    eddy__sys_set_fault (change_ask, NULL);
    load_assert_same ("file");
    eddy__sys_set_fault (NULL, NULL);
    ck_assert_int_eq (change_size, -1);
}

EDDY_TEST (load_of_a_file_that_changes)
{
    load_while_it_becomes (0);
    load_while_it_becomes (9999);
    load_while_it_becomes (10001);
    load_while_it_becomes (10002);
    load_while_it_becomes (3000000);
}

/* Between the question what it is and its opening, the name goes to another file. */
static int successor_ask (EddySysCall call, void *data)
{
    const char *path = eddy_test_path ("file"), *successor = eddy_test_path (data);
    if (call == EDDY_SYS_OPENAT && access (successor, F_OK) == 0) {
        ck_assert_int_eq (unlink (path), 0);
        ck_assert_int_eq (rename (successor, path), 0);
    }
    return 0;
}

static EddyBytes *load_with_successor (const char *name, EddyError **error)
{
    char successor[16];
    snprintf (successor, sizeof successor, "%s", name);
    files_write_pattern ("file", 10000);
    eddy__sys_set_fault (successor_ask, successor);
    EddyBytes *bytes = load ("file", NULL, error);
    eddy__sys_set_fault (NULL, NULL);
    return bytes;
}

EDDY_TEST (load_of_a_name_that_another_file_takes)
{
    const size_t sizes[] = { 0, 9999, 10000, 10001, 3000000 };
    EddyError *error = NULL;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        files_write_pattern ("other", sizes[i]);
        EDDY_AUTO (EddyBytes) bytes = load_with_successor ("other", &error);
        ck_assert_ptr_nonnull (bytes);
        files_assert_contents ("file", eddy_bytes_get_data (bytes), eddy_bytes_get_size (bytes));
        ck_assert_uint_eq (eddy_bytes_get_size (bytes), sizes[i]);
    }
    ck_assert_int_eq (mkfifo (eddy_test_path ("fifo"), 0600), 0);
    ck_assert_ptr_null (load_with_successor ("fifo", &error));
    files_assert_error (&error, EDDY_IO_ERROR_NOT_REGULAR_FILE, EOPNOTSUPP, "file");
    ck_assert_int_eq (unlink (eddy_test_path ("file")), 0);
    ck_assert_int_eq (mkdir (eddy_test_path ("folder"), 0700), 0);
    ck_assert_ptr_null (load_with_successor ("folder", &error));
    files_assert_error (&error, EDDY_IO_ERROR_IS_DIRECTORY, EISDIR, "file");
}

/* ---- Failures -------------------------------------------------------------------------------- */

EDDY_TEST (load_fails_at_every_call)
{
    const EddySysCall calls[] = { EDDY_SYS_OPENAT, EDDY_SYS_STATX, EDDY_SYS_READ };
    EddyError *error = NULL;

    files_write_pattern ("file", 10000);
    for (unsigned i = 0; i < 3; i++) {
        eddy_test_fail_call (calls[i], 1, EIO, false);
        ck_assert_ptr_null (load ("file", NULL, &error));
        ck_assert_uint_eq (eddy_test_fault_hits (calls[i]), 1);
        eddy_test_no_faults ();
        files_assert_error (&error, EDDY_IO_ERROR_FAILED, EIO, "file");
    }
}

EDDY_TEST (load_of_what_is_no_file)
{
    EddyError *error = NULL;

    ck_assert_ptr_null (load ("none", NULL, &error));
    files_assert_error (&error, EDDY_IO_ERROR_NOT_FOUND, ENOENT, "none");
    ck_assert_ptr_null (load ("", NULL, &error));
    files_assert_error (&error, EDDY_IO_ERROR_IS_DIRECTORY, EISDIR, "");
    ck_assert_int_eq (mkfifo (eddy_test_path ("fifo"), 0600), 0);
    ck_assert_ptr_null (load ("fifo", NULL, &error));
    files_assert_error (&error, EDDY_IO_ERROR_NOT_REGULAR_FILE, EOPNOTSUPP, "fifo");
    /* which open(2) has no name for */
    ck_assert_int_eq (mknod (eddy_test_path ("socket"), S_IFSOCK | 0600, 0), 0);
    ck_assert_ptr_null (load ("socket", NULL, &error));
    files_assert_error (&error, EDDY_IO_ERROR_NOT_REGULAR_FILE, EOPNOTSUPP, "socket");
}

static int memory_is_out (size_t size, void *data)
{
    (void) data;
    return size > 1000000;
}

EDDY_TEST (load_without_memory)
{
    EddyError *error = NULL;

    files_write ("file", "x", 1);
    ck_assert_int_eq (truncate (eddy_test_path ("file"), INT64_C (1) << 40), 0);
    eddy__alloc_set_fault (memory_is_out, NULL);
    ck_assert_ptr_null (load ("file", NULL, &error));
    eddy__alloc_set_fault (NULL, NULL);
    files_assert_error (&error, EDDY_IO_ERROR_NO_MEMORY, ENOMEM, "file");
}

static int cancel_ask (EddySysCall call, void *data)
{
    if (call == EDDY_SYS_READ)
        eddy_cancellable_cancel (data);
    return 0;
}

EDDY_TEST (load_cancelled_in_the_middle)
{
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    EddyError *error = NULL;

    files_write_pattern ("file", 5 << 20);
    eddy__sys_set_fault (cancel_ask, cancellable);
    ck_assert_ptr_null (load ("file", cancellable, &error));
    eddy__sys_set_fault (NULL, NULL);
    ck_assert (eddy_error_is_cancelled (error));
    eddy_clear_error (&error);
}
