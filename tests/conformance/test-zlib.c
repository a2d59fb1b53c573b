/* SPDX-License-Identifier: MIT */
/*
 * Compressing and decompressing: each format both ways, against zlib itself; what is joined, cut
 * off, damaged, too much; with random pieces.
 */
#include <eddy/testing.h>
#include <eddy/zlib.h>
#include <stdio.h>
#include <zlib.h>

#include "stream.h"

static const EddyZlibCompressorFormat formats[] = { EDDY_ZLIB_COMPRESSOR_FORMAT_ZLIB,
                                                    EDDY_ZLIB_COMPRESSOR_FORMAT_GZIP,
                                                    EDDY_ZLIB_COMPRESSOR_FORMAT_RAW };

enum { N_FORMATS = 3 };

#define GZIP EDDY_ZLIB_COMPRESSOR_FORMAT_GZIP
#define ZLIB EDDY_ZLIB_COMPRESSOR_FORMAT_ZLIB
#define RAW EDDY_ZLIB_COMPRESSOR_FORMAT_RAW

/* Numbers that are the same each time. */
static uint32_t random_next (uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Up to `limit`, small ones as often as large ones. */
static size_t random_size (uint32_t *state, size_t limit)
{
    size_t top = (size_t) 1 << random_next (state) % 20;
    size_t size = random_next (state) % (top + 1);
    return size < limit ? size : limit;
}

/* Bytes that can be compressed, some better than others. */
static EddyBytes *random_bytes (uint32_t *state, size_t size)
{
    char *text = malloc (size + 1);
    for (size_t i = 0; i < size;) {
        size_t run = 1 + random_next (state) % 200;
        uint32_t kind = random_next (state) % 3, letter = random_next (state);
        for (; run > 0 && i < size; run--, i++)
            text[i] = (char) (kind == 0 ? random_next (state) : kind == 1 ? letter : letter + run);
    }
    EddyBytes *bytes = eddy_bytes_new (text, size);
    free (text);
    return bytes;
}

static EddyBytes *make_packed (EddyZlibCompressorFormat format, int level, EddyBytes *bytes)
{
    EDDY_AUTO (EddyConverter) compressor = eddy_zlib_compressor_new (format, level);
    EddyError *error = NULL;
    EddyBytes *packed = eddy_converter_convert_bytes (compressor, bytes, &error);
    ck_assert_ptr_nonnull (packed);
    return packed;
}

static EddyBytes *pack_text (EddyZlibCompressorFormat format, const char *text)
{
    EDDY_AUTO (EddyBytes) bytes = eddy_bytes_new (text, strlen (text));
    return make_packed (format, -1, bytes);
}

static EddyBytes *join (EddyBytes *first, const void *second, size_t size)
{
    size_t first_size = eddy_bytes_get_size (first);
    char *both = malloc (first_size + size + 1);
    memcpy (both, eddy_bytes_get_data (first), first_size);
    memcpy (both + first_size, second, size);
    EddyBytes *joined = eddy_bytes_new (both, first_size + size);
    free (both);
    return joined;
}

static EddyInputStream *unpacking (EddyZlibCompressorFormat format, EddyBytes *packed)
{
    EDDY_AUTO (EddyInputStream) base = eddy_memory_input_stream_new_from_bytes (packed);
    EDDY_AUTO (EddyConverter) decompressor = eddy_zlib_decompressor_new (format);
    return eddy_converter_input_stream_new (base, decompressor);
}

static void expect_same (EddyBytes *one, EddyBytes *other)
{
    ck_assert_uint_eq (eddy_bytes_get_size (one), eddy_bytes_get_size (other));
    ck_assert_int_eq (
        memcmp (eddy_bytes_get_data (one), eddy_bytes_get_data (other), eddy_bytes_get_size (one)),
        0);
}

/* --- against zlib ----------------------------------------------------------------------------- */

static int window_bits (EddyZlibCompressorFormat format)
{
    return format == RAW ? -15 : format == GZIP ? 31 : 15;
}

/* What zlib makes of it in one call. */
static EddyBytes *reference_unpack (EddyZlibCompressorFormat format, EddyBytes *packed, size_t size)
{
    z_stream stream = { .next_in = (Bytef *) eddy_bytes_get_data (packed),
                        .avail_in = (uInt) eddy_bytes_get_size (packed) };
    Bytef *output = malloc (size + 1);
    stream.next_out = output;
    stream.avail_out = (uInt) size + 1;
    ck_assert_int_eq (inflateInit2 (&stream, window_bits (format)), Z_OK);
    ck_assert_int_eq (inflate (&stream, Z_FINISH), Z_STREAM_END);
    ck_assert_uint_eq (stream.avail_in, 0);
    EddyBytes *bytes = eddy_bytes_new (output, stream.total_out);
    inflateEnd (&stream);
    free (output);
    return bytes;
}

static EddyBytes *reference_pack (EddyZlibCompressorFormat format, int level, EddyBytes *bytes)
{
    z_stream stream = { .next_in = (Bytef *) eddy_bytes_get_data (bytes),
                        .avail_in = (uInt) eddy_bytes_get_size (bytes) };
    ck_assert_int_eq (deflateInit2 (&stream, level, Z_DEFLATED, window_bits (format), 8, 0), Z_OK);
    size_t size = deflateBound (&stream, stream.avail_in);
    Bytef *output = malloc (size);
    stream.next_out = output;
    stream.avail_out = (uInt) size;
    ck_assert_int_eq (deflate (&stream, Z_FINISH), Z_STREAM_END);
    EddyBytes *packed = eddy_bytes_new (output, stream.total_out);
    deflateEnd (&stream);
    free (output);
    return packed;
}

EDDY_TEST (D_gzip_packs_as_zlib_does)
{
    uint32_t random = 1;
    EddyError *error = NULL;
    for (size_t i = 0; i < N_FORMATS; i++)
        for (int level = 0; level <= 9; level++) {
            EDDY_AUTO (EddyBytes) bytes = random_bytes (&random, (size_t) level * 9000);
            EDDY_AUTO (EddyBytes) packed = make_packed (formats[i], level, bytes);
            EDDY_AUTO (EddyBytes) reference = reference_pack (formats[i], level, bytes);
            expect_same (packed, reference);
            EDDY_AUTO (EddyConverter) decompressor = eddy_zlib_decompressor_new (formats[i]);
            EDDY_AUTO (EddyBytes)
            again = eddy_converter_convert_bytes (decompressor, packed, &error);
            expect_same (again, bytes);
        }
    /* Without a level of its own: 6. */
    EDDY_AUTO (EddyBytes) bytes = random_bytes (&random, 50000);
    EDDY_AUTO (EddyBytes) reference = make_packed (GZIP, 6, bytes);
    for (int level = -1; level < 11; level += 11) {
        EDDY_AUTO (EddyBytes) packed = make_packed (GZIP, level, bytes);
        expect_same (packed, reference);
    }
}

/* --- random pieces ---------------------------------------------------------------------------- */

/* Writes all in pieces of random sizes, with a flush now and then, and closes. */
static void write_in_pieces (EddyOutputStream *stream, EddyBytes *bytes, uint32_t *random)
{
    const char *text = eddy_bytes_get_data (bytes);
    size_t size = eddy_bytes_get_size (bytes), done = 0;
    EddyError *error = NULL;
    while (done < size) {
        size_t count = random_size (random, size - done), written;
        ck_assert (
            eddy_output_stream_write_all (stream, text + done, count, &written, NULL, &error));
        ck_assert_uint_eq (written, count);
        done += count;
        if (random_next (random) % 16 == 0)
            ck_assert (eddy_output_stream_flush (stream, NULL, &error));
    }
    ck_assert_msg (eddy_output_stream_close (stream, NULL, &error), "%s",
                   error == NULL ? "" : eddy_error_get_message (error));
}

static EddyBytes *written_through (EddyConverter *converter, EddyBytes *bytes, uint32_t *random)
{
    EDDY_AUTO (EddyOutputStream) memory = eddy_memory_output_stream_new (0);
    EDDY_AUTO (EddyOutputStream) stream = eddy_converter_output_stream_new (memory, converter);
    write_in_pieces (stream, bytes, random);
    return eddy_memory_output_stream_steal_as_bytes (memory);
}

/* Reads all in pieces of random sizes from a base that comes in such ones. */
static EddyBytes *read_through (EddyConverter *converter, EddyBytes *bytes, uint32_t *random)
{
    EDDY_AUTO (EddyInputStream) base = eddy_memory_input_stream_new ();
    EDDY_AUTO (EddyInputStream) stream = eddy_converter_input_stream_new (base, converter);
    EDDY_AUTO (EddyOutputStream) memory = eddy_memory_output_stream_new (0);
    const char *text = eddy_bytes_get_data (bytes);
    EddyError *error = NULL;
    for (size_t left = eddy_bytes_get_size (bytes); left > 0;) {
        size_t count = random_size (random, left);
        EDDY_AUTO (EddyBytes) piece = eddy_bytes_new (text, count);
        ck_assert (eddy_memory_input_stream_add_bytes (base, piece));
        text += count;
        left -= count;
    }
    for (ssize_t count = 1; count > 0;) {
        EDDY_AUTO (EddyBytes)
        piece =
            eddy_input_stream_read_bytes (stream, 1 + random_size (random, 1 << 19), NULL, &error);
        ck_assert_msg (piece != NULL, "%s", error == NULL ? "" : eddy_error_get_message (error));
        count = (ssize_t) eddy_bytes_get_size (piece);
        ck_assert (eddy_output_stream_write_all (memory, eddy_bytes_get_data (piece),
                                                 (size_t) count, NULL, NULL, &error));
    }
    ck_assert (eddy_output_stream_close (memory, NULL, &error));
    return eddy_memory_output_stream_steal_as_bytes (memory);
}

typedef EddyBytes *(*Through) (EddyConverter *converter, EddyBytes *bytes, uint32_t *random);

static void pieces_round (EddyZlibCompressorFormat format, uint32_t *random)
{
    static const Through ways[] = { written_through, read_through };
    EDDY_AUTO (EddyBytes) bytes = random_bytes (random, random_size (random, 1 << 19));
    EDDY_AUTO (EddyConverter)
    compressor = eddy_zlib_compressor_new (format, (int) (random_next (random) % 4));
    EDDY_AUTO (EddyConverter) decompressor = eddy_zlib_decompressor_new (format);
    if (random_next (random) % 4 == 0)
        eddy_zlib_decompressor_set_limit (decompressor, eddy_bytes_get_size (bytes) + 1);
    for (int i = 0; i < 2; i++) {
        EDDY_AUTO (EddyBytes)
        packed = ways[random_next (random) % 2](compressor, bytes, random);
        EDDY_AUTO (EddyBytes)
        reference = reference_unpack (format, packed, eddy_bytes_get_size (bytes));
        expect_same (reference, bytes);
        EDDY_AUTO (EddyBytes)
        again = ways[random_next (random) % 2](decompressor, packed, random);
        expect_same (again, bytes);
        /* A stream has taken what it needed: the next one begins anew. */
        eddy_converter_reset (compressor);
        eddy_converter_reset (decompressor);
    }
}

static void *pieces_rounds (void *data, EddyError **error)
{
    uint32_t *random = data;
    (void) error;
    for (long rounds = eddy_test_reduced (100, 20, "random pieces"); rounds > 0; rounds--)
        pieces_round (formats[rounds % N_FORMATS], random);
    return NULL;
}

EDDY_TEST_TIMEOUT (D_gzip_in_random_pieces, 60)
{
    EddyContext *context = eddy_test_context_begin ();
    uint32_t random = 2;
    (void) pieces_rounds (&random, NULL);
    eddy_test_run_fiber (context, pieces_rounds, &random);
    eddy_test_context_end (context);
}

/* --- flushes ---------------------------------------------------------------------------------- */

EDDY_TEST (D_gzip_flush_hands_on_all)
{
    for (size_t i = 0; i < N_FORMATS; i++) {
        StreamPipe pipe = stream_pipe_new ();
        EDDY_AUTO (EddyConverter) compressor = eddy_zlib_compressor_new (formats[i], -1);
        EDDY_AUTO (EddyConverter) decompressor = eddy_zlib_decompressor_new (formats[i]);
        EDDY_AUTO (EddyOutputStream)
        output = eddy_converter_output_stream_new (pipe.output, compressor);
        EDDY_AUTO (EddyInputStream)
        input = eddy_converter_input_stream_new (pipe.input, decompressor);
        EddyError *error = NULL;
        char buffer[16];
        for (int round = 0; round < 100; round++) {
            int length = snprintf (buffer, sizeof buffer, "round %d", round);
            ck_assert (
                eddy_output_stream_write_all (output, buffer, (size_t) length, NULL, NULL, &error));
            ck_assert (eddy_output_stream_flush (output, NULL, &error));
            ck_assert (eddy_output_stream_flush (output, NULL, &error));
            memset (buffer, 0, sizeof buffer);
            ck_assert_int_eq (eddy_input_stream_read (input, buffer, 16, NULL, &error), length);
            ck_assert_int_eq (atoi (buffer + 6), round); /* check-allow: atoi: after %d */
        }
        ck_assert (eddy_output_stream_close (output, NULL, &error));
        ck_assert_int_eq (eddy_input_stream_read (input, buffer, 16, NULL, &error), 0);
        stream_pipe_clear (&pipe);
    }
}

/* A flush that brings nothing new leaves no mark, and neither does a close. */
EDDY_TEST (D_gzip_flush_of_nothing_makes_nothing)
{
    size_t sizes[2];
    EDDY_AUTO (EddyBytes) whole = pack_text (GZIP, "text");
    for (size_t i = 0; i < 2; i++) {
        EDDY_AUTO (EddyOutputStream) memory = eddy_memory_output_stream_new (0);
        EDDY_AUTO (EddyConverter) compressor = eddy_zlib_compressor_new (GZIP, -1);
        EDDY_AUTO (EddyOutputStream)
        output = eddy_converter_output_stream_new (memory, compressor);
        EddyError *error = NULL;
        ck_assert (eddy_output_stream_flush (output, NULL, &error));
        ck_assert_uint_eq (eddy_memory_output_stream_get_size (memory), 0);
        ck_assert (eddy_output_stream_write_all (output, "text", 4, NULL, NULL, &error));
        for (size_t flushes = 0; flushes < 3 * i; flushes++)
            ck_assert (eddy_output_stream_flush (output, NULL, &error));
        ck_assert (eddy_output_stream_close (output, NULL, &error));
        sizes[i] = eddy_memory_output_stream_get_size (memory);
    }
    ck_assert_uint_eq (sizes[0], eddy_bytes_get_size (whole));
    ck_assert_uint_gt (sizes[1], sizes[0]);
    ck_assert_uint_le (sizes[1], sizes[0] + 7);
}

/* --- heads, and what is joined ---------------------------------------------------------------- */

EDDY_TEST (D_gzip_head_names_the_file)
{
    EDDY_AUTO (EddyConverter) compressor = eddy_zlib_compressor_new (GZIP, -1);
    EDDY_AUTO (EddyConverter) decompressor = eddy_zlib_decompressor_new (GZIP);
    EDDY_AUTO (EddyBytes) bytes = eddy_bytes_new ("text", 4);
    EddyError *error = NULL;
    char buffer[8];
    ck_assert (eddy_zlib_compressor_set_header (compressor, "a name", 1));
    ck_assert (eddy_zlib_compressor_set_header (compressor, "näme", INT64_C (1700000000999999999)));
    for (int i = 0; i < 2; i++) { /* a reset keeps it */
        EDDY_AUTO (EddyBytes) packed = eddy_converter_convert_bytes (compressor, bytes, &error);
        ck_assert_int_eq (((const unsigned char *) eddy_bytes_get_data (packed))[9], 3); /* Unix */
        ck_assert_ptr_null (eddy_zlib_decompressor_get_file_name (decompressor));
        ck_assert_int_eq (eddy_zlib_decompressor_get_modification_time_ns (decompressor), 0);
        EDDY_AUTO (EddyInputStream) base = eddy_memory_input_stream_new_from_bytes (packed);
        EDDY_AUTO (EddyInputStream)
        stream = eddy_converter_input_stream_new (base, decompressor);
        ck_assert_int_eq (eddy_input_stream_read (stream, buffer, 8, NULL, &error), 4);
        ck_assert_str_eq (eddy_zlib_decompressor_get_file_name (decompressor), "näme");
        ck_assert_int_eq (eddy_zlib_decompressor_get_modification_time_ns (decompressor),
                          INT64_C (1700000000000000000));
        eddy_converter_reset (decompressor);
    }
}

EDDY_TEST (D_gzip_head_of_others)
{
    EDDY_AUTO (EddyConverter) raw = eddy_zlib_compressor_new (RAW, -1);
    EDDY_AUTO (EddyConverter) compressor = eddy_zlib_compressor_new (GZIP, -1);
    EDDY_AUTO (EddyConverter) decompressor = eddy_zlib_decompressor_new (GZIP);
    EDDY_AUTO (EddyBytes) plain = pack_text (GZIP, "text");
    EDDY_AUTO (EddyBytes) unpacked = NULL;
    EddyError *error = NULL;
    ck_assert (!eddy_zlib_compressor_set_header (raw, "name", 1));
    ck_assert (!eddy_zlib_compressor_set_header (decompressor, "name", 1));
    eddy_zlib_decompressor_set_limit (compressor, 1); /* nothing happens */
    eddy_zlib_decompressor_set_single (compressor, true);
    ck_assert_ptr_null (eddy_zlib_decompressor_get_file_name (compressor));
    ck_assert_int_eq (eddy_zlib_decompressor_get_modification_time_ns (compressor), 0);
    /* A time that does not fit is not told, and neither is one before 1970. */
    ck_assert (eddy_zlib_compressor_set_header (compressor, NULL, INT64_MAX));
    ck_assert (eddy_zlib_compressor_set_header (compressor, NULL, -1));
    /* No name: none is told. */
    EDDY_AUTO (EddyInputStream) base = eddy_memory_input_stream_new_from_bytes (plain);
    EDDY_AUTO (EddyInputStream) stream = eddy_converter_input_stream_new (base, decompressor);
    unpacked = eddy_input_stream_read_bytes (stream, 8, NULL, &error);
    ck_assert_str_eq (eddy_bytes_get_data (unpacked), "text");
    ck_assert_ptr_null (eddy_zlib_decompressor_get_file_name (decompressor));
    /* Too late once it has begun. */
    size_t read, written;
    char output[64];
    ck_assert_int_eq (
        eddy_converter_convert (compressor, "x", 1, output, 64, 0, &read, &written, &error),
        EDDY_CONVERTER_CONVERTED);
    ck_assert (!eddy_zlib_compressor_set_header (compressor, "name", 1));
}

/* Reads to the end or an error, which is returned: 0 to 9 bytes at a time. */
static EddyError *read_to_end (EddyInputStream *stream, size_t piece, char *buffer, size_t size,
                               size_t *count)
{
    EddyError *error = NULL;
    ssize_t answer = 1;
    for (*count = 0; answer > 0 && *count<size; *count += answer> 0 ? (size_t) answer : 0)
        answer = eddy_input_stream_read (
            stream, buffer + *count, size - *count < piece ? size - *count : piece, NULL, &error);
    return error;
}

static void expect_unpacked (EddyBytes *packed, const char *text)
{
    for (size_t piece = 1; piece < 10; piece += 4) {
        EDDY_AUTO (EddyInputStream) stream = unpacking (GZIP, packed);
        char buffer[64] = "";
        size_t count;
        ck_assert_ptr_null (read_to_end (stream, piece, buffer, 63, &count));
        ck_assert_str_eq (buffer, text);
    }
    EDDY_AUTO (EddyConverter) decompressor = eddy_zlib_decompressor_new (GZIP);
    uint32_t random = 3;
    EDDY_AUTO (EddyBytes) written = written_through (decompressor, packed, &random);
    ck_assert_str_eq (eddy_bytes_get_data (written), text);
}

static void expect_unpacked_then (EddyBytes *packed, const char *text, EddyIOErrorCode code)
{
    for (size_t piece = 1; piece < 10; piece += 4) {
        EDDY_AUTO (EddyInputStream) stream = unpacking (GZIP, packed);
        char buffer[64] = "";
        size_t count;
        EddyError *error = read_to_end (stream, piece, buffer, 63, &count);
        ck_assert_str_eq (buffer, text);
        eddy_test_expect_error (&error, code);
        error = read_to_end (stream, piece, buffer, 1, &count);
        eddy_test_expect_error (&error, code);
    }
}

EDDY_TEST (D_gzip_joined_is_one)
{
    EDDY_AUTO (EddyBytes) first = pack_text (GZIP, "one, ");
    EDDY_AUTO (EddyBytes) second = pack_text (GZIP, "two");
    EDDY_AUTO (EddyBytes) nothing = pack_text (GZIP, "");
    EDDY_AUTO (EddyBytes)
    empty_last = join (first, eddy_bytes_get_data (nothing), eddy_bytes_get_size (nothing));
    EDDY_AUTO (EddyBytes)
    all = join (empty_last, eddy_bytes_get_data (second), eddy_bytes_get_size (second));
    EDDY_AUTO (EddyBytes) padded = join (all, "\0\0\0\0\0", 5);
    EDDY_AUTO (EddyBytes) followed = join (all, "x", 1);
    EDDY_AUTO (EddyBytes) padded_wrongly = join (padded, "\x1f", 1);
    EDDY_AUTO (EddyBytes) begun = join (all, "\x1f", 1);
    EDDY_AUTO (EddyBytes) begun_wrongly = join (all, "\x1f\x8c", 2);
    expect_unpacked (empty_last, "one, ");
    expect_unpacked (all, "one, two");
    expect_unpacked (padded, "one, two");
    expect_unpacked_then (followed, "one, two", EDDY_IO_ERROR_INVALID_DATA);
    expect_unpacked_then (padded_wrongly, "one, two", EDDY_IO_ERROR_INVALID_DATA);
    expect_unpacked_then (begun, "one, two", EDDY_IO_ERROR_PARTIAL_INPUT);
    expect_unpacked_then (begun_wrongly, "one, two", EDDY_IO_ERROR_INVALID_DATA);
}

EDDY_TEST (D_gzip_single_leaves_the_rest)
{
    StreamPipe pipe = stream_pipe_new ();
    EDDY_AUTO (EddyConverter) decompressor = eddy_zlib_decompressor_new (GZIP);
    EDDY_AUTO (EddyInputStream) stream = eddy_converter_input_stream_new (pipe.input, decompressor);
    EDDY_AUTO (EddyBytes) packed = pack_text (GZIP, "text");
    EDDY_AUTO (EddyBytes) followed = join (packed, "rest", 4);
    EddyError *error = NULL;
    char buffer[16] = "";
    size_t count;
    eddy_zlib_decompressor_set_single (decompressor, true);
    ck_assert (eddy_output_stream_write_all (pipe.output, eddy_bytes_get_data (followed),
                                             eddy_bytes_get_size (followed), NULL, NULL, &error));
    /* The pipe stays open: nothing is waited for. */
    ck_assert_ptr_null (read_to_end (stream, 16, buffer, 16, &count));
    ck_assert_str_eq (buffer, "text");
    EDDY_AUTO (EddyBytes) rest = eddy_converter_input_stream_steal_rest (stream);
    ck_assert_str_eq (eddy_bytes_get_data (rest), "rest");
    stream_pipe_clear (&pipe);
}

EDDY_TEST (D_gzip_other_formats_leave_the_rest)
{
    for (size_t i = 0; i < N_FORMATS; i += 2) {
        EDDY_AUTO (EddyBytes) packed = pack_text (formats[i], "text");
        EDDY_AUTO (EddyBytes) followed = join (packed, "rest", 4);
        EDDY_AUTO (EddyInputStream) stream = unpacking (formats[i], followed);
        EDDY_AUTO (EddyConverter) decompressor = eddy_zlib_decompressor_new (formats[i]);
        EddyError *error = NULL;
        char buffer[16] = "";
        size_t count;
        ck_assert_ptr_null (read_to_end (stream, 3, buffer, 16, &count));
        ck_assert_str_eq (buffer, "text");
        EDDY_AUTO (EddyBytes) rest = eddy_converter_input_stream_steal_rest (stream);
        ck_assert_str_eq (eddy_bytes_get_data (rest), "rest");
        ck_assert_ptr_null (eddy_converter_convert_bytes (decompressor, followed, &error));
        eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_DATA);
    }
}

