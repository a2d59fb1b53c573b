/* SPDX-License-Identifier: MIT */
/* Fibers: functions that wait without holding up their thread. */
#ifndef EDDY_FIBER_H
#define EDDY_FIBER_H

#include <eddy/future.h>
#include <eddy/place.h>

EDDY_BEGIN_DECLS

/**
 * What a fiber runs. Inside it, operations suspend the fiber only.
 *
 * @data: as given to the spawn
 * @error: to be set on failure; never NULL
 *
 * Returns: the fiber's value; ignored when @error was set
 */
typedef void *(*EddyFiberFunc) (void *data, EddyError **error);

/** How a fiber differs from the usual; begin with zeroes. */
typedef struct EddyFiberOptions {
    /** For messages; a static string; NULL: the name of the function that spawned it. */
    const char *name;
    /** Bytes of stack; 0: 192 KiB. */
    size_t stack_size;
    /** Of its turns: lower is more urgent. */
    int priority;
} EddyFiberOptions;

/**
 * Runs a function as a fiber. It starts from the context's loop, never inside this call, and stays
 * on the context's thread.
 *
 * @context: where it runs; NULL: the caller's own context
 * @function: what it runs
 * @data: for @function
 * @destroy: called on @data after @function, in the fiber; NULL: nothing
 * @options: NULL: the usual
 * @place: EDDY_PLACE
 *
 * Returns: the future of its value, to be awaited or kept: when the last reference goes, the fiber
 *     is cancelled
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyFuture *eddy_spawn_full (EddyContext *context, EddyFiberFunc function, void *data,
                                      void (*destroy) (void *data), const EddyFiberOptions *options,
                                      const EddyPlace *place) EDDY_MUST_USE;

/**
 * The same without a future: its end is nobody's business, but an error is logged with its name.
 *
 * @context: where it runs; NULL: the caller's own context
 * @function: what it runs
 * @data: for @function
 * @destroy: called on @data after @function, in the fiber; NULL: nothing
 * @options: NULL: the usual
 * @place: EDDY_PLACE
 *
 * Thread: any
 * Since: 0.1
 */
EDDY_API void eddy_spawn_detached_full (EddyContext *context, EddyFiberFunc function, void *data,
                                        void (*destroy) (void *data),
                                        const EddyFiberOptions *options, const EddyPlace *place);

/** eddy_spawn_full() with the usual options, from here. */
#define eddy_spawn(context, function, data, destroy)                                               \
    eddy_spawn_full (context, function, data, destroy, NULL, EDDY_PLACE)
/** eddy_spawn() in the caller's own context. */
#define eddy_spawn_local(function, data, destroy)                                                  \
    eddy_spawn_full (NULL, function, data, destroy, NULL, EDDY_PLACE)
/** eddy_spawn_detached_full() with the usual options, from here. */
#define eddy_spawn_detached(context, function, data, destroy)                                      \
    eddy_spawn_detached_full (context, function, data, destroy, NULL, EDDY_PLACE)

/**
 * Waits for a future: in a fiber, by suspending it.
 *
 * @future: a future of any context, to which the caller holds a reference meanwhile. Somebody must
 *     run its context.
 * @error: where to put its error, or CANCELLED when the fiber is cancelled first; the future then
 *     goes on until it is let go of
 *
 * Returns: whether it has a value
 * Thread: a fiber's
 * Since: 0.1
 */
EDDY_API bool eddy_await_complete (EddyFuture *future, EddyError **error);

/** Awaits a future of a pointer or an object, which it keeps; NULL also on failure.
 * Thread: a fiber's. Since: 0.1 */
EDDY_API void *eddy_await (EddyFuture *future, EddyError **error);

/** Awaits a future of a boolean; false also on failure. Thread: a fiber's. Since: 0.1 */
EDDY_API bool eddy_await_boolean (EddyFuture *future, EddyError **error);

/** Awaits a future of an integer; -1 also on failure. Thread: a fiber's. Since: 0.1 */
EDDY_API int64_t eddy_await_int (EddyFuture *future, EddyError **error);

/**
 * Runs a context until a future is complete; in a fiber, awaits it.
 *
 * @context: what this thread runs meanwhile; NULL: its default one. While another thread has it,
 *     this one waits without it.
 * @future: a future of any context, to which the caller holds a reference meanwhile. If it is of
 *     another one than @context, somebody else must run that.
 * @error: where to put its error
 *
 * Returns: whether it has a value
 * Thread: any
 * Since: 0.1
 */
EDDY_API bool eddy_block_on_complete (EddyContext *context, EddyFuture *future, EddyError **error);

/** eddy_block_on_complete(), returning the pointer or object, which the future keeps; NULL also on
 * failure. Thread: any. Since: 0.1 */
EDDY_API void *eddy_block_on (EddyContext *context, EddyFuture *future, EddyError **error);

/** eddy_block_on_complete() of a boolean; false also on failure. Thread: any. Since: 0.1 */
EDDY_API bool eddy_block_on_boolean (EddyContext *context, EddyFuture *future, EddyError **error);

/** eddy_block_on_complete() of an integer; -1 also on failure. Thread: any. Since: 0.1 */
EDDY_API int64_t eddy_block_on_int (EddyContext *context, EddyFuture *future, EddyError **error);

/** Lets others of the same priority run. Nothing happens outside a fiber. Thread: any. Since: 0.1
 */
EDDY_API void eddy_fiber_yield (void);

/**
 * Waits for a time.
 *
 * @duration_ns: nanoseconds, from 0
 * @error: CANCELLED, when the fiber is cancelled first
 *
 * Returns: whether the time went by
 * Thread: a fiber's
 * Since: 0.1
 */
EDDY_API bool eddy_fiber_sleep (int64_t duration_ns, EddyError **error);

/** Whether the caller runs in a fiber. Thread: any. Since: 0.1 */
EDDY_API bool eddy_in_fiber (void);

/** The running fiber's own cancellable, owned by it, which is what NULL means in a fiber; NULL
 * outside one. Thread: any. Since: 0.1 */
EDDY_API EddyCancellable *eddy_fiber_get_cancellable (void);

/** The running fiber's name; NULL outside one. Thread: any. Since: 0.1 */
EDDY_API const char *eddy_fiber_get_name (void);

/**
 * Runs a program's main function as a fiber, and its loop around it. SIGINT and SIGTERM cancel the
 * fiber; a second one of them ends the process at once.
 *
 * @function: gets argc and argv; returns the exit status
 * @argc: for @function
 * @argv: for @function
 *
 * Returns: @function's exit status, but 130 or 143 when it was cancelled by SIGINT or SIGTERM and
 *     returned 0 or 1; 1 when no fiber could be had
 * Thread: the main one, outside a fiber
 * Since: 0.1
 */
EDDY_API int eddy_run (int (*function) (int argc, char **argv), int argc, char **argv);

EDDY_END_DECLS

#endif
