/* SPDX-License-Identifier: MIT */
/* EddyInetAddress: the address of a host, of IPv4 or IPv6. */
#ifndef EDDY_INET_ADDRESS_H
#define EDDY_INET_ADDRESS_H

#include <eddy/socket-address.h>

EDDY_BEGIN_DECLS

/** An address of IPv4 or IPv6, without a port. One of IPv6 may have a scope, which says by which
 * interface it is reached, and flow information. An object; immutable. */
typedef struct EddyInetAddress EddyInetAddress;

/** Reads an address: "192.0.2.1", "2001:db8::1", "fe80::1%2", "fe80::1%eth0" (an interface of ours,
 * by its number or name). No other form of IPv4 is taken, such as "127.1" or "0x7f.0.0.1". NULL for
 * what is no address, and when memory is out. Thread: any. Since: 0.1 */
EDDY_API EddyInetAddress *eddy_inet_address_new_from_string (const char *string) EDDY_MUST_USE;

/** Makes an address of 4 bytes (IPv4) or 16 (IPv6), the most significant first; @family: which.
 * NULL when memory is out. Thread: any. Since: 0.1 */
EDDY_API EddyInetAddress *eddy_inet_address_new_from_bytes (const uint8_t *bytes,
                                                            EddySocketFamily family) EDDY_MUST_USE;

/** The same with what else an address of IPv6 has, in the byte order of this machine; IPv4 has
 * neither. NULL when memory is out. Thread: any. Since: 0.1 */
EDDY_API EddyInetAddress *eddy_inet_address_new_from_bytes_with_ipv6_info (
    const uint8_t *bytes, EddySocketFamily family, uint32_t flowinfo,
    uint32_t scope_id) EDDY_MUST_USE;

/** The address that stands for all of this host's: 0.0.0.0 or ::. NULL when memory is out.
 * Thread: any. Since: 0.1 */
EDDY_API EddyInetAddress *eddy_inet_address_new_any (EddySocketFamily family) EDDY_MUST_USE;

/** The address of this host for itself: 127.0.0.1 or ::1. NULL when memory is out.
 * Thread: any. Since: 0.1 */
EDDY_API EddyInetAddress *eddy_inet_address_new_loopback (EddySocketFamily family) EDDY_MUST_USE;

/** The address as text, as eddy_inet_address_new_from_string() takes it, its scope as a number. To
 * be freed with eddy_free(); NULL when memory is out. Thread: any. Since: 0.1 */
EDDY_API char *eddy_inet_address_to_string (const EddyInetAddress *address) EDDY_MUST_USE;

/** Its bytes, owned by @address. Thread: any. Since: 0.1 */
EDDY_API const uint8_t *eddy_inet_address_to_bytes (const EddyInetAddress *address);

/** How many bytes these are: 4 or 16. Thread: any. Since: 0.1 */
EDDY_API size_t eddy_inet_address_get_native_size (const EddyInetAddress *address);

/** EDDY_SOCKET_FAMILY_IPV4 or EDDY_SOCKET_FAMILY_IPV6. Thread: any. Since: 0.1 */
EDDY_API EddySocketFamily eddy_inet_address_get_family (const EddyInetAddress *address);

/** The interface of an address of IPv6; 0: none is said. Thread: any. Since: 0.1 */
EDDY_API uint32_t eddy_inet_address_get_scope_id (const EddyInetAddress *address);

/** The flow information of an address of IPv6; 0: none. Thread: any. Since: 0.1 */
EDDY_API uint32_t eddy_inet_address_get_flowinfo (const EddyInetAddress *address);

/** Whether it stands for all of this host's addresses. Thread: any. Since: 0.1 */
EDDY_API bool eddy_inet_address_get_is_any (const EddyInetAddress *address);
/** Whether it is this host, as seen by itself: 127.0.0.0/8, ::1. Thread: any. Since: 0.1 */
EDDY_API bool eddy_inet_address_get_is_loopback (const EddyInetAddress *address);
/** Whether it holds on one link only: 169.254.0.0/16, fe80::/10. Thread: any. Since: 0.1 */
EDDY_API bool eddy_inet_address_get_is_link_local (const EddyInetAddress *address);
/** Whether it holds within one site: 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, fec0::/10 and
 * fc00::/7, which took the latter's place (GIO leaves that out). Thread: any. Since: 0.1 */
EDDY_API bool eddy_inet_address_get_is_site_local (const EddyInetAddress *address);
/** Whether it stands for a group of hosts: 224.0.0.0/4, ff00::/8. Thread: any. Since: 0.1 */
EDDY_API bool eddy_inet_address_get_is_multicast (const EddyInetAddress *address);
/** Whether it is a group of IPv6 with the scope "global". Thread: any. Since: 0.1 */
EDDY_API bool eddy_inet_address_get_is_mc_global (const EddyInetAddress *address);
/** … with the scope "link". Thread: any. Since: 0.1 */
EDDY_API bool eddy_inet_address_get_is_mc_link_local (const EddyInetAddress *address);
/** … with the scope "node". Thread: any. Since: 0.1 */
EDDY_API bool eddy_inet_address_get_is_mc_node_local (const EddyInetAddress *address);
/** … with the scope "organization". Thread: any. Since: 0.1 */
EDDY_API bool eddy_inet_address_get_is_mc_org_local (const EddyInetAddress *address);
/** … with the scope "site". Thread: any. Since: 0.1 */
EDDY_API bool eddy_inet_address_get_is_mc_site_local (const EddyInetAddress *address);

/** Whether two addresses are the same, scope and flow information included. Thread: any.
 * Since: 0.1 */
EDDY_API bool eddy_inet_address_equal (const EddyInetAddress *address1,
                                       const EddyInetAddress *address2);

EDDY_END_DECLS

#endif
