/* SPDX-License-Identifier: MIT */
/* EddyFileHandle: an open file that is read and written anywhere, by many operations at once. */
#ifndef EDDY_FILE_HANDLE_H
#define EDDY_FILE_HANDLE_H

#include <eddy/file-info.h>
#include <eddy/file.h>
#include <eddy/forms.h>
#include <eddy/vector.h>

EDDY_BEGIN_DECLS

/** An open file, without a position: each operation says where. Any number of operations may be
 * under way on it, from any thread. An object; when its last reference goes, the file is closed
 * without waiting. */
typedef struct EddyFileHandle EddyFileHandle;

/** How to open a file; at least one of READ, WRITE and APPEND. */
typedef enum EddyFileOpenFlags {
    EDDY_FILE_OPEN_READ = 1 << 0,
    EDDY_FILE_OPEN_WRITE = 1 << 1,
    /** Whatever is written goes to the end, and offsets do not count. */
    EDDY_FILE_OPEN_APPEND = 1 << 2,
    /** Make the file if there is none, with the permissions of 0666 less the process's umask. */
    EDDY_FILE_OPEN_CREATE = 1 << 3,
    /** With CREATE: there must be none. */
    EDDY_FILE_OPEN_EXCLUSIVE = 1 << 4,
    /** Empty it; to be written. */
    EDDY_FILE_OPEN_TRUNCATE = 1 << 5,
    /** Go past the page cache: offsets, counts and addresses must be multiples of the device's
     * blocks, see O_DIRECT in open(2). */
    EDDY_FILE_OPEN_DIRECT = 1 << 6,
    /** Fail where the name is a symbolic link. */
    EDDY_FILE_OPEN_NOFOLLOW = 1 << 7,
    /** With CREATE: a new file is for its owner alone. */
    EDDY_FILE_OPEN_PRIVATE = 1 << 8
} EddyFileOpenFlags;

/** How to allocate storage. */
typedef enum EddyFileAllocateFlags {
    EDDY_FILE_ALLOCATE_NONE = 0,
    /** The file's size stays, also where the storage goes beyond it. */
    EDDY_FILE_ALLOCATE_KEEP_SIZE = 1 << 0
} EddyFileAllocateFlags;

/** Whom a lock keeps out. */
typedef enum EddyFileLock {
    /** Who wants it for himself. */
    EDDY_FILE_LOCK_SHARED,
    /** Everybody. */
    EDDY_FILE_LOCK_EXCLUSIVE
} EddyFileLock;

