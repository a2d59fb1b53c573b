/* SPDX-License-Identifier: MIT */
/*
 * Filter streams of a program's own: one that reads, and one that writes, letters as capitals.
 */
#include <ctype.h>

#include "stream.h"

/* --- the kinds -------------------------------------------------------------------------------- */

typedef struct CapitalsInput {
    EddyFilterInputStream filter;
} CapitalsInput;

static ssize_t capitals_read (EddyInputStream *stream, void *buffer, size_t count,
                              EddyCancellable *cancellable, EddyError **error)
{
    EddyInputStream *base =
        eddy_filter_input_stream_get_base_stream (EDDY_FILTER_INPUT_STREAM (stream));
    ssize_t answer = eddy_input_stream_read (base, buffer, count, cancellable, error);
    for (ssize_t i = 0; i < answer; i++)
        ((char *) buffer)[i] = (char) toupper (((unsigned char *) buffer)[i]);
    return answer;
}

static const EddyInputStreamClass capitals_input_class = {
    .stream.object = { .name = "CapitalsInput",
                       .size = sizeof (CapitalsInput),
                       .dispose = eddy_filter_input_stream_dispose },
    .read = capitals_read,
    .close = eddy_filter_input_stream_close_base,
    .get_name = eddy_filter_input_stream_get_name,
};

typedef struct CapitalsOutput {
    EddyFilterOutputStream filter;
} CapitalsOutput;

/* One letter at a time. */
static ssize_t capitals_write (EddyOutputStream *stream, const void *buffer, size_t count,
                               EddyCancellable *cancellable, EddyError **error)
{
    (void) count;
    char letter = (char) toupper (*(const unsigned char *) buffer);
    EddyOutputStream *base =
        eddy_filter_output_stream_get_base_stream (EDDY_FILTER_OUTPUT_STREAM (stream));
    return eddy_output_stream_write (base, &letter, 1, cancellable, error);
}

static const EddyOutputStreamClass capitals_output_class = {
    .stream.object = { .name = "CapitalsOutput",
                       .size = sizeof (CapitalsOutput),
                       .dispose = eddy_filter_output_stream_dispose },
    .write = capitals_write,
    .flush = eddy_filter_output_stream_flush_base,
    .close = eddy_filter_output_stream_close_base,
    .get_name = eddy_filter_output_stream_get_name,
};

static EddyInputStream *capitals_of (EddyInputStream *base)
{
    return eddy_filter_input_stream_new (&capitals_input_class, base);
}

static EddyOutputStream *capitals_to (EddyOutputStream *base)
{
    return eddy_filter_output_stream_new (&capitals_output_class, base);
}

/* --- what they do ----------------------------------------------------------------------------- */

EDDY_TEST (D_filter_reads_and_writes_its_base)
{
    StreamPipe pipe = stream_pipe_new ();
    EDDY_AUTO (EddyInputStream) input = capitals_of (pipe.input);
    EDDY_AUTO (EddyOutputStream) output = capitals_to (pipe.output);
    EddyError *error = NULL;
    char buffer[8] = "";
    size_t count;
    ck_assert_int_eq (eddy_output_stream_write (pipe.output, "base", 4, NULL, &error), 4);
    ck_assert (eddy_output_stream_write_all (output, "top", 3, &count, NULL, &error));
    ck_assert_uint_eq (count, 3);
    ck_assert_int_eq (eddy_input_stream_read (pipe.input, buffer, 2, NULL, &error), 2);
    ck_assert_int_eq (eddy_input_stream_read (input, buffer + 2, 5, NULL, &error), 5);
    ck_assert_str_eq (buffer, "baSETOP");
    stream_pipe_clear (&pipe);
}

