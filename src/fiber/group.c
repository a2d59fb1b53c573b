/* SPDX-License-Identifier: MIT */
/* EddyGroup: a scope that ends only after all its children have. */
#include <eddy/group.h>

#include <errno.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "fiber/group-private.h"
#include "fiber/pool-private.h"
#include "fiber/wakers-private.h"

/* A fiber that waits for the group to change. */
typedef struct GroupWait {
    EddyList member;
    EddyFiberWait wait;
    bool granted;
} GroupWait;

/* --- cancelling ------------------------------------------------------------------------------- */

/* Takes the first of those that wait out, and lets him go on. */
static bool group_wake (EddyList *waits)
{
    EddyList *link = eddy__list_pop (waits);
    if (link == NULL)
        return false;
    GroupWait *group_wait = EDDY__CONTAINER (link, GroupWait, member);
    group_wait->granted = true;
    eddy__fiber_wake (&group_wait->wait);
    return true;
}

/* A fiber's cancel goes on to the groups that it made, and to their fibers: as deep as they are
 * nested, which a stack may not be. From here on a cancel is put off,
 * and done last. */
enum { GROUP_DEEPEST = 32 };

static EDDY__THREAD unsigned group_depth;
static EDDY__THREAD EddyList group_deferred; /* with a hold of each; `next` NULL: not begun */

static void group_cancel_children (EddyGroup *group)
{
    eddy_cancellable_cancel_with_cause (group->scope, eddy_ref (group->cause));
    for (EddyList *link = group->children.next; link != &group->children; link = link->next)
        eddy__fiber_cancel (EDDY__CONTAINER (link, EddyFiber, sibling), eddy_ref (group->cause));
    while (group_wake (&group->claimants))
        group->promised++; /* each of them looks for himself */
}

static void group_defer (EddyGroup *group)
{
    if (group_deferred.next == NULL)
        eddy__list_init (&group_deferred);
    eddy__list_append (&group_deferred, &group->deferred);
    eddy_object_hold (group);
}

static void group_cancel_deferred (void)
{
    if (group_deferred.next == NULL)
        return;
    for (EddyList *link; (link = eddy__list_pop (&group_deferred)) != NULL;) {
        EddyGroup *group = EDDY__CONTAINER (link, EddyGroup, deferred);
        group_cancel_children (group);
        eddy_object_release (group);
    }
}

/* Asks the children to end, taking the cause; they stay in the list until they have. Who cancels
 * has a reference or a hold: handlers of a program's run in here. */
static void group_cancel (EddyGroup *group, EddyError *cause)
{
    if (group->cancelled) {
        eddy_unref (cause);
        return;
    }
    group->cancelled = true;
    group->cause = cause;
    if (group_depth == GROUP_DEEPEST) {
        group_defer (group);
        return;
    }
    group_depth++;
    group_cancel_children (group);
    if (group_depth == 1)
        group_cancel_deferred ();
    group_depth--;
}

/* Its deadline has come. */
static void group_scope_cancelled (EddyCancelWatch *watch)
{
    EddyGroup *group = EDDY__CONTAINER (watch, EddyGroup, scope_watch);
    eddy_object_hold (group);
    group_cancel (group, eddy__cancellable_ref_cause (group->scope));
    eddy_object_release (group);
}

/* The first that is to be cancelled, too. */
static EddyGroup *groups_find_open (const EddyList *groups)
{
    for (EddyList *link = groups->next; link != groups; link = link->next) {
        EddyGroup *group = EDDY__CONTAINER (link, EddyGroup, member);
        if (!group->cancelled)
            return group;
    }
    return NULL;
}

void eddy__groups_cancel (EddyList *groups, EddyError *cause)
{
    /* Each time from the start, since handlers may let go of any group. */
    for (EddyGroup *group; (group = groups_find_open (groups)) != NULL;) {
        eddy_object_hold (group);
        group_cancel (group, eddy_ref (cause));
        eddy_object_release (group);
    }
}

void eddy__groups_leave (EddyList *groups)
{
    while (eddy__list_pop (groups) != NULL)
        continue;
}

/* What its fibers' scopes follow, where there is a reason: a deadline, or fibers on other threads.
 * NULL when memory is out. */
