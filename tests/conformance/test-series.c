/* SPDX-License-Identifier: MIT */
/*
 * A series of operations of different kinds, cancelled at every point: an address is read from a
 * file, connected to, and a message read from there up to its end. In fibers, by callbacks within a
 * task, as a chain of futures, and several at once: the message is whole, or the error is the
 * cancel's, and nothing is left.
 */
#include <eddy/testing.h>
#include <signal.h>
#include <sys/wait.h>

#include "client.h"

static const char message[] = "a message from the other side";

/* Tells everybody the message. A process of its own: so the fds of this one are the series'. */
typedef struct Teller {
    ClientPeer peer;
    pid_t pid;
} Teller;

_Noreturn static void teller_run (const Teller *self)
{
    for (;;) {
        int fd = accept (self->peer.fd, NULL, NULL);
        /* A connection that has gone is no matter. */
        (void) send (fd, message, strlen (message), MSG_NOSIGNAL);
        close (fd);
    }
}

static void teller_begin (Teller *self)
{
    self->peer = client_peer_new ();
    self->pid = fork ();
    ck_assert_int_ge (self->pid, 0);
    if (self->pid == 0)
        teller_run (self);
}

static void teller_end (Teller *self)
{
    ck_assert_int_eq (kill (self->pid, SIGKILL), 0);
    ck_assert_int_eq (waitpid (self->pid, NULL, 0), self->pid);
    client_peer_clear (&self->peer);
}

typedef struct Series {
    EddySocketClient *client;
    EddyFile *address; /* the file that has it */
    EddyBytes *told;   /* what was read; NULL: it failed */
} Series;

static void series_begin (Series *self, Teller *teller)
{
    const char *path = eddy_test_path ("address");
    FILE *file = fopen (path, "we");
    teller_begin (teller);
    fprintf (file, "127.0.0.1:%u\n", teller->peer.port);
    fclose (file);
    *self =
        (Series){ .client = eddy_socket_client_new (), .address = eddy_file_new_for_path (path) };
}

static void series_end (Series *self, Teller *teller)
{
    teller_end (teller);
    eddy_clear (&self->client);
    eddy_clear (&self->address);
}

/* The host and port of what was read. */
static void series_get_host (EddyBytes *bytes, char host[64])
{
    const char *text = bytes == NULL ? "" : eddy_bytes_get_data (bytes);
    ck_assert_int_eq (sscanf (text, "%63[^\n]", host), 1);
}

static void series_check (void *data, bool cancelled, uint32_t point)
{
    Series *self = data;
    ck_assert_int_eq (self->told == NULL, cancelled);
    ck_assert (point != EDDY_TEST_NO_POINT || !cancelled);
    if (self->told != NULL) {
        ck_assert_uint_eq (eddy_bytes_get_size (self->told), strlen (message));
        ck_assert_mem_eq (eddy_bytes_get_data (self->told), message, strlen (message));
    }
    eddy_clear (&self->told);
}

static void series_run_everywhere (EddyFiberFunc function)
{
    Series self;
    Teller teller;
    EddyTestCancelReport report;
    series_begin (&self, &teller);
    bool good = eddy_test_cancel_everywhere (function, &self, series_check, &report);
    ck_assert_msg (good, "%s", report.failure);
    ck_assert_uint_ge (report.points, 8);
    ck_assert_uint_ge (report.cancelled, 4);
    series_end (&self, &teller);
}

/* --- in a fiber ------------------------------------------------------------------------------- */

static EddyBytes *series_read (EddyInputStream *input, EddyError **error)
{
    char buffer[64];
    size_t count;
    if (!eddy_input_stream_read_all (input, buffer, sizeof buffer, &count, NULL, error))
        return NULL;
    return eddy_bytes_new (buffer, count);
}

static void *series_in_a_fiber (void *data, EddyError **error)
{
    Series *self = data;
    char host[64];
    EDDY_AUTO (EddyBytes) bytes = eddy_file_load_contents (self->address, NULL, error);
    if (bytes == NULL)
        return NULL;
    series_get_host (bytes, host);
    EDDY_AUTO (EddySocketConnection)
    connection = eddy_socket_client_connect_to_host (self->client, host, 0, NULL, error);
    if (connection != NULL)
        self->told =
            series_read (eddy_io_stream_get_input_stream (EDDY_IO_STREAM (connection)), error);
    return NULL;
}

EDDY_TEST (D_client_series_in_a_fiber)
{
    series_run_everywhere (series_in_a_fiber);
}

/* --- by callbacks, within a task -------------------------------------------------------------- */

typedef struct SeriesSteps {
    EddySocketClient *client;
    EddySocketConnection *connection;
    char buffer[64];
} SeriesSteps;

static void steps_free (void *data)
{
    SeriesSteps *steps = data;
    eddy_unref (steps->connection);
    free (steps);
}

static void steps_fail (EddyTask *task, EddyError *error)
{
    eddy_task_return_error (task, error);
    eddy_task_unref (task);
}

static void steps_read (void *source_object, EddyAsyncResult *result, void *user_data)
{
    EddyTask *task = user_data;
    SeriesSteps *steps = eddy_task_get_task_data (task);
    EddyError *error = NULL;
    size_t count;
    if (!eddy_input_stream_read_all_finish (source_object, result, &count, &error)) {
        steps_fail (task, error);
        return;
    }
    eddy_task_return_object (task, eddy_bytes_new (steps->buffer, count));
    eddy_task_unref (task);
}

