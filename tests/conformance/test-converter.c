/* SPDX-License-Identifier: MIT */
/*
 * Converters of a program's own, and streams that convert: bytes as hexadecimal digits up to a full
 * stop, and back.
 */
#include <eddy/testing.h>
#include <pthread.h>

#include "stream.h"

/* --- the kinds -------------------------------------------------------------------------------- */

typedef struct Hex {
    EddyConverter converter;
    bool is_finished;
    int calls_elsewhere; /* not on the thread that made it */
    pthread_t thread;
} Hex;

/* What a call has to do with. */
typedef struct HexPiece {
    const char *input;
    size_t input_size;
    char *output;
    size_t output_size;
    EddyConverterFlags flags;
    size_t *bytes_read;
    size_t *bytes_written;
    EddyError **error;
} HexPiece;

static EddyConverterResult hex_stop (const HexPiece *piece, EddyIOErrorCode code)
{
    if (*piece->bytes_read > 0 || *piece->bytes_written > 0)
        return EDDY_CONVERTER_CONVERTED;
    if (code == EDDY_IO_ERROR_PARTIAL_INPUT && (piece->flags & EDDY_CONVERTER_FLUSH) != 0)
        return EDDY_CONVERTER_FLUSHED;
    eddy_error_set (piece->error, EDDY_IO_ERROR, (int) code, "hex");
    return EDDY_CONVERTER_ERROR;
}

static EddyConverterResult hex_encode (Hex *self, const HexPiece *piece)
{
    while (*piece->bytes_read < piece->input_size) {
        if (piece->output_size - *piece->bytes_written < 2)
            return hex_stop (piece, EDDY_IO_ERROR_NO_SPACE);
        int byte = (unsigned char) piece->input[(*piece->bytes_read)++];
        piece->output[(*piece->bytes_written)++] = "0123456789abcdef"[byte >> 4];
        piece->output[(*piece->bytes_written)++] = "0123456789abcdef"[byte & 15];
    }
    if ((piece->flags & EDDY_CONVERTER_INPUT_AT_END) == 0)
        return hex_stop (piece, EDDY_IO_ERROR_PARTIAL_INPUT);
    if (*piece->bytes_written == piece->output_size)
        return EDDY_CONVERTER_CONVERTED;
    piece->output[(*piece->bytes_written)++] = '.';
    self->is_finished = true;
    return EDDY_CONVERTER_FINISHED;
}

static int hex_digit (char digit)
{
    const char *place = digit == '\0' ? NULL : strchr ("0123456789abcdef", digit);
    return place == NULL ? -1 : (int) (place - "0123456789abcdef");
}

static EddyConverterResult hex_decode (Hex *self, const HexPiece *piece)
{
    for (;;) {
        const char *input = piece->input + *piece->bytes_read;
        size_t left = piece->input_size - *piece->bytes_read;
        if (left > 0 && *input == '.') {
            ++*piece->bytes_read;
            self->is_finished = true;
            return EDDY_CONVERTER_FINISHED;
        }
        if (left < 2)
            return hex_stop (piece, EDDY_IO_ERROR_PARTIAL_INPUT);
        if (hex_digit (input[0]) < 0 || hex_digit (input[1]) < 0)
            return hex_stop (piece, EDDY_IO_ERROR_INVALID_DATA);
        if (*piece->bytes_written == piece->output_size)
            return hex_stop (piece, EDDY_IO_ERROR_NO_SPACE);
        int byte = hex_digit (input[0]) << 4 | hex_digit (input[1]);
        piece->output[(*piece->bytes_written)++] = (char) byte;
        *piece->bytes_read += 2;
    }
}

static EddyConverterResult hex_call (EddyConverterResult (*function) (Hex *, const HexPiece *),
                                     EddyConverter *converter, const HexPiece *piece)
{
    Hex *self = (Hex *) (void *) converter;
    self->calls_elsewhere += !pthread_equal (self->thread, pthread_self ());
    return self->is_finished ? EDDY_CONVERTER_FINISHED : function (self, piece);
}

