/* SPDX-License-Identifier: MIT */
/* EddyDir: a folder's fd, and its path for messages. */
#include <eddy/dir-bodies.h>

#include <errno.h>
#include <string.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "file/at-private.h"
#include "file/dir-private.h"
#include "sys/file-private.h"

/* An O_PATH fd has nothing to be written back, so its close does not wait. */
static void dir_finalize (void *object)
{
    EddyDir *dir = object;
    eddy__sys_close (dir->fd);
    eddy__free (dir);
}

static const EddyClass dir_class = { .name = "EddyDir", .size = 0, .finalize = dir_finalize };

/* Takes `fd`; NULL when memory is out. */
static EddyDir *dir_new (int fd, const char *path)
{
    size_t size = strlen (path) + 1;
    EddyDir *dir = eddy__alloc (sizeof (EddyDir) + size);
    if (dir == NULL) {
        eddy__sys_close (fd);
        return NULL;
    }
    eddy__object_init (dir, &dir_class);
    dir->fd = fd;
    memcpy (dir->path, path, size);
    return dir;
}

EddyDir *eddy_dir_open_body (EddyFile *folder, EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (folder != NULL, NULL);
    if (eddy_cancellable_set_error_if_cancelled (cancellable, error))
        return NULL;
    const char *path = eddy_file_get_path (folder);
    EddyDir *dir = NULL;
    int result = eddy__file_open (folder, O_PATH | O_DIRECTORY, 0);
    if (result >= 0) {
        dir = dir_new (result, path);
        result = dir == NULL ? -ENOMEM : 0;
    }
    if (result < 0)
        eddy_error_set_errno (error, -result, "%s", path);
    return dir;
}

EddyFile *eddy_dir_get_file (EddyDir *dir, const char *name)
{
    EDDY__EXPECT (dir != NULL && name != NULL, NULL);
    return eddy__file_new_within (dir, dir->path, name);
}

EddyDir *eddy_file_get_dir (EddyFile *file)
{
    EDDY__EXPECT (file != NULL, NULL);
    return file->dir;
}
