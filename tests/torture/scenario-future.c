/* SPDX-License-Identifier: MIT */
/*
 * Futures made of futures, and futures of another thread.
 */
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include "torture.h"

/* What was given to combinators, and what became of it. */
typedef struct Given {
    int made;      /* functions' data */
    int destroyed; /* of them */
    int calls;
    int values;
    int freed;
} Given;

static Given given;

static void value_free (void *value)
{
    (void) value;
    given.freed++;
}

static EddyFuture *value_make (void)
{
    EddyValue value = EDDY_VALUE_INIT;
    given.values++;
    eddy_value_take_pointer (&value, &given, value_free);
    return eddy_future_resolved (&value);
}

static void given_destroy (void *data)
{
    (void) data;
    given.destroyed++;
}

static EddyFuture *given_run (EddyFuture *completed, void *data)
{
    (void) completed;
    (void) data;
    given.calls++;
    return NULL;
}

static EddyFuture *given_delay (EddyFuture *completed, void *data)
{
    (void) completed;
    (void) data;
    given.calls++;
    return eddy_future_delay (1000);
}

static void given_map (const EddyValue *value, EddyValue *result, EddyError **error, void *data)
{
    (void) error;
    (void) data;
    given.calls++;
    torture_require (value->as.pointer == &given);
    given.values++;
    eddy_value_take_pointer (result, &given, value_free);
}

/* Waits for a future and drops it; whether it has a value. */
static bool await_future (EddyFuture *future, const char *what)
{
    EddyError *error = NULL;
    bool good = eddy_await_complete (future, &error);
    if (!good)
        torture_error (what, &error);
    eddy_unref (future);
    return good;
}

static void expect_given_up (void)
{
    torture_require (given.destroyed == given.made);
    torture_require (given.freed == given.values);
}

static void chain_step (void *data)
{
    bool *good = data;
    EddyFuture *future = value_make ();
    given.made = 4;
    future = eddy_future_then (future, given_run, NULL, given_destroy);
    future = eddy_future_map (future, given_map, NULL, given_destroy);
    future = eddy_future_with_timeout (future, INT64_C (3600000000000));
    future = eddy_future_catch (future, given_run, NULL, given_destroy);
    future = eddy_future_finally (future, given_delay, NULL, given_destroy);
    *good = await_future (future, "a chain");
}

TORTURE_SCENARIO (future_chain)
{
    bool good = false;
    torture_begin ();
    torture_await (chain_step, &good);
    torture_end ();
    torture_require (torture_has_failed () || (good && given.calls == 3));
    torture_require (given.made == 0 || !good || given.calls == 3);
    expect_given_up ();
}

static void *sleep_run (void *data, EddyError **error)
{
    (void) data;
    eddy_fiber_sleep (INT64_C (3600000000000), error);
    return NULL;
}

/* All kinds of several, over values, operations, fibers and delays; the losers have ended. */
static void several_step (void *data)
{
    int *fds = data;
    for (int kind = 0; kind < 4; kind++) {
        EddyFuture *futures[4] = { value_make (), eddy_future_delay (1000),
                                   eddy_fd_wait_future (fds[0], POLLIN, 0, NULL),
                                   eddy_spawn_local (sleep_run, NULL, NULL) };
        EddyFuture *future = kind == 0   ? eddy_future_race (futures, 4)
                             : kind == 1 ? eddy_future_any (futures, 2)
                             : kind == 2 ? eddy_future_all (futures, 2)
                                         : eddy_future_all_settled (futures, 2);
        await_future (future, "several");
        if (kind > 0) {
            eddy_unref (futures[2]);
            eddy_unref (futures[3]);
        }
    }
}

TORTURE_SCENARIO (future_several)
{
    int fds[2];
    torture_require (pipe (fds) == 0);
    torture_begin ();
    torture_await (several_step, fds);
    torture_end ();
    expect_given_up ();
    close (fds[0]);
    close (fds[1]);
}

/* Dropped and cancelled in the middle. */
static void drop_step (void *data)
{
    EddyError *error = NULL;
    (void) data;
    for (int dropped = 0; dropped < 2; dropped++) {
        EddyFuture *futures[2] = { eddy_future_delay (INT64_MAX),
                                   eddy_spawn_local (sleep_run, NULL, NULL) };
        given.made++;
        EddyFuture *future = eddy_future_finally (
            eddy_future_all (futures, 2), dropped ? given_run : given_delay, NULL, given_destroy);
        eddy_fiber_yield ();
        if (dropped) {
            eddy_unref (future);
        } else {
            eddy_future_cancel (future);
            if (!eddy_await_complete (future, &error))
                torture_error_or_cancelled ("a cancelled chain", &error);
            eddy_unref (future);
        }
    }
    while (given.destroyed < given.made)
        eddy_fiber_yield ();
}