static void steps_connected (void *source_object, EddyAsyncResult *result, void *user_data)
{
    EddyTask *task = user_data;
    SeriesSteps *steps = eddy_task_get_task_data (task);
    EddyError *error = NULL;
    steps->connection = eddy_socket_client_connect_to_host_finish (source_object, result, &error);
    if (steps->connection == NULL) {
        steps_fail (task, error);
        return;
    }
    EddyInputStream *input = eddy_io_stream_get_input_stream (EDDY_IO_STREAM (steps->connection));
    eddy_input_stream_read_all_async (input, steps->buffer, sizeof steps->buffer,
                                      EDDY_PRIORITY_DEFAULT, eddy_task_get_cancellable (task),
                                      steps_read, task);
}

static void steps_loaded (void *source_object, EddyAsyncResult *result, void *user_data)
{
    EddyTask *task = user_data;
    SeriesSteps *steps = eddy_task_get_task_data (task);
    EddyError *error = NULL;
    char host[64];
    EDDY_AUTO (EddyBytes) bytes = eddy_file_load_contents_finish (source_object, result, &error);
    if (bytes == NULL) {
        steps_fail (task, error);
        return;
    }
    series_get_host (bytes, host);
    eddy_socket_client_connect_to_host_async (steps->client, host, 0, EDDY_PRIORITY_DEFAULT,
                                              eddy_task_get_cancellable (task), steps_connected,
                                              task);
}

static EddyFuture *steps_begin (const Series *series, EddyCancellable *cancellable)
{
    EddyTask *task = eddy_task_new (NULL, cancellable, NULL, NULL);
    EddyFuture *future = eddy_task_get_future (task);
    SeriesSteps *steps = calloc (1, sizeof *steps);
    ck_assert_ptr_nonnull (steps);
    steps->client = series->client;
    eddy_task_set_task_data (task, steps, steps_free);
    eddy_file_load_contents_async (series->address, EDDY_PRIORITY_DEFAULT,
                                   eddy_task_get_cancellable (task), steps_loaded, task);
    return future;
}

/* The cancel goes to the task; whoever awaits it waits for its end, cancelled or not. */
static void *series_by_callbacks (void *data, EddyError **error)
{
    Series *self = data;
    EDDY_AUTO (EddyFuture) future = steps_begin (self, eddy_fiber_get_cancellable ());
    EDDY_SHIELD (-1)
    {
        self->told = eddy_ref (eddy_await (future, error));
    }
    return NULL;
}

EDDY_TEST (D_client_series_by_callbacks)
{
    series_run_everywhere (series_by_callbacks);
}

/* --- as a chain of futures -------------------------------------------------------------------- */

/* The object that a future has, as a reference. */
static void *chain_take (EddyFuture *completed)
{
    EddyValue value = EDDY_VALUE_INIT;
    ck_assert (eddy_future_take (completed, &value, NULL));
    return value.as.pointer;
}

static EddyFuture *chain_connect (EddyFuture *completed, void *data)
{
    const Series *series = data;
    char host[64];
    EDDY_AUTO (EddyBytes) bytes = chain_take (completed);
    series_get_host (bytes, host);
    return eddy_socket_client_connect_to_host_future (series->client, host, 0,
                                                      EDDY_PRIORITY_DEFAULT, NULL);
}

/* The message is short, and comes at once. The read keeps the stream, and that its connection. */
static EddyFuture *chain_read (EddyFuture *completed, void *data)
{
    EDDY_AUTO (EddySocketConnection) connection = chain_take (completed);
    (void) data;
    return eddy_input_stream_read_bytes_future (
        eddy_io_stream_get_input_stream (EDDY_IO_STREAM (connection)), 64, EDDY_PRIORITY_DEFAULT,
        NULL);
}

static void *series_as_futures (void *data, EddyError **error)
{
    Series *self = data;
    EddyFuture *contents =
        eddy_file_load_contents_future (self->address, EDDY_PRIORITY_DEFAULT, NULL);
    EDDY_AUTO (EddyFuture)
    whole = eddy_future_then (eddy_future_then (contents, chain_connect, self, NULL), chain_read,
                              NULL, NULL);
    self->told = eddy_ref (eddy_await (whole, error));
    eddy_future_cancel (whole);
    EDDY_SHIELD (-1)
    {
        (void) eddy_await_complete (whole, NULL);
    }
    return NULL;
}

EDDY_TEST (D_client_series_as_futures)
{
    series_run_everywhere (series_as_futures);
}

/* --- several at once -------------------------------------------------------------------------- */

static void *series_several (void *data, EddyError **error)
{
    Series *self = data;
    Series all[3] = { *self, *self, *self };
    EDDY_AUTO_GROUP (group) = eddy_group_new ();
    bool going = true;
    for (int i = 0; i < 3 && going; i++)
        going = eddy_group_spawn (group, series_in_a_fiber, &all[i], NULL, error);
    going = eddy_group_wait (group, going ? error : NULL) && going;
    for (int i = 0; i < 3; i++) {
        ck_assert (!going || all[i].told != NULL);
        if (going && i == 0)
            self->told = eddy_ref (all[i].told);
        eddy_unref (all[i].told);
    }
    return NULL;
}

EDDY_TEST (D_client_series_several_at_once)
{
    series_run_everywhere (series_several);
}
