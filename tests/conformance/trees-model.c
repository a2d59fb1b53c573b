/* SPDX-License-Identifier: MIT */
/*
 * Random trees: what the documentation promises, as simply as it can be said. Nothing of the
 * library is asked here but errors for their codes.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "test.h"
#include "trees.h"

/* Functions of the model are called from several threads, and from inside each other. */
void tree_lock (Tree *tree)
{
    pthread_mutex_lock (&tree->mutex);
}

void tree_unlock (Tree **tree)
{
    pthread_mutex_unlock (&(*tree)->mutex);
}

void tree_log (Tree *tree, const char *format, ...)
{
    va_list arguments;
    va_start (arguments, format);
    vsnprintf (tree->log[tree->n_log++ % TREE_LOG], sizeof tree->log[0], format, arguments);
    va_end (arguments);
}

_Noreturn void tree_fail (Tree *tree, const char *format, ...)
{
    char text[160];
    va_list arguments;
    va_start (arguments, format);
    vsnprintf (text, sizeof text, format, arguments);
    va_end (arguments);
    tree_print (tree);
    ck_abort_msg ("seed %llu: %s (again: EDDY_TREES_SEED=%llu)", (unsigned long long) tree->seed,
                  text, (unsigned long long) tree->seed);
    __builtin_unreachable ();
}

/* --- cancels ---------------------------------------------------------------------------------- */

static uint64_t model_cause_of (const EddyError *error)
{
    if (eddy_error_is_cancelled (error))
        return TREE_CAUSE_PLAIN;
    if (eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_TIMED_OUT))
        return TREE_CAUSE_TIMED_OUT;
    if (error != NULL && strcmp (eddy_error_get_domain (error), "tree-cause") == 0)
        return UINT64_C (1) << eddy_error_get_code (error);
    return 0;
}

static uint64_t model_cause_by (const TreeNode *by, bool has_cause)
{
    return has_cause ? UINT64_C (1) << by->id : TREE_CAUSE_PLAIN;
}

/* One more asks; who has been told listens to nobody else. Between threads all is perhaps. */
static bool model_ask (const Tree *tree, TreeCancel *cancel, TreeAsked asked, uint64_t causes)
{
    bool is_news = (causes & ~cancel->causes) != 0;
    if (tree->pool != NULL && asked > TREE_PERHAPS)
        asked = TREE_PERHAPS;
    if (tree->pool != NULL && !is_news)
        return false;
    if (cancel->asked == TREE_TOLD)
        return false;
    cancel->causes |= causes;
    if (asked > cancel->asked)
        cancel->asked = asked;
    return true;
}

static void model_ask_node (TreeNode *node, TreeAsked asked, uint64_t causes);

/* What comes of a cancel when who was told of it has had its turn. */
static TreeAsked model_later (TreeAsked asked)
{
    return asked == TREE_TOLD ? TREE_ASKED : asked;
}

static void model_ask_group (Tree *tree, TreeGroup *group, TreeAsked asked, uint64_t causes)
{
    if (!model_ask (tree, &group->cancel, asked, causes))
        return;
    for (unsigned i = 0; i < tree->n_nodes; i++)
        if (tree->nodes[i].group == group->id)
            model_ask_node (&tree->nodes[i], asked, causes);
}

/* On another thread it is cancelled by its future, which has no cause. */
static void model_ask_started (TreeNode *node, uint64_t causes)
{
    const TreeGroup *group = &node->tree->groups[node->group];
    model_ask_node (node, TREE_PERHAPS, group->on_pool ? causes | TREE_CAUSE_PLAIN : causes);
}

/* The groups that were made in one of its shields, or outside them; and the group that it waits
 * for there, whoever made that, or the node that it starts. */
static void model_ask_inside (TreeNode *node, unsigned shield, TreeAsked asked, uint64_t causes)
{
    Tree *tree = node->tree;
    if (!model_ask (tree, &node->cancels[shield], asked, causes))
        return;
    for (unsigned i = 0; i < tree->n_groups; i++) {
        TreeGroup *group = &tree->groups[i];
        if (group->group != NULL && group->maker == node->id && group->shield == shield)
            model_ask_group (tree, group, asked, causes);
    }
    if (node->waits_in == TREE_JOIN && node->n_shields == shield)
        model_ask_group (tree, node->joins, model_later (asked), causes);
    if (node->waits_in == TREE_START && node->n_shields == shield)
        model_ask_started (node->starts, causes);
}

