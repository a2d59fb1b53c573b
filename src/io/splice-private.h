/* SPDX-License-Identifier: MIT */
/* A splice under way, and the ways in which it may go. */
#pragma once

#include <eddy/input-stream.h>
#include <eddy/output-stream.h>

enum { EDDY__SPLICE_PIECE = 32 * 1024 }; /* less than that is copied, from socket to socket */

/* Both streams are pending while it goes on; their classes' functions are called directly. */
typedef struct EddySplice {
    EddyOutputStream *target;
    EddyInputStream *source;
    EddyCancellable *cancellable;
    size_t done; /* bytes written to the target */
    size_t lost; /* bytes that the source has given and the target has not got, on failure */
} EddySplice;

static inline void eddy__splice_count (EddySplice *self, size_t count)
{
    if (__builtin_add_overflow (self->done, count, &self->done))
        self->done = SIZE_MAX;
}

/* Within the kernel, where both streams are fds that can do so: 1: all is done; 0: it cannot, or
 * can no longer, and buffers are to go on; -1: it failed. */
int eddy__splice_in_kernel (EddySplice *self, EddyError **error);

/* From one socket to another, by reading and writing: 1 when EDDY__SPLICE_PIECE bytes have come at
 * once, which have been written: what follows should be moved; 0 at the end; or -1. While nothing
 * comes, there is no buffer. */
int eddy__splice_piece_by_piece (EddySplice *self, int from, int to, EddyError **error);

/* Whether all is done. */
bool eddy__splice_through_memory (EddySplice *self, EddyError **error);
