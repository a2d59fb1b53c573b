/* SPDX-License-Identifier: MIT */
/*
 * Sequences: asking, in every form; whose turn it is; ends, errors and cancels; programs' own
 * kinds; generators; ticks and signals.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sequences.h"

/* ---- programs' own kinds --------------------------------------------------------------------- */

typedef struct Own {
    int calls;
    int disposed;
    int until;
    EddyIOErrorCode failure; /* of the call after the last; 0: the end */
    bool goes_on;
} Own;

typedef struct OwnData {
    Own *own;
    int last;
} OwnData;

static void *own_next (EddySequence *sequence, EddyCancellable *cancellable, EddyError **error)
{
    OwnData *data = eddy_sequence_get_data (sequence);
    Own *own = data->own;
    (void) cancellable;
    own->calls++;
    if (data->last < own->until)
        return item_new (++data->last);
    if (own->goes_on)
        eddy_sequence_go_on (sequence);
    own->until += own->goes_on;
    if ((int) own->failure != 0)
        eddy_error_set (error, EDDY_IO_ERROR, (int) own->failure, "as the test wants");
    return NULL;
}

static void own_dispose (EddySequence *sequence)
{
    ((OwnData *) eddy_sequence_get_data (sequence))->own->disposed++;
}

static EddySequence *own_new (Own *own)
{
    static const EddySequenceFuncs funcs = { .next = own_next, .dispose = own_dispose };
    EddySequence *sequence = eddy_sequence_new (&funcs, sizeof (OwnData), item_destroy);
    ck_assert_ptr_nonnull (sequence);
    ((OwnData *) eddy_sequence_get_data (sequence))->own = own;
    return sequence;
}

static void *own_to_the_end (void *data, EddyError **error)
{
    Own *own = data;
    EDDY_AUTO (EddySequence) sequence = own_new (own);
    (void) error;
    ck_assert_ptr_nonnull (eddy_sequence_get_context (sequence));
    for (int i = 1; i <= own->until; i++)
        expect_next (sequence, i);
    ck_assert (!eddy_sequence_has_ended (sequence));
    if ((int) own->failure != 0)
        expect_failure (sequence, own->failure);
    for (int i = 0; i < 3; i++)
        expect_next (sequence, 0);
    ck_assert (eddy_sequence_has_ended (sequence));
    ck_assert_int_eq (own->disposed, 1);
    return NULL;
}

EDDY_TEST (D_sequence_ends_for_ever)
{
    Own own = { .until = 3 };
    run_alone (own_to_the_end, &own);
    ck_assert_int_eq (own.calls, 4);
    ck_assert_int_eq (own.disposed, 1);
}

EDDY_TEST (D_sequence_error_is_the_end)
{
    Own own = { .until = 2, .failure = EDDY_IO_ERROR_INVALID_DATA };
    run_alone (own_to_the_end, &own);
    ck_assert_int_eq (own.calls, 3);
    ck_assert_int_eq (own.disposed, 1);
}

static void *own_goes_on (void *data, EddyError **error)
{
    EDDY_AUTO (EddySequence) sequence = own_new (data);
    (void) error;
    expect_next (sequence, 1);
    expect_failure (sequence, EDDY_IO_ERROR_BUSY);
    ck_assert (!eddy_sequence_has_ended (sequence));
    expect_next (sequence, 2);
    expect_failure (sequence, EDDY_IO_ERROR_BUSY);
    return NULL;
}

EDDY_TEST (D_sequence_some_errors_are_not_the_end)
{
    Own own = { .until = 1, .failure = EDDY_IO_ERROR_BUSY, .goes_on = true };
    run_alone (own_goes_on, &own);
    ck_assert_int_eq (own.disposed, 1);
}

static void *drop_unasked (void *data, EddyError **error)
{
    Own *own = data;
    (void) error;
    eddy_unref (own_new (own));
    ck_assert_int_eq (own->disposed, 1);
    ck_assert_int_eq (own->calls, 0);
    EddySequence *sequence = own_new (own);
    eddy_sequence_destroy_item (sequence, item_new (1));
    eddy_sequence_destroy_item (sequence, NULL);
    eddy_unref (sequence);
    return NULL;
}

EDDY_TEST (D_sequence_nothing_happens_unasked)
{
    Own own = { .until = 1 };
    run_alone (drop_unasked, &own);
}

