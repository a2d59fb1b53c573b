/* SPDX-License-Identifier: MIT */
/* EddySocketClient: what is set, who is told, and the ways to name what is connected to. */
#include <eddy/socket-client-bodies.h>

#include <eddy/network-address.h>
#include <eddy/network-service.h>
#include <errno.h>

#include "base/object-private.h"
#include "net/client-private.h"

/* --- life ------------------------------------------------------------------------------------- */

static void client_dispose (void *object)
{
    EddySocketClient *self = object;
    eddy__destroy_data (EDDY_TAKE (self->event_destroy), self->event_data);
    eddy_clear (&self->local_address);
}

static const EddyClass client_class = { .name = "EddySocketClient",
                                        .size = sizeof (EddySocketClient),
                                        .dispose = client_dispose };

EddySocketClient *eddy_socket_client_new (void)
{
    EddySocketClient *self = eddy_object_new (&client_class);
    if (self != NULL)
        self->type = EDDY_SOCKET_TYPE_STREAM;
    return self;
}

/* --- settings --------------------------------------------------------------------------------- */

void eddy_socket_client_set_family (EddySocketClient *self, EddySocketFamily family)
{
    EDDY__EXPECT (self != NULL);
    self->family = family;
}

EddySocketFamily eddy_socket_client_get_family (const EddySocketClient *self)
{
    EDDY__EXPECT (self != NULL, EDDY_SOCKET_FAMILY_INVALID);
    return self->family;
}

void eddy_socket_client_set_socket_type (EddySocketClient *self, EddySocketType type)
{
    EDDY__EXPECT (self != NULL);
    EDDY__EXPECT (type == EDDY_SOCKET_TYPE_STREAM || type == EDDY_SOCKET_TYPE_SEQPACKET);
    self->type = type;
}

EddySocketType eddy_socket_client_get_socket_type (const EddySocketClient *self)
{
    EDDY__EXPECT (self != NULL, EDDY_SOCKET_TYPE_STREAM);
    return self->type;
}

void eddy_socket_client_set_protocol (EddySocketClient *self, int protocol)
{
    EDDY__EXPECT (self != NULL && protocol >= 0);
    self->protocol = protocol;
}

int eddy_socket_client_get_protocol (const EddySocketClient *self)
{
    EDDY__EXPECT (self != NULL, 0);
    return self->protocol;
}

void eddy_socket_client_set_local_address (EddySocketClient *self, EddySocketAddress *address)
{
    EDDY__EXPECT (self != NULL);
    EddySocketAddress *former = self->local_address;
    self->local_address = eddy_ref (address);
    eddy_unref (former);
}

EddySocketAddress *eddy_socket_client_get_local_address (const EddySocketClient *self)
{
    EDDY__EXPECT (self != NULL, NULL);
    return self->local_address;
}

void eddy_socket_client_set_timeout (EddySocketClient *self, int64_t timeout_ns)
{
    EDDY__EXPECT (self != NULL && timeout_ns >= 0);
    self->timeout_ns = timeout_ns;
}

int64_t eddy_socket_client_get_timeout (const EddySocketClient *self)
{
    EDDY__EXPECT (self != NULL, 0);
    return self->timeout_ns;
}

void eddy_socket_client_set_event_func (EddySocketClient *self, EddySocketClientEventFunc function,
                                        void *user_data, void (*destroy) (void *user_data))
{
    EDDY__EXPECT (self != NULL);
    eddy__destroy_data (EDDY_TAKE (self->event_destroy), self->event_data);
    self->event_func = function;
    self->event_data = user_data;
    self->event_destroy = destroy;
}

/* --- connecting ------------------------------------------------------------------------------- */

EddySocketConnection *eddy_socket_client_connect_body (EddySocketClient *client,
                                                       EddySocketConnectable *connectable,
                                                       EddyCancellable *cancellable,
                                                       EddyError **error)
{
    EDDY__EXPECT (client != NULL && connectable != NULL, NULL);
    return eddy__socket_client_race (client, connectable, cancellable, error);
}

/* Takes what is connected to; NULL: it could not be made. */
static EddySocketConnection *client_connect_to (EddySocketClient *self,
                                                EddySocketConnectable *connectable,
                                                EddyCancellable *cancellable, EddyError **error)
{
    if (connectable == NULL)
        return NULL;
    EddySocketConnection *connection =
        eddy__socket_client_race (self, connectable, cancellable, error);
    eddy_unref (connectable);
    return connection;
}

EddySocketConnection *eddy_socket_client_connect_to_host_body (EddySocketClient *client,
                                                               const char *host_and_port,
                                                               uint16_t default_port,
                                                               EddyCancellable *cancellable,
                                                               EddyError **error)
{
    EDDY__EXPECT (client != NULL && host_and_port != NULL, NULL);
    return client_connect_to (client,
                              eddy_network_address_parse (host_and_port, default_port, error),
                              cancellable, error);
}

EddySocketConnection *eddy_socket_client_connect_to_service_body (EddySocketClient *client,
                                                                  const char *domain,
                                                                  const char *service,
                                                                  EddyCancellable *cancellable,
                                                                  EddyError **error)
{
    EDDY__EXPECT (client != NULL && domain != NULL && service != NULL, NULL);
    EddySocketConnectable *connectable = eddy_network_service_new (service, "tcp", domain);
    if (connectable == NULL)
        eddy_error_set_errno (error, ENOMEM, "%s of %s", service, domain);
    return client_connect_to (client, connectable, cancellable, error);
}

EddySocketConnection *eddy_socket_client_connect_to_uri_body (EddySocketClient *client,
                                                              const char *uri,
                                                              uint16_t default_port,
                                                              EddyCancellable *cancellable,
                                                              EddyError **error)
{
    EDDY__EXPECT (client != NULL && uri != NULL, NULL);
    return client_connect_to (client, eddy_network_address_parse_uri (uri, default_port, error),
                              cancellable, error);
}
