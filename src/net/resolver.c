/* SPDX-License-Identifier: MIT */
/* EddyResolver: what it is to do, and in which order a lookup asks. */
#include <eddy/resolver-bodies.h>

#include <eddy/blocking.h>
#include <eddy/mutex.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc-private.h"
#include "fiber/fiber-private.h"
#include "net/address-private.h"
#include "net/network-private.h"
#include "net/resolver-query-private.h"
#include "sys/random-private.h"

#define RESOLVER_HOSTS "/etc/hosts"
#define RESOLVER_RESOLV_CONF "/etc/resolv.conf"
#define RESOLVER_NSSWITCH "/etc/nsswitch.conf"

static const int64_t RESOLVER_TIMEOUT_NS = INT64_C (30000000000);
enum { RESOLVER_PORT = 53, RESOLVER_MOST_SERVER = 80, RESOLVER_MOST_SERVICE = 400 };

struct EddyResolver {
    EddyObject object;
    EddyLock lock; /* of what the next two point to */
    EddyNameSettings *settings;
    EddyNameConfig *config; /* NULL: nothing was read yet */
    EddyMutex *reading;     /* one at a time reads it anew */
    int64_t timeout_ns;     /* atomic */
    EddyNameChannels channels;
};

/* --- life ------------------------------------------------------------------------------------- */

static void resolver_finalize (void *object)
{
    EddyResolver *self = object;
    eddy__name_channels_clear (&self->channels);
    eddy_unref (self->settings);
    eddy_unref (self->config);
    eddy_unref (self->reading);
}

static const EddyClass resolver_class = { .name = "EddyResolver",
                                          .size = sizeof (EddyResolver),
                                          .finalize = resolver_finalize };

EddyResolver *eddy_resolver_new (void)
{
    EDDY_AUTO (EddyResolver) self = eddy_object_new (&resolver_class);
    if (self == NULL)
        return NULL;
    eddy__lock_init (&self->lock);
    eddy__name_channels_init (&self->channels);
    self->timeout_ns = RESOLVER_TIMEOUT_NS;
    self->reading = eddy_mutex_new ();
    self->settings =
        eddy__name_settings_new (RESOLVER_HOSTS, RESOLVER_RESOLV_CONF, RESOLVER_NSSWITCH,
                                 /* servers= */ NULL, /* port= */ 0);
    if (self->reading == NULL || self->settings == NULL)
        return NULL;
    eddy_mutex_set_name (self->reading, "the resolver's files");
    return EDDY_TAKE (self);
}

static EddyLock resolver_default_lock = EDDY__LOCK_INIT;
static EddyResolver *resolver_default;

EddyResolver *eddy_resolver_get_default (void)
{
    bool locked = eddy__lock (&resolver_default_lock);
    if (resolver_default == NULL)
        resolver_default = eddy_resolver_new ();
    EddyResolver *resolver = eddy_ref (resolver_default);
    eddy__unlock (&resolver_default_lock, locked);
    return resolver;
}

void eddy_resolver_set_default (EddyResolver *resolver)
{
    eddy_ref (resolver);
    bool locked = eddy__lock (&resolver_default_lock);
    EddyResolver *former = resolver_default;
    resolver_default = resolver;
    eddy__unlock (&resolver_default_lock, locked);
    eddy_unref (former);
}

/* --- settings --------------------------------------------------------------------------------- */

static EddyNameSettings *resolver_get_settings (EddyResolver *self)
{
    bool locked = eddy__lock (&self->lock);
    EddyNameSettings *settings = eddy_ref (self->settings);
    eddy__unlock (&self->lock, locked);
    return settings;
}

/* What is to be other than before. */
typedef struct ResolverChange {
    const char *hosts;       /* NULL: as it is … */
    const char *resolv_conf; /* … likewise, then the following two are, too */
    const char *nsswitch;
    uint16_t port;
    bool of_servers;
    const char *servers; /* of these; NULL: the system's */
} ResolverChange;

