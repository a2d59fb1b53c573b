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

static int n_looking;

static void *look_long (void *data, EddyError **error)
{
    (void) data;
    n_looking++;
    EDDY_AUTO (EddyFuture) hour = eddy_future_delay (INT64_C (3600000000000));
    (void) eddy_await_boolean (hour, error);
    n_looking--;
    return NULL;
}

EddyBytes *own_look_for_body (const char *text, EddyCancellable *cancellable, EddyError **error)
{
    (void) cancellable;
    if (*text == '\0') {
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_ARGUMENT, "an empty string");
        return NULL;
    }
    EddyFuture *looking = eddy_spawn_local (look_long, NULL, NULL);
    while (n_looking == 0)
        eddy_fiber_yield ();
    eddy_unref (looking);
    return NULL;
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

bool own_split_body (int number, const char *text, char **first, EddyBytes **rest,
                     EddyCancellable *cancellable, EddyError **error)
{
    (void) cancellable;
    text = text == NULL ? "eddy" : text;
    if ((size_t) number > strlen (text)) {
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_ARGUMENT, "too short");
        return false;
    }
    if (first != NULL) {
        *first = eddy_strdup (text);
        if (*first != NULL)
            (*first)[number] = '\0';
    }
    if (rest != NULL)
        *rest = eddy_bytes_new (text + number, strlen (text) - (size_t) number);
    return true;
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
    EDDY_AUTO_FREE (char) first = NULL;
    EDDY_AUTO (EddyBytes) rest = NULL;
    ck_assert (!own_split (9, "eddies", &first, &rest, NULL, error));
    eddy_test_expect_error (error, EDDY_IO_ERROR_INVALID_ARGUMENT);
    ck_assert_ptr_null (first);
    ck_assert_ptr_null (rest);
    ck_assert (own_split (2, "eddies", &first, &rest, NULL, error));
    ck_assert_str_eq (first, "ed");
    ck_assert_mem_eq (eddy_bytes_get_data (rest), "dies", 4);
    ck_assert (own_split (2, NULL, NULL, NULL, NULL, error));
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

/* --- Answers beside the one returned ---------------------------------------------------------- */

typedef struct Split {
    int calls;
    bool wants;
    bool is_done;
    char *first;
    EddyBytes *rest;
    EddyError *error;
} Split;

static void split_ready (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Split *split = user_data;
    (void) source_object;
    split->is_done = own_split_finish (result, split->wants ? &split->first : NULL,
                                       split->wants ? &split->rest : NULL, &split->error);
    split->calls++;
}

static void split_run (EddyContext *context, Split *split, int number)
{
    own_split_async (number, "eddies", EDDY_PRIORITY_DEFAULT, NULL, split_ready, split);
    while (split->calls == 0)
        eddy_context_iteration (context, true);
}

/* Who wants them has them; else they are given up, which the leak check sees. */
EDDY_TEST (D_forms_owned_answers)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    Split split = { .wants = true }, unwanted = { 0 }, failed = { .wants = true };
    split_run (context, &split, 3);
    ck_assert (split.is_done);
    ck_assert_str_eq (split.first, "edd");
    ck_assert_mem_eq (eddy_bytes_get_data (split.rest), "ies", 3);
    eddy_free (split.first);
    eddy_unref (split.rest);
    split_run (context, &unwanted, 3);
    ck_assert (unwanted.is_done);
    split_run (context, &failed, 30);
    ck_assert (!failed.is_done);
    ck_assert_ptr_null (failed.first);
    ck_assert_ptr_null (failed.rest);
    eddy_test_expect_error (&failed.error, EDDY_IO_ERROR_INVALID_ARGUMENT);
    EddyFuture *future = own_split_future (1, "eddies", EDDY_PRIORITY_DEFAULT, NULL);
    ck_assert (eddy_block_on_boolean (context, future, &error));
    eddy_unref (future);
    eddy_test_context_end (context);
}

/* --- an answer that is nothing, and what a body leaves behind --------------------------------- */

static void *look_for (void *data, EddyError **error)
{
    (void) data;
    ck_assert_ptr_null (own_look_for ("words", NULL, error));
    ck_assert_ptr_null (*error);
    ck_assert_ptr_null (own_look_for ("", NULL, error));
    eddy_test_expect_error (error, EDDY_IO_ERROR_INVALID_ARGUMENT);
    return NULL;
}

static void look_ready (void *source_object, EddyAsyncResult *result, void *user_data)
{
    EddyError *error = NULL;
    (void) source_object;
    ck_assert_ptr_null (own_look_for_finish (result, &error));
    ck_assert_ptr_null (error);
    ++*(int *) user_data;
}

EDDY_TEST (D_forms_an_object_may_be_none)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    int calls = 0;
    own_look_for_async ("words", EDDY_PRIORITY_DEFAULT, NULL, look_ready, &calls);
    while (calls == 0)
        eddy_context_iteration (context, true);
    EddyFuture *future = own_look_for_future ("words", EDDY_PRIORITY_DEFAULT, NULL);
    ck_assert_ptr_null (eddy_block_on (context, future, &error));
    ck_assert_ptr_null (error);
    eddy_unref (future);
    eddy_test_run_fiber (context, look_for, NULL);
    while (n_looking > 0)
        eddy_context_iteration (context, true);
    while (eddy_context_iteration (context, false))
        ;
    eddy_test_context_end (context);
}

/* The context of a blocking call is nobody's afterwards: what the body has let go of ends in the
 * call. Else it would keep the context, and its fds, which the end of the test counts. */
EDDY_TEST (D_forms_a_blocking_call_leaves_nothing_behind)
{
    for (int i = 0; i < 10; i++) {
        EddyError *error = NULL;
        look_for (NULL, &error);
        ck_assert_int_eq (n_looking, 0);
    }
}
