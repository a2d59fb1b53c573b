/* SPDX-License-Identifier: MIT */
/*
 * EddyMutex: handed over in order, across threads, in every form, and lost by no cancel.
 */
#include "sync.h"

typedef struct Turns {
    EddyMutex *mutex;
    int order; /* how many have had it */
} Turns;

typedef struct Turn {
    Turns *turns;
    EddyCancellable *cancellable;
    int place; /* when it had the mutex; -1: never */
} Turn;

static void *take_turn (void *data, EddyError **error)
{
    Turn *turn = data;
    if (!eddy_mutex_lock (turn->turns->mutex, turn->cancellable, error))
        return NULL;
    turn->place = turn->turns->order++;
    eddy_fiber_yield ();
    eddy_mutex_unlock (turn->turns->mutex);
    return turn;
}

enum { N = 10 };

/* They wait, in their order, for what the test has. */
static void begin_turns (EddyContext *context, Turns *turns, Turn *turn, EddyFuture **fibers)
{
    *turns = (Turns){ eddy_mutex_new (), 0 };
    ck_assert (eddy_mutex_trylock (turns->mutex));
    for (int i = 0; i < N; i++) {
        turn[i] = (Turn){ turns, turn[i].cancellable, -1 };
        fibers[i] = eddy_spawn (context, take_turn, &turn[i], NULL);
    }
    sync_settle (context);
}

static void end_turns (EddyContext *context, Turns *turns, EddyFuture **fibers)
{
    EddyError *error = NULL;
    for (int i = 0; i < N; i++) {
        if (!eddy_block_on_complete (context, fibers[i], &error))
            eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
        eddy_unref (fibers[i]);
    }
    ck_assert (eddy_mutex_trylock (turns->mutex));
    eddy_mutex_unlock (turns->mutex);
    eddy_unref (turns->mutex);
    eddy_test_context_end (context);
}

/* --- order ------------------------------------------------------------------------------------ */

EDDY_TEST (D_mutex_handed_over_in_order)
{
    EddyContext *context = eddy_test_context_begin ();
    Turns turns;
    Turn turn[N] = { 0 };
    EddyFuture *fibers[N];
    begin_turns (context, &turns, turn, fibers);
    ck_assert_int_eq (turns.order, 0);
    ck_assert (!eddy_mutex_trylock (turns.mutex));
    eddy_mutex_unlock (turns.mutex);
    /* The first one has it already, though it has not run. */
    ck_assert (!eddy_mutex_trylock (turns.mutex));
    ck_assert_int_eq (turns.order, 0);
    end_turns (context, &turns, fibers);
    for (int i = 0; i < N; i++)
        ck_assert_int_eq (turn[i].place, i);
}

EDDY_TEST (D_mutex_cancelled_waiters_leave_the_queue)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyCancellable *cancellable = eddy_cancellable_new ();
    Turns turns;
    Turn turn[N] = { 0 };
    EddyFuture *fibers[N];
    turn[3].cancellable = turn[7].cancellable = cancellable;
    begin_turns (context, &turns, turn, fibers);
    eddy_future_cancel (fibers[0]);
    eddy_future_cancel (fibers[5]);
    eddy_cancellable_cancel (cancellable);
    sync_settle (context);
    eddy_mutex_unlock (turns.mutex);
    end_turns (context, &turns, fibers);
    int place = 0;
    for (int i = 0; i < N; i++)
        ck_assert_int_eq (turn[i].place, i == 0 || i == 3 || i == 5 || i == 7 ? -1 : place++);
    eddy_unref (cancellable);
}

EDDY_TEST (D_mutex_all_waiters_cancelled)
{
    EddyContext *context = eddy_test_context_begin ();
    Turns turns;
    Turn turn[N] = { 0 };
    EddyFuture *fibers[N];
    begin_turns (context, &turns, turn, fibers);
    for (int i = 0; i < N; i++)
        eddy_future_cancel (fibers[i]);
    sync_settle (context);
    eddy_mutex_unlock (turns.mutex);
    end_turns (context, &turns, fibers);
    ck_assert_int_eq (turns.order, 0);
}

