/* SPDX-License-Identifier: MIT */
/*
 * Tasks and futures: a callback runs exactly once, in the right context, and values have owners.
 */
#include <pthread.h>
#include <stdio.h>

#include "context.h"

typedef struct Answer {
    int calls;
    bool boolean;
    int64_t integer;
    void *pointer;
    EddyError *error;
    void *source_object;
    pthread_t thread;
} Answer;

static void take_boolean (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Answer *answer = user_data;
    answer->calls++;
    answer->source_object = source_object;
    answer->thread = pthread_self ();
    ck_assert (eddy_future_is_complete (result));
    ck_assert (eddy_task_is_valid (result, source_object));
    answer->boolean = eddy_task_propagate_boolean (result, &answer->error);
}

static void take_int (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Answer *answer = user_data;
    (void) source_object;
    answer->calls++;
    answer->integer = eddy_task_propagate_int (result, &answer->error);
}

static void take_pointer (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Answer *answer = user_data;
    (void) source_object;
    answer->calls++;
    answer->pointer = eddy_task_propagate_pointer (result, &answer->error);
}

static void take_nothing (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Answer *answer = user_data;
    (void) source_object;
    (void) result;
    answer->calls++;
}

static void run_until_called (EddyContext *context, const Answer *answer)
{
    while (answer->calls == 0)
        eddy_context_iteration (context, true);
    while (eddy_context_iteration (context, false))
        ;
    ck_assert_int_eq (answer->calls, 1);
}

EDDY_TEST (callback_comes_later_from_the_loop)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    EddyCancellable *object = eddy_cancellable_new ();
    EddyTask *task = eddy_task_new (object, NULL, take_boolean, &answer);
    ck_assert_ptr_eq (eddy_task_get_source_object (task), object);
    eddy_task_return_boolean (task, true);
    ck_assert_int_eq (answer.calls, 0);
    eddy_task_unref (task);
    run_until_called (context, &answer);
    ck_assert (answer.boolean);
    ck_assert_ptr_null (answer.error);
    ck_assert_ptr_eq (answer.source_object, object);
    eddy_unref (object);
    eddy_test_context_end (context);
}

EDDY_TEST (every_type_of_value)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer integer = { .calls = 0 }, pointer = { .calls = 0 }, object = { .calls = 0 };
    EddyTask *task = eddy_task_new (NULL, NULL, take_int, &integer);
    eddy_task_return_int (task, INT64_MIN);
    eddy_task_unref (task);
    task = eddy_task_new (NULL, NULL, take_pointer, &pointer);
    eddy_task_return_pointer (task, eddy_strdup ("single"), eddy_free);
    eddy_task_unref (task);
    task = eddy_task_new (NULL, NULL, take_pointer, &object);
    eddy_task_return_object (task, eddy_bytes_new ("shared", 6));
    eddy_task_unref (task);
    run_until_called (context, &object);
    ck_assert_int_eq (integer.integer, INT64_MIN);
    ck_assert_str_eq (pointer.pointer, "single");
    ck_assert_str_eq (eddy_bytes_get_data (object.pointer), "shared");
    eddy_free (pointer.pointer);
    eddy_unref (object.pointer);
    eddy_test_context_end (context);
}

static int freed;

static void count_free (void *data)
{
    freed++;
    eddy_free (data);
}

EDDY_TEST (value_that_nobody_takes_is_freed)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    EddyTask *task = eddy_task_new (NULL, NULL, take_nothing, &answer);
    eddy_task_set_task_data (task, eddy_strdup ("first"), count_free);
    eddy_task_set_task_data (task, eddy_strdup ("second"), count_free);
    ck_assert_int_eq (freed, 1);
    ck_assert_str_eq (eddy_task_get_task_data (task), "second");
    eddy_task_return_pointer (task, eddy_strdup ("value"), count_free);
    eddy_task_unref (task);
    run_until_called (context, &answer);
    ck_assert_int_eq (freed, 3);
    eddy_test_context_end (context);
}

static int criticals, warnings;
static char last_message[1024];

static void note_message (EddyLogLevel level, const char *message, void *data)
{
    (void) data;
    criticals += level == EDDY_LOG_CRITICAL;
    warnings += level == EDDY_LOG_WARNING;
    snprintf (last_message, sizeof last_message, "%s", message);
}

EDDY_TEST (second_return_is_misuse)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    eddy_log_set_handler (note_message, NULL);
    EddyTask *task = eddy_task_new (NULL, NULL, take_boolean, &answer);
    eddy_task_return_boolean (task, true);
    eddy_task_return_error (task, eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_FAILED, "late"));
    ck_assert_int_eq (criticals, 1);
    eddy_task_unref (task);
    run_until_called (context, &answer);
    ck_assert (answer.boolean);
    ck_assert_ptr_null (answer.error);
    eddy_test_context_end (context);
}

