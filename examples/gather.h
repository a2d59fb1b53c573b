/* SPDX-License-Identifier: MIT */
/* What gather.c and gather-styles.c share: one operation, and several of it at once. */
#ifndef GATHER_H
#define GATHER_H

#include <eddy/eddy.h>

EDDY_BEGIN_DECLS

/**
 * Loads what a path names to its end: a file, or a fifo once somebody writes to it.
 *
 * @path: the path
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: the bytes, with one reference; NULL on failure
 * Errors: CANCELLED; LIMIT_EXCEEDED past 4096 bytes; what open(2) and read(2) give
 * Thread: any
 */
EDDY_OPERATION_LOCAL (FIBER)
EddyBytes *gather_load (const char *path, EddyCancellable *cancellable, EddyError **error);

enum { GATHER_MOST = 16 };

/* One of them. */
typedef struct Load {
    struct Gather *all;
    const char *path;
    EddyBytes *bytes; /* when it has been loaded */
    EddyChannel *channel;
} Load;

typedef struct Gather {
    Load loads[GATHER_MOST];
    size_t n_loads;
    /* Of a style: */
    size_t n_to_finish;
    EddyTask *task;
    EddyError *error;
} Gather;

/* Begins to load all at once, in the style of this name. The future completes when all have been
 * loaded, or with the first error when the others, cancelled by it, have ended. NULL: there is no
 * such style. */
EddyFuture *gather_begin (Gather *gather, const char *style);

/* What a fiber runs: one load, whose data is a Load, and all of them, whose data is a Gather. */
void *gather_load_fiber (void *data, EddyError **error);
void *gather_with_fibers (void *data, EddyError **error);
void *gather_with_channels (void *data, EddyError **error);
void *gather_with_sequence (void *data, EddyError **error);

EDDY_END_DECLS

#include "gather-forms.h"

#endif
