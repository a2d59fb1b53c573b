/* SPDX-License-Identifier: MIT */
/*
 * Waiting for descriptors.
 */
#include "sys/poll-private.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "sys/call-private.h"

/* ---- epoll and poll ------------------------------------------------------------------------ */

int eddy__sys_epoll_create1 (void)
{
    return (int) EDDY_SYS_CALL (EDDY_SYS_EPOLL_CREATE1, epoll_create1 (EPOLL_CLOEXEC));
}

int eddy__sys_epoll_ctl (int epoll_fd, int operation, int fd, struct epoll_event *event)
{
    return (int) EDDY_SYS_CALL (EDDY_SYS_EPOLL_CTL, epoll_ctl (epoll_fd, operation, fd, event));
}

static int epoll_wait_milliseconds (int64_t timeout_ns)
{
    int64_t milliseconds;

    if (timeout_ns < 0)
        return -1;
    milliseconds = timeout_ns / 1000000 + (timeout_ns % 1000000 != 0);
    return milliseconds < INT_MAX ? (int) milliseconds : INT_MAX;
}

int eddy__sys_epoll_wait (int epoll_fd, struct epoll_event *events, int n_events,
                          int64_t timeout_ns)
{
    /* Asked once in a process's life: a kernel does not learn a system call. */
    static atomic_bool is_missing;
    struct timespec time;
    int result;

    if (!atomic_load_explicit (&is_missing, memory_order_relaxed)) {
        result = (int) EDDY_SYS_CALL (EDDY_SYS_EPOLL_PWAIT2,
                                      epoll_pwait2 (epoll_fd, events, n_events,
                                                    eddy__sys_timespec (timeout_ns, &time), NULL));
        /* -EPERM is how older containers' filters refuse what they do not know; epoll_pwait2
           itself never says it. */
        if (result != -ENOSYS && result != -EPERM)
            return result;
        atomic_store_explicit (&is_missing, true, memory_order_relaxed);
    }
    return (int) EDDY_SYS_CALL (
        EDDY_SYS_EPOLL_WAIT,
        epoll_wait (epoll_fd, events, n_events, epoll_wait_milliseconds (timeout_ns)));
}

int eddy__sys_ppoll (struct pollfd *fds, unsigned n_fds, int64_t timeout_ns)
{
    struct timespec time;

    return (int) EDDY_SYS_CALL (EDDY_SYS_PPOLL,
                                ppoll (fds, n_fds, eddy__sys_timespec (timeout_ns, &time), NULL));
}

/* ---- eventfd ------------------------------------------------------------------------------- */

int eddy__sys_eventfd (void)
{
    return (int) EDDY_SYS_CALL (EDDY_SYS_EVENTFD, eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK));
}

int eddy__sys_eventfd_write (int fd)
{
    uint64_t one = 1;
    long result = EDDY_SYS_RETRY (EDDY_SYS_EVENTFD_WRITE, write (fd, &one, sizeof one));

    return result == -EAGAIN || result > 0 ? 0 : (int) result;
}

int eddy__sys_eventfd_read (int fd, uint64_t *count)
{
    uint64_t taken = 0;
    long result = EDDY_SYS_RETRY (EDDY_SYS_EVENTFD_READ, read (fd, &taken, sizeof taken));

    if (result < 0)
        return (int) result;
    if (count != NULL)
        *count = taken;
    return 0;
}

/* ---- timerfd and pidfd --------------------------------------------------------------------- */

int eddy__sys_timerfd_create (void)
{
    return (int) EDDY_SYS_CALL (EDDY_SYS_TIMERFD_CREATE,
                                timerfd_create (CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
}

int eddy__sys_timerfd_settime (int fd, int64_t deadline_ns)
{
    struct itimerspec timer = { { 0, 0 }, { 0, 0 } };

    /* A zero time would disarm: the start of the clock is a nanosecond later. */
    if (deadline_ns >= 0)
        eddy__sys_timespec (deadline_ns > 0 ? deadline_ns : 1, &timer.it_value);
    return (int) EDDY_SYS_CALL (EDDY_SYS_TIMERFD_SETTIME,
                                timerfd_settime (fd, TFD_TIMER_ABSTIME, &timer, NULL));
}

int eddy__sys_pidfd_open (pid_t pid)
{
    /* By number: glibc has a wrapper since 2.36 only. The kernel always sets close-on-exec. */
    return (int) EDDY_SYS_CALL (EDDY_SYS_PIDFD_OPEN, syscall (SYS_pidfd_open, pid, 0));
}
