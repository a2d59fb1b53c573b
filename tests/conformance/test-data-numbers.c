/* SPDX-License-Identifier: MIT */
/*
 * Numbers of either byte order, written and read in every form.
 */
#include "pieces.h"

static EddyDataInputStream *data_of (const char *bytes, size_t size, const size_t *piece)
{
    Pieces *base = pieces_new (bytes, size, piece, 1);
    EddyDataInputStream *data = eddy_data_input_stream_new (&base->stream);
    eddy_unref (base);
    return data;
}

/* --- every operation in every form ------------------------------------------------------------ */

/* Puts a value and reads it again: at once, by callbacks, where the stream has it and where it
 * comes in pieces; the future puts, for it has no place to read to. The
 * names stand written out below, so that they can be found. */
#define NUMBER_TEST(name, type, value, put, put_async, put_finish, put_future, read, read_async,   \
                    read_finish)                                                                   \
    static void test_##name (EddyContext *context, EddyDataStreamByteOrder order)                  \
    {                                                                                              \
        EDDY_AUTO (EddyOutputStream) memory = eddy_memory_output_stream_new (0);                   \
        EDDY_AUTO (EddyDataOutputStream) output = eddy_data_output_stream_new (memory);            \
        StreamCall call = { 0 };                                                                   \
        EddyError *error = NULL;                                                                   \
        eddy_data_output_stream_set_byte_order (output, order);                                    \
        ck_assert (put (output, value, NULL, &error));                                             \
        put_async (output, value, 0, NULL, stream_called, &call);                                  \
        ck_assert (put_finish (output, stream_await (context, &call), &error));                    \
        stream_call_clear (&call);                                                                 \
        EDDY_AUTO (EddyFuture) future = put_future (output, value, 0, NULL);                       \
        ck_assert (eddy_block_on_boolean (context, future, &error));                               \
        size_t size = eddy_memory_output_stream_get_size (memory);                                 \
        ck_assert_uint_eq (size, 3 * sizeof (type));                                               \
        for (size_t piece = 1; piece <= size; piece++) {                                           \
            EDDY_AUTO (EddyDataInputStream)                                                        \
            data = data_of (eddy_memory_output_stream_get_data (memory), size, &piece);            \
            type numbers[3] = { 0 };                                                               \
            eddy_data_input_stream_set_byte_order (data, order);                                   \
            ck_assert (read (data, &numbers[0], NULL, &error));                                    \
            for (int i = 1; i < 3; i++) {                                                          \
                read_async (data, &numbers[i], 0, NULL, stream_called, &call);                     \
                ck_assert (read_finish (data, stream_await (context, &call), &error));             \
                stream_call_clear (&call);                                                         \
            }                                                                                      \
            for (int i = 0; i < 3; i++)                                                            \
                ck_assert_int_eq ((int64_t) numbers[i], (int64_t) value);                          \
            ck_assert (!read (data, &numbers[0], NULL, &error));                                   \
            eddy_test_expect_error (&error, EDDY_IO_ERROR_PARTIAL_INPUT);                          \
            ck_assert_int_eq ((int64_t) numbers[0], (int64_t) value);                              \
        }                                                                                          \
    }

NUMBER_TEST (byte, uint8_t, 0xfe, eddy_data_output_stream_put_byte,
             eddy_data_output_stream_put_byte_async, eddy_data_output_stream_put_byte_finish,
             eddy_data_output_stream_put_byte_future, eddy_data_input_stream_read_byte,
             eddy_data_input_stream_read_byte_async, eddy_data_input_stream_read_byte_finish)
NUMBER_TEST (int16, int16_t, -12345, eddy_data_output_stream_put_int16,
             eddy_data_output_stream_put_int16_async, eddy_data_output_stream_put_int16_finish,
             eddy_data_output_stream_put_int16_future, eddy_data_input_stream_read_int16,
             eddy_data_input_stream_read_int16_async, eddy_data_input_stream_read_int16_finish)
NUMBER_TEST (uint16, uint16_t, 54321, eddy_data_output_stream_put_uint16,
             eddy_data_output_stream_put_uint16_async, eddy_data_output_stream_put_uint16_finish,
             eddy_data_output_stream_put_uint16_future, eddy_data_input_stream_read_uint16,
             eddy_data_input_stream_read_uint16_async, eddy_data_input_stream_read_uint16_finish)
NUMBER_TEST (int32, int32_t, -1234567890, eddy_data_output_stream_put_int32,
             eddy_data_output_stream_put_int32_async, eddy_data_output_stream_put_int32_finish,
             eddy_data_output_stream_put_int32_future, eddy_data_input_stream_read_int32,
             eddy_data_input_stream_read_int32_async, eddy_data_input_stream_read_int32_finish)
NUMBER_TEST (uint32, uint32_t, 4123456789U, eddy_data_output_stream_put_uint32,
             eddy_data_output_stream_put_uint32_async, eddy_data_output_stream_put_uint32_finish,
             eddy_data_output_stream_put_uint32_future, eddy_data_input_stream_read_uint32,
             eddy_data_input_stream_read_uint32_async, eddy_data_input_stream_read_uint32_finish)
