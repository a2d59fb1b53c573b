/* SPDX-License-Identifier: MIT */
/* Copying what has a name and no contents: symbolic links and fifos. */
#include <errno.h>

#include "file/copy-private.h"
#include "sys/file-private.h"

enum { SPECIAL_TRIES = 16 };

/* The text of the source link in the thread's buffer, which is longer than any. */
static int special_read_link (EddyFileCopy *copy, char **target)
{
    *target = eddy__file_buffer ();
    if (*target == NULL)
        return -ENOMEM;
    ssize_t length = eddy__sys_readlinkat (AT_FDCWD, copy->source, *target, EDDY_FILE_BUFFER_SIZE);
    if (length < 0)
        return (int) length;
    if (length == EDDY_FILE_BUFFER_SIZE)
        return -ENAMETOOLONG;
    (*target)[length] = '\0';
    return 0;
}

/* `target`: NULL for a fifo. */
static int special_make (EddyFileCopy *copy, const char *target, const char *path)
{
    int result = target != NULL ? eddy__sys_symlinkat (target, AT_FDCWD, path)
                                : eddy__sys_mknodat (AT_FDCWD, path, S_IFIFO | 0600, 0);
    if (result == 0)
        copy->made = path;
    return result;
}

static int special_make_beside (EddyFileCopy *copy, const char *target)
{
    int result = eddy__copy_name_temporary (copy);
    if (result < 0)
        return result;
    result = -EEXIST;
    for (int i = 0; i < SPECIAL_TRIES && result == -EEXIST; i++) {
        result = special_make (copy, target, copy->temporary);
        if (result == -EEXIST) {
            int cleared = eddy__copy_clear_temporary (copy->temporary);
            if (cleared < 0)
                return eddy__copy_fail (copy, copy->destination, cleared);
        }
    }
    return eddy__copy_fail (copy, copy->destination, result == -EEXIST ? -EBUSY : result);
}

int eddy__copy_special (EddyFileCopy *copy)
{
    char *target = NULL;
    int result = 0;
    if (S_ISLNK (copy->info.stx_mode))
        result = special_read_link (copy, &target);
    if (result < 0)
        return eddy__copy_fail (copy, copy->source, result);
    result =
        eddy__copy_fail (copy, copy->destination, special_make (copy, target, copy->destination));
    if (result == -EEXIST) {
        result = eddy__copy_may_replace (copy);
        if (result == 0)
            result = special_make_beside (copy, target);
    }
    if (result < 0)
        return result;
    EddyFilePlace from = { -1, copy->source, false };
    EddyFilePlace to = { -1, copy->made, false };
    bool all = (copy->flags & EDDY_FILE_COPY_ALL_METADATA) != 0;
    result = eddy__file_give_attributes (&from, &to, &copy->info, all, &copy->failed);
    if (result < 0 && copy->failed != copy->source)
        copy->failed = copy->destination;
    return result;
}
