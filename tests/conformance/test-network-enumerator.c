/* SPDX-License-Identifier: MIT */
/*
 * The addresses of hosts and services, one after the other: both families at the same time, in
 * turns, what has come before what has not, and nothing lost by cancelling.
 */
#include <eddy/testing.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "resolver.h"

static const NameRecord records[] = {
    { "four.test", NAME_A, "192.0.2.1" },
    { "four.test", NAME_A, "192.0.2.2" },
    { "six.test", NAME_AAAA, "2001:db8::1" },
    { "more-four.test", NAME_A, "192.0.2.1" },
    { "more-four.test", NAME_A, "192.0.2.2" },
    { "more-four.test", NAME_A, "192.0.2.3" },
    { "more-four.test", NAME_AAAA, "2001:db8::1" },
    { "more-six.test", NAME_A, "192.0.2.1" },
    { "more-six.test", NAME_A, "192.0.2.2" },
    { "more-six.test", NAME_AAAA, "2001:db8::1" },
    { "more-six.test", NAME_AAAA, "2001:db8::2" },
    { "more-six.test", NAME_AAAA, "2001:db8::3" },
    { "late-six.test", NAME_A, "192.0.2.1" },
    { "late-six.test", NAME_A, "192.0.2.2" },
    { "late-six.test", NAME_A, "192.0.2.3" },
    { "late-six.test", NAME_AAAA, "2001:db8::1" },
    { "late-six.test", NAME_TROUBLE, "late 28" },
    { "late-four.test", NAME_A, "192.0.2.1" },
    { "late-four.test", NAME_AAAA, "2001:db8::1" },
    { "late-four.test", NAME_TROUBLE, "late 1" },
    { "late.test", NAME_A, "192.0.2.1" },
    { "late.test", NAME_AAAA, "2001:db8::1" },
    { "late.test", NAME_TROUBLE, "late" },
    { "late-none.test", NAME_A, "192.0.2.1" },
    { "late-none.test", NAME_TROUBLE, "late 28" },
    { "near.test", NAME_A, "127.0.0.1" },
    { "near.test", NAME_TROUBLE, "late 28" },
    { "bad-six.test", NAME_A, "192.0.2.1" },
    { "bad-six.test", NAME_TROUBLE, "servfail 28" },
    { "bad-four.test", NAME_AAAA, "2001:db8::1" },
    { "bad-four.test", NAME_TROUBLE, "servfail 1" },
    { "only-bad-six.test", NAME_TROUBLE, "servfail 28" },
    { "only-bad-four.test", NAME_TROUBLE, "servfail 1" },
    { "_service._tcp.example.test", NAME_SRV, "20 0 22 late-six.test" },
    { "_service._tcp.example.test", NAME_SRV, "10 0 11 missing.test" },
    { "_service._tcp.example.test", NAME_SRV, "15 0 16 four.test" },
    { "_cancel._tcp.example.test", NAME_SRV, "10 0 11 more-four.test" },
    { "_lost._tcp.example.test", NAME_SRV, "10 0 1 missing.test" },
    { "_lost._tcp.example.test", NAME_SRV, "20 0 2 missing-too.test" },
    { NULL, NAME_TROUBLE, NULL },
};

static ResolverTest resolver;

static void begin (void)
{
    resolver = resolver_begin (records);
    eddy_resolver_set_default (resolver.resolver);
}

static void end (void)
{
    eddy_resolver_set_default (NULL);
    resolver_end (&resolver);
}

static EddySocketAddressEnumerator *enumerate (const char *hostname)
{
    EDDY_AUTO (EddySocketConnectable) host = eddy_network_address_new (hostname, 80);
    EddySocketAddressEnumerator *enumerator = eddy_socket_connectable_enumerate (host);
    ck_assert_ptr_nonnull (enumerator);
    return enumerator;
}

/* That the next address prints so; NULL: that this is the end. */
static void expect_next (EddySocketAddressEnumerator *enumerator, const char *printed)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddySocketAddress)
    address = eddy_socket_address_enumerator_next (enumerator, NULL, &error);
    ck_assert_msg (error == NULL, "%s", error == NULL ? "" : eddy_error_get_message (error));
    EDDY_AUTO_FREE (char)
    text = address == NULL ? NULL : eddy_socket_address_to_string (address);
    if (printed == NULL)
        ck_assert_ptr_null (text);
    else
        ck_assert_str_eq (text, printed);
}

