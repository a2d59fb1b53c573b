/* SPDX-License-Identifier: MIT */
/*
 * The switch for aarch64, AAPCS64 calling convention. A flow that does not run has on its stack,
 * from its stack pointer upwards: x19 … x28, x29 (frame pointer), x30 (where it goes on),
 * d8 … d15.
 * Of the vector registers a function keeps only these lower halves.
 *
 * A flow is continued by `ret`: see switch-x86_64.S, where it was measured against a jump. Here,
 * too, the processor predicts returns from the calls before, and a jump would leave one call
 * unreturned.
 */

#define FRAME 160

        .text

/* void eddy__switch (void **save_sp [x0], void *load_sp [x1]) */
        .globl  eddy__switch
        .hidden eddy__switch
        .type   eddy__switch, %function
        .balign 16
eddy__switch:
        .cfi_startproc
        hint    #34                     /* bti c */
        sub     sp, sp, #FRAME
        .cfi_def_cfa_offset FRAME
        stp     x19, x20, [sp, #0]
        .cfi_rel_offset x19, 0
        .cfi_rel_offset x20, 8
        stp     x21, x22, [sp, #16]
        .cfi_rel_offset x21, 16
        .cfi_rel_offset x22, 24
        stp     x23, x24, [sp, #32]
        .cfi_rel_offset x23, 32
        .cfi_rel_offset x24, 40
        stp     x25, x26, [sp, #48]
        .cfi_rel_offset x25, 48
        .cfi_rel_offset x26, 56
        stp     x27, x28, [sp, #64]
        .cfi_rel_offset x27, 64
        .cfi_rel_offset x28, 72
        stp     x29, x30, [sp, #80]
        .cfi_rel_offset x29, 80
        .cfi_rel_offset x30, 88
        stp     d8, d9, [sp, #96]
        stp     d10, d11, [sp, #112]
        stp     d12, d13, [sp, #128]
        stp     d14, d15, [sp, #144]

        /* Both stacks have the same layout here: the unwind rules hold on either side. */
        mov     x9, sp
        str     x9, [x0]
        mov     sp, x1

        ldp     x19, x20, [sp, #0]
        ldp     x21, x22, [sp, #16]
        ldp     x23, x24, [sp, #32]
        ldp     x25, x26, [sp, #48]
        ldp     x27, x28, [sp, #64]
        ldp     x29, x30, [sp, #80]
        ldp     d8, d9, [sp, #96]
        ldp     d10, d11, [sp, #112]
        ldp     d12, d13, [sp, #128]
        ldp     d14, d15, [sp, #144]
        add     sp, sp, #FRAME
        .cfi_def_cfa_offset 0
        .cfi_restore x19
        .cfi_restore x20
        .cfi_restore x21
        .cfi_restore x22
        .cfi_restore x23
        .cfi_restore x24
        .cfi_restore x25
        .cfi_restore x26
        .cfi_restore x27
        .cfi_restore x28
        .cfi_restore x29
        .cfi_restore x30
        ret
        .cfi_endproc
        .size   eddy__switch, . - eddy__switch

/* Where a new flow begins: x19 is its entry, x20 the argument. */
        .type   eddy__switch_start, %function
        .balign 16
eddy__switch_start:
        .cfi_startproc
        .cfi_undefined x30              /* nobody called this: backtraces end here */
        hint    #38                     /* bti jc */
        mov     x0, x20
        blr     x19
        brk     #1                      /* the entry returned, which it must not */
        .cfi_endproc
        .size   eddy__switch_start, . - eddy__switch_start

/* void *eddy__switch_prepare (void *stack_top [x0], void (*entry) (void *) [x1],
 *                             void *argument [x2]) */
        .globl  eddy__switch_prepare
        .hidden eddy__switch_prepare
        .type   eddy__switch_prepare, %function
        .balign 16
eddy__switch_prepare:
        .cfi_startproc
        hint    #34                     /* bti c */
        and     x0, x0, #-16
        adr     x9, eddy__switch_start
        stp     xzr, xzr, [x0, #-16]!   /* what walks up the stack finds zeros at its end */
        sub     x0, x0, #FRAME
        stp     x1, x2, [x0, #0]        /* x19, x20 */
        stp     xzr, xzr, [x0, #16]
        stp     xzr, xzr, [x0, #32]
        stp     xzr, xzr, [x0, #48]
        stp     xzr, xzr, [x0, #64]
        stp     xzr, x9, [x0, #80]      /* x29: the end of the chain of frames; x30 */
        stp     xzr, xzr, [x0, #96]
        stp     xzr, xzr, [x0, #112]
        stp     xzr, xzr, [x0, #128]
        stp     xzr, xzr, [x0, #144]
        ret
        .cfi_endproc
        .size   eddy__switch_prepare, . - eddy__switch_prepare

        .section .note.GNU-stack, "", %progbits

#if defined __ARM_FEATURE_BTI_DEFAULT
        .section .note.gnu.property, "a", %note
        .balign 8
        .long   4                       /* length of the name */
        .long   16                      /* length of the properties */
        .long   5                       /* NT_GNU_PROPERTY_TYPE_0 */
        .asciz  "GNU"
        .long   0xc0000000              /* GNU_PROPERTY_AARCH64_FEATURE_1_AND */
        .long   4
        .long   1                       /* BTI */
        .long   0
#endif
