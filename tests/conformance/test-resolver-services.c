/* SPDX-License-Identifier: MIT */
/* Lookups by address and of services, in every form and from many threads, of many at once. */
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "resolver.h"

static const NameRecord records[] = {
    { "four.test", NAME_A, "192.0.2.4" },
    { "4.2.0.192.in-addr.arpa", NAME_PTR, "four.test" },
    { "5.2.0.192.in-addr.arpa", NAME_PTR, "not a name.test" },
    { "7.2.0.192.in-addr.arpa", NAME_TROUBLE, "servfail" },
    { "8.2.0.192.in-addr.arpa", NAME_TROUBLE, "malformed" },
    { "8.2.0.192.in-addr.arpa", NAME_PTR, "eight.test" },
    { "6.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", NAME_PTR,
      "six.test" },
    { "_talk._tcp.test", NAME_SRV, "20 0 5222 last.test" },
    { "_talk._tcp.test", NAME_SRV, "10 0 5222 never-first.test" },
    { "_talk._tcp.test", NAME_SRV, "10 60000 5222 first.test" },
    { "_talk._tcp.test", NAME_SRV, "10 60000 5223 first.test" },
    { "_none._tcp.test", NAME_SRV, "0 0 0 ." },
    { "_bad._tcp.test", NAME_SRV, "0 0 80 bad.test" },
    { "_bad._tcp.test", NAME_TROUBLE, "malformed" },
    { "silent.test", NAME_TROUBLE, "silent" },
    { NULL, NAME_TROUBLE, NULL },
};

#define IPV4 EDDY_RESOLVER_NAME_LOOKUP_FLAGS_IPV4_ONLY

/* --- addresses -------------------------------------------------------------------------------- */

EDDY_TEST_IN_FIBER (D_resolver_finds_names_of_addresses)
{
    ResolverTest test = resolver_begin (records);
    resolver_expect_name (test.resolver, "192.0.2.4", "four.test");
    resolver_expect_name (test.resolver, "2001:db8::6", "six.test");
    resolver_expect_no_name (test.resolver, "192.0.2.99", EDDY_RESOLVER_ERROR_NOT_FOUND);
    resolver_expect_no_name (test.resolver, "192.0.2.5", EDDY_RESOLVER_ERROR_INTERNAL);
    resolver_expect_no_name (test.resolver, "192.0.2.7", EDDY_RESOLVER_ERROR_TEMPORARY_FAILURE);
    resolver_expect_no_name (test.resolver, "192.0.2.8", EDDY_RESOLVER_ERROR_INTERNAL);
    unsigned n_asked = name_server_get_n_asked (test.server);
    const char *path = eddy_test_path ("hosts");
    resolver_write_hosts (path, "192.0.2.4 first.test second.test\n192.0.2.4 third.test\n");
    ck_assert (eddy_resolver_set_hosts_file (test.resolver, path));
    resolver_expect_name (test.resolver, "192.0.2.4", "first.test");
    ck_assert_uint_eq (name_server_get_n_asked (test.server), n_asked);
    resolver_end (&test);
}

/* --- services --------------------------------------------------------------------------------- */

static EddySrvTargetList *look_up_service (EddyResolver *resolver, const char *service,
                                           EddyError **error)
{
    return eddy_resolver_lookup_service (resolver, service, "tcp", "test", NULL, error);
}

EDDY_TEST_IN_FIBER (N19_targets_are_sorted_by_priority_and_weight)
{
    ResolverTest test = resolver_begin (records);
    unsigned n_second = 0;
    for (int i = 0; i < 64; i++) {
        EddyError *error = NULL;
        EddySrvTargetList *list = look_up_service (test.resolver, "talk", &error);
        ck_assert_msg (list != NULL, "%s", eddy_error_get_message (error));
        ck_assert_uint_eq (eddy_srv_target_list_get_length (list), 4);
        EddySrvTarget *first = eddy_srv_target_list_get (list, 0);
        EddySrvTarget *last = eddy_srv_target_list_get (list, 3);
        ck_assert_ptr_null (eddy_srv_target_list_get (list, 4));
        ck_assert_str_eq (eddy_srv_target_get_hostname (last), "last.test");
        ck_assert_uint_eq (eddy_srv_target_get_priority (last), 20);
        ck_assert_uint_eq (eddy_srv_target_get_weight (last), 0);
        ck_assert_uint_eq (eddy_srv_target_get_port (last), 5222);
        ck_assert_uint_eq (eddy_srv_target_get_priority (first), 10);
        n_second += eddy_srv_target_get_port (first) == 5223;
        eddy_unref (list);
    }
    ck_assert_uint_gt (n_second, 8); /* 32 are to be expected: 8 would be six deviations off */
    ck_assert_uint_lt (n_second, 56);
    resolver_end (&test);
}

