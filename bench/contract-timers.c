/* SPDX-License-Identifier: MIT */
/*
 * contract-timers (add|cancel)-(in-order|at-random) N: arms N timers and cancels them, all N live
 * at a time; prints nanoseconds for each add or each cancel. What is put off until the loop runs
 * next is counted with it. The peer is `uv-timers`.
 *
 * The timers are timed posts, in memory of the program's own and made beforehand, as libuv's
 * handles are: to arm one is eddy_context_post_at (), to cancel it eddy_context_take_back (). The
 * main thread has the context, as a running loop has.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <eddy/eddy.h>

#include "bench-clock.h"
#include "bench-timers.h"

#define TIMERS_PROBED_EVERY 1000

static uint64_t timers_fired;

static void timers_run_one (EddyTimedPost *timed)
{
    (void) timed;
    timers_fired++;
}

static EddyTimedPost *timers_make (uint32_t count)
{
    EddyTimedPost *timers = calloc (count, sizeof *timers);
    for (uint32_t i = 0; timers && i < count; i++)
        timers[i] = (EddyTimedPost){ .run = timers_run_one };
    return timers;
}

/* The times of adding and of cancelling, for all. */
static void timers_run (EddyTimedPost *timers, const TimersWork *work, double *add_ns,
                        double *cancel_ns)
{
    int64_t now_ns = eddy_get_monotonic_time_ns ();
    double begin_ns = bench_now_ns ();
    for (uint32_t i = 0; i < work->count; i++)
        eddy_context_post_at (NULL, &timers[i],
                              now_ns + (int64_t) work->deadlines_ms[i] * 1000 * 1000);
    eddy_context_iteration (NULL, false);
    *add_ns = bench_now_ns () - begin_ns;
    begin_ns = bench_now_ns ();
    for (uint32_t i = 0; i < work->count; i++)
        eddy_context_take_back (NULL, &timers[work->cancel_order[i]]);
    eddy_context_iteration (NULL, false);
    *cancel_ns = bench_now_ns () - begin_ns;
}

/* Whether those that are due fire, and no other. */
static bool timers_are_right (EddyTimedPost *timers, const TimersWork *work)
{
    uint64_t due = 0, before = timers_fired;
    int64_t now_ns = eddy_get_monotonic_time_ns ();
    for (uint32_t i = 0; i < work->count; i++) {
        bool probed = i % TIMERS_PROBED_EVERY == 0;
        eddy_context_post_at (NULL, &timers[i], now_ns + timers_get_near_ns (work, i));
        if (!probed)
            eddy_context_take_back (NULL, &timers[i]);
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
    EddyTimedPost *timers = timers_make (work.count);
    if (!timers) {
        fputs ("contract-timers: memory is out\n", stderr);
        return 1;
    }
    double add_ns, cancel_ns;
    timers_run (timers, &work, &add_ns, &cancel_ns); /* tables grow, and stay */
    timers_run (timers, &work, &add_ns, &cancel_ns);
    if (!timers_are_right (timers, &work)) {
        fprintf (stderr, "contract-timers: %" PRIu64 " fired\n", timers_fired);
        return 1;
    }
    printf ("%.3f\n", (work.measures_cancel ? cancel_ns : add_ns) / (double) work.count);
    return 0;
}
