/* SPDX-License-Identifier: MIT */
/* Operations of sockets by callback and as futures. */
#include <fcntl.h>

#include "sockets.h"

/* --- by callback ------------------------------------------------------------------------------ */

/* What a callback has been told. */
typedef struct Told {
    EddyContext *context;
    int calls;
    ssize_t count;
    void *object;
    EddyError *error;
} Told;

static void told_wait (Told *told)
{
    ck_assert_int_eq (told->calls, 0);
    while (told->calls == 0)
        eddy_context_iteration (told->context, true);
    ck_assert_int_eq (told->calls, 1);
    told->calls = 0;
}

#define TOLD(name, field, finish)                                                                  \
    static void name##_told (void *source_object, EddyAsyncResult *result, void *user_data)        \
    {                                                                                              \
        Told *told = user_data;                                                                    \
        told->field = finish (source_object, result, &told->error);                                \
        told->calls++;                                                                             \
    }
TOLD (receive, count, eddy_socket_receive_finish)
TOLD (send, count, eddy_socket_send_finish)
TOLD (connect, count, eddy_socket_connect_finish)
TOLD (send_to, count, eddy_socket_send_to_finish)
TOLD (condition_wait, count, eddy_socket_condition_wait_finish)
TOLD (accept, object, eddy_socket_accept_finish)
TOLD (receive_bytes, object, eddy_socket_receive_bytes_finish)
TOLD (send_bytes, count, eddy_socket_send_bytes_finish)
TOLD (send_message, count, eddy_socket_send_message_finish)

static void receive_from_told (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Told *told = user_data;
    EddySocketAddress *address = NULL;
    told->count = eddy_socket_receive_from_finish (source_object, result, &address, &told->error);
    told->object = address;
    told->calls++;
}

static void receive_begin (EddySocket *socket, char *buffer, size_t size,
                           EddyCancellable *cancellable, Told *told)
{
    eddy_socket_receive_async (socket, buffer, size, EDDY_PRIORITY_DEFAULT, cancellable,
                               receive_told, told);
}

/* Everything by callback; `owned`: in a context that has run already. */
static void talk_by_callback (EddySocketAddress *at, bool owned)
{
    Told told = { .context = eddy_test_context_begin () };
    if (owned)
        eddy_context_iteration (told.context, false);
    EddySocket *listener = socket_serve (EDDY_SOCKET_TYPE_STREAM, at);
    EddySocketAddress *address = socket_where (listener);
    SocketPair pair = { .client = socket_make (eddy_socket_get_family (listener),
                                               EDDY_SOCKET_TYPE_STREAM) };
    eddy_socket_connect_async (pair.client, address, EDDY_PRIORITY_DEFAULT, NULL, connect_told,
                               &told);
    told_wait (&told);
    ck_assert_msg (told.error == NULL && told.count == 1, "%s",
                   eddy_error_get_message (told.error));
    eddy_socket_accept_async (listener, EDDY_PRIORITY_DEFAULT, NULL, accept_told, &told);
    told_wait (&told);
    ck_assert_ptr_nonnull (told.object);
    pair.server = EDDY_TAKE (told.object);
    char buffer[32] = "";
    Told received = told;
    receive_begin (pair.server, buffer, sizeof buffer, NULL, &received);
    eddy_socket_send_async (pair.client, "hello", 5, EDDY_PRIORITY_DEFAULT, NULL, send_told, &told);
    told_wait (&told);
    ck_assert_int_eq (told.count, 5);
    if (received.calls == 0)
        told_wait (&received);
    ck_assert_int_eq (received.count, 5);
    ck_assert_str_eq (buffer, "hello");
    eddy_socket_condition_wait_async (pair.server, POLLOUT | POLLIN, EDDY_PRIORITY_DEFAULT, NULL,
                                      condition_wait_told, &told);
    told_wait (&told);
    ck_assert_int_eq (told.count, POLLOUT);
    eddy_unref (address);
    eddy_unref (listener);
    socket_pair_end (&pair);
    eddy_test_context_end (told.context);
}

