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
    EddyFileAt at;
    ssize_t length = eddy__file_at (copy->source_file, &at);
    if (length == 0)
        length = eddy__sys_readlinkat (at.fd, at.name, *target, EDDY_FILE_BUFFER_SIZE);
    eddy__file_at_end (&at);
    if (length < 0)
        return (int) length;
    if (length == EDDY_FILE_BUFFER_SIZE)
        return -ENAMETOOLONG;
    (*target)[length] = '\0';
    return 0;
}

/* `target`: NULL for a fifo. */
static int special_make (EddyFileCopy *copy, const char *target, const char *name)
{
    int result = target != NULL ? eddy__sys_symlinkat (target, copy->to.fd, name)
                                : eddy__sys_mknodat (copy->to.fd, name, S_IFIFO | 0600, 0);
    if (result == 0)
        copy->made = name;
    return result;
}

static int special_make_beside (EddyFileCopy *copy, const char *target)
{
    copy->beside = eddy__temporary_name_for (copy->to.name);
    if (copy->beside == NULL)
        return eddy__copy_fail (copy, copy->destination, -ENOMEM);
    int result = -EEXIST;
    for (int i = 0; i < SPECIAL_TRIES && result == -EEXIST; i++) {
        result = special_make (copy, target, copy->beside);
        if (result == -EEXIST) {
            int cleared = eddy__temporary_clear (copy->to.fd, copy->beside);
            if (cleared < 0)
                return eddy__copy_fail (copy, copy->destination, cleared);
        }
    }
    return eddy__copy_fail (copy, copy->destination, result == -EEXIST ? -EBUSY : result);
}

static int special_give_attributes (EddyFileCopy *copy)
{
    bool all = (copy->flags & EDDY_FILE_COPY_ALL_METADATA) != 0;
    EddyFilePath from, to = { .fd = -1 };
    copy->failed = copy->source;
    int result = eddy__file_path (copy->source_file, /* follow= */ false, &from);
    if (result == 0) {
        copy->failed = copy->destination;
        result = eddy__file_path_at (&copy->to, copy->made, &to);
    }
    if (result == 0) {
        EddyFilePlace give = { -1, copy->source, from.path, from.follow };
        EddyFilePlace take = { -1, copy->destination, to.path, to.follow };
        result = eddy__file_give_attributes (&give, &take, &copy->info, all, &copy->failed);
    }
    eddy__file_path_end (&from);
    eddy__file_path_end (&to);
    return result;
}

int eddy__copy_special (EddyFileCopy *copy)
{
    char *target = NULL;
    int result = 0;
    if (S_ISLNK (copy->info.stx_mode))
        result = special_read_link (copy, &target);
    if (result < 0)
        return eddy__copy_fail (copy, copy->source, result);
    result = eddy__copy_fail (copy, copy->destination, special_make (copy, target, copy->to.name));
    if (result == -EEXIST) {
        result = eddy__copy_may_replace (copy);
        if (result == 0)
            result = special_make_beside (copy, target);
    }
    return result < 0 ? result : special_give_attributes (copy);
}
