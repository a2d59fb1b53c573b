/* SPDX-License-Identifier: MIT */
/*
 * Signals.
 */
#include "sys/signal-private.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/call-private.h"

int eddy__sys_sigaction (int number, const struct sigaction *action, struct sigaction *former)
{
    return (int) EDDY_SYS_CALL (EDDY_SYS_SIGACTION, sigaction (number, action, former));
}

int eddy__sys_sigaltstack (const stack_t *stack, stack_t *former)
{
    return (int) EDDY_SYS_CALL (EDDY_SYS_SIGALTSTACK, sigaltstack (stack, former));
}

int eddy__sys_sigmask (int how, const sigset_t *set, sigset_t *former)
{
    int result = eddy__sys_door (EDDY_SYS_SIGMASK);

    return result < 0 ? result : -pthread_sigmask (how, set, former);
}

void eddy__sys_pipe_guard_begin (EddySysPipeGuard *guard)
{
    sigset_t pipe_set, pending;

    sigemptyset (&pipe_set);
    sigaddset (&pipe_set, SIGPIPE);
    eddy__sys_sigmask (SIG_BLOCK, &pipe_set, &guard->former);
    guard->was_pending = false;
    /* One that was not blocked was not pending either: it would have been delivered. */
    if (sigismember (&guard->former, SIGPIPE) && sigpending (&pending) == 0)
        guard->was_pending = sigismember (&pending, SIGPIPE);
}

void eddy__sys_pipe_guard_end (const EddySysPipeGuard *guard, int64_t answer)
{
    sigset_t pipe_set;

    if (answer == -EPIPE && !guard->was_pending) {
        sigemptyset (&pipe_set);
        sigaddset (&pipe_set, SIGPIPE);
        /* Not by the fault door: it cannot fail, and a test that had it fail would end here. */
        const struct timespec none = { 0 };
        while (sigtimedwait (&pipe_set, NULL, &none) < 0 && errno == EINTR)
            ;
    }
    eddy__sys_sigmask (SIG_SETMASK, &guard->former, NULL);
}

int eddy__sys_kill (pid_t pid, int number)
{
    return (int) EDDY_SYS_CALL (EDDY_SYS_KILL, kill (pid, number));
}

int eddy__sys_tgkill (pid_t tid, int number)
{
    return (int) EDDY_SYS_CALL (EDDY_SYS_TGKILL, tgkill (getpid (), tid, number));
}

int eddy__sys_pidfd_send_signal (int pidfd, int number)
{
    return (int) EDDY_SYS_CALL (EDDY_SYS_PIDFD_SEND_SIGNAL,
                                syscall (SYS_pidfd_send_signal, pidfd, number, NULL, 0));
}
