/* SPDX-License-Identifier: MIT */
/* Streams: writes files to standard output, one after the other.
 *
 *   cat [FILE...]
 *
 * A file, a pipe and a terminal are read and written alike, and a splice moves all that one stream
 * has to another: without its bytes passing through the program where the kernel can do that. "-",
 * or nothing, is standard input. A file that cannot be read is told, and the next one follows. */
#include <stdio.h>
#include <string.h>

#include <eddy/eddy.h>

static EddyInputStream *open_input (const char *name, EddyError **error)
{
    if (strcmp (name, "-") == 0)
        return eddy_stdin_stream_new ();
    EDDY_AUTO (EddyFile) file = eddy_file_new_for_path (name);
    return EDDY_INPUT_STREAM (eddy_file_read (file, NULL, error));
}

static bool cat (const char *name, EddyOutputStream *output, EddyError **error)
{
    EDDY_AUTO (EddyInputStream) input = open_input (name, error);
    return input != NULL &&
           eddy_output_stream_splice (output, input, EDDY_OUTPUT_STREAM_SPLICE_CLOSE_SOURCE, NULL,
                                      NULL, error);
}

/* Whether the next file would fare no better. */
static bool is_the_end (const EddyError *error)
{
    return eddy_error_is_cancelled (error) ||
           eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_BROKEN_PIPE) ||
           eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_NO_SPACE);
}

static int run (int argc, char **argv)
{
    char *standard_input[] = { argv[0], "-" };
    EDDY_AUTO (EddyOutputStream) output = eddy_stdout_stream_new ();
    int status = 0;
    if (argc == 1) {
        argv = standard_input;
        argc = 2;
    }
    for (int i = 1; i < argc; i++) {
        EDDY_AUTO (EddyError) error = NULL;
        if (cat (argv[i], output, &error))
            continue;
        fprintf (stderr, "cat: %s\n", eddy_error_get_message (error));
        status = 1;
        if (is_the_end (error))
            break;
    }
    return status;
}

int main (int argc, char **argv)
{
    if (argc == 2 && strcmp (argv[1], "--help") == 0) {
        puts ("usage: cat [FILE...]");
        return 0;
    }
    return eddy_run (run, argc, argv);
}
