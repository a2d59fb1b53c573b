/* SPDX-License-Identifier: MIT */
/* EddyFile: the name of a file, and what can be done with what it names. */
#ifndef EDDY_FILE_H
#define EDDY_FILE_H

#include <eddy/bytes.h>
#include <eddy/file-info.h>
#include <eddy/forms.h>

EDDY_BEGIN_DECLS

/** A path: immutable, and nothing is opened by having one. An object. */
typedef struct EddyFile EddyFile;

/** Which file a name means. */
typedef enum EddyFileQueryInfoFlags {
    EDDY_FILE_QUERY_INFO_NONE = 0,
    /** A symbolic link itself, not what it points to. */
    EDDY_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS = 1 << 0
} EddyFileQueryInfoFlags;

/** How to copy. The numbers are GIO's. */
typedef enum EddyFileCopyFlags {
    EDDY_FILE_COPY_NONE = 0,
    /** Replace an existing file: beside it, then renamed, so that it is the old one or the new one.
     */
    EDDY_FILE_COPY_OVERWRITE = 1 << 0,
    /** Copy a symbolic link itself, not what it points to. */
    EDDY_FILE_COPY_NOFOLLOW_SYMLINKS = 1 << 2,
    /** Keep owner, times and extended attributes too, as far as the process may and the file system
     * can; permissions always are, the set-id bits among them with the owner only. */
    EDDY_FILE_COPY_ALL_METADATA = 1 << 3
} EddyFileCopyFlags;

/**
 * Makes a file of a path.
 *
 * @path: bytes up to a zero byte, relative to the current folder unless it begins with a slash
 *
 * Returns: a file with one reference, or NULL when memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyFile *eddy_file_new_for_path (const char *path);

/** Makes a file of a name within a folder. NULL when memory is out. Thread: any. Since: 0.1 */
EDDY_API EddyFile *eddy_file_get_child (EddyFile *file, const char *name);

/**
 * Makes a file of what a listing of a folder has told. Operations believe the kind that @info names
 * until they have opened the file, and so ask one question less.
 *
 * @file: the folder that was listed
 * @info: of one of its files
 *
 * Returns: a file with one reference, or NULL when memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyFile *eddy_file_get_child_for_info (EddyFile *file, const EddyFileInfo *info);

/** The path, owned by @file. Thread: any. Since: 0.1 */
EDDY_API const char *eddy_file_get_path (EddyFile *file);

/** The last part of the path, without slashes behind it, to be freed with eddy_free(); NULL when
 * memory is out. Thread: any. Since: 0.1 */
EDDY_API char *eddy_file_get_basename (EddyFile *file);

