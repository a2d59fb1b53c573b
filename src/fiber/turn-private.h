/* SPDX-License-Identifier: MIT */
/* How a fiber lets others run: the way from a public function to the switch, inlined as a whole.
 *
 * After a switch the processor's stack of predicted returns holds the other flow's calls, so each
 * return from a function between the public one and the switch may be predicted wrong, at 6 ns. */
#pragma once

#include "fiber/fiber-private.h"

/* The loop's flow, under the innermost pass of this thread. */
extern EDDY__THREAD EddyFiberFlow *eddy__fiber_loop;
/* Ended, and to be freed by the flow that runs next. */
extern EDDY__THREAD EddyFiber *eddy__fiber_dead;

/* Where this thread's errno is; NULL before its first fiber. */
extern EDDY__THREAD int *eddy__fiber_error_number;

/* The bottom of a fiber's stack. */
void eddy__fiber_main (EddyFlow *flow);
/* Asked before a thread sleeps. */
int64_t eddy__fiber_before_sleep (int64_t timeout_ns);
/* What a fiber's entry runs: its turn, on the loop's stack. */
void eddy__fiber_run (EddyEntry *entry);
/* Makes a new fiber whose turn it is fit to be switched to; false when it has failed instead. */
bool eddy__fiber_make_fit (EddyFiber *fiber);
/* Buries who made the last switch. */
void eddy__fiber_bury_dead (EddyFiber *dead);

/* Right after each switch, on the flow that now runs. */
EDDY__FIBER_INLINE void fiber_arrived (void)
{
    EddyFiber *dead = eddy__fiber_dead;
    if (EDDY__UNLIKELY (dead != NULL))
        eddy__fiber_bury_dead (dead);
}

EDDY__FIBER_INLINE void fiber_exchange (EddyFiberFlow *from, EddyFiberFlow *to, bool from_is_dying)
{
    eddy__sanitizer_before_switch (&from->sanitizer, &to->sanitizer, from_is_dying);
    eddy__switch (&from->flow, &to->flow);
    eddy__sanitizer_after_switch (&from->sanitizer);
    fiber_arrived ();
}

/* From a running fiber to the next one; NULL: to the loop. Returns when it is its turn again. */
EDDY__FIBER_INLINE void fiber_switch_to (EddyFiber *from, EddyFiber *to, bool from_is_dying)
{
    eddy__overflow_fiber = to;
    if (to == NULL) {
        fiber_exchange (&from->flow, eddy__fiber_loop, from_is_dying);
        return;
    }
    to->state = EDDY_FIBER_RUNNING;
    fiber_exchange (&from->flow, &to->flow, from_is_dying);
}

/* Takes the next fiber that may run without the loop: of the same level, and older than the pass;
 * or of the next turn, when the loop would find nothing else to do first. NULL: back to the loop.
 */
EDDY__FIBER_INLINE EddyFiber *fiber_take (EddyContext *context)
{
    EddyEntry *entry = eddy__context_take_running (context, eddy__fiber_run);
    return entry == NULL ? NULL : EDDY__CONTAINER (entry, EddyFiber, future.entry);
}

/* A fiber has its stack: from now on it counts as alive. */
EDDY__FIBER_INLINE void fiber_join_context (EddyFiber *fiber)
{
    EddyContext *context = fiber->future.context;
    fiber->error_number = eddy__fiber_error_number;
    if (EDDY__UNLIKELY (context->before_sleep == NULL))
        context->before_sleep = eddy__fiber_before_sleep;
    context->live_fibers++;
}

/* Its stack gets its flow. */
EDDY__FIBER_INLINE void fiber_prepare (EddyFiber *fiber)
{
    eddy__switch_prepare (&fiber->flow.flow, fiber->stack->top, eddy__fiber_main);
    eddy__sanitizer_fiber_init (&fiber->flow.sanitizer, fiber->stack->bottom, fiber->stack->size);
    fiber_join_context (fiber);
}

/* eddy__fiber_make_fit(), without a call for plain fibers; what fails here fails there once more.
 */
EDDY__FIBER_INLINE bool fiber_make_fit (EddyFiber *fiber)
{
    if (EDDY__UNLIKELY (!fiber->plain || eddy__fiber_error_number == NULL ||
                        eddy__stack_take (0, &fiber->stack) < 0))
        return eddy__fiber_make_fit (fiber);
    fiber_prepare (fiber);
    return true;
}

/* The same, fit to be switched to. */
EDDY__FIBER_INLINE EddyFiber *fiber_next (EddyContext *context)
{
    EddyFiber *fiber = fiber_take (context);
    while (fiber != NULL && EDDY__UNLIKELY (fiber->state == EDDY_FIBER_NEW) &&
           !fiber_make_fit (fiber))
        fiber = fiber_take (context);
    return fiber;
}

/* The wait for a future. */
typedef struct EddyFutureWait {
    EddyFiberWait wait;
    EddyWatcher watcher;
} EddyFutureWait;

/* Of whoever waits for one. */
extern const EddyWaitKind eddy__future_wait_kind;

/* Its watcher's: wakes the fiber. */
void eddy__future_wait_completed (EddyWatcher *watcher);

/* Lets others of its context run. errno is the fiber's own. Most fibers of a burst never come here,
 * and are never listed. */
EDDY__FIBER_INLINE void fiber_leave (EddyFiber *fiber, EddyContext *context)
{
    if (EDDY__UNLIKELY (!fiber->listed)) {
        eddy__list_append (&context->fibers, &fiber->member);
        fiber->listed = true;
        fiber->plain = false;
    }
    int error_number = *fiber->error_number;
    EddyFiber *next = fiber_next (context);
    if (next == fiber)
        fiber->state = EDDY_FIBER_RUNNING;
    else
        fiber_switch_to (fiber, next, /* from_is_dying= */ false);
    if (EDDY__UNLIKELY (*fiber->error_number != error_number))
        *fiber->error_number = error_number;
}

EDDY__FIBER_INLINE void fiber_park (EddyFiberWait *wait, const EddyWaitKind *kind, const void *on)
{
    EddyFiber *fiber = wait->fiber;
    while (!wait->woken) {
        fiber->waits_for = kind;
        fiber->waits_on = on;
        fiber->parked = fiber->future.context->stamp;
        fiber->state = EDDY_FIBER_PARKED;
        fiber_leave (fiber, fiber->future.context);
    }
    fiber->wait = NULL;
}
