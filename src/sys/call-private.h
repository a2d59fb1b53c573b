/* SPDX-License-Identifier: MIT */
/*
 * How a wrapper of sys/ is written: door, call, -errno. For the .c files of this room only.
 */
#pragma once

#include <errno.h>
#include <stdint.h>
#include <time.h>

#include "sys/fault-private.h"

/* The value of `expression`, a call that says -1 and errno, or what the door says instead. */
#define EDDY_SYS_CALL(call, expression)                                                            \
    ({                                                                                             \
        long call_result = eddy__sys_door (call);                                                  \
        if (call_result == 0) {                                                                    \
            call_result = (long) (expression);                                                     \
            if (call_result < 0)                                                                   \
                call_result = -errno;                                                              \
        }                                                                                          \
        call_result;                                                                               \
    })

/* The same for calls in which an interruption means nothing to anybody. */
#define EDDY_SYS_RETRY(call, expression)                                                           \
    ({                                                                                             \
        long retry_result;                                                                         \
        do {                                                                                       \
            retry_result = EDDY_SYS_CALL (call, expression);                                       \
        } while (retry_result == -EINTR);                                                          \
        retry_result;                                                                              \
    })

#define EDDY_SYS_NS_PER_SECOND INT64_C (1000000000)

/* NULL, which the kernel reads as "for ever", for a negative timeout. */
static inline struct timespec *eddy__sys_timespec (int64_t timeout_ns, struct timespec *time)
{
    if (timeout_ns < 0)
        return NULL;
    time->tv_sec = (time_t) (timeout_ns / EDDY_SYS_NS_PER_SECOND);
    time->tv_nsec = (long) (timeout_ns % EDDY_SYS_NS_PER_SECOND);
    return time;
}

static inline int64_t eddy__sys_nanoseconds (const struct timespec *time)
{
    return (int64_t) time->tv_sec * EDDY_SYS_NS_PER_SECOND + time->tv_nsec;
}
