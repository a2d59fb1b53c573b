/* SPDX-License-Identifier: MIT */
/*
 * The switch in portable C, for processors without one in assembly (and chosen by
 * -Dswitch=ucontext). What stands for a stopped flow is the address of its ucontext_t, which lies
 * on its own stack: nothing is allocated. Each switch costs a system call, since swapcontext()
 * exchanges the signal mask as well.
 */
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

#include "fiber/switch-private.h"

/* The part of a new stack that makecontext() is told of. It only looks for the upper end, and the
 * interface does not know the lower one. */
#define FIRST_FRAMES_SIZE 4096

typedef struct {
    ucontext_t context;
    void (*entry) (EddyFlow *flow);
    EddyFlow *flow;
} FirstFlow;

/* makecontext() passes ints, so the address comes in two halves. */
static void switch_start (unsigned int upper_half, unsigned int lower_half)
{
    uintptr_t address = (uintptr_t) ((uint64_t) upper_half << 32 | lower_half);
    FirstFlow *first = (FirstFlow *) address;

    first->entry (first->flow);
    __builtin_trap ();
}

void eddy__switch_prepare (EddyFlow *flow, void *stack_top, void (*entry) (EddyFlow *flow))
{
    uintptr_t place = ((uintptr_t) stack_top - sizeof (FirstFlow)) & ~(uintptr_t) 63;
    FirstFlow *first = (FirstFlow *) place;
    uint64_t address = place;

    getcontext (&first->context);
    first->context.uc_stack.ss_sp = (char *) place - FIRST_FRAMES_SIZE;
    first->context.uc_stack.ss_size = FIRST_FRAMES_SIZE;
    first->context.uc_link = NULL;
    first->entry = entry;
    first->flow = flow;
    makecontext (&first->context, (void (*) (void)) switch_start, 2, (unsigned int) (address >> 32),
                 (unsigned int) address);
    flow->sp = &first->context;
}

void eddy__switch (EddyFlow *from, EddyFlow *to)
{
    ucontext_t here;

    from->sp = &here;
    swapcontext (&here, to->sp);
}