/* --- cut off, damaged, too much --------------------------------------------------------------- */

EDDY_TEST (D_gzip_cut_off_anywhere)
{
    uint32_t random = 4;
    EDDY_AUTO (EddyBytes) bytes = random_bytes (&random, 3000);
    char buffer[3000];
    for (size_t i = 0; i < N_FORMATS; i++) {
        EDDY_AUTO (EddyBytes) packed = make_packed (formats[i], -1, bytes);
        for (size_t size = 0; size < eddy_bytes_get_size (packed); size++) {
            EDDY_AUTO (EddyBytes) cut = eddy_bytes_new (eddy_bytes_get_data (packed), size);
            EDDY_AUTO (EddyInputStream) stream = unpacking (formats[i], cut);
            size_t count, next;
            EddyError *error = read_to_end (stream, 1 + size % 3000, buffer, 3000, &count);
            if (error == NULL) /* all is there but the end of it */
                error = read_to_end (stream, 1, buffer, 1, &next);
            eddy_test_expect_error (&error, EDDY_IO_ERROR_PARTIAL_INPUT);
            ck_assert_int_eq (memcmp (buffer, eddy_bytes_get_data (bytes), count), 0);
            EDDY_AUTO (EddyOutputStream) memory = eddy_memory_output_stream_new (0);
            EDDY_AUTO (EddyConverter) decompressor = eddy_zlib_decompressor_new (formats[i]);
            EDDY_AUTO (EddyOutputStream)
            output = eddy_converter_output_stream_new (memory, decompressor);
            ck_assert (eddy_output_stream_write_all (output, eddy_bytes_get_data (cut), size, NULL,
                                                     NULL, &error));
            ck_assert (!eddy_output_stream_close (output, NULL, &error));
            eddy_test_expect_error (&error, EDDY_IO_ERROR_PARTIAL_INPUT);
            /* All that could be made of it was written. */
            ck_assert_uint_eq (eddy_memory_output_stream_get_size (memory), count);
        }
    }
}

