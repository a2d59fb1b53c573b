/* SPDX-License-Identifier: MIT */
/*
 * Tasks: a callback runs once, in the right context, later; what a task keeps ends with it. Answers
 * are in test-task-result.c, threads in test-task-thread.c.
 */
#include "task.h"

/* --- the callback ----------------------------------------------------------------------------- */

EDDY_TEST (T1_callback_once_for_value_error_and_cancel)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer value = { .calls = 0 }, failed = { .calls = 0 }, cancelled = { .calls = 0 };
    EddyTask *task = eddy_task_new (NULL, NULL, take_boolean, &value);
    eddy_task_return_boolean (task, true);
    eddy_task_unref (task);
    task = eddy_task_new (NULL, NULL, take_boolean, &failed);
    eddy_task_return_new_error (task, EDDY_IO_ERROR, EDDY_IO_ERROR_BUSY, "no %s", "room");
    eddy_task_unref (task);
    task = eddy_task_new (NULL, NULL, take_boolean, &cancelled);
    eddy_cancellable_cancel (eddy_task_get_cancellable (task));
    ck_assert (eddy_task_return_error_if_cancelled (task));
    eddy_task_unref (task);
    run_until_called (context, &cancelled);
    ck_assert_int_eq (value.calls, 1);
    ck_assert (value.boolean);
    ck_assert_int_eq (failed.calls, 1);
    ck_assert_str_eq (eddy_error_get_message (failed.error), "no room");
    eddy_test_expect_error (&failed.error, EDDY_IO_ERROR_BUSY);
    eddy_test_expect_error (&cancelled.error, EDDY_IO_ERROR_CANCELLED);
    eddy_test_context_end (context);
}

EDDY_TEST (T1_no_callback_completes_all_the_same)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyTask *task = eddy_task_new (NULL, NULL, NULL, NULL);
    EDDY_AUTO (EddyFuture) future = eddy_task_get_future (task);
    eddy_task_return_int (task, 3);
    eddy_task_unref (task);
    run_all (context);
    ck_assert (eddy_future_is_complete (future));
    ck_assert_int_eq (eddy_task_propagate_int (future, NULL), 3);
    eddy_test_context_end (context);
}

/* A context that was kept is found by its fds. */
EDDY_TEST (T1_no_callback_keeps_no_context)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyTask *task = eddy_task_new (NULL, NULL, NULL, NULL);
    ck_assert_ptr_nonnull (task);
    EDDY_AUTO (EddyFuture) future = eddy_task_get_future (task);
    eddy_task_set_priority (task, EDDY_PRIORITY_LOW);
    run_all (context);
    eddy_task_return_int (task, 3);
    eddy_task_unref (task);
    ck_assert_int_eq (eddy_block_on_int (context, future, NULL), 3);
    eddy_test_context_end (context);
}

static void *return_41 (void *data)
{
    eddy_task_return_int (data, 41);
    eddy_task_unref (data);
    return NULL;
}

static EddyContext *default_in_callback;

static void take_int_and_default (void *source_object, EddyAsyncResult *result, void *user_data)
{
    default_in_callback = eddy_context_ref_thread_default ();
    take_int (source_object, result, user_data);
}

EDDY_TEST (T2_returned_in_another_thread_called_at_home)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    pthread_t thread;
    EddyTask *task = eddy_task_new (NULL, NULL, take_int_and_default, &answer);
    ck_assert_ptr_eq (eddy_task_get_context (task), context);
    pthread_create (&thread, NULL, return_41, task);
    run_until_called (context, &answer);
    pthread_join (thread, NULL);
    ck_assert_int_eq (answer.integer, 41);
    ck_assert (pthread_equal (answer.thread, pthread_self ()));
    ck_assert_ptr_eq (default_in_callback, context);
    eddy_unref (default_in_callback);
    eddy_test_context_end (context);
}

/* Made under one context, returned while another one is the thread's default. */
EDDY_TEST (T2_context_is_the_one_it_was_made_in)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    EddyTask *task = eddy_task_new (NULL, NULL, take_int_and_default, &answer);
    EddyContext *inner = eddy_test_context_begin ();
    eddy_task_return_int (task, 1);
    run_all (inner);
    ck_assert_int_eq (answer.calls, 0);
    eddy_test_context_end (inner);
    eddy_task_unref (task);
    run_until_called (context, &answer);
    ck_assert_ptr_eq (default_in_callback, context);
    eddy_unref (default_in_callback);
    eddy_test_context_end (context);
}

