/* SPDX-License-Identifier: MIT */
/* Whole trees: copying and deleting folders with all that is in them. */
#ifndef EDDY_FILE_TREE_H
#define EDDY_FILE_TREE_H

#include <eddy/file.h>

EDDY_BEGIN_DECLS

/* --- in one call ------------------------------------------------------------------------------ */

/**
 * Copies a folder with all that is in it, or a file. Symbolic links are copied as links. Names of
 * one file become names of one copy; holes stay holes. A folder that exists already is merged with.
 * A folder is private to its maker until all in it has been copied, and then gets its attributes.
 *
 * What fails does not keep the rest from being copied; an EddyTreeWork tells of each failure. Where
 * it is cancelled, each file of the copy is whole or absent, and folders that were made stay. Small
 * files in folders are copied with EDDY_FILE_COPY_IN_PLACE.
 *
 * @source: a file or a folder; a symbolic link itself
 * @destination: the name of its copy; not a name within @source, by whatever link. A symbolic link
 *     there is not followed, unless a slash stands behind its name
 * @flags: as for eddy_file_copy(); NOFOLLOW_SYMLINKS is understood
 * @cancellable: a cancellable, or NULL
 * @progress_callback: told how many bytes were dealt with, and how many were found so far; or NULL
 * @progress_callback_data: for @progress_callback
 * @error: where to put the error
 *
 * Returns: whether all was copied
 * Errors: CANCELLED when it was cancelled before it had ended, else the first of those of
 *     eddy_file_copy(); WOULD_RECURSE for a folder that holds the copy; NOT_SUPPORTED for a device
 *     or a socket, which are left out; after NO_SPACE nothing more is begun
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (FIBER)
bool eddy_file_copy_tree (EddyFile *source, EddyFile *destination, EddyFileCopyFlags flags,
                          EddyCancellable *cancellable,
                          EddyFileProgressCallback progress_callback EDDY_CALLBACK,
                          void *progress_callback_data, EddyError **error);

/**
 * Removes a folder with all that is in it, or a file. Symbolic links are removed and never
 * followed, also when somebody puts one in the place of a folder meanwhile.
 *
 * What fails does not keep the rest from being removed; an EddyTreeWork tells of each failure.
 *
 * @file: a file or a folder; a symbolic link itself
 * @cancellable: a cancellable, or NULL
 * @progress_callback: told how many files, not bytes, were removed, and how many were found so far;
 *     or NULL
 * @progress_callback_data: for @progress_callback
 * @error: where to put the error
 *
 * Returns: whether all was removed
 * Errors: CANCELLED when it was cancelled before it had ended, else the first of: NOT_FOUND when
 *     @file is missing, INVALID_ARGUMENT when its last part is no name ("/", ".", ".."),
 *     PERMISSION_DENIED …, with the path
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (FIBER)
bool eddy_file_delete_tree (EddyFile *file, EddyCancellable *cancellable,
                            EddyFileProgressCallback progress_callback EDDY_CALLBACK,
                            void *progress_callback_data, EddyError **error);

/* --- at one's own will ------------------------------------------------------------------------ */

/** A copy or a removal of several files and folders. It is made, gets what it is to work on, and
 * runs once. An object; used on one thread. */
typedef struct EddyTreeWork EddyTreeWork;

/** How to work. */
typedef enum EddyTreeFlags {
    EDDY_TREE_NONE = 0,
    /** A folder that the work is given is a failure, WOULD_RECURSE. */
    EDDY_TREE_FILES_ONLY = 1 << 0,
    /** No failures: a file that is in the way of a copy, something to be removed that is missing.
     */
    EDDY_TREE_PASS_OVER = 1 << 1
} EddyTreeFlags;

/** How far a work has come. Files are all but folders. A file is settled when nothing more will be
 * done for it: it is done, has failed, or was passed over. */
