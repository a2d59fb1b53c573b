/* SPDX-License-Identifier: MIT */
/* The clock that all programs of bench/ measure by. */
#pragma once

#include <time.h>

static inline double bench_now_ns (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (double) now.tv_sec * 1e9 + (double) now.tv_nsec;
}
