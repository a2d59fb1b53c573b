/* SPDX-License-Identifier: MIT */
/* EddyInputStream: bytes to be read, one after the other. */
#ifndef EDDY_INPUT_STREAM_H
#define EDDY_INPUT_STREAM_H

#include <eddy/bytes.h>
#include <eddy/stream.h>

EDDY_BEGIN_DECLS

/** Something to read from. An object; the kinds of streams begin with it. One operation at a time
 * is under way on it: a second one fails with PENDING, and the first is not disturbed. Used on one
 * thread at a time. When the last reference goes, it is closed without waiting. */
typedef struct EddyInputStream EddyInputStream;

/** Any kind of input stream as an EddyInputStream. */
#define EDDY_INPUT_STREAM(stream) ((EddyInputStream *) (void *) (stream))

/** What a kind of input stream does. Its functions are called one at a time, never on a closed
 * stream; they may wait by calling operations, in a fiber as in a plain thread. */
typedef struct EddyInputStreamClass {
    /** Its name, size, dispose and finalize; whether it has positions. Dispose gives up, without
     * waiting, what was not closed. */
    EddyStreamClass stream;
    /** Reads 1 to @count bytes, @count being above 0: how many, 0 at the end, or -1. */
    ssize_t (*read) (EddyInputStream *stream, void *buffer, size_t count,
                     EddyCancellable *cancellable, EddyError **error);
    /** Passes over 1 to @count bytes: how many, 0 at the end, or -1. NULL: they are read. */
    ssize_t (*skip) (EddyInputStream *stream, size_t count, EddyCancellable *cancellable,
                     EddyError **error);
    /** Gives up what it reads from; the stream counts as closed whatever it returns. NULL: nothing
     * to do. */
    bool (*close) (EddyInputStream *stream, EddyCancellable *cancellable, EddyError **error);
    /** The file descriptor of which one read is all that @read does, so that a callback's is one
     * request; where the file has positions, *@offset, which is -1, is set to where it is to read.
     * Returns: -1: there is none. NULL: likewise. */
    int (*get_fd) (EddyInputStream *stream, int64_t *offset);
    /** That request has read so many bytes. NULL: it keeps no position of its own. */
    void (*advance) (EddyInputStream *stream, size_t count);
    /** Whether a read gives something, or the end, at once: without waiting, and without asking the
     * system. NULL: it cannot tell. */
    bool (*is_ready) (EddyInputStream *stream);
    /** What it reads from, for messages: "stdin", a path. NULL: the class's name. */
    const char *(*get_name) (EddyInputStream *stream);
    /** The library's own kinds' only; else NULL. */
    const struct EddyStreamRequests *requests;
} EddyInputStreamClass;

/** How every kind of input stream begins. Its member is the library's. */
struct EddyInputStream {
    EddyStream stream;
};

/**
 * Reads what is there, waiting until there is something.
 *
 * @stream: a stream
 * @buffer: where to put it; the operation's until it has completed
 * @count: how many bytes at most; 0 gives 0 at once
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: how many bytes, 1 to @count; 0 at the end; -1 on failure
 * Errors: INVALID_ARGUMENT for more than SSIZE_MAX; CLOSED; PENDING; CANCELLED; the kind's own
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_OPERATION (STREAM)
ssize_t eddy_input_stream_read (EddyInputStream *stream, void *buffer EDDY_BORROWED, size_t count,
                                EddyCancellable *cancellable, EddyError **error);

/**
 * Reads until the buffer is full or the stream ends.
 *
 * @stream: a stream
 * @buffer: where to put the bytes; the operation's until it has completed
 * @count: how many to read
 * @bytes_read: how many were read, also on failure; fewer than @count with true is the end
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether it came that far
 * Errors: those of eddy_input_stream_read()
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_OPERATION (DIRECT)
bool eddy_input_stream_read_all (EddyInputStream *stream, void *buffer EDDY_BORROWED, size_t count,
                                 size_t *bytes_read EDDY_OUT_LEN, EddyCancellable *cancellable,
                                 EddyError **error);

/**
 * Reads until the buffer is full; the end before that is an error.
 *
 * @stream: a stream
 * @buffer: where to put the bytes; the operation's until it has completed
 * @count: how many to read
 * @bytes_read: how many were read, also on failure
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether it is full
 * Errors: PARTIAL_INPUT; those of eddy_input_stream_read()
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_OPERATION (DIRECT)
bool eddy_input_stream_read_exactly (EddyInputStream *stream, void *buffer EDDY_BORROWED,
                                     size_t count, size_t *bytes_read EDDY_OUT_LEN,
                                     EddyCancellable *cancellable, EddyError **error);

/**
 * Reads what is there into memory of its own. While it waits for a pipe or a socket, it holds none.
 *
 * @stream: a stream
 * @count: how many bytes at most
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: 1 to @count bytes; none at the end; NULL on failure
 * Errors: NO_MEMORY; those of eddy_input_stream_read()
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_OPERATION (STREAM)
EddyBytes *eddy_input_stream_read_bytes (EddyInputStream *stream, size_t count,
                                         EddyCancellable *cancellable, EddyError **error);

/**
 * Passes over bytes, as far as the stream has them.
 *
 * @stream: a stream
 * @count: how many bytes at most; 0 gives 0 at once
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: how many, fewer than @count only at the end, or where an error or a cancel came after
 *     some; -1 on failure
 * Errors: those of eddy_input_stream_read()
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_OPERATION (DIRECT)
ssize_t eddy_input_stream_skip (EddyInputStream *stream, size_t count, EddyCancellable *cancellable,
                                EddyError **error);

/**
 * Closes a stream. From then on it counts as closed, whatever is returned; a second close succeeds.
 *
 * @stream: a stream
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether all went well
 * Errors: PENDING, and the stream is not closed; CANCELLED; the kind's own
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_OPERATION (DIRECT)
bool eddy_input_stream_close (EddyInputStream *stream, EddyCancellable *cancellable,
                              EddyError **error);

/** Whether it was closed. Thread: the stream's. Since: 0.1 */
EDDY_API bool eddy_input_stream_is_closed (EddyInputStream *stream);

/** Whether an operation is under way on it. Thread: the stream's. Since: 0.1 */
EDDY_API bool eddy_input_stream_has_pending (EddyInputStream *stream);

/** Keeps others from beginning an operation on it: for who composes several. Fails with PENDING or
 * CLOSED. Thread: the stream's. Since: 0.1 */
EDDY_API bool eddy_input_stream_set_pending (EddyInputStream *stream, EddyError **error);

/** Lets others begin operations again. Thread: the stream's. Since: 0.1 */
EDDY_API void eddy_input_stream_clear_pending (EddyInputStream *stream);

EDDY_END_DECLS

#include <eddy/input-stream-forms.h>

#endif