/* ---- forms ----------------------------------------------------------------------------------- */

typedef struct Called {
    int numbers[8];
    int n;
    EddyError *error;
} Called;

static void called_back (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Called *called = user_data;
    void *item = eddy_sequence_next_finish (source_object, result, &called->error);
    called->numbers[called->n++] = item == NULL ? 0 : item_take (item);
}

EDDY_TEST (D_sequence_next_by_callback)
{
    EddyContext *context = eddy_test_context_begin ();
    Numbers numbers = { .first = 1, .last = 3 };
    Called called = { .n = 0 };
    EddySequence *sequence = numbers_new (&numbers);
    for (int i = 0; i < 5; i++)
        eddy_sequence_next_async (sequence, EDDY_PRIORITY_DEFAULT, NULL, called_back, &called);
    eddy_unref (sequence);
    while (called.n < 5)
        eddy_context_iteration (context, true);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq (called.numbers[i], i < 3 ? i + 1 : 0);
    ck_assert_ptr_null (called.error);
    eddy_test_context_end (context);
    ck_assert_int_eq (items_alive, 0);
    ck_assert_int_eq (numbers.destroyed, 1);
}

EDDY_TEST (D_sequence_next_as_future)
{
    EddyContext *context = eddy_test_context_begin ();
    Numbers numbers = { .first = 1, .last = 2, .fails = true };
    EddyError *error = NULL;
    EddySequence *sequence = numbers_new (&numbers);
    EddyFuture *futures[4];
    for (int i = 0; i < 4; i++)
        futures[i] = eddy_sequence_next_future (sequence, EDDY_PRIORITY_DEFAULT, NULL);
    for (int i = 0; i < 4; i++) {
        EddyValue value = EDDY_VALUE_INIT;
        bool good = eddy_block_on_complete (context, futures[i], &error);
        ck_assert (good == (i != 2));
        if (good)
            ck_assert (eddy_future_take (futures[i], &value, &error));
        else
            eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_DATA);
        ck_assert_int_eq (value.as.pointer == NULL ? 0 : item_take (value.as.pointer),
                          i < 2 ? i + 1 : 0);
        eddy_unref (futures[i]);
    }
    eddy_unref (sequence);
    eddy_test_context_end (context);
    ck_assert_int_eq (items_alive, 0);
}

/* One that is let go of before its item has come leaves that to the next; one that has it, gives it
 * up. */
EDDY_TEST (D_sequence_future_let_go_of)
{
    EddyContext *context = eddy_test_context_begin ();
    Numbers numbers = { .first = 1, .last = 9 };
    EddySequence *sequence = numbers_new (&numbers);
    for (int passes = 0; passes < 12; passes++) {
        EddyFuture *future = eddy_sequence_next_future (sequence, EDDY_PRIORITY_DEFAULT, NULL);
        for (int i = 0; i < passes; i++)
            eddy_context_iteration (context, false);
        ck_assert (passes < 12 - 1 || eddy_future_is_complete (future));
        bool lost = eddy_future_is_complete (future);
        eddy_unref (future);
        future = eddy_sequence_next_future (sequence, EDDY_PRIORITY_DEFAULT, NULL);
        EddyError *error = NULL;
        void *item = eddy_block_on (context, future, &error);
        ck_assert_ptr_null (error);
        ck_assert_int_eq (item == NULL ? 0 : *(int *) item, 1 + (lost ? 1 : 0));
        eddy_unref (future);
        /* Begin again, for all lies at another place then. */
        eddy_unref (sequence);
        sequence = numbers_new (&numbers);
    }
    eddy_unref (sequence);
    eddy_context_iteration (context, false);
    for (int i = 0; i < 100 && numbers.begun > numbers.ended; i++)
        eddy_context_iteration (context, false);
    eddy_context_iteration (context, false);
    eddy_test_context_end (context);
    ck_assert_int_eq (items_alive, 0);
}

static EddySequence *merged_numbers (Numbers *numbers)
{
    EddySequence *sequences[2] = { numbers_new (&numbers[0]), numbers_new (&numbers[1]) };
    return eddy_sequence_merge (sequences, 2, item_destroy);
}

