/* SPDX-License-Identifier: MIT */
/* Splicing: all that one stream has to read, written to another: within the kernel where both are
 * fds that can do so, else through memory. */
#include <eddy/output-stream-bodies.h>

#include "base/object-private.h"
#include "fiber/fiber-private.h"
#include "io/splice-private.h"
#include "io/stream-private.h"

/* Both streams have begun. */
static bool splice_move (EddySplice *self, EddyError **error)
{
    int answer = eddy__splice_in_kernel (self, error);
    bool moved = answer > 0 || (answer == 0 && eddy__splice_through_memory (self, error));
    if (self->lost > 0)
        eddy_error_prefix (error, "%zu bytes of %s are lost: ", self->lost,
                           eddy__input_stream_get_name (self->source));
    return moved;
}

static bool splice_begin (EddySplice *self, EddyError **error)
{
    if (!eddy__stream_begin (&self->source->stream, self->cancellable, error))
        return false;
    if (eddy__stream_claim (&self->target->stream, error))
        return true;
    eddy__stream_end (&self->source->stream);
    return false;
}

static bool splice_run (EddySplice *self, EddyError **error)
{
    if (!splice_begin (self, error))
        return false;
    bool moved = splice_move (self, error);
    eddy__stream_end (&self->source->stream);
    eddy__stream_end (&self->target->stream);
    return moved;
}

/* A target that has not got all is given up. */
static bool splice_close_target (EddySplice *self, bool done, EddyError **error)
{
    if (done)
        return eddy_output_stream_close (self->target, self->cancellable, error);
    EDDY_AUTO (EddyCancellable) given_up = eddy__stream_give_up ();
    (void) eddy_output_stream_close (self->target, given_up, NULL);
    return false;
}

bool eddy_output_stream_splice_body (EddyOutputStream *stream, EddyInputStream *source,
                                     EddyOutputStreamSpliceFlags flags, size_t *bytes_spliced,
                                     EddyCancellable *cancellable, EddyError **error)
{
    if (bytes_spliced != NULL)
        *bytes_spliced = 0;
    EDDY__EXPECT (stream != NULL && source != NULL, false);
    EddySplice self = { stream, source, cancellable, 0, 0 };
    EddyError *failure = NULL;
    bool done = splice_run (&self, &failure);
    if ((flags & EDDY_OUTPUT_STREAM_SPLICE_CLOSE_SOURCE) != 0)
        (void) eddy_input_stream_close (source, cancellable, NULL);
    if ((flags & EDDY_OUTPUT_STREAM_SPLICE_CLOSE_TARGET) != 0)
        done = splice_close_target (&self, done, &failure);
    if (bytes_spliced != NULL)
        *bytes_spliced = self.done;
    eddy_error_take (error, failure);
    return done;
}
