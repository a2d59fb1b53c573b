/* SPDX-License-Identifier: MIT */
/* One future, and a function of the program's that runs when that has completed: then, catch,
 * finally, map, a callback. */
#include "base/error-private.h"
#include "base/object-private.h"
#include "future/combinator-private.h"

/* The first input is the future, the second one that of the function. */
enum { THEN_FIRST, THEN_SECOND, THEN_INPUTS };

static bool then_has_failed (const EddyCombinator *self)
{
    return self->inputs[THEN_FIRST].future->error != NULL;
}

/* Calls the function. The answer will be the second one's, or the first one's if there is none. */
static void then_go_on (EddyCombinator *self, bool shielded)
{
    EddyFuture *next = self->function.next (self->inputs[THEN_FIRST].future, self->data);
    eddy__combinator_drop_data (self);
    if (next != NULL)
        eddy__combinator_add (self, next, shielded);
}

/* The answer of the first input, or of the second if there is one. */
static void then_answer (EddyCombinator *self, EddyValue *value, EddyError **error)
{
    eddy_future_take (self->inputs[self->n_inputs - 1].future, value, error);
}

static void then_ended (EddyCombinator *self, EddyInput *input)
{
    if (input != &self->inputs[THEN_FIRST] || then_has_failed (self))
        return;
    if (self->cancelled)
        self->future.error = eddy__error_cancelled ();
    else
        then_go_on (self, /* shielded= */ false);
}

static void catch_ended (EddyCombinator *self, EddyInput *input)
{
    if (input == &self->inputs[THEN_FIRST] && then_has_failed (self) && !self->cancelled)
        then_go_on (self, /* shielded= */ false);
}

static void finally_ended (EddyCombinator *self, EddyInput *input)
{
    if (input == &self->inputs[THEN_FIRST])
        then_go_on (self, /* shielded= */ true);
}

static void finally_answer (EddyCombinator *self, EddyValue *value, EddyError **error)
{
    const EddyError *failure = self->inputs[self->n_inputs - 1].future->error;
    if (failure == NULL)
        eddy_future_take (self->inputs[THEN_FIRST].future, value, error);
    else
        then_answer (self, value, error);
}

static void map_ended (EddyCombinator *self, EddyInput *input)
{
    EddyValue value = EDDY_VALUE_INIT;
    EddyError *error = NULL;
    if (eddy_future_take (input->future, &value, &error))
        self->function.map (&value, &self->future.value, &error, self->data);
    self->future.error = error;
    eddy_value_clear (&value);
}

static void callback_ended (EddyCombinator *self, EddyInput *input)
{
    EddyFuture *future = input->future;
    self->function.callback (future->source_object, future, self->data);
}

static const EddyCombinatorKind then_kind = { .name = "then",
                                              .ended = then_ended,
                                              .answer = then_answer };
static const EddyCombinatorKind catch_kind = { .name = "catch",
                                               .ended = catch_ended,
                                               .answer = then_answer };
static const EddyCombinatorKind finally_kind = { .name = "finally",
                                                 .ended = finally_ended,
                                                 .answer = finally_answer };
static const EddyCombinatorKind map_kind = { .name = "map", .ended = map_ended };
static const EddyCombinatorKind callback_kind = { .name = "a callback", .ended = callback_ended };

/* With room for the second input; its function is to be filled in. NULL when memory is out. */
static EddyCombinator *then_new (const EddyCombinatorKind *kind, EddyFuture *future, void *data,
                                 void (*destroy) (void *))
{
    EddyCombinator *self = eddy__combinator_new (kind, &future, 1, THEN_INPUTS - 1);
    if (self != NULL) {
        self->data = data;
        self->destroy = destroy;
    } else if (destroy != NULL) {
        destroy (data);
    }
    return self;
}

static EddyFuture *then_begin (const EddyCombinatorKind *kind, EddyFuture *future,
                               EddyFutureFunc function, void *data, void (*destroy) (void *))
{
    EddyCombinator *self = then_new (kind, future, data, destroy);
    if (self != NULL)
        self->function.next = function;
    return eddy__combinator_begin (self, kind);
}

EddyFuture *eddy_future_then (EddyFuture *future, EddyFutureFunc function, void *data,
                              void (*destroy) (void *data))
{
    EDDY__EXPECT (future != NULL && function != NULL, NULL);
    return then_begin (&then_kind, future, function, data, destroy);
}

EddyFuture *eddy_future_catch (EddyFuture *future, EddyFutureFunc function, void *data,
                               void (*destroy) (void *data))
{
    EDDY__EXPECT (future != NULL && function != NULL, NULL);
    return then_begin (&catch_kind, future, function, data, destroy);
}

EddyFuture *eddy_future_finally (EddyFuture *future, EddyFutureFunc function, void *data,
                                 void (*destroy) (void *data))
{
    EDDY__EXPECT (future != NULL && function != NULL, NULL);
    return then_begin (&finally_kind, future, function, data, destroy);
}

EddyFuture *eddy_future_map (EddyFuture *future, EddyFutureMapFunc function, void *data,
                             void (*destroy) (void *data))
{
    EDDY__EXPECT (future != NULL && function != NULL, NULL);
    EddyCombinator *self = then_new (&map_kind, future, data, destroy);
    if (self != NULL)
        self->function.map = function;
    return eddy__combinator_begin (self, &map_kind);
}

bool eddy_future_add_callback (EddyFuture *future, EddyAsyncReadyCallback callback, void *user_data)
{
    EDDY__EXPECT (future != NULL && callback != NULL, false);
    EddyCombinator *self = then_new (&callback_kind, eddy_ref (future), user_data, NULL);
    if (self == NULL)
        return false;
    self->function.callback = callback;
    self->holds_itself = true;
    (void) eddy__combinator_begin (self, &callback_kind);
    return true;
}