/* That the first call fails so, and the second one is at the end. */
static void expect_failure (EddySocketAddressEnumerator *enumerator, const char *domain, int code,
                            const char *name)
{
    EddyError *error = NULL;
    ck_assert_ptr_null (eddy_socket_address_enumerator_next (enumerator, NULL, &error));
    resolver_expect_error (&error, domain, code, name);
    expect_next (enumerator, NULL);
}

static void expect_rest (EddySocketAddressEnumerator *enumerator, const char *const *printed)
{
    for (; *printed != NULL; printed++)
        expect_next (enumerator, *printed);
    for (int i = 0; i < 2; i++)
        expect_next (enumerator, NULL);
}

/* That these are all of a host's addresses, in this order where both families are known. */
static void expect_all (const char *hostname, const char *const *printed)
{
    EDDY_AUTO (EddySocketConnectable) host = eddy_network_address_new (hostname, 80);
    EDDY_AUTO (EddySocketAddressEnumerator) first = eddy_socket_connectable_enumerate (host);
    EddySocketAddress *address;
    while ((address = eddy_socket_address_enumerator_next (first, NULL, NULL)) != NULL)
        eddy_unref (address);
    EDDY_AUTO (EddySocketAddressEnumerator) second = eddy_socket_connectable_enumerate (host);
    expect_rest (second, printed);
}

#define ALL(...) ((const char *const[]){ __VA_ARGS__, NULL })

static int64_t now_ns (void)
{
    struct timespec time;
    clock_gettime (CLOCK_MONOTONIC, &time);
    return (int64_t) time.tv_sec * 1000000000 + time.tv_nsec;
}

/* A lookup that was let go of ends in a turn of its own. */
static void settle (void)
{
    (void) eddy_fiber_sleep (1000000, NULL);
}

/* --- N14: what is no host --------------------------------------------------------------------- */

static void bad_host_told (void *source_object, EddyAsyncResult *result, void *user_data)
{
    EddyError *error = NULL;
    ck_assert_ptr_null (eddy_socket_address_enumerator_next_finish (source_object, result, &error));
    resolver_expect_error (&error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_ARGUMENT, "");
    ++*(int *) user_data;
}

EDDY_TEST (N14_a_bad_host_is_told_by_the_callback)
{
    static const char *const hosts[] = { "a b", "b\xc3\xbc\x63her.test", "host/", "a..b" };
    EddyContext *context = eddy_test_context_begin ();
    begin ();
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        EDDY_AUTO (EddySocketAddressEnumerator) enumerator = enumerate (hosts[i]);
        int told = 0;
        eddy_socket_address_enumerator_next_async (enumerator, EDDY_PRIORITY_DEFAULT, NULL,
                                                   bad_host_told, &told);
        ck_assert_int_eq (told, 0);
        while (told == 0)
            eddy_context_iteration (context, /* may_block= */ true);
    }
    ck_assert_uint_eq (name_server_get_n_asked (resolver.server), 0);
    end ();
    eddy_test_context_end (context);
}

/* --- N15: both families ----------------------------------------------------------------------- */

EDDY_TEST_IN_FIBER (N15_the_families_take_turns)
{
    begin ();
    expect_all ("four.test", ALL ("192.0.2.1:80", "192.0.2.2:80"));
    expect_all ("six.test", ALL ("[2001:db8::1]:80"));
    expect_all ("more-four.test",
                ALL ("[2001:db8::1]:80", "192.0.2.1:80", "192.0.2.2:80", "192.0.2.3:80"));
    expect_all ("more-six.test", ALL ("[2001:db8::1]:80", "192.0.2.1:80", "[2001:db8::2]:80",
                                      "192.0.2.2:80", "[2001:db8::3]:80"));
    end ();
}

