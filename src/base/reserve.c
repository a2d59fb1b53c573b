/* SPDX-License-Identifier: MIT */
/* The reserve: what tells of "out of memory" when there is no memory to tell it with.
 *
 * The records live only until the next turn of a loop, so few are in use at a time even when every
 * allocation fails. */
#include <stdint.h>

#include "base/alloc-private.h"
#include "base/compiler-private.h"

enum { RECORDS = 128, RECORD_SIZE = 256 };

static _Alignas(64) char reserve_records[RECORDS][RECORD_SIZE];
static uint64_t reserve_used[RECORDS / 64]; /* a bit each; atomic */

/* The first free record, now taken; NULL: none. */
static void *reserve_take (void)
{
    for (unsigned i = 0; i < RECORDS; i++) {
        uint64_t bit = UINT64_C (1) << (i % 64);
        if ((__atomic_fetch_or (&reserve_used[i / 64], bit, __ATOMIC_ACQUIRE) & bit) == 0)
            return reserve_records[i];
    }
    return NULL;
}

void *eddy__reserve_alloc (size_t size)
{
    void *memory = eddy__block_alloc (size);
    if (EDDY__UNLIKELY (memory == NULL) && size <= RECORD_SIZE)
        memory = reserve_take ();
    if (memory == NULL)
        eddy__alloc_exhausted (size);
    return memory;
}

void eddy__reserve_free (void *memory, size_t size)
{
    uintptr_t offset = (uintptr_t) memory - (uintptr_t) reserve_records;
    if (EDDY__LIKELY (offset >= sizeof reserve_records)) {
        eddy__block_free (memory, size);
        return;
    }
    size_t index = offset / RECORD_SIZE;
    __atomic_fetch_and (&reserve_used[index / 64], ~(UINT64_C (1) << (index % 64)),
                        __ATOMIC_RELEASE);
}
