/* SPDX-License-Identifier: MIT */
/*
 * Names in directories, and the attributes of what they name. All of it is file system work, where
 * an interruption means nothing and is repeated.
 */
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "sys/call-private.h"
#include "sys/file-private.h"

/* ---- Names --------------------------------------------------------------------------------- */

int eddy__sys_statx (int directory_fd, const char *path, int flags, unsigned mask,
                     struct statx *answer)
{
    return (int) EDDY_SYS_RETRY (EDDY_SYS_STATX, statx (directory_fd, path, flags, mask, answer));
}

int eddy__sys_fstatx (int fd, unsigned mask, struct statx *answer)
{
    return eddy__sys_statx (fd, "", AT_EMPTY_PATH, mask, answer);
}

int eddy__sys_faccessat (int directory_fd, const char *path, int mode, int flags)
{
    return (int) EDDY_SYS_RETRY (EDDY_SYS_FACCESSAT, faccessat (directory_fd, path, mode, flags));
}

int eddy__sys_mkdirat (int directory_fd, const char *path, mode_t mode)
{
    return (int) EDDY_SYS_RETRY (EDDY_SYS_MKDIRAT, mkdirat (directory_fd, path, mode));
}

int eddy__sys_mknodat (int directory_fd, const char *path, mode_t mode, dev_t device)
{
    return (int) EDDY_SYS_RETRY (EDDY_SYS_MKNODAT, mknodat (directory_fd, path, mode, device));
}

int eddy__sys_unlinkat (int directory_fd, const char *path, int flags)
{
    return (int) EDDY_SYS_RETRY (EDDY_SYS_UNLINKAT, unlinkat (directory_fd, path, flags));
}

int eddy__sys_renameat2 (int from_directory_fd, const char *from, int to_directory_fd,
                         const char *to, unsigned flags)
{
    return (int) EDDY_SYS_RETRY (EDDY_SYS_RENAMEAT2,
                                 renameat2 (from_directory_fd, from, to_directory_fd, to, flags));
}

int eddy__sys_linkat (int from_directory_fd, const char *from, int to_directory_fd, const char *to,
                      int flags)
{
    return (int) EDDY_SYS_RETRY (EDDY_SYS_LINKAT,
                                 linkat (from_directory_fd, from, to_directory_fd, to, flags));
}

int eddy__sys_symlinkat (const char *target, int directory_fd, const char *path)
{
    return (int) EDDY_SYS_RETRY (EDDY_SYS_SYMLINKAT, symlinkat (target, directory_fd, path));
}

ssize_t eddy__sys_readlinkat (int directory_fd, const char *path, char *buf, size_t len)
{
    return EDDY_SYS_RETRY (EDDY_SYS_READLINKAT, readlinkat (directory_fd, path, buf, len));
}

ssize_t eddy__sys_getdents64 (int directory_fd, void *buf, size_t len)
{
    return EDDY_SYS_RETRY (EDDY_SYS_GETDENTS64, syscall (SYS_getdents64, directory_fd, buf, len));
}

/* ---- Attributes ---------------------------------------------------------------------------- */

int eddy__sys_utimensat (int directory_fd, const char *path, const struct timespec times[2],
                         int flags)
{
    return (int) EDDY_SYS_RETRY (EDDY_SYS_UTIMENSAT, utimensat (directory_fd, path, times, flags));
}

int eddy__sys_futimens (int fd, const struct timespec times[2])
{
    return (int) EDDY_SYS_RETRY (EDDY_SYS_FUTIMENS, futimens (fd, times));
}

int eddy__sys_fchmodat (int directory_fd, const char *path, mode_t mode, int flags)
{
    return (int) EDDY_SYS_RETRY (EDDY_SYS_FCHMODAT, fchmodat (directory_fd, path, mode, flags));
}

int eddy__sys_fchmod (int fd, mode_t mode)
{
    return (int) EDDY_SYS_RETRY (EDDY_SYS_FCHMOD, fchmod (fd, mode));
}

int eddy__sys_fchownat (int directory_fd, const char *path, uid_t owner, gid_t group, int flags)
{
    return (int) EDDY_SYS_RETRY (EDDY_SYS_FCHOWNAT,
                                 fchownat (directory_fd, path, owner, group, flags));
}

int eddy__sys_fchown (int fd, uid_t owner, gid_t group)
{
    return (int) EDDY_SYS_RETRY (EDDY_SYS_FCHOWN, fchown (fd, owner, group));
}

/* ---- Extended attributes ------------------------------------------------------------------- */

ssize_t eddy__sys_listxattr (const char *path, bool follow, char *buf, size_t len)
{
    return EDDY_SYS_RETRY (EDDY_SYS_LISTXATTR,
                           follow ? listxattr (path, buf, len) : llistxattr (path, buf, len));
}

ssize_t eddy__sys_getxattr (const char *path, bool follow, const char *name, void *buf, size_t len)
{
    return EDDY_SYS_RETRY (EDDY_SYS_GETXATTR, follow ? getxattr (path, name, buf, len)
                                                     : lgetxattr (path, name, buf, len));
}

int eddy__sys_setxattr (const char *path, bool follow, const char *name, const void *value,
                        size_t len, int flags)
{
    return (int) EDDY_SYS_RETRY (EDDY_SYS_SETXATTR,
                                 follow ? setxattr (path, name, value, len, flags)
                                        : lsetxattr (path, name, value, len, flags));
}

ssize_t eddy__sys_flistxattr (int fd, char *buf, size_t len)
{
    return EDDY_SYS_RETRY (EDDY_SYS_FLISTXATTR, flistxattr (fd, buf, len));
}

ssize_t eddy__sys_fgetxattr (int fd, const char *name, void *buf, size_t len)
{
    return EDDY_SYS_RETRY (EDDY_SYS_FGETXATTR, fgetxattr (fd, name, buf, len));
}

int eddy__sys_fsetxattr (int fd, const char *name, const void *value, size_t len, int flags)
{
    return (int) EDDY_SYS_RETRY (EDDY_SYS_FSETXATTR, fsetxattr (fd, name, value, len, flags));
}
