/* SPDX-License-Identifier: MIT */
/* An echo server: sends back what each of its clients sends, until they say that it was all.
 *
 *   echo-server [-c CONNECTIONS] [-i IDLE] [-g GRACE] [-t THREADS] ADDRESS
 *
 * It has at most CONNECTIONS (1,000) at once; further ones wait until others have gone. A client
 * that neither sends nor reads for IDLE (60) seconds is cut off. At Ctrl-C it accepts no more, and
 * gives those that there are GRACE (5) seconds to come to their ends; a second Ctrl-C ends it at
 * once. With -t it runs on THREADS threads, each of which accepts its own connections. */
#include <stdio.h>
#include <string.h>

#include "server.h"

enum { CHUNK_SIZE = 16 * 1024 };

typedef struct Echo {
    long max_connections, idle_s, grace_s, n_threads;
    const char *address;
    size_t n_served, n_failed, n_bytes; /* atomic: there may be several threads */
} Echo;

/* One connection, in a fiber of its own. It has no buffer while it waits for its client. */
static bool echo_serve (EddySocketService *service, EddySocketConnection *connection,
                        EddyObject *source_object, void *user_data, EddyError **error)
{
    Echo *echo = user_data;
    EddyInputStream *input = eddy_io_stream_get_input_stream (EDDY_IO_STREAM (connection));
    EddyOutputStream *output = eddy_io_stream_get_output_stream (EDDY_IO_STREAM (connection));
    (void) service, (void) source_object;
    eddy_socket_set_timeout (eddy_socket_connection_get_socket (connection), echo->idle_s * SECOND,
                             echo->idle_s * SECOND);
    for (;;) {
        EDDY_AUTO (EddyBytes) bytes = eddy_input_stream_read_bytes (input, CHUNK_SIZE, NULL, error);
        size_t size = bytes != NULL ? eddy_bytes_get_size (bytes) : 0;
        if (size == 0) {
            __atomic_add_fetch (&echo->n_served, bytes != NULL, __ATOMIC_RELAXED);
            return bytes != NULL;
        }
        if (!eddy_output_stream_write_all (output, eddy_bytes_get_data (bytes), size, NULL, NULL,
                                           error))
            return false;
        __atomic_add_fetch (&echo->n_bytes, size, __ATOMIC_RELAXED);
    }
}

/* What happens to the server, and connections that have failed. */
static void echo_told (EddySocketService *service, EddySocketServiceEvent event,
                       EddySocketConnection *connection, const EddyError *error, void *user_data)
{
    Echo *echo = user_data;
    (void) service, (void) connection;
    if (event == EDDY_SOCKET_SERVICE_FAILED)
        __atomic_add_fetch (&echo->n_failed, 1, __ATOMIC_RELAXED);
    if (error != NULL && !eddy_error_is_cancelled (error))
        fprintf (stderr, "echo-server: %s\n", eddy_error_get_message (error));
}

static EddySocketService *echo_make_service (Echo *echo, EddyError **error)
{
    if (echo->n_threads == 0)
        return eddy_socket_service_new (error);
    EDDY_AUTO (EddyPool) pool = eddy_pool_new ((unsigned) echo->n_threads, error);
    return pool != NULL ? eddy_socket_service_new_on_pool (pool, error) : NULL;
}

static bool echo_run (Echo *echo, EddyError **error)
{
    EDDY_AUTO (EddySocketService) service = echo_make_service (echo, error);
    if (service == NULL)
        return false;
    eddy_socket_service_set_max_connections (service, (unsigned) echo->max_connections);
    eddy_socket_service_set_handler (service, echo_serve, echo, NULL, NULL);
    eddy_socket_service_set_event_func (service, echo_told, echo, NULL);
    if (!server_listen (EDDY_SOCKET_LISTENER (service), echo->address, error))
        return false;
    (void) eddy_fiber_sleep (INT64_MAX, NULL); /* until Ctrl-C; the service serves meanwhile */
    EDDY_SHIELD (-1)
    {
        (void) eddy_socket_service_shutdown (service, echo->grace_s * SECOND, NULL, NULL);
    }
    printf ("%zu served, %zu failed, %zu bytes\n", echo->n_served, echo->n_failed, echo->n_bytes);
    return true;
}

static int echo_main (int argc, char **argv)
{
    Echo echo = { .max_connections = 1000, .idle_s = 60, .grace_s = 5 };
    const ServerOption options[] = { { 'c', &echo.max_connections },
                                     { 'i', &echo.idle_s },
                                     { 'g', &echo.grace_s },
                                     { 't', &echo.n_threads },
                                     { '\0', NULL } };
    bool help = argc == 2 && strcmp (argv[1], "--help") == 0;
    int index = server_parse_options (argc, argv, options);
    if (help || index != argc - 1) {
        fputs ("usage: echo-server [-c CONNECTIONS] [-i IDLE] [-g GRACE] [-t THREADS] ADDRESS\n",
               help ? stdout : stderr);
        return help ? 0 : 2;
    }
    echo.address = argv[index];
    server_raise_limit ();
    EddyError *error = NULL;
    bool done = echo_run (&echo, &error);
    if (!done)
        fprintf (stderr, "echo-server: %s\n", eddy_error_get_message (error));
    eddy_clear_error (&error);
    return done ? 0 : 1;
}

int main (int argc, char **argv)
{
    return eddy_run (echo_main, argc, argv);
}
