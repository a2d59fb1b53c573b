/* SPDX-License-Identifier: MIT */
/* Listeners: what they listen on, and what is accepted, by whom. */
#include <eddy/testing.h>
#include <stdio.h>
#include <sys/epoll.h>

#include "listener.h"

/* --- sockets ---------------------------------------------------------------------------------- */

LISTENER_FIBER_TEST (N21_a_connection_comes_with_its_socket_s_object)
{
    EDDY_AUTO (EddySocketListener) listener = listener_new ();
    EDDY_AUTO (EddyCancellable) tag = eddy_cancellable_new ();
    uint16_t plain = listener_add_loopback (listener, NULL);
    uint16_t tagged = listener_add_loopback (listener, tag);
    for (int i = 0; i < 2; i++) {
        EddyObject *source_object = NULL;
        int peer = peer_connect (i == 0 ? tagged : plain);
        eddy_unref (listener_expect (listener, &source_object));
        ck_assert_ptr_eq (source_object, i == 0 ? (void *) tag : NULL);
        eddy_unref (source_object);
        close (peer);
    }
}

LISTENER_FIBER_TEST (N21_one_port_for_both_families)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddySocketListener) listener = listener_new ();
    uint16_t port = eddy_socket_listener_add_any_inet_port (listener, NULL, &error);
    ck_assert_msg (port != 0, "%s", eddy_error_get_message (error));
    for (int i = 0; i < 2; i++) {
        int peer = i == 0 ? peer_connect (port) : peer_connect_by_ipv6 (port);
        eddy_unref (listener_expect (listener, NULL));
        close (peer);
    }
    /* And a port that is asked for is that one, or refused. */
    EDDY_AUTO (EddySocketListener) other = listener_new ();
    ck_assert (!eddy_socket_listener_add_inet_port (other, port, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_ADDRESS_IN_USE);
    eddy_socket_listener_close (listener);
    ck_assert (eddy_socket_listener_add_inet_port (other, port, NULL, &error));
    int peer = peer_connect (port);
    eddy_unref (listener_expect (other, NULL));
    close (peer);
}

