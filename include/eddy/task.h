/* SPDX-License-Identifier: MIT */
/* EddyTask: a future that a program completes by hand. */
#ifndef EDDY_TASK_H
#define EDDY_TASK_H

#include <eddy/future.h>

EDDY_BEGIN_DECLS

/** What a program's own `_async` function makes. Its references count makers: who will deliver the
 * answer. When the last one goes before it was returned, it completes with EDDY_IO_ERROR_ABANDONED.
 */
typedef struct EddyTask EddyTask;

/**
 * Makes a task, whose callback will run in the thread's default context.
 *
 * @source_object: what the operation is about, kept alive until the callback has returned; or NULL
 * @cancellable: what can cancel it, or NULL
 * @callback: called once when the task has been returned; NULL: nothing is called
 * @user_data: for @callback
 *
 * Returns: a task with one reference, or NULL when memory is out (then @callback is never called)
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyTask *eddy_task_new (void *source_object, EddyCancellable *cancellable,
                                  EddyAsyncReadyCallback callback, void *user_data) EDDY_MUST_USE;

/** Takes a reference, as a maker. Thread: any. Since: 0.1 */
EDDY_API EddyTask *eddy_task_ref (EddyTask *task);

/** Gives a maker's reference up. Thread: any. Since: 0.1 */
EDDY_API void eddy_task_unref (EddyTask *task);

/** The task's future, with a new reference. Thread: any. Since: 0.1 */
EDDY_API EddyFuture *eddy_task_get_future (EddyTask *task) EDDY_MUST_USE;

/** The object the task was made with, owned by it. Thread: any. Since: 0.1 */
EDDY_API void *eddy_task_get_source_object (EddyTask *task);

/** The task's own cancellable, a child of the one it was made with, owned by it.
 * Thread: any. Since: 0.1 */
EDDY_API EddyCancellable *eddy_task_get_cancellable (EddyTask *task);

/** Gives the task data of its own; the former data are destroyed now, the last ones when the task
 * ends. Thread: the maker's. Since: 0.1 */
EDDY_API void eddy_task_set_task_data (EddyTask *task, void *task_data,
                                       void (*destroy) (void *task_data));

/** The data given by eddy_task_set_task_data(), owned by the task. Thread: any. Since: 0.1 */
EDDY_API void *eddy_task_get_task_data (EddyTask *task);

/** Sets the priority of the callback; lower is more urgent. Thread: the maker's. Since: 0.1 */
EDDY_API void eddy_task_set_priority (EddyTask *task, int priority);

/** Names a task for messages; a static string. Thread: the maker's. Since: 0.1 */
EDDY_API void eddy_task_set_name (EddyTask *task, const char *name);

/** Completes a task. A second return is misuse. Thread: any. Since: 0.1 */
EDDY_API void eddy_task_return_boolean (EddyTask *task, bool result);

/** Completes a task. A second return is misuse. Thread: any. Since: 0.1 */
EDDY_API void eddy_task_return_int (EddyTask *task, int64_t result);

/** Completes a task; @destroy frees the pointer when nobody takes it. Thread: any. Since: 0.1 */
EDDY_API void eddy_task_return_pointer (EddyTask *task, void *result,
                                        void (*destroy) (void *result));

/** Completes a task with an object, whose reference is taken. Thread: any. Since: 0.1 */
EDDY_API void eddy_task_return_object (EddyTask *task, void *object);

/** Completes a task with an error, whose reference is taken. Thread: any. Since: 0.1 */
EDDY_API void eddy_task_return_error (EddyTask *task, EddyError *error);

/** Completes a task with its cancellable's error if it is cancelled. Returns: whether it did.
 * Thread: any. Since: 0.1 */
EDDY_API bool eddy_task_return_error_if_cancelled (EddyTask *task);

/** Takes the result, once: false and the error when there is one. For finish functions, which get
 * the task as their result. Thread: any. Since: 0.1 */
EDDY_API bool eddy_task_propagate_boolean (EddyAsyncResult *result, EddyError **error);

/** Takes the result, once: -1 and the error when there is one. Thread: any. Since: 0.1 */
EDDY_API int64_t eddy_task_propagate_int (EddyAsyncResult *result, EddyError **error);

/** Takes the result, once, with its ownership: NULL and the error when there is one. For pointers
 * and objects. Thread: any. Since: 0.1 */
EDDY_API void *eddy_task_propagate_pointer (EddyAsyncResult *result, EddyError **error);

/** Whether a result is a task made for a source object. Thread: any. Since: 0.1 */
EDDY_API bool eddy_task_is_valid (EddyAsyncResult *result, void *source_object);

EDDY_END_DECLS

#endif
