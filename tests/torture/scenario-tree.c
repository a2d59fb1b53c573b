/* SPDX-License-Identifier: MIT */
/*
 * Whole trees: copied, removed and walked.
 */
#include <sys/stat.h>
#include <unistd.h>

#include "torture.h"

enum { SIZE = 3000 };

static const char *const tree_files[] = { "tree/one", "tree/inner/two", "tree/inner/deep/three" };
static const char *const copy_files[] = { "copy/one", "copy/inner/two", "copy/inner/deep/three" };
enum { N_FILES = 3 };

/* A file in each of three folders, and a second name of the first. */
static void tree_make (void)
{
    torture_require (mkdir (torture_path ("tree"), 0700) == 0);
    torture_require (mkdir (torture_path ("tree/inner"), 0700) == 0);
    torture_require (mkdir (torture_path ("tree/inner/deep"), 0700) == 0);
    for (int i = 0; i < N_FILES; i++)
        torture_make_file (tree_files[i], SIZE);
    torture_require (link (torture_path ("tree/one"), torture_path ("tree/inner/again")) == 0);
}

typedef struct Tree {
    EddyFile *source;
    EddyFile *copy;
    bool is_done;
    unsigned n_entries;
} Tree;

static bool tree_begin (Tree *tree)
{
    tree->source = torture_made ("a file", eddy_file_new_for_path (torture_path ("tree")));
    tree->copy = torture_made ("a file", eddy_file_new_for_path (torture_path ("copy")));
    return tree->source != NULL && tree->copy != NULL;
}

static void tree_end (Tree *tree)
{
    eddy_unref (tree->source);
    eddy_unref (tree->copy);
}

/* ---- Copy ---------------------------------------------------------------------------------- */

static void copy_step (void *data)
{
    Tree *tree = data;
    EddyError *error = NULL;
    if (tree_begin (tree)) {
        tree->is_done = eddy_file_copy_tree (tree->source, tree->copy, EDDY_FILE_COPY_ALL_METADATA,
                                             NULL, NULL, NULL, &error);
        if (!tree->is_done)
            torture_error ("copy_tree", &error);
    }
    tree_end (tree);
}

/* Each file is there whole or not at all. */
static void copy_verify (const Tree *tree)
{
    torture_require (tree->is_done || torture_has_failed ());
    for (int i = 0; i < N_FILES; i++) {
        torture_require (torture_file_is_whole (torture_path (tree_files[i]), SIZE));
        bool is_there = torture_exists (torture_path (copy_files[i]));
        torture_require (is_there || !tree->is_done);
        if (is_there && !torture_cannot_remove ())
            torture_require (torture_file_is_whole (torture_path (copy_files[i]), SIZE));
    }
}

TORTURE_SCENARIO (tree_copy)
{
    Tree tree = { 0 };
    tree_make ();
    torture_begin ();
    copy_step (&tree);
    torture_end ();
    copy_verify (&tree);
}

TORTURE_SCENARIO (tree_copy_awaited)
{
    Tree tree = { 0 };
    tree_make ();
    torture_begin ();
    torture_await (copy_step, &tree);
    torture_end ();
    copy_verify (&tree);
}

/* ---- Delete -------------------------------------------------------------------------------- */

static void delete_step (void *data)
{
    Tree *tree = data;
    EddyError *error = NULL;
    if (tree_begin (tree)) {
        tree->is_done = eddy_file_delete_tree (tree->source, NULL, NULL, NULL, &error);
        if (!tree->is_done)
            torture_error ("delete_tree", &error);
    }
    tree_end (tree);
}

static void delete_verify (const Tree *tree)
{
    bool is_there = torture_exists (torture_path ("tree"));
    torture_require (tree->is_done || torture_has_failed ());
    torture_require (!tree->is_done || !is_there);
}

TORTURE_SCENARIO (tree_delete)
{
    Tree tree = { 0 };
    tree_make ();
    torture_begin ();
    delete_step (&tree);
    torture_end ();
    delete_verify (&tree);
}

TORTURE_SCENARIO (tree_delete_awaited)
{
    Tree tree = { 0 };
    tree_make ();
    torture_begin ();
    torture_await (delete_step, &tree);
    torture_end ();
    delete_verify (&tree);
}

/* ---- Walk ---------------------------------------------------------------------------------- */

static void walk_step (void *data)
{
    Tree *tree = data;
    EddyError *error = NULL;
    EddySequence *walk = NULL;
    EddyFileWalkEntry *entry = NULL;
    if (tree_begin (tree))
        walk = torture_made ("a walk", eddy_file_walk (tree->source, EDDY_FILE_WALK_NONE));
    while (walk != NULL && (entry = eddy_sequence_next (walk, NULL, &error)) != NULL) {
        EddyError *failure = eddy_ref ((EddyError *) eddy_file_walk_entry_get_error (entry));
        tree->n_entries++;
        if (failure != NULL)
            torture_error ("walk", &failure);
        eddy_unref (entry);
    }
    tree->is_done = walk != NULL && error == NULL;
    if (error != NULL)
        torture_error ("walk", &error);
    eddy_unref (walk);
    tree_end (tree);
}

TORTURE_SCENARIO (tree_walk)
{
    Tree tree = { 0 };
    tree_make ();
    torture_begin ();
    torture_await (walk_step, &tree);
    torture_end ();
    torture_require (tree.is_done || torture_has_failed ());
    if (!torture_was_hit ())
        torture_require (tree.n_entries == 7);
}
