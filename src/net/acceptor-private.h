/* SPDX-License-Identifier: MIT */
/* EddyAcceptor: what one thread accepts connections from: listening sockets, and an fd that is
 * readable when a connection waits at any of them, or somebody has woken it. */
#pragma once

#include <eddy/socket.h>

/* An object. One thread waits, others may add sockets, wake it and close it. */
typedef struct EddyAcceptor EddyAcceptor;

/* NULL with an error. */
EddyAcceptor *eddy__acceptor_new (EddyError **error);

/* Adds a listening socket; keeps references to it and to `source_object`, which may be NULL. */
bool eddy__acceptor_add (EddyAcceptor *acceptor, EddySocket *socket, void *source_object,
                         EddyError **error);
/* Undoes the last add. */
void eddy__acceptor_remove_last (EddyAcceptor *acceptor);
/* Whether it has sockets; a closed one has none. */
bool eddy__acceptor_has_sockets (EddyAcceptor *acceptor);

/* Takes a connection that waits, as a connected socket, with a reference to the object of the
 * socket that it came to. NULL without an error: there is none. */
EddySocket *eddy__acceptor_try (EddyAcceptor *acceptor, EddyObject **source_object,
                                EddyError **error);

/* Keeps an fd in reserve for the following; false with an error. Before it is in use. */
bool eddy__acceptor_keep_reserve (EddyAcceptor *acceptor, EddyError **error);
/* Takes a connection for which there is no fd, by the one in reserve, and closes it; whether there
 * was one, and a reserve. */
bool eddy__acceptor_refuse (EddyAcceptor *acceptor);

/* Waits for a connection, or to be woken; false with an error when cancelled. */
bool eddy__acceptor_wait (EddyAcceptor *acceptor, EddyCancellable *cancellable, EddyError **error);
/* Waits to be woken, whatever has come. */
bool eddy__acceptor_wait_for_wake (EddyAcceptor *acceptor, EddyCancellable *cancellable,
                                   EddyError **error);
/* Wakes who waits, or is about to, until that is forgotten. Any thread. */
void eddy__acceptor_wake (EddyAcceptor *acceptor);
/* Forgets that it was woken; to be followed by a look at what for. A closed one stays awake. */
void eddy__acceptor_forget_wake (EddyAcceptor *acceptor);

/* Lets go of the sockets, without closing them: from now on nobody takes a connection from them
 * here. Whoever waits is woken. Any thread. */
void eddy__acceptor_close (EddyAcceptor *acceptor);
