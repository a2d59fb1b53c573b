/* SPDX-License-Identifier: MIT */
/* EddyInetSocketAddress: an internet address and a port. */
#ifndef EDDY_INET_SOCKET_ADDRESS_H
#define EDDY_INET_SOCKET_ADDRESS_H

#include <eddy/inet-address.h>

EDDY_BEGIN_DECLS

/** An internet address and a port: an EddySocketAddress. */
typedef struct EddyInetSocketAddress EddyInetSocketAddress;

/** A socket address that is known to be one of the families IPV4 and IPV6. */
#define EDDY_INET_SOCKET_ADDRESS(address) ((EddyInetSocketAddress *) (void *) (address))

/** Makes the socket address of an address and a port; NULL when memory is out. Thread: any.
 * Since: 0.1 */
EDDY_API EddySocketAddress *eddy_inet_socket_address_new (EddyInetAddress *address,
                                                          uint16_t port) EDDY_MUST_USE;

/** The same of an address as eddy_inet_address_new_from_string() takes it; NULL for what is no
 * address, and when memory is out. Thread: any. Since: 0.1 */
EDDY_API EddySocketAddress *eddy_inet_socket_address_new_from_string (const char *address,
                                                                      uint16_t port) EDDY_MUST_USE;

/** Its address, owned by @address. Thread: any. Since: 0.1 */
EDDY_API EddyInetAddress *eddy_inet_socket_address_get_address (
    const EddyInetSocketAddress *address);

/** Its port. Thread: any. Since: 0.1 */
EDDY_API uint16_t eddy_inet_socket_address_get_port (const EddyInetSocketAddress *address);

/** The flow information of one of IPv6; 0: none. Thread: any. Since: 0.1 */
EDDY_API uint32_t eddy_inet_socket_address_get_flowinfo (const EddyInetSocketAddress *address);

/** The interface of one of IPv6; 0: none is said. Thread: any. Since: 0.1 */
EDDY_API uint32_t eddy_inet_socket_address_get_scope_id (const EddyInetSocketAddress *address);

EDDY_END_DECLS

#endif
