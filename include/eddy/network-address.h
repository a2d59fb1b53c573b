/* SPDX-License-Identifier: MIT */
/* EddyNetworkAddress: a host, by its name, and a port. */
#ifndef EDDY_NETWORK_ADDRESS_H
#define EDDY_NETWORK_ADDRESS_H

#include <eddy/error.h>
#include <eddy/socket-connectable.h>

EDDY_BEGIN_DECLS

/** A host and a port: an EddySocketConnectable, whose addresses are those of the host.
 *
 * IPv4 and IPv6 addresses are looked up at the same time, by the default resolver, and given in
 * turns as RFC 8305 has it. What was found holds for a minute, for later enumerators of the same
 * object, unless there is another default resolver by then. Addresses and "localhost" need no
 * lookup. */
typedef struct EddyNetworkAddress EddyNetworkAddress;

/** A connectable that is known to be a network address. */
#define EDDY_NETWORK_ADDRESS(connectable) ((EddyNetworkAddress *) (void *) (connectable))

/** Makes the network address of a host, by its name or its address, and a port. What is no host is
 * told by the first enumeration. NULL when memory is out. Thread: any. Since: 0.1 */
EDDY_API EddySocketConnectable *eddy_network_address_new (const char *hostname,
                                                          uint16_t port) EDDY_MUST_USE;

/** This host, for itself: ::1 and 127.0.0.1. NULL when memory is out. Thread: any. Since: 0.1 */
EDDY_API EddySocketConnectable *eddy_network_address_new_loopback (uint16_t port) EDDY_MUST_USE;

/**
 * Reads "host", "host:port", "[IPv6]", "[IPv6]:port" or an address of IPv6 alone. A port is a
 * number from 0 to 65535. A name is of ASCII characters: one in another script is to be given in
 * its form that begins with "xn--".
 *
 * @host_and_port: what to read
 * @default_port: the port where none is said
 * @error: where to put the error
 *
 * Returns: the network address, or NULL
 * Errors: INVALID_ARGUMENT, with the text, for another one; NO_MEMORY
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddySocketConnectable *eddy_network_address_parse (const char *host_and_port,
                                                            uint16_t default_port,
                                                            EddyError **error) EDDY_MUST_USE;

/**
 * Reads the host and the port of a URI: "https://user@host:port/path".
 *
 * @uri: with an authority: a scheme, "://" and a host
 * @default_port: the port where none is said
 * @error: where to put the error
 *
 * Returns: the network address, or NULL
 * Errors: INVALID_ARGUMENT, NO_MEMORY
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddySocketConnectable *eddy_network_address_parse_uri (const char *uri,
                                                                uint16_t default_port,
                                                                EddyError **error) EDDY_MUST_USE;

/** Its host, without brackets, owned by @address. Thread: any. Since: 0.1 */
EDDY_API const char *eddy_network_address_get_hostname (const EddyNetworkAddress *address);

/** Its port. Thread: any. Since: 0.1 */
EDDY_API uint16_t eddy_network_address_get_port (const EddyNetworkAddress *address);

/** The scheme of the URI that it was made of, in lower case, owned by @address; NULL: none.
 * Thread: any. Since: 0.1 */
EDDY_API const char *eddy_network_address_get_scheme (const EddyNetworkAddress *address);

EDDY_END_DECLS

#endif