static EddyConverterResult hex_encoder_convert (EddyConverter *converter, const void *input,
                                                size_t input_size, void *output, size_t output_size,
                                                EddyConverterFlags flags, size_t *bytes_read,
                                                size_t *bytes_written, EddyError **error)
{
    HexPiece piece = { input, input_size, output,        output_size,
                       flags, bytes_read, bytes_written, error };
    return hex_call (hex_encode, converter, &piece);
}

static EddyConverterResult hex_decoder_convert (EddyConverter *converter, const void *input,
                                                size_t input_size, void *output, size_t output_size,
                                                EddyConverterFlags flags, size_t *bytes_read,
                                                size_t *bytes_written, EddyError **error)
{
    HexPiece piece = { input, input_size, output,        output_size,
                       flags, bytes_read, bytes_written, error };
    return hex_call (hex_decode, converter, &piece);
}

static void hex_reset (EddyConverter *converter)
{
    ((Hex *) (void *) converter)->is_finished = false;
}

static const EddyConverterClass hex_encoder_class = {
    .object = { .name = "HexEncoder", .size = sizeof (Hex) },
    .convert = hex_encoder_convert,
    .reset = hex_reset,
};

static const EddyConverterClass hex_decoder_class = {
    .object = { .name = "HexDecoder", .size = sizeof (Hex) },
    .convert = hex_decoder_convert,
    .reset = hex_reset,
    .worker_input_size = 1024,
    .worker_output_size = 4096,
};

static EddyConverter *hex_new (const EddyConverterClass *hex_class)
{
    Hex *self = eddy_object_new (&hex_class->object);
    ck_assert_ptr_nonnull (self);
    self->thread = pthread_self ();
    return EDDY_CONVERTER (self);
}

/* --- streams to convert from and to ----------------------------------------------------------- */

static EddyInputStream *hex_input (const EddyConverterClass *hex_class, EddyInputStream *base)
{
    EDDY_AUTO (EddyConverter) converter = hex_new (hex_class);
    EddyInputStream *stream = eddy_converter_input_stream_new (base, converter);
    ck_assert_ptr_eq (eddy_converter_input_stream_get_converter (stream), converter);
    return stream;
}

static EddyOutputStream *hex_output (const EddyConverterClass *hex_class, EddyOutputStream *base)
{
    EDDY_AUTO (EddyConverter) converter = hex_new (hex_class);
    EddyOutputStream *stream = eddy_converter_output_stream_new (base, converter);
    ck_assert_ptr_eq (eddy_converter_output_stream_get_converter (stream), converter);
    return stream;
}

static EddyInputStream *memory_of (const char *text)
{
    EDDY_AUTO (EddyBytes) bytes = eddy_bytes_new (text, strlen (text));
    return eddy_memory_input_stream_new_from_bytes (bytes);
}

static EddyInputStream *decoded (const char *text)
{
    EDDY_AUTO (EddyInputStream) base = memory_of (text);
    return hex_input (&hex_decoder_class, base);
}

/* Asserts what a memory stream was written. */
static void expect_written (EddyOutputStream *memory, const char *text)
{
    ck_assert_uint_eq (eddy_memory_output_stream_get_size (memory), strlen (text));
    ck_assert_int_eq (memcmp (eddy_memory_output_stream_get_data (memory), text, strlen (text)), 0);
}

/* A stream that fails now and then: each second call, and takes or gives three bytes. */
typedef struct Shaky {
    EddyInputStream input;
    EddyOutputStream *target; /* where an output one writes to */
    const char *text;
    int calls;
} Shaky;

static bool shaky_fails (int *calls, EddyError **error)
{
    if (++*calls % 2 != 0)
        return false;
    eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_BUSY, "not now");
    return true;
}

static ssize_t shaky_read (EddyInputStream *stream, void *buffer, size_t count,
                           EddyCancellable *cancellable, EddyError **error)
{
    Shaky *self = (Shaky *) (void *) stream;
    (void) cancellable;
    if (shaky_fails (&self->calls, error))
        return -1;
    size_t left = strlen (self->text), taken = count < 3 ? count : left < 3 ? left : 3;
    memcpy (buffer, self->text, taken);
    self->text += taken;
    return (ssize_t) taken;
}

