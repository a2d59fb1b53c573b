/* SPDX-License-Identifier: MIT */
/* A file written where nobody finds it, and named when it is whole.
 *
 * Who has a file under a name beside another holds a lock on it until it has its final name. One
 * without a lock was left behind by a process that was killed: whoever comes next removes it. So
 * only who holds a file's lock renames or removes it. A file without a name is locked before it
 * gets one; where every file has a name from the start there is a gap, in which it has been made
 * and not yet locked, so who made it looks, once it has the lock, whether it still has a name. */
#include "file/temporary-private.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "base/alloc-private.h"
#include "file/file-private.h"
#include "sys/file-private.h"
#include "sys/poll-private.h"

enum {
    TEMPORARY_TRIES = 16, /* each loses to another process that came between two calls */
    TEMPORARY_WAITS = 100,
    TEMPORARY_WAIT_NS = 2000000,
    TEMPORARY_NAME_MOST = 255,
    TEMPORARY_HASH_LENGTH = 8,
};

#define TEMPORARY_SUFFIX ".eddy~"

/* --- The name beside it ----------------------------------------------------------------------- */

/* FNV-1a: two long names with the same beginning have different temporary files. */
static uint32_t temporary_hash (const char *name, size_t length)
{
    uint32_t hash = 2166136261U;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char) name[i]) * 16777619U;
    return hash;
}

char *eddy__temporary_name_for (const char *path)
{
    size_t length;
    const char *part = eddy__file_last_part (path, &length);
    size_t folder_length = (size_t) (part - path);
    size_t most = TEMPORARY_NAME_MOST - 1 - strlen (TEMPORARY_SUFFIX);
    char hash[TEMPORARY_HASH_LENGTH + 1] = "";
    size_t kept = length;
    if (length > most) {
        snprintf (hash, sizeof hash, "%08x", (unsigned) temporary_hash (part, length));
        kept = most - TEMPORARY_HASH_LENGTH;
    }
    size_t size = folder_length + 1 + kept + strlen (hash) + sizeof TEMPORARY_SUFFIX;
    char *name = eddy__alloc (size);
    if (name != NULL)
        snprintf (name, size, "%.*s.%.*s%s" TEMPORARY_SUFFIX, (int) folder_length, path, (int) kept,
                  part, hash);
    return name;
}

static int temporary_need_name (EddyFileTemporary *temporary)
{
    if (temporary->name == NULL)
        temporary->name = eddy__temporary_name_for (temporary->path);
    return temporary->name == NULL ? -ENOMEM : 0;
}

static int temporary_lock (int fd)
{
    int result;
    do
        result = eddy__sys_flock (fd, LOCK_EX | LOCK_NB);
    while (result == -EINTR);
    return result == -EAGAIN ? -EBUSY : result;
}

/* Removes the file at `fd` if it has no owner and still has the name. */
static int temporary_remove_stale (int fd, int folder_fd, const char *name)
{
    struct statx opened, named;
    int result = temporary_lock (fd);
    /* Without locks nobody can tell: better no file than half of one. */
    if (result < 0)
        return -EBUSY;
    result = eddy__sys_fstatx (fd, STATX_BASIC_STATS, &opened);
    if (result == 0)
        result = eddy__sys_statx (folder_fd, name, eddy__file_stat_flags (/* follow= */ false),
                                  STATX_BASIC_STATS, &named);
    if (result < 0)
        return result;
    return eddy__file_stat_is_same (&opened, &named) ? eddy__sys_unlinkat (folder_fd, name, 0) : 0;
}

