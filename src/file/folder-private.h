/* SPDX-License-Identifier: MIT */
/* A folder that is being read, entry by entry, and what is asked of each. */
#pragma once

#include "file/file-info-private.h"
#include "file/file-private.h"
#include "sys/file-private.h"

typedef struct EddyFolder {
    int fd;
    char *records; /* the reader's buffer, aligned as uint64_t */
    size_t capacity;
    size_t length; /* of what is in it … */
    size_t at;     /* … and has been told */
} EddyFolder;

/* The next entry, without "." and ".."; it lies in the buffer. 1, 0 at the end, or -errno. */
int eddy__folder_next (EddyFolder *folder, const EddySysDirent **entry);
/* The entry that was told last is told again. */
void eddy__folder_put_back (EddyFolder *folder, const EddySysDirent *entry);

/* Reads entries into a list until it has `most`, the folder ends or something fails; every now and
 * then looks at the cancellable. What was read before that is in the list, and no entry is lost.
 * `file` is the folder's; 0 or -errno. */
int eddy__folder_list (EddyFolder *folder, EddyFile *file, bool follow, size_t most,
                       EddyFileInfoList *list, EddyCancellable *cancellable);
