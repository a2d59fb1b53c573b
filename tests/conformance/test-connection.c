/* SPDX-License-Identifier: MIT */
/* Connections: what they are of, their streams in every form, their end. */
#include <eddy/testing.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/stat.h>

#include "connections.h"

enum { LARGE = 1 << 20, MILLISECOND_NS = 1000000 };

/* --- what they are ---------------------------------------------------------------------------- */

EDDY_TEST_IN_FIBER (D_connection_is_of_its_socket)
{
    ConnectionPair tcp = connection_pair_tcp ();
    ConnectionPair local = connection_pair_unix (EDDY_SOCKET_TYPE_STREAM);
    ConnectionPair packets = connection_pair_unix (EDDY_SOCKET_TYPE_SEQPACKET);
    ck_assert (eddy_socket_connection_is_tcp (tcp.near.connection));
    ck_assert (!eddy_socket_connection_is_unix (tcp.near.connection));
    ck_assert (eddy_socket_connection_is_unix (local.near.connection));
    ck_assert (eddy_socket_connection_is_unix (packets.near.connection));
    ck_assert (!eddy_socket_connection_is_tcp (local.near.connection));
    ck_assert (eddy_socket_connection_is_connected (tcp.near.connection));
    EddySocketAddress *near = eddy_socket_connection_get_local_address (tcp.near.connection, NULL);
    EddySocketAddress *far = eddy_socket_connection_get_remote_address (tcp.far.connection, NULL);
    ck_assert (eddy_socket_address_equal (near, far));
    eddy_unref (near);
    eddy_unref (far);
    connection_pair_clear (&tcp);
    connection_pair_clear (&local);
    connection_pair_clear (&packets);
}

