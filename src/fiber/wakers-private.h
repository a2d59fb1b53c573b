/* SPDX-License-Identifier: MIT */
/* Where what waits tells who could end its wait: what EddyWaitKind's find_wakers calls, while a
 * dump is made (dump-part.c). */
#pragma once

#include "fiber/fiber-private.h"

/* This fiber, which may have ended, could end the wait. */
void eddy__wakers_add (EddyWakers *wakers, const EddyFiber *fiber);
/* Something else may, of which nobody knows. */
void eddy__wakers_add_unknown (EddyWakers *wakers);
