/* SPDX-License-Identifier: MIT */
/* What the examples that are servers share: options, and where to listen. */
#ifndef SERVER_H
#define SERVER_H

#include <eddy/eddy.h>

#define SECOND INT64_C (1000000000)

/* An option with a number: "-c 1000". */
typedef struct ServerOption {
    char letter;
    long *value; /* what it is without the option */
} ServerOption;

/* Reads options, up to one of letter 0. Returns: the index of the first argument behind them; 0 for
 * a letter that there is not, and for what is no number from 1. */
int server_parse_options (int argc, char **argv, const ServerOption *options);

/* The addresses of a host and a port, "127.0.0.1:8000", "[::]:8000", "localhost:8000", or the one
 * of a UNIX socket, which is a path with a slash in it. */
EddySocketAddressEnumerator *server_parse_address (const char *text, EddyError **error);

/* Says on standard output that somebody listens there. Takes the reference. */
void server_tell_address (EddySocketAddress *address);

/* Listens on each of these addresses, where port 0 is any free one, and says so. Returns: whether
 * it listens, on one at least. In a fiber. */
bool server_listen (EddySocketListener *listener, const char *text, EddyError **error);

/* As many files as the system allows: connections are some. */
void server_raise_limit (void);

#endif
