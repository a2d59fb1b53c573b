/* SPDX-License-Identifier: MIT */
/* EddyBufferedInputStream: an input stream that reads ahead. */
#ifndef EDDY_BUFFERED_INPUT_STREAM_H
#define EDDY_BUFFERED_INPUT_STREAM_H

#include <eddy/filter-stream.h>

EDDY_BEGIN_DECLS

/** A filter input stream that reads its base in pieces as large as its buffer. A read gives what is
 * buffered without asking for more; where nothing is, one that is at least as large as the buffer
 * bypasses it. It can seek where its base can, and within what is buffered without asking that. */
typedef struct EddyBufferedInputStream EddyBufferedInputStream;

/** A buffered input stream, or a kind of it, as an EddyBufferedInputStream. */
#define EDDY_BUFFERED_INPUT_STREAM(stream) ((EddyBufferedInputStream *) (void *) (stream))

/** Makes a stream with a buffer of 4096 bytes, which it takes when it first needs it. NULL when
 * memory is out.
 * Thread: any. Since: 0.1 */
EDDY_API EddyInputStream *eddy_buffered_input_stream_new (EddyInputStream *base_stream)
    EDDY_MUST_USE;

/** The same with a buffer of so many bytes, from 1. Thread: any. Since: 0.1 */
EDDY_API EddyInputStream *eddy_buffered_input_stream_new_sized (EddyInputStream *base_stream,
                                                                size_t size) EDDY_MUST_USE;

/** How many bytes the buffer holds. Thread: the stream's. Since: 0.1 */
EDDY_API size_t eddy_buffered_input_stream_get_buffer_size (EddyBufferedInputStream *stream);

/**
 * Changes the size of the buffer, but not below what is buffered. One cannot seek back to what was
 * read before.
 *
 * @stream: a stream
 * @size: in bytes, from 1
 *
 * Returns: whether it was changed; false when memory is out, or an operation is under way
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_API bool eddy_buffered_input_stream_set_buffer_size (EddyBufferedInputStream *stream,
                                                          size_t size);

/** How many bytes are buffered, to be read without waiting. Thread: the stream's. Since: 0.1 */
EDDY_API size_t eddy_buffered_input_stream_get_available (EddyBufferedInputStream *stream);

/**
 * Copies bytes that are buffered; they stay there.
 *
 * @stream: a stream
 * @buffer: where to put them
 * @offset: how many bytes to leave out
 * @count: how many to copy at most
 *
 * Returns: how many were copied
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_API size_t eddy_buffered_input_stream_peek (EddyBufferedInputStream *stream, void *buffer,
                                                 size_t offset, size_t count);

/** The bytes that are buffered, where they lie, and how many: the stream's until the next operation
 * on it. NULL: there are none. Thread: the stream's. Since: 0.1 */
EDDY_API const void *eddy_buffered_input_stream_peek_buffer (EddyBufferedInputStream *stream,
                                                             size_t *count);

/**
 * Reads once from the base into the buffer, behind what is there.
 *
 * @stream: a stream
 * @count: how many bytes at most, never more than fit; -1: as many as fit
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: how many bytes were added; 0 at the end, or where none fit; -1 on failure
 * Errors: INVALID_ARGUMENT below -1; those of eddy_input_stream_read()
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_OPERATION (STREAM)
ssize_t eddy_buffered_input_stream_fill (EddyBufferedInputStream *stream, ssize_t count,
                                         EddyCancellable *cancellable, EddyError **error);

/**
 * Reads one byte.
 *
 * @stream: a stream
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: the byte, 0 to 255; -1 without an error at the end; -1 on failure
 * Errors: those of eddy_input_stream_read()
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_OPERATION (STREAM)
int eddy_buffered_input_stream_read_byte (EddyBufferedInputStream *stream,
                                          EddyCancellable *cancellable, EddyError **error);

EDDY_END_DECLS

#include <eddy/buffered-input-stream-forms.h>

#endif
