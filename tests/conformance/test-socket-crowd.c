/* SPDX-License-Identifier: MIT */
/* A service among many peers, of whom some close, some reset, some read slowly or not at all, and
 * for a while without a free fd: what it echoes is right, its memory stays, and starved it rests.
 * The peers are fibers of another process.
 *
 *   EDDY_CROWD=N         so many peers at once, with twenty rounds; 60, with three, unless told
 *
 *   EDDY_CROWD=9000 build/mine/tests/test-conformance-socket-crowd
 */
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "listener.h"

enum { SEVERAL_ADDRESSES = 100, MOST_SENT = 16384, MUCH = 8 << 20, EXTRA = 50 };

static const int64_t MILLISECOND_NS = 1000 * 1000;

/* Asked before there is a second process, and remembered. */
static int crowd_size (void)
{
    static long n;
    const char *number = getenv ("EDDY_CROWD");
    if (n == 0)
        n = number == NULL ? eddy_test_reduced (60, 30, "peers") : strtol (number, NULL, 10);
    ck_assert_int_gt (n, 0);
    return (int) n;
}

static int crowd_rounds (void)
{
    return getenv ("EDDY_CROWD") == NULL ? 3 : 20;
}

/* What a round may take; none comes near it unless the service has stopped serving. */
static int64_t crowd_patience_ns (void)
{
    return (getenv ("EDDY_CROWD") == NULL ? 20000 : 120000) * MILLISECOND_NS;
}

