/* SPDX-License-Identifier: MIT */
/* Messages to the programmer, from inside the library. */
#pragma once

#include <eddy/log.h>

/* Formats one line of up to 1 KiB, longer ones are cut, and hands it to the handler. */
void eddy__log (EddyLogLevel level, const char *format, ...) EDDY_PRINTF (2, 3);
