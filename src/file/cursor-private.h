/* SPDX-License-Identifier: MIT */
/* A file's handle and a position in it: what a stream of a file reads or writes by, and both
 * directions of an io stream together. */
#pragma once

#include <eddy/stream.h>
#include <eddy/vector.h>

#include "file/etag-private.h"
#include "file/handle-private.h"

typedef struct EddyFileCursor {
    EddyObject object;
    EddyFileHandle *handle;
    int64_t position;   /* -1: the file has none */
    unsigned n_streams; /* that are open */
    bool is_open;       /* the file, by our use of the handle */
    /* What is written replaces a file when the stream is closed; NULL: it does not. */
    struct EddyFileReplace *replace;
    char etag[EDDY_FILE_ETAG_SIZE]; /* of what was written, when it was closed */
} EddyFileCursor;

/* How a file is to be replaced. */
typedef struct EddyFileReplaceHow {
    const char *etag; /* that it must have; NULL: any */
    bool make_backup;
    EddyFileCreateFlags flags;
} EddyFileReplaceHow;

/* A request of a stream that asks what its file is; in the stream. */
typedef struct EddyFileAsk {
    EddyFileHandle *handle;
    EddyFileInfo *info;
    int result;
} EddyFileAsk;

/* Of a file that is still to be opened; NULL when memory is out. */
EddyFileCursor *eddy__file_cursor_new (EddyFile *file, unsigned flags);
/* Opens the file of the handle; 0 or -errno. */
int eddy__file_cursor_open_file (EddyFileCursor *self);
/* The same; false with an error. */
bool eddy__file_cursor_open (EddyFileCursor *self, EddyCancellable *cancellable, EddyError **error);

/* A transfer at the position, which moves on; the count, or -1. */
ssize_t eddy__file_cursor_read (EddyFileCursor *self, void *buffer, size_t count,
                                EddyCancellable *cancellable, EddyError **error);
ssize_t eddy__file_cursor_write (EddyFileCursor *self, const void *buffer, size_t count,
                                 EddyCancellable *cancellable, EddyError **error);
ssize_t eddy__file_cursor_writev (EddyFileCursor *self, const EddyOutputVector *vectors,
                                  size_t n_vectors, EddyCancellable *cancellable,
                                  EddyError **error);
void eddy__file_cursor_advance (EddyFileCursor *self, size_t count);

/* Positions, as EddySeekableFuncs. */
int64_t eddy__file_cursor_tell (EddyFileCursor *self);
bool eddy__file_cursor_can_seek (const EddyFileCursor *self);
bool eddy__file_cursor_seek (EddyFileCursor *self, int64_t offset, EddySeekType type,
                             EddyError **error);
/* The end of the file; -errno. */
int64_t eddy__file_cursor_end (const EddyFileCursor *self);

/* A stream that reads is closed; the last one closes the file. */
bool eddy__file_cursor_close (EddyFileCursor *self, EddyError **error);

/* cursor-close.c: opens a file that is to replace the one of the handle; false with an error. */
bool eddy__file_cursor_replace (EddyFileCursor *self, const EddyFileReplaceHow *how,
                                EddyError **error);
/* A stream that writes is closed: the commit of what replaces a file. */
bool eddy__file_cursor_close_written (EddyFileCursor *self, EddyCancellable *cancellable,
                                      EddyError **error);
/* Gives up, without waiting, what was to replace a file and was not committed. */
void eddy__file_cursor_discard (EddyFileCursor *self);

/* Begins asking what the file is, as the one operation of `stream`; false with an error. */
bool eddy__file_ask_begin (EddyFileAsk *self, EddyOp *op, const EddyFileCursor *cursor,
                           EddyStream *stream, EddyError **error);
/* The answer of that request; NULL with an error. */
EddyFileInfo *eddy__file_ask_end (EddyFileAsk *self, const EddyOp *op, EddyStream *stream,
                                  EddyError **error);
/* All of it, waiting where the caller stands. */
EddyFileInfo *eddy__file_ask (EddyFileAsk *self, const EddyFileCursor *cursor, EddyStream *stream,
                              EddyCancellable *cancellable, EddyError **error);
