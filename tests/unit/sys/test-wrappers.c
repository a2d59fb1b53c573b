/* SPDX-License-Identifier: MIT */
/*
 * What holds for every wrapper alike, by a table that has each call once: it passes the fault door,
 * reports what the door says, makes no call then, and repeats an interruption or reports it.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "faults.h"
#include "sys/clock-private.h"
#include "sys/file-private.h"
#include "sys/interface-private.h"
#include "sys/lock-private.h"
#include "sys/memory-private.h"
#include "sys/poll-private.h"
#include "sys/process-private.h"
#include "sys/random-private.h"
#include "sys/resolve-private.h"
#include "sys/signal-private.h"
#include "sys/socket-private.h"
#include "sys/spawn-private.h"
#include "sys/thread-private.h"
#include "sys/uring-private.h"
#include "test.h"

/* Where the wrappers write; none of the calls below succeeds in anything but looking. */
static int fds[2];
static char buf[64];
static void *address;
static int64_t offset;
static struct statx statx_answer;
static struct statfs statfs_answer;
static struct open_how how;
static struct epoll_event event;
static struct rlimit limit;
static struct msghdr message;
static siginfo_t info;
static struct io_uring ring;
static struct io_uring_params params;
static EddySysUringProbe probe;

static void *thread_nothing (void *data)
{
    return data;
}

static int thread_run (void)
{
    pthread_t thread;
    int answer = eddy__sys_thread_start (&thread, thread_nothing, NULL);
    return answer < 0 ? answer : -pthread_join (thread, NULL);
}

/* A program that is not there. */
static int spawn_nothing (void)
{
    const char *programs[] = { "/nowhere/at/all", NULL };
    char *none[] = { NULL };
    EddySysSpawn spawn = { .programs = programs, .argv = none, .environment = none };
    return eddy__sys_spawn (&spawn);
}

/* What is looked up is no address; an errno as the others report it, else a code of netdb's. */
static int resolve_address (void)
{
    struct addrinfo hints = { .ai_flags = AI_NUMERICHOST }, *answer;
    int error_number;
    int code = eddy__sys_getaddrinfo ("no", &hints, &answer, &error_number);
    return code == EAI_SYSTEM ? -error_number : code;
}

static int resolve_name (void)
{
    int error_number;
    int code = eddy__sys_getnameinfo (NULL, 0, buf, sizeof buf, &error_number);
    return code == EAI_SYSTEM ? -error_number : code;
}