static EddyCancellable *group_get_scope (EddyGroup *group)
{
    if (group->scope != NULL)
        return group->scope;
    group->scope = eddy_cancellable_new_child (group->governor);
    if (group->cancelled)
        eddy_cancellable_cancel_with_cause (group->scope, eddy_ref (group->cause));
    return group->scope;
}

/* --- making ----------------------------------------------------------------------------------- */

/* Let go of while fibers run: they are asked to end, and do so unseen. */
static void group_dispose (void *object)
{
    EddyGroup *group = object;
    eddy__list_remove (&group->member);
    eddy__cancellable_unwatch (&group->scope_watch);
    if (group->running > 0)
        group_cancel (group, NULL);
}

static void group_finalize (void *object)
{
    EddyGroup *group = object;
    for (size_t i = 0; i < group->n_errors; i++)
        eddy_unref (group->errors[i]);
    if (group->errors != &group->first_error)
        eddy__free (group->errors);
    eddy_unref (group->cause);
    eddy_unref (group->scope);
    eddy_unref (group->governor);
    eddy_unref (group->pool);
    eddy_unref (group->context);
}

static const EddyClass group_class = { .name = "EddyGroup",
                                       .size = sizeof (EddyGroup),
                                       .dispose = group_dispose,
                                       .finalize = group_finalize };

EddyError *eddy__fiber_ref_cause (const EddyFiber *fiber)
{
    if (fiber->cancelled || fiber->scope == NULL)
        return eddy_ref (fiber->cause);
    return eddy__cancellable_ref_cause (fiber->scope);
}

/* What the scope of a fiber's group follows. A shield whose time is limited needs one of its own
 * for that. */
static EddyCancellable *fiber_get_governor (EddyFiber *fiber)
{
    if (fiber->scope != NULL)
        return fiber->scope;
    if (!fiber->in_shield)
        return eddy__fiber_get_parent (fiber);
    return fiber->shield->deadline_ns == INT64_MAX ? NULL : eddy__fiber_get_scope (fiber);
}

/* The group belongs to the fiber that makes it: its cancel, its cause and its deadline. False when
 * memory is out. */
static bool group_join_maker (EddyGroup *group, EddyFiber *fiber)
{
    if (fiber->groups.next == NULL)
        eddy__list_init (&fiber->groups);
    fiber->plain = false;
    eddy__list_append (&fiber->groups, &group->member);
    group->governor = eddy_ref (fiber_get_governor (fiber));
    if (eddy__fiber_is_cancelled (fiber))
        group_cancel (group, eddy__fiber_ref_cause (fiber));
    return eddy_cancellable_get_deadline (group->governor) == INT64_MAX ||
           group_get_scope (group) != NULL;
}

EddyGroup *eddy_group_new (void)
{
    EddyFiber *fiber = eddy__fiber_current ();
    EddyGroup *group = eddy_object_new (&group_class);
    if (group == NULL)
        return NULL;
    eddy__list_init (&group->joiners);
    eddy__list_init (&group->claimants);
    eddy__list_init (&group->starts);
    eddy__list_init (&group->children);
    eddy__list_init (&group->away);
    eddy__list_init (&group->member);
    eddy__list_init (&group->scope_watch.member);
    group->context =
        fiber != NULL ? eddy_ref (fiber->future.context) : eddy_context_ref_thread_default ();
    if (fiber != NULL && !group_join_maker (group, fiber))
        return eddy_unref (group);
    return group;
}

/* Has the group told when its deadline comes; 0 or -errno. */
static int group_watch_scope (EddyGroup *group)
{
    if (!eddy_context_acquire (group->context))
        return -EBUSY;
    group->scope_watch.cancelled = group_scope_cancelled;
    int answer = eddy__cancellable_follow (group->scope, group->context, &group->scope_watch);
    eddy_context_release (group->context);
    return answer;
}

