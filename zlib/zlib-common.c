/* SPDX-License-Identifier: MIT */
/* What compressor and decompressor share: memory, pieces, errors. */
#include <limits.h>
#include <stdlib.h>

#include "zlib-private.h"

static void *zlib_alloc (void *opaque, unsigned count, unsigned size)
{
    (void) opaque;
    return calloc (count, size);
}

static void zlib_free (void *opaque, void *memory)
{
    (void) opaque;
    free (memory);
}

void eddy__zlib_set_memory (z_stream *stream)
{
    stream->zalloc = zlib_alloc;
    stream->zfree = zlib_free;
}

int eddy__zlib_window_bits (EddyZlibCompressorFormat format)
{
    if (format == EDDY_ZLIB_COMPRESSOR_FORMAT_RAW)
        return -MAX_WBITS;
    return format == EDDY_ZLIB_COMPRESSOR_FORMAT_GZIP ? MAX_WBITS + 16 : MAX_WBITS;
}

static uInt zlib_clamp (size_t size)
{
    return size < UINT_MAX ? (uInt) size : UINT_MAX;
}

bool eddy__zlib_offer (z_stream *stream, const ZlibPiece *piece, size_t room)
{
    size_t left = piece->input_size - piece->read;
    stream->next_in = piece->input + piece->read;
    stream->avail_in = zlib_clamp (left);
    stream->next_out = piece->output + piece->written;
    stream->avail_out = zlib_clamp (room);
    return stream->avail_in == left;
}

void eddy__zlib_count (const z_stream *stream, ZlibPiece *piece)
{
    piece->read = (size_t) (stream->next_in - piece->input);
    piece->written = (size_t) (stream->next_out - piece->output);
}

EddyConverterResult eddy__zlib_stop (const ZlibPiece *piece, EddyIOErrorCode code,
                                     const char *message, EddyError **error)
{
    if (piece->read > 0 || piece->written > 0)
        return EDDY_CONVERTER_CONVERTED;
    eddy_error_set (error, EDDY_IO_ERROR, (int) code, "%s", message);
    return EDDY_CONVERTER_ERROR;
}

EddyConverterResult eddy__zlib_fail (const ZlibPiece *piece, const z_stream *stream, int said,
                                     EddyError **error)
{
    if (said == Z_MEM_ERROR)
        return eddy__zlib_stop (piece, EDDY_IO_ERROR_NO_MEMORY, "zlib has no memory", error);
    if (said == Z_NEED_DICT)
        return eddy__zlib_stop (piece, EDDY_IO_ERROR_NOT_SUPPORTED,
                                "what is compressed needs a dictionary", error);
    const char *message = stream->msg != NULL ? stream->msg : zError (said);
    return eddy__zlib_stop (
        piece, said == Z_DATA_ERROR ? EDDY_IO_ERROR_INVALID_DATA : EDDY_IO_ERROR_FAILED, message,
        error);
}
