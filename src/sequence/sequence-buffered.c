/* SPDX-License-Identifier: MIT */
/* Sequences that keep several futures of another one under way. */
#include <errno.h>

#include "base/object-private.h"
#include "sequence/sequence-private.h"

typedef struct Buffered {
    EddyFeed feed;
    EddyFeeder feeder;
    EddyFiberWait *room; /* the feeder, which waits for a place */
    size_t n;
    size_t first; /* place of the oldest future */
    size_t count;
    EddyFuture *futures[]; /* a ring */
} Buffered;

static void room_find_wakers (const void *on, EddyWakers *wakers)
{
    const Buffered *buffered = on;
    eddy__sequence_add_asking (buffered->feed.sequence, wakers);
}

static const EddyWaitKind room_wait_kind = { .what = "room for another future",
                                             .find_wakers = room_find_wakers };

/* --- filling ---------------------------------------------------------------------------------- */

/* Waits for a free place; whether there is one. */
static bool buffered_wait_for_room (Buffered *buffered)
{
    int answer = 0;
    while (buffered->count == buffered->n && answer == 0)
        answer = eddy__sequence_wait (&buffered->room, NULL, INT64_MAX, &room_wait_kind, buffered);
    return buffered->count < buffered->n && !buffered->feed.sequence->closed;
}

static void buffered_feed (EddyFeeder *feeder)
{
    Buffered *buffered = EDDY__CONTAINER (feeder, Buffered, feeder);
    bool goes_on = true;
    while (goes_on && buffered_wait_for_room (buffered)) {
        EddyError *error = NULL;
        EddyFuture *future = eddy__sequence_ask (feeder->inner, NULL, &error);
        if (future == NULL) {
            goes_on = eddy__feeder_pass (feeder, error);
        } else if (feeder->feed->sequence->closed) {
            eddy_unref (future);
        } else {
            buffered->futures[(buffered->first + buffered->count++) % buffered->n] = future;
            eddy__sequence_wake (feeder->feed->taker);
        }
    }
}

/* --- taking ----------------------------------------------------------------------------------- */

static EddyFuture *buffered_pop (Buffered *buffered)
{
    EddyFuture *future = EDDY_TAKE (buffered->futures[buffered->first]);
    buffered->first = (buffered->first + 1) % buffered->n;
    buffered->count--;
    eddy__sequence_wake (buffered->room);
    return future;
}

static void *buffered_next (EddySequence *sequence, EddyCancellable *cancellable, EddyError **error)
{
    static const EddyFiberOptions options = { .name = "the input of eddy_sequence_buffered" };
    Buffered *buffered = eddy_sequence_get_data (sequence);
    int answer = eddy__feeder_begin (&buffered->feeder, &options, NULL);
    while (answer == 0 && buffered->count == 0) {
        if (eddy__feed_is_ready (&buffered->feed))
            return eddy__feed_take (&buffered->feed, cancellable, INT64_MAX, error);
        answer = eddy__feed_wait (&buffered->feed, cancellable, INT64_MAX);
    }
    if (answer == 0)
        answer =
            eddy__sequence_wait_for (sequence, buffered->futures[buffered->first], cancellable);
    if (answer < 0)
        return eddy__sequence_fail_wait (sequence, answer, cancellable, error);
    return buffered_pop (buffered);
}

/* --- life ------------------------------------------------------------------------------------- */

static void buffered_dispose (EddySequence *sequence)
{
    Buffered *buffered = eddy_sequence_get_data (sequence);
    eddy__feed_close (&buffered->feed);
    eddy__feeder_end (&buffered->feeder);
    while (buffered->count > 0)
        eddy_unref (buffered_pop (buffered));
}

static const EddySequenceFuncs buffered_funcs = { .next = buffered_next,
                                                  .dispose = buffered_dispose };

EddySequence *eddy_sequence_buffered (EddySequence *sequence, size_t n)
{
    EDDY__EXPECT (n > 0, NULL);
    size_t size;
    if (__builtin_mul_overflow (n, sizeof (EddyFuture *), &size) ||
        __builtin_add_overflow (size, sizeof (Buffered), &size))
        size = SIZE_MAX;
    EddySequence *buffering =
        eddy__sequence_new_over (&buffered_funcs, size, eddy_destroy, sequence);
    if (buffering == NULL)
        return NULL;
    Buffered *buffered = eddy_sequence_get_data (buffering);
    eddy__feed_init (&buffered->feed, buffering);
    eddy__feeder_init (&buffered->feeder, &buffered->feed, sequence, buffered_feed);
    buffered->n = n;
    return buffering;
}
