/* SPDX-License-Identifier: MIT */
/*
 * Addresses: read, printed, made of hosts that need no name server. Each step is made, or refused.
 */
#include <string.h>

#include "torture.h"

/* ---- Addresses and masks ------------------------------------------------------------------- */

/* Prints it; gives it up. */
static void print_connectable (EddySocketConnectable *connectable, const char *expected)
{
    char *text = eddy_socket_connectable_to_string (connectable);
    if (torture_made ("a text", text) != NULL)
        torture_require (strcmp (text, expected) == 0);
    eddy_free (text);
    eddy_unref (connectable);
}

static void read_address (const char *string, const char *expected)
{
    EddySocketAddress *address =
        torture_made ("an address", eddy_inet_socket_address_new_from_string (string, 80));
    if (address == NULL)
        return;
    char native[128];
    EddyError *error = NULL;
    torture_require (eddy_socket_address_to_native (address, native, sizeof native, &error));
    EddySocketAddress *again =
        torture_made ("a copy", eddy_socket_address_new_from_native (
                                    native, eddy_socket_address_get_native_size (address)));
    torture_require (again == NULL || eddy_socket_address_equal (address, again));
    eddy_unref (again);
    print_connectable (EDDY_SOCKET_CONNECTABLE (address), expected);
}

static void read_mask (void)
{
    EddyError *error = NULL;
    EddyInetAddressMask *mask = eddy_inet_address_mask_new_from_string ("fe80::/10", &error);
    if (mask == NULL) {
        torture_error ("a mask", &error);
        return;
    }
    char *text = eddy_inet_address_mask_to_string (mask);
    if (torture_made ("a mask's text", text) != NULL)
        torture_require (strcmp (text, "fe80::/10") == 0);
    eddy_free (text);
    eddy_unref (mask);
}

TORTURE_SCENARIO (address_read)
{
    torture_begin ();
    read_address ("192.0.2.1", "192.0.2.1:80");
    read_address ("fe80::1%3", "[fe80::1%3]:80");
    EddySocketAddress *address =
        torture_made ("a UNIX address", eddy_unix_socket_address_new ("/run/\n"));
    if (address != NULL)
        print_connectable (EDDY_SOCKET_CONNECTABLE (address), "/run/\\x0a");
    read_mask ();
    torture_end ();
}

/* The name of an interface is asked for by a system call. */
TORTURE_SCENARIO (address_of_interface)
{
    torture_begin ();
    EddyInetAddress *address =
        torture_made ("an address", eddy_inet_address_new_from_string ("fe80::1%lo"));
    torture_require (address == NULL || eddy_inet_address_get_scope_id (address) > 0);
    torture_end ();
    eddy_unref (address);
}

/* ---- Hosts and services -------------------------------------------------------------------- */

TORTURE_SCENARIO (address_parse)
{
    EddyError *error = NULL;
    torture_begin ();
    EddySocketConnectable *host = eddy_network_address_parse ("[::1]:80", 1, &error);
    if (host == NULL)
        torture_error ("a host", &error);
    else
        print_connectable (host, "[::1]:80");
    host = eddy_network_address_parse_uri ("HTTP://example.org/", 80, &error);
    if (host == NULL)
        torture_error ("a URI", &error);
    else
        print_connectable (host, "example.org:80");
    EddySocketConnectable *service =
        torture_made ("a service", eddy_network_service_new ("a", "tcp", "example.org"));
    if (service != NULL && !eddy_network_service_set_scheme (EDDY_NETWORK_SERVICE (service), "b"))
        torture_refused ("a scheme");
    if (service != NULL)
        print_connectable (service, "_a._tcp.example.org");
    torture_end ();
}

/* How many addresses a host has; less where one could not be given. */
static int count_addresses (EddySocketConnectable *host)
{
    EddyError *error = NULL;
    EddySocketAddress *address;
    int n = 0;
    EddySocketAddressEnumerator *enumerator =
        torture_made ("an enumerator", eddy_socket_connectable_enumerate (host));
    while (enumerator != NULL &&
           (address = eddy_socket_address_enumerator_next (enumerator, NULL, &error)) != NULL) {
        n++;
        eddy_unref (address);
    }
    if (error != NULL)
        torture_error ("an address", &error);
    eddy_unref (enumerator);
    return n;
}

static void enumerate_step (void *data)
{
    static const char *const hosts[] = { "192.0.2.1", "::1", "localhost" };
    int *n_addresses = data;
    for (int i = 0; i < 3; i++) {
        EddySocketConnectable *host =
            torture_made ("a host", eddy_network_address_new (hosts[i], 80));
        for (int times = 0; host != NULL && times < 2; times++)
            n_addresses[i] += count_addresses (host);
        eddy_unref (host);
    }
}

/* A later error is the end, so that there may be fewer without one. */
TORTURE_SCENARIO (address_enumerate)
{
    int n_addresses[3] = { 0 };
    torture_begin ();
    torture_await (enumerate_step, n_addresses);
    torture_end ();
    eddy_resolver_set_default (NULL);
    torture_require (n_addresses[0] <= 2 && n_addresses[1] <= 2 && n_addresses[2] <= 4);
    if (!torture_was_hit ())
        torture_require (n_addresses[0] == 2 && n_addresses[1] == 2 && n_addresses[2] == 4);
    if (!torture_has_failed () && n_addresses[2] < 4)
        torture_refused ("the rest of the addresses");
}
