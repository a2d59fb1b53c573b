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

/* The same for what may be large and is filled at once: from EDDY__ALLOC_HUGE bytes on in huge
 * pages, where the system has them. 64 MiB are then 32 page faults rather than 16,384. */
void *eddy__alloc_large (size_t size);
void *eddy__realloc_large (void *memory, size_t size);

enum { EDDY__ALLOC_HUGE = 8 << 20 };

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
    EDDY__BLOCK_STEP = 32,     /* sizes are rounded up to this … */
    EDDY__BLOCK_LESS = 8,      /* … less what malloc itself needs between two blocks */
    EDDY__BLOCK_ALIGNED = 320, /* blocks from this size on begin at a cache line … */
    EDDY__BLOCK_LINE = 64,     /* … of this size */
    EDDY__BLOCK_CLASSES = 32,  /* so blocks of up to 1 KiB are kept */
    EDDY__BLOCK_KEEP = 512     /* of each size at most, each thread */
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

/* Which of the lists blocks of this size are in. */
static inline size_t eddy__block_class (size_t size)
{
    return (size + EDDY__BLOCK_LESS - 1) / EDDY__BLOCK_STEP;
}

/* A block from this thread's list; NULL when there is none. */
static inline void *eddy__block_take (size_t size)
{
    size_t class = eddy__block_class (size);
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
    size_t class = eddy__block_class (size);
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

/* Memory for what is about to be read, most of which may be left empty: each thread keeps the last
 * piece that was given back. Of EDDY__SPARE_LEAST to EDDY__SPARE_MOST bytes; else it is malloc's. A
 * piece that is not given back is freed as any memory is. */
enum { EDDY__SPARE_LEAST = 1024, EDDY__SPARE_MOST = 128 << 10 };
void *eddy__spare_take (size_t size);
void eddy__spare_give (void *memory, size_t size);

/* The reserve: for small records without which nobody could be told that memory is out. As blocks,
 * but from static memory when there is no other: 128 records of up to 256 bytes. When these are in
 * use too, the process ends with a message. */
void *eddy__reserve_alloc (size_t size);
void eddy__reserve_free (void *memory, size_t size);

/* Says that memory is out, and ends the process: for the few places that can tell nobody. */
_Noreturn void eddy__alloc_exhausted (size_t size);
