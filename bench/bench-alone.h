/* SPDX-License-Identifier: MIT */
/* To a process of several threads the kernel's look at an fd costs more, whoever asks for it, and
 * there may be idle ones that go by themselves: waiting for that. */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

/* How many threads the process has; -1: nobody knows. */
static inline int bench_count_threads (void)
{
    struct stat status;
    return stat ("/proc/self/task", &status) < 0 ? -1 : (int) status.st_nlink - 2;
}

/* Whether there is one thread only, within a second. */
static inline bool bench_wait_until_alone (void)
{
    const struct timespec moment = { .tv_nsec = 1000000 };
    for (int i = 0; i < 1000 && bench_count_threads () > 1; i++)
        nanosleep (&moment, NULL);
    if (bench_count_threads () == 1)
        return true;
    fputs ("the threads of before have not gone\n", stderr);
    return false;
}
