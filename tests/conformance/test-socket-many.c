/* SPDX-License-Identifier: MIT */
/* Much at once over sockets: both directions, many connections, cancels everywhere. */
#include <eddy/testing.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "sockets.h"

/* --- both directions at once ------------------------------------------------------------------ */

enum { TOTAL = 3000000, PIECE = 70000 };

static unsigned char byte_at (size_t index)
{
    return (unsigned char) (index * 7 + index / 251);
}

static void *send_all (void *data, EddyError **error)
{
    EddySocket *socket = data;
    unsigned char *piece = malloc (PIECE);
    for (size_t sent = 0; sent < TOTAL;) {
        size_t size = TOTAL - sent < PIECE ? TOTAL - sent : PIECE;
        for (size_t i = 0; i < size; i++)
            piece[i] = byte_at (sent + i);
        ssize_t count = eddy_socket_send (socket, piece, size, NULL, error);
        ck_assert_int_gt (count, 0);
        sent += (size_t) count;
    }
    free (piece);
    ck_assert (eddy_socket_shutdown (socket, false, true, error));
    return NULL;
}

static void *receive_all (void *data, EddyError **error)
{
    EddySocket *socket = data;
    size_t received = 0;
    for (;;) {
        EddyBytes *bytes = eddy_socket_receive_bytes (socket, PIECE, NULL, error);
        ck_assert_ptr_nonnull (bytes);
        const unsigned char *at = eddy_bytes_get_data (bytes);
        size_t size = eddy_bytes_get_size (bytes);
        size_t same = 0;
        while (same < size && at[same] == byte_at (received + same))
            same++;
        ck_assert_uint_eq (same, size);
        received += size;
        eddy_unref (bytes);
        if (size == 0)
            break;
    }
    ck_assert_uint_eq (received, TOTAL);
    return NULL;
}

static void both_ways (SocketPair pair)
{
    EddyFuture *fibers[] = { socket_beside (send_all, pair.client),
                             socket_beside (send_all, pair.server),
                             socket_beside (receive_all, pair.client),
                             socket_beside (receive_all, pair.server) };
    for (int i = 0; i < 4; i++)
        socket_join (fibers[i]);
    socket_pair_end (&pair);
}

EDDY_TEST_IN_FIBER (D_socket_both_directions_at_once)
{
    both_ways (socket_connect_tcp ());
    both_ways (socket_connect_unix (EDDY_SOCKET_TYPE_STREAM));
}

/* A plain thread at one end, fibers at the other. */
static void *thread_answers (void *data)
{
    EddySocket *listener = data;
    EddySocket *accepted = socket_take (listener);
    EddyError *error = NULL;
    (void) receive_all (accepted, &error);
    (void) send_all (accepted, &error);
    ck_assert_ptr_null (error);
    eddy_unref (accepted);
    return NULL;
}

EDDY_TEST_IN_FIBER (D_socket_between_a_thread_and_a_fiber)
{
    pthread_t thread;
    EddyError *error = NULL;
    EddySocket *listener = socket_serve_tcp ();
    EddySocketAddress *address = socket_where (listener);
    ck_assert_int_eq (pthread_create (&thread, NULL, thread_answers, listener), 0);
    EddySocket *client = socket_make (EDDY_SOCKET_FAMILY_IPV4, EDDY_SOCKET_TYPE_STREAM);
    ck_assert (eddy_socket_connect (client, address, NULL, NULL));
    (void) send_all (client, &error);
    (void) receive_all (client, &error);
    ck_assert_ptr_null (error);
    pthread_join (thread, NULL);
    eddy_unref (client);
    eddy_unref (address);
    eddy_unref (listener);
}

/* --- deadlines at random ---------------------------------------------------------------------- */

/* A stream of numbered bytes, both ends of which give up again and again. */
typedef struct Hasty {
    EddySocket *socket;
    uint64_t random;
    int given_up;
} Hasty;

enum { HASTY_TOTAL = 400000, HASTY_PIECE = 3000 };

/* A cancellable whose deadline is near, or has passed. */
static EddyCancellable *hasty_limit (Hasty *hasty)
{
    hasty->random = hasty->random * UINT64_C (6364136223846793005) + 1442695040888963407u;
    return eddy_cancellable_new_with_timeout (NULL, (int64_t) (hasty->random >> 33) % 100000);
}

