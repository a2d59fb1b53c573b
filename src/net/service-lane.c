/* SPDX-License-Identifier: MIT */
/* Accepting for a service, on one thread.
 *
 *              ┌───────── a connection, or woken ─────────┐
 *              ▼                                          │
 *   look ──► waits for connections: active, places free ──┤
 *     │                                                   │
 *     ├────► idles: stopped, full, or starved ── woken, or the back-off is over
 *     │
 *     └────► ends: its handlers are waited for
 *
 * Whoever idles says so before he looks again; whoever changes something looks afterwards who
 * idles. So a change in between is seen by one of the two. */
#include "net/service-private.h"

#include <errno.h>

#include "base/log-private.h"
#include "base/object-private.h"
#include "fiber/fiber-private.h"

/* How long accepting is left alone after it has failed. */
static const int64_t LANE_FIRST_BACKOFF_NS = 10 * INT64_C (1000000);
static const int64_t LANE_MOST_BACKOFF_NS = INT64_C (1000000000);
/* Connections at hand that are taken before others have their turn. */
enum { LANE_BURST = 32 };

/* --- looking ---------------------------------------------------------------------------------- */

static bool lane_is_to_end (const EddyServiceLane *self)
{
    EddyFiber *fiber = eddy__fiber_current ();
    return __atomic_load_n (&self->service->ending, __ATOMIC_SEQ_CST) ||
           (fiber != NULL && eddy__fiber_is_cancelled (fiber));
}

static bool service_is_full (const EddySocketService *service)
{
    return __atomic_load_n (&service->n_connections, __ATOMIC_SEQ_CST) >=
           __atomic_load_n (&service->max_connections, __ATOMIC_SEQ_CST);
}

static bool lane_may_accept (const EddyServiceLane *self)
{
    const EddySocketService *service = self->service;
    return __atomic_load_n (&service->active, __ATOMIC_SEQ_CST) && !service_is_full (service);
}

/* Two changes in quick succession are none. The first lane speaks for all. */
static void lane_tell_changes (EddyServiceLane *self)
{
    EddySocketService *service = self->service;
    bool is_active = __atomic_load_n (&service->active, __ATOMIC_SEQ_CST);
    if (self == service->lanes && is_active != self->was_active)
        eddy__service_tell (service,
                            is_active ? EDDY_SOCKET_SERVICE_STARTED : EDDY_SOCKET_SERVICE_STOPPED,
                            NULL, NULL);
    self->was_active = is_active;
    if (is_active && service_is_full (service) &&
        !__atomic_exchange_n (&service->is_full, true, __ATOMIC_SEQ_CST))
        eddy__service_tell (service, EDDY_SOCKET_SERVICE_FULL, NULL, NULL);
}

/* --- accepting -------------------------------------------------------------------------------- */

/* Takes the error. */
static void lane_starve (EddyServiceLane *self, EddyError *error)
{
    EddySocketService *service = self->service;
    int64_t longer = 2 * self->backoff_ns;
    if (longer == 0)
        longer = LANE_FIRST_BACKOFF_NS;
    self->backoff_ns = longer < LANE_MOST_BACKOFF_NS ? longer : LANE_MOST_BACKOFF_NS;
    bool is_new = !lane_is_to_end (self) &&
                  !__atomic_exchange_n (&service->is_starved, true, __ATOMIC_SEQ_CST);
    if (is_new) {
        if (service->event == NULL)
            eddy__log (EDDY_LOG_WARNING, "a service tries again: %s",
                       eddy_error_get_message (error));
        eddy__service_tell (service, EDDY_SOCKET_SERVICE_STARVED, NULL, error);
    }
    eddy_unref (error);
}

static void lane_resume (EddyServiceLane *self)
{
    EddySocketService *service = self->service;
    self->backoff_ns = 0;
    bool was_full = __atomic_exchange_n (&service->is_full, false, __ATOMIC_SEQ_CST);
    bool was_starved = __atomic_exchange_n (&service->is_starved, false, __ATOMIC_SEQ_CST);
    if (was_full || was_starved)
        eddy__service_tell (service, EDDY_SOCKET_SERVICE_RESUMED, NULL, NULL);
}

/* Those who cannot be served now are not to wait for it, where the program has said so. */
static void lane_refuse (EddyServiceLane *self)
{
    for (int n = 1; lane_may_accept (self) && eddy__acceptor_refuse (self->acceptor); n++)
        if (n % LANE_BURST == 0)
            eddy_fiber_yield ();
}

