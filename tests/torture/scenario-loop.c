/* SPDX-License-Identifier: MIT */
/*
 * Contexts, sources of each kind, loops, work sent from other threads, cancellables.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "torture.h"

enum { TIMERS = 40, POSTS = 20 };

/* ---- Sources ------------------------------------------------------------------------------- */

typedef struct Ticks {
    int ticks;
    int last;
    int destroyed;
    int wanted;
} Ticks;

static bool tick (void *data)
{
    Ticks *ticks = data;
    return ++ticks->ticks < ticks->wanted;
}

static void ticks_destroy (void *data)
{
    Ticks *ticks = data;
    ticks->destroyed++;
}

/* Attaches a source; false, told, when it cannot be had. */
static bool source_start (EddySource *source, Ticks *ticks)
{
    if (torture_made ("a source", source) == NULL)
        return false;
    eddy_source_set_callback (source, tick, ticks, ticks_destroy);
    bool is_attached = eddy_source_attach (source, NULL);
    if (!is_attached)
        torture_refused ("to attach a source");
    eddy_unref (source);
    return is_attached;
}

static void source_run (EddySource *(*make) (void), int wanted)
{
    Ticks ticks = { .wanted = wanted };
    torture_begin ();
    EddyContext *context = torture_context_begin ();
    if (context == NULL)
        return;
    if (source_start (make (), &ticks)) {
        torture_run_until (context, &ticks.ticks, wanted);
        torture_run_until (context, &ticks.destroyed, 1);
        torture_end ();
        torture_require (ticks.ticks == wanted && ticks.destroyed == 1);
    }
    torture_context_end (context);
}

TORTURE_SCENARIO (source_idle)
{
    source_run (eddy_idle_source_new, 3);
}

static EddySource *timeout_make (void)
{
    return eddy_timeout_source_new (200000);
}

TORTURE_SCENARIO (source_timeout)
{
    source_run (timeout_make, 3);
}

static EddySource *signal_make (void)
{
    return eddy_signal_source_new (SIGUSR1);
}

TORTURE_SCENARIO (source_signal)
{
    Ticks ticks = { .wanted = 1 };
    struct sigaction before, after;
    torture_require (sigaction (SIGUSR1, NULL, &before) == 0);
    torture_begin ();
    EddyContext *context = torture_context_begin ();
    if (context == NULL)
        return;
    if (source_start (signal_make (), &ticks)) {
        kill (getpid (), SIGUSR1);
        torture_run_until (context, &ticks.ticks, 1);
        torture_end ();
        torture_require (ticks.ticks == 1 && ticks.destroyed == 1);
    }
    torture_context_end (context);
    torture_require (sigaction (SIGUSR1, NULL, &after) == 0);
    torture_require (after.sa_handler == before.sa_handler || torture_was_hit ());
}

static bool timer_fire (void *data)
{
    Ticks *ticks = data;
    ticks->ticks++;
    return false;
}

TORTURE_SCENARIO (source_timers)
{
    Ticks ticks = { .ticks = 0 };
    int attached = 0;
    torture_begin ();
    EddyContext *context = torture_context_begin ();
    if (context == NULL)
        return;
    for (int i = 0; i < TIMERS; i++) {
        EddySource *source = eddy_timeout_source_new ((i * 7919) % 1000 * 1000);
        if (torture_made ("a timer", source) == NULL)
            continue;
        eddy_source_set_callback (source, timer_fire, &ticks, ticks_destroy);
        bool is_attached = eddy_source_attach (source, context) != 0;
        /* Some go before their time. */
        if (i % 5 == 4)
            eddy_source_destroy (source);
        else
            attached += is_attached;
        eddy_unref (source);
    }
    torture_run_until (context, &ticks.ticks, attached);
    torture_end ();
    torture_require (ticks.ticks == attached);
    torture_context_end (context);
}

/* ---- Loops, and work from other threads ---------------------------------------------------- */

typedef struct Visit {
    EddyContext *context;
    EddyMainLoop *loop;
    int visits;
} Visit;

static bool visit_once (void *data)
{
    Visit *visit = data;
    if (++visit->visits == POSTS && visit->loop != NULL)
        eddy_main_loop_quit (visit->loop);
    return false;
}

