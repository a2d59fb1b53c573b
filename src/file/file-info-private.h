/* SPDX-License-Identifier: MIT */
/* What infos and lists of them are made of. */
#pragma once

#include <eddy/file.h>
#include <sys/stat.h>

struct EddyFileInfo {
    EddyObject object;
    union {
        const char *name;
        size_t name_offset; /* in a list that still grows, and moves */
    };
    const char *symlink_target; /* in one of its own, behind the name; or NULL */
    int64_t size;
    int64_t allocated_size;
    int64_t access_time_ns;
    int64_t modification_time_ns;
    int64_t change_time_ns;
    int64_t birth_time_ns;
    uint64_t inode;
    uint64_t device;
    uint32_t mode; /* with the kind */
    uint32_t owner;
    uint32_t group;
    uint32_t n_links;
    uint16_t fields; /* of EddyFileInfoFields: which are known … */
    uint16_t to_set; /* … and which of them are to be set */
    uint32_t block;  /* bytes of one of its own, with its name and its target */
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

/* What is asked of a file: its basic attributes and its birth. */
enum { EDDY_FILE_INFO_STATX = STATX_BASIC_STATS | STATX_BTIME };

/* An info of its own; the name need not end with a zero byte, the target may be NULL. NULL when
 * memory is out. */
EddyFileInfo *eddy__file_info_new (const char *name, size_t length, const char *symlink_target);

/* Asks what an open file is, which has its name from `file`; 0 or -errno. */
int eddy__file_info_ask (int fd, const EddyFile *file, EddyFileInfo **info);

/* Everything but the name and the target. */
void eddy__file_info_fill (EddyFileInfo *info, const struct statx *stat);
