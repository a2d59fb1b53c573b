/* SPDX-License-Identifier: MIT */
/* Adding sockets to a listener.
 *
 * On several threads each gets a socket of its own with the same address, and the kernel shares out
 * what comes (SO_REUSEPORT). The first one is bound without that option, so that an address which
 * somebody else listens on is refused as ever, and gets it before the others come. */
#include "net/listener-private.h"

#include <eddy/inet-socket-address.h>
#include <errno.h>
#include <netinet/in.h>

#include "base/alloc-private.h"
#include "base/object-private.h"

/* --- what is there ---------------------------------------------------------------------------- */

/* Sees to it that there is something to accept by. */
static bool listener_prepare (EddySocketListener *self, EddyError **error)
{
    if (eddy__listener_is_closed (self)) {
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_CLOSED, "the listener is closed");
        return false;
    }
    if (self->n_acceptors == 0 && !eddy__listener_open (self, 1, error))
        return false;
    return self->begin == NULL || self->begin (self, error);
}

/* Sees to it that there is room for `n` more sockets. */
static bool listener_reserve (EddySocketListener *self, unsigned n, EddyError **error)
{
    EddySocket **sockets =
        eddy__realloc (self->sockets, (self->n_sockets + n) * sizeof *self->sockets);
    if (sockets == NULL) {
        eddy_error_set_errno (error, ENOMEM, "a listener");
        return false;
    }
    self->sockets = sockets;
    return true;
}

/* Adds sockets: one for each thread, or one for all; all of them or none. The room for them is made
 * here, since whoever was told of them may have added others. */
static bool listener_attach (EddySocketListener *self, EddySocket *const *sockets, unsigned n,
                             void *source_object, EddyError **error)
{
    if (!listener_reserve (self, n, error))
        return false;
    for (unsigned i = 0; i < self->n_acceptors; i++) {
        EddySocket *socket = sockets[n == 1 ? 0 : i];
        if (eddy__acceptor_add (self->acceptors[i], socket, source_object, error))
            continue;
        while (i-- > 0)
            eddy__acceptor_remove_last (self->acceptors[i]);
        return false;
    }
    for (unsigned i = 0; i < n; i++)
        self->sockets[self->n_sockets++] = eddy_ref (sockets[i]);
    return true;
}

static bool socket_listens (EddySocket *socket)
{
    int listens = 0;
    return eddy_socket_get_option (socket, SOL_SOCKET, SO_ACCEPTCONN, &listens, NULL) &&
           listens != 0;
}

bool eddy_socket_listener_add_socket (EddySocketListener *self, EddySocket *socket,
                                      void *source_object, EddyError **error)
{
    EDDY__EXPECT (self != NULL && socket != NULL, false);
    if (eddy_socket_is_closed (socket))
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_CLOSED, "the socket is closed");
    else if (!socket_listens (socket))
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_ARGUMENT,
                        "the socket does not listen");
    else
        return listener_prepare (self, error) &&
               listener_attach (self, &socket, 1, source_object, error);
    return false;
}

/* --- making sockets --------------------------------------------------------------------------- */

/* What a socket is to be. */
typedef struct ListenAt {
    EddySocketAddress *address;
    EddySocketType type;
    int protocol;
    bool both_families; /* IPv4 peers come to it, too */
    unsigned n;         /* how many sockets share the address */
} ListenAt;

static void listener_tell (EddySocketListener *self, EddySocketListenerEvent event,
                           EddySocket *socket)
{
    if (self->event_func != NULL)
        self->event_func (self, event, socket, self->event_data);
}

static bool listener_bind (EddySocketListener *self, EddySocket *socket, const ListenAt *at,
                           EddyError **error)
{
    if (at->both_families && !eddy_socket_set_option (socket, IPPROTO_IPV6, IPV6_V6ONLY, 0, error))
        return false;
    listener_tell (self, EDDY_SOCKET_LISTENER_BINDING, socket);
    if (!eddy_socket_bind (socket, at->address, /* allow_reuse= */ true, error))
        return false;
    listener_tell (self, EDDY_SOCKET_LISTENER_BOUND, socket);
    return true;
}

static bool listener_share_port (EddySocket *socket, EddyError **error)
{
    return eddy_socket_set_option (socket, SOL_SOCKET, SO_REUSEPORT, 1, error);
}

/* `index`: which of those that share the address. */
static EddySocket *listener_make_socket (EddySocketListener *self, const ListenAt *at,
                                         unsigned index, EddyError **error)
{
    EDDY_AUTO (EddySocket)
    socket = eddy_socket_new (eddy_socket_address_get_family (at->address), at->type, at->protocol,
                              error);
    if (socket == NULL || (index > 0 && !listener_share_port (socket, error)) ||
        !listener_bind (self, socket, at, error) ||
        (index == 0 && at->n > 1 && !listener_share_port (socket, error)))
        return NULL;
    if (self->backlog > 0)
        eddy_socket_set_listen_backlog (socket, self->backlog);
    listener_tell (self, EDDY_SOCKET_LISTENER_LISTENING, socket);
    if (!eddy_socket_listen (socket, error))
        return NULL;
    listener_tell (self, EDDY_SOCKET_LISTENER_LISTENED, socket);
    return EDDY_TAKE (socket);
}

