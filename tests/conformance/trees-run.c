/* SPDX-License-Identifier: MIT */
/*
 * Random trees: a plan, run on the library.
 */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "test.h"
#include "trees.h"

/* Milliseconds that a tree may wait for the kernel. */
enum { TREE_WAITS = 5000 };

static void *node_run (void *data, EddyError **error);

static void node_destroy (void *data)
{
    tree_model_destroyed (data);
}

/* --- waits ------------------------------------------------------------------------------------ */

static bool node_sleep (TreeNode *node, int kind, EddyError **error)
{
    tree_model_wait (node, kind);
    bool good = eddy_fiber_sleep (kind == TREE_SLEEP ? 0 : INT64_MAX, error);
    tree_model_waited (node, good, *error);
    return good;
}

/* For an fd on which nothing comes: held by the lever, or by a deadline that has passed. */
static bool node_wait_for_fd (TreeNode *node, int kind, EddyError **error)
{
    Tree *tree = node->tree;
    EDDY_AUTO (EddyCancellable)
    cancellable = kind == TREE_TIMED ? eddy_cancellable_new_with_timeout (NULL, 0)
                                     : eddy_cancellable_new_child (tree->lever);
    ck_assert_ptr_nonnull (cancellable);
    tree_model_wait (node, kind);
    bool good = eddy_fd_wait (tree->silent_fd, POLLIN, cancellable, error) >= 0;
    tree_model_waited (node, good, *error);
    return good;
}

/* Always the same error, as it is for the model. */
static EddyError *node_make_cause (TreeNode *node, bool has_cause)
{
    if (has_cause && node->cause == NULL)
        node->cause = eddy_error_new ("tree-cause", node->id, "cause of %u", node->id);
    return has_cause ? eddy_ref (node->cause) : NULL;
}

/* --- groups ----------------------------------------------------------------------------------- */

static void node_open (TreeNode *node, TreeGroup *group)
{
    static const int64_t timeouts_ns[] = { 0, INT64_C (3600000000000) };
    EddyGroup *real = group->on_pool ? eddy_group_new_on_pool (node->tree->pool)
                      : group->timeout < 0
                          ? eddy_group_new ()
                          : eddy_group_new_with_timeout (timeouts_ns[group->timeout]);
    ck_assert_ptr_nonnull (real);
    eddy_group_set_limit (real, group->limit);
    eddy_group_set_supervisor (real, group->supervisor);
    node->open[node->n_open++] = group->id;
    TREE_LOCKED (node->tree);
    group->group = real;
    group->home = pthread_self ();
    tree_model_opened (group, node);
}

static void node_spawn (TreeNode *node, TreeNode *child)
{
    TreeGroup *group = &node->tree->groups[child->group];
    EddyError *error = NULL;
    tree_model_spawning (child, node);
    bool accepted = eddy_group_spawn (group->group, node_run, child, node_destroy, &error);
    tree_model_spawned (child, node, accepted, error);
    eddy_unref (error);
}

static bool node_start (TreeNode *node, TreeNode *child, EddyError **error)
{
    TreeGroup *group = &node->tree->groups[child->group];
    tree_model_starting (child, node);
    void *value = eddy_group_start (group->group, node_run, child, node_destroy, error);
    tree_model_started (child, node, value, *error);
    return value != NULL;
}

/* A reference to a group that is open, and is this thread's; or NULL. */
static EddyGroup *node_ref_group (TreeNode *node, TreeGroup *group)
{
    TREE_LOCKED (node->tree);
    bool is_here = group->group != NULL && pthread_equal (group->home, pthread_self ());
    return is_here ? eddy_ref (group->group) : NULL;
}

static bool node_join (TreeNode *node, TreeGroup *group, EddyError **error)
{
    EDDY_AUTO (EddyGroup) real = node_ref_group (node, group);
    tree_model_joins (group, node);
    bool good = eddy_group_wait (real, error);
    tree_model_joined (group, real, node, good, *error);
    return good;
}

