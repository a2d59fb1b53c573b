/* SPDX-License-Identifier: MIT */
/* Errors whose code says more than their errno does. */
#pragma once

#include <eddy/error.h>

/* An error number of Eddy's own, above Linux's, which end at 4095: a name leads out of the EddyDir
 * that it was given to. In an EddyError it is PERMISSION_DENIED, and EXDEV, as Linux says. */
enum { EDDY__EESCAPES = 4096 };

/* An error of EDDY_IO_ERROR with this code; the errno is kept for who asks, the message is the
 * formatted text alone. */
void eddy__error_set_code (EddyError **error, EddyIOErrorCode code, int error_number,
                           const char *format, ...) EDDY_PRINTF (4, 5);

/* Errors that are there without memory; a new reference. */
EddyError *eddy__error_no_memory (void);
EddyError *eddy__error_cancelled (void);
