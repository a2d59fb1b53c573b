/* SPDX-License-Identifier: MIT */
/* Reading a file as a stream. */
#include <eddy/file-stream-bodies.h>

#include "base/object-private.h"
#include "file/file-stream-private.h"

enum { SKIP_BUFFER_SIZE = 4096 };

static EddyFileCursor *input_cursor (void *stream)
{
    return ((EddyFileInputStream *) stream)->cursor;
}

static ssize_t file_input_read (EddyInputStream *stream, void *buffer, size_t count,
                                EddyCancellable *cancellable, EddyError **error)
{
    return eddy__file_cursor_read (input_cursor (stream), buffer, count, cancellable, error);
}

/* What lies before the end is passed over without being read. Files that say to be shorter than
 * they are, those of /proc, are read. */
static ssize_t file_input_skip (EddyInputStream *stream, size_t count, EddyCancellable *cancellable,
                                EddyError **error)
{
    EddyFileCursor *cursor = input_cursor (stream);
    int64_t end = cursor->position < 0 ? -1 : eddy__file_cursor_end (cursor);
    if (end > cursor->position) {
        size_t left = (size_t) (end - cursor->position);
        size_t skipped = count < left ? count : left;
        eddy__file_cursor_advance (cursor, skipped);
        return (ssize_t) skipped;
    }
    char buffer[SKIP_BUFFER_SIZE];
    size_t wanted = count < sizeof buffer ? count : sizeof buffer;
    return eddy__file_cursor_read (cursor, buffer, wanted, cancellable, error);
}

static bool file_input_close (EddyInputStream *stream, EddyCancellable *cancellable,
                              EddyError **error)
{
    (void) cancellable;
    return eddy__file_cursor_close (input_cursor (stream), error);
}

static int file_input_get_fd (EddyInputStream *stream, int64_t *offset)
{
    const EddyFileCursor *cursor = input_cursor (stream);
    *offset = cursor->position;
    return cursor->handle->fd;
}

static void file_input_advance (EddyInputStream *stream, size_t count)
{
    eddy__file_cursor_advance (input_cursor (stream), count);
}

static const char *file_input_get_name (EddyInputStream *stream)
{
    return eddy_file_get_path (input_cursor (stream)->handle->file);
}

/* --- life ------------------------------------------------------------------------------------- */

static void file_input_finalize (void *object)
{
    EddyFileInputStream *self = object;
    eddy_unref (self->cursor);
}

static const EddyInputStreamClass file_input_class = {
    .stream = { .object = { .name = "EddyFileInputStream",
                            .size = sizeof (EddyFileInputStream),
                            .finalize = file_input_finalize },
                .seekable = &eddy__file_seekable_read },
    .read = file_input_read,
    .skip = file_input_skip,
    .close = file_input_close,
    .get_fd = file_input_get_fd,
    .advance = file_input_advance,
    .get_name = file_input_get_name,
};

EddyFileInputStream *eddy__file_input_stream_new (EddyFileCursor *cursor)
{
    EddyFileInputStream *self =
        cursor == NULL ? NULL : eddy_object_new (&file_input_class.stream.object);
    if (self == NULL) {
        eddy_unref (cursor);
        return NULL;
    }
    self->cursor = cursor;
    cursor->n_streams++;
    return self;
}

EddyFileInputStream *eddy_file_read_body (EddyFile *file, EddyCancellable *cancellable,
                                          EddyError **error)
{
    EDDY__EXPECT (file != NULL, NULL);
    EddyFileCursor *cursor = eddy__file_cursor_new (file, EDDY_FILE_OPEN_READ);
    return eddy__file_stream_open (eddy__file_input_stream_new (cursor), file, cursor, cancellable,
                                   error);
}

/* --- what is known of it ---------------------------------------------------------------------- */

bool eddy_file_input_stream_query_info_request (EddyOp *op, EddyFileInputStream *stream,
                                                EddyError **error)
{
    EDDY__EXPECT (stream != NULL, false);
    return eddy__file_ask_begin (&stream->ask, op, stream->cursor, &stream->stream.stream, error);
}

EddyFileInfo *eddy_file_input_stream_query_info_result (const EddyOp *op,
                                                        EddyFileInputStream *stream,
                                                        EddyError **error)
{
    return eddy__file_ask_end (&stream->ask, op, &stream->stream.stream, error);
}

EddyFileInfo *eddy_file_input_stream_query_info_body (EddyFileInputStream *stream,
                                                      EddyCancellable *cancellable,
                                                      EddyError **error)
{
    EDDY__EXPECT (stream != NULL, NULL);
    return eddy__file_ask (&stream->ask, stream->cursor, &stream->stream.stream, cancellable,
                           error);
}

EddyFileHandle *eddy_file_input_stream_get_handle (EddyFileInputStream *stream)
{
    EDDY__EXPECT (stream != NULL, NULL);
    return stream->cursor->handle;
}
