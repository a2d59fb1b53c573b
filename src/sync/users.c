/* SPDX-License-Identifier: MIT */
/* Who has used an object. */
#include "sync/users-private.h"

/* Once there are too many to remember, nothing is remembered any more. */
void eddy__users_add (EddyUsers *users, const EddyFiber *fiber)
{
    for (int i = 0; i < EDDY__USERS && fiber != NULL; i++) {
        if (users->fibers[i] == fiber)
            return;
        if (users->fibers[i] == NULL) {
            users->fibers[i] = fiber;
            return;
        }
    }
    users->has_others = true;
}

/* Who will be the first cannot be told. */
void eddy__users_tell (const EddyUsers *users, EddyWakers *wakers)
{
    if (users->has_others || users->fibers[0] == NULL)
        eddy__wakers_add_unknown (wakers);
    for (int i = 0; i < EDDY__USERS && users->fibers[i] != NULL; i++)
        eddy__wakers_add (wakers, users->fibers[i]);
}
