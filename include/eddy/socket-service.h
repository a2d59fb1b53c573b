/* SPDX-License-Identifier: MIT */
/* EddySocketService: a server that accepts connections and has them looked after. */
#ifndef EDDY_SOCKET_SERVICE_H
#define EDDY_SOCKET_SERVICE_H

#include <eddy/pool.h>
#include <eddy/socket-listener.h>

EDDY_BEGIN_DECLS

/**
 * A listener that accepts by itself, as long as its context runs: each connection is given to a
 * handler in a fiber of its own, or to a function. Sockets are added as to any listener, by
 * EDDY_SOCKET_LISTENER(); the functions and limits are set first, since what has come is accepted
 * from the first socket on.
 *
 * Where there are as many connections as it may have, it accepts no more until one of them is
 * closed; those to come wait in the kernel. Where the process has no fd left, it tries again after
 * 10 ms, then less and less often, up to once a second, and as soon as a connection is closed.
 *
 * An object. When its last reference goes, it stops listening, and the handlers that run are
 * cancelled; nobody waits for that. eddy_socket_service_shutdown() does.
 */
typedef struct EddySocketService EddySocketService;

/** What happens to a service. */
typedef enum EddySocketServiceEvent {
    /** It was started, after it was stopped; it is active when it is made. */
    EDDY_SOCKET_SERVICE_STARTED,
    /** It was stopped. */
    EDDY_SOCKET_SERVICE_STOPPED,
    /** It has as many connections as it may have, and accepts no more. */
    EDDY_SOCKET_SERVICE_FULL,
    /** Accepting has failed, with the error; it is tried again. Told once, until it goes on. */
    EDDY_SOCKET_SERVICE_STARVED,
    /** It accepts again, after one of the two above. */
    EDDY_SOCKET_SERVICE_RESUMED,
    /** The handler of the connection has failed, with the error. */
    EDDY_SOCKET_SERVICE_FAILED
} EddySocketServiceEvent;

/** Told of what happens to a service, in its context, or on a pool in that of the thread concerned;
 * must not wait. `connection` and `error` are NULL where the event has none. Two starts or stops in
 * quick succession may be told as none. */
typedef void (*EddySocketServiceEventFunc) (EddySocketService *service,
                                            EddySocketServiceEvent event,
                                            EddySocketConnection *connection,
                                            const EddyError *error, void *user_data);

/**
 * Given a connection that has come, in the service's context, or on a pool in that of its thread;
 * must not wait. Who keeps the connection takes a reference; it is closed when the last one goes.
 *
 * @service: the service, its memory at least
 * @connection: the connection
 * @source_object: what its socket was added with, or NULL
 * @user_data: as given to eddy_socket_service_set_incoming_func()
 *
 * Returns: true: it is looked after; false: the handler is to do so, where there is one
 */
typedef bool (*EddySocketServiceIncomingFunc) (EddySocketService *service,
                                               EddySocketConnection *connection,
                                               EddyObject *source_object, void *user_data);

/**
 * Looks after one connection, in a fiber of its own. When it returns the connection is let go of,
 * which closes it unless a reference was taken.
 *
 * @service: the service, its memory at least
 * @connection: the connection
 * @source_object: what its socket was added with, or NULL
 * @user_data: as given to eddy_socket_service_set_handler()
 * @error: to be set on failure, which concerns this connection alone, and is told to the service's
 *     event function
 *
 * Returns: whether it went well
 */
typedef bool (*EddySocketServiceHandlerFunc) (EddySocketService *service,
                                              EddySocketConnection *connection,
                                              EddyObject *source_object, void *user_data,
                                              EddyError **error);

/**
 * Makes a service, active, in the thread's default context.
 *
 * @error: NO_MEMORY; TOO_MANY_OPEN_FILES, as it needs two
 *
 * Returns: a service with one reference, or NULL
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddySocketService *eddy_socket_service_new (EddyError **error) EDDY_MUST_USE;

/**
 * Makes a service on the threads of a pool. Each thread accepts by itself, from sockets of its own
 * with the same addresses, among which the kernel shares out what comes; a UNIX socket, and one of
 * eddy_socket_listener_add_socket(), is shared by all. What looks after a connection runs on the
 * thread that has accepted it. The limit is one for all.
 *
 * @pool: a pool that is not closed, of which the service keeps a reference; it is closed after
 *     eddy_socket_service_shutdown()
 * @error: NO_MEMORY; TOO_MANY_OPEN_FILES, as it needs two for each thread
 *
 * Returns: a service with one reference, or NULL
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddySocketService *eddy_socket_service_new_on_pool (EddyPool *pool,
                                                             EddyError **error) EDDY_MUST_USE;

/**
 * Has each connection looked after in a fiber of its own.
 *
 * @service: a service, before its first socket is added
 * @function: looks after one
 * @user_data: for @function
 * @destroy: called on @user_data when nobody uses it any more; NULL: nothing
 * @options: of the fibers; NULL: the usual
 *
 * Thread: the service's
 * Since: 0.1
 */
