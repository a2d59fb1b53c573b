/* SPDX-License-Identifier: MIT */
/*
 * Threads that do the library's work in the program's name.
 */
#pragma once

#include <pthread.h>

/* Starts one that takes no signals, for these are the program's, but those of its own faults and
 * that by which a dump asks; 0 or -errno. Passes the fault door first. */
int eddy__sys_thread_start (pthread_t *thread, void *(*function) (void *data), void *data);
