/* SPDX-License-Identifier: MIT */
/* EddySocketListener from the inside: a service begins with one. */
#pragma once

#include <eddy/socket-listener.h>

#include "net/acceptor-private.h"

struct EddySocketListener {
    EddyObject object;
    /* One for each thread that accepts; a plain listener has its only one with its first socket. */
    EddyAcceptor **acceptors;
    unsigned n_acceptors;
    EddySocket **sockets; /* all of them, to be closed */
    size_t n_sockets;
    int backlog; /* 0: as the sockets have it */
    bool closed; /* atomic: a service is asked on any thread */
    /* A service's: called before sockets are added, so that somebody accepts from them; NULL. */
    bool (*begin) (EddySocketListener *listener, EddyError **error);
    EddySocketListenerEventFunc event_func;
    void *event_data;
    void (*event_destroy) (void *data);
};

/* Makes `n` acceptors, once. */
bool eddy__listener_open (EddySocketListener *listener, unsigned n, EddyError **error);
/* What dispose and finalize do. */
void eddy__listener_dispose (EddySocketListener *listener);
void eddy__listener_finalize (EddySocketListener *listener);

static inline bool eddy__listener_is_closed (const EddySocketListener *listener)
{
    return __atomic_load_n (&listener->closed, __ATOMIC_ACQUIRE);
}
