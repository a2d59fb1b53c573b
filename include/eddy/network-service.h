/* SPDX-License-Identifier: MIT */
/* EddyNetworkService: a service of a domain, wherever the domain says that it is. */
#ifndef EDDY_NETWORK_SERVICE_H
#define EDDY_NETWORK_SERVICE_H

#include <eddy/socket-connectable.h>

EDDY_BEGIN_DECLS

/** A service that a domain offers, such as "xmpp-client" of "example.org" by "tcp": an
 * EddySocketConnectable, whose addresses are those of the hosts that the domain's SRV records name,
 * in their order. Changed by eddy_network_service_set_scheme() only, before others have it. */
typedef struct EddyNetworkService EddyNetworkService;

/** A connectable that is known to be a network service. */
#define EDDY_NETWORK_SERVICE(connectable) ((EddyNetworkService *) (void *) (connectable))

/** Makes a network service: "xmpp-client", "tcp", "example.org". NULL when memory is out.
 * Thread: any. Since: 0.1 */
EDDY_API EddySocketConnectable *eddy_network_service_new (const char *service, const char *protocol,
                                                          const char *domain) EDDY_MUST_USE;

/** Its service, owned by @service. Thread: any. Since: 0.1 */
EDDY_API const char *eddy_network_service_get_service (const EddyNetworkService *service);

/** Its protocol, owned by @service. Thread: any. Since: 0.1 */
EDDY_API const char *eddy_network_service_get_protocol (const EddyNetworkService *service);

/** Its domain, owned by @service. Thread: any. Since: 0.1 */
EDDY_API const char *eddy_network_service_get_domain (const EddyNetworkService *service);

/** The scheme of URIs of the service, owned by @service: its name, unless set. Thread: any.
 * Since: 0.1 */
EDDY_API const char *eddy_network_service_get_scheme (const EddyNetworkService *service);

/** Sets the scheme. Returns: whether memory was there. Thread: the one that made it. Since: 0.1 */
EDDY_API bool eddy_network_service_set_scheme (EddyNetworkService *service, const char *scheme);

EDDY_END_DECLS

#endif
