/* SPDX-License-Identifier: MIT */
/*
 * Sockets: connections made, talked over and closed, messages with file descriptors, sources.
 */
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "torture.h"

static const char text[] = "some words";

/* ---- A connection, two fibers -------------------------------------------------------------- */

typedef struct Talk {
    bool is_unix;
    EddySocket *listener;
    EddySocketAddress *address;
    char buffer[sizeof text];
    bool was_answered;
} Talk;

static bool talk_receive (EddySocket *socket, char *buffer, EddyError **error)
{
    for (size_t received = 0; received < sizeof text;) {
        ssize_t count =
            eddy_socket_receive (socket, buffer + received, sizeof text - received, NULL, error);
        if (count <= 0)
            return false;
        received += (size_t) count;
    }
    return true;
}

static void *talk_answer (void *data, EddyError **error)
{
    Talk *talk = data;
    char buffer[sizeof text] = "";
    EddySocket *socket = eddy_socket_accept (talk->listener, NULL, error);
    if (socket != NULL && talk_receive (socket, buffer, error)) {
        torture_require (memcmp (buffer, text, sizeof text) == 0);
        (void) eddy_socket_send (socket, buffer, sizeof buffer, NULL, error);
    }
    eddy_unref (socket);
    return NULL;
}

static void *talk_ask (void *data, EddyError **error)
{
    Talk *talk = data;
    EddySocketFamily family = eddy_socket_address_get_family (talk->address);
    EddySocket *socket = eddy_socket_new (family, EDDY_SOCKET_TYPE_STREAM, 0, error);
    if (socket != NULL && eddy_socket_connect (socket, talk->address, NULL, error) &&
        eddy_socket_send (socket, text, sizeof text, NULL, error) >= 0)
        talk->was_answered = talk_receive (socket, talk->buffer, error);
    eddy_unref (socket);
    return NULL;
}

static EddySocketAddress *talk_make_address (const Talk *talk)
{
    if (talk->is_unix)
        return torture_made ("an address", eddy_unix_socket_address_new (torture_path ("socket")));
    EddyInetAddress *host =
        torture_made ("a host", eddy_inet_address_new_loopback (EDDY_SOCKET_FAMILY_IPV4));
    EddySocketAddress *address =
        host == NULL ? NULL : torture_made ("an address", eddy_inet_socket_address_new (host, 0));
    eddy_unref (host);
    return address;
}

static bool talk_listen (Talk *talk, EddyError **error)
{
    EddySocketAddress *address = talk_make_address (talk);
    if (address == NULL)
        return false;
    EddySocketFamily family = eddy_socket_address_get_family (address);
    talk->listener = eddy_socket_new (family, EDDY_SOCKET_TYPE_STREAM, 0, error);
    bool listens = talk->listener != NULL &&
                   eddy_socket_bind (talk->listener, address, true, error) &&
                   eddy_socket_listen (talk->listener, error);
    eddy_unref (address);
    talk->address = listens ? eddy_socket_get_local_address (talk->listener, error) : NULL;
    return talk->address != NULL;
}

/* Each fiber is told of its own failure, and ends the other: the listener by its close. */
static void talk_step (void *data)
{
    Talk *talk = data;
    EddyError *error = NULL;
    EddyGroup *group = NULL;
    if (!talk_listen (talk, &error)) {
        if (error != NULL)
            torture_error ("the listener", &error);
        return;
    }
    group = torture_made ("a group", eddy_group_new ());
    if (group == NULL)
        return;
    if (!eddy_group_spawn (group, talk_answer, talk, NULL, &error) ||
        !eddy_group_spawn (group, talk_ask, talk, NULL, &error)) {
        torture_error ("a fiber", &error);
        eddy_group_cancel (group);
    }
    if (!eddy_group_wait (group, &error))
        torture_error_or_cancelled ("the talk", &error);
    eddy_unref (group);
}

static void talk_run (bool is_unix)
{
    Talk talk = { .is_unix = is_unix };
    torture_begin ();
    torture_await (talk_step, &talk);
    torture_end ();
    torture_require (talk.was_answered || torture_has_failed ());
    if (talk.was_answered)
        torture_require (memcmp (talk.buffer, text, sizeof text) == 0);
    eddy_unref (talk.listener);
    eddy_unref (talk.address);
}

