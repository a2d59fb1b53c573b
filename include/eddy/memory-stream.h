/* SPDX-License-Identifier: MIT */
/* Streams in memory. */
#ifndef EDDY_MEMORY_STREAM_H
#define EDDY_MEMORY_STREAM_H

#include <eddy/input-stream.h>
#include <eddy/output-stream.h>

EDDY_BEGIN_DECLS

/** Makes a stream without bytes to read. It can seek. NULL when memory is out. Thread: any.
 * Since: 0.1 */
EDDY_API EddyInputStream *eddy_memory_input_stream_new (void);

/** Makes a stream that reads bytes. NULL when memory is out. Thread: any. Since: 0.1 */
EDDY_API EddyInputStream *eddy_memory_input_stream_new_from_bytes (EddyBytes *bytes);

/**
 * Adds bytes to the end of a stream in memory; who is at the end may read on.
 *
 * @stream: a stream that one of the two functions above made
 * @bytes: the bytes, of which it keeps a reference
 *
 * Returns: whether they were added; false when memory is out
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_API bool eddy_memory_input_stream_add_bytes (EddyInputStream *stream, EddyBytes *bytes);

/**
 * Makes a stream that keeps in memory what is written to it. It can seek and truncate; what lies
 * between its end and a later write is zeroes.
 *
 * @size_limit: bytes that it takes at most, beyond which a write is short and then fails with
 *     NO_SPACE; 0: no limit
 *
 * Returns: a stream with one reference, or NULL when memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyOutputStream *eddy_memory_output_stream_new (size_t size_limit);

/** How many bytes were written, up to the farthest end. Thread: the stream's. Since: 0.1 */
EDDY_API size_t eddy_memory_output_stream_get_size (EddyOutputStream *stream);

/** The bytes written so far, owned by @stream until the next operation on it; NULL where there are
 * none. Thread: the stream's. Since: 0.1 */
EDDY_API const void *eddy_memory_output_stream_get_data (EddyOutputStream *stream);

/**
 * Takes the bytes out of a closed stream, without copying them.
 *
 * @stream: a stream that was closed
 *
 * Returns: the bytes; NULL when they were taken before, or memory is out
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_API EddyBytes *eddy_memory_output_stream_steal_as_bytes (EddyOutputStream *stream);

EDDY_END_DECLS

#endif
