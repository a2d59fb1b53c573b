/* SPDX-License-Identifier: MIT */
/*
 * The pools of stacks. Each thread has one: slabs of 64 slots, mapped at once, and three places
 * where a slot can be.
 *
 *     unmade --take--> live --give--> warm --trim--> cold --take--> live
 *                        ^--------take--'
 *
 * Warm stacks form one list per thread, the last given first taken: its pages and cache lines are
 * the warmest (the first touch of a cold stack costs 8 to 14 µs). Cold and unmade slots belong to
 * their slab, so that a slab without live and warm stacks can be unmapped, and with it its page
 * tables: 4 KiB for every 8 slots, half a gigabyte after a burst of a million fibers.
 */
#include "fiber/stack-private.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/alloc-private.h"
#include "base/compiler-private.h"
#include "fiber/sanitizer-private.h"
#include "sys/memory-private.h"

#define SLAB_SLOTS 64
#define SLAB_SIZE (SLAB_SLOTS * EDDY_STACK_SLOT_SIZE)
/* A cache line, and as many of them as half a page has. */
#define SHIFT_STEP 64
#define SHIFT_STEPS 32
/* Larger stacks that are kept; they are for the few fibers that call deep foreign code. */
#define LARGE_KEPT 4

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22 /* Linux 5.14 */
#endif

struct EddyStackSlab {
    EddyStackSlab *next;
    EddyStackSlab *previous;
    char *memory;
    EddyStack *cold;
    size_t n_made; /* slots that have a guard: the first n_made */
    size_t n_busy; /* live or warm */
    EddyStack stacks[SLAB_SLOTS];
};

EDDY__THREAD EddyStackPool *eddy__stack_pool;

static pthread_mutex_t stack_pools_lock = PTHREAD_MUTEX_INITIALIZER;
static EddyStackPool *stack_pools;

static pthread_once_t stack_key_once = PTHREAD_ONCE_INIT;
static pthread_key_t stack_key;
static int stack_key_result;

static atomic_int stack_guards = EDDY_STACK_GUARDS_AUTO;

/* --- guards ----------------------------------------------------------------------------------- */

void eddy__stack_set_guards (EddyStackGuards guards)
{
    atomic_store_explicit (&stack_guards, (int) guards, memory_order_relaxed);
}

EddyStackGuards eddy__stack_get_guards (void)
{
    return (EddyStackGuards) atomic_load_explicit (&stack_guards, memory_order_relaxed);
}

/* Makes the first guard and learns how to make the others. Two threads may do so at once: they
 * learn the same. */
static int stack_guard_probe (char *guard)
{
    int result = eddy__sys_madvise (guard, EDDY_STACK_GUARD_SIZE, MADV_GUARD_INSTALL);

    if (result == -ENOMEM)
        return result;
    /* Emulators (qemu-user) answer 0 to advice that they do not know, and do nothing. A guard that
     * is real cannot be populated. */
    if (result == 0 &&
        eddy__sys_madvise (guard, EDDY_STACK_GUARD_SIZE, MADV_POPULATE_READ) == -EFAULT) {
        eddy__stack_set_guards (EDDY_STACK_GUARDS_MADVISE);
        return 0;
    }
    result = eddy__sys_mprotect (guard, EDDY_STACK_GUARD_SIZE, PROT_NONE);
    if (result == 0)
        eddy__stack_set_guards (EDDY_STACK_GUARDS_MPROTECT);
    return result;
}

static int stack_guard (char *guard)
{
    int result = -EINVAL;

    switch (eddy__stack_get_guards ()) {
    case EDDY_STACK_GUARDS_AUTO:
        return stack_guard_probe (guard);
    case EDDY_STACK_GUARDS_MADVISE:
        result = eddy__sys_madvise (guard, EDDY_STACK_GUARD_SIZE, MADV_GUARD_INSTALL);
        break;
    case EDDY_STACK_GUARDS_MPROTECT:
        break;
    }
    /* -EINVAL also where the memory is locked (mlockall), before Linux 6.15. */
    if (result == -EINVAL)
        result = eddy__sys_mprotect (guard, EDDY_STACK_GUARD_SIZE, PROT_NONE);
    return result;
}

/* --- mappings --------------------------------------------------------------------------------- */

