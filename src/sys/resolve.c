/* SPDX-License-Identifier: MIT */
/* The system's own lookups of names. */
#include "sys/resolve-private.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#include "sys/call-private.h"

int eddy__sys_getaddrinfo (const char *name, const struct addrinfo *hints, struct addrinfo **answer,
                           int *error_number)
{
    int code = eddy__sys_door (EDDY_SYS_GETADDRINFO);
    if (code < 0) {
        *error_number = -code;
        return EAI_SYSTEM;
    }
    code = getaddrinfo (name, NULL, hints, answer);
    *error_number = errno;
    return code;
}

int eddy__sys_getnameinfo (const struct sockaddr *address, socklen_t address_len, char *name,
                           size_t len, int *error_number)
{
    int code = eddy__sys_door (EDDY_SYS_GETNAMEINFO);
    if (code < 0) {
        *error_number = -code;
        return EAI_SYSTEM;
    }
    code = getnameinfo (address, address_len, name, (socklen_t) len, NULL, 0, NI_NAMEREQD);
    *error_number = errno;
    return code;
}

int eddy__sys_host_name (char *buf, size_t len)
{
    struct utsname names;
    int answer = (int) EDDY_SYS_CALL (EDDY_SYS_UNAME, uname (&names));
    if (answer < 0)
        return answer;
    size_t most = len <= sizeof names.nodename ? len - 1 : sizeof names.nodename;
    size_t used = strnlen (names.nodename, most);
    memcpy (buf, names.nodename, used);
    buf[used] = '\0';
    return 0;
}
