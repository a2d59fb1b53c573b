/* SPDX-License-Identifier: MIT */
/* Where a file is, for the calls that open, ask, make, remove and rename. */
#include "file/at-private.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/error-private.h"
#include "file/dir-private.h"
#include "sys/file-private.h"
#include "sys/now-private.h"

static const char *at_name (const EddyFile *file)
{
    return file->path + file->name_offset;
}

static bool at_is_dots (const char *part)
{
    return strcmp (part, ".") == 0 || strcmp (part, "..") == 0;
}

/* The folder `length` bytes of a name lead to. */
static int at_open_folder (const EddyFile *file, size_t length, EddyFileAt *at)
{
    char folder[PATH_MAX];
    if (length >= sizeof folder)
        return -ENAMETOOLONG;
    memcpy (folder, at_name (file), length);
    folder[length] = '\0';
    int fd = eddy__beneath_open (file->dir->fd, folder, O_PATH | O_DIRECTORY, 0);
    if (fd < 0)
        return fd;
    at->fd = fd;
    at->owns_fd = true;
    return 0;
}

/* A name that ends in dots is that of a folder, which is looked up whole: ".." is a way out. */
static int at_beneath (const EddyFile *file, EddyFileAt *at)
{
    const char *name = at_name (file);
    if (name[0] == '/')
        return -EDDY__EESCAPES;
    if (name[0] == '\0')
        return -ENOENT;
    const char *slash = strrchr (name, '/');
    at->name = slash == NULL ? name : slash + 1;
    at->fd = file->dir->fd;
    if (at_is_dots (at->name)) {
        at->name = ".";
        return at_open_folder (file, strlen (name), at);
    }
    return slash == NULL ? 0 : at_open_folder (file, (size_t) (slash - name), at);
}

int eddy__file_at (const EddyFile *file, EddyFileAt *at)
{
    *at = (EddyFileAt){ AT_FDCWD, file->path, /* owns_fd= */ false };
    return file->dir == NULL ? 0 : at_beneath (file, at);
}

void eddy__file_at_end (EddyFileAt *at)
{
    if (at->owns_fd)
        eddy__sys_close (at->fd);
    *at = (EddyFileAt){ AT_FDCWD, "", /* owns_fd= */ false };
}

int eddy__file_open (const EddyFile *file, int flags, mode_t mode)
{
    return file->dir == NULL ? eddy__sys_openat (AT_FDCWD, file->path, flags, mode)
                             : eddy__beneath_open (file->dir->fd, at_name (file), flags, mode);
}

/* What a link leads to is opened, which is the one way to have it looked up beneath. */
static int at_statx_followed (const EddyFile *file, unsigned mask, struct statx *info)
{
    int fd = eddy__file_open (file, O_PATH, 0);
    if (fd < 0)
        return fd;
    int result = eddy__sys_fstatx (fd, mask, info);
    eddy__sys_close (fd);
    return result;
}

int eddy__file_statx (const EddyFile *file, bool follow, unsigned mask, struct statx *info)
{
    int flags = eddy__file_stat_flags (follow);
    if (file->dir == NULL)
        return eddy__sys_statx_now (AT_FDCWD, file->path, flags, mask, info);
    if (follow)
        return at_statx_followed (file, mask, info);
    EddyFileAt at;
    int result = eddy__file_at (file, &at);
    if (result == 0)
        result = eddy__sys_statx (at.fd, at.name, flags, mask, info);
    eddy__file_at_end (&at);
    return result;
}

/* --- a file by a path ------------------------------------------------------------------------- */

/* Takes an fd or -errno. The path leads to what is open, a symbolic link too, and no further. */
static int path_of_fd (int fd, EddyFilePath *path)
{
    path->fd = fd;
    if (fd < 0)
        return fd;
    snprintf (path->text, sizeof path->text, "/proc/self/fd/%d", fd);
    path->path = path->text;
    path->follow = true;
    return 0;
}

int eddy__file_path (const EddyFile *file, bool follow, EddyFilePath *path)
{
    path->path = file->path;
    path->follow = follow;
    path->fd = -1;
    if (file->dir == NULL)
        return 0;
    return path_of_fd (eddy__file_open (file, O_PATH | (follow ? 0 : O_NOFOLLOW), 0), path);
}

int eddy__file_path_at (const EddyFileAt *at, const char *name, EddyFilePath *path)
{
    path->path = name;
    path->follow = false;
    path->fd = -1;
    if (at->fd == AT_FDCWD)
        return 0;
    return path_of_fd (eddy__sys_openat (at->fd, name, O_PATH | O_NOFOLLOW, 0), path);
}

void eddy__file_path_end (EddyFilePath *path)
{
    if (path->fd >= 0)
        eddy__sys_close (path->fd);
    path->fd = -1;
}
