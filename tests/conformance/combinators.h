/* SPDX-License-Identifier: MIT */
/*
 * What the tests of combinators are made of: futures that are ready, fibers that sleep and note
 * what becomes of them, functions that go on in each way.
 */
#pragma once

#include "task.h"

static inline EddyFuture *number (int64_t integer)
{
    EddyValue value = EDDY_VALUE_INIT;
    eddy_value_set_int (&value, integer);
    return eddy_future_resolved (&value);
}

static inline EddyFuture *failed (EddyIOErrorCode code)
{
    return eddy_future_rejected (eddy_error_new (EDDY_IO_ERROR, (int) code, "it failed"));
}

/* A string that has one owner, and notes its end by its first letter. */
static inline EddyFuture *string (const char *text)
{
    EddyValue value = EDDY_VALUE_INIT;
    eddy_value_take_pointer (&value, eddy_strdup (text), end_string);
    return eddy_future_resolved (&value);
}

/* A fiber that sleeps. */
typedef struct Sleep {
    int64_t duration_ns; /* 0: until it is cancelled */
    bool stands;         /* it gives its value although it was cancelled */
    int64_t dies_ns;     /* so long it takes to end after a cancel */
    bool began;
    bool cancelled;
    bool ended;
} Sleep;

static inline EddyFuture *sleep_die (EddyFuture *completed, void *data)
{
    const Sleep *sleep = data;
    (void) completed;
    return eddy_future_delay (sleep->dies_ns);
}

static inline void *sleep_run (void *data, EddyError **error)
{
    Sleep *sleep = data;
    EddyError *failure = NULL;
    sleep->began = true;
    if (!eddy_fiber_sleep (sleep->duration_ns == 0 ? INT64_MAX : sleep->duration_ns, &failure))
        sleep->cancelled = true;
    if (sleep->stands || sleep->dies_ns != 0)
        eddy_clear_error (&failure);
    if (failure != NULL)
        *error = failure;
    sleep->ended = sleep->dies_ns == 0;
    return sleep;
}

static inline EddyFuture *sleep_end (EddyFuture *completed, void *data)
{
    Sleep *sleep = data;
    (void) completed;
    sleep->ended = true;
    if (!sleep->cancelled)
        return NULL;
    return eddy_future_rejected (
        eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_CANCELLED, "it slept no more"));
}

static inline EddyFuture *sleep_future (Sleep *sleep)
{
    EddyFuture *fiber = eddy_spawn_local (sleep_run, sleep, NULL);
    if (sleep->dies_ns == 0)
        return fiber;
    return eddy_future_finally (eddy_future_finally (fiber, sleep_die, sleep, NULL), sleep_end,
                                sleep, NULL);
}

/* A function of a combinator. */
typedef struct Step {
    enum { STEP_NOTHING, STEP_NUMBER, STEP_FAILS, STEP_SLEEP } kind;
    int64_t number;
    Sleep *sleep;
    int calls;
    int destroyed;
    int64_t seen;  /* the number it was called with */
    int seen_code; /* or the error */
} Step;

static inline EddyFuture *step_run (EddyFuture *completed, void *data)
{
    Step *step = data;
    const EddyError *error = eddy_future_get_error (completed);
    ck_assert (eddy_future_is_complete (completed));
    ck_assert (!eddy_in_fiber ());
    step->calls++;
    if (error != NULL)
        step->seen_code = eddy_error_get_code (error);
    else
        step->seen = eddy_block_on_int (NULL, completed, NULL);
    switch (step->kind) {
    case STEP_NUMBER:
        return number (step->number);
    case STEP_FAILS:
        return failed (EDDY_IO_ERROR_BUSY);
    case STEP_SLEEP:
        return sleep_future (step->sleep);
    default:
        return NULL;
    }
}

static inline EddyFuture *step_fail (EddyFuture *completed, void *data)
{
    (void) completed;
    (void) data;
    return failed (EDDY_IO_ERROR_BUSY);
}

static inline void step_destroy (void *data)
{
    Step *step = data;
    step->destroyed++;
}

static inline void map_double (const EddyValue *value, EddyValue *result, EddyError **error,
                               void *data)
{
    int *calls = data;
    (void) error;
    ++*calls;
    eddy_value_set_int (result, 2 * value->as.integer);
}
