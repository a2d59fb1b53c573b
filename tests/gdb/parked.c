/* SPDX-License-Identifier: MIT */
/*
 * A program for test-gdb.py: two parked fibers a few calls deep, one that is about to go on, one
 * that stops in stop_here(), and aborts if it was given an argument.
 */
#include <eddy/eddy.h>
#include <stdlib.h>

/* Keeps a call from being the last thing that its function does: it would be a jump then. */
#define KEEP_FRAME __asm__ volatile("" ::: "memory")

__attribute__ ((noinline)) static void *sleep_below (EddyError **error)
{
    eddy_fiber_sleep (INT64_MAX, error);
    KEEP_FRAME;
    return NULL;
}

__attribute__ ((noinline)) static void *sleep_above (void *data, EddyError **error)
{
    (void) data;
    void *answer = sleep_below (error);
    KEEP_FRAME;
    return answer;
}

__attribute__ ((noinline)) static void *await_other (void *data, EddyError **error)
{
    void *answer = eddy_await (data, error);
    KEEP_FRAME;
    return answer;
}

__attribute__ ((noinline)) static void *go_round (void *data, EddyError **error)
{
    (void) error;
    for (;;) {
        eddy_fiber_yield ();
        KEEP_FRAME;
    }
    return data;
}

__attribute__ ((noinline)) static void stop_here (void)
{
    KEEP_FRAME;
}

static void *stop (void *data, EddyError **error)
{
    static const EddyFiberOptions options[] = { { .name = "sleeper" }, { .name = "waiter" } };
    EddyFuture *sleeper = eddy_spawn_full (NULL, sleep_above, NULL, NULL, &options[0], EDDY_PLACE);
    EddyFuture *waiter =
        eddy_spawn_full (NULL, await_other, sleeper, NULL, &options[1], EDDY_PLACE);
    EddyFuture *ready = eddy_spawn (NULL, go_round, NULL, NULL);
    for (int i = 0; i < 5; i++)
        eddy_fiber_yield ();
    (void) waiter;
    (void) ready;
    (void) error;
    stop_here ();
    if (data != NULL)
        abort ();
    return data;
}

int main (int argc, char **argv)
{
    EddyFuture *fiber = eddy_spawn (NULL, stop, argc > 1 ? argv : NULL, NULL);
    eddy_block_on (NULL, fiber, NULL);
    return 0;
}
