/* SPDX-License-Identifier: MIT */
/*
 * Reading at random, beside a model that has all bytes before it: lines of every kind, bytes, text
 * up to stops, numbers, skips and seeks, on a stream that gives its bytes in random pieces and
 * fails now and then. A failure has read nothing, so the same is asked again.
 */
#include <stdio.h>
#include <stdlib.h>

#include "pieces.h"

enum { RANDOM_BYTES = 3000, RANDOM_PIECES = 64, RANDOM_STEPS = 400 };

typedef struct Random {
    uint64_t state;
    char bytes[RANDOM_BYTES];
    size_t size;
    size_t pieces[RANDOM_PIECES];
    Pieces *base;
    EddyDataInputStream *data;
    EddyContext *context;
    size_t at; /* the model's position */
    EddyDataStreamNewlineType type;
    size_t max_length;
    bool may_lag; /* the model has passed over a LF that the stream may not have seen yet */
} Random;

static size_t next (Random *self, size_t below)
{
    self->state ^= self->state << 13;
    self->state ^= self->state >> 7;
    self->state ^= self->state << 17;
    return (size_t) (self->state % below);
}

/* --- the model -------------------------------------------------------------------------------- */

/* How long the end of a line is that begins here; 0: none does. */
static size_t model_end (const Random *self, size_t at)
{
    char byte = self->bytes[at];
    bool is_pair = byte == '\r' && at + 1 < self->size && self->bytes[at + 1] == '\n';
    switch (self->type) {
    case EDDY_DATA_STREAM_NEWLINE_TYPE_LF:
        return byte == '\n';
    case EDDY_DATA_STREAM_NEWLINE_TYPE_CR:
        return byte == '\r';
    case EDDY_DATA_STREAM_NEWLINE_TYPE_CR_LF:
        return is_pair ? 2 : 0;
    case EDDY_DATA_STREAM_NEWLINE_TYPE_ANY:
    default:
        return is_pair ? 2 : byte == '\n' || byte == '\r';
    }
}

/* The length of the line at the model's position, and of its end. */
static size_t model_line (const Random *self, size_t *end)
{
    for (size_t at = self->at; at < self->size; at++) {
        *end = model_end (self, at);
        if (*end > 0)
            return at - self->at;
    }
    *end = 0;
    return self->size - self->at;
}

static void model_pass (Random *self, size_t count)
{
    self->at += count;
    if (count > 0)
        self->may_lag = false;
}

static void model_pass_line (Random *self, size_t length, size_t end)
{
    model_pass (self, length + end);
    self->may_lag = end == 2 && self->type == EDDY_DATA_STREAM_NEWLINE_TYPE_ANY;
}

/* --- steps ------------------------------------------------------------------------------------ */

/* Whether it failed as planted, so that it is to be asked again. */
static bool failed (EddyError **error)
{
    if (*error == NULL || !eddy_error_matches (*error, EDDY_IO_ERROR, EDDY_IO_ERROR_FAILED))
        return false;
    eddy_clear_error (error);
    return true;
}

typedef struct Read {
    char *line;
    size_t length;
    EddyError *error;
} Read;

static Read read_by_callback (Random *self)
{
    Read read = { NULL, 0, NULL };
    StreamCall call = { 0 };
    eddy_data_input_stream_read_line_async (self->data, 0, NULL, stream_called, &call);
    read.line = eddy_data_input_stream_read_line_finish (
        self->data, stream_await (self->context, &call), &read.length, &read.error);
    stream_call_clear (&call);
    return read;
}

static Read read_borrowed (Random *self)
{
    Read read = { NULL, 0, NULL };
    const char *line =
        eddy_data_input_stream_borrow_line (self->data, &read.length, NULL, &read.error);
    if (line != NULL) {
        EDDY_AUTO (EddyBytes) copy = eddy_bytes_new (line, read.length); /* sees every byte */
        read.line = eddy_strdup ("");
        ck_assert_int_eq (memcmp (eddy_bytes_get_data (copy), self->bytes + self->at, read.length),
                          0);
    }
    return read;
}

