/* SPDX-License-Identifier: MIT */
/* Operations of the scenarios' own, whose forms eddy-forms makes. */
#ifndef STEPS_H
#define STEPS_H

#include <eddy/eddy.h>

EDDY_BEGIN_DECLS

/**
 * Counts, with a pause after each step.
 *
 * @count: how many steps
 * @steps: how many were made, also when it failed
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: @count, or -1
 * Errors: CANCELLED
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION_LOCAL (FIBER)
int steps_count (int count, size_t *steps EDDY_OUT_LEN, EddyCancellable *cancellable,
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
 * Errors: NO_MEMORY
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION_LOCAL (JOB)
char *steps_join (const char *first, const char *second, EddyCancellable *cancellable,
                  EddyError **error);

EDDY_END_DECLS

#include "steps-forms.h"

#endif
