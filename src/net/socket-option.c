/* SPDX-License-Identifier: MIT */
/* Options of sockets: by number, by name, and those with functions of their own. */
#include "net/socket-private.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

#include "base/error-private.h"
#include "base/object-private.h"
#include "sys/interface-private.h"
#include "sys/socket-private.h"

static const EddySocketVerb option_verb = { "option", "of the socket to", EDDY__SOCKET_SENDS,
                                            false };

/* --- by number -------------------------------------------------------------------------------- */

static bool option_end (EddySocket *self, int answer, const char *name, EddyError **error)
{
    if (answer < 0)
        eddy_error_set_errno (error, -answer, "option \"%s\" of file descriptor %d", name,
                              self->fd);
    return answer >= 0;
}

bool eddy_socket_set_option (EddySocket *self, int level, int optname, int value, EddyError **error)
{
    EDDY__EXPECT (self != NULL, false);
    char name[32];
    snprintf (name, sizeof name, "%d/%d", level, optname);
    return eddy__socket_check (self, &option_verb, error) &&
           option_end (self, eddy__sys_setsockopt (self->fd, level, optname, &value, sizeof value),
                       name, error);
}

static int option_get (EddySocket *self, int level, int optname, int *value)
{
    int answer_value = 0; /* some options are a byte, which comes first */
    socklen_t len = sizeof answer_value;
    int answer = eddy__sys_getsockopt (self->fd, level, optname, &answer_value, &len);
    if (answer < 0)
        return answer;
    *value = len == 1 ? *(unsigned char *) &answer_value : answer_value;
    return 0;
}

bool eddy_socket_get_option (EddySocket *self, int level, int optname, int *value,
                             EddyError **error)
{
    EDDY__EXPECT (self != NULL && value != NULL, false);
    char name[32];
    snprintf (name, sizeof name, "%d/%d", level, optname);
    return eddy__socket_check (self, &option_verb, error) &&
           option_end (self, option_get (self, level, optname, value), name, error);
}

/* --- by name ---------------------------------------------------------------------------------- */

/* An option, by family where it has a number for each; level 0 with option 0: there is none. */
typedef struct SocketOption {
    const char *name;
    int level;
    int optname;
    int ipv6_level;
    int ipv6_optname;
} SocketOption;

static const SocketOption socket_options[] = {
    { "broadcast", SOL_SOCKET, SO_BROADCAST, SOL_SOCKET, SO_BROADCAST },
    { "cork", IPPROTO_TCP, TCP_CORK, IPPROTO_TCP, TCP_CORK },
    { "fast-open", IPPROTO_TCP, TCP_FASTOPEN, IPPROTO_TCP, TCP_FASTOPEN },
    { "ipv6-only", 0, 0, IPPROTO_IPV6, IPV6_V6ONLY },
    { "keepalive", SOL_SOCKET, SO_KEEPALIVE, SOL_SOCKET, SO_KEEPALIVE },
    { "keepalive-count", IPPROTO_TCP, TCP_KEEPCNT, IPPROTO_TCP, TCP_KEEPCNT },
    { "keepalive-idle", IPPROTO_TCP, TCP_KEEPIDLE, IPPROTO_TCP, TCP_KEEPIDLE },
    { "keepalive-interval", IPPROTO_TCP, TCP_KEEPINTVL, IPPROTO_TCP, TCP_KEEPINTVL },
    { "mark", SOL_SOCKET, SO_MARK, SOL_SOCKET, SO_MARK },
    { "multicast-loopback", IPPROTO_IP, IP_MULTICAST_LOOP, IPPROTO_IPV6, IPV6_MULTICAST_LOOP },
    { "multicast-ttl", IPPROTO_IP, IP_MULTICAST_TTL, IPPROTO_IPV6, IPV6_MULTICAST_HOPS },
    { "nodelay", IPPROTO_TCP, TCP_NODELAY, IPPROTO_TCP, TCP_NODELAY },
    { "pass-credentials", SOL_SOCKET, SO_PASSCRED, SOL_SOCKET, SO_PASSCRED },
    { "priority", SOL_SOCKET, SO_PRIORITY, SOL_SOCKET, SO_PRIORITY },
    { "quick-ack", IPPROTO_TCP, TCP_QUICKACK, IPPROTO_TCP, TCP_QUICKACK },
    { "receive-buffer", SOL_SOCKET, SO_RCVBUF, SOL_SOCKET, SO_RCVBUF },
    { "reuse-address", SOL_SOCKET, SO_REUSEADDR, SOL_SOCKET, SO_REUSEADDR },
    { "reuse-port", SOL_SOCKET, SO_REUSEPORT, SOL_SOCKET, SO_REUSEPORT },
    { "send-buffer", SOL_SOCKET, SO_SNDBUF, SOL_SOCKET, SO_SNDBUF },
    { "ttl", IPPROTO_IP, IP_TTL, IPPROTO_IPV6, IPV6_UNICAST_HOPS },
    { "type-of-service", IPPROTO_IP, IP_TOS, IPPROTO_IPV6, IPV6_TCLASS },
    { "user-timeout", IPPROTO_TCP, TCP_USER_TIMEOUT, IPPROTO_TCP, TCP_USER_TIMEOUT },
};

