/* SPDX-License-Identifier: MIT */
/* Replacing a file's contents as a whole.
 *
 * Everything after the beginning is done relative to the folder that the name was found in, so it
 * is the same folder to the end, whatever is renamed meanwhile. In this order a crash at any point
 * leaves the old file or the new one, and a backup of before or of now:
 *
 *     attributes → sync of the new file → backup → the new file takes the name → sync of the folder
 */
#include "file/replace-private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc-private.h"
#include "base/error-private.h"
#include "file/at-private.h"
#include "file/backup-private.h"
#include "sys/file-private.h"

enum { REPLACE_MOST_LINKS = 40 /* as many as Linux follows */ };

static int replace_fail (EddyFileReplace *replace, int result)
{
    replace->failed = replace->written;
    return result;
}

static int replace_fail_for (EddyFileReplace *replace, EddyFileReplaceProblem problem, int result)
{
    replace->problem = problem;
    return replace_fail (replace, result);
}

/* --- Which file ------------------------------------------------------------------------------- */

static void replace_set_file (EddyFileReplace *replace, EddyFile *file)
{
    eddy_unref (replace->file);
    replace->file = file;
    replace->written = file == NULL ? NULL : eddy_file_get_path (file);
}

/* A folder that may be entered and not read cannot be synced; all else can be done. */
static int replace_open_folder (EddyFileReplace *replace, const EddyFileAt *at)
{
    char *folder = eddy__file_folder_part (at->name);
    if (folder == NULL)
        return -ENOMEM;
    int fd = eddy__sys_openat (at->fd, folder, O_RDONLY | O_DIRECTORY, 0);
    replace->syncs_folder = fd >= 0;
    if (fd == -EACCES)
        fd = eddy__sys_openat (at->fd, folder, O_PATH | O_DIRECTORY, 0);
    eddy__free (folder);
    replace->folder_fd = fd < 0 ? -1 : fd;
    return fd < 0 ? fd : 0;
}

/* What stands under the name now. */
static int replace_ask (EddyFileReplace *replace)
{
    struct statx info;
    int result =
        eddy__sys_statx (replace->folder_fd, replace->name,
                         eddy__file_stat_flags (/* follow= */ false), STATX_BASIC_STATS, &info);
    replace->has_old = result == 0;
    /* What has gone since is remembered for its permissions. */
    if (result == 0)
        replace->old = info;
    return result == -ENOENT ? 0 : result;
}

static int replace_look (EddyFileReplace *replace)
{
    EddyFileAt at;
    size_t length;
    int result = eddy__file_at (replace->file, &at);
    if (result == 0) {
        replace->name = eddy__file_last_part (at.name, &length);
        result = length == 0 ? -ENOENT : replace_open_folder (replace, &at);
    }
    eddy__file_at_end (&at);
    if (result == 0)
        result = replace_ask (replace);
    /* "name/" can only be a folder, and none is made here. */
    if (result == 0 && !replace->has_old && replace->name[length] == '/')
        result = -EISDIR;
    return result;
}

/* Goes on with what the symbolic link points to. */
static int replace_follow (EddyFileReplace *replace)
{
    char *target = eddy__file_buffer ();
    if (target == NULL)
        return -ENOMEM;
    ssize_t length =
        eddy__sys_readlinkat (replace->folder_fd, replace->name, target, EDDY_FILE_BUFFER_SIZE - 1);
    if (length < 0)
        return (int) length;
    target[length] = '\0';
    EddyFile *file = eddy__file_new_beside (replace->file, target);
    if (file == NULL)
        return -ENOMEM;
    replace_set_file (replace, file);
    eddy__sys_close (replace->folder_fd);
    replace->folder_fd = -1;
    return 0;
}

static int replace_find (EddyFileReplace *replace)
{
    for (int i = 0; i < REPLACE_MOST_LINKS; i++) {
        int result = replace_look (replace);
        if (result < 0 || !replace->follows || !replace->has_old ||
            !S_ISLNK (replace->old.stx_mode))
            return result;
        result = replace_follow (replace);
        if (result < 0)
            return result;
    }
    return -ELOOP;
}

/* --- Whether it may be ------------------------------------------------------------------------ */

static int replace_check_etag (EddyFileReplace *replace)
{
    char found[EDDY_FILE_ETAG_SIZE] = "";
    if (!replace->checks_etag)
        return 0;
    if (replace->has_old)
        eddy__file_etag_of (&replace->old, found);
    return strcmp (found, replace->etag) == 0
               ? 0
               : replace_fail_for (replace, EDDY_FILE_REPLACE_PROBLEM_ETAG, -ESTALE);
}

