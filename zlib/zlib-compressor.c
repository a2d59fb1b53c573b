/* SPDX-License-Identifier: MIT */
/* Compressing. */
#include <limits.h>
#include <string.h>

#include "zlib-private.h"

enum {
    /* Before zlib 1.2.6 a flush of less than this would repeat its mark. */
    FLUSH_ROOM = 7,
    /* What takes some 50 to 150 µs to compress, and 500 at level 9. */
    WORKER_INPUT_SIZE = 1024,
    UNIX = 3
};

#define NS_PER_SECOND INT64_C (1000000000)

typedef struct Compressor {
    EddyConverter converter;
    z_stream stream;
    bool has_begun;
    bool is_finished;
    bool has_header;
    EddyZlibCompressorFormat format;
    gz_header header;
} Compressor;

static EddyConverterResult compressor_convert (EddyConverter *converter, const void *input,
                                               size_t input_size, void *output, size_t output_size,
                                               EddyConverterFlags flags, size_t *bytes_read,
                                               size_t *bytes_written, EddyError **error)
{
    Compressor *self = (Compressor *) (void *) converter;
    ZlibPiece piece = { input, input_size, output, output_size, flags, 0, 0 };
    if (self->is_finished)
        return EDDY_CONVERTER_FINISHED;
    int mode = Z_NO_FLUSH;
    if (eddy__zlib_offer (&self->stream, &piece, output_size)) {
        if ((flags & EDDY_CONVERTER_INPUT_AT_END) != 0)
            mode = Z_FINISH;
        else if ((flags & EDDY_CONVERTER_FLUSH) != 0)
            mode = Z_SYNC_FLUSH;
    }
    if (mode == Z_SYNC_FLUSH && output_size < FLUSH_ROOM)
        return eddy__zlib_stop (&piece, EDDY_IO_ERROR_NO_SPACE, "too little room to flush", error);
    self->has_begun = true;
    int said = deflate (&self->stream, mode);
    eddy__zlib_count (&self->stream, &piece);
    *bytes_read = piece.read;
    *bytes_written = piece.written;
    self->is_finished = said == Z_STREAM_END;
    if (self->is_finished)
        return EDDY_CONVERTER_FINISHED;
    /* Where the output was just full before, zlib is content with nothing. */
    if (said == Z_OK && piece.read == 0 && piece.written == 0)
        said = Z_BUF_ERROR;
    if (mode == Z_SYNC_FLUSH &&
        (said == Z_BUF_ERROR || (said == Z_OK && self->stream.avail_out > 0)))
        return EDDY_CONVERTER_FLUSHED;
    if (said == Z_BUF_ERROR)
        return eddy__zlib_stop (&piece, EDDY_IO_ERROR_PARTIAL_INPUT, "there is nothing to compress",
                                error);
    if (said == Z_OK)
        return EDDY_CONVERTER_CONVERTED;
    return eddy__zlib_fail (&piece, &self->stream, said, error);
}

static void compressor_reset (EddyConverter *converter)
{
    Compressor *self = (Compressor *) (void *) converter;
    (void) deflateReset (&self->stream);
    self->has_begun = self->is_finished = false;
    if (self->has_header)
        (void) deflateSetHeader (&self->stream, &self->header);
}

static void compressor_finalize (void *object)
{
    Compressor *self = object;
    (void) deflateEnd (&self->stream);
    eddy_free (self->header.name);
}

static const EddyConverterClass compressor_class = {
    .object = { .name = "EddyZlibCompressor",
                .size = sizeof (Compressor),
                .finalize = compressor_finalize },
    .convert = compressor_convert,
    .reset = compressor_reset,
    .worker_input_size = WORKER_INPUT_SIZE,
};

EddyConverter *eddy_zlib_compressor_new (EddyZlibCompressorFormat format, int level)
{
    Compressor *self = eddy_object_new (&compressor_class.object);
    if (self == NULL)
        return NULL;
    enum { MEMORY_LEVEL = 8 }; /* zlib's own default */
    self->format = format;
    eddy__zlib_set_memory (&self->stream);
    int used = level >= Z_NO_COMPRESSION && level <= Z_BEST_COMPRESSION ? level : 6;
    if (deflateInit2 (&self->stream, used, Z_DEFLATED, eddy__zlib_window_bits (format),
                      MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
        return eddy_unref (self);
    return &self->converter;
}

bool eddy_zlib_compressor_set_header (EddyConverter *compressor, const char *name,
                                      int64_t modification_time_ns)
{
    if (compressor == NULL || compressor->object.object_class != &compressor_class.object)
        return false;
    Compressor *self = (Compressor *) (void *) compressor;
    if (self->format != EDDY_ZLIB_COMPRESSOR_FORMAT_GZIP || self->has_begun)
        return false;
    char *copy = eddy_strdup (name);
    if (copy == NULL && name != NULL)
        return false;
    eddy_free (self->header.name);
    int64_t seconds = modification_time_ns / NS_PER_SECOND;
    self->header = (gz_header){ .name = (Bytef *) copy,
                                .time = seconds > 0 && seconds <= UINT32_MAX ? (uLong) seconds : 0,
                                .os = UNIX };
    self->has_header = true;
    return deflateSetHeader (&self->stream, &self->header) == Z_OK;
}
