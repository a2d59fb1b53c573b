/* SPDX-License-Identifier: MIT */
/* Replacing a file: the new one is made beside it as ".NAME.eddy~" and renamed when it is whole.
 *
 * Whoever writes a temporary file holds a lock on it until it has its final name. One without a
 * lock was left behind by a process that was killed: whoever comes next removes it, and makes its
 * own. So only who holds a file's lock renames or removes it, with one gap: a file has been made
 * and not yet locked. Who made it therefore looks, once it has the lock, whether it still has a
 * name. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "base/alloc-private.h"
#include "file/copy-private.h"
#include "sys/file-private.h"

enum {
    REPLACE_TRIES = 16, /* each loses to another process that came between two calls */
    REPLACE_NAME_MOST = 255,
    REPLACE_HASH_LENGTH = 8,
};

#define REPLACE_SUFFIX ".eddy~"

static bool replace_is_same (const struct statx *one, const struct statx *other)
{
    return one->stx_ino == other->stx_ino && one->stx_dev_major == other->stx_dev_major &&
           one->stx_dev_minor == other->stx_dev_minor;
}

int eddy__copy_may_replace (EddyFileCopy *copy)
{
    struct statx info;
    int result =
        eddy__sys_statx (AT_FDCWD, copy->destination, eddy__file_stat_flags (/* follow= */ false),
                         STATX_BASIC_STATS, &info);
    /* It has gone since: what replaces it takes the name all the same. */
    if (result == -ENOENT && (copy->flags & EDDY_FILE_COPY_OVERWRITE) != 0)
        return 0;
    if (result < 0)
        return eddy__copy_fail (copy, copy->destination, result == -ENOENT ? -EEXIST : result);
    if (replace_is_same (&info, &copy->info)) {
        copy->is_same_file = true;
        return eddy__copy_fail (copy, copy->destination, -EINVAL);
    }
    if (S_ISDIR (info.stx_mode))
        return eddy__copy_fail (copy, copy->destination, -EISDIR);
    if ((copy->flags & EDDY_FILE_COPY_OVERWRITE) == 0)
        return eddy__copy_fail (copy, copy->destination, -EEXIST);
    /* A device that is replaced by a file is a surprise that nobody asked for. */
    if (!S_ISREG (info.stx_mode) && !S_ISLNK (info.stx_mode) && !S_ISFIFO (info.stx_mode))
        return eddy__copy_fail (copy, copy->destination, -EOPNOTSUPP);
    return 0;
}

/* FNV-1a: two long names with the same beginning have different temporary files. */
static uint32_t replace_hash (const char *name, size_t length)
{
    uint32_t hash = 2166136261U;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char) name[i]) * 16777619U;
    return hash;
}

int eddy__copy_name_temporary (EddyFileCopy *copy)
{
    size_t length;
    const char *name = eddy__file_last_part (copy->destination, &length);
    size_t folder_length = (size_t) (name - copy->destination);
    size_t most = REPLACE_NAME_MOST - 1 - strlen (REPLACE_SUFFIX);
    char hash[REPLACE_HASH_LENGTH + 1] = "";
    size_t kept = length;
    if (length > most) {
        snprintf (hash, sizeof hash, "%08x", (unsigned) replace_hash (name, length));
        kept = most - REPLACE_HASH_LENGTH;
    }
    size_t size = folder_length + 1 + kept + strlen (hash) + sizeof REPLACE_SUFFIX;
    copy->temporary = eddy__alloc (size);
    if (copy->temporary == NULL)
        return eddy__copy_fail (copy, copy->destination, -ENOMEM);
    snprintf (copy->temporary, size, "%.*s.%.*s%s" REPLACE_SUFFIX, (int) folder_length,
              copy->destination, (int) kept, name, hash);
    return 0;
}

static int replace_lock (int fd)
{
    int result;
    do
        result = eddy__sys_flock (fd, LOCK_EX | LOCK_NB);
    while (result == -EINTR);
    return result == -EAGAIN ? -EBUSY : result;
}

