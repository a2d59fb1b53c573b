/* SPDX-License-Identifier: MIT */
/* EddyTask: a future that a program completes by hand. */
#ifndef EDDY_TASK_H
#define EDDY_TASK_H

#include <eddy/future.h>
#include <eddy/place.h>
#include <eddy/source.h>

EDDY_BEGIN_DECLS

/**
 * What a program's own `_async` function makes, and its `_finish` function takes the answer of.
 *
 * Its references count makers: who will deliver the answer. When the last one goes before it was
 * returned, it completes with EDDY_IO_ERROR_ABANDONED, and a warning names where it was made.
 *
 * A task keeps its source object, its cancellable, its data and its context until its end: until
 * nobody holds it or its future any more, the callback to come included. It gives them up on its
 * context's thread, whoever was the last; only when that context is gone, where he is.
 */
typedef struct EddyTask EddyTask;

/**
 * What eddy_task_run_in_thread() runs, on one of Eddy's workers. It may block, and says its answer
 * with eddy_task_return_…(); the task completes when it has returned.
 *
 * @task: the task; it is kept while the function runs
 * @source_object: the task's, or NULL
 * @task_data: the task's, or NULL
 * @cancellable: the task's own, to look at from time to time
 */
typedef void (*EddyTaskThreadFunc) (EddyTask *task, void *source_object, void *task_data,
                                    EddyCancellable *cancellable);

/**
 * Makes a task, whose callback will run in the thread's default context.
 *
 * @source_object: what the operation is about, kept alive until the task's end (eddy_object_bind()
 *     makes that a weak bond); or NULL
 * @cancellable: what can cancel it, or NULL
 * @callback: called once, from the loop, after the task was returned; NULL: nothing is called
 * @user_data: for @callback
 * @place: EDDY_PLACE; or NULL
 *
 * Returns: a task with one reference, or NULL when memory is out (then @callback is never called)
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyTask *eddy_task_new_full (void *source_object, EddyCancellable *cancellable,
                                       EddyAsyncReadyCallback callback, void *user_data,
                                       const EddyPlace *place) EDDY_MUST_USE;

/** eddy_task_new_full() from here. */
#define eddy_task_new(source_object, cancellable, callback, user_data)                             \
    eddy_task_new_full (source_object, cancellable, callback, user_data, EDDY_PLACE)

/** Takes a reference, as a maker. Thread: any. Since: 0.1 */
EDDY_API EddyTask *eddy_task_ref (EddyTask *task);

/** Gives a maker's reference up. Thread: any. Since: 0.1 */
EDDY_API void eddy_task_unref (EddyTask *task);

/** What EDDY_AUTO_TASK calls with the address of its variable. Thread: any. Since: 0.1 */
static inline void eddy_auto_task_unref (void *variable)
{
    eddy_task_unref (*(EddyTask **) variable);
}

/** Declares a task whose reference, a maker's, is given up when it goes out of scope:
 * `EDDY_AUTO_TASK task = eddy_task_new (…);`. EDDY_AUTO would give up a handle of its future. */
#define EDDY_AUTO_TASK __attribute__ ((cleanup (eddy_auto_task_unref))) EddyTask *

/**
 * Reports an error by callback, from an `_async` function that cannot even begin: the callback gets
 * a task that was returned with the error, whatever is cancelled meanwhile.
 *
 * @source_object: as for eddy_task_new()
 * @callback: as for eddy_task_new()
 * @user_data: for @callback
 * @source_tag: as for eddy_task_set_source_tag()
 * @error: an error, whose reference is taken
 *
 * Thread: any
 * Since: 0.1
 */
EDDY_API void eddy_task_report_error (void *source_object, EddyAsyncReadyCallback callback,
                                      void *user_data, const void *source_tag, EddyError *error);

/** The same with a new error: a domain, a code of it, and a message as for printf.
 * Thread: any. Since: 0.1 */
EDDY_API void eddy_task_report_new_error (void *source_object, EddyAsyncReadyCallback callback,
                                          void *user_data, const void *source_tag,
                                          const char *domain, int code, const char *format, ...)
    EDDY_PRINTF (7, 8);

/* --- what a task is --------------------------------------------------------------------------- */

/** The task's future, with a new reference. Thread: any. Since: 0.1 */
EDDY_API EddyFuture *eddy_task_get_future (EddyTask *task) EDDY_MUST_USE;

/** The object the task was made with, owned by it. Bound weakly, it may have been disposed of; its
 * memory is there until the task has completed. Thread: any. Since: 0.1 */
EDDY_API void *eddy_task_get_source_object (EddyTask *task);

