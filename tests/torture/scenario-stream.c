/* SPDX-License-Identifier: MIT */
/*
 * Streams: bytes from memory through a pipe to memory, as splices in fibers, by callbacks, and both
 * ways at once.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "torture.h"

enum { TOTAL = 200000, LITTLE = 600 };

/* A stream of so many bytes of torture_byte, or NULL. */
static EddyInputStream *make_input (size_t count)
{
    static char bytes[TOTAL];
    for (size_t i = 0; i < count; i++)
        bytes[i] = torture_byte (i);
    EddyBytes *copy = eddy_bytes_new (bytes, count);
    EddyInputStream *input = copy == NULL ? NULL : eddy_memory_input_stream_new_from_bytes (copy);
    eddy_unref (copy);
    return torture_made ("an input stream", input);
}

static void require_whole (EddyOutputStream *output, size_t count)
{
    const char *bytes = eddy_memory_output_stream_get_data (output);
    torture_require (eddy_memory_output_stream_get_size (output) == count);
    for (size_t i = 0; i < count; i++)
        torture_require (bytes[i] == torture_byte (i));
}

/* ---- Through a pipe ------------------------------------------------------------------------ */

typedef struct Pipe {
    EddyInputStream *from;
    EddyOutputStream *in;
    EddyInputStream *out;
    EddyOutputStream *to;
    int fds[2];
} Pipe;

static void *pipe_fill (void *data, EddyError **error)
{
    Pipe *pipe = data;
    (void) eddy_output_stream_splice (pipe->in, pipe->from, EDDY_OUTPUT_STREAM_SPLICE_CLOSE_SOURCE,
                                      NULL, NULL, error);
    return NULL;
}

/* Whether it was filled or not, its end is closed, and by a call that no fault strikes: so the
 * other one ends. */
static void pipe_close_end (Pipe *pipe, int which)
{
    torture_require (pipe->fds[which] >= 0);
    close (pipe->fds[which]);
    pipe->fds[which] = -1;
}

static void pipe_drop_in (void *data)
{
    pipe_close_end (data, 1);
}

static void *pipe_drain (void *data, EddyError **error)
{
    Pipe *pipe = data;
    size_t count;
    (void) eddy_output_stream_splice (pipe->to, pipe->out, EDDY_OUTPUT_STREAM_SPLICE_CLOSE_TARGET,
                                      &count, NULL, error);
    return NULL;
}

static void pipe_drop_out (void *data)
{
    pipe_close_end (data, 0);
}

static bool pipe_make (Pipe *pipe)
{
    pipe->from = make_input (TOTAL);
    pipe->in = torture_made ("a stream", eddy_fd_output_stream_new (pipe->fds[1], false));
    pipe->out = torture_made ("a stream", eddy_fd_input_stream_new (pipe->fds[0], false));
    pipe->to = torture_made ("a stream", eddy_memory_output_stream_new (0));
    return !torture_has_failed ();
}

static const TortureEnds pipe_ends = { pipe_fill, pipe_drop_in, pipe_drain, pipe_drop_out,
                                       /* tells_cut= */ false };

TORTURE_SCENARIO (stream_splices_through_a_pipe)
{
    Pipe pipe = { NULL, NULL, NULL, NULL, { -1, -1 } };
    torture_require (pipe2 (pipe.fds, O_CLOEXEC) == 0);
    torture_begin ();
    EddyContext *context = torture_context_begin ();
    if (pipe_make (&pipe) && context != NULL)
        torture_run_ends (context, &pipe_ends, &pipe);
    torture_end ();
    torture_context_end (context); /* with fibers that could not be waited for */
    if (!torture_has_failed ())
        require_whole (pipe.to, TOTAL);
    eddy_unref (pipe.from);
    eddy_unref (pipe.in);
    eddy_unref (pipe.out);
    eddy_unref (pipe.to);
    for (int i = 0; i < 2; i++)
        if (pipe.fds[i] >= 0)
            close (pipe.fds[i]);
}

/* ---- Closing ------------------------------------------------------------------------------- */

static void *close_output (void *data, EddyError **error)
{
    (void) eddy_output_stream_close (data, NULL, error);
    return NULL;
}

