/* SPDX-License-Identifier: MIT */
/*
 * For the echo servers that net-load drives, peers included: a listening socket on a free port of
 * 127.0.0.1, which is told on stdout, and room for as many connections as the system allows.
 */
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ECHO_BUFFER_SIZE = 16384, /* what every server reads at once */
    ECHO_BACKLOG = 4096
};

static inline void bench_echo_raise_limit (void)
{
    struct rlimit limit;
    if (getrlimit (RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void) setrlimit (RLIMIT_NOFILE, &limit);
    }
}

static inline void bench_echo_tell_port (unsigned port)
{
    printf ("%u\n", port);
    fflush (stdout);
}

/* Small messages go out at once. */
static inline void bench_echo_set_nodelay (int fd)
{
    int on = 1;
    (void) setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/* A listening socket, `flags` being those of socket(2), whose port has been told; or -1. */
static inline int bench_echo_listen (int flags)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t len = sizeof address;
    address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
    bench_echo_raise_limit ();
    int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    if (fd >= 0 && bind (fd, (struct sockaddr *) &address, len) == 0 &&
        listen (fd, ECHO_BACKLOG) == 0 && getsockname (fd, (struct sockaddr *) &address, &len) == 0)
        bench_echo_tell_port (ntohs (address.sin_port));
    else
        perror ("listening");
    return fd;
}
