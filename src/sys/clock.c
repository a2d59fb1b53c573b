/* SPDX-License-Identifier: MIT */
/*
 * The clocks.
 */
#include "sys/clock-private.h"

#include "sys/call-private.h"

int64_t eddy__sys_now_ns (void)
{
    struct timespec time = { 0, 0 };

    clock_gettime (CLOCK_MONOTONIC, &time);
    return eddy__sys_nanoseconds (&time);
}

int64_t eddy__sys_coarse_ns (void)
{
    struct timespec time = { 0, 0 };

    clock_gettime (CLOCK_MONOTONIC_COARSE, &time);
    return eddy__sys_nanoseconds (&time);
}

int64_t eddy__sys_realtime_ns (void)
{
    struct timespec time = { 0, 0 };

    clock_gettime (CLOCK_REALTIME, &time);
    return eddy__sys_nanoseconds (&time);
}

int eddy__sys_thread_clock (pthread_t thread, clockid_t *clock)
{
    /* No system call: libc computes the clock's number from the thread's. */
    return -pthread_getcpuclockid (thread, clock);
}

int64_t eddy__sys_clock_ns (clockid_t clock)
{
    struct timespec time = { 0, 0 };
    long result = EDDY_SYS_CALL (EDDY_SYS_CLOCK_GETTIME, clock_gettime (clock, &time));

    return result < 0 ? result : eddy__sys_nanoseconds (&time);
}
