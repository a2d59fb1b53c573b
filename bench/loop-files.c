/* SPDX-License-Identifier: MIT */
/*
 * loop-files load|query|query-by-all PATH TIMES: what io-files does, by plain system calls, the
 * least that they cost: one file after the other in one thread; or by a thread for each processor,
 * which no program can beat by much.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench-files.h"

/* Reads a whole file into memory of its own, as large as it is said to be. */
static bool loop_load (const char *path, uint64_t *size)
{
    struct stat status;
    int fd = open (path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat (fd, &status) != 0)
        return false;
    char *contents = malloc ((size_t) status.st_size + 1);
    size_t length = 0;
    ssize_t count = contents == NULL ? -1 : 1;
    while (count > 0 && length < (size_t) status.st_size) {
        count = read (fd, contents + length, (size_t) status.st_size - length);
        length += count > 0 ? (size_t) count : 0;
    }
    free (contents);
    close (fd);
    *size = length;
    return count >= 0;
}

static bool loop_query (const char *path, uint64_t *size)
{
    struct statx status;
    if (statx (AT_FDCWD, path, AT_NO_AUTOMOUNT, STATX_BASIC_STATS, &status) != 0)
        return false;
    *size = status.stx_size;
    return true;
}

static bool (*loop_do) (const char *path, uint64_t *size);

static bool loop_run (const BenchFiles *files)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < files->count; i++) {
        uint64_t size = 0;
        if (!loop_do (files->paths[i], &size))
            return false;
        bytes += size;
    }
    return bytes == files->bytes;
}

/* --- by all processors ------------------------------------------------------------------------ */

enum { MOST_THREADS = 256, FILES_AT_ONCE = 16 };

/* What the threads share; the numbers are atomic. */
typedef struct LoopTeam {
    const BenchFiles *files;
    size_t next;
    uint64_t bytes;
    bool failed;
} LoopTeam;

static void *team_work (void *data)
{
    LoopTeam *team = data;
    size_t n_files = team->files->count, first;
    uint64_t bytes = 0;
    while ((first = __atomic_fetch_add (&team->next, FILES_AT_ONCE, __ATOMIC_RELAXED)) < n_files)
        for (size_t i = first; i < first + FILES_AT_ONCE && i < n_files; i++) {
            uint64_t size = 0;
            if (!loop_query (team->files->paths[i], &size))
                __atomic_store_n (&team->failed, true, __ATOMIC_RELAXED);
            bytes += size;
        }
    __atomic_add_fetch (&team->bytes, bytes, __ATOMIC_RELAXED);
    return NULL;
}

static bool team_run (const BenchFiles *files)
{
    pthread_t threads[MOST_THREADS];
    LoopTeam team = { .files = files };
    long n_processors = sysconf (_SC_NPROCESSORS_ONLN);
    int n_others = (int) (n_processors < MOST_THREADS ? n_processors : MOST_THREADS) - 1;
    for (int i = 0; i < n_others; i++)
        if (pthread_create (&threads[i], NULL, team_work, &team) != 0)
            n_others = i;
    team_work (&team);
    for (int i = 0; i < n_others; i++)
        pthread_join (threads[i], NULL);
    return !team.failed && team.bytes == files->bytes;
}

int main (int argc, char **argv)
{
    uint64_t times = argc == 4 ? strtoull (argv[3], NULL, 10) : 0;
    bool loads = times != 0 && strcmp (argv[1], "load") == 0;
    bool by_all = times != 0 && strcmp (argv[1], "query-by-all") == 0;
    if (!loads && !by_all && (times == 0 || strcmp (argv[1], "query") != 0)) {
        fputs ("usage: loop-files load|query|query-by-all PATH TIMES\n", stderr);
        return 2;
    }
    loop_do = loads ? loop_load : loop_query;
    return bench_files_measure ("loop-files", argv[2], times, by_all ? team_run : loop_run);
}
