/* SPDX-License-Identifier: MIT */
/*
 * The answers of tasks: returned once, taken by finish functions; what a cancel does to them, and
 * who owns them.
 */
#include "task.h"

static void return_twice (bool error_first, bool error_second)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    eddy_log_set_handler (note_message, NULL);
    EddyTask *task = eddy_task_new (NULL, NULL, take_boolean, &answer);
    for (int i = 0; i < 2; i++) {
        if (i == 0 ? error_first : error_second)
            eddy_task_return_new_error_literal (task, EDDY_IO_ERROR, EDDY_IO_ERROR_FAILED, "%s");
        else
            eddy_task_return_boolean (task, true);
        ck_assert_int_eq (criticals, i);
    }
    eddy_task_unref (task);
    run_until_called (context, &answer);
    ck_assert_int_eq (answer.boolean, !error_first);
    if (error_first) {
        ck_assert_str_eq (eddy_error_get_message (answer.error), "%s");
        eddy_test_expect_error (&answer.error, EDDY_IO_ERROR_FAILED);
    }
    ck_assert_ptr_null (answer.error);
    eddy_test_context_end (context);
}

EDDY_TEST (T7_value_then_value)
{
    return_twice (false, false);
}

EDDY_TEST (T7_value_then_error)
{
    return_twice (false, true);
}

EDDY_TEST (T7_error_then_value)
{
    return_twice (true, false);
}

EDDY_TEST (T7_error_then_error)
{
    return_twice (true, true);
}

EDDY_TEST (T8_single_value_is_taken_once)
{
    EddyContext *context = eddy_test_context_begin ();
    eddy_log_set_handler (note_message, NULL);
    EddyTask *task = eddy_task_new (NULL, NULL, NULL, NULL);
    EDDY_AUTO (EddyFuture) future = eddy_task_get_future (task);
    ck_assert (!eddy_future_is_complete (future));
    eddy_task_return_pointer (task, eddy_strdup ("mine"), eddy_free);
    eddy_task_unref (task);
    EddyValue value = EDDY_VALUE_INIT;
    EddyError *error = NULL;
    ck_assert (eddy_future_take (future, &value, &error));
    eddy_value_clear (&value);
    ck_assert_ptr_null (eddy_task_propagate_pointer (future, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_TAKEN);
    ck_assert_int_eq (warnings, 1);
    ck_assert_ptr_null (eddy_future_get_error (future));
    run_all (context);
    eddy_test_context_end (context);
}

/* Plain values are copied, objects shared. */
EDDY_TEST (T8_other_values_are_for_every_taker)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyTask *task = eddy_task_new (NULL, NULL, NULL, NULL);
    EDDY_AUTO (EddyFuture) future = eddy_task_get_future (task);
    eddy_task_return_object (task, eddy_bytes_new ("shared", 6));
    eddy_task_unref (task);
    EddyBytes *first = eddy_task_propagate_pointer (future, NULL);
    EddyBytes *second = eddy_task_propagate_pointer (future, NULL);
    ck_assert_ptr_eq (first, second);
    eddy_unref (first);
    ck_assert_str_eq (eddy_bytes_get_data (second), "shared");
    eddy_unref (second);
    run_all (context);
    eddy_test_context_end (context);
}

/* What was done is told, whatever is asked after it (GLib would lose it). */
EDDY_TEST (T9_late_cancel_does_not_mask_the_value)
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

EDDY_TEST (T9_who_returns_decides_what_a_cancel_means)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer value = { .calls = 0 }, other = { .calls = 0 };
    EddyCancellable *cancellable = eddy_cancellable_new ();
    eddy_cancellable_cancel (cancellable);
    EddyTask *task = eddy_task_new (NULL, cancellable, take_int, &value);
    eddy_task_return_int (task, 8);
    eddy_task_unref (task);
    task = eddy_task_new (NULL, cancellable, take_int, &other);
    eddy_task_return_new_error (task, EDDY_IO_ERROR, EDDY_IO_ERROR_BUSY, "another error");
    eddy_task_unref (task);
    run_until_called (context, &other);
    ck_assert_int_eq (value.integer, 8);
    ck_assert_ptr_null (value.error);
    eddy_test_expect_error (&other.error, EDDY_IO_ERROR_BUSY);
    eddy_unref (cancellable);
    eddy_test_context_end (context);
}

/* In GLib a cancel hides the result, which is then freed at the task's end. */
EDDY_TEST (T10_value_is_taken_after_a_cancel_and_not_freed)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    EddyTask *task = eddy_task_new (NULL, NULL, take_pointer, &answer);
    eddy_task_return_pointer (task, eddy_strdup ("value"), end_string);
    eddy_cancellable_cancel (eddy_task_get_cancellable (task));
    eddy_task_unref (task);
    run_until_called (context, &answer);
    ck_assert_str_eq (ends, "");
    ck_assert_str_eq (answer.pointer, "value");
    eddy_free (answer.pointer);
    eddy_test_context_end (context);
}

