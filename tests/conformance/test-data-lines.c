/* SPDX-License-Identifier: MIT */
/*
 * Lines, and text up to a stop.
 */
#include <stdio.h>

#include "pieces.h"

static EddyDataInputStream *data_of (Pieces *base)
{
    EddyDataInputStream *data = eddy_data_input_stream_new (&base->stream);
    eddy_unref (base);
    return data;
}

static EddyDataInputStream *data_of_string (const char *string)
{
    return data_of (pieces_new_string (string));
}

static void expect_line (EddyDataInputStream *data, const char *expected, size_t length)
{
    EddyError *error = NULL;
    size_t count = 77;
    EDDY_AUTO_FREE (char) line = eddy_data_input_stream_read_line (data, &count, NULL, &error);
    ck_assert_ptr_null (error);
    ck_assert_ptr_nonnull (line);
    ck_assert_uint_eq (count, length);
    ck_assert_int_eq (memcmp (line, expected, length + 1), 0);
}

static void expect_string (EddyDataInputStream *data, const char *expected)
{
    expect_line (data, expected, strlen (expected));
}

static void expect_end (EddyDataInputStream *data)
{
    EddyError *error = NULL;
    size_t count = 77;
    ck_assert_ptr_null (eddy_data_input_stream_read_line (data, &count, NULL, &error));
    ck_assert_ptr_null (error);
    ck_assert_uint_eq (count, 0);
}

static void expect_failure (EddyDataInputStream *data, EddyIOErrorCode code)
{
    EddyError *error = NULL;
    size_t count = 77;
    ck_assert_ptr_null (eddy_data_input_stream_read_line (data, &count, NULL, &error));
    eddy_test_expect_error (&error, code);
    ck_assert_uint_eq (count, 0);
}

/* --- lines ------------------------------------------------------------------------------------ */

EDDY_TEST (S32_lines_come_without_their_ends)
{
    Pieces *base = pieces_new ("one\n\nw\0th\nlast", 14, NULL, 0);
    EDDY_AUTO (EddyDataInputStream) data = data_of (base);
    expect_string (data, "one");
    expect_string (data, "");
    expect_line (data, "w\0th", 4);
    expect_string (data, "last");
    expect_end (data);
    expect_end (data);
}

EDDY_TEST (S32_line_by_callback_as_future_and_in_pieces)
{
    EddyContext *context = eddy_test_context_begin ();
    StreamPipe pipe = stream_pipe_new ();
    EDDY_AUTO (EddyDataInputStream) data = eddy_data_input_stream_new (pipe.input);
    StreamCall call = { 0 };
    EddyError *error = NULL;
    size_t count = 77;
    eddy_data_input_stream_read_line_async (data, 0, NULL, stream_called, &call);
    ck_assert_int_eq (eddy_output_stream_write (pipe.output, "first ", 6, NULL, &error), 6);
    eddy_context_iteration (context, /* may_block= */ false);
    ck_assert_int_eq (eddy_output_stream_write (pipe.output, "line\ntwo\nthr", 12, NULL, &error),
                      12);
    EDDY_AUTO_FREE (char)
    line = eddy_data_input_stream_read_line_finish (data, stream_await (context, &call), &count,
                                                    &error);
    ck_assert_str_eq (line, "first line");
    ck_assert_uint_eq (count, 10);
    stream_call_clear (&call);
    EDDY_AUTO (EddyFuture) future = eddy_data_input_stream_read_line_future (data, 0, NULL);
    const char *second = eddy_block_on (context, future, &error);
    ck_assert_str_eq (second, "two");
    eddy_clear (&pipe.output);
    expect_string (data, "thr");
    eddy_data_input_stream_read_line_async (data, 0, NULL, stream_called, &call);
    ck_assert_ptr_null (eddy_data_input_stream_read_line_finish (
        data, stream_await (context, &call), &count, &error));
    ck_assert_ptr_null (error); /* the end, by callback as anywhere */
    ck_assert_uint_eq (count, 0);
    stream_call_clear (&call);
    EDDY_AUTO (EddyFuture) end = eddy_data_input_stream_read_line_future (data, 0, NULL);
    ck_assert_ptr_null (eddy_block_on (context, end, &error));
    ck_assert_ptr_null (error);
    stream_pipe_clear (&pipe);
    eddy_test_context_end (context);
}

