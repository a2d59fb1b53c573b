/* SPDX-License-Identifier: MIT */
/*
 * EddyRoster: who is there, wherever the others go.
 */
#include "base/roster-private.h"

#include "base/alloc-private.h"
#include "test.h"

enum { MEMBERS = 1000 };

/* Whether the roster has just those of the members that say so. */
static void expect_members (const EddyRoster *roster, uint32_t *places, const bool *are_in)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < MEMBERS; i++) {
        n += are_in[i];
        if (are_in[i])
            ck_assert_ptr_eq (roster->places[places[i]], &places[i]);
        else
            ck_assert_uint_eq (places[i], EDDY__NO_PLACE);
    }
    ck_assert_uint_eq (roster->n, n);
}

EDDY_TEST (roster_has_who_came_and_did_not_go)
{
    EddyRoster roster = { .n = 0 };
    uint32_t places[MEMBERS];
    bool are_in[MEMBERS];
    for (uint32_t i = 0; i < MEMBERS; i++) {
        eddy__roster_add (&roster, &places[i]);
        ck_assert_uint_ne (places[i], EDDY__NO_PLACE);
        are_in[i] = true;
    }
    expect_members (&roster, places, are_in);
    /* From all over, the last and the first among them. */
    for (uint32_t i = 0; i < MEMBERS; i++) {
        uint32_t k = i * 617 % MEMBERS;
        eddy__roster_remove (&roster, &places[k]);
        eddy__roster_remove (&roster, &places[k]);
        are_in[k] = false;
        if (i % 50 == 0)
            expect_members (&roster, places, are_in);
    }
    ck_assert_uint_eq (roster.n, 0);
    eddy__roster_clear (&roster);
}

static int deny (size_t size, void *data)
{
    (void) size;
    (void) data;
    return 1;
}

EDDY_TEST (roster_without_memory_leaves_out_who_comes)
{
    EddyRoster roster = { .n = 0 };
    uint32_t place;
    eddy__alloc_set_fault (deny, NULL);
    eddy__roster_add (&roster, &place);
    eddy__alloc_set_fault (NULL, NULL);
    ck_assert_uint_eq (place, EDDY__NO_PLACE);
    ck_assert_uint_eq (roster.n, 0);
    eddy__roster_remove (&roster, &place);
    eddy__roster_add (&roster, &place);
    ck_assert_uint_eq (place, 0);
    eddy__roster_clear (&roster);
}
