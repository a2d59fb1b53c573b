/* SPDX-License-Identifier: MIT */
/* What resolvers make of the system's files, which only here are others than the system's. */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "../../conformance/resolver.h"
#include "base/alloc-private.h"
#include "net/resolver-channel-private.h"
#include "net/resolver-private.h"
#include "sys/fault-private.h"
#include "sys/resolve-private.h"

static const NameRecord records[] = {
    { "host.first.test", NAME_A, "192.0.2.1" },
    { "host.second.test", NAME_A, "192.0.2.2" },
    { "other.second.test", NAME_A, "192.0.2.3" },
    { "deep.down", NAME_A, "192.0.2.4" },
    { "deep.down.first.test", NAME_A, "192.0.2.5" },
    { "files.test", NAME_A, "192.0.2.6" },
    { "lost.test", NAME_TROUBLE, "lost" },
    { "lost.test", NAME_A, "192.0.2.7" },
    { "66.2.0.192.in-addr.arpa", NAME_PTR, "dns.test" },
    { "silent.test", NAME_TROUBLE, "silent" },
    { "cut.first.test", NAME_A, "192.0.2.8" },
    { "cut.first.test", NAME_TROUBLE, "truncated" },
    { "a.cut.first.test", NAME_A, "192.0.2.9" },
    { "a.cut.first.test", NAME_TROUBLE, "truncated" },
    { NULL, NAME_TROUBLE, NULL },
};

/* A resolver that takes these for the system's files. */
static ResolverTest begin_with_files (const char *resolv_conf, const char *nsswitch,
                                      const char *hosts)
{
    char text[512];
    ResolverTest test = { name_server_new (records), eddy_resolver_new () };
    ck_assert_ptr_nonnull (test.resolver);
    const char *colon = strchr (name_server_get_address (test.server), ':');
    snprintf (text, sizeof text, "nameserver 127.0.0.1\n%s", resolv_conf);
    resolver_write_hosts (eddy_test_path ("resolv.conf"), text);
    resolver_write_hosts (eddy_test_path ("nsswitch.conf"), nsswitch);
    resolver_write_hosts (eddy_test_path ("hosts"), hosts);
    ck_assert (eddy__resolver_set_files (test.resolver, eddy_test_path ("resolv.conf"),
                                         eddy_test_path ("nsswitch.conf"),
                                         (uint16_t) strtoul (colon + 1, NULL, 10)));
    ck_assert (eddy_resolver_set_hosts_file (test.resolver, eddy_test_path ("hosts")));
    return test;
}

#define IPV4 EDDY_RESOLVER_NAME_LOOKUP_FLAGS_IPV4_ONLY

/* --- resolv.conf ------------------------------------------------------------------------------ */

EDDY_TEST_IN_FIBER (resolver_search_list)
{
    ResolverTest test = begin_with_files ("search first.test second.test\n", "", "");
    resolver_expect (test.resolver, "host", IPV4, "192.0.2.1");
    resolver_expect (test.resolver, "other", IPV4, "192.0.2.3");
    resolver_expect (test.resolver, "deep.down", IPV4, "192.0.2.4");
    resolver_expect (test.resolver, "host.second.test", IPV4, "192.0.2.2");
    resolver_expect_failure (test.resolver, "host.", EDDY_RESOLVER_ERROR,
                             EDDY_RESOLVER_ERROR_NOT_FOUND);
    resolver_end (&test);
}

EDDY_TEST_IN_FIBER (resolver_dots_before_the_search_list)
{
    ResolverTest test = begin_with_files ("search first.test\noptions ndots:2\n", "", "");
    resolver_expect (test.resolver, "deep.down", IPV4, "192.0.2.5");
    resolver_expect (test.resolver, "deep.down.", IPV4, "192.0.2.4");
    resolver_end (&test);
}