/* One damaged byte is seen, or is in a head's part that nothing depends on. */
EDDY_TEST (D_gzip_damaged_anywhere)
{
    uint32_t random = 5;
    EDDY_AUTO (EddyBytes) bytes = random_bytes (&random, 2000);
    EDDY_AUTO (EddyBytes) packed = make_packed (GZIP, -1, bytes);
    size_t size = eddy_bytes_get_size (packed), unseen = 0;
    char *damaged = malloc (size), buffer[3000];
    for (size_t place = 0; place < size; place++) {
        memcpy (damaged, eddy_bytes_get_data (packed), size);
        damaged[place] ^= (char) (1 << random_next (&random) % 8);
        EDDY_AUTO (EddyBytes) wrong = eddy_bytes_new (damaged, size);
        EDDY_AUTO (EddyInputStream) stream = unpacking (GZIP, wrong);
        size_t count;
        EddyError *error = read_to_end (stream, 100, buffer, 3000, &count);
        if (error == NULL) {
            ck_assert_uint_lt (place, 10); /* time, kind of system … */
            ck_assert_uint_eq (count, 2000);
            ck_assert_int_eq (memcmp (buffer, eddy_bytes_get_data (bytes), count), 0);
            unseen++;
            continue;
        }
        ck_assert (eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_DATA) ||
                   eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_PARTIAL_INPUT));
        eddy_clear_error (&error);
    }
    ck_assert_uint_le (unseen, 7);
    free (damaged);
}