/* The sequence's own context runs, with the fibers that it has there. */
EDDY_TEST (D_sequence_next_blocks_a_thread)
{
    EddyContext *context = eddy_test_context_begin ();
    Numbers numbers[2] = { { .first = 1, .last = 2, .pause_ns = 1000 },
                           { .first = 11, .last = 12, .pause_ns = 1000 } };
    EddySequence *sequence = merged_numbers (numbers);
    EddyCancellable *cancellable = eddy_cancellable_new_with_timeout (NULL, INT64_MAX);
    int sum = 0;
    for (int i = 0; i < 4; i++) {
        EddyError *error = NULL;
        void *item = eddy_sequence_next (sequence, i % 2 == 0 ? NULL : cancellable, &error);
        ck_assert_ptr_nonnull (item);
        sum += item_take (item);
    }
    ck_assert_int_eq (sum, 1 + 2 + 11 + 12);
    expect_next (sequence, 0);
    eddy_unref (cancellable);
    eddy_unref (sequence);
    eddy_test_context_end (context);
    ck_assert_int_eq (items_alive, 0);
}

/* A cancel from another thread ends the wait of a plain thread. */
static void *cancel_soon (void *data)
{
    eddy_cancellable_cancel (data);
    return NULL;
}

EDDY_TEST (D_sequence_blocked_thread_is_cancelled)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySequence *sequence = eddy_sequence_new_interval (INT64_C (3600) * 1000000000);
    EddyCancellable *cancellable = eddy_cancellable_new ();
    EddyError *error = NULL;
    pthread_t thread;
    ck_assert (sequence != NULL && cancellable != NULL);
    ck_assert_int_eq (pthread_create (&thread, NULL, cancel_soon, cancellable), 0);
    ck_assert_ptr_null (eddy_sequence_next (sequence, cancellable, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    ck_assert (!eddy_sequence_has_ended (sequence));
    pthread_join (thread, NULL);
    eddy_unref (cancellable);
    eddy_unref (sequence);
    eddy_test_context_end (context);
}

static void *ask_in_wrong_context (void *data, EddyError **error)
{
    (void) error;
    expect_failure (data, EDDY_IO_ERROR_INVALID_ARGUMENT);
    return NULL;
}

EDDY_TEST (D_sequence_belongs_to_its_context)
{
    EddyContext *home = eddy_test_context_begin ();
    EddySequence *sequence = eddy_sequence_new_interval (1);
    EddyContext *context = eddy_test_context_begin ();
    ck_assert_ptr_eq (eddy_sequence_get_context (sequence), home);
    eddy_test_run_fiber (context, ask_in_wrong_context, sequence);
    eddy_test_context_end (context);
    ck_assert (!eddy_sequence_has_ended (sequence));
    /* Outside a fiber it is run itself, whatever the thread's default one is. */
    context = eddy_test_context_begin ();
    ck_assert_ptr_nonnull (eddy_sequence_next (sequence, NULL, NULL));
    eddy_context_iteration (context, false);
    eddy_test_context_end (context);
    eddy_unref (sequence);
    eddy_test_context_end (home);
}

/* The last reference may go on another thread: all that it has ends at home. */
static void *drop_elsewhere (void *data)
{
    eddy_unref (data);
    return NULL;
}

EDDY_TEST (D_sequence_is_dropped_on_another_thread)
{
    EddyContext *context = eddy_test_context_begin ();
    Numbers numbers[2] = { { .first = 1, .last = 2 }, { .first = 11, .last = 12 } };
    for (int asked = 0; asked < 2; asked++) {
        EddySequence *sequence = merged_numbers (numbers);
        pthread_t thread;
        ck_assert_ptr_nonnull (sequence);
        if (asked != 0)
            item_destroy (eddy_sequence_next (sequence, NULL, NULL));
        else
            eddy_context_iteration (context, false);
        ck_assert_int_eq (pthread_create (&thread, NULL, drop_elsewhere, sequence), 0);
        pthread_join (thread, NULL);
        ck_assert_int_eq (numbers[0].destroyed, asked);
        for (int i = 0; i < 20; i++)
            eddy_context_iteration (context, false);
        ck_assert_int_eq (numbers[0].destroyed, asked + 1);
        ck_assert_int_eq (numbers[1].destroyed, asked + 1);
    }
    ck_assert_int_eq (numbers[0].ended, 1);
    eddy_test_context_end (context);
    ck_assert_int_eq (items_alive, 0);
}

/* ---- turns ----------------------------------------------------------------------------------- */

typedef struct Asker {
    EddySequence *sequence;
    int *order;
    int *n;
    int number; /* that it got */
    EddyError *error;
} Asker;

static void *ask_once (void *data, EddyError **error)
{
    Asker *asker = data;
    (void) error;
    void *item = eddy_sequence_next (asker->sequence, NULL, &asker->error);
    asker->number = item == NULL ? 0 : item_take (item);
    return NULL;
}

enum { ASKERS = 5 };

/* The third of them is cancelled while it waits for its turn. */
static void *ask_in_turn (void *data, EddyError **error)
{
    Numbers numbers = { .first = 1, .last = ASKERS - 1, .pause_ns = 1000 };
    EddySequence *sequence = numbers_new (&numbers);
    Asker askers[ASKERS];
    EddyFuture *fibers[ASKERS];
    (void) data, (void) error;
    for (int i = 0; i < ASKERS; i++) {
        askers[i] = (Asker){ .sequence = sequence };
        fibers[i] = eddy_spawn_local (ask_once, &askers[i], NULL);
    }
    eddy_fiber_yield ();
    eddy_future_cancel (fibers[2]);
    for (int i = 0; i < ASKERS; i++) {
        ck_assert (eddy_await_complete (fibers[i], NULL));
        eddy_unref (fibers[i]);
    }
    for (int i = 0, number = 1; i < ASKERS; i++)
        ck_assert_int_eq (askers[i].number, i == 2 ? 0 : number++);
    eddy_test_expect_error (&askers[2].error, EDDY_IO_ERROR_CANCELLED);
    expect_next (sequence, 0);
    eddy_unref (sequence);
    return NULL;
}

EDDY_TEST (D_sequence_askers_take_turns)
{
    run_alone (ask_in_turn, NULL);
}

/* ---- cancels --------------------------------------------------------------------------------- */

static void *ask_with_cancellable (void *data, EddyError **error)
{
    Numbers numbers = { .first = 1, .last = 2, .pause_ns = 1000 };
    EDDY_AUTO (EddySequence) sequence = numbers_new (&numbers);
    EDDY_AUTO (EddyCancellable) cancelled = eddy_cancellable_new ();
    EDDY_AUTO (EddyCancellable) late = eddy_cancellable_new_with_timeout (NULL, 0);
    EddyError *failure = NULL;
    (void) data, (void) error;
    eddy_cancellable_cancel (cancelled);
    ck_assert_ptr_null (eddy_sequence_next (sequence, cancelled, &failure));
    eddy_test_expect_error (&failure, EDDY_IO_ERROR_CANCELLED);
    ck_assert_ptr_null (eddy_sequence_next (sequence, late, &failure));
    eddy_test_expect_error (&failure, EDDY_IO_ERROR_TIMED_OUT);
    ck_assert (!eddy_sequence_has_ended (sequence));
    expect_next (sequence, 1);
    expect_next (sequence, 2);
    expect_next (sequence, 0);
    return NULL;
}

EDDY_TEST (D_sequence_cancelled_call_is_not_the_end)
{
    run_alone (ask_with_cancellable, NULL);
}

/* While the generator sleeps. */
static void *ask_with_deadline (void *data, EddyError **error)
{
    Numbers numbers = { .first = 1, .last = 1, .pause_ns = 50000000 };
    EDDY_AUTO (EddySequence) sequence = numbers_new (&numbers);
    EDDY_AUTO (EddyCancellable) soon = eddy_cancellable_new_with_timeout (NULL, 1000);
    EddyError *failure = NULL;
    (void) data, (void) error;
    ck_assert_ptr_null (eddy_sequence_next (sequence, soon, &failure));
    eddy_test_expect_error (&failure, EDDY_IO_ERROR_TIMED_OUT);
    expect_next (sequence, 1);
    expect_next (sequence, 0);
    return NULL;
}

EDDY_TEST (D_sequence_deadline_loses_nothing)
{
    run_alone (ask_with_deadline, NULL);
}

/* ---- generators ------------------------------------------------------------------------------ */

static void *generate_as_asked (void *data, EddyError **error)
{
    Numbers *numbers = data;
    EDDY_AUTO (EddySequence) sequence = numbers_new (numbers);
    (void) error;
    eddy_fiber_yield ();
    ck_assert_int_eq (numbers->begun, 0);
    for (int i = 1; i <= 3; i++) {
        expect_next (sequence, i);
        for (int j = 0; j < 5; j++)
            eddy_fiber_yield ();
        ck_assert_int_eq (numbers->made, i);
    }
    expect_failure (sequence, EDDY_IO_ERROR_INVALID_DATA);
    expect_next (sequence, 0);
    ck_assert_int_eq (numbers->destroyed, 1);
    return NULL;
}

EDDY_TEST (D_sequence_generator_runs_only_when_asked)
{
    Numbers numbers = { .first = 1, .last = 3, .fails = true };
    run_alone (generate_as_asked, &numbers);
    ck_assert_int_eq (numbers.begun, 1);
    ck_assert_int_eq (numbers.ended, 1);
}

static void *drop_generator (void *data, EddyError **error)
{
    Numbers *numbers = data;
    (void) error;
    EddySequence *sequence = numbers_new (numbers);
    eddy_unref (sequence);
    ck_assert_int_eq (numbers->destroyed, 1);
    sequence = numbers_new (numbers);
    expect_next (sequence, 1);
    eddy_unref (sequence);
    ck_assert_int_eq (numbers->ended, 0);
    return NULL;
}

/* Dropped while it waits to be asked: it ends later, by itself. */
EDDY_TEST (D_sequence_generator_is_cancelled_when_dropped)
{
    Numbers numbers = { .first = 1, .last = 3 };
    run_alone (drop_generator, &numbers);
    ck_assert_int_eq (numbers.begun, 1);
    ck_assert_int_eq (numbers.ended, 1);
    ck_assert_int_eq (numbers.destroyed, 2);
}

static void *drop_with_item (void *data, EddyError **error)
{
    EddySequence *sequence = numbers_new (data);
    (void) error;
    EddyFuture *future = eddy_sequence_next_future (sequence, EDDY_PRIORITY_DEFAULT, NULL);
    eddy_fiber_yield ();
    eddy_unref (future);
    /* Nobody waits for it any more, and it is made all the same. */
    yield_until (&items_alive);
    eddy_unref (sequence);
    return NULL;
}

EDDY_TEST (D_sequence_unread_item_is_given_up)
{
    Numbers numbers = { .first = 1, .last = 3 };
    run_alone (drop_with_item, &numbers);
    ck_assert_int_eq (numbers.ended, 1);
}

static void *drop_sleeping (void *data, EddyError **error)
{
    Numbers *numbers = data;
    EddySequence *sequence = numbers_new (numbers);
    (void) error;
    EddyFuture *future = eddy_sequence_next_future (sequence, EDDY_PRIORITY_DEFAULT, NULL);
    yield_until (&numbers->begun);
    eddy_unref (future);
    eddy_unref (sequence);
    yield_until (&numbers->ended);
    return NULL;
}

/* Dropped while it waits for something else. */
EDDY_TEST (D_sequence_generator_is_cancelled_where_it_waits)
{
    Numbers numbers = { .first = 1, .last = 1, .pause_ns = INT64_C (3600) * 1000000000 };
    run_alone (drop_sleeping, &numbers);
    ck_assert_int_eq (numbers.made, 0);
    ck_assert_int_eq (numbers.destroyed, 1);
}

static bool generate_wrongly (EddyGenerator *generator, void *data, EddyError **error)
{
    (void) generator, (void) data, (void) error;
    return false;
}

static void *ask_wrong_generator (void *data, EddyError **error)
{
    EDDY_AUTO (EddySequence)
    sequence = eddy_sequence_new_generator (generate_wrongly, data, NULL, NULL);
    (void) error;
    expect_failure (sequence, EDDY_IO_ERROR_FAILED);
    expect_next (sequence, 0);
    return NULL;
}

EDDY_TEST (D_sequence_generator_says_nothing)
{
    run_alone (ask_wrong_generator, NULL);
}

/* A generator that cannot be cancelled hears of it from what it yields. */
static bool generate_name (EddyGenerator *generator, void *data, EddyError **error)
{
    const char **name = data;
    *name = eddy_fiber_get_name ();
    return eddy_generator_yield (generator, item_new (1), error);
}

static void *ask_for_name (void *data, EddyError **error)
{
    static const EddyFiberOptions options = { .name = "counter" };
    EDDY_AUTO (EddySequence)
    sequence = eddy_sequence_new_generator_full (generate_name, data, NULL, item_destroy, &options,
                                                 EDDY_PLACE);
    (void) error;
    expect_next (sequence, 1);
    expect_next (sequence, 0);
    return NULL;
}

EDDY_TEST (D_sequence_generator_has_options)
{
    const char *name = NULL;
    run_alone (ask_for_name, &name);
    ck_assert_str_eq (name, "counter");
}

/* ---- ticks ----------------------------------------------------------------------------------- */

enum { TICK_NS = 2000000 };

static void *ask_for_ticks (void *data, EddyError **error)
{
    EDDY_AUTO (EddySequence) sequence = eddy_sequence_new_interval (TICK_NS);
    int64_t after_ns = eddy_get_monotonic_time_ns ();
    int64_t latest = 0;
    (void) data;
    for (int i = 0; i < 6; i++) {
        if (i == 3)
            ck_assert (eddy_fiber_sleep (3 * TICK_NS, error));
        int64_t tick = (int64_t) (intptr_t) eddy_sequence_next (sequence, NULL, error);
        ck_assert_ptr_null (*error);
        ck_assert_int_gt (tick, latest);
        /* It was counted from before `after_ns`, and is the latest tick there was. */
        int64_t passed_ns = eddy_get_monotonic_time_ns () - after_ns;
        ck_assert_int_ge (passed_ns, (tick - 1) * TICK_NS);
        ck_assert (i != 3 || tick >= latest + 3);
        latest = tick;
    }
    return NULL;
}

EDDY_TEST (D_sequence_ticks_have_numbers)
{
    run_alone (ask_for_ticks, NULL);
}

static void *ask_for_far_tick (void *data, EddyError **error)
{
    EDDY_AUTO (EddySequence) sequence = eddy_sequence_new_interval (INT64_MAX);
    EDDY_AUTO (EddyCancellable) soon = eddy_cancellable_new_with_timeout (NULL, 1000);
    EddyError *failure = NULL;
    (void) data, (void) error;
    ck_assert_ptr_nonnull (soon);
    ck_assert_ptr_null (eddy_sequence_next (sequence, soon, &failure));
    eddy_test_expect_error (&failure, EDDY_IO_ERROR_TIMED_OUT);
    return NULL;
}

EDDY_TEST (D_sequence_tick_at_the_end_of_time)
{
    run_alone (ask_for_far_tick, NULL);
}

/* ---- signals --------------------------------------------------------------------------------- */

static void *ask_for_signals (void *data, EddyError **error)
{
    EDDY_AUTO (EddySequence) sequence = eddy_sequence_new_signal (SIGUSR1);
    EDDY_AUTO (EddyCancellable) late = eddy_cancellable_new_with_timeout (NULL, 1000);
    EddyError *failure = NULL;
    (void) data;
    ck_assert (sequence != NULL && late != NULL);
    for (int i = 0; i < 3; i++)
        raise (SIGUSR1);
    ck_assert_int_eq ((int) (intptr_t) eddy_sequence_next (sequence, NULL, error), SIGUSR1);
    ck_assert_ptr_null (eddy_sequence_next (sequence, late, &failure));
    eddy_test_expect_error (&failure, EDDY_IO_ERROR_TIMED_OUT);
    /* While somebody waits. */
    EddyFuture *future = eddy_sequence_next_future (sequence, EDDY_PRIORITY_DEFAULT, NULL);
    eddy_fiber_yield ();
    raise (SIGUSR1);
    ck_assert_int_eq ((int) (intptr_t) eddy_await (future, error), SIGUSR1);
    eddy_unref (future);
    return NULL;
}

EDDY_TEST (D_sequence_signals_between_two_items_are_one)
{
    struct sigaction before, after;
    ck_assert_int_eq (sigaction (SIGUSR1, NULL, &before), 0);
    run_alone (ask_for_signals, NULL);
    ck_assert_int_eq (sigaction (SIGUSR1, NULL, &after), 0);
    ck_assert (before.sa_handler == after.sa_handler);
}

EDDY_TEST (D_sequence_signal_that_cannot_be_caught)
{
    EddyContext *context = eddy_test_context_begin ();
    ck_assert_ptr_null (eddy_sequence_new_signal (SIGKILL));
    eddy_context_iteration (context, false);
    eddy_test_context_end (context);
}

/* ---- messages -------------------------------------------------------------------------------- */

static void *send_numbers (void *data, EddyError **error)
{
    for (int i = 1; i <= 3; i++)
        if (!eddy_channel_send (data, item_new (i), NULL, error))
            return NULL;
    eddy_channel_close (data);
    return NULL;
}

static void *ask_for_messages (void *data, EddyError **error)
{
    EddyChannel *channel = eddy_channel_new (0, item_destroy);
    EDDY_AUTO (EddySequence) sequence = eddy_sequence_new_channel (channel);
    EDDY_AUTO (EddyFuture) sender = eddy_spawn_local (send_numbers, channel, NULL);
    EDDY_AUTO (EddyCancellable) soon = eddy_cancellable_new_with_timeout (NULL, 1000);
    EddyError *failure = NULL;
    (void) data;
    ck_assert_ptr_nonnull (soon);
    eddy_unref (channel);
    expect_next (sequence, 1);
    expect_next (sequence, 2);
    expect_next (sequence, 3);
    expect_next (sequence, 0);
    (void) eddy_await_complete (sender, error);
    channel = eddy_channel_new (1, item_destroy);
    EDDY_AUTO (EddySequence) empty = eddy_sequence_new_channel (channel);
    ck_assert_ptr_null (eddy_sequence_next (empty, soon, &failure));
    eddy_test_expect_error (&failure, EDDY_IO_ERROR_TIMED_OUT);
    ck_assert (!eddy_sequence_has_ended (empty));
    ck_assert (eddy_channel_try_send (channel, item_new (1), error));
    expect_next (empty, 1);
    eddy_channel_close (channel);
    expect_next (empty, 0);
    eddy_unref (channel);
    return NULL;
}

EDDY_TEST (D_sequence_messages_of_a_channel)
{
    run_alone (ask_for_messages, NULL);
}

/* ---- who waits for whom ---------------------------------------------------------------------- */

static bool generate_locked (EddyGenerator *generator, void *data, EddyError **error)
{
    if (!eddy_mutex_lock (data, NULL, error))
        return false;
    eddy_mutex_unlock (data);
    return eddy_generator_yield (generator, item_new (1), error);
}

/* Asks with a lock in its hands that the generator needs. */
static void *ask_locked (void *data, EddyError **error)
{
    EDDY_AUTO (EddySequence)
    sequence = eddy_sequence_new_generator (generate_locked, data, NULL, item_destroy);
    EddyError *failure = NULL;
    ck_assert (eddy_mutex_lock (data, NULL, error));
    ck_assert_ptr_null (eddy_sequence_next (sequence, NULL, &failure));
    eddy_test_expect_error (&failure, EDDY_IO_ERROR_CANCELLED);
    eddy_mutex_unlock (data);
    return NULL;
}

EDDY_TEST (D_sequence_deadlock_is_named)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyMutex *mutex = eddy_mutex_new ();
    EddyFuture *fiber = eddy_spawn (context, ask_locked, mutex, NULL);
    EddyContextStatistics statistics;
    char text[4096] = "";
    int fd = memfd_create ("dump", MFD_CLOEXEC);
    ck_assert (mutex != NULL && fd >= 0);
    for (int i = 0; i < 5; i++)
        eddy_context_iteration (context, false);
    ck_assert (eddy_context_dump (context, fd, NULL));
    ck_assert_int_gt (pread (fd, text, sizeof text - 1, 0), 0);
    ck_assert_msg (strstr (text, "deadlock: ") != NULL, "%s", text);
    ck_assert_msg (strstr (text, "waits for an item of a sequence") != NULL, "%s", text);
    close (fd);
    eddy_future_cancel (fiber);
    ck_assert (eddy_block_on_complete (context, fiber, NULL));
    eddy_unref (fiber);
    do {
        eddy_context_iteration (context, false);
        eddy_context_get_statistics (context, &statistics);
    } while (statistics.live_fibers > 0);
    eddy_unref (mutex);
    eddy_test_context_end (context);
    ck_assert_int_eq (items_alive, 0);
}
