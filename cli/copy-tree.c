/* SPDX-License-Identifier: MIT */
/* Folders: walking them, making their copies, finishing them when all in them has ended; and the
 * fibers that do so. */
#include "copy.h"

#include <stdlib.h>
#include <string.h>

/* --- where folders must not be copied --------------------------------------------------------- */

/* Notes the folder at a path; false when it is the root, noted already, or cannot be looked at. */
static bool tree_note_ancestor (Copy *copy, const char *path)
{
    EDDY_AUTO (EddyFile) folder = eddy_file_new_for_path (path);
    EDDY_AUTO (EddyFileInfo)
    info = folder == NULL ? NULL
                          : eddy_file_query_info (folder, EDDY_FILE_QUERY_INFO_NONE, NULL, NULL);
    CopyIdentity *grown =
        realloc (copy->ancestors, (copy->n_ancestors + 1) * sizeof (CopyIdentity));
    if (grown == NULL || info == NULL) {
        copy->ancestors = grown != NULL ? grown : copy->ancestors;
        return false;
    }
    copy->ancestors = grown;
    CopyIdentity identity = { eddy_file_info_get_device (info), eddy_file_info_get_inode (info) };
    const CopyIdentity *last = copy->n_ancestors > 0 ? &grown[copy->n_ancestors - 1] : NULL;
    if (last != NULL && last->device == identity.device && last->inode == identity.inode)
        return false;
    grown[copy->n_ancestors++] = identity;
    return true;
}

/* By device and inode, so that no symbolic link or bind mount hides that a folder is the same. */
void copy_read_ancestors (Copy *copy, const char *path)
{
    static const char up[] = "/..";
    size_t len = strlen (path);
    char *longer = malloc (len + 1);
    if (longer == NULL)
        return;
    memcpy (longer, path, len + 1);
    while (tree_note_ancestor (copy, longer)) {
        char *grown = realloc (longer, len + sizeof up);
        if (grown == NULL)
            break;
        longer = grown;
        memcpy (longer + len, up, sizeof up);
        len += sizeof up - 1;
    }
    free (longer);
}

static bool tree_is_ancestor (const Copy *copy, const EddyFileInfo *info)
{
    for (size_t i = 0; i < copy->n_ancestors; i++)
        if (copy->ancestors[i].inode == eddy_file_info_get_inode (info) &&
            copy->ancestors[i].device == eddy_file_info_get_device (info))
            return true;
    return false;
}

/* --- folders ---------------------------------------------------------------------------------- */

static void folder_free (CopyFolder *folder)
{
    eddy_unref (folder->source);
    eddy_unref (folder->destination);
    eddy_unref (folder->children);
    free (folder);
}

/* Takes the references of both files, either of which may be NULL: memory is out. */
static CopyFolder *folder_new (Copy *copy, CopyFolder *parent, EddyFile *source,
                               EddyFile *destination, const EddyFileInfo *info)
{
    CopyFolder *folder = calloc (1, sizeof *folder);
    if (folder == NULL || source == NULL || destination == NULL) {
        copy_fail_memory (copy, source);
        eddy_unref (source);
        eddy_unref (destination);
        free (folder);
        return NULL;
    }
    *folder = (CopyFolder){ .parent = parent,
                            .source = source,
                            .destination = destination,
                            .device = eddy_file_info_get_device (info),
                            .inode = eddy_file_info_get_inode (info),
                            .n_unfinished = 1 };
    return folder;
}

void copy_folder_end_child (Copy *copy, CopyFolder *folder)
{
    if (folder != NULL && --folder->n_unfinished == 0)
        copy_queue_finish (copy, folder);
}

/* All in it has ended, so that nothing changes its times any more. */
static void folder_finish (Copy *copy, CopyFolder *folder)
{
    EddyError *error = NULL;
    EddyFileCopyFlags flags = EDDY_FILE_COPY_ALL_METADATA;
    CopyFolder *parent = folder->parent;
    if (!folder->follows_symlink)
        flags |= EDDY_FILE_COPY_NOFOLLOW_SYMLINKS;
    if (folder->is_made &&
        !eddy_file_copy_attributes (folder->source, folder->destination, flags, NULL, &error))
        copy_fail (copy, error);
    folder_free (folder);
    copy_folder_end_child (copy, parent);
}

