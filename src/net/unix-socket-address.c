/* SPDX-License-Identifier: MIT */
/* EddyUnixSocketAddress: where processes of one host meet. */
#include <eddy/unix-socket-address.h>

#include <stddef.h>
#include <string.h>
#include <sys/un.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "base/utf8-private.h"
#include "net/address-private.h"

enum {
    UNIX_PATH_OFFSET = offsetof (struct sockaddr_un, sun_path),
    UNIX_PATH_SIZE = sizeof ((struct sockaddr_un *) NULL)->sun_path,
    UNIX_NAME_MOST = UNIX_PATH_SIZE - 1 /* a path's zero byte, or the one before a name */
};

struct EddyUnixSocketAddress {
    EddySocketAddress address;
    struct sockaddr_un native;
    char end; /* a zero byte behind a path that fills sun_path */
    EddyUnixSocketAddressType type;
    size_t path_len;
};

EDDY__ASSERT_NATIVE_BEHIND (EddyUnixSocketAddress);

static bool unix_type_is_abstract (EddyUnixSocketAddressType type)
{
    return type == EDDY_UNIX_SOCKET_ADDRESS_ABSTRACT ||
           type == EDDY_UNIX_SOCKET_ADDRESS_ABSTRACT_PADDED;
}

/* --- text ------------------------------------------------------------------------------------- */

/* Whether the byte can stand as it is; `is_text`: the whole is UTF-8, so that only what a terminal
 * would take as a command is to be escaped: the characters U+0080 to U+009F, too. */
static bool unix_is_printable (const char *at, const char *begin, const char *end, bool is_text)
{
    unsigned char byte = (unsigned char) *at;
    if (byte < 0x80)
        return byte >= 0x20 && byte != 0x7f && byte != '\\';
    bool is_control_first = byte == 0xc2 && at + 1 < end && (unsigned char) at[1] < 0xa0;
    bool is_control_second = byte < 0xa0 && at > begin && (unsigned char) at[-1] == 0xc2;
    return is_text && !is_control_first && !is_control_second;
}

/* Writes a path with its unprintable bytes as \xHH; returns where it ended. */
static char *unix_escape (const char *path, size_t length, char *out)
{
    static const char digits[] = "0123456789abcdef";
    bool is_text = eddy__utf8_is_valid (path, length);
    for (const char *at = path; at < path + length; at++) {
        if (unix_is_printable (at, path, path + length, is_text)) {
            *out++ = *at;
            continue;
        }
        *out++ = '\\';
        *out++ = 'x';
        *out++ = digits[(unsigned char) *at >> 4];
        *out++ = digits[(unsigned char) *at & 15];
    }
    return out;
}

static char *unix_to_string (EddySocketConnectable *connectable)
{
    const EddyUnixSocketAddress *self = EDDY_UNIX_SOCKET_ADDRESS (connectable);
    if (self->type == EDDY_UNIX_SOCKET_ADDRESS_ANONYMOUS)
        return eddy__strdup ("anonymous");
    char text[1 + 4 * UNIX_PATH_SIZE + 1];
    char *out = text;
    if (unix_type_is_abstract (self->type))
        *out++ = '@';
    out = unix_escape (eddy_unix_socket_address_get_path (self), self->path_len, out);
    *out = '\0';
    return eddy__strdup (text);
}

static const EddySocketConnectableClass unix_class = {
    .object = { .name = "EddyUnixSocketAddress", .size = sizeof (EddyUnixSocketAddress) },
    .enumerate = eddy__socket_address_enumerate,
    .to_string = unix_to_string,
};

static bool unix_is_one (const EddyUnixSocketAddress *address)
{
    return address != NULL &&
           address->address.connectable.object.object_class == &unix_class.object;
}

/* --- made ------------------------------------------------------------------------------------- */

/* How many bytes the kernel is to be told. */
static size_t unix_native_size (EddyUnixSocketAddressType type, size_t path_len)
{
    if (type == EDDY_UNIX_SOCKET_ADDRESS_ANONYMOUS)
        return UNIX_PATH_OFFSET;
    if (type == EDDY_UNIX_SOCKET_ADDRESS_ABSTRACT_PADDED || path_len == UNIX_PATH_SIZE)
        return sizeof (struct sockaddr_un);
    return UNIX_PATH_OFFSET + path_len + 1;
}

