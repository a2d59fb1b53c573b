/* SPDX-License-Identifier: MIT */
/*
 * A fiber that overflows its stack runs into the guard, and the program dies by SIGSEGV, as it
 * should; this names the fiber first:
 *
 *     eddy: stack overflow in fiber 'copy' spawned at tree.c:212 (tree_walk), stack 196608 bytes:
 *     … (what to do about it)
 *
 * Eddy otherwise never changes what a signal does. This is the one exception, since without it
 * an overflow looks like any wild pointer. It changes nothing where the program or a sanitizer has
 * a SIGSEGV handler of its own, and what is no overflow dies as if the handler were not there.
 */
#pragma once

#include <stddef.h>

#include "base/compiler-private.h"

typedef struct EddyOverflowInfo {
    const char *name; /* NULL: no name */
    const char *file; /* NULL: place unknown, as are line and function */
    int line;
    const char *function;
    size_t stack_size;
    const void *guard_start;
    const void *guard_end;
} EddyOverflowInfo;

/* Says who FIBER is, and where its stack's guard lies. Runs in a signal handler: it reads the
 * record, and calls nothing. */
typedef void (*EddyOverflowDescribe) (const void *fiber, EddyOverflowInfo *info);

/* The fiber that runs on this thread, NULL on the thread's own stack. fiber.c stores it at each
 * switch, and may use it as its notion of the current fiber. */
extern EDDY__THREAD const void *eddy__overflow_fiber;

/* Before the first fiber of a thread runs: gives the thread a stack for signal handlers, if it has
 * none, until it ends; and, once in the process, installs the handler where SIGSEGV has its default
 * disposition. DESCRIBE is the same on every call. Returns 0 or -errno; fibers run without, too. */
int eddy__overflow_watch_thread (EddyOverflowDescribe describe);
