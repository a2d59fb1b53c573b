/* SPDX-License-Identifier: MIT */
/* Listing a folder: its records as the kernel gives them, and a statx of each name. */
#include <eddy/file-bodies.h>

#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "file/file-info-private.h"
#include "file/file-private.h"
#include "sys/file-private.h"

/* How many files are asked between two looks at the cancellable. */
enum { LIST_CANCEL_EVERY = 32 };

static bool list_is_dot (const char *name)
{
    return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

/* One file of the folder. One that went meanwhile is left out; one that cannot be asked is listed
 * with what the folder itself tells, so that its own operation will say why. */
static int list_add (EddyFileInfoList *list, int fd, const EddySysDirent *entry)
{
    struct statx stat;
    int result = eddy__sys_statx (fd, entry->name, eddy__file_stat_flags (/* follow= */ false),
                                  STATX_BASIC_STATS, &stat);
    if (result == -ENOENT)
        return 0;
    EddyFileInfo *info = eddy__file_info_list_add (list, entry->name);
    if (info == NULL)
        return -ENOMEM;
    if (result == 0) {
        eddy__file_info_fill (info, &stat);
    } else {
        info->mode = (uint32_t) DTTOIF (entry->type);
        info->inode = entry->inode;
    }
    return 0;
}

/* Whatever is in one answer of getdents64. */
static int list_add_records (EddyFileInfoList *list, int fd, const char *records, size_t length,
                             EddyCancellable *cancellable)
{
    int n_asked = 0;
    for (size_t at = 0; at < length;) {
        const EddySysDirent *entry = (const EddySysDirent *) (const void *) (records + at);
        at += entry->length;
        if (list_is_dot (entry->name))
            continue;
        if (n_asked++ % LIST_CANCEL_EVERY == 0 && eddy_cancellable_is_cancelled (cancellable))
            return -ECANCELED;
        int result = list_add (list, fd, entry);
        if (result < 0)
            return result;
    }
    return 0;
}

static int list_read (EddyFileInfoList *list, int fd, EddyCancellable *cancellable)
{
    char *buffer = eddy__file_buffer ();
    if (buffer == NULL)
        return -ENOMEM;
    for (;;) {
        ssize_t length = eddy__sys_getdents64 (fd, buffer, EDDY_FILE_BUFFER_SIZE);
        if (length <= 0)
            return (int) length;
        int result = list_add_records (list, fd, buffer, (size_t) length, cancellable);
        if (result < 0)
            return result;
    }
}

EddyFileInfoList *eddy_file_list_children_body (EddyFile *file, EddyCancellable *cancellable,
                                                EddyError **error)
{
    if (eddy_cancellable_set_error_if_cancelled (cancellable, error))
        return NULL;
    const char *path = eddy_file_get_path (file);
    EDDY_AUTO (EddyFileInfoList) list = eddy__file_info_list_new ();
    int result = -ENOMEM;
    int fd = -1;
    if (list != NULL)
        result = fd = eddy__sys_openat (AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
    if (fd >= 0) {
        result = list_read (list, fd, cancellable);
        eddy__sys_close (fd);
    }
    if (result >= 0) {
        eddy__file_info_list_finish (list);
        return EDDY_TAKE (list);
    }
    if (result != -ECANCELED || !eddy_cancellable_set_error_if_cancelled (cancellable, error))
        eddy_error_set_errno (error, -result, "%s", path);
    return NULL;
}
