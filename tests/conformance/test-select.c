/* SPDX-License-Identifier: MIT */
/*
 * Selects by the public interface: one case happens, and only that one.
 */
#include <eddy/testing.h>
#include <pthread.h>

#include "context.h"

static void *number (intptr_t value)
{
    return (void *) value;
}

static void run_out (EddyContext *context)
{
    while (eddy_context_iteration (context, /* may_block= */ false))
        ;
}

/* --- what is ready ---------------------------------------------------------------------------- */

static void *select_ready (void *data, EddyError **error)
{
    EDDY_AUTO (EddyChannel) full = eddy_channel_new (1, NULL);
    EDDY_AUTO (EddyChannel) empty = eddy_channel_new (1, NULL);
    ck_assert (eddy_channel_send (full, number (1), NULL, error));
    EddySelectCase cases[] = { EDDY_SELECT_RECEIVE (empty), EDDY_SELECT_SEND (full, number (2)),
                               EDDY_SELECT_RECEIVE (NULL), EDDY_SELECT_FUTURE (NULL) };
    ck_assert_int_eq (eddy_select_try (cases, 4, error), -1);
    eddy_test_expect_error (error, EDDY_IO_ERROR_WOULD_BLOCK);
    EddySelectCase both[] = { EDDY_SELECT_RECEIVE (empty), EDDY_SELECT_RECEIVE (full) };
    ck_assert_int_eq (eddy_select (both, 2, NULL, error), 1);
    ck_assert_ptr_eq (both[1].message, number (1));
    ck_assert (!both[1].is_closed);
    ck_assert_int_eq (eddy_select (cases, 4, NULL, error), 1);
    ck_assert_uint_eq (eddy_channel_get_length (full), 1);
    ck_assert_int_eq (eddy_select_try (both, 2, error), 1);
    ck_assert_ptr_eq (both[1].message, number (2));
    eddy_channel_close (empty);
    ck_assert_int_eq (eddy_select_try (both, 2, error), 0);
    ck_assert (both[0].is_closed);
    EddySelectCase late[] = { EDDY_SELECT_SEND (empty, number (3)) };
    ck_assert_int_eq (eddy_select (late, 1, NULL, error), 0);
    ck_assert (late[0].is_closed);
    ck_assert_ptr_eq (late[0].message, number (3));
    return data;
}

EDDY_TEST (D_select_takes_what_is_ready)
{
    EddyContext *context = eddy_test_context_begin ();
    eddy_test_run_fiber (context, select_ready, NULL);
    eddy_test_context_end (context);
}

/* Each of those that are ready comes up about as often, whichever are not. */
EDDY_TEST (D_select_is_fair)
{
    enum { N = 12, READY = 3, ROUNDS = 3000 };
    EddySelectCase cases[N];
    int counts[N] = { 0 };
    for (int i = 0; i < N; i++)
        cases[i] = (EddySelectCase) EDDY_SELECT_RECEIVE (eddy_channel_new (1, NULL));
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < READY; i++)
            (void) eddy_channel_try_send (cases[i].on, number (i + 1), NULL);
        int index = eddy_select_try (cases, N, NULL);
        ck_assert_int_ge (index, 0);
        ck_assert_ptr_eq (cases[index].message, number (index + 1));
        counts[index]++;
    }
    for (int i = 0; i < N; i++) {
        ck_assert_int_ge (counts[i], i < READY ? ROUNDS / READY * 8 / 10 : 0);
        eddy_unref (cases[i].on);
    }
}

/* --- waiting ---------------------------------------------------------------------------------- */

typedef struct Chooser {
    EddySelectCase cases[10];
    size_t n_cases;
    EddyCancellable *cancellable;
    int index;
} Chooser;

static void *choose (void *data, EddyError **error)
{
    Chooser *chooser = data;
    chooser->index = -2;
    chooser->index = eddy_select (chooser->cases, chooser->n_cases, chooser->cancellable, error);
    return data;
}

