/* SPDX-License-Identifier: MIT */
/* Room for many open fds. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

/* Raises the soft limit so that `count` fds can be open beside the program's own; false when the
 * hard limit is lower. */
static inline bool bench_make_room_for_fds (uint64_t count)
{
    struct rlimit limit;
    rlim_t wanted = (rlim_t) count + 64;
    if (getrlimit (RLIMIT_NOFILE, &limit) < 0)
        return false;
    if (limit.rlim_cur >= wanted)
        return true;
    limit.rlim_cur = wanted;
    return limit.rlim_max >= wanted && setrlimit (RLIMIT_NOFILE, &limit) == 0;
}
