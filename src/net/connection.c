/* SPDX-License-Identifier: MIT */
/* EddySocketConnection: a socket and its two streams, closed together. */
#include <eddy/socket-connection-bodies.h>

#include <eddy/socket-bodies.h>
#include <netinet/in.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "net/connection-private.h"

enum { DRAIN_BUFFER_SIZE = 4096 };

/* --- close ------------------------------------------------------------------------------------ */

/* Nothing more will come from us, and what the peer sends is thrown away up to its end: then it has
 * read all. */
static bool connection_drain (EddySocketConnection *self, EddyCancellable *cancellable,
                              EddyError **error)
{
    char buffer[DRAIN_BUFFER_SIZE];
    ssize_t count = eddy_socket_shutdown (self->socket, /* shutdown_read= */ false,
                                          /* shutdown_write= */ true, error)
                        ? 1
                        : -1;
    while (count > 0)
        count = eddy_socket_receive (self->socket, buffer, sizeof buffer, cancellable, error);
    return count == 0;
}

static bool connection_close (EddyIOStream *stream, EddyCancellable *cancellable, EddyError **error)
{
    EddySocketConnection *self = EDDY_SOCKET_CONNECTION (stream);
    bool drained = !self->stream.stream.is_graceful || !eddy_socket_is_connected (self->socket) ||
                   connection_drain (self, cancellable, error);
    return eddy_socket_close (self->socket, drained ? error : NULL) && drained;
}

/* --- life ------------------------------------------------------------------------------------- */

static void connection_dispose (void *object)
{
    EddySocketConnection *self = object;
    self->stream.stream.closed = true;
    eddy__socket_close_later (self->socket);
    /* Who has one of them keeps our memory, and finds the socket closed. */
    eddy_unref (&self->input);
    eddy_unref (&self->output);
}

static void connection_finalize (void *object)
{
    EddySocketConnection *self = object;
    eddy_unref (self->socket);
    eddy__free (self->name);
}

static EddyInputStream *connection_get_input_stream (EddyIOStream *stream)
{
    return &EDDY_SOCKET_CONNECTION (stream)->input;
}

static EddyOutputStream *connection_get_output_stream (EddyIOStream *stream)
{
    return &EDDY_SOCKET_CONNECTION (stream)->output;
}

#define CONNECTION_CLASS(type)                                                                     \
    {                                                                                              \
        .stream.object = { .name = #type,                                                          \
                           .size = sizeof (type),                                                  \
                           .dispose = connection_dispose,                                          \
                           .finalize = connection_finalize },                                      \
        .get_input_stream = connection_get_input_stream,                                           \
        .get_output_stream = connection_get_output_stream, .close = connection_close               \
    }

static const EddyIOStreamClass connection_class = CONNECTION_CLASS (EddySocketConnection);
static const EddyIOStreamClass tcp_connection_class = CONNECTION_CLASS (EddyTcpConnection);
static const EddyIOStreamClass unix_connection_class = CONNECTION_CLASS (EddyUnixConnection);

static const EddyIOStreamClass *connection_class_of (const EddySocket *socket)
{
    if (socket->family == EDDY_SOCKET_FAMILY_UNIX)
        return &unix_connection_class;
    return eddy__socket_is_tcp (socket) ? &tcp_connection_class : &connection_class;
}

EddySocketConnection *eddy_socket_connection_new (EddySocket *socket)
{
    EDDY__EXPECT (socket != NULL && socket->type != EDDY_SOCKET_TYPE_DATAGRAM, NULL);
    EddySocketConnection *self = eddy_object_new (&connection_class_of (socket)->stream.object);
    if (self == NULL)
        return NULL;
    self->socket = eddy_ref (socket);
    eddy__connection_init_streams (self);
    return self;
}

/* --- what is known of it ---------------------------------------------------------------------- */

static bool connection_is_a (EddySocketConnection *self, const EddyIOStreamClass *wanted)
{
    return self->stream.stream.object.object_class == &wanted->stream.object;
}

bool eddy_socket_connection_is_tcp (EddySocketConnection *self)
{
    EDDY__EXPECT (self != NULL, false);
    return connection_is_a (self, &tcp_connection_class);
}

bool eddy_socket_connection_is_unix (EddySocketConnection *self)
{
    EDDY__EXPECT (self != NULL, false);
    return connection_is_a (self, &unix_connection_class);
}

bool eddy_socket_connection_is_connected (EddySocketConnection *self)
{
    EDDY__EXPECT (self != NULL, false);
    return eddy_socket_is_connected (self->socket);
}

EddySocket *eddy_socket_connection_get_socket (EddySocketConnection *self)
{
    EDDY__EXPECT (self != NULL, NULL);
    return self->socket;
}

EddySocketAddress *eddy_socket_connection_get_local_address (EddySocketConnection *self,
                                                             EddyError **error)
{
    EDDY__EXPECT (self != NULL, NULL);
    return eddy_socket_get_local_address (self->socket, error);
}

EddySocketAddress *eddy_socket_connection_get_remote_address (EddySocketConnection *self,
                                                              EddyError **error)
{
    EDDY__EXPECT (self != NULL, NULL);
    return eddy_socket_get_remote_address (self->socket, error);
}

bool eddy_socket_connection_connect_body (EddySocketConnection *self, EddySocketAddress *address,
                                          EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (self != NULL && address != NULL, false);
    return eddy_socket_connect_body (self->socket, address, cancellable, error);
}

void eddy_tcp_connection_set_graceful_disconnect (EddyTcpConnection *self, bool graceful_disconnect)
{
    EDDY__EXPECT (self != NULL && connection_is_a (&self->connection, &tcp_connection_class));
    self->connection.stream.stream.is_graceful = graceful_disconnect;
}

bool eddy_tcp_connection_get_graceful_disconnect (EddyTcpConnection *self)
{
    EDDY__EXPECT (self != NULL && connection_is_a (&self->connection, &tcp_connection_class),
                  false);
    return self->connection.stream.stream.is_graceful;
}
