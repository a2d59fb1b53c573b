/* SPDX-License-Identifier: MIT */
/*
 * Connecting: which address wins, what becomes of the others, what is told on the way and at the
 * end, on every engine. Peers are sockets of this process: some answer, some refuse, some have a
 * full backlog and never answer.
 */
#include <eddy/testing.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/un.h>

#include "client.h"

/* The engine opens what it needs before fds are counted. */
static void *connect_after_sleep (void *data, EddyError **error)
{
    ck_assert (eddy_fiber_sleep (1, error));
    return client_connect_run (data, error);
}

static ClientConnect connect_in_fiber (EddySocketClient *client, void *connectable,
                                       EddyCancellable *cancellable)
{
    EddyContext *context = eddy_test_context_begin ();
    ClientConnect self = { .client = client,
                           .connectable = EDDY_SOCKET_CONNECTABLE (connectable),
                           .cancellable = cancellable };
    eddy_test_run_fiber (context, connect_after_sleep, &self);
    ck_assert_int_eq (self.connection != NULL, self.error == NULL);
    eddy_test_context_end (context);
    return self;
}

/* That it came to this peer, with nothing left of the other attempts; gives the connection up. */
static void connect_expect (ClientConnect *self, const ClientPeer *peer)
{
    ck_assert_msg (self->error == NULL, "%s",
                   self->error == NULL ? "" : eddy_error_get_message (self->error));
    ck_assert_int_eq (self->fds_left, 1);
    ck_assert (client_peer_has (peer, self->connection));
    eddy_clear (&self->connection);
}

static void connect_expect_error (ClientConnect *self, EddyIOErrorCode code, const char *begin)
{
    ck_assert_ptr_nonnull (self->error);
    const char *message = eddy_error_get_message (self->error);
    ck_assert_msg (strncmp (message, begin, strlen (begin)) == 0, "%s", message);
    ck_assert_int_eq (self->fds_left, 0);
    eddy_test_expect_error (&self->error, code);
}

/* --- which one wins --------------------------------------------------------------------------- */

EDDY_TEST (N9_next_attempt_when_one_takes_long)
{
    EDDY_AUTO (EddySocketClient) client = eddy_socket_client_new ();
    EDDY_AUTO (ClientScript) script = client_script_new ();
    ClientPeer silent = client_peer_new_silent (), peer = client_peer_new ();
    client_script_add_peer (script, &silent);
    client_script_add_peer (script, &peer);
    ClientConnect result = connect_in_fiber (client, script, NULL);
    connect_expect (&result, &peer);
    ck_assert_int_ge (result.duration_ns, 250 * MS);
    ck_assert_int_eq (script->n_asked, 2);
    client_peer_clear (&silent);
    client_peer_clear (&peer);
}

/* If each waited for its quarter of a second, this would take five of them. */
EDDY_TEST (N9_next_attempt_at_once_when_one_fails)
{
    EDDY_AUTO (EddySocketClient) client = eddy_socket_client_new ();
    EDDY_AUTO (ClientScript) script = client_script_new ();
    ClientPeer refusing = client_peer_new_refusing (), peer = client_peer_new ();
    for (int i = 0; i < 20; i++)
        client_script_add_peer (script, &refusing);
    client_script_add_peer (script, &peer);
    ClientConnect result = connect_in_fiber (client, script, NULL);
    connect_expect (&result, &peer);
    ck_assert_int_lt (result.duration_ns, 20 * INT64_C (250) * MS);
    client_peer_clear (&refusing);
    client_peer_clear (&peer);
}

EDDY_TEST (N9_addresses_are_asked_for_one_by_one)
{
    EDDY_AUTO (EddySocketClient) client = eddy_socket_client_new ();
    EDDY_AUTO (ClientScript) script = client_script_new ();
    ClientPeer peer = client_peer_new ();
    for (int i = 0; i < 3; i++)
        client_script_add_peer (script, &peer);
    ClientConnect result = connect_in_fiber (client, script, NULL);
    connect_expect (&result, &peer);
    ck_assert_int_eq (script->n_asked, 1);
    client_peer_clear (&peer);
}

