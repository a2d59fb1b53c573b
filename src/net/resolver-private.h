/* SPDX-License-Identifier: MIT */
/* What the parts of the resolver share.
 *
 *   resolver.c          the object, and the order in which a lookup asks
 *   resolver-name.c     what is a name, and which names need no lookup
 *   resolver-config.c   what the system's files say, read again when they have changed
 *   resolver-hosts.c    the hosts file
 *   resolver-system.c   getaddrinfo(3), where nsswitch.conf names what is known to it alone
 *   resolver-query.c    one question to the name servers, and the fiber that waits
 *   resolver-channel.c  c-ares on a context's loop
 *   resolver-list.c     the answers */
#pragma once

#include <eddy/resolver.h>

#include "base/object-private.h"

struct sockaddr;

/* Has other files be read than the system's, and the name servers asked at another port; for tests.
 * False when memory is out. */
bool eddy__resolver_set_files (EddyResolver *resolver, const char *resolv_conf,
                               const char *nsswitch, uint16_t port);

/* --- lists ------------------------------------------------------------------------------------ */

/* An empty list with room for some; NULL when memory is out. */
EddyInetAddressList *eddy__inet_address_list_new (void);
/* Appends an address, of which the list takes a reference, unless it is there already or the list
 * is full. False when memory is out. Until the list is handed out. */
bool eddy__inet_address_list_add (EddyInetAddressList *list, EddyInetAddress *address);
/* The same of an address by its bytes. */
bool eddy__inet_address_list_add_bytes (EddyInetAddressList *list, EddySocketFamily family,
                                        const void *bytes, uint32_t scope_id);
/* The same as the system has it; other families than IPv4 and IPv6 are left out. */
bool eddy__inet_address_list_add_native (EddyInetAddressList *list, const struct sockaddr *native);

/* A list of no targets; NULL when memory is out. */
EddySrvTargetList *eddy__srv_target_list_new (void);
/* Appends a target; the end of `hostname` may be a ".". False when memory is out. */
bool eddy__srv_target_list_add (EddySrvTargetList *list, const char *hostname, uint16_t port,
                                uint16_t priority, uint16_t weight);
/* Puts the targets in an order in which they can be tried, as RFC 2782 has it; `draw` gives a
 * number from 0 to `most`. */
void eddy__srv_target_list_sort (EddySrvTargetList *list,
                                 uint32_t (*draw) (uint32_t most, void *data), void *data);

/* --- names (resolver-name.c) ------------------------------------------------------------------ */

/* Whether something can be the name of a host; its end may be a ".". */
bool eddy__name_is_hostname (const char *name);
/* The same of what a program asks for, with the error. */
bool eddy__name_check (const char *name, EddyError **error);
/* Whether it was to be an IPv4 address, though not in a form that is one here. */
bool eddy__name_is_numeric (const char *name);
/* "localhost", or below it. */
bool eddy__name_is_localhost (const char *name);
/* Whether it is below a domain, or is it. */
bool eddy__name_is_in (const char *name, const char *domain);

/* --- the hosts file (resolver-hosts.c) -------------------------------------------------------- */

typedef struct EddyNameHosts EddyNameHosts;

/* Makes a table of a hosts file, whose text it takes, also when memory is out: NULL. */
EddyNameHosts *eddy__name_hosts_new (char *text, size_t length);
void eddy__name_hosts_free (EddyNameHosts *hosts);
/* The addresses of a name, of a family or (INVALID) both: an empty list when there are none, NULL
 * when memory is out. */
EddyInetAddressList *eddy__name_hosts_find (const EddyNameHosts *hosts, const char *name,
                                            EddySocketFamily family);
/* The first name of an address, or NULL; the table's. */
const char *eddy__name_hosts_find_address (const EddyNameHosts *hosts,
                                           const EddyInetAddress *address);

/* --- the system's files (resolver-config.c) --------------------------------------------------- */

struct EddyNameServers;

/* Which files are read, and whom to ask. An object; immutable. */
typedef struct EddyNameSettings {
    EddyObject object;
    char *hosts;
    char *resolv_conf;
    char *nsswitch;
    char *servers; /* a comma between two; NULL: what resolv.conf says */
    uint16_t port; /* of those that resolv.conf names; 0: the usual one */
} EddyNameSettings;

/* What a file was like when it was read. */
typedef struct EddyNameStamp {
    uint64_t inode;
    uint64_t size;
    int64_t changed_ns; /* -1: there was none */
} EddyNameStamp;

/* What these files say. An object; immutable. */
typedef struct EddyNameConfig {
    EddyObject object;
    EddyNameSettings *settings;
    EddyNameStamp stamps[3];
    bool is_young; /* a file may have changed again without showing it */
    EddyNameHosts *hosts;
    struct EddyNameServers *servers;
    /* Of nsswitch.conf: */
    bool asks_hosts;
    bool asks_servers;
    bool servers_first;
    /* What getaddrinfo(3) is to be asked for: */
    bool system_for_all;
    bool system_for_local; /* below "local", addresses of a link */
    bool system_for_own;   /* the host's own name, names that begin with "_" */
    bool system_for_undotted;
} EddyNameConfig;

/* NULL when memory is out. */
EddyNameSettings *eddy__name_settings_new (const char *hosts, const char *resolv_conf,
                                           const char *nsswitch, const char *servers,
                                           uint16_t port);
/* Reads them. May block. NULL with the error. */
EddyNameConfig *eddy__name_config_new (EddyNameSettings *settings, EddyError **error);
/* Whether they say it still. */
bool eddy__name_config_is_current (const EddyNameConfig *config);
/* Whether a name or an address is to be looked up by the system. */
bool eddy__name_config_leaves_name (const EddyNameConfig *config, const char *name);
bool eddy__name_config_leaves_address (const EddyNameConfig *config,
                                       const EddyInetAddress *address);

/* --- the time limit (resolver.c) -------------------------------------------------------------- */

/* A cancellable that follows another one (NULL: none) until a deadline; NULL when memory is out. */
EddyCancellable *eddy__name_limit_new (int64_t deadline_ns, EddyCancellable *cancellable);
/* Tells which lookup it was that has come to its limit, in an error that says so. */
void eddy__name_limit_explain (EddyError **error, const char *what);

/* --- the system's own lookup (resolver-system.c) ---------------------------------------------- */

/* By getaddrinfo(3) and getnameinfo(3), on a worker. A cancel and the deadline (INT64_MAX: none)
 * end them at once; the call goes on, unheeded. In a fiber. */
EddyInetAddressList *eddy__name_system_find (const char *name, EddySocketFamily family,
                                             int64_t deadline_ns, EddyCancellable *cancellable,
                                             EddyError **error);
char *eddy__name_system_find_address (const EddyInetAddress *address, const char *what,
                                      int64_t deadline_ns, EddyCancellable *cancellable,
                                      EddyError **error);
