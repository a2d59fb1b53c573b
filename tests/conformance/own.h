/* SPDX-License-Identifier: MIT */
/* Operations of a program's own, whose forms eddy-forms makes. */
#ifndef OWN_H
#define OWN_H

#include <eddy/eddy.h>

EDDY_BEGIN_DECLS

/**
 * Adds, pausing after each step.
 *
 * @start: where to begin
 * @count: how many steps
 * @steps: how many steps were made, also when it failed
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: the sum, or -1
 * Errors: LIMIT_EXCEEDED past 100 steps, CANCELLED
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION_LOCAL (FIBER)
int own_count_up (int start, int count, size_t *steps EDDY_OUT_LEN, EddyCancellable *cancellable,
                  EddyError **error);

/**
 * Puts two strings together.
 *
 * @first: a string
 * @second: a string
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: the string, to be freed with eddy_free(), or NULL
 * Errors: INVALID_ARGUMENT for an empty string
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION_LOCAL (JOB)
char *own_join (const char *first, const char *second, EddyCancellable *cancellable,
                EddyError **error);

/**
 * Reads bytes until the end, and counts them, telling its progress.
 *
 * @file: a file
 * @cancellable: a cancellable, or NULL
 * @progress_callback: told the bytes so far, or NULL
 * @progress_callback_data: for @progress_callback
 * @error: where to put the error
 *
 * Returns: its bytes, or NULL
 * Errors: as eddy_file_load_contents()
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION_LOCAL (FIBER)
EddyBytes *own_load (EddyFile *file, EddyCancellable *cancellable,
                     EddyFileProgressCallback progress_callback EDDY_CALLBACK,
                     void *progress_callback_data, EddyError **error);

/**
 * Takes a string apart.
 *
 * @number: how many bytes the first part has
 * @text: the string, NULL for "eddy"
 * @first: the first part
 * @rest: what is behind it
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether there are two parts
 * Errors: INVALID_ARGUMENT for too short a string
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION_LOCAL (JOB)
bool own_split (int number, const char *text, char **first EDDY_OUT, EddyBytes **rest EDDY_OUT,
                EddyCancellable *cancellable, EddyError **error);

/**
 * Has a fiber look for a text for a long time, but lets it go soon.
 *
 * @text: what to look for
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: what was found; NULL without an error: nothing
 * Errors: INVALID_ARGUMENT for an empty string
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION_LOCAL (FIBER)
EddyBytes *own_look_for (const char *text, EddyCancellable *cancellable, EddyError **error);

EDDY_END_DECLS

#include "own-forms.h"

#endif