EDDY_TEST_IN_FIBER (resolver_asks_again)
{
    ResolverTest test = begin_with_files ("options timeout:1 attempts:2\n", "", "");
    int64_t begun_ns = eddy_get_monotonic_time_ns ();
    resolver_expect (test.resolver, "lost.test", IPV4, "192.0.2.7");
    ck_assert_int_ge (eddy_get_monotonic_time_ns () - begun_ns, 900000000);
    ck_assert_int_lt (eddy_get_monotonic_time_ns () - begun_ns, 3000000000);
    resolver_end (&test);
}

/* A cut answer to a name of the search list. */
EDDY_TEST_IN_FIBER (resolver_cut_in_the_search_list)
{
    ResolverTest test = begin_with_files ("search first.test second.test\n", "", "");
    resolver_expect (test.resolver, "cut", IPV4, "192.0.2.8");
    resolver_expect (test.resolver, "A.Cut", IPV4, "192.0.2.9");
    resolver_expect (test.resolver, "a.cut", 0, "192.0.2.9");
    resolver_end (&test);
}

/* All attempts in vain: no name server could say. */
EDDY_TEST_IN_FIBER (resolver_gives_up)
{
    ResolverTest test = begin_with_files ("options timeout:1 attempts:1\n", "", "");
    resolver_expect_failure (test.resolver, "silent.test", EDDY_RESOLVER_ERROR,
                             EDDY_RESOLVER_ERROR_TEMPORARY_FAILURE);
    ck_assert_uint_eq (name_server_get_n_asked (test.server), 2); /* for each family */
    resolver_end (&test);
}

EDDY_TEST_IN_FIBER (resolver_changed_search_list)
{
    ResolverTest test = begin_with_files ("", "", "");
    for (int i = 0; i < 10; i++) {
        char text[64];
        snprintf (text, sizeof text, "nameserver 127.0.0.1\nsearch %s.test\n",
                  i % 2 == 0 ? "first" : "second");
        resolver_write_hosts (eddy_test_path ("resolv.conf"), text);
        resolver_expect (test.resolver, "host", IPV4, i % 2 == 0 ? "192.0.2.1" : "192.0.2.2");
    }
    resolver_end (&test);
}

/* --- nsswitch.conf ---------------------------------------------------------------------------- */

EDDY_TEST_IN_FIBER (resolver_order)
{
    static const char hosts[] = "192.0.2.66 files.test\n192.0.2.67 only.test\n";
    ResolverTest test =
        begin_with_files ("", "passwd: files\nhosts:\tfiles dns # dns files\n", hosts);
    resolver_expect (test.resolver, "files.test", IPV4, "192.0.2.66");
    resolver_write_hosts (eddy_test_path ("nsswitch.conf"), "hosts: dns files\n");
    resolver_expect (test.resolver, "files.test", IPV4, "192.0.2.6");
    resolver_expect (test.resolver, "only.test", IPV4, "192.0.2.67");
    resolver_write_hosts (eddy_test_path ("nsswitch.conf"), "hosts: files\n");
    resolver_expect (test.resolver, "files.test", IPV4, "192.0.2.66");
    resolver_expect_failure (test.resolver, "host.first.test", EDDY_RESOLVER_ERROR,
                             EDDY_RESOLVER_ERROR_NOT_FOUND);
    resolver_write_hosts (eddy_test_path ("nsswitch.conf"), "hosts: dns\n");
    resolver_expect (test.resolver, "files.test", IPV4, "192.0.2.6");
    resolver_expect_failure (test.resolver, "only.test", EDDY_RESOLVER_ERROR,
                             EDDY_RESOLVER_ERROR_NOT_FOUND);
    resolver_end (&test);
}

