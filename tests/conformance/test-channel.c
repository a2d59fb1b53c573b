/* SPDX-License-Identifier: MIT */
/*
 * Channels by the public interface: order, room, closing, cancelling, threads, all forms.
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

/* --- one fiber -------------------------------------------------------------------------------- */

static void *send_and_receive (void *data, EddyError **error)
{
    EDDY_AUTO (EddyChannel) channel = eddy_channel_new (3, NULL);
    eddy_channel_set_name (channel, "orders");
    ck_assert_uint_eq (eddy_channel_get_capacity (channel), 3);
    for (int round = 0; round < 5; round++) {
        for (int i = 1; i <= 3; i++)
            ck_assert (eddy_channel_send (channel, number (round * 10 + i), NULL, error));
        ck_assert_uint_eq (eddy_channel_get_length (channel), 3);
        ck_assert (!eddy_channel_try_send (channel, number (9), error));
        ck_assert_ptr_nonnull (strstr (eddy_error_get_message (*error), "orders"));
        eddy_test_expect_error (error, EDDY_IO_ERROR_WOULD_BLOCK);
        for (int i = 1; i <= 3; i++)
            ck_assert_ptr_eq (eddy_channel_receive (channel, NULL, error), number (round * 10 + i));
        ck_assert_uint_eq (eddy_channel_get_length (channel), 0);
        ck_assert_ptr_null (eddy_channel_try_receive (channel, error));
        eddy_test_expect_error (error, EDDY_IO_ERROR_WOULD_BLOCK);
    }
    return data;
}

EDDY_TEST (D_channel_keeps_as_many_as_it_has_places)
{
    EddyContext *context = eddy_test_context_begin ();
    eddy_test_run_fiber (context, send_and_receive, NULL);
    eddy_test_context_end (context);
}

/* --- many fibers ------------------------------------------------------------------------------ */

typedef struct Party {
    EddyChannel *channel;
    EddyCancellable *cancellable;
    int n_messages;
    intptr_t first;
    intptr_t sum;
    intptr_t last;
    int received;
    int failed;
} Party;

static void *sender_run (void *data, EddyError **error)
{
    Party *party = data;
    for (int i = 0; i < party->n_messages; i++)
        if (!eddy_channel_send (party->channel, number (party->first + i), party->cancellable,
                                error))
            return NULL;
    return party;
}

/* Receives as many, or until the channel is closed. */
static void *receiver_run (void *data, EddyError **error)
{
    Party *party = data;
    while (party->n_messages < 0 || party->received < party->n_messages) {
        void *message = eddy_channel_receive (party->channel, party->cancellable, error);
        if (message == NULL)
            break;
        party->last = (intptr_t) message;
        party->sum += party->last;
        party->received++;
    }
    return party;
}

/* Who waits is served in the order in which he came: one message each. */
EDDY_TEST (D_channel_serves_receivers_in_order)
{
    enum { N = 20 };
    EddyContext *context = eddy_test_context_begin ();
    EddyChannel *channel = eddy_channel_new (0, NULL);
    Party receivers[N];
    EddyFuture *fibers[N];
    for (int i = 0; i < N; i++) {
        receivers[i] = (Party){ .channel = channel, .n_messages = 1 };
        fibers[i] = eddy_spawn (context, receiver_run, &receivers[i], NULL);
    }
    run_out (context);
    for (int i = 0; i < N; i++)
        ck_assert (eddy_channel_try_send (channel, number (i + 1), NULL));
    ck_assert (!eddy_channel_try_send (channel, number (N + 1), NULL));
    for (int i = 0; i < N; i++) {
        ck_assert (eddy_block_on_complete (context, fibers[i], NULL));
        ck_assert_int_eq (receivers[i].last, i + 1);
        eddy_unref (fibers[i]);
    }
    eddy_unref (channel);
    eddy_test_context_end (context);
}

