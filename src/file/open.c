/* SPDX-License-Identifier: MIT */
/* Opening a file to read it, if it is a regular one. */
#include <errno.h>

#include "file/at-private.h"
#include "file/file-private.h"
#include "sys/file-private.h"

/* O_NONBLOCK is for a fifo that has taken the name meanwhile; with a regular file it only means not
 * to wait until another process has given a lease up, and for that we do wait. */
static int open_regular (const EddyFile *file, bool follow)
{
    int flags = O_RDONLY | O_NOCTTY | (follow ? 0 : O_NOFOLLOW);
    int fd = eddy__file_open (file, flags | O_NONBLOCK, 0);
    return fd == -EAGAIN ? eddy__file_open (file, flags, 0) : fd;
}

/* Opens what a listing called a regular file. 1: it is none any more, or cannot be opened, and is
 * to be asked as if nobody had told. */
static int open_listed (const EddyFile *file, struct statx *info, int *fd)
{
    if (file->listed_type != EDDY_FILE_TYPE_REGULAR)
        return 1;
    *fd = open_regular (file, /* follow= */ false);
    if (*fd < 0)
        return 1;
    int result = eddy__sys_fstatx (*fd, STATX_BASIC_STATS, info);
    if (result < 0 || S_ISREG (info->stx_mode))
        return result;
    eddy__sys_close (*fd);
    *fd = -1;
    return 1;
}

int eddy__file_open_regular (const EddyFile *file, bool follow, struct statx *info, int *fd)
{
    *fd = -1;
    int result = open_listed (file, info, fd);
    if (result != 1)
        return result;
    *fd = -1;
    result = eddy__file_statx (file, follow, STATX_BASIC_STATS, info);
    if (result < 0 || !S_ISREG (info->stx_mode))
        return result;
    *fd = open_regular (file, follow);
    return *fd < 0 ? *fd : eddy__sys_fstatx (*fd, STATX_BASIC_STATS, info);
}

int eddy__file_open_to_load (const EddyFile *file, struct statx *info, int *fd)
{
    int opened = open_regular (file, /* follow= */ true);
    *fd = opened < 0 ? -1 : opened;
    if (opened >= 0)
        return eddy__sys_fstatx (opened, STATX_BASIC_STATS, info);
    int result = eddy__file_statx (file, /* follow= */ true, STATX_BASIC_STATS, info);
    return result < 0 || S_ISREG (info->stx_mode) ? opened : 0;
}
