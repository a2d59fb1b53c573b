/* SPDX-License-Identifier: MIT */
/* One connection through tcp-proxy.c: a fiber for each of its two ways. */
#include "proxy.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

/* ---- One way. */

typedef struct Way {
    EddySocketConnection *from, *to;
    size_t n_bytes;
} Way;

/* What is read at one end is written to the other; where much comes, within the kernel. The end of
 * it is passed on, and the other way goes on: who has asked may still be answered. */
static void *way_run (void *data, EddyError **error)
{
    Way *way = data;
    EddyInputStream *input = eddy_io_stream_get_input_stream (EDDY_IO_STREAM (way->from));
    EddyOutputStream *output = eddy_io_stream_get_output_stream (EDDY_IO_STREAM (way->to));
    if (eddy_output_stream_splice (output, input, EDDY_OUTPUT_STREAM_SPLICE_NONE, &way->n_bytes,
                                   NULL, error))
        eddy_output_stream_close (output, NULL, error);
    return NULL;
}

/* ---- Two ways, and the pair of their ends. */

/* What is cut off must not look like what has ended: the peer is told by a reset. */
static void pair_reset (Pair *pair)
{
    const struct linger linger = { .l_onoff = 1, .l_linger = 0 };
    for (int i = 0; i < 2; i++) {
        EddySocket *socket = eddy_socket_connection_get_socket (pair->ends[i]);
        setsockopt (eddy_socket_get_fd (socket), SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    }
}

static bool pair_run (Pair *pair, Proxy *proxy, EddyError **error)
{
    Way ways[2] = { { pair->ends[0], pair->ends[1], 0 }, { pair->ends[1], pair->ends[0], 0 } };
    EDDY_AUTO_GROUP (group) = eddy_group_new (); /* the first error ends both */
    pair->group = group;
    bool done = eddy_group_spawn (group, way_run, &ways[0], NULL, error) &&
                eddy_group_spawn (group, way_run, &ways[1], NULL, error);
    if (!done)
        eddy_group_cancel (group);
    done = eddy_group_wait (group, done ? error : NULL) && done;
    for (int i = 0; i < 2; i++)
        proxy->n_bytes[i] += ways[i].n_bytes;
    return done;
}

static void pair_add (Pair *pair, Proxy *proxy)
{
    pair->next = proxy->pairs;
    pair->link = &proxy->pairs;
    if (pair->next != NULL)
        pair->next->link = &pair->next;
    proxy->pairs = pair;
    proxy->n_open++;
}

static void pair_remove (Pair *pair, Proxy *proxy)
{
    *pair->link = pair->next;
    if (pair->next != NULL)
        pair->next->link = pair->link;
    proxy->n_open--;
}

bool proxy_serve (EddySocketService *service, EddySocketConnection *connection,
                  EddyObject *source_object, void *user_data, EddyError **error)
{
    Proxy *proxy = user_data;
    (void) service, (void) source_object;
    EDDY_AUTO (EddySocketConnection)
    other = eddy_socket_client_connect (proxy->client, proxy->target, NULL, error);
    bool done = false;
    if (other != NULL) {
        Pair pair = { .ends = { connection, other } };
        pair_add (&pair, proxy);
        done = pair_run (&pair, proxy, error);
        pair_remove (&pair, proxy);
        if (!done)
            pair_reset (&pair);
    }
    *(done ? &proxy->n_ended : &proxy->n_failed) += 1;
    return done;
}

/* ---- What is idle. */

/* How long nothing has come or gone at one end. The kernel knows. */
static int64_t end_get_idle_ns (EddySocketConnection *end)
{
    struct tcp_info info;
    socklen_t len = sizeof info;
    EddySocket *socket = eddy_socket_connection_get_socket (end);
    if (getsockopt (eddy_socket_get_fd (socket), IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
        return 0;
    uint32_t idle_ms = info.tcpi_last_data_sent < info.tcpi_last_data_recv
                           ? info.tcpi_last_data_sent
                           : info.tcpi_last_data_recv;
    return idle_ms * INT64_C (1000000);
}

void proxy_cut_off (Proxy *proxy, int64_t idle_ns)
{
    for (Pair *pair = proxy->pairs; pair != NULL; pair = pair->next)
        if (end_get_idle_ns (pair->ends[0]) >= idle_ns &&
            end_get_idle_ns (pair->ends[1]) >= idle_ns)
            eddy_group_cancel_with_cause (
                pair->group, eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_TIMED_OUT, "idle"));
}