static const char linger_name[] = "linger";

static bool option_is_ipv6 (const EddySocket *self)
{
    return self->family == EDDY_SOCKET_FAMILY_IPV6;
}

/* The option of a name, with an error when a socket has none. */
static const SocketOption *option_find (EddySocket *self, const char *name, EddyError **error)
{
    for (size_t i = 0; i < sizeof socket_options / sizeof socket_options[0]; i++) {
        const SocketOption *option = &socket_options[i];
        if (strcmp (option->name, name) != 0)
            continue;
        if (option_is_ipv6 (self) || option->level != 0 || option->optname != 0)
            return option;
        (void) option_end (self, -EOPNOTSUPP, name, error);
        return NULL;
    }
    eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_ARGUMENT,
                    "there is no option \"%s\" of sockets", name);
    return NULL;
}

/* A socket of IPv6 may have peers of IPv4, for which the kernel keeps options of their own. */
static int option_set_found (const EddySocket *self, const SocketOption *option, int value)
{
    if (!option_is_ipv6 (self))
        return eddy__sys_setsockopt (self->fd, option->level, option->optname, &value,
                                     sizeof value);
    int answer = eddy__sys_setsockopt (self->fd, option->ipv6_level, option->ipv6_optname, &value,
                                       sizeof value);
    if (answer == 0 && option->ipv6_level != option->level && option->optname != 0)
        (void) eddy__sys_setsockopt (self->fd, option->level, option->optname, &value,
                                     sizeof value);
    return answer;
}

static int option_get_found (EddySocket *self, const SocketOption *option, int *value)
{
    return option_is_ipv6 (self)
               ? option_get (self, option->ipv6_level, option->ipv6_optname, value)
               : option_get (self, option->level, option->optname, value);
}

