/* SPDX-License-Identifier: MIT */
/* Sequences of the items after which it was quiet. */
#include <errno.h>

#include "base/object-private.h"
#include "sequence/sequence-private.h"

typedef struct Debounce {
    EddyFeed feed;
    EddyFeeder feeder;
    int64_t quiet_ns;
    void *latest;   /* the item that waits for the quiet; or NULL */
    int64_t due_ns; /* when it was quiet for long enough after that */
} Debounce;

/* Keeps the latest item. Errors are offered: they come after it. */
static void debounce_feed (EddyFeeder *feeder)
{
    Debounce *debounce = EDDY__CONTAINER (feeder, Debounce, feeder);
    const EddySequence *sequence = feeder->feed->sequence;
    bool goes_on = true;
    while (goes_on) {
        EddyError *error = NULL;
        void *item = eddy__sequence_ask (feeder->inner, NULL, &error);
        if (item == NULL) {
            goes_on = eddy__feeder_pass (feeder, error);
            continue;
        }
        goes_on = !sequence->closed;
        eddy__sequence_give_up (sequence, goes_on ? debounce->latest : item);
        if (!goes_on)
            break;
        debounce->latest = item;
        debounce->due_ns = eddy__sequence_deadline (sequence, debounce->quiet_ns);
        eddy__sequence_wake (feeder->feed->taker);
        /* An inner sequence that never waits is not to hold the thread. */
        eddy_fiber_yield ();
    }
}

static void *debounce_next (EddySequence *sequence, EddyCancellable *cancellable, EddyError **error)
{
    static const EddyFiberOptions options = { .name = "the input of eddy_sequence_debounce" };
    Debounce *debounce = eddy_sequence_get_data (sequence);
    int answer = eddy__feeder_begin (&debounce->feeder, &options, NULL);
    while (answer == 0 || answer == -ETIMEDOUT) {
        bool is_over = eddy__feed_is_ready (&debounce->feed);
        if (debounce->latest != NULL &&
            (is_over || debounce->due_ns <= eddy__context_read_clock (sequence->context)))
            return EDDY_TAKE (debounce->latest);
        if (is_over)
            return eddy__feed_take (&debounce->feed, cancellable, INT64_MAX, error);
        answer = eddy__feed_wait (&debounce->feed, cancellable,
                                  debounce->latest == NULL ? INT64_MAX : debounce->due_ns);
    }
    return eddy__sequence_fail_wait (sequence, answer, cancellable, error);
}

static void debounce_dispose (EddySequence *sequence)
{
    Debounce *debounce = eddy_sequence_get_data (sequence);
    eddy__feed_close (&debounce->feed);
    eddy__feeder_end (&debounce->feeder);
    eddy__sequence_give_up (sequence, debounce->latest);
    debounce->latest = NULL;
}

static const EddySequenceFuncs debounce_funcs = { .next = debounce_next,
                                                  .dispose = debounce_dispose };

EddySequence *eddy_sequence_debounce (EddySequence *sequence, int64_t quiet_ns)
{
    EDDY__EXPECT (quiet_ns >= 0, NULL);
    EddySequence *debouncing = eddy__sequence_new_over (
        &debounce_funcs, sizeof (Debounce), eddy__sequence_get_destroy (sequence), sequence);
    if (debouncing == NULL)
        return NULL;
    Debounce *debounce = eddy_sequence_get_data (debouncing);
    eddy__feed_init (&debounce->feed, debouncing);
    eddy__feeder_init (&debounce->feeder, &debounce->feed, sequence, debounce_feed);
    debounce->quiet_ns = quiet_ns;
    return debouncing;
}
