/* SPDX-License-Identifier: MIT */
/* Streams on file descriptors: each read and write is one request. */
#include <eddy/fd-stream.h>

#include <eddy/fd.h>
#include <unistd.h>

#include "base/object-private.h"
#include "io/stream-private.h"
#include "sys/file-private.h"

/* What a stream reads from or writes to. */
typedef struct StreamFd {
    int fd; /* -1: closed */
    bool close_fd;
    bool may_wait;    /* to be closed: what was written may not be on its disk yet */
    const char *name; /* static, for messages */
} StreamFd;

typedef struct FdInputStream {
    EddyInputStream stream;
    StreamFd on;
} FdInputStream;

typedef struct FdOutputStream {
    EddyOutputStream stream;
    StreamFd on;
} FdOutputStream;

/* The fd that the stream is to close now, or -1: from now on it has none. */
static int stream_fd_take (StreamFd *on)
{
    int fd = on->close_fd ? on->fd : -1;
    on->fd = -1;
    return fd;
}

static bool stream_fd_close (StreamFd *on, EddyError **error)
{
    int fd = stream_fd_take (on);
    return fd < 0 || eddy__stream_close_fd (fd, on->may_wait, "close", error);
}

static void stream_fd_drop (StreamFd *on)
{
    int fd = stream_fd_take (on);
    if (fd >= 0)
        eddy__stream_close_fd_later (fd, on->may_wait);
}

/* --- input ------------------------------------------------------------------------------------ */

static StreamFd *input_on (void *stream)
{
    return &((FdInputStream *) stream)->on;
}

static ssize_t fd_input_read (EddyInputStream *stream, void *buffer, size_t count,
                              EddyCancellable *cancellable, EddyError **error)
{
    return eddy_fd_read (input_on (stream)->fd, buffer, count, -1, cancellable, error);
}

static bool fd_input_close (EddyInputStream *stream, EddyCancellable *cancellable,
                            EddyError **error)
{
    (void) cancellable;
    return stream_fd_close (input_on (stream), error);
}

static int fd_input_get_fd (EddyInputStream *stream, int64_t *offset)
{
    (void) offset; /* it reads where the fd is */
    return input_on (stream)->fd;
}

static const char *fd_input_get_name (EddyInputStream *stream)
{
    return input_on (stream)->name;
}

static void fd_input_dispose (void *object)
{
    stream_fd_drop (input_on (object));
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
    self->on = (StreamFd){ fd, close_fd, /* may_wait= */ false, name };
    return &self->stream;
}

EddyInputStream *eddy_fd_input_stream_new (int fd, bool close_fd)
{
    return fd_input_new (fd, close_fd, "read");
}

EddyInputStream *eddy_stdin_stream_new (void)
{
    return fd_input_new (STDIN_FILENO, /* close_fd= */ false, "stdin");
}

int eddy_fd_input_stream_get_fd (EddyInputStream *stream)
{
    EDDY__EXPECT (stream != NULL, -1);
    EDDY__EXPECT (stream->stream.object.object_class == &fd_input_class.stream.object, -1);
    return input_on (stream)->fd;
}

/* --- output ----------------------------------------------------------------------------------- */

static StreamFd *output_on (void *stream)
{
    return &((FdOutputStream *) stream)->on;
}

static ssize_t fd_output_write (EddyOutputStream *stream, const void *buffer, size_t count,
                                EddyCancellable *cancellable, EddyError **error)
{
    return eddy_fd_write (output_on (stream)->fd, buffer, count, -1, cancellable, error);
}

static ssize_t fd_output_writev (EddyOutputStream *stream, const EddyOutputVector *vectors,
                                 size_t n_vectors, EddyCancellable *cancellable, EddyError **error)
{
    return eddy_fd_writev (output_on (stream)->fd, vectors, n_vectors, -1, cancellable, error);
}

static bool fd_output_close (EddyOutputStream *stream, EddyCancellable *cancellable,
                             EddyError **error)
{
    (void) cancellable;
    return stream_fd_close (output_on (stream), error);
}

static int fd_output_get_fd (EddyOutputStream *stream, int64_t *offset)
{
    (void) offset; /* it writes where the fd is */
    return output_on (stream)->fd;
}

static const char *fd_output_get_name (EddyOutputStream *stream)
{
    return output_on (stream)->name;
}

static void fd_output_dispose (void *object)
{
    stream_fd_drop (output_on (object));
}

static const EddyOutputStreamClass fd_output_class = {
    .stream.object = { .name = "EddyFdOutputStream",
                       .size = sizeof (FdOutputStream),
                       .dispose = fd_output_dispose },
    .write = fd_output_write,
    .writev = fd_output_writev,
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
    self->on = (StreamFd){ fd, close_fd, /* may_wait= */ true, name };
    return &self->stream;
}

EddyOutputStream *eddy_fd_output_stream_new (int fd, bool close_fd)
{
    return fd_output_new (fd, close_fd, "write");
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
    EDDY__EXPECT (stream != NULL, -1);
    EDDY__EXPECT (stream->stream.object.object_class == &fd_output_class.stream.object, -1);
    return output_on (stream)->fd;
}
