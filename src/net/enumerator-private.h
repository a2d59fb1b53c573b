/* SPDX-License-Identifier: MIT */
/* What the kinds of enumerators share. */
#pragma once

#include <eddy/fiber.h>
#include <eddy/socket-address-enumerator.h>

#include "fiber/fiber-private.h"

/* In a fiber: whether a wait with this cancellable may have ended by a cancel, of it or of the
 * fiber; a deadline's TIMED_OUT does not show that by itself. */
static inline bool eddy__enumerator_is_cancelled (EddyCancellable *cancellable)
{
    return eddy_cancellable_is_cancelled (cancellable) ||
           eddy_cancellable_is_cancelled (eddy_fiber_get_cancellable ());
}