EDDY_TEST_IN_FIBER (N19_services_that_are_not_offered_are_not_found)
{
    ResolverTest test = resolver_begin (records);
    EddyError *error = NULL;
    ck_assert_ptr_null (look_up_service (test.resolver, "none", &error));
    resolver_expect_error (&error, EDDY_RESOLVER_ERROR, EDDY_RESOLVER_ERROR_NOT_FOUND,
                           "_none._tcp.test");
    ck_assert_ptr_null (look_up_service (test.resolver, "other", &error));
    resolver_expect_error (&error, EDDY_RESOLVER_ERROR, EDDY_RESOLVER_ERROR_NOT_FOUND,
                           "_other._tcp.test");
    ck_assert_ptr_null (look_up_service (test.resolver, "a b", &error));
    resolver_expect_error (&error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_ARGUMENT, "a b");
    resolver_end (&test);
}

EDDY_TEST_IN_FIBER (N19_truncated_service_records_are_refused)
{
    ResolverTest test = resolver_begin (records);
    EddyError *error = NULL;
    ck_assert_ptr_null (look_up_service (test.resolver, "bad", &error));
    resolver_expect_error (&error, EDDY_RESOLVER_ERROR, EDDY_RESOLVER_ERROR_INTERNAL, "_bad");
    resolver_end (&test);
}

/* --- forms ------------------------------------------------------------------------------------ */

typedef struct Callbacks {
    unsigned n_called;
    char *name;
    EddySrvTargetList *targets;
    EddyInetAddressList *addresses;
} Callbacks;

static void name_found (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Callbacks *callbacks = user_data;
    callbacks->n_called++;
    callbacks->name = eddy_resolver_lookup_by_address_finish (source_object, result, NULL);
}

static void targets_found (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Callbacks *callbacks = user_data;
    callbacks->n_called++;
    callbacks->targets = eddy_resolver_lookup_service_finish (source_object, result, NULL);
}

static void addresses_found (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Callbacks *callbacks = user_data;
    callbacks->n_called++;
    callbacks->addresses =
        eddy_resolver_lookup_by_name_with_flags_finish (source_object, result, NULL);
}

EDDY_TEST (D_resolver_by_callback)
{
    EddyContext *context = eddy_test_context_begin ();
    ResolverTest test = resolver_begin (records);
    EDDY_AUTO (EddyInetAddress) address = eddy_inet_address_new_from_string ("192.0.2.4");
    Callbacks callbacks = { .n_called = 0 };
    eddy_resolver_lookup_by_address_async (test.resolver, address, EDDY_PRIORITY_DEFAULT, NULL,
                                           name_found, &callbacks);
    eddy_resolver_lookup_service_async (test.resolver, "talk", "tcp", "test", EDDY_PRIORITY_DEFAULT,
                                        NULL, targets_found, &callbacks);
    eddy_resolver_lookup_by_name_with_flags_async (
        test.resolver, "four.test", IPV4, EDDY_PRIORITY_DEFAULT, NULL, addresses_found, &callbacks);
    while (callbacks.n_called < 3)
        eddy_context_iteration (context, true);
    ck_assert_str_eq (callbacks.name, "four.test");
    ck_assert_uint_eq (eddy_srv_target_list_get_length (callbacks.targets), 4);
    ck_assert_uint_eq (eddy_inet_address_list_get_length (callbacks.addresses), 1);
    eddy_free (callbacks.name);
    eddy_unref (callbacks.targets);
    eddy_unref (callbacks.addresses);
    resolver_end (&test);
    eddy_test_context_end (context);
}

