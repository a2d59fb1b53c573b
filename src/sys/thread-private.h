/* SPDX-License-Identifier: MIT */
/*
 * Threads that do the library's work in the program's name.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>

/* Starts one that takes no signals, for these are the program's, but those of its own faults and
 * that by which a dump asks; 0 or -errno. Passes the fault door first. */
int eddy__sys_thread_start (pthread_t *thread, void *(*function) (void *data), void *data);

/* --- fences that one side pays for ------------------------------------------------------------ */

/* Has the kernel make eddy__sys_fence() possible; -ENOSYS before Linux 4.14, or what a filter says.
 * Costs nothing while the process has one thread, and some milliseconds later. */
int eddy__sys_fence_prepare (void);
/* Whether that was done. Any thread. */
bool eddy__sys_fence_is_prepared (void);
/* Lets each thread of the process pass a full memory barrier, wherever it is, so that those who
 * come by often need none of their own; -errno when it was not prepared, or a filter has been set
 * up meanwhile. */
int eddy__sys_fence (void);
