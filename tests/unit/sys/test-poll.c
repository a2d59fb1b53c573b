/* SPDX-License-Identifier: MIT */
/*
 * Waiting for descriptors: readiness, timeouts, and the way without epoll_pwait2.
 */
#include <errno.h>
#include <unistd.h>

#include "faults.h"
#include "sys/clock-private.h"
#include "sys/file-private.h"
#include "sys/poll-private.h"
#include "test.h"

enum { MILLISECOND = 1000000 };

static int epoll_open_with (int fd, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.fd = fd };
    int epoll_fd = eddy__sys_epoll_create1 ();

    ck_assert_int_ge (epoll_fd, 0);
    ck_assert_int_ne (fcntl (epoll_fd, F_GETFD) & FD_CLOEXEC, 0);
    ck_assert_int_eq (eddy__sys_epoll_ctl (epoll_fd, EPOLL_CTL_ADD, fd, &event), 0);
    return epoll_fd;
}

/* ---- epoll ----------------------------------------------------------------------------------- */

EDDY_TEST (epoll_tells_readiness)
{
    struct epoll_event event;
    int fd = eddy__sys_eventfd (), epoll_fd = epoll_open_with (fd, EPOLLIN);

    ck_assert_int_eq (eddy__sys_epoll_wait (epoll_fd, &event, 1, 0), 0);
    ck_assert_int_eq (eddy__sys_eventfd_write (fd), 0);
    ck_assert_int_eq (eddy__sys_epoll_wait (epoll_fd, &event, 1, -1), 1);
    ck_assert_int_eq (event.data.fd, fd);
    ck_assert_uint_eq (event.events, EPOLLIN);
    ck_assert_int_eq (eddy__sys_epoll_ctl (epoll_fd, EPOLL_CTL_DEL, fd, NULL), 0);
    ck_assert_int_eq (eddy__sys_epoll_ctl (epoll_fd, EPOLL_CTL_DEL, fd, NULL), -ENOENT);
    eddy__sys_close (epoll_fd);
    eddy__sys_close (fd);
}

/* Waits 2.5 ms on nothing, and returns how long that was. */
static int64_t epoll_wait_idle (int epoll_fd)
{
    struct epoll_event event;
    int64_t begin_ns = eddy__sys_now_ns ();

    ck_assert_int_eq (eddy__sys_epoll_wait (epoll_fd, &event, 1, 5 * MILLISECOND / 2), 0);
    return eddy__sys_now_ns () - begin_ns;
}

EDDY_TEST (epoll_waits_by_the_nanosecond)
{
    int fd = eddy__sys_eventfd (), epoll_fd = epoll_open_with (fd, EPOLLIN);

    eddy_test_count_calls ();
    ck_assert_int_ge (epoll_wait_idle (epoll_fd), 5 * MILLISECOND / 2);
    ck_assert_uint_eq (eddy_test_call_count (EDDY_SYS_EPOLL_PWAIT2), 1);
    eddy__sys_close (epoll_fd);
    eddy__sys_close (fd);
}

static void epoll_works_without_pwait2 (int error)
{
    struct epoll_event event;
    int fd = eddy__sys_eventfd (), epoll_fd = epoll_open_with (fd, EPOLLIN);

    eddy_test_fail_call (EDDY_SYS_EPOLL_PWAIT2, 1, error, /* from_then_on= */ true);
    /* Rounded up: 2.5 ms become 3, never 2. */
    ck_assert_int_ge (epoll_wait_idle (epoll_fd), 3 * MILLISECOND - MILLISECOND / 20);
    ck_assert_int_eq (eddy__sys_eventfd_write (fd), 0);
    ck_assert_int_eq (eddy__sys_epoll_wait (epoll_fd, &event, 1, INT64_MAX), 1);
    ck_assert_int_eq (eddy__sys_epoll_wait (epoll_fd, &event, 1, -1), 1);
    ck_assert_int_eq (eddy__sys_epoll_wait (epoll_fd, &event, 1, 0), 1);
    /* Asked once, remembered. */
    ck_assert_uint_eq (eddy_test_fault_hits (EDDY_SYS_EPOLL_PWAIT2), 1);
    ck_assert_uint_eq (eddy_test_call_count (EDDY_SYS_EPOLL_WAIT), 4);
    eddy__sys_close (epoll_fd);
    eddy__sys_close (fd);
}

