/* SPDX-License-Identifier: MIT */
/* Options of servers, and where they listen. */
#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static bool option_set (const ServerOption *option, const char *text)
{
    char *end;
    *option->value = strtol (text, &end, 10);
    return *end == '\0' && *option->value >= 1 && *option->value <= 1000000;
}

int server_parse_options (int argc, char **argv, const ServerOption *options)
{
    int index = 1;
    while (index + 1 < argc && argv[index][0] == '-') {
        const ServerOption *option = options;
        while (option->letter != '\0' &&
               strcmp (argv[index] + 1, (char[]){ option->letter, 0 }) != 0)
            option++;
        if (option->letter == '\0' || !option_set (option, argv[index + 1]))
            return 0;
        index += 2;
    }
    return index;
}

/* Addresses are connectables, too: each stands for itself. */
EddySocketAddressEnumerator *server_parse_address (const char *text, EddyError **error)
{
    EDDY_AUTO (EddySocketConnectable) connectable = NULL;
    if (strchr (text, '/') == NULL)
        connectable = eddy_network_address_parse (text, /* default_port= */ 0, error);
    else if ((connectable = EDDY_SOCKET_CONNECTABLE (eddy_unix_socket_address_new (text))) == NULL)
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_ARGUMENT,
                        "%s: too long for a socket", text);
    return connectable != NULL ? eddy_socket_connectable_enumerate (connectable) : NULL;
}

void server_tell_address (EddySocketAddress *address)
{
    char *text = address != NULL ? eddy_socket_address_to_string (address) : NULL;
    printf ("listening on %s\n", text != NULL ? text : "?");
    fflush (stdout);
    eddy_free (text);
    eddy_unref (address);
}

static bool server_add_address (EddySocketListener *listener, EddySocketAddress *address,
                                EddyError **error)
{
    EddySocketAddress *effective; /* with the port that was free */
    bool added = eddy_socket_listener_add_address (listener, address, EDDY_SOCKET_TYPE_STREAM, 0,
                                                   NULL, &effective, error);
    if (added)
        server_tell_address (effective);
    return added;
}

bool server_listen (EddySocketListener *listener, const char *text, EddyError **error)
{
    EDDY_AUTO (EddySocketAddressEnumerator) addresses = server_parse_address (text, error);
    if (addresses == NULL)
        return false;
    EddySocketAddress *address;
    EddyError *failure = NULL; /* the last one: a machine may have one family only */
    bool listens = false;
    while ((address = eddy_socket_address_enumerator_next (addresses, NULL, &failure)) != NULL) {
        eddy_clear_error (&failure);
        listens = server_add_address (listener, address, &failure) || listens;
        eddy_unref (address);
    }
    if (listens)
        eddy_clear_error (&failure);
    eddy_error_take (error, failure);
    return listens;
}

void server_raise_limit (void)
{
    struct rlimit limit;
    if (getrlimit (RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit (RLIMIT_NOFILE, &limit);
    }
}
