/* SPDX-License-Identifier: MIT */
/*
 * Reading and writing through buffers, cancelled wherever it waits: who goes on afterwards finds
 * everything.
 */
#include <eddy/testing.h>

#include "stream.h"

/* --- reading ---------------------------------------------------------------------------------- */

static const char message[] = "first line\n\0\0\1\2key=value\r\nlast";

typedef struct Reader {
    StreamPipe pipe;
    EddyDataInputStream *data;
} Reader;

/* A few bytes at a time, so that each read waits. */
static void *feed (void *data, EddyError **error)
{
    EddyOutputStream *output = data;
    for (size_t at = 0; at < sizeof message - 1; at += 3) {
        size_t left = sizeof message - 1 - at;
        if (!eddy_output_stream_write_all (output, message + at, left < 3 ? left : 3, NULL, NULL,
                                           error))
            return NULL;
        eddy_fiber_yield ();
        eddy_fiber_yield ();
    }
    (void) eddy_output_stream_close (output, NULL, error);
    return NULL;
}

static bool expect_text (char *text, const char *expected)
{
    if (text == NULL)
        return false;
    ck_assert_str_eq (text, expected);
    eddy_free (text);
    return true;
}

static bool read_step (Reader *self, int step, EddyError **error)
{
    uint32_t number = 0;
    uint8_t byte = 0;
    switch (step) {
    case 0:
        return expect_text (eddy_data_input_stream_read_line (self->data, NULL, NULL, error),
                            "first line");
    case 1:
        if (!eddy_data_input_stream_read_uint32 (self->data, &number, NULL, error))
            return false;
        ck_assert_uint_eq (number, 0x0102);
        return true;
    case 2:
        return expect_text (
            eddy_data_input_stream_read_upto (self->data, "=", -1, NULL, NULL, error), "key");
    case 3:
        if (!eddy_data_input_stream_read_byte (self->data, &byte, NULL, error))
            return false;
        ck_assert_int_eq (byte, '=');
        return true;
    case 4:
        return eddy_data_input_stream_skip_line (self->data, NULL, error) >= 0;
    default:
        return expect_text (eddy_data_input_stream_read_line_utf8 (self->data, NULL, NULL, error),
                            "last");
    }
}

static void *read_and_be_cancelled (void *data, EddyError **error)
{
    Reader self = { .pipe = stream_pipe_new () };
    int step = 0;
    (void) data;
    self.data = eddy_data_input_stream_new (self.pipe.input);
    eddy_data_input_stream_set_newline_type (self.data, EDDY_DATA_STREAM_NEWLINE_TYPE_ANY);
    EDDY_AUTO (EddyFuture) feeder = eddy_spawn (NULL, feed, self.pipe.output, NULL);
    while (step < 6 && read_step (&self, step, error))
        step++;
    EDDY_SHIELD (-1)
    {
        EddyError *failure = NULL;
        for (; step < 6; step++)
            ck_assert_msg (read_step (&self, step, &failure), "step %d: %s", step,
                           eddy_error_get_message (failure));
        ck_assert_ptr_null (eddy_data_input_stream_read_line (self.data, NULL, NULL, &failure));
        ck_assert_ptr_null (failure);
        (void) eddy_await (feeder, NULL);
        ck_assert (eddy_input_stream_close (EDDY_INPUT_STREAM (self.data), NULL, NULL));
    }
    eddy_unref (self.data);
    stream_pipe_clear (&self.pipe);
    return NULL;
}

EDDY_TEST (D_data_a_cancel_loses_nothing)
{
    EddyTestCancelReport report;
    bool good = eddy_test_cancel_everywhere (read_and_be_cancelled, NULL, NULL, &report);
    ck_assert_msg (good, "%s", report.failure);
    ck_assert_uint_ge (report.cancelled, 5);
}

/* --- lines as a sequence ---------------------------------------------------------------------- */

static const char *const lines[] = { "first line", "", "last" };

static void *feed_lines (void *data, EddyError **error)
{
    EddyOutputStream *output = data;
    for (const char *at = "first line\n\nlast\n"; *at != '\0'; at++) {
        if (!eddy_output_stream_write_all (output, at, 1, NULL, NULL, error))
            return NULL;
        eddy_fiber_yield ();
    }
    (void) eddy_output_stream_close (output, NULL, error);
    return NULL;
}

