/* SPDX-License-Identifier: MIT */
/*
 * gio-splice unix|tcp MIB [sync]: so many MiB from one socket to another by
 * g_output_stream_splice_async(), or, if told, by g_output_stream_splice(); prints nanoseconds per
 * KiB. The peer of `io-splice`.
 *
 * Why it is the fair way: the streams are a GSocketConnection's, which wait for readiness and use
 * no thread, and whose sockets GIO sets to be non-blocking.
 */
#include <gio/gio.h>
#include <stdio.h>
#include <stdlib.h>

#include "../bench-clock.h"
#include "../bench-splice.h"

typedef struct Splice {
    GMainLoop *loop;
    gssize count;
    GError *error;
} Splice;

static const GOutputStreamSpliceFlags close_both =
    G_OUTPUT_STREAM_SPLICE_CLOSE_SOURCE | G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET;

static GSocketConnection *connection_new (int fd)
{
    GSocket *socket = g_socket_new_from_fd (fd, NULL);
    GSocketConnection *connection = g_socket_connection_factory_create_connection (socket);
    g_object_unref (socket);
    return connection;
}

static void spliced (GObject *source, GAsyncResult *result, gpointer data)
{
    Splice *splice = data;
    splice->count =
        g_output_stream_splice_finish (G_OUTPUT_STREAM (source), result, &splice->error);
    g_main_loop_quit (splice->loop);
}

static gssize splice_all (GOutputStream *target, GInputStream *source, gboolean sync)
{
    Splice splice = { g_main_loop_new (NULL, FALSE), -1, NULL };
    if (sync) {
        splice.count = g_output_stream_splice (target, source, close_both, NULL, &splice.error);
    } else {
        g_output_stream_splice_async (target, source, close_both, G_PRIORITY_DEFAULT, NULL, spliced,
                                      &splice);
        g_main_loop_run (splice.loop);
    }
    if (splice.error != NULL)
        fprintf (stderr, "gio-splice: %s\n", splice.error->message);
    g_clear_error (&splice.error);
    g_main_loop_unref (splice.loop);
    return splice.count;
}

int main (int argc, char **argv)
{
    uint64_t size = argc >= 3 ? strtoull (argv[2], NULL, 10) * SPLICE_MIB : 0;
    gboolean sync = argc == 4 && strcmp (argv[3], "sync") == 0;
    BenchSplice splice;
    if (size == 0) {
        fputs ("usage: gio-splice unix|tcp MIB [sync]\n", stderr);
        return 2;
    }
    if (!bench_splice_begin (&splice, argv[1], size))
        return 1;
    GSocketConnection *from = connection_new (splice.from), *to = connection_new (splice.to);
    double begin_ns = bench_now_ns ();
    gssize count = splice_all (g_io_stream_get_output_stream (G_IO_STREAM (to)),
                               g_io_stream_get_input_stream (G_IO_STREAM (from)), sync);
    /* A socket's output stream has no end of its own. */
    g_io_stream_close (G_IO_STREAM (to), NULL, NULL);
    gboolean right = bench_splice_end (&splice) && count == (gssize) size;
    double elapsed_ns = bench_now_ns () - begin_ns;
    if (right)
        printf ("%.2f\n", elapsed_ns / ((double) size / 1024));
    g_object_unref (from);
    g_object_unref (to);
    return right ? 0 : 1;
}
