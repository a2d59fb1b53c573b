/* SPDX-License-Identifier: MIT */
/* Streams of files: each reads and writes at a position of its own. */
#ifndef EDDY_FILE_STREAM_H
#define EDDY_FILE_STREAM_H

#include <eddy/file-handle.h>
#include <eddy/file.h>
#include <eddy/input-stream.h>
#include <eddy/io-stream.h>
#include <eddy/output-stream.h>

EDDY_BEGIN_DECLS

/** An input stream of a file, to be cast by EDDY_INPUT_STREAM(). An object. Its position can be set
 * unless the file is a device without positions. */
typedef struct EddyFileInputStream EddyFileInputStream;

/** An output stream of a file, to be cast by EDDY_OUTPUT_STREAM(). An object. Its position can be
 * set, and the file truncated, unless it appends. */
typedef struct EddyFileOutputStream EddyFileOutputStream;

/** An io stream of a file, to be cast by EDDY_IO_STREAM(). An object. Both its directions have one
 * position: who reads and writes at once does it by the handle. */
typedef struct EddyFileIOStream EddyFileIOStream;

/**
 * Opens a file to read it from the beginning.
 *
 * @file: a regular file or a device
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: a stream, or NULL
 * Errors: NOT_FOUND, PERMISSION_DENIED …: what open(2) gives; IS_DIRECTORY; NOT_REGULAR_FILE for a
 *     fifo and a socket; with the path
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (JOB)
EddyFileInputStream *eddy_file_read (EddyFile *file, EddyCancellable *cancellable,
                                     EddyError **error);

/**
 * Opens a file to write at its end, wherever that is by then; makes it if there is none.
 *
 * @file: a regular file or a device, or nothing yet
 * @flags: PRIVATE counts
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: a stream, or NULL
 * Errors: those of eddy_file_read()
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (JOB)
EddyFileOutputStream *eddy_file_append_to (EddyFile *file, EddyFileCreateFlags flags,
                                           EddyCancellable *cancellable, EddyError **error);

/**
 * Makes a file, and opens it to be written.
 *
 * @file: its name, of which there must be no file
 * @flags: PRIVATE counts
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: a stream, or NULL
 * Errors: EXISTS; those of eddy_file_read()
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (JOB)
EddyFileOutputStream *eddy_file_create (EddyFile *file, EddyFileCreateFlags flags,
                                        EddyCancellable *cancellable, EddyError **error);

/** As eddy_file_create(), to be read too. */
EDDY_OPERATION (JOB)
EddyFileIOStream *eddy_file_create_readwrite (EddyFile *file, EddyFileCreateFlags flags,
                                              EddyCancellable *cancellable, EddyError **error);

/**
 * Opens a file to read and to write it, from the beginning.
 *
 * @file: a regular file or a device
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: a stream, or NULL
 * Errors: those of eddy_file_read()
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (JOB)
EddyFileIOStream *eddy_file_open_readwrite (EddyFile *file, EddyCancellable *cancellable,
                                            EddyError **error);

/**
 * Opens a file beside another one, to replace it as a whole when the stream is closed: then what
 * was written is synced and takes the name, or the close fails and the old file is there. A close
 * that is cancelled leaves the old file too, and so does a stream that is given up without a close,
 * with a warning. Of what was not committed nothing is left. The close commits whatever has been
 * written: who could not write all of it closes with a cancelled cancellable. A splice that closes
 * the stream after a failure, and the close of a stream on top of this one that could not hand on
 * all it had, commit nothing.
 *
 * @file: what to replace: a regular file, that which a symbolic link leads to, or nothing yet
 * @etag: what the file must have at the beginning and at the end, or NULL
 * @make_backup: whether the old file stays as "NAME~"
 * @flags: how
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: a stream, or NULL
 * Errors: WRONG_ETAG; IS_DIRECTORY; NOT_REGULAR_FILE; PERMISSION_DENIED; BUSY where another process
 *     replaces it just now; NO_SPACE …, with the path; of the close also CANT_CREATE_BACKUP
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (JOB)
EddyFileOutputStream *eddy_file_replace (EddyFile *file, const char *etag, bool make_backup,
                                         EddyFileCreateFlags flags, EddyCancellable *cancellable,
                                         EddyError **error);

/** As eddy_file_replace(), to be read too: what was written, not the old file. Closing the output
 * stream is the commit. */
