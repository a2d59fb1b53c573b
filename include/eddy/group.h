/* SPDX-License-Identifier: MIT */
/* EddyGroup: fibers that end together. */
#ifndef EDDY_GROUP_H
#define EDDY_GROUP_H

#include <eddy/pool.h>

EDDY_BEGIN_DECLS

/**
 * Fibers of one scope. The first error cancels the others; leaving the scope waits for all.
 *
 * A group belongs to the fiber that makes it: it is cancelled with it, for the same cause, and has
 * its deadline. A group that is cancelled starts no fibers any more, and its fibers are cancelled.
 * What a cancel has ended is no failure of a fiber's; but where the cancel has a cause, that is one
 * of the group's errors, once: a deadline's TIMED_OUT, above all.
 *
 * An object; used on the thread that made it. When the last reference goes while fibers of it run,
 * they are cancelled, and end unseen.
 */
typedef struct EddyGroup EddyGroup;

/** Makes a group of the running fiber's, or outside one, of the thread's default context; NULL when
 * memory is out. Thread: any. Since: 0.1 */
EDDY_API EddyGroup *eddy_group_new (void) EDDY_MUST_USE;

/**
 * Makes a group with a deadline: when it has come, the group is cancelled with the cause
 * EDDY_IO_ERROR_TIMED_OUT. It is the deadline of its fibers' cancellables, too.
 *
 * @timeout_ns: nanoseconds from now, from 0; the maker's deadline holds where it comes first
 *
 * Returns: a group with one reference, or NULL when memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyGroup *eddy_group_new_with_timeout (int64_t timeout_ns) EDDY_MUST_USE;

/**
 * Makes a group whose fibers run on the threads of a pool. All else is as with other groups: the
 * group is used on the thread that made it, and its end is known there.
 *
 * @pool: a pool, of which the group keeps a reference
 *
 * Returns: a group with one reference, or NULL when memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyGroup *eddy_group_new_on_pool (EddyPool *pool) EDDY_MUST_USE;

/**
 * Limits how many of the group's fibers run at once.
 *
 * @group: a group
 * @limit: 1 or more; 0: no limit
 *
 * Thread: the group's
 * Since: 0.1
 */
EDDY_API void eddy_group_set_limit (EddyGroup *group, unsigned limit);

/**
 * Has the others go on when a fiber of the group fails. The errors are kept all the same, and the
 * wait for the group's end reports the first.
 *
 * @group: a group
 * @supervisor: whether they go on; false, at first: they are cancelled
 *
 * Thread: the group's
 * Since: 0.1
 */
EDDY_API void eddy_group_set_supervisor (EddyGroup *group, bool supervisor);

/**
 * Runs a function as a fiber of the group, after waiting for room where there is a limit: in the
 * order in which the callers came.
 *
 * @group: a group
 * @function: what it runs
 * @data: for @function
 * @destroy: called on @data after @function, or now when the fiber is not started; NULL: nothing
 * @options: NULL: the usual
 * @place: EDDY_PLACE
 * @error: where to put why it was not started: CANCELLED, or the cause, when the group is
 *     cancelled, as after the failure of one of its fibers, or when the caller is while it waits
 *     for room; CLOSED when its pool is; NO_MEMORY
 *
 * Returns: whether it was started
 * Thread: the group's
 * Since: 0.1
 */
EDDY_API bool eddy_group_spawn_full (EddyGroup *group, EddyFiberFunc function, void *data,
                                     void (*destroy) (void *data), const EddyFiberOptions *options,
                                     const EddyPlace *place, EddyError **error) EDDY_MUST_USE;

/** eddy_group_spawn_full() with the usual options, from here. */
#define eddy_group_spawn(group, function, data, destroy, error)                                    \
    eddy_group_spawn_full (group, function, data, destroy, NULL, EDDY_PLACE, error)