/* What happens to a select that waits; nothing of it is left in the other channels. */
static void choose_one (EddyContext *context, size_t n_cases, int expected)
{
    EddyChannel *one = eddy_channel_new (0, NULL), *other = eddy_channel_new (0, NULL);
    EddyTask *task = eddy_task_new (NULL, NULL, NULL, NULL);
    EddyFuture *future = eddy_task_get_future (task);
    Chooser chooser = { .cases = { EDDY_SELECT_RECEIVE (one), EDDY_SELECT_SEND (other, number (8)),
                                   EDDY_SELECT_FUTURE (future),
                                   EDDY_SELECT_SEND (one, number (9)) },
                        .n_cases = n_cases };
    EddyFuture *fiber = eddy_spawn (context, choose, &chooser, NULL);
    run_out (context);
    ck_assert_int_eq (chooser.index, -2);
    if (expected == 0)
        ck_assert (eddy_channel_try_send (one, number (7), NULL));
    else if (expected == 1)
        ck_assert_ptr_eq (eddy_channel_try_receive (other, NULL), number (8));
    else if (expected == 2)
        eddy_task_return_boolean (task, true);
    else
        ck_assert_ptr_eq (eddy_channel_try_receive (one, NULL), number (9));
    /* Decided, though the fiber has not run yet; a task completes with its turn. */
    if (expected != 2) {
        ck_assert (!eddy_channel_try_send (one, number (1), NULL));
        ck_assert_ptr_null (eddy_channel_try_receive (other, NULL));
    }
    ck_assert (eddy_block_on_complete (context, fiber, NULL));
    ck_assert_int_eq (chooser.index, expected);
    ck_assert_ptr_eq (chooser.cases[0].message, expected == 0 ? number (7) : NULL);
    ck_assert (!eddy_channel_try_send (one, number (1), NULL));
    ck_assert_ptr_null (eddy_channel_try_receive (one, NULL));
    ck_assert_ptr_null (eddy_channel_try_receive (other, NULL));
    if (expected != 2)
        eddy_task_return_boolean (task, true);
    run_out (context);
    eddy_task_unref (task);
    eddy_unref (future);
    eddy_unref (fiber);
    eddy_unref (one);
    eddy_unref (other);
}

EDDY_TEST (D_select_waits_for_the_first)
{
    EddyContext *context = eddy_test_context_begin ();
    for (int expected = 0; expected < 4; expected++)
        choose_one (context, 4, expected);
    eddy_test_context_end (context);
}

EDDY_TEST (D_select_wakes_when_a_channel_closes)
{
    EddyContext *context = eddy_test_context_begin ();
    Chooser chooser = { .n_cases = 10 };
    for (int i = 0; i < 10; i++) {
        EddyChannel *channel = eddy_channel_new (0, NULL);
        chooser.cases[i] = i % 2 == 0 ? (EddySelectCase) EDDY_SELECT_RECEIVE (channel)
                                      : (EddySelectCase) EDDY_SELECT_SEND (channel, number (i));
    }
    for (int i = 4; i < 6; i++) {
        EddyFuture *fiber = eddy_spawn (context, choose, &chooser, NULL);
        run_out (context);
        eddy_channel_close (chooser.cases[i].on);
        ck_assert (eddy_block_on_complete (context, fiber, NULL));
        ck_assert_int_eq (chooser.index, i);
        ck_assert (chooser.cases[i].is_closed);
        ck_assert_ptr_eq (chooser.cases[i].message, i % 2 == 0 ? NULL : number (i));
        chooser.cases[i].on = eddy_unref (chooser.cases[i].on);
        eddy_unref (fiber);
    }
    for (int i = 0; i < 10; i++)
        eddy_unref (chooser.cases[i].on);
    eddy_test_context_end (context);
}

