/* SPDX-License-Identifier: MIT */
/*
 * The clocks, in nanoseconds. Monotonic is what every deadline of Eddy means.
 */
#pragma once

#include <pthread.h>
#include <stdint.h>
#include <time.h>

/* These three cannot fail, and pass no door. */
int64_t eddy__sys_now_ns (void);      /* CLOCK_MONOTONIC */
int64_t eddy__sys_coarse_ns (void);   /* the same, up to 10 ms late, in a sixth of the time */
int64_t eddy__sys_realtime_ns (void); /* CLOCK_REALTIME, since 1970 */

/* CPU time that another, still living thread has used, or -errno: ask for its clock once, then read
   the clock. A worker whose clock stands still is blocked. */
int eddy__sys_thread_clock (pthread_t thread, clockid_t *clock);
int64_t eddy__sys_clock_ns (clockid_t clock);
