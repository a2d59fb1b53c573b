/* SPDX-License-Identifier: MIT */
/* A file that is not yet what it shall be: written where nobody finds it, and given its name when
 * it is whole. It has no name at all where the file system knows such files, so that nothing is
 * left of it after a kill; it has the name ".NAME.eddy~" for the one moment between two calls in
 * which it replaces another, and from the start where every file must have a name.
 *
 * All functions return 0 or -errno. */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

typedef struct EddyFileTemporary {
    int folder_fd;    /* what the names are relative to; the caller's */
    const char *path; /* the name that it shall have; the caller's */
    char *name;       /* the name beside that one; NULL: not needed so far */
    int fd;           /* open for reading and writing */
    bool is_named;    /* it stands under the name beside, locked */
} EddyFileTemporary;

/* What eddy__temporary_end() has nothing to do for. */
#define EDDY_FILE_TEMPORARY_NONE                                                                   \
    {                                                                                              \
        .fd = -1                                                                                   \
    }

/* Makes one without a name. -EOPNOTSUPP: the file system cannot. */
int eddy__temporary_open_unnamed (EddyFileTemporary *temporary, int folder_fd, const char *path,
                                  mode_t mode);
/* Makes one, without a name if that can be. -EBUSY: somebody is about to replace that file. */
int eddy__temporary_open (EddyFileTemporary *temporary, int folder_fd, const char *path,
                          mode_t mode);

/* Gives it its name, which nobody may have: -EEXIST. Only for one without a name. */
int eddy__temporary_link (EddyFileTemporary *temporary);
/* Gives it its name, whoever had it. -EBUSY: others hold the name beside it all the time. */
int eddy__temporary_replace (EddyFileTemporary *temporary);
/* The first half of that: from then on nobody else is the next to replace the file. */
int eddy__temporary_claim (EddyFileTemporary *temporary);

/* Removes it unless it has got its name, and closes it. */
void eddy__temporary_end (EddyFileTemporary *temporary);

/* The name beside a path, to be freed with eddy__free(); NULL when memory is out. */
char *eddy__temporary_name_for (const char *path);
/* Removes what stands there and nobody works on; -EBUSY when somebody does. */
int eddy__temporary_clear (int folder_fd, const char *name);
