/* SPDX-License-Identifier: MIT */
/* EddySocketAddressEnumerator: the addresses of a connectable, one after the other. */
#ifndef EDDY_SOCKET_ADDRESS_ENUMERATOR_H
#define EDDY_SOCKET_ADDRESS_ENUMERATOR_H

#include <eddy/forms.h>
#include <eddy/socket-address.h>

EDDY_BEGIN_DECLS

/** What a kind of enumerator does. */
typedef struct EddySocketAddressEnumeratorClass {
    /** Its name, size, dispose and finalize. Its dispose, or what that ends with, is
     * eddy_socket_address_enumerator_dispose(). */
    EddyClass object;
    /** Called in a fiber of the enumerator's context, by one at a time: returns the next address,
     * or NULL for the end; or sets the error. Not called again after the end. */
    EddySocketAddress *(*next) (EddySocketAddressEnumerator *enumerator,
                                EddyCancellable *cancellable, EddyError **error);
} EddySocketAddressEnumeratorClass;

/** How every kind of enumerator begins: an object. It belongs to the context that was the
 * thread-default one where eddy_socket_connectable_enumerate() was called, and is used on that
 * context's thread. Its members are the library's. */
struct EddySocketAddressEnumerator {
    EddyObject object;
    EddyContext *context;
    bool is_pending;
    bool has_begun;
    bool has_ended;
};

/**
 * Waits for the next address. The names that it takes are looked up when the first one is asked
 * for, and the addresses that are known are given while others are still being looked up.
 *
 * Only the first call that is not cancelled may fail otherwise: later errors are the end.
 *
 * Called outside a fiber, it runs the enumerator's own context until the address is there, as
 * eddy_block_on() does; the other forms are called where that context is the thread's default one.
 *
 * @enumerator: an enumerator, of which none is waited for
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: an address, the caller's; NULL without an error: the end, from then on for ever
 * Errors: those of the lookups, of the domain EDDY_RESOLVER_ERROR; INVALID_ARGUMENT for what is no
 *     host, and on another context than the enumerator's; PENDING; CANCELLED: a cancelled call
 *     loses no address
 * Thread: the enumerator's
 * Since: 0.1
 */
EDDY_OPERATION (FIBER)
EddySocketAddress *eddy_socket_address_enumerator_next (
    EddySocketAddressEnumerator *enumerator EDDY_HOME, EddyCancellable *cancellable,
    EddyError **error);

/** The context that an enumerator belongs to, not a reference. Thread: any. Since: 0.1 */
EDDY_API EddyContext *eddy_socket_address_enumerator_get_context (
    EddySocketAddressEnumerator *enumerator);

/** What the dispose of a kind of enumerator ends with. Thread: any. Since: 0.1 */
EDDY_API void eddy_socket_address_enumerator_dispose (void *enumerator);

EDDY_END_DECLS

#include <eddy/socket-address-enumerator-forms.h>

#endif