static void model_ask_node (TreeNode *node, TreeAsked asked, uint64_t causes)
{
    if (node->life == TREE_SPAWNED || node->life == TREE_RUNNING)
        model_ask_inside (node, /* shield= */ 0, asked, causes);
}

/* What its waits see. */
static const TreeCancel *model_seen (const TreeNode *node)
{
    return &node->cancels[node->n_shields];
}

void tree_model_shield (TreeNode *node, int64_t timeout_ns)
{
    TREE_LOCKED (node->tree);
    tree_log (node->tree, "%u: shield for %lld", node->id, (long long) timeout_ns);
    node->cancels[++node->n_shields] = (TreeCancel){ TREE_NOT_ASKED, 0 };
    if (timeout_ns == 0)
        model_ask_inside (node, node->n_shields, TREE_ASKED, TREE_CAUSE_TIMED_OUT);
}

void tree_model_unshield (TreeNode *node)
{
    TREE_LOCKED (node->tree);
    tree_log (node->tree, "%u: end of shield", node->id);
    node->n_shields--;
}

void tree_model_cancel_group (TreeGroup *group, TreeNode *by, bool has_cause)
{
    TREE_LOCKED (by->tree);
    tree_log (by->tree, "%u cancels group %u%s", by->id, group->id, has_cause ? ": a cause" : "");
    model_ask_group (by->tree, group, TREE_TOLD, model_cause_by (by, has_cause));
}

/* The request travels to the node: from now on it cannot begin to wait, but whether it has been
 * told is not known. */
void tree_model_cancel_scope (TreeNode *node, TreeNode *by, bool has_cause)
{
    TREE_LOCKED (node->tree);
    tree_log (node->tree, "%u cancels node %u%s", by->id, node->id, has_cause ? ": a cause" : "");
    model_ask_node (node, TREE_ASKED, model_cause_by (by, has_cause));
    node->scope_cancelled = true;
}

void tree_model_cancel_fiber (TreeNode *node)
{
    TREE_LOCKED (node->tree);
    tree_log (node->tree, "node %u is cancelled by its future", node->id);
    model_ask_node (node, TREE_TOLD, TREE_CAUSE_PLAIN);
}

void tree_model_pull (Tree *tree, TreeNode *by, bool has_cause)
{
    TREE_LOCKED (tree);
    tree_log (tree, "%u pulls the lever", by->id);
    model_ask (tree, &tree->lever_cancel, TREE_TOLD, model_cause_by (by, has_cause));
}

/* --- waits ------------------------------------------------------------------------------------ */

static bool model_is_in_vain (const TreeNode *node)
{
    return model_seen (node)->asked == TREE_TOLD || (node->scope_cancelled && node->n_shields == 0);
}

void tree_model_wait (TreeNode *node, int kind)
{
    TREE_LOCKED (node->tree);
    tree_log (node->tree, "%u: %s", node->id, tree_step_name (kind));
    node->waits_in = kind;
    node->waits_in_vain = model_is_in_vain (node);
}

static void model_expect_cause (TreeNode *node, const EddyError *error, uint64_t others)
{
    uint64_t causes = others | model_seen (node)->causes;
    if ((model_cause_of (error) & causes) == 0)
        tree_fail (node->tree, "node %u is told '%s' and may be told %llx", node->id,
                   error == NULL ? "nothing" : eddy_error_get_message (error),
                   (unsigned long long) causes);
}

void tree_model_waited (TreeNode *node, bool good, const EddyError *error)
{
    TREE_LOCKED (node->tree);
    int kind = node->waits_in;
    bool may_end = kind == TREE_SLEEP && !node->waits_in_vain;
    uint64_t others = kind == TREE_TIMED  ? TREE_CAUSE_TIMED_OUT
                      : kind == TREE_HELD ? node->tree->lever_cancel.causes
                                          : 0;
    tree_log (node->tree, "%u: %s %s", node->id, tree_step_name (kind), good ? "done" : "failed");
    node->waits_in = -1;
    if (good && !may_end)
        tree_fail (node->tree, "node %u has waited (%s) to a good end", node->id,
                   tree_step_name (kind));
    if (!good)
        model_expect_cause (node, error, others);
}

