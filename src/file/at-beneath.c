/* SPDX-License-Identifier: MIT */
/* Names that must not lead out of a folder, looked up by the kernel: one call, like an open. */
#include "file/at-private.h"

#include <errno.h>
#include <linux/openat2.h>

#include "base/error-private.h"
#include "sys/file-private.h"

/* The kernel refuses a mode where nothing is made. */
static bool beneath_makes (int flags)
{
    return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
}

int eddy__beneath_open (int folder_fd, const char *name, int flags, mode_t mode)
{
    struct open_how how = { .flags = (unsigned) flags,
                            .mode = beneath_makes (flags) ? mode & 07777 : 0,
                            .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
    int fd = eddy__sys_openat2 (folder_fd, name, &how);
    switch (fd) {
    case -EXDEV:
        return -EDDY__EESCAPES;
    case -ENOSYS: /* the kernel does not have it */
    case -EPERM:  /* a filter, which may know it too little to let it pass; or truly */
    case -EAGAIN: /* ".." while somebody renamed something: the kernel could not tell; or a lease */
    case -ELOOP:  /* a link of /proc, which leads out; or truly too many */
        return eddy__beneath_walk (folder_fd, name, flags, mode);
    default:
        return fd;
    }
}
