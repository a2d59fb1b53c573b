/* SPDX-License-Identifier: MIT */
/*
 * EddySemaphore: permits in the order of the asking, many at once too, and none lost.
 */
#include "sync.h"

typedef struct Buyer {
    EddySemaphore *semaphore;
    unsigned n;
    int *order;
    int place; /* when it had its permits, which it keeps; -1: never */
} Buyer;

static void *buy (void *data, EddyError **error)
{
    Buyer *buyer = data;
    buyer->place = -1;
    if (eddy_semaphore_acquire (buyer->semaphore, buyer->n, NULL, error))
        buyer->place = (*buyer->order)++;
    return NULL;
}

static void end_buyer (EddyContext *context, EddyFuture *fiber, bool cancelled)
{
    EddyError *error = NULL;
    ck_assert_int_eq (eddy_block_on_complete (context, fiber, &error), !cancelled);
    if (cancelled)
        eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    eddy_unref (fiber);
}

/* One who asks for many is passed by nobody who asks for few. */
EDDY_TEST (D_semaphore_serves_in_order)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySemaphore *semaphore = eddy_semaphore_new (2);
    int order = 0;
    Buyer buyers[] = { { semaphore, 5, &order, -1 },
                       { semaphore, 1, &order, -1 },
                       { semaphore, 1, &order, -1 },
                       { semaphore, 3, &order, -1 } };
    EddyFuture *fibers[4];
    eddy_semaphore_set_name (semaphore, "the test's");
    for (int i = 0; i < 4; i++)
        fibers[i] = eddy_spawn (context, buy, &buyers[i], NULL);
    sync_settle (context);
    ck_assert_int_eq (order, 0);
    ck_assert (!eddy_semaphore_try_acquire (semaphore, 1));
    eddy_semaphore_release (semaphore, 2);
    sync_settle (context);
    ck_assert_int_eq (order, 0);
    ck_assert_uint_eq (eddy_semaphore_get_permits (semaphore), 4);
    eddy_semaphore_release (semaphore, 3);
    sync_settle (context);
    ck_assert_int_eq (order, 3);
    ck_assert_uint_eq (eddy_semaphore_get_permits (semaphore), 0);
    eddy_semaphore_release (semaphore, 3);
    for (int i = 0; i < 4; i++) {
        end_buyer (context, fibers[i], /* cancelled= */ false);
        ck_assert_int_eq (buyers[i].place, i);
    }
    eddy_semaphore_release (semaphore, 1);
    ck_assert (eddy_semaphore_try_acquire (semaphore, 1));
    ck_assert (!eddy_semaphore_try_acquire (semaphore, 1));
    eddy_unref (semaphore);
    eddy_test_context_end (context);
}

/* Those who waited behind one who is cancelled go on. */
EDDY_TEST (D_semaphore_cancelled_makes_way)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySemaphore *semaphore = eddy_semaphore_new (2);
    int order = 0;
    Buyer buyers[] = { { semaphore, 5, &order, -1 },
                       { semaphore, 1, &order, -1 },
                       { semaphore, 1, &order, -1 } };
    EddyFuture *fibers[3];
    for (int i = 0; i < 3; i++)
        fibers[i] = eddy_spawn (context, buy, &buyers[i], NULL);
    sync_settle (context);
    ck_assert_int_eq (order, 0);
    eddy_future_cancel (fibers[0]);
    for (int i = 0; i < 3; i++) {
        end_buyer (context, fibers[i], /* cancelled= */ i == 0);
        ck_assert_int_eq (buyers[i].place, i - 1);
    }
    ck_assert_uint_eq (eddy_semaphore_get_permits (semaphore), 0);
    eddy_unref (semaphore);
    eddy_test_context_end (context);
}

static void *buy_and_sell (void *data, EddyError **error)
{
    EddySemaphore *semaphore = data;
    for (unsigned n = 1; n <= 3; n++) {
        if (!eddy_semaphore_acquire (semaphore, n, NULL, error))
            return NULL;
        bool slept = eddy_fiber_sleep (1000, error);
        eddy_semaphore_release (semaphore, n);
        if (!slept)
            return NULL;
    }
    return NULL;
}

static void *trade (void *data, EddyError **error)
{
    EDDY_AUTO (EddyFuture) other = eddy_spawn_local (buy_and_sell, data, NULL);
    eddy_fiber_yield ();
    buy_and_sell (data, error);
    if (*error == NULL)
        eddy_await_complete (other, error);
    return NULL;
}

static void check_permits (void *data, bool cancelled, uint32_t point)
{
    (void) cancelled;
    (void) point;
    ck_assert_uint_eq (eddy_semaphore_get_permits (data), 3);
}

EDDY_TEST (D_semaphore_cancelled_everywhere)
{
    EddySemaphore *semaphore = eddy_semaphore_new (3);
    sync_expect_good (trade, semaphore, check_permits);
    eddy_unref (semaphore);
}

