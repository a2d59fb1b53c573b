/* SPDX-License-Identifier: MIT */
/* EddyFileInfo and EddyFileInfoList, and asking for one info. */
#include <eddy/file-info.h>

#include <eddy/file-bodies.h>
#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "file/file-info-private.h"
#include "file/file-private.h"
#include "sys/file-private.h"

enum { LIST_FIRST_INFOS = 32, LIST_FIRST_NAMES = 1024 };

/* An info of its own has its name behind it. */
static void info_finalize (void *object)
{
    eddy__free (object);
}

static const EddyClass info_class = { .name = "EddyFileInfo",
                                      .size = 0,
                                      .finalize = info_finalize };

/* An info in a list is the list's memory. */
static const EddyClass listed_info_class = { .name = "EddyFileInfo", .size = 0 };

static EddyFileInfo *info_new (const char *name, size_t length)
{
    EddyFileInfo *info = eddy__alloc (sizeof *info + length + 1);
    if (info == NULL)
        return NULL;
    memset (info, 0, sizeof *info);
    eddy__object_init (info, &info_class);
    char *copy = (char *) (info + 1);
    memcpy (copy, name, length);
    copy[length] = '\0';
    info->name = copy;
    return info;
}

void eddy__file_info_fill (EddyFileInfo *info, const struct statx *stat)
{
    info->size = (int64_t) stat->stx_size;
    info->allocated_size = (int64_t) stat->stx_blocks * 512;
    info->modification_time_ns =
        stat->stx_mtime.tv_sec * INT64_C (1000000000) + stat->stx_mtime.tv_nsec;
    info->inode = stat->stx_ino;
    info->device = makedev (stat->stx_dev_major, stat->stx_dev_minor);
    info->mode = stat->stx_mode;
    info->owner = stat->stx_uid;
    info->group = stat->stx_gid;
    info->n_links = stat->stx_nlink;
}

EddyFileInfo *eddy_file_query_info_body (EddyFile *file, EddyFileQueryInfoFlags flags,
                                         EddyCancellable *cancellable, EddyError **error)
{
    if (eddy_cancellable_set_error_if_cancelled (cancellable, error))
        return NULL;
    const char *path = eddy_file_get_path (file);
    bool follow = (flags & EDDY_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS) == 0;
    struct statx stat;
    EddyFileInfo *info = NULL;
    int result =
        eddy__sys_statx (AT_FDCWD, path, eddy__file_stat_flags (follow), STATX_BASIC_STATS, &stat);
    if (result >= 0) {
        size_t length;
        const char *name = eddy__file_last_part (path, &length);
        info = info_new (name, length);
        result = info == NULL ? -ENOMEM : 0;
    }
    if (result < 0)
        eddy_error_set_errno (error, -result, "%s", path);
    else
        eddy__file_info_fill (info, &stat);
    return info;
}

const char *eddy_file_info_get_name (const EddyFileInfo *info)
{
    EDDY__EXPECT (info != NULL, NULL);
    return info->name;
}

EddyFileType eddy_file_info_get_file_type (const EddyFileInfo *info)
{
    EDDY__EXPECT (info != NULL, EDDY_FILE_TYPE_UNKNOWN);
    switch (info->mode & S_IFMT) {
    case S_IFREG:
        return EDDY_FILE_TYPE_REGULAR;
    case S_IFDIR:
        return EDDY_FILE_TYPE_DIRECTORY;
    case S_IFLNK:
        return EDDY_FILE_TYPE_SYMBOLIC_LINK;
    case S_IFIFO:
        return EDDY_FILE_TYPE_FIFO;
    case S_IFSOCK:
        return EDDY_FILE_TYPE_SOCKET;
    case S_IFCHR:
        return EDDY_FILE_TYPE_CHARACTER_DEVICE;
    case S_IFBLK:
        return EDDY_FILE_TYPE_BLOCK_DEVICE;
    default:
        return EDDY_FILE_TYPE_UNKNOWN;
    }
}

