/* SPDX-License-Identifier: MIT */
/*
 * Starting a program. clone(2) as vfork(2) does it, on a stack of the child's own: CLONE_VM, so
 * that nothing is copied and the child can write down why it failed, CLONE_VFORK, so that we go on
 * when it is done with our memory.
 *
 * What runs in the child is in memory that other threads of ours work on: it makes system calls
 * and nothing else, directly, past whatever a sanitizer or another library puts before the C
 * library's functions. All our signals are blocked around it, and it gives up our handlers before
 * it lets signals in, so that no handler of ours runs in the child.
 */
#include "sys/spawn-private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/call-private.h"
#include "sys/memory-private.h"
#include "sys/process-private.h"
#include "sys/signal-private.h"

enum {
    SPAWN_STACK_SIZE = 64 * 1024,
    SPAWN_FAILED = 127, /* exit status of a child whose program could not be run */
    SPAWN_SIGSET_SIZE = 8,
};

/* clang leaves calls in what is merely not sanitized. */
#if defined __has_attribute && __has_attribute(disable_sanitizer_instrumentation)
#define SPAWN_CHILD __attribute__ ((disable_sanitizer_instrumentation))
#else
#define SPAWN_CHILD __attribute__ ((no_sanitize ("address", "thread", "undefined")))
#endif

/* ThreadSanitizer takes what the C library calls clone for a fork, with a memory of its own. */
#ifdef __GLIBC__
extern int __clone (int (*function) (void *data), void *stack, int flags, void *data, ...);
#define SPAWN_CLONE __clone
#else
#define SPAWN_CLONE clone
#endif

typedef struct SpawnChild {
    EddySysSpawn *spawn;
    int failure; /* errno; 0: it runs the program */
} SpawnChild;

/* --- in the child ----------------------------------------------------------------------------- */

/* A handler of ours must not run here; what is ignored stays so, as exec(3) keeps it. */
SPAWN_CHILD static void spawn_drop_handlers (void)
{
    for (int number = 1; number < NSIG; number++) {
        struct {
            void *handler; /* as the kernel has it, on every processor that we know */
            unsigned long flags;
            void *restorer;
            unsigned long mask;
        } action = { NULL, 0, NULL, 0 };
        if (number == SIGKILL || number == SIGSTOP)
            continue;
        if (syscall (SYS_rt_sigaction, number, NULL, &action, SPAWN_SIGSET_SIZE) != 0 ||
            action.handler == (void *) SIG_DFL || action.handler == (void *) SIG_IGN)
            continue;
        action.handler = (void *) SIG_DFL;
        action.flags = 0;
        (void) syscall (SYS_rt_sigaction, number, &action, NULL, SPAWN_SIGSET_SIZE);
    }
}

SPAWN_CHILD static int spawn_last_target (const EddySysSpawn *spawn)
{
    int last = STDERR_FILENO;
    for (size_t i = 0; i < spawn->n_fds; i++)
        last = spawn->fds[i].target > last ? spawn->fds[i].target : last;
    return last;
}

