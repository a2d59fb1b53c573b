/* SPDX-License-Identifier: MIT */
/* EddyFileEnumerator: the files of a folder, some at a time. */
#ifndef EDDY_FILE_ENUMERATOR_H
#define EDDY_FILE_ENUMERATOR_H

#include <eddy/file.h>
#include <eddy/sequence.h>

EDDY_BEGIN_DECLS

/** A folder that is being read: however many files it has, only those asked for are in memory. One
 * operation at a time, on one thread at a time. One that is let go of is closed without waiting. An
 * object. */
typedef struct EddyFileEnumerator EddyFileEnumerator;

/**
 * Opens a folder to read it. What comes or goes meanwhile is told or not, as the file system has
 * it.
 *
 * @file: a folder
 * @flags: which file the name of a symbolic link means in the infos; of one that leads nowhere the
 *     link itself is told
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: an enumerator with one reference, or NULL
 * Errors: NOT_FOUND, NOT_DIRECTORY, PERMISSION_DENIED …, with the path
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (JOB)
EddyFileEnumerator *eddy_file_enumerate_children (EddyFile *file, EddyFileQueryInfoFlags flags,
                                                  EddyCancellable *cancellable, EddyError **error);

/**
 * Reads on, and asks what each file is. Files come in the folder's order, without "." and "..". One
 * that goes meanwhile is left out; one that cannot be asked has the inode and the type that the
 * folder tells.
 *
 * Nothing is lost: files that were read before an error are returned, and the error by the next
 * call; those before a cancel likewise, and what comes after them waits for the next call.
 *
 * @enumerator: an enumerator
 * @num_files: how many at most; with 0, none are read
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: the infos, fewer than @num_files only before the end, an error or a cancel, and none at
 *     the end; or NULL
 * Errors: CLOSED; PENDING; CANCELLED; what getdents64(2) gives, with the folder's path
 * Thread: the enumerator's
 * Since: 0.1
 */
EDDY_OPERATION (DIRECT)
EddyFileInfoList *eddy_file_enumerator_next_files (EddyFileEnumerator *enumerator, size_t num_files,
                                                   EddyCancellable *cancellable, EddyError **error);

/**
 * Closes it. A second close succeeds.
 *
 * @enumerator: an enumerator
 * @cancellable: a cancellable, or NULL; it is closed all the same
 * @error: where to put the error
 *
 * Returns: whether the folder could be closed without an error; it is closed, but after PENDING
 * Errors: PENDING; what close(2) gives
 * Thread: the enumerator's
 * Since: 0.1
 */
EDDY_OPERATION (DIRECT)
bool eddy_file_enumerator_close (EddyFileEnumerator *enumerator, EddyCancellable *cancellable,
                                 EddyError **error);

/** Whether it is closed. Thread: the enumerator's. Since: 0.1 */
EDDY_API bool eddy_file_enumerator_is_closed (EddyFileEnumerator *enumerator);

/** Whether an operation is under way. Thread: the enumerator's. Since: 0.1 */
EDDY_API bool eddy_file_enumerator_has_pending (EddyFileEnumerator *enumerator);

/** The folder, owned by @enumerator. Thread: any. Since: 0.1 */
EDDY_API EddyFile *eddy_file_enumerator_get_container (EddyFileEnumerator *enumerator);

/** The file that an info of this enumerator is of: eddy_file_get_child_for_info() of the container.
 * NULL when memory is out. Thread: any. Since: 0.1 */
EDDY_API EddyFile *eddy_file_enumerator_get_child (EddyFileEnumerator *enumerator,
                                                   const EddyFileInfo *info) EDDY_MUST_USE;

/**
 * The files as a sequence. Its items are EddyFileInfo objects, the taker's own; the next ones are
 * read when the last one was taken. An error of the folder ends it, after the files before it. With
 * its last reference it lets go of the enumerator, which it does not close.
 *
 * @enumerator: an enumerator, of which it keeps a reference
 *
 * Returns: a sequence with one reference, or NULL when memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddySequence *eddy_file_enumerator_to_sequence (EddyFileEnumerator *enumerator)
    EDDY_MUST_USE;

EDDY_END_DECLS

#include <eddy/file-enumerator-forms.h>

#endif
