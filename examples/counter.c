/* SPDX-License-Identifier: MIT */
/* Saving: adds one to the number in a file, and prints it.
 *
 *   counter FILE
 *
 * The file is the old one or the new one, whole, whenever the program is killed. And however many
 * of these programs run at once, no addition is lost: each says which state of the file it has
 * read, by its etag, and begins again when somebody else was faster. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <eddy/eddy.h>

/* The file's etag, to be freed; NULL with an error, or without one: there is no file yet. */
static char *read_etag (EddyFile *file, EddyError **error)
{
    EDDY_AUTO (EddyFileInfo)
    info = eddy_file_query_info (file, EDDY_FILE_QUERY_INFO_NONE, NULL, error);
    return info == NULL ? NULL : eddy_file_info_get_etag (info);
}

/* Reads, adds and saves; false with WRONG_ETAG when another one came in between. */
static bool count_up (EddyFile *file, long *number, EddyError **error)
{
    EDDY_AUTO_FREE (char) etag = read_etag (file, error);
    if (etag == NULL)
        return false;
    EDDY_AUTO (EddyBytes) bytes = eddy_file_load_contents (file, NULL, error);
    if (bytes == NULL)
        return false;
    char text[32];
    *number = strtol (eddy_bytes_get_data (bytes), NULL, 10) + 1;
    int length = snprintf (text, sizeof text, "%ld\n", *number);
    return eddy_file_replace_contents (file, text, (size_t) length, etag, /* make_backup= */ false,
                                       EDDY_FILE_CREATE_NONE, /* new_etag= */ NULL, NULL, error);
}

static int run (int argc, char **argv)
{
    EDDY_AUTO (EddyFile) file = eddy_file_new_for_path (argv[1]);
    EDDY_AUTO (EddyError) error = NULL;
    long number = 0;
    (void) argc;
    while (!count_up (file, &number, &error)) {
        bool was_slower = eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_WRONG_ETAG) ||
                          eddy_error_matches (error, EDDY_IO_ERROR, EDDY_IO_ERROR_BUSY);
        if (!was_slower) {
            fprintf (stderr, "counter: %s\n", eddy_error_get_message (error));
            return 1;
        }
        eddy_clear_error (&error);
    }
    printf ("%ld\n", number);
    return 0;
}

int main (int argc, char **argv)
{
    bool help = argc == 2 && strcmp (argv[1], "--help") == 0;
    if (argc != 2 || help) {
        fputs ("usage: counter FILE\n", help ? stdout : stderr);
        return help ? 0 : 2;
    }
    return eddy_run (run, argc, argv);
}
