/* SPDX-License-Identifier: MIT */
/* Moving a file: by its name, or to another file system by a copy and a removal. */
#include <eddy/file-bodies.h>

#include <errno.h>
#include <linux/fs.h>
#include <stdio.h>

#include "base/error-private.h"
#include "base/object-private.h"
#include "file/at-private.h"
#include "sys/file-private.h"

typedef struct FileMove {
    EddyFile *source;
    EddyFile *destination;
    EddyFileCopyFlags flags;
    struct statx info;    /* of the source */
    EddyFile *failed;     /* what the error was about; NULL: one of both */
    EddyIOErrorCode code; /* the error's, where the number does not say it; else 0 */
    const char *why;
} FileMove;

static int move_fail (FileMove *move, EddyFile *failed, int result)
{
    move->failed = failed;
    return result;
}

static int move_refuse (FileMove *move, EddyFile *failed, int result, EddyIOErrorCode code,
                        const char *why)
{
    move->code = code;
    move->why = why;
    return move_fail (move, failed, result);
}

static int move_ask (EddyFile *file, struct statx *info)
{
    return eddy__file_statx (file, /* follow= */ false, STATX_BASIC_STATS, info);
}

static bool move_is_same (const struct statx *one, const struct statx *other)
{
    return one->stx_ino == other->stx_ino && one->stx_dev_major == other->stx_dev_major &&
           one->stx_dev_minor == other->stx_dev_minor;
}

/* Whether what has the new name may go. Of two names of one file Linux would leave both, and call
 * it done; and it would replace an empty folder by another. */
static int move_may_replace (FileMove *move)
{
    struct statx there;
    int result = move_ask (move->destination, &there);
    if (result < 0)
        return result == -ENOENT ? 0 : move_fail (move, move->destination, result);
    if (move_is_same (&there, &move->info))
        return move_refuse (move, move->source, -EINVAL, EDDY_IO_ERROR_INVALID_ARGUMENT,
                            "Is the same file as what it would replace");
    if (!S_ISDIR (there.stx_mode))
        return 0;
    if (S_ISDIR (move->info.stx_mode))
        return move_refuse (move, move->destination, -EEXIST, EDDY_IO_ERROR_WOULD_MERGE,
                            "Is a directory that another one would be merged with");
    return move_fail (move, move->destination, -EISDIR);
}

/* A file system may know no rename that spares what is there: FUSE, some network ones. Then who
 * makes that name in just this moment loses it. -EINVAL also says that a folder would come into
 * itself, which the plain rename says again. */
static int move_rename_sparing (FileMove *move, const EddyFileAt *from, const EddyFileAt *to)
{
    int result = eddy__sys_renameat2 (from->fd, from->name, to->fd, to->name, RENAME_NOREPLACE);
    if (result != -EINVAL)
        return result;
    struct statx there;
    int asked = move_ask (move->destination, &there);
    if (asked != -ENOENT)
        return asked < 0 ? asked : -EEXIST;
    return eddy__sys_renameat2 (from->fd, from->name, to->fd, to->name, 0);
}

static int move_rename (FileMove *move)
{
    EddyFileAt from, to = { .fd = -1 };
    int result = move_fail (move, move->source, eddy__file_at (move->source, &from));
    if (result == 0)
        result = move_fail (move, move->destination, eddy__file_at (move->destination, &to));
    if (result == 0) {
        bool spares = (move->flags & EDDY_FILE_COPY_OVERWRITE) == 0;
        result = spares ? move_rename_sparing (move, &from, &to)
                        : eddy__sys_renameat2 (from.fd, from.name, to.fd, to.name, 0);
        /* Which of both folders may not be written, nobody tells. */
        if (result == -EACCES || result == -EPERM || result == -EXDEV)
            move->failed = NULL;
    }
    eddy__file_at_end (&from);
    eddy__file_at_end (&to);
    return result;
}

/* 0, -errno, or -EXDEV where the file has to be copied. */
static int move_try (FileMove *move)
{
    int result = move_fail (move, move->source, move_ask (move->source, &move->info));
    if (result == 0 && (move->flags & EDDY_FILE_COPY_OVERWRITE) != 0)
        result = move_may_replace (move);
    if (result == 0)
        result = move_rename (move);
    if (result != -EXDEV)
        return result;
    if ((move->flags & EDDY_FILE_COPY_NO_FALLBACK_FOR_MOVE) != 0)
        return move_refuse (move, NULL, -EOPNOTSUPP, EDDY_IO_ERROR_NOT_SUPPORTED,
                            "They are on different file systems");
    if (S_ISDIR (move->info.stx_mode))
        return move_refuse (move, move->source, -EISDIR, EDDY_IO_ERROR_WOULD_RECURSE,
                            "Is a directory on another file system");
    return -EXDEV;
}

/* A copy to another file system has been made. What came to the source meanwhile, or has taken its
 * name, is not in it. */
static int move_check_unchanged (FileMove *move)
{
    struct statx now;
    const struct statx *then = &move->info;
    int result = move_fail (move, move->source, move_ask (move->source, &now));
    if (result < 0 || (move_is_same (&now, then) && now.stx_size == then->stx_size &&
                       now.stx_mtime.tv_sec == then->stx_mtime.tv_sec &&
                       now.stx_mtime.tv_nsec == then->stx_mtime.tv_nsec))
        return result;
    return move_refuse (move, move->source, -EBUSY, EDDY_IO_ERROR_BUSY,
                        "Was changed while it was copied, and stays");
}

static void move_report (const FileMove *move, int result, EddyError **error)
{
    const char *from = eddy_file_get_path (move->source);
    const char *to = eddy_file_get_path (move->destination);
    if (move->code != 0 && move->failed == NULL)
        eddy__error_set_code (error, move->code, -result, "%s to %s: %s", from, to, move->why);
    else if (move->code != 0)
        eddy__error_set_code (error, move->code, -result, "%s: %s",
                              eddy_file_get_path (move->failed), move->why);
    else if (move->failed == NULL)
        eddy_error_set_errno (error, -result, "%s to %s", from, to);
    else
        eddy_error_set_errno (error, -result, "%s", eddy_file_get_path (move->failed));
}

bool eddy_file_move_body (EddyFile *source, EddyFile *destination, EddyFileCopyFlags flags,
                          EddyCancellable *cancellable, EddyFileProgressCallback progress_callback,
                          void *progress_callback_data, EddyError **error)
{
    EDDY__EXPECT (source != NULL && destination != NULL, false);
    if (eddy_cancellable_set_error_if_cancelled (cancellable, error))
        return false;
    FileMove move = { .source = source, .destination = destination, .flags = flags };
    int result = move_try (&move);
    if (result == -EXDEV) {
        /* Once the copy has its name, the rest is not cancelled: it would be there twice. */
        EddyFileCopyFlags copy_flags = (flags & EDDY_FILE_COPY_OVERWRITE) |
                                       EDDY_FILE_COPY_NOFOLLOW_SYMLINKS |
                                       EDDY_FILE_COPY_ALL_METADATA;
        if (!eddy_file_copy_body (source, destination, copy_flags, cancellable, progress_callback,
                                  progress_callback_data, error))
            return false;
        result = move_check_unchanged (&move);
        if (result == 0)
            return eddy_file_delete_body (source, NULL, error);
    }
    if (result < 0)
        move_report (&move, result, error);
    else if (progress_callback != NULL)
        progress_callback ((int64_t) move.info.stx_size, (int64_t) move.info.stx_size,
                           progress_callback_data);
    return result == 0;
}
