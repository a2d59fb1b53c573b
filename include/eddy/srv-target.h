/* SPDX-License-Identifier: MIT */
/* EddySrvTarget: a host that offers a service; EddySrvTargetList: all that do, in order. */
#ifndef EDDY_SRV_TARGET_H
#define EDDY_SRV_TARGET_H

#include <eddy/object.h>

EDDY_BEGIN_DECLS

/** A host and a port where a service is: what an SRV record says. An object; immutable. */
typedef struct EddySrvTarget EddySrvTarget;

/** Targets in the order in which they are to be tried. An object; immutable. */
typedef struct EddySrvTargetList EddySrvTargetList;

/** The host's name, without a "." at its end; owned by @target. Thread: any. Since: 0.1 */
EDDY_API const char *eddy_srv_target_get_hostname (const EddySrvTarget *target);
/** The port. Thread: any. Since: 0.1 */
EDDY_API uint16_t eddy_srv_target_get_port (const EddySrvTarget *target);
/** Targets of a lower priority are to be tried first. Thread: any. Since: 0.1 */
EDDY_API uint16_t eddy_srv_target_get_priority (const EddySrvTarget *target);
/** How often it is to come first among those of its priority, compared with theirs.
 * Thread: any. Since: 0.1 */
EDDY_API uint16_t eddy_srv_target_get_weight (const EddySrvTarget *target);

/** How many targets there are. Thread: any. Since: 0.1 */
EDDY_API size_t eddy_srv_target_list_get_length (const EddySrvTargetList *list);
/** One of the targets, owned by @list; NULL when @index is not below the length.
 * Thread: any. Since: 0.1 */
EDDY_API EddySrvTarget *eddy_srv_target_list_get (const EddySrvTargetList *list, size_t index);

EDDY_END_DECLS

#endif
