/* SPDX-License-Identifier: MIT */
/* Reading and writing a file as a stream: two halves with one position. */
#include <eddy/file-stream-bodies.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "file/file-stream-private.h"

static EddyInputStream *file_io_get_input_stream (EddyIOStream *stream)
{
    return &((EddyFileIOStream *) (void *) stream)->input->stream;
}

static EddyOutputStream *file_io_get_output_stream (EddyIOStream *stream)
{
    return &((EddyFileIOStream *) (void *) stream)->output->stream;
}

/* --- life ------------------------------------------------------------------------------------- */

static void file_io_finalize (void *object)
{
    EddyFileIOStream *self = object;
    eddy_unref (self->input);
    eddy_unref (self->output);
    eddy_unref (self->cursor);
}

static const EddyIOStreamClass file_io_class = {
    .stream = { .object = { .name = "EddyFileIOStream",
                            .size = sizeof (EddyFileIOStream),
                            .finalize = file_io_finalize },
                .seekable = &eddy__file_seekable_written },
    .get_input_stream = file_io_get_input_stream,
    .get_output_stream = file_io_get_output_stream,
};

EddyFileIOStream *eddy__file_io_stream_new (EddyFileCursor *cursor)
{
    EddyFileIOStream *self = cursor == NULL ? NULL : eddy_object_new (&file_io_class.stream.object);
    if (self == NULL) {
        eddy_unref (cursor);
        return NULL;
    }
    self->cursor = cursor;
    self->input = eddy__file_input_stream_new (eddy_ref (cursor));
    self->output = eddy__file_output_stream_new (eddy_ref (cursor));
    if (self->input == NULL || self->output == NULL)
        eddy_clear (&self);
    return self;
}

/* --- what is known of it ---------------------------------------------------------------------- */

bool eddy_file_io_stream_query_info_request (EddyOp *op, EddyFileIOStream *stream,
                                             EddyError **error)
{
    EDDY__EXPECT (stream != NULL, false);
    return eddy__file_ask_begin (&stream->ask, op, stream->cursor, &stream->stream.stream, error);
}

EddyFileInfo *eddy_file_io_stream_query_info_result (const EddyOp *op, EddyFileIOStream *stream,
                                                     EddyError **error)
{
    return eddy__file_ask_end (&stream->ask, op, &stream->stream.stream, error);
}

EddyFileInfo *eddy_file_io_stream_query_info_body (EddyFileIOStream *stream,
                                                   EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (stream != NULL, NULL);
    return eddy__file_ask (&stream->ask, stream->cursor, &stream->stream.stream, cancellable,
                           error);
}

EddyFileHandle *eddy_file_io_stream_get_handle (EddyFileIOStream *stream)
{
    EDDY__EXPECT (stream != NULL, NULL);
    return stream->cursor->handle;
}

char *eddy_file_io_stream_get_etag (EddyFileIOStream *stream)
{
    EDDY__EXPECT (stream != NULL, NULL);
    const char *etag = stream->cursor->etag;
    return *etag == '\0' ? NULL : eddy__strdup (etag);
}
