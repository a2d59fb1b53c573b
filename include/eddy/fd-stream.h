/* SPDX-License-Identifier: MIT */
/* Streams on file descriptors that the program has: pipes, terminals, standard input and output. */
#ifndef EDDY_FD_STREAM_H
#define EDDY_FD_STREAM_H

#include <eddy/input-stream.h>
#include <eddy/output-stream.h>

EDDY_BEGIN_DECLS

/**
 * Makes a stream that reads a file descriptor, which stays as blocking as it is.
 *
 * @fd: a file descriptor
 * @close_fd: whether it is closed with the stream
 *
 * Returns: a stream with one reference, or NULL when memory is out, and @fd is open
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyInputStream *eddy_fd_input_stream_new (int fd, bool close_fd);

/**
 * Makes a stream that writes to a file descriptor, which stays as blocking as it is. A reader that
 * has gone is an error, BROKEN_PIPE, and no signal.
 *
 * @fd: a file descriptor
 * @close_fd: whether it is closed with the stream
 *
 * Returns: a stream with one reference, or NULL when memory is out, and @fd is open
 * Thread: any
 * Since: 0.1
 */
EDDY_API EddyOutputStream *eddy_fd_output_stream_new (int fd, bool close_fd);

/** The file descriptor of a stream that eddy_fd_input_stream_new() made. Thread: any. Since: 0.1 */
EDDY_API int eddy_fd_input_stream_get_fd (EddyInputStream *stream);

/** The file descriptor of a stream that eddy_fd_output_stream_new() made.
 * Thread: any. Since: 0.1 */
EDDY_API int eddy_fd_output_stream_get_fd (EddyOutputStream *stream);

/** Makes a stream that reads standard input, which stays open. NULL when memory is out.
 * Thread: any. Since: 0.1 */
EDDY_API EddyInputStream *eddy_stdin_stream_new (void);

/** Makes a stream that writes to standard output, which stays open. NULL when memory is out.
 * Thread: any. Since: 0.1 */
EDDY_API EddyOutputStream *eddy_stdout_stream_new (void);

/** Makes a stream that writes to standard error, which stays open. NULL when memory is out.
 * Thread: any. Since: 0.1 */
EDDY_API EddyOutputStream *eddy_stderr_stream_new (void);

EDDY_END_DECLS

#endif
