/* SPDX-License-Identifier: MIT */
/*
 * Groups with deadlines and causes, fibers that say when they are ready, pools.
 */
#include "torture.h"

enum { FIBERS = 6, THREADS = 2 };

#define LONG_NS (INT64_C (3600) * 1000000000)

typedef struct Team {
    EddyPool *pool; /* NULL: the fibers are at home */
    int spawned;
    int destroyed; /* atomic */
} Team;

static void team_destroy (void *data)
{
    Team *team = data;
    __atomic_add_fetch (&team->destroyed, 1, __ATOMIC_RELAXED);
}

static void *sleep_long (void *data, EddyError **error)
{
    eddy_fiber_sleep (LONG_NS, error);
    return data;
}

static void *sleep_shortly (void *data, EddyError **error)
{
    eddy_fiber_sleep (20000, error);
    return data;
}

static EddyGroup *team_new_group (const Team *team)
{
    EddyGroup *group = team->pool == NULL ? eddy_group_new () : eddy_group_new_on_pool (team->pool);
    return torture_made ("a group", group);
}

static void team_spawn (Team *team, EddyGroup *group, EddyFiberFunc function)
{
    EddyError *error = NULL;
    team->spawned++;
    if (!eddy_group_spawn (group, function, team, team_destroy, &error))
        torture_error_or_cancelled ("to spawn", &error);
}

/* Whatever has failed, all data are gone at the end of a group. */
static void team_end (Team *team, EddyGroup *group)
{
    eddy_group_leave (group);
    torture_require (__atomic_load_n (&team->destroyed, __ATOMIC_RELAXED) == team->spawned);
}

/* ---- Deadlines and causes ------------------------------------------------------------------ */

static void deadline_step (void *data)
{
    Team *team = data;
    EddyError *error = NULL;
    EddyGroup *group = torture_made ("a group", eddy_group_new_with_timeout (200000));
    if (group == NULL)
        return;
    for (int i = 0; i < FIBERS; i++)
        team_spawn (team, group, sleep_long);
    if (eddy_group_wait (group, &error))
        torture_require (torture_has_failed ());
    else if (eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_TIMED_OUT))
        eddy_clear_error (&error);
    else
        torture_error ("a group with a deadline", &error);
    team_end (team, group);
}

TORTURE_SCENARIO (group_deadline)
{
    Team team = { .pool = NULL };
    torture_begin ();
    torture_await (deadline_step, &team);
}

static void cause_step (void *data)
{
    Team *team = data;
    EddyError *error = NULL;
    EddyGroup *group = team_new_group (team);
    if (group == NULL)
        return;
    for (int i = 0; i < FIBERS; i++)
        team_spawn (team, group, sleep_long);
    eddy_group_cancel_with_cause (group,
                                  eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_BUSY, "make room"));
    if (!eddy_group_wait (group, &error)) {
        if (eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_BUSY))
            eddy_clear_error (&error);
        else
            torture_error ("a cancelled group", &error);
    }
    team_end (team, group);
}

TORTURE_SCENARIO (group_cause)
{
    Team team = { .pool = NULL };
    torture_begin ();
    torture_await (cause_step, &team);
}

static void future_step (void *data)
{
    Team *team = data;
    EddyError *error = NULL;
    EddyGroup *group = team_new_group (team);
    if (group == NULL)
        return;
    for (int i = 0; i < FIBERS; i++)
        team_spawn (team, group, sleep_shortly);
    EddyFuture *end = eddy_group_wait_future (group);
    if (!eddy_await_boolean (end, &error))
        torture_error ("the end of a group", &error);
    eddy_unref (end);
    team_end (team, group);
}

TORTURE_SCENARIO (group_future)
{
    Team team = { .pool = NULL };
    torture_begin ();
    torture_await (future_step, &team);
}

/* ---- Fibers that are ready ----------------------------------------------------------------- */

static void *serve (void *data, EddyError **error)
{
    if (eddy_fiber_sleep (20000, error) && eddy_fiber_report_ready (data))
        eddy_fiber_sleep (LONG_NS, error);
    return NULL;
}

static void start_step (void *data)
{
    Team *team = data;
    EddyError *error = NULL;
    EddyGroup *group = team_new_group (team);
    if (group == NULL)
        return;
    for (int i = 0; i < FIBERS; i++) {
        team->spawned++;
        void *ready = eddy_group_start (group, serve, team, team_destroy, &error);
        torture_require (ready == (error == NULL ? team : NULL));
        if (ready == NULL)
            torture_error ("to start", &error);
    }
    team_end (team, group);
}

TORTURE_SCENARIO (group_start)
{
    Team team = { .pool = NULL };
    torture_begin ();
    torture_await (start_step, &team);
}

/* ---- Pools --------------------------------------------------------------------------------- */

static void pool_group_step (void *data)
{
    Team *team = data;
    EddyError *error = NULL;
    EddyGroup *group = team_new_group (team);
    if (group == NULL)
        return;
    for (int i = 0; i < FIBERS; i++)
        team_spawn (team, group, sleep_shortly);
    if (!eddy_group_wait (group, &error))
        torture_error ("a group on a pool", &error);
    team_end (team, group);
}

static void pool_future_step (void *data)
{
    Team *team = data;
    EddyFuture *futures[FIBERS];
    EddyError *error = NULL;
    for (int i = 0; i < FIBERS; i++)
        futures[i] = eddy_pool_spawn (team->pool, sleep_shortly, team, team_destroy);
    for (int i = 0; i < FIBERS; i++) {
        if (eddy_await (futures[i], &error) != team)
            torture_error ("a fiber of a pool", &error);
        eddy_unref (futures[i]);
    }
}

/* With a pool of its own. A close that fails leaves it to end by itself. */
static void torture_pool (void (*step) (void *data))
{
    EddyError *error = NULL;
    Team team = { .pool = NULL };
    torture_begin ();
    team.pool = eddy_pool_new (THREADS, &error);
    if (team.pool == NULL) {
        torture_error ("a pool", &error);
        torture_end ();
        return;
    }
    torture_await (step, &team);
    if (!eddy_pool_close (team.pool, NULL, &error))
        torture_error ("to close a pool", &error);
    torture_end ();
    eddy_unref (team.pool);
}

TORTURE_SCENARIO (pool_group)
{
    torture_pool (pool_group_step);
}

TORTURE_SCENARIO (pool_futures)
{
    torture_pool (pool_future_step);
}

TORTURE_SCENARIO (pool_group_cause)
{
    torture_pool (cause_step);
}

TORTURE_SCENARIO (pool_group_start)
{
    torture_pool (start_step);
}
