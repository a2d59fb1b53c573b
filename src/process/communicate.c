/* SPDX-License-Identifier: MIT */
/* Talking to a child: its stdin is written, its stdout and stderr are read, and its end is waited
 * for, by a fiber each, so that a child that stops one of them never holds up the others. */
#include <eddy/subprocess-bodies.h>

#include <eddy/fd-stream.h>
#include <eddy/fiber.h>
#include <eddy/group.h>
#include <errno.h>
#include <string.h>

#include "base/bytes-private.h"
#include "base/object-private.h"
#include "base/utf8-private.h"
#include "process/subprocess-private.h"
#include "sys/file-private.h"

enum {
    COMMUNICATE_FIRST_READ = 4096,
    COMMUNICATE_MOST_READ = 1 << 20,
    COMMUNICATE_MUCH = 64 * 1024, /* what a pipe holds at first */
    COMMUNICATE_PIPE = 256 * 1024 /* what one holds that much goes through */
};

struct EddySubprocessOutput {
    EddyObject object;
    EddyBytes *bytes[2]; /* of stdout and stderr */
};

static void output_dispose (void *object)
{
    EddySubprocessOutput *self = object;
    eddy_clear (&self->bytes[0]);
    eddy_clear (&self->bytes[1]);
}

static const EddyClass output_class = { .name = "EddySubprocessOutput",
                                        .size = sizeof (EddySubprocessOutput),
                                        .dispose = output_dispose };

EddyBytes *eddy_subprocess_output_get_stdout (const EddySubprocessOutput *output)
{
    EDDY__EXPECT (output != NULL, NULL);
    return output->bytes[0];
}

EddyBytes *eddy_subprocess_output_get_stderr (const EddySubprocessOutput *output)
{
    EDDY__EXPECT (output != NULL, NULL);
    return output->bytes[1];
}

/* --- the parts -------------------------------------------------------------------------------- */

/* One communicate. */
typedef struct Communicate {
    EddySubprocess *subprocess;
    const void *input;
    size_t input_size;
    size_t limit; /* 0: none */
    EddyCancellable *cancellable;
} Communicate;

/* One output of the child. */
typedef struct CommunicateRead {
    const Communicate *of;
    EddyInputStream *pipe;
    const char *name;
    EddyBytes *bytes; /* grown as it fills */
    size_t capacity;
    size_t length;
} CommunicateRead;

/* Much goes through a pipe: when it holds more, the two sides wait for each other less often. The
 * kernel refuses that to who has many such pipes. */
static void communicate_widen (int fd)
{
    (void) eddy__sys_set_pipe_size (fd, COMMUNICATE_PIPE);
}

/* A child that wants no more has gone, or closed its stdin: that is its business. */
static void *communicate_write (void *data, EddyError **error)
{
    const Communicate *self = data;
    EddyOutputStream *pipe = self->subprocess->stdin_pipe;
    EddyError *failure = NULL;
    if (self->input_size > COMMUNICATE_MUCH && !eddy_output_stream_is_closed (pipe))
        communicate_widen (eddy_fd_output_stream_get_fd (pipe));
    (void) eddy_output_stream_write_all (pipe, self->input, self->input_size, NULL,
                                         self->cancellable, &failure);
    if (eddy_error_matches (failure, EDDY_IO_ERROR, EDDY_IO_ERROR_BROKEN_PIPE))
        eddy_clear_error (&failure);
    (void) eddy_output_stream_close (pipe, NULL, failure == NULL ? &failure : NULL);
    eddy_error_take (error, failure);
    return NULL;
}

static bool communicate_grow (CommunicateRead *self, EddyError **error)
{
    size_t limit = self->of->limit;
    size_t wanted = self->capacity == 0 ? COMMUNICATE_FIRST_READ : 2 * self->capacity;
    if (limit > 0 && wanted > limit)
        wanted = limit + 1; /* one more than may be shows that there is more */
    EddyBytes *grown = self->bytes == NULL ? eddy__bytes_new_uninitialised (wanted)
                                           : eddy__bytes_resize (self->bytes, wanted);
    if (grown == NULL) {
        eddy_error_set_errno (error, ENOMEM, "%s of %s", self->name, self->of->subprocess->name);
        return false;
    }
    if (self->capacity <= COMMUNICATE_MUCH && wanted > COMMUNICATE_MUCH)
        communicate_widen (eddy_fd_input_stream_get_fd (self->pipe));
    self->bytes = grown;
    self->capacity = wanted;
    return true;
}

static bool communicate_read_on (CommunicateRead *self, EddyError **error)
{
    for (;;) {
        if (self->length == self->capacity && !communicate_grow (self, error))
            return false;
        size_t room = self->capacity - self->length;
        ssize_t count = eddy_input_stream_read (
            self->pipe, eddy__bytes_get_writable (self->bytes) + self->length,
            room < COMMUNICATE_MOST_READ ? room : COMMUNICATE_MOST_READ, self->of->cancellable,
            error);
        if (count <= 0)
            return count == 0;
        self->length += (size_t) count;
        if (self->of->limit > 0 && self->length > self->of->limit) {
            eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_LIMIT_EXCEEDED,
                            "%s of %s has more than %zu bytes", self->name,
                            self->of->subprocess->name, self->of->limit);
            return false;
        }
    }
}

static void *communicate_read (void *data, EddyError **error)
{
    CommunicateRead *self = data;
    if (communicate_read_on (self, error))
        self->bytes = eddy__bytes_shrink (self->bytes, self->length);
    return NULL;
}

static void *communicate_wait (void *data, EddyError **error)
{
    const Communicate *self = data;
    (void) eddy_subprocess_wait (self->subprocess, self->cancellable, error);
    return NULL;
}

