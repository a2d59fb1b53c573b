/* SPDX-License-Identifier: MIT */
/* The backup of a file that is about to be replaced: the old file itself under a further name,
 * which takes no time and no space, or a copy where file systems have no further names. At no
 * moment is there neither the old backup nor the new one. */
#include "file/backup-private.h"

#include <eddy/file-bodies.h>
#include <errno.h>
#include <string.h>

#include "base/alloc-private.h"
#include "file/at-private.h"
#include "file/temporary-private.h"
#include "sys/file-private.h"

enum { BACKUP_TRIES = 16 /* each loses to another process that came between two calls */ };

static char *backup_name_for (const char *name)
{
    size_t length;
    name = eddy__file_last_part (name, &length);
    char *backup = eddy__alloc (length + 2);
    if (backup != NULL) {
        memcpy (backup, name, length);
        memcpy (backup + length, "~", 2);
    }
    return backup;
}

/* Removes what somebody who was killed left beside the backup. If that is another name of the file
 * itself, the file's own locks say nothing about it. */
static int backup_clear (int folder_fd, const char *name, const char *beside)
{
    struct statx info, other;
    int flags = eddy__file_stat_flags (/* follow= */ false);
    if (eddy__sys_statx (folder_fd, name, flags, STATX_INO, &info) == 0 &&
        eddy__sys_statx (folder_fd, beside, flags, STATX_INO, &other) == 0 &&
        eddy__file_stat_is_same (&info, &other))
        return eddy__sys_unlinkat (folder_fd, beside, 0);
    return eddy__temporary_clear (folder_fd, beside);
}

/* One try: a link to the file beside the backup, which then takes its name. 1: somebody came
 * between, or was killed there. */
static int backup_link_once (int folder_fd, const char *name, const char *beside,
                             const char *backup)
{
    int result = eddy__sys_linkat (folder_fd, name, folder_fd, beside, 0);
    if (result == -EEXIST) {
        result = backup_clear (folder_fd, name, beside);
        return result == 0 || result == -ENOENT ? 1 : result;
    }
    if (result < 0)
        return result;
    result = eddy__sys_renameat2 (folder_fd, beside, folder_fd, backup, 0);
    /* Of two names of one file rename leaves both, and says that it is done. */
    eddy__sys_unlinkat (folder_fd, beside, 0);
    return result == -ENOENT ? 1 : result;
}

static int backup_link (int folder_fd, const char *name, const char *backup)
{
    char *beside = eddy__temporary_name_for (backup);
    if (beside == NULL)
        return -ENOMEM;
    int result = 1;
    for (int i = 0; i < BACKUP_TRIES && result == 1; i++)
        result = backup_link_once (folder_fd, name, beside, backup);
    eddy__free (beside);
    return result == 1 ? -EBUSY : result;
}

static int backup_sync (const EddyFile *file)
{
    int fd = eddy__file_open (file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0)
        return fd;
    int result = eddy__sys_fsync (fd);
    eddy__sys_close (fd);
    return result;
}

static int backup_copy (const EddyFile *file, const char *backup, bool durable)
{
    EddyError *error = NULL;
    EddyFile *copy = eddy__file_new_beside (file, backup);
    if (copy == NULL)
        return -ENOMEM;
    EddyFileCopyFlags flags =
        EDDY_FILE_COPY_OVERWRITE | EDDY_FILE_COPY_NOFOLLOW_SYMLINKS | EDDY_FILE_COPY_ALL_METADATA;
    int result = 0;
    if (!eddy_file_copy_body ((EddyFile *) file, copy, flags, NULL, NULL, NULL, &error)) {
        result = eddy_error_get_errno (error) == 0 ? -EIO : -eddy_error_get_errno (error);
        eddy_clear_error (&error);
    } else if (durable) {
        result = backup_sync (copy);
    }
    eddy_unref (copy);
    return result;
}

/* Whether it is the file system, or its rules for other people's files, that has no further name
 * for this one. */
static bool backup_has_no_links (int result)
{
    return result == -EPERM || result == -EOPNOTSUPP || result == -ENOSYS || result == -EMLINK;
}

int eddy__backup_make (const EddyFile *file, int folder_fd, const char *name, bool durable)
{
    char *backup = backup_name_for (name);
    if (backup == NULL)
        return -ENOMEM;
    int result = backup_link (folder_fd, name, backup);
    if (backup_has_no_links (result))
        result = backup_copy (file, backup, durable);
    eddy__free (backup);
    return result == -ENOENT ? 0 : result;
}
