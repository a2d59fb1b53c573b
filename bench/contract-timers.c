/* SPDX-License-Identifier: MIT */
/*
 * contract-timers (add|cancel)-(in-order|at-random) N: arms N timers and cancels them, all N live
 * at a time; prints nanoseconds for each add or each cancel. What is put off until the loop runs
 * next is counted with it. The peer is `uv-timers`.
 *
 * The timers are sources that exist and are attached beforehand, as libuv's handles are initialised
 * beforehand: to arm one is eddy_source_set_ready_time (source, when), to cancel it
 * eddy_source_set_ready_time (source, -1). The main thread has the context, as a running loop has.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <eddy/eddy.h>

#include "bench-clock.h"
#include "bench-timers.h"

#define TIMERS_PROBED_EVERY 1000

static uint64_t timers_fired;

/* Fires once and stays. */
static bool timers_dispatch (EddySource *source, EddySourceFunc callback, void *user_data)
{
    (void) callback;
    (void) user_data;
    eddy_source_set_ready_time (source, -1);
    timers_fired++;
    return EDDY_SOURCE_CONTINUE;
}

static const EddySourceFuncs timers_funcs = { .dispatch = timers_dispatch };

static EddySource **timers_make (uint32_t count)
{
    EddySource **sources = calloc (count, sizeof (EddySource *));
    for (uint32_t i = 0; sources && i < count; i++) {
        sources[i] = eddy_source_new (&timers_funcs, 0);
        if (!sources[i] || eddy_source_attach (sources[i], NULL) == 0)
            return NULL;
    }
    return sources;
}

/* The times of adding and of cancelling, for all. */
static void timers_run (EddySource **sources, const TimersWork *work, double *add_ns,
                        double *cancel_ns)
{
    int64_t now_ns = eddy_get_monotonic_time_ns ();
    double begin_ns = bench_now_ns ();
    for (uint32_t i = 0; i < work->count; i++)
        eddy_source_set_ready_time (sources[i],
                                    now_ns + (int64_t) work->deadlines_ms[i] * 1000 * 1000);
    eddy_context_iteration (NULL, false);
    *add_ns = bench_now_ns () - begin_ns;
    begin_ns = bench_now_ns ();
    for (uint32_t i = 0; i < work->count; i++)
        eddy_source_set_ready_time (sources[work->cancel_order[i]], -1);
    eddy_context_iteration (NULL, false);
    *cancel_ns = bench_now_ns () - begin_ns;
}

/* Whether those that are due fire, and no other. */
static bool timers_are_right (EddySource **sources, const TimersWork *work)
{
    uint64_t due = 0, before = timers_fired;
    int64_t now_ns = eddy_get_monotonic_time_ns ();
    for (uint32_t i = 0; i < work->count; i++) {
        bool probed = i % TIMERS_PROBED_EVERY == 0;
        eddy_source_set_ready_time (sources[i], now_ns + timers_get_near_ns (work, i));
        if (!probed)
            eddy_source_set_ready_time (sources[i], -1);
        due += probed;
    }
    while (timers_fired - before < due)
        eddy_context_iteration (NULL, true);
    eddy_context_iteration (NULL, false);
    return before == 0 && timers_fired == due;
}

int main (int argc, char **argv)
{
    TimersWork work;
    if (!timers_prepare (&work, argc, argv)) {
        fputs ("usage: contract-timers (add|cancel)-(in-order|at-random) N\n", stderr);
        return 2;
    }
    eddy_context_acquire (NULL);
    EddySource **sources = timers_make (work.count);
    if (!sources) {
        fputs ("contract-timers: not all sources could be made\n", stderr);
        return 1;
    }
    double add_ns, cancel_ns;
    timers_run (sources, &work, &add_ns, &cancel_ns);
    if (!timers_are_right (sources, &work)) {
        fprintf (stderr, "contract-timers: %" PRIu64 " fired\n", timers_fired);
        return 1;
    }
    printf ("%.3f\n", (work.measures_cancel ? cancel_ns : add_ns) / (double) work.count);
    return 0;
}
