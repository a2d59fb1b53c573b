/* SPDX-License-Identifier: MIT */
/* Lookups of addresses: what name servers and the hosts file say, and what needs neither. */
#include <arpa/inet.h>
#include <eddy/testing.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "resolver.h"

static const NameRecord records[] = {
    { "both.test", NAME_A, "192.0.2.1" },
    { "both.test", NAME_AAAA, "2001:db8::1" },
    { "near.test", NAME_A, "192.0.2.1" },
    { "near.test", NAME_AAAA, "::1" },
    { "four.test", NAME_A, "192.0.2.4" },
    { "six.test", NAME_AAAA, "2001:db8::6" },
    { "twice.test", NAME_A, "192.0.2.9" },
    { "twice.test", NAME_A, "192.0.2.8" },
    { "twice.test", NAME_A, "192.0.2.9" },
    { "twice.test", NAME_A, "192.0.2.7" },
    { "twice.test", NAME_A, "192.0.2.8" },
    { "alias.test", NAME_CNAME, "second.test" },
    { "second.test", NAME_CNAME, "third.test" },
    { "third.test", NAME_A, "192.0.2.3" },
    { "half.test", NAME_A, "192.0.2.5" },
    { "half.test", NAME_TROUBLE, "silent 28" },
    { "none.test", NAME_PTR, "no.address.test" },
    { "servfail.test", NAME_TROUBLE, "servfail" },
    { "refused.test", NAME_TROUBLE, "refused" },
    { "large.test", NAME_TROUBLE, "truncated" },
    { "large.test", NAME_A, "192.0.2.10" },
    { "half-large.test", NAME_TROUBLE, "truncated 28" },
    { "half-large.test", NAME_A, "192.0.2.10" },
    { "half-large.test", NAME_AAAA, "2001:db8::10" },
    { "overlong.test", NAME_TROUBLE, "overlong" },
    { "overlong.test", NAME_A, "192.0.2.14" },
    { "5.2.0.192.in-addr.arpa", NAME_TROUBLE, "truncated" },
    { "5.2.0.192.in-addr.arpa", NAME_PTR, "large.test" },
    { "reset.test", NAME_TROUBLE, "tcp-reset" },
    { "tcp-silent.test", NAME_TROUBLE, "tcp-silent" },
    { "malformed.test", NAME_TROUBLE, "malformed" },
    { "malformed.test", NAME_A, "192.0.2.11" },
    { "loop.test", NAME_TROUBLE, "loop" },
    { "foreign.test", NAME_TROUBLE, "foreign" },
    { "foreign.test", NAME_A, "192.0.2.12" },
    { "late.test", NAME_TROUBLE, "late" },
    { "late.test", NAME_A, "192.0.2.13" },
    { "silent.test", NAME_TROUBLE, "silent" },
    { NULL, NAME_TROUBLE, NULL },
};

#define IPV4 EDDY_RESOLVER_NAME_LOOKUP_FLAGS_IPV4_ONLY
#define IPV6 EDDY_RESOLVER_NAME_LOOKUP_FLAGS_IPV6_ONLY

/* --- answers ---------------------------------------------------------------------------------- */

EDDY_TEST_IN_FIBER (D_resolver_finds_what_name_servers_have)
{
    ResolverTest test = resolver_begin (records);
    EddyError *error = NULL;
    EddyInetAddressList *list =
        eddy_resolver_lookup_by_name (test.resolver, "both.test", NULL, &error);
    ck_assert_ptr_nonnull (list);
    ck_assert_uint_eq (eddy_inet_address_list_get_length (list), 2);
    eddy_unref (list);
    resolver_expect (test.resolver, "both.test", IPV4, "192.0.2.1");
    resolver_expect (test.resolver, "both.test", IPV6, "2001:db8::1");
    resolver_expect (test.resolver, "four.test", 0, "192.0.2.4");
    resolver_expect (test.resolver, "SIX.Test", 0, "2001:db8::6");
    resolver_expect (test.resolver, "alias.test", IPV4, "192.0.2.3");
    resolver_expect (test.resolver, "four.test.", IPV4, "192.0.2.4");
    resolver_end (&test);
}

