/* SPDX-License-Identifier: MIT */
/* EddySocketConnectable: what one can connect to. */
#ifndef EDDY_SOCKET_CONNECTABLE_H
#define EDDY_SOCKET_CONNECTABLE_H

#include <eddy/object.h>

EDDY_BEGIN_DECLS

/** What one can connect to: a socket address, a host and a port, a service of a domain. It stands
 * for addresses, which an enumerator finds out one after the other. An object; its kinds begin with
 * it, and do not change once made but where they say so. */
typedef struct EddySocketConnectable EddySocketConnectable;

/** The addresses of a connectable, on their way: see <eddy/socket-address-enumerator.h>. */
typedef struct EddySocketAddressEnumerator EddySocketAddressEnumerator;

/** Any kind of connectable as an EddySocketConnectable. */
#define EDDY_SOCKET_CONNECTABLE(connectable) ((EddySocketConnectable *) (void *) (connectable))

/** What a kind of connectable does. */
typedef struct EddySocketConnectableClass {
    /** Its name, size, dispose and finalize. */
    EddyClass object;
    /** Makes an enumerator, which begins with the first address; NULL when memory is out. */
    EddySocketAddressEnumerator *(*enumerate) (EddySocketConnectable *connectable);
    /** What it is, for messages, to be freed; NULL when memory is out. */
    char *(*to_string) (EddySocketConnectable *connectable);
} EddySocketConnectableClass;

/** How every kind of connectable begins. Its member is the library's. */
struct EddySocketConnectable {
    EddyObject object;
};

/** Makes an enumerator of its addresses, beginning with the first. NULL when memory is out.
 * Thread: any. Since: 0.1 */
EDDY_API EddySocketAddressEnumerator *eddy_socket_connectable_enumerate (
    EddySocketConnectable *connectable) EDDY_MUST_USE;

/** What it is, for messages, to be freed with eddy_free(); NULL when memory is out. Thread: any.
 * Since: 0.1 */
EDDY_API char *eddy_socket_connectable_to_string (EddySocketConnectable *connectable) EDDY_MUST_USE;

EDDY_END_DECLS

#endif
