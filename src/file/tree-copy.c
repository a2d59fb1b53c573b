/* SPDX-License-Identifier: MIT */
/* Copying trees: taking roots up, walking folders, making their copies, and finishing them when all
 * in them has ended. */
#include <eddy/file-tree-bodies.h>

#include <errno.h>

#include "base/alloc-private.h"
#include "base/error-private.h"
#include "base/object-private.h"
#include "file/tree-copy-private.h"

/* --- folders ---------------------------------------------------------------------------------- */

static void folder_free (EddyTreeFolder *folder)
{
    eddy_unref (folder->source);
    eddy_unref (folder->destination);
    eddy_unref (folder->children);
    eddy__free (folder);
}

/* Takes the references of both files, either of which may be NULL: memory is out. */
static EddyTreeFolder *folder_new (EddyTreeCopy *copy, EddyTreeFolder *parent, EddyFile *source,
                                   EddyFile *destination, const EddyFileInfo *info)
{
    EddyTreeFolder *folder = eddy__alloc (sizeof *folder);
    if (folder == NULL || source == NULL || destination == NULL) {
        eddy__tree_fail_memory (&copy->work, source);
        eddy_unref (source);
        eddy_unref (destination);
        eddy__free (folder);
        return NULL;
    }
    *folder = (EddyTreeFolder){ .parent = parent,
                                .source = source,
                                .destination = destination,
                                .identity = eddy__tree_identity_of (info),
                                .n_unfinished = 1 };
    return folder;
}

void eddy__tree_folder_end_child (EddyTreeCopy *copy, EddyTreeFolder *folder)
{
    if (folder != NULL && --folder->n_unfinished == 0)
        eddy__tree_queue_finish (copy, folder);
}

/* All in it has ended, so that nothing changes its times any more. */
static void folder_finish (EddyTreeCopy *copy, EddyTreeFolder *folder)
{
    EddyError *error = NULL;
    EddyTreeFolder *parent = folder->parent;
    if (folder->is_made && !eddy_file_copy_attributes (folder->source, folder->destination,
                                                       copy->flags, copy->work.cancellable, &error))
        eddy__tree_fail (&copy->work, error);
    folder_free (folder);
    eddy__tree_folder_end_child (copy, parent);
}

/* What stands where a folder is to be made: a folder of before is merged with. */
static bool folder_merge (EddyTreeCopy *copy, EddyTreeFolder *folder, EddyError *exists)
{
    EddyError *error = NULL;
    EDDY_AUTO (EddyFileInfo)
    info = eddy_file_query_info (folder->destination, EDDY_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS,
                                 copy->work.cancellable, &error);
    bool is_folder =
        info != NULL && eddy_file_info_get_file_type (info) == EDDY_FILE_TYPE_DIRECTORY;
    bool is_same =
        is_folder && eddy__tree_is_same (eddy__tree_identity_of (info), folder->identity);
    if (info == NULL) {
        eddy_unref (exists);
        eddy__tree_fail (&copy->work, error);
    } else if (!is_folder) {
        eddy__tree_fail (&copy->work, exists);
    } else {
        eddy_unref (exists);
        if (is_same)
            eddy__tree_fail (&copy->work,
                             eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_ARGUMENT,
                                             "%s: is the same folder as its copy would be",
                                             eddy_file_get_path (folder->source)));
    }
    return is_folder && !is_same;
}

/* Private until it has the attributes of the source: nobody gets at what is still being copied. */
static bool folder_make (EddyTreeCopy *copy, EddyTreeFolder *folder)
{
    EddyError *error = NULL;
    if (eddy_file_make_private_directory (folder->destination, copy->work.cancellable, &error))
        return true;
    if (eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_EXISTS))
        return folder_merge (copy, folder, error);
    eddy__tree_fail (&copy->work, error);
    return false;
}