/* A connection does not wait for more addresses. */
EDDY_TEST (N9_an_answer_ends_the_look_for_addresses)
{
    EDDY_AUTO (EddySocketClient) client = eddy_socket_client_new ();
    EDDY_AUTO (ClientScript) script = client_script_new ();
    ClientPeer silent = client_peer_new_silent (), peer = client_peer_new ();
    client_script_add_peer (script, &silent);
    client_script_add_peer (script, &peer);
    client_script_add (script, INT64_C (3600) * 1000 * MS, client_peer_get_address (&peer));
    ClientConnect result = connect_in_fiber (client, script, NULL);
    connect_expect (&result, &peer);
    client_peer_clear (&silent);
    client_peer_clear (&peer);
}

/* Attempts go on while addresses are still being looked for, and one that has failed by then does
 * not hold the next one up. */
EDDY_TEST (N9_late_address_begins_at_once)
{
    EDDY_AUTO (EddySocketClient) client = eddy_socket_client_new ();
    EDDY_AUTO (ClientScript) script = client_script_new ();
    ClientPeer refusing = client_peer_new_refusing (), peer = client_peer_new ();
    client_script_add_peer (script, &refusing);
    client_script_add (script, 20 * MS, client_peer_get_address (&peer));
    ClientConnect result = connect_in_fiber (client, script, NULL);
    connect_expect (&result, &peer);
    ck_assert_int_ge (result.duration_ns, 20 * MS);
    client_peer_clear (&refusing);
    client_peer_clear (&peer);
}

/* When the second attempt begins, the first one's peer has room again, and this thread is held up
 * until it has answered: so both are connected when the loop looks. */
typedef struct Late {
    ClientPeer *peer;
    int accepted;
    int n_begun;
} Late;

static void late_event (EddySocketClient *client, EddySocketClientEvent event,
                        EddySocketConnectable *connectable, EddySocketConnection *connection,
                        void *user_data)
{
    (void) client;
    (void) connectable;
    (void) connection;
    Late *self = user_data;
    if (event != EDDY_SOCKET_CLIENT_CONNECTING || ++self->n_begun < 2)
        return;
    client_peer_drain (self->peer);
    self->accepted = accept (self->peer->fd, NULL, NULL);
    ck_assert_int_ge (self->accepted, 0);
}

EDDY_TEST (N9_who_is_connected_too_late_is_closed)
{
    EDDY_AUTO (EddySocketClient) client = eddy_socket_client_new ();
    EDDY_AUTO (ClientScript) script = client_script_new ();
    ClientPeer silent = client_peer_new_silent (), peer = client_peer_new ();
    Late late = { .peer = &silent };
    int n_fillers = silent.n_fillers;
    char byte;
    eddy_socket_client_set_event_func (client, late_event, &late, NULL);
    client_script_add_peer (script, &silent);
    client_script_add_peer (script, &peer);
    ClientConnect result = connect_in_fiber (client, script, NULL);
    ck_assert_ptr_nonnull (result.connection);
    ck_assert_int_eq (late.n_begun, 2);
    ck_assert_int_eq (result.fds_left, 2 - n_fillers); /* with what was accepted */
    if (client_peer_has (&peer, result.connection)) {
        struct pollfd pollfd = { .fd = late.accepted, .events = POLLIN };
        ck_assert_int_eq (poll (&pollfd, 1, 10000), 1);
        ck_assert_int_le (recv (late.accepted, &byte, 1, 0), 0);
    }
    eddy_clear (&result.connection);
    close (late.accepted);
    client_peer_clear (&silent);
    client_peer_clear (&peer);
}

/* --- cancel ----------------------------------------------------------------------------------- */

/* What ends without a connection ends once, and says so. */
static void log_expect_no_connection (const ClientLog *log, int n_attempts)
{
    ck_assert_int_eq (client_log_count (log, EDDY_SOCKET_CLIENT_CONNECTING), n_attempts);
    ck_assert_int_eq (client_log_count (log, EDDY_SOCKET_CLIENT_CONNECTED), 0);
    ck_assert_int_eq (client_log_count (log, EDDY_SOCKET_CLIENT_COMPLETE), 1);
    const ClientTold *last = &log->told[log->n_told - 1];
    ck_assert_int_eq (last->event, EDDY_SOCKET_CLIENT_COMPLETE);
    ck_assert (!last->has_connection);
}

