/* SPDX-License-Identifier: MIT */
/*
 * Shadow buffers: while this is on, the kernel and the workers get a copy of an operation's buffer,
 * and what they did to it is copied back when it completes. Sanitizers do not see what the kernel
 * writes; this does:
 *
 *   - nothing beyond what the result tells has been written, and nothing at all by an operation
 *     that says it was cancelled or failed;
 *   - nobody touched the caller's buffer meanwhile, nor freed it (the copy back is an ordinary
 *     write, which AddressSanitizer sees);
 *   - nothing is written to a shadow after its operation has completed: they are filled with a
 *     pattern, kept, and looked at again; and a late write of the kernel's sends that pattern.
 *
 * A fault found ends the process with a message. For tests that link the static library.
 */
#pragma once

#include <stdint.h>

void eddy_test_bounce_begin (void);
/* Off, all shadows looked at; returns how many operations had one: assert that it is not 0. No
   operation may be under way. */
uint64_t eddy_test_bounce_end (void);
