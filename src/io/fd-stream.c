/* SPDX-License-Identifier: MIT */
/* Streams on file descriptors: each read and write is one request. */
#include <eddy/fd-stream.h>

#include <eddy/fd.h>
#include <unistd.h>

#include "base/object-private.h"
#include "io/stream-private.h"
#include "sys/file-private.h"

typedef struct FdInputStream {
    EddyInputStream stream;
    int fd;
    bool close_fd;
    const char *name; /* static; NULL: a file descriptor like others */
} FdInputStream;

typedef struct FdOutputStream {
    EddyOutputStream stream;
    int fd;
    bool close_fd;
    const char *name;
} FdOutputStream;

/* --- input ------------------------------------------------------------------------------------ */

static ssize_t fd_input_read (EddyInputStream *stream, void *buffer, size_t count,
                              EddyCancellable *cancellable, EddyError **error)
{
    const FdInputStream *self = (const FdInputStream *) (void *) stream;
    return eddy_fd_read (self->fd, buffer, count, -1, cancellable, error);
}

static bool fd_input_close (EddyInputStream *stream, EddyCancellable *cancellable,
                            EddyError **error)
{
    (void) cancellable;
    FdInputStream *self = (FdInputStream *) (void *) stream;
    int fd = self->close_fd ? self->fd : -1;
    self->fd = -1;
    return fd < 0 || eddy__stream_close_fd (fd, /* may_wait= */ false, "close", error);
}

static int fd_input_get_fd (EddyInputStream *stream)
{
    return ((const FdInputStream *) (void *) stream)->fd;
}

static const char *fd_input_get_name (EddyInputStream *stream)
{
    const char *name = ((const FdInputStream *) (void *) stream)->name;
    return name != NULL ? name : "read";
}

static void fd_input_dispose (void *object)
{
    FdInputStream *self = object;
    if (self->fd >= 0 && self->close_fd)
        eddy__stream_close_fd_later (self->fd, /* may_wait= */ false);
    self->fd = -1;
}

static const EddyInputStreamClass fd_input_class = {
    .stream.object = { .name = "EddyFdInputStream",
                       .size = sizeof (FdInputStream),
                       .dispose = fd_input_dispose },
    .read = fd_input_read,
    .close = fd_input_close,
    .get_fd = fd_input_get_fd,
    .get_name = fd_input_get_name,
};

static EddyInputStream *fd_input_new (int fd, bool close_fd, const char *name)
{
    EDDY__EXPECT (fd >= 0, NULL);
    FdInputStream *self = eddy_object_new (&fd_input_class.stream.object);
    if (self == NULL)
        return NULL;
    self->fd = fd;
    self->close_fd = close_fd;
    self->name = name;
    return &self->stream;
}

EddyInputStream *eddy_fd_input_stream_new (int fd, bool close_fd)
{
    return fd_input_new (fd, close_fd, NULL);
}

EddyInputStream *eddy_stdin_stream_new (void)
{
    return fd_input_new (STDIN_FILENO, /* close_fd= */ false, "stdin");
}

int eddy_fd_input_stream_get_fd (EddyInputStream *stream)
{
    EDDY__EXPECT (
        stream != NULL && stream->stream.object.object_class == &fd_input_class.stream.object, -1);
    return fd_input_get_fd (stream);
}

/* --- output ----------------------------------------------------------------------------------- */

static ssize_t fd_output_write (EddyOutputStream *stream, const void *buffer, size_t count,
                                EddyCancellable *cancellable, EddyError **error)
{
    const FdOutputStream *self = (const FdOutputStream *) (void *) stream;
    return eddy_fd_write (self->fd, buffer, count, -1, cancellable, error);
}

static bool fd_output_close (EddyOutputStream *stream, EddyCancellable *cancellable,
                             EddyError **error)
{
    (void) cancellable;
    FdOutputStream *self = (FdOutputStream *) (void *) stream;
    int fd = self->close_fd ? self->fd : -1;
    self->fd = -1;
    return fd < 0 || eddy__stream_close_fd (fd, /* may_wait= */ true, "close", error);
}

static int fd_output_get_fd (EddyOutputStream *stream)
{
    return ((const FdOutputStream *) (void *) stream)->fd;
}

static const char *fd_output_get_name (EddyOutputStream *stream)
{
    const char *name = ((const FdOutputStream *) (void *) stream)->name;
    return name != NULL ? name : "write";
}

static void fd_output_dispose (void *object)
{
    FdOutputStream *self = object;
    if (self->fd >= 0 && self->close_fd)
        eddy__stream_close_fd_later (self->fd, /* may_wait= */ true);
    self->fd = -1;
}

static const EddyOutputStreamClass fd_output_class = {
    .stream.object = { .name = "EddyFdOutputStream",
                       .size = sizeof (FdOutputStream),
                       .dispose = fd_output_dispose },
    .write = fd_output_write,
    .close = fd_output_close,
    .get_fd = fd_output_get_fd,
    .get_name = fd_output_get_name,
};

static EddyOutputStream *fd_output_new (int fd, bool close_fd, const char *name)
{
    EDDY__EXPECT (fd >= 0, NULL);
    FdOutputStream *self = eddy_object_new (&fd_output_class.stream.object);
    if (self == NULL)
        return NULL;
    self->fd = fd;
    self->close_fd = close_fd;
    self->name = name;
    return &self->stream;
}

EddyOutputStream *eddy_fd_output_stream_new (int fd, bool close_fd)
{
    return fd_output_new (fd, close_fd, NULL);
}

EddyOutputStream *eddy_stdout_stream_new (void)
{
    return fd_output_new (STDOUT_FILENO, /* close_fd= */ false, "stdout");
}

EddyOutputStream *eddy_stderr_stream_new (void)
{
    return fd_output_new (STDERR_FILENO, /* close_fd= */ false, "stderr");
}

int eddy_fd_output_stream_get_fd (EddyOutputStream *stream)
{
    EDDY__EXPECT (
        stream != NULL && stream->stream.object.object_class == &fd_output_class.stream.object, -1);
    return fd_output_get_fd (stream);
}