EDDY_TEST (N10_cancelled_before)
{
    EDDY_AUTO (EddySocketClient) client = eddy_socket_client_new ();
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    ClientPeer peer = client_peer_new ();
    EDDY_AUTO (EddySocketAddress) address = client_peer_get_address (&peer);
    ClientLog log = { .n_told = 0 };
    eddy_socket_client_set_event_func (client, client_log_event, &log, NULL);
    eddy_cancellable_cancel (cancellable);
    ClientConnect result = connect_in_fiber (client, address, cancellable);
    connect_expect_error (&result, EDDY_IO_ERROR_CANCELLED, "");
    log_expect_no_connection (&log, 0);
    client_peer_clear (&peer);
}

static void cancel_when_connecting (EddySocketClient *client, EddySocketClientEvent event,
                                    EddySocketConnectable *connectable,
                                    EddySocketConnection *connection, void *user_data)
{
    (void) client;
    (void) connectable;
    (void) connection;
    if (event == EDDY_SOCKET_CLIENT_CONNECTING)
        eddy_cancellable_cancel (user_data);
}

EDDY_TEST (N10_cancelled_from_the_event_function)
{
    EDDY_AUTO (EddySocketClient) client = eddy_socket_client_new ();
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    ClientPeer peer = client_peer_new ();
    EDDY_AUTO (EddySocketAddress) address = client_peer_get_address (&peer);
    eddy_socket_client_set_event_func (client, cancel_when_connecting, eddy_ref (cancellable),
                                       eddy_destroy);
    ClientConnect result = connect_in_fiber (client, address, cancellable);
    connect_expect_error (&result, EDDY_IO_ERROR_CANCELLED, "");
    client_peer_clear (&peer);
}

/* While attempts wait for peers that never answer; the caller's deadline is a cancel like any
 * other. */
EDDY_TEST (N10_cancelled_while_attempts_are_under_way)
{
    EDDY_AUTO (EddySocketClient) client = eddy_socket_client_new ();
    EDDY_AUTO (EddyCancellable)
    cancellable = eddy_cancellable_new_with_timeout (NULL, 600 * INT64_C (1000000));
    EDDY_AUTO (ClientScript) script = client_script_new ();
    ClientPeer silent = client_peer_new_silent ();
    ClientLog log = { .n_told = 0 };
    eddy_socket_client_set_event_func (client, client_log_event, &log, NULL);
    for (int i = 0; i < 10; i++)
        client_script_add_peer (script, &silent);
    ClientConnect result = connect_in_fiber (client, script, cancellable);
    connect_expect_error (&result, EDDY_IO_ERROR_TIMED_OUT, "operation timed out");
    ck_assert_int_ge (client_log_count (&log, EDDY_SOCKET_CLIENT_CONNECTING), 2);
    log_expect_no_connection (&log, client_log_count (&log, EDDY_SOCKET_CLIENT_CONNECTING));
    client_peer_clear (&silent);
}

/* --- errors ----------------------------------------------------------------------------------- */

EDDY_TEST (N11_the_last_of_several_that_came_as_far)
{
    EDDY_AUTO (EddySocketClient) client = eddy_socket_client_new ();
    EDDY_AUTO (ClientScript) script = client_script_new ();
    ClientPeer first = client_peer_new_refusing (), last = client_peer_new_refusing ();
    client_script_add_peer (script, &first);
    client_script_add_peer (script, &last);
    EDDY_AUTO (EddySocketAddress) address = client_peer_get_address (&last);
    EDDY_AUTO_FREE (char) name = eddy_socket_address_to_string (address);
    ClientConnect result = connect_in_fiber (client, script, NULL);
    ck_assert_ptr_nonnull (strstr (eddy_error_get_message (result.error), name));
    connect_expect_error (&result, EDDY_IO_ERROR_CONNECTION_REFUSED, "a script: ");
    client_peer_clear (&first);
    client_peer_clear (&last);
}

