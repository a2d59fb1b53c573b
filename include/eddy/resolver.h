/* SPDX-License-Identifier: MIT */
/* EddyResolver: from names of hosts to their addresses, and back, and where services are. */
#ifndef EDDY_RESOLVER_H
#define EDDY_RESOLVER_H

#include <eddy/forms.h>
#include <eddy/inet-address.h>
#include <eddy/srv-target.h>

EDDY_BEGIN_DECLS

/** Looks names up: in the hosts file, and by asking name servers. An object, used from any thread;
 * lookups do not wait for each other.
 *
 * What the system says is kept to: the hosts file (hosts(5)), name servers, search list and options
 * (resolv.conf(5)), and the order of the two (nsswitch.conf(5)). A change of these files is noticed
 * by the next lookup. Name servers are asked on the caller's loop, without a thread. Only where
 * nsswitch.conf names a module that knows more than these files and the name servers do, the
 * system's own getaddrinfo(3) or getnameinfo(3) is called, on a worker: "mdns…" for names below
 * "local" and addresses of one link; "myhostname" for the host's own name and for names that begin
 * with "_"; "resolve" for these and for names without a dot, and for all names unless resolv.conf
 * has systemd-resolved for a name server, too; any other one for all names.
 *
 * A name is of ASCII characters: letters, digits, "-", "_" and, between its parts, "."; the domain
 * name of another script is to be given in its form that begins with "xn--". One that ends in "."
 * is not looked for in the domains of the search list. */
typedef struct EddyResolver EddyResolver;

/** Addresses, in the order in which they are to be tried, none twice, 512 at most. An object;
 * immutable. */
typedef struct EddyInetAddressList EddyInetAddressList;

/** The domain of what name servers say, or do not. */
#define EDDY_RESOLVER_ERROR "eddy-resolver-error"

/** Codes of EDDY_RESOLVER_ERROR. The numbers are GIO's. */
typedef enum EddyResolverErrorCode {
    /** There is no such name, or it has nothing of what was asked for. */
    EDDY_RESOLVER_ERROR_NOT_FOUND,
    /** No name server could say; a later lookup may go well. */
    EDDY_RESOLVER_ERROR_TEMPORARY_FAILURE,
    /** An answer made no sense, or something else went wrong. */
    EDDY_RESOLVER_ERROR_INTERNAL
} EddyResolverErrorCode;

/** Which addresses are looked up. The numbers are GIO's. */
typedef enum EddyResolverNameLookupFlags {
    EDDY_RESOLVER_NAME_LOOKUP_FLAGS_DEFAULT = 0,
    /** Of IPv4 only. */
    EDDY_RESOLVER_NAME_LOOKUP_FLAGS_IPV4_ONLY = 1 << 0,
    /** Of IPv6 only. */
    EDDY_RESOLVER_NAME_LOOKUP_FLAGS_IPV6_ONLY = 1 << 1
} EddyResolverNameLookupFlags;

/* --- resolvers -------------------------------------------------------------------------------- */

/** A new resolver that does as the system says; NULL when memory is out. Thread: any. Since: 0.1 */
EDDY_API EddyResolver *eddy_resolver_new (void) EDDY_MUST_USE;

/** The resolver that connecting to a host uses, with a new reference; NULL when memory is out.
 * Thread: any. Since: 0.1 */
EDDY_API EddyResolver *eddy_resolver_get_default (void) EDDY_MUST_USE;

/** Has @resolver be the default one from now on; NULL: a new one, when it is asked for.
 * Thread: any. Since: 0.1 */
EDDY_API void eddy_resolver_set_default (EddyResolver *resolver);

/**
 * Has these name servers be asked, instead of the system's. Lookups under way are not changed.
 *
 * Such a resolver never calls getaddrinfo(3): it looks into the hosts file first, and asks the name
 * servers then.
 *
 * @resolver: a resolver
 * @servers: name servers up to a NULL, "ADDRESS", "ADDRESS:PORT" or "[ADDRESS]:PORT"; NULL: the
 *     system's
 * @error: where to put the error
 *
 * Returns: whether it is so now
 * Errors: INVALID_ARGUMENT for a text that is no address; NO_MEMORY
 * Thread: any
 * Since: 0.1
 */
EDDY_API bool eddy_resolver_set_servers (EddyResolver *resolver, const char *const *servers,
                                         EddyError **error);