/* Two that wait for each other at two channels: one message, one way. */
EDDY_TEST (D_select_meets_select)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyChannel *one = eddy_channel_new (0, NULL), *other = eddy_channel_new (0, NULL);
    Chooser left = { .cases = { EDDY_SELECT_SEND (one, number (1)), EDDY_SELECT_RECEIVE (other) },
                     .n_cases = 2 };
    Chooser right = { .cases = { EDDY_SELECT_RECEIVE (one), EDDY_SELECT_SEND (other, number (2)) },
                      .n_cases = 2 };
    for (int round = 0; round < 50; round++) {
        left.cases[1].message = right.cases[0].message = NULL;
        EddyFuture *first = eddy_spawn (context, choose, &left, NULL);
        EddyFuture *second = eddy_spawn (context, choose, &right, NULL);
        run_out (context);
        ck_assert (eddy_future_is_complete (first) && eddy_future_is_complete (second));
        ck_assert_int_ge (left.index, 0);
        ck_assert_int_eq (left.index, right.index);
        ck_assert_ptr_eq (right.cases[0].message, left.index == 0 ? number (1) : NULL);
        ck_assert_ptr_eq (left.cases[1].message, left.index == 1 ? number (2) : NULL);
        eddy_unref (first);
        eddy_unref (second);
    }
    eddy_unref (one);
    eddy_unref (other);
    eddy_test_context_end (context);
}

static void *select_alone (void *data, EddyError **error)
{
    EDDY_AUTO (EddyChannel) channel = eddy_channel_new (0, NULL);
    ck_assert_ptr_nonnull (channel);
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new_with_timeout (NULL, 1000000);
    ck_assert_ptr_nonnull (cancellable);
    EddySelectCase cases[] = { EDDY_SELECT_SEND (channel, number (1)),
                               EDDY_SELECT_RECEIVE (channel) };
    /* A select does not meet itself. */
    ck_assert_int_eq (eddy_select (cases, 2, cancellable, error), -1);
    eddy_test_expect_error (error, EDDY_IO_ERROR_TIMED_OUT);
    ck_assert_int_eq (eddy_select (NULL, 0, cancellable, error), -1);
    eddy_test_expect_error (error, EDDY_IO_ERROR_TIMED_OUT);
    ck_assert (!eddy_channel_try_send (channel, number (1), NULL));
    ck_assert_ptr_null (eddy_channel_try_receive (channel, NULL));
    return data;
}

EDDY_TEST (D_select_alone_times_out)
{
    EddyContext *context = eddy_test_context_begin ();
    eddy_test_run_fiber (context, select_alone, NULL);
    eddy_test_context_end (context);
}

EDDY_TEST (D_select_blocks_a_plain_thread)
{
    EddyError *error = NULL;
    EddyChannel *channel = eddy_channel_new (1, NULL);
    EddySelectCase cases[] = { EDDY_SELECT_SEND (channel, number (1)) };
    ck_assert_ptr_nonnull (channel);
    ck_assert_int_eq (eddy_select (cases, 1, NULL, &error), 0);
    EddyCancellable *cancellable = eddy_cancellable_new_with_timeout (NULL, 1000000);
    ck_assert_ptr_nonnull (cancellable);
    ck_assert_int_eq (eddy_select (cases, 1, cancellable, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_TIMED_OUT);
    eddy_unref (cancellable);
    eddy_unref (channel);
}

static void select_ready_callback (void *source_object, EddyAsyncResult *result, void *user_data)
{
    ck_assert_ptr_null (source_object);
    *(int *) user_data = eddy_select_finish (result, NULL);
}

EDDY_TEST (D_select_by_callback)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyChannel *channel = eddy_channel_new (0, NULL);
    EddySelectCase cases[] = { EDDY_SELECT_RECEIVE (NULL), EDDY_SELECT_RECEIVE (channel) };
    int index = -2;
    eddy_select_async (cases, 2, 0, NULL, select_ready_callback, &index);
    run_out (context);
    ck_assert_int_eq (index, -2);
    ck_assert (eddy_channel_try_send (channel, number (6), NULL));
    while (index == -2)
        eddy_context_iteration (context, true);
    ck_assert_int_eq (index, 1);
    ck_assert_ptr_eq (cases[1].message, number (6));
    eddy_unref (channel);
    eddy_test_context_end (context);
}

/* --- cancelling ------------------------------------------------------------------------------- */

