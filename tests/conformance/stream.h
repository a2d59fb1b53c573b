/* SPDX-License-Identifier: MIT */
/* For the tests of streams: a pipe as two streams, bytes of which each tells its place, and what a
 * callback was told. */
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include "context.h"

typedef struct StreamPipe {
    EddyInputStream *input;
    EddyOutputStream *output;
} StreamPipe;

static inline StreamPipe stream_pipe_new (void)
{
    int fds[2];
    ck_assert_int_eq (pipe2 (fds, O_CLOEXEC), 0);
    return (StreamPipe){ eddy_fd_input_stream_new (fds[0], /* close_fd= */ true),
                         eddy_fd_output_stream_new (fds[1], /* close_fd= */ true) };
}

static inline void stream_pipe_clear (StreamPipe *self)
{
    eddy_clear (&self->input);
    eddy_clear (&self->output);
}

static inline void stream_fill (char *buffer, size_t count, size_t offset)
{
    for (size_t i = 0; i < count; i++)
        buffer[i] = (char) ((offset + i) * 31 + ((offset + i) >> 8));
}

/* A file of so many bytes of stream_fill(), in the test's directory. */
static inline EddyFile *stream_make_file (const char *name, size_t size)
{
    int fd = open (eddy_test_path (name), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    char *bytes = malloc (size);
    ck_assert_int_ge (fd, 0);
    ck_assert_ptr_nonnull (bytes);
    stream_fill (bytes, size, 0);
    ck_assert_int_eq (write (fd, bytes, size), (ssize_t) size);
    close (fd);
    free (bytes);
    return eddy_test_file (name);
}

/* Asserts that bytes are those of stream_fill(): one assertion a piece, since there are many. */
static inline void stream_expect (const char *buffer, size_t count, size_t offset)
{
    char piece[4096];
    for (size_t at = 0; at < count; at += sizeof piece) {
        size_t n = count - at < sizeof piece ? count - at : sizeof piece;
        stream_fill (piece, n, offset + at);
        ck_assert_mem_eq (buffer + at, piece, n);
    }
}

/* What a callback keeps of its operation. */
typedef struct StreamCall {
    int calls;
    EddyAsyncResult *result; /* a reference */
} StreamCall;

static inline void stream_called (void *source_object, EddyAsyncResult *result, void *user_data)
{
    StreamCall *call = user_data;
    (void) source_object;
    call->calls++;
    call->result = eddy_ref (result);
}

/* Iterates until the callback has run. */
static inline EddyAsyncResult *stream_await (EddyContext *context, StreamCall *call)
{
    while (call->calls == 0)
        eddy_context_iteration (context, /* may_block= */ true);
    ck_assert_int_eq (call->calls, 1);
    return call->result;
}

static inline void stream_call_clear (StreamCall *call)
{
    eddy_clear (&call->result);
    call->calls = 0;
}