static const EddyInputStreamClass shaky_input_class = {
    .stream.object = { .name = "Shaky", .size = sizeof (Shaky) },
    .read = shaky_read,
};

typedef struct ShakyOutput {
    EddyOutputStream stream;
    EddyOutputStream *target;
    int calls;
} ShakyOutput;

static ssize_t shaky_write (EddyOutputStream *stream, const void *buffer, size_t count,
                            EddyCancellable *cancellable, EddyError **error)
{
    ShakyOutput *self = (ShakyOutput *) (void *) stream;
    if (shaky_fails (&self->calls, error))
        return -1;
    return eddy_output_stream_write (self->target, buffer, count < 3 ? count : 3, cancellable,
                                     error);
}

static const EddyOutputStreamClass shaky_output_class = {
    .stream.object = { .name = "ShakyOutput", .size = sizeof (ShakyOutput) },
    .write = shaky_write,
};

/* --- converters ------------------------------------------------------------------------------- */

EDDY_TEST (D_converter_by_the_piece)
{
    EDDY_AUTO (EddyConverter) converter = hex_new (&hex_decoder_class);
    char output[4];
    size_t read, written;
    EddyError *error = NULL;
    ck_assert_int_eq (
        eddy_converter_convert (converter, "61626", 5, output, 4, 0, &read, &written, &error),
        EDDY_CONVERTER_CONVERTED);
    ck_assert_uint_eq (read, 4);
    ck_assert_uint_eq (written, 2);
    ck_assert_int_eq (memcmp (output, "ab", 2), 0);
    ck_assert_int_eq (
        eddy_converter_convert (converter, "6", 1, output, 4, 0, &read, &written, &error),
        EDDY_CONVERTER_ERROR);
    ck_assert_uint_eq (read + written, 0);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_PARTIAL_INPUT);
    ck_assert_int_eq (eddy_converter_convert (converter, "6", 1, output, 4, EDDY_CONVERTER_FLUSH,
                                              &read, &written, &error),
                      EDDY_CONVERTER_FLUSHED);
    ck_assert_int_eq (
        eddy_converter_convert (converter, "63.64", 5, output, 4, 0, &read, &written, &error),
        EDDY_CONVERTER_FINISHED);
    ck_assert_uint_eq (read, 3);
    ck_assert_int_eq (
        eddy_converter_convert (converter, "64", 2, output, 4, 0, &read, &written, &error),
        EDDY_CONVERTER_FINISHED);
    eddy_converter_reset (converter);
    ck_assert_int_eq (
        eddy_converter_convert (converter, "64", 2, output, 4, 0, &read, &written, &error),
        EDDY_CONVERTER_CONVERTED);
    ck_assert_int_eq (output[0], 'd');
}

EDDY_TEST (D_converter_of_whole_bytes)
{
    enum { SIZE = 300000 };
    EDDY_AUTO (EddyConverter) encoder = hex_new (&hex_encoder_class);
    EDDY_AUTO (EddyConverter) decoder = hex_new (&hex_decoder_class);
    EddyError *error = NULL;
    char *text = malloc (SIZE);
    stream_fill (text, SIZE, 0);
    for (size_t size = 0; size <= SIZE; size = size * 3 + 1) {
        EDDY_AUTO (EddyBytes) bytes = eddy_bytes_new (text, size);
        EDDY_AUTO (EddyBytes) digits = eddy_converter_convert_bytes (encoder, bytes, &error);
        ck_assert_uint_eq (eddy_bytes_get_size (digits), size * 2 + 1);
        EDDY_AUTO (EddyBytes) again = eddy_converter_convert_bytes (decoder, digits, &error);
        ck_assert_uint_eq (eddy_bytes_get_size (again), size);
        stream_expect (eddy_bytes_get_data (again), size, 0);
    }
    free (text);
    static const struct {
        const char *text;
        EddyIOErrorCode code;
    } wrong[] = { { "61", EDDY_IO_ERROR_PARTIAL_INPUT },
                  { "6", EDDY_IO_ERROR_PARTIAL_INPUT },
                  { "", EDDY_IO_ERROR_PARTIAL_INPUT },
                  { "6x.", EDDY_IO_ERROR_INVALID_DATA },
                  { "61.6", EDDY_IO_ERROR_INVALID_DATA } };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        EDDY_AUTO (EddyBytes) bytes = eddy_bytes_new (wrong[i].text, strlen (wrong[i].text));
        ck_assert_ptr_null (eddy_converter_convert_bytes (decoder, bytes, &error));
        eddy_test_expect_error (&error, wrong[i].code);
    }
}