static bool node_close (TreeNode *node, EddyError **error)
{
    TreeGroup *group = &node->tree->groups[node->open[--node->n_open]];
    bool good = node_join (node, group, error);
    if (node->tree->pool == NULL) /* it may be cancelled later, too */
        return good;
    TREE_LOCKED (node->tree);
    eddy_clear (&group->group); /* its own thread does so */
    return good;
}

/* Only of groups whose nodes come later in the plan: so nobody waits in a ring, which no cancel
 * would end. */
static bool node_join_other (TreeNode *node, unsigned subject, EddyError **error)
{
    TreeGroup *group = &node->tree->groups[subject % node->tree->n_groups];
    EDDY_AUTO (EddyGroup) real = group->maker > node->id ? node_ref_group (node, group) : NULL;
    return real == NULL || node_join (node, group, error);
}

static void node_cancel_group (TreeNode *node, TreeGroup *group, bool has_cause)
{
    EDDY_AUTO (EddyGroup) real = node_ref_group (node, group);
    if (real == NULL)
        return;
    tree_model_cancel_group (group, node, has_cause);
    eddy_group_cancel_with_cause (real, node_make_cause (node, has_cause));
}

/* --- plain children --------------------------------------------------------------------------- */

static bool node_spawn_plain (TreeNode *node, TreeNode *child, int kind, EddyError **error)
{
    EddyFuture *future = eddy_spawn_local (node_run, child, node_destroy);
    bool good = true;
    tree_model_spawned (child, NULL, /* accepted= */ true, NULL);
    if (kind == TREE_AWAIT) {
        tree_model_wait (node, kind);
        good = eddy_await_complete (future, error);
        tree_model_awaited (node, child, good, *error);
    } else if (child->id % 2 == 0) {
        eddy_fiber_yield ();
    }
    /* What nobody wants any more is cancelled. */
    tree_model_cancel_fiber (child);
    eddy_unref (future);
    return good;
}

/* --- cancels ---------------------------------------------------------------------------------- */

static void node_cancel_node (TreeNode *node, TreeNode *other, bool has_cause)
{
    tree_lock (node->tree);
    EDDY_AUTO (EddyCancellable) scope = eddy_ref (other->scope);
    tree_unlock (&node->tree);
    if (scope == NULL)
        return;
    tree_model_cancel_scope (other, node, has_cause);
    eddy_cancellable_cancel_with_cause (scope, node_make_cause (node, has_cause));
}

static void node_cancel (TreeNode *node, const TreeStep *step)
{
    Tree *tree = node->tree;
    switch (step->kind) {
    case TREE_CANCEL_GROUP:
        if (tree->n_groups > 0)
            node_cancel_group (node, &tree->groups[step->subject % tree->n_groups],
                               step->has_cause);
        break;
    case TREE_CANCEL_NODE:
        node_cancel_node (node, &tree->nodes[step->subject % tree->n_nodes], step->has_cause);
        break;
    case TREE_CANCEL_ROOT:
        tree_model_cancel_fiber (&tree->nodes[0]);
        eddy_future_cancel (tree->root);
        break;
    default:
        tree_model_pull (tree, node, step->has_cause);
        eddy_cancellable_cancel_with_cause (tree->lever, node_make_cause (node, step->has_cause));
    }
}

/* --- a node ----------------------------------------------------------------------------------- */

