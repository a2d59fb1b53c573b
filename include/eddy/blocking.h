/* SPDX-License-Identifier: MIT */
/* Any blocking call, as an operation. */
#ifndef EDDY_BLOCKING_H
#define EDDY_BLOCKING_H

#include <eddy/future.h>

EDDY_BEGIN_DECLS

/**
 * A call that may block its thread. It runs on a worker, with no loop around it; a fiber's or a
 * context's functions are none of its business.
 *
 * @data: as given to the operation
 * @cancellable: cancelled when the operation is; to be looked at where that makes sense
 * @error: to be set on failure; never NULL
 *
 * Returns: the value, which may be NULL and belongs to whoever finishes the operation; what must
 *     not be lost when nobody does has its place in @data. Ignored when @error was set
 */
typedef void *(*EddyBlockingFunc) (void *data, EddyCancellable *cancellable, EddyError **error);

/**
 * Calls a blocking function without holding up the loop: in a fiber, on a worker while the fiber
 * waits; in a plain thread, in place. Once begun it is not interrupted: a cancel that comes later
 * reaches it by its cancellable, and its answer stands.
 *
 * @function: what to call
 * @data: for @function
 * @destroy: called once on @data when the operation no longer needs it; NULL: nothing
 * @cancellable: a cancellable, or NULL
 * @error: where to put the function's error
 *
 * Returns: the function's value; NULL also on failure
 * Errors: CANCELLED before it has begun; NO_MEMORY; what @function says
 * Thread: any
 * Since: 0.1
 */
EDDY_API void *eddy_run_blocking (EddyBlockingFunc function, void *data,
                                  void (*destroy) (void *data), EddyCancellable *cancellable,
                                  EddyError **error);

/**
 * The same by callback. The data are destroyed with the operation, after the callback has returned.
 *
 * @function: what to call
 * @data: for @function
 * @destroy: called once on @data, in any thread; NULL: nothing
 * @io_priority: of the call among those that wait for a worker, and of the callback; lower is more
 *     urgent
 * @cancellable: a cancellable, or NULL
 * @callback: called once when it has ended; NULL: nothing is called
 * @user_data: for @callback
 *
 * Thread: any
 * Since: 0.1
 */
EDDY_API void eddy_run_blocking_async (EddyBlockingFunc function, void *data,
                                       void (*destroy) (void *data), int io_priority,
                                       EddyCancellable *cancellable,
                                       EddyAsyncReadyCallback callback, void *user_data);

/** Takes the value of eddy_run_blocking_async(): NULL also on failure. Thread: any. Since: 0.1 */
EDDY_API void *eddy_run_blocking_finish (EddyAsyncResult *result, EddyError **error);

/**
 * The same as a future, whose value is the pointer.
 *
 * @function: what to call
 * @data: for @function
 * @destroy: called once on @data when the future goes, in any thread; NULL: nothing
 * @io_priority: as of eddy_run_blocking_async()
 * @cancellable: a cancellable, or NULL
 *
 * Returns: a future with one reference
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyFuture *eddy_run_blocking_future (EddyBlockingFunc function, void *data,
                                               void (*destroy) (void *data), int io_priority,
                                               EddyCancellable *cancellable) EDDY_MUST_USE;

EDDY_END_DECLS

#endif
