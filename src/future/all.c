/* SPDX-License-Identifier: MIT */
/* Several futures: all of them, however they end, the first value, the first answer. */
#include "base/object-private.h"
#include "future/combinator-private.h"

static bool input_has_failed (const EddyInput *input)
{
    return input->future->error != NULL;
}

/* It is settled whose answer it will be: the others are not needed. */
static void all_decide (EddyCombinator *self, EddyInput *input)
{
    if (self->decisive != NULL)
        return;
    self->decisive = input;
    eddy__combinator_give_up (self);
}

static void all_ended (EddyCombinator *self, EddyInput *input)
{
    if (input_has_failed (input))
        all_decide (self, input);
}

static void any_ended (EddyCombinator *self, EddyInput *input)
{
    if (!input_has_failed (input))
        all_decide (self, input);
    else if (self->first_failed == NULL)
        self->first_failed = input;
}

static void all_answer (EddyCombinator *self, EddyValue *value, EddyError **error)
{
    if (self->decisive != NULL)
        eddy_future_take (self->decisive->future, value, error);
    else
        eddy_value_set_boolean (value, true);
}

static void any_answer (EddyCombinator *self, EddyValue *value, EddyError **error)
{
    const EddyInput *answers = self->decisive != NULL ? self->decisive : self->first_failed;
    if (answers != NULL)
        eddy_future_take (answers->future, value, error);
    else
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_ARGUMENT,
                        "%s of no futures never has an answer", self->kind->name);
}

static const EddyCombinatorKind all_kind = {
    .name = "all", .keeps_inputs = true, .ended = all_ended, .answer = all_answer
};
static const EddyCombinatorKind all_settled_kind = { .name = "all settled",
                                                     .keeps_inputs = true,
                                                     .answer = all_answer };
static const EddyCombinatorKind any_kind = {
    .name = "any", .keeps_inputs = true, .ended = any_ended, .answer = any_answer
};
static const EddyCombinatorKind race_kind = {
    .name = "a race", .keeps_inputs = true, .ended = all_decide, .answer = any_answer
};

static bool all_are_futures (EddyFuture *const *futures, size_t n_futures)
{
    if (futures == NULL)
        return n_futures == 0;
    for (size_t i = 0; i < n_futures; i++)
        if (futures[i] == NULL)
            return false;
    return true;
}

static EddyFuture *all_begin (const EddyCombinatorKind *kind, EddyFuture *const *futures,
                              size_t n_futures)
{
    return eddy__combinator_begin (eddy__combinator_new (kind, futures, n_futures, 0), kind);
}

EddyFuture *eddy_future_all (EddyFuture **futures, size_t n_futures)
{
    EDDY__EXPECT (all_are_futures (futures, n_futures), NULL);
    return all_begin (&all_kind, futures, n_futures);
}

EddyFuture *eddy_future_all_settled (EddyFuture **futures, size_t n_futures)
{
    EDDY__EXPECT (all_are_futures (futures, n_futures), NULL);
    return all_begin (&all_settled_kind, futures, n_futures);
}

EddyFuture *eddy_future_any (EddyFuture **futures, size_t n_futures)
{
    EDDY__EXPECT (all_are_futures (futures, n_futures), NULL);
    return all_begin (&any_kind, futures, n_futures);
}

EddyFuture *eddy_future_race (EddyFuture **futures, size_t n_futures)
{
    EDDY__EXPECT (all_are_futures (futures, n_futures), NULL);
    return all_begin (&race_kind, futures, n_futures);
}

/* One that could not be made has failed, and has no inputs. */
static const EddyCombinator *all_of (EddyFuture *combined)
{
    const EddyCombinator *self = eddy__combinator_of (combined);
    return self != NULL && self->kind->keeps_inputs ? self : NULL;
}

size_t eddy_future_get_n_inputs (EddyFuture *combined)
{
    EDDY__EXPECT (combined != NULL, 0);
    const EddyCombinator *self = all_of (combined);
    return self == NULL ? 0 : self->n_inputs;
}

EddyFuture *eddy_future_get_input (EddyFuture *combined, size_t index)
{
    EDDY__EXPECT (combined != NULL && eddy__future_is_done (combined), NULL);
    EDDY__EXPECT (index < eddy_future_get_n_inputs (combined), NULL);
    return all_of (combined)->inputs[index].future;
}
