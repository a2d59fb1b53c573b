/* SPDX-License-Identifier: MIT */
/* What lookups answer: lists of addresses, and of the targets of a service. */
#include "net/resolver-private.h"

#include <netinet/in.h>
#include <string.h>

#include "base/alloc-private.h"
#include "base/object-private.h"

enum {
    LIST_FIRST_ROOM = 4,
    LIST_MOST_ADDRESSES = 512 /* each new one is compared with all */
};

/* Objects that belong to a list. */
typedef struct ListItems {
    void **items;
    size_t length;
    size_t capacity;
} ListItems;

static void items_free (ListItems *self)
{
    for (size_t i = 0; i < self->length; i++)
        eddy_unref (self->items[i]);
    eddy__free (self->items);
}

/* Takes the reference, also when memory is out. */
static bool items_take (ListItems *self, void *item)
{
    if (item != NULL && self->length == self->capacity) {
        size_t capacity = self->capacity == 0 ? LIST_FIRST_ROOM : 2 * self->capacity;
        void **grown = eddy__realloc (self->items, capacity * sizeof (void *));
        if (grown == NULL) {
            eddy_unref (item);
            return false;
        }
        self->items = grown;
        self->capacity = capacity;
    }
    if (item != NULL)
        self->items[self->length++] = item;
    return item != NULL;
}

/* --- addresses -------------------------------------------------------------------------------- */

struct EddyInetAddressList {
    EddyObject object;
    ListItems addresses;
};

static void address_list_finalize (void *object)
{
    items_free (&((EddyInetAddressList *) object)->addresses);
}

static const EddyClass address_list_class = { .name = "EddyInetAddressList",
                                              .size = sizeof (EddyInetAddressList),
                                              .finalize = address_list_finalize };

EddyInetAddressList *eddy__inet_address_list_new (void)
{
    return eddy_object_new (&address_list_class);
}

bool eddy__inet_address_list_add (EddyInetAddressList *list, EddyInetAddress *address)
{
    for (size_t i = 0; i < list->addresses.length; i++)
        if (eddy_inet_address_equal (list->addresses.items[i], address))
            return true;
    return list->addresses.length == LIST_MOST_ADDRESSES ||
           items_take (&list->addresses, eddy_ref (address));
}

bool eddy__inet_address_list_add_bytes (EddyInetAddressList *list, EddySocketFamily family,
                                        const void *bytes, uint32_t scope_id)
{
    EDDY_AUTO (EddyInetAddress)
    address = eddy_inet_address_new_from_bytes_with_ipv6_info (bytes, family, 0, scope_id);
    return address != NULL && eddy__inet_address_list_add (list, address);
}

bool eddy__inet_address_list_add_native (EddyInetAddressList *list, const struct sockaddr *native)
{
    if (native->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *) (const void *) native;
        return eddy__inet_address_list_add_bytes (list, EDDY_SOCKET_FAMILY_IPV4, &in->sin_addr, 0);
    }
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *) (const void *) native;
    return native->sa_family != AF_INET6 ||
           eddy__inet_address_list_add_bytes (list, EDDY_SOCKET_FAMILY_IPV6, &in6->sin6_addr,
                                              in6->sin6_scope_id);
}

size_t eddy_inet_address_list_get_length (const EddyInetAddressList *list)
{
    EDDY__EXPECT (list != NULL, 0);
    return list->addresses.length;
}

EddyInetAddress *eddy_inet_address_list_get (const EddyInetAddressList *list, size_t index)
{
    EDDY__EXPECT (list != NULL, NULL);
    return index < list->addresses.length ? list->addresses.items[index] : NULL;
}

/* --- targets of a service --------------------------------------------------------------------- */

struct EddySrvTarget {
    EddyObject object;
    char *hostname;
    uint16_t port;
    uint16_t priority;
    uint16_t weight;
};

struct EddySrvTargetList {
    EddyObject object;
    ListItems targets;
};

static void target_finalize (void *object)
{
    eddy__free (((EddySrvTarget *) object)->hostname);
}

static const EddyClass target_class = { .name = "EddySrvTarget",
                                        .size = sizeof (EddySrvTarget),
                                        .finalize = target_finalize };

