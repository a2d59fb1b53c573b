/* SPDX-License-Identifier: MIT */
/* What a copy is written to: a file that gets its name when it is whole, so that at any moment the
 * name means the old file, the new one, or nothing; or the name itself, where files cannot be
 * without one, or whoever copies cares more for time. */
#include <errno.h>
#include <string.h>

#include "base/alloc-private.h"
#include "file/copy-private.h"
#include "sys/file-private.h"

/* The permissions that a copy begins with: those of any new file, or the source's, but to the
 * group, which may yet be another one, no more than to everybody. */
static mode_t destination_first_mode (const EddyFileCopy *copy)
{
    mode_t mode = copy->info.stx_mode & 0777;
    if (eddy__copy_has_default_mode (copy))
        return 0666;
    return (mode & 0707) | (mode & 0070 & (mode_t) ((mode & 0007) << 3)) | S_IRUSR | S_IWUSR;
}

static int destination_judge (EddyFileCopy *copy, const struct statx *info)
{
    if (eddy__file_stat_is_same (info, &copy->info)) {
        copy->is_same_file = true;
        return eddy__copy_fail (copy, copy->destination, -EINVAL);
    }
    if (S_ISDIR (info->stx_mode))
        return eddy__copy_fail (copy, copy->destination, -EISDIR);
    if ((copy->flags & EDDY_FILE_COPY_OVERWRITE) == 0)
        return eddy__copy_fail (copy, copy->destination, -EEXIST);
    if (!eddy__copy_replaces_kind (info->stx_mode))
        return eddy__copy_fail (copy, copy->destination, -EOPNOTSUPP);
    copy->replaces = true;
    return 0;
}

/* Judges what is there; -ENOENT, of which nothing is told yet, where nothing is. */
static int destination_find (EddyFileCopy *copy)
{
    struct statx info;
    int result =
        eddy__sys_statx (copy->to.fd, copy->to.name, eddy__file_stat_flags (/* follow= */ false),
                         STATX_BASIC_STATS, &info);
    if (result == 0)
        return destination_judge (copy, &info);
    return result == -ENOENT ? result : eddy__copy_fail (copy, copy->destination, result);
}

int eddy__copy_may_replace (EddyFileCopy *copy)
{
    int result = destination_find (copy);
    if (result != -ENOENT)
        return result;
    /* It has gone since: what replaces it takes the name all the same. */
    copy->replaces = (copy->flags & EDDY_FILE_COPY_OVERWRITE) != 0;
    return copy->replaces ? 0 : eddy__copy_fail (copy, copy->destination, -EEXIST);
}

/* A new file, under its name at once. */
static int destination_open_in_place (EddyFileCopy *copy)
{
    int fd = eddy__sys_openat (copy->to.fd, copy->to.name,
                               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY,
                               destination_first_mode (copy));
    if (fd < 0)
        return eddy__copy_fail (copy, copy->destination, fd);
    copy->destination_fd = fd;
    copy->made = copy->to.name;
    return 0;
}

/* Looks whether there is something to be replaced. */
static int destination_look (EddyFileCopy *copy)
{
    int result = destination_find (copy);
    if (result != -ENOENT)
        return result;
    size_t length = strlen (copy->to.name);
    /* "name/" can only be a folder, and "" nothing at all. */
    if (length > 0)
        result = copy->to.name[length - 1] == '/' ? -EISDIR : 0;
    return eddy__copy_fail (copy, copy->destination, result);
}

static int destination_open_new (EddyFileCopy *copy)
{
    int result = eddy__temporary_open_unnamed (&copy->temporary, copy->to.fd, copy->to.name,
                                               destination_first_mode (copy));
    return result == -EOPNOTSUPP ? destination_open_in_place (copy)
                                 : eddy__copy_fail (copy, copy->destination, result);
}

static int destination_open_beside (EddyFileCopy *copy)
{
    mode_t mode = eddy__copy_has_default_mode (copy) ? 0666 : 0600;
    int result = eddy__temporary_open (&copy->temporary, copy->to.fd, copy->to.name, mode);
    return eddy__copy_fail (copy, copy->destination, result);
}

int eddy__copy_open_destination (EddyFileCopy *copy)
{
    bool in_place = (copy->flags & EDDY_FILE_COPY_IN_PLACE) != 0;
    int result = in_place ? destination_open_in_place (copy) : destination_look (copy);
    if (result == 0 && !in_place && !copy->replaces)
        result = destination_open_new (copy);
    /* Somebody has made one since it was looked for, or nobody has looked. */
    if (result == -EEXIST)
        result = eddy__copy_may_replace (copy);
    if (result == 0 && copy->replaces)
        result = destination_open_beside (copy);
    if (copy->made == NULL)
        copy->destination_fd = copy->temporary.fd;
    return result;
}

int eddy__copy_publish (EddyFileCopy *copy)
{
    int result = 0;
    if (copy->beside != NULL) {
        result = eddy__sys_renameat2 (copy->to.fd, copy->beside, copy->to.fd, copy->to.name, 0);
        return eddy__copy_fail (copy, copy->destination, result);
    }
    if (!copy->replaces)
        result = eddy__temporary_link (&copy->temporary);
    if (result == -EEXIST)
        result = eddy__copy_may_replace (copy);
    if (result == 0 && copy->replaces)
        result = eddy__temporary_replace (&copy->temporary);
    return eddy__copy_fail (copy, copy->destination, result);
}

void eddy__copy_end_destination (EddyFileCopy *copy)
{
    if (copy->made != NULL)
        eddy__sys_unlinkat (copy->to.fd, copy->made, 0);
    if (copy->temporary.fd < 0 && copy->destination_fd >= 0)
        eddy__sys_close (copy->destination_fd);
    eddy__temporary_end (&copy->temporary);
    eddy__free (copy->beside);
    eddy__file_at_end (&copy->to);
}
