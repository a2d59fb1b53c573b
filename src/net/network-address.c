/* SPDX-License-Identifier: MIT */
/* EddyNetworkAddress: a host, by its name, and a port. */
#include <eddy/network-address.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "net/address-private.h"
#include "net/network-private.h"
#include "net/number-private.h"

void eddy__network_found_clear (EddyNetworkFound *found)
{
    eddy_clear (&found->resolver);
    for (int i = 0; i < EDDY__NETWORK_FAMILIES; i++)
        eddy_clear (&found->lists[i]);
}

static void network_address_dispose (void *object)
{
    EddyNetworkAddress *self = object;
    eddy__network_found_clear (&self->found);
}

static void network_address_finalize (void *object)
{
    EddyNetworkAddress *self = object;
    eddy__free (self->hostname);
    eddy__free (self->scheme);
}

static char *network_address_to_string (EddySocketConnectable *connectable)
{
    const EddyNetworkAddress *self = EDDY_NETWORK_ADDRESS (connectable);
    size_t size = strlen (self->hostname) + sizeof "[]:65535";
    char *text = eddy__alloc (size);
    if (text != NULL)
        snprintf (text, size, strchr (self->hostname, ':') != NULL ? "[%s]:%u" : "%s:%u",
                  self->hostname, (unsigned) self->port);
    return text;
}

static const EddySocketConnectableClass network_address_class = {
    .object = { .name = "EddyNetworkAddress",
                .size = sizeof (EddyNetworkAddress),
                .dispose = network_address_dispose,
                .finalize = network_address_finalize },
    .enumerate = eddy__network_address_enumerate,
    .to_string = network_address_to_string,
};

static bool network_address_is_one (const EddyNetworkAddress *address)
{
    return address != NULL &&
           address->connectable.object.object_class == &network_address_class.object;
}

/* --- made ------------------------------------------------------------------------------------- */

/* Takes the strings. */
static EddyNetworkAddress *network_address_make (char *hostname, char *scheme, uint16_t port)
{
    EddyNetworkAddress *self =
        hostname == NULL ? NULL : eddy_object_new (&network_address_class.object);
    if (self == NULL) {
        eddy__free (hostname);
        eddy__free (scheme);
        return NULL;
    }
    self->hostname = hostname;
    self->scheme = scheme;
    self->port = port;
    return self;
}

EddySocketConnectable *eddy_network_address_new (const char *hostname, uint16_t port)
{
    EDDY__EXPECT (hostname != NULL, NULL);
    return EDDY_SOCKET_CONNECTABLE (network_address_make (eddy__strdup (hostname), NULL, port));
}

EddySocketConnectable *eddy_network_address_new_loopback (uint16_t port)
{
    return eddy_network_address_new ("localhost", port);
}

/* --- read ------------------------------------------------------------------------------------- */

static bool network_has (EddyNetworkText text, char character)
{
    return memchr (text.at, character, text.length) != NULL;
}

bool eddy__network_split (EddyNetworkText text, EddyNetworkParts *parts)
{
    *parts = (EddyNetworkParts){ .host = text };
    const char *end = text.at + text.length;
    const char *colon = memchr (text.at, ':', text.length);
    if (text.length > 0 && text.at[0] == '[') {
        const char *bracket = memchr (text.at, ']', text.length);
        if (bracket == NULL || (bracket + 1 < end && bracket[1] != ':'))
            return false;
        parts->in_brackets = true;
        parts->host = (EddyNetworkText){ text.at + 1, (size_t) (bracket - text.at) - 1 };
        colon = bracket + 1 < end ? bracket + 1 : NULL;
    } else if (colon != NULL && memchr (colon + 1, ':', (size_t) (end - colon) - 1) != NULL) {
        return true; /* more than one: an address of IPv6 */
    } else if (colon != NULL) {
        parts->host.length = (size_t) (colon - text.at);
    }
    if (colon != NULL)
        parts->port = (EddyNetworkText){ colon + 1, (size_t) (end - colon) - 1 };
    return true;
}

bool eddy__network_read_port (const EddyNetworkParts *parts, uint32_t *port)
{
    return parts->port.at == NULL ||
           eddy__read_number (parts->port.at, parts->port.length, UINT16_MAX, port);
}

/* Whether it can be a host: an address, or made of what names are made of. The rest is found out by
 * who looks it up. */
static bool network_is_host (const char *host, bool in_brackets)
{
    if (in_brackets || strchr (host, ':') != NULL) {
        uint8_t bytes[EDDY__INET_ADDRESS_SIZE];
        uint32_t scope_id;
        return eddy__inet_address_read (host, bytes, &scope_id) == EDDY_SOCKET_FAMILY_IPV6;
    }
    return host[0] != '\0' &&
           host[strspn (host, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                              "0123456789-_.")] == '\0';
}

static char *network_copy (EddyNetworkText text)
{
    char *copy = eddy__alloc (text.length + 1);
    if (copy == NULL)
        return NULL;
    memcpy (copy, text.at, text.length);
    copy[text.length] = '\0';
    return copy;
}

/* Makes the address of what was read; `host` and `scheme` are taken. */
static EddySocketConnectable *network_make_read (const char *whole, char *host, char *scheme,
                                                 const EddyNetworkParts *parts,
                                                 uint16_t default_port, EddyError **error)
{
    uint32_t port = default_port;
    bool has_port = eddy__network_read_port (parts, &port);
    if (host != NULL && (!has_port || !network_is_host (host, parts->in_brackets))) {
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_ARGUMENT,
                        has_port ? "'%s' has no host that can be understood"
                                 : "'%s' has a port that is no number from 0 to 65535",
                        whole);
        eddy__free (host);
        eddy__free (scheme);
        return NULL;
    }
    EddyNetworkAddress *address = network_address_make (host, scheme, (uint16_t) port);
    if (address == NULL)
        eddy_error_set_errno (error, ENOMEM, "%s", whole);
    return EDDY_SOCKET_CONNECTABLE (address);
}