static bool node_step (TreeNode *node, const TreeStep *step, EddyError **error)
{
    Tree *tree = node->tree;
    switch (step->kind) {
    case TREE_YIELD:
        eddy_fiber_yield ();
        return true;
    case TREE_SLEEP:
    case TREE_FOREVER:
        return node_sleep (node, step->kind, error);
    case TREE_HELD:
    case TREE_TIMED:
        return node_wait_for_fd (node, step->kind, error);
    case TREE_OPEN:
        node_open (node, &tree->groups[step->subject]);
        return true;
    case TREE_SPAWN:
        node_spawn (node, &tree->nodes[step->subject]);
        return true;
    case TREE_START:
        return node_start (node, &tree->nodes[step->subject], error);
    case TREE_READY:
        tree_model_ready (node, eddy_fiber_report_ready (node));
        return true;
    case TREE_CLOSE:
        return node_close (node, error);
    case TREE_JOIN:
        return tree->n_groups == 0 || node_join_other (node, step->subject, error);
    case TREE_AWAIT:
    case TREE_DROP:
        return node_spawn_plain (node, &tree->nodes[step->subject], step->kind, error);
    case TREE_FAIL:
        eddy_error_set (error, "tree-fail", node->id, "failure of %u", node->id);
        return false;
    case TREE_GIVE_UP:
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_CANCELLED, "%u gives up", node->id);
        return false;
    default:
        node_cancel (node, step);
        return true;
    }
}

/* Leaves groups as a scope is left in haste. */
static void node_leave (TreeNode *node, unsigned n_kept)
{
    while (node->n_open > n_kept) {
        EddyError *unused = NULL;
        node_cancel_group (node, &node->tree->groups[node->open[node->n_open - 1]],
                           /* has_cause= */ false);
        node_close (node, &unused);
        eddy_clear_error (&unused);
    }
}

/* Leaves its groups, then cleans up, letting others run and waiting meanwhile. */
static void node_clean_up (TreeNode **place)
{
    TreeNode *node = *place;
    node_leave (node, 0);
    for (unsigned i = 0; i < node->cleanup_turns; i++)
        EDDY_SHIELD (-1)
        {
            EddyError *error = NULL;
            tree_model_shield (node, -1);
            node_sleep (node, TREE_SLEEP, &error);
            tree_model_unshield (node);
        }
    node->cleaned++;
}

static bool node_steps (TreeNode *node, unsigned *next, EddyError **error);

static bool node_shield (TreeNode *node, const TreeStep *step, unsigned *next, EddyError **error)
{
    static const int64_t timeouts_ns[] = { -1, INT64_C (3600000000000), 0 };
    int64_t timeout_ns = timeouts_ns[step->subject];
    unsigned n_open = node->n_open, n_shields = node->n_shields;
    bool good = false;
    EDDY_SHIELD (timeout_ns)
    {
        tree_model_shield (node, timeout_ns);
        good = node_steps (node, next, error);
        node_leave (node, n_open);
        tree_model_unshield (node);
        if (!good)
            break;
    }
    ck_assert_uint_eq (node->n_shields, n_shields);
    /* What it has not done in there is left out. */
    for (unsigned depth = good ? 0 : 1; depth > 0 && *next < node->n_steps; ++*next)
        depth += (unsigned) (node->steps[*next].kind == TREE_SHIELD) -
                 (unsigned) (node->steps[*next].kind == TREE_UNSHIELD);
    return good;
}

/* Does its steps up to the end of a shield, or to its own. */
static bool node_steps (TreeNode *node, unsigned *next, EddyError **error)
{
    while (*next < node->n_steps) {
        const TreeStep *step = &node->steps[(*next)++];
        bool good = true;
        if (step->kind == TREE_UNSHIELD)
            break;
        if (step->kind == TREE_SHIELD)
            good = node_shield (node, step, next, error);
        else
            good = node_step (node, step, error);
        if (!good && !step->goes_on)
            return false;
        eddy_clear_error (error);
    }
    return true;
}

static void node_work (TreeNode *node, EddyError **error)
{
    __attribute__ ((cleanup (node_clean_up))) TreeNode *cleaned = node;
    unsigned next = 0;
    node_steps (cleaned, &next, error);
}

