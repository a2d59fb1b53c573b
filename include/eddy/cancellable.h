/* SPDX-License-Identifier: MIT */
/* EddyCancellable: how an operation is asked to end. */
#ifndef EDDY_CANCELLABLE_H
#define EDDY_CANCELLABLE_H

#include <eddy/error.h>

EDDY_BEGIN_DECLS

/** A flag that is raised once, and tells whoever watches it. An object. NULL stands for "never
 * cancelled", and inside a fiber for the fiber's own. */
typedef struct EddyCancellable EddyCancellable;

/** Called when a cancellable is cancelled; may call anything, connect and disconnect included. */
typedef void (*EddyCancelledFunc) (EddyCancellable *cancellable, void *user_data);

/**
 * Makes a cancellable.
 *
 * Returns: a cancellable with one reference, or NULL when memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyCancellable *eddy_cancellable_new (void);

/**
 * Makes a cancellable that is cancelled with its parent, with the same cause, or before it.
 *
 * @parent: whose cancel it follows; NULL: as eddy_cancellable_new()
 *
 * Returns: a cancellable with one reference, or NULL when memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyCancellable *eddy_cancellable_new_child (EddyCancellable *parent);

/**
 * Asks everything that watches a cancellable to end. Handlers run now, in this thread; operations
 * complete later, each in its own context. A second cancel does nothing.
 *
 * @cancellable: a cancellable; NULL: nothing happens
 *
 * Thread: any
 * Since: 0.1
 */
EDDY_API void eddy_cancellable_cancel (EddyCancellable *cancellable);

/**
 * The same with a cause, which operations then report in place of "operation was cancelled".
 *
 * @cancellable: a cancellable; NULL: nothing happens
 * @cause: an error whose reference is taken; NULL: the usual one
 *
 * Thread: any
 * Since: 0.1
 */
EDDY_API void eddy_cancellable_cancel_with_cause (EddyCancellable *cancellable, EddyError *cause);

/** Whether a cancellable has been cancelled; false for NULL. Thread: any. Since: 0.1 */
EDDY_API bool eddy_cancellable_is_cancelled (EddyCancellable *cancellable);

/**
 * Reports the cancellation as an error, if there was one.
 *
 * @cancellable: a cancellable, or NULL
 * @error: where to put the cause
 *
 * Returns: whether it was cancelled; then @error is set
 * Thread: any
 * Since: 0.1
 */
EDDY_API bool eddy_cancellable_set_error_if_cancelled (EddyCancellable *cancellable,
                                                       EddyError **error);

/**
 * Has a function called when a cancellable is cancelled: now, in this thread, if it already is.
 *
 * @cancellable: a cancellable; NULL: nothing is connected, 0 is returned
 * @function: called once at most
 * @user_data: for @function
 * @destroy: called on @user_data after @function, after disconnect, or when the cancellable dies;
 *     NULL: nothing
 *
 * Returns: an id for eddy_cancellable_disconnect(), or 0 when @function was called already or
 *     memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API uint64_t eddy_cancellable_connect (EddyCancellable *cancellable,
                                            EddyCancelledFunc function, void *user_data,
                                            void (*destroy) (void *user_data));

/**
 * Takes a function away. When it returns, the function does not run in another thread any more;
 * from inside any handler it does not wait.
 *
 * @cancellable: a cancellable; NULL: nothing happens
 * @id: from eddy_cancellable_connect(); 0 or unknown: nothing happens
 *
 * Thread: any
 * Since: 0.1
 */
EDDY_API void eddy_cancellable_disconnect (EddyCancellable *cancellable, uint64_t id);

EDDY_END_DECLS

#endif