EddySocketConnectable *eddy_network_address_parse (const char *host_and_port, uint16_t default_port,
                                                   EddyError **error)
{
    EDDY__EXPECT (host_and_port != NULL, NULL);
    EddyNetworkParts parts;
    if (!eddy__network_split ((EddyNetworkText){ host_and_port, strlen (host_and_port) }, &parts)) {
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_ARGUMENT,
                        "'%s' has a '[' and no ']' that ends a host", host_and_port);
        return NULL;
    }
    return network_make_read (host_and_port, network_copy (parts.host), NULL, &parts, default_port,
                              error);
}

/* --- URIs ------------------------------------------------------------------------------------- */

static bool uri_is_letter (char character)
{
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z');
}

/* The length of the scheme; 0: there is none that "://" follows. */
static size_t uri_scheme_length (const char *uri)
{
    size_t length = 0;
    while (uri_is_letter (uri[length]) ||
           (length > 0 && uri[length] != '\0' && strchr ("0123456789+-.", uri[length]) != NULL))
        length++;
    return strncmp (&uri[length], "://", 3) == 0 ? length : 0;
}

static int uri_hex_digit (char character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    char lower = (char) (character | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The byte that "%HH" stands for; -1: it is not that. */
static int uri_escaped_byte (const char *at, const char *end)
{
    int high = end - at < 3 ? -1 : uri_hex_digit (at[1]);
    int low = high < 0 ? -1 : uri_hex_digit (at[2]);
    return low < 0 ? -1 : high * 16 + low;
}

/* Whether there is nothing in it that must be escaped, and each escape is whole. */
static bool uri_is_clean (EddyNetworkText text)
{
    const char *end = text.at + text.length;
    for (const char *at = text.at; at < end; at++)
        if (*at <= 0x20 || *at >= 0x7f || (*at == '%' && uri_escaped_byte (at, end) < 0))
            return false;
    return true;
}

/* A host, its escapes undone. Between brackets, a % that begins no "%25" is itself: many write the
 * scope of an address so. A zero byte becomes one that no host has. */
static char *uri_copy_host (EddyNetworkText host, bool in_brackets)
{
    char *copy = eddy__alloc (host.length + 1);
    if (copy == NULL)
        return NULL;
    char *out = copy;
    const char *end = host.at + host.length;
    for (const char *at = host.at; at < end; at++) {
        int byte = *at == '%' ? uri_escaped_byte (at, end) : -1;
        if (byte < 0 || (in_brackets && byte != '%')) {
            *out++ = *at;
            continue;
        }
        *out++ = byte == 0 ? ' ' : (char) byte;
        at += 2;
    }
    *out = '\0';
    return copy;
}

static char *uri_copy_scheme (EddyNetworkText scheme)
{
    char *copy = network_copy (scheme);
    for (char *at = copy; copy != NULL && *at != '\0'; at++)
        if (*at >= 'A' && *at <= 'Z')
            *at = (char) (*at | 0x20);
    return copy;
}

/* Takes "user:password@" off; false: it is not written as it must be. */
static bool uri_take_user (EddyNetworkText *authority)
{
    const char *at_sign = memrchr (authority->at, '@', authority->length);
    if (at_sign == NULL)
        return true;
    size_t length = (size_t) (at_sign - authority->at);
    bool clean = uri_is_clean ((EddyNetworkText){ authority->at, length });
    *authority = (EddyNetworkText){ at_sign + 1, authority->length - length - 1 };
    return clean;
}

EddySocketConnectable *eddy_network_address_parse_uri (const char *uri, uint16_t default_port,
                                                       EddyError **error)
{
    EDDY__EXPECT (uri != NULL, NULL);
    EddyNetworkText scheme = { uri, uri_scheme_length (uri) };
    EddyNetworkText authority = { uri + scheme.length + 3, 0 };
    EddyNetworkParts parts;
    if (scheme.length > 0)
        authority.length = strcspn (authority.at, "/?#");
    if (scheme.length == 0 || !uri_take_user (&authority) ||
        !eddy__network_split (authority, &parts) ||
        (!parts.in_brackets && (network_has (parts.host, ':') || !uri_is_clean (parts.host)))) {
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_ARGUMENT,
                        "'%s' is no URI with a host", uri);
        return NULL;
    }
    if (parts.port.length == 0) /* "host:" is as good as "host" here */
        parts.port.at = NULL;
    char *scheme_copy = uri_copy_scheme (scheme);
    char *host = scheme_copy == NULL ? NULL : uri_copy_host (parts.host, parts.in_brackets);
    return network_make_read (uri, host, scheme_copy, &parts, default_port, error);
}

/* --- what it is ------------------------------------------------------------------------------- */

const char *eddy_network_address_get_hostname (const EddyNetworkAddress *address)
{
    EDDY__EXPECT (network_address_is_one (address), NULL);
    return address->hostname;
}

uint16_t eddy_network_address_get_port (const EddyNetworkAddress *address)
{
    EDDY__EXPECT (network_address_is_one (address), 0);
    return address->port;
}

const char *eddy_network_address_get_scheme (const EddyNetworkAddress *address)
{
    EDDY__EXPECT (network_address_is_one (address), NULL);
    return address->scheme;
}
