/* SPDX-License-Identifier: MIT */
/*
 * Listeners on machines that lack something.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc-private.h"
#include "context.h"
#include "faults.h"
#include "fiber/group-private.h"

static bool peer_connects (uint16_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons (port),
                                   .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
    int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool connects = connect (fd, (const struct sockaddr *) &address, sizeof address) == 0;
    close (fd);
    return connects;
}

static void *listen_on_one_family (void *data, EddyError **error)
{
    EDDY_AUTO (EddySocketListener) listener = eddy_socket_listener_new ();
    eddy_test_fail_call (EDDY_SYS_SOCKET, 1, EAFNOSUPPORT, /* from_then_on= */ false);
    uint16_t port = eddy_socket_listener_add_any_inet_port (listener, NULL, error);
    ck_assert_uint_eq (eddy_test_fault_hits (EDDY_SYS_SOCKET), 1);
    ck_assert_uint_ne (port, 0);
    ck_assert (peer_connects (port));
    eddy_unref (eddy_socket_listener_accept_socket (listener, NULL, NULL, error));
    /* And where there is neither. */
    eddy_test_fail_call (EDDY_SYS_SOCKET, 1, EAFNOSUPPORT, /* from_then_on= */ true);
    ck_assert_uint_eq (eddy_socket_listener_add_any_inet_port (listener, NULL, error), 0);
    eddy_test_expect_error (error, EDDY_IO_ERROR_NOT_SUPPORTED);
    eddy_test_no_faults ();
    return data;
}

EDDY_TEST (listener_one_family_is_enough)
{
    EddyContext *context = eddy_test_context_begin ();
    eddy_test_run_fiber (context, listen_on_one_family, NULL);
    eddy_test_context_end (context);
}

/* What accept(2) says of peers that have gone is nobody's business: the next one is taken. */
static void *accept_after_others (void *data, EddyError **error)
{
    static const int errors[] = { ECONNABORTED, EPROTO, EPERM, EHOSTUNREACH, EINTR };
    EDDY_AUTO (EddySocketListener) listener = eddy_socket_listener_new ();
    uint16_t port = eddy_socket_listener_add_any_inet_port (listener, NULL, error);
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        ck_assert (peer_connects (port));
        eddy_test_fail_call (EDDY_SYS_ACCEPT4, 1, errors[i], /* from_then_on= */ false);
        EDDY_AUTO (EddySocket)
        socket = eddy_socket_listener_accept_socket (listener, NULL, NULL, error);
        ck_assert_ptr_nonnull (socket);
        ck_assert_uint_eq (eddy_test_fault_hits (EDDY_SYS_ACCEPT4), 1);
    }
    eddy_test_no_faults ();
    return data;
}

EDDY_TEST (listener_peers_that_have_gone)
{
    EddyContext *context = eddy_test_context_begin ();
    eddy_test_run_fiber (context, accept_after_others, NULL);
    eddy_test_context_end (context);
}

/* --- services --------------------------------------------------------------------------------- */

/* Memory for groups is out for a while. */
typedef struct NoGroups {
    int n_refused;
    int n_starved;
    int n_served;
} NoGroups;

static int refuse_groups (size_t size, void *data)
{
    NoGroups *self = data;
    if (size != sizeof (EddyGroup) || self->n_refused == 2)
        return 0;
    self->n_refused++;
    return -ENOMEM;
}

static void note_starved (EddySocketService *service, EddySocketServiceEvent event,
                          EddySocketConnection *connection, const EddyError *error, void *user_data)
{
    (void) service;
    (void) connection;
    if (event == EDDY_SOCKET_SERVICE_STARVED &&
        eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_NO_MEMORY))
        ((NoGroups *) user_data)->n_starved++;
}

static bool note_served (EddySocketService *service, EddySocketConnection *connection,
                         EddyObject *source_object, void *user_data)
{
    (void) service;
    (void) connection;
    (void) source_object;
    ((NoGroups *) user_data)->n_served++;
    return true;
}

static void *serve_without_groups (void *data, EddyError **error)
{
    NoGroups no_groups = { .n_refused = 0 };
    EDDY_AUTO (EddySocketService) service = eddy_socket_service_new (error);
    eddy_socket_service_set_incoming_func (service, note_served, &no_groups, NULL);
    eddy_socket_service_set_event_func (service, note_starved, &no_groups, NULL);
    eddy__alloc_set_fault (refuse_groups, &no_groups);
    uint16_t port =
        eddy_socket_listener_add_any_inet_port (EDDY_SOCKET_LISTENER (service), NULL, error);
    ck_assert (peer_connects (port));
    while (no_groups.n_served == 0)
        ck_assert (eddy_fiber_sleep (1000 * 1000, NULL));
    eddy__alloc_set_fault (NULL, NULL);
    ck_assert_int_eq (no_groups.n_refused, 2);
    ck_assert_int_eq (no_groups.n_starved, 1);
    ck_assert (eddy_socket_service_shutdown (service, -1, NULL, error));
    return data;
}

EDDY_TEST (service_begins_when_there_is_memory)
{
    EddyContext *context = eddy_test_context_begin ();
    eddy_test_run_fiber (context, serve_without_groups, NULL);
    eddy_test_context_end (context);
}

/* A lane whose fiber can have no stack is begun anew. */
EDDY_TEST (service_begins_when_there_is_a_stack)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    NoGroups counts = { .n_refused = 0 };
    EDDY_AUTO (EddySocketService) service = eddy_socket_service_new (&error);
    eddy_socket_service_set_incoming_func (service, note_served, &counts, NULL);
    eddy_socket_service_set_event_func (service, note_starved, &counts, NULL);
    uint16_t port =
        eddy_socket_listener_add_any_inet_port (EDDY_SOCKET_LISTENER (service), NULL, &error);
    ck_assert (peer_connects (port));
    eddy_test_fail_call (EDDY_SYS_MMAP, 1, ENOMEM, /* from_then_on= */ true);
    while (eddy_test_fault_hits (EDDY_SYS_MMAP) < 3)
        eddy_context_iteration (context, /* may_block= */ true);
    ck_assert_int_eq (counts.n_starved, 1);
    ck_assert_int_eq (counts.n_served, 0);
    eddy_test_no_faults ();
    while (counts.n_served == 0)
        eddy_context_iteration (context, /* may_block= */ true);
    eddy_clear (&service);
    EddyContextStatistics statistics = { .live_fibers = 1 };
    while (statistics.live_fibers > 0) {
        eddy_context_iteration (context, /* may_block= */ true);
        eddy_context_get_statistics (context, &statistics);
    }
    eddy_test_context_end (context);
}

/* It ends while it is put off. */
EDDY_TEST (service_ends_without_a_stack)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    for (int shut_down = 0; shut_down < 2; shut_down++) {
        EDDY_AUTO (EddySocketService) service = eddy_socket_service_new (&error);
        ck_assert_uint_ne (
            eddy_socket_listener_add_any_inet_port (EDDY_SOCKET_LISTENER (service), NULL, &error),
            0);
        eddy_test_fail_call (EDDY_SYS_MMAP, 1, ENOMEM, /* from_then_on= */ true);
        while (eddy_test_fault_hits (EDDY_SYS_MMAP) == 0)
            eddy_context_iteration (context, /* may_block= */ true);
        eddy_test_no_faults ();
        if (shut_down == 1)
            ck_assert (eddy_socket_service_shutdown (service, -1, NULL, &error));
    }
    eddy_test_context_end (context);
}
