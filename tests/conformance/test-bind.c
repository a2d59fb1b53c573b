/* SPDX-License-Identifier: MIT */
/*
 * Operations that belong to an object: strongly, as their source object, or weakly, bound to its
 * life. The object is of a program's own, with an operation in the usual shape.
 */
#include "task.h"

#include <poll.h>
#include <unistd.h>

/* --- a program's own object ------------------------------------------------------------------- */

/* Loads a number; whoever serves it returns the task. */
typedef struct Loader {
    Thing thing; /* notes its dispose and finalize */
    EddyTask *request;
    EddyCancellable *life; /* cancelled at the end, for the library's own operations */
    bool drops_request;    /* in its dispose */
    int64_t number;
} Loader;

static void loader_dispose (void *object)
{
    Loader *loader = object;
    thing_dispose (&loader->thing);
    eddy_cancellable_cancel (loader->life);
    if (loader->drops_request)
        eddy_task_unref (loader->request);
}

static void loader_finalize (void *object)
{
    Loader *loader = object;
    thing_finalize (&loader->thing);
    eddy_unref (loader->life);
}

static const EddyClass loader_class = { .name = "Loader",
                                        .size = sizeof (Loader),
                                        .dispose = loader_dispose,
                                        .finalize = loader_finalize };

static Loader *loader_new (void)
{
    Loader *loader = eddy_object_new (&loader_class);
    loader->thing.dispose_letter = 'd';
    loader->thing.finalize_letter = 'f';
    loader->life = eddy_cancellable_new ();
    return loader;
}

/* Returns the task for whoever serves it. */
static EddyTask *loader_load_async (Loader *loader, bool weak, EddyAsyncReadyCallback callback,
                                    void *user_data)
{
    EddyTask *task = eddy_task_new (loader, NULL, callback, user_data);
    EddyFuture *future = eddy_task_get_future (task);
    eddy_task_set_source_tag (task, loader_load_async);
    if (weak)
        ck_assert (eddy_object_bind (loader, future));
    eddy_unref (future);
    loader->request = task;
    return task;
}

static void *loader_load_finish (void *loader, EddyAsyncResult *result, EddyError **error)
{
    ck_assert (eddy_task_is_valid (result, loader));
    ck_assert (eddy_async_result_is_tagged (result, loader_load_async));
    return eddy_task_propagate_pointer (result, error);
}

static void note_loaded (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Answer *answer = user_data;
    answer->calls++;
    answer->source_object = source_object;
    note_end ('c');
    answer->pointer = loader_load_finish (source_object, result, &answer->error);
    void *object = eddy_async_result_get_source_object (result);
    ck_assert_ptr_eq (object, source_object);
    eddy_unref (object);
}

static void serve (EddyTask *task)
{
    eddy_task_return_pointer (task, eddy_strdup ("value"), end_string);
    eddy_task_unref (task);
}

static void *serve_in_thread (void *task)
{
    serve (task);
    return NULL;
}

/* --- the two ways ----------------------------------------------------------------------------- */

EDDY_TEST (D_bind_not_and_the_task_keeps_its_object)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    Loader *loader = loader_new ();
    EddyTask *task = loader_load_async (loader, false, note_loaded, &answer);
    eddy_unref (loader);
    ck_assert_str_eq (ends, "");
    serve (task);
    run_until_called (context, &answer);
    ck_assert_ptr_eq (answer.source_object, loader);
    ck_assert_str_eq (answer.pointer, "value");
    eddy_free (answer.pointer);
    ck_assert_str_eq (ends, "cdf");
    eddy_test_context_end (context);
}

EDDY_TEST (D_bind_and_the_object_s_end_cancels)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    Loader *loader = loader_new ();
    EddyTask *task = loader_load_async (loader, true, note_loaded, &answer);
    ck_assert (!eddy_cancellable_is_cancelled (eddy_task_get_cancellable (task)));
    ck_assert_ptr_eq (eddy_task_get_source_object (task), loader);
    eddy_unref (loader);
    ck_assert_str_eq (ends, "d");
    ck_assert (eddy_cancellable_is_cancelled (eddy_task_get_cancellable (task)));
    run_all (context);
    ck_assert_str_eq (ends, "d");
    /* Its memory is there until the task is over. */
    ((Loader *) eddy_task_get_source_object (task))->number = 5;
    ck_assert (eddy_task_return_error_if_cancelled (task));
    eddy_task_unref (task);
    run_until_called (context, &answer);
    ck_assert_ptr_null (answer.source_object);
    eddy_test_expect_error (&answer.error, EDDY_IO_ERROR_CANCELLED);
    ck_assert_str_eq (ends, "dcf");
    eddy_test_context_end (context);
}

