/* SPDX-License-Identifier: MIT */
/*
 * contract-wakeup fds|timers IDLE N: N wakeups of a loop beside IDLE sources for which nothing
 * happens: fds without data, or timers an hour away. For each wakeup an eventfd is written, and the
 * loop iterated until the source that watches it has read it. Prints nanoseconds each; what it
 * costs with IDLE = 0 is the limit.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <eddy/eddy.h>

#include "bench-clock.h"
#include "bench-fds.h"

#define WAKEUP_FAR_NS (INT64_C (3600) * 1000 * 1000 * 1000)
#define WAKEUP_APART_NS (INT64_C (1000) * 1000)

static uint64_t wakeup_heard; /* rings */
static uint64_t wakeup_false; /* dispatches of what must stay idle */

static bool wakeup_on_ring (int fd, unsigned events, void *user_data)
{
    (void) events;
    (void) user_data;
    eventfd_t rung = 0;
    if (eventfd_read (fd, &rung) == 0)
        wakeup_heard += rung;
    return EDDY_SOURCE_CONTINUE;
}

static bool wakeup_on_idle_fd (int fd, unsigned events, void *user_data)
{
    (void) fd;
    (void) events;
    (void) user_data;
    wakeup_false++;
    return EDDY_SOURCE_REMOVE;
}

static bool wakeup_on_timer (void *user_data)
{
    (void) user_data;
    wakeup_false++;
    return EDDY_SOURCE_REMOVE;
}

static bool wakeup_watch (int fd, EddyFdSourceFunc callback)
{
    return fd >= 0 && eddy_fd_add (fd, POLLIN, callback, NULL) != 0;
}

static bool wakeup_add_fds (uint64_t count)
{
    if (!bench_make_room_for_fds (count))
        return false;
    for (uint64_t i = 0; i < count; i++)
        if (!wakeup_watch (eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK), wakeup_on_idle_fd))
            return false;
    return true;
}

static bool wakeup_add_timers (uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        if (eddy_timeout_add (WAKEUP_FAR_NS + (int64_t) i * WAKEUP_APART_NS, wakeup_on_timer,
                              NULL) == 0)
            return false;
    return true;
}

static void wakeup_run (int bell, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        uint64_t wanted = wakeup_heard + 1;
        eventfd_write (bell, 1);
        while (wakeup_heard < wanted)
            eddy_context_iteration (NULL, true);
    }
}

int main (int argc, char **argv)
{
    uint64_t idle = argc == 4 ? strtoull (argv[2], NULL, 10) : 0;
    uint64_t count = argc == 4 ? strtoull (argv[3], NULL, 10) : 0;
    if (count < 10) {
        fputs ("usage: contract-wakeup fds|timers IDLE N\n", stderr);
        return 2;
    }
    eddy_context_acquire (NULL); /* as a running loop has it */
    bool added = strcmp (argv[1], "fds") == 0 ? wakeup_add_fds (idle) : wakeup_add_timers (idle);
    int bell = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!added || !wakeup_watch (bell, wakeup_on_ring)) {
        perror ("contract-wakeup: not everything could be watched");
        return 1;
    }
    wakeup_run (bell, count / 10);
    double begin_ns = bench_now_ns ();
    wakeup_run (bell, count);
    double elapsed_ns = bench_now_ns () - begin_ns;
    if (wakeup_heard != count / 10 + count || wakeup_false != 0) {
        fprintf (stderr, "contract-wakeup: %" PRIu64 " heard, %" PRIu64 " false\n", wakeup_heard,
                 wakeup_false);
        return 1;
    }
    printf ("%.3f\n", elapsed_ns / (double) count);
    return 0;
}