/**
 * Asks what a file is.
 *
 * @file: a file
 * @flags: which file a symbolic link means
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: the info, or NULL
 * Errors: NOT_FOUND, PERMISSION_DENIED …: what statx(2) gives, with the path
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (JOB)
EddyFileInfo *eddy_file_query_info (EddyFile *file, EddyFileQueryInfoFlags flags,
                                    EddyCancellable *cancellable, EddyError **error);

/**
 * Lists a folder, and asks what each of its files is, without following symbolic links. A file that
 * goes meanwhile is left out; one that cannot be asked has the inode and the kind that the folder
 * tells, which may be UNKNOWN, and zeroes: its own operation will say why.
 *
 * @file: a folder
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: infos in the folder's order, without "." and "..", or NULL
 * Errors: NOT_DIRECTORY, PERMISSION_DENIED …: what open(2) and getdents64(2) give, with the path
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (JOB)
EddyFileInfoList *eddy_file_list_children (EddyFile *file, EddyCancellable *cancellable,
                                           EddyError **error);

/**
 * Reads a whole file.
 *
 * @file: a regular file
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: its bytes, or NULL
 * Errors: NOT_FOUND, IS_DIRECTORY, NOT_REGULAR_FILE, CANCELLED, NO_MEMORY …, with the path
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (JOB)
EddyBytes *eddy_file_load_contents (EddyFile *file, EddyCancellable *cancellable,
                                    EddyError **error);

/**
 * Copies one file that is no folder: a regular file, a symbolic link, a fifo. Its holes stay holes.
 *
 * A new file is written in place, and removed again when its copy fails or is cancelled. A file
 * that replaces another is written beside it, as ".NAME.eddy~", and renamed when it is whole.
 *
 * @source: what to copy; one that grows or shrinks meanwhile is copied up to the end that was found
 * @destination: the name of the copy
 * @flags: how
 * @cancellable: a cancellable, or NULL
 * @progress_callback: told the bytes copied so far, at the end too; or NULL
 * @progress_callback_data: for @progress_callback
 * @error: where to put the error
 *
 * Returns: whether it was copied
 * Errors: EXISTS without OVERWRITE; IS_DIRECTORY where the destination is a folder; WOULD_RECURSE
 *     where the source is one; NOT_SUPPORTED for devices and sockets, as source or to be replaced;
 *     INVALID_ARGUMENT where both are the same file; BUSY where another copy replaces the
 *     destination just now; CANCELLED; NO_SPACE …; the message begins with the path that the
 *     failing call was about
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (JOB)
bool eddy_file_copy (EddyFile *source, EddyFile *destination, EddyFileCopyFlags flags,
                     EddyCancellable *cancellable,
                     EddyFileProgressCallback progress_callback EDDY_CALLBACK,
                     void *progress_callback_data, EddyError **error);

/**
 * Gives a file the attributes of another one, as eddy_file_copy() does.
 *
 * @source: whose attributes
 * @destination: an existing file or folder
 * @flags: NOFOLLOW_SYMLINKS and ALL_METADATA count
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether it has them
 * Errors: NOT_FOUND, PERMISSION_DENIED …, with the path
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (JOB)
bool eddy_file_copy_attributes (EddyFile *source, EddyFile *destination, EddyFileCopyFlags flags,
                                EddyCancellable *cancellable, EddyError **error);

/**
 * Makes a folder, with the permissions of 0777 less the process's umask.
 *
 * @file: its name
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether it was made
 * Errors: EXISTS, NOT_FOUND, NO_SPACE …, with the path
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (PRIMITIVE)
bool eddy_file_make_directory (EddyFile *file, EddyCancellable *cancellable, EddyError **error);

/**
 * Makes a folder that only its owner may enter, until it is given other permissions.
 *
 * @file: its name
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether it was made
 * Errors: EXISTS, NOT_FOUND, NO_SPACE …, with the path
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (PRIMITIVE)
bool eddy_file_make_private_directory (EddyFile *file, EddyCancellable *cancellable,
                                       EddyError **error);

/**
 * Removes a file, or an empty folder.
 *
 * @file: its name; a symbolic link itself is removed
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether it was removed
 * Errors: NOT_FOUND, NOT_EMPTY, PERMISSION_DENIED …, with the path
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (JOB)
bool eddy_file_delete (EddyFile *file, EddyCancellable *cancellable, EddyError **error);

/**
 * Makes a symbolic link.
 *
 * @file: its name
 * @symlink_value: what it points to, as it will stand in the link
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether it was made
 * Errors: EXISTS, NOT_FOUND …, with the path
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (PRIMITIVE)
bool eddy_file_make_symbolic_link (EddyFile *file, const char *symlink_value,
                                   EddyCancellable *cancellable, EddyError **error);

/**
 * Gives a file one more name, on the file system that it is on.
 *
 * @file: the file; a symbolic link itself
 * @new_name: the further name, which must not exist
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether it has the name
 * Errors: EXISTS, NOT_FOUND, TOO_MANY_LINKS, NOT_SUPPORTED …, with the new path
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (PRIMITIVE)
bool eddy_file_make_hard_link (EddyFile *file, EddyFile *new_name, EddyCancellable *cancellable,
                               EddyError **error);

EDDY_END_DECLS

#include <eddy/file-forms.h>

#endif
