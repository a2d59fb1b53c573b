/* SPDX-License-Identifier: MIT */
/* EddyUnixSocketAddress: where processes of one host meet. */
#ifndef EDDY_UNIX_SOCKET_ADDRESS_H
#define EDDY_UNIX_SOCKET_ADDRESS_H

#include <eddy/socket-address.h>

EDDY_BEGIN_DECLS

/** The address of a UNIX socket: an EddySocketAddress. */
typedef struct EddyUnixSocketAddress EddyUnixSocketAddress;

/** A socket address that is known to be one of the family UNIX. */
#define EDDY_UNIX_SOCKET_ADDRESS(address) ((EddyUnixSocketAddress *) (void *) (address))

/** Kinds of UNIX addresses; the numbers are GIO's. */
typedef enum EddyUnixSocketAddressType {
    EDDY_UNIX_SOCKET_ADDRESS_INVALID,
    /** A socket without a name. */
    EDDY_UNIX_SOCKET_ADDRESS_ANONYMOUS,
    /** A path in the file system. */
    EDDY_UNIX_SOCKET_ADDRESS_PATH,
    /** A name in no file system. */
    EDDY_UNIX_SOCKET_ADDRESS_ABSTRACT,
    /** The same, filled up with zero bytes. */
    EDDY_UNIX_SOCKET_ADDRESS_ABSTRACT_PADDED
} EddyUnixSocketAddressType;

/** Makes the address of a path, of 1 to 107 bytes; NULL for another one, which the kernel would not
 * take, and when memory is out. Thread: any. Since: 0.1 */
EDDY_API EddySocketAddress *eddy_unix_socket_address_new (const char *path) EDDY_MUST_USE;

/**
 * Makes an address of a kind.
 *
 * @path: the path or the name; not used for an anonymous one
 * @path_len: in bytes; below 0: up to the zero byte. An abstract name may have zero bytes
 * @type: which kind
 *
 * Returns: the address; NULL for a path of other than 1 to 107 bytes, an abstract name of more
 *     than 107, a path with a zero byte, and when memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddySocketAddress *eddy_unix_socket_address_new_with_type (
    const char *path, int path_len, EddyUnixSocketAddressType type) EDDY_MUST_USE;

/** Its kind. Thread: any. Since: 0.1 */
EDDY_API EddyUnixSocketAddressType
eddy_unix_socket_address_get_address_type (const EddyUnixSocketAddress *address);

/** Its path or its name, owned by @address, followed by a zero byte; "" for an anonymous one.
 * Thread: any. Since: 0.1 */
EDDY_API const char *eddy_unix_socket_address_get_path (const EddyUnixSocketAddress *address);

/** How many bytes these are. Thread: any. Since: 0.1 */
EDDY_API size_t eddy_unix_socket_address_get_path_len (const EddyUnixSocketAddress *address);

EDDY_END_DECLS

#endif
