/* SPDX-License-Identifier: MIT */
/* EddyIOStream: two directions, closed together, spliced with two others. */
#include <eddy/io-stream-bodies.h>

#include <eddy/group.h>

#include "base/object-private.h"
#include "fiber/fiber-private.h"
#include "io/stream-private.h"

static const EddyIOStreamClass *io_stream_class (EddyIOStream *stream)
{
    return (const EddyIOStreamClass *) (const void *) stream->stream.object.object_class;
}

EddyInputStream *eddy_io_stream_get_input_stream (EddyIOStream *stream)
{
    EDDY__EXPECT (stream != NULL, NULL);
    return io_stream_class (stream)->get_input_stream (stream);
}

EddyOutputStream *eddy_io_stream_get_output_stream (EddyIOStream *stream)
{
    EDDY__EXPECT (stream != NULL, NULL);
    return io_stream_class (stream)->get_output_stream (stream);
}

/* --- close ------------------------------------------------------------------------------------ */

/* Whether no operation is under way in either direction; else PENDING. */
static bool io_stream_is_idle (EddyIOStream *stream, EddyError **error)
{
    if (!eddy_input_stream_has_pending (eddy_io_stream_get_input_stream (stream)) &&
        !eddy_output_stream_has_pending (eddy_io_stream_get_output_stream (stream)))
        return true;
    eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_PENDING,
                    "%s cannot be closed: it has an operation under way",
                    stream->stream.object.object_class->name);
    return false;
}

/* Each step is done whatever came of those before; the first error is told. */
static bool io_stream_close_parts (EddyIOStream *stream, EddyCancellable *cancellable,
                                   EddyError **error)
{
    const EddyIOStreamClass *self = io_stream_class (stream);
    bool good =
        eddy_output_stream_close (eddy_io_stream_get_output_stream (stream), cancellable, error);
    good = eddy_input_stream_close (eddy_io_stream_get_input_stream (stream), cancellable,
                                    good ? error : NULL) &&
           good;
    if (self->close == NULL)
        return good;
    return self->close (stream, cancellable, good ? error : NULL) && good;
}

bool eddy_io_stream_close_body (EddyIOStream *stream, EddyCancellable *cancellable,
                                EddyError **error)
{
    EDDY__EXPECT (stream != NULL, false);
    if (!stream->stream.closed && !io_stream_is_idle (stream, error))
        return false;
    int begun = eddy__stream_begin_close (&stream->stream, error);
    if (begun != 0)
        return begun > 0;
    bool closed = io_stream_close_parts (stream, cancellable, error);
    stream->stream.closed = true;
    eddy__stream_end (&stream->stream);
    return closed;
}

/* --- splice ----------------------------------------------------------------------------------- */

typedef struct IOSplice IOSplice;

typedef struct IOSpliceWay {
    IOSplice *splice;
    EddyInputStream *from;
    EddyOutputStream *to;
} IOSpliceWay;

struct IOSplice {
    EddyCancellable *ending; /* cancelled when one way's end is to end the other */
    bool wait_for_both;
    bool one_ended;
    EddyError *error; /* the first */
};

static void *io_splice_way (void *data, EddyError **error)
{
    (void) error;
    IOSpliceWay *way = data;
    IOSplice *splice = way->splice;
    EddyError *failure = NULL;
    bool done = eddy_output_stream_splice (way->to, way->from, EDDY_OUTPUT_STREAM_SPLICE_NONE, NULL,
                                           splice->ending, &failure);
    bool was_ended =
        splice->one_ended && !splice->wait_for_both && eddy_error_is_cancelled (failure);
    if (!done && !was_ended && splice->error == NULL)
        splice->error = eddy_ref (failure);
    eddy_clear_error (&failure);
    splice->one_ended = true;
    if (!splice->wait_for_both || !done)
        eddy_cancellable_cancel (splice->ending);
    return NULL;
}

static bool io_splice_both (IOSplice *splice, IOSpliceWay ways[2], EddyError **error)
{
    EDDY_AUTO (EddyGroup) group = eddy_group_new ();
    for (int i = 0; i < 2; i++) {
        ways[i].splice = splice;
        if (group == NULL || !eddy_group_spawn (group, io_splice_way, &ways[i], NULL, error)) {
            eddy_cancellable_cancel (splice->ending);
            if (group == NULL)
                eddy_error_set_errno (error, ENOMEM, "splicing");
            else
                (void) eddy_group_wait (group, NULL);
            return false;
        }
    }
    if (!eddy_group_wait (group, error))
        return false;
    if (splice->error == NULL)
        return true;
    eddy_error_take (error, EDDY_TAKE (splice->error));
    return false;
}