/* Gives up an error that is a deadline's. */
static void hasty_gave_up (Hasty *hasty, EddyError **error)
{
    eddy_test_expect_error (error, EDDY_IO_ERROR_TIMED_OUT);
    hasty->given_up++;
    eddy_fiber_yield ();
}

static void *hasty_send (void *data, EddyError **error)
{
    Hasty *hasty = data;
    unsigned char piece[HASTY_PIECE];
    for (size_t sent = 0; sent < HASTY_TOTAL;) {
        EddyCancellable *limit = hasty_limit (hasty);
        size_t size = HASTY_TOTAL - sent < HASTY_PIECE ? HASTY_TOTAL - sent : HASTY_PIECE;
        for (size_t i = 0; i < size; i++)
            piece[i] = byte_at (sent + i);
        ssize_t count = eddy_socket_send (hasty->socket, piece, size, limit, error);
        if (count < 0)
            hasty_gave_up (hasty, error);
        else
            sent += (size_t) count;
        eddy_unref (limit);
        /* Now and then the other one waits for us. */
        if (hasty->random >> 61 == 0)
            ck_assert (eddy_fiber_sleep (100000, NULL));
    }
    ck_assert (eddy_socket_shutdown (hasty->socket, false, true, error));
    return NULL;
}

static void *hasty_receive (void *data, EddyError **error)
{
    Hasty *hasty = data;
    unsigned char piece[HASTY_PIECE];
    size_t received = 0;
    for (ssize_t count = -1; count != 0;) {
        EddyCancellable *limit = hasty_limit (hasty);
        count = eddy_socket_receive (hasty->socket, piece, sizeof piece, limit, error);
        if (count < 0)
            hasty_gave_up (hasty, error);
        size_t same = 0;
        while (count > 0 && same < (size_t) count && piece[same] == byte_at (received + same))
            same++;
        if (count > 0)
            ck_assert_uint_eq (same, (size_t) count);
        received += same;
        eddy_unref (limit);
    }
    ck_assert_uint_eq (received, HASTY_TOTAL);
    return NULL;
}

/* What was moved is never told as cancelled: no byte is lost, none comes twice. */
EDDY_TEST_IN_FIBER (D_socket_deadlines_lose_no_byte)
{
    for (int kind = 0; kind < 2; kind++) {
        SocketPair pair =
            kind == 0 ? socket_connect_tcp () : socket_connect_unix (EDDY_SOCKET_TYPE_STREAM);
        Hasty ends[] = { { pair.client, 1, 0 }, { pair.server, 2, 0 } };
        ck_assert (eddy_socket_set_option_by_name (pair.client, "send-buffer", 4096, NULL));
        EddyFuture *receiver = socket_beside (hasty_receive, &ends[1]);
        EddyFuture *sender = socket_beside (hasty_send, &ends[0]);
        socket_join (sender);
        socket_join (receiver);
        ck_assert_int_gt (ends[1].given_up, 0);
        socket_pair_end (&pair);
    }
}

/* --- many connections ------------------------------------------------------------------------- */

enum { CONNECTIONS = 100, ROUNDS = 20 };

static void *echo (void *data, EddyError **error)
{
    EddySocket *socket = data;
    char buffer[64];
    ssize_t count;
    while ((count = eddy_socket_receive (socket, buffer, sizeof buffer, NULL, error)) > 0)
        ck_assert_int_eq (eddy_socket_send (socket, buffer, (size_t) count, NULL, error), count);
    ck_assert_int_eq (count, 0);
    eddy_unref (socket);
    return NULL;
}

static void *serve (void *data, EddyError **error)
{
    EddyFuture *fibers[CONNECTIONS];
    for (int i = 0; i < CONNECTIONS; i++)
        fibers[i] = socket_beside (echo, eddy_socket_accept (data, NULL, error));
    for (int i = 0; i < CONNECTIONS; i++)
        socket_join (fibers[i]);
    return NULL;
}

static void *ask (void *data, EddyError **error)
{
    EddySocketAddress *address = data;
    char text[32], answer[32];
    EddySocket *socket = socket_make (EDDY_SOCKET_FAMILY_IPV4, EDDY_SOCKET_TYPE_STREAM);
    ck_assert (eddy_socket_connect (socket, address, NULL, error));
    for (int i = 0; i < ROUNDS; i++) {
        int size = snprintf (text, sizeof text, "%p says %d", data, i);
        ck_assert_int_eq (eddy_socket_send (socket, text, (size_t) size, NULL, error), size);
        ck_assert_int_eq (eddy_socket_receive (socket, answer, sizeof answer, NULL, error), size);
        ck_assert_mem_eq (answer, text, (size_t) size);
    }
    eddy_unref (socket);
    return NULL;
}