static EddyConverterResult idle_convert (EddyConverter *converter, const void *input,
                                         size_t input_size, void *output, size_t output_size,
                                         EddyConverterFlags flags, size_t *bytes_read,
                                         size_t *bytes_written, EddyError **error)
{
    (void) converter, (void) input, (void) input_size, (void) output, (void) output_size;
    (void) flags, (void) bytes_read, (void) bytes_written, (void) error;
    return EDDY_CONVERTER_CONVERTED;
}

EDDY_TEST (D_converter_that_does_nothing_is_an_error)
{
    static const EddyConverterClass idle_class = {
        .object = { .name = "Idle", .size = sizeof (Hex) },
        .convert = idle_convert,
        .reset = hex_reset,
    };
    EddyError *error = NULL;
    EDDY_AUTO (EddyInputStream) base = memory_of ("text");
    EDDY_AUTO (EddyInputStream) stream = hex_input (&idle_class, base);
    char byte;
    ck_assert_int_eq (eddy_input_stream_read (stream, &byte, 1, NULL, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_FAILED);
}

/* --- reading ---------------------------------------------------------------------------------- */

EDDY_TEST (D_converter_input_in_reads_of_any_size)
{
    enum { SIZE = 20000 };
    static const size_t counts[] = { 1, 2, 3, 7, 64, 4095, 4096, 4097, 30000 };
    EddyError *error = NULL;
    char *text = malloc (SIZE), *buffer = malloc (30000);
    stream_fill (text, SIZE, 0);
    EDDY_AUTO (EddyBytes) bytes = eddy_bytes_new (text, SIZE);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        EDDY_AUTO (EddyInputStream) base = eddy_memory_input_stream_new_from_bytes (bytes);
        EDDY_AUTO (EddyInputStream) digits = hex_input (&hex_encoder_class, base);
        EDDY_AUTO (EddyInputStream) stream = hex_input (&hex_decoder_class, digits);
        size_t done = 0;
        for (ssize_t count;
             (count = eddy_input_stream_read (stream, buffer, counts[i], NULL, &error)) != 0;) {
            ck_assert_int_gt (count, 0);
            stream_expect (buffer, (size_t) count, done);
            done += (size_t) count;
        }
        ck_assert_uint_eq (done, SIZE);
        ck_assert_int_eq (eddy_input_stream_read (stream, buffer, 1, NULL, &error), 0);
        ck_assert (eddy_input_stream_close (stream, NULL, &error));
        ck_assert (eddy_input_stream_is_closed (base));
    }
    free (text);
    free (buffer);
}

EDDY_TEST (D_converter_input_ends_before_its_base)
{
    EDDY_AUTO (EddyInputStream) base = memory_of ("6162.the rest");
    EDDY_AUTO (EddyInputStream) stream = hex_input (&hex_decoder_class, base);
    EddyError *error = NULL;
    char buffer[8] = "";
    size_t count;
    eddy_filter_input_stream_set_close_base_stream (EDDY_FILTER_INPUT_STREAM (stream), false);
    ck_assert (eddy_input_stream_read_all (stream, buffer, 8, &count, NULL, &error));
    ck_assert_uint_eq (count, 2);
    ck_assert_str_eq (buffer, "ab");
    ck_assert (eddy_input_stream_close (stream, NULL, &error));
    ck_assert (!eddy_input_stream_is_closed (base));
    EDDY_AUTO (EddyBytes) rest = eddy_converter_input_stream_steal_rest (stream);
    ck_assert_str_eq (eddy_bytes_get_data (rest), "the rest");
    EDDY_AUTO (EddyBytes) nothing = eddy_converter_input_stream_steal_rest (stream);
    ck_assert_uint_eq (eddy_bytes_get_size (nothing), 0);
}