int eddy__temporary_clear (int folder_fd, const char *name)
{
    struct statx info;
    int result = eddy__sys_statx (folder_fd, name, eddy__file_stat_flags (/* follow= */ false),
                                  STATX_TYPE, &info);
    /* Links and fifos cannot be locked; they are whole as soon as they are made. */
    if (result == 0 && (S_ISLNK (info.stx_mode) || S_ISFIFO (info.stx_mode))) {
        result = eddy__sys_unlinkat (folder_fd, name, 0);
    } else if (result == 0 && !S_ISREG (info.stx_mode)) {
        result = -EEXIST;
    } else if (result == 0) {
        int fd =
            eddy__sys_openat (folder_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
        result = fd;
        if (fd >= 0) {
            result = temporary_remove_stale (fd, folder_fd, name);
            eddy__sys_close (fd);
        }
    }
    return result == -ENOENT ? 0 : result;
}

/* --- Without a name --------------------------------------------------------------------------- */

/* Whether the latest link of an fd alone was allowed, which takes a privilege or Linux 6.10. Others
 * need /proc, and where that is missing too, a file without a name could not get one. */
static atomic_bool temporary_links_by_fd;

static bool temporary_can_link (void)
{
    return atomic_load (&temporary_links_by_fd) ||
           /* check-allow: AT_FDCWD: no name of a file's */
           eddy__sys_faccessat (AT_FDCWD, "/proc/self/fd", F_OK, 0) == 0;
}

static int temporary_link_as (const EddyFileTemporary *temporary, const char *name)
{
    int result = eddy__sys_linkat (temporary->fd, "", temporary->folder_fd, name, AT_EMPTY_PATH);
    if (result == 0)
        atomic_store (&temporary_links_by_fd, true);
    if (result != -ENOENT)
        return result;
    atomic_store (&temporary_links_by_fd, false);
    char fd_path[32];
    snprintf (fd_path, sizeof fd_path, "/proc/self/fd/%d", temporary->fd);
    /* check-allow: AT_FDCWD: a path to what is open */
    return eddy__sys_linkat (AT_FDCWD, fd_path, temporary->folder_fd, name, AT_SYMLINK_FOLLOW);
}

/* ext4 says EPERM of a folder that was removed, where a file with a name fails with ENOENT. */
static int temporary_explain (int result, int folder_fd, const char *folder)
{
    struct statx info;
    bool is_gone = result == -EPERM &&
                   eddy__sys_statx (folder_fd, folder, AT_NO_AUTOMOUNT, STATX_NLINK, &info) == 0 &&
                   info.stx_nlink == 0;
    if (is_gone)
        return -ENOENT;
    /* A kernel, or a file system, that does not know the flag sees a folder opened for writing. */
    return result == -EISDIR ? -EOPNOTSUPP : result;
}

int eddy__temporary_open_unnamed (EddyFileTemporary *temporary, int folder_fd, const char *path,
                                  mode_t mode)
{
    *temporary = (EddyFileTemporary){ .folder_fd = folder_fd, .path = path, .fd = -1 };
    if (!temporary_can_link ())
        return -EOPNOTSUPP;
    char *folder = eddy__file_folder_part (path);
    if (folder == NULL)
        return -ENOMEM;
    int fd = eddy__sys_openat (folder_fd, folder, O_RDWR | O_TMPFILE, mode);
    int result = fd < 0 ? temporary_explain (fd, folder_fd, folder) : 0;
    temporary->fd = fd < 0 ? -1 : fd;
    eddy__free (folder);
    return result;
}

/* --- With a name from the start --------------------------------------------------------------- */

/* Locks the file that was just made. 1: somebody took it for a stale one and removed it. */
static int temporary_claim (const EddyFileTemporary *temporary)
{
    int result = temporary_lock (temporary->fd);
    /* A file system without locks: others see that they cannot lock it either, and keep away. */
    if (result < 0 && result != -EBUSY)
        return 0;
    if (result < 0)
        return result;
    struct statx info;
    result = eddy__sys_fstatx (temporary->fd, STATX_NLINK, &info);
    if (result < 0)
        return result;
    return info.stx_nlink == 0 ? 1 : 0;
}

/* One try. 1: somebody came between, try again. */
static int temporary_make (EddyFileTemporary *temporary, mode_t mode)
{
    int fd = eddy__sys_openat (temporary->folder_fd, temporary->name,
                               O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY, mode);
    if (fd == -EEXIST) {
        int result = eddy__temporary_clear (temporary->folder_fd, temporary->name);
        return result < 0 ? result : 1;
    }
    if (fd < 0)
        return fd;
    temporary->fd = fd;
    int result = temporary_claim (temporary);
    temporary->is_named = result == 0;
    if (result == 0)
        return 0;
    /* Not ours any more, unless the call that asks about it failed. */
    if (result < 0 && result != -EBUSY)
        eddy__sys_unlinkat (temporary->folder_fd, temporary->name, 0);
    eddy__sys_close (fd);
    temporary->fd = -1;
    return result;
}

int eddy__temporary_open (EddyFileTemporary *temporary, int folder_fd, const char *path,
                          mode_t mode)
{
    int result = eddy__temporary_open_unnamed (temporary, folder_fd, path, mode);
    if (result != -EOPNOTSUPP)
        return result;
    result = temporary_need_name (temporary);
    if (result < 0)
        return result;
    result = 1;
    for (int i = 0; i < TEMPORARY_TRIES && result == 1; i++)
        result = temporary_make (temporary, mode);
    return result == 1 ? -EBUSY : result;
}

/* --- Its name at last ------------------------------------------------------------------------- */

int eddy__temporary_link (EddyFileTemporary *temporary)
{
    return temporary_link_as (temporary, temporary->path);
}

/* Gives a file without a name the one beside its own. Who has that name just now is mostly at the
 * same point, one call before giving it up, so it is waited for a little. */
static int temporary_name (EddyFileTemporary *temporary)
{
    int result = temporary_need_name (temporary);
    if (result < 0)
        return result;
    /* Where there are no locks others see that, and keep away. */
    (void) temporary_lock (temporary->fd);
    int tries = 0, waits = 0;
    while ((result = temporary_link_as (temporary, temporary->name)) == -EEXIST) {
        result = eddy__temporary_clear (temporary->folder_fd, temporary->name);
        if (result == 0 ? ++tries == TEMPORARY_TRIES
                        : result != -EBUSY || ++waits == TEMPORARY_WAITS)
            return result == 0 ? -EBUSY : result;
        if (result == -EBUSY)
            eddy__sys_ppoll (NULL, 0, TEMPORARY_WAIT_NS);
    }
    temporary->is_named = result == 0;
    return result;
}

int eddy__temporary_claim (EddyFileTemporary *temporary)
{
    return temporary->is_named ? 0 : temporary_name (temporary);
}

int eddy__temporary_replace (EddyFileTemporary *temporary)
{
    int result = eddy__temporary_claim (temporary);
    if (result == 0)
        result = eddy__sys_renameat2 (temporary->folder_fd, temporary->name, temporary->folder_fd,
                                      temporary->path, 0);
    if (result == 0)
        temporary->is_named = false;
    return result;
}

void eddy__temporary_end (EddyFileTemporary *temporary)
{
    /* Removed first: without its lock anybody may take the name. */
    if (temporary->is_named)
        eddy__sys_unlinkat (temporary->folder_fd, temporary->name, 0);
    if (temporary->fd >= 0)
        eddy__sys_close (temporary->fd);
    eddy__free (temporary->name);
    *temporary = (EddyFileTemporary) EDDY_FILE_TEMPORARY_NONE;
}
