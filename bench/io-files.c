/* SPDX-License-Identifier: MIT */
/*
 * io-files load|query PATH TIMES: loads each file below a path, or asks what it is, 64 at once, so
 * many times over; prints nanoseconds per file. Fibers take the next file until there is none. The
 * peers are `gio-files`, `uv-files` and `loop-files`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <eddy/eddy.h>

#include "bench-files.h"

#define FILES_AT_ONCE 64

typedef struct FilesRun {
    const BenchFiles *files;
    size_t next;
    uint64_t bytes; /* of the files that were loaded, or asked */
} FilesRun;

static bool files_load (EddyFile *file, uint64_t *size, EddyError **error)
{
    EddyBytes *bytes = eddy_file_load_contents (file, NULL, error);
    if (bytes == NULL)
        return false;
    *size = eddy_bytes_get_size (bytes);
    eddy_unref (bytes);
    return true;
}

static bool files_query (EddyFile *file, uint64_t *size, EddyError **error)
{
    EddyFileInfo *info = eddy_file_query_info (file, EDDY_FILE_QUERY_INFO_NONE, NULL, error);
    if (info == NULL)
        return false;
    *size = (uint64_t) eddy_file_info_get_size (info);
    eddy_unref (info);
    return true;
}

static bool (*files_do) (EddyFile *file, uint64_t *size, EddyError **error);

static void *files_work (void *data, EddyError **error)
{
    FilesRun *run = data;
    while (run->next < run->files->count) {
        EddyFile *file = eddy_file_new_for_path (run->files->paths[run->next++]);
        uint64_t size = 0;
        bool done = file != NULL && files_do (file, &size, error);
        eddy_unref (file);
        if (!done)
            return NULL;
        run->bytes += size;
    }
    return NULL;
}

/* Whether every file was loaded whole, or asked. */
static bool files_run (const BenchFiles *files)
{
    FilesRun run = { files, 0, 0 };
    EddyError *error = NULL;
    EddyGroup *group = eddy_group_new ();
    size_t n_fibers = files->count < FILES_AT_ONCE ? files->count : FILES_AT_ONCE;
    bool done = group != NULL;
    for (size_t i = 0; done && i < n_fibers; i++)
        done = eddy_group_spawn (group, files_work, &run, NULL, &error);
    done = group != NULL && eddy_group_wait (group, done ? &error : NULL) && done;
    eddy_unref (group);
    if (!done)
        fprintf (stderr, "io-files: %s\n", error ? eddy_error_get_message (error) : "no memory");
    eddy_unref (error);
    return done && run.bytes == files->bytes;
}

static int files_main (int argc, char **argv)
{
    uint64_t times = argc == 4 ? strtoull (argv[3], NULL, 10) : 0;
    if (times == 0 || (strcmp (argv[1], "load") != 0 && strcmp (argv[1], "query") != 0)) {
        fputs ("usage: io-files load|query PATH TIMES\n", stderr);
        return 2;
    }
    files_do = strcmp (argv[1], "load") == 0 ? files_load : files_query;
    eddy_context_set_helps (NULL, true); /* the whole program is a batch of jobs */
    return bench_files_measure ("io-files", argv[2], times, files_run);
}

int main (int argc, char **argv)
{
    return eddy_run (files_main, argc, argv);
}