EDDY_OPERATION (JOB)
EddyFileIOStream *eddy_file_replace_readwrite (EddyFile *file, const char *etag, bool make_backup,
                                               EddyFileCreateFlags flags,
                                               EddyCancellable *cancellable, EddyError **error);

/**
 * Makes a file of which nobody else knows the name, and which only its owner may read and write, in
 * the folder for temporary files: $TMPDIR, else "/tmp". Whoever made it removes it.
 *
 * @tmpl: its name, in which the last "XXXXXX" becomes letters and digits; without a slash; or NULL
 * @stream: where to put the open file, or NULL
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: the file, or NULL
 * Errors: INVALID_ARGUMENT for a template without XXXXXX; NOT_FOUND, NO_SPACE …, with the path
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (JOB)
EddyFile *eddy_file_new_tmp (const char *tmpl, EddyFileIOStream **stream EDDY_OUT,
                             EddyCancellable *cancellable, EddyError **error);

/**
 * Makes a folder likewise, which only its owner may enter.
 *
 * @tmpl: its name, in which the last "XXXXXX" becomes letters and digits; without a slash; or NULL
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: the folder, or NULL
 * Errors: those of eddy_file_new_tmp()
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (JOB)
EddyFile *eddy_file_new_tmp_dir (const char *tmpl, EddyCancellable *cancellable, EddyError **error);

/**
 * Asks what the open file is, whatever its name means by now. It is the stream's one operation
 * meanwhile.
 *
 * @stream: a stream
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: the info, its name that by which the file was opened; or NULL
 * Errors: CLOSED; PENDING; CANCELLED; what statx(2) gives, with the path
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_OPERATION (STREAM)
EddyFileInfo *eddy_file_input_stream_query_info (EddyFileInputStream *stream,
                                                 EddyCancellable *cancellable, EddyError **error);

/** As eddy_file_input_stream_query_info(). */
EDDY_OPERATION (STREAM)
EddyFileInfo *eddy_file_output_stream_query_info (EddyFileOutputStream *stream,
                                                  EddyCancellable *cancellable, EddyError **error);

/** As eddy_file_input_stream_query_info(). */
EDDY_OPERATION (STREAM)
EddyFileInfo *eddy_file_io_stream_query_info (EddyFileIOStream *stream,
                                              EddyCancellable *cancellable, EddyError **error);

/** The open file, the stream's, for reading elsewhere in it. It is closed with the stream; while
 * operations of the handle are under way, the stream's close says PENDING, and the file is closed
 * when they have ended. Thread: any. Since: 0.1 */
EDDY_API EddyFileHandle *eddy_file_input_stream_get_handle (EddyFileInputStream *stream);

/** As eddy_file_input_stream_get_handle(). Thread: any. Since: 0.1 */
EDDY_API EddyFileHandle *eddy_file_output_stream_get_handle (EddyFileOutputStream *stream);

/** As eddy_file_input_stream_get_handle(). Thread: any. Since: 0.1 */
EDDY_API EddyFileHandle *eddy_file_io_stream_get_handle (EddyFileIOStream *stream);

/** The etag of what was written, once the stream has been closed: what eddy_file_info_get_etag()
 * tells of the file until somebody changes it. To be freed with eddy_free(); NULL before, after a
 * failure, and when memory is out. Thread: the stream's. Since: 0.1 */
EDDY_API char *eddy_file_output_stream_get_etag (EddyFileOutputStream *stream) EDDY_MUST_USE;

/** As eddy_file_output_stream_get_etag(), once its output stream has been closed.
 * Thread: the stream's. Since: 0.1 */
EDDY_API char *eddy_file_io_stream_get_etag (EddyFileIOStream *stream) EDDY_MUST_USE;

EDDY_END_DECLS

#include <eddy/file-stream-forms.h>

#endif
