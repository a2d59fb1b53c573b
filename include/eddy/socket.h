/* SPDX-License-Identifier: MIT */
/* EddySocket: the end of a connection, or what takes connections and messages. */
#ifndef EDDY_SOCKET_H
#define EDDY_SOCKET_H

#include <eddy/bytes.h>
#include <eddy/credentials.h>
#include <eddy/forms.h>
#include <eddy/inet-address.h>
#include <eddy/socket-address.h>
#include <eddy/socket-control-message.h>
#include <eddy/source.h>
#include <eddy/vector.h>

EDDY_BEGIN_DECLS

/** A socket of the kernel. An object; used on one thread at a time, with any number of operations
 * under way.
 *
 * Nothing that it does blocks but what is said to wait, a peer that has gone is an error and no
 * signal, and its fd is closed when a program is executed. The last reference closes it. */
typedef struct EddySocket EddySocket;

/** What a socket carries. The numbers are GIO's. */
typedef enum EddySocketType {
    EDDY_SOCKET_TYPE_INVALID,
    /** Bytes in their order, to and from one peer. */
    EDDY_SOCKET_TYPE_STREAM,
    /** Messages, each by itself. */
    EDDY_SOCKET_TYPE_DATAGRAM,
    /** Messages in their order, to and from one peer. */
    EDDY_SOCKET_TYPE_SEQPACKET
} EddySocketType;

/* --- life ------------------------------------------------------------------------------------- */

/**
 * Makes a socket. One of TCP sends small messages at once: it has TCP_NODELAY.
 *
 * @family: of its addresses
 * @type: what it carries
 * @protocol: of <netinet/in.h>; 0: the usual one
 * @error: where to put the error
 *
 * Returns: a socket with one reference, or NULL
 * Errors: NOT_SUPPORTED, PERMISSION_DENIED, TOO_MANY_OPEN_FILES …: what socket(2) gives
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddySocket *eddy_socket_new (EddySocketFamily family, EddySocketType type, int protocol,
                                      EddyError **error) EDDY_MUST_USE;

/**
 * Makes a socket of an fd, which becomes non-blocking and close-on-exec.
 *
 * @fd: of a socket; taken, unless this fails
 * @error: where to put the error
 *
 * Returns: a socket with one reference, or NULL
 * Errors: INVALID_ARGUMENT for what is no socket; NO_MEMORY
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddySocket *eddy_socket_new_from_fd (int fd, EddyError **error) EDDY_MUST_USE;

/**
 * Makes two UNIX sockets that are connected to each other.
 *
 * @type: what they carry
 * @first: where to put one
 * @second: where to put the other
 * @error: where to put the error
 *
 * Returns: whether they were made; else both are NULL
 * Errors: TOO_MANY_OPEN_FILES, NO_MEMORY
 * Thread: any
 * Since: 0.1
 */
EDDY_API bool eddy_socket_new_pair (EddySocketType type, EddySocket **first, EddySocket **second,
                                    EddyError **error);

/**
 * Closes a socket. What is under way on it ends with CLOSED, from the loop; the fd is given up
 * after that was asked for, or where operations of several contexts or a splice are under way, when
 * all have ended. Another close does nothing and succeeds.
 *
 * What was sent still arrives, but a peer that goes on sending resets the connection, and may lose
 * what it has not read yet: see eddy_socket_shutdown().
 *
 * @socket: a socket
 * @error: where to put the error
 *
 * Returns: whether it went well; it is closed in any case
 * Errors: what close(2) gives
 * Thread: the socket's
 * Since: 0.1
 */
EDDY_API bool eddy_socket_close (EddySocket *socket, EddyError **error);

/** Whether a socket is closed. Thread: the socket's. Since: 0.1 */
EDDY_API bool eddy_socket_is_closed (EddySocket *socket);

/**
 * Ends one direction, or both: the peer has read all when it sees the end of what was written, and
 * nothing more is read.
 *
 * @socket: a connected socket
 * @shutdown_read: whether nothing more is to be received
 * @shutdown_write: whether nothing more is to be sent
 * @error: where to put the error
 *
 * Returns: whether it was done
 * Errors: NOT_CONNECTED; CLOSED
 * Thread: the socket's
 * Since: 0.1
 */
EDDY_API bool eddy_socket_shutdown (EddySocket *socket, bool shutdown_read, bool shutdown_write,
                                    EddyError **error);