/* Whatever the close says, the stream is closed, and its fd has gone. */
TORTURE_SCENARIO (stream_closed_in_a_fiber)
{
    int fds[2];
    EddyError *error = NULL;
    torture_require (pipe2 (fds, O_CLOEXEC) == 0);
    torture_begin ();
    EddyContext *context = torture_context_begin ();
    EddyOutputStream *output =
        torture_made ("a stream", eddy_fd_output_stream_new (fds[1], /* close_fd= */ true));
    if (context != NULL && output != NULL) {
        EddyFuture *fiber = eddy_spawn (context, close_output, output, NULL);
        if (!eddy_block_on_complete (context, fiber, &error))
            torture_error ("close", &error);
        eddy_unref (fiber);
    }
    torture_end ();
    torture_context_end (context);
    if (!torture_has_failed ())
        torture_require (eddy_output_stream_is_closed (output) && fcntl (fds[1], F_GETFD) < 0);
    eddy_unref (output);
    close (fds[0]);
    if (output == NULL)
        close (fds[1]);
}

/* ---- By callbacks -------------------------------------------------------------------------- */

typedef struct Copier {
    EddyInputStream *from;
    EddyOutputStream *to;
    char buffer[LITTLE];
    int calls;
} Copier;

static void copier_wrote (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Copier *copier = user_data;
    EddyError *error = NULL;
    size_t count = 0;
    copier->calls++;
    if (!eddy_output_stream_write_all_finish (source_object, result, &count, &error))
        torture_error ("write", &error);
}

static void copier_read (void *source_object, EddyAsyncResult *result, void *user_data)
{
    Copier *copier = user_data;
    EddyError *error = NULL;
    size_t count = 0;
    bool good = eddy_input_stream_read_all_finish (source_object, result, &count, &error);
    copier->calls++;
    if (!good) {
        torture_error ("read", &error);
        copier->calls++; /* nothing is written */
        return;
    }
    torture_require (count == LITTLE);
    eddy_output_stream_write_all_async (copier->to, copier->buffer, count, EDDY_PRIORITY_DEFAULT,
                                        NULL, copier_wrote, copier);
}

TORTURE_SCENARIO (stream_copied_by_callbacks)
{
    int fds[2];
    Copier copier = { .calls = 0 };
    torture_require (pipe2 (fds, O_CLOEXEC) == 0);
    for (size_t i = 0; i < LITTLE; i++) {
        char byte = torture_byte (i);
        torture_require (write (fds[1], &byte, 1) == 1);
    }
    torture_begin ();
    EddyContext *context = torture_context_begin ();
    copier.from = torture_made ("a stream", eddy_fd_input_stream_new (fds[0], false));
    copier.to = torture_made ("a stream", eddy_memory_output_stream_new (0));
    if (context != NULL && copier.from != NULL && copier.to != NULL) {
        eddy_input_stream_read_all_async (copier.from, copier.buffer, LITTLE, EDDY_PRIORITY_DEFAULT,
                                          NULL, copier_read, &copier);
        torture_run_until (context, &copier.calls, 2);
    }
    torture_end ();
    torture_context_end (context);
    if (!torture_has_failed ())
        require_whole (copier.to, LITTLE);
    eddy_unref (copier.from);
    eddy_unref (copier.to);
    close (fds[0]);
    close (fds[1]);
}

/* ---- Both ways ----------------------------------------------------------------------------- */

static EddyIOStream *socket_stream (int fd)
{
    EddyInputStream *input = eddy_fd_input_stream_new (fd, /* close_fd= */ false);
    EddyOutputStream *output = eddy_fd_output_stream_new (fd, /* close_fd= */ false);
    EddyIOStream *stream =
        input == NULL || output == NULL ? NULL : eddy_simple_io_stream_new (input, output);
    eddy_unref (input);
    eddy_unref (output);
    return torture_made ("an io stream", stream);
}

TORTURE_SCENARIO (stream_spliced_both_ways)
{
    int near[2], far[2];
    char buffer[8] = "";
    EddyError *error = NULL;
    torture_require (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, near) == 0);
    torture_require (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, far) == 0);
    torture_require (write (near[0], "there", 5) == 5);
    torture_require (write (far[0], "back", 4) == 4);
    shutdown (near[0], SHUT_WR);
    shutdown (far[0], SHUT_WR);
    torture_begin ();
    EddyIOStream *streams[2] = { socket_stream (near[1]), socket_stream (far[1]) };
    if (streams[0] != NULL && streams[1] != NULL &&
        !eddy_io_stream_splice (streams[0], streams[1], EDDY_IO_STREAM_SPLICE_WAIT_FOR_BOTH, NULL,
                                &error))
        torture_error ("splice", &error);
    torture_end ();
    if (!torture_has_failed ()) {
        torture_require (read (far[0], buffer, 8) == 5 && memcmp (buffer, "there", 5) == 0);
        torture_require (read (near[0], buffer, 8) == 4 && memcmp (buffer, "back", 4) == 0);
    }
    for (int i = 0; i < 2; i++) {
        eddy_unref (streams[i]);
        close (near[i]);
        close (far[i]);
    }
}

