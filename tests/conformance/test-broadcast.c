/* SPDX-License-Identifier: MIT */
/*
 * Broadcasts and watches by the public interface.
 */
#include <eddy/testing.h>
#include <pthread.h>
#include <stdio.h>

#include "context.h"

static void run_out (EddyContext *context)
{
    while (eddy_context_iteration (context, /* may_block= */ false))
        ;
}

/* --- messages --------------------------------------------------------------------------------- */

static int live;

typedef struct Note {
    EddyObject object;
    int value;
} Note;

static void note_finalize (void *object)
{
    (void) object;
    __atomic_sub_fetch (&live, 1, __ATOMIC_RELAXED);
}

static const EddyClass note_class = { .name = "Note",
                                      .size = sizeof (Note),
                                      .finalize = note_finalize };

static Note *note_new (int value)
{
    Note *note = eddy_object_new (&note_class);
    ck_assert_ptr_nonnull (note);
    note->value = value;
    __atomic_add_fetch (&live, 1, __ATOMIC_RELAXED);
    return note;
}

/* The value of a note that was received, which is given up; 0: there was none. */
static int note_take (Note *note)
{
    int value = note == NULL ? 0 : note->value;
    eddy_unref (note);
    return value;
}

/* --- broadcasts ------------------------------------------------------------------------------- */