EDDY_TEST_IN_FIBER (D_resolver_by_futures)
{
    ResolverTest test = resolver_begin (records);
    EDDY_AUTO (EddyInetAddress) address = eddy_inet_address_new_from_string ("192.0.2.4");
    EddyFuture *addresses = eddy_resolver_lookup_by_name_with_flags_future (
        test.resolver, "four.test", IPV4, EDDY_PRIORITY_DEFAULT, NULL);
    EddyFuture *name = eddy_resolver_lookup_by_address_future (test.resolver, address,
                                                               EDDY_PRIORITY_DEFAULT, NULL);
    ck_assert_str_eq (eddy_await (name, NULL), "four.test");
    ck_assert_uint_eq (eddy_inet_address_list_get_length (eddy_await (addresses, NULL)), 1);
    eddy_unref (addresses);
    eddy_unref (name);
    resolver_end (&test);
}

/* Whoever lets go of a future has its lookup ended, and nobody is told. */
EDDY_TEST_IN_FIBER (D_resolver_futures_are_let_go_of)
{
    ResolverTest test = resolver_begin (records);
    EddyFuture *kept = eddy_resolver_lookup_service_future (test.resolver, "talk", "tcp", "test",
                                                            EDDY_PRIORITY_DEFAULT, NULL);
    for (int i = 0; i < 10; i++)
        eddy_unref (eddy_resolver_lookup_by_name_future (test.resolver, "silent.test",
                                                         EDDY_PRIORITY_DEFAULT, NULL));
    EddySrvTargetList *list = eddy_await (kept, NULL);
    ck_assert_uint_eq (eddy_srv_target_list_get_length (list), 4);
    eddy_unref (kept);
    resolver_end (&test);
}

/* --- threads ---------------------------------------------------------------------------------- */

enum { N_THREADS = 4, N_LOOKUPS = 50 };

/* Plain threads wait, without a loop of their own. */
static void *look_up_in_thread (void *data)
{
    ResolverTest *test = data;
    for (int i = 0; i < N_LOOKUPS; i++) {
        EddyInetAddressList *list =
            eddy_resolver_lookup_by_name_with_flags (test->resolver, "four.test", IPV4, NULL, NULL);
        ck_assert_ptr_nonnull (list);
        ck_assert_uint_eq (eddy_inet_address_to_bytes (eddy_inet_address_list_get (list, 0))[3], 4);
        eddy_unref (list);
    }
    return NULL;
}

EDDY_TEST (D_resolver_from_many_threads)
{
    ResolverTest test = resolver_begin (records);
    pthread_t threads[N_THREADS];
    for (int i = 0; i < N_THREADS; i++)
        ck_assert_int_eq (pthread_create (&threads[i], NULL, look_up_in_thread, &test), 0);
    const char *path = eddy_test_path ("hosts");
    for (int i = 0; i < 20; i++) { /* meanwhile its settings change */
        ck_assert (eddy_resolver_set_hosts_file (test.resolver, path));
        usleep (1000);
    }
    for (int i = 0; i < N_THREADS; i++)
        ck_assert_int_eq (pthread_join (threads[i], NULL), 0);
    ck_assert_uint_eq (name_server_get_n_asked (test.server), N_THREADS * N_LOOKUPS);
    resolver_end (&test);
}

/* --- many ------------------------------------------------------------------------------------- */

static size_t count_fds (void)
{
    DIR *folder = opendir ("/proc/self/fd");
    size_t n = 0;
    ck_assert_ptr_nonnull (folder);
    while (readdir (folder) != NULL)
        n++;
    closedir (folder);
    return n;
}

static void *look_up_silent (void *data, EddyError **error)
{
    EddyResolver *resolver = data;
    EddyError *failure = NULL;
    (void) error;
    ck_assert_ptr_null (
        eddy_resolver_lookup_by_name_with_flags (resolver, "silent.test", IPV4, NULL, &failure));
    ck_assert (eddy_error_is_cancelled (failure) ||
               eddy_error_matches (failure, EDDY_IO_ERROR, EDDY_IO_ERROR_TIMED_OUT));
    eddy_unref (failure);
    return NULL;
}

static int64_t measure_read (void)
{
    int64_t begun_ns = eddy_get_monotonic_time_ns ();
    EDDY_AUTO (EddyFile) file = eddy_file_new_for_path ("/etc/passwd");
    EDDY_AUTO (EddyBytes) bytes = eddy_file_load_contents (file, NULL, NULL);
    ck_assert_ptr_nonnull (bytes);
    return eddy_get_monotonic_time_ns () - begun_ns;
}

