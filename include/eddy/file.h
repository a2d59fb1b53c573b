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
     * can; permissions are anyway, the set-id bits among them with the owner only. */
    EDDY_FILE_COPY_ALL_METADATA = 1 << 3,
    /** Of a move: fail where the file would have to be copied, since the destination is on another
     * file system. */
    EDDY_FILE_COPY_NO_FALLBACK_FOR_MOVE = 1 << 4,
    /** Give the copy the permissions of any new file, 0666 less the process's umask, rather than
     * the source's. ALL_METADATA is stronger. */
    EDDY_FILE_COPY_TARGET_DEFAULT_PERMS = 1 << 5,
    /** Write a new file under its name at once. That saves some 5 µs, a quarter of what a small
     * file takes in memory; but a process that is killed leaves a part of it. GIO has no such flag.
     */
    EDDY_FILE_COPY_IN_PLACE = 1 << 16
} EddyFileCopyFlags;

/** How to measure. The numbers are GIO's. */
typedef enum EddyFileMeasureFlags {
    EDDY_FILE_MEASURE_NONE = 0,
    /** Fail where any file cannot be asked; else these are passed over. */
    EDDY_FILE_MEASURE_REPORT_ANY_ERROR = 1 << 1,
    /** Count the bytes that files have, not those that they take. */
    EDDY_FILE_MEASURE_APPARENT_SIZE = 1 << 2,
    /** Stay on one file system. */
    EDDY_FILE_MEASURE_NO_XDEV = 1 << 3
} EddyFileMeasureFlags;

/** How to make a file. The numbers are GIO's. */
typedef enum EddyFileCreateFlags {
    EDDY_FILE_CREATE_NONE = 0,
    /** Only its owner may read and write a new file; others get the permissions of 0666 less the
     * process's umask. */
    EDDY_FILE_CREATE_PRIVATE = 1 << 0,
    /** Replace what there is as if it had not been there: a symbolic link itself, and nothing of
     * the old file's permissions is kept. */
    EDDY_FILE_CREATE_REPLACE_DESTINATION = 1 << 1
} EddyFileCreateFlags;

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
EDDY_OPERATION (STREAM)
EddyFileInfo *eddy_file_query_info (EddyFile *file, EddyFileQueryInfoFlags flags,
                                    EddyCancellable *cancellable, EddyError **error);

/**
 * Whether there is something of this name: a symbolic link that leads nowhere is nothing. Also
 * false where it cannot be asked, or the call is cancelled; and by the time it is told it may have
 * changed, so rather do what is to be done, and look at the error. Waits as eddy_file_query_info()
 * does.
 *
 * @file: a file
 * @cancellable: a cancellable, or NULL
 *
 * Thread: any
 * Since: 0.1
 */
EDDY_API bool eddy_file_query_exists (EddyFile *file, EddyCancellable *cancellable);

/**
 * What kind of file it is; UNKNOWN also where there is none, or it cannot be asked. Waits as
 * eddy_file_query_info() does.
 *
 * @file: a file
 * @flags: which file a symbolic link means
 * @cancellable: a cancellable, or NULL
 *
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyFileType eddy_file_query_file_type (EddyFile *file, EddyFileQueryInfoFlags flags,
                                                 EddyCancellable *cancellable);

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
 * Reads a whole file. The bytes are what GIO has two functions for, load_contents and load_bytes:
 * they have a zero byte behind them that is not counted, so that a text can be used as one. What is
 * no regular file is opened for a moment to find that out, without waiting: the writer of a fifo
 * may go on.
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

/** Whether to read on; asked with all that has been read so far.
 *
 * @file_contents: the bytes, which move with the next part
 * @file_size: how many
 * @callback_data: as given to the operation */
typedef bool (*EddyFileReadMoreCallback) (const char *file_contents, int64_t file_size,
                                          void *callback_data);