/* Selects that send and receive at two channels; each message is received once or not sent. */
typedef struct Mill {
    EddyChannel *channels[2];
    int sent;
    int received;
} Mill;

static void *mill_send (void *data, EddyError **error)
{
    Mill *mill = data;
    for (int i = 0; i < 6; i++) {
        EddySelectCase cases[] = { EDDY_SELECT_SEND (mill->channels[0], number (1)),
                                   EDDY_SELECT_SEND (mill->channels[1], number (2)) };
        int index = eddy_select (cases, 2, NULL, error);
        if (index < 0)
            return NULL;
        mill->sent += index + 1;
    }
    return NULL;
}

static void *mill_receive (void *data, EddyError **error)
{
    Mill *mill = data;
    for (int i = 0; i < 6; i++) {
        EddySelectCase cases[] = { EDDY_SELECT_RECEIVE (mill->channels[1]),
                                   EDDY_SELECT_RECEIVE (mill->channels[0]) };
        int index = eddy_select (cases, 2, NULL, error);
        if (index < 0)
            return NULL;
        mill->received += (int) (intptr_t) cases[index].message;
    }
    return NULL;
}

static void *mill_run (void *data, EddyError **error)
{
    Mill *mill = data;
    EddyFuture *fibers[4];
    mill->sent = mill->received = 0;
    mill->channels[0] = eddy_channel_new (0, NULL);
    mill->channels[1] = eddy_channel_new (1, NULL);
    for (int i = 0; i < 4; i++)
        fibers[i] = eddy_spawn_local (i % 2 == 0 ? mill_send : mill_receive, mill, NULL);
    for (int i = 0; i < 4; i++)
        if (!eddy_await_complete (fibers[i], *error == NULL ? error : NULL))
            for (int j = 0; j < 4; j++)
                eddy_future_cancel (fibers[j]);
    for (int i = 0; i < 4; i++) {
        while (!eddy_future_is_complete (fibers[i]))
            eddy_fiber_yield ();
        eddy_unref (fibers[i]);
    }
    return NULL;
}

static void mill_check (void *data, bool cancelled, uint32_t point)
{
    Mill *mill = data;
    (void) point;
    int kept = 2 * (int) eddy_channel_get_length (mill->channels[1]);
    ck_assert_int_eq (mill->sent, mill->received + kept);
    ck_assert (cancelled || kept == 0);
    for (int i = 0; i < 2; i++) {
        ck_assert (i == 1 || !eddy_channel_try_send (mill->channels[i], number (1), NULL));
        eddy_unref (mill->channels[i]);
    }
}

EDDY_TEST (D_select_cancelled_everywhere)
{
    EddyTestCancelReport report;
    Mill mill = { .sent = 0 };
    bool good = eddy_test_cancel_everywhere (mill_run, &mill, mill_check, &report);
    ck_assert_msg (good, "%s", report.failure);
    ck_assert_uint_ge (report.cancelled, 5);
}

/* --- threads ---------------------------------------------------------------------------------- */

enum { TRADERS = 3, CHANNELS = 4, TRADES = 400 };

/* Fibers of several threads that offer and ask at all channels, in another order each. */
typedef struct Trader {
    pthread_t thread;
    EddyChannel **channels;
    int number;
    bool sends;
    int64_t sum;
    int count;
} Trader;

static void *trade (void *data, EddyError **error)
{
    Trader *trader = data;
    while (trader->count < TRADES || !trader->sends) {
        EddySelectCase cases[CHANNELS];
        int value = trader->number * TRADES + trader->count + 1;
        for (int i = 0; i < CHANNELS; i++) {
            EddyChannel *channel = trader->channels[(i * 3 + trader->number) % CHANNELS];
            cases[i] = trader->sends ? (EddySelectCase) EDDY_SELECT_SEND (channel, number (value))
                                     : (EddySelectCase) EDDY_SELECT_RECEIVE (channel);
        }
        int index = eddy_select (cases, CHANNELS, NULL, error);
        ck_assert_int_ge (index, 0);
        if (cases[index].is_closed)
            break;
        trader->count++;
        trader->sum += (intptr_t) cases[index].message;
    }
    return trader;
}

