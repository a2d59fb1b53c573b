/* SPDX-License-Identifier: MIT */
/* Filter streams: the base that a stream reads from or writes to. */
#include <eddy/filter-stream.h>

#include "base/object-private.h"
#include "io/stream-private.h"

/* --- input ------------------------------------------------------------------------------------ */

EddyInputStream *eddy_filter_input_stream_get_base_stream (EddyFilterInputStream *stream)
{
    EDDY__EXPECT (stream != NULL, NULL);
    return stream->base_stream;
}

bool eddy_filter_input_stream_get_close_base_stream (EddyFilterInputStream *stream)
{
    EDDY__EXPECT (stream != NULL, false);
    return !stream->keeps_base_open;
}

void eddy_filter_input_stream_set_close_base_stream (EddyFilterInputStream *stream, bool close_base)
{
    EDDY__EXPECT (stream != NULL);
    stream->keeps_base_open = !close_base;
}

void *eddy_filter_input_stream_new (const EddyInputStreamClass *input_class,
                                    EddyInputStream *base_stream)
{
    EDDY__EXPECT (input_class != NULL && base_stream != NULL, NULL);
    EDDY__EXPECT (input_class->stream.object.size >= sizeof (EddyFilterInputStream), NULL);
    EddyFilterInputStream *self = eddy_object_new (&input_class->stream.object);
    if (self != NULL)
        self->base_stream = eddy_ref (base_stream);
    return self;
}

void eddy_filter_input_stream_dispose (void *object)
{
    eddy_clear (&((EddyFilterInputStream *) object)->base_stream);
}

bool eddy_filter_input_stream_close_base (EddyInputStream *stream, EddyCancellable *cancellable,
                                          EddyError **error)
{
    EddyFilterInputStream *self = EDDY_FILTER_INPUT_STREAM (stream);
    return self->keeps_base_open || eddy_input_stream_close (self->base_stream, cancellable, error);
}

const char *eddy_filter_input_stream_get_name (EddyInputStream *stream)
{
    return eddy__input_stream_get_name (EDDY_FILTER_INPUT_STREAM (stream)->base_stream);
}

/* --- output ----------------------------------------------------------------------------------- */

EddyOutputStream *eddy_filter_output_stream_get_base_stream (EddyFilterOutputStream *stream)
{
    EDDY__EXPECT (stream != NULL, NULL);
    return stream->base_stream;
}

bool eddy_filter_output_stream_get_close_base_stream (EddyFilterOutputStream *stream)
{
    EDDY__EXPECT (stream != NULL, false);
    return !stream->keeps_base_open;
}

void eddy_filter_output_stream_set_close_base_stream (EddyFilterOutputStream *stream,
                                                      bool close_base)
{
    EDDY__EXPECT (stream != NULL);
    stream->keeps_base_open = !close_base;
}

void *eddy_filter_output_stream_new (const EddyOutputStreamClass *output_class,
                                     EddyOutputStream *base_stream)
{
    EDDY__EXPECT (output_class != NULL && base_stream != NULL, NULL);
    EDDY__EXPECT (output_class->stream.object.size >= sizeof (EddyFilterOutputStream), NULL);
    EddyFilterOutputStream *self = eddy_object_new (&output_class->stream.object);
    if (self != NULL)
        self->base_stream = eddy_ref (base_stream);
    return self;
}

void eddy_filter_output_stream_dispose (void *object)
{
    eddy_clear (&((EddyFilterOutputStream *) object)->base_stream);
}

bool eddy_filter_output_stream_flush_base (EddyOutputStream *stream, EddyCancellable *cancellable,
                                           EddyError **error)
{
    EddyFilterOutputStream *self = EDDY_FILTER_OUTPUT_STREAM (stream);
    return eddy_output_stream_flush (self->base_stream, cancellable, error);
}

bool eddy_filter_output_stream_close_base (EddyOutputStream *stream, EddyCancellable *cancellable,
                                           EddyError **error)
{
    EddyFilterOutputStream *self = EDDY_FILTER_OUTPUT_STREAM (stream);
    return self->keeps_base_open ||
           eddy_output_stream_close (self->base_stream, cancellable, error);
}

const char *eddy_filter_output_stream_get_name (EddyOutputStream *stream)
{
    return eddy__output_stream_get_name (EDDY_FILTER_OUTPUT_STREAM (stream)->base_stream);
}
