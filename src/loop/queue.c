/* SPDX-License-Identifier: MIT */
/* EddyReadyQueue: a few lists, and a short sorted array of them. */
#include "loop/queue-private.h"

#include <string.h>

EddyReadyLevel *eddy__ready_get_level (EddyReadyQueue *queue, int priority)
{
    unsigned i = 0;
    while (i < queue->n_levels && queue->order[i]->priority < priority)
        i++;
    if (i < queue->n_levels && queue->order[i]->priority == priority)
        return queue->latest = queue->order[i];
    if (queue->n_levels == EDDY__READY_LEVELS)
        return queue->order[i < EDDY__READY_LEVELS ? i : EDDY__READY_LEVELS - 1];
    memmove (&queue->order[i + 1], &queue->order[i],
             (queue->n_levels - i) * sizeof queue->order[0]);
    EddyReadyLevel *level = &queue->levels[queue->n_levels++];
    *level = (EddyReadyLevel){ .priority = priority };
    return queue->latest = queue->order[i] = level;
}

void eddy__ready_push_elsewhere (EddyReadyQueue *queue, EddyEntry *entry)
{
    eddy__ready_join (queue, eddy__ready_get_level (queue, entry->priority), entry);
}

void eddy__ready_remove (EddyReadyQueue *queue, EddyEntry *entry)
{
    for (unsigned i = 0; i < queue->n_levels; i++) {
        EddyReadyLevel *level = &queue->levels[i];
        EddyEntry *before = NULL;
        EddyEntry *at = level->first;
        while (at != NULL && at != entry) {
            before = at;
            at = at->next;
        }
        if (at == NULL)
            continue;
        if (before == NULL)
            level->first = entry->next;
        else
            before->next = entry->next;
        if (level->last == entry)
            level->last = before;
        entry->next = NULL;
        return;
    }
}