static void fds_allow_all (void)
{
    struct rlimit limit;
    ck_assert_int_eq (getrlimit (RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    ck_assert_int_eq (setrlimit (RLIMIT_NOFILE, &limit), 0);
}

/* One byte to or from the other process. */
static bool step_told (int fd)
{
    char byte;
    return eddy_fd_read (fd, &byte, 1, -1, NULL, NULL) == 1;
}

static void step_tell (int fd)
{
    ck_assert_int_eq (eddy_fd_write (fd, "s", 1, -1, NULL, NULL), 1);
}

/* --- the peers -------------------------------------------------------------------------------- */

typedef struct Crowd {
    uint16_t port;
    int n;
    int round;
} Crowd;

typedef struct Peer {
    Crowd *crowd;
    int number;
    uint32_t random;
    EddySocketConnection *connection;
} Peer;

static uint32_t peer_random (Peer *peer, uint32_t below)
{
    peer->random = peer->random * 1664525 + 1013904223;
    return (peer->random >> 8) % below;
}

/* Of many addresses, since each has so many ports only. */
static bool peer_begin (Peer *peer, EddyError **error)
{
    char text[32];
    snprintf (text, sizeof text, "127.0.0.%d", 1 + peer->number % SEVERAL_ADDRESSES);
    EDDY_AUTO (EddySocketAddress)
    address = eddy_inet_socket_address_new_from_string (text, peer->crowd->port);
    EDDY_AUTO (EddySocket)
    socket = eddy_socket_new (EDDY_SOCKET_FAMILY_IPV4, EDDY_SOCKET_TYPE_STREAM, 0, error);
    if (socket == NULL || !eddy_socket_connect (socket, address, NULL, error))
        return false;
    peer->connection = eddy_socket_connection_new (socket);
    return true;
}

static bool peer_end (Peer *peer, bool resets, EddyError **error)
{
    EddySocket *socket = eddy_socket_connection_get_socket (peer->connection);
    if (resets && !eddy_socket_set_option_by_name (socket, "linger", 0, error))
        return false;
    bool closed = eddy_io_stream_close (EDDY_IO_STREAM (peer->connection), NULL, error);
    eddy_clear (&peer->connection);
    return closed;
}

/* Reads back what it has sent, `piece` bytes at a time. */
static bool peer_read_back (Peer *peer, const char *sent, size_t size, size_t piece,
                            EddyError **error)
{
    EddyInputStream *input = eddy_io_stream_get_input_stream (EDDY_IO_STREAM (peer->connection));
    char back[MOST_SENT];
    for (size_t at = 0; at < size;) {
        size_t wanted = size - at < piece ? size - at : piece;
        ssize_t count = eddy_input_stream_read (input, back, wanted, NULL, error);
        if (count <= 0)
            return false;
        if (memcmp (back, sent + at, (size_t) count) != 0) {
            eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_DATA, "other bytes");
            return false;
        }
        at += (size_t) count;
        if (piece < MOST_SENT && !eddy_fiber_sleep (MILLISECOND_NS, error))
            return false;
    }
    return true;
}

static bool peer_exchange (Peer *peer, bool is_slow, EddyError **error)
{
    EddyOutputStream *output = eddy_io_stream_get_output_stream (EDDY_IO_STREAM (peer->connection));
    char sent[MOST_SENT];
    size_t size = 1 + peer_random (peer, MOST_SENT);
    for (size_t i = 0; i < size; i++)
        sent[i] = (char) peer_random (peer, 256);
    return eddy_output_stream_write_all (output, sent, size, NULL, NULL, error) &&
           peer_read_back (peer, sent, size, is_slow ? 1 + size / 10 : MOST_SENT, error);
}

/* Writes as long as it is read, which is until nothing more fits anywhere: nobody reads here. */
static bool peer_never_reads (Peer *peer, EddyError **error)
{
    EddyOutputStream *output = eddy_io_stream_get_output_stream (EDDY_IO_STREAM (peer->connection));
    static const char zeroes[65536];
    for (size_t sent = 0; sent < MUCH; sent += sizeof zeroes) {
        EDDY_AUTO (EddyCancellable)
        soon = eddy_cancellable_new_with_timeout (NULL, 20 * MILLISECOND_NS);
        EddyError *failure = NULL;
        bool written =
            eddy_output_stream_write_all (output, zeroes, sizeof zeroes, NULL, soon, &failure);
        bool is_full = eddy_error_matches (failure, EDDY_IO_ERROR, EDDY_IO_ERROR_TIMED_OUT);
        if (!written && !is_full) {
            eddy_error_take (error, failure);
            return false;
        }
        eddy_unref (failure);
        if (is_full)
            return true;
    }
    return true;
}

static bool peer_do_round (Peer *peer, EddyError **error)
{
    /* Few: what they fill is the kernel's memory. */
    if (peer->number % 50 == peer->crowd->round)
        return peer_never_reads (peer, error) && peer_end (peer, /* resets= */ true, error) &&
               peer_begin (peer, error);
    switch ((peer->number + peer->crowd->round) % 10) {
    case 0:
        return peer_end (peer, /* resets= */ true, error) && peer_begin (peer, error);
    case 1:
        return peer_end (peer, /* resets= */ false, error) && peer_begin (peer, error) &&
               peer_exchange (peer, /* is_slow= */ false, error);
    case 2:
        return peer_exchange (peer, /* is_slow= */ true, error);
    default:
        return peer_exchange (peer, /* is_slow= */ false, error);
    }
}

static void *peer_run_round (void *data, EddyError **error)
{
    Peer *peer = data;
    if (peer->connection == NULL)
        (void) (peer_begin (peer, error) && peer_exchange (peer, /* is_slow= */ false, error));
    else
        (void) peer_do_round (peer, error);
    return NULL;
}

/* All at once, but for the limit; what failed is this process's failure. */
static void crowd_do_round (Crowd *crowd, Peer *peers, int n)
{
    EddyError *error = NULL;
    EDDY_AUTO_GROUP (group) = eddy_group_new_with_timeout (crowd_patience_ns ());
    eddy_group_set_limit (group, 2000);
    for (int i = 0; i < n; i++) {
        peers[i].crowd = crowd;
        peers[i].number = i;
        if (!eddy_group_spawn (group, peer_run_round, &peers[i], NULL, &error))
            break;
    }
    (void) eddy_group_wait (group, error == NULL ? &error : NULL);
    if (error == NULL)
        return;
    fprintf (stderr, "# a peer failed in round %d: %s\n", crowd->round,
             eddy_error_get_message (error));
    _exit (1);
}

typedef struct CrowdChild {
    uint16_t port;
    int from;
    int to;
    Peer *peers;
} CrowdChild;

static void *crowd_run (void *data, EddyError **error)
{
    const CrowdChild *child = data;
    (void) error;
    Crowd crowd = { .port = child->port, .n = crowd_size () };
    for (; crowd.round <= crowd_rounds (); crowd.round++) {
        crowd_do_round (&crowd, child->peers, crowd.n);
        step_tell (child->to);
        ck_assert (step_told (child->from));
    }
    /* These find no fd on the other side, and wait. */
    crowd_do_round (&crowd, child->peers + crowd.n, EXTRA);
    step_tell (child->to);
    ck_assert (step_told (child->from));
    return NULL;
}

_Noreturn static void crowd_process (uint16_t port, int from, int to)
{
    fds_allow_all ();
    prctl (PR_SET_PDEATHSIG, SIGKILL);
    CrowdChild child = { .port = port, .from = from, .to = to };
    child.peers = calloc ((size_t) crowd_size () + EXTRA, sizeof *child.peers);
    EddyContext *context = eddy_test_context_begin ();
    eddy_test_run_fiber (context, crowd_run, &child);
    for (int i = 0; i < crowd_size () + EXTRA; i++)
        eddy_unref (child.peers[i].connection);
    _exit (0);
}

/* --- the service ------------------------------------------------------------------------------ */

typedef struct Served {
    EddyPool *pool; /* NULL: none */
    EddySocketService *service;
    uint16_t port;
    int from;
    int to;
    uint64_t n_bytes;
    int n_handled;
    int n_starved;
} Served;

/* On a pool several threads count. */
static int look (const int *count)
{
    return __atomic_load_n (count, __ATOMIC_RELAXED);
}

static bool echo (EddySocketService *service, EddySocketConnection *connection,
                  EddyObject *source_object, void *user_data, EddyError **error)
{
    Served *served = user_data;
    EddyInputStream *input = eddy_io_stream_get_input_stream (EDDY_IO_STREAM (connection));
    EddyOutputStream *output = eddy_io_stream_get_output_stream (EDDY_IO_STREAM (connection));
    (void) service;
    (void) source_object;
    __atomic_add_fetch (&served->n_handled, 1, __ATOMIC_RELAXED);
    for (;;) {
        EDDY_AUTO (EddyBytes) bytes = eddy_input_stream_read_bytes (input, 4096, NULL, error);
        size_t size = bytes == NULL ? 0 : eddy_bytes_get_size (bytes);
        if (size == 0)
            return bytes != NULL;
        __atomic_add_fetch (&served->n_bytes, size, __ATOMIC_RELAXED);
        if (!eddy_output_stream_write_all (output, eddy_bytes_get_data (bytes), size, NULL, NULL,
                                           error))
            return false;
    }
}

/* Peers that have reset are failures of their handlers, and none of the service's. */
static void note (EddySocketService *service, EddySocketServiceEvent event,
                  EddySocketConnection *connection, const EddyError *error, void *user_data)
{
    Served *served = user_data;
    (void) service;
    (void) connection;
    (void) error;
    if (event == EDDY_SOCKET_SERVICE_STARVED)
        __atomic_add_fetch (&served->n_starved, 1, __ATOMIC_RELAXED);
}

static long resident_kilobytes (void)
{
    long pages = 0;
    long resident = 0;
    FILE *file = fopen ("/proc/self/statm", "re");
    ck_assert_ptr_nonnull (file);
    ck_assert_int_eq (fscanf (file, "%ld %ld", &pages, &resident), 2);
    fclose (file);
    return resident * (sysconf (_SC_PAGESIZE) / 1024);
}

static double cpu_seconds (void)
{
    struct timespec time;
    clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double) time.tv_sec + (double) time.tv_nsec * 1e-9;
}