static void target_list_finalize (void *object)
{
    items_free (&((EddySrvTargetList *) object)->targets);
}

static const EddyClass target_list_class = { .name = "EddySrvTargetList",
                                             .size = sizeof (EddySrvTargetList),
                                             .finalize = target_list_finalize };

EddySrvTargetList *eddy__srv_target_list_new (void)
{
    return eddy_object_new (&target_list_class);
}

bool eddy__srv_target_list_add (EddySrvTargetList *list, const char *hostname, uint16_t port,
                                uint16_t priority, uint16_t weight)
{
    EDDY_AUTO (EddySrvTarget) target = eddy_object_new (&target_class);
    if (target == NULL || (target->hostname = eddy__strdup (hostname)) == NULL)
        return false;
    size_t length = strlen (hostname);
    if (length > 1 && hostname[length - 1] == '.')
        target->hostname[length - 1] = '\0';
    target->port = port;
    target->priority = priority;
    target->weight = weight;
    return items_take (&list->targets, eddy_ref (target));
}

/* By priority; those of one priority that have no weight first, as the RFC has them drawn. What
 * was equal keeps its order. */
static bool target_is_before (const EddySrvTarget *one, const EddySrvTarget *other)
{
    if (one->priority != other->priority)
        return one->priority < other->priority;
    return one->weight == 0 && other->weight != 0;
}

static void targets_move (ListItems *self, size_t from, size_t to)
{
    void *moved = self->items[from];
    memmove (&self->items[to + 1], &self->items[to], (from - to) * sizeof (void *));
    self->items[to] = moved;
}

/* Draws who is next among those from `first` to `end`, which are of one priority: each as often as
 * its weight says. */
static void targets_draw (ListItems *self, size_t first, size_t end,
                          uint32_t (*draw) (uint32_t most, void *data), void *data)
{
    uint32_t total = 0;
    for (size_t i = first; i < end; i++)
        total += ((EddySrvTarget *) self->items[i])->weight;
    uint32_t drawn = draw (total, data);
    uint32_t sum = 0;
    for (size_t i = first; i < end; i++) {
        sum += ((EddySrvTarget *) self->items[i])->weight;
        if (sum >= drawn) {
            targets_move (self, i, first);
            return;
        }
    }
}

void eddy__srv_target_list_sort (EddySrvTargetList *list,
                                 uint32_t (*draw) (uint32_t most, void *data), void *data)
{
    ListItems *self = &list->targets;
    for (size_t i = 1; i < self->length; i++) {
        size_t to = i;
        while (to > 0 && target_is_before (self->items[i], self->items[to - 1]))
            to--;
        targets_move (self, i, to);
    }
    for (size_t first = 0, end = 0; first < self->length; first++) {
        uint16_t priority = ((EddySrvTarget *) self->items[first])->priority;
        for (end = first; end < self->length; end++)
            if (((EddySrvTarget *) self->items[end])->priority != priority)
                break;
        targets_draw (self, first, end, draw, data);
    }
}

const char *eddy_srv_target_get_hostname (const EddySrvTarget *target)
{
    EDDY__EXPECT (target != NULL, NULL);
    return target->hostname;
}

uint16_t eddy_srv_target_get_port (const EddySrvTarget *target)
{
    EDDY__EXPECT (target != NULL, 0);
    return target->port;
}

uint16_t eddy_srv_target_get_priority (const EddySrvTarget *target)
{
    EDDY__EXPECT (target != NULL, 0);
    return target->priority;
}

uint16_t eddy_srv_target_get_weight (const EddySrvTarget *target)
{
    EDDY__EXPECT (target != NULL, 0);
    return target->weight;
}

size_t eddy_srv_target_list_get_length (const EddySrvTargetList *list)
{
    EDDY__EXPECT (list != NULL, 0);
    return list->targets.length;
}

EddySrvTarget *eddy_srv_target_list_get (const EddySrvTargetList *list, size_t index)
{
    EDDY__EXPECT (list != NULL, NULL);
    return index < list->targets.length ? list->targets.items[index] : NULL;
}