/* --- what is known of it ---------------------------------------------------------------------- */

/** The fd of a socket, owned by it; -1 when it is closed. Thread: the socket's. Since: 0.1 */
EDDY_API int eddy_socket_get_fd (EddySocket *socket);
/** The family of a socket. Thread: any. Since: 0.1 */
EDDY_API EddySocketFamily eddy_socket_get_family (EddySocket *socket);
/** What a socket carries. Thread: any. Since: 0.1 */
EDDY_API EddySocketType eddy_socket_get_socket_type (EddySocket *socket);
/** The protocol of a socket, of <netinet/in.h>; 0 for UNIX. Thread: any. Since: 0.1 */
EDDY_API int eddy_socket_get_protocol (EddySocket *socket);

/** Whether a socket has a peer: it was connected, and has not been closed. A peer that has gone is
 * noticed by receiving. Thread: the socket's. Since: 0.1 */
EDDY_API bool eddy_socket_is_connected (EddySocket *socket);

/** Whether an IPv6 socket takes IPv4 peers, too; true for one of IPv4. Thread: the socket's.
 * Since: 0.1 */
EDDY_API bool eddy_socket_speaks_ipv4 (EddySocket *socket);

/**
 * The address that a socket is bound to.
 *
 * @socket: a socket
 * @error: where to put the error
 *
 * Returns: a reference to the address, or NULL
 * Errors: CLOSED; NO_MEMORY
 * Thread: the socket's
 * Since: 0.1
 */
EDDY_API EddySocketAddress *eddy_socket_get_local_address (EddySocket *socket,
                                                           EddyError **error) EDDY_MUST_USE;

/**
 * The address of a socket's peer; also after the peer has gone.
 *
 * @socket: a socket
 * @error: where to put the error
 *
 * Returns: a reference to the address, or NULL
 * Errors: NOT_CONNECTED; CLOSED; NO_MEMORY
 * Thread: the socket's
 * Since: 0.1
 */
EDDY_API EddySocketAddress *eddy_socket_get_remote_address (EddySocket *socket,
                                                            EddyError **error) EDDY_MUST_USE;

/**
 * Who has made the other end of a UNIX connection.
 *
 * @socket: a connected UNIX socket
 * @error: where to put the error
 *
 * Returns: a reference to the credentials, or NULL
 * Errors: NOT_SUPPORTED for another kind of socket, NOT_CONNECTED; CLOSED; NO_MEMORY
 * Thread: the socket's
 * Since: 0.1
 */
EDDY_API EddyCredentials *eddy_socket_get_credentials (EddySocket *socket,
                                                       EddyError **error) EDDY_MUST_USE;

/** How many bytes could be received without waiting; of messages, of the next one. -1 when the
 * socket is closed. Thread: the socket's. Since: 0.1 */
EDDY_API ssize_t eddy_socket_get_available_bytes (EddySocket *socket);

/* --- taking connections ----------------------------------------------------------------------- */

/**
 * Gives a socket its address.
 *
 * @socket: a socket
 * @address: of its family; port 0: any that is free; see eddy_socket_get_local_address()
 * @allow_reuse: whether the address may be one whose last connections are still ending; several
 *     datagram sockets may have it then
 * @error: where to put the error
 *
 * Returns: whether it has it
 * Errors: ADDRESS_IN_USE, PERMISSION_DENIED …: what bind(2) gives, with the address; CLOSED
 * Thread: the socket's
 * Since: 0.1
 */
EDDY_API bool eddy_socket_bind (EddySocket *socket, EddySocketAddress *address, bool allow_reuse,
                                EddyError **error);

/** How many connections may wait to be accepted, from the next eddy_socket_listen() on: 65,535 at
 * most, and no more than the system allows, which it is at first. Thread: the socket's. Since: 0.1
 */
EDDY_API void eddy_socket_set_listen_backlog (EddySocket *socket, int backlog);

/** How many connections may wait to be accepted. Thread: the socket's. Since: 0.1 */
EDDY_API int eddy_socket_get_listen_backlog (EddySocket *socket);

/**
 * Has a bound socket take connections: they are made by the kernel, and wait to be accepted.
 *
 * @socket: a bound socket that is no datagram one
 * @error: where to put the error
 *
 * Returns: whether it takes them
 * Errors: ADDRESS_IN_USE, NOT_SUPPORTED …: what listen(2) gives, with the address; CLOSED
 * Thread: the socket's
 * Since: 0.1
 */