static int compare_times (const void *one, const void *other)
{
    int64_t a = *(const int64_t *) one, b = *(const int64_t *) other;
    return (a > b) - (a < b);
}

enum { N_READS = 201, N_SILENT = 10000, N_SILENT_SMALL = 1000 };

static int64_t measure_reads (void)
{
    int64_t times[N_READS];
    for (int i = 0; i < N_READS; i++)
        times[i] = measure_read ();
    qsort (times, N_READS, sizeof *times, compare_times);
    return times[N_READS / 2];
}

/* Lookups without an answer take few sockets, no thread and none of the loop's time, and a cancel
 * ends them all. */
EDDY_TEST_IN_FIBER (D_resolver_black_holes_leave_the_rest_alone)
{
    ResolverTest test = resolver_begin (records);
    const unsigned n = eddy_test_sanitized () ? N_SILENT_SMALL : N_SILENT;
    (void) measure_reads ();
    int64_t before_ns = measure_reads ();
    size_t n_fds = count_fds ();
    EDDY_AUTO (EddyGroup) group = eddy_group_new ();
    for (unsigned i = 0; i < n; i++)
        ck_assert (eddy_group_spawn (group, look_up_silent, test.resolver, NULL, NULL));
    while (name_server_get_n_asked (test.server) < n)
        eddy_fiber_sleep (1000000, NULL);
    ck_assert_uint_le (count_fds () - n_fds, n / 128 + 8);
    int64_t meanwhile_ns = measure_reads ();
    ck_assert_msg (meanwhile_ns < 2 * before_ns + 100000, "%lld us before, %lld us meanwhile",
                   (long long) before_ns / 1000, (long long) meanwhile_ns / 1000);
    eddy_group_cancel (group);
    (void) eddy_group_wait (group, NULL);
    ck_assert_uint_eq (count_fds (), n_fds);
    resolver_end (&test);
}

/* --- resolvers -------------------------------------------------------------------------------- */

EDDY_TEST_IN_FIBER (D_resolver_default_one_can_be_replaced)
{
    ResolverTest test = resolver_begin (records);
    EddyResolver *former = eddy_resolver_get_default ();
    ck_assert_ptr_nonnull (former);
    ck_assert_ptr_eq (eddy_unref (eddy_resolver_get_default ()), NULL);
    eddy_resolver_set_default (test.resolver);
    EddyResolver *now = eddy_resolver_get_default ();
    ck_assert_ptr_eq (now, test.resolver);
    eddy_unref (now);
    eddy_resolver_set_default (NULL);
    now = eddy_resolver_get_default ();
    ck_assert_ptr_ne (now, test.resolver);
    resolver_expect (now, "localhost", IPV4, "127.0.0.1");
    eddy_unref (now);
    eddy_unref (former);
    eddy_resolver_set_default (NULL);
    resolver_end (&test);
}

EDDY_TEST_IN_FIBER (D_resolver_servers_are_addresses)
{
    static const char *const good[] = { "192.0.2.1", "192.0.2.1:5353", "2001:db8::1",
                                        "[2001:db8::1]", "[2001:db8::1]:65535" };
    static const char *const bad[] = { "",
                                       "name.test",
                                       "192.0.2.1:",
                                       "192.0.2.1:0",
                                       "192.0.2.1:65536",
                                       "192.0.2.1:5x",
                                       "[2001:db8::1",
                                       "[2001:db8::1]5",
                                       "[192.0.2.1",
                                       "192.0.2.1,192.0.2.2",
                                       "fe80::1%1",
                                       "fe80::1%0",
                                       "::1:::" };
    EDDY_AUTO (EddyResolver) resolver = eddy_resolver_new ();
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        const char *const servers[] = { good[i], "192.0.2.9", NULL };
        ck_assert_msg (eddy_resolver_set_servers (resolver, servers, NULL), "%s", good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *const servers[] = { "192.0.2.9", bad[i], NULL };
        EddyError *error = NULL;
        ck_assert_msg (!eddy_resolver_set_servers (resolver, servers, &error), "%s", bad[i]);
        resolver_expect_error (&error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_ARGUMENT, bad[i]);
    }
    ck_assert (eddy_resolver_set_servers (resolver, NULL, NULL));
    eddy_resolver_set_timeout (resolver, 0);
    ck_assert_int_eq (eddy_resolver_get_timeout (resolver), 0);
}
