/* SPDX-License-Identifier: MIT */
/* EddySocketListener: its sockets, and what is accepted from them. */
#include "net/listener-private.h"

#include <eddy/fiber.h>
#include <eddy/socket-listener-bodies.h>
#include <errno.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "fiber/fiber-private.h"

/* --- life ------------------------------------------------------------------------------------- */

static void listener_drop_event_func (EddySocketListener *self)
{
    self->event_func = NULL;
    eddy__destroy_data (EDDY_TAKE (self->event_destroy), self->event_data);
}

void eddy__listener_dispose (EddySocketListener *self)
{
    eddy_socket_listener_close (self);
    listener_drop_event_func (self);
}

void eddy__listener_finalize (EddySocketListener *self)
{
    for (unsigned i = 0; i < self->n_acceptors; i++)
        eddy_unref (self->acceptors[i]);
    eddy__free (self->acceptors);
}

static void listener_dispose (void *object)
{
    eddy__listener_dispose (object);
}

static void listener_finalize (void *object)
{
    eddy__listener_finalize (object);
}

static const EddyClass listener_class = { .name = "EddySocketListener",
                                          .size = sizeof (EddySocketListener),
                                          .dispose = listener_dispose,
                                          .finalize = listener_finalize };

EddySocketListener *eddy_socket_listener_new (void)
{
    return eddy_object_new (&listener_class);
}

bool eddy__listener_open (EddySocketListener *self, unsigned n, EddyError **error)
{
    if (self->acceptors == NULL) /* else it has been tried before */
        self->acceptors = eddy__alloc (n * sizeof *self->acceptors);
    if (self->acceptors == NULL) {
        eddy_error_set_errno (error, ENOMEM, "a listener");
        return false;
    }
    while (self->n_acceptors < n) {
        EddyAcceptor *acceptor = eddy__acceptor_new (error);
        if (acceptor == NULL)
            return false;
        self->acceptors[self->n_acceptors++] = acceptor;
    }
    return true;
}

void eddy_socket_listener_set_event_func (EddySocketListener *self,
                                          EddySocketListenerEventFunc function, void *user_data,
                                          void (*destroy) (void *user_data))
{
    EDDY__EXPECT (self != NULL);
    listener_drop_event_func (self);
    self->event_func = function;
    self->event_data = user_data;
    self->event_destroy = destroy;
}

void eddy_socket_listener_set_backlog (EddySocketListener *self, int listen_backlog)
{
    EDDY__EXPECT (self != NULL && listen_backlog > 0);
    self->backlog = listen_backlog;
    for (size_t i = 0; i < self->n_sockets; i++) {
        eddy_socket_set_listen_backlog (self->sockets[i], listen_backlog);
        (void) eddy_socket_listen (self->sockets[i], NULL);
    }
}

bool eddy_socket_listener_is_closed (EddySocketListener *self)
{
    EDDY__EXPECT (self != NULL, true);
    return eddy__listener_is_closed (self);
}

/* First nobody takes connections from the sockets any more, then they are closed: an fd that is
 * closed may be another one's at once. */
void eddy_socket_listener_close (EddySocketListener *self)
{
    EDDY__EXPECT (self != NULL);
    __atomic_store_n (&self->closed, true, __ATOMIC_RELEASE);
    for (unsigned i = 0; i < self->n_acceptors; i++)
        eddy__acceptor_close (self->acceptors[i]);
    for (size_t i = 0; i < self->n_sockets; i++) {
        (void) eddy_socket_close (self->sockets[i], NULL);
        eddy_unref (self->sockets[i]);
    }
    self->n_sockets = 0;
    eddy__free (EDDY_TAKE (self->sockets));
}

/* --- accepting -------------------------------------------------------------------------------- */

/* What there is to accept from; NULL with an error. */
static EddyAcceptor *listener_get_acceptor (EddySocketListener *self, EddyError **error)
{
    if (eddy__listener_is_closed (self))
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_CLOSED, "the listener is closed");
    else if (self->n_acceptors > 1)
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_NOT_SUPPORTED,
                        "a service on a pool accepts by itself");
    else if (self->n_acceptors == 0 || !eddy__acceptor_has_sockets (self->acceptors[0]))
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_NOT_INITIALIZED,
                        "the listener has no sockets");
    else
        return self->acceptors[0];
    return NULL;
}

EddySocket *eddy_socket_listener_accept_socket_body (EddySocketListener *listener,
                                                     EddyObject **source_object,
                                                     EddyCancellable *cancellable,
                                                     EddyError **error)
{
    EDDY__EXPECT (listener != NULL, NULL);
    EDDY_AUTO (EddyAcceptor) acceptor = NULL;
    bool has_waited = false;
    while (eddy__may_go_on (cancellable, error)) {
        EddyAcceptor *current = listener_get_acceptor (listener, error);
        if (current == NULL)
            return NULL;
        if (acceptor == NULL)
            acceptor = eddy_ref (current); /* it is waited for, though the listener be closed */
        EddyError *failure = NULL;
        EddySocket *socket = eddy__acceptor_try (acceptor, source_object, &failure);
        if (failure != NULL)
            eddy_error_take (error, failure);
        /* Who finds connections at hand, one after the other, lets others have their turn. */
        if (socket != NULL && !has_waited)
            eddy_fiber_yield ();
        if (socket != NULL || failure != NULL)
            return socket;
        has_waited = true;
        if (!eddy__acceptor_wait (acceptor, cancellable, error))
            return NULL;
    }
    return NULL;
}

EddySocketConnection *eddy_socket_listener_accept_body (EddySocketListener *listener,
                                                        EddyObject **source_object,
                                                        EddyCancellable *cancellable,
                                                        EddyError **error)
{
    EDDY_AUTO (EddySocket)
    socket = eddy_socket_listener_accept_socket_body (listener, source_object, cancellable, error);
    if (socket == NULL)
        return NULL;
    EddySocketConnection *connection = eddy_socket_connection_new (socket);
    if (connection != NULL)
        return connection;
    if (source_object != NULL)
        eddy_clear (source_object);
    eddy_error_set_errno (error, ENOMEM, "a connection");
    return NULL;
}

/* --- as a sequence ---------------------------------------------------------------------------- */

static EddySocketListener **sequence_listener (EddySequence *sequence)
{
    return eddy_sequence_get_data (sequence);
}

static void *connections_next (EddySequence *sequence, EddyCancellable *cancellable,
                               EddyError **error)
{
    EddySocketListener *listener = *sequence_listener (sequence);
    EddySocketConnection *connection =
        eddy_socket_listener_accept (listener, NULL, cancellable, error);
    if (connection != NULL)
        return connection;
    if (!eddy__listener_is_closed (listener))
        eddy_sequence_go_on (sequence);
    else if (error != NULL && eddy_error_matches (*error, EDDY_IO_ERROR, EDDY_IO_ERROR_CLOSED))
        eddy_clear_error (error);
    return NULL;
}

static void connections_dispose (EddySequence *sequence)
{
    eddy_clear (sequence_listener (sequence));
}

EddySequence *eddy_socket_listener_to_sequence (EddySocketListener *listener)
{
    static const EddySequenceFuncs funcs = { .next = connections_next,
                                             .dispose = connections_dispose };
    EDDY__EXPECT (listener != NULL, NULL);
    EddySequence *sequence =
        eddy_sequence_new (&funcs, sizeof (EddySocketListener *), eddy_destroy);
    if (sequence != NULL)
        *sequence_listener (sequence) = eddy_ref (listener);
    return sequence;
}
