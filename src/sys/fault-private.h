/* SPDX-License-Identifier: MIT */
/*
 * The fault door: every call of this room passes it, so that a test can make any system call
 * fail, or answer short, without the kernel's help. Unset, it is one predicted branch on a global.
 *
 * An answer of the door counts as the kernel's: a wrapper that retries EINTR retries an injected
 * one too (and asks the door again), so "EINTR from then on" makes such a wrapper spin. The hooks
 * are process-wide; set them while no other thread is inside a call of sys/.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* The one list of calls: CALL (CONSTANT, printable name). */
#define EDDY_SYS_CALLS(CALL)                                                                       \
    CALL (OPENAT, openat)                                                                          \
    CALL (OPENAT2, openat2)                                                                        \
    CALL (CLOSE, close)                                                                            \
    CALL (READ, read)                                                                              \
    CALL (WRITE, write)                                                                            \
    CALL (PREAD, pread)                                                                            \
    CALL (PWRITE, pwrite)                                                                          \
    CALL (PREADV2, preadv2)                                                                        \
    CALL (PWRITEV2, pwritev2)                                                                      \
    CALL (STATX, statx)                                                                            \
    CALL (MKDIRAT, mkdirat)                                                                        \
    CALL (UNLINKAT, unlinkat)                                                                      \
    CALL (RENAMEAT2, renameat2)                                                                    \
    CALL (LINKAT, linkat)                                                                          \
    CALL (SYMLINKAT, symlinkat)                                                                    \
    CALL (READLINKAT, readlinkat)                                                                  \
    CALL (MKNODAT, mknodat)                                                                        \
    CALL (FACCESSAT, faccessat)                                                                    \
    CALL (GETDENTS64, getdents64)                                                                  \
    CALL (FSYNC, fsync)                                                                            \
    CALL (FDATASYNC, fdatasync)                                                                    \
    CALL (FALLOCATE, fallocate)                                                                    \
    CALL (FTRUNCATE, ftruncate)                                                                    \
    CALL (UTIMENSAT, utimensat)                                                                    \
    CALL (FUTIMENS, futimens)                                                                      \
    CALL (FCHMODAT, fchmodat)                                                                      \
    CALL (FCHMOD, fchmod)                                                                          \
    CALL (FCHOWNAT, fchownat)                                                                      \
    CALL (FCHOWN, fchown)                                                                          \
    CALL (LISTXATTR, listxattr)                                                                    \
    CALL (GETXATTR, getxattr)                                                                      \
    CALL (SETXATTR, setxattr)                                                                      \
    CALL (FLISTXATTR, flistxattr)                                                                  \
    CALL (FGETXATTR, fgetxattr)                                                                    \
    CALL (FSETXATTR, fsetxattr)                                                                    \
    CALL (COPY_FILE_RANGE, copy_file_range)                                                        \
    CALL (SENDFILE, sendfile)                                                                      \
    CALL (SPLICE, splice)                                                                          \
    CALL (FICLONE, ficlone)                                                                        \
    CALL (LSEEK, lseek)                                                                            \
    CALL (FADVISE, fadvise)                                                                        \
    CALL (STATFS, statfs)                                                                          \
    CALL (FSTATFS, fstatfs)                                                                        \
    CALL (FLOCK, flock)                                                                            \
    CALL (OFD_LOCK, ofd_lock)                                                                      \
    CALL (DUP, dup)                                                                                \
    CALL (GETFL, getfl)                                                                            \
    CALL (PIPE2, pipe2)                                                                            \
    CALL (SET_PIPE_SIZE, set_pipe_size)                                                            \
    CALL (MMAP, mmap)                                                                              \
    CALL (MUNMAP, munmap)                                                                          \
    CALL (MPROTECT, mprotect)                                                                      \
    CALL (MADVISE, madvise)                                                                        \
    CALL (MREMAP, mremap)                                                                          \
    CALL (SOCKET, socket)                                                                          \
    CALL (SOCKETPAIR, socketpair)                                                                  \
    CALL (FCNTL, fcntl)                                                                            \
    CALL (BIND, bind)                                                                              \
    CALL (LISTEN, listen)                                                                          \
    CALL (ACCEPT4, accept4)                                                                        \
    CALL (CONNECT, connect)                                                                        \
    CALL (SHUTDOWN, shutdown)                                                                      \
    CALL (RECV, recv)                                                                              \
    CALL (SEND, send)                                                                              \
    CALL (RECVMSG, recvmsg)                                                                        \
    CALL (SENDMSG, sendmsg)                                                                        \
    CALL (GETSOCKNAME, getsockname)                                                                \
    CALL (GETPEERNAME, getpeername)                                                                \
    CALL (GETSOCKOPT, getsockopt)                                                                  \
    CALL (SETSOCKOPT, setsockopt)                                                                  \
    CALL (FIONREAD, fionread)                                                                      \
    CALL (EPOLL_CREATE1, epoll_create1)                                                            \
    CALL (EPOLL_CTL, epoll_ctl)                                                                    \
    CALL (EPOLL_PWAIT2, epoll_pwait2)                                                              \
    CALL (EPOLL_WAIT, epoll_wait)                                                                  \
    CALL (PPOLL, ppoll)                                                                            \
    CALL (EVENTFD, eventfd)                                                                        \
    CALL (EVENTFD_WRITE, eventfd_write)                                                            \
    CALL (EVENTFD_READ, eventfd_read)                                                              \
    CALL (TIMERFD_CREATE, timerfd_create)                                                          \
    CALL (TIMERFD_SETTIME, timerfd_settime)                                                        \
    CALL (CLONE, clone)                                                                            \
    CALL (PIDFD_OPEN, pidfd_open)                                                                  \
    CALL (PIDFD_SEND_SIGNAL, pidfd_send_signal)                                                    \
    CALL (WAITID, waitid)                                                                          \
    CALL (CLOCK_GETTIME, clock_gettime)                                                            \
    CALL (GETRANDOM, getrandom)                                                                    \
    CALL (SCHED_GETAFFINITY, sched_getaffinity)                                                    \
    CALL (GETADDRINFO, getaddrinfo)                                                                \
    CALL (GETNAMEINFO, getnameinfo)                                                                \
    CALL (UNAME, uname)                                                                            \
    CALL (GETRLIMIT, getrlimit)                                                                    \
    CALL (SETRLIMIT, setrlimit)                                                                    \
    CALL (SIGACTION, sigaction)                                                                    \
    CALL (SIGALTSTACK, sigaltstack)                                                                \
    CALL (SIGMASK, sigmask)                                                                        \
    CALL (IF_NAMETOINDEX, if_nametoindex)                                                          \
    CALL (KILL, kill)                                                                              \
    CALL (TGKILL, tgkill)                                                                          \
    CALL (THREAD_START, thread_start)                                                              \
    CALL (MEMBARRIER, membarrier)                                                                  \
    CALL (URING_OPEN, io_uring_setup)                                                              \
    CALL (URING_ENTER, io_uring_enter)                                                             \
    CALL (URING_EVENTFD, io_uring_register_eventfd)                                                \
    CALL (URING_PROBE, io_uring_register_probe)

