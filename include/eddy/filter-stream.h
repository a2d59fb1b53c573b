/* SPDX-License-Identifier: MIT */
/* Filter streams: streams that read from, or write to, another one. */
#ifndef EDDY_FILTER_STREAM_H
#define EDDY_FILTER_STREAM_H

#include <eddy/input-stream.h>
#include <eddy/output-stream.h>

EDDY_BEGIN_DECLS

/* --- input ------------------------------------------------------------------------------------ */

/** A stream that reads what another one has, its base, and hands it on in its own way. While it is
 * used nobody else is to use the base. Its close closes the base, too, unless that is to stay open;
 * when the last reference goes, it lets go of the base, which is closed if nobody else has it. */
typedef struct EddyFilterInputStream EddyFilterInputStream;

/** Any kind of filter input stream as an EddyFilterInputStream. */
#define EDDY_FILTER_INPUT_STREAM(stream) ((EddyFilterInputStream *) (void *) (stream))

/** How every kind of filter input stream begins. Its members are the library's. */
struct EddyFilterInputStream {
    EddyInputStream stream;
    EddyInputStream *base_stream;
    bool keeps_base_open;
};

/** The stream that a filter reads from, owned by it. Thread: the stream's. Since: 0.1 */
EDDY_API EddyInputStream *eddy_filter_input_stream_get_base_stream (EddyFilterInputStream *stream);

/** Whether a close closes the base, too; it does unless told otherwise. Thread: the stream's.
 * Since: 0.1 */
EDDY_API bool eddy_filter_input_stream_get_close_base_stream (EddyFilterInputStream *stream);

/** Says whether a close closes the base, too. What was read ahead of the base is gone for whoever
 * reads that afterwards. Thread: the stream's. Since: 0.1 */
EDDY_API void eddy_filter_input_stream_set_close_base_stream (EddyFilterInputStream *stream,
                                                              bool close_base);

/* --- output ----------------------------------------------------------------------------------- */

/** A stream that writes to another one, its base, what it is given, in its own way. While it is
 * used nobody else is to use the base. Its close closes the base, too, unless that is to stay open;
 * when the last reference goes, it lets go of the base, which is closed if nobody else has it. */
typedef struct EddyFilterOutputStream EddyFilterOutputStream;

/** Any kind of filter output stream as an EddyFilterOutputStream. */
#define EDDY_FILTER_OUTPUT_STREAM(stream) ((EddyFilterOutputStream *) (void *) (stream))

/** How every kind of filter output stream begins. Its members are the library's. */
struct EddyFilterOutputStream {
    EddyOutputStream stream;
    EddyOutputStream *base_stream;
    bool keeps_base_open;
};

/** The stream that a filter writes to, owned by it. Thread: the stream's. Since: 0.1 */
EDDY_API EddyOutputStream *eddy_filter_output_stream_get_base_stream (
    EddyFilterOutputStream *stream);

/** Whether a close closes the base, too; it does unless told otherwise. Thread: the stream's.
 * Since: 0.1 */
EDDY_API bool eddy_filter_output_stream_get_close_base_stream (EddyFilterOutputStream *stream);

/** Says whether a close closes the base, too; if not, it flushes that. Thread: the stream's.
 * Since: 0.1 */
EDDY_API void eddy_filter_output_stream_set_close_base_stream (EddyFilterOutputStream *stream,
                                                               bool close_base);

/* --- programs' own kinds ---------------------------------------------------------------------- */

/**
 * Makes a filter input stream of a kind, whose struct begins with an EddyFilterInputStream.
 *
 * @input_class: the kind. Its dispose must call eddy_filter_input_stream_dispose() in the end, its
 *     close eddy_filter_input_stream_close_base(), or be that; likewise its get_name. It reads with
 *     eddy_input_stream_read() of the base
 * @base_stream: what it reads from, of which it keeps a reference
 *
 * Returns: the object with one reference, the rest of its memory zeroed; NULL when memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API void *eddy_filter_input_stream_new (const EddyInputStreamClass *input_class,
                                             EddyInputStream *base_stream) EDDY_MUST_USE;

/** Lets go of the base: the dispose of a kind that has nothing else to give up.
 * Thread: any. Since: 0.1 */
EDDY_API void eddy_filter_input_stream_dispose (void *object);

/** Closes the base, unless that is to stay open: the close of a kind that has nothing else to do.
 * Thread: the stream's. Since: 0.1 */
EDDY_API bool eddy_filter_input_stream_close_base (EddyInputStream *stream,
                                                   EddyCancellable *cancellable, EddyError **error);

/** What the base reads from, for messages: the get_name of a kind. Thread: the stream's.
 * Since: 0.1 */
EDDY_API const char *eddy_filter_input_stream_get_name (EddyInputStream *stream);

/**
 * Makes a filter output stream of a kind, whose struct begins with an EddyFilterOutputStream.
 *
 * @output_class: the kind. Its dispose must call eddy_filter_output_stream_dispose() in the end,
 *     its flush eddy_filter_output_stream_flush_base() after handing on what it has kept back, its
 *     close eddy_filter_output_stream_close_base(), or be these; likewise its get_name. It writes
 *     with eddy_output_stream_write() and its like to the base
 * @base_stream: what it writes to, of which it keeps a reference
 *
 * Returns: the object with one reference, the rest of its memory zeroed; NULL when memory is out
 * Thread: any
 * Since: 0.1
 */
EDDY_API void *eddy_filter_output_stream_new (const EddyOutputStreamClass *output_class,
                                              EddyOutputStream *base_stream) EDDY_MUST_USE;

/** Lets go of the base: the dispose of a kind that has nothing else to give up.
 * Thread: any. Since: 0.1 */
EDDY_API void eddy_filter_output_stream_dispose (void *object);

/** Flushes the base: the flush of a kind that keeps nothing back. Thread: the stream's.
 * Since: 0.1 */
EDDY_API bool eddy_filter_output_stream_flush_base (EddyOutputStream *stream,
                                                    EddyCancellable *cancellable,
                                                    EddyError **error);

/** Closes the base, unless that is to stay open: the close of a kind that has nothing else to do.
 * Thread: the stream's. Since: 0.1 */
EDDY_API bool eddy_filter_output_stream_close_base (EddyOutputStream *stream,
                                                    EddyCancellable *cancellable,
                                                    EddyError **error);

/** What the base writes to, for messages: the get_name of a kind. Thread: the stream's.
 * Since: 0.1 */
EDDY_API const char *eddy_filter_output_stream_get_name (EddyOutputStream *stream);

EDDY_END_DECLS

#endif