TORTURE_SCENARIO (socket_talk_tcp)
{
    talk_run (/* is_unix= */ false);
}

TORTURE_SCENARIO (socket_talk_unix)
{
    talk_run (/* is_unix= */ true);
}

/* ---- In a plain thread, with a file descriptor that is passed ------------------------------ */

static EddySocketControlMessageList *passing_make_list (void)
{
    EddyError *error = NULL;
    EddyUnixFDMessage *fds = torture_made ("a message", eddy_unix_fd_message_new ());
    if (fds == NULL)
        return NULL;
    EddySocketControlMessageList *list = NULL;
    if (!eddy_unix_fd_message_append_fd (fds, 1, &error))
        torture_error ("the fd", &error);
    else
        list = torture_made ("a list", eddy_socket_control_message_list_new ());
    if (list != NULL &&
        !eddy_socket_control_message_list_append (list, EDDY_SOCKET_CONTROL_MESSAGE (fds))) {
        torture_refused ("to append");
        eddy_clear (&list);
    }
    eddy_unref (fds);
    return list;
}

static bool passing_send (EddySocket *sender)
{
    EddyError *error = NULL;
    EddySocketControlMessageList *list = passing_make_list ();
    if (list == NULL)
        return false;
    const EddyOutputVector vector = { text, sizeof text };
    bool sent = eddy_socket_send_message (sender, NULL, &vector, 1, list, 0, NULL, &error) >= 0;
    if (!sent)
        torture_error ("the send", &error);
    eddy_unref (list);
    return sent;
}

static void passing_receive (EddySocket *receiver)
{
    EddyError *error = NULL;
    char buffer[sizeof text];
    EddySocketControlMessageList *list = NULL;
    EddySocketAddress *address = NULL;
    const EddyInputVector vector = { buffer, sizeof buffer };
    ssize_t count =
        eddy_socket_receive_message (receiver, &address, &vector, 1, &list, 0, NULL, NULL, &error);
    if (count < 0) {
        torture_error ("the receive", &error);
        torture_require (list == NULL && address == NULL);
    } else {
        torture_require (count == sizeof text && memcmp (buffer, text, sizeof text) == 0);
        torture_require (eddy_socket_control_message_list_get_size (list) == 1);
    }
    eddy_unref (list);
    eddy_unref (address);
}

TORTURE_SCENARIO (socket_passes_fds)
{
    EddyError *error = NULL;
    EddySocket *sender, *receiver;
    torture_begin ();
    if (!eddy_socket_new_pair (EDDY_SOCKET_TYPE_SEQPACKET, &sender, &receiver, &error))
        torture_error ("the pair", &error);
    else if (passing_send (sender))
        passing_receive (receiver);
    torture_end ();
    eddy_unref (sender);
    eddy_unref (receiver);
}

/* ---- By callback, ended by a close --------------------------------------------------------- */

typedef struct Waiting {
    int calls;
    EddyError *error;
} Waiting;

static void waiting_told (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Waiting *waiting = user_data;
    torture_require (eddy_socket_receive_finish (source_object, result, &waiting->error) < 0);
    waiting->calls++;
}

static void close_while_receiving (EddyContext *context, EddySocket *socket)
{
    Waiting waiting = { .calls = 0 };
    EddyError *error = NULL;
    char byte;
    eddy_socket_receive_async (socket, &byte, 1, EDDY_PRIORITY_DEFAULT, NULL, waiting_told,
                               &waiting);
    for (int i = 0; i < 3; i++)
        eddy_context_iteration (context, false);
    if (!eddy_socket_close (socket, &error))
        torture_error ("the close", &error);
    if (!torture_run_until (context, &waiting.calls, 1))
        return;
    if (eddy_error_is_closed (waiting.error))
        eddy_clear_error (&waiting.error);
    else
        torture_error ("the receive", &waiting.error);
}

TORTURE_SCENARIO (socket_closed_while_it_receives)
{
    EddyError *error = NULL;
    EddySocket *one, *other;
    torture_require (eddy_socket_new_pair (EDDY_SOCKET_TYPE_STREAM, &one, &other, &error));
    torture_begin ();
    EddyContext *context = torture_context_begin ();
    if (context != NULL)
        close_while_receiving (context, one);
    torture_end ();
    torture_context_end (context);
    eddy_unref (one);
    eddy_unref (other);
}
