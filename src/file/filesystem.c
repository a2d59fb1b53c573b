/* SPDX-License-Identifier: MIT */
/* EddyFilesystemInfo, and asking for it: by an fd, since a name may not lead anywhere. */
#include <eddy/filesystem-info-bodies.h>

#include <errno.h>
#include <linux/magic.h>
#include <sys/statvfs.h>

#include "base/object-private.h"
#include "file/at-private.h"
#include "file/file-private.h"
#include "sys/file-private.h"

struct EddyFilesystemInfo {
    EddyObject object;
    uint64_t size;
    uint64_t free;
    uint64_t used;
    uint64_t n_files;
    uint64_t n_free_files;
    uint32_t type;
    bool is_read_only;
};

static const EddyClass filesystem_info_class = { .name = "EddyFilesystemInfo",
                                                 .size = sizeof (EddyFilesystemInfo) };

/* linux/magic.h has most of these; the others stand in their file systems' own sources. */
static const struct {
    uint32_t number;
    const char *name;
} filesystem_types[] = {
    { 0xef53, "ext4" },        { 0x01021994, "tmpfs" },     { 0x58465342, "xfs" },
    { 0x9123683e, "btrfs" },   { 0x794c7630, "overlay" },   { 0x6969, "nfs" },
    { 0xff534d42, "cifs" },    { 0xfe534d42, "smb2" },      { 0x65735546, "fuse" },
    { 0x4d44, "vfat" },        { 0x2011bab0, "exfat" },     { 0x7366746e, "ntfs3" },
    { 0xf2f52010, "f2fs" },    { 0x2fc12fc1, "zfs" },       { 0xca451a4e, "bcachefs" },
    { 0x9660, "iso9660" },     { 0x15013346, "udf" },       { 0x73717368, "squashfs" },
    { 0xe0f5e1e2, "erofs" },   { 0x9fa0, "proc" },          { 0x62656572, "sysfs" },
    { 0x1cd1, "devpts" },      { 0x27e0eb, "cgroup" },      { 0x63677270, "cgroup2" },
    { 0x858458f6, "ramfs" },   { 0x01021997, "9p" },        { 0x00c36400, "ceph" },
    { 0x64626720, "debugfs" }, { 0x74726163, "tracefs" },   { 0x50495045, "pipefs" },
    { 0x534f434b, "sockfs" },  { 0x958458f6, "hugetlbfs" }, { 0xcafe4a11, "bpf" },
};

static void filesystem_fill (EddyFilesystemInfo *info, const struct statfs *stat)
{
    uint64_t block = (uint64_t) (stat->f_frsize > 0 ? stat->f_frsize : stat->f_bsize);
    info->size = (uint64_t) stat->f_blocks * block;
    info->free = (uint64_t) stat->f_bavail * block;
    info->used = (uint64_t) (stat->f_blocks - stat->f_bfree) * block;
    info->n_files = (uint64_t) stat->f_files;
    info->n_free_files = (uint64_t) stat->f_ffree;
    info->type = (uint32_t) stat->f_type;
    info->is_read_only = ((unsigned long) stat->f_flags & ST_RDONLY) != 0;
}

EddyFilesystemInfo *eddy_file_query_filesystem_info_body (EddyFile *file,
                                                          EddyCancellable *cancellable,
                                                          EddyError **error)
{
    EDDY__EXPECT (file != NULL, NULL);
    if (eddy_cancellable_set_error_if_cancelled (cancellable, error))
        return NULL;
    struct statfs stat;
    EddyFilesystemInfo *info = NULL;
    int fd = eddy__file_open (file, O_PATH, 0);
    int result = fd < 0 ? fd : eddy__sys_fstatfs (fd, &stat);
    if (fd >= 0)
        eddy__sys_close (fd);
    if (result == 0) {
        info = eddy_object_new (&filesystem_info_class);
        result = info == NULL ? -ENOMEM : 0;
    }
    if (result < 0)
        eddy_error_set_errno (error, -result, "%s", file->path);
    else
        filesystem_fill (info, &stat);
    return info;
}

uint64_t eddy_filesystem_info_get_size (const EddyFilesystemInfo *info)
{
    EDDY__EXPECT (info != NULL, 0);
    return info->size;
}

uint64_t eddy_filesystem_info_get_free (const EddyFilesystemInfo *info)
{
    EDDY__EXPECT (info != NULL, 0);
    return info->free;
}

uint64_t eddy_filesystem_info_get_used (const EddyFilesystemInfo *info)
{
    EDDY__EXPECT (info != NULL, 0);
    return info->used;
}

uint64_t eddy_filesystem_info_get_n_files (const EddyFilesystemInfo *info)
{
    EDDY__EXPECT (info != NULL, 0);
    return info->n_files;
}

uint64_t eddy_filesystem_info_get_n_free_files (const EddyFilesystemInfo *info)
{
    EDDY__EXPECT (info != NULL, 0);
    return info->n_free_files;
}

const char *eddy_filesystem_info_get_type (const EddyFilesystemInfo *info)
{
    EDDY__EXPECT (info != NULL, "unknown");
    for (size_t i = 0; i < sizeof filesystem_types / sizeof filesystem_types[0]; i++)
        if (filesystem_types[i].number == info->type)
            return filesystem_types[i].name;
    return "unknown";
}

uint32_t eddy_filesystem_info_get_type_number (const EddyFilesystemInfo *info)
{
    EDDY__EXPECT (info != NULL, 0);
    return info->type;
}

bool eddy_filesystem_info_is_read_only (const EddyFilesystemInfo *info)
{
    EDDY__EXPECT (info != NULL, false);
    return info->is_read_only;
}

bool eddy__file_is_in_memory (int fd)
{
    struct statfs info;
    return eddy__sys_fstatfs (fd, &info) == 0 &&
           (info.f_type == TMPFS_MAGIC || info.f_type == RAMFS_MAGIC);
}
