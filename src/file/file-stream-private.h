/* SPDX-License-Identifier: MIT */
/* The streams of a file: each has a cursor, io streams' halves one together. */
#pragma once

#include <eddy/file-stream.h>

#include "file/cursor-private.h"

/* How each of them begins. */
typedef struct EddyFileStream {
    EddyStream stream;
    EddyFileCursor *cursor;
} EddyFileStream;

struct EddyFileInputStream {
    EddyInputStream stream;
    EddyFileCursor *cursor;
    EddyFileAsk ask;
};

struct EddyFileOutputStream {
    EddyOutputStream stream;
    EddyFileCursor *cursor;
    EddyFileAsk ask;
};

struct EddyFileIOStream {
    EddyIOStream stream;
    EddyFileCursor *cursor;
    EddyFileInputStream *input;
    EddyFileOutputStream *output;
    EddyFileAsk ask;
};

/* file-stream.c: the positions of those that read, and of those that write, too. */
extern const EddySeekableFuncs eddy__file_seekable_read;
extern const EddySeekableFuncs eddy__file_seekable_written;

/* Streams of a file that is still to be opened, by a cursor that they take; NULL when memory is out
 * or there is no cursor. What is made before the file cannot be missing when the file is there. */
EddyFileInputStream *eddy__file_input_stream_new (EddyFileCursor *cursor);
EddyFileOutputStream *eddy__file_output_stream_new (EddyFileCursor *cursor);
EddyFileIOStream *eddy__file_io_stream_new (EddyFileCursor *cursor);

/* Opens the file of a stream, which it gives back or, on failure, gives up; `stream` may be NULL.
 */
void *eddy__file_stream_open (void *stream, EddyFile *file, EddyFileCursor *cursor,
                              EddyCancellable *cancellable, EddyError **error);
