/* SPDX-License-Identifier: MIT */
/*
 * Internet addresses, masks, and the addresses of sockets: what is read and what is not, what is
 * printed, and that the kernel's own form comes back as it went.
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "context.h"

/* --- internet addresses as text --------------------------------------------------------------- */

/* Whether it is read as `printed`; NULL: not at all. */
static void check_read (const char *string, const char *printed)
{
    EDDY_AUTO (EddyInetAddress) address = eddy_inet_address_new_from_string (string);
    if (printed == NULL) {
        ck_assert_msg (address == NULL, "'%s' was taken for an address", string);
        return;
    }
    ck_assert_msg (address != NULL, "'%s' was not taken", string);
    EDDY_AUTO_FREE (char) text = eddy_inet_address_to_string (address);
    ck_assert_str_eq (text, printed);
    EDDY_AUTO (EddyInetAddress) again = eddy_inet_address_new_from_string (text);
    ck_assert (eddy_inet_address_equal (address, again));
}

EDDY_TEST (D_address_text_is_read_and_printed)
{
    check_read ("127.0.0.1", "127.0.0.1");
    check_read ("255.255.255.255", "255.255.255.255");
    check_read ("::", "::");
    check_read ("::1", "::1");
    check_read ("2001:DB8:0:0:0:0:0:1", "2001:db8::1");
    check_read ("::ffff:192.0.2.1", "::ffff:192.0.2.1");
    check_read ("fe80::1%0", "fe80::1");
    check_read ("fe80::1%7", "fe80::1%7");
    check_read ("fe80::1%4294967295", "fe80::1%4294967295");
    check_read ("2001:db8::1%00012", "2001:db8::1%12");
}

EDDY_TEST (D_address_an_interface_has_a_number_and_a_name)
{
    unsigned index = if_nametoindex ("lo");
    ck_assert_uint_gt (index, 0);
    char text[64];
    snprintf (text, sizeof text, "fe80::1%%%u", index);
    check_read ("fe80::1%lo", text);
    EDDY_AUTO (EddyInetAddress) address = eddy_inet_address_new_from_string ("fe80::1%lo");
    ck_assert_uint_eq (eddy_inet_address_get_scope_id (address), index);
}

EDDY_TEST (D_address_nothing_else_is_taken)
{
    static const char *const strings[] = {
        /* forms of IPv4 that inet_aton() takes */
        "127.1", "1", "0x7f.0.0.1", "127.0.0.01", "0177.0.0.1", "127.0.0.1.", "2130706433",
        "127.0.0.256", "1.2.3", "1.2.3.4.5", "1.2..4", "-1.2.3.4", "+1.2.3.4", " 1.2.3.4",
        "1.2.3.4 ", "1.2.3.4%1", "1.2.3.4/8", "1.2.3.4:80",
        /* IPv6 */
        "", ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "::g", "[::1]",
        "::1]", "::1 ", " ::1", "::1.2.3", "::1.2.3.256", "fe80::1%", "fe80::1%%1", "fe80::1%-1",
        "fe80::1%+1", "fe80::1%4294967296", "fe80::1%1x", "fe80::1% 1", "%1",
        "fe80::1%no-such-interface", "fe80::1%a-name-that-is-too-long-for-any-interface",
        /* what is no address at all */
        "localhost", "example.org", "a", "1e3", "\xff", "::\xc3\xa9",
        "0000000000000000000000000000000000000000000000000000000000000000000000000001"
    };
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++)
        check_read (strings[i], NULL);
}

/* A text that looks a little like an address: one that is, with some bytes changed. */
static void make_similar (char *text, size_t size, unsigned *seed)
{
    static const char *const from[] = { "192.0.2.255",    "10.0.0.1",    "::",
                                        "2001:db8::17:1", "fe80::1:2:3", "::ffff:10.9.8.70",
                                        "1:2:3:4:5:6:7:8" };
    static const char alphabet[] = "0123456789abcdefABCDEFg:.x -+[/";
    snprintf (text, size, "%s", from[(size_t) rand_r (seed) % (sizeof from / sizeof from[0])]);
    size_t length = strlen (text);
    for (int changes = rand_r (seed) % 4; changes > 0 && length > 0; changes--) {
        size_t at = (size_t) rand_r (seed) % length;
        char byte = alphabet[(size_t) rand_r (seed) % (sizeof alphabet - 1)];
        if (rand_r (seed) % 3 == 0)
            memmove (&text[at], &text[at + 1], length-- - at);
        else if (rand_r (seed) % 2 == 0 && length + 2 < size)
            memmove (&text[at + 1], &text[at], ++length - at), text[at] = byte;
        else
            text[at] = byte;
    }
}

