/* SPDX-License-Identifier: MIT */
/* The end of a group as a future: a fiber that waits for it. */
#include "base/object-private.h"
#include "fiber/group-private.h"

static EddyGroup **future_get_group (EddyFiber *fiber)
{
    return eddy__fiber_get_extra (fiber);
}

/* Lets go of the group here, on its thread: the future may go on any. */
static void future_wait (EddyFiber *fiber, EddyValue *value, EddyError **error)
{
    EddyGroup **group = future_get_group (fiber);
    if (eddy_group_wait (*group, error))
        *value = (EddyValue){ .kind = EDDY_VALUE_BOOLEAN, .as.boolean = true };
    eddy_clear (group);
}

static void future_clear (void *extra)
{
    eddy_unref (*(EddyGroup **) extra);
}

EddyFuture *eddy_group_wait_future (EddyGroup *group)
{
    EDDY__EXPECT (group != NULL, NULL);
    EddyFiber *fiber = eddy__fiber_new (group->context, NULL, sizeof group);
    if (fiber == NULL)
        return eddy__future_new_failed (group->context, NULL, EDDY_PRIORITY_DEFAULT, "a fiber");
    *future_get_group (fiber) = eddy_ref (group);
    fiber->clear_extra = future_clear;
    fiber->body = future_wait;
    fiber->name = "eddy_group_wait_future";
    eddy__fiber_start (fiber);
    return &fiber->future;
}
