/* SPDX-License-Identifier: MIT */
/* EddySequence: many items, which come one after the other. */
#ifndef EDDY_SEQUENCE_H
#define EDDY_SEQUENCE_H

#include <eddy/channel.h>
#include <eddy/fiber.h>
#include <eddy/forms.h>

EDDY_BEGIN_DECLS

/** Items that come over time, asked for by eddy_sequence_next(): ticks, signals, messages, what a
 * function of the program's own yields, and what adapters make of other sequences.
 *
 * Items are pointers other than NULL, which stands for the end; numbers travel as
 * `(void *) (intptr_t) number`. An item belongs to whoever got it; the sequence knows how to give
 * up those that nobody gets.
 *
 * Nothing happens before the first item is asked for, except that ticks and signals are counted
 * from the start. A sequence belongs to the context that was its maker's thread-default one, and is
 * used on that context's thread. Its last reference ends whatever it has under way, without waiting
 * for that; where that goes on another thread, when the context runs again. An object. */
typedef struct EddySequence EddySequence;

/** Gives up an item. */
typedef void (*EddyItemDestroyFunc) (void *item);

/* --- asking ----------------------------------------------------------------------------------- */

/**
 * Waits for the next item. Where several fibers ask at once, each gets its own, in the order in
 * which they asked.
 *
 * A cancel loses nothing: the item that was to come waits for who asks next. So does one that has
 * come to a future that was let go of before.
 *
 * Called outside a fiber, it runs the sequence's own context until the item is there, as
 * eddy_block_on() does; the other forms are called where that context is the thread's default one.
 *
 * @sequence: a sequence
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: the item, the caller's; NULL without an error: the end, from then on for ever. An error
 *     of the sequence itself ends it, too: what follows is the end. See eddy_sequence_has_ended()
 * Errors: CANCELLED; INVALID_ARGUMENT on another context than the sequence's; those of the sequence
 * Thread: the sequence's
 * Since: 0.1
 */
EDDY_OPERATION (FIBER)
void *eddy_sequence_next (EddySequence *sequence EDDY_HOME, EddyCancellable *cancellable,
                          EddyError **error);

/** Whether the end has been told, or an error after which there is only the end. After other errors
 * (of a cancelled call, of eddy_sequence_timeout()) one may ask again. Thread: the sequence's.
 * Since: 0.1 */
EDDY_API bool eddy_sequence_has_ended (EddySequence *sequence);

/** Gives up an item that came from this sequence, or NULL, as the sequence itself would.
 * Thread: the sequence's. Since: 0.1 */
EDDY_API void eddy_sequence_destroy_item (EddySequence *sequence, void *item);

/** The context that a sequence belongs to, not a reference. Thread: any. Since: 0.1 */
EDDY_API EddyContext *eddy_sequence_get_context (EddySequence *sequence);

/* --- programs' own kinds ---------------------------------------------------------------------- */

/** What a program's own kind of sequence does. */
typedef struct EddySequenceFuncs {
    /** Called in a fiber, by one at a time: returns the next item, or NULL for the end; or sets the
     * error. Not called after either, except after the error of a call that was cancelled, or
     * eddy_sequence_go_on(). What it had in hand when it was cancelled is to wait for the next
     * call. `cancellable` is NULL for the fiber's own. */
    void *(*next) (EddySequence *sequence, EddyCancellable *cancellable, EddyError **error);
    /** Called once, at the end or with the last reference: lets go of what the data hold, asks what
     * is under way to end; never waits. NULL: nothing to do. */
    void (*dispose) (EddySequence *sequence);
} EddySequenceFuncs;

/**
 * Makes a sequence of a program's own kind.
 *
 * @funcs: what it does; must stay valid as long as the sequence
 * @data_size: bytes of private data, which begin as zeros
 * @destroy_item: gives up an item; NULL: nothing to do
 *
 * Returns: a sequence with one reference, or NULL when memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddySequence *eddy_sequence_new (const EddySequenceFuncs *funcs, size_t data_size,
                                          EddyItemDestroyFunc destroy_item) EDDY_MUST_USE;

/** The private data of a sequence of eddy_sequence_new(), aligned for any type. Thread: any.
 * Since: 0.1 */
EDDY_API void *eddy_sequence_get_data (EddySequence *sequence);

/** Says, in a `next` that is about to fail, that its error is not the end. Thread: the sequence's.
 * Since: 0.1 */
