/* SPDX-License-Identifier: MIT */
/* What the base classes of streams share: who may begin an operation, and where a stream ends. */
#pragma once

#include <eddy/input-stream.h>
#include <eddy/output-stream.h>
#include <eddy/stream.h>

/* Has the stream pending; false with CLOSED or PENDING. */
bool eddy__stream_claim (EddyStream *stream, EddyError **error);
/* Begins an operation: it is pending from now on. False with CLOSED, PENDING, or the cancel's error
 * of `cancellable`, or, in a fiber, of its own. */
bool eddy__stream_begin (EddyStream *stream, EddyCancellable *cancellable, EddyError **error);
static inline void eddy__stream_end (EddyStream *stream)
{
    stream->pending = false;
}

/* What the library's kinds of streams do whose fd is more than an fd. `stream` is one of them that
 * has begun an operation; `op` is a request to its fd as the base class has it. */
typedef struct EddyStreamRequests {
    /* Makes the request the kind's own, and begins it. False: with an error, it cannot be now;
     * without, it is to be done on a fiber. */
    bool (*begin) (void *stream, EddyOp *op, EddyError **error);
    /* It has ended: its result, or -1 with the error. */
    int64_t (*end) (void *stream, const EddyOp *op, EddyError **error);
    /* All of that, waiting where the caller stands. Input streams only. */
    int64_t (*run) (void *stream, EddyOp *op, EddyCancellable *cancellable, EddyError **error);
    /* From now on the fd is used by its number: it stays open until `release`, which says whether
     * it was not to be closed meanwhile. */
    void (*hold) (void *stream);
    bool (*release) (void *stream);
} EddyStreamRequests;

/* eddy_input_stream_read_bytes() on a stream that has begun an operation. */
EddyBytes *eddy__input_stream_read_bytes_begun (EddyInputStream *stream, size_t count,
                                                EddyCancellable *cancellable, EddyError **error);

/* What a stream reads from or writes to, for messages. */
const char *eddy__input_stream_get_name (EddyInputStream *stream);
const char *eddy__output_stream_get_name (EddyOutputStream *stream);

static inline const EddyInputStreamClass *eddy__input_stream_get_class (EddyInputStream *stream)
{
    return (const EddyInputStreamClass *) (const void *) stream->stream.object.object_class;
}

static inline const EddyOutputStreamClass *eddy__output_stream_get_class (EddyOutputStream *stream)
{
    return (const EddyOutputStreamClass *) (const void *) stream->stream.object.object_class;
}

/* Whether a write has taken some. A kind that takes nothing and calls it done would have us try for
 * ever: that is an error. */
bool eddy__output_stream_advanced (EddyOutputStream *stream, ssize_t answer, EddyError **error);
/* Writes all of a buffer to a stream that has begun an operation. */
bool eddy__output_stream_write_begun (EddyOutputStream *stream, const void *buffer, size_t count,
                                      size_t *bytes_written, EddyCancellable *cancellable,
                                      EddyError **error);

/* With which a stream is closed that is given up: it is cancelled, so nothing that the stream has
 * kept back is written, and nothing is committed. A reference; never NULL. */
EddyCancellable *eddy__stream_give_up (void);

/* Begins the close of a stream. 1: it is closed already, which is no error; 0: begun; -1. */
int eddy__stream_begin_close (EddyStream *stream, EddyError **error);

/* Whether an operation of `count` bytes can be; false with INVALID_ARGUMENT. */
bool eddy__stream_check_count (size_t count, EddyError **error);

/* Whether the stream has positions at all. */
bool eddy__seekable_has_positions (EddySeekable *seekable);

/* Where a seek leads; false with INVALID_ARGUMENT below 0, or beyond what can be counted. */
bool eddy__stream_target (int64_t offset, EddySeekType type, int64_t position, int64_t end,
                          int64_t *target, EddyError **error);

/* Closes the fd of a stream. `may_wait`: written files may have to wait for a disk or a peer, and
 * then say whether all went well; that is a worker's business, and no cancel ends it. */
bool eddy__stream_close_fd (int fd, bool may_wait, const char *name, EddyError **error);
/* The same without waiting, and nobody asks how it went. */
void eddy__stream_close_fd_later (int fd, bool may_wait);