int64_t eddy_file_info_get_size (const EddyFileInfo *info)
{
    EDDY__EXPECT (info != NULL, 0);
    return info->size;
}

int64_t eddy_file_info_get_allocated_size (const EddyFileInfo *info)
{
    EDDY__EXPECT (info != NULL, 0);
    return info->allocated_size;
}

uint32_t eddy_file_info_get_mode (const EddyFileInfo *info)
{
    EDDY__EXPECT (info != NULL, 0);
    return info->mode & 07777;
}

uint32_t eddy_file_info_get_owner (const EddyFileInfo *info)
{
    EDDY__EXPECT (info != NULL, 0);
    return info->owner;
}

uint32_t eddy_file_info_get_group (const EddyFileInfo *info)
{
    EDDY__EXPECT (info != NULL, 0);
    return info->group;
}

int64_t eddy_file_info_get_modification_time_ns (const EddyFileInfo *info)
{
    EDDY__EXPECT (info != NULL, 0);
    return info->modification_time_ns;
}

uint32_t eddy_file_info_get_n_links (const EddyFileInfo *info)
{
    EDDY__EXPECT (info != NULL, 0);
    return info->n_links;
}

uint64_t eddy_file_info_get_inode (const EddyFileInfo *info)
{
    EDDY__EXPECT (info != NULL, 0);
    return info->inode;
}

uint64_t eddy_file_info_get_device (const EddyFileInfo *info)
{
    EDDY__EXPECT (info != NULL, 0);
    return info->device;
}

/* --- lists ------------------------------------------------------------------------------------ */

static void list_finalize (void *object)
{
    EddyFileInfoList *list = object;
    eddy__free (list->infos);
    eddy__free (list->names);
}

static const EddyClass list_class = { .name = "EddyFileInfoList",
                                      .size = sizeof (EddyFileInfoList),
                                      .finalize = list_finalize };

EddyFileInfoList *eddy__file_info_list_new (void)
{
    return eddy_object_new (&list_class);
}

/* Makes room for `needed` elements of `size` bytes each: the capacity doubles. */
static bool list_grow (void **memory, size_t *capacity, size_t needed, size_t first, size_t size)
{
    if (needed <= *capacity)
        return true;
    size_t wanted = *capacity == 0 ? first : *capacity * 2;
    while (wanted < needed)
        wanted *= 2;
    void *grown = eddy__realloc (*memory, wanted * size);
    if (grown == NULL)
        return false;
    *memory = grown;
    *capacity = wanted;
    return true;
}

EddyFileInfo *eddy__file_info_list_add (EddyFileInfoList *list, const char *name)
{
    size_t size = strlen (name) + 1;
    void *infos = list->infos, *names = list->names;
    bool grown =
        list_grow (&infos, &list->capacity, list->length + 1, LIST_FIRST_INFOS,
                   sizeof (EddyFileInfo)) &&
        list_grow (&names, &list->names_capacity, list->names_length + size, LIST_FIRST_NAMES, 1);
    list->infos = infos;
    list->names = names;
    if (!grown)
        return NULL;
    EddyFileInfo *info = &list->infos[list->length++];
    memset (info, 0, sizeof *info);
    eddy__object_init (info, &listed_info_class);
    memcpy (list->names + list->names_length, name, size);
    info->name_offset = list->names_length;
    list->names_length += size;
    return info;
}

void eddy__file_info_list_finish (EddyFileInfoList *list)
{
    for (size_t i = 0; i < list->length; i++)
        list->infos[i].name = list->names + list->infos[i].name_offset;
}

size_t eddy_file_info_list_get_length (const EddyFileInfoList *list)
{
    EDDY__EXPECT (list != NULL, 0);
    return list->length;
}

const EddyFileInfo *eddy_file_info_list_get (const EddyFileInfoList *list, size_t index)
{
    EDDY__EXPECT (list != NULL, NULL);
    return index < list->length ? &list->infos[index] : NULL;
}