EDDY_API bool eddy_socket_listen (EddySocket *socket, EddyError **error);

/**
 * Waits for a connection, and takes it. One that was taken is never lost by a cancel.
 *
 * @socket: a listening socket
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: a connected socket with one reference, or NULL
 * Errors: TOO_MANY_OPEN_FILES …: what accept(2) gives; INVALID_ARGUMENT for one that does not
 *     listen; TIMED_OUT, see eddy_socket_set_timeout(); CLOSED; CANCELLED
 * Thread: the socket's
 * Since: 0.1
 */
EDDY_OPERATION (STREAM)
EddySocket *eddy_socket_accept (EddySocket *socket, EddyCancellable *cancellable,
                                EddyError **error);

/**
 * Connects a socket to its peer, and waits until that has answered; of datagram sockets: says who
 * it is. A socket whose connecting failed or was cancelled is of no more use.
 *
 * @socket: a socket that is not connected
 * @address: of the peer
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether it is connected
 * Errors: CONNECTION_REFUSED, HOST_UNREACHABLE, NETWORK_UNREACHABLE, NOT_FOUND for a UNIX path …:
 *     what connect(2) gives, with the address; TIMED_OUT, by the peer's silence or
 *     eddy_socket_set_timeout(); CLOSED; CANCELLED
 * Thread: the socket's
 * Since: 0.1
 */
EDDY_OPERATION (STREAM)
bool eddy_socket_connect (EddySocket *socket, EddySocketAddress *address,
                          EddyCancellable *cancellable, EddyError **error);

/* --- receiving and sending -------------------------------------------------------------------- */

/**
 * Receives once: what is there now, or as soon as there is something. Of a message, what does not
 * fit is lost.
 *
 * @socket: a socket
 * @buffer: where to put the bytes; the operation's until it has completed
 * @size: at most so many bytes
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: the number of bytes received; 0: the peer sends no more, or an empty message; or -1
 * Errors: CONNECTION_CLOSED when the peer has reset it …: what recv(2) gives, with the peer's
 *     address; TIMED_OUT, see eddy_socket_set_timeout(); CLOSED; CANCELLED before anything was
 *     received
 * Thread: the socket's
 * Since: 0.1
 */
EDDY_OPERATION (STREAM)
ssize_t eddy_socket_receive (EddySocket *socket, void *buffer EDDY_BORROWED, size_t size,
                             EddyCancellable *cancellable, EddyError **error);

/**
 * Sends once: as much as can be taken now, or as soon as something can; a message whole.
 *
 * @socket: a connected socket
 * @buffer: the bytes; the operation's until it has completed
 * @size: how many
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: the number of bytes sent, which may be fewer than @size of a stream; or -1
 * Errors: BROKEN_PIPE when the peer has gone, CONNECTION_CLOSED, MESSAGE_TOO_LARGE …: what send(2)
 *     gives, with the peer's address; TIMED_OUT, see eddy_socket_set_timeout(); CLOSED; CANCELLED
 *     before anything was sent
 * Thread: the socket's
 * Since: 0.1
 */
EDDY_OPERATION (STREAM)
ssize_t eddy_socket_send (EddySocket *socket, const void *buffer EDDY_BORROWED, size_t size,
                          EddyCancellable *cancellable, EddyError **error);

/**
 * Receives once, and tells from whom.
 *
 * @socket: a socket
 * @address: where to put a reference to the sender's address, NULL where it has none; or NULL
 * @buffer: where to put the bytes; the operation's until it has completed
 * @size: at most so many bytes
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: the number of bytes received, or -1
 * Errors: as eddy_socket_receive()
 * Thread: the socket's
 * Since: 0.1
 */
EDDY_OPERATION (DIRECT)
ssize_t eddy_socket_receive_from (EddySocket *socket, EddySocketAddress **address EDDY_OUT,
                                  void *buffer EDDY_BORROWED, size_t size,
                                  EddyCancellable *cancellable, EddyError **error);

/**
 * Sends once, to a peer.
 *
 * @socket: a socket
 * @address: of the peer; NULL: the one that it is connected to
 * @buffer: the bytes; the operation's until it has completed
 * @size: how many
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: the number of bytes sent, or -1
 * Errors: as eddy_socket_send(), with @address
 * Thread: the socket's
 * Since: 0.1
 */