EDDY_TEST (N8_connect_by_callback)
{
    for (int owned = 0; owned < 2; owned++) {
        talk_by_callback (socket_loopback (EDDY_SOCKET_FAMILY_IPV4, 0), owned != 0);
        talk_by_callback (socket_loopback (EDDY_SOCKET_FAMILY_IPV6, 0), owned != 0);
        talk_by_callback (socket_path (owned != 0 ? "one" : "two"), owned != 0);
    }
}

EDDY_TEST (N8_connect_refused_by_callback)
{
    Told told = { .context = eddy_test_context_begin () };
    EddySocket *listener = socket_serve_tcp ();
    EddySocketAddress *address = socket_where (listener);
    char *name = eddy_socket_address_to_string (address);
    eddy_unref (listener);
    EddySocket *client = socket_make (EDDY_SOCKET_FAMILY_IPV4, EDDY_SOCKET_TYPE_STREAM);
    eddy_socket_connect_async (client, address, EDDY_PRIORITY_DEFAULT, NULL, connect_told, &told);
    told_wait (&told);
    ck_assert_ptr_nonnull (strstr (eddy_error_get_message (told.error), name));
    eddy_test_expect_error (&told.error, EDDY_IO_ERROR_CONNECTION_REFUSED);
    ck_assert (!eddy_socket_is_connected (client));
    eddy_free (name);
    eddy_unref (client);
    eddy_unref (address);
    eddy_test_context_end (told.context);
}

/* A listener that takes nobody more: who comes waits for an answer. Fills it with `fillers`. */
enum { FILLERS = 3 };

static EddySocket *busy_listener (EddySocketAddress *address, EddySocket *fillers[FILLERS])
{
    EddySocket *listener =
        socket_make (eddy_socket_address_get_family (address), EDDY_SOCKET_TYPE_STREAM);
    ck_assert (eddy_socket_bind (listener, address, true, NULL));
    eddy_socket_set_listen_backlog (listener, 0);
    ck_assert (eddy_socket_listen (listener, NULL));
    eddy_unref (address);
    address = socket_where (listener);
    for (int i = 0; i < FILLERS; i++) {
        socklen_t len = 128;
        char native[128];
        len = (socklen_t) eddy_socket_address_get_native_size (address);
        ck_assert (eddy_socket_address_to_native (address, native, sizeof native, NULL));
        fillers[i] = socket_make (eddy_socket_get_family (listener), EDDY_SOCKET_TYPE_STREAM);
        (void) !connect (eddy_socket_get_fd (fillers[i]), (struct sockaddr *) (void *) native, len);
    }
    eddy_unref (address);
    return listener;
}

static void busy_listener_end (EddySocket *listener, EddySocket *fillers[FILLERS])
{
    for (int i = 0; i < FILLERS; i++)
        eddy_unref (fillers[i]);
    eddy_unref (listener);
}

/* By timeout, cancel and close. */
static void connect_in_vain (EddySocketAddress *at)
{
    Told told = { .context = eddy_test_context_begin () };
    EddySocket *fillers[FILLERS];
    EddySocket *listener = busy_listener (at, fillers);
    EddySocketAddress *address = socket_where (listener);
    for (int how = 0; how < 3; how++) {
        EddyCancellable *cancellable = eddy_cancellable_new ();
        EddySocket *client =
            socket_make (eddy_socket_get_family (listener), EDDY_SOCKET_TYPE_STREAM);
        if (how == 0)
            eddy_socket_set_timeout (client, 0, 20000000);
        eddy_socket_connect_async (client, address, EDDY_PRIORITY_DEFAULT, cancellable,
                                   connect_told, &told);
        if (how > 0)
            for (int i = 0; i < 5; i++)
                eddy_context_iteration (told.context, false);
        ck_assert_int_eq (told.calls, 0);
        if (how == 1)
            eddy_cancellable_cancel (cancellable);
        int number = how == 2 ? eddy_socket_get_fd (client) : -1, next = -1;
        if (how == 2) {
            ck_assert (eddy_socket_close (client, NULL));
            next = socket ((int) eddy_socket_get_family (listener), SOCK_STREAM | SOCK_NONBLOCK, 0);
            ck_assert_int_eq (next, number);
        }
        told_wait (&told);
        if (next >= 0)
            close (next);
        eddy_test_expect_error (&told.error, how == 0   ? EDDY_IO_ERROR_TIMED_OUT
                                             : how == 1 ? EDDY_IO_ERROR_CANCELLED
                                                        : EDDY_IO_ERROR_CLOSED);
        eddy_unref (client);
        eddy_unref (cancellable);
    }
    eddy_unref (address);
    busy_listener_end (listener, fillers);
    eddy_test_context_end (told.context);
}

