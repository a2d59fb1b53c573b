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

/* Asserts that bytes are those of stream_fill(). */
static inline void stream_expect (const char *buffer, size_t count, size_t offset)
{
    for (size_t i = 0; i < count; i++)
        ck_assert_msg (buffer[i] == (char) ((offset + i) * 31 + ((offset + i) >> 8)),
                       "byte %zu is another one", offset + i);
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
