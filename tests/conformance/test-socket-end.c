/* SPDX-License-Identifier: MIT */
/* What ends an operation of a socket before its time: a cancel, a deadline, a close. */
#include <fcntl.h>
#include <sys/wait.h>

#include "sockets.h"

enum { SHORT_NS = 20000000 };

/* --- everything that waits -------------------------------------------------------------------- */

/* A socket on which every operation waits, and what it does that can wait. */
typedef struct Waiting {
    const char *name;
    SocketPair pair;
    EddySocket *listener;
    EddySocket *on; /* of these */
} Waiting;

typedef bool (*WaitingDo) (Waiting *waiting, EddyCancellable *cancellable, EddyError **error);

static char waiting_buffer[65536];

static bool do_receive (Waiting *waiting, EddyCancellable *cancellable, EddyError **error)
{
    return eddy_socket_receive (waiting->on, waiting_buffer, 8, cancellable, error) >= 0;
}

static bool do_receive_from (Waiting *waiting, EddyCancellable *cancellable, EddyError **error)
{
    return eddy_socket_receive_from (waiting->on, NULL, waiting_buffer, 8, cancellable, error) >= 0;
}

static bool do_receive_bytes (Waiting *waiting, EddyCancellable *cancellable, EddyError **error)
{
    EddyBytes *bytes = eddy_socket_receive_bytes (waiting->on, 8, cancellable, error);
    eddy_unref (bytes);
    return bytes != NULL;
}

static bool do_send (Waiting *waiting, EddyCancellable *cancellable, EddyError **error)
{
    return eddy_socket_send (waiting->on, waiting_buffer, sizeof waiting_buffer, cancellable,
                             error) >= 0;
}

static bool do_send_to (Waiting *waiting, EddyCancellable *cancellable, EddyError **error)
{
    return eddy_socket_send_to (waiting->on, NULL, waiting_buffer, sizeof waiting_buffer,
                                cancellable, error) >= 0;
}

static bool do_accept (Waiting *waiting, EddyCancellable *cancellable, EddyError **error)
{
    EddySocket *accepted = eddy_socket_accept (waiting->on, cancellable, error);
    eddy_unref (accepted);
    return accepted != NULL;
}

static bool do_wait_in (Waiting *waiting, EddyCancellable *cancellable, EddyError **error)
{
    return eddy_socket_condition_wait (waiting->on, POLLIN, cancellable, error) >= 0;
}

static bool do_wait_out (Waiting *waiting, EddyCancellable *cancellable, EddyError **error)
{
    return eddy_socket_condition_wait (waiting->on, POLLOUT, cancellable, error) >= 0;
}

typedef enum WaitingSide { ACCEPTS, RECEIVES, SENDS } WaitingSide;

static const struct {
    const char *name;
    WaitingDo run;
    WaitingSide side;
} waits[] = {
    { "accept", do_accept, ACCEPTS },
    { "receive", do_receive, RECEIVES },
    { "receive from", do_receive_from, RECEIVES },
    { "receive bytes", do_receive_bytes, RECEIVES },
    { "wait for POLLIN", do_wait_in, RECEIVES },
    { "send", do_send, SENDS },
    { "send to", do_send_to, SENDS },
    { "wait for POLLOUT", do_wait_out, SENDS },
};

enum { N_WAITS = sizeof waits / sizeof waits[0] };

/* Sends until nothing more is taken. */
static void fill (EddySocket *socket)
{
    while (send (eddy_socket_get_fd (socket), waiting_buffer, sizeof waiting_buffer, MSG_DONTWAIT) >
           0)
        ;
    while (send (eddy_socket_get_fd (socket), waiting_buffer, 1, MSG_DONTWAIT) > 0)
        ;
    ck_assert_int_eq (errno, EAGAIN);
}

