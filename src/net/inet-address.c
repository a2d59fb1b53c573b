/* SPDX-License-Identifier: MIT */
/* EddyInetAddress: the address of a host, of IPv4 or IPv6. */
#include <eddy/inet-address.h>

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "net/address-private.h"
#include "net/number-private.h"
#include "sys/interface-private.h"

struct EddyInetAddress {
    EddyObject object;
    EddySocketFamily family;
    uint32_t flowinfo;
    uint32_t scope_id;
    uint8_t bytes[EDDY__INET_ADDRESS_SIZE];
};

static const EddyClass inet_address_class = { .name = "EddyInetAddress",
                                              .size = sizeof (EddyInetAddress) };

static bool inet_address_is_family (EddySocketFamily family)
{
    return family == EDDY_SOCKET_FAMILY_IPV4 || family == EDDY_SOCKET_FAMILY_IPV6;
}

/* --- made of bytes ---------------------------------------------------------------------------- */

static EddyInetAddress *inet_address_make (const void *bytes, EddySocketFamily family)
{
    EddyInetAddress *self = eddy_object_new (&inet_address_class);
    if (self == NULL)
        return NULL;
    self->family = family;
    memcpy (self->bytes, bytes, eddy_inet_address_get_native_size (self));
    return self;
}

EddyInetAddress *eddy_inet_address_new_from_bytes (const uint8_t *bytes, EddySocketFamily family)
{
    EDDY__EXPECT (bytes != NULL && inet_address_is_family (family), NULL);
    return inet_address_make (bytes, family);
}

EddyInetAddress *eddy_inet_address_new_from_bytes_with_ipv6_info (const uint8_t *bytes,
                                                                  EddySocketFamily family,
                                                                  uint32_t flowinfo,
                                                                  uint32_t scope_id)
{
    EDDY__EXPECT (bytes != NULL && inet_address_is_family (family), NULL);
    EddyInetAddress *self = inet_address_make (bytes, family);
    if (self != NULL && family == EDDY_SOCKET_FAMILY_IPV6) {
        self->flowinfo = flowinfo;
        self->scope_id = scope_id;
    }
    return self;
}

EddyInetAddress *eddy_inet_address_new_any (EddySocketFamily family)
{
    EDDY__EXPECT (inet_address_is_family (family), NULL);
    return inet_address_make (&in6addr_any, family);
}

EddyInetAddress *eddy_inet_address_new_loopback (EddySocketFamily family)
{
    EDDY__EXPECT (inet_address_is_family (family), NULL);
    static const uint8_t ipv4[] = { 127, 0, 0, 1 };
    return family == EDDY_SOCKET_FAMILY_IPV4 ? inet_address_make (ipv4, family)
                                             : inet_address_make (&in6addr_loopback, family);
}

/* --- text ------------------------------------------------------------------------------------- */

/* What follows the % of an address: the number of an interface, or the name of one of ours. */
static bool inet_address_read_scope (const char *text, uint32_t *scope_id)
{
    if (eddy__read_number (text, strlen (text), UINT32_MAX, scope_id))
        return true;
    int index = text[0] == '\0' ? 0 : eddy__sys_interface_index (text);
    *scope_id = (uint32_t) index;
    return index > 0;
}

static bool inet_address_read_ipv6 (const char *string, void *bytes, uint32_t *scope_id)
{
    char text[INET6_ADDRSTRLEN];
    const char *percent = strchr (string, '%');
    if (percent == NULL)
        return inet_pton (AF_INET6, string, bytes) == 1;
    size_t length = (size_t) (percent - string);
    if (length >= sizeof text)
        return false;
    memcpy (text, string, length);
    text[length] = '\0';
    return inet_pton (AF_INET6, text, bytes) == 1 &&
           inet_address_read_scope (percent + 1, scope_id);
}

EddySocketFamily eddy__inet_address_read (const char *string, void *bytes, uint32_t *scope_id)
{
    *scope_id = 0;
    if (inet_pton (AF_INET, string, bytes) == 1)
        return EDDY_SOCKET_FAMILY_IPV4;
    return inet_address_read_ipv6 (string, bytes, scope_id) ? EDDY_SOCKET_FAMILY_IPV6
                                                            : EDDY_SOCKET_FAMILY_INVALID;
}

EddyInetAddress *eddy_inet_address_new_from_string (const char *string)
{
    EDDY__EXPECT (string != NULL, NULL);
    uint8_t bytes[EDDY__INET_ADDRESS_SIZE];
    uint32_t scope_id;
    EddySocketFamily family = eddy__inet_address_read (string, bytes, &scope_id);
    if (family == EDDY_SOCKET_FAMILY_INVALID)
        return NULL;
    return eddy_inet_address_new_from_bytes_with_ipv6_info (bytes, family, 0, scope_id);
}

char *eddy_inet_address_to_string (const EddyInetAddress *address)
{
    EDDY__EXPECT (address != NULL, NULL);
    char text[INET6_ADDRSTRLEN + sizeof "%4294967295"];
    (void) inet_ntop ((int) address->family, address->bytes, text, sizeof text);
    size_t length = strlen (text);
    if (address->scope_id != 0)
        snprintf (text + length, sizeof text - length, "%%%" PRIu32, address->scope_id);
    return eddy__strdup (text);
}