EDDY_TEST (T3_callback_comes_later_from_the_loop)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    EddyCancellable *object = eddy_cancellable_new ();
    EddyTask *task = eddy_task_new (object, NULL, take_boolean, &answer);
    ck_assert_ptr_eq (eddy_task_get_source_object (task), object);
    eddy_task_return_boolean (task, true);
    ck_assert_int_eq (answer.calls, 0);
    eddy_task_unref (task);
    ck_assert_int_eq (answer.calls, 0);
    run_until_called (context, &answer);
    ck_assert (answer.boolean);
    ck_assert_ptr_null (answer.error);
    ck_assert_ptr_eq (answer.source_object, object);
    eddy_unref (object);
    eddy_test_context_end (context);
}

typedef struct Returner {
    EddyContext *context;
    EddyTask *task;
    Answer answer;
    bool nest;
    bool done;
} Returner;

/* In a dispatch of the task's context, later than the one in which the task was made. */
static bool return_in_dispatch (void *data)
{
    Returner *returner = data;
    if (returner->nest) {
        returner->task = eddy_task_new (NULL, NULL, take_boolean, &returner->answer);
        eddy_context_iteration (returner->context, false);
    }
    eddy_task_return_boolean (returner->task, true);
    ck_assert_int_eq (returner->answer.calls, 0);
    eddy_task_unref (returner->task);
    returner->done = true;
    return false;
}

static void return_by_idle (Returner *returner)
{
    EddySource *idle = eddy_idle_source_new ();
    eddy_source_set_callback (idle, return_in_dispatch, returner, NULL);
    eddy_source_attach (idle, returner->context);
    eddy_unref (idle);
    while (!returner->done)
        eddy_context_iteration (returner->context, true);
    ck_assert_int_eq (returner->answer.calls, 0);
    run_until_called (returner->context, &returner->answer);
}

EDDY_TEST (T3_not_inside_a_later_dispatch_either)
{
    EddyContext *context = eddy_test_context_begin ();
    Returner returner = { .context = context };
    returner.task = eddy_task_new (NULL, NULL, take_boolean, &returner.answer);
    return_by_idle (&returner);
    eddy_test_context_end (context);
}

/* In GLib this re-enters the caller. */
EDDY_TEST (T4_not_after_a_nested_iteration_either)
{
    EddyContext *context = eddy_test_context_begin ();
    Returner returner = { .context = context, .nest = true };
    return_by_idle (&returner);
    eddy_test_context_end (context);
}

EDDY_TEST (T5_priority_orders_callbacks)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer low = { .calls = 0 }, high = { .calls = 0 };
    EddyTask *first = eddy_task_new (NULL, NULL, take_nothing, &low);
    EddyTask *second = eddy_task_new (NULL, NULL, take_nothing, &high);
    ck_assert_int_eq (eddy_task_get_priority (first), EDDY_PRIORITY_DEFAULT);
    eddy_task_set_priority (first, EDDY_PRIORITY_LOW);
    eddy_task_set_priority (second, EDDY_PRIORITY_HIGH);
    ck_assert_int_eq (eddy_task_get_priority (first), EDDY_PRIORITY_LOW);
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

static void append_letter (void *source_object, EddyAsyncResult *result, void *user_data)
{
    (void) source_object;
    (void) result;
    note_end (*(const char *) user_data);
}

EDDY_TEST (T5_equal_priority_is_first_returned_first_called)
{
    EddyContext *context = eddy_test_context_begin ();
    static char letters[] = "abcd";
    EddyTask *tasks[4];
    for (int i = 0; i < 4; i++)
        tasks[i] = eddy_task_new (NULL, NULL, append_letter, &letters[i]);
    for (int i = 3; i >= 0; i--) {
        eddy_task_return_boolean (tasks[i], true);
        eddy_task_unref (tasks[i]);
    }
    run_all (context);
    ck_assert_str_eq (ends, "dcba");
    eddy_test_context_end (context);
}

static const char report_tag;

