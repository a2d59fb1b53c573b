/* SPDX-License-Identifier: MIT */
/* How a socket comes to have an address, and a peer. */
#include <eddy/socket-bodies.h>

#include <errno.h>

#include "base/object-private.h"
#include "net/socket-private.h"
#include "sys/socket-private.h"

const EddySocketVerb eddy__socket_accept_verb = { "accept", "at", EDDY__SOCKET_RECEIVES, true };
const EddySocketVerb eddy__socket_connect_verb = { "connect", "to", EDDY__SOCKET_SENDS, false };
static const EddySocketVerb bind_verb = { "bind", "to", EDDY__SOCKET_SENDS, false };
static const EddySocketVerb listen_verb = { "listen", "at", EDDY__SOCKET_SENDS, true };

/* --- taking connections ----------------------------------------------------------------------- */

/* Messages go to one of several sockets then; connections only where that is asked for by name. */
static int bind_allow_reuse (const EddySocket *self)
{
    int yes = 1;
    int answer = eddy__sys_setsockopt (self->fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (answer == 0 && self->type == EDDY_SOCKET_TYPE_DATAGRAM && self->family != AF_UNIX)
        answer = eddy__sys_setsockopt (self->fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes);
    return answer;
}

bool eddy_socket_bind (EddySocket *self, EddySocketAddress *address, bool allow_reuse,
                       EddyError **error)
{
    EDDY__EXPECT (self != NULL && address != NULL, false);
    if (!eddy__socket_check (self, &bind_verb, error))
        return false;
    int answer = allow_reuse ? bind_allow_reuse (self) : 0;
    socklen_t len;
    const struct sockaddr *native = eddy__socket_address_get_native (address, &len);
    if (answer == 0)
        answer = eddy__sys_bind (self->fd, native, len);
    if (answer < 0)
        eddy__socket_set_error (self, answer, &bind_verb, address, error);
    return answer == 0;
}

void eddy_socket_set_listen_backlog (EddySocket *self, int backlog)
{
    EDDY__EXPECT (self != NULL && backlog >= 0);
    self->backlog = backlog > UINT16_MAX ? UINT16_MAX : (uint16_t) backlog;
}

int eddy_socket_get_listen_backlog (EddySocket *self)
{
    EDDY__EXPECT (self != NULL, -1);
    return self->backlog;
}

bool eddy_socket_listen (EddySocket *self, EddyError **error)
{
    EDDY__EXPECT (self != NULL, false);
    if (!eddy__socket_check (self, &listen_verb, error))
        return false;
    int answer = eddy__sys_listen (self->fd, self->backlog);
    if (answer < 0)
        eddy__socket_set_error (self, answer, &listen_verb, NULL, error);
    return answer == 0;
}

/* Makes a socket of what was accepted. */
static EddySocket *accept_take (EddySocket *self, int64_t fd, EddyError **error)
{
    EddySocket *accepted = fd < 0 ? NULL : eddy__socket_new_accepted (self, (int) fd);
    if (accepted == NULL && fd >= 0)
        eddy__socket_set_error (self, -ENOMEM, &eddy__socket_accept_verb, NULL, error);
    return accepted;
}

EddySocket *eddy_socket_accept_body (EddySocket *socket, EddyCancellable *cancellable,
                                     EddyError **error)
{
    EDDY__EXPECT (socket != NULL, NULL);
    EddyOp op;
    eddy__socket_op_init (&op, EDDY_OP_ACCEPT, socket);
    return accept_take (
        socket, eddy__socket_do (socket, &op, &eddy__socket_accept_verb, NULL, cancellable, error),
        error);
}

bool eddy_socket_accept_request (EddyOp *op, EddySocket *socket, EddyError **error)
{
    EDDY__EXPECT (socket != NULL, false);
    if (!eddy__socket_request (socket, &eddy__socket_accept_verb, error))
        return false;
    eddy__socket_op_init (op, EDDY_OP_ACCEPT, socket);
    return true;
}

EddySocket *eddy_socket_accept_result (const EddyOp *op, EddySocket *socket, EddyError **error)
{
    return accept_take (
        socket, eddy__socket_result (socket, op, &eddy__socket_accept_verb, NULL, error), error);
}

/* --- connecting ------------------------------------------------------------------------------- */

static void connect_prepare (EddyOp *op, EddySocket *socket, EddySocketAddress *address)
{
    socklen_t len;
    const struct sockaddr *native = eddy__socket_address_get_native (address, &len);
    eddy__socket_op_init (op, EDDY_OP_CONNECT, socket);
    op->as.transfer.buf = (void *) (uintptr_t) native; /* only read */
    op->as.transfer.len = len;
}

static bool connect_end (EddySocket *self, int64_t result)
{
    if (result < 0)
        return false;
    self->peer_size = 0; /* of a datagram socket that had another one */
    eddy__socket_set_connected (self);
    self->is_connected = true;
    return true;
}

bool eddy_socket_connect_body (EddySocket *socket, EddySocketAddress *address,
                               EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (socket != NULL && address != NULL, false);
    EddyOp op;
    connect_prepare (&op, socket, address);
    return connect_end (socket, eddy__socket_do (socket, &op, &eddy__socket_connect_verb, address,
                                                 cancellable, error));
}

bool eddy_socket_connect_request (EddyOp *op, EddySocket *socket, EddySocketAddress *address,
                                  EddyError **error)
{
    EDDY__EXPECT (socket != NULL && address != NULL, false);
    /* A UNIX path whose peer is busy is tried again, which one request cannot do. */
    if (socket->family == AF_UNIX ||
        !eddy__socket_request (socket, &eddy__socket_connect_verb, error))
        return false;
    connect_prepare (op, socket, address);
    return true;
}

bool eddy_socket_connect_result (const EddyOp *op, EddySocket *socket, EddySocketAddress *address,
                                 EddyError **error)
{
    return connect_end (
        socket, eddy__socket_result (socket, op, &eddy__socket_connect_verb, address, error));
}
