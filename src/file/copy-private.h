/* SPDX-License-Identifier: MIT */
/* One copy of one file, as its parts hand it on: copy.c leads, contents.c moves the bytes,
 * replace.c makes room beside an existing file, special.c copies links and fifos.
 *
 * The parts return 0 or -errno, and leave in `failed` the path that it was about. */
#pragma once

#include <eddy/file.h>
#include <errno.h>

#include "file/file-private.h"

typedef struct EddyFileCopy {
    const EddyFile *source_file;
    const char *source; /* its path */
    const char *destination;
    EddyFileCopyFlags flags;
    EddyCancellable *cancellable;
    EddyFileProgressCallback progress_callback; /* NULL: nobody asked */
    void *progress_callback_data;
    struct statx info; /* of the source */
    int source_fd;
    int destination_fd;
    char *temporary;   /* the name beside the destination, when it replaces a file */
    const char *made;  /* what has been made and is not whole: removed unless it becomes so */
    bool is_same_file; /* why it failed, where that is so */
    const char *failed;
    int64_t copied;
} EddyFileCopy;

static inline int eddy__copy_fail (EddyFileCopy *copy, const char *path, int result)
{
    copy->failed = path;
    return result;
}

static inline int eddy__copy_check_cancelled (const EddyFileCopy *copy)
{
    return eddy_cancellable_is_cancelled (copy->cancellable) ? -ECANCELED : 0;
}

/* contents.c: moves the bytes of a regular file, from the start of both. */
int eddy__copy_contents (EddyFileCopy *copy);
/* Tells the progress of a file that is large enough for it; the copying thread only. */
void eddy__copy_tell (const EddyFileCopy *copy, int64_t copied);

/* contents-large.c: moves the bytes that the source was told to have, leaving both files where they
 * are. 1: it ended earlier, at `copied`. */
int eddy__copy_contents_large (EddyFileCopy *copy);

/* special.c: makes a symbolic link or a fifo. */
int eddy__copy_special (EddyFileCopy *copy);

/* replace.c */
/* The destination exists: 0 when it may be replaced. */
int eddy__copy_may_replace (EddyFileCopy *copy);
/* Names the temporary file; -ENOMEM. */
int eddy__copy_name_temporary (EddyFileCopy *copy);
/* Makes the temporary file, locked, as destination_fd. */
int eddy__copy_open_temporary (EddyFileCopy *copy);
/* Removes a temporary name that nobody works on; -EBUSY when somebody does. */
int eddy__copy_clear_temporary (const char *path);
/* Renames the temporary file. */
int eddy__copy_replace (EddyFileCopy *copy);