EddyGroup *eddy_group_new_with_timeout (int64_t timeout_ns)
{
    EDDY__EXPECT (timeout_ns >= 0, NULL);
    EddyGroup *group = eddy_group_new ();
    if (group == NULL || group->cancelled)
        return group;
    eddy_clear (&group->scope);
    group->scope = eddy_cancellable_new_with_timeout (group->governor, timeout_ns);
    if (group->scope == NULL)
        return eddy_unref (group);
    int answer = group_watch_scope (group);
    if (answer == -ECANCELED)
        group_cancel (group, eddy__cancellable_ref_cause (group->scope));
    return answer == 0 || answer == -ECANCELED ? group : eddy_unref (group);
}

EddyGroup *eddy_group_new_on_pool (EddyPool *pool)
{
    EDDY__EXPECT (pool != NULL, NULL);
    EddyGroup *group = eddy_group_new ();
    if (group != NULL)
        group->pool = eddy_ref (pool);
    return group;
}

/* --- waiting ---------------------------------------------------------------------------------- */

/* Its fibers, wherever they run. */
static void group_find_wakers (const void *on, EddyWakers *wakers)
{
    const EddyGroup *group = on;
    const EddyList *lists[] = { &group->children, &group->away };
    for (int i = 0; i < 2; i++)
        for (const EddyList *link = lists[i]->next; link != lists[i]; link = link->next)
            eddy__wakers_add (wakers, EDDY__CONTAINER (link, EddyFiber, sibling));
}

static const EddyWaitKind group_end_kind = { .what = "a group", .find_wakers = group_find_wakers };
static const EddyWaitKind group_room_kind = { .what = "room in a group",
                                              .find_wakers = group_find_wakers };

/* Waits in a list until somebody takes it out; 0, or -ECANCELED when it was not. */
static int group_park (EddyGroup *group, EddyList *waits, EddyFiber *fiber)
{
    GroupWait group_wait;
    int answer = eddy__fiber_wait_begin (&group_wait.wait, fiber);
    if (answer < 0)
        return answer;
    group_wait.granted = false;
    eddy__list_append (waits, &group_wait.member);
    bool for_room = waits == &group->claimants;
    eddy__fiber_park (&group_wait.wait, for_room ? &group_room_kind : &group_end_kind, group);
    eddy__list_remove (&group_wait.member);
    return group_wait.granted ? 0 : -ECANCELED;
}

int eddy__group_run_until (EddyGroup *group, bool (*condition) (const void *data), const void *data)
{
    if (condition (data))
        return 0;
    int answer = eddy__context_enter (group->context);
    if (answer < 0)
        return answer;
    while (!condition (data))
        eddy__context_pass (group->context, /* may_block= */ true);
    eddy__context_leave (group->context);
    return 0;
}

static bool group_has_ended (const void *data)
{
    const EddyGroup *group = data;
    return group->running == 0;
}

/* In a fiber. When that is cancelled, so is the group, whoever made it; and it is waited for. */
static void group_join (EddyGroup *group, EddyFiber *fiber)
{
    int answer = 0;
    while (group->running > 0 && answer == 0)
        answer = group_park (group, &group->joiners, fiber);
    if (group->running == 0)
        return;
    group_cancel (group, eddy__fiber_ref_cause (fiber));
    fiber->shielded++;
    while (group->running > 0)
        (void) group_park (group, &group->joiners, fiber);
    fiber->shielded--;
}

bool eddy_group_wait (EddyGroup *group, EddyError **error)
{
    EDDY__EXPECT (group != NULL, false);
    EddyFiber *fiber = eddy__fiber_current ();
    EDDY__EXPECT (fiber == NULL || fiber->future.context == group->context, false);
    int answer = 0;
    if (fiber != NULL)
        group_join (group, fiber);
    else
        answer = eddy__group_run_until (group, group_has_ended, group);
    if (answer < 0)
        eddy_error_set_errno (error, -answer, "running a context");
    else if (group->n_errors > 0)
        eddy_error_take (error, eddy_ref (group->errors[0]));
    else if (!group->cut_short || fiber == NULL || !eddy__fiber_is_cancelled (fiber))
        return true;
    else /* the caller's own cancel has ended some of them: what they were for is not done */
        eddy_error_take (error, eddy__fiber_make_cancel_error (fiber, NULL));
    return false;
}

void eddy_group_leave (EddyGroup *group)
{
    if (group == NULL)
        return;
    if (group->running > 0) {
        group_cancel (group, NULL);
        (void) eddy_group_wait (group, NULL);
    }
    eddy_unref (group);
}

