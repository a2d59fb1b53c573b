/* SPDX-License-Identifier: MIT */
/*
 * Operations of a program's own, in every form that eddy-forms makes of them.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "context.h"
#include "own-bodies.h"
#include "own.h"

/* --- the bodies ------------------------------------------------------------------------------ */

int own_count_up_body (int start, int count, size_t *steps, EddyCancellable *cancellable,
                       EddyError **error)
{
    (void) cancellable;
    ck_assert (eddy_in_fiber ());
    for (int i = 0; i < count; i++) {
        if (i == 100) {
            eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_LIMIT_EXCEEDED, "too many steps");
            return -1;
        }
        if (!eddy_fiber_sleep (1000, error))
            return -1;
        ++*steps;
    }
    return start + count;
}

/* What a body was given, and found to be current. */
static EddyCancellable *join_given, *join_current;

char *own_join_body (const char *first, const char *second, EddyCancellable *cancellable,
                     EddyError **error)
{
    join_given = cancellable;
    join_current = eddy_cancellable_get_current ();
    ck_assert (!eddy_in_fiber ());
    if (*first == '\0' || *second == '\0') {
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_ARGUMENT, "an empty string");
        return NULL;
    }
    char text[64];
    snprintf (text, sizeof text, "%s%s", first, second);
    return eddy_strdup (text);
}

EddyBytes *own_load_body (EddyFile *file, EddyCancellable *cancellable,
                          EddyFileProgressCallback progress_callback, void *progress_callback_data,
                          EddyError **error)
{
    EddyBytes *bytes = eddy_file_load_contents (file, cancellable, error);
    if (bytes != NULL && progress_callback != NULL)
        progress_callback ((int64_t) eddy_bytes_get_size (bytes),
                           (int64_t) eddy_bytes_get_size (bytes), progress_callback_data);
    return bytes;
}

/* --- blocking and awaited --------------------------------------------------------------------- */

static void *call_all (void *data, EddyError **error)
{
    size_t steps = 0;
    (void) data;
    ck_assert_int_eq (own_count_up (5, 3, &steps, NULL, error), 8);
    ck_assert_uint_eq (steps, 3);
    steps = 0;
    ck_assert_int_eq (own_count_up (5, 1000, &steps, NULL, error), -1);
    ck_assert_uint_eq (steps, 100);
    eddy_test_expect_error (error, EDDY_IO_ERROR_LIMIT_EXCEEDED);
    EDDY_AUTO_FREE (char) joined = own_join ("ed", "dy", NULL, error);
    ck_assert_str_eq (joined, "eddy");
    ck_assert_ptr_null (own_join ("", "x", NULL, error));
    eddy_test_expect_error (error, EDDY_IO_ERROR_INVALID_ARGUMENT);
    return NULL;
}

EDDY_TEST (D_forms_own_operations_blocking)
{
    EddyError *error = NULL;
    call_all (NULL, &error);
}

EDDY_TEST (D_forms_own_operations_awaited)
{
    EddyContext *context = eddy_test_context_begin ();
    eddy_test_run_fiber (context, call_all, NULL);
    eddy_test_context_end (context);
}

EDDY_TEST (D_forms_blocking_call_is_cancelled)
{
    EddyCancellable *cancellable = eddy_cancellable_new ();
    EddyError *error = NULL;
    size_t steps = 7;
    eddy_cancellable_cancel (cancellable);
    ck_assert_int_eq (own_count_up (1, 5, &steps, cancellable, &error), -1);
    ck_assert_uint_eq (steps, 0);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    eddy_unref (cancellable);
}

static void *join_with_current (void *data, EddyError **error)
{
    join_given = join_current = NULL;
    EDDY_AUTO_FREE (char) joined = own_join ("ed", "dy", data, error);
    ck_assert_str_eq (joined, "eddy");
    ck_assert_ptr_nonnull (join_given);
    ck_assert_ptr_eq (join_current, join_given);
    ck_assert_ptr_null (eddy_cancellable_get_current ());
    return NULL;
}

/* In place in this thread; on a worker for a fiber, where it is one that follows the fiber, too. */
EDDY_TEST (C14_body_finds_its_cancellable_current)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyCancellable *cancellable = eddy_cancellable_new ();
    EddyError *error = NULL;
    join_with_current (cancellable, &error);
    ck_assert_ptr_eq (join_given, cancellable);
    eddy_test_run_fiber (context, join_with_current, cancellable);
    EDDY_AUTO_FREE (char) joined = own_join ("ed", "dy", NULL, NULL);
    ck_assert_str_eq (joined, "eddy");
    ck_assert_ptr_null (join_current);
    eddy_unref (cancellable);
    eddy_test_context_end (context);
}

/* --- by callback ------------------------------------------------------------------------------ */

typedef struct Call {
    int calls;
    int sum;
    size_t steps;
    char *text;
    EddyError *error;
} Call;