/* --- cancel ----------------------------------------------------------------------------------- */

/* Handed over and cancelled before it runs again, in either order: it has it. */
EDDY_TEST (D_mutex_granted_and_cancelled_is_granted)
{
    for (int late = 0; late < 2; late++) {
        EddyContext *context = eddy_test_context_begin ();
        EddyCancellable *cancellable = eddy_cancellable_new ();
        Turns turns;
        Turn turn[N] = { 0 };
        EddyFuture *fibers[N];
        turn[1].cancellable = cancellable;
        begin_turns (context, &turns, turn, fibers);
        if (late == 1)
            eddy_future_cancel (fibers[0]);
        eddy_mutex_unlock (turns.mutex);
        if (late == 0)
            eddy_future_cancel (fibers[0]);
        end_turns (context, &turns, fibers);
        ck_assert_int_eq (turn[0].place, 0);
        ck_assert_int_eq (turns.order, N);
        eddy_unref (cancellable);
    }
}

static void *lock_cancelled (void *data, EddyError **error)
{
    EddyMutex *mutex = data;
    EDDY_AUTO (EddyCancellable) cancelled = eddy_cancellable_new ();
    EDDY_AUTO (EddyCancellable) late = eddy_cancellable_new_with_timeout (NULL, 1000000);
    eddy_cancellable_cancel (cancelled);
    ck_assert (!eddy_mutex_lock (mutex, cancelled, error));
    eddy_test_expect_error (error, EDDY_IO_ERROR_CANCELLED);
    ck_assert (eddy_mutex_lock (mutex, NULL, error));
    ck_assert (!eddy_mutex_lock (mutex, late, error));
    eddy_test_expect_error (error, EDDY_IO_ERROR_TIMED_OUT);
    eddy_mutex_unlock (mutex);
    eddy_cancellable_cancel (eddy_fiber_get_cancellable ());
    ck_assert (!eddy_mutex_lock (mutex, NULL, error));
    eddy_test_expect_error (error, EDDY_IO_ERROR_CANCELLED);
    EDDY_SHIELD (1000000)
    {
        ck_assert (eddy_mutex_lock (mutex, NULL, error));
        ck_assert (!eddy_mutex_lock (mutex, NULL, error));
        eddy_test_expect_error (error, EDDY_IO_ERROR_TIMED_OUT);
        eddy_mutex_unlock (mutex);
    }
    ck_assert (eddy_mutex_trylock (mutex));
    eddy_mutex_unlock (mutex);
    return data;
}

EDDY_TEST (D_mutex_cancelled_is_not_taken)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyMutex *mutex = eddy_mutex_new ();
    eddy_test_run_fiber (context, lock_cancelled, mutex);
    eddy_unref (mutex);
    eddy_test_context_end (context);
}

typedef struct Pair {
    EddyMutex *mutex;
    int inside;
    int rounds;
} Pair;

static void *go_through (void *data, EddyError **error)
{
    Pair *pair = data;
    for (int i = 0; i < 3; i++) {
        if (!eddy_mutex_lock (pair->mutex, NULL, error))
            return NULL;
        ck_assert_int_eq (pair->inside++, 0);
        eddy_fiber_yield ();
        pair->inside--;
        pair->rounds++;
        eddy_mutex_unlock (pair->mutex);
    }
    return NULL;
}

static void *compete (void *data, EddyError **error)
{
    EDDY_AUTO (EddyFuture) other = eddy_spawn_local (go_through, data, NULL);
    eddy_fiber_yield ();
    go_through (data, error);
    if (*error == NULL)
        eddy_await_complete (other, error);
    return NULL;
}

static void check_pair (void *data, bool cancelled, uint32_t point)
{
    Pair *pair = data;
    (void) point;
    ck_assert (cancelled || pair->rounds == 6);
    ck_assert_int_eq (pair->inside, 0);
    ck_assert (eddy_mutex_trylock (pair->mutex));
    eddy_mutex_unlock (pair->mutex);
    pair->rounds = 0;
}