/* Whether there was a connection, for which a place has been taken. */
static bool lane_accept_one (EddyServiceLane *self, EddyGroup *group)
{
    EddyError *error = NULL;
    EddyObject *source_object = NULL;
    EddySocket *socket = eddy__acceptor_try (self->acceptor, &source_object, &error);
    if (socket == NULL)
        eddy__service_leave_place (self->service);
    else if (eddy__service_add_connection (self->service, group, socket, source_object, &error))
        lane_resume (self);
    if (socket == NULL && error == NULL)
        self->backoff_ns = 0; /* nobody waits: there is nothing to be put off */
    if (error == NULL)
        return socket != NULL;
    bool lacks_fd = eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_TOO_MANY_OPEN_FILES);
    lane_starve (self, error);
    if (lacks_fd)
        lane_refuse (self);
    return false;
}

static void lane_accept (EddyServiceLane *self, EddyGroup *group)
{
    for (int i = 0; i < LANE_BURST; i++)
        if (!lane_may_accept (self) || !eddy__service_take_place (self->service) ||
            !lane_accept_one (self, group))
            return;
    eddy_fiber_yield ();
}

/* --- waiting ---------------------------------------------------------------------------------- */

/* Until something changes, or the back-off is over. */
static bool lane_idle (EddyServiceLane *self, EddyError **error)
{
    if (self->backoff_ns == 0)
        return eddy__acceptor_wait_for_wake (self->acceptor, NULL, error);
    EDDY_AUTO (EddyCancellable)
    timeout = eddy_cancellable_new_with_timeout (NULL, self->backoff_ns);
    EddyError *failure = NULL;
    if (timeout == NULL)
        return eddy_fiber_sleep (self->backoff_ns, error);
    if (eddy__acceptor_wait_for_wake (self->acceptor, timeout, &failure))
        return true;
    bool is_over = eddy_error_matches (failure, EDDY_IO_ERROR, EDDY_IO_ERROR_TIMED_OUT);
    if (!is_over)
        eddy_error_take (error, EDDY_TAKE (failure));
    eddy_unref (failure);
    return is_over;
}

/* Whether to go and accept. A wait that fails otherwise than by a cancel would fail again at once:
 * it is put off like accepting. */
static bool lane_wait (EddyServiceLane *self)
{
    EddyError *error = NULL;
    eddy__acceptor_forget_wake (self->acceptor);
    __atomic_store_n (&self->is_put_off, self->backoff_ns > 0, __ATOMIC_SEQ_CST);
    __atomic_store_n (&self->idles, true, __ATOMIC_SEQ_CST);
    lane_tell_changes (self);
    bool is_to_end = lane_is_to_end (self);
    bool accepts = !is_to_end && self->backoff_ns == 0 && lane_may_accept (self);
    if (accepts)
        __atomic_store_n (&self->idles, false, __ATOMIC_SEQ_CST);
    bool waited = is_to_end || (accepts ? eddy__acceptor_wait (self->acceptor, NULL, &error)
                                        : lane_idle (self, &error));
    __atomic_store_n (&self->idles, false, __ATOMIC_SEQ_CST);
    if (!waited && !lane_is_to_end (self)) {
        lane_starve (self, EDDY_TAKE (error));
        (void) eddy_fiber_sleep (self->backoff_ns, NULL);
    }
    eddy_unref (error);
    return waited;
}

/* --- its life --------------------------------------------------------------------------------- */

static void lane_run_until_end (EddyServiceLane *self, EddyGroup *group)
{
    while (!lane_is_to_end (self))
        if (lane_wait (self) && !lane_is_to_end (self))
            lane_accept (self, group);
}

/* Without memory it is tried again, like accepting: nobody else would notice that none accepts. */
static EddyGroup *lane_make_group (EddyServiceLane *self)
{
    EddyGroup *group = eddy_group_new ();
    while (group == NULL && !lane_is_to_end (self)) {
        lane_starve (self, eddy_error_new_errno (ENOMEM, "a service"));
        if (!eddy_fiber_sleep (self->backoff_ns, NULL))
            eddy_fiber_yield ();
        group = eddy_group_new ();
    }
    return group;
}

static void *lane_run (void *data, EddyError **error)
{
    EddyServiceLane *self = data;
    self->has_run = true;
    EDDY_AUTO_GROUP (group) = lane_make_group (self);
    (void) error; /* nobody asks for it */
    if (group == NULL)
        return NULL;
    eddy_group_set_supervisor (group, true);
    __atomic_store_n (&self->group, group, __ATOMIC_RELAXED);
    lane_run_until_end (self, group);
    (void) eddy_group_wait (group, NULL);
    __atomic_store_n (&self->group, NULL, __ATOMIC_RELAXED);
    return NULL;
}

static void lane_put_off (EddyServiceLane *self);

