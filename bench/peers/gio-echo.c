/* SPDX-License-Identifier: MIT */
/*
 * gio-echo: an echo server on GIO's socket streams. The peer of `net-echo`.
 *
 * Why it is the fair way: a GSocketService and asynchronous reads and writes on the connection's
 * own streams, with a buffer for each connection: what GIO's documentation shows.
 */
#include <gio/gio.h>

#include "../bench-echo.h"

typedef struct Connection {
    GSocketConnection *connection;
    GInputStream *input;
    GOutputStream *output;
    char buffer[ECHO_BUFFER_SIZE];
} Connection;

static void echo_read (Connection *self);

static void echo_end (Connection *self)
{
    g_object_unref (self->connection);
    g_free (self);
}

static void echo_written (GObject *source, GAsyncResult *result, gpointer data)
{
    if (g_output_stream_write_all_finish (G_OUTPUT_STREAM (source), result, NULL, NULL))
        echo_read (data);
    else
        echo_end (data);
}

static void echo_has_read (GObject *source, GAsyncResult *result, gpointer data)
{
    Connection *self = data;
    gssize count = g_input_stream_read_finish (G_INPUT_STREAM (source), result, NULL);
    if (count <= 0)
        echo_end (self);
    else
        g_output_stream_write_all_async (self->output, self->buffer, (gsize) count,
                                         G_PRIORITY_DEFAULT, NULL, echo_written, self);
}

static void echo_read (Connection *self)
{
    g_input_stream_read_async (self->input, self->buffer, sizeof self->buffer, G_PRIORITY_DEFAULT,
                               NULL, echo_has_read, self);
}

static gboolean echo_incoming (GSocketService *service, GSocketConnection *connection,
                               GObject *source, gpointer data)
{
    (void) service;
    (void) source;
    (void) data;
    Connection *self = g_new (Connection, 1);
    self->connection = g_object_ref (connection);
    self->input = g_io_stream_get_input_stream (G_IO_STREAM (connection));
    self->output = g_io_stream_get_output_stream (G_IO_STREAM (connection));
    bench_echo_set_nodelay (g_socket_get_fd (g_socket_connection_get_socket (connection)));
    echo_read (self);
    return TRUE;
}

int main (void)
{
    GSocketService *service = g_socket_service_new ();
    GInetAddress *loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
    GSocketAddress *address = g_inet_socket_address_new (loopback, 0), *effective = NULL;
    bench_echo_raise_limit ();
    g_socket_listener_set_backlog (G_SOCKET_LISTENER (service), ECHO_BACKLOG);
    if (!g_socket_listener_add_address (G_SOCKET_LISTENER (service), address, G_SOCKET_TYPE_STREAM,
                                        G_SOCKET_PROTOCOL_TCP, NULL, &effective, NULL))
        return 1;
    g_signal_connect (service, "incoming", G_CALLBACK (echo_incoming), NULL);
    bench_echo_tell_port (g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (effective)));
    g_main_loop_run (g_main_loop_new (NULL, FALSE));
    return 0;
}
