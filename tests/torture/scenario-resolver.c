/* SPDX-License-Identifier: MIT */
/*
 * Lookups: by a name server in a thread of the process, by UDP and TCP, and in a hosts file.
 */
#include <stdio.h>
#include <string.h>

#include "../conformance/name-server.h"
#include "torture.h"

static const NameRecord records[] = {
    { "both.test", NAME_A, "192.0.2.1" },
    { "both.test", NAME_AAAA, "2001:db8::1" },
    { "large.test", NAME_TROUBLE, "truncated" },
    { "large.test", NAME_A, "192.0.2.2" },
    { "1.2.0.192.in-addr.arpa", NAME_PTR, "both.test" },
    { "_talk._tcp.test", NAME_SRV, "20 0 5222 both.test" },
    { "_talk._tcp.test", NAME_SRV, "10 5 5223 large.test" },
    { NULL, NAME_TROUBLE, NULL },
};

/* A name server that could not be asked is one that does not answer, whatever the reason was; a
 * question that got lost has no answer in time. */
static void lookup_error (const char *what, EddyError **error)
{
    if (torture_was_hit () &&
        (eddy_error_matches (*error, EDDY_RESOLVER_ERROR, EDDY_RESOLVER_ERROR_TEMPORARY_FAILURE) ||
         eddy_error_matches (*error, EDDY_IO_ERROR, EDDY_IO_ERROR_TIMED_OUT))) {
        eddy_clear_error (error);
        torture_refused (what);
        return;
    }
    torture_error (what, error);
}

/* IPv4 only, or both. */
static void lookup_addresses (EddyResolver *resolver, const char *name, bool both, uint8_t last)
{
    EddyError *error = NULL;
    EddyInetAddressList *list = eddy_resolver_lookup_by_name_with_flags (
        resolver, name,
        both ? EDDY_RESOLVER_NAME_LOOKUP_FLAGS_DEFAULT : EDDY_RESOLVER_NAME_LOOKUP_FLAGS_IPV4_ONLY,
        NULL, &error);
    if (list == NULL) {
        lookup_error (name, &error);
        return;
    }
    size_t n = eddy_inet_address_list_get_length (list), n_ipv4 = 0;
    for (size_t i = 0; i < n; i++) {
        EddyInetAddress *address = eddy_inet_address_list_get (list, i);
        bool is_ipv4 = eddy_inet_address_get_family (address) == EDDY_SOCKET_FAMILY_IPV4;
        n_ipv4 += is_ipv4;
        torture_require (!is_ipv4 || eddy_inet_address_to_bytes (address)[3] == last);
    }
    torture_require (both ? n <= 2 : n == 1 && n_ipv4 == 1);
    torture_require (torture_was_hit () || n == (both ? 2 : 1));
    eddy_unref (list);
}

static void lookup_service (EddyResolver *resolver)
{
    EddyError *error = NULL;
    EddySrvTargetList *list =
        eddy_resolver_lookup_service (resolver, "talk", "tcp", "test", NULL, &error);
    if (list == NULL) {
        lookup_error ("a service", &error);
        return;
    }
    torture_require (eddy_srv_target_list_get_length (list) == 2);
    torture_require (eddy_srv_target_get_port (eddy_srv_target_list_get (list, 0)) == 5223);
    eddy_unref (list);
}

static void lookup_name (EddyResolver *resolver)
{
    EddyError *error = NULL;
    EddyInetAddress *address =
        torture_made ("an address", eddy_inet_address_new_from_string ("192.0.2.1"));
    if (address == NULL)
        return;
    char *name = eddy_resolver_lookup_by_address (resolver, address, NULL, &error);
    if (name == NULL)
        lookup_error ("a name", &error);
    else
        torture_require (strcmp (name, "both.test") == 0);
    eddy_free (name);
    eddy_unref (address);
}

static EddyResolver *make_resolver (const NameServer *server, const char *hosts)
{
    const char *const servers[] = { name_server_get_address (server), NULL };
    EddyError *error = NULL;
    EddyResolver *resolver = torture_made ("a resolver", eddy_resolver_new ());
    if (resolver == NULL)
        return NULL;
    bool done = eddy_resolver_set_servers (resolver, servers, &error);
    if (!done)
        torture_error ("the name servers", &error);
    if (done && !eddy_resolver_set_hosts_file (resolver, hosts)) {
        torture_refused ("the hosts file");
        done = false;
    }
    eddy_resolver_set_timeout (resolver, 500000000);
    if (!done)
        eddy_unref (resolver);
    return done ? resolver : NULL;
}

static void look_up (void *data)
{
    EddyResolver *resolver = data;
    lookup_addresses (resolver, "both.test", true, 1);
    lookup_addresses (resolver, "large.test", false, 2);
    lookup_addresses (resolver, "written.test", false, 3);
    lookup_addresses (resolver, "192.0.2.4", false, 4);
    lookup_addresses (resolver, "localhost", true, 1);
    lookup_service (resolver);
    lookup_name (resolver);
}

static const char *write_hosts (void)
{
    const char *path = torture_path ("hosts");
    FILE *file = fopen (path, "w");
    torture_require (file != NULL && fputs ("192.0.2.3 written.test\n", file) >= 0);
    torture_require (fclose (file) == 0);
    return path;
}

TORTURE_SCENARIO (resolver_lookups)
{
    NameServer *server = name_server_new (records);
    const char *hosts = write_hosts ();
    torture_begin ();
    EddyResolver *resolver = make_resolver (server, hosts);
    if (resolver != NULL)
        torture_await (look_up, resolver);
    eddy_unref (resolver);
    torture_end ();
    name_server_free (server);
}

/* In a plain thread. */
TORTURE_SCENARIO (resolver_blocking)
{
    NameServer *server = name_server_new (records);
    const char *hosts = write_hosts ();
    torture_begin ();
    EddyResolver *resolver = make_resolver (server, hosts);
    if (resolver != NULL)
        look_up (resolver);
    eddy_unref (resolver);
    torture_end ();
    name_server_free (server);
}