LISTENER_FIBER_TEST (N21_a_socket_that_listens_already)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddySocketListener) listener = listener_new ();
    EDDY_AUTO (EddySocketAddress) address = loopback_address (0);
    EDDY_AUTO (EddySocket)
    socket = eddy_socket_new (EDDY_SOCKET_FAMILY_IPV4, EDDY_SOCKET_TYPE_STREAM, 0, &error);
    ck_assert (eddy_socket_bind (socket, address, true, &error));
    ck_assert (!eddy_socket_listener_add_socket (listener, socket, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
    ck_assert (eddy_socket_listen (socket, &error));
    ck_assert (eddy_socket_listener_add_socket (listener, socket, NULL, &error));
    EDDY_AUTO (EddySocketAddress) bound = eddy_socket_get_local_address (socket, &error);
    int peer = peer_connect (eddy_inet_socket_address_get_port (EDDY_INET_SOCKET_ADDRESS (bound)));
    eddy_unref (listener_expect (listener, NULL));
    close (peer);
    eddy_socket_listener_close (listener);
    ck_assert (eddy_socket_is_closed (socket));
    EDDY_AUTO (EddySocketListener) other = listener_new ();
    ck_assert (!eddy_socket_listener_add_socket (other, socket, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
}

LISTENER_FIBER_TEST (N21_a_unix_path)
{
    EddyError *error = NULL;
    const char *path = eddy_test_path ("socket");
    struct sockaddr_un native = { .sun_family = AF_UNIX };
    snprintf (native.sun_path, sizeof native.sun_path, "%s", path);
    EDDY_AUTO (EddySocketListener) listener = listener_new ();
    EDDY_AUTO (EddySocketAddress) address = eddy_unix_socket_address_new (path);
    eddy_socket_listener_set_backlog (listener, 3);
    ck_assert (eddy_socket_listener_add_address (listener, address, EDDY_SOCKET_TYPE_STREAM, 0,
                                                 NULL, NULL, &error));
    int peer = peer_connect_to (&native, sizeof native);
    EDDY_AUTO (EddySocketConnection) connection = listener_expect (listener, NULL);
    ck_assert (eddy_socket_connection_is_unix (connection));
    close (peer);
    EDDY_AUTO (EddySocketListener) other = listener_new ();
    ck_assert (!eddy_socket_listener_add_address (other, address, EDDY_SOCKET_TYPE_STREAM, 0, NULL,
                                                  NULL, &error));
    ck_assert_ptr_nonnull (strstr (eddy_error_get_message (error), path));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_ADDRESS_IN_USE);
}

typedef struct Events {
    EddySocketListenerEvent events[8];
    int n;
    int n_destroyed;
} Events;

static void note_event (EddySocketListener *listener, EddySocketListenerEvent event,
                        EddySocket *socket, void *user_data)
{
    Events *events = user_data;
    EddyError *error = NULL;
    ck_assert_ptr_nonnull (listener);
    EDDY_AUTO (EddySocketAddress) address = eddy_socket_get_local_address (socket, &error);
    uint16_t port = eddy_inet_socket_address_get_port (EDDY_INET_SOCKET_ADDRESS (address));
    ck_assert_int_eq (port != 0, event != EDDY_SOCKET_LISTENER_BINDING);
    events->events[events->n++] = event;
}

static void events_destroyed (void *user_data)
{
    ((Events *) user_data)->n_destroyed++;
}

LISTENER_FIBER_TEST (N22_events_of_a_socket_in_their_order)
{
    Events events = { .n = 0 };
    EddySocketListener *listener = listener_new ();
    eddy_socket_listener_set_event_func (listener, note_event, &events, events_destroyed);
    listener_add_loopback (listener, NULL);
    listener_add_loopback (listener, NULL);
    ck_assert_int_eq (events.n, 8);
    for (int i = 0; i < 8; i++)
        ck_assert_int_eq (events.events[i], i % 4);
    eddy_socket_listener_set_event_func (listener, NULL, NULL, NULL);
    ck_assert_int_eq (events.n_destroyed, 1);
    listener_add_loopback (listener, NULL);
    ck_assert_int_eq (events.n, 8);
    eddy_socket_listener_set_event_func (listener, note_event, &events, events_destroyed);
    eddy_unref (listener);
    ck_assert_int_eq (events.n_destroyed, 2);
}

/* While its own socket is made, others are added. */
static void add_more (EddySocketListener *listener, EddySocketListenerEvent event,
                      EddySocket *socket, void *user_data)
{
    Events *events = user_data;
    (void) socket;
    if (event == EDDY_SOCKET_LISTENER_BOUND && events->n++ < 8)
        listener_add_loopback (listener, NULL);
}

LISTENER_FIBER_TEST (N22_more_are_added_by_who_is_told)
{
    Events events = { .n = 0 };
    EDDY_AUTO (EddySocketListener) listener = listener_new ();
    eddy_socket_listener_set_event_func (listener, add_more, &events, NULL);
    uint16_t port = listener_add_loopback (listener, NULL);
    ck_assert_int_eq (events.n, 9);
    int peer = peer_connect (port);
    eddy_unref (listener_expect (listener, NULL));
    close (peer);
}

/* --- accepting -------------------------------------------------------------------------------- */

typedef struct Accepts {
    EddySocketListener *listener;
    int n;
    int n_failed;
    EddyIOErrorCode code;
} Accepts;

static void *accept_one (void *data, EddyError **error)
{
    Accepts *accepts = data;
    (void) error;
    EddyError *failure = NULL;
    EDDY_AUTO (EddySocketConnection)
    connection = eddy_socket_listener_accept (accepts->listener, NULL, NULL, &failure);
    if (connection != NULL) {
        accepts->n++;
    } else {
        accepts->n_failed++;
        eddy_test_expect_error (&failure, accepts->code);
    }
    return NULL;
}

static void accepted (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Accepts *accepts = user_data;
    EddyError *error = NULL;
    EddyObject *object = NULL;
    ck_assert_ptr_eq (source_object, accepts->listener);
    EDDY_AUTO (EddySocketConnection)
    connection = eddy_socket_listener_accept_finish (accepts->listener, result, &object, &error);
    ck_assert_ptr_null (object);
    if (connection != NULL) {
        accepts->n++;
    } else {
        accepts->n_failed++;
        eddy_test_expect_error (&error, accepts->code);
    }
}

static void turn (EddyContext *context, int n)
{
    for (int i = 0; i < n; i++)
        eddy_context_iteration (context, false);
}

LISTENER_TEST (N23_each_accept_has_one_connection)
{
    EDDY_AUTO (EddySocketListener) listener = listener_new ();
    uint16_t ports[3];
    int peers[3];
    for (int i = 0; i < 3; i++)
        ports[i] = listener_add_loopback (listener, NULL);
    Accepts accepts = { .listener = listener, .code = EDDY_IO_ERROR_CLOSED };
    EddyFuture *fibers[5];
    for (int i = 0; i < 3; i++)
        fibers[i] = eddy_spawn (context, accept_one, &accepts, NULL);
    for (int i = 0; i < 2; i++)
        eddy_socket_listener_accept_async (listener, 0, NULL, accepted, &accepts);
    turn (context, 20);
    ck_assert_int_eq (accepts.n, 0);
    for (int i = 0; i < 3; i++)
        peers[i] = peer_connect (ports[i]);
    while (accepts.n < 3)
        eddy_context_iteration (context, true);
    turn (context, 20);
    ck_assert_int_eq (accepts.n, 3);
    eddy_socket_listener_close (listener);
    while (accepts.n_failed < 2)
        eddy_context_iteration (context, true);
    for (int i = 0; i < 3; i++) {
        ck_assert (eddy_block_on_complete (context, fibers[i], NULL));
        eddy_unref (fibers[i]);
        close (peers[i]);
    }
    ck_assert_int_eq (accepts.n, 3);
}

/* One after the other, so that none waits for the others to be done with. */
LISTENER_FIBER_TEST (N23_no_socket_waits_for_a_busy_one)
{
    enum { BUSY = 20 };
    EDDY_AUTO (EddySocketListener) listener = listener_new ();
    EDDY_AUTO (EddyCancellable) tag = eddy_cancellable_new ();
    uint16_t busy = listener_add_loopback (listener, NULL);
    uint16_t quiet = listener_add_loopback (listener, tag);
    int peers[BUSY + 1];
    for (int i = 0; i < BUSY; i++)
        peers[i] = peer_connect (busy);
    peers[BUSY] = peer_connect (quiet);
    int before = 0;
    for (bool found = false; !found; before++) {
        EddyObject *object = NULL;
        eddy_unref (listener_expect (listener, &object));
        found = object != NULL;
        eddy_unref (object);
    }
    ck_assert_int_le (before, 3);
    for (int i = 0; i <= BUSY; i++)
        close (peers[i]);
}

LISTENER_TEST (N24_a_closed_listener_says_so)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddySocketListener) listener = listener_new ();
    Accepts accepts = { .listener = listener, .code = EDDY_IO_ERROR_CLOSED };
    listener_add_loopback (listener, NULL);
    EddyFuture *fiber = eddy_spawn (context, accept_one, &accepts, NULL);
    eddy_socket_listener_accept_async (listener, 0, NULL, accepted, &accepts);
    turn (context, 10);
    ck_assert (!eddy_socket_listener_is_closed (listener));
    eddy_socket_listener_close (listener);
    eddy_socket_listener_close (listener);
    ck_assert (eddy_socket_listener_is_closed (listener));
    while (accepts.n_failed < 2)
        eddy_context_iteration (context, true);
    ck_assert (eddy_block_on_complete (context, fiber, NULL));
    eddy_unref (fiber);
    ck_assert_ptr_null (eddy_socket_listener_accept (listener, NULL, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
    ck_assert_uint_eq (eddy_socket_listener_add_any_inet_port (listener, NULL, &error), 0);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
}

LISTENER_TEST (N24_without_sockets_there_is_nothing_to_accept)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddySocketListener) listener = listener_new ();
    ck_assert_ptr_null (eddy_socket_listener_accept_socket (listener, NULL, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_INITIALIZED);
    Accepts accepts = { .listener = listener, .code = EDDY_IO_ERROR_NOT_INITIALIZED };
    eddy_test_run_fiber (context, accept_one, &accepts);
    ck_assert_int_eq (accepts.n_failed, 1);
}

/* --- and beyond ------------------------------------------------------------------------------- */

LISTENER_TEST (D_listener_sockets_added_meanwhile_take_part)
{
    EDDY_AUTO (EddySocketListener) listener = listener_new ();
    Accepts accepts = { .listener = listener };
    listener_add_loopback (listener, NULL);
    EddyFuture *fiber = eddy_spawn (context, accept_one, &accepts, NULL);
    turn (context, 10);
    int peer = peer_connect (listener_add_loopback (listener, NULL));
    ck_assert (eddy_block_on_complete (context, fiber, NULL));
    ck_assert_int_eq (accepts.n, 1);
    eddy_unref (fiber);
    close (peer);
}

LISTENER_FIBER_TEST (D_listener_a_cancelled_accept_takes_nothing)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddySocketListener) listener = listener_new ();
    EDDY_AUTO (EddyCancellable) cancelled = eddy_cancellable_new ();
    uint16_t port = listener_add_loopback (listener, NULL);
    int peer = peer_connect (port);
    eddy_cancellable_cancel (cancelled);
    ck_assert_ptr_null (eddy_socket_listener_accept (listener, NULL, cancelled, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    eddy_unref (listener_expect (listener, NULL));
    listener_expect_nothing (listener);
    close (peer);
}

/* Peers that came and went again are no failure, and are not told. */
LISTENER_FIBER_TEST (D_listener_peers_that_have_gone)
{
    EDDY_AUTO (EddySocketListener) listener = listener_new ();
    uint16_t port = listener_add_loopback (listener, NULL);
    for (int i = 0; i < 10; i++)
        peer_reset (peer_connect (port));
    int peer = peer_connect (port);
    ck_assert_int_eq (send (peer, "x", 1, 0), 1);
    for (bool found = false; !found;) {
        char byte;
        EDDY_AUTO (EddySocketConnection) connection = listener_expect (listener, NULL);
        EddyInputStream *input = eddy_io_stream_get_input_stream (EDDY_IO_STREAM (connection));
        found = eddy_input_stream_read (input, &byte, 1, NULL, NULL) == 1;
    }
    close (peer);
}

/* Without an fd accept(2) fails at once, whether or not somebody has come. */
LISTENER_FIBER_TEST (D_listener_without_fds)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddySocketListener) listener = listener_new ();
    uint16_t port = listener_add_loopback (listener, NULL);
    listener_expect_nothing (listener);
    rlim_t before = fds_exhaust ();
    listener_expect_nothing (listener);
    fds_allow (before);
    int peer = peer_connect (port);
    before = fds_exhaust ();
    for (int i = 0; i < 3; i++) {
        ck_assert_ptr_null (eddy_socket_listener_accept (listener, NULL, NULL, &error));
        ck_assert_ptr_nonnull (strstr (eddy_error_get_message (error), "127.0.0.1:"));
        eddy_test_expect_error (&error, EDDY_IO_ERROR_TOO_MANY_OPEN_FILES);
    }
    fds_allow (before);
    eddy_unref (listener_expect (listener, NULL));
    close (peer);
}

