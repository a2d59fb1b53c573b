/* SPDX-License-Identifier: MIT */
/* The stacks of current cancellables. */
#include "fiber/current-private.h"

#include "base/alloc-private.h"
#include "base/compiler-private.h"
#include "base/object-private.h"
#include "fiber/fiber-private.h"

/* Of a thread outside fibers. */
static EDDY__THREAD EddyCurrent *current_of_thread;

static EddyCurrent **current_top (void)
{
    EddyFiber *fiber = eddy__fiber_current ();
    return fiber == NULL ? &current_of_thread : &fiber->current;
}

void eddy__current_enter (EddyCurrent *current, EddyCancellable *cancellable)
{
    current->cancellable = cancellable;
    if (cancellable == NULL)
        return;
    EddyCurrent **top = current_top ();
    current->outer = *top;
    *top = current;
}

void eddy__current_leave (EddyCurrent *current)
{
    if (current->cancellable != NULL)
        *current_top () = current->outer;
}

EddyCancellable *eddy_cancellable_get_current (void)
{
    const EddyCurrent *current = *current_top ();
    return current == NULL ? NULL : current->cancellable;
}

void eddy_cancellable_push_current (EddyCancellable *cancellable)
{
    EDDY__EXPECT (cancellable != NULL);
    EddyCurrent *current = eddy__reserve_alloc (sizeof *current);
    eddy__current_enter (current, eddy_ref (cancellable));
}

void eddy_cancellable_pop_current (EddyCancellable *cancellable)
{
    EddyCurrent *current = *current_top ();
    EDDY__EXPECT (current != NULL && current->cancellable == cancellable);
    eddy__current_leave (current);
    eddy__reserve_free (current, sizeof *current);
    eddy_unref (cancellable);
}