/**
 * Opens a file.
 *
 * @file: a regular file or a device
 * @flags: what for, and how
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: a handle, or NULL
 * Errors: NOT_FOUND, EXISTS, PERMISSION_DENIED …: what open(2) gives; IS_DIRECTORY;
 *     NOT_REGULAR_FILE for a fifo and a socket; INVALID_ARGUMENT for flags that do not fit; with
 *     the path
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (JOB)
EddyFileHandle *eddy_file_open (EddyFile *file, EddyFileOpenFlags flags,
                                EddyCancellable *cancellable, EddyError **error);

/**
 * Reads once at an offset: at once where the page cache has it.
 *
 * @handle: a handle opened with READ
 * @buffer: where to put the bytes; the operation's until it has completed
 * @count: how many bytes at most; 0 gives 0 at once
 * @offset: in the file, in bytes, from 0
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: how many bytes, 1 to @count; 0 at or beyond the end; -1 on failure
 * Errors: INVALID_ARGUMENT for more than SSIZE_MAX or an offset below 0; NOT_SUPPORTED where the
 *     handle is not for reading; CLOSED; CANCELLED; what pread(2) gives, with the path
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (STREAM)
ssize_t eddy_file_handle_read_at (EddyFileHandle *handle, void *buffer EDDY_BORROWED, size_t count,
                                  int64_t offset, EddyCancellable *cancellable, EddyError **error);

/**
 * Writes once at an offset.
 *
 * @handle: a handle opened with WRITE or APPEND
 * @buffer: the bytes; the operation's until it has completed
 * @count: how many; 0 gives 0 at once
 * @offset: in the file, in bytes, from 0; with APPEND it does not count
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: how many were written, 1 to @count, or -1
 * Errors: INVALID_ARGUMENT, NOT_SUPPORTED, CLOSED and CANCELLED as eddy_file_handle_read_at();
 *     NO_SPACE; what pwrite(2) gives, with the path
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (STREAM)
ssize_t eddy_file_handle_write_at (EddyFileHandle *handle, const void *buffer EDDY_BORROWED,
                                   size_t count, int64_t offset, EddyCancellable *cancellable,
                                   EddyError **error);

/**
 * Reads once at an offset into several buffers, one after the other.
 *
 * @handle: a handle opened with READ
 * @vectors: the buffers; they and their bytes are the operation's until it has completed
 * @n_vectors: how many; of more than 1024 the first 1024 are filled
 * @offset: in the file, in bytes, from 0
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: how many bytes; 0 at or beyond the end; -1 on failure
 * Errors: those of eddy_file_handle_read_at()
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (STREAM)
ssize_t eddy_file_handle_readv_at (EddyFileHandle *handle,
                                   const EddyInputVector *vectors EDDY_BORROWED, size_t n_vectors,
                                   int64_t offset, EddyCancellable *cancellable, EddyError **error);

/**
 * Writes several runs of bytes once, one after the other, at an offset.
 *
 * @handle: a handle opened with WRITE or APPEND
 * @vectors: the runs; they and their bytes are the operation's until it has completed
 * @n_vectors: how many; of more than 1024 the first 1024 are written
 * @offset: in the file, in bytes, from 0; with APPEND it does not count
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: how many bytes were written, or -1
 * Errors: those of eddy_file_handle_write_at()
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (STREAM)
ssize_t eddy_file_handle_writev_at (EddyFileHandle *handle,
                                    const EddyOutputVector *vectors EDDY_BORROWED, size_t n_vectors,
                                    int64_t offset, EddyCancellable *cancellable,
                                    EddyError **error);

/**
 * Reads at an offset until the buffer is full; the end of the file before that is an error.
 *
 * @handle: a handle opened with READ
 * @buffer: where to put the bytes; the operation's until it has completed
 * @count: how many to read
 * @offset: in the file, in bytes, from 0
 * @bytes_read: how many were read, also on failure
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether it is full
 * Errors: PARTIAL_INPUT; those of eddy_file_handle_read_at()
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (DIRECT)
bool eddy_file_handle_read_exactly_at (EddyFileHandle *handle, void *buffer EDDY_BORROWED,
                                       size_t count, int64_t offset,
                                       size_t *bytes_read EDDY_OUT_LEN,
                                       EddyCancellable *cancellable, EddyError **error);

/**
 * Writes all of a buffer at an offset.
 *
 * @handle: a handle opened with WRITE or APPEND
 * @buffer: the bytes; the operation's until it has completed
 * @count: how many
 * @offset: in the file, in bytes, from 0; with APPEND it does not count
 * @bytes_written: how many were written, also on failure
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether all were
 * Errors: those of eddy_file_handle_write_at()
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (DIRECT)
bool eddy_file_handle_write_all_at (EddyFileHandle *handle, const void *buffer EDDY_BORROWED,
                                    size_t count, int64_t offset,
                                    size_t *bytes_written EDDY_OUT_LEN,
                                    EddyCancellable *cancellable, EddyError **error);

/**
 * Waits until what has been written is on its disk.
 *
 * @handle: a handle
 * @data_only: not to wait for attributes that nobody needs to read the data again
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether it is
 * Errors: CLOSED; CANCELLED; what fsync(2) gives, with the path
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (STREAM)
bool eddy_file_handle_sync (EddyFileHandle *handle, bool data_only, EddyCancellable *cancellable,
                            EddyError **error);

/**
 * Gets storage for a stretch of a file, so that writing there cannot fail for want of it.
 *
 * @handle: a handle opened with WRITE or APPEND
 * @offset: where it begins, in bytes, from 0
 * @size: its length in bytes, from 1
 * @flags: how
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether it is there
 * Errors: NO_SPACE; NOT_SUPPORTED; INVALID_ARGUMENT; CLOSED; CANCELLED; what fallocate(2) gives,
 *     with the path
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (STREAM)
bool eddy_file_handle_allocate (EddyFileHandle *handle, int64_t offset, int64_t size,
                                EddyFileAllocateFlags flags, EddyCancellable *cancellable,
                                EddyError **error);

/**
 * Sets the size of a file; what is added is zeroes.
 *
 * @handle: a handle opened with WRITE or APPEND
 * @size: in bytes, from 0
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether it has that size
 * Errors: INVALID_ARGUMENT; NOT_SUPPORTED; CLOSED; CANCELLED; what ftruncate(2) gives, with the
 *     path
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (STREAM)
bool eddy_file_handle_truncate (EddyFileHandle *handle, int64_t size, EddyCancellable *cancellable,
                                EddyError **error);

/**
 * Asks what the open file is, whatever its name means by now.
 *
 * @handle: a handle
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: the info, its name that by which the file was opened; or NULL
 * Errors: CLOSED; CANCELLED; what statx(2) gives, with the path
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (JOB)
EddyFileInfo *eddy_file_handle_query_info (EddyFileHandle *handle, EddyCancellable *cancellable,
                                           EddyError **error);

/**
 * Closes the file. A second close succeeds.
 *
 * @handle: a handle
 * @cancellable: a cancellable, or NULL; the file is closed also when it is cancelled
 * @error: where to put the error
 *
 * Returns: whether all that was written is well, as far as the file system tells without a sync
 * Errors: PENDING where operations are under way or a stream has the handle, and it stays open;
 *     NO_SPACE, IO … that come late, with the path
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (DIRECT)
bool eddy_file_handle_close (EddyFileHandle *handle, EddyCancellable *cancellable,
                             EddyError **error);

/**
 * Locks the whole file, waiting until nobody's lock is in the way. A handle has one lock: a further
 * one takes its place, at the moment in which it is granted. It ends with the handle.
 *
 * Locks are kept by those who ask for them: reading and writing are not hindered. They are between
 * handles, of this process and of others; among the users of one handle they keep nobody out.
 *
 * @handle: a handle, open for reading where the lock is shared, for writing where it is exclusive
 * @lock: which
 * @cancellable: a cancellable, or NULL; a cancelled wait leaves the lock as it was
 * @error: where to put the error
 *
 * Returns: whether it is locked
 * Errors: PENDING while another call waits for a lock of the handle; NOT_SUPPORTED; CLOSED;
 *     CANCELLED; what fcntl(2) gives, with the path
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (DIRECT)
bool eddy_file_handle_lock (EddyFileHandle *handle, EddyFileLock lock, EddyCancellable *cancellable,
                            EddyError **error);

/** Locks it as eddy_file_handle_lock(), unless somebody is in the way: then it fails with
 * WOULD_BLOCK. Thread: any. Since: 0.1 */
EDDY_API bool eddy_file_handle_try_lock (EddyFileHandle *handle, EddyFileLock lock,
                                         EddyError **error);

/** Gives the handle's lock up; without one it succeeds, too. Thread: any. Since: 0.1 */
EDDY_API bool eddy_file_handle_unlock (EddyFileHandle *handle, EddyError **error);

/** Whether it was closed. Thread: any. Since: 0.1 */
EDDY_API bool eddy_file_handle_is_closed (EddyFileHandle *handle);

/** The file descriptor, the handle's; -1 after close. Thread: any. Since: 0.1 */
EDDY_API int eddy_file_handle_get_fd (EddyFileHandle *handle);

/** The file that was opened, owned by @handle. Thread: any. Since: 0.1 */
EDDY_API EddyFile *eddy_file_handle_get_file (EddyFileHandle *handle);

EDDY_END_DECLS

#include <eddy/file-handle-forms.h>

#endif
