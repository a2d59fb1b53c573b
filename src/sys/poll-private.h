/* SPDX-License-Identifier: MIT */
/*
 * Waiting for descriptors: epoll, poll, eventfd, timerfd, pidfd. Each returns 0, a count or an fd,
 * or -errno, and passes the fault door first. Waits report -EINTR: their caller knows whether the
 * signal meant it. Every fd made here is close-on-exec and, where it can be read, non-blocking.
 *
 * Timeouts are nanoseconds from now; -1 (any negative number) is for ever, 0 only looks.
 */
#pragma once

#include <poll.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/types.h>

int eddy__sys_epoll_create1 (void);
/* `event` may be NULL for EPOLL_CTL_DEL. */
int eddy__sys_epoll_ctl (int epoll_fd, int operation, int fd, struct epoll_event *event);
/* By epoll_pwait2; where that is missing (Linux before 5.11) by epoll_wait, rounded up to the next
   millisecond, so that a timer is never early. */
int eddy__sys_epoll_wait (int epoll_fd, struct epoll_event *events, int n_events,
                          int64_t timeout_ns);
/* The number of ready entries, 0 when the time is over. */
int eddy__sys_ppoll (struct pollfd *fds, unsigned n_fds, int64_t timeout_ns);

int eddy__sys_eventfd (void);
/* Adds 1. A counter that is full already is readable: that is success, too. */
int eddy__sys_eventfd_write (int fd);
/* Takes the counter into *count (may be NULL) and returns 0; -EAGAIN when nobody wrote. */
int eddy__sys_eventfd_read (int fd, uint64_t *count);

int eddy__sys_timerfd_create (void); /* CLOCK_MONOTONIC */
/* At an absolute time of eddy__sys_now_ns; a time in the past fires at once, -1 disarms. */
int eddy__sys_timerfd_settime (int fd, int64_t deadline_ns);

int eddy__sys_pidfd_open (pid_t pid);
