/* SPDX-License-Identifier: MIT */
/*
 * The switch between two flows of control, each on a stack of its own.
 *
 * A flow that does not run is three words: its stack pointer, the place in the code where it goes
 * on, and its frame pointer. The switch is an asm statement of a few instructions that names every
 * other register as changed, so that the compiler saves those that it needs there, at most calls
 * none. It is inlined, and goes on by a jump: no call is left unreturned and no return made that
 * had no call, so the processor's stack of predicted returns stays even.
 *
 * Measured on an EPYC (Zen 5), ns each, against a function that pushes the six registers that a
 * callee keeps, exchanges the stacks and goes on by `ret`, both in Eddy as it is:
 *
 *     spawn a fiber and join it, one at a time   jump 29   ret 59
 *     the same, a hundred at a time              jump 20   ret 21
 *     two fibers that yield                      jump 5.9  ret 7.2
 *
 * In bare rings of flows that all run the same code, three or ten calls deep, both take the same
 * (4 and 11 ns with 2 or 64 flows, 6 and 14 with 1,000): there the predicted returns of one flow
 * are right for the next. Where neighbours run different code, every return above the switch is
 * predicted wrong in both (17 ns two calls deep, some 150 ten calls deep). The jump wins where
 * flows begin and end, since those have no call to return to.
 *
 * Where a flow goes on, the compiler's own unwind tables hold: a debugger that is given the three
 * words walks up a flow that does not run. The same asm serves under -fcf-protection and
 * -mbranch-protection=bti: it goes on at a landing. A shadow stack cannot follow an exchange of
 * stacks; switch-x86_64.S keeps the linker from marking the library as fit for one.
 *
 * For other processors switch-ucontext.c does the same in portable C, sixty times slower.
 *
 * errno is not kept (fiber.c keeps it), nor are the floating point control words (rounding mode,
 * exception masks): they cost more than the whole switch, and belong to the thread here. The signal
 * mask is the thread's, too.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler-private.h"

typedef struct EddyFlow EddyFlow;
/* In the order that the assembly knows. */
struct EddyFlow {
    void *sp; /* for ucontext: the ucontext_t on its stack, and nothing else */
    void *pc;
    void *fp;
};

/* eddy__switch_prepare() makes a flow that will call ENTRY (FLOW) on the stack that ends at
 * STACK_TOP (exclusive; any alignment). ENTRY must never return: the flow has nowhere to go, and
 * traps. A backtrace ends at ENTRY.
 *
 * eddy__switch() stops the running flow, leaves in *FROM what a later call needs to let it go on,
 * and continues the flow *TO. It returns when somebody switches back. *FROM is written before the
 * other flow runs. */

/* A sanitizer's frames may need a register that the asm changes (clang addresses realigned frames
 * by rbx or x19): there the switch gets a plain frame of its own. */
#if EDDY__SANITIZED
#define EDDY__SWITCH_FUNCTION                                                                      \
    __attribute__ ((noinline, no_sanitize_address, no_sanitize_thread, unused)) static
#else
#define EDDY__SWITCH_FUNCTION __attribute__ ((always_inline)) static inline
#endif

#if defined EDDY__SWITCH_UCONTEXT

void eddy__switch_prepare (EddyFlow *flow, void *stack_top, void (*entry) (EddyFlow *flow));
void eddy__switch (EddyFlow *from, EddyFlow *to);

#elif defined __x86_64__

/* Where an entry would return to: traps, and ends backtraces. */
extern const char eddy__switch_end[];

static inline void eddy__switch_prepare (EddyFlow *flow, void *stack_top,
                                         void (*entry) (EddyFlow *flow))
{
    const void **top = (const void **) ((uintptr_t) stack_top & ~(uintptr_t) 15);
    /* As after a call. The two zeros are for what walks up by frame pointers or return addresses;
     * they keep the alignment. */
    *--top = NULL;
    *--top = NULL;
    *--top = eddy__switch_end;
    flow->sp = top;
    flow->pc = (void *) entry;
    flow->fp = NULL;
}

#if defined __CET__ && (__CET__ & 1)
#define EDDY__SWITCH_LANDING "endbr64\n\t"
#else
#define EDDY__SWITCH_LANDING ""
#endif
#if defined __AVX512F__
#define EDDY__SWITCH_WIDE                                                                          \
    , "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25",    \
        "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31", "k1", "k2", "k3", "k4", "k5", "k6",  \
        "k7"
#else
#define EDDY__SWITCH_WIDE
#endif

/* rdi has FROM, rsi has TO; a new flow finds itself in rdi. The frame pointer is saved by hand,
 * since no asm may name it where the compiler uses it as such. Nothing is pushed: what lies below
 * the stack pointer may be in use (the red zone). */
EDDY__SWITCH_FUNCTION void eddy__switch (EddyFlow *from, EddyFlow *to)
{
    __asm__ volatile("leaq 1f(%%rip), %%rax\n\t"
                     "movq %%rsp, 0(%%rdi)\n\t"
                     "movq %%rax, 8(%%rdi)\n\t"
                     "movq %%rbp, 16(%%rdi)\n\t"
                     "movq %%rsi, %%rdi\n\t"
                     "movq 0(%%rsi), %%rsp\n\t"
                     "movq 16(%%rsi), %%rbp\n\t"
                     "jmpq *8(%%rsi)\n"
                     "1:\n\t" EDDY__SWITCH_LANDING
                     : "+D"(from), "+S"(to)
                     :
                     : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
                       "r15", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
                       "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
                       "xmm15" EDDY__SWITCH_WIDE, "cc", "memory");
}

#elif defined __aarch64__

/* Where a new flow begins; the place of its entry is where its frame pointer would be. */
extern const char eddy__switch_start[];

static inline void eddy__switch_prepare (EddyFlow *flow, void *stack_top,
                                         void (*entry) (EddyFlow *flow))
{
    const void **top = (const void **) ((uintptr_t) stack_top & ~(uintptr_t) 15);
    *--top = NULL; /* what walks up the stack finds zeros at its end */
    *--top = NULL;
    flow->sp = top;
    flow->pc = (void *) eddy__switch_start;
    flow->fp = (void *) entry;
}

/* x0 has FROM, x1 has TO; a new flow finds itself in x0. It goes on by x16, which every landing
 * takes jumps by. x29 is the frame pointer, saved by hand. */
EDDY__SWITCH_FUNCTION void eddy__switch (EddyFlow *from, EddyFlow *to)
{
    register EddyFlow *x0 __asm__("x0") = from;
    register EddyFlow *x1 __asm__("x1") = to;
    __asm__ volatile("adr x2, 1f\n\t"
                     "mov x3, sp\n\t"
                     "stp x3, x2, [x0]\n\t"
                     "str x29, [x0, #16]\n\t"
                     "ldp x3, x16, [x1]\n\t"
                     "ldr x29, [x1, #16]\n\t"
                     "mov sp, x3\n\t"
                     "mov x0, x1\n\t"
                     "br x16\n"
                     "1:\n\t"
                     "hint #36\n\t" /* bti j */
                     : "+r"(x0), "+r"(x1)
                     :
                     : "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13",
                       "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24",
                       "x25", "x26", "x27", "x28", "x30", "v0", "v1", "v2", "v3", "v4", "v5", "v6",
                       "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17",
                       "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28",
                       "v29", "v30", "v31", "cc", "memory");
}

#else
#error "no switch for this processor: build with -Dswitch=ucontext"
#endif