/* Whether the system knows a way to an address of IPv6; nothing is sent. */
static bool has_way (const char *address)
{
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
    ck_assert_int_eq (inet_pton (AF_INET6, address, &in6.sin6_addr), 1);
    int fd = socket (AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool has = fd >= 0 && connect (fd, (struct sockaddr *) &in6, sizeof in6) == 0;
    if (fd >= 0)
        close (fd);
    return has;
}

EDDY_TEST_IN_FIBER (D_resolver_puts_first_where_there_is_a_way)
{
    ResolverTest test = resolver_begin (records);
    resolver_expect (test.resolver, "both.test", 0,
                     has_way ("2001:db8::1") ? "2001:db8::1 192.0.2.1" : "192.0.2.1 2001:db8::1");
    resolver_expect (test.resolver, "near.test", 0,
                     has_way ("::1") ? "::1 192.0.2.1" : "192.0.2.1 ::1");
    resolver_end (&test);
}

EDDY_TEST_IN_FIBER (D_resolver_tells_what_is_not_there)
{
    ResolverTest test = resolver_begin (records);
    resolver_expect_failure (test.resolver, "no.test", EDDY_RESOLVER_ERROR,
                             EDDY_RESOLVER_ERROR_NOT_FOUND);
    resolver_expect_failure (test.resolver, "none.test", EDDY_RESOLVER_ERROR,
                             EDDY_RESOLVER_ERROR_NOT_FOUND);
    resolver_expect_failure (test.resolver, "servfail.test", EDDY_RESOLVER_ERROR,
                             EDDY_RESOLVER_ERROR_TEMPORARY_FAILURE);
    resolver_expect_failure (test.resolver, "refused.test", EDDY_RESOLVER_ERROR,
                             EDDY_RESOLVER_ERROR_TEMPORARY_FAILURE);
    resolver_end (&test);
}

EDDY_TEST_IN_FIBER (D_resolver_goes_on_by_TCP)
{
    ResolverTest test = resolver_begin (records);
    resolver_expect (test.resolver, "large.test", IPV4, "192.0.2.10");
    ck_assert_uint_eq (name_server_get_n_asked_by_tcp (test.server), 1);
    resolver_expect_failure (test.resolver, "reset.test", EDDY_RESOLVER_ERROR,
                             EDDY_RESOLVER_ERROR_TEMPORARY_FAILURE);
    ck_assert_uint_gt (name_server_get_n_asked_by_tcp (test.server), 1);
    resolver_end (&test);
}

/* Whichever part of an answer is cut, all of it is asked for again. */
EDDY_TEST_IN_FIBER (D_resolver_misses_nothing_of_a_cut_answer)
{
    ResolverTest test = resolver_begin (records);
    EddyError *error = NULL;
    EddyInetAddressList *list =
        eddy_resolver_lookup_by_name (test.resolver, "half-large.test", NULL, &error);
    ck_assert_uint_eq (eddy_inet_address_list_get_length (list), 2);
    eddy_unref (list);
    resolver_expect (test.resolver, "Half-Large.test.", IPV6, "2001:db8::10");
    unsigned n_asked = name_server_get_n_asked_by_tcp (test.server);
    resolver_expect (test.resolver, "half-large.test", IPV4, "192.0.2.10");
    ck_assert_uint_eq (name_server_get_n_asked_by_tcp (test.server), n_asked);
    resolver_expect (test.resolver, "overlong.test", IPV4, "192.0.2.14");
    ck_assert_uint_eq (name_server_get_n_asked_by_tcp (test.server), n_asked + 1);
    EDDY_AUTO (EddyInetAddress) address = eddy_inet_address_new_from_string ("192.0.2.5");
    char *name = eddy_resolver_lookup_by_address (test.resolver, address, NULL, &error);
    ck_assert_str_eq (name, "large.test");
    eddy_free (name);
    resolver_end (&test);
}

/* A connection that is refused, or ends, is the failure of whose answer needs it. */
EDDY_TEST_IN_FIBER (D_resolver_failed_TCP_leaves_others_alone)
{
    ResolverTest test = resolver_begin (records);
    EddyError *error = NULL;
    EddyFuture *other = eddy_resolver_lookup_by_name_with_flags_future (
        test.resolver, "late.test", IPV4, EDDY_PRIORITY_DEFAULT, NULL);
    while (name_server_get_n_held (test.server) == 0)
        eddy_fiber_sleep (1000000, NULL);
    for (int i = 0; i < 3; i++)
        resolver_expect_failure (test.resolver, "reset.test", EDDY_RESOLVER_ERROR,
                                 EDDY_RESOLVER_ERROR_TEMPORARY_FAILURE);
    name_server_refuse_tcp (test.server);
    for (int i = 0; i < 3; i++)
        resolver_expect_failure (test.resolver, "large.test", EDDY_RESOLVER_ERROR,
                                 EDDY_RESOLVER_ERROR_TEMPORARY_FAILURE);
    ck_assert (!eddy_future_is_complete (other));
    ck_assert_uint_eq (name_server_get_n_held (test.server), 1); /* nor was it asked again */
    name_server_release (test.server);
    ck_assert_str_eq (resolver_list (eddy_ref (eddy_await (other, &error))), "192.0.2.13");
    eddy_unref (other);
    resolver_end (&test);
}

static void *cancel_when_asked_by_tcp (void *data, EddyError **error)
{
    ResolverTest *test = ((void **) data)[0];
    (void) error;
    while (name_server_get_n_asked_by_tcp (test->server) == 0)
        eddy_fiber_sleep (1000000, NULL);
    eddy_cancellable_cancel (((void **) data)[1]);
    return NULL;
}

EDDY_TEST_IN_FIBER (D_resolver_cancelled_and_late_by_TCP)
{
    ResolverTest test = resolver_begin (records);
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    void *data[] = { &test, cancellable };
    EddyError *error = NULL;
    EddyFuture *canceller = eddy_spawn (NULL, cancel_when_asked_by_tcp, data, NULL);
    ck_assert_ptr_null (
        eddy_resolver_lookup_by_name (test.resolver, "tcp-silent.test", cancellable, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    ck_assert (eddy_await_complete (canceller, NULL));
    eddy_unref (canceller);
    eddy_resolver_set_timeout (test.resolver, 50000000);
    resolver_expect_failure (test.resolver, "tcp-silent.test", EDDY_IO_ERROR,
                             EDDY_IO_ERROR_TIMED_OUT);
    eddy_fiber_sleep (1000000, NULL); /* a ring lets go of the connection in its next turn */
    resolver_end (&test);
}

EDDY_TEST_IN_FIBER (N18_duplicates_are_removed_and_order_is_kept)
{
    ResolverTest test = resolver_begin (records);
    resolver_expect (test.resolver, "twice.test", IPV4, "192.0.2.9 192.0.2.8 192.0.2.7");
    resolver_end (&test);
}

/* What belongs to other questions, or has another number, is not taken for the answer. */
EDDY_TEST_IN_FIBER (D_resolver_takes_no_foreign_answers)
{
    ResolverTest test = resolver_begin (records);
    for (int i = 0; i < 10; i++)
        resolver_expect (test.resolver, "foreign.test", IPV4, "192.0.2.12");
    resolver_end (&test);
}

EDDY_TEST_IN_FIBER (N19_truncated_answers_are_refused)
{
    ResolverTest test = resolver_begin (records);
    static const char *const names[] = { "malformed.test", "loop.test" };
    for (int i = 0; i < 2; i++) {
        EddyError *error = NULL;
        ck_assert_ptr_null (
            eddy_resolver_lookup_by_name_with_flags (test.resolver, names[i], IPV4, NULL, &error));
        resolver_expect_error (&error, EDDY_RESOLVER_ERROR, EDDY_RESOLVER_ERROR_INTERNAL, names[i]);
    }
    resolver_end (&test);
}

/* What is known of one is told by a lookup of that one. */
EDDY_TEST_IN_FIBER (D_resolver_waits_for_both_families)
{
    ResolverTest test = resolver_begin (records);
    resolver_expect (test.resolver, "half.test", IPV4, "192.0.2.5");
    eddy_resolver_set_timeout (test.resolver, 100000000);
    resolver_expect_failure (test.resolver, "half.test", EDDY_IO_ERROR, EDDY_IO_ERROR_TIMED_OUT);
    resolver_end (&test);
}

/* --- no answers ------------------------------------------------------------------------------- */

/* A port of this host where nobody is. */
static void write_closed_port (char *text, size_t size)
{
    NameServer *server = name_server_new (records);
    snprintf (text, size, "%s", name_server_get_address (server));
    name_server_free (server);
}

EDDY_TEST_IN_FIBER (D_resolver_asks_the_next_server)
{
    ResolverTest test = resolver_begin (records);
    char closed[32];
    write_closed_port (closed, sizeof closed);
    const char *const nobody[] = { closed, NULL };
    ck_assert (eddy_resolver_set_servers (test.resolver, nobody, NULL));
    resolver_expect_failure (test.resolver, "four.test", EDDY_RESOLVER_ERROR,
                             EDDY_RESOLVER_ERROR_TEMPORARY_FAILURE);
    const char *const second[] = { closed, name_server_get_address (test.server), NULL };
    ck_assert (eddy_resolver_set_servers (test.resolver, second, NULL));
    resolver_expect (test.resolver, "four.test", IPV4, "192.0.2.4");
    resolver_end (&test);
}

EDDY_TEST_IN_FIBER (N18_time_limit_ends_a_lookup)
{
    ResolverTest test = resolver_begin (records);
    ck_assert_int_eq (eddy_resolver_get_timeout (test.resolver), INT64_C (30000000000));
    eddy_resolver_set_timeout (test.resolver, 50000000);
    int64_t begun_ns = eddy_get_monotonic_time_ns ();
    resolver_expect_failure (test.resolver, "silent.test", EDDY_IO_ERROR, EDDY_IO_ERROR_TIMED_OUT);
    ck_assert_int_ge (eddy_get_monotonic_time_ns () - begun_ns, 50000000);
    resolver_expect (test.resolver, "four.test", IPV4, "192.0.2.4");
    resolver_end (&test);
}

static void *cancel_soon (void *data, EddyError **error)
{
    ResolverTest *test = ((void **) data)[0];
    (void) error;
    while (name_server_get_n_held (test->server) == 0)
        eddy_fiber_sleep (1000000, NULL);
    eddy_cancellable_cancel (((void **) data)[1]);
    return NULL;
}

/* It completes at once; the late answer goes to nobody, and does no harm. */
EDDY_TEST_IN_FIBER (N18_cancelled_lookup_ends_at_once_and_its_answer_is_dropped)
{
    ResolverTest test = resolver_begin (records);
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    void *data[] = { &test, cancellable };
    EddyError *error = NULL;
    EddyFuture *other = eddy_resolver_lookup_by_name_future (test.resolver, "late.test",
                                                             EDDY_PRIORITY_DEFAULT, NULL);
    EddyFuture *canceller = eddy_spawn (NULL, cancel_soon, data, NULL);
    ck_assert_ptr_null (eddy_resolver_lookup_by_name_with_flags (test.resolver, "late.test", IPV4,
                                                                 cancellable, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    ck_assert (eddy_await_complete (canceller, NULL));
    ck_assert (!eddy_future_is_complete (other));
    resolver_expect (test.resolver, "four.test", IPV4, "192.0.2.4");
    while (name_server_get_n_held (test.server) < 2)
        eddy_fiber_sleep (1000000, NULL);
    name_server_release (test.server);
    ck_assert_ptr_nonnull (eddy_await (other, &error));
    eddy_unref (canceller);
    eddy_unref (other);
    resolver_end (&test);
}

EDDY_TEST_IN_FIBER (D_resolver_cancelled_before_asks_nobody)
{
    ResolverTest test = resolver_begin (records);
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    EddyError *error = NULL;
    eddy_cancellable_cancel (cancellable);
    ck_assert_ptr_null (
        eddy_resolver_lookup_by_name (test.resolver, "four.test", cancellable, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    ck_assert_ptr_null (
        eddy_resolver_lookup_by_name (test.resolver, "127.0.0.1", cancellable, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    ck_assert_uint_eq (name_server_get_n_asked (test.server), 0);
    resolver_end (&test);
}

static void *look_up_twice (void *data, EddyError **error)
{
    ResolverTest *test = data;
    EddyInetAddressList *list =
        eddy_resolver_lookup_by_name (test->resolver, "both.test", NULL, error);
    if (list == NULL)
        return NULL;
    eddy_unref (list);
    EDDY_AUTO (EddyInetAddress) address = eddy_inet_address_new_from_string ("192.0.2.4");
    char *name = eddy_resolver_lookup_by_address (test->resolver, address, NULL, error);
    eddy_free (name);
    return NULL;
}

EDDY_TEST (D_resolver_cancelled_everywhere)
{
    static const NameRecord names[] = {
        { "both.test", NAME_A, "192.0.2.1" },
        { "both.test", NAME_AAAA, "2001:db8::1" },
        { "4.2.0.192.in-addr.arpa", NAME_PTR, "four.test" },
        { NULL, NAME_TROUBLE, NULL },
    };
    ResolverTest test = resolver_begin (names);
    EddyTestCancelReport report;
    ck_assert_msg (eddy_test_cancel_everywhere (look_up_twice, &test, NULL, &report), "%s",
                   report.failure);
    ck_assert_uint_gt (report.cancelled, 2);
    resolver_end (&test);
}

/* --- no lookup -------------------------------------------------------------------------------- */

static void note_callback (void *source_object, EddyAsyncResult *result, void *user_data)
{
    EddyError *error = NULL;
    EddyInetAddressList *list = eddy_resolver_lookup_by_name_finish (source_object, result, &error);
    ck_assert_ptr_nonnull (list);
    eddy_unref (list);
    *(bool *) user_data = true;
}

EDDY_TEST_IN_FIBER (N17_addresses_and_localhost_need_no_name_server)
{
    ResolverTest test = resolver_begin (records);
    resolver_expect (test.resolver, "192.0.2.77", 0, "192.0.2.77");
    resolver_expect (test.resolver, "2001:db8::77", 0, "2001:db8::77");
    resolver_expect (test.resolver, "::ffff:192.0.2.1", 0, "::ffff:192.0.2.1");
    resolver_expect (test.resolver, "fe80::1%1", 0, "fe80::1%1");
    static const char *const local[] = { "localhost", "LocalHost", "localhost.", "a.localhost",
                                         "a.b.LOCALHOST." };
    for (size_t i = 0; i < sizeof local / sizeof *local; i++) {
        resolver_expect (test.resolver, local[i], 0, "::1 127.0.0.1");
        resolver_expect (test.resolver, local[i], IPV4, "127.0.0.1");
        resolver_expect (test.resolver, local[i], IPV6, "::1");
    }
    EddyError *error = NULL;
    ck_assert_ptr_null (
        eddy_resolver_lookup_by_name_with_flags (test.resolver, "::1", IPV4, NULL, &error));
    resolver_expect_error (&error, EDDY_RESOLVER_ERROR, EDDY_RESOLVER_ERROR_NOT_FOUND, "::1");
    ck_assert_uint_eq (name_server_get_n_asked (test.server), 0);
    resolver_end (&test);
}

EDDY_TEST_IN_FIBER (N17_what_needs_no_lookup_is_told_later_all_the_same)
{
    ResolverTest test = resolver_begin (records);
    bool was_called = false;
    eddy_resolver_lookup_by_name_async (test.resolver, "127.0.0.1", EDDY_PRIORITY_DEFAULT, NULL,
                                        note_callback, &was_called);
    ck_assert (!was_called);
    while (!was_called)
        eddy_fiber_yield ();
    resolver_end (&test);
}

EDDY_TEST_IN_FIBER (N17_odd_forms_of_IPv4_are_not_found)
{
    static const char *const odd[] = { "127.1",      "127.0.1",      "2130706433",  "0x7f000001",
                                       "127.0.0.1.", "0x7f.1",       "127.0.0.256", "1.2.3.4.5",
                                       "1.2.3.0x4",  "010.0.0.0400", "0x",          "1" };
    ResolverTest test = resolver_begin (records);
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        resolver_expect_failure (test.resolver, odd[i], EDDY_RESOLVER_ERROR,
                                 EDDY_RESOLVER_ERROR_NOT_FOUND);
    ck_assert_uint_eq (name_server_get_n_asked (test.server), 0);
    resolver_end (&test);
}

EDDY_TEST_IN_FIBER (D_resolver_refuses_what_is_no_name)
{
    static const char *const wrong[] = {
        "",
        ".",
        "..",
        "a..b",
        ".a",
        "a b",
        "[::1]",
        "a/b",
        "a:b",
        "::1::2",
        "a\nb",
        "b\xc3\xbc"
        "cher.test",
        "a%b",
        "a\\b",
        ".localhost",
        "a..localhost",
        "a b.localhost",
        "a123456789012345678901234567890123456789012345678901234567890123.test",
        "a.12345678901234567890123456789012345678901234567890."
        "12345678901234567890123456789012345678"
        "901234567890.12345678901234567890123456789012345678901234567890.1234567890123456789012345"
        "678901234567890123456789012345.12345678901234567890123456789012345678901234567890.test",
    };
    ResolverTest test = resolver_begin (records);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        resolver_expect_failure (test.resolver, wrong[i], EDDY_IO_ERROR,
                                 EDDY_IO_ERROR_INVALID_ARGUMENT);
    EddyError *error = NULL;
    ck_assert_ptr_null (eddy_resolver_lookup_by_name (test.resolver,
                                                      "b\xc3\xbc"
                                                      "cher",
                                                      NULL, &error));
    resolver_expect_error (&error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_ARGUMENT, "xn--");
    ck_assert_uint_eq (name_server_get_n_asked (test.server), 0);
    resolver_end (&test);
}

/* --- the hosts file --------------------------------------------------------------------------- */

EDDY_TEST_IN_FIBER (D_resolver_looks_into_the_hosts_file_first)
{
    ResolverTest test = resolver_begin (records);
    const char *path = eddy_test_path ("hosts");
    resolver_write_hosts (path, "# a comment\n"
                                "192.0.2.101 four.test Other.Test # four.test\n"
                                "\t2001:db8::101\tfour.test\r\n"
                                "192.0.2.102 four.test\n"
                                "192.0.2.101 four.test\n"
                                "no-address four.test\n"
                                "192.0.2.999 four.test\n"
                                "192.0.2.103\n"
                                "fe80::1%1 link.test\n"
                                "192.0.2.104 last.test");
    ck_assert (eddy_resolver_set_hosts_file (test.resolver, eddy_test_path (".")));
    resolver_expect (test.resolver, "third.test", IPV4, "192.0.2.3"); /* a folder says nothing */
    unsigned n_asked = name_server_get_n_asked (test.server);
    ck_assert (eddy_resolver_set_hosts_file (test.resolver, path));
    resolver_expect (test.resolver, "four.test", 0, "192.0.2.101 2001:db8::101 192.0.2.102");
    resolver_expect (test.resolver, "FOUR.test.", IPV4, "192.0.2.101 192.0.2.102");
    resolver_expect (test.resolver, "four.test", IPV6, "2001:db8::101");
    resolver_expect (test.resolver, "other.test", 0, "192.0.2.101");
    resolver_expect (test.resolver, "link.test", 0, "fe80::1%1");
    resolver_expect (test.resolver, "last.test", 0, "192.0.2.104");
    ck_assert_uint_eq (name_server_get_n_asked (test.server), n_asked);
    resolver_expect (test.resolver, "six.test", 0, "2001:db8::6");
    resolver_end (&test);
}

/* Also when it becomes another one within the time that a file system's clock takes for a step. */
EDDY_TEST_IN_FIBER (D_resolver_notices_changes_of_the_hosts_file)
{
    ResolverTest test = resolver_begin (records);
    const char *path = eddy_test_path ("changing");
    ck_assert (eddy_resolver_set_hosts_file (test.resolver, path));
    for (int i = 0; i < 40; i++) {
        char line[64], address[32];
        snprintf (address, sizeof address, "192.0.2.%d", 100 + i);
        snprintf (line, sizeof line, "%s changing.test\n", address);
        resolver_write_hosts (path, line);
        resolver_expect (test.resolver, "changing.test", 0, address);
    }
    ck_assert_int_eq (remove (path), 0);
    resolver_expect_failure (test.resolver, "changing.test", EDDY_RESOLVER_ERROR,
                             EDDY_RESOLVER_ERROR_NOT_FOUND);
    resolver_end (&test);
}