/* Either the child's own answer, or a cancel that came before it. */
void tree_model_awaited (TreeNode *node, TreeNode *child, bool good, const EddyError *error)
{
    TREE_LOCKED (node->tree);
    tree_log (node->tree, "%u: await of %u %s", node->id, child->id, good ? "done" : "failed");
    node->waits_in = -1;
    bool ended = child->life == TREE_ENDED;
    if (good && (!ended || child->error != NULL))
        tree_fail (node->tree, "node %u has got a value of node %u", node->id, child->id);
    if (!good && !(ended && child->error == error))
        model_expect_cause (node, error, 0);
    if (!good && ended && child->error != error)
        tree_fail (node->tree, "node %u has lost the answer of node %u", node->id, child->id);
}

/* --- life ------------------------------------------------------------------------------------- */

static void model_join_group (TreeNode *node)
{
    TreeGroup *group = &node->tree->groups[node->group];
    group->running++;
    if (group->cancel.asked == TREE_TOLD)
        tree_fail (node->tree, "node %u was spawned in cancelled group %u", node->id, group->id);
    node->cancels[0] = group->cancel;
}

static void model_refused (TreeNode *node, TreeNode *by, const EddyError *error)
{
    Tree *tree = node->tree;
    const TreeCancel *group = &tree->groups[node->group].cancel;
    if (node->life == TREE_SPAWNED) {
        tree->live--;
        tree->groups[node->group].running--;
    }
    node->life = TREE_REFUSED;
    if (group->asked == TREE_NOT_ASKED && model_seen (by)->asked == TREE_NOT_ASKED)
        tree_fail (tree, "node %u was refused, and nobody cancelled", node->id);
    if (node->destroyed != 1)
        tree_fail (tree, "node %u was refused, its data not destroyed", node->id);
    /* A group is cancelled for no cause after a failure in it. */
    model_expect_cause (by, error, group->causes);
}

static void model_accepted (TreeNode *node)
{
    node->life = TREE_SPAWNED;
    node->tree->live++;
    if (node->group >= 0)
        model_join_group (node);
}

void tree_model_spawning (TreeNode *node, TreeNode *by)
{
    TREE_LOCKED (node->tree);
    tree_log (by->tree, "%u: spawns %u", by->id, node->id);
    by->waits_in = TREE_SPAWN;
    if (node->tree->pool != NULL) { /* it may begin before the spawn has returned */
        model_accepted (node);
        node->is_offered = true;
    }
}

void tree_model_spawned (TreeNode *node, TreeNode *by, bool accepted, const EddyError *error)
{
    TREE_LOCKED (node->tree);
    tree_log (node->tree, "node %u was %s", node->id, accepted ? "spawned" : "refused");
    if (by != NULL)
        by->waits_in = -1;
    node->is_offered = false;
    if (!accepted)
        model_refused (node, by, error);
    else if (by == NULL || node->tree->pool == NULL)
        model_accepted (node);
}

/* Where the group has not been told of a cancel, it is taken for accepted until it turns out that
 * it was not. */
void tree_model_starting (TreeNode *node, TreeNode *by)
{
    TREE_LOCKED (node->tree);
    tree_log (by->tree, "%u: starts %u", by->id, node->id);
    node->is_awaited = true;
    by->waits_in = TREE_START;
    if (node->tree->groups[node->group].cancel.asked != TREE_TOLD)
        model_accepted (node);
    node->is_offered = node->tree->pool != NULL;
    by->starts = node;
    if (model_seen (by)->asked != TREE_NOT_ASKED)
        model_ask_started (node, model_seen (by)->causes);
}

void tree_model_ready (TreeNode *node, bool was_awaited)
{
    TREE_LOCKED (node->tree);
    tree_log (node->tree, "%u: is ready%s", node->id, was_awaited ? "" : ", told nobody");
    if (was_awaited != (node->is_awaited && !node->is_ready))
        tree_fail (node->tree, "node %u was %sawaited", node->id, was_awaited ? "" : "not ");
    node->is_ready |= was_awaited;
}

