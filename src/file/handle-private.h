/* SPDX-License-Identifier: MIT */
/* EddyFileHandle from the inside: an fd, and who uses it.
 *
 * `state` counts the operations under way, and the stream that has the handle, and says whether it
 * is closed: from then on nobody begins, and whoever ends last closes the fd.
 *
 * Counting takes two atomic exchanges, which wait until the processor has stored what was read: 1 %
 * of a read of 4 KiB that is cached. So one thread, the handle's home, need not count short reads
 * without a wait: it says by a store that it is at one, and looks whether the handle is closed. Who
 * closes it elsewhere has all threads pass a fence, and waits while the home is at a read; the
 * fence makes sure that one of the two sees the other (Dice, Huang and Yang, "Asymmetric Dekker
 * Synchronization", 2001). */
#pragma once

#include <eddy/file-handle.h>

#include "base/compiler-private.h"
#include "engine/operation-private.h"
#include "file/file-private.h"

enum {
    EDDY__HANDLE_CLOSED = 1 << 30, /* a bit of the state */
    /* What an operation may need the file to be open for. */
    EDDY__HANDLE_READS = EDDY_FILE_OPEN_READ,
    EDDY__HANDLE_WRITES = EDDY_FILE_OPEN_WRITE | EDDY_FILE_OPEN_APPEND
};

/* Where the bytes of a file are that cannot say whether reading it would wait. */
enum { EDDY__HANDLE_MEMORY_UNKNOWN, EDDY__HANDLE_IN_MEMORY, EDDY__HANDLE_ON_DISK };

struct EddyFileHandle {
    EddyObject object;
    int fd;
    uint32_t state;  /* atomic */
    bool home_reads; /* its home is at a read that is not counted; atomic */
    void *home;      /* the first thread that has read in a fiber, if it may; atomic */
    EddyFileOpenFlags flags;
    EddyFile *file;
    uint8_t memory;    /* EDDY__HANDLE_IN_MEMORY …; atomic */
    bool is_device;    /* which may have no positions, as a terminal */
    bool lock_pending; /* a call is about the lock; atomic */
    int lock_type;     /* what it is: F_UNLCK … */
};

/* Whether what was opened may be used for what `flags` say is wanted; INVALID_ARGUMENT. */
bool eddy__file_open_flags_check (EddyFileOpenFlags flags, const EddyFile *file, EddyError **error);
/* A handle of a file that is still to be opened; NULL when memory is out. */
EddyFileHandle *eddy__file_handle_new (EddyFile *file, EddyFileOpenFlags flags);
/* Opens it; 0 or -errno, -EMEDIUMTYPE for a fifo or a socket. */
int eddy__file_handle_open (EddyFileHandle *self);
/* What the home of a handle reads without being counted, at most: others may wait for it. */
#define EDDY__HANDLE_BRIEF ((size_t) 65536)

/* Whether its close may have to wait: what was written may not be on its disk yet. */
static inline bool eddy__file_handle_may_wait (const EddyFileHandle *self)
{
    return (self->flags & EDDY__HANDLE_WRITES) != 0;
}
/* An error of opening `file`. */
void eddy__file_open_error (const EddyFile *file, int result, EddyError **error);

/* Begins an operation that needs a file open for `needed` (0: whatever); false with
 * CLOSED or NOT_SUPPORTED. */
bool eddy__file_handle_begin (EddyFileHandle *self, unsigned needed, EddyError **error);
void eddy__file_handle_end (EddyFileHandle *self);
/* Ends a stream's use, and closes the file. Operations that are under way all the same end first:
 * then it is PENDING, and the last of them closes it. */
bool eddy__file_handle_close (EddyFileHandle *self, EddyError **error);

/* Reads once, waiting where the caller stands; the handle is in use. An offset of -1 is where the
 * fd is. */
ssize_t eddy__file_handle_read (EddyFileHandle *self, void *buffer, size_t count, int64_t offset,
                                EddyCancellable *cancellable, EddyError **error);
/* Does a request, waiting where the caller stands: its result, or -1 with the cancel's error or one
 * that names the file. */
int64_t eddy__file_handle_do (EddyFileHandle *self, EddyOp *op, EddyCancellable *cancellable,
                              EddyError **error);
