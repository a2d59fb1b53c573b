/* SPDX-License-Identifier: MIT */
/* Writing a file as a stream. */
#include <eddy/file-stream-bodies.h>

#include <errno.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "file/file-stream-private.h"

static EddyFileCursor *output_cursor (void *stream)
{
    return ((EddyFileOutputStream *) stream)->cursor;
}

static ssize_t file_output_write (EddyOutputStream *stream, const void *buffer, size_t count,
                                  EddyCancellable *cancellable, EddyError **error)
{
    return eddy__file_cursor_write (output_cursor (stream), buffer, count, cancellable, error);
}

static ssize_t file_output_writev (EddyOutputStream *stream, const EddyOutputVector *vectors,
                                   size_t n_vectors, EddyCancellable *cancellable,
                                   EddyError **error)
{
    return eddy__file_cursor_writev (output_cursor (stream), vectors, n_vectors, cancellable,
                                     error);
}

static bool file_output_close (EddyOutputStream *stream, EddyCancellable *cancellable,
                               EddyError **error)
{
    return eddy__file_cursor_close_written (output_cursor (stream), cancellable, error);
}

static int file_output_get_fd (EddyOutputStream *stream, int64_t *offset)
{
    const EddyFileCursor *cursor = output_cursor (stream);
    *offset = cursor->position;
    return cursor->handle->fd;
}

static void file_output_advance (EddyOutputStream *stream, size_t count)
{
    eddy__file_cursor_advance (output_cursor (stream), count);
}

static const char *file_output_get_name (EddyOutputStream *stream)
{
    return eddy_file_get_path (output_cursor (stream)->handle->file);
}

/* --- life ------------------------------------------------------------------------------------- */

static void file_output_finalize (void *object)
{
    EddyFileOutputStream *self = object;
    eddy_unref (self->cursor);
}

static const EddyOutputStreamClass file_output_class = {
    .stream = { .object = { .name = "EddyFileOutputStream",
                            .size = sizeof (EddyFileOutputStream),
                            .finalize = file_output_finalize },
                .seekable = &eddy__file_seekable_written },
    .write = file_output_write,
    .writev = file_output_writev,
    .close = file_output_close,
    .get_fd = file_output_get_fd,
    .advance = file_output_advance,
    .get_name = file_output_get_name,
};

EddyFileOutputStream *eddy__file_output_stream_new (EddyFileCursor *cursor)
{
    EddyFileOutputStream *self =
        cursor == NULL ? NULL : eddy_object_new (&file_output_class.stream.object);
    if (self == NULL) {
        eddy_unref (cursor);
        return NULL;
    }
    self->cursor = cursor;
    cursor->n_streams++;
    return self;
}

/* --- opening ---------------------------------------------------------------------------------- */

void *eddy__file_stream_open (void *stream, EddyFile *file, EddyFileCursor *cursor,
                              EddyCancellable *cancellable, EddyError **error)
{
    if (stream == NULL)
        eddy_error_set_errno (error, ENOMEM, "%s", eddy_file_get_path (file));
    else if (eddy__file_cursor_open (cursor, cancellable, error))
        return stream;
    return eddy_unref (stream);
}

static unsigned output_open_flags (EddyFileCreateFlags flags)
{
    return EDDY_FILE_OPEN_CREATE |
           ((flags & EDDY_FILE_CREATE_PRIVATE) != 0 ? EDDY_FILE_OPEN_PRIVATE : 0);
}

EddyFileOutputStream *eddy_file_append_to_body (EddyFile *file, EddyFileCreateFlags flags,
                                                EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (file != NULL, NULL);
    EddyFileCursor *cursor =
        eddy__file_cursor_new (file, EDDY_FILE_OPEN_APPEND | output_open_flags (flags));
    return eddy__file_stream_open (eddy__file_output_stream_new (cursor), file, cursor, cancellable,
                                   error);
}

EddyFileOutputStream *eddy_file_create_body (EddyFile *file, EddyFileCreateFlags flags,
                                             EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (file != NULL, NULL);
    EddyFileCursor *cursor = eddy__file_cursor_new (
        file, EDDY_FILE_OPEN_WRITE | EDDY_FILE_OPEN_EXCLUSIVE | output_open_flags (flags));
    return eddy__file_stream_open (eddy__file_output_stream_new (cursor), file, cursor, cancellable,
                                   error);
}

