/* SPDX-License-Identifier: MIT */
/*
 * What is known of a socket's readiness between its operations must never have one wait for what is
 * there already: whatever comes when, with others who wait for the same socket, on several threads.
 */
#include <fcntl.h>
#include <pthread.h>

#include "connections.h"

enum { ROUNDS = 50, RANDOM_STEPS = 3000, MICROSECOND_NS = 1000 };

/* Reads what there is, so that all that is known is that nothing more is there. */
static void drain (ConnectionPair *pair)
{
    connection_write (&pair->far, "drained");
    connection_expect (&pair->near, "drained");
}

static int near_fd (const ConnectionPair *pair)
{
    return eddy_socket_get_fd (eddy_socket_connection_get_socket (pair->near.connection));
}

/* --- what comes last -------------------------------------------------------------------------- */

static void *read_until_end (void *data, EddyError **error)
{
    const ConnectionEnd *end = data;
    char buffer[100];
    size_t count;
    (void) eddy_input_stream_read_all (end->input, buffer, sizeof buffer, &count, NULL, error);
    return (void *) (uintptr_t) count;
}

EDDY_TEST_IN_FIBER (D_readiness_data_and_the_end_at_once)
{
    for (int i = 0; i < ROUNDS; i++) {
        ConnectionPair pair = connection_pair_tcp ();
        if (i % 2 == 1)
            drain (&pair);
        EddyFuture *reader = socket_beside (read_until_end, &pair.near);
        for (int turns = 0; turns < i % 4; turns++)
            eddy_fiber_yield ();
        connection_write (&pair.far, "last");
        connection_end_clear (&pair.far);
        EddyError *error = NULL;
        ck_assert_uint_eq ((uintptr_t) eddy_await (reader, &error), 4);
        ck_assert_ptr_null (error);
        eddy_unref (reader);
        connection_expect_end (&pair.near);
        connection_pair_clear (&pair);
    }
}

/* A read stops before an urgent byte, and says nothing of what comes after it. */
EDDY_TEST_IN_FIBER (D_readiness_urgent_bytes)
{
    for (int i = 0; i < ROUNDS; i++) {
        ConnectionPair pair = connection_pair_tcp ();
        int fd = eddy_socket_get_fd (eddy_socket_connection_get_socket (pair.far.connection));
        if (i % 2 == 1)
            drain (&pair);
        connection_write (&pair.far, "ab");
        ck_assert_int_eq (send (fd, "!", 1, MSG_OOB), 1);
        connection_write (&pair.far, "cd");
        char text[5] = "";
        size_t count;
        EddyError *error = NULL;
        ck_assert (eddy_input_stream_read_exactly (pair.near.input, text, 4, &count, NULL, &error));
        ck_assert_str_eq (text, "abcd");
        connection_pair_clear (&pair);
    }
}

/* --- others who wait -------------------------------------------------------------------------- */

static void *wait_readable (void *data, EddyError **error)
{
    const ConnectionPair *pair = data;
    int events = eddy_fd_wait (near_fd (pair), POLLIN, NULL, error);
    ck_assert_int_eq (events, POLLIN);
    return NULL;
}

EDDY_TEST_IN_FIBER (D_readiness_beside_others_who_wait)
{
    ConnectionPair pair = connection_pair_tcp ();
    for (int i = 0; i < ROUNDS; i++) {
        EddyFuture *waiter = socket_beside (wait_readable, &pair);
        if (i % 2 == 1)
            eddy_fiber_yield ();
        connection_write (&pair.far, "seen");
        if (i % 3 == 0)
            socket_join (waiter);
        connection_expect (&pair.near, "seen");
        if (i % 3 == 0)
            continue;
        connection_write (&pair.far, "again"); /* for who has not looked yet */
        socket_join (waiter);
        connection_expect (&pair.near, "again");
    }
    connection_pair_clear (&pair);
}

EDDY_TEST_IN_FIBER (D_readiness_after_a_look)
{
    ConnectionPair pair = connection_pair_tcp ();
    EddySocket *socket = eddy_socket_connection_get_socket (pair.near.connection);
    for (int i = 0; i < ROUNDS; i++) {
        char byte;
        const EddyInputVector vector = { &byte, 1 };
        EddyError *error = NULL;
        drain (&pair);
        connection_write (&pair.far, "xyz");
        ck_assert_int_eq (eddy_socket_receive_message (socket, NULL, &vector, 1, NULL,
                                                       i % 2 == 1 ? MSG_PEEK : 0, NULL, NULL,
                                                       &error),
                          1);
        connection_expect (&pair.near, i % 2 == 1 ? "xyz" : "yz");
    }
    connection_pair_clear (&pair);
}

