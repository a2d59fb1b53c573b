/* SPDX-License-Identifier: MIT */
/*
 * Connecting by name: to hosts, to what URIs name, to services. The names are of a hosts file and
 * a name server of the test's own.
 */
#include <eddy/testing.h>
#include <pthread.h>
#include <sched.h>

#include "client.h"

/* The names of a hosts file, for the default resolver. */
static void names_set (const char *text)
{
    const char *path = eddy_test_path ("hosts");
    FILE *file = fopen (path, "we");
    ck_assert_ptr_nonnull (file);
    fputs (text, file);
    fclose (file);
    EDDY_AUTO (EddyResolver) resolver = eddy_resolver_new ();
    ck_assert (eddy_resolver_set_hosts_file (resolver, path));
    eddy_resolver_set_default (resolver);
}

/* What is given to one of the ways to connect. */
typedef struct Named {
    EddySocketClient *client;
    const char *text;
    uint16_t port;
    const ClientPeer *peer; /* that it must come to; NULL: it must fail … */
    EddyIOErrorCode code;   /* … with this */
} Named;

static void named_check (const Named *self, EddySocketConnection *connection, EddyError *error)
{
    if (self->peer == NULL) {
        ck_assert_ptr_null (connection);
        eddy_test_expect_error (&error, self->code);
        return;
    }
    ck_assert_msg (error == NULL, "%s: %s", self->text,
                   error == NULL ? "" : eddy_error_get_message (error));
    ck_assert (client_peer_has (self->peer, connection));
    eddy_unref (connection);
}

/* One of the ways to connect. */
typedef EddySocketConnection *NamedConnect (EddySocketClient *client, const char *text,
                                            uint16_t port, EddyCancellable *cancellable,
                                            EddyError **error);

static NamedConnect *const to_host = eddy_socket_client_connect_to_host;
static NamedConnect *const to_uri = eddy_socket_client_connect_to_uri;

typedef struct NamedRun {
    NamedConnect *connect;
    const Named *named;
} NamedRun;

static void *named_run (void *data, EddyError **fiber_error)
{
    const NamedRun *run = data;
    const Named *self = run->named;
    EddyError *error = NULL;
    (void) fiber_error;
    EddySocketConnection *connection =
        run->connect (self->client, self->text, self->port, NULL, &error);
    named_check (self, connection, error);
    return NULL;
}

static void run_named (NamedConnect *connect, const Named *named)
{
    EddyContext *context = eddy_test_context_begin ();
    eddy_test_run_fiber (context, named_run, &(NamedRun){ connect, named });
    eddy_test_context_end (context);
}

/* --- hosts ------------------------------------------------------------------------------------ */

EDDY_TEST (D_client_to_a_host)
{
    EDDY_AUTO (EddySocketClient) client = eddy_socket_client_new ();
    ClientPeer peer = client_peer_new ();
    char text[64];
    names_set ("127.0.0.1 server.example\n");
    snprintf (text, sizeof text, "server.example:%u", peer.port);
    run_named (to_host, &(Named){ client, text, 9, &peer, 0 });
    run_named (to_host, &(Named){ client, "server.example", peer.port, &peer, 0 });
    run_named (to_host, &(Named){ client, "127.0.0.1", peer.port, &peer, 0 });
    run_named (to_host, &(Named){ client, "localhost", peer.port, &peer, 0 });
    client_peer_clear (&peer);
    eddy_resolver_set_default (NULL);
}

/* One of its addresses refuses. */
EDDY_TEST (D_client_to_a_host_of_two_addresses)
{
    EDDY_AUTO (EddySocketClient) client = eddy_socket_client_new ();
    ClientPeer peer = client_peer_new ();
    names_set ("127.0.0.9 server.example\n127.0.0.1 server.example\n");
    run_named (to_host, &(Named){ client, "server.example", peer.port, &peer, 0 });
    client_peer_clear (&peer);
    eddy_resolver_set_default (NULL);
}

EDDY_TEST (D_client_to_what_is_no_host)
{
    EDDY_AUTO (EddySocketClient) client = eddy_socket_client_new ();
    EddyIOErrorCode code = EDDY_IO_ERROR_INVALID_ARGUMENT;
    run_named (to_host, &(Named){ client, "", 80, NULL, code });
    run_named (to_host, &(Named){ client, "host:99999", 80, NULL, code });
    run_named (to_host, &(Named){ client, "[::1", 80, NULL, code });
    run_named (to_uri, &(Named){ client, "no uri", 80, NULL, code });
    run_named (to_uri, &(Named){ client, "file:///tmp/file", 80, NULL, code });
}