static void *trader_thread (void *data)
{
    EddyContext *context = eddy_test_context_begin ();
    eddy_test_run_fiber (context, trade, data);
    eddy_test_context_end (context);
    return NULL;
}

EDDY_TEST (D_select_across_threads_loses_nothing)
{
    EddyChannel *channels[CHANNELS];
    Trader traders[TRADERS * 2];
    int64_t sent = 0, received = 0;
    int count = 0;
    for (int i = 0; i < CHANNELS; i++)
        channels[i] = eddy_channel_new (i == 0 ? 2 : 0, NULL);
    for (int i = 0; i < TRADERS * 2; i++) {
        traders[i] = (Trader){ .channels = channels, .number = i, .sends = i < TRADERS };
        ck_assert_int_eq (pthread_create (&traders[i].thread, NULL, trader_thread, &traders[i]), 0);
    }
    for (int i = 0; i < TRADERS; i++) {
        pthread_join (traders[i].thread, NULL);
        ck_assert_int_eq (traders[i].count, TRADES);
        sent += traders[i].sum;
    }
    /* One may have been left in the channel that has places. */
    while (eddy_channel_get_length (channels[0]) > 0)
        ;
    for (int i = 0; i < CHANNELS; i++)
        eddy_channel_close (channels[i]);
    for (int i = TRADERS; i < TRADERS * 2; i++) {
        pthread_join (traders[i].thread, NULL);
        received += traders[i].sum;
        count += traders[i].count;
    }
    ck_assert_int_eq (count, TRADERS * TRADES);
    ck_assert_int_eq (received, sent);
    for (int i = 0; i < CHANNELS; i++)
        eddy_unref (channels[i]);
}

/* --- deadlines, threads, both ways of waiting ------------------------------------------------- */

enum { HASTY = 4, ATTEMPTS = 400 };

/* Sends or receives at two channels, by turns with a select and without, never waiting for long. */
typedef struct Hasty {
    pthread_t thread;
    EddyChannel **channels;
    bool sends;
    int64_t sum;
    int late;
} Hasty;

/* The message, or 0: it was too late; or -1: closed. */
static intptr_t hasty_select (Hasty *hasty, intptr_t message, EddyCancellable *cancellable)
{
    EddySelectCase cases[2];
    for (int i = 0; i < 2; i++)
        cases[i] = hasty->sends
                       ? (EddySelectCase) EDDY_SELECT_SEND (hasty->channels[i], number (message))
                       : (EddySelectCase) EDDY_SELECT_RECEIVE (hasty->channels[i]);
    int index = eddy_select (cases, 2, cancellable, NULL);
    if (index < 0)
        return 0;
    return cases[index].is_closed ? -1 : (intptr_t) cases[index].message;
}

static intptr_t hasty_call (Hasty *hasty, intptr_t message, EddyCancellable *cancellable)
{
    EddyChannel *channel = hasty->channels[message / 2 % 2];
    EddyError *error = NULL;
    if (!hasty->sends)
        message = (intptr_t) eddy_channel_receive (channel, cancellable, &error);
    else
        eddy_channel_send (channel, number (message), cancellable, &error);
    if (error == NULL)
        return message;
    bool closed = eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_CLOSED);
    eddy_clear_error (&error);
    return closed ? -1 : 0;
}

static void *hasty_run (void *data, EddyError **error)
{
    Hasty *hasty = data;
    (void) error;
    for (int i = 1; i <= ATTEMPTS || !hasty->sends; i++) {
        EDDY_AUTO (EddyCancellable)
        cancellable = eddy_cancellable_new_with_timeout (NULL, 1000 * (i * 7 % 50));
        intptr_t message =
            i % 2 == 0 ? hasty_select (hasty, i, cancellable) : hasty_call (hasty, i, cancellable);
        if (message < 0)
            break;
        hasty->sum += message;
        hasty->late += message == 0;
    }
    return NULL;
}

