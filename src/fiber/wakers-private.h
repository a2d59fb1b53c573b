/* SPDX-License-Identifier: MIT */
/* Where what waits tells who could end its wait. Until there is a dump, nobody listens. */
#pragma once

#include "fiber/fiber-private.h"

static inline void eddy__wakers_add (EddyWakers *wakers, const EddyFiber *fiber)
{
    (void) wakers;
    (void) fiber;
}

static inline void eddy__wakers_add_unknown (EddyWakers *wakers)
{
    (void) wakers;
}
