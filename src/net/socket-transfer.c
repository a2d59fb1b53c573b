/* SPDX-License-Identifier: MIT */
/* What is one request of a socket: in a fiber, in a plain thread, and as a form's request. */
#include <eddy/socket-bodies.h>

#include <eddy/fiber.h>
#include <errno.h>

#include "base/object-private.h"
#include "engine/engine-private.h"
#include "fiber/fiber-private.h"
#include "io/stream-private.h"
#include "net/socket-private.h"
#include "sys/poll-private.h"

/* Between two tries to connect where no readiness tells when to try. */
enum { PAUSE_FIRST_NS = 1000000, PAUSE_MOST_NS = 16000000 };

const EddySocketVerb eddy__socket_receive_verb = { "receive", "from", EDDY__SOCKET_RECEIVES,
                                                   false };
const EddySocketVerb eddy__socket_send_verb = { "send", "to", EDDY__SOCKET_SENDS, false };

/* --- beginning and ending --------------------------------------------------------------------- */

/* Counts what is under way, so that a close knows whom to ask to end it. */
static void socket_enter (EddySocket *self, EddyContext *context)
{
    if (self->n_under_way++ == 0)
        self->context = context;
    else if (self->context != context)
        self->is_spread = true;
}

static void socket_leave (EddySocket *self)
{
    if (--self->n_under_way > 0)
        return;
    self->context = NULL;
    self->is_spread = false;
    if (self->kept_fd >= 0)
        eddy__stream_close_fd_later (self->kept_fd, self->lingers);
    self->kept_fd = -1;
}

void eddy__socket_hold (EddySocket *self)
{
    self->n_under_way++;
    self->is_spread = true;
}

bool eddy__socket_release (EddySocket *self)
{
    bool is_open = self->kept_fd < 0;
    socket_leave (self);
    return is_open;
}

/* How it has ended: an end that the close of a kept fd has made is none of the peer's, nor has that
 * made it ready or connected. */
static int64_t socket_settle (const EddySocket *self, const EddyOp *op, int64_t result)
{
    bool is_bytes = op->kind == EDDY_OP_READ_BYTES;
    bool receives = is_bytes || op->kind == EDDY_OP_RECV || op->kind == EDDY_OP_RECVMSG;
    bool only_says = op->kind == EDDY_OP_POLL || op->kind == EDDY_OP_CONNECT;
    if (EDDY__LIKELY (self->kept_fd < 0) ||
        !((receives && result == 0) || (only_says && result >= 0)))
        return result;
    if (is_bytes)
        eddy_unref (op->as.transfer.buf);
    return -EBADF;
}

/* It was cancelled by somebody, or by the socket's own deadline. */
static void socket_set_cancel_error (EddySocket *self, const EddySocketVerb *verb,
                                     EddyCancellable *cancellable, EddyError **error)
{
    if (eddy__may_go_on (cancellable, error))
        eddy__socket_set_error (self, -ECANCELED, verb, NULL, error);
}

/* Lets a peer that has too many waiting take some. A cancel waits for that. */
static void socket_pause (int64_t *pause_ns)
{
    if (eddy__fiber_current () != NULL)
        (void) eddy_fiber_sleep (*pause_ns, NULL);
    else
        (void) eddy__sys_ppoll (NULL, 0, *pause_ns);
    if (*pause_ns < PAUSE_MOST_NS)
        *pause_ns *= 2;
}

static int64_t socket_do_op (EddySocket *self, EddyOp *op, EddyCancellable *cancellable)
{
    int64_t pause_ns = PAUSE_FIRST_NS;
    int64_t result = eddy__do_op (op, cancellable);
    while (EDDY__UNLIKELY (result == EDDY__TRY_LATER)) {
        socket_pause (&pause_ns);
        /* Closed meanwhile; the number may be another file's by now. */
        result = self->fd < 0 ? -EBADF : eddy__do_op (op, cancellable);
    }
    return result;
}