EDDY_TEST (S31_line_that_is_there_needs_no_fiber)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyDataInputStream) data = data_of_string ("a\nb\nc");
    EddyInputStream *input = EDDY_INPUT_STREAM (data);
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    StreamCall calls[2] = { { 0 } };
    EddyError *error = NULL;
    size_t count;
    eddy_context_iteration (context, /* may_block= */ false); /* the engine is there */
    expect_string (data, "a");
    eddy_data_input_stream_read_line_async (data, 0, NULL, stream_called, &calls[0]);
    ck_assert (!eddy_input_stream_has_pending (input));
    ck_assert_int_eq (calls[0].calls, 0);
    EDDY_AUTO_FREE (char)
    line = eddy_data_input_stream_read_line_finish (data, stream_await (context, &calls[0]), &count,
                                                    &error);
    ck_assert_str_eq (line, "b");
    /* The last one is not known to be whole. */
    eddy_data_input_stream_read_line_async (data, 0, cancellable, stream_called, &calls[1]);
    eddy_cancellable_cancel (cancellable);
    ck_assert_ptr_null (eddy_data_input_stream_read_line_finish (
        data, stream_await (context, &calls[1]), &count, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    expect_string (data, "c");
    stream_call_clear (&calls[0]);
    stream_call_clear (&calls[1]);
    eddy_test_context_end (context);
}

EDDY_TEST (S32_error_and_cancel_take_nothing)
{
    const size_t pieces[] = { 2, 0, 100 };
    EDDY_AUTO (EddyDataInputStream) data = data_of (pieces_new ("abcd\nef\n", 8, pieces, 3));
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    EddyError *error = NULL;
    expect_failure (data, EDDY_IO_ERROR_FAILED);
    eddy_cancellable_cancel (cancellable);
    ck_assert_ptr_null (eddy_data_input_stream_read_line (data, NULL, cancellable, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    expect_string (data, "abcd");
    expect_string (data, "ef");
}

/* --- text ------------------------------------------------------------------------------------- */

/* Each with whether it is text. */
static const struct {
    const char *bytes;
    bool is_text;
} texts[] = {
    { "plain", true },
    { "plain and longer than eight", true },
    { "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", true },
    { "\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf\xef\xbf\xbf", true },
    { "\xc2\x80\xe0\xa0\x80\xf0\x90\x80\x80", true },
    { "a lone \x80", false },
    { "a lone \xbf", false },
    { "longer \xc0\xaf", false },
    { "longer \xc1\xbf", false },
    { "longer \xe0\x9f\xbf", false },
    { "longer \xf0\x8f\xbf\xbf", false },
    { "surrogate \xed\xa0\x80", false },
    { "beyond \xf4\x90\x80\x80", false },
    { "beyond \xf5\x80\x80\x80", false },
    { "\xff", false },
    { "short \xc3", false },
    { "short \xe2\x82", false },
    { "short \xf0\x9f\x98", false },
    { "broken \xe2\x28\xa1", false },
    { "broken \xe2\x82\x28", false },
    { "broken \xf0\x9f\x98\x28", false },
};

EDDY_TEST (S33_only_utf8_is_text)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char bytes[64];
        snprintf (bytes, sizeof bytes, "%s\nnext\n", texts[i].bytes);
        EDDY_AUTO (EddyDataInputStream) data = data_of_string (bytes);
        EddyError *error = NULL;
        size_t count = 77;
        EDDY_AUTO_FREE (char)
        line = eddy_data_input_stream_read_line_utf8 (data, &count, NULL, &error);
        ck_assert_msg ((line != NULL) == texts[i].is_text, "text %zu", i);
        if (line != NULL) {
            ck_assert_str_eq (line, texts[i].bytes);
            ck_assert_uint_eq (count, strlen (texts[i].bytes));
        } else {
            eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_DATA);
            ck_assert_uint_eq (count, 0);
        }
        expect_string (data, "next"); /* it has been passed over */
        ck_assert_ptr_null (eddy_data_input_stream_read_line_utf8 (data, &count, NULL, &error));
        ck_assert_ptr_null (error);
    }
}

