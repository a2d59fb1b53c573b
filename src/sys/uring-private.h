/* SPDX-License-Identifier: MIT */
/*
 * The system calls of io_uring, by liburing, behind the fault door. Filling entries and reading
 * completions is memory, not system calls: engine/uring.c does that with liburing itself.
 */
#pragma once

#include <liburing.h>
#include <stdbool.h>
#include <stdint.h>

/* What Debian 12's linux/io_uring.h (liburing 2.3) may lack, from Linux's uapi header. */
#ifndef IORING_SETUP_SINGLE_ISSUER /* Linux 6.0 */
#define IORING_SETUP_SINGLE_ISSUER (1U << 12)
#endif
#ifndef IORING_SETUP_DEFER_TASKRUN /* Linux 6.1 */
#define IORING_SETUP_DEFER_TASKRUN (1U << 13)
#endif
#ifndef IORING_SETUP_NO_SQARRAY /* Linux 6.6 */
#define IORING_SETUP_NO_SQARRAY (1U << 16)
#endif

/* Opcodes that the running kernel offers, one bit each. */
typedef struct EddySysUringProbe {
    uint64_t supported[4]; /* opcodes 0 … 255 */
} EddySysUringProbe;

/* 0 or -errno; afterwards params->features tells what the kernel can. The ring's fd is
   close-on-exec and its memory is kept out of the children of a fork. */
int eddy__sys_uring_open (struct io_uring *ring, unsigned entries, struct io_uring_params *params);
void eddy__sys_uring_close (struct io_uring *ring);

/*
 * Submits everything staged, runs deferred task work, and waits until `wait_count` completions can
 * be read or the time is over (0: only looks, negative: for ever). Returns how many entries the
 * kernel took, which may be fewer than were staged, or -errno; time being over is no failure, and
 * neither is a wait cut short after something was submitted. -EINTR, -EBUSY (completions must be
 * taken first) and -EAGAIN (no memory just now) are reported; what was not taken stays staged.
 * A timeout needs IORING_FEAT_EXT_ARG (Linux 5.11): without it -EOPNOTSUPP.
 */
int eddy__sys_uring_enter (struct io_uring *ring, unsigned wait_count, int64_t timeout_ns);

/* Every completion writes this eventfd; -1 unregisters. */
int eddy__sys_uring_register_eventfd (struct io_uring *ring, int eventfd);
int eddy__sys_uring_probe (struct io_uring *ring, EddySysUringProbe *probe);

static inline bool eddy__sys_uring_probe_has (const EddySysUringProbe *probe, unsigned opcode)
{
    return opcode < 256 && (probe->supported[opcode / 64] >> (opcode % 64) & 1) != 0;
}
