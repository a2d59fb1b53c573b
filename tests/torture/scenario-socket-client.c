/* SPDX-License-Identifier: MIT */
/*
 * Connecting by a client, where the first address refuses and the second one answers: a connection
 * to the second, or an error, and no socket left.
 */
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "torture.h"

typedef struct Peer {
    int fd;
    uint16_t port;
} Peer;

/* Made before faults strike. */
static Peer peer_new (int backlog)
{
    Peer self = { .fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
    struct sockaddr_in native = { .sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
    socklen_t size = sizeof native;
    torture_require (bind (self.fd, (struct sockaddr *) &native, size) == 0);
    torture_require (backlog == 0 || listen (self.fd, backlog) == 0);
    torture_require (getsockname (self.fd, (struct sockaddr *) &native, &size) == 0);
    self.port = ntohs (native.sin_port);
    return self;
}

/* Two addresses, as a host of two has them; made before faults strike. */
typedef struct TwoAddresses {
    EddySocketConnectable connectable;
    EddySocketAddress *addresses[2];
} TwoAddresses;

typedef struct TwoEnumerator {
    EddySocketAddressEnumerator enumerator;
    TwoAddresses *of;
    int next;
} TwoEnumerator;

static EddySocketAddress *two_next (EddySocketAddressEnumerator *enumerator,
                                    EddyCancellable *cancellable, EddyError **error)
{
    (void) cancellable;
    (void) error;
    TwoEnumerator *self = (TwoEnumerator *) (void *) enumerator;
    return self->next == 2 ? NULL : eddy_ref (self->of->addresses[self->next++]);
}

static EddySocketAddressEnumerator *two_enumerate (EddySocketConnectable *connectable)
{
    static const EddySocketAddressEnumeratorClass enumerator_class = {
        .object = { .name = "TwoEnumerator",
                    .size = sizeof (TwoEnumerator),
                    .dispose = eddy_socket_address_enumerator_dispose },
        .next = two_next
    };
    TwoEnumerator *self = eddy_object_new (&enumerator_class.object);
    if (self == NULL)
        return NULL;
    self->of = (TwoAddresses *) (void *) connectable;
    return &self->enumerator;
}

static char *two_to_string (EddySocketConnectable *connectable)
{
    (void) connectable;
    return eddy_strdup ("two addresses");
}

static void two_dispose (void *object)
{
    TwoAddresses *self = object;
    eddy_clear (&self->addresses[0]);
    eddy_clear (&self->addresses[1]);
}

static const EddySocketConnectableClass two_class = {
    .object = { .name = "TwoAddresses", .size = sizeof (TwoAddresses), .dispose = two_dispose },
    .enumerate = two_enumerate,
    .to_string = two_to_string
};

static TwoAddresses *two_new (const Peer *first, const Peer *second)
{
    TwoAddresses *self = eddy_object_new (&two_class.object);
    torture_require (self != NULL);
    self->addresses[0] = eddy_inet_socket_address_new_from_string ("127.0.0.1", first->port);
    self->addresses[1] = eddy_inet_socket_address_new_from_string ("127.0.0.1", second->port);
    torture_require (self->addresses[0] != NULL && self->addresses[1] != NULL);
    return self;
}

typedef struct Connect {
    TwoAddresses *two;
    EddySocketConnection *connection;
} Connect;

/* Where the second attempt has no socket, the first one came further: it was refused. */
static void connect_failed (EddyError **error)
{
    if (torture_was_hit () &&
        eddy_error_matches (*error, EDDY_IO_ERROR, EDDY_IO_ERROR_CONNECTION_REFUSED)) {
        eddy_clear_error (error);
        torture_refused ("a socket for the second address");
    } else {
        torture_error ("the connect", error);
    }
}

static void connect_step (void *data)
{
    Connect *self = data;
    EddyError *error = NULL;
    EDDY_AUTO (EddySocketClient) client = torture_made ("a client", eddy_socket_client_new ());
    if (client == NULL)
        return;
    self->connection = eddy_socket_client_connect (client, &self->two->connectable, NULL, &error);
    if (self->connection == NULL)
        connect_failed (&error);
}

TORTURE_SCENARIO (socket_client_connect)
{
    Peer refusing = peer_new (0), peer = peer_new (8);
    Connect self = { .two = two_new (&refusing, &peer) };
    torture_begin ();
    torture_await (connect_step, &self);
    torture_end ();
    if (self.connection != NULL) {
        int accepted = accept (peer.fd, NULL, NULL);
        torture_require (accepted >= 0);
        close (accepted);
    }
    eddy_unref (self.connection);
    eddy_unref (self.two);
    close (refusing.fd);
    close (peer.fd);
}

/* To one address, from a plain thread. */
TORTURE_SCENARIO (socket_client_connect_blocking)
{
    Peer peer = peer_new (8);
    EddyError *error = NULL;
    EddySocketConnection *connection = NULL;
    torture_begin ();
    EddySocketClient *client = torture_made ("a client", eddy_socket_client_new ());
    EddySocketAddress *address = torture_made (
        "an address", eddy_inet_socket_address_new_from_string ("127.0.0.1", peer.port));
    if (client != NULL && address != NULL) {
        connection =
            eddy_socket_client_connect (client, EDDY_SOCKET_CONNECTABLE (address), NULL, &error);
        if (connection == NULL)
            torture_error ("the connect", &error);
    }
    torture_end ();
    eddy_unref (connection);
    eddy_unref (address);
    eddy_unref (client);
    close (peer.fd);
}
