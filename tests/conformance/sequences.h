/* SPDX-License-Identifier: MIT */
/*
 * Items that are counted, and sequences of them. Public headers only.
 */
#pragma once

#include <eddy/testing.h>

#include "context.h"

/* ---- Items: numbers in memory of their own --------------------------------------------------- */

static int items_alive;

static inline void *item_new (int number)
{
    int *item = malloc (sizeof *item);
    ck_assert_ptr_nonnull (item);
    *item = number;
    items_alive++;
    return item;
}

static inline void item_destroy (void *item)
{
    ck_assert_ptr_nonnull (item);
    items_alive--;
    free (item);
}

static inline int item_take (void *item)
{
    int number = *(int *) item;
    item_destroy (item);
    return number;
}

/* ---- Where they come from -------------------------------------------------------------------- */

/* Yields the numbers from `first` to `last`, with a wait before each, and then fails or ends. */
typedef struct Numbers {
    int first;
    int last;
    int64_t pause_ns; /* 0: a yield; -1: none */
    bool fails;
    int made;  /* items so far */
    int begun; /* runs of the function */
    int ended;
    int destroyed; /* its data */
} Numbers;

static inline bool numbers_pause (const Numbers *numbers, EddyError **error)
{
    if (numbers->pause_ns > 0)
        return eddy_fiber_sleep (numbers->pause_ns, error);
    if (numbers->pause_ns == 0)
        eddy_fiber_yield ();
    return true;
}

static inline bool numbers_generate (EddyGenerator *generator, void *data, EddyError **error)
{
    Numbers *numbers = data;
    bool good = true;
    numbers->begun++;
    for (int i = numbers->first; good && i <= numbers->last; i++) {
        good = numbers_pause (numbers, error);
        numbers->made += good;
        good = good && eddy_generator_yield (generator, item_new (i), error);
    }
    if (good && numbers->fails)
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_DATA, "numbers are out");
    numbers->ended++;
    return good && !numbers->fails;
}

static inline void numbers_destroy (void *data)
{
    ((Numbers *) data)->destroyed++;
}

static inline EddySequence *numbers_new (Numbers *numbers)
{
    EddySequence *sequence =
        eddy_sequence_new_generator (numbers_generate, numbers, numbers_destroy, item_destroy);
    ck_assert_ptr_nonnull (sequence);
    return sequence;
}

/* ---- In a fiber ------------------------------------------------------------------------------ */

/* Lets others run until a counter is above zero, which does not take long. */
static inline void yield_until (const int *counter)
{
    for (int i = 0; i < 1000 && *counter == 0; i++)
        eddy_fiber_yield ();
    ck_assert_int_gt (*counter, 0);
}

/* The next item, which must be this one; 0: the end. */
static inline void expect_next (EddySequence *sequence, int number)
{
    EddyError *error = NULL;
    void *item = eddy_sequence_next (sequence, NULL, &error);
    ck_assert_msg (error == NULL, "next failed: %s",
                   error == NULL ? "" : eddy_error_get_message (error));
    ck_assert_int_eq (item == NULL ? 0 : item_take (item), number);
}

/* The next call must fail with this code. */
static inline void expect_failure (EddySequence *sequence, EddyIOErrorCode code)
{
    EddyError *error = NULL;
    ck_assert_ptr_null (eddy_sequence_next (sequence, NULL, &error));
    eddy_test_expect_error (&error, code);
}

/* Runs a function as a fiber of a context of its own, and then whatever it has left. */
static inline void run_alone (EddyFiberFunc function, void *data)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyContextStatistics statistics;
    eddy_test_run_fiber (context, function, data);
    do {
        eddy_context_iteration (context, false);
        eddy_context_get_statistics (context, &statistics);
    } while (statistics.live_fibers > 0);
    eddy_test_context_end (context);
    ck_assert_int_eq (items_alive, 0);
}
