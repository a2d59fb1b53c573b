/* SPDX-License-Identifier: MIT */
/*
 * spine-awaits N: awaits N reads of a file, one after the other, in a fiber, and prints how many
 * allocations and mappings they made in all. Runs under count-alloc.so (LD_PRELOAD).
 *
 * A hundredth of the reads goes first, so that what is made once (the ring, a pool, the thread's
 * cache) is not counted; what grows with the reads is, whatever thread makes it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <eddy/eddy.h>

#include "count-alloc.h"

#define AWAIT_BLOCKS 64
#define AWAIT_BLOCK_SIZE 512

/* A file in memory whose blocks begin with their own number. */
static int await_make_file (void)
{
    int fd = memfd_create ("spine-awaits", MFD_CLOEXEC);
    for (uint64_t number = 0; fd >= 0 && number < AWAIT_BLOCKS; number++) {
        uint64_t block[AWAIT_BLOCK_SIZE / sizeof (uint64_t)] = { number };
        if (write (fd, block, sizeof block) != (ssize_t) sizeof block)
            return -1;
    }
    return fd;
}

static bool await_reads (int fd, uint64_t count, EddyError **error)
{
    for (uint64_t i = 0; i < count; i++) {
        uint64_t number = i * 7 % AWAIT_BLOCKS, block[AWAIT_BLOCK_SIZE / sizeof (uint64_t)];
        ssize_t len = eddy_fd_read (fd, block, sizeof block, (int64_t) number * AWAIT_BLOCK_SIZE,
                                    NULL, error);
        if (len < 0)
            return false;
        if (len != (ssize_t) sizeof block || block[0] != number) {
            eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_DATA,
                            "block %" PRIu64 " is not what was written", number);
            return false;
        }
    }
    return true;
}

/* Counts what the reads allocate; false when one of them failed. */
static bool await_counted (int fd, uint64_t count, CountAlloc *made, EddyError **error)
{
    CountAlloc before, after;
    if (!await_reads (fd, count / 100 + 1, error))
        return false;
    count_alloc_read (&before);
    if (!await_reads (fd, count, error))
        return false;
    count_alloc_read (&after);
    made->allocations = after.allocations - before.allocations;
    made->mappings = after.mappings - before.mappings;
    made->frees = after.frees - before.frees;
    return true;
}

static int await_main (int argc, char **argv)
{
    uint64_t count = argc == 2 ? strtoull (argv[1], NULL, 10) : 0;
    if (count == 0 || !count_alloc_read) {
        fputs ("usage: LD_PRELOAD=count-alloc.so spine-awaits N\n", stderr);
        return 2;
    }
    int fd = await_make_file ();
    if (fd < 0) {
        perror ("spine-awaits: memfd");
        return 1;
    }
    EDDY_AUTO (EddyError) error = NULL;
    CountAlloc made;
    bool succeeded = await_counted (fd, count, &made, &error);
    close (fd);
    if (!succeeded) {
        fprintf (stderr, "spine-awaits: %s\n", eddy_error_get_message (error));
        return 1;
    }
    fprintf (stderr, "%" PRIu64 " allocations, %" PRIu64 " mappings, %" PRIu64 " frees\n",
             made.allocations, made.mappings, made.frees);
    printf ("%" PRIu64 "\n", made.allocations + made.mappings);
    return 0;
}

int main (int argc, char **argv)
{
    return eddy_run (await_main, argc, argv);
}
