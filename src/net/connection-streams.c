/* SPDX-License-Identifier: MIT */
/* The two streams of a connection: each read and write is one request of its socket. */
#include <eddy/socket-bodies.h>

#include <stdio.h>
#include <string.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "io/stream-private.h"
#include "net/connection-private.h"

static EddySocketConnection *of_input (void *stream)
{
    return EDDY__CONTAINER (stream, EddySocketConnection, input);
}

static EddySocketConnection *of_output (void *stream)
{
    return EDDY__CONTAINER (stream, EddySocketConnection, output);
}

const char *eddy__connection_get_name (EddySocketConnection *self)
{
    if (self->name != NULL)
        return self->name;
    EddySocketAddress *address = eddy_socket_get_remote_address (self->socket, NULL);
    char *peer = address == NULL ? NULL : eddy_socket_address_to_string (address);
    size_t size = peer == NULL ? 0 : sizeof "connection to " + strlen (peer);
    self->name = peer == NULL ? NULL : eddy__alloc (size);
    if (self->name != NULL)
        snprintf (self->name, size, "connection to %s", peer);
    eddy_free (peer);
    eddy_unref (address);
    return self->name == NULL ? "connection" : self->name;
}

/* The fd, where all that a request needs is that. */
static int connection_get_fd (const EddySocket *socket, EddySocketDirection direction)
{
    return socket->timeouts[direction] > 0 ? -1 : socket->fd;
}

/* --- input ------------------------------------------------------------------------------------ */

static ssize_t input_read (EddyInputStream *stream, void *buffer, size_t count,
                           EddyCancellable *cancellable, EddyError **error)
{
    return eddy_socket_receive_body (of_input (stream)->socket, buffer, count, cancellable, error);
}

static int input_get_fd (EddyInputStream *stream, int64_t *offset)
{
    (void) offset; /* it has no positions */
    return connection_get_fd (of_input (stream)->socket, EDDY__SOCKET_RECEIVES);
}

static const char *input_get_name (EddyInputStream *stream)
{
    return eddy__connection_get_name (of_input (stream));
}

/* The request reads the fd: it becomes the socket's own. */
static void input_adopt (EddySocket *socket, EddyOp *op)
{
    if (op->kind == EDDY_OP_READ)
        op->kind = EDDY_OP_RECV;
    op->as.transfer.readiness = &socket->readiness;
}

static bool input_begin (void *stream, EddyOp *op, EddyError **error)
{
    EddySocket *socket = of_input (stream)->socket;
    if (!eddy__socket_request (socket, &eddy__socket_receive_verb, error))
        return false;
    input_adopt (socket, op);
    return true;
}

static int64_t input_end (void *stream, const EddyOp *op, EddyError **error)
{
    return eddy__socket_result (of_input (stream)->socket, op, &eddy__socket_receive_verb, NULL,
                                error);
}

static int64_t input_run (void *stream, EddyOp *op, EddyCancellable *cancellable, EddyError **error)
{
    EddySocket *socket = of_input (stream)->socket;
    input_adopt (socket, op);
    return eddy__socket_do (socket, op, &eddy__socket_receive_verb, NULL, cancellable, error);
}

static void input_hold (void *stream)
{
    eddy__socket_hold (of_input (stream)->socket);
}

static bool input_release (void *stream)
{
    return eddy__socket_release (of_input (stream)->socket);
}

static const EddyStreamRequests input_requests = { input_begin, input_end, input_run, input_hold,
                                                   input_release };

static void input_finalize (void *stream)
{
    eddy_object_release (of_input (stream));
}

static const EddyInputStreamClass input_class = {
    .stream.object = { .name = "EddySocketInputStream", .size = 0, .finalize = input_finalize },
    .read = input_read,
    .get_fd = input_get_fd,
    .get_name = input_get_name,
    .requests = &input_requests,
};

/* --- output ----------------------------------------------------------------------------------- */

static ssize_t output_write (EddyOutputStream *stream, const void *buffer, size_t count,
                             EddyCancellable *cancellable, EddyError **error)
{
    return eddy_socket_send_body (of_output (stream)->socket, buffer, count, cancellable, error);
}

static ssize_t output_writev (EddyOutputStream *stream, const EddyOutputVector *vectors,
                              size_t n_vectors, EddyCancellable *cancellable, EddyError **error)
{
    return eddy_socket_send_message_body (of_output (stream)->socket, NULL, vectors, n_vectors,
                                          NULL, 0, cancellable, error);
}

/* Tells the peer that nothing more will come, unless the whole connection is about to go. That
 * there is no peer any more is no error: nobody is left to be told. */
static bool output_close (EddyOutputStream *stream, EddyCancellable *cancellable, EddyError **error)
{
    EddySocketConnection *self = of_output (stream);
    EddyError *failure = NULL;
    (void) cancellable;
    if (self->stream.stream.closing || eddy_socket_is_closed (self->socket) ||
        eddy_socket_shutdown (self->socket, /* shutdown_read= */ false, /* shutdown_write= */ true,
                              &failure))
        return true;
    bool has_no_peer = eddy_error_matches (failure, EDDY_IO_ERROR, EDDY_IO_ERROR_NOT_CONNECTED);
    eddy_error_take (has_no_peer ? NULL : error, failure);
    return has_no_peer;
}

static int output_get_fd (EddyOutputStream *stream, int64_t *offset)
{
    (void) offset;
    return connection_get_fd (of_output (stream)->socket, EDDY__SOCKET_SENDS);
}

static const char *output_get_name (EddyOutputStream *stream)
{
    return eddy__connection_get_name (of_output (stream));
}

/* Several runs of bytes stay a request to the fd: a message would need memory of its own. */
static void output_adopt (EddySocket *socket, EddyOp *op)
{
    if (op->kind != EDDY_OP_WRITE)
        return;
    op->kind = EDDY_OP_SEND;
    op->as.transfer.readiness = &socket->readiness;
}

static bool output_begin (void *stream, EddyOp *op, EddyError **error)
{
    EddySocket *socket = of_output (stream)->socket;
    if (!eddy__socket_request (socket, &eddy__socket_send_verb, error))
        return false;
    output_adopt (socket, op);
    return true;
}

static int64_t output_end (void *stream, const EddyOp *op, EddyError **error)
{
    return eddy__socket_result (of_output (stream)->socket, op, &eddy__socket_send_verb, NULL,
                                error);
}

static void output_hold (void *stream)
{
    eddy__socket_hold (of_output (stream)->socket);
}

static bool output_release (void *stream)
{
    return eddy__socket_release (of_output (stream)->socket);
}

static const EddyStreamRequests output_requests = { output_begin, output_end, NULL, output_hold,
                                                    output_release };

static void output_finalize (void *stream)
{
    eddy_object_release (of_output (stream));
}

static const EddyOutputStreamClass output_class = {
    .stream.object = { .name = "EddySocketOutputStream", .size = 0, .finalize = output_finalize },
    .write = output_write,
    .writev = output_writev,
    .close = output_close,
    .get_fd = output_get_fd,
    .get_name = output_get_name,
    .requests = &output_requests,
};

void eddy__connection_init_streams (EddySocketConnection *self)
{
    eddy__object_init (&self->input, &input_class.stream.object);
    eddy__object_init (&self->output, &output_class.stream.object);
    (void) eddy_object_hold (self);
    (void) eddy_object_hold (self);
}
