/* SPDX-License-Identifier: MIT */
/* EddySocketConnection: a connected socket as an io stream. */
#ifndef EDDY_SOCKET_CONNECTION_H
#define EDDY_SOCKET_CONNECTION_H

#include <eddy/credentials.h>
#include <eddy/io-stream.h>
#include <eddy/socket-address.h>
#include <eddy/socket.h>

EDDY_BEGIN_DECLS

/** A socket and its two streams, to be cast by EDDY_IO_STREAM(). An object. Closing the output
 * stream alone tells the peer that nothing more will come, and leaves the input open; closing the
 * io stream closes the socket. A read or a write may be under way in each direction. Used on one
 * thread at a time. When the last reference goes, the socket is closed without waiting. */
typedef struct EddySocketConnection EddySocketConnection;

/** Any kind of connection as an EddySocketConnection. */
#define EDDY_SOCKET_CONNECTION(connection) ((EddySocketConnection *) (void *) (connection))

/** A connection by TCP. */
typedef struct EddyTcpConnection EddyTcpConnection;

/** A connection whose socket speaks TCP as an EddyTcpConnection. */
#define EDDY_TCP_CONNECTION(connection) ((EddyTcpConnection *) (void *) (connection))

/** A connection within this machine, which can pass file descriptors and credentials. */
typedef struct EddyUnixConnection EddyUnixConnection;

/** A connection whose socket is a UNIX one as an EddyUnixConnection. */
#define EDDY_UNIX_CONNECTION(connection) ((EddyUnixConnection *) (void *) (connection))

/**
 * Makes a connection of a socket: an EddyTcpConnection or an EddyUnixConnection where it is one.
 *
 * @socket: a socket of type STREAM or SEQPACKET, connected or to be connected; the connection takes
 *     a reference, and closes it
 *
 * Returns: a connection with one reference, or NULL when memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddySocketConnection *eddy_socket_connection_new (EddySocket *socket) EDDY_MUST_USE;

/** Whether it is an EddyTcpConnection: a stream over IPv4 or IPv6. Thread: any. Since: 0.1 */
EDDY_API bool eddy_socket_connection_is_tcp (EddySocketConnection *connection);

/** Whether it is an EddyUnixConnection. Thread: any. Since: 0.1 */
EDDY_API bool eddy_socket_connection_is_unix (EddySocketConnection *connection);

/**
 * Connects the socket of a connection.
 *
 * @connection: a connection whose socket is not connected
 * @address: where to
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether it is connected
 * Errors: those of eddy_socket_connect(); CLOSED
 * Thread: the connection's
 * Since: 0.1
 */
EDDY_OPERATION (DIRECT)
bool eddy_socket_connection_connect (EddySocketConnection *connection, EddySocketAddress *address,
                                     EddyCancellable *cancellable, EddyError **error);

/** Whether the socket is connected, as far as is known. Thread: the connection's. Since: 0.1 */
EDDY_API bool eddy_socket_connection_is_connected (EddySocketConnection *connection);

/** The socket, owned by the connection. What is received or sent by it goes past the streams.
 * Thread: any. Since: 0.1 */
EDDY_API EddySocket *eddy_socket_connection_get_socket (EddySocketConnection *connection);

/** This end's address, a reference; NULL with the error of getsockname(2).
 * Thread: the connection's. Since: 0.1 */
EDDY_API EddySocketAddress *eddy_socket_connection_get_local_address (
    EddySocketConnection *connection, EddyError **error) EDDY_MUST_USE;

/** The peer's address, a reference; NULL with the error of getpeername(2).
 * Thread: the connection's. Since: 0.1 */
EDDY_API EddySocketAddress *eddy_socket_connection_get_remote_address (
    EddySocketConnection *connection, EddyError **error) EDDY_MUST_USE;

/** Whether closing the connection tells the peer that nothing more will come, and waits for its end
 * before the socket is closed: so nothing sent is lost to a reset. What the peer still sends is
 * thrown away. A cancelled close closes at once. It is not so by default.
 * Thread: the connection's. Since: 0.1 */
EDDY_API void eddy_tcp_connection_set_graceful_disconnect (EddyTcpConnection *connection,
                                                           bool graceful_disconnect);

/** As eddy_tcp_connection_set_graceful_disconnect() says. Thread: the connection's. Since: 0.1 */
EDDY_API bool eddy_tcp_connection_get_graceful_disconnect (EddyTcpConnection *connection);

/**
 * Sends a file descriptor, with one byte.
 *
 * @connection: a connection of type STREAM
 * @fd: the file descriptor; it stays open here
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether it was sent
 * Errors: those of eddy_socket_send_message(); PENDING while something is written
 * Thread: the connection's
 * Since: 0.1
 */
EDDY_OPERATION (DIRECT)
bool eddy_unix_connection_send_fd (EddyUnixConnection *connection, int fd,
                                   EddyCancellable *cancellable, EddyError **error);

/**
 * Receives what eddy_unix_connection_send_fd() sent. A future of it that is let go of before it is
 * complete closes the file descriptor. A complete one leaves it open, taken or not: it is a number.
 *
 * @connection: a connection of type STREAM
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: a file descriptor, close-on-exec, which is the caller's; or -1
 * Errors: INVALID_ARGUMENT when what came was not one file descriptor, none of which stays open
 *     then; PARTIAL_INPUT at the end; those of eddy_socket_receive_message(); PENDING
 * Thread: the connection's
 * Since: 0.1
 */
EDDY_OPERATION (DIRECT)
int eddy_unix_connection_receive_fd (EddyUnixConnection *connection, EddyCancellable *cancellable,
                                     EddyError **error);

/**
 * Sends this process's credentials, with one byte. The kernel vouches for them.
 *
 * @connection: a connection of type STREAM
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether they were sent
 * Errors: those of eddy_socket_send_message(); PENDING while something is written
 * Thread: the connection's
 * Since: 0.1
 */
EDDY_OPERATION (DIRECT)
bool eddy_unix_connection_send_credentials (EddyUnixConnection *connection,
                                            EddyCancellable *cancellable, EddyError **error);

/**
 * Receives what eddy_unix_connection_send_credentials() sent.
 *
 * @connection: a connection of type STREAM
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: a reference, or NULL
 * Errors: INVALID_ARGUMENT when what came were no credentials; PARTIAL_INPUT at the end; those of
 *     eddy_socket_receive_message(); PENDING
 * Thread: the connection's
 * Since: 0.1
 */
EDDY_OPERATION (DIRECT)
EddyCredentials *eddy_unix_connection_receive_credentials (EddyUnixConnection *connection,
                                                           EddyCancellable *cancellable,
                                                           EddyError **error);

EDDY_END_DECLS

#include <eddy/socket-connection-forms.h>

#endif
