/* SPDX-License-Identifier: MIT */
/* A task's function on a worker: what waits for it from a thread, and what from a fiber. */
#pragma once

#include "future/task-private.h"

/* Begins a job that eddy__task_end_sync() ends. `waiter`, unless NULL, is returned and given up
 * when the answer is there: for a fiber. False: nothing has begun, after
 * misuse, or for want of memory, which the task has completed with. */
bool eddy__task_begin_sync (EddyTask *task, EddyTaskThreadFunc function, EddyTask *waiter);
/* Waits for the answer as a thread does, if it is not there yet, and completes the task. */
void eddy__task_end_sync (EddyTask *task);

/* A task without a callback that completes in a context. */
EddyTask *eddy__task_new_in (EddyContext *context);
