/* SPDX-License-Identifier: MIT */
/* What the parts of tcp-proxy.c share. */
#ifndef PROXY_H
#define PROXY_H

#include <eddy/eddy.h>

/* One connection, and the one that was made for it. */
typedef struct Pair {
    struct Pair *next, **link; /* in the proxy's list */
    EddySocketConnection *ends[2];
    EddyGroup *group; /* the fibers of its two ways */
} Pair;

typedef struct Proxy {
    EddySocketConnectable *target;
    EddySocketClient *client;
    Pair *pairs; /* that are open */
    size_t n_open, n_ended, n_failed;
    uint64_t n_bytes[2]; /* to the target, and from there */
} Proxy;

/* Looks after one connection: the service's handler. */
bool proxy_serve (EddySocketService *service, EddySocketConnection *connection,
                  EddyObject *source_object, void *proxy, EddyError **error);

/* Cuts off what nothing has gone through for so long. */
void proxy_cut_off (Proxy *proxy, int64_t idle_ns);

#endif
