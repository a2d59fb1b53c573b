/* SPDX-License-Identifier: MIT */
/* Splicing through memory: in a fiber, another one reads ahead of it while it writes; in a plain
 * thread, by turns. */
#include <eddy/group.h>
#include <errno.h>

#include "base/alloc-private.h"
#include "fiber/fiber-private.h"
#include "io/splice-private.h"
#include "io/stream-private.h"
#include "io/tank-private.h"

enum {
    TURN_SIZE = 128 * 1024, /* where a socket's or a pipe's own buffer fits in */
    TANK_HIGH = 512 * 1024,
    TANK_LOW = 256 * 1024
};

static ssize_t splice_read (EddySplice *self, void *buffer, size_t count, EddyError **error)
{
    return eddy__input_stream_get_class (self->source)
        ->read (self->source, buffer, count, self->cancellable, error);
}

static bool splice_write (EddySplice *self, const void *bytes, size_t count, size_t *written,
                          EddyError **error)
{
    bool all = eddy__output_stream_write_begun (self->target, bytes, count, written,
                                                self->cancellable, error);
    eddy__splice_count (self, *written);
    return all;
}

/* --- by turns --------------------------------------------------------------------------------- */

static bool splice_take_turns (EddySplice *self, char *buffer, EddyError **error)
{
    for (;;) {
        ssize_t count = splice_read (self, buffer, TURN_SIZE, error);
        if (count <= 0)
            return count == 0;
        size_t written;
        if (!splice_write (self, buffer, (size_t) count, &written, error)) {
            self->lost = (size_t) count - written;
            return false;
        }
    }
}

static bool splice_by_turns (EddySplice *self, EddyError **error)
{
    char *buffer = eddy__alloc (TURN_SIZE);
    if (buffer == NULL) {
        eddy_error_set_errno (error, ENOMEM, "splicing");
        return false;
    }
    bool moved = splice_take_turns (self, buffer, error);
    eddy__free (buffer);
    return moved;
}

/* --- both at once ----------------------------------------------------------------------------- */

typedef struct MemorySplice {
    EddySplice *splice;
    EddyTank tank;
} MemorySplice;

/* Reads ahead, to the end or an error, which is told when all that was read before is written. */
static void *memory_splice_fill (void *data, EddyError **error)
{
    MemorySplice *self = data;
    EddyTank *tank = &self->tank;
    ssize_t count = 1;
    while (count > 0) {
        if (!eddy__tank_wait_for_room (tank, self->splice->cancellable, error) || tank->has_ended)
            break;
        EddyInputVector room = eddy__tank_get_room (tank);
        count = splice_read (self->splice, room.buffer, room.size, error);
        if (count > 0)
            eddy__tank_filled (tank, (size_t) count);
    }
    return NULL;
}

/* Also when the fiber could not begin, for want of a stack. */
static void memory_splice_filled (void *data)
{
    MemorySplice *self = data;
    eddy__tank_end (&self->tank, NULL);
}

static bool memory_splice_drain (MemorySplice *self, EddyError **error)
{
    EddyTank *tank = &self->tank;
    for (;;) {
        if (!eddy__tank_wait_for_bytes (tank, self->splice->cancellable, error))
            return false;
        EddyOutputVector held = eddy__tank_get_bytes (tank);
        if (held.size == 0)
            return true;
        size_t written;
        bool all = splice_write (self->splice, held.buffer, held.size, &written, error);
        eddy__tank_drained (tank, written);
        if (!all)
            return false;
    }
}

static bool memory_splice_run (MemorySplice *self, EddyGroup *group, EddyError **error)
{
    if (memory_splice_drain (self, error))
        return eddy_group_wait (group, error);
    eddy__tank_end (&self->tank, NULL);
    eddy_group_cancel (group);
    (void) eddy_group_wait (group, NULL);
    self->splice->lost = self->tank.level;
    return false;
}

bool eddy__splice_through_memory (EddySplice *splice, EddyError **error)
{
    MemorySplice self = { .splice = splice };
    EDDY_AUTO (EddyGroup) group = eddy_in_fiber () ? eddy_group_new () : NULL;
    if (group == NULL || !eddy__tank_init (&self.tank, TANK_LOW, TANK_HIGH))
        return splice_by_turns (splice, error);
    bool moved = eddy_group_spawn (group, memory_splice_fill, &self, memory_splice_filled, NULL)
                     ? memory_splice_run (&self, group, error)
                     : splice_by_turns (splice, error);
    eddy__tank_clear (&self.tank);
    return moved;
}
