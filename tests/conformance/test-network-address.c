/* SPDX-License-Identifier: MIT */
/*
 * Hosts and ports as people and URIs write them.
 */
#include <stdio.h>
#include <unistd.h>

#include "context.h"

enum { DEFAULT_PORT = 1234 };

/* What a text is read as. */
typedef struct Expected {
    const char *text;
    const char *hostname; /* NULL: it is refused */
    int port;
} Expected;

typedef EddySocketConnectable *(*ParseFunc) (const char *text, uint16_t default_port,
                                             EddyError **error);

static void check_parse (ParseFunc parse, const Expected *expected)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddySocketConnectable) read = parse (expected->text, DEFAULT_PORT, &error);
    if (expected->hostname == NULL) {
        ck_assert_msg (read == NULL, "'%s' was read", expected->text);
        ck_assert_msg (strstr (eddy_error_get_message (error), expected->text) != NULL,
                       "'%s' is not named: %s", expected->text, eddy_error_get_message (error));
        eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
        return;
    }
    ck_assert_msg (read != NULL, "'%s' was not read", expected->text);
    const EddyNetworkAddress *address = EDDY_NETWORK_ADDRESS (read);
    ck_assert_str_eq (eddy_network_address_get_hostname (address), expected->hostname);
    ck_assert_int_eq (eddy_network_address_get_port (address), expected->port);
}

