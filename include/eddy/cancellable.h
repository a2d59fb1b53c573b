/* SPDX-License-Identifier: MIT */
/* EddyCancellable: how an operation is asked to end. */
#ifndef EDDY_CANCELLABLE_H
#define EDDY_CANCELLABLE_H

#include <eddy/error.h>
#include <eddy/source.h>

EDDY_BEGIN_DECLS

struct pollfd; /* of <poll.h> */

/** A flag that is raised once, and tells whoever watches it. It may have a deadline, at which it is
 * cancelled as if somebody did it. An object. NULL stands for "never cancelled", and inside a fiber
 * for the fiber's own. */
typedef struct EddyCancellable EddyCancellable;

/** Called when a cancellable is cancelled, by whoever cancels it or notices its deadline; may call
 * anything, connect and disconnect included, but must not wait: it holds that thread up. */
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
 * Makes a cancellable with a deadline: when it has come, the cancellable is cancelled with the
 * cause EDDY_IO_ERROR_TIMED_OUT. Operations end then, wherever they are; whoever asks the
 * cancellable sees it at once; its handlers run, in whichever thread notices first; its fd becomes
 * readable.
 *
 * A deadline bounds when work is asked to stop, not when it has stopped.
 *
 * @parent: whose cancel it follows, and whose deadline where that comes first; or NULL
 * @timeout_ns: nanoseconds from now, from 0; INT64_MAX: no deadline but the parent's
 *
 * Returns: a cancellable with one reference, or NULL when memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyCancellable *eddy_cancellable_new_with_timeout (EddyCancellable *parent,
                                                             int64_t timeout_ns);

/** The time at which a cancellable is cancelled at the latest, in nanoseconds of the monotonic
 * clock, its parents' deadlines included; INT64_MAX when there is none, and for NULL.
 * Thread: any. Since: 0.1 */
EDDY_API int64_t eddy_cancellable_get_deadline (EddyCancellable *cancellable);

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

/** Whether a cancellable has been cancelled, or its deadline has come, which then cancels it and
 * runs its handlers; false for NULL. Thread: any. Since: 0.1 */
EDDY_API bool eddy_cancellable_is_cancelled (EddyCancellable *cancellable);

/** What a cancellable was cancelled for, owned by it: its own cause, its parent's, or
 * EDDY_IO_ERROR_TIMED_OUT. NULL while it is not cancelled, and when nobody gave a cause: operations
 * then report EDDY_IO_ERROR_CANCELLED. Thread: any. Since: 0.1 */
EDDY_API const EddyError *eddy_cancellable_get_cause (EddyCancellable *cancellable);

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
 * Has a function called when a cancellable is cancelled: now, in this thread, if it already is. Of
 * a deadline, unless somebody else notices it first, the loop of the thread's default context
 * tells, as long as somebody runs it.
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
 * Takes a function away. When it returns, neither the function nor what destroys its data runs in
 * another thread any more; from inside any handler it does not wait.
 *
 * @cancellable: a cancellable; NULL: nothing happens
 * @id: from eddy_cancellable_connect(); 0 or unknown: nothing happens
 *
 * Thread: any
 * Since: 0.1
 */
EDDY_API void eddy_cancellable_disconnect (EddyCancellable *cancellable, uint64_t id);

/**
 * Lends a file descriptor that becomes readable when a cancellable is cancelled, at its deadline
 * though nobody runs a loop, and stays so. One for each cancellable, made at first use. Poll it,
 * but neither read nor close it.
 *
 * @cancellable: a cancellable, or NULL
 *
 * Returns: the fd, to be given back by eddy_cancellable_release_fd(); -1 for NULL, or when no fd
 *     could be had
 * Thread: any
 * Since: 0.1
 */
EDDY_API int eddy_cancellable_get_fd (EddyCancellable *cancellable);

/**
 * Gives back what eddy_cancellable_get_fd() or eddy_cancellable_make_pollfd() has lent; it is
 * closed when everybody has.
 *
 * @cancellable: a cancellable; NULL: nothing happens
 *
 * Thread: any
 * Since: 0.1
 */
EDDY_API void eddy_cancellable_release_fd (EddyCancellable *cancellable);

/**
 * Fills in a poll record for the fd that eddy_cancellable_get_fd() lends.
 *
 * @cancellable: a cancellable, or NULL
 * @pollfd: what to fill in; without an fd, with one of -1, which poll(2) skips
 *
 * Returns: whether there is an fd, to be given back by eddy_cancellable_release_fd()
 * Thread: any
 * Since: 0.1
 */
EDDY_API bool eddy_cancellable_make_pollfd (EddyCancellable *cancellable, struct pollfd *pollfd);

/** A source's callback: called in its loop, once. Returns: whether the source stays attached; it is
 * not called again either way. */
typedef bool (*EddyCancellableSourceFunc) (EddyCancellable *cancellable, void *user_data);

/**
 * A source that is ready once a cancellable is cancelled, or its deadline has come. It is
 * dispatched once, by the loop that it is attached to, never inside the cancel.
 *
 * @cancellable: a cancellable, of which the source keeps a reference; NULL: it is never ready
 *
 * Returns: a source with one reference, whose callback is an EddyCancellableSourceFunc; NULL when
 *     memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddySource *eddy_cancellable_source_new (EddyCancellable *cancellable);

/** The innermost cancellable that was made current where the caller runs, in this fiber or else in
 * this thread; borrowed; NULL: none. Thread: any. Since: 0.1 */
EDDY_API EddyCancellable *eddy_cancellable_get_current (void);

/**
 * Makes a cancellable the current one, for code that is not handed one. Each fiber has a stack of
 * its own, and so has each thread outside fibers. While the body of an operation runs, the
 * cancellable that it was given is current.
 *
 * @cancellable: a cancellable, not NULL
 *
 * Thread: any
 * Since: 0.1
 */
EDDY_API void eddy_cancellable_push_current (EddyCancellable *cancellable);

/**
 * Undoes the latest eddy_cancellable_push_current() of this fiber or thread.
 *
 * @cancellable: the one that was pushed
 *
 * Thread: the one, or the fiber, that pushed it
 * Since: 0.1
 */
EDDY_API void eddy_cancellable_pop_current (EddyCancellable *cancellable);

EDDY_END_DECLS

#endif
