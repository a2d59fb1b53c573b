/* SPDX-License-Identifier: MIT */
/* EddyOutputStream: where bytes are written to, one after the other. */
#ifndef EDDY_OUTPUT_STREAM_H
#define EDDY_OUTPUT_STREAM_H

#include <eddy/bytes.h>
#include <eddy/input-stream.h>
#include <eddy/stream.h>
#include <eddy/vector.h>

EDDY_BEGIN_DECLS

/** Something to write to. An object; the kinds of streams begin with it. One operation at a time is
 * under way on it: a second one fails with PENDING, and the first is not disturbed. Used on one
 * thread at a time. When the last reference goes, it is closed without waiting, and bytes that were
 * not flushed are lost, with a warning. */
typedef struct EddyOutputStream EddyOutputStream;

/** Any kind of output stream as an EddyOutputStream. */
#define EDDY_OUTPUT_STREAM(stream) ((EddyOutputStream *) (void *) (stream))

/** What a kind of output stream does. Its functions are called one at a time, never on a closed
 * stream; they may wait by calling operations, in a fiber as in a plain thread. */
typedef struct EddyOutputStreamClass {
    /** Its name, size, dispose and finalize; whether it has positions. Dispose gives up, without
     * waiting, what was not closed. */
    EddyStreamClass stream;
    /** Writes 1 to @count bytes, @count being above 0: how many, or -1. */
    ssize_t (*write) (EddyOutputStream *stream, const void *buffer, size_t count,
                      EddyCancellable *cancellable, EddyError **error);
    /** Writes several runs, of which at least one is not empty: how many bytes, above 0, or -1.
     * NULL: the first that is not empty is written. */
    ssize_t (*writev) (EddyOutputStream *stream, const EddyOutputVector *vectors, size_t n_vectors,
                       EddyCancellable *cancellable, EddyError **error);
    /** Hands on what it has kept back. NULL: it keeps nothing back. */
    bool (*flush) (EddyOutputStream *stream, EddyCancellable *cancellable, EddyError **error);
    /** Gives up what it writes to, flushed before; the stream counts as closed whatever it returns.
     * Where the flush has failed, @cancellable is cancelled: nothing is to be made of what was
     * written so far. NULL: nothing to do. */
    bool (*close) (EddyOutputStream *stream, EddyCancellable *cancellable, EddyError **error);
    /** The file descriptor to which one write is all that @write does, and one writev(2) all that
     * @writev does, so that a callback's is one request; where the file has positions, *@offset,
     * which is -1, is set to where it is to write. Returns: -1: there is none. NULL: likewise. */
    int (*get_fd) (EddyOutputStream *stream, int64_t *offset);
    /** That request has written so many bytes. NULL: it keeps no position of its own. */
    void (*advance) (EddyOutputStream *stream, size_t count);
    /** Whether a write of so many bytes takes some of them at once: without waiting, and without
     * asking the system. NULL: it cannot tell. */
    bool (*is_ready) (EddyOutputStream *stream, size_t count);
    /** What it writes to, for messages: "stdout", a path. NULL: the class's name. */
    const char *(*get_name) (EddyOutputStream *stream);
    /** The library's own kinds' only; else NULL. */
    const struct EddyStreamRequests *requests;
} EddyOutputStreamClass;

/** How every kind of output stream begins. Its member is the library's. */
struct EddyOutputStream {
    EddyStream stream;
};

/** How to splice. The numbers are GIO's. */
typedef enum EddyOutputStreamSpliceFlags {
    EDDY_OUTPUT_STREAM_SPLICE_NONE = 0,
    /** Close the source afterwards, also after a failure. */
    EDDY_OUTPUT_STREAM_SPLICE_CLOSE_SOURCE = 1 << 0,
    /** Close the target afterwards. After a failure it is given up, as by a close with a cancelled
     * cancellable: what it has kept back is not written, a file is not replaced. */
    EDDY_OUTPUT_STREAM_SPLICE_CLOSE_TARGET = 1 << 1
} EddyOutputStreamSpliceFlags;

