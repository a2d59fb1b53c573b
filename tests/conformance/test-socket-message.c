/* SPDX-License-Identifier: MIT */
/* Messages of sockets: whom they are from, what goes with them. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "sockets.h"

/* --- datagrams -------------------------------------------------------------------------------- */

static void exchange (EddySocketAddress *at, EddySocketAddress *from)
{
    EddySocket *receiver = socket_serve (EDDY_SOCKET_TYPE_DATAGRAM, at);
    EddySocket *sender = socket_serve (EDDY_SOCKET_TYPE_DATAGRAM, from);
    EddySocketAddress *to = socket_where (receiver), *known = socket_where (sender), *told;
    char buffer[8];
    ck_assert_int_eq (eddy_socket_send_to (sender, to, "hello there", 11, NULL, NULL), 11);
    ck_assert_int_eq (eddy_socket_send_to (sender, to, "", 0, NULL, NULL), 0);
    ck_assert_int_gt (eddy_socket_get_available_bytes (receiver), 0);
    ck_assert_int_eq (eddy_socket_receive_from (receiver, &told, buffer, 5, NULL, NULL), 5);
    ck_assert_mem_eq (buffer, "hello", 5); /* the rest is lost */
    ck_assert (eddy_socket_address_equal (told, known));
    eddy_unref (told);
    ck_assert_int_eq (eddy_socket_receive_from (receiver, NULL, buffer, 5, NULL, NULL), 0);
    ck_assert (eddy_socket_connect (sender, to, NULL, NULL));
    ck_assert_int_eq (eddy_socket_send_to (sender, NULL, "again", 5, NULL, NULL), 5);
    EddyBytes *bytes = eddy_socket_receive_bytes_from (receiver, &told, 100, NULL, NULL);
    ck_assert_uint_eq (eddy_bytes_get_size (bytes), 5);
    ck_assert (eddy_socket_address_equal (told, known));
    eddy_unref (bytes);
    eddy_unref (told);
    eddy_unref (to);
    eddy_unref (known);
    eddy_unref (sender);
    eddy_unref (receiver);
}

SOCKET_TEST_ANYWHERE (D_socket_datagrams_of_every_family)
{
    exchange (socket_loopback (EDDY_SOCKET_FAMILY_IPV4, 0),
              socket_loopback (EDDY_SOCKET_FAMILY_IPV4, 0));
    exchange (socket_loopback (EDDY_SOCKET_FAMILY_IPV6, 0),
              socket_loopback (EDDY_SOCKET_FAMILY_IPV6, 0));
    exchange (socket_path ("receiver"), socket_path ("sender"));
}

