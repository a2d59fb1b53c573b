/* SPDX-License-Identifier: MIT */
/* The files below a folder, for the programs of bench/ that load or ask each of them; found before
 * the clock runs. */
#pragma once

#include <fts.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bench-clock.h"

typedef struct {
    char **paths;
    size_t count;
    uint64_t bytes; /* of all of them */
} BenchFiles;

static inline bool bench_files_add (BenchFiles *files, const FTSENT *entry)
{
    char **grown = realloc (files->paths, (files->count + 1) * sizeof (char *));
    char *path = strdup (entry->fts_path);
    files->paths = grown != NULL ? grown : files->paths;
    if (grown == NULL || path == NULL) {
        free (path);
        return false;
    }
    files->paths[files->count++] = path;
    files->bytes += (uint64_t) entry->fts_statp->st_size;
    return true;
}

/* The regular files at and below a path, in the folders' order; says why when there are none. */
static inline bool bench_files_find (BenchFiles *files, char *root)
{
    char *roots[] = { root, NULL };
    bool found = true;
    *files = (BenchFiles){ NULL, 0, 0 };
    FTS *tree = fts_open (roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    FTSENT *entry = NULL;
    while (tree != NULL && found && (entry = fts_read (tree)) != NULL)
        if (entry->fts_info == FTS_F)
            found = bench_files_add (files, entry);
    if (tree != NULL)
        fts_close (tree);
    if (!found || files->count == 0)
        fprintf (stderr, "%s: no files, or no memory for their names\n", root);
    return found && files->count > 0;
}

static inline void bench_files_clear (BenchFiles *files)
{
    for (size_t i = 0; i < files->count; i++)
        free (files->paths[i]);
    free (files->paths);
}

/* Measures a run over the files at and below a path, so many times, and prints nanoseconds per
 * file. The first run is not measured: what is cached is. Returns an exit status. */
static inline int bench_files_measure (const char *name, char *root, uint64_t times,
                                       bool (*run) (const BenchFiles *files))
{
    BenchFiles files;
    if (!bench_files_find (&files, root))
        return 1;
    bool right = run (&files);
    double begin_ns = bench_now_ns ();
    for (uint64_t i = 0; right && i < times; i++)
        right = run (&files);
    double elapsed_ns = bench_now_ns () - begin_ns;
    if (right)
        printf ("%.1f\n", elapsed_ns / (double) (files.count * times));
    else
        fprintf (stderr, "%s: not every file was done whole\n", name);
    bench_files_clear (&files);
    return right ? 0 : 1;
}