static void count_ready (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Call *call = user_data;
    ck_assert_ptr_null (source_object);
    call->calls++;
    call->sum = own_count_up_finish (result, &call->steps, &call->error);
}

static void join_ready (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Call *call = user_data;
    (void) source_object;
    call->calls++;
    call->text = own_join_finish (result, &call->error);
}

static void run_until_called (EddyContext *context, Call *call)
{
    ck_assert_int_eq (call->calls, 0);
    while (call->calls == 0)
        eddy_context_iteration (context, true);
    while (eddy_context_iteration (context, false))
        ;
    ck_assert_int_eq (call->calls, 1);
}

EDDY_TEST (D_forms_own_operations_by_callback)
{
    EddyContext *context = eddy_test_context_begin ();
    Call count = { .calls = 0 }, failed = { .calls = 0 }, join = { .calls = 0 };
    char first[] = "copied";
    own_count_up_async (1, 4, EDDY_PRIORITY_DEFAULT, NULL, count_ready, &count);
    own_count_up_async (1, 400, EDDY_PRIORITY_DEFAULT, NULL, count_ready, &failed);
    own_join_async (first, "!", EDDY_PRIORITY_DEFAULT, NULL, join_ready, &join);
    first[0] = 'X';
    run_until_called (context, &count);
    while (failed.calls + join.calls < 2)
        eddy_context_iteration (context, true);
    ck_assert_int_eq (count.sum, 5);
    ck_assert_uint_eq (count.steps, 4);
    ck_assert_str_eq (join.text, "copied!");
    eddy_free (join.text);
    ck_assert_int_eq (failed.sum, -1);
    ck_assert_uint_eq (failed.steps, 100);
    eddy_test_expect_error (&failed.error, EDDY_IO_ERROR_LIMIT_EXCEEDED);
    eddy_test_context_end (context);
}

EDDY_TEST (D_forms_callback_without_anybody_to_call)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyContextStatistics statistics;
    own_count_up_async (1, 4, EDDY_PRIORITY_DEFAULT, NULL, NULL, NULL);
    own_join_async ("a", "b", EDDY_PRIORITY_DEFAULT, NULL, NULL, NULL);
    do {
        eddy_context_iteration (context, true);
        eddy_context_get_statistics (context, &statistics);
    } while (statistics.live_fibers + statistics.live_operations > 0);
    while (eddy_context_iteration (context, false))
        ;
    eddy_test_context_end (context);
}

EDDY_TEST (D_forms_callback_is_cancelled_in_the_middle)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyCancellable *cancellable = eddy_cancellable_new ();
    Call call = { .calls = 0 };
    own_count_up_async (1, 90, EDDY_PRIORITY_DEFAULT, cancellable, count_ready, &call);
    for (int i = 0; i < 20; i++)
        eddy_context_iteration (context, true);
    eddy_cancellable_cancel (cancellable);
    run_until_called (context, &call);
    ck_assert_int_eq (call.sum, -1);
    ck_assert_uint_lt (call.steps, 90);
    eddy_test_expect_error (&call.error, EDDY_IO_ERROR_CANCELLED);
    eddy_unref (cancellable);
    eddy_test_context_end (context);
}

/* --- as futures ------------------------------------------------------------------------------- */

static void note_progress (int64_t current_num_bytes, int64_t total_num_bytes, void *data)
{
    ck_assert_int_eq (current_num_bytes, total_num_bytes);
    *(int64_t *) data = total_num_bytes;
}

static void *compose (void *data, EddyError **error)
{
    int64_t told = 0;
    EDDY_AUTO (EddyFile) file = eddy_file_new_for_path (data);
    EDDY_AUTO (EddyFuture)
    load = own_load_future (file, EDDY_PRIORITY_DEFAULT, NULL, note_progress, &told);
    EDDY_AUTO (EddyFuture) count = own_count_up_future (1, 2, EDDY_PRIORITY_DEFAULT, NULL);
    EddyFuture *dropped = own_count_up_future (1, 90, EDDY_PRIORITY_DEFAULT, NULL);
    eddy_unref (dropped);
    EddyBytes *bytes = eddy_await (load, error);
    ck_assert_ptr_nonnull (bytes);
    ck_assert_str_eq (eddy_bytes_get_data (bytes), "forms");
    ck_assert_int_eq (told, 5);
    ck_assert_int_eq (eddy_await_int (count, error), 3);
    return NULL;
}

EDDY_TEST (D_forms_own_operations_as_futures)
{
    EddyContext *context = eddy_test_context_begin ();
    const char *path = eddy_test_path ("file");
    int fd = open (path, O_WRONLY | O_CREAT, 0600);
    ck_assert_int_eq (write (fd, "forms", 5), 5);
    close (fd);
    eddy_test_run_fiber (context, compose, (void *) (uintptr_t) path);
    EddyContextStatistics statistics;
    do {
        eddy_context_iteration (context, false);
        eddy_context_get_statistics (context, &statistics);
    } while (statistics.live_fibers > 0);
    eddy_test_context_end (context);
}
