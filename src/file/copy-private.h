/* SPDX-License-Identifier: MIT */
/* One copy of one file, as its parts hand it on: copy.c leads, copy-destination.c makes what is
 * written to, contents.c moves the bytes, special.c copies links and fifos.
 *
 * The parts return 0 or -errno, and leave in `failed` the path that it was about. */
#pragma once

#include <eddy/file.h>
#include <errno.h>

#include "file/at-private.h"
#include "file/temporary-private.h"

typedef struct EddyFileCopy {
    const EddyFile *source_file;
    const char *source; /* its path */
    const EddyFile *destination_file;
    const char *destination;
    EddyFileAt to; /* of the destination */
    EddyFileCopyFlags flags;
    EddyCancellable *cancellable;
    EddyFileProgressCallback progress_callback; /* NULL: nobody asked */
    void *progress_callback_data;
    struct statx info; /* of the source */
    int source_fd;
    int destination_fd;
    EddyFileTemporary temporary; /* a regular file that gets its name when it is whole */
    char *beside;                /* a link or a fifo: the name beside, when it replaces a file */
    const char *made;            /* a name, relative to `to.fd`: removed unless it becomes whole */
    bool replaces;               /* the destination exists, and may be replaced */
    bool is_same_file;           /* why it failed, where that is so */
    bool would_merge;            /* likewise: both are folders */
    const char *failed;
    int64_t copied;
} EddyFileCopy;

static inline int eddy__copy_fail (EddyFileCopy *copy, const char *path, int result)
{
    copy->failed = path;
    return result;
}

/* Whether the permissions are to be those of any new file. */
static inline bool eddy__copy_has_default_mode (const EddyFileCopy *copy)
{
    return (copy->flags & (EDDY_FILE_COPY_TARGET_DEFAULT_PERMS | EDDY_FILE_COPY_ALL_METADATA)) ==
           EDDY_FILE_COPY_TARGET_DEFAULT_PERMS;
}

/* Whether a copy may take the place of a file of this kind. A device that is replaced by a file is
 * a surprise that nobody asked for. */
static inline bool eddy__copy_replaces_kind (mode_t mode)
{
    return S_ISREG (mode) || S_ISLNK (mode) || S_ISFIFO (mode);
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

/* copy-destination.c */
/* The destination exists: 0 when it may be replaced. */
int eddy__copy_may_replace (EddyFileCopy *copy);
/* Makes what a regular file is copied to, as destination_fd. */
int eddy__copy_open_destination (EddyFileCopy *copy);
/* Gives a whole copy its name. */
int eddy__copy_publish (EddyFileCopy *copy);
/* Removes what is not whole, and closes it. */
void eddy__copy_end_destination (EddyFileCopy *copy);
