/* SPDX-License-Identifier: MIT */
/*
 * Random trees of sequences, asked by calls that are cancelled, run out of time or are let go of at
 * random: every item comes exactly once, those of each generator in their order.
 */
#include "sequences.h"

enum { DEPTH = 4, LEAVES = 1 << DEPTH, EACH = 5, WITHIN = 100 };

typedef struct Tree {
    uint32_t state; /* of the random numbers */
    Numbers leaves[LEAVES];
    int n_leaves;
    int latest[LEAVES]; /* item of each that came */
    int n;
} Tree;

static uint32_t tree_random (Tree *tree, uint32_t below)
{
    tree->state = tree->state * 1664525 + 1013904223;
    return (uint32_t) (((uint64_t) tree->state * below) >> 32);
}

/* ---- growing --------------------------------------------------------------------------------- */

static void *map_somehow (void *item, void *data, EddyError **error)
{
    if (tree_random (data, 2) == 0 && !eddy_fiber_sleep (tree_random (data, 20000), error))
        return NULL;
    if (tree_random (data, 2) == 0)
        eddy_fiber_yield ();
    return item;
}

static bool choose_somehow (void *item, void *data, EddyError **error)
{
    return map_somehow (item, data, error) != NULL;
}

static EddySequence *tree_leaf (Tree *tree)
{
    int leaf = tree->n_leaves++;
    ck_assert_int_lt (leaf, LEAVES);
    tree->leaves[leaf] = (Numbers){ .first = leaf * WITHIN + 1,
                                    .last = leaf * WITHIN + EACH,
                                    .pause_ns = (int64_t) tree_random (tree, 3) * 10000 - 10000 };
    if (tree->leaves[leaf].pause_ns < 0)
        tree->leaves[leaf].pause_ns = -1;
    return numbers_new (&tree->leaves[leaf]);
}

static EddySequence *tree_grow (Tree *tree, unsigned depth)
{
    if (depth == 0)
        return tree_leaf (tree);
    EddySequence *below[2] = { tree_grow (tree, depth - 1), NULL };
    switch (tree_random (tree, 6)) {
    case 0:
        return eddy_sequence_map (below[0], map_somehow, tree, NULL, item_destroy);
    case 1:
        return eddy_sequence_filter (below[0], choose_somehow, tree, NULL);
    case 2:
        return eddy_sequence_take (below[0], LEAVES * EACH);
    case 3:
        return eddy_sequence_timeout (below[0], tree_random (tree, 50000));
    default:
        below[1] = tree_grow (tree, tree_random (tree, depth));
        return eddy_sequence_merge (below, 2, item_destroy);
    }
}

/* ---- asking ---------------------------------------------------------------------------------- */

static void tree_got (Tree *tree, void *item)
{
    int number = item_take (item);
    ck_assert_int_eq (number % WITHIN, tree->latest[number / WITHIN] + 1);
    tree->latest[number / WITHIN]++;
    tree->n++;
}

/* Let go of before its item has come, unless that is quick. */
static void *ask_and_let_go (Tree *tree, EddySequence *sequence, EddyError **error)
{
    EddyFuture *future = eddy_sequence_next_future (sequence, EDDY_PRIORITY_DEFAULT, NULL);
    for (uint32_t left = tree_random (tree, 6); left > 0; left--)
        eddy_fiber_yield ();
    EddyValue value = EDDY_VALUE_INIT;
    if (eddy_future_is_complete (future))
        (void) eddy_future_take (future, &value, error);
    else
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_CANCELLED, "it was let go of");
    eddy_unref (future);
    return value.as.pointer;
}

static void *ask_for_a_while (Tree *tree, EddySequence *sequence, EddyError **error)
{
    EDDY_AUTO (EddyCancellable)
    cancellable = eddy_cancellable_new_with_timeout (NULL, tree_random (tree, 30000));
    ck_assert_ptr_nonnull (cancellable);
    return eddy_sequence_next (sequence, cancellable, error);
}

/* Asks in one of three ways; whether it was the end. */
static bool tree_ask (Tree *tree, EddySequence *sequence)
{
    EddyError *error = NULL;
    uint32_t way = tree_random (tree, 3);
    void *item = way == 0   ? ask_and_let_go (tree, sequence, &error)
                 : way == 1 ? ask_for_a_while (tree, sequence, &error)
                            : eddy_sequence_next (sequence, NULL, &error);
    if (item != NULL)
        tree_got (tree, item);
    if (error == NULL)
        return item == NULL;
    ck_assert_msg (eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_CANCELLED) ||
                       eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_TIMED_OUT),
                   "%s", eddy_error_get_message (error));
    ck_assert (!eddy_sequence_has_ended (sequence));
    eddy_clear_error (&error);
    return false;
}

static void *ask_tree (void *data, EddyError **error)
{
    Tree *tree = data;
    EddySequence *sequence = tree_grow (tree, tree_random (tree, DEPTH + 1));
    /* Every tenth is dropped midway. */
    int most = tree_random (tree, 10) == 0 ? tree->n_leaves * EACH / 2 : -1;
    (void) error;
    ck_assert_ptr_nonnull (sequence);
    while (tree->n != most && !tree_ask (tree, sequence))
        ;
    if (tree->n != most)
        ck_assert_int_eq (tree->n, tree->n_leaves * EACH);
    eddy_unref (sequence);
    return NULL;
}

EDDY_TEST_TIMEOUT (D_sequence_random_trees_lose_nothing, 60)
{
    long n = eddy_test_reduced (3000, 300, "random trees of sequences");
    for (long seed = 1; seed <= n; seed++) {
        Tree tree = { .state = (uint32_t) seed };
        run_alone (ask_tree, &tree);
        for (int i = 0; i < tree.n_leaves; i++) {
            ck_assert_int_eq (tree.leaves[i].begun, tree.leaves[i].ended);
            ck_assert_int_eq (tree.leaves[i].destroyed, 1);
        }
    }
}
