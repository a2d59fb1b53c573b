/* SPDX-License-Identifier: MIT */
/*
 * Mappings: what fiber stacks, rings and timer heaps live in. Each returns 0 or -errno and passes
 * the fault door first.
 */
#pragma once

#include <stddef.h>
#include <sys/mman.h>

/* linux/mman: asm-generic/mman-common.h, Linux 6.13; a kernel without them says -EINVAL. */
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif

/* Anonymous and private, always; `flags` adds to that (MAP_NORESERVE, MAP_STACK …). */
int eddy__sys_mmap (void **address, size_t length, int protection, int flags);
int eddy__sys_munmap (void *address, size_t length);
int eddy__sys_mprotect (void *address, size_t length, int protection);
int eddy__sys_madvise (void *address, size_t length, int advice);
/* With MREMAP_MAYMOVE in `flags` *address may change; on failure it does not. */
int eddy__sys_mremap (void **address, size_t old_length, size_t new_length, int flags);
