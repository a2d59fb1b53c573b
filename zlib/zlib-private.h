/* SPDX-License-Identifier: MIT */
/* What compressor and decompressor share. This library stands on Eddy's public interface alone. */
#pragma once

#define ZLIB_CONST
#include <eddy/zlib.h>
#include <zlib.h>

/* A conversion under way. */
typedef struct ZlibPiece {
    const Bytef *input;
    size_t input_size;
    Bytef *output;
    size_t output_size;
    EddyConverterFlags flags;
    size_t read;
    size_t written;
} ZlibPiece;

/* Has zlib's memory come from malloc's door of whoever links this. */
void eddy__zlib_set_memory (z_stream *stream);
/* What zlib calls the format. */
int eddy__zlib_window_bits (EddyZlibCompressorFormat format);

/* Offers what is left of a piece, as far as zlib can count; `room` of its output at most. Returns
 * whether it is all of the input. */
bool eddy__zlib_offer (z_stream *stream, const ZlibPiece *piece, size_t room);
/* Counts what zlib has taken of what it was offered, and made. */
void eddy__zlib_count (const z_stream *stream, ZlibPiece *piece);

/* The result of a piece that cannot go on: an error only where it has done nothing yet. */
EddyConverterResult eddy__zlib_stop (const ZlibPiece *piece, EddyIOErrorCode code,
                                     const char *message, EddyError **error);
/* The same for what zlib has said. */
EddyConverterResult eddy__zlib_fail (const ZlibPiece *piece, const z_stream *stream, int said,
                                     EddyError **error);
