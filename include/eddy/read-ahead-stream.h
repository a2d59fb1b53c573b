/* SPDX-License-Identifier: MIT */
/* Read-ahead streams: input that is there before it is asked for. */
#ifndef EDDY_READ_AHEAD_STREAM_H
#define EDDY_READ_AHEAD_STREAM_H

#include <eddy/filter-stream.h>

EDDY_BEGIN_DECLS

/**
 * Makes a stream that reads another one ahead: from its first read in a fiber on, a fiber of its
 * own reads the base until so many bytes wait that the high-water mark is reached, and goes on when
 * no more than the low-water mark are left. An error of the base comes after all that was read
 * before. In a plain thread it reads no further ahead.
 *
 * Its close ends that fiber, and what was read ahead of the base is gone.
 *
 * @base_stream: what it reads from, of which it keeps a reference; an EddyFilterInputStream's base
 * @low_water: in bytes; 0, or not below @high_water: a quarter of that
 * @high_water: in bytes, which it holds at most, and takes the memory for; 0: 256 KiB
 *
 * Returns: a stream with one reference, or NULL when memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyInputStream *eddy_read_ahead_stream_new (EddyInputStream *base_stream,
                                                      size_t low_water, size_t high_water);

/** How many bytes wait to be read: so many can be read at once. Thread: the stream's. Since: 0.1 */
EDDY_API size_t eddy_read_ahead_stream_get_level (EddyInputStream *stream);

EDDY_END_DECLS

#endif
