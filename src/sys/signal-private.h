/* SPDX-License-Identifier: MIT */
/*
 * Signals: dispositions, masks, alternate stacks, and sending. Each returns 0 (or a signal number)
 * or -errno and passes the fault door first.
 */
#pragma once

#include <signal.h>
#include <stdint.h>
#include <sys/types.h>

/* Either of `action` and `former` may be NULL. */
int eddy__sys_sigaction (int number, const struct sigaction *action, struct sigaction *former);
int eddy__sys_sigaltstack (const stack_t *stack, stack_t *former);
/* The calling thread's mask: SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK. */
int eddy__sys_sigmask (int how, const sigset_t *set, sigset_t *former);
/* The number taken, -EAGAIN when the time is over, -EINTR; -1 waits for ever; info may be NULL. */
int eddy__sys_sigtimedwait (const sigset_t *set, siginfo_t *info, int64_t timeout_ns);
int eddy__sys_kill (pid_t pid, int number);
/* To one thread of this process. */
int eddy__sys_tgkill (pid_t tid, int number);
