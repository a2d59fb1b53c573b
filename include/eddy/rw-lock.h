/* SPDX-License-Identifier: MIT */
/* EddyRWLock: what many may read, or one may write. */
#ifndef EDDY_RW_LOCK_H
#define EDDY_RW_LOCK_H

#include <eddy/forms.h>

EDDY_BEGIN_DECLS

/** Many readers, or one writer, on whatever threads. Who cannot have it waits without holding up
 * his thread. They get it in the order in which they came, readers who stand next to each other
 * together: a reader who comes after a waiting writer waits for him. An object; who waits has a
 * reference to it meanwhile. */
typedef struct EddyRWLock EddyRWLock;

/** Makes a lock that nobody has; NULL when memory is out. Thread: any. Since: 0.1 */
EDDY_API EddyRWLock *eddy_rw_lock_new (void) EDDY_MUST_USE;

/** Names a lock, for those who ask who waits for what; @name: a static string. Thread: any.
 * Since: 0.1 */
EDDY_API void eddy_rw_lock_set_name (EddyRWLock *lock, const char *name);

/**
 * Waits until no writer has a lock nor has waited longer, and takes it for reading. A reader who
 * takes it again may wait for a writer who waits for him.
 *
 * Cancelled as eddy_mutex_lock() is.
 *
 * @lock: a lock
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether the caller may read, until eddy_rw_lock_reader_unlock()
 * Errors: CANCELLED, NO_MEMORY
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (FIBER)
bool eddy_rw_lock_reader_lock (EddyRWLock *lock, EddyCancellable *cancellable, EddyError **error);

/** Takes a lock for reading if that needs no wait. Returns: whether the caller may read, until
 * eddy_rw_lock_reader_unlock(). Thread: any. Since: 0.1 */
EDDY_API bool eddy_rw_lock_reader_trylock (EddyRWLock *lock) EDDY_MUST_USE;

/** Gives back a lock that was taken for reading. Thread: any. Since: 0.1 */
EDDY_API void eddy_rw_lock_reader_unlock (EddyRWLock *lock);

/**
 * Waits until nobody has a lock nor has waited longer, and takes it for writing.
 *
 * Cancelled as eddy_mutex_lock() is.
 *
 * @lock: a lock
 * @cancellable: a cancellable, or NULL
 * @error: where to put the error
 *
 * Returns: whether the caller may write, until eddy_rw_lock_writer_unlock()
 * Errors: CANCELLED, NO_MEMORY
 * Thread: any
 * Since: 0.1
 */
EDDY_OPERATION (FIBER)
bool eddy_rw_lock_writer_lock (EddyRWLock *lock, EddyCancellable *cancellable, EddyError **error);

/** Takes a lock for writing if nobody has it. Returns: whether the caller may write, until
 * eddy_rw_lock_writer_unlock(). Thread: any. Since: 0.1 */
EDDY_API bool eddy_rw_lock_writer_trylock (EddyRWLock *lock) EDDY_MUST_USE;

/** Gives back a lock that was taken for writing. Thread: any. Since: 0.1 */
EDDY_API void eddy_rw_lock_writer_unlock (EddyRWLock *lock);

EDDY_END_DECLS

#include <eddy/rw-lock-forms.h>

#endif
