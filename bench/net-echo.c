/* SPDX-License-Identifier: MIT */
/*
 * net-echo [fiber|bytes|callback]: an echo server, which net-load drives: a fiber for each
 * connection that reads into its own buffer, or, by "bytes", into memory that it has only while
 * something is there; or callbacks, likewise. The peers are `loop-echo-epoll`, `loop-echo-ring`,
 * `uv-echo`, `gio-echo` and `event-echo`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <eddy/eddy.h>

#include "bench-echo.h"

/* --- awaited ---------------------------------------------------------------------------------- */

/* Both ends of a connection whose peer has gone are given up with it. */
static void *echo_fiber (void *data, EddyError **error)
{
    EDDY_AUTO (EddySocketConnection) connection = data;
    EddyInputStream *input = eddy_io_stream_get_input_stream (EDDY_IO_STREAM (connection));
    EddyOutputStream *output = eddy_io_stream_get_output_stream (EDDY_IO_STREAM (connection));
    char buffer[ECHO_BUFFER_SIZE];
    ssize_t count;
    (void) error;
    while ((count = eddy_input_stream_read (input, buffer, sizeof buffer, NULL, NULL)) > 0)
        if (!eddy_output_stream_write_all (output, buffer, (size_t) count, NULL, NULL, NULL))
            break;
    return NULL;
}

static void *echo_bytes (void *data, EddyError **error)
{
    EDDY_AUTO (EddySocketConnection) connection = data;
    EddyInputStream *input = eddy_io_stream_get_input_stream (EDDY_IO_STREAM (connection));
    EddyOutputStream *output = eddy_io_stream_get_output_stream (EDDY_IO_STREAM (connection));
    bool goes_on = true;
    (void) error;
    while (goes_on) {
        EDDY_AUTO (EddyBytes)
        bytes = eddy_input_stream_read_bytes (input, ECHO_BUFFER_SIZE, NULL, NULL);
        size_t size = bytes == NULL ? 0 : eddy_bytes_get_size (bytes);
        goes_on = size > 0 && eddy_output_stream_write_all (output, eddy_bytes_get_data (bytes),
                                                            size, NULL, NULL, NULL);
    }
    return NULL;
}

/* --- by callback ------------------------------------------------------------------------------ */

/* What is read and not yet written. */
typedef struct Echo {
    EddySocketConnection *connection;
    EddyBytes *bytes;
    size_t written;
} Echo;

static void echo_read (EddySocketConnection *connection);
static void echo_write (Echo *echo);

static void echo_written (void *source, EddyAsyncResult *result, void *data)
{
    Echo *echo = data;
    ssize_t count = eddy_output_stream_write_finish (source, result, NULL);
    echo->written += count > 0 ? (size_t) count : 0;
    if (count > 0 && echo->written < eddy_bytes_get_size (echo->bytes)) {
        echo_write (echo);
        return;
    }
    if (count > 0)
        echo_read (echo->connection);
    else
        eddy_unref (echo->connection);
    eddy_unref (echo->bytes);
    free (echo);
}

static void echo_write (Echo *echo)
{
    const char *bytes = eddy_bytes_get_data (echo->bytes);
    eddy_output_stream_write_async (
        eddy_io_stream_get_output_stream (EDDY_IO_STREAM (echo->connection)), bytes + echo->written,
        eddy_bytes_get_size (echo->bytes) - echo->written, EDDY_PRIORITY_DEFAULT, NULL,
        echo_written, echo);
}

static void echo_has_read (void *source, EddyAsyncResult *result, void *data)
{
    EddyBytes *bytes = eddy_input_stream_read_bytes_finish (source, result, NULL);
    Echo *echo = NULL;
    if (bytes != NULL && eddy_bytes_get_size (bytes) > 0)
        echo = malloc (sizeof *echo);
    if (echo == NULL) {
        eddy_unref (bytes);
        eddy_unref (data);
        return;
    }
    *echo = (Echo){ .connection = data, .bytes = bytes };
    echo_write (echo);
}

static void echo_read (EddySocketConnection *connection)
{
    eddy_input_stream_read_bytes_async (
        eddy_io_stream_get_input_stream (EDDY_IO_STREAM (connection)), ECHO_BUFFER_SIZE,
        EDDY_PRIORITY_DEFAULT, NULL, echo_has_read, connection);
}

/* --- the server ------------------------------------------------------------------------------- */

static int echo_serve (EddySocket *listener, const char *style, EddyError **error)
{
    for (;;) {
        EDDY_AUTO (EddySocket) socket = eddy_socket_accept (listener, NULL, error);
        EddySocketConnection *connection =
            socket == NULL ? NULL : eddy_socket_connection_new (socket);
        if (connection == NULL)
            return 1;
        if (strcmp (style, "callback") == 0)
            echo_read (connection);
        else
            eddy_spawn_detached (NULL, strcmp (style, "bytes") == 0 ? echo_bytes : echo_fiber,
                                 connection, NULL);
    }
}

static EddySocket *echo_listen (EddyError **error)
{
    EDDY_AUTO (EddyInetAddress) loopback = eddy_inet_address_new_loopback (EDDY_SOCKET_FAMILY_IPV4);
    EDDY_AUTO (EddySocketAddress) address = eddy_inet_socket_address_new (loopback, 0);
    EddySocket *listener =
        eddy_socket_new (EDDY_SOCKET_FAMILY_IPV4, EDDY_SOCKET_TYPE_STREAM, 0, error);
    EDDY_AUTO (EddySocketAddress) local = NULL;
    bench_echo_raise_limit ();
    if (listener != NULL && eddy_socket_bind (listener, address, false, error) &&
        eddy_socket_listen (listener, error))
        local = eddy_socket_get_local_address (listener, error);
    if (local == NULL)
        return NULL;
    bench_echo_tell_port (eddy_inet_socket_address_get_port (EDDY_INET_SOCKET_ADDRESS (local)));
    return listener;
}

static int echo_main (int argc, char **argv)
{
    EddyError *error = NULL;
    EddySocket *listener = echo_listen (&error);
    int status = listener == NULL ? 1 : echo_serve (listener, argc > 1 ? argv[1] : "fiber", &error);
    if (error != NULL)
        fprintf (stderr, "net-echo: %s\n", eddy_error_get_message (error));
    eddy_clear_error (&error);
    eddy_unref (listener);
    return status;
}

int main (int argc, char **argv)
{
    return eddy_run (echo_main, argc, argv);
}