/* `path_len`: at most what fits. */
static EddySocketAddress *unix_make (const char *path, size_t path_len,
                                     EddyUnixSocketAddressType type)
{
    EddyUnixSocketAddress *self = eddy_object_new (&unix_class.object);
    if (self == NULL)
        return NULL;
    self->type = type;
    self->path_len = path_len;
    self->native.sun_family = AF_UNIX;
    self->address.native_size = (uint32_t) unix_native_size (type, path_len);
    if (path_len > 0)
        memcpy (self->native.sun_path + unix_type_is_abstract (type), path, path_len);
    return &self->address;
}

static bool unix_is_path (const char *path, size_t path_len)
{
    return path_len > 0 && path_len <= UNIX_NAME_MOST && memchr (path, '\0', path_len) == NULL;
}

EddySocketAddress *eddy_unix_socket_address_new_with_type (const char *path, int path_len,
                                                           EddyUnixSocketAddressType type)
{
    if (type == EDDY_UNIX_SOCKET_ADDRESS_ANONYMOUS)
        return unix_make (NULL, 0, type);
    EDDY__EXPECT (path != NULL, NULL);
    EDDY__EXPECT (type == EDDY_UNIX_SOCKET_ADDRESS_PATH || unix_type_is_abstract (type), NULL);
    size_t length = path_len < 0 ? strlen (path) : (size_t) path_len;
    if (type == EDDY_UNIX_SOCKET_ADDRESS_PATH ? !unix_is_path (path, length)
                                              : length > UNIX_NAME_MOST)
        return NULL;
    return unix_make (path, length, type);
}

EddySocketAddress *eddy_unix_socket_address_new (const char *path)
{
    EDDY__EXPECT (path != NULL, NULL);
    return eddy_unix_socket_address_new_with_type (path, -1, EDDY_UNIX_SOCKET_ADDRESS_PATH);
}

/* One that fills the whole struct is taken as padded: nothing tells what its last zeros are. */
static EddySocketAddress *unix_of_abstract (const char *name, size_t length)
{
    if (length < UNIX_NAME_MOST)
        return unix_make (name, length, EDDY_UNIX_SOCKET_ADDRESS_ABSTRACT);
    while (length > 0 && name[length - 1] == '\0')
        length--;
    return unix_make (name, length, EDDY_UNIX_SOCKET_ADDRESS_ABSTRACT_PADDED);
}

EddySocketAddress *eddy__unix_socket_address_new_from_native (const void *native, size_t size)
{
    const char *path = (const char *) native + UNIX_PATH_OFFSET;
    size_t length = size - UNIX_PATH_OFFSET;
    if (length > UNIX_PATH_SIZE)
        length = UNIX_PATH_SIZE;
    if (length == 0)
        return unix_make (NULL, 0, EDDY_UNIX_SOCKET_ADDRESS_ANONYMOUS);
    if (path[0] == '\0')
        return unix_of_abstract (path + 1, length - 1);
    return unix_make (path, strnlen (path, length), EDDY_UNIX_SOCKET_ADDRESS_PATH);
}

/* --- what it is ------------------------------------------------------------------------------- */

EddyUnixSocketAddressType eddy_unix_socket_address_get_address_type (
    const EddyUnixSocketAddress *address)
{
    EDDY__EXPECT (unix_is_one (address), EDDY_UNIX_SOCKET_ADDRESS_INVALID);
    return address->type;
}

const char *eddy_unix_socket_address_get_path (const EddyUnixSocketAddress *address)
{
    EDDY__EXPECT (unix_is_one (address), NULL);
    return address->native.sun_path + unix_type_is_abstract (address->type);
}

size_t eddy_unix_socket_address_get_path_len (const EddyUnixSocketAddress *address)
{
    EDDY__EXPECT (unix_is_one (address), 0);
    return address->path_len;
}
