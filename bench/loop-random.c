/* SPDX-License-Identifier: MIT */
/*
 * loop-random cached|cold FILE N: what io-random does, one pread() after the other.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench-clock.h"
#include "bench-random.h"

int main (int argc, char **argv)
{
    if (argc != 4 || (strcmp (argv[1], "cached") != 0 && strcmp (argv[1], "cold") != 0)) {
        fputs ("usage: loop-random cached|cold FILE N\n", stderr);
        return 2;
    }
    BenchRandom blocks;
    if (!bench_random_open (&blocks, argv[2], argv[1], strtoull (argv[3], NULL, 10)))
        return 1;
    size_t right = 0;
    double begin_ns = bench_now_ns ();
    for (size_t i = 0; i < blocks.count; i++) {
        _Alignas(RANDOM_BLOCK) char block[RANDOM_BLOCK];
        uint32_t number = blocks.order[i];
        ssize_t count = pread (blocks.fd, block, sizeof block, (off_t) number * RANDOM_BLOCK);
        right += count == sizeof block && bench_random_is_block (block, number);
    }
    double elapsed_ns = bench_now_ns () - begin_ns;
    size_t count = blocks.count;
    bench_random_close (&blocks);
    if (right != count) {
        fputs ("loop-random: not every block was the right one\n", stderr);
        return 1;
    }
    printf ("%.1f\n", elapsed_ns / (double) count);
    return 0;
}
