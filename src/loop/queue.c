/* SPDX-License-Identifier: MIT */
/* EddyReadyQueue: a short sorted array of lists. */
#include "loop/queue-private.h"

#include <string.h>

/* The level of a priority, made if need be. Levels stay when they are empty: a program uses the
 * same few priorities again and again. */
static EddyReadyLevel *ready_get_level (EddyReadyQueue *queue, int priority)
{
    unsigned i = 0;
    while (i < queue->n_levels && queue->levels[i].priority < priority)
        i++;
    if (i < queue->n_levels && queue->levels[i].priority == priority)
        return &queue->levels[i];
    if (queue->n_levels == EDDY__READY_LEVELS)
        return &queue->levels[i < EDDY__READY_LEVELS ? i : EDDY__READY_LEVELS - 1];
    memmove (&queue->levels[i + 1], &queue->levels[i],
             (queue->n_levels - i) * sizeof queue->levels[0]);
    queue->n_levels++;
    queue->levels[i] = (EddyReadyLevel){ .priority = priority };
    return &queue->levels[i];
}

void eddy__ready_push (EddyReadyQueue *queue, EddyEntry *entry)
{
    EddyReadyLevel *level = &queue->levels[0];
    if (queue->n_levels == 0 || level->priority != entry->priority)
        level = ready_get_level (queue, entry->priority);
    entry->turn = queue->turn;
    entry->next = NULL;
    if (level->first == NULL)
        level->first = entry;
    else
        level->last->next = entry;
    level->last = entry;
    queue->n_entries++;
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
        queue->n_entries--;
        return;
    }
}

EddyReadyLevel *eddy__ready_most_urgent (EddyReadyQueue *queue)
{
    for (unsigned i = 0; i < queue->n_levels; i++)
        if (queue->levels[i].first != NULL)
            return &queue->levels[i];
    return NULL;
}
