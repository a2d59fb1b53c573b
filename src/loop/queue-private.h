/* SPDX-License-Identifier: MIT */
/* EddyReadyQueue: what a context will dispatch, by priority.
 *
 * Each entry carries the turn in which it was queued, and a pass runs only entries older than
 * itself: what a callback queues waits for the next pass, and a nested pass goes on where the outer
 * one stopped. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler-private.h"
#include "engine/port-private.h"

typedef struct EddyReadyLevel {
    int priority;
    EddyEntry *first;
    EddyEntry *last;
} EddyReadyLevel;

enum { EDDY__READY_LEVELS = 32 };

typedef struct EddyReadyQueue {
    EddyReadyLevel *latest; /* that an entry joined: mostly the next one joins it, too */
    uint32_t turn;
    unsigned n_levels;
    /* Programs use a handful of priorities; past 32 at once, entries join the nearest less urgent
     * level. A level once made stays, and stays where it is. */
    EddyReadyLevel *order[EDDY__READY_LEVELS]; /* most urgent first */
    EddyReadyLevel levels[EDDY__READY_LEVELS]; /* as they came */
} EddyReadyQueue;

/* The level that entries of a priority join; made if need be. */
EddyReadyLevel *eddy__ready_get_level (EddyReadyQueue *queue, int priority);
/* Takes an entry out before its turn. */
void eddy__ready_remove (EddyReadyQueue *queue, EddyEntry *entry);

/* The same, when the entry is among the first of its level; whether it was. */
bool eddy__ready_remove_near (EddyReadyQueue *queue, EddyEntry *entry);
/* Takes out all entries that `is_out` tells; returns them as a chain. */
EddyEntry *eddy__ready_sweep (EddyReadyQueue *queue, bool (*is_out) (const EddyEntry *entry));

void eddy__ready_push_elsewhere (EddyReadyQueue *queue, EddyEntry *entry);

static inline void eddy__ready_join (EddyReadyQueue *queue, EddyReadyLevel *level, EddyEntry *entry)
{
    entry->turn = queue->turn;
    entry->next = NULL;
    if (level->first == NULL)
        level->first = entry;
    else
        level->last->next = entry;
    level->last = entry;
}

static inline void eddy__ready_push (EddyReadyQueue *queue, EddyEntry *entry)
{
    EddyReadyLevel *level = queue->latest;
    if (EDDY__LIKELY (level != NULL && level->priority == entry->priority))
        eddy__ready_join (queue, level, entry);
    else
        eddy__ready_push_elsewhere (queue, entry);
}

/* The most urgent level that has entries; NULL: none has. */
static inline EddyReadyLevel *eddy__ready_most_urgent (const EddyReadyQueue *queue)
{
    for (unsigned i = 0; i < queue->n_levels; i++)
        if (queue->order[i]->first != NULL)
            return queue->order[i];
    return NULL;
}

/* Takes the first entry of a level if it is older than `turn`; NULL otherwise. */
static inline EddyEntry *eddy__ready_take (EddyReadyLevel *level, uint32_t turn)
{
    EddyEntry *entry = level->first;
    if (entry == NULL || (int32_t) (entry->turn - turn) >= 0)
        return NULL;
    level->first = entry->next;
    return entry;
}