/* --- as a sequence ---------------------------------------------------------------------------- */

static void *take_all (void *data, EddyError **error)
{
    Accepts *accepts = data;
    EDDY_AUTO (EddySequence) sequence = eddy_socket_listener_to_sequence (accepts->listener);
    for (;;) {
        EDDY_AUTO (EddySocketConnection)
        connection = eddy_sequence_next (sequence, NULL, error);
        if (connection == NULL)
            return NULL;
        if (++accepts->n == 3)
            eddy_socket_listener_close (accepts->listener);
    }
}

LISTENER_TEST (D_listener_connections_as_a_sequence)
{
    EDDY_AUTO (EddySocketListener) listener = listener_new ();
    Accepts accepts = { .listener = listener };
    uint16_t port = listener_add_loopback (listener, NULL);
    int peers[3];
    for (int i = 0; i < 3; i++)
        peers[i] = peer_connect (port);
    eddy_test_run_fiber (context, take_all, &accepts);
    ck_assert_int_eq (accepts.n, 3);
    for (int i = 0; i < 3; i++)
        close (peers[i]);
}

/* A failure to accept is not the end: what waits comes to who asks again. */
LISTENER_FIBER_TEST (D_listener_a_sequence_goes_on_after_errors)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddySocketListener) listener = listener_new ();
    int peer = peer_connect (listener_add_loopback (listener, NULL));
    EDDY_AUTO (EddySequence) sequence = eddy_socket_listener_to_sequence (listener);
    rlim_t before = fds_exhaust ();
    ck_assert_ptr_null (eddy_sequence_next (sequence, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_TOO_MANY_OPEN_FILES);
    ck_assert (!eddy_sequence_has_ended (sequence));
    fds_allow (before);
    EDDY_AUTO (EddySocketConnection) connection = eddy_sequence_next (sequence, NULL, &error);
    ck_assert_ptr_nonnull (connection);
    close (peer);
}

