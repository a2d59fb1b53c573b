/* SPDX-License-Identifier: MIT */
/* A file of numbered blocks, and the order in which the programs of bench/ read them: at random,
 * each once, the same on each run; cached, or not at all. */
#pragma once

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RANDOM_BLOCK 4096

typedef struct {
    int fd;
    uint32_t *order; /* numbers of blocks */
    size_t count;    /* how many of them are read */
} BenchRandom;

/* xorshift64: Marsaglia, "Xorshift RNGs", 2003. */
static inline uint64_t bench_random_next (uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static inline void bench_random_shuffle (uint32_t *order, size_t count)
{
    uint64_t state = 88172645463325252U;
    for (size_t i = 0; i < count; i++)
        order[i] = (uint32_t) i;
    for (size_t i = count - 1; i > 0; i--) {
        size_t other = (size_t) (bench_random_next (&state) % (i + 1));
        uint32_t former = order[i];
        order[i] = order[other];
        order[other] = former;
    }
}

/* Whether every block is in the page cache now. */
static inline bool bench_random_warm (const BenchRandom *self, size_t n_blocks)
{
    char block[RANDOM_BLOCK];
    for (size_t i = 0; i < n_blocks; i++)
        if (pread (self->fd, block, sizeof block, (off_t) (i * sizeof block)) != sizeof block)
            return false;
    return true;
}

/* Nothing is read ahead: each block that is not cached is one request to the disk. */
static inline bool bench_random_read_no_more (int fd)
{
    return posix_fadvise (fd, 0, 0, POSIX_FADV_RANDOM) == 0;
}

/* Opens the file; `how` is cached or cold, `most` how many blocks are read at most. */
static inline bool bench_random_open (BenchRandom *self, const char *path, const char *how,
                                      size_t most)
{
    struct stat status = { .st_size = 0 };
    bool is_cold = strcmp (how, "cold") == 0;
    self->fd = open (path, O_RDONLY | O_CLOEXEC);
    bool ready = self->fd >= 0 && fstat (self->fd, &status) == 0 && status.st_size >= RANDOM_BLOCK;
    size_t n_blocks = (size_t) status.st_size / RANDOM_BLOCK;
    self->order = ready ? malloc (n_blocks * sizeof (uint32_t)) : NULL;
    ready = self->order != NULL;
    self->count = n_blocks < most ? n_blocks : most;
    if (ready)
        bench_random_shuffle (self->order, n_blocks);
    if (ready && is_cold)
        ready = fsync (self->fd) == 0 && posix_fadvise (self->fd, 0, 0, POSIX_FADV_DONTNEED) == 0 &&
                bench_random_read_no_more (self->fd);
    else if (ready)
        ready = bench_random_warm (self, n_blocks);
    if (!ready)
        fprintf (stderr, "%s: cannot be made ready to be read\n", path);
    return ready;
}

/* Whether a block is the one that was asked for: each begins with its number. */
static inline bool bench_random_is_block (const char *block, uint32_t number)
{
    uint64_t found;
    memcpy (&found, block, sizeof found);
    return found == number;
}

static inline void bench_random_close (BenchRandom *self)
{
    free (self->order);
    close (self->fd);
}