EDDY_OPERATION (DIRECT)
ssize_t eddy_socket_send_to (EddySocket *socket, EddySocketAddress *address,
                             const void *buffer EDDY_BORROWED, size_t size,
                             EddyCancellable *cancellable, EddyError **error);

/**
 * Receives once, into memory that is taken when something is there: whoever waits holds none.
 *
 * @socket: a socket
 * @size: at most so many bytes, from 1
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: the bytes, with one reference, none of them at the end; or NULL
 * Errors: NO_MEMORY; as eddy_socket_receive()
 * Thread: the socket's
 * Since: 0.1
 */
EDDY_OPERATION (STREAM)
EddyBytes *eddy_socket_receive_bytes (EddySocket *socket, size_t size, EddyCancellable *cancellable,
                                      EddyError **error);

/**
 * The same, and tells from whom.
 *
 * @socket: a socket
 * @address: where to put a reference to the sender's address, NULL where it has none; or NULL
 * @size: at most so many bytes, from 1
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: the bytes, with one reference; or NULL
 * Errors: NO_MEMORY; as eddy_socket_receive()
 * Thread: the socket's
 * Since: 0.1
 */
EDDY_OPERATION (DIRECT)
EddyBytes *eddy_socket_receive_bytes_from (EddySocket *socket, EddySocketAddress **address EDDY_OUT,
                                           size_t size, EddyCancellable *cancellable,
                                           EddyError **error);

/**
 * Sends once what it holds a reference to meanwhile.
 *
 * @socket: a connected socket
 * @bytes: what to send
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: the number of bytes sent, which may be fewer than there are; or -1
 * Errors: as eddy_socket_send()
 * Thread: the socket's
 * Since: 0.1
 */
EDDY_OPERATION (DIRECT)
ssize_t eddy_socket_send_bytes (EddySocket *socket, EddyBytes *bytes, EddyCancellable *cancellable,
                                EddyError **error);

/**
 * Receives once, with all that comes with it. File descriptors that the peer has sent are
 * close-on-exec; those that nobody takes are closed with their message.
 *
 * @socket: a socket
 * @address: where to put a reference to the sender's address, NULL where it has none; or NULL
 * @vectors: where to put the bytes, each filled before the next; the operation's until it has
 *     completed
 * @n_vectors: how many, from 0; of more than 1024 the first 1024 are used
 * @messages: where to put a reference to the control messages, NULL where there are none; or NULL:
 *     they are dropped
 * @flags: MSG_PEEK … of <sys/socket.h>, or 0
 * @received_flags: where to put MSG_TRUNC: there was more of the message than has been received; or
 *     MSG_EOR, or 0; or NULL
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: the number of bytes received, or -1
 * Errors: PARTIAL_INPUT where there were more control messages than there is room for: none is
 *     given; as eddy_socket_receive()
 * Thread: the socket's
 * Since: 0.1
 */
EDDY_OPERATION (DIRECT)
ssize_t eddy_socket_receive_message (EddySocket *socket, EddySocketAddress **address EDDY_OUT,
                                     const EddyInputVector *vectors EDDY_BORROWED, size_t n_vectors,
                                     EddySocketControlMessageList **messages EDDY_OUT, int flags,
                                     int *received_flags EDDY_OUT, EddyCancellable *cancellable,
                                     EddyError **error);

/**
 * Sends once, with control messages.
 *
 * @socket: a socket
 * @address: of the peer; NULL: the one that it is connected to
 * @vectors: the bytes, in their order; the operation's until it has completed
 * @n_vectors: how many, from 0; of more than 1024 the first 1024 are sent
 * @messages: what goes with the first byte; or NULL
 * @flags: MSG_EOR … of <sys/socket.h>, or 0
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: the number of bytes sent, which may be fewer than there are of a stream; or -1
 * Errors: as eddy_socket_send(), with @address
 * Thread: the socket's
 * Since: 0.1
 */
EDDY_OPERATION (DIRECT)
ssize_t eddy_socket_send_message (EddySocket *socket, EddySocketAddress *address,
                                  const EddyOutputVector *vectors EDDY_BORROWED, size_t n_vectors,
                                  EddySocketControlMessageList *messages, int flags,
                                  EddyCancellable *cancellable, EddyError **error);

/* --- readiness -------------------------------------------------------------------------------- */

