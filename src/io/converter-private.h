/* SPDX-License-Identifier: MIT */
/* What streams that convert share: buffers, and where a conversion is done. */
#pragma once

#include <eddy/converter.h>

enum {
    /* Of what is to be converted, at a time: a class may count on getting as much. */
    EDDY__CONVERTER_INPUT_SIZE = 64 * 1024,
    /* Of what is converted: at least so much room is offered. */
    EDDY__CONVERTER_ROOM = 4096
};

/* Bytes on their way: those from `begin` to `end` are there. */
typedef struct EddyConverterBuffer {
    char *data;
    size_t size;
    size_t begin;
    size_t end;
} EddyConverterBuffer;

static inline size_t eddy__converter_buffer_count (const EddyConverterBuffer *buffer)
{
    return buffer->end - buffer->begin;
}

/* Whether it has its memory, which is taken at first use; false with NO_MEMORY. */
bool eddy__converter_buffer_prepare (EddyConverterBuffer *buffer, size_t size, EddyError **error);
/* Takes `count` bytes off its front; when it is empty, it begins at its beginning again. */
void eddy__converter_buffer_take (EddyConverterBuffer *buffer, size_t count);
/* Moves what is there to the beginning, and says how much room there is behind it. */
size_t eddy__converter_buffer_room (EddyConverterBuffer *buffer);

/* eddy_converter_convert(), of what is in a buffer; in a fiber, on a worker where it would hold the
 * loop up. What is done is done: a cancel comes before it or not at all. `name` is of what is
 * converted, for messages. */
EddyConverterResult eddy__converter_step (EddyConverter *converter, const char *name,
                                          EddyConverterBuffer *input, void *output,
                                          size_t output_size, EddyConverterFlags flags,
                                          size_t *bytes_written, EddyCancellable *cancellable,
                                          EddyError **error);

/* Whether the converter only wants more input, in which case the error is given up. */
bool eddy__converter_wants_more (EddyError **error);
