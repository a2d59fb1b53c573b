/* SPDX-License-Identifier: MIT */
/* EddyDir: an open folder that no name leads out of. */
#ifndef EDDY_DIR_H
#define EDDY_DIR_H

#include <eddy/file.h>

EDDY_BEGIN_DECLS

/**
 * An open folder, for names that others choose: nothing is reached through it that is not in it.
 *
 * What eddy_dir_get_file() makes is a file like any other, which every operation takes. Its name is
 * looked up beneath the folder, part by part by the kernel, whatever the names lead to at that
 * moment: somebody who renames folders and swaps symbolic links meanwhile changes which of the
 * folder's files is meant, never that it is one of them. A name leads out by an absolute path, by
 * ".." above the folder, by a symbolic link that does one of the two (an absolute one, even to a
 * place in the folder), or by a link of /proc to an open file. Then every operation fails with
 * PERMISSION_DENIED, eddy_error_get_errno() is EXDEV, and the message begins with the path. ".."
 * and links that stay inside are followed.
 *
 * What root has mounted in the folder belongs to it, and so does a file that has a further name
 * (a hard link) elsewhere. The folder stays the same one when it is renamed or its path comes to
 * mean another.
 *
 * The kernel does it by openat2(2). Where that is missing, or a filter denies it, Eddy walks the
 * parts itself, with the same result, at the price of a system call or two for each.
 *
 * An object, immutable: any thread, and several at once. It holds one file descriptor, until its
 * last reference and its last file have gone.
 */
typedef struct EddyDir EddyDir;

/**
 * Opens a folder.
 *
 * @folder: the folder, of another dir or of none; symbolic links are followed
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: the open folder, with one reference, or NULL
 * Errors: NOT_FOUND, NOT_DIRECTORY, PERMISSION_DENIED …, with the path
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (JOB)
EddyDir *eddy_dir_open (EddyFile *folder, EddyCancellable *cancellable, EddyError **error);

/**
 * Makes a file of a name in an open folder. Its children are files of the same open folder. Whether
 * the name leads out is seen when the file is used.
 *
 * @dir: an open folder
 * @name: a path, relative to it; "." is the folder itself; slashes at its end count for nothing
 *
 * Returns: a file with one reference, which keeps @dir, or NULL when memory is out. Its path, for
 *     messages, is that of the folder with the name behind it: to open that is to follow any link
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyFile *eddy_dir_get_file (EddyDir *dir, const char *name);

/** The open folder that a file's name cannot lead out of, owned by @file; NULL where it may lead
 * anywhere. Thread: any. Since: 0.1 */
EDDY_API EddyDir *eddy_file_get_dir (EddyFile *file);

EDDY_END_DECLS

#include <eddy/dir-forms.h>

#endif