static EddyNameSettings *settings_make (const EddyNameSettings *former,
                                        const ResolverChange *change)
{
    bool of_files = change->resolv_conf != NULL;
    return eddy__name_settings_new (change->hosts != NULL ? change->hosts : former->hosts,
                                    of_files ? change->resolv_conf : former->resolv_conf,
                                    of_files ? change->nsswitch : former->nsswitch,
                                    change->of_servers ? change->servers : former->servers,
                                    of_files ? change->port : former->port);
}

/* Has settings be in force instead of the former ones, unless others have come between. */
static bool resolver_replace_settings (EddyResolver *self, const EddyNameSettings *former,
                                       EddyNameSettings *settings)
{
    bool locked = eddy__lock (&self->lock);
    bool is_latest = self->settings == former;
    if (is_latest)
        self->settings = settings;
    eddy__unlock (&self->lock, locked);
    return is_latest;
}

/* False when memory is out. What another thread changes meanwhile is kept. */
static bool resolver_change (EddyResolver *self, const ResolverChange *change)
{
    for (;;) {
        EDDY_AUTO (EddyNameSettings) former = resolver_get_settings (self);
        EddyNameSettings *settings = settings_make (former, change);
        if (settings == NULL)
            return false;
        bool is_latest = resolver_replace_settings (self, former, settings);
        eddy_unref (is_latest ? former : settings); /* the resolver's, or what is made anew */
        if (is_latest)
            return true;
    }
}

bool eddy_resolver_set_hosts_file (EddyResolver *resolver, const char *path)
{
    EDDY__EXPECT (resolver != NULL, false);
    return resolver_change (resolver,
                            &(ResolverChange){ .hosts = path != NULL ? path : RESOLVER_HOSTS });
}

bool eddy__resolver_set_files (EddyResolver *resolver, const char *resolv_conf,
                               const char *nsswitch, uint16_t port)
{
    return resolver_change (
        resolver,
        &(ResolverChange){ .resolv_conf = resolv_conf, .nsswitch = nsswitch, .port = port });
}

/* "ADDRESS", "ADDRESS:PORT" or "[ADDRESS]:PORT" as c-ares takes it; false: it is none of these. */
static bool server_write (const char *server, char *text, size_t size)
{
    EddyNetworkParts parts;
    uint32_t port = RESOLVER_PORT;
    char host[INET6_ADDRSTRLEN];
    if (!eddy__network_split ((EddyNetworkText){ server, strlen (server) }, &parts) ||
        !eddy__network_read_port (&parts, &port) || port == 0 || parts.host.length >= sizeof host)
        return false;
    memcpy (host, parts.host.at, parts.host.length);
    host[parts.host.length] = '\0';
    uint8_t bytes[EDDY__INET_ADDRESS_SIZE];
    uint32_t scope_id;
    EddySocketFamily family = eddy__inet_address_read (host, bytes, &scope_id);
    if (family == EDDY_SOCKET_FAMILY_INVALID || strchr (host, '%') != NULL)
        return false;
    snprintf (text, size, family == EDDY_SOCKET_FAMILY_IPV4 ? "%s:%u" : "[%s]:%u", host, port);
    return true;
}

/* The texts of servers, a comma between two; NULL with the error. */
static char *servers_join (const char *const *servers, EddyError **error)
{
    size_t n = 0, length = 0;
    while (servers[n] != NULL)
        n++;
    char *joined = eddy__alloc0 (n * RESOLVER_MOST_SERVER + 1);
    if (joined == NULL)
        eddy_error_set_errno (error, ENOMEM, "name servers");
    for (size_t i = 0; i < n && joined != NULL; i++) {
        if (i > 0)
            joined[length++] = ',';
        if (server_write (servers[i], joined + length, RESOLVER_MOST_SERVER)) {
            length += strlen (joined + length);
            continue;
        }
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_ARGUMENT,
                        "\"%.100s\" is no address of a name server", servers[i]);
        eddy__free (joined);
        joined = NULL;
    }
    return joined;
}