EDDY_TEST (N8_connect_in_vain)
{
    connect_in_vain (socket_loopback (EDDY_SOCKET_FAMILY_IPV4, 0));
    connect_in_vain (socket_path ("busy"));
}

/* A UNIX listener that is busy is waited for: no readiness tells when it no longer is. */
typedef struct Patient {
    EddySocketAddress *address;
    bool connected;
} Patient;

static void *connect_to_busy (void *data, EddyError **error)
{
    Patient *patient = data;
    EddySocket *client = socket_make (EDDY_SOCKET_FAMILY_UNIX, EDDY_SOCKET_TYPE_STREAM);
    patient->connected = eddy_socket_connect (client, patient->address, NULL, error);
    eddy_unref (client);
    return NULL;
}

EDDY_TEST_IN_FIBER (D_socket_waits_for_a_busy_unix_listener)
{
    EddySocket *fillers[FILLERS];
    EddySocket *listener = busy_listener (socket_path ("busy"), fillers);
    Patient patient = { .address = socket_where (listener) };
    EddyFuture *fiber = socket_beside (connect_to_busy, &patient);
    ck_assert (eddy_fiber_sleep (5000000, NULL));
    ck_assert (!patient.connected);
    eddy_unref (socket_take (listener));
    socket_join (fiber);
    ck_assert (patient.connected);
    eddy_unref (patient.address);
    busy_listener_end (listener, fillers);
}

EDDY_TEST (N3_cancelled_by_callback)
{
    Told told = { .context = eddy_test_context_begin () };
    SocketPair pair = socket_connect_tcp ();
    char byte;
    for (int late = 0; late < 2; late++) {
        EddyCancellable *cancellable = eddy_cancellable_new ();
        receive_begin (pair.client, &byte, 1, cancellable, &told);
        for (int i = 0; i < 3 * late; i++)
            eddy_context_iteration (told.context, false);
        eddy_cancellable_cancel (cancellable);
        ck_assert_int_eq (told.calls, 0);
        told_wait (&told);
        eddy_test_expect_error (&told.error, EDDY_IO_ERROR_CANCELLED);
        eddy_unref (cancellable);
    }
    /* Nothing has been lost by it. */
    socket_send_text (pair.server, "x");
    socket_expect_text (pair.client, "x");
    socket_pair_end (&pair);
    eddy_test_context_end (told.context);
}

/* --- a close ---------------------------------------------------------------------------------- */

/* Also of what was begun before its context ever ran, so that it is on its way there still. */
EDDY_TEST (D_socket_close_ends_callbacks)
{
    for (int turns = 0; turns < 4; turns++) {
        Told told = { .context = eddy_test_context_begin () };
        SocketPair pair = socket_connect_unix (EDDY_SOCKET_TYPE_STREAM);
        char bytes[4] = "";
        int fds[2];
        Told second = told;
        receive_begin (pair.client, bytes, 1, NULL, &told);
        for (int i = 0; i < turns; i++)
            eddy_context_iteration (told.context, false);
        receive_begin (pair.client, bytes, 1, NULL, &second);
        int number = eddy_socket_get_fd (pair.client);
        socket_send_text (pair.server, "too late");
        ck_assert (eddy_socket_close (pair.client, NULL));
        socket_take_number (number, fds);
        ck_assert_int_eq (told.calls + second.calls, 0);
        told_wait (&told);
        eddy_test_expect_error (&told.error, EDDY_IO_ERROR_CLOSED);
        if (second.calls == 0)
            told_wait (&second);
        eddy_test_expect_error (&second.error, EDDY_IO_ERROR_CLOSED);
        socket_expect_kept (fds);
        socket_pair_end (&pair);
        eddy_test_context_end (told.context);
    }
}

