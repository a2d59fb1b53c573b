/* SPDX-License-Identifier: MIT */
/* EddySocketService: its settings, its start and its end. */
#include "net/service-private.h"

#include <eddy/socket-service-bodies.h>
#include <errno.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "fiber/fiber-private.h"

enum { SERVICE_MAX_CONNECTIONS = 10000 };

/* --- life ------------------------------------------------------------------------------------- */

static void service_end (EddySocketService *self)
{
    __atomic_store_n (&self->active, false, __ATOMIC_SEQ_CST);
    __atomic_store_n (&self->ending, true, __ATOMIC_SEQ_CST);
    eddy_socket_listener_close (&self->listener);
}

static void service_dispose (void *object)
{
    EddySocketService *self = object;
    service_end (self);
    eddy__listener_dispose (&self->listener);
    for (unsigned i = 0; i < self->n_lanes; i++)
        eddy__service_lane_drop (&self->lanes[i]);
}

static void service_finalize (void *object)
{
    EddySocketService *self = object;
    eddy__destroy_data (self->incoming_destroy, self->incoming_data);
    eddy__destroy_data (self->handler_destroy, self->handler_data);
    eddy__destroy_data (self->event_destroy, self->event_data);
    eddy__listener_finalize (&self->listener);
    eddy_unref (self->ended);
    eddy_unref (self->pool);
    eddy_unref (self->context);
    for (unsigned i = 0; i < self->n_lanes; i++) /* what began while it was disposed of */
        eddy__service_lane_drop (&self->lanes[i]);
    eddy__free (self->lanes);
}

static const EddyClass service_class = { .name = "EddySocketService",
                                         .size = sizeof (EddySocketService),
                                         .dispose = service_dispose,
                                         .finalize = service_finalize };

static bool service_begin (EddySocketListener *listener, EddyError **error)
{
    return eddy__service_begin ((EddySocketService *) (void *) listener, error);
}

static bool service_init (EddySocketService *self, EddyPool *pool, EddyError **error)
{
    unsigned n = pool == NULL ? 1 : eddy_pool_get_n_threads (pool);
    eddy__lock_init (&self->lock);
    eddy__list_init (&self->connections);
    self->listener.begin = service_begin;
    self->active = true;
    self->max_connections = SERVICE_MAX_CONNECTIONS;
    self->context = eddy_context_ref_thread_default ();
    self->pool = eddy_ref (pool);
    self->ended = eddy_semaphore_new (0);
    self->lanes = eddy__alloc0 (n * sizeof *self->lanes);
    if (self->context == NULL || self->ended == NULL || self->lanes == NULL) {
        eddy_error_set_errno (error, ENOMEM, "a service");
        return false;
    }
    if (!eddy__listener_open (&self->listener, n, error))
        return false;
    self->n_lanes = n;
    for (unsigned i = 0; i < n; i++)
        self->lanes[i] = (EddyServiceLane){ .service = self,
                                            .acceptor = self->listener.acceptors[i],
                                            .was_active = true };
    return true;
}

static EddySocketService *service_new (EddyPool *pool, EddyError **error)
{
    EddySocketService *self = eddy_object_new (&service_class);
    if (self == NULL)
        eddy_error_set_errno (error, ENOMEM, "a service");
    else if (!service_init (self, pool, error))
        eddy_clear (&self);
    return self;
}

EddySocketService *eddy_socket_service_new (EddyError **error)
{
    return service_new (NULL, error);
}

EddySocketService *eddy_socket_service_new_on_pool (EddyPool *pool, EddyError **error)
{
    EDDY__EXPECT (pool != NULL, NULL);
    return service_new (pool, error);
}

EddyContext *eddy_socket_service_get_context (EddySocketService *self)
{
    EDDY__EXPECT (self != NULL, NULL);
    return self->context;
}

/* --- settings --------------------------------------------------------------------------------- */

void eddy_socket_service_set_handler (EddySocketService *self,
                                      EddySocketServiceHandlerFunc function, void *user_data,
                                      void (*destroy) (void *user_data),
                                      const EddyFiberOptions *options)
{
    EDDY__EXPECT (self != NULL && self->listener.n_sockets == 0);
    eddy__destroy_data (EDDY_TAKE (self->handler_destroy), self->handler_data);
    self->handler = function;
    self->handler_data = user_data;
    self->handler_destroy = destroy;
    self->handler_options = options == NULL ? (EddyFiberOptions){ 0 } : *options;
}

void eddy_socket_service_set_incoming_func (EddySocketService *self,
                                            EddySocketServiceIncomingFunc function, void *user_data,
                                            void (*destroy) (void *user_data))
{
    EDDY__EXPECT (self != NULL && self->listener.n_sockets == 0);
    eddy__destroy_data (EDDY_TAKE (self->incoming_destroy), self->incoming_data);
    self->incoming = function;
    self->incoming_data = user_data;
    self->incoming_destroy = destroy;
}

void eddy_socket_service_set_event_func (EddySocketService *self,
                                         EddySocketServiceEventFunc function, void *user_data,
                                         void (*destroy) (void *user_data))
{
    EDDY__EXPECT (self != NULL && self->listener.n_sockets == 0);
    eddy__destroy_data (EDDY_TAKE (self->event_destroy), self->event_data);
    self->event = function;
    self->event_data = user_data;
    self->event_destroy = destroy;
}

void eddy__service_tell (EddySocketService *self, EddySocketServiceEvent event,
                         EddySocketConnection *connection, const EddyError *error)
{
    if (self->event != NULL)
        self->event (self, event, connection, error, self->event_data);
}