static int stack_map (size_t size, char **memory)
{
    void *address = NULL;
    int result = eddy__sys_mmap (&address, size, PROT_READ | PROT_WRITE, MAP_NORESERVE | MAP_STACK);

    if (result < 0)
        return result;
    /* A huge page under a stack that uses 4 KiB of it would cost 2 MiB. A kernel built without huge
     * pages refuses the advice: all the same. */
    (void) eddy__sys_madvise (address, size, MADV_NOHUGEPAGE);
    *memory = address;
    return 0;
}

static void stack_forget (EddyStack *stack)
{
    eddy__sanitizer_stack_unmade (stack->valgrind_number, stack->bottom, stack->size);
}

/* --- slabs ------------------------------------------------------------------------------------ */

static void stack_slab_unlink (EddyStackPool *pool, EddyStackSlab *slab)
{
    if (slab->previous != NULL)
        slab->previous->next = slab->next;
    else
        pool->first_slab = slab->next;
    if (slab->next != NULL)
        slab->next->previous = slab->previous;
    else
        pool->last_slab = slab->previous;
    slab->next = slab->previous = NULL;
}

static void stack_slab_put_first (EddyStackPool *pool, EddyStackSlab *slab)
{
    slab->previous = NULL;
    slab->next = pool->first_slab;
    if (slab->next != NULL)
        slab->next->previous = slab;
    else
        pool->last_slab = slab;
    pool->first_slab = slab;
}

static void stack_slab_put_last (EddyStackPool *pool, EddyStackSlab *slab)
{
    slab->next = NULL;
    slab->previous = pool->last_slab;
    if (slab->previous != NULL)
        slab->previous->next = slab;
    else
        pool->first_slab = slab;
    pool->last_slab = slab;
}

static bool stack_slab_is_full (EddyStackSlab *slab)
{
    return slab->cold == NULL && slab->n_made == SLAB_SLOTS;
}

static int stack_slab_new (EddyStackPool *pool)
{
    EddyStackSlab *slab = eddy__alloc0 (sizeof *slab);
    int result;

    if (slab == NULL)
        return -ENOMEM;
    result = stack_map (SLAB_SIZE, &slab->memory);
    if (result < 0) {
        eddy__free (slab);
        return result;
    }
    stack_slab_put_first (pool, slab);
    pool->n_slabs++;
    return 0;
}

/* Unmapping can split a mapping in two and fail where the process has its most mappings: then the
 * slab stays, and serves again. */
static bool stack_slab_destroy (EddyStackPool *pool, EddyStackSlab *slab)
{
    if (eddy__sys_munmap (slab->memory, SLAB_SIZE) < 0)
        return false;
    for (size_t i = 0; i < slab->n_made; i++)
        stack_forget (&slab->stacks[i]);
    stack_slab_unlink (pool, slab);
    pool->n_slabs--;
    eddy__free (slab);
    return true;
}

/* How far below its slot's end a stack begins. Slots lie 256 KiB apart: without this the first
 * frames of all stacks would want the same few sets of the processor's caches. Measured, a switch
 * in a ring of 16 to 64 fibers takes 2.5 ns instead of 3.3, of 1,000 6.0 instead of 7.3, of 20,000
 * 13 instead of 30 (at 4,096 it loses 5 %). Half a page is enough for that, and leaves the other
 * half to the first frames, so that most fibers still touch one page. */
static size_t stack_slot_shift (size_t index)
{
    return index % SHIFT_STEPS * SHIFT_STEP;
}

static int stack_slab_make_slot (EddyStackPool *pool, EddyStackSlab *slab, EddyStack **made)
{
    size_t index = slab->n_made;
    EddyStack *stack = &slab->stacks[index];
    char *guard = slab->memory + index * EDDY_STACK_SLOT_SIZE;
    int result = stack_guard (guard);

    if (result < 0)
        return result;
    stack->guard = guard;
    stack->bottom = guard + EDDY_STACK_GUARD_SIZE;
    stack->size = EDDY_STACK_SIZE;
    stack->top = stack->bottom + stack->size - stack_slot_shift (index);
    stack->pool = pool;
    stack->slab = slab;
    stack->valgrind_number = eddy__sanitizer_stack_made (stack->bottom, stack->size);
    slab->n_made++;
    *made = stack;
    return 0;
}