/* It was asked to end, and did not heed it: the callback is told of the cancel all the same. */
EDDY_TEST (D_bind_answer_for_an_object_that_is_gone)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    Loader *loader = loader_new ();
    EddyTask *task = loader_load_async (loader, true, note_loaded, &answer);
    eddy_unref (loader);
    serve (task);
    run_until_called (context, &answer);
    ck_assert_ptr_null (answer.source_object);
    ck_assert_ptr_null (answer.pointer);
    eddy_test_expect_error (&answer.error, EDDY_IO_ERROR_CANCELLED);
    ck_assert_str_eq (ends, "dvcf");
    eddy_test_context_end (context);
}

EDDY_TEST (D_bind_completed_first_is_as_without)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    Loader *loader = loader_new ();
    EddyTask *task = loader_load_async (loader, true, note_loaded, &answer);
    serve (task);
    eddy_unref (loader); /* the callback to come has it now */
    ck_assert_str_eq (ends, "");
    run_until_called (context, &answer);
    ck_assert_ptr_eq (answer.source_object, loader);
    ck_assert_str_eq (answer.pointer, "value");
    ck_assert_ptr_null (answer.error);
    eddy_free (answer.pointer);
    ck_assert_str_eq (ends, "cdf");
    eddy_test_context_end (context);
}

static void drop_loader (void *source_object, EddyAsyncResult *result, void *user_data)
{
    note_loaded (source_object, result, user_data);
    eddy_unref (source_object);
    note_end ('e');
}

EDDY_TEST (D_bind_last_reference_goes_in_the_callback)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    Loader *loader = loader_new ();
    serve (loader_load_async (loader, true, drop_loader, &answer));
    run_until_called (context, &answer);
    ck_assert_str_eq (answer.pointer, "value");
    eddy_free (answer.pointer);
    ck_assert_str_eq (ends, "cedf");
    eddy_test_context_end (context);
}

/* An object that outlives what was bound to it, and then another operation. */
EDDY_TEST (D_bind_again_after_the_first_has_ended)
{
    EddyContext *context = eddy_test_context_begin ();
    Loader *loader = loader_new ();
    for (int i = 0; i < 3; i++) {
        Answer answer = { .calls = 0 };
        serve (loader_load_async (loader, true, note_loaded, &answer));
        run_until_called (context, &answer);
        ck_assert_ptr_eq (answer.source_object, loader);
        eddy_free (answer.pointer);
    }
    ck_assert_str_eq (ends, "ccc");
    eddy_unref (loader);
    ck_assert_str_eq (ends, "cccdf");
    eddy_test_context_end (context);
}

/* The object had the task's only maker, and gives it up when it goes: that is no mistake. */
EDDY_TEST (D_bind_dispose_drops_the_task)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    eddy_log_set_handler (note_message, NULL);
    Loader *loader = loader_new ();
    loader->drops_request = true;
    loader_load_async (loader, true, note_loaded, &answer);
    eddy_unref (loader);
    run_until_called (context, &answer);
    eddy_test_expect_error (&answer.error, EDDY_IO_ERROR_CANCELLED);
    ck_assert_int_eq (warnings, 0);
    ck_assert_str_eq (ends, "dcf");
    eddy_test_context_end (context);
}

EDDY_TEST (D_bind_complete_future_is_refused)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    Loader *loader = loader_new ();
    EddyTask *task = loader_load_async (loader, false, note_loaded, &answer);
    EddyFuture *future = eddy_task_get_future (task);
    serve (task);
    ck_assert (!eddy_object_bind (loader, future));
    eddy_unref (future);
    eddy_unref (loader);
    run_until_called (context, &answer);
    ck_assert_ptr_eq (answer.source_object, loader);
    eddy_free (answer.pointer);
    ck_assert_str_eq (ends, "cdf");
    eddy_test_context_end (context);
}

EDDY_TEST (D_bind_twice_is_once)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    Loader *loader = loader_new ();
    EddyTask *task = loader_load_async (loader, true, note_loaded, &answer);
    EddyFuture *future = eddy_task_get_future (task);
    ck_assert (eddy_object_bind (loader, future));
    eddy_unref (future);
    ck_assert_str_eq (ends, "");
    eddy_unref (loader);
    serve (task);
    run_until_called (context, &answer);
    eddy_test_expect_error (&answer.error, EDDY_IO_ERROR_CANCELLED);
    ck_assert_str_eq (ends, "dvcf");
    eddy_test_context_end (context);
}

