/* SPDX-License-Identifier: MIT */
/* The beginning and the end of a flow on aarch64. The switch itself is in switch-private.h. */
        .text

/* Where a new flow begins: x29 is its entry, x0 the flow. What follows is where the entry would
 * return to, which it must not. */
        .globl  eddy__switch_start
        .hidden eddy__switch_start
        .type   eddy__switch_start, %function
        .balign 16
eddy__switch_start:
        .cfi_startproc
        .cfi_undefined x30              /* nobody called this: backtraces end here */
        hint    #38                     /* bti jc */
        mov     x16, x29
        mov     x29, xzr                /* the end of the chain of frames */
        adr     x30, 1f
        br      x16
1:      brk     #1
        .cfi_endproc
        .size   eddy__switch_start, . - eddy__switch_start

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
