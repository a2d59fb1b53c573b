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
    /** Called on the pointer that its function returned, unless that is NULL, when nobody has taken
     * it (eddy_future_take()) by the time its future is freed: until then the future owns it, and
     * eddy_await() lends it. Any thread. NULL: the pointer is nobody's. */
    void (*destroy_result) (void *result);
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

/**
 * Waits until a time.
 *
 * @deadline_ns: nanoseconds of eddy_get_monotonic_time_ns(); one that has passed means the next
 *     turn
 * @error: CANCELLED, when the fiber is cancelled first
 *
 * Returns: whether the time came
 * Thread: a fiber's
 * Since: 0.1
 */
EDDY_API bool eddy_fiber_sleep_until (int64_t deadline_ns, EddyError **error);

/** Whether the caller runs in a fiber. Thread: any. Since: 0.1 */
EDDY_API bool eddy_in_fiber (void);

/** The running fiber's own cancellable, owned by it, which is what NULL means in a fiber; inside an
 * EDDY_SHIELD() that one's, until it is left; NULL outside a fiber. Thread: any. Since: 0.1 */
EDDY_API EddyCancellable *eddy_fiber_get_cancellable (void);

/** The running fiber's name; NULL outside one. Thread: any. Since: 0.1 */
EDDY_API const char *eddy_fiber_get_name (void);

/** Names the running fiber; @name: a static string, or NULL: as at first, the name of the function
 * that spawned it. Thread: a fiber's. Since: 0.1 */
EDDY_API void eddy_fiber_set_name (const char *name);

/** Sets the priority of the running fiber's turns, from the next one on: lower is more urgent. What
 * it spawns does not inherit it. Thread: a fiber's. Since: 0.1 */
EDDY_API void eddy_fiber_set_priority (int priority);

/* --- shields ---------------------------------------------------------------------------------- */

/** What EDDY_SHIELD() keeps on the stack; the library's. */
typedef struct EddyShield {
    void *private_fields[16];
} EddyShield;

/**
 * Waits in a block that a cancel of the fiber does not end: for cleaning up, which has to wait
 * though the fiber is cancelled.
 *
 *     EDDY_SHIELD (INT64_C (5000000000)) {
 *         send_goodbye (connection, &error);
 *     }
 *
 * Inside, the fiber counts as not cancelled, and eddy_fiber_get_cancellable() is the shield's own;
 * groups that were made outside are cancelled as ever. A cancellable that an operation is given is
 * not shielded from. When @timeout_ns have gone by, each wait inside fails with TIMED_OUT, also one
 * that has begun; what needs no wait goes on. A shield hides the shields around it, and their
 * timeouts. It is left however the block is: at its end, by break, goto or return. From then on a
 * cancel is seen again, by the next wait. Outside a fiber it is a block like any other.
 *
 * @timeout_ns: nanoseconds, from 0; -1: no limit
 */
#define EDDY_SHIELD(timeout_ns) EDDY_SHIELD_AT (timeout_ns, __COUNTER__)
#define EDDY_SHIELD_AT(timeout_ns, number) EDDY_SHIELD_NAMED (timeout_ns, number)
#define EDDY_SHIELD_NAMED(timeout_ns, number)                                                      \
    for (EddyShield eddy_shield_##number __attribute__ ((cleanup (eddy_shield_leave))),            \
         *eddy_shield_once_##number = eddy_shield_enter (&eddy_shield_##number, (timeout_ns));     \
         eddy_shield_once_##number != NULL; eddy_shield_once_##number = NULL)

/** What EDDY_SHIELD() begins with. Returns: @shield. Thread: any. Since: 0.1 */
EDDY_API EddyShield *eddy_shield_enter (EddyShield *shield, int64_t timeout_ns) EDDY_MUST_USE;

/** What EDDY_SHIELD() ends with. Thread: the fiber's that entered it. Since: 0.1 */
EDDY_API void eddy_shield_leave (EddyShield *shield);

/* --- fiber-local data ------------------------------------------------------------------------- */

/**
 * A key to something that each fiber has of its own: a static variable, known by its address.
 *
 *     static const EddyFiberLocal request_key = { eddy_destroy };
 */
typedef struct EddyFiberLocal {
    /** Called on what a fiber has at this key when that is replaced, and at the fiber's end, in the
     * fiber: after its function and what destroys the function's data, the latest key first. It may
     * wait. NULL: nothing. */
    void (*destroy) (void *data);
} EddyFiberLocal;

/** What the running fiber has at a key, which keeps it; NULL: nothing, and outside a fiber.
 * Thread: any. Since: 0.1 */
EDDY_API void *eddy_fiber_local_get (const EddyFiberLocal *key);

/**
 * Sets what the running fiber has at a key. Fibers that it spawns do not inherit it.
 *
 * @key: a key
 * @data: taken, unless this fails; NULL: nothing
 *
 * Returns: whether it is set; false when memory is out
 * Thread: a fiber's
 * Since: 0.1
 */
EDDY_API bool eddy_fiber_local_set (const EddyFiberLocal *key, void *data) EDDY_MUST_USE;

/* --- a whole program -------------------------------------------------------------------------- */

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

/**
 * eddy_run() of a function with data of its own.
 *
 * @function: gets argc, argv and @data; returns the exit status
 * @argc: for @function
 * @argv: for @function
 * @data: for @function
 * @options: of the fiber; NULL: the usual, and the name "main"
 *
 * Returns: as eddy_run()
 * Thread: the main one, outside a fiber
 * Since: 0.1
 */
EDDY_API int eddy_run_full (int (*function) (int argc, char **argv, void *data), int argc,
                            char **argv, void *data, const EddyFiberOptions *options);

EDDY_END_DECLS

#endif
