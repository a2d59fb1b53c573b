/* SPDX-License-Identifier: MIT */
/* Services: who is accepted, by whom they are looked after, and how all of it ends. */
#include <eddy/testing.h>
#include <time.h>

#include "listener.h"

static const int64_t MILLISECOND_NS = 1000 * 1000;

/* --- services --------------------------------------------------------------------------------- */

/* What a service of these tests counts. */
typedef struct Served {
    EddySocketService *service;
    uint16_t port;
    int n_begun;
    int n_ended;
    int n_cancelled;
    int n_destroyed;
    int events[EDDY_SOCKET_SERVICE_FAILED + 1];
    int n_offered;
    EddySocketConnection *kept;
} Served;

static EddySocketService *service_new (void)
{
    EddyError *error = NULL;
    EddySocketService *service = eddy_socket_service_new (&error);
    ck_assert_msg (service != NULL, "%s", eddy_error_get_message (error));
    return service;
}

static void note_service_event (EddySocketService *service, EddySocketServiceEvent event,
                                EddySocketConnection *connection, const EddyError *error,
                                void *user_data)
{
    Served *served = user_data;
    ck_assert_ptr_eq (service, served->service);
    ck_assert_int_eq (connection != NULL, event == EDDY_SOCKET_SERVICE_FAILED);
    ck_assert_int_eq (error != NULL,
                      event == EDDY_SOCKET_SERVICE_FAILED || event == EDDY_SOCKET_SERVICE_STARVED);
    served->events[event]++;
}

static void served_destroyed (void *user_data)
{
    ((Served *) user_data)->n_destroyed++;
}

/* Sends back what comes, up to the end. */
static bool echo (EddySocketService *service, EddySocketConnection *connection,
                  EddyObject *source_object, void *user_data, EddyError **error)
{
    Served *served = user_data;
    ck_assert_ptr_eq (service, served->service);
    ck_assert_ptr_null (source_object);
    served->n_begun++;
    connection_echo (connection, error);
    served->n_ended++;
    served->n_cancelled += error != NULL && eddy_error_is_cancelled (*error);
    return *error == NULL;
}

static void service_begin (Served *served, EddySocketServiceHandlerFunc handler)
{
    if (served->service == NULL)
        served->service = service_new ();
    eddy_socket_service_set_event_func (served->service, note_service_event, served,
                                        served_destroyed);
    if (handler != NULL)
        eddy_socket_service_set_handler (served->service, handler, served, served_destroyed, NULL);
    served->port = listener_add_loopback (EDDY_SOCKET_LISTENER (served->service), NULL);
}

static void turns (int n)
{
    for (int i = 0; i < n; i++)
        eddy_fiber_yield ();
}

/* Until it holds; the watchdog says when it never does. */
#define UNTIL(condition)                                                                           \
    while (!(condition))                                                                           \
    ck_assert (eddy_fiber_sleep (MILLISECOND_NS / 4, NULL))

/* The same in a test that is no fiber. */
#define ITERATE_UNTIL(context, condition)                                                          \
    while (!(condition))                                                                           \
    eddy_context_iteration (context, true)

static void service_end (Served *served)
{
    EddyError *error = NULL;
    bool good = eddy_socket_service_shutdown (served->service, -1, NULL, &error);
    ck_assert_msg (good, "%s", eddy_error_get_message (error));
    eddy_clear (&served->service);
}

/* Whether the peer's words come back, without waiting for long. */
static bool peer_is_served (int peer, int milliseconds)
{
    char back = 0;
    ck_assert_int_eq (send (peer, "x", 1, MSG_NOSIGNAL), 1);
    for (int i = 0; i < milliseconds * 4; i++) {
        if (recv (peer, &back, 1, MSG_DONTWAIT) == 1)
            return back == 'x';
        ck_assert (eddy_fiber_sleep (MILLISECOND_NS / 4, NULL));
    }
    return false;
}

/* The same as peer_expect_end(), while others run. */
static void peer_await_end (int peer)
{
    char byte;
    ssize_t count;
    while ((count = recv (peer, &byte, 1, MSG_DONTWAIT)) < 0 && errno == EAGAIN)
        ck_assert (eddy_fiber_sleep (MILLISECOND_NS / 4, NULL));
    ck_assert (count == 0 || errno == ECONNRESET);
}

