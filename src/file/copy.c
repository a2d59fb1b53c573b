/* SPDX-License-Identifier: MIT */
/* Copying one file.
 *
 * A small file that a listing has told of costs ten system calls: open and statx of the source,
 * open of the destination, read, write, the list of extended attributes, statx of the copy, whose
 * owner and mode are mostly right already, times, and two closes. Others are asked what they are
 * first: eleven. */
#include "base/object-private.h"
#include "file/copy-private.h"

#include <eddy/file-bodies.h>
#include <errno.h>

#include "base/alloc-private.h"
#include "base/error-private.h"
#include "sys/file-private.h"

static int copy_open_source (EddyFileCopy *copy)
{
    bool follow = (copy->flags & EDDY_FILE_COPY_NOFOLLOW_SYMLINKS) == 0;
    int result = eddy__file_open_regular (copy->source_file, follow, &copy->info, &copy->source_fd);
    return eddy__copy_fail (copy, copy->source, result);
}

/* Closes the copy, since some file systems only then tell that it could not be stored. A file that
 * has not got its name yet has to stay open until then, so what is closed is a second fd of it. */
static int copy_close_destination (EddyFileCopy *copy)
{
    int fd = copy->destination_fd;
    if (copy->temporary.fd >= 0)
        fd = eddy__sys_dup (fd);
    else
        copy->destination_fd = -1;
    int result = fd < 0 ? fd : eddy__sys_close (fd);
    return result < 0 ? eddy__copy_fail (copy, copy->destination, result) : 0;
}

static int copy_regular (EddyFileCopy *copy)
{
    int result = eddy__copy_open_destination (copy);
    if (result == 0)
        result = eddy__copy_contents (copy);
    if (result == 0)
        result = eddy__copy_check_cancelled (copy);
    if (result < 0)
        return result;
    EddyFilePlace from = { .fd = copy->source_fd, .name = copy->source };
    EddyFilePlace to = { .fd = copy->destination_fd, .name = copy->destination };
    bool all = (copy->flags & EDDY_FILE_COPY_ALL_METADATA) != 0;
    if (!eddy__copy_has_default_mode (copy))
        result = eddy__file_give_attributes (&from, &to, &copy->info, all, &copy->failed);
    return result < 0 ? result : copy_close_destination (copy);
}

static int copy_find_destination (EddyFileCopy *copy)
{
    return eddy__copy_fail (copy, copy->destination,
                            eddy__file_at (copy->destination_file, &copy->to));
}

static int copy_refuse_folder (EddyFileCopy *copy)
{
    struct statx info;
    int result = eddy__file_statx (copy->destination_file, /* follow= */ false, STATX_TYPE, &info);
    copy->would_merge = result == 0 && S_ISDIR (info.stx_mode);
    return eddy__copy_fail (copy, copy->source, -EISDIR);
}

static int copy_by_kind (EddyFileCopy *copy)
{
    switch (copy->info.stx_mode & S_IFMT) {
    case S_IFREG:
        return copy_regular (copy);
    case S_IFLNK:
    case S_IFIFO:
        return eddy__copy_special (copy);
    case S_IFDIR:
        return copy_refuse_folder (copy);
    default:
        return eddy__copy_fail (copy, copy->source, -EOPNOTSUPP);
    }
}

/* Until here everything can be undone; from here on the copy is whole, and no cancel is heard. */
static int copy_finish (EddyFileCopy *copy)
{
    int result = 0;
    if (copy->temporary.fd >= 0 || copy->beside != NULL) {
        result = eddy__copy_check_cancelled (copy);
        if (result == 0)
            result = eddy__copy_publish (copy);
    }
    if (result == 0)
        copy->made = NULL;
    return result;
}

static void copy_end (EddyFileCopy *copy)
{
    eddy__copy_end_destination (copy);
    if (copy->source_fd >= 0)
        eddy__sys_close (copy->source_fd);
}

static void copy_report (const EddyFileCopy *copy, int result, EddyError **error)
{
    if (result == -ECANCELED && eddy_cancellable_set_error_if_cancelled (copy->cancellable, error))
        return;
    if (copy->is_same_file)
        eddy__error_set_code (error, EDDY_IO_ERROR_INVALID_ARGUMENT, EINVAL,
                              "%s and %s are the same file", copy->source, copy->destination);
    else if (copy->would_merge)
        eddy__error_set_code (error, EDDY_IO_ERROR_WOULD_MERGE, EISDIR,
                              "%s: Is a directory, and so is %s", copy->source, copy->destination);
    else if (result == -EISDIR && copy->failed == copy->source)
        eddy__error_set_code (error, EDDY_IO_ERROR_WOULD_RECURSE, EISDIR, "%s: Is a directory",
                              copy->source);
    else
        eddy_error_set_errno (error, -result, "%s", copy->failed);
}

bool eddy_file_copy_body (EddyFile *source, EddyFile *destination, EddyFileCopyFlags flags,
                          EddyCancellable *cancellable, EddyFileProgressCallback progress_callback,
                          void *progress_callback_data, EddyError **error)
{
    EDDY__EXPECT (source != NULL && destination != NULL, false);
    EddyFileCopy copy = { .source_file = source,
                          .source = eddy_file_get_path (source),
                          .destination_file = destination,
                          .destination = eddy_file_get_path (destination),
                          .flags = flags,
                          .cancellable = cancellable,
                          .progress_callback = progress_callback,
                          .progress_callback_data = progress_callback_data,
                          .source_fd = -1,
                          .destination_fd = -1,
                          .temporary = EDDY_FILE_TEMPORARY_NONE };
    int result = eddy__copy_check_cancelled (&copy);
    if (result == 0)
        result = copy_open_source (&copy);
    if (result == 0)
        result = copy_find_destination (&copy);
    if (result == 0)
        result = copy_by_kind (&copy);
    if (result == 0)
        result = copy_finish (&copy);
    copy_end (&copy);
    if (result < 0) {
        copy_report (&copy, result, error);
        return false;
    }
    if (progress_callback != NULL)
        progress_callback (copy.copied, copy.copied, progress_callback_data);
    return true;
}
