/* SPDX-License-Identifier: MIT */
/* One operation in every style: loads several files or fifos at once, and prints them in order.
 *
 *   mkfifo door; (sleep 1; echo hello > door) &
 *   gather callbacks|tasks|futures|fibers|channels|sequence|mixed door /etc/hostname ...
 *
 * Here is the operation, written once, as it stands in a fiber; eddy-forms makes its other forms of
 * the declaration in gather.h. gather-styles.c calls it. Whatever the style, the whole is a future:
 * so main waits for all of them in one way, and Ctrl-C cancels all of them in one way. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gather-bodies.h"
#include "gather.h"

static const char usage[] = "usage: gather callbacks|tasks|futures|fibers|channels|sequence|mixed "
                            "PATH... (at most 16)\n";

/* Closes at the end of the scope, however that is left. */
static void close_fd (int *fd)
{
    if (*fd >= 0)
        close (*fd);
}

EddyBytes *gather_load_body (const char *path, EddyCancellable *cancellable, EddyError **error)
{
    char text[4096];
    size_t length = 0;
    __attribute__ ((cleanup (close_fd))) int fd = open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        eddy_error_set_errno (error, errno, "%s", path);
        return NULL;
    }
    ssize_t count = eddy_fd_wait (fd, POLLIN, cancellable, error);
    while (count > 0 && length < sizeof text) {
        count = eddy_fd_read (fd, text + length, sizeof text - length, -1, cancellable, error);
        length += count < 0 ? 0 : (size_t) count;
    }
    if (count > 0)
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_LIMIT_EXCEEDED, "too long");
    eddy_error_prefix (error, "%s: ", path);
    return count == 0 ? eddy_bytes_new (text, length) : NULL;
}

static bool interrupted (void *future)
{
    eddy_future_cancel (future);
    return false; /* a second Ctrl-C ends the program at once, as without us */
}

/* Prints what was loaded, or the error. */
static void gather_end (Gather *gather, const EddyError *error)
{
    for (size_t i = 0; i < gather->n_loads; i++) {
        EddyBytes *bytes = gather->loads[i].bytes;
        if (error == NULL)
            fwrite (eddy_bytes_get_data (bytes), eddy_bytes_get_size (bytes), 1, stdout);
        eddy_unref (bytes);
    }
    if (error != NULL)
        fprintf (stderr, "gather: %s\n",
                 eddy_error_is_cancelled (error) ? "cancelled" : eddy_error_get_message (error));
}

int main (int argc, char **argv)
{
    Gather gather = { .n_loads = (size_t) (argc > 2 ? argc - 2 : 0) };
    if (argc == 2 && strcmp (argv[1], "--help") == 0) {
        fputs (usage, stdout);
        return 0;
    }
    bool wrong = argc < 3 || gather.n_loads > GATHER_MOST;
    for (size_t i = 0; i < gather.n_loads && !wrong; i++)
        gather.loads[i] = (Load){ .all = &gather, .path = argv[i + 2] };
    EDDY_AUTO (EddyFuture) future = wrong ? NULL : gather_begin (&gather, argv[1]);
    if (future == NULL) {
        fputs (usage, stderr);
        return 2;
    }
    EDDY_AUTO (EddySource) interrupt = eddy_signal_source_new (SIGINT);
    eddy_source_set_callback (interrupt, interrupted, future, NULL);
    eddy_source_attach (interrupt, NULL);
    EddyError *error = NULL;
    eddy_block_on_complete (NULL, future, &error);
    eddy_source_destroy (interrupt);
    gather_end (&gather, error);
    int status = error == NULL ? 0 : 1;
    eddy_clear_error (&error);
    return status;
}