/* Two things happen at once: a cancel, and something to read. */
static void *read_or_be_cancelled (void *data, EddyError **error)
{
    const ConnectionEnd *end = data;
    char byte;
    ssize_t count = eddy_input_stream_read (end->input, &byte, 1, NULL, error);
    return (void *) (uintptr_t) (count == 1);
}

EDDY_TEST_IN_FIBER (D_readiness_after_a_cancel)
{
    ConnectionPair pair = connection_pair_tcp ();
    for (int i = 0; i < ROUNDS; i++) {
        EddyError *error = NULL;
        drain (&pair);
        EddyFuture *reader = socket_beside (read_or_be_cancelled, &pair.near);
        eddy_fiber_yield ();
        if (i % 2 == 1)
            eddy_future_cancel (reader);
        connection_write (&pair.far, "x");
        if (i % 4 >= 2)
            (void) eddy_fiber_sleep (MICROSECOND_NS, NULL);
        if (i % 2 == 0)
            eddy_future_cancel (reader);
        bool has_read = eddy_await (reader, &error) != NULL;
        eddy_clear_error (&error);
        eddy_unref (reader);
        if (!has_read)
            connection_expect (&pair.near, "x");
    }
    connection_pair_clear (&pair);
}

/* --- another socket, another thread ----------------------------------------------------------- */

EDDY_TEST_IN_FIBER (D_readiness_of_another_socket_with_the_same_number)
{
    int first = -1;
    for (int i = 0; i < ROUNDS; i++) {
        ConnectionPair pair = connection_pair_tcp ();
        if (i == 0)
            first = near_fd (&pair);
        ck_assert_int_eq (near_fd (&pair), first);
        EddyFuture *reader = socket_beside (read_or_be_cancelled, &pair.near);
        eddy_fiber_yield ();
        connection_write (&pair.far, "x");
        ck_assert_ptr_nonnull (eddy_await (reader, NULL));
        eddy_unref (reader);
        drain (&pair);
        connection_pair_clear (&pair);
        /* A pipe in its place: nothing that was known counts. */
        int fds[2];
        char byte;
        ck_assert_int_eq (pipe2 (fds, O_CLOEXEC), 0);
        ck_assert_int_eq (write (fds[1], "p", 1), 1);
        ck_assert_int_eq (eddy_fd_wait (fds[0], POLLIN, NULL, NULL), POLLIN);
        ck_assert_int_eq (eddy_fd_read (fds[0], &byte, 1, -1, NULL, NULL), 1);
        close (fds[0]);
        close (fds[1]);
    }
}

static void *read_elsewhere_fiber (void *data, EddyError **error)
{
    (void) error;
    ConnectionPair *pair = data;
    drain (pair);
    EddyFuture *reader = socket_beside (read_or_be_cancelled, &pair->near);
    eddy_fiber_yield ();
    connection_write (&pair->far, "x");
    ck_assert_ptr_nonnull (eddy_await (reader, NULL));
    eddy_unref (reader);
    return NULL;
}

static void *read_elsewhere (void *data)
{
    EddyContext *context = eddy_test_context_begin ();
    eddy_test_run_fiber (context, read_elsewhere_fiber, data);
    eddy_test_context_end (context);
    return NULL;
}

/* Here, in a thread with a context of its own, in a plain thread, and here again. */
EDDY_TEST_IN_FIBER (D_readiness_on_several_threads)
{
    ConnectionPair pair = connection_pair_tcp ();
    for (int i = 0; i < ROUNDS / 10; i++) {
        pthread_t thread;
        (void) read_elsewhere_fiber (&pair, NULL);
        ck_assert_int_eq (pthread_create (&thread, NULL, read_elsewhere, &pair), 0);
        ck_assert_int_eq (pthread_join (thread, NULL), 0);
        connection_write (&pair.far, "in between");
        connection_expect (&pair.near, "in between");
        (void) eddy_fiber_sleep (MICROSECOND_NS, NULL);
    }
    connection_pair_clear (&pair);
}

