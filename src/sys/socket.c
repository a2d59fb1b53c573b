/* SPDX-License-Identifier: MIT */
/*
 * Sockets.
 */
#include "sys/socket-private.h"

#include <fcntl.h>
#include <sys/ioctl.h>

#include "sys/call-private.h"

enum { ACCEPT_ENDED_MOST = 64 /* in a row, then that is told */ };

int eddy__sys_socket (int family, int type, int protocol)
{
    return (int) EDDY_SYS_CALL (EDDY_SYS_SOCKET,
                                socket (family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
}

int eddy__sys_socketpair (int family, int type, int fds[2])
{
    return (int) EDDY_SYS_CALL (EDDY_SYS_SOCKETPAIR,
                                socketpair (family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds));
}

static int socket_add_flag (int fd, int get, int set, int flag)
{
    int flags = fcntl (fd, get);
    if (flags < 0 || (flags & flag) != 0)
        return flags < 0 ? -1 : 0;
    return fcntl (fd, set, flags | flag);
}

int eddy__sys_socket_adopt (int fd)
{
    int answer =
        (int) EDDY_SYS_CALL (EDDY_SYS_FCNTL, socket_add_flag (fd, F_GETFL, F_SETFL, O_NONBLOCK));
    if (answer < 0)
        return answer;
    return (int) EDDY_SYS_CALL (EDDY_SYS_FCNTL, socket_add_flag (fd, F_GETFD, F_SETFD, FD_CLOEXEC));
}

int eddy__sys_bind (int fd, const struct sockaddr *address, socklen_t len)
{
    return (int) EDDY_SYS_CALL (EDDY_SYS_BIND, bind (fd, address, len));
}

int eddy__sys_listen (int fd, int backlog)
{
    return (int) EDDY_SYS_CALL (EDDY_SYS_LISTEN, listen (fd, backlog));
}

int eddy__sys_accept (int fd)
{
    int answer, n_ended = 0;
    do
        answer = (int) EDDY_SYS_RETRY (EDDY_SYS_ACCEPT4,
                                       accept4 (fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
    while ((answer == -ECONNABORTED || answer == -EPROTO) && ++n_ended < ACCEPT_ENDED_MOST);
    return answer;
}

int eddy__sys_connect (int fd, const struct sockaddr *address, socklen_t len)
{
    return (int) EDDY_SYS_CALL (EDDY_SYS_CONNECT, connect (fd, address, len));
}

int eddy__sys_shutdown (int fd, int how)
{
    return (int) EDDY_SYS_CALL (EDDY_SYS_SHUTDOWN, shutdown (fd, how));
}

ssize_t eddy__sys_recv (int fd, void *buf, size_t len, int flags)
{
    return EDDY_SYS_RETRY (EDDY_SYS_RECV, recv (fd, buf, len, flags | MSG_DONTWAIT));
}

ssize_t eddy__sys_send (int fd, const void *buf, size_t len, int flags)
{
    return EDDY_SYS_RETRY (EDDY_SYS_SEND, send (fd, buf, len, flags | MSG_DONTWAIT | MSG_NOSIGNAL));
}

ssize_t eddy__sys_recvmsg (int fd, struct msghdr *message, int flags)
{
    return EDDY_SYS_RETRY (EDDY_SYS_RECVMSG,
                           recvmsg (fd, message, flags | MSG_DONTWAIT | MSG_CMSG_CLOEXEC));
}

ssize_t eddy__sys_sendmsg (int fd, const struct msghdr *message, int flags)
{
    return EDDY_SYS_RETRY (EDDY_SYS_SENDMSG,
                           sendmsg (fd, message, flags | MSG_DONTWAIT | MSG_NOSIGNAL));
}

int eddy__sys_getsockname (int fd, struct sockaddr *address, socklen_t *len)
{
    return (int) EDDY_SYS_CALL (EDDY_SYS_GETSOCKNAME, getsockname (fd, address, len));
}

int eddy__sys_getpeername (int fd, struct sockaddr *address, socklen_t *len)
{
    return (int) EDDY_SYS_CALL (EDDY_SYS_GETPEERNAME, getpeername (fd, address, len));
}

int eddy__sys_getsockopt (int fd, int level, int option, void *value, socklen_t *len)
{
    return (int) EDDY_SYS_CALL (EDDY_SYS_GETSOCKOPT, getsockopt (fd, level, option, value, len));
}

int eddy__sys_setsockopt (int fd, int level, int option, const void *value, socklen_t len)
{
    return (int) EDDY_SYS_CALL (EDDY_SYS_SETSOCKOPT, setsockopt (fd, level, option, value, len));
}

int eddy__sys_readable_bytes (int fd)
{
    int count = 0;
    int answer = (int) EDDY_SYS_CALL (EDDY_SYS_FIONREAD, ioctl (fd, FIONREAD, &count));
    return answer < 0 ? answer : count;
}