EDDY_TEST (T6_failure_to_begin_comes_by_callback)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    EddyCancellable *object = eddy_cancellable_new ();
    eddy_task_report_error (object, take_boolean, &answer, &report_tag,
                            eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_PENDING, "busy"));
    ck_assert_int_eq (answer.calls, 0);
    run_until_called (context, &answer);
    ck_assert_ptr_eq (answer.source_object, object);
    eddy_test_expect_error (&answer.error, EDDY_IO_ERROR_PENDING);
    eddy_unref (object);
    eddy_test_context_end (context);
}

/* --- what a task keeps ------------------------------------------------------------------------ */

EDDY_TEST (T15_kept_until_the_end_and_released_in_order)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    Thing *thing = thing_new (0, 's');
    EddyCancellable *cancellable = eddy_cancellable_new ();
    EddyTask *task = eddy_task_new (thing, cancellable, keep_result, &answer);
    eddy_unref (thing);
    eddy_unref (cancellable);
    eddy_task_set_task_data (task, eddy_strdup ("data"), end_string);
    eddy_task_return_pointer (task, eddy_strdup ("result"), end_string);
    run_until_called (context, &answer);
    ck_assert_ptr_eq (answer.source_object, thing);
    ck_assert_ptr_eq (eddy_task_get_source_object (task), thing);
    ck_assert (!eddy_cancellable_is_cancelled (eddy_task_get_cancellable (task)));
    ck_assert_str_eq (ends, "");
    eddy_task_unref (task);
    ck_assert_str_eq (ends, "");
    eddy_unref (answer.kept);
    ck_assert_str_eq (ends, "sdr");
    eddy_test_context_end (context);
}

EDDY_TEST (T15_context_lives_as_long_as_the_task)
{
    EddyContext *context = eddy_context_new ();
    ck_assert (eddy_context_push_thread_default (context));
    EddyTask *task = eddy_task_new (NULL, NULL, NULL, NULL);
    eddy_context_pop_thread_default (context);
    eddy_unref (context);
    ck_assert_ptr_eq (eddy_task_get_context (task), context);
    eddy_task_return_boolean (task, true);
    run_all (context);
    ck_assert_ptr_eq (eddy_task_get_context (task), context);
    eddy_task_unref (task);
}

/* The last reference goes on another thread: what the task kept waits for its own. */
EDDY_TEST (T15_released_in_the_context_s_thread)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    Thing *thing = thing_new (0, 's');
    EddyTask *task = eddy_task_new (thing, NULL, keep_result, &answer);
    eddy_unref (thing);
    eddy_task_set_task_data (task, eddy_strdup ("data"), end_string);
    eddy_task_return_pointer (task, eddy_strdup ("result"), end_string);
    eddy_task_unref (task);
    run_until_called (context, &answer);
    run_thread (unref_in_thread, answer.kept);
    ck_assert_str_eq (ends, "");
    run_all (context);
    ck_assert_str_eq (ends, "sdr");
    ck_assert (pthread_equal (end_thread, pthread_self ()));
    eddy_test_context_end (context);
}

EDDY_TEST (T15_released_in_place_when_the_context_is_gone)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    EddyTask *task = eddy_task_new (NULL, NULL, keep_result, &answer);
    eddy_task_set_task_data (task, eddy_strdup ("data"), end_string);
    eddy_task_return_boolean (task, true);
    eddy_task_unref (task);
    run_until_called (context, &answer);
    eddy_test_context_end (context);
    run_thread (unref_in_thread, answer.kept);
    ck_assert_str_eq (ends, "d");
}

EDDY_TEST (T16_data_are_replaced_at_once_and_end_with_the_task)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    EddyTask *task = eddy_task_new (NULL, NULL, take_nothing, &answer);
    ck_assert_ptr_null (eddy_task_get_task_data (task));
    eddy_task_set_task_data (task, eddy_strdup ("first"), end_string);
    eddy_task_set_task_data (task, eddy_strdup ("second"), end_string);
    ck_assert_str_eq (ends, "f");
    ck_assert_str_eq (eddy_task_get_task_data (task), "second");
    eddy_task_return_boolean (task, true);
    eddy_task_unref (task);
    ck_assert_str_eq (ends, "f");
    run_until_called (context, &answer);
    ck_assert_str_eq (ends, "fs");
    eddy_test_context_end (context);
}

