/* SPDX-License-Identifier: MIT */
/* UTF-8: most text is ASCII, which is looked at eight bytes at a time. */
#include "base/utf8-private.h"

#include <stdint.h>
#include <string.h>

#define UTF8_HIGH_BITS UINT64_C (0x8080808080808080)
#define UTF8_ONES UINT64_C (0x0101010101010101)

/* Whether eight bytes are ASCII without a NUL: one above 127 has its high bit set, and a NUL, or
 * what lies above it, gets it by the subtraction. */
static bool utf8_word_is_ascii (const unsigned char *bytes)
{
    uint64_t word;
    memcpy (&word, bytes, sizeof word);
    return ((word | (word - UTF8_ONES)) & UTF8_HIGH_BITS) == 0;
}

/* How many of the first bytes are ASCII; some less, where the last of them are few. */
static size_t utf8_skip_ascii (const unsigned char *bytes, size_t length)
{
    size_t at = 0;
    while (length - at >= sizeof (uint64_t) && utf8_word_is_ascii (bytes + at))
        at += sizeof (uint64_t);
    /* The rest together with some that were looked at before. */
    bool has_rest = length >= sizeof (uint64_t) && length - at < sizeof (uint64_t);
    return has_rest && utf8_word_is_ascii (bytes + length - sizeof (uint64_t)) ? length : at;
}

/* The bytes of the one character at the beginning; 0: there is none. */
static size_t utf8_measure (const unsigned char *bytes, size_t length)
{
    unsigned char first = bytes[0];
    if (first < 0x80)
        return first != 0 ? 1 : 0;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    size_t size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (size > length)
        return 0;
    /* What the second byte may be keeps out longer forms, surrogates, what is beyond Unicode. */
    unsigned char least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    unsigned char most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (bytes[1] < least || bytes[1] > most)
        return 0;
    for (size_t i = 2; i < size; i++)
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
    return size;
}

bool eddy__utf8_is_valid (const char *bytes, size_t length)
{
    const unsigned char *text = (const unsigned char *) bytes;
    size_t at = 0;
    while (at < length) {
        at += utf8_skip_ascii (text + at, length - at);
        if (at == length)
            break;
        size_t size = utf8_measure (text + at, length - at);
        if (size == 0)
            return false;
        at += size;
    }
    return true;
}
