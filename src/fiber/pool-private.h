/* SPDX-License-Identifier: MIT */
/* What groups need of pools. */
#pragma once

#include <eddy/pool.h>

#include "fiber/fiber-private.h"

typedef struct EddyPoolThread EddyPoolThread;

/* What a pool keeps of a fiber of its own: behind the fiber's record. */
typedef struct EddyPoolJob {
    EddyFiber *fiber;
    EddyPoolThread *thread;
    EddyContext *context; /* a reference, for whoever cancels the fiber as it ends */
    /* The program's: */
    EddyFiberFunc function;
    void *data;
    void (*destroy) (void *data);
    /* Of a group's fiber: whether somebody waits for it to be ready, and what carries that home. */
    bool is_awaited;
    EddyEntry ready;
    void *ready_value;
} EddyPoolJob;

/* Makes a fiber on the thread that has fewest, to follow `parent` (NULL: memory is out); NULL with
 * an error. It counts as that thread's from now on and has to be started, after its function was
 * set and wrapped. */
EddyFiber *eddy__pool_new_fiber (EddyPool *pool, EddyCancellable *parent, EddyError **error);
void eddy__pool_wrap_function (EddyFiber *fiber, bool is_awaited);