/* The peers do their rounds; the memory that the first half took is enough for the second. */
static void crowd_watch_rounds (Served *served)
{
    long before = 0;
    for (int round = 0; round <= crowd_rounds (); round++) {
        ck_assert_msg (step_told (served->from), "the peers failed in round %d", round);
        long now = resident_kilobytes ();
        if (getenv ("EDDY_CROWD") != NULL)
            fprintf (
                stderr, "# round %d: %u connections, %d so far, %llu bytes, %ld KiB\n", round,
                eddy_socket_service_get_n_connections (served->service), look (&served->n_handled),
                (unsigned long long) __atomic_load_n (&served->n_bytes, __ATOMIC_RELAXED), now);
        if (round <= crowd_rounds () / 2)
            before = now > before ? now : before;
        else if (!eddy_test_sanitized ()) /* these keep what was freed */
            ck_assert_int_le (now, before + before / 20 + 2048);
        if (round < crowd_rounds ())
            step_tell (served->to);
    }
}

/* Some more come when there is no fd: who is there is served, they wait, and so do we. */
static void crowd_starve (Served *served)
{
    /* Those of the last round have gone. */
    while (eddy_socket_service_get_n_connections (served->service) > (unsigned) crowd_size ())
        ck_assert (eddy_fiber_sleep (MILLISECOND_NS, NULL));
    rlim_t before = fds_exhaust ();
    step_tell (served->to);
    for (int64_t waited = 0; look (&served->n_starved) == 0; waited += MILLISECOND_NS) {
        ck_assert_int_lt (waited, crowd_patience_ns ());
        ck_assert (eddy_fiber_sleep (MILLISECOND_NS, NULL));
    }
    ck_assert (eddy_fiber_sleep (50 * MILLISECOND_NS, NULL));
    double cpu_before = cpu_seconds ();
    ck_assert (eddy_fiber_sleep (500 * MILLISECOND_NS, NULL));
    double share = (cpu_seconds () - cpu_before) / 0.5;
    if (getenv ("EDDY_CROWD") != NULL)
        fprintf (stderr, "# starved: %.1f %% of a processor\n", 100 * share);
    ck_assert_msg (share < 0.05, "%.1f %% of a processor while starved", 100 * share);
    fds_allow (before);
    ck_assert (step_told (served->from));
}