/**
 * Reads the beginning of a file: until a function says that it is enough.
 *
 * @file: a regular file or a device
 * @cancellable: a cancellable, or NULL
 * @read_more_callback: asked after each part, of 64 KiB at most, where the operation was called or
 *     in the context of its callback; NULL: to the end
 * @read_more_callback_data: for @read_more_callback
 * @error: where to put the error
 *
 * Returns: its bytes so far, with a zero byte behind them that is not counted; or NULL
 * Errors: those of eddy_file_load_contents()
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (DIRECT)
EddyBytes *eddy_file_load_partial_contents (EddyFile *file, EddyCancellable *cancellable,
                                            EddyFileReadMoreCallback read_more_callback
                                                EDDY_CALLBACK,
                                            void *read_more_callback_data, EddyError **error);

/**
 * Copies one file that is no folder: a regular file, a symbolic link, a fifo. Its holes stay holes.
 *
 * The copy gets its name when it is whole, so that whenever the process is killed there is the old
 * file, the new one, or none; half of one only where EDDY_FILE_COPY_IN_PLACE asked for it, or the
 * file system knows no files without a name (NFS, FAT). To replace a file, the new one stands
 * beside it for a moment, as ".NAME.eddy~", and whoever replaces it next removes what a killed
 * process left there. Nothing is synced to the disk.
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
 *     where the source is one, WOULD_MERGE where both are; NOT_SUPPORTED for devices and sockets,
 * as source or to be replaced;     INVALID_ARGUMENT where both are the same file; BUSY where
 * another copy replaces the     destination just now; CANCELLED; NO_SPACE …; the message begins
 * with the path that the     failing call was about
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
EDDY_OPERATION (JOB)
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
EDDY_OPERATION (JOB)
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
 * @symlink_value: what it points to, as it will stand in the link; a text of one byte or more
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether it was made
 * Errors: EXISTS, NOT_FOUND …, with the path
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (JOB)
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
EDDY_OPERATION (JOB)
bool eddy_file_make_hard_link (EddyFile *file, EddyFile *new_name, EddyCancellable *cancellable,
                               EddyError **error);

/* --- Saving ----------------------------------------------------------------------------------- */

/**
 * Replaces the contents of a file, or makes it. Whenever the process is killed or the machine loses
 * power, the file is the old one or the new one, whole, and once this has succeeded it is the new
 * one.
 *
 * What is written gets the file's name when it is whole and on the disk. So the file is another one
 * afterwards, with another inode: it keeps its permissions and extended attributes, and its owner
 * as far as the process may give files away; further hard links keep the old contents. A symbolic
 * link stays, and the file that it points to is replaced. For one moment the new file stands beside
 * the old one as ".NAME.eddy~"; what a killed process left there, whoever replaces the file next
 * removes. Where the file system knows no files without a name (NFS, FAT), it is written there.
 *
 * @file: a regular file, a symbolic link to one, or a free name
 * @contents: the bytes; the operation's until it has completed
 * @length: how many
 * @etag: what the file must have, as eddy_file_replace_contents() gives it; or NULL
 * @make_backup: whether the old file is to be kept as "NAME~", in place of a former backup
 * @flags: how to make a new file
 * @new_etag: where to put the new file's etag, to be freed with eddy_free(); or NULL
 * @cancellable: a cancellable, or NULL: looked at until the new file has taken the name
 * @error: where to put the error
 *
 * Returns: whether it was; after a failure the old file is there, or the new one, where only the
 *     sync of the folder has failed
 * Errors: WRONG_ETAG; CANT_CREATE_BACKUP; IS_DIRECTORY; NOT_REGULAR_FILE; PERMISSION_DENIED where
 *     the file or its folder may not be written; READ_ONLY; NO_SPACE; BUSY where others replace it
 *     all the time; CANCELLED …, with the path
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (JOB)
bool eddy_file_replace_contents (EddyFile *file, const void *contents EDDY_BORROWED, size_t length,
                                 const char *etag, bool make_backup, EddyFileCreateFlags flags,
                                 char **new_etag EDDY_OUT, EddyCancellable *cancellable,
                                 EddyError **error);

/**
 * Replaces the contents of a file by those of an object, as eddy_file_replace_contents().
 *
 * @file: a regular file, a symbolic link to one, or a free name
 * @contents: the bytes
 * @etag: what the file must have; or NULL
 * @make_backup: whether the old file is to be kept as "NAME~"
 * @flags: how to make a new file
 * @new_etag: where to put the new file's etag, to be freed with eddy_free(); or NULL
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether it was
 * Errors: those of eddy_file_replace_contents()
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (JOB)
bool eddy_file_replace_contents_bytes (EddyFile *file, EddyBytes *contents, const char *etag,
                                       bool make_backup, EddyFileCreateFlags flags,
                                       char **new_etag EDDY_OUT, EddyCancellable *cancellable,
                                       EddyError **error);

/* --- Names and attributes --------------------------------------------------------------------- */