NUMBER_TEST (int64, int64_t, -1234567890123456789, eddy_data_output_stream_put_int64,
             eddy_data_output_stream_put_int64_async, eddy_data_output_stream_put_int64_finish,
             eddy_data_output_stream_put_int64_future, eddy_data_input_stream_read_int64,
             eddy_data_input_stream_read_int64_async, eddy_data_input_stream_read_int64_finish)
NUMBER_TEST (uint64, uint64_t, UINT64_C (0xfedcba9876543210), eddy_data_output_stream_put_uint64,
             eddy_data_output_stream_put_uint64_async, eddy_data_output_stream_put_uint64_finish,
             eddy_data_output_stream_put_uint64_future, eddy_data_input_stream_read_uint64,
             eddy_data_input_stream_read_uint64_async, eddy_data_input_stream_read_uint64_finish)

static void test_all (EddyDataStreamByteOrder order)
{
    EddyContext *context = eddy_test_context_begin ();
    test_byte (context, order);
    test_int16 (context, order);
    test_uint16 (context, order);
    test_int32 (context, order);
    test_uint32 (context, order);
    test_int64 (context, order);
    test_uint64 (context, order);
    eddy_test_context_end (context);
}

EDDY_TEST (D_data_numbers_big_endian)
{
    test_all (EDDY_DATA_STREAM_BYTE_ORDER_BIG_ENDIAN);
}

EDDY_TEST (D_data_numbers_little_endian)
{
    test_all (EDDY_DATA_STREAM_BYTE_ORDER_LITTLE_ENDIAN);
}

EDDY_TEST (D_data_numbers_of_this_machine)
{
    test_all (EDDY_DATA_STREAM_BYTE_ORDER_HOST_ENDIAN);
}

/* --- what they are ---------------------------------------------------------------------------- */

EDDY_TEST (D_data_byte_order)
{
    size_t piece = 100;
    EDDY_AUTO (EddyDataInputStream) data = data_of ("\1\2\3\4\5\6\7\10\1\2\3\4", 12, &piece);
    EDDY_AUTO (EddyOutputStream) memory = eddy_memory_output_stream_new (0);
    EDDY_AUTO (EddyDataOutputStream) output = eddy_data_output_stream_new (memory);
    EddyError *error = NULL;
    uint64_t large;
    uint16_t small;
    ck_assert_int_eq (eddy_data_input_stream_get_byte_order (data),
                      EDDY_DATA_STREAM_BYTE_ORDER_BIG_ENDIAN);
    ck_assert_int_eq (eddy_data_output_stream_get_byte_order (output),
                      EDDY_DATA_STREAM_BYTE_ORDER_BIG_ENDIAN);
    ck_assert (eddy_data_input_stream_read_uint64 (data, &large, NULL, &error));
    ck_assert_uint_eq (large, UINT64_C (0x0102030405060708));
    ck_assert (eddy_data_input_stream_read_uint16 (data, &small, NULL, &error));
    ck_assert_uint_eq (small, 0x0102);
    eddy_data_input_stream_set_byte_order (data, EDDY_DATA_STREAM_BYTE_ORDER_LITTLE_ENDIAN);
    ck_assert_int_eq (eddy_data_input_stream_get_byte_order (data),
                      EDDY_DATA_STREAM_BYTE_ORDER_LITTLE_ENDIAN);
    ck_assert (eddy_data_input_stream_read_uint16 (data, &small, NULL, &error));
    ck_assert_uint_eq (small, 0x0403);
    ck_assert (eddy_data_output_stream_put_uint32 (output, 0x01020304, NULL, &error));
    eddy_data_output_stream_set_byte_order (output, EDDY_DATA_STREAM_BYTE_ORDER_LITTLE_ENDIAN);
    ck_assert (eddy_data_output_stream_put_uint16 (output, 0x0506, NULL, &error));
    ck_assert_int_eq (memcmp (eddy_memory_output_stream_get_data (memory), "\1\2\3\4\6\5", 6), 0);
}

/* What is not there whole is not read: another way can. */
EDDY_TEST (D_data_number_cut_short_stays)
{
    for (size_t piece = 1; piece < 4; piece++) {
        EDDY_AUTO (EddyDataInputStream) data = data_of ("\1\2\3", 3, &piece);
        EddyError *error = NULL;
        uint32_t number = 7;
        uint16_t half;
        ck_assert (!eddy_data_input_stream_read_uint32 (data, &number, NULL, &error));
        ck_assert_str_eq (eddy_error_get_message (error),
                          "Pieces: the end came after 3 of 4 bytes");
        eddy_clear_error (&error);
        ck_assert_uint_eq (number, 7);
        ck_assert (eddy_data_input_stream_read_uint16 (data, &half, NULL, &error));
        ck_assert_uint_eq (half, 0x0102);
    }
}

