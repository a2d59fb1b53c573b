/* SPDX-License-Identifier: MIT */
/*
 * Tasks: returned with each type, here and from other threads, dropped, cancelled.
 */
#include <pthread.h>
#include <stdlib.h>

#include "torture.h"

typedef struct Call {
    int calls;
    int freed;
    bool boolean;
    int64_t integer;
    void *pointer;
    EddyError *error;
} Call;

static Call *freed_call;

static void pointer_free (void *pointer)
{
    (void) pointer;
    freed_call->freed++;
}

static void boolean_ready (void *source_object, EddyAsyncResult *result, void *data)
{
    Call *call = data;
    (void) source_object;
    call->boolean = eddy_task_propagate_boolean (result, &call->error);
    call->calls++;
}

static void integer_ready (void *source_object, EddyAsyncResult *result, void *data)
{
    Call *call = data;
    (void) source_object;
    call->integer = eddy_task_propagate_int (result, &call->error);
    call->calls++;
}

static void pointer_ready (void *source_object, EddyAsyncResult *result, void *data)
{
    Call *call = data;
    (void) source_object;
    call->pointer = eddy_task_propagate_pointer (result, &call->error);
    call->calls++;
}

/* A task for a call; NULL, told, when memory is out: then nothing is called. */
static EddyTask *task_make (EddyCancellable *cancellable, EddyAsyncReadyCallback callback,
                            Call *call)
{
    return torture_made ("a task", eddy_task_new (NULL, cancellable, callback, call));
}

static void call_expect (EddyContext *context, Call *call, bool was_made)
{
    if (was_made)
        torture_run_until (context, &call->calls, 1);
    torture_require (call->calls == was_made);
}

TORTURE_SCENARIO (task_returns)
{
    Call truth = { 0 }, number = { 0 }, pointer = { 0 }, error = { 0 };
    freed_call = &pointer;
    torture_begin ();
    EddyContext *context = torture_context_begin ();
    if (context == NULL)
        return;
    EddyTask *task = task_make (NULL, boolean_ready, &truth);
    if (task != NULL)
        eddy_task_return_boolean (task, true);
    call_expect (context, &truth, task != NULL);
    torture_require (task == NULL || truth.boolean);
    eddy_task_unref (task);

    task = task_make (NULL, integer_ready, &number);
    if (task != NULL)
        eddy_task_return_int (task, 42);
    call_expect (context, &number, task != NULL);
    torture_require (task == NULL || number.integer == 42);
    eddy_task_unref (task);

    task = task_make (NULL, pointer_ready, &pointer);
    if (task != NULL)
        eddy_task_return_pointer (task, &pointer, pointer_free);
    call_expect (context, &pointer, task != NULL);
    torture_require (task == NULL || (pointer.pointer == &pointer && pointer.freed == 0));
    eddy_task_unref (task);

    task = task_make (NULL, pointer_ready, &error);
    if (task != NULL)
        eddy_task_return_error (
            task, eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_BUSY, "%s", "not now"));
    call_expect (context, &error, task != NULL);
    torture_require (task == NULL || error.error != NULL);
    if (error.error != NULL && !eddy_error_matches (error.error, EDDY_IO_ERROR, EDDY_IO_ERROR_BUSY))
        torture_error ("an error", &error.error);
    eddy_clear_error (&error.error);
    eddy_task_unref (task);
    torture_context_end (context);
}

static void *return_late (void *data)
{
    EddyTask *task = data;
    eddy_task_return_int (task, 11);
    eddy_task_unref (task);
    return NULL;
}

TORTURE_SCENARIO (task_returned_by_thread)
{
    Call call = { 0 };
    pthread_t thread;
    torture_begin ();
    EddyContext *context = torture_context_begin ();
    if (context == NULL)
        return;
    EddyTask *task = task_make (NULL, integer_ready, &call);
    if (task != NULL) {
        torture_require (pthread_create (&thread, NULL, return_late, task) == 0);
        call_expect (context, &call, true);
        pthread_join (thread, NULL);
        torture_require (call.integer == 11);
    }
    torture_context_end (context);
}

TORTURE_SCENARIO (task_dropped)
{
    Call call = { 0 };
    torture_begin ();
    EddyContext *context = torture_context_begin ();
    if (context == NULL)
        return;
    EddyTask *task = task_make (NULL, integer_ready, &call);
    eddy_task_unref (task);
    call_expect (context, &call, task != NULL);
    if (task != NULL) {
        torture_require (call.error != NULL);
        if (!eddy_error_matches (call.error, EDDY_IO_ERROR, EDDY_IO_ERROR_ABANDONED))
            torture_error ("a dropped task", &call.error);
        eddy_clear_error (&call.error);
    }
    torture_context_end (context);
}

TORTURE_SCENARIO (task_cancelled)
{
    Call call = { 0 };
    torture_begin ();
    EddyContext *context = torture_context_begin ();
    EddyCancellable *cancellable = torture_made ("a cancellable", eddy_cancellable_new ());
    if (context != NULL && cancellable != NULL) {
        EddyTask *task = task_make (cancellable, integer_ready, &call);
        if (task != NULL) {
            eddy_cancellable_cancel (cancellable);
            bool was_cancelled = eddy_task_return_error_if_cancelled (task);
            /* A task that could not have a cancellable of its own is still cancelled with its
               parent. */
            torture_require (was_cancelled);
            call_expect (context, &call, true);
            torture_require (call.error != NULL);
            torture_error_or_cancelled ("a cancelled task", &call.error);
        }
        eddy_task_unref (task);
    }
    eddy_unref (cancellable);
    torture_context_end (context);
}