static bool next_line (EddySequence *sequence, int step, EddyError **error)
{
    return expect_text (eddy_sequence_next (sequence, NULL, error), lines[step]);
}

static void *iterate_and_be_cancelled (void *data, EddyError **error)
{
    StreamPipe pipe = stream_pipe_new ();
    EddyDataInputStream *input = eddy_data_input_stream_new (pipe.input);
    EddySequence *sequence = eddy_data_input_stream_to_sequence (input);
    int step = 0;
    (void) data;
    EDDY_AUTO (EddyFuture) feeder = eddy_spawn (NULL, feed_lines, pipe.output, NULL);
    while (step < 3 && next_line (sequence, step, error))
        step++;
    EDDY_SHIELD (-1)
    {
        for (; step < 3; step++)
            ck_assert (next_line (sequence, step, NULL));
        ck_assert_ptr_null (eddy_sequence_next (sequence, NULL, NULL));
        (void) eddy_await (feeder, NULL);
        eddy_clear (&sequence);
        ck_assert (eddy_input_stream_close (EDDY_INPUT_STREAM (input), NULL, NULL));
    }
    eddy_unref (input);
    stream_pipe_clear (&pipe);
    return NULL;
}

EDDY_TEST (D_data_a_cancelled_sequence_loses_no_line)
{
    EddyTestCancelReport report;
    bool good = eddy_test_cancel_everywhere (iterate_and_be_cancelled, NULL, NULL, &report);
    ck_assert_msg (good, "%s", report.failure);
    ck_assert_uint_ge (report.cancelled, 3);
}

/* --- writing ---------------------------------------------------------------------------------- */

enum { WRITTEN = 20000, PIPE_SIZE = 4096 };

typedef struct Writer {
    StreamPipe pipe;
    EddyOutputStream *output;
    char bytes[WRITTEN];
    size_t done;
} Writer;

/* Writes what is left, in pieces that fit into the buffer and pieces that do not; then flushes. */
static bool write_on (Writer *self, EddyError **error)
{
    size_t piece = 100;
    while (self->done < WRITTEN) {
        size_t left = WRITTEN - self->done, written;
        bool all =
            eddy_output_stream_write_all (self->output, self->bytes + self->done,
                                          left < piece ? left : piece, &written, NULL, error);
        self->done += written;
        if (!all)
            return false;
        piece = piece == 100 ? 3000 : 100;
    }
    return eddy_output_stream_flush (self->output, NULL, error);
}

static void *drain (void *data, EddyError **error)
{
    static char bytes[WRITTEN + 1];
    size_t count = 0;
    ck_assert (eddy_input_stream_read_all (data, bytes, sizeof bytes, &count, NULL, error));
    ck_assert_uint_eq (count, WRITTEN);
    stream_expect (bytes, count, 0);
    return NULL;
}

static void *write_and_be_cancelled (void *data, EddyError **error)
{
    Writer *self = data;
    self->pipe = stream_pipe_new ();
    self->done = 0;
    stream_fill (self->bytes, WRITTEN, 0);
    ck_assert_int_eq (
        fcntl (eddy_fd_output_stream_get_fd (self->pipe.output), F_SETPIPE_SZ, PIPE_SIZE),
        PIPE_SIZE);
    self->output = eddy_buffered_output_stream_new_sized (self->pipe.output, 2000);
    EDDY_AUTO (EddyFuture) drainer = eddy_spawn (NULL, drain, self->pipe.input, NULL);
    bool done = write_on (self, error);
    EDDY_SHIELD (-1)
    {
        ck_assert (done || write_on (self, NULL));
        ck_assert (eddy_output_stream_close (self->output, NULL, NULL));
        (void) eddy_await (drainer, NULL);
    }
    eddy_clear (&self->output);
    stream_pipe_clear (&self->pipe);
    return NULL;
}

EDDY_TEST (D_buffered_a_cancel_loses_nothing)
{
    static Writer writer;
    EddyTestCancelReport report;
    bool good = eddy_test_cancel_everywhere (write_and_be_cancelled, &writer, NULL, &report);
    ck_assert_msg (good, "%s", report.failure);
    ck_assert_uint_ge (report.cancelled, 3);
}