/* --- what it is ------------------------------------------------------------------------------- */

const uint8_t *eddy_inet_address_to_bytes (const EddyInetAddress *address)
{
    EDDY__EXPECT (address != NULL, NULL);
    return address->bytes;
}

size_t eddy_inet_address_get_native_size (const EddyInetAddress *address)
{
    EDDY__EXPECT (address != NULL, 0);
    return address->family == EDDY_SOCKET_FAMILY_IPV4 ? sizeof (struct in_addr)
                                                      : sizeof (struct in6_addr);
}

EddySocketFamily eddy_inet_address_get_family (const EddyInetAddress *address)
{
    EDDY__EXPECT (address != NULL, EDDY_SOCKET_FAMILY_INVALID);
    return address->family;
}

uint32_t eddy_inet_address_get_scope_id (const EddyInetAddress *address)
{
    EDDY__EXPECT (address != NULL, 0);
    return address->scope_id;
}

uint32_t eddy_inet_address_get_flowinfo (const EddyInetAddress *address)
{
    EDDY__EXPECT (address != NULL, 0);
    return address->flowinfo;
}

bool eddy_inet_address_equal (const EddyInetAddress *address1, const EddyInetAddress *address2)
{
    EDDY__EXPECT (address1 != NULL && address2 != NULL, false);
    return address1->family == address2->family && address1->flowinfo == address2->flowinfo &&
           address1->scope_id == address2->scope_id &&
           memcmp (address1->bytes, address2->bytes, sizeof address1->bytes) == 0;
}

/* --- of which range it is --------------------------------------------------------------------- */

/* Whether it is of the family and begins with `length` bits of `prefix`, whose others are zeros. */
static bool inet_address_begins (const EddyInetAddress *self, EddySocketFamily family,
                                 uint16_t prefix, unsigned length)
{
    uint16_t mask = (uint16_t) (0xffffu << (16 - length));
    uint16_t first = (uint16_t) (self->bytes[0] << 8 | self->bytes[1]);
    return self->family == family && (first & mask) == prefix;
}

static bool inet_address_begins_ipv4 (const EddyInetAddress *self, uint16_t prefix, unsigned length)
{
    return inet_address_begins (self, EDDY_SOCKET_FAMILY_IPV4, prefix, length);
}

static bool inet_address_begins_ipv6 (const EddyInetAddress *self, uint16_t prefix, unsigned length)
{
    return inet_address_begins (self, EDDY_SOCKET_FAMILY_IPV6, prefix, length);
}

bool eddy_inet_address_get_is_any (const EddyInetAddress *address)
{
    EDDY__EXPECT (address != NULL, false);
    return memcmp (address->bytes, &in6addr_any, sizeof address->bytes) == 0;
}

bool eddy_inet_address_get_is_loopback (const EddyInetAddress *address)
{
    EDDY__EXPECT (address != NULL, false);
    return inet_address_begins_ipv4 (address, 0x7f00, 8) ||
           memcmp (address->bytes, &in6addr_loopback, sizeof address->bytes) == 0;
}

bool eddy_inet_address_get_is_link_local (const EddyInetAddress *address)
{
    EDDY__EXPECT (address != NULL, false);
    return inet_address_begins_ipv4 (address, 0xa9fe, 16) ||
           inet_address_begins_ipv6 (address, 0xfe80, 10);
}

bool eddy_inet_address_get_is_site_local (const EddyInetAddress *address)
{
    EDDY__EXPECT (address != NULL, false);
    return inet_address_begins_ipv4 (address, 0x0a00, 8) ||
           inet_address_begins_ipv4 (address, 0xac10, 12) ||
           inet_address_begins_ipv4 (address, 0xc0a8, 16) ||
           inet_address_begins_ipv6 (address, 0xfec0, 10);
}

bool eddy_inet_address_get_is_multicast (const EddyInetAddress *address)
{
    EDDY__EXPECT (address != NULL, false);
    return inet_address_begins_ipv4 (address, 0xe000, 4) ||
           inet_address_begins_ipv6 (address, 0xff00, 8);
}

/* Whether it is a group of IPv6 of a scope: the low half of the second byte. */
static bool inet_address_is_group (const EddyInetAddress *self, unsigned scope)
{
    return inet_address_begins_ipv6 (self, 0xff00, 8) && (self->bytes[1] & 0x0fu) == scope;
}

bool eddy_inet_address_get_is_mc_global (const EddyInetAddress *address)
{
    EDDY__EXPECT (address != NULL, false);
    return inet_address_is_group (address, 0xe);
}

bool eddy_inet_address_get_is_mc_link_local (const EddyInetAddress *address)
{
    EDDY__EXPECT (address != NULL, false);
    return inet_address_is_group (address, 0x2);
}

bool eddy_inet_address_get_is_mc_node_local (const EddyInetAddress *address)
{
    EDDY__EXPECT (address != NULL, false);
    return inet_address_is_group (address, 0x1);
}

bool eddy_inet_address_get_is_mc_org_local (const EddyInetAddress *address)
{
    EDDY__EXPECT (address != NULL, false);
    return inet_address_is_group (address, 0x8);
}

bool eddy_inet_address_get_is_mc_site_local (const EddyInetAddress *address)
{
    EDDY__EXPECT (address != NULL, false);
    return inet_address_is_group (address, 0x5);
}