EDDY_TEST (D_mutex_cancelled_everywhere)
{
    Pair pair = { .mutex = eddy_mutex_new () };
    sync_expect_good (compete, &pair, check_pair);
    eddy_unref (pair.mutex);
}

/* --- forms ------------------------------------------------------------------------------------ */

static void lock_finished (void *source_object, EddyAsyncResult *result, void *user_data)
{
    EddyError *error = NULL;
    if (!eddy_mutex_lock_finish (source_object, result, &error))
        eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    else
        ++*(int *) user_data;
}

/* Each waits for what the one before has. */
EDDY_TEST (D_mutex_in_every_form)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    int called = 0;
    EddyMutex *mutex = eddy_mutex_new ();
    eddy_mutex_set_name (mutex, "the test's");
    ck_assert (eddy_mutex_lock (mutex, NULL, &error)); /* in a plain thread */
    eddy_mutex_lock_async (mutex, 0, NULL, lock_finished, &called);
    sync_settle (context);
    EddyFuture *future = eddy_mutex_lock_future (mutex, 0, NULL);
    sync_settle (context);
    ck_assert_int_eq (called, 0);
    eddy_mutex_unlock (mutex);
    sync_settle (context);
    ck_assert_int_eq (called, 1);
    ck_assert (!eddy_future_is_complete (future));
    eddy_mutex_unlock (mutex);
    ck_assert (eddy_block_on_complete (context, future, &error));
    eddy_unref (future);
    eddy_mutex_unlock (mutex);
    eddy_unref (mutex);
    eddy_test_context_end (context);
}

/* Nobody has it for a future that was let go of, whether or not it had been handed over to that. */
EDDY_TEST (D_mutex_not_taken_for_a_dropped_future)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyCancellable *cancellable = eddy_cancellable_new ();
    EddyMutex *mutex = eddy_mutex_new ();
    int called = 0;
    for (int granted = 0; granted < 2; granted++) {
        ck_assert (eddy_mutex_trylock (mutex));
        EddyFuture *future = eddy_mutex_lock_future (mutex, 0, NULL);
        sync_settle (context);
        if (granted == 1)
            eddy_mutex_unlock (mutex);
        eddy_unref (future);
        sync_settle (context);
        if (granted == 0)
            eddy_mutex_unlock (mutex);
    }
    ck_assert (eddy_mutex_trylock (mutex));
    eddy_mutex_lock_async (mutex, 0, cancellable, lock_finished, &called);
    sync_settle (context);
    eddy_mutex_unlock (mutex);
    eddy_cancellable_cancel (cancellable);
    sync_settle (context);
    ck_assert_int_eq (called, 0);
    ck_assert (eddy_mutex_trylock (mutex));
    eddy_mutex_unlock (mutex);
    eddy_unref (mutex);
    eddy_unref (cancellable);
    eddy_test_context_end (context);
}

/* --- threads ---------------------------------------------------------------------------------- */

typedef struct Shared {
    EddyMutex *mutex;
    long rounds;
    long count; /* under the mutex */
    int inside;
} Shared;

static void shared_count (Shared *shared)
{
    ck_assert_int_eq (shared->inside++, 0);
    shared->count++;
    shared->inside--;
}

static void *count_shared (void *data, EddyError **error)
{
    Shared *shared = data;
    for (long i = 0; i < shared->rounds; i++) {
        ck_assert (eddy_mutex_lock (shared->mutex, NULL, error));
        shared_count (shared);
        if (i % 16 == 0)
            eddy_fiber_yield ();
        eddy_mutex_unlock (shared->mutex);
        if (i % 5 == 0)
            eddy_fiber_yield ();
    }
    return NULL;
}

EDDY_TEST (D_mutex_across_threads)
{
    Shared shared = { .mutex = eddy_mutex_new () };
    shared.rounds = eddy_test_reduced (1000, 100, "rounds");
    sync_run_threads (4, 8, count_shared, &shared);
    ck_assert_int_eq (shared.count, 4 * 8 * shared.rounds);
    eddy_unref (shared.mutex);
}

