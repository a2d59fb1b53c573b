/* SPDX-License-Identifier: MIT */
/* EddySocketAddressEnumerator: the addresses of a connectable, one after the other. */
#include <eddy/socket-address-enumerator-bodies.h>

#include "base/object-private.h"
#include "net/enumerator-private.h"

EddyContext *eddy_socket_address_enumerator_get_context (EddySocketAddressEnumerator *enumerator)
{
    EDDY__EXPECT (enumerator != NULL, NULL);
    return enumerator->context;
}

void eddy_socket_address_enumerator_dispose (void *enumerator)
{
    EddySocketAddressEnumerator *self = enumerator;
    EDDY__EXPECT (self != NULL);
    eddy_clear (&self->context);
}

/* Whether it may be asked here and now; it is then pending. */
static bool enumerator_begin (EddySocketAddressEnumerator *enumerator, EddyCancellable *cancellable,
                              EddyError **error)
{
    const char *name = enumerator->object.object_class->name;
    if (enumerator->context != eddy__fiber_current ()->future.context)
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_ARGUMENT,
                        "%s was asked in a context that is not its own", name);
    else if (enumerator->is_pending)
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_PENDING,
                        "%s has an operation under way", name);
    else
        return !eddy_cancellable_set_error_if_cancelled (cancellable, error);
    return false;
}

/* Asks its kind. The first answer says whether there are addresses at all; an error that comes
 * later is the end. */
static EddySocketAddress *enumerator_ask (EddySocketAddressEnumerator *enumerator,
                                          EddyCancellable *cancellable, EddyError **error)
{
    const EddySocketAddressEnumeratorClass *self =
        (const EddySocketAddressEnumeratorClass *) (const void *) enumerator->object.object_class;
    EddyError *failure = NULL;
    EddySocketAddress *address = self->next (enumerator, cancellable, &failure);
    if (failure != NULL && eddy__enumerator_is_cancelled (cancellable)) {
        eddy_error_take (error, failure);
        return NULL;
    }
    enumerator->has_ended = address == NULL;
    eddy_error_take (enumerator->has_begun ? NULL : error, failure);
    enumerator->has_begun = true;
    return address;
}

EddySocketAddress *eddy_socket_address_enumerator_next_body (
    EddySocketAddressEnumerator *enumerator, EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (enumerator != NULL, NULL);
    if (!enumerator_begin (enumerator, cancellable, error) || enumerator->has_ended)
        return NULL;
    enumerator->is_pending = true;
    EddySocketAddress *address = enumerator_ask (enumerator, cancellable, error);
    enumerator->is_pending = false;
    return address;
}