static void *visit_thread (void *data)
{
    Visit *visit = data;
    for (int i = 0; i < POSTS; i++)
        eddy_context_invoke (visit->context, visit_once, visit);
    return NULL;
}

TORTURE_SCENARIO (loop_invoked_from_thread)
{
    Visit visit = { .visits = 0 };
    pthread_t thread;
    torture_begin ();
    visit.context = torture_context_begin ();
    if (visit.context == NULL)
        return;
    torture_require (pthread_create (&thread, NULL, visit_thread, &visit) == 0);
    torture_run_until (visit.context, &visit.visits, POSTS);
    pthread_join (thread, NULL);
    torture_end ();
    torture_require (visit.visits == POSTS);
    torture_context_end (visit.context);
}

TORTURE_SCENARIO (loop_run_and_quit)
{
    Visit visit = { .visits = 0 };
    pthread_t thread;
    torture_begin ();
    visit.context = torture_context_begin ();
    if (visit.context == NULL)
        return;
    visit.loop = torture_made ("a loop", eddy_main_loop_new (visit.context));
    if (visit.loop != NULL) {
        torture_require (pthread_create (&thread, NULL, visit_thread, &visit) == 0);
        eddy_main_loop_run (visit.loop);
        pthread_join (thread, NULL);
        /* A loop whose engine cannot be had returns at once. */
        if (visit.visits < POSTS)
            torture_refused ("to run a loop");
        torture_end ();
        torture_run_until (visit.context, &visit.visits, POSTS);
    }
    eddy_unref (visit.loop);
    torture_context_end (visit.context);
}

/* What was sent to a context that is never iterated is dropped with it. */
TORTURE_SCENARIO (loop_never_run)
{
    Visit visit = { .visits = 0 };
    torture_begin ();
    visit.context = torture_made ("a context", eddy_context_new ());
    if (visit.context == NULL)
        return;
    visit_thread (&visit);
    eddy_unref (visit.context);
    torture_end ();
    torture_require (visit.visits == 0);
}

/* ---- Cancellables -------------------------------------------------------------------------- */

typedef struct Watch {
    int called;
    int destroyed;
} Watch;

static void watch_called (EddyCancellable *cancellable, void *data)
{
    Watch *watch = data;
    torture_require (eddy_cancellable_is_cancelled (cancellable));
    watch->called++;
}

static void watch_destroyed (void *data)
{
    Watch *watch = data;
    watch->destroyed++;
}

/* Connected: called once and destroyed once. Refused with 0: then memory was out, and nothing is
 * kept. */
TORTURE_SCENARIO (cancellable_handlers)
{
    Watch kept = { 0, 0 }, gone = { 0, 0 }, late = { 0, 0 };
    EddyError *error = NULL;
    torture_begin ();
    EddyCancellable *parent = torture_made ("a cancellable", eddy_cancellable_new ());
    EddyCancellable *child =
        parent == NULL ? NULL : torture_made ("a child", eddy_cancellable_new_child (parent));
    if (child != NULL) {
        uint64_t first = eddy_cancellable_connect (child, watch_called, &kept, watch_destroyed);
        uint64_t second = eddy_cancellable_connect (child, watch_called, &gone, watch_destroyed);
        if (first == 0 || second == 0)
            torture_refused ("to connect");
        eddy_cancellable_disconnect (child, second);
        eddy_cancellable_cancel_with_cause (
            parent, eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_TIMED_OUT, "too late"));
        torture_require (eddy_cancellable_is_cancelled (child));
        torture_require (eddy_cancellable_set_error_if_cancelled (child, &error));
        if (!eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_TIMED_OUT))
            torture_error ("a cause", &error);
        eddy_clear_error (&error);
        torture_require (eddy_cancellable_connect (child, watch_called, &late, watch_destroyed) ==
                         0);
        torture_require (kept.called == (first != 0) && gone.called == 0);
        torture_require (late.called == 1 || torture_was_hit ());
    }
    eddy_unref (child);
    eddy_unref (parent);
    torture_end ();
    torture_require (child == NULL || torture_has_failed () ||
                     (kept.destroyed == 1 && gone.destroyed == 1 && late.destroyed == 1));
}
