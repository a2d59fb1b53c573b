/* SPDX-License-Identifier: MIT */
/* Resolvers beside others: dnsmasq as the name server, getaddrinfo(3) for the same hosts file. */
#include <fcntl.h>
#include <netdb.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "resolver.h"

#define IPV4 EDDY_RESOLVER_NAME_LOOKUP_FLAGS_IPV4_ONLY
#define IPV6 EDDY_RESOLVER_NAME_LOOKUP_FLAGS_IPV6_ONLY

/* --- dnsmasq ---------------------------------------------------------------------------------- */

static const char *find_dnsmasq (void)
{
    static const char *const places[] = { "/usr/sbin/dnsmasq", "/usr/bin/dnsmasq" };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (access (places[i], X_OK) == 0)
            return places[i];
    return NULL;
}

/* Addresses of one name: more than a message by UDP has room for. */
enum { N_MANY = 40 };

static pid_t start_dnsmasq (const char *program, const char *port_option)
{
    pid_t pid = fork ();
    ck_assert_int_ge (pid, 0);
    if (pid > 0)
        return pid;
    int nowhere = open ("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; fd++)
        dup2 (nowhere, fd);
    const char *argv[32 + N_MANY] = { "dnsmasq",
                                      "--no-daemon",
                                      "--conf-file=/dev/null",
                                      "--no-resolv",
                                      "--no-hosts",
                                      "--bind-interfaces",
                                      "--listen-address=127.0.0.1",
                                      "--user=",
                                      "--pid-file=",
                                      port_option,
                                      "--local=/test/",
                                      "--host-record=both.test,192.0.2.1,2001:db8::1",
                                      "--host-record=four.test,192.0.2.4",
                                      "--cname=alias.test,four.test",
                                      "--srv-host=_talk._tcp.test,first.test,5222,10,1",
                                      "--srv-host=_talk._tcp.test,last.test,5223,20,1" };
    static char many[N_MANY][48];
    size_t n = 0;
    while (argv[n] != NULL)
        n++;
    for (int i = 0; i < N_MANY; i++) {
        snprintf (many[i], sizeof many[i], "--host-record=many.test,192.0.2.%d", 100 + i);
        argv[n++] = many[i];
    }
    execv (program, (char *const *) (uintptr_t) argv);
    _exit (127);
}

/* A port that was free a moment ago, with UDP and TCP. */
static unsigned find_port (void)
{
    static const NameRecord none[] = { { NULL, NAME_TROUBLE, NULL } };
    NameServer *server = name_server_new (none);
    unsigned port =
        (unsigned) strtoul (strchr (name_server_get_address (server), ':') + 1, NULL, 10);
    name_server_free (server);
    return port;
}

/* Asks until it listens. */
static void wait_for_dnsmasq (EddyResolver *resolver, pid_t pid)
{
    for (;;) {
        EddyError *error = NULL;
        EddyInetAddressList *list =
            eddy_resolver_lookup_by_name_with_flags (resolver, "four.test", IPV4, NULL, &error);
        eddy_unref (list);
        eddy_unref (error);
        if (list != NULL)
            return;
        ck_assert_msg (waitpid (pid, NULL, WNOHANG) == 0, "dnsmasq has ended");
        eddy_fiber_sleep (10000000, NULL);
    }
}

static void ask_dnsmasq (EddyResolver *resolver)
{
    resolver_expect (resolver, "both.test", IPV4, "192.0.2.1");
    resolver_expect (resolver, "both.test", IPV6, "2001:db8::1");
    resolver_expect (resolver, "alias.test", 0, "192.0.2.4");
    resolver_expect_failure (resolver, "no.test", EDDY_RESOLVER_ERROR,
                             EDDY_RESOLVER_ERROR_NOT_FOUND);
    EDDY_AUTO (EddyInetAddressList)
    many = eddy_resolver_lookup_by_name_with_flags (resolver, "many.test", IPV4, NULL, NULL);
    ck_assert_uint_eq (eddy_inet_address_list_get_length (many), N_MANY);
    EDDY_AUTO (EddyInetAddress) address = eddy_inet_address_new_from_string ("2001:db8::1");
    char *name = eddy_resolver_lookup_by_address (resolver, address, NULL, NULL);
    ck_assert_str_eq (name, "both.test");
    eddy_free (name);
    EDDY_AUTO (EddySrvTargetList)
    list = eddy_resolver_lookup_service (resolver, "talk", "tcp", "test", NULL, NULL);
    ck_assert_uint_eq (eddy_srv_target_list_get_length (list), 2);
    EddySrvTarget *first = eddy_srv_target_list_get (list, 0);
    ck_assert_str_eq (eddy_srv_target_get_hostname (first), "first.test");
    ck_assert_uint_eq (eddy_srv_target_get_port (first), 5222);
}

EDDY_TEST_IN_FIBER (D_resolver_asks_dnsmasq)
{
    const char *program = find_dnsmasq ();
    if (program == NULL)
        EDDY_TEST_SKIP ("dnsmasq is not installed");
    char port_option[32], server[32];
    unsigned port = find_port ();
    snprintf (port_option, sizeof port_option, "--port=%u", port);
    snprintf (server, sizeof server, "127.0.0.1:%u", port);
    pid_t pid = start_dnsmasq (program, port_option);
    EDDY_AUTO (EddyResolver) resolver = eddy_resolver_new ();
    const char *const servers[] = { server, NULL };
    ck_assert (eddy_resolver_set_servers (resolver, servers, NULL));
    ck_assert (eddy_resolver_set_hosts_file (resolver, "/dev/null"));
    wait_for_dnsmasq (resolver, pid);
    ask_dnsmasq (resolver);
    kill (pid, SIGKILL);
    ck_assert_int_eq (waitpid (pid, NULL, 0), pid);
}

/* --- getaddrinfo ------------------------------------------------------------------------------ */

static void write_file (const char *path, const char *text)
{
    int fd = open (path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write (fd, text, strlen (text)) < 0)
        fprintf (stderr, "%s: %m\n", path);
    if (fd >= 0)
        close (fd);
}

/* Puts other files in the place of the system's, for this process alone. */
static bool replace_files (const char *hosts, const char *nsswitch)
{
    uid_t uid = getuid ();
    char map[64];
    if (unshare (uid == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER) < 0)
        return false;
    if (uid != 0) {
        snprintf (map, sizeof map, "0 %u 1", uid);
        write_file ("/proc/self/uid_map", map);
    }
    return mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount (hosts, "/etc/hosts", NULL, MS_BIND, NULL) == 0 &&
           mount (nsswitch, "/etc/nsswitch.conf", NULL, MS_BIND, NULL) == 0;
}

static bool has_address (const struct addrinfo *found, const EddyInetAddress *address)
{
    for (; found != NULL; found = found->ai_next) {
        EDDY_AUTO (EddySocketAddress)
        other = eddy_socket_address_new_from_native (found->ai_addr, found->ai_addrlen);
        if (eddy_inet_address_equal (
                eddy_inet_socket_address_get_address (EDDY_INET_SOCKET_ADDRESS (other)), address))
            return true;
    }
    return false;
}

/* Both find the same addresses, or both none. */
static void compare_lookups (EddyResolver *resolver, const char *name, unsigned flags)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
    hints.ai_family = flags == 0 ? AF_UNSPEC : flags == IPV4 ? AF_INET : AF_INET6;
    bool has_found = getaddrinfo (name, NULL, &hints, &found) == 0;
    EDDY_AUTO (EddyInetAddressList)
    list = eddy_resolver_lookup_by_name_with_flags (
        resolver, name, (EddyResolverNameLookupFlags) flags, NULL, NULL);
    ck_assert_msg (has_found == (list != NULL), "%s with %u: %s by getaddrinfo only", name, flags,
                   has_found ? "found" : "not found");
    size_t n = 0, n_listed = list == NULL ? 0 : eddy_inet_address_list_get_length (list);
    for (const struct addrinfo *address = found; address != NULL; address = address->ai_next)
        n++;
    for (size_t i = 0; i < n_listed; i++)
        ck_assert_msg (has_address (found, eddy_inet_address_list_get (list, i)), "%s with %u: %zu",
                       name, flags, i);
    ck_assert_uint_le (n_listed, n); /* it may tell one twice */
    if (found != NULL)
        freeaddrinfo (found);
}

