/* SPDX-License-Identifier: MIT */
/* Works on whole trees: what copying (tree-copy-private.h) and removing (tree-delete-private.h)
 * have in common.
 *
 * Fibers of one kind do all the work. Each takes the next piece until there is none, and then ends;
 * whoever adds work rouses further ones. All run on the one thread of the context, so that nothing
 * here needs a lock; the system calls run on workers. */
#pragma once

#include <eddy/file-tree.h>

typedef struct EddyGroup EddyGroup;

/* What the work was given. */
typedef struct EddyTreeRoot {
    EddyFile *file;
    EddyFile *destination; /* copying */
} EddyTreeRoot;

/* What a kind of work does in its own way. All in a fiber. */
typedef struct EddyTreeKind {
    const char *name;
    unsigned n_fibers; /* at most */
    /* Before anything; all roots are there. */
    void (*begin) (EddyTreeWork *work);
    /* Takes a root up; one after the other, in their order. */
    void (*take_up) (EddyTreeWork *work, const EddyTreeRoot *root);
    /* Does the next piece of work; false when there is none for now. When the work is stopping,
     * what was not begun is let go of. */
    bool (*step) (EddyTreeWork *work);
    /* How many fibers could work at once on what is there. */
    size_t (*get_available) (const EddyTreeWork *work);
    /* Whether more may be found. */
    bool (*is_finding) (const EddyTreeWork *work);
    /* How far it is, as a progress callback is told it. */
    void (*get_progress) (const EddyTreeWork *work, int64_t *current, int64_t *total);
    void (*clear) (EddyTreeWork *work);
} EddyTreeKind;

struct EddyTreeWork {
    EddyObject object;
    const EddyTreeKind *kind;
    EddyTreeFlags flags;
    EddyTreeRoot *roots;
    size_t n_roots;
    size_t roots_capacity;
    EddyTreeCounts counts;
    EddyError **failures; /* those that are kept */
    size_t failures_capacity;
    size_t n_kept;
    uint64_t n_failures; /* all */
    EddyTreeFailureFunc failure_function;
    void *failure_data;
    EddyFileProgressCallback progress_callback;
    void *progress_data;
    int64_t progress_told_ns;
    /* While it runs: */
    EddyCancellable *cancellable; /* what it was given, or NULL … */
    EddyCancellable *scope;       /* … and the fiber's own */
    EddyGroup *group;
    unsigned n_fibers;
    unsigned n_starting; /* of those, spawned and not yet begun */
    bool has_run;
    bool jobs_wait;    /* for a disk: many of them at once take less time */
    bool all_added;    /* every root was taken up */
    bool stopped;      /* after a failure: nothing new is begun */
    bool is_cut_short; /* something that it was to do it did not do, or not to its end */
};

/* tree-work.c */

/* Makes a work of a class whose instances begin with an EddyTreeWork. */
EddyTreeWork *eddy__tree_work_new (const EddyClass *object_class, const EddyTreeKind *kind,
                                   EddyTreeFlags flags);
/* What such a class's finalize calls first. */
void eddy__tree_work_finalize (void *object);
bool eddy__tree_work_add (EddyTreeWork *work, EddyFile *file, EddyFile *destination);
/* Does a work of one root, told of by a callback, and gives it up; `work` may be NULL. */
bool eddy__tree_run_one (EddyTreeWork *work, EddyFile *file, EddyFile *destination,
                         EddyCancellable *cancellable, EddyFileProgressCallback progress_callback,
                         void *progress_callback_data, EddyError **error);

/* Whether nothing new is to be begun. */
bool eddy__tree_is_stopping (const EddyTreeWork *work);
/* Whether an error only says that the work is cancelled. */
bool eddy__tree_is_cancel (const EddyTreeWork *work, const EddyError *error);
/* Tells of a failure, whose reference is taken; whether it is one: by cancelling is nobody's. */
bool eddy__tree_fail (EddyTreeWork *work, EddyError *error);
/* The same for memory that is out. `file`: what it was about, or NULL. */
void eddy__tree_fail_memory (EddyTreeWork *work, EddyFile *file);
/* Spawns fibers for the work that there is, and notes when no more can come. */
void eddy__tree_rouse (EddyTreeWork *work);
/* Tells the progress now and then. */
void eddy__tree_tell (EddyTreeWork *work);

/* A piece of work for a worker, within a record of what it is about. */
typedef struct EddyTreeJob EddyTreeJob;
struct EddyTreeJob {
    void (*run) (EddyTreeJob *job, EddyCancellable *cancellable);
};

/* Runs a job on a worker; false with an error when it was not begun: cancelled, or no memory. */
bool eddy__tree_run_job (EddyTreeWork *work, EddyTreeJob *job, EddyError **error);
