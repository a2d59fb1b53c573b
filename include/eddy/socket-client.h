/* SPDX-License-Identifier: MIT */
/* EddySocketClient: connecting to addresses, hosts and services. */
#ifndef EDDY_SOCKET_CLIENT_H
#define EDDY_SOCKET_CLIENT_H

#include <eddy/forms.h>
#include <eddy/socket-connectable.h>
#include <eddy/socket-connection.h>

EDDY_BEGIN_DECLS

/** How connections are made: the kind of their sockets, the address that they come from, how long
 * it may take. One client may make any number of them, at once and on any threads. An object; it is
 * not changed while it is connecting. */
typedef struct EddySocketClient EddySocketClient;

/** How far a connect has come. The numbers are GIO's; those in between are of stages that there are
 * not. */
typedef enum EddySocketClientEvent {
    /** It begins to look for addresses. Once, first. */
    EDDY_SOCKET_CLIENT_RESOLVING = 0,
    /** There is an address. Once, before the first attempt. */
    EDDY_SOCKET_CLIENT_RESOLVED = 1,
    /** It begins to connect to an address. For each attempt. */
    EDDY_SOCKET_CLIENT_CONNECTING = 2,
    /** The peer at an address has accepted. */
    EDDY_SOCKET_CLIENT_CONNECTED = 3,
    /** It has ended: with the connection that it returns, or without one. Once, last. */
    EDDY_SOCKET_CLIENT_COMPLETE = 8
} EddySocketClientEvent;

/**
 * Told how far a connect has come. Called where the operation runs: in a fiber of it, on the thread
 * of its caller. It may set options of the connection's socket before that is connected, but not
 * wait: the attempt waits for it.
 *
 * @client: the client
 * @event: what has happened
 * @connectable: what is being connected to; of CONNECTING and CONNECTED, which of its addresses
 * @connection: the connection of this attempt, not to be used but for its socket; at the end what
 *     is returned; NULL: there is none
 * @user_data: as given to eddy_socket_client_set_event_func()
 */
typedef void (*EddySocketClientEventFunc) (EddySocketClient *client, EddySocketClientEvent event,
                                           EddySocketConnectable *connectable,
                                           EddySocketConnection *connection, void *user_data);

/** Makes a client of stream sockets of whatever family, without a limit of time. NULL when memory
 * is out. Thread: any. Since: 0.1 */
EDDY_API EddySocketClient *eddy_socket_client_new (void) EDDY_MUST_USE;

/** The family of the sockets: addresses of other families are passed over.
 * EDDY_SOCKET_FAMILY_INVALID, as at first: that of each address. Thread: the client's. Since: 0.1
 */
EDDY_API void eddy_socket_client_set_family (EddySocketClient *client, EddySocketFamily family);
/** What eddy_socket_client_set_family() has set. Thread: any. Since: 0.1 */
EDDY_API EddySocketFamily eddy_socket_client_get_family (const EddySocketClient *client);

/** The type of the sockets: EDDY_SOCKET_TYPE_STREAM, as at first, or EDDY_SOCKET_TYPE_SEQPACKET. A
 * connection is an io stream, so there are none of datagrams; and a connect of these succeeds where
 * nobody is. For them take an EddySocket, and eddy_socket_connect() to an address of the host's.
 * Thread: the client's. Since: 0.1 */
EDDY_API void eddy_socket_client_set_socket_type (EddySocketClient *client, EddySocketType type);
/** What eddy_socket_client_set_socket_type() has set. Thread: any. Since: 0.1 */
EDDY_API EddySocketType eddy_socket_client_get_socket_type (const EddySocketClient *client);

/** The protocol of the sockets, an IPPROTO_ number; 0, as at first: the usual one of the type.
 * Thread: the client's. Since: 0.1 */
EDDY_API void eddy_socket_client_set_protocol (EddySocketClient *client, int protocol);
/** What eddy_socket_client_set_protocol() has set. Thread: any. Since: 0.1 */
EDDY_API int eddy_socket_client_get_protocol (const EddySocketClient *client);

/** The address that connections come from; those of other families are passed over. NULL, as at
 * first: the kernel chooses. Thread: the client's. Since: 0.1 */
EDDY_API void eddy_socket_client_set_local_address (EddySocketClient *client,
                                                    EddySocketAddress *address);
/** What eddy_socket_client_set_local_address() has set, owned by @client. Thread: any. Since: 0.1
 */
