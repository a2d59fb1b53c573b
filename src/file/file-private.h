/* SPDX-License-Identifier: MIT */
/* What the files of this room share: the name, the thread's buffer, and attributes. */
#pragma once

#include <eddy/file.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>

struct EddyFile {
    EddyObject object;
    EddyFileType listed_type; /* what a listing has told; UNKNOWN: nothing */
    char path[];
};

/* Flags of statx for a path: what a symbolic link points to, or the link itself. */
static inline int eddy__file_stat_flags (bool follow)
{
    return AT_NO_AUTOMOUNT | (follow ? 0 : AT_SYMLINK_NOFOLLOW);
}

/* Where the last part of a path begins, and its length without the slashes behind it. */
const char *eddy__file_last_part (const char *path, size_t *length);

/* Asks what a file is, and opens it for reading if it is a regular one. Asks before it opens,
 * unless a listing has told just now: opening a fifo wakes its writer, and opening a device may do
 * anything. What was opened is asked again, since the name may mean another file by then.
 *
 * 0 or -errno; `fd` is the caller's to close, also on failure, unless it is below 0: the file is no
 * regular one, or could not be opened. */
int eddy__file_open_regular (const EddyFile *file, bool follow, struct statx *info, int *fd);

/* The thread's buffer, for contents, folders and attributes; page-aligned, kept until the thread
 * ends. Whoever calls back to a user has finished with it. NULL when memory is out.
 *
 * 128 KiB is the fastest on tmpfs: 2 GiB in 0.80 s, where 256 KiB take 1.0 s, copy_file_range
 * 0.93, mmap and write 1.1, sendfile 1.42. */
enum { EDDY_FILE_BUFFER_SIZE = 128 * 1024 };
char *eddy__file_buffer (void);

/* A file by its fd, or where that is -1 by its path. */
typedef struct EddyFilePlace {
    int fd;
    const char *path;
    bool follow;
} EddyFilePlace;

/* Gives `to` the attributes of `from`, which `info` tells: permissions; with `all` extended
 * attributes, owner and times too. 0 or -errno, with the path that the failing call was about in
 * `failed`. Uses the thread's buffer. */
int eddy__file_give_attributes (const EddyFilePlace *from, const EddyFilePlace *to,
                                const struct statx *info, bool all, const char **failed);
