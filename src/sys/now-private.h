/* SPDX-License-Identifier: MIT */
/*
 * System calls that do not wait, or hardly ever, in line.
 *
 * The kernel's returns use up the processor's stack of predicted ones, so behind a system call each
 * return to a caller is predicted wrong, at some 6 ns: through seven functions a cached read took
 * 4 % longer. Hence these, and who makes them, are inlined as far up as can be, and are not glibc's
 * functions, which are points of pthread_cancel beside.
 */
#pragma once

#include <errno.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "sys/fault-private.h"
#include "sys/file-private.h"
#include "sys/socket-private.h"

#define EDDY__NOW_INLINE __attribute__ ((always_inline)) static inline

EDDY__NOW_INLINE bool eddy__sys_is_hooked (void)
{
    return __builtin_expect (atomic_load_explicit (&eddy__sys_hooked, memory_order_relaxed), 0);
}

/* What is in the page cache at an offset; the kernel drops the upper half of the offset where a
 * long has all of it. */
EDDY__NOW_INLINE ssize_t eddy__sys_read_now (int fd, void *buf, size_t len, int64_t offset)
{
    struct iovec vector = { buf, len };
    if (eddy__sys_is_hooked ())
        return eddy__sys_preadv2 (fd, &vector, 1, offset, RWF_NOWAIT);
    long count = syscall (SYS_preadv2, (long) fd, &vector, 1L, (long) offset, (long) (offset >> 32),
                          (long) RWF_NOWAIT);
    return count < 0 ? -errno : count;
}

/* What a socket takes at once. */
EDDY__NOW_INLINE ssize_t eddy__sys_send_now (int fd, const void *buf, size_t len)
{
    if (eddy__sys_is_hooked ())
        return eddy__sys_send (fd, buf, len, 0);
    long count;
    do {
        count = syscall (SYS_sendto, (long) fd, buf, len, (long) (MSG_DONTWAIT | MSG_NOSIGNAL),
                         NULL, 0L);
    } while (count < 0 && errno == EINTR);
    return count < 0 ? -errno : count;
}

/* What a file is; it waits for what the kernel has in none of its caches. */
EDDY__NOW_INLINE int eddy__sys_statx_now (int fd, const char *path, int flags, unsigned mask,
                                          struct statx *info)
{
    if (eddy__sys_is_hooked ())
        return eddy__sys_statx (fd, path, flags, mask, info);
    long answer = syscall (SYS_statx, (long) fd, path, (long) flags, (long) mask, info);
    return answer < 0 ? -errno : 0;
}
