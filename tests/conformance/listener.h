/* SPDX-License-Identifier: MIT */
/* For the tests of listeners and services: peers that know nothing of Eddy, and what is accepted
 * from them. */
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "context.h"

/* `LISTENER_TEST (name) { … }`: in a context of its own, outside fibers. */
#define LISTENER_TEST(name)                                                                        \
    static void listener_##name (EddyContext *context);                                            \
    EDDY_TEST (name)                                                                               \
    {                                                                                              \
        EddyContext *context = eddy_test_context_begin ();                                         \
        listener_##name (context);                                                                 \
        eddy_test_context_end (context);                                                           \
    }                                                                                              \
    static void listener_##name (EddyContext *context)

/* The same in a fiber. */
#define LISTENER_FIBER_TEST(name)                                                                  \
    static void listener_fiber_##name (void);                                                      \
    static void *listener_run_##name (void *data, EddyError **error)                               \
    {                                                                                              \
        (void) error;                                                                              \
        listener_fiber_##name ();                                                                  \
        return data;                                                                               \
    }                                                                                              \
    LISTENER_TEST (name)                                                                           \
    {                                                                                              \
        eddy_test_run_fiber (context, listener_run_##name, NULL);                                  \
    }                                                                                              \
    static void listener_fiber_##name (void)

/* --- peers ------------------------------------------------------------------------------------ */

static inline int peer_connect_to (const void *address, socklen_t size)
{
    const struct sockaddr *to = address;
    int fd = socket (to->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge (fd, 0);
    ck_assert_msg (connect (fd, to, size) == 0, "connect: %s", strerror (errno));
    return fd;
}

static inline int peer_connect (uint16_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons (port),
                                   .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
    return peer_connect_to (&address, sizeof address);
}

static inline int peer_connect_by_ipv6 (uint16_t port)
{
    struct sockaddr_in6 address = { .sin6_family = AF_INET6,
                                    .sin6_port = htons (port),
                                    .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    return peer_connect_to (&address, sizeof address);
}

/* One that has been reset, rather than closed, when this returns. */
static inline void peer_reset (int fd)
{
    struct linger hard = { 1, 0 };
    ck_assert_int_eq (setsockopt (fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard), 0);
    close (fd);
}

/* The peer sees the end, whichever way, within some seconds. */
static inline void peer_expect_end (int fd)
{
    char byte;
    struct timeval limit = { .tv_sec = 10 };
    ck_assert_int_eq (setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
    ssize_t count = recv (fd, &byte, 1, 0);
    ck_assert_msg (count == 0 || (count < 0 && errno == ECONNRESET), "count %zd, %s", count,
                   count < 0 ? strerror (errno) : "no error");
}

/* --- listeners -------------------------------------------------------------------------------- */

static inline EddySocketListener *listener_new (void)
{
    EddySocketListener *listener = eddy_socket_listener_new ();
    ck_assert_ptr_nonnull (listener);
    return listener;
}

static inline EddySocketAddress *loopback_address (uint16_t port)
{
    EddySocketAddress *address = eddy_inet_socket_address_new_from_string ("127.0.0.1", port);
    ck_assert_ptr_nonnull (address);
    return address;
}

/* Listens on a free port of 127.0.0.1, and returns it. */
static inline uint16_t listener_add_loopback (EddySocketListener *listener, void *source_object)
{
    EddyError *error = NULL;
    EddySocketAddress *effective = NULL;
    EddySocketAddress *address = loopback_address (0);
    bool added = eddy_socket_listener_add_address (listener, address, EDDY_SOCKET_TYPE_STREAM, 0,
                                                   source_object, &effective, &error);
    ck_assert_msg (added, "%s", eddy_error_get_message (error));
    uint16_t port = eddy_inet_socket_address_get_port (EDDY_INET_SOCKET_ADDRESS (effective));
    ck_assert_uint_ne (port, 0);
    eddy_unref (effective);
    eddy_unref (address);
    return port;
}

/* A connection must be there, or come. */
static inline EddySocketConnection *listener_expect (EddySocketListener *listener,
                                                     EddyObject **source_object)
{
    EddyError *error = NULL;
    EddySocketConnection *connection =
        eddy_socket_listener_accept (listener, source_object, NULL, &error);
    ck_assert_msg (connection != NULL, "%s", eddy_error_get_message (error));
    return connection;
}

/* Nothing comes: an accept waits until its time is over. */
static inline void listener_expect_nothing (EddySocketListener *listener)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddyCancellable)
    cancellable = eddy_cancellable_new_with_timeout (NULL, 5 * 1000 * 1000);
    ck_assert_ptr_null (eddy_socket_listener_accept (listener, NULL, cancellable, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_TIMED_OUT);
}

/* --- fds -------------------------------------------------------------------------------------- */

/* From now on no fd can be opened, until this is undone with what it returned. */
static inline rlim_t fds_exhaust (void)
{
    struct rlimit limit;
    ck_assert_int_eq (getrlimit (RLIMIT_NOFILE, &limit), 0);
    rlim_t before = limit.rlim_cur;
    int next = dup (0);
    ck_assert_int_ge (next, 0);
    close (next);
    limit.rlim_cur = (rlim_t) next;
    ck_assert_int_eq (setrlimit (RLIMIT_NOFILE, &limit), 0);
    ck_assert_int_eq (dup (0), -1);
    return before;
}

static inline void fds_allow (rlim_t n)
{
    struct rlimit limit;
    ck_assert_int_eq (getrlimit (RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = n;
    ck_assert_int_eq (setrlimit (RLIMIT_NOFILE, &limit), 0);
}

/* --- connections ------------------------------------------------------------------------------ */

/* Sends back what comes, up to the end, or an error. */
static inline void connection_echo (EddySocketConnection *connection, EddyError **error)
{
    EddyInputStream *input = eddy_io_stream_get_input_stream (EDDY_IO_STREAM (connection));
    EddyOutputStream *output = eddy_io_stream_get_output_stream (EDDY_IO_STREAM (connection));
    char buffer[1024];
    ssize_t count;
    while ((count = eddy_input_stream_read (input, buffer, sizeof buffer, NULL, error)) > 0)
        if (!eddy_output_stream_write_all (output, buffer, (size_t) count, NULL, NULL, error))
            break;
}
