/* SPDX-License-Identifier: MIT */
/* The addresses of a host.
 *
 * Both families are looked up at the same time, by lookups that go on between two calls, and end
 * with the enumerator. The first address waits a little for IPv6 when IPv4 has come first; from
 * then on the families take turns with what they have by then. */
#include <eddy/combinators.h>
#include <eddy/inet-socket-address.h>
#include <eddy/select.h>
#include <errno.h>

#include "base/object-private.h"
#include "net/address-private.h"
#include "net/enumerator-private.h"
#include "net/network-private.h"
#include "net/resolver-private.h"
#include "sys/clock-private.h"

enum {
    /* How long IPv4 waits for IPv6: the "resolution delay" of RFC 8305, section 3. */
    NETWORK_RESOLUTION_DELAY_NS = 50 * 1000 * 1000
};
/* How long what was found holds. Names move: a program that connects anew is to follow. */
static const int64_t NETWORK_FOUND_HOLDS_NS = INT64_C (60) * 1000 * 1000 * 1000;

/* The addresses of one family. */
typedef struct NetworkFamily {
    EddyFuture *lookup; /* NULL: it has ended, or there was none */
    EddyError *error;   /* it ended with */
    size_t n_given;
} NetworkFamily;

typedef struct NetworkEnumerator {
    EddySocketAddressEnumerator enumerator;
    EddyNetworkAddress *address;
    EddyCancellable *ending; /* of the lookups: no cancel of a call is theirs */
    EddyNetworkFound found;
    NetworkFamily families[EDDY__NETWORK_FAMILIES];
    int turn; /* whose address is next, if it has one */
    bool has_begun;
    bool has_given;
    int64_t patience_ns; /* until when IPv4 waits for IPv6; 0: it does not yet */
} NetworkEnumerator;

static void network_enumerator_dispose (void *object)
{
    NetworkEnumerator *self = object;
    for (int i = 0; i < EDDY__NETWORK_FAMILIES; i++) {
        eddy_clear (&self->families[i].lookup);
        eddy_clear_error (&self->families[i].error);
    }
    eddy__network_found_clear (&self->found);
    eddy_clear (&self->ending);
    eddy_clear (&self->address);
    eddy_socket_address_enumerator_dispose (object);
}

/* --- what was found before -------------------------------------------------------------------- */

/* Whether the host's addresses are known, of the same resolver and not too old. */
static bool network_recall (NetworkEnumerator *self)
{
    EddyNetworkAddress *address = self->address;
    bool locked = eddy__lock (&address->lock);
    const EddyNetworkFound *found = &address->found;
    bool holds = found->resolver == self->found.resolver &&
                 eddy__sys_now_ns () < found->time_ns + NETWORK_FOUND_HOLDS_NS;
    for (int i = 0; i < EDDY__NETWORK_FAMILIES && holds; i++)
        self->found.lists[i] = eddy_ref (found->lists[i]);
    eddy__unlock (&address->lock, locked);
    return holds;
}

/* Whether a lookup's answer will be the same for a while. */
static bool network_is_lasting (const EddyError *error)
{
    return error == NULL ||
           eddy_error_matches (error, EDDY_RESOLVER_ERROR, EDDY_RESOLVER_ERROR_NOT_FOUND);
}

/* Keeps what was found for later enumerators. */
static void network_remember (const NetworkEnumerator *self)
{
    bool has_any = false;
    for (int i = 0; i < EDDY__NETWORK_FAMILIES; i++) {
        has_any = has_any || self->found.lists[i] != NULL;
        if (!network_is_lasting (self->families[i].error))
            return;
    }
    if (!has_any)
        return;
    EddyNetworkFound found = { eddy_ref (self->found.resolver), eddy__sys_now_ns (), { NULL } };
    for (int i = 0; i < EDDY__NETWORK_FAMILIES; i++)
        found.lists[i] = eddy_ref (self->found.lists[i]);
    EddyNetworkAddress *address = self->address;
    bool locked = eddy__lock (&address->lock);
    EddyNetworkFound former = address->found;
    address->found = found;
    eddy__unlock (&address->lock, locked);
    eddy__network_found_clear (&former);
}

/* --- the lookups ------------------------------------------------------------------------------ */

/* Whether the host is an address; it needs no lookup then. */
static bool network_take_literal (NetworkEnumerator *self, EddyError **error)
{
    uint8_t bytes[EDDY__INET_ADDRESS_SIZE];
    uint32_t scope_id;
    EddySocketFamily family = eddy__inet_address_read (self->address->hostname, bytes, &scope_id);
    if (family == EDDY_SOCKET_FAMILY_INVALID)
        return false;
    EddyInetAddressList *list = eddy__inet_address_list_new ();
    self->found.lists[family == EDDY_SOCKET_FAMILY_IPV6 ? EDDY__NETWORK_IPV6 : EDDY__NETWORK_IPV4] =
        list;
    if (list == NULL || !eddy__inet_address_list_add_bytes (list, family, bytes, scope_id))
        eddy_error_set_errno (error, ENOMEM, "%s", self->address->hostname);
    return true;
}

static bool network_begin_lookups (NetworkEnumerator *self, EddyError **error)
{
    self->ending = eddy_cancellable_new ();
    self->found.resolver = eddy_resolver_get_default ();
    if (self->ending == NULL || self->found.resolver == NULL) {
        eddy_error_set_errno (error, ENOMEM, "%s", self->address->hostname);
        return false;
    }
    if (network_recall (self))
        return true;
    static const EddyResolverNameLookupFlags flags[EDDY__NETWORK_FAMILIES] = {
        EDDY_RESOLVER_NAME_LOOKUP_FLAGS_IPV6_ONLY, EDDY_RESOLVER_NAME_LOOKUP_FLAGS_IPV4_ONLY
    };
    for (int i = 0; i < EDDY__NETWORK_FAMILIES; i++)
        self->families[i].lookup = eddy_resolver_lookup_by_name_with_flags_future (
            self->found.resolver, self->address->hostname, flags[i], EDDY_PRIORITY_DEFAULT,
            self->ending);
    return true;
}

