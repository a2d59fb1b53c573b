/* SPDX-License-Identifier: MIT */
/* Operations on file descriptors that the program owns: one request to the engine each. */
#ifndef EDDY_FD_H
#define EDDY_FD_H

#include <eddy/forms.h>
#include <eddy/vector.h>

EDDY_BEGIN_DECLS

/**
 * Reads once: what is there now, or as soon as there is something.
 *
 * @fd: a file descriptor; it stays open, and as blocking as it is
 * @buffer: where to put the bytes; the operation's until it has completed
 * @count: at most so many bytes, up to 2 GiB less one page
 * @offset: in the file, in bytes; -1: the current position, or a stream
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: the number of bytes read, 0 at the end of the file, or -1
 * Errors: CANCELLED before anything was read; what read(2) gives
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (PRIMITIVE)
ssize_t eddy_fd_read (int fd, void *buffer EDDY_BORROWED, size_t count, int64_t offset,
                      EddyCancellable *cancellable, EddyError **error);

/**
 * Writes once: as much as can be taken now, or as soon as something can. A stream whose reader has
 * gone gives BROKEN_PIPE, never a SIGPIPE.
 *
 * @fd: a file descriptor; it stays open, and as blocking as it is
 * @buffer: the bytes; the operation's until it has completed
 * @count: how many, up to 2 GiB less one page
 * @offset: in the file, in bytes; -1: the current position, or a stream
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: the number of bytes written, which may be fewer than @count, or -1
 * Errors: CANCELLED before anything was written; what write(2) gives
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (PRIMITIVE)
ssize_t eddy_fd_write (int fd, const void *buffer EDDY_BORROWED, size_t count, int64_t offset,
                       EddyCancellable *cancellable, EddyError **error);

/**
 * Reads once into several runs of memory, each filled before the next: what is there now, or as
 * soon as there is something.
 *
 * @fd: a file descriptor; it stays open, and as blocking as it is
 * @vectors: the runs; they and their memory are the operation's until it has completed
 * @n_vectors: how many; of more than 1024 the first 1024 are read into
 * @offset: in the file, in bytes; -1: the current position, or a stream
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: the number of bytes read; 0 at the end of the file, or for no room at all; or -1
 * Errors: CANCELLED before anything was read; what readv(2) gives
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (PRIMITIVE)
ssize_t eddy_fd_readv (int fd, const EddyInputVector *vectors EDDY_BORROWED, size_t n_vectors,
                       int64_t offset, EddyCancellable *cancellable, EddyError **error);

/**
 * Writes several runs of bytes once, in their order: as much as can be taken now, or as soon as
 * something can. A stream whose reader has gone gives BROKEN_PIPE, never a SIGPIPE.
 *
 * @fd: a file descriptor; it stays open, and as blocking as it is
 * @vectors: the runs; they and their bytes are the operation's until it has completed
 * @n_vectors: how many; of more than 1024 the first 1024 are written
 * @offset: in the file, in bytes; -1: the current position, or a stream
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: the number of bytes written, which may be fewer than there are, or -1
 * Errors: CANCELLED before anything was written; what writev(2) gives
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (PRIMITIVE)
ssize_t eddy_fd_writev (int fd, const EddyOutputVector *vectors EDDY_BORROWED, size_t n_vectors,
                        int64_t offset, EddyCancellable *cancellable, EddyError **error);

/**
 * Waits until a file's data and attributes are on its disk.
 *
 * @fd: a file descriptor
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether they are
 * Errors: CANCELLED; what fsync(2) gives
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (PRIMITIVE)
bool eddy_fd_sync (int fd, EddyCancellable *cancellable, EddyError **error);

/**
 * Waits until a file descriptor is ready: for libraries that own their fds and do their own I/O.
 *
 * @fd: a file descriptor; a regular file is always ready
 * @events: POLLIN, POLLOUT … of <poll.h>
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: what it is ready for, POLLERR and POLLHUP included, or -1
 * Errors: CANCELLED; what poll(2) gives
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (PRIMITIVE)
int eddy_fd_wait (int fd, int events, EddyCancellable *cancellable, EddyError **error);

EDDY_END_DECLS

#include <eddy/fd-forms.h>

#endif
