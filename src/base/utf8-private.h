/* SPDX-License-Identifier: MIT */
/* UTF-8. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Whether bytes are text in UTF-8: whole characters, each in its shortest form, no surrogates, and
 * no NUL, which would end a string early. */
bool eddy__utf8_is_valid (const char *bytes, size_t length);