/* For an address of a family that this kernel has no sockets of none is made, which is less far
 * than to be refused; an error in place of an address less still. */
EDDY_TEST (N11_the_furthest_stage)
{
    static const struct sockaddr strange = { .sa_family = AF_IPX };
    EDDY_AUTO (EddySocketClient) client = eddy_socket_client_new ();
    EDDY_AUTO (ClientScript) script = client_script_new ();
    ClientPeer refusing = client_peer_new_refusing ();
    client_script_add_peer (script, &refusing);
    client_script_add (script, 0, eddy_socket_address_new_from_native (&strange, sizeof strange));
    client_script_add_error (script, EDDY_IO_ERROR_FAILED);
    ClientConnect result = connect_in_fiber (client, script, NULL);
    ck_assert_int_eq (script->n_asked, 3);
    connect_expect_error (&result, EDDY_IO_ERROR_CONNECTION_REFUSED, "a script: ");
    client_peer_clear (&refusing);
}

EDDY_TEST (N11_no_address_for_an_error)
{
    EDDY_AUTO (EddySocketClient) client = eddy_socket_client_new ();
    EDDY_AUTO (ClientScript) script = client_script_new ();
    client_script_add_error (script, EDDY_IO_ERROR_BUSY);
    ClientConnect result = connect_in_fiber (client, script, NULL);
    connect_expect_error (&result, EDDY_IO_ERROR_BUSY, "a script: the script says so");
    EDDY_AUTO (ClientScript) empty = client_script_new ();
    result = connect_in_fiber (client, empty, NULL);
    connect_expect_error (&result, EDDY_IO_ERROR_HOST_NOT_FOUND, "a script: ");
}

/* --- events ----------------------------------------------------------------------------------- */

typedef struct Fickle {
    EddySocketClient *client;
    int n_destroyed;
} Fickle;

static void fickle_destroyed (void *user_data)
{
    Fickle *self = user_data;
    if (self->n_destroyed++ == 0)
        eddy_socket_client_set_event_func (self->client, NULL, NULL, NULL);
}

/* Though the event function is changed while that is given up. */
EDDY_TEST (D_client_gives_up_event_data_once)
{
    EDDY_AUTO (EddySocketClient) client = eddy_socket_client_new ();
    Fickle fickle = { .client = client };
    eddy_socket_client_set_event_func (client, NULL, &fickle, fickle_destroyed);
    eddy_socket_client_set_event_func (client, NULL, NULL, NULL);
    ck_assert_int_eq (fickle.n_destroyed, 1);
}

EDDY_TEST (N12_events_in_order)
{
    static const EddySocketClientEvent expected[] = {
        EDDY_SOCKET_CLIENT_RESOLVING,  EDDY_SOCKET_CLIENT_RESOLVED,  EDDY_SOCKET_CLIENT_CONNECTING,
        EDDY_SOCKET_CLIENT_CONNECTING, EDDY_SOCKET_CLIENT_CONNECTED, EDDY_SOCKET_CLIENT_COMPLETE
    };
    EDDY_AUTO (EddySocketClient) client = eddy_socket_client_new ();
    EDDY_AUTO (ClientScript) script = client_script_new ();
    ClientPeer refusing = client_peer_new_refusing (), peer = client_peer_new ();
    EDDY_AUTO (EddySocketAddress) address = client_peer_get_address (&peer);
    EDDY_AUTO_FREE (char) name = eddy_socket_address_to_string (address);
    ClientLog log = { .n_told = 0 };
    eddy_socket_client_set_event_func (client, client_log_event, &log, client_log_destroyed);
    client_script_add_peer (script, &refusing);
    client_script_add_peer (script, &peer);
    ClientConnect result = connect_in_fiber (client, script, NULL);
    connect_expect (&result, &peer);
    ck_assert_int_eq (log.n_told, 6);
    for (int i = 0; i < 6; i++) {
        const ClientTold *told = &log.told[i];
        bool is_attempt = i >= 2 && i <= 4;
        ck_assert_int_eq (told->event, expected[i]);
        ck_assert_int_eq (told->has_connection, i >= 2);
        ck_assert_int_eq (strcmp (told->target, "a script") == 0, !is_attempt);
    }
    ck_assert_str_ne (log.told[2].target, name);
    ck_assert_str_eq (log.told[3].target, name);
    ck_assert_str_eq (log.told[4].target, name);
    ck_assert_int_eq (log.n_destroyed, 0);
    eddy_socket_client_set_event_func (client, NULL, NULL, NULL);
    ck_assert_int_eq (log.n_destroyed, 1);
    client_peer_clear (&refusing);
    client_peer_clear (&peer);
}