EDDY_TEST (D_converter_input_gives_data_before_the_error)
{
    static const struct {
        const char *text;
        EddyIOErrorCode code;
    } wrong[] = { { "616263", EDDY_IO_ERROR_PARTIAL_INPUT },
                  { "6162636", EDDY_IO_ERROR_PARTIAL_INPUT },
                  { "616263--", EDDY_IO_ERROR_INVALID_DATA } };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        EDDY_AUTO (EddyInputStream) stream = decoded (wrong[i].text);
        EddyError *error = NULL;
        char buffer[8] = "";
        size_t count;
        ck_assert (!eddy_input_stream_read_all (stream, buffer, 8, &count, NULL, &error));
        ck_assert_uint_eq (count, 3);
        ck_assert_str_eq (buffer, "abc");
        eddy_test_expect_error (&error, wrong[i].code);
        /* It stays so. */
        ck_assert_int_eq (eddy_input_stream_read (stream, buffer, 8, NULL, &error), -1);
        ck_assert_ptr_nonnull (strstr (eddy_error_get_message (error), "EddyMemoryInputStream: "));
        eddy_test_expect_error (&error, wrong[i].code);
    }
}

EDDY_TEST (D_converter_input_goes_on_after_its_base_failed)
{
    EDDY_AUTO (Shaky) base = eddy_object_new (&shaky_input_class.stream.object);
    base->text = "6162636465666768696a.";
    EDDY_AUTO (EddyInputStream) stream = hex_input (&hex_decoder_class, &base->input);
    char buffer[16] = "";
    size_t done = 0;
    for (ssize_t count = 1; count != 0; done += count > 0 ? (size_t) count : 0) {
        EddyError *error = NULL;
        count = eddy_input_stream_read (stream, buffer + done, 16 - done, NULL, &error);
        if (count < 0)
            eddy_test_expect_error (&error, EDDY_IO_ERROR_BUSY);
    }
    ck_assert_str_eq (buffer, "abcdefghij");
    ck_assert_int_eq (base->calls, 13); /* each second one failed */
}

/* --- writing ---------------------------------------------------------------------------------- */

