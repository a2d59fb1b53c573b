/* SPDX-License-Identifier: MIT */
/*
 * concurrency-dump N: how long it takes to dump N parked fibers: a third of them each wait for a
 * future, for time, and for a channel. Prints milliseconds. Each must have its line.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <eddy/eddy.h>

#include "bench-clock.h"

/* A name that stands nowhere else in a dump. */
#define DUMPED_NAME "dumped-fiber"

typedef struct {
    EddyFuture *gate;
    EddyChannel *channel;
} Dumped;

static void *dumped_future (void *data, EddyError **error)
{
    return eddy_await (((Dumped *) data)->gate, error);
}

static void *dumped_sleep (void *data, EddyError **error)
{
    return eddy_fiber_sleep (INT64_C (3600000000000), error) ? data : NULL;
}

static void *dumped_receive (void *data, EddyError **error)
{
    return eddy_channel_receive (((Dumped *) data)->channel, NULL, error);
}

/* How often the name stands in a file. */
static uint64_t dump_count (int fd)
{
    struct stat status;
    uint64_t found = 0;
    if (fstat (fd, &status) < 0 || status.st_size == 0)
        return 0;
    size_t size = (size_t) status.st_size;
    char *text = mmap (NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (text == MAP_FAILED)
        return 0;
    for (char *at = text;
         (at = memmem (at, size - (size_t) (at - text), DUMPED_NAME, strlen (DUMPED_NAME))) != NULL;
         at++)
        found++;
    munmap (text, size);
    return found;
}

/* Milliseconds, below 0 on failure. */
static double dump_measure (uint64_t count)
{
    EDDY_AUTO (EddyError) error = NULL;
    int fd = memfd_create ("concurrency-dump", MFD_CLOEXEC);
    double begin_ns = bench_now_ns ();
    if (fd < 0 || !eddy_context_dump (NULL, fd, &error)) {
        fprintf (stderr, "concurrency-dump: %s\n",
                 error ? eddy_error_get_message (error) : "memfd");
        return -1;
    }
    double elapsed_ns = bench_now_ns () - begin_ns;
    uint64_t found = dump_count (fd);
    close (fd);
    if (found >= count)
        return elapsed_ns / 1e6;
    fprintf (stderr, "concurrency-dump: %" PRIu64 " fibers of %" PRIu64 " are told of\n", found,
             count);
    return -1;
}

static int dump_main (int argc, char **argv)
{
    static const EddyFiberFunc kinds[] = { dumped_future, dumped_sleep, dumped_receive };
    EddyFiberOptions options = { .name = DUMPED_NAME };
    uint64_t count = argc == 2 ? strtoull (argv[1], NULL, 10) : 0;
    EddyFuture **fibers = count == 0 ? NULL : calloc (count, sizeof *fibers);
    EddyTask *opener = eddy_task_new (NULL, NULL, NULL, NULL);
    EDDY_AUTO (EddyChannel) channel = eddy_channel_new (0, NULL);
    if (!fibers || !opener || !channel) {
        fputs ("usage: concurrency-dump N\n", stderr);
        return 2;
    }
    EDDY_AUTO (EddyFuture) gate = eddy_task_get_future (opener);
    Dumped dumped = { .gate = gate, .channel = channel };
    for (uint64_t i = 0; i < count; i++)
        fibers[i] = eddy_spawn_full (NULL, kinds[i % 3], &dumped, NULL, &options, EDDY_PLACE);
    eddy_fiber_yield ();
    double warm_up_ms = dump_measure (count), elapsed_ms = dump_measure (count);
    for (uint64_t i = 0; i < count; i++)
        eddy_future_cancel (fibers[i]);
    for (uint64_t i = 0; i < count; i++) {
        (void) eddy_await_complete (fibers[i], NULL);
        eddy_unref (fibers[i]);
    }
    eddy_task_return_boolean (opener, true);
    eddy_task_unref (opener);
    free (fibers);
    if (warm_up_ms < 0 || elapsed_ms < 0)
        return 1;
    printf ("%.3f\n", elapsed_ms);
    return 0;
}

int main (int argc, char **argv)
{
    return eddy_run (dump_main, argc, argv);
}