EDDY_TEST (D_broadcast_gives_each_message_to_everybody)
{
    EddyError *error = NULL;
    EddyBroadcast *broadcast = eddy_broadcast_new (3, EDDY_BROADCAST_WAIT);
    ck_assert (eddy_broadcast_try_send (broadcast, note_new (9), &error));
    ck_assert_int_eq (live, 0);
    EddySubscription *first = eddy_broadcast_subscribe (broadcast);
    ck_assert (eddy_broadcast_try_send (broadcast, note_new (1), &error));
    EddySubscription *second = eddy_broadcast_subscribe (broadcast);
    for (int i = 2; i < 4; i++)
        ck_assert (eddy_broadcast_try_send (broadcast, note_new (i), &error));
    Note *note = note_new (4);
    ck_assert (!eddy_broadcast_try_send (broadcast, note, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_WOULD_BLOCK);
    ck_assert_int_eq (note_take (eddy_subscription_try_receive (first, &error)), 1);
    ck_assert (eddy_broadcast_try_send (broadcast, note, &error));
    for (int i = 2; i < 5; i++)
        ck_assert_int_eq (note_take (eddy_subscription_try_receive (second, &error)), i);
    ck_assert_ptr_null (eddy_subscription_try_receive (second, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_WOULD_BLOCK);
    ck_assert_int_eq (live, 3);
    eddy_broadcast_close (broadcast);
    ck_assert_int_eq (note_take (eddy_subscription_try_receive (first, &error)), 2);
    ck_assert_ptr_null (eddy_subscription_try_receive (second, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
    note = note_new (5);
    ck_assert (!eddy_broadcast_try_send (broadcast, note, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
    eddy_unref (note);
    ck_assert_int_eq (live, 2);
    eddy_unref (first);
    ck_assert_int_eq (live, 0);
    eddy_unref (second);
    eddy_unref (broadcast);
}

EDDY_TEST (D_broadcast_drops_the_oldest_and_says_so)
{
    EddyError *error = NULL;
    EddyBroadcast *broadcast = eddy_broadcast_new (3, EDDY_BROADCAST_DROP_OLDEST);
    EddySubscription *slow = eddy_broadcast_subscribe (broadcast);
    EddySubscription *fast = eddy_broadcast_subscribe (broadcast);
    for (int i = 1; i <= 10; i++) {
        ck_assert (eddy_broadcast_try_send (broadcast, note_new (i), &error));
        ck_assert_int_eq (note_take (eddy_subscription_try_receive (fast, &error)), i);
    }
    ck_assert_int_eq (live, 3);
    ck_assert_ptr_null (eddy_subscription_try_receive (slow, &error));
    ck_assert_ptr_nonnull (strstr (eddy_error_get_message (error), "7 messages"));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_LIMIT_EXCEEDED);
    for (int i = 8; i <= 10; i++)
        ck_assert_int_eq (note_take (eddy_subscription_try_receive (slow, &error)), i);
    ck_assert_int_eq (live, 0);
    eddy_unref (slow);
    eddy_unref (fast);
    eddy_unref (broadcast);
}

/* What has been received, one digit each. */
typedef struct Listener {
    EddySubscription *subscription;
    EddyBroadcast *broadcast;
    int from;
    int to;
    uint64_t heard;
    int count;
} Listener;

static void *listen_to_end (void *data, EddyError **error)
{
    Listener *listener = data;
    Note *note;
    while ((note = eddy_subscription_receive (listener->subscription, NULL, error)) != NULL) {
        listener->heard = listener->heard * 10 + (uint64_t) note_take (note);
        listener->count++;
    }
    return NULL;
}

static void *send_all (void *data, EddyError **error)
{
    Listener *sender = data;
    for (int i = sender->from; i <= sender->to; i++) {
        Note *note = note_new (i);
        if (!eddy_broadcast_send (sender->broadcast, note, NULL, error)) {
            eddy_unref (note);
            return NULL;
        }
        sender->count++;
    }
    return sender;
}

EDDY_TEST (D_broadcast_waits_for_the_slowest)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    EddyBroadcast *broadcast = eddy_broadcast_new (2, EDDY_BROADCAST_WAIT);
    EddySubscription *slow = eddy_broadcast_subscribe (broadcast);
    Listener fast = { .subscription = eddy_broadcast_subscribe (broadcast) };
    Listener senders[] = { { .broadcast = broadcast, .from = 1, .to = 4 },
                           { .broadcast = broadcast, .from = 5, .to = 9 } };
    EddyFuture *listening = eddy_spawn (context, listen_to_end, &fast, NULL);
    EddyFuture *sending[] = { eddy_spawn (context, send_all, &senders[0], NULL),
                              eddy_spawn (context, send_all, &senders[1], NULL) };
    run_out (context);
    ck_assert_uint_eq (fast.heard, 12);
    uint64_t heard = 0;
    for (int i = 0; i < 9; i++) {
        heard = heard * 10 + (uint64_t) note_take (eddy_subscription_try_receive (slow, &error));
        run_out (context);
        ck_assert_int_eq (fast.count, i < 7 ? i + 3 : 9);
    }
    ck_assert_uint_eq (heard, fast.heard);
    eddy_broadcast_close (broadcast);
    ck_assert (!eddy_block_on_complete (context, listening, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
    for (int i = 0; i < 2; i++) {
        ck_assert (eddy_block_on_complete (context, sending[i], &error));
        eddy_unref (sending[i]);
    }
    ck_assert_int_eq (live, 0);
    eddy_unref (listening);
    eddy_unref (slow);
    eddy_unref (fast.subscription);
    eddy_unref (broadcast);
    eddy_test_context_end (context);
}

/* The last subscriber goes while senders wait: their messages go to nobody. */
EDDY_TEST (D_broadcast_without_subscribers_lets_senders_go)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyBroadcast *broadcast = eddy_broadcast_new (2, EDDY_BROADCAST_WAIT);
    EddySubscription *only = eddy_broadcast_subscribe (broadcast);
    Listener sender = { .broadcast = broadcast, .from = 1, .to = 9 };
    EddyFuture *sending = eddy_spawn (context, send_all, &sender, NULL);
    run_out (context);
    ck_assert_int_eq (sender.count, 2);
    ck_assert_int_eq (live, 3);
    eddy_unref (only);
    ck_assert (eddy_block_on_complete (context, sending, NULL));
    ck_assert_int_eq (live, 0);
    eddy_unref (sending);
    eddy_unref (broadcast);
    eddy_test_context_end (context);
}

EDDY_TEST (D_broadcast_closes_over_who_waits)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    EddyBroadcast *broadcast = eddy_broadcast_new (1, EDDY_BROADCAST_WAIT);
    Listener idle = { .subscription = eddy_broadcast_subscribe (broadcast) };
    Listener sender = { .broadcast = broadcast, .from = 1, .to = 9 };
    EddyFuture *sending = eddy_spawn (context, send_all, &sender, NULL);
    run_out (context);
    eddy_broadcast_set_name (broadcast, "news");
    eddy_broadcast_close (broadcast);
    eddy_broadcast_close (broadcast);
    ck_assert (!eddy_block_on_complete (context, sending, &error));
    ck_assert_ptr_nonnull (strstr (eddy_error_get_message (error), "news"));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
    EddyFuture *listening = eddy_spawn (context, listen_to_end, &idle, NULL);
    ck_assert (!eddy_block_on_complete (context, listening, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
    ck_assert_uint_eq (idle.heard, 1);
    ck_assert_int_eq (live, 0);
    eddy_unref (sending);
    eddy_unref (listening);
    eddy_unref (idle.subscription);
    eddy_unref (broadcast);
    eddy_test_context_end (context);
}

/* A message that was handed over to a future that nobody asks any more. */
static void *drop_received (void *data, EddyError **error)
{
    EDDY_AUTO (EddySubscription) subscription = eddy_broadcast_subscribe (data);
    EddyFuture *received = eddy_subscription_receive_future (subscription, 0, NULL);
    eddy_fiber_yield ();
    ck_assert (eddy_broadcast_send (data, note_new (1), NULL, error));
    eddy_fiber_yield ();
    ck_assert_int_eq (live, 1);
    eddy_unref (received);
    ck_assert_int_eq (live, 0);
    return NULL;
}

EDDY_TEST (D_broadcast_received_and_not_taken)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyBroadcast *broadcast = eddy_broadcast_new (1, EDDY_BROADCAST_WAIT);
    eddy_test_run_fiber (context, drop_received, broadcast);
    eddy_unref (broadcast);
    eddy_test_context_end (context);
}

typedef struct Answers {
    bool sent;
    int received;
    int64_t version;
    int calls;
} Answers;

static void answers_sent (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Answers *answers = user_data;
    answers->sent = eddy_broadcast_send_finish (source_object, result, NULL);
    answers->calls++;
}

static void answers_received (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Answers *answers = user_data;
    answers->received = note_take (eddy_subscription_receive_finish (source_object, result, NULL));
    answers->calls++;
}

static void answers_changed (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Answers *answers = user_data;
    answers->version = eddy_watch_wait_finish (source_object, result, NULL);
    answers->calls++;
}

EDDY_TEST (D_broadcast_and_watch_by_callback)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyBroadcast *broadcast = eddy_broadcast_new (1, EDDY_BROADCAST_WAIT);
    EddySubscription *subscription = eddy_broadcast_subscribe (broadcast);
    EddyWatch *watch = eddy_watch_new (NULL);
    Answers answers = { .calls = 0 };
    eddy_subscription_receive_async (subscription, 0, NULL, answers_received, &answers);
    eddy_watch_wait_async (watch, 1, 0, NULL, answers_changed, &answers);
    run_out (context);
    ck_assert_int_eq (answers.calls, 0);
    eddy_broadcast_send_async (broadcast, note_new (8), 0, NULL, answers_sent, &answers);
    eddy_watch_set (watch, NULL);
    while (answers.calls < 3)
        eddy_context_iteration (context, true);
    ck_assert (answers.sent);
    ck_assert_int_eq (answers.received, 8);
    ck_assert_int_eq (answers.version, 2);
    ck_assert_int_eq (live, 0);
    eddy_unref (watch);
    eddy_unref (subscription);
    eddy_unref (broadcast);
    eddy_test_context_end (context);
}

/* Two senders and two receivers, cancelled at each of their waits. */
typedef struct Stage {
    EddyBroadcast *broadcast;
    Listener listeners[2];
    Listener senders[2];
} Stage;

static void *stage_run (void *data, EddyError **error)
{
    Stage *stage = data;
    EddyFuture *fibers[4];
    stage->broadcast = eddy_broadcast_new (2, EDDY_BROADCAST_WAIT);
    for (int i = 0; i < 4; i++) {
        if (i < 2)
            stage->listeners[i] =
                (Listener){ .subscription = eddy_broadcast_subscribe (stage->broadcast) };
        else
            stage->senders[i - 2] = (Listener){ .broadcast = stage->broadcast, .from = 1, .to = 5 };
        fibers[i] = i < 2 ? eddy_spawn_local (listen_to_end, &stage->listeners[i], NULL)
                          : eddy_spawn_local (send_all, &stage->senders[i - 2], NULL);
    }
    for (int i = 3; i >= 0; i--) {
        EddyError *failure = NULL;
        if (i == 1)
            eddy_broadcast_close (stage->broadcast);
        if (eddy_await_complete (fibers[i], &failure))
            continue;
        if (eddy_error_is_cancelled (failure) && *error == NULL)
            *error = EDDY_TAKE (failure);
        eddy_clear_error (&failure);
        if (*error != NULL)
            for (int j = 0; j < 4; j++)
                eddy_future_cancel (fibers[j]);
    }
    for (int i = 0; i < 4; i++) {
        while (!eddy_future_is_complete (fibers[i]))
            eddy_fiber_yield ();
        eddy_unref (fibers[i]);
    }
    return NULL;
}

static void stage_check (void *data, bool cancelled, uint32_t point)
{
    Stage *stage = data;
    (void) point;
    int sent = stage->senders[0].count + stage->senders[1].count;
    ck_assert (cancelled || sent == 10);
    for (int i = 0; i < 2; i++) {
        Note *note;
        int kept = 0;
        while ((note = eddy_subscription_try_receive (stage->listeners[i].subscription, NULL)) !=
               NULL)
            kept += note_take (note) > 0;
        ck_assert_int_eq (stage->listeners[i].count + kept, sent);
        eddy_unref (stage->listeners[i].subscription);
    }
    eddy_unref (stage->broadcast);
    ck_assert_int_eq (live, 0);
}

EDDY_TEST (D_broadcast_cancelled_everywhere)
{
    EddyTestCancelReport report;
    Stage stage;
    bool good = eddy_test_cancel_everywhere (stage_run, &stage, stage_check, &report);
    ck_assert_msg (good, "%s", report.failure);
    ck_assert_uint_ge (report.cancelled, 5);
}

/* --- random steps beside a model -------------------------------------------------------------- */

enum { SUBSCRIBERS = 4, MOST_KEPT = 5, STEPS = 400 };

/* What one subscriber has yet to receive. */
typedef struct Reader {
    EddySubscription *subscription;
    int kept[MOST_KEPT];
    int n_kept;
    int n_missed;
} Reader;

typedef struct Station {
    EddyBroadcast *broadcast;
    Reader readers[SUBSCRIBERS];
    int capacity;
    bool drops;
    int last;
    uint32_t random;
} Station;

static int station_choose (Station *station, int n)
{
    station->random = station->random * 1103515245 + 12345;
    return (int) (station->random >> 8) % n;
}

/* As many messages live as the slowest has to receive. */
static int station_count (const Station *station)
{
    int most = 0;
    for (int i = 0; i < SUBSCRIBERS; i++)
        if (station->readers[i].n_kept > most)
            most = station->readers[i].n_kept;
    return most;
}

static void station_send (Station *station)
{
    Note *note = note_new (++station->last);
    bool fits = station->drops || station_count (station) < station->capacity;
    ck_assert_int_eq (eddy_broadcast_try_send (station->broadcast, note, NULL), fits);
    if (!fits)
        eddy_unref (note);
    for (int i = 0; i < SUBSCRIBERS && fits; i++) {
        Reader *reader = &station->readers[i];
        if (reader->subscription == NULL)
            continue;
        if (reader->n_kept == station->capacity) {
            memmove (reader->kept, reader->kept + 1, (size_t) --reader->n_kept * sizeof (int));
            reader->n_missed++;
        }
        reader->kept[reader->n_kept++] = station->last;
    }
}

static void reader_receive (Reader *reader)
{
    EddyError *error = NULL;
    int value = note_take (eddy_subscription_try_receive (reader->subscription, &error));
    if (reader->n_missed > 0) {
        ck_assert_int_eq (strtol (eddy_error_get_message (error), NULL, 10), reader->n_missed);
        eddy_test_expect_error (&error, EDDY_IO_ERROR_LIMIT_EXCEEDED);
        reader->n_missed = 0;
    } else if (reader->n_kept > 0) {
        ck_assert_int_eq (value, reader->kept[0]);
        memmove (reader->kept, reader->kept + 1, (size_t) --reader->n_kept * sizeof (int));
    } else {
        eddy_test_expect_error (&error, EDDY_IO_ERROR_WOULD_BLOCK);
    }
}

static void station_step (Station *station)
{
    int what = station_choose (station, 12);
    Reader *reader = &station->readers[station_choose (station, SUBSCRIBERS)];
    if (what < 5) {
        station_send (station);
    } else if (reader->subscription == NULL) {
        reader->subscription = eddy_broadcast_subscribe (station->broadcast);
        ck_assert_ptr_nonnull (reader->subscription);
    } else if (what < 11) {
        reader_receive (reader);
    } else {
        eddy_unref (reader->subscription);
        *reader = (Reader){ .subscription = NULL };
    }
    ck_assert_int_eq (live, station_count (station));
}

EDDY_TEST (D_broadcast_as_a_model_says)
{
    for (uint32_t seed = 1; seed <= 60; seed++) {
        Station station = { .random = seed, .drops = seed % 2 == 0 };
        station.capacity = 1 + (int) seed % MOST_KEPT;
        station.broadcast =
            eddy_broadcast_new ((size_t) station.capacity,
                                station.drops ? EDDY_BROADCAST_DROP_OLDEST : EDDY_BROADCAST_WAIT);
        for (int i = 0; i < STEPS; i++)
            station_step (&station);
        for (int i = 0; i < SUBSCRIBERS; i++)
            eddy_unref (station.readers[i].subscription);
        eddy_unref (station.broadcast);
        ck_assert_int_eq (live, 0);
    }
}

/* --- broadcasts across threads ---------------------------------------------------------------- */

enum { NOTES = 500 };

static void *listener_thread (void *data)
{
    Listener *listener = data;
    EddyContext *context = eddy_test_context_begin ();
    EddyFuture *fiber = eddy_spawn (context, listener->broadcast != NULL ? send_all : listen_to_end,
                                    listener, NULL);
    (void) !eddy_block_on_complete (context, fiber, NULL);
    eddy_unref (fiber);
    eddy_test_context_end (context);
    return NULL;
}

EDDY_TEST (D_broadcast_across_threads)
{
    EddyBroadcast *broadcast = eddy_broadcast_new (16, EDDY_BROADCAST_WAIT);
    Listener listeners[4];
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        listeners[i] = (Listener){ .from = 1, .to = NOTES };
        if (i < 2)
            listeners[i].subscription = eddy_broadcast_subscribe (broadcast);
        else
            listeners[i].broadcast = broadcast;
    }
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq (pthread_create (&threads[i], NULL, listener_thread, &listeners[i]), 0);
    for (int i = 3; i >= 0; i--) {
        if (i == 1)
            eddy_broadcast_close (broadcast);
        pthread_join (threads[i], NULL);
        ck_assert_int_eq (listeners[i].count, i < 2 ? 2 * NOTES : NOTES);
    }
    eddy_unref (listeners[0].subscription);
    eddy_unref (listeners[1].subscription);
    eddy_unref (broadcast);
    ck_assert_int_eq (live, 0);
}

/* --- watches ---------------------------------------------------------------------------------- */

static void *watch_alone (void *data, EddyError **error)
{
    int64_t version = 0;
    EDDY_AUTO (EddyWatch) watch = eddy_watch_new (NULL);
    ck_assert_ptr_null (eddy_watch_get (watch, &version));
    ck_assert_int_eq (version, 1);
    ck_assert_int_eq (eddy_watch_wait (watch, 0, NULL, error), 1);
    ck_assert_int_eq (eddy_watch_set (watch, note_new (5)), 2);
    ck_assert_int_eq (eddy_watch_wait (watch, 1, NULL, error), 2);
    ck_assert_int_eq (note_take (eddy_watch_get (watch, NULL)), 5);
    eddy_watch_set_name (watch, "weather");
    eddy_watch_close (watch);
    eddy_watch_close (watch);
    ck_assert_int_eq (eddy_watch_wait (watch, 1, NULL, error), 2);
    ck_assert_int_eq (eddy_watch_wait (watch, 2, NULL, error), -1);
    ck_assert_ptr_nonnull (strstr (eddy_error_get_message (*error), "weather"));
    eddy_test_expect_error (error, EDDY_IO_ERROR_CLOSED);
    ck_assert_int_eq (live, 1);
    ck_assert_int_eq (eddy_watch_set (watch, NULL), 3);
    ck_assert_int_eq (live, 0);
    ck_assert_int_eq (eddy_watch_set (watch, note_new (6)), 4);
    return data;
}

EDDY_TEST (D_watch_has_the_latest_value)
{
    EddyContext *context = eddy_test_context_begin ();
    eddy_test_run_fiber (context, watch_alone, NULL);
    ck_assert_int_eq (live, 0);
    eddy_test_context_end (context);
}

typedef struct Watcher {
    EddyWatch *watch;
    int64_t seen;
    int changes;
} Watcher;

/* Watches until it is closed. */
static void *watch_changes (void *data, EddyError **error)
{
    Watcher *watcher = data;
    int64_t version;
    while ((version = eddy_watch_wait (watcher->watch, watcher->seen, NULL, error)) > 0) {
        Note *note = eddy_watch_get (watcher->watch, &version);
        ck_assert_int_gt (version, watcher->seen);
        ck_assert_int_eq (note_take (note), (int) version);
        watcher->seen = version;
        watcher->changes++;
    }
    return NULL;
}

EDDY_TEST (D_watch_wakes_everybody)
{
    enum { N = 5 };
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    EddyWatch *watch = eddy_watch_new (note_new (1));
    Watcher watchers[N];
    EddyFuture *fibers[N];
    for (int i = 0; i < N; i++) {
        watchers[i] = (Watcher){ .watch = watch };
        fibers[i] = eddy_spawn (context, watch_changes, &watchers[i], NULL);
    }
    run_out (context);
    /* Who is slow misses what is no longer the latest. */
    for (int i = 2; i <= 4; i++)
        ck_assert_int_eq (eddy_watch_set (watch, note_new (i)), i);
    run_out (context);
    eddy_future_cancel (fibers[0]);
    run_out (context);
    ck_assert_int_eq (eddy_watch_set (watch, note_new (5)), 5);
    run_out (context);
    eddy_watch_close (watch);
    for (int i = 0; i < N; i++) {
        ck_assert (!eddy_block_on_complete (context, fibers[i], &error));
        eddy_test_expect_error (&error, i == 0 ? EDDY_IO_ERROR_CANCELLED : EDDY_IO_ERROR_CLOSED);
        ck_assert_int_eq (watchers[i].changes, i == 0 ? 2 : 3);
        eddy_unref (fibers[i]);
    }
    eddy_unref (watch);
    ck_assert_int_eq (live, 0);
    eddy_test_context_end (context);
}

/* A version that there is not yet: the next one is waited for. */
EDDY_TEST (D_watch_waits_beyond_the_latest)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyWatch *watch = eddy_watch_new (NULL);
    EddyFuture *waiting = eddy_watch_wait_future (watch, 100, 0, NULL);
    run_out (context);
    ck_assert (!eddy_future_is_complete (waiting));
    eddy_watch_set (watch, NULL);
    ck_assert (eddy_block_on_complete (context, waiting, NULL));
    eddy_unref (waiting);
    EddyCancellable *cancellable = eddy_cancellable_new_with_timeout (NULL, 1000000);
    ck_assert_ptr_nonnull (cancellable);
    EddyError *error = NULL;
    ck_assert_int_eq (eddy_watch_wait (watch, 2, cancellable, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_TIMED_OUT);
    eddy_unref (cancellable);
    eddy_unref (watch);
    eddy_test_context_end (context);
}

static void *watcher_thread (void *data)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyFuture *fiber = eddy_spawn (context, watch_changes, data, NULL);
    (void) !eddy_block_on_complete (context, fiber, NULL);
    eddy_unref (fiber);
    eddy_test_context_end (context);
    return NULL;
}

EDDY_TEST (D_watch_across_threads)
{
    EddyWatch *watch = eddy_watch_new (note_new (1));
    Watcher watchers[2] = { { .watch = watch }, { .watch = watch } };
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq (pthread_create (&threads[i], NULL, watcher_thread, &watchers[i]), 0);
    for (int i = 2; i <= 3000; i++)
        eddy_watch_set (watch, note_new (i));
    eddy_watch_close (watch);
    for (int i = 0; i < 2; i++) {
        pthread_join (threads[i], NULL);
        ck_assert_int_eq (watchers[i].seen, 3000);
    }
    eddy_unref (watch);
    ck_assert_int_eq (live, 0);
}