/* ---- Ahead and behind ---------------------------------------------------------------------- */

/* From a pipe, read ahead, to memory, written behind. */
typedef struct Behind {
    EddyInputStream *ahead;
    EddyOutputStream *behind;
    bool is_done;
} Behind;

static void *behind_run (void *data, EddyError **error)
{
    Behind *self = data;
    size_t count;
    self->is_done = eddy_output_stream_splice (self->behind, self->ahead, 0, &count, NULL, error) &&
                    eddy_output_stream_flush (self->behind, NULL, error);
    /* What could not be flushed is told by that, and given up. */
    (void) eddy_output_stream_close (self->behind, NULL, NULL);
    (void) eddy_input_stream_close (self->ahead, NULL, NULL);
    return NULL;
}

TORTURE_SCENARIO (stream_ahead_and_behind)
{
    EddyError *error = NULL;
    Behind self = { NULL, NULL, false };
    torture_begin ();
    EddyContext *context = torture_context_begin ();
    EddyInputStream *input = make_input (TOTAL);
    EddyOutputStream *output = torture_made ("a stream", eddy_memory_output_stream_new (0));
    if (input != NULL && output != NULL) {
        self.ahead = torture_made ("a stream", eddy_read_ahead_stream_new (input, 500, 4000));
        self.behind = torture_made ("a stream", eddy_write_behind_stream_new (output, 500, 4000));
    }
    if (context != NULL && self.ahead != NULL && self.behind != NULL) {
        EddyFuture *fiber = eddy_spawn (context, behind_run, &self, NULL);
        if (!eddy_block_on_complete (context, fiber, &error))
            torture_error ("splice", &error);
        eddy_unref (fiber);
    }
    torture_end ();
    torture_context_end (context); /* with a fiber that could not be waited for */
    eddy_unref (self.ahead);
    eddy_unref (self.behind);
    if (!torture_has_failed ())
        require_whole (output, TOTAL);
    eddy_unref (input);
    eddy_unref (output);
}

/* ---- Within the kernel --------------------------------------------------------------------- */

/* From an fd to a socket that does not block, whose other end is drained into memory. */
static void splice_in_kernel (int source)
{
    Pipe pipe = { NULL, NULL, NULL, NULL, { -1, -1 } };
    torture_require (
        socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pipe.fds) == 0);
    torture_begin ();
    EddyContext *context = torture_context_begin ();
    pipe.from = torture_made ("a stream", eddy_fd_input_stream_new (source, /* close_fd= */ false));
    pipe.in = torture_made ("a stream", eddy_fd_output_stream_new (pipe.fds[1], false));
    pipe.out = torture_made ("a stream", eddy_fd_input_stream_new (pipe.fds[0], false));
    pipe.to = torture_made ("a stream", eddy_memory_output_stream_new (0));
    if (!torture_has_failed () && context != NULL)
        torture_run_ends (context, &pipe_ends, &pipe);
    torture_end ();
    torture_context_end (context);
    if (!torture_has_failed ())
        require_whole (pipe.to, TOTAL);
    eddy_unref (pipe.from);
    eddy_unref (pipe.in);
    eddy_unref (pipe.out);
    eddy_unref (pipe.to);
    for (int i = 0; i < 2; i++)
        if (pipe.fds[i] >= 0)
            close (pipe.fds[i]);
}

TORTURE_SCENARIO (stream_splices_in_the_kernel)
{
    int file = open (torture_make_file ("file", TOTAL), O_RDONLY | O_CLOEXEC);
    torture_require (file >= 0);
    splice_in_kernel (file);
    close (file);
}

/* More than a piece is there at once, and so moved; the last of it is a piece. */
TORTURE_SCENARIO (stream_splices_from_socket_to_socket)
{
    static char bytes[TOTAL];
    const int size = 4 * TOTAL;
    int fds[2];
    for (size_t i = 0; i < TOTAL; i++)
        bytes[i] = torture_byte (i);
    torture_require (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0);
    torture_require (setsockopt (fds[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == 0);
    torture_require (send (fds[1], bytes, TOTAL, MSG_NOSIGNAL) == TOTAL);
    close (fds[1]);
    splice_in_kernel (fds[0]);
    close (fds[0]);
}