static bool io_splice_run (EddyIOStream *stream1, EddyIOStream *stream2,
                           EddyIOStreamSpliceFlags flags, EddyCancellable *cancellable,
                           EddyError **error)
{
    IOSplice splice = { .wait_for_both = (flags & EDDY_IO_STREAM_SPLICE_WAIT_FOR_BOTH) != 0 };
    splice.ending = eddy_cancellable_new_child (cancellable);
    if (splice.ending == NULL) {
        eddy_error_set_errno (error, ENOMEM, "splicing");
        return false;
    }
    IOSpliceWay ways[2] = {
        { .from = eddy_io_stream_get_input_stream (stream1),
          .to = eddy_io_stream_get_output_stream (stream2) },
        { .from = eddy_io_stream_get_input_stream (stream2),
          .to = eddy_io_stream_get_output_stream (stream1) },
    };
    bool done = io_splice_both (&splice, ways, error);
    eddy_unref (splice.error);
    eddy_unref (splice.ending);
    return done;
}

static bool io_splice_begin (EddyIOStream *stream1, EddyIOStream *stream2,
                             EddyCancellable *cancellable, EddyError **error)
{
    if (!eddy__stream_begin (&stream1->stream, cancellable, error))
        return false;
    if (eddy__stream_begin (&stream2->stream, cancellable, error))
        return true;
    eddy__stream_end (&stream1->stream);
    return false;
}

bool eddy_io_stream_splice_body (EddyIOStream *stream1, EddyIOStream *stream2,
                                 EddyIOStreamSpliceFlags flags, EddyCancellable *cancellable,
                                 EddyError **error)
{
    EDDY__EXPECT (stream1 != NULL && stream2 != NULL, false);
    bool done = io_splice_begin (stream1, stream2, cancellable, error);
    if (done) {
        done = io_splice_run (stream1, stream2, flags, cancellable, error);
        eddy__stream_end (&stream1->stream);
        eddy__stream_end (&stream2->stream);
    }
    /* Streams that have not got all are given up. */
    EDDY_AUTO (EddyCancellable) given_up = done ? NULL : eddy__stream_give_up ();
    EddyCancellable *closing = done ? cancellable : given_up;
    if ((flags & EDDY_IO_STREAM_SPLICE_CLOSE_STREAM1) != 0)
        done = eddy_io_stream_close (stream1, closing, done ? error : NULL) && done;
    if ((flags & EDDY_IO_STREAM_SPLICE_CLOSE_STREAM2) != 0)
        done = eddy_io_stream_close (stream2, closing, done ? error : NULL) && done;
    return done;
}

/* --- state ------------------------------------------------------------------------------------ */

bool eddy_io_stream_is_closed (EddyIOStream *stream)
{
    EDDY__EXPECT (stream != NULL, true);
    return stream->stream.closed;
}

bool eddy_io_stream_has_pending (EddyIOStream *stream)
{
    EDDY__EXPECT (stream != NULL, false);
    return stream->stream.pending;
}

bool eddy_io_stream_set_pending (EddyIOStream *stream, EddyError **error)
{
    EDDY__EXPECT (stream != NULL, false);
    return eddy__stream_claim (&stream->stream, error);
}

void eddy_io_stream_clear_pending (EddyIOStream *stream)
{
    EDDY__EXPECT (stream != NULL);
    eddy__stream_end (&stream->stream);
}

/* --- of two streams --------------------------------------------------------------------------- */

typedef struct SimpleIOStream {
    EddyIOStream stream;
    EddyInputStream *input_stream;
    EddyOutputStream *output_stream;
} SimpleIOStream;

static void simple_io_stream_finalize (void *object)
{
    SimpleIOStream *self = object;
    eddy_unref (self->input_stream);
    eddy_unref (self->output_stream);
}

static EddyInputStream *simple_io_stream_get_input_stream (EddyIOStream *stream)
{
    return ((const SimpleIOStream *) (void *) stream)->input_stream;
}

static EddyOutputStream *simple_io_stream_get_output_stream (EddyIOStream *stream)
{
    return ((const SimpleIOStream *) (void *) stream)->output_stream;
}

static const EddyIOStreamClass simple_io_stream_class = {
    .stream.object = { .name = "EddySimpleIOStream",
                       .size = sizeof (SimpleIOStream),
                       .finalize = simple_io_stream_finalize },
    .get_input_stream = simple_io_stream_get_input_stream,
    .get_output_stream = simple_io_stream_get_output_stream,
};

EddyIOStream *eddy_simple_io_stream_new (EddyInputStream *input_stream,
                                         EddyOutputStream *output_stream)
{
    EDDY__EXPECT (input_stream != NULL && output_stream != NULL, NULL);
    SimpleIOStream *self = eddy_object_new (&simple_io_stream_class.stream.object);
    if (self == NULL)
        return NULL;
    self->input_stream = eddy_ref (input_stream);
    self->output_stream = eddy_ref (output_stream);
    return &self->stream;
}
