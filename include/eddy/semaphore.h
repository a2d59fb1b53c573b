/* SPDX-License-Identifier: MIT */
/* EddySemaphore: so many permits. */
#ifndef EDDY_SEMAPHORE_H
#define EDDY_SEMAPHORE_H

#include <eddy/forms.h>

EDDY_BEGIN_DECLS

/** A number of permits, for fibers on whatever threads. Who waits gets them in the order in which
 * he came: nobody who asks for fewer passes one who asks for many. An object; who waits has a
 * reference to it meanwhile. */
typedef struct EddySemaphore EddySemaphore;

/** Makes a semaphore with so many permits, from 0; NULL when memory is out. Thread: any.
 * Since: 0.1 */
EDDY_API EddySemaphore *eddy_semaphore_new (unsigned permits) EDDY_MUST_USE;

/** Names a semaphore, for those who ask who waits for what; @name: a static string. Thread: any.
 * Since: 0.1 */
EDDY_API void eddy_semaphore_set_name (EddySemaphore *semaphore, const char *name);

/**
 * Waits until there are permits and nobody has waited longer, and takes them, all at once.
 *
 * Cancelled as eddy_mutex_lock() is.
 *
 * @semaphore: a semaphore
 * @n: how many permits, from 1; more than there will ever be are waited for until a cancel
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether the caller has them, to be given back by eddy_semaphore_release()
 * Errors: CANCELLED, NO_MEMORY
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (FIBER)
bool eddy_semaphore_acquire (EddySemaphore *semaphore, unsigned n, EddyCancellable *cancellable,
                             EddyError **error);

/** Takes permits, from 1, if there are so many and nobody waits. Returns: whether the caller has
 * them. Thread: any. Since: 0.1 */
EDDY_API bool eddy_semaphore_try_acquire (EddySemaphore *semaphore, unsigned n) EDDY_MUST_USE;

/** Gives permits back, or adds new ones; from 1. Thread: any. Since: 0.1 */
EDDY_API void eddy_semaphore_release (EddySemaphore *semaphore, unsigned n);

/** How many permits nobody has at this moment. Thread: any. Since: 0.1 */
EDDY_API unsigned eddy_semaphore_get_permits (EddySemaphore *semaphore);

EDDY_END_DECLS

#include <eddy/semaphore-forms.h>

#endif
