/* SPDX-License-Identifier: MIT */
/* Reading bytes in memory. */
#include <string.h>

#include <eddy/memory-stream.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "io/stream-private.h"

typedef struct MemoryInputStream {
    EddyInputStream stream;
    EddyBytes **chunks; /* in their order, owned */
    size_t n_chunks;
    size_t size; /* of them together */
    size_t position;
    size_t chunk;        /* that the position is in, or n_chunks */
    size_t chunk_offset; /* where in it */
} MemoryInputStream;

static MemoryInputStream *memory_input_of (void *stream)
{
    return stream;
}

/* Copies up to `count` bytes from the position, unless `buffer` is NULL, and moves it on. */
static size_t memory_input_take (MemoryInputStream *self, char *buffer, size_t count)
{
    size_t taken = 0;
    while (taken < count && self->chunk < self->n_chunks) {
        const EddyBytes *chunk = self->chunks[self->chunk];
        size_t left = eddy_bytes_get_size (chunk) - self->chunk_offset;
        size_t length = count - taken < left ? count - taken : left;
        if (buffer != NULL && length > 0)
            memcpy (buffer + taken, (const char *) eddy_bytes_get_data (chunk) + self->chunk_offset,
                    length);
        taken += length;
        self->chunk_offset += length;
        if (length == left) {
            self->chunk++;
            self->chunk_offset = 0;
        }
    }
    self->position += taken;
    return taken;
}

static ssize_t memory_input_read (EddyInputStream *stream, void *buffer, size_t count,
                                  EddyCancellable *cancellable, EddyError **error)
{
    (void) cancellable;
    (void) error;
    return (ssize_t) memory_input_take (memory_input_of (stream), buffer, count);
}

static ssize_t memory_input_skip (EddyInputStream *stream, size_t count,
                                  EddyCancellable *cancellable, EddyError **error)
{
    (void) cancellable;
    (void) error;
    return (ssize_t) memory_input_take (memory_input_of (stream), NULL, count);
}

static bool memory_input_is_ready (EddyInputStream *stream)
{
    (void) stream;
    return true;
}

/* --- positions -------------------------------------------------------------------------------- */

static int64_t memory_input_tell (EddySeekable *seekable)
{
    return (int64_t) memory_input_of (seekable)->position;
}

static bool memory_input_can_seek (EddySeekable *seekable)
{
    (void) seekable;
    return true;
}

static bool memory_input_seek (EddySeekable *seekable, int64_t offset, EddySeekType type,
                               EddyCancellable *cancellable, EddyError **error)
{
    (void) cancellable;
    MemoryInputStream *self = memory_input_of (seekable);
    int64_t target;
    if (!eddy__stream_target (offset, type, (int64_t) self->position, (int64_t) self->size, &target,
                              error))
        return false;
    if (target > (int64_t) self->size) {
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_ARGUMENT,
                        "position %lld is beyond the %zu bytes of the stream", (long long) target,
                        self->size);
        return false;
    }
    self->position = 0;
    self->chunk = 0;
    self->chunk_offset = 0;
    (void) memory_input_take (self, NULL, (size_t) target);
    return true;
}

static bool memory_input_can_truncate (EddySeekable *seekable)
{
    (void) seekable;
    return false;
}

static const EddySeekableFuncs memory_input_seekable = {
    .tell = memory_input_tell,
    .can_seek = memory_input_can_seek,
    .seek = memory_input_seek,
    .can_truncate = memory_input_can_truncate,
};

/* --- life ------------------------------------------------------------------------------------- */

static void memory_input_dispose (void *object)
{
    MemoryInputStream *self = object;
    for (size_t i = 0; i < self->n_chunks; i++)
        eddy_unref (self->chunks[i]);
    eddy__free (self->chunks);
    self->chunks = NULL;
    self->n_chunks = 0;
}

static const EddyInputStreamClass memory_input_class = {
    .stream = { .object = { .name = "EddyMemoryInputStream",
                            .size = sizeof (MemoryInputStream),
                            .dispose = memory_input_dispose },
                .seekable = &memory_input_seekable },
    .read = memory_input_read,
    .skip = memory_input_skip,
    .is_ready = memory_input_is_ready,
};

EddyInputStream *eddy_memory_input_stream_new (void)
{
    MemoryInputStream *self = eddy_object_new (&memory_input_class.stream.object);
    return self == NULL ? NULL : &self->stream;
}

EddyInputStream *eddy_memory_input_stream_new_from_bytes (EddyBytes *bytes)
{
    EDDY__EXPECT (bytes != NULL, NULL);
    EddyInputStream *stream = eddy_memory_input_stream_new ();
    if (stream != NULL && !eddy_memory_input_stream_add_bytes (stream, bytes))
        eddy_clear (&stream);
    return stream;
}

bool eddy_memory_input_stream_add_bytes (EddyInputStream *stream, EddyBytes *bytes)
{
    EDDY__EXPECT (stream != NULL && bytes != NULL, false);
    EDDY__EXPECT (stream->stream.object.object_class == &memory_input_class.stream.object, false);
    MemoryInputStream *self = memory_input_of (stream);
    size_t capacity = (self->n_chunks + 1) * sizeof (EddyBytes *);
    EddyBytes **grown = eddy__realloc (self->chunks, capacity);
    if (grown == NULL)
        return false;
    self->chunks = grown;
    self->chunks[self->n_chunks++] = eddy_ref (bytes);
    self->size += eddy_bytes_get_size (bytes);
    return true;
}