/* --- how sockets are made --------------------------------------------------------------------- */

EDDY_TEST (D_client_as_it_was_set)
{
    EDDY_AUTO (EddySocketClient) client = eddy_socket_client_new ();
    EDDY_AUTO (EddySocketAddress) address = eddy_inet_socket_address_new_from_string ("::1", 1);
    ck_assert_int_eq (eddy_socket_client_get_family (client), EDDY_SOCKET_FAMILY_INVALID);
    ck_assert_int_eq (eddy_socket_client_get_socket_type (client), EDDY_SOCKET_TYPE_STREAM);
    ck_assert_int_eq (eddy_socket_client_get_protocol (client), 0);
    ck_assert_ptr_null (eddy_socket_client_get_local_address (client));
    ck_assert_int_eq (eddy_socket_client_get_timeout (client), 0);
    eddy_socket_client_set_family (client, EDDY_SOCKET_FAMILY_IPV6);
    eddy_socket_client_set_socket_type (client, EDDY_SOCKET_TYPE_SEQPACKET);
    eddy_socket_client_set_protocol (client, IPPROTO_SCTP);
    eddy_socket_client_set_local_address (client, address);
    eddy_socket_client_set_timeout (client, 5);
    ck_assert_int_eq (eddy_socket_client_get_family (client), EDDY_SOCKET_FAMILY_IPV6);
    ck_assert_int_eq (eddy_socket_client_get_socket_type (client), EDDY_SOCKET_TYPE_SEQPACKET);
    ck_assert_int_eq (eddy_socket_client_get_protocol (client), IPPROTO_SCTP);
    ck_assert_ptr_eq (eddy_socket_client_get_local_address (client), address);
    ck_assert_int_eq (eddy_socket_client_get_timeout (client), 5);
    eddy_socket_client_set_local_address (client, NULL);
    ck_assert_ptr_null (eddy_socket_client_get_local_address (client));
}

static int criticals;

static void count_criticals (EddyLogLevel level, const char *message, void *data)
{
    (void) message;
    (void) data;
    criticals += level == EDDY_LOG_CRITICAL;
}

/* A connection is of a stream, or of packets in their order. */
EDDY_TEST (D_client_of_datagrams_is_misuse)
{
    EDDY_AUTO (EddySocketClient) client = eddy_socket_client_new ();
    ClientPeer peer = client_peer_new ();
    eddy_log_set_handler (count_criticals, NULL);
    eddy_socket_client_set_socket_type (client, EDDY_SOCKET_TYPE_DATAGRAM);
    eddy_socket_client_set_socket_type (client, EDDY_SOCKET_TYPE_INVALID);
    ck_assert_int_eq (criticals, 2);
    ck_assert_int_eq (eddy_socket_client_get_socket_type (client), EDDY_SOCKET_TYPE_STREAM);
    EDDY_AUTO (ClientScript) script = client_script_new ();
    client_script_add_peer (script, &peer);
    ClientConnect result = connect_in_fiber (client, script, NULL);
    connect_expect (&result, &peer);
    client_peer_clear (&peer);
}

