/* SPDX-License-Identifier: MIT */
/* Numbers and names as people read them. */
#include "text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

Text text_of_size (uint64_t bytes)
{
    static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    Text text;
    if (bytes < 1024) {
        snprintf (text.buf, sizeof text.buf, "%u B", (unsigned) bytes);
        return text;
    }
    double amount = (double) bytes / 1024;
    size_t unit = 0;
    /* What would be printed as 1024.0 is the next unit's. */
    while (amount >= 1023.95 && unit + 1 < sizeof units / sizeof units[0]) {
        amount /= 1024;
        unit++;
    }
    snprintf (text.buf, sizeof text.buf, "%.1f %s", amount, units[unit]);
    return text;
}

Text text_of_count (uint64_t count)
{
    Text text;
    char reversed[sizeof text.buf];
    size_t len = 0;
    for (unsigned digits = 0; count > 0 || digits == 0; digits++, count /= 10) {
        if (digits > 0 && digits % 3 == 0)
            reversed[len++] = ',';
        reversed[len++] = (char) ('0' + count % 10);
    }
    for (size_t i = 0; i < len; i++)
        text.buf[i] = reversed[len - 1 - i];
    text.buf[len] = '\0';
    return text;
}

Text text_of_seconds (double seconds)
{
    Text text;
    /* Nobody waits for more than 9,999 hours. */
    unsigned whole = seconds < 35996400 ? (unsigned) (seconds + 0.5) : 35996400;
    unsigned hours = whole / 3600, minutes = whole / 60 % 60;
    if (hours > 0)
        snprintf (text.buf, sizeof text.buf, "%u:%02u:%02u", hours, minutes, whole % 60);
    else
        snprintf (text.buf, sizeof text.buf, "%u:%02u", minutes, whole % 60);
    return text;
}

/* Bytes of the UTF-8 character at `bytes` that a terminal may be shown; 0: none. */
static size_t text_printable (const unsigned char *bytes)
{
    static const unsigned char first_of_two = 0xC2, first_of_three = 0xE0, first_of_four = 0xF0;
    unsigned char first = bytes[0];
    if (first < 0x80)
        return first >= 0x20 && first != 0x7F ? 1 : 0;
    size_t len = first >= first_of_four ? 4 : first >= first_of_three ? 3 : 2;
    if (first < first_of_two || first > 0xF4)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((bytes[i] & 0xC0) != 0x80)
            return 0;
    /* U+0080 … U+009F are control characters; the others are longer forms, halves of UTF-16, and
     * what lies beyond Unicode. */
    bool wrong = (first == 0xC2 && bytes[1] < 0xA0) || (first == 0xE0 && bytes[1] < 0xA0) ||
                 (first == 0xED && bytes[1] >= 0xA0) || (first == 0xF0 && bytes[1] < 0x90) ||
                 (first == 0xF4 && bytes[1] >= 0x90);
    return wrong ? 0 : len;
}

void text_escape (const char *message, char *buf, size_t size)
{
    const unsigned char *bytes = (const unsigned char *) message;
    size_t len = 0;
    while (*bytes != '\0' && len + 5 < size) {
        size_t printable = text_printable (bytes);
        if (printable > 0) {
            memcpy (buf + len, bytes, printable);
            len += printable;
            bytes += printable;
            continue;
        }
        const char *letter = strchr ("\aa\bb\tt\nn\vv\ff\rr", *bytes);
        len += (size_t) (letter != NULL && *bytes < 0x20
                             ? snprintf (buf + len, size - len, "\\%c", letter[1])
                             : snprintf (buf + len, size - len, "\\%03o", *bytes));
        bytes++;
    }
    buf[len] = '\0';
}
