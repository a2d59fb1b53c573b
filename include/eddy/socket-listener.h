/* SPDX-License-Identifier: MIT */
/* EddySocketListener: sockets that wait for connections. */
#ifndef EDDY_SOCKET_LISTENER_H
#define EDDY_SOCKET_LISTENER_H

#include <eddy/sequence.h>
#include <eddy/socket-address.h>
#include <eddy/socket-connection.h>
#include <eddy/socket.h>

EDDY_BEGIN_DECLS

/** Listening sockets, any number of them, and what comes to any of them. An object; used on one
 * thread at a time. Its last reference closes it. */
typedef struct EddySocketListener EddySocketListener;

/** A listener, or a service, as an EddySocketListener. */
#define EDDY_SOCKET_LISTENER(listener) ((EddySocketListener *) (void *) (listener))

/** What happens to a socket that a listener makes, in this order. The numbers are GIO's. */
typedef enum EddySocketListenerEvent {
    /** It is about to be bound to its address. */
    EDDY_SOCKET_LISTENER_BINDING,
    /** It has been. */
    EDDY_SOCKET_LISTENER_BOUND,
    /** It is about to listen. */
    EDDY_SOCKET_LISTENER_LISTENING,
    /** It does. */
    EDDY_SOCKET_LISTENER_LISTENED
} EddySocketListenerEvent;

/** Told of what happens to a socket, inside the call that adds it; may set the socket's options,
 * but must not wait. */
typedef void (*EddySocketListenerEventFunc) (EddySocketListener *listener,
                                             EddySocketListenerEvent event, EddySocket *socket,
                                             void *user_data);

/**
 * Makes a listener without sockets.
 *
 * Returns: a listener with one reference, or NULL when memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddySocketListener *eddy_socket_listener_new (void) EDDY_MUST_USE;

/**
 * Has a function told of what happens to sockets that are added from now on.
 *
 * @listener: a listener
 * @function: told; NULL: nobody is
 * @user_data: for @function
 * @destroy: called on @user_data when another function takes its place, and with the listener's
 *     end; NULL: nothing
 *
 * Thread: the listener's
 * Since: 0.1
 */
EDDY_API void eddy_socket_listener_set_event_func (EddySocketListener *listener,
                                                   EddySocketListenerEventFunc function,
                                                   void *user_data,
                                                   void (*destroy) (void *user_data));

/** How many connections the kernel keeps for each socket until they are accepted, from 1; at first
 * as many as it can. Those that it has no room for are slow to connect, or refused.
 * Thread: the listener's. Since: 0.1 */
EDDY_API void eddy_socket_listener_set_backlog (EddySocketListener *listener, int listen_backlog);

/**
 * Adds a socket that listens already: one that a supervisor has handed over, say. Closing the
 * listener closes it.
 *
 * @listener: a listener
 * @socket: a listening socket, of which the listener keeps a reference
 * @source_object: an object to come with each of its connections, of which the listener keeps a
 *     reference; or NULL
 * @error: where to put the error
 *
 * Returns: whether it was added
 * Errors: INVALID_ARGUMENT for a socket that does not listen; CLOSED; TOO_MANY_OPEN_FILES;
 *     NO_MEMORY
 * Thread: the listener's
 * Since: 0.1
 */
EDDY_API bool eddy_socket_listener_add_socket (EddySocketListener *listener, EddySocket *socket,
                                               void *source_object, EddyError **error);

/**
 * Makes a socket that listens on an address, and adds it. A port that only connections of the past
 * still hold is taken over. The file of a UNIX path is nobody's: a close leaves it, and where there
 * is one already the address is in use; remove it before, when its server is known to have gone.
 *
 * @listener: a listener
 * @address: where to listen; port 0: any free one
 * @type: STREAM or SEQPACKET
 * @protocol: 0: the usual one of @type
 * @source_object: as for eddy_socket_listener_add_socket()
 * @effective_address: where to put the address it has, with its port, a reference that becomes the
 *     caller's; or NULL
 * @error: where to put the error
 *
 * Returns: whether it listens
 * Errors: ADDRESS_IN_USE, PERMISSION_DENIED …: those of eddy_socket_bind() and
 *     eddy_socket_listen(); those of eddy_socket_listener_add_socket()
 * Thread: the listener's
 * Since: 0.1
 */