static void *hasty_thread (void *data)
{
    EddyContext *context = eddy_test_context_begin ();
    eddy_test_run_fiber (context, hasty_run, data);
    eddy_test_context_end (context);
    return NULL;
}

EDDY_TEST (D_select_and_deadlines_across_threads_lose_nothing)
{
    EddyChannel *channels[2] = { eddy_channel_new (0, NULL), eddy_channel_new (1, NULL) };
    Hasty all[HASTY];
    int64_t sent = 0, received = 0;
    int late = 0;
    for (int i = 0; i < HASTY; i++) {
        all[i] = (Hasty){ .channels = channels, .sends = i < HASTY / 2 };
        ck_assert_int_eq (pthread_create (&all[i].thread, NULL, hasty_thread, &all[i]), 0);
    }
    for (int i = 0; i < HASTY; i++) {
        if (i == HASTY / 2)
            for (int j = 0; j < 2; j++)
                eddy_channel_close (channels[j]);
        pthread_join (all[i].thread, NULL);
        *(all[i].sends ? &sent : &received) += all[i].sum;
        late += all[i].late;
    }
    received += (intptr_t) eddy_channel_try_receive (channels[1], NULL);
    ck_assert_int_eq (received, sent);
    ck_assert_int_gt (late, 0);
    for (int i = 0; i < 2; i++)
        eddy_unref (channels[i]);
}

/* --- futures of other threads ----------------------------------------------------------------- */

typedef struct Elsewhere {
    EddyContext *context;
    EddyChannel *start;
    EddyFuture *fiber;
} Elsewhere;

static void *wait_for_start (void *data, EddyError **error)
{
    return eddy_channel_receive (data, NULL, error);
}

static void *elsewhere_thread (void *data)
{
    Elsewhere *elsewhere = data;
    ck_assert (eddy_context_push_thread_default (elsewhere->context));
    ck_assert_ptr_eq (eddy_block_on (elsewhere->context, elsewhere->fiber, NULL), number (3));
    eddy_context_pop_thread_default (elsewhere->context);
    return NULL;
}

static void *select_elsewhere (void *data, EddyError **error)
{
    Elsewhere *elsewhere = data;
    EDDY_AUTO (EddyChannel) channel = eddy_channel_new (1, NULL);
    EddySelectCase cases[] = { EDDY_SELECT_RECEIVE (channel),
                               EDDY_SELECT_FUTURE (elsewhere->fiber) };
    ck_assert_int_eq (eddy_select_try (cases, 2, error), -1);
    eddy_test_expect_error (error, EDDY_IO_ERROR_WOULD_BLOCK);
    ck_assert (eddy_channel_send (channel, number (4), NULL, error));
    ck_assert_int_eq (eddy_select (cases, 2, NULL, error), 0);
    ck_assert_ptr_eq (cases[0].message, number (4));
    ck_assert (eddy_channel_send (elsewhere->start, number (3), NULL, error));
    ck_assert_int_eq (eddy_select (cases, 2, NULL, error), 1);
    ck_assert (eddy_future_is_complete (elsewhere->fiber));
    ck_assert_int_eq (eddy_select (cases, 2, NULL, error), 1);
    return NULL;
}

EDDY_TEST (D_select_over_a_future_of_another_thread)
{
    pthread_t thread;
    EddyContext *context = eddy_test_context_begin ();
    Elsewhere elsewhere = { .context = eddy_context_new (), .start = eddy_channel_new (0, NULL) };
    elsewhere.fiber = eddy_spawn (elsewhere.context, wait_for_start, elsewhere.start, NULL);
    ck_assert_int_eq (pthread_create (&thread, NULL, elsewhere_thread, &elsewhere), 0);
    eddy_test_run_fiber (context, select_elsewhere, &elsewhere);
    pthread_join (thread, NULL);
    eddy_unref (elsewhere.fiber);
    eddy_unref (elsewhere.start);
    eddy_unref (elsewhere.context);
    eddy_test_context_end (context);
}
