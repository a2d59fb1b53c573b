/* SPDX-License-Identifier: MIT */
/* What is still to be done, and what of it comes next. */
#include "file/tree-copy-private.h"

#include "base/alloc-private.h"

void eddy__tree_queue_walk (EddyTreeCopy *copy, EddyTreeFolder *folder)
{
    folder->next = copy->queue.to_walk;
    copy->queue.to_walk = folder;
    copy->queue.n_to_walk++;
}

void eddy__tree_queue_finish (EddyTreeCopy *copy, EddyTreeFolder *folder)
{
    folder->next = copy->queue.to_finish;
    copy->queue.to_finish = folder;
    copy->queue.n_to_finish++;
}

void eddy__tree_queue_files (EddyTreeCopy *copy, EddyTreeFolder *folder)
{
    EddyTreeQueue *queue = &copy->queue;
    if (folder->n_waiting == 0)
        return;
    folder->next = NULL;
    if (queue->last_folder == NULL)
        queue->first_folder = folder;
    else
        queue->last_folder->next = folder;
    queue->last_folder = folder;
    queue->n_files += folder->n_waiting;
}

void eddy__tree_queue_item (EddyTreeCopy *copy, EddyTreeItem *item)
{
    EddyTreeQueue *queue = &copy->queue;
    item->next = NULL;
    if (queue->last_item == NULL)
        queue->first_item = item;
    else
        queue->last_item->next = item;
    queue->last_item = item;
    queue->n_items++;
}

static EddyTreeFolder *queue_pop_folder (EddyTreeFolder **list, size_t *n)
{
    EddyTreeFolder *folder = *list;
    *list = folder->next;
    (*n)--;
    return folder;
}

static void queue_pop_item (EddyTreeQueue *queue, EddyTreeItem *taken)
{
    EddyTreeItem *item = queue->first_item;
    queue->first_item = item->next;
    if (queue->first_item == NULL)
        queue->last_item = NULL;
    queue->n_items--;
    *taken = *item;
    eddy__free (item);
}

static void queue_pop_first_folder (EddyTreeQueue *queue)
{
    queue->first_folder = queue->first_folder->next;
    if (queue->first_folder == NULL)
        queue->last_folder = NULL;
}

/* The next file of the folder that comes first; its names are made now. */
static void queue_pop_file (EddyTreeQueue *queue, EddyTreeItem *taken)
{
    EddyTreeFolder *folder = queue->first_folder;
    const EddyFileInfo *info;
    do
        info = eddy_file_info_list_get (folder->children, folder->next_child++);
    while (eddy_file_info_get_file_type (info) == EDDY_FILE_TYPE_DIRECTORY);
    if (--folder->n_waiting == 0)
        queue_pop_first_folder (queue);
    queue->n_files--;
    const char *name = eddy_file_info_get_name (info);
    *taken = (EddyTreeItem){ .folder = folder,
                             .source = eddy_file_get_child_for_info (folder->source, info),
                             .destination = eddy_file_get_child (folder->destination, name),
                             .info = info };
}

/* Lets go of everything that was not begun. Folders that were made stay to be finished. */
static void queue_drop (EddyTreeCopy *copy)
{
    EddyTreeQueue *queue = &copy->queue;
    copy->work.is_cut_short |=
        queue->to_walk != NULL || queue->first_item != NULL || queue->first_folder != NULL;
    while (queue->to_walk != NULL)
        eddy__tree_folder_end_child (copy, queue_pop_folder (&queue->to_walk, &queue->n_to_walk));
    while (queue->first_item != NULL) {
        EddyTreeItem item;
        queue_pop_item (queue, &item);
        eddy__tree_item_clear (&item);
        eddy__tree_folder_end_child (copy, item.folder);
    }
    while (queue->first_folder != NULL) {
        EddyTreeFolder *folder = queue->first_folder;
        queue_pop_first_folder (queue);
        queue->n_files -= folder->n_waiting;
        for (; folder->n_waiting > 1; folder->n_waiting--)
            folder->n_unfinished--;
        folder->n_waiting = 0;
        eddy__tree_folder_end_child (copy, folder);
    }
}

/* Folders come before files, so that the totals are known soon, unless many files wait. */
static bool queue_may_walk (const EddyTreeCopy *copy)
{
    const EddyTreeQueue *queue = &copy->queue;
    return queue->to_walk != NULL && copy->n_walks < EDDY_TREE_COPY_WALKS &&
           queue->n_files < EDDY_TREE_COPY_QUEUE_LIMIT;
}

bool eddy__tree_queue_take (EddyTreeCopy *copy, EddyTreePiece *piece)
{
    EddyTreeQueue *queue = &copy->queue;
    if (eddy__tree_is_stopping (&copy->work))
        queue_drop (copy);
    if (queue->to_finish != NULL) {
        piece->kind = EDDY_TREE_FINISH;
        piece->folder = queue_pop_folder (&queue->to_finish, &queue->n_to_finish);
    } else if (queue_may_walk (copy)) {
        piece->kind = EDDY_TREE_WALK;
        piece->folder = queue_pop_folder (&queue->to_walk, &queue->n_to_walk);
    } else if (queue->first_item != NULL) {
        piece->kind = EDDY_TREE_FILE;
        queue_pop_item (queue, &piece->item);
    } else if (queue->first_folder != NULL) {
        piece->kind = EDDY_TREE_FILE;
        queue_pop_file (queue, &piece->item);
    } else {
        return false;
    }
    return true;
}

size_t eddy__tree_queue_get_available (const EddyTreeCopy *copy)
{
    const EddyTreeQueue *queue = &copy->queue;
    size_t n_walks = EDDY_TREE_COPY_WALKS - copy->n_walks;
    if (n_walks > queue->n_to_walk)
        n_walks = queue->n_to_walk;
    return queue->n_files + queue->n_items + queue->n_to_finish + n_walks;
}
