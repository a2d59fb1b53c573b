/* SPDX-License-Identifier: MIT */
/* Services on the threads of a pool: the peers are this thread's, in blocking calls. */
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "listener.h"

enum { THREADS = 3 };

static const int64_t MILLISECOND_NS = 1000 * 1000;

/* What the handlers count, atomically. */
typedef struct Served {
    EddyPool *pool;
    EddySocketService *service;
    uint16_t port;
    int n_begun;
    int n_ended;
    int n_now;
    int n_most;
    int n_destroyed;
    int by_thread[THREADS];
} Served;

static int look (int *count)
{
    return __atomic_load_n (count, __ATOMIC_SEQ_CST);
}

static void served_destroyed (void *user_data)
{
    __atomic_add_fetch (&((Served *) user_data)->n_destroyed, 1, __ATOMIC_SEQ_CST);
}

static void note_thread (Served *served)
{
    EddyContext *context = eddy_context_get_thread_default ();
    for (unsigned i = 0; i < THREADS; i++)
        if (context == eddy_pool_get_context (served->pool, i))
            __atomic_add_fetch (&served->by_thread[i], 1, __ATOMIC_SEQ_CST);
}

static void note_most (Served *served)
{
    int now = __atomic_add_fetch (&served->n_now, 1, __ATOMIC_SEQ_CST);
    int most = look (&served->n_most);
    while (now > most && !__atomic_compare_exchange_n (&served->n_most, &most, now, false,
                                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
    }
}

static bool echo (EddySocketService *service, EddySocketConnection *connection,
                  EddyObject *source_object, void *user_data, EddyError **error)
{
    Served *served = user_data;
    (void) service;
    (void) source_object;
    note_thread (served);
    note_most (served);
    __atomic_add_fetch (&served->n_begun, 1, __ATOMIC_SEQ_CST);
    connection_echo (connection, error);
    __atomic_sub_fetch (&served->n_now, 1, __ATOMIC_SEQ_CST);
    __atomic_add_fetch (&served->n_ended, 1, __ATOMIC_SEQ_CST);
    return *error == NULL;
}

static EddyPool *pool_new (void)
{
    EddyError *error = NULL;
    EddyPool *pool = eddy_pool_new (THREADS, &error);
    ck_assert_msg (pool != NULL, "%s", eddy_error_get_message (error));
    return pool;
}

static EddySocketService *service_new (EddyPool *pool)
{
    EddyError *error = NULL;
    EddySocketService *service = eddy_socket_service_new_on_pool (pool, &error);
    ck_assert_msg (service != NULL, "%s", eddy_error_get_message (error));
    return service;
}

static void service_begin (Served *served)
{
    served->pool = pool_new ();
    served->service = service_new (served->pool);
    eddy_socket_service_set_handler (served->service, echo, served, served_destroyed, NULL);
    served->port = listener_add_loopback (EDDY_SOCKET_LISTENER (served->service), NULL);
}

static void service_end (Served *served)
{
    EddyError *error = NULL;
    bool good = eddy_socket_service_shutdown (served->service, -1, NULL, &error);
    ck_assert_msg (good, "%s", eddy_error_get_message (error));
    eddy_clear (&served->service);
    ck_assert_msg (eddy_pool_close (served->pool, NULL, &error), "%s",
                   eddy_error_get_message (error));
    eddy_clear (&served->pool);
    ck_assert_int_eq (look (&served->n_destroyed), 1);
}

static void peer_say (int peer)
{
    char back = 0;
    ck_assert_int_eq (send (peer, "x", 1, MSG_NOSIGNAL), 1);
    ck_assert_int_eq (recv (peer, &back, 1, 0), 1);
    ck_assert_int_eq (back, 'x');
}

/* In this thread nothing runs that could be waited for. */
#define UNTIL(condition)                                                                           \
    while (!(condition))                                                                           \
    nanosleep (&(struct timespec){ .tv_nsec = 200 * 1000 }, NULL)

LISTENER_TEST (D_service_every_thread_of_a_pool_takes_part)
{
    enum { PEERS = 60 };
    Served served = { 0 };
    int peers[PEERS];
    service_begin (&served);
    ck_assert_ptr_eq (eddy_socket_service_get_context (served.service), context);
    for (int i = 0; i < PEERS; i++)
        peers[i] = peer_connect (served.port);
    for (int i = 0; i < PEERS; i++)
        peer_say (peers[i]);
    ck_assert_uint_eq (eddy_socket_service_get_n_connections (served.service), PEERS);
    for (int i = 0; i < PEERS; i++)
        close (peers[i]);
    service_end (&served);
    int sum = 0;
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_gt (served.by_thread[i], 0);
        sum += served.by_thread[i];
    }
    ck_assert_int_eq (sum, PEERS);
    ck_assert_int_eq (served.n_ended, PEERS);
}

