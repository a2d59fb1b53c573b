/* SPDX-License-Identifier: MIT */
/* Where a file is: the folder that its name is looked up in, and the name. All that this room asks
 * of the system about a name goes through here, so that it is decided in one place how far a name
 * may lead. For a file without a dir that is a path and AT_FDCWD, and costs no system call. */
#pragma once

#include <fcntl.h>

#include "file/file-private.h"

/* The place of a name whose last part is not followed: to be made, removed, renamed, linked, read
 * as a link. Every call on it must be one that leaves a symbolic link there alone, or be told to
 * (O_NOFOLLOW, AT_SYMLINK_NOFOLLOW): the parts before it have been looked up, the last has not. */
typedef struct EddyFileAt {
    int fd;           /* the folder, or AT_FDCWD */
    const char *name; /* in that folder; the file's own string */
    bool owns_fd;
} EddyFileAt;

/* Finds the place of a file; 0 or -errno. To be ended with eddy__file_at_end(), also on failure. */
int eddy__file_at (const EddyFile *file, EddyFileAt *at);
void eddy__file_at_end (EddyFileAt *at);

/* Opens a file, O_CLOEXEC; an fd or -errno. */
int eddy__file_open (const EddyFile *file, int flags, mode_t mode);

/* Asks what a file is; 0 or -errno. */
int eddy__file_statx (const EddyFile *file, bool follow, unsigned mask, struct statx *info);

/* A file by a path, for what may follow a link and takes no fd: extended attributes, modes, owners,
 * times. A file of a dir is held open, and its path one of /proc that leads to what is open. */
typedef struct EddyFilePath {
    const char *path;
    bool follow; /* how the calls must treat a link at that path */
    int fd;
    char text[32];
} EddyFilePath;

/* 0 or -errno; to be ended with eddy__file_path_end(), also on failure, and not to be moved. */
int eddy__file_path (const EddyFile *file, bool follow, EddyFilePath *path);
/* The same for a name in the folder of a place: the name's own file, a link not followed. */
int eddy__file_path_at (const EddyFileAt *at, const char *name, EddyFilePath *path);
void eddy__file_path_end (EddyFilePath *path);

/* at-beneath.c: opens a name that must not lead out of `folder_fd`; an fd or -errno, and
 * -EDDY__EESCAPES where it does. */
int eddy__beneath_open (int folder_fd, const char *name, int flags, mode_t mode);

/* at-walk.c: the same, part by part. */
int eddy__beneath_walk (int folder_fd, const char *name, int flags, mode_t mode);