EDDY_API EddySocketAddress *eddy_socket_client_get_local_address (const EddySocketClient *client);

/** How long a connect may take from its beginning, looking for addresses included: it fails with
 * TIMED_OUT then. Nanoseconds; 0, as at first: as long as the kernel and the resolver allow. What
 * is done with the connection afterwards has no limit of this. Thread: the client's. Since: 0.1 */
EDDY_API void eddy_socket_client_set_timeout (EddySocketClient *client, int64_t timeout_ns);
/** What eddy_socket_client_set_timeout() has set. Thread: any. Since: 0.1 */
EDDY_API int64_t eddy_socket_client_get_timeout (const EddySocketClient *client);

/** Has a function called as connects go on, in place of the former one; NULL: nothing is called.
 * `destroy`, unless NULL, is called on `user_data` when another one takes its place, or the client
 * goes. Thread: the client's. Since: 0.1 */
EDDY_API void eddy_socket_client_set_event_func (EddySocketClient *client,
                                                 EddySocketClientEventFunc function,
                                                 void *user_data,
                                                 void (*destroy) (void *user_data));

/**
 * Connects to the first of some addresses that answers.
 *
 * The addresses are asked for one after the other. While an attempt is under way the next one
 * begins when 250 ms have gone by, or at once when one has failed (RFC 8305): so where one family
 * of addresses leads nowhere, that costs a quarter of a second. The first attempt to succeed wins.
 * The others are cancelled, and have ended, their sockets closed, when this returns.
 *
 * A cancel ends all attempts. One that comes when there is a connection is too late: that is
 * returned.
 *
 * @client: a client
 * @connectable: what has the addresses: an address, a host and a port, a service
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error of the attempt that has come furthest, of several the last; its
 *     text begins with what was to be connected to. Want of memory or of fds here counts as further
 *     than whatever a peer answers
 *
 * Returns: a connection of the kind of its socket, or NULL
 * Errors: those of eddy_socket_connect(), eddy_socket_new(), eddy_socket_bind() and
 *     eddy_socket_address_enumerator_next(); NOT_SUPPORTED where all addresses are of other
 *     families than asked for; HOST_NOT_FOUND where there are none; TIMED_OUT; CANCELLED
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (FIBER)
EddySocketConnection *eddy_socket_client_connect (EddySocketClient *client,
                                                  EddySocketConnectable *connectable,
                                                  EddyCancellable *cancellable, EddyError **error);

/**
 * Connects to a host, as eddy_socket_client_connect() does.
 *
 * @client: a client
 * @host_and_port: as eddy_network_address_parse() takes it: "example.org", "example.org:80",
 *     "[::1]:80", "127.0.0.1"
 * @default_port: where @host_and_port names none
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: a connection, or NULL
 * Errors: INVALID_ARGUMENT for a text that is no host and port; those of
 *     eddy_socket_client_connect()
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (FIBER)
EddySocketConnection *eddy_socket_client_connect_to_host (EddySocketClient *client,
                                                          const char *host_and_port,
                                                          uint16_t default_port,
                                                          EddyCancellable *cancellable,
                                                          EddyError **error);

/**
 * Connects to a service of a domain, as its SRV records name its hosts, as
 * eddy_socket_client_connect() does. The protocol is "tcp".
 *
 * @client: a client
 * @domain: whose service
 * @service: its name, as "xmpp-client"
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: a connection, or NULL
 * Errors: those of eddy_socket_client_connect()
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (FIBER)
EddySocketConnection *eddy_socket_client_connect_to_service (EddySocketClient *client,
                                                             const char *domain,
                                                             const char *service,
                                                             EddyCancellable *cancellable,
                                                             EddyError **error);

/**
 * Connects to the host of a URI, as eddy_socket_client_connect() does. Of the URI only the host and
 * the port count: nothing is encrypted because it says "https".
 *
 * @client: a client
 * @uri: as eddy_network_address_parse_uri() takes it: "http://example.org:8080/page"
 * @default_port: where @uri names none
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: a connection, or NULL
 * Errors: INVALID_ARGUMENT for a text that is no URI with a host; those of
 *     eddy_socket_client_connect()
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (FIBER)
EddySocketConnection *eddy_socket_client_connect_to_uri (EddySocketClient *client, const char *uri,
                                                         uint16_t default_port,
                                                         EddyCancellable *cancellable,
                                                         EddyError **error);

EDDY_END_DECLS

#include <eddy/socket-client-forms.h>

#endif