/* Nor does a new sender overtake one that waits, whatever room there is. */
EDDY_TEST (D_channel_serves_senders_in_order)
{
    enum { N = 20, ROOM = 3 };
    EddyContext *context = eddy_test_context_begin ();
    EddyChannel *channel = eddy_channel_new (ROOM, NULL);
    Party senders[N];
    EddyFuture *fibers[N];
    for (int i = 0; i < N; i++) {
        senders[i] = (Party){ .channel = channel, .n_messages = 1, .first = i + 1 };
        fibers[i] = eddy_spawn (context, sender_run, &senders[i], NULL);
    }
    run_out (context);
    for (int i = 0; i < N; i++) {
        ck_assert_int_eq (eddy_future_is_complete (fibers[i]), i < ROOM);
        ck_assert (i >= N - ROOM || !eddy_channel_try_send (channel, number (1000), NULL));
    }
    for (int i = 0; i < N; i++)
        ck_assert_ptr_eq (eddy_channel_try_receive (channel, NULL), number (i + 1));
    ck_assert_ptr_null (eddy_channel_try_receive (channel, NULL));
    for (int i = 0; i < N; i++) {
        ck_assert (eddy_block_on_complete (context, fibers[i], NULL));
        eddy_unref (fibers[i]);
    }
    eddy_unref (channel);
    eddy_test_context_end (context);
}

static void many_to_many (size_t capacity)
{
    enum { SENDERS = 7, RECEIVERS = 5, EACH = 200 };
    EddyContext *context = eddy_test_context_begin ();
    EddyChannel *channel = eddy_channel_new (capacity, NULL);
    Party senders[SENDERS], receivers[RECEIVERS];
    EddyFuture *sending[SENDERS], *receiving[RECEIVERS];
    intptr_t sum = 0;
    int received = 0;
    for (int i = 0; i < RECEIVERS; i++) {
        receivers[i] = (Party){ .channel = channel, .n_messages = -1 };
        receiving[i] = eddy_spawn (context, receiver_run, &receivers[i], NULL);
    }
    for (int i = 0; i < SENDERS; i++) {
        senders[i] = (Party){ .channel = channel, .n_messages = EACH, .first = 1 + i * EACH };
        sending[i] = eddy_spawn (context, sender_run, &senders[i], NULL);
    }
    for (int i = 0; i < SENDERS; i++) {
        ck_assert (eddy_block_on_complete (context, sending[i], NULL));
        eddy_unref (sending[i]);
    }
    eddy_channel_close (channel);
    for (int i = 0; i < RECEIVERS; i++) {
        EddyError *error = NULL;
        ck_assert (!eddy_block_on_complete (context, receiving[i], &error));
        eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
        sum += receivers[i].sum;
        received += receivers[i].received;
        eddy_unref (receiving[i]);
    }
    intptr_t n = SENDERS * EACH;
    ck_assert_int_eq (received, n);
    ck_assert_int_eq (sum, n * (n + 1) / 2);
    eddy_unref (channel);
    eddy_test_context_end (context);
}

EDDY_TEST (D_channel_many_to_many)
{
    many_to_many (0);
    many_to_many (1);
    many_to_many (16);
}

/* --- closing ---------------------------------------------------------------------------------- */

EDDY_TEST (D_channel_close_is_seen_by_both_ends)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    for (size_t capacity = 0; capacity < 3; capacity++) {
        EddyChannel *channel = eddy_channel_new (capacity, NULL);
        Party party = { .channel = channel, .n_messages = (int) capacity + 1, .first = 1 };
        EddyFuture *fiber = eddy_spawn (context, sender_run, &party, NULL);
        run_out (context);
        ck_assert (!eddy_future_is_complete (fiber));
        ck_assert (!eddy_channel_is_closed (channel));
        eddy_channel_close (channel);
        eddy_channel_close (channel);
        ck_assert (eddy_channel_is_closed (channel));
        ck_assert (!eddy_block_on_complete (context, fiber, &error));
        eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
        eddy_unref (fiber);
        ck_assert (!eddy_channel_try_send (channel, number (99), &error));
        eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
        /* What was sent before can be received, and that alone. */
        for (size_t i = 0; i < capacity; i++)
            ck_assert_ptr_eq (eddy_channel_try_receive (channel, &error), number ((int) i + 1));
        ck_assert_ptr_null (eddy_channel_receive (channel, NULL, &error));
        eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
        ck_assert_ptr_null (eddy_channel_try_receive (channel, &error));
        eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
        eddy_unref (channel);
    }
    eddy_test_context_end (context);
}

static int destroyed;

static void count_destroyed (void *message)
{
    destroyed += (int) (intptr_t) message;
}