static void note_completed (void *source_object, EddyAsyncResult *result, void *user_data)
{
    EddyTask **task = user_data;
    (void) source_object;
    ck_assert (eddy_future_is_complete (result));
    ck_assert (eddy_task_get_completed (*task));
    eddy_task_unref (*task);
    *task = NULL;
}

EDDY_TEST (T17_completed_from_its_return_on)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyTask *task = NULL;
    task = eddy_task_new (NULL, NULL, note_completed, &task);
    ck_assert (!eddy_task_get_completed (task));
    eddy_task_return_boolean (task, true);
    ck_assert (eddy_task_get_completed (task));
    run_all (context);
    ck_assert_ptr_null (task);
    eddy_test_context_end (context);
}

EDDY_TEST (T18_finish_after_the_callback)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    Thing *thing = thing_new (0, 's');
    EddyTask *task = eddy_task_new (thing, NULL, keep_result, &answer);
    eddy_unref (thing);
    eddy_task_return_pointer (task, eddy_strdup ("later"), eddy_free);
    eddy_task_unref (task);
    run_until_called (context, &answer);
    ck_assert (eddy_task_is_valid (answer.kept, thing));
    EDDY_AUTO_FREE (char) value = eddy_task_propagate_pointer (answer.kept, NULL);
    ck_assert_str_eq (value, "later");
    ck_assert_str_eq (ends, "");
    eddy_unref (answer.kept);
    ck_assert_str_eq (ends, "s");
    eddy_test_context_end (context);
}

EDDY_TEST (T19_dropped_task_is_abandoned)
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

/* Left by a return, an early one perhaps, without an answer. */
static void leave_task (Answer *answer)
{
    EDDY_AUTO_TASK task = eddy_task_new (NULL, NULL, take_boolean, answer);
    ck_assert (!eddy_task_get_completed (task));
}

EDDY_TEST (T19_task_that_goes_out_of_scope_is_abandoned)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    eddy_log_set_handler (note_message, NULL);
    leave_task (&answer);
    run_until_called (context, &answer);
    eddy_test_expect_error (&answer.error, EDDY_IO_ERROR_ABANDONED);
    ck_assert_int_eq (warnings, 1);
    eddy_test_context_end (context);
}

EDDY_TEST (T19_warning_names_where_the_task_was_made)
{
    EddyContext *context = eddy_test_context_begin ();
    eddy_log_set_handler (note_message, NULL);
    char place[128];
    snprintf (place, sizeof place, "%s:%d", __FILE__, __LINE__ + 1);
    eddy_task_unref (eddy_task_new (NULL, NULL, NULL, NULL));
    ck_assert_int_eq (warnings, 1);
    ck_assert_msg (strstr (last_message, place) != NULL, "message: %s", last_message);
    ck_assert_msg (strstr (last_message, __func__) != NULL, "message: %s", last_message);
    run_all (context);
    eddy_test_context_end (context);
}

static void *abandon_in_thread (void *task)
{
    eddy_task_unref (task);
    return NULL;
}

EDDY_TEST (T19_on_another_thread)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    eddy_log_set_handler (note_message, NULL);
    EddyTask *task = eddy_task_new_full (NULL, NULL, take_boolean, &answer, NULL);
    run_thread (abandon_in_thread, task);
    run_until_called (context, &answer);
    eddy_test_expect_error (&answer.error, EDDY_IO_ERROR_ABANDONED);
    eddy_test_context_end (context);
}

EDDY_TEST (T21_nothing_is_called_unless_the_context_runs)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    EddyTask *task = eddy_task_new (NULL, NULL, take_boolean, &answer);
    eddy_task_return_boolean (task, true);
    eddy_task_unref (task);
    EddyContext *other = eddy_test_context_begin ();
    run_all (other);
    eddy_test_context_end (other);
    ck_assert_int_eq (answer.calls, 0);
    run_until_called (context, &answer);
    eddy_test_context_end (context);
}

/* --- names and tags --------------------------------------------------------------------------- */

static const char load_tag, other_tag;