/* --- room under the limit --------------------------------------------------------------------- */

static bool group_has_room (const EddyGroup *group)
{
    return group->limit == 0 || group->running + group->promised < group->limit;
}

/* Gives free places to those that wait for one, in the order in which they came. */
static void group_grant (EddyGroup *group)
{
    while (group_has_room (group) && group_wake (&group->claimants))
        group->promised++;
}

void eddy_group_set_limit (EddyGroup *group, unsigned limit)
{
    EDDY__EXPECT (group != NULL);
    group->limit = limit;
    group_grant (group);
}

static bool group_ends_claim (const void *data)
{
    const EddyGroup *group = data;
    return group->cancelled || group_has_room (group);
}

/* Waits until one more fiber may run: 0 or -errno. Nobody overtakes those that wait already. */
static int group_claim (EddyGroup *group)
{
    if (EDDY__LIKELY (group->limit == 0) || group->cancelled ||
        (group_has_room (group) && eddy__list_is_empty (&group->claimants)))
        return 0;
    EddyFiber *fiber = eddy__fiber_current ();
    if (fiber == NULL)
        return eddy__group_run_until (group, group_ends_claim, group);
    int answer = group_park (group, &group->claimants, fiber);
    if (answer == 0)
        group->promised--;
    return answer;
}

static EddyError *group_make_cancel_error (const EddyGroup *group)
{
    EddyFiber *fiber = eddy__fiber_current ();
    if (group->cause != NULL)
        return eddy_ref (group->cause);
    if (fiber != NULL && eddy__fiber_is_cancelled (fiber))
        return eddy__fiber_make_cancel_error (fiber, NULL);
    return eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_CANCELLED, "the group was cancelled");
}

/* Waits for room; whether a fiber may begin. */
static bool group_may_spawn (EddyGroup *group, EddyError **error)
{
    int answer = group_claim (group);
    if (EDDY__LIKELY (answer == 0 && !group->cancelled))
        return true;
    EddyFiber *fiber = eddy__fiber_current ();
    if (group->cancelled)
        eddy_error_take (error, group_make_cancel_error (group));
    else if (answer == -ECANCELED && fiber != NULL)
        eddy_error_take (error, eddy__fiber_make_cancel_error (fiber, NULL));
    else
        eddy_error_set_errno (error, -answer, "running a context");
    return false;
}

/* --- spawning --------------------------------------------------------------------------------- */

/* A fiber that may begin, or NULL. */
EDDY__FIBER_INLINE EddyFiber *group_new_fiber (EddyGroup *group, EddyError **error)
{
    EddyFiber *fiber = NULL;
    if (EDDY__UNLIKELY (!group_may_spawn (group, error)))
        return NULL;
    if (EDDY__UNLIKELY (group->pool != NULL))
        return eddy__pool_new_fiber (group->pool, group_get_scope (group), error);
    fiber = eddy__fiber_new (group->context, NULL, 0);
    if (EDDY__UNLIKELY (fiber == NULL))
        eddy_error_set_errno (error, ENOMEM, "a fiber");
    return fiber;
}

/* The fiber counts as one of the group's, from before its first turn until its end is known at
 * home. All of them together hold the group's memory. */
EDDY__FIBER_INLINE void group_adopt (EddyGroup *group, EddyFiber *fiber)
{
    fiber->group = group;
    fiber->holds_itself = true;
    if (group->running++ == 0)
        eddy_object_hold (group);
    if (EDDY__LIKELY (fiber->future.context == group->context)) {
        eddy__list_append (&group->children, &fiber->sibling);
        return;
    }
    eddy_object_hold (fiber);
    eddy__list_append (&group->away, &fiber->sibling);
    /* Its end will come: a pool's thread that is home waits for it, whoever has the group. */
    eddy__context_keep (group->context);
    group->context->live_futures++;
}