EDDY_API void eddy_sequence_go_on (EddySequence *sequence);

/* --- where items come from -------------------------------------------------------------------- */

/**
 * Ticks: multiples of an interval since this call. The items are their numbers, from 1. Ticks that
 * have gone by unasked for are skipped, so that the latest one comes, and their numbers tell.
 *
 * @interval_ns: nanoseconds, from 1
 *
 * Returns: a sequence with one reference, or NULL when memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddySequence *eddy_sequence_new_interval (int64_t interval_ns) EDDY_MUST_USE;

/**
 * Arrivals of a UNIX signal, from this call on; the items are its number. Those that come between
 * two items count as one. The signal is caught until the sequence is let go of.
 *
 * @signal_number: a signal that can be caught, but not SEGV, BUS, FPE, ILL or TRAP
 *
 * Returns: a sequence with one reference, or NULL when the signal cannot be caught, or memory is
 *     out
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddySequence *eddy_sequence_new_signal (int signal_number) EDDY_MUST_USE;

/** The messages of a channel, of which it keeps a reference, until that is closed and empty. Others
 * may receive from the channel, too. NULL when memory is out. Thread: any. Since: 0.1 */
EDDY_API EddySequence *eddy_sequence_new_channel (EddyChannel *channel) EDDY_MUST_USE;

/** Where a generator gives its items. */
typedef struct EddyGenerator EddyGenerator;

/**
 * A function that makes the items of a sequence, one eddy_generator_yield() for each. It runs as a
 * fiber of the sequence's own, from the first time that an item is asked for, and only while
 * somebody asks. When the sequence is dropped, the fiber is cancelled.
 *
 * @generator: for eddy_generator_yield()
 * @data: as given to eddy_sequence_new_generator()
 * @error: to be set on failure; it comes after the items before it
 *
 * Returns: true at the end, false on failure
 */
typedef bool (*EddyGeneratorFunc) (EddyGenerator *generator, void *data, EddyError **error);

/**
 * Gives an item to who asks for it, and waits until the next one is asked for.
 *
 * @generator: the function's own
 * @item: an item, which is taken, on failure, too
 * @error: CANCELLED, when the sequence has been dropped
 *
 * Returns: whether another item is asked for; if not, the function is to clean up and end
 * Thread: the function's fiber
 * Since: 0.1
 */
EDDY_API bool eddy_generator_yield (EddyGenerator *generator, void *item,
                                    EddyError **error) EDDY_MUST_USE;

/**
 * The items that a function yields.
 *
 * @function: yields them
 * @data: for @function
 * @destroy: called on @data after @function, or with the sequence, if that was never asked for an
 *     item; NULL: nothing
 * @destroy_item: gives up an item; NULL: nothing to do
 * @options: of the fiber; NULL: the usual
 * @place: EDDY_PLACE
 *
 * Returns: a sequence with one reference, or NULL when memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddySequence *eddy_sequence_new_generator_full (EddyGeneratorFunc function, void *data,
                                                         void (*destroy) (void *data),
                                                         EddyItemDestroyFunc destroy_item,
                                                         const EddyFiberOptions *options,
                                                         const EddyPlace *place) EDDY_MUST_USE;

/** eddy_sequence_new_generator_full() with the usual options, from here. */
#define eddy_sequence_new_generator(function, data, destroy, destroy_item)                         \
    eddy_sequence_new_generator_full (function, data, destroy, destroy_item, NULL, EDDY_PLACE)

/* --- adapters --------------------------------------------------------------------------------- */

/* Each takes the reference to the sequence that it is given, on failure, too; NULL gives NULL, so
 * that they may be nested and the outermost one checked. Each returns NULL when memory is out. An
 * error of the inner sequence is the adapter's. */

/**
 * Makes another item of an item. May wait.
 *
 * @item: becomes the function's, unless it fails
 * @data: as given to eddy_sequence_map()
 * @error: to be set on failure, which ends the sequence; but not when the call was cancelled: then
 *     the same item comes once more
 *
 * Returns: an item, which may be @item; NULL: this one is left out
 */
typedef void *(*EddySequenceMapFunc) (void *item, void *data, EddyError **error);

