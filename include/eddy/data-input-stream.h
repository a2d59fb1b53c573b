/* SPDX-License-Identifier: MIT */
/* EddyDataInputStream: lines, text up to a stop, and numbers, read from a stream. */
#ifndef EDDY_DATA_INPUT_STREAM_H
#define EDDY_DATA_INPUT_STREAM_H

#include <eddy/buffered-input-stream.h>
#include <eddy/data-stream.h>
#include <eddy/sequence.h>

EDDY_BEGIN_DECLS

/** A buffered input stream that is read by lines and numbers. What cannot be read whole is not read
 * at all: after a cancel, an error or a limit its bytes are still there, to be asked for again. The
 * buffer grows for what is longer. */
typedef struct EddyDataInputStream EddyDataInputStream;

/** A data input stream that is known as another kind of stream. */
#define EDDY_DATA_INPUT_STREAM(stream) ((EddyDataInputStream *) (void *) (stream))

/** Makes a stream that reads `base_stream`. NULL when memory is out. Thread: any. Since: 0.1 */
EDDY_API EddyDataInputStream *eddy_data_input_stream_new (EddyInputStream *base_stream)
    EDDY_MUST_USE;

/** The order of the bytes of numbers: big-endian unless set. Thread: the stream's. Since: 0.1 */
EDDY_API EddyDataStreamByteOrder
eddy_data_input_stream_get_byte_order (EddyDataInputStream *stream);

/** Sets the order of the bytes of numbers. Thread: the stream's. Since: 0.1 */
EDDY_API void eddy_data_input_stream_set_byte_order (EddyDataInputStream *stream,
                                                     EddyDataStreamByteOrder order);

/** What ends a line: LF unless set. Thread: the stream's. Since: 0.1 */
EDDY_API EddyDataStreamNewlineType
eddy_data_input_stream_get_newline_type (EddyDataInputStream *stream);

/** Sets what ends a line. Thread: the stream's. Since: 0.1 */
EDDY_API void eddy_data_input_stream_set_newline_type (EddyDataInputStream *stream,
                                                       EddyDataStreamNewlineType type);

/** The most bytes that a line, or text up to a stop, may have: 65536 unless set.
 * Thread: the stream's. Since: 0.1 */
EDDY_API size_t eddy_data_input_stream_get_max_length (EddyDataInputStream *stream);

/** Sets the most bytes that a line, or text up to a stop, may have, its end not counted. Who reads
 * what strangers send needs such a limit. SIZE_MAX: none. Thread: the stream's. Since: 0.1 */
EDDY_API void eddy_data_input_stream_set_max_length (EddyDataInputStream *stream,
                                                     size_t max_length);

/* --- lines ------------------------------------------------------------------------------------ */

/**
 * Reads a line. It may have NULs in it. The last one need not have an end.
 *
 * A line longer than the limit fails with LIMIT_EXCEEDED as soon as that shows, and nothing of it
 * is read: the next call fails likewise, unless the limit was raised, or the line passed over by
 * eddy_data_input_stream_skip_line(), which needs no memory for it.
 *
 * @stream: a stream
 * @length: how many bytes it has
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: the line without its end, a NUL behind it, to be freed with eddy_free(); NULL without an
 *     error at the end of the stream; NULL on failure
 * Errors: LIMIT_EXCEEDED; NO_MEMORY; those of eddy_input_stream_read()
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_OPERATION (STREAM)
char *eddy_data_input_stream_read_line (EddyDataInputStream *stream, size_t *length EDDY_OUT_LEN,
                                        EddyCancellable *cancellable, EddyError **error);

/**
 * Reads a line of text in UTF-8. A line that is not, or has a NUL in it, is passed over, and
 * INVALID_DATA is told.
 *
 * @stream: a stream
 * @length: how many bytes it has
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: as eddy_data_input_stream_read_line()
 * Errors: INVALID_DATA; those of eddy_data_input_stream_read_line()
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_OPERATION (STREAM)
char *eddy_data_input_stream_read_line_utf8 (EddyDataInputStream *stream,
                                             size_t *length EDDY_OUT_LEN,
                                             EddyCancellable *cancellable, EddyError **error);

/**
 * Reads up to one of several bytes, or to the end of the stream. That byte is not read: where it
 * comes at once, the text is empty, and stays so until something else reads it.
 *
 * @stream: a stream
 * @stop_chars: the bytes, of which NUL may be one
 * @stop_chars_len: how many; -1: it is a string, and its NUL none of them
 * @length: how many bytes were read
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: the bytes, a NUL behind them, to be freed with eddy_free(); NULL without an error at the
 *     end of the stream; NULL on failure
 * Errors: those of eddy_data_input_stream_read_line()
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_OPERATION (STREAM)
char *eddy_data_input_stream_read_upto (EddyDataInputStream *stream,
                                        const char *stop_chars EDDY_BORROWED,
                                        ssize_t stop_chars_len, size_t *length EDDY_OUT_LEN,
                                        EddyCancellable *cancellable, EddyError **error);

/**
 * Passes over a line, or the rest of one, however long it is. After a failure what has come of the
 * line has been passed over, and another call goes on.
 *
 * @stream: a stream
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: how many bytes this call has passed over, the line's end among them; 0 at the end of the
 *     stream; -1 on failure
 * Errors: those of eddy_input_stream_read()
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_OPERATION (DIRECT)
ssize_t eddy_data_input_stream_skip_line (EddyDataInputStream *stream, EddyCancellable *cancellable,
                                          EddyError **error);

/**
 * Reads a line and leaves it where it lies in the buffer: the fastest way, without memory for each
 * line. Otherwise as eddy_data_input_stream_read_line(). In a fiber, or a plain thread, which it
 * may suspend or block.
 *
 * @stream: a stream
 * @length: how many bytes it has
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: the line, no NUL behind it, the stream's until the next operation on it; NULL without an
 *     error at the end of the stream; NULL on failure
 * Errors: those of eddy_data_input_stream_read_line()
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_API const char *eddy_data_input_stream_borrow_line (EddyDataInputStream *stream,
                                                         size_t *length,
                                                         EddyCancellable *cancellable,
                                                         EddyError **error) EDDY_MUST_USE;

/**
 * The lines of a stream, one after the other, as eddy_data_input_stream_read_line() reads them. The
 * items are strings, to be freed with eddy_free(). An error ends the sequence, but not the stream,
 * which may be used again when the sequence has been let go of.
 *
 * @stream: a stream, of which it keeps a reference; it is not closed at the end
 *
 * Returns: a sequence with one reference, or NULL when memory is out
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_API EddySequence *eddy_data_input_stream_to_sequence (EddyDataInputStream *stream)
    EDDY_MUST_USE;

/* --- numbers ---------------------------------------------------------------------------------- */

