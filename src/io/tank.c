/* SPDX-License-Identifier: MIT */
/* Bytes between two fibers. */
#include "io/tank-private.h"

#include <string.h>

#include "base/alloc-private.h"
#include "base/compiler-private.h"
#include "fiber/wakers-private.h"

bool eddy__tank_init (EddyTank *tank, size_t low, size_t high)
{
    if (high == 0)
        high = EDDY__TANK_HIGH;
    *tank = (EddyTank){ .high = high, .low = low != 0 && low < high ? low : high / 4 };
    eddy__lock_init (&tank->lock);
    eddy__list_init (&tank->filler);
    eddy__list_init (&tank->drainer);
    tank->bytes = eddy__alloc (high);
    return tank->bytes != NULL;
}

void eddy__tank_clear (EddyTank *tank)
{
    eddy__free (tank->bytes);
    eddy_clear (&tank->error);
    tank->bytes = NULL;
}

/* --- waiting ---------------------------------------------------------------------------------- */

/* The other side's fiber ends it, or whoever has given it a stream to work on. */
static void tank_find_wakers (const void *on, EddyWakers *wakers)
{
    (void) on;
    eddy__wakers_add_unknown (wakers);
}

static const EddyWaitKind tank_wait_kind = { "a stream's buffer", NULL, tank_find_wakers };

static bool tank_wait (EddyTank *tank, EddyList *side, EddyCancellable *cancellable,
                       EddyError **error)
{
    EddyFiber *fiber = eddy__fiber_current ();
    EddyParking parking;
    int answer = eddy__parking_begin (&parking, fiber, cancellable);
    if (answer == 0) {
        bool locked = eddy__lock (&tank->lock);
        eddy__list_append (side, &parking.member);
        answer =
            eddy__parking_wait (&parking, &tank->lock, locked, cancellable, &tank_wait_kind, tank);
    }
    if (answer == 0)
        return true;
    eddy_error_take (error, eddy__parking_make_error (answer, fiber, cancellable, "waiting"));
    return false;
}

static void tank_wake (EddyTank *tank, EddyList *side)
{
    bool locked = eddy__lock (&tank->lock);
    for (EddyList *first; (first = eddy__list_pop (side)) != NULL;)
        eddy__parking_grant (EDDY__CONTAINER (first, EddyParking, member));
    eddy__unlock (&tank->lock, locked);
}

bool eddy__tank_wait_for_room (EddyTank *tank, EddyCancellable *cancellable, EddyError **error)
{
    while (tank->is_full && !tank->has_ended)
        if (!tank_wait (tank, &tank->filler, cancellable, error))
            return false;
    return true;
}

bool eddy__tank_wait_for_bytes (EddyTank *tank, EddyCancellable *cancellable, EddyError **error)
{
    while (tank->level == 0 && !tank->has_ended)
        if (!tank_wait (tank, &tank->drainer, cancellable, error))
            return false;
    return true;
}

bool eddy__tank_wait_until_empty (EddyTank *tank, EddyCancellable *cancellable, EddyError **error)
{
    while (tank->level > 0 && !tank->has_ended)
        if (!tank_wait (tank, &tank->filler, cancellable, error))
            return false;
    return true;
}

/* --- filling and draining --------------------------------------------------------------------- */

EddyInputVector eddy__tank_get_room (const EddyTank *tank)
{
    if (tank->is_full)
        return (EddyInputVector){ NULL, 0 };
    size_t end = tank->begin + tank->level;
    size_t at = end < tank->high ? end : end - tank->high;
    size_t limit = end < tank->high ? tank->high : tank->begin;
    return (EddyInputVector){ tank->bytes + at, limit - at };
}

void eddy__tank_filled (EddyTank *tank, size_t count)
{
    tank->level += count;
    tank->is_full = tank->level == tank->high;
    tank_wake (tank, &tank->drainer);
}

EddyOutputVector eddy__tank_get_bytes (const EddyTank *tank)
{
    size_t together = tank->high - tank->begin;
    return (EddyOutputVector){ tank->bytes + tank->begin,
                               tank->level < together ? tank->level : together };
}

void eddy__tank_drained (EddyTank *tank, size_t count)
{
    tank->level -= count;
    tank->begin += count;
    if (tank->begin >= tank->high)
        tank->begin -= tank->high;
    if (tank->level <= tank->low)
        tank->is_full = false;
    /* Who waits until it is empty looks whether it is. */
    if (!tank->is_full)
        tank_wake (tank, &tank->filler);
}

size_t eddy__tank_put (EddyTank *tank, const void *bytes, size_t count)
{
    size_t done = 0;
    while (done < count && !tank->is_full) {
        EddyInputVector room = eddy__tank_get_room (tank);
        size_t n = count - done < room.size ? count - done : room.size;
        memcpy (room.buffer, (const char *) bytes + done, n);
        eddy__tank_filled (tank, n);
        done += n;
    }
    return done;
}

size_t eddy__tank_take (EddyTank *tank, void *bytes, size_t count)
{
    size_t done = 0;
    while (done < count && tank->level > 0) {
        EddyOutputVector held = eddy__tank_get_bytes (tank);
        size_t n = count - done < held.size ? count - done : held.size;
        memcpy ((char *) bytes + done, held.buffer, n);
        eddy__tank_drained (tank, n);
        done += n;
    }
    return done;
}

/* --- the end ---------------------------------------------------------------------------------- */

void eddy__tank_end (EddyTank *tank, EddyError *error)
{
    tank->has_ended = true;
    eddy_unref (tank->error);
    tank->error = error;
    tank_wake (tank, &tank->filler);
    tank_wake (tank, &tank->drainer);
}

EddyError *eddy__tank_begin_again (EddyTank *tank)
{
    tank->has_ended = false;
    return EDDY_TAKE (tank->error);
}