/**
 * Waits until a socket is ready.
 *
 * @socket: a socket
 * @condition: POLLIN, POLLOUT … of <poll.h>
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: what it is ready for, POLLERR and POLLHUP included, or -1
 * Errors: TIMED_OUT, see eddy_socket_set_timeout(); CLOSED; CANCELLED
 * Thread: the socket's
 * Since: 0.1
 */
EDDY_OPERATION (STREAM)
int eddy_socket_condition_wait (EddySocket *socket, int condition, EddyCancellable *cancellable,
                                EddyError **error);

/** What of a condition a socket is ready for now, POLLERR and POLLHUP included; POLLNVAL when it is
 * closed. Thread: the socket's. Since: 0.1 */
EDDY_API int eddy_socket_condition_check (EddySocket *socket, int condition);

/** The callback of a socket's source: `condition` is what has come; 0: it was cancelled. */
typedef bool (*EddySocketSourceFunc) (EddySocket *socket, int condition, void *user_data);

/**
 * A source that is ready while a socket is, and when its cancellable is cancelled. On a closed
 * socket it is called with POLLNVAL, once. Its callback is an EddySocketSourceFunc.
 *
 * @socket: a socket; the source holds a reference
 * @condition: POLLIN, POLLOUT … of <poll.h>
 * @cancellable: a cancellable, or NULL
 *
 * Returns: a source with one reference, or NULL when memory is out
 * Thread: the socket's
 * Since: 0.1
 */
EDDY_API EddySource *eddy_socket_create_source (EddySocket *socket, int condition,
                                                EddyCancellable *cancellable) EDDY_MUST_USE;

/* --- options ---------------------------------------------------------------------------------- */

/**
 * Has operations that begin from now on end with TIMED_OUT when they have waited so long, unless
 * their cancellable has another deadline before. It says nothing of later operations.
 *
 * @socket: a socket
 * @receive_ns: of accept, of all that receives, and of waits for POLLIN; nanoseconds from 1; 0: no
 *     limit, as it is at first
 * @send_ns: of connect, of all that sends, and of other waits; likewise
 *
 * Thread: the socket's
 * Since: 0.1
 */
EDDY_API void eddy_socket_set_timeout (EddySocket *socket, int64_t receive_ns, int64_t send_ns);

/** How long receiving may wait, in nanoseconds; 0: no limit. Thread: the socket's. Since: 0.1 */
EDDY_API int64_t eddy_socket_get_receive_timeout (EddySocket *socket);
/** How long sending may wait, in nanoseconds; 0: no limit. Thread: the socket's. Since: 0.1 */
EDDY_API int64_t eddy_socket_get_send_timeout (EddySocket *socket);

/**
 * Sets an option that is a number, by the numbers of setsockopt(2).
 *
 * @socket: a socket
 * @level: SOL_SOCKET … of <sys/socket.h>
 * @optname: SO_KEEPALIVE … likewise
 * @value: the value
 * @error: where to put the error
 *
 * Returns: whether it is set
 * Errors: what setsockopt(2) gives; CLOSED
 * Thread: the socket's
 * Since: 0.1
 */
EDDY_API bool eddy_socket_set_option (EddySocket *socket, int level, int optname, int value,
                                      EddyError **error);

/** Asks for an option that is a number, by the numbers of getsockopt(2); false with the error, as
 * eddy_socket_set_option(). Thread: the socket's. Since: 0.1 */
EDDY_API bool eddy_socket_get_option (EddySocket *socket, int level, int optname, int *value,
                                      EddyError **error);

/**
 * Sets an option by its name, whatever the socket's family:
 *
 * "keepalive", "keepalive-idle", "keepalive-interval", "keepalive-count" (seconds, and how many
 * probes), "nodelay", "cork", "quick-ack", "user-timeout" (milliseconds), "fast-open", of TCP;
 * "broadcast", "ttl", "multicast-ttl", "multicast-loopback", "ipv6-only", "type-of-service", of IP;
 * "reuse-address", "reuse-port", "receive-buffer", "send-buffer", "priority", "mark", "linger"
 * (seconds; -1: not), "pass-credentials", of all. What a socket of IPv6 is set to of IP holds for
 * peers of IPv4, too.
 *
 * @socket: a socket
 * @name: one of these
 * @value: the value; 0 and 1 for what is off or on
 * @error: where to put the error
 *
 * Returns: whether it is set
 * Errors: INVALID_ARGUMENT for another name; NOT_SUPPORTED where the socket has no such option;
 *     what setsockopt(2) gives; CLOSED
 * Thread: the socket's
 * Since: 0.1
 */