static int64_t socket_do (EddySocket *self, EddyOp *op, EddyCancellable *cancellable)
{
    EddyFiber *fiber = eddy__fiber_current ();
    if (fiber == NULL) /* who waits closes nothing meanwhile */
        return socket_do_op (self, op, cancellable);
    socket_enter (self, fiber->future.context);
    int64_t result = socket_settle (self, op, socket_do_op (self, op, cancellable));
    socket_leave (self);
    return result;
}

/* With the socket's own timeout. */
static int64_t socket_do_limited (EddySocket *self, EddyOp *op, const EddySocketVerb *verb,
                                  EddySocketAddress *address, EddyCancellable *cancellable,
                                  EddyError **error)
{
    EDDY_AUTO (EddyCancellable)
    limited = eddy_cancellable_new_with_timeout (cancellable, self->timeouts[verb->direction]);
    int64_t result = limited == NULL ? -ENOMEM : socket_do (self, op, limited);
    if (EDDY__LIKELY (result >= 0))
        return result;
    bool was_ours = result == -ECANCELED && eddy__may_go_on (cancellable, error);
    if (was_ours)
        eddy__socket_set_error (self, -ETIMEDOUT, verb, address, error);
    else if (result != -ECANCELED)
        eddy__socket_set_error (self, result, verb, address, error);
    return -1;
}

int64_t eddy__socket_do (EddySocket *self, EddyOp *op, const EddySocketVerb *verb,
                         EddySocketAddress *address, EddyCancellable *cancellable,
                         EddyError **error)
{
    if (!eddy__socket_check (self, verb, error))
        return -1;
    op->fd = self->fd;
    if (EDDY__UNLIKELY (self->timeouts[verb->direction] > 0))
        return socket_do_limited (self, op, verb, address, cancellable, error);
    int64_t result = socket_do (self, op, cancellable);
    if (EDDY__LIKELY (result >= 0))
        return result;
    if (result == -ECANCELED)
        socket_set_cancel_error (self, verb, cancellable, error);
    else
        eddy__socket_set_error (self, result, verb, address, error);
    return -1;
}

bool eddy__socket_request (EddySocket *self, const EddySocketVerb *verb, EddyError **error)
{
    if (!eddy__socket_check (self, verb, error) || self->timeouts[verb->direction] > 0)
        return false;
    /* A request on its way to a loop could not be found by a close, and would meet another fd. */
    EddyContext *context = eddy__context_thread_default ();
    if (context->engine == NULL || !eddy__context_is_owned (context))
        return false;
    socket_enter (self, context);
    return true;
}

int64_t eddy__socket_result (EddySocket *self, const EddyOp *op, const EddySocketVerb *verb,
                             EddySocketAddress *address, EddyError **error)
{
    int64_t result = socket_settle (self, op, op->result);
    socket_leave (self);
    if (EDDY__LIKELY (result >= 0))
        return result;
    if (result != -ECANCELED) /* else the form says who has cancelled it */
        eddy__socket_set_error (self, result, verb, address, error);
    return -1;
}

/* --- receiving -------------------------------------------------------------------------------- */

static void receive_prepare (EddyOp *op, EddySocket *socket, void *buffer, size_t size)
{
    eddy__socket_op_init (op, EDDY_OP_RECV, socket);
    op->as.transfer.buf = buffer;
    op->as.transfer.len = size;
}

ssize_t eddy_socket_receive_body (EddySocket *socket, void *buffer, size_t size,
                                  EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (socket != NULL && (buffer != NULL || size == 0), -1);
    EddyOp op;
    receive_prepare (&op, socket, buffer, size);
    return (ssize_t) eddy__socket_do (socket, &op, &eddy__socket_receive_verb, NULL, cancellable,
                                      error);
}

bool eddy_socket_receive_request (EddyOp *op, EddySocket *socket, void *buffer, size_t size,
                                  EddyError **error)
{
    EDDY__EXPECT (socket != NULL && (buffer != NULL || size == 0), false);
    if (!eddy__socket_request (socket, &eddy__socket_receive_verb, error))
        return false;
    receive_prepare (op, socket, buffer, size);
    return true;
}

