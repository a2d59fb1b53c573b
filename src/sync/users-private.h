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
    uint64_t fibers[EDDY__USERS]; /* identities: they may have ended; 0: none */
    bool has_others;              /* more than those, or not only fibers */
} EddyUsers;

/* Somebody other than the first one has used it; 0: no fiber. */
void eddy__users_add (EddyUsers *users, uint64_t identity);

/* Remembers who uses it now: mostly that is who did before. */
static inline void eddy__users_note (EddyUsers *users, EddyFiber *fiber)
{
    uint64_t identity = fiber == NULL ? 0 : eddy__fiber_identify (fiber);
    if (EDDY__UNLIKELY (users->fibers[0] != identity || identity == 0) && !users->has_others)
        eddy__users_add (users, identity);
}

/* Names them as those who could end a wait. */
void eddy__users_tell (const EddyUsers *users, EddyWakers *wakers);