/* A buffer that is smaller than a number grows for it. */
EDDY_TEST (D_data_number_larger_than_the_buffer)
{
    size_t piece = 100;
    EDDY_AUTO (EddyDataInputStream) data = data_of ("\1\2\3\4\5\6\7\10x", 9, &piece);
    EddyError *error = NULL;
    uint64_t number;
    ck_assert (eddy_buffered_input_stream_set_buffer_size (EDDY_BUFFERED_INPUT_STREAM (data), 1));
    ck_assert (eddy_data_input_stream_read_uint64 (data, &number, NULL, &error));
    ck_assert_uint_eq (number, UINT64_C (0x0102030405060708));
}

/* What a caller gives to wait is used until the callback, and not after. */
EDDY_TEST (D_data_number_cancelled_takes_nothing)
{
    EddyContext *context = eddy_test_context_begin ();
    StreamPipe pipe = stream_pipe_new ();
    EDDY_AUTO (EddyDataInputStream) data = eddy_data_input_stream_new (pipe.input);
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    StreamCall call = { 0 };
    EddyError *error = NULL;
    uint16_t number = 7;
    ck_assert_int_eq (eddy_output_stream_write (pipe.output, "\1", 1, NULL, &error), 1);
    eddy_data_input_stream_read_uint16_async (data, &number, 0, cancellable, stream_called, &call);
    eddy_context_iteration (context, /* may_block= */ false);
    eddy_cancellable_cancel (cancellable);
    ck_assert (
        !eddy_data_input_stream_read_uint16_finish (data, stream_await (context, &call), &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CANCELLED);
    ck_assert_uint_eq (number, 7);
    ck_assert_int_eq (eddy_output_stream_write (pipe.output, "\2", 1, NULL, &error), 1);
    ck_assert (eddy_data_input_stream_read_uint16 (data, &number, NULL, &error));
    ck_assert_uint_eq (number, 0x0102);
    stream_call_clear (&call);
    stream_pipe_clear (&pipe);
    eddy_test_context_end (context);
}

/* --- writing ---------------------------------------------------------------------------------- */

EDDY_TEST (D_data_strings)
{
    EddyContext *context = eddy_test_context_begin ();
    EDDY_AUTO (EddyOutputStream) memory = eddy_memory_output_stream_new (0);
    EDDY_AUTO (EddyDataOutputStream) output = eddy_data_output_stream_new (memory);
    EddyOutputStream *stream = EDDY_OUTPUT_STREAM (output);
    StreamCall call = { 0 };
    EddyError *error = NULL;
    char text[] = "two ";
    ck_assert (eddy_data_output_stream_put_string (output, "one ", NULL, &error));
    eddy_data_output_stream_put_string_async (output, text, 0, NULL, stream_called, &call);
    memset (text, 'x', sizeof text - 1); /* it has been copied */
    ck_assert (
        eddy_data_output_stream_put_string_finish (output, stream_await (context, &call), &error));
    EDDY_AUTO (EddyFuture)
    put = eddy_data_output_stream_put_string_future (output, "three ", 0, NULL);
    ck_assert (eddy_block_on_boolean (context, put, &error));
    ck_assert_int_eq (eddy_output_stream_write (stream, "four", 4, NULL, &error), 4);
    ck_assert (eddy_output_stream_flush (stream, NULL, &error));
    ck_assert_uint_eq (eddy_memory_output_stream_get_size (memory), 18);
    ck_assert_int_eq (
        memcmp (eddy_memory_output_stream_get_data (memory), "one two three four", 18), 0);
    ck_assert (eddy_output_stream_close (stream, NULL, &error));
    ck_assert (!eddy_data_output_stream_put_byte (output, 1, NULL, &error));
    eddy_test_expect_error (&error, EDDY_IO_ERROR_CLOSED);
    stream_call_clear (&call);
    eddy_test_context_end (context);
}

/* Over a buffer, and over a base that takes a byte at a time. */
EDDY_TEST (D_data_put_is_whole)
{
    for (size_t most = 0; most < 3; most++) {
        Slow *base = slow_new (most);
        EDDY_AUTO (EddyOutputStream)
        middle = eddy_buffered_output_stream_new_sized (&base->stream, 5);
        EDDY_AUTO (EddyDataOutputStream)
        output = eddy_data_output_stream_new (most == 0 ? middle : &base->stream);
        EddyError *error = NULL;
        for (unsigned int i = 0; i < 4; i++)
            ck_assert (eddy_data_output_stream_put_uint32 (output, i * 0x01010101U, NULL, &error));
        ck_assert (eddy_output_stream_flush (EDDY_OUTPUT_STREAM (output), NULL, &error));
        ck_assert_uint_eq (base->size, 16);
        ck_assert_int_eq (memcmp (base->bytes, "\0\0\0\0\1\1\1\1\2\2\2\2\3\3\3\3", 16), 0);
        ck_assert (eddy_output_stream_close (middle, NULL, &error));
        eddy_unref (base);
    }
}
