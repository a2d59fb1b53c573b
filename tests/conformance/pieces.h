/* SPDX-License-Identifier: MIT */
/* For the tests of filters: a stream that reads bytes in pieces of given sizes, can seek, and fails
 * where it is told to; and one that writes to memory in pieces, and fails likewise. */
#pragma once

#include "stream.h"

/* --- input ------------------------------------------------------------------------------------ */

typedef struct Pieces {
    EddyInputStream stream;
    const char *bytes; /* the test's */
    size_t size;
    size_t at;
    /* Given in turn, each no more than so many bytes; 0: that read fails. NULL: all at once. */
    const size_t *pieces;
    size_t n_pieces;
    size_t piece;
    int reads;
    size_t largest; /* read that was asked for */
} Pieces;

static inline Pieces *pieces_of (void *stream)
{
    return stream;
}

static inline ssize_t pieces_read (EddyInputStream *stream, void *buffer, size_t count,
                                   EddyCancellable *cancellable, EddyError **error)
{
    Pieces *self = pieces_of (stream);
    (void) cancellable;
    self->reads++;
    self->largest = count > self->largest ? count : self->largest;
    size_t most = self->n_pieces > 0 ? self->pieces[self->piece++ % self->n_pieces] : SIZE_MAX;
    if (most == 0) {
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_FAILED, "a planted failure");
        return -1;
    }
    size_t left = self->size - self->at;
    size_t taken = count < left ? count : left;
    taken = taken < most ? taken : most;
    memcpy (buffer, self->bytes + self->at, taken);
    self->at += taken;
    return (ssize_t) taken;
}

static inline int64_t pieces_tell (EddySeekable *seekable)
{
    return (int64_t) pieces_of (seekable)->at;
}

static inline bool pieces_can_seek (EddySeekable *seekable)
{
    (void) seekable;
    return true;
}

static inline bool pieces_seek (EddySeekable *seekable, int64_t offset, EddySeekType type,
                                EddyCancellable *cancellable, EddyError **error)
{
    Pieces *self = pieces_of (seekable);
    (void) cancellable;
    int64_t target = offset + (type == EDDY_SEEK_SET   ? 0
                               : type == EDDY_SEEK_END ? (int64_t) self->size
                                                       : (int64_t) self->at);
    if (target < 0 || target > (int64_t) self->size) {
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_ARGUMENT, "not there");
        return false;
    }
    self->at = (size_t) target;
    return true;
}

static inline bool pieces_can_truncate (EddySeekable *seekable)
{
    (void) seekable;
    return false;
}

static const EddySeekableFuncs pieces_seekable = {
    .tell = pieces_tell,
    .can_seek = pieces_can_seek,
    .seek = pieces_seek,
    .can_truncate = pieces_can_truncate,
};

static const EddyInputStreamClass pieces_class = {
    .stream = { .object = { .name = "Pieces", .size = sizeof (Pieces) },
                .seekable = &pieces_seekable },
    .read = pieces_read,
};

/* A stream of bytes that stay the test's. */
static inline Pieces *pieces_new (const char *bytes, size_t size, const size_t *pieces,
                                  size_t n_pieces)
{
    Pieces *self = eddy_object_new (&pieces_class.stream.object);
    ck_assert_ptr_nonnull (self);
    self->bytes = bytes;
    self->size = size;
    self->pieces = pieces;
    self->n_pieces = n_pieces;
    return self;
}

static inline Pieces *pieces_new_string (const char *string)
{
    return pieces_new (string, strlen (string), NULL, 0);
}

/* --- output ----------------------------------------------------------------------------------- */

typedef struct Slow {
    EddyOutputStream stream;
    char bytes[65536];
    size_t size;
    size_t most; /* of one write; 0: any */
    int fails;   /* so many of the next writes do */
    int writes;
    int vectors; /* of these, with several runs */
    int flushes;
} Slow;

static inline ssize_t slow_writev (EddyOutputStream *stream, const EddyOutputVector *vectors,
                                   size_t n_vectors, EddyCancellable *cancellable,
                                   EddyError **error)
{
    Slow *self = (Slow *) (void *) stream;
    (void) cancellable;
    self->writes++;
    self->vectors += n_vectors > 1;
    if (self->fails > 0) {
        self->fails--;
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_FAILED, "a planted failure");
        return -1;
    }
    size_t taken = 0;
    for (size_t i = 0; i < n_vectors; i++) {
        size_t count = vectors[i].size;
        if (self->most != 0 && count > self->most - taken)
            count = self->most - taken;
        ck_assert_uint_le (self->size + count, sizeof self->bytes);
        memcpy (self->bytes + self->size, vectors[i].buffer, count);
        self->size += count;
        taken += count;
    }
    return (ssize_t) taken;
}

static inline ssize_t slow_write (EddyOutputStream *stream, const void *buffer, size_t count,
                                  EddyCancellable *cancellable, EddyError **error)
{
    const EddyOutputVector vector = { buffer, count };
    return slow_writev (stream, &vector, 1, cancellable, error);
}

static inline bool slow_flush (EddyOutputStream *stream, EddyCancellable *cancellable,
                               EddyError **error)
{
    (void) cancellable;
    (void) error;
    ((Slow *) (void *) stream)->flushes++;
    return true;
}

static const EddyOutputStreamClass slow_class = {
    .stream.object = { .name = "Slow", .size = sizeof (Slow) },
    .write = slow_write,
    .writev = slow_writev,
    .flush = slow_flush,
};

static inline Slow *slow_new (size_t most)
{
    Slow *self = eddy_object_new (&slow_class.stream.object);
    ck_assert_ptr_nonnull (self);
    self->most = most;
    return self;
}