/* All but stdin, stdout and stderr, which the child has as we do, go when the program runs. */
SPAWN_CHILD static long spawn_close_all (void)
{
    if (syscall (SYS_close_range, STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
        return 0;
    /* Linux before 5.11: one by one. */
    struct {
        unsigned long soft, hard;
    } limit = { 0, 0 };
    if (syscall (SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &limit) != 0)
        return -1;
    for (unsigned long fd = STDERR_FILENO + 1; fd < limit.hard && fd < INT_MAX; fd++)
        (void) syscall (SYS_fcntl, fd, F_SETFD, FD_CLOEXEC);
    return 0;
}

/* Sources move out of the way of the targets first, so that none overwrites another. What is
 * placed is open for the program, whatever was said of all fds before. */
SPAWN_CHILD static long spawn_place_fds (EddySysSpawn *spawn)
{
    int last = spawn_last_target (spawn);
    for (size_t i = 0; i < spawn->n_fds; i++) {
        if (spawn->fds[i].source > last)
            continue;
        long moved = syscall (SYS_fcntl, spawn->fds[i].source, F_DUPFD_CLOEXEC, last + 1);
        if (moved < 0)
            return -1;
        spawn->fds[i].source = (int) moved;
    }
    if (!spawn->inherits_fds && spawn_close_all () != 0)
        return -1;
    for (size_t i = 0; i < spawn->n_fds; i++)
        if (syscall (SYS_dup3, spawn->fds[i].source, spawn->fds[i].target, 0) < 0)
            return -1;
    return 0;
}

/* The first of the programs that is there; what is in the way of one does not hide the next, but is
 * what is told where there is none. */
SPAWN_CHILD static void spawn_run_program (const EddySysSpawn *spawn)
{
    int refused = 0;
    for (const char *const *program = spawn->programs; *program != NULL; program++) {
        (void) syscall (SYS_execve, *program, spawn->argv, spawn->environment);
        if (errno == EACCES)
            refused = EACCES;
        else if (errno != ENOENT && errno != ENOTDIR)
            return;
    }
    errno = refused != 0 ? refused : ENOENT;
}

/* Returns only after a failure, with its errno set. */
SPAWN_CHILD static void spawn_go (EddySysSpawn *spawn)
{
    unsigned long no_signals = 0;
    spawn_drop_handlers ();
    spawn->step = EDDY_SYS_SPAWN_GROUP;
    if (spawn->process_group && syscall (SYS_setpgid, 0, 0) != 0)
        return;
    spawn->step = EDDY_SYS_SPAWN_FD;
    if (spawn_place_fds (spawn) != 0)
        return;
    spawn->step = EDDY_SYS_SPAWN_FOLDER;
    if (spawn->folder != NULL && syscall (SYS_chdir, spawn->folder) != 0)
        return;
    spawn->step = EDDY_SYS_SPAWN_PROGRAM;
    (void) syscall (SYS_rt_sigprocmask, SIG_SETMASK, &no_signals, NULL, SPAWN_SIGSET_SIZE);
    spawn_run_program (spawn);
}

SPAWN_CHILD static int spawn_child (void *data)
{
    SpawnChild *self = data;
    spawn_go (self->spawn);
    self->failure = errno;
    syscall (SYS_exit_group, SPAWN_FAILED);
    __builtin_unreachable ();
}

/* --- in the parent ---------------------------------------------------------------------------- */

/* A child that did not come to run its program. */
static void spawn_bury (const EddySysSpawn *spawn)
{
    siginfo_t info;
    while (eddy__sys_waitid_pidfd (spawn->pidfd, &info, WEXITED) == -EINTR) {
    }
    close (spawn->pidfd);
}

/* A stack that was used before, or a new one. One is kept, with the pages that were touched. */
static void *spawn_spare_stack;

static int spawn_take_stack (void **stack)
{
    *stack = __atomic_exchange_n (&spawn_spare_stack, NULL, __ATOMIC_ACQUIRE);
    return *stack != NULL
               ? 0
               : eddy__sys_mmap (stack, SPAWN_STACK_SIZE, PROT_READ | PROT_WRITE, MAP_STACK);
}

static void spawn_give_stack (void *stack)
{
    void *former = __atomic_exchange_n (&spawn_spare_stack, stack, __ATOMIC_RELEASE);
    if (former != NULL)
        eddy__sys_munmap (former, SPAWN_STACK_SIZE);
}

static int spawn_clone (SpawnChild *child)
{
    EddySysSpawn *spawn = child->spawn;
    sigset_t all, former;
    void *stack;
    int result = spawn_take_stack (&stack);
    if (result < 0)
        return result;
    sigfillset (&all);
    pthread_sigmask (SIG_SETMASK, &all, &former);
    long pid =
        EDDY_SYS_CALL (EDDY_SYS_CLONE, SPAWN_CLONE (spawn_child, (char *) stack + SPAWN_STACK_SIZE,
                                                    CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD,
                                                    child, &spawn->pidfd));
    pthread_sigmask (SIG_SETMASK, &former, NULL);
    spawn_give_stack (stack);
    spawn->pid = (pid_t) pid;
    return pid < 0 ? (int) pid : 0;
}

int eddy__sys_spawn (EddySysSpawn *spawn)
{
    SpawnChild child = { spawn, 0 };
    spawn->step = EDDY_SYS_SPAWN_FORK;
    spawn->pidfd = -1;
    int result = spawn_clone (&child);
    if (result < 0 || child.failure == 0)
        return result;
    spawn_bury (spawn);
    spawn->pidfd = -1;
    return -child.failure;
}