EDDY_API bool eddy_socket_listener_add_address (EddySocketListener *listener,
                                                EddySocketAddress *address, EddySocketType type,
                                                int protocol, void *source_object,
                                                EddySocketAddress **effective_address,
                                                EddyError **error);

/**
 * Listens on a TCP port of all addresses of this machine: on one socket for IPv6 and IPv4, or where
 * there is no IPv6, on one for IPv4.
 *
 * @listener: a listener
 * @port: from 1
 * @source_object: as for eddy_socket_listener_add_socket()
 * @error: where to put the error
 *
 * Returns: whether it listens, for one family at least
 * Errors: those of eddy_socket_listener_add_address()
 * Thread: the listener's
 * Since: 0.1
 */
EDDY_API bool eddy_socket_listener_add_inet_port (EddySocketListener *listener, uint16_t port,
                                                  void *source_object, EddyError **error);

/**
 * The same on any free port.
 *
 * @listener: a listener
 * @source_object: as for eddy_socket_listener_add_socket()
 * @error: where to put the error
 *
 * Returns: the port, the same for both families; or 0
 * Errors: those of eddy_socket_listener_add_address()
 * Thread: the listener's
 * Since: 0.1
 */
EDDY_API uint16_t eddy_socket_listener_add_any_inet_port (EddySocketListener *listener,
                                                          void *source_object, EddyError **error);

/**
 * Waits for a connection to any of the sockets. Any number of accepts may be under way, on one
 * thread; each connection goes to one of them. Sockets that are added meanwhile take part.
 *
 * A peer that has gone again before it was accepted is no failure, and is not told. After
 * TOO_MANY_OPEN_FILES the connection is still there, so the next accept fails at once, until there
 * is room: wait a moment, as EddySocketService does.
 *
 * @listener: a listener
 * @source_object: where to put the object that its socket was added with, which becomes the
 *     caller's; NULL where there is none
 * @cancellable: a cancellable, or NULL; a cancelled accept has taken no connection
 * @error: where to put the error
 *
 * Returns: a connected socket, the caller's; or NULL
 * Errors: NOT_INITIALIZED for a listener without sockets; CLOSED, also when it is closed meanwhile;
 *     TOO_MANY_OPEN_FILES; NO_MEMORY; CANCELLED
 * Thread: the listener's
 * Since: 0.1
 */
EDDY_OPERATION (DIRECT)
EddySocket *eddy_socket_listener_accept_socket (EddySocketListener *listener,
                                                EddyObject **source_object EDDY_OUT,
                                                EddyCancellable *cancellable, EddyError **error);

/**
 * The same, for a connection with streams.
 *
 * @listener: a listener
 * @source_object: where to put the object that its socket was added with, which becomes the
 *     caller's; NULL where there is none
 * @cancellable: a cancellable, or NULL; a cancelled accept has taken no connection
 * @error: where to put the error
 *
 * Returns: a connection, the caller's; or NULL
 * Errors: those of eddy_socket_listener_accept_socket()
 * Thread: the listener's
 * Since: 0.1
 */
EDDY_OPERATION (DIRECT)
EddySocketConnection *eddy_socket_listener_accept (EddySocketListener *listener,
                                                   EddyObject **source_object EDDY_OUT,
                                                   EddyCancellable *cancellable, EddyError **error);

/**
 * The connections that come, as a sequence; it ends when the listener is closed. Errors of
 * accepting are not its end: ask again after a moment. Nothing is accepted that nobody has asked
 * for.
 *
 * @listener: a listener, of which the sequence keeps a reference
 *
 * Returns: a sequence of EddySocketConnections with one reference, or NULL when memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddySequence *eddy_socket_listener_to_sequence (EddySocketListener *listener)
    EDDY_MUST_USE;

/** Closes the listener's sockets; accepts that wait fail with CLOSED. Peers that were not accepted
 * yet are reset. A second close does nothing. Thread: the listener's. Since: 0.1 */
EDDY_API void eddy_socket_listener_close (EddySocketListener *listener);

/** Whether it was closed. Thread: the listener's. Since: 0.1 */
EDDY_API bool eddy_socket_listener_is_closed (EddySocketListener *listener);

EDDY_END_DECLS

#include <eddy/socket-listener-forms.h>

#endif
