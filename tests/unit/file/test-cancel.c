/* SPDX-License-Identifier: MIT */
/*
 * Cancelling: before, in the middle, at random moments from another thread. What is not whole is
 * gone afterwards, what it would have replaced is still there.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "files.h"

static void assert_cancelled (EddyError **error)
{
    ck_assert (eddy_error_is_cancelled (*error));
    eddy_clear_error (error);
}

EDDY_TEST (cancelled_before_it_begins)
{
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    EDDY_AUTO (EddyFile) file = files_new ("from");
    EDDY_AUTO (EddyFile) folder = eddy_file_new_for_path (eddy_test_directory ());
    EddyError *error = NULL;

    files_write ("from", "text", 4);
    eddy_cancellable_cancel (cancellable);
    eddy_test_count_calls ();
    ck_assert (!files_copy_full ("from", "to", 0, cancellable, &error));
    assert_cancelled (&error);
    ck_assert_ptr_null (eddy_file_query_info (file, 0, cancellable, &error));
    assert_cancelled (&error);
    ck_assert_ptr_null (eddy_file_load_contents (file, cancellable, &error));
    assert_cancelled (&error);
    ck_assert_ptr_null (eddy_file_list_children (folder, cancellable, &error));
    assert_cancelled (&error);
    ck_assert (!eddy_file_copy_attributes (file, folder, 0, cancellable, &error));
    assert_cancelled (&error);
    ck_assert (!eddy_file_delete (file, cancellable, &error));
    assert_cancelled (&error);
    ck_assert_uint_eq (eddy_test_call_count (EDDY_SYS_OPENAT), 0);
    ck_assert_uint_eq (eddy_test_call_count (EDDY_SYS_UNLINKAT), 0);
    ck_assert_int_eq (files_count (), 1);
}

EDDY_TEST (cancelled_with_a_cause)
{
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    EddyError *error = NULL;

    files_write ("from", "text", 4);
    eddy_cancellable_cancel_with_cause (
        cancellable, eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_TIMED_OUT, "no time left"));
    ck_assert (!files_copy_full ("from", "to", 0, cancellable, &error));
    ck_assert_str_eq (eddy_error_get_message (error), "no time left");
    eddy_clear_error (&error);
}

/* ---- At every call --------------------------------------------------------------------------- */

typedef struct CancelAt {
    EddyCancellable *cancellable;
    unsigned nth;
    unsigned seen;
} CancelAt;

static int cancel_at_ask (EddySysCall call, void *data)
{
    CancelAt *at = data;
    (void) call;
    if (++at->seen == at->nth)
        eddy_cancellable_cancel (at->cancellable);
    return 0;
}

/* Whether it was copied all the same. */
static bool copy_cancelled_at (unsigned nth, EddyFileCopyFlags flags, unsigned *n_calls)
{
    CancelAt at = { eddy_cancellable_new (), nth, 0 };
    EddyError *error = NULL;

    eddy__sys_set_fault (cancel_at_ask, &at);
    bool is_copied = files_copy_full ("from", "to", flags, at.cancellable, &error);
    eddy__sys_set_fault (NULL, NULL);
    *n_calls = at.seen;
    eddy_unref (at.cancellable);
    if (!is_copied)
        assert_cancelled (&error);
    ck_assert_ptr_null (error);
    return is_copied;
}

EDDY_TEST (cancelled_at_every_call_a_new_file_is_whole_or_gone)
{
    unsigned n_calls = 1, n_cancelled = 0;

    files_write_pattern ("from", 500000);
    for (unsigned nth = 1; nth <= n_calls; nth++) {
        if (copy_cancelled_at (nth, FILES_KEEP_ALL, &n_calls)) {
            files_assert_same ("from", "to");
            ck_assert_int_eq (unlink (eddy_test_path ("to")), 0);
        } else {
            n_cancelled++;
            n_calls = 100;
        }
        ck_assert_int_eq (files_count (), 1);
    }
    /* Its four chunks have eight calls. */
    ck_assert_uint_ge (n_cancelled, 8);
}

