/* SPDX-License-Identifier: MIT */
/*
 * How much memory lives. The program is linked with --wrap for malloc and its kin, so that the
 * library's allocations and the scenarios' count, and libc's own do not.
 */
#pragma once

/* Without the buffers for copies, of which each thread may keep one until its end. */
long torture_live_blocks (void);
/* Under AddressSanitizer: tells on stderr what leaked, and where it was allocated. */
void torture_tell_leaks (void);