/* Text is looked at several bytes at a time: what is none is seen at each place. */
EDDY_TEST (S33_one_byte_anywhere)
{
    static const char wrong[] = { '\0', '\x80', '\xff' };
    for (size_t length = 1; length < 28; length++)
        for (size_t at = 0; at < length; at++)
            for (size_t i = 0; i < sizeof wrong; i++) {
                char bytes[32];
                memset (bytes, 'x', length);
                bytes[at] = wrong[i];
                EDDY_AUTO (EddyDataInputStream)
                data = data_of (pieces_new (bytes, length, NULL, 0));
                EddyError *error = NULL;
                ck_assert_ptr_null (
                    eddy_data_input_stream_read_line_utf8 (data, NULL, NULL, &error));
                eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_DATA);
            }
}

EDDY_TEST (S33_nul_is_no_text_and_other_forms_agree)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyDataInputStream)
    data = data_of (pieces_new ("a\0b\n\xff\nok\nlong enough \0 to see\n", 30, NULL, 0));
    StreamCall call = { 0 };
    EddyError *error = NULL;
    size_t count;
    for (int i = 0; i < 2; i++) {
        eddy_data_input_stream_read_line_utf8_async (data, 0, NULL, stream_called, &call);
        ck_assert_ptr_null (eddy_data_input_stream_read_line_utf8_finish (
            data, stream_await (context, &call), &count, &error));
        eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_DATA);
        stream_call_clear (&call);
    }
    EDDY_AUTO (EddyFuture) future = eddy_data_input_stream_read_line_utf8_future (data, 0, NULL);
    const char *line = eddy_block_on (context, future, &error);
    ck_assert_str_eq (line, "ok");
    ck_assert_ptr_null (eddy_data_input_stream_read_line_utf8 (data, &count, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_INVALID_DATA);
    expect_end (data);
    eddy_test_context_end (context);
}

/* --- what ends a line ------------------------------------------------------------------------- */

#define LF EDDY_DATA_STREAM_NEWLINE_TYPE_LF
#define CR EDDY_DATA_STREAM_NEWLINE_TYPE_CR
#define CR_LF EDDY_DATA_STREAM_NEWLINE_TYPE_CR_LF
#define ANY EDDY_DATA_STREAM_NEWLINE_TYPE_ANY

static const struct {
    const char *bytes;
    EddyDataStreamNewlineType type;
    const char *lines[6];
} endings[] = {
    { "a\nb\r\n\nc", LF, { "a", "b\r", "", "c" } },
    { "a\rb\r\n\rc", CR, { "a", "b", "\n", "c" } },
    { "a\r\nb\rc\nd\r\r\n\r\n\r", CR_LF, { "a", "b\rc\nd\r", "", "\r" } },
    { "a\nb\rc\r\nd\n\re", ANY, { "a", "b", "c", "d", "", "e" } },
    { "\r\r\n\n", ANY, { "", "", "" } },
    { "a\r", ANY, { "a" } },
    { "a\r\n", ANY, { "a" } },
    { "a\n", ANY, { "a" } },
    { "a\r\nb\r\n", CR_LF, { "a", "b" } },
};

/* Each with every pair of places where one piece ends and the next begins. */
EDDY_TEST (S34_ends_across_every_border)
{
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t size = strlen (endings[i].bytes);
        for (size_t first = 1; first <= size; first++)
            for (size_t second = 1; second <= size; second++) {
                const size_t pieces[] = { first, second, 100 };
                EDDY_AUTO (EddyDataInputStream)
                data = data_of (pieces_new (endings[i].bytes, size, pieces, 3));
                eddy_data_input_stream_set_newline_type (data, endings[i].type);
                ck_assert_int_eq (eddy_data_input_stream_get_newline_type (data), endings[i].type);
                for (int line = 0; line < 6 && endings[i].lines[line] != NULL; line++)
                    expect_string (data, endings[i].lines[line]);
                expect_end (data);
            }
    }
}

