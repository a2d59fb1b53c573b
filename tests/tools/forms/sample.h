/* SPDX-License-Identifier: MIT */
/* Operations of every kind and return type, for the tests of eddy-forms. */

#ifndef SAMPLE_H
#define SAMPLE_H

#include <eddy/eddy.h>

EDDY_BEGIN_DECLS

typedef struct SampleFile SampleFile;

typedef enum {
    SAMPLE_COPY_NONE = 0,
    SAMPLE_COPY_OVERWRITE = 1 << 0,
} SampleCopyFlags;

enum sample_answer {
    SAMPLE_ANSWER_NONE,
    SAMPLE_ANSWER_FOUND,
};

/* clang-format off */
/**
 * Copies the contents of @source, and what can be kept of its attributes, to @destination.
 *
 * Like all that writes, it is whole or absent:
 *   - a cancelled copy leaves no file behind,
 *   - nor does a failed one.
 *
 * @source: the file to copy
 * @destination: where to; its folder
 *     must exist
 * @flags: how
 * @progress_callback: told how far the copy is, or NULL
 * @progress_callback_data: passed to @progress_callback
 *
 * Returns: true, or false on failure
 * Errors: EDDY_IO_ERROR_EXISTS when @destination exists and @flags do not allow to
 *     overwrite it; EDDY_IO_ERROR_CANCELLED
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (JOB) /* a comment here is nobody's documentation */
bool sample_file_copy (SampleFile *source, SampleFile *destination,
                       SampleCopyFlags flags, // and here; as here
                       EddyCancellable *cancellable,
                       EddyFileProgressCallback progress_callback EDDY_CALLBACK,
                       /* its */ void *progress_callback_data,
                       EddyError **error);
/* clang-format on */

/**
 * @buffer: where to put the bytes
 *
 * Reads up to @size bytes.
 *
 * Since: 0.1
 */
EDDY_OPERATION (PRIMITIVE)
ssize_t sample_fd_read (int fd, void *buffer EDDY_BORROWED, size_t size, int64_t offset,
                        EddyCancellable *cancellable, EddyError **error);

/* clang-format off */
EDDY_OPERATION(PRIMITIVE) bool sample_path_write (SampleFile*folder,const char*path,
    const void*data EDDY_BORROWED,size_t size,size_t*bytes_written EDDY_OUT_LEN,
    EddyCancellable*cancellable,EddyError**error);
/* clang-format on */

EDDY_OPERATION (PRIMITIVE)
int sample_path_open (const char *path EDDY_COPIED, unsigned int flags, mode_t mode,
                      EddyCancellable *cancellable, EddyError **error);

/* How many there are, those of @more among them. */
EDDY_OPERATION (JOB)
int sample_words_count (const char *const *words, const char *const *more EDDY_COPIED,
                        EddyCancellable *cancellable, EddyError **error);

EddyContext *sample_file_get_context (SampleFile *file);

EDDY_OPERATION (FIBER)
SampleFile *sample_file_clone (SampleFile *file EDDY_HOME, EddyCancellable *cancellable,
                               EddyError **error);

/* The names are those of local variables in the forms. */
EDDY_OPERATION (FIBER)
char *sample_name_lookup (const char *name, bool value, double future, size_t *arguments EDDY_OUT,
                          enum sample_answer *done EDDY_OUT, EddyCancellable *cancellable,
                          EddyError **error);

EDDY_OPERATION (JOB)
int64_t sample_file_measure_disk_usage_of_everything (
    SampleFile *file EDDY_REF, SampleCopyFlags flags, EddyCancellable *cancellable,
    EddyFileProgressCallback progress EDDY_CALLBACK, void *progress_data, EddyError **error);

/** Waits; a program's own. */
EDDY_OPERATION_LOCAL (FIBER)
bool my_wait (EddyCancellable *cancellable, EddyError **error);

EDDY_OPERATION (PRIMITIVE)
bool sample_nothing (EddyCancellable *cancellable, EddyError **error);

#define SAMPLE_NO_OPERATION(x) EDDY_OPERATION (NOT_ONE)

EDDY_END_DECLS

#include "sample-forms.h"

#endif /* SAMPLE_H */
