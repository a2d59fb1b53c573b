/* SPDX-License-Identifier: MIT */
/* Operations in series: reads a name from a file, opens what it names, waits until somebody is at
 * the other end, and reads a message up to its end. A fifo stands in for a socket:
 *
 *   mkfifo door; echo door > address; (sleep 1; echo hello > door) &
 *   read-message callbacks|await address
 *
 * Any step can fail, or be cancelled (Ctrl-C); what was open is closed once, behind the last. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <eddy/eddy.h>

typedef struct Series {
    EddyFile *address; /* the file with the name */
    EddyCancellable *cancellable;
    char door[256]; /* the name in it */
    int fd;         /* of the door; -1: not open */
    char message[4096];
    size_t length;
    EddyError *error;
    EddyMainLoop *loop;
} Series;

/* The one step that waits for nothing. O_NONBLOCK: else it would wait, deaf to a cancel. */
static bool series_open (Series *series, EddyBytes *name, EddyError **error)
{
    sscanf (eddy_bytes_get_data (name), "%255[^\n]", series->door);
    series->fd = open (series->door, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (series->fd < 0)
        eddy_error_set_errno (error, errno, "open");
    return series->fd >= 0;
}

/* ---- Callbacks: each takes an answer, and starts the next step or ends the series. */

static void series_loaded (void *source_object, EddyAsyncResult *result, void *user_data);
static void series_answered (void *source_object, EddyAsyncResult *result, void *user_data);
static void series_read (void *source_object, EddyAsyncResult *result, void *user_data);

static void series_with_callbacks (Series *series)
{
    eddy_file_load_contents_async (series->address, 0, series->cancellable, series_loaded, series);
    eddy_main_loop_run (series->loop);
}

static void series_loaded (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Series *series = user_data;
    EDDY_AUTO (EddyBytes)
    name = eddy_file_load_contents_finish (source_object, result, &series->error);
    if (name != NULL && series_open (series, name, &series->error))
        eddy_fd_wait_async (series->fd, POLLIN, 0, series->cancellable, series_answered, series);
    else
        eddy_main_loop_quit (series->loop);
}

static void series_answered (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Series *series = user_data;
    (void) source_object;
    if (eddy_fd_wait_finish (result, &series->error) >= 0)
        eddy_fd_read_async (series->fd, series->message, sizeof series->message, -1, 0,
                            series->cancellable, series_read, series);
    else
        eddy_main_loop_quit (series->loop);
}

static void series_read (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Series *series = user_data;
    (void) source_object;
    ssize_t count = eddy_fd_read_finish (result, &series->error);
    if (count > 0) {
        series->length += (size_t) count;
        eddy_fd_read_async (series->fd, series->message + series->length,
                            sizeof series->message - series->length, -1, 0, series->cancellable,
                            series_read, series);
    } else /* an error, the end, or no more room */
        eddy_main_loop_quit (series->loop);
}

/* ---- Await: the same steps, in the order in which they happen. */

static void *series_fiber (void *data, EddyError **error)
{
    Series *series = data;
    EddyCancellable *cancellable = series->cancellable;
    EDDY_AUTO (EddyBytes) name = eddy_file_load_contents (series->address, cancellable, error);
    if (name == NULL || !series_open (series, name, error) ||
        eddy_fd_wait (series->fd, POLLIN, cancellable, error) < 0)
        return NULL;
    ssize_t count;
    do {
        count = eddy_fd_read (series->fd, series->message + series->length,
                              sizeof series->message - series->length, -1, cancellable, error);
        series->length += count < 0 ? 0 : (size_t) count;
    } while (count > 0);
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

int main (int argc, char **argv)
{
    bool help = argc == 2 && strcmp (argv[1], "--help") == 0;
    bool callbacks = argc == 3 && strcmp (argv[1], "callbacks") == 0;
    if (argc != 3 || (!callbacks && strcmp (argv[1], "await") != 0)) {
        fputs ("usage: read-message callbacks|await ADDRESS-FILE\n", help ? stdout : stderr);
        return help ? 0 : 2;
    }
    EDDY_AUTO (EddyFile) address = eddy_file_new_for_path (argv[2]);
    EDDY_AUTO (EddyCancellable) cancellable = eddy_cancellable_new ();
    EDDY_AUTO (EddySource) interrupt = eddy_signal_source_new (SIGINT);
    eddy_source_set_callback (interrupt, interrupted, cancellable, NULL);
    eddy_source_attach (interrupt, NULL);
    EDDY_AUTO (EddyMainLoop) loop = eddy_main_loop_new (NULL);
    Series series = { .address = address, .cancellable = cancellable, .fd = -1, .loop = loop };
    (callbacks ? series_with_callbacks : series_with_await) (&series);
    eddy_source_destroy (interrupt);

    if (series.error == NULL && series.length == sizeof series.message)
        series.error = eddy_error_new_errno (EMSGSIZE, "read");
    int status = series.error == NULL ? 0 : 1;
    if (series.door[0] != '\0') /* else the error names the file itself */
        eddy_error_prefix (&series.error, "%s: ", series.door);
    if (status == 0)
        printf ("%.*s", (int) series.length, series.message);
    else
        fprintf (stderr, "read-message: %s\n", eddy_error_get_message (series.error));
    if (series.fd >= 0)
        close (series.fd);
    eddy_clear_error (&series.error);
    return status;
}
