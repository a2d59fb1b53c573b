/* SPDX-License-Identifier: MIT */
/* Sockets within the room. */
#pragma once

#include <eddy/socket.h>

#include "engine/operation-private.h"
#include "loop/context-private.h"
#include "net/address-private.h"

/* Which of its timeouts an operation has. */
typedef enum EddySocketDirection { EDDY__SOCKET_RECEIVES, EDDY__SOCKET_SENDS } EddySocketDirection;

/* Told once, when a socket's fd is about to be given up, by whichever thread does that: it is on
 * the socket's list no longer, and may go. */
typedef struct EddySocketClosing EddySocketClosing;
struct EddySocketClosing {
    EddySocketClosing *next;
    void (*tell) (EddySocketClosing *closing);
};

struct EddySocket {
    EddyObject object;
    int fd;               /* -1: closed */
    int kept_fd;          /* closed, but to be given up when nothing is under way; -1: none */
    uint32_t n_under_way; /* operations that the loop of `context` knows of */
    uint8_t family;
    uint8_t type;
    bool is_connected : 1;
    bool lingers : 1;   /* its close may wait */
    bool is_spread : 1; /* what is under way belongs to several contexts, or holds the fd */
    uint8_t peer_size;  /* of `peer`; 0: it is not known */
    uint16_t protocol;
    uint16_t backlog;
    /* Of an inet peer, for messages: when it has reset the connection the kernel forgets it. */
    EddyInetNative peer;
    EddyReadiness readiness;
    EddyContext *context;        /* not a reference */
    int64_t timeouts[2];         /* by direction; 0: none */
    EddySocketClosing *closings; /* the first of those to be told */
};

_Static_assert(sizeof (EddySocket) <= 120, "each connection has one: it is to fit its block");

static inline bool eddy__socket_is_tcp (const EddySocket *socket)
{
    bool is_inet =
        socket->family == EDDY_SOCKET_FAMILY_IPV4 || socket->family == EDDY_SOCKET_FAMILY_IPV6;
    bool is_usual = socket->protocol == 0 || socket->protocol == IPPROTO_TCP;
    return is_inet && is_usual && socket->type == EDDY_SOCKET_TYPE_STREAM;
}

/* What an operation does, for messages: "receive from 127.0.0.1:80". */
typedef struct EddySocketVerb {
    const char *name;
    const char *preposition;
    EddySocketDirection direction;
    bool is_local; /* at its own address, rather than its peer's */
} EddySocketVerb;

extern const EddySocketVerb eddy__socket_accept_verb;
extern const EddySocketVerb eddy__socket_connect_verb;
extern const EddySocketVerb eddy__socket_receive_verb;
extern const EddySocketVerb eddy__socket_send_verb;

/* socket.c */

/* The socket of an fd that accept has given, and that this takes; NULL when memory is out, and then
 * it is closed. */
EddySocket *eddy__socket_new_accepted (EddySocket *listener, int fd);
/* Has somebody told of its close, who is not on its list yet. */
static inline void eddy__socket_add_closing (EddySocket *socket, EddySocketClosing *closing)
{
    closing->next = socket->closings;
    socket->closings = closing;
}
/* From now on it has a peer, and knows its address. */
void eddy__socket_set_connected (EddySocket *socket);
/* Whether it is open; false with CLOSED. */
bool eddy__socket_check (EddySocket *socket, const EddySocketVerb *verb, EddyError **error);
/* The error of an operation that has ended with -errno. `address`: of whom; NULL: as the verb says.
 */
void eddy__socket_set_error (EddySocket *socket, int64_t result, const EddySocketVerb *verb,
                             EddySocketAddress *address, EddyError **error);

/* The same as its dispose: its fd, if it has one, is closed without waiting. */
void eddy__socket_close_later (EddySocket *socket);

/* socket-transfer.c: doing what is one request. */

/* Begins a request that is a socket's. */
static inline void eddy__socket_op_init (EddyOp *op, EddyOpKind kind, EddySocket *socket)
{
    eddy__op_init (op, kind, socket->fd);
    op->as.transfer.readiness = &socket->readiness;
}

/* In a fiber or a plain thread: does it and waits for it; its result; or -1 with the error.
 * `address`: as above. */
int64_t eddy__socket_do (EddySocket *socket, EddyOp *op, const EddySocketVerb *verb,
                         EddySocketAddress *address, EddyCancellable *cancellable,
                         EddyError **error);
/* The same as a form's request: whether it may be one, and has begun; false with CLOSED; or false
 * without an error: it is to be done on a fiber. */
bool eddy__socket_request (EddySocket *socket, const EddySocketVerb *verb, EddyError **error);
/* Somebody uses the fd of an open socket by its number: a close ends what waits for it, but leaves
 * it open until this has ended. */
void eddy__socket_hold (EddySocket *socket);
/* Whether the socket was not closed meanwhile. */
bool eddy__socket_release (EddySocket *socket);
/* It has ended: its result, or -1 with the error. */
int64_t eddy__socket_result (EddySocket *socket, const EddyOp *op, const EddySocketVerb *verb,
                             EddySocketAddress *address, EddyError **error);

/* socket-control.c: control messages as the kernel has them. */

/* Room for what one receive may bring: the most fds, credentials, and what else may be asked for.
 */
enum { EDDY__SOCKET_CONTROL_SIZE = 2048 };

/* Bytes that messages take; their native form is written by the other. */
size_t eddy__socket_control_get_size (const EddySocketControlMessageList *messages);
void eddy__socket_control_write (const EddySocketControlMessageList *messages, void *dest);
/* Makes messages of what was received: all fds in it are theirs, or closed. False with the error;
 * `*messages` is NULL where there are none. `messages` NULL: nobody asks. */
bool eddy__socket_control_read (struct msghdr *native, EddySocketControlMessageList **messages,
                                EddyError **error);

/* credentials.c */
EddyCredentials *eddy__credentials_new (pid_t pid, uid_t user, gid_t group);
