/* SPDX-License-Identifier: MIT */
/* What a dump tells of a fiber that waits for a future. */
#include "fiber/dump-private.h"
#include "fiber/turn-private.h"
#include "future/combinator-private.h"
#include "future/task-private.h"

/* Futures of futures of futures … are looked through so far. */
enum { DEPTH_MOST = 16 };

/* Of another thread's future nothing is read that may change. */
static const char *future_wait_get_name (const void *on)
{
    EddyFuture *future = (EddyFuture *) (uintptr_t) on;
    if (!eddy__future_is_task (future))
        return eddy__form_get_name (future);
    const EddyPlace *place = eddy__task_of (future)->place;
    return place == NULL ? NULL : place->function;
}

static void future_find_wakers (EddyFuture *future, EddyWakers *wakers, int depth);

/* Whatever it still waits for may end it, as may its time. Only at home can it be looked at. */
static void combinator_find_wakers (EddyCombinator *self, EddyWakers *wakers, int depth)
{
    if (!eddy__context_is_owned (self->future.context) || !self->begun || self->n_pending == 0 ||
        self->kind->awaits_time || self->deadline_ns != INT64_MAX || depth == DEPTH_MOST) {
        eddy__wakers_add_unknown (wakers);
        return;
    }
    for (size_t i = 0; i < self->n_inputs; i++)
        if (self->inputs[i].pending)
            future_find_wakers (self->inputs[i].future, wakers, depth + 1);
}

/* A fiber ends its future itself, others are ended by futures; the rest comes from outside. */
static void future_find_wakers (EddyFuture *future, EddyWakers *wakers, int depth)
{
    EddyCombinator *combinator = eddy__combinator_of (future);
    if (eddy__future_is_fiber (future))
        eddy__wakers_add (wakers, eddy__fiber_of (future));
    else if (combinator != NULL)
        combinator_find_wakers (combinator, wakers, depth);
    else
        eddy__wakers_add_unknown (wakers);
}

static void future_wait_find_wakers (const void *on, EddyWakers *wakers)
{
    future_find_wakers ((EddyFuture *) (uintptr_t) on, wakers, 0);
}

const EddyWaitKind eddy__future_wait_kind = { .what = "a future",
                                              .get_name = future_wait_get_name,
                                              .find_wakers = future_wait_find_wakers };
