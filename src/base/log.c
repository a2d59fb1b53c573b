/* SPDX-License-Identifier: MIT */
/* Messages to the programmer. */
#include "base/log-private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static EddyLogFunc log_handler;
static void *log_handler_data;

static bool log_is_wanted (EddyLogLevel level)
{
    return level != EDDY_LOG_DEBUG || secure_getenv ("EDDY_DEBUG") != NULL;
}

/* One write of the whole line, so that lines of several threads do not mix. */
static void log_default (EddyLogLevel level, const char *message, void *data)
{
    static const char *const names[] = { "critical", "warning", "debug" };
    (void) data;
    fprintf (stderr, "eddy: %s: %s\n", names[level], message);
}

void eddy_log_set_handler (EddyLogFunc function, void *data)
{
    log_handler = function;
    log_handler_data = data;
}

void eddy__log (EddyLogLevel level, const char *format, ...)
{
    if (!log_is_wanted (level))
        return;
    char message[1024];
    va_list arguments;
    va_start (arguments, format);
    vsnprintf (message, sizeof message, format, arguments);
    va_end (arguments);
    EddyLogFunc handler = log_handler != NULL ? log_handler : log_default;
    handler (level, message, log_handler_data);
}
