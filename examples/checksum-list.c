/* SPDX-License-Identifier: MIT */
/* checksum: lists of sums, "SUM  NAME" in each line; where a name has odd characters in it they are
 * written as \n, \r and \\, and a \ stands before the sum. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checksum.h"

void checksum_print (const char *digits, const char *path)
{
    bool is_odd = strpbrk (path, "\\\n\r") != NULL;
    printf ("%s%s  ", is_odd ? "\\" : "", digits);
    for (; *path != '\0'; path++) {
        if (*path == '\n')
            fputs ("\\n", stdout);
        else if (*path == '\r')
            fputs ("\\r", stdout);
        else if (*path == '\\')
            fputs ("\\\\", stdout);
        else
            putchar (*path);
    }
    putchar ('\n');
}

/* The name as it is, in place. */
static void unescape (char *name)
{
    char *to = name;
    for (char *from = name; *from != '\0'; from++) {
        if (*from != '\\' || from[1] == '\0') {
            *to++ = *from;
            continue;
        }
        from++;
        *to++ = *from;
        if (*from == 'n' || *from == 'r')
            to[-1] = *from == 'n' ? '\n' : '\r';
    }
    *to = '\0';
}

static bool add_line (Checksum *all, char *line)
{
    bool is_odd = line[0] == '\\';
    char *digits = line + is_odd;
    bool is_good = strspn (digits, "0123456789abcdefABCDEF") == CHECKSUM_DIGITS &&
                   digits[CHECKSUM_DIGITS] == ' ' && digits[CHECKSUM_DIGITS + 1] != '\0' &&
                   strchr (" *", digits[CHECKSUM_DIGITS + 1]) != NULL;
    if (!is_good) {
        all->n_odd_lines++;
        return true;
    }
    char *name = digits + CHECKSUM_DIGITS + 2;
    digits[CHECKSUM_DIGITS] = '\0';
    for (char *digit = digits; *digit != '\0'; digit++)
        if (*digit >= 'A' && *digit <= 'F')
            *digit = (char) (*digit - 'A' + 'a');
    if (is_odd)
        unescape (name);
    return checksum_add (all, name, digits);
}

bool checksum_add_list (Checksum *all, const char *list)
{
    EDDY_AUTO (EddyError) error = NULL;
    EDDY_AUTO (EddyFile) file = eddy_file_new_for_path (list);
    EDDY_AUTO (EddyBytes) bytes = eddy_file_load_contents (file, NULL, &error);
    if (bytes == NULL)
        return checksum_tell (all, error);
    const char *text = eddy_bytes_get_data (bytes), *end = text + eddy_bytes_get_size (bytes);
    bool goes_on = true;
    while (goes_on && text < end) {
        const char *newline = memchr (text, '\n', (size_t) (end - text));
        size_t length = (size_t) ((newline != NULL ? newline : end) - text);
        char *line = strndup (text, length);
        goes_on = add_line (all, line);
        free (line);
        text += length + 1;
    }
    return goes_on;
}