bool eddy_resolver_set_servers (EddyResolver *resolver, const char *const *servers,
                                EddyError **error)
{
    EDDY__EXPECT (resolver != NULL && (servers == NULL || servers[0] != NULL), false);
    char *joined = servers == NULL ? NULL : servers_join (servers, error);
    if (joined == NULL && servers != NULL)
        return false;
    bool done =
        resolver_change (resolver, &(ResolverChange){ .of_servers = true, .servers = joined });
    eddy__free (joined);
    if (!done)
        eddy_error_set_errno (error, ENOMEM, "name servers");
    return done;
}

void eddy_resolver_set_timeout (EddyResolver *resolver, int64_t timeout_ns)
{
    EDDY__EXPECT (resolver != NULL && timeout_ns >= 0);
    __atomic_store_n (&resolver->timeout_ns, timeout_ns, __ATOMIC_RELAXED);
}

int64_t eddy_resolver_get_timeout (EddyResolver *resolver)
{
    EDDY__EXPECT (resolver != NULL, 0);
    return __atomic_load_n (&resolver->timeout_ns, __ATOMIC_RELAXED);
}

/* --- the time limit --------------------------------------------------------------------------- */

static int64_t resolver_get_deadline (EddyResolver *self)
{
    int64_t timeout_ns = eddy_resolver_get_timeout (self), deadline_ns;
    if (timeout_ns == 0 ||
        __builtin_add_overflow (eddy_get_monotonic_time_ns (), timeout_ns, &deadline_ns))
        return INT64_MAX;
    return deadline_ns;
}

EddyCancellable *eddy__name_limit_new (int64_t deadline_ns, EddyCancellable *cancellable)
{
    int64_t left_ns = INT64_MAX;
    if (deadline_ns != INT64_MAX)
        left_ns = deadline_ns - eddy_get_monotonic_time_ns ();
    return eddy_cancellable_new_with_timeout (cancellable, left_ns > 0 ? left_ns : 0);
}

void eddy__name_limit_explain (EddyError **error, const char *what)
{
    if (eddy_error_matches (*error, EDDY_IO_ERROR, EDDY_IO_ERROR_TIMED_OUT))
        eddy_error_prefix (error, "lookup of %s: ", what);
}

/* --- what the files say ----------------------------------------------------------------------- */

/* What was read last, if it still holds. */
static EddyNameConfig *resolver_find_config (EddyResolver *self)
{
    bool locked = eddy__lock (&self->lock);
    EddyNameConfig *config = NULL;
    if (self->config != NULL && self->config->settings == self->settings)
        config = eddy_ref (self->config);
    eddy__unlock (&self->lock, locked);
    if (config != NULL && !eddy__name_config_is_current (config))
        eddy_clear (&config);
    return config;
}

static void *resolver_read_config (void *data, EddyCancellable *cancellable, EddyError **error)
{
    (void) cancellable;
    EDDY_AUTO (EddyNameSettings) settings = resolver_get_settings (data);
    return eddy__name_config_new (settings, error);
}

/* Reads the files, unless somebody else has done so meanwhile. */
static EddyNameConfig *resolver_renew_config (EddyResolver *self, EddyCancellable *limit,
                                              EddyError **error)
{
    if (!eddy_mutex_lock (self->reading, limit, error))
        return NULL;
    EddyNameConfig *config = resolver_find_config (self), *former = NULL;
    if (config == NULL)
        config = eddy_run_blocking (resolver_read_config, self, NULL, limit, error);
    if (config != NULL) {
        bool locked = eddy__lock (&self->lock);
        former = self->config;
        self->config = eddy_ref (config);
        eddy__unlock (&self->lock, locked);
    }
    eddy_mutex_unlock (self->reading);
    eddy_unref (former);
    return config;
}

/* With a reference; NULL with the error. */
static EddyNameConfig *resolver_get_config (EddyResolver *self, const char *what,
                                            int64_t deadline_ns, EddyCancellable *cancellable,
                                            EddyError **error)
{
    EddyNameConfig *config = resolver_find_config (self);
    if (config != NULL)
        return config;
    EDDY_AUTO (EddyCancellable) limit = eddy__name_limit_new (deadline_ns, cancellable);
    EddyError *failure = NULL;
    if (limit == NULL)
        failure = eddy_error_new_errno (ENOMEM, "lookup of %s", what);
    else
        config = resolver_renew_config (self, limit, &failure);
    eddy__name_limit_explain (&failure, what);
    eddy_error_take (error, failure);
    return config;
}