static Waiting waiting_begin (size_t index)
{
    Waiting waiting = { .name = waits[index].name };
    if (waits[index].side == ACCEPTS) {
        waiting.on = waiting.listener = socket_serve_tcp ();
        return waiting;
    }
    waiting.pair = socket_connect_unix (EDDY_SOCKET_TYPE_STREAM);
    waiting.on = waiting.pair.client;
    if (waits[index].side == SENDS)
        fill (waiting.on);
    return waiting;
}

/* It ends with an error, and a code. */
static void waiting_expect (Waiting *waiting, size_t index, EddyCancellable *cancellable,
                            EddyIOErrorCode code)
{
    EddyError *error = NULL;
    ck_assert_msg (!waits[index].run (waiting, cancellable, &error), "%s", waiting->name);
    eddy_test_expect_error (&error, code);
}

static void waiting_end (Waiting *waiting)
{
    socket_pair_end (&waiting->pair);
    eddy_clear (&waiting->listener);
}

/* --- cancels ---------------------------------------------------------------------------------- */

SOCKET_TEST_ANYWHERE (N3_cancelled_before_ends_at_once)
{
    EddyError *error = NULL;
    EddyCancellable *cancellable = eddy_cancellable_new ();
    eddy_cancellable_cancel (cancellable);
    for (size_t i = 0; i < N_WAITS; i++) {
        Waiting waiting = waiting_begin (i);
        waiting_expect (&waiting, i, cancellable, EDDY_IO_ERROR_CANCELLED);
        waiting_end (&waiting);
    }
    EddySocket *listener = socket_serve_tcp ();
    EddySocketAddress *address = socket_where (listener);
    EddySocket *client = socket_make (EDDY_SOCKET_FAMILY_IPV4, EDDY_SOCKET_TYPE_STREAM);
    ck_assert (!eddy_socket_connect (client, address, cancellable, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    eddy_unref (address);
    eddy_unref (listener);
    eddy_unref (client);
    eddy_unref (cancellable);
}

/* A limit to one call is its cancellable's. */
SOCKET_TEST_ANYWHERE (N2_each_call_has_a_limit_of_its_own)
{
    for (size_t i = 0; i < N_WAITS; i++) {
        static const int64_t limits[] = { 0, SHORT_NS };
        Waiting waiting = waiting_begin (i);
        for (size_t k = 0; k < 2; k++) {
            EddyCancellable *limit = eddy_cancellable_new_with_timeout (NULL, limits[k]);
            int64_t begin_ns = eddy_get_monotonic_time_ns ();
            waiting_expect (&waiting, i, limit, EDDY_IO_ERROR_TIMED_OUT);
            ck_assert_int_ge (eddy_get_monotonic_time_ns () - begin_ns, limits[k]);
            eddy_unref (limit);
        }
        waiting_end (&waiting);
    }
}

/* --- timeouts --------------------------------------------------------------------------------- */

SOCKET_TEST_ANYWHERE (N1_waits_end_by_the_socket_s_timeout)
{
    for (size_t i = 0; i < N_WAITS; i++) {
        Waiting waiting = waiting_begin (i);
        bool sends = waits[i].side == SENDS;
        eddy_socket_set_timeout (waiting.on, sends ? 0 : SHORT_NS, sends ? SHORT_NS : 0);
        int64_t begin_ns = eddy_get_monotonic_time_ns ();
        waiting_expect (&waiting, i, NULL, EDDY_IO_ERROR_TIMED_OUT);
        ck_assert_int_ge (eddy_get_monotonic_time_ns () - begin_ns, SHORT_NS);
        waiting_end (&waiting);
    }
}

/* A timeout says nothing of the next operation, nor of the other direction. */
SOCKET_TEST_ANYWHERE (N1_a_timeout_is_of_one_operation)
{
    SocketPair pair = socket_connect_tcp ();
    EddyError *error = NULL;
    EddySocketAddress *peer = eddy_socket_get_remote_address (pair.client, NULL);
    char *name = eddy_socket_address_to_string (peer);
    eddy_socket_set_timeout (pair.client, SHORT_NS, 0);
    ck_assert_int_eq (eddy_socket_get_receive_timeout (pair.client), SHORT_NS);
    ck_assert_int_eq (eddy_socket_get_send_timeout (pair.client), 0);
    ck_assert_int_eq (eddy_socket_receive (pair.client, waiting_buffer, 1, NULL, &error), -1);
    ck_assert_ptr_nonnull (strstr (eddy_error_get_message (error), name));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_TIMED_OUT);
    socket_send_text (pair.client, "still here");
    socket_expect_text (pair.server, "still here");
    socket_send_text (pair.server, "and so are we");
    socket_expect_text (pair.client, "and so are we");
    eddy_free (name);
    eddy_unref (peer);
    socket_pair_end (&pair);
}

/* The caller's cancel, and his nearer deadline, are told as such. */
SOCKET_TEST_ANYWHERE (N1_a_caller_s_deadline_comes_first)
{
    SocketPair pair = socket_connect_tcp ();
    EddyError *error = NULL;
    EddyCancellable *limit = eddy_cancellable_new_with_timeout (NULL, SHORT_NS);
    eddy_socket_set_timeout (pair.client, INT64_C (60000000000), 0);
    ck_assert_int_eq (eddy_socket_receive (pair.client, waiting_buffer, 1, limit, &error), -1);
    ck_assert_ptr_null (strstr (eddy_error_get_message (error), "receive"));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_TIMED_OUT);
    eddy_unref (limit);
    limit = eddy_cancellable_new ();
    eddy_cancellable_cancel (limit);
    ck_assert_int_eq (eddy_socket_receive (pair.client, waiting_buffer, 1, limit, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    eddy_unref (limit);
    socket_pair_end (&pair);
}

/* --- closing ---------------------------------------------------------------------------------- */

typedef struct WaitingFiber {
    size_t index;
    Waiting *waiting;
    bool ended;
} WaitingFiber;

static void *wait_to_be_closed (void *data, EddyError **error)
{
    WaitingFiber *self = data;
    EddyError *closed = NULL;
    (void) error;
    ck_assert (!waits[self->index].run (self->waiting, NULL, &closed));
    eddy_test_expect_error (&closed, EDDY_IO_ERROR_CLOSED);
    self->ended = true;
    return NULL;
}

static void close_while_waiting (size_t index, int64_t timeout_ns)
{
    Waiting waiting = waiting_begin (index);
    WaitingFiber one = { index, &waiting, false }, two = one;
    eddy_socket_set_timeout (waiting.on, timeout_ns, timeout_ns);
    EddyFuture *first = socket_beside (wait_to_be_closed, &one);
    EddyFuture *second = socket_beside (wait_to_be_closed, &two);
    for (int i = 0; i < 4; i++)
        ck_assert (eddy_fiber_sleep (1000000, NULL)); /* they are under way */
    ck_assert (eddy_socket_close (waiting.on, NULL));
    ck_assert (!one.ended && !two.ended); /* never inside the close */
    ck_assert_int_eq (eddy_socket_get_fd (waiting.on), -1);
    socket_join (first);
    socket_join (second);
    waiting_end (&waiting);
}

EDDY_TEST_IN_FIBER (D_socket_close_ends_what_is_under_way)
{
    for (size_t i = 0; i < N_WAITS; i++) {
        close_while_waiting (i, 0);
        close_while_waiting (i, INT64_C (60000000000)); /* watched by a deadline, too */
    }
}

/* Loops that wait for the same socket, one in each context: the kernel ends that, and what it says
 * then is nobody's end. */
static void close_in_two_contexts (size_t index)
{
    EddyContext *first = eddy_test_context_begin ();
    EddyContext *second = eddy_context_new ();
    Waiting waiting = waiting_begin (index);
    WaitingFiber one = { index, &waiting, false }, two = one;
    EddyFuture *fibers[] = { eddy_spawn (first, wait_to_be_closed, &one, NULL),
                             eddy_spawn (second, wait_to_be_closed, &two, NULL) };
    for (int i = 0; i < 4; i++) {
        eddy_context_iteration (first, false);
        eddy_context_iteration (second, false);
    }
    ck_assert (eddy_socket_close (waiting.on, NULL));
    while (!one.ended || !two.ended) {
        eddy_context_iteration (first, false);
        eddy_context_iteration (second, false);
    }
    eddy_unref (fibers[0]);
    eddy_unref (fibers[1]);
    waiting_end (&waiting);
    eddy_unref (second);
    eddy_test_context_end (first);
}

EDDY_TEST (D_socket_close_ends_what_two_contexts_wait_for)
{
    for (size_t i = 0; i < N_WAITS; i++)
        close_in_two_contexts (i);
}

static void *wait_to_be_ready (void *data, EddyError **error)
{
    WaitingFiber *self = data;
    ck_assert_int_eq (eddy_socket_condition_wait (self->waiting->on, POLLIN, NULL, error), POLLIN);
    self->ended = true;
    return NULL;
}

/* What a child of a fork closes is its own fd: neither what its parent waits for, in one context or
 * in two, nor the connection. */
static void close_in_child (int n_contexts)
{
    Waiting waiting = waiting_begin (4);
    EddyContext *contexts[2];
    EddyFuture *futures[2];
    WaitingFiber fibers[2];
    for (int i = 0; i < n_contexts; i++) {
        contexts[i] = eddy_context_new ();
        fibers[i] = (WaitingFiber){ 4, &waiting, false };
        futures[i] = eddy_spawn (contexts[i], wait_to_be_ready, &fibers[i], NULL);
        for (int j = 0; j < 3; j++)
            eddy_context_iteration (contexts[i], false);
    }
    pid_t child = fork ();
    if (child == 0) {
        (void) eddy_socket_close (waiting.on, NULL);
        _exit (0);
    }
    int status;
    ck_assert_int_eq (waitpid (child, &status, 0), child);
    ck_assert_int_eq (status, 0);
    socket_send_text (waiting.pair.server, "still here");
    for (int i = 0; i < n_contexts; i++) {
        while (!fibers[i].ended)
            eddy_context_iteration (contexts[i], true);
        eddy_unref (futures[i]);
        eddy_unref (contexts[i]);
    }
    socket_expect_text (waiting.on, "still here");
    waiting_end (&waiting);
}

EDDY_TEST (D_socket_closed_by_a_child_of_a_fork)
{
    close_in_child (1);
    close_in_child (2);
}

/* More of them than a close looks at in one go. */
EDDY_TEST_IN_FIBER (D_socket_close_ends_any_number)
{
    enum { MANY = 100 };
    Waiting waiting = waiting_begin (1);
    WaitingFiber fibers[MANY];
    EddyFuture *futures[MANY];
    for (size_t i = 0; i < MANY; i++) {
        fibers[i] = (WaitingFiber){ i % 4 + 1, &waiting, false };
        futures[i] = socket_beside (wait_to_be_closed, &fibers[i]);
    }
    ck_assert (eddy_fiber_sleep (1000000, NULL));
    ck_assert (eddy_socket_close (waiting.on, NULL));
    for (size_t i = 0; i < MANY; i++)
        socket_join (futures[i]);
    waiting_end (&waiting);
}

/* A cancel that comes before the close is told as one. */
static void *wait_to_be_cancelled (void *data, EddyError **error)
{
    Waiting *waiting = data;
    (void) do_receive (waiting, NULL, error);
    ck_assert (eddy_error_is_cancelled (*error));
    eddy_clear_error (error);
    return NULL;
}

EDDY_TEST_IN_FIBER (D_socket_close_after_a_cancel)
{
    Waiting waiting = waiting_begin (1);
    EddyFuture *fiber = socket_beside (wait_to_be_cancelled, &waiting);
    ck_assert (eddy_fiber_sleep (1000000, NULL));
    eddy_future_cancel (fiber);
    ck_assert (eddy_socket_close (waiting.on, NULL));
    socket_join (fiber);
    waiting_end (&waiting);
}

/* The number of a closed fd is another file's at once: nothing of the socket's meets it. */
EDDY_TEST_IN_FIBER (D_socket_close_leaves_other_files_alone)
{
    for (int i = 0; i < 100; i++) {
        Waiting waiting = waiting_begin (1);
        WaitingFiber one = { 1, &waiting, false };
        EddyFuture *fiber = socket_beside (wait_to_be_closed, &one);
        eddy_fiber_yield ();
        int fd = eddy_socket_get_fd (waiting.on), fds[2];
        ck_assert_int_eq (write (eddy_socket_get_fd (waiting.pair.server), "too late", 8), 8);
        ck_assert (eddy_socket_close (waiting.on, NULL));
        socket_take_number (fd, fds);
        socket_join (fiber);
        socket_expect_kept (fds);
        waiting_end (&waiting);
    }
}

SOCKET_TEST_ANYWHERE (N4_closing_twice_and_what_comes_after)
{
    EddyError *error = NULL;
    for (size_t i = 0; i < N_WAITS; i++) {
        Waiting waiting = waiting_begin (i);
        ck_assert (eddy_socket_close (waiting.on, &error) &&
                   eddy_socket_close (waiting.on, &error));
        ck_assert (eddy_socket_is_closed (waiting.on));
        ck_assert_int_eq (eddy_socket_get_fd (waiting.on), -1);
        ck_assert_int_eq (eddy_socket_condition_check (waiting.on, POLLIN), POLLNVAL);
        ck_assert_int_eq (eddy_socket_get_available_bytes (waiting.on), -1);
        waiting_expect (&waiting, i, NULL, EDDY_IO_ERROR_CLOSED);
        waiting_end (&waiting);
    }
    EddySocketAddress *address = socket_loopback (EDDY_SOCKET_FAMILY_IPV4, 1);
    EddySocket *closed = socket_make (EDDY_SOCKET_FAMILY_IPV4, EDDY_SOCKET_TYPE_STREAM);
    int value;
    ck_assert (eddy_socket_close (closed, &error));
    ck_assert (!eddy_socket_bind (closed, address, true, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
    ck_assert (!eddy_socket_listen (closed, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
    ck_assert (!eddy_socket_connect (closed, address, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
    ck_assert (!eddy_socket_shutdown (closed, true, true, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
    ck_assert (!eddy_socket_get_option_by_name (closed, "nodelay", &value, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
    ck_assert_ptr_null (eddy_socket_get_local_address (closed, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
    ck_assert_ptr_null (eddy_socket_get_credentials (closed, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
    eddy_unref (address);
    eddy_unref (closed);
}

/* By callback an operation has a reference of its own: the last one of the program's may go. */
static void dropped_told (void *source_object, EddyAsyncResult *result, void *user_data)
{
    EddyError *error = NULL;
    ck_assert_int_eq (eddy_socket_receive_finish (source_object, result, &error), 1);
    *(bool *) user_data = true;
}

EDDY_TEST (D_socket_dropped_while_it_receives)
{
    EddyContext *context = eddy_test_context_begin ();
    SocketPair pair = socket_connect_unix (EDDY_SOCKET_TYPE_STREAM);
    bool done = false;
    eddy_socket_receive_async (pair.client, waiting_buffer, 1, EDDY_PRIORITY_DEFAULT, NULL,
                               dropped_told, &done);
    eddy_clear (&pair.client);
    eddy_context_iteration (context, false);
    socket_send_text (pair.server, "x");
    while (!done)
        eddy_context_iteration (context, true);
    ck_assert_int_eq (send (eddy_socket_get_fd (pair.server), "x", 1, MSG_NOSIGNAL), -1);
    socket_pair_end (&pair);
    eddy_test_context_end (context);
}