/* What stands where a folder is to be made: a folder of before is merged with. */
static bool folder_merge (Copy *copy, CopyFolder *folder, EddyError *exists)
{
    EddyFileQueryInfoFlags flags = folder->follows_symlink ? EDDY_FILE_QUERY_INFO_NONE
                                                           : EDDY_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS;
    EddyError *error = NULL;
    EDDY_AUTO (EddyFileInfo)
    info = eddy_file_query_info (folder->destination, flags, NULL, &error);
    bool is_folder =
        info != NULL && eddy_file_info_get_file_type (info) == EDDY_FILE_TYPE_DIRECTORY;
    bool is_same = is_folder && eddy_file_info_get_inode (info) == folder->inode &&
                   eddy_file_info_get_device (info) == folder->device;
    if (info == NULL) {
        eddy_unref (exists);
        copy_fail (copy, error);
    } else if (!is_folder) {
        copy_fail (copy, exists);
    } else {
        eddy_unref (exists);
        if (is_same)
            copy_fail (copy, eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_ARGUMENT,
                                             "%s: is the same folder as its copy would be",
                                             eddy_file_get_path (folder->source)));
    }
    return is_folder && !is_same;
}

/* Private until it has the attributes of the source: nobody gets at what is still being copied. */
static bool folder_make (Copy *copy, CopyFolder *folder)
{
    EddyError *error = NULL;
    if (eddy_file_make_private_directory (folder->destination, NULL, &error))
        return true;
    if (eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_EXISTS))
        return folder_merge (copy, folder, error);
    copy_fail (copy, error);
    return false;
}

/* A folder within a folder. */
static void folder_add_folder (Copy *copy, CopyFolder *parent, const EddyFileInfo *info)
{
    const char *name = eddy_file_info_get_name (info);
    if (tree_is_ancestor (copy, info)) {
        copy_fail (copy, eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_WOULD_RECURSE,
                                         "%s/%s: cannot be copied into itself",
                                         eddy_file_get_path (parent->source), name));
        return;
    }
    CopyFolder *folder = folder_new (copy, parent, eddy_file_get_child (parent->source, name),
                                     eddy_file_get_child (parent->destination, name), info);
    if (folder == NULL)
        return;
    parent->n_unfinished++;
    copy_queue_walk (copy, folder);
}

static void folder_add_children (Copy *copy, CopyFolder *folder)
{
    ProgressCounts *counts = &copy->progress.counts;
    size_t n = eddy_file_info_list_get_length (folder->children);
    for (size_t i = 0; i < n; i++) {
        const EddyFileInfo *info = eddy_file_info_list_get (folder->children, i);
        EddyFileType type = eddy_file_info_get_file_type (info);
        if (type == EDDY_FILE_TYPE_DIRECTORY) {
            folder_add_folder (copy, folder, info);
            continue;
        }
        folder->n_waiting++;
        counts->files_found++;
        if (type == EDDY_FILE_TYPE_REGULAR)
            counts->bytes_found += eddy_file_info_get_size (info);
    }
    folder->n_unfinished += folder->n_waiting;
    copy_queue_files (copy, folder);
}

/* Makes the copy of a folder, and finds what is in it. */
static void folder_walk (Copy *copy, CopyFolder *folder)
{
    EddyError *error = NULL;
    copy->n_walks++;
    folder->is_made = folder_make (copy, folder);
    if (folder->is_made) {
        folder->children = eddy_file_list_children (folder->source, NULL, &error);
        if (folder->children != NULL)
            folder_add_children (copy, folder);
        else
            copy_fail (copy, error);
    }
    copy->n_walks--;
    copy_folder_end_child (copy, folder);
    copy_rouse (copy);
}

/* --- sources ---------------------------------------------------------------------------------- */

