/* SPDX-License-Identifier: MIT */
/*
 * The bare prototype: how fast fibers can be here, and nothing else. Eddy's fibers are measured
 * against it as a limit.
 *
 * It has what no fiber can do without: a switch in assembly that jumps to where the next fiber
 * stopped, a first-in first-out ready queue, an errno of its own per fiber, and guarded stacks
 * that are kept warm and used again. It has nothing that makes fibers usable: no cancelling, no
 * error, no names, no threads, no loop underneath.
 *
 * bare-fiber yield N | spawn-one N | spawn-batch N | parked N     prints nanoseconds each
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bench-clock.h"

/* As large as Eddy's: 192 KiB of stack above 64 KiB of guard. */
#define BARE_SLOT_SIZE ((size_t) 256 * 1024)
#define BARE_GUARD_SIZE ((size_t) 64 * 1024)
#define BARE_BATCH 100

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102 /* Linux 6.13 */
#endif

typedef struct BareFiber BareFiber;
typedef uint64_t (*BareFunc) (uint64_t argument);

/* What the switch saves. All other registers are clobbers of its asm statement, so that the
 * compiler saves just those that are live there: at most calls, none. */
typedef struct {
    void *stack_pointer;
    void *program_counter;
    void *frame_pointer;
} BareContext;

struct BareFiber {
    BareContext context;
    BareFiber *next; /* in the ready queue or a free list */
    BareFiber *joiner;
    char *stack; /* the slot's lowest address */
    BareFunc function;
    uint64_t value; /* the argument, then the result */
    int saved_errno;
    bool done;
};

static BareFiber *bare_current;
static BareFiber *bare_ready_first;
static BareFiber **bare_ready_last = &bare_ready_first;
static BareFiber *bare_free_fibers; /* with their stacks: last used, first taken, so it is warm */
static BareFiber *bare_gate;        /* who waits there */
static BareFiber bare_thread;       /* the thread's own stack, where the program starts and ends */

/* ---- The switch */

#if defined(__x86_64__)

