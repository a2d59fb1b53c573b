/* SPDX-License-Identifier: MIT */
/*
 * Futures of other threads: awaited, blocked on, combined, cancelled, dropped, while their contexts
 * run, complete them, and go.
 */
#include "combinators.h"

#include <unistd.h>

/* --- another thread, which runs a context ----------------------------------------------------- */

typedef struct Elsewhere {
    EddyContext *context;
    pthread_t thread;
    Gate ready;
    bool ends; /* atomic */
} Elsewhere;

static void *elsewhere_run (void *data)
{
    Elsewhere *elsewhere = data;
    EddyContext *context = elsewhere->context;
    ck_assert (eddy_context_push_thread_default (context));
    gate_step (&elsewhere->ready);
    while (!__atomic_load_n (&elsewhere->ends, __ATOMIC_ACQUIRE))
        eddy_context_iteration (context, true);
    run_all (context);
    eddy_context_pop_thread_default (context);
    return NULL;
}

static void elsewhere_begin (Elsewhere *elsewhere)
{
    *elsewhere = (Elsewhere){ .context = eddy_context_new (), .ready = GATE_INIT };
    ck_assert_int_eq (pthread_create (&elsewhere->thread, NULL, elsewhere_run, elsewhere), 0);
    gate_wait (&elsewhere->ready, 1);
}

static void elsewhere_end (Elsewhere *elsewhere)
{
    __atomic_store_n (&elsewhere->ends, true, __ATOMIC_RELEASE);
    eddy_context_wakeup (elsewhere->context);
    ck_assert_int_eq (pthread_join (elsewhere->thread, NULL), 0);
    eddy_unref (elsewhere->context);
}

/* A fiber that notes where it runs, sleeps, and gives its data or fails. */
typedef struct Far {
    int64_t duration_ns;
    bool fails;
    pthread_t thread;
    int cancelled; /* atomic */
    int ended;     /* atomic */
} Far;

static void *far_run (void *data, EddyError **error)
{
    Far *far = data;
    EddyError *failure = NULL;
    far->thread = pthread_self ();
    if (far->duration_ns > 0 && !eddy_fiber_sleep (far->duration_ns, &failure))
        __atomic_add_fetch (&far->cancelled, 1, __ATOMIC_RELAXED);
    if (failure == NULL && far->fails)
        failure = eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_BUSY, "not now");
    if (failure != NULL)
        *error = failure;
    __atomic_add_fetch (&far->ended, 1, __ATOMIC_RELEASE);
    return far;
}

/* --- awaited ---------------------------------------------------------------------------------- */

typedef struct Await {
    EddyFuture *future;
    void *value;
    EddyError *error;
} Await;

static void *await_far (void *data, EddyError **error)
{
    Await *await = data;
    (void) error;
    await->value = eddy_await (await->future, &await->error);
    return NULL;
}

EDDY_TEST (D_futures_of_another_thread_are_awaited)
{
    EddyContext *context = eddy_test_context_begin ();
    Elsewhere elsewhere;
    elsewhere_begin (&elsewhere);
    for (int i = 0; i < 4; i++) {
        Far far = { .duration_ns = i % 2 * 1000000, .fails = i / 2 };
        Await await = { .future = eddy_spawn (elsewhere.context, far_run, &far, NULL) };
        eddy_test_run_fiber (context, await_far, &await);
        ck_assert (pthread_equal (far.thread, elsewhere.thread));
        if (far.fails)
            eddy_test_expect_error (&await.error, EDDY_IO_ERROR_BUSY);
        else
            ck_assert_ptr_eq (await.value, &far);
        /* Again: it is complete. */
        eddy_test_run_fiber (context, await_far, &await);
        ck_assert_int_eq (await.error != NULL, far.fails);
        eddy_clear_error (&await.error);
        eddy_unref (await.future);
    }
    elsewhere_end (&elsewhere);
    eddy_test_context_end (context);
}

/* Many fibers of several threads await each other's future. */
enum { CROWD = 50, THREADS = 3 };

typedef struct Crowd {
    Elsewhere elsewhere[THREADS];
    Far far[CROWD];
    EddyFuture *futures[CROWD];
} Crowd;

static void *crowd_await (void *data, EddyError **error)
{
    Crowd *crowd = data;
    for (int i = 0; i < CROWD; i++)
        if (eddy_await (crowd->futures[i], error) != &crowd->far[i])
            return NULL;
    return crowd;
}

