/* SPDX-License-Identifier: MIT */
/* EddySourceTable: a context's sources by id.
 *
 * An id is a slot and its generation, so finding and removing take constant time and no id comes
 * twice. The table outlives its context: a thread that destroys a source while another one frees
 * the context finds out here, under the lock, that there is no context any more. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <eddy/source.h>

#include "base/list-private.h"
#include "engine/port-private.h"

typedef struct EddySourceSlot {
    EddySource *source; /* NULL: free */
    uint32_t generation;
    uint32_t next_free;
} EddySourceSlot;

typedef struct EddySourceTable {
    EddyList member; /* of all tables */
    pthread_mutex_t mutex;
    uint32_t references;  /* atomic: the context's, and one of each source */
    EddyPort *port;       /* a reference */
    void *owner;          /* the context's, for who must not touch the context; atomic */
    EddyContext *context; /* under the lock; NULL: gone */
    EddySourceSlot *slots;
    uint32_t n_slots;
    uint32_t first_free; /* UINT32_MAX: none */
} EddySourceTable;

/* Of a context to come, which the caller puts in, under the lock, when it is complete. */
EddySourceTable *eddy__source_table_new (EddyPort *port);
EddySourceTable *eddy__source_table_ref (EddySourceTable *table);
void eddy__source_table_unref (EddySourceTable *table);

/* Takes the context if no thread has it: under the table's lock, so that it cannot be freed, and so
 * shortly that whoever would acquire it meanwhile just waits. True: the lock is held until the end
 * of it (source.c). */
bool eddy__context_take_care (EddySourceTable *table);
void eddy__context_end_care (EddySourceTable *table);

/* All of them: a debugger begins here. Under a lock of its own. */
extern EddyList eddy__source_tables;

/* The tables of all contexts that there are, oldest first, with a reference to each of as many as
 * there is room for; returns how many there are. */
size_t eddy__source_tables_ref_all (EddySourceTable **tables, size_t room);

/* The id of a source from now on; 0: memory is out. Any thread, as all that follow; `locked`: the
 * caller has the lock. */
uint64_t eddy__source_table_add (EddySourceTable *table, EddySource *source, bool locked);
/* Nothing happens when it has been removed. */
void eddy__source_table_remove (EddySourceTable *table, uint64_t id, bool locked);
/* A reference, or NULL. */
EddySource *eddy__source_table_find (EddySourceTable *table, uint64_t id);
EddySource *eddy__source_table_find_by_user_data (EddySourceTable *table, const void *user_data);
/* Any source, a reference, from slot `*at` on, which is moved behind it; NULL: none is left. */
EddySource *eddy__source_table_next (EddySourceTable *table, uint32_t *at);