EDDY_API void eddy_socket_service_set_handler (EddySocketService *service,
                                               EddySocketServiceHandlerFunc function,
                                               void *user_data, void (*destroy) (void *user_data),
                                               const EddyFiberOptions *options);

/**
 * Has a function given each connection, before the handler, if there is one.
 *
 * @service: a service, before its first socket is added
 * @function: is given one
 * @user_data: for @function
 * @destroy: called on @user_data when nobody uses it any more; NULL: nothing
 *
 * Thread: the service's
 * Since: 0.1
 */
EDDY_API void eddy_socket_service_set_incoming_func (EddySocketService *service,
                                                     EddySocketServiceIncomingFunc function,
                                                     void *user_data,
                                                     void (*destroy) (void *user_data));

/**
 * Has a function told of what happens. Without one, a warning is logged when accepting has failed.
 *
 * @service: a service, before its first socket is added
 * @function: told
 * @user_data: for @function
 * @destroy: called on @user_data when nobody uses it any more; NULL: nothing
 *
 * Thread: the service's
 * Since: 0.1
 */
EDDY_API void eddy_socket_service_set_event_func (EddySocketService *service,
                                                  EddySocketServiceEventFunc function,
                                                  void *user_data,
                                                  void (*destroy) (void *user_data));

/** How many connections it may have at once, from 1; 10,000 at first. A connection counts from when
 * it is accepted until its socket is closed. Thread: any. Since: 0.1 */
EDDY_API void eddy_socket_service_set_max_connections (EddySocketService *service,
                                                       unsigned max_connections);

/**
 * Has connections for which the process has no fd accepted and closed at once, rather than left
 * waiting in the kernel as they are at first. It keeps an fd in reserve for that.
 *
 * @service: a service, before its first socket is added
 * @error: where to put the error
 *
 * Returns: whether there is an fd in reserve
 * Errors: TOO_MANY_OPEN_FILES
 * Thread: the service's
 * Since: 0.1
 */
EDDY_API bool eddy_socket_service_refuse_when_starved (EddySocketService *service,
                                                       EddyError **error);

/** How many connections it has now. Thread: any. Since: 0.1 */
EDDY_API unsigned eddy_socket_service_get_n_connections (EddySocketService *service);

/** Accepts connections again; also those that came while it was stopped. Thread: any. Since: 0.1 */
EDDY_API void eddy_socket_service_start (EddySocketService *service);

/** Accepts no more connections, but goes on listening: they wait in the kernel. One that has just
 * been accepted may still come. Thread: any. Since: 0.1 */
EDDY_API void eddy_socket_service_stop (EddySocketService *service);

/** Whether it is to accept connections: not after a stop, or a shutdown. Thread: any. Since: 0.1 */
EDDY_API bool eddy_socket_service_is_active (EddySocketService *service);

/** The context it was made in, owned by it. Thread: any. Since: 0.1 */
EDDY_API EddyContext *eddy_socket_service_get_context (EddySocketService *service);

/**
 * Ends a service: closes its sockets, waits until its connections have been closed, and when the
 * grace is over, or the call is cancelled, cancels the handlers and shuts the sockets of what is
 * left down; a cancelled handler's end is waited for. It is not started again. From now on
 * eddy_socket_service_is_active() tells handlers to take no more requests.
 *
 * Called outside a fiber, it runs the service's own context meanwhile. From one of its handlers,
 * which would wait for its own end, it fails with the errno EDEADLK, and nothing is ended. In a
 * fiber that a handler waits for this is not noticed: it waits until the grace is over.
 *
 * @service: a service
 * @grace_ns: nanoseconds from 0; -1: no limit
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether all connections ended by themselves
 * Errors: TIMED_OUT after the grace, CANCELLED: the others were ended
 * Thread: the service's
 * Since: 0.1
 */
EDDY_OPERATION (FIBER)
bool eddy_socket_service_shutdown (EddySocketService *service EDDY_HOME, int64_t grace_ns,
                                   EddyCancellable *cancellable, EddyError **error);

EDDY_END_DECLS

#include <eddy/socket-service-forms.h>

#endif
