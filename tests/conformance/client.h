/* SPDX-License-Identifier: MIT */
/* For the tests of clients: peers that answer, refuse or never answer; a connectable whose
 * addresses come as a test says; what the event function was told. */
#pragma once

#include <arpa/inet.h>
#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "context.h"

enum { MS = 1000 * 1000, CLIENT_MOST_FILLERS = 8, CLIENT_MOST_STEPS = 32, CLIENT_MOST_TOLD = 64 };

/* --- peers ------------------------------------------------------------------------------------ */

/* A socket that listens on some address of this host, which has plenty of IPv4. */
typedef struct ClientPeer {
    int fd; /* -1: nobody listens there */
    uint16_t port;
    const char *host;
    /* Where nobody is answered: who has filled the backlog. */
    int fillers[CLIENT_MOST_FILLERS];
    int n_fillers;
} ClientPeer;

static inline struct sockaddr_in client_peer_native (const ClientPeer *self)
{
    struct sockaddr_in native = { .sin_family = AF_INET, .sin_port = htons (self->port) };
    ck_assert_int_eq (inet_pton (AF_INET, self->host, &native.sin_addr), 1);
    return native;
}

static inline ClientPeer client_peer_listen (const char *host, int backlog)
{
    ClientPeer self = { .fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .host = host };
    struct sockaddr_in native = client_peer_native (&self);
    socklen_t size = sizeof native;
    ck_assert_int_eq (bind (self.fd, (struct sockaddr *) &native, size), 0);
    ck_assert_int_eq (listen (self.fd, backlog), 0);
    ck_assert_int_eq (getsockname (self.fd, (struct sockaddr *) &native, &size), 0);
    self.port = ntohs (native.sin_port);
    return self;
}

/* One that the kernel connects with at once. */
static inline ClientPeer client_peer_new (void)
{
    return client_peer_listen ("127.0.0.1", 64);
}

/* A port that nobody listens on; it stays bound, so that nobody else gets it. */
static inline ClientPeer client_peer_new_refusing (void)
{
    ClientPeer self = { .fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
                        .host = "127.0.0.1" };
    struct sockaddr_in native = client_peer_native (&self);
    socklen_t size = sizeof native;
    ck_assert_int_eq (bind (self.fd, (struct sockaddr *) &native, size), 0);
    ck_assert_int_eq (getsockname (self.fd, (struct sockaddr *) &native, &size), 0);
    self.port = ntohs (native.sin_port);
    return self;
}

/* One that answers nobody, since its backlog is full: who connects asks again after a second. */
static inline ClientPeer client_peer_new_silent (void)
{
    ClientPeer self = client_peer_listen ("127.0.0.1", 0);
    struct sockaddr_in native = client_peer_native (&self);
    struct pollfd pollfd = { .events = POLLOUT };
    do {
        ck_assert_int_lt (self.n_fillers, CLIENT_MOST_FILLERS);
        pollfd.fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void) connect (pollfd.fd, (struct sockaddr *) &native, sizeof native);
        self.fillers[self.n_fillers++] = pollfd.fd;
    } while (poll (&pollfd, 1, 50) == 1);
    return self;
}

/* It has room again, for as many as asked. */
static inline void client_peer_drain (ClientPeer *self)
{
    while (self->n_fillers > 0)
        close (self->fillers[--self->n_fillers]);
    struct pollfd pollfd = { .fd = self->fd, .events = POLLIN };
    while (poll (&pollfd, 1, 0) == 1)
        close (accept (self->fd, NULL, NULL));
}

static inline void client_peer_clear (ClientPeer *self)
{
    while (self->n_fillers > 0)
        close (self->fillers[--self->n_fillers]);
    close (self->fd);
}

static inline EddySocketAddress *client_peer_get_address (const ClientPeer *self)
{
    EddySocketAddress *address = eddy_inet_socket_address_new_from_string (self->host, self->port);
    ck_assert_ptr_nonnull (address);
    return address;
}

