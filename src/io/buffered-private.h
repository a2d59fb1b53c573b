/* SPDX-License-Identifier: MIT */
/* Buffered input from the inside: what reads lines and numbers looks into the buffer itself.
 *
 *   buffer   0 ........ start ........ end ........ capacity
 *              was read,      buffered       free
 *              can be sought
 */
#pragma once

#include <eddy/buffered-input-stream.h>

#include "engine/operation-private.h"

enum { EDDY__BUFFERED_SIZE = 4096 };

struct EddyBufferedInputStream {
    EddyFilterInputStream filter;
    char *buffer;    /* NULL: not needed so far */
    size_t size;     /* as it was asked for */
    size_t capacity; /* of the buffer: the size, or more, while one thing to be read is longer */
    size_t start;
    size_t end;
    /* A line has ended with the CR that came last: a LF that comes next is of that line's end. */
    bool drops_line_feed;
};

/* What makes up the class of a kind of buffered input stream. */
ssize_t eddy__buffered_input_read (EddyInputStream *stream, void *buffer, size_t count,
                                   EddyCancellable *cancellable, EddyError **error);
ssize_t eddy__buffered_input_skip (EddyInputStream *stream, size_t count,
                                   EddyCancellable *cancellable, EddyError **error);
bool eddy__buffered_input_is_ready (EddyInputStream *stream);
bool eddy__buffered_input_close (EddyInputStream *stream, EddyCancellable *cancellable,
                                 EddyError **error);
void eddy__buffered_input_dispose (void *object);
extern const EddySeekableFuncs eddy__buffered_input_seekable;

/* One of that kind; NULL when memory is out. */
EddyBufferedInputStream *eddy__buffered_input_new (const EddyInputStreamClass *input_class,
                                                   EddyInputStream *base_stream, size_t size);

/* What is buffered. */
static inline const char *eddy__buffered_input_get_bytes (const EddyBufferedInputStream *self)
{
    return self->buffer + self->start;
}

static inline size_t eddy__buffered_input_get_count (const EddyBufferedInputStream *self)
{
    return self->end - self->start;
}

static inline EddyStream *eddy__buffered_input_get_stream (EddyBufferedInputStream *self)
{
    return &self->filter.stream.stream;
}

/* Reads once from the base, up to `most` bytes, behind what is buffered; the buffer grows when that
 * leaves no room for a single one, and goes back to its size when it is empty. How many bytes; 0 at
 * the end; -1. */
ssize_t eddy__buffered_input_fill (EddyBufferedInputStream *self, size_t most,
                                   EddyCancellable *cancellable, EddyError **error);

/* For the result of a request that was ready, what it takes being buffered: ends the operation;
 * whether it was not cancelled. */
bool eddy__buffered_input_end_ready (EddyBufferedInputStream *self, const EddyOp *op,
                                     EddyError **error);