/* A folder within a folder. */
static void folder_add_folder (EddyTreeCopy *copy, EddyTreeFolder *parent, const EddyFileInfo *info)
{
    const char *name = eddy_file_info_get_name (info);
    if (eddy__tree_into_is_within (parent->into, info)) {
        eddy__tree_fail (&copy->work, eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_WOULD_RECURSE,
                                                      "%s/%s: cannot be copied into itself",
                                                      eddy_file_get_path (parent->source), name));
        return;
    }
    EddyTreeFolder *folder = folder_new (copy, parent, eddy_file_get_child (parent->source, name),
                                         eddy_file_get_child (parent->destination, name), info);
    if (folder == NULL)
        return;
    folder->into = parent->into;
    parent->n_unfinished++;
    eddy__tree_queue_walk (copy, folder);
}

static void folder_add_children (EddyTreeCopy *copy, EddyTreeFolder *folder)
{
    EddyTreeCounts *counts = &copy->work.counts;
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
    eddy__tree_queue_files (copy, folder);
}

/* Makes the copy of a folder, and finds what is in it. */
static void folder_walk (EddyTreeCopy *copy, EddyTreeFolder *folder)
{
    EddyError *error = NULL;
    copy->n_walks++;
    folder->is_made = folder_make (copy, folder);
    if (folder->is_made) {
        copy->work.counts.folders_done++;
        folder->children = eddy_file_list_children (folder->source, copy->work.cancellable, &error);
        if (folder->children != NULL)
            folder_add_children (copy, folder);
        else
            eddy__tree_fail (&copy->work, error);
    }
    copy->n_walks--;
    eddy__tree_folder_end_child (copy, folder);
    eddy__tree_rouse (&copy->work);
}

/* --- roots ------------------------------------------------------------------------------------ */

static void root_add_folder (EddyTreeCopy *copy, const EddyTreeRoot *root, const EddyFileInfo *info)
{
    const char *path = eddy_file_get_path (root->file);
    EddyError *error = NULL;
    if ((copy->work.flags & EDDY_TREE_FILES_ONLY) != 0) {
        eddy__tree_fail (&copy->work, eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_WOULD_RECURSE,
                                                      "%s: is a folder", path));
        return;
    }
    const EddyTreeInto *into = eddy__tree_into_get (copy, root->destination, &error);
    if (into == NULL) {
        eddy__tree_fail (&copy->work, error);
        return;
    }
    if (eddy__tree_into_is_within (into, info)) {
        eddy__tree_fail (&copy->work, eddy_error_new (EDDY_IO_ERROR, EDDY_IO_ERROR_WOULD_RECURSE,
                                                      "%s: cannot be copied into itself", path));
        return;
    }
    EddyTreeFolder *folder =
        folder_new (copy, NULL, eddy_ref (root->file), eddy_ref (root->destination), info);
    if (folder == NULL)
        return;
    folder->into = into;
    eddy__tree_queue_walk (copy, folder);
}

static void root_add_file (EddyTreeCopy *copy, const EddyTreeRoot *root, EddyFileInfo *info)
{
    EddyTreeCounts *counts = &copy->work.counts;
    EddyTreeItem *item = eddy__alloc (sizeof *item);
    if (item == NULL) {
        eddy__tree_fail_memory (&copy->work, root->file);
        return;
    }
    *item = (EddyTreeItem){ .source = eddy_ref (root->file),
                            .destination = eddy_ref (root->destination),
                            .info = info,
                            .own_info = eddy_ref (info) };
    counts->files_found++;
    if (eddy_file_info_get_file_type (info) == EDDY_FILE_TYPE_REGULAR)
        counts->bytes_found += eddy_file_info_get_size (info);
    eddy__tree_queue_item (copy, item);
}

static void copy_take_up (EddyTreeWork *work, const EddyTreeRoot *root)
{
    EddyTreeCopy *copy = (EddyTreeCopy *) work;
    EddyError *error = NULL;
    EDDY_AUTO (EddyFileInfo)
    info = eddy_file_query_info (root->file, EDDY_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS,
                                 work->cancellable, &error);
    if (info == NULL)
        eddy__tree_fail (work, error);
    else if (eddy_file_info_get_file_type (info) == EDDY_FILE_TYPE_DIRECTORY)
        root_add_folder (copy, root, info);
    else
        root_add_file (copy, root, info);
}

