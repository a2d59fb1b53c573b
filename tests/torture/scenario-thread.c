/* SPDX-License-Identifier: MIT */
/*
 * Work in threads: tasks that run in one, blocking functions in each form; deadlines.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "torture.h"

typedef struct Call {
    int calls;
    int runs;
    int destroyed;
    int64_t integer;
    void *pointer;
    EddyError *error;
} Call;

/* ---- Tasks in threads ------------------------------------------------------------------------ */

static void integer_ready (void *source_object, EddyAsyncResult *result, void *data)
{
    Call *call = data;
    (void) source_object;
    torture_require (call->calls == 0);
    call->integer = eddy_task_propagate_int (result, &call->error);
    call->calls++;
}

static void task_work (EddyTask *task, void *source_object, void *task_data,
                       EddyCancellable *cancellable)
{
    Call *call = task_data;
    (void) source_object, (void) cancellable;
    call->runs++;
    eddy_task_return_int (task, 42);
}

static EddyTask *task_make (EddyCancellable *cancellable, Call *call)
{
    EddyTask *task =
        torture_made ("a task", eddy_task_new (NULL, cancellable, integer_ready, call));
    if (task != NULL)
        eddy_task_set_task_data (task, call, NULL);
    return task;
}

TORTURE_SCENARIO (task_in_thread)
{
    Call call = { 0 };
    torture_begin ();
    EddyContext *context = torture_context_begin ();
    if (context == NULL)
        return;
    EddyTask *task = task_make (NULL, &call);
    if (task != NULL) {
        eddy_task_run_in_thread (task, task_work);
        eddy_task_unref (task);
        torture_run_until (context, &call.calls, 1);
        if (call.error != NULL)
            torture_error ("a task in a thread", &call.error);
        else
            torture_require (call.integer == 42 && call.runs == 1);
    }
    torture_context_end (context);
    torture_require (call.calls == (task != NULL));
}

TORTURE_SCENARIO (task_in_thread_sync)
{
    Call call = { 0 };
    EddyError *error = NULL;
    torture_begin ();
    EddyContext *context = torture_context_begin ();
    if (context == NULL)
        return;
    EddyTask *task = task_make (NULL, &call);
    if (task != NULL) {
        EddyFuture *future = eddy_task_get_future (task);
        eddy_task_run_in_thread_sync (task, task_work);
        torture_require (eddy_future_is_complete (future));
        int64_t integer = eddy_task_propagate_int (future, &error);
        if (error != NULL)
            torture_error ("a task in a thread", &error);
        else
            torture_require (integer == 42 && call.runs == 1);
        eddy_task_unref (task);
        eddy_unref (future);
    }
    torture_context_end (context);
    torture_require (call.calls == 0);
}

static void task_wait_for_cancel (EddyTask *task, void *source_object, void *task_data,
                                  EddyCancellable *cancellable)
{
    Call *call = task_data;
    (void) source_object;
    call->runs++;
    while (!eddy_cancellable_is_cancelled (cancellable))
        usleep (200);
    eddy_task_return_error_if_cancelled (task);
}

TORTURE_SCENARIO (task_in_thread_cancelled)
{
    Call call = { 0 };
    torture_begin ();
    EddyContext *context = torture_context_begin ();
    EddyCancellable *cancellable = torture_made ("a cancellable", eddy_cancellable_new ());
    EddyTask *task = context == NULL || cancellable == NULL ? NULL : task_make (cancellable, &call);
    if (task != NULL) {
        eddy_task_run_in_thread (task, task_wait_for_cancel);
        eddy_task_unref (task);
        eddy_context_iteration (context, false);
        eddy_cancellable_cancel (cancellable);
        torture_run_until (context, &call.calls, 1);
        torture_require (call.error != NULL);
        torture_error_or_cancelled ("a task in a thread", &call.error);
    }
    eddy_unref (cancellable);
    torture_context_end (context);
}

TORTURE_SCENARIO (task_report_error)
{
    Call call = { 0 };
    torture_begin ();
    EddyContext *context = torture_context_begin ();
    if (context == NULL)
        return;
    eddy_task_report_new_error (NULL, integer_ready, &call, NULL, EDDY_IO_ERROR, EDDY_IO_ERROR_BUSY,
                                "not %s", "now");
    torture_run_until (context, &call.calls, 1);
    torture_require (call.error != NULL);
    if (!eddy_error_matches (call.error, EDDY_IO_ERROR, EDDY_IO_ERROR_BUSY))
        torture_error ("report", &call.error);
    eddy_clear_error (&call.error);
    torture_context_end (context);
}

