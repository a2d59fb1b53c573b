/* SPDX-License-Identifier: MIT */
/* Where what waits tells who could end its wait: what EddyWaitKind's find_wakers calls, while a
 * dump is made (dump-part.c). */
#pragma once

#include "fiber/fiber-private.h"

/* The fiber that was remembered as this, and may have ended, could end the wait. */
void eddy__wakers_add_identity (EddyWakers *wakers, uint64_t identity);
/* The same of one whose record is there. */
static inline void eddy__wakers_add (EddyWakers *wakers, const EddyFiber *fiber)
{
    eddy__wakers_add_identity (wakers, eddy__fiber_get_identity (fiber));
}
/* Something else may, of which nobody knows. */
void eddy__wakers_add_unknown (EddyWakers *wakers);
