/* SPDX-License-Identifier: MIT */
/*
 * event-echo: an echo server on libevent's bufferevents. The peer of `net-echo`.
 *
 * Why it is the fair way: what has been read is moved from the input buffer to the output buffer,
 * which copies nothing.
 */
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "../bench-echo.h"

static void echo_read (struct bufferevent *connection, void *data)
{
    (void) data;
    bufferevent_write_buffer (connection, bufferevent_get_input (connection));
}

static void echo_event (struct bufferevent *connection, short events, void *data)
{
    (void) data;
    if ((events & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0)
        bufferevent_free (connection);
}

static void echo_connected (struct evconnlistener *listener, evutil_socket_t fd,
                            struct sockaddr *address, int len, void *data)
{
    (void) address;
    (void) len;
    (void) data;
    struct bufferevent *connection =
        bufferevent_socket_new (evconnlistener_get_base (listener), fd, BEV_OPT_CLOSE_ON_FREE);
    if (connection == NULL) {
        close (fd);
        return;
    }
    bench_echo_set_nodelay (fd);
    bufferevent_setcb (connection, echo_read, NULL, echo_event, NULL);
    bufferevent_set_max_single_read (connection, ECHO_BUFFER_SIZE);
    bufferevent_enable (connection, EV_READ | EV_WRITE);
}

int main (void)
{
    struct event_base *base = event_base_new ();
    int listener = bench_echo_listen (SOCK_NONBLOCK);
    if (base == NULL || listener < 0 ||
        evconnlistener_new (base, echo_connected, NULL, LEV_OPT_CLOSE_ON_EXEC, 0, listener) == NULL)
        return 1;
    return event_base_dispatch (base);
}