EDDY_TEST (D_converter_output_flushes_and_ends)
{
    EDDY_AUTO (EddyOutputStream) memory = eddy_memory_output_stream_new (0);
    EDDY_AUTO (EddyOutputStream) stream = hex_output (&hex_encoder_class, memory);
    EddyError *error = NULL;
    ck_assert (!eddy_output_stream_is_closing (stream));
    ck_assert_int_eq (eddy_output_stream_write (stream, "ab", 2, NULL, &error), 2);
    ck_assert_uint_eq (eddy_memory_output_stream_get_size (memory), 0);
    for (int i = 0; i < 2; i++) {
        ck_assert (eddy_output_stream_flush (stream, NULL, &error));
        expect_written (memory, "6162");
    }
    ck_assert_int_eq (eddy_output_stream_write (stream, "c", 1, NULL, &error), 1);
    ck_assert (eddy_output_stream_close (stream, NULL, &error));
    ck_assert (!eddy_output_stream_is_closing (stream));
    expect_written (memory, "616263.");
    ck_assert (eddy_output_stream_is_closed (memory));
    ck_assert_int_eq (eddy_output_stream_write (stream, "c", 1, NULL, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
}

EDDY_TEST (D_converter_output_leaves_its_base_open)
{
    EDDY_AUTO (EddyOutputStream) memory = eddy_memory_output_stream_new (0);
    EddyError *error = NULL;
    for (int i = 0; i < 2; i++) {
        EDDY_AUTO (EddyOutputStream) stream = hex_output (&hex_encoder_class, memory);
        eddy_filter_output_stream_set_close_base_stream (EDDY_FILTER_OUTPUT_STREAM (stream), false);
        ck_assert (eddy_output_stream_write_all (stream, "ab", 2, NULL, NULL, &error));
        ck_assert (eddy_output_stream_close (stream, NULL, &error));
    }
    ck_assert (!eddy_output_stream_is_closed (memory));
    expect_written (memory, "6162.6162.");
}

/* Decodes what is written in pieces of any size. */
EDDY_TEST (D_converter_output_in_writes_of_any_size)
{
    enum { SIZE = 100000 };
    static const size_t counts[] = { 1, 3, 4096, 65535, 65536, 65537, 2 * SIZE + 1 };
    EddyError *error = NULL;
    char *text = malloc (SIZE);
    stream_fill (text, SIZE, 0);
    EDDY_AUTO (EddyBytes) bytes = eddy_bytes_new (text, SIZE);
    EDDY_AUTO (EddyConverter) encoder = hex_new (&hex_encoder_class);
    EDDY_AUTO (EddyBytes) digits = eddy_converter_convert_bytes (encoder, bytes, &error);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        EDDY_AUTO (EddyOutputStream) memory = eddy_memory_output_stream_new (0);
        EDDY_AUTO (EddyOutputStream) stream = hex_output (&hex_decoder_class, memory);
        const char *left = eddy_bytes_get_data (digits), *end = left + 2 * SIZE + 1;
        while (left < end) {
            size_t count = (size_t) (end - left) < counts[i] ? (size_t) (end - left) : counts[i];
            ck_assert (eddy_output_stream_write_all (stream, left, count, NULL, NULL, &error));
            left += count;
        }
        ck_assert (eddy_output_stream_close (stream, NULL, &error));
        ck_assert_uint_eq (eddy_memory_output_stream_get_size (memory), SIZE);
        stream_expect (eddy_memory_output_stream_get_data (memory), SIZE, 0);
    }
    free (text);
}

EDDY_TEST (D_converter_output_tells_what_is_wrong)
{
    static const struct {
        const char *text;
        EddyIOErrorCode code;
    } wrong[] = { { "616263", EDDY_IO_ERROR_PARTIAL_INPUT },
                  { "6162636", EDDY_IO_ERROR_PARTIAL_INPUT },
                  { "616263x-.", EDDY_IO_ERROR_INVALID_DATA },
                  { "616263.61", EDDY_IO_ERROR_INVALID_DATA } };
    for (size_t i = 0; i < 2 * sizeof wrong / sizeof wrong[0]; i++) {
        EDDY_AUTO (EddyOutputStream) memory = eddy_memory_output_stream_new (0);
        EDDY_AUTO (EddyOutputStream) stream = hex_output (&hex_decoder_class, memory);
        EddyError *error = NULL;
        const char *text = wrong[i / 2].text;
        ck_assert (eddy_output_stream_write_all (stream, text, strlen (text), NULL, NULL, &error));
        if (i % 2 == 1 && !eddy_output_stream_flush (stream, NULL, &error))
            eddy_test_expect_error (&error, wrong[i / 2].code);
        ck_assert (!eddy_output_stream_close (stream, NULL, &error));
        ck_assert_ptr_nonnull (strstr (eddy_error_get_message (error), "EddyMemoryOutputStream: "));
        eddy_test_expect_error (&error, wrong[i / 2].code);
        ck_assert (eddy_output_stream_is_closed (stream));
        ck_assert (eddy_output_stream_is_closed (memory));
        expect_written (memory, "abc"); /* what came before it */
    }
}

EDDY_TEST (D_converter_output_goes_on_after_its_base_failed)
{
    EDDY_AUTO (EddyOutputStream) memory = eddy_memory_output_stream_new (0);
    EDDY_AUTO (ShakyOutput) base = eddy_object_new (&shaky_output_class.stream.object);
    base->target = memory;
    EDDY_AUTO (EddyOutputStream) stream = hex_output (&hex_encoder_class, &base->stream);
    EddyError *error = NULL;
    ck_assert (eddy_output_stream_write_all (stream, "abcdefghij", 10, NULL, NULL, &error));
    int failures = 0;
    while (!eddy_output_stream_flush (stream, NULL, &error)) {
        eddy_test_expect_error (&error, EDDY_IO_ERROR_BUSY);
        failures++;
    }
    ck_assert_int_eq (failures, 6);
    expect_written (memory, "6162636465666768696a");
    base->calls = 0;
    ck_assert (eddy_output_stream_close (stream, NULL, &error));
    expect_written (memory, "6162636465666768696a.");
}

static void note_warning (EddyLogLevel level, const char *message, void *data)
{
    int *warnings = data;
    ck_assert_int_eq (level, EDDY_LOG_WARNING);
    ck_assert_ptr_nonnull (strstr (message, "without being closed"));
    ++*warnings;
}

EDDY_TEST (D_converter_output_given_up_warns)
{
    int warnings = 0;
    EddyError *error = NULL;
    eddy_log_set_handler (note_warning, &warnings);
    EDDY_AUTO (EddyOutputStream) memory = eddy_memory_output_stream_new (0);
    EddyOutputStream *stream = hex_output (&hex_encoder_class, memory);
    eddy_unref (stream); /* nothing was written */
    ck_assert_int_eq (warnings, 0);
    stream = hex_output (&hex_encoder_class, memory);
    ck_assert_int_eq (eddy_output_stream_write (stream, "ab", 2, NULL, &error), 2);
    eddy_unref (stream);
    ck_assert_int_eq (warnings, 1);
    eddy_log_set_handler (NULL, NULL);
}

/* --- where it is done ------------------------------------------------------------------------- */

enum { LARGE = 200000 };

/* Reads digits of so many bytes to their end; returns how often they were converted elsewhere. */
static int read_decoded (size_t count, EddyError **error)
{
    EDDY_AUTO (EddyOutputStream) digits = eddy_memory_output_stream_new (0);
    EDDY_AUTO (EddyOutputStream) encoder = hex_output (&hex_encoder_class, digits);
    char *text = malloc (LARGE);
    stream_fill (text, count, 0);
    ck_assert (eddy_output_stream_write_all (encoder, text, count, NULL, NULL, error));
    ck_assert (eddy_output_stream_close (encoder, NULL, error));
    EDDY_AUTO (EddyBytes) bytes = eddy_memory_output_stream_steal_as_bytes (digits);
    EDDY_AUTO (EddyInputStream) base = eddy_memory_input_stream_new_from_bytes (bytes);
    EDDY_AUTO (EddyInputStream) stream = hex_input (&hex_decoder_class, base);
    size_t done;
    ck_assert (eddy_input_stream_read_all (stream, text, LARGE, &done, NULL, error));
    ck_assert_uint_eq (done, count);
    stream_expect (text, count, 0);
    free (text);
    Hex *hex = (Hex *) (void *) eddy_converter_input_stream_get_converter (stream);
    return hex->calls_elsewhere;
}

static void *read_much (void *data, EddyError **error)
{
    int *elsewhere = data;
    elsewhere[0] = read_decoded (LARGE, error);
    elsewhere[1] = read_decoded (400, error);
    return NULL;
}

EDDY_TEST (D_converter_large_pieces_leave_the_loop_alone)
{
    EddyContext *context = eddy_test_context_begin ();
    int elsewhere[2] = { -1, -1 };
    EddyError *error = NULL;
    ck_assert_int_eq (read_decoded (LARGE, &error), 0); /* a plain thread has none */
    eddy_test_run_fiber (context, read_much, elsewhere);
    ck_assert_int_ge (elsewhere[0], 2 * LARGE / 65536);
    ck_assert_int_eq (elsewhere[1], 0);
    eddy_test_context_end (context);
}

/* --- in every form, and cancelled ------------------------------------------------------------- */

EDDY_TEST (D_converter_by_callback_and_as_futures)
{
    EddyContext *context = eddy_test_context_begin ();
    StreamPipe pipe = stream_pipe_new ();
    EDDY_AUTO (EddyOutputStream) output = hex_output (&hex_encoder_class, pipe.output);
    EDDY_AUTO (EddyInputStream) input = hex_input (&hex_decoder_class, pipe.input);
    StreamCall call = { 0 };
    EddyError *error = NULL;
    char buffer[8] = "";
    eddy_output_stream_write_async (output, "abcd", 4, 0, NULL, stream_called, &call);
    ck_assert_int_eq (
        eddy_output_stream_write_finish (output, stream_await (context, &call), &error), 4);
    stream_call_clear (&call);
    eddy_input_stream_read_async (input, buffer, 3, 0, NULL, stream_called, &call);
    EDDY_AUTO (EddyFuture) flushed = eddy_output_stream_flush_future (output, 0, NULL);
    ck_assert (eddy_block_on_boolean (context, flushed, &error));
    ck_assert_int_eq (eddy_input_stream_read_finish (input, stream_await (context, &call), &error),
                      3);
    ck_assert_str_eq (buffer, "abc");
    stream_call_clear (&call);
    EDDY_AUTO (EddyFuture) closed = eddy_output_stream_close_future (output, 0, NULL);
    ck_assert (eddy_block_on_boolean (context, closed, &error));
    EDDY_AUTO (EddyFuture) rest = eddy_input_stream_read_bytes_future (input, 8, 0, NULL);
    ck_assert_str_eq (eddy_bytes_get_data (eddy_block_on (context, rest, &error)), "d");
    ck_assert (eddy_input_stream_close (input, NULL, &error));
    stream_pipe_clear (&pipe);
    eddy_test_context_end (context);
}

EDDY_TEST (D_converter_cancelled_read_loses_nothing)
{
    EddyContext *context = eddy_test_context_begin ();
    StreamPipe pipe = stream_pipe_new ();
    EDDY_AUTO (EddyInputStream) input = hex_input (&hex_decoder_class, pipe.input);
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    StreamCall call = { 0 };
    EddyError *error = NULL;
    char buffer[8] = "";
    /* Half of a pair has been read when the cancel comes. */
    ck_assert_int_eq (eddy_output_stream_write (pipe.output, "6", 1, NULL, &error), 1);
    eddy_input_stream_read_async (input, buffer, 8, 0, cancellable, stream_called, &call);
    while (eddy_context_iteration (context, /* may_block= */ false))
        continue;
    eddy_cancellable_cancel (cancellable);
    ck_assert_int_eq (eddy_input_stream_read_finish (input, stream_await (context, &call), &error),
                      -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    stream_call_clear (&call);
    ck_assert (eddy_output_stream_write_all (pipe.output, "162.", 4, NULL, NULL, &error));
    ck_assert_int_eq (eddy_input_stream_read (input, buffer, 8, NULL, &error), 2);
    ck_assert_str_eq (buffer, "ab");
    stream_pipe_clear (&pipe);
    eddy_test_context_end (context);
}

/* A filter's work in a fiber, cancelled at each wait: what was read is the beginning. */
static void *read_through (void *data, EddyError **error)
{
    (void) data;
    StreamPipe pipe = stream_pipe_new ();
    EDDY_AUTO (EddyOutputStream) output = hex_output (&hex_encoder_class, pipe.output);
    EDDY_AUTO (EddyInputStream) input = hex_input (&hex_decoder_class, pipe.input);
    char text[3000], buffer[3000];
    size_t count = 0;
    stream_fill (text, sizeof text, 0);
    if (eddy_output_stream_write_all (output, text, sizeof text, NULL, NULL, error) &&
        eddy_output_stream_close (output, NULL, error))
        (void) eddy_input_stream_read_exactly (input, buffer, sizeof buffer, &count, NULL, error);
    stream_expect (buffer, count, 0);
    EDDY_SHIELD (-1)
    {
        (void) eddy_output_stream_close (output, NULL, NULL);
        (void) eddy_input_stream_close (input, NULL, NULL);
    }
    stream_pipe_clear (&pipe);
    return NULL;
}

EDDY_TEST (D_converter_cancelled_everywhere)
{
    EddyTestCancelReport report;
    ck_assert_msg (eddy_test_cancel_everywhere (read_through, NULL, NULL, &report), "%s",
                   report.failure);
    ck_assert_uint_ge (report.points, 2);
    ck_assert_uint_ge (report.cancelled, 1);
}