/* --- URIs ------------------------------------------------------------------------------------- */

EDDY_TEST (D_client_to_a_uri)
{
    EDDY_AUTO (EddySocketClient) client = eddy_socket_client_new ();
    ClientPeer peer = client_peer_new ();
    char text[64];
    names_set ("127.0.0.1 server.example\n");
    snprintf (text, sizeof text, "http://user@server.example:%u/page?a=b", peer.port);
    run_named (to_uri, &(Named){ client, text, 9, &peer, 0 });
    run_named (to_uri, &(Named){ client, "test://127.0.0.1/", peer.port, &peer, 0 });
    client_peer_clear (&peer);
    eddy_resolver_set_default (NULL);
}

/* --- services --------------------------------------------------------------------------------- */

/* A name server that knows where one service is: on two hosts, of which the first one is asked
 * first. */
typedef struct NameServer {
    int fd;
    uint16_t ports[2]; /* of the service, on the first host and the second */
    pthread_t thread;
} NameServer;

static size_t name_server_put_srv (uint8_t *at, unsigned priority, uint16_t port, const char *host)
{
    size_t length = strlen (host);
    const uint8_t head[] = { 0xc0,
                             12,
                             0,
                             33,
                             0,
                             1,
                             0,
                             0,
                             0,
                             60,
                             0,
                             (uint8_t) (6 + length + 9 + 1),
                             0,
                             (uint8_t) priority,
                             0,
                             0,
                             (uint8_t) (port >> 8),
                             (uint8_t) port };
    memcpy (at, head, sizeof head);
    uint8_t *name = at + sizeof head;
    *name = (uint8_t) length;
    memcpy (name + 1, host, length);
    memcpy (name + 1 + length, "\7example", 9); /* and its zero */
    return sizeof head + 1 + length + 9;
}

/* Answers where the service is, and of all other questions that there is nothing. */
static size_t name_server_answer (const NameServer *self, uint8_t *message, size_t size)
{
    static const uint8_t srv[] = "\5_test\4_tcp\7example\0\0\41\0\1";
    size_t question = 12;
    while (question < size && message[question] != 0)
        question += 1 + (size_t) message[question];
    size_t end = question + 5; /* without what else the question has */
    bool is_srv = end - 12 == sizeof srv - 1 && memcmp (message + 12, srv, end - 12) == 0;
    message[2] = 0x81;
    message[3] = 0x80;
    memset (message + 6, 0, 6);
    if (!is_srv)
        return end;
    message[7] = 2;
    end += name_server_put_srv (message + end, 20, self->ports[1], "second");
    end += name_server_put_srv (message + end, 10, self->ports[0], "first");
    return end;
}

static void *name_server_run (void *data)
{
    const NameServer *self = data;
    uint8_t message[1024];
    struct sockaddr_in from;
    socklen_t from_size = sizeof from;
    ssize_t size;
    while ((size = recvfrom (self->fd, message, 512, 0, (struct sockaddr *) &from, &from_size)) > 1)
        (void) sendto (self->fd, message, name_server_answer (self, message, (size_t) size), 0,
                       (struct sockaddr *) &from, from_size);
    return NULL;
}

