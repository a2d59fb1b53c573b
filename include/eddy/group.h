/* SPDX-License-Identifier: MIT */
/* EddyGroup: fibers that end together. */
#ifndef EDDY_GROUP_H
#define EDDY_GROUP_H

#include <eddy/fiber.h>

EDDY_BEGIN_DECLS

/** Fibers of one scope. The first error cancels the others; leaving the scope waits for all. An
 * object; used on the thread that made it. */
typedef struct EddyGroup EddyGroup;

/** Makes a group, cancelled with the running fiber; NULL when memory is out. Thread: any.
 * Since: 0.1 */
EDDY_API EddyGroup *eddy_group_new (void);

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
 * Runs a function as a fiber of the group, after waiting for room where there is a limit.
 *
 * @group: a group
 * @function: what it runs
 * @data: for @function
 * @destroy: called on @data after @function, or now when the fiber is not started; NULL: nothing
 * @options: NULL: the usual
 * @place: EDDY_PLACE
 * @error: where to put why it was not started: CANCELLED when the group is, as after the failure of
 *     one of its fibers, or when the caller is while it waits for room; NO_MEMORY
 *
 * Returns: whether it was started
 * Thread: the group's; a fiber's where there is a limit
 * Since: 0.1
 */
EDDY_API bool eddy_group_spawn_full (EddyGroup *group, EddyFiberFunc function, void *data,
                                     void (*destroy) (void *data), const EddyFiberOptions *options,
                                     const EddyPlace *place, EddyError **error) EDDY_MUST_USE;

/** eddy_group_spawn_full() with the usual options, from here. */
#define eddy_group_spawn(group, function, data, destroy, error)                                    \
    eddy_group_spawn_full (group, function, data, destroy, NULL, EDDY_PLACE, error)

/** Cancels the group's fibers; new ones are not started. Thread: the group's. Since: 0.1 */
EDDY_API void eddy_group_cancel (EddyGroup *group);

/**
 * Waits until all fibers of the group have ended, cancelled or not. Where the caller is cancelled
 * meanwhile, so are they, and it waits on for their end.
 *
 * @group: a group
 * @error: where to put the first error
 *
 * Returns: whether none of them failed
 * Thread: the group's
 * Since: 0.1
 */
EDDY_API bool eddy_group_wait (EddyGroup *group, EddyError **error);

/** How many of the group's fibers have failed so far. Thread: the group's. Since: 0.1 */
EDDY_API size_t eddy_group_get_n_errors (EddyGroup *group);

/** One of the errors, in the order in which they came, owned by the group.
 * Thread: the group's. Since: 0.1 */
EDDY_API const EddyError *eddy_group_get_error (EddyGroup *group, size_t index);

EDDY_END_DECLS

#endif
