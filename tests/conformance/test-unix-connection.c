/* SPDX-License-Identifier: MIT */
/* Connections within this machine: file descriptors and credentials. */
#include <eddy/testing.h>
#include <sys/stat.h>

#include "connections.h"

static EddyUnixConnection *of_unix (const ConnectionEnd *end)
{
    return EDDY_UNIX_CONNECTION (end->connection);
}

static ConnectionPair make_pair (void)
{
    return connection_pair_unix (EDDY_SOCKET_TYPE_STREAM);
}

SOCKET_TEST_ANYWHERE (D_unix_connection_passes_a_file_descriptor)
{
    ConnectionPair pair = make_pair ();
    EddyError *error = NULL;
    int fds[2];
    ck_assert_int_eq (pipe (fds), 0);
    ck_assert (eddy_unix_connection_send_fd (of_unix (&pair.near), fds[1], NULL, &error));
    int fd = eddy_unix_connection_receive_fd (of_unix (&pair.far), NULL, &error);
    ck_assert_int_ge (fd, 0);
    ck_assert_int_ne (fd, fds[1]);
    struct stat sent, received;
    ck_assert_int_eq (fstat (fds[1], &sent) | fstat (fd, &received), 0);
    ck_assert_uint_eq (sent.st_ino, received.st_ino);
    /* The stream goes on where it was. */
    connection_write (&pair.near, "text");
    connection_expect (&pair.far, "text");
    close (fd);
    close (fds[0]);
    close (fds[1]);
    connection_pair_clear (&pair);
}

SOCKET_TEST_ANYWHERE (D_unix_connection_passes_credentials)
{
    ConnectionPair pair = make_pair ();
    EddyError *error = NULL;
    ck_assert (eddy_unix_connection_send_credentials (of_unix (&pair.near), NULL, &error));
    EddyCredentials *credentials =
        eddy_unix_connection_receive_credentials (of_unix (&pair.far), NULL, &error);
    ck_assert_ptr_nonnull (credentials);
    ck_assert_int_eq (eddy_credentials_get_unix_pid (credentials), getpid ());
    ck_assert_uint_eq (eddy_credentials_get_unix_user (credentials), getuid ());
    eddy_unref (credentials);
    int asked = -1;
    ck_assert (
        eddy_socket_get_option_by_name (eddy_socket_connection_get_socket (pair.far.connection),
                                        "pass-credentials", &asked, &error));
    ck_assert_int_eq (asked, 0);
    connection_pair_clear (&pair);
}

EDDY_TEST (D_unix_connection_by_callbacks)
{
    EddyContext *context = eddy_test_context_begin ();
    ConnectionPair pair = make_pair ();
    EddyUnixConnection *near = of_unix (&pair.near), *far = of_unix (&pair.far);
    StreamCall call = { .calls = 0 };
    EddyError *error = NULL;
    eddy_unix_connection_send_fd_async (near, STDIN_FILENO, 0, NULL, stream_called, &call);
    ck_assert (eddy_unix_connection_send_fd_finish (near, stream_await (context, &call), &error));
    stream_call_clear (&call);
    eddy_unix_connection_receive_fd_async (far, 0, NULL, stream_called, &call);
    int fd = eddy_unix_connection_receive_fd_finish (far, stream_await (context, &call), &error);
    ck_assert_int_ge (fd, 0);
    close (fd);
    stream_call_clear (&call);
    eddy_unix_connection_send_credentials_async (near, 0, NULL, stream_called, &call);
    ck_assert (
        eddy_unix_connection_send_credentials_finish (near, stream_await (context, &call), &error));
    stream_call_clear (&call);
    eddy_unix_connection_receive_credentials_async (far, 0, NULL, stream_called, &call);
    EddyCredentials *credentials = eddy_unix_connection_receive_credentials_finish (
        far, stream_await (context, &call), &error);
    ck_assert_int_eq (eddy_credentials_get_unix_pid (credentials), getpid ());
    eddy_unref (credentials);
    stream_call_clear (&call);
    connection_pair_clear (&pair);
    eddy_test_context_end (context);
}

