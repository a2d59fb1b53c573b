/* SPDX-License-Identifier: MIT */
/* EddyUnixConnection: file descriptors and credentials, each with one byte. */
#include <eddy/socket-connection-bodies.h>

#include <eddy/socket-bodies.h>
#include <errno.h>

#include "base/object-private.h"
#include "fiber/fiber-private.h"
#include "io/stream-private.h"
#include "net/connection-private.h"
#include "sys/file-private.h"

static bool unix_connection_refuse (const char *what, EddyError **error)
{
    eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_ARGUMENT,
                    "what was received is not %s", what);
    return false;
}

/* Sends one byte with a message, as an operation of the output stream; takes the message. */
static bool unix_connection_send (EddySocketConnection *self, void *message,
                                  EddyCancellable *cancellable, EddyError **error)
{
    EDDY_AUTO (EddySocketControlMessage) taken = message;
    EDDY_AUTO (EddySocketControlMessageList) messages = eddy_socket_control_message_list_new ();
    if (taken == NULL || messages == NULL ||
        !eddy_socket_control_message_list_append (messages, taken)) {
        eddy_error_set_errno (error, ENOMEM, "%s", eddy__connection_get_name (self));
        return false;
    }
    if (!eddy__stream_begin (&self->output.stream, cancellable, error))
        return false;
    const EddyOutputVector byte = { "", 1 };
    ssize_t count =
        eddy_socket_send_message (self->socket, NULL, &byte, 1, messages, 0, cancellable, error);
    eddy__stream_end (&self->output.stream);
    return count == 1;
}

/* Receives one byte with one message, as an operation of the input stream; NULL with the error. */
static EddySocketControlMessageList *unix_connection_receive (EddySocketConnection *self,
                                                              const char *what,
                                                              EddyCancellable *cancellable,
                                                              EddyError **error)
{
    char byte;
    const EddyInputVector vector = { &byte, 1 };
    EddySocketControlMessageList *messages = NULL;
    if (!eddy__stream_begin (&self->input.stream, cancellable, error))
        return NULL;
    ssize_t count = eddy_socket_receive_message (self->socket, NULL, &vector, 1, &messages, 0, NULL,
                                                 cancellable, error);
    eddy__stream_end (&self->input.stream);
    if (count < 0)
        return NULL;
    if (count == 1 && eddy_socket_control_message_list_get_size (messages) == 1)
        return messages;
    eddy_clear (&messages);
    if (count == 1)
        (void) unix_connection_refuse (what, error);
    else
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_PARTIAL_INPUT,
                        "%s: the end came instead of %s", eddy__connection_get_name (self), what);
    return NULL;
}

/* --- file descriptors ------------------------------------------------------------------------- */

bool eddy_unix_connection_send_fd_body (EddyUnixConnection *self, int fd,
                                        EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (self != NULL && fd >= 0, false);
    EddyUnixFDMessage *message = eddy_unix_fd_message_new ();
    if (message != NULL && !eddy_unix_fd_message_append_fd (message, fd, error)) {
        eddy_unref (message);
        return false;
    }
    return unix_connection_send (&self->connection, message, cancellable, error);
}

static void unix_connection_close_unseen (void *number)
{
    eddy__sys_close ((int) (intptr_t) number);
}

int eddy_unix_connection_receive_fd_body (EddyUnixConnection *self, EddyCancellable *cancellable,
                                          EddyError **error)
{
    static const char what[] = "one file descriptor";
    EDDY__EXPECT (self != NULL, -1);
    EDDY_AUTO (EddySocketControlMessageList)
    messages = unix_connection_receive (&self->connection, what, cancellable, error);
    if (messages == NULL)
        return -1;
    EddyUnixFDMessage *message = eddy_socket_control_message_as_unix_fds (
        eddy_socket_control_message_list_get (messages, 0));
    size_t n_fds = 0;
    if (message != NULL)
        (void) eddy_unix_fd_message_get_fds (message, &n_fds);
    if (n_fds == 1) {
        eddy__form_set_destroy ("eddy_unix_connection_receive_fd", unix_connection_close_unseen);
        return eddy_unix_fd_message_steal_fd (message, 0);
    }
    (void) unix_connection_refuse (what, error);
    return -1;
}

/* --- credentials ------------------------------------------------------------------------------ */

bool eddy_unix_connection_send_credentials_body (EddyUnixConnection *self,
                                                 EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (self != NULL, false);
    return unix_connection_send (&self->connection, eddy_unix_credentials_message_new (NULL),
                                 cancellable, error);
}

static EddyCredentials *unix_connection_take_credentials (EddySocketConnection *self,
                                                          EddyCancellable *cancellable,
                                                          EddyError **error)
{
    static const char what[] = "credentials";
    EDDY_AUTO (EddySocketControlMessageList)
    messages = unix_connection_receive (self, what, cancellable, error);
    if (messages == NULL)
        return NULL;
    EddyUnixCredentialsMessage *message = eddy_socket_control_message_as_unix_credentials (
        eddy_socket_control_message_list_get (messages, 0));
    if (message != NULL)
        return eddy_ref (eddy_unix_credentials_message_get_credentials (message));
    (void) unix_connection_refuse (what, error);
    return NULL;
}

/* The kernel passes credentials on to who has asked for them. */
EddyCredentials *eddy_unix_connection_receive_credentials_body (EddyUnixConnection *self,
                                                                EddyCancellable *cancellable,
                                                                EddyError **error)
{
    static const char option[] = "pass-credentials";
    EDDY__EXPECT (self != NULL, NULL);
    EddySocket *socket = self->connection.socket;
    int was_asked = 0;
    if (!eddy_socket_get_option_by_name (socket, option, &was_asked, error) ||
        !eddy_socket_set_option_by_name (socket, option, 1, error))
        return NULL;
    EddyCredentials *credentials =
        unix_connection_take_credentials (&self->connection, cancellable, error);
    if (was_asked == 0)
        (void) eddy_socket_set_option_by_name (socket, option, 0, NULL);
    return credentials;
}
