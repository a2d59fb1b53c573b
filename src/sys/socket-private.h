/* SPDX-License-Identifier: MIT */
/*
 * Sockets. Each call returns 0, a count or an fd, or -errno, and passes the fault door first. No
 * call here waits, whatever the socket says of itself: what would have to is -EAGAIN. None raises
 * SIGPIPE, and every fd that is made here is close-on-exec and non-blocking; fds that a message
 * brings are close-on-exec.
 *
 * -EINTR is reported by connect alone, which goes on by itself and must not be repeated.
 */
#pragma once

#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

int eddy__sys_socket (int family, int type, int protocol);
int eddy__sys_socketpair (int family, int type, int fds[2]);
/* Makes an fd of somebody else's as those here are. */
int eddy__sys_socket_adopt (int fd);

int eddy__sys_bind (int fd, const struct sockaddr *address, socklen_t len);
int eddy__sys_listen (int fd, int backlog);
/* A connection that has ended while it waited is none, and no failure of the listening socket: the
 * next one is asked for. */
int eddy__sys_accept (int fd);
/* The fd must be non-blocking. */
int eddy__sys_connect (int fd, const struct sockaddr *address, socklen_t len);
int eddy__sys_shutdown (int fd, int how);

ssize_t eddy__sys_recv (int fd, void *buf, size_t len, int flags);
ssize_t eddy__sys_send (int fd, const void *buf, size_t len, int flags);
ssize_t eddy__sys_recvmsg (int fd, struct msghdr *message, int flags);
ssize_t eddy__sys_sendmsg (int fd, const struct msghdr *message, int flags);

int eddy__sys_getsockname (int fd, struct sockaddr *address, socklen_t *len);
int eddy__sys_getpeername (int fd, struct sockaddr *address, socklen_t *len);
int eddy__sys_getsockopt (int fd, int level, int option, void *value, socklen_t *len);
int eddy__sys_setsockopt (int fd, int level, int option, const void *value, socklen_t len);
/* Bytes that can be read now. */
int eddy__sys_readable_bytes (int fd);
