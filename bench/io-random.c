/* SPDX-License-Identifier: MIT */
/*
 * io-random cached|cold FILE N FIBERS: N reads of 4 KiB at random places of a file, each awaited by
 * one of so many fibers, begun when the process has one thread; prints nanoseconds per read. The
 * peers are `loop-random` and `uv-random`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <eddy/eddy.h>

#include "bench-alone.h"
#include "bench-clock.h"
#include "bench-random.h"

typedef struct RandomRun {
    BenchRandom blocks;
    EddyFileHandle *handle;
    size_t next;
    size_t right;
} RandomRun;

static void *random_work (void *data, EddyError **error)
{
    RandomRun *run = data;
    _Alignas(RANDOM_BLOCK) char block[RANDOM_BLOCK];
    while (run->next < run->blocks.count) {
        uint32_t number = run->blocks.order[run->next++];
        ssize_t count = eddy_file_handle_read_at (run->handle, block, sizeof block,
                                                  (int64_t) number * RANDOM_BLOCK, NULL, error);
        if (count < 0)
            return NULL;
        run->right += count == sizeof block && bench_random_is_block (block, number);
    }
    return NULL;
}

static bool random_run (RandomRun *run, unsigned n_fibers, EddyError **error)
{
    EddyGroup *group = eddy_group_new ();
    bool done = group != NULL;
    for (unsigned i = 0; done && i < n_fibers; i++)
        done = eddy_group_spawn (group, random_work, run, NULL, error);
    done = group != NULL && eddy_group_wait (group, done ? error : NULL) && done;
    eddy_unref (group);
    return done;
}

static int random_main (int argc, char **argv)
{
    unsigned n_fibers = argc == 5 ? (unsigned) strtoul (argv[4], NULL, 10) : 0;
    if (n_fibers == 0 || (strcmp (argv[1], "cached") != 0 && strcmp (argv[1], "cold") != 0)) {
        fputs ("usage: io-random cached|cold FILE N FIBERS\n", stderr);
        return 2;
    }
    RandomRun run = { .next = 0 };
    EddyError *error = NULL;
    EDDY_AUTO (EddyFile) file = eddy_file_new_for_path (argv[2]);
    run.handle = eddy_file_open (file, EDDY_FILE_OPEN_READ, NULL, &error);
    bool right = run.handle != NULL &&
                 bench_random_open (&run.blocks, argv[2], argv[1], strtoull (argv[3], NULL, 10));
    /* The handle is a file of its own to the kernel. */
    right = right && bench_random_read_no_more (eddy_file_handle_get_fd (run.handle));
    right = right && bench_wait_until_alone ();
    double begin_ns = bench_now_ns ();
    right = right && random_run (&run, n_fibers, &error);
    double elapsed_ns = bench_now_ns () - begin_ns;
    if (error != NULL)
        fprintf (stderr, "io-random: %s\n", eddy_error_get_message (error));
    else if (right && run.right != run.blocks.count)
        fputs ("io-random: not every block was the right one\n", stderr);
    right = right && run.right == run.blocks.count;
    if (right)
        printf ("%.1f\n", elapsed_ns / (double) run.blocks.count);
    eddy_clear_error (&error);
    eddy_clear (&run.handle);
    bench_random_close (&run.blocks);
    return right ? 0 : 1;
}

int main (int argc, char **argv)
{
    return eddy_run (random_main, argc, argv);
}
