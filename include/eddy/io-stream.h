/* SPDX-License-Identifier: MIT */
/* EddyIOStream: an input and an output stream that belong together. */
#ifndef EDDY_IO_STREAM_H
#define EDDY_IO_STREAM_H

#include <eddy/input-stream.h>
#include <eddy/output-stream.h>

EDDY_BEGIN_DECLS

/** Two directions of one thing: a connection, a file that is read and written. An object; the kinds
 * of io streams begin with it. An operation may be under way in each direction. Used on one thread
 * at a time. When the last reference goes, it is closed without waiting. */
typedef struct EddyIOStream EddyIOStream;

/** Any kind of io stream as an EddyIOStream. */
#define EDDY_IO_STREAM(stream) ((EddyIOStream *) (void *) (stream))

/** What a kind of io stream does. */
typedef struct EddyIOStreamClass {
    /** Its name, size, dispose and finalize; whether it has positions. */
    EddyStreamClass stream;
    /** The stream to read from, owned by it; never NULL. */
    EddyInputStream *(*get_input_stream) (EddyIOStream *stream);
    /** The stream to write to, owned by it; never NULL. */
    EddyOutputStream *(*get_output_stream) (EddyIOStream *stream);
    /** Gives up what both are of, after both have been closed. NULL: nothing to do. */
    bool (*close) (EddyIOStream *stream, EddyCancellable *cancellable, EddyError **error);
} EddyIOStreamClass;

/** How every kind of io stream begins. Its member is the library's. */
struct EddyIOStream {
    EddyStream stream;
};

/** How to splice two io streams. The numbers are GIO's. */
typedef enum EddyIOStreamSpliceFlags {
    EDDY_IO_STREAM_SPLICE_NONE = 0,
    /** Close the first one afterwards; after a failure as if cancelled, so that what is not whole
     * is given up. */
    EDDY_IO_STREAM_SPLICE_CLOSE_STREAM1 = 1 << 0,
    /** Close the second one afterwards, likewise. */
    EDDY_IO_STREAM_SPLICE_CLOSE_STREAM2 = 1 << 1,
    /** Go on until both directions have ended; else the first that ends ends the other. */
    EDDY_IO_STREAM_SPLICE_WAIT_FOR_BOTH = 1 << 2
} EddyIOStreamSpliceFlags;

/** Makes an io stream of two streams, to each of which it takes a reference. NULL when memory is
 * out. Thread: any. Since: 0.1 */
EDDY_API EddyIOStream *eddy_simple_io_stream_new (EddyInputStream *input_stream,
                                                  EddyOutputStream *output_stream);

/** The stream to read from, owned by @stream. Thread: the stream's. Since: 0.1 */
EDDY_API EddyInputStream *eddy_io_stream_get_input_stream (EddyIOStream *stream);

/** The stream to write to, owned by @stream. Thread: the stream's. Since: 0.1 */
EDDY_API EddyOutputStream *eddy_io_stream_get_output_stream (EddyIOStream *stream);

/**
 * Closes the output stream, then the input stream. From then on it counts as closed, whatever is
 * returned; a second close succeeds.
 *
 * @stream: a stream
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error: that of the output stream, else that of the input stream
 *
 * Returns: whether all went well
 * Errors: PENDING, and the stream is not closed; those of closing its streams
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_OPERATION (DIRECT)
bool eddy_io_stream_close (EddyIOStream *stream, EddyCancellable *cancellable, EddyError **error);

/**
 * Writes what each of two streams has to read to the other one, both ways at once.
 *
 * @stream1: a stream
 * @stream2: another one
 * @flags: when to end, and what to close afterwards
 * @cancellable: a cancellable, or NULL
 * @error: where to put the first error; a direction that the other's end has ended has none
 *
 * Returns: whether all went well
 * Errors: those of eddy_output_stream_splice(), and of closing
 * Thread: the streams'
 * Since: 0.1
 */
EDDY_OPERATION (FIBER)
bool eddy_io_stream_splice (EddyIOStream *stream1, EddyIOStream *stream2,
                            EddyIOStreamSpliceFlags flags, EddyCancellable *cancellable,
                            EddyError **error);

/** Whether it was closed. Thread: the stream's. Since: 0.1 */
EDDY_API bool eddy_io_stream_is_closed (EddyIOStream *stream);

/** Whether it is being closed or spliced. Thread: the stream's. Since: 0.1 */
EDDY_API bool eddy_io_stream_has_pending (EddyIOStream *stream);

/** Keeps others from closing or splicing it. Fails with PENDING or CLOSED. Thread: the stream's.
 * Since: 0.1 */
EDDY_API bool eddy_io_stream_set_pending (EddyIOStream *stream, EddyError **error);

/** Lets others do so again. Thread: the stream's. Since: 0.1 */
EDDY_API void eddy_io_stream_clear_pending (EddyIOStream *stream);

EDDY_END_DECLS

#include <eddy/io-stream-forms.h>

#endif