/**
 * Starts a fiber of the group and waits until it is ready, as a server is that has opened its
 * socket: until it calls eddy_fiber_report_ready(). From then on it is a fiber of the group like
 * any other. One that ends before is the caller's business alone: the group does not hear of its
 * error, and no other fiber is cancelled.
 *
 * When the caller is cancelled meanwhile, so is the fiber, and its end is waited for.
 *
 * @group: a group
 * @function: what it runs
 * @data: for @function
 * @destroy: called on @data after @function, or now when the fiber is not started; NULL: nothing
 * @options: NULL: the usual
 * @place: EDDY_PLACE
 * @error: where to put why it is not ready: what eddy_group_spawn_full() reports, the fiber's own
 *     error, or FAILED when it has ended without one
 *
 * Returns: what the fiber reported; NULL on failure, and when it reported NULL
 * Thread: the group's
 * Since: 0.1
 */
EDDY_API void *eddy_group_start_full (EddyGroup *group, EddyFiberFunc function, void *data,
                                      void (*destroy) (void *data), const EddyFiberOptions *options,
                                      const EddyPlace *place, EddyError **error);

/** eddy_group_start_full() with the usual options, from here. */
#define eddy_group_start(group, function, data, destroy, error)                                    \
    eddy_group_start_full (group, function, data, destroy, NULL, EDDY_PLACE, error)

/**
 * Says that the running fiber is ready, to whoever started it with eddy_group_start().
 *
 * @value: what that returns; its ownership moves with it where there is any, but when this returns
 *     false it stays the caller's
 *
 * Returns: whether somebody waited for it; false, and nothing happens, the second time, and in a
 *     fiber that was just spawned
 * Thread: a fiber's
 * Since: 0.1
 */
EDDY_API bool eddy_fiber_report_ready (void *value);

/** Cancels the group's fibers; new ones are not started. Thread: the group's. Since: 0.1 */
EDDY_API void eddy_group_cancel (EddyGroup *group);

/**
 * The same with a cause, which what the fibers wait for then reports in place of "operation was
 * cancelled". A second cancel does nothing.
 *
 * @group: a group
 * @cause: an error whose reference is taken; NULL: the usual one
 *
 * Thread: the group's
 * Since: 0.1
 */
EDDY_API void eddy_group_cancel_with_cause (EddyGroup *group, EddyError *cause);

/**
 * Waits until all fibers of the group have ended, cancelled or not. Where the caller is cancelled
 * meanwhile, so are they, and it waits on for their end. More fibers can be spawned afterwards.
 *
 * @group: a group
 * @error: where to put the first error; or, where there is none, but the caller's own cancel has
 *     ended some of the fibers, the error of that cancel
 *
 * Returns: whether there was none
 * Thread: the group's
 * Since: 0.1
 */
EDDY_API bool eddy_group_wait (EddyGroup *group, EddyError **error);

/**
 * The end of a group as a future: completes when all fibers of the group have ended, with true, or
 * with the first error. When its last reference goes first, or it is cancelled, so is the group, as
 * where the caller of eddy_group_wait() is.
 *
 * @group: a group
 *
 * Returns: the future, of the group's context, which keeps a reference to the group
 * Thread: the group's
 * Since: 0.1
 */
EDDY_API EddyFuture *eddy_group_wait_future (EddyGroup *group) EDDY_MUST_USE;

/** Leaves the scope: cancels the fibers that still run, waits for their end, and gives up the
 * reference. What EDDY_AUTO_GROUP does. @group: a group; NULL: nothing happens.
 * Thread: the group's. Since: 0.1 */
EDDY_API void eddy_group_leave (EddyGroup *group);

/** What EDDY_AUTO_GROUP calls with the address of its variable. Thread: the group's. Since: 0.1 */
static inline void eddy_auto_group_leave (void *variable)
{
    eddy_group_leave (*(EddyGroup **) variable);
}

/** Declares a group that is left when the variable goes out of scope, whichever way: fibers that
 * nobody has waited for are cancelled, and have ended then.
 * `EDDY_AUTO_GROUP (group) = eddy_group_new ();`. EDDY_AUTO would not wait. */
#define EDDY_AUTO_GROUP(name) __attribute__ ((cleanup (eddy_auto_group_leave))) EddyGroup *name

/** How many errors the group has so far. Thread: the group's. Since: 0.1 */
EDDY_API size_t eddy_group_get_n_errors (EddyGroup *group);

/** One of the errors, in the order in which they came, owned by the group.
 * Thread: the group's. Since: 0.1 */
EDDY_API const EddyError *eddy_group_get_error (EddyGroup *group, size_t index);

EDDY_END_DECLS

#endif
