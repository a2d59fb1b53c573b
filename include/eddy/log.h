/* SPDX-License-Identifier: MIT */
/* Messages to the programmer: misuse, lost errors, what was dropped. */
#ifndef EDDY_LOG_H
#define EDDY_LOG_H

#include <eddy/macros.h>

EDDY_BEGIN_DECLS

/** How grave a message is. */
typedef enum EddyLogLevel {
    /** A bug in the program: a function was misused. */
    EDDY_LOG_CRITICAL,
    /** Something was lost or ignored that the program may have wanted. */
    EDDY_LOG_WARNING,
    /** For whoever looks for a fault; off unless EDDY_DEBUG is set in the environment. */
    EDDY_LOG_DEBUG
} EddyLogLevel;

/**
 * Gets each message, one line without its end. May be called on any thread, also several at once;
 * must not call Eddy.
 */
typedef void (*EddyLogFunc) (EddyLogLevel level, const char *message, void *data);

/**
 * Sets what becomes of messages; the default writes them to standard error, each after "eddy: ".
 *
 * @function: the handler; NULL: the default again
 * @data: for @function
 *
 * Thread: before the first other thread uses Eddy
 * Since: 0.1
 */
EDDY_API void eddy_log_set_handler (EddyLogFunc function, void *data);

EDDY_END_DECLS

#endif
