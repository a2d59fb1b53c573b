/* SPDX-License-Identifier: MIT */
/* Messages of sockets: with the peer's address, with control messages, in several runs of bytes. */
#include <eddy/socket-bodies.h>

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/uio.h>

#include "base/alloc-private.h"
#include "base/bytes-private.h"
#include "base/object-private.h"
#include "net/socket-private.h"

/* --- receiving -------------------------------------------------------------------------------- */

/* One receive, in its caller's frame. */
typedef struct Receipt {
    struct msghdr native;
    struct sockaddr_storage address;
} Receipt;

static void receipt_init (Receipt *receipt, const struct iovec *vectors, size_t n_vectors)
{
    receipt->native = (struct msghdr){
        .msg_name = &receipt->address,
        .msg_namelen = sizeof receipt->address,
        .msg_iov = (struct iovec *) (uintptr_t) vectors, /* only read */
        .msg_iovlen = n_vectors < IOV_MAX ? n_vectors : IOV_MAX,
    };
}

/* Puts the sender's address where it is asked for; false when memory is out. */
static bool receipt_tell_address (const Receipt *receipt, EddySocketAddress **address,
                                  EddyError **error)
{
    if (address == NULL || receipt->native.msg_namelen == 0)
        return true;
    *address = eddy_socket_address_new_from_native (&receipt->address, receipt->native.msg_namelen);
    if (*address == NULL)
        eddy_error_set_errno (error, ENOMEM, "the address of a message");
    return *address != NULL;
}

static ssize_t socket_receive_message (EddySocket *self, Receipt *receipt, int flags,
                                       EddyCancellable *cancellable, EddyError **error)
{
    EddyOp op;
    eddy__socket_op_init (&op, EDDY_OP_RECVMSG, self);
    op.as.transfer.buf = &receipt->native;
    op.flags = (uint32_t) flags;
    return (ssize_t) eddy__socket_do (self, &op, &eddy__socket_receive_verb, NULL, cancellable,
                                      error);
}

ssize_t eddy_socket_receive_from_body (EddySocket *socket, EddySocketAddress **address,
                                       void *buffer, size_t size, EddyCancellable *cancellable,
                                       EddyError **error)
{
    EDDY__EXPECT (socket != NULL && (buffer != NULL || size == 0), -1);
    if (address != NULL)
        *address = NULL;
    struct iovec vector = { buffer, size };
    Receipt receipt;
    receipt_init (&receipt, &vector, 1);
    ssize_t count = socket_receive_message (socket, &receipt, 0, cancellable, error);
    return count < 0 || receipt_tell_address (&receipt, address, error) ? count : -1;
}

ssize_t eddy_socket_receive_message_body (EddySocket *socket, EddySocketAddress **address,
                                          const EddyInputVector *vectors, size_t n_vectors,
                                          EddySocketControlMessageList **messages, int flags,
                                          int *received_flags, EddyCancellable *cancellable,
                                          EddyError **error)
{
    EDDY__EXPECT (socket != NULL && (vectors != NULL || n_vectors == 0), -1);
    if (address != NULL)
        *address = NULL;
    if (messages != NULL)
        *messages = NULL;
    if (received_flags != NULL)
        *received_flags = 0;
    _Alignas(struct cmsghdr) char control[EDDY__SOCKET_CONTROL_SIZE];
    Receipt receipt;
    receipt_init (&receipt, (const struct iovec *) (const void *) vectors, n_vectors);
    receipt.native.msg_control = control;
    receipt.native.msg_controllen = sizeof control;
    ssize_t count = socket_receive_message (socket, &receipt, flags, cancellable, error);
    if (count < 0)
        return -1;
    if (received_flags != NULL)
        *received_flags = receipt.native.msg_flags & (MSG_TRUNC | MSG_EOR);
    if (!eddy__socket_control_read (&receipt.native, messages, error))
        return -1;
    if (receipt_tell_address (&receipt, address, error))
        return count;
    if (messages != NULL)
        eddy_clear (messages);
    return -1;
}

/* It holds no memory while it waits. */
EddyBytes *eddy_socket_receive_bytes_from_body (EddySocket *socket, EddySocketAddress **address,
                                                size_t size, EddyCancellable *cancellable,
                                                EddyError **error)
{
    EDDY__EXPECT (socket != NULL && size > 0, NULL);
    if (address != NULL)
        *address = NULL;
    if (eddy_socket_condition_wait_body (socket, POLLIN, cancellable, error) < 0)
        return NULL;
    EddyBytes *bytes = eddy__bytes_new_uninitialised (size);
    if (bytes == NULL) {
        eddy_error_set_errno (error, ENOMEM, "receive %zu bytes", size);
        return NULL;
    }
    ssize_t count = eddy_socket_receive_from_body (
        socket, address, eddy__bytes_get_writable (bytes), size, cancellable, error);
    if (count >= 0)
        return eddy__bytes_shrink (bytes, (size_t) count);
    eddy_unref (bytes);
    return NULL;
}

/* --- sending ---------------------------------------------------------------------------------- */

static ssize_t socket_send_message (EddySocket *self, EddySocketAddress *address,
                                    struct msghdr *native, int flags, EddyCancellable *cancellable,
                                    EddyError **error)
{
    if (address != NULL) {
        const struct sockaddr *name =
            eddy__socket_address_get_native (address, &native->msg_namelen);
        native->msg_name = (void *) (uintptr_t) name; /* only read */
    }
    EddyOp op;
    eddy__socket_op_init (&op, EDDY_OP_SENDMSG, self);
    op.as.transfer.buf = native;
    op.flags = (uint32_t) flags;
    return (ssize_t) eddy__socket_do (self, &op, &eddy__socket_send_verb, address, cancellable,
                                      error);
}

ssize_t eddy_socket_send_to_body (EddySocket *socket, EddySocketAddress *address,
                                  const void *buffer, size_t size, EddyCancellable *cancellable,
                                  EddyError **error)
{
    EDDY__EXPECT (socket != NULL && (buffer != NULL || size == 0), -1);
    struct iovec vector = { (void *) (uintptr_t) buffer, size }; /* only read */
    struct msghdr native = { .msg_iov = &vector, .msg_iovlen = 1 };
    return socket_send_message (socket, address, &native, 0, cancellable, error);
}

ssize_t eddy_socket_send_message_body (EddySocket *socket, EddySocketAddress *address,
                                       const EddyOutputVector *vectors, size_t n_vectors,
                                       EddySocketControlMessageList *messages, int flags,
                                       EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (socket != NULL && (vectors != NULL || n_vectors == 0), -1);
    struct msghdr native = {
        .msg_iov = (struct iovec *) (uintptr_t) vectors, /* only read */
        .msg_iovlen = n_vectors < IOV_MAX ? n_vectors : IOV_MAX,
    };
    native.msg_controllen = eddy__socket_control_get_size (messages);
    if (native.msg_controllen > 0) {
        native.msg_control = eddy__alloc (native.msg_controllen);
        if (native.msg_control == NULL) {
            eddy_error_set_errno (error, ENOMEM, "control messages");
            return -1;
        }
        eddy__socket_control_write (messages, native.msg_control);
    }
    ssize_t count = socket_send_message (socket, address, &native, flags, cancellable, error);
    eddy__free (native.msg_control);
    return count;
}
