/* SPDX-License-Identifier: MIT */
/* EddyRoster: its memory. */
#include "base/roster-private.h"

#include "base/alloc-private.h"

enum { FIRST_ROOM = 64 };

bool eddy__roster_grow (EddyRoster *roster)
{
    uint32_t room = roster->room == 0 ? FIRST_ROOM : roster->room * 2;
    if (room <= roster->room)
        return false;
    uint32_t **grown = eddy__realloc (roster->places, room * sizeof *grown);
    if (grown == NULL)
        return false;
    roster->places = grown;
    roster->room = room;
    return true;
}

void eddy__roster_clear (EddyRoster *roster)
{
    eddy__free (roster->places);
    *roster = (EddyRoster){ .places = NULL };
}
