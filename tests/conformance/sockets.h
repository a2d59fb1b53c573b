/* SPDX-License-Identifier: MIT */
/* For the tests of sockets: pairs of all kinds on this host, and what they carry. */
#pragma once

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "context.h"

static inline EddySocketAddress *socket_loopback (EddySocketFamily family, uint16_t port)
{
    EddyInetAddress *host = eddy_inet_address_new_loopback (family);
    EddySocketAddress *address = EDDY_SOCKET_ADDRESS (eddy_inet_socket_address_new (host, port));
    eddy_unref (host);
    ck_assert_ptr_nonnull (address);
    return address;
}

static inline EddySocketAddress *socket_path (const char *name)
{
    EddySocketAddress *address =
        EDDY_SOCKET_ADDRESS (eddy_unix_socket_address_new (eddy_test_path (name)));
    ck_assert_ptr_nonnull (address);
    return address;
}

static inline EddySocket *socket_make (EddySocketFamily family, EddySocketType type)
{
    EddyError *error = NULL;
    EddySocket *made = eddy_socket_new (family, type, 0, &error);
    ck_assert_msg (made != NULL, "%s", eddy_error_get_message (error));
    return made;
}

/* A socket that is bound to `address`, which is taken, and listens if it can. */
static inline EddySocket *socket_serve (EddySocketType type, EddySocketAddress *address)
{
    EddyError *error = NULL;
    EddySocket *server = socket_make (eddy_socket_address_get_family (address), type);
    ck_assert_msg (eddy_socket_bind (server, address, true, &error), "%s",
                   eddy_error_get_message (error));
    if (type != EDDY_SOCKET_TYPE_DATAGRAM)
        ck_assert_msg (eddy_socket_listen (server, &error), "%s", eddy_error_get_message (error));
    eddy_unref (address);
    return server;
}

/* One that any port of this host will do for. */
static inline EddySocket *socket_serve_tcp (void)
{
    return socket_serve (EDDY_SOCKET_TYPE_STREAM, socket_loopback (EDDY_SOCKET_FAMILY_IPV4, 0));
}

static inline EddySocketAddress *socket_where (EddySocket *server)
{
    EddyError *error = NULL;
    EddySocketAddress *address = eddy_socket_get_local_address (server, &error);
    ck_assert_msg (address != NULL, "%s", eddy_error_get_message (error));
    return address;
}

/* A socket that has asked a server for a connection, which has it. */
static inline EddySocket *socket_reach (EddySocket *server)
{
    EddyError *error = NULL;
    EddySocketAddress *address = socket_where (server);
    EddySocket *client =
        socket_make (eddy_socket_get_family (server), eddy_socket_get_socket_type (server));
    ck_assert_msg (eddy_socket_connect (client, address, NULL, &error), "%s",
                   eddy_error_get_message (error));
    eddy_unref (address);
    return client;
}

static inline EddySocket *socket_take (EddySocket *server)
{
    EddyError *error = NULL;
    EddySocket *accepted = eddy_socket_accept (server, NULL, &error);
    ck_assert_msg (accepted != NULL, "%s", eddy_error_get_message (error));
    return accepted;
}

/* Both ends of a connection. */
typedef struct SocketPair {
    EddySocket *client;
    EddySocket *server;
} SocketPair;

static inline SocketPair socket_connect_tcp (void)
{
    EddySocket *listener = socket_serve_tcp ();
    SocketPair pair = { .client = socket_reach (listener) };
    pair.server = socket_take (listener);
    eddy_unref (listener);
    return pair;
}

static inline SocketPair socket_connect_unix (EddySocketType type)
{
    SocketPair pair;
    ck_assert (eddy_socket_new_pair (type, &pair.client, &pair.server, NULL));
    return pair;
}

static inline void socket_pair_end (SocketPair *pair)
{
    eddy_clear (&pair->client);
    eddy_clear (&pair->server);
}

static inline void socket_send_text (EddySocket *sender, const char *text)
{
    EddyError *error = NULL;
    ssize_t count = eddy_socket_send (sender, text, strlen (text), NULL, &error);
    ck_assert_msg (error == NULL, "%s", eddy_error_get_message (error));
    ck_assert_int_eq (count, (ssize_t) strlen (text));
}

static inline void socket_expect_text (EddySocket *receiver, const char *text)
{
    char buffer[256] = "";
    EddyError *error = NULL;
    ssize_t count = eddy_socket_receive (receiver, buffer, sizeof buffer - 1, NULL, &error);
    ck_assert_msg (error == NULL, "%s", eddy_error_get_message (error));
    ck_assert_str_eq (buffer, text);
    ck_assert_int_eq (count, (ssize_t) strlen (text));
}

/* The peer has said all that it has to say. */
static inline void socket_expect_end (EddySocket *receiver)
{
    char byte;
    EddyError *error = NULL;
    ck_assert_int_eq (eddy_socket_receive (receiver, &byte, 1, NULL, &error), 0);
    ck_assert_ptr_null (error);
}

/* A pair of which one has the number of an fd that was closed; there is something to receive. */
static inline void socket_take_number (int number, int fds[2])
{
    ck_assert_int_eq (socketpair (AF_UNIX, SOCK_STREAM, 0, fds), 0);
    ck_assert (fds[0] == number || fds[1] == number);
    ck_assert_int_eq (write (fds[fds[0] == number], "kept", 4), 4);
}

/* Nobody else has received that. */
static inline void socket_expect_kept (int fds[2])
{
    char bytes[8] = "";
    ck_assert_int_eq (
        recv (fds[0], bytes, 8, MSG_DONTWAIT) + 1 + recv (fds[1], bytes, 8, MSG_DONTWAIT), 4);
    ck_assert_str_eq (bytes, "kept");
    close (fds[0]);
    close (fds[1]);
}

/* The body of a test, in a fiber and, as a test of its own, in a plain thread. */
#define SOCKET_TEST_ANYWHERE(name)                                                                 \
    static void name##_run (void);                                                                 \
    EDDY_TEST (name##_in_a_thread)                                                                 \
    {                                                                                              \
        name##_run ();                                                                             \
    }                                                                                              \
    EDDY_TEST_IN_FIBER (name)

/* Starts a fiber beside the one that runs. */
static inline EddyFuture *socket_beside (EddyFiberFunc function, void *data)
{
    EddyFuture *fiber = eddy_spawn (NULL, function, data, NULL);
    ck_assert_ptr_nonnull (fiber);
    return fiber;
}

static inline void socket_join (EddyFuture *fiber)
{
    EddyError *error = NULL;
    (void) eddy_await (fiber, &error);
    ck_assert_msg (error == NULL, "%s", eddy_error_get_message (error));
    eddy_unref (fiber);
}