/* --- names ------------------------------------------------------------------------------------ */

/* One lookup, of a name or of an address. */
typedef struct Lookup {
    EddyResolver *resolver;
    const char *name; /* or the address as text */
    const EddyInetAddress *address;
    EddySocketFamily family; /* of a name's addresses; INVALID: both */
    int64_t deadline_ns;
    EddyCancellable *cancellable;
} Lookup;

static void lookup_set_not_found (const char *what, const char *why, EddyError **error)
{
    eddy_error_set (error, EDDY_RESOLVER_ERROR, EDDY_RESOLVER_ERROR_NOT_FOUND, "lookup of %s: %s",
                    what, why);
}

/* Of another family than is asked for it is left out. False when memory is out. */
static bool lookup_add (const Lookup *self, EddyInetAddressList *list, EddySocketFamily family,
                        const void *bytes, uint32_t scope_id)
{
    return (self->family != EDDY_SOCKET_FAMILY_INVALID && self->family != family) ||
           eddy__inet_address_list_add_bytes (list, family, bytes, scope_id);
}

static bool lookup_add_loopback (const Lookup *self, EddyInetAddressList *list)
{
    static const uint8_t ipv4[] = { 127, 0, 0, 1 };
    return lookup_add (self, list, EDDY_SOCKET_FAMILY_IPV6, &in6addr_loopback, 0) &&
           lookup_add (self, list, EDDY_SOCKET_FAMILY_IPV4, ipv4, 0);
}

/* What is known without any lookup: NULL without an error when the name needs one. */
static EddyInetAddressList *lookup_known (const Lookup *self, EddyError **error)
{
    uint8_t bytes[EDDY__INET_ADDRESS_SIZE];
    uint32_t scope_id;
    EddySocketFamily family = eddy__inet_address_read (self->name, bytes, &scope_id);
    bool is_address = family != EDDY_SOCKET_FAMILY_INVALID;
    if (!is_address && !eddy__name_is_localhost (self->name)) {
        if (eddy__name_is_numeric (self->name))
            lookup_set_not_found (self->name, "no such form of an address is taken", error);
        return NULL;
    }
    EDDY_AUTO (EddyInetAddressList) list = eddy__inet_address_list_new ();
    if (list == NULL || !(is_address ? lookup_add (self, list, family, bytes, scope_id)
                                     : lookup_add_loopback (self, list))) {
        eddy_error_set_errno (error, ENOMEM, "lookup of %s", self->name);
        return NULL;
    }
    if (eddy_inet_address_list_get_length (list) > 0)
        return EDDY_TAKE (list);
    lookup_set_not_found (self->name, "it is an address of another family", error);
    return NULL;
}

/* NULL without an error when the hosts file has nothing. */
static void *lookup_in_hosts (const Lookup *self, const EddyNameConfig *config, EddyError **error)
{
    EDDY_AUTO (EddyInetAddressList)
    list = eddy__name_hosts_find (config->hosts, self->name, self->family);
    if (list == NULL)
        eddy_error_set_errno (error, ENOMEM, "lookup of %s", self->name);
    else if (eddy_inet_address_list_get_length (list) > 0)
        return EDDY_TAKE (list);
    return NULL;
}

static void *lookup_by_servers (const Lookup *self, const EddyNameConfig *config, EddyError **error)
{
    EddyNameQuery query = { .kind = EDDY_NAME_QUERY_ADDRESSES,
                            .what = self->name,
                            .name = self->name,
                            .family = self->family,
                            .deadline_ns = self->deadline_ns,
                            .cancellable = self->cancellable };
    return eddy__name_query (&query, &self->resolver->channels, config->servers, error);
}

typedef void *LookupAsk (const Lookup *self, const EddyNameConfig *config, EddyError **error);