void tree_model_started (TreeNode *node, TreeNode *by, const void *value, const EddyError *error)
{
    TREE_LOCKED (node->tree);
    tree_log (by->tree, "%u: start of %u %s", by->id, node->id, value ? "done" : "failed");
    by->waits_in = -1;
    node->is_offered = false;
    bool may_be_ready = node->is_ready || node->tree->pool != NULL;
    if (value != NULL && (value != node || !may_be_ready))
        tree_fail (by->tree, "node %u has started with a wrong value", node->id);
    if (value != NULL)
        return;
    if (node->life == TREE_UNBORN || node->life == TREE_SPAWNED) {
        model_refused (node, by, error);
        return;
    }
    if (node->life != TREE_ENDED || node->is_ready)
        tree_fail (by->tree, "node %u has not ended and was not started", node->id);
    bool is_own = node->error == NULL
                      ? eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_FAILED)
                      : error == node->error;
    if (!is_own)
        model_expect_cause (by, error, 0);
}

void tree_model_began (TreeNode *node)
{
    TREE_LOCKED (node->tree);
    tree_log (node->tree, "%u begins", node->id);
    if (node->life != TREE_SPAWNED)
        tree_fail (node->tree, "node %u begins in state %d", node->id, node->life);
    node->life = TREE_RUNNING;
    node->is_offered = false;
    if (node->group < 0)
        return;
    TreeGroup *group = &node->tree->groups[node->group];
    group->active++;
    if (group->limit != 0 && group->active > group->limit)
        tree_fail (node->tree, "group %u has %u running and a limit of %u", group->id,
                   group->active, group->limit);
}

static void model_keep (TreeGroup *group, TreeError error)
{
    eddy_ref (error.error);
    group->errors[group->n_errors++] = error;
}

/* A cancel that has a cause tells that, once. */
static void model_keep_cause (TreeGroup *group, bool is_sure)
{
    uint64_t causes = group->cancel.causes;
    if (group->has_told_cause || (causes & ~TREE_CAUSE_PLAIN) == 0)
        return;
    is_sure = is_sure && (causes & TREE_CAUSE_PLAIN) == 0;
    model_keep (group, (TreeError){ NULL, causes & ~TREE_CAUSE_PLAIN, is_sure });
    group->has_told_cause = is_sure;
}

/* What a cancel has ended is no failure of the node's own. Where it is not known whether that was
 * the group's cancel, either may be. */
static void model_leave_group (TreeNode *node, EddyError *error)
{
    TreeGroup *group = &node->tree->groups[node->group];
    uint64_t cause = model_cause_of (error);
    TreeAsked asked = group->cancel.asked;
    group->running--;
    group->active--;
    if (error == NULL || (node->is_awaited && !node->is_ready))
        return;
    bool may_be_end =
        asked != TREE_NOT_ASKED && (cause & (group->cancel.causes | TREE_CAUSE_PLAIN)) != 0;
    bool is_end = may_be_end && asked == TREE_TOLD &&
                  (cause == TREE_CAUSE_PLAIN || cause == group->cancel.causes);
    if (may_be_end) {
        model_keep_cause (group, is_end);
        group->may_be_cut = true;
        group->is_cut |= is_end;
    }
    if (is_end)
        return;
    /* Of two that come at once either may be first: the group hears of the end after this, and of
     * a cancel perhaps before that. */
    bool is_sure = !may_be_end && (node->tree->pool == NULL || cause == 0);
    group->may_be_cut |= !is_sure;
    model_keep (group, (TreeError){ error, 0, is_sure });
    if (!group->supervisor)
        model_ask_group (node->tree, group, TREE_TOLD, TREE_CAUSE_PLAIN);
}