/* A stack that is not warm. */
static int stack_slab_take (EddyStackPool *pool, EddyStack **taken)
{
    EddyStackSlab *slab = pool->first_slab;
    int result = 0;

    if (slab == NULL || stack_slab_is_full (slab)) {
        result = stack_slab_new (pool);
        if (result < 0)
            return result;
        slab = pool->first_slab;
    }
    if (slab->cold != NULL) {
        *taken = slab->cold;
        slab->cold = slab->cold->next;
    } else {
        result = stack_slab_make_slot (pool, slab, taken);
        if (result < 0)
            return result;
    }
    slab->n_busy++;
    if (stack_slab_is_full (slab)) {
        stack_slab_unlink (pool, slab);
        stack_slab_put_last (pool, slab);
    }
    return 0;
}

/* --- stacks larger than a slot ---------------------------------------------------------------- */

static int stack_large_new (EddyStackPool *pool, size_t size, EddyStack **made)
{
    EddyStack *stack = eddy__alloc0 (sizeof *stack);
    int result;

    if (stack == NULL)
        return -ENOMEM;
    result = stack_map (EDDY_STACK_GUARD_SIZE + size, &stack->guard);
    if (result == 0) {
        result = stack_guard (stack->guard);
        if (result < 0)
            (void) eddy__sys_munmap (stack->guard, EDDY_STACK_GUARD_SIZE + size);
    }
    if (result < 0) {
        eddy__free (stack);
        return result;
    }
    stack->bottom = stack->guard + EDDY_STACK_GUARD_SIZE;
    stack->top = stack->bottom + size;
    stack->size = size;
    stack->pool = pool;
    stack->valgrind_number = eddy__sanitizer_stack_made (stack->bottom, size);
    *made = stack;
    return 0;
}

static void stack_large_destroy (EddyStack *stack)
{
    stack_forget (stack);
    (void) eddy__sys_munmap (stack->guard, EDDY_STACK_GUARD_SIZE + stack->size);
    eddy__free (stack);
}

static int stack_large_take (EddyStackPool *pool, size_t size, EddyStack **taken)
{
    /* Whole guards' sizes, which are whole pages on every machine. */
    size_t rounded = (size + EDDY_STACK_GUARD_SIZE - 1) & ~(EDDY_STACK_GUARD_SIZE - 1);

    if (rounded < size || rounded > SIZE_MAX / 4)
        return -ENOMEM;
    for (EddyStack **place = &pool->large; *place != NULL; place = &(*place)->next) {
        EddyStack *stack = *place;

        if (stack->size >= rounded && stack->size / 2 <= rounded) {
            *place = stack->next;
            pool->n_large--;
            *taken = stack;
            return 0;
        }
    }
    return stack_large_new (pool, rounded, taken);
}

static void stack_large_trim (EddyStackPool *pool, size_t n_kept)
{
    while (pool->n_large > n_kept) {
        EddyStack *stack = pool->large;

        pool->large = stack->next;
        pool->n_large--;
        stack_large_destroy (stack);
    }
}

/* --- the pool of a thread --------------------------------------------------------------------- */

static size_t stack_pool_live (EddyStackPool *pool)
{
    return __atomic_load_n (&pool->n_live, __ATOMIC_RELAXED);
}

/* At a thread's end. Fibers of a thread may be torn down by another destructor of thread-specific
 * data, before or after this one: so it asks to be called again while stacks are out. libc repeats
 * that a few times; what is out after that stays mapped, and counted. */
static void stack_pool_end (void *data)
{
    EddyStackPool *pool = data;

    eddy__stack_pool = pool;
    if (eddy__stack_pool_close () < 0)
        (void) pthread_setspecific (stack_key, pool);
}

static void stack_key_make (void)
{
    stack_key_result = -pthread_key_create (&stack_key, stack_pool_end);
}

static int stack_pool_new (EddyStackPool **made)
{
    EddyStackPool *pool;
    int result;

    pthread_once (&stack_key_once, stack_key_make);
    if (stack_key_result < 0)
        return stack_key_result;
    pool = eddy__alloc0 (sizeof *pool);
    if (pool == NULL)
        return -ENOMEM;
    result = -pthread_setspecific (stack_key, pool);
    if (result < 0) {
        eddy__free (pool);
        return result;
    }
    pthread_mutex_lock (&stack_pools_lock);
    pool->next = stack_pools;
    stack_pools = pool;
    pthread_mutex_unlock (&stack_pools_lock);
    eddy__stack_pool = *made = pool;
    return 0;
}