/* --- starting and stopping -------------------------------------------------------------------- */

LISTENER_FIBER_TEST (N25_active_from_the_start)
{
    Served served = { 0 };
    service_begin (&served, echo);
    ck_assert (eddy_socket_service_is_active (served.service));
    int peer = peer_connect (served.port);
    ck_assert (peer_is_served (peer, 5000));
    ck_assert_uint_eq (eddy_socket_service_get_n_connections (served.service), 1);
    close (peer);
    UNTIL (eddy_socket_service_get_n_connections (served.service) == 0);
    service_end (&served);
    ck_assert_int_eq (served.n_ended, 1);
    UNTIL (served.n_destroyed == 2);
}

LISTENER_FIBER_TEST (N25_a_stopped_service_leaves_them_in_the_kernel)
{
    Served served = { 0 };
    service_begin (&served, echo);
    eddy_socket_service_stop (served.service);
    ck_assert (!eddy_socket_service_is_active (served.service));
    UNTIL (served.events[EDDY_SOCKET_SERVICE_STOPPED] == 1);
    int peer = peer_connect (served.port);
    ck_assert (!peer_is_served (peer, 5));
    eddy_socket_service_start (served.service);
    UNTIL (served.n_begun == 1);
    ck_assert_int_eq (served.events[EDDY_SOCKET_SERVICE_STARTED], 1);
    /* And so where it waited for connections when it was stopped. */
    eddy_socket_service_stop (served.service);
    UNTIL (served.events[EDDY_SOCKET_SERVICE_STOPPED] == 2);
    int other = peer_connect (served.port);
    ck_assert (!peer_is_served (other, 5));
    ck_assert (peer_is_served (peer, 5000));
    eddy_socket_service_start (served.service);
    ck_assert (peer_is_served (other, 5000));
    close (peer);
    close (other);
    service_end (&served);
}

LISTENER_FIBER_TEST (N25_stopped_and_started_before_its_first_socket)
{
    Served served = { .service = service_new () };
    eddy_socket_service_stop (served.service);
    eddy_socket_service_start (served.service);
    turns (3);
    service_begin (&served, echo);
    int peer = peer_connect (served.port);
    ck_assert (peer_is_served (peer, 5000));
    close (peer);
    service_end (&served);
}

static void *flip_elsewhere (void *data, EddyCancellable *cancellable, EddyError **error)
{
    (void) cancellable;
    (void) error;
    for (int i = 0; i < 200; i++) {
        eddy_socket_service_stop (data);
        eddy_socket_service_start (data);
    }
    return NULL;
}

LISTENER_FIBER_TEST (N25_started_and_stopped_by_other_threads)
{
    Served served = { 0 };
    service_begin (&served, echo);
    EddyFuture *flips[3];
    for (int i = 0; i < 3; i++)
        flips[i] = eddy_run_blocking_future (flip_elsewhere, served.service, NULL, 0, NULL);
    for (int i = 0; i < 20; i++) {
        int peer = peer_connect (served.port);
        ck_assert (peer_is_served (peer, 5000));
        close (peer);
    }
    for (int i = 0; i < 3; i++) {
        ck_assert (eddy_await_complete (flips[i], NULL));
        eddy_unref (flips[i]);
    }
    ck_assert (eddy_socket_service_is_active (served.service));
    service_end (&served);
    ck_assert_int_eq (served.n_ended, 20);
}

/* --- who looks after a connection ------------------------------------------------------------- */

static bool keep_second (EddySocketService *service, EddySocketConnection *connection,
                         EddyObject *source_object, void *user_data)
{
    Served *served = user_data;
    ck_assert_ptr_eq (service, served->service);
    ck_assert_ptr_nonnull (source_object);
    served->n_begun++;
    if (served->n_begun == 2)
        served->kept = eddy_ref (connection);
    return true;
}

