/* SPDX-License-Identifier: MIT */
/* A task's answer: returned by its makers, taken by finish functions. */
#include "base/alloc-private.h"
#include "base/log-private.h"
#include "base/object-private.h"
#include "future/task-job-private.h"
#include "loop/cancellable-private.h"

/* --- returning -------------------------------------------------------------------------------- */

bool eddy__task_complete (EddyTask *task, EddyValue *value, EddyError *error)
{
    EddyFuture *future = &task->future;
    /* The only maker has nobody to race with. */
    if (EDDY__LIKELY (eddy__context_is_owned (future->context) &&
                      __atomic_load_n (&future->makers, __ATOMIC_ACQUIRE) == 1 &&
                      eddy__future_is_pending (future))) {
        eddy__future_complete_sole (future, value, error);
        return true;
    }
    return eddy__future_complete (future, value, error);
}

/* Where a task that runs in a thread was returned, or any other. */
static void task_return (EddyTask *task, EddyValue value, EddyError *error, const char *function)
{
    bool first = task->job == NULL ? eddy__task_complete (task, &value, error)
                                   : eddy__task_job_store (task, &value, error);
    if (!first)
        eddy__misuse (function, "a task that has not been returned yet");
}

EddyError *eddy__task_make_abandoned (EddyTask *task)
{
    const char *name = task->name == NULL ? "" : task->name;
    const char *quote = task->name == NULL ? "" : "'";
    const char *space = task->name == NULL ? "" : " ";
    const EddyPlace *place = task->place;
    if (place == NULL)
        return eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_ABANDONED,
                               "a task%s%s%s%s was dropped without having been returned", space,
                               quote, name, quote);
    return eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_ABANDONED,
                           "a task%s%s%s%s, made at %s:%d in %s(), was dropped without having been "
                           "returned",
                           space, quote, name, quote, place->file, place->line, place->function);
}

void eddy__task_abandon (EddyTask *task)
{
    eddy__future_complete (&task->future, NULL, eddy__task_make_abandoned (task));
    /* A task bound to an object that is gone was cancelled by that. */
    const EddyError *error = eddy_future_get_error (&task->future);
    if (eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_ABANDONED))
        eddy__log (EDDY_LOG_WARNING, "%s", eddy_error_get_message (error));
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

void eddy_task_return_value (EddyTask *task, EddyValue *value)
{
    EDDY__EXPECT (task != NULL && value != NULL);
    EddyValue taken = *value;
    *value = (EddyValue) EDDY_VALUE_INIT;
    task_return (task, taken, NULL, __func__);
}

void eddy_task_return_error (EddyTask *task, EddyError *error)
{
    EDDY__EXPECT (task != NULL && error != NULL);
    task_return (task, (EddyValue) EDDY_VALUE_INIT, error, __func__);
}

void eddy_task_return_new_error (EddyTask *task, const char *domain, int code, const char *format,
                                 ...)
{
    EDDY__EXPECT (task != NULL);
    va_list arguments;
    va_start (arguments, format);
    EddyError *error = eddy_error_new_valist (domain, code, format, arguments);
    va_end (arguments);
    task_return (task, (EddyValue) EDDY_VALUE_INIT, error, __func__);
}

void eddy_task_return_new_error_literal (EddyTask *task, const char *domain, int code,
                                         const char *message)
{
    EDDY__EXPECT (task != NULL);
    task_return (task, (EddyValue) EDDY_VALUE_INIT, eddy_error_new_literal (domain, code, message),
                 __func__);
}

void eddy_task_return_prefixed_error (EddyTask *task, EddyError *error, const char *format, ...)
{
    EDDY__EXPECT (task != NULL && error != NULL);
    va_list arguments;
    va_start (arguments, format);
    eddy_error_prefix_valist (&error, format, arguments);
    va_end (arguments);
    task_return (task, (EddyValue) EDDY_VALUE_INIT, error, __func__);
}

