/* SPDX-License-Identifier: MIT */
/*
 * System calls that do not wait, or hardly ever, in line.
 *
 * The kernel's returns use up the processor's stack of predicted ones, so behind a system call each
 * return to a caller is predicted wrong, at some 6 ns: through seven functions a cached read took
 * 4 % longer. Hence these, and who makes them, are inlined as far up as can be, down to the
 * instruction; glibc's functions would be points of pthread_cancel, too.
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

/* Any system call: what it returns, or -errno. */
EDDY__NOW_INLINE long eddy__sys_now (long number, long first, const void *second, long third,
                                     long fourth, long fifth, long sixth)
{
#if defined __x86_64__ && defined __LP64__
    /* "System V Application Binary Interface, AMD64", A.2.1. */
    register long r10 __asm__("r10") = fourth;
    register long r8 __asm__("r8") = fifth;
    register long r9 __asm__("r9") = sixth;
    __asm__ volatile("syscall"
                     : "+a"(number)
                     : "D"(first), "S"(second), "d"(third), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return number;
#else
    long answer = syscall (number, first, second, third, fourth, fifth, sixth);
    return answer < 0 ? -errno : answer;
#endif
}

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
    return eddy__sys_now (SYS_preadv2, fd, &vector, 1, (long) offset, (long) (offset >> 32),
                          RWF_NOWAIT);
}

/* What a socket takes at once. */
EDDY__NOW_INLINE ssize_t eddy__sys_send_now (int fd, const void *buf, size_t len)
{
    if (eddy__sys_is_hooked ())
        return eddy__sys_send (fd, buf, len, 0);
    long count;
    do {
        count = eddy__sys_now (SYS_sendto, fd, buf, (long) len, MSG_DONTWAIT | MSG_NOSIGNAL, 0, 0);
    } while (count == -EINTR);
    return count;
}

/* What a file is; it waits for what the kernel has in none of its caches. */
EDDY__NOW_INLINE int eddy__sys_statx_now (int fd, const char *path, int flags, unsigned mask,
                                          struct statx *info)
{
    if (eddy__sys_is_hooked ())
        return eddy__sys_statx (fd, path, flags, mask, info);
    return (int) eddy__sys_now (SYS_statx, fd, path, flags, mask, (long) (intptr_t) info, 0);
}
