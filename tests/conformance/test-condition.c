/* SPDX-License-Identifier: MIT */
/*
 * EddyCondition: no signal is missed, none is lost, and the mutex is there again.
 */
#include "sync.h"

typedef struct Gate {
    EddyMutex *mutex;
    EddyCondition *condition;
    int order; /* how many have been let go on */
    int open;  /* how many more may */
} Gate;

typedef struct Guest {
    Gate *gate;
    int place;
} Guest;

static void gate_begin (Gate *gate)
{
    *gate = (Gate){ eddy_mutex_new (), eddy_condition_new (), 0, 0 };
    eddy_condition_set_name (gate->condition, "the gate");
}

static void gate_end (Gate *gate)
{
    ck_assert (eddy_mutex_trylock (gate->mutex));
    eddy_mutex_unlock (gate->mutex);
    eddy_unref (gate->mutex);
    eddy_unref (gate->condition);
}

/* Waits for one signal, whatever it says. */
static void *wait_once (void *data, EddyError **error)
{
    Guest *guest = data;
    Gate *gate = guest->gate;
    guest->place = -1;
    if (!eddy_mutex_lock (gate->mutex, NULL, error))
        return NULL;
    if (eddy_condition_wait (gate->condition, gate->mutex, NULL, error))
        guest->place = gate->order++;
    ck_assert (!eddy_mutex_trylock (gate->mutex));
    eddy_mutex_unlock (gate->mutex);
    return NULL;
}

enum { N = 6 };

static void begin_guests (EddyContext *context, Gate *gate, Guest *guests, EddyFuture **fibers)
{
    gate_begin (gate);
    for (int i = 0; i < N; i++) {
        guests[i].gate = gate;
        fibers[i] = eddy_spawn (context, wait_once, &guests[i], NULL);
    }
    sync_settle (context);
}

static void end_guests (EddyContext *context, Gate *gate, EddyFuture **fibers)
{
    EddyError *error = NULL;
    for (int i = 0; i < N; i++) {
        if (!eddy_block_on_complete (context, fibers[i], &error))
            eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
        eddy_unref (fibers[i]);
    }
    gate_end (gate);
    eddy_test_context_end (context);
}

/* --- signals ---------------------------------------------------------------------------------- */

EDDY_TEST (D_condition_signals_in_order)
{
    EddyContext *context = eddy_test_context_begin ();
    Gate gate;
    Guest guests[N];
    EddyFuture *fibers[N];
    begin_guests (context, &gate, guests, fibers);
    for (int i = 0; i < N; i++) {
        ck_assert_int_eq (guests[i].place, -1);
        eddy_condition_signal (gate.condition);
        sync_settle (context);
        ck_assert_int_eq (guests[i].place, i);
        ck_assert_int_eq (gate.order, i + 1);
    }
    eddy_condition_signal (gate.condition); /* for nobody */
    end_guests (context, &gate, fibers);
}

EDDY_TEST (D_condition_broadcast_reaches_all)
{
    EddyContext *context = eddy_test_context_begin ();
    Gate gate;
    Guest guests[N];
    EddyFuture *fibers[N];
    begin_guests (context, &gate, guests, fibers);
    ck_assert (eddy_mutex_trylock (gate.mutex));
    eddy_condition_broadcast (gate.condition);
    sync_settle (context);
    ck_assert_int_eq (gate.order, 0); /* the mutex is taken */
    eddy_mutex_unlock (gate.mutex);
    sync_settle (context);
    ck_assert_int_eq (gate.order, N);
    for (int i = 0; i < N; i++)
        ck_assert_int_eq (guests[i].place, i);
    end_guests (context, &gate, fibers);
}

/* --- cancel ----------------------------------------------------------------------------------- */

EDDY_TEST (D_condition_cancelled_has_the_mutex_again)
{
    EddyContext *context = eddy_test_context_begin ();
    Gate gate;
    Guest guests[N];
    EddyFuture *fibers[N];
    begin_guests (context, &gate, guests, fibers);
    ck_assert (eddy_mutex_trylock (gate.mutex));
    eddy_future_cancel (fibers[0]);
    eddy_future_cancel (fibers[2]);
    sync_settle (context);
    ck_assert (!eddy_future_is_complete (fibers[0])); /* it waits for the mutex */
    eddy_mutex_unlock (gate.mutex);
    sync_settle (context);
    ck_assert (eddy_future_is_complete (fibers[0]));
    eddy_condition_signal (gate.condition);
    sync_settle (context);
    ck_assert_int_eq (guests[1].place, 0);
    eddy_condition_broadcast (gate.condition);
    end_guests (context, &gate, fibers);
    ck_assert_int_eq (gate.order, N - 2);
}

