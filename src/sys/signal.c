/* SPDX-License-Identifier: MIT */
/*
 * Signals.
 */
#include "sys/signal-private.h"

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

int eddy__sys_sigtimedwait (const sigset_t *set, siginfo_t *info, int64_t timeout_ns)
{
    struct timespec time;

    return (int) EDDY_SYS_CALL (EDDY_SYS_SIGTIMEDWAIT,
                                sigtimedwait (set, info, eddy__sys_timespec (timeout_ns, &time)));
}

int eddy__sys_kill (pid_t pid, int number)
{
    return (int) EDDY_SYS_CALL (EDDY_SYS_KILL, kill (pid, number));
}

int eddy__sys_tgkill (pid_t tid, int number)
{
    return (int) EDDY_SYS_CALL (EDDY_SYS_TGKILL, tgkill (getpid (), tid, number));
}