EDDY_TEST (T11_cancelled_is_reported_when_asked)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    EddyCancellable *cancellable = eddy_cancellable_new ();
    EddyTask *task = eddy_task_new (NULL, cancellable, take_boolean, &answer);
    ck_assert (!eddy_task_return_error_if_cancelled (task));
    eddy_cancellable_cancel_with_cause (
        cancellable, eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_TIMED_OUT, "too late"));
    ck_assert (eddy_task_return_error_if_cancelled (task));
    eddy_task_unref (task);
    run_until_called (context, &answer);
    ck_assert_str_eq (eddy_error_get_message (answer.error), "too late");
    eddy_test_expect_error (&answer.error, EDDY_IO_ERROR_TIMED_OUT);
    eddy_unref (cancellable);
    eddy_test_context_end (context);
}

EDDY_TEST (T12_had_error_after_it_was_taken_too)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    EddyTask *task = eddy_task_new (NULL, NULL, take_boolean, &answer);
    ck_assert (!eddy_task_had_error (task));
    eddy_task_return_new_error (task, EDDY_IO_ERROR, EDDY_IO_ERROR_FAILED, "failed");
    ck_assert (eddy_task_had_error (task));
    run_until_called (context, &answer);
    eddy_test_expect_error (&answer.error, EDDY_IO_ERROR_FAILED);
    ck_assert (eddy_task_had_error (task));
    eddy_task_unref (task);
    eddy_test_context_end (context);
}

EDDY_TEST (T12_cancel_alone_is_no_error)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyTask *task = eddy_task_new (NULL, NULL, NULL, NULL);
    eddy_cancellable_cancel (eddy_task_get_cancellable (task));
    ck_assert (!eddy_task_had_error (task));
    eddy_task_return_boolean (task, true);
    ck_assert (!eddy_task_had_error (task));
    eddy_task_unref (task);
    run_all (context);
    eddy_test_context_end (context);
}

EDDY_TEST (T13_value_that_nobody_takes_is_freed)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    EddyTask *task = eddy_task_new (NULL, NULL, take_nothing, &answer);
    eddy_task_return_pointer (task, eddy_strdup ("value"), end_string);
    eddy_task_unref (task);
    ck_assert_str_eq (ends, "");
    run_until_called (context, &answer);
    ck_assert_str_eq (ends, "v");
    eddy_test_context_end (context);
}

EDDY_TEST (T14_every_type_of_value)
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

EDDY_TEST (T14_generic_value)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyTask *task = eddy_task_new (NULL, NULL, NULL, NULL);
    EDDY_AUTO (EddyFuture) future = eddy_task_get_future (task);
    EddyValue given = EDDY_VALUE_INIT, taken = EDDY_VALUE_INIT;
    eddy_value_set_int (&given, 99);
    eddy_task_return_value (task, &given);
    ck_assert_int_eq (given.kind, EDDY_VALUE_NONE);
    eddy_task_unref (task);
    ck_assert (eddy_task_propagate_value (future, &taken, NULL));
    ck_assert_int_eq (taken.kind, EDDY_VALUE_INT);
    ck_assert_int_eq (taken.as.integer, 99);
    run_all (context);
    eddy_test_context_end (context);
}

EDDY_TEST (T14_prefixed_error)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    EddyTask *task = eddy_task_new (NULL, NULL, take_int, &answer);
    EddyError *error = eddy_error_new_literal (EDDY_IO_ERROR, EDDY_IO_ERROR_NOT_FOUND, "gone");
    eddy_task_return_prefixed_error (task, error, "page %d: ", 3);
    eddy_task_unref (task);
    run_until_called (context, &answer);
    ck_assert_str_eq (eddy_error_get_message (answer.error), "page 3: gone");
    eddy_test_expect_error (&answer.error, EDDY_IO_ERROR_NOT_FOUND);
    ck_assert_int_eq (answer.integer, -1);
    eddy_test_context_end (context);
}

EDDY_TEST (T14_values_that_stand_for_failure)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyTask *task = eddy_task_new (NULL, NULL, NULL, NULL);
    EDDY_AUTO (EddyFuture) future = eddy_task_get_future (task);
    EddyValue value = EDDY_VALUE_INIT;
    eddy_task_return_new_error (task, EDDY_IO_ERROR, EDDY_IO_ERROR_FAILED, "failed");
    eddy_task_unref (task);
    ck_assert (!eddy_task_propagate_boolean (future, NULL));
    ck_assert_int_eq (eddy_task_propagate_int (future, NULL), -1);
    ck_assert_ptr_null (eddy_task_propagate_pointer (future, NULL));
    ck_assert (!eddy_task_propagate_value (future, &value, NULL));
    run_all (context);
    eddy_test_context_end (context);
}

EDDY_TEST (T14_another_kind_than_was_returned_is_misuse)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    eddy_log_set_handler (note_message, NULL);
    EddyTask *task = eddy_task_new (NULL, NULL, NULL, NULL);
    EDDY_AUTO (EddyFuture) future = eddy_task_get_future (task);
    eddy_task_return_int (task, 5);
    eddy_task_unref (task);
    ck_assert_ptr_null (eddy_task_propagate_pointer (future, &error));
    ck_assert_int_eq (criticals, 1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
    run_all (context);
    eddy_test_context_end (context);
}
