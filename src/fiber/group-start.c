/* SPDX-License-Identifier: MIT */
/* A group's fiber that says when it is ready, and who waits for that. */
#include <eddy/group.h>

#include <errno.h>

#include "base/object-private.h"
#include "fiber/group-private.h"
#include "fiber/pool-private.h"
#include "fiber/wakers-private.h"

/* --- who waits, at home ----------------------------------------------------------------------- */

static void start_find_wakers (const void *on, EddyWakers *wakers)
{
    const EddyGroupStart *start = on;
    if (start->fiber != NULL)
        eddy__wakers_add (wakers, start->fiber);
    else
        eddy__wakers_add_unknown (wakers);
}

static const EddyWaitKind start_wait_kind = { .what = "a fiber to be ready",
                                              .find_wakers = start_find_wakers };

/* Whoever waits for this fiber, taken out; NULL: nobody. */
static EddyGroupStart *start_take (EddyGroup *group, const EddyFiber *fiber)
{
    for (EddyList *link = group->starts.next; link != &group->starts; link = link->next) {
        EddyGroupStart *start = EDDY__CONTAINER (link, EddyGroupStart, member);
        if (start->fiber != fiber)
            continue;
        eddy__list_remove (&start->member);
        start->fiber = NULL;
        return start;
    }
    return NULL;
}

static void start_wake (EddyGroupStart *start)
{
    if (start->waits)
        eddy__fiber_wake (&start->wait);
}

bool eddy__group_start_ended (EddyGroup *group, EddyFiber *fiber)
{
    EddyGroupStart *start = start_take (group, fiber);
    if (start == NULL)
        return false;
    start->error = eddy_ref (fiber->future.error);
    start_wake (start);
    return true;
}

static bool start_tell_ready (EddyGroup *group, const EddyFiber *fiber, void *value)
{
    EddyGroupStart *start = start_take (group, fiber);
    if (start == NULL)
        return false;
    start->is_ready = true;
    start->value = value;
    start_wake (start);
    return true;
}

static bool start_is_decided (const void *data)
{
    const EddyGroupStart *start = data;
    return start->fiber == NULL;
}

/* With the caller's cause where the fiber is at home, so that nobody else touches it now. */
static void start_cancel (const EddyGroupStart *start, const EddyFiber *fiber)
{
    EddyFuture *future = &start->fiber->future;
    if (future->context == fiber->future.context)
        eddy__fiber_cancel (start->fiber, eddy__fiber_ref_cause (fiber));
    else
        eddy_future_cancel (future);
}

/* When the caller is cancelled, so is the fiber, and its end is waited for: or that it is ready all
 * the same. */
static void start_wait (EddyGroupStart *start, EddyFiber *fiber)
{
    bool cancelled = false;
    while (!start_is_decided (start)) {
        fiber->shielded += cancelled;
        start->waits = eddy__fiber_wait_begin (&start->wait, fiber) == 0;
        if (start->waits)
            eddy__fiber_park (&start->wait, &start_wait_kind, start);
        start->waits = false;
        fiber->shielded -= cancelled;
        if (cancelled || start_is_decided (start))
            continue;
        cancelled = true;
        start_cancel (start, fiber);
    }
}

/* Why the fiber is not ready. A cancel of the caller's is told as such. */
static EddyError *start_make_error (const EddyGroupStart *start, EddyFiber *fiber)
{
    if (fiber != NULL && eddy__fiber_is_cancelled (fiber) &&
        (start->error == NULL || eddy_error_is_cancelled (start->error)))
        return eddy__fiber_make_cancel_error (fiber, NULL);
    if (start->error != NULL)
        return eddy_ref (start->error);
    return eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_FAILED,
                           "the fiber ended before it was ready");
}

void *eddy_group_start_full (EddyGroup *group, EddyFiberFunc function, void *data,
                             void (*destroy) (void *data), const EddyFiberOptions *options,
                             const EddyPlace *place, EddyError **error)
{
    EDDY__EXPECT (group != NULL && function != NULL, NULL);
    EddyFiber *fiber = eddy__fiber_current ();
    EddyGroupStart start = { .fiber = eddy__group_spawn (group, function, data, destroy, options,
                                                         place, /* is_awaited= */ true, error) };
    if (start.fiber == NULL)
        return NULL;
    int answer = 0;
    eddy__list_append (&group->starts, &start.member);
    if (fiber != NULL)
        start_wait (&start, fiber);
    else
        answer = eddy__group_run_until (group, start_is_decided, &start);
    if (answer < 0) {
        eddy__list_remove (&start.member);
        eddy_error_set_errno (error, -answer, "running a context");
    } else if (!start.is_ready) {
        eddy_error_take (error, start_make_error (&start, fiber));
    }
    eddy_unref (start.error);
    return start.value;
}

/* --- who is ready ----------------------------------------------------------------------------- */

/* It has come home from a pool's thread, before the fiber's end. */
static void ready_arrived (EddyEntry *entry)
{
    EddyPoolJob *job = EDDY__CONTAINER (entry, EddyPoolJob, ready);
    EddyFiber *fiber = job->fiber;
    start_tell_ready (fiber->group, fiber, job->ready_value);
}

bool eddy_fiber_report_ready (void *value)
{
    EddyFiber *fiber = eddy__fiber_current ();
    EDDY__EXPECT (fiber != NULL, false);
    EddyGroup *group = fiber->group;
    if (group == NULL)
        return false;
    if (fiber->future.context == group->context)
        return start_tell_ready (group, fiber, value);
    EddyPoolJob *job = eddy__fiber_get_extra (fiber);
    if (!job->is_awaited)
        return false;
    job->is_awaited = false;
    job->ready_value = value;
    job->ready = (EddyEntry){ .run = ready_arrived, .priority = EDDY__PRIORITY_NOW };
    /* The group waits for the fiber, so its context is there. */
    return eddy__context_post (group->context, &job->ready);
}
