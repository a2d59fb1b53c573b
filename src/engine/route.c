/* SPDX-License-Identifier: MIT */
/* Which way serves an operation, by measurement (a tree of 66,000 cached files, Linux 6.18, two
 * cores; seconds for the whole tree):
 *
 *   stat:    one thread 0.14, ring 0.16, two workers 0.08: statx by the ring always goes to the
 *            kernel's own threads, so does everything that makes, removes or renames names
 *   delete:  one thread 0.64, ring 0.53, two workers 0.40
 *   copy:    one thread 1.31, best chain of ring requests 1.26, two workers 0.67
 *   cached 4 KiB reads, µs each: pread 1.26, RWF_NOWAIT 1.34, ring 1.38
 *   uncached 4 KiB reads: pread 75, ring with 32 in flight 21
 *
 * So names, attributes and buffered writes go to the workers; reads are tried without waiting and
 * go to the ring only when the page cache does not have them; fsync waits for the disk and goes to
 * the ring, where it occupies no worker. A ring open adds O_NONBLOCK or blocks the loop on a fifo:
 * opens are workers' business. Writes to streams wait for readiness, because a ring write to a pipe
 * without a reader kills the process by SIGPIPE. Sockets wait by a registration with an epoll that
 * stays, since the ring makes one for each request; and where a foreign loop waits for the ring's
 * eventfd, whatever waits for readiness is the epoll's: see uring.c. */
#include "engine/engine-private.h"

/* What the ring serves unless a test forces more upon it. */
static bool route_prefers_ring (const EddyOp *op)
{
    return eddy__op_is_read (op) || op->kind == EDDY_OP_SYNC || op->kind == EDDY_OP_POLL ||
           op->kind == EDDY_OP_RECV;
}

EddyOpRoute eddy__route (const EddyEngine *engine, const EddyOp *op)
{
    bool ring = (engine->ring_kinds >> op->kind & 1) != 0;
    if (eddy__op_is_write (op) && eddy__op_is_stream (op))
        return EDDY_ROUTE_POLL;
    if (engine->hosted && eddy__op_waits_for_readiness (op))
        return EDDY_ROUTE_POLL;
    if (ring && engine->force_ring)
        return EDDY_ROUTE_RING;
    if (eddy__op_get_readiness (op) != NULL)
        return EDDY_ROUTE_POLL;
    if (ring && route_prefers_ring (op))
        return EDDY_ROUTE_RING;
    if (eddy__op_waits_for_readiness (op))
        return EDDY_ROUTE_POLL;
    return EDDY_ROUTE_WORKER;
}
