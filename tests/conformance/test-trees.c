/* SPDX-License-Identifier: MIT */
/*
 * Random trees of fibers, groups, deadlines and cancels, checked against a model (trees.h). Two
 * numbers in the environment make other trees than the usual ones, or more:
 *
 *   EDDY_TREES_SEED=N    begins with this seed; alone, it makes this one tree
 *   EDDY_TREES=N         so many trees, with seeds that follow on each other
 *
 *   EDDY_TREES=1000000 build/mine/tests/test-conformance-trees
 */
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "context.h"
#include "trees.h"

/* A number from the environment. */
static uint64_t trees_number (const char *name, uint64_t otherwise)
{
    const char *text = getenv (name);
    return text == NULL ? otherwise : strtoull (text, NULL, 10);
}

static void run_trees (long full, long reduced, EddyPool *pool)
{
    EddyContext *context = eddy_test_context_begin ();
    static Tree tree = { .mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP };
    uint64_t seed = trees_number ("EDDY_TREES_SEED", 1);
    uint64_t n_trees = trees_number ("EDDY_TREES", getenv ("EDDY_TREES_SEED") ? 1 : 0);
    if (n_trees == 0)
        n_trees = (uint64_t) eddy_test_reduced (full, reduced, "random trees");
    tree.context = context;
    tree.pool = pool;
    tree.silent_fd = eventfd (0, EFD_CLOEXEC);
    for (uint64_t i = 0; i < n_trees; i++) {
        tree_plan (&tree, seed + i);
        tree_run (&tree);
    }
    close (tree.silent_fd);
    eddy_test_context_end (context);
}

EDDY_TEST_TIMEOUT (D_group_trees_keep_their_promises, 300)
{
    run_trees (20000, 2000, NULL);
}

EDDY_TEST_TIMEOUT (D_pool_trees_keep_their_promises, 300)
{
    EddyError *error = NULL;
    EddyPool *pool = eddy_pool_new (3, &error);
    ck_assert_ptr_nonnull (pool);
    run_trees (1000, 100, pool);
    ck_assert (eddy_pool_close (pool, NULL, &error));
    eddy_unref (pool);
}
