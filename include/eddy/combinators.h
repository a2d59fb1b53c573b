/* SPDX-License-Identifier: MIT */
/* Futures made of futures: one after another, all of some, the first of some, in time. */
#ifndef EDDY_COMBINATORS_H
#define EDDY_COMBINATORS_H

#include <eddy/future.h>

EDDY_BEGIN_DECLS

/* What holds for each of them:
 *
 * It takes over the references to the futures that it is made of, its inputs: their makers and
 * contexts may be anybody's, also on other threads. It belongs to the default context of the thread
 * that makes it; there it completes, in a later turn of the loop, and there the program's functions
 * run. Its callers may be on any thread.
 *
 * When it needs an input no more, or is cancelled, or its own last reference goes, it cancels each
 * input that nobody else wants, and waits for its end; one that somebody else has a reference to,
 * or that a task's callback waits for, is let go of, and goes on. To the combinator that one has
 * ended with CANCELLED.
 *
 * What a completed input has goes to the combinator as to one who takes it: of a pointer that has
 * one owner it becomes the owner. When memory is out, the future has failed with NO_MEMORY, and the
 * inputs were let go of. `data` are destroyed, whatever becomes of the combinator: after the
 * function has run, or when it will not. */

/**
 * What runs when a future has completed. It runs in the loop, not in a fiber; to wait, it spawns.
 *
 * @completed: the future, the caller's; of a finally it may be another one that has failed with
 *     CANCELLED, when the future itself goes on
 * @data: as given to the combinator
 *
 * Returns: a future whose answer becomes the combinator's, its reference given over; or NULL: the
 *     answer of @completed goes on unchanged, so it must not have been taken
 */
typedef EddyFuture *(*EddyFutureFunc) (EddyFuture *completed, void *data);

/**
 * Runs a function when a future has its value; an error goes on unchanged. After a cancel the
 * function does not run.
 *
 * @future: a future, whose reference is taken
 * @function: gives the future of what comes next, or NULL
 * @data: for @function
 * @destroy: called on @data; NULL: nothing
 *
 * Returns: the future of the whole
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyFuture *eddy_future_then (EddyFuture *future, EddyFutureFunc function, void *data,
                                       void (*destroy) (void *data)) EDDY_MUST_USE;

/**
 * Runs a function when a future has failed; a value goes on unchanged. After a cancel of the whole
 * the function does not run.
 *
 * @future: a future, whose reference is taken
 * @function: gives a future in its stead, or NULL
 * @data: for @function
 * @destroy: called on @data; NULL: nothing
 *
 * Returns: the future of the whole
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyFuture *eddy_future_catch (EddyFuture *future, EddyFutureFunc function, void *data,
                                        void (*destroy) (void *data)) EDDY_MUST_USE;

/**
 * Runs a function when a future has completed, in whatever way, and waits for its future. The
 * answer is the first one's, unless that of the function fails: then it is that error. The function
 * runs also after a cancel of the whole, or when nobody wants the answer any more; and its future
 * is not cancelled by that: it is what cleans up.
 *
 * @future: a future, whose reference is taken
 * @function: gives a future to wait for, or NULL
 * @data: for @function
 * @destroy: called on @data; NULL: nothing
 *
 * Returns: the future of the whole
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyFuture *eddy_future_finally (EddyFuture *future, EddyFutureFunc function, void *data,
                                          void (*destroy) (void *data)) EDDY_MUST_USE;

/**
 * What makes a value of another one. It runs in the loop.
 *
 * @value: the first one; given up afterwards
 * @result: empty; where to put the other one
 * @error: to be set on failure; never NULL
 * @data: as given to eddy_future_map()
 */
typedef void (*EddyFutureMapFunc) (const EddyValue *value, EddyValue *result, EddyError **error,
                                   void *data);

