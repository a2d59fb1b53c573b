/* SPDX-License-Identifier: MIT */
/* Walking trees: a folder and all that is in it, as a sequence. */
#ifndef EDDY_FILE_WALK_H
#define EDDY_FILE_WALK_H

#include <eddy/file.h>
#include <eddy/sequence.h>

EDDY_BEGIN_DECLS

/** How to walk. */
typedef enum EddyFileWalkFlags {
    EDDY_FILE_WALK_NONE = 0,
    /** What is in folders of other file systems does not come. */
    EDDY_FILE_WALK_ONE_FILE_SYSTEM = 1 << 0
} EddyFileWalkFlags;

/** A file that a walk has come to. An object; used on one thread at a time. */
typedef struct EddyFileWalkEntry EddyFileWalkEntry;

/**
 * Walks a folder: it comes first, then what is in it, in the folders' order, each folder right
 * before what is in it. Symbolic links come as links, and are not followed.
 *
 * However large the tree, only a part of it is in memory: of each folder on the way to where the
 * walk is, a thousand files. Up to eight folders are read ahead, on workers, so that who takes
 * entries mostly does not wait. What comes or goes meanwhile is told or not.
 *
 * A folder that cannot be read does not end the walk: it comes a second time, with the error. Where
 * @file itself cannot be asked, the sequence fails, and ends.
 *
 * @file: a folder, mostly; of any other file there is one entry
 * @flags: how to walk
 *
 * Returns: a sequence of EddyFileWalkEntry objects, the taker's own; NULL when memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddySequence *eddy_file_walk (EddyFile *file, EddyFileWalkFlags flags) EDDY_MUST_USE;

/** The file, owned by @entry; of an open folder (EddyDir) where the walk's is.
 * Thread: the entry's. Since: 0.1 */
EDDY_API EddyFile *eddy_file_walk_entry_get_file (EddyFileWalkEntry *entry);

/** What is known of it, owned by @entry. Thread: the entry's. Since: 0.1 */
EDDY_API const EddyFileInfo *eddy_file_walk_entry_get_info (EddyFileWalkEntry *entry);

/** How many folders of the walk it is in; 0: it is the one that is walked.
 * Thread: the entry's. Since: 0.1 */
EDDY_API unsigned eddy_file_walk_entry_get_depth (EddyFileWalkEntry *entry);

/** Why a folder could not be read, or not to its end, owned by @entry; NULL: this is an ordinary
 * entry. Thread: the entry's. Since: 0.1 */
EDDY_API const EddyError *eddy_file_walk_entry_get_error (EddyFileWalkEntry *entry);

/** Says of a folder, before the next entry is asked for, that what is in it is not to come.
 * Thread: the sequence's. Since: 0.1 */
EDDY_API void eddy_file_walk_entry_skip (EddyFileWalkEntry *entry);

EDDY_END_DECLS

#endif
