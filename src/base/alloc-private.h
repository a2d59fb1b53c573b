/* SPDX-License-Identifier: MIT */
/* The one door to malloc. Everything returns NULL when memory is out. */
#pragma once

#include <stddef.h>

#include "base/compiler-private.h"

/* Memory of any size; `eddy__free` and `eddy_free` are one. */
void *eddy__alloc (size_t size);
void *eddy__alloc0 (size_t size);
void *eddy__realloc (void *memory, size_t size);
void eddy__free (void *memory);
char *eddy__strdup (const char *string);

/* A test's hook: asked before each allocation whether it may succeed. NULL: always. Blocks taken
 * from a thread's list count too. */
typedef int (*EddyAllocFault) (size_t size, void *data);
void eddy__alloc_set_fault (EddyAllocFault fault, void *data);
extern EddyAllocFault eddy__alloc_fault; /* atomic */
bool eddy__alloc_is_denied (size_t size);

/* Blocks: small records that come and go all the time. Each thread keeps freed ones in lists by
 * size, so that a block costs a few nanoseconds. A block may be freed on another thread; the size
 * must be the one it was asked for with. Not zeroed. */
void *eddy__block_alloc_slow (size_t size);
void eddy__block_free_slow (void *block, size_t size);

enum {
    EDDY__BLOCK_STEP = 64,    /* sizes are rounded up to this: one cache line */
    EDDY__BLOCK_CLASSES = 16, /* so blocks of up to 1 KiB are kept */
    EDDY__BLOCK_KEEP = 512    /* of each size at most, each thread */
};

typedef struct EddyBlock {
    struct EddyBlock *next;
} EddyBlock;

typedef struct EddyBlockList {
    EddyBlock *first;
    /* So many more may be kept; 0 before the lists are registered to be freed at thread exit. */
    size_t room;
} EddyBlockList;

extern EDDY__THREAD EddyBlockList eddy__block_lists[EDDY__BLOCK_CLASSES];

/* A block from this thread's list; NULL when there is none. */
static inline void *eddy__block_take (size_t size)
{
    size_t class = (size - 1) / EDDY__BLOCK_STEP;
    if (class >= EDDY__BLOCK_CLASSES)
        return NULL;
    EddyBlockList *list = &eddy__block_lists[class];
    EddyBlock *block = list->first;
    if (EDDY__UNLIKELY (block == NULL ||
                        __atomic_load_n (&eddy__alloc_fault, __ATOMIC_RELAXED) != NULL))
        return NULL;
    list->first = block->next;
    list->room++;
    return block;
}

static inline void *eddy__block_alloc (size_t size)
{
    void *block = eddy__block_take (size);
    return EDDY__LIKELY (block != NULL) ? block : eddy__block_alloc_slow (size);
}

static inline void eddy__block_free (void *memory, size_t size)
{
    size_t class = (size - 1) / EDDY__BLOCK_STEP;
    if (EDDY__UNLIKELY (class >= EDDY__BLOCK_CLASSES || memory == NULL ||
                        eddy__block_lists[class].room == 0)) {
        eddy__block_free_slow (memory, size);
        return;
    }
    EddyBlockList *list = &eddy__block_lists[class];
    EddyBlock *block = memory;
    block->next = list->first;
    list->first = block;
    list->room--;
}

/* The reserve: for small records without which nobody could be told that memory is out. As blocks,
 * but from static memory when there is no other: 128 records of up to 256 bytes. When these are in
 * use too, the process ends with a message. */
void *eddy__reserve_alloc (size_t size);
void eddy__reserve_free (void *memory, size_t size);

/* Says that memory is out, and ends the process: for the few places that can tell nobody. */
_Noreturn void eddy__alloc_exhausted (size_t size);
