/* SPDX-License-Identifier: MIT */
/* EddySocket: its life, its addresses, and its errors. */
#include "net/socket-private.h"

#include <errno.h>
#include <netinet/tcp.h>

#include "base/object-private.h"
#include "engine/engine-private.h"
#include "io/stream-private.h"
#include "sys/file-private.h"
#include "sys/process-private.h"
#include "sys/socket-private.h"

/* --- errors ----------------------------------------------------------------------------------- */

static const EddySocketVerb close_verb = { "close", "of", EDDY__SOCKET_SENDS, false };
static const EddySocketVerb shutdown_verb = { "shut down", "to", EDDY__SOCKET_SENDS, false };
static const EddySocketVerb address_verb = { "address", "of", EDDY__SOCKET_SENDS, false };

bool eddy__socket_check (EddySocket *self, const EddySocketVerb *verb, EddyError **error)
{
    if (EDDY__LIKELY (self->fd >= 0))
        return true;
    eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_CLOSED, "%s: the socket is closed",
                    verb->name);
    return false;
}

/* The text of the address that an operation has to do with; NULL: there is none, or memory is out.
 */
static char *socket_name (EddySocket *self, const EddySocketVerb *verb, EddySocketAddress *address)
{
    EddySocketAddress *of = address != NULL  ? eddy_ref (address)
                            : verb->is_local ? eddy_socket_get_local_address (self, NULL)
                                             : eddy_socket_get_remote_address (self, NULL);
    char *name = of == NULL ? NULL : eddy_socket_address_to_string (of);
    eddy_unref (of);
    return name;
}

void eddy__socket_set_error (EddySocket *self, int64_t result, const EddySocketVerb *verb,
                             EddySocketAddress *address, EddyError **error)
{
    if (error == NULL || !eddy__socket_check (self, verb, error))
        return;
    int error_number = result == EDDY__TRY_LATER ? EAGAIN : (int) -result;
    char *name = socket_name (self, verb, address);
    if (name != NULL)
        eddy_error_set_errno (error, error_number, "%s %s %s", verb->name, verb->preposition, name);
    else
        eddy_error_set_errno (error, error_number, "%s", verb->name);
    eddy_free (name);
}

/* --- life ------------------------------------------------------------------------------------- */

/* Asks what is under way to end, by its loop. Where several loops know of it, or the fd is held,
 * the kernel wakes who waits, and the fd is kept until all have heard: its number must not be
 * another file's before. In the child of a fork all of that is its parent's, and so is the
 * connection: only the fd is its own. */
static void socket_end_operations (EddySocket *self)
{
    if (self->n_under_way == 0 || eddy__sys_forked ())
        return;
    if (self->is_spread) {
        (void) eddy__sys_shutdown (self->fd, SHUT_RDWR);
        self->kept_fd = self->fd;
    } else if (self->context->engine != NULL) {
        eddy__engine_give_up_fd (self->context->engine, self->fd, &self->readiness,
                                 self->n_under_way);
    }
}

/* The fd that is to be closed now, or -1. */
static int socket_take_fd (EddySocket *self)
{
    for (EddySocketClosing *closing; (closing = self->closings) != NULL;) {
        self->closings = closing->next;
        closing->tell (closing);
    }
    if (self->fd >= 0)
        socket_end_operations (self);
    int fd = self->kept_fd >= 0 ? -1 : self->fd;
    self->fd = -1;
    self->is_connected = false;
    return fd;
}

void eddy__socket_close_later (EddySocket *self)
{
    int fd = socket_take_fd (self);
    if (fd >= 0)
        eddy__stream_close_fd_later (fd, self->lingers);
}

static void socket_dispose (void *object)
{
    eddy__socket_close_later (object);
}

static const EddyClass socket_class = { .name = "EddySocket",
                                        .size = sizeof (EddySocket),
                                        .dispose = socket_dispose };

/* Takes the fd; NULL when memory is out, and the fd is the caller's. */
static EddySocket *socket_new (int fd, int family, int type, int protocol)
{
    EddySocket *self = eddy_object_new (&socket_class);
    if (self == NULL)
        return NULL;
    self->fd = fd;
    self->kept_fd = -1;
    self->backlog = SOMAXCONN;
    self->family = (uint8_t) family;
    self->type = (uint8_t) type;
    self->protocol = (uint16_t) protocol;
    /* UNIX ones also stop short where file descriptors have come. */
    self->readiness.is_short = eddy__socket_is_tcp (self);
    return self;
}

