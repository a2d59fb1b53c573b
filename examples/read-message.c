/* SPDX-License-Identifier: MIT */
/* Operations in series: reads an address from a file, connects to it, and reads a message up to its
 * end.
 *
 *   echo hello | socat -u - TCP-LISTEN:4000 & echo localhost:4000 >address
 *   read-message callbacks|futures|await address
 *
 * Any step can fail, or be cancelled (Ctrl-C). The other styles are in series.c. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "series.h"

/* ---- Await: the steps in the order in which they happen. */

static void *series_fiber (void *data, EddyError **error)
{
    Series *series = data;
    EddyCancellable *cancellable = series->cancellable;
    EDDY_AUTO (EddyBytes) text = eddy_file_load_contents (series->file, cancellable, error);
    if (text == NULL)
        return NULL;
    series->connection = eddy_socket_client_connect_to_host (
        series->client, series_set_address (series, text), 0, cancellable, error);
    ssize_t count = series->connection != NULL ? 1 : -1;
    while (count > 0) {
        count =
            eddy_input_stream_read (series_get_input (series), series->message + series->length,
                                    sizeof series->message - series->length, cancellable, error);
        series->length += count < 0 ? 0 : (size_t) count;
    }
    return NULL;
}

static void series_with_await (Series *series)
{
    EDDY_AUTO (EddyFuture) fiber = eddy_spawn_local (series_fiber, series, NULL);
    eddy_block_on_complete (NULL, fiber, &series->error);
}

static bool interrupted (void *cancellable)
{
    eddy_cancellable_cancel (cancellable);
    return false; /* a second Ctrl-C ends the program at once, as without us */
}

/* Prints what was read, or why it was not; the exit status. */
static int series_end (Series *series)
{
    if (series->error == NULL && series->length == sizeof series->message)
        series->error = eddy_error_new_errno (EMSGSIZE, "%s", series->address);
    int status = series->error == NULL ? 0 : 1;
    if (status == 0)
        printf ("%.*s", (int) series->length, series->message);
    else
        fprintf (stderr, "read-message: %s\n", eddy_error_get_message (series->error));
    eddy_clear_error (&series->error);
    eddy_clear (&series->connection);
    return status;
}

int main (int argc, char **argv)
{
    static const char *const names[] = { "callbacks", "futures", "await" };
    static void (*const styles[]) (Series *) = { series_with_callbacks, series_with_futures,
                                                 series_with_await };
    bool help = argc == 2 && strcmp (argv[1], "--help") == 0;
    size_t style = argc != 3 ? 3 : 0;
    while (style < 3 && strcmp (names[style], argv[1]) != 0)
        style++;
    if (style == 3) {
        fputs ("usage: read-message callbacks|futures|await ADDRESS-FILE\n",
               help ? stdout : stderr);
        return help ? 0 : 2;
    }
    EDDY_AUTO (EddyFile) file = eddy_file_new_for_path (argv[2]);
    EDDY_AUTO (EddySocketClient) client = eddy_socket_client_new ();
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    EDDY_AUTO (EddySource) interrupt = eddy_signal_source_new (SIGINT);
    eddy_source_set_callback (interrupt, interrupted, cancellable, NULL);
    eddy_source_attach (interrupt, NULL);
    EDDY_AUTO (EddyMainLoop) loop = eddy_main_loop_new (NULL);
    Series series = { .file = file, .client = client, .cancellable = cancellable, .loop = loop };
    styles[style](&series);
    eddy_source_destroy (interrupt);
    return series_end (&series);
}
