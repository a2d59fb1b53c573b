/* SPDX-License-Identifier: MIT */
/*
 * concurrency-scaling ROUNDS: how much faster two threads of a pool run fibers that calculate and
 * await than one does, beside how much faster two plain threads do the same calculations than one.
 * Prints the plain threads' gain divided by the pool's: 1 when nothing is lost.
 *
 * All four are run in turn in each round, and the best of each counts: so whatever else the machine
 * does hits all alike.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <eddy/eddy.h>

#include "bench-clock.h"

enum {
    SCALING_FIBERS = 64,  /* or shares of the plain threads' work */
    SCALING_PIECES = 200, /* of each: so often does it await */
    SCALING_STEPS = 4000, /* of each piece: some 5 µs */
    SCALING_MAX_THREADS = 2
};

/* Nothing but calculation, and none that a compiler can leave out. */
static uint64_t scaling_calculate (uint64_t seed)
{
    for (int i = 0; i < SCALING_STEPS; i++)
        seed = seed * UINT64_C (6364136223846793005) + 1442695040888963407;
    return seed;
}

/* What all of a share's pieces come to, one after the other. */
static uint64_t scaling_share (uint64_t number)
{
    for (int i = 0; i < SCALING_PIECES; i++)
        number = scaling_calculate (number);
    return number;
}

/* --- plain threads ---------------------------------------------------------------------------- */

typedef struct {
    uint64_t first;
    uint64_t last; /* exclusive */
    uint64_t sum;
} Shares;

static void *scaling_thread (void *data)
{
    Shares *shares = data;
    for (uint64_t i = shares->first; i < shares->last; i++)
        shares->sum += scaling_share (i);
    return data;
}

static uint64_t scaling_run_threads (unsigned n_threads)
{
    pthread_t threads[SCALING_MAX_THREADS];
    Shares shares[SCALING_MAX_THREADS];
    uint64_t sum = 0;
    for (unsigned i = 0; i < n_threads; i++) {
        shares[i] = (Shares){ .first = SCALING_FIBERS * i / n_threads,
                              .last = SCALING_FIBERS * (i + 1) / n_threads };
        if (pthread_create (&threads[i], NULL, scaling_thread, &shares[i]) != 0)
            return 0;
    }
    for (unsigned i = 0; i < n_threads; i++) {
        pthread_join (threads[i], NULL);
        sum += shares[i].sum;
    }
    return sum;
}

/* --- a pool ----------------------------------------------------------------------------------- */

/* A piece by a fiber of its own, which the share awaits. */
static void *scaling_piece (void *data, EddyError **error)
{
    (void) error;
    return (void *) (uintptr_t) scaling_calculate ((uintptr_t) data);
}

static void *scaling_fiber (void *data, EddyError **error)
{
    void *value = data;
    for (int i = 0; i < SCALING_PIECES; i++) {
        EDDY_AUTO (EddyFuture) piece = eddy_spawn_local (scaling_piece, value, NULL);
        value = eddy_await (piece, error);
        eddy_fiber_yield ();
    }
    return value;
}

static uint64_t scaling_run_pool (EddyPool *pool)
{
    EddyFuture *fibers[SCALING_FIBERS];
    uint64_t sum = 0;
    for (uint64_t i = 0; i < SCALING_FIBERS; i++)
        fibers[i] = eddy_pool_spawn (pool, scaling_fiber, (void *) (uintptr_t) i, NULL);
    for (int i = 0; i < SCALING_FIBERS; i++) {
        sum += (uintptr_t) eddy_await (fibers[i], NULL);
        eddy_unref (fibers[i]);
    }
    return sum;
}

/* --- both ------------------------------------------------------------------------------------- */

typedef struct {
    double pool_ns[SCALING_MAX_THREADS];
    double threads_ns[SCALING_MAX_THREADS];
} Times;

static void times_note (double *best_ns, double began_ns)
{
    double elapsed_ns = bench_now_ns () - began_ns;
    if (*best_ns == 0 || elapsed_ns < *best_ns)
        *best_ns = elapsed_ns;
}

/* False when the two did not come to the same. */
static bool times_round (Times *times, EddyPool **pools)
{
    bool same = true;
    for (unsigned n = 1; n <= SCALING_MAX_THREADS; n++) {
        double began_ns = bench_now_ns ();
        uint64_t plain = scaling_run_threads (n);
        times_note (&times->threads_ns[n - 1], began_ns);
        began_ns = bench_now_ns ();
        same = scaling_run_pool (pools[n - 1]) == plain && same;
        times_note (&times->pool_ns[n - 1], began_ns);
    }
    return same;
}

static int scaling_main (int argc, char **argv)
{
    uint64_t rounds = argc == 2 ? strtoull (argv[1], NULL, 10) : 0;
    if (rounds == 0) {
        fputs ("usage: concurrency-scaling ROUNDS\n", stderr);
        return 2;
    }
    Times times = { 0 };
    EddyPool *pools[SCALING_MAX_THREADS];
    for (unsigned n = 1; n <= SCALING_MAX_THREADS; n++)
        pools[n - 1] = eddy_pool_new (n, NULL);
    bool same = true;
    for (uint64_t i = 0; i < rounds; i++)
        same = times_round (&times, pools) && same;
    for (unsigned n = 1; n <= SCALING_MAX_THREADS; n++) {
        same = eddy_pool_close (pools[n - 1], NULL, NULL) && same;
        eddy_unref (pools[n - 1]);
    }
    if (!same) {
        fputs ("concurrency-scaling: the fibers did not come to what the threads did\n", stderr);
        return 1;
    }
    double pool_gain = times.pool_ns[0] / times.pool_ns[1];
    double threads_gain = times.threads_ns[0] / times.threads_ns[1];
    fprintf (stderr,
             "two threads of a pool %.3f times one, two plain threads %.3f times one: %.3f\n",
             pool_gain, threads_gain, pool_gain / threads_gain);
    printf ("%.4f\n", threads_gain / pool_gain);
    return 0;
}

int main (int argc, char **argv)
{
    return eddy_run (scaling_main, argc, argv);
}
