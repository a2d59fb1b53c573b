/* SPDX-License-Identifier: MIT */
/*
 * The switch for x86_64, System V calling convention. A flow that does not run has on its stack,
 * from its stack pointer upwards: r15 r14 r13 r12 rbx rbp, and the address at which it goes on.
 *
 * A flow is continued by `ret`. The processor predicts that a `ret` goes back to the latest `call`,
 * which was another flow's; but where all flows switch in the same function, that is the same
 * address, and the frames above are mostly the same, too. Three calls deep, a switch and the three
 * returns take 3.4 ns between flows of the same code and 12.5 ns between flows of different code. A
 * jump, which does not ask the prediction, takes 21 ns in both: it leaves one call unreturned, so
 * that every later `ret` of the flow is predicted wrong. It wins (2.9 ns instead of 8.8) only
 * between two bare loops that call eddy__switch() from two places. So: call it from one place.
 *
 * A shadow stack cannot follow the exchange of stacks: the note at the end claims indirect branch
 * tracking only, and the linker then does not mark the library as fit for shadow stacks.
 */

#if defined __CET__ && (__CET__ & 1)
#define LANDING endbr64
#else
#define LANDING
#endif

        .text

/* void eddy__switch (void **save_sp [rdi], void *load_sp [rsi]) */
        .globl  eddy__switch
        .hidden eddy__switch
        .type   eddy__switch, @function
        .balign 16
eddy__switch:
        .cfi_startproc
        LANDING
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbp, 0
        pushq   %rbx
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbx, 0
        pushq   %r12
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r12, 0
        pushq   %r13
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r13, 0
        pushq   %r14
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r14, 0
        pushq   %r15
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r15, 0

        /* Both stacks have the same layout here: the unwind rules hold on either side. */
        movq    %rsp, (%rdi)
        movq    %rsi, %rsp

        popq    %r15
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r15
        popq    %r14
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r14
        popq    %r13
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r13
        popq    %r12
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r12
        popq    %rbx
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbx
        popq    %rbp
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbp
        ret
        .cfi_endproc
        .size   eddy__switch, . - eddy__switch

/* Where a new flow begins: r12 is its entry, r13 the argument. */
        .type   eddy__switch_start, @function
        .balign 16
eddy__switch_start:
        .cfi_startproc
        .cfi_undefined %rip     /* nobody called this: backtraces end here */
        LANDING
        movq    %r13, %rdi
        call    *%r12
        ud2                     /* the entry returned, which it must not */
        .cfi_endproc
        .size   eddy__switch_start, . - eddy__switch_start

/* void *eddy__switch_prepare (void *stack_top [rdi], void (*entry) (void *) [rsi],
 *                             void *argument [rdx]) */
        .globl  eddy__switch_prepare
        .hidden eddy__switch_prepare
        .type   eddy__switch_prepare, @function
        .balign 16
eddy__switch_prepare:
        .cfi_startproc
        LANDING
        andq    $-16, %rdi
        leaq    eddy__switch_start(%rip), %rax
        xorl    %ecx, %ecx
        movq    %rcx, -8(%rdi)          /* two zero words: what walks up by frame pointers or by */
        movq    %rcx, -16(%rdi)         /* return addresses finds an end; they keep the alignment */
        movq    %rax, -24(%rdi)         /* goes on at eddy__switch_start */
        movq    %rcx, -32(%rdi)         /* rbp: the end of the chain of frames */
        movq    %rcx, -40(%rdi)         /* rbx */
        movq    %rsi, -48(%rdi)         /* r12 */
        movq    %rdx, -56(%rdi)         /* r13 */
        movq    %rcx, -64(%rdi)         /* r14 */
        movq    %rcx, -72(%rdi)         /* r15 */
        leaq    -72(%rdi), %rax
        ret
        .cfi_endproc
        .size   eddy__switch_prepare, . - eddy__switch_prepare

        .section .note.GNU-stack, "", @progbits

#if defined __CET__ && (__CET__ & 1)
        .section .note.gnu.property, "a", @note
        .balign 8
        .long   4                       /* length of the name */
        .long   16                      /* length of the properties */
        .long   5                       /* NT_GNU_PROPERTY_TYPE_0 */
        .asciz  "GNU"
        .long   0xc0000002              /* GNU_PROPERTY_X86_FEATURE_1_AND */
        .long   4
        .long   1                       /* IBT, and not SHSTK (2) */
        .long   0
#endif
