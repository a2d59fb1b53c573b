/* SPDX-License-Identifier: MIT */
/* What is done with an open file: each operation is one request, and by callback no more than that.
 */
#include <eddy/file-handle-bodies.h>

#include <eddy/fd-bodies.h>
#include <errno.h>
#include <fcntl.h>

#include "base/error-private.h"
#include "base/object-private.h"
#include "fiber/fiber-private.h"
#include "file/handle-private.h"
#include "io/stream-private.h"
#include "sys/file-private.h"
#include "sys/thread-private.h"

/* --- what all of them do ---------------------------------------------------------------------- */

static bool handle_refuse_number (const EddyFileHandle *self, const char *what, int64_t number,
                                  EddyError **error)
{
    eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_INVALID_ARGUMENT, "%s: %lld is no %s",
                    self->file->path, (long long) number, what);
    return false;
}

/* Begins a transfer. */
static bool handle_begin_transfer (EddyFileHandle *self, unsigned needed, size_t count,
                                   int64_t offset, EddyError **error)
{
    if (EDDY__UNLIKELY (offset < 0))
        return handle_refuse_number (self, "offset", offset, error);
    return eddy__stream_check_count (count, error) && eddy__file_handle_begin (self, needed, error);
}

/* Does a request that has begun, to its end. */
static int64_t handle_finish (EddyFileHandle *self, EddyOp *op, EddyCancellable *cancellable,
                              EddyError **error)
{
    int64_t answer = eddy__file_handle_do (self, op, cancellable, error);
    eddy__file_handle_end (self);
    return answer;
}

/* The answer of a request that somebody else has waited for. */
static int64_t handle_result (EddyFileHandle *self, const EddyOp *op, EddyError **error)
{
    eddy__file_handle_end (self);
    if (op->result >= 0)
        return op->result;
    eddy_error_set_errno (error, (int) -op->result, "%s", self->file->path);
    return -1;
}

/* --- reading and writing ---------------------------------------------------------------------- */

bool eddy_file_handle_read_at_request (EddyOp *op, EddyFileHandle *handle, void *buffer,
                                       size_t count, int64_t offset, EddyError **error)
{
    EDDY__EXPECT (handle != NULL && (buffer != NULL || count == 0), false);
    if (count == 0 || !handle_begin_transfer (handle, EDDY__HANDLE_READS, count, offset, error))
        return false;
    eddy_fd_read_prepare (op, handle->fd, buffer, count, offset);
    return true;
}

ssize_t eddy_file_handle_read_at_result (const EddyOp *op, EddyFileHandle *handle, void *buffer,
                                         size_t count, int64_t offset, EddyError **error)
{
    (void) buffer;
    (void) count;
    (void) offset;
    return (ssize_t) handle_result (handle, op, error);
}

/* The file cannot say whether a read must wait: those without a disk do not answer RWF_NOWAIT, and
 * need not. It is asked once for each file. */
static int64_t handle_read_unsure (EddyFileHandle *self, void *buffer, size_t count, int64_t offset)
{
    bool in_memory = eddy__file_is_in_memory (self->fd);
    uint8_t memory = in_memory ? EDDY__HANDLE_IN_MEMORY : EDDY__HANDLE_ON_DISK;
    __atomic_store_n (&self->memory, memory, __ATOMIC_RELAXED);
    return in_memory ? eddy__fiber_read_now (self->fd, buffer, count, offset, true) : -EOPNOTSUPP;
}

/* What could not be read without an operation. */
static ssize_t handle_read_by_op (EddyFileHandle *self, void *buffer, size_t count, int64_t offset,
                                  EddyCancellable *cancellable, int64_t answer, EddyError **error)
{
    EddyOp op;
    eddy_fd_read_prepare (&op, self->fd, buffer, count, offset);
    if (answer == -EAGAIN)
        op.op_flags |= EDDY_OP_TRIED;
    return (ssize_t) eddy__file_handle_do (self, &op, cancellable, error);
}

/* By a fiber at once, if it need not wait. */
EDDY__NOW_INLINE ssize_t handle_read (EddyFileHandle *self, void *buffer, size_t count,
                                      int64_t offset, EddyCancellable *cancellable,
                                      EddyError **error)
{
    int64_t answer = -EINPROGRESS;
    uint8_t memory = __atomic_load_n (&self->memory, __ATOMIC_RELAXED);
    if (EDDY__LIKELY (cancellable == NULL && offset >= 0))
        answer = eddy__fiber_read_now (self->fd, buffer, count, offset,
                                       memory == EDDY__HANDLE_IN_MEMORY);
    if (EDDY__UNLIKELY (answer == -EOPNOTSUPP && memory == EDDY__HANDLE_MEMORY_UNKNOWN))
        answer = handle_read_unsure (self, buffer, count, offset);
    if (EDDY__LIKELY (answer >= 0))
        return (ssize_t) answer;
    return handle_read_by_op (self, buffer, count, offset, cancellable, answer, error);
}