EDDY_TEST (D_futures_of_many_threads_are_awaited_by_many)
{
    EddyContext *context = eddy_test_context_begin ();
    Crowd crowd = { .far = { { 0 } } };
    EddyFuture *awaiting[CROWD];
    for (int i = 0; i < THREADS; i++)
        elsewhere_begin (&crowd.elsewhere[i]);
    for (int i = 0; i < CROWD; i++) {
        crowd.far[i].duration_ns = i * 10000;
        EddyContext *home = i % 4 == 3 ? context : crowd.elsewhere[i % 4].context;
        crowd.futures[i] = eddy_spawn (home, far_run, &crowd.far[i], NULL);
    }
    for (int i = 0; i < CROWD; i++) {
        EddyContext *home = i % 4 == 3 ? context : crowd.elsewhere[(i + 1) % 3].context;
        awaiting[i] = eddy_spawn (home, crowd_await, &crowd, NULL);
    }
    EddyFuture *all = eddy_future_all (awaiting, CROWD);
    ck_assert (eddy_block_on_boolean (context, all, NULL));
    eddy_unref (all);
    for (int i = 0; i < CROWD; i++)
        eddy_unref (crowd.futures[i]);
    for (int i = 0; i < THREADS; i++)
        elsewhere_end (&crowd.elsewhere[i]);
    eddy_test_context_end (context);
}

/* The await is cancelled, while the future ends or goes on: each await ends once, in one of two
   ways, and the future is as it was. */
EDDY_TEST (D_futures_an_await_elsewhere_is_cancelled)
{
    EddyContext *context = eddy_test_context_begin ();
    Elsewhere elsewhere;
    long rounds = eddy_test_reduced (2000, 400, "rounds");
    int cancelled = 0;
    elsewhere_begin (&elsewhere);
    for (long i = 0; i < rounds; i++) {
        Far far = { .duration_ns = i % 50 * 1000 };
        Await await = { .future = eddy_spawn (elsewhere.context, far_run, &far, NULL) };
        EddyFuture *fiber = eddy_spawn (context, await_far, &await, NULL);
        for (int j = 0; j < i % 7; j++)
            eddy_context_iteration (context, false);
        if (i % 3 != 0)
            usleep ((useconds_t) (i % 40));
        eddy_future_cancel (fiber);
        ck_assert (eddy_block_on_complete (context, fiber, NULL));
        cancelled += await.error != NULL;
        if (await.error != NULL)
            eddy_test_expect_error (&await.error, EDDY_IO_ERROR_CANCELLED);
        else
            ck_assert_ptr_eq (await.value, &far);
        ck_assert_ptr_eq (eddy_block_on (context, await.future, NULL), &far);
        ck_assert_int_eq (far.cancelled, 0);
        eddy_unref (fiber);
        eddy_unref (await.future);
    }
    ck_assert_int_gt (cancelled, 0);
    elsewhere_end (&elsewhere);
    eddy_test_context_end (context);
}

/* --- contexts that go ------------------------------------------------------------------------- */

/* A thread that makes a context, a future in it, runs it until that is done, and gives all up. */
typedef struct Passing {
    Gate gate;
    EddyFuture *future;
    Far far;
} Passing;

static void *passing_run (void *data)
{
    Passing *passing = data;
    EddyContext *context = eddy_context_new ();
    ck_assert (eddy_context_push_thread_default (context));
    passing->future = eddy_spawn (context, far_run, &passing->far, NULL);
    gate_step (&passing->gate);
    while (__atomic_load_n (&passing->far.ended, __ATOMIC_ACQUIRE) == 0)
        eddy_context_iteration (context, true);
    eddy_context_pop_thread_default (context);
    eddy_unref (context);
    return NULL;
}