EDDY_TEST_IN_FIBER (resolver_order_for_addresses)
{
    ResolverTest test = begin_with_files ("", "hosts: files dns\n",
                                          "192.0.2.66 files.test\n192.0.2.67 only.test\n");
    resolver_expect_name (test.resolver, "192.0.2.66", "files.test");
    resolver_write_hosts (eddy_test_path ("nsswitch.conf"), "hosts: dns files\n");
    resolver_expect_name (test.resolver, "192.0.2.66", "dns.test");
    resolver_expect_name (test.resolver, "192.0.2.67", "only.test");
    resolver_write_hosts (eddy_test_path ("nsswitch.conf"), "hosts: files\n");
    resolver_expect_name (test.resolver, "192.0.2.66", "files.test");
    resolver_expect_no_name (test.resolver, "192.0.2.68", EDDY_RESOLVER_ERROR_NOT_FOUND);
    resolver_write_hosts (eddy_test_path ("nsswitch.conf"), "hosts: dns\n");
    resolver_expect_name (test.resolver, "192.0.2.66", "dns.test");
    resolver_expect_no_name (test.resolver, "192.0.2.67", EDDY_RESOLVER_ERROR_NOT_FOUND);
    resolver_end (&test);
}

/* Has the name servers be set while the hosts file is, as another thread may. */
static int set_servers_meanwhile (size_t size, void *data)
{
    const ResolverTest *test = data;
    const char *const servers[] = { name_server_get_address (test->server), NULL };
    (void) size;
    eddy__alloc_set_fault (NULL, NULL);
    ck_assert (eddy_resolver_set_servers (test->resolver, servers, NULL));
    return 0;
}

EDDY_TEST_IN_FIBER (resolver_settings_of_two_threads)
{
    ResolverTest test = begin_with_files ("", "hosts: files\n", "");
    resolver_write_hosts (eddy_test_path ("others"), "192.0.2.99 others.test\n");
    eddy__alloc_set_fault (set_servers_meanwhile, &test);
    ck_assert (eddy_resolver_set_hosts_file (test.resolver, eddy_test_path ("others")));
    resolver_expect (test.resolver, "others.test", IPV4, "192.0.2.99");
    resolver_expect (test.resolver, "files.test", IPV4, "192.0.2.6");
    resolver_end (&test);
}

typedef struct Decision {
    const char *hosts_line;
    const char *name;
    bool is_left;
    bool has_resolved; /* resolv.conf names systemd-resolved */
} Decision;

static const Decision decisions[] = {
    { "files dns", "a.test", false, false },
    { "files dns", "a.local", false, false },
    { "files mdns4_minimal [NOTFOUND=return] dns", "a.test", false, false },
    { "files mdns4_minimal [NOTFOUND=return] dns", "a.local", true, false },
    { "files mdns4_minimal [NOTFOUND=return] dns", "A.LOCAL.", true, false },
    { "files mdns4_minimal [NOTFOUND=return] dns", "alocal", false, false },
    { "files dns myhostname", "a.test", false, false },
    { "files dns myhostname", "_gateway", true, false },
    { "resolve [!UNAVAIL=return] files dns", "a.test", true, false },
    { "resolve [!UNAVAIL=return] files dns", "a.test", false, true },
    { "resolve [!UNAVAIL=return] files dns", "a", true, true },
    { "resolve [!UNAVAIL=return] files dns", "a.local", true, true },
    { "files dns mymachines", "a.test", true, false },
    { "files ldap dns", "a.test", true, false },
    { "files [NOTFOUND=return] dns", "a.test", true, false },
    { "files dns [ !UNAVAIL=return ] mdns", "a.test", true, false },
};