/* --- in every form ---------------------------------------------------------------------------- */

static void socket_accepted (void *source_object, EddyAsyncResult *result, void *user_data)
{
    EddyError *error = NULL;
    EddyObject *object = NULL;
    EDDY_AUTO (EddySocket)
    socket = eddy_socket_listener_accept_socket_finish (source_object, result, &object, &error);
    ck_assert_msg (socket != NULL, "%s", eddy_error_get_message (error));
    ck_assert (eddy_socket_is_connected (socket));
    ck_assert_ptr_nonnull (object);
    eddy_unref (object);
    *(bool *) user_data = true;
}

LISTENER_TEST (D_listener_in_every_form)
{
    EddyError *error = NULL;
    bool called = false;
    EDDY_AUTO (EddySocketListener) listener = listener_new ();
    EDDY_AUTO (EddyCancellable) tag = eddy_cancellable_new ();
    uint16_t port = listener_add_loopback (listener, tag);
    int peer = peer_connect (port);
    eddy_socket_listener_accept_socket_async (listener, 0, NULL, socket_accepted, &called);
    while (!called)
        eddy_context_iteration (context, true);
    close (peer);
    EddyFuture *futures[] = { eddy_socket_listener_accept_socket_future (listener, 0, NULL),
                              eddy_socket_listener_accept_future (listener, 0, NULL) };
    /* Which of the two has the first peer is not said. */
    int peers[2];
    turn (context, 5);
    for (int i = 0; i < 2; i++) {
        ck_assert (!eddy_future_is_complete (futures[i]));
        peers[i] = peer_connect (port);
    }
    for (int i = 0; i < 2; i++) {
        ck_assert_ptr_nonnull (eddy_block_on (context, futures[i], &error));
        eddy_unref (futures[i]);
        close (peers[i]);
    }
    /* Who is let go of takes none. */
    EddyFuture *dropped = eddy_socket_listener_accept_future (listener, 0, NULL);
    turn (context, 5);
    eddy_unref (dropped);
    turn (context, 5);
    peer = peer_connect (port);
    eddy_unref (listener_expect (listener, NULL));
    close (peer);
}

