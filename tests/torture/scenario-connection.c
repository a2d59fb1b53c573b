/* SPDX-License-Identifier: MIT */
/*
 * Connections: asked and answered by streams, awaited and by callback, closed gracefully; file
 * descriptors and credentials passed.
 */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "torture.h"

static const char text[] = "some words";

/* Both ends, and what came of them. */
typedef struct Ends {
    EddySocketConnection *near;
    EddySocketConnection *far;
    bool was_answered;
} Ends;

static EddySocketConnection *ends_make_one (int fd)
{
    EddyError *error = NULL;
    EddySocket *made = eddy_socket_new_from_fd (fd, &error);
    if (made == NULL) {
        torture_error ("a socket", &error);
        close (fd);
        return NULL;
    }
    EddySocketConnection *connection =
        torture_made ("a connection", eddy_socket_connection_new (made));
    eddy_unref (made);
    return connection;
}

/* Takes the fds. */
static bool ends_make (Ends *ends, const int fds[2])
{
    ends->near = ends_make_one (fds[0]);
    ends->far = ends_make_one (fds[1]);
    return ends->near != NULL && ends->far != NULL;
}

static void ends_clear (Ends *ends)
{
    eddy_clear (&ends->near);
    eddy_clear (&ends->far);
}

static EddyInputStream *input_of (EddySocketConnection *connection)
{
    return eddy_io_stream_get_input_stream (EDDY_IO_STREAM (connection));
}

static EddyOutputStream *output_of (EddySocketConnection *connection)
{
    return eddy_io_stream_get_output_stream (EDDY_IO_STREAM (connection));
}

/* --- awaited ---------------------------------------------------------------------------------- */

static void *answer (void *data, EddyError **error)
{
    Ends *ends = data;
    char buffer[sizeof text];
    size_t count;
    EddyError *failure = NULL;
    if (eddy_input_stream_read_exactly (input_of (ends->far), buffer, sizeof buffer, &count, NULL,
                                        &failure) &&
        eddy_output_stream_write_all (output_of (ends->far), buffer, sizeof buffer, NULL, NULL,
                                      &failure))
        (void) eddy_output_stream_close (output_of (ends->far), NULL, &failure);
    /* Whoever fails ends the other one. */
    eddy_clear (&ends->far);
    eddy_error_take (error, failure);
    return NULL;
}

static void *ask (void *data, EddyError **error)
{
    Ends *ends = data;
    EddyOutputStream *output = output_of (ends->near);
    EddyBytes *bytes = NULL;
    if (eddy_output_stream_write_all (output, text, sizeof text, NULL, NULL, error) &&
        eddy_output_stream_close (output, NULL, error))
        bytes = eddy_input_stream_read_bytes (input_of (ends->near), 100, NULL, error);
    if (bytes != NULL && eddy_bytes_get_size (bytes) > 0) {
        torture_require (eddy_bytes_get_size (bytes) == sizeof text);
        torture_require (memcmp (eddy_bytes_get_data (bytes), text, sizeof text) == 0);
        ends->was_answered = eddy_io_stream_close (EDDY_IO_STREAM (ends->near), NULL, error);
    }
    eddy_unref (bytes);
    eddy_clear (&ends->near);
    return NULL;
}

static void talk_step (void *data)
{
    EddyError *error = NULL;
    EddyGroup *group = torture_made ("a group", eddy_group_new ());
    if (group == NULL)
        return;
    if (!eddy_group_spawn (group, answer, data, NULL, &error) ||
        !eddy_group_spawn (group, ask, data, NULL, &error)) {
        torture_error ("a fiber", &error);
        eddy_group_cancel (group);
    }
    if (!eddy_group_wait (group, &error))
        torture_error_or_cancelled ("the talk", &error);
    eddy_unref (group);
}

TORTURE_SCENARIO (connection_awaited)
{
    Ends ends = { .near = NULL };
    int fds[2];
    torture_require (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    torture_begin ();
    if (ends_make (&ends, fds))
        torture_await (talk_step, &ends);
    ends_clear (&ends);
    torture_end ();
    torture_require (ends.was_answered || torture_has_failed ());
}

/* --- by callback ------------------------------------------------------------------------------ */

typedef struct Calls {
    Ends ends;
    int calls;
    bool was_read;
} Calls;

static void has_read (void *source, EddyAsyncResult *result, void *data)
{
    Calls *calls = data;
    EddyError *error = NULL;
    EddyBytes *bytes = eddy_input_stream_read_bytes_finish (source, result, &error);
    calls->calls++;
    if (bytes != NULL)
        calls->was_read = eddy_bytes_get_size (bytes) == sizeof text;
    else
        torture_error ("read", &error);
    eddy_unref (bytes);
}

static void has_written (void *source, EddyAsyncResult *result, void *data)
{
    Calls *calls = data;
    EddyError *error = NULL;
    calls->calls++;
    if (eddy_output_stream_write_finish (source, result, &error) < 0)
        torture_error ("write", &error);
    /* Without it the other end would wait for ever. */
    eddy_clear (&calls->ends.near);
}

TORTURE_SCENARIO (connection_by_callback)
{
    Calls calls = { .calls = 0 };
    int fds[2];
    torture_require (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    torture_begin ();
    EddyContext *context = torture_context_begin ();
    bool made = ends_make (&calls.ends, fds);
    if (context != NULL && made) {
        eddy_input_stream_read_bytes_async (input_of (calls.ends.far), 100, 0, NULL, has_read,
                                            &calls);
        eddy_output_stream_write_async (output_of (calls.ends.near), text, sizeof text, 0, NULL,
                                        has_written, &calls);
        (void) torture_run_until (context, &calls.calls, 2);
        torture_run_out (context);
    }
    ends_clear (&calls.ends);
    torture_end ();
    torture_context_end (context);
    torture_require (calls.was_read || torture_has_failed ());
}

/* --- what UNIX connections pass --------------------------------------------------------------- */

static void pass_step (void *data)
{
    Ends *ends = data;
    EddyUnixConnection *near = EDDY_UNIX_CONNECTION (ends->near);
    EddyUnixConnection *far = EDDY_UNIX_CONNECTION (ends->far);
    EddyError *error = NULL;
    EddyCredentials *credentials = NULL;
    int fd = -1;
    if (eddy_unix_connection_send_fd (near, STDIN_FILENO, NULL, &error))
        fd = eddy_unix_connection_receive_fd (far, NULL, &error);
    if (fd >= 0 && close (fd) == 0 && eddy_unix_connection_send_credentials (near, NULL, &error))
        credentials = eddy_unix_connection_receive_credentials (far, NULL, &error);
    if (credentials == NULL)
        torture_error ("pass", &error);
    else
        ends->was_answered = eddy_credentials_get_unix_pid (credentials) == getpid ();
    eddy_unref (credentials);
}

TORTURE_SCENARIO (connection_passes_descriptors)
{
    Ends ends = { .near = NULL };
    int fds[2];
    torture_require (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    torture_begin ();
    if (ends_make (&ends, fds))
        torture_await (pass_step, &ends);
    ends_clear (&ends);
    torture_end ();
    torture_require (ends.was_answered || torture_has_failed ());
}