EddyFiber *eddy__group_spawn (EddyGroup *group, EddyFiberFunc function, void *data,
                              void (*destroy) (void *data), const EddyFiberOptions *options,
                              const EddyPlace *place, bool is_awaited, EddyError **error)
{
    EddyFiber *fiber = group_new_fiber (group, error);
    if (EDDY__UNLIKELY (fiber == NULL)) {
        group_grant (group); /* the place that it did not take */
        if (destroy != NULL)
            destroy (data);
        return NULL;
    }
    eddy__fiber_set_function (fiber, function, data, destroy, options, place);
    if (EDDY__UNLIKELY (group->pool != NULL))
        eddy__pool_wrap_function (fiber, is_awaited);
    group_adopt (group, fiber);
    eddy__fiber_start (fiber);
    return fiber;
}

bool eddy_group_spawn_full (EddyGroup *group, EddyFiberFunc function, void *data,
                            void (*destroy) (void *data), const EddyFiberOptions *options,
                            const EddyPlace *place, EddyError **error)
{
    EDDY__EXPECT (group != NULL && function != NULL, false);
    return eddy__group_spawn (group, function, data, destroy, options, place,
                              /* is_awaited= */ false, error) != NULL;
}

/* --- ends ------------------------------------------------------------------------------------- */

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

/* What a cancel has ended is no failure of its own. Where the cancel had a cause, that is told,
 * once. */
static void group_child_failed (EddyGroup *group, EddyError *error)
{
    /* The fiber may have noticed a deadline before the group has been told. */
    if (!group->cancelled && eddy__cancellable_is_cancelled (group->scope))
        group_cancel (group, eddy__cancellable_ref_cause (group->scope));
    if (!group->cancelled || (error != group->cause && !eddy_error_is_cancelled (error))) {
        group_keep_error (group, error);
        if (!group->supervisor)
            group_cancel (group, NULL);
        return;
    }
    group->cut_short = true;
    if (group->told_cause || group->cause == NULL || eddy_error_is_cancelled (group->cause))
        return;
    group->told_cause = true;
    group_keep_error (group, group->cause);
}

/* At home. */
static void group_child_gone (EddyGroup *group, EddyFiber *fiber)
{
    EddyError *error = fiber->future.error;
    bool told = !eddy__list_is_empty (&group->starts) && eddy__group_start_ended (group, fiber);
    if (EDDY__UNLIKELY (error != NULL) && !told)
        group_child_failed (group, error);
    group->running--;
    if (EDDY__UNLIKELY (group->limit != 0))
        group_grant (group);
    if (group->running > 0)
        return;
    while (group_wake (&group->joiners))
        continue;
    eddy_object_release (group);
}

static void group_child_came_home (EddyEntry *entry)
{
    EddyFiber *fiber = EDDY__CONTAINER (entry, EddyFiber, future.entry);
    EddyContext *home = fiber->group->context;
    eddy__list_remove (&fiber->sibling);
    group_child_gone (fiber->group, fiber);
    eddy_object_release (fiber);
    if (--home->live_futures == 0)
        eddy__context_let_go (home);
}

/* On a pool's thread: the entry that was the fiber's turn carries its end home. */
static void group_child_goes_home (EddyGroup *group, EddyFiber *fiber)
{
    EddyEntry *entry = &fiber->future.entry;
    *entry = (EddyEntry){ .run = group_child_came_home, .priority = EDDY__PRIORITY_NOW };
    (void) eddy__context_post_last (group->context, entry);
}

void eddy__group_child_ended (EddyGroup *group, EddyFiber *fiber)
{
    if (EDDY__UNLIKELY (fiber->future.context != group->context)) {
        group_child_goes_home (group, fiber);
        return;
    }
    eddy__list_remove (&fiber->sibling);
    fiber->group = NULL;
    group_child_gone (group, fiber);
}

/* --- the rest --------------------------------------------------------------------------------- */

void eddy_group_cancel (EddyGroup *group)
{
    eddy_group_cancel_with_cause (group, NULL);
}

void eddy_group_cancel_with_cause (EddyGroup *group, EddyError *cause)
{
    EDDY__EXPECT (group != NULL);
    group_cancel (group, cause);
}

void eddy_group_set_supervisor (EddyGroup *group, bool supervisor)
{
    EDDY__EXPECT (group != NULL);
    group->supervisor = supervisor;
}

EddyCancellable *eddy__group_get_scope (const EddyGroup *group)
{
    return group->scope;
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
