/* SPDX-License-Identifier: MIT */
/*
 * Contents so large that two threads move them.
 */
#include "base/alloc-private.h"
#include "files.h"

enum { LARGE = (33 << 20) + 12345, LARGE_CHUNK = 128 * 1024 };

EDDY_TEST (large_file_is_copied_whole)
{
    files_write_pattern ("from", LARGE);
    files_copy ("from", "to", FILES_KEEP_ALL);
    files_assert_same ("from", "to");
    ck_assert_int_eq (files_stat ("to").st_mtim.tv_nsec, files_stat ("from").st_mtim.tv_nsec);
}

EDDY_TEST (large_file_with_interruptions_and_short_answers)
{
    files_write_pattern ("from", LARGE);
    eddy_test_fail_call (EDDY_SYS_PREAD, 7, EINTR, false);
    eddy_test_fail_call (EDDY_SYS_PWRITE, 9, EINTR, false);
    eddy_test_shorten_call (EDDY_SYS_PREAD, 50000);
    eddy_test_shorten_call (EDDY_SYS_PWRITE, 70001);
    files_copy ("from", "to", 0);
    ck_assert_uint_eq (eddy_test_fault_hits (EDDY_SYS_PREAD), 1);
    ck_assert_uint_eq (eddy_test_fault_hits (EDDY_SYS_PWRITE), 1);
    ck_assert_uint_gt (eddy_test_short_hits (EDDY_SYS_PREAD), LARGE / LARGE_CHUNK);
    eddy_test_no_faults ();
    files_assert_same ("from", "to");
}

EDDY_TEST (large_file_fails_at_any_chunk)
{
    const EddySysCall calls[] = { EDDY_SYS_PREAD, EDDY_SYS_PWRITE };
    const unsigned nths[] = { 1, 2, 100, LARGE / LARGE_CHUNK, LARGE / LARGE_CHUNK + 1 };

    files_write_pattern ("from", LARGE);
    for (size_t i = 0; i < sizeof nths / sizeof nths[0]; i++)
        for (int call = 0; call < 4; call++) {
            EddyError *error = NULL;
            int n_fds = files_count_fds ();
            eddy_test_fail_call (calls[call / 2], nths[i], ENOSPC, call % 2 == 1);
            ck_assert (!files_copy_full ("from", "to", FILES_KEEP_ALL, NULL, &error));
            ck_assert_uint_gt (eddy_test_fault_hits (calls[call / 2]), 0);
            eddy_test_no_faults ();
            files_assert_error (&error, EDDY_IO_ERROR_NO_SPACE, ENOSPC,
                                call / 2 == 0 ? "from" : "to");
            ck_assert_int_eq (files_count (), 1);
            ck_assert_int_eq (files_count_fds (), n_fds);
        }
}

static int memory_for_buffers_is_out (size_t size, void *data)
{
    (void) data;
    return size > 65536;
}

EDDY_TEST (large_file_without_memory_for_the_second_thread)
{
    files_write_pattern ("from", LARGE);
    /* This thread has its buffer from here on. */
    files_write ("small", "x", 1);
    files_copy ("small", "small 2", 0);
    eddy__alloc_set_fault (memory_for_buffers_is_out, NULL);
    files_copy ("from", "to", 0);
    eddy__alloc_set_fault (NULL, NULL);
    files_assert_same ("from", "to");
}

/* ---- Sources that change --------------------------------------------------------------------- */

static int64_t change_size;
static atomic_uint change_countdown;

static int change_ask (EddySysCall call, void *data)
{
    (void) data;
    if (call == EDDY_SYS_PREAD && atomic_fetch_sub (&change_countdown, 1) == 1)
        ck_assert_int_eq (truncate (eddy_test_path ("from"), change_size), 0);
    return 0;
}

/* Returns the size of the copy. */
static int64_t copy_while_it_becomes (int64_t size, unsigned at)
{
    files_write_pattern ("from", LARGE);
    change_size = size;
    atomic_store (&change_countdown, at);
    eddy__sys_set_fault (change_ask, NULL);
    files_copy ("from", "to", EDDY_FILE_COPY_OVERWRITE);
    eddy__sys_set_fault (NULL, NULL);
    return files_stat ("to").st_size;
}

EDDY_TEST (large_file_that_shrinks)
{
    const int64_t sizes[] = { 0, 5000, 10 << 20, LARGE - 1 };

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (unsigned at = 1; at < 250; at += 83) {
            int64_t size = copy_while_it_becomes (sizes[i], at);
            ck_assert_int_ge (size, sizes[i]);
            ck_assert_int_le (size, LARGE);
            files_write_pattern ("from", LARGE);
            ck_assert_int_eq (truncate (eddy_test_path ("from"), size), 0);
            files_assert_same ("from", "to");
        }
}

EDDY_TEST (large_file_that_grows)
{
    ck_assert_int_eq (copy_while_it_becomes (LARGE + 3000000, 100), LARGE + 3000000);
    files_assert_same ("from", "to");
}

static int cancel_ask (EddySysCall call, void *data)
{
    if (call == EDDY_SYS_PREAD && atomic_fetch_sub (&change_countdown, 1) == 1)
        eddy_cancellable_cancel (data);
    return 0;
}

EDDY_TEST (large_file_that_is_cancelled)
{
    files_write_pattern ("from", LARGE);
    for (unsigned at = 1; at < 250; at += 31) {
        EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
        EddyError *error = NULL;
        atomic_store (&change_countdown, at);
        eddy__sys_set_fault (cancel_ask, cancellable);
        ck_assert (!files_copy_full ("from", "to", 0, cancellable, &error));
        eddy__sys_set_fault (NULL, NULL);
        ck_assert (eddy_error_is_cancelled (error));
        eddy_clear_error (&error);
        ck_assert_int_eq (files_count (), 1);
    }
}
