/* SPDX-License-Identifier: MIT */
/* `eddy copy` from the inside.
 *
 * Fibers of one kind do all the work, at most COPY_FIBERS at once. Each takes the next piece from
 * the queue (copy-queue.c) until there is none, and then ends: to make a folder and list what is in
 * it (copy-tree.c), to copy one file (copy-file.c), or to give a folder its attributes once all in
 * it has ended. Whoever adds work spawns fibers for it. All run on the one thread of the loop, so
 * that nothing here needs a lock; the system calls run on the library's workers.
 *
 *   SOURCE ──► folder to walk ──► its files, its folders ──► folder to finish ──► its parent …
 *
 * Folders are walked ahead of the copying, so that it is soon known how much there is, until many
 * files wait. A file that waits is only a place in its folder's list: paths are made when it is its
 * turn. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eddy/file.h>
#include <eddy/group.h>

#include "progress.h"

enum {
    COPY_FIBERS = 64,
    COPY_WALKS = 8,            /* folders that are listed at once */
    COPY_QUEUE_LIMIT = 100000, /* files that wait; with more no folder is walked */
    COPY_BIG_SIZE = 4 << 20    /* from here on a file tells of its progress */
};

typedef struct CopyOptions {
    bool recursive;
    bool force;
    bool no_clobber;
    bool quiet;
    ProgressMode progress;
} CopyOptions;

/* A folder of the tree, from being found to having its attributes. */
typedef struct CopyFolder CopyFolder;
struct CopyFolder {
    CopyFolder *next; /* in the list of the queue that it is on */
    CopyFolder *parent;
    EddyFile *source;
    EddyFile *destination;
    uint64_t device; /* of the source */
    uint64_t inode;
    EddyFileInfoList *children;
    size_t next_child;    /* of `children`: where the files begin that nobody has taken */
    size_t n_waiting;     /* how many those are */
    size_t n_unfinished;  /* children that have not ended, and one for the walk itself */
    bool follows_symlink; /* the destination may be a symbolic link to a folder */
    bool is_made;         /* the destination is there */
};

/* A file of the tree: anything that is no folder. */
typedef struct CopyItem CopyItem;
struct CopyItem {
    CopyItem *next;
    CopyFolder *folder; /* it is a child of; NULL: it is a SOURCE */
    EddyFile *source;
    EddyFile *destination;
    const EddyFileInfo *info; /* the folder's */
    EddyFileInfo *own_info;   /* a SOURCE's, which `info` then is */
    int64_t n_copied;         /* bytes that the counts have so far */
};

/* A file with several names. */
typedef struct CopyLink CopyLink;

typedef struct CopyLinks {
    CopyLink **buckets;
    size_t n_buckets;
    size_t n_links;
} CopyLinks;

/* Names that this run has made. */
typedef struct CopyMadeNames {
    struct CopyMadeName **buckets;
    size_t n_buckets;
    size_t n_names;
} CopyMadeNames;

/* The number of a file system and of a file on it. */
typedef struct CopyIdentity {
    uint64_t device;
    uint64_t inode;
} CopyIdentity;

typedef struct CopyQueue {
    CopyFolder *to_walk; /* a stack: the last found first */
    CopyFolder *to_finish;
    CopyFolder *first_folder; /* whose files wait */
    CopyFolder *last_folder;
    CopyItem *first_item; /* files that stand for themselves */
    CopyItem *last_item;
    size_t n_to_walk;
    size_t n_to_finish;
    size_t n_files; /* of the folders */
    size_t n_items;
} CopyQueue;

typedef struct Copy {
    CopyOptions options;
    EddyCancellable *cancellable; /* the command's own */
    EddyGroup *group;
    EddyFile *into;          /* DESTINATION */
    bool into_folder;        /* it is a folder: copies go into it */
    CopyIdentity *ancestors; /* the folder that is copied into, and all above it */
    size_t n_ancestors;
    CopyQueue queue;
    CopyLinks links;
    CopyMadeNames made;
    bool keeps_made; /* two sources may want one name */
    unsigned n_fibers;
    unsigned n_starting; /* of those, spawned and not yet begun */
    unsigned n_walks;
    unsigned n_big; /* big files under way */
    bool all_added; /* every SOURCE was looked at */
    bool disk_full;
    bool failed;
    Progress progress;
} Copy;

typedef enum CopyWorkKind { COPY_WORK_WALK, COPY_WORK_FINISH, COPY_WORK_FILE } CopyWorkKind;

/* A piece of work, once taken. */
typedef struct CopyWork {
    CopyWorkKind kind;
    CopyFolder *folder;
    CopyItem item;
} CopyWork;

/* copy.c */

/* Whether nothing new is to be begun. */
bool copy_is_stopping (const Copy *copy);
/* Tells of a failure, whose reference is taken; one by cancelling is nobody's failure. */
void copy_fail (Copy *copy, EddyError *error);
/* Tells that memory is out. */
void copy_fail_memory (Copy *copy, EddyFile *file);

/* copy-queue.c */

void copy_queue_walk (Copy *copy, CopyFolder *folder);
void copy_queue_files (Copy *copy, CopyFolder *folder);
/* Takes the item's memory. */
void copy_queue_item (Copy *copy, CopyItem *item);
void copy_queue_finish (Copy *copy, CopyFolder *folder);
/* The next piece of work; false when there is none for now. */
bool copy_queue_take (Copy *copy, CopyWork *work);
/* How many fibers could work at once on what is there. */
size_t copy_queue_get_available (const Copy *copy);

/* copy-tree.c */

/* Begins to copy a SOURCE. */
void copy_add_source (Copy *copy, const char *path);
/* Works until nothing is left to take: what each fiber does. */
void copy_work (Copy *copy);
/* Spawns fibers for the work that there is, and notes when no more can come. */
void copy_rouse (Copy *copy);
/* A child of the folder, or the walk of it, has ended. NULL: it was a SOURCE's. */
void copy_folder_end_child (Copy *copy, CopyFolder *folder);
/* Finds out where DESTINATION is: what must not be copied into it. */
void copy_read_ancestors (Copy *copy, const char *path);

/* copy-file.c */

/* Copies one file, and ends it; or leaves it until another name of it has been copied. */
void copy_item_run (Copy *copy, CopyItem *item);
/* Gives up what an item holds, not its memory. */
void copy_item_clear (CopyItem *item);

/* copy-links.c */

struct CopyLink {
    CopyLink *next;
    CopyIdentity identity;
    uint32_t n_names;      /* not yet settled */
    bool is_busy;          /* one of its names is being made */
    EddyFile *destination; /* a name that was made; NULL: none so far */
    CopyItem *waiting;     /* further names */
};

/* The file that an info is of; NULL when memory is out. */
CopyLink *copy_links_get (CopyLinks *links, const EddyFileInfo *info);
/* Leaves an item until the name that is being made is; false when memory is out. */
bool copy_links_wait (CopyLink *link, CopyItem *item);
/* A name is settled: it was made as `destination`, or not (NULL). Items that waited are queued. */
void copy_links_settle (Copy *copy, CopyLink *link, EddyFile *destination);
void copy_links_clear (CopyLinks *links);

/* copy-made.c */

/* Notes that a name is about to be made; false when it was before, by this same run. */
bool copy_made_claim (CopyMadeNames *made, const char *path);
void copy_made_clear (CopyMadeNames *made);
/* Whether two of the sources would be copied to one name, or into one another. */
bool copy_made_is_needed (char *const *sources, int n_sources);
/* Whether a source's last part is no name: its files go into DESTINATION itself. */
bool copy_is_nameless (const char *basename);
