/* SPDX-License-Identifier: MIT */
/* Foo: a series of operations, wrapped in a task. What one load needs is the task's data, so that
 * several may run at once, also of one foo. Each callback holds the task, and passes it on. */
#include "foo.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct Foo {
    EddyObject object;
    EddyFile *file; /* with the address in it */
    EddySocketClient *client;
};

static void foo_dispose (void *object)
{
    Foo *foo = object;
    eddy_clear (&foo->file);
    eddy_clear (&foo->client);
}

static const EddyClass foo_class = { .name = "Foo", .size = sizeof (Foo), .dispose = foo_dispose };

Foo *foo_new (const char *path)
{
    Foo *foo = eddy_object_new (&foo_class);
    if (foo == NULL)
        return NULL;
    foo->file = eddy_file_new_for_path (path);
    foo->client = eddy_socket_client_new ();
    return foo;
}

/* The data of one load. */
typedef struct FooLoad {
    char address[256];
    EddySocketConnection *connection; /* NULL: not yet */
    char message[4096];
    size_t length;
} FooLoad;

static void foo_load_free (void *task_data)
{
    FooLoad *load = task_data;
    eddy_unref (load->connection);
    free (load);
}

static void foo_fail (EddyTask *task, EddyError *error)
{
    eddy_task_return_error (task, error);
    eddy_task_unref (task);
}

/* ---- The steps. The last one returns the task, and gives it up. */

static void foo_loaded (void *source_object, EddyAsyncResult *result, void *user_data);
static void foo_connected (void *source_object, EddyAsyncResult *result, void *user_data);
static void foo_read_more (FooLoad *load, EddyTask *task);
static void foo_read (void *source_object, EddyAsyncResult *result, void *user_data);

static void foo_start (Foo *foo, EddyTask *task)
{
    FooLoad *load = calloc (1, sizeof *load);
    if (load == NULL) {
        foo_fail (task, eddy_error_new_errno (ENOMEM, "foo"));
        return;
    }
    eddy_task_set_task_data (task, load, foo_load_free);
    eddy_file_load_contents_async (foo->file, 0, eddy_task_get_cancellable (task), foo_loaded,
                                   task);
}

static void foo_loaded (void *source_object, EddyAsyncResult *result, void *user_data)
{
    EddyTask *task = user_data;
    Foo *foo = eddy_task_get_source_object (task);
    FooLoad *load = eddy_task_get_task_data (task);
    EddyError *error = NULL;
    EDDY_AUTO (EddyBytes) text = eddy_file_load_contents_finish (source_object, result, &error);
    if (text == NULL) {
        foo_fail (task, error);
        return;
    }
    sscanf (eddy_bytes_get_data (text), "%255s", load->address);
    eddy_socket_client_connect_to_host_async (
        foo->client, load->address, 0, 0, eddy_task_get_cancellable (task), foo_connected, task);
}

static void foo_connected (void *source_object, EddyAsyncResult *result, void *user_data)
{
    EddyTask *task = user_data;
    FooLoad *load = eddy_task_get_task_data (task);
    EddyError *error = NULL;
    load->connection = eddy_socket_client_connect_to_host_finish (source_object, result, &error);
    if (load->connection == NULL)
        foo_fail (task, error);
    else
        foo_read_more (load, task);
}

static void foo_read_more (FooLoad *load, EddyTask *task)
{
    EddyInputStream *input = eddy_io_stream_get_input_stream (EDDY_IO_STREAM (load->connection));
    eddy_input_stream_read_async (input, load->message + load->length,
                                  sizeof load->message - load->length, 0,
                                  eddy_task_get_cancellable (task), foo_read, task);
}

static void foo_read (void *source_object, EddyAsyncResult *result, void *user_data)
{
    EddyTask *task = user_data;
    FooLoad *load = eddy_task_get_task_data (task);
    EddyError *error = NULL;
    ssize_t count = eddy_input_stream_read_finish (source_object, result, &error);
    load->length += count < 0 ? 0 : (size_t) count;
    if (count < 0) {
        foo_fail (task, error);
    } else if (load->length == sizeof load->message) {
        foo_fail (task, eddy_error_new_errno (EMSGSIZE, "%s", load->address));
    } else if (count > 0) {
        foo_read_more (load, task);
    } else {
        eddy_task_return_object (task, eddy_bytes_new (load->message, load->length));
        eddy_task_unref (task);
    }
}

void foo_load_message_async (Foo *foo, EddyCancellable *cancellable,
                             EddyAsyncReadyCallback callback, void *user_data)
{
    foo_start (foo, eddy_task_new (foo, cancellable, callback, user_data));
}

EddyBytes *foo_load_message_finish (Foo *foo, EddyAsyncResult *result, EddyError **error)
{
    (void) foo;
    return eddy_task_propagate_pointer (result, error);
}

EddyFuture *foo_load_message_future (Foo *foo, EddyCancellable *cancellable)
{
    EddyTask *task = eddy_task_new (foo, cancellable, NULL, NULL);
    EddyFuture *future = eddy_task_get_future (task);
    foo_start (foo, task);
    return future;
}
