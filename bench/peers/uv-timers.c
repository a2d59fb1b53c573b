/* SPDX-License-Identifier: MIT */
/*
 * uv-timers (add|cancel)-(in-order|at-random) N: what contract-timers does, with uv_timer_start and
 * uv_timer_stop.
 *
 * Why it is the fair way: the handles lie in one array and are initialised beforehand, so that only
 * the starts and the stops are timed; libuv allocates nothing for either.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "bench-clock.h"
#include "bench-timers.h"

#define TIMERS_PROBED_EVERY 1000

static uint64_t timers_fired;

static void timers_fire (uv_timer_t *timer)
{
    (void) timer;
    timers_fired++;
}

static uv_timer_t *timers_make (uint32_t count)
{
    uv_timer_t *timers = calloc (count, sizeof *timers);
    for (uint32_t i = 0; timers && i < count; i++)
        if (uv_timer_init (uv_default_loop (), &timers[i]) != 0)
            return NULL;
    return timers;
}

static void timers_run (uv_timer_t *timers, const TimersWork *work, double *add_ns,
                        double *cancel_ns)
{
    uv_update_time (uv_default_loop ());
    double begin_ns = bench_now_ns ();
    for (uint32_t i = 0; i < work->count; i++)
        uv_timer_start (&timers[i], timers_fire, work->deadlines_ms[i], 0);
    uv_run (uv_default_loop (), UV_RUN_NOWAIT);
    *add_ns = bench_now_ns () - begin_ns;
    begin_ns = bench_now_ns ();
    for (uint32_t i = 0; i < work->count; i++)
        uv_timer_stop (&timers[work->cancel_order[i]]);
    uv_run (uv_default_loop (), UV_RUN_NOWAIT);
    *cancel_ns = bench_now_ns () - begin_ns;
}

/* Whether those that are due fire, and no other. */
static bool timers_are_right (uv_timer_t *timers, const TimersWork *work)
{
    uint64_t due = 0, before = timers_fired;
    uv_update_time (uv_default_loop ());
    for (uint32_t i = 0; i < work->count; i++) {
        bool probed = i % TIMERS_PROBED_EVERY == 0;
        uv_timer_start (&timers[i], timers_fire,
                        (uint64_t) timers_get_near_ns (work, i) / (1000 * 1000), 0);
        if (!probed)
            uv_timer_stop (&timers[i]);
        due += probed;
    }
    uv_run (uv_default_loop (), UV_RUN_DEFAULT);
    return before == 0 && timers_fired == due;
}

int main (int argc, char **argv)
{
    TimersWork work;
    if (!timers_prepare (&work, argc, argv)) {
        fputs ("usage: uv-timers (add|cancel)-(in-order|at-random) N\n", stderr);
        return 2;
    }
    uv_timer_t *timers = timers_make (work.count);
    if (!timers) {
        fputs ("uv-timers: not all timers could be made\n", stderr);
        return 1;
    }
    double add_ns, cancel_ns;
    timers_run (timers, &work, &add_ns, &cancel_ns); /* tables grow, and stay */
    timers_run (timers, &work, &add_ns, &cancel_ns);
    if (!timers_are_right (timers, &work)) {
        fprintf (stderr, "uv-timers: %" PRIu64 " fired\n", timers_fired);
        return 1;
    }
    printf ("%.3f\n", (work.measures_cancel ? cancel_ns : add_ns) / (double) work.count);
    return 0;
}
