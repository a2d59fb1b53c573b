/* SPDX-License-Identifier: MIT */
/* Removing trees from the inside.
 *
 * A job opens a folder, beneath its parent's fd and never by a symbolic link, and removes the files
 * in it. Where it holds no folder the same job removes it, too; else it waits until those have
 * ended, and is removed by a job of its own.
 *
 *   root ──► folder to read ──► its folders … ──► folder to finish ──► its parent …
 *
 * A folder stays open as long as something in it is to be removed, but for those used least lately
 * of many. One that was closed is found again by the ".." of a folder in it, or from above, and is
 * known by its device and inode. */
#pragma once

#include "base/list-private.h"
#include "file/at-private.h"
#include "file/tree-identity-private.h"
#include "file/tree-private.h"

enum {
    EDDY_TREE_DELETE_FIBERS = 16,
    EDDY_TREE_DELETE_ROUNDS = 100 /* how often a folder is read that is not empty in the end */
};

/* How many folders stay open; tests make it smaller. */
extern size_t eddy__tree_delete_most_opened;

/* What the work was given, and where that is. */
typedef struct EddyTreeDoomedRoot {
    EddyFile *file;
    EddyFileAt at;
} EddyTreeDoomedRoot;

/* A folder that is to be removed. Its names and its identity do not change, so that jobs may read
 * them; all else is the loop's. */
typedef struct EddyTreeDoomed EddyTreeDoomed;
struct EddyTreeDoomed {
    EddyTreeDoomed *next; /* of those that wait */
    EddyTreeDoomed *parent;
    EddyTreeDoomedRoot *root; /* of one that was given; else NULL */
    EddyList opened;          /* of the open ones, the one used last at the end */
    int fd;                   /* -1: closed */
    unsigned n_users;         /* jobs that use the fd */
    EddyTreeIdentity identity;
    size_t n_unfinished; /* folders in it that have not ended, and one while it is being read */
    unsigned n_rounds;
    bool is_reading; /* a part of it was read: it stays open */
    bool is_left;    /* something in it could not be removed */
    char name[];     /* in the parent; a root's without the slashes behind it */
};

/* What has failed in a job. */
typedef struct EddyTreeDoomedFailure EddyTreeDoomedFailure;
struct EddyTreeDoomedFailure {
    EddyTreeDoomedFailure *next;
    EddyError *error;
};

/* A job on a folder. */
typedef struct EddyTreeDoomedJob {
    EddyTreeJob job;
    EddyTreeDoomedRoot *root; /* that is begun; else NULL, and … */
    EddyTreeDoomed *folder;   /* … what is read or finished */
    EddyTreeDoomed *ancestor; /* the nearest that is open, which stays so; NULL: none */
    bool may_finish;          /* it is removed when it is empty */
    bool passes_over;         /* a root that is missing is no failure */
    /* What has come of it: */
    int fd;        /* of the folder */
    bool waits;    /* a root's: it is on a disk */
    int parent_fd; /* of the parent, which was closed and is open now; else -1 */
    EddyTreeIdentity identity;
    EddyTreeDoomed *found; /* folders in it */
    EddyTreeDoomedFailure *failures;
    uint64_t n_found;
    uint64_t n_removed;
    uint64_t n_failed;
    uint64_t n_passed_over;
    unsigned n_lost; /* failures that there was no memory to tell of */
    bool has_more;   /* it is to be read further … */
    bool is_again;   /* … from its beginning, since it was not empty in the end */
    bool is_gone;    /* it is no more: removed, here or by somebody else */
    bool is_removed; /* here */
    bool is_full;    /* too many files are open */
    bool is_cancelled;
} EddyTreeDoomedJob;

/* tree-delete-folder.c: what jobs do. */

/* Removes a root that is a file; else says that it is a folder, by not being gone. */
void eddy__tree_doomed_begin (EddyTreeJob *job, EddyCancellable *cancellable);
/* Reads a folder, or a part of it, and removes the files in it. */
void eddy__tree_doomed_read (EddyTreeJob *job, EddyCancellable *cancellable);
/* Removes a folder that was read. */
void eddy__tree_doomed_finish (EddyTreeJob *job, EddyCancellable *cancellable);
/* NULL when memory is out. */
EddyTreeDoomed *eddy__tree_doomed_new (EddyTreeDoomed *parent, const char *name, size_t length);