/* CALL (constant, is an interruption repeated?, a harmless use of the wrapper) */
#define WRAPPERS(CALL)                                                                             \
    CALL (OPENAT, true, eddy__sys_openat (-1, "no", O_RDONLY, 0))                                  \
    CALL (OPENAT2, true, eddy__sys_openat2 (-1, "no", &how))                                       \
    CALL (CLOSE, false, eddy__sys_close (-1))                                                      \
    CALL (READ, false, eddy__sys_read (-1, buf, 1))                                                \
    CALL (WRITE, false, eddy__sys_write (-1, buf, 1))                                              \
    CALL (PREAD, true, eddy__sys_pread (-1, buf, 1, 0))                                            \
    CALL (PWRITE, true, eddy__sys_pwrite (-1, buf, 1, 0))                                          \
    CALL (PREADV2, false, eddy__sys_preadv2 (-1, NULL, 0, -1, 0))                                  \
    CALL (PWRITEV2, false, eddy__sys_pwritev2 (-1, NULL, 0, -1, 0))                                \
    CALL (STATX, true, eddy__sys_fstatx (-1, STATX_BASIC_STATS, &statx_answer))                    \
    CALL (MKDIRAT, true, eddy__sys_mkdirat (-1, "no", 0700))                                       \
    CALL (UNLINKAT, true, eddy__sys_unlinkat (-1, "no", 0))                                        \
    CALL (RENAMEAT2, true, eddy__sys_renameat2 (-1, "no", -1, "no", 0))                            \
    CALL (LINKAT, true, eddy__sys_linkat (-1, "no", -1, "no", 0))                                  \
    CALL (SYMLINKAT, true, eddy__sys_symlinkat ("no", -1, "no"))                                   \
    CALL (READLINKAT, true, eddy__sys_readlinkat (-1, "no", buf, sizeof buf))                      \
    CALL (MKNODAT, true, eddy__sys_mknodat (-1, "no", S_IFIFO, 0))                                 \
    CALL (FACCESSAT, true, eddy__sys_faccessat (-1, "no", R_OK, 0))                                \
    CALL (GETDENTS64, true, eddy__sys_getdents64 (-1, buf, sizeof buf))                            \
    CALL (FSYNC, true, eddy__sys_fsync (-1))                                                       \
    CALL (FDATASYNC, true, eddy__sys_fdatasync (-1))                                               \
    CALL (FALLOCATE, true, eddy__sys_fallocate (-1, 0, 0, 1))                                      \
    CALL (FTRUNCATE, true, eddy__sys_ftruncate (-1, 0))                                            \
    CALL (UTIMENSAT, true, eddy__sys_utimensat (-1, "no", NULL, 0))                                \
    CALL (FUTIMENS, true, eddy__sys_futimens (-1, NULL))                                           \
    CALL (FCHMODAT, true, eddy__sys_fchmodat (-1, "no", 0, 0))                                     \
    CALL (FCHMOD, true, eddy__sys_fchmod (-1, 0))                                                  \
    CALL (FCHOWNAT, true, eddy__sys_fchownat (-1, "no", 0, 0, 0))                                  \
    CALL (FCHOWN, true, eddy__sys_fchown (-1, 0, 0))                                               \
    CALL (LISTXATTR, true, eddy__sys_listxattr ("", true, buf, sizeof buf))                        \
    CALL (GETXATTR, true, eddy__sys_getxattr ("", true, "user.no", buf, sizeof buf))               \
    CALL (SETXATTR, true, eddy__sys_setxattr ("", true, "user.no", buf, 1, 0))                     \
    CALL (FLISTXATTR, true, eddy__sys_flistxattr (-1, buf, sizeof buf))                            \
    CALL (FGETXATTR, true, eddy__sys_fgetxattr (-1, "user.no", buf, sizeof buf))                   \
    CALL (FSETXATTR, true, eddy__sys_fsetxattr (-1, "user.no", buf, 1, 0))                         \
    CALL (COPY_FILE_RANGE, true, eddy__sys_copy_file_range (-1, &offset, -1, &offset, 1, 0))       \
    CALL (SENDFILE, false, eddy__sys_sendfile (-1, -1, &offset, 1))                                \
    CALL (SPLICE, false, eddy__sys_splice (-1, NULL, -1, NULL, 1, 0))                              \
    CALL (FICLONE, true, eddy__sys_ficlone (-1, -1))                                               \
    CALL (LSEEK, false, eddy__sys_lseek (-1, 0, SEEK_SET))                                         \
    CALL (FADVISE, false, eddy__sys_fadvise (-1, 0, 0, POSIX_FADV_NORMAL))                         \
    CALL (STATFS, true, eddy__sys_statfs ("", &statfs_answer))                                     \
    CALL (FSTATFS, true, eddy__sys_fstatfs (-1, &statfs_answer))                                   \
    CALL (FLOCK, false, eddy__sys_flock (-1, 1))                                                   \
    CALL (OFD_LOCK, true, eddy__sys_ofd_lock (-1, F_UNLCK))                                        \
    CALL (DUP, false, eddy__sys_dup (-1))                                                          \
    CALL (GETFL, false, eddy__sys_getfl (-1))                                                      \
    CALL (PIPE2, false, eddy__sys_pipe2 (fds, -1))                                                 \
    CALL (SET_PIPE_SIZE, false, eddy__sys_set_pipe_size (-1, 4096))                                \
    CALL (MMAP, false, eddy__sys_mmap (&address, 0, 0, 0))                                         \
    CALL (MUNMAP, false, eddy__sys_munmap (NULL, 0))                                               \
    CALL (MPROTECT, false, eddy__sys_mprotect ((void *) 1, 1, 0))                                  \
    CALL (MADVISE, true, eddy__sys_madvise ((void *) 1, 1, 0))                                     \
    CALL (MREMAP, false, eddy__sys_mremap (&address, 0, 0, 0))                                     \
    CALL (SOCKET, false, eddy__sys_socket (-1, 0, 0))                                              \
    CALL (SOCKETPAIR, false, eddy__sys_socketpair (-1, 0, fds))                                    \
    CALL (FCNTL, false, eddy__sys_socket_adopt (-1))                                               \
    CALL (BIND, false, eddy__sys_bind (-1, NULL, 0))                                               \
    CALL (LISTEN, false, eddy__sys_listen (-1, 0))                                                 \
    CALL (ACCEPT4, true, eddy__sys_accept (-1))                                                    \
    CALL (CONNECT, false, eddy__sys_connect (-1, NULL, 0))                                         \
    CALL (SHUTDOWN, false, eddy__sys_shutdown (-1, 0))                                             \
    CALL (RECV, true, eddy__sys_recv (-1, buf, 1, 0))                                              \
    CALL (SEND, true, eddy__sys_send (-1, buf, 1, 0))                                              \
    CALL (RECVMSG, true, eddy__sys_recvmsg (-1, &message, 0))                                      \
    CALL (SENDMSG, true, eddy__sys_sendmsg (-1, &message, 0))                                      \
    CALL (GETSOCKNAME, false, eddy__sys_getsockname (-1, NULL, NULL))                              \
    CALL (GETPEERNAME, false, eddy__sys_getpeername (-1, NULL, NULL))                              \
    CALL (GETSOCKOPT, false, eddy__sys_getsockopt (-1, 0, 0, NULL, NULL))                          \
    CALL (SETSOCKOPT, false, eddy__sys_setsockopt (-1, 0, 0, NULL, 0))                             \
    CALL (FIONREAD, false, eddy__sys_readable_bytes (-1))                                          \
    CALL (GETADDRINFO, false, resolve_address ())                                                  \
    CALL (GETNAMEINFO, false, resolve_name ())                                                     \
    CALL (IF_NAMETOINDEX, false, eddy__sys_interface_index (""))                                   \
    CALL (EPOLL_CREATE1, false, eddy__sys_epoll_create1 ())                                        \
    CALL (EPOLL_CTL, false, eddy__sys_epoll_ctl (-1, EPOLL_CTL_ADD, -1, &event))                   \
    CALL (EPOLL_PWAIT2, false, eddy__sys_epoll_wait (-1, &event, 1, 0))                            \
    CALL (EPOLL_WAIT, false, eddy__sys_epoll_wait (-1, &event, 1, 0))                              \
    CALL (PPOLL, false, eddy__sys_ppoll (NULL, 0, 0))                                              \
    CALL (EVENTFD, false, eddy__sys_eventfd ())                                                    \
    CALL (EVENTFD_WRITE, true, eddy__sys_eventfd_write (-1))                                       \
    CALL (EVENTFD_READ, true, eddy__sys_eventfd_read (-1, NULL))                                   \
    CALL (TIMERFD_CREATE, false, eddy__sys_timerfd_create ())                                      \
    CALL (TIMERFD_SETTIME, false, eddy__sys_timerfd_settime (-1, -1))                              \
    CALL (CLONE, false, spawn_nothing ())                                                          \
    CALL (PIDFD_OPEN, false, eddy__sys_pidfd_open (-1))                                            \
    CALL (PIDFD_SEND_SIGNAL, false, eddy__sys_pidfd_send_signal (-1, 0))                           \
    CALL (WAITID, false, eddy__sys_waitid_pidfd (-1, &info, WEXITED))                              \
    CALL (CLOCK_GETTIME, false, eddy__sys_clock_ns (CLOCK_MONOTONIC))                              \
    CALL (GETRANDOM, true, eddy__sys_random (buf, 1))                                              \
    CALL (SCHED_GETAFFINITY, false, eddy__sys_cpu_count ())                                        \
    CALL (UNAME, false, eddy__sys_kernel_release (buf, sizeof buf))                                \
    CALL (GETRLIMIT, false, eddy__sys_getrlimit (RLIMIT_NOFILE, &limit))                           \
    CALL (SETRLIMIT, false, eddy__sys_setrlimit (-1, &limit))                                      \
    CALL (SIGACTION, false, eddy__sys_sigaction (-1, NULL, NULL))                                  \
    CALL (SIGALTSTACK, false, eddy__sys_sigaltstack (NULL, NULL))                                  \
    CALL (SIGMASK, false, eddy__sys_sigmask (SIG_BLOCK, NULL, NULL))                               \
    CALL (KILL, false, eddy__sys_kill (getpid (), 0))                                              \
    CALL (TGKILL, false, eddy__sys_tgkill (-1, 0))                                                 \
    CALL (THREAD_START, false, thread_run ())                                                      \
    CALL (MEMBARRIER, false, eddy__sys_fence ())                                                   \
    CALL (URING_OPEN, false, eddy__sys_uring_open (&ring, 0, &params))                             \
    CALL (URING_ENTER, false, eddy__sys_uring_enter (&ring, 0, 0))                                 \
    CALL (URING_EVENTFD, false, eddy__sys_uring_register_eventfd (&ring, -1))                      \
    CALL (URING_PROBE, false, eddy__sys_uring_probe (&ring, &probe))

