/* SPDX-License-Identifier: MIT */
/* EddyFile: a path, in one allocation. */
#include <eddy/file.h>

#include <string.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "file/file-private.h"

static void file_finalize (void *object)
{
    eddy__free (object);
}

static const EddyClass file_class = { .name = "EddyFile", .size = 0, .finalize = file_finalize };

/* A file whose path is `length` bytes long, still to be filled in. */
static EddyFile *file_new (size_t length)
{
    EddyFile *file = eddy__alloc (sizeof (EddyFile) + length + 1);
    if (file == NULL)
        return NULL;
    eddy__object_init (file, &file_class);
    file->listed_type = EDDY_FILE_TYPE_UNKNOWN;
    file->path[length] = '\0';
    return file;
}

EddyFile *eddy_file_new_for_path (const char *path)
{
    EDDY__EXPECT (path != NULL, NULL);
    size_t length = strlen (path);
    EddyFile *file = file_new (length);
    if (file != NULL)
        memcpy (file->path, path, length);
    return file;
}

EddyFile *eddy_file_get_child (EddyFile *file, const char *name)
{
    EDDY__EXPECT (file != NULL && name != NULL, NULL);
    size_t length = strlen (file->path);
    size_t name_length = strlen (name);
    /* None after "/" or "dir/", and none after "": that would name something else. */
    size_t slash = length > 0 && file->path[length - 1] != '/' ? 1 : 0;
    EddyFile *child = file_new (length + slash + name_length);
    if (child == NULL)
        return NULL;
    memcpy (child->path, file->path, length);
    if (slash != 0)
        child->path[length] = '/';
    memcpy (child->path + length + slash, name, name_length);
    return child;
}

EddyFile *eddy_file_get_child_for_info (EddyFile *file, const EddyFileInfo *info)
{
    EDDY__EXPECT (file != NULL && info != NULL, NULL);
    EddyFile *child = eddy_file_get_child (file, eddy_file_info_get_name (info));
    if (child != NULL)
        child->listed_type = eddy_file_info_get_file_type (info);
    return child;
}

const char *eddy_file_get_path (EddyFile *file)
{
    EDDY__EXPECT (file != NULL, NULL);
    return file->path;
}

const char *eddy__file_last_part (const char *path, size_t *length)
{
    size_t end = strlen (path);
    while (end > 1 && path[end - 1] == '/')
        end--;
    size_t start = end;
    while (start > 0 && path[start - 1] != '/')
        start--;
    /* "/" has nothing but a slash. */
    if (start == end && end > 0)
        start--;
    *length = end - start;
    return path + start;
}

char *eddy_file_get_basename (EddyFile *file)
{
    EDDY__EXPECT (file != NULL, NULL);
    size_t length;
    const char *part = eddy__file_last_part (file->path, &length);
    char *name = eddy__alloc (length + 1);
    if (name == NULL)
        return NULL;
    memcpy (name, part, length);
    name[length] = '\0';
    return name;
}