/** The task's own cancellable, a child of the one it was made with, owned by it; made when it is
 * first asked for. Thread: any. Since: 0.1 */
EDDY_API EddyCancellable *eddy_task_get_cancellable (EddyTask *task);

/** The context in which the callback runs, owned by the task. Thread: any. Since: 0.1 */
EDDY_API EddyContext *eddy_task_get_context (EddyTask *task);

/** Gives the task data of its own; the former data are destroyed now, the last ones at the task's
 * end. Thread: the maker's. Since: 0.1 */
EDDY_API void eddy_task_set_task_data (EddyTask *task, void *task_data,
                                       void (*destroy) (void *task_data));

/** The data given by eddy_task_set_task_data(), owned by the task. Thread: any. Since: 0.1 */
EDDY_API void *eddy_task_get_task_data (EddyTask *task);

/** Sets the priority of the callback, of sources attached, and among the jobs that wait for a
 * worker; lower is more urgent. Thread: the maker's. Since: 0.1 */
EDDY_API void eddy_task_set_priority (EddyTask *task, int priority);

/** The task's priority; EDDY_PRIORITY_DEFAULT unless it was set. Thread: any. Since: 0.1 */
EDDY_API int eddy_task_get_priority (EddyTask *task);

/** Names a task for messages, with a copy of the string; NULL: no name.
 * Thread: the maker's. Since: 0.1 */
EDDY_API void eddy_task_set_name (EddyTask *task, const char *name);

/** The same with a string that is there for ever. Thread: the maker's. Since: 0.1 */
EDDY_API void eddy_task_set_static_name (EddyTask *task, const char *name);

/** The task's name, owned by it, or NULL. Thread: any. Since: 0.1 */
EDDY_API const char *eddy_task_get_name (EddyTask *task);

/** Marks a task as an operation's: the finish function asks eddy_async_result_is_tagged(). The tag
 * is any address of the operation's own, its `_async` function's for one.
 * Thread: the maker's. Since: 0.1 */
EDDY_API void eddy_task_set_source_tag (EddyTask *task, const void *source_tag);

/** The tag given by eddy_task_set_source_tag(), or NULL. Thread: any. Since: 0.1 */
EDDY_API const void *eddy_task_get_source_tag (EddyTask *task);

/** Whether the task has completed: from its return on, whenever the callback runs; one that runs in
 * a thread, from the end of its function on. Thread: any. Since: 0.1 */
EDDY_API bool eddy_task_get_completed (EddyTask *task);

/** Whether the task has completed with an error. Thread: any. Since: 0.1 */
EDDY_API bool eddy_task_had_error (EddyTask *task);

/**
 * Has a source call back with the task as its data, in the task's context and with its priority,
 * and with its name when the source has none. The source keeps the task until it is destroyed.
 *
 * @task: a task
 * @source: a source that was never attached
 * @callback: an EddySourceFunc, or what the source's kind calls, cast by EDDY_SOURCE_FUNC()
 *
 * Thread: any
 * Since: 0.1
 */
EDDY_API void eddy_task_attach_source (EddyTask *task, EddySource *source, EddySourceFunc callback);

/* --- returning -------------------------------------------------------------------------------- */

/** Completes a task. A second return is misuse. Thread: any. Since: 0.1 */
EDDY_API void eddy_task_return_boolean (EddyTask *task, bool result);

/** Completes a task. A second return is misuse. Thread: any. Since: 0.1 */
EDDY_API void eddy_task_return_int (EddyTask *task, int64_t result);

/** Completes a task; @destroy frees the pointer when nobody takes it. Thread: any. Since: 0.1 */
EDDY_API void eddy_task_return_pointer (EddyTask *task, void *result,
                                        void (*destroy) (void *result));

/** Completes a task with an object, whose reference is taken. Thread: any. Since: 0.1 */
EDDY_API void eddy_task_return_object (EddyTask *task, void *object);

/** Completes a task with a value of any kind, which is taken and left empty.
 * Thread: any. Since: 0.1 */
EDDY_API void eddy_task_return_value (EddyTask *task, EddyValue *value);

/** Completes a task with an error, whose reference is taken. Thread: any. Since: 0.1 */
EDDY_API void eddy_task_return_error (EddyTask *task, EddyError *error);

/** Completes a task with an error made from a domain, a code of it, and a message as for printf.
 * Thread: any. Since: 0.1 */
EDDY_API void eddy_task_return_new_error (EddyTask *task, const char *domain, int code,
                                          const char *format, ...) EDDY_PRINTF (4, 5);

