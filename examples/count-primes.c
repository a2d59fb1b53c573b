/* SPDX-License-Identifier: MIT */
/* Threads: counts the primes below a number, on every processor.
 *
 *   count-primes pool|group|fibers NUMBER
 *
 * Work that keeps a processor busy is handed out through a channel, in slices, to fibers that add
 * up what they find. They are on the threads of a pool (as futures, or as a group), or on this one
 * thread, where they take turns. At Ctrl-C each ends its slice, and what was counted so far is
 * printed: the fibers are cancelled, but the sum is added under a shield. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <eddy/eddy.h>

enum { SLICE = 1000, WORKERS = 8 };

typedef struct Count {
    const char *style;
    intptr_t limit;
    EddyChannel *slices; /* first numbers */
    EddyMutex *mutex;    /* of what follows */
    long n_primes;
    long n_slices;
} Count;

static long count_slice (intptr_t first, intptr_t end)
{
    long n_primes = 0;
    for (intptr_t number = first < 2 ? 2 : first; number < end; number++) {
        intptr_t divisor = 2;
        while (divisor * divisor <= number && number % divisor != 0)
            divisor++;
        n_primes += divisor * divisor > number;
    }
    return n_primes;
}

/* Adds what was found though the fiber be cancelled: a second is enough for that. */
static void count_add (Count *count, long n_primes, long n_slices)
{
    EDDY_SHIELD (INT64_C (1000000000))
    {
        if (!eddy_mutex_lock (count->mutex, NULL, NULL))
            break;
        count->n_primes += n_primes;
        count->n_slices += n_slices;
        eddy_mutex_unlock (count->mutex);
    }
}

/* Counts slices until there are no more of them. */
static void *count_fiber (void *data, EddyError **error)
{
    Count *count = data;
    long n_primes = 0, n_slices = 0;
    void *message;
    while ((message = eddy_channel_receive (count->slices, NULL, error)) != NULL) {
        intptr_t first = (intptr_t) message - 1, end = first + SLICE;
        n_primes += count_slice (first, end < count->limit ? end : count->limit);
        n_slices++;
    }
    count_add (count, n_primes, n_slices);
    if (eddy_error_is_closed (*error))
        eddy_clear_error (error); /* the end */
    return NULL;
}

/* Hands the slices out; messages are not NULL, so the numbers are one higher. */
static void *hand_out (void *data, EddyError **error)
{
    Count *count = data;
    for (intptr_t first = 0; first < count->limit; first += SLICE)
        if (!eddy_channel_send (count->slices, (void *) (first + 1), NULL, error))
            return NULL;
    eddy_channel_close (count->slices);
    return NULL;
}

/* A future for each worker, whichever thread of the pool it is on, and one for all of them. */
static void count_with_futures (Count *count, EddyPool *pool, EddyError **error)
{
    EddyFuture *futures[WORKERS + 1];
    futures[WORKERS] = eddy_spawn_local (hand_out, count, NULL);
    for (int i = 0; i < WORKERS; i++)
        futures[i] = eddy_pool_spawn (pool, count_fiber, count, NULL);
    EDDY_AUTO (EddyFuture) all = eddy_future_all (futures, WORKERS + 1);
    if (eddy_await_complete (all, error))
        return;
    eddy_future_cancel (all); /* it is only this wait that has been cancelled */
    EDDY_SHIELD (-1)
    {
        eddy_await_complete (all, NULL);
    }
}

static void count_with_group (Count *count, EddyGroup *group, EddyError **error)
{
    bool good = true;
    for (int i = 0; i < WORKERS && good; i++)
        good = eddy_group_spawn (group, count_fiber, count, NULL, error);
    if (good)
        hand_out (count, error);
    if (*error != NULL)
        eddy_group_cancel (group);
    eddy_group_wait (group, *error == NULL ? error : NULL);
}

static int run (int argc, char **argv)
{
    Count count = { .style = argv[1], .limit = strtol (argv[2], NULL, 10) };
    EddyError *error = NULL;
    (void) argc;
    count.slices = eddy_channel_new (WORKERS, NULL);
    count.mutex = eddy_mutex_new ();
    EDDY_AUTO (EddyPool) pool = eddy_pool_new (/* n_threads= */ 0, &error);
    EDDY_AUTO (EddyGroup) group = NULL;
    if (strcmp (count.style, "fibers") == 0)
        group = eddy_group_new ();
    else if (strcmp (count.style, "group") == 0)
        group = eddy_group_new_on_pool (pool);
    if (group != NULL)
        count_with_group (&count, group, &error);
    else
        count_with_futures (&count, pool, &error);
    printf ("%ld primes in %ld slices\n", count.n_primes, count.n_slices);
    if (error != NULL)
        fprintf (stderr, "count-primes: %s\n", eddy_error_get_message (error));
    eddy_unref (count.slices);
    eddy_unref (count.mutex);
    int status = error == NULL ? 0 : 1;
    eddy_unref (error);
    return status;
}

int main (int argc, char **argv)
{
    static const char *const styles[] = { "pool", "group", "fibers" };
    bool help = argc == 2 && strcmp (argv[1], "--help") == 0;
    size_t style = argc == 3 && strtol (argv[2], NULL, 10) > 0 ? 0 : 3;
    while (style < 3 && strcmp (styles[style], argv[1]) != 0)
        style++;
    if (style == 3) {
        fputs ("usage: count-primes pool|group|fibers NUMBER\n", help ? stdout : stderr);
        return help ? 0 : 2;
    }
    return eddy_run (run, argc, argv);
}