LISTENER_FIBER_TEST (N26_dropped_unless_somebody_keeps_it)
{
    EddyError *error = NULL;
    Served served = { .service = service_new () };
    EDDY_AUTO (EddyCancellable) tag = eddy_cancellable_new ();
    eddy_socket_service_set_incoming_func (served.service, keep_second, &served, served_destroyed);
    served.port = listener_add_loopback (EDDY_SOCKET_LISTENER (served.service), tag);
    int first = peer_connect (served.port);
    UNTIL (served.n_begun == 1);
    peer_expect_end (first);
    int second = peer_connect (served.port);
    UNTIL (served.n_begun == 2);
    ck_assert_uint_eq (eddy_socket_service_get_n_connections (served.service), 1);
    EddyOutputStream *output = eddy_io_stream_get_output_stream (EDDY_IO_STREAM (served.kept));
    ck_assert_int_eq (eddy_output_stream_write (output, "x", 1, NULL, &error), 1);
    char byte;
    ck_assert_int_eq (recv (second, &byte, 1, 0), 1);
    eddy_clear (&served.kept);
    peer_expect_end (second);
    ck_assert_uint_eq (eddy_socket_service_get_n_connections (served.service), 0);
    close (first);
    close (second);
    service_end (&served);
    UNTIL (served.n_destroyed == 1);
}

static bool keep_some (EddySocketService *service, EddySocketConnection *connection,
                       EddyObject *source_object, void *user_data)
{
    Served *served = user_data;
    (void) service;
    (void) connection;
    (void) source_object;
    return ++served->n_offered % 2 == 1;
}

LISTENER_FIBER_TEST (N26_what_is_not_taken_goes_to_the_handler)
{
    Served served = { .service = service_new () };
    eddy_socket_service_set_incoming_func (served.service, keep_some, &served, NULL);
    service_begin (&served, echo);
    int dropped = peer_connect (served.port);
    peer_await_end (dropped);
    int handled = peer_connect (served.port);
    ck_assert (peer_is_served (handled, 5000));
    ck_assert_int_eq (served.n_begun, 1);
    close (dropped);
    close (handled);
    service_end (&served);
}

static bool close_at_once (EddySocketService *service, EddySocketConnection *connection,
                           EddyObject *source_object, void *user_data)
{
    Served *served = user_data;
    (void) service;
    (void) source_object;
    served->n_offered++;
    ck_assert (
        eddy_socket_close (eddy_socket_connection_get_socket (connection), /* error= */ NULL));
    return false;
}

/* The handler finds it closed. */
LISTENER_FIBER_TEST (N26_closed_by_who_is_offered_it)
{
    Served served = { .service = service_new () };
    eddy_socket_service_set_incoming_func (served.service, close_at_once, &served, NULL);
    service_begin (&served, echo);
    for (int i = 1; i <= 3; i++) {
        int peer = peer_connect (served.port);
        peer_await_end (peer);
        UNTIL (served.n_ended == i);
        ck_assert_uint_eq (eddy_socket_service_get_n_connections (served.service), 0);
        close (peer);
    }
    ck_assert_int_eq (served.n_offered, 3);
    ck_assert_int_eq (served.events[EDDY_SOCKET_SERVICE_FAILED], 3);
    service_end (&served);
}

static bool fail_at_once (EddySocketService *service, EddySocketConnection *connection,
                          EddyObject *source_object, void *user_data, EddyError **error)
{
    (void) service;
    (void) connection;
    (void) source_object;
    (void) user_data;
    eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_FAILED, "as it was to");
    return false;
}

LISTENER_FIBER_TEST (D_service_a_handler_s_failure_is_its_own)
{
    Served served = { 0 };
    service_begin (&served, fail_at_once);
    for (int i = 1; i <= 3; i++) {
        int peer = peer_connect (served.port);
        peer_await_end (peer);
        ck_assert_int_eq (served.events[EDDY_SOCKET_SERVICE_FAILED], i);
        close (peer);
    }
    service_end (&served);
}

/* --- limits ----------------------------------------------------------------------------------- */

