/* SPDX-License-Identifier: MIT */
/* What the three streams of a file have in common: their positions, which are their cursor's. */
#include <eddy/file-handle-bodies.h>
#include <stddef.h>

#include "file/file-stream-private.h"

_Static_assert(offsetof (EddyFileInputStream, cursor) == offsetof (EddyFileStream, cursor) &&
                   offsetof (EddyFileOutputStream, cursor) == offsetof (EddyFileStream, cursor) &&
                   offsetof (EddyFileIOStream, cursor) == offsetof (EddyFileStream, cursor),
               "the streams of a file begin alike");

static EddyFileCursor *seekable_cursor (EddySeekable *seekable)
{
    return ((EddyFileStream *) seekable)->cursor;
}

static int64_t file_seekable_tell (EddySeekable *seekable)
{
    return eddy__file_cursor_tell (seekable_cursor (seekable));
}

static bool file_seekable_can_seek (EddySeekable *seekable)
{
    return eddy__file_cursor_can_seek (seekable_cursor (seekable));
}

static bool file_seekable_seek (EddySeekable *seekable, int64_t offset, EddySeekType type,
                                EddyCancellable *cancellable, EddyError **error)
{
    (void) cancellable;
    return eddy__file_cursor_seek (seekable_cursor (seekable), offset, type, error);
}

static bool file_seekable_cannot_truncate (EddySeekable *seekable)
{
    (void) seekable;
    return false;
}

static bool file_seekable_truncate (EddySeekable *seekable, int64_t size,
                                    EddyCancellable *cancellable, EddyError **error)
{
    return eddy_file_handle_truncate_body (seekable_cursor (seekable)->handle, size, cancellable,
                                           error);
}

const EddySeekableFuncs eddy__file_seekable_read = {
    .tell = file_seekable_tell,
    .can_seek = file_seekable_can_seek,
    .seek = file_seekable_seek,
    .can_truncate = file_seekable_cannot_truncate,
};

const EddySeekableFuncs eddy__file_seekable_written = {
    .tell = file_seekable_tell,
    .can_seek = file_seekable_can_seek,
    .seek = file_seekable_seek,
    .can_truncate = file_seekable_can_seek,
    .truncate = file_seekable_truncate,
};