void tree_model_ended (TreeNode *node, EddyError *error)
{
    TREE_LOCKED (node->tree);
    tree_log (node->tree, "%u ends%s%s", node->id, error == NULL ? "" : ": ",
              error == NULL ? "" : eddy_error_get_message (error));
    if (node->cleaned != 1)
        tree_fail (node->tree, "node %u was cleaned up %d times", node->id, node->cleaned);
    node->life = TREE_ENDED;
    node->error = eddy_ref (error);
    if (node->group >= 0)
        model_leave_group (node, error);
}

void tree_model_destroyed (TreeNode *node)
{
    TREE_LOCKED (node->tree);
    if (node->destroyed++ > 0)
        tree_fail (node->tree, "the data of node %u were destroyed again", node->id);
    if (node->life == TREE_RUNNING)
        tree_fail (node->tree, "the data of node %u were destroyed while it runs", node->id);
    if (node->life == TREE_ENDED)
        node->tree->live--;
}

/* --- groups ----------------------------------------------------------------------------------- */

void tree_model_opened (TreeGroup *group, TreeNode *maker)
{
    TREE_LOCKED (maker->tree);
    tree_log (maker->tree, "%u: opens group %u", maker->id, group->id);
    group->shield = maker->n_shields;
    group->cancel = *model_seen (maker);
    if (group->timeout == 0)
        model_ask (maker->tree, &group->cancel, TREE_ASKED, TREE_CAUSE_TIMED_OUT);
}

/* Who is cancelled, and waits for a group, cancels that, too. */
void tree_model_joins (TreeGroup *group, TreeNode *by)
{
    TREE_LOCKED (by->tree);
    tree_log (by->tree, "%u: joins group %u", by->id, group->id);
    by->waits_in = TREE_JOIN;
    by->joins = group;
    if (model_seen (by)->asked != TREE_NOT_ASKED && group->running > 0)
        model_ask_group (by->tree, group, model_later (model_seen (by)->asked),
                         model_seen (by)->causes);
}

static bool model_error_is (const TreeError *wanted, const EddyError *error)
{
    return wanted->error != NULL ? error == wanted->error
                                 : (model_cause_of (error) & wanted->causes) != 0;
}

/* Whether what a group has kept, from one of them on, is what it should have from there on. */
static bool model_errors_match (const TreeGroup *group, EddyGroup *real, unsigned expected,
                                size_t kept)
{
    size_t n_kept = eddy_group_get_n_errors (real);
    if (expected == group->n_errors)
        return kept == n_kept;
    const TreeError *wanted = &group->errors[expected];
    if (kept < n_kept && model_error_is (wanted, eddy_group_get_error (real, kept)) &&
        model_errors_match (group, real, expected + 1, kept + 1))
        return true;
    return !wanted->is_sure && model_errors_match (group, real, expected + 1, kept);
}

/* On a pool the end of a node may have come after a cancel that it seems to have come before. */
static bool model_pool_error_is (const TreeGroup *group, const TreeError *wanted,
                                 const EddyError *error)
{
    uint64_t causes = wanted->is_sure ? 0 : group->cancel.causes & ~TREE_CAUSE_PLAIN;
    return model_error_is (wanted, error) || (model_cause_of (error) & causes) != 0;
}

/* The same in any order. */
static bool model_errors_are_there (const TreeGroup *group, EddyGroup *real)
{
    bool is_found[2 * TREE_NODES] = { false };
    for (size_t i = 0; i < eddy_group_get_n_errors (real); i++) {
        unsigned at = 0;
        const EddyError *error = eddy_group_get_error (real, i);
        while (at < group->n_errors &&
               (is_found[at] || !model_pool_error_is (group, &group->errors[at], error)))
            at++;
        if (at == group->n_errors)
            return false;
        is_found[at] = true;
    }
    for (unsigned i = 0; i < group->n_errors; i++)
        if (group->errors[i].is_sure && !is_found[i])
            return false;
    return true;
}

static void model_fail_errors (Tree *tree, const TreeGroup *group, EddyGroup *real)
{
    for (size_t i = 0; i < eddy_group_get_n_errors (real); i++)
        fprintf (stderr, "  kept: %s\n", eddy_error_get_message (eddy_group_get_error (real, i)));
    for (unsigned i = 0; i < group->n_errors; i++)
        fprintf (stderr, "  expected%s: %s\n", group->errors[i].is_sure ? "" : " perhaps",
                 group->errors[i].error == NULL ? "a cause"
                                                : eddy_error_get_message (group->errors[i].error));
    tree_fail (tree, "the errors of group %u are not what they should be", group->id);
}