/* In the order of nsswitch.conf: who comes second is asked when the first does not know. */
static void *lookup_ask (const Lookup *self, const EddyNameConfig *config, LookupAsk *in_hosts,
                         LookupAsk *by_servers, EddyError **error)
{
    EddyError *failure = NULL;
    void *answer = NULL;
    if (config->asks_hosts && !config->servers_first)
        answer = in_hosts (self, config, &failure);
    if (answer == NULL && failure == NULL && config->asks_servers)
        answer = by_servers (self, config, &failure);
    bool does_not_know =
        failure == NULL || strcmp (eddy_error_get_domain (failure), EDDY_RESOLVER_ERROR) == 0;
    if (answer == NULL && does_not_know && config->asks_hosts && config->servers_first)
        answer = in_hosts (self, config, NULL);
    if (answer != NULL) {
        eddy_clear_error (&failure);
        return answer;
    }
    if (failure == NULL)
        lookup_set_not_found (self->name, "nobody who is asked knows it", &failure);
    eddy_error_take (error, failure);
    return NULL;
}

EddyInetAddressList *eddy_resolver_lookup_by_name_with_flags_body (
    EddyResolver *resolver, const char *hostname, EddyResolverNameLookupFlags flags,
    EddyCancellable *cancellable, EddyError **error)
{
    const unsigned both =
        EDDY_RESOLVER_NAME_LOOKUP_FLAGS_IPV4_ONLY | EDDY_RESOLVER_NAME_LOOKUP_FLAGS_IPV6_ONLY;
    EDDY__EXPECT (resolver != NULL && hostname != NULL, NULL);
    EDDY__EXPECT (((unsigned) flags & both) != both && ((unsigned) flags & ~both) == 0, NULL);
    if (!eddy__may_go_on (cancellable, error))
        return NULL;
    Lookup self = { .resolver = resolver,
                    .name = hostname,
                    .deadline_ns = resolver_get_deadline (resolver),
                    .cancellable = cancellable };
    if (flags == EDDY_RESOLVER_NAME_LOOKUP_FLAGS_IPV4_ONLY)
        self.family = EDDY_SOCKET_FAMILY_IPV4;
    else if (flags == EDDY_RESOLVER_NAME_LOOKUP_FLAGS_IPV6_ONLY)
        self.family = EDDY_SOCKET_FAMILY_IPV6;
    EddyError *failure = NULL;
    EddyInetAddressList *known = lookup_known (&self, &failure);
    if (known != NULL || failure != NULL) {
        eddy_error_take (error, failure);
        return known;
    }
    if (!eddy__name_check (hostname, error))
        return NULL;
    EDDY_AUTO (EddyNameConfig)
    config = resolver_get_config (resolver, hostname, self.deadline_ns, cancellable, error);
    if (config == NULL)
        return NULL;
    if (eddy__name_config_leaves_name (config, hostname))
        return eddy__name_system_find (hostname, self.family, self.deadline_ns, cancellable, error);
    return lookup_ask (&self, config, lookup_in_hosts, lookup_by_servers, error);
}

EddyInetAddressList *eddy_resolver_lookup_by_name_body (EddyResolver *resolver,
                                                        const char *hostname,
                                                        EddyCancellable *cancellable,
                                                        EddyError **error)
{
    return eddy_resolver_lookup_by_name_with_flags_body (
        resolver, hostname, EDDY_RESOLVER_NAME_LOOKUP_FLAGS_DEFAULT, cancellable, error);
}

/* --- addresses -------------------------------------------------------------------------------- */

/* NULL without an error when the hosts file has nothing. */
static void *address_in_hosts (const Lookup *self, const EddyNameConfig *config, EddyError **error)
{
    const char *name = eddy__name_hosts_find_address (config->hosts, self->address);
    char *copy = name == NULL ? NULL : eddy__strdup (name);
    if (name != NULL && copy == NULL)
        eddy_error_set_errno (error, ENOMEM, "lookup of %s", self->name);
    return copy;
}

enum { ARPA_SIZE = 80 };

/* The name under which name servers have the name of an address: its bytes, or the halves of them,
 * from the last to the first. */
