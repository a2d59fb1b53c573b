/* SPDX-License-Identifier: MIT */
/* Decompressing. */
#include <string.h>

#include "zlib-private.h"

enum {
    NAME_SIZE = 1024,
    GZIP_FIRST_BYTE = 0x1f,
    /* What takes some 100 µs: it is the output that costs. */
    WORKER_INPUT_SIZE = 1024,
    WORKER_OUTPUT_SIZE = 16 * 1024,
    GO_ON = -1 /* beside EddyConverterResult: the next part of the piece */
};

#define NS_PER_SECOND INT64_C (1000000000)

/* What the next byte is of. */
typedef enum DecompressorState {
    IN_MEMBER,  /* what is compressed, its head and its end included */
    AFTER_ONE,  /* perhaps the head of another member, perhaps zeroes */
    IN_ZEROES,  /* that fill up the end */
    FINISHED,   /* nothing of ours */
    OVER_LIMIT, /* nothing that anybody wants */
} DecompressorState;

typedef struct Decompressor {
    EddyConverter converter;
    z_stream stream;
    EddyZlibCompressorFormat format;
    DecompressorState state;
    bool is_single;
    uint64_t limit; /* 0: none */
    uint64_t made;
    gz_header header; /* of the first member */
    Bytef name[NAME_SIZE];
} Decompressor;

/* --- between members of a gzip file ----------------------------------------------------------- */

static int decompressor_pass_between (Decompressor *self, ZlibPiece *piece, EddyError **error)
{
    while (piece->read < piece->input_size && piece->input[piece->read] == 0) {
        self->state = IN_ZEROES;
        piece->read++;
    }
    if (piece->read == piece->input_size) {
        if ((piece->flags & EDDY_CONVERTER_INPUT_AT_END) != 0) {
            self->state = FINISHED;
            return EDDY_CONVERTER_FINISHED;
        }
        if ((piece->flags & EDDY_CONVERTER_FLUSH) != 0)
            return EDDY_CONVERTER_FLUSHED;
        return (int) eddy__zlib_stop (piece, EDDY_IO_ERROR_PARTIAL_INPUT,
                                      "there may be more to decompress", error);
    }
    if (self->state == IN_ZEROES || piece->input[piece->read] != GZIP_FIRST_BYTE)
        return (int) eddy__zlib_stop (piece, EDDY_IO_ERROR_INVALID_DATA,
                                      "other bytes follow what is compressed", error);
    (void) inflateReset (&self->stream);
    self->state = IN_MEMBER;
    return GO_ON;
}

/* --- in a member ------------------------------------------------------------------------------ */

/* Has zlib go on, within the limit. Where that is reached, into a byte of ours: whether there is
 * more shows when zlib makes one. */
static int decompressor_call (Decompressor *self, ZlibPiece *piece)
{
    size_t room = piece->output_size - piece->written;
    uint64_t limit = self->limit == 0 ? UINT64_MAX : self->limit;
    uint64_t left = limit > self->made ? limit - self->made : 0;
    Bytef more;
    ZlibPiece probe = { piece->input, piece->input_size, &more, 1, piece->flags, piece->read, 0 };
    ZlibPiece *used = left == 0 && room > 0 ? &probe : piece;
    size_t before = used->written;
    (void) eddy__zlib_offer (&self->stream, used,
                             used == &probe ? 1
                             : room < left  ? room
                                            : (size_t) left);
    int said = inflate (&self->stream, Z_NO_FLUSH);
    eddy__zlib_count (&self->stream, used);
    piece->read = used->read;
    if (used != &probe)
        self->made += used->written - before;
    else if (probe.written > 0)
        self->state = OVER_LIMIT;
    return said;
}

static int decompressor_inflate (Decompressor *self, ZlibPiece *piece, EddyError **error)
{
    int said = decompressor_call (self, piece);
    if (self->state == OVER_LIMIT)
        return GO_ON;
    if (said == Z_STREAM_END) {
        bool may_follow = self->format == EDDY_ZLIB_COMPRESSOR_FORMAT_GZIP && !self->is_single;
        self->state = may_follow ? AFTER_ONE : FINISHED;
        return GO_ON;
    }
    bool is_full = piece->written == piece->output_size;
    if ((piece->flags & EDDY_CONVERTER_FLUSH) != 0 && (said == Z_OK || said == Z_BUF_ERROR) &&
        piece->read == piece->input_size && !is_full)
        return EDDY_CONVERTER_FLUSHED;
    if (said == Z_OK)
        return EDDY_CONVERTER_CONVERTED;
    if (said != Z_BUF_ERROR)
        return (int) eddy__zlib_fail (piece, &self->stream, said, error);
    return (int) eddy__zlib_stop (piece, EDDY_IO_ERROR_PARTIAL_INPUT,
                                  "what is compressed is cut off", error);
}

