/* SPDX-License-Identifier: MIT */
/* From socket to socket: pieces that are read and written, as long as they are small. */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include <eddy/fd.h>

#include "base/alloc-private.h"
#include "io/splice-private.h"
#include "io/stream-private.h"
#include "sys/socket-private.h"

enum { SMALL_MOST = 2000 }; /* what comes is read with the wait for it */

typedef struct Pieces {
    EddySplice *splice;
    int from;
    int to;
} Pieces;

/* Writes a piece: what the socket does not take at once, by the stream, which waits. */
static bool pieces_write (const Pieces *self, const char *piece, size_t size, EddyError **error)
{
    EddySplice *splice = self->splice;
    size_t written = 0;
    ssize_t sent = eddy__sys_send (self->to, piece, size, /* flags= */ 0);
    if (sent < 0) /* the stream tells why */
        sent = 0;
    bool all = (size_t) sent == size ||
               eddy__output_stream_write_begun (splice->target, piece + sent, size - (size_t) sent,
                                                &written, splice->cancellable, error);
    written += (size_t) sent;
    splice->lost = size - written;
    eddy__splice_count (splice, written);
    return all;
}

/* Reads what is there behind the first bytes, if any, and writes all: how many bytes that were; 0
 * at the end; or -1. The buffer is there for this moment only. */
static ssize_t pieces_pass_large (const Pieces *self, const EddyBytes *first, EddyError **error)
{
    size_t size = first == NULL ? 0 : eddy_bytes_get_size (first);
    char *piece = eddy__alloc (EDDY__SPLICE_PIECE);
    if (piece == NULL) {
        self->splice->lost = size;
        eddy_error_set_errno (error, ENOMEM, "splicing");
        return -1;
    }
    if (first != NULL)
        memcpy (piece, eddy_bytes_get_data (first), size);
    ssize_t more =
        eddy__sys_recv (self->from, piece + size, EDDY__SPLICE_PIECE - size, /* flags= */ 0);
    size += more > 0 ? (size_t) more : 0;
    bool written = size == 0 || pieces_write (self, piece, size, error);
    eddy__free (piece);
    if (written && more < 0 && more != -EAGAIN) { /* told once, so it is told now */
        eddy_error_set_errno (error, (int) -more, "%s",
                              eddy__input_stream_get_name (self->splice->source));
        written = false;
    }
    bool was_there = size > 0 || more == 0; /* else somebody was wrong: it is waited for again */
    return !written ? -1 : was_there ? (ssize_t) size : 1;
}

/* Likewise, after a wait. For a small piece the stream waits, since it remembers what is known of
 * its socket. */
static ssize_t pieces_pass (const Pieces *self, bool is_large, EddyError **error)
{
    EddySplice *splice = self->splice;
    if (is_large)
        return eddy_fd_wait (self->from, POLLIN, splice->cancellable, error) < 0
                   ? -1
                   : pieces_pass_large (self, NULL, error);
    EddyBytes *first = eddy__input_stream_read_bytes_begun (splice->source, SMALL_MOST,
                                                            splice->cancellable, error);
    if (first == NULL)
        return -1;
    size_t size = eddy_bytes_get_size (first);
    ssize_t count = (ssize_t) size;
    if (size == SMALL_MOST)
        count = pieces_pass_large (self, first, error);
    else if (size > 0 && !pieces_write (self, eddy_bytes_get_data (first), size, error))
        count = -1;
    eddy_unref (first);
    return count;
}

int eddy__splice_piece_by_piece (EddySplice *splice, int from, int to, EddyError **error)
{
    const Pieces self = { splice, from, to };
    ssize_t count = 1;
    while (count > 0 && count < EDDY__SPLICE_PIECE) /* the next one is thought to be as large */
        count = pieces_pass (&self, count >= SMALL_MOST, error);
    return count < 0 ? -1 : count > 0;
}