/* --- the kind of work ------------------------------------------------------------------------- */

static void copy_begin (EddyTreeWork *work)
{
    EddyTreeCopy *copy = (EddyTreeCopy *) work;
    copy->keeps_made = (copy->flags & EDDY_FILE_COPY_OVERWRITE) != 0 &&
                       eddy__tree_made_is_needed (work->roots, work->n_roots);
}

static bool copy_step (EddyTreeWork *work)
{
    EddyTreeCopy *copy = (EddyTreeCopy *) work;
    EddyTreePiece piece;
    if (!eddy__tree_queue_take (copy, &piece))
        return false;
    switch (piece.kind) {
    case EDDY_TREE_WALK:
        folder_walk (copy, piece.folder);
        break;
    case EDDY_TREE_FINISH:
        folder_finish (copy, piece.folder);
        break;
    case EDDY_TREE_FILE:
        eddy__tree_item_run (copy, &piece.item);
        break;
    }
    return true;
}

static size_t copy_get_available (const EddyTreeWork *work)
{
    return eddy__tree_queue_get_available ((const EddyTreeCopy *) work);
}

static bool copy_is_finding (const EddyTreeWork *work)
{
    const EddyTreeCopy *copy = (const EddyTreeCopy *) work;
    return copy->n_walks > 0 || copy->queue.n_to_walk > 0;
}

static void copy_get_progress (const EddyTreeWork *work, int64_t *current, int64_t *total)
{
    *current = work->counts.bytes_settled;
    *total = work->counts.bytes_found;
}

static void copy_clear (EddyTreeWork *work)
{
    EddyTreeCopy *copy = (EddyTreeCopy *) work;
    eddy__tree_links_clear (&copy->links);
    eddy__tree_made_clear (&copy->made);
    eddy__tree_into_clear (copy);
}

static const EddyClass copy_class = { .name = "EddyTreeWork",
                                      .size = sizeof (EddyTreeCopy),
                                      .finalize = eddy__tree_work_finalize };

static const EddyTreeKind copy_kind = { .name = "copy",
                                        .n_fibers = EDDY_TREE_COPY_FIBERS,
                                        .begin = copy_begin,
                                        .take_up = copy_take_up,
                                        .step = copy_step,
                                        .get_available = copy_get_available,
                                        .is_finding = copy_is_finding,
                                        .get_progress = copy_get_progress,
                                        .clear = copy_clear };

EddyTreeWork *eddy_tree_work_new_copy (EddyFileCopyFlags flags, EddyTreeFlags tree_flags)
{
    EddyTreeWork *work = eddy__tree_work_new (&copy_class, &copy_kind, tree_flags);
    if (work != NULL)
        ((EddyTreeCopy *) work)->flags = flags | EDDY_FILE_COPY_NOFOLLOW_SYMLINKS;
    return work;
}

bool eddy_tree_work_add_copy (EddyTreeWork *work, EddyFile *source, EddyFile *destination)
{
    EDDY__EXPECT (work != NULL && work->kind == &copy_kind && !work->has_run, false);
    EDDY__EXPECT (source != NULL && destination != NULL, false);
    return eddy__tree_work_add (work, source, destination);
}

bool eddy_file_copy_tree_body (EddyFile *source, EddyFile *destination, EddyFileCopyFlags flags,
                               EddyCancellable *cancellable,
                               EddyFileProgressCallback progress_callback,
                               void *progress_callback_data, EddyError **error)
{
    EDDY__EXPECT (source != NULL && destination != NULL, false);
    return eddy__tree_run_one (eddy_tree_work_new_copy (flags, EDDY_TREE_NONE), source, destination,
                               cancellable, progress_callback, progress_callback_data, error);
}