EDDY_TEST (T22_valid_for_its_own_source_object)
{
    EddyContext *context = eddy_test_context_begin ();
    Thing *thing = thing_new (0, 's');
    Answer answer = { .calls = 0 };
    EddyTask *task = eddy_task_new (thing, NULL, NULL, &answer);
    EDDY_AUTO (EddyFuture) result = eddy_task_get_future (task);
    eddy_task_set_source_tag (task, &load_tag);
    ck_assert_ptr_eq (eddy_task_get_source_tag (task), &load_tag);
    ck_assert (eddy_task_is_valid (result, thing));
    ck_assert (!eddy_task_is_valid (result, NULL));
    ck_assert (!eddy_task_is_valid (NULL, NULL));
    ck_assert (eddy_async_result_is_tagged (result, &load_tag));
    ck_assert (!eddy_async_result_is_tagged (result, &other_tag));
    ck_assert_ptr_eq (eddy_async_result_get_user_data (result), &answer);
    ck_assert_ptr_eq (eddy_async_result_get_source_object (result), thing);
    eddy_unref (thing);
    eddy_unref (thing);
    ck_assert_str_eq (ends, "");
    eddy_task_return_boolean (task, true);
    eddy_task_unref (task);
    run_all (context);
    eddy_test_context_end (context);
}

EDDY_TEST (T22_null_matches_null)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyTask *task = eddy_task_new (NULL, NULL, NULL, NULL);
    EDDY_AUTO (EddyFuture) result = eddy_task_get_future (task);
    ck_assert (eddy_task_is_valid (result, NULL));
    ck_assert (!eddy_task_is_valid (result, context));
    ck_assert (eddy_async_result_is_tagged (result, NULL));
    ck_assert_ptr_null (eddy_async_result_get_source_object (result));
    eddy_task_return_boolean (task, true);
    eddy_task_unref (task);
    run_all (context);
    eddy_test_context_end (context);
}

EDDY_TEST (T22_finish_with_a_foreign_result_is_an_error)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    eddy_log_set_handler (note_message, NULL);
    EddyTask *task = eddy_task_new (NULL, NULL, NULL, NULL);
    EDDY_AUTO (EddyFuture) future = eddy_task_get_future (task);
    eddy_task_return_boolean (task, true);
    eddy_task_unref (task);
    ck_assert_int_eq (eddy_fd_read_finish (future, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
    ck_assert_int_eq (criticals, 1);
    run_all (context);
    eddy_test_context_end (context);
}

EDDY_TEST (T23_name_is_copied_or_static)
{
    EddyContext *context = eddy_test_context_begin ();
    char name[] = "copied";
    EddyTask *task = eddy_task_new (NULL, NULL, NULL, NULL);
    ck_assert_ptr_null (eddy_task_get_name (task));
    eddy_task_set_name (task, name);
    name[0] = 'x';
    ck_assert_str_eq (eddy_task_get_name (task), "copied");
    static const char still[] = "static";
    eddy_task_set_static_name (task, still);
    ck_assert_ptr_eq (eddy_task_get_name (task), still);
    eddy_task_set_name (task, NULL);
    ck_assert_ptr_null (eddy_task_get_name (task));
    eddy_task_return_boolean (task, true);
    eddy_task_unref (task);
    run_all (context);
    eddy_test_context_end (context);
}

static bool return_from_source (void *data);

EDDY_TEST (T23_name_goes_to_sources_without_one)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyTask *task = eddy_task_new (NULL, NULL, NULL, NULL);
    EddySource *unnamed = eddy_timeout_source_new (0);
    EddySource *named = eddy_timeout_source_new (INT64_C (1000000000));
    eddy_task_set_name (task, "load");
    eddy_source_set_name (named, "own");
    eddy_task_attach_source (task, unnamed, return_from_source);
    eddy_task_attach_source (task, named, return_from_source);
    eddy_task_unref (task);
    ck_assert_str_eq (eddy_source_get_name (unnamed), "load");
    ck_assert_str_eq (eddy_source_get_name (named), "own");
    while (!eddy_source_is_destroyed (unnamed))
        eddy_context_iteration (context, true);
    eddy_source_destroy (named);
    eddy_unref (unnamed);
    eddy_unref (named);
    run_all (context);
    eddy_test_context_end (context);
}

static bool return_from_source (void *data)
{
    EddyTask *task = data;
    note_end ('c');
    eddy_task_return_int (task, 12);
    return false;
}

