/* SPDX-License-Identifier: MIT */
/* Data input from the inside: what lines and numbers share. */
#pragma once

#include <eddy/data-input-stream.h>

#include "io/buffered-private.h"

struct EddyDataInputStream {
    EddyBufferedInputStream buffered;
    EddyDataStreamByteOrder byte_order;
    EddyDataStreamNewlineType newline_type;
    size_t max_length;
};

/* Whether an object is one, and not NULL. */
bool eddy__data_input_is (const EddyDataInputStream *stream);

static inline EddyStream *eddy__data_input_get_stream (EddyDataInputStream *self)
{
    return eddy__buffered_input_get_stream (&self->buffered);
}
