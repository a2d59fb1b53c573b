/* SPDX-License-Identifier: MIT */
/*
 * concurrency-parked time|resident N: N fibers that wait for one future, all of them at once; then
 * they are woken and joined. Prints nanoseconds each for all of that, or the resident bytes of each
 * while it waited. Peer: `go-concurrency parked` and `resident`.
 *
 * Both are told on stderr, with the page tables, which no process counts as its own: the kernel has
 * 4 KiB of them for every 8 stacks. More than some 32,000 fibers take a kernel with
 * MADV_GUARD_INSTALL (Linux 6.13); elsewhere the others fail with NO_MEMORY, which is told.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <eddy/eddy.h>

#include "bench-clock.h"

/* Of memory for each, at most: who has less would be killed, or have others killed. */
#define PARKED_NEEDED 6144

typedef struct {
    EddyFuture *gate;
    uint64_t waiting;
} Parked;

/* A line that is in kB, in bytes. */
static double parked_read_bytes (const char *path, const char *name)
{
    char line[256];
    double bytes = -1;
    FILE *lines = fopen (path, "re");
    while (lines && fgets (line, sizeof line, lines))
        if (strncmp (line, name, strlen (name)) == 0)
            bytes = strtod (line + strlen (name), NULL) * 1024;
    if (lines)
        fclose (lines);
    return bytes;
}

static double parked_resident (void)
{
    return parked_read_bytes ("/proc/self/status", "VmRSS:");
}

static double parked_tables (void)
{
    return parked_read_bytes ("/proc/self/status", "VmPTE:");
}

static void *parked_run (void *data, EddyError **error)
{
    Parked *parked = data;
    parked->waiting++;
    return eddy_await (parked->gate, error);
}

/* Lets all begin: each then waits for the gate. */
static bool parked_spawn (Parked *parked, EddyFuture **fibers, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        fibers[i] = eddy_spawn_local (parked_run, parked, NULL);
    eddy_fiber_yield ();
    return parked->waiting == count;
}

/* Returns how many came back with what the gate gave; tells of the first that did not. */
static uint64_t parked_join (Parked *parked, EddyFuture **fibers, uint64_t count)
{
    EDDY_AUTO (EddyError) error = NULL;
    uint64_t joined = 0;
    for (uint64_t i = 0; i < count; i++) {
        joined += eddy_await (fibers[i], error ? NULL : &error) == parked;
        eddy_unref (fibers[i]);
    }
    if (joined != count)
        fprintf (stderr, "concurrency-parked: of %" PRIu64 " fibers %" PRIu64 " waited: %s\n",
                 count, parked->waiting, error ? eddy_error_get_message (error) : "no error");
    return joined;
}

static int parked_main (int argc, char **argv)
{
    uint64_t count = argc == 3 ? strtoull (argv[2], NULL, 10) : 0;
    double available = parked_read_bytes ("/proc/meminfo", "MemAvailable:");
    if ((double) count * PARKED_NEEDED > available) {
        fprintf (stderr, "concurrency-parked: %.0f MiB are needed, and %.0f available\n",
                 (double) count * PARKED_NEEDED / 1048576, available / 1048576);
        return 1;
    }
    EddyFuture **fibers = count == 0 ? NULL : calloc (count, sizeof *fibers);
    EddyTask *opener = eddy_task_new (NULL, NULL, NULL, NULL);
    if (!fibers || !opener) {
        fputs ("usage: concurrency-parked time|resident N\n", stderr);
        return 2;
    }
    EDDY_AUTO (EddyFuture) gate = eddy_task_get_future (opener);
    Parked parked = { .gate = gate };
    double before = parked_resident (), tables_before = parked_tables ();
    double begin_ns = bench_now_ns ();
    bool all_wait = parked_spawn (&parked, fibers, count);
    double parked_ns = bench_now_ns () - begin_ns;
    double resident = (parked_resident () - before) / (double) count;
    double tables = (parked_tables () - tables_before) / (double) count;
    begin_ns = bench_now_ns ();
    eddy_task_return_pointer (opener, &parked, NULL);
    eddy_task_unref (opener);
    uint64_t joined = parked_join (&parked, fibers, count);
    double joined_ns = bench_now_ns () - begin_ns;
    free (fibers);
    if (!all_wait || joined != count)
        return 1;
    fprintf (stderr,
             "%" PRIu64 " fibers: spawned and parked in %.2f s, woken and joined in %.2f s; "
             "of each %.0f bytes resident, and %.0f of page tables\n",
             count, parked_ns / 1e9, joined_ns / 1e9, resident, tables);
    printf ("%.3f\n",
            strcmp (argv[1], "time") == 0 ? (parked_ns + joined_ns) / (double) count : resident);
    return 0;
}

int main (int argc, char **argv)
{
    return eddy_run (parked_main, argc, argv);
}