EDDY_API bool eddy_socket_set_option_by_name (EddySocket *socket, const char *name, int value,
                                              EddyError **error);

/** Asks for an option by its name; false with the error, as eddy_socket_set_option_by_name().
 * Thread: the socket's. Since: 0.1 */
EDDY_API bool eddy_socket_get_option_by_name (EddySocket *socket, const char *name, int *value,
                                              EddyError **error);

/** "keepalive": whether a silent peer is probed. Thread: the socket's. Since: 0.1 */
EDDY_API bool eddy_socket_set_keepalive (EddySocket *socket, bool keepalive, EddyError **error);
/** Whether a silent peer is probed. Thread: the socket's. Since: 0.1 */
EDDY_API bool eddy_socket_get_keepalive (EddySocket *socket);
/** "broadcast": whether messages may go to all. Thread: the socket's. Since: 0.1 */
EDDY_API bool eddy_socket_set_broadcast (EddySocket *socket, bool broadcast, EddyError **error);
/** Whether messages may go to all. Thread: the socket's. Since: 0.1 */
EDDY_API bool eddy_socket_get_broadcast (EddySocket *socket);
/** "ttl": how many routers a packet may pass. Thread: the socket's. Since: 0.1 */
EDDY_API bool eddy_socket_set_ttl (EddySocket *socket, unsigned ttl, EddyError **error);
/** How many routers a packet may pass; 0 where that is not known. Thread: the socket's.
 * Since: 0.1 */
EDDY_API unsigned eddy_socket_get_ttl (EddySocket *socket);
/** "multicast-ttl": the same for messages to groups. Thread: the socket's. Since: 0.1 */
EDDY_API bool eddy_socket_set_multicast_ttl (EddySocket *socket, unsigned ttl, EddyError **error);
/** The same for messages to groups; 0 where that is not known. Thread: the socket's. Since: 0.1 */
EDDY_API unsigned eddy_socket_get_multicast_ttl (EddySocket *socket);
/** "multicast-loopback": whether messages to groups come to this host, too.
 * Thread: the socket's. Since: 0.1 */
EDDY_API bool eddy_socket_set_multicast_loopback (EddySocket *socket, bool loopback,
                                                  EddyError **error);
/** Whether messages to groups come to this host, too. Thread: the socket's. Since: 0.1 */
EDDY_API bool eddy_socket_get_multicast_loopback (EddySocket *socket);

/**
 * Has a datagram socket receive what is sent to a group.
 *
 * @socket: a socket, bound to the group's port
 * @group: a multicast address of the socket's family
 * @iface: the name of the network interface; NULL: the usual one
 * @error: where to put the error
 *
 * Returns: whether it does
 * Errors: what setsockopt(2) gives, with the group; NOT_FOUND for an interface that there is not;
 *     CLOSED
 * Thread: the socket's
 * Since: 0.1
 */
EDDY_API bool eddy_socket_join_multicast_group (EddySocket *socket, EddyInetAddress *group,
                                                const char *iface, EddyError **error);

/** Ends what eddy_socket_join_multicast_group() has begun, with the same arguments.
 * Thread: the socket's. Since: 0.1 */
EDDY_API bool eddy_socket_leave_multicast_group (EddySocket *socket, EddyInetAddress *group,
                                                 const char *iface, EddyError **error);

/**
 * Has a datagram socket receive what one sender sends to a group.
 *
 * @socket: a socket, bound to the group's port
 * @group: a multicast address of the socket's family
 * @source: the sender's address, of the same family; NULL: any
 * @iface: the name of the network interface; NULL: the usual one
 * @error: where to put the error
 *
 * Returns: whether it does
 * Errors: as eddy_socket_join_multicast_group()
 * Thread: the socket's
 * Since: 0.1
 */
EDDY_API bool eddy_socket_join_multicast_group_ssm (EddySocket *socket, EddyInetAddress *group,
                                                    EddyInetAddress *source, const char *iface,
                                                    EddyError **error);

/** Ends what eddy_socket_join_multicast_group_ssm() has begun, with the same arguments.
 * Thread: the socket's. Since: 0.1 */
EDDY_API bool eddy_socket_leave_multicast_group_ssm (EddySocket *socket, EddyInetAddress *group,
                                                     EddyInetAddress *source, const char *iface,
                                                     EddyError **error);

EDDY_END_DECLS

#include <eddy/socket-forms.h>

#endif