EDDY_TEST (resolver_what_is_left_to_the_system)
{
    for (size_t i = 0; i < sizeof decisions / sizeof *decisions; i++) {
        const Decision *decision = &decisions[i];
        char text[128];
        snprintf (text, sizeof text, "hosts: %s\n", decision->hosts_line);
        resolver_write_hosts (eddy_test_path ("nsswitch.conf"), text);
        resolver_write_hosts (eddy_test_path ("resolv.conf"), decision->has_resolved
                                                                  ? "nameserver 127.0.0.53\n"
                                                                  : "nameserver 192.0.2.1\n");
        EddyError *error = NULL;
        EDDY_AUTO (EddyNameSettings)
        settings =
            eddy__name_settings_new (eddy_test_path ("hosts"), eddy_test_path ("resolv.conf"),
                                     eddy_test_path ("nsswitch.conf"), NULL, 0);
        EDDY_AUTO (EddyNameConfig) config = eddy__name_config_new (settings, &error);
        ck_assert_ptr_nonnull (config);
        ck_assert_msg (eddy__name_config_leaves_name (config, decision->name) == decision->is_left,
                       "hosts: %s: %s", decision->hosts_line, decision->name);
    }
}

EDDY_TEST (resolver_own_name_is_left_to_the_system)
{
    char own[256];
    ck_assert_int_eq (eddy__sys_host_name (own, sizeof own), 0);
    resolver_write_hosts (eddy_test_path ("nsswitch.conf"), "hosts: files myhostname dns\n");
    EDDY_AUTO (EddyNameSettings)
    settings = eddy__name_settings_new ("/dev/null", "/dev/null", eddy_test_path ("nsswitch.conf"),
                                        NULL, 0);
    EDDY_AUTO (EddyNameConfig) config = eddy__name_config_new (settings, NULL);
    ck_assert (eddy__name_config_leaves_name (config, own));
}

/* --- the system's own lookup ------------------------------------------------------------------ */

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static atomic_int n_at_gate;

/* Lookups by the system wait until the gate is opened, and fail then. */
static int wait_at_gate (EddySysCall call, void *data)
{
    (void) data;
    if (call != EDDY_SYS_GETADDRINFO && call != EDDY_SYS_GETNAMEINFO)
        return 0;
    atomic_fetch_add (&n_at_gate, 1);
    pthread_mutex_lock (&gate);
    pthread_mutex_unlock (&gate);
    atomic_fetch_sub (&n_at_gate, 1);
    return -EIO;
}

static void *cancel_at_gate (void *data, EddyError **error)
{
    (void) error;
    while (atomic_load (&n_at_gate) == 0)
        eddy_fiber_sleep (1000000, NULL);
    eddy_cancellable_cancel (data);
    return NULL;
}

