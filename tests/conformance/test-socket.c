/* SPDX-License-Identifier: MIT */
/* Sockets: connections made and taken, what they carry, their ends. */
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>

#include "sockets.h"

/* --- connections ------------------------------------------------------------------------------ */

/* Says "to there" and is answered "and back". */
static void talk (SocketPair *pair)
{
    socket_send_text (pair->client, "to there");
    socket_expect_text (pair->server, "to there");
    socket_send_text (pair->server, "and back");
    socket_expect_text (pair->client, "and back");
}

static void talk_by (EddySocketType type, EddySocketAddress *address)
{
    EddySocket *listener = socket_serve (type, address);
    SocketPair pair = { .client = socket_reach (listener) };
    pair.server = socket_take (listener);
    ck_assert (eddy_socket_is_connected (pair.client) && eddy_socket_is_connected (pair.server));
    ck_assert_int_eq (eddy_socket_get_family (pair.server), eddy_socket_get_family (pair.client));
    ck_assert_int_eq (eddy_socket_get_socket_type (pair.server), type);
    talk (&pair);
    ck_assert (eddy_socket_close (pair.client, NULL));
    socket_expect_end (pair.server);
    socket_pair_end (&pair);
    eddy_unref (listener);
}

SOCKET_TEST_ANYWHERE (D_socket_connections_of_every_kind)
{
    talk_by (EDDY_SOCKET_TYPE_STREAM, socket_loopback (EDDY_SOCKET_FAMILY_IPV4, 0));
    talk_by (EDDY_SOCKET_TYPE_STREAM, socket_loopback (EDDY_SOCKET_FAMILY_IPV6, 0));
    talk_by (EDDY_SOCKET_TYPE_STREAM, socket_path ("stream"));
    talk_by (EDDY_SOCKET_TYPE_SEQPACKET, socket_path ("packets"));
}

SOCKET_TEST_ANYWHERE (D_socket_pairs_of_every_kind)
{
    static const EddySocketType types[] = { EDDY_SOCKET_TYPE_STREAM, EDDY_SOCKET_TYPE_DATAGRAM,
                                            EDDY_SOCKET_TYPE_SEQPACKET };
    for (size_t i = 0; i < 3; i++) {
        SocketPair pair = socket_connect_unix (types[i]);
        talk (&pair);
        socket_pair_end (&pair);
    }
}