static bool network_is_looking_up (const NetworkEnumerator *self)
{
    return self->families[EDDY__NETWORK_IPV6].lookup != NULL ||
           self->families[EDDY__NETWORK_IPV4].lookup != NULL;
}

/* Takes the answers that have come. */
static void network_collect (NetworkEnumerator *self)
{
    bool was_looking_up = network_is_looking_up (self);
    for (int i = 0; i < EDDY__NETWORK_FAMILIES; i++) {
        NetworkFamily *family = &self->families[i];
        if (family->lookup == NULL || !eddy_future_is_complete (family->lookup))
            continue;
        self->found.lists[i] = eddy_ref (eddy_await (family->lookup, &family->error));
        eddy_clear (&family->lookup);
    }
    if (was_looking_up && !network_is_looking_up (self))
        network_remember (self);
}

/* --- what is given ---------------------------------------------------------------------------- */

static bool network_has_more (const NetworkEnumerator *self, int family)
{
    const EddyInetAddressList *list = self->found.lists[family];
    return list != NULL &&
           self->families[family].n_given < eddy_inet_address_list_get_length (list);
}

/* Whose address is to be given now; -1: none, there is something to wait for or this is the end. */
static int network_choose (NetworkEnumerator *self)
{
    int other = EDDY__NETWORK_FAMILIES - 1 - self->turn;
    if (network_has_more (self, self->turn))
        return self->turn;
    if (!network_has_more (self, other))
        return -1;
    bool is_patient = !self->has_given && self->families[self->turn].lookup != NULL;
    if (is_patient && self->patience_ns == 0)
        self->patience_ns = eddy__sys_now_ns () + NETWORK_RESOLUTION_DELAY_NS;
    return is_patient && eddy__sys_now_ns () < self->patience_ns ? -1 : other;
}

/* Waits for a lookup's end, or that of the patience. */
static bool network_wait (const NetworkEnumerator *self, EddyCancellable *cancellable,
                          EddyError **error)
{
    EDDY_AUTO (EddyFuture) patience = NULL;
    if (self->patience_ns > 0 && !self->has_given) {
        int64_t left_ns = self->patience_ns - eddy__sys_now_ns ();
        patience = eddy_future_delay (left_ns > 0 ? left_ns : 0);
    }
    EddySelectCase cases[] = { EDDY_SELECT_FUTURE (self->families[EDDY__NETWORK_IPV6].lookup),
                               EDDY_SELECT_FUTURE (self->families[EDDY__NETWORK_IPV4].lookup),
                               EDDY_SELECT_FUTURE (patience) };
    return eddy_select (cases, sizeof cases / sizeof cases[0], cancellable, error) >= 0;
}

static EddySocketAddress *network_give (NetworkEnumerator *self, int family, EddyError **error)
{
    EddySocketAddress *address = eddy_inet_socket_address_new (
        eddy_inet_address_list_get (self->found.lists[family], self->families[family].n_given),
        self->address->port);
    if (address == NULL) {
        eddy_error_set_errno (error, ENOMEM, "%s", self->address->hostname);
        return NULL;
    }
    self->families[family].n_given++;
    self->turn = EDDY__NETWORK_FAMILIES - 1 - family;
    self->has_given = true;
    return address;
}

/* Nothing was found: tells why. That a name has no address of one family says less than that the
 * other one could not be asked for. */
static void network_tell_why (NetworkEnumerator *self, EddyError **error)
{
    EddyError **of_ipv6 = &self->families[EDDY__NETWORK_IPV6].error;
    EddyError **of_ipv4 = &self->families[EDDY__NETWORK_IPV4].error;
    bool ipv4_says_more =
        eddy_error_matches (*of_ipv6, EDDY_RESOLVER_ERROR, EDDY_RESOLVER_ERROR_NOT_FOUND) &&
        *of_ipv4 != NULL;
    EddyError **cause = ipv4_says_more || *of_ipv6 == NULL ? of_ipv4 : of_ipv6;
    eddy_error_take (error, EDDY_TAKE (*cause));
}

static EddySocketAddress *network_enumerator_next (EddySocketAddressEnumerator *enumerator,
                                                   EddyCancellable *cancellable, EddyError **error)
{
    NetworkEnumerator *self = (NetworkEnumerator *) (void *) enumerator;
    EddyError *failure = NULL;
    if (!self->has_begun && !network_take_literal (self, &failure))
        (void) network_begin_lookups (self, &failure);
    self->has_begun = true;
    while (failure == NULL) {
        network_collect (self);
        int family = network_choose (self);
        if (family >= 0)
            return network_give (self, family, error);
        if (!network_is_looking_up (self)) {
            if (!self->has_given)
                network_tell_why (self, error);
            return NULL;
        }
        (void) network_wait (self, cancellable, &failure);
    }
    eddy_error_take (error, failure);
    return NULL;
}

static const EddySocketAddressEnumeratorClass network_enumerator_class = {
    .object = { .name = "EddyNetworkAddressEnumerator",
                .size = sizeof (NetworkEnumerator),
                .dispose = network_enumerator_dispose },
    .next = network_enumerator_next,
};

EddySocketAddressEnumerator *eddy__network_address_enumerate (EddySocketConnectable *connectable)
{
    NetworkEnumerator *self = eddy_object_new (&network_enumerator_class.object);
    if (self == NULL)
        return NULL;
    self->address = eddy_ref (connectable);
    return &self->enumerator;
}