#define WRAPPER_FUNCTION(constant, repeats, use)                                                   \
    static long use_##constant (void)                                                              \
    {                                                                                              \
        return (long) (use);                                                                       \
    }
WRAPPERS (WRAPPER_FUNCTION)

static const struct {
    long (*use) (void);
    bool repeats;
} wrappers[EDDY_SYS_N_CALLS] = {
#define WRAPPER_ENTRY(constant, repeats, use) [EDDY_SYS_##constant] = { use_##constant, repeats },
    WRAPPERS (WRAPPER_ENTRY)
};

/* epoll_wait is reached only where epoll_pwait2 is missing. */
static void wrapper_prepare (EddySysCall call)
{
    if (call == EDDY_SYS_EPOLL_WAIT)
        eddy_test_fail_call (EDDY_SYS_EPOLL_PWAIT2, 1, ENOSYS, /* from_then_on= */ true);
}

/* The one wrapper that has an answer for a failure. */
static long wrapper_failure (EddySysCall call, int error)
{
    return call == EDDY_SYS_SCHED_GETAFFINITY ? 1 : -error;
}

EDDY_TEST (wrappers_are_all_in_the_table)
{
    for (unsigned i = 0; i < EDDY_SYS_N_CALLS; i++)
        ck_assert_msg (wrappers[i].use != NULL, "%s has no test", eddy__sys_call_name (i));
}

