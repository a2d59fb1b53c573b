/* SPDX-License-Identifier: MIT */
/* Numbers as addresses have them: digits, and nothing else. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads a decimal number from 0 to `most`, of at least one digit: no sign, no space, nothing behind
 * it. strtoul() would take all of these. */
static inline bool eddy__read_number (const char *text, size_t length, uint32_t most,
                                      uint32_t *number)
{
    uint64_t value = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = 10 * value + (uint64_t) (text[i] - '0');
        if (value > most)
            return false;
    }
    *number = (uint32_t) value;
    return length > 0;
}