/* Several may have one address, if all say so. */
EDDY_TEST_IN_FIBER (D_socket_datagrams_at_a_shared_address)
{
    EddyError *error = NULL;
    EddySocket *first =
        socket_serve (EDDY_SOCKET_TYPE_DATAGRAM, socket_loopback (EDDY_SOCKET_FAMILY_IPV4, 0));
    EddySocketAddress *address = socket_where (first);
    EddySocket *second = socket_make (EDDY_SOCKET_FAMILY_IPV4, EDDY_SOCKET_TYPE_DATAGRAM);
    ck_assert (!eddy_socket_bind (second, address, false, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_ADDRESS_IN_USE);
    ck_assert (eddy_socket_bind (second, address, true, &error));
    eddy_unref (address);
    eddy_unref (first);
    eddy_unref (second);
}

/* An answer that nobody is there comes with a later call, and is of it alone. */
SOCKET_TEST_ANYWHERE (D_socket_datagrams_to_nobody)
{
    EddyError *error = NULL;
    char byte;
    EddySocket *nobody =
        socket_serve (EDDY_SOCKET_TYPE_DATAGRAM, socket_loopback (EDDY_SOCKET_FAMILY_IPV4, 0));
    EddySocketAddress *address = socket_where (nobody);
    eddy_unref (nobody);
    EddySocket *sender = socket_make (EDDY_SOCKET_FAMILY_IPV4, EDDY_SOCKET_TYPE_DATAGRAM);
    ck_assert (eddy_socket_connect (sender, address, NULL, NULL));
    ck_assert_int_eq (eddy_socket_send (sender, "x", 1, NULL, NULL), 1);
    ck_assert_int_eq (eddy_socket_receive (sender, &byte, 1, NULL, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CONNECTION_REFUSED);
    ck_assert_int_eq (eddy_socket_send (sender, "x", 1, NULL, NULL), 1);
    char *large = calloc (1, 70000);
    ck_assert_int_eq (eddy_socket_send_to (sender, address, large, 70000, NULL, &error), -1);
    eddy_clear_error (&error);
    free (large);
    EddySocket *other = socket_make (EDDY_SOCKET_FAMILY_IPV4, EDDY_SOCKET_TYPE_DATAGRAM);
    large = calloc (1, 70000);
    ck_assert_int_eq (eddy_socket_send_to (other, address, large, 70000, NULL, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_MESSAGE_TOO_LARGE);
    free (large);
    eddy_unref (other);
    eddy_unref (address);
    eddy_unref (sender);
}

/* A receiver that is full of what others have sent: its senders are told that they could write, and
 * nothing when that is so. They neither ask all the time nor wait for ever. */
typedef struct ToFull {
    EddySocketAddress *address;
    bool done;
} ToFull;

static void *send_to_full (void *data, EddyError **error)
{
    ToFull *self = data;
    EddySocket *sender = socket_make (EDDY_SOCKET_FAMILY_UNIX, EDDY_SOCKET_TYPE_DATAGRAM);
    ck_assert_int_eq (eddy_socket_send_to (sender, self->address, "late", 4, NULL, error), 4);
    self->done = true;
    eddy_unref (sender);
    return NULL;
}

EDDY_TEST_IN_FIBER (D_socket_message_to_a_path_that_is_full)
{
    char buffer[8] = "";
    int n_sent = 0;
    EddySocketAddress *address = socket_path ("full");
    EddySocket *receiver = socket_serve (EDDY_SOCKET_TYPE_DATAGRAM, eddy_ref (address));
    EddySocket *other = socket_make (EDDY_SOCKET_FAMILY_UNIX, EDDY_SOCKET_TYPE_DATAGRAM);
    ck_assert (eddy_socket_connect (other, address, NULL, NULL));
    while (send (eddy_socket_get_fd (other), "early", 5, MSG_DONTWAIT) == 5)
        n_sent++;
    ToFull to_full = { address, false };
    EddyFuture *fiber = socket_beside (send_to_full, &to_full);
    EddyContextStatistics before, after;
    eddy_context_get_statistics (eddy_context_get_thread_default (), &before);
    ck_assert (eddy_fiber_sleep (30000000, NULL));
    eddy_context_get_statistics (eddy_context_get_thread_default (), &after);
    ck_assert_uint_lt (after.waits - before.waits, 50);
    ck_assert (!to_full.done);
    for (; n_sent > 0; n_sent--)
        ck_assert_int_eq (recv (eddy_socket_get_fd (receiver), buffer, 8, MSG_DONTWAIT), 5);
    socket_join (fiber);
    ck_assert_int_eq (eddy_socket_receive (receiver, buffer, 8, NULL, NULL), 4);
    ck_assert_mem_eq (buffer, "late", 4);
    eddy_unref (other);
    eddy_unref (receiver);
    eddy_unref (address);
}

/* --- vectors and flags ------------------------------------------------------------------------ */

SOCKET_TEST_ANYWHERE (D_socket_messages_in_pieces)
{
    SocketPair pair = socket_connect_unix (EDDY_SOCKET_TYPE_SEQPACKET);
    EddySocketAddress *address;
    EddySocketControlMessageList *messages;
    char first[4] = "", second[4] = "";
    int flags = -1;
    const EddyOutputVector out[] = { { "abc", 3 }, { "", 0 }, { "defg", 4 } };
    const EddyInputVector in[] = { { first, 2 }, { second, 3 } };
    ck_assert_int_eq (
        eddy_socket_send_message (pair.client, NULL, out, 3, NULL, MSG_EOR, NULL, NULL), 7);
    ck_assert_int_eq (eddy_socket_receive_message (pair.server, &address, in, 2, &messages,
                                                   MSG_PEEK, &flags, NULL, NULL),
                      5);
    ck_assert_int_eq (flags & MSG_TRUNC, MSG_TRUNC);
    ck_assert_str_eq (first, "ab");
    ck_assert_str_eq (second, "cde");
    ck_assert_ptr_null (messages);
    eddy_unref (address);
    const EddyInputVector whole[] = { { first, 4 }, { second, 4 } };
    ck_assert_int_eq (
        eddy_socket_receive_message (pair.server, NULL, whole, 2, NULL, 0, &flags, NULL, NULL), 7);
    ck_assert_int_eq (flags & MSG_TRUNC, 0);
    ck_assert_mem_eq (first, "abcd", 4);
    ck_assert_mem_eq (second, "efg", 3);
    socket_pair_end (&pair);
}

/* --- file descriptors ------------------------------------------------------------------------- */

/* How many fds this process has open. */
static int count_fds (void)
{
    int count = 0;
    for (int fd = 0; fd < 1024; fd++)
        count += fcntl (fd, F_GETFD) >= 0;
    return count;
}

static EddySocketControlMessageList *list_of (void *message)
{
    EddySocketControlMessageList *list = eddy_socket_control_message_list_new ();
    ck_assert (
        eddy_socket_control_message_list_append (list, EDDY_SOCKET_CONTROL_MESSAGE (message)));
    eddy_unref (message);
    return list;
}

/* `count` copies of an fd, with one byte. */
static void send_fds (EddySocket *sender, int fd, int count)
{
    EddyError *error = NULL;
    const EddyOutputVector vector = { "!", 1 };
    EddyUnixFDMessage *fds = eddy_unix_fd_message_new ();
    for (int i = 0; i < count; i++)
        ck_assert (eddy_unix_fd_message_append_fd (fds, fd, &error));
    EddySocketControlMessageList *list = list_of (fds);
    ck_assert_int_eq (eddy_socket_send_message (sender, NULL, &vector, 1, list, 0, NULL, &error),
                      1);
    eddy_unref (list);
}

static EddySocketControlMessageList *receive_with_list (EddySocket *receiver, EddyError **error)
{
    char byte;
    EddySocketControlMessageList *list = NULL;
    const EddyInputVector vector = { &byte, 1 };
    ssize_t count =
        eddy_socket_receive_message (receiver, NULL, &vector, 1, &list, 0, NULL, NULL, error);
    ck_assert_int_eq (count, *error == NULL ? 1 : -1);
    return list;
}

SOCKET_TEST_ANYWHERE (D_socket_passes_fds)
{
    SocketPair pair = socket_connect_unix (EDDY_SOCKET_TYPE_STREAM);
    EddyError *error = NULL;
    int pipe_fds[2];
    char text[8] = "";
    size_t n_fds;
    ck_assert_int_eq (pipe (pipe_fds), 0);
    send_fds (pair.client, pipe_fds[1], 2);
    EddySocketControlMessageList *list = receive_with_list (pair.server, &error);
    ck_assert_uint_eq (eddy_socket_control_message_list_get_size (list), 1);
    EddySocketControlMessage *message = eddy_socket_control_message_list_get (list, 0);
    ck_assert_int_eq (eddy_socket_control_message_get_level (message), SOL_SOCKET);
    ck_assert_int_eq (eddy_socket_control_message_get_msg_type (message), SCM_RIGHTS);
    ck_assert_ptr_null (eddy_socket_control_message_get_data (message));
    ck_assert_ptr_null (eddy_socket_control_message_as_unix_credentials (message));
    EddyUnixFDMessage *fds = eddy_socket_control_message_as_unix_fds (message);
    const int *numbers = eddy_unix_fd_message_get_fds (fds, &n_fds);
    ck_assert_uint_eq (n_fds, 2);
    for (size_t i = 0; i < n_fds; i++)
        ck_assert_int_ne (fcntl (numbers[i], F_GETFD) & FD_CLOEXEC, 0);
    int stolen = eddy_unix_fd_message_steal_fd (fds, 1);
    ck_assert_int_eq (eddy_unix_fd_message_steal_fd (fds, 1), -1);
    eddy_unref (list); /* closes the other */
    ck_assert_int_eq (write (stolen, "passed", 6), 6);
    ck_assert_int_eq (read (pipe_fds[0], text, 6), 6);
    ck_assert_str_eq (text, "passed");
    close (stolen);
    close (pipe_fds[0]);
    close (pipe_fds[1]);
    socket_pair_end (&pair);
}

/* Whoever does not look at them leaves none open: by an ordinary receive, without a list, and as
 * many as there can be. */
SOCKET_TEST_ANYWHERE (D_socket_fds_that_nobody_takes_are_closed)
{
    SocketPair pair = socket_connect_unix (EDDY_SOCKET_TYPE_STREAM);
    EddyError *error = NULL;
    char byte;
    const EddyInputVector vector = { &byte, 1 };
    int before = count_fds ();
    send_fds (pair.client, 1, 3);
    ck_assert_int_eq (eddy_socket_receive (pair.server, &byte, 1, NULL, NULL), 1);
    ck_assert_int_eq (count_fds (), before);
    send_fds (pair.client, 1, 3);
    ck_assert_int_eq (
        eddy_socket_receive_message (pair.server, NULL, &vector, 1, NULL, 0, NULL, NULL, &error),
        1);
    ck_assert_int_eq (count_fds (), before);
    send_fds (pair.client, 1, EDDY_UNIX_FD_MESSAGE_MOST);
    EddySocketControlMessageList *list = receive_with_list (pair.server, &error);
    ck_assert_int_eq (count_fds (), before + EDDY_UNIX_FD_MESSAGE_MOST);
    eddy_unref (list);
    ck_assert_int_eq (count_fds (), before);
    send_fds (pair.client, 1, 3); /* never received */
    socket_pair_end (&pair);
}

EDDY_TEST_IN_FIBER (D_socket_fds_that_cannot_be_passed)
{
    EddyError *error = NULL;
    EddyUnixFDMessage *fds = eddy_unix_fd_message_new ();
    ck_assert (!eddy_unix_fd_message_append_fd (fds, 987654, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
    for (int i = 0; i < EDDY_UNIX_FD_MESSAGE_MOST; i++)
        ck_assert (eddy_unix_fd_message_append_fd (fds, 1, NULL));
    ck_assert (!eddy_unix_fd_message_append_fd (fds, 1, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_LIMIT_EXCEEDED);
    EddySocketControlMessageList *list = list_of (fds);
    SocketPair tcp = socket_connect_tcp ();
    const EddyOutputVector vector = { "!", 1 };
    (void) eddy_socket_send_message (tcp.client, NULL, &vector, 1, list, 0, NULL, &error);
    eddy_clear_error (&error); /* TCP drops them or refuses */
    eddy_unref (list);
    socket_pair_end (&tcp);
}

/* The kernel has no numbers left for some of the fds: what is cut is an error, and nothing of it
 * stays open. */
SOCKET_TEST_ANYWHERE (D_socket_fds_that_there_are_no_numbers_for)
{
    SocketPair pair = socket_connect_unix (EDDY_SOCKET_TYPE_STREAM);
    EddyError *error = NULL;
    struct rlimit limit, fewer;
    send_fds (pair.client, 1, 50);
    int before = count_fds ();
    ck_assert_int_eq (getrlimit (RLIMIT_NOFILE, &limit), 0);
    fewer = limit;
    fewer.rlim_cur = (rlim_t) before + 20;
    ck_assert_int_eq (setrlimit (RLIMIT_NOFILE, &fewer), 0);
    ck_assert_ptr_null (receive_with_list (pair.server, &error));
    ck_assert_int_eq (setrlimit (RLIMIT_NOFILE, &limit), 0);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_PARTIAL_INPUT);
    ck_assert_int_eq (count_fds (), before);
    socket_pair_end (&pair);
}

/* --- credentials ------------------------------------------------------------------------------ */

static void expect_ours (EddyCredentials *credentials)
{
    char text[64];
    ck_assert_int_eq (eddy_credentials_get_unix_pid (credentials), getpid ());
    ck_assert_uint_eq (eddy_credentials_get_unix_user (credentials), geteuid ());
    ck_assert_uint_eq (eddy_credentials_get_unix_group (credentials), getegid ());
    EddyCredentials *own = eddy_credentials_new ();
    ck_assert (eddy_credentials_is_same_user (credentials, own));
    eddy_unref (own);
    char *told = eddy_credentials_to_string (credentials);
    snprintf (text, sizeof text, "pid %d, user %u, group %u", (int) getpid (), geteuid (),
              getegid ());
    ck_assert_str_eq (told, text);
    eddy_free (told);
}

SOCKET_TEST_ANYWHERE (D_socket_credentials)
{
    SocketPair pair = socket_connect_unix (EDDY_SOCKET_TYPE_STREAM);
    EddyError *error = NULL;
    EddyCredentials *credentials = eddy_socket_get_credentials (pair.client, &error);
    expect_ours (credentials);
    ck_assert (eddy_socket_set_option_by_name (pair.server, "pass-credentials", 1, NULL));
    const EddyOutputVector vector = { "!", 1 };
    EddyUnixCredentialsMessage *sent = eddy_unix_credentials_message_new (credentials);
    eddy_unref (credentials);
    EddySocketControlMessageList *list = list_of (sent);
    ck_assert_int_eq (
        eddy_socket_send_message (pair.client, NULL, &vector, 1, list, 0, NULL, &error), 1);
    eddy_unref (list);
    list = receive_with_list (pair.server, &error);
    ck_assert_uint_eq (eddy_socket_control_message_list_get_size (list), 1);
    EddyUnixCredentialsMessage *told = eddy_socket_control_message_as_unix_credentials (
        eddy_socket_control_message_list_get (list, 0));
    expect_ours (eddy_unix_credentials_message_get_credentials (told));
    eddy_unref (list);
    socket_pair_end (&pair);
    SocketPair tcp = socket_connect_tcp ();
    ck_assert_ptr_null (eddy_socket_get_credentials (tcp.client, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_SUPPORTED);
    socket_pair_end (&tcp);
}

/* Of a kind without functions of its own: when a message has come. */
EDDY_TEST_IN_FIBER (D_socket_control_messages_of_any_kind)
{
    EddyError *error = NULL;
    char byte;
    EddySocketControlMessageList *list = NULL;
    const EddyInputVector vector = { &byte, 1 };
    EddySocket *receiver =
        socket_serve (EDDY_SOCKET_TYPE_DATAGRAM, socket_loopback (EDDY_SOCKET_FAMILY_IPV4, 0));
    EddySocketAddress *to = socket_where (receiver);
    ck_assert (eddy_socket_set_option (receiver, SOL_SOCKET, SO_TIMESTAMPNS, 1, &error));
    ck_assert_int_eq (eddy_socket_send_to (receiver, to, "!", 1, NULL, NULL), 1);
    ck_assert_int_eq (
        eddy_socket_receive_message (receiver, NULL, &vector, 1, &list, 0, NULL, NULL, &error), 1);
    EddySocketControlMessage *message = eddy_socket_control_message_list_get (list, 0);
    ck_assert_int_eq (eddy_socket_control_message_get_msg_type (message), SCM_TIMESTAMPNS);
    ck_assert_uint_eq (eddy_bytes_get_size (eddy_socket_control_message_get_data (message)),
                       sizeof (struct timespec));
    eddy_unref (list);
    eddy_unref (to);
    eddy_unref (receiver);
    EddyBytes *data = eddy_bytes_new ("????", 4);
    list = list_of (eddy_socket_control_message_new (SOL_SOCKET, 12345, data));
    eddy_unref (data);
    SocketPair pair = socket_connect_unix (EDDY_SOCKET_TYPE_STREAM);
    const EddyOutputVector out = { "!", 1 };
    ck_assert_int_eq (eddy_socket_send_message (pair.client, NULL, &out, 1, list, 0, NULL, &error),
                      -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
    eddy_unref (list);
    socket_pair_end (&pair);
}
