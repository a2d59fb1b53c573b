/* SPDX-License-Identifier: MIT */
/*
 * uv-work N: what contract-worker does, with uv_queue_work on libuv's default pool of four threads.
 *
 * Why it is the fair way: the requests are made beforehand and used again for each batch, so libuv
 * allocates nothing; the loop runs until nothing is under way, as libuv's programs do.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "bench-clock.h"

#define WORK_BATCH 500

typedef struct {
    uv_work_t work;
    uint64_t value;
} WorkItem;

static WorkItem work_items[WORK_BATCH];
static uint64_t work_finished;
static uint64_t work_sum;

static void work_increment (uv_work_t *work)
{
    ((WorkItem *) (void *) work)->value++;
}

static void work_done (uv_work_t *work, int status)
{
    if (status == 0)
        work_sum += ((WorkItem *) (void *) work)->value;
    work_finished++;
}

static bool work_run (uint64_t count)
{
    uv_loop_t *loop = uv_default_loop ();
    work_finished = work_sum = 0;
    while (work_finished < count) {
        for (uint64_t i = 0; i < WORK_BATCH; i++) {
            work_items[i].value = i;
            if (uv_queue_work (loop, &work_items[i].work, work_increment, work_done) != 0)
                return false;
        }
        uv_run (loop, UV_RUN_DEFAULT);
    }
    return work_finished == count &&
           work_sum == count / WORK_BATCH * (WORK_BATCH * (WORK_BATCH + 1) / 2);
}

int main (int argc, char **argv)
{
    uint64_t count = argc == 2 ? strtoull (argv[1], NULL, 10) : 0;
    if (count == 0 || count % WORK_BATCH != 0) {
        fprintf (stderr, "usage: uv-work N (a multiple of %d)\n", WORK_BATCH);
        return 2;
    }
    unsetenv ("UV_THREADPOOL_SIZE"); /* the default is what is compared with */
    bool right = work_run ((count / 10 / WORK_BATCH + 1) * WORK_BATCH);
    double begin_ns = bench_now_ns ();
    right = work_run (count) && right;
    double elapsed_ns = bench_now_ns () - begin_ns;
    if (!right) {
        fputs ("uv-work: not every function ran once\n", stderr);
        return 1;
    }
    printf ("%.3f\n", elapsed_ns / (double) count);
    return 0;
}