static void address_write_arpa (const EddyInetAddress *address, char arpa[ARPA_SIZE])
{
    const uint8_t *bytes = eddy_inet_address_to_bytes (address);
    size_t size = eddy_inet_address_get_native_size (address), length = 0;
    bool is_ipv4 = eddy_inet_address_get_family (address) == EDDY_SOCKET_FAMILY_IPV4;
    for (size_t i = size; i-- > 0;)
        length += (size_t) (is_ipv4 ? snprintf (arpa + length, ARPA_SIZE - length, "%u.", bytes[i])
                                    : snprintf (arpa + length, ARPA_SIZE - length, "%x.%x.",
                                                bytes[i] & 0xfU, bytes[i] >> 4U));
    snprintf (arpa + length, ARPA_SIZE - length, "%s", is_ipv4 ? "in-addr.arpa" : "ip6.arpa");
}

static void *address_by_servers (const Lookup *self, const EddyNameConfig *config,
                                 EddyError **error)
{
    char arpa[ARPA_SIZE];
    address_write_arpa (self->address, arpa);
    EddyNameQuery query = { .kind = EDDY_NAME_QUERY_HOST,
                            .what = self->name,
                            .name = arpa,
                            .deadline_ns = self->deadline_ns,
                            .cancellable = self->cancellable };
    return eddy__name_query (&query, &self->resolver->channels, config->servers, error);
}

static char *address_look_up (const Lookup *self, EddyError **error)
{
    EDDY_AUTO (EddyNameConfig)
    config = resolver_get_config (self->resolver, self->name, self->deadline_ns, self->cancellable,
                                  error);
    if (config == NULL)
        return NULL;
    if (eddy__name_config_leaves_address (config, self->address))
        return eddy__name_system_find_address (self->address, self->name, self->deadline_ns,
                                               self->cancellable, error);
    return lookup_ask (self, config, address_in_hosts, address_by_servers, error);
}

char *eddy_resolver_lookup_by_address_body (EddyResolver *resolver, EddyInetAddress *address,
                                            EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (resolver != NULL && address != NULL, NULL);
    if (!eddy__may_go_on (cancellable, error))
        return NULL;
    char *what = eddy_inet_address_to_string (address);
    if (what == NULL) {
        eddy_error_set_errno (error, ENOMEM, "lookup of an address");
        return NULL;
    }
    const Lookup self = { .resolver = resolver,
                          .name = what,
                          .address = address,
                          .deadline_ns = resolver_get_deadline (resolver),
                          .cancellable = cancellable };
    char *name = address_look_up (&self, error);
    eddy__free (what);
    return name;
}

/* --- services --------------------------------------------------------------------------------- */

static uint32_t service_draw (uint32_t most, void *data)
{
    (void) data;
    uint32_t drawn = 0;
    (void) eddy__sys_random (&drawn, sizeof drawn);
    return (uint32_t) (drawn % ((uint64_t) most + 1));
}

EddySrvTargetList *eddy_resolver_lookup_service_body (EddyResolver *resolver, const char *service,
                                                      const char *protocol, const char *domain,
                                                      EddyCancellable *cancellable,
                                                      EddyError **error)
{
    EDDY__EXPECT (resolver != NULL && service != NULL && protocol != NULL && domain != NULL, NULL);
    char name[RESOLVER_MOST_SERVICE];
    /* What does not fit is too long for a name, too. */
    (void) snprintf (name, sizeof name, "_%s._%s.%s", service, protocol, domain);
    if (!eddy__may_go_on (cancellable, error) || !eddy__name_check (name, error))
        return NULL;
    int64_t deadline_ns = resolver_get_deadline (resolver);
    EDDY_AUTO (EddyNameConfig)
    config = resolver_get_config (resolver, name, deadline_ns, cancellable, error);
    if (config == NULL)
        return NULL;
    EddyNameQuery query = { .kind = EDDY_NAME_QUERY_TARGETS,
                            .what = name,
                            .name = name,
                            .deadline_ns = deadline_ns,
                            .cancellable = cancellable };
    EddySrvTargetList *list =
        eddy__name_query (&query, &resolver->channels, config->servers, error);
    if (list != NULL)
        eddy__srv_target_list_sort (list, service_draw, NULL);
    return list;
}
