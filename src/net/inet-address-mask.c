/* SPDX-License-Identifier: MIT */
/* EddyInetAddressMask: a range of addresses that begin with the same bits. */
#include <eddy/inet-address-mask.h>

#include <eddy/error.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "net/address-private.h"
#include "net/number-private.h"

/* Room for any address with any scope as text, and more. */
enum { MASK_TEXT_SIZE = 128 };

struct EddyInetAddressMask {
    EddyObject object;
    EddyInetAddress *address;
    unsigned length;
};

static void mask_dispose (void *object)
{
    EddyInetAddressMask *self = object;
    eddy_clear (&self->address);
}

static const EddyClass mask_class = { .name = "EddyInetAddressMask",
                                      .size = sizeof (EddyInetAddressMask),
                                      .dispose = mask_dispose };

static unsigned mask_whole_length (const EddyInetAddress *address)
{
    return (unsigned) eddy_inet_address_get_native_size (address) * 8;
}

/* Whether two addresses of a family have the same first `length` bits. */
static bool mask_bits_equal (const uint8_t *bytes1, const uint8_t *bytes2, unsigned length)
{
    unsigned whole = length / 8;
    unsigned rest = 0xff00u >> length % 8 & 0xffu;
    return memcmp (bytes1, bytes2, whole) == 0 &&
           (rest == 0 || ((bytes1[whole] ^ bytes2[whole]) & rest) == 0);
}

/* Whether no bit after the first `length` is set. */
static bool mask_is_clean (const EddyInetAddress *address, unsigned length)
{
    const uint8_t *bytes = eddy_inet_address_to_bytes (address);
    for (unsigned bit = length; bit < mask_whole_length (address); bit++)
        if ((bytes[bit / 8] & 0x80u >> bit % 8) != 0)
            return false;
    return true;
}

EddyInetAddressMask *eddy_inet_address_mask_new (EddyInetAddress *address, unsigned length,
                                                 EddyError **error)
{
    EDDY__EXPECT (address != NULL, NULL);
    if (length > mask_whole_length (address) || !mask_is_clean (address, length)) {
        EDDY_AUTO_FREE (char) text = eddy_inet_address_to_string (address);
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_ARGUMENT,
                        length > mask_whole_length (address)
                            ? "%s/%u: the address has fewer bits"
                            : "%s/%u: the address has bits after these",
                        text == NULL ? "?" : text, length);
        return NULL;
    }
    EddyInetAddressMask *self = eddy_object_new (&mask_class);
    if (self == NULL) {
        eddy_error_set_errno (error, ENOMEM, "an address mask");
        return NULL;
    }
    self->address = eddy_ref (address);
    self->length = length;
    return self;
}

/* A mask as it is written. */
typedef struct MaskText {
    uint8_t bytes[EDDY__INET_ADDRESS_SIZE];
    EddySocketFamily family;
    uint32_t scope_id;
    uint32_t length;
} MaskText;

static bool mask_read (const char *string, MaskText *read)
{
    char address[MASK_TEXT_SIZE];
    size_t address_length = strcspn (string, "/");
    if (address_length >= sizeof address)
        return false;
    memcpy (address, string, address_length);
    address[address_length] = '\0';
    read->family = eddy__inet_address_read (address, read->bytes, &read->scope_id);
    read->length = read->family == EDDY_SOCKET_FAMILY_IPV4 ? 32 : 128;
    const char *rest = &string[address_length];
    return read->family != EDDY_SOCKET_FAMILY_INVALID &&
           (rest[0] == '\0' ||
            eddy__read_number (&rest[1], strlen (&rest[1]), UINT32_MAX, &read->length));
}

EddyInetAddressMask *eddy_inet_address_mask_new_from_string (const char *mask_string,
                                                             EddyError **error)
{
    EDDY__EXPECT (mask_string != NULL, NULL);
    MaskText read;
    if (!mask_read (mask_string, &read)) {
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_ARGUMENT,
                        "'%s' is no address mask", mask_string);
        return NULL;
    }
    EDDY_AUTO (EddyInetAddress)
    address =
        eddy_inet_address_new_from_bytes_with_ipv6_info (read.bytes, read.family, 0, read.scope_id);
    if (address != NULL)
        return eddy_inet_address_mask_new (address, read.length, error);
    eddy_error_set_errno (error, ENOMEM, "%s", mask_string);
    return NULL;
}

char *eddy_inet_address_mask_to_string (const EddyInetAddressMask *mask)
{
    EDDY__EXPECT (mask != NULL, NULL);
    EDDY_AUTO_FREE (char) address = eddy_inet_address_to_string (mask->address);
    if (address == NULL || mask->length == mask_whole_length (mask->address))
        return EDDY_TAKE (address);
    char text[MASK_TEXT_SIZE];
    snprintf (text, sizeof text, "%s/%u", address, mask->length);
    return eddy__strdup (text);
}

EddySocketFamily eddy_inet_address_mask_get_family (const EddyInetAddressMask *mask)
{
    EDDY__EXPECT (mask != NULL, EDDY_SOCKET_FAMILY_INVALID);
    return eddy_inet_address_get_family (mask->address);
}

EddyInetAddress *eddy_inet_address_mask_get_address (const EddyInetAddressMask *mask)
{
    EDDY__EXPECT (mask != NULL, NULL);
    return mask->address;
}

unsigned eddy_inet_address_mask_get_length (const EddyInetAddressMask *mask)
{
    EDDY__EXPECT (mask != NULL, 0);
    return mask->length;
}

bool eddy_inet_address_mask_matches (const EddyInetAddressMask *mask,
                                     const EddyInetAddress *address)
{
    EDDY__EXPECT (mask != NULL && address != NULL, false);
    return eddy_inet_address_get_family (address) == eddy_inet_address_mask_get_family (mask) &&
           mask_bits_equal (eddy_inet_address_to_bytes (mask->address),
                            eddy_inet_address_to_bytes (address), mask->length);
}

bool eddy_inet_address_mask_equal (const EddyInetAddressMask *mask1,
                                   const EddyInetAddressMask *mask2)
{
    EDDY__EXPECT (mask1 != NULL && mask2 != NULL, false);
    return mask1->length == mask2->length &&
           eddy_inet_address_equal (mask1->address, mask2->address);
}