/* A link that is still here is to be replaced itself. */
static int replace_check_kind (EddyFileReplace *replace)
{
    mode_t mode = replace->old.stx_mode;
    if (!replace->has_old || S_ISREG (mode) || (S_ISLNK (mode) && !replace->follows))
        return 0;
    if (S_ISDIR (mode))
        return replace_fail (replace, -EISDIR);
    return replace_fail_for (replace, EDDY_FILE_REPLACE_PROBLEM_KIND, -EINVAL);
}

/* What may not be written may not be replaced, though its folder would allow that. */
static int replace_check_access (EddyFileReplace *replace)
{
    if (!replace->has_old || S_ISLNK (replace->old.stx_mode))
        return 0;
    /* What has become a link since is not asked about what it points to. */
    int result = eddy__sys_faccessat (replace->folder_fd, replace->name, W_OK,
                                      AT_EACCESS | AT_SYMLINK_NOFOLLOW);
    return replace_fail (replace, result);
}

static int replace_check (EddyFileReplace *replace)
{
    int result = replace_check_kind (replace);
    return result < 0 ? result : replace_check_etag (replace);
}

int eddy__replace_begin (EddyFileReplace *replace, const EddyFile *file, const char *etag,
                         bool make_backup, EddyFileCreateFlags flags, bool durable)
{
    bool follows = (flags & EDDY_FILE_CREATE_REPLACE_DESTINATION) == 0;
    mode_t mode = (flags & EDDY_FILE_CREATE_PRIVATE) != 0 ? 0600 : 0666;
    *replace = (EddyFileReplace){ .fd = -1,
                                  .folder_fd = -1,
                                  .temporary = EDDY_FILE_TEMPORARY_NONE,
                                  .follows = follows,
                                  .makes_backup = make_backup,
                                  .is_durable = durable,
                                  .checks_etag = etag != NULL };
    /* Longer than any that there is: none is the same. */
    if (etag != NULL)
        snprintf (replace->etag, sizeof replace->etag, "%s", etag);
    replace_set_file (replace, eddy_ref ((EddyFile *) file));
    int result = replace_fail (replace, replace_find (replace));
    if (result == 0)
        result = replace_check (replace);
    if (result == 0)
        result = replace_check_access (replace);
    if (result < 0)
        return result;
    /* The old permissions are given when it is written; until then it is nobody else's. */
    replace->keeps_attributes = follows && replace->has_old;
    result = eddy__temporary_open (&replace->temporary, replace->folder_fd, replace->name,
                                   replace->keeps_attributes ? 0600 : mode);
    replace->fd = replace->temporary.fd;
    return replace_fail (replace, result);
}

/* --- The commit ------------------------------------------------------------------------------- */

static int replace_give_attributes (EddyFileReplace *replace, const EddyFilePlace *from)
{
    EddyFilePlace to = { .fd = replace->fd, .name = replace->written };
    return eddy__file_keep_attributes (from, &to, &replace->old, &replace->failed);
}