EDDY_TEST (D_address_random_texts_are_taken_as_libc_takes_them)
{
    unsigned seed = (unsigned) getpid ();
    long n_taken = 0;
    long n = eddy_test_reduced (50000, 10000, "texts");
    for (long i = 0; i < n; i++) {
        char text[64];
        uint8_t bytes[16];
        make_similar (text, sizeof text, &seed);
        int family = inet_pton (AF_INET, text, bytes) == 1    ? AF_INET
                     : inet_pton (AF_INET6, text, bytes) == 1 ? AF_INET6
                                                              : 0;
        EDDY_AUTO (EddyInetAddress) address = eddy_inet_address_new_from_string (text);
        ck_assert_msg ((address != NULL) == (family != 0), "'%s'", text);
        if (address == NULL)
            continue;
        n_taken++;
        ck_assert_int_eq ((int) eddy_inet_address_get_family (address), family);
        ck_assert_mem_eq (eddy_inet_address_to_bytes (address), bytes,
                          eddy_inet_address_get_native_size (address));
        char expected[INET6_ADDRSTRLEN];
        ck_assert_ptr_nonnull (inet_ntop (family, bytes, expected, sizeof expected));
        EDDY_AUTO_FREE (char) printed = eddy_inet_address_to_string (address);
        ck_assert_str_eq (printed, expected);
    }
    ck_assert_int_gt (n_taken, n / 10);
    ck_assert_int_lt (n_taken, n);
}

/* --- what addresses are ----------------------------------------------------------------------- */

enum {
    IS_ANY = 1 << 0,
    IS_LOOPBACK = 1 << 1,
    IS_LINK_LOCAL = 1 << 2,
    IS_SITE_LOCAL = 1 << 3,
    IS_MULTICAST = 1 << 4,
    IS_MC_GLOBAL = 1 << 5,
    IS_MC_LINK = 1 << 6,
    IS_MC_NODE = 1 << 7,
    IS_MC_ORG = 1 << 8,
    IS_MC_SITE = 1 << 9
};

static unsigned ranges_of (const EddyInetAddress *address)
{
    bool is[] = { eddy_inet_address_get_is_any (address),
                  eddy_inet_address_get_is_loopback (address),
                  eddy_inet_address_get_is_link_local (address),
                  eddy_inet_address_get_is_site_local (address),
                  eddy_inet_address_get_is_multicast (address),
                  eddy_inet_address_get_is_mc_global (address),
                  eddy_inet_address_get_is_mc_link_local (address),
                  eddy_inet_address_get_is_mc_node_local (address),
                  eddy_inet_address_get_is_mc_org_local (address),
                  eddy_inet_address_get_is_mc_site_local (address) };
    unsigned ranges = 0;
    for (size_t i = 0; i < sizeof is / sizeof is[0]; i++)
        ranges |= (unsigned) is[i] << i;
    return ranges;
}

