/* SPDX-License-Identifier: MIT */
/* EddySource: what makes a context call a function. */
#ifndef EDDY_SOURCE_H
#define EDDY_SOURCE_H

#include <eddy/context.h>

EDDY_BEGIN_DECLS

/** Something that becomes ready: idle, after a time, at a signal. An object; attach it once. */
typedef struct EddySource EddySource;

/** A source that is always ready, of priority EDDY_PRIORITY_DEFAULT_IDLE. NULL when memory is out.
 * Thread: any. Since: 0.1 */
EDDY_API EddySource *eddy_idle_source_new (void);

/**
 * A source that is ready after each interval, counted from the pass that dispatched it last; missed
 * ticks are not made up for.
 *
 * @interval_ns: nanoseconds, from 0
 *
 * Returns: a source with one reference, or NULL when memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddySource *eddy_timeout_source_new (int64_t interval_ns);

/**
 * A source that is ready after a UNIX signal has come, once for any number of them. The signal is
 * caught while a source for it is attached; its former disposition returns with the last one.
 *
 * @signal_number: a signal that can be caught, but not SEGV, BUS, FPE, ILL or TRAP
 *
 * Returns: a source with one reference, or NULL for another signal or when memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddySource *eddy_signal_source_new (int signal_number);

/**
 * Sets what a source calls when it is ready; false from it destroys the source.
 *
 * @source: a source that is not attached yet
 * @function: what to call
 * @user_data: for @function
 * @destroy: called on @user_data when the source no longer needs it; NULL: nothing
 *
 * Thread: any
 * Since: 0.1
 */
EDDY_API void eddy_source_set_callback (EddySource *source, EddySourceFunc function,
                                        void *user_data, void (*destroy) (void *user_data));

/**
 * Sets a source's priority.
 *
 * @source: a source that is not attached yet
 * @priority: lower is more urgent
 *
 * Thread: any
 * Since: 0.1
 */
EDDY_API void eddy_source_set_priority (EddySource *source, int priority);

/**
 * Gives a source to a context, which takes a reference until it is destroyed.
 *
 * @source: a source that was never attached
 * @context: a context; NULL: the thread's default one
 *
 * Returns: whether it is attached; false when it was destroyed, or for a signal that cannot be
 * caught Thread: any Since: 0.1
 */
EDDY_API bool eddy_source_attach (EddySource *source, EddyContext *context);

/** Keeps a source from ever being dispatched again. Waits for nobody. Thread: any. Since: 0.1 */
EDDY_API void eddy_source_destroy (EddySource *source);

/** Whether a source has been destroyed. Thread: any. Since: 0.1 */
EDDY_API bool eddy_source_is_destroyed (EddySource *source);

EDDY_END_DECLS

#endif