void eddy_socket_service_set_max_connections (EddySocketService *self, unsigned max_connections)
{
    EDDY__EXPECT (self != NULL && max_connections > 0);
    __atomic_store_n (&self->max_connections, max_connections, __ATOMIC_SEQ_CST);
    eddy__service_wake (self, EDDY_SERVICE_WAKE_IDLE);
}

bool eddy_socket_service_refuse_when_starved (EddySocketService *self, EddyError **error)
{
    EDDY__EXPECT (self != NULL && self->listener.n_sockets == 0, false);
    for (unsigned i = 0; i < self->n_lanes; i++)
        if (!eddy__acceptor_keep_reserve (self->lanes[i].acceptor, error))
            return false;
    return true;
}

unsigned eddy_socket_service_get_n_connections (EddySocketService *self)
{
    EDDY__EXPECT (self != NULL, 0);
    return __atomic_load_n (&self->n_connections, __ATOMIC_SEQ_CST);
}

/* --- starting and stopping -------------------------------------------------------------------- */

static bool lane_is_concerned (const EddyServiceLane *lane, EddyServiceWake whom)
{
    if (whom == EDDY_SERVICE_WAKE_ALL)
        return true;
    return __atomic_load_n (&lane->idles, __ATOMIC_SEQ_CST) &&
           (whom == EDDY_SERVICE_WAKE_IDLE ||
            !__atomic_load_n (&lane->is_put_off, __ATOMIC_SEQ_CST));
}

void eddy__service_wake (EddySocketService *self, EddyServiceWake whom)
{
    for (unsigned i = 0; i < self->n_lanes; i++)
        if (lane_is_concerned (&self->lanes[i], whom))
            eddy__acceptor_wake (self->lanes[i].acceptor);
}

static void service_set_active (EddySocketService *self, bool active)
{
    __atomic_store_n (&self->active, active, __ATOMIC_SEQ_CST);
    eddy__service_wake (self, EDDY_SERVICE_WAKE_ALL);
}

void eddy_socket_service_start (EddySocketService *self)
{
    EDDY__EXPECT (self != NULL);
    if (!__atomic_load_n (&self->ending, __ATOMIC_SEQ_CST))
        service_set_active (self, true);
}

void eddy_socket_service_stop (EddySocketService *self)
{
    EDDY__EXPECT (self != NULL);
    service_set_active (self, false);
}

bool eddy_socket_service_is_active (EddySocketService *self)
{
    EDDY__EXPECT (self != NULL, false);
    return __atomic_load_n (&self->active, __ATOMIC_SEQ_CST) &&
           !__atomic_load_n (&self->ending, __ATOMIC_SEQ_CST);
}

/* --- its end ---------------------------------------------------------------------------------- */

void eddy__service_check_end (EddySocketService *self)
{
    if (__atomic_load_n (&self->ending, __ATOMIC_SEQ_CST) &&
        __atomic_load_n (&self->n_running, __ATOMIC_SEQ_CST) == 0 &&
        __atomic_load_n (&self->n_connections, __ATOMIC_SEQ_CST) == 0 &&
        !__atomic_exchange_n (&self->told_end, true, __ATOMIC_SEQ_CST))
        eddy_semaphore_release (self->ended, 1);
}

/* Waits until all have ended; false with an error. */
static bool service_await_end (EddySocketService *self, int64_t grace_ns,
                               EddyCancellable *cancellable, EddyError **error)
{
    EDDY_AUTO (EddyCancellable)
    until = eddy_cancellable_new_with_timeout (cancellable, grace_ns < 0 ? INT64_MAX : grace_ns);
    if (until == NULL) {
        eddy_error_set_errno (error, ENOMEM, "the end of a service");
        return false;
    }
    if (!eddy_semaphore_acquire (self->ended, 1, until, error))
        return false;
    eddy_semaphore_release (self->ended, 1); /* for others who wait */
    return true;
}

/* Handlers end first: what they still send goes out. What nobody looks after then is cut off, and
 * noticed by whoever has it. */
static unsigned service_end_connections (EddySocketService *self)
{
    unsigned n = __atomic_load_n (&self->n_connections, __ATOMIC_SEQ_CST);
    EDDY_SHIELD (-1)
    {
        for (unsigned i = 0; i < self->n_lanes; i++) {
            EDDY_AUTO (EddyFuture) fiber = eddy__service_lane_ref_fiber (&self->lanes[i]);
            eddy_future_cancel (fiber);
        }
        for (unsigned i = 0; i < self->n_lanes; i++) {
            EDDY_AUTO (EddyFuture) fiber = eddy__service_lane_ref_fiber (&self->lanes[i]);
            if (fiber != NULL)
                (void) eddy_await_complete (fiber, NULL);
        }
    }
    (void) eddy__service_cut_off (self);
    return n;
}

/* Whether the running fiber is a handler of the service. */
static bool service_is_of_handler (EddySocketService *self)
{
    const EddyGroup *group = eddy__fiber_current ()->group;
    for (unsigned i = 0; i < self->n_lanes && group != NULL; i++)
        if (__atomic_load_n (&self->lanes[i].group, __ATOMIC_RELAXED) == group)
            return true;
    return false;
}

bool eddy_socket_service_shutdown_body (EddySocketService *service, int64_t grace_ns,
                                        EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (service != NULL, false);
    EddyError *failure = NULL;
    if (service_is_of_handler (service)) {
        eddy_error_set_errno (error, EDEADLK, "shutting a service down from one of its handlers");
        return false;
    }
    service_end (service);
    eddy__service_check_end (service);
    if (service_await_end (service, grace_ns, cancellable, &failure))
        return true;
    unsigned n = service_end_connections (service);
    if (n > 0)
        eddy_error_take (error, eddy_ref (failure));
    eddy_unref (failure);
    return n == 0;
}
