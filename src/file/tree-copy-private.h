/* SPDX-License-Identifier: MIT */
/* Copying trees from the inside.
 *
 * A fiber's next piece of work (tree-queue.c) is to make a folder and list what is in it
 * (tree-copy.c), to copy one file (tree-copy-file.c), or to give a folder its attributes once all
 * in it has ended.
 *
 *   root ──► folder to walk ──► its files, its folders ──► folder to finish ──► its parent …
 *
 * Folders are walked ahead of the copying, so that it is soon known how much there is, until many
 * files wait. A file that waits is only a place in its folder's list: paths are made when it is its
 * turn. */
#pragma once

#include "file/tree-identity-private.h"
#include "file/tree-private.h"

enum {
    EDDY_TREE_COPY_FIBERS = 64,
    EDDY_TREE_COPY_WALKS = 8,            /* folders that are listed at once */
    EDDY_TREE_COPY_QUEUE_LIMIT = 100000, /* files that wait; with more no folder is walked */
    EDDY_TREE_COPY_BIG_SIZE = 4 << 20    /* from here on a file tells of its progress */
};

/* The folder that something is copied into, and all above it: what must not be copied into it. */
typedef struct EddyTreeInto EddyTreeInto;
struct EddyTreeInto {
    EddyTreeInto *next;
    EddyTreeIdentity *ancestors;
    size_t n_ancestors;
    size_t path_length;
    char path[]; /* of the folder, as far as it is known by its name */
};

/* A folder of the tree, from being found to having its attributes. */
typedef struct EddyTreeFolder EddyTreeFolder;
struct EddyTreeFolder {
    EddyTreeFolder *next; /* in the list of the queue that it is on */
    EddyTreeFolder *parent;
    const EddyTreeInto *into;
    EddyFile *source;
    EddyFile *destination;
    EddyTreeIdentity identity; /* of the source */
    EddyFileInfoList *children;
    size_t next_child;   /* of `children`: where the files begin that nobody has taken */
    size_t n_waiting;    /* how many those are */
    size_t n_unfinished; /* children that have not ended, and one for the walk itself */
    bool is_made;        /* the destination is there */
};

/* A file of the tree: anything that is no folder. */
typedef struct EddyTreeItem EddyTreeItem;
struct EddyTreeItem {
    EddyTreeItem *next;
    EddyTreeFolder *folder; /* it is a child of; NULL: it is a root */
    EddyFile *source;
    EddyFile *destination;
    const EddyFileInfo *info; /* the folder's */
    EddyFileInfo *own_info;   /* a root's, which `info` then is */
    int64_t n_copied;         /* bytes that the counts have so far */
};

/* A file with several names. */
typedef struct EddyTreeLink EddyTreeLink;

typedef struct EddyTreeLinks {
    EddyTreeLink **buckets;
    size_t n_buckets;
    size_t n_links;
} EddyTreeLinks;

/* Names that this work has made. */
typedef struct EddyTreeMadeNames {
    struct EddyTreeMadeName **buckets;
    size_t n_buckets;
    size_t n_names;
} EddyTreeMadeNames;

typedef struct EddyTreeQueue {
    EddyTreeFolder *to_walk; /* a stack: the last found first */
    EddyTreeFolder *to_finish;
    EddyTreeFolder *first_folder; /* whose files wait */
    EddyTreeFolder *last_folder;
    EddyTreeItem *first_item; /* files that stand for themselves */
    EddyTreeItem *last_item;
    size_t n_to_walk;
    size_t n_to_finish;
    size_t n_files; /* of the folders */
    size_t n_items;
} EddyTreeQueue;

typedef struct EddyTreeCopy {
    EddyTreeWork work;
    EddyFileCopyFlags flags;
    EddyTreeInto *into; /* the last one first */
    EddyTreeQueue queue;
    EddyTreeLinks links;
    EddyTreeMadeNames made;
    bool keeps_made; /* two roots may want one name */
    unsigned n_walks;
    unsigned n_big;     /* big files under way */
    bool helps_between; /* the context's thread helps with jobs when there are none */
} EddyTreeCopy;

typedef enum EddyTreePieceKind {
    EDDY_TREE_WALK,
    EDDY_TREE_FINISH,
    EDDY_TREE_FILE
} EddyTreePieceKind;

/* A piece of work, once taken. */
typedef struct EddyTreePiece {
    EddyTreePieceKind kind;
    EddyTreeFolder *folder;
    EddyTreeItem item;
} EddyTreePiece;

/* tree-queue.c */

void eddy__tree_queue_walk (EddyTreeCopy *copy, EddyTreeFolder *folder);
void eddy__tree_queue_files (EddyTreeCopy *copy, EddyTreeFolder *folder);
/* Takes the item's memory. */
void eddy__tree_queue_item (EddyTreeCopy *copy, EddyTreeItem *item);
void eddy__tree_queue_finish (EddyTreeCopy *copy, EddyTreeFolder *folder);
/* The next piece of work; false when there is none for now. */
bool eddy__tree_queue_take (EddyTreeCopy *copy, EddyTreePiece *piece);
/* How many fibers could work at once on what is there. */
size_t eddy__tree_queue_get_available (const EddyTreeCopy *copy);

/* tree-copy.c */

/* A child of the folder, or the walk of it, has ended. NULL: it was a root's. */
void eddy__tree_folder_end_child (EddyTreeCopy *copy, EddyTreeFolder *folder);

/* tree-into.c */

/* Where a root is copied to; NULL with an error when memory is out, or the work is cancelled. */
const EddyTreeInto *eddy__tree_into_get (EddyTreeCopy *copy, EddyFile *destination,
                                         EddyError **error);
/* Whether a folder is one that the copy would lie in. */
bool eddy__tree_into_is_within (const EddyTreeInto *into, const EddyFileInfo *folder);
void eddy__tree_into_clear (EddyTreeCopy *copy);

/* tree-copy-file.c */

/* Copies one file, and ends it; or leaves it until another name of it has been copied. */
void eddy__tree_item_run (EddyTreeCopy *copy, EddyTreeItem *item);
/* Gives up what an item holds, not its memory. */
void eddy__tree_item_clear (EddyTreeItem *item);

/* tree-links.c */

struct EddyTreeLink {
    EddyTreeLink *next;
    EddyTreeIdentity identity;
    uint32_t n_names;      /* not yet settled */
    bool is_busy;          /* one of its names is being made */
    EddyFile *destination; /* a name that was made; NULL: none so far */
    EddyTreeItem *waiting; /* further names */
};

/* The file that an info is of; NULL when memory is out. */
EddyTreeLink *eddy__tree_links_get (EddyTreeLinks *links, const EddyFileInfo *info);
/* Leaves an item until the name that is being made is; false when memory is out. */
bool eddy__tree_links_wait (EddyTreeLink *link, EddyTreeItem *item);
/* A name is settled: it was made as `destination`, or not (NULL). Items that waited are queued. */
void eddy__tree_links_settle (EddyTreeCopy *copy, EddyTreeLink *link, EddyFile *destination);
void eddy__tree_links_clear (EddyTreeLinks *links);

/* tree-made.c */

/* Notes that a name is about to be made; false when it was before, by this same work. */
bool eddy__tree_made_claim (EddyTreeMadeNames *made, const char *path);
void eddy__tree_made_clear (EddyTreeMadeNames *made);
/* Whether two of the roots might be copied to one name, or into one another. */
bool eddy__tree_made_is_needed (const EddyTreeRoot *roots, size_t n_roots);
