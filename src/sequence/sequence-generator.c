/* SPDX-License-Identifier: MIT */
/* Sequences of what a program's function yields. */
#include "base/object-private.h"
#include "sequence/sequence-private.h"

struct EddyGenerator {
    EddyFeed feed;
    EddyFeeder feeder;
    EddyGeneratorFunc function;
    void *data;
    void (*destroy) (void *data);
    EddyFiberOptions options;
    const EddyPlace *place;
};

static EddyGenerator *generator_of (EddyFeeder *feeder)
{
    return EDDY__CONTAINER (feeder, EddyGenerator, feeder);
}

bool eddy_generator_yield (EddyGenerator *generator, void *item, EddyError **error)
{
    EDDY__EXPECT (generator != NULL && item != NULL, false);
    EDDY__EXPECT (eddy__fiber_current () == generator->feeder.fiber ||
                      generator->feed.sequence->closed,
                  false);
    if (eddy__feeder_offer (&generator->feeder, item, NULL))
        return true;
    eddy_error_take (error, eddy__fiber_make_cancel_error (eddy__fiber_current (), NULL));
    return false;
}

static void generator_run (EddyFeeder *feeder)
{
    EddyGenerator *generator = generator_of (feeder);
    EddyError *failure = NULL;
    bool good = generator->function (generator, generator->data, &failure);
    if (!good && failure == NULL)
        failure = eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_FAILED,
                                  "a generator failed and did not say why");
    eddy__feeder_fail (feeder, failure);
}

static void generator_clear (EddyFeeder *feeder)
{
    EddyGenerator *generator = generator_of (feeder);
    if (generator->destroy != NULL)
        generator->destroy (generator->data);
}

static void *generator_next (EddySequence *sequence, EddyCancellable *cancellable,
                             EddyError **error)
{
    EddyGenerator *generator = eddy_sequence_get_data (sequence);
    int answer = eddy__feeder_begin (&generator->feeder, &generator->options, generator->place);
    if (answer < 0)
        return eddy__sequence_fail_wait (sequence, answer, cancellable, error);
    return eddy__feed_take (&generator->feed, cancellable, INT64_MAX, error);
}

static void generator_dispose (EddySequence *sequence)
{
    EddyGenerator *generator = eddy_sequence_get_data (sequence);
    eddy__feed_close (&generator->feed);
    eddy__feeder_end (&generator->feeder);
}

static const EddySequenceFuncs generator_funcs = { .next = generator_next,
                                                   .dispose = generator_dispose };

EddySequence *eddy_sequence_new_generator_full (EddyGeneratorFunc function, void *data,
                                                void (*destroy) (void *data),
                                                EddyItemDestroyFunc destroy_item,
                                                const EddyFiberOptions *options,
                                                const EddyPlace *place)
{
    EDDY__EXPECT (function != NULL, NULL);
    EddySequence *sequence =
        eddy_sequence_new (&generator_funcs, sizeof (EddyGenerator), destroy_item);
    if (sequence == NULL) {
        if (destroy != NULL)
            destroy (data);
        return NULL;
    }
    EddyGenerator *generator = eddy_sequence_get_data (sequence);
    eddy__feed_init (&generator->feed, sequence);
    eddy__feeder_init (&generator->feeder, &generator->feed, NULL, generator_run);
    generator->feeder.clear = generator_clear;
    generator->function = function;
    generator->data = data;
    generator->destroy = destroy;
    if (options != NULL)
        generator->options = *options;
    generator->place = place;
    return sequence;
}