/* A peer that ends its line with CR alone is not waited for; if a LF comes later it is nobody's. */
EDDY_TEST (S34_cr_ends_its_line_at_once)
{
    StreamPipe pipe = stream_pipe_new ();
    EDDY_AUTO (EddyDataInputStream) data = eddy_data_input_stream_new (pipe.input);
    EddyInputStream *input = EDDY_INPUT_STREAM (data);
    EddyError *error = NULL;
    char buffer[8] = "";
    eddy_data_input_stream_set_newline_type (data, ANY);
    ck_assert_int_eq (eddy_output_stream_write (pipe.output, "a\r", 2, NULL, &error), 2);
    expect_string (data, "a");
    ck_assert_int_eq (eddy_output_stream_write (pipe.output, "\n", 1, NULL, &error), 1);
    ck_assert_int_eq (eddy_output_stream_write (pipe.output, "b\r", 2, NULL, &error), 2);
    expect_string (data, "b");
    ck_assert_int_eq (eddy_output_stream_write (pipe.output, "\nxyz\r", 5, NULL, &error), 5);
    ck_assert_int_eq (eddy_input_stream_skip (input, 1, NULL, &error), 1);
    ck_assert_int_eq (eddy_input_stream_read (input, buffer, 2, NULL, &error), 2);
    ck_assert_str_eq (buffer, "yz");
    expect_string (data, "");
    ck_assert_int_eq (eddy_output_stream_write (pipe.output, "\n", 1, NULL, &error), 1);
    eddy_clear (&pipe.output);
    ck_assert_int_eq (eddy_input_stream_read (input, buffer, 8, NULL, &error), 0);
    expect_end (data);
    stream_pipe_clear (&pipe);
}

/* --- limits ----------------------------------------------------------------------------------- */

EDDY_TEST (S35_longer_lines_are_refused_and_stay)
{
    EDDY_AUTO (EddyDataInputStream) data = data_of_string ("12345\n123456\n1234567\nend");
    EddyError *error = NULL;
    ck_assert_uint_eq (eddy_data_input_stream_get_max_length (data), 65536);
    eddy_data_input_stream_set_max_length (data, 5);
    expect_string (data, "12345");
    expect_failure (data, EDDY_IO_ERROR_LIMIT_EXCEEDED);
    expect_failure (data, EDDY_IO_ERROR_LIMIT_EXCEEDED);
    eddy_data_input_stream_set_max_length (data, 6);
    expect_string (data, "123456");
    expect_failure (data, EDDY_IO_ERROR_LIMIT_EXCEEDED);
    ck_assert_int_eq (eddy_data_input_stream_skip_line (data, NULL, &error), 8);
    expect_string (data, "end");
    expect_end (data);
    ck_assert_int_eq (eddy_data_input_stream_skip_line (data, NULL, &error), 0);
}

EDDY_TEST (S35_limit_by_callback_and_where_the_stream_ends)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyDataInputStream) data = data_of_string ("a\n12345");
    StreamCall call = { 0 };
    EddyError *error = NULL;
    size_t count;
    eddy_context_iteration (context, /* may_block= */ false);
    eddy_data_input_stream_set_max_length (data, 4);
    expect_string (data, "a");
    eddy_data_input_stream_read_line_async (data, 0, NULL, stream_called, &call);
    ck_assert (!eddy_input_stream_has_pending (EDDY_INPUT_STREAM (data)));
    ck_assert_ptr_null (eddy_data_input_stream_read_line_finish (
        data, stream_await (context, &call), &count, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_LIMIT_EXCEEDED);
    stream_call_clear (&call);
    eddy_data_input_stream_set_max_length (data, 5);
    expect_string (data, "12345");
    eddy_test_context_end (context);
}