/* Signalled and cancelled before it runs again: the signal is taken, and by nobody else. */
EDDY_TEST (D_condition_signalled_and_cancelled_has_the_signal)
{
    EddyContext *context = eddy_test_context_begin ();
    Gate gate;
    Guest guests[N];
    EddyFuture *fibers[N];
    begin_guests (context, &gate, guests, fibers);
    eddy_condition_signal (gate.condition);
    eddy_future_cancel (fibers[0]);
    eddy_future_cancel (fibers[1]);
    eddy_condition_signal (gate.condition);
    sync_settle (context);
    ck_assert_int_eq (gate.order, 2);
    ck_assert_int_eq (guests[0].place, 0);
    ck_assert_int_eq (guests[1].place + guests[2].place, 0); /* one of them, and not both */
    eddy_condition_broadcast (gate.condition);
    end_guests (context, &gate, fibers);
}

/* A wait as a future that is cancelled: its signal goes to the next one. */
EDDY_TEST (D_condition_cancelled_future_hands_its_signal_on)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    Gate gate;
    Guest guest = { &gate, -1 };
    gate_begin (&gate);
    ck_assert (eddy_mutex_trylock (gate.mutex));
    EddyFuture *future = eddy_condition_wait_future (gate.condition, gate.mutex, 0, NULL);
    sync_settle (context);
    EddyFuture *fiber = eddy_spawn (context, wait_once, &guest, NULL);
    sync_settle (context);
    eddy_condition_signal (gate.condition);
    eddy_future_cancel (future);
    ck_assert (!eddy_block_on_complete (context, future, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    ck_assert (!eddy_mutex_trylock (gate.mutex));
    eddy_mutex_unlock (gate.mutex);
    ck_assert (eddy_block_on_complete (context, fiber, &error));
    ck_assert_int_eq (guest.place, 0);
    eddy_unref (future);
    eddy_unref (fiber);
    gate_end (&gate);
    eddy_test_context_end (context);
}

static void count_signal (void *source_object, EddyAsyncResult *result, void *user_data)
{
    EddyError *error = NULL;
    ck_assert (eddy_condition_wait_finish (source_object, result, &error));
    ++*(int *) user_data;
}

/* The mutex is taken for whoever is called back. */
EDDY_TEST (D_condition_by_callback)
{
    EddyContext *context = eddy_test_context_begin ();
    Gate gate;
    int called = 0;
    gate_begin (&gate);
    ck_assert (eddy_mutex_trylock (gate.mutex));
    eddy_condition_wait_async (gate.condition, gate.mutex, 0, NULL, count_signal, &called);
    sync_settle (context);
    ck_assert (eddy_mutex_trylock (gate.mutex));
    eddy_condition_signal (gate.condition);
    sync_settle (context);
    ck_assert_int_eq (called, 0);
    eddy_mutex_unlock (gate.mutex);
    sync_settle (context);
    ck_assert_int_eq (called, 1);
    ck_assert (!eddy_mutex_trylock (gate.mutex));
    eddy_mutex_unlock (gate.mutex);
    gate_end (&gate);
    eddy_test_context_end (context);
}

static void *wait_with_deadline (void *data, EddyError **error)
{
    Gate *gate = data;
    EDDY_AUTO (EddyCancellable) late = eddy_cancellable_new_with_timeout (NULL, 1000000);
    ck_assert (eddy_mutex_lock (gate->mutex, NULL, error));
    ck_assert (!eddy_condition_wait (gate->condition, gate->mutex, late, error));
    eddy_test_expect_error (error, EDDY_IO_ERROR_TIMED_OUT);
    ck_assert (!eddy_condition_wait (gate->condition, gate->mutex, late, error));
    eddy_test_expect_error (error, EDDY_IO_ERROR_TIMED_OUT);
    ck_assert (!eddy_mutex_trylock (gate->mutex));
    eddy_mutex_unlock (gate->mutex);
    return NULL;
}

EDDY_TEST (D_condition_wait_with_a_deadline)
{
    EddyContext *context = eddy_test_context_begin ();
    Gate gate;
    gate_begin (&gate);
    eddy_test_run_fiber (context, wait_with_deadline, &gate);
    gate_end (&gate);
    eddy_test_context_end (context);
}

/* Two wait, one is let in by a signal for each permit: whoever is cancelled, none is lost. */
static void *pass_gate (void *data, EddyError **error)
{
    Gate *gate = data;
    if (!eddy_mutex_lock (gate->mutex, NULL, error))
        return NULL;
    while (gate->open == 0)
        if (!eddy_condition_wait (gate->condition, gate->mutex, NULL, error))
            break;
    if (*error == NULL) {
        gate->open--;
        gate->order++;
    }
    eddy_mutex_unlock (gate->mutex);
    return NULL;
}

static void *open_gate (void *data, EddyError **error)
{
    Gate *gate = data;
    EDDY_AUTO (EddyFuture) other = eddy_spawn_local (pass_gate, data, NULL);
    EDDY_AUTO (EddyFuture) own = eddy_spawn_local (pass_gate, data, NULL);
    eddy_fiber_yield ();
    EDDY_SHIELD (-1)
    ck_assert (eddy_mutex_lock (gate->mutex, NULL, error));
    gate->open = 2;
    eddy_condition_signal (gate->condition);
    eddy_condition_signal (gate->condition);
    eddy_mutex_unlock (gate->mutex);
    if (eddy_await_complete (own, error))
        eddy_await_complete (other, error);
    return NULL;
}

static void check_gate (void *data, bool cancelled, uint32_t point)
{
    Gate *gate = data;
    (void) point;
    ck_assert_int_eq (gate->order + gate->open, 2);
    ck_assert (cancelled || gate->order == 2);
    ck_assert (eddy_mutex_trylock (gate->mutex));
    eddy_mutex_unlock (gate->mutex);
    gate->order = gate->open = 0;
}

static void *let_in (void *data, EddyError **error)
{
    Gate *gate = data;
    (void) error;
    for (int i = 0; i < 2; i++) {
        EDDY_SHIELD (-1)
        ck_assert (eddy_mutex_lock (gate->mutex, NULL, NULL));
        gate->open++;
        eddy_condition_signal (gate->condition);
        eddy_mutex_unlock (gate->mutex);
        eddy_fiber_yield ();
    }
    return NULL;
}

/* It is the one who waits that is cancelled. */
static void *wait_to_be_let_in (void *data, EddyError **error)
{
    EDDY_AUTO (EddyFuture) other = eddy_spawn_local (pass_gate, data, NULL);
    EDDY_AUTO (EddyFuture) opener = eddy_spawn_local (let_in, data, NULL);
    pass_gate (data, error);
    EDDY_SHIELD (-1)
    {
        ck_assert (eddy_await_complete (opener, NULL));
        ck_assert (eddy_await_complete (other, NULL));
    }
    return NULL;
}

EDDY_TEST (D_condition_cancelled_everywhere)
{
    Gate gate;
    gate_begin (&gate);
    sync_expect_good (open_gate, &gate, check_gate);
    sync_expect_good (wait_to_be_let_in, &gate, check_gate);
    gate_end (&gate);
}

/* --- threads ---------------------------------------------------------------------------------- */

/* A ring between producers and consumers. */
typedef struct Ring {
    EddyMutex *mutex;
    EddyCondition *not_empty;
    EddyCondition *not_full;
    long items[4];
    unsigned first;
    unsigned n;
    long rounds;
    int parts; /* handed out to fibers: who produces, who consumes */
    long sum;
    long taken;
} Ring;

static void ring_put (Ring *ring, long item, EddyError **error)
{
    ck_assert (eddy_mutex_lock (ring->mutex, NULL, error));
    while (ring->n == 4)
        ck_assert (eddy_condition_wait (ring->not_full, ring->mutex, NULL, error));
    ring->items[(ring->first + ring->n++) % 4] = item;
    eddy_condition_signal (ring->not_empty);
    eddy_mutex_unlock (ring->mutex);
}

static void ring_take (Ring *ring, EddyError **error)
{
    ck_assert (eddy_mutex_lock (ring->mutex, NULL, error));
    while (ring->n == 0)
        ck_assert (eddy_condition_wait (ring->not_empty, ring->mutex, NULL, error));
    ring->sum += ring->items[ring->first];
    ring->taken++;
    ring->first = (ring->first + 1) % 4;
    ring->n--;
    eddy_mutex_unlock (ring->mutex);
    eddy_condition_signal (ring->not_full);
}

static void ring_work (Ring *ring, EddyError **error)
{
    bool produces = __atomic_fetch_add (&ring->parts, 1, __ATOMIC_RELAXED) % 2 == 0;
    for (long i = 1; i <= ring->rounds; i++)
        if (produces)
            ring_put (ring, i, error);
        else
            ring_take (ring, error);
}

static void *ring_fiber (void *data, EddyError **error)
{
    ring_work (data, error);
    return NULL;
}

static void *ring_thread (void *data)
{
    EddyError *error = NULL;
    ring_work (data, &error);
    return NULL;
}

static void ring_begin (Ring *ring, long rounds)
{
    *ring = (Ring){ .mutex = eddy_mutex_new (),
                    .not_empty = eddy_condition_new (),
                    .not_full = eddy_condition_new (),
                    .rounds = rounds };
}

static void ring_end (Ring *ring)
{
    ck_assert_int_eq (ring->taken, ring->parts / 2 * ring->rounds);
    ck_assert_int_eq (ring->sum, ring->parts / 2 * ring->rounds * (ring->rounds + 1) / 2);
    ck_assert_uint_eq (ring->n, 0);
    eddy_unref (ring->mutex);
    eddy_unref (ring->not_empty);
    eddy_unref (ring->not_full);
}

EDDY_TEST (D_condition_producers_and_consumers_across_threads)
{
    Ring ring;
    ring_begin (&ring, eddy_test_reduced (1000, 100, "rounds"));
    sync_run_threads (4, 4, ring_fiber, &ring);
    ck_assert_int_eq (ring.parts, 16);
    ring_end (&ring);
}

EDDY_TEST (D_condition_in_plain_threads)
{
    Ring ring;
    ring_begin (&ring, eddy_test_reduced (100, 10, "rounds"));
    sync_run_plain (4, ring_thread, &ring);
    ring_end (&ring);
}