LISTENER_FIBER_TEST (N27_accepts_no_more_than_it_may)
{
    Served served = { .service = service_new () };
    eddy_socket_service_set_max_connections (served.service, 2);
    service_begin (&served, echo);
    int peers[4];
    for (int i = 0; i < 4; i++)
        peers[i] = peer_connect (served.port);
    ck_assert (peer_is_served (peers[0], 5000));
    ck_assert (peer_is_served (peers[1], 5000));
    ck_assert (!peer_is_served (peers[2], 5));
    ck_assert_int_eq (served.n_begun, 2);
    ck_assert_int_eq (served.events[EDDY_SOCKET_SERVICE_FULL], 1);
    close (peers[0]);
    UNTIL (served.n_begun == 3);
    ck_assert_int_eq (served.events[EDDY_SOCKET_SERVICE_RESUMED], 1);
    ck_assert (!peer_is_served (peers[3], 5));
    eddy_socket_service_set_max_connections (served.service, 3);
    UNTIL (served.n_begun == 4);
    ck_assert_uint_eq (eddy_socket_service_get_n_connections (served.service), 3);
    for (int i = 1; i < 4; i++)
        close (peers[i]);
    service_end (&served);
}

/* Given up from inside, by the last of those that it looks after. */
static bool let_go (EddySocketService *service, EddySocketConnection *connection,
                    EddyObject *source_object, void *user_data, EddyError **error)
{
    Served *served = user_data;
    (void) service;
    (void) connection;
    (void) source_object;
    eddy_clear (&served->service);
    served->n_begun++;
    bool slept = eddy_fiber_sleep (1000 * MILLISECOND_NS, error);
    served->n_cancelled += !slept;
    return slept;
}

LISTENER_FIBER_TEST (N27_may_be_let_go_of_by_a_handler)
{
    Served served = { 0 };
    service_begin (&served, let_go);
    int peer = peer_connect (served.port);
    UNTIL (served.n_destroyed == 2);
    ck_assert_int_eq (served.n_begun, 1);
    ck_assert_int_eq (served.n_cancelled, 1);
    peer_expect_end (peer);
    close (peer);
}

/* Whose data are given up sets another one meanwhile. */
typedef struct Fickle {
    EddySocketService *service;
    void (*set_none) (EddySocketService *service);
    int n_destroyed;
} Fickle;

static void set_no_incoming_func (EddySocketService *service)
{
    eddy_socket_service_set_incoming_func (service, NULL, NULL, NULL);
}

static void set_no_handler (EddySocketService *service)
{
    eddy_socket_service_set_handler (service, NULL, NULL, NULL, NULL);
}

static void set_no_event_func (EddySocketService *service)
{
    eddy_socket_service_set_event_func (service, NULL, NULL, NULL);
}

static void fickle_destroyed (void *user_data)
{
    Fickle *self = user_data;
    if (self->n_destroyed++ == 0)
        self->set_none (self->service);
}

LISTENER_FIBER_TEST (D_service_gives_up_data_once)
{
    Fickle incoming = { service_new (), set_no_incoming_func, 0 };
    Fickle handler = { incoming.service, set_no_handler, 0 };
    Fickle event = { incoming.service, set_no_event_func, 0 };
    eddy_socket_service_set_incoming_func (incoming.service, NULL, &incoming, fickle_destroyed);
    eddy_socket_service_set_handler (incoming.service, NULL, &handler, fickle_destroyed, NULL);
    eddy_socket_service_set_event_func (incoming.service, NULL, &event, fickle_destroyed);
    set_no_incoming_func (incoming.service);
    set_no_handler (incoming.service);
    set_no_event_func (incoming.service);
    ck_assert_int_eq (incoming.n_destroyed, 1);
    ck_assert_int_eq (handler.n_destroyed, 1);
    ck_assert_int_eq (event.n_destroyed, 1);
    eddy_unref (incoming.service);
}

static double cpu_seconds (void)
{
    struct timespec time;
    clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double) time.tv_sec + (double) time.tv_nsec * 1e-9;
}

