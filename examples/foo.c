/* SPDX-License-Identifier: MIT */
/* Foo: a series of operations, wrapped in a task. What one load needs is the task's data, so that
 * several may run at once, also of one foo. Each callback holds the task, and passes it on. */
#include "foo.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct Foo {
    EddyObject object;
    EddyFile *address;
};

static void foo_dispose (void *object)
{
    Foo *foo = object;
    eddy_clear (&foo->address);
}

static const EddyClass foo_class = { .name = "Foo", .size = sizeof (Foo), .dispose = foo_dispose };

Foo *foo_new (const char *address)
{
    Foo *foo = eddy_object_new (&foo_class);
    if (foo != NULL)
        foo->address = eddy_file_new_for_path (address);
    return foo;
}

/* The data of one load. */
typedef struct FooLoad {
    char door[256]; /* what the address names */
    int fd;         /* of the door; -1: not open */
    char message[4096];
    size_t length;
} FooLoad;

static void foo_load_free (void *task_data)
{
    FooLoad *load = task_data;
    if (load->fd >= 0)
        close (load->fd);
    free (load);
}

/* Names what was being read; the error of the first step names it itself. */
static void foo_fail (EddyTask *task, EddyError *error)
{
    FooLoad *load = eddy_task_get_task_data (task);
    if (load != NULL && load->door[0] != '\0')
        eddy_error_prefix (&error, "%s: ", load->door);
    eddy_task_return_error (task, error);
    eddy_task_unref (task);
}

/* ---- The steps. The last one returns the task, and gives it up. */

static void foo_loaded (void *source_object, EddyAsyncResult *result, void *user_data);
static void foo_answered (void *source_object, EddyAsyncResult *result, void *user_data);
static void foo_read (void *source_object, EddyAsyncResult *result, void *user_data);

static void foo_start (Foo *foo, EddyTask *task)
{
    FooLoad *load = calloc (1, sizeof *load);
    if (load == NULL) {
        foo_fail (task, eddy_error_new_errno (ENOMEM, "foo"));
        return;
    }
    load->fd = -1;
    eddy_task_set_task_data (task, load, foo_load_free);
    eddy_file_load_contents_async (foo->address, 0, eddy_task_get_cancellable (task), foo_loaded,
                                   task);
}

static void foo_loaded (void *source_object, EddyAsyncResult *result, void *user_data)
{
    EddyTask *task = user_data;
    FooLoad *load = eddy_task_get_task_data (task);
    EddyError *error = NULL;
    EDDY_AUTO (EddyBytes) name = eddy_file_load_contents_finish (source_object, result, &error);
    if (name == NULL) {
        foo_fail (task, error);
        return;
    }
    sscanf (eddy_bytes_get_data (name), "%255[^\n]", load->door);
    load->fd = open (load->door, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (load->fd < 0)
        foo_fail (task, eddy_error_new_errno (errno, "open"));
    else
        eddy_fd_wait_async (load->fd, POLLIN, 0, eddy_task_get_cancellable (task), foo_answered,
                            task);
}

static void foo_answered (void *source_object, EddyAsyncResult *result, void *user_data)
{
    EddyTask *task = user_data;
    FooLoad *load = eddy_task_get_task_data (task);
    EddyError *error = NULL;
    (void) source_object;
    if (eddy_fd_wait_finish (result, &error) < 0)
        foo_fail (task, error);
    else
        eddy_fd_read_async (load->fd, load->message, sizeof load->message, -1, 0,
                            eddy_task_get_cancellable (task), foo_read, task);
}

static void foo_read (void *source_object, EddyAsyncResult *result, void *user_data)
{
    EddyTask *task = user_data;
    FooLoad *load = eddy_task_get_task_data (task);
    EddyError *error = NULL;
    (void) source_object;
    ssize_t count = eddy_fd_read_finish (result, &error);
    load->length += count < 0 ? 0 : (size_t) count;
    size_t room = sizeof load->message - load->length;
    if (count < 0 || room == 0) {
        foo_fail (task, count < 0 ? error : eddy_error_new_errno (EMSGSIZE, "read"));
    } else if (count > 0) {
        eddy_fd_read_async (load->fd, load->message + load->length, room, -1, 0,
                            eddy_task_get_cancellable (task), foo_read, task);
    } else {
        eddy_task_return_object (task, eddy_bytes_new (load->message, load->length));
        eddy_task_unref (task);
    }
}

void foo_load_data_async (Foo *foo, EddyCancellable *cancellable, EddyAsyncReadyCallback callback,
                          void *user_data)
{
    foo_start (foo, eddy_task_new (foo, cancellable, callback, user_data));
}

EddyBytes *foo_load_data_finish (Foo *foo, EddyAsyncResult *result, EddyError **error)
{
    (void) foo;
    return eddy_task_propagate_pointer (result, error);
}

EddyFuture *foo_load_data_future (Foo *foo, EddyCancellable *cancellable)
{
    EddyTask *task = eddy_task_new (foo, cancellable, NULL, NULL);
    EddyFuture *future = eddy_task_get_future (task);
    foo_start (foo, task);
    return future;
}
