/* SPDX-License-Identifier: MIT */
/* Reading what another stream has, converted. */
#include <eddy/input-stream-bodies.h>
#include <string.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "io/converter-private.h"
#include "io/stream-private.h"

/* What is converted at once, so that a cancel has not long to wait. */
enum { INPUT_STEP_SIZE = 256 * 1024 };

typedef struct ConverterInputStream {
    EddyFilterInputStream filter;
    EddyConverter *converter;
    EddyConverterBuffer input; /* read, and not converted */
    EddyConverterBuffer ready; /* converted, for reads that have little room */
    bool at_end;               /* of the base */
    bool is_finished;          /* of what is converted */
} ConverterInputStream;

static ConverterInputStream *converter_input_of (void *stream)
{
    return stream;
}

static bool converter_input_prepare (ConverterInputStream *self, EddyError **error)
{
    return eddy__converter_buffer_prepare (&self->input, EDDY__CONVERTER_INPUT_SIZE, error) &&
           eddy__converter_buffer_prepare (&self->ready, EDDY__CONVERTER_ROOM, error);
}

/* Takes of what has been converted before. */
static ssize_t converter_input_serve (ConverterInputStream *self, void *buffer, size_t count)
{
    size_t taken = eddy__converter_buffer_count (&self->ready);
    taken = taken < count ? taken : count;
    memcpy (buffer, self->ready.data + self->ready.begin, taken);
    eddy__converter_buffer_take (&self->ready, taken);
    return (ssize_t) taken;
}

/* Reads more of the base. */
static bool converter_input_fill (ConverterInputStream *self, EddyCancellable *cancellable,
                                  EddyError **error)
{
    size_t room = eddy__converter_buffer_room (&self->input);
    if (room == 0) {
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_PARTIAL_INPUT,
                        "%s: %zu bytes are not enough to convert any",
                        eddy__input_stream_get_name (self->filter.base_stream), self->input.size);
        return false;
    }
    ssize_t count = eddy_input_stream_read (
        self->filter.base_stream, self->input.data + self->input.end, room, cancellable, error);
    if (count < 0)
        return false;
    self->input.end += (size_t) count;
    self->at_end = count == 0;
    return true;
}

/* Converts some. What is read in a few bytes goes through memory of the stream's own: some
 * converters cannot go on with less room. */
static bool converter_input_convert (ConverterInputStream *self, void *buffer, size_t count,
                                     ssize_t *answer, EddyCancellable *cancellable,
                                     EddyError **error)
{
    bool is_small = count < self->ready.size;
    size_t room = is_small ? self->ready.size : count < INPUT_STEP_SIZE ? count : INPUT_STEP_SIZE;
    size_t written;
    EddyConverterResult result = eddy__converter_step (
        self->converter, eddy__input_stream_get_name (self->filter.base_stream), &self->input,
        is_small ? self->ready.data : buffer, room,
        self->at_end ? EDDY_CONVERTER_INPUT_AT_END : EDDY_CONVERTER_NO_FLAGS, &written, cancellable,
        error);
    if (result == EDDY_CONVERTER_ERROR)
        return false;
    self->is_finished = result == EDDY_CONVERTER_FINISHED;
    if (is_small)
        self->ready.end = written;
    *answer = is_small ? converter_input_serve (self, buffer, count) : (ssize_t) written;
    return true;
}

static ssize_t converter_input_read (EddyInputStream *stream, void *buffer, size_t count,
                                     EddyCancellable *cancellable, EddyError **error)
{
    ConverterInputStream *self = converter_input_of (stream);
    if (!converter_input_prepare (self, error))
        return -1;
    if (self->ready.end > 0)
        return converter_input_serve (self, buffer, count);
    EddyError *failure = NULL;
    ssize_t answer = 0;
    while (answer == 0 && !self->is_finished && failure == NULL)
        if (!converter_input_convert (self, buffer, count, &answer, cancellable, &failure) &&
            !self->at_end && eddy__converter_wants_more (&failure))
            (void) converter_input_fill (self, cancellable, &failure);
    if (failure == NULL)
        return answer;
    eddy_error_take (error, failure);
    return -1;
}

/* --- life ------------------------------------------------------------------------------------- */

static void converter_input_dispose (void *object)
{
    ConverterInputStream *self = object;
    eddy__free (self->input.data);
    eddy__free (self->ready.data);
    self->input = self->ready = (EddyConverterBuffer){ NULL, 0, 0, 0 };
    eddy_clear (&self->converter);
    eddy_filter_input_stream_dispose (object);
}

static const EddyInputStreamClass converter_input_class = {
    .stream.object = { .name = "EddyConverterInputStream",
                       .size = sizeof (ConverterInputStream),
                       .dispose = converter_input_dispose },
    .read = converter_input_read,
    .close = eddy_filter_input_stream_close_base,
    .get_name = eddy_filter_input_stream_get_name,
};

static bool converter_input_is (EddyInputStream *stream)
{
    return stream != NULL &&
           stream->stream.object.object_class == &converter_input_class.stream.object;
}

EddyInputStream *eddy_converter_input_stream_new (EddyInputStream *base_stream,
                                                  EddyConverter *converter)
{
    EDDY__EXPECT (base_stream != NULL && converter != NULL, NULL);
    ConverterInputStream *self = eddy_filter_input_stream_new (&converter_input_class, base_stream);
    if (self == NULL)
        return NULL;
    self->converter = eddy_ref (converter);
    return &self->filter.stream;
}

EddyConverter *eddy_converter_input_stream_get_converter (EddyInputStream *stream)
{
    EDDY__EXPECT (converter_input_is (stream), NULL);
    return converter_input_of (stream)->converter;
}

EddyBytes *eddy_converter_input_stream_steal_rest (EddyInputStream *stream)
{
    EDDY__EXPECT (converter_input_is (stream) && !stream->stream.pending, NULL);
    EddyConverterBuffer *input = &converter_input_of (stream)->input;
    size_t count = eddy__converter_buffer_count (input);
    EddyBytes *rest = eddy_bytes_new (count == 0 ? NULL : input->data + input->begin, count);
    if (rest != NULL)
        eddy__converter_buffer_take (input, count);
    return rest;
}
