/* SPDX-License-Identifier: MIT */
/* EddyReadyQueue: a few lists, and a short sorted array of them. */
#include "loop/queue-private.h"

#include <string.h>

/* How far a removal looks that may as well not find it. */
enum { NEAR = 32 };

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

/* Looks for an entry in a level, at most so far; takes it out, and returns whether it was there. */
static bool ready_remove_from (EddyReadyLevel *level, EddyEntry *entry, size_t farthest)
{
    EddyEntry *before = NULL;
    EddyEntry *at = level->first;
    for (size_t i = 0; at != NULL && at != entry && i < farthest; i++) {
        before = at;
        at = at->next;
    }
    if (at != entry)
        return false;
    if (before == NULL)
        level->first = entry->next;
    else
        before->next = entry->next;
    if (level->last == entry)
        level->last = before;
    entry->next = NULL;
    return true;
}

void eddy__ready_remove (EddyReadyQueue *queue, EddyEntry *entry)
{
    for (unsigned i = 0; i < queue->n_levels; i++)
        if (ready_remove_from (&queue->levels[i], entry, SIZE_MAX))
            return;
}

bool eddy__ready_remove_near (EddyReadyQueue *queue, EddyEntry *entry)
{
    for (unsigned i = 0; i < queue->n_levels; i++)
        if (queue->levels[i].priority == entry->priority)
            return ready_remove_from (&queue->levels[i], entry, NEAR);
    return false;
}

EddyEntry *eddy__ready_sweep (EddyReadyQueue *queue, bool (*is_out) (const EddyEntry *entry))
{
    EddyEntry *out = NULL;
    for (unsigned i = 0; i < queue->n_levels; i++) {
        EddyReadyLevel *level = &queue->levels[i];
        EddyEntry **link = &level->first;
        level->last = NULL;
        while (*link != NULL) {
            EddyEntry *entry = *link;
            if (is_out (entry)) {
                *link = entry->next;
                entry->next = out;
                out = entry;
            } else {
                level->last = entry;
                link = &entry->next;
            }
        }
    }
    return out;
}