EDDY_TEST (D_client_passes_other_families_over)
{
    EDDY_AUTO (EddySocketClient) client = eddy_socket_client_new ();
    EDDY_AUTO (ClientScript) script = client_script_new ();
    ClientPeer peer = client_peer_new ();
    ClientLog log = { .n_told = 0 };
    client_script_add (script, 0, eddy_inet_socket_address_new_from_string ("::1", peer.port));
    eddy_socket_client_set_family (client, EDDY_SOCKET_FAMILY_IPV4);
    ClientConnect result = connect_in_fiber (client, script, NULL);
    connect_expect_error (&result, EDDY_IO_ERROR_NOT_SUPPORTED, "a script: ");
    client_script_add_peer (script, &peer);
    eddy_socket_client_set_event_func (client, client_log_event, &log, NULL);
    result = connect_in_fiber (client, script, NULL);
    connect_expect (&result, &peer);
    ck_assert_int_eq (client_log_count (&log, EDDY_SOCKET_CLIENT_CONNECTING), 1);
    client_peer_clear (&peer);
}

EDDY_TEST (D_client_comes_from_an_address)
{
    EDDY_AUTO (EddySocketClient) client = eddy_socket_client_new ();
    EDDY_AUTO (EddySocketAddress)
    local = eddy_inet_socket_address_new_from_string ("127.0.0.7", 0);
    EDDY_AUTO (ClientScript) script = client_script_new ();
    ClientPeer peer = client_peer_new ();
    struct sockaddr_in native;
    socklen_t size = sizeof native;
    client_script_add (script, 0, eddy_inet_socket_address_new_from_string ("::1", peer.port));
    client_script_add_peer (script, &peer);
    eddy_socket_client_set_local_address (client, local);
    ClientConnect result = connect_in_fiber (client, script, NULL);
    int accepted = accept (peer.fd, (struct sockaddr *) &native, &size);
    ck_assert_int_ge (accepted, 0);
    ck_assert_uint_eq (ntohl (native.sin_addr.s_addr), 0x7f000007);
    connect_expect (&result, &peer);
    close (accepted);
    /* An address that is not ours. */
    EDDY_AUTO (EddySocketAddress)
    foreign = eddy_inet_socket_address_new_from_string ("192.0.2.1", 0);
    eddy_socket_client_set_local_address (client, foreign);
    result = connect_in_fiber (client, script, NULL);
    ck_assert_ptr_nonnull (strstr (eddy_error_get_message (result.error), "192.0.2.1"));
    ck_assert_int_eq (result.fds_left, 0);
    eddy_clear_error (&result.error);
    client_peer_clear (&peer);
}

/* Within this machine there is no port and nothing to race with; all else is the same. */
EDDY_TEST (D_client_to_a_unix_socket)
{
    EDDY_AUTO (EddySocketClient) client = eddy_socket_client_new ();
    EDDY_AUTO (EddySocketAddress) address = eddy_unix_socket_address_new (eddy_test_path ("peer"));
    int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un native;
    ck_assert_ptr_nonnull (address);
    ck_assert (eddy_socket_address_to_native (address, &native, sizeof native, NULL));
    ClientConnect result = connect_in_fiber (client, address, NULL);
    connect_expect_error (&result, EDDY_IO_ERROR_NOT_FOUND, native.sun_path);
    ck_assert_int_eq (bind (fd, (struct sockaddr *) &native, sizeof native), 0);
    result = connect_in_fiber (client, address, NULL);
    connect_expect_error (&result, EDDY_IO_ERROR_CONNECTION_REFUSED, native.sun_path);
    ck_assert_int_eq (listen (fd, 4), 0);
    result = connect_in_fiber (client, address, NULL);
    ck_assert_ptr_nonnull (result.connection);
    ck_assert (eddy_socket_connection_is_unix (result.connection));
    eddy_unref (result.connection);
    close (fd);
}

EDDY_TEST (D_client_takes_no_longer_than_it_may)
{
    EDDY_AUTO (EddySocketClient) client = eddy_socket_client_new ();
    ClientPeer silent = client_peer_new_silent ();
    EDDY_AUTO (EddySocketAddress) address = client_peer_get_address (&silent);
    EDDY_AUTO_FREE (char) name = eddy_socket_address_to_string (address);
    eddy_socket_client_set_timeout (client, 30 * MS);
    ClientConnect result = connect_in_fiber (client, address, NULL);
    connect_expect_error (&result, EDDY_IO_ERROR_TIMED_OUT, name);
    ck_assert_int_ge (result.duration_ns, 30 * MS);
    client_peer_clear (&silent);
}