EDDY_TEST (D_channel_destroys_what_nobody_receives)
{
    EddyChannel *channel = eddy_channel_new (4, count_destroyed);
    for (int i = 0; i < 4; i++)
        ck_assert (eddy_channel_try_send (channel, number (1 << i), NULL));
    ck_assert_ptr_eq (eddy_channel_try_receive (channel, NULL), number (1));
    eddy_channel_close (channel);
    ck_assert_int_eq (destroyed, 0);
    eddy_unref (channel);
    ck_assert_int_eq (destroyed, 2 + 4 + 8);
}

/* --- cancelling ------------------------------------------------------------------------------- */

EDDY_TEST (D_channel_cancelled_waits_leave_nothing_behind)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    EddyChannel *channel = eddy_channel_new (0, NULL);
    Party parties[3] = { { .channel = channel, .n_messages = 1, .first = 1 },
                         { .channel = channel, .n_messages = 1, .first = 2 },
                         { .channel = channel, .n_messages = 1, .first = 3 } };
    for (int receives = 0; receives < 2; receives++) {
        for (int by_other = 0; by_other < 2; by_other++) {
            EddyFuture *fibers[3];
            EddyCancellable *cancellable = eddy_cancellable_new ();
            ck_assert_ptr_nonnull (cancellable);
            parties[1].cancellable = by_other ? cancellable : NULL;
            for (int i = 0; i < 3; i++) {
                parties[i].received = 0;
                fibers[i] =
                    eddy_spawn (context, receives ? receiver_run : sender_run, &parties[i], NULL);
            }
            run_out (context);
            if (by_other)
                eddy_cancellable_cancel (cancellable);
            else
                eddy_future_cancel (fibers[1]);
            ck_assert (!eddy_block_on_complete (context, fibers[1], &error));
            eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
            for (int i = 0; i < 3; i += 2) {
                if (receives)
                    ck_assert (eddy_channel_try_send (channel, number (i + 1), NULL));
                else
                    ck_assert_ptr_eq (eddy_channel_try_receive (channel, NULL), number (i + 1));
            }
            ck_assert (!eddy_channel_try_send (channel, number (7), NULL));
            ck_assert_ptr_null (eddy_channel_try_receive (channel, NULL));
            for (int i = 0; i < 3; i++) {
                ck_assert_int_eq (eddy_block_on_complete (context, fibers[i], NULL), i != 1);
                ck_assert_int_eq (parties[i].last, receives && i != 1 ? i + 1 : 0);
                eddy_unref (fibers[i]);
            }
            eddy_unref (cancellable);
            parties[1].cancellable = NULL;
        }
    }
    eddy_unref (channel);
    eddy_test_context_end (context);
}

/* A message is handed over, and the receiver cancelled before it runs; and the other way round. */
EDDY_TEST (D_channel_message_and_cancel_in_one_turn)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    EddyChannel *channel = eddy_channel_new (0, NULL);
    for (int cancel_first = 0; cancel_first < 2; cancel_first++) {
        for (int by_other = 0; by_other < 2; by_other++) {
            EddyCancellable *cancellable = eddy_cancellable_new ();
            ck_assert_ptr_nonnull (cancellable);
            Party party = { .channel = channel, .n_messages = 1 };
            party.cancellable = by_other ? cancellable : NULL;
            EddyFuture *fiber = eddy_spawn (context, receiver_run, &party, NULL);
            run_out (context);
            /* A cancel is a request: what comes before the fiber has run wins. */
            if (cancel_first && by_other)
                eddy_cancellable_cancel (cancellable);
            else if (cancel_first)
                eddy_future_cancel (fiber);
            ck_assert (eddy_channel_try_send (channel, number (5), &error));
            if (by_other)
                eddy_cancellable_cancel (cancellable);
            else
                eddy_future_cancel (fiber);
            ck_assert (eddy_block_on_complete (context, fiber, &error));
            ck_assert_int_eq (party.last, 5);
            eddy_unref (fiber);
            eddy_unref (cancellable);
        }
    }
    eddy_unref (channel);
    eddy_test_context_end (context);
}

static void *receive_cancelled (void *data, EddyError **error)
{
    EddyChannel *channel = data;
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    ck_assert_ptr_nonnull (cancellable);
    eddy_cancellable_cancel (cancellable);
    ck_assert_ptr_null (eddy_channel_receive (channel, cancellable, error));
    eddy_test_expect_error (error, EDDY_IO_ERROR_CANCELLED);
    ck_assert (!eddy_channel_send (channel, number (2), cancellable, error));
    eddy_test_expect_error (error, EDDY_IO_ERROR_CANCELLED);
    eddy_cancellable_cancel (eddy_fiber_get_cancellable ());
    ck_assert_ptr_null (eddy_channel_receive (channel, NULL, error));
    eddy_test_expect_error (error, EDDY_IO_ERROR_CANCELLED);
    return NULL;
}