static EddyConverterResult decompressor_convert (EddyConverter *converter, const void *input,
                                                 size_t input_size, void *output,
                                                 size_t output_size, EddyConverterFlags flags,
                                                 size_t *bytes_read, size_t *bytes_written,
                                                 EddyError **error)
{
    Decompressor *self = (Decompressor *) (void *) converter;
    ZlibPiece piece = { input, input_size, output, output_size, flags, 0, 0 };
    int result = GO_ON;
    while (result == GO_ON) {
        if (self->state == IN_MEMBER)
            result = decompressor_inflate (self, &piece, error);
        else if (self->state == FINISHED)
            result = EDDY_CONVERTER_FINISHED;
        else if (self->state == OVER_LIMIT)
            result = (int) eddy__zlib_stop (&piece, EDDY_IO_ERROR_LIMIT_EXCEEDED,
                                            "more would be decompressed than the limit", error);
        else
            result = decompressor_pass_between (self, &piece, error);
    }
    *bytes_read = piece.read;
    *bytes_written = piece.written;
    return (EddyConverterResult) result;
}

/* --- life ------------------------------------------------------------------------------------- */

/* Has zlib put what the first head tells where we can find it. */
static void decompressor_begin (Decompressor *self)
{
    self->state = IN_MEMBER;
    self->made = 0;
    self->header = (gz_header){ .name = self->name, .name_max = NAME_SIZE - 1 };
    memset (self->name, 0, sizeof self->name);
    if (self->format == EDDY_ZLIB_COMPRESSOR_FORMAT_GZIP)
        (void) inflateGetHeader (&self->stream, &self->header);
}

static void decompressor_reset (EddyConverter *converter)
{
    Decompressor *self = (Decompressor *) (void *) converter;
    (void) inflateReset (&self->stream);
    decompressor_begin (self);
}

static void decompressor_finalize (void *object)
{
    (void) inflateEnd (&((Decompressor *) object)->stream);
}

static const EddyConverterClass decompressor_class = {
    .object = { .name = "EddyZlibDecompressor",
                .size = sizeof (Decompressor),
                .finalize = decompressor_finalize },
    .convert = decompressor_convert,
    .reset = decompressor_reset,
    .worker_input_size = WORKER_INPUT_SIZE,
    .worker_output_size = WORKER_OUTPUT_SIZE,
};

/* NULL: it is another kind. */
static Decompressor *decompressor_of (EddyConverter *converter)
{
    bool is_ours =
        converter != NULL && converter->object.object_class == &decompressor_class.object;
    return is_ours ? (Decompressor *) (void *) converter : NULL;
}

EddyConverter *eddy_zlib_decompressor_new (EddyZlibCompressorFormat format)
{
    Decompressor *self = eddy_object_new (&decompressor_class.object);
    if (self == NULL)
        return NULL;
    self->format = format;
    eddy__zlib_set_memory (&self->stream);
    if (inflateInit2 (&self->stream, eddy__zlib_window_bits (format)) != Z_OK)
        return eddy_unref (self);
    decompressor_begin (self);
    return &self->converter;
}

void eddy_zlib_decompressor_set_limit (EddyConverter *decompressor, uint64_t limit)
{
    Decompressor *self = decompressor_of (decompressor);
    if (self != NULL)
        self->limit = limit;
}

void eddy_zlib_decompressor_set_single (EddyConverter *decompressor, bool single)
{
    Decompressor *self = decompressor_of (decompressor);
    if (self != NULL)
        self->is_single = single;
}

const char *eddy_zlib_decompressor_get_file_name (EddyConverter *decompressor)
{
    const Decompressor *self = decompressor_of (decompressor);
    /* zlib sets the name to NULL where there is none, once it has read that far. */
    bool has_name = self != NULL && self->header.done == 1 && self->header.name != NULL;
    return has_name ? (const char *) self->header.name : NULL;
}

int64_t eddy_zlib_decompressor_get_modification_time_ns (EddyConverter *decompressor)
{
    const Decompressor *self = decompressor_of (decompressor);
    bool is_known = self != NULL && self->header.done == 1;
    return is_known ? (int64_t) self->header.time * NS_PER_SECOND : 0;
}
