/* SPDX-License-Identifier: MIT */
/* EddySocketService from the inside.
 *
 * Each thread that accepts has a lane: a fiber that waits for connections and whose group the
 * handlers are. Lanes, and connections that have not been closed, hold the service's memory; only
 * the program has references, so the last of them ends it. Whoever changes what a lane looks at
 * wakes it by its acceptor: the change first, then the wake. */
#pragma once

#include <eddy/group.h>
#include <eddy/semaphore.h>
#include <eddy/socket-service.h>
#include <eddy/source.h>

#include "base/list-private.h"
#include "base/lock-private.h"
#include "net/listener-private.h"
#include "net/socket-private.h"

/* A connection of a service's, until its socket is closed and its handler has ended. */
typedef struct EddyServiceConnection {
    EddySocketClosing closing; /* told when its socket is closed */
    EddyList member;           /* of the service's, until then */
    EddySocket *socket;        /* until then; not a reference */
    EddySocketService *service;
    /* The handler's: */
    EddySocketConnection *connection;
    EddyObject *source_object;
    uint8_t users; /* atomic: the socket, the lane that accepts it, the handler */
} EddyServiceConnection;

typedef struct EddyServiceLane {
    EddySocketService *service;
    EddyAcceptor *acceptor; /* the listener's, which the memory of the service keeps */
    EddyFuture *fiber;      /* NULL: it has not begun; under the service's lock */
    EddyGroup *group;       /* atomic: its handlers'; not a reference; NULL: it does not run */
    bool idles;             /* atomic: it waits for a change, not for connections */
    bool is_put_off;        /* atomic, and set before: it will try again by itself */
    bool was_active;
    bool has_run;       /* the fiber; else it ended for want of a stack */
    int64_t backoff_ns; /* before accepting is tried again; 0: it went well */
    EddySource *retry;  /* begins the fiber anew; NULL: nothing is to; under the service's lock */
} EddyServiceLane;

struct EddySocketService {
    EddySocketListener listener;
    EddyContext *context;
    EddyPool *pool; /* NULL: it has one lane, in its context */
    EddyServiceLane *lanes;
    unsigned n_lanes;
    EddySocketServiceIncomingFunc incoming;
    void *incoming_data;
    void (*incoming_destroy) (void *data);
    EddySocketServiceHandlerFunc handler;
    void *handler_data;
    void (*handler_destroy) (void *data);
    EddyFiberOptions handler_options;
    EddySocketServiceEventFunc event;
    void *event_data;
    void (*event_destroy) (void *data);
    /* Atomic, by any thread: */
    bool active;
    bool ending; /* for ever */
    bool told_end;
    bool is_full;    /* and that was told */
    bool is_starved; /* likewise */
    unsigned max_connections;
    unsigned n_connections; /* and places taken for those that are being accepted */
    unsigned n_running;     /* lanes */
    /* */
    EddySemaphore *ended; /* has a permit when lanes and connections have ended */
    EddyLock lock;        /* of the lanes' fibers and retries, and of: */
    EddyList connections;
};

/* service.c */

void eddy__service_tell (EddySocketService *service, EddySocketServiceEvent event,
                         EddySocketConnection *connection, const EddyError *error);
/* Whose look at what has changed is wanted. */
typedef enum EddyServiceWake {
    EDDY_SERVICE_WAKE_FULL, /* who idles, and has not put accepting off */
    EDDY_SERVICE_WAKE_IDLE, /* whoever idles */
    EDDY_SERVICE_WAKE_ALL
} EddyServiceWake;

/* Has lanes look again at what has changed. Any thread. */
void eddy__service_wake (EddySocketService *service, EddyServiceWake whom);
/* A lane or a connection has ended, or the service is to. Any thread. */
void eddy__service_check_end (EddySocketService *service);

/* service-connection.c */

/* Takes a place for a connection; false: there is none. Any thread. */
bool eddy__service_take_place (EddySocketService *service);
void eddy__service_leave_place (EddySocketService *service);
/* Looks after a connection for which there is a place, taking the references; false with an error:
 * it was dropped, and its place is free. In a lane. */
bool eddy__service_add_connection (EddySocketService *service, EddyGroup *group, EddySocket *socket,
                                   EddyObject *source_object, EddyError **error);
/* Shuts down the sockets of all connections; how many. Any thread. */
unsigned eddy__service_cut_off (EddySocketService *service);

/* service-lane.c */

/* Begins the lanes, unless they have begun; false with an error. */
bool eddy__service_begin (EddySocketService *service, EddyError **error);
/* The lane's fiber, with a reference; NULL: it has none. Any thread. */
EddyFuture *eddy__service_lane_ref_fiber (EddyServiceLane *lane);
/* Gives up the fiber, which ends thereby, and what would begin it anew. Any thread. */
void eddy__service_lane_drop (EddyServiceLane *lane);
