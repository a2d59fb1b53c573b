/* SPDX-License-Identifier: MIT */
/* Reading a folder: its records as the kernel gives them, and a statx of each name. */
#include <eddy/file-bodies.h>

#include <dirent.h>
#include <errno.h>

#include "base/object-private.h"
#include "file/at-private.h"
#include "file/folder-private.h"

/* How many files are asked between two looks at the cancellable. */
enum { LIST_CANCEL_EVERY = 32 };

static bool folder_is_dot (const char *name)
{
    return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

int eddy__folder_next (EddyFolder *folder, const EddySysDirent **entry)
{
    do {
        if (folder->at == folder->length) {
            folder->at = folder->length = 0;
            ssize_t length = eddy__sys_getdents64 (folder->fd, folder->records, folder->capacity);
            if (length <= 0)
                return (int) length;
            folder->length = (size_t) length;
        }
        *entry = (const EddySysDirent *) (const void *) (folder->records + folder->at);
        folder->at += (*entry)->length;
    } while (folder_is_dot ((*entry)->name));
    return 1;
}

void eddy__folder_put_back (EddyFolder *folder, const EddySysDirent *entry)
{
    folder->at = (size_t) ((const char *) entry - folder->records);
}

/* What a symbolic link leads to, as the name of a file of the folder, so that it leads no further
 * than that may; the link itself where it leads nowhere. */
static int list_follow (EddyFile *folder, const char *name, struct statx *stat)
{
    EddyFile *child = eddy_file_get_child (folder, name);
    if (child == NULL)
        return -ENOMEM;
    struct statx target;
    int result = eddy__file_statx (child, /* follow= */ true, EDDY_FILE_INFO_STATX, &target);
    eddy_unref (child);
    if (result == 0)
        *stat = target;
    return result == -ENOMEM ? result : 0;
}

/* One file of the folder. One that went meanwhile is left out; one that cannot be asked is listed
 * with what the folder itself tells, so that its own operation will say why. */
static int list_add (EddyFileInfoList *list, int fd, EddyFile *file, bool follow,
                     const EddySysDirent *entry)
{
    struct statx stat;
    int result = eddy__sys_statx (fd, entry->name, eddy__file_stat_flags (/* follow= */ false),
                                  EDDY_FILE_INFO_STATX, &stat);
    if (result == -ENOENT)
        return 0;
    if (result == 0 && follow && S_ISLNK (stat.stx_mode)) {
        int followed = list_follow (file, entry->name, &stat);
        if (followed < 0)
            return followed;
    }
    EddyFileInfo *info = eddy__file_info_list_add (list, entry->name);
    if (info == NULL)
        return -ENOMEM;
    if (result == 0) {
        eddy__file_info_fill (info, &stat);
    } else {
        info->mode = (uint32_t) DTTOIF (entry->type);
        info->inode = entry->inode;
        info->fields = entry->type == DT_UNKNOWN ? EDDY_FILE_INFO_INODE
                                                 : EDDY_FILE_INFO_INODE | EDDY_FILE_INFO_TYPE;
    }
    return 0;
}

int eddy__folder_list (EddyFolder *folder, EddyFile *file, bool follow, size_t most,
                       EddyFileInfoList *list, EddyCancellable *cancellable)
{
    const EddySysDirent *entry = NULL;
    for (size_t n_asked = 0; list->length < most; n_asked++) {
        if (n_asked % LIST_CANCEL_EVERY == 0 && eddy_cancellable_is_cancelled (cancellable))
            return -ECANCELED;
        int result = eddy__folder_next (folder, &entry);
        if (result <= 0)
            return result;
        result = list_add (list, folder->fd, file, follow, entry);
        if (result < 0) {
            eddy__folder_put_back (folder, entry);
            return result;
        }
    }
    return 0;
}

EddyFileInfoList *eddy_file_list_children_body (EddyFile *file, EddyCancellable *cancellable,
                                                EddyError **error)
{
    EDDY__EXPECT (file != NULL, NULL);
    if (eddy_cancellable_set_error_if_cancelled (cancellable, error))
        return NULL;
    EDDY_AUTO (EddyFileInfoList) list = eddy__file_info_list_new ();
    EddyFolder folder = { .records = eddy__file_buffer (), .capacity = EDDY_FILE_BUFFER_SIZE };
    int result = -ENOMEM;
    if (list != NULL && folder.records != NULL)
        result = folder.fd = eddy__file_open (file, O_RDONLY | O_DIRECTORY, 0);
    if (result >= 0) {
        result =
            eddy__folder_list (&folder, file, /* follow= */ false, SIZE_MAX, list, cancellable);
        eddy__sys_close (folder.fd);
    }
    if (result >= 0) {
        eddy__file_info_list_finish (list);
        return EDDY_TAKE (list);
    }
    if (result != -ECANCELED || !eddy_cancellable_set_error_if_cancelled (cancellable, error))
        eddy_error_set_errno (error, -result, "%s", file->path);
    return NULL;
}