ssize_t eddy__file_handle_read (EddyFileHandle *self, void *buffer, size_t count, int64_t offset,
                                EddyCancellable *cancellable, EddyError **error)
{
    return handle_read (self, buffer, count, offset, cancellable, error);
}

/* The calling thread is the handle's home from now on, if that has none and there may be one. */
static void handle_settle (EddyFileHandle *self)
{
    void *nobody = NULL;
    if (eddy_in_fiber () && eddy__sys_fence_is_prepared ())
        __atomic_compare_exchange_n (&self->home, &nobody, eddy__thread_self (), /* weak= */ false,
                                     __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/* By a fiber of the handle's home at once and without being counted; -EINPROGRESS: not so. */
EDDY__NOW_INLINE int64_t handle_read_at_home (EddyFileHandle *self, void *buffer, size_t count,
                                              int64_t offset)
{
    int64_t answer = -EINPROGRESS;
    EddyFiber *fiber = eddy__fiber_current ();
    if (__atomic_load_n (&self->home, __ATOMIC_RELAXED) != eddy__thread_self () || fiber == NULL ||
        eddy__fiber_is_cancelled (fiber) || (self->flags & EDDY__HANDLE_READS) == 0)
        return answer;
    __atomic_store_n (&self->home_reads, true, __ATOMIC_RELAXED);
    __atomic_signal_fence (__ATOMIC_SEQ_CST); /* the other half is handle_wait_for_home()'s */
    if (EDDY__LIKELY ((__atomic_load_n (&self->state, __ATOMIC_RELAXED) & EDDY__HANDLE_CLOSED) ==
                      0)) {
        bool in_memory =
            __atomic_load_n (&self->memory, __ATOMIC_RELAXED) == EDDY__HANDLE_IN_MEMORY;
        answer = eddy__engine_read_now (fiber->future.context->engine, self->fd, buffer, count,
                                        offset, in_memory);
    }
    __atomic_store_n (&self->home_reads, false, __ATOMIC_RELEASE);
    if (answer >= 0)
        eddy__fiber_take_turns (fiber);
    return answer;
}

/* What the home could not read: -EAGAIN, since it must wait, or else for whatever reason. */
__attribute__ ((noinline)) static ssize_t handle_read_counted (EddyFileHandle *self, void *buffer,
                                                               size_t count, int64_t offset,
                                                               EddyCancellable *cancellable,
                                                               EddyError **error, int64_t answer)
{
    if (!handle_begin_transfer (self, EDDY__HANDLE_READS, count, offset, error))
        return -1;
    if (__atomic_load_n (&self->home, __ATOMIC_RELAXED) == NULL)
        handle_settle (self);
    if (answer == -EAGAIN)
        answer = handle_read_by_op (self, buffer, count, offset, cancellable, answer, error);
    else
        answer = handle_read (self, buffer, count, offset, cancellable, error);
    eddy__file_handle_end (self);
    return (ssize_t) answer;
}

ssize_t eddy_file_handle_read_at_body (EddyFileHandle *handle, void *buffer, size_t count,
                                       int64_t offset, EddyCancellable *cancellable,
                                       EddyError **error)
{
    int64_t answer = -EINPROGRESS;
    EDDY__EXPECT (handle != NULL && (buffer != NULL || count == 0), -1);
    if (EDDY__UNLIKELY (count == 0))
        return 0;
    if (EDDY__LIKELY (cancellable == NULL && offset >= 0 && count <= EDDY__HANDLE_BRIEF))
        answer = handle_read_at_home (handle, buffer, count, offset);
    if (EDDY__LIKELY (answer >= 0))
        return (ssize_t) answer;
    return handle_read_counted (handle, buffer, count, offset, cancellable, error, answer);
}

bool eddy_file_handle_write_at_request (EddyOp *op, EddyFileHandle *handle, const void *buffer,
                                        size_t count, int64_t offset, EddyError **error)
{
    EDDY__EXPECT (handle != NULL && (buffer != NULL || count == 0), false);
    if (count == 0 || !handle_begin_transfer (handle, EDDY__HANDLE_WRITES, count, offset, error))
        return false;
    eddy_fd_write_prepare (op, handle->fd, buffer, count, offset);
    return true;
}

ssize_t eddy_file_handle_write_at_result (const EddyOp *op, EddyFileHandle *handle,
                                          const void *buffer, size_t count, int64_t offset,
                                          EddyError **error)
{
    (void) buffer;
    (void) count;
    (void) offset;
    return (ssize_t) handle_result (handle, op, error);
}

ssize_t eddy_file_handle_write_at_body (EddyFileHandle *handle, const void *buffer, size_t count,
                                        int64_t offset, EddyCancellable *cancellable,
                                        EddyError **error)
{
    EddyOp op;
    if (!eddy_file_handle_write_at_request (&op, handle, buffer, count, offset, error))
        return count == 0 ? 0 : -1;
    return (ssize_t) handle_finish (handle, &op, cancellable, error);
}

/* --- several runs of bytes -------------------------------------------------------------------- */

bool eddy_file_handle_readv_at_request (EddyOp *op, EddyFileHandle *handle,
                                        const EddyInputVector *vectors, size_t n_vectors,
                                        int64_t offset, EddyError **error)
{
    EDDY__EXPECT (handle != NULL && (vectors != NULL || n_vectors == 0), false);
    if (n_vectors == 0 || !handle_begin_transfer (handle, EDDY__HANDLE_READS, 0, offset, error))
        return false;
    eddy_fd_readv_prepare (op, handle->fd, vectors, n_vectors, offset);
    return true;
}

ssize_t eddy_file_handle_readv_at_result (const EddyOp *op, EddyFileHandle *handle,
                                          const EddyInputVector *vectors, size_t n_vectors,
                                          int64_t offset, EddyError **error)
{
    (void) vectors;
    (void) n_vectors;
    (void) offset;
    return (ssize_t) handle_result (handle, op, error);
}

ssize_t eddy_file_handle_readv_at_body (EddyFileHandle *handle, const EddyInputVector *vectors,
                                        size_t n_vectors, int64_t offset,
                                        EddyCancellable *cancellable, EddyError **error)
{
    EddyOp op;
    if (!eddy_file_handle_readv_at_request (&op, handle, vectors, n_vectors, offset, error))
        return n_vectors == 0 ? 0 : -1;
    return (ssize_t) handle_finish (handle, &op, cancellable, error);
}

bool eddy_file_handle_writev_at_request (EddyOp *op, EddyFileHandle *handle,
                                         const EddyOutputVector *vectors, size_t n_vectors,
                                         int64_t offset, EddyError **error)
{
    EDDY__EXPECT (handle != NULL && (vectors != NULL || n_vectors == 0), false);
    if (n_vectors == 0 || !handle_begin_transfer (handle, EDDY__HANDLE_WRITES, 0, offset, error))
        return false;
    eddy_fd_writev_prepare (op, handle->fd, vectors, n_vectors, offset);
    return true;
}

ssize_t eddy_file_handle_writev_at_result (const EddyOp *op, EddyFileHandle *handle,
                                           const EddyOutputVector *vectors, size_t n_vectors,
                                           int64_t offset, EddyError **error)
{
    (void) vectors;
    (void) n_vectors;
    (void) offset;
    return (ssize_t) handle_result (handle, op, error);
}

ssize_t eddy_file_handle_writev_at_body (EddyFileHandle *handle, const EddyOutputVector *vectors,
                                         size_t n_vectors, int64_t offset,
                                         EddyCancellable *cancellable, EddyError **error)
{
    EddyOp op;
    if (!eddy_file_handle_writev_at_request (&op, handle, vectors, n_vectors, offset, error))
        return n_vectors == 0 ? 0 : -1;
    return (ssize_t) handle_finish (handle, &op, cancellable, error);
}

/* --- all of it -------------------------------------------------------------------------------- */

bool eddy_file_handle_read_exactly_at_body (EddyFileHandle *handle, void *buffer, size_t count,
                                            int64_t offset, size_t *bytes_read,
                                            EddyCancellable *cancellable, EddyError **error)
{
    size_t unasked;
    size_t *done = bytes_read == NULL ? &unasked : bytes_read;
    *done = 0;
    EDDY__EXPECT (handle != NULL && (buffer != NULL || count == 0), false);
    ssize_t answer = 1;
    while (*done < count && answer > 0) {
        answer = eddy_file_handle_read_at_body (handle, (char *) buffer + *done, count - *done,
                                                offset + (int64_t) *done, cancellable, error);
        *done += answer > 0 ? (size_t) answer : 0;
    }
    if (answer == 0)
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_PARTIAL_INPUT,
                        "%s: the end came after %zu of %zu bytes", handle->file->path, *done,
                        count);
    return *done == count;
}

bool eddy_file_handle_write_all_at_body (EddyFileHandle *handle, const void *buffer, size_t count,
                                         int64_t offset, size_t *bytes_written,
                                         EddyCancellable *cancellable, EddyError **error)
{
    size_t unasked;
    size_t *done = bytes_written == NULL ? &unasked : bytes_written;
    *done = 0;
    EDDY__EXPECT (handle != NULL && (buffer != NULL || count == 0), false);
    ssize_t answer = 1;
    while (*done < count && answer > 0) {
        answer =
            eddy_file_handle_write_at_body (handle, (const char *) buffer + *done, count - *done,
                                            offset + (int64_t) *done, cancellable, error);
        *done += answer > 0 ? (size_t) answer : 0;
    }
    /* No file takes nothing and calls it done; this one would have us try for ever. */
    if (answer == 0)
        eddy_error_set (error, EDDY_IO_ERROR, EDDY_IO_ERROR_FAILED, "%s: nothing was written",
                        handle->file->path);
    return *done == count;
}

/* --- storage ---------------------------------------------------------------------------------- */

bool eddy_file_handle_sync_request (EddyOp *op, EddyFileHandle *handle, bool data_only,
                                    EddyError **error)
{
    EDDY__EXPECT (handle != NULL, false);
    if (!eddy__file_handle_begin (handle, 0, error))
        return false;
    eddy__op_init (op, EDDY_OP_SYNC, handle->fd);
    op->flags = data_only ? 1 : 0;
    return true;
}

bool eddy_file_handle_sync_result (const EddyOp *op, EddyFileHandle *handle, bool data_only,
                                   EddyError **error)
{
    (void) data_only;
    return handle_result (handle, op, error) >= 0;
}

bool eddy_file_handle_sync_body (EddyFileHandle *handle, bool data_only,
                                 EddyCancellable *cancellable, EddyError **error)
{
    EddyOp op;
    return eddy_file_handle_sync_request (&op, handle, data_only, error) &&
           handle_finish (handle, &op, cancellable, error) >= 0;
}

bool eddy_file_handle_allocate_request (EddyOp *op, EddyFileHandle *handle, int64_t offset,
                                        int64_t size, EddyFileAllocateFlags flags,
                                        EddyError **error)
{
    EDDY__EXPECT (handle != NULL, false);
    if (offset < 0)
        return handle_refuse_number (handle, "offset", offset, error);
    if (size <= 0)
        return handle_refuse_number (handle, "size", size, error);
    if (!eddy__file_handle_begin (handle, EDDY__HANDLE_WRITES, error))
        return false;
    eddy__op_init (op, EDDY_OP_ALLOCATE, handle->fd);
    op->flags = (flags & EDDY_FILE_ALLOCATE_KEEP_SIZE) != 0 ? FALLOC_FL_KEEP_SIZE : 0;
    op->as.transfer.offset = offset;
    op->as.transfer.len = (size_t) size;
    return true;
}

bool eddy_file_handle_allocate_result (const EddyOp *op, EddyFileHandle *handle, int64_t offset,
                                       int64_t size, EddyFileAllocateFlags flags, EddyError **error)
{
    (void) offset;
    (void) size;
    (void) flags;
    return handle_result (handle, op, error) >= 0;
}

bool eddy_file_handle_allocate_body (EddyFileHandle *handle, int64_t offset, int64_t size,
                                     EddyFileAllocateFlags flags, EddyCancellable *cancellable,
                                     EddyError **error)
{
    EddyOp op;
    return eddy_file_handle_allocate_request (&op, handle, offset, size, flags, error) &&
           handle_finish (handle, &op, cancellable, error) >= 0;
}

bool eddy_file_handle_truncate_request (EddyOp *op, EddyFileHandle *handle, int64_t size,
                                        EddyError **error)
{
    EDDY__EXPECT (handle != NULL, false);
    if (size < 0)
        return handle_refuse_number (handle, "size", size, error);
    if (!eddy__file_handle_begin (handle, EDDY__HANDLE_WRITES, error))
        return false;
    eddy__op_init (op, EDDY_OP_TRUNCATE, handle->fd);
    op->as.transfer.offset = size;
    return true;
}

bool eddy_file_handle_truncate_result (const EddyOp *op, EddyFileHandle *handle, int64_t size,
                                       EddyError **error)
{
    (void) size;
    return handle_result (handle, op, error) >= 0;
}

bool eddy_file_handle_truncate_body (EddyFileHandle *handle, int64_t size,
                                     EddyCancellable *cancellable, EddyError **error)
{
    EddyOp op;
    return eddy_file_handle_truncate_request (&op, handle, size, error) &&
           handle_finish (handle, &op, cancellable, error) >= 0;
}
