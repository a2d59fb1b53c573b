/* SPDX-License-Identifier: MIT */
/* Reading the counts of count-alloc.so from a program that runs under it. */
#pragma once

#include <stdint.h>

typedef struct {
    uint64_t allocations;  /* malloc, calloc, realloc, aligned ones */
    uint64_t mappings;     /* mmap, mremap */
    uint64_t frees;        /* of something */
    uint64_t bytes_asked;  /* of all but realloc */
    uint64_t bytes_grown;  /* by realloc: what was asked beyond the block's size */
    uint64_t bytes_mapped; /* by mmap, and what mremap added */
} CountAlloc;

/* NULL in a program that does not run under the counter: test before calling. */
__attribute__ ((weak, visibility ("default"))) void count_alloc_read (CountAlloc *counts);
