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

EddyAllocFault eddy__alloc_fault;
static void *alloc_fault_data;

void eddy__alloc_set_fault (EddyAllocFault fault, void *data)
{
    alloc_fault_data = data;
    __atomic_store_n (&eddy__alloc_fault, fault, __ATOMIC_RELEASE);
}

static bool alloc_is_denied (size_t size)
{
    EddyAllocFault fault = __atomic_load_n (&eddy__alloc_fault, __ATOMIC_RELAXED);
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
    return string == NULL ? NULL : eddy__strdup (string);
}

void eddy_free (void *memory)
{
    free (memory);
}

/* Under a sanitizer the lists stay empty and without room: each block is malloc's own. */
EDDY__THREAD EddyBlockList eddy__block_lists[EDDY__BLOCK_CLASSES];
static EDDY__THREAD bool block_lists_registered;
static pthread_key_t block_key;
static pthread_once_t block_once = PTHREAD_ONCE_INIT;

static void block_lists_free (void *data)
{
    EddyBlockList *lists = data;
    block_lists_registered = false;
    for (int i = 0; i < EDDY__BLOCK_CLASSES; i++) {
        while (lists[i].first != NULL) {
            EddyBlock *block = lists[i].first;
            lists[i].first = block->next;
            free (block);
        }
        lists[i].room = 0;
    }
}

static void block_key_make (void)
{
    if (pthread_key_create (&block_key, block_lists_free) != 0)
        eddy__alloc_exhausted (sizeof eddy__block_lists);
}

/* Opens the lists of this thread; false when they cannot be freed at its end. */
static bool block_lists_register (void)
{
    pthread_once (&block_once, block_key_make);
    if (pthread_setspecific (block_key, eddy__block_lists) != 0)
        return false;
    block_lists_registered = true;
    for (int i = 0; i < EDDY__BLOCK_CLASSES; i++)
        eddy__block_lists[i].room = EDDY__BLOCK_KEEP;
    return true;
}

void *eddy__block_alloc_slow (size_t size)
{
    size_t class = (size - 1) / EDDY__BLOCK_STEP;
    if (alloc_is_denied (size))
        return NULL;
    if (class >= EDDY__BLOCK_CLASSES)
        return malloc (size);
    EddyBlockList *list = &eddy__block_lists[class];
    EddyBlock *block = list->first;
    /* Whole cache lines: a store across two of them that is read again soon costs 5 ns. */
    if (block == NULL)
        return aligned_alloc (EDDY__BLOCK_STEP, (class + 1) * EDDY__BLOCK_STEP);
    list->first = block->next;
    list->room++;
    return block;
}

void eddy__block_free_slow (void *memory, size_t size)
{
    /* Under a test's hook, set before the first block is freed, the lists stay closed as well: then
     * what lives can be counted. */
    bool first = !EDDY__SANITIZED && !block_lists_registered &&
                 __atomic_load_n (&eddy__alloc_fault, __ATOMIC_RELAXED) == NULL;
    if (memory != NULL && size <= EDDY__BLOCK_CLASSES * EDDY__BLOCK_STEP && first &&
        block_lists_register ())
        eddy__block_free (memory, size);
    else
        free (memory);
}
