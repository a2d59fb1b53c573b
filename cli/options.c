/* SPDX-License-Identifier: MIT */
/* How every command reads its options, and complains of wrong ones. */
#include "command.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

int options_complain (const char *command, const char *format, ...)
{
    const char *blank = *command == '\0' ? "" : " ";
    va_list arguments;
    char text[512];
    va_start (arguments, format);
    vsnprintf (text, sizeof text, format, arguments);
    va_end (arguments);
    fprintf (stderr, "eddy%s%s: %s (try: eddy%s%s --help)\n", blank, command, text, blank, command);
    return STATUS_USAGE;
}

/* The letters of getopt(3): each option of the table whose value is one. The colon in front has a
 * missing argument told from an unknown option. */
static void options_letters (const struct option *table, char *letters, size_t size)
{
    size_t len = 0;
    letters[len++] = ':';
    for (const struct option *option = table; option->name != NULL; option++) {
        if (!isalpha (option->val) || len + 3 > size)
            continue;
        letters[len++] = (char) option->val;
        if (option->has_arg == required_argument)
            letters[len++] = ':';
    }
    letters[len] = '\0';
}

int options_next (const char *command, int argc, char **argv, const struct option *table)
{
    char letters[64];
    options_letters (table, letters, sizeof letters);
    opterr = 0;
    int value = getopt_long (argc, argv, letters, table, NULL);
    if (value != '?' && value != ':')
        return value;
    const char *word = argv[optind - 1];
    if (value == ':')
        options_complain (command, "%s needs a value", word);
    else if (optopt != 0 && word[0] == '-' && word[1] == '-')
        options_complain (command, "%s takes no value", word);
    else if (optopt != 0)
        options_complain (command, "unknown option -%c", optopt);
    else
        options_complain (command, "unknown option %s", word);
    return OPTIONS_WRONG;
}