/**
 * Moves a file or a folder: gives it another name. On another file system it is copied with all its
 * metadata, as eddy_file_copy() does, and then removed; where only the removal fails, both are
 * there, and the error is about the source. One that was written to meanwhile is not removed: BUSY.
 * A symbolic link itself is moved.
 *
 * @source: what to move
 * @destination: its new name
 * @flags: OVERWRITE and NO_FALLBACK_FOR_MOVE count
 * @cancellable: a cancellable, or NULL
 * @progress_callback: told how far a copy is, and once at the end; or NULL
 * @progress_callback_data: for @progress_callback
 * @error: where to put the error
 *
 * Returns: whether it was moved
 * Errors: NOT_FOUND; EXISTS without OVERWRITE; with it IS_DIRECTORY for a folder that would be
 *     replaced by a file, WOULD_MERGE by a folder, NOT_DIRECTORY for a file by a folder;
 *     INVALID_ARGUMENT where both are the same file, or a folder would come into itself;
 *     WOULD_RECURSE for a folder to another file system; NOT_SUPPORTED where that would take the
 *     copy that is forbidden; those of eddy_file_copy()
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (JOB)
bool eddy_file_move (EddyFile *source, EddyFile *destination, EddyFileCopyFlags flags,
                     EddyCancellable *cancellable,
                     EddyFileProgressCallback progress_callback EDDY_CALLBACK,
                     void *progress_callback_data, EddyError **error);

/**
 * Makes a folder, and those that it is to be in where they are missing, with the permissions of
 * 0777 less the process's umask. Those that were made stay when it then fails.
 *
 * @file: its name
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether it was made
 * Errors: EXISTS where it is there already; NOT_DIRECTORY, NO_SPACE …, with the path of the folder
 *     that could not be made
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (JOB)
bool eddy_file_make_directory_with_parents (EddyFile *file, EddyCancellable *cancellable,
                                            EddyError **error);

/**
 * Sets attributes: owner and group, then the permissions, then the times. The first that cannot be
 * set ends it.
 *
 * @file: a file
 * @info: what its setters were told; must not be changed until the operation has completed
 * @flags: which file a symbolic link means
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether all were set
 * Errors: NOT_FOUND, PERMISSION_DENIED …, with the path; NOT_SUPPORTED for the permissions of a
 *     symbolic link
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (JOB)
bool eddy_file_set_attributes (EddyFile *file, EddyFileInfo *info, EddyFileQueryInfoFlags flags,
                               EddyCancellable *cancellable, EddyError **error);

/**
 * Measures what a file takes; for a folder, with all that is below it, itself included. Symbolic
 * links count, and are not followed; a file with several names counts for each. Several folders are
 * looked into at once.
 *
 * @file: a file or a folder
 * @flags: what to count
 * @cancellable: a cancellable, or NULL
 * @progress_callback: told twice the bytes so far, some times a second, and once at the end; or
 *     NULL
 * @progress_callback_data: for @progress_callback
 * @disk_usage: where to put the bytes; or NULL
 * @num_dirs: where to put how many folders there are; or NULL
 * @num_files: where to put how many files of other kinds; or NULL
 * @error: where to put the error
 *
 * Returns: whether all was measured; if not, the counts are of what was
 * Errors: NOT_FOUND, PERMISSION_DENIED …, with the path; of @file itself always
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (FIBER)
bool eddy_file_measure_disk_usage (EddyFile *file, EddyFileMeasureFlags flags,
                                   EddyCancellable *cancellable,
                                   EddyFileProgressCallback progress_callback EDDY_CALLBACK,
                                   void *progress_callback_data, uint64_t *disk_usage EDDY_OUT,
                                   uint64_t *num_dirs EDDY_OUT, uint64_t *num_files EDDY_OUT,
                                   EddyError **error);

EDDY_END_DECLS

#include <eddy/file-forms.h>

#endif
