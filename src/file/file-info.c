/* SPDX-License-Identifier: MIT */
/* EddyFileInfo and EddyFileInfoList. */
#include <eddy/file-info.h>

#include <string.h>
#include <sys/sysmacros.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "file/etag-private.h"
#include "file/file-info-private.h"

enum { LIST_FIRST_INFOS = 32, LIST_FIRST_NAMES = 1024 };

/* An info of its own has its name behind it. */
static void info_finalize (void *object)
{
    const EddyFileInfo *info = object;
    eddy__block_free (object, info->block);
}

static const EddyClass info_class = { .name = "EddyFileInfo",
                                      .size = 0,
                                      .finalize = info_finalize };

/* An info in a list is the list's memory. */
static const EddyClass listed_info_class = { .name = "EddyFileInfo", .size = 0 };

EddyFileInfo *eddy__file_info_new (const char *name, size_t length, const char *symlink_target)
{
    size_t target_size = symlink_target == NULL ? 0 : strlen (symlink_target) + 1;
    size_t block = sizeof (EddyFileInfo) + length + 1 + target_size;
    EddyFileInfo *info = block > UINT32_MAX ? NULL : eddy__block_alloc (block);
    if (info == NULL)
        return NULL;
    memset (info, 0, sizeof *info);
    eddy__object_init (info, &info_class);
    info->block = (uint32_t) block;
    char *copy = (char *) (info + 1);
    memcpy (copy, name, length);
    copy[length] = '\0';
    info->name = copy;
    if (target_size > 0) {
        info->symlink_target = memcpy (copy + length + 1, symlink_target, target_size);
        info->fields = EDDY_FILE_INFO_SYMLINK_TARGET;
    }
    return info;
}

EddyFileInfo *eddy_file_info_new (void)
{
    return eddy__file_info_new ("", 0, NULL);
}

EddyFileInfo *eddy_file_info_dup (const EddyFileInfo *info)
{
    EDDY__EXPECT (info != NULL, NULL);
    EddyFileInfo *copy =
        eddy__file_info_new (info->name, strlen (info->name), info->symlink_target);
    if (copy == NULL)
        return NULL;
    const EddyFileInfo own = *copy;
    *copy = *info;
    copy->object = own.object;
    copy->name = own.name;
    copy->symlink_target = own.symlink_target;
    copy->block = own.block;
    copy->to_set = 0;
    return copy;
}

/* --- what is known ---------------------------------------------------------------------------- */

static int64_t info_time_ns (const struct statx_timestamp *time)
{
    return time->tv_sec * INT64_C (1000000000) + time->tv_nsec;
}

/* Which fields statx has told. */
static uint16_t info_fields (unsigned mask)
{
    static const struct {
        unsigned mask;
        uint16_t field;
    } pairs[] = {
        { STATX_TYPE, EDDY_FILE_INFO_TYPE },
        { STATX_MODE, EDDY_FILE_INFO_MODE },
        { STATX_UID, EDDY_FILE_INFO_OWNER },
        { STATX_GID, EDDY_FILE_INFO_GROUP },
        { STATX_SIZE, EDDY_FILE_INFO_SIZE },
        { STATX_BLOCKS, EDDY_FILE_INFO_ALLOCATED_SIZE },
        { STATX_ATIME, EDDY_FILE_INFO_ACCESS_TIME },
        { STATX_MTIME, EDDY_FILE_INFO_MODIFICATION_TIME },
        { STATX_CTIME, EDDY_FILE_INFO_CHANGE_TIME },
        { STATX_BTIME, EDDY_FILE_INFO_BIRTH_TIME },
        { STATX_INO, EDDY_FILE_INFO_INODE },
        { STATX_NLINK, EDDY_FILE_INFO_N_LINKS },
    };
    unsigned fields = EDDY_FILE_INFO_DEVICE;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        fields |= (mask & pairs[i].mask) != 0 ? pairs[i].field : 0u;
    return (uint16_t) fields;
}

