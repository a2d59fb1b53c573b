/* SPDX-License-Identifier: MIT */
/* Splicing: all that one stream has to read, written to another, through one buffer. */
#include <eddy/output-stream-bodies.h>

#include <errno.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "fiber/fiber-private.h"
#include "io/stream-private.h"

/* Where a socket's or a pipe's own buffer fits in. */
enum { SPLICE_BUFFER_SIZE = 128 * 1024 };

typedef struct Splice {
    EddyOutputStream *target;
    EddyInputStream *source;
    EddyCancellable *cancellable;
    size_t done;
} Splice;

static bool splice_through (Splice *self, char *buffer, EddyError **error)
{
    for (;;) {
        ssize_t count = eddy_input_stream_read (self->source, buffer, SPLICE_BUFFER_SIZE,
                                                self->cancellable, error);
        if (count <= 0)
            return count == 0;
        size_t written;
        bool all = eddy_output_stream_write_all (self->target, buffer, (size_t) count, &written,
                                                 self->cancellable, error);
        if (__builtin_add_overflow (self->done, written, &self->done))
            self->done = SIZE_MAX;
        if (!all)
            return false;
    }
}

static bool splice_move (Splice *self, EddyError **error)
{
    if (!eddy__may_go_on (self->cancellable, error))
        return false;
    char *buffer = eddy__alloc (SPLICE_BUFFER_SIZE);
    if (buffer == NULL) {
        eddy_error_set_errno (error, ENOMEM, "splicing");
        return false;
    }
    bool moved = splice_through (self, buffer, error);
    eddy__free (buffer);
    return moved;
}

bool eddy_output_stream_splice_body (EddyOutputStream *stream, EddyInputStream *source,
                                     EddyOutputStreamSpliceFlags flags, size_t *bytes_spliced,
                                     EddyCancellable *cancellable, EddyError **error)
{
    if (bytes_spliced != NULL)
        *bytes_spliced = 0;
    EDDY__EXPECT (stream != NULL && source != NULL, false);
    Splice self = { stream, source, cancellable, 0 };
    EddyError *failure = NULL;
    bool done = splice_move (&self, &failure);
    if ((flags & EDDY_OUTPUT_STREAM_SPLICE_CLOSE_SOURCE) != 0)
        (void) eddy_input_stream_close (source, cancellable, NULL);
    if ((flags & EDDY_OUTPUT_STREAM_SPLICE_CLOSE_TARGET) != 0)
        done = eddy_output_stream_close (stream, cancellable, done ? &failure : NULL) && done;
    if (bytes_spliced != NULL)
        *bytes_spliced = self.done;
    eddy_error_take (error, failure);
    return done;
}
