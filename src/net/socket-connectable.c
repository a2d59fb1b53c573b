/* SPDX-License-Identifier: MIT */
/* EddySocketConnectable: what one can connect to. */
#include <eddy/socket-connectable.h>

#include <eddy/socket-address-enumerator.h>

#include "base/object-private.h"
#include "loop/context-private.h"

static const EddySocketConnectableClass *connectable_class (EddySocketConnectable *connectable)
{
    return (const EddySocketConnectableClass *) (const void *) connectable->object.object_class;
}

EddySocketAddressEnumerator *eddy_socket_connectable_enumerate (EddySocketConnectable *connectable)
{
    EDDY__EXPECT (connectable != NULL, NULL);
    EddySocketAddressEnumerator *enumerator =
        connectable_class (connectable)->enumerate (connectable);
    if (enumerator != NULL)
        enumerator->context = eddy_ref (eddy__context_thread_default ());
    return enumerator;
}

char *eddy_socket_connectable_to_string (EddySocketConnectable *connectable)
{
    EDDY__EXPECT (connectable != NULL, NULL);
    return connectable_class (connectable)->to_string (connectable);
}
