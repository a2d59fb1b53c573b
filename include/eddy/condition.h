/* SPDX-License-Identifier: MIT */
/* EddyCondition: waiting for what others change under a mutex. */
#ifndef EDDY_CONDITION_H
#define EDDY_CONDITION_H

#include <eddy/mutex.h>

EDDY_BEGIN_DECLS

/** Where fibers wait, on whatever threads, until another says that something has changed. What they
 * wait for is the program's, under a mutex:
 *
 *     while (queue_is_empty (queue))
 *         if (!eddy_condition_wait (queue->changed, queue->mutex, NULL, error))
 *             break;
 *
 * An object; who waits has a reference to it meanwhile. */
typedef struct EddyCondition EddyCondition;

/** Makes a condition; NULL when memory is out. Thread: any. Since: 0.1 */
EDDY_API EddyCondition *eddy_condition_new (void) EDDY_MUST_USE;

/** Names a condition, for those who ask who waits for what; @name: a static string. Thread: any.
 * Since: 0.1 */
EDDY_API void eddy_condition_set_name (EddyCondition *condition, const char *name);

/**
 * Gives a mutex back and waits for a signal, without a gap: none is missed in between. Then takes
 * the mutex again, however long that takes, cancelled or not. There is no wake without a signal;
 * but others may have had the mutex first, so look again.
 *
 * A signal that has come stands against a cancel that comes later: the wait has succeeded, or the
 * signal is handed on to the next one who waits. Do not let go of a future of this: the mutex would
 * be taken for nobody.
 *
 * @condition: a condition
 * @mutex: a mutex that the caller has; he has it again when this returns, also with an error
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether there was a signal
 * Errors: CANCELLED, NO_MEMORY
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (FIBER)
bool eddy_condition_wait (EddyCondition *condition, EddyMutex *mutex, EddyCancellable *cancellable,
                          EddyError **error);

/** Lets the one go on who has waited longest; nothing happens when nobody waits. The mutex may be
 * held or not. Thread: any. Since: 0.1 */
EDDY_API void eddy_condition_signal (EddyCondition *condition);

/** Lets all go on who wait now. Thread: any. Since: 0.1 */
EDDY_API void eddy_condition_broadcast (EddyCondition *condition);

EDDY_END_DECLS

#include <eddy/condition-forms.h>

#endif
