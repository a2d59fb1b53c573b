/* SPDX-License-Identifier: MIT */
/* EddyDataOutputStream: numbers and strings, written to a stream. */
#ifndef EDDY_DATA_OUTPUT_STREAM_H
#define EDDY_DATA_OUTPUT_STREAM_H

#include <eddy/data-stream.h>
#include <eddy/filter-stream.h>

EDDY_BEGIN_DECLS

/** A filter output stream that numbers and strings are put to. It keeps nothing back: over a
 * buffered output stream many small ones are put at little cost. What fails may have been written
 * in part. */
typedef struct EddyDataOutputStream EddyDataOutputStream;

/** A data output stream that is known as another kind of stream. */
#define EDDY_DATA_OUTPUT_STREAM(stream) ((EddyDataOutputStream *) (void *) (stream))

/** Makes a stream that writes to `base_stream`. NULL when memory is out. Thread: any. Since: 0.1 */
EDDY_API EddyDataOutputStream *eddy_data_output_stream_new (EddyOutputStream *base_stream)
    EDDY_MUST_USE;

/** The order of the bytes of numbers: big-endian unless set. Thread: the stream's. Since: 0.1 */
EDDY_API EddyDataStreamByteOrder
eddy_data_output_stream_get_byte_order (EddyDataOutputStream *stream);

/** Sets the order of the bytes of numbers. Thread: the stream's. Since: 0.1 */
EDDY_API void eddy_data_output_stream_set_byte_order (EddyDataOutputStream *stream,
                                                      EddyDataStreamByteOrder order);

/**
 * Writes a byte.
 *
 * @stream: a stream
 * @data: the byte
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether it was written
 * Errors: those of eddy_output_stream_write()
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_OPERATION (DIRECT)
bool eddy_data_output_stream_put_byte (EddyDataOutputStream *stream, uint8_t data,
                                       EddyCancellable *cancellable, EddyError **error);

/**
 * Writes a signed number of 2 bytes.
 *
 * @stream: a stream
 * @data: the number
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether it was written
 * Errors: those of eddy_output_stream_write()
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_OPERATION (DIRECT)
bool eddy_data_output_stream_put_int16 (EddyDataOutputStream *stream, int16_t data,
                                        EddyCancellable *cancellable, EddyError **error);

/**
 * Writes a number of 2 bytes.
 *
 * @stream: a stream
 * @data: the number
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether it was written
 * Errors: those of eddy_output_stream_write()
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_OPERATION (DIRECT)
bool eddy_data_output_stream_put_uint16 (EddyDataOutputStream *stream, uint16_t data,
                                         EddyCancellable *cancellable, EddyError **error);

/**
 * Writes a signed number of 4 bytes.
 *
 * @stream: a stream
 * @data: the number
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether it was written
 * Errors: those of eddy_output_stream_write()
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_OPERATION (DIRECT)
bool eddy_data_output_stream_put_int32 (EddyDataOutputStream *stream, int32_t data,
                                        EddyCancellable *cancellable, EddyError **error);

/**
 * Writes a number of 4 bytes.
 *
 * @stream: a stream
 * @data: the number
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether it was written
 * Errors: those of eddy_output_stream_write()
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_OPERATION (DIRECT)
bool eddy_data_output_stream_put_uint32 (EddyDataOutputStream *stream, uint32_t data,
                                         EddyCancellable *cancellable, EddyError **error);

/**
 * Writes a signed number of 8 bytes.
 *
 * @stream: a stream
 * @data: the number
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether it was written
 * Errors: those of eddy_output_stream_write()
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_OPERATION (DIRECT)
bool eddy_data_output_stream_put_int64 (EddyDataOutputStream *stream, int64_t data,
                                        EddyCancellable *cancellable, EddyError **error);

/**
 * Writes a number of 8 bytes.
 *
 * @stream: a stream
 * @data: the number
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether it was written
 * Errors: those of eddy_output_stream_write()
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_OPERATION (DIRECT)
bool eddy_data_output_stream_put_uint64 (EddyDataOutputStream *stream, uint64_t data,
                                         EddyCancellable *cancellable, EddyError **error);

/**
 * Writes a string without its NUL.
 *
 * @stream: a stream
 * @string: the string
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether it was written
 * Errors: those of eddy_output_stream_write()
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_OPERATION (DIRECT)
bool eddy_data_output_stream_put_string (EddyDataOutputStream *stream, const char *string,
                                         EddyCancellable *cancellable, EddyError **error);

EDDY_END_DECLS

#include <eddy/data-output-stream-forms.h>

#endif
