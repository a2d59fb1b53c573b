/* SPDX-License-Identifier: MIT */
/*
 * Signals.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "sys/process-private.h"
#include "sys/signal-private.h"
#include "test.h"

static volatile sig_atomic_t n_handled;
static volatile sig_atomic_t is_on_stack;
static char *stack_begin;

static void signal_handle (int number)
{
    char here;

    (void) number;
    n_handled++;
    is_on_stack = &here >= stack_begin && &here < stack_begin + 65536;
}

EDDY_TEST (action_is_set_and_comes_back)
{
    struct sigaction action = { .sa_handler = signal_handle }, former;

    ck_assert_int_eq (eddy__sys_sigaction (SIGUSR1, &action, &former), 0);
    ck_assert_ptr_eq ((void *) former.sa_handler, (void *) SIG_DFL);
    ck_assert_int_eq (eddy__sys_tgkill (eddy__sys_gettid (), SIGUSR1), 0);
    ck_assert_int_eq (n_handled, 1);
    ck_assert_int_eq (eddy__sys_kill (eddy__sys_getpid (), SIGUSR1), 0);
    ck_assert_int_eq (n_handled, 2);
    ck_assert_int_eq (eddy__sys_sigaction (SIGUSR1, &former, &action), 0);
    ck_assert_ptr_eq ((void *) action.sa_handler, (void *) signal_handle);
    ck_assert_int_eq (eddy__sys_sigaction (SIGKILL, &action, NULL), -EINVAL);
}

EDDY_TEST (handler_runs_on_the_alternate_stack)
{
    struct sigaction action = { .sa_handler = signal_handle, .sa_flags = SA_ONSTACK };
    stack_t stack = { .ss_size = 65536 }, former;
    stack_t off = { .ss_flags = SS_DISABLE };

    stack.ss_sp = stack_begin = malloc (stack.ss_size);
    ck_assert_int_eq (eddy__sys_sigaltstack (&stack, &former), 0);
    ck_assert_int_eq (eddy__sys_sigaction (SIGUSR1, &action, NULL), 0);
    /* Not tgkill: ThreadSanitizer would put the handler off, and run it on another stack. */
    ck_assert_int_eq (raise (SIGUSR1), 0);
    ck_assert_int_eq (n_handled, 1);
    ck_assert_int_eq (is_on_stack, 1);
    ck_assert_int_eq (eddy__sys_sigaltstack (former.ss_sp != NULL ? &former : &off, NULL), 0);
    free (stack.ss_sp);
}

EDDY_TEST (blocked_signals_wait)
{
    const struct timespec none = { 0 };
    sigset_t set, former;
    siginfo_t info;

    sigemptyset (&set);
    sigaddset (&set, SIGPIPE);
    ck_assert_int_eq (eddy__sys_sigmask (SIG_BLOCK, &set, &former), 0);
    ck_assert_int_eq (eddy__sys_tgkill (eddy__sys_gettid (), SIGPIPE), 0);
    ck_assert_int_eq (sigtimedwait (&set, &info, &none), SIGPIPE);
    ck_assert_int_eq (info.si_signo, SIGPIPE);
    ck_assert_int_eq (sigtimedwait (&set, NULL, &none), -1);
    ck_assert_int_eq (errno, EAGAIN);
    ck_assert_int_eq (eddy__sys_sigmask (SIG_SETMASK, &former, NULL), 0);
    ck_assert_int_eq (eddy__sys_sigmask (1000, &set, NULL), -EINVAL);
}

/* It takes the signal of its own call, and none that was there before. */
EDDY_TEST (pipe_guard_takes_what_its_call_has_caused)
{
    struct sigaction action = { .sa_handler = signal_handle };
    sigset_t set;

    ck_assert_int_eq (eddy__sys_sigaction (SIGPIPE, &action, NULL), 0);
    sigemptyset (&set);
    sigaddset (&set, SIGPIPE);
    for (int was_pending = 0; was_pending < 2; was_pending++) {
        EddySysPipeGuard guard;
        ck_assert_int_eq (eddy__sys_sigmask (SIG_BLOCK, &set, NULL), 0);
        if (was_pending)
            ck_assert_int_eq (eddy__sys_tgkill (eddy__sys_gettid (), SIGPIPE), 0);
        eddy__sys_pipe_guard_begin (&guard);
        ck_assert_int_eq (eddy__sys_tgkill (eddy__sys_gettid (), SIGPIPE), 0);
        eddy__sys_pipe_guard_end (&guard, -EPIPE);
        ck_assert_int_eq (n_handled, 0);
        ck_assert_int_eq (eddy__sys_sigmask (SIG_UNBLOCK, &set, NULL), 0);
        ck_assert_int_eq (n_handled, was_pending);
    }
}

EDDY_TEST (sending_to_nobody_fails)
{
    ck_assert_int_eq (eddy__sys_kill (INT32_MAX, 0), -ESRCH);
    ck_assert_int_eq (eddy__sys_tgkill (INT32_MAX, 0), -ESRCH);
}