/* Operations of two contexts: the fd is kept until both have heard of it. */
EDDY_TEST (D_socket_close_ends_callbacks_of_two_contexts)
{
    Told first = { .context = eddy_test_context_begin () };
    SocketPair pair = socket_connect_tcp ();
    char bytes[2];
    eddy_context_iteration (first.context, false);
    receive_begin (pair.client, bytes, 1, NULL, &first);
    eddy_context_iteration (first.context, false);
    Told second = { .context = eddy_test_context_begin () };
    eddy_context_iteration (second.context, false);
    receive_begin (pair.client, bytes + 1, 1, NULL, &second);
    eddy_context_iteration (second.context, false);
    int number = eddy_socket_get_fd (pair.client);
    ck_assert (eddy_socket_close (pair.client, NULL));
    ck_assert_int_eq (eddy_socket_get_fd (pair.client), -1);
    ck_assert_int_ge (fcntl (number, F_GETFD), 0);
    socket_expect_end (pair.server);
    told_wait (&second);
    eddy_test_expect_error (&second.error, EDDY_IO_ERROR_CLOSED);
    ck_assert_int_ge (fcntl (number, F_GETFD), 0);
    eddy_test_context_end (second.context);
    told_wait (&first);
    eddy_test_expect_error (&first.error, EDDY_IO_ERROR_CLOSED);
    ck_assert_int_eq (fcntl (number, F_GETFD), -1);
    socket_pair_end (&pair);
    eddy_test_context_end (first.context);
}

/* --- accepting -------------------------------------------------------------------------------- */

/* Whenever it is cancelled, a connection is accepted or waits there: none is lost, no fd is left.
 */
EDDY_TEST (D_socket_accept_loses_none_by_a_cancel)
{
    Told told = { .context = eddy_test_context_begin () };
    EddySocket *listener = socket_serve_tcp ();
    for (int turns = 0; turns < 6; turns++) {
        EddyCancellable *cancellable = eddy_cancellable_new ();
        eddy_socket_accept_async (listener, EDDY_PRIORITY_DEFAULT, cancellable, accept_told, &told);
        if (turns % 2 != 0)
            eddy_context_iteration (told.context, false);
        EddySocket *client = socket_reach (listener);
        for (int i = 0; i < turns / 2 && told.calls == 0; i++)
            eddy_context_iteration (told.context, false);
        eddy_cancellable_cancel (cancellable);
        while (told.calls == 0)
            eddy_context_iteration (told.context, true);
        told.calls = 0;
        EddySocket *accepted = EDDY_TAKE (told.object);
        if (accepted == NULL) {
            eddy_test_expect_error (&told.error, EDDY_IO_ERROR_CANCELLED);
            accepted = socket_take (listener);
        }
        socket_send_text (client, "here");
        socket_expect_text (accepted, "here");
        eddy_unref (accepted);
        eddy_unref (client);
        eddy_unref (cancellable);
    }
    eddy_unref (listener);
    eddy_test_context_end (told.context);
}

/* The future of an accept is dropped: what it has accepted is closed. */
EDDY_TEST (D_socket_accepted_and_not_wanted)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySocket *listener = socket_serve_tcp ();
    eddy_context_iteration (context, false);
    for (int pending = 0; pending < 2; pending++) {
        EddyFuture *future = eddy_socket_accept_future (listener, EDDY_PRIORITY_DEFAULT, NULL);
        EddySocket *client = socket_reach (listener);
        if (pending == 0)
            ck_assert (eddy_block_on_complete (context, future, NULL));
        eddy_unref (future);
        for (int i = 0; i < 5; i++)
            eddy_context_iteration (context, false);
        if (pending == 0)
            socket_expect_end (client);
        else
            eddy_unref (socket_take (listener));
        eddy_unref (client);
    }
    eddy_unref (listener);
    eddy_test_context_end (context);
}

