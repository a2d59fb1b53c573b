/* SPDX-License-Identifier: MIT */
/*
 * System calls on files, directories and descriptors. Each returns 0, a count or an fd, or -errno,
 * and passes the fault door first. Every fd that is made here is close-on-exec.
 *
 * EINTR. Calls that only touch file systems are retried: an interrupted one has done nothing, and
 * a program's own signal is no reason for a copy to fail. That holds for opening, too: who opens a
 * fifo that may have no peer adds O_NONBLOCK, or knows that it waits. Calls that may wait for
 * somebody else report -EINTR: read, write, preadv2, pwritev2, sendfile, splice and flock. close is
 * never repeated: Linux has released the fd whatever it says.
 *
 * Offsets are int64_t; paths are relative to `directory_fd`, which may be AT_FDCWD.
 */
#pragma once

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>

/* linux/fs.h, Linux 6.14; glibc 2.36 does not know it. A kernel without it says -EOPNOTSUPP. */
#ifndef RWF_NOSIGNAL
#define RWF_NOSIGNAL 0x00000100
#endif

struct open_how; /* <linux/openat2.h> */

/* One entry of eddy__sys_getdents64, as the kernel lays it out; the next is `length` bytes on. */
typedef struct EddySysDirent {
    uint64_t inode;
    int64_t offset;
    uint16_t length;
    uint8_t type; /* DT_REG … */
    char name[];
} EddySysDirent;

/* Opening and closing */
int eddy__sys_openat (int directory_fd, const char *path, int flags, mode_t mode);
int eddy__sys_openat2 (int directory_fd, const char *path, const struct open_how *how);
int eddy__sys_close (int fd);
int eddy__sys_dup (int fd);   /* F_DUPFD_CLOEXEC, never below 3 */
int eddy__sys_getfl (int fd); /* the open flags */
int eddy__sys_pipe2 (int fds[2], int flags);
int eddy__sys_set_pipe_size (int fd, int size); /* the size that it has got, or -errno */

/* Reading and writing; an offset of -1 in the vector forms is the current position. */
ssize_t eddy__sys_read (int fd, void *buf, size_t len);
ssize_t eddy__sys_write (int fd, const void *buf, size_t len);
ssize_t eddy__sys_pread (int fd, void *buf, size_t len, int64_t offset);
ssize_t eddy__sys_pwrite (int fd, const void *buf, size_t len, int64_t offset);
ssize_t eddy__sys_preadv2 (int fd, const struct iovec *vectors, int n_vectors, int64_t offset,
                           int flags);
ssize_t eddy__sys_pwritev2 (int fd, const struct iovec *vectors, int n_vectors, int64_t offset,
                            int flags);
int64_t eddy__sys_lseek (int fd, int64_t offset, int whence);

/* Copying inside the kernel; NULL offsets are the current positions. 0 bytes is the end of file. */
ssize_t eddy__sys_copy_file_range (int from_fd, int64_t *from_offset, int to_fd, int64_t *to_offset,
                                   size_t len, unsigned flags);
ssize_t eddy__sys_sendfile (int to_fd, int from_fd, int64_t *from_offset, size_t len);
/* One of the two is a pipe; NULL offsets are the current positions. */
ssize_t eddy__sys_splice (int from_fd, int64_t *from_offset, int to_fd, int64_t *to_offset,
                          size_t len, unsigned flags);
int eddy__sys_ficlone (int to_fd, int from_fd);

/* Storage */
int eddy__sys_fsync (int fd);
int eddy__sys_fdatasync (int fd);
int eddy__sys_fallocate (int fd, int mode, int64_t offset, int64_t len);
int eddy__sys_ftruncate (int fd, int64_t size);
int eddy__sys_fadvise (int fd, int64_t offset, int64_t len, int advice);
int eddy__sys_flock (int fd, int operation);
int eddy__sys_statfs (const char *path, struct statfs *answer);
int eddy__sys_fstatfs (int fd, struct statfs *answer);

/* Names */
int eddy__sys_statx (int directory_fd, const char *path, int flags, unsigned mask,
                     struct statx *answer);
int eddy__sys_fstatx (int fd, unsigned mask, struct statx *answer); /* statx, AT_EMPTY_PATH */
int eddy__sys_faccessat (int directory_fd, const char *path, int mode, int flags);
int eddy__sys_mkdirat (int directory_fd, const char *path, mode_t mode);
int eddy__sys_mknodat (int directory_fd, const char *path, mode_t mode, dev_t device);
int eddy__sys_unlinkat (int directory_fd, const char *path, int flags);
int eddy__sys_renameat2 (int from_directory_fd, const char *from, int to_directory_fd,
                         const char *to, unsigned flags);
int eddy__sys_linkat (int from_directory_fd, const char *from, int to_directory_fd, const char *to,
                      int flags);
int eddy__sys_symlinkat (const char *target, int directory_fd, const char *path);
/* Not terminated; an answer of `len` may be a cut one. */
ssize_t eddy__sys_readlinkat (int directory_fd, const char *path, char *buf, size_t len);
/* Bytes of EddySysDirent records written to `buf` (aligned as uint64_t), 0 at the end. */
ssize_t eddy__sys_getdents64 (int directory_fd, void *buf, size_t len);

/* Attributes */
int eddy__sys_utimensat (int directory_fd, const char *path, const struct timespec times[2],
                         int flags);
int eddy__sys_futimens (int fd, const struct timespec times[2]);
int eddy__sys_fchmodat (int directory_fd, const char *path, mode_t mode, int flags);
int eddy__sys_fchmod (int fd, mode_t mode);
int eddy__sys_fchownat (int directory_fd, const char *path, uid_t owner, gid_t group, int flags);
int eddy__sys_fchown (int fd, uid_t owner, gid_t group);

/* Extended attributes: of a path, its last symbolic link followed or not, and of an fd. A length
   of 0 asks for the size; relative paths start at the current directory, there is no other way. */
ssize_t eddy__sys_listxattr (const char *path, bool follow, char *buf, size_t len);
ssize_t eddy__sys_getxattr (const char *path, bool follow, const char *name, void *buf, size_t len);
int eddy__sys_setxattr (const char *path, bool follow, const char *name, const void *value,
                        size_t len, int flags);
ssize_t eddy__sys_flistxattr (int fd, char *buf, size_t len);
ssize_t eddy__sys_fgetxattr (int fd, const char *name, void *buf, size_t len);
int eddy__sys_fsetxattr (int fd, const char *name, const void *value, size_t len, int flags);
