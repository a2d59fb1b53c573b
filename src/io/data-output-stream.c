/* SPDX-License-Identifier: MIT */
/* EddyDataOutputStream: numbers and strings, written at once. */
#include <eddy/data-output-stream-bodies.h>

#include "base/object-private.h"
#include "io/data-private.h"
#include "io/stream-private.h"

struct EddyDataOutputStream {
    EddyFilterOutputStream filter;
    EddyDataStreamByteOrder byte_order;
};

/* --- as a stream ------------------------------------------------------------------------------ */

static ssize_t data_output_write (EddyOutputStream *stream, const void *buffer, size_t count,
                                  EddyCancellable *cancellable, EddyError **error)
{
    EddyOutputStream *base = EDDY_FILTER_OUTPUT_STREAM (stream)->base_stream;
    return eddy_output_stream_write (base, buffer, count, cancellable, error);
}

static const EddyOutputStreamClass data_output_class = {
    .stream.object = { .name = "EddyDataOutputStream",
                       .size = sizeof (EddyDataOutputStream),
                       .dispose = eddy_filter_output_stream_dispose },
    .write = data_output_write,
    .flush = eddy_filter_output_stream_flush_base,
    .close = eddy_filter_output_stream_close_base,
    .get_name = eddy_filter_output_stream_get_name,
};

static bool data_output_is (const EddyDataOutputStream *stream)
{
    return stream != NULL &&
           stream->filter.stream.stream.object.object_class == &data_output_class.stream.object;
}

EddyDataOutputStream *eddy_data_output_stream_new (EddyOutputStream *base_stream)
{
    EDDY__EXPECT (base_stream != NULL, NULL);
    return eddy_filter_output_stream_new (&data_output_class, base_stream);
}

EddyDataStreamByteOrder eddy_data_output_stream_get_byte_order (EddyDataOutputStream *stream)
{
    EDDY__EXPECT (data_output_is (stream), EDDY_DATA_STREAM_BYTE_ORDER_BIG_ENDIAN);
    return stream->byte_order;
}

void eddy_data_output_stream_set_byte_order (EddyDataOutputStream *stream,
                                             EddyDataStreamByteOrder order)
{
    EDDY__EXPECT (data_output_is (stream));
    EDDY__EXPECT (order <= EDDY_DATA_STREAM_BYTE_ORDER_HOST_ENDIAN);
    stream->byte_order = order;
}

/* --- putting ---------------------------------------------------------------------------------- */

static bool data_output_put (EddyDataOutputStream *self, const void *bytes, size_t size,
                             EddyCancellable *cancellable, EddyError **error)
{
    return eddy_output_stream_write_all (&self->filter.stream, bytes, size, NULL, cancellable,
                                         error);
}

static bool data_output_put_number (EddyDataOutputStream *self, const void *value, size_t size,
                                    EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (data_output_is (self), false);
    char bytes[sizeof (uint64_t)];
    eddy__data_copy_number (bytes, value, size, self->byte_order);
    return data_output_put (self, bytes, size, cancellable, error);
}

bool eddy_data_output_stream_put_string_body (EddyDataOutputStream *stream, const char *string,
                                              EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (data_output_is (stream) && string != NULL, false);
    return data_output_put (stream, string, strlen (string), cancellable, error);
}

#define DATA_OUTPUT_NUMBER(name, type)                                                             \
    bool eddy_data_output_stream_put_##name##_body (                                               \
        EddyDataOutputStream *stream, type data, EddyCancellable *cancellable, EddyError **error)  \
    {                                                                                              \
        return data_output_put_number (stream, &data, sizeof data, cancellable, error);            \
    }

DATA_OUTPUT_NUMBER (byte, uint8_t)
DATA_OUTPUT_NUMBER (int16, int16_t)
DATA_OUTPUT_NUMBER (uint16, uint16_t)
DATA_OUTPUT_NUMBER (int32, int32_t)
DATA_OUTPUT_NUMBER (uint32, uint32_t)
DATA_OUTPUT_NUMBER (int64, int64_t)
DATA_OUTPUT_NUMBER (uint64, uint64_t)