EDDY_TEST (D_unix_connection_as_futures)
{
    EddyContext *context = eddy_test_context_begin ();
    ConnectionPair pair = make_pair ();
    EddyUnixConnection *near = of_unix (&pair.near), *far = of_unix (&pair.far);
    EddyError *error = NULL;
    EDDY_AUTO (EddyFuture)
    sent_fd = eddy_unix_connection_send_fd_future (near, STDIN_FILENO, 0, NULL);
    ck_assert (eddy_block_on_boolean (context, sent_fd, &error));
    EDDY_AUTO (EddyFuture) received_fd = eddy_unix_connection_receive_fd_future (far, 0, NULL);
    int fd = (int) eddy_block_on_int (context, received_fd, &error);
    ck_assert_int_ge (fd, 0);
    close (fd);
    EDDY_AUTO (EddyFuture) sent = eddy_unix_connection_send_credentials_future (near, 0, NULL);
    ck_assert (eddy_block_on_boolean (context, sent, &error));
    EDDY_AUTO (EddyFuture)
    received = eddy_unix_connection_receive_credentials_future (far, 0, NULL);
    EddyCredentials *credentials = eddy_block_on (context, received, &error);
    ck_assert_int_eq (eddy_credentials_get_unix_pid (credentials), getpid ());
    connection_pair_clear (&pair);
    eddy_test_context_end (context);
}

/* What is not one fd is refused, and no fd of it stays open. */
SOCKET_TEST_ANYWHERE (D_unix_connection_refuses_what_is_none)
{
    ConnectionPair pair = make_pair ();
    EddyError *error = NULL;
    connection_write (&pair.near, "x");
    ck_assert_int_eq (eddy_unix_connection_receive_fd (of_unix (&pair.far), NULL, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
    EddyUnixFDMessage *two = eddy_unix_fd_message_new ();
    ck_assert (eddy_unix_fd_message_append_fd (two, STDIN_FILENO, &error));
    ck_assert (eddy_unix_fd_message_append_fd (two, STDIN_FILENO, &error));
    EddySocketControlMessageList *list = eddy_socket_control_message_list_new ();
    ck_assert (eddy_socket_control_message_list_append (list, EDDY_SOCKET_CONTROL_MESSAGE (two)));
    const EddyOutputVector byte = { "", 1 };
    ck_assert_int_eq (
        eddy_socket_send_message (eddy_socket_connection_get_socket (pair.near.connection), NULL,
                                  &byte, 1, list, 0, NULL, &error),
        1);
    eddy_unref (list);
    eddy_unref (two);
    ck_assert_int_eq (eddy_unix_connection_receive_fd (of_unix (&pair.far), NULL, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
    ck_assert (eddy_unix_connection_send_fd (of_unix (&pair.near), STDIN_FILENO, NULL, &error));
    ck_assert_ptr_null (
        eddy_unix_connection_receive_credentials (of_unix (&pair.far), NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
    connection_end_clear (&pair.near);
    ck_assert_int_eq (eddy_unix_connection_receive_fd (of_unix (&pair.far), NULL, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_PARTIAL_INPUT);
    connection_pair_clear (&pair);
}

static void *receive_fd (void *data, EddyError **error)
{
    int fd = eddy_unix_connection_receive_fd (data, NULL, error);
    ck_assert_int_eq (fd, -1);
    return NULL;
}

EDDY_TEST_IN_FIBER (D_unix_connection_is_pending_meanwhile)
{
    ConnectionPair pair = make_pair ();
    EddyError *error = NULL;
    char byte;
    EddyFuture *receiver = socket_beside (receive_fd, pair.far.connection);
    eddy_fiber_yield ();
    ck_assert_int_eq (eddy_input_stream_read (pair.far.input, &byte, 1, NULL, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_PENDING);
    eddy_future_cancel (receiver);
    ck_assert (!eddy_await_complete (receiver, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    eddy_unref (receiver);
    connection_write (&pair.near, "x");
    connection_expect (&pair.far, "x");
    connection_pair_clear (&pair);
}

static void *pass_both (void *data, EddyError **error)
{
    ConnectionPair pair = make_pair ();
    bool good = eddy_unix_connection_send_fd (of_unix (&pair.near), STDIN_FILENO, NULL, error) &&
                eddy_unix_connection_send_credentials (of_unix (&pair.near), NULL, error);
    int fd = good ? eddy_unix_connection_receive_fd (of_unix (&pair.far), NULL, error) : -1;
    if (fd >= 0)
        close (fd);
    EddyCredentials *credentials =
        fd < 0 ? NULL : eddy_unix_connection_receive_credentials (of_unix (&pair.far), NULL, error);
    good = credentials != NULL;
    eddy_unref (credentials);
    connection_pair_clear (&pair);
    return good ? data : NULL;
}

EDDY_TEST (D_unix_connection_cancelled_everywhere)
{
    EddyTestCancelReport report;
    bool good = eddy_test_cancel_everywhere (pass_both, NULL, NULL, &report);
    ck_assert_msg (good, "%s", report.failure);
    ck_assert_uint_ge (report.points, 1);
}