EDDY_TEST (D_filter_in_other_forms)
{
    EddyContext *context = eddy_test_context_begin ();
    StreamPipe pipe = stream_pipe_new ();
    EDDY_AUTO (EddyInputStream) input = capitals_of (pipe.input);
    EDDY_AUTO (EddyOutputStream) output = capitals_to (pipe.output);
    StreamCall call = { 0 };
    EddyError *error = NULL;
    char buffer[8] = "";
    eddy_input_stream_read_async (input, buffer, 8, 0, NULL, stream_called, &call);
    ck_assert (eddy_output_stream_write_all (output, "abc", 3, NULL, NULL, &error));
    ck_assert_int_ge (eddy_input_stream_read_finish (input, stream_await (context, &call), &error),
                      1);
    ck_assert_int_eq (buffer[0], 'A');
    stream_call_clear (&call);
    eddy_output_stream_close_async (output, 0, NULL, stream_called, &call);
    ck_assert (eddy_output_stream_close_finish (output, stream_await (context, &call), &error));
    ck_assert (eddy_output_stream_is_closed (pipe.output));
    stream_call_clear (&call);
    stream_pipe_clear (&pipe);
    eddy_test_context_end (context);
}

EDDY_TEST (D_filter_closes_its_base_unless_told_otherwise)
{
    for (int keeps = 0; keeps < 2; keeps++) {
        StreamPipe pipe = stream_pipe_new ();
        EDDY_AUTO (EddyInputStream) input = capitals_of (pipe.input);
        EDDY_AUTO (EddyOutputStream) output = capitals_to (pipe.output);
        EddyFilterInputStream *reader = EDDY_FILTER_INPUT_STREAM (input);
        EddyFilterOutputStream *writer = EDDY_FILTER_OUTPUT_STREAM (output);
        EddyError *error = NULL;
        ck_assert (eddy_filter_input_stream_get_close_base_stream (reader));
        ck_assert (eddy_filter_output_stream_get_close_base_stream (writer));
        eddy_filter_input_stream_set_close_base_stream (reader, keeps == 0);
        eddy_filter_output_stream_set_close_base_stream (writer, keeps == 0);
        ck_assert_int_eq (eddy_filter_input_stream_get_close_base_stream (reader), keeps == 0);
        ck_assert_int_eq (eddy_filter_output_stream_get_close_base_stream (writer), keeps == 0);
        ck_assert (eddy_input_stream_close (input, NULL, &error));
        ck_assert (eddy_output_stream_close (output, NULL, &error));
        ck_assert_int_eq (eddy_input_stream_is_closed (pipe.input), keeps == 0);
        ck_assert_int_eq (eddy_output_stream_is_closed (pipe.output), keeps == 0);
        ck_assert_ptr_eq (eddy_filter_input_stream_get_base_stream (reader), pipe.input);
        stream_pipe_clear (&pipe);
    }
}

/* Both are closed, and the base's error is told by the name of what it reads. */
EDDY_TEST (D_filter_tells_of_its_base)
{
    StreamPipe pipe = stream_pipe_new ();
    EDDY_AUTO (EddyInputStream) input = capitals_of (pipe.input);
    EddyError *error = NULL;
    char buffer[4];
    ck_assert_int_eq (eddy_output_stream_write (pipe.output, "ab", 2, NULL, &error), 2);
    eddy_clear (&pipe.output);
    ck_assert (!eddy_input_stream_read_exactly (input, buffer, 4, NULL, NULL, &error));
    ck_assert_str_eq (eddy_error_get_message (error), "read: the end came after 2 of 4 bytes");
    eddy_clear_error (&error);
    ck_assert (eddy_input_stream_close (pipe.input, NULL, &error));
    ck_assert_int_eq (eddy_input_stream_read (input, buffer, 4, NULL, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
    ck_assert (eddy_input_stream_close (input, NULL, &error));
    stream_pipe_clear (&pipe);
}

/* The last reference to both: the base is closed without anybody's waiting. */
EDDY_TEST (D_filter_dropped_drops_its_base)
{
    StreamPipe pipe = stream_pipe_new ();
    EddyOutputStream *output = capitals_to (pipe.output);
    EddyError *error = NULL;
    char byte;
    eddy_clear (&pipe.output);
    eddy_unref (output);
    ck_assert_int_eq (eddy_input_stream_read (pipe.input, &byte, 1, NULL, &error), 0);
    stream_pipe_clear (&pipe);
}