void eddy__file_info_fill (EddyFileInfo *info, const struct statx *stat)
{
    info->fields |= info_fields (stat->stx_mask);
    info->size = (int64_t) stat->stx_size;
    info->allocated_size = (int64_t) stat->stx_blocks * 512;
    info->access_time_ns = info_time_ns (&stat->stx_atime);
    info->modification_time_ns = info_time_ns (&stat->stx_mtime);
    info->change_time_ns = info_time_ns (&stat->stx_ctime);
    info->birth_time_ns = (stat->stx_mask & STATX_BTIME) != 0 ? info_time_ns (&stat->stx_btime) : 0;
    info->inode = stat->stx_ino;
    info->device = makedev (stat->stx_dev_major, stat->stx_dev_minor);
    info->mode = stat->stx_mode;
    info->owner = stat->stx_uid;
    info->group = stat->stx_gid;
    info->n_links = stat->stx_nlink;
}

char *eddy_file_info_get_etag (const EddyFileInfo *info)
{
    const unsigned needed =
        EDDY_FILE_INFO_INODE | EDDY_FILE_INFO_SIZE | EDDY_FILE_INFO_MODIFICATION_TIME;
    EDDY__EXPECT (info != NULL, NULL);
    if ((info->fields & needed) != needed)
        return NULL;
    char etag[EDDY_FILE_ETAG_SIZE];
    eddy__file_etag (info->inode, info->size, info->modification_time_ns, etag);
    return eddy__strdup (etag);
}

EddyFileInfoFields eddy_file_info_get_fields (const EddyFileInfo *info)
{
    EDDY__EXPECT (info != NULL, 0);
    return (EddyFileInfoFields) info->fields;
}

const char *eddy_file_info_get_name (const EddyFileInfo *info)
{
    EDDY__EXPECT (info != NULL, NULL);
    return info->name;
}

const char *eddy_file_info_get_symlink_target (const EddyFileInfo *info)
{
    EDDY__EXPECT (info != NULL, NULL);
    return info->symlink_target;
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

int64_t eddy_file_info_get_access_time_ns (const EddyFileInfo *info)
{
    EDDY__EXPECT (info != NULL, 0);
    return info->access_time_ns;
}

int64_t eddy_file_info_get_change_time_ns (const EddyFileInfo *info)
{
    EDDY__EXPECT (info != NULL, 0);
    return info->change_time_ns;
}

int64_t eddy_file_info_get_birth_time_ns (const EddyFileInfo *info)
{
    EDDY__EXPECT (info != NULL, 0);
    return info->birth_time_ns;
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

/* --- what is to be set ------------------------------------------------------------------------ */

/* Whether it can be changed; then `field` is known and to be set. */
static bool info_change (EddyFileInfo *info, EddyFileInfoFields field)
{
    EDDY__EXPECT (info != NULL && info->object.object_class == &info_class, false);
    info->fields |= (uint16_t) field;
    info->to_set |= (uint16_t) field;
    return true;
}

void eddy_file_info_set_mode (EddyFileInfo *info, uint32_t mode)
{
    EDDY__EXPECT (mode <= 07777);
    if (info_change (info, EDDY_FILE_INFO_MODE))
        info->mode = (info->mode & S_IFMT) | mode;
}

void eddy_file_info_set_owner (EddyFileInfo *info, uint32_t owner)
{
    if (info_change (info, EDDY_FILE_INFO_OWNER))
        info->owner = owner;
}

void eddy_file_info_set_group (EddyFileInfo *info, uint32_t group)
{
    if (info_change (info, EDDY_FILE_INFO_GROUP))
        info->group = group;
}

void eddy_file_info_set_access_time_ns (EddyFileInfo *info, int64_t time_ns)
{
    if (info_change (info, EDDY_FILE_INFO_ACCESS_TIME))
        info->access_time_ns = time_ns;
}

void eddy_file_info_set_modification_time_ns (EddyFileInfo *info, int64_t time_ns)
{
    if (info_change (info, EDDY_FILE_INFO_MODIFICATION_TIME))
        info->modification_time_ns = time_ns;
}

EddyFileInfoFields eddy_file_info_get_fields_to_set (const EddyFileInfo *info)
{
    EDDY__EXPECT (info != NULL, 0);
    return (EddyFileInfoFields) info->to_set;
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