/* Nobody reads for a while, and the peer goes on. */
EDDY_TEST_IN_FIBER (D_readiness_that_nobody_waits_for)
{
    ConnectionPair pair = connection_pair_tcp ();
    drain (&pair);
    EddyFuture *reader = socket_beside (read_or_be_cancelled, &pair.near);
    eddy_fiber_yield ();
    connection_write (&pair.far, "x");
    ck_assert_ptr_nonnull (eddy_await (reader, NULL));
    eddy_unref (reader);
    char all[ROUNDS + 1] = "", byte[2] = "a";
    size_t count;
    for (int i = 0; i < ROUNDS; i++, byte[0] = (char) ('a' + i % 26)) {
        connection_write (&pair.far, byte);
        (void) eddy_fiber_sleep (10 * (int64_t) MICROSECOND_NS, NULL);
    }
    ck_assert (eddy_input_stream_read_exactly (pair.near.input, all, ROUNDS, &count, NULL, NULL));
    ck_assert_int_eq (all[ROUNDS - 1], 'a' + (ROUNDS - 1) % 26);
    drain (&pair);
    connection_pair_clear (&pair);
}

/* --- all of that, at random ------------------------------------------------------------------- */

typedef struct RandomFlow {
    ConnectionPair pair;
    unsigned random;
    size_t written;
    size_t read;
    bool done;
} RandomFlow;

static unsigned random_below (RandomFlow *flow, unsigned limit)
{
    flow->random = flow->random * 1103515245u + 12345u;
    return (flow->random >> 16) % limit;
}

static void *random_write (void *data, EddyError **error)
{
    RandomFlow *flow = data;
    char piece[3000];
    while (!flow->done) {
        size_t count = 1 + random_below (flow, sizeof piece);
        stream_fill (piece, count, flow->written);
        if (!eddy_output_stream_write_all (flow->pair.far.output, piece, count, NULL, NULL, error))
            return NULL;
        flow->written += count;
        for (unsigned i = random_below (flow, 4); i > 0; i--)
            eddy_fiber_yield ();
    }
    (void) eddy_output_stream_close (flow->pair.far.output, NULL, error);
    return NULL;
}

/* One of the ways to read, or to look; what was read is what was written. */
static void random_read (RandomFlow *flow)
{
    char piece[2000];
    const ConnectionEnd *near = &flow->pair.near;
    EddySocket *socket = eddy_socket_connection_get_socket (near->connection);
    size_t size = 1 + random_below (flow, sizeof piece);
    const EddyInputVector vector = { piece, size };
    int64_t wait_ns = 1 + (int64_t) random_below (flow, 50 * MICROSECOND_NS);
    EDDY_AUTO (EddyCancellable) limit = eddy_cancellable_new_with_timeout (NULL, wait_ns);
    EDDY_AUTO (EddyBytes) bytes = NULL;
    ssize_t count = -1;
    switch (random_below (flow, 6)) {
    case 0:
        count = eddy_input_stream_read (near->input, piece, size, limit, NULL);
        break;
    case 1:
        bytes = eddy_input_stream_read_bytes (near->input, size, limit, NULL);
        if (bytes != NULL)
            count = (ssize_t) eddy_bytes_get_size (bytes);
        break;
    case 2:
        count = eddy_socket_receive (socket, piece, size, limit, NULL);
        break;
    case 3:
        count = eddy_socket_receive_message (socket, NULL, &vector, 1, NULL, 0, NULL, limit, NULL);
        break;
    case 4:
        (void) eddy_socket_receive_message (socket, NULL, &vector, 1, NULL, MSG_PEEK, NULL, limit,
                                            NULL);
        break;
    default:
        (void) eddy_fd_wait (eddy_socket_get_fd (socket), POLLIN, limit, NULL);
    }
    if (count <= 0)
        return;
    stream_expect (bytes != NULL ? eddy_bytes_get_data (bytes) : piece, (size_t) count, flow->read);
    flow->read += (size_t) count;
}

EDDY_TEST_IN_FIBER (D_readiness_at_random)
{
    RandomFlow flow = { .pair = connection_pair_tcp (), .random = 1 };
    EddyFuture *writer = socket_beside (random_write, &flow);
    static char rest[1 << 20];
    for (int i = 0; i < RANDOM_STEPS; i++)
        random_read (&flow);
    flow.done = true;
    ssize_t count; /* of what the writer has still to say; he may wait for us */
    while ((count = eddy_input_stream_read (flow.pair.near.input, rest, sizeof rest, NULL, NULL)) >
           0) {
        stream_expect (rest, (size_t) count, flow.read);
        flow.read += (size_t) count;
    }
    ck_assert_int_eq (count, 0);
    ck_assert_uint_eq (flow.read, flow.written);
    socket_join (writer);
    ck_assert_uint_gt (flow.read, RANDOM_STEPS);
    connection_pair_clear (&flow.pair);
}
