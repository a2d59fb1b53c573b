/* SPDX-License-Identifier: MIT */
/*
 * Listeners and services, whose peers are sockets of the kernel's, which no fault strikes.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "torture.h"

static const int64_t MILLISECOND_NS = 1000 * 1000;

static int peer_connect (uint16_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons (port),
                                   .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
    int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    torture_require (connect (fd, (const struct sockaddr *) &address, sizeof address) == 0);
    return fd;
}

/* A port of 127.0.0.1 that it listens on; 0, told as an error. */
static uint16_t listen_somewhere (EddySocketListener *listener)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddySocketAddress) effective = NULL;
    EDDY_AUTO (EddySocketAddress)
    address =
        torture_made ("an address", eddy_inet_socket_address_new_from_string ("127.0.0.1", 0));
    if (address == NULL)
        return 0;
    if (!eddy_socket_listener_add_address (listener, address, EDDY_SOCKET_TYPE_STREAM, 0, NULL,
                                           &effective, &error)) {
        torture_error ("the socket", &error);
        return 0;
    }
    return eddy_inet_socket_address_get_port (EDDY_INET_SOCKET_ADDRESS (effective));
}

/* ---- Accepting ----------------------------------------------------------------------------- */

static void accept_from (EddySocketListener *listener, int n)
{
    for (int i = 0; i < n; i++) {
        EddyError *error = NULL;
        EDDY_AUTO (EddySocketConnection)
        connection = eddy_socket_listener_accept (listener, NULL, NULL, &error);
        if (connection == NULL) {
            torture_error ("the accept", &error);
            return;
        }
    }
}

static void listener_step (void *data)
{
    (void) data;
    int peers[2] = { -1, -1 };
    EDDY_AUTO (EddySocketListener)
    listener = torture_made ("a listener", eddy_socket_listener_new ());
    for (int i = 0; i < 2; i++) {
        uint16_t port = listener == NULL ? 0 : listen_somewhere (listener);
        if (port != 0)
            peers[i] = peer_connect (port);
    }
    if (peers[0] >= 0 || peers[1] >= 0)
        accept_from (listener, (peers[0] >= 0) + (peers[1] >= 0));
    for (int i = 0; i < 2; i++)
        if (peers[i] >= 0)
            close (peers[i]);
}

TORTURE_SCENARIO (listener_in_a_fiber)
{
    torture_begin ();
    torture_await (listener_step, NULL);
    torture_end ();
}

TORTURE_SCENARIO (listener_in_a_thread)
{
    torture_begin ();
    listener_step (NULL);
    torture_end ();
}

static void any_port_step (void *data)
{
    (void) data;
    EddyError *error = NULL;
    EDDY_AUTO (EddySocketListener)
    listener = torture_made ("a listener", eddy_socket_listener_new ());
    if (listener == NULL)
        return;
    uint16_t port = eddy_socket_listener_add_any_inet_port (listener, NULL, &error);
    if (port == 0)
        torture_error ("the port", &error);
    else
        close (peer_connect (port));
}

TORTURE_SCENARIO (listener_any_port)
{
    torture_begin ();
    any_port_step (NULL);
    torture_end ();
}

/* ---- Services ------------------------------------------------------------------------------ */

typedef struct Service {
    int n_handled;
    EddyError *failure; /* the first that was told */
} Service;

static void service_told (EddySocketService *service, EddySocketServiceEvent event,
                          EddySocketConnection *connection, const EddyError *error, void *user_data)
{
    Service *self = user_data;
    (void) service;
    (void) event;
    (void) connection;
    if (error != NULL && self->failure == NULL)
        self->failure = eddy_ref ((EddyError *) error);
}

static bool service_handle (EddySocketService *service, EddySocketConnection *connection,
                            EddyObject *source_object, void *user_data, EddyError **error)
{
    Service *self = user_data;
    char byte = 0;
    EddyInputStream *input = eddy_io_stream_get_input_stream (EDDY_IO_STREAM (connection));
    (void) service;
    (void) source_object;
    if (eddy_input_stream_read (input, &byte, 1, NULL, error) < 0)
        return false;
    torture_require (byte == 'x');
    self->n_handled++;
    return true;
}

/* What is told first ends it; or nothing, where the fault has kept the service from noticing. */
static void service_talk (Service *self, uint16_t port)
{
    int peer = peer_connect (port);
    torture_require (send (peer, "x", 1, MSG_NOSIGNAL) == 1);
    for (int i = 0; i < 2000 && self->n_handled == 0 && self->failure == NULL; i++)
        if (!eddy_fiber_sleep (MILLISECOND_NS / 4, NULL))
            break;
    close (peer);
}

static void service_step (void *data)
{
    Service *self = data;
    EddyError *error = NULL;
    EDDY_AUTO (EddySocketService) service = eddy_socket_service_new (&error);
    if (service == NULL) {
        torture_error ("the service", &error);
        return;
    }
    eddy_socket_service_set_event_func (service, service_told, self, NULL);
    eddy_socket_service_set_handler (service, service_handle, self, NULL, NULL);
    uint16_t port = listen_somewhere (EDDY_SOCKET_LISTENER (service));
    if (port != 0)
        service_talk (self, port);
    /* A fault may keep what is to end from being told so: the grace is for that alone. */
    if (!eddy_socket_service_shutdown (service, 500 * MILLISECOND_NS, NULL, &error)) {
        torture_require (torture_was_hit ());
        eddy_clear_error (&error);
        torture_refused ("the end");
    }
}

TORTURE_SCENARIO (service)
{
    Service service = { 0 };
    torture_begin ();
    torture_await (service_step, &service);
    torture_end ();
    if (service.failure != NULL)
        torture_error ("the service", &service.failure);
    else
        torture_require (service.n_handled == 1 || torture_has_failed () || torture_was_hit ());
}
