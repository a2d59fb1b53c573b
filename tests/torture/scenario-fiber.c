/* SPDX-License-Identifier: MIT */
/*
 * Fibers and groups: spawned, awaited, limited, cancelled, from other threads too.
 */
#include <pthread.h>
#include <stdlib.h>

#include "torture.h"

enum { FIBERS = 12, LIMIT = 3 };

/* ---- A group ------------------------------------------------------------------------------- */

typedef struct Crowd {
    unsigned limit;
    int begun;
    int ended;
    int destroyed;
    int running;
    bool fails; /* the last one, by itself */
} Crowd;

static void *member_run (void *data, EddyError **error)
{
    Crowd *crowd = data;
    crowd->begun++;
    crowd->running++;
    torture_require (crowd->limit == 0 || crowd->running <= (int) crowd->limit);
    bool has_slept = eddy_fiber_sleep (crowd->begun * 50000, error);
    crowd->running--;
    if (!has_slept)
        return NULL;
    eddy_fiber_yield ();
    crowd->ended++;
    return NULL;
}

static void member_destroy (void *data)
{
    Crowd *crowd = data;
    crowd->destroyed++;
}

static void crowd_step (void *data)
{
    Crowd *crowd = data;
    EddyError *error = NULL;
    int spawned = 0;
    EddyGroup *group = torture_made ("a group", eddy_group_new ());
    if (group == NULL)
        return;
    eddy_group_set_limit (group, crowd->limit);
    for (int i = 0; i < FIBERS; i++)
        if (eddy_group_spawn (group, member_run, crowd, member_destroy, &error))
            spawned++;
        else
            torture_error_or_cancelled ("to spawn in a group", &error);
    bool is_good = eddy_group_wait (group, &error);
    /* The promise of a group: whatever has failed, nobody runs any more, and all data are gone. */
    torture_require (crowd->running == 0);
    torture_require (crowd->destroyed == FIBERS);
    if (is_good)
        torture_require (crowd->ended == spawned);
    else
        torture_error ("a group", &error);
    eddy_unref (group);
}

TORTURE_SCENARIO (fiber_group)
{
    Crowd crowd = { .limit = 0 };
    torture_begin ();
    torture_await (crowd_step, &crowd);
    torture_require (torture_has_failed () || crowd.ended == FIBERS);
}

TORTURE_SCENARIO (fiber_group_limited)
{
    Crowd crowd = { .limit = LIMIT };
    torture_begin ();
    torture_await (crowd_step, &crowd);
    torture_require (torture_has_failed () || crowd.ended == FIBERS);
}

static void *member_wait (void *data, EddyError **error)
{
    Crowd *crowd = data;
    crowd->begun++;
    if (eddy_fiber_sleep (INT64_C (3600) * 1000000000, error))
        crowd->ended++;
    return NULL;
}

static void cancel_step (void *data)
{
    Crowd *crowd = data;
    EddyError *error = NULL;
    EddyGroup *group = torture_made ("a group", eddy_group_new ());
    if (group == NULL)
        return;
    for (int i = 0; i < FIBERS; i++)
        if (!eddy_group_spawn (group, member_wait, crowd, member_destroy, &error))
            torture_error_or_cancelled ("to spawn in a group", &error);
    if (!eddy_fiber_sleep (1000, &error))
        torture_error ("sleep", &error);
    eddy_group_cancel (group);
    if (!eddy_group_wait (group, &error))
        torture_error_or_cancelled ("a cancelled group", &error);
    torture_require (crowd->ended == 0 && crowd->destroyed == FIBERS);
    eddy_unref (group);
}

TORTURE_SCENARIO (fiber_group_cancelled)
{
    Crowd crowd = { .limit = 0 };
    torture_begin ();
    torture_await (cancel_step, &crowd);
}

/* ---- Values -------------------------------------------------------------------------------- */

static void *value_make (void *data, EddyError **error)
{
    int *number = data;
    eddy_fiber_yield ();
    if (*number < 0) {
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_DATA, "%d is negative",
                        *number);
        return NULL;
    }
    return number;
}

static void value_step (void *data)
{
    int *numbers = data;
    EddyError *error = NULL;
    EddyFuture *good = eddy_spawn_local (value_make, &numbers[0], NULL);
    EddyFuture *bad = eddy_spawn_local (value_make, &numbers[1], NULL);
    void *value = eddy_await (good, &error);
    if (error != NULL)
        torture_error ("a fiber", &error);
    else
        torture_require (value == &numbers[0]);
    torture_require (eddy_await (bad, &error) == NULL && error != NULL);
    if (!eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_DATA))
        torture_error ("a fiber that fails", &error);
    eddy_clear_error (&error);
    eddy_unref (good);
    eddy_unref (bad);
}

TORTURE_SCENARIO (fiber_values)
{
    int numbers[2] = { 7, -7 };
    torture_begin ();
    torture_await (value_step, numbers);
}

/* ---- Cancelled while they wait ------------------------------------------------------------- */

static void *sleep_long (void *data, EddyError **error)
{
    int *ended = data;
    bool has_slept = eddy_fiber_sleep (INT64_C (3600) * 1000000000, error);
    torture_require (!has_slept && *error != NULL);
    ++*ended;
    return NULL;
}

static void drop_step (void *data)
{
    EddyError *error = NULL;
    EddyFuture *dropped = eddy_spawn_local (sleep_long, data, NULL);
    EddyFuture *cancelled = eddy_spawn_local (sleep_long, data, NULL);
    eddy_fiber_yield ();
    eddy_unref (dropped);
    eddy_future_cancel (cancelled);
    torture_require (!eddy_await_complete (cancelled, &error) && error != NULL);
    torture_error_or_cancelled ("a cancelled fiber", &error);
    eddy_unref (cancelled);
}

TORTURE_SCENARIO (fiber_dropped)
{
    int ended = 0;
    torture_begin ();
    torture_await (drop_step, &ended);
    torture_require (ended == 2 || torture_was_hit ());
}

/* ---- From another thread ------------------------------------------------------------------- */

typedef struct Guest {
    EddyContext *context;
    int ran;
    int destroyed;
} Guest;

static void *guest_run (void *data, EddyError **error)
{
    Guest *guest = data;
    if (eddy_fiber_sleep (1000, error))
        guest->ran++;
    return NULL;
}

static void guest_destroy (void *data)
{
    Guest *guest = data;
    __atomic_add_fetch (&guest->destroyed, 1, __ATOMIC_RELEASE);
}

static void *guest_thread (void *data)
{
    Guest *guest = data;
    for (int i = 0; i < FIBERS; i++)
        eddy_spawn_detached (guest->context, guest_run, guest, guest_destroy);
    /* One that could not begin was given up here, and the loop knows nothing of it. */
    eddy_context_wakeup (guest->context);
    return NULL;
}

/* Nobody hears of an error, but what is given to a fiber is given up again. */
TORTURE_SCENARIO (fiber_detached_from_thread)
{
    pthread_t thread;
    Guest guest = { .ran = 0 };
    torture_begin ();
    guest.context = torture_context_begin ();
    if (guest.context == NULL)
        return;
    torture_require (pthread_create (&thread, NULL, guest_thread, &guest) == 0);
    torture_run_until (guest.context, &guest.destroyed, FIBERS);
    pthread_join (thread, NULL);
    torture_end ();
    torture_require (guest.destroyed == FIBERS);
    torture_require (guest.ran == FIBERS || torture_was_hit ());
    torture_context_end (guest.context);
}
