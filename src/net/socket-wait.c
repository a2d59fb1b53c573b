/* SPDX-License-Identifier: MIT */
/* Whether a socket is ready: asked, waited for, and as a source. */
#include <eddy/socket-bodies.h>

#include <poll.h>

#include "base/object-private.h"
#include "net/socket-private.h"
#include "sys/poll-private.h"

static const EddySocketVerb wait_in_verb = { "wait", "for", EDDY__SOCKET_RECEIVES, false };
static const EddySocketVerb wait_out_verb = { "wait", "for", EDDY__SOCKET_SENDS, false };

static const EddySocketVerb *wait_verb (int condition)
{
    return (condition & POLLIN) != 0 ? &wait_in_verb : &wait_out_verb;
}

int eddy_socket_condition_check (EddySocket *self, int condition)
{
    EDDY__EXPECT (self != NULL, POLLNVAL);
    if (self->fd < 0)
        return POLLNVAL;
    struct pollfd poll = { self->fd, (short) condition, 0 };
    return eddy__sys_ppoll (&poll, 1, 0) > 0 ? poll.revents : 0;
}

static void wait_prepare (EddyOp *op, EddySocket *socket, int condition)
{
    eddy__op_init (op, EDDY_OP_POLL, socket->fd);
    op->as.poll.events = (uint32_t) condition;
}

int eddy_socket_condition_wait_body (EddySocket *socket, int condition,
                                     EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (socket != NULL, -1);
    EddyOp op;
    wait_prepare (&op, socket, condition);
    return (int) eddy__socket_do (socket, &op, wait_verb (condition), NULL, cancellable, error);
}

bool eddy_socket_condition_wait_request (EddyOp *op, EddySocket *socket, int condition,
                                         EddyError **error)
{
    EDDY__EXPECT (socket != NULL, false);
    if (!eddy__socket_request (socket, wait_verb (condition), error))
        return false;
    wait_prepare (op, socket, condition);
    return true;
}

int eddy_socket_condition_wait_result (const EddyOp *op, EddySocket *socket, int condition,
                                       EddyError **error)
{
    return (int) eddy__socket_result (socket, op, wait_verb (condition), NULL, error);
}

/* --- sources ---------------------------------------------------------------------------------- */

/* What a socket's source has. */
typedef struct SocketWatch {
    EddySocketClosing closing; /* on the socket's list while it has a tag */
    EddySource *source;
    EddySocket *socket;
    void *tag; /* of the fd; NULL: it is closed */
} SocketWatch;

static void socket_watch_closing (EddySocketClosing *closing)
{
    SocketWatch *watch = EDDY__CONTAINER (closing, SocketWatch, closing);
    eddy_source_remove_fd (watch->source, EDDY_TAKE (watch->tag));
    eddy_source_set_ready_time (watch->source, 0);
}

static void socket_watch_end (SocketWatch *watch)
{
    EddySocketClosing **link = &watch->socket->closings;
    while (*link != &watch->closing)
        link = &(*link)->next;
    *link = watch->closing.next;
}

static bool socket_source_dispatch (EddySource *source, EddySocketSourceFunc function,
                                    void *user_data)
{
    SocketWatch *watch = eddy_source_get_data (source);
    bool is_closed = watch->tag == NULL;
    int condition = is_closed ? POLLNVAL : (int) eddy_source_query_fd (source, watch->tag);
    bool stays = function == NULL || function (watch->socket, condition, user_data);
    return stays && !is_closed;
}

static bool socket_source_run (EddySource *source, EddySourceFunc callback, void *user_data)
{
    return socket_source_dispatch (source, (EddySocketSourceFunc) (void (*) (void)) callback,
                                   user_data);
}

static void socket_source_finalize (EddySource *source)
{
    SocketWatch *watch = eddy_source_get_data (source);
    if (watch->tag != NULL)
        socket_watch_end (watch);
    eddy_clear (&watch->socket);
}

static const EddySourceFuncs socket_source_funcs = { .dispatch = socket_source_run,
                                                     .finalize = socket_source_finalize };

/* Another source that makes this one ready when the cancellable is cancelled. */
static bool socket_source_follow (EddySource *source, EddyCancellable *cancellable)
{
    EddySource *child = eddy_cancellable_source_new (cancellable);
    bool follows = child != NULL;
    if (follows) {
        eddy_source_set_dummy_callback (child);
        follows = eddy_source_add_child_source (source, child);
    }
    eddy_unref (child);
    return follows;
}

EddySource *eddy_socket_create_source (EddySocket *self, int condition,
                                       EddyCancellable *cancellable)
{
    EDDY__EXPECT (self != NULL, NULL);
    EddySource *source = eddy_source_new (&socket_source_funcs, sizeof (SocketWatch));
    if (source == NULL)
        return NULL;
    SocketWatch *watch = eddy_source_get_data (source);
    watch->closing.tell = socket_watch_closing;
    watch->source = source;
    watch->socket = eddy_ref (self);
    if (self->fd < 0)
        eddy_source_set_ready_time (source, 0);
    else
        watch->tag = eddy_source_add_fd (source, self->fd, (unsigned) condition);
    if (watch->tag != NULL)
        eddy__socket_add_closing (self, &watch->closing);
    bool is_made = self->fd < 0 || watch->tag != NULL;
    if (is_made && cancellable != NULL)
        is_made = socket_source_follow (source, cancellable);
    if (!is_made)
        eddy_clear (&source);
    return source;
}