/* The default resolver asks it from now on. */
static void name_server_start (NameServer *self)
{
    struct sockaddr_in native = { .sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
    socklen_t size = sizeof native;
    char text[32];
    self->fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq (bind (self->fd, (struct sockaddr *) &native, size), 0);
    ck_assert_int_eq (getsockname (self->fd, (struct sockaddr *) &native, &size), 0);
    ck_assert_int_eq (pthread_create (&self->thread, NULL, name_server_run, self), 0);
    snprintf (text, sizeof text, "127.0.0.1:%u", ntohs (native.sin_port));
    EDDY_AUTO (EddyResolver) resolver = eddy_resolver_get_default ();
    ck_assert (eddy_resolver_set_servers (resolver, (const char *const[]){ text, NULL }, NULL));
}

static void name_server_stop (NameServer *self)
{
    struct sockaddr_in native;
    socklen_t size = sizeof native;
    ck_assert_int_eq (getsockname (self->fd, (struct sockaddr *) &native, &size), 0);
    ck_assert_int_eq (sendto (self->fd, "", 1, 0, (struct sockaddr *) &native, size), 1);
    pthread_join (self->thread, NULL);
    close (self->fd);
}

static EddySocketConnection *connect_to_service (EddySocketClient *client, const char *service,
                                                 uint16_t port, EddyCancellable *cancellable,
                                                 EddyError **error)
{
    (void) port;
    return eddy_socket_client_connect_to_service (client, "example", service, cancellable, error);
}

EDDY_TEST (D_client_to_a_service)
{
    EDDY_AUTO (EddySocketClient) client = eddy_socket_client_new ();
    ClientPeer refusing = client_peer_new_refusing (), peer = client_peer_new ();
    ClientLog log = { .n_told = 0 };
    NameServer server = { .ports = { refusing.port, peer.port } };
    names_set ("127.0.0.1 first.example\n127.0.0.1 second.example\n");
    name_server_start (&server);
    eddy_socket_client_set_event_func (client, client_log_event, &log, NULL);
    run_named (connect_to_service, &(Named){ client, "test", 0, &peer, 0 });
    ck_assert_int_eq (client_log_count (&log, EDDY_SOCKET_CLIENT_CONNECTING), 2);
    name_server_stop (&server);
    client_peer_clear (&refusing);
    client_peer_clear (&peer);
    eddy_resolver_set_default (NULL);
}

/* --- by callback ------------------------------------------------------------------------------ */

CLIENT_CALLBACK (host_connected, eddy_socket_client_connect_to_host_finish)
CLIENT_CALLBACK (uri_connected, eddy_socket_client_connect_to_uri_finish)
CLIENT_CALLBACK (service_connected, eddy_socket_client_connect_to_service_finish)

static void future_expect (EddyContext *context, EddyFuture *future, const ClientPeer *peer)
{
    EddyError *error = NULL;
    EddySocketConnection *connection = eddy_block_on (context, future, &error);
    ck_assert_msg (error == NULL, "%s", error == NULL ? "" : eddy_error_get_message (error));
    ck_assert (client_peer_has (peer, connection));
    eddy_unref (future);
}

/* The caller's texts need not stay. */
EDDY_TEST (D_client_by_name_in_other_forms)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddySocketClient) client = eddy_socket_client_new ();
    ClientPeer peer = client_peer_new ();
    NameServer server = { .ports = { peer.port, peer.port } };
    ClientCall call = { .calls = 0 };
    char text[64] = "test://first.example/";
    names_set ("127.0.0.1 first.example\n");
    name_server_start (&server);
    eddy_socket_client_connect_to_uri_async (client, text, peer.port, EDDY_PRIORITY_DEFAULT, NULL,
                                             uri_connected, &call);
    memset (text, 'x', sizeof text - 1);
    client_call_expect (context, &call, &peer);
    eddy_socket_client_connect_to_service_async (client, "example", "test", EDDY_PRIORITY_DEFAULT,
                                                 NULL, service_connected, &call);
    client_call_expect (context, &call, &peer);
    future_expect (context,
                   eddy_socket_client_connect_to_uri_future (
                       client, "test://first.example", peer.port, EDDY_PRIORITY_DEFAULT, NULL),
                   &peer);
    future_expect (context,
                   eddy_socket_client_connect_to_service_future (client, "example", "test",
                                                                 EDDY_PRIORITY_DEFAULT, NULL),
                   &peer);
    name_server_stop (&server);
    client_peer_clear (&peer);
    eddy_resolver_set_default (NULL);
    eddy_test_context_end (context);
}

/* What is wrong with a text is told as any other error is. */
EDDY_TEST (N14_bad_host_by_callback)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddySocketClient) client = eddy_socket_client_new ();
    ClientCall call = { .calls = 0 };
    eddy_socket_client_connect_to_host_async (client, "host:port:none", 80, EDDY_PRIORITY_DEFAULT,
                                              NULL, host_connected, &call);
    ck_assert_int_eq (call.calls, 0);
    client_call_await (context, &call);
    ck_assert_ptr_null (call.connection);
    eddy_test_expect_error (&call.error, EDDY_IO_ERROR_INVALID_ARGUMENT);
    eddy_test_context_end (context);
}

/* --- cancelled everywhere --------------------------------------------------------------------- */

typedef struct Everywhere {
    Named named;
    bool is_connected;
} Everywhere;

static void *connect_everywhere (void *data, EddyError **error)
{
    Everywhere *self = data;
    EDDY_AUTO (EddySocketConnection)
    connection = eddy_socket_client_connect_to_service (self->named.client, "example",
                                                        self->named.text, NULL, error);
    self->is_connected = connection != NULL;
    return NULL;
}

static void check_everywhere (void *data, bool cancelled, uint32_t point)
{
    Everywhere *self = data;
    (void) point;
    ck_assert_int_eq (self->is_connected, !cancelled);
}