/* In a loop of somebody else's: an epoll, around the context's, around the engine's, around the
 * listener's. */
LISTENER_TEST (D_listener_in_a_foreign_loop)
{
    EDDY_AUTO (EddySocketListener) listener = listener_new ();
    Accepts accepts = { .listener = listener };
    struct epoll_event event = { .events = EPOLLIN };
    uint16_t port = listener_add_loopback (listener, NULL);
    (void) listener_add_loopback (listener, NULL);
    int loop = epoll_create1 (EPOLL_CLOEXEC);
    int fd = eddy_context_get_fd (context);
    ck_assert_int_ge (fd, 0);
    ck_assert_int_eq (epoll_ctl (loop, EPOLL_CTL_ADD, fd, &event), 0);
    for (int i = 1; i <= 3; i++) {
        eddy_socket_listener_accept_async (listener, 0, NULL, accepted, &accepts);
        while (epoll_wait (loop, &event, 1, 1) > 0)
            eddy_context_iteration (context, false);
        ck_assert_int_eq (accepts.n, i - 1);
        int peer = peer_connect (port);
        while (accepts.n < i) {
            ck_assert_int_eq (epoll_wait (loop, &event, 1, 10000), 1);
            eddy_context_iteration (context, false);
        }
        close (peer);
    }
    close (loop);
}

/* --- cancelled everywhere --------------------------------------------------------------------- */

typedef struct Everywhere {
    EddySocketListener *listener;
    uint16_t port;
    int n_accepted;
} Everywhere;

static void *connect_late (void *data, EddyError **error)
{
    Everywhere *everywhere = data;
    (void) error;
    eddy_fiber_yield ();
    close (peer_connect (everywhere->port));
    return NULL;
}

static void *accept_everywhere (void *data, EddyError **error)
{
    Everywhere *everywhere = data;
    EDDY_AUTO_GROUP (group) = eddy_group_new ();
    if (!eddy_group_spawn (group, connect_late, everywhere, NULL, error))
        return NULL;
    EDDY_AUTO (EddySocketConnection)
    connection = eddy_socket_listener_accept (everywhere->listener, NULL, NULL, error);
    everywhere->n_accepted += connection != NULL;
    if (connection != NULL)
        (void) eddy_group_wait (group, error);
    return NULL;
}

/* What the cancelled run has not taken is there for the next. */
static void look_everywhere (void *data, bool cancelled, uint32_t point)
{
    Everywhere *everywhere = data;
    (void) cancelled;
    (void) point;
    EDDY_AUTO (EddyCancellable) short_time = eddy_cancellable_new_with_timeout (NULL, 1000 * 1000);
    EDDY_AUTO (EddySocket)
    left = eddy_socket_listener_accept_socket (everywhere->listener, NULL, short_time, NULL);
    ck_assert_int_le (everywhere->n_accepted + (left != NULL), 1);
    everywhere->n_accepted = 0;
}

EDDY_TEST (D_listener_cancelled_everywhere)
{
    EddyTestCancelReport report;
    Everywhere everywhere = { .listener = listener_new () };
    everywhere.port = listener_add_loopback (everywhere.listener, NULL);
    bool good =
        eddy_test_cancel_everywhere (accept_everywhere, &everywhere, look_everywhere, &report);
    ck_assert_msg (good, "%s", report.failure);
    ck_assert_uint_gt (report.cancelled, 0);
    eddy_unref (everywhere.listener);
}