EDDY_TEST (D_channel_cancelled_before_takes_nothing)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyChannel *channel = eddy_channel_new (2, NULL);
    ck_assert (eddy_channel_try_send (channel, number (1), NULL));
    eddy_test_run_fiber (context, receive_cancelled, channel);
    ck_assert_ptr_eq (eddy_channel_try_receive (channel, NULL), number (1));
    eddy_unref (channel);
    eddy_test_context_end (context);
}

/* Three senders and two receivers, all of whose waits fail once the fiber is cancelled. Every
 * message is somewhere in the end: received, in the channel, or still its sender's. */
typedef struct Crowd {
    size_t capacity;
    EddyChannel *channel;
    int sent;
    int received;
} Crowd;

static void *crowd_send (void *data, EddyError **error)
{
    Crowd *crowd = data;
    for (int i = 0; i < 6; i++) {
        if (!eddy_channel_send (crowd->channel, number (1), NULL, error))
            return NULL;
        crowd->sent++;
    }
    return NULL;
}

static void *crowd_receive (void *data, EddyError **error)
{
    Crowd *crowd = data;
    for (int i = 0; i < 9; i++) {
        if (eddy_channel_receive (crowd->channel, NULL, error) == NULL)
            return NULL;
        crowd->received++;
    }
    return NULL;
}

static void *crowd_run (void *data, EddyError **error)
{
    Crowd *crowd = data;
    EddyFuture *fibers[5];
    crowd->sent = crowd->received = 0;
    crowd->channel = eddy_channel_new (crowd->capacity, NULL);
    for (int i = 0; i < 5; i++)
        fibers[i] = eddy_spawn_local (i < 3 ? crowd_send : crowd_receive, crowd, NULL);
    for (int i = 0; i < 5; i++) {
        bool cancelled = !eddy_await_complete (fibers[i], *error == NULL ? error : NULL);
        if (cancelled)
            for (int j = 0; j < 5; j++)
                eddy_future_cancel (fibers[j]);
    }
    for (int i = 0; i < 5; i++) {
        while (!eddy_future_is_complete (fibers[i]))
            eddy_fiber_yield ();
        eddy_unref (fibers[i]);
    }
    return NULL;
}

static void crowd_check (void *data, bool cancelled, uint32_t point)
{
    Crowd *crowd = data;
    (void) point;
    int kept = (int) eddy_channel_get_length (crowd->channel);
    ck_assert_int_eq (crowd->sent, crowd->received + kept);
    if (!cancelled)
        ck_assert_int_eq (crowd->received, 18);
    eddy_clear (&crowd->channel);
}

EDDY_TEST (D_channel_cancelled_everywhere)
{
    for (size_t capacity = 0; capacity < 5; capacity += 2) {
        EddyTestCancelReport report;
        Crowd crowd = { .capacity = capacity };
        bool good = eddy_test_cancel_everywhere (crowd_run, &crowd, crowd_check, &report);
        ck_assert_msg (good, "%s", report.failure);
        ck_assert_uint_ge (report.cancelled, 5);
    }
}

/* --- all forms -------------------------------------------------------------------------------- */

static void *future_forms (void *data, EddyError **error)
{
    EddyChannel *channel = data;
    EDDY_AUTO (EddyFuture) received = eddy_channel_receive_future (channel, 0, NULL);
    eddy_fiber_yield ();
    ck_assert (eddy_channel_try_send (channel, number (4), error));
    ck_assert_ptr_eq (eddy_await (received, error), number (4));
    /* Given up before it has an answer: it takes nothing. */
    EddyFuture *dropped = eddy_channel_receive_future (channel, 0, NULL);
    eddy_fiber_yield ();
    eddy_unref (dropped);
    eddy_fiber_yield ();
    ck_assert (!eddy_channel_try_send (channel, number (1), NULL));
    /* Given up with an answer that nobody has taken. */
    dropped = eddy_channel_receive_future (channel, 0, NULL);
    eddy_fiber_yield ();
    ck_assert (eddy_channel_try_send (channel, number (32), NULL));
    eddy_fiber_yield ();
    ck_assert_int_eq (destroyed, 0);
    eddy_unref (dropped);
    ck_assert_int_eq (destroyed, 32);
    return NULL;
}

