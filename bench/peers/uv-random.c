/* SPDX-License-Identifier: MIT */
/*
 * uv-random cached|cold FILE N AT_ONCE: what io-random does, by uv_fs_read() on libuv's four
 * threads, so many under way at once.
 *
 * Why it is the fair way: each place has its own request and block, which are used again.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "../bench-clock.h"
#include "../bench-random.h"

typedef struct {
    uv_fs_t request;
    uint32_t number;
    char block[RANDOM_BLOCK];
} RandomPlace;

static BenchRandom random_blocks;
static size_t random_next;
static size_t random_right;

static void random_read (RandomPlace *place);

static void random_was_read (uv_fs_t *request)
{
    RandomPlace *place = request->data;
    random_right +=
        request->result == RANDOM_BLOCK && bench_random_is_block (place->block, place->number);
    uv_fs_req_cleanup (request);
    random_read (place);
}

static void random_read (RandomPlace *place)
{
    if (random_next == random_blocks.count)
        return;
    place->number = random_blocks.order[random_next++];
    place->request.data = place;
    uv_buf_t buffer = uv_buf_init (place->block, sizeof place->block);
    uv_fs_read (uv_default_loop (), &place->request, random_blocks.fd, &buffer, 1,
                (int64_t) place->number * RANDOM_BLOCK, random_was_read);
}

int main (int argc, char **argv)
{
    size_t at_once = argc == 5 ? strtoull (argv[4], NULL, 10) : 0;
    if (at_once == 0 || (strcmp (argv[1], "cached") != 0 && strcmp (argv[1], "cold") != 0)) {
        fputs ("usage: uv-random cached|cold FILE N AT_ONCE\n", stderr);
        return 2;
    }
    unsetenv ("UV_THREADPOOL_SIZE"); /* the default is what is compared with */
    RandomPlace *places = calloc (at_once, sizeof *places);
    if (places == NULL ||
        !bench_random_open (&random_blocks, argv[2], argv[1], strtoull (argv[3], NULL, 10)))
        return 1;
    double begin_ns = bench_now_ns ();
    for (size_t i = 0; i < at_once; i++)
        random_read (&places[i]);
    uv_run (uv_default_loop (), UV_RUN_DEFAULT);
    double elapsed_ns = bench_now_ns () - begin_ns;
    size_t count = random_blocks.count;
    bench_random_close (&random_blocks);
    free (places);
    if (random_right != count) {
        fputs ("uv-random: not every block was the right one\n", stderr);
        return 1;
    }
    printf ("%.1f\n", elapsed_ns / (double) count);
    return 0;
}
