/* SPDX-License-Identifier: MIT */
/* EddyWatch: the latest value, for whoever wants to know when there is a newer one. */
#ifndef EDDY_WATCH_H
#define EDDY_WATCH_H

#include <eddy/forms.h>

EDDY_BEGIN_DECLS

/** One value, an object, that many may look at and wait for changes of. Who is slow sees the latest
 * one and misses those in between. An object; who waits has a reference to it meanwhile. */
typedef struct EddyWatch EddyWatch;

/**
 * Makes a watch.
 *
 * @object: the value of version 1, whose reference is the watch's from now on, also on failure;
 *     NULL: none yet
 *
 * Returns: the watch, or NULL when memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyWatch *eddy_watch_new (void *object) EDDY_MUST_USE;

/** Names a watch by a static string, for dumps and errors. Thread: any, before others use it.
 * Since: 0.1 */
EDDY_API void eddy_watch_set_name (EddyWatch *watch, const char *name);

/**
 * Sets the value, and wakes who waits for a change.
 *
 * @watch: a watch
 * @object: the new value, whose reference is the watch's from now on; or NULL
 *
 * Returns: its version, one more than before; versions begin with 1
 * Thread: any
 * Since: 0.1
 */
EDDY_API int64_t eddy_watch_set (EddyWatch *watch, void *object);

/**
 * Gets the value.
 *
 * @watch: a watch
 * @version: where to put its version, to be waited beyond; or NULL
 *
 * Returns: a reference to the value, or NULL: there is none
 * Thread: any
 * Since: 0.1
 */
EDDY_API void *eddy_watch_get (EddyWatch *watch, int64_t *version) EDDY_MUST_USE;

/**
 * Waits until there is a newer value than the caller has seen.
 *
 * @watch: a watch
 * @seen: a version; 0: none; one that there is not yet: the latest
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: the latest version, greater than @seen, or -1
 * Errors: CLOSED, when the watch is closed and there is none; CANCELLED
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (FIBER)
int64_t eddy_watch_wait (EddyWatch *watch, int64_t seen, EddyCancellable *cancellable,
                         EddyError **error);

/** Closes a watch: who waits fails with CLOSED, now and later. Its value stays, and can be set.
 * Closing it again does nothing. Thread: any. Since: 0.1 */
EDDY_API void eddy_watch_close (EddyWatch *watch);

EDDY_END_DECLS

#include <eddy/watch-forms.h>

#endif
