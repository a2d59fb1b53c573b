/* SPDX-License-Identifier: MIT */
/* What input and output streams have in common: seeking. */
#ifndef EDDY_STREAM_H
#define EDDY_STREAM_H

#include <eddy/forms.h>

EDDY_BEGIN_DECLS

/** A stream that may have a position: any input, output or io stream, seen that way. */
typedef struct EddySeekable EddySeekable;

/** Any stream as an EddySeekable. */
#define EDDY_SEEKABLE(stream) ((EddySeekable *) (void *) (stream))

/** What an offset is counted from. */
typedef enum EddySeekType {
    /** The current position. */
    EDDY_SEEK_CURRENT,
    /** The beginning. */
    EDDY_SEEK_SET,
    /** The end. */
    EDDY_SEEK_END
} EddySeekType;

/** What a kind of stream that has positions does for it. None is called on a closed stream, or
 * while an operation is under way on it. */
typedef struct EddySeekableFuncs {
    /** The position, in bytes from the beginning. */
    int64_t (*tell) (EddySeekable *seekable);
    /** Whether positions can be set: some files cannot. */
    bool (*can_seek) (EddySeekable *seekable);
    /** Sets the position; may wait, as the body of a DIRECT operation does. */
    bool (*seek) (EddySeekable *seekable, int64_t offset, EddySeekType type,
                  EddyCancellable *cancellable, EddyError **error);
    /** Whether the size can be set. */
    bool (*can_truncate) (EddySeekable *seekable);
    /** Sets the size, in bytes; may wait, as the body of a DIRECT operation does. */
    bool (*truncate) (EddySeekable *seekable, int64_t size, EddyCancellable *cancellable,
                      EddyError **error);
} EddySeekableFuncs;

/** How the class of every kind of stream begins. */
typedef struct EddyStreamClass {
    /** Its name, size, dispose and finalize. */
    EddyClass object;
    /** NULL: it has no positions. */
    const EddySeekableFuncs *seekable;
} EddyStreamClass;

/** How every stream begins. Its members are the library's. */
typedef struct EddyStream {
    EddyObject object;
    bool closed;
    bool pending;
    bool closing;     /* by a close that is under way */
    bool is_graceful; /* of a connection's: whether that waits until the peer has read all */
} EddyStream;

/** Where the stream is, in bytes from its beginning; 0 where it has no positions.
 * Thread: the stream's. Since: 0.1 */
EDDY_API int64_t eddy_seekable_tell (EddySeekable *seekable);

/** Whether the stream has positions that can be set. Thread: the stream's. Since: 0.1 */
EDDY_API bool eddy_seekable_can_seek (EddySeekable *seekable);

/**
 * Sets the position of a stream. It is not changed on failure. Only a stream that has bytes to hand
 * on first waits.
 *
 * @seekable: a stream
 * @offset: in bytes; the sum must not be below 0
 * @type: what @offset is counted from
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether it is there
 * Errors: NOT_SUPPORTED; INVALID_ARGUMENT; CLOSED; PENDING; CANCELLED
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_OPERATION (DIRECT)
bool eddy_seekable_seek (EddySeekable *seekable, int64_t offset, EddySeekType type,
                         EddyCancellable *cancellable, EddyError **error);

/** Whether the stream's size can be set. Thread: the stream's. Since: 0.1 */
EDDY_API bool eddy_seekable_can_truncate (EddySeekable *seekable);

/**
 * Sets the size of what a stream is of; what is added is zeroes. The position stays.
 *
 * @seekable: a stream
 * @size: in bytes, from 0
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether it has that size
 * Errors: NOT_SUPPORTED; INVALID_ARGUMENT; NO_SPACE; CLOSED; PENDING; CANCELLED
 * Thread: the stream's
 * Since: 0.1
 */
EDDY_OPERATION (DIRECT)
bool eddy_seekable_truncate (EddySeekable *seekable, int64_t size, EddyCancellable *cancellable,
                             EddyError **error);

EDDY_END_DECLS

#include <eddy/stream-forms.h>

#endif