/* With each kind of end, of lines of 0 to more than the limit, in pieces. */
EDDY_TEST (S35_limit_is_exact)
{
    static const char *const ends[] = { "\n", "\r", "\r\n", "\r\n" };
    for (int type = LF; type <= ANY; type++)
        for (size_t length = 0; length < 10; length++)
            for (size_t piece = 1; piece < 4; piece++) {
                char line[16], bytes[32];
                snprintf (line, sizeof line, "%.*s", (int) length, "xxxxxxxxxx");
                snprintf (bytes, sizeof bytes, "%s%s", line, ends[type]);
                EDDY_AUTO (EddyDataInputStream)
                data = data_of (pieces_new (bytes, strlen (bytes), &piece, 1));
                eddy_data_input_stream_set_newline_type (data, (EddyDataStreamNewlineType) type);
                eddy_data_input_stream_set_max_length (data, 7);
                if (length > 7)
                    expect_failure (data, EDDY_IO_ERROR_LIMIT_EXCEEDED);
                else
                    expect_string (data, line);
            }
}

/* The buffer grows for a long line, and does not stay so large. */
EDDY_TEST (S35_no_limit)
{
    enum { LENGTH = 300000 };
    char *bytes = malloc (LENGTH + 8);
    stream_fill (bytes, LENGTH, 0);
    for (int i = 0; i < LENGTH; i++)
        bytes[i] = bytes[i] == '\n' ? 'n' : bytes[i];
    memcpy (bytes + LENGTH, "\nab\ncd\n", 8);
    EDDY_AUTO (EddyDataInputStream) data = data_of (pieces_new (bytes, LENGTH + 7, NULL, 0));
    expect_failure (data, EDDY_IO_ERROR_LIMIT_EXCEEDED);
    eddy_data_input_stream_set_max_length (data, SIZE_MAX);
    EddyError *error = NULL;
    size_t count = 0;
    EDDY_AUTO_FREE (char) line = eddy_data_input_stream_read_line (data, &count, NULL, &error);
    ck_assert_uint_eq (count, LENGTH);
    ck_assert_int_eq (memcmp (line, bytes, LENGTH), 0);
    ck_assert_uint_eq (
        eddy_buffered_input_stream_get_buffer_size (EDDY_BUFFERED_INPUT_STREAM (data)), 4096);
    expect_string (data, "ab");
    expect_string (data, "cd");
    expect_end (data);
    free (bytes);
}

/* --- up to a stop ----------------------------------------------------------------------------- */

static void expect_upto (EddyDataInputStream *data, const char *stops, ssize_t n_stops,
                         const char *expected)
{
    EddyError *error = NULL;
    size_t count = 77;
    EDDY_AUTO_FREE (char)
    text = eddy_data_input_stream_read_upto (data, stops, n_stops, &count, NULL, &error);
    ck_assert_ptr_null (error);
    if (expected == NULL) {
        ck_assert_ptr_null (text);
        return;
    }
    ck_assert_str_eq (text, expected);
    ck_assert_uint_eq (count, strlen (expected));
}

EDDY_TEST (S36_stop_stays)
{
    for (size_t piece = 1; piece < 20; piece++) {
        Pieces *base = pieces_new ("key=value;\0end\xfe", 15, &piece, 1);
        EDDY_AUTO (EddyDataInputStream) data = data_of (base);
        uint8_t byte;
        EddyError *error = NULL;
        expect_upto (data, ";=", -1, "key");
        expect_upto (data, ";=", -1, "");
        ck_assert (eddy_data_input_stream_read_byte (data, &byte, NULL, &error));
        ck_assert_int_eq (byte, '=');
        expect_upto (data, "\0x", 2, "value;");
        expect_upto (data, "\0", 1, "");
        ck_assert (eddy_data_input_stream_read_byte (data, &byte, NULL, &error));
        expect_upto (data, "\xfe", -1, "end");
        expect_upto (data, NULL, 0, "\xfe");
        expect_upto (data, NULL, 0, NULL);
        expect_upto (data, "x", -1, NULL);
    }
}