/* --- together --------------------------------------------------------------------------------- */

/* Whether all pipes are there to be used, and what is to be written can be. */
static bool communicate_check (const Communicate *self, EddyError **error)
{
    const EddySubprocess *subprocess = self->subprocess;
    bool is_open =
        (subprocess->stdin_pipe == NULL ||
         !eddy_output_stream_is_closed (subprocess->stdin_pipe)) &&
        (subprocess->stdout_pipe == NULL ||
         !eddy_input_stream_is_closed (subprocess->stdout_pipe)) &&
        (subprocess->stderr_pipe == NULL || !eddy_input_stream_is_closed (subprocess->stderr_pipe));
    if (!is_open)
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_CLOSED,
                        "%s: a pipe to it has been closed", subprocess->name);
    else if (subprocess->stdin_pipe == NULL && self->input_size > 0)
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_ARGUMENT,
                        "%s: nothing can be written to it without a pipe", subprocess->name);
    else
        return true;
    return false;
}

static bool communicate_run (Communicate *self, CommunicateRead reads[2], EddyError **error)
{
    EDDY_AUTO (EddyGroup) group = eddy_group_new ();
    if (group == NULL) {
        eddy_error_set_errno (error, ENOMEM, "%s", self->subprocess->name);
        return false;
    }
    bool spawned = eddy_group_spawn (group, communicate_wait, self, NULL, error);
    if (spawned && self->subprocess->stdin_pipe != NULL)
        spawned = eddy_group_spawn (group, communicate_write, self, NULL, error);
    for (int i = 0; i < 2; i++)
        if (spawned && reads[i].pipe != NULL)
            spawned = eddy_group_spawn (group, communicate_read, &reads[i], NULL, error);
    if (!spawned)
        eddy_group_cancel (group);
    return eddy_group_wait (group, spawned ? error : NULL) && spawned;
}

/* Whether each output is text; @error tells which is none. */
static bool communicate_check_utf8 (const CommunicateRead reads[2], EddyError **error)
{
    for (int i = 0; i < 2; i++) {
        const EddyBytes *bytes = reads[i].bytes;
        if (bytes == NULL ||
            eddy__utf8_is_valid (eddy_bytes_get_data (bytes), eddy_bytes_get_size (bytes)))
            continue;
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_DATA, "%s of %s is not UTF-8",
                        reads[i].name, reads[i].of->subprocess->name);
        return false;
    }
    return true;
}

static EddySubprocessOutput *communicate_make_output (CommunicateRead reads[2], EddyError **error)
{
    EddySubprocessOutput *output = eddy_object_new (&output_class);
    if (output == NULL) {
        eddy_error_set_errno (error, ENOMEM, "%s", reads[0].of->subprocess->name);
        return NULL;
    }
    for (int i = 0; i < 2; i++)
        output->bytes[i] = EDDY_TAKE (reads[i].bytes);
    return output;
}

/* However it went, and whether or not all parts came to begin: the pipes are closed, and a child
 * that is to end with a cancel has ended. */
static void communicate_end (const EddySubprocess *subprocess)
{
    EDDY_SHIELD (-1)
    {
        if (subprocess->stdin_pipe != NULL)
            (void) eddy_output_stream_close (subprocess->stdin_pipe, NULL, NULL);
        if (subprocess->stdout_pipe != NULL)
            (void) eddy_input_stream_close (subprocess->stdout_pipe, NULL, NULL);
        if (subprocess->stderr_pipe != NULL)
            (void) eddy_input_stream_close (subprocess->stderr_pipe, NULL, NULL);
    }
}

static bool communicate_all (Communicate *self, CommunicateRead reads[2], EddyError **error)
{
    bool done = communicate_run (self, reads, error);
    if (!done)
        eddy__subprocess_end_cancelled (self->subprocess);
    communicate_end (self->subprocess);
    return done;
}

static EddySubprocessOutput *communicate (Communicate *self, bool is_text, EddyError **error)
{
    CommunicateRead reads[2] = {
        { .of = self, .pipe = self->subprocess->stdout_pipe, .name = "stdout" },
        { .of = self, .pipe = self->subprocess->stderr_pipe, .name = "stderr" }
    };
    EddySubprocessOutput *output = NULL;
    if (communicate_check (self, error) && communicate_all (self, reads, error) &&
        (!is_text || communicate_check_utf8 (reads, error)))
        output = communicate_make_output (reads, error);
    eddy_unref (reads[0].bytes);
    eddy_unref (reads[1].bytes);
    return output;
}

EddySubprocessOutput *eddy_subprocess_communicate_body (EddySubprocess *subprocess,
                                                        EddyBytes *stdin_buf, size_t limit,
                                                        EddyCancellable *cancellable,
                                                        EddyError **error)
{
    EDDY__EXPECT (subprocess != NULL, NULL);
    Communicate self = { subprocess, stdin_buf == NULL ? NULL : eddy_bytes_get_data (stdin_buf),
                         stdin_buf == NULL ? 0 : eddy_bytes_get_size (stdin_buf), limit,
                         cancellable };
    return communicate (&self, /* is_text= */ false, error);
}

EddySubprocessOutput *eddy_subprocess_communicate_utf8_body (EddySubprocess *subprocess,
                                                             const char *stdin_buf, size_t limit,
                                                             EddyCancellable *cancellable,
                                                             EddyError **error)
{
    EDDY__EXPECT (subprocess != NULL, NULL);
    Communicate self = { subprocess, stdin_buf, stdin_buf == NULL ? 0 : strlen (stdin_buf), limit,
                         cancellable };
    return communicate (&self, /* is_text= */ true, error);
}