typedef enum EddySysCall {
#define EDDY_SYS_CALL_CONSTANT(constant, name) EDDY_SYS_##constant,
    EDDY_SYS_CALLS (EDDY_SYS_CALL_CONSTANT)
#undef EDDY_SYS_CALL_CONSTANT
        EDDY_SYS_N_CALLS
} EddySysCall;

/* Asked before each call: 0 lets it through; a negative errno is what the call reports, unmade; but
 * two are made all the same, for Linux does them whatever it says: a close, and the unlock of a
 * whole file. */
typedef int (*EddySysFault) (EddySysCall call, void *data);

/*
 * Asked by calls that may answer short (read, write, pread, pwrite, preadv2, pwritev2,
 * copy_file_range, sendfile, splice) after the fault hook let them through: returns how many of
 * the `len` bytes to ask the kernel for, from 1 to `len`; other answers mean `len`.
 */
typedef size_t (*EddySysShort) (EddySysCall call, size_t len, void *data);

/* NULL takes a hook away. */
void eddy__sys_set_fault (EddySysFault fault, void *data);
void eddy__sys_set_short (EddySysShort limit, void *data);

/* "openat", …; never NULL ("?" for a number that is no call). */
const char *eddy__sys_call_name (EddySysCall call);

/* --- for the wrappers of sys/ only ------------------------------------------------------------ */

/* True while one of the two hooks is set. */
extern atomic_bool eddy__sys_hooked;

int eddy__sys_fault_ask (EddySysCall call);
size_t eddy__sys_short_ask (EddySysCall call, size_t len);

static inline int eddy__sys_door (EddySysCall call)
{
    if (__builtin_expect (!atomic_load_explicit (&eddy__sys_hooked, memory_order_relaxed), 1))
        return 0;
    return eddy__sys_fault_ask (call);
}

static inline size_t eddy__sys_limit (EddySysCall call, size_t len)
{
    if (__builtin_expect (!atomic_load_explicit (&eddy__sys_hooked, memory_order_relaxed), 1))
        return len;
    return eddy__sys_short_ask (call, len);
}
