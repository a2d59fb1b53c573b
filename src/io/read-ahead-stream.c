/* SPDX-License-Identifier: MIT */
/* Input streams that read their base ahead. */
#include <eddy/read-ahead-stream.h>

#include "base/object-private.h"
#include "io/background-private.h"
#include "io/stream-private.h"

typedef struct ReadAhead {
    EddyFilterInputStream filter;
    EddyBackground background;
} ReadAhead;

/* --- the fiber -------------------------------------------------------------------------------- */

static void *read_ahead_run (void *data, EddyError **unused)
{
    ReadAhead *self = data;
    EddyTank *tank = &self->background.tank;
    EDDY_AUTO (EddyInputStream) base = eddy_ref (self->filter.base_stream);
    EddyError *error = NULL;
    ssize_t count = 1;
    (void) unused;
    self->background.has_begun = true;
    while (count > 0 && base != NULL) {
        if (!eddy__tank_wait_for_room (tank, NULL, &error) || tank->has_ended)
            break;
        EddyInputVector room = eddy__tank_get_room (tank);
        count = eddy_input_stream_read (base, room.buffer, room.size, NULL, &error);
        if (count > 0)
            eddy__tank_filled (tank, (size_t) count);
    }
    eddy__tank_end (tank, error);
    eddy__background_leave (&self->background);
    return NULL;
}

static void read_ahead_ended (void *data)
{
    ReadAhead *self = data;
    eddy__background_ended (&self->background);
    eddy_object_release (self);
}

/* --- reading ---------------------------------------------------------------------------------- */

/* All that was read ahead has been taken, and the base had no more: an error, or the end; told, and
 * whoever reads on asks the base again. */
static ssize_t read_ahead_end (ReadAhead *self, EddyError **error)
{
    if (!eddy__background_tell (&self->background, error))
        return -1;
    (void) eddy__tank_begin_again (&self->background.tank);
    return 0;
}

static ssize_t read_ahead_read_here (ReadAhead *self, void *buffer, size_t count,
                                     EddyCancellable *cancellable, EddyError **error)
{
    EddyTank *tank = &self->background.tank;
    eddy__background_stop (&self->background);
    size_t taken = eddy__tank_take (tank, buffer, count);
    if (taken > 0)
        return (ssize_t) taken;
    if (tank->has_ended)
        return read_ahead_end (self, error);
    return eddy_input_stream_read (self->filter.base_stream, buffer, count, cancellable, error);
}

static ssize_t read_ahead_read (EddyInputStream *stream, void *buffer, size_t count,
                                EddyCancellable *cancellable, EddyError **error)
{
    ReadAhead *self = (ReadAhead *) (void *) stream;
    EddyTank *tank = &self->background.tank;
    if (!eddy_in_fiber ())
        return read_ahead_read_here (self, buffer, count, cancellable, error);
    if (!tank->has_ended)
        eddy__background_start (&self->background, read_ahead_run, self, read_ahead_ended);
    if (!eddy__tank_wait_for_bytes (tank, cancellable, error))
        return -1;
    size_t taken = eddy__tank_take (tank, buffer, count);
    return taken > 0 ? (ssize_t) taken : read_ahead_end (self, error);
}

static bool read_ahead_close (EddyInputStream *stream, EddyCancellable *cancellable,
                              EddyError **error)
{
    ReadAhead *self = (ReadAhead *) (void *) stream;
    eddy__background_stop (&self->background);
    return eddy_filter_input_stream_close_base (stream, cancellable, error);
}

static void read_ahead_dispose (void *object)
{
    ReadAhead *self = object;
    eddy__background_drop (&self->background);
    eddy_filter_input_stream_dispose (object);
}

static void read_ahead_finalize (void *object)
{
    eddy__tank_clear (&((ReadAhead *) object)->background.tank);
}

static const EddyInputStreamClass read_ahead_class = {
    .stream.object = { .name = "EddyReadAheadStream",
                       .size = sizeof (ReadAhead),
                       .dispose = read_ahead_dispose,
                       .finalize = read_ahead_finalize },
    .read = read_ahead_read,
    .close = read_ahead_close,
    .get_name = eddy_filter_input_stream_get_name,
};

EddyInputStream *eddy_read_ahead_stream_new (EddyInputStream *base_stream, size_t low_water,
                                             size_t high_water)
{
    EDDY__EXPECT (base_stream != NULL, NULL);
    ReadAhead *self = eddy_filter_input_stream_new (&read_ahead_class, base_stream);
    if (self != NULL && !eddy__tank_init (&self->background.tank, low_water, high_water))
        self = eddy_unref (self);
    return (EddyInputStream *) (void *) self;
}

size_t eddy_read_ahead_stream_get_level (EddyInputStream *stream)
{
    EDDY__EXPECT (stream != NULL, 0);
    EDDY__EXPECT (stream->stream.object.object_class == &read_ahead_class.stream.object, 0);
    return ((ReadAhead *) (void *) stream)->background.tank.level;
}