EDDY_TEST (D_futures_outlive_their_contexts)
{
    EddyContext *context = eddy_test_context_begin ();
    long rounds = eddy_test_reduced (1000, 200, "rounds");
    for (long i = 0; i < rounds; i++) {
        Passing passing = { .gate = GATE_INIT, .far.duration_ns = i % 11 * 10000 };
        pthread_t thread;
        ck_assert_int_eq (pthread_create (&thread, NULL, passing_run, &passing), 0);
        gate_wait (&passing.gate, 1);
        if (i % 5 == 0)
            usleep ((useconds_t) (i % 80));
        Await await = { .future = passing.future };
        EddyFuture *timed = NULL;
        switch (i % 4) {
        case 0:
            eddy_test_run_fiber (context, await_far, &await);
            ck_assert_ptr_eq (await.value, &passing.far);
            break;
        case 1:
            eddy_future_cancel (passing.future);
            eddy_block_on_complete (context, passing.future, &await.error);
            ck_assert_int_eq (await.error != NULL, passing.far.cancelled);
            eddy_clear_error (&await.error);
            break;
        case 2:
            timed = eddy_future_with_timeout (eddy_ref (passing.future), i % 9 * 10000);
            eddy_unref (EDDY_TAKE (passing.future));
            if (eddy_block_on (context, timed, &await.error) == NULL)
                eddy_test_expect_error (&await.error, EDDY_IO_ERROR_TIMED_OUT);
            eddy_unref (timed);
            break;
        default:
            break; /* it is dropped */
        }
        eddy_unref (passing.future);
        ck_assert_int_eq (pthread_join (thread, NULL), 0);
    }
    eddy_test_context_end (context);
}

/* --- blocked on ------------------------------------------------------------------------------- */

static bool count_call (void *data)
{
    ++*(int *) data;
    return true;
}

/* The thread's own context runs meanwhile. */
EDDY_TEST (D_futures_blocking_on_one_runs_the_own_context)
{
    EddyContext *context = eddy_test_context_begin ();
    Elsewhere elsewhere;
    elsewhere_begin (&elsewhere);
    int calls = 0;
    EddySource *source = eddy_timeout_source_new (1000000);
    eddy_source_set_callback (source, count_call, &calls, NULL);
    eddy_source_attach (source, context);
    Far far = { .duration_ns = 20000000 };
    EddyFuture *future = eddy_spawn (elsewhere.context, far_run, &far, NULL);
    ck_assert_ptr_eq (eddy_block_on (NULL, future, NULL), &far);
    ck_assert_int_gt (calls, 1);
    eddy_unref (future);
    eddy_source_destroy (source);
    eddy_unref (source);
    elsewhere_end (&elsewhere);
    eddy_test_context_end (context);
}

typedef struct Blocked {
    EddyContext *context; /* for eddy_block_on() */
    EddyFuture *future;
    Gate gate;
    int64_t integer;
} Blocked;

static void *block_in_thread (void *data)
{
    Blocked *blocked = data;
    gate_step (&blocked->gate);
    blocked->integer = eddy_block_on_int (blocked->context, blocked->future, NULL);
    return NULL;
}

/* A thread whose context somebody else runs, also the future's own, waits without one. */
EDDY_TEST (D_futures_a_thread_without_a_context_blocks_on_one)
{
    EddyContext *context = eddy_test_context_begin ();
    Elsewhere elsewhere;
    elsewhere_begin (&elsewhere);
    for (int way = 0; way < 4; way++) {
        Blocked blocked[3];
        pthread_t threads[3];
        EddyTask *task = eddy_task_new (NULL, NULL, NULL, NULL);
        for (int i = 0; i < 3; i++) {
            blocked[i] = (Blocked){ .context = i == 0 ? context : elsewhere.context,
                                    .future = eddy_task_get_future (task),
                                    .gate = GATE_INIT };
            ck_assert_int_eq (pthread_create (&threads[i], NULL, block_in_thread, &blocked[i]), 0);
            gate_wait (&blocked[i].gate, 1);
        }
        if (way > 0)
            usleep (1000);
        if (way == 2) /* nobody runs it any more: one of them does */
            eddy_context_pop_thread_default (context);
        eddy_task_return_int (task, 40 + way);
        if (way == 2) {
            for (int i = 0; i < 3; i++)
                ck_assert_int_eq (pthread_join (threads[i], NULL), 0);
            ck_assert (eddy_context_push_thread_default (context));
        } else {
            run_all (context);
            for (int i = 0; i < 3; i++)
                ck_assert_int_eq (pthread_join (threads[i], NULL), 0);
        }
        for (int i = 0; i < 3; i++) {
            ck_assert_int_eq (blocked[i].integer, 40 + way);
            eddy_unref (blocked[i].future);
        }
        eddy_task_unref (task);
        run_all (context);
    }
    elsewhere_end (&elsewhere);
    eddy_test_context_end (context);
}

/* --- combined --------------------------------------------------------------------------------- */

/* The functions run in the combinator's thread, whatever its inputs are of. */
static EddyFuture *note_where (EddyFuture *completed, void *data)
{
    (void) completed;
    *(pthread_t *) data = pthread_self ();
    return NULL;
}