/* --- other futures ---------------------------------------------------------------------------- */

static void *sleep_long (void *data, EddyError **error)
{
    eddy_fiber_sleep (INT64_C (3600000000000), error);
    return data;
}

EDDY_TEST (D_bind_a_fiber)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    Loader *loader = loader_new ();
    EDDY_AUTO (EddyFuture) fiber = eddy_spawn (context, sleep_long, NULL, NULL);
    ck_assert (eddy_object_bind (loader, fiber));
    run_all (context);
    eddy_unref (loader);
    ck_assert_str_eq (ends, "d");
    ck_assert (!eddy_block_on_complete (context, fiber, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    run_all (context);
    ck_assert_str_eq (ends, "df");
    eddy_test_context_end (context);
}

EDDY_TEST (D_bind_an_operation_s_future)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    int fds[2];
    ck_assert_int_eq (pipe (fds), 0);
    Loader *loader = loader_new ();
    EDDY_AUTO (EddyFuture) wait = eddy_fd_wait_future (fds[0], POLLIN, 0, NULL);
    ck_assert (eddy_object_bind (loader, wait));
    run_all (context);
    eddy_unref (loader);
    ck_assert (!eddy_block_on_complete (context, wait, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    run_all (context);
    ck_assert_str_eq (ends, "df");
    close (fds[0]);
    close (fds[1]);
    eddy_test_context_end (context);
}

static void note_waited (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Answer *answer = user_data;
    (void) source_object;
    answer->calls++;
    answer->integer = eddy_fd_wait_finish (result, &answer->error);
}

/* The library's own `_async` functions: by a cancellable that dispose cancels. */
EDDY_TEST (D_bind_by_a_cancellable_that_dispose_cancels)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    int fds[2];
    ck_assert_int_eq (pipe (fds), 0);
    Loader *loader = loader_new ();
    eddy_fd_wait_async (fds[0], POLLIN, 0, loader->life, note_waited, &answer);
    run_all (context);
    ck_assert_int_eq (answer.calls, 0);
    eddy_unref (loader);
    ck_assert_str_eq (ends, "df");
    run_until_called (context, &answer);
    eddy_test_expect_error (&answer.error, EDDY_IO_ERROR_CANCELLED);
    close (fds[0]);
    close (fds[1]);
    eddy_test_context_end (context);
}

/* An answer of an operation that was only cancelled by the object is its own. */
EDDY_TEST (D_bind_to_another_object_than_the_source)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    Loader *loader = loader_new ();
    Loader *other = loader_new ();
    other->thing.dispose_letter = 'D';
    other->thing.finalize_letter = 'F';
    EddyTask *task = loader_load_async (loader, false, note_loaded, &answer);
    EddyFuture *future = eddy_task_get_future (task);
    ck_assert (eddy_object_bind (other, future));
    eddy_unref (future);
    eddy_unref (other);
    ck_assert_str_eq (ends, "D");
    ck_assert (eddy_cancellable_is_cancelled (eddy_task_get_cancellable (task)));
    serve (task);
    eddy_unref (loader);
    run_until_called (context, &answer);
    ck_assert_ptr_eq (answer.source_object, loader);
    ck_assert_str_eq (answer.pointer, "value");
    eddy_free (answer.pointer);
    ck_assert_str_eq (ends, "DcFdf");
    eddy_test_context_end (context);
}

/* Many bonds at once, and two of each future. */
EDDY_TEST (D_bind_many)
{
    enum { MANY = 300 };
    EddyContext *context = eddy_test_context_begin ();
    static EddyTask *tasks[MANY];
    static Answer answers[MANY];
    Loader *first = loader_new (), *second = loader_new ();
    for (int i = 0; i < MANY; i++) {
        tasks[i] = eddy_task_new (first, NULL, take_int, &answers[i]);
        EddyFuture *future = eddy_task_get_future (tasks[i]);
        ck_assert (eddy_object_bind (first, future));
        ck_assert (eddy_object_bind (second, future));
        eddy_unref (future);
    }
    for (int i = 0; i < MANY; i += 2) {
        eddy_task_return_int (tasks[i], i);
        eddy_task_unref (tasks[i]);
    }
    run_all (context);
    ck_assert_str_eq (ends, "");
    eddy_unref (first);
    ck_assert_str_eq (ends, "d");
    for (int i = 1; i < MANY; i += 2) {
        ck_assert (eddy_task_return_error_if_cancelled (tasks[i]));
        eddy_task_unref (tasks[i]);
    }
    run_all (context);
    ck_assert_str_eq (ends, "df");
    eddy_unref (second);
    ck_assert_str_eq (ends, "dfdf");
    for (int i = 0; i < MANY; i++) {
        ck_assert_int_eq (answers[i].calls, 1);
        ck_assert_int_eq (answers[i].integer, i % 2 == 0 ? i : -1);
        ck_assert_ptr_eq (answers[i].source_object, i % 2 == 0 ? first : NULL);
        eddy_unref (answers[i].error);
    }
    eddy_test_context_end (context);
}