EddyFileIOStream *eddy_file_create_readwrite_body (EddyFile *file, EddyFileCreateFlags flags,
                                                   EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (file != NULL, NULL);
    EddyFileCursor *cursor =
        eddy__file_cursor_new (file, EDDY_FILE_OPEN_READ | EDDY_FILE_OPEN_WRITE |
                                         EDDY_FILE_OPEN_EXCLUSIVE | output_open_flags (flags));
    return eddy__file_stream_open (eddy__file_io_stream_new (cursor), file, cursor, cancellable,
                                   error);
}

EddyFileIOStream *eddy_file_open_readwrite_body (EddyFile *file, EddyCancellable *cancellable,
                                                 EddyError **error)
{
    EDDY__EXPECT (file != NULL, NULL);
    EddyFileCursor *cursor =
        eddy__file_cursor_new (file, EDDY_FILE_OPEN_READ | EDDY_FILE_OPEN_WRITE);
    return eddy__file_stream_open (eddy__file_io_stream_new (cursor), file, cursor, cancellable,
                                   error);
}

/* --- replacing -------------------------------------------------------------------------------- */

/* The stream of a file that is to replace another; or NULL, and the stream is given up. */
static void *file_stream_replace (void *stream, EddyFileCursor *cursor, EddyFile *file,
                                  const EddyFileReplaceHow *how, EddyCancellable *cancellable,
                                  EddyError **error)
{
    if (stream == NULL)
        eddy_error_set_errno (error, ENOMEM, "%s", eddy_file_get_path (file));
    else if (!eddy_cancellable_set_error_if_cancelled (cancellable, error) &&
             eddy__file_cursor_replace (cursor, how, error))
        return stream;
    return eddy_unref (stream);
}

EddyFileOutputStream *eddy_file_replace_body (EddyFile *file, const char *etag, bool make_backup,
                                              EddyFileCreateFlags flags,
                                              EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (file != NULL, NULL);
    EddyFileReplaceHow how = { etag, make_backup, flags };
    EddyFileCursor *cursor = eddy__file_cursor_new (file, EDDY_FILE_OPEN_WRITE);
    return file_stream_replace (eddy__file_output_stream_new (cursor), cursor, file, &how,
                                cancellable, error);
}

EddyFileIOStream *eddy_file_replace_readwrite_body (EddyFile *file, const char *etag,
                                                    bool make_backup, EddyFileCreateFlags flags,
                                                    EddyCancellable *cancellable, EddyError **error)
{
    EDDY__EXPECT (file != NULL, NULL);
    EddyFileReplaceHow how = { etag, make_backup, flags };
    EddyFileCursor *cursor =
        eddy__file_cursor_new (file, EDDY_FILE_OPEN_READ | EDDY_FILE_OPEN_WRITE);
    return file_stream_replace (eddy__file_io_stream_new (cursor), cursor, file, &how, cancellable,
                                error);
}

/* --- what is known of it ---------------------------------------------------------------------- */

bool eddy_file_output_stream_query_info_request (EddyOp *op, EddyFileOutputStream *stream,
                                                 EddyError **error)
{
    EDDY__EXPECT (stream != NULL, false);
    return eddy__file_ask_begin (&stream->ask, op, stream->cursor, &stream->stream.stream, error);
}

EddyFileInfo *eddy_file_output_stream_query_info_result (const EddyOp *op,
                                                         EddyFileOutputStream *stream,
                                                         EddyError **error)
{
    return eddy__file_ask_end (&stream->ask, op, &stream->stream.stream, error);
}

EddyFileInfo *eddy_file_output_stream_query_info_body (EddyFileOutputStream *stream,
                                                       EddyCancellable *cancellable,
                                                       EddyError **error)
{
    EDDY__EXPECT (stream != NULL, NULL);
    return eddy__file_ask (&stream->ask, stream->cursor, &stream->stream.stream, cancellable,
                           error);
}

EddyFileHandle *eddy_file_output_stream_get_handle (EddyFileOutputStream *stream)
{
    EDDY__EXPECT (stream != NULL, NULL);
    return stream->cursor->handle;
}

char *eddy_file_output_stream_get_etag (EddyFileOutputStream *stream)
{
    EDDY__EXPECT (stream != NULL, NULL);
    const char *etag = stream->cursor->etag;
    return *etag == '\0' ? NULL : eddy__strdup (etag);
}