#define BARE_SWITCH(from, to)                                                                      \
    __asm__ volatile("leaq 1f(%%rip), %%rax\n\t"                                                   \
                     "movq %%rsp, 0(%%rdi)\n\t"                                                    \
                     "movq %%rax, 8(%%rdi)\n\t"                                                    \
                     "movq %%rbp, 16(%%rdi)\n\t"                                                   \
                     "movq 0(%%rsi), %%rsp\n\t"                                                    \
                     "movq 16(%%rsi), %%rbp\n\t"                                                   \
                     "jmpq *8(%%rsi)\n"                                                            \
                     "1:\n\t"                                                                      \
                     : "+D"(from), "+S"(to)                                                        \
                     :                                                                             \
                     : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14",  \
                       "r15", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",      \
                       "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "cc", \
                       "memory")

#elif defined(__aarch64__)

#define BARE_SWITCH(from, to)                                                                      \
    do {                                                                                           \
        register BareContext *bare_from __asm__("x0") = (from);                                    \
        register BareContext *bare_to __asm__("x1") = (to);                                        \
        __asm__ volatile("adr x2, 1f\n\t"                                                          \
                         "mov x3, sp\n\t"                                                          \
                         "stp x3, x2, [x0]\n\t"                                                    \
                         "str x29, [x0, #16]\n\t"                                                  \
                         "ldp x3, x2, [x1]\n\t"                                                    \
                         "ldr x29, [x1, #16]\n\t"                                                  \
                         "mov sp, x3\n\t"                                                          \
                         "br x2\n"                                                                 \
                         "1:\n\t"                                                                  \
                         : "+r"(bare_from), "+r"(bare_to)                                          \
                         :                                                                         \
                         : "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12",    \
                           "x13", "x14", "x15", "x16", "x17", "x19", "x20", "x21", "x22", "x23",   \
                           "x24", "x25", "x26", "x27", "x28", "x30", "v0", "v1", "v2", "v3", "v4", \
                           "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15", \
                           "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25",   \
                           "v26", "v27", "v28", "v29", "v30", "v31", "cc", "memory");              \
    } while (0)

#else
#error "The prototype is written for x86_64 and aarch64"
#endif

static inline void bare_switch_to (BareFiber *fiber)
{
    BareFiber *leaving = bare_current;
    leaving->saved_errno = errno;
    bare_current = fiber;
    BareContext *from = &leaving->context;
    BareContext *to = &fiber->context;
    BARE_SWITCH (from, to);
    errno = bare_current->saved_errno;
}

/* ---- The ready queue */

static inline void bare_make_ready (BareFiber *fiber)
{
    fiber->next = NULL;
    *bare_ready_last = fiber;
    bare_ready_last = &fiber->next;
}

static inline BareFiber *bare_take_ready (void)
{
    BareFiber *fiber = bare_ready_first;
    if (!fiber) {
        fputs ("bare-fiber: everybody waits\n", stderr);
        abort ();
    }
    bare_ready_first = fiber->next;
    if (!bare_ready_first)
        bare_ready_last = &bare_ready_first;
    return fiber;
}

/* Not inlined, as a library's would not be. The call also pairs each return with a call from the
 * same place, so that the processor predicts the return although another fiber made the call. */
__attribute__ ((noinline)) static void bare_yield (void)
{
    bare_make_ready (bare_current);
    bare_switch_to (bare_take_ready ());
}

/* ---- Fibers */

/* Where a fiber begins: jumped to, on its own empty stack. A fiber that was used before comes back
 * here with a new function. */
static void bare_enter (void)
{
    BareFiber *fiber = bare_current;
    errno = 0;
    fiber->value = fiber->function (fiber->value);
    fiber->done = true;
    if (fiber->joiner)
        bare_make_ready (fiber->joiner);
    bare_switch_to (bare_take_ready ());
    __builtin_unreachable ();
}

/* Without a mapping of its own where the kernel can do that: else some 32,000 are the most. */
static bool bare_guard (char *stack)
{
    return madvise (stack, BARE_GUARD_SIZE, MADV_GUARD_INSTALL) == 0 ||
           mprotect (stack, BARE_GUARD_SIZE, PROT_NONE) == 0;
}

static BareFiber *bare_new_fiber (void)
{
    BareFiber *fiber = calloc (1, sizeof *fiber);
    char *stack = mmap (NULL, BARE_SLOT_SIZE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (!fiber || stack == MAP_FAILED || !bare_guard (stack)) {
        perror ("bare-fiber: stack");
        exit (1);
    }
    fiber->stack = stack;
    return fiber;
}

__attribute__ ((noinline)) static BareFiber *bare_spawn (BareFunc function, uint64_t argument)
{
    BareFiber *fiber = bare_free_fibers;
    if (fiber)
        bare_free_fibers = fiber->next;
    else
        fiber = bare_new_fiber ();
    /* As after a call: a zero return address ends backtraces, and above it the stack is aligned. */
    void **top = (void **) (void *) (fiber->stack + BARE_SLOT_SIZE - 16);
#if defined(__x86_64__)
    *--top = NULL;
#endif
    fiber->context = (BareContext){ .stack_pointer = top, .program_counter = (void *) bare_enter };
    fiber->joiner = NULL;
    fiber->function = function;
    fiber->value = argument;
    fiber->done = false;
    bare_make_ready (fiber);
    return fiber;
}

/* Waits for the fiber's end, takes its result, and gives fiber and stack back. */
__attribute__ ((noinline)) static uint64_t bare_join (BareFiber *fiber)
{
    if (!fiber->done) {
        fiber->joiner = bare_current;
        bare_switch_to (bare_take_ready ());
    }
    fiber->next = bare_free_fibers;
    bare_free_fibers = fiber;
    return fiber->value;
}

/* ---- What is measured */

static uint64_t bare_yielder (uint64_t count)
{
    uint64_t done = 0;
    for (; done < count; done++)
        bare_yield ();
    return done;
}

static uint64_t bare_increment (uint64_t argument)
{
    return argument + 1;
}

/* Two fibers that yield to each other: count switches in all. */
static uint64_t bare_run_yield (uint64_t count)
{
    BareFiber *first = bare_spawn (bare_yielder, count / 2);
    BareFiber *second = bare_spawn (bare_yielder, count - count / 2);
    uint64_t done = bare_join (first);
    return done + bare_join (second);
}

/* One at a time; each returns its argument plus one, so that the sum tells that each ran. */
static uint64_t bare_run_spawn_one (uint64_t count)
{
    uint64_t value = 0;
    for (uint64_t i = 0; i < count; i++)
        value = bare_join (bare_spawn (bare_increment, value));
    return value;
}

static uint64_t bare_run_spawn_batch (uint64_t count)
{
    BareFiber *fibers[BARE_BATCH];
    uint64_t value = 0;
    for (uint64_t i = 0; i < count; i += BARE_BATCH) {
        for (int j = 0; j < BARE_BATCH; j++)
            fibers[j] = bare_spawn (bare_increment, 0);
        for (int j = 0; j < BARE_BATCH; j++)
            value += bare_join (fibers[j]);
    }
    return value;
}

/* Until the gate opens. */
static uint64_t bare_wait (uint64_t argument)
{
    bare_current->next = bare_gate;
    bare_gate = bare_current;
    bare_switch_to (bare_take_ready ());
    return argument + 1;
}

/* All of them wait at once, and are then woken. */
static uint64_t bare_run_parked (uint64_t count)
{
    BareFiber **fibers = malloc (count * sizeof *fibers);
    uint64_t value = 0;
    for (uint64_t i = 0; fibers && i < count; i++)
        fibers[i] = bare_spawn (bare_wait, 0);
    bare_yield ();
    while (bare_gate) {
        BareFiber *fiber = bare_gate;
        bare_gate = fiber->next;
        bare_make_ready (fiber);
    }
    for (uint64_t i = 0; fibers && i < count; i++)
        value += bare_join (fibers[i]);
    free (fibers);
    return value;
}

static BareFunc bare_find (const char *name)
{
    if (strcmp (name, "yield") == 0)
        return bare_run_yield;
    if (strcmp (name, "spawn-one") == 0)
        return bare_run_spawn_one;
    if (strcmp (name, "spawn-batch") == 0)
        return bare_run_spawn_batch;
    if (strcmp (name, "parked") == 0)
        return bare_run_parked;
    return NULL;
}

int main (int argc, char **argv)
{
    BareFunc run = argc == 3 ? bare_find (argv[1]) : NULL;
    uint64_t count = run ? strtoull (argv[2], NULL, 10) : 0;
    if (count == 0 || count % BARE_BATCH != 0) {
        fprintf (stderr,
                 "usage: bare-fiber yield|spawn-one|spawn-batch|parked N (a multiple of %d)\n",
                 BARE_BATCH);
        return 2;
    }
    /* In a fiber, as a program on fibers would be. A tenth first, so that stacks are warm; but what
     * many stacks cost is that they are cold. */
    bare_current = &bare_thread;
    if (run != bare_run_parked)
        bare_join (bare_spawn (run, (count / 1000 + 1) * BARE_BATCH));
    double begin_ns = bench_now_ns ();
    uint64_t done = bare_join (bare_spawn (run, count));
    double elapsed_ns = bench_now_ns () - begin_ns;
    if (done != count) {
        fprintf (stderr, "bare-fiber: %ju done, not %ju\n", (uintmax_t) done, (uintmax_t) count);
        return 1;
    }
    printf ("%.3f\n", elapsed_ns / (double) count);
    return 0;
}
