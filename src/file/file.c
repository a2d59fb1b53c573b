/* SPDX-License-Identifier: MIT */
/* EddyFile: a path, in one allocation, and the dir that it is of, if any. */
#include <eddy/file.h>

#include <string.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "file/file-private.h"

/* Bytes of a file whose path is so long. */
static size_t file_size (size_t length)
{
    return sizeof (EddyFile) + length + 1;
}

static void file_finalize (void *object)
{
    EddyFile *file = object;
    eddy_unref (file->dir);
    eddy__block_free (file, file_size (file->length));
}

static const EddyClass file_class = { .name = "EddyFile", .size = 0, .finalize = file_finalize };

/* A file whose path is `length` bytes long, still to be filled in. */
static EddyFile *file_new (EddyDir *dir, size_t length)
{
    EddyFile *file = eddy__block_alloc (file_size (length));
    if (file == NULL)
        return NULL;
    eddy__object_init (file, &file_class);
    file->dir = dir == NULL ? NULL : eddy_ref (dir);
    file->listed_type = EDDY_FILE_TYPE_UNKNOWN;
    file->name_offset = 0;
    file->length = length;
    file->path[length] = '\0';
    return file;
}

EddyFile *eddy_file_new_for_path (const char *path)
{
    EDDY__EXPECT (path != NULL, NULL);
    size_t length = strlen (path);
    EddyFile *file = file_new (/* dir= */ NULL, length);
    if (file != NULL)
        memcpy (file->path, path, length);
    return file;
}

EddyFile *eddy__file_new_within (EddyDir *dir, const char *folder, const char *name)
{
    size_t length = strlen (folder);
    size_t name_length = strlen (name);
    while (dir != NULL && name_length > 1 && name[name_length - 1] == '/')
        name_length--;
    /* None after "/" or "dir/", and none after "": that would name something else. */
    size_t slash = length > 0 && folder[length - 1] != '/' ? 1 : 0;
    EddyFile *file = file_new (dir, length + slash + name_length);
    if (file == NULL)
        return NULL;
    memcpy (file->path, folder, length);
    if (slash != 0)
        file->path[length] = '/';
    memcpy (file->path + length + slash, name, name_length);
    file->name_offset = length + slash;
    return file;
}

EddyFile *eddy_file_get_child (EddyFile *file, const char *name)
{
    EDDY__EXPECT (file != NULL && name != NULL, NULL);
    EddyFile *child = eddy__file_new_within (file->dir, file->path, name);
    if (child != NULL)
        child->name_offset = file->name_offset;
    return child;
}

/* Of a dir, a name that begins with a slash stands behind the dir's path, and leads out of it. */
EddyFile *eddy__file_new_beside (const EddyFile *file, const char *name)
{
    size_t length;
    const char *part = eddy__file_last_part (file->path, &length);
    size_t folder_length = name[0] == '/' ? 0 : (size_t) (part - file->path);
    if (folder_length < file->name_offset)
        folder_length = file->name_offset;
    size_t name_length = strlen (name);
    while (file->dir != NULL && name_length > 1 && name[name_length - 1] == '/')
        name_length--;
    EddyFile *beside = file_new (file->dir, folder_length + name_length);
    if (beside == NULL)
        return NULL;
    memcpy (beside->path, file->path, folder_length);
    memcpy (beside->path + folder_length, name, name_length);
    beside->name_offset = file->name_offset;
    return beside;
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

char *eddy__file_folder_part (const char *path)
{
    size_t length;
    size_t end = (size_t) (eddy__file_last_part (path, &length) - path);
    /* "/" is in itself, and what has no slash is where the path begins. */
    if (end == 0)
        return eddy__strdup (path[0] == '/' ? "/" : ".");
    char *folder = eddy__strdup (path);
    if (folder != NULL)
        folder[end] = '\0';
    return folder;
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