TORTURE_SCENARIO (task_cancellable_of_its_own)
{
    Call call = { 0 };
    torture_begin ();
    EddyContext *context = torture_context_begin ();
    EddyTask *task = context == NULL ? NULL : task_make (NULL, &call);
    if (task != NULL) {
        EddyCancellable *own = eddy_task_get_cancellable (task);
        EddyFuture *future = eddy_task_get_future (task);
        torture_require (own != NULL);
        eddy_future_cancel (future);
        torture_require (eddy_cancellable_is_cancelled (eddy_task_get_cancellable (task)));
        /* Where it could have none, the cancel had nothing to be told to. */
        if (!eddy_task_return_error_if_cancelled (task)) {
            torture_refused ("to cancel");
            eddy_task_return_int (task, 1);
        }
        eddy_unref (future);
        eddy_task_unref (task);
        torture_run_until (context, &call.calls, 1);
        if (call.error != NULL)
            torture_error_or_cancelled ("a cancelled task", &call.error);
    }
    torture_context_end (context);
}

/* ---- Blocking functions ---------------------------------------------------------------------- */

static void *block_work (void *data, EddyCancellable *cancellable, EddyError **error)
{
    Call *call = data;
    (void) cancellable, (void) error;
    call->runs++;
    return call;
}

static void block_destroy (void *data)
{
    Call *call = data;
    __atomic_add_fetch (&call->destroyed, 1, __ATOMIC_RELEASE);
}

static void block_ready (void *source_object, EddyAsyncResult *result, void *data)
{
    Call *call = data;
    (void) source_object;
    torture_require (call->calls == 0);
    call->pointer = eddy_run_blocking_finish (result, &call->error);
    call->calls++;
}

static void block_step (void *data)
{
    Call *call = data;
    call->pointer = eddy_run_blocking (block_work, call, block_destroy, NULL, &call->error);
}

static void block_verify (Call *call)
{
    torture_require (call->destroyed == 1);
    if (call->error != NULL)
        torture_error ("a blocking function", &call->error);
    else
        torture_require (call->pointer == call && call->runs == 1);
}

TORTURE_SCENARIO (blocking_in_place)
{
    Call call = { 0 };
    torture_begin ();
    block_step (&call);
    torture_end ();
    block_verify (&call);
}

TORTURE_SCENARIO (blocking_awaited)
{
    Call call = { 0 };
    torture_begin ();
    torture_await (block_step, &call);
    if (call.runs > 0 || !torture_has_failed ())
        block_verify (&call);
    else if (call.error != NULL)
        torture_error ("a blocking function", &call.error);
}

TORTURE_SCENARIO (blocking_by_callback)
{
    Call call = { 0 };
    torture_begin ();
    EddyContext *context = torture_context_begin ();
    if (context == NULL)
        return;
    eddy_run_blocking_async (block_work, &call, block_destroy, EDDY_PRIORITY_DEFAULT, NULL,
                             block_ready, &call);
    torture_run_until (context, &call.calls, 1);
    torture_context_end (context);
    block_verify (&call);
}

/* ---- Deadlines, and fds of cancellables ------------------------------------------------------ */

static void deadline_step (void *data)
{
    EddyError *error = NULL;
    char byte;
    const int *fds = data;
    EddyCancellable *soon =
        torture_made ("a deadline", eddy_cancellable_new_with_timeout (NULL, 2000000));
    if (soon == NULL)
        return;
    torture_require (eddy_fd_read (fds[0], &byte, 1, -1, soon, &error) == -1 && error != NULL);
    if (!eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_TIMED_OUT))
        torture_error ("a read with a deadline", &error);
    eddy_clear_error (&error);
    eddy_unref (soon);
}

static void deadline_run (bool in_fiber)
{
    int fds[2];
    torture_require (pipe2 (fds, O_CLOEXEC) == 0);
    torture_begin ();
    if (in_fiber)
        torture_await (deadline_step, fds);
    else
        deadline_step (fds);
    torture_end ();
    close (fds[0]);
    close (fds[1]);
}

TORTURE_SCENARIO (deadline_blocking)
{
    deadline_run (/* in_fiber= */ false);
}

TORTURE_SCENARIO (deadline_awaited)
{
    deadline_run (/* in_fiber= */ true);
}

TORTURE_SCENARIO (cancellable_fd)
{
    torture_begin ();
    EddyCancellable *cancellable = torture_made ("a cancellable", eddy_cancellable_new ());
    int fd = cancellable == NULL ? -1 : eddy_cancellable_get_fd (cancellable);
    if (cancellable != NULL && fd < 0)
        torture_refused ("an fd");
    eddy_cancellable_cancel (cancellable);
    torture_end ();
    if (fd >= 0) {
        struct pollfd wait = { .fd = fd, .events = POLLIN };
        torture_require (poll (&wait, 1, 0) == 1);
        eddy_cancellable_release_fd (cancellable);
    }
    eddy_unref (cancellable);
}

TORTURE_SCENARIO (cancellable_current)
{
    torture_begin ();
    EddyCancellable *cancellable = torture_made ("a cancellable", eddy_cancellable_new ());
    if (cancellable != NULL) {
        eddy_cancellable_push_current (cancellable);
        torture_require (eddy_cancellable_get_current () == cancellable);
        eddy_cancellable_pop_current (cancellable);
        torture_require (eddy_cancellable_get_current () == NULL);
    }
    torture_end ();
    eddy_unref (cancellable);
}
