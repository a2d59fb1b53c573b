/* SPDX-License-Identifier: MIT */
/*
 * The switch between two flows of control, each on a stack of its own.
 *
 * A flow that does not run is nothing but a stack pointer: all that it needs to go on lies on its
 * stack. One file of assembly for each processor (switch-x86_64.S, switch-aarch64.S) knows that
 * layout; switch-ucontext.c does the same in portable C, sixty times slower, for every other
 * processor.
 *
 * What the calling convention lets a function destroy is not kept, and neither are errno (fiber.c
 * keeps it) and the floating point control words (rounding mode, exception masks): they cost more
 * than the whole switch, and belong to the thread here. The signal mask is the thread's, too.
 */
#pragma once

/* Stops the running flow, leaves in *SAVE_SP what a later call needs to let it go on, and continues
 * the flow LOAD_SP. Returns when somebody switches back. *SAVE_SP is written before the other flow
 * runs. Call it from one place only, a function that is not inlined: then the processor predicts
 * the returns after it right, which is most of what it costs (see switch-x86_64.S). */
void eddy__switch (void **save_sp, void *load_sp);

/* Makes a flow that will call ENTRY (ARGUMENT) on the stack that ends at STACK_TOP (exclusive; any
 * alignment), and returns what eddy__switch() takes as LOAD_SP. ENTRY must never return: the flow
 * has nowhere to go, and traps. A backtrace ends at ENTRY. */
void *eddy__switch_prepare (void *stack_top, void (*entry) (void *argument), void *argument);
