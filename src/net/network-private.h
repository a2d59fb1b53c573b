/* SPDX-License-Identifier: MIT */
/* A host with a port, as text, and what was found of it. */
#pragma once

#include <eddy/network-address.h>
#include <eddy/resolver.h>

#include "base/lock-private.h"

/* The order in which addresses of the families are given in turns (RFC 8305, section 4). */
enum { EDDY__NETWORK_IPV6, EDDY__NETWORK_IPV4, EDDY__NETWORK_FAMILIES };

/* What the lookups of a host have found. */
typedef struct EddyNetworkFound {
    EddyResolver *resolver;                             /* who was asked; NULL: nobody has been */
    int64_t time_ns;                                    /* when */
    EddyInetAddressList *lists[EDDY__NETWORK_FAMILIES]; /* NULL: no addresses */
} EddyNetworkFound;

struct EddyNetworkAddress {
    EddySocketConnectable connectable;
    uint16_t port;
    char *hostname;
    char *scheme;  /* NULL: none */
    EddyLock lock; /* of what follows */
    EddyNetworkFound found;
};

/* Gives up what it holds. */
void eddy__network_found_clear (EddyNetworkFound *found);

/* A part of a text. */
typedef struct EddyNetworkText {
    const char *at;
    size_t length;
} EddyNetworkText;

/* What a host and a port are made of. */
typedef struct EddyNetworkParts {
    EddyNetworkText host;
    EddyNetworkText port; /* `at` is NULL: none is said */
    bool in_brackets;
} EddyNetworkParts;

/* Splits "host", "host:port", "[host]", "[host]:port" and IPv6; false: it is none of these. */
bool eddy__network_split (EddyNetworkText text, EddyNetworkParts *parts);
/* Reads the port, where one is said; false: it is no number from 0 to 65535. */
bool eddy__network_read_port (const EddyNetworkParts *parts, uint32_t *port);

/* network-enumerator.c */
EddySocketAddressEnumerator *eddy__network_address_enumerate (EddySocketConnectable *connectable);
