/* SPDX-License-Identifier: MIT */
/*
 * gio-files load|query PATH TIMES: what io-files does, by g_file_load_contents_async() and
 * g_file_query_info_async().
 *
 * Why it is the fair way: GIO's own asynchronous calls on one main loop, its pool of ten threads
 * behind them, 64 in flight; asked for is what each of Eddy's infos has, and nothing that would
 * cost GIO a look-up of its own, such as the owner's name or the kind of contents.
 */
#include <gio/gio.h>
#include <stdlib.h>
#include <string.h>

#include "../bench-files.h"

#define FILES_AT_ONCE 64

/* What one call of statx(2) tells. */
#define FILES_ATTRIBUTES                                                                           \
    "standard::name,standard::type,standard::size,standard::allocated-size,"                       \
    "unix::mode,unix::uid,unix::gid,unix::inode,unix::device,unix::nlink,"                         \
    "time::access,time::access-nsec,time::modified,time::modified-nsec,"                           \
    "time::changed,time::changed-nsec,time::created,time::created-nsec"

typedef struct {
    const BenchFiles *files;
    size_t next;
    unsigned in_flight;
    uint64_t bytes;
    gboolean failed;
} FilesRun;

static gboolean files_loads;

static void files_begin (FilesRun *run);

static void files_done (GObject *source, GAsyncResult *result, void *data)
{
    FilesRun *run = data;
    GError *error = NULL;
    if (files_loads) {
        char *contents;
        gsize length = 0;
        if (g_file_load_contents_finish (G_FILE (source), result, &contents, &length, NULL, &error))
            g_free (contents);
        run->bytes += length;
    } else {
        GFileInfo *info = g_file_query_info_finish (G_FILE (source), result, &error);
        run->bytes += info != NULL ? (uint64_t) g_file_info_get_size (info) : 0;
        g_clear_object (&info);
    }
    if (error != NULL) {
        g_printerr ("gio-files: %s\n", error->message);
        g_error_free (error);
        run->failed = TRUE;
    }
    run->in_flight--;
    files_begin (run);
}

static void files_begin (FilesRun *run)
{
    if (run->failed || run->next == run->files->count)
        return;
    GFile *file = g_file_new_for_path (run->files->paths[run->next++]);
    run->in_flight++;
    if (files_loads)
        g_file_load_contents_async (file, NULL, files_done, run);
    else
        g_file_query_info_async (file, FILES_ATTRIBUTES, G_FILE_QUERY_INFO_NONE, G_PRIORITY_DEFAULT,
                                 NULL, files_done, run);
    g_object_unref (file);
}

static bool files_run (const BenchFiles *files)
{
    FilesRun run = { .files = files };
    for (int i = 0; i < FILES_AT_ONCE; i++)
        files_begin (&run);
    while (run.in_flight > 0)
        g_main_context_iteration (NULL, TRUE);
    return !run.failed && run.bytes == files->bytes;
}

int main (int argc, char **argv)
{
    uint64_t times = argc == 4 ? strtoull (argv[3], NULL, 10) : 0;
    if (times == 0 || (strcmp (argv[1], "load") != 0 && strcmp (argv[1], "query") != 0)) {
        fputs ("usage: gio-files load|query PATH TIMES\n", stderr);
        return 2;
    }
    files_loads = strcmp (argv[1], "load") == 0;
    return bench_files_measure ("gio-files", argv[2], times, files_run);
}
