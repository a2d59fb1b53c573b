/* SPDX-License-Identifier: MIT */
/*
 * uv-echo: an echo server on libuv. The peer of `net-echo`.
 *
 * Why it is the fair way: what has been read is written at once by uv_try_write() from a buffer
 * that all connections share, so there is neither a copy nor an allocation; only what the socket
 * does not take is copied and queued.
 */
#include <stdlib.h>
#include <uv.h>

#include "../bench-echo.h"

typedef struct Rest {
    uv_write_t request;
    char bytes[];
} Rest;

static void echo_closed (uv_handle_t *handle)
{
    free (handle);
}

static void echo_rest_written (uv_write_t *request, int status)
{
    (void) status;
    free (request->data);
}

static void echo_write_rest (uv_stream_t *stream, const char *bytes, size_t count)
{
    Rest *rest = malloc (sizeof *rest + count);
    if (rest == NULL)
        abort ();
    memcpy (rest->bytes, bytes, count);
    rest->request.data = rest;
    uv_buf_t buffer = uv_buf_init (rest->bytes, (unsigned) count);
    if (uv_write (&rest->request, stream, &buffer, 1, echo_rest_written) != 0)
        free (rest);
}

static void echo_allocate (uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    static char shared[ECHO_BUFFER_SIZE];
    (void) handle;
    (void) suggested;
    *buffer = uv_buf_init (shared, sizeof shared);
}

static void echo_read (uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    if (count == 0)
        return;
    if (count < 0) {
        uv_close ((uv_handle_t *) stream, echo_closed);
        return;
    }
    uv_buf_t bytes = uv_buf_init (buffer->base, (unsigned) count);
    int written =
        uv_stream_get_write_queue_size (stream) > 0 ? 0 : uv_try_write (stream, &bytes, 1);
    if (written < 0)
        written = 0;
    if (written < count)
        echo_write_rest (stream, buffer->base + written, (size_t) (count - written));
}

static void echo_connected (uv_stream_t *listener, int status)
{
    uv_tcp_t *connection = status == 0 ? malloc (sizeof *connection) : NULL;
    if (connection == NULL || uv_tcp_init (listener->loop, connection) != 0)
        abort ();
    if (uv_accept (listener, (uv_stream_t *) connection) != 0 ||
        uv_tcp_nodelay (connection, 1) != 0 ||
        uv_read_start ((uv_stream_t *) connection, echo_allocate, echo_read) != 0)
        uv_close ((uv_handle_t *) connection, echo_closed);
}

int main (void)
{
    uv_tcp_t listener;
    struct sockaddr_in address;
    int len = sizeof address;
    bench_echo_raise_limit ();
    if (uv_tcp_init (uv_default_loop (), &listener) != 0 ||
        uv_ip4_addr ("127.0.0.1", 0, &address) != 0 ||
        uv_tcp_bind (&listener, (struct sockaddr *) &address, 0) != 0 ||
        uv_listen ((uv_stream_t *) &listener, ECHO_BACKLOG, echo_connected) != 0 ||
        uv_tcp_getsockname (&listener, (struct sockaddr *) &address, &len) != 0)
        return 1;
    bench_echo_tell_port (ntohs (address.sin_port));
    return uv_run (uv_default_loop (), UV_RUN_DEFAULT);
}
