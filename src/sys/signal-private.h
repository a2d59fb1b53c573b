/* SPDX-License-Identifier: MIT */
/*
 * Signals: dispositions, masks, alternate stacks, and sending. Each returns 0 or -errno and passes
 * the fault door first.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Either of `action` and `former` may be NULL. */
int eddy__sys_sigaction (int number, const struct sigaction *action, struct sigaction *former);
int eddy__sys_sigaltstack (const stack_t *stack, stack_t *former);
/* The calling thread's mask: SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK. */
int eddy__sys_sigmask (int how, const sigset_t *set, sigset_t *former);
/* Keeps SIGPIPE from the calling thread while it makes a call that may cause one; `end` takes away
 * the one that the call has caused, which is told by -EPIPE. */
typedef struct EddySysPipeGuard {
    sigset_t former;
    bool was_pending;
} EddySysPipeGuard;
void eddy__sys_pipe_guard_begin (EddySysPipeGuard *guard);
void eddy__sys_pipe_guard_end (const EddySysPipeGuard *guard, int64_t answer);
int eddy__sys_kill (pid_t pid, int number);
int eddy__sys_pidfd_send_signal (int pidfd, int number);
/* To one thread of this process. */
int eddy__sys_tgkill (pid_t tid, int number);
