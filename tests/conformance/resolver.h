/* SPDX-License-Identifier: MIT */
/* For the tests of resolvers: a name server, a resolver that asks it, and what it answers. */
#pragma once

#include "context.h"
#include "name-server.h"

typedef struct ResolverTest {
    NameServer *server;
    EddyResolver *resolver;
} ResolverTest;

/* A hosts file with this text. */
static inline void resolver_write_hosts (const char *path, const char *text)
{
    FILE *file = fopen (path, "w");
    ck_assert_ptr_nonnull (file);
    ck_assert_int_ge (fputs (text, file), 0);
    ck_assert_int_eq (fclose (file), 0);
}

static inline ResolverTest resolver_begin (const NameRecord *records)
{
    ResolverTest test = { name_server_new (records), eddy_resolver_new () };
    ck_assert_ptr_nonnull (test.resolver);
    const char *const servers[] = { name_server_get_address (test.server), NULL };
    EddyError *error = NULL;
    ck_assert_msg (eddy_resolver_set_servers (test.resolver, servers, &error), "%s",
                   eddy_error_get_message (error));
    ck_assert (eddy_resolver_set_hosts_file (test.resolver, eddy_test_path ("no-hosts")));
    return test;
}

static inline void resolver_end (ResolverTest *test)
{
    eddy_unref (test->resolver);
    name_server_free (test->server);
}

/* The addresses with a space between two, in a buffer that is used again; gives the list up. */
static inline const char *resolver_list (EddyInetAddressList *list)
{
    static char text[4096];
    size_t length = 0;
    text[0] = '\0';
    for (size_t i = 0; i < eddy_inet_address_list_get_length (list); i++) {
        char *address = eddy_inet_address_to_string (eddy_inet_address_list_get (list, i));
        length += (size_t) snprintf (text + length, sizeof text - length, "%s%s", i > 0 ? " " : "",
                                     address);
        eddy_free (address);
    }
    eddy_unref (list);
    return text;
}

static inline void resolver_expect (EddyResolver *resolver, const char *name, unsigned flags,
                                    const char *addresses)
{
    EddyError *error = NULL;
    EddyInetAddressList *list = eddy_resolver_lookup_by_name_with_flags (
        resolver, name, (EddyResolverNameLookupFlags) flags, NULL, &error);
    ck_assert_msg (list != NULL, "%s: %s", name, eddy_error_get_message (error));
    ck_assert_str_eq (resolver_list (list), addresses);
}

/* Asserts that an error is of a domain and a code and names this, and gives it up. */
static inline void resolver_expect_error (EddyError **error, const char *domain, int code,
                                          const char *name)
{
    ck_assert_ptr_nonnull (*error);
    ck_assert_msg (eddy_error_matches (*error, domain, code), "%s %d: %s",
                   eddy_error_get_domain (*error), eddy_error_get_code (*error),
                   eddy_error_get_message (*error));
    ck_assert_msg (strstr (eddy_error_get_message (*error), name) != NULL, "no %s in: %s", name,
                   eddy_error_get_message (*error));
    eddy_clear_error (error);
}

static inline void resolver_expect_failure (EddyResolver *resolver, const char *name,
                                            const char *domain, int code)
{
    EddyError *error = NULL;
    EddyInetAddressList *list = eddy_resolver_lookup_by_name (resolver, name, NULL, &error);
    ck_assert_msg (list == NULL, "%s has been found", name);
    resolver_expect_error (&error, domain, code, name);
}

static inline void resolver_expect_name (EddyResolver *resolver, const char *address_text,
                                         const char *name)
{
    EDDY_AUTO (EddyInetAddress) address = eddy_inet_address_new_from_string (address_text);
    EddyError *error = NULL;
    char *found = eddy_resolver_lookup_by_address (resolver, address, NULL, &error);
    ck_assert_msg (found != NULL, "%s", eddy_error_get_message (error));
    ck_assert_str_eq (found, name);
    eddy_free (found);
}

static inline void resolver_expect_no_name (EddyResolver *resolver, const char *address_text,
                                            int code)
{
    EDDY_AUTO (EddyInetAddress) address = eddy_inet_address_new_from_string (address_text);
    EddyError *error = NULL;
    ck_assert_ptr_null (eddy_resolver_lookup_by_address (resolver, address, NULL, &error));
    resolver_expect_error (&error, EDDY_RESOLVER_ERROR, code, address_text);
}
