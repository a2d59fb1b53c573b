/* SPDX-License-Identifier: MIT */
/* What infos and lists of them are made of. */
#pragma once

#include <eddy/file-info.h>
#include <sys/stat.h>

struct EddyFileInfo {
    EddyObject object;
    union {
        const char *name;
        size_t name_offset; /* in a list that still grows, and moves */
    };
    int64_t size;
    int64_t allocated_size;
    int64_t modification_time_ns;
    uint64_t inode;
    uint64_t device;
    uint32_t mode; /* with the kind */
    uint32_t owner;
    uint32_t group;
    uint32_t n_links;
};

/* All infos in one array, all names in one arena: two allocations that double. */
struct EddyFileInfoList {
    EddyObject object;
    EddyFileInfo *infos;
    char *names;
    size_t length;
    size_t capacity;
    size_t names_length;
    size_t names_capacity;
};

/* NULL when memory is out. */
EddyFileInfoList *eddy__file_info_list_new (void);
/* A further info, zeroed but for its name; NULL when memory is out. */
EddyFileInfo *eddy__file_info_list_add (EddyFileInfoList *list, const char *name);
/* Nothing is added any more: the infos get their names. */
void eddy__file_info_list_finish (EddyFileInfoList *list);

/* Everything but the name. */
void eddy__file_info_fill (EddyFileInfo *info, const struct statx *stat);