/* Whether a connection goes to this peer. */
static inline bool client_peer_has (const ClientPeer *self, EddySocketConnection *connection)
{
    EDDY_AUTO (EddySocketAddress) address = client_peer_get_address (self);
    EDDY_AUTO (EddySocketAddress)
    remote = eddy_socket_connection_get_remote_address (connection, NULL);
    return remote != NULL && eddy_socket_address_equal (address, remote);
}

static inline int client_count_fds (void)
{
    DIR *folder = opendir ("/proc/self/fd");
    int n = 0;
    while (readdir (folder) != NULL)
        n++;
    closedir (folder);
    return n;
}

/* --- a connectable ---------------------------------------------------------------------------- */

/* What comes next: after some time, an address, or an error in its place. */
typedef struct ClientStep {
    int64_t delay_ns;
    EddySocketAddress *address; /* given up with the script */
    EddyIOErrorCode code;       /* where there is none */
} ClientStep;

typedef struct ClientScript {
    EddySocketConnectable connectable;
    ClientStep steps[CLIENT_MOST_STEPS];
    int n_steps;
    int n_asked; /* in the latest enumerator */
} ClientScript;

typedef struct ClientScriptEnumerator {
    EddySocketAddressEnumerator enumerator;
    ClientScript *script;
    int next;
} ClientScriptEnumerator;

static inline EddySocketAddress *client_script_next (EddySocketAddressEnumerator *enumerator,
                                                     EddyCancellable *cancellable,
                                                     EddyError **error)
{
    ClientScriptEnumerator *self = (ClientScriptEnumerator *) (void *) enumerator;
    ClientScript *script = self->script;
    script->n_asked++;
    if (eddy_cancellable_set_error_if_cancelled (cancellable, error) ||
        self->next == script->n_steps)
        return NULL;
    const ClientStep *step = &script->steps[self->next];
    if (step->delay_ns > 0 && !eddy_fiber_sleep (step->delay_ns, error))
        return NULL;
    self->next++;
    if (step->address == NULL)
        eddy_error_set (error, EDDY_IO_ERROR, (int) step->code, "the script says so");
    return eddy_ref (step->address);
}

static inline void client_script_enumerator_dispose (void *object)
{
    eddy_clear (&((ClientScriptEnumerator *) object)->script);
    eddy_socket_address_enumerator_dispose (object);
}

static inline EddySocketAddressEnumerator *client_script_enumerate (
    EddySocketConnectable *connectable)
{
    static const EddySocketAddressEnumeratorClass enumerator_class = {
        .object = { .name = "ClientScriptEnumerator",
                    .size = sizeof (ClientScriptEnumerator),
                    .dispose = client_script_enumerator_dispose },
        .next = client_script_next
    };
    ClientScriptEnumerator *self = eddy_object_new (&enumerator_class.object);
    ck_assert_ptr_nonnull (self);
    self->script = eddy_ref (connectable);
    self->script->n_asked = 0;
    return &self->enumerator;
}

static inline char *client_script_to_string (EddySocketConnectable *connectable)
{
    (void) connectable;
    return eddy_strdup ("a script");
}

static inline void client_script_dispose (void *object)
{
    ClientScript *self = object;
    for (int i = 0; i < self->n_steps; i++)
        eddy_clear (&self->steps[i].address);
}

static inline ClientScript *client_script_new (void)
{
    static const EddySocketConnectableClass script_class = {
        .object = { .name = "ClientScript",
                    .size = sizeof (ClientScript),
                    .dispose = client_script_dispose },
        .enumerate = client_script_enumerate,
        .to_string = client_script_to_string
    };
    ClientScript *self = eddy_object_new (&script_class.object);
    ck_assert_ptr_nonnull (self);
    return self;
}

/* Takes the address. */
static inline void client_script_add (ClientScript *self, int64_t delay_ns,
                                      EddySocketAddress *address)
{
    ck_assert_int_lt (self->n_steps, CLIENT_MOST_STEPS);
    self->steps[self->n_steps++] = (ClientStep){ .delay_ns = delay_ns, .address = address };
}