/* --- in every form ---------------------------------------------------------------------------- */

EDDY_TEST (D_client_blocks_a_thread)
{
    EDDY_AUTO (EddySocketClient) client = eddy_socket_client_new ();
    EDDY_AUTO (ClientScript) script = client_script_new ();
    ClientPeer refusing = client_peer_new_refusing (), peer = client_peer_new ();
    EddyError *error = NULL;
    client_script_add_peer (script, &refusing);
    client_script_add_peer (script, &peer);
    EDDY_AUTO (EddySocketConnection)
    connection = eddy_socket_client_connect (client, &script->connectable, NULL, &error);
    ck_assert_ptr_null (error);
    ck_assert (client_peer_has (&peer, connection));
    client_peer_clear (&refusing);
    client_peer_clear (&peer);
}

/* In a fiber of a context that is not its thread's default one. */
EDDY_TEST (D_client_in_another_context)
{
    EddyContext *context = eddy_context_new ();
    EDDY_AUTO (EddySocketClient) client = eddy_socket_client_new ();
    ClientPeer peer = client_peer_new ();
    EDDY_AUTO (EddySocketAddress) address = client_peer_get_address (&peer);
    ClientConnect result = { .client = client, .connectable = EDDY_SOCKET_CONNECTABLE (address) };
    eddy_test_run_fiber (context, connect_after_sleep, &result);
    connect_expect (&result, &peer);
    client_peer_clear (&peer);
    eddy_unref (context);
}

CLIENT_CALLBACK (client_connected, eddy_socket_client_connect_finish)

EDDY_TEST (D_client_by_callback)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddySocketClient) client = eddy_socket_client_new ();
    ClientPeer peer = client_peer_new ();
    EDDY_AUTO (EddySocketAddress) address = client_peer_get_address (&peer);
    ClientCall call = { .calls = 0 };
    eddy_socket_client_connect_async (client, EDDY_SOCKET_CONNECTABLE (address),
                                      EDDY_PRIORITY_DEFAULT, NULL, client_connected, &call);
    ck_assert_int_eq (call.calls, 0);
    client_call_expect (context, &call, &peer);
    client_peer_clear (&peer);
    eddy_test_context_end (context);
}

/* One whose answer nobody waits for leaves nothing behind. */
EDDY_TEST (D_client_as_a_future_that_is_dropped)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddySocketClient) client = eddy_socket_client_new ();
    ClientPeer silent = client_peer_new_silent ();
    EDDY_AUTO (EddySocketAddress) address = client_peer_get_address (&silent);
    ClientLog log = { .n_told = 0 };
    eddy_socket_client_set_event_func (client, client_log_event, &log, NULL);
    EddyFuture *future = eddy_socket_client_connect_future (
        client, EDDY_SOCKET_CONNECTABLE (address), EDDY_PRIORITY_DEFAULT, NULL);
    while (client_log_count (&log, EDDY_SOCKET_CLIENT_CONNECTING) == 0)
        eddy_context_iteration (context, /* may_block= */ true);
    eddy_unref (future);
    while (client_log_count (&log, EDDY_SOCKET_CLIENT_COMPLETE) == 0)
        eddy_context_iteration (context, /* may_block= */ true);
    log_expect_no_connection (&log, 1);
    while (eddy_context_iteration (context, /* may_block= */ false)) {
    }
    client_peer_clear (&silent);
    eddy_test_context_end (context);
}

/* --- many, and cancelled everywhere ----------------------------------------------------------- */

static void *connect_many (void *data, EddyError **error)
{
    ClientConnect *all = data;
    EDDY_AUTO_GROUP (group) = eddy_group_new ();
    for (int i = 0; i < 100; i++)
        ck_assert (eddy_group_spawn (group, client_connect_run, &all[i], NULL, error));
    ck_assert (eddy_group_wait (group, error));
    return NULL;
}