EDDY_TEST (D_address_ranges_are_known)
{
    static const struct {
        const char *address;
        unsigned ranges;
    } cases[] = {
        { "0.0.0.0", IS_ANY },
        { "0.0.0.1", 0 },
        { "127.0.0.1", IS_LOOPBACK },
        { "127.255.255.255", IS_LOOPBACK },
        { "128.0.0.0", 0 },
        { "169.253.255.255", 0 },
        { "169.254.0.0", IS_LINK_LOCAL },
        { "169.255.0.0", 0 },
        { "10.0.0.0", IS_SITE_LOCAL },
        { "11.0.0.0", 0 },
        { "172.15.255.255", 0 },
        { "172.16.0.0", IS_SITE_LOCAL },
        { "172.31.255.255", IS_SITE_LOCAL },
        { "172.32.0.0", 0 },
        { "192.167.255.255", 0 },
        { "192.168.0.0", IS_SITE_LOCAL },
        { "192.169.0.0", 0 },
        { "223.255.255.255", 0 },
        { "224.0.0.0", IS_MULTICAST },
        { "239.255.255.255", IS_MULTICAST },
        { "240.0.0.0", 0 },
        { "::", IS_ANY },
        { "::1", IS_LOOPBACK },
        { "::2", 0 },
        { "::127.0.0.1", 0 },
        { "fe7f:ffff::", 0 },
        { "fe80::", IS_LINK_LOCAL },
        { "febf:ffff::1", IS_LINK_LOCAL },
        { "fec0::", IS_SITE_LOCAL },
        { "feff::1", IS_SITE_LOCAL },
        { "fd00::1", 0 },
        { "ff00::", IS_MULTICAST },
        { "ff01::1", IS_MULTICAST | IS_MC_NODE },
        { "ff02::1", IS_MULTICAST | IS_MC_LINK },
        { "ff05::1", IS_MULTICAST | IS_MC_SITE },
        { "ff08::1", IS_MULTICAST | IS_MC_ORG },
        { "ff0e::1", IS_MULTICAST | IS_MC_GLOBAL },
        { "ff3e::1", IS_MULTICAST | IS_MC_GLOBAL },
        { "2001:db8::1", 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        EDDY_AUTO (EddyInetAddress)
        address = eddy_inet_address_new_from_string (cases[i].address);
        ck_assert_msg (ranges_of (address) == cases[i].ranges, "%s: %#x, not %#x", cases[i].address,
                       ranges_of (address), cases[i].ranges);
    }
}

EDDY_TEST (D_address_of_bytes_and_of_no_host)
{
    static const EddySocketFamily families[] = { EDDY_SOCKET_FAMILY_IPV4, EDDY_SOCKET_FAMILY_IPV6 };
    for (int i = 0; i < 2; i++) {
        EDDY_AUTO (EddyInetAddress) any = eddy_inet_address_new_any (families[i]);
        EDDY_AUTO (EddyInetAddress) loopback = eddy_inet_address_new_loopback (families[i]);
        ck_assert_uint_eq (ranges_of (any), IS_ANY);
        ck_assert_uint_eq (ranges_of (loopback), IS_LOOPBACK);
        ck_assert (!eddy_inet_address_equal (any, loopback));
        EDDY_AUTO (EddyInetAddress)
        copy =
            eddy_inet_address_new_from_bytes (eddy_inet_address_to_bytes (loopback), families[i]);
        ck_assert (eddy_inet_address_equal (copy, loopback));
        EDDY_AUTO (EddyInetAddress)
        scoped = eddy_inet_address_new_from_bytes_with_ipv6_info (
            eddy_inet_address_to_bytes (loopback), families[i], 5, 6);
        bool is_ipv6 = families[i] == EDDY_SOCKET_FAMILY_IPV6;
        ck_assert_uint_eq (eddy_inet_address_get_flowinfo (scoped), is_ipv6 ? 5 : 0);
        ck_assert_uint_eq (eddy_inet_address_get_scope_id (scoped), is_ipv6 ? 6 : 0);
        ck_assert (eddy_inet_address_equal (scoped, loopback) == !is_ipv6);
    }
}

/* --- masks ------------------------------------------------------------------------------------ */

EDDY_TEST (D_address_masks_are_read_and_printed)
{
    static const char *const cases[][2] = {
        { "10.0.0.0/8", "10.0.0.0/8" },
        { "10.1.2.3", "10.1.2.3" },
        { "10.1.2.3/32", "10.1.2.3" },
        { "0.0.0.0/0", "0.0.0.0/0" },
        { "::/0", "::/0" },
        { "fe80::/10", "fe80::/10" },
        { "::1/128", "::1" },
        { "128.0.0.0/1", "128.0.0.0/1" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        EddyError *error = NULL;
        EDDY_AUTO (EddyInetAddressMask)
        mask = eddy_inet_address_mask_new_from_string (cases[i][0], &error);
        ck_assert_msg (mask != NULL, "'%s' was not taken", cases[i][0]);
        EDDY_AUTO_FREE (char) text = eddy_inet_address_mask_to_string (mask);
        ck_assert_str_eq (text, cases[i][1]);
        EDDY_AUTO (EddyInetAddressMask)
        again = eddy_inet_address_mask_new (eddy_inet_address_mask_get_address (mask),
                                            eddy_inet_address_mask_get_length (mask), &error);
        ck_assert (eddy_inet_address_mask_equal (mask, again));
        ck_assert_int_eq ((int) eddy_inet_address_mask_get_family (mask),
                          strchr (text, ':') != NULL ? EDDY_SOCKET_FAMILY_IPV6
                                                     : EDDY_SOCKET_FAMILY_IPV4);
    }
}

EDDY_TEST (D_address_what_is_no_mask_is_told)
{
    static const char *const strings[] = { "",
                                           "/",
                                           "/8",
                                           "10.0.0.0/",
                                           "10.0.0.0/x",
                                           "10.0.0.0/8x",
                                           "10.0.0.0/-1",
                                           "10.0.0.0/ 8",
                                           "10.0.0.0/+8",
                                           "10.0.0.0/33",
                                           "::/129",
                                           "10.0.0.1/8",
                                           "127.0.0.1/31",
                                           "::1/127",
                                           "1.2.3/8",
                                           "host/8",
                                           "10.0.0.0/8/8",
                                           "10.0.0.0/4294967304" };
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++) {
        EddyError *error = NULL;
        ck_assert_msg (eddy_inet_address_mask_new_from_string (strings[i], &error) == NULL,
                       "'%s' was taken", strings[i]);
        eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
    }
}

static bool bits_are_equal (const uint8_t *bytes1, const uint8_t *bytes2, unsigned length)
{
    for (unsigned bit = 0; bit < length; bit++)
        if (((bytes1[bit / 8] ^ bytes2[bit / 8]) >> (7 - bit % 8) & 1) != 0)
            return false;
    return true;
}

EDDY_TEST (D_address_masks_match_by_their_bits)
{
    unsigned seed = (unsigned) getpid ();
    int n_matches = 0;
    for (int i = 0; i < 20000; i++) {
        EddySocketFamily family = i % 2 == 0 ? EDDY_SOCKET_FAMILY_IPV4 : EDDY_SOCKET_FAMILY_IPV6;
        unsigned size = i % 2 == 0 ? 4 : 16;
        unsigned length = (unsigned) rand_r (&seed) % (size * 8 + 1);
        uint8_t of_mask[16], of_address[16];
        for (unsigned at = 0; at < size; at++)
            of_mask[at] = of_address[at] = (uint8_t) rand_r (&seed);
        for (unsigned bit = length; bit < size * 8; bit++)
            of_mask[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
        unsigned other = (unsigned) rand_r (&seed) % (size * 8);
        of_address[other / 8] ^= (uint8_t) (0x80u >> other % 8);
        EDDY_AUTO (EddyInetAddress) base = eddy_inet_address_new_from_bytes (of_mask, family);
        EDDY_AUTO (EddyInetAddress) address = eddy_inet_address_new_from_bytes (of_address, family);
        EDDY_AUTO (EddyInetAddressMask) mask = eddy_inet_address_mask_new (base, length, NULL);
        ck_assert_ptr_nonnull (mask);
        bool expected = bits_are_equal (of_mask, of_address, length);
        ck_assert_msg (eddy_inet_address_mask_matches (mask, address) == expected,
                       "length %u, bit %u", length, other);
        n_matches += expected;
    }
    ck_assert_int_gt (n_matches, 1000);
    EDDY_AUTO (EddyInetAddressMask) all = eddy_inet_address_mask_new_from_string ("::/0", NULL);
    EDDY_AUTO (EddyInetAddress) ipv4 = eddy_inet_address_new_from_string ("10.0.0.1");
    ck_assert (!eddy_inet_address_mask_matches (all, ipv4));
}

/* --- internet socket addresses ---------------------------------------------------------------- */

static void check_native (const EddySocketAddress *address, const void *native, size_t size)
{
    struct sockaddr_storage written;
    EddyError *error = NULL;
    ck_assert_uint_eq (eddy_socket_address_get_native_size (address), size);
    ck_assert (eddy_socket_address_to_native (address, &written, sizeof written, &error));
    ck_assert_mem_eq (&written, native, size);
    ck_assert (!eddy_socket_address_to_native (address, &written, size - 1, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NO_SPACE);
}

EDDY_TEST (D_address_of_sockets_is_the_kernels)
{
    struct sockaddr_in ipv4 = { .sin_family = AF_INET, .sin_port = htons (80) };
    ck_assert_int_eq (inet_pton (AF_INET, "192.0.2.1", &ipv4.sin_addr), 1);
    EDDY_AUTO (EddySocketAddress)
    address4 = eddy_inet_socket_address_new_from_string ("192.0.2.1", 80);
    check_native (address4, &ipv4, sizeof ipv4);
    struct sockaddr_in6 ipv6 = { .sin6_family = AF_INET6,
                                 .sin6_port = htons (65535),
                                 .sin6_flowinfo = htonl (0x12345),
                                 .sin6_scope_id = 3 };
    ck_assert_int_eq (inet_pton (AF_INET6, "fe80::1", &ipv6.sin6_addr), 1);
    EDDY_AUTO (EddySocketAddress)
    address6 = eddy_socket_address_new_from_native (&ipv6, sizeof ipv6);
    check_native (address6, &ipv6, sizeof ipv6);
    const EddyInetSocketAddress *inet6 = EDDY_INET_SOCKET_ADDRESS (address6);
    ck_assert_uint_eq (eddy_inet_socket_address_get_port (inet6), 65535);
    ck_assert_uint_eq (eddy_inet_socket_address_get_flowinfo (inet6), 0x12345);
    ck_assert_uint_eq (eddy_inet_socket_address_get_scope_id (inet6), 3);
    ck_assert_int_eq ((int) eddy_socket_address_get_family (address6), AF_INET6);
    EDDY_AUTO (EddySocketAddress)
    again = eddy_inet_socket_address_new (eddy_inet_socket_address_get_address (inet6), 65535);
    ck_assert (eddy_socket_address_equal (address6, again));
    ck_assert (!eddy_socket_address_equal (address6, address4));
    EDDY_AUTO_FREE (char) text4 = eddy_socket_address_to_string (address4);
    EDDY_AUTO_FREE (char) text6 = eddy_socket_address_to_string (address6);
    ck_assert_str_eq (text4, "192.0.2.1:80");
    ck_assert_str_eq (text6, "[fe80::1%3]:65535");
}

EDDY_TEST (D_address_too_short_or_too_long_is_refused)
{
    struct sockaddr_storage storage = { .ss_family = AF_INET };
    for (size_t size = 0; size < sizeof (struct sockaddr_in); size++)
        ck_assert_ptr_null (eddy_socket_address_new_from_native (&storage, size));
    storage.ss_family = AF_INET6;
    for (size_t size = 0; size < sizeof (struct sockaddr_in6); size++)
        ck_assert_ptr_null (eddy_socket_address_new_from_native (&storage, size));
    ck_assert_ptr_null (eddy_socket_address_new_from_native (&storage, sizeof storage + 1));
    ck_assert_ptr_null (eddy_inet_socket_address_new_from_string ("127.1", 1));
    /* what lies behind the struct says nothing */
    storage.ss_family = AF_INET;
    memset ((char *) &storage + sizeof (struct sockaddr_in), 0xee, 16);
    EDDY_AUTO (EddySocketAddress)
    address = eddy_socket_address_new_from_native (&storage, sizeof storage);
    ck_assert_uint_eq (eddy_socket_address_get_native_size (address), sizeof (struct sockaddr_in));
}

EDDY_TEST (D_address_of_another_family_is_kept)
{
    struct sockaddr_storage netlink = { .ss_family = AF_NETLINK };
    memset ((char *) &netlink + 2, 7, 10);
    EDDY_AUTO (EddySocketAddress) address = eddy_socket_address_new_from_native (&netlink, 12);
    check_native (address, &netlink, 12);
    ck_assert_int_eq ((int) eddy_socket_address_get_family (address), AF_NETLINK);
    EDDY_AUTO_FREE (char) text = eddy_socket_address_to_string (address);
    ck_assert_str_eq (text, "address of family 16, 12 bytes");
}

/* --- UNIX socket addresses -------------------------------------------------------------------- */

/* That an address is of this kind and path, prints so, and comes back from the kernel's form. */
static void check_unix (EddySocketAddress *address, EddyUnixSocketAddressType type,
                        const char *path, size_t path_len, const char *printed)
{
    const EddyUnixSocketAddress *self = EDDY_UNIX_SOCKET_ADDRESS (address);
    ck_assert_ptr_nonnull (address);
    ck_assert_int_eq ((int) eddy_unix_socket_address_get_address_type (self), (int) type);
    ck_assert_uint_eq (eddy_unix_socket_address_get_path_len (self), path_len);
    ck_assert_mem_eq (eddy_unix_socket_address_get_path (self), path, path_len + 1);
    EDDY_AUTO_FREE (char) text = eddy_socket_address_to_string (address);
    ck_assert_str_eq (text, printed);
    struct sockaddr_un native;
    ck_assert (eddy_socket_address_to_native (address, &native, sizeof native, NULL));
    EDDY_AUTO (EddySocketAddress)
    again = eddy_socket_address_new_from_native (&native,
                                                 eddy_socket_address_get_native_size (address));
    ck_assert (eddy_socket_address_equal (address, again));
    ck_assert_int_eq (
        (int) eddy_unix_socket_address_get_address_type (EDDY_UNIX_SOCKET_ADDRESS (again)),
        (int) type);
}

EDDY_TEST (D_address_unix_kinds)
{
    EDDY_AUTO (EddySocketAddress) path = eddy_unix_socket_address_new ("/run/a b");
    check_unix (path, EDDY_UNIX_SOCKET_ADDRESS_PATH, "/run/a b", 8, "/run/a b");
    ck_assert_uint_eq (eddy_socket_address_get_native_size (path),
                       offsetof (struct sockaddr_un, sun_path) + 9);
    EDDY_AUTO (EddySocketAddress)
    anonymous =
        eddy_unix_socket_address_new_with_type (NULL, 0, EDDY_UNIX_SOCKET_ADDRESS_ANONYMOUS);
    check_unix (anonymous, EDDY_UNIX_SOCKET_ADDRESS_ANONYMOUS, "", 0, "anonymous");
    EDDY_AUTO (EddySocketAddress)
    abstract =
        eddy_unix_socket_address_new_with_type ("a\0b", 3, EDDY_UNIX_SOCKET_ADDRESS_ABSTRACT);
    check_unix (abstract, EDDY_UNIX_SOCKET_ADDRESS_ABSTRACT, "a\0b", 3, "@a\\x00b");
    EDDY_AUTO (EddySocketAddress)
    padded = eddy_unix_socket_address_new_with_type ("name", -1,
                                                     EDDY_UNIX_SOCKET_ADDRESS_ABSTRACT_PADDED);
    check_unix (padded, EDDY_UNIX_SOCKET_ADDRESS_ABSTRACT_PADDED, "name", 4, "@name");
    ck_assert_uint_eq (eddy_socket_address_get_native_size (padded), sizeof (struct sockaddr_un));
    ck_assert (!eddy_socket_address_equal (padded, abstract));
}

EDDY_TEST (D_address_unix_paths_are_as_long_as_the_kernel_takes)
{
    char path[200];
    memset (path, 'a', sizeof path);
    path[107] = '\0';
    EDDY_AUTO (EddySocketAddress) longest = eddy_unix_socket_address_new (path);
    check_unix (longest, EDDY_UNIX_SOCKET_ADDRESS_PATH, path, 107, path);
    path[107] = 'a';
    path[108] = '\0';
    ck_assert_ptr_null (eddy_unix_socket_address_new (path));
    ck_assert_ptr_null (eddy_unix_socket_address_new (""));
    ck_assert_ptr_null (
        eddy_unix_socket_address_new_with_type ("a\0b", 3, EDDY_UNIX_SOCKET_ADDRESS_PATH));
    ck_assert_ptr_null (
        eddy_unix_socket_address_new_with_type (path, 108, EDDY_UNIX_SOCKET_ADDRESS_ABSTRACT));
    /* the kernel itself has one byte more, where no zero byte ends it */
    struct sockaddr_un native = { .sun_family = AF_UNIX };
    memset (native.sun_path, 'a', sizeof native.sun_path);
    EDDY_AUTO (EddySocketAddress)
    full = eddy_socket_address_new_from_native (&native, sizeof native);
    check_unix (full, EDDY_UNIX_SOCKET_ADDRESS_PATH, path, 108, path);
}

EDDY_TEST (D_address_unix_escapes_what_a_terminal_would_obey)
{
    static const char *const cases[][2] = {
        { "/tmp/\x1b[31m", "/tmp/\\x1b[31m" }, { "a\\b", "a\\x5cb" },
        { "/tmp/\xc3\xa9", "/tmp/\xc3\xa9" },  { "/tmp/\xff", "/tmp/\\xff" },
        { "\xc3\xa9\xff", "\\xc3\\xa9\\xff" }, { "a\nb\x7f", "a\\x0ab\\x7f" },
        { "x\xc2\x9b", "x\\xc2\\x9b" },        { "x\xc2\xa0y", "x\xc2\xa0y" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        EDDY_AUTO (EddySocketAddress) address = eddy_unix_socket_address_new (cases[i][0]);
        check_unix (address, EDDY_UNIX_SOCKET_ADDRESS_PATH, cases[i][0], strlen (cases[i][0]),
                    cases[i][1]);
    }
}

/* What getsockname(2) says after a bind is the address that was bound. */
EDDY_TEST (D_address_unix_of_the_kernel)
{
    EDDY_AUTO (EddySocketAddress) path = eddy_unix_socket_address_new (eddy_test_path ("socket"));
    EDDY_AUTO (EddySocketAddress)
    abstract = eddy_unix_socket_address_new_with_type (eddy_test_path ("name"), -1,
                                                       EDDY_UNIX_SOCKET_ADDRESS_ABSTRACT);
    EddySocketAddress *addresses[] = { path, abstract };
    for (int i = 0; i < 2; i++) {
        struct sockaddr_un native;
        socklen_t size = sizeof native;
        int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ck_assert (eddy_socket_address_to_native (addresses[i], &native, sizeof native, NULL));
        ck_assert_int_eq (bind (fd, (struct sockaddr *) &native,
                                (socklen_t) eddy_socket_address_get_native_size (addresses[i])),
                          0);
        ck_assert_int_eq (getsockname (fd, (struct sockaddr *) &native, &size), 0);
        EDDY_AUTO (EddySocketAddress) bound = eddy_socket_address_new_from_native (&native, size);
        ck_assert (eddy_socket_address_equal (bound, addresses[i]));
        close (fd);
    }
}

/* Whatever bytes come, they are refused, or are an address that is printed and comes back. */
EDDY_TEST (D_address_of_random_bytes)
{
    static const sa_family_t families[] = { AF_UNSPEC, AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };
    unsigned seed = (unsigned) getpid ();
    for (int i = 0; i < 20000; i++) {
        size_t size = (size_t) rand_r (&seed) % 135;
        uint8_t *bytes = malloc (size); /* so that a byte too far is noticed */
        for (size_t at = 0; at < size; at++)
            bytes[at] = (uint8_t) (rand_r (&seed) % 4 == 0 ? 0 : rand_r (&seed));
        if (size >= sizeof (sa_family_t))
            memcpy (bytes, &families[rand_r (&seed) % 5], sizeof (sa_family_t));
        EDDY_AUTO (EddySocketAddress)
        address = size == 0 ? NULL : eddy_socket_address_new_from_native (bytes, size);
        free (bytes);
        if (address == NULL)
            continue;
        struct sockaddr_storage native;
        EDDY_AUTO_FREE (char) text = eddy_socket_address_to_string (address);
        ck_assert_uint_gt (strlen (text), 0);
        ck_assert (eddy_socket_address_to_native (address, &native, sizeof native, NULL));
        EDDY_AUTO (EddySocketAddress)
        again = eddy_socket_address_new_from_native (&native,
                                                     eddy_socket_address_get_native_size (address));
        ck_assert (eddy_socket_address_equal (address, again));
    }
}

/* --- an address as a connectable -------------------------------------------------------------- */

EDDY_TEST (D_address_enumerates_itself)
{
    EddyContext *context = eddy_test_context_begin ();
    EddyError *error = NULL;
    EDDY_AUTO (EddySocketAddress) address = eddy_inet_socket_address_new_from_string ("::1", 80);
    EDDY_AUTO_FREE (char)
    text = eddy_socket_connectable_to_string (EDDY_SOCKET_CONNECTABLE (address));
    ck_assert_str_eq (text, "[::1]:80");
    EDDY_AUTO (EddySocketAddressEnumerator)
    enumerator = eddy_socket_connectable_enumerate (EDDY_SOCKET_CONNECTABLE (address));
    ck_assert_ptr_eq (eddy_socket_address_enumerator_get_context (enumerator), context);
    EDDY_AUTO (EddySocketAddress)
    first = eddy_socket_address_enumerator_next (enumerator, NULL, &error);
    ck_assert_ptr_eq (first, address);
    for (int i = 0; i < 2; i++) {
        ck_assert_ptr_null (eddy_socket_address_enumerator_next (enumerator, NULL, &error));
        ck_assert_ptr_null (error);
    }
    eddy_test_context_end (context);
}