EDDY_TEST (wrappers_report_what_the_door_says)
{
    for (EddySysCall call = 0; call < EDDY_SYS_N_CALLS; call++) {
        long result;

        wrapper_prepare (call);
        /* An errno that no kernel gives for any of these. */
        eddy_test_fail_call (call, 1, ENOTRECOVERABLE, /* from_then_on= */ false);
        result = wrappers[call].use ();
        ck_assert_msg (result == wrapper_failure (call, ENOTRECOVERABLE), "%s returned %ld",
                       eddy__sys_call_name (call), result);
        ck_assert_uint_eq (eddy_test_fault_hits (call), 1);
        ck_assert_uint_eq (eddy_test_call_count (call), 1);
        eddy_test_no_faults ();
    }
}

EDDY_TEST (wrappers_fail_from_then_on)
{
    for (EddySysCall call = 0; call < EDDY_SYS_N_CALLS; call++) {
        wrapper_prepare (call);
        eddy_test_fail_call (call, 1, ENOTRECOVERABLE, /* from_then_on= */ true);
        for (unsigned i = 1; i <= 3; i++) {
            ck_assert_int_eq (wrappers[call].use (), wrapper_failure (call, ENOTRECOVERABLE));
            ck_assert_uint_eq (eddy_test_fault_hits (call), i);
        }
        eddy_test_no_faults ();
    }
}

EDDY_TEST (wrappers_repeat_an_interruption_or_report_it)
{
    for (EddySysCall call = 0; call < EDDY_SYS_N_CALLS; call++) {
        long result;

        if (!wrappers[call].repeats) {
            wrapper_prepare (call);
            eddy_test_fail_call (call, 1, EINTR, /* from_then_on= */ false);
            result = wrappers[call].use ();
            ck_assert_msg (result == wrapper_failure (call, EINTR), "%s returned %ld",
                           eddy__sys_call_name (call), result);
            ck_assert_uint_eq (eddy_test_call_count (call), 1);
            eddy_test_no_faults ();
            continue;
        }
        eddy_test_fail_call (call, 1, EINTR, /* from_then_on= */ false);
        result = wrappers[call].use ();
        ck_assert_msg (result != -EINTR, "%s returned -EINTR", eddy__sys_call_name (call));
        ck_assert_uint_eq (eddy_test_fault_hits (call), 1);
        ck_assert_uint_eq (eddy_test_call_count (call), 2);
        eddy_test_no_faults ();
    }
}