EDDY_TEST (S36_by_callback)
{
    EddyContext *context = eddy_test_context_begin ();
    StreamPipe pipe = stream_pipe_new ();
    EDDY_AUTO (EddyDataInputStream) data = eddy_data_input_stream_new (pipe.input);
    StreamCall call = { 0 };
    EddyError *error = NULL;
    size_t count;
    ck_assert_int_eq (eddy_output_stream_write (pipe.output, "ab,cd", 5, NULL, &error), 5);
    for (int i = 0; i < 2; i++) { /* waited for, then there */
        eddy_data_input_stream_read_upto_async (data, ",", -1, 0, NULL, stream_called, &call);
        EDDY_AUTO_FREE (char)
        text = eddy_data_input_stream_read_upto_finish (data, stream_await (context, &call), &count,
                                                        &error);
        ck_assert_str_eq (text, i == 0 ? "ab" : "");
        stream_call_clear (&call);
    }
    eddy_data_input_stream_set_max_length (data, 2);
    ck_assert_ptr_null (eddy_data_input_stream_read_upto (data, ".", -1, &count, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_LIMIT_EXCEEDED);
    expect_failure (data, EDDY_IO_ERROR_LIMIT_EXCEEDED);
    stream_pipe_clear (&pipe);
    eddy_test_context_end (context);
}

/* --- a closed stream -------------------------------------------------------------------------- */

EDDY_TEST (S37_closed_with_a_line_buffered)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyDataInputStream) data = data_of_string ("a\nb\nc\n");
    EddyInputStream *input = EDDY_INPUT_STREAM (data);
    StreamCall call = { 0 };
    EddyError *error = NULL;
    size_t count = 77;
    expect_string (data, "a");
    ck_assert (eddy_input_stream_close (input, NULL, &error));
    expect_failure (data, EDDY_IO_ERROR_CLOSED);
    ck_assert_ptr_null (eddy_data_input_stream_borrow_line (data, &count, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
    ck_assert_int_eq (eddy_data_input_stream_skip_line (data, NULL, &error), -1);
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
    eddy_data_input_stream_read_line_async (data, 0, NULL, stream_called, &call);
    ck_assert_ptr_null (eddy_data_input_stream_read_line_finish (
        data, stream_await (context, &call), &count, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
    ck_assert_uint_eq (eddy_buffered_input_stream_get_available (EDDY_BUFFERED_INPUT_STREAM (data)),
                       0);
    stream_call_clear (&call);
    eddy_test_context_end (context);
}

/* --- other ways to read lines ----------------------------------------------------------------- */

EDDY_TEST (D_data_lines_borrowed)
{
    for (size_t piece = 1; piece < 12; piece++) {
        EDDY_AUTO (EddyDataInputStream) data = data_of (pieces_new ("one\n\ntwo", 8, &piece, 1));
        static const char *const expected[] = { "one", "", "two" };
        EddyError *error = NULL;
        size_t count;
        for (int i = 0; i < 3; i++) {
            const char *line = eddy_data_input_stream_borrow_line (data, &count, NULL, &error);
            ck_assert_ptr_nonnull (line);
            ck_assert_uint_eq (count, strlen (expected[i]));
            ck_assert_int_eq (memcmp (line, expected[i], count), 0);
        }
        ck_assert_ptr_null (eddy_data_input_stream_borrow_line (data, &count, NULL, &error));
        ck_assert_ptr_null (error);
    }
}

EDDY_TEST (D_data_lines_passed_over)
{
    EddyContext *context = eddy_test_context_begin ();
    const size_t pieces[] = { 3, 1, 0, 2, 3, 1, 0, 2, 100 };
    EDDY_AUTO (EddyDataInputStream)
    data = data_of (pieces_new ("long line\r\nnext\r\n\r\nlast", 23, pieces, 9));
    StreamCall call = { 0 };
    EddyError *error = NULL;
    eddy_data_input_stream_set_newline_type (data, CR_LF);
    for (int i = 0; i < 2; i++) { /* and goes on where it was */
        ck_assert_int_eq (eddy_data_input_stream_skip_line (data, NULL, &error), -1);
        eddy_test_expect_error (&error, EDDY_IO_ERROR_FAILED);
    }
    ck_assert_int_eq (eddy_data_input_stream_skip_line (data, NULL, &error), 2);
    eddy_data_input_stream_skip_line_async (data, 0, NULL, stream_called, &call);
    ck_assert_int_eq (
        eddy_data_input_stream_skip_line_finish (data, stream_await (context, &call), &error), 6);
    stream_call_clear (&call);
    EDDY_AUTO (EddyFuture) empty = eddy_data_input_stream_skip_line_future (data, 0, NULL);
    ck_assert_int_eq (eddy_block_on_int (context, empty, &error), 2);
    expect_string (data, "last");
    expect_end (data);
    eddy_test_context_end (context);
}

/* A CR that came last has ended a line; that its LF comes later makes no line. */
EDDY_TEST (D_data_lines_passed_over_in_pieces)
{
    for (size_t piece = 1; piece < 12; piece++) {
        EDDY_AUTO (EddyDataInputStream)
        data = data_of (pieces_new ("a\r\nb\rc\r\nd\n", 10, &piece, 1));
        EddyError *error = NULL;
        eddy_data_input_stream_set_newline_type (data, ANY);
        expect_string (data, "a");
        ck_assert_int_eq (eddy_data_input_stream_skip_line (data, NULL, &error), 2);
        ck_assert_int_ge (eddy_data_input_stream_skip_line (data, NULL, &error), 2);
        expect_string (data, "d");
        ck_assert_int_eq (eddy_data_input_stream_skip_line (data, NULL, &error), 0);
    }
}

typedef struct Lines {
    EddyDataInputStream *data;
    char text[64];
} Lines;

static void *join_lines (void *user_data, EddyError **error)
{
    Lines *self = user_data;
    EDDY_AUTO (EddySequence) sequence = eddy_data_input_stream_to_sequence (self->data);
    char *line;
    while ((line = eddy_sequence_next (sequence, NULL, error)) != NULL) {
        size_t length = strlen (self->text);
        snprintf (self->text + length, sizeof self->text - length, "%s|", line);
        eddy_free (line);
    }
    return NULL;
}

EDDY_TEST (D_data_lines_as_a_sequence)
{
    EddyContext *context = eddy_test_context_begin ();
    Lines lines = { .data = data_of_string ("one\ntwo\n\nthree") };
    EddyError *error = NULL;
    EDDY_AUTO (EddyFuture) fiber = eddy_spawn (context, join_lines, &lines, NULL);
    ck_assert_ptr_null (eddy_block_on (context, fiber, &error));
    ck_assert_ptr_null (error);
    ck_assert_str_eq (lines.text, "one|two||three|");
    ck_assert (!eddy_input_stream_is_closed (EDDY_INPUT_STREAM (lines.data)));
    eddy_unref (lines.data);
    eddy_test_context_end (context);
}

EDDY_TEST (D_data_lines_as_a_sequence_end_with_an_error)
{
    EddyContext *context = eddy_test_context_begin ();
    Lines lines = { .data = data_of_string ("one\ntoo long\nshort") };
    EddyError *error = NULL;
    eddy_data_input_stream_set_max_length (lines.data, 5);
    EDDY_AUTO (EddyFuture) fiber = eddy_spawn (context, join_lines, &lines, NULL);
    ck_assert_ptr_null (eddy_block_on (context, fiber, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_LIMIT_EXCEEDED);
    ck_assert_str_eq (lines.text, "one|");
    ck_assert_int_eq (eddy_data_input_stream_skip_line (lines.data, NULL, &error), 9);
    expect_string (lines.data, "short");
    eddy_unref (lines.data);
    eddy_test_context_end (context);
}