EDDY_TEST_IN_FIBER (D_socket_many_connections)
{
    EddySocket *listener = socket_serve_tcp ();
    EddySocketAddress *address = socket_where (listener);
    EddyFuture *server = socket_beside (serve, listener), *clients[CONNECTIONS];
    for (int i = 0; i < CONNECTIONS; i++)
        clients[i] = socket_beside (ask, address);
    for (int i = 0; i < CONNECTIONS; i++)
        socket_join (clients[i]);
    socket_join (server);
    eddy_unref (address);
    eddy_unref (listener);
}

/* --- cancels everywhere ----------------------------------------------------------------------- */

/* What a run leaves to be given up. */
typedef struct Talk {
    EddySocket *listener;
    EddySocketAddress *address;
    EddySocket *client;
    EddySocket *server;
    EddyFuture *answerer;
} Talk;

static void *answer (void *data, EddyError **error)
{
    Talk *talk = data;
    char buffer[8];
    talk->server = eddy_socket_accept (talk->listener, NULL, error);
    if (talk->server == NULL)
        return NULL;
    EddyBytes *bytes = eddy_socket_receive_bytes (talk->server, 8, NULL, error);
    if (bytes != NULL && eddy_socket_send_bytes (talk->server, bytes, NULL, error) >= 0)
        (void) eddy_socket_receive_from (talk->server, NULL, buffer, 8, NULL, error);
    eddy_unref (bytes);
    return NULL;
}

static bool talk_client (Talk *talk, EddyError **error)
{
    char buffer[8];
    return eddy_socket_connect (talk->client, talk->address, NULL, error) &&
           eddy_socket_send (talk->client, "hello", 5, NULL, error) >= 0 &&
           eddy_socket_condition_wait (talk->client, POLLIN, NULL, error) >= 0 &&
           eddy_socket_receive (talk->client, buffer, 8, NULL, error) >= 0 &&
           eddy_socket_shutdown (talk->client, false, true, error);
}

static void *talk_function (void *data, EddyError **error)
{
    Talk *talk = data;
    talk->client = socket_make (eddy_socket_get_family (talk->listener), EDDY_SOCKET_TYPE_STREAM);
    EddyFuture *answerer = eddy_spawn (NULL, answer, talk, NULL);
    if (!talk_client (talk, error) || !eddy_await_complete (answerer, error))
        eddy_future_cancel (answerer);
    EDDY_SHIELD (-1)
    {
        (void) eddy_await_complete (answerer, NULL);
    }
    eddy_unref (answerer);
    eddy_clear (&talk->client);
    eddy_clear (&talk->server);
    return NULL;
}

/* What was not accepted of the last run. */
static void talk_check (void *data, bool cancelled, uint32_t point)
{
    Talk *talk = data;
    (void) cancelled;
    (void) point;
    int fd;
    while ((fd = accept (eddy_socket_get_fd (talk->listener), NULL, NULL)) >= 0)
        close (fd);
    ck_assert (talk->client == NULL && talk->server == NULL);
}

static void cancel_everywhere (EddySocketAddress *at, int64_t timeout_ns)
{
    EddyTestCancelReport report;
    Talk talk = { .listener = socket_serve (EDDY_SOCKET_TYPE_STREAM, at) };
    talk.address = socket_where (talk.listener);
    eddy_socket_set_timeout (talk.listener, timeout_ns, timeout_ns);
    ck_assert_msg (eddy_test_cancel_everywhere (talk_function, &talk, talk_check, &report), "%s",
                   report.failure);
    ck_assert_uint_gt (report.cancelled, 3);
    eddy_unref (talk.address);
    eddy_unref (talk.listener);
}

EDDY_TEST (D_socket_cancelled_everywhere)
{
    cancel_everywhere (socket_loopback (EDDY_SOCKET_FAMILY_IPV4, 0), 0);
    cancel_everywhere (socket_path ("here"), 0);
    cancel_everywhere (socket_loopback (EDDY_SOCKET_FAMILY_IPV4, 0), INT64_C (60000000000));
}