/* Removes the file at `fd` if it has no owner and still has the name. */
static int replace_remove_stale (int fd, const char *path)
{
    struct statx opened, named;
    int result = replace_lock (fd);
    /* Without locks nobody can tell: better no copy than half of one. */
    if (result < 0)
        return -EBUSY;
    result = eddy__sys_fstatx (fd, STATX_BASIC_STATS, &opened);
    if (result == 0)
        result = eddy__sys_statx (AT_FDCWD, path, eddy__file_stat_flags (/* follow= */ false),
                                  STATX_BASIC_STATS, &named);
    if (result < 0)
        return result;
    return replace_is_same (&opened, &named) ? eddy__sys_unlinkat (AT_FDCWD, path, 0) : 0;
}

int eddy__copy_clear_temporary (const char *path)
{
    struct statx info;
    int result = eddy__sys_statx (AT_FDCWD, path, eddy__file_stat_flags (/* follow= */ false),
                                  STATX_TYPE, &info);
    /* Links and fifos cannot be locked; they are whole as soon as they are made. */
    if (result == 0 && (S_ISLNK (info.stx_mode) || S_ISFIFO (info.stx_mode))) {
        result = eddy__sys_unlinkat (AT_FDCWD, path, 0);
    } else if (result == 0 && !S_ISREG (info.stx_mode)) {
        result = -EEXIST;
    } else if (result == 0) {
        int fd =
            eddy__sys_openat (AT_FDCWD, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
        result = fd;
        if (fd >= 0) {
            result = replace_remove_stale (fd, path);
            eddy__sys_close (fd);
        }
    }
    return result == -ENOENT ? 0 : result;
}

/* Locks the file that was just made. 1: somebody took it for a stale one and removed it. */
static int replace_claim (EddyFileCopy *copy)
{
    int result = replace_lock (copy->destination_fd);
    /* A file system without locks: others see that they cannot lock it either, and keep away. */
    if (result < 0 && result != -EBUSY)
        return 0;
    if (result < 0)
        return result;
    struct statx info;
    result = eddy__sys_fstatx (copy->destination_fd, STATX_NLINK, &info);
    if (result < 0)
        return result;
    return info.stx_nlink == 0 ? 1 : 0;
}

/* One try. 1: somebody came between, try again. */
static int replace_make (EddyFileCopy *copy)
{
    int fd = eddy__sys_openat (AT_FDCWD, copy->temporary,
                               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY, 0600);
    if (fd == -EEXIST) {
        int result = eddy__copy_clear_temporary (copy->temporary);
        return result < 0 ? result : 1;
    }
    if (fd < 0)
        return fd;
    copy->destination_fd = fd;
    int result = replace_claim (copy);
    if (result == 0) {
        copy->made = copy->temporary;
        return 0;
    }
    /* Not ours any more, unless the call that asks about it failed. */
    if (result < 0 && result != -EBUSY)
        eddy__sys_unlinkat (AT_FDCWD, copy->temporary, 0);
    eddy__sys_close (fd);
    copy->destination_fd = -1;
    return result;
}

int eddy__copy_open_temporary (EddyFileCopy *copy)
{
    int result = eddy__copy_name_temporary (copy);
    if (result < 0)
        return result;
    result = 1;
    for (int i = 0; i < REPLACE_TRIES && result == 1; i++)
        result = replace_make (copy);
    return result == 0 ? 0
                       : eddy__copy_fail (copy, copy->destination, result < 0 ? result : -EBUSY);
}

int eddy__copy_replace (EddyFileCopy *copy)
{
    int result = eddy__sys_renameat2 (AT_FDCWD, copy->temporary, AT_FDCWD, copy->destination, 0);
    if (result < 0)
        return eddy__copy_fail (copy, copy->destination, result);
    copy->made = NULL;
    return 0;
}
