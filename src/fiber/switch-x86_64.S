/* SPDX-License-Identifier: MIT */
/*
 * The end of a flow on x86_64. The switch itself is in switch-private.h.
 *
 * A shadow stack cannot follow the exchange of stacks: the note at the end claims indirect branch
 * tracking only, and the linker then does not mark the library as fit for shadow stacks.
 */
        .text

/* The return address of every entry: it must not return. */
        .type   eddy__switch_beneath, @function
        .balign 16
eddy__switch_beneath:
        .cfi_startproc
        .cfi_undefined %rip     /* nobody called this: backtraces end here */
        nop                     /* a return address is looked up one byte before it */
        .globl  eddy__switch_end
        .hidden eddy__switch_end
eddy__switch_end:
        ud2
        .cfi_endproc
        .size   eddy__switch_beneath, . - eddy__switch_beneath

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