/* Half of the fibers give up soon, each on its thread, while others hand over to them. */
static void *count_or_give_up (void *data, EddyError **error)
{
    Shared *shared = data;
    for (long i = 0; i < shared->rounds; i++) {
        EDDY_AUTO (EddyCancellable)
        cancellable = eddy_cancellable_new_with_timeout (NULL, i % 2 == 0 ? INT64_MAX : i * 1000);
        if (eddy_mutex_lock (shared->mutex, cancellable, error)) {
            shared_count (shared);
            eddy_fiber_yield ();
            eddy_mutex_unlock (shared->mutex);
        } else {
            eddy_test_expect_error (error, EDDY_IO_ERROR_TIMED_OUT);
        }
    }
    return NULL;
}

EDDY_TEST (D_mutex_across_threads_with_deadlines)
{
    Shared shared = { .mutex = eddy_mutex_new () };
    shared.rounds = eddy_test_reduced (200, 40, "rounds");
    sync_run_threads (4, 4, count_or_give_up, &shared);
    ck_assert_int_ge (shared.count, 4 * 4 * shared.rounds / 2);
    ck_assert (eddy_mutex_trylock (shared.mutex));
    eddy_mutex_unlock (shared.mutex);
    eddy_unref (shared.mutex);
}

static void *count_plain (void *data)
{
    Shared *shared = data;
    EddyError *error = NULL;
    for (long i = 0; i < shared->rounds; i++) {
        ck_assert (eddy_mutex_lock (shared->mutex, NULL, &error));
        shared_count (shared);
        eddy_mutex_unlock (shared->mutex);
    }
    return NULL;
}

EDDY_TEST (D_mutex_in_plain_threads)
{
    Shared shared = { .mutex = eddy_mutex_new () };
    shared.rounds = eddy_test_reduced (200, 20, "rounds");
    sync_run_plain (4, count_plain, &shared);
    ck_assert_int_eq (shared.count, 4 * shared.rounds);
    eddy_unref (shared.mutex);
}

/* --- who waits for whom ----------------------------------------------------------------------- */

static void *lock_twice (void *data, EddyError **error)
{
    for (int i = 0; i < 2; i++)
        if (!eddy_mutex_lock (data, NULL, error))
            break;
    if (*error != NULL)
        eddy_mutex_unlock (data);
    return NULL;
}

/* Who locks it again waits for himself; who waits for a thread may be helped by anybody. */
EDDY_TEST (D_mutex_locked_twice_is_a_deadlock)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    EddyMutex *mutex = eddy_mutex_new ();
    eddy_mutex_set_name (mutex, "only one");
    ck_assert (eddy_mutex_trylock (mutex));
    EddyFuture *fiber = eddy_spawn (context, lock_twice, mutex, NULL);
    sync_settle (context);
    ck_assert (!sync_is_deadlocked (context, NULL));
    eddy_mutex_unlock (mutex);
    sync_settle (context);
    ck_assert (sync_is_deadlocked (context, "a mutex 'only one'"));
    eddy_future_cancel (fiber);
    ck_assert (!eddy_block_on_complete (context, fiber, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    ck_assert (eddy_mutex_trylock (mutex));
    eddy_unref (fiber);
    eddy_unref (mutex);
    eddy_test_context_end (context);
}

/* --- misuse ----------------------------------------------------------------------------------- */

static int criticals;

static void count_criticals (EddyLogLevel level, const char *message, void *data)
{
    (void) message;
    (void) data;
    criticals += level == EDDY_LOG_CRITICAL;
}

EDDY_TEST (D_mutex_unlocked_by_who_has_not_is_misuse)
{
    EddyMutex *mutex = eddy_mutex_new ();
    eddy_log_set_handler (count_criticals, NULL);
    eddy_mutex_unlock (mutex);
    ck_assert_int_eq (criticals, 1);
    ck_assert (eddy_mutex_trylock (mutex));
    eddy_mutex_unlock (mutex);
    ck_assert_int_eq (criticals, 1);
    eddy_unref (mutex);
}
