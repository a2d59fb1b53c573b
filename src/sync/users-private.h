/* SPDX-License-Identifier: MIT */
/* The fibers that have used one side of an object, such as the sending end of a channel: those that
 * could end a wait at the other side, as far as anybody can tell. Under the object's lock. */
#pragma once

#include "base/compiler-private.h"
#include "fiber/wakers-private.h"

/* How many are remembered. */
enum { EDDY__USERS = 4 };

/* All zero: nobody yet. */
typedef struct EddyUsers {
    const EddyFiber *fibers[EDDY__USERS]; /* compared, never followed: they may have ended */
    bool has_others;                      /* more than those, or not only fibers */
} EddyUsers;

/* Somebody other than the first one has used it; NULL: no fiber. */
void eddy__users_add (EddyUsers *users, const EddyFiber *fiber);

/* Remembers who uses it now: mostly that is who did before. */
static inline void eddy__users_note (EddyUsers *users, const EddyFiber *fiber)
{
    if (EDDY__UNLIKELY (users->fibers[0] != fiber || fiber == NULL) && !users->has_others)
        eddy__users_add (users, fiber);
}

/* Names them as those who could end a wait. */
void eddy__users_tell (const EddyUsers *users, EddyWakers *wakers);