EDDY_TEST (cancelled_at_every_call_an_old_file_stays_or_is_replaced)
{
    unsigned n_calls = 1, n_cancelled = 0;

    files_write_pattern ("from", 500000);
    for (unsigned nth = 1; nth <= n_calls; nth++) {
        files_write ("to", "old", 3);
        if (copy_cancelled_at (nth, FILES_KEEP_ALL | EDDY_FILE_COPY_OVERWRITE, &n_calls)) {
            files_assert_same ("from", "to");
        } else {
            n_cancelled++;
            n_calls = 100;
            files_assert_contents ("to", "old", 3);
        }
        ck_assert_int_eq (files_count (), 2);
    }
    ck_assert_uint_ge (n_cancelled, 8);
}

EDDY_TEST (cancelled_in_the_middle_of_holes)
{
    unsigned n_calls = 1, n_cancelled = 0;

    files_write_pattern ("from", 5000);
    for (int i = 1; i < 6; i++) {
        ck_assert_int_eq (truncate (eddy_test_path ("from"), i << 20), 0);
        files_append ("from", "data", 4);
    }
    for (unsigned nth = 1; nth <= n_calls; nth++) {
        if (copy_cancelled_at (nth, 0, &n_calls)) {
            files_assert_same ("from", "to");
            ck_assert_int_eq (unlink (eddy_test_path ("to")), 0);
        } else {
            n_cancelled++;
            n_calls = 200;
        }
        ck_assert_int_eq (files_count (), 1);
    }
    ck_assert_uint_ge (n_cancelled, 15);
}

/* ---- From another thread --------------------------------------------------------------------- */

typedef struct Canceller {
    EddyCancellable *cancellable;
    int64_t delay_ns;
} Canceller;

static void *canceller_run (void *data)
{
    Canceller *canceller = data;
    struct timespec delay = { 0, canceller->delay_ns };

    nanosleep (&delay, NULL);
    eddy_cancellable_cancel (canceller->cancellable);
    return NULL;
}

static int64_t now_ns (void)
{
    struct timespec now;

    clock_gettime (CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C (1000000000) + now.tv_nsec;
}

/* The better of two, so that most cancels fall into the copy. */
static int64_t duration_of_copy (void)
{
    int64_t best = INT64_MAX;

    for (int i = 0; i < 2; i++) {
        int64_t began = now_ns ();
        files_copy ("from", "to", FILES_KEEP_ALL);
        int64_t duration = now_ns () - began;
        best = duration < best ? duration : best;
        ck_assert_int_eq (unlink (eddy_test_path ("to")), 0);
    }
    return best;
}

/* `rounds` copies, each cancelled at a random moment of the time that a copy takes. */
static void copy_cancelled_at_random (size_t size, int rounds)
{
    unsigned state = 4711;
    int n_cancelled = 0;

    files_write_pattern ("from", size);
    int64_t duration = duration_of_copy ();
    for (int i = 0; i < rounds; i++) {
        Canceller canceller = { eddy_cancellable_new (), 0 };
        EddyError *error = NULL;
        pthread_t thread;
        state = state * 1103515245 + 12345;
        canceller.delay_ns = (int64_t) (state >> 8) % 1024 * duration / 1024;
        ck_assert_int_eq (pthread_create (&thread, NULL, canceller_run, &canceller), 0);
        bool is_copied =
            files_copy_full ("from", "to", FILES_KEEP_ALL, canceller.cancellable, &error);
        pthread_join (thread, NULL);
        eddy_unref (canceller.cancellable);
        ck_assert_int_eq (files_exists ("to"), is_copied);
        if (is_copied) {
            ck_assert_int_eq (files_stat ("to").st_size, (off_t) size);
            ck_assert_int_eq (unlink (eddy_test_path ("to")), 0);
        } else {
            assert_cancelled (&error);
            n_cancelled++;
        }
        ck_assert_int_eq (files_count (), 1);
    }
    printf ("%d of %d copies of %zu bytes were cancelled\n", n_cancelled, rounds, size);
    ck_assert_int_gt (n_cancelled, rounds / 4);
}

EDDY_TEST_TIMEOUT (cancelled_at_random_moments_from_another_thread, 60)
{
    int rounds = eddy_test_sanitized () ? 30 : 150;

    copy_cancelled_at_random ((size_t) 16 << 20, rounds);
    copy_cancelled_at_random ((size_t) 40 << 20, rounds / 3);
}