EDDY_TEST_IN_FIBER (D_resolver_finds_in_hosts_what_getaddrinfo_finds)
{
    static const char *const names[] = { "one.test", "ONE.test", "two.test", "three.test",
                                         "four",     "six.test", "none",     "five.test",
                                         "tab.test", "cr.test" };
    const char *hosts = eddy_test_path ("hosts"), *nsswitch = eddy_test_path ("nsswitch.conf");
    resolver_write_hosts (hosts, "192.0.2.1 one.test two.test\n"
                                 "192.0.2.2 two.test #three.test\n"
                                 "# 192.0.2.3 three.test\n"
                                 "   192.0.2.4 four FIVE.test\n"
                                 "2001:db8::6 six.test two.test\n"
                                 "\t192.0.2.7\ttab.test\t\n"
                                 "192.0.2.300 three.test\n"
                                 "192.0.2.8\n"
                                 "\n"
                                 "192.0.2.2 two.test\n"
                                 "192.0.2.9 none.test five.test");
    resolver_write_hosts (nsswitch, "hosts: files\n");
    if (!replace_files (hosts, nsswitch))
        EDDY_TEST_SKIP ("no mount namespace can be made here");
    EDDY_AUTO (EddyResolver) resolver = eddy_resolver_new ();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        compare_lookups (resolver, names[i], 0);
        compare_lookups (resolver, names[i], IPV4);
        compare_lookups (resolver, names[i], IPV6);
    }
}
