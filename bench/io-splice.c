/* SPDX-License-Identifier: MIT */
/*
 * io-splice unix|tcp MIB: so many MiB from one socket to another by eddy_output_stream_splice(), in
 * a fiber; prints nanoseconds per KiB. The peer is `gio-splice`.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include <eddy/eddy.h>

#include "bench-clock.h"
#include "bench-splice.h"

/* Closes both. */
static bool splice_all (const BenchSplice *splice, EddyError **error)
{
    EDDY_AUTO (EddyInputStream) source = eddy_fd_input_stream_new (splice->from, true);
    EDDY_AUTO (EddyOutputStream) target = eddy_fd_output_stream_new (splice->to, true);
    size_t count = 0;
    bool done = source != NULL && target != NULL &&
                eddy_output_stream_splice (target, source,
                                           EDDY_OUTPUT_STREAM_SPLICE_CLOSE_SOURCE |
                                               EDDY_OUTPUT_STREAM_SPLICE_CLOSE_TARGET,
                                           &count, NULL, error);
    return done && count == splice->size;
}

static int splice_main (int argc, char **argv)
{
    uint64_t size = argc == 3 ? strtoull (argv[2], NULL, 10) * SPLICE_MIB : 0;
    BenchSplice splice;
    EddyError *error = NULL;
    if (size == 0) {
        fputs ("usage: io-splice unix|tcp MIB\n", stderr);
        return 2;
    }
    if (!bench_splice_begin (&splice, argv[1], size) ||
        fcntl (splice.from, F_SETFL, O_NONBLOCK) != 0 ||
        fcntl (splice.to, F_SETFL, O_NONBLOCK) != 0)
        return 1;
    double begin_ns = bench_now_ns ();
    bool right = splice_all (&splice, &error);
    right = bench_splice_end (&splice) && right;
    double elapsed_ns = bench_now_ns () - begin_ns;
    if (right)
        printf ("%.2f\n", elapsed_ns / ((double) size / 1024));
    else
        fprintf (stderr, "io-splice: %s\n",
                 error == NULL ? "not all has arrived" : eddy_error_get_message (error));
    eddy_clear_error (&error);
    return right ? 0 : 1;
}

int main (int argc, char **argv)
{
    return eddy_run (splice_main, argc, argv);
}
