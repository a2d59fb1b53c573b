/* SPDX-License-Identifier: MIT */
/* Each thread's lists of small blocks, and the depot between threads.
 *
 * glibc's malloc takes 19 ns for a pair where one of these lists takes 3; an operation makes two or
 * three records, so this is most of what an operation costs beside its system call. What is made on
 * one thread and freed on another would fill the one's lists and empty the other's: a full list
 * hands half of it to the depot as one chain, an empty one takes a chain there. An invocation from
 * another thread then takes 23 ns, where malloc and free on different threads made it 109. Under a
 * sanitizer the lists are off: each block is then malloc's own, and a use after free is seen. */
#include <pthread.h>
#include <stdlib.h>

#include "base/alloc-private.h"
#include "base/compiler-private.h"

enum { DEPOT_CHAIN = EDDY__BLOCK_KEEP / 2, DEPOT_CHAINS = 16 };

EDDY__THREAD EddyBlockList eddy__block_lists[EDDY__BLOCK_CLASSES];
static EDDY__THREAD bool block_lists_registered;
static EDDY__THREAD void *block_spare; /* of `block_spare_size` bytes; NULL: none */
static EDDY__THREAD size_t block_spare_size;
static pthread_key_t block_key;
static pthread_once_t block_once = PTHREAD_ONCE_INIT;

/* Chains of DEPOT_CHAIN blocks each. */
static struct {
    pthread_mutex_t mutex;
    unsigned n[EDDY__BLOCK_CLASSES]; /* atomic: written under the lock */
    EddyBlock *chains[EDDY__BLOCK_CLASSES][DEPOT_CHAINS];
} depot = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static void block_lists_free (void *data)
{
    EddyBlockList *lists = data;
    block_lists_registered = false;
    free (block_spare);
    block_spare = NULL;
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

/* Opens the lists of this thread, if they are to be used; false when they cannot be freed at its
 * end. Under a test's hook that came before they stay closed: then what lives can be counted. */
static bool block_lists_are_open (void)
{
    if (block_lists_registered)
        return true;
    if (EDDY__SANITIZED || __atomic_load_n (&eddy__alloc_fault, __ATOMIC_RELAXED) != NULL)
        return false;
    pthread_once (&block_once, block_key_make);
    if (pthread_setspecific (block_key, eddy__block_lists) != 0)
        return false;
    block_lists_registered = true;
    for (int i = 0; i < EDDY__BLOCK_CLASSES; i++)
        eddy__block_lists[i].room = EDDY__BLOCK_KEEP;
    return true;
}

/* Hands half of a full list over, if there is room for it. */
static void depot_give (EddyBlockList *list, size_t class)
{
    EddyBlock *first = list->first;
    EddyBlock *last = first;
    if (__atomic_load_n (&depot.n[class], __ATOMIC_RELAXED) == DEPOT_CHAINS)
        return;
    for (int i = 1; i < DEPOT_CHAIN; i++)
        last = last->next;
    pthread_mutex_lock (&depot.mutex);
    unsigned n = depot.n[class];
    if (n < DEPOT_CHAINS) {
        list->first = last->next;
        list->room = DEPOT_CHAIN;
        last->next = NULL;
        depot.chains[class][n] = first;
        __atomic_store_n (&depot.n[class], n + 1, __ATOMIC_RELAXED);
    }
    pthread_mutex_unlock (&depot.mutex);
}

/* Fills an empty list, if there is a chain for it. */
static void depot_take (EddyBlockList *list, size_t class)
{
    if (__atomic_load_n (&depot.n[class], __ATOMIC_RELAXED) == 0 || !block_lists_are_open ())
        return;
    pthread_mutex_lock (&depot.mutex);
    unsigned n = depot.n[class];
    if (n > 0) {
        list->first = depot.chains[class][n - 1];
        list->room = EDDY__BLOCK_KEEP - DEPOT_CHAIN;
        __atomic_store_n (&depot.n[class], n - 1, __ATOMIC_RELAXED);
    }
    pthread_mutex_unlock (&depot.mutex);
}

/* Of fibers whole cache lines: a store across two of them that is read again soon costs 5 ns. What
 * aligns them leaves 100 bytes unused between two, which the smaller ones, of which there may be
 * several for each connection, are not worth: they follow each other as they are. */
static void *block_make (size_t class)
{
    void *block;
    size_t size = (class + 1) * EDDY__BLOCK_STEP - EDDY__BLOCK_LESS;
    if (size < EDDY__BLOCK_ALIGNED)
        return malloc (size);
    return posix_memalign (&block, EDDY__BLOCK_LINE, size) == 0 ? block : NULL;
}

void *eddy__block_alloc_slow (size_t size)
{
    size_t class = eddy__block_class (size);
    if (eddy__alloc_is_denied (size))
        return NULL;
    if (class >= EDDY__BLOCK_CLASSES)
        return malloc (size);
    EddyBlockList *list = &eddy__block_lists[class];
    if (list->first == NULL)
        depot_take (list, class);
    EddyBlock *block = list->first;
    if (block == NULL)
        return block_make (class);
    list->first = block->next;
    list->room++;
    return block;
}

void eddy__block_free_slow (void *memory, size_t size)
{
    size_t class = eddy__block_class (size);
    if (memory == NULL)
        return;
    if (class >= EDDY__BLOCK_CLASSES || !block_lists_are_open ()) {
        free (memory);
        return;
    }
    EddyBlockList *list = &eddy__block_lists[class];
    if (list->room == 0)
        depot_give (list, class);
    if (list->room == 0)
        free (memory);
    else
        eddy__block_free (memory, size);
}

/* --- a piece to read into --------------------------------------------------------------------- */

void *eddy__spare_take (size_t size)
{
    void *memory = block_spare;
    if (memory == NULL || block_spare_size != size)
        return eddy__alloc (size);
    if (eddy__alloc_is_denied (size))
        return NULL;
    block_spare = NULL;
    return memory;
}

void eddy__spare_give (void *memory, size_t size)
{
    bool keeps = size >= EDDY__SPARE_LEAST && size <= EDDY__SPARE_MOST && block_lists_are_open ();
    if (keeps) {
        free (block_spare);
        block_spare = memory;
        block_spare_size = size;
    } else {
        free (memory);
    }
}