EDDY_TEST_IN_FIBER (N15_ipv4_waits_50_ms_for_ipv6)
{
    begin ();
    EDDY_AUTO (EddySocketAddressEnumerator) enumerator = enumerate ("late-six.test");
    int64_t begun_ns = now_ns ();
    expect_next (enumerator, "192.0.2.1:80");
    ck_assert_int_ge (now_ns () - begun_ns, 50 * 1000 * 1000);
    /* from then on nothing waits … */
    EddyContextStatistics before, after;
    eddy_context_get_statistics (eddy_context_get_thread_default (), &before);
    expect_next (enumerator, "192.0.2.2:80");
    eddy_context_get_statistics (eddy_context_get_thread_default (), &after);
    ck_assert_uint_eq (after.waits, before.waits);
    expect_next (enumerator, "192.0.2.3:80");
    /* … and what comes later is given, too */
    ck_assert_uint_eq (name_server_get_n_held (resolver.server), 1);
    name_server_release (resolver.server);
    expect_next (enumerator, "[2001:db8::1]:80");
    expect_next (enumerator, NULL);
    end ();
}

EDDY_TEST_IN_FIBER (N15_ipv6_waits_for_nobody)
{
    begin ();
    EDDY_AUTO (EddySocketAddressEnumerator) enumerator = enumerate ("late-four.test");
    expect_next (enumerator, "[2001:db8::1]:80");
    EddyFuture *second =
        eddy_socket_address_enumerator_next_future (enumerator, EDDY_PRIORITY_DEFAULT, NULL);
    settle ();
    ck_assert (!eddy_future_is_complete (second));
    name_server_release (resolver.server);
    EddyError *error = NULL;
    ck_assert_ptr_nonnull (eddy_await (second, &error));
    eddy_unref (second);
    expect_next (enumerator, NULL);
    end ();
}

EDDY_TEST_IN_FIBER (N15_ipv6_that_comes_in_time_is_first)
{
    begin ();
    EDDY_AUTO (EddySocketAddressEnumerator) enumerator = enumerate ("late-six.test");
    EddyFuture *first =
        eddy_socket_address_enumerator_next_future (enumerator, EDDY_PRIORITY_DEFAULT, NULL);
    while (name_server_get_n_asked (resolver.server) < 2)
        settle ();
    name_server_release (resolver.server);
    EddyError *error = NULL;
    EddySocketAddress *address = eddy_await (first, &error);
    ck_assert_int_eq ((int) eddy_socket_address_get_family (address), EDDY_SOCKET_FAMILY_IPV6);
    eddy_unref (first);
    expect_next (enumerator, "192.0.2.1:80");
    end ();
}

/* That there is no IPv6 ends the wait for it. */
EDDY_TEST_IN_FIBER (N15_one_family_is_enough)
{
    begin ();
    expect_all ("bad-six.test", ALL ("192.0.2.1:80"));
    expect_all ("bad-four.test", ALL ("[2001:db8::1]:80"));
    EDDY_AUTO (EddySocketAddressEnumerator) enumerator = enumerate ("late-none.test");
    expect_next (enumerator, "192.0.2.1:80");
    name_server_release (resolver.server);
    expect_next (enumerator, NULL);
    end ();
}

/* Connects to near.test while nobody says whether it has IPv6, and sees that nobody has said so
 * when it is connected. */
static void connect_before_ipv6 (void)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddySocketListener) listener = eddy_socket_listener_new ();
    uint16_t port = eddy_socket_listener_add_any_inet_port (listener, NULL, &error);
    ck_assert_uint_ne (port, 0);
    EDDY_AUTO (EddySocketClient) client = eddy_socket_client_new ();
    eddy_socket_client_set_timeout (client, INT64_C (1000000000)); /* where it waits for both */
    unsigned n_held = name_server_get_n_held (resolver.server);
    EDDY_AUTO (EddySocketConnection)
    connection = eddy_socket_client_connect_to_host (client, "near.test", port, NULL, &error);
    ck_assert_msg (connection != NULL, "%s", eddy_error_get_message (error));
    ck_assert_uint_eq (name_server_get_n_held (resolver.server), n_held + 1);
}

