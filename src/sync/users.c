/* SPDX-License-Identifier: MIT */
/* Who has used an object. */
#include "sync/users-private.h"

/* Once there are too many to remember, nothing is remembered any more. */
void eddy__users_add (EddyUsers *users, uint64_t identity)
{
    for (int i = 0; i < EDDY__USERS && identity != 0; i++) {
        if (users->fibers[i] == identity)
            return;
        if (users->fibers[i] == 0) {
            users->fibers[i] = identity;
            return;
        }
    }
    users->has_others = true;
}

/* Who will be the first cannot be told. */
void eddy__users_tell (const EddyUsers *users, EddyWakers *wakers)
{
    if (users->has_others || users->fibers[0] == 0)
        eddy__wakers_add_unknown (wakers);
    for (int i = 0; i < EDDY__USERS && users->fibers[i] != 0; i++)
        eddy__wakers_add_identity (wakers, users->fibers[i]);
}