EDDY_TEST (D_futures_of_other_threads_are_combined)
{
    EddyContext *context = eddy_test_context_begin ();
    Elsewhere elsewhere[2];
    for (int i = 0; i < 2; i++)
        elsewhere_begin (&elsewhere[i]);
    long rounds = eddy_test_reduced (300, 60, "rounds");
    for (long i = 0; i < rounds; i++) {
        Far quick = { .duration_ns = i % 30 * 1000 };
        Far slow[2] = { { .duration_ns = 3600000000000 }, { .duration_ns = 3600000000000 } };
        pthread_t where;
        EddyFuture *futures[3] = { eddy_future_then (
                                       eddy_spawn (elsewhere[0].context, far_run, &quick, NULL),
                                       note_where, &where, NULL),
                                   eddy_spawn (elsewhere[0].context, far_run, &slow[0], NULL),
                                   eddy_spawn (elsewhere[1].context, far_run, &slow[1], NULL) };
        EddyFuture *race = eddy_future_race (futures, 3);
        ck_assert_ptr_eq (eddy_block_on (context, race, NULL), &quick);
        ck_assert (pthread_equal (where, pthread_self ()));
        for (int j = 0; j < 2; j++)
            ck_assert_int_eq (__atomic_load_n (&slow[j].ended, __ATOMIC_ACQUIRE), 1);
        eddy_unref (race);
    }
    for (int i = 0; i < 2; i++)
        elsewhere_end (&elsewhere[i]);
    eddy_test_context_end (context);
}

/* All of them at once: cancelled or dropped on another thread than their own. */
static void *cancel_in_thread (void *future)
{
    eddy_future_cancel (future);
    return NULL;
}

EDDY_TEST (D_futures_combinators_are_cancelled_and_dropped_elsewhere)
{
    EddyContext *context = eddy_test_context_begin ();
    Elsewhere elsewhere;
    elsewhere_begin (&elsewhere);
    long rounds = eddy_test_reduced (300, 60, "rounds");
    for (long i = 0; i < rounds; i++) {
        EddyError *error = NULL;
        Far fars[3] = { { .duration_ns = 3600000000000 },
                        { .duration_ns = i % 20 * 10000 + 1 },
                        { .duration_ns = 3600000000000 } };
        EddyFuture *futures[3];
        for (int j = 0; j < 3; j++)
            futures[j] = eddy_spawn (j == 2 ? context : elsewhere.context, far_run, &fars[j], NULL);
        EddyFuture *all = eddy_future_all (futures, 3);
        for (int j = 0; j < i % 5; j++)
            eddy_context_iteration (context, false);
        pthread_t thread;
        if (i % 2 == 0) {
            ck_assert_int_eq (pthread_create (&thread, NULL, cancel_in_thread, all), 0);
            ck_assert (!eddy_block_on_complete (context, all, &error));
            eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
            pthread_join (thread, NULL);
            eddy_unref (all);
        } else {
            ck_assert_int_eq (pthread_create (&thread, NULL, unref_in_thread, all), 0);
            pthread_join (thread, NULL);
        }
        for (int j = 0; j < 3; j++)
            while (__atomic_load_n (&fars[j].ended, __ATOMIC_ACQUIRE) == 0)
                eddy_context_iteration (context, false);
        run_all (context);
    }
    elsewhere_end (&elsewhere); /* after which the last inputs have told of their ends */
    run_all (context);
    eddy_test_context_end (context);
}

/* Made for a context that is not this thread's just now. */
EDDY_TEST (D_futures_combinators_are_made_before_their_context_runs)
{
    EddyContext *context = eddy_test_context_begin ();
    Elsewhere elsewhere;
    elsewhere_begin (&elsewhere);
    eddy_context_release (context);
    Far far = { .duration_ns = 100000 };
    EddyFuture *futures[2] = { eddy_spawn (elsewhere.context, far_run, &far, NULL), number (1) };
    EddyFuture *all = eddy_future_all (futures, 2);
    EddyFuture *dropped = eddy_future_all (&(EddyFuture *){ eddy_future_delay (INT64_MAX) }, 1);
    eddy_future_cancel (dropped);
    eddy_unref (dropped);
    ck_assert (eddy_block_on_boolean (context, all, NULL));
    ck_assert (eddy_context_acquire (context));
    run_all (context);
    eddy_unref (all);
    elsewhere_end (&elsewhere);
    eddy_test_context_end (context);
}

/* --- callbacks and values --------------------------------------------------------------------- */