static void count_acquired (void *source_object, EddyAsyncResult *result, void *user_data)
{
    EddyError *error = NULL;
    ck_assert (eddy_semaphore_acquire_finish (source_object, result, &error));
    ++*(int *) user_data;
}

EDDY_TEST (D_semaphore_in_every_form)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    int called = 0;
    EddySemaphore *semaphore = eddy_semaphore_new (1);
    ck_assert (eddy_semaphore_acquire (semaphore, 1, NULL, &error));
    eddy_semaphore_acquire_async (semaphore, 2, 0, NULL, count_acquired, &called);
    EddyFuture *future = eddy_semaphore_acquire_future (semaphore, 1, 0, NULL);
    EddyFuture *dropped = eddy_semaphore_acquire_future (semaphore, 4, 0, NULL);
    sync_settle (context);
    eddy_semaphore_release (semaphore, 2);
    sync_settle (context);
    ck_assert_int_eq (called, 1);
    ck_assert (!eddy_future_is_complete (future));
    eddy_semaphore_release (semaphore, 5);
    eddy_unref (dropped); /* which had been granted its permits */
    ck_assert (eddy_block_on_complete (context, future, &error));
    sync_settle (context);
    eddy_unref (future);
    ck_assert_uint_eq (eddy_semaphore_get_permits (semaphore), 4);
    eddy_unref (semaphore);
    eddy_test_context_end (context);
}

/* --- threads ---------------------------------------------------------------------------------- */

enum { PERMITS = 5 };

typedef struct Market {
    EddySemaphore *semaphore;
    long rounds;
    int taken; /* atomic */
} Market;

static void market_visit (Market *market, unsigned n)
{
    int taken = __atomic_add_fetch (&market->taken, (int) n, __ATOMIC_RELAXED);
    ck_assert_int_le (taken, PERMITS);
}

static void market_leave (Market *market, unsigned n)
{
    __atomic_sub_fetch (&market->taken, (int) n, __ATOMIC_RELAXED);
    eddy_semaphore_release (market->semaphore, n);
}

static void *visit (void *data, EddyError **error)
{
    Market *market = data;
    for (long i = 0; i < market->rounds; i++) {
        unsigned n = 1 + (unsigned) i % PERMITS;
        EDDY_AUTO (EddyCancellable)
        cancellable = eddy_cancellable_new_with_timeout (NULL, i % 3 > 0 ? INT64_MAX : 50000);
        if (!eddy_semaphore_acquire (market->semaphore, n, cancellable, error)) {
            eddy_test_expect_error (error, EDDY_IO_ERROR_TIMED_OUT);
            continue;
        }
        market_visit (market, n);
        eddy_fiber_yield ();
        market_leave (market, n);
    }
    return NULL;
}

EDDY_TEST (D_semaphore_across_threads)
{
    Market market = { .semaphore = eddy_semaphore_new (PERMITS) };
    market.rounds = eddy_test_reduced (300, 50, "rounds");
    sync_run_threads (4, 4, visit, &market);
    ck_assert_uint_eq (eddy_semaphore_get_permits (market.semaphore), PERMITS);
    eddy_unref (market.semaphore);
}

static void *visit_plain (void *data)
{
    Market *market = data;
    EddyError *error = NULL;
    for (long i = 0; i < market->rounds; i++) {
        unsigned n = 1 + (unsigned) i % PERMITS;
        ck_assert (eddy_semaphore_acquire (market->semaphore, n, NULL, &error));
        market_visit (market, n);
        market_leave (market, n);
    }
    return NULL;
}

EDDY_TEST (D_semaphore_in_plain_threads)
{
    Market market = { .semaphore = eddy_semaphore_new (PERMITS) };
    market.rounds = eddy_test_reduced (100, 20, "rounds");
    sync_run_plain (4, visit_plain, &market);
    ck_assert_uint_eq (eddy_semaphore_get_permits (market.semaphore), PERMITS);
    eddy_unref (market.semaphore);
}

/* --- misuse ----------------------------------------------------------------------------------- */

static int criticals;

static void count_criticals (EddyLogLevel level, const char *message, void *data)
{
    (void) message;
    (void) data;
    criticals += level == EDDY_LOG_CRITICAL;
}

EDDY_TEST (D_semaphore_of_no_or_too_many_permits_is_misuse)
{
    EddySemaphore *semaphore = eddy_semaphore_new (UINT32_MAX);
    eddy_log_set_handler (count_criticals, NULL);
    ck_assert (!eddy_semaphore_try_acquire (semaphore, 0));
    eddy_semaphore_release (semaphore, 0);
    eddy_semaphore_release (semaphore, 1);
    ck_assert_int_eq (criticals, 3);
    ck_assert_uint_eq (eddy_semaphore_get_permits (semaphore), UINT32_MAX);
    eddy_unref (semaphore);
}