bool eddy_task_return_error_if_cancelled (EddyTask *task)
{
    EDDY__EXPECT (task != NULL, false);
    EddyCancellable *cancellable = eddy__task_cancelled_by (task);
    if (cancellable == NULL)
        return false;
    task_return (task, (EddyValue) EDDY_VALUE_INIT, eddy__cancellable_make_error (cancellable),
                 __func__);
    return true;
}

void eddy_task_report_error (void *source_object, EddyAsyncReadyCallback callback, void *user_data,
                             const void *source_tag, EddyError *error)
{
    EDDY__EXPECT (error != NULL);
    /* Not eddy_task_new(), which may find no memory: this one is made of the last of it. */
    EddyTask *task = eddy__task_new_in (eddy__context_thread_default ());
    task->future.callback = callback;
    task->future.user_data = user_data;
    task->future.source_object = eddy_ref (source_object);
    eddy_task_set_source_tag (task, source_tag);
    eddy_task_return_error (task, error);
    eddy_task_unref (task);
}

void eddy_task_report_new_error (void *source_object, EddyAsyncReadyCallback callback,
                                 void *user_data, const void *source_tag, const char *domain,
                                 int code, const char *format, ...)
{
    va_list arguments;
    va_start (arguments, format);
    EddyError *error = eddy_error_new_valist (domain, code, format, arguments);
    va_end (arguments);
    eddy_task_report_error (source_object, callback, user_data, source_tag, error);
}

/* --- taking ----------------------------------------------------------------------------------- */

bool eddy_task_is_valid (EddyAsyncResult *result, void *source_object)
{
    return eddy__future_is_task (result) && result->source_object == source_object;
}

/* Takes a task's value of one of two kinds; one of another is misuse of the finish function. */
static bool task_take (EddyAsyncResult *result, EddyValue *value, EddyValueKind kind,
                       EddyValueKind or_kind, EddyError **error, const char *function)
{
    if (!eddy_future_take (result, value, error))
        return false;
    if (value->kind == kind || value->kind == or_kind)
        return true;
    eddy__misuse (function, "a task that was returned with such a value");
    eddy_value_clear (value);
    eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_ARGUMENT,
                    "a task was finished as one that returns another kind of value");
    return false;
}

bool eddy_task_propagate_boolean (EddyAsyncResult *result, EddyError **error)
{
    EDDY__EXPECT (eddy__future_is_task (result), false);
    EddyValue value = EDDY_VALUE_INIT;
    return task_take (result, &value, EDDY_VALUE_BOOLEAN, EDDY_VALUE_BOOLEAN, error, __func__) &&
           value.as.boolean;
}

int64_t eddy_task_propagate_int (EddyAsyncResult *result, EddyError **error)
{
    EDDY__EXPECT (eddy__future_is_task (result), -1);
    EddyValue value = EDDY_VALUE_INIT;
    bool taken = task_take (result, &value, EDDY_VALUE_INT, EDDY_VALUE_INT, error, __func__);
    return taken ? value.as.integer : -1;
}

void *eddy_task_propagate_pointer (EddyAsyncResult *result, EddyError **error)
{
    EDDY__EXPECT (eddy__future_is_task (result), NULL);
    EddyValue value = EDDY_VALUE_INIT;
    bool taken = task_take (result, &value, EDDY_VALUE_POINTER, EDDY_VALUE_OBJECT, error, __func__);
    return taken ? value.as.pointer : NULL;
}

bool eddy_task_propagate_value (EddyAsyncResult *result, EddyValue *value, EddyError **error)
{
    EDDY__EXPECT (eddy__future_is_task (result) && value != NULL, false);
    return eddy_future_take (result, value, error);
}

/* --- results of any operation ----------------------------------------------------------------- */

void *eddy_async_result_get_source_object (EddyAsyncResult *result)
{
    EDDY__EXPECT (result != NULL, NULL);
    return eddy__future_ref_source_object (result);
}

void *eddy_async_result_get_user_data (EddyAsyncResult *result)
{
    EDDY__EXPECT (result != NULL, NULL);
    return result->user_data;
}

bool eddy_async_result_is_tagged (EddyAsyncResult *result, const void *source_tag)
{
    return eddy__future_is_task (result) && result->tag == source_tag;
}