/* The name of a SOURCE's copy: DESTINATION itself, or a name in it. */
static EddyFile *source_get_destination (Copy *copy, EddyFile *source, bool *is_into_itself)
{
    *is_into_itself = false;
    if (!copy->into_folder)
        return eddy_ref (copy->into);
    EDDY_AUTO_FREE (char) name = eddy_file_get_basename (source);
    if (name == NULL)
        return NULL;
    *is_into_itself = copy_is_nameless (name);
    return *is_into_itself ? eddy_ref (copy->into) : eddy_file_get_child (copy->into, name);
}

static void source_add_folder (Copy *copy, EddyFile *source, const EddyFileInfo *info)
{
    const char *path = eddy_file_get_path (source);
    bool is_into_itself;
    if (!copy->options.recursive) {
        copy_fail (copy, eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_IS_DIRECTORY,
                                         "%s: is a folder (use -r)", path));
        return;
    }
    if (tree_is_ancestor (copy, info)) {
        copy_fail (copy, eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_WOULD_RECURSE,
                                         "%s: cannot be copied into itself", path));
        return;
    }
    EddyFile *destination = source_get_destination (copy, source, &is_into_itself);
    CopyFolder *folder = folder_new (copy, NULL, eddy_ref (source), destination, info);
    if (folder == NULL)
        return;
    folder->follows_symlink = is_into_itself;
    copy_queue_walk (copy, folder);
}

static void source_add_file (Copy *copy, EddyFile *source, EddyFileInfo *info)
{
    ProgressCounts *counts = &copy->progress.counts;
    bool is_into_itself;
    CopyItem *item = malloc (sizeof *item);
    EddyFile *destination = source_get_destination (copy, source, &is_into_itself);
    if (item == NULL || destination == NULL) {
        copy_fail_memory (copy, source);
        eddy_unref (destination);
        free (item);
        return;
    }
    *item = (CopyItem){ .source = eddy_ref (source),
                        .destination = destination,
                        .info = info,
                        .own_info = eddy_ref (info) };
    counts->files_found++;
    if (eddy_file_info_get_file_type (info) == EDDY_FILE_TYPE_REGULAR)
        counts->bytes_found += eddy_file_info_get_size (info);
    copy_queue_item (copy, item);
}

void copy_add_source (Copy *copy, const char *path)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddyFile) source = eddy_file_new_for_path (path);
    if (source == NULL) {
        copy_fail_memory (copy, NULL);
        return;
    }
    EDDY_AUTO (EddyFileInfo)
    info = eddy_file_query_info (source, EDDY_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS, NULL, &error);
    if (info == NULL)
        copy_fail (copy, error);
    else if (eddy_file_info_get_file_type (info) == EDDY_FILE_TYPE_DIRECTORY)
        source_add_folder (copy, source, info);
    else
        source_add_file (copy, source, info);
    copy_rouse (copy);
}

/* --- the fibers ------------------------------------------------------------------------------- */

void copy_work (Copy *copy)
{
    CopyWork work;
    while (copy_queue_take (copy, &work)) {
        switch (work.kind) {
        case COPY_WORK_WALK:
            folder_walk (copy, work.folder);
            break;
        case COPY_WORK_FINISH:
            folder_finish (copy, work.folder);
            break;
        case COPY_WORK_FILE:
            copy_item_run (copy, &work.item);
            break;
        }
    }
}

static void *tree_fiber (void *data, EddyError **error)
{
    Copy *copy = data;
    (void) error;
    copy->n_starting--;
    copy_work (copy);
    copy->n_fibers--;
    return NULL;
}

/* Where no fiber is to be had, those that run do the work, at last the command's own. */
void copy_rouse (Copy *copy)
{
    static const EddyFiberOptions options = { .name = "copy" };
    size_t available = copy_queue_get_available (copy);
    copy->progress.all_found = copy->all_added && copy->n_walks == 0 && copy->queue.n_to_walk == 0;
    while (copy->n_fibers < COPY_FIBERS && copy->n_starting < available) {
        copy->n_starting++;
        copy->n_fibers++;
        if (!eddy_group_spawn_full (copy->group, tree_fiber, copy, NULL, &options, EDDY_PLACE,
                                    NULL)) {
            copy->n_starting--;
            copy->n_fibers--;
            return;
        }
    }
}
