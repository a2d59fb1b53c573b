/* SPDX-License-Identifier: MIT */
/* Sequences made of another one in the fiber that asks: map, filter, take. */
#include "base/object-private.h"
#include "sequence/sequence-private.h"

/* --- functions of a program ------------------------------------------------------------------- */

/* Map and filter. */
typedef struct Through {
    EddySequence *inner;
    EddySequenceMapFunc map; /* one of the two */
    EddySequenceFilterFunc filter;
    void *data;
    void (*destroy) (void *data);
    void *item; /* of the inner sequence, while the function has it */
} Through;

/* Calls the function; what it makes of the item, or NULL. */
static void *through_call (Through *through, EddyError **error)
{
    if (through->map != NULL)
        return through->map (through->item, through->data, error);
    if (through->filter (through->item, through->data, error) && *error == NULL)
        return through->item;
    if (*error == NULL)
        eddy__sequence_give_up (through->inner, through->item);
    return NULL;
}

static void *through_next (EddySequence *sequence, EddyCancellable *cancellable, EddyError **error)
{
    Through *through = eddy_sequence_get_data (sequence);
    for (;;) {
        if (through->item == NULL)
            through->item = eddy__sequence_ask (through->inner, cancellable, error);
        if (through->item == NULL)
            return eddy__sequence_pass (sequence, through->inner);
        EddyError *failure = NULL;
        void *made = through_call (through, &failure);
        if (failure != NULL) {
            /* The item is still here: for the next call, if this one was cancelled. */
            eddy_error_take (error, failure);
            return NULL;
        }
        through->item = NULL;
        if (made != NULL)
            return made;
    }
}

static void through_dispose (EddySequence *sequence)
{
    Through *through = eddy_sequence_get_data (sequence);
    eddy__sequence_give_up (through->inner, through->item);
    through->item = NULL;
    eddy_clear (&through->inner);
    if (through->destroy != NULL)
        through->destroy (through->data);
}

static const EddySequenceFuncs through_funcs = { .next = through_next, .dispose = through_dispose };

static EddySequence *through_new (EddySequence *inner, EddySequenceMapFunc map,
                                  EddySequenceFilterFunc filter, void *data,
                                  void (*destroy) (void *data), EddyItemDestroyFunc destroy_item)
{
    EddySequence *sequence =
        eddy__sequence_new_over (&through_funcs, sizeof (Through), destroy_item, inner);
    if (sequence == NULL) {
        if (destroy != NULL)
            destroy (data);
        return NULL;
    }
    Through *through = eddy_sequence_get_data (sequence);
    *through = (Through){ inner, map, filter, data, destroy, NULL };
    return sequence;
}

EddySequence *eddy_sequence_map (EddySequence *sequence, EddySequenceMapFunc function, void *data,
                                 void (*destroy) (void *data), EddyItemDestroyFunc destroy_item)
{
    EDDY__EXPECT (function != NULL, NULL);
    return through_new (sequence, function, NULL, data, destroy, destroy_item);
}

EddySequence *eddy_sequence_filter (EddySequence *sequence, EddySequenceFilterFunc function,
                                    void *data, void (*destroy) (void *data))
{
    EDDY__EXPECT (function != NULL, NULL);
    return through_new (sequence, NULL, function, data, destroy,
                        eddy__sequence_get_destroy (sequence));
}

/* --- the first items -------------------------------------------------------------------------- */

typedef struct Take {
    EddySequence *inner;
    size_t left;
} Take;

static void *take_next (EddySequence *sequence, EddyCancellable *cancellable, EddyError **error)
{
    Take *take = eddy_sequence_get_data (sequence);
    if (take->left == 0)
        return NULL;
    void *item = eddy__sequence_ask (take->inner, cancellable, error);
    if (item == NULL)
        return eddy__sequence_pass (sequence, take->inner);
    if (--take->left == 0)
        eddy_clear (&take->inner);
    return item;
}

static void take_dispose (EddySequence *sequence)
{
    Take *take = eddy_sequence_get_data (sequence);
    eddy_clear (&take->inner);
}

static const EddySequenceFuncs take_funcs = { .next = take_next, .dispose = take_dispose };

EddySequence *eddy_sequence_take (EddySequence *sequence, size_t count)
{
    EddySequence *taking = eddy__sequence_new_over (
        &take_funcs, sizeof (Take), eddy__sequence_get_destroy (sequence), sequence);
    if (taking == NULL)
        return NULL;
    Take *take = eddy_sequence_get_data (taking);
    take->inner = sequence;
    take->left = count;
    return taking;
}
