/* SPDX-License-Identifier: MIT */
/* What the files of this room share: the name, the thread's buffer, and attributes. */
#pragma once

#include <eddy/dir.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>

struct EddyFile {
    EddyObject object;
    EddyDir *dir;             /* what it may not lead out of; NULL: it may lead anywhere */
    EddyFileType listed_type; /* what a listing has told; UNKNOWN: nothing */
    size_t name_offset;       /* where in the path the name in `dir` begins */
    size_t length;            /* of the path */
    char path[];
};

/* A file whose path is a folder's and a name. Within a dir, slashes behind the name go: they would
 * have the last part followed where it must not be. Its name there begins with `name`. */
EddyFile *eddy__file_new_within (EddyDir *dir, const char *folder, const char *name);

/* Flags of statx for a path: what a symbolic link points to, or the link itself. */
static inline int eddy__file_stat_flags (bool follow)
{
    return AT_NO_AUTOMOUNT | (follow ? 0 : AT_SYMLINK_NOFOLLOW);
}

/* Whether two answers are about the same file; STATX_INO. */
static inline bool eddy__file_stat_is_same (const struct statx *one, const struct statx *other)
{
    return one->stx_ino == other->stx_ino && one->stx_dev_major == other->stx_dev_major &&
           one->stx_dev_minor == other->stx_dev_minor;
}

/* Where the last part of a path begins, and its length without the slashes behind it. */
const char *eddy__file_last_part (const char *path, size_t *length);
/* The path of the folder that the last part is in, to be freed with eddy__free(); NULL when memory
 * is out. */
char *eddy__file_folder_part (const char *path);

/* The file that a symbolic link at `file` means when it says `name`: in the same folder, unless it
 * begins with a slash. NULL when memory is out. */
EddyFile *eddy__file_new_beside (const EddyFile *file, const char *name);

/* Asks what a file is, and opens it for reading if it is a regular one. Asks before it opens,
 * unless a listing has told just now: opening a fifo wakes its writer, and opening a device may do
 * anything. What was opened is asked again, since the name may mean another file by then.
 *
 * 0 or -errno; `fd` is the caller's to close, also on failure, unless it is below 0: the file is no
 * regular one, or could not be opened. */
int eddy__file_open_regular (const EddyFile *file, bool follow, struct statx *info, int *fd);
/* The same for a file that somebody wants the contents of: what is no regular file is opened, too,
 * but not waited for, and asked then. To ask first is a walk of the path more, 14 % of loading a
 * small file. What cannot be opened is asked by its name, since a socket is no regular file. */
int eddy__file_open_to_load (const EddyFile *file, struct statx *info, int *fd);

/* Whether the file system of an open file has no disk. */
bool eddy__file_is_in_memory (int fd);

/* The thread's buffer, for contents, folders and attributes; page-aligned, kept until the thread
 * ends. Whoever calls back to a user has finished with it. NULL when memory is out.
 *
 * 128 KiB is the fastest on tmpfs: 2 GiB in 0.80 s, where 256 KiB take 1.0 s, copy_file_range
 * 0.93, mmap and write 1.1, sendfile 1.42. */
enum { EDDY_FILE_BUFFER_SIZE = 128 * 1024 };
char *eddy__file_buffer (void);

/* A file by its fd, or where that is -1 by a path, as eddy__file_path() gives it. */
typedef struct EddyFilePlace {
    int fd;
    const char *name; /* what messages call it */
    const char *path;
    bool follow;
} EddyFilePlace;

/* Each sets one thing; 0 or -errno. */
int eddy__place_set_owner (const EddyFilePlace *place, uid_t owner, gid_t group);
int eddy__place_set_mode (const EddyFilePlace *place, mode_t mode);
int eddy__place_set_times (const EddyFilePlace *place, const struct timespec times[2]);

/* Gives `to` the attributes of `from`, which `info` tells: permissions; with `all` extended
 * attributes, owner and times too. 0 or -errno, with the name that the failing call was about in
 * `failed`. Uses the thread's buffer. */
int eddy__file_give_attributes (const EddyFilePlace *from, const EddyFilePlace *to,
                                const struct statx *info, bool all, const char **failed);

/* Gives `to`, by its fd, what a file keeps when its contents are replaced: owner, permissions and
 * those extended attributes that do not vouch for the contents. `from`: NULL where nobody can be
 * asked for these. As above otherwise. */
int eddy__file_keep_attributes (const EddyFilePlace *from, const EddyFilePlace *to,
                                const struct statx *info, const char **failed);
