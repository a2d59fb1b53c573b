/* SPDX-License-Identifier: MIT */
/*
 * Random trees: what each node does, made of a seed. Each tree leaves some kinds of steps out, so
 * that the others meet more often.
 */
#include <stdio.h>
#include <string.h>

#include "trees.h"

typedef struct Planner {
    Tree *tree;
    uint64_t random;
    uint32_t kinds; /* that this tree has */
    unsigned depth;
    unsigned brief; /* above 0: nothing that waits for a cancel from outside */
    unsigned shields;
} Planner;

/* The groups in which a node lives: those of its ancestors that end after it. */
typedef struct Chain {
    unsigned n;
    uint8_t groups[TREE_CHAIN];
} Chain;

/* splitmix64: any seed is a good one. */
static uint64_t plan_random (Planner *planner)
{
    uint64_t mixed = planner->random += UINT64_C (0x9e3779b97f4a7c15);
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C (0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C (0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}

static unsigned plan_below (Planner *planner, unsigned bound)
{
    return (unsigned) (plan_random (planner) % bound);
}

static TreeStep *plan_add (Planner *planner, TreeNode *node, TreeStepKind kind)
{
    TreeStep *step = &node->steps[node->n_steps++];
    step->kind = (uint8_t) kind;
    step->goes_on = plan_below (planner, 2) == 0;
    step->has_cause = plan_below (planner, 2) == 0;
    return step;
}

static void plan_steps (Planner *planner, TreeNode *node, Chain chain);

static uint8_t plan_node (Planner *planner, int group, const Chain *chain)
{
    Tree *tree = planner->tree;
    TreeNode *node = &tree->nodes[tree->n_nodes];
    *node = (TreeNode){ .tree = tree, .id = (uint8_t) tree->n_nodes++, .group = (int8_t) group };
    node->waits_in = -1;
    node->shows = plan_below (planner, 3) == 0;
    node->cleanup_turns = (uint8_t) plan_below (planner, 3);
    unsigned shields = planner->shields;
    planner->shields = 0;
    planner->depth++;
    plan_steps (planner, node, *chain);
    planner->depth--;
    planner->shields = shields;
    return node->id;
}

static void plan_spawn (Planner *planner, TreeNode *node, const Chain *chain)
{
    if (planner->tree->n_nodes == TREE_NODES || chain->n == 0 || node->n_steps == TREE_STEPS)
        return;
    unsigned which = chain->n - 1;
    Chain rest = *chain;
    if (plan_below (planner, 4) == 0)
        which = plan_below (planner, chain->n);
    /* Where there is a limit, nobody could tell when a start was accepted. */
    bool starts = plan_below (planner, 4) == 0;
    if (planner->tree->groups[rest.groups[which]].limit != 0)
        starts = false;
    TreeStep *step = plan_add (planner, node, starts ? TREE_START : TREE_SPAWN);
    /* The child lives in that group; what is further in may end before it. Where nothing may wait
     * for a cancel, it does not spawn into that group: it might wait for its own end; on another
     * thread nobody may use that group. */
    int group = rest.groups[which];
    rest.n = planner->brief > 0 || planner->tree->groups[group].on_pool ? 0 : which + 1;
    step->subject = plan_node (planner, group, &rest);
}

static void plan_open (Planner *planner, TreeNode *node, Chain *chain, unsigned *n_open)
{
    Tree *tree = planner->tree;
    if (tree->n_groups == TREE_GROUPS || chain->n == TREE_CHAIN)
        return;
    TreeGroup *group = &tree->groups[tree->n_groups];
    *group = (TreeGroup){ .id = (uint8_t) tree->n_groups++, .maker = node->id };
    if (plan_below (planner, 3) == 0)
        group->limit = (uint8_t) (1 + plan_below (planner, 3));
    group->supervisor = plan_below (planner, 4) == 0;
    group->on_pool = plan_below (planner, 2) == 0 && tree->pool != NULL;
    group->timeout = (int8_t) (plan_below (planner, 6) == 0 ? (int) plan_below (planner, 2) : -1);
    if (group->on_pool)
        group->timeout = -1;
    plan_add (planner, node, TREE_OPEN)->subject = group->id;
    chain->groups[chain->n++] = group->id;
    ++*n_open;
    for (unsigned i = 1 + plan_below (planner, 4); i > 0; i--)
        plan_spawn (planner, node, chain);
}

static void plan_close (Planner *planner, TreeNode *node, Chain *chain, unsigned *n_open)
{
    plan_add (planner, node, TREE_CLOSE)->subject = chain->groups[chain->n - 1];
    chain->n--;
    --*n_open;
}

static void plan_plain_child (Planner *planner, TreeNode *node, TreeStepKind kind)
{
    if (planner->tree->n_nodes == TREE_NODES)
        return;
    Chain none = { 0 };
    TreeStep *step = plan_add (planner, node, kind);
    step->subject = plan_node (planner, -1, &none);
}

/* In a shield that no cancel reaches, nothing may wait for one. */
static bool plan_is_brief (TreeStepKind kind)
{
    return kind != TREE_FOREVER && kind != TREE_HELD && kind != TREE_JOIN && kind != TREE_AWAIT &&
           kind != TREE_DROP;
}

/* Steps in a shield; the groups outside are not in reach. */
static void plan_shield (Planner *planner, TreeNode *node)
{
    if (planner->shields + 2 > TREE_SHIELDS || node->n_steps + 2 > TREE_STEPS)
        return;
    Chain none = { 0 };
    unsigned timeout = plan_below (planner, 3);
    plan_add (planner, node, TREE_SHIELD)->subject = (uint8_t) timeout;
    planner->brief += timeout < 2;
    planner->shields++;
    plan_steps (planner, node, none);
    planner->shields--;
    planner->brief -= timeout < 2;
    if (node->n_steps < TREE_STEPS)
        plan_add (planner, node, TREE_UNSHIELD);
}

/* What ends much is chosen less often, so that there is something to end. */
static TreeStepKind plan_kind (Planner *planner)
{
    TreeStepKind kind = (TreeStepKind) plan_below (planner, TREE_STEP_KINDS);
    bool is_rare = kind >= TREE_CANCEL_GROUP || kind == TREE_FOREVER || kind == TREE_HELD;
    if ((planner->kinds & 1U << kind) != 0 && (planner->brief == 0 || plan_is_brief (kind)) &&
        !(is_rare && plan_below (planner, 2) == 0))
        return kind;
    return plan_below (planner, 2) == 0 ? TREE_YIELD : TREE_OPEN;
}

static void plan_step (Planner *planner, TreeNode *node, Chain *chain, unsigned *n_open)
{
    TreeStepKind kind = plan_kind (planner);
    if (kind == TREE_OPEN && planner->depth < 6)
        plan_open (planner, node, chain, n_open);
    else if (kind == TREE_SPAWN || kind == TREE_START)
        plan_spawn (planner, node, chain);
    else if (kind == TREE_CLOSE && *n_open > 0)
        plan_close (planner, node, chain, n_open);
    else if (kind == TREE_AWAIT || kind == TREE_DROP)
        plan_plain_child (planner, node, kind);
    else if (kind == TREE_SHIELD)
        plan_shield (planner, node);
    else if (kind != TREE_OPEN && kind != TREE_CLOSE && kind != TREE_UNSHIELD)
        plan_add (planner, node, kind)->subject = (uint8_t) plan_below (planner, 251);
}

static void plan_steps (Planner *planner, TreeNode *node, Chain chain)
{
    unsigned n_open = 0;
    /* What ends it comes last. */
    for (unsigned i = plan_below (planner, 5) + (node->id == 0); i > 0; i--)
        if (node->n_steps < TREE_STEPS)
            plan_step (planner, node, &chain, &n_open);
    /* A group that is not waited for is left open by a failure or at the end: it is cancelled. */
    while (n_open > 0 && node->n_steps < TREE_STEPS && plan_below (planner, 8) != 0)
        plan_close (planner, node, &chain, &n_open);
}

void tree_plan (Tree *tree, uint64_t seed)
{
    Planner planner = { .tree = tree, .random = seed };
    Chain none = { 0 };
    tree->seed = seed;
    tree->n_nodes = tree->n_groups = tree->n_log = tree->live = 0;
    tree->lever_cancel = (TreeCancel){ TREE_NOT_ASKED, 0 };
    planner.kinds = (uint32_t) plan_random (&planner);
    plan_node (&planner, -1, &none);
}

const char *tree_step_name (int kind)
{
    static const char *const names[] = {
        "yield",       "sleep", "forever", "held",   "timed",    "open",         "spawn",
        "start",       "close", "join",    "await",  "drop",     "cancel group", "cancel node",
        "cancel root", "pull",  "ready",   "shield", "unshield", "fail",         "give up"
    };
    return kind < 0 ? "nothing" : names[kind];
}

static void tree_print_node (const Tree *tree, const TreeNode *node)
{
    fprintf (stderr, "  node %d of group %d%s:", node->id, node->group,
             node->shows ? ", shows its cancellable" : "");
    for (unsigned i = 0; i < node->n_steps; i++) {
        const TreeStep *step = &node->steps[i];
        fprintf (stderr, " %s", tree_step_name (step->kind));
        if (step->kind >= TREE_OPEN && step->kind <= TREE_CANCEL_NODE)
            fprintf (stderr, " %u",
                     step->subject % (step->kind == TREE_CANCEL_NODE ? tree->n_nodes : 256));
        fputs (step->goes_on ? "!" : "", stderr);
        fputs (i + 1 < node->n_steps ? "," : "", stderr);
    }
    fputc ('\n', stderr);
}

void tree_print (const Tree *tree)
{
    fprintf (stderr, "tree of seed %llu (a ! goes on after a failure):\n",
             (unsigned long long) tree->seed);
    for (unsigned i = 0; i < tree->n_nodes; i++)
        tree_print_node (tree, &tree->nodes[i]);
    for (unsigned i = 0; i < tree->n_groups; i++)
        fprintf (stderr, "  group %u by node %u, limit %u, timeout %d%s%s\n", i,
                 tree->groups[i].maker, tree->groups[i].limit, tree->groups[i].timeout,
                 tree->groups[i].supervisor ? ", supervisor" : "",
                 tree->groups[i].on_pool ? ", on the pool" : "");
    fputs ("what happened:\n", stderr);
    unsigned first = tree->n_log > TREE_LOG ? tree->n_log - TREE_LOG : 0;
    for (unsigned i = first; i < tree->n_log; i++)
        fprintf (stderr, "  %s\n", tree->log[i % TREE_LOG]);
}
