/* SPDX-License-Identifier: MIT */
/* EddySocketAddress: the address of one end of a connection. */
#ifndef EDDY_SOCKET_ADDRESS_H
#define EDDY_SOCKET_ADDRESS_H

#include <eddy/error.h>
#include <eddy/socket-connectable.h>

EDDY_BEGIN_DECLS

/** The address of a socket: an EddyInetSocketAddress, an EddyUnixSocketAddress, or one of another
 * family, as the kernel gave it. An object; immutable. It is an EddySocketConnectable too, which
 * stands for this one address. */
typedef struct EddySocketAddress EddySocketAddress;

/** Any kind of socket address as an EddySocketAddress. */
#define EDDY_SOCKET_ADDRESS(address) ((EddySocketAddress *) (void *) (address))

/** Families of protocols; the numbers are the system's. Others are possible. */
typedef enum EddySocketFamily {
    EDDY_SOCKET_FAMILY_INVALID = 0,
    EDDY_SOCKET_FAMILY_UNIX = 1,
    EDDY_SOCKET_FAMILY_IPV4 = 2,
    EDDY_SOCKET_FAMILY_IPV6 = 10
} EddySocketFamily;

/**
 * Makes a socket address of a struct sockaddr.
 *
 * @native: @size bytes, beginning with the family
 * @size: in bytes; those after the family's own struct do not count
 *
 * Returns: the address; NULL when @size is less than the family asks for, or above 128, or memory
 *     is out. A struct sockaddr_un of no path is an unnamed address
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddySocketAddress *eddy_socket_address_new_from_native (const void *native,
                                                                 size_t size) EDDY_MUST_USE;

/** Its family. Thread: any. Since: 0.1 */
EDDY_API EddySocketFamily eddy_socket_address_get_family (const EddySocketAddress *address);

/** How many bytes eddy_socket_address_to_native() writes. Thread: any. Since: 0.1 */
EDDY_API size_t eddy_socket_address_get_native_size (const EddySocketAddress *address);

/**
 * Writes a socket address as a struct sockaddr.
 *
 * @address: an address
 * @dest: where to
 * @dest_size: bytes at @dest
 * @error: where to put the error
 *
 * Returns: whether it was written
 * Errors: NO_SPACE for too few bytes
 * Thread: any
 * Since: 0.1
 */
EDDY_API bool eddy_socket_address_to_native (const EddySocketAddress *address, void *dest,
                                             size_t dest_size, EddyError **error) EDDY_MUST_USE;

/** A socket address as text, for people: "127.0.0.1:80", "[fe80::1%2]:80", "/run/socket",
 * "@abstract"; bytes that cannot be printed are escaped. To be freed with eddy_free(); NULL when
 * memory is out. Thread: any. Since: 0.1 */
EDDY_API char *eddy_socket_address_to_string (const EddySocketAddress *address) EDDY_MUST_USE;

/** Whether two socket addresses are the same. Thread: any. Since: 0.1 */
EDDY_API bool eddy_socket_address_equal (const EddySocketAddress *address1,
                                         const EddySocketAddress *address2);

EDDY_END_DECLS

#endif
