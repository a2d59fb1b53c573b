/* SPDX-License-Identifier: MIT */
/* The lines of a stream as a sequence. A line that a cancel keeps from being read is still in the
 * stream. */
#include <eddy/data-input-stream.h>

#include "base/object-private.h"
#include "io/data-input-private.h"

typedef struct Lines {
    EddyDataInputStream *stream; /* a reference */
} Lines;

static void *lines_next (EddySequence *sequence, EddyCancellable *cancellable, EddyError **error)
{
    Lines *self = eddy_sequence_get_data (sequence);
    return eddy_data_input_stream_read_line (self->stream, NULL, cancellable, error);
}

static void lines_dispose (EddySequence *sequence)
{
    Lines *self = eddy_sequence_get_data (sequence);
    eddy_clear (&self->stream);
}

EddySequence *eddy_data_input_stream_to_sequence (EddyDataInputStream *stream)
{
    static const EddySequenceFuncs funcs = { .next = lines_next, .dispose = lines_dispose };
    EDDY__EXPECT (eddy__data_input_is (stream), NULL);
    EddySequence *sequence = eddy_sequence_new (&funcs, sizeof (Lines), eddy_free);
    if (sequence != NULL)
        ((Lines *) eddy_sequence_get_data (sequence))->stream = eddy_ref (stream);
    return sequence;
}
