/* SPDX-License-Identifier: MIT */
/* Making a folder together with those that it is in: from the last part towards the first until one
 * can be made or is there, and then back. So where most are there, few are asked for. */
#include <eddy/file-bodies.h>

#include <errno.h>
#include <string.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "file/at-private.h"
#include "sys/file-private.h"

/* A path, cut somewhere by a zero byte. */
typedef struct Parents {
    EddyFile *file;
    char *path; /* a copy of the file's */
    size_t length;
} Parents;

/* Makes the folder that the path is cut to; 0 or -errno. */
static int parents_make (const Parents *self)
{
    size_t start = self->file->name_offset;
    EddyFileAt at;
    EddyFile *part = self->file->dir == NULL
                         ? eddy_file_new_for_path (self->path)
                         : eddy_dir_get_file (self->file->dir, self->path + start);
    if (part == NULL)
        return -ENOMEM;
    int result = eddy__file_at (part, &at);
    if (result == 0)
        result = eddy__sys_mkdirat (at.fd, at.name, 0777);
    eddy__file_at_end (&at);
    eddy_unref (part);
    return result;
}

/* Cuts the last part off; false where there is no other one. */
static bool parents_up (Parents *self)
{
    size_t start = self->file->name_offset;
    size_t end = strlen (self->path);
    while (end > start && self->path[end - 1] == '/')
        end--;
    while (end > start && self->path[end - 1] != '/')
        end--;
    while (end > start && self->path[end - 1] == '/')
        end--;
    if (end == start)
        return false;
    self->path[end] = '\0';
    return true;
}

/* Gives the next part back, with the slashes behind it. */
static void parents_down (Parents *self)
{
    const char *whole = self->file->path;
    size_t end = strlen (self->path);
    end += strspn (whole + end, "/");
    end += strcspn (whole + end, "/");
    end += strspn (whole + end, "/");
    memcpy (self->path, whole, end);
    self->path[end] = '\0';
}

static int parents_make_all (Parents *self, EddyCancellable *cancellable)
{
    int result = parents_make (self);
    while (result == -ENOENT && parents_up (self))
        result = parents_make (self);
    bool is_whole = strlen (self->path) == self->length;
    while (!is_whole && (result == 0 || result == -EEXIST)) {
        if (eddy_cancellable_is_cancelled (cancellable))
            return -ECANCELED;
        parents_down (self);
        is_whole = strlen (self->path) == self->length;
        result = parents_make (self);
    }
    return result;
}

bool eddy_file_make_directory_with_parents_body (EddyFile *file, EddyCancellable *cancellable,
                                                 EddyError **error)
{
    EDDY__EXPECT (file != NULL, false);
    if (eddy_cancellable_set_error_if_cancelled (cancellable, error))
        return false;
    Parents self = { file, eddy__strdup (file->path), strlen (file->path) };
    int result = self.path == NULL ? -ENOMEM : parents_make_all (&self, cancellable);
    if (result == -ECANCELED)
        eddy_cancellable_set_error_if_cancelled (cancellable, error);
    else if (result < 0)
        eddy_error_set_errno (error, -result, "%s", self.path == NULL ? file->path : self.path);
    eddy__free (self.path);
    return result == 0;
}
