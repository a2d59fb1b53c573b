/* SPDX-License-Identifier: MIT */
/*
 * The system calls of io_uring.
 */
#include "sys/uring-private.h"

#include <string.h>

#include "sys/call-private.h"

/* A ring may come to lie where another thread's was. The kernel keeps the two apart, by calls of
   liburing's that ThreadSanitizer does not see: this lets it know. */
static unsigned rings_closed;

int eddy__sys_uring_open (struct io_uring *ring, unsigned entries, struct io_uring_params *params)
{
    int result = eddy__sys_door (EDDY_SYS_URING_OPEN);

    if (result == 0)
        result = io_uring_queue_init_params (entries, ring, params);
    if (result < 0)
        return result;
    (void) __atomic_load_n (&rings_closed, __ATOMIC_ACQUIRE);
    /* A child of a fork that saw the rings would put its completions into its parent's. */
    result = io_uring_ring_dontfork (ring);
    if (result < 0)
        io_uring_queue_exit (ring);
    return result < 0 ? result : 0;
}

void eddy__sys_uring_close (struct io_uring *ring)
{
    __atomic_add_fetch (&rings_closed, 1, __ATOMIC_RELEASE);
    io_uring_queue_exit (ring);
}

int eddy__sys_uring_enter (struct io_uring *ring, unsigned wait_count, int64_t timeout_ns)
{
    struct __kernel_timespec time;
    struct io_uring_cqe *first;
    int result = eddy__sys_door (EDDY_SYS_URING_ENTER);

    if (result < 0)
        return result;
    /* Looking is entering, too: deferred task work runs nowhere else. */
    if (wait_count == 0 || timeout_ns == 0)
        return io_uring_submit_and_get_events (ring);
    if (timeout_ns < 0)
        return io_uring_submit_and_wait (ring, wait_count);
    /* Older kernels would need a timeout request of liburing's own in the queue, whose completion
       the engine would meet. */
    if (!(ring->features & IORING_FEAT_EXT_ARG))
        return -EOPNOTSUPP;
    time.tv_sec = timeout_ns / EDDY_SYS_NS_PER_SECOND;
    time.tv_nsec = timeout_ns % EDDY_SYS_NS_PER_SECOND;
    result = io_uring_submit_and_wait_timeout (ring, &first, wait_count, &time, NULL);
    return result == -ETIME ? 0 : result;
}

int eddy__sys_uring_register_eventfd (struct io_uring *ring, int eventfd)
{
    int result = eddy__sys_door (EDDY_SYS_URING_EVENTFD);

    if (result < 0)
        return result;
    return eventfd < 0 ? io_uring_unregister_eventfd (ring)
                       : io_uring_register_eventfd (ring, eventfd);
}

int eddy__sys_uring_probe (struct io_uring *ring, EddySysUringProbe *probe)
{
    /* The kernel's answer has a tail of up to 256 operations; on the stack, so that nothing here
       allocates. */
    union {
        struct io_uring_probe head;
        char bytes[sizeof (struct io_uring_probe) + 256 * sizeof (struct io_uring_probe_op)];
    } answer;
    int result = eddy__sys_door (EDDY_SYS_URING_PROBE);

    if (result < 0)
        return result;
    memset (&answer, 0, sizeof answer);
    memset (probe, 0, sizeof *probe);
    result = io_uring_register_probe (ring, &answer.head, 256);
    if (result < 0)
        return result;
    for (unsigned i = 0; i < answer.head.ops_len; i++) {
        const struct io_uring_probe_op *op = &answer.head.ops[i];

        if (op->flags & IO_URING_OP_SUPPORTED)
            probe->supported[op->op / 64] |= UINT64_C (1) << (op->op % 64);
    }
    return 0;
}
