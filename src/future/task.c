/* SPDX-License-Identifier: MIT */
/* EddyTask: a future completed by hand. */
#include <eddy/task.h>

#include "base/compiler-private.h"
#include "base/log-private.h"
#include "base/object-private.h"
#include "future/future-private.h"
#include "loop/cancellable-private.h"

struct EddyTask {
    EddyFuture future;
    EddyCancellable *cancellable; /* its own; NULL when memory was out */
    const char *name;             /* static; for messages */
    void *task_data;
    void (*destroy_data) (void *task_data);
};

static EddyTask *task_of (EddyFuture *future);

static void task_drop_data (EddyTask *task)
{
    void (*destroy) (void *) = task->destroy_data;
    task->destroy_data = NULL;
    if (destroy != NULL)
        destroy (task->task_data);
    task->task_data = NULL;
}

static void task_finalize (void *object)
{
    EddyTask *task = object;
    eddy_clear (&task->future.source_object);
    eddy_clear (&task->cancellable);
    task_drop_data (task);
    eddy__future_finalize (&task->future);
}

static void task_request_cancel (EddyFuture *future)
{
    eddy_cancellable_cancel (task_of (future)->cancellable);
}

static EddyError *task_abandon (EddyFuture *future)
{
    const EddyTask *task = task_of (future);
    const char *name = task->name == NULL ? "a task" : task->name;
    eddy__log (EDDY_LOG_WARNING, "%s was dropped without having been returned", name);
    return eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_ABANDONED,
                           "%s was dropped without an answer", name);
}

static const EddyFutureClass task_class = { .object = { .name = "EddyTask",
                                                        .size = sizeof (EddyTask),
                                                        .dispose = eddy__future_dispose,
                                                        .finalize = task_finalize },
                                            .request_cancel = task_request_cancel,
                                            .abandon = task_abandon };

static bool future_is_task (const EddyFuture *future)
{
    return future != NULL && future->object.object_class == &task_class.object;
}

static EddyTask *task_of (EddyFuture *future)
{
    return EDDY__CONTAINER (future, EddyTask, future);
}

EddyTask *eddy_task_new (void *source_object, EddyCancellable *cancellable,
                         EddyAsyncReadyCallback callback, void *user_data)
{
    EddyTask *task = eddy_object_new (&task_class.object);
    if (task == NULL)
        return NULL;
    eddy__future_init (&task->future, &task_class, eddy__context_thread_default (),
                       EDDY_PRIORITY_DEFAULT);
    task->cancellable = eddy_cancellable_new_child (cancellable);
    eddy__future_set_callback (&task->future, source_object, callback, user_data);
    /* The callback to come is the only handle; the caller is the maker. */
    eddy_unref (&task->future);
    return task;
}

EddyTask *eddy_task_ref (EddyTask *task)
{
    EDDY__EXPECT (task != NULL, NULL);
    eddy__future_ref_maker (&task->future);
    return task;
}

void eddy_task_unref (EddyTask *task)
{
    if (task != NULL)
        eddy__future_unref_maker (&task->future);
}

EddyFuture *eddy_task_get_future (EddyTask *task)
{
    EDDY__EXPECT (task != NULL, NULL);
    return eddy_ref (&task->future);
}

void *eddy_task_get_source_object (EddyTask *task)
{
    EDDY__EXPECT (task != NULL, NULL);
    return task->future.source_object;
}

EddyCancellable *eddy_task_get_cancellable (EddyTask *task)
{
    EDDY__EXPECT (task != NULL, NULL);
    return task->cancellable;
}

void eddy_task_set_task_data (EddyTask *task, void *task_data, void (*destroy) (void *task_data))
{
    EDDY__EXPECT (task != NULL);
    task_drop_data (task);
    task->task_data = task_data;
    task->destroy_data = destroy;
}

void *eddy_task_get_task_data (EddyTask *task)
{
    EDDY__EXPECT (task != NULL, NULL);
    return task->task_data;
}

void eddy_task_set_priority (EddyTask *task, int priority)
{
    EDDY__EXPECT (task != NULL);
    task->future.entry.priority = priority;
}

void eddy_task_set_name (EddyTask *task, const char *name)
{
    EDDY__EXPECT (task != NULL);
    task->name = name;
}

/* --- returning -------------------------------------------------------------------------------- */

static void task_return (EddyTask *task, EddyValue value, EddyError *error, const char *function)
{
    if (!eddy__future_complete (&task->future, &value, error))
        eddy__misuse (function, "a task that has not been returned yet");
}

void eddy_task_return_boolean (EddyTask *task, bool result)
{
    EDDY__EXPECT (task != NULL);
    EddyValue value = EDDY_VALUE_INIT;
    eddy_value_set_boolean (&value, result);
    task_return (task, value, NULL, __func__);
}

void eddy_task_return_int (EddyTask *task, int64_t result)
{
    EDDY__EXPECT (task != NULL);
    EddyValue value = EDDY_VALUE_INIT;
    eddy_value_set_int (&value, result);
    task_return (task, value, NULL, __func__);
}

void eddy_task_return_pointer (EddyTask *task, void *result, void (*destroy) (void *result))
{
    EDDY__EXPECT (task != NULL);
    EddyValue value = EDDY_VALUE_INIT;
    eddy_value_take_pointer (&value, result, destroy);
    task_return (task, value, NULL, __func__);
}

void eddy_task_return_object (EddyTask *task, void *object)
{
    EDDY__EXPECT (task != NULL);
    EddyValue value = EDDY_VALUE_INIT;
    eddy_value_take_object (&value, object);
    task_return (task, value, NULL, __func__);
}

void eddy_task_return_error (EddyTask *task, EddyError *error)
{
    EDDY__EXPECT (task != NULL && error != NULL);
    task_return (task, (EddyValue) EDDY_VALUE_INIT, error, __func__);
}

bool eddy_task_return_error_if_cancelled (EddyTask *task)
{
    EDDY__EXPECT (task != NULL, false);
    if (!eddy__cancellable_is_cancelled (task->cancellable))
        return false;
    eddy_task_return_error (task, eddy__cancellable_make_error (task->cancellable));
    return true;
}

/* --- taking ----------------------------------------------------------------------------------- */

bool eddy_task_propagate_boolean (EddyAsyncResult *result, EddyError **error)
{
    EDDY__EXPECT (future_is_task (result), false);
    EddyValue value = EDDY_VALUE_INIT;
    return eddy_future_take (result, &value, error) && value.as.boolean;
}

int64_t eddy_task_propagate_int (EddyAsyncResult *result, EddyError **error)
{
    EDDY__EXPECT (future_is_task (result), -1);
    EddyValue value = EDDY_VALUE_INIT;
    return eddy_future_take (result, &value, error) ? value.as.integer : -1;
}

void *eddy_task_propagate_pointer (EddyAsyncResult *result, EddyError **error)
{
    EDDY__EXPECT (future_is_task (result), NULL);
    EddyValue value = EDDY_VALUE_INIT;
    return eddy_future_take (result, &value, error) ? value.as.pointer : NULL;
}

bool eddy_task_is_valid (EddyAsyncResult *result, void *source_object)
{
    return future_is_task (result) && result->source_object == source_object;
}