EDDY_TEST (dropped_task_is_abandoned)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    eddy_log_set_handler (note_message, NULL);
    EddyTask *task = eddy_task_new (NULL, NULL, take_boolean, &answer);
    eddy_task_set_name (task, "load_data");
    eddy_task_ref (task);
    eddy_task_unref (task);
    eddy_context_iteration (context, false);
    ck_assert_int_eq (answer.calls, 0);
    eddy_task_unref (task);
    run_until_called (context, &answer);
    eddy_test_expect_error (&answer.error, EDDY_IO_ERROR_ABANDONED);
    ck_assert_int_eq (warnings, 1);
    ck_assert_msg (strstr (last_message, "load_data") != NULL, "message: %s", last_message);
    eddy_test_context_end (context);
}

static void *return_from_thread (void *data)
{
    eddy_task_return_int (data, 41);
    eddy_task_unref (data);
    return NULL;
}

EDDY_TEST (return_from_another_thread_runs_at_home)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    pthread_t thread;
    EddyTask *task = eddy_task_new (NULL, NULL, take_int, &answer);
    pthread_create (&thread, NULL, return_from_thread, task);
    run_until_called (context, &answer);
    pthread_join (thread, NULL);
    ck_assert_int_eq (answer.integer, 41);
    eddy_test_context_end (context);
}

EDDY_TEST (cancel_reaches_the_task_and_nobody_else)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    EddyCancellable *cancellable = eddy_cancellable_new ();
    EddyTask *task = eddy_task_new (NULL, cancellable, take_boolean, &answer);
    EddyTask *other = eddy_task_new (NULL, cancellable, NULL, NULL);
    ck_assert (!eddy_task_return_error_if_cancelled (task));
    EddyFuture *future = eddy_task_get_future (task);
    eddy_future_cancel (future);
    ck_assert (!eddy_cancellable_is_cancelled (cancellable));
    ck_assert (!eddy_cancellable_is_cancelled (eddy_task_get_cancellable (other)));
    ck_assert (eddy_task_return_error_if_cancelled (task));
    eddy_task_unref (task);
    eddy_cancellable_cancel (cancellable);
    ck_assert (eddy_task_return_error_if_cancelled (other));
    eddy_task_unref (other);
    run_until_called (context, &answer);
    eddy_test_expect_error (&answer.error, EDDY_IO_ERROR_CANCELLED);
    eddy_unref (future);
    eddy_unref (cancellable);
    eddy_test_context_end (context);
}

/* What was done is told, whatever is asked after it (GLib would lose it). */
EDDY_TEST (late_cancel_does_not_mask_the_value)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    EddyCancellable *cancellable = eddy_cancellable_new ();
    EddyTask *task = eddy_task_new (NULL, cancellable, take_int, &answer);
    eddy_task_return_int (task, 7);
    eddy_cancellable_cancel (cancellable);
    eddy_task_unref (task);
    run_until_called (context, &answer);
    ck_assert_int_eq (answer.integer, 7);
    ck_assert_ptr_null (answer.error);
    eddy_unref (cancellable);
    eddy_test_context_end (context);
}

EDDY_TEST (priority_orders_callbacks)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer low = { .calls = 0 }, high = { .calls = 0 };
    EddyTask *first = eddy_task_new (NULL, NULL, take_nothing, &low);
    EddyTask *second = eddy_task_new (NULL, NULL, take_nothing, &high);
    eddy_task_set_priority (first, EDDY_PRIORITY_LOW);
    eddy_task_set_priority (second, EDDY_PRIORITY_HIGH);
    eddy_task_return_boolean (first, true);
    eddy_task_return_boolean (second, true);
    eddy_task_unref (first);
    eddy_task_unref (second);
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_int_eq (high.calls, 1);
    ck_assert_int_eq (low.calls, 0);
    ck_assert (eddy_context_iteration (context, false));
    ck_assert_int_eq (low.calls, 1);
    eddy_test_context_end (context);
}

EDDY_TEST (single_value_is_taken_once)
{
    EddyContext *context = eddy_test_context_begin ();
    eddy_log_set_handler (note_message, NULL);
    EddyTask *task = eddy_task_new (NULL, NULL, NULL, NULL);
    EddyFuture *future = eddy_task_get_future (task);
    ck_assert (!eddy_future_is_complete (future));
    eddy_task_return_pointer (task, eddy_strdup ("mine"), eddy_free);
    eddy_task_unref (task);
    EddyValue value = EDDY_VALUE_INIT;
    EddyError *error = NULL;
    ck_assert (eddy_future_take (future, &value, &error));
    eddy_value_clear (&value);
    ck_assert (!eddy_future_take (future, &value, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_TAKEN);
    ck_assert_int_eq (warnings, 1);
    ck_assert_ptr_null (eddy_future_get_error (future));
    eddy_unref (future);
    while (eddy_context_iteration (context, false))
        ;
    eddy_test_context_end (context);
}

EDDY_TEST (finish_with_a_foreign_result_is_an_error)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    eddy_log_set_handler (note_message, NULL);
    EddyTask *task = eddy_task_new (NULL, NULL, NULL, NULL);
    EddyFuture *future = eddy_task_get_future (task);
    eddy_task_return_boolean (task, true);
    eddy_task_unref (task);
    ck_assert_int_eq (eddy_fd_read_finish (future, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
    ck_assert_int_eq (criticals, 1);
    eddy_unref (future);
    while (eddy_context_iteration (context, false))
        ;
    eddy_test_context_end (context);
}
