/* SPDX-License-Identifier: MIT */
/* A file's contents replaced as a whole: begun, written by whoever wants to, and committed, at one
 * moment, or not at all. Then the file is the old one or the new one, whatever happens in between.
 *
 *     EddyFileReplace replace;
 *     int result = eddy__replace_begin (&replace, file, etag, make_backup, flags, durable);
 *     … write to replace.fd, which is open for reading too …
 *     if (result == 0)
 *         result = eddy__replace_commit (&replace, cancellable);
 *     if (result < 0)
 *         eddy__replace_report (&replace, result, cancellable, error);
 *     eddy__replace_end (&replace);
 *
 * Begin and commit make system calls that may take long: they are for workers. Any thread may go on
 * with what another one has begun. */
#pragma once

#include <eddy/file.h>

#include "file/etag-private.h"
#include "file/temporary-private.h"

typedef enum EddyFileReplaceProblem {
    EDDY_FILE_REPLACE_PROBLEM_NONE,
    EDDY_FILE_REPLACE_PROBLEM_ETAG,
    EDDY_FILE_REPLACE_PROBLEM_KIND,
    EDDY_FILE_REPLACE_PROBLEM_BACKUP
} EddyFileReplaceProblem;

typedef struct EddyFileReplace {
    int fd;              /* to write to; stays this struct's */
    struct statx info;   /* after the commit: of the new file, for its etag */
    const char *failed;  /* the path that a failure was about; until the end */
    const char *written; /* the path of the file that is replaced: behind symbolic links */

    /* The rest is replace.c's. */
    EddyFile *file;
    const char *name; /* in the folder */
    int folder_fd;
    struct statx old; /* of what is replaced */
    EddyFileTemporary temporary;
    EddyFileReplaceProblem problem;
    bool has_old;
    bool follows; /* symbolic links */
    bool keeps_attributes;
    bool syncs_folder;
    bool makes_backup;
    bool is_durable;
    bool checks_etag;
    char etag[EDDY_FILE_ETAG_SIZE];
} EddyFileReplace;

/* Looks whether it may be, and makes the file to write to; 0 or -errno. `etag`: NULL, or what the
 * old file must have. `durable`: the new file and its name are on the disk when the commit has
 * ended. To be ended with eddy__replace_end(), also on failure. */
int eddy__replace_begin (EddyFileReplace *replace, const EddyFile *file, const char *etag,
                         bool make_backup, EddyFileCreateFlags flags, bool durable);

/* Makes what was written the file; 0 or -errno. Looks at the cancellable, or NULL, up to the moment
 * in which the file is replaced, and not after it. */
int eddy__replace_commit (EddyFileReplace *replace, EddyCancellable *cancellable);

/* Makes the error of a failure: of begin, of commit, or of a write to `fd`. */
void eddy__replace_report (const EddyFileReplace *replace, int result, EddyCancellable *cancellable,
                           EddyError **error);

/* Gives up what was not committed, of which nothing is left, and everything else. */
void eddy__replace_end (EddyFileReplace *replace);
