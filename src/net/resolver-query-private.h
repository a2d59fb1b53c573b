/* SPDX-License-Identifier: MIT */
/* Questions to name servers. */
#pragma once

#include "net/resolver-channel-private.h"
#include "net/resolver-private.h"

typedef enum EddyNameQueryKind {
    EDDY_NAME_QUERY_ADDRESSES, /* of `name`; an EddyInetAddressList */
    EDDY_NAME_QUERY_HOST,      /* that `name`, of an address, leads to; its name, an own copy */
    EDDY_NAME_QUERY_TARGETS    /* of the service `name`; an EddySrvTargetList */
} EddyNameQueryKind;

typedef struct EddyNameQuery {
    EddyNameQueryKind kind;
    const char *what; /* for messages */
    const char *name;
    EddySocketFamily family; /* INVALID: both */
    int64_t deadline_ns;     /* INT64_MAX: none */
    EddyCancellable *cancellable;
} EddyNameQuery;

/* Asks, and waits for the answer; NULL, and the error, when there is none. In a fiber. */
void *eddy__name_query (const EddyNameQuery *query, EddyNameChannels *channels,
                        EddyNameServers *servers, EddyError **error);