static inline void client_script_add_peer (ClientScript *self, const ClientPeer *peer)
{
    client_script_add (self, 0, client_peer_get_address (peer));
}

static inline void client_script_add_error (ClientScript *self, EddyIOErrorCode code)
{
    client_script_add (self, 0, NULL);
    self->steps[self->n_steps - 1].code = code;
}

/* --- events ----------------------------------------------------------------------------------- */

typedef struct ClientTold {
    EddySocketClientEvent event;
    int64_t time_ns;
    char target[64];
    bool has_connection;
} ClientTold;

typedef struct ClientLog {
    ClientTold told[CLIENT_MOST_TOLD];
    int n_told;
    int n_destroyed;
} ClientLog;

static inline void client_log_event (EddySocketClient *client, EddySocketClientEvent event,
                                     EddySocketConnectable *connectable,
                                     EddySocketConnection *connection, void *user_data)
{
    ClientLog *self = user_data;
    ck_assert_ptr_nonnull (client);
    ck_assert_ptr_nonnull (connectable);
    ck_assert (eddy_in_fiber ());
    ck_assert_int_lt (self->n_told, CLIENT_MOST_TOLD);
    ClientTold *told = &self->told[self->n_told++];
    *told = (ClientTold){ .event = event, .time_ns = eddy_get_monotonic_time_ns () };
    told->has_connection = connection != NULL;
    EDDY_AUTO_FREE (char) text = eddy_socket_connectable_to_string (connectable);
    ck_assert_ptr_nonnull (text);
    snprintf (told->target, sizeof told->target, "%s", text);
}

static inline void client_log_destroyed (void *user_data)
{
    ((ClientLog *) user_data)->n_destroyed++;
}

/* How often it was told of an event. */
static inline int client_log_count (const ClientLog *self, EddySocketClientEvent event)
{
    int n = 0;
    for (int i = 0; i < self->n_told; i++)
        n += self->told[i].event == event;
    return n;
}

/* --- a connect -------------------------------------------------------------------------------- */

/* One connect, and what came of it. */
typedef struct ClientConnect {
    EddySocketClient *client;
    EddySocketConnectable *connectable;
    EddyCancellable *cancellable;
    EddySocketConnection *connection;
    EddyError *error;
    int64_t duration_ns;
    int fds_left; /* more than before: of the connection, if there is one */
} ClientConnect;

static inline void *client_connect_run (void *data, EddyError **error)
{
    ClientConnect *self = data;
    (void) error;
    int fds = client_count_fds ();
    int64_t began_ns = eddy_get_monotonic_time_ns ();
    self->connection = eddy_socket_client_connect (self->client, self->connectable,
                                                   self->cancellable, &self->error);
    self->duration_ns = eddy_get_monotonic_time_ns () - began_ns;
    self->fds_left = client_count_fds () - fds;
    return NULL;
}

/* --- a connect by callback -------------------------------------------------------------------- */

typedef struct ClientCall {
    EddySocketConnection *connection;
    EddyError *error;
    int calls;
} ClientCall;

/* Defines the callback of one of the ways to connect, for a ClientCall. */
#define CLIENT_CALLBACK(name, finish)                                                              \
    static void name (void *source_object, EddyAsyncResult *result, void *user_data)               \
    {                                                                                              \
        ClientCall *call = user_data;                                                              \
        call->calls++;                                                                             \
        call->connection = finish (source_object, result, &call->error);                           \
    }

static inline void client_call_await (EddyContext *context, const ClientCall *call)
{
    while (call->calls == 0)
        eddy_context_iteration (context, /* may_block= */ true);
    ck_assert_int_eq (call->calls, 1);
}

/* Waits for a connection to this peer, and gives it up. */
static inline void client_call_expect (EddyContext *context, ClientCall *call,
                                       const ClientPeer *peer)
{
    client_call_await (context, call);
    ck_assert_msg (call->error == NULL, "%s",
                   call->error == NULL ? "" : eddy_error_get_message (call->error));
    ck_assert (client_peer_has (peer, call->connection));
    eddy_clear (&call->connection);
    call->calls = 0;
}
