/* SPDX-License-Identifier: MIT */
/* The one door to malloc; each thread's lists of small blocks are in block.c. */
#include "base/alloc-private.h"

#include <errno.h>
#include <eddy/object.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/compiler-private.h"

EddyAllocFault eddy__alloc_fault;
static void *alloc_fault_data;

void eddy__alloc_set_fault (EddyAllocFault fault, void *data)
{
    alloc_fault_data = data;
    __atomic_store_n (&eddy__alloc_fault, fault, __ATOMIC_RELEASE);
}

bool eddy__alloc_is_denied (size_t size)
{
    EddyAllocFault fault = __atomic_load_n (&eddy__alloc_fault, __ATOMIC_RELAXED);
    return EDDY__UNLIKELY (fault != NULL) && fault (size, alloc_fault_data) != 0;
}

void *eddy__alloc (size_t size)
{
    return eddy__alloc_is_denied (size) ? NULL : malloc (size);
}

void *eddy__alloc0 (size_t size)
{
    return eddy__alloc_is_denied (size) ? NULL : calloc (1, size);
}

void *eddy__realloc (void *memory, size_t size)
{
    return eddy__alloc_is_denied (size) ? NULL : realloc (memory, size);
}

enum {
    ALLOC_PAGE = 4096,
    ALLOC_HUGE_PAGE = 2 << 20,
    ALLOC_MALLOCS_OWN = 64 /* more than malloc adds */
};

/* So many that malloc maps a whole number of huge pages. The kernel then begins the mapping at one,
 * and moves it as a whole when it grows; else it would have to take the huge pages apart. */
static size_t alloc_round_up (size_t size)
{
    size_t whole;
    if (size < EDDY__ALLOC_HUGE ||
        __builtin_add_overflow (size, ALLOC_HUGE_PAGE + ALLOC_MALLOCS_OWN - 1, &whole))
        return size;
    return whole - whole % ALLOC_HUGE_PAGE - ALLOC_MALLOCS_OWN;
}

/* From the page on that malloc's own words are in: a mapping stays one mapping. Advice only: where
 * it is not taken, or the pages are of another size, they are what they would have been. */
static void *alloc_advise (void *memory, size_t size)
{
    if (memory == NULL || size < EDDY__ALLOC_HUGE)
        return memory;
    uintptr_t begin = (uintptr_t) memory - (uintptr_t) memory % ALLOC_PAGE;
    uintptr_t end = (uintptr_t) memory + size;
    int saved = errno;
    /* check-allow: madvise: this room has no other for it, and no failure of it matters */
    (void) madvise ((void *) begin, end - begin, MADV_HUGEPAGE);
    errno = saved;
    return memory;
}

void *eddy__alloc_large (size_t size)
{
    size_t whole = alloc_round_up (size);
    return alloc_advise (eddy__alloc (whole), whole);
}

void *eddy__realloc_large (void *memory, size_t size)
{
    size_t whole = alloc_round_up (size);
    return alloc_advise (eddy__realloc (memory, whole), whole);
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