EDDY_TEST_IN_FIBER (N15_an_unanswered_family_holds_no_connect_up)
{
    begin ();
    eddy_resolver_set_timeout (resolver.resolver, 0);
    connect_before_ipv6 ();
    settle ();
    end ();
}

EDDY_TEST (N15_an_unanswered_family_holds_no_plain_thread_up)
{
    begin ();
    eddy_resolver_set_timeout (resolver.resolver, 0);
    connect_before_ipv6 ();
    end ();
}

/* That a name server cannot say is told before that it knows of nothing, of whichever family. */
EDDY_TEST_IN_FIBER (N15_both_have_failed)
{
    begin ();
    EDDY_AUTO (EddySocketAddressEnumerator) none = enumerate ("missing.test");
    EDDY_AUTO (EddySocketAddressEnumerator) bad_six = enumerate ("only-bad-six.test");
    EDDY_AUTO (EddySocketAddressEnumerator) bad_four = enumerate ("only-bad-four.test");
    expect_failure (none, EDDY_RESOLVER_ERROR, EDDY_RESOLVER_ERROR_NOT_FOUND, "missing.test");
    expect_failure (bad_six, EDDY_RESOLVER_ERROR, EDDY_RESOLVER_ERROR_TEMPORARY_FAILURE,
                    "only-bad-six.test");
    expect_failure (bad_four, EDDY_RESOLVER_ERROR, EDDY_RESOLVER_ERROR_TEMPORARY_FAILURE,
                    "only-bad-four.test");
    end ();
}

/* --- N16: errors, and what is kept ------------------------------------------------------------ */

/* A program's own kind: gives as many addresses as it is told, then fails. */
typedef struct OwnEnumerator {
    EddySocketAddressEnumerator enumerator;
    int n_left;
    int n_asked;
} OwnEnumerator;

static EddySocketAddress *own_next (EddySocketAddressEnumerator *enumerator,
                                    EddyCancellable *cancellable, EddyError **error)
{
    OwnEnumerator *self = (OwnEnumerator *) (void *) enumerator;
    ck_assert (eddy_in_fiber ());
    self->n_asked++;
    if (eddy_cancellable_set_error_if_cancelled (cancellable, error))
        return NULL;
    if (self->n_left-- > 0)
        return eddy_inet_socket_address_new_from_string ("192.0.2.1", 1);
    eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_FAILED, "no more");
    return NULL;
}

static const EddySocketAddressEnumeratorClass own_enumerator_class = {
    .object = { .name = "OwnEnumerator",
                .size = sizeof (OwnEnumerator),
                .dispose = eddy_socket_address_enumerator_dispose },
    .next = own_next,
};

static int own_n_addresses;

static EddySocketAddressEnumerator *own_enumerate (EddySocketConnectable *connectable)
{
    (void) connectable;
    OwnEnumerator *self = eddy_object_new (&own_enumerator_class.object);
    self->n_left = own_n_addresses;
    return &self->enumerator;
}

static char *own_to_string (EddySocketConnectable *connectable)
{
    (void) connectable;
    return eddy_strdup ("own");
}

static const EddySocketConnectableClass own_class = {
    .object = { .name = "Own", .size = sizeof (EddySocketConnectable) },
    .enumerate = own_enumerate,
    .to_string = own_to_string,
};

EDDY_TEST_IN_FIBER (N16_only_the_first_call_may_fail)
{
    for (own_n_addresses = 0; own_n_addresses < 3; own_n_addresses++) {
        EDDY_AUTO (EddySocketConnectable) own = eddy_object_new (&own_class.object);
        EDDY_AUTO (EddySocketAddressEnumerator)
        enumerator = eddy_socket_connectable_enumerate (own);
        if (own_n_addresses == 0)
            expect_failure (enumerator, EDDY_IO_ERROR, EDDY_IO_ERROR_FAILED, "no more");
        for (int i = 0; i < own_n_addresses; i++)
            expect_next (enumerator, "192.0.2.1:1");
        expect_next (enumerator, NULL);
        expect_next (enumerator, NULL);
        ck_assert_int_eq (((OwnEnumerator *) (void *) enumerator)->n_asked, own_n_addresses + 1);
        EDDY_AUTO_FREE (char) text = eddy_socket_connectable_to_string (own);
        ck_assert_str_eq (text, "own");
    }
}