/**
 * Writes as much as can be taken now, or as soon as something can.
 *
 * @stream: a stream
 * @buffer: the bytes; the operation's until it has completed
 * @count: how many; 0 gives 0 at once
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: how many were written, 1 to @count, or -1
 * Errors: INVALID_ARGUMENT for more than SSIZE_MAX; CLOSED; PENDING; CANCELLED; BROKEN_PIPE;
 *     NO_SPACE; the kind's own
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_OPERATION (STREAM)
ssize_t eddy_output_stream_write (EddyOutputStream *stream, const void *buffer EDDY_BORROWED,
                                  size_t count, EddyCancellable *cancellable, EddyError **error);

/**
 * Writes all of a buffer.
 *
 * @stream: a stream
 * @buffer: the bytes; the operation's until it has completed
 * @count: how many
 * @bytes_written: how many were written, also on failure
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether all were
 * Errors: those of eddy_output_stream_write()
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_OPERATION (DIRECT)
bool eddy_output_stream_write_all (EddyOutputStream *stream, const void *buffer EDDY_BORROWED,
                                   size_t count, size_t *bytes_written EDDY_OUT_LEN,
                                   EddyCancellable *cancellable, EddyError **error);

/**
 * Writes several runs of bytes, in their order, as much of them as can be taken now.
 *
 * @stream: a stream
 * @vectors: the runs; the operation's until it has completed
 * @n_vectors: how many runs; none, or empty ones only, give 0 at once
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: how many bytes were written, or -1
 * Errors: INVALID_ARGUMENT for more than SSIZE_MAX bytes; those of eddy_output_stream_write()
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_OPERATION (STREAM)
ssize_t eddy_output_stream_writev (EddyOutputStream *stream,
                                   const EddyOutputVector *vectors EDDY_BORROWED, size_t n_vectors,
                                   EddyCancellable *cancellable, EddyError **error);

/**
 * Writes all of several runs of bytes, in their order.
 *
 * @stream: a stream
 * @vectors: the runs, changed to what is left of them; the operation's until it has completed
 * @n_vectors: how many runs
 * @bytes_written: how many bytes were written, also on failure
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether all were
 * Errors: those of eddy_output_stream_writev()
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_OPERATION (DIRECT)
bool eddy_output_stream_writev_all (EddyOutputStream *stream,
                                    EddyOutputVector *vectors EDDY_BORROWED, size_t n_vectors,
                                    size_t *bytes_written EDDY_OUT_LEN,
                                    EddyCancellable *cancellable, EddyError **error);

/**
 * Writes as much of some bytes as can be taken now, or as soon as something can.
 *
 * @stream: a stream
 * @bytes: the bytes
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: how many were written, or -1
 * Errors: those of eddy_output_stream_write()
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_OPERATION (DIRECT)
ssize_t eddy_output_stream_write_bytes (EddyOutputStream *stream, EddyBytes *bytes,
                                        EddyCancellable *cancellable, EddyError **error);

/**
 * Hands on what the stream has kept back.
 *
 * @stream: a stream
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether all was handed on
 * Errors: those of eddy_output_stream_write()
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_OPERATION (DIRECT)
bool eddy_output_stream_flush (EddyOutputStream *stream, EddyCancellable *cancellable,
                               EddyError **error);

/**
 * Writes all that another stream has to read, up to its end. Where both are streams of file
 * descriptors, of pipes, files, and sockets that do not block, the kernel moves the bytes, but for
 * small pieces from socket to socket; else they go through memory, and in a fiber the source is
 * read while the target is written.
 *
 * What was read and can then not be written, since it was cancelled or the target failed, is lost,
 * and the error's message begins with how much: 512 KiB at most, and none where the kernel moves
 * the bytes from a file, or from or to a pipe.
 *
 * @stream: what to write to; it and @source have the operation under way all the time
 * @source: what to read from
 * @flags: what to close afterwards
 * @bytes_spliced: how many bytes were written, also on failure
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error: the first that came, but of closing the source none
 *
 * Returns: whether all went well
 * Errors: those of reading, writing, and closing @stream; CLOSED when one is closed already, or a
 *     socket of theirs is closed meanwhile
 * Thread: the streams'
 * Since: 0.1
 */
EDDY_OPERATION (DIRECT)
bool eddy_output_stream_splice (EddyOutputStream *stream, EddyInputStream *source,
                                EddyOutputStreamSpliceFlags flags,
                                size_t *bytes_spliced EDDY_OUT_LEN, EddyCancellable *cancellable,
                                EddyError **error);

/**
 * Flushes and closes a stream. From then on it counts as closed, whatever is returned; a second
 * close succeeds. Where the flush fails, what lies beneath is closed as if cancelled: a file is not
 * replaced by what has come so far.
 *
 * @stream: a stream
 * @cancellable: a cancellable, or NULL; what is not written when it is cancelled stays unwritten
 * @error: where to put the error: that of flushing, else that of closing
 *
 * Returns: whether all was written, as far as the kind can tell
 * Errors: PENDING, and the stream is not closed; those of eddy_output_stream_write()
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_OPERATION (DIRECT)
bool eddy_output_stream_close (EddyOutputStream *stream, EddyCancellable *cancellable,
                               EddyError **error);

/** Whether it was closed. Thread: the stream's. Since: 0.1 */
EDDY_API bool eddy_output_stream_is_closed (EddyOutputStream *stream);

/** Whether a close is under way, whose flush is the last. For kinds of streams. Thread: the
 * stream's. Since: 0.1 */
EDDY_API bool eddy_output_stream_is_closing (EddyOutputStream *stream);

/** Whether an operation is under way on it. Thread: the stream's. Since: 0.1 */
EDDY_API bool eddy_output_stream_has_pending (EddyOutputStream *stream);

/** Keeps others from beginning an operation on it: for who composes several. Fails with PENDING or
 * CLOSED. Thread: the stream's. Since: 0.1 */
EDDY_API bool eddy_output_stream_set_pending (EddyOutputStream *stream, EddyError **error);

/** Lets others begin operations again. Thread: the stream's. Since: 0.1 */
EDDY_API void eddy_output_stream_clear_pending (EddyOutputStream *stream);

EDDY_END_DECLS

#include <eddy/output-stream-forms.h>

#endif