/* The look for the service, for its hosts, the attempts. */
EDDY_TEST (D_client_to_a_service_cancelled_everywhere)
{
    EDDY_AUTO (EddySocketClient) client = eddy_socket_client_new ();
    ClientPeer refusing = client_peer_new_refusing (), peer = client_peer_new ();
    NameServer server = { .ports = { refusing.port, peer.port } };
    Everywhere data = { .named = { client, "test", 0, &peer, 0 } };
    EddyTestCancelReport report;
    names_set ("127.0.0.1 first.example\n127.0.0.1 second.example\n");
    name_server_start (&server);
    bool good = eddy_test_cancel_everywhere (connect_everywhere, &data, check_everywhere, &report);
    ck_assert_msg (good, "%s", report.failure);
    ck_assert_uint_ge (report.points, 8);
    ck_assert_uint_ge (report.cancelled, 4);
    name_server_stop (&server);
    client_peer_clear (&refusing);
    client_peer_clear (&peer);
    eddy_resolver_set_default (NULL);
}

/* --- a network that swallows ------------------------------------------------------------------ */

static bool names_write_file (const char *path, const char *text)
{
    FILE *file = fopen (path, "we");
    bool written = file != NULL && fputs (text, file) >= 0;
    return file != NULL && fclose (file) == 0 && written;
}

/* A network of this process's own, where it may do as it likes. */
static bool names_leave_network (void)
{
    char map[32];
    snprintf (map, sizeof map, "0 %u 1", (unsigned) geteuid ());
    if (geteuid () == 0 && unshare (CLONE_NEWNET) == 0)
        return true;
    return unshare (CLONE_NEWUSER | CLONE_NEWNET) == 0 &&
           names_write_file ("/proc/self/setgroups", "deny") &&
           names_write_file ("/proc/self/uid_map", map);
}

/* Two hosts, one of each family, at the other end of a cable that is in nobody's hand: what is sent
 * there is lost. */
static const char swallowing[] =
    "{ ip link set lo up && ip link add cable0 type veth peer name cable1 &&"
    " ip addr add 192.0.2.1/24 dev cable0 && ip addr add 2001:db8::1/64 dev cable0 nodad &&"
    " ip link set cable0 up && ip link set cable1 up &&"
    " ip neigh add 192.0.2.77 lladdr 02:00:00:00:00:77 dev cable0 &&"
    " ip neigh add 2001:db8::77 lladdr 02:00:00:00:00:77 dev cable0; } >/dev/null 2>&1";

/* As where a host has an address of IPv6, and the way there leads nowhere. */
EDDY_TEST (N9_one_family_leads_nowhere)
{
    if (!names_leave_network () || system (swallowing) != 0)
        EDDY_TEST_SKIP ("no network of the test's own, or no ip(8)");
    EDDY_AUTO (EddySocketClient) client = eddy_socket_client_new ();
    ClientPeer peer = client_peer_listen ("192.0.2.1", 8);
    ClientLog log = { .n_told = 0 };
    names_set ("2001:db8::77 server.example\n192.0.2.1 server.example\n");
    eddy_socket_client_set_event_func (client, client_log_event, &log, NULL);
    run_named (to_host, &(Named){ client, "server.example", peer.port, &peer, 0 });
    ck_assert_int_eq (client_log_count (&log, EDDY_SOCKET_CLIENT_CONNECTING), 2);
    ck_assert_ptr_nonnull (strstr (log.told[2].target, "2001:db8::77"));
    int64_t between_ns = log.told[3].time_ns - log.told[2].time_ns;
    ck_assert_int_ge (between_ns, 240 * MS);
    client_peer_clear (&peer);
    eddy_resolver_set_default (NULL);
}

/* Both families lead nowhere: only the limit of time ends it. */
EDDY_TEST (N9_all_families_lead_nowhere)
{
    if (!names_leave_network () || system (swallowing) != 0)
        EDDY_TEST_SKIP ("no network of the test's own, or no ip(8)");
    EDDY_AUTO (EddySocketClient) client = eddy_socket_client_new ();
    ClientLog log = { .n_told = 0 };
    names_set ("2001:db8::77 server.example\n192.0.2.77 server.example\n");
    eddy_socket_client_set_event_func (client, client_log_event, &log, NULL);
    eddy_socket_client_set_timeout (client, 600 * MS);
    run_named (to_host, &(Named){ client, "server.example", 80, NULL, EDDY_IO_ERROR_TIMED_OUT });
    ck_assert_int_eq (client_log_count (&log, EDDY_SOCKET_CLIENT_CONNECTING), 2);
    eddy_resolver_set_default (NULL);
}