/** The same with a message that is no format. Thread: any. Since: 0.1 */
EDDY_API void eddy_task_return_new_error_literal (EddyTask *task, const char *domain, int code,
                                                  const char *message);

/** Completes a task with an error, whose reference is taken, and with a text, as for printf, right
 * before its message. Thread: any. Since: 0.1 */
EDDY_API void eddy_task_return_prefixed_error (EddyTask *task, EddyError *error, const char *format,
                                               ...) EDDY_PRINTF (3, 4);

/** Completes a task with its cancellable's error if it is cancelled. Returns: whether it did.
 * Thread: any. Since: 0.1 */
EDDY_API bool eddy_task_return_error_if_cancelled (EddyTask *task);

/* --- taking ----------------------------------------------------------------------------------- */

/** Whether a result is a task made for a source object. Thread: any. Since: 0.1 */
EDDY_API bool eddy_task_is_valid (EddyAsyncResult *result, void *source_object);

/** Takes the result: false and the error when there is one. For finish functions, which get the
 * task as their result. Thread: any. Since: 0.1 */
EDDY_API bool eddy_task_propagate_boolean (EddyAsyncResult *result, EddyError **error);

/** Takes the result: -1 and the error when there is one. Thread: any. Since: 0.1 */
EDDY_API int64_t eddy_task_propagate_int (EddyAsyncResult *result, EddyError **error);

/** Takes the result, with its ownership: NULL and the error when there is one. For pointers, which
 * can be taken once, and for objects, of which each taker gets a reference.
 * Thread: any. Since: 0.1 */
EDDY_API void *eddy_task_propagate_pointer (EddyAsyncResult *result, EddyError **error);

/** Takes the result, of whatever kind, into an empty value: false and the error when there is one.
 * Thread: any. Since: 0.1 */
EDDY_API bool eddy_task_propagate_value (EddyAsyncResult *result, EddyValue *value,
                                         EddyError **error);

/* --- threads ---------------------------------------------------------------------------------- */

/**
 * Runs a function for the task on one of Eddy's workers. Those that wait for a worker are taken by
 * the task's priority, but ones started on a worker come first.
 *
 * A cancel ends a task whose function has not begun, and the function never runs. One that has
 * begun is not interrupted; what it returns stands. A function that ends without having returned
 * the task abandons it.
 *
 * @task: a task that was neither returned nor run before
 * @function: what to run; the task completes after it, not when it returns the task
 *
 * Thread: any
 * Since: 0.1
 */
EDDY_API void eddy_task_run_in_thread (EddyTask *task, EddyTaskThreadFunc function);

/**
 * The same, and waits for the end: the thread waits, or the fiber. The callback is never called;
 * take the result afterwards by eddy_task_get_future() and a propagate function. On a worker, the
 * function runs in place, so that nested calls never wait for a worker.
 *
 * @task: a task that was neither returned nor run before
 * @function: what to run
 *
 * Thread: any
 * Since: 0.1
 */
EDDY_API void eddy_task_run_in_thread_sync (EddyTask *task, EddyTaskThreadFunc function);

/**
 * Lets a cancel complete a task whose function runs in a thread at once; the function runs on,
 * unheeded. For functions that own all the memory they touch: whoever is told of the end frees what
 * is his. Before it touches anything shared, the function clears the flag, and gives up when that
 * fails; nothing can come between.
 *
 * @task: a task
 * @return_on_cancel: whether a cancel completes it at once; not so at first
 *
 * Returns: whether the flag was set so; false when the task, run in a thread, is cancelled already:
 *     setting the flag has then completed it, clearing it has not undone that
 * Thread: any
 * Since: 0.1
 */
EDDY_API bool eddy_task_set_return_on_cancel (EddyTask *task, bool return_on_cancel);

/** The flag of eddy_task_set_return_on_cancel(). Thread: any. Since: 0.1 */
EDDY_API bool eddy_task_get_return_on_cancel (EddyTask *task);

/* --- results of any operation ----------------------------------------------------------------- */

/** The object that the operation was started on, with a new reference; NULL: none, or it is gone.
 * Thread: the context's. Since: 0.1 */
EDDY_API void *eddy_async_result_get_source_object (EddyAsyncResult *result) EDDY_MUST_USE;

/** The data that the operation's callback gets. Thread: any. Since: 0.1 */
EDDY_API void *eddy_async_result_get_user_data (EddyAsyncResult *result);

/** Whether a result is a task with this tag. Thread: any. Since: 0.1 */
EDDY_API bool eddy_async_result_is_tagged (EddyAsyncResult *result, const void *source_tag);

EDDY_END_DECLS

#endif