/* Both ends know both addresses, the peer's also when it has gone. */
EDDY_TEST_IN_FIBER (D_socket_addresses_of_both_ends)
{
    SocketPair pair = socket_connect_tcp ();
    EddyError *error = NULL;
    EddySocketAddress *ours = eddy_socket_get_local_address (pair.server, NULL);
    EddySocketAddress *theirs = eddy_socket_get_remote_address (pair.client, NULL);
    ck_assert (eddy_socket_address_equal (ours, theirs));
    eddy_unref (ours);
    eddy_unref (theirs);
    ours = eddy_socket_get_local_address (pair.client, NULL);
    ck_assert (eddy_socket_set_option_by_name (pair.client, "linger", 0, NULL));
    ck_assert (eddy_socket_close (pair.client, NULL)); /* resets it */
    theirs = eddy_socket_get_remote_address (pair.server, &error);
    ck_assert (eddy_socket_address_equal (ours, theirs));
    eddy_unref (ours);
    eddy_unref (theirs);
    EddySocket *alone = socket_make (EDDY_SOCKET_FAMILY_IPV4, EDDY_SOCKET_TYPE_STREAM);
    ck_assert (!eddy_socket_is_connected (alone));
    ck_assert_ptr_null (eddy_socket_get_remote_address (alone, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_CONNECTED);
    eddy_unref (alone);
    socket_pair_end (&pair);
}

EDDY_TEST_IN_FIBER (D_socket_of_an_fd)
{
    int fds[2];
    EddyError *error = NULL;
    ck_assert_int_eq (socketpair (AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
    EddySocket *made = eddy_socket_new_from_fd (fds[0], &error);
    ck_assert_ptr_nonnull (made);
    ck_assert_int_eq (eddy_socket_get_fd (made), fds[0]);
    ck_assert_int_eq (eddy_socket_get_family (made), EDDY_SOCKET_FAMILY_UNIX);
    ck_assert_int_eq (eddy_socket_get_socket_type (made), EDDY_SOCKET_TYPE_SEQPACKET);
    ck_assert_int_eq (eddy_socket_get_protocol (made), 0);
    ck_assert (eddy_socket_is_connected (made));
    ck_assert_int_ne (fcntl (fds[0], F_GETFD) & FD_CLOEXEC, 0);
    ck_assert_int_ne (fcntl (fds[0], F_GETFL) & O_NONBLOCK, 0);
    ck_assert_int_eq (write (fds[1], "from outside", 12), 12);
    socket_expect_text (made, "from outside");
    eddy_unref (made);
    close (fds[1]);
    ck_assert_int_eq (pipe (fds), 0);
    ck_assert_ptr_null (eddy_socket_new_from_fd (fds[0], &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
    close (fds[0]); /* it is still ours */
    close (fds[1]);
}

static void expect_cloexec (EddySocket *socket)
{
    ck_assert_int_ne (fcntl (eddy_socket_get_fd (socket), F_GETFD) & FD_CLOEXEC, 0);
    ck_assert_int_ne (fcntl (eddy_socket_get_fd (socket), F_GETFL) & O_NONBLOCK, 0);
}

SOCKET_TEST_ANYWHERE (N6_fds_are_closed_by_exec)
{
    SocketPair tcp = socket_connect_tcp ();
    SocketPair local = socket_connect_unix (EDDY_SOCKET_TYPE_STREAM);
    expect_cloexec (tcp.client);
    expect_cloexec (tcp.server);
    expect_cloexec (local.client);
    expect_cloexec (local.server);
    socket_pair_end (&tcp);
    socket_pair_end (&local);
}

static volatile sig_atomic_t pipe_signals;

static void pipe_signal_came (int number)
{
    (void) number;
    pipe_signals = pipe_signals + 1;
}

SOCKET_TEST_ANYWHERE (N6_no_signal_from_a_peer_that_has_gone)
{
    signal (SIGPIPE, pipe_signal_came);
    SocketPair pair = socket_connect_unix (EDDY_SOCKET_TYPE_STREAM);
    EddyError *error = NULL;
    eddy_clear (&pair.server);
    ck_assert_int_eq (eddy_socket_send (pair.client, "x", 1, NULL, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_BROKEN_PIPE);
    EddyOutputVector vector = { "x", 1 };
    ck_assert_int_eq (
        eddy_socket_send_message (pair.client, NULL, &vector, 1, NULL, 0, NULL, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_BROKEN_PIPE);
    ck_assert_int_eq (pipe_signals, 0);
    signal (SIGPIPE, SIG_DFL);
    socket_pair_end (&pair);
}

SOCKET_TEST_ANYWHERE (D_socket_half_close)
{
    SocketPair pair = socket_connect_tcp ();
    EddyError *error = NULL;
    socket_send_text (pair.client, "all");
    ck_assert (eddy_socket_shutdown (pair.client, false, true, NULL));
    ck_assert (eddy_socket_shutdown (pair.client, false, false, NULL)); /* nothing at all */
    socket_expect_text (pair.server, "all");
    socket_expect_end (pair.server);
    ck_assert_int_eq (eddy_socket_send (pair.client, "more", 4, NULL, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_BROKEN_PIPE);
    socket_send_text (pair.server, "the other way");
    socket_expect_text (pair.client, "the other way");
    ck_assert (eddy_socket_shutdown (pair.client, true, false, NULL));
    socket_expect_end (pair.client);
    socket_pair_end (&pair);
}

/* --- errors ----------------------------------------------------------------------------------- */

static void expect_named (EddyError **error, EddyIOErrorCode code, const char *verb,
                          EddySocketAddress *address)
{
    char *name = eddy_socket_address_to_string (address);
    const char *message = *error == NULL ? "none" : eddy_error_get_message (*error);
    ck_assert_msg (strncmp (message, verb, strlen (verb)) == 0, "%s", message);
    ck_assert_msg (strstr (message, name) != NULL, "%s tells nothing of %s", message, name);
    eddy_free (name);
    eddy_test_expect_error (error, code);
}

SOCKET_TEST_ANYWHERE (D_socket_errors_name_the_address)
{
    EddyError *error = NULL;
    EddySocket *listener = socket_serve_tcp ();
    EddySocketAddress *address = socket_where (listener);
    EddySocket *other = socket_make (EDDY_SOCKET_FAMILY_IPV4, EDDY_SOCKET_TYPE_STREAM);
    ck_assert (!eddy_socket_bind (other, address, false, &error));
    expect_named (&error, EDDY_IO_ERROR_ADDRESS_IN_USE, "bind to ", address);
    eddy_unref (listener); /* nobody listens there any more */
    ck_assert (!eddy_socket_connect (other, address, NULL, &error));
    expect_named (&error, EDDY_IO_ERROR_CONNECTION_REFUSED, "connect to ", address);
    eddy_unref (other);
    eddy_unref (address);
    address = socket_path ("nobody");
    other = socket_make (EDDY_SOCKET_FAMILY_UNIX, EDDY_SOCKET_TYPE_STREAM);
    ck_assert (!eddy_socket_connect (other, address, NULL, &error));
    expect_named (&error, EDDY_IO_ERROR_NOT_FOUND, "connect to ", address);
    eddy_unref (other);
    eddy_unref (address);
}

/* The kernel forgets a peer that has reset the connection; its name is known all the same. */
SOCKET_TEST_ANYWHERE (D_socket_reset_names_the_peer)
{
    SocketPair pair = socket_connect_tcp ();
    EddyError *error = NULL;
    char byte;
    EddySocketAddress *address = eddy_socket_get_local_address (pair.client, NULL);
    ck_assert (eddy_socket_set_option_by_name (pair.client, "linger", 0, NULL));
    ck_assert (eddy_socket_close (pair.client, NULL));
    ck_assert_int_eq (eddy_socket_receive (pair.server, &byte, 1, NULL, &error), -1);
    expect_named (&error, EDDY_IO_ERROR_CONNECTION_CLOSED, "receive from ", address);
    eddy_unref (address);
    socket_pair_end (&pair);
}

SOCKET_TEST_ANYWHERE (D_socket_misuse_is_an_error)
{
    EddyError *error = NULL;
    char byte;
    EddySocket *alone = socket_make (EDDY_SOCKET_FAMILY_IPV4, EDDY_SOCKET_TYPE_STREAM);
    ck_assert_ptr_null (eddy_socket_accept (alone, NULL, &error));
    ck_assert_ptr_nonnull (strstr (eddy_error_get_message (error), "accept at 0.0.0.0:0"));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
    ck_assert_int_eq (eddy_socket_receive (alone, &byte, 1, NULL, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_CONNECTED);
    ck_assert_int_eq (eddy_socket_send (alone, &byte, 1, NULL, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_BROKEN_PIPE);
    ck_assert (!eddy_socket_shutdown (alone, true, true, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_CONNECTED);
    eddy_unref (alone);
    alone = socket_make (EDDY_SOCKET_FAMILY_IPV4, EDDY_SOCKET_TYPE_DATAGRAM);
    ck_assert (!eddy_socket_listen (alone, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_SUPPORTED);
    ck_assert_ptr_null (eddy_socket_accept (alone, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_SUPPORTED);
    eddy_unref (alone);
    ck_assert_ptr_null (
        eddy_socket_new (EDDY_SOCKET_FAMILY_UNIX, EDDY_SOCKET_TYPE_STREAM, 77, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_SUPPORTED);
}

/* --- options ---------------------------------------------------------------------------------- */

static int option (EddySocket *socket, const char *name)
{
    int value = -2;
    EddyError *error = NULL;
    ck_assert_msg (eddy_socket_get_option_by_name (socket, name, &value, &error), "%s",
                   eddy_error_get_message (error));
    return value;
}

EDDY_TEST_IN_FIBER (D_socket_sends_small_messages_at_once)
{
    SocketPair pair = socket_connect_tcp ();
    ck_assert_int_ne (option (pair.client, "nodelay"), 0);
    ck_assert_int_ne (option (pair.server, "nodelay"), 0);
    ck_assert (eddy_socket_set_option_by_name (pair.client, "nodelay", 0, NULL));
    ck_assert_int_eq (option (pair.client, "nodelay"), 0);
    socket_pair_end (&pair);
}

static void expect_option (EddySocketFamily family, EddySocketType type, const char *name, int to)
{
    EddyError *error = NULL;
    EddySocket *made = socket_make (family, type);
    ck_assert_msg (eddy_socket_set_option_by_name (made, name, to, &error), "%s",
                   eddy_error_get_message (error));
    ck_assert_msg (option (made, name) == to, "%s is %d", name, option (made, name));
    eddy_unref (made);
}

EDDY_TEST_IN_FIBER (D_socket_options_by_name)
{
    static const EddySocketFamily inet[] = { EDDY_SOCKET_FAMILY_IPV4, EDDY_SOCKET_FAMILY_IPV6 };
    static const struct {
        const char *name;
        int to;
    } tcp[] = { { "keepalive", 1 },
                { "keepalive-idle", 77 },
                { "keepalive-interval", 7 },
                { "keepalive-count", 3 },
                { "nodelay", 0 },
                { "cork", 1 },
                { "user-timeout", 1234 },
                { "ttl", 33 },
                { "type-of-service", 0x20 },
                { "reuse-address", 1 },
                { "reuse-port", 1 },
                { "priority", 5 },
                { "linger", -1 },
                { "linger", 4 } },
      udp[] = { { "broadcast", 1 }, { "multicast-ttl", 9 }, { "multicast-loopback", 0 } };
    for (size_t i = 0; i < 2; i++) {
        for (size_t k = 0; k < sizeof tcp / sizeof tcp[0]; k++)
            expect_option (inet[i], EDDY_SOCKET_TYPE_STREAM, tcp[k].name, tcp[k].to);
        for (size_t k = 0; k < sizeof udp / sizeof udp[0]; k++)
            expect_option (inet[i], EDDY_SOCKET_TYPE_DATAGRAM, udp[k].name, udp[k].to);
    }
    expect_option (EDDY_SOCKET_FAMILY_IPV6, EDDY_SOCKET_TYPE_STREAM, "ipv6-only", 1);
    expect_option (EDDY_SOCKET_FAMILY_UNIX, EDDY_SOCKET_TYPE_STREAM, "pass-credentials", 1);
}

EDDY_TEST_IN_FIBER (D_socket_options_that_are_none)
{
    EddyError *error = NULL;
    int value;
    EddySocket *local = socket_make (EDDY_SOCKET_FAMILY_UNIX, EDDY_SOCKET_TYPE_STREAM);
    EddySocket *tcp = socket_make (EDDY_SOCKET_FAMILY_IPV4, EDDY_SOCKET_TYPE_STREAM);
    ck_assert (!eddy_socket_set_option_by_name (local, "no-such-option", 1, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
    ck_assert (!eddy_socket_set_option_by_name (local, "nodelay", 1, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_SUPPORTED);
    ck_assert (!eddy_socket_get_option_by_name (tcp, "ipv6-only", &value, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_SUPPORTED);
    ck_assert (!eddy_socket_set_option (tcp, SOL_SOCKET, 9999, 1, &error));
    eddy_clear_error (&error);
    eddy_unref (local);
    eddy_unref (tcp);
}

EDDY_TEST_IN_FIBER (D_socket_options_with_functions_of_their_own)
{
    int value = 0;
    EddySocket *made = socket_make (EDDY_SOCKET_FAMILY_IPV4, EDDY_SOCKET_TYPE_DATAGRAM);
    ck_assert (!eddy_socket_get_keepalive (made) && !eddy_socket_get_broadcast (made));
    ck_assert (eddy_socket_set_keepalive (made, true, NULL) && eddy_socket_get_keepalive (made));
    ck_assert (eddy_socket_set_broadcast (made, true, NULL) && eddy_socket_get_broadcast (made));
    ck_assert (eddy_socket_set_ttl (made, 5, NULL) && eddy_socket_get_ttl (made) == 5);
    ck_assert (eddy_socket_set_multicast_ttl (made, 6, NULL));
    ck_assert_uint_eq (eddy_socket_get_multicast_ttl (made), 6);
    ck_assert (eddy_socket_get_multicast_loopback (made));
    ck_assert (eddy_socket_set_multicast_loopback (made, false, NULL));
    ck_assert (!eddy_socket_get_multicast_loopback (made));
    ck_assert (eddy_socket_set_option (made, SOL_SOCKET, SO_PRIORITY, 3, NULL));
    ck_assert (eddy_socket_get_option (made, SOL_SOCKET, SO_PRIORITY, &value, NULL));
    ck_assert_int_eq (value, 3);
    ck_assert (eddy_socket_speaks_ipv4 (made));
    eddy_socket_set_listen_backlog (made, 17);
    ck_assert_int_eq (eddy_socket_get_listen_backlog (made), 17);
    eddy_unref (made);
    made = socket_make (EDDY_SOCKET_FAMILY_IPV6, EDDY_SOCKET_TYPE_STREAM);
    ck_assert (eddy_socket_set_option_by_name (made, "ipv6-only", 0, NULL));
    ck_assert (eddy_socket_speaks_ipv4 (made));
    ck_assert (eddy_socket_set_option_by_name (made, "ipv6-only", 1, NULL));
    ck_assert (!eddy_socket_speaks_ipv4 (made));
    eddy_unref (made);
}

/* How many routers what has come to an fd might have passed. */
static int received_ttl (int fd)
{
    char byte, control[64];
    struct iovec vector = { &byte, 1 };
    struct msghdr message = { .msg_iov = &vector,
                              .msg_iovlen = 1,
                              .msg_control = control,
                              .msg_controllen = sizeof control };
    int ttl = -1;
    ck_assert_int_eq (recvmsg (fd, &message, 0), 1);
    struct cmsghdr *header = CMSG_FIRSTHDR (&message);
    ck_assert_ptr_nonnull (header);
    ck_assert_int_eq (header->cmsg_type, IP_TTL);
    memcpy (&ttl, CMSG_DATA (header), sizeof ttl);
    return ttl;
}

/* A socket of IPv6 may have peers of IPv4, for which the kernel keeps options of their own. */
EDDY_TEST_IN_FIBER (D_socket_options_hold_for_peers_of_ipv4)
{
    static const struct {
        const char *name;
        int optname;
        int to;
    } options[] = { { "ttl", IP_TTL, 33 },
                    { "type-of-service", IP_TOS, 0x20 },
                    { "multicast-ttl", IP_MULTICAST_TTL, 9 },
                    { "multicast-loopback", IP_MULTICAST_LOOP, 0 } };
    int value = -1;
    EddySocket *made = socket_make (EDDY_SOCKET_FAMILY_IPV6, EDDY_SOCKET_TYPE_DATAGRAM);
    ck_assert (eddy_socket_set_option_by_name (made, "ipv6-only", 0, NULL));
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        ck_assert (eddy_socket_set_option_by_name (made, options[i].name, options[i].to, NULL));
        ck_assert (eddy_socket_get_option (made, IPPROTO_IP, options[i].optname, &value, NULL));
        ck_assert_msg (value == options[i].to, "%s is %d", options[i].name, value);
    }
    EddySocket *receiver = socket_make (EDDY_SOCKET_FAMILY_IPV4, EDDY_SOCKET_TYPE_DATAGRAM);
    EddySocketAddress *any = socket_loopback (EDDY_SOCKET_FAMILY_IPV4, 0);
    ck_assert (eddy_socket_bind (receiver, any, false, NULL));
    ck_assert (eddy_socket_set_option (receiver, IPPROTO_IP, IP_RECVTTL, 1, NULL));
    EddySocketAddress *bound = socket_where (receiver);
    EddySocketAddress *mapped = eddy_inet_socket_address_new_from_string (
        "::ffff:127.0.0.1", eddy_inet_socket_address_get_port (EDDY_INET_SOCKET_ADDRESS (bound)));
    ck_assert_int_eq (eddy_socket_send_to (made, mapped, "x", 1, NULL, NULL), 1);
    ck_assert_int_eq (received_ttl (eddy_socket_get_fd (receiver)), 33);
    eddy_unref (mapped);
    eddy_unref (bound);
    eddy_unref (any);
    eddy_unref (receiver);
    eddy_unref (made);
}

/* On the loopback interface, where nobody hears of it. */
EDDY_TEST_IN_FIBER (D_socket_groups_are_joined_and_left)
{
    static const char *const groups[] = { "239.255.77.77", "ff01::7777" };
    EddyError *error = NULL;
    for (size_t i = 0; i < 2; i++) {
        EddyInetAddress *group = eddy_inet_address_new_from_string (groups[i]);
        EddySocketFamily family = eddy_inet_address_get_family (group);
        EddyInetAddress *host = eddy_inet_address_new_loopback (family);
        EddySocket *made = socket_make (family, EDDY_SOCKET_TYPE_DATAGRAM);
        ck_assert_msg (eddy_socket_join_multicast_group (made, group, "lo", &error), "%s",
                       eddy_error_get_message (error));
        ck_assert (!eddy_socket_join_multicast_group (made, group, "lo", &error)); /* twice */
        ck_assert_ptr_nonnull (strstr (eddy_error_get_message (error), groups[i]));
        eddy_test_expect_error (&error, EDDY_IO_ERROR_ADDRESS_IN_USE);
        ck_assert (eddy_socket_leave_multicast_group (made, group, "lo", NULL));
        ck_assert (!eddy_socket_leave_multicast_group (made, group, "lo", NULL));
        ck_assert (eddy_socket_join_multicast_group_ssm (made, group, host, "lo", &error));
        ck_assert (eddy_socket_leave_multicast_group_ssm (made, group, host, "lo", NULL));
        ck_assert (!eddy_socket_join_multicast_group (made, group, "no-such-one", &error));
        eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_FOUND);
        eddy_unref (made);
        eddy_unref (host);
        eddy_unref (group);
    }
}
