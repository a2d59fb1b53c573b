/* SPDX-License-Identifier: MIT */
/*
 * Stacks of fibers: taken from and given back to a pool of the thread, always with a guard below.
 *
 * A slot is 256 KiB of address space, 64 KiB guard and 192 KiB stack above it; memory is bound page
 * by page where the stack is touched. The guard stops every frame that begins on the stack and ends
 * less than 64 KiB below it; a larger one is stopped where the code was built with
 * -fstack-clash-protection, as Eddy itself is.
 *
 * A stack stays with its thread: taken, used and given back there. Everything here returns 0 or
 * -errno, and takes no lock where a stack is warm.
 */
#pragma once

#include <stddef.h>

#include "base/compiler-private.h"
#include "fiber/sanitizer-private.h"

#define EDDY_STACK_GUARD_SIZE ((size_t) 64 * 1024)
#define EDDY_STACK_SLOT_SIZE ((size_t) 256 * 1024)
/* The stack of a fiber whose spawner asked for none. */
#define EDDY_STACK_SIZE (EDDY_STACK_SLOT_SIZE - EDDY_STACK_GUARD_SIZE)

/* Warm stacks that a trim leaves. */
#define EDDY_STACK_WARM_KEPT 16

typedef struct EddyStackPool EddyStackPool;
typedef struct EddyStackSlab EddyStackSlab;

/* The record lies beside the stack, never on it. To read, not to write, outside of stack.c. */
typedef struct EddyStack {
    char *guard;  /* the guard's lowest address; it ends at `bottom` */
    char *bottom; /* the lowest address of the stack */
    char *top;    /* where the first frame begins: what eddy__switch_prepare() takes */
    size_t size;  /* from `bottom` to the slot's end, up to 2 KiB above `top` (see stack.c) */
    EddyStackPool *pool;
    EddyStackSlab *slab; /* NULL: a mapping of its own */
    struct EddyStack *next;
    unsigned int valgrind_number;
} EddyStack;

/* A thread's. */
struct EddyStackPool {
    EddyStack *warm;
    size_t n_warm;
    size_t n_warm_least;       /* since the last trim: so many were not needed */
    size_t n_live;             /* atomic, but without locked instructions: see stack.c */
    EddyStackSlab *first_slab; /* slabs with a free slot stand before those without */
    EddyStackSlab *last_slab;
    size_t n_slabs;
    EddyStack *large;
    size_t n_large;
    EddyStackPool *next; /* of all pools */
};

extern EDDY__THREAD EddyStackPool *eddy__stack_pool;

/* Only the pool's own thread writes, so that a plain load and store count right (a locked addition
 * would cost more than all the rest of taking a stack). */
static inline void eddy__stack_count (EddyStackPool *pool, size_t change)
{
    __atomic_store_n (&pool->n_live, pool->n_live + change, __ATOMIC_RELAXED);
}

int eddy__stack_take_slow (size_t size, EddyStack **stack);
void eddy__stack_give_slow (EddyStack *stack);

/* A stack of at least `size` bytes, 0 for the usual size. Its contents are undefined. -ENOMEM when
 * the address space, the memory for page tables or the number of mappings is used up; then nothing
 * has changed. */
static inline int eddy__stack_take (size_t size, EddyStack **taken)
{
    EddyStackPool *pool = eddy__stack_pool;
    if (EDDY__UNLIKELY (pool == NULL || pool->warm == NULL || size > EDDY_STACK_SIZE))
        return eddy__stack_take_slow (size, taken);
    EddyStack *stack = pool->warm;
    pool->warm = stack->next;
    if (--pool->n_warm < pool->n_warm_least)
        pool->n_warm_least = pool->n_warm;
    eddy__stack_count (pool, 1);
    eddy__sanitizer_stack_taken (stack->bottom, stack->size);
    *taken = stack;
    return 0;
}

/* By the thread that took it, when nothing runs on it any more. NULL is let pass. */
static inline void eddy__stack_give (EddyStack *stack)
{
    if (EDDY__UNLIKELY (stack == NULL || stack->slab == NULL)) {
        eddy__stack_give_slow (stack);
        return;
    }
    EddyStackPool *pool = stack->pool;
    eddy__stack_count (pool, (size_t) -1);
    stack->next = pool->warm;
    pool->warm = stack;
    pool->n_warm++;
}

/* Gives the memory of stacks back that were not needed since the last call, but for a few that stay
 * warm; a slab without a used stack is unmapped. Returns how many stacks went cold. For the loop,
 * when it has been idle for a while: the first call after a burst begins to watch, the second one
 * gives its stacks back. */
size_t eddy__stack_trim (void);

/* Unmaps this thread's pool, now instead of at the thread's end. -EBUSY, and nothing happens, while
 * a stack is out. */
int eddy__stack_pool_close (void);

/* Stacks that are out, in the whole process; 0 when no fiber lives. */
size_t eddy__stack_live_count (void);

/* --- for tests and doctor --------------------------------------------------------------------- */

/* How a guard is made. AUTO asks the kernel once whether it knows guards (Linux 6.13), which cost
 * no mapping; else each takes two of the process's mappings, so that some 32,000 stacks are the
 * most (vm.max_map_count). */
typedef enum EddyStackGuards {
    EDDY_STACK_GUARDS_AUTO,
    EDDY_STACK_GUARDS_MADVISE,
    EDDY_STACK_GUARDS_MPROTECT
} EddyStackGuards;

/* For stacks made from now on. */
void eddy__stack_set_guards (EddyStackGuards guards);
/* What is in use; AUTO means that nothing was asked yet. */
EddyStackGuards eddy__stack_get_guards (void);

/* This thread's pool. */
typedef struct EddyStackCounts {
    size_t live;  /* taken */
    size_t warm;  /* given back, memory still bound */
    size_t slabs; /* mappings of 64 slots */
    size_t large; /* given back, larger than a slot */
} EddyStackCounts;

void eddy__stack_get_counts (EddyStackCounts *counts);