static void enumerate_all (EddySocketConnectable *host, int n_expected)
{
    EDDY_AUTO (EddySocketAddressEnumerator) enumerator = eddy_socket_connectable_enumerate (host);
    for (int i = 0; i <= n_expected; i++) {
        EDDY_AUTO (EddySocketAddress)
        address = eddy_socket_address_enumerator_next (enumerator, NULL, NULL);
        ck_assert ((address != NULL) == (i < n_expected));
    }
}

EDDY_TEST_IN_FIBER (N16_what_was_found_is_kept)
{
    begin ();
    EDDY_AUTO (EddySocketConnectable) host = eddy_network_address_new ("more-four.test", 80);
    EDDY_AUTO (EddySocketConnectable) missing = eddy_network_address_new ("missing.test", 80);
    for (int i = 0; i < 3; i++) {
        enumerate_all (host, 4);
        ck_assert_uint_eq (name_server_get_n_asked (resolver.server), 2);
    }
    /* what was not found is looked for again */
    enumerate_all (missing, 0);
    unsigned n_asked = name_server_get_n_asked (resolver.server);
    enumerate_all (missing, 0);
    ck_assert_uint_gt (name_server_get_n_asked (resolver.server), n_asked);
    /* another resolver may know better */
    ResolverTest other = resolver_begin (records);
    eddy_resolver_set_default (other.resolver);
    enumerate_all (host, 4);
    ck_assert_uint_eq (name_server_get_n_asked (other.server), 2);
    resolver_end (&other);
    end ();
}

/* --- N17: no lookup needed -------------------------------------------------------------------- */

EDDY_TEST_IN_FIBER (N17_addresses_and_localhost_need_no_name_server)
{
    begin ();
    expect_all ("192.0.2.7", ALL ("192.0.2.7:80"));
    expect_all ("2001:db8::7", ALL ("[2001:db8::7]:80"));
    expect_all ("fe80::7%3", ALL ("[fe80::7%3]:80"));
    expect_all ("localhost", ALL ("[::1]:80", "127.0.0.1:80"));
    expect_all ("LocalHost.", ALL ("[::1]:80", "127.0.0.1:80"));
    expect_all ("a.b.localhost", ALL ("[::1]:80", "127.0.0.1:80"));
    EDDY_AUTO (EddySocketConnectable) loopback = eddy_network_address_new_loopback (81);
    EDDY_AUTO (EddySocketAddressEnumerator)
    enumerator = eddy_socket_connectable_enumerate (loopback);
    expect_next (enumerator, "[::1]:81");
    expect_next (enumerator, "127.0.0.1:81");
    static const char *const odd[] = { "127.1", "0x7f.0.0.1", "2130706433", "192.0.2.01" };
    for (int i = 0; i < 4; i++) {
        EDDY_AUTO (EddySocketAddressEnumerator) of_odd = enumerate (odd[i]);
        expect_failure (of_odd, EDDY_RESOLVER_ERROR, EDDY_RESOLVER_ERROR_NOT_FOUND, odd[i]);
    }
    ck_assert_uint_eq (name_server_get_n_asked (resolver.server), 0);
    end ();
}

static void literal_told (void *source_object, EddyAsyncResult *result, void *user_data)
{
    EDDY_AUTO (EddySocketAddress)
    address = eddy_socket_address_enumerator_next_finish (source_object, result, NULL);
    ck_assert_ptr_nonnull (address);
    *(bool *) user_data = true;
}

EDDY_TEST (N17_an_address_is_told_in_a_later_turn)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddySocketAddressEnumerator) enumerator = enumerate ("192.0.2.7");
    bool told = false;
    eddy_socket_address_enumerator_next_async (enumerator, EDDY_PRIORITY_DEFAULT, NULL,
                                               literal_told, &told);
    ck_assert (!told);
    while (!told)
        eddy_context_iteration (context, /* may_block= */ true);
    eddy_test_context_end (context);
}

/* --- services --------------------------------------------------------------------------------- */

