/* SPDX-License-Identifier: MIT */
/* EddyMutex: what one fiber at a time may have. */
#ifndef EDDY_MUTEX_H
#define EDDY_MUTEX_H

#include <eddy/forms.h>

EDDY_BEGIN_DECLS

/** One fiber at a time may have it, whatever thread it runs on; the others wait without holding up
 * their threads, and get it in the order in which they came. An object; who waits has a reference
 * to it meanwhile. */
typedef struct EddyMutex EddyMutex;

/** Makes a mutex that nobody has; NULL when memory is out. Thread: any. Since: 0.1 */
EDDY_API EddyMutex *eddy_mutex_new (void) EDDY_MUST_USE;

/** Names a mutex, for those who ask who waits for what; @name: a static string. Thread: any.
 * Since: 0.1 */
EDDY_API void eddy_mutex_set_name (EddyMutex *mutex, const char *name);

/**
 * Waits until nobody else has a mutex, and takes it. Whoever has it and locks it again waits for
 * himself.
 *
 * A cancel that comes when it has been handed over already is too late: it is taken. Where the
 * operation is cancelled as a future or by its callback's cancellable, it is handed on then, and
 * CANCELLED is the answer; so nobody has it for a future that is let go of while it waits. A future
 * that has completed has it.
 *
 * @mutex: a mutex
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether the caller has it, to be given back by eddy_mutex_unlock()
 * Errors: CANCELLED, NO_MEMORY
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (FIBER)
bool eddy_mutex_lock (EddyMutex *mutex, EddyCancellable *cancellable, EddyError **error);

/**
 * Takes a mutex if nobody has it.
 *
 * @mutex: a mutex
 *
 * Returns: whether the caller has it, to be given back by eddy_mutex_unlock()
 * Thread: any
 * Since: 0.1
 */
EDDY_API bool eddy_mutex_trylock (EddyMutex *mutex) EDDY_MUST_USE;

/**
 * Gives a mutex back: whoever has waited longest has it at once. Any fiber or thread may give back
 * what another has taken.
 *
 * @mutex: a mutex that somebody has
 *
 * Thread: any
 * Since: 0.1
 */
EDDY_API void eddy_mutex_unlock (EddyMutex *mutex);

EDDY_END_DECLS

#include <eddy/mutex-forms.h>

#endif