typedef struct EddyTreeCounts {
    /** Files that were found. */
    uint64_t files_found;
    /** Files that were copied or removed. */
    uint64_t files_done;
    /** Files that could not be. */
    uint64_t files_failed;
    /** Files that were passed over. */
    uint64_t files_passed_over;
    /** Folders that were made or merged with, or were removed. */
    uint64_t folders_done;
    /** Copying: bytes of all files that were found. */
    int64_t bytes_found;
    /** Copying: bytes that were copied; further names of a file count nothing. */
    int64_t bytes_done;
    /** Copying: bytes of files that are settled, and those that were copied of others. */
    int64_t bytes_settled;
    /** What was found is all there is. */
    bool all_found;
} EddyTreeCounts;

/** Makes a work that copies; @flags as for eddy_file_copy_tree(). NULL when memory is out.
 * Thread: any. Since: 0.1 */
EDDY_API EddyTreeWork *eddy_tree_work_new_copy (EddyFileCopyFlags flags,
                                                EddyTreeFlags tree_flags) EDDY_MUST_USE;

/** Makes a work that removes. NULL when memory is out. Thread: any. Since: 0.1 */
EDDY_API EddyTreeWork *eddy_tree_work_new_delete (EddyTreeFlags tree_flags) EDDY_MUST_USE;

/**
 * Adds something to copy. With OVERWRITE, what one work has just copied is not replaced by another
 * file of the same work.
 *
 * @work: a work that copies, and has not run
 * @source: a file or a folder; a symbolic link itself
 * @destination: the name of its copy, as for eddy_file_copy_tree()
 *
 * Returns: whether it was added: false when memory is out
 * Thread: the work's
 * Since: 0.1
 */
EDDY_API bool eddy_tree_work_add_copy (EddyTreeWork *work, EddyFile *source,
                                       EddyFile *destination) EDDY_MUST_USE;

/**
 * Adds something to remove.
 *
 * @work: a work that removes, and has not run
 * @file: a file or a folder; a symbolic link itself
 *
 * Returns: whether it was added: false when memory is out
 * Thread: the work's
 * Since: 0.1
 */
EDDY_API bool eddy_tree_work_add_delete (EddyTreeWork *work, EddyFile *file) EDDY_MUST_USE;

/**
 * Told of each failure as it comes, in a fiber of the work.
 *
 * @work: the work
 * @error: what failed; its message begins with the path
 * @user_data: as given to eddy_tree_work_set_failure_func()
 *
 * Returns: whether to go on; false: nothing more is begun, and what is under way ends
 */
typedef bool (*EddyTreeFailureFunc) (EddyTreeWork *work, const EddyError *error, void *user_data);

/**
 * Has failures told as they come. Without this, the work goes on after each but NO_SPACE.
 *
 * @work: a work that has not run
 * @function: what is told; NULL: nobody
 * @user_data: for @function
 *
 * Thread: the work's
 * Since: 0.1
 */
EDDY_API void eddy_tree_work_set_failure_func (EddyTreeWork *work, EddyTreeFailureFunc function,
                                               void *user_data);

/**
 * Does the work. Where the context's thread helps with jobs (eddy_context_set_helps()), it does not
 * while a big file is copied.
 *
 * @work: a work that has not run
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether nothing failed
 * Errors: CANCELLED, or the cause, when it was cancelled before it had ended; else the first
 *     failure, see eddy_file_copy_tree() and eddy_file_delete_tree(); INVALID_ARGUMENT when it has
 *     run before
 * Thread: the work's
 * Since: 0.1
 */
EDDY_OPERATION (FIBER)
bool eddy_tree_work_run (EddyTreeWork *work, EddyCancellable *cancellable, EddyError **error);

/** Tells how far it has come, before, while and after it runs. Thread: the work's. Since: 0.1 */
EDDY_API void eddy_tree_work_get_counts (EddyTreeWork *work, EddyTreeCounts *counts);

/** How many failures there were so far. Thread: the work's. Since: 0.1 */
EDDY_API uint64_t eddy_tree_work_get_n_failures (EddyTreeWork *work);

/** One of the failures, in the order in which they came, owned by @work; NULL when @index is not
 * below their number, or the failure was not kept: the first 1,000 are, as far as there is memory.
 * Thread: the work's. Since: 0.1 */
EDDY_API const EddyError *eddy_tree_work_get_failure (EddyTreeWork *work, uint64_t index);

EDDY_END_DECLS

#include <eddy/file-tree-forms.h>

#endif