EDDY_TEST (D_gzip_random_damage)
{
    uint32_t random = 6;
    EDDY_AUTO (EddyBytes) bytes = random_bytes (&random, 20000);
    char *buffer = malloc (100000);
    for (long rounds = eddy_test_reduced (3000, 300, "damaged files"); rounds > 0; rounds--) {
        EddyZlibCompressorFormat format = formats[rounds % N_FORMATS];
        EDDY_AUTO (EddyBytes) packed = make_packed (format, 1, bytes);
        size_t size = eddy_bytes_get_size (packed);
        char *damaged = malloc (size);
        memcpy (damaged, eddy_bytes_get_data (packed), size);
        for (uint32_t places = 1 + random_next (&random) % 5; places > 0; places--)
            damaged[random_next (&random) % size] = (char) random_next (&random);
        EDDY_AUTO (EddyBytes) wrong = eddy_bytes_new (damaged, size);
        EDDY_AUTO (EddyConverter) decompressor = eddy_zlib_decompressor_new (format);
        EDDY_AUTO (EddyInputStream) base = eddy_memory_input_stream_new_from_bytes (wrong);
        EDDY_AUTO (EddyInputStream) stream = eddy_converter_input_stream_new (base, decompressor);
        eddy_zlib_decompressor_set_limit (decompressor, 90000);
        size_t count;
        EddyError *error =
            read_to_end (stream, 1 + random_next (&random) % 9999, buffer, 100000, &count);
        ck_assert_uint_le (count, 90000);
        ck_assert (error == NULL ||
                   eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_DATA) ||
                   eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_NOT_SUPPORTED) ||
                   eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_LIMIT_EXCEEDED) ||
                   eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_PARTIAL_INPUT));
        eddy_unref (error);
        free (damaged);
    }
    free (buffer);
}

