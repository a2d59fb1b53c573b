/* SPDX-License-Identifier: MIT */
/*
 * contract-pending plain|cancellable N: begins N reads by callback, each of a pipe of its own that
 * has no data, and prints how many bytes of malloc each one more asked for. With `cancellable`,
 * each read is given a cancellable of its own, which is the program's and not counted. Runs under
 * count-alloc.so (LD_PRELOAD).
 *
 * A tenth as many reads are pending before, so that what is made once is not counted. The tables of
 * the engine grow with what it has under way, and stay: they are told on stderr as `grown` and
 * `mapped`, and not counted. In the end each pipe is written, and each read must have come back
 * with its own byte.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <eddy/eddy.h>

#include "bench-fds.h"
#include "count-alloc.h"

typedef struct {
    int fds[2];
    char buffer;
    EddyCancellable *cancellable;
} Pending;

static uint64_t pending_right;

static void pending_done (void *source_object, EddyAsyncResult *result, void *user_data)
{
    (void) source_object;
    const Pending *pending = user_data;
    if (eddy_fd_read_finish (result, NULL) == 1 && pending->buffer == (char) pending->fds[0])
        pending_right++;
}

static bool pending_make (Pending *pending, uint64_t count, bool with_cancellable)
{
    if (!bench_make_room_for_fds (2 * count))
        return false;
    for (uint64_t i = 0; i < count; i++) {
        pending[i].cancellable = with_cancellable ? eddy_cancellable_new () : NULL;
        if (pipe (pending[i].fds) < 0)
            return false;
    }
    return true;
}

static void pending_begin (Pending *pending, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        eddy_fd_read_async (pending[i].fds[0], &pending[i].buffer, 1, -1, EDDY_PRIORITY_DEFAULT,
                            pending[i].cancellable, pending_done, &pending[i]);
    /* Until the kernel has them all. */
    for (uint64_t i = 0; i < count; i++)
        eddy_context_iteration (NULL, false);
}

static bool pending_end (Pending *pending, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        char byte = (char) pending[i].fds[0];
        if (write (pending[i].fds[1], &byte, 1) != 1)
            return false;
    }
    EddyContextStatistics statistics;
    do {
        eddy_context_iteration (NULL, true);
        eddy_context_get_statistics (NULL, &statistics);
    } while (statistics.live_operations > 0);
    while (eddy_context_iteration (NULL, false))
        ;
    return pending_right == count;
}

static int pending_report (const CountAlloc *before, const CountAlloc *after, uint64_t count)
{
    uint64_t asked = after->bytes_asked - before->bytes_asked;
    uint64_t grown = after->bytes_grown - before->bytes_grown;
    uint64_t mapped = after->bytes_mapped - before->bytes_mapped;
    fprintf (stderr, "of each: %.1f bytes asked, %.1f grown, %.1f mapped\n",
             (double) asked / (double) count, (double) grown / (double) count,
             (double) mapped / (double) count);
    printf ("%.1f\n", (double) asked / (double) count);
    return 0;
}

int main (int argc, char **argv)
{
    uint64_t count = argc == 3 ? strtoull (argv[2], NULL, 10) : 0;
    if (count < 10 || !count_alloc_read) {
        fputs ("usage: LD_PRELOAD=count-alloc.so contract-pending plain|cancellable N\n", stderr);
        return 2;
    }
    uint64_t first = count / 10, all = first + count;
    Pending *pending = calloc (all, sizeof *pending);
    if (!pending || !pending_make (pending, all, strcmp (argv[1], "cancellable") == 0)) {
        perror ("contract-pending: not so many pipes");
        return 1;
    }
    CountAlloc before, after;
    pending_begin (pending, first);
    count_alloc_read (&before);
    pending_begin (pending + first, count);
    count_alloc_read (&after);
    EddyContextStatistics statistics;
    eddy_context_get_statistics (NULL, &statistics);
    if (statistics.live_operations != all || !pending_end (pending, all)) {
        fprintf (stderr, "contract-pending: %u pending of %" PRIu64 ", %" PRIu64 " right\n",
                 statistics.live_operations, all, pending_right);
        return 1;
    }
    return pending_report (&before, &after, count);
}