TORTURE_SCENARIO (future_dropped)
{
    torture_begin ();
    torture_await (drop_step, NULL);
    torture_end ();
    expect_given_up ();
}

/* From an operation with a callback, and with callbacks. */
static void pair_begin (void *source_object, EddyCancellable *cancellable,
                        EddyAsyncReadyCallback callback, void *user_data, void *data)
{
    (void) source_object;
    eddy_fd_wait_async (*(int *) data, POLLOUT, 0, cancellable, callback, user_data);
}

static bool pair_finish (void *source_object, EddyAsyncResult *result, EddyValue *value,
                         EddyError **error, void *data)
{
    (void) source_object;
    (void) data;
    int events = eddy_fd_wait_finish (result, error);
    if (events < 0)
        return false;
    eddy_value_set_int (value, events);
    return true;
}

static void pair_called (void *source_object, EddyAsyncResult *result, void *user_data)
{
    (void) source_object;
    torture_require (eddy_future_is_complete (result));
    ++*(int *) user_data;
}

static void pair_step (void *data)
{
    int called = 0;
    given.made = 1;
    EddyFuture *future =
        eddy_future_from_callback_pair (NULL, pair_begin, pair_finish, data, given_destroy);
    bool calls = eddy_future_add_callback (future, pair_called, &called);
    if (!calls)
        torture_refused ("a callback");
    await_future (future, "a callback pair");
    for (int i = 0; i < 3; i++)
        eddy_fiber_yield ();
    torture_require (called == calls);
}

TORTURE_SCENARIO (future_callbacks)
{
    int fds[2];
    torture_require (pipe (fds) == 0);
    torture_begin ();
    torture_await (pair_step, &fds[1]);
    torture_end ();
    torture_require (given.destroyed == given.made || given.made == 0);
    close (fds[0]);
    close (fds[1]);
}

/* --- of another thread ------------------------------------------------------------------------ */

typedef struct Elsewhere {
    pthread_t thread;
    EddyContext *context;
    bool ends; /* atomic */
    bool runs; /* atomic */
} Elsewhere;

static void *elsewhere_run (void *data)
{
    Elsewhere *elsewhere = data;
    while (!__atomic_load_n (&elsewhere->ends, __ATOMIC_ACQUIRE)) {
        eddy_context_iteration (elsewhere->context, true);
        __atomic_store_n (&elsewhere->runs, true, __ATOMIC_RELEASE);
    }
    while (eddy_context_iteration (elsewhere->context, false))
        ;
    return NULL;
}

/* Before the faults begin: what is tortured is who waits, not who runs a loop. */
static void elsewhere_begin (Elsewhere *elsewhere)
{
    *elsewhere = (Elsewhere){ .context = eddy_context_new () };
    torture_require (pthread_create (&elsewhere->thread, NULL, elsewhere_run, elsewhere) == 0);
    while (!__atomic_load_n (&elsewhere->runs, __ATOMIC_ACQUIRE)) {
        eddy_context_wakeup (elsewhere->context);
        usleep (100);
    }
}

static void elsewhere_end (Elsewhere *elsewhere)
{
    __atomic_store_n (&elsewhere->ends, true, __ATOMIC_RELEASE);
    eddy_context_wakeup (elsewhere->context);
    torture_require (pthread_join (elsewhere->thread, NULL) == 0);
    eddy_unref (elsewhere->context);
}

static void *far_run (void *data, EddyError **error)
{
    if (eddy_fiber_sleep (1000, error))
        return data;
    return NULL;
}

static void far_step (void *data)
{
    EddyContext *context = data;
    EddyError *error = NULL;
    EddyFuture *future = eddy_spawn (context, far_run, context, NULL);
    if (eddy_await (future, &error) != context)
        torture_error ("an await of another thread's future", &error);
    eddy_unref (future);
    EddyFuture *futures[2] = { eddy_spawn (context, far_run, context, NULL),
                               eddy_spawn (context, sleep_run, NULL, NULL) };
    await_future (eddy_future_race (futures, 2), "a race of another thread's futures");
}

TORTURE_SCENARIO (future_of_another_thread)
{
    Elsewhere elsewhere;
    elsewhere_begin (&elsewhere);
    torture_begin ();
    torture_await (far_step, elsewhere.context);
    torture_end ();
    elsewhere_end (&elsewhere);
}
