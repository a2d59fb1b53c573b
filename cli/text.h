/* SPDX-License-Identifier: MIT */
/* Numbers and names as people read them. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Room for any of the numbers below. */
typedef struct Text {
    char buf[32];
} Text;

/* "0 B", "1.5 KiB", "12.0 GiB" */
Text text_of_size (uint64_t bytes);
/* "12,345" */
Text text_of_count (uint64_t count);
/* "0:07", "1:02:33" */
Text text_of_seconds (double seconds);

/* Copies a message for a terminal: control characters and bytes that are no UTF-8 become escapes
 * such as \n and \377. Cuts at `size`, its end included. */
void text_escape (const char *message, char *buf, size_t size);