int eddy__stack_pool_close (void)
{
    EddyStackPool *pool = eddy__stack_pool;

    if (pool == NULL)
        return 0;
    if (stack_pool_live (pool) > 0)
        return -EBUSY;
    for (EddyStackSlab *slab = pool->first_slab, *next; slab != NULL; slab = next) {
        next = slab->next;
        /* What cannot be unmapped stays, without a record: nobody will try again. */
        if (!stack_slab_destroy (pool, slab))
            eddy__free (slab);
    }
    stack_large_trim (pool, 0);
    pthread_mutex_lock (&stack_pools_lock);
    for (EddyStackPool **place = &stack_pools; *place != NULL; place = &(*place)->next) {
        if (*place == pool) {
            *place = pool->next;
            break;
        }
    }
    pthread_mutex_unlock (&stack_pools_lock);
    (void) pthread_setspecific (stack_key, NULL);
    eddy__stack_pool = NULL;
    eddy__free (pool);
    return 0;
}

size_t eddy__stack_live_count (void)
{
    size_t count = 0;

    pthread_mutex_lock (&stack_pools_lock);
    for (EddyStackPool *pool = stack_pools; pool != NULL; pool = pool->next)
        count += stack_pool_live (pool);
    pthread_mutex_unlock (&stack_pools_lock);
    return count;
}

void eddy__stack_get_counts (EddyStackCounts *counts)
{
    EddyStackPool *pool = eddy__stack_pool;

    *counts = (EddyStackCounts){ 0 };
    if (pool == NULL)
        return;
    counts->live = stack_pool_live (pool);
    counts->warm = pool->n_warm;
    counts->slabs = pool->n_slabs;
    counts->large = pool->n_large;
}

/* --- take, give, trim ------------------------------------------------------------------------- */

int eddy__stack_take_slow (size_t size, EddyStack **taken)
{
    EddyStackPool *pool = eddy__stack_pool;
    int result = 0;

    if (pool == NULL)
        result = stack_pool_new (&pool);
    if (result == 0)
        result = size <= EDDY_STACK_SIZE ? stack_slab_take (pool, taken)
                                         : stack_large_take (pool, size, taken);
    if (result < 0)
        return result;
    eddy__stack_count (pool, 1);
    eddy__sanitizer_stack_taken ((*taken)->bottom, (*taken)->size);
    return 0;
}

void eddy__stack_give_slow (EddyStack *stack)
{
    EddyStackPool *pool;

    if (stack == NULL)
        return;
    pool = stack->pool;
    eddy__stack_count (pool, (size_t) -1);
    stack->next = pool->large;
    pool->large = stack;
    pool->n_large++;
    stack_large_trim (pool, LARGE_KEPT);
}

/* Cuts the `count` stacks off the warm list that were given back first. */
static EddyStack *stack_trim_cut (EddyStackPool *pool, size_t count)
{
    EddyStack **place = &pool->warm;
    EddyStack *oldest;

    for (size_t kept = pool->n_warm - count; kept > 0; kept--)
        place = &(*place)->next;
    oldest = *place;
    *place = NULL;
    pool->n_warm -= count;
    return oldest;
}

static void stack_trim_chill (EddyStackPool *pool, EddyStack *stack)
{
    EddyStackSlab *slab = stack->slab;

    /* The memory of a slab that is not busy goes with the slab. */
    if (slab->n_busy > 0)
        (void) eddy__sys_madvise (stack->bottom, stack->size, MADV_DONTNEED);
    stack->next = slab->cold;
    slab->cold = stack;
    stack_slab_unlink (pool, slab);
    stack_slab_put_first (pool, slab);
}

size_t eddy__stack_trim (void)
{
    EddyStackPool *pool = eddy__stack_pool;
    EddyStack *oldest;
    size_t count;

    if (pool == NULL)
        return 0;
    count =
        pool->n_warm_least > EDDY_STACK_WARM_KEPT ? pool->n_warm_least - EDDY_STACK_WARM_KEPT : 0;
    oldest = stack_trim_cut (pool, count);
    pool->n_warm_least = pool->n_warm;
    for (EddyStack *stack = oldest; stack != NULL; stack = stack->next)
        stack->slab->n_busy--;
    for (EddyStack *stack = oldest, *next; stack != NULL; stack = next) {
        next = stack->next;
        stack_trim_chill (pool, stack);
    }
    for (EddyStackSlab *slab = pool->first_slab, *next; slab != NULL; slab = next) {
        next = slab->next;
        if (slab->n_busy == 0)
            (void) stack_slab_destroy (pool, slab);
    }
    stack_large_trim (pool, 0);
    return count;
}
