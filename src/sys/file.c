/* SPDX-License-Identifier: MIT */
/*
 * Descriptors and what is stored behind them: opening, reading, writing, copying, syncing.
 * EDDY_SYS_RETRY and EDDY_SYS_CALL show for each call whether an interruption is repeated or told.
 */
#include "sys/file-private.h"

#include <linux/fs.h>
#include <linux/openat2.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/call-private.h"

_Static_assert(sizeof (off_t) == sizeof (int64_t), "offsets are 64 bits wide");

/* ---- Opening and closing ------------------------------------------------------------------- */

int eddy__sys_openat (int directory_fd, const char *path, int flags, mode_t mode)
{
    return (int) EDDY_SYS_RETRY (EDDY_SYS_OPENAT,
                                 openat (directory_fd, path, flags | O_CLOEXEC, mode));
}

int eddy__sys_openat2 (int directory_fd, const char *path, const struct open_how *how)
{
    struct open_how closing = *how;

    closing.flags |= O_CLOEXEC;
    return (int) EDDY_SYS_RETRY (
        EDDY_SYS_OPENAT2, syscall (SYS_openat2, directory_fd, path, &closing, sizeof closing));
}

int eddy__sys_close (int fd)
{
    /* Whatever Linux says of a close, the fd is gone: so it is when the door says it. */
    int refused = eddy__sys_door (EDDY_SYS_CLOSE);
    int result = close (fd) < 0 ? -errno : 0;
    return refused < 0 ? refused : result;
}

int eddy__sys_dup (int fd)
{
    /* Never 0, 1 or 2: a program that closed its stdout would write its messages into our file. */
    return (int) EDDY_SYS_CALL (EDDY_SYS_DUP, fcntl (fd, F_DUPFD_CLOEXEC, 3));
}

int eddy__sys_getfl (int fd)
{
    return (int) EDDY_SYS_CALL (EDDY_SYS_GETFL, fcntl (fd, F_GETFL));
}

int eddy__sys_pipe2 (int fds[2], int flags)
{
    return (int) EDDY_SYS_CALL (EDDY_SYS_PIPE2, pipe2 (fds, flags | O_CLOEXEC));
}

int eddy__sys_set_pipe_size (int fd, int size)
{
    return (int) EDDY_SYS_CALL (EDDY_SYS_SET_PIPE_SIZE, fcntl (fd, F_SETPIPE_SZ, size));
}

/* ---- Reading and writing ------------------------------------------------------------------- */

ssize_t eddy__sys_read (int fd, void *buf, size_t len)
{
    return EDDY_SYS_CALL (EDDY_SYS_READ, read (fd, buf, eddy__sys_limit (EDDY_SYS_READ, len)));
}

ssize_t eddy__sys_write (int fd, const void *buf, size_t len)
{
    return EDDY_SYS_CALL (EDDY_SYS_WRITE, write (fd, buf, eddy__sys_limit (EDDY_SYS_WRITE, len)));
}

ssize_t eddy__sys_pread (int fd, void *buf, size_t len, int64_t offset)
{
    return EDDY_SYS_RETRY (EDDY_SYS_PREAD,
                           pread (fd, buf, eddy__sys_limit (EDDY_SYS_PREAD, len), offset));
}

ssize_t eddy__sys_pwrite (int fd, const void *buf, size_t len, int64_t offset)
{
    return EDDY_SYS_RETRY (EDDY_SYS_PWRITE,
                           pwrite (fd, buf, eddy__sys_limit (EDDY_SYS_PWRITE, len), offset));
}

/* Vectors cut to what the short hook allows; in real life the caller's own. */
typedef struct FileVectors {
    const struct iovec *vectors;
    int n_vectors;
    struct iovec cut[8]; /* a test's calls are small; fewer are only an even shorter answer */
} FileVectors;

static void file_vectors_cut (FileVectors *answer, EddySysCall call, const struct iovec *vectors,
                              int n_vectors)
{
    size_t len = 0, left;

    *answer = (FileVectors){ .vectors = vectors, .n_vectors = n_vectors };
    for (int i = 0; i < n_vectors; i++)
        len += vectors[i].iov_len;
    left = eddy__sys_short_ask (call, len);
    if (left == len)
        return;
    answer->vectors = answer->cut;
    answer->n_vectors = 0;
    for (int i = 0; i < n_vectors && i < 8 && left > 0; i++) {
        answer->cut[i] = vectors[i];
        if (answer->cut[i].iov_len > left)
            answer->cut[i].iov_len = left;
        left -= answer->cut[i].iov_len;
        answer->n_vectors++;
    }
}

/* The system call itself: glibc's function is a point of pthread_cancel, which costs two atomic
 * operations in a program with threads, and a cached read 2 % more. The kernel drops the upper half
 * of the offset where a long has all of it. */