static Read read_once (Random *self, size_t form)
{
    Read read = { NULL, 0, NULL };
    if (form == 0)
        return read_by_callback (self);
    if (form == 1)
        return read_borrowed (self);
    read.line = eddy_data_input_stream_read_line (self->data, &read.length, NULL, &read.error);
    return read;
}

static void step_line (Random *self)
{
    size_t end, length = model_line (self, &end), form = next (self, 3);
    Read read;
    do
        read = read_once (self, form);
    while (failed (&read.error));
    if (length > self->max_length) {
        eddy_test_expect_error (&read.error, EDDY_IO_ERROR_LIMIT_EXCEEDED);
        ck_assert_ptr_null (read.line);
        return;
    }
    ck_assert_ptr_null (read.error);
    ck_assert_int_eq (read.line != NULL, length + end > 0);
    ck_assert_uint_eq (read.length, length);
    if (read.line != NULL && form != 1)
        ck_assert_int_eq (memcmp (read.line, self->bytes + self->at, length), 0);
    if (read.line != NULL)
        model_pass_line (self, length, end);
    eddy_free (read.line);
}

static void step_skip_line (Random *self)
{
    size_t end, length = model_line (self, &end);
    EddyError *error = NULL;
    ssize_t skipped;
    int calls = 0;
    do
        skipped = eddy_data_input_stream_skip_line (self->data, NULL, &error);
    while (calls++, failed (&error));
    ck_assert_ptr_null (error);
    if (calls == 1) /* else those that failed may have passed over all of it */
        ck_assert_int_eq (skipped > 0, length + end > 0);
    if (length + end > 0)
        model_pass_line (self, length, end);
}

static void step_upto (Random *self)
{
    static const char stops[] = "ab\0\n";
    ssize_t n_stops = (ssize_t) next (self, sizeof stops);
    size_t length = 0, count = 77;
    while (self->at + length < self->size &&
           memchr (stops, self->bytes[self->at + length], (size_t) n_stops) == NULL)
        length++;
    EddyError *error = NULL;
    char *text;
    do
        text = eddy_data_input_stream_read_upto (self->data, stops, n_stops, &count, NULL, &error);
    while (failed (&error));
    if (length > self->max_length) {
        eddy_test_expect_error (&error, EDDY_IO_ERROR_LIMIT_EXCEEDED);
        return;
    }
    ck_assert_ptr_null (error);
    ck_assert_int_eq (text != NULL, self->at < self->size);
    ck_assert_uint_eq (count, length);
    if (text != NULL)
        ck_assert_int_eq (memcmp (text, self->bytes + self->at, length), 0);
    eddy_free (text);
    model_pass (self, length);
}

static void step_read (Random *self)
{
    char buffer[64];
    size_t count = 1 + next (self, sizeof buffer);
    EddyError *error = NULL;
    ssize_t answer;
    do
        answer =
            eddy_input_stream_read (EDDY_INPUT_STREAM (self->data), buffer, count, NULL, &error);
    while (failed (&error));
    ck_assert_ptr_null (error);
    ck_assert_int_le (answer, (ssize_t) count);
    ck_assert_int_eq (answer > 0, self->at < self->size);
    ck_assert_int_eq (memcmp (buffer, self->bytes + self->at, (size_t) answer), 0);
    model_pass (self, (size_t) answer);
}

static void step_skip (Random *self)
{
    size_t count = 1 + next (self, 40), left = self->size - self->at;
    EddyError *error = NULL;
    ssize_t answer;
    do
        answer = eddy_input_stream_skip (EDDY_INPUT_STREAM (self->data), count, NULL, &error);
    while (failed (&error));
    ck_assert_ptr_null (error);
    /* An error after some bytes is a short skip. */
    ck_assert_int_le (answer, (ssize_t) (count < left ? count : left));
    model_pass (self, (size_t) answer);
}

