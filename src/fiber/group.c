/* SPDX-License-Identifier: MIT */
/* EddyGroup: a scope that ends only after all its children have. */
#include <eddy/group.h>

#include <errno.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "fiber/fiber-private.h"

struct EddyGroup {
    EddyObject object;
    EddyContext *context;
    EddyList member;   /* of the groups of the fiber that made it */
    EddyList children; /* its fibers that have not ended */
    bool cancelled;
    unsigned limit;
    unsigned running;
    EddyList waiters;       /* GroupWait */
    EddyError *first_error; /* has a place of its own: it is told even when memory is out */
    EddyError **errors;     /* all of them; until the second one comes, that place */
    size_t n_errors;
};

/* A fiber that waits for the group to change. */
typedef struct GroupWait {
    EddyList member;
    EddyFiberWait wait;
} GroupWait;

static void group_dispose (void *object)
{
    EddyGroup *group = object;
    for (size_t i = 0; i < group->n_errors; i++)
        eddy_unref (group->errors[i]);
    if (group->errors != &group->first_error)
        eddy__free (group->errors);
    group->n_errors = 0;
    eddy__list_remove (&group->member);
    eddy_clear (&group->context);
}

static const EddyClass group_class = { .name = "EddyGroup",
                                       .size = sizeof (EddyGroup),
                                       .dispose = group_dispose };

EddyGroup *eddy_group_new (void)
{
    EddyFiber *fiber = eddy__fiber_current ();
    EddyGroup *group = eddy_object_new (&group_class);
    if (group == NULL)
        return NULL;
    eddy__list_init (&group->waiters);
    eddy__list_init (&group->children);
    eddy__list_init (&group->member);
    group->context =
        fiber != NULL ? eddy_ref (fiber->future.context) : eddy_context_ref_thread_default ();
    if (fiber == NULL)
        return group;
    if (fiber->groups.next == NULL)
        eddy__list_init (&fiber->groups);
    eddy__list_append (&fiber->groups, &group->member);
    fiber->plain = false;
    group->cancelled = fiber->cancelled;
    return group;
}

void eddy_group_set_limit (EddyGroup *group, unsigned limit)
{
    EDDY__EXPECT (group != NULL);
    group->limit = limit;
}

static void group_wake_waiters (EddyGroup *group)
{
    for (EddyList *link; (link = eddy__list_pop (&group->waiters)) != NULL;)
        eddy__fiber_wake (&EDDY__CONTAINER (link, GroupWait, member)->wait);
}

/* Keeps an error; without memory only the first one of them. */
static void group_keep_error (EddyGroup *group, EddyError *error)
{
    size_t size = (group->n_errors + 1) * sizeof (EddyError *);
    EddyError **grown = NULL;
    if (group->n_errors == 0)
        grown = &group->first_error;
    else if (group->errors != &group->first_error)
        grown = eddy__realloc (group->errors, size);
    else if ((grown = eddy__alloc (size)) != NULL)
        grown[0] = group->first_error;
    if (grown == NULL)
        return;
    group->errors = grown;
    group->errors[group->n_errors++] = eddy_ref (error);
}

/* Asks the children to end; they stay in the list until they have. */
static void group_cancel (EddyGroup *group)
{
    group->cancelled = true;
    for (EddyList *link = group->children.next; link != &group->children; link = link->next)
        eddy__fiber_cancel (EDDY__CONTAINER (link, EddyFiber, sibling), NULL);
}

void eddy__groups_cancel (EddyList *groups)
{
    for (EddyList *link = groups->next; link != groups; link = link->next)
        group_cancel (EDDY__CONTAINER (link, EddyGroup, member));
}

void eddy__groups_leave (EddyList *groups)
{
    while (eddy__list_pop (groups) != NULL)
        ;
}

