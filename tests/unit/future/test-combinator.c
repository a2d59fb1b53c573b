/* SPDX-License-Identifier: MIT */
/*
 * Combinators from the inside: what they ask of memory, and what may come in between.
 */
#include "context.h"

#include "base/alloc-private.h"
#include "future/combinator-private.h"

/* --- budgets ---------------------------------------------------------------------------------- */

static long budget_asked;

static int budget_count (size_t size, void *data)
{
    (void) size;
    (void) data;
    budget_asked++;
    return 0;
}

/* What making a future of a future, and waiting for it, asks for; the second time. */
static long budget_of (EddyContext *context, EddyFuture *(*make) (EddyFuture *future))
{
    for (int i = 0; i < 2; i++) {
        EddyValue value = EDDY_VALUE_INIT;
        eddy_value_set_int (&value, 3);
        EddyFuture *future = eddy_future_resolved (&value);
        budget_asked = 0;
        eddy__alloc_set_fault (budget_count, NULL);
        future = make (future);
        ck_assert (eddy_block_on_complete (context, future, NULL));
        eddy_unref (future);
        eddy__alloc_set_fault (NULL, NULL);
    }
    return budget_asked;
}

static EddyFuture *go_on (EddyFuture *completed, void *data)
{
    (void) completed;
    (void) data;
    return NULL;
}

static EddyFuture *make_then (EddyFuture *future)
{
    return eddy_future_then (future, go_on, NULL, NULL);
}

static EddyFuture *make_in_time (EddyFuture *future)
{
    return eddy_future_with_timeout (future, INT64_MAX);
}

static EddyFuture *make_race (EddyFuture *future)
{
    EddyFuture *futures[3] = { future, eddy_ref (future), eddy_ref (future) };
    return eddy_future_race (futures, 3);
}

EDDY_TEST (a_combinator_asks_for_one_record)
{
    EddyContext *context = eddy_test_context_begin ();
    ck_assert_int_eq (budget_of (context, make_then), 1);
    ck_assert_int_eq (budget_of (context, make_in_time), 1);
    ck_assert_int_eq (budget_of (context, make_race), 1);
    eddy_test_context_end (context);
}

/* --- in between ------------------------------------------------------------------------------- */

static EddyFuture *interrupted;

static void cancel_at_message (EddyLogLevel level, const char *message, void *data)
{
    (void) level;
    (void) message;
    ++*(int *) data;
    if (interrupted != NULL)
        eddy_future_cancel (interrupted);
}

static void cancel_at_end (void *data)
{
    ++*(int *) data;
    if (interrupted != NULL)
        eddy_future_cancel (interrupted);
}

/* The value had gone already, which is told while the answer is made. */
EDDY_TEST (a_cancel_while_it_ends_is_too_late)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    EddyValue value = EDDY_VALUE_INIT;
    int ended = 0, told = 0;
    eddy_value_take_pointer (&value, &ended, cancel_at_end);
    EddyFuture *taken = eddy_future_resolved (&value);
    ck_assert (eddy_future_take (taken, &value, NULL));
    eddy_log_set_handler (cancel_at_message, &told);
    interrupted = eddy_future_race (&taken, 1);
    ck_assert (!eddy_block_on_complete (context, interrupted, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_TAKEN);
    eddy_log_set_handler (NULL, NULL);
    ck_assert_int_eq (told, 1);
    eddy_clear (&interrupted);
    /* A value that is given up with its input. */
    EddyFuture *future = eddy_future_resolved (&value);
    interrupted = eddy_future_all_settled (&future, 1);
    interrupted = eddy_future_finally (interrupted, go_on, &ended, cancel_at_end);
    ck_assert (!eddy_block_on_complete (context, interrupted, &error) || ended > 0);
    eddy_clear_error (&error);
    eddy_clear (&interrupted);
    while (eddy_context_iteration (context, false))
        ;
    ck_assert_int_eq (ended, 2);
    eddy_test_context_end (context);
}

/* --- a context of nobody ---------------------------------------------------------------------- */

/* Whoever runs it first takes it in; a cancel before that is the first thing it hears. */
EDDY_TEST (combinators_wait_for_their_context)
{
    EddyContext *context = eddy_context_new ();
    ck_assert (eddy_context_push_thread_default (context));
    eddy_context_release (context);
    EddyFuture *delay = eddy_future_delay (INT64_MAX);
    EddyFuture *cancelled = eddy_future_delay (INT64_MAX);
    eddy_future_cancel (cancelled);
    eddy_unref (delay);
    ck_assert (!eddy_future_is_complete (cancelled));
    while (eddy_context_iteration (context, false))
        ;
    ck_assert (eddy_future_is_complete (cancelled));
    eddy_unref (cancelled);
    ck_assert (eddy_context_acquire (context));
    eddy_test_context_end (context);
}