EDDY_TEST (epoll_falls_back_when_pwait2_is_missing)
{
    epoll_works_without_pwait2 (ENOSYS);
}

EDDY_TEST (epoll_falls_back_when_pwait2_is_filtered)
{
    epoll_works_without_pwait2 (EPERM);
}

/* ---- poll ------------------------------------------------------------------------------------ */

EDDY_TEST (ppoll_tells_readiness_and_time)
{
    int fds[2];
    struct pollfd entry = { .events = POLLIN };
    int64_t begin_ns = eddy__sys_now_ns ();

    ck_assert_int_eq (eddy__sys_pipe2 (fds, 0), 0);
    entry.fd = fds[0];
    ck_assert_int_eq (eddy__sys_ppoll (&entry, 1, 0), 0);
    ck_assert_int_eq (eddy__sys_ppoll (&entry, 1, 2 * MILLISECOND), 0);
    ck_assert_int_ge (eddy__sys_now_ns () - begin_ns, 2 * MILLISECOND);
    ck_assert_int_eq (eddy__sys_write (fds[1], "x", 1), 1);
    ck_assert_int_eq (eddy__sys_ppoll (&entry, 1, -1), 1);
    ck_assert_int_eq (entry.revents, POLLIN);
    eddy__sys_close (fds[0]);
    eddy__sys_close (fds[1]);
}

/* ---- eventfd, timerfd, pidfd ----------------------------------------------------------------- */

EDDY_TEST (eventfd_counts_and_is_never_too_full)
{
    uint64_t count = 0, almost_full = UINT64_MAX - 1;
    int fd = eddy__sys_eventfd ();

    ck_assert_int_ne (fcntl (fd, F_GETFD) & FD_CLOEXEC, 0);
    ck_assert_int_eq (eddy__sys_eventfd_read (fd, &count), -EAGAIN);
    ck_assert_int_eq (eddy__sys_eventfd_write (fd), 0);
    ck_assert_int_eq (eddy__sys_eventfd_write (fd), 0);
    ck_assert_int_eq (eddy__sys_eventfd_read (fd, &count), 0);
    ck_assert_uint_eq (count, 2);
    ck_assert_int_eq (write (fd, &almost_full, sizeof almost_full), sizeof almost_full);
    ck_assert_int_eq (eddy__sys_eventfd_write (fd), 0);
    ck_assert_int_eq (eddy__sys_eventfd_read (fd, NULL), 0);
    ck_assert_int_eq (eddy__sys_eventfd_read (fd, NULL), -EAGAIN);
    eddy__sys_close (fd);
}

EDDY_TEST (timerfd_fires_at_its_time)
{
    int64_t deadline_ns = eddy__sys_now_ns () + 2 * MILLISECOND;
    int fd = eddy__sys_timerfd_create ();
    struct pollfd entry = { .fd = fd, .events = POLLIN };

    ck_assert_int_ne (fcntl (fd, F_GETFD) & FD_CLOEXEC, 0);
    ck_assert_int_eq (eddy__sys_timerfd_settime (fd, deadline_ns), 0);
    ck_assert_int_eq (eddy__sys_ppoll (&entry, 1, -1), 1);
    ck_assert_int_ge (eddy__sys_now_ns (), deadline_ns);
    /* The past fires, also at the very beginning of time; -1 disarms. */
    ck_assert_int_eq (eddy__sys_timerfd_settime (fd, 0), 0);
    ck_assert_int_eq (eddy__sys_ppoll (&entry, 1, -1), 1);
    ck_assert_int_eq (eddy__sys_timerfd_settime (fd, -1), 0);
    ck_assert_int_eq (eddy__sys_ppoll (&entry, 1, 0), 0);
    eddy__sys_close (fd);
}
