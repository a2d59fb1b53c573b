/* SPDX-License-Identifier: MIT */
/* c-ares on a context's loop.
 *
 * A channel of c-ares knows neither threads nor loops: it says which of its sockets are to be
 * watched, and is called when they are ready or its time has come. One is a context's while lookups
 * wait on it, and only then it has sockets; left by the last of them it gives up what is still
 * asked, and lies with its resolver until a lookup, of whichever context, takes it up again.
 *
 * A channel takes a few hundred questions, and then another one is begun. For c-ares can give up
 * all questions or none, so a lookup that was cancelled leaves its own behind; it walks through all
 * of them to find the next deadline; and it asks again, at once, what has had no answer in time.
 *
 * These channels have no TCP. c-ares takes a connection that fails for a server that fails, and
 * gives up whatever that server is asked. So a lookup whose answer is too large for a datagram
 * leaves its question behind, and asks again by a channel that nobody else uses. */
#pragma once

#include <eddy/context.h>
#include <eddy/post.h>
#include <eddy/source.h>

#include <ares.h>

#include "base/list-private.h"
#include "base/lock-private.h"
#include "base/object-private.h"

/* Whom to ask and how: what resolv.conf says, or a program. An object; immutable. */
typedef struct EddyNameServers {
    EddyObject object;
    struct ares_options options;
    int options_mask;
    struct ares_addr_port_node *nodes;
} EddyNameServers;

struct EddyNameSettings;

/* The options of resolv.conf that c-ares does not know. */
typedef struct EddyNameOptions {
    uint32_t timeout_s; /* until a question is asked again; 0: not said */
    uint32_t attempts;  /* at each server; 0: not said */
} EddyNameOptions;

/* Reads resolv.conf; with servers of a program's, which are asked instead, there is no search list.
 * May block. NULL, and the status of c-ares. */
EddyNameServers *eddy__name_servers_new (const struct EddyNameSettings *settings,
                                         const EddyNameOptions *options, int *status);
/* Whether one of them is this machine's systemd-resolved. */
bool eddy__name_servers_have_resolved (const EddyNameServers *servers);

typedef struct EddyNameSocket {
    int fd;
    EddySource *source;
} EddyNameSocket;

/* A lookup that waits on a channel. */
typedef struct EddyNameAsker {
    EddyList member;  /* of the channel's */
    const char *name; /* that it asks for, as the program has it */
    /* The answer has come and is cut: there is more than a datagram takes. Called once, when it has
     * been taken off the list, from inside c-ares. */
    void (*cut) (struct EddyNameAsker *asker);
} EddyNameAsker;

typedef struct EddyNameChannel {
    ares_channel ares;
    EddyNameServers *servers;
    EddyContext *context; /* whose it is; NULL: nobody's */
    EddyList member;      /* of its resolver's */
    EddyList askers;      /* empty where it asks by TCP */
    unsigned n_waiting;   /* lookups */
    unsigned n_questions; /* of lookups that wait, or waited */
    unsigned n_asked;     /* since it was taken up */
    EddyNameSocket *sockets;
    size_t n_sockets;
    unsigned n_to_receive; /* in this dispatch */
    int failure;           /* -errno: why all questions were given up */
    int socket_failure;    /* -errno: why a name server could not even be asked */
    EddyTimedPost timer;
    int64_t timer_ns;      /* for when it is set; INT64_MAX: it is not */
    int64_t first_wait_ns; /* how long c-ares waits for a first answer; 0: not known yet */
} EddyNameChannel;

/* The channels of a resolver. */
typedef struct EddyNameChannels {
    EddyLock lock;
    EddyList used;
    EddyList idle;
    size_t n_idle;
} EddyNameChannels;

void eddy__name_channels_init (EddyNameChannels *self);
void eddy__name_channels_clear (EddyNameChannels *self);

/* A channel of this context that asks these servers, for one more lookup; or NULL, and the status
 * of c-ares. */
EddyNameChannel *eddy__name_channels_join (EddyNameChannels *self, EddyNameServers *servers,
                                           EddyContext *context, int *status);
/* The lookup waits no more. */
void eddy__name_channels_leave (EddyNameChannels *self, EddyNameChannel *channel);

/* A channel for one lookup alone, by TCP; NULL, and the status of c-ares. */
EddyNameChannel *eddy__name_channel_new_by_tcp (EddyNameServers *servers, EddyContext *context,
                                                int *status);
/* The lookup waits no more. */
void eddy__name_channel_end (EddyNameChannel *channel);

/* After c-ares was given a question: has the loop do for it what is to be done. */
void eddy__name_channel_settle (EddyNameChannel *channel);
