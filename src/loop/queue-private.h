/* SPDX-License-Identifier: MIT */
/* EddyReadyQueue: what a context will dispatch, by priority.
 *
 * Each entry carries the turn in which it was queued, and a pass runs only entries older than
 * itself: what a callback queues waits for the next pass, and a nested pass goes on where the outer
 * one stopped. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/port-private.h"

typedef struct EddyReadyLevel {
    int priority;
    EddyEntry *first;
    EddyEntry *last;
} EddyReadyLevel;

enum { EDDY__READY_LEVELS = 32 };

typedef struct EddyReadyQueue {
    /* Most urgent first. Programs use a handful of priorities; past 32 at once, entries join the
     * nearest less urgent level. */
    EddyReadyLevel levels[EDDY__READY_LEVELS];
    unsigned n_levels;
    unsigned n_entries;
    uint32_t turn;
} EddyReadyQueue;

void eddy__ready_push (EddyReadyQueue *queue, EddyEntry *entry);
/* Takes an entry out before its turn. */
void eddy__ready_remove (EddyReadyQueue *queue, EddyEntry *entry);
/* The most urgent level that has entries; NULL: none has. */
EddyReadyLevel *eddy__ready_most_urgent (EddyReadyQueue *queue);
/* The level of a priority; NULL: none. Good until the next push, which may move levels. */
static inline EddyReadyLevel *eddy__ready_find (EddyReadyQueue *queue, int priority)
{
    for (unsigned i = 0; i < queue->n_levels; i++)
        if (queue->levels[i].priority == priority)
            return &queue->levels[i];
    return NULL;
}
/* Takes the first entry of a priority if it is older than `turn`, and if `run` is NULL or what it
 * runs; NULL otherwise. */
static inline EddyEntry *eddy__ready_take (EddyReadyQueue *queue, int priority, uint32_t turn,
                                           void (*run) (EddyEntry *entry))
{
    EddyReadyLevel *level = eddy__ready_find (queue, priority);
    EddyEntry *entry = level == NULL ? NULL : level->first;
    if (entry == NULL || (int32_t) (entry->turn - turn) >= 0 || (run != NULL && entry->run != run))
        return NULL;
    level->first = entry->next;
    entry->next = NULL;
    queue->n_entries--;
    return entry;
}