LISTENER_FIBER_TEST (N28_without_fds_it_waits_and_says_so_once)
{
    Served served = { 0 };
    service_begin (&served, echo);
    int first = peer_connect (served.port);
    ck_assert (peer_is_served (first, 5000));
    int second = peer_connect (served.port);
    int third = peer_connect (served.port);
    rlim_t before = fds_exhaust ();
    double cpu_before = cpu_seconds ();
    ck_assert (eddy_fiber_sleep (200 * MILLISECOND_NS, NULL));
    double spent = cpu_seconds () - cpu_before;
    ck_assert_int_eq (served.events[EDDY_SOCKET_SERVICE_STARVED], 1);
    ck_assert_int_eq (served.n_begun, 1);
    ck_assert_msg (spent < 0.04, "%.3f s of processor time in 0.2 s", spent);
    /* A connection that ends leaves its fd, and here its peer's, for others. */
    close (first);
    UNTIL (served.n_begun == 3);
    ck_assert_int_eq (served.events[EDDY_SOCKET_SERVICE_STARVED], 1);
    ck_assert_int_eq (served.events[EDDY_SOCKET_SERVICE_RESUMED], 1);
    fds_allow (before);
    close (second);
    close (third);
    service_end (&served);
}

LISTENER_FIBER_TEST (D_service_without_fds_refuses_where_it_is_to)
{
    EddyError *error = NULL;
    Served served = { .service = service_new () };
    int peers[5];
    ck_assert (eddy_socket_service_refuse_when_starved (served.service, &error));
    service_begin (&served, echo);
    eddy_socket_service_stop (served.service);
    for (int i = 0; i < 5; i++)
        peers[i] = peer_connect (served.port);
    rlim_t before = fds_exhaust ();
    eddy_socket_service_start (served.service);
    for (int i = 0; i < 5; i++)
        peer_await_end (peers[i]);
    ck_assert_int_eq (served.n_begun, 0);
    ck_assert_int_eq (served.events[EDDY_SOCKET_SERVICE_STARVED], 1);
    ck_assert_uint_eq (eddy_socket_service_get_n_connections (served.service), 0);
    fds_allow (before);
    int peer = peer_connect (served.port);
    ck_assert (peer_is_served (peer, 5000));
    ck_assert_int_eq (served.events[EDDY_SOCKET_SERVICE_RESUMED], 1);
    close (peer);
    for (int i = 0; i < 5; i++)
        close (peers[i]);
    service_end (&served);
}

/* --- the end ---------------------------------------------------------------------------------- */

typedef struct Shutdown {
    EddySocketService *service;
    int64_t grace_ns;
    bool done;
    bool good;
    EddyError *error;
    EddyCancellable *cancellable;
} Shutdown;

static void *shut_down (void *data, EddyError **error)
{
    Shutdown *shutdown = data;
    (void) error;
    shutdown->good = eddy_socket_service_shutdown (shutdown->service, shutdown->grace_ns,
                                                   shutdown->cancellable, &shutdown->error);
    shutdown->done = true;
    return NULL;
}

LISTENER_FIBER_TEST (D_service_shutdown_waits_for_connections)
{
    Served served = { 0 };
    service_begin (&served, echo);
    int peer = peer_connect (served.port);
    ck_assert (peer_is_served (peer, 5000));
    Shutdown shutdown = { .service = served.service, .grace_ns = 20000 * MILLISECOND_NS };
    EddyFuture *fiber = eddy_spawn_local (shut_down, &shutdown, NULL);
    turns (20);
    ck_assert (!eddy_socket_service_is_active (served.service));
    eddy_socket_service_start (served.service);
    ck_assert (!eddy_socket_service_is_active (served.service));
    ck_assert (peer_is_served (peer, 5000));
    ck_assert (!shutdown.done);
    close (peer);
    ck_assert (eddy_await_complete (fiber, NULL));
    ck_assert (shutdown.good);
    ck_assert_int_eq (served.n_ended, 1);
    ck_assert_int_eq (served.n_cancelled, 0);
    service_end (&served); /* once more */
    eddy_unref (fiber);
}

