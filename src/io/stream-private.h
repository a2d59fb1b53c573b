/* SPDX-License-Identifier: MIT */
/* What the base classes of streams share: who may begin an operation, and where a stream ends. */
#pragma once

#include <eddy/stream.h>

/* Has the stream pending; false with CLOSED or PENDING. */
bool eddy__stream_claim (EddyStream *stream, EddyError **error);
/* Begins an operation: it is pending from now on. False with CLOSED, PENDING, or the cancel's error
 * of `cancellable`, or, in a fiber, of its own. */
bool eddy__stream_begin (EddyStream *stream, EddyCancellable *cancellable, EddyError **error);
static inline void eddy__stream_end (EddyStream *stream)
{
    stream->pending = false;
}

/* Begins the close of a stream. 1: it is closed already, which is no error; 0: begun; -1. */
int eddy__stream_begin_close (EddyStream *stream, EddyError **error);

/* Whether an operation of `count` bytes can be; false with INVALID_ARGUMENT. */
bool eddy__stream_check_count (size_t count, EddyError **error);

/* Where a seek leads; false with INVALID_ARGUMENT below 0, or beyond what can be counted. */
bool eddy__stream_target (int64_t offset, EddySeekType type, int64_t position, int64_t end,
                          int64_t *target, EddyError **error);

/* Closes the fd of a stream. `may_wait`: written files may have to wait for a disk or a peer, and
 * then say whether all went well; that is a worker's business, and no cancel ends it. */
bool eddy__stream_close_fd (int fd, bool may_wait, const char *name, EddyError **error);
/* The same without waiting, and nobody asks how it went. */
void eddy__stream_close_fd_later (int fd, bool may_wait);
