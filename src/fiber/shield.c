/* SPDX-License-Identifier: MIT */
/* EDDY_SHIELD: waits that a cancel does not end.
 *
 * What a fiber knows of its cancel is laid aside, in the shield on its stack, and what is inside
 * begins anew in the record, where every wait looks: so waits outside shields pay nothing. A cancel
 * of the fiber then goes to where its own state lies, in the outermost shield. */
#include "base/object-private.h"
#include "fiber/fiber-private.h"
#include "sys/clock-private.h"

_Static_assert(sizeof (EddyFiberShield) <= sizeof (EddyShield), "an EddyShield has room for it");

/* --- the cancel of what lies outside ---------------------------------------------------------- */

/* The shield that what `outer` (NULL: the fiber itself) sees is laid aside in; there is one. */
static EddyFiberShield *shield_inside (const EddyFiber *fiber, const EddyFiberShield *outer)
{
    EddyFiberShield *shield = fiber->shield;
    while (shield->outer != outer)
        shield = shield->outer;
    return shield;
}

/* What is laid aside is cancelled. No wait sees it before the shield is left. */
static void shield_cancel_hidden (EddyFiberShield *shield, EddyError *cause)
{
    if (shield->cancelled) {
        eddy_unref (cause);
        return;
    }
    shield->cancelled = true;
    shield->cause = cause;
    if (shield->scope != NULL)
        eddy_cancellable_cancel_with_cause (shield->scope, eddy_ref (cause));
    eddy__groups_cancel (&shield->groups, cause);
}

EddyCancellable *eddy__shield_get_outermost_scope (const EddyFiber *fiber)
{
    return shield_inside (fiber, NULL)->scope;
}

void eddy__shield_cancel_outermost (EddyFiber *fiber, EddyError *cause)
{
    shield_cancel_hidden (shield_inside (fiber, NULL), cause);
}

/* --- the cancel of what lies inside ----------------------------------------------------------- */

/* Takes the cause. */
static void shield_cancel (EddyFiberShield *shield, EddyError *cause)
{
    if (shield->fiber->shield == shield)
        eddy__fiber_cancel_inside (shield->fiber, cause);
    else
        shield_cancel_hidden (shield_inside (shield->fiber, shield), cause);
}

static void shield_timed_out (EddyTimer *timer)
{
    shield_cancel (
        EDDY__CONTAINER (timer, EddyFiberShield, timer),
        eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_TIMED_OUT, "the time of a shield is over"));
}

static void shield_scope_cancelled (EddyCancelWatch *watch)
{
    EddyFiberShield *shield = EDDY__CONTAINER (watch, EddyFiberShield, scope_watch);
    const EddyCancellable *scope = shield->fiber->shield == shield
                                       ? shield->fiber->scope
                                       : shield_inside (shield->fiber, shield)->scope;
    shield_cancel (shield, eddy__cancellable_ref_cause (scope));
}

/* It has the deadline, too, which a job looks at on another thread. */
static EddyCancellable *shield_new_scope (const EddyFiberShield *shield)
{
    if (shield->deadline_ns == INT64_MAX)
        return eddy_cancellable_new ();
    int64_t left_ns = shield->deadline_ns - eddy__sys_now_ns ();
    return eddy_cancellable_new_with_timeout (NULL, left_ns < 0 ? 0 : left_ns);
}

EddyCancellable *eddy__shield_make_scope (EddyFiber *fiber)
{
    EddyFiberShield *shield = fiber->shield;
    EddyCancellable *scope = shield_new_scope (shield);
    if (scope == NULL)
        return NULL;
    if (fiber->cancelled)
        eddy_cancellable_cancel_with_cause (scope, eddy_ref (fiber->cause));
    shield->scope_watch.cancelled = shield_scope_cancelled;
    int answer = eddy__cancellable_watch (scope, fiber->future.context, &shield->scope_watch);
    if (answer == -ENOMEM)
        return eddy_unref (scope);
    fiber->scope = scope;
    return scope;
}

/* --- entering and leaving --------------------------------------------------------------------- */

/* Lays aside what the fiber knows of its cancel. */
static void shield_put_up (EddyFiberShield *shield, EddyFiber *fiber)
{
    shield->outer = fiber->in_shield ? fiber->shield : NULL;
    shield->cancelled = fiber->cancelled;
    shield->scope = fiber->scope;
    shield->cause = fiber->cause;
    shield->current = fiber->current;
    eddy__list_init (&shield->groups);
    if (fiber->groups.next != NULL)
        eddy__list_splice (&shield->groups, &fiber->groups);
    fiber->cancelled = false;
    fiber->scope = NULL;
    fiber->cause = NULL;
    fiber->current = NULL;
    eddy__list_init (&fiber->groups);
    fiber->shield = shield;
    fiber->in_shield = true;
    fiber->plain = false;
}

/* Who could not be told of the time does not begin to wait. */
static void shield_set_timeout (EddyFiberShield *shield, int64_t timeout_ns)
{
    EddyContext *context = shield->fiber->future.context;
    if (timeout_ns < 0 || __builtin_add_overflow (eddy__context_read_clock (context), timeout_ns,
                                                  &shield->deadline_ns))
        shield->deadline_ns = INT64_MAX;
    if (shield->deadline_ns == INT64_MAX)
        return;
    int answer = eddy__timer_add (&context->timers, &shield->timer, shield->deadline_ns);
    if (answer < 0)
        shield_cancel (shield, eddy_error_new_errno (-answer, "the time of a shield"));
}

EddyShield *eddy_shield_enter (EddyShield *shield, int64_t timeout_ns)
{
    EddyFiberShield *self = (EddyFiberShield *) (void *) shield;
    EddyFiber *fiber = eddy__fiber_current ();
    *self = (EddyFiberShield){ .fiber = fiber, .timer = { .fire = shield_timed_out } };
    if (fiber == NULL)
        return shield;
    eddy__list_init (&self->scope_watch.member);
    shield_put_up (self, fiber);
    shield_set_timeout (self, timeout_ns);
    return shield;
}

/* What is inside ends; its groups, if any lives on, are from now on those of what is outside. */
static void shield_take_down (EddyFiberShield *shield, EddyFiber *fiber)
{
    if (shield->cancelled)
        eddy__groups_cancel (&fiber->groups, shield->cause);
    eddy__list_splice (&shield->groups, &fiber->groups);
    eddy__list_splice (&fiber->groups, &shield->groups);
    fiber->cancelled = shield->cancelled;
    fiber->scope = shield->scope;
    fiber->cause = shield->cause;
    fiber->current = shield->current;
    fiber->shield = shield->outer;
    fiber->in_shield = shield->outer != NULL;
}

void eddy_shield_leave (EddyShield *shield)
{
    EddyFiberShield *self = (EddyFiberShield *) (void *) shield;
    EddyFiber *fiber = self->fiber;
    if (fiber == NULL)
        return;
    EDDY__EXPECT (fiber == eddy__fiber_current () && fiber->in_shield && fiber->shield == self);
    eddy__timer_remove (&fiber->future.context->timers, &self->timer);
    eddy__cancellable_unwatch (&self->scope_watch);
    EddyCancellable *scope = fiber->scope;
    EddyError *cause = fiber->cause;
    shield_take_down (self, fiber);
    eddy_unref (scope);
    eddy_unref (cause);
}
