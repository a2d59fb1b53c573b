/* SPDX-License-Identifier: MIT */
/* The one door to malloc. Everything returns NULL when memory is out. */
#pragma once

#include <stddef.h>

/* Memory of any size; `eddy__free` and `eddy_free` are one. */
void *eddy__alloc (size_t size);
void *eddy__alloc0 (size_t size);
void *eddy__realloc (void *memory, size_t size);
void eddy__free (void *memory);
char *eddy__strdup (const char *string);

/* Blocks: small records that come and go all the time. Each thread keeps freed ones in lists by
 * size, so that a block costs a few nanoseconds. A block may be freed on another thread; the size
 * must be the one it was asked for with. Not zeroed. */
void *eddy__block_alloc (size_t size);
void eddy__block_free (void *block, size_t size);

/* A test's hook: asked before each allocation whether it may succeed. NULL: always. Blocks taken
 * from a thread's list count too. */
typedef int (*EddyAllocFault) (size_t size, void *data);
void eddy__alloc_set_fault (EddyAllocFault fault, void *data);

/* Says that memory is out, and ends the process: for the few places that can tell nobody. */
_Noreturn void eddy__alloc_exhausted (size_t size);
