/* SPDX-License-Identifier: MIT */
/* A connection of a service's: it has its place until its socket is closed, whoever keeps it and
 * on whichever thread that happens. */
#include "net/service-private.h"

#include <errno.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "sys/socket-private.h"

/* --- places ----------------------------------------------------------------------------------- */

bool eddy__service_take_place (EddySocketService *self)
{
    unsigned n = __atomic_load_n (&self->n_connections, __ATOMIC_SEQ_CST);
    do {
        if (n >= __atomic_load_n (&self->max_connections, __ATOMIC_SEQ_CST))
            return false;
    } while (!__atomic_compare_exchange_n (&self->n_connections, &n, n + 1, /* weak= */ true,
                                           __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
    return true;
}

/* The lanes that found none are told. Those that have put accepting off are left alone: two that
 * cannot accept for want of an fd would wake each other for ever, over the last place. */
void eddy__service_leave_place (EddySocketService *self)
{
    unsigned before = __atomic_fetch_sub (&self->n_connections, 1, __ATOMIC_SEQ_CST);
    if (before >= __atomic_load_n (&self->max_connections, __ATOMIC_SEQ_CST))
        eddy__service_wake (self, EDDY_SERVICE_WAKE_FULL);
    eddy__service_check_end (self);
}

/* --- life ------------------------------------------------------------------------------------- */

static void connection_drop_user (EddyServiceConnection *self)
{
    if (__atomic_sub_fetch (&self->users, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    EddySocketService *service = self->service;
    eddy__block_free (self, sizeof *self);
    eddy_object_release (service);
}

/* Its socket is about to be closed; while the lock is held its fd is its own. */
static void connection_closing (EddySocketClosing *closing)
{
    EddyServiceConnection *self = EDDY__CONTAINER (closing, EddyServiceConnection, closing);
    EddySocketService *service = self->service;
    bool locked = eddy__lock (&service->lock);
    eddy__list_remove (&self->member);
    self->socket = NULL;
    eddy__unlock (&service->lock, locked);
    eddy__service_leave_place (service);
    eddy__service_wake (service, EDDY_SERVICE_WAKE_IDLE); /* an fd is about to be free, too */
    connection_drop_user (self);
}

/* Its users are the socket, which the program may close at once, and the caller. */
static EddyServiceConnection *connection_new (EddySocketService *service, EddySocket *socket)
{
    EddyServiceConnection *self = eddy__block_alloc (sizeof *self);
    if (self == NULL)
        return NULL;
    *self = (EddyServiceConnection){ .closing.tell = connection_closing,
                                     .socket = socket,
                                     .service = eddy_object_hold (service),
                                     .users = 2 };
    bool locked = eddy__lock (&service->lock);
    eddy__list_append (&service->connections, &self->member);
    eddy__unlock (&service->lock, locked);
    eddy__socket_add_closing (socket, &self->closing);
    return self;
}

/* --- handlers --------------------------------------------------------------------------------- */

/* Its failure is that of this connection alone: the group does not hear of it. */
static void *connection_handle (void *data, EddyError **error)
{
    (void) error;
    EddyServiceConnection *self = data;
    EddySocketService *service = self->service;
    EddyError *failure = NULL;
    (void) service->handler (service, self->connection, self->source_object, service->handler_data,
                             &failure);
    if (failure != NULL && !eddy_error_is_cancelled (failure))
        eddy__service_tell (service, EDDY_SOCKET_SERVICE_FAILED, self->connection, failure);
    eddy_unref (failure);
    return NULL;
}

static void connection_handled (void *data)
{
    EddyServiceConnection *self = data;
    eddy_clear (&self->connection);
    eddy_clear (&self->source_object);
    connection_drop_user (self);
}

static bool connection_spawn (EddyServiceConnection *self, EddyGroup *group,
                              EddySocketConnection *connection, EddyObject *source_object,
                              EddyError **error)
{
    self->connection = eddy_ref (connection);
    self->source_object = eddy_ref (source_object);
    __atomic_add_fetch (&self->users, 1, __ATOMIC_RELAXED);
    return eddy_group_spawn_full (group, connection_handle, self, connection_handled,
                                  &self->service->handler_options, EDDY_PLACE, error);
}

/* --- a new one -------------------------------------------------------------------------------- */

bool eddy__service_add_connection (EddySocketService *service, EddyGroup *group,
                                   EddySocket *taken_socket, EddyObject *taken_object,
                                   EddyError **error)
{
    EDDY_AUTO (EddySocket) socket = taken_socket;
    EDDY_AUTO (EddyObject) source_object = taken_object;
    EDDY_AUTO (EddySocketConnection) connection = eddy_socket_connection_new (socket);
    EddyServiceConnection *self = connection == NULL ? NULL : connection_new (service, socket);
    if (self == NULL) {
        eddy__service_leave_place (service);
        eddy_error_set_errno (error, ENOMEM, "a connection");
        return false;
    }
    bool is_taken = service->incoming != NULL &&
                    service->incoming (service, connection, source_object, service->incoming_data);
    bool done = is_taken || service->handler == NULL ||
                connection_spawn (self, group, connection, source_object, error);
    connection_drop_user (self);
    return done;
}

unsigned eddy__service_cut_off (EddySocketService *self)
{
    unsigned n = 0;
    bool locked = eddy__lock (&self->lock);
    for (EddyList *link = self->connections.next; link != &self->connections; link = link->next) {
        EddyServiceConnection *connection = EDDY__CONTAINER (link, EddyServiceConnection, member);
        (void) eddy__sys_shutdown (eddy_socket_get_fd (connection->socket), SHUT_RDWR);
        n++;
    }
    eddy__unlock (&self->lock, locked);
    return n;
}
