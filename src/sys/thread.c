/* SPDX-License-Identifier: MIT */
/*
 * Threads.
 */
#include "sys/thread-private.h"

#include <linux/membarrier.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/call-private.h"
#include "sys/signal-private.h"

/* All signals but those of a thread's own faults, and SIGRTMAX where the caller has it unblocked:
 * by that a dump asks a thread that is stuck where it is. */
static void thread_fill_mask (sigset_t *blocked, const sigset_t *callers)
{
    static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };

    sigfillset (blocked);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        sigdelset (blocked, faults[i]);
    if (!sigismember (callers, SIGRTMAX))
        sigdelset (blocked, SIGRTMAX);
}

int eddy__sys_thread_start (pthread_t *thread, void *(*function) (void *data), void *data)
{
    int answer = eddy__sys_door (EDDY_SYS_THREAD_START);
    sigset_t blocked, former;

    if (answer == 0)
        answer = eddy__sys_sigmask (SIG_SETMASK, NULL, &former);
    if (answer < 0)
        return answer;
    thread_fill_mask (&blocked, &former);
    answer = eddy__sys_sigmask (SIG_SETMASK, &blocked, NULL);
    if (answer < 0)
        return answer;
    answer = -pthread_create (thread, NULL, function, data);
    eddy__sys_sigmask (SIG_SETMASK, &former, NULL);
    return answer;
}

/* --- fences ----------------------------------------------------------------------------------- */

static atomic_bool fence_prepared;

static int fence_ask (int command)
{
    return (int) EDDY_SYS_CALL (EDDY_SYS_MEMBARRIER, syscall (SYS_membarrier, command, 0, 0));
}

int eddy__sys_fence_prepare (void)
{
    int answer = fence_ask (MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
    atomic_store (&fence_prepared, answer == 0);
    return answer;
}

bool eddy__sys_fence_is_prepared (void)
{
    return atomic_load_explicit (&fence_prepared, memory_order_relaxed);
}

int eddy__sys_fence (void)
{
    return fence_ask (MEMBARRIER_CMD_PRIVATE_EXPEDITED);
}