/* What is written is to be on its way at once: programs write what they have to say in one piece.
 * What is accepted has it of what has accepted it. */
static void socket_send_at_once (const EddySocket *self)
{
    int yes = 1;
    if (eddy__socket_is_tcp (self))
        (void) eddy__sys_setsockopt (self->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

/* SOCK_STREAM … */
static int socket_native_type (EddySocketType type)
{
    return type == EDDY_SOCKET_TYPE_STREAM      ? SOCK_STREAM
           : type == EDDY_SOCKET_TYPE_DATAGRAM  ? SOCK_DGRAM
           : type == EDDY_SOCKET_TYPE_SEQPACKET ? SOCK_SEQPACKET
                                                : -1;
}

static EddySocketType socket_type_of_native (int type)
{
    return type == SOCK_STREAM      ? EDDY_SOCKET_TYPE_STREAM
           : type == SOCK_DGRAM     ? EDDY_SOCKET_TYPE_DATAGRAM
           : type == SOCK_SEQPACKET ? EDDY_SOCKET_TYPE_SEQPACKET
                                    : EDDY_SOCKET_TYPE_INVALID;
}

/* The same, and without memory the fd is closed, with the error. */
static EddySocket *socket_new_or_close (int fd, int family, int type, int protocol,
                                        EddyError **error)
{
    EddySocket *self = socket_new (fd, family, type, protocol);
    if (self == NULL) {
        (void) eddy__sys_close (fd);
        eddy_error_set_errno (error, ENOMEM, "a socket");
    }
    return self;
}

EddySocket *eddy_socket_new (EddySocketFamily family, EddySocketType type, int protocol,
                             EddyError **error)
{
    int native_type = socket_native_type (type);
    EDDY__EXPECT (native_type >= 0, NULL);
    int fd = eddy__sys_socket ((int) family, native_type, protocol);
    if (fd < 0) {
        eddy_error_set_errno (error, -fd, "make a socket");
        return NULL;
    }
    EddySocket *self = socket_new_or_close (fd, (int) family, (int) type, protocol, error);
    if (self != NULL)
        socket_send_at_once (self);
    return self;
}

/* A number that the kernel knows of a socket; -1: it does not. */
static int socket_ask_kernel (int fd, int option)
{
    int value = -1;
    socklen_t len = sizeof value;
    int answer = eddy__sys_getsockopt (fd, SOL_SOCKET, option, &value, &len);
    return answer < 0 ? answer : value;
}

EddySocket *eddy_socket_new_from_fd (int fd, EddyError **error)
{
    EDDY__EXPECT (fd >= 0, NULL);
    int family = socket_ask_kernel (fd, SO_DOMAIN);
    int answer = family < 0 ? family : eddy__sys_socket_adopt (fd);
    if (answer == -ENOTSOCK || answer == -EBADF) {
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_ARGUMENT,
                        "file descriptor %d is no socket", fd);
        return NULL;
    }
    int protocol = socket_ask_kernel (fd, SO_PROTOCOL);
    EddySocketType type = socket_type_of_native (socket_ask_kernel (fd, SO_TYPE));
    EddySocket *self =
        answer < 0 ? NULL : socket_new (fd, family, (int) type, protocol < 0 ? 0 : protocol);
    if (self == NULL)
        eddy_error_set_errno (error, answer < 0 ? -answer : ENOMEM, "socket of file descriptor %d",
                              fd);
    else
        eddy__socket_set_connected (self);
    return self;
}

bool eddy_socket_new_pair (EddySocketType type, EddySocket **first, EddySocket **second,
                           EddyError **error)
{
    int native_type = socket_native_type (type);
    EDDY__EXPECT (native_type >= 0 && first != NULL && second != NULL, false);
    *first = *second = NULL;
    int fds[2];
    int answer = eddy__sys_socketpair (AF_UNIX, native_type, fds);
    if (answer < 0) {
        eddy_error_set_errno (error, -answer, "make a pair of sockets");
        return false;
    }
    *first = socket_new_or_close (fds[0], AF_UNIX, (int) type, 0, error);
    *second = socket_new_or_close (fds[1], AF_UNIX, (int) type, 0, *first == NULL ? NULL : error);
    if (*first == NULL || *second == NULL) {
        eddy_clear (first);
        eddy_clear (second);
        return false;
    }
    (*first)->is_connected = (*second)->is_connected = true;
    return true;
}

EddySocket *eddy__socket_new_accepted (EddySocket *listener, int fd)
{
    EddySocket *self =
        socket_new_or_close (fd, listener->family, listener->type, listener->protocol, NULL);
    if (self != NULL) {
        eddy__socket_set_connected (self);
        self->is_connected = true; /* though it may be reset already */
    }
    return self;
}

void eddy__socket_set_connected (EddySocket *self)
{
    struct sockaddr_storage peer;
    socklen_t len = sizeof peer;
    if (eddy__sys_getpeername (self->fd, (struct sockaddr *) &peer, &len) < 0)
        return;
    self->is_connected = true;
    if (len > sizeof self->peer || (peer.ss_family != AF_INET && peer.ss_family != AF_INET6))
        return;
    __builtin_memcpy (&self->peer, &peer, len);
    self->peer_size = (uint8_t) len;
}

bool eddy_socket_close (EddySocket *self, EddyError **error)
{
    EDDY__EXPECT (self != NULL, false);
    int fd = socket_take_fd (self);
    return fd < 0 || eddy__stream_close_fd (fd, self->lingers, close_verb.name, error);
}

bool eddy_socket_shutdown (EddySocket *self, bool shutdown_read, bool shutdown_write,
                           EddyError **error)
{
    EDDY__EXPECT (self != NULL, false);
    if (!eddy__socket_check (self, &shutdown_verb, error))
        return false;
    if (!shutdown_read && !shutdown_write)
        return true;
    int how = !shutdown_write ? SHUT_RD : !shutdown_read ? SHUT_WR : SHUT_RDWR;
    int answer = eddy__sys_shutdown (self->fd, how);
    if (answer < 0)
        eddy__socket_set_error (self, answer, &shutdown_verb, NULL, error);
    return answer == 0;
}

/* --- what is known of it ---------------------------------------------------------------------- */

bool eddy_socket_is_closed (EddySocket *self)
{
    EDDY__EXPECT (self != NULL, true);
    return self->fd < 0;
}

int eddy_socket_get_fd (EddySocket *self)
{
    EDDY__EXPECT (self != NULL, -1);
    return self->fd;
}

EddySocketFamily eddy_socket_get_family (EddySocket *self)
{
    EDDY__EXPECT (self != NULL, EDDY_SOCKET_FAMILY_INVALID);
    return (EddySocketFamily) self->family;
}

EddySocketType eddy_socket_get_socket_type (EddySocket *self)
{
    EDDY__EXPECT (self != NULL, EDDY_SOCKET_TYPE_INVALID);
    return (EddySocketType) self->type;
}

int eddy_socket_get_protocol (EddySocket *self)
{
    EDDY__EXPECT (self != NULL, 0);
    return self->protocol;
}

bool eddy_socket_is_connected (EddySocket *self)
{
    EDDY__EXPECT (self != NULL, false);
    return self->is_connected;
}

static EddySocketAddress *socket_address (const void *native, size_t size, EddyError **error)
{
    EddySocketAddress *address = eddy_socket_address_new_from_native (native, size);
    if (address == NULL)
        eddy_error_set_errno (error, ENOMEM, "%s", address_verb.name);
    return address;
}

EddySocketAddress *eddy_socket_get_local_address (EddySocket *self, EddyError **error)
{
    EDDY__EXPECT (self != NULL, NULL);
    if (!eddy__socket_check (self, &address_verb, error))
        return NULL;
    struct sockaddr_storage native;
    socklen_t len = sizeof native;
    int answer = eddy__sys_getsockname (self->fd, (struct sockaddr *) &native, &len);
    if (answer == 0)
        return socket_address (&native, len, error);
    eddy_error_set_errno (error, -answer, "%s", address_verb.name);
    return NULL;
}

EddySocketAddress *eddy_socket_get_remote_address (EddySocket *self, EddyError **error)
{
    EDDY__EXPECT (self != NULL, NULL);
    if (!eddy__socket_check (self, &address_verb, error))
        return NULL;
    if (self->peer_size > 0)
        return socket_address (&self->peer, self->peer_size, error);
    struct sockaddr_storage native;
    socklen_t len = sizeof native;
    int answer = eddy__sys_getpeername (self->fd, (struct sockaddr *) &native, &len);
    if (answer == 0)
        return socket_address (&native, len, error);
    eddy_error_set_errno (error, -answer, "%s of the peer", address_verb.name);
    return NULL;
}