static void step_number (Random *self)
{
    size_t left = self->size - self->at;
    EddyError *error = NULL;
    uint32_t number = 0, expected = 0;
    bool done;
    do
        done = eddy_data_input_stream_read_uint32 (self->data, &number, NULL, &error);
    while (failed (&error));
    ck_assert_int_eq (done, left >= 4);
    if (!done) {
        eddy_test_expect_error (&error, EDDY_IO_ERROR_PARTIAL_INPUT);
        return;
    }
    for (int i = 0; i < 4; i++)
        expected = expected << 8 | (unsigned char) self->bytes[self->at + (size_t) i];
    ck_assert_uint_eq (number, expected);
    model_pass (self, 4);
}

static void step_seek (Random *self)
{
    EddySeekable *seekable = EDDY_SEEKABLE (self->data);
    EddyError *error = NULL;
    int64_t target = (int64_t) next (self, self->size + 1);
    if (!self->may_lag)
        ck_assert_int_eq (eddy_seekable_tell (seekable), (int64_t) self->at);
    ck_assert (eddy_seekable_seek (seekable, target, EDDY_SEEK_SET, NULL, &error));
    ck_assert_int_eq (eddy_seekable_tell (seekable), target);
    self->at = (size_t) target;
    self->may_lag = false;
}

static void step_settings (Random *self)
{
    EddyBufferedInputStream *buffered = EDDY_BUFFERED_INPUT_STREAM (self->data);
    ck_assert (eddy_buffered_input_stream_set_buffer_size (buffered, 1 + next (self, 60)));
    self->max_length = next (self, 3) == 0 ? SIZE_MAX : next (self, 80);
    eddy_data_input_stream_set_max_length (self->data, self->max_length);
    self->type = (EddyDataStreamNewlineType) next (self, 4);
    eddy_data_input_stream_set_newline_type (self->data, self->type);
}

/* --- runs ------------------------------------------------------------------------------------- */

static void random_begin (Random *self, uint64_t seed)
{
    *self = (Random){ .state = seed * UINT64_C (0x9e3779b97f4a7c15) + 1 };
    self->size = next (self, RANDOM_BYTES);
    size_t ends = 2 + next (self, 20);
    for (size_t i = 0; i < self->size; i++)
        self->bytes[i] = next (self, ends) == 0 ? "\r\n\r\n\0"[next (self, 5)]
                                                : (char) ('a' + (char) next (self, 26));
    size_t most = 1 + next (self, 200);
    for (size_t i = 0; i < RANDOM_PIECES; i++)
        self->pieces[i] = next (self, 10) == 0 ? 0 : 1 + next (self, most);
    self->pieces[0] = most; /* they are not all failures */
    self->base = pieces_new (self->bytes, self->size, self->pieces, RANDOM_PIECES);
    self->data = eddy_data_input_stream_new (&self->base->stream);
    self->context = eddy_test_context_begin ();
    step_settings (self);
}

static void random_run (uint64_t seed)
{
    static void (*const steps[]) (Random *) = {
        step_line, step_line, step_line, step_line,   step_skip_line, step_upto,
        step_read, step_skip, step_seek, step_number, step_settings,
    };
    Random self;
    random_begin (&self, seed);
    for (int i = 0; i < RANDOM_STEPS; i++)
        steps[next (&self, sizeof steps / sizeof *steps)](&self);
    eddy_unref (self.data);
    eddy_unref (self.base);
    eddy_test_context_end (self.context);
}

/* EDDY_LINES runs that many; a run whose seed fails is repeated by EDDY_LINES_SEED. */
EDDY_TEST (S32_at_random_beside_a_model)
{
    const char *rounds = getenv ("EDDY_LINES"), *seed = getenv ("EDDY_LINES_SEED");
    uint64_t first = seed != NULL ? strtoull (seed, NULL, 10) : 1;
    long usual = seed != NULL ? 1 : eddy_test_reduced (400, 80, "random readings");
    uint64_t count = rounds != NULL ? strtoull (rounds, NULL, 10) : (uint64_t) usual;
    for (uint64_t i = first; i < first + count; i++) {
        fprintf (stderr, "seed %llu\n", (unsigned long long) i);
        random_run (i);
    }
}
