/* SPDX-License-Identifier: MIT */
/* EddyConverter: bytes made into other bytes, piece by piece; and streams that do so to another. */
#ifndef EDDY_CONVERTER_H
#define EDDY_CONVERTER_H

#include <eddy/bytes.h>
#include <eddy/filter-stream.h>

EDDY_BEGIN_DECLS

/** Something that makes bytes of bytes: that compresses, decompresses, changes a character set. An
 * object; the kinds of converters begin with it. It is used on one thread at a time, and by one
 * stream. */
typedef struct EddyConverter EddyConverter;

/** Any kind of converter as an EddyConverter. */
#define EDDY_CONVERTER(converter) ((EddyConverter *) (void *) (converter))

/** What a converter is told of its input. The numbers are GIO's. */
typedef enum EddyConverterFlags {
    EDDY_CONVERTER_NO_FLAGS = 0,
    /** Nothing follows this input. */
    EDDY_CONVERTER_INPUT_AT_END = 1 << 0,
    /** Give out all that can be made of what was put in so far. */
    EDDY_CONVERTER_FLUSH = 1 << 1
} EddyConverterFlags;

/** What has become of a conversion. The numbers are GIO's. */
typedef enum EddyConverterResult {
    EDDY_CONVERTER_ERROR,
    /** Some was read, or written, or both. */
    EDDY_CONVERTER_CONVERTED,
    /** All was written that there will ever be; what was not read is no part of it. */
    EDDY_CONVERTER_FINISHED,
    /** All was written that can be made of the input so far. */
    EDDY_CONVERTER_FLUSHED
} EddyConverterResult;

/** What a kind of converter does. Its functions are called one at a time, on any thread; they do
 * not wait, call no operation and touch no fiber. */
typedef struct EddyConverterClass {
    /** Its name, size, dispose and finalize. */
    EddyClass object;
    /** eddy_converter_convert(). It either fails, having read and written nothing, or goes on by at
     * least a byte, or has come to the end of what was asked. */
    EddyConverterResult (*convert) (EddyConverter *converter, const void *input, size_t input_size,
                                    void *output, size_t output_size, EddyConverterFlags flags,
                                    size_t *bytes_read, size_t *bytes_written, EddyError **error);
    /** Begins anew. */
    void (*reset) (EddyConverter *converter);
    /** A conversion of so many bytes of input, or more, into so many of output, or more, takes
     * longer than a loop should be held up: where a stream needs it in a fiber, it is done on a
     * worker. 0 bytes of input: all are short. */
    size_t worker_input_size;
    size_t worker_output_size;
} EddyConverterClass;

/** How every kind of converter begins. Its member is the library's. */
struct EddyConverter {
    EddyObject object;
};

/**
 * Converts a piece: as much as the input gives, and as fits into the output. What was not read is
 * to be offered again, with more behind it if there is more.
 *
 * @converter: a converter
 * @input: the bytes that follow those that were read before
 * @input_size: how many
 * @output: where to put what they make
 * @output_size: how many bytes at most, above 0
 * @flags: whether this is the end of the input, and whether nothing is to be kept back
 * @bytes_read: how many bytes of @input were read, also on failure, which reads none
 * @bytes_written: how many bytes of @output were written, also on failure, which writes none
 * @error: where to put the error
 *
 * Returns: what has become of it. With INPUT_AT_END, call it until it says FINISHED; with FLUSH,
 *     until it says FLUSHED or FINISHED
 * Errors: PARTIAL_INPUT where it needs more input, which with INPUT_AT_END is cut off; NO_SPACE
 *     where it needs more room; INVALID_DATA; LIMIT_EXCEEDED; NO_MEMORY; the kind's own
 * Thread: the converter's
 * Since: 0.1
 */
EDDY_API EddyConverterResult eddy_converter_convert (EddyConverter *converter, const void *input,
                                                     size_t input_size, void *output,
                                                     size_t output_size, EddyConverterFlags flags,
                                                     size_t *bytes_read, size_t *bytes_written,
                                                     EddyError **error);

/** Has a converter begin anew, with what was set in it. Thread: the converter's. Since: 0.1 */
EDDY_API void eddy_converter_reset (EddyConverter *converter);

/**
 * Converts all of some bytes, and has the converter begin anew before and after it.
 *
 * @converter: a converter
 * @bytes: what to convert
 * @error: where to put the error
 *
 * Returns: what they make, or NULL
 * Errors: INVALID_DATA also where bytes follow the end; those of eddy_converter_convert()
 * Thread: the converter's, which it keeps busy: in a fiber, large ones are eddy_run_blocking()'s
 * Since: 0.1
 */
EDDY_API EddyBytes *eddy_converter_convert_bytes (EddyConverter *converter, EddyBytes *bytes,
                                                  EddyError **error);

/* --- streams ---------------------------------------------------------------------------------- */

/**
 * Makes a stream that reads what another one has, converted. What was converted before an error is
 * read first. A read waits for its base only when nothing that was read can be converted.
 *
 * Its end is that of what was converted, which may come before the base's: see
 * eddy_converter_input_stream_steal_rest().
 *
 * @base_stream: what to read
 * @converter: by what; from now on the stream's alone
 *
 * Returns: a stream with one reference, an EddyFilterInputStream, or NULL when memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyInputStream *eddy_converter_input_stream_new (EddyInputStream *base_stream,
                                                           EddyConverter *converter);

/** The converter of a stream, owned by it. Thread: the stream's. Since: 0.1 */
EDDY_API EddyConverter *eddy_converter_input_stream_get_converter (EddyInputStream *stream);

/**
 * Takes out what was read from the base and not converted: after the end, what follows it.
 *
 * @stream: a stream that eddy_converter_input_stream_new() made
 *
 * Returns: the bytes, perhaps none; NULL when memory is out
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_API EddyBytes *eddy_converter_input_stream_steal_rest (EddyInputStream *stream);

/**
 * Makes a stream that writes what it is given to another one, converted.
 *
 * It keeps bytes back until there are enough of them: up to 128 KiB, and what the converter itself
 * keeps. A flush hands on all that can be made of what was written; a close converts up to the end.
 * So what is wrong with bytes may be told by a later write, the flush or the close.
 *
 * @base_stream: what to write to
 * @converter: by what; from now on the stream's alone
 *
 * Returns: a stream with one reference, an EddyFilterOutputStream, or NULL when memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyOutputStream *eddy_converter_output_stream_new (EddyOutputStream *base_stream,
                                                             EddyConverter *converter);

/** The converter of a stream, owned by it. Thread: the stream's. Since: 0.1 */
EDDY_API EddyConverter *eddy_converter_output_stream_get_converter (EddyOutputStream *stream);

EDDY_END_DECLS

#endif