/* What the kernel says to bad arguments. */
static const struct {
    EddySysCall call;
    long result;
} answers[] = {
    { EDDY_SYS_OPENAT, -EBADF },
    { EDDY_SYS_OPENAT2, -EBADF },
    { EDDY_SYS_CLOSE, -EBADF },
    { EDDY_SYS_READ, -EBADF },
    { EDDY_SYS_WRITE, -EBADF },
    { EDDY_SYS_PREAD, -EBADF },
    { EDDY_SYS_PWRITE, -EBADF },
    { EDDY_SYS_PREADV2, -EBADF },
    { EDDY_SYS_PWRITEV2, -EBADF },
    { EDDY_SYS_STATX, -EBADF },
    { EDDY_SYS_MKDIRAT, -EBADF },
    { EDDY_SYS_UNLINKAT, -EBADF },
    { EDDY_SYS_RENAMEAT2, -EBADF },
    { EDDY_SYS_LINKAT, -EBADF },
    { EDDY_SYS_SYMLINKAT, -EBADF },
    { EDDY_SYS_READLINKAT, -EBADF },
    { EDDY_SYS_MKNODAT, -EBADF },
    { EDDY_SYS_FACCESSAT, -EBADF },
    { EDDY_SYS_GETDENTS64, -EBADF },
    { EDDY_SYS_FSYNC, -EBADF },
    { EDDY_SYS_FDATASYNC, -EBADF },
    { EDDY_SYS_FALLOCATE, -EBADF },
    { EDDY_SYS_FTRUNCATE, -EBADF },
    { EDDY_SYS_UTIMENSAT, -EBADF },
    { EDDY_SYS_FUTIMENS, -EBADF },
    { EDDY_SYS_FCHMODAT, -EBADF },
    { EDDY_SYS_FCHMOD, -EBADF },
    { EDDY_SYS_FCHOWNAT, -EBADF },
    { EDDY_SYS_FCHOWN, -EBADF },
    { EDDY_SYS_LISTXATTR, -ENOENT },
    { EDDY_SYS_GETXATTR, -ENOENT },
    { EDDY_SYS_SETXATTR, -ENOENT },
    { EDDY_SYS_FLISTXATTR, -EBADF },
    { EDDY_SYS_FGETXATTR, -EBADF },
    { EDDY_SYS_FSETXATTR, -EBADF },
    { EDDY_SYS_COPY_FILE_RANGE, -EBADF },
    { EDDY_SYS_SPLICE, -EBADF },
    { EDDY_SYS_SET_PIPE_SIZE, -EBADF },
    { EDDY_SYS_SENDFILE, -EBADF },
    { EDDY_SYS_FICLONE, -EBADF },
    { EDDY_SYS_LSEEK, -EBADF },
    { EDDY_SYS_FADVISE, -EBADF },
    { EDDY_SYS_STATFS, -ENOENT },
    { EDDY_SYS_FSTATFS, -EBADF },
    { EDDY_SYS_FLOCK, -EBADF },
    { EDDY_SYS_DUP, -EBADF },
    { EDDY_SYS_OFD_LOCK, -EBADF },
    { EDDY_SYS_GETFL, -EBADF },
    { EDDY_SYS_PIPE2, -EINVAL },
    { EDDY_SYS_MMAP, -EINVAL },
    { EDDY_SYS_MUNMAP, -EINVAL },
    { EDDY_SYS_MPROTECT, -EINVAL },
    { EDDY_SYS_MADVISE, -EINVAL },
    { EDDY_SYS_MREMAP, -EINVAL },
    { EDDY_SYS_EPOLL_CTL, -EBADF },
    { EDDY_SYS_EPOLL_PWAIT2, -EBADF },
    { EDDY_SYS_EVENTFD_WRITE, -EBADF },
    { EDDY_SYS_EVENTFD_READ, -EBADF },
    { EDDY_SYS_TIMERFD_SETTIME, -EBADF },
    { EDDY_SYS_PIDFD_OPEN, -EINVAL },
    { EDDY_SYS_PIDFD_SEND_SIGNAL, -EBADF },
    { EDDY_SYS_SETRLIMIT, -EINVAL },
    { EDDY_SYS_SIGACTION, -EINVAL },
    { EDDY_SYS_TGKILL, -EINVAL },
    { EDDY_SYS_URING_OPEN, -EINVAL },
};

/* It comes through as -errno, and -1 never does. */
EDDY_TEST (wrappers_report_what_the_kernel_says)
{
    for (unsigned i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        long result = wrappers[answers[i].call].use ();

        /* valgrind knows fewer calls than the kernel below it. */
        if (result == -ENOSYS && eddy_test_sanitized ())
            continue;
        ck_assert_msg (result == answers[i].result, "%s returned %ld, not %ld",
                       eddy__sys_call_name (answers[i].call), result, answers[i].result);
    }
}
