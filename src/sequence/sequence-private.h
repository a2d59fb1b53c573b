/* SPDX-License-Identifier: MIT */
/* Sequences from the inside.
 *
 * Most kinds are a function that asks the inner sequence in the same fiber and waits like any other
 * code. What has to go on by itself, or at the same time as something else, has fibers of the
 * sequence's own, its feeders. They hand their items over through the sequence's feed: a feeder
 * offers one and waits, first until it is taken, then until another one is asked for. So an item
 * that nobody waits for any more stays where it is, and nothing runs ahead of who asks.
 *
 * All of it belongs to the thread of the sequence's context: there are no locks. */
#pragma once

#include <eddy/sequence.h>

#include "fiber/fiber-private.h"
#include "fiber/wakers-private.h"

struct EddySequence {
    EddyObject object;
    const EddySequenceFuncs *funcs;
    EddyItemDestroyFunc destroy_item;
    EddyContext *context; /* a reference */
    size_t size;          /* of the whole, with the data behind this record */
    EddyFiber *asking;    /* whose turn it is */
    EddyList turns;       /* those that wait for theirs */
    void *kept;           /* an item that came to a fiber which was cancelled meanwhile */
    bool ended;           /* only the end will come */
    bool goes_on;         /* the error that `next` is about to return is not the end; or … */
    bool breaks_off;      /* … is it, though the call may be cancelled, too */
    bool closed;          /* dispose has run: feeders that still run are to end */
    EddyEntry homecoming; /* of one that was let go of elsewhere */
};

/* --- the sequence ----------------------------------------------------------------------------- */

/* What eddy_sequence_next() does. In a fiber. */
void *eddy__sequence_ask (EddySequence *sequence, EddyCancellable *cancellable, EddyError **error);

/* A sequence over `inner`, a reference that its maker is to put into its data. NULL when `inner`
 * is, or memory is out: then `inner` is let go of. */
EddySequence *eddy__sequence_new_over (const EddySequenceFuncs *funcs, size_t data_size,
                                       EddyItemDestroyFunc destroy_item, EddySequence *inner);

/* How the items of a sequence, or NULL, are given up. */
static inline EddyItemDestroyFunc eddy__sequence_get_destroy (const EddySequence *sequence)
{
    return sequence == NULL ? NULL : sequence->destroy_item;
}

/* After `inner` gave no item: its error is the adapter's, and so is whether that is the end.
 * Returns NULL. */
void *eddy__sequence_pass (EddySequence *sequence, const EddySequence *inner);

/* Gives an item up. */
static inline void eddy__sequence_give_up (const EddySequence *sequence, void *item)
{
    if (item != NULL && sequence->destroy_item != NULL)
        sequence->destroy_item (item);
}

/* For a dump: who waits for the sequence to be asked waits for who asks it now, or whoever may. */
void eddy__sequence_add_asking (const EddySequence *sequence, EddyWakers *wakers);

/* Whether the calling fiber, or the cancellable, is cancelled. */
bool eddy__sequence_is_cancelled (EddyCancellable *cancellable);

/* Nanoseconds from now as a deadline; never INT64_MAX, which means none. */
int64_t eddy__sequence_deadline (const EddySequence *sequence, int64_t duration_ns);

/* --- waiting ---------------------------------------------------------------------------------- */

/* Waits until somebody wakes `*wait`, which is NULL before and afterwards: 0; -ECANCELED when the
 * fiber or `cancellable` was cancelled first, -ETIMEDOUT when the deadline came first (INT64_MAX:
 * none), -ENOMEM. Also when it was cancelled, what it waits for may be there. In a fiber. */
int eddy__sequence_wait (EddyFiberWait **wait, EddyCancellable *cancellable, int64_t deadline_ns,
                         const EddyWaitKind *kind, const void *on);

/* Waits until a future is complete; 0, or -errno as above. In a fiber. */
int eddy__sequence_wait_for (const EddySequence *sequence, EddyFuture *future,
                             EddyCancellable *cancellable);

/* Has a fiber go on, if one waits there. */
static inline void eddy__sequence_wake (EddyFiberWait *wait)
{
    if (wait != NULL)
        eddy__fiber_wake (wait);
}

/* Fails with the answer of such a wait, which is not the sequence's end. Returns NULL. */
void *eddy__sequence_fail_wait (EddySequence *sequence, int answer, EddyCancellable *cancellable,
                                EddyError **error);

/* --- feeding ---------------------------------------------------------------------------------- */

typedef struct EddyFeeder EddyFeeder;

/* What the fibers of a sequence hand over. In the sequence's data. */
typedef struct EddyFeed {
    EddySequence *sequence; /* whose it is */
    EddyList offers;        /* of items that wait, the oldest first */
    EddyList resting;       /* those that were taken, and wait to be asked for another */
    EddyFiberWait *taker;   /* who asks */
    EddyList running;       /* feeders that have not ended */
    EddyError *failure;     /* that one of them has ended with; the first */
} EddyFeed;

/* A fiber of a sequence. In the sequence's data. */
struct EddyFeeder {
    EddyFeed *feed;
    EddyList member;                  /* of those that run */
    EddyFiber *fiber;                 /* a handle; NULL: it has not begun */
    EddySequence *inner;              /* a reference: what it asks; or NULL */
    void (*run) (EddyFeeder *feeder); /* its function */
    /* Called at its end, or at the sequence's when it has never begun. */
    void (*clear) (EddyFeeder *feeder);
    bool has_run;
};

void eddy__feed_init (EddyFeed *feed, EddySequence *sequence);
/* The sequence closes: whoever waits to hand something over gives it up. */
void eddy__feed_close (EddyFeed *feed);
/* Whether there is nothing to wait for: an item is offered, or the feeders have ended. */
bool eddy__feed_is_ready (const EddyFeed *feed);
/* Asks who rests for another item, and waits; the answers are those of eddy__sequence_wait(). */
int eddy__feed_wait (EddyFeed *feed, EddyCancellable *cancellable, int64_t deadline_ns);
/* What the sequence's `next` returns: takes an item, an error or the end when it is there. */
void *eddy__feed_take (EddyFeed *feed, EddyCancellable *cancellable, int64_t deadline_ns,
                       EddyError **error);

/* A feeder of a feed that asks `inner`, a reference that it takes, and offers what comes. */
void eddy__feeder_init (EddyFeeder *feeder, EddyFeed *feed, EddySequence *inner,
                        void (*run) (EddyFeeder *feeder));
/* Begins it, unless it has begun; 0 or -ENOMEM. */
int eddy__feeder_begin (EddyFeeder *feeder, const EddyFiberOptions *options,
                        const EddyPlace *place);
/* Asks it to end, without waiting for that. */
void eddy__feeder_end (EddyFeeder *feeder);

/* Hands over an item or an error, either of which it takes, and waits until another one is asked
 * for; false: the sequence closes, or the fiber was cancelled. In the feeder. */
bool eddy__feeder_offer (EddyFeeder *feeder, void *item, EddyError *error);
/* Says what it ends with, taking that; NULL: with nothing. In the feeder. */
void eddy__feeder_fail (EddyFeeder *feeder, EddyError *error);
/* Hands over an error of `inner` that is not its end, or says what that has ended with; whether
 * `inner` may be asked again. */
bool eddy__feeder_pass (EddyFeeder *feeder, EddyError *error);
