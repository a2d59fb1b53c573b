/* SPDX-License-Identifier: MIT */
/* For the tests of connections: both ends of one, with their streams. */
#pragma once

#include "sockets.h"
#include "stream.h"

typedef struct ConnectionEnd {
    EddySocketConnection *connection;
    EddyIOStream *io;
    EddyInputStream *input;
    EddyOutputStream *output;
} ConnectionEnd;

typedef struct ConnectionPair {
    ConnectionEnd near;
    ConnectionEnd far;
} ConnectionPair;

/* Takes the socket. */
static inline ConnectionEnd connection_end_new (EddySocket *socket)
{
    EddySocketConnection *connection = eddy_socket_connection_new (socket);
    ck_assert_ptr_nonnull (connection);
    eddy_unref (socket);
    EddyIOStream *io = EDDY_IO_STREAM (connection);
    return (ConnectionEnd){ connection, io, eddy_io_stream_get_input_stream (io),
                            eddy_io_stream_get_output_stream (io) };
}

static inline void connection_end_clear (ConnectionEnd *self)
{
    eddy_unref (self->connection);
    *self = (ConnectionEnd){ .connection = NULL };
}

static inline ConnectionPair connection_pair_new (SocketPair sockets)
{
    return (ConnectionPair){ connection_end_new (sockets.client),
                             connection_end_new (sockets.server) };
}

static inline ConnectionPair connection_pair_tcp (void)
{
    return connection_pair_new (socket_connect_tcp ());
}

static inline ConnectionPair connection_pair_unix (EddySocketType type)
{
    return connection_pair_new (socket_connect_unix (type));
}

static inline void connection_pair_clear (ConnectionPair *self)
{
    connection_end_clear (&self->near);
    connection_end_clear (&self->far);
}

static inline void connection_write (const ConnectionEnd *end, const char *text)
{
    EddyError *error = NULL;
    ck_assert (eddy_output_stream_write_all (end->output, text, strlen (text), NULL, NULL, &error));
    ck_assert_ptr_null (error);
}

static inline void connection_expect (const ConnectionEnd *end, const char *text)
{
    char buffer[256];
    EddyError *error = NULL;
    ssize_t count = eddy_input_stream_read (end->input, buffer, sizeof buffer, NULL, &error);
    ck_assert_ptr_null (error);
    ck_assert_int_eq (count, (ssize_t) strlen (text));
    ck_assert_mem_eq (buffer, text, strlen (text));
}

static inline void connection_expect_end (const ConnectionEnd *end)
{
    connection_expect (end, "");
}

static inline void connection_close (const ConnectionEnd *end)
{
    EddyError *error = NULL;
    ck_assert_msg (eddy_io_stream_close (end->io, NULL, &error), "%s",
                   eddy_error_get_message (error));
}