static void *serve (void *data, EddyError **error)
{
    Served *served = data;
    crowd_watch_rounds (served);
    crowd_starve (served);
    step_tell (served->to);
    bool good = eddy_socket_service_shutdown (served->service, 30000 * MILLISECOND_NS, NULL, error);
    ck_assert (good);
    return NULL;
}

static EddySocket *listen_everywhere (uint16_t *port)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddyInetAddress) any = eddy_inet_address_new_any (EDDY_SOCKET_FAMILY_IPV4);
    EDDY_AUTO (EddySocketAddress) address = eddy_inet_socket_address_new (any, 0);
    EddySocket *socket =
        eddy_socket_new (EDDY_SOCKET_FAMILY_IPV4, EDDY_SOCKET_TYPE_STREAM, 0, &error);
    ck_assert_ptr_nonnull (socket);
    ck_assert (eddy_socket_bind (socket, address, true, &error));
    ck_assert (eddy_socket_listen (socket, &error));
    EDDY_AUTO (EddySocketAddress) bound = eddy_socket_get_local_address (socket, &error);
    *port = eddy_inet_socket_address_get_port (EDDY_INET_SOCKET_ADDRESS (bound));
    return socket;
}

static void service_begin (Served *served, EddySocket *socket, unsigned n_threads)
{
    EddyError *error = NULL;
    if (n_threads > 0)
        served->pool = eddy_pool_new (n_threads, &error);
    served->service = served->pool == NULL ? eddy_socket_service_new (&error)
                                           : eddy_socket_service_new_on_pool (served->pool, &error);
    ck_assert_msg (error == NULL, "%s", eddy_error_get_message (error));
    eddy_socket_service_set_event_func (served->service, note, served, NULL);
    eddy_socket_service_set_handler (served->service, echo, served, NULL, NULL);
    ck_assert (eddy_socket_listener_add_socket (EDDY_SOCKET_LISTENER (served->service), socket,
                                                NULL, &error));
}

static void service_end (Served *served)
{
    eddy_clear (&served->service);
    if (served->pool != NULL)
        ck_assert (eddy_pool_close (served->pool, NULL, NULL));
    eddy_clear (&served->pool);
}

/* `n_threads`: of a pool; 0: a service in this context. */
static void serve_crowd (unsigned n_threads)
{
    Served served = { 0 };
    int to_crowd[2];
    int to_service[2];
    fds_allow_all ();
    (void) crowd_size ();
    /* The peers' process comes before anything that a child of a fork could not use. */
    EddySocket *socket = listen_everywhere (&served.port);
    ck_assert_int_eq (pipe2 (to_crowd, O_CLOEXEC), 0);
    ck_assert_int_eq (pipe2 (to_service, O_CLOEXEC), 0);
    pid_t crowd = fork ();
    ck_assert_int_ge (crowd, 0);
    if (crowd == 0) {
        eddy_unref (socket);
        close (to_crowd[1]);
        close (to_service[0]);
        crowd_process (served.port, to_crowd[0], to_service[1]);
    }
    close (to_crowd[0]);
    close (to_service[1]);
    served.from = to_service[0];
    served.to = to_crowd[1];
    EddyContext *context = eddy_test_context_begin ();
    service_begin (&served, socket, n_threads);
    eddy_test_run_fiber (context, serve, &served);
    service_end (&served);
    eddy_unref (socket);
    close (served.from);
    close (served.to);
    int status = 0;
    ck_assert_int_eq (waitpid (crowd, &status, 0), crowd);
    ck_assert_int_eq (status, 0);
    eddy_test_context_end (context);
}

EDDY_TEST_TIMEOUT (D_service_among_many_peers, 600)
{
    serve_crowd (0);
}

EDDY_TEST_TIMEOUT (D_service_on_a_pool_among_many_peers, 600)
{
    serve_crowd (3);
}