EDDY_TEST_IN_FIBER (N19_a_service_has_the_addresses_of_its_targets)
{
    begin ();
    EDDY_AUTO (EddySocketConnectable)
    service = eddy_network_service_new ("service", "tcp", "example.test");
    EDDY_AUTO (EddySocketAddressEnumerator)
    enumerator = eddy_socket_connectable_enumerate (service);
    expect_next (enumerator, "192.0.2.1:16");
    expect_next (enumerator, "192.0.2.2:16");
    ck_assert_uint_eq (name_server_get_n_held (resolver.server), 0); /* not asked for yet */
    expect_next (enumerator, "192.0.2.1:22");
    name_server_release (resolver.server);
    end ();
}

EDDY_TEST_IN_FIBER (N19_a_service_that_is_nowhere)
{
    begin ();
    EDDY_AUTO (EddySocketConnectable)
    lost = eddy_network_service_new ("lost", "tcp", "example.test");
    EDDY_AUTO (EddySocketConnectable)
    none = eddy_network_service_new ("none", "tcp", "example.test");
    EDDY_AUTO (EddySocketAddressEnumerator) of_lost = eddy_socket_connectable_enumerate (lost);
    EDDY_AUTO (EddySocketAddressEnumerator) of_none = eddy_socket_connectable_enumerate (none);
    expect_failure (of_lost, EDDY_RESOLVER_ERROR, EDDY_RESOLVER_ERROR_NOT_FOUND, "missing.test");
    expect_failure (of_none, EDDY_RESOLVER_ERROR, EDDY_RESOLVER_ERROR_NOT_FOUND, "example.test");
    end ();
}

/* --- where and when --------------------------------------------------------------------------- */

