/* SPDX-License-Identifier: MIT */
/* Writing to memory that grows. */
#include <eddy/memory-stream.h>

#include <errno.h>
#include <string.h>

#include "base/bytes-private.h"
#include "base/object-private.h"
#include "io/stream-private.h"

enum { MEMORY_FIRST = 256 };

typedef struct MemoryOutputStream {
    EddyOutputStream stream;
    EddyBytes *bytes; /* as large as the room; NULL before the first write */
    size_t room;
    size_t size; /* written, up to the farthest end */
    size_t position;
    size_t limit; /* SIZE_MAX: none */
} MemoryOutputStream;

static MemoryOutputStream *memory_output_of (void *stream)
{
    return stream;
}

static char *memory_output_data (MemoryOutputStream *self)
{
    return self->bytes == NULL ? NULL : eddy__bytes_get_writable (self->bytes);
}

/* Has room for so many bytes; false when memory is out. */
static bool memory_output_reserve (MemoryOutputStream *self, size_t wanted)
{
    if (wanted <= self->room)
        return true;
    size_t room = self->room < MEMORY_FIRST ? MEMORY_FIRST : self->room;
    while (room < wanted)
        if (__builtin_mul_overflow (room, (size_t) 2, &room))
            room = wanted;
    EddyBytes *grown = self->bytes == NULL ? eddy__bytes_new_uninitialised (room)
                                           : eddy__bytes_resize (self->bytes, room);
    if (grown == NULL)
        return false;
    self->bytes = grown;
    self->room = room;
    return true;
}

/* Sets the size; what is added is zeroes. The room is there. */
static void memory_output_set_size (MemoryOutputStream *self, size_t size)
{
    if (size > self->size)
        memset (memory_output_data (self) + self->size, 0, size - self->size);
    self->size = size;
}

static ssize_t memory_output_write (EddyOutputStream *stream, const void *buffer, size_t count,
                                    EddyCancellable *cancellable, EddyError **error)
{
    (void) cancellable;
    MemoryOutputStream *self = memory_output_of (stream);
    size_t left = self->limit > self->position ? self->limit - self->position : 0;
    if (left == 0) {
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_NO_SPACE,
                        "the stream in memory is full: it takes %zu bytes", self->limit);
        return -1;
    }
    size_t taken = count < left ? count : left;
    if (!memory_output_reserve (self, self->position + taken)) {
        eddy_error_set_errno (error, ENOMEM, "%zu bytes more in memory", taken);
        return -1;
    }
    if (self->position > self->size)
        memory_output_set_size (self, self->position);
    memcpy (memory_output_data (self) + self->position, buffer, taken);
    self->position += taken;
    if (self->position > self->size)
        self->size = self->position;
    return (ssize_t) taken;
}

static bool memory_output_is_ready (EddyOutputStream *stream, size_t count)
{
    (void) stream;
    (void) count;
    return true;
}

/* --- positions -------------------------------------------------------------------------------- */

static int64_t memory_output_tell (EddySeekable *seekable)
{
    return (int64_t) memory_output_of (seekable)->position;
}

static bool memory_output_can (EddySeekable *seekable)
{
    (void) seekable;
    return true;
}

static bool memory_output_seek (EddySeekable *seekable, int64_t offset, EddySeekType type,
                                EddyCancellable *cancellable, EddyError **error)
{
    (void) cancellable;
    MemoryOutputStream *self = memory_output_of (seekable);
    int64_t target;
    if (!eddy__stream_target (offset, type, (int64_t) self->position, (int64_t) self->size, &target,
                              error))
        return false;
    self->position = (size_t) target;
    return true;
}

static bool memory_output_truncate (EddySeekable *seekable, int64_t size,
                                    EddyCancellable *cancellable, EddyError **error)
{
    (void) cancellable;
    MemoryOutputStream *self = memory_output_of (seekable);
    if ((uint64_t) size > self->limit) {
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_NO_SPACE,
                        "the stream in memory takes %zu bytes", self->limit);
        return false;
    }
    if (!memory_output_reserve (self, (size_t) size)) {
        eddy_error_set_errno (error, ENOMEM, "%lld bytes in memory", (long long) size);
        return false;
    }
    if (self->bytes != NULL)
        memory_output_set_size (self, (size_t) size);
    return true;
}

static const EddySeekableFuncs memory_output_seekable = {
    .tell = memory_output_tell,
    .can_seek = memory_output_can,
    .seek = memory_output_seek,
    .can_truncate = memory_output_can,
    .truncate = memory_output_truncate,
};

/* --- life ------------------------------------------------------------------------------------- */

static void memory_output_dispose (void *object)
{
    eddy_clear (&memory_output_of (object)->bytes);
}

static const EddyOutputStreamClass memory_output_class = {
    .stream = { .object = { .name = "EddyMemoryOutputStream",
                            .size = sizeof (MemoryOutputStream),
                            .dispose = memory_output_dispose },
                .seekable = &memory_output_seekable },
    .write = memory_output_write,
    .is_ready = memory_output_is_ready,
};

static bool memory_output_is (EddyOutputStream *stream)
{
    return stream != NULL &&
           stream->stream.object.object_class == &memory_output_class.stream.object;
}

EddyOutputStream *eddy_memory_output_stream_new (size_t size_limit)
{
    MemoryOutputStream *self = eddy_object_new (&memory_output_class.stream.object);
    if (self == NULL)
        return NULL;
    self->limit = size_limit == 0 ? SIZE_MAX : size_limit;
    return &self->stream;
}

size_t eddy_memory_output_stream_get_size (EddyOutputStream *stream)
{
    EDDY__EXPECT (memory_output_is (stream), 0);
    return memory_output_of (stream)->size;
}

const void *eddy_memory_output_stream_get_data (EddyOutputStream *stream)
{
    EDDY__EXPECT (memory_output_is (stream), NULL);
    return memory_output_data (memory_output_of (stream));
}

EddyBytes *eddy_memory_output_stream_steal_as_bytes (EddyOutputStream *stream)
{
    EDDY__EXPECT (memory_output_is (stream) && stream->stream.closed, NULL);
    MemoryOutputStream *self = memory_output_of (stream);
    /* Nothing was written: bytes all the same, the first time. */
    if (self->bytes == NULL && self->room == 0) {
        self->room = SIZE_MAX;
        return eddy_bytes_new (NULL, 0);
    }
    if (self->bytes == NULL)
        return NULL;
    EddyBytes *bytes = eddy__bytes_shrink (self->bytes, self->size);
    self->bytes = NULL;
    self->room = SIZE_MAX;
    self->size = 0;
    return bytes;
}
