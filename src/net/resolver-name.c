/* SPDX-License-Identifier: MIT */
/* What is a name of a host. */
#include <string.h>
#include <strings.h>

#include "net/resolver-private.h"

enum { NAME_MOST = 253, LABEL_MOST = 63 };

static bool name_is_letter_or_digit (char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Its length without the "." at its end. */
static size_t name_measure (const char *name)
{
    size_t length = strlen (name);
    return length > 1 && name[length - 1] == '.' ? length - 1 : length;
}

bool eddy__name_is_hostname (const char *name)
{
    size_t length = name_measure (name), label = 0;
    if (length == 0 || length > NAME_MOST)
        return false;
    for (size_t i = 0; i < length; i++) {
        bool is_dot = name[i] == '.';
        if (!is_dot && !name_is_letter_or_digit (name[i]) && name[i] != '-' && name[i] != '_')
            return false;
        if (is_dot ? label == 0 : label == LABEL_MOST)
            return false;
        label = is_dot ? 0 : label + 1;
    }
    return label > 0;
}

bool eddy__name_check (const char *name, EddyError **error)
{
    if (eddy__name_is_hostname (name))
        return true;
    bool is_ascii = true;
    for (const char *c = name; *c != '\0' && is_ascii; c++)
        is_ascii = (unsigned char) *c < 0x80;
    if (is_ascii)
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_ARGUMENT,
                        "\"%.300s\" is no name of a host", name);
    else
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_ARGUMENT,
                        "\"%.300s\" is no name of a host: names are looked up in their ASCII form, "
                        "which begins with \"xn--\"",
                        name);
    return false;
}

/* No top-level domain is a number, so a name whose last part is one was to be an address. */
bool eddy__name_is_numeric (const char *name)
{
    size_t length = name_measure (name), begin = length;
    while (begin > 0 && name[begin - 1] != '.')
        begin--;
    const char *digits = "0123456789";
    if (length - begin >= 2 && name[begin] == '0' && (name[begin + 1] | 0x20) == 'x') {
        begin += 2;
        digits = "0123456789abcdefABCDEF";
    }
    size_t count = strspn (name + begin, digits);
    return length > 0 && name[length - 1] != '.' && count >= length - begin;
}

bool eddy__name_is_in (const char *name, const char *domain)
{
    size_t length = name_measure (name), domain_length = strlen (domain);
    if (length < domain_length)
        return false;
    size_t begin = length - domain_length;
    return strncasecmp (name + begin, domain, domain_length) == 0 &&
           (begin == 0 || name[begin - 1] == '.');
}

bool eddy__name_is_localhost (const char *name)
{
    return eddy__name_is_hostname (name) && eddy__name_is_in (name, "localhost");
}
