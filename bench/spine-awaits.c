/* SPDX-License-Identifier: MIT */
/*
 * spine-awaits N: awaits N reads in a fiber and prints how many allocations and mappings they made
 * in all. Half of them read a file, which is done without waiting; half read a pipe whose other end
 * answers only when it is asked, so that each suspends the fiber. Runs under count-alloc.so
 * (LD_PRELOAD).
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

static bool await_file_reads (int fd, uint64_t count, EddyError **error)
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

/* Two pipes, there and back. */
typedef struct {
    int there[2];
    int back[2];
} AwaitPipes;

/* The other end: answers each byte with itself, until there are no more. */
static void *await_answer (void *data, EddyError **error)
{
    AwaitPipes *pipes = data;
    char byte;
    while (eddy_fd_read (pipes->there[0], &byte, 1, -1, NULL, error) == 1)
        if (eddy_fd_write (pipes->back[1], &byte, 1, -1, NULL, error) != 1)
            break;
    return NULL;
}

static bool await_pipe_reads (AwaitPipes *pipes, uint64_t count, EddyError **error)
{
    for (uint64_t i = 0; i < count; i++) {
        char sent = (char) i, byte = (char) ~sent;
        if (eddy_fd_write (pipes->there[1], &sent, 1, -1, NULL, error) != 1 ||
            eddy_fd_read (pipes->back[0], &byte, 1, -1, NULL, error) != 1)
            return false;
        if (byte != sent) {
            eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_DATA,
                            "answer %" PRIu64 " is not what was asked", i);
            return false;
        }
    }
    return true;
}

/* Half of each kind; the pipe's other end reads too, but is not counted. */
static bool await_reads (int fd, AwaitPipes *pipes, uint64_t count, EddyError **error)
{
    return await_file_reads (fd, count - count / 2, error) &&
           await_pipe_reads (pipes, count / 2, error);
}

/* Counts what the reads allocate; false when one of them failed. */
static bool await_counted (int fd, AwaitPipes *pipes, uint64_t count, CountAlloc *made,
                           EddyError **error)
{
    CountAlloc before, after;
    if (!await_reads (fd, pipes, count / 100 + 1, error))
        return false;
    count_alloc_read (&before);
    if (!await_reads (fd, pipes, count, error))
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
    AwaitPipes pipes;
    int fd = await_make_file ();
    if (fd < 0 || pipe (pipes.there) < 0 || pipe (pipes.back) < 0) {
        perror ("spine-awaits: memfd, pipe");
        return 1;
    }
    EDDY_AUTO (EddyFuture) answers = eddy_spawn_local (await_answer, &pipes, NULL);
    EDDY_AUTO (EddyError) error = NULL;
    CountAlloc made;
    bool succeeded = await_counted (fd, &pipes, count, &made, &error);
    close (pipes.there[1]);
    succeeded = succeeded && eddy_await_complete (answers, &error);
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