/**
 * Has this hosts file be looked into, instead of the system's.
 *
 * @resolver: a resolver
 * @path: a path, which is copied, of what hosts(5) describes; one where no file is has no names;
 *     NULL: the system's
 *
 * Returns: false when memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API bool eddy_resolver_set_hosts_file (EddyResolver *resolver, const char *path);

/** Sets how long a lookup may take at most, in nanoseconds from 0, before it fails with TIMED_OUT;
 * 30 s at first. 0: there is no limit but that of the name servers' own. Thread: any. Since: 0.1 */
EDDY_API void eddy_resolver_set_timeout (EddyResolver *resolver, int64_t timeout_ns);

/** What eddy_resolver_set_timeout() has set. Thread: any. Since: 0.1 */
EDDY_API int64_t eddy_resolver_get_timeout (EddyResolver *resolver);

/* --- lookups ---------------------------------------------------------------------------------- */

/**
 * Looks up the addresses of a host, of IPv4 and IPv6: when both are known. IPv6 comes first where
 * this host has a way there, IPv4 where not; those of a family are in the order of the answer.
 *
 * An address written out (as inet_pton(3) takes it, an IPv6 one also with a scope), "localhost" and
 * what ends in ".localhost" need no lookup: no name server is asked, whatever it would say. Other
 * forms of IPv4 addresses, "127.1" or "0x7f000001", are no names, and NOT_FOUND.
 *
 * A cancel ends the lookup at once, and so does the time limit; an answer that comes later is
 * dropped.
 *
 * @resolver: a resolver
 * @hostname: a name or an address
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: at least one address, or NULL
 * Errors: those of EDDY_RESOLVER_ERROR; TIMED_OUT; INVALID_ARGUMENT for what is no name; CANCELLED;
 *     NO_MEMORY
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (FIBER)
EddyInetAddressList *eddy_resolver_lookup_by_name (EddyResolver *resolver, const char *hostname,
                                                   EddyCancellable *cancellable, EddyError **error);

/**
 * The same with flags.
 *
 * @resolver: a resolver
 * @hostname: a name or an address
 * @flags: which addresses are wanted
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: at least one address, or NULL
 * Errors: those of eddy_resolver_lookup_by_name()
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (FIBER)
EddyInetAddressList *eddy_resolver_lookup_by_name_with_flags (EddyResolver *resolver,
                                                              const char *hostname,
                                                              EddyResolverNameLookupFlags flags,
                                                              EddyCancellable *cancellable,
                                                              EddyError **error);

/**
 * Looks up the name of the host that has an address.
 *
 * @resolver: a resolver
 * @address: an address
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: the name, to be freed with eddy_free(), or NULL
 * Errors: those of EDDY_RESOLVER_ERROR; TIMED_OUT; CANCELLED; NO_MEMORY
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (FIBER)
char *eddy_resolver_lookup_by_address (EddyResolver *resolver, EddyInetAddress *address,
                                       EddyCancellable *cancellable, EddyError **error);

/**
 * Looks up where a service is: the SRV records of "_SERVICE._PROTOCOL.DOMAIN".
 *
 * @resolver: a resolver
 * @service: its name, such as "xmpp-client"
 * @protocol: "tcp" or "udp"
 * @domain: the domain that offers it
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: at least one target, in the order in which they are to be tried (RFC 2782: by priority,
 *     and by chance with regard to weight); or NULL
 * Errors: NOT_FOUND of EDDY_RESOLVER_ERROR also where the domain says that it has no such service;
 *     those of eddy_resolver_lookup_by_name()
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (FIBER)
EddySrvTargetList *eddy_resolver_lookup_service (EddyResolver *resolver, const char *service,
                                                 const char *protocol, const char *domain,
                                                 EddyCancellable *cancellable, EddyError **error);

/* --- lists ------------------------------------------------------------------------------------ */

/** How many addresses there are. Thread: any. Since: 0.1 */
EDDY_API size_t eddy_inet_address_list_get_length (const EddyInetAddressList *list);

/** One of the addresses, owned by @list; NULL when @index is not below the length.
 * Thread: any. Since: 0.1 */
EDDY_API EddyInetAddress *eddy_inet_address_list_get (const EddyInetAddressList *list,
                                                      size_t index);

EDDY_END_DECLS

#include <eddy/resolver-forms.h>

#endif