static void lane_ended (void *data)
{
    EddyServiceLane *self = data;
    EddySocketService *service = self->service;
    if (!self->has_run)
        lane_put_off (self);
    __atomic_sub_fetch (&service->n_running, 1, __ATOMIC_SEQ_CST);
    eddy__service_check_end (service);
    eddy_object_release (service);
}

static EddyContext *lane_get_context (const EddyServiceLane *self)
{
    const EddySocketService *service = self->service;
    return service->pool == NULL
               ? service->context
               : eddy_pool_get_context (service->pool, (unsigned) (self - service->lanes));
}

/* Has the fiber be another one, taking the reference; not one that has ended on another thread
 * meanwhile, and was followed by the present one. */
static void lane_set_fiber (EddyServiceLane *self, EddyFuture *fiber)
{
    bool locked = eddy__lock (&self->service->lock);
    EddyFuture *dropped = self->fiber;
    if (dropped != NULL && fiber != NULL && eddy_future_is_complete (fiber))
        dropped = fiber;
    else
        self->fiber = fiber;
    eddy__unlock (&self->service->lock, locked);
    eddy_unref (dropped);
}

EddyFuture *eddy__service_lane_ref_fiber (EddyServiceLane *self)
{
    bool locked = eddy__lock (&self->service->lock);
    EddyFuture *fiber = eddy_ref (self->fiber);
    eddy__unlock (&self->service->lock, locked);
    return fiber;
}

/* False with an error: memory is out; it is put off. */
static bool lane_begin (EddyServiceLane *self, EddyError **error)
{
    static const EddyFiberOptions options = { .name = "a service's accepting" };
    __atomic_add_fetch (&self->service->n_running, 1, __ATOMIC_SEQ_CST);
    eddy_object_hold (self->service);
    EddyFuture *fiber =
        eddy_spawn_full (lane_get_context (self), lane_run, self, lane_ended, &options, EDDY_PLACE);
    const EddyError *failure = eddy_future_get_error (fiber);
    if (failure == NULL) {
        lane_set_fiber (self, fiber);
        return true;
    }
    eddy_error_take (error, eddy_ref ((EddyError *) failure));
    eddy_unref (fiber);
    return false;
}

bool eddy__service_begin (EddySocketService *self, EddyError **error)
{
    for (unsigned i = 0; i < self->n_lanes; i++) {
        EDDY_AUTO (EddyFuture) fiber = eddy__service_lane_ref_fiber (&self->lanes[i]);
        if (fiber == NULL && !lane_begin (&self->lanes[i], error)) {
            eddy__service_lane_drop (&self->lanes[i]);
            return false;
        }
    }
    return true;
}

/* --- without a stack -------------------------------------------------------------------------- */

/* A fiber that cannot have a stack ends without having run, and nobody would accept on the lane any
 * more: it is begun anew, like accepting that has failed. Not here, where another fiber may be
 * about to park, but by the loop. */

static EddySource *lane_take_retry (EddyServiceLane *self)
{
    bool locked = eddy__lock (&self->service->lock);
    EddySource *retry = EDDY_TAKE (self->retry);
    eddy__unlock (&self->service->lock, locked);
    return retry;
}

static bool lane_try_again (void *data)
{
    EddyServiceLane *self = data;
    eddy_unref (lane_take_retry (self));
    if (lane_is_to_end (self))
        return EDDY_SOURCE_REMOVE;
    lane_starve (self, eddy_error_new_errno (ENOMEM, "a service's accepting"));
    (void) lane_begin (self, NULL);
    return EDDY_SOURCE_REMOVE;
}

static void lane_retry_gone (void *data)
{
    eddy_object_release (((EddyServiceLane *) data)->service);
}

static void lane_put_off (EddyServiceLane *self)
{
    EddySocketService *service = self->service;
    if (__atomic_load_n (&service->ending, __ATOMIC_SEQ_CST))
        return;
    EDDY_AUTO (EddySource)
    retry =
        eddy_timeout_source_new (self->backoff_ns > 0 ? self->backoff_ns : LANE_FIRST_BACKOFF_NS);
    if (retry != NULL) {
        eddy_object_hold (service);
        eddy_source_set_callback (retry, lane_try_again, self, lane_retry_gone);
        bool locked = eddy__lock (&service->lock);
        self->retry = eddy_ref (retry);
        eddy__unlock (&service->lock, locked);
    }
    if (retry != NULL && eddy_source_attach (retry, lane_get_context (self)) != 0)
        return;
    eddy__log (EDDY_LOG_CRITICAL, "a service accepts no more: memory is out");
    eddy_unref (lane_take_retry (self));
}

void eddy__service_lane_drop (EddyServiceLane *self)
{
    EddySource *retry = lane_take_retry (self);
    if (retry != NULL)
        eddy_source_destroy (retry);
    eddy_unref (retry);
    lane_set_fiber (self, NULL);
}