ssize_t eddy_socket_receive_result (const EddyOp *op, EddySocket *socket, void *buffer, size_t size,
                                    EddyError **error)
{
    (void) buffer;
    (void) size;
    return (ssize_t) eddy__socket_result (socket, op, &eddy__socket_receive_verb, NULL, error);
}

/* --- into bytes ------------------------------------------------------------------------------- */

/* They are made when there is something to put into them. */
static void receive_bytes_prepare (EddyOp *op, EddySocket *socket, size_t size)
{
    eddy__socket_op_init (op, EDDY_OP_READ_BYTES, socket);
    op->as.transfer.len = size;
}

EddyBytes *eddy_socket_receive_bytes_body (EddySocket *socket, size_t size,
                                           EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (socket != NULL && size > 0, NULL);
    EddyOp op;
    receive_bytes_prepare (&op, socket, size);
    int64_t count =
        eddy__socket_do (socket, &op, &eddy__socket_receive_verb, NULL, cancellable, error);
    return count < 0 ? NULL : op.as.transfer.buf;
}

bool eddy_socket_receive_bytes_request (EddyOp *op, EddySocket *socket, size_t size,
                                        EddyError **error)
{
    EDDY__EXPECT (socket != NULL && size > 0, false);
    if (!eddy__socket_request (socket, &eddy__socket_receive_verb, error))
        return false;
    receive_bytes_prepare (op, socket, size);
    return true;
}

EddyBytes *eddy_socket_receive_bytes_result (const EddyOp *op, EddySocket *socket, size_t size,
                                             EddyError **error)
{
    (void) size;
    int64_t count = eddy__socket_result (socket, op, &eddy__socket_receive_verb, NULL, error);
    return count < 0 ? NULL : op->as.transfer.buf;
}

/* --- sending ---------------------------------------------------------------------------------- */

static void send_prepare (EddyOp *op, EddySocket *socket, const void *buffer, size_t size)
{
    eddy__socket_op_init (op, EDDY_OP_SEND, socket);
    op->as.transfer.buf = (void *) (uintptr_t) buffer; /* only read */
    op->as.transfer.len = size;
}

ssize_t eddy_socket_send_body (EddySocket *socket, const void *buffer, size_t size,
                               EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (socket != NULL && (buffer != NULL || size == 0), -1);
    /* Most sends need no waiting, nor an operation. */
    int64_t count = -EINPROGRESS;
    if (socket->fd >= 0 && !eddy__cancellable_is_cancelled (cancellable))
        count = eddy__fiber_send_now (socket->fd, buffer, size);
    if (EDDY__LIKELY (count >= 0))
        return (ssize_t) count;
    if (count != -EINPROGRESS && count != -EAGAIN) {
        eddy__socket_set_error (socket, count, &eddy__socket_send_verb, NULL, error);
        return -1;
    }
    EddyOp op;
    send_prepare (&op, socket, buffer, size);
    if (count == -EAGAIN)
        op.op_flags |= EDDY_OP_TRIED;
    return (ssize_t) eddy__socket_do (socket, &op, &eddy__socket_send_verb, NULL, cancellable,
                                      error);
}

bool eddy_socket_send_request (EddyOp *op, EddySocket *socket, const void *buffer, size_t size,
                               EddyError **error)
{
    EDDY__EXPECT (socket != NULL && (buffer != NULL || size == 0), false);
    if (!eddy__socket_request (socket, &eddy__socket_send_verb, error))
        return false;
    send_prepare (op, socket, buffer, size);
    return true;
}

ssize_t eddy_socket_send_result (const EddyOp *op, EddySocket *socket, const void *buffer,
                                 size_t size, EddyError **error)
{
    (void) buffer;
    (void) size;
    return (ssize_t) eddy__socket_result (socket, op, &eddy__socket_send_verb, NULL, error);
}

ssize_t eddy_socket_send_bytes_body (EddySocket *socket, EddyBytes *bytes,
                                     EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (bytes != NULL, -1);
    return eddy_socket_send_body (socket, eddy_bytes_get_data (bytes), eddy_bytes_get_size (bytes),
                                  cancellable, error);
}