static int option_set_linger (EddySocket *self, int seconds)
{
    struct linger linger = { .l_onoff = seconds >= 0, .l_linger = seconds >= 0 ? seconds : 0 };
    int answer = eddy__sys_setsockopt (self->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    if (answer == 0)
        self->lingers = seconds > 0;
    return answer;
}

static int option_get_linger (EddySocket *self, int *seconds)
{
    struct linger linger = { 0, 0 };
    socklen_t len = sizeof linger;
    int answer = eddy__sys_getsockopt (self->fd, SOL_SOCKET, SO_LINGER, &linger, &len);
    if (answer == 0)
        *seconds = linger.l_onoff != 0 ? linger.l_linger : -1;
    return answer;
}

/* ENOPROTOOPT, which the kernel says of what a socket has not. */
static int option_answer (int answer)
{
    return answer == -ENOPROTOOPT ? -EOPNOTSUPP : answer;
}

bool eddy_socket_set_option_by_name (EddySocket *self, const char *name, int value,
                                     EddyError **error)
{
    EDDY__EXPECT (self != NULL && name != NULL, false);
    if (!eddy__socket_check (self, &option_verb, error))
        return false;
    if (strcmp (name, linger_name) == 0)
        return option_end (self, option_set_linger (self, value), name, error);
    const SocketOption *option = option_find (self, name, error);
    return option != NULL &&
           option_end (self, option_answer (option_set_found (self, option, value)), name, error);
}

bool eddy_socket_get_option_by_name (EddySocket *self, const char *name, int *value,
                                     EddyError **error)
{
    EDDY__EXPECT (self != NULL && name != NULL && value != NULL, false);
    if (!eddy__socket_check (self, &option_verb, error))
        return false;
    if (strcmp (name, linger_name) == 0)
        return option_end (self, option_get_linger (self, value), name, error);
    const SocketOption *option = option_find (self, name, error);
    return option != NULL &&
           option_end (self, option_answer (option_get_found (self, option, value)), name, error);
}

/* --- with functions of their own -------------------------------------------------------------- */

/* An option's value, or 0. */
static int option_ask (EddySocket *self, const char *name)
{
    EDDY__EXPECT (self != NULL, 0);
    int value = 0;
    return eddy_socket_get_option_by_name (self, name, &value, NULL) ? value : 0;
}

bool eddy_socket_set_keepalive (EddySocket *self, bool keepalive, EddyError **error)
{
    return eddy_socket_set_option_by_name (self, "keepalive", keepalive, error);
}

bool eddy_socket_get_keepalive (EddySocket *self)
{
    return option_ask (self, "keepalive") != 0;
}

bool eddy_socket_set_broadcast (EddySocket *self, bool broadcast, EddyError **error)
{
    return eddy_socket_set_option_by_name (self, "broadcast", broadcast, error);
}

bool eddy_socket_get_broadcast (EddySocket *self)
{
    return option_ask (self, "broadcast") != 0;
}

bool eddy_socket_set_ttl (EddySocket *self, unsigned ttl, EddyError **error)
{
    return eddy_socket_set_option_by_name (self, "ttl", (int) ttl, error);
}

unsigned eddy_socket_get_ttl (EddySocket *self)
{
    return (unsigned) option_ask (self, "ttl");
}

bool eddy_socket_set_multicast_ttl (EddySocket *self, unsigned ttl, EddyError **error)
{
    return eddy_socket_set_option_by_name (self, "multicast-ttl", (int) ttl, error);
}

unsigned eddy_socket_get_multicast_ttl (EddySocket *self)
{
    return (unsigned) option_ask (self, "multicast-ttl");
}

bool eddy_socket_set_multicast_loopback (EddySocket *self, bool loopback, EddyError **error)
{
    return eddy_socket_set_option_by_name (self, "multicast-loopback", loopback, error);
}

bool eddy_socket_get_multicast_loopback (EddySocket *self)
{
    return option_ask (self, "multicast-loopback") != 0;
}

bool eddy_socket_speaks_ipv4 (EddySocket *self)
{
    EDDY__EXPECT (self != NULL, false);
    int only_ipv6 = 1;
    if (self->family == EDDY_SOCKET_FAMILY_IPV4)
        return true;
    return self->family == EDDY_SOCKET_FAMILY_IPV6 &&
           eddy_socket_get_option_by_name (self, "ipv6-only", &only_ipv6, NULL) && only_ipv6 == 0;
}

ssize_t eddy_socket_get_available_bytes (EddySocket *self)
{
    EDDY__EXPECT (self != NULL, -1);
    return self->fd < 0 ? -1 : eddy__sys_readable_bytes (self->fd);
}

EddyCredentials *eddy_socket_get_credentials (EddySocket *self, EddyError **error)
{
    EDDY__EXPECT (self != NULL, NULL);
    if (!eddy__socket_check (self, &option_verb, error))
        return NULL;
    struct ucred native = { 0, 0, 0 };
    socklen_t len = sizeof native;
    int answer = self->family != AF_UNIX
                     ? -EOPNOTSUPP
                     : eddy__sys_getsockopt (self->fd, SOL_SOCKET, SO_PEERCRED, &native, &len);
    if (answer == 0 && native.pid == 0 && native.uid == (uid_t) -1)
        answer = -ENOTCONN;
    EddyCredentials *credentials =
        answer < 0 ? NULL : eddy__credentials_new (native.pid, native.uid, native.gid);
    if (credentials == NULL)
        eddy_error_set_errno (error, answer < 0 ? -answer : ENOMEM, "credentials of the peer");
    return credentials;
}

/* --- timeouts --------------------------------------------------------------------------------- */

void eddy_socket_set_timeout (EddySocket *self, int64_t receive_ns, int64_t send_ns)
{
    EDDY__EXPECT (self != NULL && receive_ns >= 0 && send_ns >= 0);
    self->timeouts[EDDY__SOCKET_RECEIVES] = receive_ns;
    self->timeouts[EDDY__SOCKET_SENDS] = send_ns;
}

int64_t eddy_socket_get_receive_timeout (EddySocket *self)
{
    EDDY__EXPECT (self != NULL, 0);
    return self->timeouts[EDDY__SOCKET_RECEIVES];
}

int64_t eddy_socket_get_send_timeout (EddySocket *self)
{
    EDDY__EXPECT (self != NULL, 0);
    return self->timeouts[EDDY__SOCKET_SENDS];
}

/* --- groups ----------------------------------------------------------------------------------- */

static void group_write (struct sockaddr_storage *dest, const EddyInetAddress *address)
{
    EddyInetNative native;
    memcpy (dest, &native, eddy__inet_address_to_native (address, /* port= */ 0, &native));
}

static int group_change (EddySocket *self, bool joins, EddyInetAddress *group,
                         EddyInetAddress *source, unsigned interface_index)
{
    int level = self->family == EDDY_SOCKET_FAMILY_IPV6 ? IPPROTO_IPV6 : IPPROTO_IP;
    if (source == NULL) {
        struct group_req request = { .gr_interface = interface_index };
        group_write (&request.gr_group, group);
        return eddy__sys_setsockopt (self->fd, level, joins ? MCAST_JOIN_GROUP : MCAST_LEAVE_GROUP,
                                     &request, sizeof request);
    }
    struct group_source_req request = { .gsr_interface = interface_index };
    group_write (&request.gsr_group, group);
    group_write (&request.gsr_source, source);
    return eddy__sys_setsockopt (self->fd, level,
                                 joins ? MCAST_JOIN_SOURCE_GROUP : MCAST_LEAVE_SOURCE_GROUP,
                                 &request, sizeof request);
}

static bool group_do (EddySocket *self, bool joins, EddyInetAddress *group, EddyInetAddress *source,
                      const char *iface, EddyError **error)
{
    EDDY__EXPECT (self != NULL && group != NULL, false);
    if (!eddy__socket_check (self, &option_verb, error))
        return false;
    int index = iface == NULL ? 0 : eddy__sys_interface_index (iface);
    if (index < 0) {
        eddy__error_set_code (error, EDDY_IO_ERROR_NOT_FOUND, -index,
                              "there is no network interface \"%s\"", iface);
        return false;
    }
    int answer = group_change (self, joins, group, source, (unsigned) index);
    if (answer == 0)
        return true;
    char *name = eddy_inet_address_to_string (group);
    eddy_error_set_errno (error, -answer, "%s group %s", joins ? "join" : "leave",
                          name == NULL ? "" : name);
    eddy_free (name);
    return false;
}

bool eddy_socket_join_multicast_group (EddySocket *self, EddyInetAddress *group, const char *iface,
                                       EddyError **error)
{
    return group_do (self, /* joins= */ true, group, NULL, iface, error);
}

bool eddy_socket_leave_multicast_group (EddySocket *self, EddyInetAddress *group, const char *iface,
                                        EddyError **error)
{
    return group_do (self, /* joins= */ false, group, NULL, iface, error);
}

bool eddy_socket_join_multicast_group_ssm (EddySocket *self, EddyInetAddress *group,
                                           EddyInetAddress *source, const char *iface,
                                           EddyError **error)
{
    return group_do (self, /* joins= */ true, group, source, iface, error);
}

bool eddy_socket_leave_multicast_group_ssm (EddySocket *self, EddyInetAddress *group,
                                            EddyInetAddress *source, const char *iface,
                                            EddyError **error)
{
    return group_do (self, /* joins= */ false, group, source, iface, error);
}
