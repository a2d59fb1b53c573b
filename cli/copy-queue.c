/* SPDX-License-Identifier: MIT */
/* What is still to be done, and what of it comes next. */
#include "copy.h"

#include <stdlib.h>

void copy_queue_walk (Copy *copy, CopyFolder *folder)
{
    folder->next = copy->queue.to_walk;
    copy->queue.to_walk = folder;
    copy->queue.n_to_walk++;
}

void copy_queue_finish (Copy *copy, CopyFolder *folder)
{
    folder->next = copy->queue.to_finish;
    copy->queue.to_finish = folder;
    copy->queue.n_to_finish++;
}

void copy_queue_files (Copy *copy, CopyFolder *folder)
{
    CopyQueue *queue = &copy->queue;
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

void copy_queue_item (Copy *copy, CopyItem *item)
{
    CopyQueue *queue = &copy->queue;
    item->next = NULL;
    if (queue->last_item == NULL)
        queue->first_item = item;
    else
        queue->last_item->next = item;
    queue->last_item = item;
    queue->n_items++;
}

static CopyFolder *queue_pop_folder (CopyFolder **list, size_t *n)
{
    CopyFolder *folder = *list;
    *list = folder->next;
    (*n)--;
    return folder;
}

static void queue_pop_item (CopyQueue *queue, CopyItem *taken)
{
    CopyItem *item = queue->first_item;
    queue->first_item = item->next;
    if (queue->first_item == NULL)
        queue->last_item = NULL;
    queue->n_items--;
    *taken = *item;
    free (item);
}

static void queue_pop_first_folder (CopyQueue *queue)
{
    queue->first_folder = queue->first_folder->next;
    if (queue->first_folder == NULL)
        queue->last_folder = NULL;
}

/* The next file of the folder that comes first; its names are made now. */
static void queue_pop_file (CopyQueue *queue, CopyItem *taken)
{
    CopyFolder *folder = queue->first_folder;
    const EddyFileInfo *info;
    do
        info = eddy_file_info_list_get (folder->children, folder->next_child++);
    while (eddy_file_info_get_file_type (info) == EDDY_FILE_TYPE_DIRECTORY);
    if (--folder->n_waiting == 0)
        queue_pop_first_folder (queue);
    queue->n_files--;
    const char *name = eddy_file_info_get_name (info);
    *taken = (CopyItem){ .folder = folder,
                         .source = eddy_file_get_child_for_info (folder->source, info),
                         .destination = eddy_file_get_child (folder->destination, name),
                         .info = info };
}

/* Lets go of everything that was not begun. Folders that were made stay to be finished. */
static void queue_drop (Copy *copy)
{
    CopyQueue *queue = &copy->queue;
    while (queue->to_walk != NULL)
        copy_folder_end_child (copy, queue_pop_folder (&queue->to_walk, &queue->n_to_walk));
    while (queue->first_item != NULL) {
        CopyItem item;
        queue_pop_item (queue, &item);
        copy_item_clear (&item);
        copy_folder_end_child (copy, item.folder);
    }
    while (queue->first_folder != NULL) {
        CopyFolder *folder = queue->first_folder;
        queue_pop_first_folder (queue);
        queue->n_files -= folder->n_waiting;
        for (; folder->n_waiting > 1; folder->n_waiting--)
            folder->n_unfinished--;
        folder->n_waiting = 0;
        copy_folder_end_child (copy, folder);
    }
}

/* Folders come before files, so that the totals are known soon, unless many files wait. */
static bool queue_may_walk (const Copy *copy)
{
    const CopyQueue *queue = &copy->queue;
    return queue->to_walk != NULL && copy->n_walks < COPY_WALKS &&
           queue->n_files < COPY_QUEUE_LIMIT;
}

bool copy_queue_take (Copy *copy, CopyWork *work)
{
    CopyQueue *queue = &copy->queue;
    if (copy_is_stopping (copy))
        queue_drop (copy);
    if (queue->to_finish != NULL) {
        work->kind = COPY_WORK_FINISH;
        work->folder = queue_pop_folder (&queue->to_finish, &queue->n_to_finish);
    } else if (queue_may_walk (copy)) {
        work->kind = COPY_WORK_WALK;
        work->folder = queue_pop_folder (&queue->to_walk, &queue->n_to_walk);
    } else if (queue->first_item != NULL) {
        work->kind = COPY_WORK_FILE;
        queue_pop_item (queue, &work->item);
    } else if (queue->first_folder != NULL) {
        work->kind = COPY_WORK_FILE;
        queue_pop_file (queue, &work->item);
    } else {
        return false;
    }
    return true;
}

size_t copy_queue_get_available (const Copy *copy)
{
    const CopyQueue *queue = &copy->queue;
    size_t n_walks = COPY_WALKS - copy->n_walks;
    if (n_walks > queue->n_to_walk)
        n_walks = queue->n_to_walk;
    return queue->n_files + queue->n_items + queue->n_to_finish + n_walks;
}
