/* SPDX-License-Identifier: MIT */
/* A connection: its two streams lie in its own block, and hold it. */
#pragma once

#include <eddy/socket-connection.h>

#include "net/socket-private.h"

struct EddySocketConnection {
    EddyIOStream stream;
    EddyInputStream input;
    EddyOutputStream output;
    EddySocket *socket;
    char *name; /* for messages, made when there is one; NULL: not yet */
};

_Static_assert(sizeof (EddySocketConnection) <= 88, "there are many: it is to fit its block");

/* Begin as a connection. */
struct EddyTcpConnection {
    EddySocketConnection connection;
};
struct EddyUnixConnection {
    EddySocketConnection connection;
};

/* connection-streams.c: begins the two streams of a connection that has its socket. */
void eddy__connection_init_streams (EddySocketConnection *connection);
/* What it is connected to, for messages. */
const char *eddy__connection_get_name (EddySocketConnection *connection);
