/* SPDX-License-Identifier: MIT */
/* EddyInetAddressMask: a range of addresses that begin with the same bits. */
#ifndef EDDY_INET_ADDRESS_MASK_H
#define EDDY_INET_ADDRESS_MASK_H

#include <eddy/inet-address.h>

EDDY_BEGIN_DECLS

/** The addresses of which the first bits are given: "10.0.0.0/8". An object; immutable. */
typedef struct EddyInetAddressMask EddyInetAddressMask;

/**
 * Makes a mask.
 *
 * @address: an address, of which the mask keeps a reference; no bit after the first @length is set
 * @length: bits, from 0 to 32 (IPv4) or 128 (IPv6)
 * @error: where to put the error
 *
 * Returns: the mask, or NULL
 * Errors: INVALID_ARGUMENT for another length, or bits after it; NO_MEMORY
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyInetAddressMask *eddy_inet_address_mask_new (EddyInetAddress *address, unsigned length,
                                                          EddyError **error) EDDY_MUST_USE;

/** Reads a mask: an address, a slash and a length, or an address alone, for which all of its bits
 * count. Errors: those of eddy_inet_address_mask_new(). Thread: any. Since: 0.1 */
EDDY_API EddyInetAddressMask *eddy_inet_address_mask_new_from_string (
    const char *mask_string, EddyError **error) EDDY_MUST_USE;

/** The mask as text, without a length that is the whole address. To be freed with eddy_free(); NULL
 * when memory is out. Thread: any. Since: 0.1 */
EDDY_API char *eddy_inet_address_mask_to_string (const EddyInetAddressMask *mask) EDDY_MUST_USE;

/** Its address's family. Thread: any. Since: 0.1 */
EDDY_API EddySocketFamily eddy_inet_address_mask_get_family (const EddyInetAddressMask *mask);

/** Its address, owned by @mask. Thread: any. Since: 0.1 */
EDDY_API EddyInetAddress *eddy_inet_address_mask_get_address (const EddyInetAddressMask *mask);

/** How many bits count. Thread: any. Since: 0.1 */
EDDY_API unsigned eddy_inet_address_mask_get_length (const EddyInetAddressMask *mask);

/** Whether an address is of the mask's family and begins with its bits. Thread: any. Since: 0.1 */
EDDY_API bool eddy_inet_address_mask_matches (const EddyInetAddressMask *mask,
                                              const EddyInetAddress *address);

/** Whether two masks are the same. Thread: any. Since: 0.1 */
EDDY_API bool eddy_inet_address_mask_equal (const EddyInetAddressMask *mask1,
                                            const EddyInetAddressMask *mask2);

EDDY_END_DECLS

#endif