EDDY_TEST (D_channel_receives_as_a_future)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyChannel *channel = eddy_channel_new (0, count_destroyed);
    eddy_test_run_fiber (context, future_forms, channel);
    eddy_unref (channel);
    eddy_test_context_end (context);
}

typedef struct Answers {
    bool sent;
    void *received;
    int called;
} Answers;

static void sent_ready (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Answers *answers = user_data;
    answers->sent = eddy_channel_send_finish (source_object, result, NULL);
    answers->called++;
}

static void received_ready (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Answers *answers = user_data;
    answers->received = eddy_channel_receive_finish (source_object, result, NULL);
    answers->called++;
}

EDDY_TEST (D_channel_sends_and_receives_by_callback)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyChannel *channel = eddy_channel_new (0, NULL);
    Answers answers = { .called = 0 };
    eddy_channel_receive_async (channel, 0, NULL, received_ready, &answers);
    eddy_channel_send_async (channel, number (11), 0, NULL, sent_ready, &answers);
    ck_assert_int_eq (answers.called, 0);
    while (answers.called < 2)
        eddy_context_iteration (context, true);
    ck_assert (answers.sent);
    ck_assert_ptr_eq (answers.received, number (11));
    eddy_unref (channel);
    eddy_test_context_end (context);
}

EDDY_TEST (D_channel_blocking_calls_have_a_deadline)
{
    EddyError *error = NULL;
    EddyChannel *channel = eddy_channel_new (1, NULL);
    ck_assert (eddy_channel_send (channel, number (3), NULL, &error));
    EddyCancellable *cancellable = eddy_cancellable_new_with_timeout (NULL, 1000000);
    ck_assert_ptr_nonnull (cancellable);
    ck_assert (!eddy_channel_send (channel, number (4), cancellable, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_TIMED_OUT);
    eddy_unref (cancellable);
    ck_assert_ptr_eq (eddy_channel_receive (channel, NULL, &error), number (3));
    cancellable = eddy_cancellable_new_with_timeout (NULL, 1000000);
    ck_assert_ptr_nonnull (cancellable);
    ck_assert_ptr_null (eddy_channel_receive (channel, cancellable, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_TIMED_OUT);
    eddy_unref (cancellable);
    eddy_unref (channel);
}

/* --- threads ---------------------------------------------------------------------------------- */

typedef struct Side {
    pthread_t thread;
    EddyChannel *channel;
    EddyFiberFunc run;
    Party parties[3];
} Side;

/* A thread with a context of its own, and three fibers in it. */
static void *side_run (void *data)
{
    Side *side = data;
    EddyContext *context = eddy_test_context_begin ();
    EddyFuture *fibers[3];
    for (int i = 0; i < 3; i++)
        fibers[i] = eddy_spawn (context, side->run, &side->parties[i], NULL);
    for (int i = 0; i < 3; i++) {
        side->parties[i].failed = !eddy_block_on_complete (context, fibers[i], NULL);
        eddy_unref (fibers[i]);
    }
    eddy_test_context_end (context);
    return NULL;
}

static void across_threads (size_t capacity, int each)
{
    EddyChannel *channel = eddy_channel_new (capacity, NULL);
    Side sides[4];
    intptr_t sum = 0, n = 6 * each, received = 0;
    for (int i = 0; i < 4; i++) {
        sides[i].run = i < 2 ? sender_run : receiver_run;
        for (int j = 0; j < 3; j++)
            sides[i].parties[j] = (Party){ .channel = channel,
                                           .n_messages = i < 2 ? each : -1,
                                           .first = 1 + (i * 3 + j) * each };
        ck_assert_int_eq (pthread_create (&sides[i].thread, NULL, side_run, &sides[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        if (i == 2)
            eddy_channel_close (channel);
        pthread_join (sides[i].thread, NULL);
        for (int j = 0; j < 3; j++) {
            ck_assert_int_eq (sides[i].parties[j].failed, i >= 2);
            sum += sides[i].parties[j].sum;
            received += sides[i].parties[j].received;
        }
    }
    ck_assert_int_eq (received, n);
    ck_assert_int_eq (sum, n * (n + 1) / 2);
    eddy_unref (channel);
}

EDDY_TEST (D_channel_many_to_many_across_threads)
{
    across_threads (0, 300);
    across_threads (1, 300);
    across_threads (64, 3000);
}
