/* SPDX-License-Identifier: MIT */
/* EddyNetworkService: a service of a domain, wherever the domain says that it is. */
#include <eddy/network-service.h>

#include <eddy/network-address.h>
#include <eddy/resolver.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "net/enumerator-private.h"

struct EddyNetworkService {
    EddySocketConnectable connectable;
    char *service;
    char *protocol;
    char *domain;
    char *scheme; /* NULL: the service's name */
};

static void network_service_finalize (void *object)
{
    EddyNetworkService *self = object;
    eddy__free (self->service);
    eddy__free (self->protocol);
    eddy__free (self->domain);
    eddy__free (self->scheme);
}

/* --- its addresses: those of each host that the domain names ---------------------------------- */

typedef struct ServiceEnumerator {
    EddySocketAddressEnumerator enumerator;
    EddyNetworkService *service;
    EddySrvTargetList *targets; /* NULL: not looked up yet */
    size_t next_target;
    EddySocketAddressEnumerator *current; /* of the target before that; NULL: it has ended */
    EddyError *error;                     /* the first target's, until an address is given */
} ServiceEnumerator;

static void service_enumerator_dispose (void *object)
{
    ServiceEnumerator *self = object;
    eddy_clear (&self->service);
    eddy_clear (&self->targets);
    eddy_clear (&self->current);
    eddy_clear_error (&self->error);
    eddy_socket_address_enumerator_dispose (object);
}

static EddySrvTargetList *service_look_up (const EddyNetworkService *service,
                                           EddyCancellable *cancellable, EddyError **error)
{
    EDDY_AUTO (EddyResolver) resolver = eddy_resolver_get_default ();
    if (resolver != NULL)
        return eddy_resolver_lookup_service (resolver, service->service, service->protocol,
                                             service->domain, cancellable, error);
    eddy_error_set_errno (error, ENOMEM, "%s", service->domain);
    return NULL;
}

/* Goes on to the next target; false: there is none, or memory is out. */
static bool service_go_on (ServiceEnumerator *self, EddyError **error)
{
    const EddySrvTarget *target = eddy_srv_target_list_get (self->targets, self->next_target);
    if (target == NULL)
        return false;
    EddySocketConnectable *host = eddy_network_address_new (eddy_srv_target_get_hostname (target),
                                                            eddy_srv_target_get_port (target));
    self->current = host == NULL ? NULL : eddy_socket_connectable_enumerate (host);
    eddy_unref (host);
    if (self->current == NULL)
        eddy_error_set_errno (error, ENOMEM, "%s", self->service->domain);
    else
        self->next_target++;
    return self->current != NULL;
}

/* A target that cannot be found is passed over: the others are there for that. */
static EddySocketAddress *service_next_of_target (ServiceEnumerator *self,
                                                  EddyCancellable *cancellable, EddyError **error)
{
    EddyError *failure = NULL;
    EddySocketAddress *address =
        eddy_socket_address_enumerator_next (self->current, cancellable, &failure);
    if (failure != NULL && eddy__enumerator_is_cancelled (cancellable)) {
        eddy_error_take (error, failure);
        return NULL;
    }
    if (address == NULL)
        eddy_clear (&self->current);
    eddy_error_take (self->error == NULL ? &self->error : NULL, failure);
    return address;
}

static EddySocketAddress *service_enumerator_next (EddySocketAddressEnumerator *enumerator,
                                                   EddyCancellable *cancellable, EddyError **error)
{
    ServiceEnumerator *self = (ServiceEnumerator *) (void *) enumerator;
    EddyError *failure = NULL;
    if (self->targets == NULL)
        self->targets = service_look_up (self->service, cancellable, &failure);
    while (failure == NULL && (self->current != NULL || service_go_on (self, &failure))) {
        EddySocketAddress *address = service_next_of_target (self, cancellable, &failure);
        if (address != NULL)
            return address;
    }
    if (failure == NULL)
        failure = EDDY_TAKE (self->error);
    eddy_error_take (error, failure);
    return NULL;
}

static const EddySocketAddressEnumeratorClass service_enumerator_class = {
    .object = { .name = "EddyNetworkServiceEnumerator",
                .size = sizeof (ServiceEnumerator),
                .dispose = service_enumerator_dispose },
    .next = service_enumerator_next,
};

static EddySocketAddressEnumerator *network_service_enumerate (EddySocketConnectable *connectable)
{
    ServiceEnumerator *self = eddy_object_new (&service_enumerator_class.object);
    if (self == NULL)
        return NULL;
    self->service = eddy_ref (connectable);
    return &self->enumerator;
}

/* --- what it is ------------------------------------------------------------------------------- */

static char *network_service_to_string (EddySocketConnectable *connectable)
{
    const EddyNetworkService *self = EDDY_NETWORK_SERVICE (connectable);
    size_t size =
        strlen (self->service) + strlen (self->protocol) + strlen (self->domain) + sizeof "_._.";
    char *text = eddy__alloc (size);
    if (text != NULL)
        snprintf (text, size, "_%s._%s.%s", self->service, self->protocol, self->domain);
    return text;
}

static const EddySocketConnectableClass network_service_class = {
    .object = { .name = "EddyNetworkService",
                .size = sizeof (EddyNetworkService),
                .finalize = network_service_finalize },
    .enumerate = network_service_enumerate,
    .to_string = network_service_to_string,
};

static bool network_service_is_one (const EddyNetworkService *service)
{
    return service != NULL &&
           service->connectable.object.object_class == &network_service_class.object;
}

EddySocketConnectable *eddy_network_service_new (const char *service, const char *protocol,
                                                 const char *domain)
{
    EDDY__EXPECT (service != NULL && protocol != NULL && domain != NULL, NULL);
    EddyNetworkService *self = eddy_object_new (&network_service_class.object);
    if (self == NULL)
        return NULL;
    self->service = eddy__strdup (service);
    self->protocol = eddy__strdup (protocol);
    self->domain = eddy__strdup (domain);
    if (self->service != NULL && self->protocol != NULL && self->domain != NULL)
        return &self->connectable;
    return eddy_unref (self);
}

const char *eddy_network_service_get_service (const EddyNetworkService *service)
{
    EDDY__EXPECT (network_service_is_one (service), NULL);
    return service->service;
}

const char *eddy_network_service_get_protocol (const EddyNetworkService *service)
{
    EDDY__EXPECT (network_service_is_one (service), NULL);
    return service->protocol;
}

const char *eddy_network_service_get_domain (const EddyNetworkService *service)
{
    EDDY__EXPECT (network_service_is_one (service), NULL);
    return service->domain;
}

const char *eddy_network_service_get_scheme (const EddyNetworkService *service)
{
    EDDY__EXPECT (network_service_is_one (service), NULL);
    return service->scheme != NULL ? service->scheme : service->service;
}

bool eddy_network_service_set_scheme (EddyNetworkService *service, const char *scheme)
{
    EDDY__EXPECT (network_service_is_one (service) && scheme != NULL, false);
    char *copy = eddy__strdup (scheme);
    if (copy == NULL)
        return false;
    eddy__free (service->scheme);
    service->scheme = copy;
    return true;
}