/* --- the rest --------------------------------------------------------------------------------- */

EDDY_TEST (D_socket_messages_by_callback)
{
    Told told = { .context = eddy_test_context_begin () };
    EddySocket *receiver =
        socket_serve (EDDY_SOCKET_TYPE_DATAGRAM, socket_loopback (EDDY_SOCKET_FAMILY_IPV4, 0));
    EddySocket *sender =
        socket_serve (EDDY_SOCKET_TYPE_DATAGRAM, socket_loopback (EDDY_SOCKET_FAMILY_IPV4, 0));
    EddySocketAddress *to = socket_where (receiver), *from = socket_where (sender);
    char buffer[16] = "";
    eddy_socket_receive_from_async (receiver, buffer, sizeof buffer, EDDY_PRIORITY_DEFAULT, NULL,
                                    receive_from_told, &told);
    Told sent = told;
    eddy_socket_send_to_async (sender, to, "message", 7, EDDY_PRIORITY_DEFAULT, NULL, send_to_told,
                               &sent);
    told_wait (&told);
    if (sent.calls == 0)
        told_wait (&sent);
    ck_assert_int_eq (sent.count, 7);
    ck_assert_int_eq (told.count, 7);
    ck_assert_str_eq (buffer, "message");
    ck_assert (eddy_socket_address_equal (told.object, from));
    eddy_unref (told.object);
    eddy_unref (to);
    eddy_unref (from);
    eddy_unref (sender);
    eddy_unref (receiver);
    eddy_test_context_end (told.context);
}

EDDY_TEST (D_socket_bytes_as_futures)
{
    Told told = { .context = eddy_test_context_begin () };
    SocketPair pair = socket_connect_tcp ();
    EddyError *error = NULL;
    EddyBytes *bytes = eddy_bytes_new ("owned", 5);
    EddyFuture *received =
        eddy_socket_receive_bytes_future (pair.server, 64, EDDY_PRIORITY_DEFAULT, NULL);
    EddyFuture *sent =
        eddy_socket_send_bytes_future (pair.client, bytes, EDDY_PRIORITY_DEFAULT, NULL);
    ck_assert_int_eq (eddy_block_on_int (told.context, sent, &error), 5);
    EddyBytes *answer = eddy_block_on (told.context, received, &error);
    ck_assert_ptr_nonnull (answer);
    ck_assert_uint_eq (eddy_bytes_get_size (answer), 5);
    ck_assert_mem_eq (eddy_bytes_get_data (answer), "owned", 5);
    eddy_unref (received);
    eddy_unref (sent);
    eddy_unref (bytes);
    eddy_socket_receive_bytes_async (pair.server, 64, EDDY_PRIORITY_DEFAULT, NULL,
                                     receive_bytes_told, &told);
    eddy_clear (&pair.client);
    told_wait (&told);
    ck_assert_uint_eq (eddy_bytes_get_size (told.object), 0);
    eddy_unref (told.object);
    socket_pair_end (&pair);
    eddy_test_context_end (told.context);
}

/* What a message has brought, told by its finish. */
typedef struct Brought {
    Told told;
    EddySocketAddress *address;
    EddySocketControlMessageList *messages;
    int flags;
} Brought;

static void receive_message_told (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Brought *brought = user_data;
    brought->told.count = eddy_socket_receive_message_finish (
        source_object, result, &brought->address, &brought->messages, &brought->flags,
        &brought->told.error);
    brought->told.calls++;
}

static void receive_bytes_from_told (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Brought *brought = user_data;
    brought->told.object = eddy_socket_receive_bytes_from_finish (
        source_object, result, &brought->address, &brought->told.error);
    brought->told.calls++;
}