EDDY_TEST_IN_FIBER (D_enumerator_has_one_asker_at_a_time)
{
    begin ();
    EDDY_AUTO (EddySocketAddressEnumerator) enumerator = enumerate ("late.test");
    EddyFuture *first =
        eddy_socket_address_enumerator_next_future (enumerator, EDDY_PRIORITY_DEFAULT, NULL);
    settle ();
    EddyError *error = NULL;
    ck_assert_ptr_null (eddy_socket_address_enumerator_next (enumerator, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_PENDING);
    while (name_server_get_n_held (resolver.server) < 2)
        settle ();
    name_server_release (resolver.server);
    ck_assert_ptr_nonnull (eddy_await (first, &error));
    eddy_unref (first);
    end ();
}

static void *ask_elsewhere (void *data, EddyError **error)
{
    EddyError *refusal = NULL;
    (void) error;
    ck_assert_ptr_null (eddy_socket_address_enumerator_next (data, NULL, &refusal));
    eddy_test_expect_error (&refusal, EDDY_IO_ERROR_INVALID_ARGUMENT);
    return NULL;
}

EDDY_TEST (D_enumerator_is_asked_in_its_own_context)
{
    EddyContext *home = eddy_test_context_begin ();
    EDDY_AUTO (EddySocketAddressEnumerator) enumerator = enumerate ("192.0.2.7");
    EddyContext *elsewhere = eddy_test_context_begin ();
    eddy_test_run_fiber (elsewhere, ask_elsewhere, enumerator);
    /* outside a fiber, its own one is run */
    expect_next (enumerator, "192.0.2.7:80");
    eddy_test_context_end (elsewhere);
    eddy_test_context_end (home);
}

/* Called in a plain thread, lookups go on from call to call. */
EDDY_TEST (D_enumerator_in_a_plain_thread)
{
    EddyContext *context = eddy_test_context_begin ();
    begin ();
    EDDY_AUTO (EddySocketAddressEnumerator) enumerator = enumerate ("late-six.test");
    expect_next (enumerator, "192.0.2.1:80");
    expect_next (enumerator, "192.0.2.2:80");
    expect_next (enumerator, "192.0.2.3:80");
    name_server_release (resolver.server);
    expect_next (enumerator, "[2001:db8::1]:80");
    expect_next (enumerator, NULL);
    end ();
    eddy_test_context_end (context);
}

EDDY_TEST_IN_FIBER (D_enumerator_that_is_dropped_ends_its_lookups)
{
    begin ();
    EddySocketAddressEnumerator *enumerator = enumerate ("late-six.test");
    expect_next (enumerator, "192.0.2.1:80");
    eddy_unref (enumerator);
    settle ();
    name_server_release (resolver.server);
    end ();
}

/* --- one host, many threads ------------------------------------------------------------------- */

enum { THREADS = 4, ROUNDS = 20 };

static void *enumerate_on_thread (void *data)
{
    EddyContext *context = eddy_test_context_begin ();
    for (int i = 0; i < ROUNDS; i++)
        enumerate_all (data, 4);
    eddy_test_context_end (context);
    return NULL;
}

EDDY_TEST (D_enumerator_of_one_host_on_many_threads)
{
    begin ();
    EDDY_AUTO (EddySocketConnectable) host = eddy_network_address_new ("more-four.test", 80);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq (pthread_create (&threads[i], NULL, enumerate_on_thread, host), 0);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq (pthread_join (threads[i], NULL), 0);
    end ();
}

/* --- cancelling ------------------------------------------------------------------------------- */

EDDY_TEST_IN_FIBER (D_enumerator_loses_nothing_by_a_cancel)
{
    begin ();
    EDDY_AUTO (EddySocketAddressEnumerator) enumerator = enumerate ("late.test");
    for (int i = 0; i < 3; i++) {
        EDDY_AUTO (EddyCancellable)
        cancellable = eddy_cancellable_new_with_timeout (NULL, i * 1000000);
        EddyError *error = NULL;
        ck_assert_ptr_null (eddy_socket_address_enumerator_next (enumerator, cancellable, &error));
        eddy_test_expect_error (&error, EDDY_IO_ERROR_TIMED_OUT);
    }
    while (name_server_get_n_held (resolver.server) < 2)
        settle ();
    name_server_release (resolver.server);
    expect_next (enumerator, "[2001:db8::1]:80");
    expect_next (enumerator, "192.0.2.1:80");
    expect_next (enumerator, NULL);
    ck_assert_uint_eq (name_server_get_n_asked (resolver.server), 2);
    end ();
}

typedef struct CancelRun {
    bool of_service;
    int n_addresses;
    bool ended;
} CancelRun;

static void count_addresses (CancelRun *run, EddySocketAddressEnumerator *enumerator,
                             EddyError **error)
{
    EddySocketAddress *address;
    while ((address = eddy_socket_address_enumerator_next (enumerator, NULL, error)) != NULL) {
        run->n_addresses++;
        eddy_unref (address);
    }
}

/* Goes through all addresses; where it is cancelled, on with it, shielded. */
static void *go_through (void *data, EddyError **error)
{
    CancelRun *run = data;
    EDDY_AUTO (EddySocketConnectable)
    connectable = run->of_service ? eddy_network_service_new ("cancel", "tcp", "example.test")
                                  : eddy_network_address_new ("more-four.test", 80);
    EDDY_AUTO (EddySocketAddressEnumerator)
    enumerator = eddy_socket_connectable_enumerate (connectable);
    EddyError *failure = NULL;
    run->n_addresses = 0;
    count_addresses (run, enumerator, &failure);
    if (failure != NULL)
        EDDY_SHIELD (-1)
    count_addresses (run, enumerator, NULL);
    run->ended = true;
    eddy_error_take (error, failure);
    return NULL;
}

static void check_run (void *data, bool cancelled, uint32_t point)
{
    CancelRun *run = data;
    ck_assert_msg (run->ended && run->n_addresses == 4, "%d addresses, cancelled %d at point %u",
                   run->n_addresses, cancelled, point);
    run->ended = false;
}

EDDY_TEST (D_enumerator_cancelled_everywhere)
{
    begin ();
    for (int of_service = 0; of_service < 2; of_service++) {
        EddyTestCancelReport report;
        CancelRun run = { .of_service = of_service != 0 };
        bool good = eddy_test_cancel_everywhere (go_through, &run, check_run, &report);
        ck_assert_msg (good, "%s", report.failure);
        ck_assert_uint_gt (report.cancelled, 0);
    }
    end ();
}
