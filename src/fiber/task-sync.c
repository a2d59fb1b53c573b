/* SPDX-License-Identifier: MIT */
/* A task's function on a worker, and the caller waits: a fiber by parking, so that its thread goes
 * on. */
#include <eddy/task.h>

#include "fiber/fiber-private.h"
#include "future/task-job-private.h"

static void sync_scope_cancelled (EddyCancellable *scope, void *user_data)
{
    eddy_cancellable_cancel_with_cause (user_data, eddy__cancellable_ref_cause (scope));
}

/* A cancel of the fiber is one of the task, whose end is waited for all the same. */
static void task_sync_in_fiber (EddyFiber *fiber, EddyTask *task, EddyTaskThreadFunc function)
{
    EddyTask *waiter = eddy__task_new_in (fiber->future.context);
    EddyFuture *answered = eddy_task_get_future (waiter);
    EddyCancellable *own = eddy_task_get_cancellable (task);
    EddyCancellable *scope = eddy__fiber_get_scope (fiber);
    uint64_t id = eddy_cancellable_connect (scope, sync_scope_cancelled, own, NULL);
    if (eddy__task_begin_sync (task, function, waiter)) {
        fiber->shielded++;
        eddy_await_complete (answered, NULL);
        fiber->shielded--;
        eddy__task_end_sync (task);
    } else {
        eddy_task_return_boolean (waiter, false);
        eddy_task_unref (waiter);
    }
    eddy_cancellable_disconnect (scope, id);
    eddy_unref (answered);
}

void eddy_task_run_in_thread_sync (EddyTask *task, EddyTaskThreadFunc function)
{
    EDDY__EXPECT (task != NULL && function != NULL);
    EddyFiber *fiber = eddy__fiber_current ();
    if (fiber != NULL)
        task_sync_in_fiber (fiber, task, function);
    else if (eddy__task_begin_sync (task, function, NULL))
        eddy__task_end_sync (task);
}
