/* SPDX-License-Identifier: MIT */
/* The one door to malloc; each thread's lists of small blocks are in block.c. */
#include "base/alloc-private.h"

#include <eddy/object.h>
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
