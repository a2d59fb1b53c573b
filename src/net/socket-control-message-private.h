/* SPDX-License-Identifier: MIT */
/* Control messages within the room. */
#pragma once

#include <eddy/socket-control-message.h>
#include <sys/socket.h>

#include "base/compiler-private.h"

/* How every kind begins; its class says which it is. */
struct EddySocketControlMessage {
    EddyObject object;
    int level;
    int type;
    EddyBytes *data; /* NULL: of a kind below */
};

struct EddyUnixFDMessage {
    EddySocketControlMessage message;
    size_t n_fds;
    int fds[EDDY_UNIX_FD_MESSAGE_MOST]; /* -1: stolen */
};

struct EddyUnixCredentialsMessage {
    EddySocketControlMessage message;
    EddyCredentials *credentials;
};
