/* SPDX-License-Identifier: MIT */
/*
 * Randomness from the kernel: unpredictable, good for names and for seeds.
 */
#pragma once

#include <stddef.h>

/* Fills `buf` whole (EINTR and short answers go on), or returns -errno. */
int eddy__sys_random (void *buf, size_t len);