EDDY_TEST (N20_hosts_and_ports_are_read)
{
    static const Expected cases[] = {
        { "www.example.org", "www.example.org", DEFAULT_PORT },
        { "www.example.org.", "www.example.org.", DEFAULT_PORT },
        { "www.example.org:80", "www.example.org", 80 },
        { "a_b-c:0", "a_b-c", 0 },
        { "host:65535", "host", 65535 },
        { "host:00080", "host", 80 },
        { "192.0.2.1", "192.0.2.1", DEFAULT_PORT },
        { "192.0.2.1:80", "192.0.2.1", 80 },
        { "2001:db8::1", "2001:db8::1", DEFAULT_PORT },
        { "::1", "::1", DEFAULT_PORT },
        { "[2001:db8::1]", "2001:db8::1", DEFAULT_PORT },
        { "[2001:db8::1]:888", "2001:db8::1", 888 },
        { "[fe80::1%lo]:888", "fe80::1%lo", 888 },
        { "fe80::1%7", "fe80::1%7", DEFAULT_PORT },
        { "xn--bcher-kva.example:80", "xn--bcher-kva.example", 80 },
        { "127.1", "127.1", DEFAULT_PORT }, /* a name, which a lookup will not find */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_parse (eddy_network_address_parse, &cases[i]);
}

EDDY_TEST (N20_what_is_no_host_and_port_is_refused)
{
    static const char *const texts[] = { "",
                                         ":",
                                         ":80",
                                         "host:",
                                         "host:-1",
                                         "host:+80",
                                         "host: 80",
                                         "host:80 ",
                                         "host:65536",
                                         "host:80x",
                                         "host:http",
                                         "host:99999999999999",
                                         "host:80:90",
                                         "[host]",
                                         "[host",
                                         "[::1",
                                         "[hos]t",
                                         "[::1]x",
                                         "[::1]:",
                                         "[::1]:x",
                                         "[::1]80",
                                         "[192.0.2.1]",
                                         "[]",
                                         "[]:80",
                                         "::1]",
                                         "1::2::3",
                                         "ho st",
                                         "host/",
                                         "user@host",
                                         "b\xc3\xbc\x63her.example",
                                         "host%1",
                                         "ho\nst",
                                         "[::1%no-such-interface]",
                                         "::g:1" };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        check_parse (eddy_network_address_parse, &(Expected){ texts[i], NULL, 0 });
}

EDDY_TEST (N20_uris_are_read)
{
    static const Expected cases[] = {
        { "http://www.example.org:2020/start", "www.example.org", 2020 },
        { "http://www.example.org", "www.example.org", DEFAULT_PORT },
        { "http://www.example.org:/", "www.example.org", DEFAULT_PORT },
        { "ftp://joe~:(*)%46@ftp.example.org:2020/start", "ftp.example.org", 2020 },
        { "ftp://a@b@host/", "host", DEFAULT_PORT },
        { "ftp://[fec0::abcd]/start", "fec0::abcd", DEFAULT_PORT },
        { "ftp://[fec0::abcd]:999/start", "fec0::abcd", 999 },
        { "ftp://u@[fec0::abcd]:/start", "fec0::abcd", DEFAULT_PORT },
        { "http://[fe80::abcd%25lo]/start", "fe80::abcd%lo", DEFAULT_PORT },
        { "http://[fe80::abcd%lo]/start", "fe80::abcd%lo", DEFAULT_PORT },
        { "http://[fe80::abcd%2510]:99", "fe80::abcd%10", 99 },
        { "http://[fe80::abcd%10]:99", "fe80::abcd%10", 99 },
        { "http://ex%61mple.org/", "example.org", DEFAULT_PORT },
        { "http://host?a:1@b", "host", DEFAULT_PORT },
        { "http://host#a:1@b", "host", DEFAULT_PORT },
        { "A1+-.://192.0.2.1:7", "192.0.2.1", 7 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_parse (eddy_network_address_parse_uri, &cases[i]);
    EDDY_AUTO (EddySocketConnectable)
    read = eddy_network_address_parse_uri ("HtTpS://host", 443, NULL);
    ck_assert_str_eq (eddy_network_address_get_scheme (EDDY_NETWORK_ADDRESS (read)), "https");
    EDDY_AUTO (EddySocketConnectable) no_uri = eddy_network_address_new ("host", 1);
    ck_assert_ptr_null (eddy_network_address_get_scheme (EDDY_NETWORK_ADDRESS (no_uri)));
}

EDDY_TEST (N20_what_is_no_uri_with_a_host_is_refused)
{
    static const char *const texts[] = {
        "",
        "host",
        "host:80",
        "mailto:a@b",
        "http:/host",
        "http:host",
        "://host",
        "1http://host",
        "ht tp://host",
        "http://",
        "http:///path",
        "http://:80",
        "http://user@",
        "http://user@:80",
        "http://host:80x",
        "http://host:65536",
        "http://host:-1",
        "http://ho st/",
        "http://ho%20st/",
        "http://ho%00st/",
        "http://ho%st/",
        "http://ho%4",
        "ftp://joe%x-@ftp.example.org:2020/start",
        "ftp://joe @ftp.example.org/",
        "http://fec0::abcd/",
        "http://[fec0::abcd/",
        "http://[fec0::abcd]x/",
        "http://[fec0::abcd%25]/",
        "http://[host]/",
        "http://b\xc3\xbc\x63her.example/",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        check_parse (eddy_network_address_parse_uri, &(Expected){ texts[i], NULL, 0 });
}

/* Whatever is read is read again from what it prints, and what is refused is told. */
EDDY_TEST (N20_random_texts_are_read_or_refused)
{
    static const char alphabet[] = "ab1.:[]%/@-2 0";
    unsigned seed = (unsigned) getpid ();
    long n_read = 0;
    long n = eddy_test_reduced (50000, 10000, "texts");
    for (long i = 0; i < n; i++) {
        char text[24] = "x://";
        size_t begin = i % 2 == 0 ? 0 : 4; /* every other one is nearly a URI */
        size_t length = begin + (size_t) rand_r (&seed) % (sizeof text - 1 - begin);
        for (size_t at = begin; at < length; at++)
            text[at] = alphabet[(size_t) rand_r (&seed) % (sizeof alphabet - 1)];
        text[length] = '\0';
        ParseFunc parse = begin == 0 ? eddy_network_address_parse : eddy_network_address_parse_uri;
        EddyError *error = NULL;
        EDDY_AUTO (EddySocketConnectable) read = parse (text, DEFAULT_PORT, &error);
        if (read == NULL) {
            eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_ARGUMENT);
            continue;
        }
        n_read++;
        EDDY_AUTO_FREE (char) printed = eddy_socket_connectable_to_string (read);
        const EddyNetworkAddress *address = EDDY_NETWORK_ADDRESS (read);
        check_parse (eddy_network_address_parse,
                     &(Expected){ printed, eddy_network_address_get_hostname (address),
                                  eddy_network_address_get_port (address) });
    }
    ck_assert_int_gt (n_read, n / 100);
}

EDDY_TEST (N20_hosts_and_services_are_printed)
{
    EDDY_AUTO (EddySocketConnectable) host = eddy_network_address_new ("example.org", 80);
    EDDY_AUTO (EddySocketConnectable) literal = eddy_network_address_new ("fe80::1%2", 80);
    EDDY_AUTO (EddySocketConnectable) loopback = eddy_network_address_new_loopback (0);
    EDDY_AUTO (EddySocketConnectable)
    service = eddy_network_service_new ("xmpp-client", "tcp", "example.org");
    EddySocketConnectable *connectables[] = { host, literal, loopback, service };
    static const char *const printed[] = { "example.org:80", "[fe80::1%2]:80", "localhost:0",
                                           "_xmpp-client._tcp.example.org" };
    for (int i = 0; i < 4; i++) {
        EDDY_AUTO_FREE (char) text = eddy_socket_connectable_to_string (connectables[i]);
        ck_assert_str_eq (text, printed[i]);
    }
    EddyNetworkService *self = EDDY_NETWORK_SERVICE (service);
    ck_assert_str_eq (eddy_network_service_get_service (self), "xmpp-client");
    ck_assert_str_eq (eddy_network_service_get_protocol (self), "tcp");
    ck_assert_str_eq (eddy_network_service_get_domain (self), "example.org");
    ck_assert_str_eq (eddy_network_service_get_scheme (self), "xmpp-client");
    ck_assert (eddy_network_service_set_scheme (self, "xmpp"));
    ck_assert_str_eq (eddy_network_service_get_scheme (self), "xmpp");
}
