/* SPDX-License-Identifier: MIT */
/* EddySourceTable: slots under a lock. */
#include "loop/source-table-private.h"

#include <string.h>

#include "base/alloc-private.h"
#include "base/compiler-private.h"
#include "loop/source-private.h"

enum { FIRST_SLOTS = 16 };

#define NO_SLOT UINT32_MAX

static pthread_mutex_t tables_mutex = PTHREAD_MUTEX_INITIALIZER;
EddyList eddy__source_tables = { &eddy__source_tables, &eddy__source_tables };

EddySourceTable *eddy__source_table_new (EddyPort *port)
{
    EddySourceTable *table = eddy__alloc0 (sizeof *table);
    if (table == NULL)
        return NULL;
    pthread_mutex_init (&table->mutex, NULL);
    table->references = 1;
    table->port = eddy__port_ref (port, 1);
    table->first_free = NO_SLOT;
    pthread_mutex_lock (&tables_mutex);
    eddy__list_append (&eddy__source_tables, &table->member);
    pthread_mutex_unlock (&tables_mutex);
    return table;
}

EddySourceTable *eddy__source_table_ref (EddySourceTable *table)
{
    __atomic_add_fetch (&table->references, 1, __ATOMIC_RELAXED);
    return table;
}

void eddy__source_table_unref (EddySourceTable *table)
{
    if (__atomic_sub_fetch (&table->references, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    pthread_mutex_lock (&tables_mutex);
    eddy__list_remove (&table->member);
    pthread_mutex_unlock (&tables_mutex);
    eddy__port_unref (table->port, 1);
    pthread_mutex_destroy (&table->mutex);
    eddy__free (table->slots);
    eddy__free (table);
}

/* One that goes is still in the list, and nobody's any more. */
static bool table_try_ref (EddySourceTable *table)
{
    uint32_t references = __atomic_load_n (&table->references, __ATOMIC_RELAXED);
    while (references != 0) {
        if (__atomic_compare_exchange_n (&table->references, &references, references + 1,
                                         /* weak= */ true, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return true;
    }
    return false;
}

size_t eddy__source_tables_ref_all (EddySourceTable **tables, size_t room)
{
    size_t n = 0;
    pthread_mutex_lock (&tables_mutex);
    for (EddyList *link = eddy__source_tables.next; link != &eddy__source_tables;
         link = link->next) {
        EddySourceTable *table = EDDY__CONTAINER (link, EddySourceTable, member);
        if (n >= room)
            n++;
        else if (table_try_ref (table))
            tables[n++] = table;
    }
    pthread_mutex_unlock (&tables_mutex);
    return n;
}

static bool table_grow (EddySourceTable *table)
{
    uint32_t n = table->n_slots == 0 ? FIRST_SLOTS : table->n_slots * 2;
    EddySourceSlot *grown =
        n < table->n_slots ? NULL : eddy__realloc (table->slots, n * sizeof *grown);
    if (grown == NULL)
        return false;
    for (uint32_t i = table->n_slots; i < n; i++)
        grown[i] = (EddySourceSlot){ .next_free = i + 1 < n ? i + 1 : NO_SLOT };
    table->first_free = table->n_slots;
    table->slots = grown;
    table->n_slots = n;
    return true;
}

uint64_t eddy__source_table_add (EddySourceTable *table, EddySource *source, bool locked)
{
    uint64_t id = 0;
    if (!locked)
        pthread_mutex_lock (&table->mutex);
    if (table->first_free != NO_SLOT || table_grow (table)) {
        uint32_t index = table->first_free;
        EddySourceSlot *slot = &table->slots[index];
        table->first_free = slot->next_free;
        slot->source = source;
        id = (uint64_t) slot->generation << 32 | (index + 1);
        source->id = id;
    }
    if (!locked)
        pthread_mutex_unlock (&table->mutex);
    return id;
}

/* The slot of an id while its source is there; NULL otherwise. Under the lock. */
static EddySourceSlot *table_get (EddySourceTable *table, uint64_t id)
{
    uint32_t index = (uint32_t) id - 1; /* of 0: far beyond all slots */
    if (index >= table->n_slots)
        return NULL;
    EddySourceSlot *slot = &table->slots[index];
    return slot->source != NULL && slot->generation == id >> 32 ? slot : NULL;
}

void eddy__source_table_remove (EddySourceTable *table, uint64_t id, bool locked)
{
    if (!locked)
        pthread_mutex_lock (&table->mutex);
    EddySourceSlot *slot = table_get (table, id);
    if (slot != NULL) {
        slot->source = NULL;
        /* A slot that has had all generations is left alone: its ids would come again. */
        if (++slot->generation != 0) {
            slot->next_free = table->first_free;
            table->first_free = (uint32_t) id - 1;
        }
    }
    if (!locked)
        pthread_mutex_unlock (&table->mutex);
}

/* A source leaves the table before the context's reference is given up, so there is one to add to.
 */
EddySource *eddy__source_table_find (EddySourceTable *table, uint64_t id)
{
    pthread_mutex_lock (&table->mutex);
    EddySourceSlot *slot = table_get (table, id);
    EddySource *source = slot == NULL ? NULL : eddy_ref (slot->source);
    pthread_mutex_unlock (&table->mutex);
    return source;
}

EddySource *eddy__source_table_find_by_user_data (EddySourceTable *table, const void *user_data)
{
    EddySource *found = NULL;
    pthread_mutex_lock (&table->mutex);
    for (uint32_t i = 0; i < table->n_slots && found == NULL; i++) {
        EddySource *source = table->slots[i].source;
        /* Callbacks of attached sources are exchanged under this lock. */
        if (source != NULL && source->callback.function != NULL &&
            source->callback.user_data == user_data)
            found = eddy_ref (source);
    }
    pthread_mutex_unlock (&table->mutex);
    return found;
}

EddySource *eddy__source_table_next (EddySourceTable *table, uint32_t *at)
{
    EddySource *source = NULL;
    pthread_mutex_lock (&table->mutex);
    while (*at < table->n_slots && source == NULL)
        source = eddy_ref (table->slots[(*at)++].source);
    pthread_mutex_unlock (&table->mutex);
    return source;
}
