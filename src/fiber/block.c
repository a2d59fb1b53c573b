/* SPDX-License-Identifier: MIT */
/* Operations in a plain thread: the thread waits.
 *
 * What may wait for a peer is tried, then polled together with an eventfd that the cancellable
 * writes, so that a cancel from any thread ends the wait. Never a bare blocking call on a stream.
 */
#include "fiber/block-private.h"

#include <errno.h>
#include <poll.h>

#include "base/compiler-private.h"
#include "loop/cancellable-private.h"
#include "sys/file-private.h"
#include "sys/poll-private.h"

static void block_cancelled (EddyCancellable *cancellable, void *user_data)
{
    (void) cancellable;
    eddy__sys_eventfd_write (*(int *) user_data);
}

/* Waits until the fd is ready or the eventfd is written; revents, or -errno. */
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
    for (;;) {
        int64_t result = op->kind == EDDY_OP_POLL ? -EAGAIN : eddy__op_try (op);
        if (result != -EAGAIN)
            return result;
        result = block_poll (op, cancel_fd);
        if (result < 0 || op->kind == EDDY_OP_POLL)
            return result;
    }
}

void eddy__block_op (EddyOp *op, EddyCancellable *cancellable)
{
    if (eddy__cancellable_is_cancelled (cancellable)) {
        op->result = -ECANCELED;
        return;
    }
    if (op->kind != EDDY_OP_POLL && !eddy__op_is_stream (op)) {
        op->result = eddy__op_perform (op);
        return;
    }
    int cancel_fd = cancellable == NULL ? -1 : eddy__sys_eventfd ();
    if (cancellable != NULL && cancel_fd < 0) {
        op->result = cancel_fd;
        return;
    }
    uint64_t id = eddy_cancellable_connect (cancellable, block_cancelled, &cancel_fd, NULL);
    /* Not connected: cancelled by now, or memory is out, and then nothing could end the wait. */
    if (cancellable != NULL && id == 0)
        op->result = eddy__cancellable_is_cancelled (cancellable) ? -ECANCELED : -ENOMEM;
    else
        op->result = block_wait (op, cancel_fd);
    eddy_cancellable_disconnect (cancellable, id);
    if (cancel_fd >= 0)
        eddy__sys_close (cancel_fd);
}