static ssize_t file_preadv2 (int fd, const struct iovec *vectors, int n_vectors, int64_t offset,
                             int flags)
{
    return (ssize_t) syscall (SYS_preadv2, (long) fd, vectors, (long) n_vectors, (long) offset,
                              (long) (offset >> 32), (long) flags);
}

ssize_t eddy__sys_preadv2 (int fd, const struct iovec *vectors, int n_vectors, int64_t offset,
                           int flags)
{
    FileVectors cut;

    if (__builtin_expect (!atomic_load_explicit (&eddy__sys_hooked, memory_order_relaxed), 1))
        return EDDY_SYS_CALL (EDDY_SYS_PREADV2,
                              file_preadv2 (fd, vectors, n_vectors, offset, flags));
    file_vectors_cut (&cut, EDDY_SYS_PREADV2, vectors, n_vectors);
    return EDDY_SYS_CALL (EDDY_SYS_PREADV2,
                          file_preadv2 (fd, cut.vectors, cut.n_vectors, offset, flags));
}

ssize_t eddy__sys_pwritev2 (int fd, const struct iovec *vectors, int n_vectors, int64_t offset,
                            int flags)
{
    FileVectors cut;

    if (__builtin_expect (!atomic_load_explicit (&eddy__sys_hooked, memory_order_relaxed), 1))
        return EDDY_SYS_CALL (EDDY_SYS_PWRITEV2, pwritev2 (fd, vectors, n_vectors, offset, flags));
    file_vectors_cut (&cut, EDDY_SYS_PWRITEV2, vectors, n_vectors);
    return EDDY_SYS_CALL (EDDY_SYS_PWRITEV2,
                          pwritev2 (fd, cut.vectors, cut.n_vectors, offset, flags));
}

int64_t eddy__sys_lseek (int fd, int64_t offset, int whence)
{
    return EDDY_SYS_CALL (EDDY_SYS_LSEEK, lseek (fd, offset, whence));
}

/* ---- Copying inside the kernel ------------------------------------------------------------- */

ssize_t eddy__sys_copy_file_range (int from_fd, int64_t *from_offset, int to_fd, int64_t *to_offset,
                                   size_t len, unsigned flags)
{
    return EDDY_SYS_RETRY (EDDY_SYS_COPY_FILE_RANGE,
                           copy_file_range (from_fd, from_offset, to_fd, to_offset,
                                            eddy__sys_limit (EDDY_SYS_COPY_FILE_RANGE, len),
                                            flags));
}

ssize_t eddy__sys_sendfile (int to_fd, int from_fd, int64_t *from_offset, size_t len)
{
    return EDDY_SYS_CALL (EDDY_SYS_SENDFILE, sendfile (to_fd, from_fd, from_offset,
                                                       eddy__sys_limit (EDDY_SYS_SENDFILE, len)));
}

ssize_t eddy__sys_splice (int from_fd, int64_t *from_offset, int to_fd, int64_t *to_offset,
                          size_t len, unsigned flags)
{
    return EDDY_SYS_CALL (EDDY_SYS_SPLICE, splice (from_fd, from_offset, to_fd, to_offset,
                                                   eddy__sys_limit (EDDY_SYS_SPLICE, len), flags));
}

int eddy__sys_ficlone (int to_fd, int from_fd)
{
    return (int) EDDY_SYS_RETRY (EDDY_SYS_FICLONE, ioctl (to_fd, FICLONE, from_fd));
}

/* ---- Storage ------------------------------------------------------------------------------- */

int eddy__sys_fsync (int fd)
{
    return (int) EDDY_SYS_RETRY (EDDY_SYS_FSYNC, fsync (fd));
}

int eddy__sys_fdatasync (int fd)
{
    return (int) EDDY_SYS_RETRY (EDDY_SYS_FDATASYNC, fdatasync (fd));
}

int eddy__sys_fallocate (int fd, int mode, int64_t offset, int64_t len)
{
    return (int) EDDY_SYS_RETRY (EDDY_SYS_FALLOCATE, fallocate (fd, mode, offset, len));
}

int eddy__sys_ftruncate (int fd, int64_t size)
{
    return (int) EDDY_SYS_RETRY (EDDY_SYS_FTRUNCATE, ftruncate (fd, size));
}

int eddy__sys_fadvise (int fd, int64_t offset, int64_t len, int advice)
{
    int result = eddy__sys_door (EDDY_SYS_FADVISE);

    /* The one call of this file that returns its error itself. */
    return result < 0 ? result : -posix_fadvise (fd, offset, len, advice);
}

int eddy__sys_flock (int fd, int operation)
{
    return (int) EDDY_SYS_CALL (EDDY_SYS_FLOCK, flock (fd, operation));
}

int eddy__sys_statfs (const char *path, struct statfs *answer)
{
    return (int) EDDY_SYS_RETRY (EDDY_SYS_STATFS, statfs (path, answer));
}

int eddy__sys_fstatfs (int fd, struct statfs *answer)
{
    return (int) EDDY_SYS_RETRY (EDDY_SYS_FSTATFS, fstatfs (fd, answer));
}
