/* SPDX-License-Identifier: MIT */
/* Buffered output: an output stream that collects what is written. */
#ifndef EDDY_BUFFERED_OUTPUT_STREAM_H
#define EDDY_BUFFERED_OUTPUT_STREAM_H

#include <eddy/filter-stream.h>

EDDY_BEGIN_DECLS

/** A filter output stream that hands on what it is given when its buffer is full, when it is
 * flushed, closed, sought or truncated. Bytes that it has taken stay until they are handed on:
 * where that fails they are tried again next time. When the last reference goes, bytes that were
 * not handed on are lost, with a warning. It has positions where its base has. */
typedef struct EddyBufferedOutputStream EddyBufferedOutputStream;

/** A buffered output stream as an EddyBufferedOutputStream. */
#define EDDY_BUFFERED_OUTPUT_STREAM(stream) ((EddyBufferedOutputStream *) (void *) (stream))

/** Makes a stream with a buffer of 4096 bytes, which it takes when it first needs it. NULL when
 * memory is out. Thread: any. Since: 0.1 */
EDDY_API EddyOutputStream *eddy_buffered_output_stream_new (EddyOutputStream *base_stream)
    EDDY_MUST_USE;

/** The same with a buffer of so many bytes, from 1. Thread: any. Since: 0.1 */
EDDY_API EddyOutputStream *eddy_buffered_output_stream_new_sized (EddyOutputStream *base_stream,
                                                                  size_t size) EDDY_MUST_USE;

/** How many bytes the buffer holds. Thread: the stream's. Since: 0.1 */
EDDY_API size_t eddy_buffered_output_stream_get_buffer_size (EddyBufferedOutputStream *stream);

/**
 * Changes the size of the buffer, but not below what it holds.
 *
 * @stream: a stream
 * @size: in bytes, from 1
 *
 * Returns: whether it was changed; false when memory is out, or an operation is under way
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_API bool eddy_buffered_output_stream_set_buffer_size (EddyBufferedOutputStream *stream,
                                                           size_t size);

/** How many bytes were written and not handed on yet. Thread: the stream's. Since: 0.1 */
EDDY_API size_t eddy_buffered_output_stream_get_buffered (EddyBufferedOutputStream *stream);

EDDY_END_DECLS

#endif
