/* SPDX-License-Identifier: MIT */
/* Sequences of several items of another one at a time. */
#include <errno.h>

#include "base/alloc-private.h"
#include "base/object-private.h"
#include "sequence/sequence-private.h"

struct EddyChunk {
    EddyObject object;
    EddyItemDestroyFunc destroy_item;
    size_t length;
    void *items[]; /* NULL: taken */
};

/* --- chunks ----------------------------------------------------------------------------------- */

static void chunk_finalize (void *object)
{
    EddyChunk *chunk = object;
    for (size_t i = 0; i < chunk->length; i++)
        if (chunk->items[i] != NULL && chunk->destroy_item != NULL)
            chunk->destroy_item (chunk->items[i]);
    eddy__free (chunk);
}

/* Its memory is longer, so it frees that itself. */
static const EddyClass chunk_class = { .name = "EddyChunk", .finalize = chunk_finalize };

static EddyChunk *chunk_new (size_t room, EddyItemDestroyFunc destroy_item)
{
    size_t size;
    if (__builtin_mul_overflow (room, sizeof (void *), &size) ||
        __builtin_add_overflow (size, sizeof (EddyChunk), &size))
        return NULL;
    EddyChunk *chunk = eddy__alloc0 (size);
    if (chunk == NULL)
        return NULL;
    eddy__object_init (chunk, &chunk_class);
    chunk->destroy_item = destroy_item;
    return chunk;
}

size_t eddy_chunk_get_length (const EddyChunk *chunk)
{
    EDDY__EXPECT (chunk != NULL, 0);
    return chunk->length;
}

void *eddy_chunk_get (const EddyChunk *chunk, size_t index)
{
    EDDY__EXPECT (chunk != NULL && index < chunk->length, NULL);
    return chunk->items[index];
}

void *eddy_chunk_take (EddyChunk *chunk, size_t index)
{
    EDDY__EXPECT (chunk != NULL && index < chunk->length, NULL);
    return EDDY_TAKE (chunk->items[index]);
}

/* --- the sequence ----------------------------------------------------------------------------- */

typedef struct Chunks {
    EddySequence *inner;
    size_t count;
    EddyChunk *chunk;   /* that is being filled; or NULL */
    EddyError *failure; /* that comes after a chunk cut short by it */
} Chunks;

/* What to return when the inner sequence has no item: the chunk as it is, if that is the end. */
static void *chunks_cut (EddySequence *sequence, EddyError *failure, EddyError **error)
{
    Chunks *chunks = eddy_sequence_get_data (sequence);
    if (chunks->inner->ended && chunks->chunk->length > 0) {
        chunks->failure = failure;
        return EDDY_TAKE (chunks->chunk);
    }
    if (failure != NULL)
        eddy_error_take (error, failure);
    return eddy__sequence_pass (sequence, chunks->inner);
}

static void *chunks_next (EddySequence *sequence, EddyCancellable *cancellable, EddyError **error)
{
    Chunks *chunks = eddy_sequence_get_data (sequence);
    if (chunks->failure != NULL) {
        eddy_error_take (error, EDDY_TAKE (chunks->failure));
        return NULL;
    }
    if (chunks->chunk == NULL)
        chunks->chunk = chunk_new (chunks->count, chunks->inner->destroy_item);
    EddyChunk *chunk = chunks->chunk;
    if (chunk == NULL)
        return eddy__sequence_fail_wait (sequence, -ENOMEM, cancellable, error);
    while (chunk->length < chunks->count) {
        EddyError *failure = NULL;
        void *item = eddy__sequence_ask (chunks->inner, cancellable, &failure);
        if (item == NULL)
            return chunks_cut (sequence, failure, error);
        chunk->items[chunk->length++] = item;
    }
    return EDDY_TAKE (chunks->chunk);
}

static void chunks_dispose (EddySequence *sequence)
{
    Chunks *chunks = eddy_sequence_get_data (sequence);
    eddy_clear (&chunks->chunk);
    eddy_clear (&chunks->failure);
    eddy_clear (&chunks->inner);
}

static const EddySequenceFuncs chunks_funcs = { .next = chunks_next, .dispose = chunks_dispose };

EddySequence *eddy_sequence_chunks (EddySequence *sequence, size_t count)
{
    EDDY__EXPECT (count > 0, NULL);
    EddySequence *chunking =
        eddy__sequence_new_over (&chunks_funcs, sizeof (Chunks), eddy_destroy, sequence);
    if (chunking == NULL)
        return NULL;
    Chunks *chunks = eddy_sequence_get_data (chunking);
    chunks->inner = sequence;
    chunks->count = count;
    return chunking;
}
