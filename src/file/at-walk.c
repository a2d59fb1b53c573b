/* SPDX-License-Identifier: MIT */
/* Names that must not lead out of a folder, looked up part by part, where the kernel does not do it
 * or cannot tell.
 *
 * No call here is given more than one part, and none follows a link: a part that is one is read,
 * and its text put before what is left to walk. Each folder on the way is open, so ".." is the
 * folder that its child was found in, wherever that has been moved since. So there is nothing that
 * a swap between two calls could turn into a way out. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/error-private.h"
#include "file/at-private.h"
#include "sys/file-private.h"

enum {
    WALK_LINKS_MOST = 40, /* Linux follows as many */
    WALK_FOLDERS_MOST = 32,
    WALK_TRIES = 4
};

typedef struct Walk {
    int root_fd;
    int folders[WALK_FOLDERS_MOST]; /* open, from the root down */
    int n_folders;
    bool has_forgotten; /* folders above the first of those: ".." does not come so far up */
    int n_links;
    char *rest;          /* what is left, at the end of the text */
    char text[PATH_MAX]; /* the front is free for the texts of links */
} Walk;

static int walk_begin (Walk *walk, int root_fd, const char *name)
{
    size_t size = strlen (name) + 1;
    walk->root_fd = root_fd;
    walk->n_folders = 0;
    walk->has_forgotten = false;
    walk->n_links = 0;
    if (size > sizeof walk->text)
        return -ENAMETOOLONG;
    walk->rest = walk->text + sizeof walk->text - size;
    memcpy (walk->rest, name, size);
    if (size == 1)
        return -ENOENT;
    return name[0] == '/' ? -EDDY__EESCAPES : 0;
}

static void walk_end (Walk *walk)
{
    while (walk->n_folders > 0)
        eddy__sys_close (walk->folders[--walk->n_folders]);
}

static int walk_folder (const Walk *walk)
{
    return walk->n_folders == 0 ? walk->root_fd : walk->folders[walk->n_folders - 1];
}

static void walk_down (Walk *walk, int fd)
{
    if (walk->n_folders == WALK_FOLDERS_MOST) {
        eddy__sys_close (walk->folders[0]);
        memmove (walk->folders, walk->folders + 1, sizeof walk->folders - sizeof (int));
        walk->n_folders--;
        walk->has_forgotten = true;
    }
    walk->folders[walk->n_folders++] = fd;
}

static int walk_up (Walk *walk)
{
    if (walk->has_forgotten && walk->n_folders == 1)
        return -ENAMETOOLONG;
    if (walk->n_folders == 0)
        return -EDDY__EESCAPES;
    eddy__sys_close (walk->folders[--walk->n_folders]);
    return 0;
}

/* Cuts the next part off. What is left begins with no slash, and is empty behind the last part;
 * slashes behind that one ask for a folder. */
static const char *walk_next (Walk *walk, bool *needs_folder)
{
    const char *part = walk->rest;
    walk->rest = strchrnul (walk->rest, '/');
    *needs_folder = walk->rest[0] == '/';
    while (walk->rest[0] == '/')
        *walk->rest++ = '\0';
    return part;
}

/* Puts the text of a link in the place of the part that is one. The link is `name` in `fd`, or `fd`
 * itself where `name` is empty. 1, or 0 when it is none, or -errno. */
static int walk_link (Walk *walk, int fd, const char *name, const char *part, bool needs_folder)
{
    size_t room = (size_t) (part - walk->text);
    if (room == 0)
        return -ENAMETOOLONG;
    ssize_t length = eddy__sys_readlinkat (fd, name, walk->text, room);
    if (length == -EINVAL || (length == -ENOENT && name[0] == '\0'))
        return 0;
    if (length < 0)
        return (int) length;
    if ((size_t) length == room)
        return -ENAMETOOLONG;
    if (length == 0)
        return -ENOENT;
    if (walk->text[0] == '/')
        return -EDDY__EESCAPES;
    if (++walk->n_links > WALK_LINKS_MOST)
        return -ELOOP;
    if (needs_folder)
        *--walk->rest = '/';
    walk->rest -= length;
    memmove (walk->rest, walk->text, (size_t) length);
    return 1;
}

/* With O_PATH a link itself has been opened: `fd`, which is the caller's no more. */
static int walk_opened (Walk *walk, int fd, const char *part, bool needs_folder)
{
    int result = walk_link (walk, fd, "", part, needs_folder);
    if (result == 0)
        return fd;
    eddy__sys_close (fd);
    return result < 0 ? result : -ECHILD;
}

/* Opens a part and follows it if it is a link. An fd; -ECHILD when there is more to walk; -errno.
 *
 * What was refused as a link may be none when it is read as one; then it is tried again, so that
 * nobody who swaps the two makes a name fail that leads somewhere either way. */
static int walk_follow (Walk *walk, const char *part, bool needs_folder, int flags, mode_t mode)
{
    int fd = -ENOTDIR;
    for (int i = 0; i < WALK_TRIES; i++) {
        fd = eddy__sys_openat (walk_folder (walk), part, flags | O_NOFOLLOW, mode);
        if (fd >= 0 && (flags & (O_PATH | O_DIRECTORY)) == O_PATH)
            return walk_opened (walk, fd, part, needs_folder);
        if (fd != -ELOOP && fd != -ENOTDIR)
            return fd;
        int result = walk_link (walk, walk_folder (walk), part, part, needs_folder);
        if (result != 0)
            return result < 0 ? result : -ECHILD;
    }
    return fd;
}

/* A part on the way: a folder, or a link. */
static int walk_through (Walk *walk, const char *part)
{
    int fd = walk_follow (walk, part, /* needs_folder= */ true, O_PATH | O_DIRECTORY, 0);
    if (fd < 0)
        return fd;
    walk_down (walk, fd);
    return -ECHILD;
}

static int walk_last (Walk *walk, const char *part, bool needs_folder, int flags, mode_t mode)
{
    if (needs_folder)
        flags |= O_DIRECTORY;
    if ((flags & O_NOFOLLOW) == 0 && (~flags & (O_CREAT | O_EXCL)) != 0)
        return walk_follow (walk, part, needs_folder, flags, mode);
    return eddy__sys_openat (walk_folder (walk), part, flags | O_NOFOLLOW, mode);
}

/* One part. An fd when it was the last, -ECHILD when there is more to walk, or -errno. */
static int walk_step (Walk *walk, int flags, mode_t mode)
{
    bool needs_folder;
    const char *part = walk_next (walk, &needs_folder);
    bool is_last = walk->rest[0] == '\0';
    int result = 0;
    if (strcmp (part, "..") == 0)
        result = walk_up (walk);
    if (result < 0)
        return result;
    if (strcmp (part, "..") == 0 || strcmp (part, ".") == 0)
        return is_last ? eddy__sys_openat (walk_folder (walk), ".", flags, mode) : -ECHILD;
    return is_last ? walk_last (walk, part, needs_folder, flags, mode) : walk_through (walk, part);
}

int eddy__beneath_walk (int folder_fd, const char *name, int flags, mode_t mode)
{
    Walk walk;
    int result = walk_begin (&walk, folder_fd, name);
    if (result < 0)
        return result;
    do
        result = walk_step (&walk, flags, mode);
    while (result == -ECHILD);
    walk_end (&walk);
    return result;
}