/* What may not be opened for reading may still tell its attributes to who asks by its path. */
static int replace_keep_attributes (EddyFileReplace *replace)
{
    if (!replace->keeps_attributes)
        return 0;
    const EddyFileAt at = { .fd = replace->folder_fd, .name = replace->name };
    EddyFilePath path = { .fd = -1 };
    EddyFilePlace from = { .name = replace->written };
    from.fd = eddy__sys_openat (at.fd, at.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
    int result = from.fd < 0 ? from.fd : 0;
    if (result == -EACCES)
        result = eddy__file_path_at (&at, at.name, &path);
    from.path = path.path;
    from.follow = path.follow;
    if (result == 0)
        result = replace_give_attributes (replace, &from);
    else if (result == -ENOENT || result == -ELOOP)
        /* It has gone since: what was known of it is left. */
        result = replace_give_attributes (replace, NULL);
    if (from.fd >= 0)
        eddy__sys_close (from.fd);
    eddy__file_path_end (&path);
    return replace_fail (replace, result);
}

static int replace_back_up (EddyFileReplace *replace)
{
    if (!replace->makes_backup)
        return 0;
    int result =
        eddy__backup_make (replace->file, replace->folder_fd, replace->name, replace->is_durable);
    return result < 0 && result != -ENOMEM
               ? replace_fail_for (replace, EDDY_FILE_REPLACE_PROBLEM_BACKUP, result)
               : replace_fail (replace, result);
}

/* Keeps others from replacing it, and then looks for the last time whether one of them has. */
static int replace_claim (EddyFileReplace *replace)
{
    int result = eddy__temporary_claim (&replace->temporary);
    if (result == 0 && replace->checks_etag)
        result = replace_ask (replace);
    return result == 0 ? replace_check_etag (replace) : result;
}

/* The moment in which the name comes to mean the new file. */
static int replace_publish (EddyFileReplace *replace)
{
    int result = -EEXIST;
    if (!replace->has_old && !replace->temporary.is_named)
        result = eddy__temporary_link (&replace->temporary);
    /* Somebody has made one since. */
    if (result == -EEXIST) {
        result = replace_back_up (replace);
        if (result == 0)
            result = replace_claim (replace);
        if (result == 0)
            result = eddy__temporary_replace (&replace->temporary);
    }
    return replace_fail (replace, result);
}

/* The name on the disk. Without leave to read the folder, syncing the file once more writes what
 * file systems with a journal know of its name. -EINVAL: folders need no sync there. */
static int replace_sync_folder (EddyFileReplace *replace)
{
    if (!replace->is_durable)
        return 0;
    int result = eddy__sys_fsync (replace->syncs_folder ? replace->folder_fd : replace->fd);
    return replace_fail (replace, result == -EINVAL ? 0 : result);
}

static int replace_check_cancelled (EddyFileReplace *replace, EddyCancellable *cancellable)
{
    bool is_cancelled = eddy_cancellable_is_cancelled (cancellable);
    return is_cancelled ? replace_fail (replace, -ECANCELED) : 0;
}

/* All that can be undone. */
static int replace_prepare (EddyFileReplace *replace, EddyCancellable *cancellable)
{
    int result = replace_check_cancelled (replace, cancellable);
    if (result == 0)
        result = replace_keep_attributes (replace);
    if (result == 0 && replace->is_durable)
        result = replace_fail (replace, eddy__sys_fsync (replace->fd));
    if (result == 0)
        result = replace_check_cancelled (replace, cancellable);
    if (result == 0)
        result = replace_fail (replace,
                               eddy__sys_fstatx (replace->fd, STATX_BASIC_STATS, &replace->info));
    if (result == 0)
        result = replace_fail (replace, replace_ask (replace));
    return result == 0 ? replace_check (replace) : result;
}

int eddy__replace_commit (EddyFileReplace *replace, EddyCancellable *cancellable)
{
    int result = replace_prepare (replace, cancellable);
    if (result == 0)
        result = replace_publish (replace);
    return result == 0 ? replace_sync_folder (replace) : result;
}

void eddy__replace_report (const EddyFileReplace *replace, int result, EddyCancellable *cancellable,
                           EddyError **error)
{
    if (result == -ECANCELED && eddy_cancellable_set_error_if_cancelled (cancellable, error))
        return;
    char buffer[128];
    switch (replace->problem) {
    case EDDY_FILE_REPLACE_PROBLEM_NONE:
        eddy_error_set_errno (error, -result, "%s", replace->failed);
        break;
    case EDDY_FILE_REPLACE_PROBLEM_ETAG:
        eddy__error_set_code (error, EDDY_IO_ERROR_WRONG_ETAG, -result,
                              "%s: The file was changed meanwhile", replace->failed);
        break;
    case EDDY_FILE_REPLACE_PROBLEM_KIND:
        eddy__error_set_code (error, EDDY_IO_ERROR_NOT_REGULAR_FILE, -result,
                              "%s: Not a regular file", replace->failed);
        break;
    case EDDY_FILE_REPLACE_PROBLEM_BACKUP:
        eddy__error_set_code (error, EDDY_IO_ERROR_CANT_CREATE_BACKUP, -result,
                              "%s: Cannot make a backup: %s", replace->failed,
                              strerror_r (-result, buffer, sizeof buffer));
        break;
    }
}

void eddy__replace_end (EddyFileReplace *replace)
{
    eddy__temporary_end (&replace->temporary);
    replace->fd = -1;
    if (replace->folder_fd >= 0)
        eddy__sys_close (replace->folder_fd);
    replace->folder_fd = -1;
    replace->failed = NULL;
    replace_set_file (replace, NULL);
}
