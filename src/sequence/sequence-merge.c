/* SPDX-License-Identifier: MIT */
/* Sequences that other ones feed, each by a fiber: merge, and timeout, which is a merge of one that
 * is waited for so long at most. */
#include <errno.h>

#include "base/object-private.h"
#include "sequence/sequence-private.h"

typedef struct Merge {
    EddyFeed feed;
    int64_t timeout_ns; /* INT64_MAX: none */
    size_t n;
    EddyFeeder feeders[];
} Merge;

/* Offers whatever comes from the inner sequence. */
static void merge_feed (EddyFeeder *feeder)
{
    bool goes_on = true;
    while (goes_on) {
        EddyError *error = NULL;
        void *item = eddy__sequence_ask (feeder->inner, NULL, &error);
        goes_on = item != NULL ? eddy__feeder_offer (feeder, item, NULL)
                               : eddy__feeder_pass (feeder, error);
    }
}

static int merge_begin (Merge *merge)
{
    static const EddyFiberOptions options = { .name = "an input of eddy_sequence_merge" };
    static const EddyFiberOptions timed_options = { .name = "the input of eddy_sequence_timeout" };
    int answer = 0;
    for (size_t i = 0; i < merge->n && answer == 0; i++)
        answer = eddy__feeder_begin (
            &merge->feeders[i], merge->timeout_ns == INT64_MAX ? &options : &timed_options, NULL);
    return answer;
}

static void *merge_next (EddySequence *sequence, EddyCancellable *cancellable, EddyError **error)
{
    Merge *merge = eddy_sequence_get_data (sequence);
    int64_t deadline_ns = merge->timeout_ns == INT64_MAX
                              ? INT64_MAX
                              : eddy__sequence_deadline (sequence, merge->timeout_ns);
    int answer = merge_begin (merge);
    if (answer < 0)
        return eddy__sequence_fail_wait (sequence, answer, cancellable, error);
    return eddy__feed_take (&merge->feed, cancellable, deadline_ns, error);
}

static void merge_dispose (EddySequence *sequence)
{
    Merge *merge = eddy_sequence_get_data (sequence);
    eddy__feed_close (&merge->feed);
    for (size_t i = 0; i < merge->n; i++)
        eddy__feeder_end (&merge->feeders[i]);
}

static const EddySequenceFuncs merge_funcs = { .next = merge_next, .dispose = merge_dispose };

/* NULL with the inner sequences let go of when memory is out or one of them is NULL. */
static EddySequence *merge_new (EddySequence **sequences, size_t n, int64_t timeout_ns,
                                EddyItemDestroyFunc destroy_item)
{
    size_t size;
    bool whole = !__builtin_mul_overflow (n, sizeof (EddyFeeder), &size) &&
                 !__builtin_add_overflow (size, sizeof (Merge), &size);
    for (size_t i = 0; i < n; i++)
        whole = whole && sequences[i] != NULL;
    EddySequence *sequence = whole ? eddy_sequence_new (&merge_funcs, size, destroy_item) : NULL;
    if (sequence == NULL) {
        for (size_t i = 0; i < n; i++)
            eddy_unref (sequences[i]);
        return NULL;
    }
    Merge *merge = eddy_sequence_get_data (sequence);
    eddy__feed_init (&merge->feed, sequence);
    merge->timeout_ns = timeout_ns;
    merge->n = n;
    for (size_t i = 0; i < n; i++)
        eddy__feeder_init (&merge->feeders[i], &merge->feed, sequences[i], merge_feed);
    return sequence;
}

EddySequence *eddy_sequence_merge (EddySequence **sequences, size_t n,
                                   EddyItemDestroyFunc destroy_item)
{
    EDDY__EXPECT (n == 0 || sequences != NULL, NULL);
    return merge_new (sequences, n, INT64_MAX, destroy_item);
}

EddySequence *eddy_sequence_timeout (EddySequence *sequence, int64_t timeout_ns)
{
    EDDY__EXPECT (timeout_ns >= 0, NULL);
    if (timeout_ns == INT64_MAX)
        timeout_ns--;
    return merge_new (&sequence, 1, timeout_ns, eddy__sequence_get_destroy (sequence));
}