/* Then it tells of a cancel of who waited, when that has ended one of its nodes. */
static void model_joined_without_errors (TreeGroup *group, TreeNode *by, bool good,
                                         const EddyError *error)
{
    bool may_fail =
        group->may_be_cut && (model_is_in_vain (by) || model_seen (by)->asked != TREE_NOT_ASKED);
    bool must_fail = group->is_cut && model_is_in_vain (by);
    if (good ? must_fail : !may_fail)
        tree_fail (by->tree, "group %u %s", group->id,
                   good ? "hides that it was cut short" : "fails without a reason");
    if (!good)
        model_expect_cause (by, error, 0);
}

/* No child is left, and all errors are there in their order. */
void tree_model_joined (TreeGroup *group, EddyGroup *real, TreeNode *by, bool good,
                        const EddyError *error)
{
    TREE_LOCKED (by->tree);
    Tree *tree = by->tree;
    tree_log (tree, "%u: has joined group %u", by->id, group->id);
    by->waits_in = -1;
    for (unsigned i = 0; i < tree->n_nodes; i++) {
        const TreeNode *child = &tree->nodes[i];
        if (child->group == group->id &&
            ((child->life == TREE_SPAWNED && !child->is_offered) || child->life == TREE_RUNNING ||
             child->destroyed > 1 || (child->life == TREE_ENDED && child->destroyed == 0)))
            tree_fail (tree, "group %u has ended before its node %u", group->id, i);
    }
    if (tree->pool == NULL ? !model_errors_match (group, real, 0, 0)
                           : !model_errors_are_there (group, real))
        model_fail_errors (tree, group, real);
    size_t n_kept = eddy_group_get_n_errors (real);
    const EddyError *first = n_kept > 0 ? eddy_group_get_error (real, 0) : NULL;
    if (n_kept == 0)
        model_joined_without_errors (group, by, good, error);
    else if (good || error != first)
        tree_fail (tree, "group %u does not tell its first error", group->id);
}

/* --- quiet ------------------------------------------------------------------------------------ */

/* Whether a node waits for what comes by itself; fails when it waits for nothing at all. */
static bool model_is_node_due (TreeNode *node)
{
    Tree *tree = node->tree;
    int kind = node->waits_in;
    if (kind == TREE_SLEEP || kind == TREE_TIMED)
        return true;
    bool is_freed = model_seen (node)->asked >= TREE_ASKED ||
                    (kind == TREE_HELD && tree->lever_cancel.asked >= TREE_ASKED);
    if (kind == TREE_HELD && is_freed) /* the kernel is still at it */
        return true;
    if ((kind == TREE_FOREVER || kind == TREE_AWAIT || kind == TREE_SPAWN || kind == TREE_START) &&
        is_freed)
        tree_fail (tree, "node %u waits (%s) though it is cancelled", node->id,
                   tree_step_name (kind));
    return false;
}

bool tree_model_is_quiet (Tree *tree)
{
    bool is_quiet = true;
    for (unsigned i = 0; i < tree->n_nodes; i++) {
        TreeNode *node = &tree->nodes[i];
        if (node->life == TREE_RUNNING && model_is_node_due (node))
            is_quiet = false;
        if (node->life == TREE_SPAWNED)
            tree_fail (tree, "node %u never begins", i);
    }
    return is_quiet;
}

void tree_model_finished (Tree *tree)
{
    for (unsigned i = 0; i < tree->n_nodes; i++) {
        const TreeNode *node = &tree->nodes[i];
        int expected = node->life == TREE_ENDED || node->life == TREE_REFUSED;
        if (node->life == TREE_SPAWNED || node->life == TREE_RUNNING ||
            node->destroyed != expected || node->cleaned != (node->life == TREE_ENDED))
            tree_fail (tree, "node %u is left in state %d, destroyed %d times", i, node->life,
                       node->destroyed);
    }
    if (tree->live != 0)
        tree_fail (tree, "%u are left alive", tree->live);
}
