/* SPDX-License-Identifier: MIT */
/* Output streams whose base is written behind them. */
#include <eddy/write-behind-stream.h>

#include "base/log-private.h"
#include "base/object-private.h"
#include "io/background-private.h"
#include "io/stream-private.h"

typedef struct WriteBehind {
    EddyFilterOutputStream filter;
    EddyBackground background;
} WriteBehind;

static WriteBehind *write_behind_of (EddyOutputStream *stream)
{
    return (WriteBehind *) (void *) stream;
}

/* --- the fiber -------------------------------------------------------------------------------- */

/* Ends when all is written; the next write makes another one. */
static void *write_behind_run (void *data, EddyError **unused)
{
    WriteBehind *self = data;
    EddyTank *tank = &self->background.tank;
    EDDY_AUTO (EddyOutputStream) base = eddy_ref (self->filter.base_stream);
    (void) unused;
    self->background.has_begun = true;
    while (tank->level > 0 && !tank->has_ended && base != NULL) {
        EddyError *error = NULL;
        EddyOutputVector held = eddy__tank_get_bytes (tank);
        ssize_t count = eddy_output_stream_write (base, held.buffer, held.size, NULL, &error);
        if (eddy__output_stream_advanced (base, count, &error))
            eddy__tank_drained (tank, (size_t) count);
        else
            eddy__tank_end (tank, error);
    }
    eddy__background_leave (&self->background);
    return NULL;
}

static void write_behind_ended (void *data)
{
    WriteBehind *self = data;
    eddy__background_ended (&self->background);
    eddy_object_release (self);
}

static void write_behind_start (WriteBehind *self)
{
    eddy__background_start (&self->background, write_behind_run, self, write_behind_ended);
}

/* --- writing ---------------------------------------------------------------------------------- */

/* In a plain thread: ends the fiber, and writes all that it has left. */
static bool write_behind_empty_here (WriteBehind *self, EddyCancellable *cancellable,
                                     EddyError **error)
{
    EddyTank *tank = &self->background.tank;
    eddy__background_stop (&self->background);
    if (!eddy__background_tell (&self->background, error))
        return false;
    while (tank->level > 0) {
        EddyOutputVector held = eddy__tank_get_bytes (tank);
        ssize_t count = eddy_output_stream_write (self->filter.base_stream, held.buffer, held.size,
                                                  cancellable, error);
        if (!eddy__output_stream_advanced (self->filter.base_stream, count, error))
            return false;
        eddy__tank_drained (tank, (size_t) count);
    }
    return true;
}

static ssize_t write_behind_write (EddyOutputStream *stream, const void *buffer, size_t count,
                                   EddyCancellable *cancellable, EddyError **error)
{
    WriteBehind *self = write_behind_of (stream);
    EddyTank *tank = &self->background.tank;
    if (!eddy_in_fiber ())
        return write_behind_empty_here (self, cancellable, error)
                   ? eddy_output_stream_write (self->filter.base_stream, buffer, count, cancellable,
                                               error)
                   : -1;
    if (!eddy__background_tell (&self->background, error))
        return -1;
    if (tank->level > 0) /* also what an error has left */
        write_behind_start (self);
    if (!eddy__tank_wait_for_room (tank, cancellable, error) ||
        !eddy__background_tell (&self->background, error))
        return -1;
    size_t taken = eddy__tank_put (tank, buffer, count);
    write_behind_start (self);
    return (ssize_t) taken;
}

/* In a fiber: waits until all is written. */
static bool write_behind_empty (WriteBehind *self, EddyCancellable *cancellable, EddyError **error)
{
    EddyTank *tank = &self->background.tank;
    if (!eddy__background_tell (&self->background, error))
        return false;
    if (tank->level > 0)
        write_behind_start (self);
    return eddy__tank_wait_until_empty (tank, cancellable, error) &&
           eddy__background_tell (&self->background, error);
}

static bool write_behind_flush (EddyOutputStream *stream, EddyCancellable *cancellable,
                                EddyError **error)
{
    WriteBehind *self = write_behind_of (stream);
    bool empty = eddy_in_fiber () ? write_behind_empty (self, cancellable, error)
                                  : write_behind_empty_here (self, cancellable, error);
    return empty && eddy_filter_output_stream_flush_base (stream, cancellable, error);
}

static bool write_behind_close (EddyOutputStream *stream, EddyCancellable *cancellable,
                                EddyError **error)
{
    WriteBehind *self = write_behind_of (stream);
    /* Flushed, or the flush has told what it could not write. */
    eddy__background_stop (&self->background);
    eddy__tank_drained (&self->background.tank, self->background.tank.level);
    return eddy_filter_output_stream_close_base (stream, cancellable, error);
}

static void write_behind_dispose (void *object)
{
    WriteBehind *self = object;
    if (self->background.tank.level > 0)
        eddy__log (EDDY_LOG_WARNING, "%s: %zu bytes are lost, since it was not closed",
                   eddy_filter_output_stream_get_name (object), self->background.tank.level);
    eddy__background_drop (&self->background);
    eddy_filter_output_stream_dispose (object);
}

static void write_behind_finalize (void *object)
{
    eddy__tank_clear (&((WriteBehind *) object)->background.tank);
}

static const EddyOutputStreamClass write_behind_class = {
    .stream.object = { .name = "EddyWriteBehindStream",
                       .size = sizeof (WriteBehind),
                       .dispose = write_behind_dispose,
                       .finalize = write_behind_finalize },
    .write = write_behind_write,
    .flush = write_behind_flush,
    .close = write_behind_close,
    .get_name = eddy_filter_output_stream_get_name,
};

EddyOutputStream *eddy_write_behind_stream_new (EddyOutputStream *base_stream, size_t low_water,
                                                size_t high_water)
{
    EDDY__EXPECT (base_stream != NULL, NULL);
    WriteBehind *self = eddy_filter_output_stream_new (&write_behind_class, base_stream);
    if (self != NULL && !eddy__tank_init (&self->background.tank, low_water, high_water))
        self = eddy_unref (self);
    return (EddyOutputStream *) (void *) self;
}

size_t eddy_write_behind_stream_get_level (EddyOutputStream *stream)
{
    EDDY__EXPECT (stream != NULL, 0);
    EDDY__EXPECT (stream->stream.object.object_class == &write_behind_class.stream.object, 0);
    return write_behind_of (stream)->background.tank.level;
}
