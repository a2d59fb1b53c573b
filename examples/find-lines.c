/* SPDX-License-Identifier: MIT */
/* Lines: prints those of several files that have a text in them.
 *
 *   find-lines TEXT [FILE...]
 *
 * Streams are put on top of each other: what a file stream reads, a data input stream cuts into
 * lines. It reads ahead, so most lines cost no waiting at all. A line longer than 64 KiB is an
 * error, since this memory is the program's, and the file may be a stranger's. "-", or nothing, is
 * standard input. The exit status is grep's: 0 found, 1 not found, 2 something was wrong. */
#include <stdio.h>
#include <string.h>

#include <eddy/eddy.h>

static EddyDataInputStream *open_lines (const char *name, EddyError **error)
{
    EDDY_AUTO (EddyInputStream) input = NULL;
    if (strcmp (name, "-") == 0)
        input = eddy_stdin_stream_new ();
    else {
        EDDY_AUTO (EddyFile) file = eddy_file_new_for_path (name);
        input = EDDY_INPUT_STREAM (eddy_file_read (file, NULL, error));
    }
    return input == NULL ? NULL : eddy_data_input_stream_new (input);
}

/* How many lines of a file have the text in them; -1 on failure. */
static long find_in (const char *name, const char *text, EddyError **error)
{
    EDDY_AUTO (EddyDataInputStream) lines = open_lines (name, error);
    EDDY_AUTO (EddyError) failure = NULL;
    long n_found = 0;
    const char *line;
    size_t length;
    while (lines != NULL &&
           (line = eddy_data_input_stream_borrow_line (lines, &length, NULL, &failure)) != NULL) {
        if (memmem (line, length, text, strlen (text)) == NULL)
            continue;
        printf ("%s:", name);
        fwrite (line, 1, length, stdout);
        putchar ('\n');
        n_found++;
    }
    if (failure == NULL)
        return lines == NULL ? -1 : n_found;
    eddy_error_prefix (&failure, "%s: ", name);
    eddy_error_take (error, EDDY_TAKE (failure));
    return -1;
}

static int run (int argc, char **argv)
{
    char *standard_input[] = { argv[0], argv[1], "-" };
    if (argc == 2) {
        argv = standard_input;
        argc = 3;
    }
    int status = 1;
    for (int i = 2; i < argc; i++) {
        EDDY_AUTO (EddyError) error = NULL;
        long n_found = find_in (argv[i], argv[1], &error);
        if (n_found > 0 && status == 1)
            status = 0;
        if (n_found >= 0)
            continue;
        fprintf (stderr, "find-lines: %s\n", eddy_error_get_message (error));
        if (eddy_error_is_cancelled (error))
            return 1; /* of which eddy_run() makes 130 */
        status = 2;
    }
    return status;
}

int main (int argc, char **argv)
{
    bool help = argc == 2 && strcmp (argv[1], "--help") == 0;
    if (argc < 2 || help) {
        fputs ("usage: find-lines TEXT [FILE...]\n", help ? stdout : stderr);
        return help ? 0 : 2;
    }
    return eddy_run (run, argc, argv);
}
