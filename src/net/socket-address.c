/* SPDX-License-Identifier: MIT */
/* EddySocketAddress: what all kinds of socket addresses have, and addresses of other families. */
#include <eddy/socket-address-enumerator.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "net/address-private.h"

/* --- native ----------------------------------------------------------------------------------- */

EddySocketFamily eddy_socket_address_get_family (const EddySocketAddress *address)
{
    EDDY__EXPECT (address != NULL, EDDY_SOCKET_FAMILY_INVALID);
    socklen_t len;
    return (EddySocketFamily) eddy__socket_address_get_native (address, &len)->sa_family;
}

size_t eddy_socket_address_get_native_size (const EddySocketAddress *address)
{
    EDDY__EXPECT (address != NULL, 0);
    return address->native_size;
}

bool eddy_socket_address_to_native (const EddySocketAddress *address, void *dest, size_t dest_size,
                                    EddyError **error)
{
    EDDY__EXPECT (address != NULL && dest != NULL, false);
    socklen_t len;
    const struct sockaddr *native = eddy__socket_address_get_native (address, &len);
    if (dest_size < len) {
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_NO_SPACE,
                        "a socket address of %u bytes does not fit in %zu", (unsigned) len,
                        dest_size);
        return false;
    }
    memcpy (dest, native, len);
    return true;
}

bool eddy_socket_address_equal (const EddySocketAddress *address1,
                                const EddySocketAddress *address2)
{
    EDDY__EXPECT (address1 != NULL && address2 != NULL, false);
    socklen_t len1, len2;
    const struct sockaddr *native1 = eddy__socket_address_get_native (address1, &len1);
    const struct sockaddr *native2 = eddy__socket_address_get_native (address2, &len2);
    return len1 == len2 && memcmp (native1, native2, len1) == 0;
}

char *eddy_socket_address_to_string (const EddySocketAddress *address)
{
    EDDY__EXPECT (address != NULL, NULL);
    /* No kind of address changes by being told. */
    return eddy_socket_connectable_to_string (EDDY_SOCKET_CONNECTABLE ((uintptr_t) address));
}

/* --- other families --------------------------------------------------------------------------- */

typedef struct OtherSocketAddress {
    EddySocketAddress address;
    struct sockaddr_storage native;
} OtherSocketAddress;

static char *other_to_string (EddySocketConnectable *connectable)
{
    const EddySocketAddress *self = EDDY_SOCKET_ADDRESS (connectable);
    char text[64];
    snprintf (text, sizeof text, "address of family %d, %" PRIu32 " bytes",
              (int) eddy_socket_address_get_family (self), self->native_size);
    return eddy__strdup (text);
}

static const EddySocketConnectableClass other_class = {
    .object = { .name = "EddyNativeSocketAddress", .size = sizeof (OtherSocketAddress) },
    .enumerate = eddy__socket_address_enumerate,
    .to_string = other_to_string,
};

static EddySocketAddress *other_new (const void *native, size_t size)
{
    OtherSocketAddress *self = eddy_object_new (&other_class.object);
    if (self == NULL)
        return NULL;
    memcpy (&self->native, native, size);
    self->address.native_size = (uint32_t) size;
    return &self->address;
}

EddySocketAddress *eddy_socket_address_new_from_native (const void *native, size_t size)
{
    EDDY__EXPECT (native != NULL, NULL);
    sa_family_t family;
    if (size < sizeof family || size > sizeof (struct sockaddr_storage))
        return NULL;
    memcpy (&family, native, sizeof family);
    switch (family) {
    case AF_INET:
    case AF_INET6:
        return eddy__inet_socket_address_new_from_native (native, size);
    case AF_UNIX:
        return eddy__unix_socket_address_new_from_native (native, size);
    default:
        return other_new (native, size);
    }
}

/* --- the addresses of an address -------------------------------------------------------------- */

typedef struct AddressEnumerator {
    EddySocketAddressEnumerator enumerator;
    EddySocketAddress *address; /* NULL: it has been given */
} AddressEnumerator;

static void address_enumerator_dispose (void *object)
{
    AddressEnumerator *self = object;
    eddy_clear (&self->address);
    eddy_socket_address_enumerator_dispose (object);
}

static EddySocketAddress *address_enumerator_next (EddySocketAddressEnumerator *enumerator,
                                                   EddyCancellable *cancellable, EddyError **error)
{
    (void) cancellable;
    (void) error;
    AddressEnumerator *self = (AddressEnumerator *) (void *) enumerator;
    return EDDY_TAKE (self->address);
}

static const EddySocketAddressEnumeratorClass address_enumerator_class = {
    .object = { .name = "EddySocketAddressEnumerator",
                .size = sizeof (AddressEnumerator),
                .dispose = address_enumerator_dispose },
    .next = address_enumerator_next,
};

EddySocketAddressEnumerator *eddy__socket_address_enumerate (EddySocketConnectable *connectable)
{
    AddressEnumerator *self = eddy_object_new (&address_enumerator_class.object);
    if (self == NULL)
        return NULL;
    self->address = eddy_ref (connectable);
    return &self->enumerator;
}