/* The others come to the port that the first one has got. */
static bool listener_make_sockets (EddySocketListener *self, const ListenAt *at,
                                   EddySocket **sockets, EddySocketAddress **effective_address,
                                   EddyError **error)
{
    ListenAt same = *at;
    for (unsigned i = 0; i < at->n; i++) {
        sockets[i] = listener_make_socket (self, &same, i, error);
        if (sockets[i] == NULL)
            return false;
        if (i == 0)
            same.address = *effective_address = eddy_socket_get_local_address (sockets[0], error);
        if (same.address == NULL)
            return false;
    }
    return true;
}

/* Gives the address that they have got, a reference; NULL with an error. */
static EddySocketAddress *listener_listen (EddySocketListener *self, const ListenAt *at,
                                           void *source_object, EddyError **error)
{
    EDDY_AUTO (EddySocketAddress) effective_address = NULL;
    if (!listener_prepare (self, error))
        return NULL;
    EddySocket **sockets = eddy__alloc0 (at->n * sizeof *sockets);
    if (sockets == NULL) {
        eddy_error_set_errno (error, ENOMEM, "a listener");
        return NULL;
    }
    bool done = listener_make_sockets (self, at, sockets, &effective_address, error) &&
                listener_attach (self, sockets, at->n, source_object, error);
    for (unsigned i = 0; i < at->n; i++)
        eddy_unref (sockets[i]);
    eddy__free (sockets);
    return done ? EDDY_TAKE (effective_address) : NULL;
}

/* How many sockets an address takes: only ports can be shared. */
static unsigned listener_count_sockets (const EddySocketListener *self, EddySocketFamily family)
{
    bool has_ports = family == EDDY_SOCKET_FAMILY_IPV4 || family == EDDY_SOCKET_FAMILY_IPV6;
    return has_ports && self->n_acceptors > 1 ? self->n_acceptors : 1;
}

bool eddy_socket_listener_add_address (EddySocketListener *self, EddySocketAddress *address,
                                       EddySocketType type, int protocol, void *source_object,
                                       EddySocketAddress **effective_address, EddyError **error)
{
    EDDY__EXPECT (self != NULL && address != NULL, false);
    EddySocketFamily family = eddy_socket_address_get_family (address);
    ListenAt at = { .address = address,
                    .type = type,
                    .protocol = protocol,
                    .n = listener_count_sockets (self, family) };
    EDDY_AUTO (EddySocketAddress) effective = listener_listen (self, &at, source_object, error);
    if (effective == NULL)
        return false;
    if (effective_address != NULL)
        *effective_address = EDDY_TAKE (effective);
    return true;
}

/* --- ports ------------------------------------------------------------------------------------ */

static EddySocketAddress *listener_listen_any (EddySocketListener *self, EddySocketFamily family,
                                               uint16_t port, void *source_object,
                                               EddyError **error)
{
    EDDY_AUTO (EddyInetAddress) any = eddy_inet_address_new_any (family);
    EDDY_AUTO (EddySocketAddress)
    address = any == NULL ? NULL : eddy_inet_socket_address_new (any, port);
    if (address == NULL) {
        eddy_error_set_errno (error, ENOMEM, "an address");
        return NULL;
    }
    ListenAt at = { .address = address,
                    .type = EDDY_SOCKET_TYPE_STREAM,
                    .both_families = family == EDDY_SOCKET_FAMILY_IPV6,
                    .n = listener_count_sockets (self, family) };
    return listener_listen (self, &at, source_object, error);
}

/* The port; 0 with an error. A socket for IPv6 takes IPv4 peers, too, on Linux everywhere: a port
 * that is free for it is free for both. */
static uint16_t listener_add_port (EddySocketListener *self, uint16_t port, void *source_object,
                                   EddyError **error)
{
    EDDY_AUTO (EddySocketAddress)
    address = listener_listen_any (self, EDDY_SOCKET_FAMILY_IPV6, port, source_object, NULL);
    if (address == NULL)
        address = listener_listen_any (self, EDDY_SOCKET_FAMILY_IPV4, port, source_object, error);
    return address == NULL ? 0
                           : eddy_inet_socket_address_get_port (EDDY_INET_SOCKET_ADDRESS (address));
}

bool eddy_socket_listener_add_inet_port (EddySocketListener *self, uint16_t port,
                                         void *source_object, EddyError **error)
{
    EDDY__EXPECT (self != NULL && port != 0, false);
    return listener_add_port (self, port, source_object, error) != 0;
}

uint16_t eddy_socket_listener_add_any_inet_port (EddySocketListener *self, void *source_object,
                                                 EddyError **error)
{
    EDDY__EXPECT (self != NULL, 0);
    return listener_add_port (self, 0, source_object, error);
}