EDDY_TEST (D_socket_control_messages_by_callback)
{
    Told told = { .context = eddy_test_context_begin () };
    Brought brought = { .told = told, .flags = -1 };
    SocketPair pair = socket_connect_unix (EDDY_SOCKET_TYPE_SEQPACKET);
    char buffer[4] = "";
    const EddyInputVector in = { buffer, 4 };
    const EddyOutputVector out = { "longer", 6 };
    EddyUnixFDMessage *fds = eddy_unix_fd_message_new ();
    EddySocketControlMessageList *list = eddy_socket_control_message_list_new ();
    ck_assert (eddy_unix_fd_message_append_fd (fds, 1, NULL));
    ck_assert (eddy_socket_control_message_list_append (list, EDDY_SOCKET_CONTROL_MESSAGE (fds)));
    eddy_unref (fds);
    eddy_socket_receive_message_async (pair.server, &in, 1, 0, EDDY_PRIORITY_DEFAULT, NULL,
                                       receive_message_told, &brought);
    eddy_socket_send_message_async (pair.client, NULL, &out, 1, list, 0, EDDY_PRIORITY_DEFAULT,
                                    NULL, send_message_told, &told);
    eddy_unref (list);
    told_wait (&told);
    ck_assert_int_eq (told.count, 6);
    if (brought.told.calls == 0)
        told_wait (&brought.told);
    ck_assert_int_eq (brought.told.count, 4);
    ck_assert_mem_eq (buffer, "long", 4);
    ck_assert_int_eq (brought.flags & MSG_TRUNC, MSG_TRUNC);
    ck_assert_uint_eq (eddy_socket_control_message_list_get_size (brought.messages), 1);
    eddy_unref (brought.messages);
    eddy_unref (brought.address);
    socket_pair_end (&pair);
    eddy_test_context_end (told.context);
}

EDDY_TEST (D_socket_bytes_by_callback)
{
    Brought brought = { .told.context = eddy_test_context_begin () };
    Told *told = &brought.told;
    EddySocket *receiver =
        socket_serve (EDDY_SOCKET_TYPE_DATAGRAM, socket_loopback (EDDY_SOCKET_FAMILY_IPV4, 0));
    EddySocket *sender = socket_make (EDDY_SOCKET_FAMILY_IPV4, EDDY_SOCKET_TYPE_DATAGRAM);
    EddySocketAddress *to = socket_where (receiver);
    EddyFuture *connected = eddy_socket_connect_future (sender, to, EDDY_PRIORITY_DEFAULT, NULL);
    ck_assert (eddy_block_on_boolean (told->context, connected, NULL));
    eddy_unref (connected);
    EddyBytes *bytes = eddy_bytes_new ("owned", 5);
    for (int i = 0; i < 2; i++) {
        eddy_socket_send_bytes_async (sender, bytes, EDDY_PRIORITY_DEFAULT, NULL, send_bytes_told,
                                      told);
        told_wait (told);
        ck_assert_int_eq (told->count, 5);
    }
    eddy_unref (bytes);
    EddyFuture *ready =
        eddy_socket_condition_wait_future (receiver, POLLIN, EDDY_PRIORITY_DEFAULT, NULL);
    ck_assert_int_eq (eddy_block_on_int (told->context, ready, NULL), POLLIN);
    eddy_unref (ready);
    eddy_socket_receive_bytes_from_async (receiver, 64, EDDY_PRIORITY_DEFAULT, NULL,
                                          receive_bytes_from_told, &brought);
    told_wait (told);
    ck_assert_uint_eq (eddy_bytes_get_size (told->object), 5);
    eddy_unref (told->object);
    EddySocketAddress *from = socket_where (sender);
    ck_assert (eddy_socket_address_equal (brought.address, from));
    EddyFuture *received =
        eddy_socket_receive_bytes_from_future (receiver, 64, EDDY_PRIORITY_DEFAULT, NULL);
    bytes = eddy_block_on (told->context, received, NULL);
    ck_assert_uint_eq (eddy_bytes_get_size (bytes), 5);
    eddy_unref (received);
    eddy_unref (from);
    eddy_unref (brought.address);
    eddy_unref (to);
    eddy_unref (sender);
    eddy_unref (receiver);
    eddy_test_context_end (told->context);
}
