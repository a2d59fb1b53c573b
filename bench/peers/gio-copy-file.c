/* SPDX-License-Identifier: MIT */
/*
 * gio-copy-file SOURCE DESTINATION: copies one file with g_file_copy.
 *
 * Why it is the fair way: g_file_copy is what GIO itself recommends for a whole file, and the
 * asynchronous call runs the very same code on a pool thread, so it cannot be faster. Inside it
 * tries a reflink, then splices through a pipe, then falls back to reading and writing. No progress
 * callback: reporting would only cost.
 */
#include <gio/gio.h>
#include <stdlib.h>

int main (int argc, char **argv)
{
    if (argc != 3) {
        g_printerr ("usage: gio-copy-file SOURCE DESTINATION\n");
        return 2;
    }
    GFile *source = g_file_new_for_commandline_arg (argv[1]);
    GFile *destination = g_file_new_for_commandline_arg (argv[2]);
    GError *error = NULL;
    gboolean copied = g_file_copy (source, destination, G_FILE_COPY_NONE, NULL, NULL, NULL, &error);
    if (!copied) {
        g_printerr ("gio-copy-file: %s\n", error->message);
        g_error_free (error);
    }
    g_object_unref (source);
    g_object_unref (destination);
    return copied ? EXIT_SUCCESS : EXIT_FAILURE;
}
