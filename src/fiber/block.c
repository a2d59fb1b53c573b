/* SPDX-License-Identifier: MIT */
/* Operations in a plain thread: the thread waits.
 *
 * What may wait for a peer is tried, then polled together with the cancellable's fd, so that a
 * cancel from any thread ends the wait, and so does its deadline. Never a bare blocking call on a
 * stream.
 */
#include "fiber/block-private.h"

#include <errno.h>
#include <poll.h>

#include "base/compiler-private.h"
#include "loop/cancellable-private.h"
#include "sys/poll-private.h"

/* Waits until the fd is ready or the cancellable's is; revents, or -errno. */
static int64_t block_poll (const EddyOp *op, int cancel_fd)
{
    struct pollfd fds[2] = { { op->fd, (short) eddy__op_events (op), 0 },
                             { cancel_fd, POLLIN, 0 } };
    int ready;
    do
        ready = eddy__sys_ppoll (fds, cancel_fd < 0 ? 1 : 2, -1);
    while (ready == -EINTR);
    if (ready < 0)
        return ready;
    return fds[0].revents != 0 ? fds[0].revents : -ECANCELED;
}

static int64_t block_wait (EddyOp *op, int cancel_fd)
{
    bool was_ready = false;
    for (;;) {
        int64_t result = op->kind == EDDY_OP_POLL ? -EAGAIN : eddy__op_try (op);
        if (result == EDDY__TRY_IS_FILE) /* a file's: it waits for no peer */
            return eddy__op_perform (op);
        if (result != -EAGAIN)
            return result;
        /* A file is always ready: it is a disk that its bytes would have to come from. */
        if (was_ready && !eddy__op_is_socket (op) && eddy__op_is_file (op->fd))
            return eddy__op_perform (op);
        result = block_poll (op, cancel_fd);
        if (result < 0 || op->kind == EDDY_OP_POLL)
            return result;
        was_ready = true;
    }
}

void eddy__block_op (EddyOp *op, EddyCancellable *cancellable)
{
    if (eddy__cancellable_is_cancelled (cancellable)) {
        op->result = -ECANCELED;
        return;
    }
    if (!eddy__op_waits_for_readiness (op)) {
        op->result = eddy__op_perform (op);
        return;
    }
    int cancel_fd = cancellable == NULL ? -1 : eddy__cancellable_open_fd (cancellable);
    if (cancellable != NULL && cancel_fd < 0) {
        op->result = cancel_fd;
        return;
    }
    op->result = block_wait (op, cancel_fd);
    eddy_cancellable_release_fd (cancellable);
}
