/* SPDX-License-Identifier: MIT */
/* Files and threads: SHA-256 sums of many files at once, folders with all that is in them.
 *
 *   checksum [-p] FILE...       prints the sums, as sha256sum(1) does
 *   checksum [-p] -c LIST...    compares files with such lines
 *
 * The main fiber walks folders and prints; meanwhile many files are read and summed by fibers on
 * the threads of a pool, one for each processor. The output is in the order in which files were
 * found, whichever is done first. -p tells how far it has come. At Ctrl-C what is done is printed,
 * what is under way ends, and what is not begun is not. */
#include "checksum.h"

#include <stdio.h>
#include <string.h>

static bool add_folder (Checksum *all, EddyFile *folder);

static bool add_file (Checksum *all, EddyFile *file, EddyFileType type)
{
    return type == EDDY_FILE_TYPE_DIRECTORY ? add_folder (all, file)
                                            : checksum_add (all, eddy_file_get_path (file), NULL);
}

/* Adds what is in a folder: files, and folders; links, fifos and the like are passed over. */
static bool add_folder (Checksum *all, EddyFile *folder)
{
    EDDY_AUTO (EddyError) error = NULL;
    EDDY_AUTO (EddyFileInfoList) children = eddy_file_list_children (folder, NULL, &error);
    if (children == NULL)
        return checksum_tell (all, error);
    bool goes_on = true;
    for (size_t i = 0; goes_on && i < eddy_file_info_list_get_length (children); i++) {
        const EddyFileInfo *info = eddy_file_info_list_get (children, i);
        EddyFileType type = eddy_file_info_get_file_type (info);
        EDDY_AUTO (EddyFile) child = eddy_file_get_child (folder, eddy_file_info_get_name (info));
        if (type == EDDY_FILE_TYPE_REGULAR || type == EDDY_FILE_TYPE_DIRECTORY)
            goes_on = add_file (all, child, type);
    }
    return goes_on;
}

static bool add_path (Checksum *all, const char *path)
{
    EDDY_AUTO (EddyError) error = NULL;
    EDDY_AUTO (EddyFile) file = eddy_file_new_for_path (path);
    EDDY_AUTO (EddyFileInfo)
    info = eddy_file_query_info (file, EDDY_FILE_QUERY_INFO_NONE, NULL, &error);
    return info != NULL ? add_file (all, file, eddy_file_info_get_file_type (info))
                        : checksum_tell (all, error);
}

/* ---- A fiber beside the main one, until that ends. */

static void print_progress (Checksum *all)
{
    double megabytes = (double) __atomic_load_n (&all->n_bytes, __ATOMIC_RELAXED) / 1e6;
    fprintf (stderr, "\r%zu files, %.1f MB", all->n_ended, megabytes);
}

static void *show_progress (void *data, EddyError **error)
{
    while (eddy_fiber_sleep (INT64_C (100000000), error))
        print_progress (data);
    return NULL;
}

/* ---- All of it. */

static int report (const Checksum *all)
{
    static const char *const format = "checksum: %s: %zu\n";
    if (all->n_odd_lines > 0)
        fprintf (stderr, format, "lines without a sum", all->n_odd_lines);
    if (all->n_unlike > 0)
        fprintf (stderr, format, "files with another sum", all->n_unlike);
    if (all->n_cancelled > 0)
        fprintf (stderr, format, "cancelled", all->n_cancelled);
    return all->n_failed + all->n_unlike + all->n_cancelled > 0;
}

static int run (int argc, char **argv)
{
    EDDY_AUTO (EddyError) error = NULL;
    EDDY_AUTO_GROUP (background) = eddy_group_new ();
    bool shows_progress = strcmp (argv[1], "-p") == 0;
    int first = 1 + shows_progress;
    bool checks = strcmp (argv[first], "-c") == 0;
    Checksum all = { .pool = eddy_pool_new (/* n_threads= */ 0, &error) };
    if (all.pool == NULL ||
        (shows_progress && !eddy_group_spawn (background, show_progress, &all, NULL, &error))) {
        (void) checksum_tell (&all, error);
        eddy_unref (all.pool);
        return 1;
    }
    bool goes_on = true;
    for (int i = first + checks; goes_on && i < argc; i++)
        goes_on = checks ? checksum_add_list (&all, argv[i]) : add_path (&all, argv[i]);
    while (all.n_ended < all.n_begun)
        checksum_end_oldest (&all);
    EDDY_SHIELD (-1)
    {
        (void) eddy_pool_close (all.pool, NULL, NULL);
    }
    eddy_unref (all.pool);
    if (shows_progress) {
        print_progress (&all);
        fputc ('\n', stderr);
    }
    return report (&all);
}

int main (int argc, char **argv)
{
    bool help = argc == 2 && strcmp (argv[1], "--help") == 0;
    int first = 1 + (argc > 1 && strcmp (argv[1], "-p") == 0);
    first += first < argc && strcmp (argv[first], "-c") == 0;
    if (first >= argc || argv[first][0] == '-') {
        fputs ("usage: checksum [-p] [-c] FILE...\n", help ? stdout : stderr);
        return help ? 0 : 2;
    }
    return eddy_run (run, argc, argv);
}