/**
 * What a function makes of the items.
 *
 * @sequence: a sequence, which is taken
 * @function: called in the fiber that asks
 * @data: for @function
 * @destroy: called on @data with the sequence's end; NULL: nothing
 * @destroy_item: gives up an item of @function's; NULL: nothing to do
 *
 * Returns: a sequence with one reference, or NULL
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddySequence *eddy_sequence_map (EddySequence *sequence, EddySequenceMapFunc function,
                                          void *data, void (*destroy) (void *data),
                                          EddyItemDestroyFunc destroy_item) EDDY_MUST_USE;

/**
 * Chooses items. May wait.
 *
 * @item: to be looked at; it stays the sequence's
 * @data: as given to eddy_sequence_filter()
 * @error: to be set on failure, as for EddySequenceMapFunc
 *
 * Returns: whether the item comes; the others are given up
 */
typedef bool (*EddySequenceFilterFunc) (void *item, void *data, EddyError **error);

/**
 * Those items that a function chooses.
 *
 * @sequence: a sequence, which is taken
 * @function: called in the fiber that asks
 * @data: for @function
 * @destroy: called on @data with the sequence's end; NULL: nothing
 *
 * Returns: a sequence with one reference, or NULL
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddySequence *eddy_sequence_filter (EddySequence *sequence,
                                             EddySequenceFilterFunc function, void *data,
                                             void (*destroy) (void *data)) EDDY_MUST_USE;

/** The first `count` items, then the end; the inner sequence is let go of with the last of them.
 * Thread: any. Since: 0.1 */
EDDY_API EddySequence *eddy_sequence_take (EddySequence *sequence, size_t count) EDDY_MUST_USE;

/** Several items in one. An object. */
typedef struct EddyChunk EddyChunk;

/** The items in chunks (EddyChunk) of `count`, from 1; what is left at the end, or before an error,
 * comes in a shorter one. Thread: any. Since: 0.1 */
EDDY_API EddySequence *eddy_sequence_chunks (EddySequence *sequence, size_t count) EDDY_MUST_USE;

/** How many items a chunk came with. Thread: any. Since: 0.1 */
EDDY_API size_t eddy_chunk_get_length (const EddyChunk *chunk);

/** An item of a chunk, owned by it; NULL: it was taken. Thread: any. Since: 0.1 */
EDDY_API void *eddy_chunk_get (const EddyChunk *chunk, size_t index);

/** Takes an item out of a chunk; the others are given up with it. Thread: any. Since: 0.1 */
EDDY_API void *eddy_chunk_take (EddyChunk *chunk, size_t index) EDDY_MUST_USE;

/**
 * The items of several sequences as they come; those of each in their order, and no sequence is
 * passed over for another one. All are asked at once, each by a fiber, and each for one item at a
 * time. The first error ends it; else it ends with the last of them.
 *
 * @sequences: sequences of one context, each of which is taken; the array is the caller's
 * @n: how many, from 0
 * @destroy_item: gives up an item of any of them; NULL: nothing to do
 *
 * Returns: a sequence with one reference, or NULL
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddySequence *eddy_sequence_merge (EddySequence **sequences, size_t n,
                                            EddyItemDestroyFunc destroy_item) EDDY_MUST_USE;

/**
 * Futures that are complete, out of futures that are not, in the same order: up to a number of them
 * are under way at once. One that has failed comes as any other, and its error is in it.
 *
 * @sequence: a sequence of EddyFutures, which is taken; say, what eddy_sequence_map() makes of
 *     another one by a function that begins something for each item
 * @n: how many to ask for before the first of them is complete, from 1
 *
 * Returns: a sequence of EddyFutures with one reference, or NULL
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddySequence *eddy_sequence_buffered (EddySequence *sequence, size_t n) EDDY_MUST_USE;

/** Items that were followed by no other for `quiet_ns` nanoseconds, from 0; those that were are
 * given up. The last one comes with the end, or before an error. From the first time that an item
 * is asked for, the inner sequence is asked all the time. Thread: any. Since: 0.1 */
EDDY_API EddySequence *eddy_sequence_debounce (EddySequence *sequence,
                                               int64_t quiet_ns) EDDY_MUST_USE;

/** The same items; but where one takes longer than `timeout_ns` nanoseconds, from 0, to come, it
 * fails with TIMED_OUT, which is not the end: the item comes to who asks again.
 * Thread: any. Since: 0.1 */
EDDY_API EddySequence *eddy_sequence_timeout (EddySequence *sequence,
                                              int64_t timeout_ns) EDDY_MUST_USE;

EDDY_END_DECLS

#include <eddy/sequence-forms.h>

#endif