static void *node_run (void *data, EddyError **error)
{
    TreeNode *node = data;
    pthread_t thread = pthread_self ();
    tree_model_began (node);
    if (node->shows) {
        TREE_LOCKED (node->tree);
        node->scope = eddy_ref (eddy_fiber_get_cancellable ());
    }
    node_work (node, error);
    ck_assert (pthread_equal (thread, pthread_self ()));
    tree_model_ended (node, *error);
    return node;
}

/* --- a tree ----------------------------------------------------------------------------------- */

/* What it waits for is with the kernel. */
static void tree_wait (Tree *tree, unsigned *n_waits)
{
    if (++*n_waits > TREE_WAITS)
        tree_fail (tree, "nothing comes of what is waited for");
    (void) poll (NULL, 0, 1);
}

/* Lets it run until nothing moves. */
static void tree_settle (Tree *tree)
{
    for (unsigned idle = 0; idle < 2; idle++)
        while (eddy_context_iteration (tree->context, /* may_block= */ false))
            idle = 0;
}

static void tree_release (Tree *tree)
{
    for (unsigned i = 0; i < tree->n_nodes; i++) {
        eddy_clear (&tree->nodes[i].scope);
        eddy_clear (&tree->nodes[i].error);
        eddy_clear (&tree->nodes[i].cause);
    }
    for (unsigned i = 0; i < tree->n_groups; i++) {
        TreeGroup *group = &tree->groups[i];
        for (unsigned j = 0; j < group->n_errors; j++)
            eddy_unref (group->errors[j].error);
        eddy_clear (&group->group);
    }
    eddy_clear (&tree->lever);
    eddy_clear (&tree->root);
}

static void tree_cancel_root (Tree *tree)
{
    tree_model_cancel_fiber (&tree->nodes[0]);
    eddy_future_cancel (tree->root);
}

/* On one thread: it is known when nothing moves. */
static void tree_run_here (Tree *tree)
{
    bool root_cancelled = false;
    unsigned n_waits = 0;
    for (;;) {
        tree_settle (tree);
        if (tree->live == 0)
            return;
        if (!tree_model_is_quiet (tree)) {
            tree_wait (tree, &n_waits);
        } else if (!root_cancelled && !eddy_future_is_complete (tree->root)) {
            root_cancelled = true;
            tree_cancel_root (tree);
        } else {
            tree_fail (tree, "%u never end", tree->live);
        }
    }
}

/* What has happened so far, and how many live. */
static unsigned tree_look (Tree *tree, unsigned *live)
{
    TREE_LOCKED (tree);
    *live = tree->live;
    return tree->n_log;
}

/* On several: nothing may move for some time. */
static void tree_run_on_pool (Tree *tree)
{
    unsigned live, before = 0;
    bool root_cancelled = false;
    for (unsigned n_idle = 0;; n_idle++) {
        tree_settle (tree);
        unsigned now = tree_look (tree, &live);
        if (live == 0 && eddy_future_is_complete (tree->root))
            return;
        if (now != before)
            n_idle = 0;
        before = now;
        if (n_idle > 10 && !root_cancelled) {
            root_cancelled = true;
            tree_cancel_root (tree);
        } else if (n_idle > 10 * TREE_WAITS) {
            TREE_LOCKED (tree);
            tree_fail (tree, "%u never end", live);
        }
        usleep (n_idle < 2 ? 0 : 100);
    }
}

void tree_run (Tree *tree)
{
    TreeNode *root = &tree->nodes[0];
    tree->lever = eddy_cancellable_new ();
    tree->root = eddy_spawn (tree->context, node_run, root, node_destroy);
    tree_model_spawned (root, NULL, /* accepted= */ true, NULL);
    if (tree->pool == NULL)
        tree_run_here (tree);
    else
        tree_run_on_pool (tree);
    if (!eddy_future_is_complete (tree->root) || eddy_future_get_error (tree->root) != root->error)
        tree_fail (tree, "the root's future does not tell its end");
    tree_model_finished (tree);
    tree_release (tree);
}