/* The call goes on, the lookup does not. */
EDDY_TEST_IN_FIBER (resolver_system_lookup_ends_at_once)
{
    ResolverTest test = begin_with_files ("", "hosts: other\n", "");
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    EDDY_AUTO (EddyInetAddress) address = eddy_inet_address_new_from_string ("192.0.2.1");
    EddyError *error = NULL;
    eddy__sys_set_fault (wait_at_gate, NULL);
    pthread_mutex_lock (&gate);
    EddyFuture *canceller = eddy_spawn (NULL, cancel_at_gate, cancellable, NULL);
    ck_assert_ptr_null (
        eddy_resolver_lookup_by_name (test.resolver, "a.test", cancellable, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    ck_assert (eddy_await_complete (canceller, NULL));
    eddy_unref (canceller);
    eddy_resolver_set_timeout (test.resolver, 20000000);
    resolver_expect_failure (test.resolver, "a.test", EDDY_IO_ERROR, EDDY_IO_ERROR_TIMED_OUT);
    ck_assert_ptr_null (eddy_resolver_lookup_by_address (test.resolver, address, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_TIMED_OUT);
    ck_assert_int_gt (atomic_load (&n_at_gate), 0);
    pthread_mutex_unlock (&gate);
    eddy_resolver_set_timeout (test.resolver, 0);
    resolver_expect_failure (test.resolver, "a.test", EDDY_IO_ERROR,
                             (int) eddy_io_error_from_errno (EIO));
    while (atomic_load (&n_at_gate) > 0)
        eddy_fiber_sleep (1000000, NULL);
    eddy__sys_set_fault (NULL, NULL);
    ck_assert_uint_eq (name_server_get_n_asked (test.server), 0);
    resolver_end (&test);
}

/* --- the hosts file --------------------------------------------------------------------------- */

enum { N_RANDOM_FILES = 300, N_RANDOM_LINES = 30, RANDOM_TEXT = 8192, RANDOM_FOUND = 1024 };

static unsigned draw (unsigned *seed, unsigned n)
{
    *seed = *seed * 1103515245U + 12345U;
    return (*seed >> 16) % n;
}

__attribute__ ((format (printf, 3, 4))) static void append (char *text, size_t size,
                                                            const char *format, ...)
{
    size_t length = strlen (text);
    va_list arguments;
    va_start (arguments, format);
    ck_assert_int_lt (vsnprintf (text + length, size - length, format, arguments),
                      (int) (size - length));
    va_end (arguments);
}

/* The naive way: line by line, for one name. */
static void find_in_text (const char *text, const char *name, char found[RANDOM_FOUND])
{
    char copy[RANDOM_TEXT], *line_rest, *word_rest;
    snprintf (copy, sizeof copy, "%s", text);
    *found = '\0';
    for (char *line = strtok_r (copy, "\n", &line_rest); line != NULL;
         line = strtok_r (NULL, "\n", &line_rest)) {
        char *comment = strchr (line, '#');
        if (comment != NULL)
            *comment = '\0';
        char *address = strtok_r (line, " \t\r", &word_rest);
        for (char *word = address == NULL ? NULL : strtok_r (NULL, " \t\r", &word_rest);
             word != NULL; word = strtok_r (NULL, " \t\r", &word_rest)) {
            char seen[64], all[RANDOM_FOUND + 2];
            snprintf (seen, sizeof seen, " %s ", address);
            snprintf (all, sizeof all, " %s ", found);
            if (strcasecmp (word, name) == 0 && strstr (all, seen) == NULL)
                append (found, RANDOM_FOUND, "%s%s", *found == '\0' ? "" : " ", address);
        }
    }
}

static void write_random_hosts (unsigned *seed, char text[RANDOM_TEXT])
{
    static const char *const ends[] = { "\n", "\r\n", " # a comment\n", "\t\n", "\n\n", "#x\n" };
    static const char *const names[] = { "a", "B", "c.test", "C.Test", "d-e", "a.b.c", "x" };
    unsigned n_lines = draw (seed, N_RANDOM_LINES);
    *text = '\0';
    for (unsigned i = 0; i < n_lines; i++) {
        append (text, RANDOM_TEXT, draw (seed, 4) == 0 ? "%s2001:db8::%u" : "%s192.0.2.%u",
                draw (seed, 5) == 0 ? " " : "", 1 + draw (seed, 9));
        for (unsigned j = draw (seed, 4); j > 0; j--)
            append (text, RANDOM_TEXT, "%s%s", draw (seed, 2) == 0 ? " " : "\t ",
                    names[draw (seed, sizeof names / sizeof *names)]);
        append (text, RANDOM_TEXT, "%s", ends[draw (seed, sizeof ends / sizeof *ends)]);
    }
}

EDDY_TEST (resolver_random_hosts_files)
{
    static const char *const asked[] = { "a", "b", "c.test", "D-E", "a.b.c", "x", "none" };
    unsigned seed = 1;
    for (int i = 0; i < N_RANDOM_FILES; i++) {
        char text[RANDOM_TEXT], expected[RANDOM_FOUND];
        write_random_hosts (&seed, text);
        EddyNameHosts *hosts = eddy__name_hosts_new (eddy__strdup (text), strlen (text));
        ck_assert_ptr_nonnull (hosts);
        for (size_t j = 0; j < sizeof asked / sizeof *asked; j++) {
            find_in_text (text, asked[j], expected);
            ck_assert_str_eq (
                resolver_list (eddy__name_hosts_find (hosts, asked[j], EDDY_SOCKET_FAMILY_INVALID)),
                expected);
        }
        eddy__name_hosts_free (hosts);
    }
}

/* Whatever bytes it has: nothing is read that is not its own. */
EDDY_TEST (resolver_hosts_file_of_any_bytes)
{
    static const char bytes[] = "0123456789abf:.%# \t\n\n\r\0x-";
    unsigned seed = 7;
    for (int i = 0; i < 2000; i++) {
        size_t length = draw (&seed, 200);
        char *text = eddy__alloc (length + 1);
        for (size_t j = 0; j < length; j++)
            text[j] = bytes[draw (&seed, sizeof bytes - 1)];
        text[length] = '\0';
        EddyNameHosts *hosts = eddy__name_hosts_new (text, length);
        ck_assert_ptr_nonnull (hosts);
        eddy_unref (eddy__name_hosts_find (hosts, "x", EDDY_SOCKET_FAMILY_INVALID));
        EDDY_AUTO (EddyInetAddress) address = eddy_inet_address_new_from_string ("::1");
        (void) eddy__name_hosts_find_address (hosts, address);
        eddy__name_hosts_free (hosts);
    }
}

/* --- names and targets ------------------------------------------------------------------------ */

EDDY_TEST (resolver_names)
{
    char longest[256] = "";
    for (int i = 0; i < 4; i++) {
        memset (longest + 64 * i, 'a', 63);
        longest[64 * i + 63] = '.';
    }
    longest[253] = '.';
    longest[254] = '\0';
    ck_assert (eddy__name_is_hostname (longest));
    longest[253] = 'a';
    ck_assert (!eddy__name_is_hostname (longest));
    ck_assert (eddy__name_is_hostname ("_a._tcp.x-1.test."));
    ck_assert (!eddy__name_is_hostname ("a.test.."));
    ck_assert (eddy__name_is_in ("a.local", "local"));
    ck_assert (eddy__name_is_in ("local", "local"));
    ck_assert (!eddy__name_is_in ("alocal", "local"));
    ck_assert (!eddy__name_is_in ("a.local.test", "local"));
}

EDDY_TEST (resolver_lists_have_a_limit)
{
    EDDY_AUTO (EddyInetAddressList) list = eddy__inet_address_list_new ();
    for (unsigned i = 0; i < 2000; i++) {
        const uint8_t bytes[] = { 192, 0, (uint8_t) (i / 2 >> 8), (uint8_t) (i / 2) };
        ck_assert (eddy__inet_address_list_add_bytes (list, EDDY_SOCKET_FAMILY_IPV4, bytes, 0));
    }
    ck_assert_uint_eq (eddy_inet_address_list_get_length (list), 512);
    EddyInetAddress *last = eddy_inet_address_list_get (list, 511);
    ck_assert_uint_eq (eddy_inet_address_to_bytes (last)[3], 255);
    ck_assert_ptr_null (eddy_inet_address_list_get (list, 512));
}

static uint32_t draw_all (uint32_t most, void *data)
{
    return *(unsigned *) data == 0 ? 0 : most;
}

/* With the least number drawn the first with weight 0 comes first, with the greatest the last. */
EDDY_TEST (resolver_targets_in_order)
{
    for (unsigned all = 0; all < 2; all++) {
        EDDY_AUTO (EddySrvTargetList) list = eddy__srv_target_list_new ();
        ck_assert (eddy__srv_target_list_add (list, "d", 4, 2, 1));
        ck_assert (eddy__srv_target_list_add (list, "b.", 2, 1, 5));
        ck_assert (eddy__srv_target_list_add (list, "c", 3, 1, 5));
        ck_assert (eddy__srv_target_list_add (list, "a", 1, 1, 0));
        eddy__srv_target_list_sort (list, draw_all, &all);
        char order[8] = "";
        for (size_t i = 0; i < 4; i++)
            order[i] = *eddy_srv_target_get_hostname (eddy_srv_target_list_get (list, i));
        ck_assert_str_eq (order, all == 0 ? "abcd" : "cbad");
    }
}
