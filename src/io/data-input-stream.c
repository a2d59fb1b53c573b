/* SPDX-License-Identifier: MIT */
/* EddyDataInputStream: what is set, and numbers. Lines are in data-input-lines.c. */
#include <eddy/data-input-stream-bodies.h>

#include "base/object-private.h"
#include "io/data-input-private.h"
#include "io/data-private.h"
#include "io/stream-private.h"

enum { DATA_MAX_LENGTH = 64 * 1024 };

/* --- numbers ---------------------------------------------------------------------------------- */

/* Takes a number that is buffered. */
static void data_input_take (EddyDataInputStream *self, void *value, size_t size)
{
    eddy__data_copy_number (value, eddy__buffered_input_get_bytes (&self->buffered), size,
                            self->byte_order);
    self->buffered.start += size;
}

/* Has so many bytes buffered; the stream has begun. */
static bool data_input_require (EddyDataInputStream *self, size_t size,
                                EddyCancellable *cancellable, EddyError **error)
{
    EddyBufferedInputStream *buffered = &self->buffered;
    while (eddy__buffered_input_get_count (buffered) < size) {
        ssize_t answer = eddy__buffered_input_fill (buffered, buffered->size, cancellable, error);
        if (answer == 0)
            eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_PARTIAL_INPUT,
                            "%s: the end came after %zu of %zu bytes",
                            eddy__input_stream_get_name (&buffered->filter.stream),
                            eddy__buffered_input_get_count (buffered), size);
        if (answer <= 0)
            return false;
    }
    return true;
}

static bool data_input_read_number (EddyDataInputStream *self, void *value, size_t size,
                                    EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (eddy__data_input_is (self) && value != NULL, false);
    if (!eddy__stream_begin (eddy__data_input_get_stream (self), cancellable, error))
        return false;
    bool done = data_input_require (self, size, cancellable, error);
    if (done)
        data_input_take (self, value, size);
    eddy__stream_end (eddy__data_input_get_stream (self));
    return done;
}

static bool data_input_request_number (EddyOp *op, EddyDataInputStream *self, const void *value,
                                       size_t size, EddyError **error)
{
    EDDY__EXPECT (eddy__data_input_is (self) && value != NULL, false);
    if (eddy__buffered_input_get_count (&self->buffered) < size ||
        !eddy__stream_claim (eddy__data_input_get_stream (self), error))
        return false;
    eddy__op_init_ready (op);
    return true;
}

static bool data_input_finish_number (const EddyOp *op, EddyDataInputStream *self, void *value,
                                      size_t size, EddyError **error)
{
    if (!eddy__buffered_input_end_ready (&self->buffered, op, error))
        return false;
    data_input_take (self, value, size);
    return true;
}

/* What the forms of a number's operation call. */
#define DATA_INPUT_NUMBER(name, type)                                                              \
    bool eddy_data_input_stream_read_##name##_body (                                               \
        EddyDataInputStream *stream, type *value, EddyCancellable *cancellable, EddyError **error) \
    {                                                                                              \
        return data_input_read_number (stream, value, sizeof *value, cancellable, error);          \
    }                                                                                              \
    bool eddy_data_input_stream_read_##name##_request (EddyOp *op, EddyDataInputStream *stream,    \
                                                       type *value, EddyError **error)             \
    {                                                                                              \
        return data_input_request_number (op, stream, value, sizeof *value, error);                \
    }                                                                                              \
    bool eddy_data_input_stream_read_##name##_result (                                             \
        const EddyOp *op, EddyDataInputStream *stream, type *value, EddyError **error)             \
    {                                                                                              \
        return data_input_finish_number (op, stream, value, sizeof *value, error);                 \
    }

DATA_INPUT_NUMBER (byte, uint8_t)
DATA_INPUT_NUMBER (int16, int16_t)
DATA_INPUT_NUMBER (uint16, uint16_t)
DATA_INPUT_NUMBER (int32, int32_t)
DATA_INPUT_NUMBER (uint32, uint32_t)
DATA_INPUT_NUMBER (int64, int64_t)
DATA_INPUT_NUMBER (uint64, uint64_t)

/* --- what is set ------------------------------------------------------------------------------ */

EddyDataStreamByteOrder eddy_data_input_stream_get_byte_order (EddyDataInputStream *stream)
{
    EDDY__EXPECT (eddy__data_input_is (stream), EDDY_DATA_STREAM_BYTE_ORDER_BIG_ENDIAN);
    return stream->byte_order;
}

void eddy_data_input_stream_set_byte_order (EddyDataInputStream *stream,
                                            EddyDataStreamByteOrder order)
{
    EDDY__EXPECT (eddy__data_input_is (stream));
    EDDY__EXPECT (order <= EDDY_DATA_STREAM_BYTE_ORDER_HOST_ENDIAN);
    stream->byte_order = order;
}

EddyDataStreamNewlineType eddy_data_input_stream_get_newline_type (EddyDataInputStream *stream)
{
    EDDY__EXPECT (eddy__data_input_is (stream), EDDY_DATA_STREAM_NEWLINE_TYPE_LF);
    return stream->newline_type;
}

void eddy_data_input_stream_set_newline_type (EddyDataInputStream *stream,
                                              EddyDataStreamNewlineType type)
{
    EDDY__EXPECT (eddy__data_input_is (stream));
    EDDY__EXPECT (type <= EDDY_DATA_STREAM_NEWLINE_TYPE_ANY);
    stream->newline_type = type;
}

size_t eddy_data_input_stream_get_max_length (EddyDataInputStream *stream)
{
    EDDY__EXPECT (eddy__data_input_is (stream), 0);
    return stream->max_length;
}

void eddy_data_input_stream_set_max_length (EddyDataInputStream *stream, size_t max_length)
{
    EDDY__EXPECT (eddy__data_input_is (stream));
    stream->max_length = max_length;
}

/* --- life ------------------------------------------------------------------------------------- */

static const EddyInputStreamClass data_input_class = {
    .stream = { .object = { .name = "EddyDataInputStream",
                            .size = sizeof (EddyDataInputStream),
                            .dispose = eddy__buffered_input_dispose },
                .seekable = &eddy__buffered_input_seekable },
    .read = eddy__buffered_input_read,
    .skip = eddy__buffered_input_skip,
    .close = eddy__buffered_input_close,
    .is_ready = eddy__buffered_input_is_ready,
    .get_name = eddy_filter_input_stream_get_name,
};

bool eddy__data_input_is (const EddyDataInputStream *stream)
{
    return stream != NULL && stream->buffered.filter.stream.stream.object.object_class ==
                                 &data_input_class.stream.object;
}

EddyDataInputStream *eddy_data_input_stream_new (EddyInputStream *base_stream)
{
    EDDY__EXPECT (base_stream != NULL, NULL);
    EddyDataInputStream *self = (EddyDataInputStream *) (void *) eddy__buffered_input_new (
        &data_input_class, base_stream, EDDY__BUFFERED_SIZE);
    if (self != NULL)
        self->max_length = DATA_MAX_LENGTH;
    return self;
}
