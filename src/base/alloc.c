/* SPDX-License-Identifier: MIT */
/* The one door to malloc, and each thread's lists of small blocks.
 *
 * glibc's malloc takes 19 ns for a pair where one of these lists takes 3; an operation makes two or
 * three records, so this is most of what an operation costs beside its system call. Under a
 * sanitizer the lists are off: each block is then malloc's own, and a use after free is seen. */
#include "base/alloc-private.h"

#include <eddy/object.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler-private.h"

static EddyAllocFault alloc_fault;
static void *alloc_fault_data;

void eddy__alloc_set_fault (EddyAllocFault fault, void *data)
{
    alloc_fault_data = data;
    __atomic_store_n (&alloc_fault, fault, __ATOMIC_RELEASE);
}

static bool alloc_is_denied (size_t size)
{
    EddyAllocFault fault = __atomic_load_n (&alloc_fault, __ATOMIC_RELAXED);
    return EDDY__UNLIKELY (fault != NULL) && fault (size, alloc_fault_data) != 0;
}

void *eddy__alloc (size_t size)
{
    return alloc_is_denied (size) ? NULL : malloc (size);
}

void *eddy__alloc0 (size_t size)
{
    return alloc_is_denied (size) ? NULL : calloc (1, size);
}

void *eddy__realloc (void *memory, size_t size)
{
    return alloc_is_denied (size) ? NULL : realloc (memory, size);
}

void eddy__free (void *memory)
{
    free (memory);
}

char *eddy__strdup (const char *string)
{
    size_t size = strlen (string) + 1;
    char *copy = eddy__alloc (size);
    return copy == NULL ? NULL : memcpy (copy, string, size);
}

_Noreturn void eddy__alloc_exhausted (size_t size)
{
    fprintf (stderr, "eddy: out of memory: %zu bytes could not be had\n", size);
    abort ();
}

char *eddy_strdup (const char *string)
{
    if (string == NULL)
        return NULL;
    char *copy = eddy__strdup (string);
    if (copy == NULL)
        eddy__alloc_exhausted (strlen (string) + 1);
    return copy;
}

void eddy_free (void *memory)
{
    free (memory);
}

#if EDDY__SANITIZED

void *eddy__block_alloc (size_t size)
{
    return eddy__alloc (size);
}

void eddy__block_free (void *block, size_t size)
{
    (void) size;
    free (block);
}

#else

enum {
    BLOCK_STEP = 64,    /* sizes are rounded up to this: one cache line */
    BLOCK_CLASSES = 16, /* so blocks of up to 1 KiB are kept */
    BLOCK_KEEP = 512    /* of each size at most, each thread */
};

typedef struct Block {
    struct Block *next;
} Block;

typedef struct BlockLists {
    Block *first[BLOCK_CLASSES];
    unsigned count[BLOCK_CLASSES];
    bool registered; /* with the key whose destructor frees the lists at thread exit */
} BlockLists;

static EDDY__THREAD BlockLists block_lists;
static pthread_key_t block_key;
static pthread_once_t block_once = PTHREAD_ONCE_INIT;

static void block_lists_free (void *data)
{
    BlockLists *lists = data;
    for (int i = 0; i < BLOCK_CLASSES; i++) {
        while (lists->first[i] != NULL) {
            Block *block = lists->first[i];
            lists->first[i] = block->next;
            free (block);
        }
        lists->count[i] = 0;
    }
    lists->registered = false;
}

static void block_key_make (void)
{
    if (pthread_key_create (&block_key, block_lists_free) != 0)
        eddy__alloc_exhausted (sizeof (BlockLists));
}

static void block_lists_register (BlockLists *lists)
{
    pthread_once (&block_once, block_key_make);
    lists->registered = pthread_setspecific (block_key, lists) == 0;
}

/* The list for a size; BLOCK_CLASSES and above: none. */
static size_t block_class (size_t size)
{
    return (size - 1) / BLOCK_STEP;
}

void *eddy__block_alloc (size_t size)
{
    size_t class = block_class (size);
    if (EDDY__UNLIKELY (class >= BLOCK_CLASSES))
        return eddy__alloc (size);
    Block *block = block_lists.first[class];
    if (EDDY__UNLIKELY (block == NULL))
        return eddy__alloc ((class + 1) * BLOCK_STEP);
    if (EDDY__UNLIKELY (alloc_is_denied (size)))
        return NULL;
    block_lists.first[class] = block->next;
    block_lists.count[class]--;
    return block;
}

void eddy__block_free (void *memory, size_t size)
{
    if (memory == NULL)
        return;
    size_t class = block_class (size);
    BlockLists *lists = &block_lists;
    if (EDDY__UNLIKELY (class >= BLOCK_CLASSES || lists->count[class] >= BLOCK_KEEP)) {
        free (memory);
        return;
    }
    if (EDDY__UNLIKELY (!lists->registered))
        block_lists_register (lists);
    Block *block = memory;
    block->next = lists->first[class];
    lists->first[class] = block;
    lists->count[class]++;
}

#endif