/**
 * Reads a byte. The end of the stream is an error.
 *
 * @stream: a stream
 * @value: where to put it; untouched on failure
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether it was read
 * Errors: PARTIAL_INPUT; those of eddy_input_stream_read()
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_OPERATION (STREAM)
bool eddy_data_input_stream_read_byte (EddyDataInputStream *stream, uint8_t *value EDDY_BORROWED,
                                       EddyCancellable *cancellable, EddyError **error);

/**
 * Reads a signed number of 2 bytes.
 *
 * @stream: a stream
 * @value: where to put it; untouched on failure
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether it was read
 * Errors: PARTIAL_INPUT where fewer bytes are left, which stay; those of eddy_input_stream_read()
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_OPERATION (STREAM)
bool eddy_data_input_stream_read_int16 (EddyDataInputStream *stream, int16_t *value EDDY_BORROWED,
                                        EddyCancellable *cancellable, EddyError **error);

/**
 * Reads a number of 2 bytes.
 *
 * @stream: a stream
 * @value: where to put it; untouched on failure
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether it was read
 * Errors: PARTIAL_INPUT where fewer bytes are left, which stay; those of eddy_input_stream_read()
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_OPERATION (STREAM)
bool eddy_data_input_stream_read_uint16 (EddyDataInputStream *stream, uint16_t *value EDDY_BORROWED,
                                         EddyCancellable *cancellable, EddyError **error);

/**
 * Reads a signed number of 4 bytes.
 *
 * @stream: a stream
 * @value: where to put it; untouched on failure
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether it was read
 * Errors: PARTIAL_INPUT where fewer bytes are left, which stay; those of eddy_input_stream_read()
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_OPERATION (STREAM)
bool eddy_data_input_stream_read_int32 (EddyDataInputStream *stream, int32_t *value EDDY_BORROWED,
                                        EddyCancellable *cancellable, EddyError **error);

/**
 * Reads a number of 4 bytes.
 *
 * @stream: a stream
 * @value: where to put it; untouched on failure
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether it was read
 * Errors: PARTIAL_INPUT where fewer bytes are left, which stay; those of eddy_input_stream_read()
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_OPERATION (STREAM)
bool eddy_data_input_stream_read_uint32 (EddyDataInputStream *stream, uint32_t *value EDDY_BORROWED,
                                         EddyCancellable *cancellable, EddyError **error);

/**
 * Reads a signed number of 8 bytes.
 *
 * @stream: a stream
 * @value: where to put it; untouched on failure
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether it was read
 * Errors: PARTIAL_INPUT where fewer bytes are left, which stay; those of eddy_input_stream_read()
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_OPERATION (STREAM)
bool eddy_data_input_stream_read_int64 (EddyDataInputStream *stream, int64_t *value EDDY_BORROWED,
                                        EddyCancellable *cancellable, EddyError **error);

/**
 * Reads a number of 8 bytes.
 *
 * @stream: a stream
 * @value: where to put it; untouched on failure
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether it was read
 * Errors: PARTIAL_INPUT where fewer bytes are left, which stay; those of eddy_input_stream_read()
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_OPERATION (STREAM)
bool eddy_data_input_stream_read_uint64 (EddyDataInputStream *stream, uint64_t *value EDDY_BORROWED,
                                         EddyCancellable *cancellable, EddyError **error);

EDDY_END_DECLS

#include <eddy/data-input-stream-forms.h>

#endif
