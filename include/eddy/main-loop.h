/* SPDX-License-Identifier: MIT */
/* EddyMainLoop: iterates a context until it is told to quit. */
#ifndef EDDY_MAIN_LOOP_H
#define EDDY_MAIN_LOOP_H

#include <eddy/context.h>

EDDY_BEGIN_DECLS

/** A loop over a context. An object. */
typedef struct EddyMainLoop EddyMainLoop;

/**
 * Makes a loop.
 *
 * @context: what it iterates; NULL: the default context
 *
 * Returns: a loop with one reference, or NULL when memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyMainLoop *eddy_main_loop_new (EddyContext *context);

/** The context that a loop iterates; not a reference. Thread: any. Since: 0.1 */
EDDY_API EddyContext *eddy_main_loop_get_context (EddyMainLoop *loop);

/** Iterates until quit; returns at once when quit came first. While another thread has the context,
 * waits until it gives it up or the loop is quit. May be called again. Thread: any, outside a fiber
 * and a source's prepare and check; a context with operations under way stays with its thread.
 * Since: 0.1 */
EDDY_API void eddy_main_loop_run (EddyMainLoop *loop);

/** Ends the run under way, or the next one. Thread: any. Since: 0.1 */
EDDY_API void eddy_main_loop_quit (EddyMainLoop *loop);

/** Whether a run is under way, be it waiting for the context. Thread: any. Since: 0.1 */
EDDY_API bool eddy_main_loop_is_running (EddyMainLoop *loop);

EDDY_END_DECLS

#endif