LISTENER_FIBER_TEST (D_service_shutdown_ends_the_rest_after_the_grace)
{
    EddyError *error = NULL;
    Served served = { 0 };
    service_begin (&served, echo);
    int peer = peer_connect (served.port);
    ck_assert (peer_is_served (peer, 5000));
    ck_assert (!eddy_socket_service_shutdown (served.service, 3 * MILLISECOND_NS, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_TIMED_OUT);
    ck_assert_int_eq (served.n_cancelled, 1);
    ck_assert_uint_eq (eddy_socket_service_get_n_connections (served.service), 0);
    peer_expect_end (peer);
    close (peer);
    eddy_unref (served.service);
    UNTIL (served.n_destroyed == 2);
}

LISTENER_FIBER_TEST (D_service_shutdown_cuts_off_what_others_keep)
{
    EddyError *error = NULL;
    Served served = { .service = service_new (), .n_begun = 1 };
    EDDY_AUTO (EddyCancellable) tag = eddy_cancellable_new ();
    eddy_socket_service_set_incoming_func (served.service, keep_second, &served, NULL);
    served.port = listener_add_loopback (EDDY_SOCKET_LISTENER (served.service), tag);
    int peer = peer_connect (served.port);
    UNTIL (served.kept != NULL);
    ck_assert (!eddy_socket_service_shutdown (served.service, 0, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_TIMED_OUT);
    peer_expect_end (peer);
    char byte;
    EddyInputStream *input = eddy_io_stream_get_input_stream (EDDY_IO_STREAM (served.kept));
    ck_assert_int_eq (eddy_input_stream_read (input, &byte, 1, NULL, &error), 0);
    eddy_unref (served.service);
    eddy_unref (served.kept); /* after the service */
    close (peer);
}

LISTENER_FIBER_TEST (D_service_shutdown_waits_for_what_others_keep)
{
    Served served = { .service = service_new (), .n_begun = 1 };
    EDDY_AUTO (EddyCancellable) tag = eddy_cancellable_new ();
    eddy_socket_service_set_incoming_func (served.service, keep_second, &served, NULL);
    served.port = listener_add_loopback (EDDY_SOCKET_LISTENER (served.service), tag);
    int peer = peer_connect (served.port);
    UNTIL (served.kept != NULL);
    Shutdown shutdown = { .service = served.service, .grace_ns = -1 };
    EddyFuture *fiber = eddy_spawn_local (shut_down, &shutdown, NULL);
    ck_assert (eddy_fiber_sleep (3 * MILLISECOND_NS, NULL));
    ck_assert (!shutdown.done);
    eddy_clear (&served.kept);
    ck_assert (eddy_await_complete (fiber, NULL));
    ck_assert (shutdown.good);
    peer_expect_end (peer);
    close (peer);
    eddy_unref (fiber);
    eddy_unref (served.service);
}

static bool shut_down_from_inside (EddySocketService *service, EddySocketConnection *connection,
                                   EddyObject *source_object, void *user_data, EddyError **error)
{
    Served *served = user_data;
    (void) connection;
    (void) source_object;
    ck_assert (!eddy_socket_service_shutdown (service, 0, NULL, error));
    ck_assert_int_eq (eddy_error_get_errno (*error), EDEADLK);
    served->n_begun++;
    return false;
}

LISTENER_FIBER_TEST (D_service_shutdown_is_not_a_handler_s)
{
    Served served = { 0 };
    service_begin (&served, shut_down_from_inside);
    int peer = peer_connect (served.port);
    UNTIL (served.n_begun == 1);
    ck_assert (eddy_socket_service_is_active (served.service));
    close (peer);
    service_end (&served);
    ck_assert_int_eq (served.events[EDDY_SOCKET_SERVICE_FAILED], 1);
}

LISTENER_FIBER_TEST (D_service_cancelled_shutdown_ends_the_rest_at_once)
{
    Served served = { 0 };
    service_begin (&served, echo);
    int peer = peer_connect (served.port);
    ck_assert (peer_is_served (peer, 5000));
    Shutdown shutdown = { .service = served.service,
                          .grace_ns = -1,
                          .cancellable = eddy_cancellable_new () };
    EddyFuture *fiber = eddy_spawn_local (shut_down, &shutdown, NULL);
    turns (20);
    ck_assert (!shutdown.done);
    eddy_cancellable_cancel (shutdown.cancellable);
    ck_assert (eddy_await_complete (fiber, NULL));
    ck_assert (!shutdown.good);
    eddy_test_expect_error (&shutdown.error, EDDY_IO_ERROR_CANCELLED);
    ck_assert_int_eq (served.n_cancelled, 1);
    peer_expect_end (peer);
    close (peer);
    eddy_unref (fiber);
    eddy_unref (shutdown.cancellable);
    eddy_unref (served.service);
}

/* It runs the service's own context, in which the handlers are. */
LISTENER_TEST (D_service_shutdown_in_a_plain_thread)
{
    Served served = { 0 };
    service_begin (&served, echo);
    int peer = peer_connect (served.port);
    ITERATE_UNTIL (context, served.n_begun == 1);
    shutdown (peer, SHUT_WR);
    service_end (&served);
    ck_assert_int_eq (served.n_ended, 1);
    close (peer);
}

LISTENER_TEST (D_service_without_sockets)
{
    Served served = { .service = service_new () };
    ck_assert_ptr_eq (eddy_socket_service_get_context (served.service), context);
    service_end (&served);
    eddy_unref (service_new ());
    eddy_context_iteration (context, false);
}

LISTENER_FIBER_TEST (D_service_last_reference_ends_it)
{
    Served served = { 0 };
    service_begin (&served, echo);
    int peer = peer_connect (served.port);
    ck_assert (peer_is_served (peer, 5000));
    eddy_clear (&served.service);
    UNTIL (served.n_destroyed == 2);
    ck_assert_int_eq (served.n_cancelled, 1);
    peer_expect_end (peer);
    close (peer);
}

/* --- in every form, cancelled everywhere ------------------------------------------------------ */

static void was_shut_down (void *source_object, EddyAsyncResult *result, void *user_data)
{
    EddyError *error = NULL;
    bool good = eddy_socket_service_shutdown_finish (source_object, result, &error);
    ck_assert_msg (good, "%s", eddy_error_get_message (error));
    *(bool *) user_data = true;
}

LISTENER_TEST (D_service_shutdown_in_every_form)
{
    EddyError *error = NULL;
    for (int i = 0; i < 2; i++) {
        Served served = { 0 };
        bool called = false;
        service_begin (&served, echo);
        int peer = peer_connect (served.port);
        ITERATE_UNTIL (context, served.n_begun == 1);
        EDDY_AUTO (EddyFuture)
        future = i == 0 ? NULL : eddy_socket_service_shutdown_future (served.service, -1, 0, NULL);
        if (i == 0)
            eddy_socket_service_shutdown_async (served.service, -1, 0, NULL, was_shut_down,
                                                &called);
        eddy_context_iteration (context, false);
        ck_assert (!called && (future == NULL || !eddy_future_is_complete (future)));
        close (peer);
        if (i == 0)
            ITERATE_UNTIL (context, called);
        else
            ck_assert (eddy_block_on_boolean (context, future, &error));
        ck_assert_int_eq (served.n_ended, 1);
        eddy_unref (served.service);
    }
}

/* Whatever has come, nothing runs afterwards. */
static void service_end_at_once (Served *served)
{
    EDDY_SHIELD (-1)
    {
        (void) eddy_socket_service_shutdown (served->service, 0, NULL, NULL);
    }
    ck_assert_int_eq (served->n_begun, served->n_ended);
    ck_assert_uint_eq (eddy_socket_service_get_n_connections (served->service), 0);
    eddy_clear (&served->service);
}

static void *serve_everywhere (void *data, EddyError **error)
{
    Served *served = data;
    *served = (Served){ 0 };
    service_begin (served, echo);
    int peer = peer_connect (served->port);
    while (*error == NULL && served->n_begun == 0)
        (void) eddy_fiber_sleep (0, error);
    close (peer);
    if (*error == NULL)
        (void) eddy_socket_service_shutdown (served->service, -1, NULL, error);
    service_end_at_once (served);
    return NULL;
}

EDDY_TEST (D_service_cancelled_everywhere)
{
    EddyTestCancelReport report;
    Served served;
    bool good = eddy_test_cancel_everywhere (serve_everywhere, &served, NULL, &report);
    ck_assert_msg (good, "%s", report.failure);
    ck_assert_uint_gt (report.cancelled, 0);
}