/* Though the threads' sockets share a port, nobody else gets it. */
LISTENER_TEST (D_service_on_a_pool_has_its_port_for_itself)
{
    EddyError *error = NULL;
    Served served = { 0 };
    service_begin (&served);
    EDDY_AUTO (EddySocketAddress) address = loopback_address (served.port);
    EDDY_AUTO (EddySocketService) other = service_new (served.pool);
    ck_assert (!eddy_socket_listener_add_address (EDDY_SOCKET_LISTENER (other), address,
                                                  EDDY_SOCKET_TYPE_STREAM, 0, NULL, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_ADDRESS_IN_USE);
    ck_assert_ptr_null (
        eddy_socket_listener_accept (EDDY_SOCKET_LISTENER (served.service), NULL, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_SUPPORTED);
    ck_assert (eddy_socket_service_shutdown (other, -1, NULL, &error));
    service_end (&served);
    eddy_context_iteration (context, false);
}

LISTENER_TEST (D_service_on_a_pool_shares_unix_sockets)
{
    enum { PEERS = 30 };
    EddyError *error = NULL;
    Served served = { 0 };
    int peers[PEERS];
    service_begin (&served);
    struct sockaddr_un native = { .sun_family = AF_UNIX };
    snprintf (native.sun_path, sizeof native.sun_path, "%s", eddy_test_path ("socket"));
    EDDY_AUTO (EddySocketAddress) address = eddy_unix_socket_address_new (native.sun_path);
    ck_assert (eddy_socket_listener_add_address (EDDY_SOCKET_LISTENER (served.service), address,
                                                 EDDY_SOCKET_TYPE_STREAM, 0, NULL, NULL, &error));
    for (int i = 0; i < PEERS; i++) {
        peers[i] = peer_connect_to (&native, sizeof native);
        peer_say (peers[i]);
    }
    for (int i = 0; i < PEERS; i++)
        close (peers[i]);
    service_end (&served);
    ck_assert_int_eq (served.n_ended, PEERS);
    eddy_context_iteration (context, false);
}

/* --- one limit for all ------------------------------------------------------------------------ */

static void *churn (void *data)
{
    Served *served = data;
    for (int i = 0; i < 40; i++) {
        int peer = peer_connect (served->port);
        if (i % 4 == 3) {
            peer_reset (peer);
            continue;
        }
        peer_say (peer);
        close (peer);
    }
    return NULL;
}

LISTENER_TEST (N27_the_threads_of_a_pool_have_one_limit)
{
    enum { LIMIT = 2 };
    EddyError *error = NULL;
    Served served = { 0 };
    pthread_t threads[6];
    served.pool = pool_new ();
    served.service = service_new (served.pool);
    eddy_socket_service_set_max_connections (served.service, LIMIT);
    eddy_socket_service_set_handler (served.service, echo, &served, served_destroyed, NULL);
    served.port = eddy_socket_listener_add_any_inet_port (EDDY_SOCKET_LISTENER (served.service),
                                                          NULL, &error);
    ck_assert_msg (served.port != 0, "%s", eddy_error_get_message (error));
    for (int i = 0; i < 6; i++)
        ck_assert_int_eq (pthread_create (&threads[i], NULL, churn, &served), 0);
    for (int i = 0; i < 6; i++)
        pthread_join (threads[i], NULL);
    service_end (&served);
    ck_assert_int_ge (served.n_ended, 6 * 30);
    ck_assert_int_le (served.n_most, LIMIT);
    eddy_context_iteration (context, false);
}

static double cpu_seconds (void)
{
    struct timespec time;
    clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double) time.tv_sec + (double) time.tv_nsec * 1e-9;
}

static void note_starved (EddySocketService *service, EddySocketServiceEvent event,
                          EddySocketConnection *connection, const EddyError *error, void *user_data)
{
    (void) service;
    (void) connection;
    (void) error;
    if (event == EDDY_SOCKET_SERVICE_STARVED)
        __atomic_add_fetch ((int *) user_data, 1, __ATOMIC_SEQ_CST);
}

/* Those that have failed to accept do not wake the others for that. */
static void starve (EddyContext *context, unsigned max_connections)
{
    enum { PEERS = 12 };
    Served served = { 0 };
    int n_starved = 0;
    int peers[PEERS];
    served.pool = pool_new ();
    served.service = service_new (served.pool);
    eddy_socket_service_set_max_connections (served.service, max_connections);
    eddy_socket_service_set_event_func (served.service, note_starved, &n_starved, NULL);
    eddy_socket_service_set_handler (served.service, echo, &served, served_destroyed, NULL);
    served.port = listener_add_loopback (EDDY_SOCKET_LISTENER (served.service), NULL);
    eddy_socket_service_stop (served.service);
    for (int i = 0; i < PEERS; i++)
        peers[i] = peer_connect (served.port);
    UNTIL (look (&served.n_begun) == 0);
    rlim_t before = fds_exhaust ();
    eddy_socket_service_start (served.service);
    UNTIL (look (&n_starved) > 0);
    double cpu_before = cpu_seconds ();
    nanosleep (&(struct timespec){ .tv_nsec = 200 * MILLISECOND_NS }, NULL);
    double spent = cpu_seconds () - cpu_before;
    fds_allow (before);
    ck_assert_msg (spent < 0.04, "%.3f s of processor time in 0.2 s", spent);
    for (int i = 0; i < PEERS; i++)
        close (peers[i]);
    UNTIL (look (&served.n_begun) == PEERS);
    service_end (&served);
    ck_assert_int_eq (look (&n_starved), 1);
    eddy_context_iteration (context, false);
}

LISTENER_TEST (N28_the_threads_of_a_pool_wait_without_fds)
{
    starve (context, 1000);
}

/* Each of them takes the last place, and gives it back. */
LISTENER_TEST (N28_the_threads_of_a_pool_wait_with_one_place)
{
    starve (context, 1);
}

/* --- the end ---------------------------------------------------------------------------------- */

LISTENER_TEST (D_service_on_a_pool_ends_what_is_left)
{
    EddyError *error = NULL;
    Served served = { 0 };
    int peers[10];
    service_begin (&served);
    for (int i = 0; i < 10; i++) {
        peers[i] = peer_connect (served.port);
        peer_say (peers[i]);
    }
    ck_assert (!eddy_socket_service_shutdown (served.service, 2 * MILLISECOND_NS, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_TIMED_OUT);
    ck_assert_int_eq (look (&served.n_ended), 10);
    for (int i = 0; i < 10; i++) {
        peer_expect_end (peers[i]);
        close (peers[i]);
    }
    service_end (&served);
    eddy_context_iteration (context, false);
}

LISTENER_TEST (D_service_on_a_pool_ends_with_its_last_reference)
{
    EddyError *error = NULL;
    Served served = { 0 };
    service_begin (&served);
    int peer = peer_connect (served.port);
    peer_say (peer);
    eddy_clear (&served.service);
    UNTIL (look (&served.n_destroyed) == 1);
    ck_assert_int_eq (look (&served.n_ended), 1);
    peer_expect_end (peer);
    close (peer);
    ck_assert (eddy_pool_close (served.pool, NULL, &error));
    eddy_unref (served.pool);
    eddy_context_iteration (context, false);
}