/* --- threads ---------------------------------------------------------------------------------- */

EDDY_TEST (D_bind_object_ends_on_another_thread)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    Loader *loader = loader_new ();
    EddyTask *task = loader_load_async (loader, true, note_loaded, &answer);
    run_thread (unref_in_thread, loader);
    ck_assert_str_eq (ends, "d");
    ck_assert (!pthread_equal (end_thread, pthread_self ()));
    run_all (context); /* the cancel arrives */
    ck_assert (eddy_task_return_error_if_cancelled (task));
    eddy_task_unref (task);
    run_until_called (context, &answer);
    eddy_test_expect_error (&answer.error, EDDY_IO_ERROR_CANCELLED);
    ck_assert_ptr_null (answer.source_object);
    ck_assert_str_eq (ends, "dcf");
    ck_assert (pthread_equal (end_thread, pthread_self ()));
    eddy_test_context_end (context);
}

/* The task ends at home before the cancel that comes from the object's thread has arrived. */
EDDY_TEST (D_bind_cancel_arrives_after_the_end)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer answer = { .calls = 0 };
    Loader *loader = loader_new ();
    EddyTask *task = loader_load_async (loader, true, note_loaded, &answer);
    run_thread (unref_in_thread, loader);
    serve (task);
    run_until_called (context, &answer);
    eddy_test_expect_error (&answer.error, EDDY_IO_ERROR_CANCELLED);
    ck_assert_str_eq (ends, "dvcf");
    eddy_test_context_end (context);
}

EDDY_TEST (D_bind_served_by_another_thread)
{
    EddyContext *context = eddy_test_context_begin ();
    Answer alive = { .calls = 0 }, gone = { .calls = 0 };
    Loader *loader = loader_new ();
    run_thread (serve_in_thread, loader_load_async (loader, true, note_loaded, &alive));
    run_until_called (context, &alive);
    ck_assert_ptr_eq (alive.source_object, loader);
    eddy_free (alive.pointer);
    EddyTask *task = loader_load_async (loader, true, note_loaded, &gone);
    eddy_unref (loader);
    run_thread (serve_in_thread, task);
    run_until_called (context, &gone);
    eddy_test_expect_error (&gone.error, EDDY_IO_ERROR_CANCELLED);
    ck_assert_str_eq (ends, "cdvcf");
    eddy_test_context_end (context);
}

static void note_quietly (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Answer *answer = user_data;
    answer->calls++;
    answer->source_object = source_object;
    answer->integer = eddy_task_propagate_int (result, &answer->error);
}

static void *return_quietly (void *task)
{
    eddy_task_return_int (task, 1);
    eddy_task_unref (task);
    return NULL;
}

/* The answer and the object's end come at once, each from its own thread: there is one order. */
EDDY_TEST (D_bind_answer_and_end_race)
{
    EddyContext *context = eddy_test_context_begin ();
    int rounds = eddy_test_sanitized () ? 100 : 1000;
    for (int i = 0; i < rounds; i++) {
        Answer answer = { .calls = 0 };
        pthread_t server, owner;
        Loader *loader = loader_new ();
        ends[0] = '\0';
        EddyTask *task = loader_load_async (loader, true, note_quietly, &answer);
        pthread_create (&server, NULL, return_quietly, task);
        pthread_create (&owner, NULL, unref_in_thread, loader);
        while (answer.calls == 0)
            eddy_context_iteration (context, true);
        pthread_join (server, NULL);
        pthread_join (owner, NULL);
        run_all (context);
        ck_assert_str_eq (ends, "df");
        ck_assert_int_eq (answer.calls, 1);
        bool alive = answer.source_object != NULL;
        ck_assert_int_eq (answer.integer, alive ? 1 : -1);
        ck_assert_int_eq (answer.error == NULL, alive);
        eddy_unref (answer.error);
    }
    eddy_test_context_end (context);
}
