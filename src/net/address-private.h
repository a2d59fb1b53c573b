/* SPDX-License-Identifier: MIT */
/* Socket addresses within the room: the struct sockaddr lies in the object. */
#pragma once

#include <eddy/inet-address.h>
#include <eddy/inet-socket-address.h>
#include <eddy/socket-address.h>
#include <eddy/unix-socket-address.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* Of an address of either family. */
enum { EDDY__INET_ADDRESS_SIZE = 16 };

/* Reads an address as eddy_inet_address_new_from_string() does, into so many bytes; INVALID for
 * what is none. */
EddySocketFamily eddy__inet_address_read (const char *string, void *bytes, uint32_t *scope_id);

/* The struct sockaddr of an address of either family. */
typedef union EddyInetNative {
    struct sockaddr any;
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
} EddyInetNative;

/* Writes an address with a port; returns its size. */
socklen_t eddy__inet_address_to_native (const EddyInetAddress *address, uint16_t port,
                                        EddyInetNative *native);

/* How every kind of socket address begins. The struct sockaddr follows right behind. */
struct EddySocketAddress {
    EddySocketConnectable connectable;
    uint32_t native_size;
    /* Aligned as the largest struct sockaddr asks for. */
    uint32_t unused;
};

/* The address as system calls take it, owned by `address`. */
static inline const struct sockaddr *eddy__socket_address_get_native (
    const EddySocketAddress *address, socklen_t *len)
{
    *len = address->native_size;
    return (const struct sockaddr *) (const void *) (address + 1);
}

/* Says so of a kind that calls it `native`. */
#define EDDY__ASSERT_NATIVE_BEHIND(Type)                                                           \
    _Static_assert(offsetof (Type, native) == sizeof (EddySocketAddress),                          \
                   "the struct sockaddr follows right behind")

/* The addresses of an address: itself. For the classes of the kinds. */
EddySocketAddressEnumerator *eddy__socket_address_enumerate (EddySocketConnectable *connectable);

/* Of at least the family's two bytes, which say INET or INET6, or UNIX; NULL for too few, and when
 * memory is out. */
EddySocketAddress *eddy__inet_socket_address_new_from_native (const void *native, size_t size);
EddySocketAddress *eddy__unix_socket_address_new_from_native (const void *native, size_t size);