/* Each with a peer that never answers, one that refuses and one that answers. */
EDDY_TEST (D_client_many_at_once)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddySocketClient) client = eddy_socket_client_new ();
    ClientPeer silent = client_peer_new_silent (), refusing = client_peer_new_refusing ();
    ClientPeer peer = client_peer_listen ("127.0.0.1", 128);
    ClientConnect all[100] = { 0 };
    for (int i = 0; i < 100; i++) {
        ClientScript *script = client_script_new ();
        client_script_add_peer (script, i % 2 == 0 ? &silent : &refusing);
        client_script_add_peer (script, i % 2 == 0 ? &refusing : &silent);
        client_script_add_peer (script, &peer);
        all[i] = (ClientConnect){ .client = client, .connectable = &script->connectable };
    }
    eddy_test_run_fiber (context, connect_many, all);
    for (int i = 0; i < 100; i++) {
        ck_assert_ptr_null (all[i].error);
        ck_assert (client_peer_has (&peer, all[i].connection));
        eddy_unref (all[i].connection);
        eddy_unref (all[i].connectable);
    }
    client_peer_clear (&silent);
    client_peer_clear (&refusing);
    client_peer_clear (&peer);
    eddy_test_context_end (context);
}

typedef struct Threads {
    EddySocketClient *client;
    EddySocketConnectable *connectable;
    const ClientPeer *peer;
} Threads;

static void *connect_in_thread (void *data)
{
    const Threads *self = data;
    for (int i = 0; i < 20; i++) {
        EDDY_AUTO (EddySocketConnection)
        connection = eddy_socket_client_connect (self->client, self->connectable, NULL, NULL);
        ck_assert (client_peer_has (self->peer, connection));
    }
    return NULL;
}

/* One client, which nobody changes meanwhile. */
EDDY_TEST (D_client_on_threads)
{
    pthread_t threads[4];
    EDDY_AUTO (EddySocketClient) client = eddy_socket_client_new ();
    EDDY_AUTO (EddySocketAddress)
    local = eddy_inet_socket_address_new_from_string ("127.0.0.7", 0);
    ClientPeer peer = client_peer_listen ("127.0.0.1", 128);
    EDDY_AUTO (EddySocketAddress) address = client_peer_get_address (&peer);
    Threads data = { client, EDDY_SOCKET_CONNECTABLE (address), &peer };
    eddy_socket_client_set_local_address (client, local);
    eddy_socket_client_set_timeout (client, INT64_C (10000) * MS);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq (pthread_create (&threads[i], NULL, connect_in_thread, &data), 0);
    for (int i = 0; i < 4; i++)
        pthread_join (threads[i], NULL);
    client_peer_clear (&peer);
}

typedef struct Everywhere {
    EddySocketClient *client;
    EddySocketConnectable *connectable;
    ClientPeer *peer;
    bool is_connected;
} Everywhere;

static void *connect_everywhere (void *data, EddyError **error)
{
    Everywhere *self = data;
    EDDY_AUTO (EddySocketConnection)
    connection = eddy_socket_client_connect (self->client, self->connectable, NULL, error);
    self->is_connected = connection != NULL;
    return NULL;
}

static void check_everywhere (void *data, bool cancelled, uint32_t point)
{
    Everywhere *self = data;
    (void) point;
    ck_assert_int_eq (self->is_connected, !cancelled);
    client_peer_drain (self->peer);
}

EDDY_TEST (D_client_cancelled_everywhere)
{
    EDDY_AUTO (EddySocketClient) client = eddy_socket_client_new ();
    EDDY_AUTO (ClientScript) script = client_script_new ();
    ClientPeer refusing = client_peer_new_refusing (), peer = client_peer_new ();
    EddyTestCancelReport report;
    client_script_add_peer (script, &refusing);
    client_script_add (script, 1000, client_peer_get_address (&peer));
    Everywhere data = { client, &script->connectable, &peer, false };
    bool good = eddy_test_cancel_everywhere (connect_everywhere, &data, check_everywhere, &report);
    ck_assert_msg (good, "%s", report.failure);
    ck_assert_uint_ge (report.points, 8);
    ck_assert_uint_ge (report.cancelled, 4);
    client_peer_clear (&refusing);
    client_peer_clear (&peer);
}