EDDY_TEST (D_gzip_limit_holds_bombs)
{
    enum { SIZE = 10 << 20, LIMIT = 100000 };
    char *zeroes = calloc (SIZE, 1);
    EDDY_AUTO (EddyBytes) bytes = eddy_bytes_new (zeroes, SIZE);
    EDDY_AUTO (EddyBytes) bomb = make_packed (GZIP, 9, bytes);
    ck_assert_uint_lt (eddy_bytes_get_size (bomb), 11000);
    static const size_t pieces[] = { 1000, LIMIT, LIMIT + 1, SIZE };
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        EDDY_AUTO (EddyInputStream) stream = unpacking (GZIP, bomb);
        EddyConverter *decompressor = eddy_converter_input_stream_get_converter (stream);
        size_t count;
        eddy_zlib_decompressor_set_limit (decompressor, LIMIT);
        for (int again = 0; again < 2; again++) {
            EddyError *error = read_to_end (stream, pieces[i], zeroes, SIZE, &count);
            ck_assert_uint_eq (count, again == 0 ? LIMIT : 0);
            eddy_test_expect_error (&error, EDDY_IO_ERROR_LIMIT_EXCEEDED);
        }
    }
    free (zeroes);
}

/* What is as much as the limit is not too much; joined parts count together. */
EDDY_TEST (D_gzip_limit_is_exact)
{
    EDDY_AUTO (EddyBytes) first = pack_text (GZIP, "one, ");
    EDDY_AUTO (EddyBytes) second = pack_text (GZIP, "two");
    EDDY_AUTO (EddyBytes)
    both = join (first, eddy_bytes_get_data (second), eddy_bytes_get_size (second));
    for (uint64_t limit = 1; limit < 12; limit++)
        for (size_t piece = 1; piece < 12; piece++) {
            EDDY_AUTO (EddyInputStream) stream = unpacking (GZIP, both);
            EddyConverter *decompressor = eddy_converter_input_stream_get_converter (stream);
            char buffer[16] = "";
            size_t count;
            eddy_zlib_decompressor_set_limit (decompressor, limit);
            EddyError *error = read_to_end (stream, piece, buffer, 16, &count);
            ck_assert_uint_eq (count, limit < 8 ? limit : 8);
            ck_assert_int_eq (memcmp (buffer, "one, two", count), 0);
            if (limit < 8)
                eddy_test_expect_error (&error, EDDY_IO_ERROR_LIMIT_EXCEEDED);
            ck_assert_ptr_null (error);
        }
}

