/* SPDX-License-Identifier: MIT */
/* EddyInetSocketAddress: an internet address and a port. */
#include <eddy/inet-socket-address.h>

#include <stdio.h>
#include <string.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "net/address-private.h"

struct EddyInetSocketAddress {
    EddySocketAddress address;
    EddyInetNative native;
    EddyInetAddress *inet_address;
};

EDDY__ASSERT_NATIVE_BEHIND (EddyInetSocketAddress);

static void inet_socket_address_dispose (void *object)
{
    EddyInetSocketAddress *self = object;
    eddy_clear (&self->inet_address);
}

static char *inet_socket_address_to_string (EddySocketConnectable *connectable)
{
    const EddyInetSocketAddress *self = EDDY_INET_SOCKET_ADDRESS (connectable);
    EDDY_AUTO_FREE (char) address = eddy_inet_address_to_string (self->inet_address);
    if (address == NULL)
        return NULL;
    char text[128];
    snprintf (text, sizeof text, self->native.any.sa_family == AF_INET6 ? "[%s]:%u" : "%s:%u",
              address, (unsigned) eddy_inet_socket_address_get_port (self));
    return eddy__strdup (text);
}

static const EddySocketConnectableClass inet_socket_address_class = {
    .object = { .name = "EddyInetSocketAddress",
                .size = sizeof (EddyInetSocketAddress),
                .dispose = inet_socket_address_dispose },
    .enumerate = eddy__socket_address_enumerate,
    .to_string = inet_socket_address_to_string,
};

static bool inet_socket_address_is_one (const EddyInetSocketAddress *address)
{
    return address != NULL &&
           address->address.connectable.object.object_class == &inet_socket_address_class.object;
}

/* --- made ------------------------------------------------------------------------------------- */

socklen_t eddy__inet_address_to_native (const EddyInetAddress *address, uint16_t port,
                                        EddyInetNative *native)
{
    const uint8_t *bytes = eddy_inet_address_to_bytes (address);
    if (eddy_inet_address_get_family (address) == EDDY_SOCKET_FAMILY_IPV4) {
        native->ipv4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons (port) };
        memcpy (&native->ipv4.sin_addr, bytes, sizeof native->ipv4.sin_addr);
        return sizeof native->ipv4;
    }
    native->ipv6 = (struct sockaddr_in6){
        .sin6_family = AF_INET6,
        .sin6_port = htons (port),
        .sin6_flowinfo = htonl (eddy_inet_address_get_flowinfo (address)),
        .sin6_scope_id = eddy_inet_address_get_scope_id (address),
    };
    memcpy (&native->ipv6.sin6_addr, bytes, sizeof native->ipv6.sin6_addr);
    return sizeof native->ipv6;
}

EddySocketAddress *eddy_inet_socket_address_new (EddyInetAddress *address, uint16_t port)
{
    EDDY__EXPECT (address != NULL, NULL);
    EddyInetSocketAddress *self = eddy_object_new (&inet_socket_address_class.object);
    if (self == NULL)
        return NULL;
    self->inet_address = eddy_ref (address);
    self->address.native_size = eddy__inet_address_to_native (address, port, &self->native);
    return &self->address;
}

EddySocketAddress *eddy_inet_socket_address_new_from_string (const char *address, uint16_t port)
{
    EDDY__EXPECT (address != NULL, NULL);
    EDDY_AUTO (EddyInetAddress) inet_address = eddy_inet_address_new_from_string (address);
    return inet_address == NULL ? NULL : eddy_inet_socket_address_new (inet_address, port);
}

static EddySocketAddress *inet_socket_address_of_ipv4 (const void *native)
{
    struct sockaddr_in ipv4;
    memcpy (&ipv4, native, sizeof ipv4);
    EDDY_AUTO (EddyInetAddress)
    address = eddy_inet_address_new_from_bytes ((const uint8_t *) &ipv4.sin_addr,
                                                EDDY_SOCKET_FAMILY_IPV4);
    return address == NULL ? NULL : eddy_inet_socket_address_new (address, ntohs (ipv4.sin_port));
}

static EddySocketAddress *inet_socket_address_of_ipv6 (const void *native)
{
    struct sockaddr_in6 ipv6;
    memcpy (&ipv6, native, sizeof ipv6);
    EDDY_AUTO (EddyInetAddress)
    address = eddy_inet_address_new_from_bytes_with_ipv6_info (
        ipv6.sin6_addr.s6_addr, EDDY_SOCKET_FAMILY_IPV6, ntohl (ipv6.sin6_flowinfo),
        ipv6.sin6_scope_id);
    return address == NULL ? NULL : eddy_inet_socket_address_new (address, ntohs (ipv6.sin6_port));
}

EddySocketAddress *eddy__inet_socket_address_new_from_native (const void *native, size_t size)
{
    sa_family_t family;
    memcpy (&family, native, sizeof family);
    if (family == AF_INET)
        return size < sizeof (struct sockaddr_in) ? NULL : inet_socket_address_of_ipv4 (native);
    return size < sizeof (struct sockaddr_in6) ? NULL : inet_socket_address_of_ipv6 (native);
}

/* --- what it is ------------------------------------------------------------------------------- */

EddyInetAddress *eddy_inet_socket_address_get_address (const EddyInetSocketAddress *address)
{
    EDDY__EXPECT (inet_socket_address_is_one (address), NULL);
    return address->inet_address;
}

uint16_t eddy_inet_socket_address_get_port (const EddyInetSocketAddress *address)
{
    EDDY__EXPECT (inet_socket_address_is_one (address), 0);
    /* The port stands at the same place in both. */
    return ntohs (address->native.ipv4.sin_port);
}

uint32_t eddy_inet_socket_address_get_flowinfo (const EddyInetSocketAddress *address)
{
    EDDY__EXPECT (inet_socket_address_is_one (address), 0);
    return eddy_inet_address_get_flowinfo (address->inet_address);
}

uint32_t eddy_inet_socket_address_get_scope_id (const EddyInetSocketAddress *address)
{
    EDDY__EXPECT (inet_socket_address_is_one (address), 0);
    return eddy_inet_address_get_scope_id (address->inet_address);
}