void eddy__group_child_ended (EddyGroup *group, EddyFiber *fiber)
{
    EddyError *error = fiber->future.error;
    eddy__list_remove (&fiber->sibling);
    fiber->group = NULL;
    group->running--;
    /* What a cancel has ended is no failure of its own. */
    if (error != NULL && !(group->cancelled && eddy_error_is_cancelled (error))) {
        group_keep_error (group, error);
        group_cancel (group);
    }
    group_wake_waiters (group);
    eddy_unref (group);
}

static const EddyWaitKind group_wait_kind = { .what = "a group" };

/* Waits until something ends; shielded: also when cancelled. */
static int group_park (EddyGroup *group, EddyFiber *fiber, bool shielded)
{
    GroupWait group_wait;
    fiber->shielded += shielded;
    int answer = eddy__fiber_wait_begin (&group_wait.wait, fiber);
    if (answer == 0) {
        eddy__list_append (&group->waiters, &group_wait.member);
        eddy__fiber_park (&group_wait.wait, &group_wait_kind, group);
        eddy__list_remove (&group_wait.member);
        answer = group_wait.wait.was_cancelled ? -ECANCELED : 0;
    }
    fiber->shielded -= shielded;
    return answer;
}

/* Waits until one more fiber may run; whether one may. */
static bool group_wait_for_room (EddyGroup *group, EddyError **error)
{
    EddyFiber *fiber = eddy__fiber_current ();
    while (group->limit != 0 && group->running >= group->limit) {
        EDDY__EXPECT (fiber != NULL, false);
        if (group_park (group, fiber, /* shielded= */ false) < 0) {
            eddy_error_take (error, eddy__fiber_make_cancel_error (fiber, NULL));
            return false;
        }
    }
    if (EDDY__LIKELY (!group->cancelled))
        return true;
    eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_CANCELLED, "the group was cancelled");
    return false;
}

/* A fiber that may begin, or NULL. */
static EddyFiber *group_new_fiber (EddyGroup *group, EddyError **error)
{
    if (!group_wait_for_room (group, error))
        return NULL;
    EddyFiber *fiber = eddy__fiber_new (group->context, NULL, 0);
    if (fiber == NULL)
        eddy_error_set_errno (error, ENOMEM, "a fiber");
    return fiber;
}

bool eddy_group_spawn_full (EddyGroup *group, EddyFiberFunc function, void *data,
                            void (*destroy) (void *data), const EddyFiberOptions *options,
                            const EddyPlace *place, EddyError **error)
{
    EDDY__EXPECT (group != NULL && function != NULL, false);
    EddyFiber *fiber = group_new_fiber (group, error);
    if (fiber == NULL) {
        if (destroy != NULL)
            destroy (data);
        return false;
    }
    eddy__fiber_set_function (fiber, function, data, destroy, options, place);
    fiber->group = eddy_ref (group);
    fiber->holds_itself = true;
    eddy__list_append (&group->children, &fiber->sibling);
    group->running++;
    eddy__fiber_start (fiber);
    return true;
}

void eddy_group_cancel (EddyGroup *group)
{
    EDDY__EXPECT (group != NULL);
    group_cancel (group);
}

bool eddy_group_wait (EddyGroup *group, EddyError **error)
{
    EDDY__EXPECT (group != NULL, false);
    EddyFiber *fiber = eddy__fiber_current ();
    if (fiber == NULL && group->running > 0 && eddy__context_enter (group->context) == 0) {
        while (group->running > 0)
            eddy__context_pass (group->context, /* may_block= */ true);
        eddy__context_leave (group->context);
    }
    while (fiber != NULL && group->running > 0)
        group_park (group, fiber, /* shielded= */ true);
    if (group->n_errors == 0)
        return true;
    eddy_error_take (error, eddy_ref (group->errors[0]));
    return false;
}

size_t eddy_group_get_n_errors (EddyGroup *group)
{
    EDDY__EXPECT (group != NULL, 0);
    return group->n_errors;
}

const EddyError *eddy_group_get_error (EddyGroup *group, size_t index)
{
    EDDY__EXPECT (group != NULL && index < group->n_errors, NULL);
    return group->errors[index];
}