EDDY_TEST (T24_source_gets_the_task_and_keeps_it)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    EddyTask *task = eddy_task_new (NULL, NULL, take_int, &answer);
    EddySource *source = eddy_timeout_source_new (0);
    eddy_task_attach_source (task, source, return_from_source);
    eddy_unref (source);
    eddy_task_unref (task);
    run_until_called (context, &answer);
    ck_assert_int_eq (answer.integer, 12);
    ck_assert_str_eq (ends, "c");
    eddy_test_context_end (context);
}

/* The source was all that knew the task. */
EDDY_TEST (T24_destroyed_source_lets_go_of_the_task)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    eddy_log_set_handler (note_message, NULL);
    EddyTask *task = eddy_task_new (NULL, NULL, take_int, &answer);
    EddySource *source = eddy_timeout_source_new (INT64_C (1000000000));
    eddy_task_attach_source (task, source, return_from_source);
    eddy_task_unref (task);
    eddy_source_destroy (source);
    eddy_unref (source);
    run_until_called (context, &answer);
    eddy_test_expect_error (&answer.error, EDDY_IO_ERROR_ABANDONED);
    eddy_test_context_end (context);
}

static bool note_low (void *data)
{
    (void) data;
    note_end ('l');
    return false;
}

EDDY_TEST (T24_source_has_the_task_s_priority)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySource *low = eddy_idle_source_new ();
    eddy_source_set_priority (low, EDDY_PRIORITY_DEFAULT);
    eddy_source_set_callback (low, note_low, NULL, NULL);
    eddy_source_attach (low, context);
    eddy_unref (low);
    EddyTask *task = eddy_task_new (NULL, NULL, NULL, NULL);
    eddy_task_set_priority (task, EDDY_PRIORITY_HIGH);
    EddySource *source = eddy_idle_source_new ();
    eddy_task_attach_source (task, source, return_from_source);
    eddy_unref (source);
    eddy_task_unref (task);
    run_all (context);
    ck_assert_str_eq (ends, "cl");
    eddy_test_context_end (context);
}

EDDY_TEST (T25_cancel_does_not_mask_a_reported_error)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    EddyCancellable *cancellable = eddy_cancellable_new ();
    eddy_cancellable_cancel (cancellable);
    eddy_cancellable_push_current (cancellable);
    eddy_task_report_new_error (NULL, keep_result, &answer, &report_tag, EDDY_IO_ERROR,
                                EDDY_IO_ERROR_NOT_SUPPORTED, "%s is not here", "it");
    eddy_cancellable_pop_current (cancellable);
    run_until_called (context, &answer);
    ck_assert (eddy_async_result_is_tagged (answer.kept, &report_tag));
    EddyError *error = NULL;
    ck_assert (!eddy_task_propagate_boolean (answer.kept, &error));
    ck_assert_str_eq (eddy_error_get_message (error), "it is not here");
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_SUPPORTED);
    eddy_unref (answer.kept);
    eddy_unref (cancellable);
    eddy_test_context_end (context);
}

/* --- the task's own cancellable --------------------------------------------------------------- */

EDDY_TEST (D_task_cancel_reaches_the_task_and_nobody_else)
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

/* It is made when it is asked for, and knows what was cancelled before. */
EDDY_TEST (D_task_is_one_whenever_it_is_asked_for)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyCancellable *cancellable = eddy_cancellable_new ();
    EddyTask *early = eddy_task_new (NULL, cancellable, NULL, NULL);
    EddyTask *late = eddy_task_new (NULL, cancellable, NULL, NULL);
    EddyCancellable *own = eddy_task_get_cancellable (early);
    ck_assert_ptr_ne (own, cancellable);
    ck_assert_ptr_eq (eddy_task_get_cancellable (early), own);
    eddy_cancellable_cancel (cancellable);
    ck_assert (eddy_cancellable_is_cancelled (own));
    ck_assert (eddy_cancellable_is_cancelled (eddy_task_get_cancellable (late)));
    ck_assert (eddy_task_return_error_if_cancelled (early));
    ck_assert (eddy_task_return_error_if_cancelled (late));
    eddy_task_unref (early);
    eddy_task_unref (late);
    run_all (context);
    eddy_unref (cancellable);
    eddy_test_context_end (context);
}
