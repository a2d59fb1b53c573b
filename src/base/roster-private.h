/* SPDX-License-Identifier: MIT */
/* EddyRoster: who is there, in no order, for who asks now and then.
 *
 * Each member has a field for its place in here, and the roster points to those fields: to come and
 * to go takes a few stores, and touches one other member at most. */
#pragma once

#include <stdint.h>

#include "base/compiler-private.h"

typedef struct EddyRoster {
    uint32_t **places;
    uint32_t n;
    uint32_t room;
} EddyRoster;

#define EDDY__NO_PLACE UINT32_MAX

/* Makes room for one more; false: memory is out. */
bool eddy__roster_grow (EddyRoster *roster);

/* A member for which there is no memory is not in it. */
static inline void eddy__roster_add (EddyRoster *roster, uint32_t *place)
{
    if (EDDY__UNLIKELY (roster->n == roster->room && !eddy__roster_grow (roster))) {
        *place = EDDY__NO_PLACE;
        return;
    }
    *place = roster->n;
    roster->places[roster->n++] = place;
}

static inline void eddy__roster_remove (EddyRoster *roster, uint32_t *place)
{
    if (EDDY__UNLIKELY (*place == EDDY__NO_PLACE))
        return;
    uint32_t *last = roster->places[--roster->n];
    roster->places[*place] = last;
    *last = *place;
    *place = EDDY__NO_PLACE;
}

void eddy__roster_clear (EddyRoster *roster);
