/* SPDX-License-Identifier: MIT */
/* Which file it is: the number of its file system, and its own there. */
#pragma once

#include <eddy/file-info.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

typedef struct EddyTreeIdentity {
    uint64_t device;
    uint64_t inode;
} EddyTreeIdentity;

static inline bool eddy__tree_is_same (EddyTreeIdentity one, EddyTreeIdentity other)
{
    return one.inode == other.inode && one.device == other.device;
}

static inline EddyTreeIdentity eddy__tree_identity (const struct statx *info)
{
    return (EddyTreeIdentity){ makedev (info->stx_dev_major, info->stx_dev_minor), info->stx_ino };
}

static inline EddyTreeIdentity eddy__tree_identity_of (const EddyFileInfo *info)
{
    return (EddyTreeIdentity){ eddy_file_info_get_device (info), eddy_file_info_get_inode (info) };
}
