/* SPDX-License-Identifier: MIT */
/* The order of the bytes of a number. */
#pragma once

#include <eddy/data-stream.h>
#include <string.h>

/* Copies a number of 1, 2, 4 or 8 bytes from this machine's order to another one, or back. */
static inline void eddy__data_copy_number (void *to, const void *from, size_t size,
                                           EddyDataStreamByteOrder order)
{
    bool is_other = order == (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
                                  ? EDDY_DATA_STREAM_BYTE_ORDER_BIG_ENDIAN
                                  : EDDY_DATA_STREAM_BYTE_ORDER_LITTLE_ENDIAN);
    if (!is_other) {
        memcpy (to, from, size);
        return;
    }
    for (size_t i = 0; i < size; i++)
        ((char *) to)[i] = ((const char *) from)[size - 1 - i];
}
