/* SPDX-License-Identifier: MIT */
/*
 * loop-echo-epoll: an echo server by hand, the least that epoll takes: one wait for a batch, one
 * receive and one send for each request. A limit of `net-echo`.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "bench-echo.h"

enum { EVENTS = 256 };

/* What cannot be sent at once is tried again: that is rare, and not what is measured. */
static bool echo_send (int fd, const char *bytes, ssize_t count)
{
    while (count > 0) {
        ssize_t sent = send (fd, bytes, (size_t) count, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN)
            return false;
        bytes += sent > 0 ? sent : 0;
        count -= sent > 0 ? sent : 0;
    }
    return true;
}

static void echo_ready (int fd)
{
    static char buffer[ECHO_BUFFER_SIZE];
    ssize_t count = recv (fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN)
        return;
    if (count <= 0 || !echo_send (fd, buffer, count))
        close (fd);
}

static void echo_accept (int epoll_fd, int listener)
{
    for (;;) {
        int fd = accept4 (listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
            return;
        struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
        bench_echo_set_nodelay (fd);
        if (epoll_ctl (epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
            close (fd);
    }
}

int main (void)
{
    int listener = bench_echo_listen (SOCK_NONBLOCK);
    int epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
    struct epoll_event event = { .events = EPOLLIN, .data.fd = listener };
    if (listener < 0 || epoll_ctl (epoll_fd, EPOLL_CTL_ADD, listener, &event) != 0)
        return 1;
    for (;;) {
        struct epoll_event events[EVENTS];
        int n = epoll_wait (epoll_fd, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.fd == listener)
                echo_accept (epoll_fd, listener);
            else
                echo_ready (events[i].data.fd);
        }
    }
}
