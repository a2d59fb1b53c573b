/* SPDX-License-Identifier: MIT */
/* Writing to another stream, converted. */
#include <eddy/output-stream-bodies.h>
#include <string.h>

#include "base/alloc-private.h"
#include "base/log-private.h"
#include "base/object-private.h"
#include "io/converter-private.h"
#include "io/stream-private.h"

enum { OUTPUT_BUFFER_SIZE = 64 * 1024 };

typedef struct ConverterOutputStream {
    EddyFilterOutputStream filter;
    EddyConverter *converter;
    EddyConverterBuffer input;  /* written to us, and not converted */
    EddyConverterBuffer output; /* converted, and not written to the base */
    bool has_news;              /* something was written to us since the last flush */
    bool is_finished;           /* the end of what is converted has come */
} ConverterOutputStream;

static ConverterOutputStream *converter_output_of (void *stream)
{
    return stream;
}

static bool converter_output_prepare (ConverterOutputStream *self, EddyError **error)
{
    return eddy__converter_buffer_prepare (&self->input, EDDY__CONVERTER_INPUT_SIZE, error) &&
           eddy__converter_buffer_prepare (&self->output, OUTPUT_BUFFER_SIZE, error);
}

/* Writes to the base what is converted; what of it was written is not written again. */
static bool converter_output_hand_on (ConverterOutputStream *self, EddyCancellable *cancellable,
                                      EddyError **error)
{
    size_t written = 0;
    bool done = eddy_output_stream_write_all (
        self->filter.base_stream, self->output.data + self->output.begin,
        eddy__converter_buffer_count (&self->output), &written, cancellable, error);
    eddy__converter_buffer_take (&self->output, written);
    return done;
}

/* Converts some of what was written. 1: there may be more; 0: all that the flags ask for was done;
 * -1: it failed. */
static int converter_output_convert (ConverterOutputStream *self, EddyConverterFlags flags,
                                     EddyCancellable *cancellable, EddyError **error)
{
    size_t room = eddy__converter_buffer_room (&self->output), written;
    if (room < EDDY__CONVERTER_ROOM) {
        if (!converter_output_hand_on (self, cancellable, error))
            return -1;
        room = eddy__converter_buffer_room (&self->output);
    }
    EddyError *failure = NULL;
    EddyConverterResult result = eddy__converter_step (
        self->converter, eddy__output_stream_get_name (self->filter.base_stream), &self->input,
        self->output.data + self->output.end, room, flags, &written, cancellable, &failure);
    self->output.end += written;
    self->is_finished = result == EDDY_CONVERTER_FINISHED;
    if (result == EDDY_CONVERTER_CONVERTED)
        return flags != EDDY_CONVERTER_NO_FLAGS || eddy__converter_buffer_count (&self->input) > 0;
    if (result != EDDY_CONVERTER_ERROR)
        return 0;
    /* A part that the next write completes can wait, also for a flush. */
    if ((flags & EDDY_CONVERTER_INPUT_AT_END) == 0 &&
        eddy__converter_buffer_count (&self->input) < self->input.size &&
        eddy__converter_wants_more (&failure))
        return 0;
    eddy_error_take (error, failure);
    return -1;
}

static bool converter_output_drain (ConverterOutputStream *self, EddyConverterFlags flags,
                                    EddyCancellable *cancellable, EddyError **error)
{
    int answer = 1;
    while (answer > 0 && !self->is_finished)
        answer = converter_output_convert (self, flags, cancellable, error);
    if (answer < 0)
        return false;
    size_t left = eddy__converter_buffer_count (&self->input);
    if (left == 0 || !self->is_finished)
        return true;
    eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_DATA,
                    "%s: %zu bytes follow the end of what can be converted",
                    eddy__output_stream_get_name (self->filter.base_stream), left);
    return false;
}

static ssize_t converter_output_write (EddyOutputStream *stream, const void *buffer, size_t count,
                                       EddyCancellable *cancellable, EddyError **error)
{
    ConverterOutputStream *self = converter_output_of (stream);
    if (!converter_output_prepare (self, error))
        return -1;
    size_t room = eddy__converter_buffer_room (&self->input);
    if (room == 0) {
        if (!converter_output_drain (self, EDDY_CONVERTER_NO_FLAGS, cancellable, error))
            return -1;
        room = eddy__converter_buffer_room (&self->input);
    }
    size_t taken = count < room ? count : room;
    memcpy (self->input.data + self->input.end, buffer, taken);
    self->input.end += taken;
    self->has_news = true;
    return (ssize_t) taken;
}

/* At a close this converts up to the end: a flush before it would put a mark into what is
 * compressed that nobody needs. */
static bool converter_output_flush (EddyOutputStream *stream, EddyCancellable *cancellable,
                                    EddyError **error)
{
    ConverterOutputStream *self = converter_output_of (stream);
    bool is_closing = eddy_output_stream_is_closing (stream);
    if (!converter_output_prepare (self, error))
        return false;
    EddyConverterFlags flags = is_closing ? EDDY_CONVERTER_INPUT_AT_END : EDDY_CONVERTER_FLUSH;
    bool drained = (!is_closing && !self->has_news) ||
                   converter_output_drain (self, flags, cancellable, error);
    self->has_news = !drained;
    /* What was converted before it failed is good. */
    bool handed_on = converter_output_hand_on (self, cancellable, drained ? error : NULL);
    return drained && handed_on &&
           eddy_filter_output_stream_flush_base (stream, cancellable, error);
}

/* --- life ------------------------------------------------------------------------------------- */

static void converter_output_dispose (void *object)
{
    ConverterOutputStream *self = object;
    if (self->input.data != NULL && !self->filter.stream.stream.closed)
        eddy__log (EDDY_LOG_WARNING,
                   "EddyConverterOutputStream was given up without being closed: the end is lost");
    eddy__free (self->input.data);
    eddy__free (self->output.data);
    self->input = self->output = (EddyConverterBuffer){ NULL, 0, 0, 0 };
    eddy_clear (&self->converter);
    eddy_filter_output_stream_dispose (object);
}

static const EddyOutputStreamClass converter_output_class = {
    .stream.object = { .name = "EddyConverterOutputStream",
                       .size = sizeof (ConverterOutputStream),
                       .dispose = converter_output_dispose },
    .write = converter_output_write,
    .flush = converter_output_flush,
    .close = eddy_filter_output_stream_close_base,
    .get_name = eddy_filter_output_stream_get_name,
};

EddyOutputStream *eddy_converter_output_stream_new (EddyOutputStream *base_stream,
                                                    EddyConverter *converter)
{
    EDDY__EXPECT (base_stream != NULL && converter != NULL, NULL);
    ConverterOutputStream *self =
        eddy_filter_output_stream_new (&converter_output_class, base_stream);
    if (self == NULL)
        return NULL;
    self->converter = eddy_ref (converter);
    return &self->filter.stream;
}

EddyConverter *eddy_converter_output_stream_get_converter (EddyOutputStream *stream)
{
    EDDY__EXPECT (stream != NULL, NULL);
    EDDY__EXPECT (stream->stream.object.object_class == &converter_output_class.stream.object,
                  NULL);
    return converter_output_of (stream)->converter;
}