/**
 * Makes a future's value another one; an error goes on unchanged.
 *
 * @future: a future, whose reference is taken
 * @function: makes the value
 * @data: for @function
 * @destroy: called on @data; NULL: nothing
 *
 * Returns: the future of the other value
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyFuture *eddy_future_map (EddyFuture *future, EddyFutureMapFunc function, void *data,
                                      void (*destroy) (void *data)) EDDY_MUST_USE;

/**
 * Waits for all of some futures. The first error is its own; the others are cancelled then. Without
 * one the value is the boolean true; that of each is got by eddy_future_get_input(). Of no future
 * at all it completes at once.
 *
 * @futures: futures, whose references are taken; the array remains the caller's
 * @n_futures: how many
 *
 * Returns: the future of all
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyFuture *eddy_future_all (EddyFuture **futures, size_t n_futures) EDDY_MUST_USE;

/**
 * Waits for all of some futures, however they end: its value is the boolean true.
 *
 * @futures: futures, whose references are taken; the array remains the caller's
 * @n_futures: how many
 *
 * Returns: the future of all
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyFuture *eddy_future_all_settled (EddyFuture **futures, size_t n_futures) EDDY_MUST_USE;

/**
 * Waits for the first value of some futures, and cancels the others; it has completed when they
 * have ended. When all have failed it has the error that came first; INVALID_ARGUMENT without any
 * future.
 *
 * @futures: futures, whose references are taken; the array remains the caller's
 * @n_futures: how many
 *
 * Returns: the future of any
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyFuture *eddy_future_any (EddyFuture **futures, size_t n_futures) EDDY_MUST_USE;

/**
 * Waits for the first answer of some futures, value or error, and cancels the others; it has
 * completed when they have ended. INVALID_ARGUMENT without any future.
 *
 * @futures: futures, whose references are taken; the array remains the caller's
 * @n_futures: how many
 *
 * Returns: the future of the race
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyFuture *eddy_future_race (EddyFuture **futures, size_t n_futures) EDDY_MUST_USE;

/** How many futures an all, all_settled, any or race was made of. Thread: any. Since: 0.1 */
EDDY_API size_t eddy_future_get_n_inputs (EddyFuture *combined);

/**
 * One of the futures that an all, all_settled, any or race was made of. One that was let go of is
 * replaced by one that has failed with CANCELLED.
 *
 * @combined: an all, all_settled, any or race that has completed
 * @index: from 0
 *
 * Returns: the future, owned by @combined
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyFuture *eddy_future_get_input (EddyFuture *combined, size_t index);

/**
 * Cancels a future when its time is over. It fails with TIMED_OUT when the future has ended by
 * that; a value, or another error, that has come all the same stands.
 *
 * @future: a future, whose reference is taken
 * @timeout_ns: nanoseconds from now, from 0
 *
 * Returns: the future in time
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyFuture *eddy_future_with_timeout (EddyFuture *future,
                                               int64_t timeout_ns) EDDY_MUST_USE;

/* --- the ends of chains ----------------------------------------------------------------------- */

/** A future that completes after a time, in nanoseconds, from 0, with the boolean true.
 * Thread: any. Since: 0.1 */
EDDY_API EddyFuture *eddy_future_delay (int64_t duration_ns) EDDY_MUST_USE;

/** A future that has a value from the start; the value is taken, and left empty. Thread: any.
 * Since: 0.1 */
EDDY_API EddyFuture *eddy_future_resolved (EddyValue *value) EDDY_MUST_USE;

/** A future that has failed from the start; the error's reference is taken. Thread: any.
 * Since: 0.1 */
EDDY_API EddyFuture *eddy_future_rejected (EddyError *error) EDDY_MUST_USE;

/**
 * Begins an operation that has a callback.
 *
 * @source_object: the operation's
 * @cancellable: for the operation: a cancel of the future is its
 * @callback: for the operation, to be called once
 * @user_data: for @callback
 * @data: as given to eddy_future_from_callback_pair()
 */
typedef void (*EddyBeginFunc) (void *source_object, EddyCancellable *cancellable,
                               EddyAsyncReadyCallback callback, void *user_data, void *data);

/**
 * Takes the answer of such an operation, in its callback.
 *
 * @source_object: the operation's, as its callback has it
 * @result: for the operation's finish function
 * @value: empty; where to put the value
 * @error: where to put the error; never NULL
 * @data: as given to eddy_future_from_callback_pair()
 *
 * Returns: whether there is a value
 */
typedef bool (*EddyFinishFunc) (void *source_object, EddyAsyncResult *result, EddyValue *value,
                                EddyError **error, void *data);

/**
 * Makes a future of an operation that has a callback, as an `_async` and a `_finish` function make
 * one.
 *
 * @source_object: what the operation is about, kept until it has completed; or NULL
 * @begin: begins it; called right here
 * @finish: takes its answer
 * @data: for both
 * @destroy: called on @data when the operation has completed; NULL: nothing
 *
 * Returns: the future of the operation
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyFuture *eddy_future_from_callback_pair (void *source_object, EddyBeginFunc begin,
                                                     EddyFinishFunc finish, void *data,
                                                     void (*destroy) (void *data)) EDDY_MUST_USE;

/**
 * Has a callback called when a future has completed: once, from the loop of the caller's default
 * context, whatever context the future is of. Until then somebody wants the answer: the future is
 * not cancelled for want of references. There may be several.
 *
 * @future: a future, also one that has completed; the caller keeps his reference
 * @callback: called with the future's source object and the future
 * @user_data: for @callback
 *
 * Returns: whether it will be called; false: memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API bool eddy_future_add_callback (EddyFuture *future, EddyAsyncReadyCallback callback,
                                        void *user_data) EDDY_MUST_USE;

EDDY_END_DECLS

#endif