SOCKET_TEST_ANYWHERE (D_connection_connects)
{
    EddyError *error = NULL;
    EddySocket *listener = socket_serve_tcp ();
    EddySocketAddress *address = socket_where (listener);
    ConnectionEnd near =
        connection_end_new (socket_make (EDDY_SOCKET_FAMILY_IPV4, EDDY_SOCKET_TYPE_STREAM));
    ck_assert (!eddy_socket_connection_is_connected (near.connection));
    ck_assert (eddy_socket_connection_connect (near.connection, address, NULL, &error));
    ConnectionEnd far = connection_end_new (socket_take (listener));
    connection_write (&near, "hello");
    connection_expect (&far, "hello");
    connection_end_clear (&near);
    connection_end_clear (&far);
    eddy_unref (listener);
    /* Nobody listens there any more. */
    near = connection_end_new (socket_make (EDDY_SOCKET_FAMILY_IPV4, EDDY_SOCKET_TYPE_STREAM));
    ck_assert (!eddy_socket_connection_connect (near.connection, address, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CONNECTION_REFUSED);
    connection_end_clear (&near);
    eddy_unref (address);
}

EDDY_TEST (D_connection_connects_by_callback_and_as_a_future)
{
    EddyContext *context = eddy_test_context_begin ();
    EddySocket *listener = socket_serve_tcp ();
    EddySocketAddress *address = socket_where (listener);
    StreamCall connecting = { .calls = 0 };
    EddyError *error = NULL;
    for (int i = 0; i < 2; i++) {
        ConnectionEnd near =
            connection_end_new (socket_make (EDDY_SOCKET_FAMILY_IPV4, EDDY_SOCKET_TYPE_STREAM));
        if (i == 0) {
            eddy_socket_connection_connect_async (near.connection, address, EDDY_PRIORITY_DEFAULT,
                                                  NULL, stream_called, &connecting);
            ck_assert (eddy_socket_connection_connect_finish (
                near.connection, stream_await (context, &connecting), &error));
        } else {
            EDDY_AUTO (EddyFuture)
            future = eddy_socket_connection_connect_future (near.connection, address,
                                                            EDDY_PRIORITY_DEFAULT, NULL);
            ck_assert (eddy_block_on_boolean (context, future, &error));
        }
        ck_assert (eddy_socket_connection_is_connected (near.connection));
        connection_end_clear (&near);
        eddy_unref (socket_take (listener));
    }
    stream_call_clear (&connecting);
    eddy_unref (address);
    eddy_unref (listener);
    eddy_test_context_end (context);
}

EDDY_TEST_IN_FIBER (N13_connected_sockets_stay_non_blocking)
{
    ConnectionPair pair = connection_pair_tcp ();
    EddySocket *socket = eddy_socket_connection_get_socket (pair.near.connection);
    ck_assert_int_ne (fcntl (eddy_socket_get_fd (socket), F_GETFL) & O_NONBLOCK, 0);
    connection_pair_clear (&pair);
}

/* --- reading and writing ---------------------------------------------------------------------- */

typedef struct Flow {
    const ConnectionEnd *end;
    size_t size;
} Flow;

static void *flow_write (void *data, EddyError **error)
{
    const Flow *flow = data;
    char piece[20000];
    for (size_t at = 0; at < flow->size; at += sizeof piece) {
        size_t count = flow->size - at < sizeof piece ? flow->size - at : sizeof piece;
        stream_fill (piece, count, at);
        if (!eddy_output_stream_write_all (flow->end->output, piece, count, NULL, NULL, error))
            return NULL;
    }
    (void) eddy_output_stream_close (flow->end->output, NULL, error);
    return NULL;
}

/* In pieces of all sizes, by all the calls that there are. */
static size_t flow_read_some (const ConnectionEnd *end, size_t at, unsigned turn)
{
    char piece[30000];
    size_t count = 1 + (turn * 7919) % sizeof piece;
    EddyError *error = NULL;
    ssize_t done;
    if (turn % 3 == 0) {
        EddyBytes *bytes = eddy_input_stream_read_bytes (end->input, count, NULL, &error);
        ck_assert_ptr_nonnull (bytes);
        done = (ssize_t) eddy_bytes_get_size (bytes);
        stream_expect (eddy_bytes_get_data (bytes), (size_t) done, at);
        eddy_unref (bytes);
        return (size_t) done;
    }
    done = eddy_input_stream_read (end->input, piece, count, NULL, &error);
    ck_assert_int_ge (done, 0);
    stream_expect (piece, (size_t) done, at);
    return (size_t) done;
}

static void flow_both_ways (ConnectionPair pair)
{
    Flow out = { &pair.near, LARGE }, back = { &pair.far, LARGE / 2 };
    EddyFuture *writers[] = { socket_beside (flow_write, &out), socket_beside (flow_write, &back) };
    size_t there = 0, here = 0, count_there = 1, count_here = 1;
    for (unsigned turn = 0; count_there + count_here > 0; turn++) {
        count_there = count_there == 0 ? 0 : flow_read_some (&pair.far, there, turn);
        count_here = count_here == 0 ? 0 : flow_read_some (&pair.near, here, turn);
        there += count_there;
        here += count_here;
    }
    ck_assert_uint_eq (there, LARGE);
    ck_assert_uint_eq (here, LARGE / 2);
    socket_join (writers[0]);
    socket_join (writers[1]);
    connection_close (&pair.near);
    connection_close (&pair.far);
    connection_pair_clear (&pair);
}

EDDY_TEST_IN_FIBER (D_connection_carries_all_both_ways)
{
    flow_both_ways (connection_pair_tcp ());
    flow_both_ways (connection_pair_unix (EDDY_SOCKET_TYPE_STREAM));
}

EDDY_TEST (D_connection_by_callbacks)
{
    EddyContext *context = eddy_test_context_begin ();
    ConnectionPair pair = connection_pair_tcp ();
    StreamCall reading = { .calls = 0 }, writing = { .calls = 0 };
    char buffer[64];
    EddyError *error = NULL;
    eddy_input_stream_read_async (pair.far.input, buffer, sizeof buffer, EDDY_PRIORITY_DEFAULT,
                                  NULL, stream_called, &reading);
    eddy_output_stream_write_async (pair.near.output, "hello", 5, EDDY_PRIORITY_DEFAULT, NULL,
                                    stream_called, &writing);
    ck_assert_int_eq (eddy_output_stream_write_finish (pair.near.output,
                                                       stream_await (context, &writing), &error),
                      5);
    ck_assert_int_eq (
        eddy_input_stream_read_finish (pair.far.input, stream_await (context, &reading), &error),
        5);
    ck_assert_mem_eq (buffer, "hello", 5);
    stream_call_clear (&reading);
    stream_call_clear (&writing);
    /* It was all there was, so this one waits without asking for more. */
    eddy_input_stream_read_bytes_async (pair.far.input, 100, EDDY_PRIORITY_DEFAULT, NULL,
                                        stream_called, &reading);
    EddyContextStatistics statistics;
    eddy_context_get_statistics (context, &statistics);
    ck_assert_uint_eq (statistics.live_fibers, 0);
    connection_write (&pair.near, "more");
    EddyBytes *bytes = eddy_input_stream_read_bytes_finish (
        pair.far.input, stream_await (context, &reading), &error);
    ck_assert_uint_eq (eddy_bytes_get_size (bytes), 4);
    ck_assert_mem_eq (eddy_bytes_get_data (bytes), "more", 4);
    eddy_unref (bytes);
    stream_call_clear (&reading);
    connection_pair_clear (&pair);
    eddy_test_context_end (context);
}

/* The future's last reference cancels it. */
EDDY_TEST_IN_FIBER (D_connection_bytes_that_nobody_wants)
{
    ConnectionPair pair = connection_pair_tcp ();
    for (int i = 0; i < 3; i++) {
        EddyFuture *future =
            eddy_input_stream_read_bytes_future (pair.far.input, 100, EDDY_PRIORITY_DEFAULT, NULL);
        if (i == 1)
            eddy_fiber_yield ();
        if (i == 2)
            connection_write (&pair.near, "what nobody is told of");
        eddy_unref (future);
        while (eddy_input_stream_has_pending (pair.far.input))
            eddy_fiber_yield ();
    }
    connection_end_clear (&pair.near);
    EDDY_AUTO (EddyBytes) rest = eddy_input_stream_read_bytes (pair.far.input, 100, NULL, NULL);
    ck_assert_ptr_nonnull (rest);
    connection_pair_clear (&pair);
}

static void expect_timed_out (const ConnectionEnd *end)
{
    char byte;
    EddyError *error = NULL;
    ck_assert_int_eq (eddy_input_stream_read (end->input, &byte, 1, NULL, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_TIMED_OUT);
    ck_assert_ptr_null (eddy_input_stream_read_bytes (end->input, 1, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_TIMED_OUT);
}

SOCKET_TEST_ANYWHERE (D_connection_has_its_socket_timeouts)
{
    ConnectionPair pair = connection_pair_tcp ();
    EddySocket *socket = eddy_socket_connection_get_socket (pair.near.connection);
    eddy_socket_set_timeout (socket, MILLISECOND_NS, 0);
    expect_timed_out (&pair.near);
    connection_write (&pair.near, "the other way");
    connection_expect (&pair.far, "the other way");
    eddy_socket_set_timeout (socket, 0, 0);
    connection_write (&pair.far, "again");
    connection_expect (&pair.near, "again");
    connection_pair_clear (&pair);
}

EDDY_TEST (D_connection_has_its_socket_timeouts_by_callback)
{
    EddyContext *context = eddy_test_context_begin ();
    ConnectionPair pair = connection_pair_tcp ();
    StreamCall reading = { .calls = 0 };
    EddyError *error = NULL;
    eddy_socket_set_timeout (eddy_socket_connection_get_socket (pair.near.connection),
                             MILLISECOND_NS, 0);
    eddy_input_stream_read_bytes_async (pair.near.input, 10, EDDY_PRIORITY_DEFAULT, NULL,
                                        stream_called, &reading);
    ck_assert_ptr_null (eddy_input_stream_read_bytes_finish (
        pair.near.input, stream_await (context, &reading), &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_TIMED_OUT);
    stream_call_clear (&reading);
    connection_pair_clear (&pair);
    eddy_test_context_end (context);
}

/* --- the end ---------------------------------------------------------------------------------- */

SOCKET_TEST_ANYWHERE (N7_output_is_closed_alone)
{
    ConnectionPair pair = connection_pair_tcp ();
    EddyError *error = NULL;
    connection_write (&pair.near, "last words");
    ck_assert (eddy_output_stream_close (pair.near.output, NULL, &error));
    connection_expect (&pair.far, "last words");
    connection_expect_end (&pair.far);
    connection_write (&pair.far, "an answer");
    connection_expect (&pair.near, "an answer");
    ck_assert_int_eq (eddy_output_stream_write (pair.near.output, "x", 1, NULL, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
    connection_close (&pair.near);
    connection_expect_end (&pair.far);
    connection_close (&pair.far);
    ck_assert (eddy_output_stream_is_closed (pair.far.output));
    connection_pair_clear (&pair);
}

/* Goes on sending after it has been told that nobody will answer. */
static void *talk_on (void *data, EddyError **error)
{
    const ConnectionEnd *end = data;
    connection_expect_end (end);
    for (int i = 0; i < 20; i++) {
        connection_write (end, "and another thing");
        (void) eddy_fiber_sleep (MILLISECOND_NS / 4, error);
    }
    connection_close (end);
    return NULL;
}

EDDY_TEST_IN_FIBER (N7_graceful_close_waits_for_the_end_of_the_peer)
{
    ConnectionPair pair = connection_pair_tcp ();
    eddy_tcp_connection_set_graceful_disconnect (EDDY_TCP_CONNECTION (pair.near.connection), true);
    ck_assert (
        eddy_tcp_connection_get_graceful_disconnect (EDDY_TCP_CONNECTION (pair.near.connection)));
    ck_assert (
        !eddy_tcp_connection_get_graceful_disconnect (EDDY_TCP_CONNECTION (pair.far.connection)));
    EddyFuture *peer = socket_beside (talk_on, &pair.far);
    connection_close (&pair.near); /* and the peer was not reset, or it would have failed */
    ck_assert (eddy_io_stream_is_closed (pair.far.io));
    socket_join (peer);
    connection_pair_clear (&pair);
}

EDDY_TEST_IN_FIBER (N7_graceful_close_that_is_cancelled_closes_at_once)
{
    ConnectionPair pair = connection_pair_tcp ();
    EddyError *error = NULL;
    eddy_tcp_connection_set_graceful_disconnect (EDDY_TCP_CONNECTION (pair.near.connection), true);
    EDDY_AUTO (EddyCancellable)
    late = eddy_cancellable_new_with_timeout (NULL, 2 * (int64_t) MILLISECOND_NS);
    ck_assert (!eddy_io_stream_close (pair.near.io, late, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_TIMED_OUT);
    ck_assert (eddy_io_stream_is_closed (pair.near.io));
    ck_assert (eddy_socket_is_closed (eddy_socket_connection_get_socket (pair.near.connection)));
    ck_assert (eddy_io_stream_close (pair.near.io, NULL, &error)); /* a second one succeeds */
    connection_pair_clear (&pair);
}

static void *read_one (void *data, EddyError **error)
{
    const ConnectionEnd *end = data;
    char byte;
    (void) eddy_input_stream_read (end->input, &byte, 1, NULL, error);
    return NULL;
}

EDDY_TEST_IN_FIBER (S11_close_of_the_socket_ends_a_read)
{
    ConnectionPair pair = connection_pair_tcp ();
    EddyError *error = NULL;
    EddyFuture *reader = socket_beside (read_one, &pair.near);
    eddy_fiber_yield ();
    ck_assert (eddy_input_stream_has_pending (pair.near.input));
    ck_assert (!eddy_io_stream_close (pair.near.io, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_PENDING);
    ck_assert (
        eddy_socket_close (eddy_socket_connection_get_socket (pair.near.connection), &error));
    ck_assert (!eddy_await_complete (reader, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
    eddy_unref (reader);
    connection_expect_end (&pair.far);
    connection_close (&pair.near);
    connection_pair_clear (&pair);
}

EDDY_TEST_IN_FIBER (D_connection_streams_may_outlive_it)
{
    ConnectionPair pair = connection_pair_tcp ();
    EddyInputStream *input = eddy_ref (pair.near.input);
    EddyOutputStream *output = eddy_ref (pair.near.output);
    char byte;
    EddyError *error = NULL;
    connection_end_clear (&pair.near);
    connection_expect_end (&pair.far);
    ck_assert_int_eq (eddy_input_stream_read (input, &byte, 1, NULL, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
    eddy_unref (input);
    ck_assert_int_eq (eddy_output_stream_write (output, "x", 1, NULL, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
    ck_assert (eddy_output_stream_close (output, NULL, &error));
    eddy_unref (output);
    connection_pair_clear (&pair);
}

EDDY_TEST_IN_FIBER (D_connection_let_go_of_closes_a_socket_that_others_have)
{
    ConnectionPair pair = connection_pair_tcp ();
    EddySocket *socket = eddy_ref (eddy_socket_connection_get_socket (pair.near.connection));
    connection_end_clear (&pair.near);
    ck_assert (eddy_socket_is_closed (socket));
    eddy_unref (socket);
    connection_expect_end (&pair.far);
    connection_pair_clear (&pair);
}

/* The message says of whom, and what has become of the peer. */
EDDY_TEST_IN_FIBER (D_connection_errors_name_the_peer)
{
    ConnectionPair pair = connection_pair_tcp ();
    EddyError *error = NULL;
    EddySocketAddress *address =
        eddy_socket_connection_get_remote_address (pair.near.connection, NULL);
    char *name = eddy_socket_address_to_string (address);
    char buffer[4];
    size_t count;
    connection_write (&pair.far, "abc");
    connection_end_clear (&pair.far);
    ck_assert (!eddy_input_stream_read_exactly (pair.near.input, buffer, sizeof buffer, &count,
                                                NULL, &error));
    ck_assert_uint_eq (count, 3);
    ck_assert_ptr_nonnull (strstr (eddy_error_get_message (error), name));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_PARTIAL_INPUT);
    while (eddy_output_stream_write (pair.near.output, buffer, 3, NULL, &error) > 0)
        ;
    ck_assert_ptr_nonnull (strstr (eddy_error_get_message (error), name));
    eddy_clear_error (&error);
    eddy_free (name);
    eddy_unref (address);
    connection_pair_clear (&pair);
}

/* --- cancelled everywhere --------------------------------------------------------------------- */

static void *far_answers (void *data, EddyError **error)
{
    EDDY_AUTO (EddySocketConnection) far = data;
    EddyIOStream *io = EDDY_IO_STREAM (far);
    char buffer[16];
    ssize_t count;
    while ((count = eddy_input_stream_read (eddy_io_stream_get_input_stream (io), buffer,
                                            sizeof buffer, NULL, error)) > 0)
        if (!eddy_output_stream_write_all (eddy_io_stream_get_output_stream (io), buffer,
                                           (size_t) count, NULL, NULL, error))
            break;
    return NULL;
}

static void *ask_and_close (void *data, EddyError **error)
{
    (void) data;
    ConnectionPair pair = connection_pair_unix (EDDY_SOCKET_TYPE_STREAM);
    char buffer[5];
    size_t count;
    EDDY_AUTO (EddyGroup) group = eddy_group_new ();
    bool good = eddy_group_spawn (group, far_answers, pair.far.connection, NULL, error);
    if (!good)
        eddy_unref (pair.far.connection);
    good = good && eddy_output_stream_write_all (pair.near.output, "hello", 5, NULL, NULL, error) &&
           eddy_input_stream_read_exactly (pair.near.input, buffer, 5, &count, NULL, error);
    EddyBytes *bytes = NULL;
    if (good)
        good = eddy_output_stream_close (pair.near.output, NULL, error) &&
               (bytes = eddy_input_stream_read_bytes (pair.near.input, 10, NULL, error)) != NULL;
    eddy_unref (bytes);
    connection_end_clear (&pair.near);
    return eddy_group_wait (group, good ? error : NULL) && good ? data : NULL;
}

EDDY_TEST (D_connection_cancelled_everywhere)
{
    EddyTestCancelReport report;
    bool good = eddy_test_cancel_everywhere (ask_and_close, NULL, NULL, &report);
    ck_assert_msg (good, "%s", report.failure);
    ck_assert_uint_ge (report.cancelled, 4);
}

/* --- closed while it is spliced --------------------------------------------------------------- */

typedef struct Splicing {
    ConnectionPair from;
    ConnectionPair to;
    EddyError *error;
    bool done;
} Splicing;

static void *splice_until_closed (void *data, EddyError **error)
{
    Splicing *self = data;
    (void) error;
    self->done =
        eddy_output_stream_splice (self->to.near.output, self->from.near.input,
                                   EDDY_OUTPUT_STREAM_SPLICE_NONE, NULL, NULL, &self->error);
    return NULL;
}

/* A splice uses numbers of fds: a close of either socket ends it, and what has the number of one
 * later gets nothing. How much has come decides how it waits for more. */
static void splice_is_closed (size_t n_before, bool of_target)
{
    static char bytes[100000];
    Splicing splicing = { .from = connection_pair_unix (EDDY_SOCKET_TYPE_STREAM),
                          .to = connection_pair_unix (EDDY_SOCKET_TYPE_STREAM) };
    EddyFuture *fiber = socket_beside (splice_until_closed, &splicing);
    ck_assert (
        eddy_output_stream_write_all (splicing.from.far.output, bytes, n_before, NULL, NULL, NULL));
    ck_assert (
        eddy_input_stream_read_exactly (splicing.to.far.input, bytes, n_before, NULL, NULL, NULL));
    ck_assert (eddy_fiber_sleep (1000000, NULL));
    const ConnectionEnd *closed = of_target ? &splicing.to.near : &splicing.from.near;
    ck_assert (eddy_socket_close (eddy_socket_connection_get_socket (closed->connection), NULL));
    SocketPair stranger = socket_connect_unix (EDDY_SOCKET_TYPE_STREAM);
    if (of_target)
        connection_write (&splicing.from.far, "for nobody");
    socket_join (fiber);
    ck_assert (!splicing.done);
    eddy_test_expect_error (&splicing.error, EDDY_IO_ERROR_CLOSED);
    ck_assert_int_eq (eddy_socket_condition_check (stranger.client, POLLIN), 0);
    ck_assert_int_eq (eddy_socket_condition_check (stranger.server, POLLIN), 0);
    socket_pair_end (&stranger);
    connection_pair_clear (&splicing.from);
    connection_pair_clear (&splicing.to);
}

EDDY_TEST_IN_FIBER (D_connection_closed_while_it_is_spliced)
{
    static const size_t before[] = { 1, 2500, 100000 };
    for (int i = 0; i < 3; i++) {
        splice_is_closed (before[i], false);
        splice_is_closed (before[i], true);
    }
}
