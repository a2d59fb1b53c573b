/* SPDX-License-Identifier: MIT */
/* EddyFuture: a value or an error that arrives once. */
#ifndef EDDY_FUTURE_H
#define EDDY_FUTURE_H

#include <eddy/cancellable.h>
#include <eddy/context.h>
#include <eddy/error.h>
#include <eddy/value.h>

EDDY_BEGIN_DECLS

/** What is under way: an operation, a task, a fiber. An object; each reference is a handle of
 * somebody who may still want the answer. When the last one goes before the answer has come, the
 * operation is asked to cancel, and ends unseen. */
typedef struct EddyFuture EddyFuture;

/** What a callback gets: the future that has completed. */
typedef EddyFuture EddyAsyncResult;

/**
 * Called once when an operation has completed, from the loop of the context in which it started.
 *
 * @source_object: the object that the operation was started on, or NULL
 * @result: for the operation's finish function; valid until the callback returns
 * @user_data: as given to the operation
 */
typedef void (*EddyAsyncReadyCallback) (void *source_object, EddyAsyncResult *result,
                                        void *user_data);

/** Whether the answer has come. One that another thread gave may still be on its way to the
 * future's context, which it keeps until then: who asks here and lets go of the context next
 * calls eddy_block_on_complete() before. Thread: any. Since: 0.1 */
EDDY_API bool eddy_future_is_complete (EddyFuture *future);

/** The error a future completed with, owned by it; NULL: none, or not yet. Thread: any. Since: 0.1
 */
EDDY_API const EddyError *eddy_future_get_error (EddyFuture *future);

/**
 * Asks what is under way to end. The future completes all the same, with what has happened.
 *
 * @future: a future; NULL or complete: nothing happens
 *
 * Thread: any
 * Since: 0.1
 */
EDDY_API void eddy_future_cancel (EddyFuture *future);

/**
 * Takes the value of a complete future: plain values are copied, objects referenced, and a pointer
 * with one owner moves to the first who takes it; later ones get EDDY_IO_ERROR_TAKEN.
 *
 * @future: a complete future
 * @value: where to put it, empty before
 * @error: where to put the error
 *
 * Returns: whether there is a value
 * Thread: any
 * Since: 0.1
 */
EDDY_API bool eddy_future_take (EddyFuture *future, EddyValue *value, EddyError **error);

/**
 * Binds what is under way to an object's life: when the object's last reference goes first, the
 * future is asked to cancel.
 *
 * There are two ways for an operation to belong to an object.
 *
 * The strong one: the object is the source object of a task. The task keeps a reference, so that
 * the object lives on until the callback has run, and beyond.
 *
 * The weak one: the task's future, or a fiber's, or an operation's, is bound to the object. It
 * keeps the object's memory, not the object: at the last reference the object is disposed of, and
 * the future is asked to cancel; memory and finalize wait until it has completed and its callback
 * has run. If the object is the future's source object, binding gives the reference to it up. The
 * callback of such a future still runs once, with NULL for its source object and the error
 * CANCELLED, whatever the operation answered; one that completed while the object was there has a
 * reference again, and all is as in the strong way.
 *
 * The library's `_async` functions return no future. Give them a cancellable of the object's, and
 * cancel that in the object's own dispose: then they end with the object, too.
 *
 * @object: an object, of which the caller has a reference
 * @future: a future, of which the caller has a reference
 *
 * Returns: whether they are bound; false when the future has completed already, or memory is out
 * Thread: the future's context's
 * Since: 0.1
 */
EDDY_API bool eddy_object_bind (void *object, EddyFuture *future);

EDDY_END_DECLS

#endif
