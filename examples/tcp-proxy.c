/* SPDX-License-Identifier: MIT */
/* A TCP proxy: for each connection that comes it makes one to the target, and passes on what either
 * end sends, its end as well.
 *
 *   tcp-proxy [-c CONNECTIONS] [-i IDLE] [-g GRACE] [-p PROGRESS] ADDRESS TARGET
 *
 * It has at most CONNECTIONS (1,000) at once; further ones wait until others have gone. Where
 * nothing has gone through for IDLE (600) seconds, both ends are cut off; and so they are when one
 * of them fails. Every PROGRESS seconds it tells how it stands. At Ctrl-C it accepts no more, and
 * gives those that there are GRACE (5) seconds; a second Ctrl-C ends it at once. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proxy.h"
#include "server.h"

#define CONNECT_TIMEOUT (10 * SECOND)

typedef struct Options {
    long max_connections, idle_s, grace_s, progress_s;
} Options;

static void proxy_tell (const Proxy *proxy)
{
    printf ("%zu open, %zu ended, %zu failed; %" PRIu64 " bytes there, %" PRIu64 " back\n",
            proxy->n_open, proxy->n_ended, proxy->n_failed, proxy->n_bytes[0], proxy->n_bytes[1]);
    fflush (stdout);
}

/* What happens to the service, and connections that have failed. */
static void proxy_told (EddySocketService *service, EddySocketServiceEvent event,
                        EddySocketConnection *connection, const EddyError *error, void *user_data)
{
    (void) service, (void) connection, (void) user_data;
    if (event == EDDY_SOCKET_SERVICE_FULL)
        fputs ("tcp-proxy: full\n", stderr);
    else if (error != NULL && !eddy_error_is_cancelled (error))
        fprintf (stderr, "tcp-proxy: %s\n", eddy_error_get_message (error));
}

/* Looks now and then, until Ctrl-C. The service serves meanwhile. */
static void proxy_watch (Proxy *proxy, const Options *options)
{
    for (long second = 1; eddy_fiber_sleep (SECOND, NULL); second++) {
        proxy_cut_off (proxy, options->idle_s * SECOND);
        if (options->progress_s > 0 && second % options->progress_s == 0)
            proxy_tell (proxy);
    }
}

static bool proxy_run (Proxy *proxy, const char *address, const Options *options, EddyError **error)
{
    EDDY_AUTO (EddySocketService) service = eddy_socket_service_new (error);
    if (service == NULL)
        return false;
    eddy_socket_service_set_max_connections (service, (unsigned) options->max_connections);
    eddy_socket_service_set_handler (service, proxy_serve, proxy, NULL, NULL);
    eddy_socket_service_set_event_func (service, proxy_told, proxy, NULL);
    if (!server_listen (EDDY_SOCKET_LISTENER (service), address, error))
        return false;
    proxy_watch (proxy, options);
    EDDY_SHIELD (-1) /* the Ctrl-C has cancelled this fiber */
    {
        (void) eddy_socket_service_shutdown (service, options->grace_s * SECOND, NULL, NULL);
    }
    proxy_tell (proxy);
    return true;
}

static int proxy_main (int argc, char **argv)
{
    Options options = { .max_connections = 1000, .idle_s = 600, .grace_s = 5 };
    const ServerOption letters[] = { { 'c', &options.max_connections },
                                     { 'i', &options.idle_s },
                                     { 'g', &options.grace_s },
                                     { 'p', &options.progress_s },
                                     { '\0', NULL } };
    bool help = argc == 2 && strcmp (argv[1], "--help") == 0;
    int index = server_parse_options (argc, argv, letters);
    if (help || index == 0 || index != argc - 2) {
        fputs (
            "usage: tcp-proxy [-c CONNECTIONS] [-i IDLE] [-g GRACE] [-p PROGRESS] ADDRESS TARGET\n",
            help ? stdout : stderr);
        return help ? 0 : 2;
    }
    server_raise_limit ();
    EddyError *error = NULL;
    EDDY_AUTO (EddySocketConnectable)
    target = eddy_network_address_parse (argv[index + 1], /* default_port= */ 0, &error);
    EDDY_AUTO (EddySocketClient) client = eddy_socket_client_new ();
    eddy_socket_client_set_timeout (client, CONNECT_TIMEOUT);
    Proxy proxy = { .target = target, .client = client };
    bool done = target != NULL && proxy_run (&proxy, argv[index], &options, &error);
    if (!done)
        fprintf (stderr, "tcp-proxy: %s\n", eddy_error_get_message (error));
    eddy_clear_error (&error);
    return done ? 0 : 1;
}

int main (int argc, char **argv)
{
    return eddy_run (proxy_main, argc, argv);
}