EDDY_TEST (D_futures_of_another_thread_have_callbacks_here)
{
    EddyContext *context = eddy_test_context_begin ();
    Elsewhere elsewhere;
    elsewhere_begin (&elsewhere);
    for (int i = 0; i < 20; i++) {
        Far far = { .duration_ns = i % 2 * 100000 };
        Answer answer = { 0 };
        EddyFuture *future = eddy_spawn (elsewhere.context, far_run, &far, NULL);
        ck_assert (eddy_future_add_callback (future, take_nothing, &answer));
        eddy_unref (future);
        run_until_called (context, &answer);
        ck_assert (pthread_equal (answer.thread, pthread_self ()));
        ck_assert_int_eq (far.cancelled, 0);
    }
    elsewhere_end (&elsewhere);
    eddy_test_context_end (context);
}

typedef struct Taker {
    EddyFuture *future;
    Gate *gate;
    EddyValue value;
    EddyError *error;
} Taker;

static void *take_in_thread (void *data)
{
    Taker *taker = data;
    gate_wait (taker->gate, 1);
    eddy_future_take (taker->future, &taker->value, &taker->error);
    return NULL;
}

EDDY_TEST (D_futures_a_single_value_goes_to_one_of_many_threads)
{
    enum { TAKERS = 4 };
    EddyContext *context = eddy_test_context_begin ();
    long rounds = eddy_test_reduced (200, 40, "rounds");
    eddy_log_set_handler (note_message, NULL);
    for (long i = 0; i < rounds; i++) {
        EddyFuture *future = string ("s");
        Gate gate = GATE_INIT;
        Taker takers[TAKERS];
        pthread_t threads[TAKERS];
        int taken = 0;
        ends[0] = '\0';
        for (int j = 0; j < TAKERS; j++) {
            takers[j] = (Taker){ .future = future, .gate = &gate };
            ck_assert_int_eq (pthread_create (&threads[j], NULL, take_in_thread, &takers[j]), 0);
        }
        gate_step (&gate);
        for (int j = 0; j < TAKERS; j++) {
            pthread_join (threads[j], NULL);
            taken += takers[j].error == NULL;
            if (takers[j].error != NULL)
                eddy_test_expect_error (&takers[j].error, EDDY_IO_ERROR_TAKEN);
            else
                ck_assert_str_eq (takers[j].value.as.pointer, "s");
            eddy_value_clear (&takers[j].value);
        }
        ck_assert_int_eq (taken, 1);
        eddy_unref (future);
        ck_assert_str_eq (ends, "s");
    }
    eddy_log_set_handler (NULL, NULL);
    run_all (context);
    eddy_test_context_end (context);
}

/* --- the context goes next -------------------------------------------------------------------- */

static void answer_at_once (EddyTask *task, void *source_object, void *task_data,
                            EddyCancellable *cancellable)
{
    (void) source_object;
    (void) task_data;
    (void) cancellable;
    eddy_task_return_int (task, 42);
}

static EddyFuture *answer_in_thread (void)
{
    EddyTask *task = eddy_task_new (NULL, NULL, NULL, NULL);
    ck_assert_ptr_nonnull (task);
    EddyFuture *future = eddy_task_get_future (task);
    eddy_task_run_in_thread (task, answer_at_once);
    eddy_task_unref (task);
    return future;
}

/* Waits for the answer in one of several ways, at a time when it may just be coming. */
static void *await_answer (void *data, EddyError **error)
{
    long round = *(long *) data;
    EddyFuture *future = answer_in_thread ();
    eddy_fiber_sleep (round % 7 * 5000, NULL);
    if (round % 2 == 0)
        future = eddy_future_all (&future, 1);
    ck_assert (eddy_await_complete (future, error));
    eddy_unref (future);
    return NULL;
}

/* What an answer still had on its way home would keep a context that nobody runs any more, which is
   found by its fds. */
EDDY_TEST (D_futures_that_were_waited_for_keep_no_context)
{
    long rounds = eddy_test_reduced (300, 60, "rounds");
    for (long i = 0; i < rounds; i++) {
        EddyContext *context = eddy_test_context_begin ();
        EddyFuture *future =
            i % 3 == 0 ? answer_in_thread () : eddy_spawn (context, await_answer, &i, NULL);
        ck_assert (eddy_block_on_complete (context, future, NULL));
        eddy_unref (future);
        eddy_context_pop_thread_default (context);
        eddy_unref (context);
    }
}