EDDY_TEST (D_gzip_dictionary_is_not_supported)
{
    z_stream stream = { .next_in = (Bytef *) "text", .avail_in = 4 };
    Bytef packed[64], byte;
    ck_assert_int_eq (deflateInit (&stream, 6), Z_OK);
    ck_assert_int_eq (deflateSetDictionary (&stream, (const Bytef *) "dictionary", 10), Z_OK);
    stream.next_out = packed;
    stream.avail_out = 64;
    ck_assert_int_eq (deflate (&stream, Z_FINISH), Z_STREAM_END);
    EDDY_AUTO (EddyBytes) bytes = eddy_bytes_new (packed, stream.total_out);
    EDDY_AUTO (EddyInputStream) input = unpacking (ZLIB, bytes);
    EddyError *error = NULL;
    ck_assert_int_eq (eddy_input_stream_read (input, &byte, 1, NULL, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NOT_SUPPORTED);
    deflateEnd (&stream);
}

EDDY_TEST (D_gzip_by_the_piece)
{
    EDDY_AUTO (EddyConverter) compressor = eddy_zlib_compressor_new (GZIP, -1);
    EDDY_AUTO (EddyConverter) decompressor = eddy_zlib_decompressor_new (GZIP);
    EDDY_AUTO (EddyBytes) packed = pack_text (GZIP, "text");
    size_t read, written, size = eddy_bytes_get_size (packed);
    char output[64] = "";
    EddyError *error = NULL;
    ck_assert_int_eq (
        eddy_converter_convert (compressor, "", 0, output, 64, 0, &read, &written, &error),
        EDDY_CONVERTER_CONVERTED); /* the head */
    ck_assert_int_eq (
        eddy_converter_convert (compressor, "", 0, output, 64, 0, &read, &written, &error),
        EDDY_CONVERTER_ERROR);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_PARTIAL_INPUT);
    ck_assert_int_eq (eddy_converter_convert (compressor, "x", 1, output, 6, EDDY_CONVERTER_FLUSH,
                                              &read, &written, &error),
                      EDDY_CONVERTER_ERROR);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_NO_SPACE);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq (eddy_converter_convert (compressor, "x", i == 0, output, 64,
                                                  EDDY_CONVERTER_FLUSH, &read, &written, &error),
                          EDDY_CONVERTER_FLUSHED);
    /* Half of it, and all that can be made of that. */
    ck_assert_int_eq (eddy_converter_convert (decompressor, eddy_bytes_get_data (packed), size - 8,
                                              output, 64, EDDY_CONVERTER_FLUSH, &read, &written,
                                              &error),
                      EDDY_CONVERTER_FLUSHED);
    ck_assert_uint_eq (read, size - 8);
    ck_assert_int_eq (memcmp (output, "text", written), 0);
    ck_assert_int_eq (eddy_converter_convert (decompressor, "", 0, output, 64,
                                              EDDY_CONVERTER_INPUT_AT_END, &read, &written, &error),
                      EDDY_CONVERTER_ERROR);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_PARTIAL_INPUT);
    ck_assert_int_eq (eddy_converter_convert (
                          decompressor, (const char *) eddy_bytes_get_data (packed) + size - 8, 8,
                          output, 64, EDDY_CONVERTER_FLUSH, &read, &written, &error),
                      EDDY_CONVERTER_FLUSHED); /* more may be joined */
    ck_assert_int_eq (eddy_converter_convert (decompressor, "", 0, output, 64,
                                              EDDY_CONVERTER_INPUT_AT_END, &read, &written, &error),
                      EDDY_CONVERTER_FINISHED);
}
