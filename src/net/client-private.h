/* SPDX-License-Identifier: MIT */
/* What a client knows, and how it connects. */
#pragma once

#include <eddy/socket-client.h>

struct EddySocketClient {
    EddyObject object;
    EddySocketFamily family; /* INVALID: each address's own */
    EddySocketType type;
    int protocol;
    EddySocketAddress *local_address; /* NULL: the kernel's choice */
    int64_t timeout_ns;               /* 0: none */
    EddySocketClientEventFunc event_func;
    void *event_data;
    void (*event_destroy) (void *user_data);
};

/* client-race.c: the connection of the first attempt that succeeds, or NULL with the error of the
 * one that came furthest. In a fiber. */
EddySocketConnection *eddy__socket_client_race (EddySocketClient *client,
                                                EddySocketConnectable *connectable,
                                                EddyCancellable *cancellable, EddyError **error);
